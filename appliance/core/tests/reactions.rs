//! Mentions and reactions, one rule at a time. The test plays the doorway: it looks a message up before it asks.

mod ward;

use wardline_core::alteration::{Edit, Found, Kept, Standing};
use wardline_core::audit::Act;
use wardline_core::escalation::{Priority, StatId};
use wardline_core::hold::{Holds, Whose};
use wardline_core::ids::{Change, Conn, ConversationId, EditId, MessageId, Number, PersonId, Sequence};
use wardline_core::input::{Ask, Call, Input, Submit};
use wardline_core::limits;
use wardline_core::mention::{Mention, Named};
use wardline_core::reaction::{React, Reaction, Reactions};
use wardline_core::stat::Answer;
use wardline_core::text::{Sealed, Title};
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire::proto::{self, RefusalCode as Code, event::Kind};
use wardline_core::write::Write;

use ward::{BOX, HAVE_IT, Ward, acts, group_of, kept, refusal};

const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);

/// Ana, Ben and Chidi; Ana and Ben are in a group. And a store, as far as messages go.
struct Floor {
    ward: Ward,
    place: ConversationId,
    stored: Vec<Kept>,
    numbers: u64,
}

impl Floor {
    fn new() -> Self {
        let mut ward = Ward::new(3);
        let ben = ward.people[1];
        let place = group_of(&ward.open_group(ANA, vec![ben]));
        Self { ward, place, stored: Vec::new(), numbers: 0 }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn of(&self, sequence: u64) -> StatId {
        StatId { conversation: self.place, sequence: Sequence(sequence) }
    }

    /// What is decided is on disk at once.
    fn ask(&mut self, from: Conn, ask: Ask) -> Turn {
        let turn = self.ward.ask(from, ask);
        for numbered in &turn.writes {
            self.stored.extend(kept(numbered));
            match &numbered.write {
                Write::MessageEdited { sequence, standing, .. } => {
                    self.stored[sequence.0 as usize - 1].stands(*standing);
                }
                Write::MessageRecalled { sequence, .. } => {
                    let kept = &mut self.stored[sequence.0 as usize - 1];
                    kept.stands(Standing { recalled: true, ..kept.standing });
                }
                Write::ReactionsSet { sequence, reactions, .. } => {
                    self.stored[sequence.0 as usize - 1].reactions = reactions.clone();
                }
                _ => {}
            }
        }
        turn
    }

    fn say_naming(&mut self, from: Conn, priority: Priority, people: &[u64], roles: &[u64]) -> Turn {
        self.numbers += 1;
        self.ask(
            from,
            Ask::Submit(Submit {
                number: Number(self.numbers),
                message: MessageId([self.numbers as u8; 16]),
                conversation: self.place,
                body: Some(Sealed(vec![0; 40])),
                priority,
                call: Call::default(),
                reply_to: None,
                mentions: Named::parse(people, roles).expect("in range"),
                attachments: vec![],
                order: None,
            }),
        )
    }

    fn say(&mut self, from: Conn) {
        assert_eq!(refusal(&self.say_naming(from, Priority::Routine, &[], &[])), None);
    }

    fn look_up(&self, sequence: u64) -> Found {
        let message = self.stored.get(sequence as usize - 1).cloned();
        Found { as_of: self.ward.relay.state().change, message }
    }

    fn react_by(&mut self, from: Conn, sequence: u64, what: (Reaction, bool), found: Found) -> Turn {
        let (message, (reaction, given)) = (self.of(sequence), what);
        self.ask(from, Ask::React(React { message, reaction, taken_back: !given, found }))
    }

    fn react(&mut self, from: Conn, sequence: u64, reaction: Reaction) -> Turn {
        let found = self.look_up(sequence);
        self.react_by(from, sequence, (reaction, true), found)
    }

    fn take_back(&mut self, from: Conn, sequence: u64, reaction: Reaction) -> Turn {
        let found = self.look_up(sequence);
        self.react_by(from, sequence, (reaction, false), found)
    }

    fn edit(&mut self, from: Conn, sequence: u64, version: u32) -> Turn {
        let (found, conversation) = (self.look_up(sequence), self.place);
        let (name, body) = (EditId([version as u8; 16]), Some(Sealed(vec![9; 40])));
        self.ask(
            from,
            Ask::Edit(Edit { conversation, sequence: Sequence(sequence), version, name, body, found }),
        )
    }

    fn recall(&mut self, from: Conn, sequence: u64) -> Turn {
        let (message, found) = (self.of(sequence), self.look_up(sequence));
        self.ask(from, Ask::Recall { message, found })
    }
}

fn is(turn: &Turn, code: Code) {
    assert_eq!(refusal(turn), Some(code.as_str_name()));
    assert!(
        turn.writes.iter().all(|n| matches!(n.write, Write::Audited { .. })),
        "a refusal changes nothing"
    );
}

fn told(turn: &Turn) -> Option<(proto::MessageReactions, Vec<Conn>)> {
    turn.sends.iter().find_map(|send| match send {
        Send::Fanout { event: Event::Small(kind), conns, .. } => match &**kind {
            Kind::Reactions(told) => Some((told.clone(), conns.clone())),
            _ => None,
        },
        _ => None,
    })
}

fn named(turn: &Turn) -> Vec<Mention> {
    let accepted = turn.writes.iter().find_map(|numbered| match &numbered.write {
        Write::MessageAccepted(message) => Some(message.mentions.clone()),
        _ => None,
    });
    accepted.expect("accepted")
}

#[test]
fn a_reaction_is_told_to_whoever_reads_the_message_with_all_that_was_put_to_it() {
    let mut floor = Floor::new();
    floor.say(ANA);
    let chidi = floor.person(CHIDI);
    floor.ward.change(ANA, floor.place, &[chidi], &[]);
    floor.react(ANA, 1, Reaction::Agree);
    let turn = floor.react(BEN, 1, Reaction::Done);
    assert_eq!(acts(&turn), [Act::ReactionGiven(floor.place, Sequence(1), 3)]);
    let (told, conns) = told(&turn).expect("told");
    let (ana, ben) = (floor.person(ANA).value(), floor.person(BEN).value());
    let kinds: Vec<_> = told.reactions.into_iter().map(|of| (of.kind, of.people)).collect();
    assert_eq!(kinds, [(1, vec![ana]), (3, vec![ben])]);
    assert_eq!((told.sequence, conns), (1, vec![ANA, BEN]), "Chidi came later, and may not read it");
    is(&floor.react(CHIDI, 1, Reaction::Agree), Code::NoSuchMessage);
}

#[test]
fn one_of_each_kind_and_the_same_again_is_done() {
    let mut floor = Floor::new();
    floor.say(ANA);
    floor.react(BEN, 1, Reaction::Thanks);
    let again = floor.react(BEN, 1, Reaction::Thanks);
    assert_eq!((refusal(&again), again.writes.len()), (None, 0));
    assert!(told(&again).is_none());
    floor.react(BEN, 1, Reaction::Question);
    assert_eq!(floor.stored[0].reactions.people(), 1);
    let turn = floor.take_back(BEN, 1, Reaction::Thanks);
    assert_eq!(acts(&turn), [Act::ReactionTakenBack(floor.place, Sequence(1), 2)]);
    let never = floor.take_back(ANA, 1, Reaction::Thanks);
    assert_eq!((refusal(&never), never.writes.len()), (None, 0));
    assert!(floor.stored[0].reactions.of(floor.person(BEN)).has(Reaction::Question));
}

#[test]
fn two_looks_at_once_lose_neither_reaction() {
    let mut floor = Floor::new();
    floor.say(ANA);
    let early = floor.look_up(1);
    floor.react_by(ANA, 1, (Reaction::Agree, true), early.clone());
    floor.react_by(BEN, 1, (Reaction::Agree, true), early.clone());
    assert_eq!(floor.stored[0].reactions.people(), 2);
    // And one that comes behind an edit is put to the new text alone.
    assert_eq!(refusal(&floor.edit(ANA, 1, 1)), None);
    floor.react_by(BEN, 1, (Reaction::Concern, true), early.clone());
    let ben = floor.stored[0].reactions.of(floor.person(BEN));
    assert!(ben.has(Reaction::Concern) && !ben.has(Reaction::Agree));
    assert!(floor.stored[0].reactions.people() == 1, "what was put to the earlier text went with it");
    assert_eq!(refusal(&floor.recall(ANA, 1)), None);
    is(&floor.react_by(BEN, 1, (Reaction::Agree, true), early), Code::MessageRecalled);
    assert!(floor.stored[0].reactions.is_empty());
}

#[test]
fn an_open_stat_takes_an_answer_and_no_reaction() {
    let mut floor = Floor::new();
    assert_eq!(refusal(&floor.say_naming(ANA, Priority::Stat, &[], &[])), None);
    is(&floor.react(BEN, 1, Reaction::Looking), Code::StatWantsAnswer);
    let stat = floor.of(1);
    floor.ask(BEN, Ask::AnswerStat { stat, answer: HAVE_IT });
    is(&floor.react(ANA, 1, Reaction::Thanks), Code::StatWantsAnswer);
    floor.ask(BEN, Ask::AnswerStat { stat, answer: Answer::Close });
    assert_eq!(refusal(&floor.react(ANA, 1, Reaction::Thanks)), None);
    assert!(floor.ward.relay.state().escalations.is_empty(), "and changes nothing of how it stands");
}

#[test]
fn what_is_archived_takes_no_reaction_and_gives_one_back() {
    let mut floor = Floor::new();
    floor.say(ANA);
    floor.react(BEN, 1, Reaction::Agree);
    let archive = Ask::Archive { conversation: floor.place, archived: true };
    floor.ask(ANA, archive);
    is(&floor.react(BEN, 1, Reaction::Done), Code::Archived);
    assert_eq!(refusal(&floor.take_back(BEN, 1, Reaction::Agree)), None);
}

#[test]
fn what_is_held_keeps_what_was_put_to_it() {
    let mut floor = Floor::new();
    floor.say(ANA);
    floor.react(BEN, 1, Reaction::Agree);
    let officer = floor.person(CHIDI);
    floor.ask(BOX, Ask::SetDuties { person: officer, administrator: false, privacy_officer: true });
    let (whose, fresh) = (Whose::Conversation(floor.place), floor.ward.fresh());
    let matter = Title::parse("Claim 12").expect("a title");
    assert_eq!(refusal(&floor.ask(CHIDI, Ask::Hold(Holds::Place { whose, matter, fresh }))), None);
    is(&floor.take_back(BEN, 1, Reaction::Agree), Code::KeptAsWritten);
    assert_eq!(refusal(&floor.react(BEN, 1, Reaction::Thanks)), None, "more may come");
}

#[test]
fn what_is_purged_expired_or_not_theirs_takes_none() {
    let mut floor = Floor::new();
    floor.say(ANA);
    is(&floor.react(CHIDI, 1, Reaction::Agree), Code::NoSuchConversation);
    is(&floor.react(BEN, 2, Reaction::Agree), Code::NoSuchMessage);
    let (conversation, through) = (floor.place, Sequence(1));
    let found = floor.look_up(1);
    floor.ward.handle(Input::Aged { conversation, read_through: through, any_through: through });
    is(&floor.react_by(BEN, 1, (Reaction::Agree, true), found.clone()), Code::NoSuchMessage);
    floor.ask(BOX, Ask::PurgeConversation { conversation });
    is(&floor.react_by(BEN, 1, (Reaction::Agree, true), found), Code::Purged);
}

#[test]
fn a_full_disk_takes_none_and_a_scarce_one_gives_none_back() {
    let mut floor = Floor::new();
    floor.say(ANA);
    floor.react(BEN, 1, Reaction::Agree);
    floor.ward.handle(Input::Disk { free: limits::DISK_RESERVE_BYTES - 1 });
    is(&floor.react(BEN, 1, Reaction::Done), Code::DiskLow);
    floor.react(BEN, 1, Reaction::Agree);
    assert_eq!(refusal(&floor.take_back(BEN, 1, Reaction::Agree)), None);
    floor.ward.handle(Input::Disk { free: limits::DISK_SCARCE_BYTES - 1 });
    floor.stored[0].reactions = Reactions::default().with(floor.person(BEN), Reaction::Agree, true);
    floor.ward.now.mono = floor.ward.now.mono.after(1_000);
    is(&floor.take_back(BEN, 1, Reaction::Agree), Code::DiskLow);
}

#[test]
fn fifty_people_react_to_a_message_and_a_fifty_first_writes() {
    let mut floor = Floor::new();
    floor.say(ANA);
    let mut found = floor.look_up(1);
    let full = (1..limits::REACTORS_MAX as u64).fold(Reactions::default(), |all, number| {
        all.with(PersonId::new(number).expect("in range"), Reaction::Agree, true)
    });
    let kept = found.message.as_mut().expect("found");
    kept.reactions = full.with(floor.person(ANA), Reaction::Agree, true);
    assert_eq!(kept.reactions.people(), limits::REACTORS_MAX);
    is(&floor.react_by(BEN, 1, (Reaction::Agree, true), found.clone()), Code::ReactionsFull);
    let more = floor.react_by(ANA, 1, (Reaction::Done, true), found);
    assert_eq!(refusal(&more), None, "who is among them may put another to it");
}

#[test]
fn a_look_that_is_too_old_is_made_again() {
    let mut floor = Floor::new();
    floor.say(ANA);
    let mut early = floor.look_up(1);
    early.as_of = Change(0);
    for round in 0..limits::ALTERATIONS_REMEMBERED + 1 {
        floor.ward.now.mono = floor.ward.now.mono.after(2_000);
        let turn = if round % 2 == 0 {
            floor.react(BEN, 1, Reaction::Agree)
        } else {
            floor.take_back(BEN, 1, Reaction::Agree)
        };
        assert_eq!(refusal(&turn), None, "{round}");
    }
    is(&floor.react_by(ANA, 1, (Reaction::Agree, true), early), Code::Unavailable);
}

#[test]
fn a_device_that_reacts_without_end_is_slowed_down() {
    let mut floor = Floor::new();
    floor.say(ANA);
    let burst = limits::REACTIONS.burst;
    let refused = (0..=burst).filter(|_| refusal(&floor.react(BEN, 1, Reaction::Agree)).is_some()).count();
    assert_eq!(refused, 1);
}

#[test]
fn a_message_names_members_and_nobody_else() {
    let mut floor = Floor::new();
    let (ana, ben, chidi) = (floor.person(ANA), floor.person(BEN), floor.person(CHIDI));
    let turn = floor.say_naming(ANA, Priority::Routine, &[ben.value(), ana.value(), ben.value()], &[]);
    let by_themselves = |person| Mention { person, role: None };
    assert_eq!(named(&turn), [by_themselves(ben), by_themselves(ana)], "each once, as they were named");
    is(
        &floor.say_naming(ANA, Priority::Routine, &[ben.value(), chidi.value()], &[]),
        Code::MentionedNotMember,
    );
    floor.ward.change(ANA, floor.place, &[], &[ben]);
    is(&floor.say_naming(ANA, Priority::Routine, &[ben.value()], &[]), Code::MentionedNotMember);
    let many = vec![ana.value(); limits::MENTIONS_MAX + 1];
    assert!(Named::parse(&many, &[]).is_err_and(|refusal| refusal.code() == Code::TooManyMentions));
}

#[test]
fn a_role_is_named_by_whoever_holds_it_and_reads_the_message() {
    let mut floor = Floor::new();
    let (ben, chidi) = (floor.person(BEN), floor.person(CHIDI));
    let unit = floor.ward.add_unit("4 West", &[ben, chidi], &[]);
    let role = floor.ward.add_role(unit, "Charge nurse", chidi);
    let of = |person| vec![Mention { person, role: Some(role) }];
    is(&floor.say_naming(ANA, Priority::Routine, &[], &[role.value()]), Code::MentionedRoleUnheld);
    is(&floor.say_naming(ANA, Priority::Routine, &[], &[77]), Code::NoSuchRole);
    assert_eq!(refusal(&floor.ward.take_role(BEN, role, None)), None);
    let turn = floor.say_naming(ANA, Priority::Routine, &[], &[role.value()]);
    assert_eq!(named(&turn), of(ben));
    floor.ward.change(ANA, floor.place, &[chidi], &[]);
    assert_eq!(named(&floor.say_naming(ANA, Priority::Routine, &[], &[role.value()])), of(ben));
    floor.ward.pass(2 * 3_600_000);
    let turn = floor.say_naming(ANA, Priority::Routine, &[], &[role.value()]);
    assert_eq!(named(&turn), of(chidi), "whoever holds it at that moment");
    // What was said before still means Ben; an edit leaves that, and a recall leaves nothing.
    assert_eq!(refusal(&floor.edit(ANA, 3, 1)), None);
    assert_eq!(floor.stored[2].mentions, of(chidi));
    let turn = floor.recall(ANA, 3);
    assert_eq!(refusal(&turn), None);
    assert!(floor.stored[2].mentions.is_empty() && !floor.stored[0].mentions.is_empty());
}
