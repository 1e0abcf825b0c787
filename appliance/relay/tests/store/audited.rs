//! The audit log as it is read: all that fits and nothing else, newest first, however it is cut into pages.

use wardline_core::audit::{self, Act, Actor};
use wardline_core::grant::AuditGrant;
use wardline_core::ids::{DeviceId, PersonId, UnitId};
use wardline_core::limits::AUDIT_PAGE_MAX;
use wardline_core::time::Wall;
use wardline_core::wire::proto::{self, AuditActor, audit_name::Of, audit_part::Part};
use wardline_core::write::Write;
use wardline_relay::store::{Audited, Readers};

use crate::world::World;
use crate::{block_on, commit, grants, open, quick_directory};

const ENTRIES: u64 = 350;
const HOUR: i64 = 3_600_000;

/// Ana, Ben, and Dana who reviews; an entry each minute, of five kinds in turn.
fn house() -> (World, [PersonId; 3], [DeviceId; 2]) {
    let mut world = World::default();
    let people = [1, 2, 3].map(|id| world.person(id).unwrap());
    let [ana, ben, dana] = people;
    world.write(Write::DutiesSet { person: dana, administrator: false, privacy_officer: true });
    let devices = [world.device(ana, 1).unwrap(), world.device(ben, 2).unwrap()];
    world.unit(1, 1);
    let unit = *world.state.units.keys().next().unwrap();
    for nth in 0..ENTRIES {
        let (by, on) = if nth.is_multiple_of(2) { (ana, devices[0]) } else { (ben, devices[1]) };
        let actor = Actor::Person { person: by, device: on };
        let (actor, act) = match nth % 5 {
            0 => (actor, Act::SignedIn),
            1 => (Actor::TheBox, Act::SessionLocked(devices[0])),
            2 => (actor, Act::PostSet(ana, unit, 1)),
            3 => (actor, Act::PatientsListed(unit)),
            _ => (Actor::Local, Act::PersonSuspended(ben)),
        };
        entry(&mut world, nth, actor, act);
    }
    (world, people, devices)
}

fn entry(world: &mut World, minute: u64, actor: Actor, act: Act) {
    let index = world.state.audited + 1;
    let at = Wall(minute.cast_signed() * 60_000);
    let entry = audit::Entry { version: audit::VERSION, index, at, actor, act };
    world.write(Write::Audited { index, bytes: entry.to_bytes() });
}

/// Every page, one after the other; and how many.
async fn all(readers: &Readers, grant: &AuditGrant) -> (Vec<proto::AuditEntry>, u32) {
    let (mut grant, mut entries, mut pages) = (grant.clone(), Vec::new(), 0);
    loop {
        let Audited::Of(page) = readers.audited(&grant).await.unwrap() else { panic!("not permitted") };
        assert!(page.entries.len() <= AUDIT_PAGE_MAX);
        assert!(page.end || page.before < grant.before, "a page leads on");
        (grant.before, pages) = (page.before, pages + 1);
        entries.extend(page.entries);
        if page.end {
            return (entries, pages);
        }
    }
}

#[test]
fn every_entry_that_fits_is_read_once_newest_first() {
    let (world, [ana, ben, dana], devices) = house();
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        commit(&mut store, &world.writes).await;
        let readers = store.readers();
        let whole = grants::audit(dana);
        let (entries, pages) = all(&readers, &whole).await;
        let indices: Vec<u64> = entries.iter().map(|entry| entry.index).collect();
        assert_eq!(indices, (1..=world.state.audited).rev().collect::<Vec<_>>());
        assert!(pages >= 4, "{pages} pages");

        let mut locked = whole.clone();
        locked.acts = [Act::SessionLocked(devices[0]).number()].into();
        let (entries, _) = all(&readers, &locked).await;
        assert_eq!(entries.len() as u64, ENTRIES / 5);
        assert!(entries.iter().all(|entry| entry.actor() == AuditActor::Box && entry.act == 8));

        // By them, to them, on a device of theirs: and nothing else.
        let mut of_ben = whole.clone();
        of_ben.person = Some((ben, vec![devices[1]]));
        let (entries, _) = all(&readers, &of_ben).await;
        assert!(entries.iter().all(|entry| {
            entry.person == ben.value()
                || entry.parts.iter().any(|part| part.part == Some(Part::Person(ben.value())))
        }));
        let done = (0..ENTRIES).filter(|nth| nth % 5 == 4 || (nth % 2 == 1 && nth % 5 != 1)).count();
        assert_eq!(entries.len(), done);
        let mut of_ana = whole.clone();
        of_ana.person = Some((ana, vec![devices[0]]));
        let (entries, _) = all(&readers, &of_ana).await;
        assert!(entries.iter().any(|entry| entry.act == 8), "on a device of hers");
    });
}

#[test]
fn a_span_of_time_is_found_without_looking_through_the_rest() {
    let (mut world, [_, _, dana], _) = house();
    // The clock was set back half an hour at the end.
    entry(&mut world, ENTRIES - 30, Actor::TheBox, Act::SignedIn);
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        commit(&mut store, &world.writes).await;
        let mut grant = grants::audit(dana);
        (grant.since, grant.until) = (Wall(HOUR), Wall(2 * HOUR));
        let (entries, _) = all(&store.readers(), &grant).await;
        let minutes: Vec<i64> = entries.iter().map(|entry| entry.at / 60_000).collect();
        assert_eq!(minutes, (60..120).rev().collect::<Vec<_>>());
        let last = i64::try_from(ENTRIES).unwrap() - 30;
        (grant.since, grant.until) = (Wall(last * 60_000), Wall(last * 60_000 + 1));
        let (entries, _) = all(&store.readers(), &grant).await;
        assert_eq!(entries.len(), 2, "that of the clock that was set back, too");
    });
}

#[test]
fn what_an_entry_names_is_told_beside_it_and_nobody_else_reads() {
    let (mut world, [ana, ben, dana], devices) = house();
    let unit: UnitId = *world.state.units.keys().next().unwrap();
    block_on(async {
        let directory = quick_directory();
        let (mut store, _) = open(directory.path()).await;
        let length = world.writes.len();
        commit(&mut store, &world.writes).await;
        let readers = store.readers();
        let Audited::Of(page) = readers.audited(&grants::audit(dana)).await.unwrap() else {
            panic!("a page")
        };
        let told = |of: Of| page.names.iter().find(|name| name.of == Some(of));
        for person in [ana, ben] {
            assert!(!told(Of::Person(person.value())).unwrap().name.is_empty());
        }
        assert!(!told(Of::Unit(unit.value())).unwrap().name.is_empty());
        assert_eq!(told(Of::Device(devices[0].value())).unwrap().about, ana.value());
        assert!(told(Of::Person(dana.value())).is_none(), "who is in no entry");
        world.write(Write::DutiesSet { person: dana, administrator: false, privacy_officer: false });
        commit(&mut store, &world.writes[length..]).await;
        let answer = readers.audited(&grants::audit(dana)).await.unwrap();
        assert!(matches!(answer, Audited::NotPermitted));
    });
}
