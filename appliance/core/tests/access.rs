//! The table of who may do what, against the box: every operation by every kind of actor, and the page that shows it.
#![expect(clippy::disallowed_methods, reason = "a test reads the page that it holds the code against")]

#[path = "access/asks.rs"]
mod asks;
#[path = "access/bounds.rs"]
mod bounds;
#[path = "access/channels.rs"]
mod channels;
#[path = "access/shifts.rs"]
mod shifts;
#[path = "access/visiting.rs"]
mod visiting;
mod ward;

use std::path::Path;

use wardline_core::access::{self, Operation, RULES, Relation};
use wardline_core::agency::{AgencyAsk, Arrival};
use wardline_core::alarm::AlarmAsk;
use wardline_core::alteration::{Edit, Found};
use wardline_core::attachment::{Attaching, AttachmentPolicy, Begin, Media};
use wardline_core::audit::looking::Look;
use wardline_core::availability::AvailabilityAsk;
use wardline_core::bell::BellAsk;
use wardline_core::broadcast::{AnnouncerAsk, BroadcastAsk, BroadcastPolicy};
use wardline_core::care::TeamChange;
use wardline_core::clinical::{Admission, Clinical, Correction, Shift};
use wardline_core::directory::Post;
use wardline_core::emergency::{Emergency, Finding, Whom};
use wardline_core::escalation::{Priority, StatId};
use wardline_core::export::{self, Exporting};
use wardline_core::hold::{Holds, Whose};
use wardline_core::ids::{
    AssignmentId, Conn, ConversationId, DeviceId, EditId, EmergencyId, EncounterId, HoldId, MessageId,
    Number, OfferId, PatientId, PersonId, RoleId, Sequence, UnitId, UploadId,
};
use wardline_core::inbox::InboxAsk;
use wardline_core::input::{Ask, Call, Fresh, Submit, Zone};
use wardline_core::leaving::Leaving;
use wardline_core::limits;
use wardline_core::lookup::LookUp;
use wardline_core::merge::Merge;
use wardline_core::order::signed::{Deed, Said as OrderSaid};
use wardline_core::order::{OrderAsk, Whose as OrdersOf};
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::passkey::PasskeyAsk;
use wardline_core::printing::Print;
use wardline_core::reaction::{React, Reaction};
use wardline_core::restriction::Restrict;
use wardline_core::retention::Rules;
use wardline_core::role::offer::{Answer, Offered};
use wardline_core::role::{Roles, Which};
use wardline_core::rota::Place;
use wardline_core::search::{Filter, Query, Search};
use wardline_core::task::{Answer as TaskAnswer, Assignee, TaskAsk};
use wardline_core::template::{TemplateAsk, Templates};
use wardline_core::text::{Grounds, Name, Sealed, Title};
use wardline_core::time::Wall;
use wardline_core::turn::{Send, Turn};
use wardline_core::web_certificate::WebCertificateAsk;
use wardline_core::wire::proto::{self, RefusalCode, server_frame::Body};
use wardline_core::write::Write;

use visiting::Visiting;
use ward::{BOX, OF_STAT, Ward, answer, group_of, kept, refusal};

/// Who asks, and what they are by the words of the design.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Actor {
    Owner,
    Member,
    /// Works in the unit, and is not in the conversation.
    Colleague,
    /// Leads the unit, and is not in the conversation.
    ChargeNurse,
    /// Leads the unit, and is in the conversation.
    ChargeNurseInIt,
    /// Worked in the unit and was in its channel.
    FormerStaff,
    /// Works in another unit.
    OtherUnit,
    /// Leads another unit.
    OtherChargeNurse,
    Administrator,
    AdministratorOnTheWard,
    PrivacyOfficer,
    Suspended,
    /// Works in the unit, and has its role at the weekend.
    HolderBefore,
    /// Works in the unit; had its role and the patient's bed until a minute ago.
    HolderAfter,
    /// Was let in to a family thread of the patient.
    Visitor,
    /// A screen of the unit.
    Station,
    BoxService,
}

const ACTORS: [Actor; 17] = [
    Actor::Owner,
    Actor::Member,
    Actor::Colleague,
    Actor::ChargeNurse,
    Actor::ChargeNurseInIt,
    Actor::FormerStaff,
    Actor::OtherUnit,
    Actor::OtherChargeNurse,
    Actor::Administrator,
    Actor::AdministratorOnTheWard,
    Actor::PrivacyOfficer,
    Actor::Suspended,
    Actor::HolderBefore,
    Actor::HolderAfter,
    Actor::Visitor,
    Actor::Station,
    Actor::BoxService,
];

/// What an operation is done to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Subject {
    Channel,
    Group,
    /// A channel whose owner is suspended.
    OrphanedChannel,
}

impl Actor {
    /// On this connection.
    const fn conn(self) -> Conn {
        match self {
            Self::BoxService => BOX,
            other => Conn(1 + other as u64),
        }
    }

    fn relations(self, subject: Subject) -> Vec<Relation> {
        use Relation as R;
        let mut is = match self {
            Self::Owner => {
                let of_patient = [R::CareTeam, R::Attending];
                let of_thread = [R::Receiver];
                let of_place = [R::Staff, R::Clinician, R::Member, R::Owner, R::UnitStaff];
                [&of_place[..], &of_patient, &of_thread].concat()
            }
            Self::Member => {
                let by_name = [R::Author, R::Assignee, R::Announcer, R::Prescriber];
                let of_patient = [&[R::CareTeam, R::Holder, R::OnCall][..], &by_name].concat();
                [&[R::Staff, R::Clinician, R::Member, R::UnitStaff][..], &of_patient].concat()
            }
            Self::Colleague => vec![R::Staff, R::Clinician, R::UnitStaff, R::GlassBreaker, R::OfferedTo],
            Self::ChargeNurse => vec![R::Staff, R::Clinician, R::UnitStaff, R::ChargeNurse, R::Superior],
            Self::ChargeNurseInIt => {
                let of_unit = [R::UnitStaff, R::ChargeNurse, R::Superior, R::CareTeam, R::Receiver];
                [&[R::Staff, R::Clinician, R::Member][..], &of_unit].concat()
            }
            Self::Administrator => vec![R::Staff, R::Administrator],
            Self::OtherUnit | Self::OtherChargeNurse => vec![R::Staff, R::Clinician],
            Self::FormerStaff | Self::AdministratorOnTheWard => vec![R::Staff],
            Self::PrivacyOfficer => vec![R::Staff, R::PrivacyOfficer],
            Self::HolderBefore | Self::HolderAfter => vec![R::Staff, R::Clinician, R::UnitStaff],
            // It has no rights of its own: rings are sent to it, and it asks for nothing.
            Self::Suspended | Self::Station => vec![],
            Self::Visitor => vec![R::Visitor],
            Self::BoxService => vec![R::BoxService],
        };
        if subject == Subject::OrphanedChannel {
            match self {
                Self::Owner => is.clear(),
                Self::Member | Self::ChargeNurseInIt => is.push(R::Heir),
                _ => {}
            }
        }
        is
    }
}

/// A ward with everybody in it.
struct House {
    ward: Ward,
    people: Vec<PersonId>,
    unit: UnitId,
    place: ConversationId,
    /// Works in the unit, is in the conversation, and is what others do something to.
    victim: PersonId,
    victims_device: DeviceId,
    /// Works in the unit and is not in the conversation.
    newcomer: PersonId,
    /// Whoever is in the conversation from the beginning cares for this patient of the unit.
    patient: PatientId,
    encounter: EncounterId,
    /// The member's, of the patient's bed.
    assignment: AssignmentId,
    /// The victim's, by its rota; taken by the member.
    role: RoleId,
    /// Of it, to the colleague.
    offer: OfferId,
    /// A colleague's, to the thread of another patient of the unit.
    emergency: EmergencyId,
    /// Admitted to the unit from an agency.
    agency: PersonId,
    /// Suspended by a charge nurse.
    leaver: PersonId,
    /// On somebody who is nowhere.
    hold: HoldId,
    /// The newcomer's, to the thread of a restricted patient: it waits for a second person.
    asked: EmergencyId,
    visiting: Visiting,
}

fn rules() -> Rules {
    Rules::parse([720, 720, 720, 8_760]).expect("in range")
}

fn glass(in_bed: &str, unit: UnitId, fresh: Fresh) -> Emergency {
    let grounds = Grounds::parse("Found on the floor").expect("grounds");
    Emergency::Begin { whom: Whom::InBed(unit, bed(in_bed)), grounds, fresh }
}

fn arrival(name: &str, unit: UnitId, until: Wall, fresh: Fresh) -> Arrival {
    Arrival {
        returning: None,
        name: Name::parse(name).expect("a name"),
        agency: Name::parse("Brightside").expect("a name"),
        title: title("RN"),
        unit,
        beds: Some(vec![]),
        until,
        another: false,
        fresh,
    }
}

fn particulars(record: &str) -> Particulars {
    Particulars {
        record: RecordNumber::parse(record).expect("a number"),
        name: Name::parse("Rosa Diaz").expect("a name"),
        birth: BirthDate::parse("1947-03-09").expect("a day"),
        sex: Sex::Female,
    }
}

fn bed(name: &str) -> Bed {
    Bed::parse(name).expect("a bed")
}

fn title(text: &str) -> Title {
    Title::parse(text).expect("a title")
}

impl House {
    fn new(subject: Subject) -> Self {
        let mut ward = Ward::new(0);
        let [unit, other] = ["4 West", "Hall B"].map(|name| {
            let (name, fresh) = (Name::parse(name).expect("a name"), ward.fresh());
            let Body::UnitSet(set) = answer(&ward.ask(BOX, Ask::SetUnit { unit: None, name, fresh })) else {
                panic!("no unit")
            };
            UnitId::new(set.unit).expect("a unit")
        });
        let mut people = Vec::new();
        let is_person = |actor: &Actor| !matches!(actor, Actor::Visitor | Actor::Station | Actor::BoxService);
        for actor in ACTORS.into_iter().filter(is_person) {
            let zone = if actor == Actor::Administrator { Zone::Admin } else { Zone::Ward };
            people.push(ward.enter_from(actor.conn(), zone));
        }
        let (victim, newcomer) = (Conn(100), Conn(101));
        let (victim, newcomer) = (ward.enter_from(victim, Zone::Ward), ward.enter_from(newcomer, Zone::Ward));
        let of = |actor: Actor| people[actor as usize];
        let mut place_in = |person, unit, post| {
            let placed = ward.ask(BOX, Ask::SetPost { person, unit, post: Some(post) });
            assert!(matches!(answer(&placed), Body::Done(_)));
        };
        let staff = [Actor::Owner, Actor::Member, Actor::Colleague, Actor::FormerStaff];
        for actor in staff.into_iter().chain([Actor::HolderBefore, Actor::HolderAfter]) {
            place_in(of(actor), unit, Post::Staff);
        }
        place_in(victim, unit, Post::Staff);
        place_in(newcomer, unit, Post::Staff);
        place_in(of(Actor::ChargeNurse), unit, Post::ChargeNurse);
        place_in(of(Actor::ChargeNurseInIt), unit, Post::ChargeNurse);
        place_in(of(Actor::OtherUnit), other, Post::Staff);
        place_in(of(Actor::OtherChargeNurse), other, Post::ChargeNurse);
        for (actor, administrator) in [
            (Actor::Administrator, true),
            (Actor::AdministratorOnTheWard, true),
            (Actor::PrivacyOfficer, false),
        ] {
            let (person, privacy_officer) = (of(actor), !administrator);
            ward.ask(BOX, Ask::SetDuties { person, administrator, privacy_officer });
        }
        let mut admit = |record: &str, in_bed, attending| {
            let admission = Admission {
                record: RecordNumber::parse(record).expect("a number"),
                new: Some(particulars(record)),
                unit,
                bed: bed(in_bed),
                attending,
                fresh: ward.fresh(),
            };
            let admitted = ward.ask(BOX, Ask::Clinical(Clinical::Admit(admission)));
            let Body::Admitted(admitted) = answer(&admitted) else { panic!("not admitted") };
            admitted
        };
        // Whom nobody cares for.
        let hidden = admit("7", "B-7", None);
        admit("8", "B-8", None);
        admit("9", "B-9", None);
        let admitted = admit("1", "B-1", Some(of(Actor::Owner)));
        let patient = PatientId::new(admitted.patient).expect("a patient");
        let encounter = EncounterId::new(admitted.encounter).expect("an encounter");
        let add = vec![of(Actor::Owner), of(Actor::ChargeNurseInIt), victim];
        let change = TeamChange { add, until: None, remove: vec![] };
        let team = Ask::Clinical(Clinical::ChangeCareTeam { encounter, change });
        done(&ward.ask(Actor::ChargeNurse.conn(), team));
        let role = shifts::role_of_the_week(&mut ward, unit, (victim, of(Actor::HolderBefore)));
        shifts::a_minute(&mut ward, unit, role, Actor::HolderAfter.conn());
        let until = ward.now.wall.after(3_600_000);
        let assignment = shifts::take_bed(&mut ward, unit, Actor::Member.conn(), until);
        let fresh = ward.fresh();
        let broken =
            ward.ask(Actor::Colleague.conn(), Ask::Clinical(Clinical::Emergency(glass("B-8", unit, fresh))));
        let Body::EmergencyBegan(broken) = answer(&broken) else { panic!("not let in") };
        let emergency = EmergencyId::new(broken.emergency).expect("an identifier");
        let whose = Whose::Person(of(Actor::AdministratorOnTheWard));
        let place = Ask::Hold(Holds::Place { whose, matter: title("26-1180"), fresh: ward.fresh() });
        let Body::HoldPlaced(placed) = answer(&ward.ask(Actor::PrivacyOfficer.conn(), place)) else {
            panic!("not placed")
        };
        let hold = HoldId::new(placed.hold).expect("an identifier");
        let encounter_hidden = EncounterId::new(hidden.encounter);
        let alias = Some(Name::parse("Blue Heron").expect("a name"));
        let restrict = Restrict {
            encounter: encounter_hidden.expect("an encounter"),
            alias,
            add: vec![of(Actor::Owner)],
            remove: vec![],
        };
        done(&ward.ask(BOX, Ask::Clinical(Clinical::Restrict(restrict))));
        ward.take_role(Actor::Member.conn(), role, None);
        let announcer = AnnouncerAsk::Set { person: of(Actor::Member), announces: true };
        done(&ward.ask(BOX, Ask::Announcers(announcer)));
        let until = ward.now.wall.after(3_600_000);
        let offered = Offered { role, place: Place::FIRST, taker: of(Actor::Colleague), from: None, until };
        let fresh = ward.fresh();
        let offered = ward.ask(Actor::Member.conn(), Ask::Role(Roles::Offer { offered, fresh }));
        let Body::RoleOffered(offered) = answer(&offered) else { panic!("not offered") };
        let offer = OfferId::new(offered.offer).expect("an identifier");
        let others = vec![of(Actor::Member), of(Actor::ChargeNurseInIt), of(Actor::FormerStaff), victim];
        let place = if subject == Subject::Group {
            group_of(&ward.open_group(Actor::Owner.conn(), others))
        } else {
            let (title, fresh) = (title("Huddle"), ward.fresh());
            let place = group_of(&ward.ask(Actor::Owner.conn(), Ask::OpenChannel { unit, title, fresh }));
            ward.change(Actor::Owner.conn(), place, &others, &[]);
            place
        };
        let person = of(Actor::FormerStaff);
        if subject == Subject::Group {
            ward.change(Actor::Owner.conn(), place, &[], &[person]);
        }
        ward.ask(BOX, Ask::SetPost { person, unit, post: None });
        ward.ask(BOX, Ask::SetStanding { person: of(Actor::Suspended), suspended: true });
        let leaver = ward.enter_from(Conn(102), Zone::Ward);
        done(&ward.ask(BOX, Ask::SetPost { person: leaver, unit, post: Some(Post::Staff) }));
        let leaves = Ask::SetStanding { person: leaver, suspended: true };
        done(&ward.ask(Actor::ChargeNurse.conn(), leaves));
        let arrival = arrival("Ines Roth", unit, ward.now.wall.after(3_600_000), ward.fresh());
        let admitted = ward.ask(Actor::ChargeNurse.conn(), Ask::Agency(AgencyAsk::Admit(Box::new(arrival))));
        let Body::AgencyAdmitted(admitted) = answer(&admitted) else { panic!("not admitted") };
        let agency = PersonId::new(admitted.person).expect("a person");
        if subject == Subject::OrphanedChannel {
            ward.ask(BOX, Ask::SetStanding { person: of(Actor::Owner), suspended: true });
        }
        ward.now.mono = ward.now.mono.after(1_000_000);
        let fresh = ward.fresh();
        let asked = ward.ask(Conn(101), Ask::Clinical(Clinical::Emergency(glass("B-7", unit, fresh))));
        let Body::EmergencyAsked(asked) = answer(&asked) else { panic!("not asked") };
        let asked = EmergencyId::new(asked.emergency).expect("an identifier");
        ward.enter_station(Actor::Station.conn(), unit);
        let visiting = Visiting::new(&mut ward, encounter, Actor::ChargeNurse.conn(), Actor::Visitor.conn());
        let victims_device = ward.relay.state().devices_of(victim).next().expect("a device").id;
        Self {
            ward,
            people,
            unit,
            place,
            victim,
            victims_device,
            newcomer,
            patient,
            encounter,
            assignment,
            role,
            offer,
            emergency,
            hold,
            asked,
            agency,
            leaver,
            visiting,
        }
    }

    /// A message, as a doorway would find it.
    fn said_by_the_member(&mut self) -> Found {
        let said = self.request(Operation::Send, Actor::Member);
        let said = self.ward.ask(Actor::Member.conn(), said);
        assert!(is_done(&said));
        let message = said.writes.iter().find_map(kept);
        Found { as_of: self.ward.relay.state().change, message }
    }

    fn request(&mut self, operation: Operation, actor: Actor) -> Ask {
        let (unit, place, person, fresh) = (self.unit, self.place, self.victim, self.ward.fresh());
        match operation {
            Operation::OpenDirect => Ask::OpenDirect { person, fresh },
            Operation::OpenGroup => Ask::OpenGroup { title: title("Lunch"), people: vec![person], fresh },
            Operation::OpenChannel => Ask::OpenChannel { unit, title: title("Lunch"), fresh },
            Operation::ListChannels => Ask::ListChannels { after: None },
            Operation::ListAllChannels => Ask::ListAllChannels { unit: None, after: None },
            Operation::JoinChannel => Ask::JoinChannel { conversation: place },
            Operation::AddMember => {
                Ask::ChangeMembers { conversation: place, add: vec![self.newcomer], remove: vec![] }
            }
            Operation::RemoveMember => {
                Ask::ChangeMembers { conversation: place, add: vec![], remove: vec![person] }
            }
            Operation::Leave => {
                let oneself = self.people.get(actor as usize).copied().unwrap_or(person);
                Ask::ChangeMembers { conversation: place, add: vec![], remove: vec![oneself] }
            }
            Operation::Rename => Ask::Rename { conversation: place, title: title("Dinner") },
            Operation::Archive => Ask::Archive { conversation: place, archived: true },
            Operation::Send => Ask::Submit(Submit {
                number: Number(1),
                message: MessageId([1; 16]),
                conversation: place,
                body: Some(Sealed(vec![0; 40])),
                priority: Priority::Routine,
                call: Call::default(),
                reply_to: None,
                mentions: Default::default(),
                attachments: vec![],
                order: None,
            }),
            Operation::AttachFile => Ask::Attaching(Attaching::Begin(Begin {
                name: UploadId([7; 16]),
                conversation: place,
                media: Media::Jpeg,
                length: 1_000,
                sha256: [8; 32],
                sealed: Some((Sealed(vec![9; 60]), Sealed(vec![]))),
            })),
            Operation::OpenAttachment => {
                self.said_by_the_member();
                let message = StatId { conversation: place, sequence: Sequence(1) };
                Ask::Attaching(Attaching::Open { message, which: 0, thumbnail: false })
            }
            Operation::SetAttachmentPolicy => {
                Ask::SetAttachmentPolicy(AttachmentPolicy::parse(1 << 20, 0, 0).expect("in range"))
            }
            Operation::ListAttachmentPolicy => Ask::ListAttachmentPolicy,
            Operation::EditMessage => {
                let found = self.said_by_the_member();
                let (conversation, sequence, name) = (place, Sequence(1), EditId([3; 16]));
                let body = Some(Sealed(vec![0; 40]));
                Ask::Edit(Edit { conversation, sequence, version: 1, name, body, found })
            }
            Operation::RecallMessage => {
                let found = self.said_by_the_member();
                let message = StatId { conversation: place, sequence: Sequence(1) };
                Ask::Recall { message, found }
            }
            Operation::SetAvailability => Ask::Availability(AvailabilityAsk::Clear),
            // There is nothing to refuse: whoever may is told so.
            Operation::RefuseCover => {
                Ask::Availability(AvailabilityAsk::RefuseCover { person: self.people[0] })
            }
            Operation::ListAvailability => Ask::Availability(AvailabilityAsk::Look(vec![person])),
            Operation::SetCoverPolicy => Ask::Availability(AvailabilityAsk::Policy { cover_instead: true }),
            Operation::SetTemplates | Operation::SetFacilityTemplates => {
                let unit = Some(unit).filter(|_| operation == Operation::SetTemplates);
                let replies = vec!["On my way".to_owned()];
                let set = proto::TemplateSet { unit: 0, replies, templates: Vec::new() };
                let templates = Templates::from_wire(&set).expect("in range");
                Ask::Templates(TemplateAsk::Set { unit, templates })
            }
            Operation::GiveTask
            | Operation::AnswerTask
            | Operation::ReassignTask
            | Operation::WithdrawTask
            | Operation::ListTasks => Ask::Task(self.of_task(operation)),
            Operation::GiveOrder
            | Operation::ReadBackOrder
            | Operation::ConfirmOrder
            | Operation::FileOrder
            | Operation::ListOrders
            | Operation::ListUnitOrders
            | Operation::SetOrderPolicy
            | Operation::ListOrderPolicies => self.of_order(operation),
            Operation::ListTemplates => Ask::Templates(TemplateAsk::List { unit: Some(unit) }),
            Operation::React => {
                let found = self.said_by_the_member();
                let message = StatId { conversation: place, sequence: Sequence(1) };
                Ask::React(React { message, reaction: Reaction::Agree, taken_back: false, found })
            }
            Operation::Read => Ask::History { conversation: place, before: Sequence::NONE, limit: 10 },
            Operation::Purge => Ask::PurgeConversation { conversation: place },
            Operation::ListPeople => Ask::ListPeople { after: None },
            Operation::ListUnits => Ask::ListUnits,
            Operation::PlaceStaff => Ask::SetPost {
                person: self.people[Actor::PrivacyOfficer as usize],
                unit,
                post: Some(Post::Staff),
            },
            Operation::NameChargeNurse => Ask::SetPost { person, unit, post: Some(Post::ChargeNurse) },
            Operation::SetUnit => {
                Ask::SetUnit { unit: None, name: Name::parse("ICU").expect("a name"), fresh }
            }
            Operation::AddPerson => Ask::AddPerson {
                name: Name::parse("Zoe").expect("a name"),
                title: Title::default(),
                administrator: false,
                fresh,
            },
            Operation::IssueJoinCode => Ask::IssueJoinCode { person, fresh },
            Operation::ClearPin => {
                let device = self.victims_device;
                self.ward.lock_out(device);
                Ask::ClearPin { person, fresh }
            }
            Operation::KeepPasskeys => Ask::Passkey(PasskeyAsk::List),
            Operation::SetAlarmRole => Ask::Alarms(AlarmAsk::SetRole { role: None, fresh }),
            Operation::KeepBell => Ask::Bell(BellAsk::Look),
            Operation::SetBellPolicy => Ask::SetBellPolicy { on: true },
            Operation::ListDevices => Ask::ListDevices { person },
            Operation::RevokeDevice => Ask::RevokeDevice { device: self.victims_device },
            Operation::Suspend => Ask::SetStanding { person, suspended: true },
            Operation::Restore => {
                Ask::SetStanding { person: self.people[Actor::Suspended as usize], suspended: false }
            }
            Operation::DecideSuspension => {
                Ask::Leaving(Leaving::Decide { person: self.leaver, confirmed: true })
            }
            Operation::ListSuspensions => Ask::Leaving(Leaving::List { after: None }),
            Operation::SetDuties => Ask::SetDuties { person, administrator: true, privacy_officer: false },
            Operation::Search => Ask::Search(Search {
                query: Query::parse("fire drill").expect("words"),
                filter: Filter::default(),
                behind: None,
                limit: 10,
            }),
            Operation::Announce | Operation::AnnounceToAll => Ask::Broadcast(BroadcastAsk::Open {
                unit: Some(unit).filter(|_| operation == Operation::Announce),
                fresh,
            }),
            Operation::NameAnnouncer => Ask::Announcers(AnnouncerAsk::Set { person, announces: true }),
            Operation::SetAnnouncementPolicy => {
                let policy = BroadcastPolicy { unit_urgent: false, facility_urgent: true };
                Ask::Announcers(AnnouncerAsk::SetPolicy(policy))
            }
            Operation::ListAnnouncements => Ask::Announcers(AnnouncerAsk::List),
            Operation::OpenRoleInbox | Operation::FinishRoleInbox => Ask::Inbox(self.of_inbox(operation)),
            Operation::SetRole
            | Operation::TakeRole
            | Operation::AssignRole
            | Operation::ReturnRole
            | Operation::RetireRole
            | Operation::ReadRota
            | Operation::OfferRole
            | Operation::AnswerOffer
            | Operation::WithdrawOffer
            | Operation::ListOffers
            | Operation::ListRoles => Ask::Role(self.of_role(operation)),
            Operation::AdmitAgency
            | Operation::ExtendAgency
            | Operation::EndAgency
            | Operation::ListAgency => Ask::Agency(self.of_agency(operation)),
            Operation::SetFamilyConsent
            | Operation::SetFamilyBlock
            | Operation::SetBedsideCode
            | Operation::ListFamily
            | Operation::AnswerVisit
            | Operation::ProlongVisit
            | Operation::EndVisit
            | Operation::EndFamilyThread
            | Operation::Visit => self.visiting.request(&mut self.ward, operation),
            Operation::SetRetention => Ask::SetRetention(rules()),
            Operation::PreviewRetention => Ask::PreviewRetention(rules()),
            Operation::ListRetention => Ask::ListRetention,
            Operation::PlaceHold | Operation::LiftHold | Operation::ListHolds => {
                Ask::Hold(self.of_hold(operation))
            }
            Operation::PrintSheet => Ask::Print(Print { unit, pages: 2 }),
            Operation::ReadAudit => Ask::Audit(Look {
                before: None,
                person: None,
                patient: None,
                acts: Vec::new(),
                since: Wall(0),
                until: Wall(i64::MAX),
            }),
            Operation::AskHealth => Ask::Health,
            Operation::KeepWebCertificate => Ask::WebCertificate(WebCertificateAsk::Drop),
            Operation::ExportRecord => {
                let whose = export::Whose::Person(self.people[Actor::Member as usize]);
                let grounds = Grounds::parse("Request of the person").expect("grounds");
                Ask::Export(Exporting::Begin { whose, grounds, fresh: self.ward.fresh() })
            }
            of_stat if OF_STAT.contains(&of_stat) => unreachable!("{of_stat:?} is tried by tests/stat.rs"),
            clinical => Ask::Clinical(self.clinical(clinical)),
        }
    }
}

/// Answered at all, and not with a refusal.
fn is_done(turn: &Turn) -> bool {
    let refused = |send: &Send| matches!(send, Send::Reply { body: Body::Refused(_), .. });
    !turn.sends.is_empty() && !turn.sends.iter().any(refused)
}

fn advice(turn: &Turn) -> String {
    let words = turn.sends.iter().find_map(|send| match send {
        Send::Reply { body: Body::Refused(refused), .. } => Some(refused.advice.clone()),
        _ => None,
    });
    words.unwrap_or_default()
}

#[test]
fn every_operation_by_every_actor_is_as_the_table_says() {
    let mut tried = 0;
    for subject in [Subject::Channel, Subject::Group, Subject::OrphanedChannel] {
        for rule in RULES.iter().filter(|rule| !OF_STAT.contains(&rule.operation)) {
            if subject == Subject::Group && rule.operation == Operation::JoinChannel {
                continue;
            }
            for actor in ACTORS {
                let mut house = House::new(subject);
                let ask = house.request(rule.operation, actor);
                let turn = house.ward.ask(actor.conn(), ask);
                let mut is = actor.relations(subject);
                // A group is nobody's but its members'.
                let of_conversation = matches!(
                    rule.operation,
                    Operation::AddMember
                        | Operation::RemoveMember
                        | Operation::Leave
                        | Operation::Rename
                        | Operation::Archive
                );
                if subject == Subject::Group && of_conversation {
                    is.retain(|is| {
                        !matches!(is, Relation::UnitStaff | Relation::ChargeNurse | Relation::Administrator)
                    });
                }
                let may = rule.allowed.iter().any(|allowed| is.contains(allowed));
                let what = format!("{actor:?} may {} of a {subject:?}", rule.words);
                // Who may refuse to cover, and does not, is told so.
                let nothing = rule.operation == Operation::RefuseCover
                    && refusal(&turn) == Some(RefusalCode::Availability.as_str_name());
                assert_eq!(is_done(&turn) || nothing, may, "{what}: {:?}", refusal(&turn));
                if !may {
                    let changes = turn.writes.iter().filter(|n| !matches!(n.write, Write::Audited { .. }));
                    assert_eq!(changes.count(), 0, "{what}: a refusal changes nothing");
                    if refusal(&turn) == Some(RefusalCode::NotPermitted.as_str_name()) {
                        assert_eq!(advice(&turn), rule.to_string(), "{what}: by another rule");
                    }
                    use RefusalCode as Code;
                    let only = match actor {
                        Actor::Visitor => Code::FamilyOnly,
                        Actor::Station => Code::StationOnly,
                        _ => Code::NotPermitted,
                    };
                    let known = [only, Code::NotPermitted, Code::NotAdministrator, Code::NoSuchConversation];
                    let known = known.map(|code| code.as_str_name());
                    let code = refusal(&turn);
                    let silent = is.is_empty() && code.is_none();
                    let local =
                        actor == Actor::BoxService && code == Some(Code::UnknownRequest.as_str_name());
                    assert!(
                        silent || local || code.is_some_and(|code| known.contains(&code)),
                        "{what}: {code:?}"
                    );
                }
                tried += 1;
            }
        }
    }
    assert_eq!(tried, ACTORS.len() * (3 * (RULES.len() - OF_STAT.len()) - 1));
}

/// A code for whom a charge nurse may not have one would be a way to more than she has.
#[test]
fn a_charge_nurse_has_no_codes_for_who_has_more_than_she() {
    let mut house = House::new(Subject::Channel);
    let (unit, victim) = (house.unit, house.victim);
    let nurse = Actor::ChargeNurse.conn();
    let code = |house: &mut House| {
        let fresh = house.ward.fresh();
        house.ward.ask(nurse, Ask::IssueJoinCode { person: victim, fresh })
    };
    assert!(is_done(&code(&mut house)), "for her staff");
    let duties =
        |administrator, privacy_officer| Ask::SetDuties { person: victim, administrator, privacy_officer };
    let posts = |post| Ask::SetPost { person: victim, unit, post };
    for (more, less) in [
        (duties(true, false), duties(false, false)),
        (duties(false, true), duties(false, false)),
        (posts(Some(Post::ChargeNurse)), posts(Some(Post::Staff))),
        (posts(None), posts(Some(Post::Staff))),
    ] {
        done(&house.ward.ask(BOX, more));
        assert_eq!(refusal(&code(&mut house)), Some(RefusalCode::NotPermitted.as_str_name()));
        let suspends = Ask::SetStanding { person: victim, suspended: true };
        assert!(!is_done(&house.ward.ask(nurse, suspends)));
        done(&house.ward.ask(BOX, less));
    }
    for _ in 0..2 * limits::JOIN_CODES_OF_PERSON_MAX {
        assert!(is_done(&code(&mut house)));
    }
    let codes = house.ward.relay.state().codes.values();
    let alive = codes.filter(|code| code.person == victim).count();
    assert_eq!(alive, limits::JOIN_CODES_OF_PERSON_MAX, "the oldest end");
}

/// Or she could have a device of anybody's, by placing them in her unit first.
#[test]
fn a_charge_nurse_is_not_the_superior_of_whom_she_placed_herself() {
    let mut house = House::new(Subject::Channel);
    let (unit, victim) = (house.unit, house.victim);
    let nurse = Actor::ChargeNurse.conn();
    let post = |post| Ask::SetPost { person: victim, unit, post };
    done(&house.ward.ask(nurse, post(None)));
    done(&house.ward.ask(nurse, post(Some(Post::Staff))));
    let fresh = house.ward.fresh();
    let code = Ask::IssueJoinCode { person: victim, fresh };
    assert_eq!(refusal(&house.ward.ask(nurse, code)), Some(RefusalCode::NotPermitted.as_str_name()));
    assert!(!is_done(&house.ward.ask(nurse, Ask::SetStanding { person: victim, suspended: true })));
    // Her saying so once more is no more; administration's is.
    assert!(house.ward.ask(nurse, post(Some(Post::Staff))).writes.is_empty());
    let fresh = house.ward.fresh();
    let code = Ask::IssueJoinCode { person: victim, fresh };
    assert!(!is_done(&house.ward.ask(nurse, code)));
    done(&house.ward.ask(BOX, post(Some(Post::Staff))));
    let fresh = house.ward.fresh();
    assert!(is_done(&house.ward.ask(nurse, Ask::IssueJoinCode { person: victim, fresh })));
}

#[test]
fn the_page_shows_the_table() {
    let page = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where"))
        .join("../../docs/access.md");
    let text = std::fs::read_to_string(&page).expect("the page");
    let (begin, end) = ("<!-- table -->\n", "<!-- /table -->");
    let (head, rest) = text.split_once(begin).expect("the table's beginning");
    let (shown, tail) = rest.split_once(end).expect("the table's end");
    if std::env::var("WARDLINE_DOCS").is_ok_and(|wish| wish == "update") {
        let table = access::markdown();
        std::fs::write(&page, format!("{head}{begin}{table}{end}{tail}")).expect("the page is written");
        return;
    }
    assert!(shown == access::markdown(), "the page is old: WARDLINE_DOCS=update writes it anew");
}

fn done(turn: &Turn) {
    assert!(matches!(answer(turn), Body::Done(_)), "{:?}", refusal(turn));
}
