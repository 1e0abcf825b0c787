//! `wardline-keeper`: hardens itself, takes its socket, and then does one request after another.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::Parser;
use nix::fcntl::{Flock, FlockArg};
use tracing::{info, warn};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};
use wardline_keys::keeper::{Keeper, Now};
use wardline_keys::server::{self, Job, Users};
use wardline_keys::store::Store;
use wardline_keys::{hardening, tpm::TpmAddress};
use wardline_keys_protocol::approval::{Approval, BYTES_MAX};
use wardline_keys_protocol::{KeeperState, Refusal, Reply};

/// How long the loop waits for a request when nobody watches it: it has nothing else to do.
const QUIET: Duration = Duration::from_secs(3_600);

/// Holds this box's keys in its TPM and hands them to the relay.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// The TPM: `device:/dev/tpmrm0`, or `swtpm:host=127.0.0.1,port=N` for a software TPM.
    #[arg(long, default_value = "device:/dev/tpmrm0")]
    tpm: TpmAddress,
    /// Directory for sealed keys; made if it is not there.
    #[arg(long, default_value = "/var/lib/wardline-keeper")]
    state: PathBuf,
    /// Path of the socket that others connect to.
    #[arg(long, default_value = "/run/wardline-keeper/socket")]
    socket: PathBuf,
    /// User id of the relay. May be given more than once.
    #[arg(long = "relay-uid", value_name = "UID")]
    relay_uids: Vec<u32>,
    /// User id of the provisioning tool. May be given more than once. Root is not assumed.
    #[arg(long = "provisioning-uid", value_name = "UID")]
    provisioning_uids: Vec<u32>,
    /// File with the vendor's approval of this image. May be given more than once.
    #[arg(long = "approval", value_name = "FILE")]
    approvals: Vec<PathBuf>,
    /// Development only: go on when memory cannot be locked.
    #[arg(long)]
    allow_unlocked_memory: bool,
}

fn main() -> anyhow::Result<()> {
    quiet_tss()?;
    let args = Args::parse();
    hardening::harden(!args.allow_unlocked_memory)?;
    start_log();
    info!(version = env!("CARGO_PKG_VERSION"), "keeper starts");

    // Opening makes the directory and no more; whatever is removed or written later is so under the lock.
    let store = Store::open(&args.state).with_context(|| format!("opening {}", args.state.display()))?;
    let lock =
        File::create(args.state.join("lock")).context("making the lock file in the state directory")?;
    let _lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock)
        .map_err(|(_, errno)| errno)
        .context("another keeper uses this state directory: stop it first")?;
    let approvals = read_approvals(&args.approvals);
    let users = Users { relay: args.relay_uids, provisioning: args.provisioning_uids };
    let listener =
        server::bind(&args.socket).with_context(|| format!("taking the socket {}", args.socket.display()))?;
    let confined = hardening::confine(&args.state, &args.tpm)?;
    info!(landlock = ?confined, "confined to its own files");
    let jobs = server::serve(listener, users)?;

    let mut keeper = Keeper::new(args.tpm, store, approvals);
    let started = Instant::now();
    let mut teller = Teller::default();
    teller.tell(keeper.status(now(started)).state);
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    // A command that the TPM never answers holds this loop up, and systemd starts the keeper anew (`WatchdogSec=`).
    let every = sd_notify::watchdog_enabled().map_or(QUIET, |limit| limit / 4);
    loop {
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        let Job { roles, request, reply } = match jobs.recv_timeout(every) {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => anyhow::bail!("the accepting thread ended"),
        };
        let answer = keeper.handle(now(started), roles, request);
        match &answer {
            Reply::Status(status) => teller.tell(status.state.clone()),
            Reply::Refused(Refusal::State(state)) => teller.tell(state.clone()),
            _ => {}
        }
        // Who asked may be gone by now; the answer wipes itself.
        let _ = reply.send(answer);
    }
}

/// libtss2 writes to stderr unless its environment says otherwise, and may only be told before the process starts.
fn quiet_tss() -> anyhow::Result<()> {
    if std::env::var_os("TSS2_LOG").is_some() {
        // Whoever looks for it in a list of processes finds it, also when it has started itself again.
        let _ = nix::sys::prctl::set_name(c"wardline-keeper");
        return Ok(());
    }
    let mut args = std::env::args_os();
    let mut again = Command::new("/proc/self/exe");
    again.arg0(args.next().unwrap_or_else(|| "wardline-keeper".into()));
    let error = again.args(args).env("TSS2_LOG", "all+none").exec();
    Err(error).context("starting again with TSS2_LOG set; set TSS2_LOG=all+none in the unit file")
}

fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let journald = std::env::var_os("JOURNAL_STREAM").and_then(|_| tracing_journald::layer().ok());
    let stderr = journald.is_none().then(|| tracing_subscriber::fmt::layer().with_writer(std::io::stderr));
    tracing_subscriber::registry().with(filter).with(journald).with(stderr).init();
}

/// Approvals that came with the image. One that cannot be read is as good as none, so it is only reported.
fn read_approvals(paths: &[PathBuf]) -> Vec<Approval> {
    let read = |path: &PathBuf| {
        let bytes = std::fs::read(path).ok().filter(|bytes| bytes.len() <= BYTES_MAX);
        let approval = bytes.and_then(|bytes| Approval::from_bytes(&bytes).ok());
        if approval.is_none() {
            warn!(path = %path.display(), "this approval cannot be read");
        }
        approval
    };
    paths.iter().filter_map(read).collect()
}

/// The edge where the clocks are read.
fn now(started: Instant) -> Now {
    let unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    Now { unix_s, mono_ms: started.elapsed().as_millis() as u64 }
}

/// Tells log and service manager when the state changes.
#[derive(Default)]
struct Teller {
    last: Option<KeeperState>,
}

impl Teller {
    fn tell(&mut self, state: KeeperState) {
        if self.last.as_ref() == Some(&state) {
            return;
        }
        let text = format!("{}: {state}", state.code());
        if state == KeeperState::Ready {
            info!("{text}");
        } else {
            warn!("{text}");
        }
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Status(&text)]);
        self.last = Some(state);
    }
}
