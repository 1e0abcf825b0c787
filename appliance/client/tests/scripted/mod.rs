//! A box that does what the test says: real QUIC and TLS, no decisions of its own.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test: what fails here fails the test")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use prost::Message as _;
use quinn::crypto::rustls::QuicServerConfig;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use wardline_client::event::SignedIn;
use wardline_client::link::{Code, Purpose};
use wardline_client::{Client, JoinLink, Pin, trust};
use wardline_core::directory::PublicKey;
use wardline_core::ids::DeviceId;
use wardline_core::pin::join_code_hash;
use wardline_core::session::{join_message, sign_in_message};
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};
use wardline_core::wire::{self, PREFIX};

pub(crate) const DEVICE: u64 = 0x1001;
pub(crate) const ANA: u64 = 0xA;
pub(crate) const BEN: u64 = 0xB;
pub(crate) const WARD: u64 = 0x77;

/// Listens, with a facility of its own.
pub(crate) struct ScriptedBox {
    endpoint: quinn::Endpoint,
    pub(crate) link: JoinLink,
    key: Option<PublicKey>,
}

/// One client's connection.
pub(crate) struct Line {
    pub(crate) quic: quinn::Connection,
    send: quinn::SendStream,
    receive: quinn::RecvStream,
    exporter: [u8; 32],
}

fn authority(name: &str) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    (params, KeyPair::generate().unwrap())
}

impl ScriptedBox {
    pub(crate) fn open() -> Self {
        let (params, key) = authority("root");
        let root = CertifiedIssuer::self_signed(params, key).unwrap();
        let (params, key) = authority("issuing");
        let issuing = CertifiedIssuer::signed_by(params, key, &root).unwrap();
        let leaf_key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let leaf = leaf.signed_by(&leaf_key, &issuing).unwrap();
        let chain = vec![leaf.der().clone(), issuing.der().clone(), root.der().clone()];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        tls.alpn_protocols = vec![trust::ALPN.to_vec()];
        let config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()));
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let endpoint = quinn::Endpoint::server(config, any).unwrap();
        let address = endpoint.local_addr().unwrap();
        let link = JoinLink {
            purpose: Purpose::Join,
            address: address.to_string().parse().unwrap(),
            server_name: "127.0.0.1".to_owned(),
            root: trust::sha256(root.der()),
            code: Code::parse("ABCDE-FGHJK").unwrap(),
        };
        Self { endpoint, link, key: None }
    }

    /// The next connection, its hello answered. The challenge is all sevens.
    pub(crate) async fn welcome(&self) -> (Line, u64) {
        // A client that ended before it was listened to leaves an attempt behind.
        let (quic, (send, receive)) = loop {
            if let Ok(quic) = self.endpoint.accept().await.unwrap().await
                && let Ok(streams) = quic.accept_bi().await
            {
                break (quic, streams);
            }
        };
        let mut exporter = [0; 32];
        quic.export_keying_material(&mut exporter, b"EXPORTER-wardline-1", b"").unwrap();
        let mut line = Line { quic, send, receive, exporter };
        let (request, Ask::Hello(hello)) = line.ask().await else { panic!("no hello") };
        let welcome = proto::Welcome {
            facility_root: Vec::new(),
            leaf_hashes: Vec::new(),
            version: wire::VERSION,
            challenge: vec![7; 32],
            facility: "St. Elsewhere".to_owned(),
            box_time: 0,
            guest: false,
        };
        line.answer(request, Answer::Welcome(welcome)).await;
        (line, hello.device)
    }

    /// A device joins and leaves again; `Client::join` has then returned.
    pub(crate) async fn enrol(&mut self, profile: &Path) -> Client {
        self.enrol_beside(profile, signed_in(0)).await.0
    }

    /// [`ScriptedBox::enrol`], with this answer to the join.
    pub(crate) async fn enrol_beside(&mut self, profile: &Path, answer: Answer) -> (Client, SignedIn) {
        let (link, profile) = (self.link.clone(), profile.to_owned());
        let pin = Pin::choose("739154".to_owned()).unwrap();
        let joining = tokio::spawn(async move { Client::enrol(&link, &pin, "phone", &profile).await });
        let (mut line, device) = self.welcome().await;
        assert_eq!(device, 0);
        let (request, Ask::Join(join)) = line.ask().await else { panic!("no join") };
        let key = PublicKey::parse(&join.device_key).unwrap();
        let signed = join_message(&[7; 32], &line.exporter, &join_code_hash("ABCDEFGHJK"), &key);
        let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.as_bytes());
        verifier.verify(&signed, &join.signature).unwrap();
        assert_eq!((join.code.as_str(), join.pin.as_str()), ("ABCDEFGHJK", "739154"));
        self.key = Some(key);
        line.answer(request, answer).await;
        joining.await.unwrap().unwrap()
    }

    /// The next connection, its proof checked and not yet answered.
    pub(crate) async fn proven(&self) -> (Line, u64) {
        let (mut line, device) = self.welcome().await;
        assert_eq!(device, DEVICE);
        let (request, Ask::Prove(prove)) = line.ask().await else { panic!("no proof") };
        let signed = sign_in_message(&[7; 32], &line.exporter, DeviceId::new(DEVICE).unwrap());
        let key = self.key.unwrap();
        let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.as_bytes());
        verifier.verify(&signed, &prove.signature).unwrap();
        (line, request)
    }

    /// Has the next one's address proven before it is let in, no further than the handshake.
    pub(crate) async fn retry(&self) {
        self.endpoint.accept().await.unwrap().retry().unwrap();
        let _ = self.endpoint.accept().await.unwrap().await;
    }

    /// A client that does not believe this box.
    pub(crate) async fn turn_away(&self) {
        assert!(self.endpoint.accept().await.unwrap().await.is_err());
    }

    /// The next connection, signed in.
    pub(crate) async fn sign_in(&self, last_number: u64) -> Line {
        let (mut line, request) = self.proven().await;
        line.answer(request, signed_in(last_number)).await;
        line
    }
}

pub(crate) fn signed_in(last_number: u64) -> Answer {
    Answer::SignedIn(proto::SignedIn {
        device: DEVICE,
        person: ANA,
        name: "Ana Ruiz".to_owned(),
        session_ends: 0,
        idle_lock: 300_000,
        last_number,
        administrator: false,
        devices: vec![],
        station: 0,
        visitor: false,
        ..proto::SignedIn::default()
    })
}

/// Signed in, with these devices beside this one.
pub(crate) fn signed_in_beside(others: &[u64]) -> Answer {
    let Answer::SignedIn(mut told) = signed_in(0) else { unreachable!() };
    told.devices = [DEVICE].iter().chain(others).map(|id| device(*id)).collect();
    Answer::SignedIn(told)
}

/// A device of Ana's, named after its number.
pub(crate) fn device(id: u64) -> proto::Device {
    proto::Device { device: id, name: format!("phone {id}"), revoked: false, pin_locked_out: false }
}

pub(crate) fn conversation() -> proto::event::Kind {
    let member = |person| proto::Member { person, delivered: 0, read: 0 };
    proto::event::Kind::Conversation(proto::Conversation {
        conversation: WARD,
        kind: proto::ConversationKind::Direct.into(),
        title: String::new(),
        members: vec![member(ANA), member(BEN)],
        last_sequence: 0,
        first_sequence: 1,
        ..proto::Conversation::default()
    })
}

pub(crate) fn message(sequence: u64, text: &str) -> proto::event::Kind {
    proto::event::Kind::Message(proto::Message {
        conversation: WARD,
        sequence,
        message: vec![sequence as u8; 16],
        sender: BEN,
        at: 1,
        text: text.to_owned(),
        priority: 0,
        ..proto::Message::default()
    })
}

impl Line {
    /// The next request that is no echo; those are answered.
    pub(crate) async fn ask(&mut self) -> (u64, Ask) {
        loop {
            match self.next().await {
                (request, Ask::Echo(_)) => self.answer(request, Answer::Done(proto::Done {})).await,
                other => return other,
            }
        }
    }

    async fn next(&mut self) -> (u64, Ask) {
        let mut prefix = [0; PREFIX];
        self.receive.read_exact(&mut prefix).await.unwrap();
        let mut bytes = vec![0; wire::frame_length(prefix, 16 * 1024).unwrap()];
        self.receive.read_exact(&mut bytes).await.unwrap();
        let frame = proto::ClientFrame::decode(bytes.as_slice()).unwrap();
        (frame.request, frame.body.unwrap())
    }

    pub(crate) async fn submit(&mut self) -> (u64, proto::Submit) {
        match self.ask().await {
            (request, Ask::Submit(submit)) => (request, submit),
            _ => panic!("no submission"),
        }
    }

    /// Receipts go when they are due, in between whatever else.
    pub(crate) async fn sync(&mut self) -> (u64, Vec<u8>) {
        loop {
            match self.ask().await {
                (request, Ask::Sync(sync)) => return (request, sync.cursor),
                (0, Ask::Receipt(_)) => {}
                _ => panic!("no sync"),
            }
        }
    }

    pub(crate) async fn receipt(&mut self) -> proto::Receipt {
        match self.ask().await {
            (0, Ask::Receipt(receipt)) => receipt,
            _ => panic!("no receipt"),
        }
    }

    pub(crate) async fn answer(&mut self, request: u64, body: Answer) {
        let frame = proto::ServerFrame { request, body: Some(body) };
        self.send.write_all(&wire::encode_frame(&frame)).await.unwrap();
    }

    /// A frame of these bytes, whatever they mean.
    pub(crate) async fn bytes(&mut self, frame: &[u8]) {
        let length = u32::try_from(frame.len()).unwrap();
        self.send.write_all(&[&length.to_be_bytes(), frame].concat()).await.unwrap();
    }

    /// Ends the stream, and waits until all of it has arrived: a close would overtake it.
    pub(crate) async fn finish(&mut self) {
        self.send.finish().unwrap();
        let _ = self.send.stopped().await;
    }

    pub(crate) async fn accept(&mut self, request: u64, submit: &proto::Submit, sequence: u64) {
        let accepted = proto::Accepted {
            number: submit.number,
            message: submit.message.clone(),
            conversation: submit.conversation,
            sequence,
            at: 1,
            cursor: vec![],
        };
        self.answer(request, Answer::Accepted(accepted)).await;
    }

    pub(crate) async fn refuse(&mut self, request: u64, code: proto::RefusalCode) {
        let refused =
            proto::Refused { code: code.into(), advice: "advice".to_owned(), retry_after: 1, tries_left: 9 };
        self.answer(request, Answer::Refused(refused)).await;
    }

    /// Delivers these behind cursors of their numbers.
    pub(crate) async fn deliver(&mut self, events: impl IntoIterator<Item = (u8, proto::event::Kind)>) {
        for (cursor, kind) in events {
            let event = Some(proto::Event { kind: Some(kind) });
            let delivery = proto::Delivery { cursor: vec![cursor; 16], event };
            self.answer(0, Answer::Delivery(delivery)).await;
        }
    }

    pub(crate) async fn synced(&mut self, request: u64, cursor: u8) {
        self.answer(request, Answer::Synced(proto::Synced { cursor: vec![cursor; 16] })).await;
    }
}
