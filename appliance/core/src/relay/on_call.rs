//! When a shift begins or ends while something rings for a role: by the wall clock, since rotas are of it.

use crate::relay::Relay;
use crate::relay::timers::{SWEEP_MS, Timer};
use crate::stat;
use crate::time::Now;
use crate::turn::Turn;
use crate::write::Write;

impl Relay {
    /// A turn may have made something ring for a role, or changed who holds one.
    pub(super) fn follow_on_call(&mut self, now: Now, turn: &Turn) {
        let touches = |write: &Write| {
            matches!(write, Write::EscalationOpened(_) | Write::EscalationMoved { .. } | Write::RoleSet(_))
        };
        if turn.writes.iter().any(|numbered| touches(&numbered.write)) {
            self.set_on_call_timer(now);
        }
    }

    /// The next change of whoever is called by a role. Nobody looks further ahead than to the sweep after the next: one comes each
    /// minute, and looks again, which is also how a wall clock that was stepped is noticed.
    pub(super) fn set_on_call_timer(&mut self, now: Now) {
        let until = now.wall.after(2 * SWEEP_MS);
        let roles = stat::ringing(&self.state);
        let roles = roles.iter().filter_map(|id| self.state.roles.get(id));
        let ends = roles.filter_map(|role| role.rota.timeline(now.wall, until).next());
        let ends = ends.map(|(when, _)| when.end).chain([self.inboxes_due]);
        let next = ends.filter(|end| *end < until).min();
        let at = next.map(|next| now.mono.after(next.0.abs_diff(now.wall.0)));
        if let Some(was) = std::mem::replace(&mut self.on_call_at, at) {
            self.timers.remove(&(was, Timer::OnCall));
        }
        self.timers.extend(at.map(|at| (at, Timer::OnCall)));
    }
}
