//! STAT, told as stories; and every operation on it by every kind of actor. The simulation has the rest: this is what a
//! reader wants to see happen.

mod ward;

use wardline_core::access::{Operation, Relation};
use wardline_core::availability::AvailabilityAsk;
use wardline_core::escalation::policy::{Dial, EscalationPolicy, Ring};
use wardline_core::escalation::{Priority, Reason, Stage, StatId};
use wardline_core::grant::Right;
use wardline_core::ids::{Conn, ConversationId, MessageId, Number, PersonId, Sequence, UnitId};
use wardline_core::input::{Ask, Call, Input, Submit, Zone};
use wardline_core::limits;
use wardline_core::relay::Relay;
use wardline_core::stat::Answer;
use wardline_core::stat::load::Span;
use wardline_core::state::Restored;
use wardline_core::text::{Name, Sealed};
use wardline_core::time::Wall;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::write::Write;

use ward::{BOX, HAVE_IT, OF_STAT, Ward, answer, cannot, group_of, note, refusal};

/// Ana sends, Ben is called, Chidi is in the conversation too, Dana leads the unit, Emeka works there.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);
const EMEKA: Conn = Conn(5);
/// Works elsewhere.
const FARAH: Conn = Conn(6);
const GORAN: Conn = Conn(7);
const DESK: Conn = Conn(50);

struct Shift {
    ward: Ward,
    unit: UnitId,
    place: ConversationId,
    numbers: u64,
}

impl Shift {
    fn new() -> Self {
        let mut ward = Ward::new(7);
        let [ana, ben, chidi, dana, emeka, farah, _] = ward.people[..] else { panic!("seven people") };
        let unit = ward.add_unit("4 West", &[ana, ben, chidi, emeka], &[dana]);
        ward.add_unit("Hall B", &[farah], &[]);
        ward.enter_station(DESK, unit);
        let place = group_of(&ward.open_group(ANA, vec![ben, chidi]));
        Self { ward, unit, place, numbers: 0 }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn submit(&mut self, from: Conn, priority: Priority, call: Call) -> Turn {
        self.numbers += 1;
        let (number, body) = (Number(self.numbers), Some(Sealed(vec![0; 40])));
        let (message, conversation) = (MessageId([self.numbers as u8; 16]), self.place);
        let (reply_to, mentions, attachments) = Default::default();
        let submit = Submit {
            number,
            message,
            conversation,
            body,
            priority,
            call,
            reply_to,
            mentions,
            attachments,
            order: None,
        };
        self.ward.ask(from, Ask::Submit(submit))
    }

    /// Ana calls Ben.
    fn stat(&mut self) -> StatId {
        let call = Call { ring: vec![self.person(BEN)], unit: None };
        let turn = self.submit(ANA, Priority::Stat, call);
        assert!(turn.sends.iter().any(|send| matches!(send, Send::Accepted(_))), "{:?}", refusal(&turn));
        let sequence = self.ward.relay.state().conversations[&self.place].last;
        StatId { conversation: self.place, sequence }
    }

    fn answer(&mut self, from: Conn, stat: StatId, answer: Answer) -> Turn {
        self.ward.ask(from, Ask::AnswerStat { stat, answer })
    }

    fn stage(&self, stat: StatId) -> Option<Stage> {
        self.ward.relay.state().escalations.get(&stat).map(|open| open.stage)
    }

    fn step(&self, stat: StatId) -> Option<u8> {
        self.stage(stat).and_then(Stage::step)
    }

    /// The apps of all these people stay open for so long.
    fn pass_with_open(&mut self, conns: &[Conn], ms: u64) {
        let mut left = ms;
        while left > 0 {
            for conn in conns {
                self.ward.ask(*conn, Ask::Here);
            }
            let some = left.min(limits::HERE_MS);
            self.ward.pass(some);
            left -= some;
        }
    }
}

/// Where it rings, and how.
fn rings(turn: &Turn) -> Vec<(Conn, &'static str)> {
    let ring = |send: &Send| match send {
        Send::Reply { conn, body: Body::Ring(ring), .. } => Some((*conn, ring.state().as_str_name())),
        _ => None,
    };
    let mut rings: Vec<_> = turn.sends.iter().filter_map(ring).collect();
    rings.sort_unstable();
    rings
}

fn silenced(turn: &Turn) -> Vec<Conn> {
    let silence = |send: &Send| match send {
        Send::Reply { conn, body: Body::Silence(_), .. } => Some(*conn),
        _ => None,
    };
    turn.sends.iter().filter_map(silence).collect()
}

const RINGING: &str = "ESCALATION_STATE_RINGING";
const ACCEPTED: &str = "ESCALATION_STATE_ACCEPTED";

#[test]
fn nobody_answers_so_the_next_is_called_and_in_the_end_the_station_screen() {
    let mut shift = Shift::new();
    let stat = shift.stat();
    shift.pass_with_open(&[BEN, DANA, EMEKA], 59_999);
    assert_eq!(shift.step(stat), Some(0), "Ben has a minute");
    let turns = shift.ward.pass(1);
    assert_eq!(shift.step(stat), Some(1));
    assert_eq!(rings(&turns[0]), [(BEN, RINGING), (DANA, RINGING)], "it goes on ringing for Ben");
    shift.pass_with_open(&[BEN, DANA, EMEKA], 60_000);
    assert_eq!(shift.step(stat), Some(2), "then everybody of the unit, Ana who sent it excepted");
    shift.pass_with_open(&[BEN, DANA, EMEKA], 119_999);
    let turns = shift.ward.pass(1);
    assert_eq!(shift.step(stat), Some(3));
    assert_eq!(rings(&turns[0]), [BEN, CHIDI, DANA, EMEKA, DESK].map(|conn| (conn, RINGING)));
    assert_eq!(shift.ward.pass(86_400_000).iter().map(|turn| rings(turn).len()).sum::<usize>(), 0);
    assert_eq!(shift.step(stat), Some(3), "the screens ring without end");
    let turn = shift.answer(EMEKA, stat, HAVE_IT);
    let mut silent = silenced(&turn);
    silent.sort_unstable();
    assert_eq!(silent, [BEN, CHIDI, DANA, EMEKA, DESK], "and it is silent everywhere at once");
}

#[test]
fn a_step_at_which_nobody_can_be_reached_is_passed_over_within_five_seconds() {
    let mut shift = Shift::new();
    shift.ward.pass(limits::REACHABLE_MS + 1);
    shift.ward.ask(EMEKA, Ask::Here);
    let stat = shift.stat();
    shift.ward.pass(4_999);
    assert_eq!(shift.step(stat), Some(1), "Ben's connection is open, and his app is not in front of him");
    shift.ward.ask(EMEKA, Ask::Here);
    shift.ward.pass(4_999);
    assert_eq!(shift.step(stat), Some(2), "nor is Dana's");
    shift.pass_with_open(&[EMEKA], 60_000);
    assert_eq!(shift.step(stat), Some(2), "Emeka's is");
    shift.ward.pass(limits::REACHABLE_MS + limits::REACHABLE_LOOK_MS);
    assert_eq!(shift.step(stat), Some(3), "until it is put away");
}

/// `ClosedAfterADay` in the simulation.
#[test]
fn what_was_answered_a_day_ago_is_closed_and_nobody_hands_it_back() {
    let mut shift = Shift::new();
    let stat = shift.stat();
    shift.answer(BEN, stat, HAVE_IT);
    shift.ward.pass(limits::STAT_ANSWERED_KEPT_MS - 1);
    assert!(matches!(shift.stage(stat), Some(Stage::Accepted { .. })), "until then it can be handed back");
    // With what has expired, which is looked for from time to time.
    shift.ward.pass(3_600_000);
    assert_eq!(shift.stage(stat), None);
}

#[test]
fn before_it_is_sent_its_author_sees_who_can_be_reached_and_what_follows() {
    let mut shift = Shift::new();
    shift.ward.pass(limits::REACHABLE_MS + 1);
    shift.ward.ask(BEN, Ask::Here);
    shift.ward.handle(Input::Closed { conn: CHIDI });
    shift.ward.ask(DESK, Ask::Here);
    shift.ward.pass(8_000);
    let (conversation, call) = (shift.place, Call::default());
    let Body::Prospect(prospect) = answer(&shift.ward.ask(ANA, Ask::Prospect { conversation, call })) else {
        panic!("no prospect")
    };
    let seen: Vec<_> =
        prospect.called.iter().map(|one| (one.person, one.reach().as_str_name(), one.heard_ago)).collect();
    let (ben, chidi) = (shift.person(BEN).value(), shift.person(CHIDI).value());
    let mut wanted = [
        (ben, "REACH_APP_OPEN", Some(8_000)),
        (chidi, "REACH_UNREACHABLE", seen.iter().find(|one| one.0 == chidi).and_then(|one| one.2)),
    ];
    wanted.sort_unstable_by_key(|one| one.0);
    assert_eq!(seen, wanted);
    assert_eq!(prospect.unit, shift.unit.value());
    let follows: Vec<_> = prospect.steps.iter().map(|step| (step.people, step.reachable)).collect();
    assert_eq!(follows, [(1, 0), (4, 1)], "Dana; then Ben, Chidi, Dana and Emeka");
    assert_eq!((prospect.stations, prospect.stations_reachable), (1, 1));
    assert!(shift.ward.relay.state().escalations.is_empty(), "a look changes nothing");
}

#[test]
fn coming_holds_it_for_a_minute_and_no_longer() {
    let mut shift = Shift::new();
    let stat = shift.stat();
    shift.pass_with_open(&[BEN], 30_000);
    let turn = shift.answer(BEN, stat, Answer::Coming);
    assert_eq!(rings(&turn), [(BEN, "ESCALATION_STATE_HELD")], "shown as held");
    shift.ward.pass(59_999);
    assert!(matches!(shift.stage(stat), Some(Stage::Held { .. })));
    shift.ward.ask(BEN, Ask::Here);
    shift.ward.pass(1);
    assert!(matches!(shift.stage(stat), Some(Stage::Ringing { step: 0, .. })), "nothing came of it");
    assert_eq!(refusal(&shift.answer(BEN, stat, Answer::Coming)), Some("REFUSAL_CODE_HELD_BEFORE"));
    shift.pass_with_open(&[BEN], 30_000);
    assert_eq!(shift.step(stat), Some(1), "half of the step was over when it was held");
}

#[test]
fn one_tap_on_a_locked_phone_says_coming_and_nothing_else() {
    let mut shift = Shift::new();
    let policy =
        wardline_core::policy::Policy { idle_lock_ms: 60_000, ..wardline_core::policy::Policy::default() };
    let restored = restored(&shift.ward.relay);
    shift.ward.relay = Relay::new(shift.ward.now, policy, &[7; 32], restored).expect("the store");
    shift.ward.relay.handle(
        shift.ward.now,
        Input::Connected {
            conn: BOX,
            door: wardline_core::input::Door::Local,
            source: wardline_core::input::Source(0),
        },
    );
    let newcomers =
        [shift.ward.enter_from(Conn(20), Zone::Ward), shift.ward.enter_from(Conn(21), Zone::Ward)];
    shift.place = group_of(&shift.ward.open_group(Conn(20), vec![newcomers[1]]));
    shift.ward.pass(59_000);
    shift.ward.ask(Conn(20), Ask::Active);
    shift.ward.pass(1_001);
    shift.numbers = 0;
    let call = Call::default();
    let turn = shift.submit(Conn(20), Priority::Stat, call);
    let stat = StatId { conversation: shift.place, sequence: Sequence(1) };
    assert_eq!(rings(&turn), [(Conn(21), RINGING)], "a locked phone rings");
    for answer in [HAVE_IT, cannot(Reason::Busy), Answer::Close, Answer::HandBack] {
        assert_eq!(
            refusal(&shift.answer(Conn(21), stat, answer.clone())),
            Some("REFUSAL_CODE_LOCKED"),
            "{answer:?}"
        );
    }
    assert_eq!(refusal(&shift.ward.ask(Conn(21), Ask::ReadStat { stat })), Some("REFUSAL_CODE_LOCKED"));
    let turn = shift.answer(Conn(21), stat, Answer::Coming);
    assert_eq!(refusal(&turn), None);
    assert!(matches!(shift.stage(stat), Some(Stage::Held { by, .. }) if by == newcomers[1]));
}

#[test]
fn the_last_of_a_step_says_cannot_and_it_goes_on_at_once() {
    let mut shift = Shift::new();
    let stat = shift.stat();
    let turn = shift.answer(BEN, stat, cannot(Reason::Busy));
    assert_eq!(shift.step(stat), Some(1));
    assert_eq!(silenced(&turn), [BEN]);
    assert_eq!(rings(&turn), [(DANA, RINGING)], "no more for Ben");
    shift.answer(DANA, stat, cannot(Reason::Busy));
    shift.answer(EMEKA, stat, cannot(Reason::OffDuty));
    assert_eq!(shift.step(stat), Some(2), "Chidi is left");
    let turn = shift.answer(CHIDI, stat, cannot(Reason::Other));
    assert_eq!(shift.step(stat), Some(3));
    assert_eq!(rings(&turn), [(DESK, RINGING)], "nobody is left but the screen");
}

#[test]
fn an_answer_and_the_end_of_a_step_in_one_moment_are_decided_by_their_order() {
    let mut shift = Shift::new();
    let stat = shift.stat();
    shift.pass_with_open(&[BEN, DANA], 60_000);
    assert_eq!(shift.step(stat), Some(1), "the step was over first");
    shift.answer(BEN, stat, HAVE_IT);
    assert!(
        matches!(shift.stage(stat), Some(Stage::Accepted { .. })),
        "and Ben's answer counts all the same"
    );
    assert_eq!(refusal(&shift.answer(DANA, stat, HAVE_IT)), Some("REFUSAL_CODE_STAT_TAKEN"));
    assert!(shift.ward.pass(3_600_000).iter().all(|turn| rings(turn).is_empty()), "nothing rings after it");
}

#[test]
fn what_is_handed_back_or_whose_holder_is_suspended_rings_again() {
    let mut shift = Shift::new();
    let stat = shift.stat();
    shift.pass_with_open(&[BEN, DANA], 60_000);
    shift.answer(DANA, stat, HAVE_IT);
    let turn = shift.answer(DANA, stat, Answer::HandBack);
    assert_eq!(shift.step(stat), Some(2), "Dana was the only one of her step");
    assert!(rings(&turn).contains(&(BEN, RINGING)) && !rings(&turn).contains(&(DANA, RINGING)));
    shift.answer(EMEKA, stat, HAVE_IT);
    let (person, suspended) = (shift.person(EMEKA), true);
    let turn = shift.ward.ask(BOX, Ask::SetStanding { person, suspended });
    assert!(matches!(shift.stage(stat), Some(Stage::Ringing { step: 2, .. })));
    assert!(rings(&turn).contains(&(BEN, RINGING)) && !rings(&turn).iter().any(|(conn, _)| *conn == EMEKA));
}

#[test]
fn a_call_note_answers_for_whoever_was_reached() {
    let mut shift = Shift::new();
    let stat = shift.stat();
    let reached = Some(shift.person(FARAH));
    let called = shift.ward.now.wall;
    shift.answer(ANA, stat, note(reached, called));
    let wanted = (reached, Some(shift.person(ANA)));
    assert!(
        matches!(shift.stage(stat), Some(Stage::Accepted { by, noted_by, .. }) if (by, noted_by) == wanted)
    );
}

#[test]
fn what_a_call_note_answered_rings_again_when_whoever_has_it_is_out() {
    for (reached, out) in [(Some(FARAH), FARAH), (None, CHIDI)] {
        let mut shift = Shift::new();
        let stat = shift.stat();
        let called = shift.ward.now.wall;
        let whom = reached.map(|conn| shift.person(conn));
        // Of nobody in the directory it says as what they were reached.
        assert_eq!(refusal(&shift.answer(CHIDI, stat, note(whom, called))), None);
        assert!(matches!(shift.stage(stat), Some(Stage::Accepted { .. })));
        let (person, suspended) = (shift.person(out), true);
        let turn = shift.ward.ask(BOX, Ask::SetStanding { person, suspended });
        assert!(matches!(shift.stage(stat), Some(Stage::Ringing { .. })), "{out:?}");
        assert!(rings(&turn).contains(&(BEN, RINGING)), "{out:?}");
    }
}

fn restored(relay: &Relay) -> Restored {
    let state = relay.state();
    Restored {
        people: state.people.values().cloned().collect(),
        units: state.units.values().cloned().collect(),
        devices: state.devices.values().cloned().collect(),
        codes: state.codes.values().cloned().collect(),
        conversations: state.conversations.values().cloned().collect(),
        change: state.change,
        audited: state.audited,
        last_at: state.last_at,
        marks: state.marks.clone(),
        roles: state.roles.values().cloned().collect(),
        clinic: Default::default(),
        escalations: state.escalations.values().cloned().collect(),
        policies: state.policies.iter().map(|(unit, policy)| (*unit, policy.clone())).collect(),
        retention: state.retention,
        holds: state.holds.values().cloned().collect(),
        family: state.family.to_restored(),
        uploads: state.uploads.clone(),
        tasks: state.tasks.all().cloned().collect(),
        orders: state.orders.all().cloned().collect(),
        order_policies: state.orders.policies().clone().into_iter().collect(),
        bells: state.bells.clone(),
        alarms: state.alarms.clone(),
        urgents: state.urgents.all().copied().collect(),
        availability: state.availability.clone(),
        templates: state.templates.iter().map(|(unit, set)| (*unit, set.clone())).collect(),
        inboxes: state.inboxes.to_restored(),
        broadcasts: state.broadcasts.to_restored(),
    }
}

/// What is left of a step after a restart is told by the wall clock, and no clock makes it more than the step or less than
/// nothing.
#[test]
fn a_restart_between_two_steps_repeats_none_and_skips_none_whatever_the_clock_says() {
    let look_ms = limits::REACHABLE_LOOK_AFTER_START_MS;
    for (stepped_ms, left_ms) in [(0, 40_000), (15_000, 25_000), (86_400_000, 0), (-86_400_000, 60_000)] {
        let mut shift = Shift::new();
        let stat = shift.stat();
        shift.pass_with_open(&[BEN], 20_000);
        let restored = restored(&shift.ward.relay);
        shift.ward.now.wall.0 += stepped_ms;
        shift.ward.now.mono = wardline_core::time::Mono(0);
        let policy = wardline_core::policy::Policy::default();
        shift.ward.relay = Relay::new(shift.ward.now, policy, &[7; 32], restored).expect("the store");
        assert_eq!(shift.step(stat), Some(0));
        let due = shift.ward.relay.poll_timeout().expect("something is due");
        assert_eq!(due.0, look_ms.min(left_ms), "by {stepped_ms}: phones have a while to find the box again");
        shift.ward.pass(left_ms.min(look_ms));
        assert_eq!(shift.step(stat), Some(1), "nobody has connected, so nobody can be reached");
    }
}

#[test]
fn a_station_screen_hears_what_rings_and_can_do_nothing_else() {
    let mut shift = Shift::new();
    let dial = Dial::parse("4711").expect("a number");
    let policy =
        EscalationPolicy::new(30, &[(Ring::ChargeNurses, 60), (Ring::UnitStaff, 60)], dial).expect("fits");
    shift.ward.ask(BOX, Ask::SetEscalation { unit: Some(shift.unit), policy: Some(policy) });
    let stat = shift.stat();
    let asks = [
        Ask::Sync { cursor: Vec::new() },
        Ask::ListPeople { after: None },
        Ask::ReadStat { stat },
        Ask::AnswerStat { stat, answer: HAVE_IT },
        Ask::History { conversation: shift.place, before: Sequence::NONE, limit: 1 },
        Ask::ListUnits,
    ];
    for ask in asks {
        let turn = shift.ward.ask(DESK, ask);
        assert_eq!(refusal(&turn), Some("REFUSAL_CODE_STATION_ONLY"));
        assert!(turn.writes.is_empty());
    }
    let screen = shift.ward.relay.state().people.values().find(|person| person.station.is_some());
    let screen = screen.expect("a screen").id;
    let fresh = shift.ward.fresh();
    for refused in [
        shift.ward.ask(ANA, Ask::OpenDirect { person: screen, fresh }),
        shift.ward.change(ANA, shift.place, &[screen], &[]),
        shift.ward.ask(
            BOX,
            Ask::SetPost {
                person: screen,
                unit: shift.unit,
                post: Some(wardline_core::directory::Post::Staff),
            },
        ),
        shift.ward.ask(BOX, Ask::SetDuties { person: screen, administrator: true, privacy_officer: false }),
    ] {
        assert_eq!(refusal(&refused), Some("REFUSAL_CODE_NO_SUCH_PERSON"));
    }
    let Ward { relay, now, .. } = &mut shift.ward;
    let turns: Vec<Turn> = std::iter::from_fn(|| {
        let due =
            relay.poll_timeout().filter(|_| relay.state().escalations[&stat].stage.step() != Some(3))?;
        now.mono = now.mono.max(due);
        Some(relay.handle_timeout(*now))
    })
    .collect();
    let last = turns.last().expect("a turn");
    assert!(rings(last).contains(&(DESK, RINGING)));
    for send in &last.sends {
        if let Send::Reply { conn: DESK, body: Body::Ring(ring), .. } = send {
            assert_eq!((ring.unit, ring.sender_title.as_str()), (shift.unit.value(), ""));
            assert_eq!((ring.unit_name.is_empty(), ring.dial.as_str()), (false, "4711"));
        }
    }
}

/// Who is called without being in the conversation reads that one message, and that only while they may.
#[test]
fn who_is_called_reads_the_one_message() {
    let mut shift = Shift::new();
    shift.submit(ANA, Priority::Routine, Call::default());
    let stat = shift.stat();
    let read = |shift: &mut Shift, who| shift.ward.ask(who, Ask::ReadStat { stat });
    assert_eq!(refusal(&read(&mut shift, DANA)), Some("REFUSAL_CODE_NO_SUCH_CONVERSATION"), "not called yet");
    shift.pass_with_open(&[BEN, DANA], 60_000);
    let turn = read(&mut shift, DANA);
    let grants: Vec<_> = turn
        .sends
        .iter()
        .filter_map(|send| match send {
            Send::ReadPage { grant, .. } => Some((grant.from(), grant.before(), grant.right())),
            _ => None,
        })
        .collect();
    assert_eq!(grants, [(Sequence(2), Sequence(3), Right::Rung)]);
    let (conversation, before) = (shift.place, Sequence::NONE);
    let history = shift.ward.ask(DANA, Ask::History { conversation, before, limit: 10 });
    assert_eq!(refusal(&history), Some("REFUSAL_CODE_NO_SUCH_CONVERSATION"), "and nothing else");
    shift.answer(DANA, stat, cannot(Reason::NotMine));
    assert_eq!(refusal(&read(&mut shift, DANA)), Some("REFUSAL_CODE_NOT_PERMITTED"));
}

#[test]
fn who_is_taken_out_of_the_conversation_is_called_no_more() {
    let mut shift = Shift::new();
    let stat = shift.stat();
    shift.answer(BEN, stat, HAVE_IT);
    let ben = shift.person(BEN);
    let turn = shift.ward.change(ANA, shift.place, &[], &[ben]);
    assert_eq!(shift.step(stat), Some(1), "what Ben had, Dana is called for");
    assert_eq!(rings(&turn), [(DANA, RINGING)]);
    for ask in [Ask::ReadStat { stat }, Ask::AnswerStat { stat, answer: HAVE_IT }] {
        let asked = shift.ward.ask(BEN, ask);
        assert_eq!(refusal(&asked), Some("REFUSAL_CODE_NO_SUCH_CONVERSATION"), "nor answers for it");
    }
}

#[test]
fn a_stat_of_somebody_who_is_alone_goes_on_to_the_unit() {
    let mut shift = Shift::new();
    let others = [shift.person(BEN), shift.person(CHIDI)];
    shift.ward.change(ANA, shift.place, &[], &others);
    let turn = shift.submit(ANA, Priority::Stat, Call { ring: vec![], unit: Some(shift.unit) });
    assert_eq!(rings(&turn), [(DANA, RINGING)]);
}

#[test]
fn whoever_is_said_to_have_it_is_told_and_who_said_so_takes_it_back() {
    let mut shift = Shift::new();
    let stat = shift.stat();
    let reached = Some(shift.person(EMEKA));
    let called = shift.ward.now.wall;
    let turn = shift.answer(CHIDI, stat, note(reached, called));
    assert!(rings(&turn).contains(&(EMEKA, ACCEPTED)), "a name may have been picked wrongly");
    let turn = shift.answer(CHIDI, stat, Answer::HandBack);
    assert_eq!(refusal(&turn), None);
    assert_eq!((shift.step(stat), rings(&turn)), (Some(0), vec![(BEN, RINGING)]));
    let mut people = shift.ward.relay.state().people.values();
    let desk = people.find(|person| person.station.is_some()).map(|desk| desk.id);
    let turn = shift.answer(CHIDI, stat, note(desk, called));
    assert_eq!(refusal(&turn), Some("REFUSAL_CODE_NO_SUCH_PERSON"), "a screen has nothing");
}

#[test]
fn one_sender_does_not_use_up_what_everybody_has() {
    let mut shift = Shift::new();
    for _ in 0..limits::ESCALATIONS_OF_ONE_MAX {
        shift.ward.now.mono = shift.ward.now.mono.after(20_000);
        shift.stat();
    }
    shift.ward.now.mono = shift.ward.now.mono.after(20_000);
    let turn = shift.submit(ANA, Priority::Stat, Call::default());
    assert_eq!(refusal(&turn), Some("REFUSAL_CODE_STAT_LIMIT"));
    assert!(turn.writes.is_empty());
    assert_eq!(refusal(&shift.submit(BEN, Priority::Stat, Call::default())), None, "Ben still can");
}

#[test]
fn a_policy_that_would_ring_nobody_is_refused_when_it_is_saved() {
    let mut shift = Shift::new();
    let unit = Some(shift.unit);
    let policy =
        |later: &[(Ring, u32)]| Some(EscalationPolicy::new(30, later, Dial::default()).expect("fits"));
    let set = |shift: &mut Shift, policy| shift.ward.ask(BOX, Ask::SetEscalation { unit, policy });
    let goran = shift.person(GORAN);
    assert_eq!(
        refusal(&set(&mut shift, policy(&[(Ring::ChargeNurses, 60), (Ring::Person(goran), 60)]))),
        None
    );
    let (person, dana) = (shift.person(DANA), shift.unit);
    shift.ward.ask(BOX, Ask::SetPost { person, unit: dana, post: None });
    let turn = set(&mut shift, policy(&[(Ring::ChargeNurses, 90)]));
    assert_eq!(refusal(&turn), Some("REFUSAL_CODE_STEP_RINGS_NOBODY"));
    assert!(turn.writes.is_empty());
    // The step stands, and when it comes to it nobody is there: the next is called at once.
    let stat = shift.stat();
    shift.answer(BEN, stat, cannot(Reason::Busy));
    assert_eq!(shift.step(stat), Some(2));
}

#[test]
fn too_many_at_once_are_refused_and_answered_ones_give_way() {
    let mut shift = Shift::new();
    for _ in 0..limits::STATS.burst {
        shift.stat();
    }
    let call = Call::default();
    assert_eq!(refusal(&shift.submit(ANA, Priority::Stat, call)), Some("REFUSAL_CODE_SLOW_DOWN"));
    let ids: Vec<StatId> = shift.ward.relay.state().escalations.keys().copied().collect();
    for id in ids {
        shift.ward.now.mono = shift.ward.now.mono.after(1_000);
        shift.answer(BEN, id, HAVE_IT);
    }
    for _ in 0..limits::ESCALATIONS_MAX {
        shift.ward.now.mono = shift.ward.now.mono.after(20_000);
        let id = shift.stat();
        shift.answer(BEN, id, HAVE_IT);
    }
    assert_eq!(shift.ward.relay.state().escalations.len(), limits::ESCALATIONS_MAX);
}

#[test]
fn figures_are_of_a_unit_for_who_leads_it_and_of_all_for_who_administers() {
    let mut shift = Shift::new();
    let other = shift.ward.add_unit("Hall C", &[], &[]);
    let (unit, now) = (Some(shift.unit), shift.ward.now.wall);
    let span = |unit, ms: i64| Span::new(unit, Wall(now.0 - ms), now);
    let ask = |shift: &mut Shift, conn, span: Span| {
        let turn = shift.ward.ask(conn, Ask::StatLoad(span));
        let counts =
            turn.sends.iter().any(|send| matches!(send, Send::CountStats { span: of, .. } if *of == span));
        let recorded = turn.writes.iter().all(|numbered| matches!(numbered.write, Write::Audited { .. }));
        (refusal(&turn), counts && recorded && turn.writes.len() == 1)
    };
    let day = 86_400_000;
    assert_eq!(ask(&mut shift, DANA, span(unit, day).expect("a day")), (None, true));
    for (conn, of) in [(DANA, None), (DANA, Some(other)), (BEN, unit), (FARAH, unit)] {
        let refused = ask(&mut shift, conn, span(of, day).expect("a day"));
        assert_eq!(refused, (Some("REFUSAL_CODE_NOT_PERMITTED"), false), "{conn} {of:?}");
    }
    assert_eq!(ask(&mut shift, BOX, span(None, day).expect("a day")), (None, true));
    let gone = UnitId::new(77);
    assert_eq!(ask(&mut shift, BOX, span(gone, day).expect("a day")).0, Some("REFUSAL_CODE_NO_SUCH_UNIT"));
    for (ms, fits) in [(0, false), (-1, false), (1, true), (400 * day, true), (400 * day + 1, false)] {
        assert_eq!(span(None, ms).is_ok(), fits, "{ms}");
    }
    assert!(Span::new(None, Wall(i64::MIN), Wall(i64::MAX)).is_err());
}

/// Who asks, and what they are to a STAT that Ana sent, for which it has rung for Ben, then Dana.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Actor {
    Ana,
    Ben,
    /// Has said that she cannot.
    Chidi,
    Dana,
    /// Works there, and is not called yet.
    Emeka,
    OtherUnit,
    /// Was in the conversation.
    FormerMember,
    Administrator,
    AdministratorOnTheWard,
    PrivacyOfficer,
    Suspended,
    Station,
    BoxService,
}

const ACTORS: [Actor; 13] = [
    Actor::Ana,
    Actor::Ben,
    Actor::Chidi,
    Actor::Dana,
    Actor::Emeka,
    Actor::OtherUnit,
    Actor::FormerMember,
    Actor::Administrator,
    Actor::AdministratorOnTheWard,
    Actor::PrivacyOfficer,
    Actor::Suspended,
    Actor::Station,
    Actor::BoxService,
];

impl Actor {
    fn conn(self) -> Conn {
        match self {
            Self::Ana => ANA,
            Self::Ben => BEN,
            Self::Chidi => CHIDI,
            Self::Dana => DANA,
            Self::Emeka => EMEKA,
            Self::OtherUnit => FARAH,
            Self::FormerMember => GORAN,
            Self::Administrator => Conn(20),
            Self::AdministratorOnTheWard => Conn(21),
            Self::PrivacyOfficer => Conn(22),
            Self::Suspended => Conn(23),
            Self::Station => DESK,
            Self::BoxService => BOX,
        }
    }

    fn relations(self, operation: Operation) -> Vec<Relation> {
        use Relation as R;
        let answered = matches!(operation, Operation::HandBackStat | Operation::CloseStat);
        match self {
            Self::Ana => vec![R::Staff, R::Member, R::UnitStaff, R::Caller],
            Self::Ben if answered => vec![R::Staff, R::Member, R::Colleague, R::Rung, R::Acceptor],
            Self::Ben | Self::Chidi => vec![R::Staff, R::Member, R::Colleague, R::Rung],
            Self::Dana => vec![R::Staff, R::Rung, R::ChargeNurse],
            Self::Emeka | Self::OtherUnit | Self::FormerMember => vec![R::Staff],
            Self::Administrator => vec![R::Staff, R::Administrator],
            Self::AdministratorOnTheWard | Self::PrivacyOfficer => vec![R::Staff],
            Self::Suspended | Self::Station => vec![],
            Self::BoxService => vec![R::BoxService],
        }
    }
}

fn house() -> (Shift, StatId) {
    let mut shift = Shift::new();
    let goran = shift.ward.people[6];
    let ward = &mut shift.ward;
    let administrator = ward.enter_from(Actor::Administrator.conn(), Zone::Admin);
    let on_the_ward = ward.enter_from(Actor::AdministratorOnTheWard.conn(), Zone::Ward);
    let officer = ward.enter_from(Actor::PrivacyOfficer.conn(), Zone::Ward);
    let suspended = ward.enter_from(Actor::Suspended.conn(), Zone::Ward);
    for (person, administrator) in [(administrator, true), (on_the_ward, true), (officer, false)] {
        ward.ask(BOX, Ask::SetDuties { person, administrator, privacy_officer: !administrator });
    }
    ward.change(ANA, shift.place, &[goran, suspended], &[]);
    ward.change(ANA, shift.place, &[], &[goran]);
    ward.ask(BOX, Ask::SetStanding { person: suspended, suspended: true });
    let call = Call { ring: vec![shift.person(BEN), shift.person(CHIDI)], unit: None };
    shift.submit(ANA, Priority::Stat, call);
    let sequence = shift.ward.relay.state().conversations[&shift.place].last;
    let stat = StatId { conversation: shift.place, sequence };
    shift.pass_with_open(&[BEN, CHIDI, DANA], 60_000);
    shift.answer(CHIDI, stat, cannot(Reason::Busy));
    assert_eq!(shift.step(stat), Some(1));
    shift.ward.now.mono = shift.ward.now.mono.after(1_000);
    (shift, stat)
}

#[test]
fn every_operation_on_a_stat_by_every_actor_is_as_the_table_says() {
    for operation in OF_STAT {
        for actor in ACTORS {
            let (mut shift, stat) = house();
            let answer_with = |answer| Ask::AnswerStat { stat, answer };
            let policy = Some(EscalationPolicy::standard());
            let (conversation, call, fresh) = (shift.place, Call::default(), shift.ward.fresh());
            let ask = match operation {
                Operation::SendStat => Ask::Submit(Submit {
                    number: Number(9),
                    message: MessageId([9; 16]),
                    conversation,
                    body: Some(Sealed(vec![0; 40])),
                    priority: Priority::Stat,
                    call,
                    reply_to: None,
                    mentions: Default::default(),
                    attachments: vec![],
                    order: None,
                }),
                Operation::AskReach => Ask::Prospect { conversation, call },
                Operation::AnswerStat => answer_with(HAVE_IT),
                Operation::DeclineStat => answer_with(cannot(Reason::Busy)),
                Operation::HandBackStat => answer_with(Answer::HandBack),
                Operation::NoteCall => answer_with(note(None, shift.ward.now.wall)),
                Operation::CloseStat => answer_with(Answer::Close),
                Operation::ReadStat => Ask::ReadStat { stat },
                Operation::ReadNumbers => Ask::Availability(AvailabilityAsk::Numbers(stat)),
                Operation::SetEscalation => Ask::SetEscalation { unit: Some(shift.unit), policy },
                Operation::SetFacilityEscalation => Ask::SetEscalation { unit: None, policy },
                Operation::ListEscalation => Ask::ListEscalation,
                Operation::ReadStatLoad => {
                    let span = Span::new(Some(shift.unit), Wall(0), Wall(1));
                    Ask::StatLoad(span.expect("a millisecond"))
                }
                Operation::AddStation => {
                    Ask::AddStation { unit: shift.unit, name: Name::parse("Door").expect("a name"), fresh }
                }
                other => panic!("{other:?} is not of STAT"),
            };
            if matches!(operation, Operation::HandBackStat | Operation::CloseStat) {
                shift.answer(BEN, stat, HAVE_IT);
            }
            let turn = shift.ward.ask(actor.conn(), ask);
            let rule = operation.rule();
            let is = actor.relations(operation);
            let mut may = rule.allowed.iter().any(|allowed| is.contains(allowed));
            // Who has said that they cannot does not read it.
            may &= (operation, actor) != (Operation::ReadStat, Actor::Chidi);
            let done = !turn.sends.is_empty() && refusal(&turn).is_none();
            let what = format!("{actor:?} may {}", rule.words);
            assert_eq!(done, may, "{what}: {:?}", refusal(&turn));
            if !may {
                let changes = turn.writes.iter().filter(|n| !matches!(n.write, Write::Audited { .. }));
                assert_eq!(changes.count(), 0, "{what}: a refusal changes nothing");
            }
        }
    }
}
