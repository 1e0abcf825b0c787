//! `wardline-provision`: what IT does on a laptop, away from the box.

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use sd_notify::NotifyState;
use wardline_provisioning::bundle::Blob;
use wardline_provisioning::bundle::secrets::SECRET_MAX;
use wardline_provisioning::bundle::values::{FacilityName, SecretName};
use wardline_provisioning::chip::Chip;
use wardline_provisioning::commands::{self, Order};
use wardline_provisioning::console::{self, Places};
use wardline_provisioning::desk::{Desk, Extras};
use wardline_provisioning::root::ISSUING_YEARS;
use wardline_provisioning::signer::{ConfigurationKey, LibraryFailed, SIGNER_KEY_FILE};
use wardline_provisioning::terminal::Terminal;
use wardline_provisioning::{FacilityRoot, Names, VendorKey};
use zeroize::Zeroizing;

/// Makes the facility's root key and certifies Wardline boxes with it. Works offline; sends nothing anywhere.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the facility's two keys: once for a facility, on a computer that is offline.
    ///
    /// Writes the root (key and certificate) and the key that signs configurations into a directory, and prints the
    /// certificate's SHA-256, which join links and printed cards carry. Whoever has the root's key can impersonate every
    /// box of the facility, whoever has the other can tell them what to do: keep the directory on a stick in a safe, and
    /// a copy in another safe.
    Init {
        /// The facility's name, as people see it in certificates.
        #[arg(long)]
        facility: String,
        /// Directory for the files; made if it is not there.
        #[arg(long)]
        dir: PathBuf,
    },
    /// Certify a box: turn its request into the certificate that lets it serve under the facility's root.
    Certify {
        /// Directory that `init` wrote.
        #[arg(long)]
        dir: PathBuf,
        /// The request that the box wrote (DER).
        #[arg(long)]
        request: PathBuf,
        /// Where to write the certificate (DER).
        #[arg(long)]
        out: PathBuf,
        /// DNS name that the box may use, with everything below it. May be given more than once.
        #[arg(long = "dns", required = true)]
        dns: Vec<String>,
        /// IP range that the box may use, like 10.2.0.0/16. May be given more than once.
        #[arg(long = "ip", required = true)]
        ip_ranges: Vec<String>,
        /// Years until it must be certified again.
        #[arg(long, default_value_t = ISSUING_YEARS, value_parser = clap::value_parser!(i64).range(1..=20))]
        years: i64,
    },
    /// Configure a box: turn its request into the file that it waits for.
    ///
    /// Shows the eight words to compare with the box's screen, asks eight questions, shows what changes, and writes one
    /// signed file for the stick. Every answer may be given as an option instead; what is not given is asked for, and where
    /// nobody is there to be asked, an earlier configuration of this box answers.
    Configure(Box<Configure>),
    /// Check the box's receipt, offline, and say what it proves.
    Verify {
        /// The receipt that the box wrote.
        #[arg(long, value_name = "RECEIPT.WLB")]
        receipt: PathBuf,
        /// Directory that `init` wrote.
        #[arg(long, value_name = "DIRECTORY")]
        facility: PathBuf,
    },
    /// On the box only: say its state on screen and serial line, until it is switched off.
    Console {
        /// The keeper's socket.
        #[arg(long, default_value = "/run/wardline-keeper/socket")]
        keeper: PathBuf,
        /// The relay's metrics socket.
        #[arg(long, default_value = "/run/wardline/metrics.sock")]
        relay: PathBuf,
        /// The configuration in force.
        #[arg(long, default_value = "/var/lib/wardline-apply/current")]
        configuration: PathBuf,
        /// What `wardline-apply` has to show.
        #[arg(long, default_value = "/run/wardline-apply/said")]
        said: PathBuf,
        /// A directory on the state volume.
        #[arg(long, default_value = "/var")]
        state: PathBuf,
        /// Terminal to write to. May be given more than once.
        #[arg(long = "terminal", required = true)]
        terminals: Vec<PathBuf>,
    },
    /// Development only: approve an image, as the vendor does for a release.
    Approve {
        /// The vendor's key file; made if it is not there.
        #[arg(long)]
        vendor_key: PathBuf,
        /// PCR 11 of the image, 64 hexadecimal digits (the keeper's status shows it).
        #[arg(long, value_parser = parse_digest)]
        pcr11: Digest,
        /// REVOKE bits that end this approval, at least one.
        #[arg(long, default_value_t = 1)]
        mask: u64,
        /// Where to write the approval.
        #[arg(long)]
        out: PathBuf,
    },
    /// Development only: make a revocation ticket, as the vendor does after a release that must not start again.
    Revoke {
        /// The vendor's key file.
        #[arg(long)]
        vendor_key: PathBuf,
        /// The REVOKE bits to set; 0 makes the ticket that provisioning a box needs.
        #[arg(long)]
        bits: u64,
        /// Where to write the ticket.
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Configure {
    /// The request that the box wrote.
    #[arg(long, value_name = "REQUEST.WLB")]
    request: PathBuf,
    /// Directory that `init` wrote.
    #[arg(long, value_name = "DIRECTORY")]
    facility: PathBuf,
    /// Where to write the configuration. Another bundle there is replaced, any other file is not.
    #[arg(long, value_name = "CONFIG.WLB")]
    out: PathBuf,
    /// 1. DNS names, with blanks between.
    #[arg(long)]
    name: Option<String>,
    /// 2. Address and gateway, as in "10.2.0.5/16 via 10.2.0.1"; or "dhcp 10.2.0.5/16".
    #[arg(long)]
    address: Option<String>,
    /// 3. Name servers, or "none".
    #[arg(long)]
    dns: Option<String>,
    /// 4. Time servers, or "none".
    #[arg(long)]
    time: Option<String>,
    /// 5. Time zone, as in America/Chicago.
    #[arg(long)]
    time_zone: Option<String>,
    /// 6. Networks of administration: "10.2.9.0/24", or "vlan30=10.3.0.5/24" with the box's own address.
    #[arg(long)]
    admin: Option<String>,
    /// 7. Other zones, as in "guest=10.2.8.0/24 emr=10.2.7.0/24", or "none".
    #[arg(long)]
    zones: Option<String>,
    /// 8. What it may reach, as in "syslog=10.2.0.7:6514 directory=10.2.0.8:636", or "none".
    #[arg(long)]
    destinations: Option<String>,
    /// The eight words on the box's screen, in place of being asked whether they are the same.
    #[arg(long)]
    words: Option<String>,
    /// A vendor's approval of an image. May be given more than once.
    #[arg(long = "approval", value_name = "FILE")]
    approvals: Vec<PathBuf>,
    /// A vendor's revocation ticket. May be given more than once.
    #[arg(long = "ticket", value_name = "FILE")]
    tickets: Vec<PathBuf>,
    /// A secret that only this box can read, as in directory-password=FILE. May be given more than once.
    #[arg(long = "secret", value_name = "NAME=FILE")]
    secrets: Vec<String>,
    /// Years until the box's certificate ends.
    #[arg(long, default_value_t = ISSUING_YEARS, value_parser = clap::value_parser!(i64).range(1..=20))]
    years: i64,
    /// Show what would change, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write without asking.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy)]
struct Digest([u8; 32]);

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Init { facility, dir } => {
            let facility: FacilityName = facility.parse()?;
            let root = FacilityRoot::generate(facility.as_str(), now()?)?;
            let signer = ConfigurationKey::generate()?;
            let key = dir.join(SIGNER_KEY_FILE);
            if key.exists() {
                bail!("{} is already there: choose another directory", key.display());
            }
            root.save(&dir)?;
            signer.save(&dir)?;
            say(&format!("The facility's two keys are in {}. Keep that directory offline.", dir.display()));
            say(&format!("SHA-256 of its certificate: {}", hex(&root.sha256())));
        }
        Command::Certify { dir, request, out, dns, ip_ranges, years } => {
            let root = FacilityRoot::load(&dir)?;
            let names = Names::parse(&dns, &ip_ranges)?;
            let request =
                std::fs::read(&request).with_context(|| format!("reading {}", request.display()))?;
            let certificate = root.certify(&request, &names, now()?, years)?;
            write(&out, &certificate)?;
            say(&format!(
                "The key that was certified has the SHA-256 {}.",
                hex(&FacilityRoot::fingerprint(&request)?)
            ));
            say(
                "Compare it with the fingerprint in the log of the box's keeper: a request may be exchanged on its way.",
            );
            say(&format!(
                "Written: {}. Install it on the box together with the root's certificate.",
                out.display()
            ));
        }
        Command::Configure(order) => configure(*order)?,
        Command::Verify { receipt, facility } => {
            let desk = Desk::new(&facility, Chip);
            at_terminal(|terminal| Ok(commands::verify(&desk, &receipt, terminal)?))?;
        }
        Command::Console { keeper, relay, configuration, said, state, terminals } => {
            let places = Places { keeper, relay, configuration, said, state, terminals };
            let _ = sd_notify::notify(&[NotifyState::Ready]);
            console::watch(&places, |state| {
                let status = state.to_string();
                let _ = sd_notify::notify(&[NotifyState::Status(&status), NotifyState::Watchdog]);
            });
        }
        Command::Approve { vendor_key, pcr11, mask, out } => {
            let vendor = if vendor_key.exists() {
                VendorKey::load(&vendor_key)?
            } else {
                let vendor = VendorKey::generate()?;
                vendor.save(&vendor_key)?;
                vendor
            };
            write(&out, &vendor.approve(pcr11.0, mask)?.to_bytes())?;
            say(&format!("Written: {}", out.display()));
        }
        Command::Revoke { vendor_key, bits, out } => {
            write(&out, &VendorKey::load(&vendor_key)?.revoke(bits)?.to_bytes())?;
            say(&format!("Written: {}", out.display()));
        }
    }
    Ok(())
}

fn configure(order: Configure) -> anyhow::Result<()> {
    let paper = |path: &PathBuf| {
        let bytes = read_short(path, 2 * wardline_keys_protocol::approval::BYTES_MAX)?;
        Blob::new(bytes).with_context(|| format!("{} is too long for what the vendor signs", path.display()))
    };
    let extras = Extras {
        approvals: order.approvals.iter().map(paper).collect::<anyhow::Result<_>>()?,
        tickets: order.tickets.iter().map(paper).collect::<anyhow::Result<_>>()?,
        secrets: order.secrets.iter().map(|given| secret(given)).collect::<anyhow::Result<_>>()?,
    };
    let Configure { name, address, dns, time, time_zone, admin, zones, destinations, .. } = order;
    let desk = Desk::new(&order.facility, Chip);
    let wanted = Order {
        request: &order.request,
        out: &order.out,
        given: [name, address, dns, time, time_zone, admin, zones, destinations],
        words: order.words,
        extras,
        years: order.years,
        dry_run: order.dry_run,
        yes: order.yes,
        is_attended: std::io::stdin().is_terminal(),
    };
    let now = now()?;
    at_terminal(|terminal| {
        let mut chance = |bytes: &mut [u8]| aws_lc_rs::rand::fill(bytes).map_err(|_| LibraryFailed);
        commands::configure(&desk, &wanted, terminal, now, &mut chance)?;
        Ok(())
    })
}

/// `NAME=FILE`; a line end behind the secret is an editor's, not its own.
fn secret(given: &str) -> anyhow::Result<(SecretName, Zeroizing<Vec<u8>>)> {
    let (name, path) =
        given.split_once('=').context("a secret is given as NAME=FILE, like directory-password=FILE")?;
    let name: SecretName = name.parse()?;
    let mut bytes = Zeroizing::new(read_short(Path::new(path), SECRET_MAX + 2)?);
    while bytes.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
        bytes.pop();
    }
    Ok((name, bytes))
}

fn read_short(path: &Path, max: usize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(max + 1);
    std::fs::File::open(path)
        .and_then(|file| file.take(max as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("reading {}", path.display()))?;
    if bytes.len() > max {
        bail!("{} is longer than {max} bytes, so it is not what it should be", path.display());
    }
    Ok(bytes)
}

/// Colour where a person looks and has not asked for none (no-color.org).
fn at_terminal(act: impl FnOnce(&mut Terminal<'_>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = output.is_terminal() && !no_colour;
    act(&mut Terminal::new(&mut input, &mut output, colour))
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}

#[allow(clippy::print_stdout, reason = "this is what the command is for")]
fn say(line: &str) {
    println!("{line}");
}

fn now() -> anyhow::Result<i64> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("this computer's clock is before 1970: set it")?;
    Ok(i64::try_from(since.as_secs())?)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse_digest(text: &str) -> Result<Digest, &'static str> {
    let error = "not 64 hexadecimal digits";
    if text.len() != 64 || !text.is_ascii() {
        return Err(error);
    }
    let mut out = [0; 32];
    for (i, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| error)?;
    }
    Ok(Digest(out))
}
