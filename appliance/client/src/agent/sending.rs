//! Out: submissions, receipts, PINs; and what goes to disk before them.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;
use wardline_core::ids::{ConversationId, MessageId, Sequence};
use wardline_core::wire::proto::{self, RefusalCode, client_frame};

use super::{Agent, Link, REWRITE_AFTER, SAVE_INTERVAL, Sync, Up, storage};
use crate::attachments::Uploaded;
use crate::client::Standing;
use crate::error::{End, Refused};
use crate::event::{Accepted, Event};
use crate::inflight::Asked;
use crate::orders;
use crate::outbox::Waiting;
use crate::settle::Stamp;
use crate::stat::Priority;

/// Submissions under way at a time, each of another conversation.
const SUBMITS_MAX: usize = 64;
/// How long a STAT, or an order, waits for the box's answer before its author is told to call. Milliseconds.
const STAT_PATIENCE_MS: i64 = 60_000;
const STAT_NOT_SENT: &str =
    "The box could not be reached within a minute, so this STAT was not sent. Call now.";
const STAT_NOT_TAKEN: &str = "The box did not take this STAT within a minute, so it was not sent. Call now.";
const ORDER_NOT_SENT: &str =
    "The box could not be reached within a minute, so this was not sent. Say it in person or by telephone.";
const ORDER_NOT_SURE: &str = "The box has not confirmed this within a minute: look in the thread whether it is there before you say it again.";
const STAT_NOT_SURE: &str =
    "The box has not confirmed this STAT within a minute: it may ring nowhere. Call now.";

impl Agent {
    pub(super) fn send_frame(&mut self, request: u64, body: client_frame::Body) {
        let Link::Up(up) = &mut self.link else { return };
        let frame = proto::ClientFrame { request, body: Some(body) };
        // Full: the box reads nothing for long. The request stays unanswered, and that ends the connection.
        let _ = up.connection.outgoing.try_send(frame);
        up.pulse.asks(up.connection.traffic().1, Instant::now());
    }

    /// Makes durable what was staged, tells its senders, and sends what may go.
    ///
    /// Of one conversation one message is under way at a time, in the order they were written: a message that is
    /// declined for a moment is not overtaken by the next one, which may be its correction. Only a STAT overtakes.
    pub(super) fn push_out(&mut self) -> Result<(), End> {
        self.give_up_late_stats()?;
        let ready = if self.is_open() { self.pick() } else { vec![] };
        for id in &ready {
            if self.outbox.get(*id).is_some_and(|waiting| waiting.number.is_none()) {
                self.outbox.number(*id).map_err(storage)?;
            }
        }
        if let Err(error) = self.outbox.sync() {
            let end = storage(error);
            for (_, kept) in std::mem::take(&mut self.kept) {
                let _ = kept.send(Err(end.clone().into()));
            }
            return Err(end);
        }
        for (id, kept) in std::mem::take(&mut self.kept) {
            let _ = kept.send(Ok(id));
        }
        for id in ready {
            self.submit(id);
        }
        if self.outbox.waiting().all(|waiting| waiting.failed.is_some()) {
            for drained in self.draining.drain(..) {
                let _ = drained.send(());
            }
        }
        if self.outbox.wants_rewriting() {
            self.rewrite_at.get_or_insert_with(|| Instant::now() + REWRITE_AFTER);
        }
        Ok(())
    }

    /// Nobody waits longer than a minute to learn that they had better call; and what is given up must not ring hours later,
    /// when the box is there again. One that was on its way may have arrived: then it is accepted as well, later.
    fn give_up_late_stats(&mut self) -> Result<(), End> {
        let now = crate::clock::now_ms();
        let late = self.unanswered_stats().filter(|waiting| stat_patience_ms(waiting, now) == 0);
        let late = late.map(|waiting| (waiting.id, waiting.number.is_some(), waiting.beside.order.is_some()));
        for (id, was_sent, is_order) in late.collect::<Vec<(MessageId, bool, bool)>>() {
            let advice = match self.delayed.contains_key(&id) || self.is_up() {
                _ if is_order && was_sent => ORDER_NOT_SURE,
                _ if is_order => ORDER_NOT_SENT,
                _ if was_sent => STAT_NOT_SURE,
                true => STAT_NOT_TAKEN,
                false => STAT_NOT_SENT,
            };
            let code = if is_order { RefusalCode::OrderStands } else { RefusalCode::StatLimit };
            let advice = advice.to_owned();
            self.declined(id, Refused { code, advice, retry_after: None, tries_left: 0 })?;
        }
        Ok(())
    }

    fn unanswered_stats(&self) -> impl Iterator<Item = &Waiting> {
        // An order that comes hours late is as bad as a STAT that does: it may have been given otherwise.
        let is_brief =
            |waiting: &&Waiting| waiting.urgency.priority == Priority::Stat || waiting.beside.order.is_some();
        self.outbox.waiting().filter(is_brief).filter(|waiting| waiting.failed.is_none())
    }

    /// When the first STAT has waited long enough.
    pub(super) fn stat_late_at(&self) -> Option<Instant> {
        let now = crate::clock::now_ms();
        let left = self.unanswered_stats().map(|waiting| stat_patience_ms(waiting, now)).min()?;
        Some(Instant::now() + Duration::from_millis(left))
    }

    /// Which messages may go now, in the order of their numbers, those without one last, and of these STATs first.
    fn pick(&mut self) -> Vec<MessageId> {
        let mut busy: BTreeSet<ConversationId> = self.asked.submits().map(|(_, at)| at).collect();
        let room = if self.careful { 1 } else { SUBMITS_MAX };
        let room = room.saturating_sub(busy.len());
        if room == 0 {
            return vec![];
        }
        let now = Instant::now();
        let mut waiting: Vec<&Waiting> =
            self.outbox.waiting().filter(|waiting| waiting.failed.is_none()).collect();
        // Stable: what has no number yet stays in the order it was composed.
        waiting.sort_by_key(|waiting| {
            (waiting.number.is_none(), waiting.number, waiting.urgency.priority != Priority::Stat)
        });
        let is_due = |id: MessageId| self.delayed.get(&id).is_none_or(|(at, _)| *at <= now);
        let ready =
            waiting.into_iter().filter(|waiting| busy.insert(waiting.conversation) && is_due(waiting.id));
        ready.take(room).map(|waiting| waiting.id).collect()
    }

    fn submit(&mut self, id: MessageId) {
        let Some(waiting) = self.outbox.get(id) else { return };
        let Some(number) = waiting.number else { return };
        let mut submit = proto::Submit {
            number,
            message: id.0.to_vec(),
            conversation: waiting.conversation.value(),
            text: waiting.text.to_string(),
            priority: waiting.urgency.priority.to_wire().into(),
            call: waiting.urgency.to_call(),
            attachments: waiting.attachments.iter().map(Uploaded::to_wire).collect(),
            ..proto::Submit::default()
        };
        waiting.beside.dress(&mut submit);
        let (place, deed) = ((id, waiting.conversation), waiting.beside.order);
        // Where the key fails it goes unsigned, and is refused: its author is told to say it again.
        let _ = orders::sign_message(&mut submit, place, deed, &self.profile);
        let request = self.asked.ask(Asked::Submit(id, waiting.conversation), Instant::now());
        self.send_frame(request, client_frame::Body::Submit(submit));
    }

    /// The box has it.
    pub(super) fn accepted(&mut self, wire: proto::Accepted) -> Result<(), End> {
        let Ok(accepted) = Accepted::from_wire(&wire) else { return Ok(()) };
        let Accepted { message, conversation, sequence, .. } = accepted;
        if self.outbox.get(message).is_none() {
            return Ok(());
        }
        self.outbox.forget(message).map_err(storage)?;
        self.delayed.remove(&message);
        self.careful &= self.outbox.waiting().next().is_some();
        self.faults = 0;
        if let Some(settled) = self.settling.remove(&message) {
            let _ = settled.send(Ok(accepted));
        }
        self.state.accepted(conversation, sequence);
        // Who had seen everything before has seen their own as well.
        if self.following
            && let Some(mine) = self.state.mine(conversation)
            && mine.read.0 + 1 == sequence.0
        {
            self.receipt(conversation, mine.delivered.max(sequence), sequence);
        }
        let live =
            matches!(&self.link, Link::Up(up) if up.sync == Sync::Running && !self.state.in_snapshot());
        let cursor = (live && wire.cursor.len() == 16).then_some(wire.cursor);
        if let Some(cursor) = &cursor {
            self.state.cursor.clone_from(cursor);
        }
        let stamp = Stamp { cursor, message: Some((conversation, sequence, true)), ..Stamp::default() };
        self.queue(Some(Event::Accepted(accepted)), stamp);
        Ok(())
    }

    /// The box declined a submission.
    pub(super) fn declined(&mut self, id: MessageId, refused: Refused) -> Result<(), End> {
        // Given up already: its author knows.
        let Some(waiting) = self.outbox.get(id).filter(|waiting| waiting.failed.is_none()) else {
            return Ok(());
        };
        let conversation = waiting.conversation;
        if refused.is_transient() {
            // What the box may have taken before goes again as what it was: under a fresh number it would be taken twice.
            if refused.code == RefusalCode::NumberPassed || waiting.number > Some(self.taken_before) {
                self.outbox.take_number(id);
            }
            let wait = refused.retry_after.unwrap_or_default();
            let wait = wait + crate::clock::part_of(wait / 2);
            self.delayed.insert(id, (Instant::now() + wait, refused.clone()));
            self.tell(Event::Delayed { message: id, refused });
            return Ok(());
        }
        self.delayed.remove(&id);
        self.outbox.fail(id, &refused).map_err(storage)?;
        let told = self
            .settling
            .remove(&id)
            .is_some_and(|settled| settled.send(Err(refused.clone().into())).is_ok());
        // Who only looks listens for nothing but that.
        if told && (!self.following || self.options.peek) {
            return self.outbox.forget(id).map_err(storage);
        }
        self.tell_failed(id, conversation, refused);
        Ok(())
    }

    pub(super) fn tell_failed(&mut self, message: MessageId, conversation: ConversationId, refused: Refused) {
        let stamp = Stamp { failed: Some(message), ..Stamp::default() };
        self.queue(Some(Event::Failed { message, conversation, refused }), stamp);
    }

    /// The box closed because a number came with another message than before: the profile was restored from a copy,
    /// perhaps. With one submission under way it is that one, and it gets a fresh number; with more, all go again,
    /// one by one.
    pub(super) fn suspect_numbers(&mut self) -> Result<(), End> {
        let under_way: Vec<MessageId> = self.asked.submits().map(|(id, _)| id).collect();
        if let [one] = under_way.as_slice() {
            self.outbox.take_number(*one);
        }
        self.careful = true;
        Ok(())
    }

    pub(super) fn offer_pin(&mut self) {
        let Link::Up(Up { open, .. }) = &self.link else { return };
        if open.is_some() {
            if let (Some((_, reply)), Standing::Open(signed_in)) =
                (self.unlocking.take(), &*self.standing.borrow())
            {
                let _ = reply.send(Ok(signed_in.clone()));
            }
            return;
        }
        if self.asked.unlocking() {
            return;
        }
        if let Some((pin, reply)) = self.unlocking.take() {
            let request = self.asked.ask(Asked::Unlock(reply), Instant::now());
            self.send_frame(
                request,
                client_frame::Body::Unlock(proto::Unlock { pin: pin.reveal().to_owned() }),
            );
        }
    }

    pub(super) fn receipt(&mut self, conversation: ConversationId, delivered: Sequence, read: Sequence) {
        if self.options.peek {
            return;
        }
        self.state.raised(conversation, delivered, read);
        self.receipts.raise(conversation, delivered, read, Instant::now());
    }

    pub(super) fn flush_receipts(&mut self) {
        for receipt in self.receipts.flush() {
            self.send_frame(0, client_frame::Body::Receipt(receipt));
        }
    }

    /// What the user has dealt with: receipts follow now, the cursor soon.
    pub(super) fn take_stamps(&mut self) -> Result<(), End> {
        for stamp in self.taken.drain() {
            if let Some((conversation, sequence, own)) = stamp.message {
                self.state.taken(conversation, sequence, own);
                if !own {
                    self.receipt(conversation, sequence, Sequence(0));
                }
            }
            // Who only looks has told nobody.
            if let Some(message) = stamp.failed.filter(|_| !self.options.peek) {
                self.outbox.forget(message).map_err(storage)?;
            }
            if let Some(device) = stamp.device {
                self.state.device_taken(device);
            }
            if stamp.cursor.is_some() {
                self.taken_cursor = stamp.cursor;
            }
            self.save_at.get_or_insert_with(|| Instant::now() + SAVE_INTERVAL);
        }
        Ok(())
    }

    pub(super) fn save(&mut self) -> Result<(), End> {
        self.save_at = None;
        if self.options.peek {
            return Ok(());
        }
        self.state.save(self.taken_cursor.take().as_deref()).map_err(storage)
    }
}

/// How much longer a STAT may wait. Milliseconds. A clock that was set back lengthens nothing beyond the whole.
fn stat_patience_ms(waiting: &Waiting, now: i64) -> u64 {
    let waited = now.saturating_sub(waiting.composed).max(0);
    u64::try_from(STAT_PATIENCE_MS.saturating_sub(waited)).unwrap_or(0)
}
