use super::*;

fn upto(marks: &Marks) -> u64 {
    marks.upto
}

#[test]
fn own_messages_that_overtake_leave_no_gap() {
    let mut marks = Marks::default();
    assert_eq!(marks.advance(1, 1), None);
    marks.add(4);
    assert!(marks.contains(4) && !marks.contains(3));
    assert_eq!(marks.advance(2, 1), None);
    assert_eq!(marks.advance(3, 1), None);
    assert_eq!(upto(&marks), 4);
    assert_eq!(marks.advance(9, 1), Some((5, 8)));
    assert_eq!(marks.advance(13, 12), Some((12, 12)));
}

#[test]
fn a_file_from_before_the_list_of_devices_is_read() {
    let stored: Stored = serde_json::from_str(r#"{"people":[],"conversations":[]}"#).unwrap();
    assert!(stored.devices.is_empty());
}

#[test]
fn conversations_are_stored_compactly_and_files_of_before_are_read() {
    let stored = StoredConversation { wire: vec![0, 1, 254, 255], taken: Marks::default() };
    let written = serde_json::to_string(&stored).unwrap();
    assert_eq!(written, r#"{"wire":"AAH+/w==","taken":{"upto":0,"ahead":[]}}"#);
    for text in [written.as_str(), r#"{"wire":[0,1,254,255],"taken":{"upto":0,"ahead":[]}}"#] {
        assert_eq!(serde_json::from_str::<StoredConversation>(text).unwrap().wire, [0, 1, 254, 255]);
    }
    assert!(
        serde_json::from_str::<StoredConversation>(r#"{"wire":"?","taken":{"upto":0,"ahead":[]}}"#).is_err()
    );
}

#[test]
fn what_became_of_a_message_is_told_of_one_that_was_met_here() {
    let home = tempfile::tempdir().unwrap();
    let key = DeviceKey::generate().unwrap();
    let (me, device) = (PersonId::new(1).unwrap(), DeviceId::new(9).unwrap());
    let mut state =
        State::open(&home.path().join("state"), &home.path().join("cursor"), &key, me, device).unwrap();
    let message = |sequence, recalled_at| proto::Message {
        conversation: 7,
        sequence,
        message: vec![sequence as u8; 16],
        sender: 2,
        recalled_at,
        ..proto::Message::default()
    };
    let changed = |state: &mut State, sequence| {
        let events = state.apply(proto::event::Kind::MessageChanged(message(sequence, 5))).unwrap();
        events.len()
    };
    assert_eq!(changed(&mut state, 1), 0, "of a conversation that is not known here");
    let whole = proto::Conversation { conversation: 7, first_sequence: 1, ..Default::default() };
    state.apply(proto::event::Kind::Conversation(whole)).unwrap();
    // A snapshot tells of what was altered before it sends messages.
    assert_eq!(changed(&mut state, 1), 0);
    state.apply(proto::event::Kind::Message(message(2, 0))).unwrap();
    assert_eq!((changed(&mut state, 2), changed(&mut state, 3)), (1, 0));
}

#[test]
fn a_change_is_told_as_the_whole_conversation() {
    let home = tempfile::tempdir().unwrap();
    let key = DeviceKey::generate().unwrap();
    let id = |value| PersonId::new(value).unwrap();
    let (me, device) = (id(1), DeviceId::new(9).unwrap());
    let mut state =
        State::open(&home.path().join("state"), &home.path().join("cursor"), &key, me, device).unwrap();
    let member = |person, read| proto::Member { person, delivered: read, read };
    let change = proto::ConversationChanged {
        conversation: 7,
        joined: vec![member(3, 4), member(2, 1)],
        left: vec![],
        first_sequence: 5,
        ..proto::ConversationChanged::default()
    };
    let apply = |state: &mut State, change: proto::ConversationChanged| {
        state.apply(proto::event::Kind::ConversationChanged(change)).unwrap()
    };
    assert!(apply(&mut state, change.clone()).is_empty(), "of a conversation that is not known here");
    let whole = proto::Conversation {
        conversation: 7,
        kind: proto::ConversationKind::Group.into(),
        title: "Hall B".to_owned(),
        members: vec![member(1, 0), member(2, 3)],
        last_sequence: 9,
        first_sequence: 6,
        ..proto::Conversation::default()
    };
    state.apply(proto::event::Kind::Conversation(whole)).unwrap();
    let told = apply(&mut state, change);
    let [Event::Conversation(now)] = told.as_slice() else { panic!("{told:?}") };
    // Nothing falls: neither a watermark nor what may be read.
    let members: Vec<_> = now.members.iter().map(|member| (member.person.value(), member.read.0)).collect();
    assert_eq!((members, now.first), (vec![(1, 0), (2, 3), (3, 4)], Sequence(6)));
    let change = proto::ConversationChanged {
        conversation: 7,
        title: Some("Hall C".to_owned()),
        archived: Some(true),
        ..proto::ConversationChanged::default()
    };
    let told = apply(&mut state, change);
    let [Event::Conversation(now)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((now.title.as_str(), now.archived, now.members.len()), ("Hall C", true, 3));
    let change = proto::ConversationChanged {
        conversation: 7,
        left: vec![2],
        first_sequence: 8,
        purged: true,
        ..proto::ConversationChanged::default()
    };
    let told = apply(&mut state, change);
    let [Event::Conversation(now)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((now.members.len(), now.first, now.purged, now.title.as_str()), (2, Sequence(8), true, ""));
}
