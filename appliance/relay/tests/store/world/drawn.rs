//! More of what the dice throw: what waits to be seen, what rings, and values that are drawn from one number.

use wardline_core::agency::Agency;
use wardline_core::alarm::{Alarm, AlarmKind, AlarmWrite, Told};
use wardline_core::availability::{Availability, Hours, Quiet};
use wardline_core::bell::{Bell, BellWrite};
use wardline_core::directory::Person;
use wardline_core::escalation::StatId;
use wardline_core::escalation::policy::{Dial, EscalationPolicy, Ring};
use wardline_core::ids::{ConversationId, DeviceId, PersonId, Sequence, UnitId};
use wardline_core::rota::TimeZone;
use wardline_core::template::Templates;
use wardline_core::text::Name;
use wardline_core::time::Wall;
use wardline_core::urgent::{UrgentWait, UrgentWrite};
use wardline_core::wire::proto;
use wardline_core::write::Write;

use super::{World, mix, nth};

impl World {
    /// A message that waits to be seen, and one that does no more.
    pub(crate) fn urgent(&mut self, conversation: ConversationId, how: u64) {
        let last = self.state.conversations[&conversation].last;
        let sender = nth(self.state.people.keys().copied(), how);
        if let Some(sender) =
            sender.filter(|_| last > Sequence::NONE && !self.state.conversations[&conversation].purged)
        {
            let id = StatId { conversation, sequence: last };
            self.write(Write::Urgent(UrgentWrite::Waits(UrgentWait { id, sender, at: Wall(how as i64) })));
        }
        if how.is_multiple_of(2)
            && let Some(id) = nth(self.state.urgents.all().map(|wait| wait.id), how / 2)
        {
            self.write(Write::Urgent(UrgentWrite::Over(id)));
        }
    }

    /// A closed app that can be rung, or no more.
    pub(crate) fn bell(&mut self, device: DeviceId, how: u64) {
        let held = &self.state.devices[&device];
        let (person, is_revoked) = (held.person, held.revoked);
        // Nobody signs in there any more, who could ask for one.
        let is_lost = is_revoked || self.state.people[&person].suspended;
        let write = match how % 8 {
            _ if !self.state.bells.on => BellWrite::PolicySet(true),
            0 => BellWrite::PolicySet(false),
            1 => BellWrite::Cleared(device),
            _ if is_lost => BellWrite::Cleared(device),
            _ => {
                let endpoint = format!("https://push.example.net/p/{how}");
                let bell = Bell::parse(endpoint, &[4; 65], &[how as u8; 16]).unwrap();
                BellWrite::Set { device, person, bell }
            }
        };
        self.write(Write::Bell(write));
    }

    /// The box tells somebody what is wrong with it, or that it is so no more.
    pub(crate) fn alarm(&mut self, how: u64) {
        let Some(role) = nth(self.state.roles.keys().copied(), how) else { return };
        if !self.state.people.values().any(|person| person.the_box) {
            let Some(first) = self.state.people.values().next().cloned() else { return };
            let id = PersonId::from_random(mix(how ^ 0xb0c5).to_be_bytes());
            if self.state.people.contains_key(&id) {
                return;
            }
            let (posts, agency, station) = Default::default();
            let entry = Person { id, the_box: true, suspended: true, posts, agency, station, ..first };
            self.write(Write::PersonAdded(entry));
            self.device(id, how);
        }
        let kind = nth(AlarmKind::ALL.into_iter(), how / 8).expect("there are some");
        let place = self.state.conversations.values().find(|place| !place.purged && place.last.0 > 0);
        let write = match (how % 8, place) {
            (0, _) => AlarmWrite::RoleSet(Some(role).filter(|_| how.is_multiple_of(16))),
            (1..4, _) => AlarmWrite::Over(kind),
            (_, Some(place)) => AlarmWrite::Told(Told {
                alarm: Alarm { kind, level: 1 + (how % 3) as u32 },
                at: Wall(self.clock),
                place: StatId { conversation: place.id, sequence: place.last },
            }),
            _ => return,
        };
        self.write(Write::Alarm(write));
    }
}

pub(super) fn agency(id: PersonId, unit: Option<UnitId>, now: i64) -> Option<Agency> {
    let unit = unit.filter(|_| id.value().is_multiple_of(3))?;
    let name = Name::parse(&format!("Agency {}", id.value() % 4)).unwrap();
    let (since, until) = (Wall(now), Wall(now + 1_000));
    Some(Agency { name, unit, since, until, ended: None, extensions: Vec::new() })
}

pub(super) fn availability(how: u64) -> Availability {
    if how.is_multiple_of(5) {
        return Availability::default();
    }
    let hours = vec![Hours { days: 1 + (how % 127) as u8, from: (how % 700) as u16, to: 1_000 }];
    Availability {
        undisturbed: None,
        quiet: Some(Quiet::new(TimeZone::utc(), hours).unwrap()),
        number: Dial::parse(&format!("55{}", how % 100)).unwrap(),
    }
}

pub(super) fn templates(how: u64) -> Templates {
    let replies = (0..how % 3).map(|at| format!("Reply {how} {at}")).collect();
    Templates::from_wire(&proto::TemplateSet { unit: 0, replies, templates: Vec::new() }).unwrap()
}

pub(super) fn policy(how: u64) -> EscalationPolicy {
    let later = [(Ring::ChargeNurses, 30), (Ring::UnitStaff, 90)];
    let dial = Dial::parse(&format!("44{}", how % 100)).unwrap();
    EscalationPolicy::new(60, &later[..(how % 3) as usize], dial).unwrap()
}
