//! What happens because time passes: a deadline, a session that locks, the sweep.

use crate::audit::{Act, Actor};
use crate::draft::actor;
use crate::ids::{Conn, ConversationId, DeviceId, RequestId, Sequence};
use crate::input::Ask;
use crate::refusal::PeerFault;
use crate::relay::Relay;
use crate::relay::asks::is_act_of_a_person;
use crate::retention::Rules;
use crate::session::{Ready, Session};
use crate::time::{Mono, Now};
use crate::turn::{Send, Turn};
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;
use crate::{attachment, limits, mailbox, retention, stat, task};

/// Milliseconds between looks for what has expired.
pub(super) const SWEEP_MS: u64 = 60_000;
/// Milliseconds until the next look while something goes.
const AGED_MS: u64 = 1_000;
/// Looks in a row that found nothing after which there is none before the next mark: each passes over every
/// conversation. What is read after its time goes with the next mark, a thirtieth of the shortest retention later.
const SILENT_LOOKS_MAX: u32 = 3;

/// An open session's use. It has one timer, which is in [`Relay::timers`] exactly as long as this is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use {
    /// The person's last act.
    last: Mono,
    /// The session's end, whatever the wall clock says meanwhile.
    ends: Mono,
    /// When the timer is due.
    looks_at: Mono,
}

impl Use {
    /// Notes a request: one that is an act of the person keeps the session open.
    pub(super) fn note(&mut self, now: Now, ask: &Ask) {
        if is_act_of_a_person(ask) {
            self.last = now.mono;
        }
    }

    /// Whether the session may go on.
    pub(crate) fn is_fresh(&self, now: Now, idle_lock_ms: u64) -> bool {
        now.mono < self.last.after(idle_lock_ms) && now.mono < self.ends
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Timer {
    Deadline(Conn),
    Idle(DeviceId),
    /// Something old went, and more may be there.
    Aged,
    Sweep,
    /// The first of [`super::Terms`] is due.
    Term,
    /// An urgent message has waited for long enough.
    Urgent,
    /// A shift of a role begins or ends for which something rings.
    OnCall,
    /// Whoever was called may have put their phone away.
    Bell,
}

impl Relay {
    /// When [`Relay::handle_timeout`] is due next.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.timers.first().map(|(at, _)| *at).into_iter().chain(self.clocks.first()).min()
    }

    /// Handles every timer that is due.
    pub fn handle_timeout(&mut self, now: Now) -> Turn {
        let mut turn = Turn::default();
        let mut urgent_due = false;
        while let Some((at, timer)) = self.timers.first().copied() {
            if at > now.mono {
                break;
            }
            self.timers.remove(&(at, timer));
            match timer {
                Timer::Deadline(conn) => self.deadline(now, &mut turn, conn),
                Timer::Idle(device) => self.idle(now, &mut turn, device),
                Timer::Aged => self.look_for_aged(now, &mut turn),
                Timer::Sweep => self.sweep(now, &mut turn),
                Timer::Term => self.terms_due(now, &mut turn),
                Timer::OnCall => self.on_call_at = None,
                Timer::Urgent => urgent_due = true,
                Timer::Bell => self.bell.stir(),
            }
        }
        stat::follow_all(&mut self.draft(now, &mut turn));
        while let Some(id) = self.clocks.take_due(now.mono) {
            stat::due(&mut self.draft(now, &mut turn), id);
        }
        self.put_visitors_out(&mut turn);
        self.follow_terms(now, &turn);
        self.follow_broadcasts(now, &mut turn);
        self.follow_inboxes(now, &mut turn);
        self.look_for_gaps(now, &mut turn, true);
        self.follow_urgents(now, &mut turn, urgent_due);
        self.follow_bells(now, &mut turn);
        self.set_on_call_timer(now);
        turn
    }

    /// Follows a session that is open and was used just now.
    pub(crate) fn follow(&mut self, now: Now, device: DeviceId, rest_ms: u64) {
        self.unfollow(device);
        let ends = now.mono.after(rest_ms);
        let looks_at = ends.min(now.mono.after(self.policy.idle_lock_ms));
        self.used.insert(device, Use { last: now.mono, ends, looks_at });
        self.timers.insert((looks_at, Timer::Idle(device)));
    }

    /// The session is over.
    pub(super) fn unfollow(&mut self, device: DeviceId) {
        if let Some(used) = self.used.remove(&device) {
            self.timers.remove(&(used.looks_at, Timer::Idle(device)));
        }
    }

    fn deadline(&mut self, now: Now, turn: &mut Turn, conn: Conn) {
        let due = self.links.get(&conn).and_then(|link| link.deadline);
        if due.is_some_and(|due| due <= now.mono) {
            self.fault(now, turn, conn, PeerFault::TooSlow);
        }
    }

    /// Locks a session that nobody used, or that is as old as one may be; else looks again when it could be.
    fn idle(&mut self, now: Now, turn: &mut Turn, device: DeviceId) {
        let Some(used) = self.used.get_mut(&device) else { return };
        let until = self.state.devices.get(&device).and_then(|device| device.session_until);
        if used.is_fresh(now, self.policy.idle_lock_ms) && until.is_some_and(|until| now.wall < until) {
            used.looks_at = used.ends.min(used.last.after(self.policy.idle_lock_ms));
            self.timers.insert((used.looks_at, Timer::Idle(device)));
            return;
        }
        let over = now.mono >= used.ends || until.is_none_or(|until| now.wall >= until);
        self.used.remove(&device);
        if until.is_none() {
            return;
        }
        let mut draft = self.draft(now, turn);
        draft.write(if over { Write::SessionEnded { device } } else { Write::SessionLocked(device) });
        draft.record(Actor::TheBox, Act::SessionLocked(device));
        if let Some(conn) = self.by_device.get(&device).copied() {
            self.lock(now, turn, conn);
        }
    }

    /// Locks the session of somebody who leaves their device.
    pub(crate) fn lock_by_hand(&mut self, now: Now, turn: &mut Turn, conn: Conn, who: &Ready) {
        let device = who.device();
        self.unfollow(device);
        let mut draft = self.draft(now, turn);
        draft.write(Write::SessionLocked(device));
        draft.record(actor(who), Act::SessionLocked(device));
        self.lock(now, turn, conn);
    }

    fn lock(&mut self, now: Now, turn: &mut Turn, conn: Conn) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        let session = std::mem::replace(&mut link.session, Session::Closing);
        if let Session::Ready(who) = session {
            let (person, id) = (who.person(), who.device());
            let tries = self.state.devices.get(&id).map_or(0, |device| device.pin_tries);
            link.session = Session::ExpectPin(who.lock());
            self.detach(conn, person);
            turn.sends.push(Send::Detach { conn });
            let tries_left = limits::PIN_TRIES_MAX.saturating_sub(tries);
            let passkey = self.passkey_would_do(now, id);
            let body = Body::Locked(proto::Locked { tries_left, passkey });
            turn.sends.push(Send::Reply { conn, request: RequestId::NONE, body });
        } else {
            link.session = session;
        }
    }

    fn sweep(&mut self, now: Now, turn: &mut Turn) {
        self.timers.insert((now.mono.after(SWEEP_MS), Timer::Sweep));
        self.ages.look(self.state.change, now.mono);
        let expired: Vec<_> = self
            .state
            .codes
            .values()
            .filter(|code| code.expires <= now.wall)
            .map(|code| (code.hash, code.person))
            .collect();
        for (hash, person) in expired {
            let mut draft = self.draft(now, turn);
            draft.write(Write::JoinCodeEnded { hash });
            draft.record(Actor::TheBox, Act::JoinCodeExpired(person));
        }
        let noted = |began: Mono| now.mono < began.after(limits::UNPROVEN_RECORDS_MS);
        self.unproven_records.retain(|_, (began, _)| noted(*began));
        self.budgets.sweep(now.mono);
        self.heard.sweep(now.mono);
        self.bell.sweep(now.mono);
        stat::close_old(&mut self.draft(now, turn));
        attachment::sweep(&mut self.draft(now, turn));
        task::close_forlorn(&mut self.draft(now, turn));
        self.sweep_terms(now, turn);
        self.look_for_aged(now, turn);
    }

    /// What [`crate::turn::Send::FindAged`] found: some of it goes, and soon the next look.
    pub(super) fn aged(
        &mut self,
        now: Now,
        turn: &mut Turn,
        conversation: ConversationId,
        read_through: Sequence,
        any_through: Sequence,
    ) {
        if mailbox::expire(&mut self.draft(now, turn), conversation, read_through, any_through) {
            self.silent_looks = 0;
            if !self.timers.iter().any(|(_, timer)| *timer == Timer::Aged) {
                self.timers.insert((now.mono.after(AGED_MS), Timer::Aged));
            }
        }
    }

    /// How long messages are kept.
    fn rules(&self) -> Rules {
        self.state.retention_or(&self.policy)
    }

    /// Counts what would go if these rules held now.
    pub(super) fn preview_retention(
        &self,
        now: Now,
        turn: &mut Turn,
        (conn, request): (Conn, RequestId),
        rules: Rules,
    ) {
        let bounds = rules.bounds(&self.state.marks, self.served.ms(now.mono));
        turn.sends.push(Send::CountAged { conn, request, bounds });
    }

    /// Between two marks nothing grows old, so a look that found nothing need not be repeated; but one may have failed, which
    /// is not told apart, so it takes several.
    fn look_for_aged(&mut self, now: Now, turn: &mut Turn) {
        let (served_ms, rules) = (self.served.ms(now.mono), self.rules());
        if retention::is_due(self.state.marks.last(), served_ms, rules.shortest_ms()) {
            self.draft(now, turn).write(Write::TimeServed { served_ms, at: now.wall });
        }
        let bounds = rules.bounds(&self.state.marks, served_ms);
        if self.looked != bounds {
            (self.looked, self.silent_looks) = (bounds, 0);
        }
        if !bounds.is_none() && self.silent_looks < SILENT_LOOKS_MAX {
            self.silent_looks += 1;
            turn.sends.push(Send::FindAged(bounds));
        }
    }
}
