//! The writer against the driver: a detach at every moment at which the writer waits.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context as Waker, Poll};
use std::time::Duration;

use wardline_core::ids::DeviceId;

use super::*;
use crate::store::CHUNK_MESSAGES;
use crate::store::Gate;
use crate::testing::{self, Bench, CANARY, MESSAGES};

/// What the peer has been sent.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<Vec<u8>>>);

impl Wire {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn canaries(&self) -> u64 {
        let bytes = self.bytes();
        bytes.windows(CANARY.len()).filter(|window| *window == CANARY.as_bytes()).count() as u64
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Waker<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Waker<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Waker<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A writer at work for a lane, behind a gate that lets its reads by one at a time.
struct Scene {
    lane: Arc<Lane>,
    wire: Wire,
    gate: Gate,
    writing: tokio::task::JoinHandle<CloseCode>,
}

/// What the lane is given to end with.
const MARK: &[u8] = b"the session is locked";

impl Scene {
    async fn of(bench: &Bench, first: impl FnOnce(&Lane)) -> Self {
        let gate = bench.context.library.readers.shut().await;
        let (lane, wire) = (Arc::new(Lane::new()), Wire::default());
        first(&lane);
        let (context, conn) = (Arc::clone(&bench.context), Conn(1));
        let writing = tokio::spawn({
            let (lane, mut wire) = (Arc::clone(&lane), wire.clone());
            async move { run(&context, conn, &lane, &mut wire).await }
        });
        Self { lane, wire, gate, writing }
    }

    /// The session ends while the writer is at its read of this number, counted from one. What the peer is sent from then
    /// on, and whether the writer came to its end.
    async fn ends_in_read(mut self, read: usize) -> Vec<u8> {
        for _ in 1..read {
            self.gate.begin_one().await;
            self.gate.end_one().await;
        }
        self.gate.begin_one().await;
        let before = self.wire.bytes().len();
        self.lane.detach();
        self.lane.answer(Out::Frame(MARK.to_vec()));
        self.lane.close(CloseCode::DONE);
        drop(self.gate);
        let ended = tokio::time::timeout(Duration::from_secs(20), self.writing).await;
        assert!(ended.is_ok(), "read {read}: the writer goes on for ever");
        self.wire.bytes().split_off(before)
    }

    async fn when_all_has_come(self) -> Wire {
        drop(self.gate);
        let synced = async {
            while self.wire.canaries() < MESSAGES {
                tokio::task::yield_now().await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(20), synced).await.is_ok());
        self.lane.close(CloseCode::DONE);
        self.writing.await.unwrap();
        self.wire
    }
}

fn attach(lane: &Lane) {
    let device = DeviceId::new(7).unwrap();
    lane.attach(Attach { request: RequestId(1), grant: testing::grant(), device, after: Some(Change(5)) });
}

/// What changed; the first chunk; the key, behind which the second chunk is read already; the others, each while the one
/// before is sent.
const READS: usize = 1 + 1 + 1 + (MESSAGES as usize).div_ceil(CHUNK_MESSAGES) - 2;

#[tokio::test]
async fn a_session_that_ends_is_sent_nothing_more_whatever_its_writer_waits_for() {
    let mut sent_before = Vec::new();
    for read in 1..=READS {
        let bench = Bench::new().await;
        let scene = Scene::of(&bench, attach).await;
        let wire = scene.wire.clone();
        let after = scene.ends_in_read(read).await;
        assert!(after == MARK, "read {read}: {} bytes more", after.len() - MARK.len());
        sent_before.push(wire.canaries());
    }
    // They were ended in the middle of it, each further on than the last.
    assert_eq!(sent_before, [0, 0, 0, 2 * CHUNK_MESSAGES as u64]);
}

#[tokio::test]
async fn a_session_that_goes_on_is_sent_everything() {
    let bench = Bench::new().await;
    let wire = Scene::of(&bench, attach).await.when_all_has_come().await;
    assert_eq!(wire.canaries(), MESSAGES);
    assert_eq!(bench.context.metrics.caught_up_total.value(), MESSAGES);
}

#[tokio::test]
async fn a_page_that_is_read_while_the_session_ends_is_not_shown() {
    let page = |lane: &Lane| lane.answer(Out::Page(RequestId(1), testing::page()));
    // The messages, and the key.
    for read in 1..=2 {
        let bench = Bench::new().await;
        let scene = Scene::of(&bench, page).await;
        assert!(scene.ends_in_read(read).await == MARK, "read {read}");
    }
}

#[tokio::test]
async fn a_page_for_somebody_who_was_taken_out_meanwhile_is_refused() {
    let mut bench = Bench::new().await;
    for (leaves, shown) in [(false, 10), (true, 0)] {
        if leaves {
            bench.leave().await;
        }
        let (lane, mut wire) = (Lane::new(), Wire::default());
        lane.answer(Out::Page(RequestId(1), testing::page()));
        lane.close(CloseCode::DONE);
        assert_eq!(run(&bench.context, Conn(1), &lane, &mut wire).await, CloseCode::DONE);
        assert_eq!(wire.canaries(), shown);
        assert!(!wire.bytes().is_empty(), "there is an answer");
    }
}

/// Another attach takes nothing away from who asked for a page before it.
#[tokio::test]
async fn a_page_outlives_an_attach() {
    let bench = Bench::new().await;
    let page = |lane: &Lane| lane.answer(Out::Page(RequestId(1), testing::page()));
    let mut scene = Scene::of(&bench, page).await;
    scene.gate.begin_one().await;
    attach(&scene.lane);
    scene.gate.end_one().await;
    drop(scene.gate);
    let everything = async {
        while scene.wire.canaries() < 10 + MESSAGES {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), everything).await.is_ok());
    scene.lane.close(CloseCode::DONE);
    scene.writing.await.unwrap();
}
