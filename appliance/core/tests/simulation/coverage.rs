//! The situations that a run must reach. One that no seed reached is a hole in the proof, so the run fails.

macro_rules! situations {
    ($($name:ident),* $(,)?) => {
        /// Something that must have happened at least once over all seeds.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub(crate) enum Situation { $($name),* }

        const ALL: &[Situation] = &[$(Situation::$name),*];
    };
}

situations!(
    // Crashes.
    CrashBeforeCommit,
    CrashBeforeSends,
    CrashBetweenSends,
    PinTryOutlivedCrash,
    SessionOutlivedCrash,
    Drained,
    BatchOfSeveral,
    // Numbers.
    AckLostThenAnsweredAgain,
    ReplayAnsweredAsFirst,
    NumberReusedFaulted,
    NumberPassedRenumbered,
    NumberForgotten,
    NumberSkipped,
    // Sync.
    SyncedFromSnapshot,
    SyncedFromCursor,
    CaughtUpMessages,
    CursorOfAnotherDevice,
    CursorMadeUp,
    LaneFellBehind,
    LaneLiveAgain,
    FanoutAlreadyCaughtUp,
    HistoryFilledGap,
    DuplicateDeliveryHidden,
    // Sessions.
    Superseded,
    ResumedWithoutPin,
    IdleLocked,
    AgeLocked,
    Unlocked,
    WrongPin,
    LockedOut,
    LockedOutTurnedAway,
    KeeperSilent,
    TwoPinsOfOneDevice,
    SignInsSlowedDown,
    PinPlaceGivenWay,
    PinTryGivenBack,
    AskedWhileLocked,
    ProofTooSlow,
    PinTooSlow,
    ForgedSignature,
    OutOfTurn,
    VersionUnsupported,
    GuestZoneRefused,
    RoamedAmongGuests,
    // Joining.
    JoinCodeWrong,
    JoinCodeSpent,
    JoinCodeExpired,
    JoinRaced,
    JoinAnswerLostThenAnsweredAgain,
    JoinGuessesSlowedDown,
    JoinCodeWithdrawn,
    NinthCodeEndsOldest,
    SuspendedWhileJoining,
    OwnerHearsOfNewDevice,
    // Leaving.
    RevokedWhileAttached,
    RevokedDuringPin,
    RevokedTurnedAway,
    SuspendedWhileAttached,
    SuspendedTurnedAway,
    RestoredSignedIn,
    // Administration.
    AdministeredOverNetwork,
    AdministrationRefused,
    // Conversations.
    DirectOpenedTwice,
    LateJoinerReads,
    LateJoinerHistory,
    RemovedWhileAttached,
    Readmitted,
    StrangerRefused,
    PurgedWhileAttached,
    PurgedRefused,
    PurgedLeft,
    OwnDeviceHears,
    WatermarkPushed,
    ConversationNews,
    // Units, channels, and what is done to a conversation as a whole.
    ChannelJoined,
    ChannelReadFromItsBeginning,
    ForeignChannelRefused,
    ArchivedChannelJoined,
    DemotedCodesWithdrawn,
    NotOfUnitRefused,
    PlacedByChargeNurse,
    PlacementRefused,
    PutOutWithThePost,
    CodeByChargeNurse,
    SuspendedByChargeNurse,
    ChargeNurseRefused,
    UnitRenamed,
    DutiesChanged,
    DutiesExcluded,
    Renamed,
    AlteringRefused,
    AlteredByChargeNurse,
    ArchivedRefused,
    Reopened,
    // STAT.
    StatOpened,
    NobodyToRing,
    StatForStranger,
    RingsWhileLocked,
    SteppedOn,
    StationsReached,
    Accepted,
    AcceptedTooLate,
    AcceptedClosed,
    Held,
    ComingFromLocked,
    HeldBefore,
    HeldByAnother,
    HoldEnded,
    Declined,
    LastOfStepDeclines,
    HandedBack,
    HandedBackAndOn,
    CallNoted,
    StatClosed,
    ClosedAfterADay,
    ClosedAtShiftEnd,
    TransferredWhileRinging,
    GlassBroken,
    GlassBrokenWhileRinging,
    GlassNotNeeded,
    GlassRefused,
    GuestChangesNoTeam,
    EmergencyOver,
    EmergencyEndedEarly,
    EmergencyEndedWithAccess,
    EmergencyReviewed,
    EmergenciesListed,
    JoinedWhileRinging,
    AnswerNotPermitted,
    AcceptorSuspended,
    AcceptorPutOut,
    RungPutOut,
    PurgedWhileOpen,
    RestartWhileRinging,
    RestartWhileHeld,
    StatRead,
    StatReadRefused,
    EscalationSet,
    EscalationRefused,
    StepRingsNobody,
    ExpiryHeldBackByStat,
    // Roles.
    RoleSet,
    RotaRefused,
    RoleTaken,
    RoleAssigned,
    RoleEndInvalid,
    RoleReturned,
    RoleUnheld,
    RolesListed,
    RoleActRefused,
    RoleRung,
    // Patients, and who is in their threads.
    Admitted,
    AdmittedAgain,
    AdmittedByService,
    BedTaken,
    RecordNumberInUse,
    AlreadyAdmitted,
    EncounterOver,
    UnknownPatient,
    Transferred,
    TransferredAmongHolders,
    LeaveBegan,
    LeaveEnded,
    Discharged,
    ThreadClosed,
    ThreadClosedRefused,
    EncounterFiled,
    ParticularsChanged,
    AttendingChanged,
    TeamJoinedByHand,
    TeamLeftByHand,
    NotByHandRefused,
    PlaceOverByClock,
    PlaceOverBySteadyClock,
    ShiftTaken,
    ShiftGivenByChargeNurse,
    ShiftEndInvalid,
    ShiftNotOfUnit,
    ShiftEndedEarly,
    ShiftOverByClock,
    ShiftOverBySteadyClock,
    ShiftLostWithAccess,
    ShiftLostWithPost,
    KeptByHandWhenShiftEnded,
    NewPatientOfHeldBed,
    PatientThreadAltered,
    PatientsListed,
    BedsListed,
    ClinicalRefused,
    // Expiry.
    ExpiredReadByAll,
    ExpiredUnreadInTheEnd,
    ExpiryHeldBackByUnread,
    // Disk and clock.
    DiskLowRefused,
    DiskRecovered,
    ClockSteppedBack,
    ClockSteppedForward,
    ClockYearsAhead,
    TimeHeldAgainstStepBack,
);

/// How often each situation was reached.
#[derive(Clone)]
pub(crate) struct Coverage(Vec<u64>);

impl Coverage {
    pub(crate) fn new() -> Self {
        Self(vec![0; ALL.len()])
    }

    pub(crate) fn reach(&mut self, situation: Situation) {
        self.0[situation as usize] += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine += theirs;
        }
    }

    /// What was never reached.
    pub(crate) fn missing(&self) -> Vec<Situation> {
        ALL.iter().copied().filter(|situation| self.0[*situation as usize] == 0).collect()
    }

    /// One line a situation, rarest first.
    pub(crate) fn report(&self) -> String {
        let mut lines: Vec<(u64, Situation)> = ALL.iter().map(|s| (self.0[*s as usize], *s)).collect();
        lines.sort_unstable();
        lines.iter().map(|(count, situation)| format!("  {count:>9}  {situation:?}\n")).collect()
    }
}
