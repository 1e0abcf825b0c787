//! `wardline-bell`: hardens itself, opens its key, takes its socket, and rings when the relay asks.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use nix::fcntl::{Flock, FlockArg};
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};
use wardline_bell::endpoint::{Allowed, USUAL};
use wardline_bell::key::VapidKey;
use wardline_bell::post::Post;
use wardline_bell::ringing::{Bell, Rhythm};
use wardline_bell::{hardening, server};
use wardline_bell_protocol::HOSTS_MAX;

/// Rings closed apps through the push services of Google, Apple, Mozilla and Microsoft: one constant text, and nothing else.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Directory for the box's key at push services; made if it is not there.
    #[arg(long, default_value = "/var/lib/wardline-bell")]
    state: PathBuf,
    /// Path of the socket that the relay connects to.
    #[arg(long, default_value = "/run/wardline-bell/socket")]
    socket: PathBuf,
    /// User id of the relay. May be given more than once.
    #[arg(long = "relay-uid", value_name = "UID")]
    relay_uids: Vec<u32>,
    /// A push service that may be called, in place of the usual four: `host`, `*.domain` or `host:port`. May be given more
    /// than once.
    #[arg(long = "allow", value_name = "HOST")]
    allowed: Vec<Allowed>,
    /// Root certificates by which push services are believed, PEM.
    #[arg(long, default_value = "/etc/ssl/certs/ca-certificates.crt")]
    roots: PathBuf,
    /// Whom a push service may write to about this box's rings: `mailto:` or `https:`. Every push service reads it, so it
    /// had better not name the facility.
    #[arg(long, value_parser = contact)]
    contact: String,
}

fn contact(text: &str) -> Result<String, &'static str> {
    let is_one = text.starts_with("mailto:") || text.starts_with("https://");
    let is_short = text.len() <= 256 && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_one && is_short { Ok(text.to_owned()) } else { Err("give an address: mailto:it@example.org") }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    hardening::harden().context("the process cannot be protected")?;
    start_log();
    info!(version = env!("CARGO_PKG_VERSION"), "bell starts");

    std::fs::create_dir_all(&args.state)
        .with_context(|| format!("making the state directory {}", args.state.display()))?;
    let lock =
        File::create(args.state.join("lock")).context("making the lock file in the state directory")?;
    let _lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock)
        .map_err(|(_, errno)| errno)
        .context("another bell uses this state directory: stop it first")?;
    let key = VapidKey::open(&args.state, &args.contact).with_context(|| {
        format!("opening the key in {}: it has to be this user's alone, mode 0600", args.state.display())
    })?;
    let roots = std::fs::read(&args.roots)
        .with_context(|| format!("reading the root certificates of {}", args.roots.display()))?;
    let post = Post::new(&roots)?;
    let usual = || USUAL.iter().map(|host| host.parse()).collect::<Result<_, _>>();
    let allowed = if args.allowed.is_empty() { usual()? } else { args.allowed };
    anyhow::ensure!(allowed.len() <= HOSTS_MAX, "at most {HOSTS_MAX} hosts may be allowed");
    let bell = Arc::new(Bell::new(key, allowed, post, Rhythm::default()));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = server::bind(&args.socket)
            .with_context(|| format!("taking the socket {}", args.socket.display()))?;
        let mut end = signal(SignalKind::terminate())?;
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        tokio::select! {
            () = server::serve(listener, args.relay_uids, bell) => {}
            _ = end.recv() => info!("bell ends"),
        }
        Ok(())
    })
}

fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let journald = std::env::var_os("JOURNAL_STREAM").and_then(|_| tracing_journald::layer().ok());
    let stderr = journald.is_none().then(|| tracing_subscriber::fmt::layer().with_writer(std::io::stderr));
    tracing_subscriber::registry().with(filter).with(journald).with(stderr).init();
}
