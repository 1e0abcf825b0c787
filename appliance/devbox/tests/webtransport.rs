//! The browser's way over QUIC of a whole box: WebTransport sessions, by a client by hand.

mod support;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest;
use prost::Message as _;
use support::raw::{PATIENCE, Raw, Way, submit};
use support::websocket::Https;
use support::webtransport::{Http3, Session, binding};
use support::{Fixture, until};
use wardline_core::refusal::CloseCode;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::event::Kind;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::{self, PREFIX, proto};

const HERE: [u8; 4] = [127, 0, 0, 1];
const PIN: &str = "739154";
/// RFC 9114, 8.1.
const EXCESSIVE_LOAD: u64 = 0x107;
const REQUEST_REJECTED: u32 = 0x10b;
/// What no stream is opened in that may not be.
const A_MOMENT: Duration = Duration::from_millis(700);

/// A test with a box; the box's parts end with this thread.
fn on_a_box(relay: &[&str], test: impl AsyncFnOnce(&mut Fixture) -> Result<()>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut fixture = Fixture::start(relay).expect("a box");
    runtime.block_on(test(&mut fixture)).expect("as documented");
}

/// Somebody joins over this session.
async fn join(fixture: &Fixture, session: &mut Session, first: &str) -> Result<support::raw::Device> {
    let (answer, key) = session.raw.join(&fixture.code(first)?, PIN, false).await?;
    let Answer::SignedIn(signed_in) = answer else { anyhow::bail!("not signed in") };
    let id = wardline_core::ids::DeviceId::new(signed_in.device).context("a device without identifier")?;
    Ok(support::raw::Device { id, key })
}

async fn next_message(raw: &mut Raw) -> Result<proto::Message> {
    loop {
        if let Some(Answer::Delivery(delivery)) = raw.frame().await?.body
            && let Some(Kind::Message(message)) = delivery.event.and_then(|event| event.kind)
        {
            return Ok(message);
        }
    }
}

/// A conversation between whom this is and Ben.
async fn with_ben(fixture: &Fixture, raw: &mut Raw) -> Result<u64> {
    let open = proto::OpenDirect { person: fixture.person("Ben")? };
    let Answer::Opened(opened) = raw.ask(Ask::OpenDirect(open)).await? else { anyhow::bail!("not opened") };
    Ok(opened.conversation.context("a conversation")?.conversation)
}

#[test]
fn somebody_at_a_browser_and_somebody_at_a_native_client_talk() {
    on_a_box(&[], async |fixture| {
        let mut ana = Session::open(&fixture.devbox).await?;
        let device = join(fixture, &mut ana, "Ana").await?;
        let (mut ben, _) = Way::new(&fixture.devbox).join(&fixture.code("Ben")?, PIN).await?;
        ben.say(Ask::Sync(proto::Sync { cursor: Vec::new() })).await?;
        let conversation = with_ben(fixture, &mut ana.raw).await?;
        // Nobody takes what comes beside the streams, and nobody minds.
        ana.raw.quic.send_datagram(vec![0; 8].into())?;
        let said = ana.raw.ask(submit(1, 1, conversation, "bed 4 is free")).await?;
        ensure!(matches!(said, Answer::Accepted(_)), "not accepted");
        ensure!(next_message(&mut ben).await?.text == "bed 4 is free", "another text");

        // A proof is for this origin and this leaf, and for nothing else.
        let origin = format!("https://{}", fixture.devbox.address());
        let leaf = ana.leaf();
        for other in [binding("https://evil.example", &leaf), binding(&origin, &[7; 32]), [0; 32]] {
            let mut mallory = Session::open(&fixture.devbox).await?;
            mallory.raw.exporter = other;
            ensure!(mallory.raw.sign_in(&device).await.is_err(), "a proof for something else was taken");
        }

        // Somewhere else, the same device: the older session hears why it ends.
        let mut again = Session::open(&fixture.devbox).await?;
        again.raw.sign_in(&device).await?;
        ensure!(ana.closes().await? == CloseCode::SUPERSEDED.0, "another code");

        // Who ends the control stream is done, and who ends the session has left.
        again.raw.finish()?;
        ensure!(again.closes().await? == CloseCode::DONE.0, "another code");
        let mut gone = Session::open(&fixture.devbox).await?;
        gone.raw.hello(None).await?;
        gone.leave()?;
        gone.raw.closed().await?;
        Ok(())
    });
}

#[test]
fn what_is_no_request_for_a_session_of_this_page_is_refused() {
    on_a_box(&[], async |fixture| {
        let bystander = Session::open(&fixture.devbox).await?;
        let own = format!("https://{}", fixture.devbox.address());
        let plain = own.replace("https", "http");
        for (path, origin, status) in [
            ("/wardline/1", Some("https://evil.example"), 403),
            ("/wardline/1", Some("https://127.0.0.1"), 403),
            ("/wardline/1", Some(plain.as_str()), 403),
            ("/wardline/1", Some("null"), 403),
            ("/wardline/1", None, 400),
            ("/wardline/2", Some(own.as_str()), 404),
            ("/wardline/1?x", Some(own.as_str()), 404),
            ("/", Some(own.as_str()), 404),
        ] {
            let http = Http3::connect(&fixture.devbox).await?;
            let (got, _, _) = http.ask(path, origin).await?;
            ensure!(got == status, "{path} from {origin:?}: {got}");
            tokio::time::timeout(PATIENCE, http.quic.closed()).await.context("it stays")?;
        }
        // A page whose own name leads to the box: a browser that goes by the certificate's hash does not look at the name.
        for host in ["evil.example", "evil.example:8443", "127.0.0.2:8443"] {
            let http = Http3::connect(&fixture.devbox).await?.called(host);
            let (got, _, _) = http.ask("/wardline/1", Some(&format!("https://{host}"))).await?;
            ensure!(got == 403, "{host}: {got}");
        }
        // A GET: its headers from QPACK's static table (RFC 9204, appendix A: 17, 23, 1).
        let http = Http3::connect(&fixture.devbox).await?;
        let (mut send, mut receive) = http.quic.open_bi().await?;
        send.write_all(&[1, 5, 0, 0, 0xc0 | 17, 0xc0 | 23, 0xc0 | 1]).await?;
        let read = tokio::time::timeout(PATIENCE, receive.read_to_end(100)).await.context("no answer")??;
        // HEADERS, and in them `:status: 400` (67 of the table).
        ensure!(read.first() == Some(&1) && read.windows(2).any(|two| two == [0xff, 67 - 63]), "{read:?}");
        let mut bystander = bystander;
        bystander.raw.hello(None).await?;
        Ok(())
    });
}

#[test]
fn a_connection_has_one_session_and_its_streams() {
    on_a_box(&[], async |fixture| {
        let http = Http3::connect(&fixture.devbox).await?;
        let (origin, quic) = (http.origin(), http.quic.clone());
        let (status, first, _first) = http.ask("/wardline/1", Some(&origin)).await?;
        ensure!(status == 200, "{status}");
        // A second session in the control stream's place, then a stream of a session that is none.
        ensure!(http.ask("/wardline/1", Some(&origin)).await.is_err(), "a second session");
        let (mut send, _receive) = quic.open_bi().await?;
        send.write_all(&[0x40, 0x41, 0x20]).await?;
        let stopped = tokio::time::timeout(PATIENCE, send.stopped()).await.context("it was taken")??;
        ensure!(stopped == Some(quinn::VarInt::from_u32(REQUEST_REJECTED)), "{stopped:?}");
        drop(first);

        let mut ana = Session::open(&fixture.devbox).await?;
        ana.raw.hello(None).await?;
        let quic = ana.raw.quic.clone();
        ensure!(
            tokio::time::timeout(A_MOMENT, quic.open_bi()).await.is_err(),
            "a stream more before the proof"
        );
        let mut one_way = Vec::new();
        while let Ok(stream) = tokio::time::timeout(A_MOMENT, quic.open_uni()).await {
            one_way.push(stream?);
        }
        ensure!(one_way.len() == 2, "{} streams of one direction beside the settings", one_way.len());
        Ok(())
    });
}

#[test]
fn another_hand_gets_a_session() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("../../.build/foreign/bin/python");
    if !python.exists() {
        support::not_run("WebTransport by aioquic", "no Python environment; `make prepare` makes it");
        return;
    }
    on_a_box(&[], async |fixture| {
        let (to, leaf) = (fixture.devbox.address(), Http3::connect(&fixture.devbox).await?.leaf);
        let (own, leaf) = (format!("https://{to}"), hex(&leaf));
        let run = |origin: &str, path: &str| {
            let mut run = tokio::process::Command::new(&python);
            run.arg(root.join("tests/foreign/webtransport.py"));
            run.args([&to.ip().to_string(), &to.port().to_string(), &leaf, origin, path]).kill_on_drop(true);
            async move {
                let ran =
                    tokio::time::timeout(4 * PATIENCE, run.output()).await.context("it does not end")??;
                ensure!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
                Ok(String::from_utf8(ran.stdout)?)
            }
        };
        ensure!(run("https://evil.example", "/wardline/1").await? == "403\n", "another origin");
        ensure!(run(&own, "/wardline/2").await? == "404\n", "another path");
        let said = run(&own, "/wardline/1").await?;
        let [status, welcome, code] = said.lines().collect::<Vec<_>>()[..] else { anyhow::bail!("{said}") };
        ensure!((status, code) == ("200", CloseCode::DONE.0.to_string().as_str()), "{said}");
        // Frame 1, with a body that is a welcome.
        let leaves = welcome.matches(&leaf).count();
        ensure!(welcome[8..].starts_with("0801") && leaves == 1, "{welcome}");
        Ok(())
    });
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_native_client_gets_nothing_of_what_is_there_for_browsers() {
    on_a_box(&[], async |fixture| {
        let mut ana = Way::new(&fixture.devbox).connect().await?;
        for _ in 0..3 {
            let mut stream = ana.quic.open_uni().await?;
            stream.write_all(b"a stream of one direction").await?;
            stream.finish()?;
        }
        ana.hello(None).await?;
        ensure!(
            tokio::time::timeout(A_MOMENT, ana.quic.open_uni()).await.is_err(),
            "a fourth, in the place of one"
        );
        ensure!(
            tokio::time::timeout(A_MOMENT, ana.quic.open_bi()).await.is_err(),
            "a stream more before the proof"
        );
        let told = ana.ask(support::raw::hello(None)).await;
        ensure!(!matches!(told, Ok(Answer::Welcome(_))), "two hellos");
        Ok(())
    });
}

#[test]
fn who_says_too_much_beside_the_control_stream_is_put_out() {
    on_a_box(&[], async |fixture| {
        let mut bystander = Session::open(&fixture.devbox).await?;
        let long = Session::open(&fixture.devbox).await?;
        let mut stream = long.raw.quic.open_uni().await?;
        // The box may have closed before all of it is written.
        let _ = stream.write_all(&[0x21; 80 * 1024]).await;
        long.raw.closes_with(EXCESSIVE_LOAD).await?;

        let many = Session::open(&fixture.devbox).await?;
        for _ in 0..400 {
            let Ok(mut stream) = many.raw.quic.open_uni().await else { break };
            let _ = stream.write_all(&[0x21]).await;
            let _ = stream.finish();
        }
        many.raw.closes_with(EXCESSIVE_LOAD).await?;

        // On the control stream the protocol's own rules hold.
        let mut length = Session::open(&fixture.devbox).await?;
        length.raw.bytes(&[0xff; 4]).await?;
        ensure!(length.closes().await? != CloseCode::DONE.0, "a frame of 4 GB");
        bystander.raw.hello(None).await?;
        Ok(())
    });
}

#[test]
fn a_page_learns_by_which_hashes_it_reaches_the_box() {
    on_a_box(&[], async |fixture| {
        let mut https = Https::connect(&fixture.devbox, HERE).await?;
        let page = https.ask(&["GET /wardline/1/certificates HTTP/1.1"]).await?;
        ensure!(page.status == 200, "{}", page.status);
        ensure!(page.header("content-type") == Some("application/json"), "the kind");
        ensure!(page.header("cache-control") == Some("no-store"), "it may be kept");
        let said: serde_json::Value = serde_json::from_slice(&page.body)?;
        let hashes: Vec<_> =
            said["hashes"].as_array().context("hashes")?.iter().map(|hash| hash.as_str()).collect();
        let head = https.ask(&["HEAD /wardline/1/certificates HTTP/1.1"]).await?;
        ensure!((head.status, head.body.len()) == (200, 0), "HEAD");

        let mut ana = Session::open(&fixture.devbox).await?;
        ensure!(
            hashes.len() == 2 && hashes[0] == Some(hex(&ana.leaf()).as_str()),
            "not the leaf that is served"
        );
        let Answer::Welcome(welcome) = ana.raw.ask(support::raw::hello(None)).await? else {
            anyhow::bail!("no welcome")
        };
        let told: Vec<_> = welcome.leaf_hashes.iter().map(|hash| hex(hash)).collect();
        ensure!(told.iter().map(|hash| Some(hash.as_str())).eq(hashes), "the session says {told:?}");
        let until = said["until"].as_i64().context("until")?;
        let days = until.saturating_sub(welcome.box_time) / 86_400_000;
        ensure!((11..13).contains(&days), "for {days} more days");
        Ok(())
    });
}

#[test]
fn a_browser_roams_and_not_into_the_guest_network() {
    on_a_box(&["--zone", "guest=127.0.0.2/32"], async |fixture| {
        let mut ana = Session::open(&fixture.devbox).await?;
        join(fixture, &mut ana, "Ana").await?;
        ana.raw.roam([127, 0, 0, 6].into())?;
        let echo = || Ask::Echo(proto::Echo { padding: vec![0; 1_000] });
        ensure!(matches!(ana.raw.ask(echo()).await?, Answer::Done(_)), "it did not come along");
        ana.raw.roam([127, 0, 0, 2].into())?;
        // The refusal may come before the echo's answer, and the close after either.
        let _ = ana.raw.ask(echo()).await;
        ensure!(ana.closes().await? == CloseCode::REFUSED.0, "another code");
        Ok(())
    });
}

#[test]
fn a_file_comes_over_a_stream_of_its_own() {
    on_a_box(&[], async |fixture| {
        let mut ana = Session::open(&fixture.devbox).await?;
        join(fixture, &mut ana, "Ana").await?;
        let conversation = with_ben(fixture, &mut ana.raw).await?;
        let content = [b"%PDF-1.7\n".as_slice(), &[0x20; 200_000]].concat();
        let upload = vec![5; 16];
        let begin = proto::BeginUpload {
            upload: upload.clone(),
            conversation,
            media: proto::MediaType::Pdf.into(),
            length: content.len() as u64,
            sha256: digest::digest(&digest::SHA256, &content).as_ref().to_vec(),
            thumbnail: Vec::new(),
        };
        let request = ana.raw.say(Ask::BeginUpload(begin)).await?;
        ensure!(matches!(ana.raw.answer(request).await?, Answer::UploadBegun(_)), "not begun");

        // Another session's name in front of it: it is none of ours.
        let (mut send, _receive) = ana.raw.quic.open_bi().await?;
        send.write_all(&[0x40, 0x41, 0x20]).await?;
        let stopped = tokio::time::timeout(PATIENCE, send.stopped()).await.context("it was taken")??;
        ensure!(stopped == Some(quinn::VarInt::from_u32(REQUEST_REJECTED)), "{stopped:?}");

        let (mut send, mut receive) = ana.stream().await?;
        send.write_all(&wire::encode_frame(&proto::TransferRequest {
            request,
            offset: 0,
            session: Vec::new(),
        }))
        .await?;
        let head = proto::TransferHead::decode(frame(&mut receive).await?.as_slice())?;
        ensure!(head.open && head.offset == 0 && head.refused.is_none(), "{:?}", head.offset);
        send.write_all(&content).await?;
        send.finish()?;
        let tail = proto::TransferTail::decode(frame(&mut receive).await?.as_slice())?;
        ensure!(tail.whole, "not whole");
        let done = ana.raw.ask(Ask::FinishUpload(proto::FinishUpload { upload })).await?;
        ensure!(matches!(done, Answer::Done(_)), "not finished");
        Ok(())
    });
}

async fn frame(receive: &mut quinn::RecvStream) -> Result<Vec<u8>> {
    let read = async {
        let mut prefix = [0; PREFIX];
        receive.read_exact(&mut prefix).await?;
        let mut bytes = vec![0; wire::frame_length(prefix, 4_096)?];
        receive.read_exact(&mut bytes).await?;
        anyhow::Ok(bytes)
    };
    tokio::time::timeout(PATIENCE, read).await.context("the box said nothing")?
}

#[test]
fn a_box_that_goes_says_so() {
    on_a_box(&[], async |fixture| {
        let mut ana = Session::open(&fixture.devbox).await?;
        join(fixture, &mut ana, "Ana").await?;
        let pid = i32::try_from(fixture.devbox.relay_pid().context("a relay")?)?;
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM)?;
        ensure!(ana.closes().await? == CloseCode::DRAINING.0, "another code");
        Ok(())
    });
}

#[test]
fn who_asks_for_nothing_holds_no_place() {
    on_a_box(&[], async |fixture| {
        let silent = Http3::connect(&fixture.devbox).await?;
        let (failed, began) = ("wardline_relay_handshakes_failed_total", std::time::Instant::now());
        until(Duration::from_secs(20), "the silent one is put out", || Ok(fixture.metric(failed)? > 0))
            .await?;
        ensure!(began.elapsed() < Duration::from_secs(15), "after {} s", began.elapsed().as_secs());
        tokio::time::timeout(PATIENCE, silent.quic.closed()).await.context("it is still there")?;
        Ok(())
    });
}
