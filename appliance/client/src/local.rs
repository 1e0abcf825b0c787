//! The box's local socket: administration on the box itself.
//!
//! The same frames over a Unix stream socket, without hello or sign-in: the kernel tells the box which user is at
//! the other end. It knows administration and the directory; it reads nobody's messages.

use std::path::Path;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::{Mutex, mpsc};
use wardline_core::wire::proto::{ClientFrame, ServerFrame, client_frame, server_frame};

use crate::call::Call;
use crate::connection::{Broken, read_frames, write_frames};
use crate::error::{Error, Refused, Unreachable};

const ANSWER_TIME_MAX: Duration = Duration::from_secs(20);

/// A connection to the box on this machine. One request at a time.
pub struct LocalBox(Mutex<Line>);

impl LocalBox {
    /// Connects to the socket at this path.
    pub async fn connect(path: &Path) -> Result<Self, Error> {
        let stream = UnixStream::connect(path).await;
        let stream = stream.map_err(|e| Unreachable::Local(path.display().to_string(), e.to_string()))?;
        Ok(Self(Mutex::new(Line::new(stream))))
    }
}

impl Call for LocalBox {
    async fn call(&self, body: client_frame::Body) -> Result<server_frame::Body, Error> {
        self.0.lock().await.call(body).await
    }
}

/// Frames over a local socket, one request at a time.
pub(crate) struct Line {
    outgoing: mpsc::Sender<ClientFrame>,
    frames: mpsc::Receiver<Result<ServerFrame, Broken>>,
    next: u64,
}

impl Line {
    pub(crate) fn new(stream: UnixStream) -> Self {
        let (read, write) = stream.into_split();
        let (outgoing, to_send) = mpsc::channel(8);
        let (received, frames) = mpsc::channel(8);
        tokio::spawn(write_frames(write, to_send));
        tokio::spawn(read_frames(read, received));
        Self { outgoing, frames, next: 1 }
    }

    /// Asks, and says under which number.
    pub(crate) async fn ask(&mut self, body: client_frame::Body) -> Result<u64, Error> {
        let request = self.next;
        self.next += 1;
        let frame = ClientFrame { request, body: Some(body) };
        self.outgoing.send(frame).await.map_err(|_| Error::Interrupted)?;
        Ok(request)
    }

    /// The next answer to this request; a refusal is an error.
    pub(crate) async fn answer(&mut self, request: u64) -> Result<server_frame::Body, Error> {
        loop {
            let frame = match self.frames.recv().await {
                Some(Ok(frame)) => frame,
                Some(Err(Broken::Malformed)) => return Err(Error::Protocol("a malformed frame")),
                Some(Err(Broken::Ended)) | None => return Err(Error::Interrupted),
            };
            if frame.request != request {
                continue;
            }
            return match frame.body {
                Some(server_frame::Body::Refused(refused)) => Err(Refused::from_wire(refused).into()),
                Some(body) => Ok(body),
                None => Err(Error::Protocol("an empty answer")),
            };
        }
    }

    /// A question with one answer, within [`ANSWER_TIME_MAX`].
    pub(crate) async fn call(&mut self, body: client_frame::Body) -> Result<server_frame::Body, Error> {
        let answer = async {
            let request = self.ask(body).await?;
            self.answer(request).await
        };
        tokio::time::timeout(ANSWER_TIME_MAX, answer).await.map_err(|_| Error::Interrupted)?
    }
}
