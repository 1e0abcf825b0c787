//! Files: what people do with them by chance, their bytes on the way, and what came of it.

use wardline_core::attachment::Received;
use wardline_core::grant::{AttachmentGrant, FileRight, UploadGrant};
use wardline_core::ids::{Change, Conn, DeviceId, UploadId};
use wardline_core::turn::Turn;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::{self, RefusalCode as Code};
use wardline_core::write::Write;

use crate::client::Letter;
use crate::coverage::Situation;
use crate::reference::{Expected, Phase};
use crate::world::World;

/// A file as its device brings it.
#[derive(Clone)]
pub(crate) struct Bringing {
    pub(crate) begin: proto::BeginUpload,
    pub(crate) done: bool,
}

/// A stream that a file may come in by.
pub(crate) struct Stream {
    pub(crate) device: DeviceId,
    pub(crate) file: Change,
    pub(crate) length: u64,
}

/// What a file is called here.
pub(crate) fn called(upload: &[u8]) -> String {
    upload.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl World {
    pub(crate) fn about_files(&mut self, index: usize, place: u64) {
        let known: Vec<Bringing> = self.clients[index].bringing.clone();
        let done: Vec<Bringing> = known.iter().filter(|known| known.done).cloned().collect();
        // What is whole is mostly sent: few get so far.
        if let Some(whole) = self.random.pick(&done).cloned().filter(|_| self.random.permille(400)) {
            return self.write_with_files(index, &whole);
        }
        let of = if done.is_empty() || self.random.permille(300) { &known } else { &done };
        let known = self.random.pick(of).cloned();
        match (self.random.below(100), known) {
            (0..10, Some(known)) => self.clients[index].ask(Ask::BeginUpload(known.begin)),
            (10..13, Some(known)) => {
                let begin = proto::BeginUpload { length: known.begin.length + 1, ..known.begin };
                self.clients[index].ask(Ask::BeginUpload(begin));
            }
            (13..40, Some(known)) => {
                let upload = known.begin.upload;
                self.clients[index].ask(Ask::FinishUpload(proto::FinishUpload { upload }));
            }
            (40..70, Some(known)) => self.write_with_files(index, &known),
            (70..90, _) => {
                let places = self.clients[index].inbox.places.iter();
                let shown =
                    places.flat_map(|(id, place)| place.shown.iter().map(|(at, shown)| (*id, *at, shown)));
                let with = shown.filter(|(.., shown)| !shown.files.is_empty());
                let with: Vec<(u64, u64)> = with.map(|(place, sequence, _)| (place, sequence)).collect();
                let any = self.random.below(8);
                let known = self.random.pick(&with).copied().filter(|_| any < 6);
                let (place, sequence) = known.unwrap_or((place, any));
                let which = self.random.below(10) as u32 / 4;
                let thumbnail = self.random.permille(300);
                let open = proto::OpenAttachment { conversation: place, sequence, which, thumbnail };
                self.clients[index].ask(Ask::OpenAttachment(open));
            }
            _ => self.begin_something(index, place),
        }
    }

    fn begin_something(&mut self, index: usize, conversation: u64) {
        let upload: [u8; 16] = self.random.bytes();
        let media = 1 + self.random.below(9) as i32;
        let large = self.random.permille(60);
        let length = if large { 26 << 20 } else { 1 + self.random.below(3_000) };
        let thumbnail = if self.random.permille(300) { b"\xff\xd8\xff".to_vec() } else { Vec::new() };
        let (upload, sha256) = (upload.to_vec(), vec![upload[0]; 32]);
        let begin = proto::BeginUpload { upload, conversation, media, length, sha256, thumbnail };
        let client = &mut self.clients[index];
        if client.bringing.len() < 6 {
            client.bringing.push(Bringing { begin: begin.clone(), done: false });
            client.ask(Ask::BeginUpload(begin));
        }
    }

    /// A letter with one that is there, perhaps with others; or with one that is not.
    fn write_with_files(&mut self, index: usize, first: &Bringing) {
        let conversation = first.begin.conversation;
        let client = &self.clients[index];
        let others = client.bringing.iter().filter(|other| {
            other.done && other.begin.conversation == conversation && other.begin != first.begin
        });
        let mut files: Vec<Vec<u8>> = others.map(|other| other.begin.upload.clone()).take(2).collect();
        files.insert(0, first.begin.upload.clone());
        if self.random.permille(40) {
            files.push(first.begin.upload.clone());
        }
        // Into the wrong conversation, now and then.
        let places: Vec<u64> = self.clients[index].inbox.places.keys().copied().collect();
        let wrong = self.random.permille(50);
        let conversation = self.random.pick(&places).copied().filter(|_| wrong).unwrap_or(conversation);
        let message: [u8; 16] = self.random.bytes();
        let client = &mut self.clients[index];
        if client.outbox.len() < 8 {
            client.outbox.push_back(Letter {
                number: None,
                message,
                conversation,
                text: format!("{} shows {}", client.name, message[0]),
                priority: proto::Priority::Routine,
                call: None,
                reply_to: 0,
                mentions: Default::default(),
                files,
                order: None,
                composed: None,
                under_way: false,
                tries: 0,
            });
        }
    }

    /// A stream may bring a file from now on.
    pub(crate) fn open_stream(&mut self, conn: Conn, grant: &UploadGrant) {
        let upload = self.store.state.uploads.open.get(&(grant.device(), grant.name()));
        let Some(length) = upload.map(|upload| upload.length) else { return };
        if self.disk.get(&grant.file()).is_some_and(|have| *have > 0) {
            self.coverage.reach(Situation::UploadResumed);
        }
        self.disk.entry(grant.file()).or_default();
        if let Some(door) = self.doors.get_mut(&conn).filter(|_| !grant.is_done()) {
            door.streams.push(Stream { device: grant.device(), file: grant.file(), length });
        }
    }

    /// Whether a message's file is there for whoever was granted it.
    pub(crate) fn read_attachment(&mut self, grant: &AttachmentGrant) -> Result<(), String> {
        let of = grant.message();
        let there = self.store.file(of, grant.which() as usize);
        let Some((file, length)) = there else {
            self.coverage.reach(Situation::AttachmentNotThere);
            return Ok(());
        };
        if let FileRight::Export(only) = grant.right() {
            let by = self.committed.conversation(of.conversation);
            let author =
                by.and_then(|place| place.said.get(of.sequence.0 as usize - 1)).map(|said| said.author);
            if only.is_none_or(|only| Some(only) == author) && self.disk.get(&file) != Some(&length) {
                return Err("an exported message has a file that is not there whole".to_owned());
            }
            self.coverage.reach(Situation::ExportedFileRead);
            return Ok(());
        }
        let mut devices = self.committed.devices.iter().filter(|device| device.person == grant.person());
        // Taken out since, perhaps: the store asks again, as a page does.
        if !devices.any(|device| self.committed.may_read(device.id, of.conversation, of.sequence.0)) {
            return Ok(());
        }
        if self.disk.get(&file) != Some(&length) {
            return Err("a message has a file that is not there whole".to_owned());
        }
        self.coverage.reach(Situation::AttachmentRead);
        Ok(())
    }

    /// Bytes of some files reach the box.
    pub(crate) fn carry_bytes(&mut self) -> Result<(), String> {
        let doors: Vec<Conn> =
            self.doors.iter().filter(|(_, door)| !door.streams.is_empty()).map(|(conn, _)| *conn).collect();
        let Some(conn) = self.random.pick(&doors).copied() else { return Ok(()) };
        let phase = self.phase(conn);
        let Some(door) = self.doors.get_mut(&conn) else { return Ok(()) };
        let at = self.random.index(door.streams.len());
        let Stream { device, file, length } = &door.streams[at];
        if phase != Some(Phase::In(*device)) && self.committed.device(*device).is_some_and(|d| d.revoked) {
            return Err(format!("{conn} brings bytes, and its device is revoked"));
        }
        let put_out = self.random.permille(if self.faults { 6 } else { 0 }).then_some(device.value());
        let have = self.disk.entry(*file).or_default();
        let some = if self.random.permille(700) { *length } else { 1 + self.random.below(*length) };
        *have = (*have + some).min(*length);
        if *have == *length || self.random.permille(100) {
            door.streams.remove(at);
        }
        if let Some(device) = put_out {
            self.local_ask(Ask::RevokeDevice(proto::RevokeDevice { device }));
        }
        Ok(())
    }

    /// What the doorway has of a file when it is said to be there.
    pub(crate) fn received(&mut self, conn: Conn, name: UploadId) -> Received {
        let Some(device) = self.reference.held_by(conn) else { return Received::Part };
        let upload = self.store.state.uploads.open.get(&(device, name));
        let Some((file, length, done)) = upload.map(|upload| (upload.file, upload.length, upload.done))
        else {
            return Received::Part;
        };
        if self.disk.get(&file) != Some(&length) {
            return Received::Part;
        }
        match self.random.below(30) {
            // Nobody has looked since the last start.
            0 | 1 => Received::Part,
            // What was whole once stays so, however often it is said again.
            _ if done => Received::Whole,
            2 => {
                self.disk.insert(file, 0);
                Received::Damaged
            }
            3 => {
                self.disk.insert(file, 0);
                Received::Mistyped
            }
            _ => Received::Whole,
        }
    }

    /// Streams end with the session.
    pub(crate) fn end_streams(&mut self, conn: Conn) {
        let Some(door) = self.doors.get_mut(&conn) else { return };
        let streams = std::mem::take(&mut door.streams);
        let revoked =
            |stream: &Stream| self.store.state.devices.get(&stream.device).is_some_and(|d| d.revoked);
        if streams.iter().any(revoked) {
            self.coverage.reach(Situation::RevokedDuringUpload);
        } else if !streams.is_empty() {
            self.coverage.reach(Situation::SessionEndedDuringUpload);
        }
    }

    /// A power cut: of what was not flushed some is gone.
    pub(crate) fn lose_bytes(&mut self) {
        let done: Vec<Change> =
            self.store.state.uploads.open.values().filter(|upload| !upload.done).map(|u| u.file).collect();
        for file in done {
            if let Some(have) = self.disk.get_mut(&file)
                && *have > 0
            {
                self.coverage.reach(Situation::RestartDuringUpload);
                *have -= self.random.below(*have + 1);
            }
        }
    }

    pub(crate) fn some_attachment_policy(&mut self) -> Ask {
        if self.random.permille(300) {
            return Ask::ListAttachmentPolicy(proto::ListAttachmentPolicy {});
        }
        let mut size = || [0, 2_000, 25 << 20][self.random.index(3)];
        let (photo, document, audio) = (size(), size(), size());
        Ask::SetAttachmentPolicy(proto::SetAttachmentPolicy { photo, document, audio })
    }

    pub(crate) fn cover_attachments(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let changed = !expected.audits.is_empty();
        let situation = match (body, refused) {
            (Ask::BeginUpload(_), None) if changed => Situation::UploadBegun,
            (Ask::BeginUpload(_), Some(Code::UploadOther)) => Situation::UploadOther,
            (Ask::BeginUpload(_), Some(Code::AttachmentTooLarge)) => Situation::AttachmentTooLarge,
            (Ask::BeginUpload(_), Some(Code::AttachmentType)) => Situation::AttachmentTypeRefused,
            (Ask::BeginUpload(_), Some(Code::DiskLow)) => Situation::UploadRefusedForDisk,
            (Ask::FinishUpload(_), None) if changed => Situation::UploadFinished,
            (Ask::FinishUpload(_), Some(Code::UploadUnfinished)) => Situation::HalfAnUpload,
            (Ask::FinishUpload(_), Some(Code::UploadNotAsSaid)) => Situation::UploadNotAsSaid,
            (Ask::FinishUpload(_), Some(Code::AttachmentMistyped)) => Situation::UploadMistyped,
            (Ask::FinishUpload(_), Some(Code::NoSuchConversation)) => Situation::PutOutDuringUpload,
            (Ask::FinishUpload(_), Some(Code::NoSuchUpload)) => Situation::UploadGone,
            (Ask::Submit(submit), None) if !submit.attachments.is_empty() && changed => {
                Situation::AttachmentsSent
            }
            (Ask::Submit(_), Some(Code::UploadUnfinished)) => Situation::UnfinishedNotSent,
            (Ask::Submit(_), Some(Code::NoSuchUpload)) => Situation::NothingToAttach,
            (Ask::OpenAttachment(_), Some(Code::NoSuchMessage | Code::NoSuchConversation)) => {
                Situation::AttachmentRefused
            }
            (Ask::SetAttachmentPolicy(_), None) if changed => Situation::AttachmentPolicySet,
            (Ask::ListAttachmentPolicy(_), None) => Situation::AttachmentPolicyListed,
            (Ask::SetAttachmentPolicy(_), Some(Code::NotAdministrator)) => Situation::AttachmentPolicyRefused,
            _ => return,
        };
        self.coverage.reach(situation);
    }

    /// What a timer gave up.
    pub(crate) fn dropped(turn: &Turn) -> Vec<(DeviceId, Vec<u8>)> {
        let dropped = turn.writes.iter().filter_map(|numbered| match &numbered.write {
            Write::UploadDropped { device, name, .. } => Some((*device, name.0.to_vec())),
            _ => None,
        });
        dropped.collect()
    }

    /// The core has the files on their way that the reference has.
    pub(crate) fn compare_uploads(&self) -> Result<(), String> {
        let (open, ward) = (&self.relay.state().uploads.open, &self.reference.ward);
        let same = ward.uploads.iter().all(|upload| {
            let name: Option<[u8; 16]> = upload.announced.upload.as_slice().try_into().ok();
            let known = name.and_then(|name| open.get(&(upload.device, UploadId(name))));
            known.is_some_and(|known| (known.done, known.conversation) == (upload.done, upload.place))
        });
        if !same || open.len() != ward.uploads.len() {
            return Err("the core has other uploads".to_owned());
        }
        Ok(())
    }
}
