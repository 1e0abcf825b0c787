//! What becomes of sends: answers, and a bounded lane of deliveries for each connection. A lane that is full drops
//! nothing: the connection goes back to reading the store from the last change that it was sent.

use wardline_core::cursor::Cursor;
use wardline_core::escalation::StatId;
use wardline_core::grant::{PageGrant, Right};
use wardline_core::ids::{Change, Conn, DeviceId, RequestId, Sequence};
use wardline_core::limits;
use wardline_core::mailbox::{self, Again, Under};
use wardline_core::turn::{Accepted, Event, Send};
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::wire::{self, proto};

use crate::coverage::Situation;
use crate::reference::Phase;
use crate::toys;
use crate::trace::note;
use crate::world::{Arrival, Down, Mode, Out, World};

/// Deliveries that wait for one connection before it goes back to the store.
const LANE: usize = 6;
/// Frames in flight to one client.
const WINDOW: usize = 4;
/// Missed messages up to which a cursor is caught up message by message.
const CATCH_UP: usize = 8;

fn reply(request: RequestId, body: Body) -> Out {
    Out::Reply(wire::encode_frame(&proto::ServerFrame { request: request.0, body: Some(body) }))
}

impl World {
    /// Does what one send asks.
    pub(crate) fn perform(&mut self, send: Send) -> Result<(), String> {
        match send {
            Send::Reply { conn, request, body } => self.reply(conn, request, body),
            Send::Welcome { conn, request, expect, welcome } => {
                let challenge = welcome.challenge.clone();
                if let Some(door) = self.doors.get_mut(&conn) {
                    door.expect = Some(expect);
                }
                self.stranger_welcomed(conn, &challenge);
                self.reply(conn, request, Body::Welcome(welcome));
            }
            Send::RingBell { device, bell } => self.push(device, bell),
            Send::PasskeyChallenge { conn, request, expect, told } => {
                if let Some(door) = self.doors.get_mut(&conn) {
                    door.passkey = Some(expect);
                }
                self.reply(conn, request, Body::PasskeyChallenge(told));
            }
            Send::StretchPin { conn, person, device, salt } => {
                let Some(door) = self.doors.get_mut(&conn) else { return Ok(()) };
                let pin =
                    door.pin.take().ok_or_else(|| format!("{conn}: a PIN to stretch, and none at hand"))?;
                self.keeper.push((conn, toys::pin_mac((person, device), &salt, pin.reveal())));
            }
            Send::Accepted(accepted) => self.acknowledge(&accepted)?,
            Send::AnswerAgain { conn, request, device, number, message } => {
                let stored = self.store.numbered(device, number).map(Clone::clone);
                match mailbox::answer_again(stored.clone().map(|stored| stored.id), message) {
                    Ok(()) => {
                        let Under::Message(stored) = stored else {
                            return Err("answered out of nothing".to_owned());
                        };
                        // No cursor: what lies between this old message and now may not have been sent.
                        let accepted = proto::Accepted {
                            number: number.0,
                            message: message.0.to_vec(),
                            conversation: stored.conversation.value(),
                            sequence: stored.sequence.0,
                            at: stored.at.0,
                            cursor: Vec::new(),
                        };
                        self.queue(conn, Out::Accepted(request, accepted));
                    }
                    Err(Again::Fault(fault)) => {
                        self.coverage.reach(Situation::NumberReusedFaulted);
                        self.waiting.push_back((conn, Arrival::Fault(fault)));
                    }
                    Err(Again::Refusal(refusal)) => {
                        if stored == Under::Deleted {
                            self.coverage.reach(Situation::NumberForgotten);
                        }
                        if let Send::Reply { conn, request, body } =
                            wardline_core::relay::refused(conn, request, refusal)
                        {
                            self.reply(conn, request, body);
                        }
                    }
                }
            }
            Send::Fanout { change, event, conns } => self.fan_out(change, event, &conns)?,
            Send::Attach { conn, request, grant, device, after } => {
                self.attach(conn, request, grant.person(), device, after);
            }
            Send::Detach { conn } => self.detach(conn),
            Send::ReadPage { conn, request, grant } => self.read_page(conn, request, &grant)?,
            Send::Close { conn, code } => {
                if let Some(door) = self.doors.get_mut(&conn) {
                    door.closing = true;
                }
                self.queue(conn, Out::Close(code));
            }
            Send::OpenUpload { conn, request, grant } => {
                self.open_stream(conn, &grant);
                let begun = proto::UploadBegun { done: grant.is_done() };
                self.reply(conn, request, Body::UploadBegun(begun));
            }
            Send::OpenAttachment { conn, request, grant } => {
                self.read_attachment(&grant)?;
                self.reply(conn, request, Body::Done(proto::Done {}));
            }
            Send::FindAged(bounds) => {
                for (conversation, read, any) in self.store.aged(&bounds) {
                    self.waiting.push_back((self.local, Arrival::Aged(conversation, read, any)));
                }
            }
            Send::ReadExport { conn, request, grant } => self.read_export(conn, request, &grant)?,
            // The log is the store's, and how the box is the relay's: their own tests have both.
            Send::ReadAudit { conn, request, .. } => {
                self.reply(conn, request, Body::AuditPage(proto::AuditPage::default()));
            }
            Send::TellHealth { conn, request } => {
                self.reply(conn, request, Body::BoxHealth(proto::BoxHealth::default()));
            }
            Send::WebCertificate { conn, request, .. } => {
                self.reply(conn, request, Body::WebCertificate(proto::WebCertificate::default()));
            }
            // Nor figures: the relay's own tests have those.
            Send::CountStats { conn, request, .. } => {
                self.reply(conn, request, Body::StatLoad(proto::StatLoad::default()));
            }
            // The simulation has no index and counts nothing: `tests/searching.rs` and the relay's own tests do.
            Send::CountAged { conn, request, .. } => {
                self.reply(conn, request, Body::RetentionPreview(proto::RetentionPreview::default()));
            }
            Send::ScrubLog | Send::Search { .. } => {}
        }
        Ok(())
    }

    fn queue(&mut self, conn: Conn, out: Out) {
        if let Some(door) = self.doors.get_mut(&conn) {
            door.lane.out.push_back(out);
        }
    }

    pub(crate) fn reply(&mut self, conn: Conn, request: RequestId, body: Body) {
        if conn == self.local {
            self.local_answer(request, &body);
        } else if self.doors.get(&conn).is_some_and(|door| door.stranger.is_some()) {
            self.stranger_answered(conn, &body);
        } else {
            self.queue(conn, reply(request, body));
        }
    }

    /// Seals a cursor and remembers whose it is.
    fn seal(&mut self, device: DeviceId, change: Change) -> Cursor {
        let cursor = self.relay.cursors().seal(device, change);
        self.cursors.insert(cursor.0, (device, change));
        cursor
    }

    fn acknowledge(&mut self, accepted: &Accepted) -> Result<(), String> {
        if !self.store.find(&accepted.message.0).contains(&(accepted.conversation, accepted.sequence)) {
            return Err(format!(
                "acknowledged and not in the store: {} of {}",
                accepted.sequence.0, accepted.conversation
            ));
        }
        let mut live = None;
        if let Some(door) = self.doors.get_mut(&accepted.conn)
            && let Mode::Live { device, sent, .. } = &mut door.lane.mode
        {
            live = Some(*device);
            *sent = (*sent).max(accepted.change);
        }
        // A cursor says that everything before was sent: only a live lane can say so.
        let cursor = live.map_or_else(Vec::new, |device| self.seal(device, accepted.change).0.to_vec());
        let body = proto::Accepted {
            number: accepted.number.0,
            message: accepted.message.0.to_vec(),
            conversation: accepted.conversation.value(),
            sequence: accepted.sequence.0,
            at: accepted.at.0,
            cursor,
        };
        self.queue(accepted.conn, Out::Accepted(accepted.request, body));
        Ok(())
    }

    fn fan_out(&mut self, change: Change, event: Event, conns: &[Conn]) -> Result<(), String> {
        let bytes = match event {
            Event::Message(conversation, sequence) => match self.store.read(conversation, sequence) {
                Some(message) => wire::encode_event(proto::event::Kind::Message(message)),
                // Purged or expired in the same commit: there is nothing to show any more.
                None => return Ok(()),
            },
            Event::Edited(message) => {
                let place = wardline_core::ids::ConversationId::new(message.conversation);
                let sequence = wardline_core::ids::Sequence(message.sequence);
                let Some(stored) = place.and_then(|place| self.store.read(place, sequence)) else {
                    return Ok(());
                };
                // As this edit left it; the store may be further.
                let text = self.store.edited_text(change).ok_or("an edit that is told and not stored")?;
                if stored.message != message.message {
                    return Err("an edit of another message".to_owned());
                }
                let attachments = stored.attachments.clone();
                let edited = proto::Message { text, attachments, ..*message };
                wire::encode_event(proto::event::Kind::MessageChanged(edited))
            }
            Event::Small(kind) => wire::encode_event(*kind),
        };
        for conn in conns {
            let Some(door) = self.doors.get_mut(conn) else { continue };
            let Mode::Live { device, person, sent } = door.lane.mode else { continue };
            if change <= sent {
                self.coverage.reach(Situation::FanoutAlreadyCaughtUp);
                continue;
            }
            if door.lane.out.len() >= LANE {
                self.coverage.reach(Situation::LaneFellBehind);
                note!(self, "{conn} falls behind at {}", sent.0);
                door.lane.mode = Mode::Behind { device, person, after: sent, sync: None, snapshot: false };
                continue;
            }
            door.lane.mode = Mode::Live { device, person, sent: change };
            let cursor = self.seal(device, change);
            self.queue(*conn, delivery(&cursor, &bytes));
        }
        Ok(())
    }

    fn attach(
        &mut self,
        conn: Conn,
        request: RequestId,
        person: wardline_core::ids::PersonId,
        device: DeviceId,
        after: Option<Change>,
    ) {
        // One that was broken off has named no change yet, and begins again.
        let after = after.filter(|after| *after > Change(0));
        let missed = after.map(|after| self.store.messages_after(person, after, CATCH_UP + 1).len());
        let snapshot = missed.is_none_or(|missed| missed > CATCH_UP);
        let started = proto::SyncStarted { snapshot };
        self.queue(conn, strip(reply(request, Body::SyncStarted(started))));
        let head = self.store.state.change;
        let mut position = after.unwrap_or_default();
        if snapshot {
            self.coverage.reach(Situation::SyncedFromSnapshot);
            // Until it is whole, the cursor says "from the start".
            let cursor = self.seal(device, Change(0));
            let events = self.store.small_after(person, Change(0)).into_iter();
            let messages = self.store.snapshot_messages(person).into_iter().map(proto::event::Kind::Message);
            // Whatever became of what the device may have from before, perhaps of a snapshot that was broken off.
            let altered = self.store.altered(person).into_iter();
            let altered = altered.map(proto::event::Kind::MessageChanged);
            let told = self.store.notices_after(person, Change(0)).into_iter().map(|(_, told)| told);
            for kind in events.chain(altered).chain(messages).chain(told).collect::<Vec<_>>() {
                if !matches!(kind, proto::event::Kind::Gone(_)) {
                    self.queue(conn, delivery(&cursor, &wire::encode_event(kind)));
                }
            }
            position = head;
        } else {
            self.coverage.reach(Situation::SyncedFromCursor);
            if missed.is_some_and(|missed| missed > 0) {
                self.coverage.reach(Situation::CaughtUpMessages);
            }
        }
        if let Some(door) = self.doors.get_mut(&conn) {
            door.lane.mode = Mode::Behind { device, person, after: position, sync: Some(request), snapshot };
        }
    }

    /// Drops what waits. Acknowledgements stay, but lose their cursors: what stood before them is gone.
    fn detach(&mut self, conn: Conn) {
        self.end_streams(conn);
        let Some(door) = self.doors.get_mut(&conn) else { return };
        door.lane.mode = Mode::Off;
        door.lane.out.retain(|out| !matches!(out, Out::Delivery(_)));
        for out in &mut door.lane.out {
            if let Out::Accepted(_, accepted) = out {
                accepted.cursor.clear();
            }
        }
    }

    fn read_page(&mut self, conn: Conn, request: RequestId, grant: &PageGrant) -> Result<(), String> {
        let id = grant.conversation();
        let mut messages = Vec::new();
        let mut sequence = grant.before().0;
        while sequence > grant.from().0 && messages.len() < grant.limit() as usize {
            sequence -= 1;
            messages.extend(self.store.read(id, wardline_core::ids::Sequence(sequence)));
        }
        if let Some(Phase::In(device)) = self.reference.link(conn).map(|link| link.phase.clone())
            && let Some(device) = self.reference.ward.device(device)
            && let Some(member) = self.reference.ward.member(id, device.person)
            && grant.right() == Right::Member
        {
            if messages.iter().any(|message| message.sequence < member.from) {
                return Err(format!("{conn} reads what was before its time"));
            }
            if member.from > 1 {
                self.coverage.reach(Situation::LateJoinerHistory);
            }
            if messages.iter().any(|message| message.sequence <= member.entered) {
                self.coverage.reach(Situation::ChannelReadFromItsBeginning);
            }
        }
        let end = sequence <= grant.from().0;
        let oldest = if end { grant.from().0.saturating_sub(1) } else { sequence };
        let told = self.store.notices(id, wardline_core::ids::Sequence(oldest + 1));
        let told = told.filter(|(_, notice)| notice.after < grant.before());
        let mut notices: Vec<_> = told.map(|(_, notice)| notice.to_wire()).collect();
        notices.reverse();
        if grant.right() != Right::Member {
            notices.clear();
        }
        let oldest = messages.last().map(|message| message.sequence);
        let signed = oldest
            .map_or(Vec::new(), |oldest| self.store.signed(id, (oldest, grant.before().0), grant.limit()));
        let one = oldest.filter(|_| grant.limit() == 1 && grant.right() == Right::Member);
        let (order, order_signed) = one.map_or((None, Vec::new()), |one| self.store.order(id, one));
        let page = proto::HistoryPage {
            conversation: id.value(),
            messages,
            end,
            notices,
            signed,
            order,
            order_signed,
            stat: one.and_then(|one| self.store.stat(StatId { conversation: id, sequence: Sequence(one) })),
        };
        self.queue(conn, strip(reply(request, Body::HistoryPage(page))));
        Ok(())
    }

    /// Reads on for whoever is behind, and puts on the wire what the network takes.
    pub(crate) fn pump(&mut self) -> Result<(), String> {
        let conns: Vec<Conn> = self.doors.keys().copied().collect();
        for conn in conns {
            self.catch_up(conn)?;
            self.leave(conn)?;
        }
        Ok(())
    }

    /// Reads on, and lets leave, for whoever is still attached: a lane runs on its own, between any two sends.
    pub(crate) fn read_ahead(&mut self) -> Result<(), String> {
        let attached = self.reference.lobby.links.iter().filter(|link| link.attached);
        for conn in attached.map(|link| link.conn).collect::<Vec<_>>() {
            self.catch_up(conn)?;
            self.leave(conn)?;
        }
        Ok(())
    }

    fn catch_up(&mut self, conn: Conn) -> Result<(), String> {
        let Some(door) = self.doors.get(&conn).filter(|door| door.lane.out.len() < LANE) else {
            return Ok(());
        };
        let Mode::Behind { device, person, after, sync, snapshot } = door.lane.mode else { return Ok(()) };
        let head = self.store.state.change;
        // Conversations before their messages, so that a message never comes for an unknown one.
        let stamp = |change: Change| if snapshot { Change(0) } else { change };
        let cursor = self.seal(device, stamp(after));
        for kind in self.store.small_after(person, after) {
            if matches!(kind, proto::event::Kind::Order(_)) {
                self.coverage.reach(Situation::CaughtUpOrder);
            }
            if matches!(kind, proto::event::Kind::Task(_)) {
                self.coverage.reach(Situation::CaughtUpTask);
            }
            self.queue(conn, delivery(&cursor, &wire::encode_event(kind)));
        }
        for message in self.store.altered_after(person, after) {
            self.coverage.reach(Situation::CaughtUpAlteration);
            self.queue(
                conn,
                delivery(&cursor, &wire::encode_event(proto::event::Kind::MessageChanged(message))),
            );
        }
        for kind in self.store.reacted_after(person, after) {
            self.coverage.reach(Situation::CaughtUpReaction);
            self.queue(conn, delivery(&cursor, &wire::encode_event(kind)));
        }
        let messages = self.store.messages_after(person, after, LANE);
        let whole = messages.len() < LANE;
        let until = messages.last().map(|(change, _)| *change).filter(|_| !whole);
        let told = self.store.notices_after(person, after).into_iter();
        let mut told = told.take_while(|(change, _)| until.is_none_or(|until| *change < until)).peekable();
        let mut position = after;
        for (change, message) in messages {
            while let Some((_, told)) = told.next_if(|(at, _)| *at < change) {
                // Until the message behind it is there.
                let cursor = self.seal(device, stamp(position));
                self.queue(conn, delivery(&cursor, &wire::encode_event(told)));
            }
            let id =
                wardline_core::ids::ConversationId::new(message.conversation).ok_or("no conversation")?;
            if !self.committed.may_read(device, id, message.sequence) {
                return Err(format!("{conn} would be caught up with what is not its own"));
            }
            position = change;
            let cursor = self.seal(device, stamp(change));
            self.queue(conn, delivery(&cursor, &wire::encode_event(proto::event::Kind::Message(message))));
        }
        for (_, told) in told.collect::<Vec<_>>() {
            let cursor = self.seal(device, stamp(position));
            self.queue(conn, delivery(&cursor, &wire::encode_event(told)));
        }
        let mode = if whole {
            let cursor = self.seal(device, head);
            if let Some(request) = sync {
                let synced = proto::Synced { cursor: cursor.0.to_vec() };
                self.queue(conn, strip(reply(request, Body::Synced(synced))));
            } else {
                self.coverage.reach(Situation::LaneLiveAgain);
            }
            Mode::Live { device, person, sent: head }
        } else {
            Mode::Behind { device, person, after: position, sync, snapshot }
        };
        if let Some(door) = self.doors.get_mut(&conn) {
            door.lane.mode = mode;
        }
        Ok(())
    }

    /// The moment that something leaves the box.
    fn leave(&mut self, conn: Conn) -> Result<(), String> {
        let held = self.reference.held_by(conn);
        let phase = self.reference.link(conn).map(|link| link.phase.clone());
        let Some(door) = self.doors.get_mut(&conn) else { return Ok(()) };
        let Some(link) = self.links.get_mut(&conn.0) else {
            // The client is gone; nobody takes anything.
            return Ok(());
        };
        while link.down.len() < WINDOW
            && let Some(out) = door.lane.out.pop_front()
        {
            let frame = match out {
                Out::Reply(bytes) => Down::Frame(bytes),
                Out::Delivery(bytes) => {
                    let entitled = matches!(phase, Some(Phase::In(_)))
                        && held.and_then(|device| self.committed.device(device)).is_some_and(|device| {
                            let is_out = self.committed.is_out(device.person);
                            !device.revoked && device.session.is_some() && !is_out
                        });
                    if !entitled {
                        return Err(format!("{conn} is delivered to, and is {phase:?}"));
                    }
                    Down::Frame(bytes)
                }
                Out::Accepted(request, accepted) => {
                    let body = Some(Body::Accepted(accepted));
                    Down::Frame(wire::encode_frame(&proto::ServerFrame { request: request.0, body }))
                }
                Out::Close(code) => Down::Close(code),
            };
            link.down.push_back(frame);
        }
        Ok(())
    }
}

/// Content that a detach takes back.
fn strip(out: Out) -> Out {
    match out {
        Out::Reply(bytes) => Out::Delivery(bytes),
        other => other,
    }
}

fn delivery(cursor: &Cursor, event: &[u8]) -> Out {
    let mut bytes = wire::delivery_head(&cursor.0, event.len());
    bytes.extend_from_slice(event);
    Out::Delivery(bytes)
}

/// For the reader: the real driver's bounds stand in `limits`; these are small so that seeds reach them.
const _: () = assert!(CATCH_UP < limits::CATCH_UP_MAX);
