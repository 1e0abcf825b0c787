//! What readers answer, against the model.

use proptest::prelude::*;
use wardline_core::escalation::StatId;
use wardline_core::grant::SyncGrant;
use wardline_core::ids::{Change, Number, PersonId, Sequence};
use wardline_core::limits::{CATCH_UP_MAX, SNAPSHOT_MESSAGES};
use wardline_core::mailbox::Under;
use wardline_core::notice::{Notice, Told};
use wardline_core::retention::Bounds;
use wardline_core::time::Wall;
use wardline_core::write::Write;
use wardline_relay::store::{Missed, Page, Readers, Store, StoredMessage};

use crate::batches::commit_cut;
use crate::model::Model;
use crate::world::World;
use crate::{block_on, commit, grants, open, quick_directory};

/// In as many readings as it takes.
async fn all(readers: &Readers, grant: &SyncGrant, mut missed: &[Missed]) -> Vec<StoredMessage> {
    let mut messages = Vec::new();
    while !missed.is_empty() {
        let (read, looked_at) = readers.messages(grant, missed).await.unwrap();
        assert!(looked_at > 0 && read.len() <= looked_at, "a reading goes on");
        let bytes: usize = read.iter().map(|message| message.body.0.len()).sum();
        assert!(read.len() == 1 || bytes <= 64 * 1024, "a reading of {bytes} bytes");
        messages.extend(read);
        missed = &missed[looked_at..];
    }
    messages
}

async fn check(store: &Store, model: &Model, dice: u64) {
    let readers = store.readers();
    let head = model.state.change;
    let cursors = [
        0,
        1,
        dice % (head.0 + 1),
        head.0 / 2,
        head.0 * 9 / 10,
        head.0.saturating_sub(3),
        head.0,
        head.0 + 5,
    ];
    for person in model.state.people.keys().copied().take(6) {
        let grant = grants::sync(person);
        for after in cursors.map(|n| Some(Change(n))).into_iter().chain([None]) {
            let expected = model.changes(person, after);
            let found = readers.changes(&grant, after).await.unwrap();
            assert_eq!(found, expected, "{person} after {after:?}");
            let messages = all(&readers, &grant, &found.messages).await;
            assert_eq!(messages, model.messages(person, &found.messages));
            assert_eq!(messages.len(), found.messages.len(), "what is listed may be read");
            let altered = all(&readers, &grant, &found.altered).await;
            assert_eq!(altered, model.messages(person, &found.altered));
            assert_eq!(altered.len(), found.altered.len(), "what was altered may be read");
        }
        // Whatever is asked for, only what may be read is given; also of what is no message.
        let everything: Vec<Missed> = (0..=head.0 + 1).map(|change| model.missed(Change(change))).collect();
        assert_eq!(all(&readers, &grant, &everything).await, model.messages(person, &everything));
    }
    for conversation in model.state.conversations.values().take(12) {
        assert_eq!(readers.key(conversation.id).await.unwrap().as_ref(), model.keys.get(&conversation.id));
        for (from, before, limit) in
            [(1, conversation.last.0 + 1, 100), (1 + dice % 9, conversation.last.0 / 2 + 1, 7)]
        {
            let within = (Sequence(from), Sequence(before));
            for person in model.state.people.keys().copied().take(6) {
                let grant = grants::page(person, conversation.id, within, limit);
                let expected = model.page(person, conversation.id, within, limit);
                assert_eq!(readers.page(&grant).await.unwrap(), expected);
                for oldest in [None, Some(Sequence(from + 1))] {
                    let told = readers.notices(&grant, oldest).await.unwrap();
                    assert_eq!(told, model.notices(person, conversation.id, within, oldest));
                    let signed = readers.signed(&grant, oldest).await.unwrap();
                    assert_eq!(signed, model.signed(person, conversation.id, (oldest, within.1), limit));
                }
            }
        }
    }
    for conversation in model.state.conversations.values().take(12) {
        for sequence in 0..conversation.last.0 + 2 {
            let which = StatId { conversation: conversation.id, sequence: Sequence(sequence) };
            assert_eq!(readers.find(which).await.unwrap(), model.find(which));
            for person in model.state.people.keys().copied().take(3) {
                let grant = grants::page(person, conversation.id, (Sequence(1), Sequence(sequence + 1)), 1);
                let order = readers.order(&grant, Some(which.sequence)).await.unwrap();
                assert_eq!(order, model.order(person, which));
                let stat = readers.stat(&grant, Some(which.sequence)).await.unwrap();
                assert_eq!(stat, model.stat(person, which));
                let larger = grants::page(person, conversation.id, (Sequence(1), Sequence(sequence + 1)), 2);
                assert_eq!(readers.order(&larger, Some(which.sequence)).await.unwrap().0, None);
                assert_eq!(readers.stat(&larger, Some(which.sequence)).await.unwrap(), None);
            }
        }
    }
    // By the change that altered them, some at a time.
    let (mut after, mut seen) = (Change(0), 0);
    loop {
        let (some, through) = readers.altered(after, 3).await.unwrap();
        assert!(some.iter().all(|message| model.altered[&message.change].1 > after));
        assert!(some.iter().all(|message| model.altered[&message.change].1 <= through));
        (after, seen) = (through, seen + some.len());
        if some.len() < 3 {
            break;
        }
    }
    assert_eq!((after, seen), (head, model.altered.len()));
    for device in model.state.devices.values() {
        for number in 1..=device.last_number.0.min(40) + 1 {
            let number = Number(number);
            let found = readers.submission(device.id, number).await.unwrap();
            assert_eq!(found, model.submission(device.id, number));
        }
    }
    let end = head.0 + 1;
    for (read, any) in [(end, end / 2), (end / 2, end / 4), (end, end), (end / 3, 0)] {
        let bounds = Bounds::uniform(Change(read), Change(any));
        let expected = model.aged(&bounds);
        assert_eq!(readers.aged(&bounds, 1_000).await.unwrap(), expected);
        assert_eq!(readers.aged(&bounds, 2).await.unwrap().len(), expected.len().min(2));
        assert_eq!(readers.count_aged(&bounds).await.unwrap(), model.count_aged(&bounds));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn readers_answer_what_the_model_works_out(
        throws in prop::collection::vec(any::<(u8, u64, u64)>(), 0..600),
        cuts in prop::collection::vec(1..100_usize, 1..4),
        dice in any::<u64>(),
    ) {
        let world = World::of(&throws);
        block_on(async {
            let directory = quick_directory();
            let (mut store, _) = open(directory.path()).await;
            commit_cut(&mut store, &world.writes, &cuts).await;
            check(&store, &Model::of(&world.writes), dice).await;
        });
    }
}

/// Two people, one conversation, and as many messages as asked for.
fn chatter(messages: u64) -> (World, PersonId) {
    let mut world = World::default();
    let (ana, ben) = (world.person(1).unwrap(), world.person(2).unwrap());
    world.device(ana, 1).unwrap();
    world.device(ben, 2).unwrap();
    let conversation = world.open(ana, 1, 2).unwrap();
    for how in 0..messages {
        world.clock += 1;
        world.message(conversation, how * 5 + 1).unwrap();
    }
    (world, ben)
}

#[test]
fn whoever_missed_too_much_gets_a_snapshot() {
    let (world, ben) = chatter(CATCH_UP_MAX as u64 + 1);
    let brought = |nth: usize| {
        let messages = world.writes.iter().filter(|n| matches!(n.write, Write::MessageAccepted(_)));
        messages.map(|n| n.change).nth(nth).unwrap()
    };
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        commit_cut(&mut store, &world.writes, &[1024]).await;
        let (readers, grant) = (store.readers(), grants::sync(ben));
        let model = Model::of(&world.writes);
        let before_all = Change(brought(0).0 - 1);
        let everything = readers.changes(&grant, Some(before_all)).await.unwrap();
        assert!(everything.snapshot);
        assert_eq!(everything.messages.len(), SNAPSHOT_MESSAGES as usize);
        assert_eq!(everything, model.changes(ben, Some(before_all)));
        let all_but_one = readers.changes(&grant, Some(brought(0))).await.unwrap();
        assert!(!all_but_one.snapshot);
        assert_eq!(all_but_one.messages.len(), CATCH_UP_MAX);
        assert_eq!(all_but_one, model.changes(ben, Some(brought(0))));
    });
}

#[test]
fn an_answer_is_of_one_moment_while_batches_come_in() {
    let (world, ben) = chatter(2_000);
    let end = world.state.change;
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        commit(&mut store, &world.writes[..20]).await;
        let readers = store.readers();
        let reading = tokio::spawn(async move {
            let grant = grants::sync(ben);
            let mut answers = 0;
            loop {
                let changes = readers.changes(&grant, Some(Change(10))).await.unwrap();
                // Every message's change is known, in order, none above the head; and messages alternate with audit
                // entries, so the head says how many there must be.
                assert!(
                    changes.messages.is_sorted()
                        && changes.messages.last().map(|last| last.change) <= Some(changes.head)
                );
                let expected = changes.head.0.saturating_sub(10).div_ceil(2);
                assert!(changes.messages.len() as u64 <= expected);
                assert!(
                    changes.messages.len() as u64 + 3 >= expected,
                    "{} {expected}",
                    changes.messages.len()
                );
                answers += 1;
                if changes.head == end {
                    return answers;
                }
            }
        });
        commit_cut(&mut store, &world.writes[20..], &[2, 7, 31]).await;
        assert!(reading.await.unwrap() > 3);
    });
}

#[test]
fn a_page_ends_with_the_message_that_fills_it() {
    let world = crate::files::long_messages(40);
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        commit(&mut store, &world.writes).await;
        let conversation = world.state.conversations.values().next().unwrap();
        let (id, within) = (conversation.id, (Sequence(1), Sequence(41)));
        let grant = grants::page(conversation.owner.unwrap(), id, within, 100);
        let page = store.readers().page(&grant).await.unwrap();
        assert_eq!(page, Model::of(&world.writes).page(conversation.owner.unwrap(), id, within, 100));
        let Page::Of(page) = page else { panic!("{page:?}") };
        // 64 KiB in messages of 8 KiB of text.
        assert_eq!(
            page.iter().map(|message| message.sequence.0).collect::<Vec<_>>(),
            [40, 39, 38, 37, 36, 35, 34, 33]
        );
    });
}

/// A retry that comes while its message expires: it is there, or it was. Never as if it had not been.
#[test]
fn a_message_that_expires_meanwhile_is_never_unheard_of() {
    let mut world = World::default();
    let ana = world.person(1).unwrap();
    let device = world.device(ana, 1).unwrap();
    let conversation = world.open(ana, 1, 1).unwrap();
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        let mut done = 0;
        for _ in 0..600 {
            world.message(conversation, 1).unwrap();
            commit(&mut store, &world.writes[done..]).await;
            done = world.writes.len();
            let (number, readers) = (world.state.devices[&device].last_number, store.readers());
            let reading = tokio::spawn(async move {
                loop {
                    match readers.submission(device, number).await.unwrap() {
                        Under::Message(_) => {}
                        Under::Deleted => return true,
                        Under::Nothing => return false,
                    }
                }
            });
            let through = world.state.conversations[&conversation].last;
            world.write(Write::MessagesExpired { conversation, through });
            commit(&mut store, &world.writes[done..]).await;
            done = world.writes.len();
            assert!(reading.await.unwrap(), "number {} is as if nobody had ever sent it", number.0);
        }
    });
}

/// Of a STAT about which more was signed than is kept, the oldest go; the purge takes all. And with the message goes what was signed.
#[test]
fn what_was_signed_is_bounded_and_goes_with_its_message() {
    let mut world = World::default();
    let person = world.person(1).unwrap();
    world.device(person, 1).unwrap();
    let place = world.open(person, 7, 1).unwrap();
    let (one, other) = [1, 2].map(|n| StatId { conversation: place, sequence: Sequence(n) }).into();
    for how in 0..70 {
        world.sign(if how % 2 == 0 { one } else { other }, person, how);
    }
    let (signed, before) = (world.writes.len(), world.writes.clone());
    world.write(Write::KeyDestroyed { conversation: place });
    block_on(async {
        for most in [1_000, 9] {
            let directory = quick_directory();
            let (mut store, _) = open(directory.path()).await;
            commit_cut(&mut store, &before, &[most]).await;
            for (of, last) in [(one, 68), (other, 69)] {
                let grant = grants::page(person, place, (of.sequence, of.sequence.next()), 1);
                let found = store.readers().signed(&grant, Some(of.sequence)).await.unwrap();
                assert!(found.iter().all(|answer| answer.id == of));
                let marks: Vec<u8> = found.iter().map(|answer| answer.signature[0]).collect();
                assert_eq!(marks, (0..32).map(|n| last - 2 * n).collect::<Vec<u8>>());
            }
            commit(&mut store, &world.writes[signed..]).await;
            let grant = grants::page(person, place, (Sequence(1), Sequence(9)), 9);
            assert!(store.readers().signed(&grant, Some(Sequence(1))).await.unwrap().is_empty());
        }
    });
}

/// Of a thread with more than it keeps, the oldest go; the purge takes all.
#[test]
fn a_thread_keeps_its_newest_notices_until_its_purge() {
    let mut world = World::default();
    let person = world.person(1).unwrap();
    let thread = world.open(person, 7, 1).unwrap();
    for number in 1..=950 {
        let (after, at) = (Sequence::NONE, Wall(number as i64));
        let told = Told::Left { person };
        world.write(Write::NoticeMade(Notice { conversation: thread, number, after, at, by: None, told }));
    }
    let (told, before) = (world.writes.len(), world.writes.clone());
    world.write(Write::KeyDestroyed { conversation: thread });
    block_on(async {
        for most in [1_000, 900, 7] {
            let directory = quick_directory();
            let (mut store, _) = open(directory.path()).await;
            commit_cut(&mut store, &before, &[most]).await;
            let grant = grants::page(person, thread, (Sequence(1), Sequence(1)), 1);
            let numbers = store.readers().notices(&grant, None).await.unwrap();
            let numbers: Vec<u64> = numbers.iter().map(|notice| notice.number).collect();
            assert_eq!(numbers, (551..=950).rev().collect::<Vec<_>>());
            commit(&mut store, &world.writes[told..]).await;
            assert!(store.readers().notices(&grant, None).await.unwrap().is_empty());
        }
    });
}
