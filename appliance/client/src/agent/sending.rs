//! Out: submissions, receipts, PINs; and what goes to disk before them.

use std::collections::BTreeSet;

use tokio::time::Instant;
use wardline_core::ids::{ConversationId, MessageId, Sequence};
use wardline_core::wire::proto::{self, RefusalCode, client_frame};

use super::{Agent, Link, REWRITE_AFTER, SAVE_INTERVAL, Sync, Up, storage};
use crate::client::Standing;
use crate::error::{End, Refused};
use crate::event::{Accepted, Event};
use crate::inflight::Asked;
use crate::settle::Stamp;
use crate::stat::Priority;

/// Submissions under way at a time, each of another conversation.
const SUBMITS_MAX: usize = 64;
/// How long a STAT waits for the box. Milliseconds.
const STAT_PATIENCE_MS: i64 = 60_000;

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
    /// declined for a moment is not overtaken by the next one, which may be its correction.
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

    /// A STAT that was never given to the box in its minute must not ring later, when nobody expects it any more.
    fn give_up_late_stats(&mut self) -> Result<(), End> {
        let now = crate::clock::now_ms();
        let late = |waiting: &&crate::outbox::Waiting| {
            waiting.urgency.priority == Priority::Stat
                && waiting.failed.is_none()
                && waiting.number.is_none()
                && now.saturating_sub(waiting.composed) > STAT_PATIENCE_MS
        };
        let late: Vec<MessageId> = self.outbox.waiting().filter(late).map(|waiting| waiting.id).collect();
        for id in late {
            let advice = "The box could not be reached within a minute, so this STAT was not sent. Call now.";
            let (code, advice) = (RefusalCode::StatLimit, advice.to_owned());
            self.declined(id, Refused { code, advice, retry_after: None, tries_left: 0 })?;
        }
        Ok(())
    }

    /// Which messages may go now, in the order of their numbers, those without one last.
    fn pick(&mut self) -> Vec<MessageId> {
        let mut busy: BTreeSet<ConversationId> = self.asked.submits().map(|(_, at)| at).collect();
        let room = if self.careful { 1 } else { SUBMITS_MAX };
        let room = room.saturating_sub(busy.len());
        if room == 0 {
            return vec![];
        }
        let now = Instant::now();
        let mut ready = Vec::new();
        for waiting in self.outbox.waiting().filter(|waiting| waiting.failed.is_none()) {
            if busy.insert(waiting.conversation)
                && self.delayed.get(&waiting.id).is_none_or(|(at, _)| *at <= now)
            {
                ready.push((waiting.number.is_none(), waiting.number, waiting.id));
            }
        }
        // Stable: what has no number yet stays in the order it was composed.
        ready.sort_by_key(|(fresh, number, _)| (*fresh, *number));
        ready.truncate(room);
        ready.into_iter().map(|(_, _, id)| id).collect()
    }

    fn submit(&mut self, id: MessageId) {
        let Some(waiting) = self.outbox.get(id) else { return };
        let Some(number) = waiting.number else { return };
        let submit = proto::Submit {
            number,
            message: id.0.to_vec(),
            conversation: waiting.conversation.value(),
            text: waiting.text.to_string(),
            priority: waiting.urgency.priority.to_wire().into(),
            call: waiting.urgency.to_call(),
        };
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
        let Some(waiting) = self.outbox.get(id) else { return Ok(()) };
        let conversation = waiting.conversation;
        if refused.is_transient() {
            self.outbox.take_number(id);
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
