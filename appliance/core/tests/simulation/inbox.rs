//! What one device shows. A message is shown once, in its place; a gap is only ever one that a snapshot made, and is
//! filled from the history.

use std::collections::BTreeMap;

use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::coverage::{Coverage, Situation};

#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) places: BTreeMap<u64, Place>,
    /// Named by the snapshot that is coming in.
    named: Option<Vec<u64>>,
}

/// One conversation as the device has it.
#[derive(Default)]
pub(crate) struct Place {
    /// The first sequence that this person may read.
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) purged: bool,
    pub(crate) title: String,
    pub(crate) archived: bool,
    /// Every message from `first` to here is there, apart from `holes`.
    pub(crate) contiguous: u64,
    pub(crate) shown: BTreeMap<u64, (Vec<u8>, String)>,
    /// Who is in it, and their watermarks: delivered, read.
    pub(crate) members: BTreeMap<u64, (u64, u64)>,
    /// What a snapshot left out: from, to.
    pub(crate) holes: Vec<(u64, u64)>,
    /// Of a patient's thread: whom it is about, and where they are.
    pub(crate) about: Option<(proto::Patient, proto::Encounter)>,
}

/// How a message came.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Way {
    Delivered,
    Own,
    History,
}

impl Place {
    /// What stands before the first that may be read is gone, and everything of what was purged.
    fn forget_old(&mut self) {
        let first = self.first;
        self.shown.retain(|sequence, _| *sequence >= first);
        self.contiguous = self.contiguous.max(first.saturating_sub(1));
        if self.purged {
            self.shown.clear();
            self.holes.clear();
        }
        self.holes.retain(|(_, to)| *to >= first);
        self.advance();
    }

    fn advance(&mut self) {
        while self.shown.contains_key(&(self.contiguous + 1)) {
            self.contiguous += 1;
        }
    }

    fn show(
        &mut self,
        sequence: u64,
        message: &proto::Message,
        coverage: &mut Coverage,
    ) -> Result<(), String> {
        if let Some((id, text)) = self.shown.get(&sequence) {
            if *id != message.message || *text != message.text {
                return Err(format!("two messages in place {sequence}"));
            }
            coverage.reach(Situation::DuplicateDeliveryHidden);
            return Ok(());
        }
        if self.shown.values().any(|(id, _)| *id == message.message) {
            return Err(format!("one message shown twice, again at {sequence}"));
        }
        self.shown.insert(sequence, (message.message.clone(), message.text.clone()));
        Ok(())
    }
}

impl Inbox {
    pub(crate) fn sync_started(&mut self, snapshot: bool) {
        self.named = snapshot.then(Vec::new);
    }

    pub(crate) fn synced(&mut self) {
        if let Some(named) = self.named.take() {
            self.places.retain(|id, _| named.contains(id));
        }
    }

    pub(crate) fn conversation(&mut self, told: &proto::Conversation) {
        if let Some(named) = &mut self.named {
            named.push(told.conversation);
        }
        let is_new = !self.places.contains_key(&told.conversation);
        let place = self.places.entry(told.conversation).or_default();
        // Taken out and let in again: what was before is no longer this person's, or has expired.
        place.first = told.first_sequence;
        place.last = place.last.max(told.last_sequence);
        place.purged = told.purged;
        (place.title, place.archived) = (told.title.clone(), told.archived);
        // What was said in a channel or a patient's thread before somebody entered it is not delivered: it is there to be
        // looked at. Who comes back may have kept some of it.
        let channel =
            matches!(told.kind(), proto::ConversationKind::Channel | proto::ConversationKind::Patient);
        place.about = told.patient.clone().zip(told.encounter.clone());
        let begins = if is_new { told.first_sequence } else { told.first_sequence.max(place.contiguous + 1) };
        if channel && told.last_sequence >= begins {
            place.holes.push((begins, told.last_sequence));
            place.contiguous = told.last_sequence;
        }
        place.members = told.members.iter().map(|m| (m.person, (m.delivered, m.read))).collect();
        place.forget_old();
    }

    /// `None`: it is not known here.
    pub(crate) fn changed(&mut self, news: &proto::ConversationChanged) -> Option<()> {
        let place = self.places.get_mut(&news.conversation)?;
        place.members.retain(|person, _| !news.left.contains(person));
        place.members.extend(news.joined.iter().map(|m| (m.person, (m.delivered, m.read))));
        place.first = place.first.max(news.first_sequence);
        if let Some(title) = &news.title {
            place.title.clone_from(title);
        }
        place.archived = news.archived.unwrap_or(place.archived);
        place.purged |= news.purged;
        if let Some(about) = news.patient.clone().zip(news.encounter.clone()) {
            place.about = Some(about);
        }
        place.forget_old();
        Some(())
    }

    pub(crate) fn watermark(&mut self, told: &proto::Watermark) {
        let place = self.places.get_mut(&told.conversation);
        if let Some(marks) = place.and_then(|place| place.members.get_mut(&told.person)) {
            *marks = (told.delivered.max(marks.0), told.read.max(marks.1));
        }
    }

    pub(crate) fn message(
        &mut self,
        message: &proto::Message,
        way: Way,
        coverage: &mut Coverage,
    ) -> Result<(), String> {
        let snapshot = self.named.is_some();
        let Some(place) = self.places.get_mut(&message.conversation) else {
            // One's own, acknowledged before the conversation itself arrived; or a page of one that its person was out of
            // and has entered again on another device.
            let own = way != Way::Delivered;
            return if own {
                Ok(())
            } else {
                Err(format!(
                    "message {} of an unknown conversation {:016x}",
                    message.sequence, message.conversation
                ))
            };
        };
        let sequence = message.sequence;
        if sequence < place.first || place.purged {
            let own = way == Way::Own || (way == Way::History && !place.purged);
            return if own {
                Ok(())
            } else {
                Err(format!("message {sequence} before the first readable one"))
            };
        }
        place.last = place.last.max(sequence);
        if way == Way::Delivered && sequence > place.contiguous + 1 {
            if !snapshot {
                return Err(format!("a gap: {sequence} came after {}", place.contiguous));
            }
            place.holes.push((place.contiguous + 1, sequence - 1));
            place.contiguous = sequence - 1;
        }
        place.show(sequence, message, coverage)?;
        place.advance();
        Ok(())
    }

    /// Where a hole is, and the page that fills it from above: conversation, before.
    pub(crate) fn hole(&self) -> Option<(u64, u64)> {
        self.places.iter().find_map(|(id, place)| place.holes.first().map(|(_, to)| (*id, to + 1)))
    }

    pub(crate) fn page(
        &mut self,
        page: &proto::HistoryPage,
        before: u64,
        coverage: &mut Coverage,
    ) -> Result<(), String> {
        let mut lowest = before;
        for message in &page.messages {
            if message.conversation != page.conversation || (before != 0 && message.sequence >= before) {
                return Err("a page of something else".to_owned());
            }
            self.message(message, Way::History, coverage)?;
            lowest = lowest.min(message.sequence);
        }
        let Some(place) = self.places.get_mut(&page.conversation) else { return Ok(()) };
        let end = page.end;
        place.holes.retain_mut(|(from, to)| {
            if *to + 1 == before {
                if !page.messages.is_empty() {
                    coverage.reach(Situation::HistoryFilledGap);
                }
                *to = lowest.saturating_sub(1);
                return !end && *to >= *from;
            }
            true
        });
        Ok(())
    }

    pub(crate) fn page_refused(&mut self, conversation: u64, code: Code) {
        if matches!(code, Code::Purged | Code::NoSuchConversation)
            && let Some(place) = self.places.get_mut(&conversation)
        {
            place.holes.clear();
        }
    }
}
