//! From the tables back to what the core remembers.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use wardline_core::clinic::RestoredClinic;
use wardline_core::family::RestoredFamily;
use wardline_core::state::Restored;

use super::StoreError;
use super::files;
use super::filing::Newer;
use super::orders;
use super::plan_alarms;
use super::plan_bell;
use super::plan_broadcast;
use super::plan_inbox;
use super::plan_urgent;
use super::row::{self, Columns};
use super::row_clinic;
use super::row_family;
use super::tasks;

/// The highest number of each device is the greatest of its floor and of its messages still here, those that the table of
/// numbers has: one step down the table for each device; and those that are newer.
const DEVICES: &str = "SELECT id, person, name, key, salt, pin, pin_tries, revoked, session_open, session_until, \
     number_floor, coalesce((SELECT max(number) FROM message_number WHERE message_number.device = device.id), 0), login, passkeys FROM device";

/// Whose every thread is or was, family threads too.
const THREADS: &str =
    "SELECT thread, patient FROM encounter UNION ALL SELECT conversation, patient FROM family_thread";

pub(super) async fn restore(from: &mut SqliteConnection, newer: &Newer) -> Result<Restored, StoreError> {
    let mut restored = Restored::default();
    let meta =
        sqlx::query("SELECT change, audited, last_at FROM meta WHERE id = 1").fetch_one(&mut *from).await?;
    let mut meta = Columns::new(&meta);
    restored.change = meta.change()?;
    restored.audited = meta.change()?.0;
    restored.last_at = meta.wall()?;
    let marks = "SELECT change, served, at FROM retention_mark ORDER BY change";
    restored.marks = all(from, marks.to_owned(), row::mark).await?;
    check_ends(from, &restored).await?;
    let people = format!("SELECT {} FROM person", row::PERSON);
    restored.people = all(from, people, row::person).await?;
    let units = format!("SELECT {} FROM unit", row::UNIT);
    restored.units = all(from, units, row::unit).await?;
    let roles = format!("SELECT {} FROM role", row::ROLE);
    restored.roles = all(from, roles, row::role).await?;
    restored.devices = all(from, DEVICES.to_owned(), row::device).await?;
    let highest = newer.highest();
    for device in &mut restored.devices {
        device.last_number = device.last_number.max(highest.get(&device.id).copied().unwrap_or_default());
    }
    restored.codes =
        all(from, "SELECT hash, person, expires, issuer, issued FROM join_code".to_owned(), row::join_code)
            .await?;
    let conversations = format!("SELECT {} FROM conversation", row::CONVERSATION);
    let conversations = all(from, conversations, row::conversation).await?;
    let mut conversations: BTreeMap<_, _> = conversations.into_iter().map(|c| (c.id, c)).collect();
    let members = format!("SELECT {} FROM member", row::MEMBER);
    for (conversation, person, member) in all(from, members, row::member).await? {
        let conversation = conversations.get_mut(&conversation);
        conversation.ok_or_else(|| StoreError::value("a member"))?.members.insert(person, member);
    }
    restored.conversations = conversations.into_values().collect();
    let escalations = format!("SELECT {} FROM escalation WHERE stage <> 3", row::ESCALATION);
    restored.escalations = all(from, escalations, row::escalation).await?;
    restored.policies =
        all(from, "SELECT unit, policy FROM escalation_policy".to_owned(), row::policy).await?;
    restored.clinic = clinic(from).await?;
    let rules = "SELECT direct, grouped, channel, patient FROM retention_rule".to_owned();
    restored.retention = all(from, rules, row::retention).await?.pop();
    let open = all(from, files::OPEN.to_owned(), files::open).await?;
    restored.uploads.open = open.into_iter().collect();
    restored.uploads.policy = all(from, files::POLICY.to_owned(), files::policy).await?.pop();
    restored.tasks = all(from, tasks::OPEN.to_owned(), tasks::task).await?;
    restored.orders = all(from, orders::OPEN.to_owned(), orders::order).await?;
    restored.order_policies = all(from, orders::POLICY.to_owned(), orders::policy).await?;
    let said = "SELECT person, said FROM availability".to_owned();
    restored.availability.people = all(from, said, row::said).await?.into_iter().collect();
    let policy = "SELECT cover_instead FROM cover_policy".to_owned();
    restored.availability.cover_instead = all(from, policy, row::cover_instead).await?.pop().unwrap_or(false);
    let templates = "SELECT unit, content FROM template_set".to_owned();
    restored.templates = all(from, templates, row::templates).await?;
    let holds = format!("SELECT {} FROM legal_hold WHERE lifted = 0", row::HOLD);
    restored.holds = all(from, holds, row::hold).await?;
    restored.family = family(from).await?;
    restored.urgents = all(from, plan_urgent::WAITING.to_owned(), plan_urgent::wait).await?;
    restored.inboxes.inboxes = all(from, plan_inbox::INBOXES.to_owned(), plan_inbox::inbox).await?;
    let (announcers, policy) = (plan_broadcast::ANNOUNCERS, plan_broadcast::POLICY);
    restored.broadcasts.announcers = all(from, announcers.to_owned(), plan_broadcast::announcer).await?;
    restored.broadcasts.policy = all(from, policy.to_owned(), plan_broadcast::policy).await?.pop();
    restored.bells.on =
        all(from, plan_bell::POLICY.to_owned(), plan_bell::policy).await?.pop().unwrap_or(false);
    restored.bells.of = all(from, plan_bell::BELLS.to_owned(), plan_bell::bell).await?.into_iter().collect();
    restored.alarms.role = all(from, plan_alarms::ROLE.to_owned(), plan_alarms::role).await?.pop().flatten();
    let standing = all(from, plan_alarms::STANDING.to_owned(), plan_alarms::told).await?;
    restored.alarms.told = standing.into_iter().collect();
    restored.inboxes.gaps = all(from, plan_inbox::KNOWN_GAPS.to_owned(), plan_inbox::gaps).await?;
    Ok(restored)
}

/// The threads of stays that were put away stay in the tables.
async fn family(from: &mut SqliteConnection) -> Result<RestoredFamily, StoreError> {
    let threads = format!(
        "SELECT {} FROM family_thread WHERE encounter IN (SELECT id FROM encounter WHERE filed = 0)",
        row_family::THREAD
    );
    let consents = "SELECT encounter, consent FROM family_consent".to_owned();
    let blocked = "SELECT patient, blocked FROM family_block".to_owned();
    let codes = "SELECT encounter, code FROM bedside_code".to_owned();
    let requests = "SELECT request FROM visit_request".to_owned();
    Ok(RestoredFamily {
        consents: all(from, consents, row_family::consent).await?,
        blocked: all(from, blocked, row_family::blocked).await?,
        codes: all(from, codes, row_family::code).await?,
        requests: all(from, requests, row_family::request).await?,
        threads: all(from, threads, row_family::thread).await?,
    })
}

/// What was put away stays in the tables.
async fn clinic(from: &mut SqliteConnection) -> Result<RestoredClinic, StoreError> {
    let patients = format!("SELECT {} FROM patient", row_clinic::PATIENT);
    let encounters = format!("SELECT {} FROM encounter WHERE filed = 0", row_clinic::ENCOUNTER);
    let care = format!("SELECT {} FROM care_team", row_clinic::CARE);
    let assignments = format!("SELECT {} FROM assignment", row_clinic::ASSIGNMENT);
    let assignments = all(from, assignments, row_clinic::assignment).await?;
    let mut assignments: BTreeMap<_, _> = assignments.into_iter().map(|held| (held.id, held)).collect();
    let beds = "SELECT assignment, bed FROM assignment_bed ORDER BY assignment, bed".to_owned();
    for (assignment, bed) in all(from, beds, row_clinic::assignment_bed).await? {
        let held =
            assignments.get_mut(&assignment).ok_or_else(|| StoreError::value("an assignment's bed"))?;
        held.beds.push(bed);
    }
    let covers = "SELECT assignment, encounter FROM assignment_cover".to_owned();
    for (assignment, encounter) in all(from, covers, row_clinic::assignment_cover).await? {
        let held =
            assignments.get_mut(&assignment).ok_or_else(|| StoreError::value("an assignment's cover"))?;
        held.covers.insert(encounter);
    }
    let emergencies =
        format!("SELECT {} FROM emergency_access WHERE ended = 0 OR finding = 0", row_clinic::EMERGENCY);
    Ok(RestoredClinic {
        threads: all(from, THREADS.to_owned(), row_clinic::thread).await?,
        emergencies: all(from, emergencies, row_clinic::emergency).await?,
        patients: all(from, patients, row_clinic::patient).await?,
        encounters: all(from, encounters, row_clinic::encounter).await?,
        care: all(from, care, row_clinic::care).await?,
        assignments: assignments.into_values().collect(),
    })
}

/// The newest message and audit entry are not behind what the log of writes says.
async fn check_ends(from: &mut SqliteConnection, restored: &Restored) -> Result<(), StoreError> {
    let sql = "SELECT coalesce((SELECT max(change) FROM message), 0), coalesce((SELECT max(entry_index) FROM audit), 0)";
    let row = sqlx::query(sql).fetch_one(from).await?;
    let mut columns = Columns::new(&row);
    if columns.change()? > restored.change {
        return Err(StoreError::Damaged("a message is newer than the last change".to_owned()));
    }
    if columns.change()?.0 != restored.audited {
        return Err(StoreError::Damaged("the audit does not end where the last change says".to_owned()));
    }
    Ok(())
}

async fn all<T>(
    from: &mut SqliteConnection,
    sql: String,
    read: impl Fn(&SqliteRow) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(from);
    let mut found = Vec::new();
    while let Some(row) = rows.try_next().await? {
        found.push(read(&row)?);
    }
    Ok(found)
}
