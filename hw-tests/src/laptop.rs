//! The laptop of whoever sets the box up, and the phones of those who use it: our own commands, run outside of the box.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD, Engine as _};

/// What the box is called here.
pub const NAME: &str = "box.ansgar.example";

/// A directory on the laptop, with the facility's keys.
pub struct Laptop {
    programs: PathBuf,
    directory: PathBuf,
    root: String,
}

impl Laptop {
    /// Makes the facility's keys.
    pub fn new(programs: &Path, directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let mut laptop = Self { programs: programs.into(), directory: directory.into(), root: String::new() };
        let facility = laptop.text("facility");
        let said = laptop
            .run("wardline-provision", &["init", "--facility", "Ansgar Hospital", "--dir", &facility])?;
        let root = said.lines().find_map(|line| line.strip_prefix("SHA-256 of its certificate: "));
        laptop.root = for_links(root.context("init does not say the root's SHA-256")?.trim())?;
        Ok(laptop)
    }

    fn text(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    /// Turns a request into a configuration, as somebody would who read the words off the screen.
    pub fn configure(&self, request: &[u8], words: &str) -> Result<Vec<u8>> {
        let (from, to) = (self.text("REQUEST.WLB"), self.text("CONFIG.WLB"));
        fs::write(&from, request)?;
        let facility = self.text("facility");
        // QEMU's own network: the box has 10.0.2.15, and whoever comes from outside 10.0.2.2.
        let args = [
            "configure",
            "--request",
            &from,
            "--facility",
            &facility,
            "--out",
            &to,
            "--words",
            words,
            "--name",
            NAME,
            "--address",
            "dhcp 10.0.2.15/24",
            "--dns",
            "none",
            "--time",
            "none",
            "--time-zone",
            "Europe/Berlin",
            "--admin",
            "10.0.2.0/24",
            "--zones",
            "none",
            "--destinations",
            "none",
            "--yes",
        ];
        self.run("wardline-provision", &args)?;
        fs::read(&to).context("reading the configuration")
    }

    /// Judges a receipt.
    pub fn verify(&self, receipt: &[u8]) -> Result<String> {
        let from = self.text("RECEIPT.WLB");
        fs::write(&from, receipt)?;
        self.run("wardline-provision", &["verify", "--receipt", &from, "--facility", &self.text("facility")])
    }

    /// Somebody joins with a code, at this port of this machine.
    pub fn join(&self, who: &str, code: &str, port: u16) -> Result<()> {
        let pin = self.directory.join("pin");
        fs::write(&pin, "739154\n")?;
        fs::set_permissions(&pin, fs::Permissions::from_mode(0o600))?;
        let link = format!("wardline://127.0.0.1:{port}/join?code={code}&root={}&name={NAME}", self.root);
        self.phone(
            who,
            &["join", &link, "--pin-file", &pin.display().to_string(), "--device-name", "a phone"],
        )?;
        Ok(())
    }

    /// One of the terminal client's commands, by somebody who has joined.
    pub fn phone(&self, who: &str, args: &[&str]) -> Result<String> {
        let profile = self.text(&format!("phone-{who}"));
        let all: Vec<&str> = ["--profile", &profile].into_iter().chain(args.iter().copied()).collect();
        self.run("wardline", &all)
    }

    fn run(&self, program: &str, args: &[&str]) -> Result<String> {
        let output = Command::new(self.programs.join(program))
            .args(args)
            .env("NO_COLOR", "1")
            .stdin(std::process::Stdio::null())
            .output()
            .with_context(|| format!("starting {program}"))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "{program} {} failed: {said}{}",
            args.first().unwrap_or(&""),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(said)
    }
}

/// Join links have the hash in base 64 (RFC 4648, 5).
fn for_links(hex: &str) -> Result<String> {
    let digits: Option<Vec<u8>> =
        (0..32).map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()).collect();
    Ok(URL_SAFE_NO_PAD.encode(digits.context("the root's SHA-256 has 64 digits")?))
}
