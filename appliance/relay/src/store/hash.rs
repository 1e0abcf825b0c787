//! One number for all that is stored.

use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::Connection;

use super::StoreError;
use super::readers::Readers;
use super::row::Columns;

#[derive(Clone, Copy)]
enum Column {
    Int,
    Text,
    Bytes,
}
use Column::{Bytes, Int, Text};

/// Every table in the order of its key. What `meta` says of releases is not of the writes' making.
const TABLES: &[(&str, &[Column])] = &[
    ("SELECT change, audited, last_at, filed FROM meta", &[Int; 4]),
    (
        "SELECT id, name, title, administrator, suspended, changed, privacy_officer, station, agency, barred, waits, \
         visitor, the_box FROM person \
         ORDER BY id",
        &[Int, Text, Text, Int, Int, Int, Int, Int, Bytes, Int, Bytes, Bytes, Int],
    ),
    ("SELECT id, name, changed FROM unit ORDER BY id", &[Int, Text, Int]),
    ("SELECT person, unit, charge_nurse FROM post ORDER BY person, unit", &[Int; 3]),
    (
        "SELECT id, person, name, key, salt, pin, pin_tries, revoked, session_open, session_until, number_floor, login, \
         passkeys \
         FROM device ORDER BY id",
        &[Int, Int, Text, Bytes, Bytes, Bytes, Int, Int, Int, Int, Int, Bytes, Bytes],
    ),
    (
        "SELECT hash, person, expires, issuer, issued FROM join_code ORDER BY hash",
        &[Bytes, Int, Int, Int, Int],
    ),
    (
        "SELECT id, kind, title, owner, opened_at, changed, last, last_change, first, purged, member_changed, \
         unit, archived, noticed FROM conversation ORDER BY id",
        &[Int, Int, Text, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int],
    ),
    ("SELECT conversation, wrapped FROM conversation_key ORDER BY conversation", &[Int, Bytes]),
    (
        "SELECT conversation, person, starts, delivered, read, gone, changed FROM member \
         ORDER BY conversation, person",
        &[Int; 7],
    ),
    (
        "SELECT change, conversation, sequence, id, sender, device, number, at, body, priority, reply_to, edits, recalled, \
         altered_at, mentions, reactions, reacted, files FROM message ORDER BY change",
        &[Int, Int, Int, Bytes, Int, Int, Int, Int, Bytes, Int, Int, Int, Int, Int, Bytes, Bytes, Int, Int],
    ),
    (
        "SELECT conversation, sequence, change, size, altered, edit FROM message_altered ORDER BY conversation, sequence",
        &[Int, Int, Int, Int, Int, Bytes],
    ),
    (
        "SELECT conversation, sequence, change, size FROM message_place ORDER BY conversation, sequence",
        &[Int; 4],
    ),
    (
        "SELECT conversation, sequence, change, size FROM message_recent ORDER BY conversation, sequence",
        &[Int; 4],
    ),
    (
        "SELECT conversation, sequence, sender, unit, policy, opened, stage, step, since, by_person, passed, \
         noted_by, changed, note FROM escalation ORDER BY conversation, sequence",
        &[Int, Int, Int, Int, Bytes, Int, Int, Int, Int, Int, Int, Int, Int, Bytes],
    ),
    (
        "SELECT conversation, sequence, person, step, declined, has_held FROM escalation_rung \
         ORDER BY conversation, sequence, person",
        &[Int; 6],
    ),
    ("SELECT unit, policy FROM escalation_policy ORDER BY unit", &[Int, Bytes]),
    ("SELECT conversation, sequence, sender, at FROM urgent_wait ORDER BY conversation, sequence", &[Int; 4]),
    (
        "SELECT conversation, sequence, change, answer FROM stat_signed ORDER BY conversation, sequence, change",
        &[Int, Int, Int, Bytes],
    ),
    (
        "SELECT conversation, sequence, open, changed, content FROM task ORDER BY conversation, sequence",
        &[Int, Int, Int, Int, Bytes],
    ),
    (
        "SELECT conversation, sequence, open, changed, content FROM given_order ORDER BY conversation, sequence",
        &[Int, Int, Int, Int, Bytes],
    ),
    (
        "SELECT conversation, sequence, change, said, content FROM order_signed ORDER BY conversation, sequence, change",
        &[Int, Int, Int, Int, Bytes],
    ),
    ("SELECT unit, roles FROM order_policy ORDER BY unit", &[Int, Bytes]),
    ("SELECT person, said FROM availability ORDER BY person", &[Int, Bytes]),
    ("SELECT id, cover_instead FROM cover_policy ORDER BY id", &[Int, Int]),
    ("SELECT conversation, role, writer FROM role_inbox ORDER BY conversation", &[Int; 3]),
    ("SELECT role, gaps FROM role_gap ORDER BY role", &[Int, Bytes]),
    ("SELECT person FROM announcer ORDER BY person", &[Int]),
    ("SELECT id, unit_urgent, facility_urgent FROM broadcast_policy", &[Int; 3]),
    ("SELECT unit, content FROM template_set ORDER BY unit", &[Int, Bytes]),
    (
        "SELECT conversation, sequence, unit, opened, answered, step, last FROM stat_load ORDER BY conversation, sequence",
        &[Int; 7],
    ),
    (
        "SELECT id, unit, name, rota, changed, offers, retired FROM role ORDER BY id",
        &[Int, Int, Text, Bytes, Int, Bytes, Int],
    ),
    ("SELECT device, number, change FROM message_number ORDER BY device, number", &[Int; 3]),
    ("SELECT change, served, at FROM retention_mark ORDER BY change", &[Int; 3]),
    ("SELECT entry_index, bytes FROM audit ORDER BY entry_index", &[Int, Bytes]),
    (
        "SELECT id, record, name, birth, sex, changed, restriction, merged_into, merged_at, merged_by FROM patient ORDER BY id",
        &[Int, Text, Text, Text, Text, Int, Bytes, Int, Int, Int],
    ),
    (
        "SELECT id, patient, unit, bed, attending, standing, discharged_at, thread, closed, closed_at, admitted, changed, \
         filed FROM encounter ORDER BY id",
        &[Int, Int, Int, Text, Int, Int, Int, Int, Int, Int, Int, Int, Int],
    ),
    ("SELECT encounter, person, since, ends, until FROM care_team ORDER BY encounter, person", &[Int; 5]),
    ("SELECT id, person, unit, since, until FROM assignment ORDER BY id", &[Int; 5]),
    (
        "SELECT id, encounter, patient, unit, person, grounds, since, until, ended, ended_at, finding, reviewed_by, \
         reviewed_at, second FROM emergency_access ORDER BY id",
        &[Int, Int, Int, Int, Int, Text, Int, Int, Int, Int, Int, Int, Int, Int],
    ),
    (
        "SELECT conversation, number, change, behind, at, by_person, kind, person, reason, unit, bed, ends, until \
         FROM thread_notice ORDER BY conversation, number",
        &[Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Text, Int, Int],
    ),
    ("SELECT id, direct, grouped, channel, patient FROM retention_rule", &[Int; 5]),
    (
        "SELECT id, sort, subject, begun_by, grounds, at FROM record_export ORDER BY id",
        &[Int, Int, Int, Int, Text, Int],
    ),
    (
        "SELECT id, sort, subject, matter, since, placed_by, lifted, lifted_at, lifted_by, grounds FROM legal_hold \
         ORDER BY id",
        &[Int, Int, Int, Text, Int, Int, Int, Int, Int, Text],
    ),
    ("SELECT encounter, consent FROM family_consent ORDER BY encounter", &[Int, Bytes]),
    ("SELECT patient, blocked FROM family_block ORDER BY patient", &[Int, Bytes]),
    ("SELECT encounter, code FROM bedside_code ORDER BY encounter", &[Int, Bytes]),
    ("SELECT device, request FROM visit_request ORDER BY device", &[Int, Bytes]),
    ("SELECT conversation, encounter, patient, own FROM family_thread ORDER BY conversation", &[Int; 4]),
    (
        "SELECT file, conversation, person, device, upload, media, length, sha256, at, done, sequence, place, attached, \
         key, title, thumbnail FROM attachment ORDER BY file",
        &[Int, Int, Int, Int, Bytes, Int, Int, Bytes, Int, Int, Int, Int, Int, Bytes, Bytes, Bytes],
    ),
    ("SELECT id, photo, document, audio FROM attachment_policy", &[Int; 4]),
    ("SELECT assignment, bed FROM assignment_bed ORDER BY assignment, bed", &[Int, Text]),
    ("SELECT assignment, encounter FROM assignment_cover ORDER BY assignment, encounter", &[Int; 2]),
    ("SELECT device, person, bell FROM bell ORDER BY device", &[Int, Int, Bytes]),
    ("SELECT id, is_on FROM bell_policy", &[Int; 2]),
    ("SELECT id, role FROM alarm_policy", &[Int; 2]),
    ("SELECT kind, level, at, conversation, sequence FROM alarm_told ORDER BY kind", &[Int; 5]),
];

impl Readers {
    /// SHA-256 over every table in the order of its key: the same for two stores that took the same writes, however
    /// these were cut into batches. Reads everything.
    pub async fn canonical_hash(&self) -> Result<[u8; 32], StoreError> {
        let mut loan = self.lend().await?;
        let mut moment = loan.begin().await?;
        let mut hash = Sha256::new();
        for (number, (sql, columns)) in TABLES.iter().enumerate() {
            let mut rows = sqlx::query(*sql).fetch(&mut *moment);
            while let Some(row) = rows.try_next().await? {
                // A row begins with its table's number, so that no two tables can be mistaken for one.
                hash.update([number as u8]);
                let mut values = Columns::new(&row);
                for column in *columns {
                    let bytes = match column {
                        Int => {
                            hash.update(values.int()?.to_be_bytes());
                            continue;
                        }
                        Text => values.text()?.as_bytes(),
                        Bytes => values.bytes()?,
                    };
                    hash.update((bytes.len() as u64).to_be_bytes());
                    hash.update(bytes);
                }
            }
        }
        moment.commit().await?;
        Ok(hash.finalize().into())
    }
}
