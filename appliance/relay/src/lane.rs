//! What waits to be written to one connection, bounded, and whether it hears of changes as they happen.
//!
//! ```text
//!  Detached --attach--> CatchingUp --nothing skipped--> Live --no room--> CatchingUp
//!      ^------------------- detach --------------------------/
//! ```
//!
//! A reader that is slow is not buffered for: what does not fit is skipped, remembered as one number, and fetched from
//! the store when there is room again.
//!
//! Driver and writer meet here and nowhere else. What the writer takes comes with the [`Generation`] that it was queued
//! under, in one step: so whatever the driver does afterwards, the writer can tell that it was overtaken.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use wardline_core::escalation::StatId;
use wardline_core::grant::{
    AttachmentGrant, AuditGrant, ExportGrant, PageGrant, SearchGrant, SyncGrant, UploadGrant,
};
use wardline_core::ids::{Change, ConversationId, DeviceId, MessageId, Number, PersonId, RequestId};
use wardline_core::passkey::ExpectPasskey;
use wardline_core::pin::Pin;
use wardline_core::refusal::CloseCode;
use wardline_core::retention::Bounds;
use wardline_core::session::Expect;
use wardline_core::stat::load::Span;
use wardline_core::turn::Accepted;
use wardline_core::web_certificate::WebCertificateDo;

/// Frames that may wait. A fan-out burst of a busy minute; 256 x 100 bytes of bookkeeping.
pub const FRAMES_MAX: usize = 256;
/// Bytes of deliveries that may wait: 16 of the largest message frames. A reader who takes nothing holds these or, while
/// it is caught up, a reading from the store as large (`store/read.rs`); 40 KiB that its writer gathered; and
/// 256 KiB that QUIC has sent and not seen acknowledged. 424 KiB: 5,000 of them 2.1 GB. An idle one holds nothing.
pub const BYTES_MAX: usize = 128 * 1024;
/// Answers that wait, and requests whose answers are to come, above which no further request is read: the client pays
/// for its own haste. The largest answer that waits as bytes is a page of the directory, 30 kB, or 70 kB where
/// everybody has every post there can be: who asks for nothing else and reads nothing holds 64 x 70 kB = 4.5 MB.
/// (A page of history is read when its turn comes.)
const ANSWERS_MAX: usize = 64;

/// Files that may be sent or fetched and are not yet: more than a client has under way, 16 x 100 bytes. The oldest give way.
const TICKETS_MAX: usize = 16;

/// What a stream beside the control stream may do, once.
pub enum Ticket {
    /// Bring a file.
    Upload(UploadGrant),
    /// Fetch one.
    Attachment(AttachmentGrant),
}

/// Something for the connection's writer.
pub enum Out {
    /// Bytes of a frame, ready.
    Frame(Vec<u8>),
    /// A change.
    Delivery(Delivery),
    /// That something rings here, or does not any more: which, and the frame. Of each the newest.
    Ring(StatId, Vec<u8>),
    /// The answer to a submission.
    Accepted(Accepted, Option<DeviceId>),
    /// Start delivering.
    Attach(Attach),
    /// There is room again: fetch what was skipped.
    Resume,
    /// Read a page and answer.
    Page(RequestId, PageGrant),
    /// Search and answer.
    Search(RequestId, Box<SearchGrant>),
    /// Count what would go by these bounds and answer.
    CountAged(RequestId, Box<Bounds>),
    /// Count STATs and answer.
    CountStats(RequestId, Span),
    /// Read a page of an export and answer.
    Export(RequestId, Box<ExportGrant>),
    /// Read a page of the audit log and answer.
    Audit(RequestId, Box<AuditGrant>),
    /// Say how the box is.
    Health(RequestId),
    /// Do this about the certificate for the names that people type, and say how it stands.
    WebCertificate(RequestId, Box<WebCertificateDo>),
    /// Look a submission up and answer.
    AnswerAgain(RequestId, DeviceId, Number, MessageId),
    /// Stretch the PIN at hand.
    Stretch(PersonId, DeviceId, [u8; 16]),
    /// Delivery has ended: let go of the permission.
    Detached,
}

/// A change on its way to a device, which then has everything up to its number.
pub struct Delivery {
    /// Its number.
    pub change: Change,
    /// Where it was said, if it is a message.
    pub said_in: Option<ConversationId>,
    /// This device's part of the frame.
    pub head: Vec<u8>,
    /// Everybody's.
    pub event: Bytes,
}

impl Out {
    /// Whether it answers a request, and so counts for [`Lane::room_for_a_request`].
    fn is_answer(&self) -> bool {
        !matches!(self, Self::Delivery(..) | Self::Ring(..) | Self::Resume | Self::Detached)
    }
}

/// Which attach and which detach something came after. Neither is ever undone, so what compares equal still holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Generation {
    attached: u64,
    detached: u64,
}

/// Whether a catch-up has reached the present.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GoLive {
    /// It has: what comes from now on is queued as it happens.
    Live,
    /// Something was skipped meanwhile: once more.
    Behind,
    /// Somebody else delivers now, or nobody: stop.
    Stale,
}

/// A request from before it is handed to the driver until its answer is on the lane, whichever way it ends.
pub struct UnderWay(Arc<Lane>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.inner().under_way -= 1;
        self.0.written.notify_waiters();
    }
}

/// Permission and place to deliver from.
pub struct Attach {
    /// What the sync answers.
    pub request: RequestId,
    /// Permission to read.
    pub grant: SyncGrant,
    /// Whose cursors.
    pub device: DeviceId,
    /// The last change it has.
    pub after: Option<Change>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Detached,
    CatchingUp { skipped: Change },
    Live,
}

struct Inner {
    queue: VecDeque<Out>,
    bytes: usize,
    answers: usize,
    /// Requests that are with the driver.
    under_way: usize,
    mode: Mode,
    generation: Generation,
    device: Option<DeviceId>,
    expect: Option<Expect>,
    passkey: Option<ExpectPasskey>,
    pin: Option<Pin>,
    close: Option<CloseCode>,
    tickets: VecDeque<(RequestId, Ticket, Generation)>,
}

impl Inner {
    /// After something in the middle of the queue is gone.
    fn count_anew(&mut self) {
        self.bytes = self.queue.iter().map(weight).sum();
        self.answers = self.queue.iter().filter(|out| out.is_answer()).count();
    }
}

/// One connection's lane: filled by the driver, emptied by the connection's writer.
pub struct Lane {
    inner: Mutex<Inner>,
    written: Notify,
    filled: Notify,
    closing: Notify,
}

/// What the writer does next.
pub enum Next {
    /// Handle this, which was queued under this generation.
    Out(Out, Generation),
    /// Nothing more comes: close with this.
    Close(CloseCode),
}

impl Default for Lane {
    fn default() -> Self {
        Self::new()
    }
}

impl Lane {
    /// Empty, detached.
    pub fn new() -> Self {
        let inner = Inner {
            queue: VecDeque::new(),
            bytes: 0,
            answers: 0,
            under_way: 0,
            mode: Mode::Detached,
            generation: Generation::default(),
            device: None,
            expect: None,
            passkey: None,
            pin: None,
            close: None,
            tickets: VecDeque::new(),
        };
        let (written, filled, closing) = (Notify::new(), Notify::new(), Notify::new());
        Self { inner: Mutex::new(inner), written, filled, closing }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic while holding it left plain data: still usable.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an answer. Bounded by [`Lane::room_for_a_request`], which the reader awaits before each frame.
    pub fn answer(&self, out: Out) {
        let mut inner = self.inner();
        if inner.close.is_some() {
            return;
        }
        inner.answers += 1;
        inner.bytes += weight(&out);
        inner.queue.push_back(out);
        drop(inner);
        self.filled.notify_one();
    }

    /// Queues that something rings, or does not any more, in place of what was to be said of it before: so at most
    /// [`wardline_core::limits::ESCALATIONS_MAX`] wait, 2,000 x 60 bytes = 120 kB.
    pub fn ring(&self, id: StatId, frame: Vec<u8>) {
        let mut inner = self.inner();
        if inner.close.is_some() {
            return;
        }
        inner.queue.retain(|out| !matches!(out, Out::Ring(older, _) if *older == id));
        inner.queue.push_back(Out::Ring(id, frame));
        inner.count_anew();
        drop(inner);
        self.filled.notify_one();
    }

    /// Queues a change, or skips it when the lane is not live or full.
    pub fn deliver(
        &self,
        change: Change,
        said_in: Option<ConversationId>,
        event: &Bytes,
        head: impl FnOnce(DeviceId) -> Vec<u8>,
    ) {
        let mut inner = self.inner();
        let fits = inner.queue.len() < FRAMES_MAX && inner.bytes < BYTES_MAX;
        match (inner.mode, inner.device) {
            (Mode::Live, Some(device)) if fits => {
                let (head, event) = (head(device), event.clone());
                let out = Out::Delivery(Delivery { change, said_in, head, event });
                inner.bytes += weight(&out);
                inner.queue.push_back(out);
            }
            (Mode::Live, _) => {
                inner.mode = Mode::CatchingUp { skipped: change };
                inner.queue.push_back(Out::Resume);
            }
            (Mode::CatchingUp { .. }, _) => inner.mode = Mode::CatchingUp { skipped: change },
            (Mode::Detached, _) => return,
        }
        drop(inner);
        self.filled.notify_one();
    }

    /// Answers a submission; the answer carries a cursor when the connection is live.
    pub fn accepted(&self, accepted: Accepted) {
        let device = {
            let mut inner = self.inner();
            match inner.mode {
                Mode::Live => inner.device,
                Mode::CatchingUp { .. } => {
                    inner.mode = Mode::CatchingUp { skipped: accepted.change };
                    None
                }
                Mode::Detached => None,
            }
        };
        self.answer(Out::Accepted(accepted, device));
    }

    /// Delivery begins: the writer catches up first. Takes the place of every attach that still waits, so that a client
    /// that asks again and again is read for once.
    pub fn attach(&self, attach: Attach) {
        {
            let mut inner = self.inner();
            inner.generation.attached += 1;
            inner.device = Some(attach.device);
            inner.mode = Mode::CatchingUp { skipped: Change(0) };
            inner.queue.retain(|out| !matches!(out, Out::Attach(_) | Out::Resume));
            inner.count_anew();
        }
        self.answer(Out::Attach(attach));
    }

    /// Delivery ends at once: what waits of it is dropped.
    pub fn detach(&self) {
        let mut inner = self.inner();
        inner.generation.detached += 1;
        inner.tickets.clear();
        inner.queue.retain(|out| match out {
            Out::Delivery(..)
            | Out::Attach(_)
            | Out::Resume
            | Out::Page(..)
            | Out::Search(..)
            | Out::CountAged(..)
            | Out::CountStats(..)
            | Out::Export(..)
            | Out::Audit(..)
            | Out::Health(_)
            | Out::Detached => false,
            // What was permitted and is on record is done.
            Out::Frame(_)
            | Out::Ring(..)
            | Out::Accepted(..)
            | Out::AnswerAgain(..)
            | Out::WebCertificate(..)
            | Out::Stretch(..) => true,
        });
        // What was delivered before an answer may be among what was dropped: its cursor would claim it.
        for out in &mut inner.queue {
            if let Out::Accepted(_, live) = out {
                *live = None;
            }
        }
        if inner.mode != Mode::Detached {
            inner.mode = Mode::Detached;
            inner.queue.push_back(Out::Detached);
        }
        inner.count_anew();
        drop(inner);
        self.written.notify_waiters();
        self.filled.notify_one();
    }

    /// What was said there is not delivered any more. Later cursors may claim it: the store gives it to nobody either.
    pub fn forget(&self, purged: &BTreeSet<ConversationId>) {
        let mut inner = self.inner();
        inner.queue.retain(|out| match out {
            Out::Delivery(delivery) => delivery.said_in.is_none_or(|place| !purged.contains(&place)),
            _ => true,
        });
        inner.count_anew();
        drop(inner);
        self.written.notify_waiters();
    }

    /// The connection ends once what waits is written.
    pub fn close(&self, code: CloseCode) {
        let mut inner = self.inner();
        inner.close.get_or_insert(code);
        drop(inner);
        self.filled.notify_one();
        self.closing.notify_one();
    }

    /// The code, once the lane has been closing for so long. For one waiter at a time.
    pub async fn overdue(&self, patience: Duration) -> CloseCode {
        loop {
            let code = self.inner().close;
            match code {
                None => self.closing.notified().await,
                Some(code) => {
                    tokio::time::sleep(patience).await;
                    return code;
                }
            }
        }
    }

    /// Whether a catch-up of this generation may go on.
    pub fn is_current(&self, generation: Generation) -> bool {
        let inner = self.inner();
        inner.generation == generation && inner.close.is_none()
    }

    /// Whether what was permitted under this generation still is. Another attach takes nothing away.
    pub fn is_permitted(&self, generation: Generation) -> bool {
        self.inner().generation.detached == generation.detached
    }

    /// Goes live if nothing was skipped behind `head` and the catch-up is not overtaken.
    pub fn go_live(&self, generation: Generation, head: Change) -> GoLive {
        let mut inner = self.inner();
        if inner.generation != generation || inner.close.is_some() {
            return GoLive::Stale;
        }
        match inner.mode {
            Mode::CatchingUp { skipped } if skipped > head => GoLive::Behind,
            Mode::CatchingUp { .. } => {
                inner.mode = Mode::Live;
                GoLive::Live
            }
            Mode::Live => GoLive::Live,
            Mode::Detached => GoLive::Stale,
        }
    }

    /// The next thing to write; waits for one.
    pub async fn next(&self) -> Next {
        loop {
            let filled = self.filled.notified();
            if let Some(next) = self.try_next() {
                return next;
            }
            filled.await;
        }
    }

    /// The next thing to write, if there is one.
    pub fn try_next(&self) -> Option<Next> {
        let mut inner = self.inner();
        let Some(out) = inner.queue.pop_front() else { return inner.close.map(Next::Close) };
        inner.bytes -= weight(&out);
        inner.answers -= usize::from(out.is_answer());
        let generation = inner.generation;
        drop(inner);
        self.written.notify_waiters();
        Some(Next::Out(out, generation))
    }

    /// The next answer that may overtake a catch-up under way; deliveries and reads keep their place.
    pub fn try_next_answer(&self) -> Option<Out> {
        let mut inner = self.inner();
        if !matches!(inner.queue.front(), Some(Out::Frame(_) | Out::Ring(..) | Out::Accepted(..))) {
            return None;
        }
        let out = inner.queue.pop_front()?;
        inner.bytes -= weight(&out);
        inner.answers -= usize::from(out.is_answer());
        drop(inner);
        self.written.notify_waiters();
        Some(out)
    }

    /// Counts a request until the driver has answered it.
    pub fn begin(self: &Arc<Self>) -> UnderWay {
        self.inner().under_way += 1;
        UnderWay(Arc::clone(self))
    }

    /// Waits until few enough answers wait, or are to come, for another request to be read.
    pub async fn room_for_a_request(&self) {
        loop {
            let written = self.written.notified();
            tokio::pin!(written);
            written.as_mut().enable();
            {
                let inner = self.inner();
                let answers = inner.answers + inner.under_way;
                if (answers < ANSWERS_MAX && inner.bytes < 2 * BYTES_MAX) || inner.close.is_some() {
                    return;
                }
            }
            written.await;
        }
    }

    /// A file may be sent or fetched, by the stream that names this request. Queue the answer behind this.
    pub fn admit(&self, request: RequestId, ticket: Ticket) {
        let mut inner = self.inner();
        let generation = inner.generation;
        if inner.tickets.len() >= TICKETS_MAX {
            inner.tickets.pop_front();
        }
        inner.tickets.push_back((request, ticket, generation));
    }

    /// Takes it: for one stream.
    pub fn take_ticket(&self, request: RequestId) -> Option<(Ticket, Generation)> {
        let mut inner = self.inner();
        let at = inner.tickets.iter().position(|(of, ..)| *of == request)?;
        inner.tickets.remove(at).map(|(_, ticket, generation)| (ticket, generation))
    }

    /// What the coming proof is held against.
    pub fn expect(&self, expect: Expect) {
        self.inner().expect = Some(expect);
    }

    /// Takes it: one proof a connection.
    pub fn take_expect(&self) -> Option<Expect> {
        self.inner().expect.take()
    }

    /// What the coming passkey is held against; an earlier one is forgotten.
    pub fn expect_passkey(&self, expect: ExpectPasskey) {
        self.inner().passkey = Some(expect);
    }

    /// Takes it: one passkey a challenge.
    pub fn take_expect_passkey(&self) -> Option<ExpectPasskey> {
        self.inner().passkey.take()
    }

    /// Holds a PIN until the core asks for it to be stretched.
    pub fn hold_pin(&self, pin: Pin) {
        self.inner().pin = Some(pin);
    }

    /// Takes it.
    pub fn take_pin(&self) -> Option<Pin> {
        self.inner().pin.take()
    }

    /// Whose connection this is, once attached or signed in.
    pub fn set_device(&self, device: DeviceId) {
        self.inner().device = Some(device);
    }

    /// See [`Lane::set_device`].
    pub fn device(&self) -> Option<DeviceId> {
        self.inner().device
    }
}

fn weight(out: &Out) -> usize {
    match out {
        Out::Frame(bytes) | Out::Ring(_, bytes) => bytes.len(),
        Out::Delivery(Delivery { head, event, .. }) => head.len() + event.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
