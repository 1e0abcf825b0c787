//! What the user has dealt with, and the receipts that follow from it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use wardline_core::ids::{ConversationId, DeviceId, MessageId, Sequence};
use wardline_core::wire::proto;

/// Receipts of one conversation go at most this often.
const RECEIPT_INTERVAL: Duration = Duration::from_millis(200);

/// What follows once an event is dealt with.
#[derive(Default)]
pub(crate) struct Stamp {
    /// The box need not send it, or anything before it, again.
    pub(crate) cursor: Option<Vec<u8>>,
    /// A message, and whether it is this device's own.
    pub(crate) message: Option<(ConversationId, Sequence, bool)>,
    /// A message that failed: its person knows.
    pub(crate) failed: Option<MessageId>,
    /// A new device of this person: they know of it.
    pub(crate) device: Option<DeviceId>,
}

impl Stamp {
    pub(crate) fn is_empty(&self) -> bool {
        self.cursor.is_none() && self.message.is_none() && self.failed.is_none() && self.device.is_none()
    }
}

/// From the user's side to the task's.
pub(crate) struct Taken {
    pub(crate) stamps: Mutex<Vec<Stamp>>,
    pub(crate) more: Notify,
}

impl Taken {
    pub(crate) fn drain(&self) -> Vec<Stamp> {
        self.stamps.lock().map(|mut stamps| std::mem::take(&mut *stamps)).unwrap_or_default()
    }
}

/// Watermarks on their way to the box. They only rise.
#[derive(Default)]
pub(crate) struct Receipts {
    due: BTreeMap<ConversationId, (Sequence, Sequence)>,
    /// Sent on this connection: nobody says that they arrived.
    sent: BTreeMap<ConversationId, (Sequence, Sequence)>,
    at: Option<Instant>,
}

impl Receipts {
    pub(crate) fn raise(
        &mut self,
        conversation: ConversationId,
        delivered: Sequence,
        read: Sequence,
        now: Instant,
    ) {
        let known = self.sent.get(&conversation).copied().unwrap_or_default();
        if delivered <= known.0 && read <= known.1 {
            return;
        }
        let due = self.due.entry(conversation).or_default();
        *due = (due.0.max(delivered).max(known.0), due.1.max(read).max(known.1));
        self.at.get_or_insert(now + RECEIPT_INTERVAL);
    }

    /// When the next ones are to go.
    pub(crate) fn at(&self) -> Option<Instant> {
        self.at
    }

    /// What is to go now.
    pub(crate) fn flush(&mut self) -> Vec<proto::Receipt> {
        self.at = None;
        let due = std::mem::take(&mut self.due);
        let receipts = due.iter().map(|(conversation, (delivered, read))| proto::Receipt {
            conversation: conversation.value(),
            delivered: delivered.0,
            read: read.0,
        });
        let receipts = receipts.collect();
        self.sent.extend(due);
        receipts
    }

    /// A new connection: what the last one may have swallowed goes again.
    pub(crate) fn reconnected(&mut self, now: Instant) {
        for (conversation, (delivered, read)) in std::mem::take(&mut self.sent) {
            self.raise(conversation, delivered, read, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_are_coalesced_and_repeated_on_a_new_connection() {
        let now = Instant::now();
        let ward = ConversationId::new(7).unwrap();
        let mut receipts = Receipts::default();
        for sequence in 1..=9 {
            receipts.raise(ward, Sequence(sequence), Sequence(sequence / 3), now);
        }
        assert_eq!(receipts.at(), Some(now + RECEIPT_INTERVAL));
        let sent = receipts.flush();
        assert_eq!(sent.iter().map(|r| (r.delivered, r.read)).collect::<Vec<_>>(), [(9, 3)]);
        receipts.raise(ward, Sequence(8), Sequence(0), now);
        assert!(receipts.at().is_none() && receipts.flush().is_empty());
        receipts.raise(ward, Sequence(0), Sequence(4), now);
        assert_eq!(receipts.flush()[0].delivered, 9);
        receipts.reconnected(now);
        assert_eq!(receipts.flush()[0].read, 4);
    }
}
