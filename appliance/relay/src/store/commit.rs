//! One batch, one transaction.

use std::borrow::Cow;

use sqlx::Executor;
use wardline_core::agency::Agency;
use wardline_core::escalation::signed::CallNote;
use wardline_core::escalation::{Reason, Stage};
use wardline_core::family::Visitor;
use wardline_core::ids::{Change, PersonId, UnitId};
use wardline_core::leaving::Waiting;
use wardline_core::login::LoginSecrets;
use wardline_core::mention;
use wardline_core::passkey;
use wardline_core::retention::MARKS_MAX;
use wardline_core::role::offer;
use wardline_core::text::Title;
use wardline_core::write::Numbered;

use super::plan::{Alteration, ConversationPatch, Plan};
use super::row::{kind_number, post_number, priority_number};
use super::rows::{Many, Script, Values};
use super::{Commit, Store, StoreError, filing, notices, open, orders, reactions, signed, tasks};

const PEOPLE: Many = Many {
    head: "INSERT INTO person (id, name, title, administrator, suspended, changed, privacy_officer, \
           station, agency, barred, waits, visitor, the_box) VALUES ",
    columns: 13,
    tail: "",
};
const PEOPLE_PATCHES: Many = Many {
    head: "WITH v (id, suspended, administrator, privacy_officer, agency, barred, waits, visitor, changed) AS (VALUES ",
    columns: 9,
    tail: ") UPDATE person SET suspended = coalesce(v.suspended, person.suspended), \
           administrator = coalesce(v.administrator, person.administrator), \
           privacy_officer = coalesce(v.privacy_officer, person.privacy_officer), \
           agency = coalesce(v.agency, person.agency), barred = coalesce(v.barred, person.barred), \
           waits = coalesce(v.waits, person.waits), visitor = coalesce(v.visitor, person.visitor), \
           changed = v.changed \
           FROM v WHERE person.id = v.id",
};
const UNITS: Many = Many {
    head: "INSERT INTO unit (id, name, changed) VALUES ",
    columns: 3,
    tail: " ON CONFLICT (id) DO UPDATE SET name = excluded.name, changed = excluded.changed",
};
const ROLES: Many = Many {
    head: "INSERT INTO role (id, unit, name, rota, changed, offers, retired) VALUES ",
    columns: 7,
    tail: " ON CONFLICT (id) DO UPDATE SET name = excluded.name, rota = excluded.rota, changed = excluded.changed, \
           offers = excluded.offers, retired = excluded.retired",
};
const POSTS: Many = Many {
    head: "INSERT INTO post (person, unit, charge_nurse) VALUES ",
    columns: 3,
    tail: " ON CONFLICT (person, unit) DO UPDATE SET charge_nurse = excluded.charge_nurse",
};
const POSTS_ENDED: Many =
    Many { head: "DELETE FROM post WHERE (person, unit) IN (VALUES ", columns: 2, tail: ")" };
const DEVICES: Many = Many {
    head: "INSERT INTO device (id, person, name, key, salt, pin, pin_tries, revoked, session_open, session_until, \
           number_floor, login, passkeys) VALUES ",
    columns: 13,
    tail: "",
};
const DEVICE_PATCHES: Many = Many {
    head: "WITH v (id, pin_tries, revoked, session_open, session_until) AS (VALUES ",
    columns: 5,
    tail: ") UPDATE device SET pin_tries = coalesce(v.pin_tries, device.pin_tries), \
           revoked = max(device.revoked, v.revoked), \
           session_open = coalesce(v.session_open, device.session_open), \
           session_until = coalesce(v.session_until, device.session_until) \
           FROM v WHERE device.id = v.id",
};
const PINS: Many = Many {
    head: "WITH v (id, salt, pin) AS (VALUES ",
    columns: 3,
    tail: ") UPDATE device SET salt = v.salt, pin = v.pin FROM v WHERE device.id = v.id",
};
const LOGINS: Many = Many {
    head: "WITH v (id, login) AS (VALUES ",
    columns: 2,
    tail: ") UPDATE device SET login = v.login FROM v WHERE device.id = v.id",
};
const PASSKEYS: Many = Many {
    head: "WITH v (id, passkeys) AS (VALUES ",
    columns: 2,
    tail: ") UPDATE device SET passkeys = v.passkeys FROM v WHERE device.id = v.id",
};
const CODES: Many = Many {
    head: "INSERT INTO join_code (hash, person, expires, issuer, issued) VALUES ",
    columns: 5,
    tail: " ON CONFLICT (hash) DO UPDATE SET person = excluded.person, expires = excluded.expires, \
           issuer = excluded.issuer, issued = excluded.issued",
};
const CODES_ENDED: Many =
    Many { head: "DELETE FROM join_code WHERE hash IN (VALUES ", columns: 1, tail: ")" };
const OPENED: Many = Many {
    head: "INSERT INTO conversation (id, kind, title, owner, opened_at, changed, last, last_change, first, purged, \
           member_changed, unit, archived, noticed) VALUES ",
    columns: 14,
    tail: "",
};
const CONVERSATIONS: Many = Many {
    head: "WITH v (id, changed, last, last_change, first, member_changed) AS (VALUES ",
    columns: 6,
    tail: ") UPDATE conversation SET changed = coalesce(v.changed, conversation.changed), \
           last = coalesce(v.last, conversation.last), \
           last_change = coalesce(v.last_change, conversation.last_change), \
           first = coalesce(v.first, conversation.first), \
           member_changed = coalesce(v.member_changed, conversation.member_changed) \
           FROM v WHERE conversation.id = v.id",
};
/// Apart from the others, which every message needs.
const ALTERED: Many = Many {
    head: "WITH v (id, title, archived, noticed) AS (VALUES ",
    columns: 4,
    tail: ") UPDATE conversation SET title = coalesce(v.title, conversation.title), \
           archived = coalesce(v.archived, conversation.archived), \
           noticed = coalesce(v.noticed, conversation.noticed) FROM v WHERE conversation.id = v.id",
};
const PURGED: Many = Many {
    head: "UPDATE conversation SET purged = 1, title = '' WHERE id IN (VALUES ",
    columns: 1,
    tail: ")",
};
const KEYS: Many =
    Many { head: "INSERT INTO conversation_key (conversation, wrapped) VALUES ", columns: 2, tail: "" };
const KEYS_DESTROYED: Many =
    Many { head: "DELETE FROM conversation_key WHERE conversation IN (VALUES ", columns: 1, tail: ")" };
const MEMBERS: Many = Many {
    head: "INSERT INTO member (conversation, person, starts, delivered, read, gone, changed) VALUES ",
    columns: 7,
    tail: " ON CONFLICT (conversation, person) DO UPDATE SET starts = excluded.starts, \
           delivered = excluded.delivered, read = excluded.read, gone = excluded.gone, \
           changed = excluded.changed",
};
/// Apart from who left: an index that a statement might touch is written anew for every row, and watermarks are in none.
const WATERMARKS: Many = Many {
    head: "WITH v (conversation, person, delivered, read, changed) AS (VALUES ",
    columns: 5,
    tail: ") UPDATE member SET delivered = v.delivered, read = v.read, changed = v.changed \
           FROM v WHERE member.conversation = v.conversation AND member.person = v.person",
};
const LEAVERS: Many = Many {
    head: "WITH v (conversation, person, changed) AS (VALUES ",
    columns: 3,
    tail: ") UPDATE member SET gone = 1, changed = v.changed \
           FROM v WHERE member.conversation = v.conversation AND member.person = v.person",
};
const MESSAGES: Many = Many {
    head: "INSERT INTO message (change, conversation, sequence, id, sender, device, number, at, body, \
           priority, reply_to, mentions) VALUES ",
    columns: 12,
    tail: "",
};
const PLACES: Many = Many {
    head: "INSERT INTO message_recent (conversation, sequence, change, size) VALUES ",
    columns: 4,
    tail: "",
};
/// The earlier body is overwritten, and what was put to it goes with it; a recalled message has none, and names nobody.
const EDITED: Many = Many {
    head: "WITH v (change, body, edits, recalled, at) AS (VALUES ",
    columns: 5,
    tail: ") UPDATE message SET body = v.body, edits = coalesce(v.edits, message.edits), \
           recalled = max(message.recalled, v.recalled), altered_at = v.at, reactions = x'', \
           mentions = iif(v.recalled, x'', message.mentions) \
           FROM v WHERE message.change = v.change",
};
const ALTERATIONS: Many = Many {
    head: "INSERT INTO message_altered (conversation, sequence, change, size, altered, edit) VALUES ",
    columns: 6,
    tail: " ON CONFLICT (conversation, sequence) DO UPDATE SET size = excluded.size, altered = excluded.altered, \
           edit = CASE WHEN length(excluded.edit) > 0 THEN excluded.edit ELSE message_altered.edit END",
};
/// How large they are now, wherever their places are.
const SIZES: [Many; 2] = [
    Many {
        head: "WITH v (conversation, sequence, size) AS (VALUES ",
        columns: 3,
        tail: ") UPDATE message_recent SET size = v.size \
               FROM v WHERE message_recent.conversation = v.conversation AND message_recent.sequence = v.sequence",
    },
    Many {
        head: "WITH v (conversation, sequence, size) AS (VALUES ",
        columns: 3,
        tail: ") UPDATE message_place SET size = v.size \
               FROM v WHERE message_place.conversation = v.conversation AND message_place.sequence = v.sequence",
    },
];
const ESCALATIONS: Many = Many {
    head: "INSERT INTO escalation (conversation, sequence, sender, unit, policy, opened, stage, step, since, by_person, \
           passed, noted_by, changed, note) VALUES ",
    columns: 14,
    tail: "",
};
const ESCALATION_PATCHES: Many = Many {
    head: "WITH v (conversation, sequence, stage, step, since, by_person, passed, noted_by, unit, note, changed) AS (VALUES ",
    columns: 11,
    tail: ") UPDATE escalation SET stage = coalesce(v.stage, escalation.stage), \
           step = coalesce(v.step, escalation.step), since = coalesce(v.since, escalation.since), \
           by_person = coalesce(v.by_person, escalation.by_person), \
           passed = coalesce(v.passed, escalation.passed), \
           noted_by = coalesce(v.noted_by, escalation.noted_by), \
           unit = coalesce(v.unit, escalation.unit), note = coalesce(v.note, escalation.note), changed = v.changed \
           FROM v WHERE escalation.conversation = v.conversation AND escalation.sequence = v.sequence",
};
const RUNG: Many = Many {
    head: "INSERT INTO escalation_rung (conversation, sequence, person, step, declined, has_held) VALUES ",
    columns: 6,
    tail: " ON CONFLICT (conversation, sequence, person) DO UPDATE SET declined = excluded.declined, \
           has_held = max(has_held, excluded.has_held)",
};
const POLICIES: Many = Many {
    head: "INSERT INTO escalation_policy (unit, policy) VALUES ",
    columns: 2,
    tail: " ON CONFLICT (unit) DO UPDATE SET policy = excluded.policy",
};
const POLICIES_ENDED: Many =
    Many { head: "DELETE FROM escalation_policy WHERE unit IN (VALUES ", columns: 1, tail: ")" };
const SAID: Many = Many {
    head: "INSERT INTO availability (person, said) VALUES ",
    columns: 2,
    tail: " ON CONFLICT (person) DO UPDATE SET said = excluded.said",
};
const SAID_ENDED: Many =
    Many { head: "DELETE FROM availability WHERE person IN (VALUES ", columns: 1, tail: ")" };
const COVER_POLICY: Many = Many {
    head: "INSERT INTO cover_policy (id, cover_instead) VALUES ",
    columns: 2,
    tail: " ON CONFLICT (id) DO UPDATE SET cover_instead = excluded.cover_instead",
};
const TEMPLATES: Many = Many {
    head: "INSERT INTO template_set (unit, content) VALUES ",
    columns: 2,
    tail: " ON CONFLICT (unit) DO UPDATE SET content = excluded.content",
};
const TEMPLATES_ENDED: Many =
    Many { head: "DELETE FROM template_set WHERE unit IN (VALUES ", columns: 1, tail: ")" };
const ENTRIES: Many = Many { head: "INSERT INTO audit (entry_index, bytes) VALUES ", columns: 2, tail: "" };

const MARKS: Many =
    Many { head: "INSERT INTO retention_mark (change, served, at) VALUES ", columns: 3, tail: "" };
const OLD_MARKS: &str = "DELETE FROM retention_mark WHERE change NOT IN \
     (SELECT change FROM retention_mark ORDER BY change DESC LIMIT (? + 0))";

/// Messages of a conversation, up to a place and before a change. On the `+ 0`, see [`super::read`].
macro_rules! expiring {
    () => {
        "conversation = (? + 0) AND sequence <= (? + 0) AND change < (? + 0)"
    };
}
/// The same as changes.
macro_rules! expiring_changes {
    () => {
        concat!(
            "SELECT change FROM message_recent WHERE ",
            expiring!(),
            " UNION ALL SELECT change FROM message_place WHERE ",
            expiring!()
        )
    };
}
/// Before messages go: what their devices have spent stays spent. Their places last: all others need them. With how often
/// the three values are in there.
const EXPIRE: [(&str, usize); 14] = [
    orders::EXPIRED[0],
    orders::EXPIRED[1],
    (tasks::EXPIRED, 1),
    (signed::EXPIRED, 1),
    (
        concat!(
            "UPDATE device SET number_floor = max(number_floor, gone.number) \
             FROM (SELECT device, max(number) AS number FROM message WHERE change IN (",
            expiring_changes!(),
            ") GROUP BY device) AS gone WHERE device.id = gone.device"
        ),
        2,
    ),
    (
        concat!(
            "DELETE FROM message_number WHERE (device, number) IN \
             (SELECT device, number FROM message WHERE change IN (",
            expiring_changes!(),
            "))"
        ),
        2,
    ),
    (concat!("DELETE FROM message WHERE change IN (", expiring_changes!(), ")"), 2),
    (
        "DELETE FROM escalation_rung WHERE (conversation, sequence) IN (SELECT conversation, sequence FROM escalation \
         WHERE stage = 3 AND conversation = (? + 0) AND sequence <= (? + 0) AND changed < (? + 0))",
        1,
    ),
    (
        "DELETE FROM escalation \
         WHERE stage = 3 AND conversation = (? + 0) AND sequence <= (? + 0) AND changed < (? + 0)",
        1,
    ),
    (
        "DELETE FROM attachment WHERE conversation = (? + 0) AND sequence > 0 AND sequence <= (? + 0) AND attached < (? + 0)",
        1,
    ),
    (
        "DELETE FROM message_altered WHERE conversation = (? + 0) AND sequence <= (? + 0) AND altered < (? + 0)",
        1,
    ),
    // Those in front of the last one to go; what stands behind it stays.
    ("DELETE FROM thread_notice WHERE conversation = (? + 0) AND behind < (? + 0) AND change < (? + 0)", 1),
    (concat!("DELETE FROM message_recent WHERE ", expiring!()), 1),
    (concat!("DELETE FROM message_place WHERE ", expiring!()), 1),
];

/// Also the fence: where somebody else has written since, the change is NULL, which no column of ours may be and no
/// other value of a batch is.
const META: &str = "UPDATE meta SET audited = coalesce(?, audited), last_at = coalesce(?, last_at), \
     change = CASE WHEN change = ? THEN ? END WHERE id = 1";

/// SQLite's result code for a column that may not be NULL.
const NOT_NULL: &str = "1299";

fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error()?.code()
}

impl Store {
    /// Makes these writes durable, all or none. They follow the last batch without a gap. Dropping the future before
    /// it is done leaves the store unsound.
    pub async fn commit(&mut self, writes: &[Numbered]) -> Commit {
        if !self.sound {
            return Commit::Refused(StoreError::Unsound);
        }
        let Some(last) = writes.last() else { return Commit::Committed };
        self.sound = false;
        let mut expected = self.last.0;
        for Numbered { change, .. } in writes {
            expected += 1;
            if change.0 != expected {
                return Commit::Refused(StoreError::Gap { last: expected - 1, found: change.0 });
            }
        }
        let plan = Plan::of(writes);
        let commit = self.transact(&plan, last.change.0).await;
        if let Commit::Committed = commit {
            self.readers.newer().committed(&plan, self.last, last.change);
            (self.last, self.sound) = (last.change, true);
        }
        commit
    }

    async fn transact(&mut self, plan: &Plan<'_>, change: u64) -> Commit {
        let Err(error) = self.write(plan, change).await else { return Commit::Committed };
        // Where SQLite kept the transaction open, rolling it back settles it: nothing of a transaction without its COMMIT
        // is ever seen again, not even after a crash. A store that is busy did not begin one, or keeps it. A full disk settles it too:
        // frames reach the log in order, the one that commits comes last, and SQLITE_FULL is a write that came up
        // short, so that frame is not there whole. Any other failure, that of a flush above all, may have come after
        // the last frame: then only a look at the disk can tell.
        let settled = matches!(error, StoreError::Full { .. } | StoreError::Busy);
        let rolled_back = self.writer.execute("ROLLBACK").await.is_ok();
        let error = self.measured(error);
        if settled || rolled_back { Commit::Refused(error) } else { Commit::Unknown(error) }
    }

    /// A full disk's error with how full it is.
    fn measured(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Full { .. } => StoreError::Full { free: open::free(&self.path).unwrap_or(0) },
            error => error,
        }
    }

    async fn write(&mut self, plan: &Plan<'_>, change: u64) -> Result<(), StoreError> {
        let mut script = Script::new(&mut self.statements);
        script.one("BEGIN IMMEDIATE", |_| {});
        script.one(META, |row| {
            row.maybe(plan.audited);
            match plan.last_at {
                Some(at) => row.int(at.0),
                None => row.maybe(None),
            };
            row.count(self.last.0).count(change);
        });
        directory(&mut script, plan);
        conversations(&mut script, plan);
        plan.clinic.write(&mut script);
        plan.holds.write(&mut script);
        plan.exports.write(&mut script);
        plan.family.write(&mut script);
        plan.inboxes.write(&mut script);
        plan.urgents.write(&mut script);
        plan.broadcasts.write(&mut script);
        plan.bells.write(&mut script);
        plan.alarms.write(&mut script);
        script.many(&MESSAGES, &plan.messages, |(change, message), row| {
            row.count(change.0).count(message.conversation.value()).count(message.sequence.0);
            row.bytes(&message.id.0).count(message.sender.value()).count(message.device.value());
            row.count(message.number.0).int(message.at.0).bytes(&message.body.0);
            row.int(priority_number(message.priority)).count(message.reply_to.unwrap_or_default().0);
            row.bytes(&mention::to_bytes(&message.mentions));
        });
        script.many(&PLACES, &plan.messages, |(change, message), row| {
            row.count(message.conversation.value()).count(message.sequence.0).count(change.0);
            row.count(message.body.0.len() as u64);
        });
        alterations(&mut script, plan);
        reactions::write(&mut script, plan);
        plan.files.write(&mut script);
        escalations(&mut script, plan);
        plan.stat_load.write(&mut script);
        plan.tasks.write(&mut script);
        plan.orders.write(&mut script);
        plan.signed.write(&mut script);
        availability(&mut script, plan);
        templates(&mut script, plan);
        notices::write(&mut script, plan);
        for expiry in &plan.expiries {
            for (text, times) in EXPIRE {
                script.one(text, |row| {
                    for _ in 0..times {
                        row.count(expiry.conversation.value());
                        row.count(expiry.through.0).count(expiry.change.0);
                    }
                });
            }
        }
        filing::file(&mut script, self.last, Change(change));
        script.many(&ENTRIES, &plan.entries, |(index, bytes), row| {
            row.count(*index).bytes(bytes);
        });
        if !plan.marks.is_empty() {
            script.many(&MARKS, &plan.marks, |mark, row| {
                row.count(mark.change.0).count(mark.served_ms).int(mark.at.0);
            });
            script.one(OLD_MARKS, |row| {
                row.count(MARKS_MAX as u64);
            });
        }
        script.one("COMMIT", |_| {});
        script.run(&mut self.writer).await.map_err(|error| match code(&error).as_deref() {
            Some(NOT_NULL) => StoreError::Busy,
            _ => error.into(),
        })
    }
}

/// People, units, posts, devices, codes: whom the rest refers to.
fn directory(script: &mut Script<'_>, plan: &Plan<'_>) {
    script.many(&PEOPLE, &plan.people, |(person, change), row| {
        row.count(person.id.value()).text(person.name.reveal()).text(person.title.reveal());
        row.flag(person.administrator).flag(person.suspended).count(change.0).flag(person.privacy_officer);
        row.count(person.station.map_or(0, UnitId::value));
        row.bytes(&person.agency.as_ref().map(Agency::to_bytes).unwrap_or_default()).flag(person.barred);
        row.bytes(&person.waits.as_ref().map(Waiting::to_bytes).unwrap_or_default());
        row.bytes(&person.visitor.as_ref().map(Visitor::to_bytes).unwrap_or_default()).flag(person.the_box);
    });
    let patches: Vec<_> = plan.people_patches.iter().collect();
    script.many(&PEOPLE_PATCHES, &patches, |(person, patch), row| {
        row.count(person.value()).maybe(patch.suspended.map(u64::from));
        row.maybe(patch.duties.map(|(administrator, _)| administrator.into()));
        row.maybe(patch.duties.map(|(_, privacy_officer)| privacy_officer.into()));
        row.maybe_bytes(patch.agency.map(Agency::to_bytes).as_deref()).maybe(patch.barred.map(u64::from));
        let waits = patch.waits.map(|waits| waits.as_ref().map(Waiting::to_bytes).unwrap_or_default());
        row.maybe_bytes(waits.as_deref());
        row.maybe_bytes(patch.visitor.map(Visitor::to_bytes).as_deref()).count(patch.changed.0);
    });
    let units: Vec<_> = plan.units.values().collect();
    script.many(&UNITS, &units, |(unit, change), row| {
        row.count(unit.id.value()).text(unit.name.reveal()).count(change.0);
    });
    let roles: Vec<_> = plan.roles.values().collect();
    script.many(&ROLES, &roles, |(role, change), row| {
        row.count(role.id.value()).count(role.unit.value()).text(role.name.reveal());
        row.bytes(&role.rota.to_bytes())
            .count(change.0)
            .bytes(&offer::to_bytes(&role.offers))
            .flag(role.retired);
    });
    let (mut held, mut left) = (Vec::new(), Vec::new());
    for (place, post) in &plan.posts {
        match post {
            Some(post) => held.push((place, *post)),
            None => left.push(place),
        }
    }
    script.many(&POSTS, &held, |((person, unit), post), row| {
        row.count(person.value()).count(unit.value()).int(post_number(*post));
    });
    script.many(&POSTS_ENDED, &left, |(person, unit), row| {
        row.count(person.value()).count(unit.value());
    });
    script.many(&DEVICES, &plan.devices, |device, row| {
        row.count(device.id.value()).count(device.person.value()).text(device.name.reveal());
        row.bytes(device.key.as_bytes()).bytes(&device.salt).bytes(&device.pin.0);
        row.count(device.pin_tries.into()).flag(device.revoked);
        row.flag(device.session_until.is_some()).int(device.passkey_until.map_or(0, |until| until.0));
        row.count(device.last_number.0).bytes(&login(device.login.as_ref()));
        row.bytes(&passkey::to_bytes(&device.passkeys));
    });
    let patches: Vec<_> = plan.device_patches.iter().collect();
    script.many(&DEVICE_PATCHES, &patches, |(device, patch), row| {
        row.count(device.value()).maybe(patch.pin_tries.map(u64::from)).flag(patch.revoked);
        row.maybe(patch.session_open.map(u64::from))
            .maybe_int(patch.session_until.map(|until| until.map_or(0, |until| until.0)));
    });
    let pins: Vec<_> = plan.pins.iter().collect();
    script.many(&PINS, &pins, |(device, (salt, pin)), row| {
        row.count(device.value()).bytes(salt.as_slice()).bytes(&pin.0);
    });
    let logins: Vec<_> = plan.logins.iter().collect();
    script.many(&LOGINS, &logins, |(device, secrets), row| {
        row.count(device.value()).bytes(&login(Some(secrets)));
    });
    let passkeys: Vec<_> = plan.passkeys.iter().collect();
    script.many(&PASSKEYS, &passkeys, |(device, passkeys), row| {
        row.count(device.value()).bytes(&passkey::to_bytes(passkeys));
    });
    let (mut issued, mut ended) = (Vec::new(), Vec::new());
    for (hash, code) in &plan.codes {
        match code {
            Some(code) => issued.push(*code),
            None => ended.push(*hash),
        }
    }
    script.many(&CODES, &issued, |(code, change), row| {
        row.bytes(&code.hash).count(code.person.value()).int(code.expires.0);
        row.count(code.issuer.map_or(0, PersonId::value)).count(change.0);
    });
    script.many(&CODES_ENDED, &ended, |hash, row| {
        row.bytes(hash.as_slice());
    });
}

/// Edits and recalls, of messages that are all there by then.
fn alterations(script: &mut Script<'_>, plan: &Plan<'_>) {
    let altered: Vec<_> = plan.alterations.iter().collect();
    fn body<'a>(alteration: &Alteration<'a>) -> &'a [u8] {
        alteration.body.map_or(&[], |body| &body.0)
    }
    script.many(&EDITED, &altered, |(_, alteration), row| {
        row.count(alteration.message.0).bytes(body(alteration)).maybe(alteration.edits.map(u64::from));
        row.flag(alteration.recalled).int(alteration.at.0);
    });
    script.many(&ALTERATIONS, &altered, |((conversation, sequence), alteration), row| {
        row.count(conversation.value()).count(sequence.0).count(alteration.message.0);
        row.count(body(alteration).len() as u64).count(alteration.altered.0);
        row.bytes(alteration.edit.as_ref().map_or(&[], |edit| &edit.0[..]));
    });
    for sizes in &SIZES {
        script.many(sizes, &altered, |((conversation, sequence), alteration), row| {
            row.count(conversation.value()).count(sequence.0).count(body(alteration).len() as u64);
        });
    }
}

/// STATs and how they stand, for whom they have rung, and how units escalate.
fn escalations(script: &mut Script<'_>, plan: &Plan<'_>) {
    script.many(&ESCALATIONS, &plan.escalations, |(escalation, change), row| {
        row.count(escalation.id.conversation.value()).count(escalation.id.sequence.0);
        row.count(escalation.sender.value()).count(escalation.unit.map_or(0, UnitId::value));
        row.bytes(&escalation.policy.to_bytes()).int(escalation.opened.0);
        stage(escalation.stage, row);
        row.count(change.0).bytes(&escalation.note.as_ref().map_or_else(Vec::new, CallNote::to_bytes));
    });
    let patches: Vec<_> = plan.escalation_patches.iter().collect();
    script.many(&ESCALATION_PATCHES, &patches, |(id, patch), row| {
        row.count(id.conversation.value()).count(id.sequence.0);
        match patch.stage {
            Some(becomes) => stage(becomes, row),
            None => (0..6).for_each(|_| {
                row.maybe(None);
            }),
        }
        row.maybe(patch.unit.map(UnitId::value)).maybe_bytes(patch.note.as_deref()).count(patch.changed.0);
    });
    let rung: Vec<_> = plan.rung.iter().collect();
    script.many(&RUNG, &rung, |((id, person), rung), row| {
        row.count(id.conversation.value()).count(id.sequence.0).count(person.value());
        row.count(rung.step.into()).count(rung.declined.map_or(0, Reason::number).into()).flag(rung.has_held);
    });
    let (mut set, mut ended) = (Vec::new(), Vec::new());
    for (unit, policy) in &plan.policies {
        let unit = unit.map_or(0, UnitId::value);
        match policy {
            Some(policy) => set.push((unit, *policy)),
            None => ended.push(unit),
        }
    }
    script.many(&POLICIES, &set, |(unit, policy), row| {
        row.count(*unit).bytes(&policy.to_bytes());
    });
    script.many(&POLICIES_ENDED, &ended, |unit, row| {
        row.count(*unit);
    });
}

/// When people want to be disturbed.
fn availability(script: &mut Script<'_>, plan: &Plan<'_>) {
    let (ended, said): (Vec<_>, Vec<_>) = plan.availability.iter().partition(|(_, said)| said.is_empty());
    script.many(&SAID, &said, |(person, said), row| {
        row.count(person.value()).bytes(&said.to_bytes());
    });
    script.many(&SAID_ENDED, &ended, |(person, _), row| {
        row.count(person.value());
    });
    script.many(&COVER_POLICY, plan.cover_instead.as_slice(), |cover_instead, row| {
        row.count(0).count(u64::from(*cover_instead));
    });
}

/// Templates and quick replies of units, and of the facility.
fn templates(script: &mut Script<'_>, plan: &Plan<'_>) {
    let of = |unit: &Option<UnitId>| unit.map_or(0, UnitId::value);
    let (ended, set): (Vec<_>, Vec<_>) =
        plan.templates.iter().partition(|(_, templates)| templates.is_empty());
    script.many(&TEMPLATES, &set, |(unit, templates), row| {
        row.count(of(unit)).bytes(&templates.to_bytes());
    });
    script.many(&TEMPLATES_ENDED, &ended, |(unit, _), row| {
        row.count(of(unit));
    });
}

/// Its number, and what it has.
fn stage(stage: Stage, row: &mut Values) {
    let value = |person: Option<PersonId>| person.map_or(0, PersonId::value);
    let (number, step, since, by, passed_ms, noted_by) = match stage {
        Stage::Ringing { step, since } => (0, step, since, 0, 0, 0),
        Stage::Held { step, since, by, passed_ms } => (1, step, since, by.value(), passed_ms, 0),
        Stage::Accepted { step, at, by, noted_by } => (2, step, at, value(by), 0, value(noted_by)),
        Stage::Closed { at } => (3, 0, at, 0, 0, 0),
    };
    row.int(number).count(step.into()).int(since.0).count(by).count(passed_ms).count(noted_by);
}

/// Nothing: a device without.
fn login(secrets: Option<&LoginSecrets>) -> Vec<u8> {
    secrets.map(LoginSecrets::to_bytes).unwrap_or_default()
}

/// Conversations, their keys, their members.
fn conversations(script: &mut Script<'_>, plan: &Plan<'_>) {
    script.many(&OPENED, &plan.opened, |opened, row| {
        row.count(opened.id.value()).int(kind_number(opened.kind)).text(opened.title.reveal());
        row.count(opened.owner.map_or(0, PersonId::value)).int(opened.at.0).count(opened.changed.0);
        row.int(0).int(0).int(1).int(0).int(0);
        row.count(opened.unit.map_or(0, UnitId::value)).int(0).int(0);
    });
    let patches: Vec<_> = plan.conversations.iter().collect();
    script.many(&CONVERSATIONS, &patches, |(id, patch), row| {
        row.count(id.value()).maybe(patch.changed.map(|change| change.0));
        row.maybe(patch.last.map(|(sequence, _)| sequence.0)).maybe(patch.last.map(|(_, change)| change.0));
        row.maybe(patch.first.map(|first| first.0)).maybe(patch.member_changed.map(|change| change.0));
    });
    let altered = |(_, patch): &(_, &ConversationPatch<'_>)| {
        patch.title.is_some() || patch.archived.is_some() || patch.noticed.is_some()
    };
    let altered: Vec<_> = plan.conversations.iter().filter(altered).collect();
    script.many(&ALTERED, &altered, |(id, patch), row| {
        row.count(id.value()).maybe_text(patch.title.map(Title::reveal));
        row.maybe(patch.archived.map(u64::from)).maybe(patch.noticed);
    });
    let purged: Vec<_> = plan.purged.iter().collect();
    script.many(&PURGED, &purged, |id, row| {
        row.count(id.value());
    });
    let destroyed: Vec<_> = plan.keys_destroyed.iter().collect();
    script.many(&KEYS_DESTROYED, &destroyed, |id, row| {
        row.count(id.value());
    });
    let granted: Vec<_> = plan.keys_granted.iter().collect();
    script.many(&KEYS, &granted, |(id, key), row| {
        row.count(id.value()).bytes(&key.0);
    });
    let (mut whole, mut moved, mut left) = (Vec::new(), Vec::new(), Vec::new());
    for (place, patch) in &plan.members {
        match (patch.from, patch.watermarks) {
            (Some(from), Some(watermarks)) => whole.push((place, from, watermarks, patch)),
            (_, watermarks) => {
                moved.extend(watermarks.map(|watermarks| (place, watermarks, patch.changed)));
                left.extend(patch.left.then_some((place, patch.changed)));
            }
        }
    }
    script.many(&MEMBERS, &whole, |((conversation, person), from, (delivered, read), patch), row| {
        row.count(conversation.value()).count(person.value()).count(from.0);
        row.count(delivered.0).count(read.0).flag(patch.left).count(patch.changed.0);
    });
    script.many(&WATERMARKS, &moved, |((conversation, person), (delivered, read), changed), row| {
        row.count(conversation.value()).count(person.value());
        row.count(delivered.0).count(read.0).count(changed.0);
    });
    script.many(&LEAVERS, &left, |((conversation, person), changed), row| {
        row.count(conversation.value()).count(person.value()).count(changed.0);
    });
}
