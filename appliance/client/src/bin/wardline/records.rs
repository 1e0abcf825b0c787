//! `wardline patient merge` and `unmerge`: two records of one patient, and what it will do before it is done.

use clap::Args;
use serde_json::{Value, json};
use wardline_client::Calls;
use wardline_client::clinical::{Patient, Standing};
use wardline_client::event::Unit;
use wardline_client::records::{MergedRecords, MergedStay, RecordCalls as _};

use crate::exit::Failure;
use crate::patient::unit_name;
use crate::{json, say};

#[derive(Args)]
pub(crate) struct Merge {
    /// The number of the record that survives: its name and number count from then on.
    surviving: String,
    /// The number of the record that is merged into it: it finds the surviving one from then on.
    merged: String,
    #[command(flatten)]
    how: How,
}

#[derive(Args)]
pub(crate) struct Unmerge {
    /// The number of the record that was merged, not of the one that survived.
    merged: String,
    #[command(flatten)]
    how: How,
}

#[derive(Args)]
struct How {
    /// Do it. Without this, what it will do is said and nothing is changed.
    #[arg(long)]
    yes: bool,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn merge(door: &impl Calls, given: Merge) -> Result<(), Failure> {
    let how = given.how;
    let found = door.merge_records(&given.surviving, &given.merged, !how.yes).await?;
    if how.json {
        return json::print(&to_json("merge", &found));
    }
    let what = if found.done { "survived" } else { "survives" };
    say::line(&format!("{}  {what}", who(&found.surviving)))?;
    let what = if found.done { "is merged into it" } else { "would be merged into it" };
    say::line(&format!("{}  {what}", who(&found.merged)))?;
    differences(&found)?;
    stays(&found, &door.units().await?)?;
    let open = found.stays.iter().filter(|stay| is_open(stay)).count();
    if open > 1 {
        say::line(&format!(
            "One patient in {open} beds: discharge the stay that is not, once you know which."
        ))?;
    }
    named(found.surviving_named, "this patient")?;
    say::note(if found.done {
        "Merged. Every message stays where it was written. To take it back: wardline patient unmerge"
    } else {
        "Nothing is changed yet. To merge them: the same with --yes"
    });
    Ok(())
}

pub(crate) async fn unmerge(door: &impl Calls, given: Unmerge) -> Result<(), Failure> {
    let how = given.how;
    let found = door.unmerge_records(&given.merged, !how.yes).await?;
    if how.json {
        return json::print(&to_json("unmerge", &found));
    }
    let what =
        if found.done { "is a patient of its own again" } else { "would be a patient of its own again" };
    say::line(&format!("{}  {what}", who(&found.merged)))?;
    say::line(&format!("{}  keeps what was begun under its number", who(&found.surviving)))?;
    stays(&found, &door.units().await?)?;
    named(found.surviving_named, &who(&found.surviving))?;
    named(found.merged_named, &who(&found.merged))?;
    say::note(if found.done {
        "Un-merged. Each stay, and what was written in it, is where it was begun."
    } else {
        "Nothing is changed yet. To un-merge them: the same with --yes"
    });
    Ok(())
}

/// Who a patient is, in a line; by alias where the person may not see it.
pub(crate) fn who(patient: &Patient) -> String {
    let known = &patient.particulars;
    if patient.hidden {
        return say::clean_line(&format!("{} (restricted)", known.name));
    }
    let others: String = patient.merged_records.iter().map(|number| format!(", also {number}")).collect();
    say::clean_line(&format!("{}, born {}, {}{others}", known.name, known.birth_date, known.record_number))
}

/// What should make somebody stop.
fn differences(found: &MergedRecords) -> Result<(), Failure> {
    let (one, other) = (&found.surviving.particulars, &found.merged.particulars);
    if found.surviving.hidden || found.merged.hidden {
        return Ok(());
    }
    if one.birth_date != other.birth_date {
        say::line("They are born on different days. Are they the same person?")?;
    }
    if one.sex != other.sex {
        say::line("Their sex is recorded differently. Are they the same person?")?;
    }
    Ok(())
}

fn stays(found: &MergedRecords, units: &[Unit]) -> Result<(), Failure> {
    for stay in &found.stays {
        let encounter = &stay.encounter;
        let state = match encounter.standing {
            Standing::Admitted => "here".to_owned(),
            Standing::OnLeave => "on leave".to_owned(),
            Standing::Discharged(at) => format!("discharged {}", say::time(at)),
            _ => String::new(),
        };
        let people = |number: u32| say::count(number as usize, "person", "people");
        let line = format!(
            "{} {}, {state}: {} into its thread, {} out of it",
            unit_name(units, encounter.unit),
            encounter.bed,
            people(stay.entering),
            people(stay.leaving)
        );
        say::line(&say::clean_line(&line))?;
    }
    let more = (found.stays_in_all as usize).saturating_sub(found.stays.len());
    if more > 0 {
        say::line(&say::count(more, "more stay, which is over.", "more stays, which are over."))?;
    }
    Ok(())
}

fn named(number: u32, whom: &str) -> Result<(), Failure> {
    if number == 0 {
        return Ok(());
    }
    let people = say::count(number as usize, "named person", "named people");
    say::line(&format!("Restricted: only {people} may see who {whom} is."))
}

fn is_open(stay: &MergedStay) -> bool {
    !matches!(stay.encounter.standing, Standing::Discharged(_))
}

fn to_json(act: &str, found: &MergedRecords) -> Value {
    let stay = |stay: &MergedStay| {
        let mut value = json::encounter(&stay.encounter);
        value["record"] = json!(stay.encounter.patient.to_string());
        value["entering"] = json!(stay.entering);
        value["leaving"] = json!(stay.leaving);
        value
    };
    json!({
        "event": act,
        "done": found.done,
        "surviving": json::patient(&found.surviving),
        "merged": json::patient(&found.merged),
        "stays": found.stays.iter().map(stay).collect::<Vec<_>>(),
        "stays_in_all": found.stays_in_all,
        "surviving_named": found.surviving_named,
        "merged_named": found.merged_named,
    })
}
