//! What the load does, and what is taken down of it.

pub(crate) mod catchup;
pub(crate) mod fanout;
pub(crate) mod idle;
pub(crate) mod pairs;
pub(crate) mod storm;

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use crate::line::Line;
use crate::meter;
use crate::subject::Subject;

/// Connections that are opened at a time where that is not what is measured.
const OPENING: usize = 32;
/// How long anything may take before the measurement is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Connects these people, a few at a time.
pub(crate) async fn connect(subject: &std::sync::Arc<Subject>, people: &[usize]) -> Result<Vec<Line>> {
    let mut lines: Vec<Option<Line>> = people.iter().map(|_| None).collect();
    let mut opening = JoinSet::new();
    let mut next = people.iter().copied().enumerate();
    loop {
        while opening.len() < OPENING
            && let Some((at, who)) = next.next()
        {
            let subject = std::sync::Arc::clone(subject);
            opening.spawn(async move { (at, subject.connect(who).await) });
        }
        let Some(opened) = opening.join_next().await else { break };
        let (at, line) = opened?;
        lines[at] = Some(line?);
    }
    lines.into_iter().collect::<Option<_>>().context("somebody did not connect")
}

/// Processor time of both sides over a span.
pub(crate) struct Costs {
    server: Duration,
    load: Duration,
}

impl Costs {
    /// From now on.
    pub(crate) fn start(subject: &Subject) -> Self {
        Self { server: subject.processor_time(), load: meter::own_processor_time() }
    }

    /// Microseconds of server and load since then, for each of so many.
    pub(crate) fn each(&self, subject: &Subject, count: usize) -> (f64, f64) {
        let server = subject.processor_time().saturating_sub(self.server);
        let load = meter::own_processor_time().saturating_sub(self.load);
        let each = |time: Duration| time.as_secs_f64() * 1e6 / count.max(1) as f64;
        (each(server), each(load))
    }
}
