//! However writes are cut into batches, the same is stored; and it is what the core remembers.

use futures_util::FutureExt;
use proptest::prelude::*;
use sqlx::{AssertSqlSafe, Executor};
use wardline_core::alarm::AlarmWrite;
use wardline_core::bell::BellWrite;
use wardline_core::broadcast::BroadcastWrite;
use wardline_core::directory::{Device, Post};
use wardline_core::ids::{Change, Number};
use wardline_core::inbox::InboxWrite;
use wardline_core::state::State;
use wardline_core::text::Title;
use wardline_core::urgent::UrgentWrite;
use wardline_core::write::{Numbered, Write};
use wardline_relay::store::{Commit, StoreError};

use crate::model::Model;
use crate::opening::{KEY_HEX, raw};
use crate::world::{World, same};
use crate::{block_on, commit, open, quick_directory};

/// Cuts at these distances, over and over.
pub(crate) async fn commit_cut(
    store: &mut wardline_relay::store::Store,
    writes: &[Numbered],
    cuts: &[usize],
) {
    let mut rest = writes;
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            return;
        }
        let (now, later) = rest.split_at((*cut).clamp(1, rest.len()));
        commit(store, now).await;
        rest = later;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_stores_the_same_and_what_the_core_remembers(
        throws in prop::collection::vec(any::<(u8, u64, u64)>(), 0..400),
        cuts in prop::collection::vec(1..200_usize, 1..6),
    ) {
        let world = World::of(&throws);
        block_on(async {
            let (directory, other) = (quick_directory(), quick_directory());
            let (mut cut, _) = open(directory.path()).await;
            let (mut single, _) = open(other.path()).await;
            commit_cut(&mut cut, &world.writes, &cuts).await;
            commit_cut(&mut single, &world.writes, &[1]).await;
            let hash = cut.readers().canonical_hash().await.unwrap();
            assert_eq!(hash, single.readers().canonical_hash().await.unwrap());
            cut.close().await.unwrap();
            let (cut, restored) = open(directory.path()).await;
            assert!(same(&State::restore(restored).unwrap(), &world.state));
            assert_eq!(hash, cut.readers().canonical_hash().await.unwrap(), "opening changes nothing");
        });
    }
}

/// Messages are filed at round changes only. Wherever batches end, the tables must hold the same; and what is filed, what
/// is newer, and what has been deleted of either must answer alike.
#[test]
fn what_is_filed_in_bulk_is_found_whatever_the_cut() {
    let world = busy_world(14_000);
    let model = Model::of(&world.writes);
    assert!(world.writes.len() > 3 * 4_096, "{} writes", world.writes.len());
    block_on(async {
        let mut hashes = Vec::new();
        for cuts in [&[1_000][..], &[4_096, 5_000], &[97, 1, 310]] {
            let directory = quick_directory();
            let (mut store, _) = open(directory.path()).await;
            commit_cut(&mut store, &world.writes, cuts).await;
            hashes.push(store.readers().canonical_hash().await.unwrap());
            every_number_is_found(&store, &model).await;
            store.close().await.unwrap();
            let (store, restored) = open(directory.path()).await;
            assert!(same(&State::restore(restored).unwrap(), &world.state));
            every_number_is_found(&store, &model).await;
        }
        assert!(hashes.windows(2).all(|two| two[0] == two[1]), "{cuts} ways, different", cuts = hashes.len());
    });
}

async fn every_number_is_found(store: &wardline_relay::store::Store, model: &Model) {
    let readers = store.readers();
    for device in model.state.devices.values() {
        for number in (1..=device.last_number.0 + 1).map(Number) {
            let found = readers.submission(device.id, number).await.unwrap();
            assert_eq!(found, model.submission(device.id, number), "{} {}", device.id, number.0);
        }
    }
}

/// A world in which everything has happened, for tests that need no dice.
pub(crate) fn busy_world(throws: u64) -> World {
    let mut world = World::default();
    for throw in 0..throws {
        let what = throw.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        world.throw(((what >> 33) as u8, what >> 7, what.rotate_left(21)));
    }
    world
}

#[test]
fn the_dice_throw_every_kind_of_write() {
    let world = busy_world(6_000);
    let mut seen = [0_u32; 91];
    for Numbered { write, .. } in &world.writes {
        let kind = match write {
            Write::PersonAdded(_) => 0,
            Write::StandingSet { .. } => 1,
            Write::JoinCodeIssued(_) => 2,
            Write::JoinCodeEnded { .. } => 3,
            Write::DeviceJoined(_) => 4,
            Write::DeviceRevoked { .. } => 5,
            Write::PinTries { .. } => 6,
            Write::SessionOpened { .. } => 7,
            Write::SessionEnded { .. } => 8,
            Write::ConversationOpened { .. } => 9,
            Write::KeyGranted { .. } => 10,
            Write::KeyDestroyed { .. } => 11,
            Write::MemberAdded { .. } => 12,
            Write::MemberLeft { .. } => 13,
            Write::MessageAccepted(_) => 14,
            Write::WatermarkMoved { .. } => 15,
            Write::MessagesExpired { .. } => 16,
            Write::Audited { .. } => 17,
            Write::TimeServed { .. } => 18,
            Write::UnitSet(_) => 19,
            Write::PostSet { .. } => 20,
            Write::DutiesSet { .. } => 21,
            Write::TitleSet { .. } => 22,
            Write::ArchivedSet { .. } => 23,
            Write::EscalationOpened(_) => 24,
            Write::EscalationMoved { .. } => 25,
            Write::EscalationDeclined { .. } => 26,
            Write::EscalationPolicySet { .. } => 27,
            Write::EscalationUnitSet { .. } => 39,
            Write::RoleSet(_) => 40,
            Write::PatientSet { .. } => 28,
            Write::EncounterOpened(_) => 29,
            Write::EncounterMoved { .. } => 30,
            Write::EncounterStanding { .. } => 31,
            Write::AttendingSet { .. } => 32,
            Write::CareTeamSet { .. } => 33,
            Write::AssignmentTaken(_) => 34,
            Write::AssignmentCovers { .. } => 35,
            Write::AssignmentEnded { .. } => 36,
            Write::ThreadClosed { .. } => 37,
            Write::EncounterFiled { .. } => 38,
            Write::EmergencyBegan(_) => 41,
            Write::EmergencyEnded { .. } => 42,
            Write::EmergencyReviewed { .. } => 43,
            Write::HoldPlaced(_) => 44,
            Write::HoldLifted { .. } => 45,
            Write::RetentionSet(_) => 46,
            Write::MessageEdited { .. } => 47,
            Write::MessageRecalled { .. } => 48,
            Write::AgencySet { .. } => 49,
            Write::BarredSet { .. } => 50,
            Write::AssignmentProlonged { .. } => 51,
            Write::SuspensionWaits { .. } => 52,
            Write::NoticeMade(_) => 53,
            Write::FamilyConsentSet { .. } => 54,
            Write::FamilyBlockSet { .. } => 55,
            Write::BedsideCodeSet { .. } => 56,
            Write::VisitAsked(_) => 57,
            Write::VisitForgotten { .. } => 58,
            Write::FamilyThreadOpened(_) => 59,
            Write::VisitorSet { .. } => 60,
            Write::ReactionsSet { .. } => 61,
            Write::UploadBegun(_) => 62,
            Write::UploadFinished { .. } => 63,
            Write::UploadDropped { .. } => 64,
            Write::AttachmentsSent { .. } => 65,
            Write::AttachmentPolicySet(_) => 66,
            Write::TemplatesSet { .. } => 67,
            Write::TaskSet(_) => 68,
            Write::StatAnswered(_) => 74,
            Write::Availability(_) => 69,
            Write::Inbox(InboxWrite::Opened(_)) => 70,
            Write::Inbox(InboxWrite::GapsFlagged { .. }) => 71,
            Write::Broadcast(BroadcastWrite::AnnouncerSet { .. }) => 72,
            Write::Broadcast(BroadcastWrite::PolicySet(_)) => 73,
            Write::PinChosen { .. } => 75,
            Write::ExportBegun { .. } => 76,
            Write::OrderSet(_) => 77,
            Write::OrderSigned(_) => 78,
            Write::OrderPolicySet { .. } => 79,
            Write::LoginSecretsSet { .. } => 80,
            Write::PasskeysSet { .. } => 81,
            Write::SessionLocked(_) => 82,
            Write::Urgent(UrgentWrite::Waits(_)) => 83,
            Write::Urgent(UrgentWrite::Over(_)) => 84,
            Write::Bell(BellWrite::Set { .. }) => 85,
            Write::Bell(BellWrite::Cleared(_)) => 86,
            Write::Bell(BellWrite::PolicySet(_)) => 87,
            Write::Alarm(AlarmWrite::RoleSet(_)) => 88,
            Write::Alarm(AlarmWrite::Told(_)) => 89,
            Write::Alarm(AlarmWrite::Over(_)) => 90,
        };
        seen[kind] += 1;
    }
    assert!(seen.iter().all(|count| *count > 2), "{seen:?}");
    let present = world.state.conversations.values().map(|c| c.present().count()).max();
    assert!(present > Some(17), "no conversation is too large for pushed watermarks: {present:?}");
}

/// The dice would need luck to throw these into one batch.
#[test]
fn what_depends_on_each_other_in_one_batch_comes_out_in_order() {
    let mut world = World::default();
    let (ana, ben) = (world.person(1).unwrap(), world.person(2).unwrap());
    let handset = world.device(ana, 1).unwrap();
    world.device(ben, 2).unwrap();
    let doomed = world.open(ana, 1, 2).unwrap();
    world.message(doomed, 1).unwrap();
    world.write(Write::KeyDestroyed { conversation: doomed });
    let kept = world.open(ana, 2, 2).unwrap();
    for _ in 0..10 {
        world.message(kept, 7).unwrap();
    }
    // Edited, edited again, recalled; and one that is only edited, before all of them go.
    for (which, how) in [(2, 1), (2, 2), (2, 3), (4, 1), (4, 5)] {
        world.alter(kept, which, how);
    }
    world.write(Write::MemberLeft { conversation: kept, person: ben });
    let last = world.state.conversations[&kept].last;
    world.write(Write::MemberAdded { conversation: kept, person: ben, from: last.next(), seen: None });
    world.write(Write::WatermarkMoved { conversation: kept, person: ben, delivered: last, read: last });
    world.write(Write::MessagesExpired { conversation: kept, through: last });
    world.message(kept, 7).unwrap();
    world.message(kept, 7).unwrap();
    for (which, how) in [(0, 1), (0, 3), (1, 1), (1, 2)] {
        world.alter(kept, which, how);
    }
    world.unit(1, 1);
    world.unit(1, 2);
    let unit = *world.state.units.keys().next().unwrap();
    for post in [Some(Post::Staff), None, Some(Post::ChargeNurse)] {
        world.write(Write::PostSet { person: ana, unit, post });
        world.write(Write::PostSet { person: ben, unit, post: post.xor(Some(Post::Staff)) });
    }
    let title = Title::parse("Named, then destroyed").unwrap();
    for conversation in [kept, world.open(ben, 3, 1).unwrap()] {
        world.write(Write::TitleSet { conversation, title: title.clone() });
        world.write(Write::ArchivedSet { conversation, archived: true });
    }
    let named = *world.state.conversations.keys().find(|id| ![kept, doomed].contains(id)).unwrap();
    world.write(Write::KeyDestroyed { conversation: named });
    world.write(Write::SessionOpened { device: handset, until: wardline_core::time::Wall(9) });
    world.write(Write::DeviceRevoked { device: handset });
    block_on(async {
        let (directory, other) = (quick_directory(), quick_directory());
        let (mut whole, _) = open(directory.path()).await;
        let (mut single, _) = open(other.path()).await;
        commit(&mut whole, &world.writes).await;
        commit_cut(&mut single, &world.writes, &[1]).await;
        let hash = whole.readers().canonical_hash().await.unwrap();
        assert_eq!(hash, single.readers().canonical_hash().await.unwrap());
        assert!(whole.readers().key(doomed).await.unwrap().is_none());
        assert!(whole.readers().key(kept).await.unwrap().is_some());
        whole.close().await.unwrap();
        assert!(same(&State::restore(open(directory.path()).await.1).unwrap(), &world.state));
    });
}

#[test]
fn a_gap_is_refused_and_nothing_is_taken_after_it() {
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        let world = busy_world(50);
        commit(&mut store, &world.writes[..10]).await;
        let hash = store.readers().canonical_hash().await.unwrap();
        for gap in [&world.writes[11..12], &world.writes[9..11]] {
            let outcome = store.commit(gap).await;
            assert!(matches!(outcome, Commit::Refused(StoreError::Gap { last: 10, .. })), "{outcome:?}");
            let outcome = store.commit(&world.writes[10..11]).await;
            assert!(matches!(outcome, Commit::Refused(StoreError::Unsound)), "{outcome:?}");
            assert_eq!(hash, store.readers().canonical_hash().await.unwrap());
            store.close().await.unwrap();
            store = open(directory.path()).await.0;
        }
        let mut inner = world.writes[10..13].to_vec();
        inner[2].change = Change(14);
        let outcome = store.commit(&inner).await;
        assert!(matches!(outcome, Commit::Refused(StoreError::Gap { last: 12, found: 14 })), "{outcome:?}");
        assert_eq!(hash, store.readers().canonical_hash().await.unwrap());
    });
}

#[test]
fn a_write_that_contradicts_the_store_takes_its_whole_batch_with_it() {
    block_on(async {
        let directory = quick_directory();
        let world = busy_world(100);
        let again = world.writes.iter().find(|n| matches!(n.write, Write::PersonAdded(_))).unwrap();
        let mut store = open(directory.path()).await.0;
        commit(&mut store, &world.writes[..40]).await;
        let hash = store.readers().canonical_hash().await.unwrap();
        let mut batch = world.writes[40..].to_vec();
        batch.push(Numbered {
            change: Change(batch.last().unwrap().change.0 + 1),
            write: again.write.clone(),
        });
        let outcome = store.commit(&batch).await;
        assert!(matches!(outcome, Commit::Refused(StoreError::Contradiction(_))), "{outcome:?}");
        assert!(matches!(store.commit(&world.writes[40..]).await, Commit::Refused(StoreError::Unsound)));
        assert_eq!(hash, store.readers().canonical_hash().await.unwrap());
        store.close().await.unwrap();
        let (mut store, restored) = open(directory.path()).await;
        assert_eq!(restored.change, Change(40));
        commit(&mut store, &world.writes[40..]).await;
    });
}

#[test]
fn a_second_writer_is_noticed() {
    block_on(async {
        let directory = quick_directory();
        let world = busy_world(50);
        let mut first = open(directory.path()).await.0;
        let mut second = open(directory.path()).await.0;
        commit(&mut second, &world.writes[..10]).await;
        let outcome = first.commit(&world.writes[..10]).await;
        assert!(matches!(outcome, Commit::Refused(StoreError::Busy)), "{outcome:?}");
        commit(&mut second, &world.writes[10..]).await;
    });
}

#[test]
fn a_message_to_somebody_unknown_is_a_contradiction() {
    block_on(async {
        let directory = quick_directory();
        let world = busy_world(400);
        let message = world.writes.iter().find(|n| matches!(n.write, Write::MessageAccepted(_))).unwrap();
        let mut store = open(directory.path()).await.0;
        let outcome = store.commit(&[Numbered { change: Change(1), write: message.write.clone() }]).await;
        assert!(matches!(outcome, Commit::Refused(StoreError::Contradiction(_))), "{outcome:?}");
    });
}

#[test]
fn a_batch_that_nobody_waited_for_leaves_the_store_unsound() {
    block_on(async {
        let directory = quick_directory();
        let world = busy_world(1_000);
        let mut store = open(directory.path()).await.0;
        // One look at each batch. On a busy machine a batch can be done by then: the next one, or the one after, is not.
        let mut batches = world.writes.chunks(10);
        while store.commit(batches.next().unwrap()).now_or_never().is_some() {}
        let outcome = store.commit(batches.next().unwrap()).await;
        assert!(matches!(outcome, Commit::Refused(StoreError::Unsound)), "{outcome:?}");
        assert!(matches!(store.scrub().await, Err(StoreError::Unsound)));
    });
}

/// A release that knows nothing of bells and of what waits to be seen revokes, suspends and purges, and leaves both where they are.
#[test]
fn what_an_older_release_leaves_behind_does_not_keep_the_box_from_starting() {
    block_on(async {
        let directory = quick_directory();
        let mut store = open(directory.path()).await.0;
        let mut world = busy_world(2_000);
        let devices: Vec<_> = world.state.devices.keys().copied().collect();
        for device in devices.into_iter().cycle().take(64) {
            world.bell(device, 3);
        }
        let places: Vec<_> = world.state.conversations.keys().copied().collect();
        for place in places {
            world.urgent(place, 1);
        }
        commit(&mut store, &world.writes).await;
        drop(store);
        let (store, restored) = open(directory.path()).await;
        assert!(restored.bells.of.len() > 2 && !restored.urgents.is_empty());
        drop(store);
        let mut inside = raw(directory.path(), Some(KEY_HEX)).await;
        for left in [
            "UPDATE device SET revoked = 1 WHERE id = (SELECT min(device) FROM bell)",
            "UPDATE person SET suspended = 1 WHERE id = (SELECT person FROM bell WHERE device = (SELECT max(device) FROM bell))",
            "UPDATE conversation SET purged = 1 WHERE id = (SELECT min(conversation) FROM urgent_wait)",
        ] {
            inside.execute(left).await.unwrap();
        }
        drop(inside);
        let (_, again) = open(directory.path()).await;
        assert!(again.bells.of.len() < restored.bells.of.len() - 1);
        assert!(again.urgents.len() < restored.urgents.len());
        let revoked = |device: &Device| device.revoked && again.bells.of.contains_key(&device.id);
        assert!(!again.devices.iter().any(revoked));
    });
}

/// Changes one value at a time behind the store's back: the hash sees each.
#[test]
fn every_column_of_every_table_is_in_the_hash() {
    block_on(async {
        let directory = quick_directory();
        let mut store = open(directory.path()).await.0;
        let mut world = busy_world(3_500);
        // The throw that issues a join code, so that there is one.
        world.throw((4, 0, 0));
        world.throw((39, 0, 3));
        commit(&mut store, &world.writes).await;
        let readers = store.readers();
        let before = readers.canonical_hash().await.unwrap();
        let mut inside = raw(directory.path(), Some(KEY_HEX)).await;
        sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut inside).await.unwrap();
        let columns: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT s.name, c.name, c.type FROM sqlite_schema AS s JOIN pragma_table_info(s.name) AS c \
             WHERE s.type = 'table' AND s.name NOT LIKE '\\_%' ESCAPE '\\' AND s.name NOT LIKE 'sqlite%'",
        )
        .fetch_all(&mut inside)
        .await
        .unwrap();
        let mut seen = 0;
        for (table, column, kind) in columns {
            if ["meta.id", "meta.app", "meta.oldest_reader", "bell_policy.id", "alarm_policy.id"]
                .contains(&format!("{table}.{column}").as_str())
            {
                continue;
            }
            let other = match kind.as_str() {
                "INTEGER" => format!("{column} + 1"),
                "TEXT" => format!("{column} || 'x'"),
                "BLOB" => format!("CAST({column} || x'00' AS BLOB)"),
                kind => panic!("{kind}"),
            };
            // The greatest row, so that a greater value is free.
            let one = format!(
                "UPDATE {table} SET {column} = {other} WHERE {column} = (SELECT max({column}) FROM {table}) \
                 AND (SELECT count(*) FROM {table}) > 0 RETURNING 1"
            );
            inside.execute("BEGIN").await.unwrap();
            let changed = inside.fetch_all(AssertSqlSafe(one)).await.unwrap().len();
            inside.execute("COMMIT").await.unwrap();
            assert!(changed > 0, "{table} is empty");
            let now = readers.canonical_hash().await.unwrap();
            assert_ne!(now, before, "{table}.{column} is not in the hash");
            seen += 1;
            let back = match kind.as_str() {
                "INTEGER" => format!("{column} - 1"),
                "TEXT" => format!("substr({column}, 1, length({column}) - 1)"),
                _ => format!("CAST(substr({column}, 1, length({column}) - 1) AS BLOB)"),
            };
            let undo = format!(
                "UPDATE {table} SET {column} = {back} WHERE {column} = (SELECT max({column}) FROM {table})"
            );
            inside.execute(AssertSqlSafe(undo)).await.unwrap();
            assert_eq!(readers.canonical_hash().await.unwrap(), before, "{table}.{column} was not put back");
        }
        let people = 4 + 13 + 3 + 3 + 12 + 5;
        let files = 16 + 4;
        let messages = 18 + 2 + 7 + 14 + 6 + 4 + 4 + 3 + 3 + 2;
        let (roles, emergencies, holds, notices, family) = (7, 14, 10 + 5, 13, 1 + 4 * 2 + 4);
        let (inboxes, announcements, tasks, availability) = (3 + 2, 1 + 3, 5, 4);
        let orders = 5 + 5 + 2;
        let (bells, urgent, alarms) = (3 + 1, 4, 1 + 5);
        let newest = inboxes + announcements + tasks + availability + orders + bells + urgent + alarms;
        let clinical = roles + emergencies + holds + notices + family;
        assert_eq!(
            seen,
            people
                + messages
                + files
                + clinical
                + newest
                + 6
                + 14
                + 4
                + 6
                + 2
                + 10
                + 13
                + 5
                + 5
                + 2
                + 2
                + 7
                + 2
        );
    });
}

#[test]
fn closing_ends_every_reader() {
    block_on(async {
        let directory = quick_directory();
        let store = open(directory.path()).await.0;
        let readers = store.readers();
        let reading = {
            let readers = readers.clone();
            tokio::spawn(async move { readers.canonical_hash().await })
        };
        store.close().await.unwrap();
        assert!(matches!(reading.await.unwrap(), Ok(_) | Err(StoreError::Closed)));
        assert!(matches!(readers.canonical_hash().await, Err(StoreError::Closed)));
    });
}
