//! The audit log, as it is read: by its index, newest first, so many entries at a time.
//!
//! There is no index of who is in an entry, which every act of everybody would have to pay for. A look decodes what it passes, and says how
//! far it came. A moment is found by halving, since entries are in the order of time but for steps of the clock: [`STEP_MS`].

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteConnection;
use wardline_core::audit::{Actor, Entry, Part};
use wardline_core::conversation::Kind;
use wardline_core::grant::AuditGrant;
use wardline_core::ids::{ConversationId, EncounterId};
use wardline_core::limits::{AUDIT_LOOK_MAX, AUDIT_PAGE_MAX};
use wardline_core::restriction::Restriction;
use wardline_core::time::Wall;
use wardline_core::wire::proto::{self, audit_name::Of};

use super::StoreError;
use super::read::{list, number};
use super::readers::{Loan, Readers};
use super::row::Columns;

/// What the clock may have been set by, and all entries of a time are found all the same. Milliseconds.
const STEP_MS: u64 = 3_600_000;

const OFFICER: &str = "SELECT count(*) FROM person \
     WHERE id = (?1 + 0) AND privacy_officer = 1 AND suspended = 0";
const NEWEST: &str = "SELECT coalesce(max(entry_index), 0) FROM audit";
const ONE: &str = "SELECT bytes FROM audit WHERE entry_index = (?1 + 0)";
const BEFORE: &str = "SELECT entry_index, bytes FROM audit WHERE entry_index < (?1 + 0) \
     ORDER BY entry_index DESC LIMIT (?2 + 0)";
/// Stays of a patient, those that were put away too.
const STAYS: &str = "SELECT encounter.id, encounter.thread FROM json_each(?1) AS wanted \
     CROSS JOIN encounter ON encounter.patient = wanted.value";

/// What a look comes to.
pub enum Audited {
    /// Entries and the names in them.
    Of(proto::AuditPage),
    /// The officer is none any more.
    NotPermitted,
}

/// Whom a look is about.
struct About {
    person: Option<u64>,
    devices: BTreeSet<u64>,
    patients: Option<BTreeSet<u64>>,
    stays: BTreeSet<u64>,
    threads: BTreeSet<u64>,
}

impl About {
    async fn of(grant: &AuditGrant, from: &mut SqliteConnection) -> Result<Self, StoreError> {
        let (person, devices) = match &grant.person {
            Some((person, devices)) => (Some(person.value()), devices.iter().map(|id| id.value()).collect()),
            None => (None, BTreeSet::new()),
        };
        let mut about =
            Self { person, devices, patients: None, stays: BTreeSet::new(), threads: BTreeSet::new() };
        let Some((patients, threads)) = &grant.patient else { return Ok(about) };
        about.patients = Some(patients.iter().map(|patient| patient.value()).collect());
        about.threads = threads.iter().map(|thread| thread.value()).collect();
        let wanted = list(patients.iter().map(|patient| patient.value()));
        let mut rows = sqlx::query(STAYS).bind(wanted).fetch(from);
        while let Some(row) = rows.try_next().await? {
            let mut columns = Columns::new(&row);
            about.stays.insert(columns.count()?);
            about.threads.insert(columns.count()?);
        }
        Ok(about)
    }

    fn fits(&self, entry: &Entry, parts: &[Part]) -> bool {
        self.is_by_or_to(entry.actor, parts) && self.is_of_patient(parts)
    }

    fn is_by_or_to(&self, actor: Actor, parts: &[Part]) -> bool {
        let Some(person) = self.person else { return true };
        matches!(actor, Actor::Person { person: by, .. } if by.value() == person)
            || parts.iter().any(|part| match part {
                Part::Person(to) => to.value() == person,
                Part::Device(on) => self.devices.contains(&on.value()),
                _ => false,
            })
    }

    fn is_of_patient(&self, parts: &[Part]) -> bool {
        let Some(patients) = &self.patients else { return true };
        parts.iter().any(|part| match part {
            Part::Patient(of) => patients.contains(&of.value()),
            Part::Encounter(of) => self.stays.contains(&of.value()),
            Part::Conversation(of) => self.threads.contains(&of.value()),
            _ => false,
        })
    }
}

impl Readers {
    /// A page of what fits, newest first. Who asks is asked for again: it may have waited.
    pub async fn audited(&self, grant: &AuditGrant) -> Result<Audited, StoreError> {
        let mut loan = self.lend().await?;
        let officer = sqlx::query(OFFICER).bind(number(grant.officer.value())).fetch_one(&mut *loan).await?;
        if Columns::new(&officer).count()? == 0 {
            return Ok(Audited::NotPermitted);
        }
        let about = About::of(grant, &mut loan).await?;
        let mut before = grant.before;
        if grant.until < Wall(i64::MAX) {
            before = before.min(first_from(&mut loan, grant.until.after(STEP_MS)).await?);
        }
        let since = Wall(grant.since.0.saturating_sub(STEP_MS.cast_signed()));
        let mut page = proto::AuditPage { before, end: true, ..proto::AuditPage::default() };
        let mut names = Names::default();
        let (mut looked, mut last) = (0, before);
        let mut rows =
            sqlx::query(BEFORE).bind(number(before)).bind(i64::from(AUDIT_LOOK_MAX)).fetch(&mut *loan);
        while let Some(row) = rows.try_next().await? {
            let mut columns = Columns::new(&row);
            let index = columns.count()?;
            let entry = Entry::from_bytes(columns.bytes()?).map_err(|_| StoreError::value("an entry"))?;
            if entry.index != index || index >= last {
                return Err(StoreError::value("the order of the audit log"));
            }
            if entry.at < since {
                break;
            }
            (looked, last) = (looked + 1, index);
            page.looked_back_to = entry.at.0;
            let wanted = grant.acts.is_empty() || grant.acts.contains(&entry.act.number());
            if wanted && (grant.since..grant.until).contains(&entry.at) {
                let parts = entry.act.parts();
                if about.fits(&entry, &parts) {
                    names.gather(entry.actor, &parts);
                    page.entries.push(to_wire(&entry, &parts));
                }
            }
            if page.entries.len() >= AUDIT_PAGE_MAX || looked >= AUDIT_LOOK_MAX {
                page.end = index <= 1;
                break;
            }
        }
        drop(rows);
        page.before = last;
        page.names = names.told(&mut loan).await?;
        Ok(Audited::Of(page))
    }
}

/// The first entry from a moment on, or the one that will come next. By halving.
async fn first_from(loan: &mut Loan, at: Wall) -> Result<u64, StoreError> {
    let newest = sqlx::query(NEWEST).fetch_one(&mut **loan).await?;
    let (mut low, mut high) = (1, Columns::new(&newest).count()? + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let row = sqlx::query(ONE).bind(number(middle)).fetch_one(&mut **loan).await?;
        let entry = Entry::from_bytes(Columns::new(&row).bytes()?);
        if entry.map_err(|_| StoreError::value("an entry"))?.at < at {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

fn to_wire(entry: &Entry, parts: &[Part]) -> proto::AuditEntry {
    use proto::AuditActor as Wire;
    let (actor, person, device) = match entry.actor {
        Actor::TheBox => (Wire::Box, 0, 0),
        Actor::Person { person, device } => (Wire::Person, person.value(), device.value()),
        Actor::Local => (Wire::Service, 0, 0),
        Actor::Unproven => (Wire::Unproven, 0, 0),
    };
    proto::AuditEntry {
        index: entry.index,
        at: entry.at.0,
        actor: actor.into(),
        person,
        device,
        act: entry.act.number(),
        parts: parts.iter().map(|part| part.to_wire()).collect(),
    }
}

/// What the identifiers on a page stand for.
#[derive(Default)]
struct Names {
    people: BTreeSet<u64>,
    devices: BTreeSet<u64>,
    units: BTreeSet<u64>,
    roles: BTreeSet<u64>,
    patients: BTreeSet<u64>,
    stays: BTreeSet<u64>,
    places: BTreeSet<u64>,
}

impl Names {
    fn gather(&mut self, actor: Actor, parts: &[Part]) {
        if let Actor::Person { person, .. } = actor {
            self.people.insert(person.value());
        }
        for part in parts {
            match part {
                Part::Person(id) => self.people.insert(id.value()),
                Part::Device(id) => self.devices.insert(id.value()),
                Part::Unit(id) => self.units.insert(id.value()),
                Part::Role(id) => self.roles.insert(id.value()),
                Part::Patient(id) => self.patients.insert(id.value()),
                Part::Encounter(id) => self.stays.insert(id.value()),
                Part::Conversation(id) => self.places.insert(id.value()),
                _ => false,
            };
        }
    }

    async fn told(mut self, from: &mut SqliteConnection) -> Result<Vec<proto::AuditName>, StoreError> {
        let mut told = Vec::new();
        let wanted = list(self.devices.iter().copied());
        let of_devices = "SELECT device.id, device.name, device.person FROM json_each(?1) AS wanted \
             CROSS JOIN device ON device.id = wanted.value";
        let mut rows = sqlx::query(of_devices).bind(wanted).fetch(&mut *from);
        while let Some(row) = rows.try_next().await? {
            let mut columns = Columns::new(&row);
            let (of, name) = (Of::Device(columns.count()?), columns.text()?.to_owned());
            let whose = columns.count()?;
            self.people.insert(whose);
            told.push(proto::AuditName { of: Some(of), name, about: whose, ..proto::AuditName::default() });
        }
        drop(rows);
        let wanted = list(self.stays.iter().copied());
        let of_stays = "SELECT encounter.id, encounter.patient FROM json_each(?1) AS wanted \
             CROSS JOIN encounter ON encounter.id = wanted.value";
        let mut rows = sqlx::query(of_stays).bind(wanted).fetch(&mut *from);
        while let Some(row) = rows.try_next().await? {
            let mut columns = Columns::new(&row);
            let id = EncounterId::new(columns.count()?).ok_or_else(|| StoreError::value("a stay"))?;
            let about = columns.count()?;
            self.patients.insert(about);
            told.push(proto::AuditName {
                of: Some(Of::Encounter(id.value())),
                about,
                ..proto::AuditName::default()
            });
        }
        drop(rows);
        // What a conversation is called may say what it is about: its kind is enough, and whose thread it is.
        let wanted = list(self.places.iter().copied());
        let of_places = "SELECT conversation.id, conversation.kind, \
             coalesce((SELECT patient FROM encounter WHERE encounter.thread = conversation.id), \
                 (SELECT patient FROM family_thread WHERE family_thread.conversation = conversation.id), 0) \
             FROM json_each(?1) AS wanted CROSS JOIN conversation ON conversation.id = wanted.value";
        let mut rows = sqlx::query(of_places).bind(wanted).fetch(&mut *from);
        while let Some(row) = rows.try_next().await? {
            let mut columns = Columns::new(&row);
            let id = ConversationId::new(columns.count()?);
            let id = id.ok_or_else(|| StoreError::value("a conversation"))?;
            let kind: Kind = columns.kind()?;
            let about = columns.count()?;
            if about > 0 {
                self.patients.insert(about);
            }
            told.push(proto::AuditName {
                of: Some(Of::Conversation(id.value())),
                about,
                kind: kind.to_wire().into(),
                ..proto::AuditName::default()
            });
        }
        drop(rows);
        for (table, ids, of) in [
            ("person", &self.people, Of::Person as fn(u64) -> Of),
            ("unit", &self.units, Of::Unit),
            ("role", &self.roles, Of::Role),
        ] {
            let sql = match table {
                "person" => {
                    "SELECT person.id, person.name FROM json_each(?1) AS wanted \
                     CROSS JOIN person ON person.id = wanted.value"
                }
                "unit" => {
                    "SELECT unit.id, unit.name FROM json_each(?1) AS wanted \
                     CROSS JOIN unit ON unit.id = wanted.value"
                }
                _ => {
                    "SELECT role.id, role.name FROM json_each(?1) AS wanted \
                     CROSS JOIN role ON role.id = wanted.value"
                }
            };
            let mut rows = sqlx::query(sql).bind(list(ids.iter().copied())).fetch(&mut *from);
            while let Some(row) = rows.try_next().await? {
                let mut columns = Columns::new(&row);
                let (of, name) = (of(columns.count()?), columns.text()?.to_owned());
                told.push(proto::AuditName { of: Some(of), name, ..proto::AuditName::default() });
            }
        }
        // Merged into a record that is restricted, it is as well.
        let sql = "SELECT patient.id, patient.name, \
                 CASE length(patient.restriction) WHEN 0 THEN coalesce(surviving.restriction, x'') ELSE patient.restriction END \
             FROM json_each(?1) AS wanted CROSS JOIN patient ON patient.id = wanted.value \
             LEFT JOIN patient AS surviving ON surviving.id = patient.merged_into";
        let mut rows = sqlx::query(sql).bind(list(self.patients.iter().copied())).fetch(&mut *from);
        while let Some(row) = rows.try_next().await? {
            let mut columns = Columns::new(&row);
            let (of, mut name) = (Of::Patient(columns.count()?), columns.text()?.to_owned());
            let restriction = columns.bytes()?;
            if !restriction.is_empty() {
                let restriction =
                    Restriction::from_bytes(restriction).map_err(|_| StoreError::value("a restriction"))?;
                name = restriction.alias.reveal().to_owned();
            }
            told.push(proto::AuditName { of: Some(of), name, ..proto::AuditName::default() });
        }
        Ok(told)
    }
}
