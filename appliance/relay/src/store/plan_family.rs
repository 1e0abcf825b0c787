//! What a batch comes to of family: consents, block lists, codes, requests, threads. See [`super::plan`]. Visitors are people.

use std::collections::BTreeMap;

use wardline_core::family::{BedsideCode, BlockList, Consent, FamilyThread, VisitRequest};
use wardline_core::ids::{DeviceId, EncounterId, PatientId};
use wardline_core::write::Write;

use super::rows::{Many, Script};

/// The last of each; `None`: it goes.
#[derive(Default)]
pub(super) struct FamilyPlan<'a> {
    consents: BTreeMap<EncounterId, Option<&'a Consent>>,
    blocked: BTreeMap<PatientId, &'a BlockList>,
    codes: BTreeMap<EncounterId, Option<&'a BedsideCode>>,
    requests: BTreeMap<DeviceId, Option<&'a VisitRequest>>,
    threads: Vec<&'a FamilyThread>,
}

/// A table of a key and what stands under it: how one is set, and how it goes.
struct Kept {
    set: Many,
    gone: Many,
}

macro_rules! kept {
    ($table:literal, $key:literal, $value:literal) => {
        Kept {
            set: Many {
                head: concat!("INSERT INTO ", $table, " (", $key, ", ", $value, ") VALUES "),
                columns: 2,
                tail: concat!(" ON CONFLICT (", $key, ") DO UPDATE SET ", $value, " = excluded.", $value),
            },
            gone: Many {
                head: concat!("DELETE FROM ", $table, " WHERE (", $key, ") IN (VALUES "),
                columns: 1,
                tail: ")",
            },
        }
    };
}

const CONSENTS: Kept = kept!("family_consent", "encounter", "consent");
const BLOCKED: Kept = kept!("family_block", "patient", "blocked");
const CODES: Kept = kept!("bedside_code", "encounter", "code");
const REQUESTS: Kept = kept!("visit_request", "device", "request");
const THREADS: Many = Many {
    head: "INSERT INTO family_thread (conversation, encounter, patient, own) VALUES ",
    columns: 4,
    tail: "",
};

impl<'a> FamilyPlan<'a> {
    pub(super) fn fold(&mut self, write: &'a Write) {
        match write {
            Write::FamilyConsentSet { encounter, consent } => {
                self.consents.insert(*encounter, consent.as_ref());
            }
            Write::FamilyBlockSet { patient, blocked } => {
                self.blocked.insert(*patient, blocked);
            }
            Write::BedsideCodeSet { encounter, code } => {
                self.codes.insert(*encounter, code.as_ref());
            }
            Write::VisitAsked(request) => {
                self.requests.insert(request.device, Some(request));
            }
            Write::VisitForgotten { device } => {
                self.requests.insert(*device, None);
            }
            Write::FamilyThreadOpened(thread) => self.threads.push(thread),
            _ => {}
        }
    }

    pub(super) fn write(&self, script: &mut Script<'_>) {
        let consents = self.consents.iter().map(|(id, kept)| (id.value(), kept.map(Consent::to_bytes)));
        set(script, &CONSENTS, consents);
        let listed = |list: &&BlockList| Some(list.to_bytes()).filter(|_| !list.names().is_empty());
        set(script, &BLOCKED, self.blocked.iter().map(|(id, list)| (id.value(), listed(list))));
        let codes = self.codes.iter().map(|(id, kept)| (id.value(), kept.map(BedsideCode::to_bytes)));
        set(script, &CODES, codes);
        let requests = self.requests.iter().map(|(id, kept)| (id.value(), kept.map(VisitRequest::to_bytes)));
        set(script, &REQUESTS, requests);
        script.many(&THREADS, &self.threads, |thread, row| {
            row.count(thread.conversation.value()).count(thread.encounter.value());
            row.count(thread.patient.value()).flag(thread.own);
        });
    }
}

fn set(script: &mut Script<'_>, table: &'static Kept, all: impl Iterator<Item = (u64, Option<Vec<u8>>)>) {
    let (kept, gone): (Vec<_>, Vec<_>) = all.partition(|(_, kept)| kept.is_some());
    script.many(&table.set, &kept, |(key, kept), row| {
        row.count(*key).bytes(kept.as_deref().unwrap_or_default());
    });
    script.many(&table.gone, &gone, |(key, _), row| {
        row.count(*key);
    });
}
