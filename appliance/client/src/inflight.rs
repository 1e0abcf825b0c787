//! Requests that the box has not yet answered on this connection.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use wardline_core::ids::{ConversationId, MessageId};
use wardline_core::wire::proto::server_frame;

use crate::error::Error;
use crate::event::SignedIn;

/// A box that answers nothing for so long is given up and connected to anew. Longer than a box under a storm takes;
/// asking again is safe, since submissions carry their numbers.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(20);

/// The handshake's requests are 1 and 2.
const FIRST: u64 = 3;

/// Where an answer goes.
pub(crate) enum Asked {
    Submit(MessageId, ConversationId),
    Unlock(oneshot::Sender<Result<SignedIn, Error>>),
    Sync,
    Echo,
    Call(oneshot::Sender<Result<server_frame::Body, Error>>),
}

/// The requests of one connection.
pub(crate) struct InFlight {
    next: u64,
    asked: BTreeMap<u64, (Instant, Asked)>,
}

impl InFlight {
    pub(crate) fn new() -> Self {
        Self { next: FIRST, asked: BTreeMap::new() }
    }

    /// A number for a request.
    pub(crate) fn ask(&mut self, what: Asked, now: Instant) -> u64 {
        let request = self.next;
        self.next += 1;
        self.asked.insert(request, (now, what));
        request
    }

    /// What this answers. Twice answered is nothing the second time.
    pub(crate) fn answered(&mut self, request: u64) -> Option<Asked> {
        self.asked.remove(&request).map(|(_, what)| what)
    }

    /// When the oldest has waited too long. Requests are answered in about the order they were asked.
    pub(crate) fn overdue_at(&self) -> Option<Instant> {
        self.waits_since().map(|since| since + ANSWER_TIME_MAX)
    }

    /// Since when the oldest has waited.
    pub(crate) fn waits_since(&self) -> Option<Instant> {
        self.asked.first_key_value().map(|(_, (since, _))| *since)
    }

    /// Whether an unlock is under way.
    pub(crate) fn unlocking(&self) -> bool {
        self.asked.values().any(|(_, what)| matches!(what, Asked::Unlock(_)))
    }

    /// The submissions among them.
    pub(crate) fn submits(&self) -> impl Iterator<Item = (MessageId, ConversationId)> {
        self.asked.values().filter_map(|(_, what)| match what {
            Asked::Submit(message, conversation) => Some((*message, *conversation)),
            _ => None,
        })
    }

    /// The session locked: questions under way may be left without an answer; submissions are answered in any case.
    pub(crate) fn locked(&mut self, tries_left: u32) {
        let asked = std::mem::take(&mut self.asked);
        for (request, (since, what)) in asked {
            match what {
                Asked::Call(reply) => drop(reply.send(Err(Error::Locked { tries_left }))),
                // An echo is answered in any state; the next one asks again.
                Asked::Sync | Asked::Echo => {}
                kept => drop(self.asked.insert(request, (since, kept))),
            }
        }
    }

    /// The connection is gone: whoever waits for an answer hears that none comes.
    pub(crate) fn abandon(&mut self) {
        for (_, what) in std::mem::replace(self, Self::new()).asked.into_values() {
            match what {
                Asked::Call(reply) => drop(reply.send(Err(Error::Interrupted))),
                Asked::Unlock(reply) => drop(reply.send(Err(Error::Interrupted))),
                Asked::Submit(..) | Asked::Sync | Asked::Echo => {}
            }
        }
    }
}
