//! From columns to the core's types. A value that no write puts there is damage, never a default.

use std::collections::BTreeMap;

use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{Decode, Row, Sqlite, Type};
use wardline_core::agency::Agency;
use wardline_core::availability::Availability;
use wardline_core::conversation::{Conversation, Kind, Member};
use wardline_core::directory::{Device, JoinCode, Person, Post, PublicKey, Unit};
use wardline_core::escalation::policy::EscalationPolicy;
use wardline_core::escalation::signed::CallNote;
use wardline_core::escalation::{Escalation, Priority, Reason, Rung, Stage, StatId};
use wardline_core::hold::{Hold, Subject};
use wardline_core::ids::{
    Change, ConversationId, DeviceId, HoldId, MessageId, Number, PersonId, RoleId, Sequence, UnitId,
};
use wardline_core::leaving::Waiting;
use wardline_core::login::LoginSecrets;
use wardline_core::mention::{self, Mention};
use wardline_core::passkey;
use wardline_core::pin::PinMac;
use wardline_core::reaction::Reactions;
use wardline_core::retention::{Mark, Rules};
use wardline_core::role::{Role, offer};
use wardline_core::rota::Rota;
use wardline_core::template::Templates;
use wardline_core::text::{Name, Sealed, Title};
use wardline_core::time::Wall;

use super::{StoreError, StoredMessage, row_family};

/// The columns of one row, left to right.
pub(super) struct Columns<'r> {
    row: &'r SqliteRow,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(super) fn new(row: &'r SqliteRow) -> Self {
        Self { row, next: 0 }
    }

    fn take<T>(&mut self) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        let value: SqliteValueRef<'r> = self.row.try_get_raw(self.next)?;
        self.next += 1;
        // STRICT tables hold what their columns say, so the check of types that `try_get` does is spared.
        T::decode(value).map_err(|_| StoreError::value("a column"))
    }

    pub(super) fn int(&mut self) -> Result<i64, StoreError> {
        self.take()
    }

    pub(super) fn bytes(&mut self) -> Result<&'r [u8], StoreError> {
        self.take()
    }

    /// The same, of bytes.
    pub(super) fn bytes_if_any(&mut self) -> Result<Option<&'r [u8]>, StoreError> {
        let value = self.row.try_get_unchecked(self.next).map_err(|_| StoreError::value("a column"))?;
        self.next += 1;
        Ok(value)
    }

    pub(super) fn text(&mut self) -> Result<&'r str, StoreError> {
        self.take()
    }

    /// What an aggregate over nothing leaves out.
    pub(super) fn text_if_any(&mut self) -> Result<Option<&'r str>, StoreError> {
        let value = self.row.try_get(self.next).map_err(|_| StoreError::value("a column"))?;
        self.next += 1;
        Ok(value)
    }

    pub(super) fn count(&mut self) -> Result<u64, StoreError> {
        u64::try_from(self.int()?).map_err(|_| StoreError::value("a number"))
    }

    pub(super) fn flag(&mut self) -> Result<bool, StoreError> {
        match self.int()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(StoreError::value("a flag")),
        }
    }

    pub(super) fn change(&mut self) -> Result<Change, StoreError> {
        self.count().map(Change)
    }

    pub(super) fn sequence(&mut self) -> Result<Sequence, StoreError> {
        self.count().map(Sequence)
    }

    pub(super) fn number(&mut self) -> Result<Number, StoreError> {
        self.count().map(Number)
    }

    pub(super) fn wall(&mut self) -> Result<Wall, StoreError> {
        self.int().map(Wall)
    }

    pub(super) fn person(&mut self) -> Result<PersonId, StoreError> {
        PersonId::new(self.count()?).ok_or_else(|| StoreError::value("a person's identifier"))
    }

    pub(super) fn device(&mut self) -> Result<DeviceId, StoreError> {
        DeviceId::new(self.count()?).ok_or_else(|| StoreError::value("a device's identifier"))
    }

    pub(super) fn conversation(&mut self) -> Result<ConversationId, StoreError> {
        ConversationId::new(self.count()?).ok_or_else(|| StoreError::value("a conversation's identifier"))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        self.bytes()?.try_into().map_err(|_| StoreError::value("bytes of fixed length"))
    }

    pub(super) fn message_id(&mut self) -> Result<MessageId, StoreError> {
        self.array().map(MessageId)
    }

    pub(super) fn name(&mut self) -> Result<Name, StoreError> {
        Name::kept(self.text()?).map_err(|_| StoreError::value("a name"))
    }

    pub(super) fn title(&mut self) -> Result<Title, StoreError> {
        match self.text()? {
            "" => Ok(Title::default()),
            title => Title::kept(title).map_err(|_| StoreError::value("a title")),
        }
    }

    pub(super) fn kind(&mut self) -> Result<Kind, StoreError> {
        match self.int()? {
            1 => Ok(Kind::Direct),
            2 => Ok(Kind::Group),
            3 => Ok(Kind::Channel),
            4 => Ok(Kind::Patient),
            240 => Ok(Kind::Family),
            300 => Ok(Kind::Role),
            305 => Ok(Kind::Broadcast),
            _ => Err(StoreError::value("a conversation's kind")),
        }
    }
}

/// A conversation's kind as stored: [`Kind`]'s own numbers.
pub(super) const fn kind_number(kind: Kind) -> i64 {
    match kind {
        Kind::Direct => 1,
        Kind::Group => 2,
        Kind::Channel => 3,
        Kind::Patient => 4,
        Kind::Family => 240,
        Kind::Role => 300,
        Kind::Broadcast => 305,
    }
}

pub(super) const PERSON: &str = "person.id, name, title, administrator, suspended, changed, privacy_officer, station, \
     agency, barred, waits, visitor, the_box, \
     (SELECT group_concat(concat_ws(' ', unit, charge_nurse), ' ') FROM post WHERE post.person = person.id)";

pub(super) fn person(row: &SqliteRow) -> Result<Person, StoreError> {
    let mut columns = Columns::new(row);
    Ok(Person {
        id: columns.person()?,
        name: columns.name()?,
        title: columns.title()?,
        administrator: columns.flag()?,
        suspended: columns.flag()?,
        changed: columns.change()?,
        privacy_officer: columns.flag()?,
        // Zero is no unit's identifier, and here means none.
        station: UnitId::new(columns.count()?),
        agency: agency(columns.bytes()?)?,
        barred: columns.flag()?,
        waits: waits(columns.bytes()?)?,
        visitor: row_family::visitor(columns.bytes()?)?,
        the_box: columns.flag()?,
        posts: posts(columns.text_if_any()?.unwrap_or_default())?,
    })
}

/// No bytes: the facility's own.
fn agency(bytes: &[u8]) -> Result<Option<Agency>, StoreError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    Agency::from_bytes(bytes).map(Some).map_err(|_| StoreError::value("how somebody is here from an agency"))
}

/// No bytes: nothing waits.
fn waits(bytes: &[u8]) -> Result<Option<Waiting>, StoreError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    Waiting::from_bytes(bytes).map(Some).map_err(|_| StoreError::value("a suspension that waits"))
}

/// As the column `charge_nurse` has it.
pub(super) fn post_number(post: Post) -> i64 {
    match post {
        Post::Staff => 0,
        Post::ChargeNurse => 1,
        Post::Lent => 2,
    }
}

/// "unit charge_nurse unit charge_nurse …".
fn posts(list: &str) -> Result<BTreeMap<UnitId, Post>, StoreError> {
    let damaged = || StoreError::value("a person's posts");
    let mut parts = list.split_terminator(' ');
    let mut posts = BTreeMap::new();
    while let Some(unit) = parts.next() {
        let unit = unit.parse().ok().and_then(UnitId::new).ok_or_else(damaged)?;
        let post = match parts.next() {
            Some("0") => Post::Staff,
            Some("1") => Post::ChargeNurse,
            Some("2") => Post::Lent,
            _ => return Err(damaged()),
        };
        posts.insert(unit, post);
    }
    Ok(posts)
}

pub(super) const UNIT: &str = "id, name, changed";

pub(super) fn unit(row: &SqliteRow) -> Result<Unit, StoreError> {
    let mut columns = Columns::new(row);
    let id = UnitId::new(columns.count()?).ok_or_else(|| StoreError::value("a unit's identifier"))?;
    Ok(Unit { id, name: columns.name()?, changed: columns.change()? })
}

pub(super) const ROLE: &str = "id, unit, name, rota, changed, offers, retired";

pub(super) fn retention(row: &SqliteRow) -> Result<Rules, StoreError> {
    let damaged = || StoreError::value("a retention rule");
    let mut columns = Columns::new(row);
    let mut hours = || u32::try_from(columns.count()?).map_err(|_| damaged());
    let hours = [hours()?, hours()?, hours()?, hours()?];
    Rules::parse(hours).map_err(|_| damaged())
}

/// Who, and what.
pub(super) fn said(row: &SqliteRow) -> Result<(PersonId, Availability), StoreError> {
    let mut columns = Columns::new(row);
    let person = PersonId::new(columns.count()?).ok_or_else(|| StoreError::value("person"))?;
    let said = Availability::from_bytes(columns.bytes()?).map_err(|_| StoreError::value("availability"))?;
    Ok((person, said))
}

pub(super) fn cover_instead(row: &SqliteRow) -> Result<bool, StoreError> {
    Ok(Columns::new(row).count()? != 0)
}

/// Whose, and what.
pub(super) fn templates(row: &SqliteRow) -> Result<(Option<UnitId>, Templates), StoreError> {
    let mut columns = Columns::new(row);
    let unit = UnitId::new(columns.count()?);
    let templates = Templates::from_bytes(columns.bytes()?).map_err(|_| StoreError::value("templates"))?;
    Ok((unit, templates))
}

pub(super) const HOLD: &str = "id, sort, subject, matter, since, placed_by";

pub(super) fn hold(row: &SqliteRow) -> Result<Hold, StoreError> {
    let damaged = || StoreError::value("a legal hold");
    let mut columns = Columns::new(row);
    let id = HoldId::new(columns.count()?).ok_or_else(damaged)?;
    let sort = u32::try_from(columns.count()?).map_err(|_| damaged())?;
    let subject = Subject::from_numbers(sort, columns.count()?).ok_or_else(damaged)?;
    let matter = Title::kept(columns.text()?).map_err(|_| damaged())?;
    Ok(Hold { id, subject, matter, since: columns.wall()?, by: columns.person()? })
}

pub(super) fn role(row: &SqliteRow) -> Result<Role, StoreError> {
    let mut columns = Columns::new(row);
    let id = RoleId::new(columns.count()?).ok_or_else(|| StoreError::value("a role's identifier"))?;
    let unit = UnitId::new(columns.count()?).ok_or_else(|| StoreError::value("a role's unit"))?;
    let name = columns.name()?;
    let rota = Rota::from_bytes(columns.bytes()?).map_err(|_| StoreError::value("a rota"))?;
    let changed = columns.change()?;
    let offers = offer::from_bytes(columns.bytes()?).map_err(|_| StoreError::value("a role's offers"))?;
    let retired = columns.flag()?;
    Ok(Role { id, unit, name, rota, changed, offers, retired })
}

pub(super) fn device(row: &SqliteRow) -> Result<Device, StoreError> {
    let mut columns = Columns::new(row);
    let (id, person, name) = (columns.device()?, columns.person()?, columns.name()?);
    let key = PublicKey::parse(columns.bytes()?).ok_or_else(|| StoreError::value("a device's key"))?;
    let (salt, pin) = (columns.array()?, PinMac(columns.array()?));
    let pin_tries = u32::try_from(columns.int()?).map_err(|_| StoreError::value("a count of PIN tries"))?;
    let (revoked, open, until) = (columns.flag()?, columns.flag()?, columns.wall()?);
    let last_number = columns.number()?.max(columns.number()?);
    // What a session's end was stays when it locks: until then a passkey opens it.
    let passkey_until = Some(until).filter(|until| until.0 != 0);
    let session_until = passkey_until.filter(|_| open);
    let login = match columns.bytes()? {
        [] => None,
        bytes => Some(LoginSecrets::from_bytes(bytes).map_err(|_| StoreError::value("a login secret"))?),
    };
    let passkeys =
        passkey::from_bytes(columns.bytes()?).map_err(|_| StoreError::value("a device's passkeys"))?;
    Ok(Device {
        id,
        person,
        name,
        key,
        salt,
        pin,
        pin_tries,
        revoked,
        session_until,
        last_number,
        login,
        passkeys,
        passkey_until,
    })
}

pub(super) fn join_code(row: &SqliteRow) -> Result<JoinCode, StoreError> {
    let mut columns = Columns::new(row);
    let (hash, person, expires) = (columns.array()?, columns.person()?, columns.wall()?);
    // Zero is nobody's identifier, and here means no person.
    let issuer = PersonId::new(columns.count()?);
    Ok(JoinCode { hash, person, expires, issuer, issued: columns.change()? })
}

pub(super) fn mark(row: &SqliteRow) -> Result<Mark, StoreError> {
    let mut columns = Columns::new(row);
    Ok(Mark { change: columns.change()?, served_ms: columns.count()?, at: columns.wall()? })
}

pub(super) const CONVERSATION: &str =
    "id, kind, title, owner, changed, last, last_change, first, purged, unit, archived, noticed";

/// Without its members.
pub(super) fn conversation(row: &SqliteRow) -> Result<Conversation, StoreError> {
    let mut columns = Columns::new(row);
    Ok(Conversation {
        id: columns.conversation()?,
        kind: columns.kind()?,
        title: columns.title()?,
        // Zero is nobody.
        owner: PersonId::new(columns.count()?),
        changed: columns.change()?,
        last: columns.sequence()?,
        last_change: columns.change()?,
        first: columns.sequence()?,
        purged: columns.flag()?,
        // Zero is no unit's identifier, and here means none.
        unit: UnitId::new(columns.count()?),
        archived: columns.flag()?,
        noticed: columns.count()?,
        members: BTreeMap::new(),
    })
}

pub(super) const MEMBER: &str = "conversation, person, starts, delivered, read, gone, changed";

pub(super) fn member(row: &SqliteRow) -> Result<(ConversationId, PersonId, Member), StoreError> {
    let mut columns = Columns::new(row);
    let (conversation, person) = (columns.conversation()?, columns.person()?);
    let member = Member {
        from: columns.sequence()?,
        delivered: columns.sequence()?,
        read: columns.sequence()?,
        left: columns.flag()?,
        changed: columns.change()?,
    };
    Ok((conversation, person, member))
}

pub(super) fn message(row: &SqliteRow) -> Result<StoredMessage, StoreError> {
    let mut columns = Columns::new(row);
    Ok(StoredMessage {
        change: columns.change()?,
        conversation: columns.conversation()?,
        sequence: columns.sequence()?,
        id: columns.message_id()?,
        sender: columns.person()?,
        device: columns.device()?,
        at: columns.wall()?,
        body: Sealed(columns.bytes()?.to_vec()),
        priority: priority(columns.count()?)?,
        reply_to: columns.sequence()?,
        mentions: mentions(columns.bytes()?)?,
        edits: edits(columns.count()?)?,
        recalled: columns.flag()?,
        altered_at: columns.wall()?,
        reactions: reactions(columns.bytes()?)?,
        files: files(columns.count()?)?,
    })
}

/// The columns of [`message`].
macro_rules! message_columns {
    () => {
        "message.change, message.conversation, message.sequence, message.id, message.sender, message.device, message.at, \
         message.body, message.priority, message.reply_to, message.mentions, message.edits, message.recalled, \
         message.altered_at, message.reactions, message.files"
    };
}
pub(super) use message_columns;

pub(super) fn mentions(bytes: &[u8]) -> Result<Vec<Mention>, StoreError> {
    mention::from_bytes(bytes).ok_or_else(|| StoreError::value("whom a message names"))
}

pub(super) fn reactions(bytes: &[u8]) -> Result<Reactions, StoreError> {
    Reactions::from_bytes(bytes).ok_or_else(|| StoreError::value("what was put to a message"))
}

pub(super) fn files(number: u64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::value("a number of files"))
}

pub(super) fn edits(number: u64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::value("a number of edits"))
}

/// A priority as stored: [`Priority`]'s own numbers.
pub(super) fn priority_number(priority: Priority) -> i64 {
    match priority {
        Priority::Routine => 0,
        Priority::Urgent => 1,
        Priority::Stat => 2,
    }
}

pub(super) fn priority(number: u64) -> Result<Priority, StoreError> {
    match number {
        0 => Ok(Priority::Routine),
        1 => Ok(Priority::Urgent),
        2 => Ok(Priority::Stat),
        _ => Err(StoreError::value("a priority")),
    }
}

pub(super) const ESCALATION: &str = "escalation.conversation, escalation.sequence, escalation.sender, escalation.unit, \
     policy, opened, stage, escalation.step, since, by_person, passed, noted_by, note, escalation.changed, \
     (SELECT group_concat(concat_ws(' ', person, rung.step, declined, has_held), ' ') FROM escalation_rung AS rung \
      WHERE rung.conversation = escalation.conversation AND rung.sequence = escalation.sequence)";

pub(super) fn escalation(row: &SqliteRow) -> Result<Escalation, StoreError> {
    let damaged = || StoreError::value("an escalation");
    let mut columns = Columns::new(row);
    let id = StatId { conversation: columns.conversation()?, sequence: columns.sequence()? };
    let (sender, unit) = (columns.person()?, UnitId::new(columns.count()?));
    let (policy, opened) = (policy_of(columns.bytes()?)?, columns.wall()?);
    let (stage, step) = (columns.int()?, u8::try_from(columns.int()?).map_err(|_| damaged())?);
    let (since, by, passed_ms) = (columns.wall()?, PersonId::new(columns.count()?), columns.count()?);
    let noted_by = PersonId::new(columns.count()?);
    let note = match columns.bytes()? {
        [] => None,
        bytes => Some(CallNote::from_bytes(bytes).map_err(|_| damaged())?),
    };
    let stage = match stage {
        0 => Stage::Ringing { step, since },
        1 => Stage::Held { step, since, by: by.ok_or_else(damaged)?, passed_ms },
        2 => Stage::Accepted { step, at: since, by, noted_by },
        3 => Stage::Closed { at: since },
        _ => return Err(damaged()),
    };
    let changed = columns.change()?;
    let rung = rung(columns.text_if_any()?.unwrap_or_default())?;
    Ok(Escalation { id, sender, unit, policy, opened, stage, rung, changed, note })
}

/// "person step declined has_held person …".
fn rung(list: &str) -> Result<BTreeMap<PersonId, Rung>, StoreError> {
    let damaged = || StoreError::value("for whom an escalation rang");
    let numbers: Result<Vec<u64>, _> = list.split_terminator(' ').map(str::parse).collect();
    let numbers = numbers.map_err(|_| damaged())?;
    let mut rung = BTreeMap::new();
    let (people, []) = numbers.as_chunks::<4>() else { return Err(damaged()) };
    for [person, step, declined, has_held] in people {
        let person = PersonId::new(*person).ok_or_else(damaged)?;
        let step = u8::try_from(*step).map_err(|_| damaged())?;
        let number = u32::try_from(*declined).map_err(|_| damaged())?;
        let declined =
            if number == 0 { None } else { Some(Reason::from_number(number).ok_or_else(damaged)?) };
        rung.insert(person, Rung { step, declined, has_held: *has_held == 1 });
    }
    Ok(rung)
}

pub(super) fn policy(row: &SqliteRow) -> Result<(Option<UnitId>, EscalationPolicy), StoreError> {
    let mut columns = Columns::new(row);
    Ok((UnitId::new(columns.count()?), policy_of(columns.bytes()?)?))
}

fn policy_of(bytes: &[u8]) -> Result<EscalationPolicy, StoreError> {
    EscalationPolicy::from_bytes(bytes).map_err(|_| StoreError::value("how a unit escalates"))
}
