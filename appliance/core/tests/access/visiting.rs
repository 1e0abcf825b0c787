//! Family for the table's test: a patient with a consent and a code, somebody who was let in, and somebody who waits.

use wardline_core::access::Operation;
use wardline_core::escalation::Priority;
use wardline_core::family::{Families, LetIn};
use wardline_core::ids::{Conn, ConversationId, DeviceId, EncounterId, MessageId, Number, PersonId};
use wardline_core::input::{Ask, Call, Submit};
use wardline_core::text::{Grounds, Name, Sealed, Title};
use wardline_core::wire::proto::server_frame::Body;

use super::ward::{Ward, answer};

pub(crate) struct Visiting {
    encounter: EncounterId,
    thread: ConversationId,
    visitor: PersonId,
    waits: DeviceId,
}

impl Visiting {
    /// `nurse` leads the unit; who is let in is delivered to on `conn`.
    pub(crate) fn new(ward: &mut Ward, encounter: EncounterId, nurse: Conn, conn: Conn) -> Self {
        let words = Some(Grounds::parse("The patient, in my presence").expect("grounds"));
        ward.ask(nurse, Ask::Family(Families::SetConsent { encounter, words }));
        let fresh = Some(ward.fresh());
        let code = ward.ask(nurse, Ask::Family(Families::SetCode { encounter, fresh }));
        let Body::BedsideCode(code) = answer(&code) else { panic!("no code") };
        let mut asked = [conn, Conn(103)].map(|conn| {
            let Body::VisitAsked(asked) = answer(&ward.ask_to_visit(conn, &code.code, "Maria Lopez")) else {
                panic!("not asked")
            };
            DeviceId::new(asked.device).expect("a device")
        });
        let device = std::mem::replace(&mut asked[0], DeviceId::new(1).expect("in range"));
        let into = Some(LetIn::New(Title::parse("The daughters").expect("a title")));
        let fresh = ward.fresh();
        let let_in = ward.ask(nurse, Ask::Family(Families::Answer { device, into, until: None, fresh }));
        let Body::VisitAnswered(let_in) = answer(&let_in) else { panic!("not let in") };
        assert!(matches!(answer(&ward.visit(conn, device)), Body::SignedIn(_)));
        ward.ask(conn, Ask::Sync { cursor: Vec::new() });
        Self {
            encounter,
            thread: ConversationId::new(let_in.conversation).expect("a thread"),
            visitor: PersonId::new(let_in.person).expect("a person"),
            waits: asked[1],
        }
    }

    pub(crate) fn request(&self, ward: &mut Ward, operation: Operation) -> Ask {
        let (encounter, person, fresh) = (self.encounter, self.visitor, ward.fresh());
        let until = ward.now.wall.after(3_600_000);
        Ask::Family(match operation {
            Operation::SetFamilyConsent => Families::SetConsent { encounter, words: None },
            Operation::SetFamilyBlock => {
                let name = Name::parse("Viktor Brandt").expect("a name");
                Families::SetBlock { encounter, name, blocked: true }
            }
            Operation::SetBedsideCode => Families::SetCode { encounter, fresh: Some(fresh) },
            Operation::AnswerVisit => {
                Families::Answer { device: self.waits, into: Some(LetIn::Own), until: None, fresh }
            }
            Operation::ProlongVisit => Families::Prolong { person, until },
            Operation::EndVisit => Families::End { person },
            Operation::EndFamilyThread => Families::EndThread { conversation: self.thread },
            Operation::Visit => {
                return Ask::Submit(Submit {
                    number: Number(1),
                    message: MessageId([2; 16]),
                    conversation: self.thread,
                    body: Some(Sealed(vec![0; 40])),
                    priority: Priority::Routine,
                    call: Call::default(),
                    reply_to: None,
                    mentions: Default::default(),
                    attachments: Vec::new(),
                    order: None,
                });
            }
            _ => Families::List { encounter },
        })
    }
}
