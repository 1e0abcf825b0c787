//! Canaries: texts that occur nowhere else, said once, and then looked for in everything that the box and a device
//! leave on a disk or show to others. Plain, in UTF-16, in hexadecimal and in base 64.
//!
//! Not looked at: the memory of the processes, where a text is while it is being delivered. Whether `/proc/PID/mem`
//! is out of reach of others can be seen here only as far as its owner goes, and says nothing when root runs this.

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use support::Fixture;
use support::byhand::ByHand;
use support::pair::{PIN, Pair, say};
use support::raw::{PATIENCE, Way, refused_as};
use support::sweep::{Found, Needle, Sweep, processes};
use wardline_client::{Calls as _, Client, ConversationId, PersonId, Pin, Refusal};
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::proto::{self, RefusalCode};

/// Larger files in /tmp are another program's.
const TMP_FILE_MAX: u64 = 64 << 20;

/// What is said once.
struct Canaries {
    kept: String,
    purged: String,
    unsent: String,
    title: String,
    device: String,
    person: String,
    pin: String,
    wrong_pin: String,
}

impl Canaries {
    /// Fresh ones: no source, binary or earlier run has them.
    fn new() -> Result<Self> {
        let fresh = |kind: &str| {
            let mut random = [0; 8];
            aws_lc_rs::rand::fill(&mut random).map_err(|_| anyhow::anyhow!("no randomness"))?;
            anyhow::Ok(format!("{kind} {:016x} canary", u64::from_be_bytes(random)))
        };
        Ok(Self {
            kept: fresh("Kept message")?,
            purged: fresh("Purged message")?,
            unsent: fresh("Unsent message")?,
            title: fresh("Group title")?,
            device: fresh("Device name")?,
            person: fresh("Person name")?,
            pin: fresh("PIN")?,
            wrong_pin: fresh("Wrong PIN")?,
        })
    }

    fn needles(&self) -> Vec<Needle> {
        vec![
            Needle::new("the kept message", &self.kept),
            Needle::new("the purged message", &self.purged),
            Needle::new("the unsent message", &self.unsent),
            Needle::new("the group's title", &self.title),
            Needle::new("the device's name", &self.device),
            Needle::new("the person's name", &self.person),
            Needle::new("the PIN", &self.pin),
            Needle::new("the wrong PIN", &self.wrong_pin),
        ]
    }
}

#[test]
fn what_people_say_and_are_called_is_readable_in_no_file_log_metric_or_process_table() {
    let began = SystemTime::now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // With debug logging: what is not logged there is logged nowhere. The box's parts end with this thread.
    let mut fixture = Fixture::start(&["--log", "debug", "--idle-lock", "10"]).expect("a box");
    let canaries = Canaries::new().expect("canaries");
    let ana = runtime.block_on(talk(&fixture, &canaries)).expect("people talk");

    sweep(&fixture, &canaries, began).expect("the sweep while the box runs");
    protected(&fixture).expect("the processes are protected");
    // Power fails: the write-ahead log stays as it is. Then another start reads it.
    fixture.devbox.kill_relay();
    runtime.block_on(ana.0.send(ana.1, &canaries.unsent)).expect("a message is kept that no box has yet");
    sweep(&fixture, &canaries, began).expect("the sweep after the relay was killed");
    fixture.devbox.start_relay().expect("the relay starts again");
    runtime.block_on(remembered(&ana)).expect("everything is as it was");
    sweep(&fixture, &canaries, began).expect("the sweep after the restart");
    runtime.block_on(ana.0.close());
    sweep(&fixture, &canaries, began).expect("the sweep after the device closed its profile");
}

/// Ana's client, the kept conversation, the purged one.
type Ana = (Client, ConversationId, ConversationId);

/// Somebody finds a device whose session has locked, and tries a PIN.
async fn wrong_pin(fixture: &Fixture, wrong: &str) -> Result<()> {
    let (mut raw, _) = Way::new(&fixture.devbox).join(&fixture.code("Keiko")?, PIN).await?;
    // Ten seconds, of which a frame may take eight.
    let locked = async {
        loop {
            if let Some(Answer::Locked(_)) = raw.frame_in_its_time().await?.body {
                return anyhow::Ok(());
            }
        }
    };
    tokio::time::timeout(2 * PATIENCE, locked).await.context("the session did not lock")??;
    refused_as(
        &raw.refused(Ask::Unlock(proto::Unlock { pin: wrong.to_owned() })).await?,
        RefusalCode::PinWrong,
    )
}

/// Messages both ways, one conversation purged, a wrong PIN.
async fn talk(fixture: &Fixture, canaries: &Canaries) -> Result<Ana> {
    let mut pair = Pair::join(fixture).await?;
    pair.exchange().await?;
    // Before whoever would have locked meanwhile comes.
    wrong_pin(fixture, &canaries.wrong_pin).await?;
    let person = fixture.devbox.console()?.add_person(&canaries.person, "RN", false)?;
    let link = fixture.devbox.join_link(person)?.parse()?;
    let pin = Pin::choose(canaries.pin.clone())?;
    let profile = fixture.path("profile-canary");
    let canary = Client::join(&link, &pin, &canaries.device, &profile).await?;
    canary.ready().await?;
    let person = PersonId::new(person).context("a person without identifier")?;
    let ben = PersonId::new(fixture.person("Ben")?).context("Ben has no identifier")?;

    let kept = pair.ana.open_group(&canaries.title, &[person, ben]).await?.id;
    let purged = pair.ana.open_direct(person).await?.id;
    let mut hears = canary.events().context("taken")?;
    say(&pair.ana, kept, &canaries.kept, &mut hears).await?;
    say(&pair.ana, purged, &canaries.purged, &mut hears).await?;
    let id = purged.value();
    fixture.devbox.console()?.ask(Ask::PurgeConversation(proto::PurgeConversation { conversation: id }))?;
    // Its client keeps its profile as a device does that was put down: closed in order.
    canary.close().await;
    Ok((pair.ana.clone(), kept, purged))
}

/// After a restart the kept message is there, and the purged one is not.
async fn remembered((ana, kept, purged): &Ana) -> Result<()> {
    // The client has yet to find out that its box was gone; a question asked meanwhile is lost, as documented.
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
    ana.network_changed().await?;
    let page = loop {
        ana.ready().await?;
        match ana.history(*kept, wardline_client::Sequence(0), 10).await {
            Ok(page) => break page,
            Err(error) if std::time::Instant::now() > patience => return Err(error.into()),
            Err(_) => ana.network_changed().await?,
        }
    };
    ensure!(
        page.messages.iter().any(|message| message.text.starts_with("Kept message")),
        "the message is gone"
    );
    match ana.history(*purged, wardline_client::Sequence(0), 10).await {
        Err(wardline_client::Error::Refused(refused)) if refused.code == Refusal::Purged.code() => Ok(()),
        Err(error) => Err(error).context("a purged conversation's history"),
        Ok(_) => bail!("a purged conversation has a history"),
    }
}

/// Looks everywhere.
fn sweep(fixture: &Fixture, canaries: &Canaries, began: SystemTime) -> Result<()> {
    let (needles, directory) = (canaries.needles(), fixture.path("."));
    let directory = directory.canonicalize()?;
    let mut sweep = Sweep::default();
    // Store, write-ahead log, shared memory file, keeper's state, TPM's state, logs; both devices' profiles.
    sweep.tree(&needles, &directory)?;
    for name in ["box/relay/wardline.db", "box/relay/wardline.db-wal", "box/relay.log", "box/keeper.log"] {
        ensure!(directory.join(name).exists() || name.ends_with("-wal"), "{name} was not looked at");
    }
    if let Ok(text) = support::metrics(&fixture.devbox.metrics_socket()) {
        ensure!(text.contains("wardline_relay_messages_accepted_total"), "the metrics are not the relay's");
        sweep.bytes(&needles, Path::new("metrics"), text.as_bytes());
    }
    let processes = processes(&directory.join("box"))?;
    ensure!(processes.len() >= 2, "only {} of the box's processes were found", processes.len());
    for (pid, program) in &processes {
        for file in ["cmdline", "environ", "comm", "status", "limits", "maps"] {
            let path = PathBuf::from(format!("/proc/{pid}/{file}"));
            let content = match fs::read(&path) {
                // A daemon keeps even its own user out.
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => continue,
                content => content.with_context(|| format!("{program}'s {file}"))?,
            };
            sweep.bytes(&needles, &path, &content);
        }
        elsewhere(*pid, &directory, &needles, &mut sweep)?;
    }
    sweep.tree_since(&needles, Path::new("/tmp"), began, &[&directory], TMP_FILE_MAX)?;
    sweep.tree_since(&needles, Path::new("/var/tmp"), began, &[], TMP_FILE_MAX)?;
    sweep.tree_since(&needles, Path::new("/dev/shm"), began, &[], TMP_FILE_MAX)?;

    // The control: what a device is called, and whose it is, stands in its own profile, as documented there; and
    // nothing else may be found.
    let profile = directory.join("profile-canary/profile.json");
    for name in ["the device's name", "the person's name"] {
        let control = Found { name, place: profile.clone() };
        ensure!(sweep.found.remove(&control), "the sweep does not find {name} where it is known to be");
    }
    ensure!(sweep.found.is_empty(), "found:\n{}", sweep.report());
    // And a control in a log of the same tree.
    let mut control = Sweep::default();
    control.tree(&[Needle::new("ready", "ready")], &directory)?;
    let log = directory.join("box/relay.log");
    ensure!(control.found.iter().any(|found| found.place == log), "the sweep does not read the relay's log");
    Ok(())
}

/// Files outside the box's directory that a process has open, deleted ones included.
fn elsewhere(pid: u32, directory: &Path, needles: &[Needle], sweep: &mut Sweep) -> Result<()> {
    let entries = match fs::read_dir(format!("/proc/{pid}/fd")) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            support::not_run(
                "canaries in files that only the daemons have open",
                "root alone may look there",
            );
            return Ok(());
        }
        entries => entries?,
    };
    for entry in entries.flatten() {
        let Ok(target) = fs::read_link(entry.path()) else { continue };
        let about = fs::metadata(entry.path());
        if !target.starts_with(directory) && about.is_ok_and(|about| about.is_file()) {
            sweep.bytes(needles, &target, &fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// No core file can be, or is, written; nobody but root may look into the daemons.
fn protected(fixture: &Fixture) -> Result<()> {
    let directory = fixture.path("box").canonicalize()?;
    let running = processes(&directory)?;
    for daemon in ["wardline-keeper", "wardline-relay"] {
        let found = running.iter().find(|(_, program)| program.starts_with(daemon));
        let (pid, program) = found.with_context(|| format!("{daemon} is not among {running:?}"))?;
        let limits = fs::read_to_string(format!("/proc/{pid}/limits"))?;
        let core =
            limits.lines().find(|line| line.starts_with("Max core file size")).context("no core limit")?;
        let numbers: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
        ensure!(numbers == ["0", "0"], "{program} may write core files: {core}");
        // The kernel gives what is not dumpable to root (proc(5), PR_SET_DUMPABLE in prctl(2)).
        let owner = fs::metadata(format!("/proc/{pid}/mem"))?.uid();
        ensure!(owner == 0, "{program}'s memory may be read by user {owner}");
    }
    for place in [directory.as_path(), Path::new("."), Path::new("/tmp"), Path::new("/var/crash")] {
        for entry in fs::read_dir(place).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let named = name == "core" || name.starts_with("core.");
            // Others have a right to that name, but not to that form (elf(5)).
            let is_core = named && fs::read(entry.path()).is_ok_and(|bytes| bytes.starts_with(b"\x7fELF"));
            ensure!(!is_core, "a core file: {}", entry.path().display());
        }
    }
    note_swap()
}

/// Swap is the machine's, not the box's: the image has none, a developer's machine may.
#[allow(clippy::print_stderr, reason = "a note for whoever reads the test's output")]
fn note_swap() -> Result<()> {
    let swaps = fs::read_to_string("/proc/swaps")?;
    if swaps.lines().count() > 1 {
        eprintln!("this machine has swap, into which the relay's memory may go:\n{swaps}");
    }
    Ok(())
}

/// The journal of a box: everything that the relay says to it. (What does not fit into a datagram would come as a file:
/// nothing that the relay says is a tenth as long.)
struct Journal {
    directory: PathBuf,
    ended: Arc<AtomicBool>,
    listening: JoinHandle<Vec<u8>>,
}

impl Journal {
    fn at(directory: PathBuf) -> Result<Self> {
        fs::create_dir(&directory)?;
        let socket = UnixDatagram::bind(directory.join("socket"))?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let ended = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&ended);
        // Whoever logs waits while nobody listens.
        let listening = std::thread::spawn(move || {
            let (mut all, mut one) = (Vec::new(), vec![0; 1 << 18]);
            loop {
                match socket.recv(&mut one) {
                    Ok(length) => all.extend_from_slice(&one[..length]),
                    Err(_) if over.load(Ordering::Relaxed) => return all,
                    Err(_) => {}
                }
            }
        });
        Ok(Self { directory, ended, listening })
    }

    /// All that was said.
    fn said(self) -> Vec<u8> {
        self.ended.store(true, Ordering::Relaxed);
        self.listening.join().expect("the journal listened")
    }
}

/// Puts the journal where the relay looks for it, in a mount namespace of the relay's own.
const WITH_JOURNAL: &str = "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && \
     mount --bind \"$1\" /run/systemd/journal && shift && exec \"$@\"";

/// On a box the relay logs to the journal, by another way than to a file: so the same is said once more with that.
#[test]
fn what_people_say_and_are_called_is_not_in_the_journal() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut fixture = Fixture::start(&[]).expect("a box");
    let journal = Journal::at(fixture.path("journal")).expect("a journal");
    let wanted = "canaries in the journal";
    if !may_unshare() {
        return support::not_run(wanted, "no right to a mount namespace here");
    }
    fixture.devbox.kill_relay();
    let directory = journal.directory.to_str().expect("a path in UTF-8");
    let wrapper = ["unshare", "--mount", "sh", "-c", WITH_JOURNAL, "sh", directory];
    let log = fixture.path("by-hand.log");
    let environment = [("JOURNAL_STREAM", "1:1")];
    let relay = ByHand::start(&fixture, &wrapper, &environment, &log).expect("a relay");
    let canaries = Canaries::new().expect("canaries");
    let outcome = runtime.block_on(async {
        support::until(PATIENCE, "the relay answers", || Ok(fixture.devbox.console().is_ok())).await?;
        talk(&fixture, &canaries).await
    });
    let ana = outcome.expect("people talk");
    runtime.block_on(ana.0.close());
    drop(relay);
    let said = journal.said();
    let mut sweep = Sweep::default();
    sweep.bytes(&canaries.needles(), Path::new("the journal"), &said);
    assert!(sweep.found.is_empty(), "found:\n{}", sweep.report());
    // The control: it was this relay, it spoke of what happened, and nowhere else.
    for word in ["SYSLOG_IDENTIFIER", "wardline-relay", "wardline_relay::front::connection", "ready", "hello"]
    {
        assert!(Needle::new("control", word).is_in(&said), "{word} was not said to the journal");
    }
    let elsewhere = fs::read_to_string(log).expect("its output");
    assert!(elsewhere.is_empty(), "the relay speaks beside the journal: {elsewhere}");
}

fn may_unshare() -> bool {
    let tried = std::process::Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "tmpfs", "/run"])
        .status();
    tried.is_ok_and(|status| status.success())
}
