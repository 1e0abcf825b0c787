//! `wardline admin retention`: how long messages are kept; first a look at what would go, then the change.

use clap::Args;
use serde_json::json;
use wardline_client::Calls;
use wardline_client::event::Kind;
use wardline_client::retention::{RetentionCalls as _, Rules, WouldGo};

use crate::exit::Failure;
use crate::{json, say};

const DAY: u32 = 24;

#[derive(Args)]
pub(crate) struct Retention {
    /// How long a conversation of two people keeps what both have read: 30d, 36h.
    #[arg(long, value_name = "TIME", value_parser = hours)]
    direct: Option<u32>,
    /// The same of groups.
    #[arg(long, value_name = "TIME", value_parser = hours)]
    group: Option<u32>,
    /// The same of channels.
    #[arg(long, value_name = "TIME", value_parser = hours)]
    channel: Option<u32>,
    /// The same of patients' threads, which can be read for as long after they close.
    #[arg(long, value_name = "TIME", value_parser = hours)]
    patient: Option<u32>,
    /// Set it. Without: only say how much would go.
    #[arg(long)]
    yes: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn retention(door: &impl Calls, wanted: Retention) -> Result<(), Failure> {
    let (now, standard) = door.retention().await?;
    let rules = Rules {
        direct: wanted.direct.unwrap_or(now.direct),
        group: wanted.group.unwrap_or(now.group),
        channel: wanted.channel.unwrap_or(now.channel),
        patient: wanted.patient.unwrap_or(now.patient),
    };
    let changes = [wanted.direct, wanted.group, wanted.channel, wanted.patient].iter().any(Option::is_some);
    if !changes {
        if wanted.yes {
            return Err(Failure::Usage(
                "Say what to set: --direct, --group, --channel, --patient.".to_owned(),
            ));
        }
        return show(now, standard, wanted.json);
    }
    if wanted.yes {
        door.set_retention(rules).await?;
        show(rules, false, wanted.json)?;
        say::note("What is older goes within minutes, but for what is under legal hold.");
        return Ok(());
    }
    let would_go = door.preview_retention(rules).await?;
    if wanted.json {
        return would_go.iter().try_for_each(print);
    }
    if would_go.is_empty() {
        say::line("Nothing would go now.")?;
    }
    would_go.iter().try_for_each(|of| say::line(&words(of)))?;
    say::note("Nothing is changed yet. The same again with --yes sets it.");
    Ok(())
}

/// "30d" or "36h", in hours.
fn hours(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text} is no time. Write days or hours: 30d, 36h.");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: u32 = number.parse().map_err(|_| wrong())?;
    match unit {
        "h" => Ok(number),
        "d" => number.checked_mul(DAY).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

fn time(hours: u32) -> String {
    match (hours.is_multiple_of(DAY), hours / DAY) {
        (true, 1) => "1 day".to_owned(),
        (true, days) => format!("{days} days"),
        (false, _) if hours == 1 => "1 hour".to_owned(),
        (false, _) => format!("{hours} hours"),
    }
}

fn show(rules: Rules, standard: bool, as_json: bool) -> Result<(), Failure> {
    let Rules { direct, group, channel, patient } = rules;
    if as_json {
        return json::print(&json!({
            "event": "retention",
            "hours": { "direct": direct, "group": group, "channel": channel, "patient": patient },
            "standard": standard,
        }));
    }
    for (what, hours) in
        [("Two people", direct), ("Groups", group), ("Channels", channel), ("Patients' threads", patient)]
    {
        say::line(&format!("{what:18}{}", time(hours)))?;
    }
    say::note("For what everybody has read; what somebody has not is kept twice as long.");
    if standard {
        say::note("Nobody has set it: it is as the box was configured.");
    }
    Ok(())
}

fn name(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Direct => ("direct", "Two people"),
        Kind::Group => ("group", "Groups"),
        Kind::Channel => ("channel", "Channels"),
        Kind::Patient => ("patient", "Patients' threads"),
        Kind::Family => ("family", "Family threads"),
        Kind::Role => ("role", "Roles' inboxes"),
        Kind::Broadcast => ("broadcast", "Announcements"),
        _ => ("other", "Others"),
    }
}

fn words(of: &WouldGo) -> String {
    let held = match of.held {
        0 => String::new(),
        1 => "; 1 more conversation is kept by a legal hold".to_owned(),
        many => format!("; {many} more conversations are kept by a legal hold"),
    };
    let (messages, conversations) = (of.messages, of.conversations);
    let some = |count: u64, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let (messages, conversations) = (some(messages, "message"), some(conversations.into(), "conversation"));
    format!("{:18}{messages} in {conversations} would go{held}", name(of.kind).1)
}

fn print(of: &WouldGo) -> Result<(), Failure> {
    json::print(&json!({
        "event": "would_go",
        "kind": name(of.kind).0,
        "messages": of.messages,
        "conversations": of.conversations,
        "held": of.held,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_as_people_do() {
        assert_eq!((hours("30d"), hours("36h"), hours("1h")), (Ok(720), Ok(36), Ok(1)));
        for wrong in ["", "d", "30", "30 d", "-1d", "30w", "4294967295d", "1.5d", "é"] {
            assert!(hours(wrong).is_err(), "{wrong}");
        }
        assert_eq!(time(720), "30 days");
        assert_eq!(time(36), "36 hours");
    }
}
