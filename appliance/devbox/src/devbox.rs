//! Starting, provisioning, breaking and stopping a box.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use wardline_keys_protocol::client::KeeperClient;
use wardline_keys_protocol::message::Provision;
use wardline_keys_protocol::names::FacilityNames;
use wardline_keys_protocol::state::KeeperState;
use wardline_provisioning::{FacilityRoot, Names, VendorKey};

use crate::console::Console;
use crate::place::{self, MadeFor, Place, VENDOR_KEY};
use crate::process::{Process, sibling};
use crate::{facility, swtpm::Swtpm};

/// How long a part may take to start. Six TPM objects are made at the first start; a chip takes a second for each.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the relay may take to say goodbye.
const DRAIN: Duration = Duration::from_secs(5);
/// Years that the demo box's issuing certificate lives.
const ISSUING_YEARS: i64 = 2;

/// What to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything is kept.
    pub directory: PathBuf,
    /// Where devices reach it.
    pub listen: SocketAddr,
    /// A TPM as `wardline-keeper --tpm` takes it; a software one when none is given.
    pub tpm: Option<String>,
    /// More arguments for the relay.
    pub relay: Vec<String>,
    /// The arguments of `wardline-bell` about whom it calls; none: the box has no bell.
    pub bell: Vec<String>,
    /// Forget whatever an earlier box left in the directory, and in the TPM.
    pub fresh: bool,
}

/// Below the ports that Linux gives out by itself (32,768 and up; ip(7), `ip_local_port_range`).
const PORTS: Range<u16> = 20_000..32_000;

impl Options {
    /// A box on a free port of this machine: one that no system hands to whoever asks for any, and another for each box of this
    /// process. Nothing is bound to see whether it is free: a process that this one forks just then would hold it for a moment.
    pub fn local(directory: &Path) -> Result<Self> {
        static BOXES: AtomicU32 = AtomicU32::new(0);
        let taken =
            ["/proc/net/udp", "/proc/net/tcp"].map(|of| fs::read_to_string(of).unwrap_or_default()).concat();
        let first = std::process::id().wrapping_mul(31);
        let mut ports = (0..PORTS.len() as u32).map(|_| {
            let at = first.wrapping_add(BOXES.fetch_add(1, Ordering::Relaxed)) % PORTS.len() as u32;
            PORTS.start + at as u16
        });
        let port = ports.find(|port| !taken.contains(&format!(":{port:04X} "))).context("no free port")?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self {
            directory: directory.to_owned(),
            listen,
            tpm: None,
            relay: Vec::new(),
            bell: Vec::new(),
            fresh: false,
        })
    }
}

/// A running box.
pub struct Devbox {
    options: Options,
    root_sha256: [u8; 32],
    relay: Option<Process>,
    bell: Option<Process>,
    keeper: Option<Process>,
    swtpm: Option<Swtpm>,
    /// Where devices that joined earlier look for it, when that is not where it is.
    moved_from: Option<SocketAddr>,
    /// Last, so that the directory is free only when nothing runs in it.
    _place: Place,
}

impl Devbox {
    /// Starts everything; provisions what is new.
    pub fn start(options: Options) -> Result<Self> {
        let place = Place::take(&options.directory)?;
        if options.fresh {
            place.clear()?;
        }
        let moved_from = moved(MadeFor::read(&options.directory), &options)?;
        is_free(options.listen)?;
        let swtpm = match options.tpm {
            Some(_) => None,
            None => Some(Swtpm::power_on(&options.directory)?),
        };
        let mut devbox = Self {
            options,
            root_sha256: [0; 32],
            relay: None,
            bell: None,
            keeper: None,
            swtpm,
            moved_from,
            _place: place,
        };
        devbox.start_keeper()?;
        devbox.provision()?;
        place::write_reached_at(&devbox.options.directory, devbox.reached_at(), &devbox.root_sha256)?;
        devbox.start_bell()?;
        devbox.start_relay()?;
        Ok(devbox)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.options.directory.join(name)
    }

    /// The keeper's socket.
    pub fn keeper_socket(&self) -> PathBuf {
        self.path("keeper.sock")
    }

    /// The bell's socket.
    pub fn bell_socket(&self) -> PathBuf {
        self.path("bell.sock")
    }

    /// The relay's local socket.
    pub fn local_socket(&self) -> PathBuf {
        self.path("relay.sock")
    }

    /// The relay's metrics socket.
    pub fn metrics_socket(&self) -> PathBuf {
        self.path("metrics.sock")
    }

    /// The directory of the relay's store.
    pub fn data(&self) -> PathBuf {
        self.path("relay")
    }

    /// Where devices reach it.
    pub fn address(&self) -> SocketAddr {
        self.options.listen
    }

    /// Where devices that joined earlier look for it, when that is not where it is.
    pub fn moved_from(&self) -> Option<SocketAddr> {
        self.moved_from
    }

    /// SHA-256 of the facility root's certificate.
    pub fn root_sha256(&self) -> [u8; 32] {
        self.root_sha256
    }

    /// Starts the keeper and waits until it answers.
    pub fn start_keeper(&mut self) -> Result<()> {
        let uid = nix::unistd::geteuid().to_string();
        let tpm = match (&self.options.tpm, &self.swtpm) {
            (Some(tpm), _) => tpm.clone(),
            (None, Some(swtpm)) => swtpm.address(),
            (None, None) => bail!("the box has no TPM"),
        };
        let socket = self.keeper_socket();
        let mut args: Vec<String> = vec!["--tpm".into(), tpm];
        args.extend(["--state".into(), self.path("keeper").display().to_string()]);
        args.extend(["--socket".into(), socket.display().to_string()]);
        args.extend(["--relay-uid".into(), uid.clone(), "--provisioning-uid".into(), uid]);
        args.push("--allow-unlocked-memory".into());
        let log = self.path("keeper.log");
        let mut keeper = Process::start("wardline-keeper", &sibling("wardline-keeper")?, &args, &log)?;
        keeper.await_ready(PATIENCE, || {
            KeeperClient::connect(&socket).is_ok_and(|mut client| client.status().is_ok())
        })?;
        self.keeper = Some(keeper);
        Ok(())
    }

    /// What `wardline-provision` does between a laptop and a box, in one place.
    fn provision(&mut self) -> Result<()> {
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
        let facility = self.path("facility");
        let root = if facility.exists() {
            FacilityRoot::load(&facility)?
        } else {
            // Complete or not there: a stop half-way leaves no half facility.
            let new = self.path("facility.new");
            let _ = fs::remove_dir_all(&new);
            let root = FacilityRoot::generate(facility::NAME, now)?;
            root.save(&new)?;
            fs::rename(&new, &facility)?;
            root
        };
        let vendor_key = self.path(VENDOR_KEY);
        let vendor = if vendor_key.exists() {
            VendorKey::load(&vendor_key)?
        } else {
            let (vendor, new) = (VendorKey::generate()?, self.path("vendor.new"));
            let _ = fs::remove_file(&new);
            vendor.save(&new)?;
            fs::rename(&new, &vendor_key)?;
            vendor
        };
        self.root_sha256 = root.sha256();
        let mut keeper = KeeperClient::connect(self.keeper_socket())?;
        let status = keeper.status()?;
        if status.state == KeeperState::Ready {
            return Ok(());
        }
        let start_over = match status.state {
            KeeperState::NotProvisioned | KeeperState::IssuingMissing => false,
            // The chip remembers a box whose files `--fresh` removed.
            KeeperState::KeysMissing if self.options.fresh => true,
            // A box of an earlier version, whose files this one does not read, is called damaged too.
            KeeperState::KeysMissing | KeeperState::BlobCorrupt { .. } => bail!(
                "{}. If it was a development box and nothing of it is missed, begin anew with --fresh",
                status.state
            ),
            state => bail!("{state}"),
        };
        let made_for = MadeFor { listen: self.options.listen, tpm: self.options.tpm.clone() };
        made_for.write(&self.options.directory)?;
        let pcr11 = status.pcr11.context("the keeper does not say what PCR 11 is")?;
        // Keys first, as a new box does by itself; then the request, and the one answer that brings names.
        keeper.provision(Provision {
            vendor_public: vendor.public().to_sec1(),
            approval: vendor.approve(pcr11, 1)?.to_bytes(),
            first_revocation: vendor.revoke(0)?.to_bytes(),
            start_over,
        })?;
        let ip_addrs = addresses(self.options.listen.ip());
        let ranges: Vec<String> =
            ip_addrs.iter().map(|ip| format!("{ip}/{}", if ip.is_ipv4() { 32 } else { 128 })).collect();
        let names = Names::parse(&["lindenhof.example".to_owned()], &ranges)?;
        let issuing = root.certify(&keeper.issuing_request()?, &names, now, ISSUING_YEARS)?;
        let answer = FacilityNames {
            facility: facility::NAME.to_owned(),
            dns_names: vec!["box.lindenhof.example".to_owned()],
            ip_addrs,
        };
        keeper.install_issuing(answer, vec![issuing, root.certificate().to_vec()])?;
        let state = keeper.status()?.state;
        if state != KeeperState::Ready {
            bail!("the keeper is not ready after provisioning: {state}");
        }
        Ok(())
    }

    /// Starts the bell, where the box has one, and waits until it has its socket.
    pub fn start_bell(&mut self) -> Result<()> {
        if self.options.bell.is_empty() {
            return Ok(());
        }
        let socket = self.bell_socket();
        let _ = fs::remove_file(&socket);
        let mut args: Vec<String> = Vec::new();
        for (flag, value) in [
            ("--state", self.path("bell").display().to_string()),
            ("--socket", socket.display().to_string()),
            ("--relay-uid", nix::unistd::geteuid().to_string()),
        ] {
            args.extend([flag.to_owned(), value]);
        }
        args.extend(self.options.bell.iter().cloned());
        let log = self.path("bell.log");
        let mut bell = Process::start("wardline-bell", &sibling("wardline-bell")?, &args, &log)?;
        bell.await_ready(PATIENCE, || socket.exists())?;
        self.bell = Some(bell);
        Ok(())
    }

    /// Starts the relay and waits until its local socket answers.
    pub fn start_relay(&mut self) -> Result<()> {
        let socket = self.local_socket();
        let _ = fs::remove_file(&socket);
        let mut args: Vec<String> = Vec::new();
        for (flag, value) in [
            ("--listen", self.options.listen.to_string()),
            ("--data", self.data().display().to_string()),
            ("--keeper", self.keeper_socket().display().to_string()),
            ("--local", socket.display().to_string()),
            ("--metrics", self.metrics_socket().display().to_string()),
            ("--facility", facility::NAME.to_owned()),
            ("--zone", "admin=127.0.0.0/8".to_owned()),
        ] {
            args.extend([flag.to_owned(), value]);
        }
        if !self.options.bell.is_empty() {
            args.extend(["--bell".to_owned(), self.bell_socket().display().to_string()]);
        }
        args.extend(self.options.relay.iter().cloned());
        let log = self.path("relay.log");
        let mut relay = Process::start("wardline-relay", &sibling("wardline-relay")?, &args, &log)?;
        relay.await_ready(PATIENCE, || Console::open(&socket).is_ok())?;
        self.relay = Some(relay);
        Ok(())
    }

    /// Administration at the console.
    pub fn console(&self) -> Result<Console> {
        Ok(Console::open(&self.local_socket())?)
    }

    /// A join link with a fresh code.
    pub fn join_link(&self, person: u64) -> Result<String> {
        let code = self.console()?.join_code(person)?;
        let (head, tail) = code.split_at(code.len() / 2);
        let (host, root) = (self.reached_at(), base64url(&self.root_sha256));
        Ok(format!("wardline://{host}/join?code={head}-{tail}&root={root}"))
    }

    /// Where devices of this machine reach it.
    pub fn reached_at(&self) -> SocketAddr {
        match self.options.listen.ip() {
            ip if ip.is_unspecified() => SocketAddr::from((Ipv4Addr::LOCALHOST, self.options.listen.port())),
            _ => self.options.listen,
        }
    }

    /// SIGKILL to the relay.
    pub fn kill_relay(&mut self) {
        self.relay = None;
    }

    /// SIGKILL to the keeper.
    pub fn kill_keeper(&mut self) {
        self.keeper = None;
    }

    /// The relay's process number, while it runs.
    pub fn relay_pid(&mut self) -> Option<u32> {
        running(&mut self.relay).map(Process::pid)
    }

    /// The process numbers of relay and keeper, while they run.
    pub fn pids(&mut self) -> (Option<u32>, Option<u32>) {
        (self.relay_pid(), running(&mut self.keeper).map(Process::pid))
    }

    /// Ends the keeper in order, and says how many transient objects and sessions it left in the software TPM.
    pub fn left_in_tpm(&mut self) -> Result<(u32, u32)> {
        if let Some(mut bell) = self.bell.take() {
            bell.stop(DRAIN);
        }
        if let Some(mut keeper) = self.keeper.take() {
            keeper.stop(DRAIN);
        }
        Ok(self.swtpm.as_ref().context("the TPM is not ours to ask")?.loaded()?)
    }

    /// Starts again whichever daemon has ended, as systemd would.
    pub fn mend(&mut self) -> Result<()> {
        if running(&mut self.keeper).is_none() {
            self.start_keeper()?;
        }
        if running(&mut self.relay).is_none() {
            self.start_relay()?;
        }
        Ok(())
    }

    /// Stops in order: the relay says goodbye first.
    pub fn stop(mut self) {
        if let Some(mut relay) = self.relay.take() {
            relay.stop(DRAIN);
        }
        if let Some(mut keeper) = self.keeper.take() {
            keeper.stop(DRAIN);
        }
        if let Some(mut swtpm) = self.swtpm.take() {
            swtpm.power_off();
        }
    }
}

/// Looked at first, because a relay that cannot listen has made a box by then.
fn is_free(listen: SocketAddr) -> Result<()> {
    let bound = [("UDP", UdpSocket::bind(listen).map(drop)), ("TCP", TcpListener::bind(listen).map(drop))];
    for (of, bound) in bound {
        match bound {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => bail!(
                "another program listens on {of} {listen}, another box perhaps: end that one, or choose a port with \
                 --listen {}:{}",
                listen.ip(),
                listen.port().saturating_add(1)
            ),
            Err(error) => return Err(error).with_context(|| format!("listening on {of} {listen}")),
        }
    }
    Ok(())
}

/// The process, while it runs.
fn running(process: &mut Option<Process>) -> Option<&Process> {
    process.as_mut().and_then(|process| process.ended().is_none().then_some(&*process))
}

/// Whether a box made earlier can run with these options, and where it was before if its port is another now.
fn moved(made_for: Option<MadeFor>, options: &Options) -> Result<Option<SocketAddr>> {
    let Some(made_for) = made_for else { return Ok(None) };
    let name = |tpm: &Option<String>| tpm.clone().unwrap_or_else(|| "a software TPM".to_owned());
    if made_for.tpm != options.tpm {
        bail!(
            "the box in {} has its keys in {}, not in {}: give another --directory, or begin anew with --fresh",
            options.directory.display(),
            name(&made_for.tpm),
            name(&options.tpm)
        );
    }
    if addresses(made_for.listen.ip()) != addresses(options.listen.ip()) {
        bail!(
            "the box in {} was made for {}, and its certificate names no other address, so devices would not believe \
             it at {}: leave out --listen, give another --directory, or begin anew with --fresh",
            options.directory.display(),
            made_for.listen,
            options.listen
        );
    }
    Ok((made_for.listen.port() != options.listen.port()).then_some(made_for.listen))
}

/// The addresses that the box's certificate names.
fn addresses(listen: IpAddr) -> Vec<IpAddr> {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    if listen.is_unspecified() || listen == local { vec![local] } else { vec![local, listen] }
}

/// RFC 4648, section 5, without padding.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0u32, |group, byte| (group << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(group >> (18 - 6 * index)) as usize & 63]));
        }
    }
    text
}
