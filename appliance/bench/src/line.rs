//! One signed-in connection to whatever is measured, whatever that is.

mod floor;
mod wardline;
mod xmpp;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

pub(crate) use floor::FloorHouse;
pub(crate) use wardline::WardlineHouse;
pub(crate) use xmpp::XmppHouse;

/// Bytes of a message.
pub(crate) const BODY: usize = 300;

/// What comes back.
pub(crate) enum Heard {
    /// The message with this token is on disk.
    Accepted(u64),
    /// A message, with what [`body`] had put in it.
    Message(u64),
}

/// Where messages go in.
pub(crate) enum Sender {
    /// Of a box.
    Wardline(wardline::Sender),
    /// Of the floor.
    Floor(floor::Sender),
    /// Of ejabberd.
    Xmpp(xmpp::Sender),
}

/// Where they come out.
pub(crate) enum Receiver {
    /// Of a box.
    Wardline(wardline::Receiver),
    /// Of the floor.
    Floor(floor::Receiver),
    /// Of ejabberd.
    Xmpp(xmpp::Receiver),
}

/// A connection that is signed in and has been sent what it missed.
pub(crate) struct Line {
    /// In.
    pub(crate) sender: Sender,
    /// Out.
    pub(crate) receiver: Receiver,
    /// Messages that it had missed.
    pub(crate) missed: u64,
    /// The transport, to be closed, where it is QUIC.
    pub(crate) quic: Option<quinn::Connection>,
}

impl Line {
    /// Leaves at once.
    pub(crate) fn close(&self) {
        if let Some(quic) = &self.quic {
            quic.close(0u8.into(), b"");
        }
        if let Sender::Xmpp(sender) = &self.sender {
            sender.leave();
        }
    }

    /// Makes sure that what others write in this conversation comes here, where being a member is not enough for that.
    pub(crate) async fn enter(&mut self, conversation: usize) -> Result<()> {
        match (&self.sender, &mut self.receiver) {
            (Sender::Xmpp(sender), Receiver::Xmpp(receiver)) => {
                xmpp::enter(sender, receiver, conversation).await
            }
            _ => Ok(()),
        }
    }
}

impl Sender {
    /// Sends a message that carries this number; its token.
    pub(crate) async fn submit(&mut self, conversation: usize, number: u64) -> Result<u64> {
        match self {
            Self::Wardline(sender) => sender.submit(conversation, number).await,
            Self::Floor(sender) => sender.submit(conversation, number).await,
            Self::Xmpp(sender) => sender.submit(conversation, number).await,
        }
    }
}

impl Receiver {
    /// What comes next. May be dropped half-way: nothing is lost.
    pub(crate) async fn next(&mut self) -> Result<Heard> {
        match self {
            Self::Wardline(receiver) => receiver.next().await,
            Self::Floor(receiver) => receiver.next().await,
            Self::Xmpp(receiver) => receiver.next().await,
        }
    }

    /// The answer to this token; messages that come before it are passed over.
    pub(crate) async fn accepted(&mut self, token: u64) -> Result<()> {
        loop {
            if matches!(self.next().await?, Heard::Accepted(answered) if answered == token) {
                return Ok(());
            }
        }
    }
}

/// A text of [`BODY`] bytes that carries a number.
pub(crate) fn body(number: u64) -> String {
    format!("{number:016x}{:-<width$}", "", width = BODY - 16)
}

/// The number in it.
pub(crate) fn number_in(body: &[u8]) -> Result<u64> {
    let text = std::str::from_utf8(body.get(..16).context("a short body")?)?;
    Ok(u64::from_str_radix(text, 16)?)
}

/// The clock that latencies are taken by; the load is one process.
#[derive(Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// From now on.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Now, in nanoseconds: what a message carries.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Since then.
    pub(crate) fn since(&self, then: u64) -> Duration {
        Duration::from_nanos(self.now().saturating_sub(then))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_carries_its_number() {
        for number in [0, 1, 1 << 40, u64::MAX] {
            let body = body(number);
            assert_eq!(body.len(), BODY);
            assert_eq!(number_in(body.as_bytes()).unwrap(), number);
        }
    }
}
