//! A connection's writer: empties the lane, and does the reading that its answers need.

use std::sync::Arc;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use wardline_core::grant::SyncGrant;
use wardline_core::ids::{Change, Conn, DeviceId, MessageId, Number, PersonId, RequestId};
use wardline_core::input::Input;
use wardline_core::mailbox::{Again, Under, answer_again};
use wardline_core::pin::{Pin, PinMac};
use wardline_core::refusal::{CloseCode, Refusal};
use wardline_core::relay::refused;
use wardline_core::turn::{Accepted, Send};
use wardline_core::wire::proto::{self, server_frame::Body};
use zeroize::Zeroizing;

use super::connection::Context;
use crate::catchup::{CHUNK, small_events};
use crate::driver::{Command, frame};
use crate::lane::{Attach, Lane, Next, Out};
use crate::store::StoreError;

/// Bytes gathered before a write: what a few packets hold.
const GATHER: usize = 32 * 1024;

/// Why writing ended early.
enum Stop {
    /// The peer or its network is gone.
    Peer,
    /// The store could not be read; the client may try again on a new connection.
    Store(StoreError),
}

impl From<std::io::Error> for Stop {
    fn from(_: std::io::Error) -> Self {
        Self::Peer
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Writes until the lane closes or the peer is gone; the code says how to close what carries the connection.
pub(super) async fn run<W: AsyncWrite + Unpin>(
    context: &Arc<Context>,
    conn: Conn,
    lane: &Lane,
    writer: &mut W,
) -> CloseCode {
    let mut writer = Writer { context, conn, lane, writer, gathered: Vec::new(), delivery: None };
    match writer.run().await {
        Ok(code) => code,
        Err(Stop::Peer) => CloseCode::DONE,
        Err(Stop::Store(error)) => {
            tracing::error!(%error, "the store could not be read");
            CloseCode::DRAINING
        }
    }
}

/// What is being delivered, and how far it got.
struct Delivering {
    grant: SyncGrant,
    device: DeviceId,
    sent: Change,
}

struct Writer<'a, W> {
    context: &'a Arc<Context>,
    conn: Conn,
    lane: &'a Lane,
    writer: &'a mut W,
    gathered: Vec<u8>,
    delivery: Option<Delivering>,
}

impl<W: AsyncWrite + Unpin> Writer<'_, W> {
    async fn run(&mut self) -> Result<CloseCode, Stop> {
        loop {
            let mut next = Some(self.lane.next().await);
            while let Some(item) = next {
                match item {
                    Next::Close(code) => {
                        self.flush().await?;
                        return Ok(code);
                    }
                    Next::Out(out) => self.write(out).await?,
                }
                if self.gathered.len() >= GATHER {
                    self.flush().await?;
                }
                next = self.lane.try_next();
            }
            self.flush().await?;
        }
    }

    async fn flush(&mut self) -> Result<(), Stop> {
        if !self.gathered.is_empty() {
            self.writer.write_all(&self.gathered).await?;
            self.writer.flush().await?;
            self.gathered.clear();
            // An idle connection keeps no buffer.
            self.gathered.shrink_to(0);
        }
        Ok(())
    }

    fn answer(&mut self, request: RequestId, body: Body) {
        self.gathered.extend_from_slice(&frame(request.0, body));
    }

    fn refuse(&mut self, request: RequestId, refusal: Refusal) {
        if let Send::Reply { body, .. } = refused(self.conn, request, refusal) {
            self.answer(request, body);
        }
    }

    async fn write(&mut self, out: Out) -> Result<(), Stop> {
        match out {
            Out::Frame(bytes) => self.gathered.extend_from_slice(&bytes),
            Out::Delivery(change, head, event) => {
                self.gathered.extend_from_slice(&head);
                self.gathered.extend_from_slice(&event);
                self.sent(change);
            }
            Out::Accepted(accepted, live) => self.accepted(&accepted, live),
            Out::Attach(attach) => self.attach(attach).await?,
            Out::Resume => self.catch_up(None).await?,
            Out::Page(request, grant) => {
                let stored = self.context.library.readers.page(&grant).await?;
                let end = stored.last().is_none_or(|oldest| oldest.sequence <= grant.from());
                let messages = self.context.library.messages(&stored).await?;
                let conversation = grant.conversation().value();
                self.answer(request, Body::HistoryPage(proto::HistoryPage { conversation, messages, end }));
            }
            Out::AnswerAgain(request, device, number, message) => {
                self.answer_again(request, device, number, message).await?;
            }
            Out::Stretch(person, device, salt) => self.stretch(person, device, salt).await?,
        }
        Ok(())
    }

    fn sent(&mut self, change: Change) {
        if let Some(delivery) = &mut self.delivery {
            delivery.sent = change;
        }
    }

    fn accepted(&mut self, accepted: &Accepted, live: Option<DeviceId>) {
        let cursor = match live {
            Some(device) => {
                self.sent(accepted.change);
                self.context.library.cursor(device, accepted.change)
            }
            None => Vec::new(),
        };
        let body = Body::Accepted(proto::Accepted {
            number: accepted.number.0,
            message: accepted.message.0.to_vec(),
            conversation: accepted.conversation.value(),
            sequence: accepted.sequence.0,
            at: accepted.at.0,
            cursor,
        });
        self.answer(accepted.request, body);
    }

    async fn answer_again(
        &mut self,
        request: RequestId,
        device: DeviceId,
        number: Number,
        message: MessageId,
    ) -> Result<(), Stop> {
        let stored = self.context.library.readers.submission(device, number).await?;
        match (answer_again(stored.map(|stored| stored.message), message), stored) {
            (Ok(()), Under::Message(stored)) => {
                let accepted = Accepted {
                    conn: self.conn,
                    request,
                    number,
                    message,
                    conversation: stored.conversation,
                    sequence: stored.sequence,
                    at: stored.at,
                    change: stored.change,
                };
                self.accepted(&accepted, None);
            }
            (Err(Again::Fault(fault)), _) => {
                let input = Input::Faulted { conn: self.conn, fault };
                let _ = self.context.commands.send(Command::Input(input, None)).await;
            }
            (Err(Again::Refusal(refusal)), _) => self.refuse(request, refusal),
            (Ok(()), _) => self.refuse(request, Refusal::NumberPassed),
        }
        Ok(())
    }

    async fn attach(&mut self, attach: Attach) -> Result<(), Stop> {
        let Attach { request, grant, device, after } = attach;
        self.delivery = Some(Delivering { grant, device, sent: after.unwrap_or_default() });
        self.catch_up(Some((request, after.is_none()))).await
    }

    /// Sends what the store has behind the last change sent, until nothing was skipped meanwhile; then the lane is
    /// live. `sync` is the request that began it, and whether it wants a snapshot.
    async fn catch_up(&mut self, sync: Option<(RequestId, bool)>) -> Result<(), Stop> {
        let generation = self.lane.generation();
        let mut begin = sync;
        // Until a snapshot is whole, no cursor: one that is broken off begins again, for it has yet to say what is gone.
        let mut snapshot = false;
        loop {
            let Some(delivery) = &self.delivery else { return Ok(()) };
            let after = match begin {
                Some((_, true)) => None,
                _ => Some(delivery.sent),
            };
            let changes = self.context.library.changes(&delivery.grant, after).await?;
            let events = small_events(&changes, &delivery.grant);
            snapshot |= changes.snapshot;
            // A reader so far behind that it is given a snapshot must know that it is one.
            if begin.is_some() || changes.snapshot {
                let request = begin.take().map_or(RequestId::NONE, |(request, _)| request);
                self.answer(request, Body::SyncStarted(proto::SyncStarted { snapshot: changes.snapshot }));
            }
            for kind in events {
                let event = Some(proto::Event { kind: Some(kind) });
                self.answer(RequestId::NONE, Body::Delivery(proto::Delivery { cursor: Vec::new(), event }));
                if self.gathered.len() >= GATHER {
                    if !self.lane.is_current(generation) {
                        return Ok(());
                    }
                    self.flush().await?;
                }
            }
            for chunk in changes.messages.chunks(CHUNK) {
                if !self.lane.is_current(generation) {
                    return Ok(());
                }
                self.send_missed(chunk, !snapshot).await?;
                while let Some(out) = self.lane.try_next_answer() {
                    match out {
                        Out::Frame(bytes) => self.gathered.extend_from_slice(&bytes),
                        Out::Accepted(accepted, _) => self.accepted(&accepted, None),
                        _ => {}
                    }
                }
                self.flush().await?;
            }
            if !self.lane.is_current(generation) {
                return Ok(());
            }
            self.sent(changes.head);
            if self.lane.go_live(generation, changes.head) {
                break;
            }
        }
        if let Some(delivery) = &self.delivery {
            let cursor = self.context.library.cursor(delivery.device, delivery.sent);
            let request = sync.map_or(RequestId::NONE, |(request, _)| request);
            self.answer(request, Body::Synced(proto::Synced { cursor }));
        }
        Ok(())
    }

    async fn send_missed(&mut self, changes: &[Change], with_cursor: bool) -> Result<(), Stop> {
        let Some(delivery) = &self.delivery else { return Ok(()) };
        let device = delivery.device;
        let stored = self.context.library.readers.messages(&delivery.grant, changes).await?;
        for message in &stored {
            let cursor =
                if with_cursor { self.context.library.cursor(device, message.change) } else { Vec::new() };
            let kind = Some(proto::event::Kind::Message(self.context.library.message(message).await?));
            let event = Some(proto::Event { kind });
            self.answer(RequestId::NONE, Body::Delivery(proto::Delivery { cursor, event }));
            self.sent(message.change);
        }
        self.context.metrics.caught_up_total.add(stored.len() as u64);
        Ok(())
    }

    /// Stretches the PIN at hand and has the keeper MAC it. Holds up this connection's answers only.
    async fn stretch(&mut self, person: PersonId, device: DeviceId, salt: [u8; 16]) -> Result<(), Stop> {
        self.flush().await?;
        let mac = match self.lane.take_pin() {
            Some(pin) => self.pin_mac(person, device, salt, pin).await,
            None => None,
        };
        let input = Input::PinMac { conn: self.conn, mac };
        let _ = self.context.commands.send(Command::Input(input, None)).await;
        Ok(())
    }

    async fn pin_mac(&self, person: PersonId, device: DeviceId, salt: [u8; 16], pin: Pin) -> Option<PinMac> {
        const KEEPER_TIME_MAX: Duration = Duration::from_secs(10);
        let _permit = self.context.stretches.acquire().await.ok()?;
        let stretched = tokio::task::spawn_blocking(move || stretch(&pin, &salt)).await.ok()??;
        let asked = self.context.keeper.pin_mac(person, device, stretched);
        tokio::time::timeout(KEEPER_TIME_MAX, asked).await.ok()?
    }
}

/// Argon2id (RFC 9106) with 19 MiB, two passes, one lane. The TPM's pepper is what stops offline guessing; this
/// slows down whoever has the escrowed pepper too.
fn stretch(pin: &Pin, salt: &[u8; 16]) -> Option<Zeroizing<[u8; 32]>> {
    let params = Params::new(19 * 1024, 2, 1, Some(32)).ok()?;
    let mut stretched = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.reveal().as_bytes(), salt, stretched.as_mut())
        .ok()?;
    Some(stretched)
}
