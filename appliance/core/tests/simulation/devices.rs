//! Who hears of a person's devices: each of them at sign-in, and of a new one those that are being delivered to.

use wardline_core::ids::{Conn, DeviceId};
use wardline_core::limits;
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire::proto;
use wardline_core::wire::proto::event::Kind;
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::write::Write;

use crate::world::World;

impl World {
    /// Every sign-in and every new device of this turn tells what the reference knows, to whom it ought to.
    pub(crate) fn verify_devices(&self, turn: &Turn) -> Result<(), String> {
        for send in &turn.sends {
            if let Send::Reply { conn, body: Body::SignedIn(told), .. } = send {
                self.verify_listed(*conn, told)?;
            }
        }
        let joined = turn.writes.iter().filter_map(|numbered| match &numbered.write {
            // The box's own never was anywhere.
            Write::DeviceJoined(device) => {
                Some(device.id).filter(|_| self.reference.ward.alarms.the_box != Some(device.person))
            }
            _ => None,
        });
        let mut joined: Vec<DeviceId> = joined.collect();
        for send in &turn.sends {
            let Send::Fanout { event: Event::Small(kind), conns, .. } = send else { continue };
            let Kind::DeviceJoined(told) = &**kind else { continue };
            let at = joined.iter().position(|device| device.value() == told.device);
            let device = joined.remove(at.ok_or("told of a device that did not join, or twice")?);
            self.verify_told(device, conns)?;
        }
        // Nobody was told: then there is nobody to tell.
        joined.into_iter().try_for_each(|device| self.verify_told(device, &[]))
    }

    /// All of the person's connections that are delivered to, and nobody else's.
    fn verify_told(&self, joined: DeviceId, conns: &[Conn]) -> Result<(), String> {
        let device = self.reference.ward.device(joined).ok_or("a device of nobody joined")?;
        let mut wanted = self.reference.attached(device.person);
        wanted.sort_unstable();
        let mut found = conns.to_vec();
        found.sort_unstable();
        if wanted != found {
            return Err(format!("{found:?} hear of a new device, not {wanted:?}"));
        }
        Ok(())
    }

    /// All devices of this person that may sign in, and no other.
    fn verify_listed(&self, conn: Conn, told: &proto::SignedIn) -> Result<(), String> {
        let held = self.reference.ward.devices.iter();
        let held = held.filter(|device| device.person.value() == told.person && !device.revoked);
        let mut wanted: Vec<(u64, bool)> =
            held.map(|device| (device.id.value(), device.tries >= limits::PIN_TRIES_MAX)).collect();
        wanted.sort_unstable();
        let mut found: Vec<(u64, bool)> =
            told.devices.iter().map(|device| (device.device, device.pin_locked_out)).collect();
        found.sort_unstable();
        if wanted != found || told.devices.iter().any(|device| device.revoked) {
            return Err(format!("{conn} is told of the devices {found:?}, not {wanted:?}"));
        }
        if !found.iter().any(|(device, _)| *device == told.device)
            || found.len() > limits::DEVICES_PER_PERSON_MAX
        {
            return Err(format!("{conn} is told of {} devices, or not of its own", found.len()));
        }
        Ok(())
    }
}
