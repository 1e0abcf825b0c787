//! Many messages in one row: how a catch-up reads them.
//!
//! sqlx hands each row from its thread to ours, with a wake-up on either side; samples of a catch-up of thousands showed more
//! time in that than in SQLite. So SQLite puts a chunk's messages into one row: their numbers into one text, and on end
//! into another value, which is text to SQLite and bytes to us, what is bytes.

use std::collections::BTreeMap;

use wardline_core::ids::{Change, ConversationId, DeviceId, MessageId, PersonId, Sequence};
use wardline_core::text::Sealed;
use wardline_core::time::Wall;

use super::{Missed, StoreError, StoredMessage, row};

/// Two columns: of each message fifteen numbers and blanks between all of them; and its identifier, body, whom it
/// names and what was put to it. SQLite visits
/// each message once for both, so both are in the same order, whichever that is.
pub(super) const MESSAGE: &str = "group_concat(concat_ws(' ', message.change, message.conversation, message.sequence, \
     message.sender, message.device, message.at, length(message.body), message.priority, \
     message.reply_to, message.edits, message.recalled, message.altered_at, length(message.mentions), \
     length(message.reactions), message.files), ' '), \
     group_concat(message.id || message.body || message.mentions || message.reactions, '')";

/// Bytes of an identifier.
const ID: usize = 16;

/// The messages in such a row, by change. No message, no text.
pub(super) fn messages(numbers: Option<&str>, mut bytes: &[u8]) -> Result<Vec<StoredMessage>, StoreError> {
    let (mut numbers, mut messages) = (Numbers::of(numbers), Vec::new());
    while numbers.are_more() {
        let change = Change(numbers.count()?);
        let conversation = ConversationId::new(numbers.count()?).ok_or_else(wrong)?;
        let sequence = Sequence(numbers.count()?);
        let sender = PersonId::new(numbers.count()?).ok_or_else(wrong)?;
        let device = DeviceId::new(numbers.count()?).ok_or_else(wrong)?;
        let at = Wall(numbers.signed()?);
        let size = usize::try_from(numbers.count()?).map_err(|_| wrong())?;
        let priority = row::priority(numbers.count()?)?;
        let reply_to = Sequence(numbers.count()?);
        let edits = u32::try_from(numbers.count()?).map_err(|_| wrong())?;
        let recalled = numbers.count()? != 0;
        let altered_at = Wall(numbers.signed()?);
        let mut length = || usize::try_from(numbers.count()?).map_err(|_| wrong());
        let (mentions, reactions) = (length()?, length()?);
        let files = row::files(numbers.count()?)?;
        let (id, rest) = bytes.split_first_chunk::<ID>().ok_or_else(wrong)?;
        let (body, rest) = rest.split_at_checked(size).ok_or_else(wrong)?;
        let (mentions, rest) = rest.split_at_checked(mentions).ok_or_else(wrong)?;
        let (reactions, rest) = rest.split_at_checked(reactions).ok_or_else(wrong)?;
        bytes = rest;
        let (mentions, reactions) = (row::mentions(mentions)?, row::reactions(reactions)?);
        let (id, body) = (MessageId(*id), Sealed(body.to_vec()));
        messages.push(StoredMessage {
            change,
            conversation,
            sequence,
            id,
            sender,
            device,
            at,
            body,
            priority,
            reply_to,
            mentions,
            edits,
            recalled,
            altered_at,
            reactions,
            files,
        });
    }
    if !bytes.is_empty() {
        return Err(wrong());
    }
    messages.sort_unstable_by_key(|message| message.change);
    Ok(messages)
}

/// Changes, conversations and sizes in a text of numbers with blanks between, in turn.
pub(super) fn missed(text: Option<&str>) -> Result<Vec<Missed>, StoreError> {
    let (mut numbers, mut missed) = (Numbers::of(text), Vec::new());
    while numbers.are_more() {
        let change = Change(numbers.count()?);
        let conversation = ConversationId::new(numbers.count()?).ok_or_else(wrong)?;
        missed.push(Missed { change, conversation, size: numbers.count()? });
    }
    Ok(missed)
}

/// Conversations with the first place that may be read, in such a text.
pub(super) fn places(text: Option<&str>) -> Result<BTreeMap<ConversationId, Sequence>, StoreError> {
    let (mut numbers, mut places) = (Numbers::of(text), BTreeMap::new());
    while numbers.are_more() {
        let conversation = ConversationId::new(numbers.count()?).ok_or_else(wrong)?;
        places.insert(conversation, Sequence(numbers.count()?));
    }
    Ok(places)
}

/// So many numbers at a time, in such a text.
pub(super) fn numbers<const N: usize>(text: Option<&str>) -> Result<Vec<[u64; N]>, StoreError> {
    let (mut numbers, mut found) = (Numbers::of(text), Vec::new());
    while numbers.are_more() {
        let mut row = [0; N];
        for value in &mut row {
            *value = numbers.count()?;
        }
        found.push(row);
    }
    Ok(found)
}

/// Decimal numbers with one blank between any two. Read by the digit: a catch-up of thousands has tens of thousands.
/// `None` when there is no more.
struct Numbers<'a>(Option<&'a [u8]>);

impl<'a> Numbers<'a> {
    fn of(text: Option<&'a str>) -> Self {
        Self(text.map(str::as_bytes))
    }

    fn are_more(&self) -> bool {
        self.0.is_some()
    }

    fn count(&mut self) -> Result<u64, StoreError> {
        let mut rest = self.0.take().ok_or_else(wrong)?;
        let mut value = None;
        while let Some((byte, behind)) = rest.split_first() {
            rest = behind;
            let digit = match byte {
                b'0'..=b'9' => u64::from(byte - b'0'),
                b' ' => {
                    self.0 = Some(rest);
                    break;
                }
                _ => return Err(wrong()),
            };
            let so_far = value.unwrap_or(0_u64).checked_mul(10).and_then(|tens| tens.checked_add(digit));
            value = Some(so_far.ok_or_else(wrong)?);
        }
        value.ok_or_else(wrong)
    }

    fn signed(&mut self) -> Result<i64, StoreError> {
        let is_negative = self.0.and_then(|rest| rest.strip_prefix(b"-"));
        self.0 = is_negative.or(self.0);
        let value = self.count()?;
        let value =
            if is_negative.is_some() { 0_i64.checked_sub_unsigned(value) } else { value.try_into().ok() };
        value.ok_or_else(wrong)
    }
}

fn wrong() -> StoreError {
    StoreError::value("a packed message")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: &str = "70 8 9 10 11 -12 2 0 5 0 0 0 0 0 2 7 8 9 10 11 -12 3 2 0 3 0 -4 0 0 0";
    const BYTES: &[u8] = b"0123456789abcdef\xff\x000123456789ABCDEF\x00;\x80";

    #[test]
    fn what_is_packed_is_read_in_order() {
        let read = messages(Some(NUMBERS), BYTES).unwrap();
        assert_eq!(read.iter().map(|message| message.change.0).collect::<Vec<_>>(), [7, 70]);
        assert_eq!((read[0].at, &read[0].body.0[..], read[0].id.0[15]), (Wall(-12), &b"\0;\x80"[..], b'F'));
        assert_eq!((&read[1].body.0[..], read[1].id.0[15]), (&b"\xff\0"[..], b'f'));
        assert_eq!((read[0].edits, read[0].recalled, read[0].altered_at), (3, false, Wall(-4)));
        assert_eq!((read[1].reply_to, read[1].edits, read[1].files), (Sequence(5), 0, 2));
        let place = |id| ConversationId::new(id).unwrap();
        let of = |change, id, size| Missed { change: Change(change), conversation: place(id), size };
        assert_eq!(missed(Some("4 9 300 3 8 29")).unwrap(), [of(4, 9, 300), of(3, 8, 29)]);
        let firsts = BTreeMap::from([(place(5), Sequence(1)), (place(6), Sequence(70))]);
        assert_eq!((places(Some("6 70 5 1")).unwrap(), places(None).unwrap()), (firsts, BTreeMap::new()));
        assert!(messages(None, &[]).unwrap().is_empty() && missed(None).unwrap().is_empty());
    }

    #[test]
    fn numbers_are_read_to_either_end_of_their_range() {
        let text = format!("{} {} {} -0", u64::MAX, i64::MIN, i64::MAX);
        let mut numbers = Numbers::of(Some(&text));
        assert_eq!(numbers.count().unwrap(), u64::MAX);
        assert_eq!((numbers.signed().unwrap(), numbers.signed().unwrap()), (i64::MIN, i64::MAX));
        assert!(numbers.are_more() && numbers.signed().unwrap() == 0 && !numbers.are_more());
        for text in ["-9223372036854775809", "9223372036854775808", "--1", "-", ""] {
            assert!(Numbers::of(Some(text)).signed().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_cut_or_changed_is_damage() {
        for end in 1..BYTES.len() {
            assert!(messages(Some(NUMBERS), &BYTES[..end]).is_err(), "{end}");
        }
        assert!(messages(Some(NUMBERS), &[BYTES, b"."].concat()).is_err());
        for (what, by) in [
            ("70 8", "70 0"),
            ("70", "-7"),
            (" 2 0 5", " 3 0 5"),
            (" 3 2 0", " 3 0"),
            (" 3 2 0", " 3 3 0"),
            (" -4", ""),
            ("10", "x"),
            ("9 ", "9  "),
        ] {
            assert!(messages(Some(&NUMBERS.replacen(what, by, 1)), BYTES).is_err(), "{what}");
        }
        for text in
            ["", "1  2", "1 2", "1 2 3 4", "1 0 3", "1 2 3 ", " 1 2 3", "1 2 +3", "1 2 18446744073709551616"]
        {
            assert!(missed(Some(text)).is_err(), "{text}");
        }
        assert!(places(Some("1")).is_err() && places(Some("0 1")).is_err());
    }
}
