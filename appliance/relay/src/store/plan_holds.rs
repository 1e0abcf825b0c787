//! What a batch comes to of legal holds, and of how long messages are kept. See [`super::plan`].

use std::collections::BTreeMap;

use wardline_core::hold::Hold;
use wardline_core::ids::{HoldId, PersonId};
use wardline_core::retention::Rules;
use wardline_core::text::Grounds;
use wardline_core::time::Wall;
use wardline_core::write::Write;

use super::rows::{Many, Script};

/// Its holds.
#[derive(Default)]
pub(super) struct HoldPlan<'a> {
    placed: Vec<&'a Hold>,
    lifted: BTreeMap<HoldId, (PersonId, &'a Grounds, Wall)>,
    retention: Option<Rules>,
}

const RETENTION: Many = Many {
    head: "INSERT INTO retention_rule (id, direct, grouped, channel, patient) VALUES ",
    columns: 5,
    tail: " ON CONFLICT (id) DO UPDATE SET direct = excluded.direct, grouped = excluded.grouped, \
           channel = excluded.channel, patient = excluded.patient",
};
const PLACED: Many = Many {
    head: "INSERT INTO legal_hold (id, sort, subject, matter, since, placed_by, lifted, lifted_at, lifted_by, grounds) \
           VALUES ",
    columns: 10,
    tail: "",
};
const LIFTED: Many = Many {
    head: "WITH v (id, lifted_at, lifted_by, grounds) AS (VALUES ",
    columns: 4,
    tail: ") UPDATE legal_hold SET lifted = 1, lifted_at = v.lifted_at, lifted_by = v.lifted_by, grounds = v.grounds \
           FROM v WHERE legal_hold.id = v.id",
};

impl<'a> HoldPlan<'a> {
    pub(super) fn fold(&mut self, write: &'a Write) {
        match write {
            Write::HoldPlaced(hold) => self.placed.push(hold),
            Write::HoldLifted { hold, by, grounds, at } => {
                self.lifted.insert(*hold, (*by, grounds, *at));
            }
            Write::RetentionSet(rules) => self.retention = Some(*rules),
            _ => {}
        }
    }

    pub(super) fn write(&self, script: &mut Script<'_>) {
        if let Some(rules) = self.retention {
            script.many(&RETENTION, &[rules.hours()], |hours, row| {
                row.count(1);
                for hours in hours {
                    row.count((*hours).into());
                }
            });
        }
        script.many(&PLACED, &self.placed, |hold, row| {
            let (sort, subject) = hold.subject.numbers();
            row.count(hold.id.value()).count(sort.into()).count(subject).text(hold.matter.reveal());
            row.int(hold.since.0).count(hold.by.value()).flag(false).int(0).int(0).text("");
        });
        let lifted: Vec<_> = self.lifted.iter().collect();
        script.many(&LIFTED, &lifted, |(id, (by, grounds, at)), row| {
            row.count(id.value()).int(at.0).count(by.value()).text(grounds.reveal());
        });
    }
}
