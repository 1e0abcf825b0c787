//! What an edit overwrote and a recall destroyed is not to be had from the live database, even by somebody who holds its key: the
//! conversation's key is still there, so the sealed bodies themselves must be gone.

use wardline_core::alteration::Standing;
use wardline_core::ids::{Change, EditId, PersonId, Sequence};
use wardline_core::text::Sealed;
use wardline_core::time::Wall;
use wardline_core::write::{Message, Numbered, Write};

use crate::inside::Inside;
use crate::world::{World, mix};
use crate::{KEY, block_on, commit, open, quick_directory};

/// A body that is nowhere else: some fit on a page with others, some fill pages of their own.
fn body(which: u64) -> Sealed {
    let length = if which.is_multiple_of(3) { 8_000 } else { 60 };
    Sealed((0..).flat_map(|at: u64| mix(which * 1_000 + at).to_be_bytes()).take(length).collect())
}

fn messages(world: &World) -> Vec<(Change, Message)> {
    let of = |numbered: &Numbered| match &numbered.write {
        Write::MessageAccepted(message) => Some((numbered.change, message.clone())),
        _ => None,
    };
    world.writes.iter().filter_map(of).collect()
}

#[test]
fn what_was_edited_or_recalled_is_nowhere_in_the_live_database() {
    block_on(async {
        let mut world = World::default();
        let people: Vec<PersonId> = [1, 2, 3].map(|id| world.person(id).unwrap()).into();
        for person in &people {
            world.device(*person, 1).unwrap();
        }
        let place = world.open(people[0], 1, 3).unwrap();
        for how in 1..=120 {
            world.message(place, how).unwrap();
        }
        for (which, numbered) in world.writes.iter_mut().enumerate() {
            if let Write::MessageAccepted(message) = &mut numbered.write {
                message.body = body(which as u64);
            }
        }
        let said = messages(&world);
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        for writes in world.writes.chunks(50) {
            commit(&mut store, writes).await;
        }
        let before = world.writes.len();
        let at = Wall(7);
        for (which, (change, message)) in said.iter().enumerate().filter(|(which, _)| which % 4 < 2) {
            let (conversation, sequence, message) = (place, message.sequence, *change);
            world.write(if which % 4 == 0 {
                Write::MessageRecalled { conversation, sequence, message, at }
            } else {
                let edit = Some(EditId([which as u8; 16]));
                let standing = Standing { edits: 1, edit, recalled: false, at };
                let body = body(10_000 + which as u64);
                Write::MessageEdited { conversation, sequence, message, standing, body }
            });
        }
        commit(&mut store, &world.writes[before..]).await;
        store.scrub().await.unwrap();
        let inside = Inside::of(&directory.path().join("store.db"), &KEY).await;
        // A body may lie over several pages: each of its parts is looked for.
        let parts = |body: &Sealed| -> Vec<Vec<u8>> { body.0.chunks_exact(24).map(<[u8]>::to_vec).collect() };
        for (which, (_, message)) in said.iter().enumerate() {
            let parts = parts(&message.body);
            let needles: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let found = inside.places(&needles);
            if which % 4 < 2 {
                assert!(found.is_empty(), "{which}: {found:?}");
            } else {
                assert!(!found.is_empty(), "what was kept is seen by the same look");
            }
        }
        // A message that goes takes what became of it along.
        let (change, through) = (Change(world.state.change.0 + 1), Sequence(120));
        let expired = Write::MessagesExpired { conversation: place, through };
        commit(&mut store, &[Numbered { change, write: expired }]).await;
        let (altered, through) = store.readers().altered(Change(0), 500).await.unwrap();
        assert_eq!((altered.len(), through), (0, change));
    });
}
