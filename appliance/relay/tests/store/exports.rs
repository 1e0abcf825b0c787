//! What an export reads of the store: everything that belongs to the record, forward, and nothing once the right is gone.

use wardline_core::ids::{ConversationId, PersonId, Sequence};
use wardline_core::write::Write;
use wardline_relay::store::{Exported, ExportedPage, Readers};

use crate::model::Model;
use crate::world::World;
use crate::{block_on, commit, grants, open, quick_directory};

const MESSAGES: u64 = 250;

/// Ana and Ben write in one conversation, and somebody reviews.
fn house() -> (World, [PersonId; 3], ConversationId) {
    let mut world = World::default();
    let (ana, ben) = (world.person(1).unwrap(), world.person(2).unwrap());
    let dana = world.person(3).unwrap();
    for (person, privacy_officer) in [(ana, false), (ben, false), (dana, true)] {
        world.write(Write::DutiesSet { person, administrator: false, privacy_officer });
    }
    world.device(ana, 1).unwrap();
    world.device(ben, 2).unwrap();
    let place = world.open(ana, 1, 2).unwrap();
    for how in 0..MESSAGES {
        world.clock += 1;
        world.message(place, how * 5 + how % 2).unwrap();
    }
    (world, [ana, ben, dana], place)
}

/// Every page, one after the other: the sequences, and how many pages it took.
async fn all(
    readers: &Readers,
    officer: PersonId,
    whose: (PersonId, bool),
    place: (ConversationId, Sequence),
) -> (Vec<u64>, u32) {
    let (mut after, mut sequences, mut pages) = (Sequence(0), Vec::new(), 0);
    loop {
        let grant = grants::export(officer, whose, place, after);
        let Exported::Of(ExportedPage { messages, through, end, .. }) =
            readers.exported(&grant).await.unwrap()
        else {
            panic!("not permitted")
        };
        assert!(through > after, "a page leads on");
        sequences.extend(messages.iter().map(|message| message.sequence.0));
        (after, pages) = (through, pages + 1);
        if end {
            return (sequences, pages);
        }
    }
}

#[test]
fn an_export_reads_everything_forward_and_what_somebody_wrote_alone() {
    let (mut world, [ana, ben, dana], place) = house();
    let expired = Sequence(20);
    world.write(Write::MessagesExpired { conversation: place, through: expired });
    let model = Model::of(&world.writes);
    let last = world.state.conversations[&place].last;
    let theirs = |person: PersonId| -> Vec<u64> {
        let written = world.writes.iter().filter_map(|numbered| match &numbered.write {
            Write::MessageAccepted(message) if message.sender == person => Some(message.sequence),
            _ => None,
        });
        written.filter(|sequence| *sequence > expired).map(|sequence| sequence.0).collect()
    };
    let own = [ana, ben].map(|person| (person, theirs(person)));
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        commit(&mut store, &world.writes).await;
        let readers = store.readers();
        let (whole, pages) = all(&readers, dana, (ana, false), (place, last)).await;
        assert_eq!(whole, (expired.0 + 1..=last.0).collect::<Vec<_>>());
        assert!(pages >= 3, "{pages} pages");
        for (person, written) in own {
            let (read, _) = all(&readers, dana, (person, true), (place, last)).await;
            assert_eq!(read, written, "what they wrote, and nothing else");
        }
        assert_eq!(model.state.conversations[&place].last, last);
        // Who is no privacy officer by then, or a conversation that was destroyed.
        let grant = grants::export(ben, (ana, false), (place, last), Sequence(0));
        assert!(matches!(readers.exported(&grant).await.unwrap(), Exported::NotPermitted));
        world.write(Write::KeyDestroyed { conversation: place });
        let purge = world.writes.last().unwrap().clone();
        commit(&mut store, &[purge]).await;
        let grant = grants::export(dana, (ana, false), (place, last), Sequence(0));
        assert!(matches!(readers.exported(&grant).await.unwrap(), Exported::Purged));
    });
}
