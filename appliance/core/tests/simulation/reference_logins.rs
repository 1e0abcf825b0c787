//! The reference's rules for login secrets: two of them, and whoever presents neither is a second holder.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{Conn, DeviceId, PersonId};
use wardline_core::login::{Login, SecretHash};
use wardline_core::refusal::CloseCode;
use wardline_core::wire::proto::RefusalCode as Code;

use crate::reference::{Expected, Phase, Reference};

impl Reference {
    pub(crate) fn said_hello(&mut self, conn: Conn) {
        let given = self.lobby.given.len();
        if let Some(link) = self.link_mut(conn) {
            link.given = given;
        }
    }

    /// None: the device may go on.
    pub(crate) fn is_not_only_holder(&mut self, conn: Conn, id: DeviceId, login: &Login) -> Option<Expected> {
        let device = self.ward.device(id)?;
        let person = device.person;
        let Some((current, offered)) = device.secrets else {
            self.offered(conn, None, login);
            return None;
        };
        let presented = login.presented.secret;
        let hello = self.link(conn)?.given;
        let newest = if offered.is_some() { offered } else { current };
        let is_late = presented != newest && self.lobby.given[hello..].contains(&id);
        if is_late {
            return Some(self.turn_away(conn, Code::Unavailable));
        }
        if presented == current || presented == newest {
            let next = SecretHash::of(&login.next);
            if let Some(link) = self.link_mut(conn) {
                link.offer = Some((presented, next));
            }
            return None;
        }
        if let Some(device) = self.ward.device_mut(id) {
            device.revoked = true;
            device.passkeys.clear();
        }
        let mut expected = self.turn_away(conn, Code::DeviceCopied);
        expected.audits.push((Actor::TheBox, Act::DeviceCopied(person, id)));
        self.expel(&[id], &mut expected);
        Some(expected)
    }

    /// The first one, if the device wants any.
    pub(crate) fn offered(&mut self, conn: Conn, before: Option<SecretHash>, login: &Login) {
        let next = SecretHash::of(&login.next);
        if let Some(link) = self.link_mut(conn) {
            link.offer = login.presented.rotates.then_some((before, next));
        }
    }

    /// Signed in: the next secret, and nobody waits with an older one.
    pub(crate) fn give_secret(&mut self, conn: Conn, id: DeviceId, expected: &mut Expected) {
        let Some((presented, next)) = self.link_mut(conn).and_then(|link| link.offer.take()) else { return };
        let waits = |link: &&crate::reference::Link| {
            matches!(link.phase, Phase::PinDue(other) | Phase::PinChecking(other, _) if other == id)
                && link.deadline.is_some()
                && link.conn != conn
        };
        let older: Vec<Conn> = self.lobby.links.iter().filter(waits).map(|link| link.conn).collect();
        for older in older {
            self.close(older, CloseCode::SUPERSEDED, expected);
        }
        if let Some(link) = self.link_mut(conn) {
            link.silent = true;
        }
        self.lobby.given.push(id);
        if let Some(device) = self.ward.device_mut(id) {
            device.secrets = Some((presented, Some(next)));
        }
    }

    /// Something is asked: the secret that was given has been written down. Whether this was the first thing.
    pub(crate) fn has_spoken(&mut self, conn: Conn) -> bool {
        let Some(link) = self.link_mut(conn).filter(|link| link.silent) else { return false };
        link.silent = false;
        let (Phase::In(id) | Phase::PinDue(id) | Phase::PinChecking(id, _)) = link.phase else {
            return false;
        };
        self.lobby.given.push(id);
        if let Some(device) = self.ward.device_mut(id)
            && let Some((current, offered)) = &mut device.secrets
        {
            (*current, *offered) = (offered.take(), None);
        }
        true
    }

    /// Every connection on which this person's devices ring, and those of whoever is in charge of them.
    pub(crate) fn hear_of_copy(&self, person: PersonId) -> Vec<Conn> {
        let owner = self.ward.person(person);
        let in_charge = |other: PersonId| {
            let Some((owner, other)) = owner.zip(self.ward.person(other)) else { return false };
            let leads = |unit| other.posts.iter().any(|(at, leads)| *at == unit && *leads);
            other.administrator || owner.posts.iter().any(|(unit, _)| leads(*unit))
        };
        let hears = |link: &&crate::reference::Link| {
            let (Phase::In(id) | Phase::PinDue(id) | Phase::PinChecking(id, _)) = link.phase else {
                return false;
            };
            self.ward.device(id).is_some_and(|device| {
                let theirs = device.person == person || in_charge(device.person);
                theirs && !device.revoked && !self.is_out(device.person)
            })
        };
        self.lobby.links.iter().filter(hears).map(|link| link.conn).collect()
    }

    fn is_out(&self, person: PersonId) -> bool {
        self.ward.is_out(person)
    }
}
