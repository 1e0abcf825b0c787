//! The browser's doorway of a whole box, as a client by hand sees it: pages, and a WebSocket to the same sessions.

mod support;

use std::net::IpAddr;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use support::raw::{PATIENCE, Way, submit};
use support::websocket::{Https, binding, tcp};
use support::{Fixture, until};
use wardline_core::refusal::CloseCode;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::event::Kind;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::proto::{self};

const HERE: [u8; 4] = [127, 0, 0, 1];
const PIN: &str = "739154";

/// A test with a box; the box's parts end with this thread.
fn on_a_box(relay: &[&str], test: impl AsyncFnOnce(&mut Fixture) -> Result<()>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut fixture = Fixture::start(relay).expect("a box");
    runtime.block_on(test(&mut fixture)).expect("as documented");
}

#[test]
fn the_app_is_served_with_its_rules() {
    on_a_box(&[], async |fixture| {
        let mut https = Https::connect(&fixture.devbox, HERE).await?;
        let page = https.ask(&["GET / HTTP/1.1", "Accept: text/html"]).await?;
        ensure!(page.status == 200, "{}", page.status);
        ensure!(page.header("content-type") == Some("text/html; charset=utf-8"), "the kind");
        ensure!(page.body.starts_with(b"<!doctype html>"), "the page");
        for rule in ["default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'"] {
            ensure!(page.header("content-security-policy").is_some_and(|all| all.contains(rule)), "{rule}");
        }
        ensure!(page.header("x-content-type-options") == Some("nosniff"), "sniffing");

        // The app's own addresses are the same page; what looks like a file and is none is not.
        let inner = https.ask(&["GET /inbox HTTP/1.1", "Accept: text/html"]).await?;
        ensure!((inner.status, &inner.body) == (200, &page.body), "an address of the app");
        let kept = https.ask(&["GET / HTTP/1.1", "Accept: */*"]).await?;
        ensure!((kept.status, &kept.body) == (200, &page.body), "the page for the service worker");
        let missing = https.ask(&["GET /assets/none.js HTTP/1.1"]).await?;
        ensure!(missing.status == 404, "{}", missing.status);

        let tag = page.header("etag").context("a tag")?;
        let again =
            https.ask(&["GET / HTTP/1.1", "Accept: text/html", &format!("If-None-Match: {tag}")]).await?;
        ensure!((again.status, again.body.len()) == (304, 0), "{}", again.status);
        let head = https.ask(&["HEAD / HTTP/1.1", "Accept: text/html"]).await?;
        ensure!(head.status == 200 && head.header("content-length") != Some("0"), "HEAD");
        Ok(())
    });
}

#[test]
fn a_browser_that_came_by_name_is_told_to_pass_over_no_warning_again() {
    on_a_box(&[], async |fixture| {
        // On what is served and on what is refused. By a number browsers take no such word.
        for (name, told) in [("box.lindenhof.example", Some("max-age=2592000")), ("127.0.0.1", None)] {
            let mut https = Https::connect_by(name, &fixture.devbox, HERE).await?;
            for request in ["GET / HTTP/1.1", "GET /assets/none.js HTTP/1.1", "PUT / HTTP/1.1"] {
                let page = https.ask(&[request, "Accept: text/html"]).await?;
                let found = page.header("strict-transport-security");
                ensure!(found == told, "{name}, {request}: {found:?}");
            }
        }
        Ok(())
    });
}

#[test]
fn what_is_no_request_for_a_page_is_refused_in_words() {
    on_a_box(&[], async |fixture| {
        for (lines, status) in [
            (["POST / HTTP/1.1", "Content-Length: 0"].as_slice(), 405),
            (&["DELETE /index.html HTTP/1.1"], 405),
            (&["GET / HTTP/1.1", "Content-Length: 5"], 413),
            (&["GET /wardline/1 HTTP/1.1"], 426),
        ] {
            let mut https = Https::connect(&fixture.devbox, HERE).await?;
            let page = https.ask(lines).await?;
            ensure!(page.status == status, "{lines:?}: {}", page.status);
            ensure!(!page.body.is_empty(), "{lines:?}: without a word");
        }
        let mut https = Https::connect(&fixture.devbox, HERE).await?;
        https.bytes(b"GET / HTTP/1.1\r\n\r\n").await?;
        ensure!(https.page(false).await?.status == 400, "without a host");

        // TLS 1.2, as another hand speaks it.
        let to = fixture.devbox.address().to_string();
        let old = Command::new("openssl").args(["s_client", "-tls1_2", "-connect", &to]).output()?;
        ensure!(!old.status.success(), "TLS 1.2 was spoken");
        let new = Command::new("openssl").args(["s_client", "-tls1_3", "-connect", &to]).output()?;
        ensure!(String::from_utf8_lossy(&new.stdout).contains("TLSv1.3"), "TLS 1.3 was not");
        Ok(())
    });
}

#[test]
fn somebody_at_a_browser_and_somebody_at_a_native_client_talk() {
    on_a_box(&[], async |fixture| {
        let https = Https::connect(&fixture.devbox, HERE).await?;
        let mut ana = https.socket().await?;
        ana.ping().await?;
        let (device, _) = ana.join(&fixture.code("Ana")?, PIN).await?;
        let (mut ben, _) = Way::new(&fixture.devbox).join(&fixture.code("Ben")?, PIN).await?;

        ben.say(Ask::Sync(proto::Sync { cursor: Vec::new() })).await?;
        let open = proto::OpenDirect { person: fixture.person("Ben")? };
        let Answer::Opened(opened) = ana.ask(Ask::OpenDirect(open)).await? else {
            anyhow::bail!("not opened");
        };
        let conversation = opened.conversation.context("a conversation")?.conversation;
        let said = ana.ask(submit(1, 1, conversation, "bed 4 is free")).await?;
        ensure!(matches!(said, Answer::Accepted(_)), "not accepted");
        loop {
            if let Some(Answer::Delivery(delivery)) = ben.frame().await?.body
                && let Some(Kind::Message(message)) = delivery.event.and_then(|event| event.kind)
            {
                ensure!(message.text == "bed 4 is free", "another text");
                break;
            }
        }

        // Somewhere else, the same device: the older connection hears why it ends.
        let mut again = Https::connect(&fixture.devbox, HERE).await?.socket().await?;
        let Answer::SignedIn(_) = again.prove(&device).await? else { anyhow::bail!("not signed in") };
        ensure!(ana.closes().await? == code(CloseCode::SUPERSEDED), "another code");

        // A proof that a page of another origin would make is worth nothing.
        let mut other = Https::connect(&fixture.devbox, HERE).await?.socket().await?;
        other.binding = binding("https://evil.example");
        let refused = other.prove(&device).await;
        ensure!(!matches!(refused, Ok(Answer::SignedIn(_))), "a proof for another origin was taken");
        Ok(())
    });
}

#[test]
fn who_breaks_the_rules_of_a_socket_is_put_out_and_nobody_else() {
    on_a_box(&[], async |fixture| {
        let mut bystander = Https::connect(&fixture.devbox, HERE).await?.socket().await?;
        let evil = Https::connect(&fixture.devbox, HERE).await?.upgrade("https://evil.example").await?;
        ensure!(evil.status == 403, "{}", evil.status);
        // A page whose own name leads to the box: its origin is the address that it asked.
        for host in ["evil.example", "evil.example:8443", "127.0.0.2:8443"] {
            let mut rebound = Https::connect(&fixture.devbox, HERE).await?.called(host);
            let status = rebound.upgrade(&format!("https://{host}")).await?.status;
            ensure!(status == 403, "{host}: {status}");
        }

        let mut text = Https::connect(&fixture.devbox, HERE).await?.socket().await?;
        text.text().await?;
        text.ends().await.context("text")?;
        let mut bare = Https::connect(&fixture.devbox, HERE).await?.socket().await?;
        bare.message(2, &[0, 0, 0, 1], false).await?;
        bare.ends().await.context("without a mask")?;
        let mut long = Https::connect(&fixture.devbox, HERE).await?.socket().await?;
        // The box may have hung up before all of it is written.
        let _ = long.message(2, &vec![0; 1 << 20], true).await;
        long.ends().await.context("a megabyte")?;
        let mut length = Https::connect(&fixture.devbox, HERE).await?.socket().await?;
        length.message(2, &[0xff; 4], true).await?;
        ensure!(length.closes().await? >= 4_000, "a frame of 4 GB");
        bystander.ping().await
    });
}

#[test]
fn strangers_keep_no_other_address_out() {
    on_a_box(&["--source-rate", "10000", "--source-burst", "10000"], async |fixture| {
        let (to, mallory) = (fixture.devbox.address(), IpAddr::from([127, 0, 7, 7]));
        let mut held = Vec::new();
        for _ in 0..300 {
            held.push(tcp(mallory, to).await?);
        }
        // Its places are all taken when the rest has been put out.
        until(PATIENCE, "the rest is put out", || {
            Ok(fixture.metric("wardline_relay_handshakes_dropped_total")? >= 44)
        })
        .await?;
        ensure!(Https::connect(&fixture.devbox, [127, 0, 7, 7]).await.is_err(), "one more came in");
        let mut ana = Https::connect(&fixture.devbox, HERE).await?;
        ensure!(ana.ask(&["GET / HTTP/1.1", "Accept: text/html"]).await?.status == 200, "Ana");
        drop(held);
        Ok(())
    });
}

#[test]
fn a_box_that_goes_says_so() {
    on_a_box(&[], async |fixture| {
        let mut ana = Https::connect(&fixture.devbox, HERE).await?.socket().await?;
        ana.join(&fixture.code("Ana")?, PIN).await?;
        let pid = i32::try_from(fixture.devbox.relay_pid().context("a relay")?)?;
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM)?;
        ensure!(ana.closes().await? == code(CloseCode::DRAINING), "another code");
        Ok(())
    });
}

fn code(code: CloseCode) -> u16 {
    4_000 + u16::try_from(code.0).unwrap_or(0)
}
