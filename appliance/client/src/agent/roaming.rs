//! The network under this device changes, or goes quiet.
//!
//! QUIC alone would get there, late. A lost probe is repeated after ever longer pauses, so a path that was gone for 20 s
//! may be found again 20 s after it came back. A box sends to the address it knows until it hears from the new one, and
//! no more than three times what it heard until it has proved it (RFC 9000, 8.1); and what it sent into the void it
//! repeats by its own pauses, or once something newer of its own is acknowledged. So this end asks, with an `Echo`, whose
//! answer gets all of that going, and proves that everything before it has come:
//!
//! - told of another network: from a fresh socket, at once and long; a few times quickly; and if nothing answers, a second
//!   connection is tried beside the first. Whichever answers first stays.
//! - when something is not acknowledged in time, or not answered for a second: a few times quickly, then every second for as
//!   long as the connection is not given up; from another socket whenever nothing was heard since the last.
//! - a connection that was given up is asked on, until QUIC drops it: its answer ends the waiting before the next attempt.
//! - what nobody tells is looked for: by which of its addresses this device would reach the box.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::Instant;
use wardline_core::wire::proto::{self, client_frame};

use super::pulse::{Health, QUIET_MAX};
use super::{Agent, Attempt, Established, Link, Up};
use crate::connection::{self, Connection};
use crate::error::{End, Error, Unreachable};
use crate::inflight::Asked;
use crate::link::Address;

/// Between looks at the addresses and at what was heard. Costs no packet.
const LOOK: Duration = Duration::from_secs(1);
/// The same while a silent connection is asked on.
const LOOK_SOON: Duration = Duration::from_millis(250);
/// Between echoes at first, so many after a move and so many when something was not acknowledged in time; then the longer one.
/// In a silence of 15 s, which ends a connection, 32 of them at most: 9 bytes each, and 4 kB of padding.
const ECHO_SOON: Duration = Duration::from_millis(150);
const SOON_AFTER_A_MOVE: u32 = 20;
const SOON_IN_SILENCE: u32 = 8;
const ECHO_LATER: Duration = Duration::from_secs(1);
/// A box may answer an address that it has not validated yet with three times as much as came from there: this many bytes
/// of padding let it send three full packets, where a bare ping lets it send one, and that one may be lost.
const PADDING: usize = 1_000;
/// So many echoes have it after a move, and as many of the later ones, where the address may have changed unnoticed. In
/// silence the first: mostly it is but a packet that radio lost.
const PADDED: u32 = 2;
/// A path that works has answered by then, unless an echo or its answer was lost.
const RIVAL_AFTER: Duration = Duration::from_millis(500);
/// Before another second connection is tried.
const RIVAL_AGAIN: Duration = Duration::from_secs(2);
/// A system tells of one change several times: what comes together is one.
const NEWS_APART: Duration = Duration::from_millis(100);
/// A proof that this end gave up on may reach the box so much later: as long as the box waits for one, twice.
const PROOF_LATE: Duration = Duration::from_secs(30);

/// What this client knows of where it is.
pub(super) struct Roaming {
    look_at: Instant,
    /// To move at.
    news: Option<Instant>,
    moved: Option<Instant>,
    /// The box's address, once it is known.
    at: Option<SocketAddr>,
    /// The address by which this device would reach the box.
    here: Option<IpAddr>,
    /// A connection that was given up for its silence.
    parked: Option<Parked>,
    /// Attempts that were dropped may sign in until then.
    doubled_until: Option<Instant>,
}

struct Parked {
    connection: Connection,
    heard: u64,
    ask_at: Instant,
}

/// Echoes under way on a connection.
pub(super) struct Probing {
    next: Instant,
    sent: u32,
    /// The first that counts.
    first: Option<u64>,
    /// So many in quick succession.
    soon: u32,
    padded: u32,
    /// Signs of life by the last of them.
    heard: Option<u64>,
    rival_at: Option<Instant>,
}

impl Roaming {
    pub(super) fn new(address: &Address, now: Instant) -> Self {
        // A name is known once somebody has answered to it.
        let at = address.host.parse().ok().map(|host: IpAddr| SocketAddr::new(host, address.port));
        Self {
            look_at: now + LOOK,
            news: None,
            moved: None,
            at,
            here: at.and_then(connection::source_towards),
            parked: None,
            doubled_until: None,
        }
    }

    /// When there is something to do.
    pub(super) fn at(&self) -> Instant {
        self.news.map_or(self.look_at, |news| news.min(self.look_at))
    }
}

impl Probing {
    fn after_a_move(now: Instant) -> Self {
        let (soon, rival_at) = (SOON_AFTER_A_MOVE, Some(now + RIVAL_AFTER));
        Self { next: now, sent: 0, first: None, soon, padded: PADDED, heard: None, rival_at }
    }

    fn in_silence(now: Instant) -> Self {
        let soon = SOON_IN_SILENCE;
        Self { next: now, sent: 0, first: None, soon, padded: 1, heard: None, rival_at: None }
    }

    pub(super) fn next(&self) -> Instant {
        self.rival_at.map_or(self.next, |rival| rival.min(self.next))
    }
}

impl Agent {
    /// Somebody says so.
    pub(super) fn network_changed(&mut self) {
        let now = Instant::now();
        let at = self.roaming.moved.map_or(now, |moved| now.max(moved + NEWS_APART));
        if at <= now {
            self.moves(now);
        } else {
            self.roaming.news = Some(at);
        }
    }

    fn moves(&mut self, now: Instant) {
        self.roaming.news = None;
        self.roaming.moved = Some(now);
        self.roaming.here = self.roaming.at.and_then(connection::source_towards);
        // Without a new socket the old one is as good as before.
        let _ = self.endpoint.rebind();
        match &mut self.link {
            Link::Up(up) => {
                up.probing = Some(Probing::after_a_move(now));
                let rival = up.rival.take();
                self.give_up(rival);
                self.probe(now);
            }
            // What an attempt sent came from an address that may be gone, and a handshake does not migrate (RFC 9000, 9).
            Link::Connecting(_) | Link::Down { .. } => {
                // All that it could say is said.
                self.roaming.parked = None;
                self.attempts_now();
            }
        }
    }

    /// The way is another, or there again: waits no longer, for the next attempt or for what the last one sends next.
    fn attempts_now(&mut self) {
        match &self.link {
            // The box said when, whatever the network.
            Link::Up(_) | Link::Down { imposed: true, .. } => {}
            Link::Down { imposed: false, .. } => {
                self.attempt = 0;
                self.connect();
            }
            Link::Connecting(_) => {
                let attempt = self.attempt();
                if let Link::Connecting(old) = std::mem::replace(&mut self.link, Link::Connecting(attempt)) {
                    self.give_up(Some(old));
                }
            }
        }
    }

    /// An attempt is dropped. Its proof may be with the box, or still get there.
    fn give_up(&mut self, attempt: Option<Attempt>) {
        if attempt.is_some_and(|attempt| attempt.has_proved()) {
            self.roaming.doubled_until = Some(Instant::now() + PROOF_LATE);
        }
    }

    /// Whether a second sign-in of this device may be this client's own.
    pub(super) fn may_be_ours(&self) -> bool {
        let rival = matches!(&self.link, Link::Up(Up { rival: Some(rival), .. }) if rival.has_proved());
        rival || self.roaming.doubled_until.is_some_and(|until| Instant::now() < until)
    }

    /// A connection stands.
    pub(super) fn reached(&mut self, connection: &Connection) {
        let at = connection.remote();
        self.roaming.at = Some(at);
        self.roaming.here = connection::source_towards(at);
        self.roaming.parked = None;
    }

    /// Once a second: what was heard, and where this device is.
    pub(super) fn look_around(&mut self, now: Instant) -> Result<(), End> {
        if self.roaming.news.is_some_and(|news| news <= now) {
            self.moves(now);
        }
        if self.roaming.look_at > now {
            return Ok(());
        }
        self.roaming.look_at = now + LOOK;
        let here = self.roaming.at.and_then(connection::source_towards);
        // None: no network at all. What was, may come back as it was.
        if here.is_some() && here != self.roaming.here {
            self.moves(now);
        }
        self.roaming.here = here;
        let health = match &mut self.link {
            Link::Up(up) => {
                let (sent, heard) = up.connection.traffic();
                let health = up.pulse.look(sent, heard, now);
                // What was sent shortly before something else was heard is not told apart from what was answered by it.
                let waits = self.asked.waits_since().is_some_and(|since| now - since >= QUIET_MAX);
                if up.probing.is_none() && (waits || health == Health::Quiet) {
                    up.probing = Some(Probing::in_silence(now));
                }
                health
            }
            _ => Health::Well,
        };
        if health == Health::Gone {
            return self.silent();
        }
        self.ask_the_parked(now);
        Ok(())
    }

    /// The connection is given up for its silence.
    pub(super) fn silent(&mut self) -> Result<(), End> {
        self.lost(Unreachable::Silent(self.profile.identity.address.to_string()).into(), None)
    }

    /// What is left of a connection that is lost: the attempt beside it, unless the box bade this device wait.
    pub(super) fn parted(&mut self, up: Up, why: &Error, imposed: bool) -> Option<Attempt> {
        let Up { connection, rival, .. } = up;
        if matches!(why, Error::Unreachable(Unreachable::Silent(_))) {
            let (_, heard) = connection.traffic();
            self.roaming.parked = Some(Parked { connection, heard, ask_at: Instant::now() });
        }
        if imposed {
            self.give_up(rival);
            return None;
        }
        rival
    }

    /// What answers where nothing did says that the way is there again.
    fn ask_the_parked(&mut self, now: Instant) {
        let Some(Parked { connection, heard, ask_at }) = &mut self.roaming.parked else { return };
        self.roaming.look_at = now + LOOK_SOON;
        let answers = match connection.ended() {
            None => connection.traffic().1 > *heard,
            Some(by_word) => {
                if !by_word {
                    self.roaming.parked = None;
                    return;
                }
                true
            }
        };
        if !answers {
            if *ask_at <= now {
                *ask_at = now + ECHO_LATER;
                let echo = client_frame::Body::Echo(proto::Echo::default());
                let _ = connection.outgoing.try_send(proto::ClientFrame { request: 0, body: Some(echo) });
            }
            return;
        }
        self.roaming.parked = None;
        if !matches!(&self.link, Link::Connecting(attempt) if attempt.has_reached()) {
            self.attempts_now();
        }
    }

    /// Asks what is due.
    pub(super) fn probe(&mut self, now: Instant) {
        let Link::Up(up) = &mut self.link else { return };
        if up.probing.is_none() && up.probes_at().is_some_and(|at| at <= now) {
            let (_, heard) = up.connection.traffic();
            up.probing = up.pulse.is_unheard(heard).then(|| Probing::in_silence(now));
        }
        let Some(probing) = &mut up.probing else { return };
        let (open, unlocking) = (up.open.is_some(), self.asked.unlocking());
        let rival_is_due = probing.rival_at.is_some_and(|at| at <= now) && up.rival.is_none();
        if rival_is_due {
            probing.rival_at = None;
        }
        let echo = (probing.next <= now).then(|| {
            // After silence from another socket: the old one's flow may be forgotten on the way, or its address gone from
            // this device. And to a box it is another path, on which it may send, whatever it has in flight on the old.
            let (_, heard) = up.connection.traffic();
            let silent = probing.heard.replace(heard) == Some(heard);
            let later = probing.sent >= probing.soon;
            if silent && later {
                let _ = self.endpoint.rebind();
            }
            let padded = probing.sent < probing.padded || (later && probing.sent < probing.soon + PADDED);
            let padding = if padded { PADDING } else { 0 };
            let pause = if later { ECHO_LATER } else { ECHO_SOON };
            (probing.next, probing.sent) = (now + pause, probing.sent + 1);
            let request = self.asked.ask(Asked::Echo, now);
            probing.first.get_or_insert(request);
            (request, proto::Echo { padding: vec![0; padding] })
        });
        if let Some((request, echo)) = echo {
            self.send_frame(request, client_frame::Body::Echo(echo));
        }
        // A PIN that is being looked at is not asked for twice.
        if rival_is_due && open && !unlocking {
            let rival = self.attempt();
            if let Link::Up(up) = &mut self.link {
                up.rival = Some(rival);
            }
        }
    }

    /// The way works, both ways.
    pub(super) fn echoed(&mut self, request: u64) {
        let Link::Up(up) = &mut self.link else { return };
        if up.probing.as_ref().is_some_and(|probing| probing.first.is_some_and(|first| request >= first)) {
            up.probing = None;
            // One that has proved itself is signed in by now or about to be: the box closes this connection.
            if up.rival.as_ref().is_some_and(|rival| !rival.has_proved()) {
                up.rival = None;
            }
        }
    }

    /// The second connection came to something.
    pub(super) fn rivalled(&mut self, outcome: Result<Established, Error>) -> Result<(), End> {
        let Link::Up(up) = &mut self.link else { return Ok(()) };
        up.rival = None;
        match outcome {
            Ok(established) => {
                // As with any connection that is lost: what was asked on it is asked again, or not answered.
                self.asked.abandon();
                self.established(established);
                Ok(())
            }
            // The box's word, which the first connection will hear as well if it is alive.
            Err(Error::Refused(_)) => Ok(()),
            Err(_) => {
                if let Some(probing) = &mut up.probing {
                    probing.rival_at = Some(Instant::now() + RIVAL_AGAIN);
                }
                Ok(())
            }
        }
    }
}

impl Up {
    /// When to ask, or to see whether it is needed.
    pub(super) fn probes_at(&self) -> Option<Instant> {
        match &self.probing {
            Some(probing) => Some(probing.next()),
            None => self.pulse.asked_at().map(|at| at + self.connection.patience()),
        }
    }
}

impl Attempt {
    fn has_reached(&self) -> bool {
        self.has_reached.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn has_proved(&self) -> bool {
        self.has_proved.load(std::sync::atomic::Ordering::Relaxed)
    }
}
