//! `wardline-apply`: takes configurations (`run`), and reads sticks for that (`stick`).

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use clap::Parser;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use sd_notify::NotifyState;
use tracing::{info, warn};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};
use wardline_apply::chip::{Chip as _, Keeper};
use wardline_apply::disk::Volume;
use wardline_apply::first::{self, First};
use wardline_apply::handover::{self, Brought, Left};
use wardline_apply::image::{self, Image};
use wardline_apply::machine::{Machine, Taken};
use wardline_apply::refusal::Refusal;
use wardline_apply::stick::{self, Stick, StickFault};
use wardline_client::JoinCode;
use wardline_keys_protocol::KeeperState;
use wardline_provisioning::said::{Code, Said};

/// Between two looks at keeper and relay.
const EVERY_MS: u16 = 5_000;
/// How long a stick may take to say what it brought. Reading 256 KiB takes a second; a stick that stalls holds nobody else up
/// for longer.
const STICK_TIME_MAX: Duration = Duration::from_secs(60);
/// How long the screen says what became of a stick.
const NEWS_FOR: Duration = Duration::from_secs(600);

/// Puts what IT brings on a stick in force. Runs on a box only.
#[derive(Debug, Parser)]
#[command(version)]
enum Args {
    /// Wait for sticks, for as long as the box runs.
    Run(Run),
    /// Read one stick, hand over what it has, and leave request and receipt on it.
    Stick {
        /// The stick: a block device, or a file in its place.
        #[arg(long)]
        device: PathBuf,
        /// Where the other process listens.
        #[arg(long, default_value = "/run/wardline-apply/stick.sock")]
        socket: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Directory of the configurations.
    #[arg(long, default_value = "/var/lib/wardline-apply")]
    state: PathBuf,
    /// Directory of the socket, and of what others are told.
    #[arg(long, default_value = "/run/wardline-apply")]
    run: PathBuf,
    /// The keeper's socket.
    #[arg(long, default_value = "/run/wardline-keeper/socket")]
    keeper: PathBuf,
    /// The relay's local socket.
    #[arg(long, default_value = "/run/wardline-relay/local.sock")]
    relay: PathBuf,
    /// Directory of what the vendor put into the image.
    #[arg(long, default_value = "/usr/share/wardline")]
    vendor: PathBuf,
    /// The partition with the vendor's approvals.
    #[arg(long, default_value = "/dev/disk/by-partlabel/wardline-approvals")]
    approvals: PathBuf,
    /// User number of the process that reads sticks.
    #[arg(long, value_name = "UID")]
    stick_uid: u32,
}

fn main() -> Result<()> {
    let args = Args::parse();
    start_log();
    match args {
        Args::Run(run) => serve(run),
        Args::Stick { device, socket } => read_stick(&device, &socket),
    }
}

fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let journald = std::env::var_os("JOURNAL_STREAM").and_then(|_| tracing_journald::layer().ok());
    let stderr = journald.is_none().then(|| tracing_subscriber::fmt::layer().with_writer(std::io::stderr));
    tracing_subscriber::registry().with(filter).with(journald).with(stderr).init();
}

/// The process with the device.
fn read_stick(device: &Path, socket: &Path) -> Result<()> {
    let (stick, brought) = match open(device) {
        Ok((stick, brought)) => (Some(stick), brought),
        Err(fault) => {
            warn!(%fault, "a stick was not read");
            (None, Brought::Unreadable(Refusal::Stick(fault).code()))
        }
    };
    let line = UnixStream::connect(socket).with_context(|| format!("reaching {}", socket.display()))?;
    let left = handover::ask(&line, &brought).context("handing over what the stick has")?;
    let Some(stick) = stick else { return Ok(()) };
    for (name, bytes) in [(stick::REQUEST, &left.request), (stick::RECEIPT, &left.receipt)] {
        if !bytes.is_empty() {
            stick.leave(name, bytes).with_context(|| format!("leaving {name} on the stick"))?;
        }
    }
    stick.finish().context("finishing with the stick")?;
    handover::done(&line).context("saying that the stick is done with")?;
    info!(request = left.request.len(), receipt = left.receipt.len(), "the stick is done with");
    Ok(())
}

fn open(device: &Path) -> Result<(Stick, Brought), StickFault> {
    let file = File::options().read(true).write(true).open(device).map_err(StickFault::Device)?;
    let end = io::Seek::seek(&mut &file, io::SeekFrom::End(0)).map_err(StickFault::Device)?;
    let stick = Stick::open(file, end / 512)?;
    let brought = stick.read(stick::CONFIGURATION)?.map_or(Brought::Nothing, Brought::Configuration);
    Ok((stick, brought))
}

/// The process with the configurations.
struct Server {
    args: Run,
    machine: Machine<Volume, Keeper>,
    said: Said,
    news_until: Option<Instant>,
    code: Option<JoinCode>,
    is_joined: bool,
    applied: u64,
    /// The keeper has keys, and knows the approvals on the disk.
    has_keys: bool,
    /// What was complained of last: the same is not written every five seconds.
    complaint: String,
}

fn serve(args: Run) -> Result<()> {
    let socket = args.run.join("stick.sock");
    let _ = fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).with_context(|| format!("taking {}", socket.display()))?;
    fs::set_permissions(&socket, Permissions::from_mode(0o660))?;
    let release = env!("CARGO_PKG_VERSION").parse().map_err(|_| anyhow::anyhow!("an impossible version"))?;
    let machine = Machine::new(args.state.clone(), Volume, Keeper(args.keeper.clone()), release);
    let mut server = Server {
        args,
        machine,
        said: Said::default(),
        news_until: None,
        code: None,
        is_joined: false,
        applied: 0,
        has_keys: false,
        complaint: String::new(),
    };
    server.tend();
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    loop {
        let mut waits = [PollFd::new(std::os::fd::AsFd::as_fd(&listener), PollFlags::POLLIN)];
        if poll(&mut waits, PollTimeout::from(EVERY_MS)).context("waiting for a stick")? > 0 {
            match listener.accept() {
                Ok((line, _)) => server.meet(line),
                Err(error) => warn!(%error, "a stick could not be met"),
            }
        }
        server.tend();
        let _ = sd_notify::notify(&[NotifyState::Watchdog]);
    }
}

impl Server {
    fn meet(&mut self, line: UnixStream) {
        let allowed = getsockopt(&line, PeerCredentials).is_ok_and(|peer| peer.uid() == self.args.stick_uid);
        if !allowed {
            warn!("somebody else than the reader of sticks came");
            return;
        }
        let met = line
            .set_read_timeout(Some(STICK_TIME_MAX))
            .and_then(|()| line.set_write_timeout(Some(STICK_TIME_MAX)))
            .and_then(|()| handover::hear(&line));
        let brought = match met {
            Ok(brought) => brought,
            Err(error) => return warn!(%error, "a stick was not heard out"),
        };
        let bad = match &brought {
            Brought::Nothing => None,
            Brought::Unreadable(code) => Some(*code),
            Brought::Configuration(bytes) => self.take(bytes).err().map(|refusal| {
                warn!(code = refusal.code(), %refusal, "a configuration was not taken");
                refusal.code()
            }),
        };
        (self.said.bad, self.said.is_stick_done) = (bad, false);
        self.news_until = Some(Instant::now() + NEWS_FOR);
        self.tell();
        let left = Left {
            request: self.leave(|machine| machine.request().map(Some)),
            receipt: self.leave(Machine::receipt),
        };
        match handover::answer(&line, &left).and_then(|()| handover::await_done(&line)) {
            Ok(()) => {
                self.said.is_stick_done = true;
                self.news_until = Some(Instant::now() + NEWS_FOR);
            }
            Err(error) => warn!(%error, "a stick was not written to its end"),
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.machine.recover()?;
        if self.machine.take(bytes)? == Taken::Now {
            self.in_force();
        }
        Ok(())
    }

    fn leave(
        &mut self,
        make: impl FnOnce(&mut Machine<Volume, Keeper>) -> Result<Option<Vec<u8>>, Refusal>,
    ) -> Vec<u8> {
        make(&mut self.machine)
            .unwrap_or_else(|refusal| {
                warn!(%refusal, "nothing was left on a stick");
                None
            })
            .unwrap_or_default()
    }

    /// Network, packet filter, clock and relay read their settings anew: a unit waits for this file to change.
    fn in_force(&mut self) {
        self.applied += 1;
        if let Err(error) = fs::write(self.args.run.join("applied"), self.applied.to_string()) {
            warn!(%error, "the box's services were not told of their configuration: it holds from the next start on");
        }
    }

    /// What has to be done whether or not a stick comes.
    fn tend(&mut self) {
        if self.said.box_id.is_none() {
            self.know_itself();
        }
        if self.news_until.is_some_and(|until| until <= Instant::now()) {
            (self.said.bad, self.said.is_stick_done, self.news_until) = (None, false, None);
        }
        if !self.is_joined && self.args.relay.exists() {
            self.let_in();
        }
        self.tell();
    }

    fn know_itself(&mut self) {
        if !self.has_keys {
            let image = Image { vendor: self.args.vendor.clone(), approvals: self.args.approvals.clone() };
            match image::make_keys(self.machine.chip(), &image) {
                Ok(()) => self.has_keys = true,
                Err(error) => self.complain(format!("the box has no keys: {error}")),
            }
        }
        let is_open = self.machine.chip().status().is_ok_and(|status| {
            matches!(
                status.state,
                KeeperState::Ready | KeeperState::IssuingMissing | KeeperState::IssuingExpired
            )
        });
        if !is_open {
            return;
        }
        match self.machine.recover() {
            Ok(true) => self.in_force(),
            Ok(false) => {}
            Err(refusal) => {
                return self.complain(format!("what a power cut left was not brought to its end: {refusal}"));
            }
        }
        self.said.box_id = self.machine.box_id().ok();
    }

    fn complain(&mut self, of: String) {
        if self.complaint != of {
            warn!("{of}");
            self.complaint = of;
        }
    }

    fn let_in(&mut self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        match first::look(&self.args.relay, self.code.take(), now) {
            Ok(First::Joined) => {
                self.is_joined = true;
                self.said.code = None;
            }
            Ok(First::Code(code)) => {
                self.said.code = Code::new(&code.code);
                self.code = Some(code);
            }
            // It may just be starting.
            Err(_) => {}
        }
    }

    fn tell(&self) {
        let (new, path) = (self.args.run.join("said.new"), self.args.run.join("said"));
        let told = fs::write(&new, self.said.to_text()).and_then(|()| fs::rename(&new, &path));
        if let Err(error) = told {
            warn!(%error, "the screen was not told");
        }
    }
}
