//! What waits to be written to one connection, bounded, and whether it hears of changes as they happen.
//!
//! ```text
//!  Detached --attach--> CatchingUp --nothing skipped--> Live --no room--> CatchingUp
//!      ^------------------- detach --------------------------/
//! ```
//!
//! A reader that is slow is not buffered for: what does not fit is skipped, remembered as one number, and fetched from
//! the store when there is room again.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use wardline_core::grant::{PageGrant, SyncGrant};
use wardline_core::ids::{Change, DeviceId, MessageId, Number, PersonId, RequestId};
use wardline_core::pin::Pin;
use wardline_core::refusal::CloseCode;
use wardline_core::session::Expect;
use wardline_core::turn::Accepted;

/// Frames that may wait. A fan-out burst of a busy minute; 256 x 100 bytes of bookkeeping.
pub const FRAMES_MAX: usize = 256;
/// Bytes that may wait: 16 of the largest message frames, and the reason why 5,000 slow readers cost at most 640 MB
/// and idle ones nothing.
pub const BYTES_MAX: usize = 128 * 1024;
/// Answers above which no further request is read: the client pays for its own haste.
const ANSWERS_MAX: usize = 64;

/// Something for the connection's writer.
pub enum Out {
    /// Bytes of a frame, ready.
    Frame(Vec<u8>),
    /// A change: the head is this device's, the event everybody's. Its number is what the device then has.
    Delivery(Change, Vec<u8>, Bytes),
    /// The answer to a submission.
    Accepted(Accepted, Option<DeviceId>),
    /// Start delivering.
    Attach(Attach),
    /// There is room again: fetch what was skipped.
    Resume,
    /// Read a page and answer.
    Page(RequestId, PageGrant),
    /// Look a submission up and answer.
    AnswerAgain(RequestId, DeviceId, Number, MessageId),
    /// Stretch the PIN at hand.
    Stretch(PersonId, DeviceId, [u8; 16]),
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
    mode: Mode,
    /// Counts attaches and detaches: a catch-up that sees another one stops.
    generation: u64,
    device: Option<DeviceId>,
    expect: Option<Expect>,
    pin: Option<Pin>,
    close: Option<CloseCode>,
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
    /// Handle this.
    Out(Out),
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
            mode: Mode::Detached,
            generation: 0,
            device: None,
            expect: None,
            pin: None,
            close: None,
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

    /// Queues a change, or skips it when the lane is not live or full.
    pub fn deliver(&self, change: Change, event: &Bytes, head: impl FnOnce(DeviceId) -> Vec<u8>) {
        let mut inner = self.inner();
        let fits = inner.queue.len() < FRAMES_MAX && inner.bytes < BYTES_MAX;
        match (inner.mode, inner.device) {
            (Mode::Live, Some(device)) if fits => {
                let out = Out::Delivery(change, head(device), event.clone());
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

    /// Delivery begins: the writer catches up first.
    pub fn attach(&self, attach: Attach) {
        {
            let mut inner = self.inner();
            inner.generation += 1;
            inner.device = Some(attach.device);
            inner.mode = Mode::CatchingUp { skipped: Change(0) };
        }
        self.answer(Out::Attach(attach));
    }

    /// Delivery ends at once: what waits of it is dropped.
    pub fn detach(&self) {
        let mut inner = self.inner();
        inner.generation += 1;
        inner.mode = Mode::Detached;
        inner
            .queue
            .retain(|out| !matches!(out, Out::Delivery(..) | Out::Attach(_) | Out::Resume | Out::Page(..)));
        // What was delivered before an answer may be among what was dropped: its cursor would claim it.
        for out in &mut inner.queue {
            if let Out::Accepted(_, live) = out {
                *live = None;
            }
        }
        inner.bytes = inner.queue.iter().map(weight).sum();
        inner.answers =
            inner.queue.iter().filter(|out| !matches!(out, Out::Delivery(..) | Out::Resume)).count();
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

    /// Whether a catch-up that began at this generation may go on.
    pub fn is_current(&self, generation: u64) -> bool {
        let inner = self.inner();
        inner.generation == generation && inner.close.is_none()
    }

    /// The generation to begin a catch-up with.
    pub fn generation(&self) -> u64 {
        self.inner().generation
    }

    /// Goes live if nothing was skipped behind `head`; else says no, and the catch-up goes round again.
    pub fn go_live(&self, generation: u64, head: Change) -> bool {
        let mut inner = self.inner();
        match inner.mode {
            Mode::CatchingUp { skipped } if inner.generation == generation && skipped <= head => {
                inner.mode = Mode::Live;
                true
            }
            Mode::Live => true,
            _ => false,
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
        if !matches!(out, Out::Delivery(..) | Out::Resume) {
            inner.answers -= 1;
        }
        drop(inner);
        self.written.notify_waiters();
        Some(Next::Out(out))
    }

    /// The next answer that may overtake a catch-up under way; deliveries and reads keep their place.
    pub fn try_next_answer(&self) -> Option<Out> {
        let mut inner = self.inner();
        if !matches!(inner.queue.front(), Some(Out::Frame(_) | Out::Accepted(..))) {
            return None;
        }
        let out = inner.queue.pop_front()?;
        inner.bytes -= weight(&out);
        inner.answers -= 1;
        drop(inner);
        self.written.notify_waiters();
        Some(out)
    }

    /// Waits until few enough answers wait for another request to be read.
    pub async fn room_for_a_request(&self) {
        loop {
            let written = self.written.notified();
            tokio::pin!(written);
            written.as_mut().enable();
            {
                let inner = self.inner();
                if (inner.answers < ANSWERS_MAX && inner.bytes < 2 * BYTES_MAX) || inner.close.is_some() {
                    return;
                }
            }
            written.await;
        }
    }

    /// What the coming proof is held against.
    pub fn expect(&self, expect: Expect) {
        self.inner().expect = Some(expect);
    }

    /// Takes it: one proof a connection.
    pub fn take_expect(&self) -> Option<Expect> {
        self.inner().expect.take()
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
        Out::Frame(bytes) => bytes.len(),
        Out::Delivery(_, head, event) => head.len() + event.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> DeviceId {
        DeviceId::new(7).unwrap()
    }

    fn live() -> Lane {
        let lane = Lane::new();
        let mut inner = lane.inner();
        (inner.mode, inner.device) = (Mode::Live, Some(device()));
        drop(inner);
        lane
    }

    #[test]
    fn what_does_not_fit_is_skipped_and_fetched_later() {
        let lane = live();
        let event = Bytes::from(vec![0; 1_000]);
        for change in 1..=1_000 {
            lane.deliver(Change(change), &event, |_| Vec::new());
        }
        let mut last = Change(0);
        let mut resumed = false;
        while let Some(Next::Out(out)) = lane.try_next() {
            match out {
                Out::Delivery(change, ..) => last = change,
                Out::Resume => resumed = true,
                _ => {}
            }
        }
        assert!(last < Change(1_000) && last > Change(100));
        assert!(resumed);
        assert!(!lane.go_live(lane.generation(), Change(999)), "1000 was skipped");
        assert!(lane.go_live(lane.generation(), Change(1_000)));
    }

    #[test]
    fn an_answer_that_outlives_a_detach_carries_no_cursor() {
        let lane = live();
        lane.deliver(Change(1), &Bytes::from_static(b"x"), |_| Vec::new());
        lane.accepted(Accepted {
            conn: wardline_core::ids::Conn(1),
            request: RequestId(1),
            number: Number(1),
            message: MessageId([0; 16]),
            conversation: wardline_core::ids::ConversationId::new(1).unwrap(),
            sequence: wardline_core::ids::Sequence(1),
            at: wardline_core::time::Wall(0),
            change: Change(2),
        });
        lane.detach();
        assert!(matches!(lane.try_next(), Some(Next::Out(Out::Accepted(_, None)))));
    }

    #[test]
    fn nothing_is_delivered_after_a_detach() {
        let lane = live();
        lane.deliver(Change(1), &Bytes::from_static(b"x"), |_| Vec::new());
        lane.detach();
        lane.deliver(Change(2), &Bytes::from_static(b"x"), |_| Vec::new());
        assert!(lane.try_next().is_none());
    }
}
