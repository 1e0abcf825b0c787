//! From nothing to signed in and caught up.

use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::ServerName;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::client::TlsStream;

use super::scan::{Part, Scanner, Stanza};
use super::{DOMAIN, Line, QUEUE, Receiver, Sender, Shared, XmppHouse, fill, write};

/// Messages of the archive that are asked for at a time: the most that ejabberd gives.
const PAGE: usize = 250;

/// Connects somebody, signs in and asks for what was missed.
pub(super) async fn connect(house: &XmppHouse, who: usize) -> Result<Line> {
    let tcp = TcpStream::connect(house.to).await?;
    tcp.set_nodelay(true)?;
    let stream = house.tls.connect(ServerName::try_from(DOMAIN)?, tcp).await?;
    let mut talk = Talk { stream, scanner: Scanner::default() };
    talk.open().await?;
    let secret = STANDARD.encode(format!("\0u{who}\0of-u{who}"));
    talk.say(&format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>"))
        .await?;
    talk.expect("success").await?;
    talk.scanner.restart();
    talk.open().await?;
    // The server names the connection.
    talk.say("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>").await?;
    let bound = talk.expect("iq").await?;
    ensure!(bound.attribute("type") == Some("result"), "not bound: {bound}");
    talk.say("<enable xmlns='urn:xmpp:sm:3'/>").await?;
    talk.expect("enabled").await?;
    let (from, to) = tokio::io::split(talk.stream);
    let (queue, queued) = mpsc::channel(QUEUE);
    tokio::spawn(write(to, queued));
    let (shape, unanswered) = (&house.shape, Shared::default());
    let sender = Sender {
        queue: queue.clone(),
        unanswered: Arc::clone(&unanswered),
        who,
        rooms: shape.pairs..shape.pairs + shape.groups.len(),
        token: 0,
    };
    let mut receiver = Receiver {
        from,
        scanner: talk.scanner,
        queue,
        unanswered,
        answered: std::collections::VecDeque::new(),
        handled: 0,
        asked: false,
        nick: format!("u{who}"),
    };
    // Without presence nothing is sent to one's plain address.
    sender.stanza("<presence/>".to_owned()).await?;
    // The last has not got what was missed; for all others nothing was. The archive numbers by microseconds.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_micros();
    let has = (who != shape.misser()).then(|| now.to_string());
    let missed = catch_up(&sender, &mut receiver, has).await?;
    let (sender, receiver) = (super::super::Sender::Xmpp(sender), super::super::Receiver::Xmpp(receiver));
    Ok(Line { sender, receiver, missed, quic: None })
}

/// Reads the archive from this message on, a page at a time; how many there were.
async fn catch_up(sender: &Sender, receiver: &mut Receiver, mut has: Option<String>) -> Result<u64> {
    let mut missed = 0;
    loop {
        let after = has.map(|id| format!("<after>{id}</after>")).unwrap_or_default();
        let page = format!("<set xmlns='http://jabber.org/protocol/rsm'><max>{PAGE}</max>{after}</set>");
        let query = format!("<query xmlns='urn:xmpp:mam:2'>{page}</query>");
        sender.stanza(format!("<iq type='set' id='missed'>{query}</iq>")).await?;
        let end = loop {
            let stanza = receiver.stanza().await?;
            match (stanza.name(), stanza.attribute("id")) {
                ("iq", Some("missed")) => break stanza,
                ("message", _) if stanza.has("urn:xmpp:mam:2") => missed += 1,
                _ => {}
            }
        };
        ensure!(end.attribute("type") == Some("result"), "no archive: {end}");
        if end.has("complete='true'") {
            return Ok(missed);
        }
        has = Some(end.text("last").context("a page without an end")?.to_owned());
    }
}

/// A stream before it is signed in: one asks, the other answers.
struct Talk {
    stream: TlsStream<TcpStream>,
    scanner: Scanner,
}

impl Talk {
    async fn say(&mut self, text: &str) -> Result<()> {
        self.stream.write_all(text.as_bytes()).await?;
        Ok(self.stream.flush().await?)
    }

    async fn part(&mut self) -> Result<Part> {
        loop {
            if let Some(part) = self.scanner.next()? {
                return Ok(part);
            }
            fill(&mut self.stream, &mut self.scanner).await?;
        }
    }

    async fn expect(&mut self, name: &str) -> Result<Stanza> {
        match self.part().await? {
            Part::Stanza(stanza) if stanza.name() == name => Ok(stanza),
            other => bail!("{other:?} in place of {name}"),
        }
    }

    /// Opens a stream; what the server can do stands in its features, and is known.
    async fn open(&mut self) -> Result<()> {
        let spaces = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'";
        self.say(&format!("<?xml version='1.0'?><stream:stream to='{DOMAIN}' version='1.0' {spaces}>"))
            .await?;
        let part = self.part().await?;
        ensure!(part == Part::Open, "{part:?} in place of a stream");
        self.expect("stream:features").await?;
        Ok(())
    }
}
