//! What is measured, and how it is told.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::stats::Spread;

/// One column's name: a server, or a box with something off.
pub(crate) type Column = String;

/// One figure of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Measure {
    /// One-to-one, saturated: acked and delivered a second.
    Saturated,
    /// Then from send to delivered.
    SaturatedP50,
    /// The same at the 99th percentile.
    SaturatedP99,
    /// Then processor time of the server a message.
    SaturatedServer,
    /// And of the load.
    SaturatedLoad,
    /// One-to-one at 200 a second: from send to delivered.
    PacedP50,
    /// The same at the 99th percentile.
    PacedP99,
    /// Then processor time of the server a message.
    PacedServer,
    /// To 300 members at 5 a second, until the last has it.
    FanoutP50,
    /// The same at the 99th percentile.
    FanoutP99,
    /// Processor time of the server for one delivery in a conversation of so many.
    Delivery(usize),
    /// Memory of the server for one connection that is signed in and idle.
    Idle,
    /// Until everybody was back.
    StormSeconds,
    /// Processor time of the server for one login.
    StormServer,
    /// Those who stayed, before.
    StormCalm,
    /// And during.
    StormMeanwhile,
    /// By how much that is slower.
    StormSlower,
    /// Attempts that were repeated.
    StormRepeated,
    /// Datagrams dropped by the kernel.
    StormDropped,
    /// Missed messages a second.
    CatchUp,
}

impl Measure {
    fn name(self) -> String {
        match self {
            Self::Saturated => "one-to-one, saturated: acked and delivered, a second".into(),
            Self::SaturatedP50 => "… send to delivered, p50, ms".into(),
            Self::SaturatedP99 => "… p99, ms".into(),
            Self::SaturatedServer => "… server CPU a message, µs".into(),
            Self::SaturatedLoad => "… load CPU a message, µs".into(),
            Self::PacedP50 => "one-to-one at 200 a second: send to delivered, p50, ms".into(),
            Self::PacedP99 => "… p99, ms".into(),
            Self::PacedServer => "… server CPU a message, µs".into(),
            Self::FanoutP50 => "300 members at 5 a second: until the last has it, p50, ms".into(),
            Self::FanoutP99 => "… p99, ms".into(),
            Self::Delivery(members) => format!("conversation of {members}: server CPU a delivery, µs"),
            Self::Idle => "idle connection, signed in: server memory, kB".into(),
            Self::StormSeconds => "storm of 2,000: everybody back, s".into(),
            Self::StormServer => "… server CPU a login, µs".into(),
            Self::StormCalm => "… those who stayed, before: p99, ms".into(),
            Self::StormMeanwhile => "… and meanwhile: p99, ms".into(),
            Self::StormSlower => "… times as long as before".into(),
            Self::StormRepeated => "… attempts repeated".into(),
            Self::StormDropped => "… datagrams dropped by the kernel".into(),
            Self::CatchUp => "5,000 missed messages: caught up, a second".into(),
        }
    }
}

/// The figures of several runs.
#[derive(Default)]
pub(crate) struct Figures(BTreeMap<Measure, BTreeMap<Column, BTreeMap<usize, f64>>>);

impl Figures {
    /// Takes one down.
    pub(crate) fn add(&mut self, run: usize, column: &str, measure: Measure, value: f64) {
        self.0.entry(measure).or_default().entry(column.to_owned()).or_default().insert(run, value);
    }

    /// The table in Markdown: for each column the median and the spread, and behind it, against the first column, the median
    /// of each run's own ratio.
    pub(crate) fn markdown(&self, columns: &[Column]) -> String {
        let mut text = String::from("| measure |");
        for column in columns {
            // Writing into a String cannot fail, here and below.
            let _ = write!(text, " {column} |");
        }
        let _ = write!(text, "\n|---|{}\n", "---|".repeat(columns.len()));
        for (measure, row) in &self.0 {
            let _ = write!(text, "| {} |", measure.name());
            let first = columns.first().and_then(|column| row.get(column));
            for column in columns {
                let cell = row.get(column).and_then(|runs| cell(runs, first.filter(|first| *first != runs)));
                let _ = write!(text, " {} |", cell.as_deref().unwrap_or("-"));
            }
            text.push('\n');
        }
        text
    }
}

fn cell(runs: &BTreeMap<usize, f64>, first: Option<&BTreeMap<usize, f64>>) -> Option<String> {
    let values: Vec<f64> = runs.values().copied().collect();
    let spread = Spread::of(&values)?;
    let mut text = number(spread.median);
    if values.len() > 1 {
        let _ = write!(text, " ({}–{})", number(spread.least), number(spread.greatest));
    }
    let ratios: Vec<f64> =
        first.into_iter().flatten().filter_map(|(run, value)| Some(runs.get(run)? / value)).collect();
    if let Some(ratio) = Spread::of(&ratios) {
        let _ = write!(text, " ×{:.2}", ratio.median);
    }
    Some(text)
}

/// Three digits that count, thousands apart.
fn number(value: f64) -> String {
    match value {
        value if value >= 1_000.0 => {
            let digits = format!("{value:.0}");
            let mut text = String::new();
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && (digits.len() - at).is_multiple_of(3) {
                    text.push(',');
                }
                text.push(digit);
            }
            text
        }
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        let written: Vec<String> = [0.5, 9.876, 12.34, 123.4, 1_234.0, 1_234_567.8].map(number).into();
        assert_eq!(written, ["0.50", "9.88", "12.3", "123", "1,234", "1,234,568"]);
    }

    #[test]
    fn ratios_are_of_the_same_run() {
        let mut figures = Figures::default();
        for (run, floor, ours) in [(0, 10.0, 20.0), (1, 100.0, 100.0), (2, 1.0, 3.0)] {
            figures.add(run, "floor", Measure::CatchUp, floor);
            figures.add(run, "box", Measure::CatchUp, ours);
        }
        let table = figures.markdown(&["floor".to_owned(), "box".to_owned()]);
        assert!(table.contains("| 10.0 (1.00–100) | 20.0 (3.00–100) ×2.00 |"), "{table}");
    }
}
