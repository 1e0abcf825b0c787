//! What may happen next: one step of chance at a time.

use wardline_core::ids::Conn;
use wardline_core::input::Zone;
use wardline_core::time::{Now, Wall};
use wardline_core::wire::proto;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body;

use crate::client::{Letter, Phase, REPLAY};
use crate::coverage::Situation;
use crate::reference::Phase as At;
use crate::trace::note;
use crate::world::{Arrival, Down, Stranger, World};

impl World {
    /// One step.
    pub(crate) fn step(&mut self) -> Result<(), String> {
        if self.random.permille(30)
            && let Some(ms) = self.until_an_agency_ends()
        {
            return self.pass(ms);
        }
        if self.random.permille(60) {
            self.family_goes_on();
        }
        self.bells_turn();
        let is_typed = |conn: &Conn| matches!(self.phase(*conn), Some(At::Clearing(..)));
        let often = if self.doors.keys().any(is_typed) { 150 } else { 4 };
        if !self.reference.lobby.pin_codes.is_empty()
            && self.random.permille(often)
            && let Some(thief) = self.some_thief()
        {
            for _ in 0..1 + self.random.below(5) {
                self.stranger(thief.clone());
            }
        }
        match self.random.below(1000) {
            0..330 => {
                let index = self.random.index(self.clients.len());
                self.client_acts(index);
            }
            330..520 => self.carry_up(),
            520..710 => self.carry_down()?,
            710..850 => self.batch()?,
            850..880 => {
                self.keeper_answers();
                if self.showing {
                    self.carry_bytes()?;
                }
            }
            880..910 => {
                self.keeper_answers();
                self.carry_bytes()?;
            }
            910..955 => {
                let ms = 1 + self.random.below(400);
                self.pass(ms)?;
            }
            955..961 => self.administer(),
            961..965 => self.feed(),
            965..985 => self.network_fails(),
            _ => self.world_turns()?,
        }
        self.dismiss_strangers();
        Ok(())
    }

    /// A client does what it has to do, or what comes to its person's mind.
    pub(crate) fn client_acts(&mut self, index: usize) {
        if self.clients[index].visits
            && self.clients[index].phase == Phase::Off
            && self.clients[index].device.is_none()
        {
            self.finds_a_code(index);
        }
        if self.clients[index].phase == Phase::PinDue && self.uses_passkey(index) {
            return self.post(index);
        }
        let person = self.person_of(index);
        let client = &mut self.clients[index];
        let rings = !client.rings.is_empty();
        match client.phase {
            Phase::PinDue if rings && self.random.permille(300) => self.tap_while_locked(index),
            Phase::Off => {
                if self.is_helped(index) {
                    return;
                }
                let client = &mut self.clients[index];
                if client.device.is_none() && client.code.is_none() {
                    if let Some(person) = person.filter(|_| !client.barred) {
                        self.local_ask(Ask::IssueJoinCode(proto::IssueJoinCode { person: person.value() }));
                    }
                } else if !client.barred || self.random.permille(100) {
                    self.connect(index);
                }
                return;
            }
            Phase::PinDue => {
                let client = &self.clients[index];
                let clumsy = client.clumsy;
                let wrong = self.random.permille(clumsy);
                let client = &mut self.clients[index];
                let pin = if wrong { "not the pin".to_owned() } else { client.pin.clone() };
                client.ask(Ask::Unlock(proto::Unlock { pin }));
                client.phase = Phase::PinSent;
            }
            Phase::In => client.sync(),
            Phase::Synced | Phase::Syncing => self.person_acts(index),
            Phase::Hello | Phase::Proof | Phase::PinSent => {}
        }
        self.clients[index].flush_outbox();
        self.post(index);
    }

    fn person_acts(&mut self, index: usize) {
        if self.clients[index].visits {
            return self.visitor_acts(index);
        }
        if self.hands_over(index) {
            return;
        }
        if self.random.permille(25) {
            return self.about_passkeys(index);
        }
        if self.about_bells(index) || self.refuses_cover(index) {
            return;
        }
        let me = self.people[self.clients[index].person];
        if self.random.permille(if self.on_call { 80 } else { 10 }) {
            return self.about_inboxes(index);
        }
        let about_broadcasts = self.about_broadcasts_permille(index);
        if self.random.permille(about_broadcasts) {
            return self.about_broadcasts(index);
        }
        if self.on_call && self.on_call_acts(index, me) {
            return;
        }
        let places: Vec<u64> = self.clients[index].inbox.places.keys().copied().collect();
        let place = self.random.pick(&places).copied();
        // There are few of them.
        let person = self.person_of(index).and_then(|id| self.reference.ward.person(id));
        let often = if self.showing { 500 } else { 250 };
        if person.is_some_and(|person| person.privacy_officer) && self.random.permille(often) {
            let me = self.person_of(index);
            if self.random.permille(100)
                && let Some(ask) = self.some_record_ask(index)
            {
                return self.clients[index].ask(ask);
            }
            let reads = self.reference.lobby.exports.iter().any(|export| Some(export.officer) == me);
            if self.random.permille(if reads || self.showing { 800 } else { 500 }) {
                return self.ask_about_exports(index);
            }
            return self.ask_about_holds(index);
        }
        if let Some(place) = place.filter(|_| self.showing && self.random.permille(350)) {
            return self.about_files(index, place);
        }
        if self.random.permille(15)
            && let Some(ask) = self.some_record_ask(index)
        {
            return self.clients[index].ask(ask);
        }
        if self.random.permille(70) {
            return self.about_tasks(index, place);
        }
        if self.random.permille(if self.ordering { 450 } else { 20 }) {
            return self.about_orders(index, place);
        }
        let dice = self.random.below(100);
        match (dice, place) {
            (0..20, Some(place)) => self.write_letter(index, place),
            (20..23, Some(place)) => self.react(index, place),
            (23..26, Some(place)) => self.about_files(index, place),
            (26..29, Some(place)) => self.about_messages(index, place),
            (29..35, _) => self.about_stats(index, place),
            (35..56, Some(place)) => {
                let read = self.random.permille(700);
                self.clients[index].receipt(place, read);
            }
            (56..62, Some(conversation)) => {
                let before = self.random.below(6);
                let limit = 1 + self.random.below(5) as u32;
                self.clients[index].ask(Ask::History(proto::History { conversation, before, limit }));
            }
            (62..68, Some(conversation)) => self.change_members(index, conversation),
            (68..71, _) => self.misbehave(index),
            (71, _) => self.clients[index].ask(Ask::Lock(proto::Lock {})),
            (72..74, _) => self.clients[index].ask(Ask::Active(proto::Active {})),
            (74..76, _) => self.clients[index].ask(Ask::ListPeople(proto::ListPeople { after: 0 })),
            (76..80, _) => self.fill_hole(index),
            (80..83, _) => self.administer_as(index),
            (83..91, _) => self.units_and_channels(index, place),
            (91..98, _) => self.patients_and_shifts(index),
            _ if places.len() < 5 => self.open(index),
            _ => {}
        }
    }

    pub(crate) fn fill_hole(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let under_way = client.asked.iter().any(|(_, ask)| matches!(ask, Ask::History(_)));
        if let Some((conversation, before)) = client.inbox.hole().filter(|_| !under_way) {
            client.ask(Ask::History(proto::History { conversation, before, limit: 10 }));
        }
    }

    pub(crate) fn write_letter(&mut self, index: usize, conversation: u64) {
        let message = self.random.bytes();
        let (priority, call) = self.some_priority(conversation);
        let reply_to = self.some_reply(index, conversation);
        let mentions = self.some_mentions(index, conversation);
        let client = &mut self.clients[index];
        if client.outbox.len() < 8 {
            let text = format!("{} says {}", client.name, u64::from_be_bytes(first8(&message)));
            let (number, under_way, tries) = (None, false, 0);
            let letter = Letter {
                number,
                message,
                conversation,
                text,
                priority,
                call,
                reply_to,
                mentions,
                files: Vec::new(),
                order: None,
                composed: None,
                under_way,
                tries,
            };
            client.outbox.push_back(letter);
            if client.is_in() && self.random.permille(400) {
                self.clients[index].compose();
            }
            if self.random.permille(50) {
                self.coverage.reach(Situation::NumberSkipped);
                self.clients[index].next_number += 1;
            }
        }
    }

    fn open(&mut self, index: usize) {
        let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        if self.random.permille(500) {
            if let Some(person) = self.random.pick(&people).copied() {
                self.clients[index].ask(Ask::OpenDirect(proto::OpenDirect { person }));
            }
        } else {
            let some: Vec<u64> = people.into_iter().filter(|_| self.random.permille(500)).collect();
            let title = "4 West".to_owned();
            self.clients[index].ask(Ask::OpenGroup(proto::OpenGroup { title, people: some }));
        }
    }

    fn change_members(&mut self, index: usize, conversation: u64) {
        let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
        let pick = |world: &mut Self| world.random.pick(&people).copied().into_iter().collect::<Vec<u64>>();
        let add = if self.random.permille(700) { pick(self) } else { Vec::new() };
        let remove = if self.random.permille(400) { pick(self) } else { Vec::new() };
        let purged = self.clients[index].inbox.places.get(&conversation).is_some_and(|place| place.purged);
        let me = self.person_of(index).filter(|_| purged);
        let (add, remove) = match me {
            Some(me) => (Vec::new(), vec![me.value()]),
            None => (add, remove),
        };
        self.clients[index].ask(Ask::ChangeMembers(proto::ChangeMembers { conversation, add, remove }));
    }

    /// What a broken or hostile client does.
    fn misbehave(&mut self, index: usize) {
        let cursors: Vec<[u8; 16]> = self.cursors.keys().copied().collect();
        let device = self.clients[index].device;
        let sent =
            device.and_then(|device| self.reference.ward.device(device)).map(|device| device.sent.clone());
        let old = self.random.pick(&sent.unwrap_or_default()).copied();
        let message: [u8; 16] = self.random.bytes();
        let dice = self.random.below(5);
        let made_up: [u8; 16] = self.random.bytes();
        let any = self.random.pick(&cursors).copied();
        let place = self.store.state.conversations.keys().next().map(|id| id.value());
        let old_text = old.and_then(|(number, _)| self.store.text_under(device?, number));
        let client = &mut self.clients[index];
        match (dice, old, place) {
            (0, Some((number, name)), Some(conversation)) => client.ask(Ask::Submit(proto::Submit {
                number: number.0,
                message: name.0.to_vec(),
                conversation,
                text: old_text.unwrap_or_else(|| REPLAY.to_owned()),
                ..proto::Submit::default()
            })),
            (1, Some((number, _)), Some(conversation)) => client.ask(Ask::Submit(proto::Submit {
                number: number.0,
                message: message.to_vec(),
                conversation,
                text: "another under an old number".to_owned(),
                ..proto::Submit::default()
            })),
            (2, ..) => client.ask(Ask::Sync(proto::Sync { cursor: made_up.to_vec() })),
            (3, ..) => {
                if let Some(cursor) =
                    any.filter(|c| self.cursors.get(c).is_some_and(|(d, _)| Some(*d) != device))
                {
                    client.ask(Ask::Sync(proto::Sync { cursor: cursor.to_vec() }));
                }
            }
            (4, _, Some(conversation)) => {
                // Somebody else's conversation, perhaps.
                let number = client.next_number;
                client.next_number += 1;
                let (message, text) = (message.to_vec(), "let me in".to_owned());
                client.ask(Ask::Submit(proto::Submit {
                    number,
                    message,
                    conversation,
                    text,
                    ..proto::Submit::default()
                }));
            }
            _ => {}
        }
    }

    /// The client's person tries to administer.
    fn administer_as(&mut self, index: usize) {
        if let Some(body) = self.act_of_administration() {
            self.clients[index].ask(body);
        }
    }

    fn administer(&mut self) {
        let officer = self.reference.ward.people.iter().any(|person| person.privacy_officer);
        if !officer && self.random.permille(if self.showing { 400 } else { 60 }) {
            let people: Vec<u64> = self.people.iter().flatten().map(|person| person.value()).collect();
            if let Some(person) = self.random.pick(&people).copied() {
                let (administrator, privacy_officer) = (false, true);
                self.local_ask(Ask::SetDuties(proto::SetDuties { person, administrator, privacy_officer }));
            }
            return;
        }
        let of_roles = if self.on_call && self.random.permille(250) { self.some_on_call_ask() } else { None };
        if let Some(body) = of_roles.or_else(|| self.act_of_administration()) {
            self.local_ask(body);
        }
    }

    fn act_of_administration(&mut self) -> Option<Ask> {
        // Mostly about the facility's own.
        let all = self.random.permille(250);
        let people = self.people.iter().flatten().filter(|who| all || !self.reference.is_hired(**who));
        let people: Vec<u64> = people.map(|person| person.value()).collect();
        let person = self.random.pick(&people).copied()?;
        // Whoever was offered a role, now and then: there are few of them.
        let offers = self.reference.ward.roles.iter().flat_map(|role| &role.offers);
        let offered: Vec<u64> = offers.map(|offer| offer.taker.value()).collect();
        let offered = self.random.pick(&offered).copied().filter(|_| self.random.permille(300));
        let person = offered.unwrap_or(person);
        Some(match self.random.below(100) {
            0..8 => Ask::RevokeDevice(proto::RevokeDevice { device: self.any_device()?.value() }),
            8..20 => Ask::SetStanding(proto::SetStanding { person, suspended: true }),
            20..52 => Ask::SetStanding(proto::SetStanding { person, suspended: false }),
            52..56 => Ask::Suspend(proto::Suspend { person }),
            56..68 => {
                let waiting = self.reference.ward.people.iter().filter(|person| person.waits.is_some());
                let waiting: Vec<u64> = waiting.map(|person| person.id.value()).collect();
                let person = self.random.pick(&waiting).copied().unwrap_or(person);
                Ask::DecideSuspension(proto::DecideSuspension {
                    person,
                    confirmed: self.random.permille(500),
                })
            }
            68..70 => Ask::ListSuspensions(proto::ListSuspensions { after: 0 }),
            70..76 => {
                let places: Vec<u64> = self.store.state.conversations.keys().map(|id| id.value()).collect();
                let held = places.iter().copied().filter(|place| self.is_held(*place));
                let held: Vec<u64> = held.collect();
                let any = self.random.pick(&places).copied()?;
                let of_those = self.random.permille(500);
                let conversation = self.random.pick(&held).copied().filter(|_| of_those).unwrap_or(any);
                Ask::PurgeConversation(proto::PurgeConversation { conversation })
            }
            76..82 => return self.some_post(person).map(Ask::SetPost),
            82..84 => self.some_duties(person),
            84..86 => self.some_unit(),
            86 if self.random.permille(700) => return self.some_clearing(None),
            86 => Ask::ListDevices(proto::ListDevices { person }),
            87 if self.random.permille(400) => self.some_attachment_policy(),
            87 => self.some_retention(),
            88 if self.random.permille(400) => self.some_alarm_ask(),
            88..90 => return self.some_escalation().map(Ask::SetEscalation),
            90 if self.random.permille(250) => self.some_cover_policy(),
            90 if self.random.permille(500) => self.some_announcer_ask(person),
            90 => self.some_template_ask(),
            91..94 => return self.some_role_ask(None),
            94..96 => return self.some_agency_ask(None),
            _ => Ask::IssueJoinCode(proto::IssueJoinCode { person }),
        })
    }

    /// A frame reaches the box.
    pub(crate) fn carry_up(&mut self) {
        for _ in 0..3 {
            let ready = self.links.iter().filter(|(_, link)| !link.stalled && !link.up.is_empty());
            let ready: Vec<u64> = ready.map(|(conn, _)| *conn).collect();
            let Some(conn) = self.random.pick(&ready).copied() else { return };
            let frame = self.links.get_mut(&conn).and_then(|link| link.up.pop_front());
            self.waiting.extend(frame.map(|bytes| (Conn(conn), Arrival::Bytes(bytes))));
        }
    }

    /// A frame reaches a client.
    pub(crate) fn carry_down(&mut self) -> Result<(), String> {
        for _ in 0..3 {
            let ready = self.links.iter().filter(|(_, link)| !link.stalled && !link.down.is_empty());
            let ready: Vec<u64> = ready.map(|(conn, _)| *conn).collect();
            let Some(conn) = self.random.pick(&ready).copied() else { return Ok(()) };
            self.deliver_one(conn)?;
        }
        Ok(())
    }

    fn deliver_one(&mut self, conn: u64) -> Result<(), String> {
        let Some(link) = self.links.get_mut(&conn) else { return Ok(()) };
        let index = link.client;
        match link.down.pop_front() {
            None => {}
            Some(Down::Close(code)) => {
                note!(self, "{} hears the end of c{conn}: {code}", self.clients[index].name);
                self.cut(conn, true);
            }
            Some(Down::Frame(bytes)) => {
                let frame: proto::ServerFrame = prost::Message::decode(&bytes[wardline_core::wire::PREFIX..])
                    .map_err(|error| format!("a frame that is none: {error}"))?;
                let dies = matches!(&frame.body, Some(Body::SignedIn(told)) if !told.login_secret.is_empty());
                if dies && self.faults && self.random.permille(60) {
                    // Before it has written down what it was given.
                    self.cut(conn, true);
                    return self.pump();
                }
                let exporter = crate::toys::exporter(conn);
                self.note_frame(index, &frame);
                let client = &mut self.clients[index];
                let result = client.receive(frame, &exporter, &mut self.coverage);
                result.map_err(|error| format!("{}: {error}", client.name))?;
                self.acked.append(&mut client.acked);
                self.bedside.append(&mut client.bedside);
                client.flush_outbox();
                for (person, code) in std::mem::take(&mut self.clients[index].pin_codes) {
                    self.pin_code_given(person, &code);
                }
                self.post(index);
            }
        }
        self.pump()
    }

    /// The keeper is done with one PIN, or gives up.
    pub(crate) fn keeper_answers(&mut self) {
        if self.keeper.is_empty() {
            return;
        }
        let (conn, mac) = self.keeper.swap_remove(self.random.index(self.keeper.len()));
        // Of another PIN there are few.
        let clears = matches!(self.phase(conn), Some(At::Clearing(..)));
        let silent = self.faults && self.random.permille(if clears { 300 } else { 60 });
        self.waiting.push_back((conn, Arrival::PinMac((!silent).then_some(mac))));
    }

    fn network_fails(&mut self) {
        let conns: Vec<u64> = self.links.keys().copied().collect();
        let Some(conn) = self.random.pick(&conns).copied() else { return };
        match self.random.below(10) {
            0..3 => self.cut(conn, true),
            // The box believes for a while that it is still there.
            3..5 => self.cut(conn, false),
            5 => {
                let zone = *self
                    .random
                    .pick(&[Zone::Ward, Zone::Ward, Zone::Admin, Zone::Guest])
                    .unwrap_or(&Zone::Ward);
                self.waiting.push_back((Conn(conn), Arrival::Moved(zone)));
            }
            _ => {
                if let Some(link) = self.links.get_mut(&conn) {
                    link.stalled = !link.stalled;
                }
            }
        }
    }

    /// Rare things.
    fn world_turns(&mut self) -> Result<(), String> {
        if self.step_over_a_shift() || self.step_over_a_day() {
            return Ok(());
        }
        match self.random.below(60) {
            0..5 => {
                let ms = 5_000 + self.random.below(55_000);
                self.pass(ms)
            }
            5..7 => {
                let ms = 60_000 + self.random.below(400_000);
                self.pass(ms)
            }
            7 | 8 => {
                let ms = 1_200_000 + self.random.below(900_000);
                self.pass(ms)
            }
            9..14 => {
                self.step_clock();
                Ok(())
            }
            14..20 => {
                self.disk_low = !self.disk_low;
                if !self.disk_low {
                    self.coverage.reach(Situation::DiskRecovered);
                }
                let low = if self.random.permille(500) { 1 << 20 } else { 40 << 20 };
                let free = if self.disk_low { low } else { 1 << 40 };
                self.waiting.push_back((self.local, Arrival::Disk(free)));
                Ok(())
            }
            30..34 => {
                self.look_at_the_box();
                Ok(())
            }
            20 => {
                self.waiting.push_back((self.local, Arrival::Drain));
                while !self.waiting.is_empty() {
                    self.batch()?;
                }
                self.crash()
            }
            21..24 => {
                // A roaming building: everybody stalls or comes back.
                let stalled = self.random.permille(500);
                self.links.values_mut().for_each(|link| link.stalled = stalled);
                Ok(())
            }
            24..27 if self.copying => {
                self.copies_a_profile();
                Ok(())
            }
            24..28 => {
                self.suspend_while_checking();
                Ok(())
            }
            28..30 if self.random.permille(30) => {
                let twin = self.random.index(self.clients.len());
                for _ in 0..110 {
                    self.stranger(Stranger::Twin(twin));
                }
                Ok(())
            }
            28..30 if self.random.permille(60) => {
                for _ in 0..110 {
                    self.stranger(Stranger::Guess("AAAAAAAAAA".to_owned()));
                }
                Ok(())
            }
            _ => {
                if let Some(stranger) = self.some_stranger() {
                    self.stranger(stranger);
                }
                Ok(())
            }
        }
    }

    /// Somebody is put out just while the keeper looks at their PIN.
    fn suspend_while_checking(&mut self) {
        let Some((conn, _)) = self.keeper.first() else { return };
        let Some(link) = self.links.get(&conn.0) else { return };
        let client = &self.clients[link.client];
        let body = match (client.device, self.person_at(client)) {
            (Some(device), _) if self.random.permille(500) => {
                Ask::RevokeDevice(proto::RevokeDevice { device: device.value() })
            }
            (_, Some(person)) => {
                Ask::SetStanding(proto::SetStanding { person: person.value(), suspended: true })
            }
            _ => return,
        };
        self.local_ask(body);
    }

    fn some_stranger(&mut self) -> Option<Stranger> {
        Some(match self.random.below(20) {
            0..2 => Stranger::Guess("BADC0DEBAD".to_owned()),
            2..6 => Stranger::Guess(self.random.pick(&self.old_codes)?.clone()),
            6..8 => Stranger::Forge(self.any_device()?),
            8..14 => Stranger::Twin(self.random.index(self.clients.len())),
            14 => Stranger::OutOfTurn,
            15 if self.random.permille(300) => Stranger::FromTheFuture,
            15 => self.some_thief()?,
            16 => Stranger::Guest,
            _ => Stranger::Silent,
        })
    }

    /// Ahead, so that a shift is over whose holder has had a STAT of its patients for long.
    fn step_over_a_shift(&mut self) -> bool {
        let ward = &self.reference.ward;
        let thread_of = |id| ward.clinic.stay(id).map(|stay| stay.thread);
        let holds = |shift: &crate::reference_patients::Shift| {
            let mut threads = shift.met.iter().filter_map(|met| thread_of(*met));
            threads.any(|thread| {
                ward.stats.iter().any(|stat| stat.place == thread && stat.is_taken_by(shift.person))
            })
        };
        let held = ward.clinic.shifts.iter().any(holds);
        if held && self.random.permille(400) {
            let by = 1_800_000 + self.random.below(3_600_000) as i64;
            self.now = Now { mono: self.now.mono, wall: Wall(self.now.wall.0 + by) };
            self.coverage.reach(Situation::ClockSteppedForward);
            return true;
        }
        false
    }

    /// Ahead, so that somebody's suspension has waited for a day.
    fn step_over_a_day(&mut self) -> bool {
        let waits = |person: &crate::reference::Person| matches!(person.waits, Some((.., false)));
        let ahead = self.reference.ward.people.iter().any(waits) && self.random.permille(100);
        if ahead {
            self.now = Now { mono: self.now.mono, wall: Wall(self.now.wall.0 + 86_400_000) };
            self.coverage.reach(Situation::ClockSteppedForward);
        }
        ahead
    }

    fn step_clock(&mut self) {
        if self.random.permille(40) {
            // A dead battery, a wrong server: ten years, there or back.
            self.coverage.reach(Situation::ClockYearsAhead);
            let ahead = self.now.wall.0 > 1_900_000_000_000;
            let by = if ahead { -315_576_000_000 } else { 315_576_000_000 };
            self.now.wall = Wall(self.now.wall.0 + by);
            return;
        }
        let most = if self.random.permille(500) { 60_000 } else { 3_600_000 };
        let by = 1 + self.random.below(most);
        let back = self.random.permille(500);
        let wall = if back { self.now.wall.0 - by as i64 } else { self.now.wall.0 + by as i64 };
        self.coverage.reach(if back { Situation::ClockSteppedBack } else { Situation::ClockSteppedForward });
        self.now = Now { mono: self.now.mono, wall: Wall(wall) };
    }
}

fn first8(bytes: &[u8; 16]) -> [u8; 8] {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[..8]);
    eight
}
