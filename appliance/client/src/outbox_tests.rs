use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use proptest::prelude::*;

use super::*;

fn key() -> DeviceKey {
    DeviceKey::generate().unwrap()
}

fn ward() -> ConversationId {
    ConversationId::new(7).unwrap()
}

fn texts(outbox: &Outbox) -> Vec<String> {
    outbox.waiting().map(|waiting| waiting.text.to_string()).collect()
}

#[test]
fn what_is_synced_comes_back_in_order_and_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let (path, key) = (dir.path().join("outbox"), key());
    let mut outbox = Outbox::open(&path, &key).unwrap();
    let first =
        outbox.put(ward(), "bed 12: 5 mg".to_owned(), Urgency::default(), Beside::default(), 1).unwrap();
    let answered = Beside {
        reply_to: Some(Sequence(7)),
        people: vec![PersonId::new(3).unwrap()],
        roles: vec![RoleId::new(4).unwrap()],
        order: Some(Deed::Correct { of: Sequence(6), to: PersonId::new(5) }),
    };
    outbox.put(ward(), "no, wait".to_owned(), Urgency::default(), answered.clone(), 2).unwrap();
    assert_eq!(outbox.number(first).unwrap(), 1);
    outbox.sync().unwrap();
    drop(outbox);
    let file = fs::read(&path).unwrap();
    assert!(!file.windows(6).any(|window| window == b"bed 12"));
    let outbox = Outbox::open(&path, &key).unwrap();
    assert_eq!(texts(&outbox), ["bed 12: 5 mg", "no, wait"]);
    assert_eq!(outbox.waiting().next().unwrap().number, Some(1));
    let beside: Vec<_> = outbox.waiting().map(|waiting| waiting.beside.clone()).collect();
    assert_eq!(beside, [Beside::default(), answered]);
    drop(outbox);
    let other = Outbox::open(&path, &self::key());
    assert!(matches!(other, Err(ProfileError::Damaged { .. })));
}

#[test]
fn accepted_texts_leave_the_disk_and_numbers_stay_spent() {
    let dir = tempfile::tempdir().unwrap();
    let (path, key) = (dir.path().join("outbox"), key());
    let mut outbox = Outbox::open(&path, &key).unwrap();
    for expected in 1..=3 {
        let id = outbox.put(ward(), "text".to_owned(), Urgency::default(), Beside::default(), 0).unwrap();
        assert_eq!(outbox.number(id).unwrap(), expected);
        outbox.sync().unwrap();
        outbox.forget(id).unwrap();
    }
    assert!(outbox.wants_rewriting());
    outbox.rewrite().unwrap();
    assert!(!outbox.wants_rewriting());
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"floor\":{\"number\":3}}\n");
    drop(outbox);
    let mut outbox = Outbox::open(&path, &key).unwrap();
    let id = outbox.put(ward(), "next".to_owned(), Urgency::default(), Beside::default(), 0).unwrap();
    assert_eq!(outbox.number(id).unwrap(), 4);
    outbox.raise_floor(40);
    outbox.take_number(id);
    assert_eq!(outbox.number(id).unwrap(), 41);
}

#[test]
fn damage_in_the_middle_is_not_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let (path, key) = (dir.path().join("outbox"), key());
    let mut outbox = Outbox::open(&path, &key).unwrap();
    for _ in 0..2 {
        outbox.put(ward(), "text".to_owned(), Urgency::default(), Beside::default(), 0).unwrap();
    }
    outbox.sync().unwrap();
    drop(outbox);
    let mut file = fs::read(&path).unwrap();
    file[60] ^= 1;
    fs::write(&path, file).unwrap();
    assert!(matches!(Outbox::open(&path, &key), Err(ProfileError::Damaged { .. })));
}

#[test]
fn bad_texts_and_floods_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(&dir.path().join("outbox"), &key()).unwrap();
    for text in ["", &"x".repeat(limits::TEXT_MAX + 1)] {
        let refused = outbox.put(ward(), text.to_owned(), Urgency::default(), Beside::default(), 0);
        assert!(matches!(refused, Err(Error::Input(InputError::Text(_)))));
    }
    for _ in 0..WAITING_MAX {
        outbox.put(ward(), "x".to_owned(), Urgency::default(), Beside::default(), 0).unwrap();
    }
    let refused = outbox.put(ward(), "x".to_owned(), Urgency::default(), Beside::default(), 0);
    assert!(matches!(refused, Err(Error::Input(InputError::OutboxFull(_)))));
}

#[derive(Clone, Debug)]
enum Act {
    Put,
    Number(prop::sample::Index),
    TakeNumber(prop::sample::Index),
    Fail(prop::sample::Index),
    Forget(prop::sample::Index),
    Rewrite,
}

fn act() -> impl Strategy<Value = Act> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => Just(Act::Put),
        3 => index().prop_map(Act::Number),
        1 => index().prop_map(Act::TakeNumber),
        1 => index().prop_map(Act::Fail),
        2 => index().prop_map(Act::Forget),
        1 => Just(Act::Rewrite),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Cut the file anywhere behind the last sync: all that was synced is there, and no number is given twice.
    #[test]
    fn a_crash_loses_nothing_that_was_promised(
        acts in prop::collection::vec(act(), 1..24), cut in any::<prop::sample::Index>(), torn in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (path, key) = (dir.path().join("outbox"), key());
        let mut outbox = Outbox::open(&path, &key).unwrap();
        let mut numbers = BTreeMap::new();
        for act in acts {
            let ids: Vec<MessageId> = outbox.waiting().map(|waiting| waiting.id).collect();
            let pick = |index: &prop::sample::Index| (!ids.is_empty()).then(|| ids[index.index(ids.len())]);
            match act {
                Act::Put => drop(outbox.put(ward(), "text".to_owned(), Urgency::default(), Beside::default(), 0).unwrap()),
                Act::Rewrite => outbox.rewrite().unwrap(),
                Act::Number(index) => if let Some(id) = pick(&index) {
                    prop_assert!(numbers.insert(outbox.number(id).unwrap(), id).is_none());
                },
                Act::TakeNumber(index) => pick(&index).into_iter().for_each(|id| outbox.take_number(id)),
                Act::Forget(index) => pick(&index).into_iter().for_each(|id| outbox.forget(id).unwrap()),
                Act::Fail(index) => if let Some(id) = pick(&index) {
                    let advice = "no".to_owned();
                    let code = RefusalCode::Purged;
                    outbox.fail(id, &Refused { code, advice, retry_after: None, tries_left: 0 }).unwrap();
                },
            }
            outbox.sync().unwrap();
        }
        let promised: Vec<MessageId> = outbox.waiting().map(|waiting| waiting.id).collect();
        let synced = outbox.length;
        // The crash: one more message, its write cut short; or a rewriting that did not come to its rename.
        let late = outbox.put(ward(), "late".to_owned(), Urgency::default(), Beside::default(), 0).unwrap();
        outbox.number(late).unwrap();
        outbox.sync().unwrap();
        drop(outbox);
        let whole = fs::metadata(&path).unwrap().len();
        let kept = synced + cut.index((whole - synced) as usize + 1) as u64;
        OpenOptions::new().write(true).open(&path).unwrap().set_len(kept).unwrap();
        if torn {
            fs::write(path.with_extension("new"), "{\"flo").unwrap();
        }

        let mut outbox = Outbox::open(&path, &key).unwrap();
        let found: BTreeSet<MessageId> = outbox.waiting().map(|waiting| waiting.id).collect();
        prop_assert!(promised.iter().all(|id| found.contains(id)));
        let again = outbox.put(ward(), "again".to_owned(), Urgency::default(), Beside::default(), 0).unwrap();
        let number = outbox.number(again).unwrap();
        prop_assert!(numbers.keys().all(|earlier| *earlier < number));
        outbox.sync().unwrap();
        outbox.rewrite().unwrap();
        drop(outbox);
        let outbox = Outbox::open(&path, &key).unwrap();
        prop_assert!(promised.iter().all(|id| outbox.get(*id).is_some()));
        prop_assert_eq!(outbox.get(again).unwrap().number, Some(number));
    }
}
