//! A connection's writer: empties the lane, and does the reading that its answers need.

use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use wardline_core::access::Operation;
use wardline_core::escalation::Escalation;
use wardline_core::escalation::signed::SignedAnswer;
use wardline_core::grant::{AuditGrant, ExportGrant, PageGrant, SearchGrant, SyncGrant};
use wardline_core::ids::{Change, Conn, DeviceId, MessageId, Number, PersonId, RequestId};
use wardline_core::input::Input;
use wardline_core::mailbox::{Again, Under, answer_again};
use wardline_core::notice::Notice;
use wardline_core::order::{Order, signed::SignedDeed};
use wardline_core::refusal::{CloseCode, Refusal};
use wardline_core::relay::refused;
use wardline_core::retention::Bounds;
use wardline_core::stat::load::Span;
use wardline_core::turn::{Accepted, Send};
use wardline_core::web_certificate::WebCertificateDo;
use wardline_core::wire;
use wardline_core::wire::proto::{self, event::Kind, server_frame::Body};

use super::connection::Context;
use super::health;
use super::pin::pin_mac;
use crate::catchup::{Reading, small_events};
use crate::driver::Command;
use crate::export::{self, OfExport};
use crate::lane::{Attach, Delivery, Generation, GoLive, Lane, Next, Out};
use crate::search;
use crate::store::{Audited, Changes, Missed, Page, StoreError, UnitLoad};

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
    let mut writer = Writer { context, conn, lane, writer, gathered: Vec::new(), delivery: None, veil: None };
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
    grant: Arc<SyncGrant>,
    device: DeviceId,
    sent: Change,
}

/// What a catch-up sends messages as.
#[derive(Clone, Copy)]
enum Missing {
    /// They follow the last one sent.
    New { with_cursor: bool },
    /// They were sent before, and were edited or recalled since.
    Altered,
    /// They were sent before, and something was put to them since.
    Reacted,
}

struct Writer<'a, W> {
    context: &'a Arc<Context>,
    conn: Conn,
    lane: &'a Lane,
    writer: &'a mut W,
    gathered: Vec<u8>,
    delivery: Option<Delivering>,
    /// Of the export that is read here: every other patient's name.
    veil: Option<OfExport>,
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
                    Next::Out(out, generation) => self.write(out, generation).await?,
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
        wire::append_frame(&proto::ServerFrame { request: request.0, body: Some(body) }, &mut self.gathered);
    }

    fn refuse(&mut self, request: RequestId, refusal: Refusal) {
        if let Send::Reply { body, .. } = refused(self.conn, request, refusal) {
            self.answer(request, body);
        }
    }

    async fn write(&mut self, out: Out, generation: Generation) -> Result<(), Stop> {
        // What was gathered does not wait for the store: a session that ends meanwhile could not take it back.
        if !matches!(out, Out::Frame(_) | Out::Ring(..) | Out::Delivery(..) | Out::Accepted(..)) {
            self.flush().await?;
        }
        match out {
            Out::Frame(bytes) | Out::Ring(_, bytes) => self.gathered.extend_from_slice(&bytes),
            Out::Delivery(Delivery { change, head, event, .. }) => {
                self.gathered.extend_from_slice(&head);
                self.gathered.extend_from_slice(&event);
                self.sent(change);
            }
            Out::Accepted(accepted, live) => self.accepted(&accepted, live),
            Out::Attach(attach) => self.attach(attach, generation).await?,
            Out::Resume => self.catch_up(None, generation).await?,
            Out::Detached => self.delivery = None,
            Out::Page(request, grant) => self.page(request, &grant, generation).await?,
            Out::Search(request, grant) => self.search(request, &grant, generation).await?,
            Out::CountAged(request, bounds) => self.count_aged(request, &bounds, generation).await?,
            Out::Export(request, grant) => self.export(request, &grant, generation).await?,
            Out::Audit(request, grant) => self.audit(request, &grant, generation).await?,
            Out::Health(request) => self.health(request, generation).await,
            Out::WebCertificate(request, then) => self.web_certificate(request, *then, generation).await,
            Out::CountStats(request, span) => self.count_stats(request, span, generation).await?,
            Out::AnswerAgain(request, device, number, message) => {
                self.answer_again(request, device, number, message).await?;
            }
            Out::Stretch(person, device, salt) => self.stretch(person, device, salt).await?,
        }
        Ok(())
    }

    async fn page(
        &mut self,
        request: RequestId,
        grant: &PageGrant,
        generation: Generation,
    ) -> Result<(), Stop> {
        let stored = match self.context.library.readers.page(grant).await? {
            Page::Of(stored) => stored,
            Page::NotAMember => {
                self.refuse(request, Refusal::NoSuchConversation);
                return Ok(());
            }
            Page::Purged => {
                self.refuse(request, Refusal::Purged);
                return Ok(());
            }
        };
        let end = stored.last().is_none_or(|oldest| oldest.sequence <= grant.from());
        let oldest = stored.last().map(|oldest| oldest.sequence);
        let signed = self.context.library.readers.signed(grant, oldest).await?;
        let signed = signed.iter().map(SignedAnswer::to_wire).collect();
        let stat = self.context.library.readers.stat(grant, oldest).await?;
        let stat = stat.as_ref().map(Escalation::to_wire);
        let (order, about) = self.context.library.readers.order(grant, oldest).await?;
        let order = order.as_ref().map(Order::to_wire);
        let order_signed = about.iter().map(SignedDeed::to_wire).collect();
        let notices = self.context.library.readers.notices(grant, oldest.filter(|_| !end)).await?;
        let notices = notices.iter().map(Notice::to_wire).collect();
        let messages = self.context.library.messages(stored).await?;
        // Purged while they were opened: some are blank.
        if self.context.library.key(grant.conversation()).await?.is_none() {
            self.refuse(request, Refusal::Purged);
            return Ok(());
        }
        // The session may have ended while the store was read.
        if self.lane.is_permitted(generation) {
            let conversation = grant.conversation().value();
            let page = proto::HistoryPage {
                conversation,
                messages,
                end,
                notices,
                signed,
                order,
                order_signed,
                stat,
            };
            self.answer(request, Body::HistoryPage(page));
        }
        Ok(())
    }

    async fn export(
        &mut self,
        request: RequestId,
        grant: &ExportGrant,
        generation: Generation,
    ) -> Result<(), Stop> {
        let answer = export::answer(&self.context.library, grant, &mut self.veil).await?;
        // The session may have ended while the store was read.
        if self.lane.is_permitted(generation) {
            match answer {
                Ok(page) => self.answer(request, Body::ExportPage(page)),
                Err(refusal) => self.refuse(request, refusal),
            }
        }
        Ok(())
    }

    async fn audit(
        &mut self,
        request: RequestId,
        grant: &AuditGrant,
        generation: Generation,
    ) -> Result<(), Stop> {
        let answer = self.context.library.readers.audited(grant).await?;
        // The session may have ended while the store was read.
        if self.lane.is_permitted(generation) {
            match answer {
                Audited::Of(page) => self.answer(request, Body::AuditPage(page)),
                Audited::NotPermitted => self.refuse(request, Refusal::NotPermitted(Operation::ReadAudit)),
            }
        }
        Ok(())
    }

    async fn health(&mut self, request: RequestId, generation: Generation) {
        let health = health::of(self.context).await;
        if self.lane.is_permitted(generation) {
            self.answer(request, Body::BoxHealth(health));
        }
    }

    async fn web_certificate(&mut self, request: RequestId, then: WebCertificateDo, generation: Generation) {
        let outcome = match self.context.names.get() {
            Some(names) => names.act(then).await,
            None => Err(Refusal::Unavailable),
        };
        if self.lane.is_permitted(generation) {
            match outcome {
                Ok(body) => self.answer(request, body),
                Err(refusal) => self.refuse(request, refusal),
            }
        }
    }

    async fn search(
        &mut self,
        request: RequestId,
        grant: &SearchGrant,
        generation: Generation,
    ) -> Result<(), Stop> {
        let began = Instant::now();
        let answer = search::answer(&self.context.library, grant).await?;
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.context.metrics.searches_total.one();
        self.context.metrics.search_microseconds_total.add(took);
        // The session may have ended while it was read.
        if self.lane.is_permitted(generation) {
            match answer {
                Ok(answer) => self.answer(request, Body::SearchPage(answer.page)),
                Err(refusal) => self.refuse(request, refusal),
            }
        }
        Ok(())
    }

    async fn count_aged(
        &mut self,
        request: RequestId,
        bounds: &Bounds,
        generation: Generation,
    ) -> Result<(), Stop> {
        let counted = self.context.library.readers.count_aged(bounds).await?;
        if self.lane.is_permitted(generation) {
            let few = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
            let kinds = counted.into_iter().map(|of| proto::WouldGo {
                kind: of.kind.to_wire().into(),
                messages: of.messages,
                conversations: few(of.conversations),
                held: few(of.held),
            });
            let kinds = kinds.collect();
            self.answer(request, Body::RetentionPreview(proto::RetentionPreview { kinds }));
        }
        Ok(())
    }

    async fn count_stats(
        &mut self,
        request: RequestId,
        span: Span,
        generation: Generation,
    ) -> Result<(), Stop> {
        let (units, more) = self.context.library.readers.stat_load(span).await?;
        if self.lane.is_permitted(generation) {
            let units = units.into_iter().map(UnitLoad::to_wire).collect();
            self.answer(request, Body::StatLoad(proto::StatLoad { units, more }));
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
                let _ = self.context.commands.send(Command::Input(input)).await;
            }
            (Err(Again::Refusal(refusal)), _) => self.refuse(request, refusal),
            (Ok(()), _) => self.refuse(request, Refusal::NumberPassed),
        }
        Ok(())
    }

    async fn attach(&mut self, attach: Attach, generation: Generation) -> Result<(), Stop> {
        let Attach { request, grant, device, after } = attach;
        let grant = Arc::new(grant);
        self.delivery = Some(Delivering { grant, device, sent: after.unwrap_or_default() });
        self.catch_up(Some((request, after.is_none())), generation).await
    }

    /// Catches up. If it is overtaken, lets go of the permission and of what it gathered, which since the last flush is
    /// nothing but deliveries.
    async fn catch_up(
        &mut self,
        sync: Option<(RequestId, bool)>,
        generation: Generation,
    ) -> Result<(), Stop> {
        if !self.catch_up_to_live(sync, generation).await? {
            self.delivery = None;
            self.gathered.clear();
        }
        Ok(())
    }

    /// Sends what the store has behind the last change sent, until nothing was skipped meanwhile; then the lane is
    /// live. `sync` is the request that began it, and whether it wants a snapshot. False when it was overtaken by a
    /// detach or another attach.
    async fn catch_up_to_live(
        &mut self,
        sync: Option<(RequestId, bool)>,
        generation: Generation,
    ) -> Result<bool, Stop> {
        let mut begin = sync;
        // Until a snapshot is whole, no cursor: one that is broken off begins again, for it has yet to say what is gone.
        let mut snapshot = false;
        loop {
            if !self.lane.is_current(generation) {
                return Ok(false);
            }
            let Some(delivery) = &self.delivery else { return Ok(false) };
            let after = match begin {
                Some((_, true)) => None,
                _ => Some(delivery.sent),
            };
            let changes = self.context.library.changes(&delivery.grant, after).await?;
            if !self.lane.is_current(generation) {
                return Ok(false);
            }
            snapshot |= changes.snapshot;
            // A reader so far behind that it is given a snapshot must know that it is one.
            if begin.is_some() || changes.snapshot {
                let request = begin.take().map_or(RequestId::NONE, |(request, _)| request);
                self.answer(request, Body::SyncStarted(proto::SyncStarted { snapshot: changes.snapshot }));
            }
            let (head, mut changes) = (changes.head, changes);
            let missed = std::mem::take(&mut changes.messages);
            let altered = std::mem::take(&mut changes.altered);
            let reacted = std::mem::take(&mut changes.reacted);
            let told = std::mem::take(&mut changes.notices);
            let new = Missing::New { with_cursor: !snapshot };
            // What was altered, or put to something, has no cursor: those of the messages behind it are of later changes, and claim it too.
            if !self.send_small(changes, generation).await?
                || !self.send_missed((altered, Vec::new()), Missing::Altered, generation).await?
                || !self.send_missed((reacted, Vec::new()), Missing::Reacted, generation).await?
                || !self.send_missed((missed, told), new, generation).await?
            {
                return Ok(false);
            }
            match self.lane.go_live(generation, head) {
                GoLive::Stale => return Ok(false),
                GoLive::Behind => {
                    self.sent(head);
                    self.flush().await?;
                }
                GoLive::Live => {
                    self.sent(head);
                    break;
                }
            }
        }
        if let Some(delivery) = &self.delivery {
            let cursor = self.context.library.cursor(delivery.device, delivery.sent);
            let request = sync.map_or(RequestId::NONE, |(request, _)| request);
            self.answer(request, Body::Synced(proto::Synced { cursor }));
        }
        Ok(true)
    }

    /// What is no message. False when it was overtaken.
    async fn send_small(&mut self, changes: Changes, generation: Generation) -> Result<bool, Stop> {
        let Some(person) = self.delivery.as_ref().map(|delivery| delivery.grant.person()) else {
            return Ok(false);
        };
        for kind in small_events(&changes, person) {
            let event = Some(proto::Event { kind: Some(kind) });
            self.answer(RequestId::NONE, Body::Delivery(proto::Delivery { cursor: Vec::new(), event }));
            if !self.make_way(generation).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// These messages, a chunk at a time; the next one is read while one is sent. Notices each in its place among them, without a
    /// cursor: the message behind has one. False when it was overtaken.
    async fn send_missed(
        &mut self,
        (missed, told): (Vec<Missed>, Vec<(Change, Notice)>),
        as_what: Missing,
        generation: Generation,
    ) -> Result<bool, Stop> {
        let Some(Delivering { grant, device, .. }) = &self.delivery else { return Ok(false) };
        let (library, device) = (Arc::clone(&self.context.library), *device);
        let mut told = told.into_iter().peekable();
        let mut reading = Reading::start(&library, grant, missed);
        while let Some(chunk) = reading.next().await? {
            for stored in chunk {
                let change = stored.change;
                let reactions = stored.reactions();
                let message = match as_what {
                    Missing::Reacted => None,
                    _ => Some(library.message(stored).await?),
                };
                if !self.lane.is_current(generation) {
                    return Ok(false);
                }
                while let Some((_, notice)) = told.next_if(|(told, _)| *told < change) {
                    self.notice(&notice);
                }
                let kind = match (as_what, message) {
                    (Missing::New { .. }, Some(message)) => Kind::Message(message),
                    (Missing::Altered, Some(message)) => Kind::MessageChanged(message),
                    _ => Kind::Reactions(reactions),
                };
                let cursor = match as_what {
                    Missing::New { with_cursor: true } => library.cursor(device, change),
                    _ => Vec::new(),
                };
                let event = Some(proto::Event { kind: Some(kind) });
                self.answer(RequestId::NONE, Body::Delivery(proto::Delivery { cursor, event }));
                if matches!(as_what, Missing::New { .. }) {
                    self.sent(change);
                }
                self.context.metrics.caught_up_total.one();
                if !self.make_way(generation).await? {
                    return Ok(false);
                }
            }
            self.let_answers_by();
            self.flush().await?;
        }
        for (_, notice) in told {
            if !self.make_way(generation).await? {
                return Ok(false);
            }
            self.notice(&notice);
        }
        Ok(self.lane.is_current(generation))
    }

    fn notice(&mut self, notice: &Notice) {
        let event = Some(proto::Event { kind: Some(proto::event::Kind::Notice(notice.to_wire())) });
        self.answer(RequestId::NONE, Body::Delivery(proto::Delivery { cursor: Vec::new(), event }));
    }

    /// Writes what was gathered when it is enough. False when the catch-up was overtaken meanwhile.
    async fn make_way(&mut self, generation: Generation) -> Result<bool, Stop> {
        if self.gathered.len() >= GATHER {
            self.flush().await?;
        }
        Ok(self.lane.is_current(generation))
    }

    /// Answers that need no order overtake a catch-up.
    fn let_answers_by(&mut self) {
        while let Some(out) = self.lane.try_next_answer() {
            match out {
                Out::Frame(bytes) | Out::Ring(_, bytes) => self.gathered.extend_from_slice(&bytes),
                Out::Accepted(accepted, _) => self.accepted(&accepted, None),
                _ => {}
            }
        }
    }

    /// Holds up this connection's answers only.
    async fn stretch(&mut self, person: PersonId, device: DeviceId, salt: [u8; 16]) -> Result<(), Stop> {
        let mac = match self.lane.take_pin() {
            Some(pin) => pin_mac(self.context, person, device, salt, pin).await,
            None => None,
        };
        let input = Input::PinMac { conn: self.conn, mac };
        let _ = self.context.commands.send(Command::Input(input)).await;
        Ok(())
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
