//! Orders by text, told as stories: who gives them, what is read back, and what keeps them.

mod ward;

use wardline_core::access::Operation;
use wardline_core::alteration::{Edit, Found, Kept};
use wardline_core::audit::Act;
use wardline_core::care::TeamChange;
use wardline_core::clinical::{Admission, Clinical};
use wardline_core::escalation::StatId;
use wardline_core::hold;
use wardline_core::ids::{
    Conn, ConversationId, EditId, EncounterId, MessageId, Number, PersonId, RoleId, Sequence, UnitId,
};
use wardline_core::input::{Ask, Input, Submit};
use wardline_core::limits;
use wardline_core::order::signed::{Deed, Said, SignedDeed};
use wardline_core::order::{Order, OrderAsk, Sort, Standing, Whose};
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::restriction::Restrict;
use wardline_core::text::{Name, Sealed};
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire::proto::{self, RefusalCode as Code, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, acts, answer, refusal};

/// Ana holds "physician on call" of the unit; Ben and Chidi nurse the patient; Dana leads the unit and is not in the thread.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);
/// Works elsewhere.
const EMIL: Conn = Conn(5);

struct Night {
    ward: Ward,
    unit: UnitId,
    role: RoleId,
    stay: EncounterId,
    thread: ConversationId,
    said: u64,
}

impl Night {
    /// With orders by text of whoever is physician on call.
    fn new() -> Self {
        let mut night = Self::off();
        assert_eq!(refusal(&night.policy(BOX, Some(vec![night.role]))), None);
        night
    }

    /// As it is by default.
    fn off() -> Self {
        let mut ward = Ward::new(5);
        let [ana, ben, chidi, dana, _] = ward.people[..] else { panic!("five people") };
        let unit = ward.add_unit("4 West", &[ana, ben, chidi], &[dana]);
        let role = ward.add_role(unit, "Physician on call", ana);
        let record = RecordNumber::parse("00123").expect("a number");
        let particulars = Particulars {
            record: record.clone(),
            name: Name::parse("Rosa Diaz").expect("a name"),
            birth: BirthDate::parse("1947-03-09").expect("a day"),
            sex: Sex::Female,
        };
        let (bed, fresh) = (Bed::parse("A-1").expect("a bed"), ward.fresh());
        let admission = Admission { record, new: Some(particulars), unit, bed, attending: None, fresh };
        let Body::Admitted(admitted) = answer(&ward.ask(BOX, Ask::Clinical(Clinical::Admit(admission))))
        else {
            panic!("not admitted")
        };
        let stay = EncounterId::new(admitted.encounter).expect("a stay");
        let change = TeamChange { add: vec![ana, ben, chidi], until: None, remove: vec![] };
        let team = Ask::Clinical(Clinical::ChangeCareTeam { encounter: stay, change });
        assert_eq!(refusal(&ward.ask(DANA, team)), None);
        let thread = ConversationId::new(admitted.conversation).expect("a thread");
        Self { ward, unit, role, stay, thread, said: 0 }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn policy(&mut self, from: Conn, roles: Option<Vec<RoleId>>) -> Turn {
        let unit = Some(self.unit);
        self.ward.ask(from, Ask::Order(OrderAsk::SetPolicy { unit, roles }))
    }

    fn message(&mut self, deed: Option<Said>) -> Submit {
        self.said += 1;
        Submit {
            number: Number(self.said),
            message: MessageId([self.said as u8; 16]),
            conversation: self.thread,
            body: Some(Sealed(vec![0; 40])),
            priority: Default::default(),
            call: Default::default(),
            reply_to: None,
            mentions: Default::default(),
            attachments: vec![],
            order: deed,
        }
    }

    fn say(&mut self, from: Conn, deed: Deed) -> Turn {
        let message = self.message(Some(Said::Unsigned(deed)));
        self.ward.ask(from, Ask::Submit(message))
    }

    /// Ana orders something of whoever reads it back: the first message.
    fn given(&mut self) -> StatId {
        let turn = self.say(ANA, Deed::Give { to: None });
        assert_eq!(refusal(&turn), None);
        let sequence = self.ward.relay.state().conversations[&self.thread].last;
        StatId { conversation: self.thread, sequence }
    }

    /// And Ben reads it back.
    fn read_back(&mut self) -> (StatId, Sequence) {
        let order = self.given();
        let turn = self.say(BEN, Deed::ReadBack { of: order.sequence });
        assert_eq!(refusal(&turn), None);
        (order, order.sequence.next())
    }

    fn answers(&mut self, from: Conn, order: StatId, deed: Deed) -> Turn {
        self.ward.ask(from, Ask::Order(OrderAsk::Answer { order, said: Said::Unsigned(deed) }))
    }

    fn confirmed(&mut self) -> StatId {
        let (order, read_back) = self.read_back();
        let turn = self.answers(ANA, order, Deed::Confirm { of: order.sequence, read_back });
        assert_eq!(refusal(&turn), None);
        order
    }

    fn files(&mut self, from: Conn, order: StatId) -> Turn {
        self.ward.ask(from, Ask::Order(OrderAsk::File { order }))
    }

    fn order(&self, id: StatId) -> Option<&Order> {
        self.ward.relay.state().orders.get(id)
    }

    /// How many orders somebody is shown.
    fn listed(&mut self, from: Conn, whose: Whose) -> usize {
        let Body::OrderPage(page) =
            answer(&self.ward.ask(from, Ask::Order(OrderAsk::List { whose, after: None })))
        else {
            panic!("no page")
        };
        page.orders.len()
    }
}

fn is_refused(turn: &Turn, code: Code) {
    assert_eq!(refusal(turn), Some(code.as_str_name()));
    assert!(
        !turn.writes.iter().any(|n| !matches!(n.write, Write::Audited { .. })),
        "a refusal changes nothing"
    );
}

fn kept(turn: &Turn) -> Vec<&SignedDeed> {
    let kept = turn.writes.iter().filter_map(|numbered| match &numbered.write {
        Write::OrderSigned(deed) => Some(&**deed),
        _ => None,
    });
    kept.collect()
}

#[test]
fn an_order_is_given_read_back_confirmed_and_filed() {
    let mut night = Night::new();
    let to = Some(night.person(BEN));
    let turn = night.say(ANA, Deed::Give { to });
    let order = StatId { conversation: night.thread, sequence: Sequence(1) };
    assert!(acts(&turn).contains(&Act::OrderGiven(night.thread, Sequence(1))));
    let [given] = kept(&turn)[..] else { panic!("one") };
    assert_eq!(
        (given.deed, given.person, given.said),
        (Deed::Give { to }, night.person(ANA), Some(Sequence(1)))
    );
    let stands = night.order(order).expect("an order");
    assert_eq!((stands.sort, stands.to, stands.standing), (Sort::New, to, Standing::Given));
    // It is Ben's to read back.
    let of = order.sequence;
    is_refused(&night.say(CHIDI, Deed::ReadBack { of }), Code::NotPermitted);
    assert_eq!(kept(&night.say(BEN, Deed::ReadBack { of })).len(), 1);
    let read_back = Sequence(2);
    let stands = night.order(order).expect("an order").standing;
    assert!(matches!(stands, Standing::ReadBack(r) if (r.by, r.message) == (night.person(BEN), read_back)));
    is_refused(&night.files(BEN, order), Code::OrderStands);
    is_refused(&night.answers(BEN, order, Deed::Confirm { of, read_back }), Code::NotPermitted);
    let confirm = Deed::Confirm { of, read_back };
    assert_eq!(kept(&night.answers(ANA, order, confirm)).len(), 1);
    assert!(night.answers(ANA, order, confirm).writes.is_empty(), "said again because the answer was lost");
    is_refused(&night.answers(ANA, order, Deed::Wrong { of, read_back }), Code::OrderStands);
    assert_eq!((night.listed(BEN, Whose::Mine), night.listed(DANA, Whose::Mine)), (1, 0));
    let turn = night.files(BEN, order);
    assert_eq!(acts(&turn), [Act::OrderFiled(night.thread, of)]);
    assert!(night.order(order).is_none());
    assert_eq!(night.listed(BEN, Whose::Mine), 0);
    is_refused(&night.files(BEN, order), Code::NoSuchOrder);
}

#[test]
fn what_is_read_back_wrong_is_read_back_again_or_replaced() {
    let mut night = Night::new();
    let (order, read_back) = night.read_back();
    let of = order.sequence;
    // Nobody else reads it back meanwhile.
    is_refused(&night.say(CHIDI, Deed::ReadBack { of }), Code::OrderStands);
    assert_eq!(refusal(&night.answers(ANA, order, Deed::Wrong { of, read_back })), None);
    assert_eq!(refusal(&night.say(CHIDI, Deed::ReadBack { of })), None);
    // Of what was read back first nothing is confirmed any more.
    is_refused(&night.answers(ANA, order, Deed::Confirm { of, read_back }), Code::OrderStands);
    let turn = night.say(ANA, Deed::Correct { of, to: None });
    let corrected = Sequence(4);
    assert_eq!(
        acts(&turn)[1..],
        [Act::OrderGiven(night.thread, corrected), Act::OrderReplaced(night.thread, of, corrected)]
    );
    assert_eq!(night.order(order).expect("kept").replaced, Some(corrected));
    for deed in [Deed::ReadBack { of }, Deed::Cancel { of, to: None }, Deed::Correct { of, to: None }] {
        let from = if matches!(deed, Deed::ReadBack { .. }) { CHIDI } else { ANA };
        is_refused(&night.say(from, deed), Code::OrderStands);
    }
    is_refused(&night.answers(ANA, order, Deed::Confirm { of, read_back: Sequence(3) }), Code::OrderStands);
    // Both go into the record.
    assert_eq!(refusal(&night.files(ANA, order)), None);
    let correction = StatId { conversation: night.thread, sequence: corrected };
    let stands = night.order(correction).expect("kept");
    assert_eq!((stands.sort, stands.of), (Sort::Correction, Some(of)));
    is_refused(&night.files(ANA, correction), Code::OrderStands);
}

#[test]
fn orders_are_off_until_roles_are_listed_and_count_for_whoever_holds_one() {
    let mut night = Night::off();
    let give = Deed::Give { to: None };
    is_refused(&night.say(ANA, give), Code::OrdersOff);
    is_refused(&night.policy(DANA, Some(vec![night.role])), Code::NotAdministrator);
    is_refused(&night.policy(BOX, RoleId::new(7).map(|role| vec![role])), Code::NoSuchRole);
    assert_eq!(refusal(&night.policy(BOX, Some(vec![night.role]))), None);
    assert!(night.policy(BOX, Some(vec![night.role])).writes.is_empty(), "as it was");
    assert_eq!(refusal(&night.say(BEN, give)), Some(Code::NotPermitted.as_str_name()));
    assert_eq!(refusal(&night.say(ANA, give)), None);
    // Nobody of the unit makes themselves somebody who may order.
    is_refused(&night.ward.take_role(BEN, night.role, None), Code::NotPermitted);
    // Ben is given the role for an hour; what Ana gave stays hers.
    let ben = night.person(BEN);
    assert_eq!(refusal(&night.ward.take_role(DANA, night.role, Some(ben))), None);
    is_refused(&night.say(ANA, give), Code::NotPermitted);
    assert_eq!(refusal(&night.say(BEN, give)), None);
    assert_eq!(refusal(&night.say(CHIDI, Deed::ReadBack { of: Sequence(1) })), None);
    let order = StatId { conversation: night.thread, sequence: Sequence(1) };
    let confirm = Deed::Confirm { of: order.sequence, read_back: Sequence(3) };
    assert_eq!(refusal(&night.answers(ANA, order, confirm)), None);
    assert_eq!(refusal(&night.policy(BOX, None)), None);
    is_refused(&night.say(BEN, give), Code::OrdersOff);
}

/// What they took while it was not listed, nobody gave them.
#[test]
fn whoever_had_taken_a_role_for_themselves_does_not_order_once_it_is_listed() {
    let mut night = Night::off();
    assert_eq!(refusal(&night.ward.take_role(BEN, night.role, None)), None);
    assert_eq!(refusal(&night.policy(BOX, Some(vec![night.role]))), None);
    let give = Deed::Give { to: None };
    is_refused(&night.say(BEN, give), Code::NotPermitted);
    assert_eq!(refusal(&night.say(ANA, give)), None, "whom the rota names");
    // What a charge nurse gives from then on stays, whatever is listed besides.
    let ben = night.person(BEN);
    assert_eq!(refusal(&night.ward.take_role(DANA, night.role, Some(ben))), None);
    let other = night.ward.add_role(night.unit, "Charge physician", ben);
    assert_eq!(refusal(&night.policy(BOX, Some(vec![night.role, other]))), None);
    assert_eq!(refusal(&night.say(BEN, give)), None);
}

#[test]
fn an_order_is_nowhere_but_in_a_patients_thread_and_is_text_alone() {
    let mut night = Night::new();
    let people = vec![night.person(BEN)];
    let place = ward::group_of(&night.ward.open_group(ANA, people));
    let said = night.message(Some(Said::Unsigned(Deed::Give { to: None })));
    is_refused(&night.ward.ask(ANA, Ask::Submit(Submit { conversation: place, ..said })), Code::OrderNotHere);
    for to in [night.person(ANA), night.person(EMIL)] {
        is_refused(&night.say(ANA, Deed::Give { to: Some(to) }), Code::OrderReceiver);
    }
    is_refused(&night.say(BEN, Deed::ReadBack { of: Sequence(1) }), Code::NoSuchOrder);
}

#[test]
fn what_is_unsigned_or_signed_about_something_else_is_refused() {
    let mut night = Night::new();
    let give = Deed::Give { to: None };
    let unsigned = night.message(Some(Said::Unsigned(give)));
    is_refused(&night.ward.ask_as_it_is(ANA, Ask::Submit(unsigned)), Code::OrderUnsigned);
    // Ben's device, another message, another conversation.
    let elsewhere = ConversationId::new(77).expect("a conversation");
    for (by, conversation, name) in
        [(BEN, night.thread, [9; 16]), (ANA, night.thread, [8; 16]), (ANA, elsewhere, [9; 16])]
    {
        let said = night.ward.signed_order(by, conversation, Some(MessageId(name)), give);
        let message = Submit { message: MessageId([9; 16]), ..night.message(Some(said)) };
        is_refused(&night.ward.ask_as_it_is(ANA, Ask::Submit(message)), Code::OrderUnsigned);
    }
    let (order, read_back) = night.read_back();
    let said =
        night.ward.signed_order(BEN, night.thread, None, Deed::Confirm { of: order.sequence, read_back });
    is_refused(
        &night.ward.ask_as_it_is(ANA, Ask::Order(OrderAsk::Answer { order, said })),
        Code::OrderUnsigned,
    );
}

/// Whoever answers for the unit files what the two have left open, and somebody who is out of the thread need not read it back.
#[test]
fn a_charge_nurse_files_what_is_not_settled_and_the_team_reads_back_for_whoever_is_gone() {
    let mut night = Night::new();
    let to = Some(night.person(BEN));
    assert_eq!(refusal(&night.say(ANA, Deed::Give { to })), None);
    let order = StatId { conversation: night.thread, sequence: Sequence(1) };
    is_refused(&night.files(CHIDI, order), Code::NotPermitted);
    is_refused(&night.files(EMIL, order), Code::NoSuchConversation);
    let change = TeamChange { add: vec![], until: None, remove: vec![night.person(BEN)] };
    let out = Ask::Clinical(Clinical::ChangeCareTeam { encounter: night.stay, change });
    assert_eq!(refusal(&night.ward.ask(DANA, out)), None);
    assert_eq!(refusal(&night.say(CHIDI, Deed::ReadBack { of: order.sequence })), None);
    let unit = Whose::Unit(night.unit);
    assert_eq!((night.listed(DANA, unit), night.listed(BOX, unit)), (1, 1));
    is_refused(
        &night.ward.ask(CHIDI, Ask::Order(OrderAsk::List { whose: unit, after: None })),
        Code::NotPermitted,
    );
    assert_eq!(refusal(&night.files(DANA, order)), None);
    let next = night.given();
    assert_eq!(refusal(&night.files(BOX, next)), None, "a service of the box");
    assert!(Operation::FileOrder.rule().to_string().contains("charge nurse"));
}

#[test]
fn neither_an_order_nor_its_read_back_is_edited_or_recalled() {
    let mut night = Night::new();
    let order = night.confirmed();
    night.files(ANA, order);
    let as_of = night.ward.relay.state().change;
    let device = |night: &Night, conn: Conn| {
        let person = night.person(conn);
        let devices = &night.ward.relay.state().devices;
        devices.values().find(|device| device.person == person).expect("a device").id
    };
    for (from, sequence) in [(ANA, Sequence(1)), (BEN, Sequence(2))] {
        let message = Some(Kept {
            change: as_of,
            id: MessageId([sequence.0 as u8; 16]),
            sender: night.person(from),
            device: device(&night, from),
            at: night.ward.now.wall,
            priority: Default::default(),
            reply_to: None,
            mentions: Vec::new(),
            standing: Default::default(),
            reactions: Default::default(),
            is_order: true,
        });
        let found = Found { as_of, message };
        let (conversation, name, body) = (night.thread, EditId([7; 16]), Some(Sealed(vec![0; 40])));
        let edit = Edit { conversation, sequence, version: 1, name, body, found: found.clone() };
        let recall = Ask::Recall { message: StatId { conversation, sequence }, found };
        is_refused(&night.ward.ask(from, Ask::Edit(edit)), Code::OrderAsSent);
        is_refused(&night.ward.ask(from, recall), Code::OrderAsSent);
    }
}

/// Whatever retention says, and whoever purges.
#[test]
fn what_is_not_filed_is_neither_purged_nor_expired() {
    let mut night = Night::new();
    let order = night.confirmed();
    let purge = Ask::PurgeConversation { conversation: night.thread };
    is_refused(
        &night.ward.ask(BOX, Ask::PurgeConversation { conversation: night.thread }),
        Code::OrdersUnfiled,
    );
    let (conversation, last) = (night.thread, Sequence(2));
    let aged = || Input::Aged { conversation, read_through: last, any_through: last };
    assert!(night.ward.handle(aged()).writes.is_empty());
    assert!(!hold::keeps(night.ward.relay.state(), conversation), "by no hold");
    // A later one keeps what follows it, and nothing before.
    let next = night.given();
    assert_eq!(next.sequence, Sequence(3));
    night.files(ANA, order);
    let turn = night.ward.handle(Input::Aged {
        conversation,
        read_through: next.sequence,
        any_through: next.sequence,
    });
    assert!(
        turn.writes
            .iter()
            .any(|n| { matches!(n.write, Write::MessagesExpired { through, .. } if through == last) })
    );
    is_refused(
        &night.ward.ask(BOX, Ask::PurgeConversation { conversation: night.thread }),
        Code::OrdersUnfiled,
    );
    night.files(DANA, next);
    assert_eq!(refusal(&night.ward.ask(BOX, purge)), None);
}

#[test]
fn an_order_is_read_back_so_often_and_no_more() {
    let mut night = Night::new();
    let order = night.given();
    let of = order.sequence;
    for _ in 0..limits::READ_BACKS_MAX {
        assert_eq!(refusal(&night.say(BEN, Deed::ReadBack { of })), None);
        let read_back = night.ward.relay.state().conversations[&night.thread].last;
        assert_eq!(refusal(&night.answers(ANA, order, Deed::Wrong { of, read_back })), None);
        night.ward.now.mono = night.ward.now.mono.after(2_000);
    }
    is_refused(&night.say(BEN, Deed::ReadBack { of }), Code::OrdersMany);
    assert_eq!(refusal(&night.say(ANA, Deed::Cancel { of, to: None })), None);
}

/// Who comes into the thread is told what waits there, with the conversation.
#[test]
fn whoever_comes_in_sees_what_is_not_filed() {
    let mut night = Night::new();
    night.read_back();
    let change = TeamChange { add: vec![night.person(EMIL)], until: None, remove: vec![] };
    let team = Ask::Clinical(Clinical::ChangeCareTeam { encounter: night.stay, change });
    let turn = night.ward.ask(DANA, team);
    let [order] = introduced_with(&turn, EMIL)[..] else { panic!("one") };
    assert!((order.sequence, order.state()) == (1, proto::OrderState::ReadBack));
}

/// Of several who come back at once the first is suspended, who may read nothing.
#[test]
fn whoever_comes_back_beside_somebody_suspended_sees_what_is_not_filed() {
    let mut night = Night::new();
    night.read_back();
    let dana = night.person(DANA);
    let (encounter, alias) = (night.stay, Some(Name::parse("Blue Heron").expect("a name")));
    let restrict = Restrict { encounter, alias, add: vec![dana], remove: vec![] };
    assert_eq!(refusal(&night.ward.ask(BOX, Ask::Clinical(Clinical::Restrict(restrict)))), None);
    let leaves = Ask::SetStanding { person: night.person(ANA), suspended: true };
    assert_eq!(refusal(&night.ward.ask(BOX, leaves)), None);
    let lift = Clinical::LiftRestriction { encounter };
    let turn = night.ward.ask(BOX, Ask::Clinical(lift));
    assert_eq!(introduced_with(&turn, BEN).len(), 1, "of {:?}", refusal(&turn));
}

/// The orders that come with a conversation to this connection.
fn introduced_with(turn: &Turn, to: Conn) -> Vec<proto::Order> {
    let told = turn.sends.iter().find_map(|send| match send {
        Send::Fanout { event: Event::Small(kind), conns, .. } if conns.contains(&to) => match &**kind {
            proto::event::Kind::Conversation(told) => Some(told.orders.clone()),
            _ => None,
        },
        _ => None,
    });
    told.expect("the conversation")
}
