//! What one device shows. A message is shown once, in its place; a gap is only ever one that a snapshot made, and is
//! filled from the history.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use wardline_core::wire::proto::{self, ConversationKind as Kind, RefusalCode as Code};

use crate::coverage::{Coverage, Situation};
use crate::reactions::flat;

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
    pub(crate) shown: BTreeMap<u64, Shown>,
    /// Who is in it, and their watermarks: delivered, read.
    pub(crate) members: BTreeMap<u64, (u64, u64)>,
    /// What a snapshot left out: from, to.
    pub(crate) holes: Vec<(u64, u64)>,
    /// Of a patient's thread: whom it is about, and where they are.
    pub(crate) about: Option<(proto::Patient, proto::Encounter)>,
    /// What was told in it, by number.
    pub(crate) notices: BTreeMap<u64, proto::ThreadNotice>,
    /// The newest that was delivered.
    told: u64,
    /// What was told before is looked at, from the newest page on: the page's `before`.
    pub(crate) look: Option<u64>,
}

/// A message as the device shows it.
#[derive(Clone, PartialEq)]
pub(crate) struct Shown {
    pub(crate) id: Vec<u8>,
    pub(crate) text: String,
    /// 0: one's own, acknowledged.
    pub(crate) author: u64,
    pub(crate) reply_to: u64,
    /// How often it was edited; one that is recalled is beyond every edit.
    pub(crate) version: u32,
    /// Person and role; of one's own, until it comes back, nobody knows.
    pub(crate) mentions: Option<Vec<(u64, u64)>>,
    /// Person and kind, in order; since the last snapshot began, if anything said so.
    pub(crate) reactions: Option<Vec<(u64, i32)>>,
    /// What its files are called.
    pub(crate) files: Vec<String>,
}

impl Shown {
    pub(crate) fn of(message: &proto::Message) -> Self {
        Self {
            id: message.message.clone(),
            text: message.text.clone(),
            author: message.sender,
            reply_to: message.reply_to,
            version: if message.recalled_at != 0 { u32::MAX } else { message.edits },
            mentions: Some(message.mentions.iter().map(|of| (of.person, of.role)).collect()),
            reactions: Some(flat(&message.reactions)),
            files: message.attachments.iter().map(|file| file.name.clone()).collect(),
        }
    }
}

/// How a message came.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Way {
    Delivered,
    Own,
    History,
    /// As it stands after an edit or a recall.
    Changed,
}

impl Place {
    /// What stands before the first that may be read is gone, and everything of what was purged.
    fn forget_old(&mut self) {
        let first = self.first;
        self.shown.retain(|sequence, _| *sequence >= first);
        self.contiguous = self.contiguous.max(first.saturating_sub(1));
        self.notices.retain(|_, notice| notice.after + 1 >= first);
        if self.purged {
            self.shown.clear();
            self.holes.clear();
            self.notices.clear();
            self.look = None;
        }
        self.holes.retain(|(_, to)| *to >= first);
        self.advance();
    }

    fn keep(&mut self, notice: &proto::ThreadNotice) -> Result<(), String> {
        match self.notices.insert(notice.number, notice.clone()) {
            Some(before) if before != *notice => Err(format!("notice {} says two things", notice.number)),
            _ => Ok(()),
        }
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
        let mut new = Shown::of(message);
        if new.author == 0 {
            (new.mentions, new.reactions) = (None, None);
        }
        if new.mentions.as_ref().is_some_and(|of| !of.is_empty()) {
            coverage.reach(Situation::MentionShown);
        }
        if new.reactions.as_ref().is_some_and(|of| !of.is_empty()) {
            coverage.reach(Situation::ReactionShownWithMessage);
        }
        if let Some(shown) = self.shown.get_mut(&sequence) {
            if shown.id != new.id {
                return Err(format!("two messages in place {sequence}"));
            }
            if new.version == shown.version && (&new.text, new.reply_to) != (&shown.text, shown.reply_to) {
                return Err(format!("two texts in place {sequence}"));
            }
            match new.version.cmp(&shown.version) {
                Ordering::Greater => *shown = new,
                Ordering::Equal => {
                    let whom = (&shown.mentions, &new.mentions);
                    if matches!(whom, (Some(one), Some(other)) if one != other) {
                        return Err(format!("two lists of whom it names in place {sequence}"));
                    }
                    shown.author = shown.author.max(new.author);
                    shown.mentions = new.mentions.or(shown.mentions.take());
                    shown.reactions = new.reactions.or(shown.reactions.take());
                    coverage.reach(Situation::DuplicateDeliveryHidden);
                }
                // The answer to what one sent oneself says nothing of what became of it.
                Ordering::Less if new.author == 0 => {}
                Ordering::Less => {
                    return Err(format!("an earlier text after a later one in place {sequence}"));
                }
            }
            return Ok(());
        }
        if self.shown.values().any(|shown| shown.id == message.message) {
            return Err(format!("one message shown twice, again at {sequence}"));
        }
        self.shown.insert(sequence, new);
        Ok(())
    }
}

impl Inbox {
    pub(crate) fn sync_started(&mut self, snapshot: bool) {
        self.named = snapshot.then(Vec::new);
        // A snapshot says what was put to the messages in it; of all others nobody knows any more.
        if snapshot {
            let shown = self.places.values_mut().flat_map(|place| place.shown.values_mut());
            shown.for_each(|shown| shown.reactions = None);
        }
        // From the cursor on, in order again.
        self.places.values_mut().for_each(|place| place.told = 0);
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
        // What was said in a channel, a patient's thread or a family's before somebody entered it is not delivered: it is there to be
        // looked at. Who comes back may have kept some of it.
        let channel = told.kind() == Kind::Broadcast
            || matches!(told.kind(), Kind::Channel | Kind::Patient | Kind::Family | Kind::Role);
        place.about = told.patient.clone().zip(told.encounter.clone());
        if place.about.is_some() {
            place.look = Some(0);
        }
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
        if way == Way::Changed {
            let in_hole = place.holes.iter().any(|(from, to)| (*from..=*to).contains(&sequence));
            if !snapshot && !in_hole && !place.shown.contains_key(&sequence) {
                return Err(format!("a change of {sequence}, which was never sent"));
            }
            if !place.shown.contains_key(&sequence) {
                return Ok(());
            }
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

    /// What was put to a message that this device has, or may look at.
    pub(crate) fn reactions(
        &mut self,
        told: &proto::MessageReactions,
        coverage: &mut Coverage,
    ) -> Result<(), String> {
        let snapshot = self.named.is_some();
        let place = self.places.get_mut(&told.conversation).ok_or("a reaction in an unknown conversation")?;
        if place.purged || told.sequence < place.first {
            return Err(format!("a reaction to {}, which is not to be read", told.sequence));
        }
        let in_hole = place.holes.iter().any(|(from, to)| (*from..=*to).contains(&told.sequence));
        match place.shown.get_mut(&told.sequence) {
            Some(shown) => {
                shown.reactions = Some(flat(&told.reactions));
                coverage.reach(Situation::ReactionTold);
            }
            None if snapshot || in_hole => {}
            None => return Err(format!("a reaction to {}, which was never sent", told.sequence)),
        }
        Ok(())
    }

    /// Where a hole is, and the page that fills it from above: conversation, before.
    pub(crate) fn hole(&self) -> Option<(u64, u64)> {
        let hole = |place: &Place| place.holes.first().map(|(_, to)| to + 1).or(place.look);
        self.places.iter().find_map(|(id, place)| hole(place).map(|before| (*id, before)))
    }

    /// Told as it happens, or in a catch-up: in order, and not ahead of the message that it stands behind.
    pub(crate) fn notice(
        &mut self,
        notice: &proto::ThreadNotice,
        coverage: &mut Coverage,
    ) -> Result<(), String> {
        let snapshot = self.named.is_some();
        let place = self.places.get_mut(&notice.conversation).ok_or("a notice in an unknown thread")?;
        if place.purged || notice.after + 1 < place.first {
            return Err(format!("a notice from before its time: {}", notice.number));
        }
        if !snapshot && place.contiguous < notice.after {
            return Err(format!("a notice ahead of its message: {} at {}", notice.after, place.contiguous));
        }
        // A page may have been quicker.
        if !snapshot && notice.number < place.told && !place.notices.contains_key(&notice.number) {
            return Err(format!("notice {} comes behind {}", notice.number, place.told));
        }
        place.told = place.told.max(notice.number);
        coverage.reach(Situation::NoticeDelivered);
        place.keep(notice)
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
        let (mut number, end) = (u64::MAX, page.end);
        let oldest = page.messages.last().map_or(before, |message| message.sequence);
        for notice in &page.notices {
            let stands = (end || notice.after >= oldest) && (before == 0 || notice.after < before);
            if notice.conversation != page.conversation || notice.number >= number || !stands {
                return Err("notices of something else, or in another order".to_owned());
            }
            number = notice.number;
            if !place.purged && notice.after + 1 >= place.first {
                coverage.reach(Situation::NoticeRead);
                place.keep(notice)?;
            }
        }
        if place.look == Some(before) {
            place.look = (!end).then_some(oldest);
        }
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
            place.look = None;
        }
    }
}
