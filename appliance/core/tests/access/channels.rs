//! What whoever administers has to do with channels: all of them by title, and no word of what is said there.

use super::*;

const JONAS: Conn = Actor::Administrator.conn();
const CHIDI: Conn = Actor::Colleague.conn();

fn page_of(house: &mut House, unit: Option<UnitId>, after: Option<ConversationId>) -> proto::ChannelPage {
    house.ward.now.mono = house.ward.now.mono.after(10_000);
    let Body::ChannelPage(page) = answer(&house.ward.ask(JONAS, Ask::ListAllChannels { unit, after })) else {
        panic!("no page")
    };
    page
}

fn opens(house: &mut House, by: Conn, unit: UnitId, name: &str) -> Turn {
    house.ward.now.mono = house.ward.now.mono.after(10_000);
    let (title, fresh) = (title(name), house.ward.fresh());
    house.ward.ask(by, Ask::OpenChannel { unit, title, fresh })
}

fn assert_refused(turn: &Turn, code: RefusalCode) {
    assert_eq!(refusal(turn), Some(code.as_str_name()));
}

/// By this turn nobody comes into it.
fn nobody_enters(turn: &Turn, place: ConversationId) -> bool {
    !turn
        .writes
        .iter()
        .any(|one| matches!(&one.write, Write::MemberAdded { conversation, .. } if *conversation == place))
}

#[test]
fn jonas_who_administers_sees_every_units_channels_and_reads_none() {
    let mut house = House::new(Subject::Channel);
    let (place, unit, other) = (house.place, house.unit, unit_of(&house, "Hall B"));
    let said = house.request(Operation::Send, Actor::Owner);
    assert!(is_done(&house.ward.ask(Actor::Owner.conn(), said)));
    assert!(is_done(&opens(&mut house, Actor::OtherUnit.conn(), other, "Night round")));
    assert!(is_done(&house.ward.open_group(Actor::Owner.conn(), vec![house.newcomer])), "no channel");

    let page = page_of(&mut house, None, None);
    let mut titles: Vec<(&str, u64, u32, bool, bool)> = Vec::new();
    for one in &page.channels {
        titles.push((&one.title, one.unit, one.members, one.member, one.archived));
    }
    titles.sort_unstable();
    let present = house.ward.relay.state().conversations[&place].present().count() as u32;
    let expected =
        [("Huddle", unit.value(), present, false, false), ("Night round", other.value(), 1, false, false)];
    assert!(page.end && titles == expected, "{titles:?}");
    let of_unit = page_of(&mut house, Some(other), None);
    assert_eq!(of_unit.channels.iter().map(|one| one.title.as_str()).collect::<Vec<_>>(), ["Night round"]);

    let asks = || Ask::ListAllChannels { unit: UnitId::new(99), after: None };
    assert_refused(&house.ward.ask(JONAS, asks()), RefusalCode::NoSuchUnit);
    for conn in
        [Actor::AdministratorOnTheWard.conn(), Actor::ChargeNurse.conn(), Actor::PrivacyOfficer.conn()]
    {
        assert_refused(&house.ward.ask(conn, asks()), RefusalCode::NotAdministrator);
    }
    let reads = Ask::History { conversation: place, before: Sequence::NONE, limit: 10 };
    assert_refused(&house.ward.ask(JONAS, reads), RefusalCode::NoSuchConversation);
    assert_refused(
        &house.ward.ask(JONAS, Ask::JoinChannel { conversation: place }),
        RefusalCode::NoSuchConversation,
    );
    done(&house.ward.ask(BOX, Ask::PurgeConversation { conversation: place }));
    assert_eq!(page_of(&mut house, None, None).channels.len(), 1, "what is purged is nobody's");
}

#[test]
fn a_channel_that_jonas_opens_is_its_units() {
    let mut house = House::new(Subject::Channel);
    let unit = house.unit;
    let opened = opens(&mut house, JONAS, unit, "Visitors");
    done(&opened);
    let made = opened.writes.iter().find_map(|one| match &one.write {
        Write::ConversationOpened { conversation, owner, .. } => Some((*conversation, *owner)),
        _ => None,
    });
    let (place, owner) = made.expect("a channel");
    assert!(owner.is_none() && nobody_enters(&opened, place), "nobody is in it by that");
    assert!(
        !house.ward.relay.state().conversations[&place]
            .members
            .contains_key(&house.people[Actor::Administrator as usize])
    );

    // The first of the unit who is in it may do with it what an owner may; who is not there hears of nothing.
    assert!(is_done(&house.ward.ask(CHIDI, Ask::JoinChannel { conversation: place })));
    done(&house.ward.ask(CHIDI, Ask::Rename { conversation: place, title: title("Guests") }));
    let renamed =
        house.ward.ask(JONAS, Ask::Rename { conversation: place, title: title("Visitors and guests") });
    done(&renamed);
    let heard = |send: &Send| matches!(send, Send::Fanout { conns, .. } if *conns == [CHIDI]);
    assert!(renamed.sends.iter().any(heard), "whoever is in it sees the title");
    done(&house.ward.ask(JONAS, Ask::Archive { conversation: place, archived: true }));
    assert_refused(
        &house.ward.ask(JONAS, Ask::Rename { conversation: place, title: title("Again") }),
        RefusalCode::Archived,
    );
    assert!(
        page_of(&mut house, Some(unit), None).channels.iter().any(|one| one.archived && one.members == 1)
    );
    done(&house.ward.ask(JONAS, Ask::Archive { conversation: place, archived: false }));

    let group = group_of(&house.ward.open_group(Actor::Owner.conn(), vec![house.newcomer]));
    for ask in [
        Ask::Rename { conversation: group, title: title("Mine") },
        Ask::Archive { conversation: group, archived: true },
        Ask::ChangeMembers { conversation: place, add: vec![], remove: vec![house.newcomer] },
    ] {
        assert_refused(&house.ward.ask(JONAS, ask), RefusalCode::NoSuchConversation);
    }
    let from_the_ward = Ask::Archive { conversation: place, archived: true };
    let refused = house.ward.ask(Actor::AdministratorOnTheWard.conn(), from_the_ward);
    assert_refused(&refused, RefusalCode::NoSuchConversation);
    assert_refused(
        &opens(&mut house, Actor::AdministratorOnTheWard.conn(), unit, "No"),
        RefusalCode::NotPermitted,
    );
}

#[test]
fn all_channels_come_in_pages_and_a_unit_has_its_most_whoever_opens_them() {
    let mut house = House::new(Subject::Channel);
    let (unit, other) = (house.unit, unit_of(&house, "Hall B"));
    for _ in 1..limits::CHANNELS_OF_UNIT_MAX {
        assert!(is_done(&opens(&mut house, JONAS, unit, "Topic")));
    }
    assert_refused(&opens(&mut house, JONAS, unit, "One more"), RefusalCode::Limit);
    let full = page_of(&mut house, None, None);
    assert!(full.end && full.channels.len() == limits::CHANNELS_PAGE_MAX);
    for _ in 0..3 {
        assert!(is_done(&opens(&mut house, JONAS, other, "Topic")));
    }
    let first = page_of(&mut house, None, None);
    assert!(!first.end && first.channels.len() == limits::CHANNELS_PAGE_MAX);
    let after = first.channels.last().and_then(|last| ConversationId::new(last.conversation));
    let rest = page_of(&mut house, None, after);
    let mut all = [first.channels, rest.channels].concat();
    assert!(rest.end && all.len() == limits::CHANNELS_OF_UNIT_MAX + 3);
    assert!(all.is_sorted_by_key(|one| one.conversation));
    all.dedup_by_key(|one| one.conversation);
    assert_eq!(all.len(), limits::CHANNELS_OF_UNIT_MAX + 3, "none comes twice");
}

fn unit_of(house: &House, name: &str) -> UnitId {
    let found = house.ward.relay.state().units.iter().find(|(_, unit)| unit.name.reveal() == name);
    *found.expect("a unit").0
}
