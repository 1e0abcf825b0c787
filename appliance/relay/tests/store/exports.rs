//! What an export reads of the store: everything that belongs to the record, forward, and nothing once the right is gone.

use wardline_core::clinic::Patient;
use wardline_core::escalation::StatId;
use wardline_core::ids::{Change, ConversationId, PatientId, PersonId, Sequence};
use wardline_core::limits;
use wardline_core::particulars::{BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::text::Name;
use wardline_core::wire;
use wardline_core::write::Write;
use wardline_relay::store::{Acts, Exported, ExportedPage, Readers};

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
    world.device(dana, 3).unwrap();
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

/// What became of every message of the record, page by page; and whether what says a read-back ever stood on another page.
async fn acts(
    readers: &Readers,
    officer: PersonId,
    whose: (PersonId, bool),
    place: (ConversationId, Sequence),
) -> (Vec<Acts>, bool) {
    let (mut after, mut all, mut is_any_elsewhere) = (Sequence(0), Vec::new(), false);
    loop {
        let grant = grants::export(officer, whose, place, after);
        let Exported::Of(ExportedPage { messages, acts, said_elsewhere, through, end, .. }) =
            readers.exported(&grant).await.unwrap()
        else {
            panic!("not permitted")
        };
        let bytes: usize = acts.iter().map(|acts| wire::acts_length(&acts.to_wire())).sum();
        assert!(bytes <= limits::EXPORT_ACTS_MAX || acts.len() == 1, "{bytes} bytes");
        for act in &acts {
            assert!(messages.iter().any(|message| message.sequence == act.sequence), "of the same page");
        }
        // What says what was signed is at hand, here or elsewhere: it may have a name in it.
        let here = messages.iter().map(|message| message.sequence);
        let elsewhere = said_elsewhere.iter().map(|message| message.sequence);
        let at_hand: Vec<Sequence> = here.chain(elsewhere).collect();
        let said = acts.iter().flat_map(|acts| &acts.order_signed).filter_map(|deed| deed.said);
        for said in said {
            assert_eq!(at_hand.iter().filter(|at| **at == said).count(), 1, "#{}", said.0);
        }
        is_any_elsewhere |= !said_elsewhere.is_empty();
        all.extend(acts);
        after = through;
        if end {
            return (all, is_any_elsewhere);
        }
    }
}

#[test]
fn an_export_has_what_became_of_its_messages() {
    let (mut world, [ana, ben, dana], place) = house();
    for how in 0..60 {
        world.clock += 1;
        world.message(place, how * 5).unwrap();
        world.open_stat(place, how);
        let id = StatId { conversation: place, sequence: world.state.conversations[&place].last };
        // More than are kept of one, and together more than a page has room for.
        for answer in 0..40 {
            world.sign(id, [ana, ben][answer as usize % 2], answer * 3 + 2);
        }
        world.task(place, how, how * 2);
        world.order(place, how, how * 3);
    }
    let last = world.state.conversations[&place].last;
    let model = Model::of(&world.writes);
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        commit(&mut store, &world.writes).await;
        let readers = store.readers();
        let (whole, elsewhere) = acts(&readers, dana, (ana, false), (place, last)).await;
        let stats: Vec<_> = whole.iter().filter_map(|acts| acts.stat.clone()).collect();
        let known = |id: &StatId| world.state.escalations.get(id);
        assert_eq!(stats.len(), 60);
        assert!(stats.iter().all(|stat| known(&stat.id) == Some(stat)), "as it stands");
        assert!(whole.iter().any(|acts| acts.signed.len() == limits::STAT_SIGNED_MAX), "the newest 32");
        for acts in &whole {
            let at = |answers: &[wardline_core::escalation::signed::SignedAnswer]| {
                answers.iter().map(|answer| answer.taken).collect::<Vec<_>>()
            };
            assert!(at(&acts.signed).is_sorted(), "oldest first");
            if let Some(task) = &acts.task {
                assert_eq!((task.id.conversation, task.id.sequence), (place, acts.sequence));
            }
        }
        let orders = whole.iter().filter_map(|acts| acts.order.clone()).count();
        let tasks = whole.iter().filter_map(|acts| acts.task.clone()).count();
        assert!(orders > 5 && tasks > 5, "{orders} orders, {tasks} tasks");
        let places: Vec<Sequence> = whole.iter().map(|acts| acts.sequence).collect();
        assert!(places.windows(2).all(|two| two[0] < two[1]), "each once, in order");
        // Of what others wrote, nothing.
        let members: Vec<PersonId> =
            world.state.conversations[&place].present().map(|member| member.0).collect();
        let author = *members.last().unwrap();
        let (own, elsewhere_of_own) = acts(&readers, dana, (author, true), (place, last)).await;
        assert!(elsewhere || elsewhere_of_own, "a read-back stands on another page than its order");
        let wrote = |sequence: Sequence| {
            world.writes.iter().any(|numbered| {
                matches!(&numbered.write, Write::MessageAccepted(message)
                    if message.sequence == sequence && message.sender == author)
            })
        };
        assert!(own.iter().all(|acts| wrote(acts.sequence)));
        assert!(!own.is_empty() && own.len() < whole.len(), "{} of {}", own.len(), whole.len());
        assert_eq!(model.state.change, world.state.change);
    });
}

/// A name that is recorded while an export is read is hidden on the pages that come.
#[test]
fn a_patient_who_is_entered_or_corrected_is_hidden_from_then_on() {
    let (mut world, ..) = house();
    let before = world.writes.len();
    let id = PatientId::new(7).unwrap();
    for name in ["Unknown Male", "Hugo Reyes"] {
        let particulars = Particulars {
            record: RecordNumber::parse("4711").unwrap(),
            name: Name::parse(name).unwrap(),
            birth: BirthDate::parse("1947-03-09").unwrap(),
            sex: Sex::Male,
        };
        let patient = Patient { id, particulars, changed: Change(0), restriction: None, merged: None };
        world.write(Write::PatientSet { patient, thread: None });
    }
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        commit(&mut store, &world.writes[..before]).await;
        let readers = store.readers();
        let none = readers.patients_changed().await.unwrap();
        for write in &world.writes[before..] {
            let was = readers.patients_changed().await.unwrap();
            commit(&mut store, std::slice::from_ref(write)).await;
            assert!(readers.patients_changed().await.unwrap() > was, "made once more");
        }
        assert_eq!(none, Change(0));
        let veil = readers.veil(&[]).await.unwrap();
        assert_eq!(
            veil.over("Hugo Reyes, whom we called Unknown Male").0,
            "[#], whom we called Unknown Male"
        );
    });
}
