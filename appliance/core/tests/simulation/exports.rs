//! Exports: what people do with them by chance, what came of it, and that what an export gives is what the reference has for it.

use std::collections::BTreeSet;

use wardline_core::escalation::StatId;
use wardline_core::grant::ExportGrant;
use wardline_core::ids::{Conn, PersonId, RequestId, Sequence};
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::wire::proto::{self, EscalationState as Stat, RefusalCode as Code, begin_export};

use crate::coverage::Situation;
use crate::reference::Expected;
use crate::reference_export::{Export, Of, Part};
use crate::reference_orders::is_kept_right as is_deed_right;
use crate::reference_signed::is_kept_right as is_answer_right;
use crate::reference_stat::Stands;
use crate::world::World;

/// Messages of a page: few, so that there are several.
const PAGE: usize = 3;

impl World {
    pub(crate) fn ask_about_exports(&mut self, index: usize) {
        let me = self.person_of(index);
        let has_one = self.reference.lobby.exports.iter().any(|export| Some(export.officer) == me);
        // Whoever has begun reads on.
        for _ in 0..if has_one { 4 } else { 1 } {
            if let Some(ask) = self.some_export_ask(index) {
                self.clients[index].ask(ask);
            }
        }
    }

    fn some_export_ask(&mut self, index: usize) -> Option<Ask> {
        let me = self.person_of(index);
        let exports: Vec<Export> = self.reference.lobby.exports.clone();
        let mine = exports.iter().find(|export| Some(export.officer) == me);
        let strange = self.random.permille(50);
        let known = if strange { self.random.pick(&exports) } else { mine };
        let dice = self.random.below(100);
        let Some(known) = known.filter(|_| dice >= 5) else { return self.some_beginning() };
        let export = known.id.value();
        let place: Option<Part> = self.random.pick(&known.parts).copied();
        let (conversation, first, through) =
            place.map_or((1, 1, 1), |part| (part.place.value(), part.first, part.through));
        let sequence = first + self.random.below(through - first + 1);
        Some(match dice {
            5..20 => {
                Ask::ListExport(proto::ListExport { export, after: if dice < 12 { 0 } else { conversation } })
            }
            20..65 => {
                // Few messages are a STAT or an order, or have a task.
                let there = self.all_of(known, |world, of| world.store.acts(of).is_some());
                if let Some(of) = self.random.pick(&there).filter(|_| !strange && dice < 45) {
                    let (conversation, after) = (of.conversation.value(), of.sequence.0 - 1);
                    return Some(Ask::ReadExport(proto::ReadExport { export, conversation, after }));
                }
                let after = if self.random.permille(500) { 0 } else { sequence };
                Ask::ReadExport(proto::ReadExport { export, conversation, after })
            }
            65..96 => {
                // Few messages have one.
                let there = self.all_of(known, |world, of| world.store.file(of, 0).is_some());
                let (conversation, sequence) = match self.random.pick(&there) {
                    Some(of) if !strange => (of.conversation.value(), of.sequence.0),
                    _ => (conversation, sequence),
                };
                let which = u32::from(self.random.permille(200));
                Ask::OpenExportFile(proto::OpenExportFile { export, conversation, sequence, which })
            }
            _ => Ask::FinishExport(proto::FinishExport { export, manifest_sha256: vec![7; 32] }),
        })
    }

    /// Messages of an export of which something is so.
    fn all_of(&self, export: &Export, is: impl Fn(&Self, StatId) -> bool) -> Vec<StatId> {
        let of = |part: &Part, sequence| StatId { conversation: part.place, sequence: Sequence(sequence) };
        let all = export.parts.iter().flat_map(|part| (part.first..=part.through).map(|at| of(part, at)));
        all.filter(|of| is(self, *of)).collect()
    }

    /// Somebody who wrote a message with a file that an export of theirs gives: there are few.
    fn some_with_file(&mut self) -> Option<u64> {
        let mut authors = Vec::new();
        for place in self.store.state.conversations.values() {
            let Some(known) = self.committed.conversation(place.id) else { continue };
            if known.of_patient || known.of_family {
                continue;
            }
            let of = |at: u64| StatId { conversation: place.id, sequence: Sequence(at) };
            let with = known.said.iter().zip(1..).filter(|(_, at)| self.store.file(of(*at), 0).is_some());
            authors.extend(with.map(|(said, _)| said.author.value()));
        }
        self.random.pick(&authors).copied()
    }

    fn some_beginning(&mut self) -> Option<Ask> {
        let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        let patients = self.reference.ward.clinic.patients.iter();
        let records: Vec<String> = patients.map(|(_, told)| told.record_number.clone()).collect();
        let subject = if self.random.permille(500) {
            let anybody = self.random.pick(&people).copied()?;
            let some = self.some_with_file().filter(|_| self.random.permille(700));
            begin_export::Subject::Person(some.unwrap_or(anybody))
        } else {
            begin_export::Subject::RecordNumber(self.random.pick(&records)?.clone())
        };
        let grounds = "Request of the patient".to_owned();
        Some(Ask::BeginExport(proto::BeginExport { subject: Some(subject), grounds }))
    }

    pub(crate) fn cover_exports(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let is_of_person = |export: u64| {
            let exports = &self.reference.lobby.exports;
            exports.iter().any(|of| of.id.value() == export && matches!(of.of, Of::Person(_)))
        };
        let situation = match (body, refused) {
            (Ask::BeginExport(begin), None) if !expected.audits.is_empty() => match begin.subject {
                Some(begin_export::Subject::Person(_)) => Situation::PersonExportBegun,
                _ => Situation::PatientExportBegun,
            },
            (Ask::ReadExport(read), None) if is_of_person(read.export) => Situation::PersonExportRead,
            (Ask::ReadExport(_), None) => Situation::PatientExportRead,
            (Ask::OpenExportFile(_), None) => Situation::ExportFileOpened,
            (Ask::OpenExportFile(_), Some(Code::ExportWithheld)) => Situation::ExportFileWithheld,
            (Ask::FinishExport(_), None) => Situation::ExportFinished,
            (Ask::BeginExport(_), Some(Code::NotPermitted)) => Situation::ExportRefused,
            (_, Some(Code::NoSuchExport)) => Situation::ExportOver,
            _ => return,
        };
        self.coverage.reach(situation);
    }

    /// The store's reader: forward, within the grant. What it gives is held against what the reference has for the export.
    pub(crate) fn read_export(
        &mut self,
        conn: Conn,
        request: RequestId,
        grant: &ExportGrant,
    ) -> Result<(), String> {
        let purged = self.store.state.conversations.get(&grant.conversation).is_none_or(|place| place.purged);
        if purged {
            // Since it was granted: the reader asks again.
            return Ok(());
        }
        let (mut messages, mut seen, mut sequence) = (Vec::new(), 0, grant.from.0);
        let mut through = grant.through;
        while sequence <= grant.through.0 {
            if let Some(message) = self.store.read(grant.conversation, Sequence(sequence)) {
                seen += 1;
                if grant.only.is_none_or(|only| only.value() == message.sender) {
                    messages.push(message);
                }
                if seen == PAGE {
                    through = Sequence(sequence);
                    break;
                }
            }
            sequence += 1;
        }
        let end = through >= grant.through;
        self.holds_what_it_should(grant, &messages, through)?;
        let acts = self.acts_of(grant, &messages)?;
        if grant.only.is_some() && messages.len() < seen {
            self.coverage.reach(Situation::ExportedTheirsAlone);
        }
        let page = proto::ExportPage {
            conversation: grant.conversation.value(),
            messages,
            notices: Vec::new(),
            title: String::new(),
            through: through.0,
            end,
            names_hidden: 0,
            acts,
        };
        self.reply(conn, request, Body::ExportPage(page));
        Ok(())
    }

    /// What became of these messages. What of it is not over is held against the reference, and what was signed against the reference's hand.
    fn acts_of(
        &mut self,
        grant: &ExportGrant,
        messages: &[proto::Message],
    ) -> Result<Vec<proto::ExportActs>, String> {
        let mut all = Vec::new();
        for message in messages {
            let (place, sequence) = (grant.conversation, message.sequence);
            let acts = self.store.acts(StatId { conversation: place, sequence: Sequence(sequence) });
            let (stat, order, task) =
                acts.as_ref().map_or((None, None, None), |acts| (acts.stat.as_ref(), acts.order, acts.task));
            let wrong = |what: &str| Err(format!("an export has {what} of {place} #{sequence} otherwise"));
            let known = self.committed.stats.iter().find(|stat| stat.id() == (place, sequence));
            if stat.filter(|stat| stat.state() != Stat::Closed).map(how)
                != known.map(|stat| stands(stat.stands))
            {
                return wrong("the STAT");
            }
            let known = self.committed.order((place, sequence)).map(|order| order.to_wire());
            let open = order.filter(|order| order.filed == 0);
            if open.map(|order| proto::Order { given: 0, at: 0, ..order }) != known {
                return wrong("the order");
            }
            let known = self.committed.task((place, sequence)).map(|task| task.to_wire());
            let open = task.filter(crate::tasks::is_open);
            if open.map(|task| proto::Task { given: 0, at: 0, ..task }) != known {
                return wrong("the task");
            }
            let Some(acts) = acts else { continue };
            // A read-back's own words are not at hand: it is another message.
            let deed = |kept: &proto::SignedOrder| match kept.said {
                0 => is_deed_right(kept, None),
                said => said != sequence || is_deed_right(kept, Some(&message.text)),
            };
            if !acts.signed.iter().all(is_answer_right) || !acts.order_signed.iter().all(deed) {
                return wrong("what was signed");
            }
            for (is_there, situation) in [
                (!acts.signed.is_empty(), Situation::ExportedStatActs),
                (!acts.order_signed.is_empty(), Situation::ExportedOrderActs),
                (acts.task.is_some(), Situation::ExportedTask),
            ] {
                if is_there {
                    self.coverage.reach(situation);
                }
            }
            all.push(acts);
        }
        Ok(all)
    }

    fn holds_what_it_should(
        &self,
        grant: &ExportGrant,
        messages: &[proto::Message],
        through: Sequence,
    ) -> Result<(), String> {
        let part =
            Part { place: grant.conversation, first: grant.from.0, through: through.0, only: grant.only };
        let should = self.committed.exported(&part);
        let are: BTreeSet<u64> = messages.iter().map(|message| message.sequence).collect();
        if are != should {
            return Err(format!("an export of {} gives {are:?}, not {should:?}", grant.conversation));
        }
        let place = self.committed.conversation(grant.conversation).ok_or("an export of nothing")?;
        for message in messages {
            let said = &place.said[message.sequence as usize - 1];
            let text = if said.recalled { "" } else { said.text.as_str() };
            if message.text != text || message.sender != said.author.value() {
                return Err(format!("an export of {} alters #{}", grant.conversation, message.sequence));
            }
        }
        // Of whoever's record it is, nothing of another's is granted.
        let patient = self.committed.clinic.threads.iter().find(|(thread, _)| *thread == grant.conversation);
        let records = |patient| self.committed.clinic.records(patient);
        match (grant.shown.first(), patient) {
            (Some(shown), Some((_, of))) if !records(*shown).contains(of) && !grant.shown.contains(of) => {
                Err("a patient's record has another's thread".to_owned())
            }
            (Some(_), None) => Err("a patient's record has a thread of nobody".to_owned()),
            (None, Some(_)) if grant.hidden.is_empty() => Err("a person's record names a patient".to_owned()),
            _ => Ok(()),
        }
    }
}

/// State, who has or holds it, who says that they do.
type How = (Stat, u64, u64);

fn how(stat: &proto::Escalation) -> How {
    (stat.state(), stat.by, stat.noted_by)
}

fn stands(stands: Stands) -> How {
    let value = |person: Option<PersonId>| person.map_or(0, PersonId::value);
    match stands {
        Stands::Ringing => (Stat::Ringing, 0, 0),
        Stands::Held(by, _) => (Stat::Held, by.value(), 0),
        Stands::Taken(by, noted, _) => (Stat::Accepted, value(by), value(noted)),
    }
}
