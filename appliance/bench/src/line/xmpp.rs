//! ejabberd's client: XMPP (RFC 6120, 6121) over TLS, with stream management (XEP-0198), the archive (XEP-0313) and rooms
//! (XEP-0045). Only what a load needs, but nothing in it that a real client could not do.
//!
//! What counts as accepted is what is in the archive for good:
//!
//! - One-to-one it is the answer to `<r/>`. The process in ejabberd that serves a connection takes one stanza after the
//!   other; for a message it runs `mod_mam`'s hook, which waits for the `INSERT` into the sender's archive, and only then
//!   does it come to the `<r/>`. The `INSERT` is a transaction of its own. Seen with strace: PostgreSQL's process receives
//!   `Sync`, writes its log, calls fdatasync, and sends `ReadyForQuery`; ejabberd receives that, and then it writes the
//!   `<a/>`. And while PostgreSQL is stopped (SIGSTOP) no `<a/>` comes.
//!   The receiver's archive is written the same way, by the receiver's process, before it passes the message on: a
//!   second flush, which the `<a/>` does not wait for, but the delivery does.
//! - In a room that answer says nothing: the room is a process of its own. There it is the room's echo: the room stores
//!   the message (`muc_filter_message`) before it sends it to anybody.

mod login;
mod scan;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use self::scan::{Part, Scanner, Stanza};
use super::{Heard, Line, body, number_in};
use crate::shape::Shape;

/// The domain that the server is for.
const DOMAIN: &str = "localhost";
/// Stanzas that wait for the socket.
const QUEUE: usize = 64;
/// Messages that may be unanswered.
const UNANSWERED_MAX: usize = 4_096;
/// Bytes that are read at a time.
const READ: usize = 16 * 1024;
/// Asks what has been handled.
const ASK: &str = "<r xmlns='urn:xmpp:sm:3'/>";
/// How a stream ends.
const END: &[u8] = b"</stream:stream>";

/// Where its connections come from and go to.
pub(crate) struct XmppHouse {
    to: SocketAddr,
    tls: TlsConnector,
    shape: Shape,
}

impl XmppHouse {
    /// A server that listens there with this certificate.
    pub(crate) fn new(to: SocketAddr, certificate: &[u8], shape: Shape) -> Result<Self> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from(certificate.to_vec()))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // One configuration serves everybody, and nobody resumes another's session.
        tls.resumption = rustls::client::Resumption::disabled();
        // A socket for everybody.
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
        setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
        Ok(Self { to, tls: TlsConnector::from(Arc::new(tls)), shape })
    }

    /// Connects somebody.
    pub(crate) async fn connect(&self, who: usize) -> Result<Line> {
        login::connect(self, who).await
    }
}

/// Who that is.
fn address(who: usize) -> String {
    format!("u{who}@{DOMAIN}")
}

/// The room of a group.
fn room(conversation: usize) -> String {
    format!("g{conversation}@conference.{DOMAIN}")
}

/// Messages whose answer is to come with the server's next `<a/>`.
#[derive(Default)]
struct Unanswered {
    /// Stanzas sent since stream management is on.
    sent: u64,
    /// Which of them were messages, and the tokens of these.
    tokens: VecDeque<(u64, u64)>,
}

type Shared = Arc<Mutex<Unanswered>>;

fn shared(unanswered: &Shared) -> MutexGuard<'_, Unanswered> {
    unanswered.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where messages go in.
pub(crate) struct Sender {
    queue: mpsc::Sender<Bytes>,
    unanswered: Shared,
    who: usize,
    /// Conversations that have one.
    rooms: Range<usize>,
    token: u64,
}

impl Sender {
    pub(super) async fn submit(&mut self, conversation: usize, number: u64) -> Result<u64> {
        self.token += 1;
        let (token, text) = (self.token, body(number));
        let mut stanza = String::with_capacity(512);
        if self.rooms.contains(&conversation) {
            let to = room(conversation);
            write!(
                stanza,
                "<message type='groupchat' to='{to}' id='t{token}'><body>{text}</body></message>"
            )?;
            self.stanza(stanza).await?;
            return Ok(token);
        }
        // Neighbours, all of them.
        let to = address(self.who ^ 1);
        write!(stanza, "<message type='chat' to='{to}' id='t{token}'><body>{text}</body></message>{ASK}")?;
        {
            let mut unanswered = shared(&self.unanswered);
            ensure!(unanswered.tokens.len() < UNANSWERED_MAX, "the server answers nothing");
            let at = unanswered.sent + 1;
            unanswered.tokens.push_back((at, token));
        }
        self.stanza(stanza).await?;
        Ok(token)
    }

    /// Sends one stanza, and it may be, behind it, what is none.
    async fn stanza(&self, text: String) -> Result<()> {
        // No turning back once it counts.
        let place = self.queue.reserve().await.ok().context("the connection is closed")?;
        shared(&self.unanswered).sent += 1;
        place.send(Bytes::from(text));
        Ok(())
    }

    /// Says good-bye, if there is time for it.
    pub(super) fn leave(&self) {
        // When the queue is full the connection ends with its last sender.
        let _ = self.queue.try_send(Bytes::from_static(END));
    }
}

/// Writes what is to be written, until the stream ends.
async fn write(mut to: WriteHalf<TlsStream<TcpStream>>, mut queue: mpsc::Receiver<Bytes>) {
    while let Some(bytes) = queue.recv().await {
        let written = async {
            to.write_all(&bytes).await?;
            to.flush().await
        };
        // The receiver notices an end, too, and says so.
        if written.await.is_err() || bytes == END {
            break;
        }
    }
    let _ = to.shutdown().await;
}

/// Where they come out.
pub(crate) struct Receiver {
    from: ReadHalf<TlsStream<TcpStream>>,
    scanner: Scanner,
    queue: mpsc::Sender<Bytes>,
    unanswered: Shared,
    /// What has been answered, and nobody was told yet.
    answered: VecDeque<u64>,
    /// Stanzas that came since stream management is on.
    handled: u32,
    /// The server wants to know that.
    asked: bool,
    /// What it is called in rooms.
    nick: String,
}

impl Receiver {
    pub(super) async fn next(&mut self) -> Result<Heard> {
        loop {
            if let Some(token) = self.answered.pop_front() {
                return Ok(Heard::Accepted(token));
            }
            let stanza = self.stanza().await?;
            match stanza.name() {
                "a" => self.answers(&stanza)?,
                "message" => {
                    ensure!(stanza.attribute("type") != Some("error"), "refused: {stanza}");
                    // Rooms also send messages without a text.
                    let Some(body) = stanza.text("body") else { continue };
                    if let Some(token) = self.echo(&stanza) {
                        return Ok(Heard::Accepted(token));
                    }
                    return Ok(Heard::Message(number_in(body.as_bytes())?));
                }
                _ => {}
            }
        }
    }

    fn answers(&mut self, stanza: &Stanza) -> Result<()> {
        let handled: u64 = stanza.attribute("h").context("an answer without a count")?.parse()?;
        let mut unanswered = shared(&self.unanswered);
        while let Some((_, token)) = unanswered.tokens.pop_front_if(|(at, _)| *at <= handled) {
            self.answered.push_back(token);
        }
        Ok(())
    }

    /// The token of a message of one's own that a room sends to all.
    fn echo(&self, stanza: &Stanza) -> Option<u64> {
        let (_, nick) = stanza.attribute("from")?.split_once('/')?;
        let own = stanza.attribute("type") == Some("groupchat") && nick == self.nick;
        stanza.attribute("id").filter(|_| own)?.strip_prefix('t')?.parse().ok()
    }

    /// The next stanza; the server's own questions are answered. May be dropped half-way.
    async fn stanza(&mut self) -> Result<Stanza> {
        loop {
            if self.asked {
                let answer = format!("<a xmlns='urn:xmpp:sm:3' h='{}'/>", self.handled);
                // Not waited for: a full queue empties only if the server reads, and it may want us to read first.
                self.asked = self.queue.try_send(Bytes::from(answer)).is_err();
            }
            match self.scanner.next()? {
                Some(Part::Stanza(stanza)) if stanza.name() == "r" => self.asked = true,
                Some(Part::Stanza(stanza)) => {
                    self.handled = self.handled.wrapping_add(u32::from(stanza.counts()));
                    return Ok(stanza);
                }
                Some(Part::Open | Part::Close) => bail!("the server ends the stream"),
                None => fill(&mut self.from, &mut self.scanner).await?,
            }
        }
    }
}

/// Reads once.
async fn fill(from: &mut (impl AsyncRead + Unpin), scanner: &mut Scanner) -> Result<()> {
    let buffer = scanner.buffer();
    buffer.reserve(READ);
    ensure!(from.read_buf(buffer).await? > 0, "the server is gone");
    Ok(())
}

/// Goes into the room of a group, which one must to hear anything there.
pub(super) async fn enter(sender: &Sender, receiver: &mut Receiver, conversation: usize) -> Result<()> {
    let place = format!("{}/{}", room(conversation), receiver.nick);
    let muc = "http://jabber.org/protocol/muc";
    let join = format!("<presence to='{place}'><x xmlns='{muc}'><history maxstanzas='0'/></x></presence>");
    sender.stanza(join).await?;
    loop {
        let stanza = receiver.stanza().await?;
        if stanza.attribute("from").is_some_and(|from| from.starts_with(&room(conversation))) {
            ensure!(stanza.attribute("type") != Some("error"), "not let in: {stanza}");
            // The subject, be it empty, is the last that somebody gets who comes in.
            if stanza.name() == "message" && stanza.has("<subject") {
                return Ok(());
            }
        }
    }
}
