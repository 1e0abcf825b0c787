//! Who can be reached, as far as the box knows: by what their devices said, never by a socket that happens to be open.

use std::collections::BTreeMap;

use crate::directory::Device;
use crate::ids::{Conn, DeviceId, PersonId};
use crate::limits;
use crate::state::State;
use crate::time::{Mono, Now};
use crate::wire::proto;

/// When each device last spoke from the foreground: an act of its person, or its app saying that it is open.
#[derive(Default)]
pub(crate) struct Heard(BTreeMap<DeviceId, Mono>);

impl Heard {
    pub(crate) fn note(&mut self, now: Mono, device: DeviceId) {
        self.0.insert(device, now);
    }

    /// Forgets those of whom nobody asks any more.
    pub(crate) fn sweep(&mut self, now: Mono) {
        self.0.retain(|_, last| now < last.after(limits::HEARD_KEPT_MS));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn last(&self, device: DeviceId) -> Option<Mono> {
        self.0.get(&device).copied()
    }
}

/// Devices and their connections, as a rule sees them.
#[derive(Clone, Copy)]
pub(crate) struct Phones<'a> {
    /// Signed in, or locked since.
    pub(crate) held: &'a BTreeMap<DeviceId, Conn>,
    /// Proven, and a PIN is due.
    pub(crate) awaiting: &'a BTreeMap<DeviceId, Conn>,
    pub(crate) heard: &'a Heard,
    /// Somebody is there who rings closed apps.
    pub(crate) bells: bool,
}

/// Whether somebody can be reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reach {
    /// A device of theirs is connected and spoke from the foreground in the last [`limits::REACHABLE_MS`].
    AppOpen,
    /// A device is connected, and rings, or its closed app is rung through a push service; nobody knows whether somebody
    /// hears it.
    BellOnly,
    Unreachable,
}

impl Reach {
    pub(crate) fn to_wire(self) -> proto::Reach {
        match self {
            Self::AppOpen => proto::Reach::AppOpen,
            Self::BellOnly => proto::Reach::BellOnly,
            Self::Unreachable => proto::Reach::Unreachable,
        }
    }
}

impl Phones<'_> {
    /// Every connection on which a device of this person rings, locked or not. Who is put out may have one still, on which a
    /// PIN is due.
    pub(crate) fn of<'s>(&'s self, state: &'s State, person: PersonId) -> impl Iterator<Item = Conn> + 's {
        let is_out = state.people.get(&person).is_none_or(|person| person.suspended);
        let devices = state.devices_of(person).filter(move |device| !is_out && !device.revoked);
        devices.flat_map(|device| self.conns(device.id))
    }

    /// Two where a device connects anew and the box has not heard yet that the older connection is gone.
    fn conns(&self, device: DeviceId) -> impl Iterator<Item = Conn> {
        [self.held.get(&device), self.awaiting.get(&device)].into_iter().flatten().copied()
    }

    /// How somebody can be reached, and how many milliseconds ago they were last heard of, if in the last hour.
    pub(crate) fn reach(&self, state: &State, person: PersonId, now: Now) -> (Reach, Option<u64>) {
        let (mut reach, mut last) = (Reach::Unreachable, None::<u64>);
        let is_screen = state.people.get(&person).is_some_and(|entry| entry.station.is_some());
        for device in state.devices_of(person) {
            let ago = self.heard.last(device.id).map(|at| now.mono.0.saturating_sub(at.0));
            last = last.into_iter().chain(ago).min();
            if self.conns(device.id).next().is_none() {
                if self.bells && reach == Reach::Unreachable && state.bells.of.contains_key(&device.id) {
                    reach = Reach::BellOnly;
                }
                continue;
            }
            let open = self.is_open(device, is_screen);
            let is_heard = ago.is_some_and(|ago| ago <= limits::REACHABLE_MS);
            match (open && is_heard, reach) {
                (true, _) => reach = Reach::AppOpen,
                (false, Reach::Unreachable) => reach = Reach::BellOnly,
                _ => {}
            }
        }
        (reach, last)
    }

    pub(crate) fn is_reachable(&self, state: &State, person: PersonId, now: Now) -> bool {
        self.reachable_until(state, person, now).is_some()
    }

    /// Until when somebody has an app open, if nothing more is heard of it and its session goes on; none: they have not.
    pub(crate) fn reachable_until(&self, state: &State, person: PersonId, now: Now) -> Option<Mono> {
        let is_screen = state.people.get(&person).is_some_and(|entry| entry.station.is_some());
        let open = state.devices_of(person).filter(|device| self.is_open(device, is_screen));
        let until =
            open.filter_map(|device| Some(self.heard.last(device.id)?.after(limits::REACHABLE_MS + 1)));
        until.filter(|until| now.mono < *until).max()
    }

    /// Whoever has to enter a PIN first does not read it where it rings.
    fn is_open(&self, device: &Device, is_screen: bool) -> bool {
        self.held.contains_key(&device.id) && (is_screen || device.session_until.is_some())
    }
}
