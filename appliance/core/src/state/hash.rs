//! The state in one number.

use sha2::{Digest, Sha256};

use super::State;

impl State {
    /// SHA-256 over everything above in a fixed order: two states are the same exactly when this is.
    pub fn canonical_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut part = |bytes: Result<Vec<u8>, _>| {
            let bytes: Vec<u8> = match bytes {
                Ok(bytes) => bytes,
                Err::<_, minicbor::encode::Error<std::convert::Infallible>>(never) => {
                    unreachable!("encoding into memory: {never}")
                }
            };
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(&bytes);
        };
        for person in self.people.values() {
            part(minicbor::to_vec(person));
        }
        for unit in self.units.values() {
            part(minicbor::to_vec(unit));
        }
        for role in self.roles.values() {
            part(minicbor::to_vec(role));
        }
        for device in self.devices.values() {
            part(minicbor::to_vec(device));
        }
        for code in self.codes.values() {
            part(minicbor::to_vec(code));
        }
        for c in self.conversations.values() {
            part(minicbor::to_vec((
                c.id,
                c.kind,
                &c.title,
                c.owner,
                c.changed,
                c.last,
                c.last_change,
                c.first,
            )));
            part(minicbor::to_vec((c.purged, c.unit, c.archived, c.noticed)));
            for (person, m) in &c.members {
                part(minicbor::to_vec((person, m.from, m.delivered, m.read, m.left, m.changed)));
            }
        }
        self.clinic.encode(&mut part);
        self.family.encode(&mut part);
        self.inboxes.encode(&mut part);
        self.broadcasts.encode(&mut part);
        part(minicbor::to_vec((self.change, self.audited, self.last_at)));
        part(minicbor::to_vec(&self.marks));
        for escalation in self.escalations.values() {
            part(minicbor::to_vec(escalation));
        }
        for wait in self.urgents.all() {
            part(minicbor::to_vec(wait));
        }
        part(minicbor::to_vec(&self.policies));
        part(minicbor::to_vec(&self.templates));
        for task in self.tasks.all() {
            part(minicbor::to_vec(task));
        }
        for order in self.orders.all() {
            part(minicbor::to_vec(order));
        }
        part(minicbor::to_vec(self.orders.policies()));
        part(minicbor::to_vec(&self.availability));
        part(minicbor::to_vec(&self.bells));
        part(minicbor::to_vec(&self.alarms));
        part(minicbor::to_vec(self.retention));
        part(minicbor::to_vec((&self.uploads.open, self.uploads.policy)));
        for hold in self.holds.values() {
            part(minicbor::to_vec(hold));
        }
        hash.finalize().into()
    }
}
