//! Everybody on the stage, and what all scenes need: saying something in a patient's thread, sending a STAT, seeing that it is
//! silent.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use wardline_client::clinical::{Bed, Beds, Bedside, ClinicalCalls as _};
use wardline_client::event::Accepted;
use wardline_client::stat::{Escalation, Priority, Reach, Reply, Stands, StatRef, Urgency};
use wardline_client::{AssignmentId, PersonId, StatCalls as _};

use crate::demo::away::{self, Desk};
use crate::demo::cast::{self, Who};
use crate::demo::phone::{Heard, Phone, Place};
use crate::demo::setup::Ward;
use crate::demo::tell::Teller;
use crate::exit::Failure;
use crate::{say, stat};

/// What is played on.
pub(super) struct Stage<'a> {
    pub(super) teller: &'a Teller,
    pub(super) ward: Ward,
    pub(super) phones: BTreeMap<Who, Phone>,
    pub(super) screen: Phone,
}

impl<'a> Stage<'a> {
    /// Everybody joins, each with a code, on a device of their own.
    pub(super) async fn open(
        teller: &'a Teller,
        desk: &Desk,
        place: &Place,
        ward: Ward,
        directory: &Path,
    ) -> Result<Self, Failure> {
        let mut phones = BTreeMap::new();
        for (who, person) in &ward.staff {
            let joining = format!("{} joins …", who.name());
            let joined = Phone::join(desk, place, *person, directory, *who == Who::Priya);
            let mut phone = say::patiently(&joining, joined).await?;
            // One phone is frozen: it is on, and nobody has it in front of them.
            if *who != Who::Victor {
                phone.in_hand().await;
            }
            let text = format!("{}, {}, joins with a code.", who.name(), who.title());
            teller.tell("joined", Some(*who), &text).await?;
            phones.insert(*who, phone);
        }
        let mut screen = Phone::join(desk, place, ward.screen, directory, false).await?;
        screen.in_hand().await;
        teller.tell("joined", None, "The station screen in the corridor joins, as a screen.").await?;
        for phone in phones.values() {
            let caught_up = |heard: &Heard| heard.is_caught_up.then_some(());
            phone.until("The phones catch up …", caught_up).await?;
        }
        Ok(Self { teller, ward, phones, screen })
    }

    pub(super) fn phone(&self, who: Who) -> &Phone {
        &self.phones[&who]
    }

    /// Who a person is, where they are one of the demo's.
    pub(super) fn who(&self, person: PersonId) -> Option<Who> {
        self.ward.staff.iter().find(|(_, id)| **id == person).map(|(who, _)| *who)
    }

    pub(super) fn stay(&self, bed: &str) -> Result<&Bedside, Failure> {
        let empty = || Failure::Refused(format!("Nobody lies in bed {bed} of {}.", cast::UNIT));
        self.ward.stays.get(bed).ok_or_else(empty)
    }

    /// "Rosa Castellano, bed 3".
    pub(super) fn patient(&self, bed: &str) -> Result<String, Failure> {
        Ok(format!("{}, bed {bed}", self.stay(bed)?.patient.particulars.name))
    }

    /// Takes beds for somebody's shift, unless a try before whose answer was lost has done it.
    pub(super) async fn take_beds(&self, who: Who, beds: &[String], until: i64) -> Result<(), Failure> {
        let (phone, unit) = (self.phone(who), self.ward.unit);
        let me = phone.person();
        away::there(
            async || {
                let held = away::again(|| phone.client.beds(unit)).await?.beds;
                let mine = |bed: &String| {
                    let has = |known: &&Bed| known.bed == *bed;
                    held.iter().find(has).is_some_and(|bed| bed.holders.iter().any(|held| held.person == me))
                };
                Ok(beds.iter().all(mine).then_some(()))
            },
            async || phone.client.take_beds(unit, Beds::Named(beds), until, None).await,
        )
        .await
    }

    /// The charge nurse ends whatever is held in the unit.
    pub(super) async fn end_shifts(&self) -> Result<usize, Failure> {
        let ingrid = &self.phone(Who::Ingrid).client;
        let held = away::again(|| ingrid.beds(self.ward.unit)).await?;
        let of_beds = held.beds.iter().flat_map(|bed| &bed.holders);
        let mut all: Vec<AssignmentId> =
            held.whole.iter().chain(of_beds).map(|held| held.assignment).collect();
        all.sort_unstable();
        all.dedup();
        for assignment in &all {
            away::once(|| ingrid.end_assignment(*assignment)).await?;
        }
        Ok(all.len())
    }

    /// Somebody writes in a patient's thread, and the others' phones have it.
    pub(super) async fn write(
        &self,
        who: Who,
        bed: &str,
        text: &str,
        priority: Priority,
        readers: &[Who],
    ) -> Result<(), Failure> {
        let place = self.stay(bed)?.encounter.conversation;
        let urgency = Urgency { priority, ..Urgency::default() };
        let accepted = self.accepted(who, bed, text, urgency).await?;
        for reader in readers {
            let has = |heard: &Heard| heard.messages.contains(&(place, accepted.sequence)).then_some(());
            let waiting = format!("Waiting for {} to have it …", reader.name());
            self.phone(*reader).until(&waiting, has).await?;
        }
        let (patient, mark) = (self.patient(bed)?, say::priority(priority));
        let what = if priority == Priority::Urgent { "urgent" } else { "message" };
        let said = format!("{} in the thread of {patient}: {mark}“{text}”", who.name());
        let more = json!({ "conversation": place.to_string(), "sequence": accepted.sequence.0 });
        self.teller.tell_more(what, Some(who), &said, more).await
    }

    async fn accepted(&self, who: Who, bed: &str, text: &str, urgency: Urgency) -> Result<Accepted, Failure> {
        let place = self.stay(bed)?.encounter.conversation;
        let mut sent = self.phone(who).client.send_urgent(place, text, urgency).await?;
        Ok(say::patiently("Waiting for the box to take it …", sent.outcome()).await?)
    }

    /// Shows whom it would reach, and sends it.
    pub(super) async fn send_stat(
        &self,
        who: Who,
        bed: &str,
        first: Who,
        text: &str,
    ) -> Result<StatRef, Failure> {
        let place = self.stay(bed)?.encounter.conversation;
        let urgency = Urgency { priority: Priority::Stat, people: vec![self.ward.staff[&first]], unit: None };
        let client = &self.phone(who).client;
        let prospect = away::again(|| client.prospect(place, &urgency)).await?;
        let reach = match prospect.called.first().map(|first| first.reach) {
            Some(Reach::AppOpen) => "has the app open",
            Some(Reach::BellOnly) => "has a phone that is on, and the app not open",
            _ => "cannot be reached",
        };
        let (steps, screens) = (prospect.steps.len(), prospect.stations.0);
        let text_before = format!(
            "Before it goes out {} is shown whom it reaches: {} {reach}; behind that {steps} more steps and {}.",
            who.name(),
            first.name(),
            say::count(screens as usize, "station screen", "station screens")
        );
        self.teller.tell("prospect", Some(who), &text_before).await?;
        let accepted = self.accepted(who, bed, text, urgency).await?;
        let sent = StatRef { conversation: accepted.conversation, sequence: accepted.sequence };
        let patient = self.patient(bed)?;
        let said = format!("{} sends a STAT to {} about {patient}: “{text}”", who.name(), first.name());
        self.teller.tell_more("stat_sent", Some(who), &said, json!({ "stat": stat::name(sent) })).await?;
        Ok(sent)
    }

    /// Closes STATs of a run that did not come to its end: they would go on ringing.
    pub(super) async fn close_old(&self, sender: Who) -> Result<(), Failure> {
        let phone = self.phone(sender);
        phone.settled().await?;
        let open = |heard: &Heard| {
            let mut latest: BTreeMap<StatRef, Stands> = BTreeMap::new();
            latest.extend(heard.told.iter().map(|told| (told.stat, told.stands)));
            latest.retain(|_, stands| *stands != Stands::Closed);
            Some(latest.into_keys().collect::<Vec<_>>())
        };
        for stat in phone.until("Looking for STATs of a run before …", open).await? {
            match self.close(sender, stat).await {
                Ok(()) => {
                    self.teller.tell("stat_closed", Some(sender), "A STAT of a run before is closed.").await?
                }
                // It is another's, or over.
                Err(Failure::Client(wardline_client::Error::Refused(_))) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    pub(super) async fn close(&self, who: Who, stat: StatRef) -> Result<(), Failure> {
        let client = &self.phone(who).client;
        away::once(|| client.answer_stat(stat, Reply::Close)).await
    }

    /// Waits until somebody's phone rings.
    pub(super) async fn rings(&self, who: Who, stat: StatRef) -> Result<(), Failure> {
        let waiting = format!("Waiting for {}'s phone to ring …", who.name());
        let is_called = |heard: &Heard| heard.is_called(stat).then_some(());
        self.phone(who).until(&waiting, is_called).await
    }

    /// It rings nowhere, and from now on may not.
    pub(super) async fn silent(&self, stat: StatRef) -> Result<(), Failure> {
        for phone in self.phones.values().chain([&self.screen]) {
            phone.settled().await?;
            let is_silent = |heard: &Heard| (!heard.is_called(stat)).then_some(());
            phone.until("Waiting for every phone to be silent …", is_silent).await?;
            phone.may_ring(stat, false);
        }
        let count = self.phones.len();
        let text = format!("It is silent everywhere: on {count} phones and the screen in the corridor.");
        self.teller.tell_more("silent", None, &text, json!({ "stat": stat::name(stat) })).await
    }

    /// Nothing happened that must not.
    pub(super) async fn sound(&self) -> Result<(), Failure> {
        for phone in self.phones.values().chain([&self.screen]) {
            phone.settled().await?;
            phone.sound()?;
        }
        Ok(())
    }

    pub(super) async fn close_all(self) {
        for phone in self.phones.into_values().chain([self.screen]) {
            phone.close().await;
        }
    }
}

/// How a STAT goes on, as whoever sent it hears it; held against what must be: no step twice, none back.
pub(super) struct Ladder {
    pub(super) stat: StatRef,
    sender: Who,
    seen: usize,
    before: Option<Escalation>,
}

impl Ladder {
    pub(super) fn of(stat: StatRef, sender: Who) -> Self {
        Self { stat, sender, seen: 0, before: None }
    }

    /// The next that the sender is told.
    pub(super) async fn next(&mut self, stage: &Stage<'_>) -> Result<Escalation, Failure> {
        loop {
            let (stat, seen) = (self.stat, self.seen);
            let next = |heard: &Heard| heard.told.iter().filter(|told| told.stat == stat).nth(seen).cloned();
            let told =
                stage.phone(self.sender).until("It rings, and nobody has answered yet …", next).await?;
            self.seen += 1;
            let is_news = self.follows(&told)?;
            self.before = Some(told.clone());
            if is_news {
                return Ok(told);
            }
        }
    }

    /// Whether it is another step or standing than before, and not merely who cannot.
    fn follows(&self, told: &Escalation) -> Result<bool, Failure> {
        let Some(before) = &self.before else { return Ok(true) };
        let must_not = |what: &str| Failure::Refused(format!("The box did what it must not do: {what}"));
        if told.step < before.step {
            return Err(must_not("a STAT went back to an earlier step."));
        }
        let (rang, rings) = (before.stands == Stands::Ringing, told.stands == Stands::Ringing);
        if rang && rings && told.step == before.step && told.since != before.since {
            return Err(must_not("a step of a STAT came twice."));
        }
        if before.stands == Stands::Closed {
            return Err(must_not("a STAT went on after it was closed."));
        }
        Ok((told.stands, told.step, told.since) != (before.stands, before.step, before.since))
    }
}

#[cfg(test)]
mod tests {
    use wardline_client::{ConversationId, Sequence};

    use super::*;

    fn told(stands: Stands, step: u32, since: i64) -> Escalation {
        let stat = StatRef { conversation: ConversationId::new(7).unwrap(), sequence: Sequence(3) };
        let (by, noted_by, unit, dial) = (None, None, None, String::new());
        Escalation {
            stat,
            stands,
            since,
            by,
            noted_by,
            note: None,
            step,
            steps: 4,
            unit,
            called: vec![],
            called_count: 0,
            dial,
        }
    }

    fn follows(before: Escalation, after: Escalation) -> Option<bool> {
        let ladder = Ladder { stat: before.stat, sender: Who::Priya, seen: 1, before: Some(before) };
        ladder.follows(&after).ok()
    }

    #[test]
    fn a_step_that_comes_twice_or_goes_back_is_found() {
        use Stands::{Accepted, Closed, Ringing};
        assert_eq!(follows(told(Ringing, 1, 5), told(Ringing, 2, 9)), Some(true));
        assert_eq!(follows(told(Ringing, 1, 5), told(Ringing, 1, 5)), Some(false), "told again");
        assert_eq!(follows(told(Ringing, 1, 5), told(Ringing, 1, 9)), None);
        assert_eq!(follows(told(Ringing, 2, 5), told(Ringing, 1, 9)), None);
        assert_eq!(follows(told(Accepted, 1, 5), told(Ringing, 1, 9)), Some(true), "handed back");
        assert_eq!(follows(told(Closed, 1, 5), told(Ringing, 1, 9)), None);
    }
}
