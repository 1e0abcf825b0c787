//! Announcements follow posts and directory. Conversations with roles follow the rota: at the beginning of a turn by the wall clock, at its end by what it changed. So there is
//! no turn in which somebody whose shift has ended still reads, or in which nobody does.

use crate::broadcast;
use crate::ids::RoleId;
use crate::inbox::{self, Scope, gaps};
use crate::relay::Relay;
use crate::time::Now;
use crate::turn::Turn;
use crate::write::Write;

const HOUR_MS: i64 = 3_600_000;

impl Relay {
    /// Brings announcements to their readers, when those may be others than before.
    pub(super) fn follow_broadcasts(&mut self, now: Now, turn: &mut Turn) {
        let (people, units) = broadcast::touched(turn);
        if !people.is_empty() || !units.is_empty() {
            broadcast::settle(&mut self.draft(now, turn), &people, &units);
        }
    }

    /// Brings every conversation with a role to its members, when that may be others than before.
    pub(super) fn follow_inboxes(&mut self, now: Now, turn: &mut Turn) {
        let by_time = now.wall < self.inboxes_looked || now.wall >= self.inboxes_due;
        let scope = if by_time {
            Scope::All
        } else {
            inbox::touched(&self.state, turn.writes.iter().map(|numbered| &numbered.write))
        };
        if matches!(&scope, Scope::With(roles) if roles.is_empty()) {
            return;
        }
        let (open, due) = inbox::due(&self.state, now.wall, &scope);
        // Those outside of the scope may be due before.
        let due = if matches!(scope, Scope::All) { due } else { due.min(self.inboxes_due) };
        (self.inboxes_due, self.inboxes_looked) = (due, now.wall);
        // Those that this turn has finished are its writer's alone.
        let done = turn.writes.iter().filter_map(|numbered| match &numbered.write {
            Write::ArchivedSet { conversation, .. } => Some(*conversation),
            _ => None,
        });
        let all: Vec<_> = done.chain(open).collect();
        for id in all {
            inbox::settle(&mut self.draft(now, turn), id);
        }
        self.set_on_call_timer(now);
    }

    /// Looks for times in which nobody will hold a role: of one whose rota has changed, of all when somebody may sign in no more, and
    /// once an hour.
    pub(super) fn look_for_gaps(&mut self, now: Now, turn: &mut Turn, by_time: bool) {
        let (mut all, mut roles) = (false, Vec::new());
        for numbered in &turn.writes {
            match &numbered.write {
                Write::RoleSet(role) => roles.push(role.id),
                Write::StandingSet { .. } | Write::DutiesSet { .. } => all = true,
                _ => {}
            }
        }
        let hour = now.wall.0.div_euclid(HOUR_MS);
        if by_time && self.gaps_hour != Some(hour) {
            (self.gaps_hour, all) = (Some(hour), true);
        }
        let roles: Vec<RoleId> = if all { self.state.roles.keys().copied().collect() } else { roles };
        for role in roles {
            gaps::look(&mut self.draft(now, turn), role);
        }
    }
}
