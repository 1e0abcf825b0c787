//! The reference's rules for files: which may be begun, what must come of them, and when they are given up.

use wardline_core::attachment::Received;
use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{ConversationId, DeviceId, PersonId, Sequence};
use wardline_core::time::{Mono, Now, Wall};
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Expected, Reference};

const DAY_MS: u64 = 86_400_000;
const MINUTE_MS: u64 = 61_000;

/// A file that no message has.
#[derive(Clone)]
pub(crate) struct Upload {
    pub(crate) device: DeviceId,
    pub(crate) person: PersonId,
    pub(crate) place: ConversationId,
    pub(crate) announced: proto::BeginUpload,
    pub(crate) begun: (Mono, Wall),
    pub(crate) run: u32,
    pub(crate) done: bool,
    /// Since when nobody may send it any more.
    pub(crate) over: Option<Mono>,
}

impl Reference {
    pub(crate) fn upload(&self, device: DeviceId, name: &[u8]) -> Option<&Upload> {
        self.ward.uploads.iter().find(|upload| upload.device == device && upload.announced.upload == name)
    }

    fn largest(&self, media: i32) -> u64 {
        let [photo, document, audio] = self.ward.attachment_policy.unwrap_or([25 << 20; 3]);
        match media {
            1..=4 => photo,
            5 => document,
            _ => audio,
        }
    }

    pub(crate) fn begin_upload(
        &mut self,
        now: Now,
        device: DeviceId,
        me: PersonId,
        begin: &proto::BeginUpload,
        sealed: bool,
    ) -> Expected {
        let Some(place) = ConversationId::new(begin.conversation) else { return Expected::default() };
        if self.ward.member(place, me).is_none() {
            return Expected::refused(Code::NoSuchConversation);
        }
        if let Some(code) = self.announces_wrongly(place, me, proto::Priority::Routine) {
            return Expected::refused(code);
        }
        let Some(conversation) = self.ward.conversation(place) else { return Expected::default() };
        if conversation.purged {
            return Expected::refused(Code::Purged);
        }
        if conversation.archived {
            return Expected::refused(conversation.closed());
        }
        if let Some(known) = self.upload(device, &begin.upload) {
            return if known.announced == *begin {
                Expected::answered(Answer::UploadBegun(known.done))
            } else {
                Expected::refused(Code::UploadOther)
            };
        }
        if self.largest(begin.media) == 0 {
            return Expected::refused(Code::AttachmentType);
        }
        if begin.length > self.largest(begin.media) {
            return Expected::refused(Code::AttachmentTooLarge);
        }
        if self.ward.uploads.iter().filter(|upload| upload.device == device).count() >= 16 {
            return Expected::refused(Code::UploadLimit);
        }
        if self.lobby.disk_low {
            return Expected::refused(Code::DiskLow);
        }
        if !sealed {
            return Expected::refused(Code::Unavailable);
        }
        let mut expected = Expected::answered(Answer::UploadBegun(false));
        let act = Act::UploadBegun(place, begin.media as u32, begin.length);
        expected.audits.push((self.actor(device), act));
        self.ward.uploads.push(Upload {
            device,
            person: me,
            place,
            announced: begin.clone(),
            begun: (now.mono, now.wall),
            run: self.run.0,
            done: false,
            over: None,
        });
        expected
    }

    pub(crate) fn finish_upload(
        &mut self,
        device: DeviceId,
        me: PersonId,
        name: &[u8],
        received: Received,
    ) -> Expected {
        let Some(upload) = self.upload(device, name).cloned() else {
            return Expected::refused(Code::NoSuchUpload);
        };
        if self.ward.member(upload.place, me).is_none() {
            return Expected::refused(Code::NoSuchConversation);
        }
        let mut expected = Expected::answered(Answer::Done);
        if upload.done {
            return expected;
        }
        match received {
            Received::Whole if self.lobby.disk_low => return Expected::refused(Code::DiskLow),
            Received::Whole => {}
            Received::Part => return Expected::refused(Code::UploadUnfinished),
            Received::Damaged => return Expected::refused(Code::UploadNotAsSaid),
            Received::Mistyped => return Expected::refused(Code::AttachmentMistyped),
        }
        let mut all = self.ward.uploads.iter_mut();
        if let Some(known) = all.find(|known| known.device == device && known.announced.upload == name) {
            known.done = true;
        }
        expected.audits.push((self.actor(device), Act::UploadFinished(upload.place)));
        expected
    }

    /// Why a message may not have these files.
    pub(crate) fn refused_files(
        &self,
        device: DeviceId,
        place: ConversationId,
        submit: &proto::Submit,
        sealed: bool,
    ) -> Option<Code> {
        for (at, file) in submit.attachments.iter().enumerate() {
            let known = self.upload(device, &file.upload).filter(|upload| upload.place == place);
            let Some(upload) = known else { return Some(Code::NoSuchUpload) };
            if submit.attachments[..at].iter().any(|before| before.upload == file.upload) {
                return Some(Code::Invalid);
            }
            if !upload.done {
                return Some(Code::UploadUnfinished);
            }
            if !sealed {
                return Some(Code::Unavailable);
            }
        }
        None
    }

    /// The message has them.
    pub(crate) fn attach(
        &mut self,
        device: DeviceId,
        (place, sequence): (ConversationId, u64),
        submit: &proto::Submit,
        expected: &mut Expected,
    ) {
        if submit.attachments.is_empty() {
            return;
        }
        let sent = |upload: &Upload| {
            upload.device == device
                && submit.attachments.iter().any(|file| file.upload == upload.announced.upload)
        };
        self.ward.uploads.retain(|upload| !sent(upload));
        let count = submit.attachments.len() as u32;
        let act = Act::AttachmentsSent(place, Sequence(sequence), count);
        expected.audits.push((self.actor(device), act));
    }

    pub(crate) fn open_attachment(
        &mut self,
        device: DeviceId,
        me: PersonId,
        open: &proto::OpenAttachment,
    ) -> Expected {
        let Some(place) = ConversationId::new(open.conversation) else { return Expected::default() };
        let Some(from) = self.ward.member(place, me).map(|member| member.from) else {
            return Expected::refused(Code::NoSuchConversation);
        };
        let Some(conversation) = self.ward.conversation(place) else { return Expected::default() };
        if conversation.purged {
            return Expected::refused(Code::Purged);
        }
        let first = from.max(conversation.expired_through + 1);
        if open.sequence < first || open.sequence > conversation.messages.len() as u64 {
            return Expected::refused(Code::NoSuchMessage);
        }
        if open.which > 7 {
            return Expected::refused(Code::NoSuchAttachment);
        }
        if self.lobby.disk_scarce {
            return Expected::refused(Code::DiskLow);
        }
        let mut expected = Expected::answered(Answer::Opening);
        let act = Act::AttachmentOpened(place, Sequence(open.sequence), open.which, open.thumbnail.into());
        expected.audits.push((self.actor(device), act));
        expected
    }

    pub(crate) fn set_attachment_policy(&mut self, by: Actor, set: &proto::SetAttachmentPolicy) -> Expected {
        let mut expected = Expected::answered(Answer::Done);
        let sizes = [set.photo, set.document, set.audio];
        if self.ward.attachment_policy != Some(sizes) {
            self.ward.attachment_policy = Some(sizes);
            let [photo, document, audio] = sizes.map(|size| size as u32);
            expected.audits.push((by, Act::AttachmentPolicySet(photo, document, audio)));
        }
        expected
    }

    pub(crate) fn list_attachment_policy(&self) -> Expected {
        let sizes = self.ward.attachment_policy;
        Expected::answered(Answer::AttachmentPolicy(sizes.unwrap_or([25 << 20; 3]), sizes.is_none()))
    }

    /// Whether nobody may send it any more; `perhaps` counts a minute more or less as yes.
    fn is_over(&self, now: Now, upload: &Upload, perhaps: bool) -> bool {
        let revoked = self.ward.device(upload.device).is_none_or(|device| device.revoked);
        let out = self.ward.member(upload.place, upload.person).is_none();
        let age = if upload.run == self.run.0 {
            now.mono.0.saturating_sub(upload.begun.0.0)
        } else {
            let by_wall = u64::try_from(now.wall.0 - upload.begun.1.0).unwrap_or(0);
            by_wall.max(now.mono.0.saturating_sub(self.run.1.0))
        };
        let slack = if perhaps || upload.run != self.run.0 { 0 } else { MINUTE_MS };
        (revoked || out || age >= DAY_MS + slack) && !self.ward.is_held(upload.place)
    }

    /// Of what a timer gave up, what it had no reason to give up yet.
    pub(crate) fn too_early(&self, now: Now, dropped: &[(DeviceId, Vec<u8>)]) -> Vec<(DeviceId, Vec<u8>)> {
        let early = |(device, name): &&(DeviceId, Vec<u8>)| {
            self.upload(*device, name).is_none_or(|upload| !self.is_over(now, upload, true))
        };
        dropped.iter().filter(early).cloned().collect()
    }

    /// They are gone; what should be has not been there for more than a minute.
    pub(crate) fn uploads_swept(
        &mut self,
        now: Now,
        dropped: &[(DeviceId, Vec<u8>)],
        expected: &mut Expected,
    ) -> Result<(), String> {
        for (device, name) in dropped {
            if let Some(upload) = self.upload(*device, name) {
                expected.audits.push((Actor::TheBox, Act::UploadDropped(upload.place)));
            }
        }
        let is_dropped = |upload: &Upload| {
            dropped.iter().any(|(device, name)| *device == upload.device && *name == upload.announced.upload)
        };
        self.ward.uploads.retain(|upload| !is_dropped(upload));
        let over: Vec<bool> =
            self.ward.uploads.iter().map(|upload| self.is_over(now, upload, false)).collect();
        for (upload, over) in self.ward.uploads.iter_mut().zip(over) {
            upload.over = upload.over.or(Some(now.mono)).filter(|_| over);
            if upload.over.is_some_and(|since| now.mono.0 - since.0 > MINUTE_MS) {
                return Err(format!("an upload of {} that nobody may send is kept", upload.device));
            }
        }
        Ok(())
    }
}
