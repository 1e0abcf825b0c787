//! How findings are shown: a line each as they are found, or JSON.

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::finding::Finding;
use super::weight::Weight;
use super::words::{self, Told};
use crate::exit::Failure;
use crate::{json, say};

/// Mark and label before what is said.
const INDENT: usize = 18;
/// Wider than this nobody reads.
const WIDTH_MAX: usize = 100;

/// Says findings as they come, and keeps them.
pub(crate) struct Report {
    as_json: bool,
    findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn begin(as_json: bool, heading: &str) -> Result<Self, Failure> {
        if !as_json {
            say::line(&say::clean_line(heading))?;
            say::line("")?;
        }
        Ok(Self { as_json, findings: Vec::new() })
    }

    pub(crate) fn found(&mut self, finding: Finding) -> Result<(), Failure> {
        let (weight, told) = (finding.weight(), words::told(&finding));
        if self.as_json {
            json::print(&object(&finding, weight, &told))?;
        } else {
            lines(&finding, weight, &told, say::width().min(WIDTH_MAX))
                .iter()
                .try_for_each(|l| say::line(l))?;
        }
        self.findings.push(finding);
        Ok(())
    }

    /// Whether nothing found so far forbids to go on.
    pub(crate) fn weight(&self) -> Weight {
        Weight::of(&self.findings)
    }

    /// The last line, and the exit code.
    pub(crate) fn end(self) -> Result<(), Failure> {
        let weight = Weight::of(&self.findings);
        let warnings = self.findings.iter().filter(|f| f.weight() == Weight::Warning).count();
        let (words, code) = (words::result(weight, warnings), weight.exit_code());
        if self.as_json {
            let value = json!({
                "event": "doctor",
                "result": outcome(weight),
                "exit_code": code,
                "warnings": warnings,
                "text": words,
            });
            json::print(&value)?;
        } else {
            say::line("")?;
            say::line(&words)?;
        }
        if code == 0 { Ok(()) } else { Err(Failure::Reported(code)) }
    }
}

/// The whole in one word, for scripts.
fn outcome(weight: Weight) -> &'static str {
    match weight {
        Weight::Ok | Weight::Note => "healthy",
        Weight::Warning => "warnings",
        Weight::Machine => "machine",
        Weight::Refused => "refused",
        Weight::Unreachable => "unreachable",
        Weight::Untrusted => "untrusted",
    }
}

fn object(finding: &Finding, weight: Weight, told: &Told) -> Value {
    // An enum of strings and numbers: there is nothing in it that JSON does not have.
    let mut value = serde_json::to_value(finding).unwrap_or_default();
    value["event"] = json!("check");
    value["result"] = json!(weight);
    value["text"] = json!(told.what);
    value["likely"] = json!(told.likely);
    value["next"] = json!(told.next);
    value
}

fn mark(weight: Weight) -> &'static str {
    match weight {
        Weight::Ok => "ok",
        Weight::Note => "note",
        Weight::Warning => "WARN",
        _ => "FAIL",
    }
}

fn lines(finding: &Finding, weight: Weight, told: &Told, width: usize) -> Vec<String> {
    let head = format!("{:4}  {:11} ", mark(weight), finding.label());
    let mut lines = hung(&head, &told.what, width);
    for (label, all) in [("Likely:", &told.likely), ("Next:", &told.next)] {
        for (at, text) in all.iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            lines.extend(hung(&format!("{:INDENT$}{label:7} - ", ""), text, width));
        }
    }
    lines
}

/// A text that hangs from its head, and goes on below where it began.
pub(crate) fn hung(head: &str, text: &str, width: usize) -> Vec<String> {
    let indent = head.width();
    let room = width.saturating_sub(indent + 1).max(20);
    let mut lines = vec![head.to_owned()];
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if used > 0 && used + 1 + word.width() > room {
            lines.push(" ".repeat(indent));
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if used > 0 { " " } else { "" });
            line.push_str(word);
        }
        used += word.width() + usize::from(used > 0);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::finding::{Clock, Trip};
    use super::*;

    #[test]
    fn a_finding_fits_the_terminal_and_goes_on_where_it_began() {
        let apart = Finding::Clock(Clock::Apart { box_ahead_ms: -3_700_000, good_to_ms: 2 });
        let shown = lines(&apart, apart.weight(), &words::told(&apart), 80);
        assert_eq!(shown[0], "WARN  Clock       the box is 1 h 1 min behind this machine");
        assert!(shown[1].starts_with(&format!("{:18}Likely: - ", "")), "{shown:#?}");
        assert!(shown.iter().all(|line| line.width() < 80), "{shown:#?}");
        assert!(shown.iter().any(|line| line.starts_with(&format!("{:18}Next:   - ", ""))), "{shown:#?}");
    }

    #[test]
    fn a_finding_is_one_object_with_its_figures() {
        let trip = Trip::Lossy { best_ms: 1.5, median_ms: 2.0, worst_ms: 9.0, sent: 10, lost: 4 };
        let finding = Finding::RoundTrip(trip);
        let value = object(&finding, finding.weight(), &words::told(&finding));
        assert_eq!((&value["event"], &value["check"]), (&json!("check"), &json!("round_trip")));
        assert_eq!((&value["finding"], &value["result"]), (&json!("lossy"), &json!("warning")));
        assert_eq!((&value["lost"], &value["best_ms"]), (&json!(4), &json!(1.5)));
        assert!(value["next"].as_array().is_some_and(|next| !next.is_empty()));
    }
}
