//! Figures on STATs. A row for each, which outlives its message, and in which nobody and nothing is named.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use wardline_core::escalation::{Escalation, Stage, StatId};
use wardline_core::ids::UnitId;
use wardline_core::limits::STAT_LOAD_ROWS_MAX;
use wardline_core::stat::load::Span;
use wardline_core::time::Wall;
use wardline_core::wire::proto;

use super::StoreError;
use super::read::number;
use super::readers::Readers;
use super::row::Columns;
use super::rows::{Many, Script};

const OPENED: Many = Many {
    head: "INSERT INTO stat_load (conversation, sequence, unit, opened, answered, step, last) VALUES ",
    columns: 7,
    tail: "",
};
const MOVED: Many = Many {
    head: "WITH v (conversation, sequence, unit, answered, step) AS (VALUES ",
    columns: 5,
    tail: ") UPDATE stat_load SET unit = coalesce(v.unit, stat_load.unit), \
           answered = coalesce(v.answered, stat_load.answered), step = max(stat_load.step, v.step) \
           FROM v WHERE stat_load.conversation = v.conversation AND stat_load.sequence = v.sequence",
};

/// The newest first, one more than are counted. `?1` the unit or 0, `?2` and `?3` the span, `?4` how many.
const SPAN: &str = "SELECT unit, opened, answered, step, last FROM stat_load \
     WHERE opened >= (?2 + 0) AND opened < (?3 + 0) AND ((?1 + 0) = 0 OR unit = (?1 + 0)) \
     ORDER BY opened DESC, conversation, sequence LIMIT (?4 + 0)";

/// What one batch says of them.
#[derive(Default)]
pub(super) struct StatLoad {
    opened: BTreeMap<StatId, Row>,
    moved: BTreeMap<StatId, Moved>,
}

struct Row {
    unit: Option<UnitId>,
    opened: Wall,
    last: u8,
    then: Moved,
}

/// `None` leaves it.
#[derive(Default)]
struct Moved {
    unit: Option<UnitId>,
    /// The moment; 0: nobody has it.
    answered: Option<i64>,
    step: u8,
}

impl StatLoad {
    pub(super) fn opened(&mut self, escalation: &Escalation) {
        let (unit, opened, last) = (escalation.unit, escalation.opened, escalation.last_step());
        self.opened.insert(escalation.id, Row { unit, opened, last, then: Moved::default() });
        self.moved(escalation.id, escalation.stage);
    }

    pub(super) fn moved(&mut self, id: StatId, stage: Stage) {
        let moved = self.of(id);
        moved.step = moved.step.max(stage.step().unwrap_or_default());
        match stage {
            Stage::Ringing { .. } | Stage::Held { .. } => moved.answered = Some(0),
            Stage::Accepted { at, .. } => moved.answered = Some(at.0),
            // Whoever had it when it was closed had it.
            Stage::Closed { .. } => {}
        }
    }

    pub(super) fn follows(&mut self, id: StatId, unit: UnitId) {
        self.of(id).unit = Some(unit);
    }

    fn of(&mut self, id: StatId) -> &mut Moved {
        match self.opened.get_mut(&id) {
            Some(row) => &mut row.then,
            None => self.moved.entry(id).or_default(),
        }
    }

    pub(super) fn write(&self, script: &mut Script<'_>) {
        let opened: Vec<_> = self.opened.iter().collect();
        script.many(&OPENED, &opened, |(id, of), row| {
            row.count(id.conversation.value()).count(id.sequence.0);
            row.count(of.then.unit.or(of.unit).map_or(0, UnitId::value)).int(of.opened.0);
            row.int(of.then.answered.unwrap_or_default()).count(of.then.step.into()).count(of.last.into());
        });
        let moved: Vec<_> = self.moved.iter().collect();
        script.many(&MOVED, &moved, |(id, then), row| {
            row.count(id.conversation.value()).count(id.sequence.0).maybe(then.unit.map(UnitId::value));
            row.maybe_int(then.answered).count(then.step.into());
        });
    }
}

/// What one unit had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnitLoad {
    /// `None`: no unit's policy.
    pub unit: Option<UnitId>,
    /// How many were sent.
    pub sent: u32,
    /// Somebody had it in the end.
    pub answered: u32,
    /// Nobody had answered before the station screens rang.
    pub at_stations: u32,
    /// Seconds until the answer, rounded up: half of those that were answered took no longer.
    pub median_s: u32,
    /// Nine in ten.
    pub ninety_s: u32,
    /// The longest.
    pub longest_s: u32,
}

impl UnitLoad {
    /// As clients see it.
    pub fn to_wire(self) -> proto::UnitStatLoad {
        proto::UnitStatLoad {
            unit: self.unit.map_or(0, UnitId::value),
            sent: self.sent,
            answered: self.answered,
            at_stations: self.at_stations,
            median: self.median_s,
            ninety: self.ninety_s,
            longest: self.longest_s,
        }
    }
}

#[derive(Default)]
struct Counted {
    sent: u32,
    at_stations: u32,
    seconds: Vec<u32>,
}

impl Counted {
    fn take(&mut self, opened: i64, answered: i64, at_stations: bool) {
        self.sent += 1;
        self.at_stations += u32::from(at_stations);
        if answered != 0 {
            // The wall clock may have been set back meanwhile.
            let ms = answered.saturating_sub(opened).max(0).cast_unsigned();
            self.seconds.push(u32::try_from(ms.div_ceil(1_000)).unwrap_or(u32::MAX));
        }
    }

    /// Nearest rank.
    fn into_load(mut self, unit: Option<UnitId>) -> UnitLoad {
        self.seconds.sort_unstable();
        let rank = |tenths: usize| {
            let at = (self.seconds.len() * tenths).div_ceil(10);
            at.checked_sub(1).and_then(|at| self.seconds.get(at)).copied().unwrap_or_default()
        };
        UnitLoad {
            unit,
            sent: self.sent,
            answered: u32::try_from(self.seconds.len()).unwrap_or(u32::MAX),
            at_stations: self.at_stations,
            median_s: rank(5),
            ninety_s: rank(9),
            longest_s: rank(10),
        }
    }
}

impl Readers {
    /// By unit; and whether more were sent then than are counted.
    pub async fn stat_load(&self, span: Span) -> Result<(Vec<UnitLoad>, bool), StoreError> {
        let mut loan = self.lend().await?;
        let mut rows = sqlx::query(SPAN)
            .bind(number(span.unit().map_or(0, UnitId::value)))
            .bind(span.since().0)
            .bind(span.until().0)
            .bind(i64::from(STAT_LOAD_ROWS_MAX) + 1)
            .fetch(&mut *loan);
        let mut units: BTreeMap<Option<UnitId>, Counted> = BTreeMap::new();
        let mut left = STAT_LOAD_ROWS_MAX;
        while let Some(row) = rows.try_next().await? {
            let Some(rest) = left.checked_sub(1) else { return Ok((loads(units), true)) };
            left = rest;
            let mut columns = Columns::new(&row);
            let unit = UnitId::new(columns.count()?);
            let (opened, answered) = (columns.int()?, columns.int()?);
            let (step, last) = (columns.count()?, columns.count()?);
            units.entry(unit).or_default().take(opened, answered, step >= last);
        }
        Ok((loads(units), false))
    }
}

fn loads(units: BTreeMap<Option<UnitId>, Counted>) -> Vec<UnitLoad> {
    units.into_iter().map(|(unit, counted)| counted.into_load(unit)).collect()
}
