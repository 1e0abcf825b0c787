//! Tasks: who has them, what becomes of them, and when they are overdue.

mod ward;

use wardline_core::alteration::Found;
use wardline_core::escalation::{Priority, Reason, StatId};
use wardline_core::ids::{Conn, ConversationId, MessageId, Number, PersonId, Sequence};
use wardline_core::input::{Ask, Call, Submit};
use wardline_core::leaving::Leaving;
use wardline_core::task::{Answer, Assignee, Standing, TaskAsk};
use wardline_core::text::Sealed;
use wardline_core::time::Wall;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, RefusalCode as Code, event::Kind, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, answer, group_of, kept, refusal};

const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);

/// Ana has written to a group of hers with Ben and Chidi what is to be done.
struct House {
    ward: Ward,
    place: ConversationId,
    id: StatId,
    found: Found,
}

impl House {
    fn new() -> Self {
        let mut ward = Ward::new(3);
        let people = ward.people.clone();
        let place = group_of(&ward.open_group(ANA, people[1..].to_vec()));
        let said = ward.ask(
            ANA,
            Ask::Submit(Submit {
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
        );
        let message = said.writes.iter().find_map(kept);
        let found = Found { as_of: ward.relay.state().change, message };
        Self { ward, place, id: StatId { conversation: place, sequence: Sequence(1) }, found }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn give(&mut self, from: Conn, to: Assignee, due: Option<Wall>) -> Turn {
        let ask = TaskAsk::Give { message: self.id, to, due, found: self.found.clone() };
        self.ward.ask(from, Ask::Task(ask))
    }

    fn given_ben(&mut self, due: Option<Wall>) -> Turn {
        let ben = Assignee::Person(self.person(BEN));
        self.give(ANA, ben, due)
    }

    fn says(&mut self, from: Conn, answer: Answer) -> Turn {
        self.ward.ask(from, Ask::Task(TaskAsk::Answer { task: self.id, answer }))
    }

    fn reassigns(&mut self, from: Conn, to: Conn) -> Turn {
        let to = Assignee::Person(self.person(to));
        self.ward.ask(from, Ask::Task(TaskAsk::Reassign { task: self.id, to, due: None }))
    }

    fn standing(&self) -> Option<Standing> {
        self.ward.relay.state().tasks.get(self.id).map(|task| task.standing)
    }

    fn in_minutes(&self, minutes: u64) -> Option<Wall> {
        Some(self.ward.now.wall.after(minutes * 60_000))
    }
}

fn is_refused(turn: &Turn, code: Code) {
    assert_eq!(refusal(turn), Some(code.as_str_name()));
    assert!(!turn.writes.iter().any(|n| matches!(n.write, Write::TaskSet(_))));
}

/// Who hears how a task stands, and who that one is overdue.
fn told(turns: &[Turn]) -> (Vec<Conn>, Vec<Conn>) {
    let (mut stands, mut overdue) = (Vec::new(), Vec::new());
    for send in turns.iter().flat_map(|turn| &turn.sends) {
        match send {
            Send::Fanout { event: wardline_core::turn::Event::Small(kind), conns, .. }
                if matches!(**kind, Kind::Task(_)) =>
            {
                stands.extend(conns.iter().copied());
            }
            Send::Reply { conn, body: Body::TaskOverdue(_), .. } => overdue.push(*conn),
            _ => {}
        }
    }
    stands.sort_unstable();
    overdue.sort_unstable();
    (stands, overdue)
}

#[test]
fn a_task_is_given_taken_and_done_and_everybody_who_reads_it_sees_it() {
    let mut house = House::new();
    let due = house.in_minutes(30);
    let given = house.given_ben(due);
    assert_eq!(told(&[given]).0, [ANA, BEN, CHIDI]);
    // Its answer was lost: the same again is the same, anything else is another task.
    assert!(house.given_ben(due).writes.is_empty());
    is_refused(&house.given_ben(None), Code::TaskThere);
    is_refused(&house.says(CHIDI, Answer::Take), Code::NotPermitted);
    is_refused(&house.says(BEN, Answer::Withdraw), Code::NotPermitted);
    house.says(BEN, Answer::Take);
    assert!(matches!(house.standing(), Some(Standing::Taken { .. })));
    assert!(house.says(BEN, Answer::Take).writes.is_empty());
    let done = house.says(BEN, Answer::Done);
    let (by, at) = (house.person(BEN), house.ward.now.wall);
    let write = done.writes.iter().find_map(|numbered| match &numbered.write {
        Write::TaskSet(task) => Some(task.standing),
        _ => None,
    });
    assert_eq!(write, Some(Standing::Done { by, at }));
    is_refused(&house.says(BEN, Answer::Done), Code::NoSuchTask);
    // What is done is never overdue.
    assert_eq!(told(&house.ward.pass(3_600_000)), (vec![], vec![]));
}

#[test]
fn who_declines_says_why_and_its_author_gives_it_to_somebody_else() {
    let mut house = House::new();
    house.given_ben(None);
    house.says(BEN, Answer::Decline(Reason::Busy));
    assert!(matches!(house.standing(), Some(Standing::Declined { reason: Reason::Busy, .. })));
    is_refused(&house.reassigns(CHIDI, CHIDI), Code::NotPermitted);
    house.reassigns(ANA, CHIDI);
    assert_eq!(house.standing(), Some(Standing::Open));
    is_refused(&house.says(BEN, Answer::Take), Code::NotPermitted);
    house.says(CHIDI, Answer::Take);
    house.says(ANA, Answer::Withdraw);
    assert_eq!(house.standing(), None);
}

#[test]
fn what_nobody_can_do_or_no_time_is_refused() {
    let mut house = House::new();
    let stranger = house.ward.enter_from(Conn(50), wardline_core::input::Zone::Ward);
    is_refused(&house.give(ANA, Assignee::Person(stranger), None), Code::TaskNotReader);
    for due in [house.ward.now.wall, house.ward.now.wall.after(91 * 24 * 3_600_000)] {
        is_refused(&house.given_ben(Some(due)), Code::TaskDue);
    }
    let unit = house.ward.add_unit("Hall A", &[stranger], &[]);
    let role = house.ward.add_role(unit, "Transport", stranger);
    is_refused(&house.give(ANA, Assignee::Role(role), None), Code::TaskRoleUnheld);
    // A newcomer to a group reads nothing from before, and so is given nothing of it.
    house.ward.change(ANA, house.place, &[stranger], &[]);
    is_refused(&house.give(ANA, Assignee::Person(stranger), None), Code::TaskNotReader);
    assert_eq!(house.standing(), None);
}

#[test]
fn it_is_overdue_once_whatever_the_clock_on_the_wall_does() {
    // Back by a day: not later than it was to be by the clock that never steps.
    let mut house = House::new();
    let due = house.in_minutes(30);
    house.given_ben(due);
    house.ward.now.wall = Wall(house.ward.now.wall.0 - 24 * 3_600_000);
    assert_eq!(told(&house.ward.pass(29 * 60_000)), (vec![], vec![]));
    let due = told(&house.ward.pass(2 * 60_000));
    assert_eq!(due, (vec![ANA, BEN, CHIDI], vec![ANA, BEN]));
    assert_eq!(told(&house.ward.pass(24 * 3_600_000)).1, []);
    // On by a day: at the next look.
    let mut house = House::new();
    let due = house.in_minutes(30);
    house.given_ben(due);
    house.ward.now.wall = house.ward.now.wall.after(24 * 3_600_000);
    assert_eq!(told(&house.ward.pass(61_000)).1, [ANA, BEN]);
    // Who has given it to somebody else for another time starts anew; who declined is not reminded.
    let later = house.in_minutes(10);
    let to = Assignee::Person(house.person(CHIDI));
    house.ward.ask(ANA, Ask::Task(TaskAsk::Reassign { task: house.id, to, due: later }));
    house.says(CHIDI, Answer::Decline(Reason::OffDuty));
    assert_eq!(told(&house.ward.pass(11 * 60_000)).1, [ANA]);
}

#[test]
fn a_role_s_task_is_for_whoever_holds_it_and_reads_it() {
    let mut house = House::new();
    let (ben, chidi) = (house.person(BEN), house.person(CHIDI));
    let unit = house.ward.add_unit("Hall A", &[ben, chidi], &[]);
    let role = house.ward.add_role(unit, "Transport", ben);
    house.give(ANA, Assignee::Role(role), None);
    is_refused(&house.says(CHIDI, Answer::Take), Code::NotPermitted);
    house.ward.now.mono = house.ward.now.mono.after(10_000);
    house.ward.take_role(CHIDI, role, None);
    house.says(CHIDI, Answer::Done);
    assert_eq!(house.standing(), None);
}

#[test]
fn who_leaves_leaves_tasks_behind_and_any_reader_may_give_them_on() {
    let mut house = House::new();
    house.given_ben(None);
    let ben = house.person(BEN);
    let turn = house.ward.ask(BOX, Ask::Leaving(Leaving::Suspend { person: ben }));
    let Body::Suspended(left) = answer(&turn) else { panic!("not suspended") };
    let wanted = proto::LeftTask {
        conversation: house.place.value(),
        sequence: 1,
        due: 0,
        overdue: false,
        successor: house.person(ANA).value(),
    };
    assert!(left.tasks == [wanted]);
    assert_eq!(house.standing(), Some(Standing::Open), "it stays");
    house.reassigns(CHIDI, CHIDI);
    house.says(CHIDI, Answer::Done);
    assert_eq!(house.standing(), None);
}

#[test]
fn it_goes_with_its_message() {
    let mut house = House::new();
    house.given_ben(None);
    let message = house.id;
    let recall = Ask::Recall { message, found: house.found.clone() };
    assert!(refusal(&house.ward.ask(ANA, recall)).is_none());
    assert_eq!(house.standing(), None);
    is_refused(&house.given_ben(None), Code::MessageRecalled);
    let mut house = House::new();
    house.given_ben(None);
    house.ward.ask(BOX, Ask::PurgeConversation { conversation: house.place });
    assert_eq!(house.standing(), None);
}
