//! What follows from a right, and what bounds it.

use super::*;

#[test]
fn who_loses_their_post_is_out_of_the_units_channels_at_once_and_hears_nothing_more() {
    let mut house = House::new(Subject::Channel);
    let (person, unit, place) = (house.victim, house.unit, house.place);
    let turn = house.ward.ask(Actor::ChargeNurse.conn(), Ask::SetPost { person, unit, post: None });
    done(&turn);
    assert!(house.ward.relay.state().conversations[&place].member(person).is_none());
    let gone = |send: &Send| match send {
        Send::Fanout { event: wardline_core::turn::Event::Small(kind), conns, .. } => {
            matches!(**kind, proto::event::Kind::Gone(_)) && *conns == [Conn(100)]
        }
        _ => false,
    };
    assert!(turn.sends.iter().any(gone), "their devices forget it");
    let said = house.request(Operation::Send, Actor::Owner);
    let heard = house.ward.ask(Actor::Owner.conn(), said);
    let hears = |send: &Send| matches!(send, Send::Fanout { conns, .. } if conns.contains(&Conn(100)));
    assert!(is_done(&heard) && !heard.sends.iter().any(hears));
}

#[test]
fn who_joins_a_channel_reads_it_from_its_beginning_and_who_joins_a_group_does_not() {
    for (subject, from) in [(Subject::Channel, 1), (Subject::Group, 2)] {
        let mut house = House::new(subject);
        let (place, newcomer) = (house.place, house.newcomer);
        let said = house.request(Operation::Send, Actor::Owner);
        assert!(is_done(&house.ward.ask(Actor::Owner.conn(), said)));
        house.ward.change(Actor::Member.conn(), place, &[newcomer], &[]);
        let member = *house.ward.relay.state().conversations[&place].member(newcomer).expect("a member");
        assert_eq!(member.from, Sequence(from), "{subject:?}");
        let asked = Ask::History { conversation: place, before: Sequence::NONE, limit: 10 };
        let granted = house.ward.ask(Conn(101), asked);
        let first = granted.sends.iter().find_map(|send| match send {
            Send::ReadPage { grant, .. } => Some(grant.from()),
            _ => None,
        });
        assert_eq!(first, Some(Sequence(from)));
    }
}

#[test]
fn what_is_archived_takes_nothing_new_until_it_is_opened_again() {
    let mut house = House::new(Subject::Channel);
    let place = house.place;
    done(&house.ward.ask(Actor::ChargeNurse.conn(), Ask::Archive { conversation: place, archived: true }));
    for (operation, actor) in [
        (Operation::Send, Actor::Owner),
        (Operation::AddMember, Actor::Member),
        (Operation::Rename, Actor::Owner),
    ] {
        let ask = house.request(operation, actor);
        let turn = house.ward.ask(actor.conn(), ask);
        assert_eq!(refusal(&turn), Some(RefusalCode::Archived.as_str_name()), "{operation:?}");
    }
    let read = house.request(Operation::Read, Actor::Member);
    assert!(is_done(&house.ward.ask(Actor::Member.conn(), read)), "it can be read");
    let join = house.request(Operation::JoinChannel, Actor::Colleague);
    assert!(is_done(&house.ward.ask(Actor::Colleague.conn(), join)), "and joined: it is the unit's to read");
    let leave = house.request(Operation::Leave, Actor::Member);
    assert!(is_done(&house.ward.ask(Actor::Member.conn(), leave)), "and left");
    done(&house.ward.ask(Actor::Owner.conn(), Ask::Archive { conversation: place, archived: false }));
    let said = house.request(Operation::Send, Actor::Owner);
    assert!(is_done(&house.ward.ask(Actor::Owner.conn(), said)));
}

#[test]
fn a_wrong_request_is_told_the_rule_and_changes_nothing() {
    let mut house = House::new(Subject::Channel);
    let (place, unit) = (house.place, house.unit);
    let stranger = house.people[Actor::OtherUnit as usize];
    let direct = {
        let fresh = house.ward.fresh();
        group_of(&house.ward.ask(Actor::Owner.conn(), Ask::OpenDirect { person: stranger, fresh }))
    };
    let nowhere = UnitId::new(99).expect("an identifier");
    let suspended = house.people[Actor::Suspended as usize];
    let officer = house.people[Actor::PrivacyOfficer as usize];
    let nurse = house.people[Actor::ChargeNurse as usize];
    let (owner, local) = (Actor::Owner.conn(), BOX);
    let cases = [
        (owner, Ask::Rename { conversation: direct, title: title("Us") }, RefusalCode::NotInDirect),
        (owner, Ask::Archive { conversation: direct, archived: true }, RefusalCode::NotInDirect),
        (
            owner,
            Ask::ChangeMembers { conversation: place, add: vec![stranger], remove: vec![] },
            RefusalCode::NotOfUnit,
        ),
        (
            owner,
            Ask::ChangeMembers { conversation: direct, add: vec![house.victim], remove: vec![] },
            RefusalCode::NotInDirect,
        ),
        (local, Ask::SetPost { person: stranger, unit: nowhere, post: None }, RefusalCode::NoSuchUnit),
        (local, Ask::SetPost { person: suspended, unit, post: Some(Post::Staff) }, RefusalCode::NoSuchPerson),
        (
            local,
            Ask::SetPost { person: officer, unit, post: Some(Post::ChargeNurse) },
            RefusalCode::DutiesExclude,
        ),
        (
            local,
            Ask::SetDuties { person: nurse, administrator: false, privacy_officer: true },
            RefusalCode::DutiesExclude,
        ),
        (
            local,
            Ask::SetDuties { person: stranger, administrator: true, privacy_officer: true },
            RefusalCode::DutiesExclude,
        ),
    ];
    for (conn, ask, code) in cases {
        let turn = house.ward.ask(conn, ask);
        assert_eq!(refusal(&turn), Some(code.as_str_name()));
        assert!(turn.writes.is_empty(), "{} changes nothing", code.as_str_name());
    }
}

#[test]
fn units_posts_and_channels_have_their_bounds() {
    let mut house = House::new(Subject::Channel);
    let refused = |turn: &Turn, code: RefusalCode| assert_eq!(refusal(turn), Some(code.as_str_name()));
    let mut units = Vec::new();
    while house.ward.relay.state().units.len() < limits::UNITS_MAX {
        let name = Name::parse(&format!("Unit {}", units.len())).expect("a name");
        let fresh = house.ward.fresh();
        let Body::UnitSet(set) = answer(&house.ward.ask(BOX, Ask::SetUnit { unit: None, name, fresh }))
        else {
            panic!("no unit")
        };
        units.push(UnitId::new(set.unit).expect("a unit"));
    }
    let one_more = house.request(Operation::SetUnit, Actor::BoxService);
    refused(&house.ward.ask(BOX, one_more), RefusalCode::Limit);
    let person = house.newcomer;
    for unit in &units[..limits::POSTS_MAX - 1] {
        done(&house.ward.ask(BOX, Ask::SetPost { person, unit: *unit, post: Some(Post::Staff) }));
    }
    let unit = units[limits::POSTS_MAX];
    refused(&house.ward.ask(BOX, Ask::SetPost { person, unit, post: Some(Post::Staff) }), RefusalCode::Limit);

    // Channels: of one owner, then more than a page of them in two units.
    let newcomer = Conn(101);
    for unit in [house.unit, units[0]] {
        for _ in 0..limits::CHANNELS_OF_OWNER_MAX {
            house.ward.now.mono = house.ward.now.mono.after(10_000);
            let (title, fresh) = (title("Topic"), house.ward.fresh());
            assert!(is_done(&house.ward.ask(newcomer, Ask::OpenChannel { unit, title, fresh })));
        }
        let (title, fresh) = (title("Topic"), house.ward.fresh());
        refused(&house.ward.ask(newcomer, Ask::OpenChannel { unit, title, fresh }), RefusalCode::Limit);
    }
    let Body::ChannelPage(page) = answer(&house.ward.ask(newcomer, Ask::ListChannels { after: None })) else {
        panic!("no page")
    };
    let in_order = page.channels.is_sorted_by_key(|channel| channel.conversation);
    assert!(page.end && in_order && page.channels.len() == 2 * limits::CHANNELS_OF_OWNER_MAX + 1);
    let after = ConversationId::new(page.channels[30].conversation);
    let Body::ChannelPage(rest) = answer(&house.ward.ask(newcomer, Ask::ListChannels { after })) else {
        panic!("no page")
    };
    assert!(rest.channels == page.channels[31..], "another rest");
}

#[test]
fn posts_cost_their_giver() {
    let mut house = House::new(Subject::Channel);
    let (unit, person) = (house.unit, house.people[Actor::PrivacyOfficer as usize]);
    let mut given = 0;
    for round in 0..10 * limits::POSTS.burst {
        let post = round.is_multiple_of(2).then_some(Post::Staff);
        let turn = house.ward.ask(Actor::ChargeNurse.conn(), Ask::SetPost { person, unit, post });
        given += u64::from(is_done(&turn));
    }
    assert_eq!(given, limits::POSTS.burst);
}

#[test]
fn whoever_loses_the_right_to_issue_codes_loses_those_issued() {
    let mut house = House::new(Subject::Channel);
    let (victim, unit) = (house.victim, house.unit);
    let alive =
        |house: &House| house.ward.relay.state().codes.values().filter(|c| c.person == victim).count();
    let nurse = house.people[Actor::ChargeNurse as usize];
    let administrator = house.people[Actor::Administrator as usize];
    for (actor, ends) in [
        (Actor::ChargeNurse, Ask::SetPost { person: nurse, unit, post: Some(Post::Staff) }),
        (
            Actor::Administrator,
            Ask::SetDuties { person: administrator, administrator: false, privacy_officer: false },
        ),
    ] {
        let code = house.request(Operation::IssueJoinCode, actor);
        assert!(is_done(&house.ward.ask(actor.conn(), code)));
        assert_eq!(alive(&house), 1);
        done(&house.ward.ask(BOX, ends));
        assert_eq!(alive(&house), 0, "{actor:?}");
    }
}
