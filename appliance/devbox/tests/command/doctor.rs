//! `wardline doctor`: what it finds where, and how it ends.

use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use quinn::crypto::rustls::QuicServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Done, Running, Ward, events};

/// A link without its code, and the code.
fn parts(link: &str) -> (String, String, String) {
    let address = link.split('/').nth(2).unwrap().to_owned();
    let value = |key: &str| {
        let rest = link.split_once(key).unwrap().1;
        rest.split('&').next().unwrap().to_owned()
    };
    (address, value("code="), value("root="))
}

/// The finding of a check in a machine-readable report.
fn finding(done: &Done, check: &str) -> Option<String> {
    let named = format!("\"check\":\"{check}\"");
    let line = done.out.lines().find(|line| line.contains(&named))?;
    let rest = line.split_once("\"finding\":\"")?.1;
    Some(rest.split('"').next()?.to_owned())
}

fn found(done: &Done, check: &str, wanted: &str) {
    assert_eq!(finding(done, check).as_deref(), Some(wanted), "{}{}", done.out, done.err);
}

fn ended(done: &Done, code: i32) {
    assert_eq!(done.code, Some(code), "{}{}", done.out, done.err);
}

#[test]
fn doctor_says_what_is_there_and_what_is_not() {
    let mut ward = Ward::start(&[]);
    without_a_profile(&ward);
    strangers(&ward);
    with_a_profile(&ward);
    held(&ward);
    shared_files(&ward);
    closed(&mut ward);
    ward.devbox.stop();
}

fn without_a_profile(ward: &Ward) {
    let link = ward.link("Ana");
    let (address, code, root) = parts(&link);
    let healthy = ward.run("none", &["doctor", &link]);
    ended(&healthy, 0);
    assert!(healthy.out.lines().all(|line| line.chars().count() < 80), "{}", healthy.out);
    for line in ["ok    Network     ", "ok    Certificate your facility's, for 127.0.0.1", "Healthy: the box"]
    {
        assert!(healthy.out.contains(line), "not said: {line}\n{}", healthy.out);
    }
    let json = ward.run("none", &["doctor", "--json", &link]);
    ended(&json, 0);
    for (check, wanted) in [
        ("name", "literal"),
        ("network", "answers"),
        ("certificate", "ours"),
        ("dates", "good"),
        ("clock", "together"),
        ("box", "welcome"),
    ] {
        found(&json, check, wanted);
    }
    assert_eq!(events(&json.out, "doctor").len(), 1, "{}", json.out);
    for shown in [&healthy, &json] {
        let all = format!("{}{}", shown.out, shown.err);
        assert!(!all.contains(&code) && !all.contains(&code.replace('-', "")), "the code: {all}");
    }
    // The address alone does not say whose box to expect; with the root it does.
    let alone = ward.run("none", &["doctor", "--json", &address]);
    ended(&alone, 7);
    found(&alone, "certificate", "unpinned");
    ended(&ward.run("none", &["doctor", &address, "--root", &root]), 0);
    // base64url may begin with a dash.
    ended(&ward.run("none", &["doctor", &address, "--root", &format!("-{}", "A".repeat(42))]), 8);
    let socket = ward.devbox.local_socket().display().to_string();
    let local = ward.run("none", &["doctor", "--json", "--socket", &socket]);
    ended(&local, 0);
    found(&local, "socket", "answers");
    // No code was spent.
    let pin = ward.path("pin").display().to_string();
    ward.ok("Ana", &["join", &link, "--pin-file", &pin, "--device-name", "test desk"]);

    ward.run("none", &["doctor"]).ended(2, "wardline doctor HOST:PORT");
    for wrong in [code.as_str(), "box.example", "box.example:0", &link[..link.len() - 9]] {
        let done = ward.run("none", &["doctor", wrong]);
        ended(&done, 2);
        assert!(!done.err.contains(&code), "{}", done.err);
    }
}

/// What answers is not the box; or nothing answers, or nobody.
fn strangers(ward: &Ward) {
    let link = ward.link("Ben");
    let (address, code, root) = parts(&link);
    let other = link.replace(&root, &"A".repeat(43));
    let other_root = ward.run("none", &["doctor", "--json", &other]);
    ended(&other_root, 8);
    found(&other_root, "certificate", "other_root");
    assert!(finding(&other_root, "box").is_none(), "a stranger is told nothing: {}", other_root.out);
    let other_name = ward.run("none", &["doctor", "--json", &format!("{link}&name=other.example")]);
    ended(&other_name, 8);
    found(&other_name, "certificate", "other_name");
    assert!(
        other_name.out.contains("127.0.0.1, box.lindenhof.example")
            || other_name.out.contains("box.lindenhof.example, 127.0.0.1"),
        "{}",
        other_name.out
    );

    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let there = silent.local_addr().unwrap().to_string();
    let nothing = ward.run("none", &["doctor", "--json", &link.replace(&address, &there)]);
    ended(&nothing, 4);
    found(&nothing, "network", "silent");
    assert!(nothing.err.contains("Connecting to"), "{}", nothing.err);
    drop(silent);
    let nobody = ward.run("none", &["doctor", "--json", &there]);
    ended(&nobody, 4);
    found(&nobody, "network", "port_closed");

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let web = runtime.block_on(async { another_protocol() });
    let answering = web.clone();
    runtime.spawn(async move {
        while let Some(incoming) = answering.accept().await {
            let _ = incoming.await;
        }
    });
    let done = ward.run("none", &["doctor", "--json", &web.local_addr().unwrap().to_string()]);
    ended(&done, 4);
    found(&done, "network", "other_protocol");
    assert!(!done.out.contains(&code));

    let unknown = ward.run("none", &["doctor", "--json", "no-such-box.invalid:443"]);
    ended(&unknown, 4);
    assert!(matches!(finding(&unknown, "name").as_deref(), Some("unknown" | "slow")), "{}", unknown.out);
}

/// A QUIC server of HTTP/3, as far as TLS.
fn another_protocol() -> quinn::Endpoint {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    tls.alpn_protocols = vec![b"h3".to_vec()];
    let config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()));
    quinn::Endpoint::server(config, "127.0.0.1:0".parse().unwrap()).unwrap()
}

fn with_a_profile(ward: &Ward) {
    let done = ward.run("Ana", &["doctor", "--json"]);
    ended(&done, 0);
    for (check, wanted) in
        [("profile", "private"), ("disk", "free"), ("outbox", "empty"), ("sign_in", "open")]
    {
        found(&done, check, wanted);
    }
    assert!(!done.out.contains("Ana Flores"), "a name: {}", done.out);
}

/// Another program has the profile open: it stays connected, and is asked.
fn held(ward: &Ward) {
    let tail = Running::start(ward.command("Ana", &["tail", "--json"]));
    tail.until("caught_up");
    let done = ward.run("Ana", &["doctor", "--json"]);
    ended(&done, 0);
    found(&done, "outbox", "held_elsewhere");
    found(&done, "sign_in", "holder_open");
    ward.join("Ben");
    ward.ok("Ben", &["send", "Ana", "still there"]);
    loop {
        let line = tail.until("\"event\":\"");
        assert!(!line.contains("reconnecting") && !line.contains("ended"), "{line}");
        if line.contains("still there") {
            break;
        }
    }
}

fn shared_files(ward: &Ward) {
    let key = ward.path("Ben").join("device.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let done = ward.run("Ben", &["doctor"]);
    ended(&done, 1);
    assert!(done.out.contains("chmod 600 ") && done.out.contains("FAIL  Profile"), "{}", done.out);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    ended(&ward.run("Ben", &["doctor"]), 0);
}

/// The relay is stopped: its machine says so.
fn closed(ward: &mut Ward) {
    ward.ok("Ben", &["tail", "--until-caught-up"]);
    ward.devbox.kill_relay();
    ward.run("Ben", &["send", "Ana", "waits", "--wait", "0"]).ended(6, "kept");
    let done = ward.run("Ben", &["doctor", "--json"]);
    ended(&done, 4);
    found(&done, "network", "port_closed");
    found(&done, "outbox", "waiting");
    assert!(finding(&done, "sign_in").is_none(), "{}", done.out);
    let socket = ward.devbox.local_socket().display().to_string();
    let local = ward.run("none", &["doctor", "--json", "--socket", &socket]);
    ended(&local, 4);
    found(&local, "socket", "nobody_listens");
    let missing = ward.run("none", &["doctor", "--json", "--socket", &format!("{socket}.none")]);
    found(&missing, "socket", "missing");
}

#[test]
fn doctor_says_that_a_network_is_not_for_staff() {
    let ward = Ward::start(&["--zone", "guest=127.0.0.1/32"]);
    let done = ward.run("none", &["doctor", "--json", &ward.link("Ana")]);
    ended(&done, 3);
    found(&done, "box", "wrong_zone");
    ward.devbox.stop();
}

#[test]
fn doctor_asks_for_no_pin_and_uses_none_up() {
    let ward = Ward::start(&["--idle-lock", "10"]);
    ward.join("Ana");
    ward.until_locked("Ana");
    for _ in 0..2 {
        let done = ward.run("Ana", &["doctor", "--json"]);
        ended(&done, 0);
        found(&done, "sign_in", "pin_wanted");
        assert!(done.out.contains("\"tries_left\":10"), "{}", done.out);
    }
    let pin = ward.path("pin").display().to_string();
    ward.run("Ana", &["bench", "--messages", "3"]).ended(5, "--pin-file");
    let done = ward.run("Ana", &["--pin-file", &pin, "bench", "--messages", "3", "--rate", "20", "--json"]);
    assert!(matches!(done.code, Some(0 | 7)), "{}{}", done.out, done.err);
    ward.devbox.stop();
}
