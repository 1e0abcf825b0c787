//! A box in QEMU: software emulation, firmware with Secure Boot and our own keys, a software TPM.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

use crate::qmp::Qmp;
use crate::stick::Stick;
use crate::test_box::TestBox;

/// The disk that a box is sold with, at the least; the image grows into it at the first boot.
const DISK_BYTES: u64 = 4 << 30;
/// Bytes of one, as the image is made.
const SECTOR: u64 = 512;

/// Where everything is that boots a box.
#[derive(Debug)]
pub struct Tools {
    /// A Debian with QEMU, firmware and swtpm.
    pub tree: PathBuf,
    /// Runs a program in it.
    pub inside: PathBuf,
    /// What `make image` wrote.
    pub image: PathBuf,
    /// The development keys.
    pub keys: PathBuf,
    /// Where boxes are.
    pub work: PathBuf,
    /// Our own commands, for those outside of the box.
    pub programs: PathBuf,
}

impl Tools {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(&self.inside);
        command.args([&self.tree, &self.image, &self.keys, &self.work]).arg("--").arg(program);
        command
    }

    /// Runs a program of the tree to its end.
    pub(crate) fn run(&self, program: &str, args: &[&str]) -> Result<()> {
        let output =
            self.command(program).args(args).output().with_context(|| format!("starting {program}"))?;
        ensure!(
            output.status.success(),
            "{program} failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// PCR 11 of a box that has started, as it was calculated from the image, 64 hexadecimal digits.
    pub fn pcr11(&self) -> Result<String> {
        let path = self.disk_image()?.with_extension("pcr11");
        let values = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let value =
            values.lines().find(|line| line.ends_with(":ready")).and_then(|line| line.split(' ').next());
        Ok(value.context("there is no value for the phase in which the keeper opens its keys")?.to_owned())
    }

    fn disk_image(&self) -> Result<PathBuf> {
        let is_disk = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with("wardline_") && name.ends_with(".raw") && name.matches(".r").count() == 1
        };
        let mut found = fs::read_dir(&self.image)?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        found.find(is_disk).with_context(|| format!("no disk image in {}", self.image.display()))
    }
}

/// What the serial line has said, and who waits for more.
#[derive(Default)]
struct Serial {
    said: Mutex<(Vec<u8>, bool)>,
    more: Condvar,
}

/// A box in QEMU.
pub struct Qemu<'a> {
    tools: &'a Tools,
    directory: PathBuf,
    smbios: Vec<String>,
    qemu: Option<Child>,
    swtpm: Option<Child>,
    serial: Arc<Serial>,
    boots: u32,
    port: u16,
}

impl<'a> Qemu<'a> {
    /// A box as it is sold: the image on its disk, our keys in its firmware, a TPM that has seen nothing.
    pub fn new(tools: &'a Tools, name: &str) -> Result<Self> {
        let directory = tools.work.join(name);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory)?;
        let machine = Self {
            tools,
            directory,
            smbios: Vec::new(),
            qemu: None,
            swtpm: None,
            serial: Arc::default(),
            boots: 0,
            port: free_port()?,
        };
        let status = Command::new("cp")
            .arg("--sparse=always")
            .args([&tools.disk_image()?, &machine.disk()])
            .status()
            .context("copying the image")?;
        ensure!(status.success(), "the image was not copied");
        OpenOptions::new().write(true).open(machine.disk())?.set_len(DISK_BYTES)?;
        machine.enrol_secure_boot_keys()?;
        machine.new_tpm()?;
        Ok(machine)
    }

    /// Where everything of it is.
    pub fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    /// Its disk, raw.
    pub fn disk(&self) -> PathBuf {
        self.directory.join("disk.raw")
    }

    fn text(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    fn enrol_secure_boot_keys(&self) -> Result<()> {
        // Whose key it is, for the firmware's list; any will do.
        const OWNER: &str = "b6d2cd2e-6b6b-4b6e-8b0e-5b5d6f1c0a01";
        let key = |name: &str| self.tools.keys.join(format!("{name}.crt")).display().to_string();
        let (pk, kek, db, out) = (key("PK"), key("KEK"), key("db"), self.text("vars.fd"));
        let from = "/usr/share/OVMF/OVMF_VARS_4M.fd";
        let mut args = vec!["-i", from, "-o", &out, "--set-pk", OWNER, &pk, "--add-kek", OWNER, &kek];
        args.extend(["--add-db", OWNER, &db, "--sb"]);
        self.tools.run("virt-fw-vars", &args)
    }

    fn new_tpm(&self) -> Result<()> {
        let state = self.directory.join("tpm");
        let _ = fs::remove_dir_all(&state);
        fs::create_dir_all(&state)?;
        let state = state.display().to_string();
        let args = ["--tpm2", "--tpm-state", &state, "--pcr-banks", "sha256", "--createek", "--overwrite"];
        self.tools.run("swtpm_setup", &args)
    }

    /// Puts another TPM into it.
    pub fn replace_tpm(&mut self) -> Result<()> {
        ensure!(self.qemu.is_none(), "a TPM is exchanged while the power is off");
        self.new_tpm()
    }

    /// A string of SMBIOS type 11, as whoever holds the board can set one.
    pub fn smbios(&mut self, text: &str) {
        self.smbios.push(text.to_owned());
    }

    /// Takes the boot loader's signature off.
    pub fn replace_boot_loader_with_unsigned(&mut self) -> Result<()> {
        let disk = File::open(self.disk())?;
        let begin = partition(&disk, 0)?.0 * SECTOR;
        let at = format!("{}@@{begin}", self.text("disk.raw"));
        let unsigned = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi";
        self.tools.run("mcopy", &["-o", "-i", &at, unsigned, "::/EFI/BOOT/BOOTX64.EFI"])
    }

    /// Where the root of the first slot begins on the disk, in bytes.
    pub fn root_begin(&self) -> Result<u64> {
        Ok(partition(&File::open(self.disk())?, 1)?.0 * SECTOR)
    }

    /// The row has passed: nothing of the box is kept.
    pub fn discard(mut self) -> Result<()> {
        self.power_cut()?;
        fs::remove_dir_all(&self.directory).context("removing a box that passed")
    }

    fn start_tpm(&mut self) -> Result<()> {
        let socket = self.directory.join("tpm.sock");
        let _ = fs::remove_file(&socket);
        let log = File::create(self.directory.join("swtpm.log"))?;
        let child = self
            .tools
            .command("swtpm")
            .args(["socket", "--tpm2", "--terminate", "--tpmstate"])
            .arg(format!("dir={}", self.text("tpm")))
            .arg("--ctrl")
            .arg(format!("type=unixio,path={}", socket.display()))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("starting swtpm")?;
        self.swtpm = Some(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while !socket.exists() {
            ensure!(Instant::now() < deadline, "swtpm did not open its socket");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Ok(())
    }

    fn arguments(&self) -> Vec<String> {
        let text = |name: &str| self.text(name);
        let mut args: Vec<String> = [
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-machine",
            "q35,smm=on",
            "-accel",
            "tcg,thread=multi,tb-size=1024",
            "-cpu",
            "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+aes,+pclmulqdq,+rdrand",
            "-smp",
            "2",
            "-m",
            "1536",
            "-no-reboot",
            "-global",
            "driver=cfi.pflash01,property=secure,value=on",
            "-device",
            "virtio-rng-pci",
            "-device",
            "qemu-xhci,id=xhci",
            "-device",
            "virtio-net-pci,netdev=n0",
            "-device",
            "virtio-blk-pci,drive=d0,bootindex=1",
            "-tpmdev",
            "emulator,id=tpm0,chardev=chrtpm",
            "-device",
            "tpm-crb,tpmdev=tpm0",
            "-serial",
            "stdio",
        ]
        .map(str::to_owned)
        .to_vec();
        for (flag, value) in [
            (
                "-drive",
                "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
                    .to_owned(),
            ),
            ("-drive", format!("if=pflash,unit=1,format=raw,file={}", text("vars.fd"))),
            (
                "-drive",
                format!(
                    "if=none,id=d0,format=raw,file={},cache=writethrough,discard=unmap",
                    text("disk.raw")
                ),
            ),
            ("-chardev", format!("socket,id=chrtpm,path={}", text("tpm.sock"))),
            ("-netdev", forwarded(self.port)),
            ("-qmp", format!("unix:{},server=on,wait=off", text("qmp.sock"))),
        ] {
            args.extend([flag.to_owned(), value]);
        }
        for string in &self.smbios {
            args.extend(["-smbios".to_owned(), format!("type=11,value={string}")]);
        }
        args
    }
}

impl TestBox for Qemu<'_> {
    fn power_on(&mut self) -> Result<()> {
        self.power_cut()?;
        self.start_tpm()?;
        self.boots += 1;
        self.serial = Arc::default();
        let log = File::create(self.directory.join("qemu.log"))?;
        let mut child = self
            .tools
            .command("qemu-system-x86_64")
            .args(self.arguments())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("starting QEMU")?;
        let mut stdout = child.stdout.take().context("no serial line")?;
        self.qemu = Some(child);
        let serial = Arc::clone(&self.serial);
        let mut kept = File::create(self.directory.join(format!("serial-{}.log", self.boots)))?;
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            loop {
                let read = stdout.read(&mut chunk).unwrap_or(0);
                let _ = kept.write_all(&chunk[..read]);
                let Ok(mut said) = serial.said.lock() else { return };
                said.0.extend_from_slice(&chunk[..read]);
                said.1 = read == 0;
                serial.more.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        Ok(())
    }

    fn power_cut(&mut self) -> Result<()> {
        for child in [self.qemu.take(), self.swtpm.take()].into_iter().flatten() {
            end(child)?;
        }
        Ok(())
    }

    fn await_line(&mut self, wanted: &str, within: Duration) -> Result<String> {
        let deadline = Instant::now() + within;
        let poisoned = |_| anyhow::anyhow!("the thread that reads the serial line has failed");
        let mut said = self.serial.said.lock().map_err(poisoned)?;
        loop {
            let text = String::from_utf8_lossy(&said.0);
            if let Some(line) = text.lines().find(|line| line.contains(wanted)) {
                return Ok(line.to_owned());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if said.1 || left.is_zero() {
                let tail: Vec<&str> = text.lines().rev().take(12).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                let why = if said.1 { "the box went off" } else { "too late" };
                bail!("{why} before it said {wanted:?}; its last lines:\n{}", tail.join("\n"));
            }
            said = self
                .serial
                .more
                .wait_timeout(said, left)
                .map_err(|_| anyhow::anyhow!("the serial line's reader has failed"))?
                .0;
        }
    }

    fn plug(&mut self, stick: &Stick) -> Result<()> {
        let mut qmp = Qmp::connect(&self.directory.join("qmp.sock"))?;
        let file = json!({ "driver": "file", "filename": stick.path() });
        qmp.ask("blockdev-add", &json!({ "driver": "raw", "node-name": "stick", "file": file }))?;
        let device = json!({ "driver": "usb-storage", "id": "stick", "bus": "xhci.0", "drive": "stick", "removable": true });
        qmp.ask("device_add", &device).map(|_| ())
    }

    fn unplug(&mut self) -> Result<()> {
        let mut qmp = Qmp::connect(&self.directory.join("qmp.sock"))?;
        qmp.ask("device_del", &json!({ "id": "stick" }))?;
        qmp.await_event("DEVICE_DELETED", "stick")?;
        qmp.ask("blockdev-del", &json!({ "node-name": "stick" })).map(|_| ())
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn said(&self) -> String {
        self.serial.said.lock().map(|said| String::from_utf8_lossy(&said.0).into_owned()).unwrap_or_default()
    }
}

impl Drop for Qemu<'_> {
    fn drop(&mut self) {
        let _ = self.power_cut();
    }
}

/// A port that nobody has now, for TCP; UDP's is taken to be free as well.
fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn forwarded(port: u16) -> String {
    format!("user,id=n0,hostfwd=tcp:127.0.0.1:{port}-:443,hostfwd=udp:127.0.0.1:{port}-:443")
}

fn end(mut child: Child) -> Result<()> {
    let _ = child.kill();
    child.wait().context("waiting for a process that was killed")?;
    Ok(())
}

/// First and last sector of an entry of the GUID partition table (UEFI 2.10, 5.3.3; entries from sector 2, 128 bytes each).
fn partition(disk: &File, index: u64) -> Result<(u64, u64)> {
    let mut entry = [0; 128];
    disk.read_exact_at(&mut entry, 2 * SECTOR + index * 128)?;
    let number = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&entry[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    let (first, last) = (number(32), number(40));
    ensure!(first > 0 && last >= first, "partition {index} is not there");
    Ok((first, last))
}
