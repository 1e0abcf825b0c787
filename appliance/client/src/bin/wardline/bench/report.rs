//! What `wardline bench` says.

use serde_json::json;

use super::Wish;
use super::measure::{Measured, Spread, Verdict};
use crate::exit::Failure;
use crate::{json, say};

/// Says what was measured, and ends with the verdict's exit code.
pub(super) fn tell(measured: &Measured, wish: &Wish) -> Result<(), Failure> {
    let verdict = measured.verdict();
    if wish.json {
        let mut value = serde_json::to_value(measured).unwrap_or_default();
        value["event"] = json!("bench");
        value["result"] = json!(verdict);
        value["exit_code"] = json!(verdict.exit_code());
        value["rate"] = json!(wish.rate);
        value["text"] = json!(sentence(measured));
        json::print(&value)?;
    } else {
        lines(measured).iter().try_for_each(|line| say::line(line))?;
    }
    match verdict.exit_code() {
        0 => Ok(()),
        code => Err(Failure::Reported(code)),
    }
}

fn lines(measured: &Measured) -> Vec<String> {
    let mut lines = vec![format!(
        "{:22}{:>10}{:>14}{:>12}{:>10}",
        "milliseconds", "half", "nine of ten", "99 of 100", "slowest"
    )];
    let mut row = |label: &str, spread: Option<Spread>| {
        if let Some(Spread { p50_ms, p90_ms, p99_ms, max_ms, .. }) = spread {
            lines.push(format!("{label:22}{p50_ms:>10.1}{p90_ms:>14.1}{p99_ms:>12.1}{max_ms:>10.1}"));
        }
    };
    row("kept on this machine", measured.kept);
    row("on the box's disk", measured.accepted);
    row("on the other screen", measured.delivered);
    row("a packet and back", measured.packets);
    lines.push(String::new());
    lines.push(counts(measured));
    lines.extend(say::wrap(&sentence(measured), say::width().min(100)).lines().map(str::to_owned));
    if !measured.watched {
        lines.push("With --with PROFILE of a second device, the time to its screen is measured.".to_owned());
    }
    lines
}

fn counts(measured: &Measured) -> String {
    let count = measured.arrived().map_or(0, |arrived| arrived.count);
    let packets = match (measured.packets_sent, measured.packets_lost) {
        (0, _) => "Packets were not counted: none was answered.".to_owned(),
        (sent, 0) => format!("Of {sent} packets none was lost."),
        (sent, lost) => format!("Of {sent} packets {lost} {} lost.", if lost == 1 { "was" } else { "were" }),
    };
    format!("{count} of {} messages in {} s. {packets}", measured.messages, measured.seconds)
}

/// In one sentence, what a person has of it.
fn sentence(measured: &Measured) -> String {
    let Some(arrived) = measured.arrived() else {
        return "No message arrived in time: wardline doctor says what is wrong.".to_owned();
    };
    let whole = |ms: f64| format!("{:.0} ms", ms.ceil());
    let (half, nine) = (whole(arrived.p50_ms), whole(arrived.p90_ms));
    let place = if measured.watched { "on the other screen" } else { "on the box" };
    let times = format!("A message is {place} in {half}, nine of ten within {nine}");
    match measured.verdict() {
        Verdict::Good => format!("{times}: good."),
        Verdict::Usable => format!("{times}: usable, and people will notice it. {}", slower(measured)),
        Verdict::Slow => format!("{times}: too slow for work. {}", slower(measured)),
        Verdict::Lossy => format!(
            "{times}: good, but the network loses packets, and that will get worse when it is busy. Measure nearer to \
             the access point, and by cable."
        ),
        Verdict::Incomplete | Verdict::Nothing => format!(
            "{} of {} messages did not arrive within 15 s. {times}. wardline doctor says what is wrong.",
            measured.messages as usize - arrived.count.min(measured.messages as usize),
            measured.messages
        ),
    }
}

/// Where most of the time goes.
fn slower(measured: &Measured) -> &'static str {
    let half = |spread: Option<Spread>| spread.map_or(0.0, |spread| spread.p50_ms);
    let all = half(measured.arrived());
    if half(measured.kept) > all / 2.0 {
        "Most of it is this machine's own disk."
    } else if half(measured.packets) > all / 4.0 {
        "Most of it is the network: measure nearer to the access point, and by cable."
    } else {
        "The network is quick: look at the box, its disk and its load."
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::tests::{measured, spread};
    use super::*;

    #[test]
    fn it_is_said_in_a_sentence_and_a_table_that_fits() {
        let good = measured(33.2, 49.5);
        assert_eq!(
            sentence(&good),
            "A message is on the other screen in 34 ms, nine of ten within 50 ms: good."
        );
        let shown = lines(&good);
        assert!(shown.iter().all(|line| line.len() < 80), "{shown:#?}");
        assert!(
            shown.iter().any(|line| line == "100 of 100 messages in 20 s. Of 100 packets none was lost.")
        );
    }

    #[test]
    fn it_says_where_the_time_goes() {
        let slow = measured(400.0, 1_500.0);
        assert!(sentence(&slow).ends_with("look at the box, its disk and its load."));
        let network = Measured { packets: Some(spread(190.0, 300.0)), ..slow.clone() };
        assert!(sentence(&network).contains("Most of it is the network"));
        let disk = Measured { kept: Some(spread(390.0, 900.0)), ..slow };
        assert!(sentence(&disk).contains("this machine's own disk"));
    }
}
