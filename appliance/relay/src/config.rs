//! What the relay is told at start: parsed once, passed down. Secrets never come this way.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use clap::Parser;
use thiserror::Error;
use wardline_core::input::Zone;
use wardline_core::policy::Policy;

/// The relay of a Wardline box: answers clinicians' devices over QUIC, keeps what they say in an encrypted store.
#[derive(Clone, Debug, Parser)]
#[command(name = "wardline-relay", version)]
pub struct Config {
    /// Where devices reach it, over UDP.
    #[arg(long, default_value = "0.0.0.0:443", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// Where the store lives: a directory on the state volume.
    #[arg(long, default_value = "/var/lib/wardline/relay", value_name = "DIRECTORY")]
    pub data: PathBuf,
    /// The keeper's socket.
    #[arg(long, default_value = "/run/wardline/keeper.sock", value_name = "SOCKET")]
    pub keeper: PathBuf,
    /// The socket of `wardline-bell`, which rings closed apps through push services; none: this box has no bell.
    #[arg(long, value_name = "SOCKET")]
    pub bell: Option<PathBuf>,
    /// The socket for this box's own services and its administrator at the console.
    #[arg(long, default_value = "/run/wardline/relay.sock", value_name = "SOCKET")]
    pub local: PathBuf,
    /// A user (number) that may use that socket; the relay's own when none is given.
    #[arg(long, value_name = "UID")]
    pub local_user: Vec<u32>,
    /// The socket that serves metrics for Prometheus.
    #[arg(long, default_value = "/run/wardline/metrics.sock", value_name = "SOCKET")]
    pub metrics: PathBuf,
    /// Which addresses are which network: admin=10.0.9.0/24, guest=10.0.8.0/24. All others are the ward.
    #[arg(long, value_name = "ZONE=NETWORK")]
    pub zone: Vec<ZoneRule>,
    /// The facility's name, shown to devices before they sign in.
    #[arg(long, default_value = "Wardline", value_name = "NAME")]
    pub facility: String,
    /// Seconds after which an unused session locks.
    #[arg(long, default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(10..=86_400))]
    pub idle_lock: u64,
    /// Hours after which a session asks for the PIN in any case.
    #[arg(long, default_value_t = 12, value_name = "HOURS", value_parser = clap::value_parser!(u64).range(1..=24))]
    pub session: u64,
    /// Hours that a join code lives.
    #[arg(long, default_value_t = 24, value_name = "HOURS", value_parser = clap::value_parser!(u64).range(1..=168))]
    pub join_code: u64,
    /// Days after which a message goes when all have read it, until `wardline admin retention` says otherwise; unread ones after twice
    /// as long.
    #[arg(long, default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=3_650))]
    pub retention: u64,
    /// Hours after a discharge that the patient's thread still takes messages.
    #[arg(long, default_value_t = 24, value_name = "HOURS", value_parser = clap::value_parser!(u64).range(1..=168))]
    pub thread_grace: u64,
    /// The hour, in UTC, of the daily look at the whole store.
    #[arg(long, default_value_t = 3, value_name = "HOUR", value_parser = clap::value_parser!(u64).range(0..=23))]
    pub check_hour: u64,
    /// Handshakes a second that one address may begin.
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    pub source_rate: u32,
    /// Handshakes that one address may begin at once: a whole ward behind one access controller.
    #[arg(long, default_value_t = 2_500, value_name = "COUNT")]
    pub source_burst: u32,
    /// What to log: "info", "wardline_relay=debug".
    #[arg(long, default_value = "info", value_name = "FILTER")]
    pub log: String,
}

impl Config {
    /// The core's part of it, with SHA-256 of the facility root, which the keeper's certificates say.
    pub fn policy(&self, facility_root: [u8; 32]) -> Policy {
        Policy {
            facility: self.facility.clone(),
            facility_root,
            idle_lock_ms: self.idle_lock * 1_000,
            session_ms: self.session * 3_600_000,
            join_code_ms: self.join_code * 3_600_000,
            retention_ms: self.retention * 86_400_000,
            thread_grace_ms: self.thread_grace * 3_600_000,
        }
    }

    /// Who may use the local socket.
    pub fn local_users(&self) -> BTreeSet<u32> {
        if self.local_user.is_empty() {
            return BTreeSet::from([nix::unistd::geteuid().as_raw()]);
        }
        self.local_user.iter().copied().collect()
    }
}

/// One line of the zone table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneRule {
    zone: Zone,
    network: IpAddr,
    prefix: u8,
}

/// Why a `--zone` was not understood.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ZoneRuleError {
    /// No such zone.
    #[error("a zone is ward, guest or admin, as in admin=10.0.9.0/24")]
    Zone,
    /// Not an address range.
    #[error("a network is an address and a prefix length, as in admin=10.0.9.0/24")]
    Network,
    /// Bits set behind the prefix: probably a host's address where a network's was meant.
    #[error(
        "the address has bits set behind its prefix length: write the network's own address, as in 10.0.9.0/24"
    )]
    HostBits,
}

impl FromStr for ZoneRule {
    type Err = ZoneRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (zone, network) = text.split_once('=').ok_or(ZoneRuleError::Zone)?;
        let zone = match zone {
            "ward" => Zone::Ward,
            "guest" => Zone::Guest,
            "admin" => Zone::Admin,
            _ => return Err(ZoneRuleError::Zone),
        };
        let (address, prefix) = network.split_once('/').ok_or(ZoneRuleError::Network)?;
        let network: IpAddr = address.parse().map_err(|_| ZoneRuleError::Network)?;
        let prefix: u8 = prefix.parse().map_err(|_| ZoneRuleError::Network)?;
        if u32::from(prefix) > width(network) {
            return Err(ZoneRuleError::Network);
        }
        if masked(network, prefix) != bits(network) {
            return Err(ZoneRuleError::HostBits);
        }
        Ok(Self { zone, network, prefix })
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn masked(address: IpAddr, prefix: u8) -> u128 {
    let host = width(address) - u32::from(prefix);
    bits(address).checked_shr(host).and_then(|kept| kept.checked_shl(host)).unwrap_or(0)
}

/// The zone table: the longest matching prefix wins, the ward is everything else.
#[derive(Debug)]
pub struct Zones(Vec<ZoneRule>);

impl Zones {
    /// Out of the configuration's rules.
    pub fn new(mut rules: Vec<ZoneRule>) -> Self {
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.prefix));
        Self(rules)
    }

    /// Where this address is.
    pub fn of(&self, address: IpAddr) -> Zone {
        let address = address.to_canonical();
        let matches = |rule: &&ZoneRule| {
            rule.network.is_ipv4() == address.is_ipv4() && masked(address, rule.prefix) == bits(rule.network)
        };
        self.0.iter().find(matches).map_or(Zone::Ward, |rule| rule.zone)
    }
}

/// Of two zones the one that allows less.
pub fn least(one: Zone, other: Zone) -> Zone {
    match (one, other) {
        (Zone::Guest, _) | (_, Zone::Guest) => Zone::Guest,
        (Zone::Ward, _) | (_, Zone::Ward) => Zone::Ward,
        (Zone::Admin, Zone::Admin) => Zone::Admin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins() {
        let rules = ["guest=10.0.0.0/8", "admin=10.0.9.0/24", "admin=::1/128"];
        let zones = Zones::new(rules.iter().map(|rule| rule.parse().unwrap()).collect());
        assert_eq!(zones.of("10.0.9.7".parse().unwrap()), Zone::Admin);
        assert_eq!(zones.of("10.1.9.7".parse().unwrap()), Zone::Guest);
        assert_eq!(zones.of("192.168.1.1".parse().unwrap()), Zone::Ward);
        assert_eq!(zones.of("::1".parse().unwrap()), Zone::Admin);
        assert_eq!(zones.of("::ffff:10.0.9.7".parse().unwrap()), Zone::Admin);
    }

    #[test]
    fn a_rule_that_means_something_else_is_refused() {
        assert_eq!("staff=10.0.0.0/8".parse::<ZoneRule>(), Err(ZoneRuleError::Zone));
        assert_eq!("admin=10.0.0.0".parse::<ZoneRule>(), Err(ZoneRuleError::Network));
        assert_eq!("admin=10.0.0.0/33".parse::<ZoneRule>(), Err(ZoneRuleError::Network));
        assert_eq!("admin=10.0.9.7/24".parse::<ZoneRule>(), Err(ZoneRuleError::HostBits));
    }
}
