//! What leaves once a batch is on disk. Decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};
use wardline_core::composing::Lease;
use wardline_core::escalation::StatId;
use wardline_core::ids::{Change, Conn, ConversationId, DeviceId, Sequence};
use wardline_core::input::Input;
use wardline_core::refusal::PeerFault;
use wardline_core::retention::Bounds;
use wardline_core::turn::{Event, Send};
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::wire::{self, proto};

use super::batch::Batch;
use super::{Command, frame};
use crate::bell::Bell;
use crate::catchup::Library;
use crate::front::certificates::LeafHashes;
use crate::lane::{Attach, Lane, Out, Ticket};
use crate::logging::safe;
use crate::metrics::Metrics;

/// The way back to every connection.
pub(super) type Lanes = BTreeMap<Conn, Arc<Lane>>;

/// Conversations that one look may find old messages in. The core lets at most 256 messages go of each at a time:
/// 64 x 256 = 16,384 rows, in as many commits as there are conversations, so that nobody's message waits for all of them.
const AGED_MAX: u32 = 64;

/// Lets out what was decided.
pub(super) struct Dispatch {
    pub(super) library: Arc<Library>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) commands: mpsc::WeakSender<Command>,
    pub(super) aged_looks: Arc<Semaphore>,
    pub(super) leaves: Arc<LeafHashes>,
    pub(super) bell: Option<Bell>,
}

impl Dispatch {
    /// Sends it all. True when a key was destroyed, which is to be wiped from the log.
    pub(super) fn dispatch(&self, lanes: &Lanes, batch: Batch) -> bool {
        let Batch { sends, events, purged, .. } = batch;
        if !purged.is_empty() {
            lanes.values().for_each(|lane| lane.forget(&purged));
        }
        let mut scrub = false;
        for send in sends {
            match send {
                Send::FindAged(bounds) => self.find_aged(bounds),
                Send::ScrubLog => scrub = true,
                Send::RingBell { device, bell } => {
                    if let Some(rings) = &self.bell {
                        rings.ring(device, bell);
                    }
                }
                Send::Fanout { change, event, conns } => {
                    self.fan_out(lanes, (change, event), &conns, &events, &purged);
                }
                Send::Close { conn, code } => {
                    if let Some(fault) = PeerFault::behind(code) {
                        self.metrics.peer_faults_total.one();
                        tracing::info!(conn = safe(&conn), fault = safe(&fault), "peer fault");
                    }
                    if let Some(lane) = lanes.get(&conn) {
                        lane.close(code);
                    }
                }
                other => self.to_lane(lanes, other),
            }
        }
        scrub
    }

    fn to_lane(&self, lanes: &Lanes, send: Send) {
        let (conn, out) = match send {
            Send::Reply { conn, body, .. } if rings(&body).is_some() => {
                self.ring(lanes, conn, body);
                return;
            }
            Send::Reply { conn, request, mut body } => {
                if let Body::SignedIn(signed_in) = &mut body {
                    self.lend_key(signed_in);
                }
                if matches!(body, proto::server_frame::Body::Refused(_)) {
                    self.metrics.refusals_total.one();
                }
                if let (proto::server_frame::Body::SignedIn(signed_in), Some(lane)) =
                    (&body, lanes.get(&conn))
                    && let Some(device) = DeviceId::new(signed_in.device)
                {
                    lane.set_device(device);
                }
                (conn, Out::Frame(frame(request.0, body)))
            }
            Send::Welcome { conn, request, expect, mut welcome } => {
                if let Some(lane) = lanes.get(&conn) {
                    lane.expect(expect);
                }
                // No decision: which certificate is next is the keeper's.
                welcome.leaf_hashes = self.leaves.now().iter().map(|hash| hash.to_vec()).collect();
                (conn, Out::Frame(frame(request.0, proto::server_frame::Body::Welcome(welcome))))
            }
            Send::PasskeyChallenge { conn, request, expect, told } => {
                if let Some(lane) = lanes.get(&conn) {
                    lane.expect_passkey(expect);
                }
                (conn, Out::Frame(frame(request.0, Body::PasskeyChallenge(told))))
            }
            Send::StretchPin { conn, person, device, salt } => (conn, Out::Stretch(person, device, salt)),
            Send::AnswerAgain { conn, request, device, number, message } => {
                (conn, Out::AnswerAgain(request, device, number, message))
            }
            Send::ReadPage { conn, request, grant } => (conn, Out::Page(request, grant)),
            Send::CountAged { conn, request, bounds } => (conn, Out::CountAged(request, Box::new(bounds))),
            Send::ReadExport { conn, request, grant } => (conn, Out::Export(request, Box::new(grant))),
            Send::ReadAudit { conn, request, grant } => (conn, Out::Audit(request, Box::new(grant))),
            Send::TellHealth { conn, request } => (conn, Out::Health(request)),
            Send::WebCertificate { conn, request, then } => {
                (conn, Out::WebCertificate(request, Box::new(then)))
            }
            Send::CountStats { conn, request, span } => (conn, Out::CountStats(request, span)),
            Send::Search { conn, request, grant } => (conn, Out::Search(request, Box::new(grant))),
            Send::OpenUpload { conn, request, grant } => {
                let done = grant.is_done();
                if let Some(lane) = lanes.get(&conn).filter(|_| !done) {
                    lane.admit(request, Ticket::Upload(grant));
                }
                (conn, Out::Frame(frame(request.0, Body::UploadBegun(proto::UploadBegun { done }))))
            }
            Send::OpenAttachment { conn, request, grant } => {
                if let Some(lane) = lanes.get(&conn) {
                    lane.admit(request, Ticket::Attachment(grant));
                }
                (conn, Out::Frame(frame(request.0, Body::Done(proto::Done {}))))
            }
            Send::Accepted(accepted) => {
                if let Some(lane) = lanes.get(&accepted.conn) {
                    lane.accepted(accepted);
                }
                return;
            }
            Send::Attach { conn, request, grant, device, after } => {
                if let Some(lane) = lanes.get(&conn) {
                    lane.attach(Attach { request, grant, device, after });
                }
                return;
            }
            Send::Detach { conn } => {
                if let Some(lane) = lanes.get(&conn) {
                    lane.detach();
                }
                return;
            }
            Send::Fanout { .. }
            | Send::Close { .. }
            | Send::FindAged(_)
            | Send::ScrubLog
            | Send::RingBell { .. } => {
                return;
            }
        };
        if let Some(lane) = lanes.get(&conn) {
            lane.answer(out);
        }
    }

    /// The core has said which lease it is. Without its key the device composes when the session is open, as ever.
    fn lend_key(&self, signed_in: &mut proto::SignedIn) {
        let device = DeviceId::new(signed_in.device);
        signed_in.lease = signed_in.lease.take().zip(device).and_then(|(lease, device)| {
            let key = self.library.keyring.lease_key(device, Lease(lease.number)).ok()?;
            let drafts_key = self.library.keyring.drafts_key(device).ok()?;
            Some(proto::Lease { key: key.to_vec(), drafts_key: drafts_key.to_vec(), ..lease })
        });
    }

    fn ring(&self, lanes: &Lanes, conn: Conn, body: Body) {
        let Some((conversation, sequence)) = rings(&body) else { return };
        if let (Some(conversation), Some(lane)) = (ConversationId::new(conversation), lanes.get(&conn)) {
            lane.ring(StatId { conversation, sequence: Sequence(sequence) }, frame(0, body));
        }
    }

    /// Encodes an event once and gives every lane its own head for it.
    fn fan_out(
        &self,
        lanes: &Lanes,
        (change, event): (Change, Event),
        conns: &[Conn],
        events: &BTreeMap<Change, Bytes>,
        purged: &BTreeSet<ConversationId>,
    ) {
        let (said_in, bytes) = match event {
            // A purge in the same commit: nobody sees any more what it destroyed.
            Event::Message(conversation, _) if purged.contains(&conversation) => return,
            Event::Message(conversation, _) => match events.get(&change) {
                Some(bytes) => (Some(conversation), bytes.clone()),
                None => return,
            },
            Event::Edited(message) => {
                let conversation = ConversationId::new(message.conversation);
                match events.get(&change) {
                    Some(bytes) if conversation.is_none_or(|place| !purged.contains(&place)) => {
                        (conversation, bytes.clone())
                    }
                    _ => return,
                }
            }
            Event::Small(kind) => {
                let said_in = match &*kind {
                    proto::event::Kind::Reactions(told) => ConversationId::new(told.conversation),
                    _ => None,
                };
                if said_in.is_some_and(|place| purged.contains(&place)) {
                    return;
                }
                (said_in, Bytes::from(wire::encode_event(*kind)))
            }
        };
        for conn in conns {
            let Some(lane) = lanes.get(conn) else { continue };
            lane.deliver(change, said_in, &bytes, |device| {
                wire::delivery_head(&self.library.cursors.seal(device, change).0, bytes.len())
            });
        }
        self.metrics.deliveries_total.add(conns.len() as u64);
    }

    /// One look at a time: the core asks again while there is something to find, and at its next sweep in any case.
    fn find_aged(&self, bounds: Bounds) {
        let Ok(looking) = Arc::clone(&self.aged_looks).try_acquire_owned() else { return };
        let (library, commands) = (Arc::clone(&self.library), self.commands.clone());
        tokio::spawn(async move {
            let _looking = looking;
            let aged = match library.readers.aged(&bounds, AGED_MAX).await {
                Ok(aged) => aged,
                Err(error) => return tracing::warn!(%error, "could not look for old messages"),
            };
            // The next one when the one before is on disk.
            let turns = Arc::new(Semaphore::new(1));
            for (conversation, read_through, any_through) in aged {
                let Ok(turn) = Arc::clone(&turns).acquire_owned().await else { return };
                let Some(commands) = commands.upgrade() else { return };
                let input = Input::Aged { conversation, read_through, any_through };
                if commands.send(Command::Aged(input, turn)).await.is_err() {
                    return;
                }
            }
            // Nor does the next look begin before the last is on disk.
            let _ = turns.acquire().await;
        });
    }
}

/// The message that something rings for, or does no more. A STAT is never urgent besides: of one message there is one of them.
fn rings(body: &Body) -> Option<(u64, u64)> {
    match body {
        Body::Ring(ring) => Some((ring.conversation, ring.sequence)),
        Body::Silence(silence) => Some((silence.conversation, silence.sequence)),
        Body::UrgentWaits(waits) => Some((waits.conversation, waits.sequence)),
        Body::UrgentOver(over) => Some((over.conversation, over.sequence)),
        _ => None,
    }
}
