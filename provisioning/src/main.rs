//! `wardline-provision`: what IT does on a laptop, away from the box.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use sd_notify::NotifyState;
use wardline_provisioning::console::{self, Places};
use wardline_provisioning::root::ISSUING_YEARS;
use wardline_provisioning::{FacilityRoot, Names, VendorKey};

/// Makes the facility's root key and certifies Wardline boxes with it. Works offline; sends nothing anywhere.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the facility's root: once for a facility, on a computer that is offline.
    ///
    /// Writes the key and the certificate into a directory and prints the certificate's SHA-256, which join links and
    /// printed cards carry. Whoever has the key file can impersonate every box of the facility: keep the directory on
    /// a stick in a safe, and a copy in another safe.
    Init {
        /// The facility's name, as people see it in certificates.
        #[arg(long)]
        facility: String,
        /// Directory for the two files; made if it is not there.
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

#[derive(Debug, Clone, Copy)]
struct Digest([u8; 32]);

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Init { facility, dir } => {
            if facility.is_empty()
                || facility.len() > wardline_keys_protocol::message::FACILITY_NAME_BYTES_MAX
            {
                bail!("the facility's name must have 1 to 64 bytes");
            }
            let root = FacilityRoot::generate(&facility, now()?)?;
            root.save(&dir)?;
            say(&format!("The facility root is in {}. Keep that directory offline.", dir.display()));
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
        Command::Console { keeper, relay, configuration, state, terminals } => {
            let places = Places { keeper, relay, configuration, state, terminals };
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
