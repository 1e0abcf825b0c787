//! What large groups and many of them cost: others, and the box.

mod ward;

use wardline_core::ids::{Conn, PersonId};
use wardline_core::input::Ask;
use wardline_core::limits;
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire;
use wardline_core::wire::proto::event::Kind;
use wardline_core::wire::proto::{self, server_frame::Body};

use ward::{BOX, Ward, answer, group_of};

fn refused(turn: &Turn) -> bool {
    matches!(answer(turn), Body::Refused(refused) if refused.code() == proto::RefusalCode::Limit)
}

/// What the driver encodes and holds for a turn: each event once, however many hear of it.
fn encoded(turn: &Turn) -> (usize, usize) {
    let small = |send: &Send| match send {
        Send::Fanout { event: Event::Small(kind), conns, .. } => {
            Some((wire::encode_event((**kind).clone()).len(), conns.len()))
        }
        _ => None,
    };
    let events: Vec<(usize, usize)> = turn.sends.iter().filter_map(small).collect();
    (events.iter().map(|(bytes, _)| bytes).sum(), events.iter().map(|(bytes, conns)| bytes * conns).sum())
}

#[test]
fn opening_the_largest_group_is_one_event() {
    let mut ward = Ward::new(limits::MEMBERS_MAX);
    let others = ward.people[1..].to_vec();
    let turn = ward.open_group(Conn(1), others);
    let (held, _) = encoded(&turn);
    assert!(held <= limits::MEMBERS_MAX * 35 + 200, "{held} bytes");
}

#[test]
fn a_change_to_a_large_group_tells_the_old_members_only_what_is_new() {
    let mut ward = Ward::new(limits::MEMBERS_MAX);
    let newcomer = ward.people[limits::MEMBERS_MAX - 1];
    let others = ward.people[1..limits::MEMBERS_MAX - 1].to_vec();
    let group = group_of(&ward.open_group(Conn(1), others));

    let turn = ward.change(Conn(1), group, &[newcomer], &[]);
    let whole: Vec<usize> = turn
        .sends
        .iter()
        .filter_map(|send| match send {
            Send::Fanout { event: Event::Small(kind), conns, .. }
                if matches!(**kind, Kind::Conversation(_)) =>
            {
                Some(conns.len())
            }
            _ => None,
        })
        .collect();
    assert_eq!(whole, [1], "the newcomer alone is told the whole");
    let (_, carried) = encoded(&turn);
    assert!(carried < 64 * 1024, "{carried} bytes go out, where the whole to everybody is nine megabytes");

    let (_, carried) = encoded(&ward.change(Conn(1), group, &[], &[newcomer]));
    assert!(carried < 32 * 1024, "{carried} bytes go out");
}

#[test]
fn one_account_cannot_use_up_a_colleagues_places() {
    let accounts = limits::MEMBERSHIPS_BY_OTHERS_MAX / limits::GROUPS_SHARED_MAX as usize;
    let mut ward = Ward::new(accounts + 2);
    let victim = ward.people[0];
    for number in 2..accounts as u64 + 2 {
        for _ in 0..limits::GROUPS_SHARED_MAX {
            assert!(!refused(&ward.open_group(Conn(number), vec![victim])));
        }
        assert!(refused(&ward.open_group(Conn(number), vec![victim])), "one owner has so many and no more");
        assert!(!refused(&ward.open_group(Conn(number), Vec::new())), "which binds nobody else");
    }
    assert_eq!(ward.relay.state().membership_count(victim), limits::MEMBERSHIPS_BY_OTHERS_MAX);
    let last = Conn(accounts as u64 + 2);
    assert!(refused(&ward.open_group(last, vec![victim])), "a quarter is the person's own");
    assert!(!refused(&ward.open_group(Conn(1), Vec::new())), "who still opens what they like");

    let left = ward.relay.state().memberships(victim).find(|id| {
        ward.relay
            .state()
            .conversations
            .get(id)
            .is_some_and(|conversation| conversation.owner != Some(victim))
    });
    ward.change(Conn(1), left.expect("a membership"), &[], &[victim]);
    ward.change(Conn(1), left.expect("a membership"), &[], &[victim]);
    let state = ward.relay.state();
    assert_eq!(state.membership_count(victim), limits::MEMBERSHIPS_BY_OTHERS_MAX);
    let left = ward.relay.state().memberships(victim).next().expect("a membership");
    ward.change(Conn(1), left, &[], &[victim]);
    assert!(!refused(&ward.open_group(last, vec![victim])), "whoever leaves makes room");
}

#[test]
fn what_was_purged_takes_nobodys_place_and_can_be_left() {
    let mut ward = Ward::new(2);
    let (ana, ben) = (ward.people[0], ward.people[1]);
    let group = group_of(&ward.open_group(Conn(1), vec![ben]));
    assert_eq!(
        (ward.relay.state().groups_shared(ana, ben), ward.relay.state().membership_count(ben)),
        (1, 1)
    );
    ward.ask(BOX, Ask::PurgeConversation { conversation: group });
    assert_eq!(
        (ward.relay.state().groups_shared(ana, ben), ward.relay.state().membership_count(ben)),
        (0, 0)
    );
    assert!(matches!(answer(&ward.change(Conn(2), group, &[], &[ben])), Body::Done(_)));
    let present: Vec<PersonId> =
        ward.relay.state().conversations[&group].present().map(|(person, _)| person).collect();
    assert_eq!(present, [ana]);
}

#[test]
fn a_group_forgets_nobody_and_so_takes_only_so_many_in_all() {
    let mut ward = Ward::new(limits::MEMBERS_EVER_MAX + 1);
    let group = group_of(&ward.open_group(Conn(1), Vec::new()));
    let others = ward.people[1..].to_vec();
    let mut refusals = 0;
    for part in others.chunks(limits::MEMBERS_MAX - 1) {
        ward.now.mono = ward.now.mono.after(1_000_000);
        refusals += usize::from(refused(&ward.change(Conn(1), group, part, &[])));
        ward.change(Conn(1), group, &[], part);
    }
    let ever = ward.relay.state().conversations[&group].members.len();
    assert!(refusals > 0 && ever <= limits::MEMBERS_EVER_MAX, "{ever} people");
}

#[test]
fn a_group_that_shrinks_to_where_watermarks_are_pushed_tells_them() {
    let people = limits::WATERMARK_PUSH_MEMBERS_MAX + 1;
    let mut ward = Ward::new(people);
    let others = ward.people[1..].to_vec();
    let group = group_of(&ward.open_group(Conn(1), others));
    let leaver = ward.people[people - 1];
    let told = |turn: &Turn| {
        let whole = |send: &&Send| {
            matches!(send, Send::Fanout { event: Event::Small(kind), .. }
                if matches!(**kind, Kind::Conversation(_)))
        };
        turn.sends.iter().filter(whole).count()
    };
    assert_eq!(told(&ward.change(Conn(1), group, &[], &[leaver])), people - 1);
    let next = ward.people[people - 2];
    assert_eq!(told(&ward.change(Conn(1), group, &[], &[next])), 0, "and only then");
}

#[test]
fn a_suspended_owner_freezes_no_group() {
    let mut ward = Ward::new(3);
    let (ana, ben, cho) = (ward.people[0], ward.people[1], ward.people[2]);
    let group = group_of(&ward.open_group(Conn(1), vec![ben, cho]));
    assert!(matches!(answer(&ward.change(Conn(2), group, &[], &[cho])), Body::Refused(_)));
    ward.ask(BOX, Ask::SetStanding { person: ana, suspended: true });
    assert!(matches!(answer(&ward.change(Conn(2), group, &[], &[cho])), Body::Opened(_)));
}
