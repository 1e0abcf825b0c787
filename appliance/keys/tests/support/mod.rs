//! A real swtpm, a keeper on it, and what a box's boot and a vendor would do.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "shared by several test binaries; a failed step must fail the test"
)]

pub(crate) mod proxy;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use wardline_keys::keeper::{Keeper, Now, Roles};
use wardline_keys::record::BoxRecord;
use wardline_keys::store::Store;
use wardline_keys::tpm::{StorageKey, Tpm, TpmAddress};
use wardline_keys_protocol::message::Provision;
use wardline_keys_protocol::{
    Blob, FacilityNames, KeeperClient, KeeperState, Leaves, PinInput, Quote, Refusal, Reply, Request, Status,
};
use wardline_provisioning::{FacilityRoot, Names, VendorKey};

/// 2026-11-23 12:00 UTC.
pub(crate) const NOON: i64 = 1_795_435_200;
pub(crate) const BOTH: Roles = Roles { relay: true, provisioning: true };

pub(crate) fn at(unix_s: i64) -> Now {
    Now { unix_s, mono_ms: 0 }
}

/// Polls until `ready` answers, at most 20 s.
pub(crate) fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{what} did not happen within 20 s");
        std::thread::yield_now();
    }
}

/// A software TPM. Its state directory outlives a power cut.
pub(crate) struct Swtpm {
    pub(crate) state: TempDir,
    child: Option<Child>,
    pub(crate) port: u16,
}

impl Swtpm {
    pub(crate) fn new() -> Self {
        let mut tpm = Self { state: tempfile::tempdir().unwrap(), child: None, port: 0 };
        tpm.power_on();
        tpm
    }

    /// A TPM that has measured a boot of image 1.
    pub(crate) fn booted() -> Self {
        let tpm = Self::new();
        tpm.boot(1);
        tpm
    }

    pub(crate) fn power_on(&mut self) {
        for _ in 0..20 {
            let (port, next) = pair();
            self.port = port;
            let pid_file = self.state.path().join("pid");
            let _ = std::fs::remove_file(&pid_file);
            let mut child = Command::new("swtpm")
                .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"])
                .arg("--tpmstate")
                .arg(format!("dir={}", self.state.path().display()))
                .args(["--server", &format!("type=tcp,port={port},bindaddr=127.0.0.1")])
                .args(["--ctrl", &format!("type=tcp,port={next},bindaddr=127.0.0.1")])
                .arg("--pid")
                .arg(format!("file={}", pid_file.display()))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("swtpm is installed");
            // It writes its number once both ports are its own. Somebody else may have taken one meanwhile: then it
            // ends, and another pair is tried.
            let up = until("swtpm", || {
                if child.try_wait().unwrap().is_some() {
                    return Some(false);
                }
                let written = std::fs::read_to_string(&pid_file).ok()?;
                (written.trim() == child.id().to_string()).then_some(true)
            });
            if up {
                self.child = Some(child);
                return;
            }
        }
        panic!("no free pair of ports for swtpm");
    }

    pub(crate) fn power_off(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Power cut and another boot, of another image or the same.
    pub(crate) fn reboot(&mut self, image: u8) {
        self.power_off();
        self.power_on();
        self.boot(image);
    }

    /// What firmware, boot loader and volume unlocking measure.
    pub(crate) fn boot(&self, image: u8) {
        self.extend(7, [0x77; 32]);
        self.extend(11, [image; 32]);
        self.extend(15, [0x15; 32]);
    }

    pub(crate) fn address(&self) -> TpmAddress {
        TpmAddress::Swtpm { host: "127.0.0.1".into(), port: self.port }
    }

    /// Sends one command while nobody else is connected.
    pub(crate) fn raw(&self, command: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.write_all(command).unwrap();
        read_tpm(&mut stream).unwrap()
    }

    pub(crate) fn extend(&self, pcr: u8, value: [u8; 32]) {
        let answer = self.raw(&extend_command(pcr, value));
        assert_eq!(answer[6..10], [0; 4], "TPM2_PCR_Extend");
    }

    /// Runs one of tpm2-tools against this TPM.
    pub(crate) fn tool(&self, program: &str, args: &[&str]) -> std::process::Output {
        Command::new(program)
            .args(args)
            .env("TPM2TOOLS_TCTI", format!("swtpm:host=127.0.0.1,port={}", self.port))
            .output()
            .expect("tpm2-tools are installed")
    }
}

impl Drop for Swtpm {
    fn drop(&mut self) {
        self.power_off();
    }
}

/// TPM2_PCR_Extend with an empty password (TPM 2.0 Part 3, 22.2).
pub(crate) fn extend_command(pcr: u8, value: [u8; 32]) -> Vec<u8> {
    let mut command = vec![0x80, 0x02, 0, 0, 0, 65, 0, 0, 0x01, 0x82, 0, 0, 0, pcr];
    command.extend([0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0]);
    command.extend([0, 0, 0, 1, 0, 0x0B]);
    command.extend(value);
    command
}

/// Reads one TPM command or response: a tag, a size, the rest.
pub(crate) fn read_tpm(stream: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut message = vec![0; 10];
    stream.read_exact(&mut message)?;
    let len = u32::from_be_bytes(message[2..6].try_into().unwrap()) as usize;
    message.resize(len, 0);
    stream.read_exact(&mut message[10..])?;
    Ok(message)
}

/// Two free ports that follow each other.
fn pair() -> (u16, u16) {
    until("a free pair of ports", || {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
        let port = first.local_addr().ok()?.port();
        let next = port.checked_add(1)?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, next)).ok().map(|_| (port, next))
    })
}

/// PCR 11 after image `n` has measured itself: SHA-256 of 32 zeroes and the measurement.
pub(crate) fn pcr11(image: u8) -> [u8; 32] {
    wardline_keys_protocol::policy::sha256(&[&[0; 32], &[image; 32]])
}

/// A facility and its vendor.
pub(crate) struct World {
    pub(crate) vendor: VendorKey,
    pub(crate) root: FacilityRoot,
    pub(crate) state: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            vendor: VendorKey::generate().unwrap(),
            root: FacilityRoot::generate("St. Example", NOON).unwrap(),
            state: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn keeper(&self, tpm: &Swtpm) -> Keeper {
        Keeper::new(tpm.address(), Store::open(self.keys_dir()).unwrap(), vec![])
    }

    pub(crate) fn keys_dir(&self) -> PathBuf {
        self.state.path().join("state")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.keys_dir().join("keys").join(name)
    }

    /// What the keeper wrote down of this box.
    pub(crate) fn record(&self) -> BoxRecord {
        Store::open(self.keys_dir()).unwrap().read(Blob::Identity).unwrap()
    }

    /// The TPM past the keeper's checks, its sessions salted to this box's storage key.
    pub(crate) fn bare(&self, address: &TpmAddress) -> Tpm {
        let mut tpm = Tpm::open(address).unwrap();
        assert_eq!(tpm.use_storage_key(&self.record().storage_name).unwrap(), StorageKey::Ours);
        tpm
    }

    pub(crate) fn answers(&self) -> Provision {
        Provision {
            vendor_public: self.vendor.public().to_sec1(),
            approval: self.vendor.approve(pcr11(1), 1).unwrap().to_bytes(),
            first_revocation: self.vendor.revoke(0).unwrap().to_bytes(),
            start_over: false,
        }
    }

    /// What this box is called.
    pub(crate) fn facility() -> FacilityNames {
        FacilityNames {
            facility: "St. Example".into(),
            dns_names: vec!["ward.example".into(), "box1.ward.example".into()],
            ip_addrs: vec![[10, 2, 0, 7].into(), "fd00::7".parse().unwrap()],
        }
    }

    /// What its issuing certificate permits.
    pub(crate) fn names() -> Names {
        Names::parse(&["ward.example".into()], &["10.2.0.0/16".into(), "fd00::/8".into()]).unwrap()
    }

    /// Makes keys, then certifies and names them; the keeper is ready.
    pub(crate) fn provision(&self, keeper: &mut Keeper) {
        done(keeper, Request::Provision(Box::new(self.answers())));
        let chain = self.certified(keeper, &Self::names());
        done(keeper, install(Self::facility(), chain));
        assert_eq!(status(keeper).state, KeeperState::Ready);
    }

    /// A chain for this keeper's issuing key.
    pub(crate) fn certified(&self, keeper: &mut Keeper, names: &Names) -> Vec<Vec<u8>> {
        let issuing = self.root.certify(&request(keeper), names, NOON, 5).unwrap();
        vec![issuing, self.root.certificate().to_vec()]
    }

    /// A provisioned box: its TPM and its facility; no keeper holds the TPM.
    pub(crate) fn provisioned() -> (Self, Swtpm) {
        let (world, tpm) = (Self::new(), Swtpm::booted());
        world.provision(&mut world.keeper(&tpm));
        (world, tpm)
    }
}

/// The certification request of a keeper's issuing key.
pub(crate) fn request(keeper: &mut Keeper) -> Vec<u8> {
    match keeper.handle(at(NOON), BOTH, Request::IssuingRequest) {
        Reply::IssuingRequest(request) => request,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn install(names: FacilityNames, chain: Vec<Vec<u8>>) -> Request {
    Request::InstallIssuing { names: Box::new(names), chain }
}

pub(crate) fn done(keeper: &mut Keeper, request: Request) {
    let reply = keeper.handle(at(NOON), BOTH, request);
    assert!(matches!(reply, Reply::Done), "{reply:?}");
}

pub(crate) fn status(keeper: &mut Keeper) -> Status {
    keeper.status(at(NOON))
}

pub(crate) fn database_key(keeper: &mut Keeper) -> Result<[u8; 32], Refusal> {
    match keeper.handle(at(NOON), BOTH, Request::DatabaseKey) {
        Reply::DatabaseKey(key) => Ok(*key.expose()),
        Reply::Refused(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn leaves(keeper: &mut Keeper, unix_s: i64) -> Result<Leaves, Refusal> {
    match keeper.handle(at(unix_s), BOTH, Request::Leaves) {
        Reply::Leaves(leaves) => Ok(*leaves),
        Reply::Refused(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn pin_mac(input: [u8; 32]) -> Request {
    Request::PinMac { person: 1, device: 1, input: PinInput(input) }
}

pub(crate) fn quote(keeper: &mut Keeper, nonce: [u8; 32]) -> Quote {
    match keeper.handle(at(NOON), BOTH, Request::Quote { nonce }) {
        Reply::Quote(quote) => *quote,
        other => panic!("{other:?}"),
    }
}

/// The state that every secret is refused with; also what `status` says.
pub(crate) fn refused(keeper: &mut Keeper) -> KeeperState {
    let Refusal::State(state) = database_key(keeper).expect_err("the database key was handed out") else {
        panic!("refused for another reason");
    };
    // Long enough after the last time for the PIN's rate limit not to speak first.
    static MONO_MS: AtomicU64 = AtomicU64::new(0);
    let now = Now { unix_s: NOON, mono_ms: MONO_MS.fetch_add(60_000, Ordering::Relaxed) };
    for request in [Request::Leaves, pin_mac([1; 32]), Request::Epoch, Request::EpochAdvance] {
        let asked = format!("{request:?}");
        let reply = keeper.handle(now, BOTH, request);
        let Reply::Refused(Refusal::State(other)) = &reply else { panic!("{asked}: {reply:?}") };
        assert_eq!(*other, state, "{asked}");
    }
    assert_eq!(status(keeper).state, state);
    state
}

/// A keeper process, killed on drop.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) socket: PathBuf,
}

impl Process {
    pub(crate) fn start(state: &Path, port: u16, extra: &[&str]) -> Self {
        let socket = state.parent().unwrap().join("socket");
        let _ = std::fs::remove_file(&socket);
        // Kept beside the state for whoever debugs a failed test.
        let child = Command::new(env!("CARGO_BIN_EXE_wardline-keeper"))
            .arg("--tpm")
            .arg(format!("swtpm:host=127.0.0.1,port={port}"))
            .arg("--state")
            .arg(state)
            .arg("--socket")
            .arg(&socket)
            .args(extra)
            .stderr(
                std::fs::File::options().create(true).append(true).open(state.with_extension("log")).unwrap(),
            )
            .spawn()
            .unwrap();
        Self { child, socket }
    }

    /// Started with both roles for this test's user.
    pub(crate) fn for_us(state: &Path, port: u16) -> Self {
        let uid = nix::unistd::getuid().to_string();
        Self::start(
            state,
            port,
            &["--relay-uid", &uid, "--provisioning-uid", &uid, "--allow-unlocked-memory"],
        )
    }

    pub(crate) fn client(&self) -> KeeperClient {
        until("the keeper's socket", || KeeperClient::connect(&self.socket).ok())
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
