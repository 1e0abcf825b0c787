//! Figures on STATs, against a list that is gone through anew for each question.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wardline_core::escalation::{Stage, StatId};
use wardline_core::ids::UnitId;
use wardline_core::stat::load::Span;
use wardline_core::time::Wall;
use wardline_core::write::{Numbered, Write};
use wardline_relay::store::UnitLoad;

use crate::batches::busy_world;
use crate::world::World;
use crate::{block_on, commit, open, quick_directory};

/// One STAT as the writes leave it.
struct Told {
    unit: Option<UnitId>,
    opened: Wall,
    answered: Option<Wall>,
    at_stations: bool,
    last: u8,
}

fn told(writes: &[Numbered]) -> BTreeMap<StatId, Told> {
    let mut all: BTreeMap<StatId, Told> = BTreeMap::new();
    for numbered in writes {
        match &numbered.write {
            Write::EscalationOpened(opened) => {
                let (unit, last) = (opened.unit, opened.last_step());
                let told = Told { unit, opened: opened.opened, answered: None, at_stations: false, last };
                all.insert(opened.id, told);
                stands(&mut all, opened.id, opened.stage);
            }
            Write::EscalationMoved { id, stage, .. } => stands(&mut all, *id, *stage),
            Write::EscalationUnitSet { id, unit } => all.get_mut(id).unwrap().unit = Some(*unit),
            _ => {}
        }
    }
    all
}

fn stands(all: &mut BTreeMap<StatId, Told>, id: StatId, stage: Stage) {
    let told = all.get_mut(&id).unwrap();
    told.at_stations |= stage.step().is_some_and(|step| step >= told.last);
    match stage {
        Stage::Ringing { .. } | Stage::Held { .. } => told.answered = None,
        Stage::Accepted { at, .. } => told.answered = Some(at),
        Stage::Closed { .. } => {}
    }
}

fn expected(all: &BTreeMap<StatId, Told>, span: Span) -> Vec<UnitLoad> {
    let within = |told: &&Told| {
        (span.since()..span.until()).contains(&told.opened)
            && span.unit().is_none_or(|unit| told.unit == Some(unit))
    };
    let mut units: Vec<Option<UnitId>> = all.values().filter(within).map(|told| told.unit).collect();
    units.sort_unstable();
    units.dedup();
    let load = |unit: Option<UnitId>| {
        let of: Vec<&Told> = all.values().filter(within).filter(|told| told.unit == unit).collect();
        let took = |told: &&Told| {
            told.answered.map(|at| u32::try_from((at.0 - told.opened.0 + 999) / 1_000).unwrap())
        };
        let mut seconds: Vec<u32> = of.iter().filter_map(took).collect();
        seconds.sort_unstable();
        // The least of them that so many in ten do not exceed.
        let part = |tenths: usize| {
            let fits =
                |most: &&u32| 10 * seconds.iter().filter(|one| one <= most).count() >= tenths * seconds.len();
            seconds.iter().find(fits).copied().unwrap_or(0)
        };
        UnitLoad {
            unit,
            sent: of.len() as u32,
            answered: seconds.len() as u32,
            at_stations: of.iter().filter(|told| told.at_stations).count() as u32,
            median_s: part(5),
            ninety_s: part(9),
            longest_s: part(10),
        }
    };
    units.into_iter().map(load).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn figures_are_what_the_writes_say(
        throws in prop::collection::vec(any::<(u8, u64, u64)>(), 200..900),
        cut in 1..100_usize,
        from in 0..100_i64,
        long in 1..100_i64,
    ) {
        let world = World::of(&throws);
        let all = told(&world.writes);
        block_on(async {
            let directory = quick_directory();
            let mut store = open(directory.path()).await.0;
            for batch in world.writes.chunks(cut) {
                commit(&mut store, batch).await;
            }
            let readers = store.readers();
            let (first, last) = match (all.values().map(|told| told.opened.0).min(), all.values().map(|told| told.opened.0).max()) {
                (Some(first), Some(last)) => (first, last + 1),
                _ => (0, 1),
            };
            let part = |hundredths: i64| Wall(first + (last - first) * hundredths / 100);
            let spans = [(Wall(first), Wall(last)), (part(from), Wall(part(from).0 + (last - first) * long / 100 + 1))];
            let units: Vec<_> = [None].into_iter().chain(world.state.units.keys().copied().map(Some)).collect();
            for (since, until) in spans {
                for unit in &units {
                    let span = Span::new(*unit, since, until).unwrap();
                    let (found, more) = readers.stat_load(span).await.unwrap();
                    assert_eq!((found, more), (expected(&all, span), false));
                }
            }
        });
    }
}

#[test]
fn figures_outlive_the_messages_that_they_are_of() {
    block_on(async {
        let directory = quick_directory();
        let mut store = open(directory.path()).await.0;
        let mut world = busy_world(1_200);
        let all = told(&world.writes);
        commit(&mut store, &world.writes).await;
        let committed = world.writes.len();
        let first = all.values().map(|told| told.opened).min().unwrap();
        let span = Span::new(None, first, Wall(first.0 + 86_400_000)).unwrap();
        let before = store.readers().stat_load(span).await.unwrap();
        assert!(
            before.0.iter().any(|of| of.sent > of.answered && of.answered > 0 && of.at_stations > 0),
            "{before:?}"
        );
        let places: Vec<_> = world.state.conversations.values().map(|place| (place.id, place.last)).collect();
        for (conversation, through) in places {
            world.close_stats(conversation);
            world.write(Write::MessagesExpired { conversation, through });
        }
        commit(&mut store, &world.writes[committed..]).await;
        assert_eq!(store.readers().stat_load(span).await.unwrap(), before);
    });
}
