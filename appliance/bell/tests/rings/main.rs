//! The bell against a push service of this machine, over TLS: what it sends, and what it makes of the answers.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "a test that cannot go on fails")]

mod push_service;

use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use push_service::{Answers, Browser, PushService};
use tokio::net::{UnixDatagram, UnixStream};
use wardline_bell::endpoint::Allowed;
use wardline_bell::envelope::{SEALED_BYTES, TEXT};
use wardline_bell::key::VapidKey;
use wardline_bell::post::Post;
use wardline_bell::ringing::{Bell, Rhythm, TRIES_MAX};
use wardline_bell_protocol::{self as protocol, HostCounts, Outcome, Reply, Request, Tagged};

const CONTACT: &str = "mailto:it@example.org";

fn says(status: u16) -> Answers {
    Answers { status, retry_after: None }
}

/// Nothing waits longer than it must, but long enough on a busy machine.
fn rhythm() -> Rhythm {
    Rhythm { pause: Duration::ZERO, ..Rhythm::default() }
}

fn bell(service: &PushService, rhythm: Rhythm) -> (Bell, tempfile::TempDir) {
    let state = tempfile::tempdir().unwrap();
    let key = VapidKey::open(state.path(), CONTACT).unwrap();
    let allowed: Vec<Allowed> = vec![service.allow().parse().unwrap()];
    (Bell::new(key, allowed, Post::new(service.root_pem.as_bytes()).unwrap(), rhythm), state)
}

/// One ring at a service that answers like this: what became of it, its counts, and how many messages came.
async fn ring(answers: &[Answers], rhythm: Rhythm) -> (Outcome, HostCounts, usize) {
    let service = PushService::start(answers.to_vec()).await;
    let (bell, _state) = bell(&service, rhythm);
    let phone = Browser::new().subscription(format!("https://{}/push/1", service.allow()));
    let outcome = bell.ring(&phone).await;
    let counts = bell.counts().hosts.remove(0);
    assert_eq!(counts.host, service.allow());
    (outcome, counts, service.came().len())
}

#[tokio::test]
async fn a_ring_is_one_constant_text_for_one_browser_under_the_boxs_key() {
    let service = PushService::start([says(201)]).await;
    let (bell, _state) = bell(&service, rhythm());
    let browser = Browser::new();
    let phone = browser.subscription(format!("https://{}/push/JzLQ3?x=1", service.allow()));
    assert_eq!(bell.ring(&phone).await, Outcome::Sent);

    let [came] = &service.came()[..] else { panic!("one message") };
    assert_eq!(came.path, "/push/JzLQ3?x=1");
    assert_eq!(came.header("host"), service.allow());
    assert_eq!(
        (came.header("ttl"), came.header("urgency"), came.header("topic")),
        ("300", "high", "wardline")
    );
    assert_eq!(came.header("content-encoding"), "aes128gcm");
    assert_eq!(came.headers.len(), 9, "nothing else is said: {:?}", came.headers.keys());
    assert_eq!((came.body.len(), browser.open(&came.body)), (SEALED_BYTES, TEXT.to_vec()));

    let (claims, key) = came.claims();
    assert_eq!(key, bell.public_key());
    assert_eq!(claims["aud"], format!("https://{}", service.allow()));
    assert_eq!(claims["sub"], CONTACT);
    assert_eq!(claims.as_object().unwrap().len(), 3);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let ends = claims["exp"].as_u64().unwrap();
    assert!(ends > now && ends <= now + 24 * 3600, "RFC 8292 section 2");
}

#[tokio::test]
async fn an_answer_is_taken_for_what_it_says() {
    for (status, outcome) in [
        (200, Outcome::Sent),
        (201, Outcome::Sent),
        (202, Outcome::Sent),
        (404, Outcome::Gone),
        (410, Outcome::Gone),
        (400, Outcome::Refused),
        (403, Outcome::Refused),
        (413, Outcome::Refused),
        // Nobody is followed anywhere.
        (301, Outcome::Refused),
        (307, Outcome::Refused),
    ] {
        let (was, counts, came) = ring(&[says(status)], rhythm()).await;
        assert_eq!((was, came), (outcome, 1), "{status}");
        let counted = [counts.sent, counts.gone, counts.refused, counts.failed];
        let expected = [Outcome::Sent, Outcome::Gone, Outcome::Refused, Outcome::Failed];
        assert_eq!(counted, expected.map(|of| u64::from(of == outcome)), "{status}");
    }
}

#[tokio::test]
async fn who_is_overwhelmed_is_asked_again_a_few_times() {
    let (outcome, counts, came) = ring(&[says(500), says(429), says(201)], rhythm()).await;
    assert_eq!((outcome, counts.sent, came), (Outcome::Sent, 1, 3));
    let (outcome, counts, came) = ring(&[says(503)], rhythm()).await;
    assert_eq!((outcome, counts.failed, came), (Outcome::Failed, 1, TRIES_MAX as usize));
}

#[tokio::test]
async fn who_wants_to_be_left_alone_is() {
    let later = Answers { status: 429, retry_after: Some(3600) };
    let service = PushService::start([later]).await;
    let (bell, _state) = bell(&service, rhythm());
    let phone = Browser::new().subscription(format!("https://{}/push/1", service.allow()));
    // Later than the ring is worth anything: given up, and no other ring goes there either.
    assert_eq!(bell.ring(&phone).await, Outcome::Failed);
    assert_eq!(bell.ring(&phone).await, Outcome::Failed);
    assert_eq!((service.came().len(), bell.counts().hosts[0].failed), (1, 2));
    // Soon enough: asked again then.
    let soon = Answers { status: 429, retry_after: Some(0) };
    let (outcome, _, came) = ring(&[soon, says(201)], rhythm()).await;
    assert_eq!((outcome, came), (Outcome::Sent, 2));
}

#[tokio::test]
async fn silence_is_given_up() {
    let short =
        Rhythm { worth: Duration::from_millis(300), patience: Duration::from_millis(100), ..rhythm() };
    let (outcome, counts, _) = ring(&[says(0)], short).await;
    assert_eq!((outcome, counts.failed), (Outcome::Failed, 1));
}

#[tokio::test]
async fn nobody_is_called_who_is_not_allowed_or_cannot_be_believed() {
    let service = PushService::start([says(201)]).await;
    let (bell, _state) = bell(&service, rhythm());
    let at = |endpoint: String| Browser::new().subscription(endpoint);
    for endpoint in [
        "https://localhost/push/1".to_owned(),
        format!("https://127.0.0.1:{}/push/1", service.address.port()),
        format!("http://{}/push/1", service.allow()),
        "https://web.push.apple.com/x".to_owned(),
    ] {
        assert_eq!(bell.ring(&at(endpoint.clone())).await, Outcome::NotAllowed, "{endpoint}");
    }
    assert_eq!((bell.counts().not_allowed, service.came().len()), (4, 0));

    // Its certificate is of a root that this bell was not given.
    let other = PushService::start([says(201)]).await;
    let state = tempfile::tempdir().unwrap();
    let key = VapidKey::open(state.path(), CONTACT).unwrap();
    let post = Post::new(other.root_pem.as_bytes()).unwrap();
    let strict = Bell::new(key, vec![service.allow().parse().unwrap()], post, rhythm());
    assert_eq!(strict.ring(&at(format!("https://{}/push/1", service.allow()))).await, Outcome::Failed);
    assert_eq!(service.came().len(), 0);
    assert!(Post::new(b"no certificate").is_err());
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The process itself, once it has said to systemd that it is ready.
async fn start(service: &PushService, at: &std::path::Path, relay_uid: u32) -> Running {
    std::fs::write(at.join("roots.pem"), &service.root_pem).unwrap();
    let ready = at.join("ready");
    let _ = std::fs::remove_file(&ready);
    let systemd = UnixDatagram::bind(&ready).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_wardline-bell"))
        .args(["--state".as_ref(), at.join("state").as_os_str()])
        .args(["--socket".as_ref(), at.join("socket").as_os_str()])
        .args(["--roots".as_ref(), at.join("roots.pem").as_os_str()])
        .args(["--allow", &service.allow(), "--contact", CONTACT, "--relay-uid", &relay_uid.to_string()])
        .env("NOTIFY_SOCKET", &ready)
        .spawn()
        .unwrap();
    let running = Running(child);
    let mut said = [0; 64];
    let length = systemd.recv(&mut said).await.unwrap();
    assert_eq!(&said[..length], b"READY=1\n");
    running
}

async fn connect(at: &std::path::Path) -> UnixStream {
    UnixStream::connect(at.join("socket")).await.unwrap()
}

#[tokio::test]
async fn the_relay_asks_over_a_socket_and_nobody_else_does() {
    let service = PushService::start([says(201), says(410)]).await;
    let at = tempfile::tempdir().unwrap();
    let me = std::fs::metadata(at.path()).unwrap().uid();
    let running = start(&service, at.path(), me).await;
    let mut stream = connect(at.path()).await;
    let mut ask = async |tag: u64, body: Request| {
        protocol::write(&mut stream, &Tagged { tag, body }).await.unwrap();
        let answer = protocol::read::<Reply>(&mut stream).await.unwrap().unwrap();
        assert_eq!(answer.tag, tag);
        answer.body
    };
    let Reply::PublicKey(key) = ask(1, Request::PublicKey).await else { panic!("the key") };
    let phone = Browser::new().subscription(format!("https://{}/push/1", service.allow()));
    assert_eq!(ask(2, Request::Ring(Box::new(phone.clone()))).await, Reply::Rung(Outcome::Sent));
    assert_eq!(ask(3, Request::Ring(Box::new(phone))).await, Reply::Rung(Outcome::Gone));
    let Reply::Counts(counts) = ask(4, Request::Counts).await else { panic!("the counts") };
    assert_eq!((counts.hosts[0].sent, counts.hosts[0].gone), (1, 1));
    assert_eq!(service.came()[0].claims().1, key);
    drop(running);

    // The key outlives the process; another user's connection is closed unread.
    let running = start(&service, at.path(), me + 1).await;
    let mut stream = loop {
        // The socket of the process before is there until this one has taken its place.
        let mut stream = connect(at.path()).await;
        if protocol::write(&mut stream, &Tagged { tag: 1, body: Request::PublicKey }).await.is_ok() {
            break stream;
        }
    };
    let answer = protocol::read::<Reply>(&mut stream).await;
    assert!(!matches!(answer, Ok(Some(_))), "another user was answered");
    drop(running);
    assert_eq!(*VapidKey::open(&at.path().join("state"), CONTACT).unwrap().public(), key);
}

#[tokio::test]
async fn a_bad_frame_closes_its_own_connection() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let service = PushService::start([says(201)]).await;
    let at = tempfile::tempdir().unwrap();
    let me = std::fs::metadata(at.path()).unwrap().uid();
    let _running = start(&service, at.path(), me).await;
    for bad in [&[0; 4][..], &[0xFF; 4], &[0, 0, 0, 1, 0xFF], &[0, 0, 0x10, 1]] {
        let mut stream = connect(at.path()).await;
        stream.write_all(bad).await.unwrap();
        assert_eq!(stream.read(&mut [0; 16]).await.unwrap_or(0), 0, "{bad:?}");
    }
    let mut stream = connect(at.path()).await;
    protocol::write(&mut stream, &Tagged { tag: 9, body: Request::Counts }).await.unwrap();
    assert!(protocol::read::<Reply>(&mut stream).await.unwrap().is_some());
}
