//! What moves in a patient's thread, told in it: who was admitted and where to, who came into the care team and who left.
//!
//! A notice stands between messages, behind the one that was the newest when it was made. It takes no sequence of its own, so
//! nothing that counts messages (unread ones, receipts, STATs, expiry) counts it. It holds identifiers, kinds and times, and
//! a bed: clients make the words. It goes with the first message behind it that expires, and with the thread's purge; a thread
//! keeps its newest [`crate::limits::NOTICES_KEPT_MAX`]. Nothing of it stays in memory but how many there were.

use minicbor::{Decode, Encode};

use crate::audit::Actor;
use crate::draft::Draft;
use crate::ids::{ConversationId, PersonId, Sequence, UnitId};
use crate::particulars::Bed;
use crate::time::Wall;
use crate::wire::proto::{self, event::Kind};
use crate::write::Write;

/// One thing that was told in a thread.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Notice {
    /// Where.
    #[n(0)]
    pub conversation: ConversationId,
    /// 1, 2, 3 … in its thread.
    #[n(1)]
    pub number: u64,
    /// The newest message when it was made: it stands behind that one, and in front of the next.
    #[n(2)]
    pub after: Sequence,
    /// When.
    #[n(3)]
    pub at: Wall,
    /// Whose act it was; nobody's: a service of the box, or time.
    #[n(4)]
    pub by: Option<PersonId>,
    /// What.
    #[n(5)]
    pub told: Told,
}

/// What a notice tells.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Told {
    /// The patient was admitted.
    #[n(1)]
    Admitted {
        /// Where.
        #[n(0)]
        unit: UnitId,
        /// Into which bed.
        #[n(1)]
        bed: Bed,
    },
    /// The patient lies elsewhere from now on.
    #[n(2)]
    Moved {
        /// Where.
        #[n(0)]
        unit: UnitId,
        /// In which bed.
        #[n(1)]
        bed: Bed,
    },
    /// The patient is away for a time.
    #[n(3)]
    LeaveBegan,
    /// The patient is back.
    #[n(4)]
    LeaveEnded,
    /// The patient has gone: the bed is free.
    #[n(5)]
    Discharged,
    /// The thread takes nothing new any more.
    #[n(6)]
    Closed,
    /// Another attending answers for the stay, or nobody.
    #[n(7)]
    Attending {
        /// Who.
        #[n(0)]
        person: Option<PersonId>,
    },
    /// Somebody came into the care team.
    #[n(8)]
    Entered {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// Why.
        #[n(1)]
        why: Why,
        /// Until then, as far as is known.
        #[n(2)]
        until: Option<Wall>,
    },
    /// There is no reason left for somebody to be here.
    #[n(9)]
    Left {
        /// Who.
        #[n(0)]
        person: PersonId,
    },
    /// With a move: who is in the team already has the new bed too.
    #[n(10)]
    HasBed {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// Until then.
        #[n(1)]
        until: Wall,
    },
    /// With a move: whoever had the old bed stays until the end of their shift.
    #[n(11)]
    Stays {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// Until then.
        #[n(1)]
        until: Wall,
    },
    /// With an admission or a move: nobody has the bed.
    #[n(12)]
    BedUnheld,
    /// Somebody broke the glass.
    #[n(13)]
    EmergencyBegan {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// Until then at the latest.
        #[n(1)]
        until: Wall,
    },
    /// Their emergency access is over.
    #[n(14)]
    EmergencyEnded {
        /// Whose.
        #[n(0)]
        person: PersonId,
    },
    /// Only whoever is named may see who the patient is.
    #[n(15)]
    Restricted,
    /// Whoever cares for the patient may again.
    #[n(16)]
    Unrestricted,
    /// Two records of the patient were merged.
    #[n(220)]
    RecordsMerged,
    /// They were un-merged.
    #[n(221)]
    RecordsUnmerged,
    /// The patient lets family write.
    #[n(240)]
    FamilyConsented,
    /// The patient lets family write no more.
    #[n(241)]
    FamilyConsentEnded,
    /// Somebody at the bed asks to be let in.
    #[n(242)]
    FamilyAsked,
    /// Somebody was let in to a family thread of this patient.
    #[n(243)]
    FamilyEntered {
        /// Who: of no directory.
        #[n(0)]
        person: PersonId,
    },
    /// They are out of it.
    #[n(244)]
    FamilyLeft {
        /// Who.
        #[n(0)]
        person: PersonId,
    },
}

/// What brings somebody into a care team.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Why {
    /// They answer for the stay.
    #[n(1)]
    Attending,
    /// Somebody put them in.
    #[n(2)]
    ByHand,
    /// They hold the bed.
    #[n(3)]
    Bed,
    /// They broke the glass.
    #[n(4)]
    Emergency,
    /// They are named.
    #[n(5)]
    Named,
    /// They care for the same patient under another record.
    #[n(220)]
    Merged,
}

/// A notice's content, flat: as the store and the wire have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// [`proto::NoticeKind`]'s number.
    pub kind: u32,
    /// Whom it names.
    pub person: Option<PersonId>,
    /// [`proto::NoticeReason`]'s number; 0: none.
    pub why: u32,
    /// Where.
    pub unit: Option<UnitId>,
    /// In which bed.
    pub bed: Option<Bed>,
    /// Until when.
    pub until: Option<Wall>,
}

impl Why {
    fn number(self) -> u32 {
        match self {
            Self::Attending => 1,
            Self::ByHand => 2,
            Self::Bed => 3,
            Self::Emergency => 4,
            Self::Named => 5,
            Self::Merged => 220,
        }
    }

    fn from_number(number: u32) -> Option<Self> {
        [Self::Attending, Self::ByHand, Self::Bed, Self::Emergency, Self::Named, Self::Merged]
            .into_iter()
            .find(|why| why.number() == number)
    }
}

impl Told {
    /// What it says, flat.
    pub fn parts(&self) -> Parts {
        let bare = |kind| Parts { kind, ..Parts::default() };
        let of = |kind, person: PersonId| Parts { person: Some(person), ..bare(kind) };
        let at = |kind, unit: &UnitId, bed: &Bed| Parts {
            unit: Some(*unit),
            bed: Some(bed.clone()),
            ..bare(kind)
        };
        match self {
            Self::Admitted { unit, bed } => at(1, unit, bed),
            Self::Moved { unit, bed } => at(2, unit, bed),
            Self::LeaveBegan => bare(3),
            Self::LeaveEnded => bare(4),
            Self::Discharged => bare(5),
            Self::Closed => bare(6),
            Self::Attending { person } => Parts { person: *person, ..bare(7) },
            Self::Entered { person, why, until } => {
                Parts { why: why.number(), until: *until, ..of(8, *person) }
            }
            Self::Left { person } => of(9, *person),
            Self::HasBed { person, until } => Parts { until: Some(*until), ..of(10, *person) },
            Self::Stays { person, until } => Parts { until: Some(*until), ..of(11, *person) },
            Self::BedUnheld => bare(12),
            Self::EmergencyBegan { person, until } => Parts { until: Some(*until), ..of(13, *person) },
            Self::EmergencyEnded { person } => of(14, *person),
            Self::Restricted => bare(15),
            Self::Unrestricted => bare(16),
            Self::RecordsMerged => bare(220),
            Self::RecordsUnmerged => bare(221),
            Self::FamilyConsented => bare(240),
            Self::FamilyConsentEnded => bare(241),
            Self::FamilyAsked => bare(242),
            Self::FamilyEntered { person } => of(243, *person),
            Self::FamilyLeft { person } => of(244, *person),
        }
    }

    /// What these parts say, if they say something.
    pub fn from_parts(parts: Parts) -> Option<Self> {
        let Parts { kind, person, why, unit, bed, until } = parts;
        Some(match kind {
            1 => Self::Admitted { unit: unit?, bed: bed? },
            2 => Self::Moved { unit: unit?, bed: bed? },
            3 => Self::LeaveBegan,
            4 => Self::LeaveEnded,
            5 => Self::Discharged,
            6 => Self::Closed,
            7 => Self::Attending { person },
            8 => Self::Entered { person: person?, why: Why::from_number(why)?, until },
            9 => Self::Left { person: person? },
            10 => Self::HasBed { person: person?, until: until? },
            11 => Self::Stays { person: person?, until: until? },
            12 => Self::BedUnheld,
            13 => Self::EmergencyBegan { person: person?, until: until? },
            14 => Self::EmergencyEnded { person: person? },
            15 => Self::Restricted,
            16 => Self::Unrestricted,
            220 => Self::RecordsMerged,
            221 => Self::RecordsUnmerged,
            240 => Self::FamilyConsented,
            241 => Self::FamilyConsentEnded,
            242 => Self::FamilyAsked,
            243 => Self::FamilyEntered { person: person? },
            244 => Self::FamilyLeft { person: person? },
            _ => return None,
        })
    }

    /// Whom it says something of.
    pub(crate) fn person(&self) -> Option<PersonId> {
        self.parts().person
    }
}

impl Notice {
    /// As the members of the thread are told.
    pub fn to_wire(&self) -> proto::ThreadNotice {
        let Parts { kind, person, why, unit, bed, until } = self.told.parts();
        // The numbers are the wire's own.
        let (kind, reason) = (kind.cast_signed(), why.cast_signed());
        proto::ThreadNotice {
            conversation: self.conversation.value(),
            number: self.number,
            after: self.after.0,
            at: self.at.0,
            kind,
            by: self.by.map_or(0, PersonId::value),
            person: person.map_or(0, PersonId::value),
            reason,
            unit: unit.map_or(0, UnitId::value),
            bed: bed.map_or_else(String::new, |bed| bed.reveal().to_owned()),
            until: until.map_or(0, |until| until.0),
        }
    }
}

/// Tells it in the thread, to whoever is in it now. Under a change of its own, so after what else the act makes known.
pub(crate) fn tell(draft: &mut Draft<'_>, by: Actor, thread: ConversationId, told: Told) {
    let Some(place) = draft.state.conversations.get(&thread).filter(|place| !place.purged) else { return };
    let by = match by {
        Actor::Person { person, .. } => Some(person),
        _ => None,
    };
    let (number, after, at) = (place.noticed + 1, place.last, draft.now.wall);
    let notice = Notice { conversation: thread, number, after, at, by, told };
    let event = Kind::Notice(notice.to_wire());
    let change = draft.write(Write::NoticeMade(notice));
    draft.tell_members(change, thread, event);
}
