//! Files that go with messages: brought to the box and fetched from it on streams of their own, from where they were cut.
//!
//! An upload goes by a name that follows from the device, the conversation and the file itself. So it needs no note of how far it came:
//! whoever brings the same file again, after a crash too, goes on where the box has got to. What is fetched is kept beside its place
//! until all of it is there and its hash is right, and goes on from there.
//!
//! This module refuses to make a small picture of a file: an app has the picture on its screen, and gives it along.

use std::fmt;
use std::future::Future;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256};
use prost::Message as _;
use quinn::{RecvStream, SendStream};
use tokio::io::AsyncReadExt as _;
use tokio::sync::oneshot;
pub use wardline_core::attachment::{Media, Sort};
use wardline_core::limits;
use wardline_core::wire::proto::{
    self, RefusalCode, client_frame::Body as Ask, server_frame::Body as Answer,
};
use wardline_core::wire::{self, PREFIX};

use crate::call::{Calls, odd};
use crate::client::Client;
use crate::connection::read_frame;
use crate::error::{Error, InputError, Refused};
use crate::event::Attachment;
use crate::{ConversationId, DeviceId, Sequence};

/// Behind the control stream (quinn sends what has the highest priority first, and 0 is what streams have).
const PRIORITY: i32 = -1;
/// Bytes at a time.
const PART: usize = 64 * 1024;
/// Between attempts on a connection that works but would not carry a file.
const AGAIN: Duration = Duration::from_millis(300);
/// Attempts in a row that brought nothing further and no outage explains.
const VAIN_MAX: u32 = 20;

/// A file that is to go with a message.
#[derive(Clone)]
pub struct FileToSend {
    /// Where it is.
    pub path: PathBuf,
    /// What colleagues see: 1 to 120 bytes, no control characters.
    pub name: String,
    /// What it is; [`FileToSend::open`] looks.
    pub media: Media,
    /// A small picture of it, JPEG, PNG or WebP, at most 10,240 bytes; empty: none.
    pub thumbnail: Vec<u8>,
}

/// A file that the box has, and no message yet. Worth something for this device and its conversation, for a day.
#[derive(Clone, PartialEq, Eq)]
pub struct Uploaded {
    pub(crate) upload: [u8; 16],
    pub(crate) name: String,
}

/// Sizes that may be attached, in bytes; 0: none of the sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Photos.
    pub photo: u64,
    /// PDF.
    pub document: u64,
    /// Audio notes.
    pub audio: u64,
    /// Nobody has set it.
    pub standard: bool,
}

/// What the agent gives for a file: the connection, the number of the request that speaks of it, and that one's answer.
pub(crate) struct Transfer {
    pub(crate) request: u64,
    pub(crate) connection: quinn::Connection,
    pub(crate) answer: oneshot::Receiver<Result<Answer, Error>>,
}

impl FileToSend {
    /// Looks what the file is, by its first bytes, and calls it as it is called.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut head = Vec::new();
        let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
        let read = file.take(limits::SNIFFED_BYTES as u64).read_to_end(&mut head);
        read.map_err(|error| unreadable(path, &error))?;
        let media = Media::of(&head).ok_or_else(|| InputError::FileType(path.to_owned()))?;
        Ok(Self { path: path.to_owned(), name, media, thumbnail: Vec::new() })
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    InputError::File { path: path.to_owned(), why: error.to_string() }.into()
}

/// A file as it is announced.
struct Announced {
    begin: proto::BeginUpload,
    path: PathBuf,
}

fn announce(device: DeviceId, conversation: ConversationId, file: &FileToSend) -> Result<Announced, Error> {
    let named = file.name.trim();
    if named.is_empty() || named.len() > limits::ATTACHMENT_NAME_MAX || named.chars().any(char::is_control) {
        return Err(InputError::FileName(file.path.clone()).into());
    }
    let mut from = std::fs::File::open(&file.path).map_err(|error| unreadable(&file.path, &error))?;
    let (mut hash, mut length, mut part) = (digest::Context::new(&SHA256), 0_u64, vec![0; PART]);
    loop {
        let read = from.read(&mut part).map_err(|error| unreadable(&file.path, &error))?;
        if read == 0 {
            break;
        }
        hash.update(&part[..read]);
        length += read as u64;
    }
    let sha256 = hash.finish().as_ref().to_vec();
    let mut name = digest::Context::new(&SHA256);
    name.update(b"wardline/1 upload\0");
    name.update(&device.value().to_be_bytes());
    name.update(&conversation.value().to_be_bytes());
    name.update(&file.media.number().to_be_bytes());
    name.update(&length.to_be_bytes());
    name.update(&sha256);
    name.update(&file.thumbnail);
    let upload = name.finish().as_ref()[..16].to_vec();
    let begin = proto::BeginUpload {
        upload,
        conversation: conversation.value(),
        media: file.media.to_wire().into(),
        length,
        sha256,
        thumbnail: file.thumbnail.clone(),
    };
    Ok(Announced { begin, path: file.path.clone() })
}

impl Client {
    /// Brings a file to the box, through any number of cuts, and returns once the box has it whole and has checked its hash. `told` hears
    /// how many bytes of how many are there. Bound this with a timeout; what has come by then is not sent again.
    pub async fn upload(
        &self,
        conversation: ConversationId,
        file: &FileToSend,
        mut told: impl FnMut(u64, u64) + Send,
    ) -> Result<Uploaded, Error> {
        let device = self.identity().device;
        let (of, name) = (file.clone(), file.name.trim().to_owned());
        let hashed = tokio::task::spawn_blocking(move || announce(device, conversation, &of)).await;
        let Announced { begin, path } = hashed.map_err(|_| Error::Interrupted)??;
        let upload = <[u8; 16]>::try_from(begin.upload.as_slice()).map_err(|_| Error::Interrupted)?;
        let mut vain = 0;
        loop {
            self.ready().await?;
            let brought = self.bring(&begin, &path, &mut told).await;
            let finished = match brought {
                Ok(()) => self.done(Ask::FinishUpload(proto::FinishUpload { upload: upload.to_vec() })).await,
                Err(error) => Err(error),
            };
            match finished {
                Ok(()) => return Ok(Uploaded { upload, name }),
                Err(error) if goes_again(&error) && vain < VAIN_MAX => {
                    vain += 1;
                    tokio::time::sleep(patience(&error)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// One attempt, on the connection there is.
    async fn bring(
        &self,
        begin: &proto::BeginUpload,
        path: &Path,
        told: &mut (impl FnMut(u64, u64) + Send),
    ) -> Result<(), Error> {
        let Transfer { request, connection, answer } = self.transfer(Ask::BeginUpload(begin.clone())).await?;
        match answer.await.map_err(|_| Error::Interrupted)?? {
            Answer::UploadBegun(begun) if begun.done => return Ok(()),
            Answer::UploadBegun(_) => {}
            other => return odd(other),
        }
        let (mut send, mut receive) = begin_stream(&connection, request, 0).await?;
        let head: proto::TransferHead = frame(&mut receive).await?;
        if let Some(refused) = head.refused {
            return Err(Refused::from_wire(refused).into());
        }
        let path_of = path.to_owned();
        let offset = head.offset;
        let opened = tokio::task::spawn_blocking(move || {
            let mut file = std::fs::File::open(&path_of)?;
            file.seek(SeekFrom::Start(offset)).map(|_| file)
        });
        let mut file =
            opened.await.map_err(|_| Error::Interrupted)?.map_err(|error| unreadable(path, &error))?;
        let mut sent = offset;
        told(sent, begin.length);
        while sent < begin.length {
            let left = usize::try_from(begin.length - sent).unwrap_or(PART).min(PART);
            let mut part = vec![0; left];
            let read = tokio::task::spawn_blocking(move || file.read_exact(&mut part).map(|()| (file, part)));
            let (rest, part) =
                read.await.map_err(|_| Error::Interrupted)?.map_err(|error| unreadable(path, &error))?;
            file = rest;
            if send.write_all(&part).await.is_err() {
                // It says why, if it still can.
                break;
            }
            sent += part.len() as u64;
            told(sent, begin.length);
        }
        let _ = send.finish();
        let tail: proto::TransferTail = frame(&mut receive).await?;
        match tail.refused {
            Some(refused) => Err(Refused::from_wire(refused).into()),
            None if tail.whole => Ok(()),
            None => Err(Error::Interrupted),
        }
    }

    /// Fetches a message's file into `into`, which must not be there yet, and returns once its hash is right. What has come is kept
    /// beside it until then, under the same name and `.part`, and is not fetched again.
    pub async fn fetch(
        &self,
        (conversation, sequence): (ConversationId, Sequence),
        which: u32,
        file: &Attachment,
        into: &Path,
        told: impl FnMut(u64, u64) + Send,
    ) -> Result<(), Error> {
        let (conversation, sequence) = (conversation.value(), sequence.0);
        let open = proto::OpenAttachment { conversation, sequence, which, thumbnail: false };
        self.fetch_by(Ask::OpenAttachment(open), file, into, told).await
    }

    /// The same, by whatever lets this file out.
    pub(crate) async fn fetch_by(
        &self,
        open: Ask,
        file: &Attachment,
        into: &Path,
        mut told: impl FnMut(u64, u64) + Send,
    ) -> Result<(), Error> {
        if into.exists() {
            return Err(InputError::FileThere(into.to_owned()).into());
        }
        let mut part = into.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut vain = 0;
        loop {
            self.ready().await?;
            match self.take(open.clone(), file, &part, &mut told).await {
                Ok(()) => break,
                Err(error) if goes_again(&error) && vain < VAIN_MAX => {
                    vain += 1;
                    tokio::time::sleep(patience(&error)).await;
                }
                Err(error) => return Err(error),
            }
        }
        let (from, to) = (part.clone(), into.to_owned());
        let kept = tokio::task::spawn_blocking(move || {
            std::fs::hard_link(&from, &to).and_then(|()| std::fs::remove_file(&from))
        });
        kept.await.map_err(|_| Error::Interrupted)?.map_err(|error| unreadable(into, &error))
    }

    async fn take(
        &self,
        open: Ask,
        file: &Attachment,
        part: &Path,
        told: &mut (impl FnMut(u64, u64) + Send),
    ) -> Result<(), Error> {
        let wrong = |error: std::io::Error| unreadable(part, &error);
        let mut kept = std::fs::OpenOptions::new();
        kept.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut kept = kept.open(part).map_err(wrong)?;
        let (mut hash, mut have, mut bytes) = (digest::Context::new(&SHA256), 0_u64, vec![0; PART]);
        loop {
            let read = kept.read(&mut bytes).map_err(wrong)?;
            if read == 0 {
                break;
            }
            hash.update(&bytes[..read]);
            have += read as u64;
        }
        if have < file.length {
            let (mut receive, _send) = self.stream(open, have).await?;
            while let Some(read) = receive.read(&mut bytes).await.map_err(|_| Error::Interrupted)? {
                kept.write_all(&bytes[..read]).map_err(wrong)?;
                hash.update(&bytes[..read]);
                have += read as u64;
                told(have, file.length);
                if have > file.length {
                    break;
                }
            }
        }
        if have < file.length {
            return Err(Error::Interrupted);
        }
        if have > file.length || hash.finish().as_ref() != file.sha256 {
            std::fs::remove_file(part).map_err(wrong)?;
            return Err(Error::Protocol("a file that is not the one that was sent"));
        }
        kept.sync_all().map_err(wrong)
    }

    /// The small picture of a message's file; empty: it has none.
    pub async fn thumbnail(
        &self,
        (conversation, sequence): (ConversationId, Sequence),
        which: u32,
    ) -> Result<Vec<u8>, Error> {
        let (conversation, sequence) = (conversation.value(), sequence.0);
        let open = proto::OpenAttachment { conversation, sequence, which, thumbnail: true };
        let (receive, _send) = self.stream(Ask::OpenAttachment(open), 0).await?;
        let (mut picture, mut bounded) = (Vec::new(), receive.take(limits::THUMBNAIL_MAX as u64));
        bounded.read_to_end(&mut picture).await.map_err(|_| Error::Interrupted)?;
        Ok(picture)
    }

    /// A stream that brings what was asked for.
    async fn stream(&self, ask: Ask, offset: u64) -> Result<(RecvStream, SendStream), Error> {
        let Transfer { request, connection, answer } = self.transfer(ask).await?;
        match answer.await.map_err(|_| Error::Interrupted)?? {
            Answer::Done(_) => {}
            other => return odd(other),
        }
        let (send, mut receive) = begin_stream(&connection, request, offset).await?;
        let head: proto::TransferHead = frame(&mut receive).await?;
        match head.refused {
            Some(refused) => Err(Refused::from_wire(refused).into()),
            None => Ok((receive, send)),
        }
    }
}

async fn begin_stream(
    connection: &quinn::Connection,
    request: u64,
    offset: u64,
) -> Result<(SendStream, RecvStream), Error> {
    let (mut send, receive) = connection.open_bi().await.map_err(|_| Error::Interrupted)?;
    let _ = send.set_priority(PRIORITY);
    let asked = wire::encode_frame(&proto::TransferRequest { request, offset, session: Vec::new() });
    send.write_all(&asked).await.map_err(|_| Error::Interrupted)?;
    Ok((send, receive))
}

async fn frame<F: prost::Message + Default>(from: &mut RecvStream) -> Result<F, Error> {
    const _: () = assert!(PREFIX == 4);
    read_frame(from, limits::CLIENT_FRAME_MAX).await.map_err(|_| Error::Interrupted)
}

/// Whether trying again may help.
fn goes_again(error: &Error) -> bool {
    match error {
        Error::Interrupted | Error::Offline(_) | Error::Unreachable(_) => true,
        Error::Refused(refused) => matches!(
            refused.code,
            RefusalCode::Unavailable | RefusalCode::SlowDown | RefusalCode::UploadUnfinished
        ),
        _ => false,
    }
}

fn patience(error: &Error) -> Duration {
    match error {
        Error::Refused(Refused { retry_after: Some(after), .. }) => (*after).max(AGAIN),
        _ => AGAIN,
    }
}

impl Attachment {
    pub(crate) fn from_wire(wire: proto::Attachment) -> Result<Self, Error> {
        Ok(Self {
            media: Media::from_wire(wire.media).ok(),
            length: wire.length,
            sha256: wire.sha256.as_slice().try_into().map_err(|_| Error::Protocol("a file's hash"))?,
            name: wire.name,
            thumbnail: wire.thumbnail,
        })
    }
}

impl Uploaded {
    pub(crate) fn to_wire(&self) -> proto::AttachedFile {
        proto::AttachedFile { upload: self.upload.to_vec(), name: self.name.clone() }
    }

    /// As the outbox keeps it, sealed.
    pub(crate) fn to_bytes(all: &[Self]) -> Vec<u8> {
        let attachments = all.iter().map(Self::to_wire).collect();
        proto::Submit { attachments, ..proto::Submit::default() }.encode_to_vec()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Vec<Self>> {
        let kept = proto::Submit::decode(bytes).ok()?;
        let one = |file: proto::AttachedFile| {
            Some(Self { upload: file.upload.as_slice().try_into().ok()?, name: file.name })
        };
        kept.attachments.into_iter().map(one).collect()
    }
}

impl fmt::Debug for Uploaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Uploaded(…)")
    }
}

/// What can be asked about what may be attached.
pub trait AttachmentCalls: Calls {
    /// How large files may be.
    fn attachment_policy(&self) -> impl Future<Output = Result<Policy, Error>> + Send {
        async {
            match self.call(Ask::ListAttachmentPolicy(proto::ListAttachmentPolicy {})).await? {
                Answer::AttachmentPolicy(told) => {
                    let proto::AttachmentPolicy { photo, document, audio, standard } = told;
                    Ok(Policy { photo, document, audio, standard })
                }
                other => odd(other),
            }
        }
    }

    /// Says how large they may be, by an administrator.
    fn set_attachment_policy(&self, policy: Policy) -> impl Future<Output = Result<(), Error>> + Send {
        let Policy { photo, document, audio, .. } = policy;
        self.done(Ask::SetAttachmentPolicy(proto::SetAttachmentPolicy { photo, document, audio }))
    }
}

impl<C: Calls> AttachmentCalls for C {}
