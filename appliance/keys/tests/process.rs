//! The process: its socket, its peers, and what a kill leaves.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed step must fail the test and say what it saw"
)]

mod support;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use support::{Process, Swtpm, World};
use wardline_keys::hardening::LOCKED_BYTES_WANTED;
use wardline_keys::record::IssuingChain;
use wardline_keys::store::Store;
use wardline_keys_protocol::frame::FRAME_BYTES_MAX;
use wardline_keys_protocol::{Blob, ClientError, FacilityNames, KeeperClient, KeeperState, Refusal, Reply};
use wardline_provisioning::{FacilityRoot, Names};

fn uid() -> String {
    nix::unistd::getuid().to_string()
}

/// Like `World::provision`, over the socket. The clock is the machine's.
fn provision(world: &World, client: &mut KeeperClient) -> Result<(), ClientError> {
    client.provision(world.answers())?;
    let request = client.issuing_request()?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    let issuing = world.root.certify(&request, &World::names(), now, 5).unwrap();
    client.install_issuing(World::facility(), vec![issuing, world.root.certificate().to_vec()])
}

#[test]
fn the_whole_way_over_the_socket() {
    let (world, tpm) = (World::new(), Swtpm::booted());
    let mut keeper = Process::for_us(&world.keys_dir(), tpm.port);
    let mut client = keeper.client();
    assert_eq!(client.status().unwrap().state, KeeperState::NotProvisioned);
    provision(&world, &mut client).unwrap();
    // What the keeper logs of its key is what `wardline-provision certify` says of the request.
    let fingerprint = FacilityRoot::fingerprint(&client.issuing_request().unwrap()).unwrap();
    let fingerprint: String = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    let log = std::fs::read_to_string(world.keys_dir().with_extension("log")).unwrap();
    assert!(log.contains(&fingerprint), "{fingerprint} is not in {log}");
    let key = *client.database_key().unwrap().expose();
    assert_eq!(client.status().unwrap().state, KeeperState::Ready);
    assert_eq!(client.leaves().unwrap().current.chain.len(), 3);
    let epoch = client.epoch().unwrap();
    assert_eq!(client.epoch_advance().unwrap(), epoch + 1);
    assert_eq!(client.quote([7; 32]).unwrap().pcrs.len(), 5);
    let first = *client.pin_mac(1, 1, [5; 32]).unwrap().expose();
    assert_eq!(*client.pin_mac(1, 1, [5; 32]).unwrap().expose(), first, "a MAC is the same each time");
    assert_ne!(*client.pin_mac(1, 2, [5; 32]).unwrap().expose(), first, "and another for another device");
    let limited = (0..20).find_map(|_| client.pin_mac(1, 1, [6; 32]).err()).unwrap();
    assert!(
        matches!(limited, ClientError::Refused(Refusal::RateLimited { retry_after_ms: 1..=6_000 })),
        "{limited}"
    );

    keeper.kill();
    let keeper = Process::for_us(&world.keys_dir(), tpm.port);
    let mut client = keeper.client();
    assert_eq!(*client.database_key().unwrap().expose(), key, "after kill -9");
    assert_eq!(client.epoch().unwrap(), epoch + 1);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&keeper.socket), 0o660);
    assert_eq!(mode(&world.file("database-key")), 0o600);
    assert_eq!(mode(&world.keys_dir()), 0o700);
}

#[test]
fn users_without_a_role_are_refused_and_roles_are_apart() {
    let (world, tpm) = (World::new(), Swtpm::booted());
    let refused = |result: Result<(), ClientError>| {
        assert!(matches!(result, Err(ClientError::Refused(Refusal::NotAllowed))), "{result:?}");
    };
    let other = (nix::unistd::getuid().as_raw() + 1).to_string();
    // Root, or whoever runs this, is nobody special when another user is configured.
    let extra = ["--relay-uid", &other, "--provisioning-uid", &other, "--allow-unlocked-memory"];
    let keeper = Process::start(&world.keys_dir(), tpm.port, &extra);
    refused(keeper.client().status().map(|_| ()));
    refused(keeper.client().database_key().map(|_| ()));
    refused(keeper.client().provision(world.answers()));
    // Without a word of theirs, and however many they are.
    let mut strangers: Vec<_> = (0..40).map(|_| UnixStream::connect(&keeper.socket).unwrap()).collect();
    for stranger in &mut strangers {
        stranger.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let answer = wardline_keys_protocol::frame::read::<Reply>(stranger).unwrap();
        assert!(matches!(answer, Some(Reply::Refused(Refusal::NotAllowed))), "{answer:?}");
    }
    drop(keeper);

    let keeper =
        Process::start(&world.keys_dir(), tpm.port, &["--relay-uid", &uid(), "--allow-unlocked-memory"]);
    let mut client = keeper.client();
    refused(client.provision(world.answers()));
    refused(client.issuing_request().map(|_| ()));
    refused(client.install_approval(&world.vendor.approve([1; 32], 1).unwrap()));
    refused(client.revoke(&world.vendor.revoke(1).unwrap()));
    assert_eq!(client.status().unwrap().state, KeeperState::NotProvisioned);
    drop((client, keeper));

    let extra = ["--provisioning-uid", &uid(), "--allow-unlocked-memory"];
    let keeper = Process::start(&world.keys_dir(), tpm.port, &extra);
    let mut client = keeper.client();
    provision(&world, &mut client).unwrap();
    refused(client.database_key().map(|_| ()));
    refused(client.leaves().map(|_| ()));
    refused(client.pin_mac(1, 1, [1; 32]).map(|_| ()));
    refused(client.epoch_advance().map(|_| ()));
}

#[test]
fn bad_frames_close_their_own_connection_only() {
    let (world, tpm) = (World::new(), Swtpm::booted());
    let keeper = Process::for_us(&world.keys_dir(), tpm.port);
    let mut good = keeper.client();
    good.status().unwrap();
    let oversize = [(FRAME_BYTES_MAX as u32 + 1).to_be_bytes().to_vec(), vec![0; 64]].concat();
    let garbage = [vec![0, 0, 0, 4], vec![0xFF; 4]].concat();
    let halves: [&[u8]; 5] = [&oversize, &garbage, &[0, 0, 0, 0], &[0, 0, 1, 0, 1, 2], &[0, 0]];
    for round in 0..200 {
        let mut bad =
            support::until("a place among the connections", || UnixStream::connect(&keeper.socket).ok());
        bad.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let _ = bad.write_all(halves[round % halves.len()]);
        if round % halves.len() > 2 {
            let _ = bad.shutdown(std::net::Shutdown::Write);
        }
        let mut rest = Vec::new();
        // End of stream, or a reset when the keeper closed before it had read all of it; never an answer.
        let closed = bad.read_to_end(&mut rest);
        assert!(
            closed.as_ref().is_ok_and(|n| *n == 0)
                || closed.as_ref().is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset),
            "round {round}: {closed:?}"
        );
        good.status().unwrap();
    }

    // One user cannot take every place, and places come back.
    let idle: Vec<_> = (0..40).filter_map(|_| UnixStream::connect(&keeper.socket).ok()).collect();
    good.status().unwrap();
    drop(idle);
    support::until("a free place", || KeeperClient::connect(&keeper.socket).ok()?.status().ok());
}

#[test]
fn killed_at_any_moment_it_loses_nothing() {
    let (world, tpm) = (World::new(), Swtpm::booted());
    let mut committed = None;
    for round in 0..20u32 {
        let mut keeper = Process::for_us(&world.keys_dir(), tpm.port);
        let mut client = keeper.client();
        client.status().unwrap();
        let answers = world.answers();
        let worker = std::thread::spawn(move || client.provision(answers));
        // Provisioning takes about 110 ms here: 20 moments from its first command to after its end.
        let moment = std::time::Instant::now() + Duration::from_micros(u64::from(round) * 7_000);
        while std::time::Instant::now() < moment {
            std::hint::spin_loop();
        }
        keeper.kill();
        let acknowledged = worker.join().unwrap().is_ok();
        let blob = std::fs::read(world.file("database-key")).ok();
        assert!(!acknowledged || blob.is_some(), "round {round}: acknowledged and then lost");
        match (&committed, blob) {
            (Some(before), Some(now)) => assert_eq!(*before, now, "round {round}: keys changed"),
            (Some(_), None) => panic!("round {round}: keys lost"),
            (None, now) => committed = now,
        }
        println!("round {round}: acknowledged {acknowledged}, keys {}", committed.is_some());
    }
    let keeper = Process::for_us(&world.keys_dir(), tpm.port);
    let log = || std::fs::read_to_string(world.keys_dir().with_extension("log")).unwrap();
    provision(&world, &mut keeper.client()).unwrap_or_else(|error| panic!("{error}\n{}", log()));
    assert!(keeper.client().database_key().is_ok());
}

#[test]
fn killed_while_it_is_renamed_it_has_the_old_name_or_the_new() {
    let (world, tpm) = (World::new(), Swtpm::booted());
    let keeper = Process::for_us(&world.keys_dir(), tpm.port);
    let mut client = keeper.client();
    provision(&world, &mut client).unwrap();
    let request = client.issuing_request().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    // Two names, each with a certificate for it alone: a mixture would show.
    let answers = ["one.example", "two.example"].map(|name| {
        let permitted = Names::parse(&[name.into()], &["10.2.0.0/16".into()]).unwrap();
        let names = FacilityNames {
            facility: name.into(),
            dns_names: vec![name.into()],
            ip_addrs: vec![[10, 2, 0, 7].into()],
        };
        let issuing = world.root.certify(&request, &permitted, now, 5).unwrap();
        (names, vec![issuing, world.root.certificate().to_vec()])
    });
    let (names, chain) = answers[1].clone();
    let started = std::time::Instant::now();
    client.install_issuing(names, chain).unwrap();
    let takes = started.elapsed();
    drop((client, keeper));

    let store = Store::open(world.keys_dir()).unwrap();
    let (mut acknowledged, mut kept) = (0, 0);
    for round in 0..20u32 {
        let before: IssuingChain = store.read(Blob::IssuingChain).unwrap();
        let mut keeper = Process::for_us(&world.keys_dir(), tpm.port);
        let mut client = keeper.client();
        client.status().unwrap();
        let (names, chain) = answers[usize::from(*before.names == answers[0].0)].clone();
        let (new, certificate) = (names.clone(), chain[0].clone());
        let worker = std::thread::spawn(move || client.install_issuing(names, chain));
        let moment = std::time::Instant::now() + takes * round / 12;
        while std::time::Instant::now() < moment {
            std::hint::spin_loop();
        }
        keeper.kill();
        let done = worker.join().unwrap().is_ok();
        let after: IssuingChain = store.read(Blob::IssuingChain).unwrap();
        let renamed = *after.names == new && after.issuing == certificate;
        assert!(renamed || after == before, "round {round}: neither the old nor the new");
        assert!(renamed || !done, "round {round}: acknowledged and then lost");
        acknowledged += u32::from(done);
        kept += u32::from(!renamed);
    }
    println!("{acknowledged} of 20 acknowledged, {kept} kept the old name; one takes {takes:?}");
    let keeper = Process::for_us(&world.keys_dir(), tpm.port);
    assert_eq!(keeper.client().status().unwrap().state, KeeperState::Ready);
}

/// A keeper as another user, without root's freedom to lock memory, under a memory-lock limit.
fn under_limit(world: &World, port: u16, limit: u64, extra: &[&str]) -> Command {
    let dir = world.state.path();
    std::fs::set_permissions(dir, PermissionsExt::from_mode(0o777)).unwrap();
    let binary = dir.join("wardline-keeper");
    // By another process: a program that is open for writing here cannot be started, and other tests' children would
    // keep it open.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_wardline-keeper")).arg(&binary).status();
    assert!(copied.unwrap().success());
    let mut command = Command::new("prlimit");
    command.arg(format!("--memlock={limit}:{limit}"));
    if nix::unistd::getuid().is_root() {
        command.args(["setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all", "--"]);
    }
    command.arg(&binary).arg("--tpm").arg(format!("swtpm:host=127.0.0.1,port={port}"));
    command.arg("--state").arg(world.keys_dir()).arg("--socket").arg(dir.join("socket")).args(extra);
    command
}

#[test]
fn memory_that_cannot_be_locked_is_said_and_ends_it() {
    let (world, tpm) = (World::new(), Swtpm::booted());
    let output = under_limit(&world, tpm.port, 65_536, &[]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(said.contains("memory cannot be locked") && said.contains("LimitMEMLOCK"), "{said}");
}

#[test]
fn where_memory_can_be_locked_it_is_and_the_rest_with_it() {
    let (_, hard) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_MEMLOCK).unwrap();
    if !nix::unistd::getuid().is_root() && hard < LOCKED_BYTES_WANTED {
        println!(
            "NOT CHECKED: this user may lock {hard} bytes only; `ulimit -l 65536` would let this test run"
        );
        return;
    }
    let (world, tpm) = (World::new(), Swtpm::booted());
    let keeper = Process::start(&world.keys_dir(), tpm.port, &["--relay-uid", &uid()]);
    keeper.client().status().unwrap();
    let proc = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", keeper.child.id())).unwrap();
    let status = proc("status");
    let field = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let number = |name: &str| field(name).split_whitespace().nth(1).unwrap().parse::<u64>().unwrap();
    assert!(number("VmLck:") * 10 > number("VmSize:") * 9, "most of it is locked: {status}");
    assert_eq!(field("NoNewPrivs:"), "NoNewPrivs:\t1");
    let limits = proc("limits");
    assert!(limits.lines().any(|l| l.starts_with("Max core file size") && l.contains(" 0 ")), "{limits}");
}
