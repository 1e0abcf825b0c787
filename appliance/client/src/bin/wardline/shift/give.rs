//! Taking beds for oneself, and giving a whole shift's beds out: what was written is spelled out and told.

use std::collections::BTreeSet;

use serde_json::json;
use wardline_client::beds::{BedsFault, Meant, meant};
use wardline_client::clinical::{Beds, ClinicalCalls as _, Holder, UnitBeds};
use wardline_client::event::Person;
use wardline_client::{AssignmentId, PersonId, UnitId};

use crate::access::Access;
use crate::exit::Failure;
use crate::{find, json, say};

/// Two shifts that were given so soon one after the other, with --hours, end together.
const TOLERANCE_MS: i64 = 300_000;

/// Takes beds: all, or those that are written, ranges among them, with those that are called by their very names.
pub(super) async fn take(
    access: &Access,
    (unit, until): (UnitId, i64),
    (all, written, exact): (bool, &[String], &[String]),
    person: Option<PersonId>,
    (people, as_json): (&[Person], bool),
) -> Result<(), Failure> {
    let there = access.beds(unit).await?;
    let share = if all { None } else { Some(spelled(written, exact, &there)?) };
    let beds = share.as_ref().map_or(Beds::Whole, |share| Beds::Named(&share.beds));
    let taken = access.take_beds(unit, beds, until, person).await?;
    let told = Told { me: access.identity().person, unit, until, there: &there, people, as_json };
    told.taken(taken, person, share.as_ref())
}

/// Gives everybody their share. Whatever cannot be read is refused before anything is given.
pub(super) async fn give(
    access: &Access,
    (unit, until): (UnitId, i64),
    shares: &[String],
    (people, as_json): (&[Person], bool),
) -> Result<(), Failure> {
    let there = access.beds(unit).await?;
    let mut read = Vec::new();
    for share in shares {
        let how = || Failure::Usage(format!("{share}: write who gets which beds, as in Ana=1-20,22."));
        let (whom, beds) = share.split_once('=').ok_or_else(how)?;
        read.push((find::person(people, whom)?, spelled(&[beds.to_owned()], &[], &there)?));
    }
    let told = Told { me: access.identity().person, unit, until, there: &there, people, as_json };
    told.twice(&read);
    for (at, (person, share)) in read.iter().enumerate() {
        match access.take_beds(unit, Beds::Named(&share.beds), until, Some(*person)).await {
            Ok(taken) => told.taken(taken, Some(*person), Some(share))?,
            Err(error) => {
                let rest: Vec<String> =
                    read[at..].iter().map(|(person, _)| find::name(people, *person)).collect();
                say::note(&format!("Nothing was given to {}.", rest.join(", ")));
                return Err(error.into());
            }
        }
    }
    told.without_holder(&read);
    Ok(())
}

fn spelled(written: &[String], exact: &[String], there: &UnitBeds) -> Result<Meant, Failure> {
    let known: Vec<&str> = there.beds.iter().map(|bed| bed.bed.as_str()).collect();
    meant(written, exact, &known).map_err(|fault: BedsFault| Failure::Usage(fault.to_string()))
}

/// What is told of beds that were taken.
struct Told<'a> {
    me: PersonId,
    unit: UnitId,
    until: i64,
    /// As they were before.
    there: &'a UnitBeds,
    people: &'a [Person],
    as_json: bool,
}

impl Told<'_> {
    /// `whom`: for whom; none: whoever asks. No share: the whole unit.
    fn taken(
        &self,
        taken: AssignmentId,
        whom: Option<PersonId>,
        share: Option<&Meant>,
    ) -> Result<(), Failure> {
        let holder = whom.unwrap_or(self.me);
        let held = self.held_too(share, holder);
        if self.as_json {
            let also = held.iter().map(
                |(bed, held)| json!({ "bed": bed, "person": held.person.to_string(), "until": held.until }),
            );
            return json::print(&json!({
                "event": "beds_taken",
                "assignment": taken.to_string(),
                "unit": self.unit.to_string(),
                "person": holder.to_string(),
                "until": self.until,
                "whole_unit": share.is_none(),
                "beds": share.map_or(&[][..], |share| &share.beds),
                "unknown": share.map_or(&[][..], |share| &share.unknown),
                "left_out": share.map_or(&[][..], |share| &share.left_out),
                "held_too": also.collect::<Vec<_>>(),
            }));
        }
        say::line(&taken.to_string())?;
        let who =
            if holder == self.me { String::new() } else { format!("{}: ", find::name(self.people, holder)) };
        let until = say::time(self.until);
        if let Some(share) = share {
            let count = say::count(share.beds.len(), "bed", "beds");
            say::note(&format!("{who}{count} until {until}: {}.", listed(&share.beds)));
            if !share.unknown.is_empty() {
                let which = listed(&share.unknown);
                say::note(&format!(
                    "  Nobody lies in these and nobody held them, so check that there are such beds: {which}."
                ));
            }
            if !share.left_out.is_empty() {
                let which = listed(&share.left_out);
                say::note(&format!(
                    "  NOT taken, since the beds there have letters and none with this number is known: {which}."
                ));
            }
        } else {
            say::note(&format!("{who}Every bed until {until}."));
        }
        let mut by: Vec<(PersonId, i64)> = held.iter().map(|(_, held)| (held.person, held.until)).collect();
        by.sort_unstable();
        by.dedup();
        for (person, until) in by {
            let theirs = held.iter().filter(|(_, held)| (held.person, held.until) == (person, until));
            let beds: Vec<String> = theirs.map(|(bed, _)| bed.clone()).collect();
            let name = find::name(self.people, person);
            say::note(&format!("  {name} has too, until {}: {}.", say::time(until), listed(&beds)));
        }
        for held in self.there.whole.iter().filter(|held| held.person != holder) {
            let name = find::name(self.people, held.person);
            say::note(&format!("  {name} has every bed of the unit, until {}.", say::time(held.until)));
        }
        say::note(&format!("  To end it before: wardline shift end {taken}"));
        Ok(())
    }

    /// Beds of this share that somebody else held already, by name.
    fn held_too(&self, share: Option<&Meant>, holder: PersonId) -> Vec<(String, Holder)> {
        let Some(share) = share else { return Vec::new() };
        let beds = self.there.beds.iter().filter(|bed| share.beds.contains(&bed.bed));
        let held = beds.flat_map(|bed| bed.holders.iter().map(|held| (bed.bed.clone(), *held)));
        held.filter(|(_, held)| held.person != holder).collect()
    }

    /// Beds that two people get by one act.
    fn twice(&self, shares: &[(PersonId, Meant)]) {
        for (at, (person, share)) in shares.iter().enumerate() {
            for (other, others) in &shares[at + 1..] {
                let both: Vec<String> =
                    share.beds.iter().filter(|bed| others.beds.contains(bed)).cloned().collect();
                if !both.is_empty() {
                    let (one, other) = (find::name(self.people, *person), find::name(self.people, *other));
                    say::note(&format!("{one} and {other} both get {}.", listed(&both)));
                }
            }
        }
    }

    /// Beds of which nobody has any when all is given: nobody here, and nobody for as long.
    fn without_holder(&self, shares: &[(PersonId, Meant)]) {
        if self.as_json || self.there.whole.iter().any(|held| held.until >= self.until - TOLERANCE_MS) {
            return;
        }
        let given: BTreeSet<&String> = shares.iter().flat_map(|(_, share)| &share.beds).collect();
        let beds = self.there.beds.iter().filter(|bed| !given.contains(&bed.bed));
        let alone =
            beds.filter(|bed| !bed.holders.iter().any(|held| held.until >= self.until - TOLERANCE_MS));
        let alone: Vec<String> = alone.map(|bed| bed.bed.clone()).collect();
        if alone.is_empty() {
            say::note("Every bed that is known has somebody.");
        } else {
            let until = say::time(self.until);
            say::note(&format!("NOBODY has these until {until}: {}.", listed(&alone)));
        }
    }
}

fn listed(beds: &[String]) -> String {
    say::clean_line(&beds.join(", "))
}
