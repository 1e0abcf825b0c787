//! Connections: begun, up, lost; and which ends of one are final.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use wardline_core::refusal::{CloseCode, PeerFault};
use wardline_core::wire::proto;

use super::pulse::Pulse;
use super::{Agent, Attempt, Established, FAULTS_MAX, Link, Progress, STEADY, Sync, Up};
use crate::client::Standing;
use crate::clock;
use crate::connection::Broken;
use crate::error::{CloseText, End, Error, Unreachable};
use crate::event::Event;
use crate::inflight::InFlight;
use crate::signin::{self, Proven};

/// Longest wait that a refusal may impose: a box that means longer says so again.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// The next thing that happens to a connection.
pub(super) async fn progress(link: &mut Link) -> Progress {
    match link {
        Link::Down { until, .. } => {
            tokio::time::sleep_until(*until).await;
            Progress::Due
        }
        Link::Connecting(attempt) => Progress::Connected((&mut attempt.outcome).await),
        Link::Up(Up { connection, rival: None, .. }) => Progress::Frame(connection.frames.recv().await),
        Link::Up(Up { connection, rival: Some(rival), .. }) => tokio::select! {
            // The first: when it has won, the box closes the other.
            biased;
            outcome = &mut rival.outcome => Progress::Rival(outcome),
            frame = connection.frames.recv() => Progress::Frame(frame),
        },
    }
}

impl Agent {
    /// Starts an attempt.
    pub(super) fn connect(&mut self) {
        self.link = Link::Connecting(self.attempt());
        self.stand(Standing::Connecting);
    }

    /// An attempt, not yet begun.
    pub(super) fn attempt(&self) -> Attempt {
        let (endpoint, trust, profile) = (self.endpoint.clone(), self.trust.clone(), self.profile.clone());
        let (has_reached, has_proved) = (Arc::default(), Arc::default());
        let (reaches, proves): (Arc<AtomicBool>, Arc<AtomicBool>) =
            (Arc::clone(&has_reached), Arc::clone(&has_proved));
        let outcome = Box::pin(async move {
            let identity = &profile.identity;
            let mut connection = endpoint.connect(&identity.address, &trust).await?;
            reaches.store(true, Ordering::Relaxed);
            let welcome = signin::hello(&mut connection, Some(identity.device)).await?;
            proves.store(true, Ordering::Relaxed);
            let proven = signin::prove(&mut connection, &welcome, identity.device, &profile.key).await?;
            Ok(Established { connection, facility: welcome.facility, proven })
        });
        Attempt { outcome, has_reached, has_proved }
    }

    pub(super) async fn progressed(&mut self, progress: Progress) -> Result<(), End> {
        match progress {
            Progress::Due => self.connect(),
            Progress::Connected(Ok(established)) => self.established(established),
            Progress::Connected(Err(error)) => self.failed(error)?,
            Progress::Rival(outcome) => self.rivalled(outcome)?,
            Progress::Frame(Some(Ok(frame))) => self.frame(frame)?,
            Progress::Frame(Some(Err(Broken::Malformed))) => {
                self.lost(Error::Protocol("a malformed frame"), None)?;
            }
            Progress::Frame(Some(Err(Broken::Ended)) | None) => {
                let Link::Up(up) = &self.link else { return Ok(()) };
                let why = up.connection.why_closed().await;
                self.closed(why)?;
            }
        }
        Ok(())
    }

    pub(super) fn established(&mut self, established: Established) {
        let Established { connection, facility, proven } = established;
        self.asked = InFlight::new();
        self.rings.clear();
        self.reached(&connection);
        self.receipts.reconnected(Instant::now());
        self.link = Link::Up(Up {
            connection,
            facility,
            open: None,
            last_words: None,
            sync: Sync::No,
            screen: false,
            pulse: Pulse::new(),
            probing: None,
            rival: None,
        });
        match proven {
            Proven::SignedIn(signed_in) => self.opened(signed_in),
            Proven::PinNeeded { tries_left } => {
                self.stand(Standing::PinNeeded { tries_left });
                self.tell(Event::PinNeeded { tries_left });
                self.refuse_questions(|| Error::Locked { tries_left });
                self.offer_pin();
            }
        }
    }

    /// An attempt failed: some answers of the box are final.
    pub(super) fn failed(&mut self, error: Error) -> Result<(), End> {
        use proto::RefusalCode as Code;
        match error {
            Error::Refused(refused)
                if matches!(
                    refused.code,
                    Code::VersionUnsupported
                        | Code::DeviceUnknown
                        | Code::DeviceCopied
                        | Code::PersonSuspended
                        | Code::AgencyOver
                        | Code::FamilyOver
                        | Code::PinLockedOut
                ) =>
            {
                Err(End::Refused(refused))
            }
            Error::Unreachable(Unreachable::Closed(why @ CloseText::Code(_))) => self.closed(why),
            // The box says when: not before, and not all who were told so at the same moment.
            Error::Refused(refused) if refused.retry_after.is_some() => {
                let after = refused.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
                let after = after + clock::part_of(after / 4);
                self.lost(refused.into(), Some(after))
            }
            error => self.lost(error, None),
        }
    }

    /// The connection closed.
    fn closed(&mut self, why: CloseText) -> Result<(), End> {
        if self.was_steady() {
            self.faults = 0;
        }
        if let CloseText::Code(code) = &why {
            match *code {
                // The refusal before it says why: not from this network, say.
                CloseCode::REFUSED => {
                    if let Link::Up(Up { last_words: Some(refused), .. }) = &self.link {
                        let refused = refused.clone();
                        return self.failed(refused.into());
                    }
                }
                // By an attempt of this very client, perhaps: not by anybody else.
                CloseCode::SUPERSEDED if self.may_be_ours() => {}
                CloseCode::SUPERSEDED => return Err(End::Superseded),
                CloseCode::REVOKED => return Err(End::Revoked),
                code if code == PeerFault::NumberReused.code() => self.suspect_numbers()?,
                // The PIN was not typed in time, or the network was slow: nobody's fault.
                code if code == PeerFault::TooSlow.code() => {}
                code if code.0 >= 0x100 => {
                    self.faults += 1;
                    if self.faults >= FAULTS_MAX {
                        return Err(End::Faulted(code));
                    }
                }
                _ => {}
            }
        }
        self.lost(Unreachable::Closed(why).into(), None)
    }

    /// No connection any more: what waits for answers hears so, and the next attempt is set.
    pub(super) fn lost(&mut self, why: Error, after: Option<Duration>) -> Result<(), End> {
        if self.was_steady() {
            self.attempt = 0;
        }
        self.asked.abandon();
        self.rings.clear();
        self.refuse_questions(|| Error::Offline(why.to_string()));
        // A PIN is held for the attempt under way, not for whenever the box is back.
        if let Some((_, reply)) = self.unlocking.take() {
            let _ = reply.send(Err(Error::Offline(why.to_string())));
        }
        let untrusted = matches!(why, Error::Untrusted(_));
        let imposed = after.is_some();
        let link = std::mem::replace(&mut self.link, Link::Down { until: Instant::now(), imposed });
        if let Link::Up(up) = link
            && let Some(rival) = self.parted(up, &why, imposed)
        {
            // Another attempt is under way already.
            self.link = Link::Connecting(rival);
            self.tell(Event::Reconnecting { after: Duration::ZERO, why: why.to_string(), untrusted });
            self.stand(Standing::Connecting);
            return Ok(());
        }
        let after = after.unwrap_or_else(|| clock::backoff(self.attempt));
        self.attempt = self.attempt.saturating_add(1);
        self.link = Link::Down { until: Instant::now() + after, imposed };
        self.tell(Event::Reconnecting { after, why: why.to_string(), untrusted });
        self.stand(Standing::Waiting(Arc::new(why)));
        Ok(())
    }

    /// The connection that is ending was a good one.
    fn was_steady(&self) -> bool {
        matches!(&self.link, Link::Up(Up { open: Some(since), .. }) if since.elapsed() > STEADY)
    }

    pub(super) fn refuse_questions(&mut self, why: impl Fn() -> Error) {
        for (_, reply) in std::mem::take(&mut self.questions) {
            let _ = reply.send(Err(why()));
        }
    }

    /// The end of it all: what can be saved and told is.
    pub(super) async fn finish(&mut self, end: End) {
        // What follows is best effort: whatever is not written comes again.
        let _ = self.take_stamps();
        let _ = self.save();
        if self.is_open() {
            self.flush_receipts();
        }
        let synced = self.outbox.sync();
        for (id, kept) in std::mem::take(&mut self.kept) {
            let _ = kept.send(if synced.is_ok() { Ok(id) } else { Err(end.clone().into()) });
        }
        if self.outbox.wants_rewriting() {
            let _ = self.outbox.rewrite();
        }
        if let Link::Up(up) = &mut self.link {
            let _ = tokio::time::timeout(Duration::from_millis(500), up.connection.finish()).await;
        }
        self.refuse_questions(|| end.clone().into());
        self.asked.abandon();
        if let Some((_, reply)) = self.unlocking.take() {
            let _ = reply.send(Err(end.clone().into()));
        }
        self.stand(Standing::Ended(end.clone()));
        self.link = Link::Down { until: Instant::now(), imposed: true };
        self.tell(Event::Ended(end));
        let leaving = matches!(&*self.standing.borrow(), Standing::Ended(End::Closed));
        for stamped in std::mem::take(&mut self.queue) {
            // Who closes does not wait for events any more.
            let slot = if leaving { Duration::ZERO } else { STEADY };
            if tokio::time::timeout(slot, self.events.send(stamped)).await.is_err() {
                break;
            }
        }
    }
}
