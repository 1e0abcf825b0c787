//! Many messages in one row: how a catch-up reads them.
//!
//! sqlx hands each row from its thread to ours, with a wake-up on either side; samples of a catch-up of thousands showed more
//! time in that than in SQLite. So SQLite puts a chunk's messages into one text: numbers in
//! decimal, bytes in hexadecimal, blanks between, a semicolon behind each.

use std::collections::BTreeMap;

use wardline_core::ids::{Change, ConversationId, DeviceId, MessageId, PersonId, Sequence};
use wardline_core::text::Sealed;
use wardline_core::time::Wall;

use super::{StoreError, StoredMessage};

/// The columns of a message as one text. The order of messages is not the statement's to promise.
pub(super) const MESSAGE: &str = "group_concat(printf('%d %d %d %s %d %d %d %s', message.change, message.conversation, \
     message.sequence, hex(message.id), message.sender, message.device, message.at, hex(message.body)), ';')";

/// The messages in such a text, in order of change. No row, no text.
pub(super) fn messages(text: Option<&str>) -> Result<Vec<StoredMessage>, StoreError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let mut messages = text.split(';').map(message).collect::<Result<Vec<_>, _>>()?;
    messages.sort_unstable_by_key(|message| message.change);
    Ok(messages)
}

/// The changes in a text of numbers with blanks between.
pub(super) fn changes(text: Option<&str>) -> Result<Vec<Change>, StoreError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    text.split(' ').map(|number| count(Some(number)).map(Change)).collect()
}

/// Changes and sizes in such a text, in turn.
pub(super) fn sizes(text: Option<&str>) -> Result<BTreeMap<Change, usize>, StoreError> {
    let numbers = changes(text)?;
    Ok(numbers
        .chunks(2)
        .filter_map(|two| Some((*two.first()?, usize::try_from(two.get(1)?.0).ok()?)))
        .collect())
}

fn message(text: &str) -> Result<StoredMessage, StoreError> {
    let mut parts = text.split(' ');
    let message = StoredMessage {
        change: Change(count(parts.next())?),
        conversation: ConversationId::new(count(parts.next())?).ok_or_else(wrong)?,
        sequence: Sequence(count(parts.next())?),
        id: MessageId(bytes(parts.next())?.try_into().map_err(|_| wrong())?),
        sender: PersonId::new(count(parts.next())?).ok_or_else(wrong)?,
        device: DeviceId::new(count(parts.next())?).ok_or_else(wrong)?,
        at: Wall(parts.next().and_then(|number| number.parse().ok()).ok_or_else(wrong)?),
        body: Sealed(bytes(parts.next())?),
    };
    if parts.next().is_some() { Err(wrong()) } else { Ok(message) }
}

fn count(text: Option<&str>) -> Result<u64, StoreError> {
    text.and_then(|text| text.parse().ok()).ok_or_else(wrong)
}

fn bytes(text: Option<&str>) -> Result<Vec<u8>, StoreError> {
    let (pairs, rest) = text.ok_or_else(wrong)?.as_bytes().as_chunks::<2>();
    let mut bytes = Vec::with_capacity(pairs.len());
    // What is no digit shows in the end: a look after each byte would take most of the time.
    let mut strange = 0;
    for [high, low] in pairs {
        let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
        strange |= high | low;
        bytes.push(high << 4 | low & 0xF);
    }
    if rest.is_empty() && strange < 0x10 { Ok(bytes) } else { Err(wrong()) }
}

/// What a character is worth; SQLite's `hex` writes upper case, and nothing else is a digit.
const DIGITS: [u8; 256] = {
    let mut digits = [0xFF; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

fn wrong() -> StoreError {
    StoreError::value("a packed message")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "7 8 9 000102030405060708090A0B0C0D0E0F 10 11 -12 FF00";

    #[test]
    fn what_is_packed_is_read_in_order() {
        let read = messages(Some(&format!("{};{ONE}", ONE.replacen('7', "70", 1)))).unwrap();
        assert_eq!(read.iter().map(|message| message.change.0).collect::<Vec<_>>(), [7, 70]);
        assert_eq!((read[0].at, &read[0].body.0[..], read[0].id.0[15]), (Wall(-12), &[0xff, 0][..], 15));
        assert_eq!(sizes(Some("4 300 5 29")).unwrap(), BTreeMap::from([(Change(4), 300), (Change(5), 29)]));
        assert!(messages(None).unwrap().is_empty() && changes(None).unwrap().is_empty());
        assert_eq!(changes(Some("3 1 2")).unwrap(), [Change(3), Change(1), Change(2)]);
    }

    #[test]
    fn what_is_cut_or_changed_is_damage() {
        for end in 0..ONE.len() {
            // Only the last bytes may be fewer without being seen here: they will not open.
            assert!(
                messages(Some(&ONE[..end])).is_err()
                    || end == ONE.len() - 2
                    || ONE.as_bytes()[end - 1] == b' ',
                "{end}"
            );
        }
        for (what, by) in [
            (" 8 ", " 0 "),
            (" 9 ", " -9 "),
            ("FF", "ff"),
            ("0F ", "0G "),
            ("FF00", "FF00 1"),
            ("FF00", "FF0"),
        ] {
            assert!(messages(Some(&ONE.replacen(what, by, 1))).is_err(), "{what}");
        }
        assert!(changes(Some("1  2")).is_err() && changes(Some("")).is_err());
    }
}
