//! What the box's other programs read, made of a configuration: texts, and nothing else is made here.
//!
//! One configuration is one set of texts, to the byte. Refuses to escape: no value can hold what a text's syntax uses (see
//! [`crate::bundle::values`] and [`crate::bundle::network`]), and tests with other readers hold it to that. Refuses host names
//! where packets are filtered, and to open a way for a process that the configuration gives none.

mod filter;
mod links;

use std::net::IpAddr;

use crate::bundle::Configuration;
use crate::bundle::configuration::Zones;
use crate::bundle::values::{DnsName, FacilityName, TimeZone};

/// The user number of the process that talks to directory, record and log: there is none yet, and nobody else has it.
pub const GATEWAY_UID: u32 = 875;

/// A file of the box's network settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkFile {
    /// Its name, of lower-case letters, digits, hyphens and one dot.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Everything that a box is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// `relay.env`: `RELAY_OPTIONS` for the relay's unit (systemd.exec(5), EnvironmentFile=).
    pub relay_env: String,
    /// Files for systemd-networkd (systemd.network(5), systemd.netdev(5)).
    pub network: Vec<NetworkFile>,
    /// `named.nft`: what may leave and what comes in by which port, included by `/etc/nftables.conf`.
    pub nftables: String,
    /// `time.sources`: servers for chrony (chrony.conf(5), sourcedir).
    pub chrony: String,
    /// What the keeper's certificates say.
    pub names: Names,
    /// The facility's time zone.
    pub time_zone: TimeZone,
}

/// What the keeper's certificates say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The facility's name.
    pub facility: FacilityName,
    /// DNS names, 1 to 16.
    pub dns_names: Vec<DnsName>,
    /// Addresses, 1 to 16.
    pub addresses: Vec<IpAddr>,
}

/// Makes all texts of a configuration.
#[must_use]
pub fn render(configuration: &Configuration) -> Rendered {
    Rendered {
        relay_env: relay_env(configuration),
        network: links::files(configuration),
        nftables: filter::rules(configuration),
        chrony: chrony(configuration),
        names: Names {
            facility: configuration.facility.clone(),
            dns_names: configuration.dns_names.iter().cloned().collect(),
            addresses: configuration.addresses.iter().map(|address| address.ip()).collect(),
        },
        time_zone: configuration.time_zone.clone(),
    }
}

/// systemd reads the outer quotes when it reads the file, and the inner ones when it cuts the variable into arguments.
fn relay_env(configuration: &Configuration) -> String {
    let mut options = format!(r#"--facility \"{}\""#, configuration.facility);
    for (zone, places) in told_to_relay(&configuration.zones) {
        for range in places.iter().filter_map(|place| configuration.range(place)) {
            options.push_str(&format!(" --zone {zone}={range}"));
        }
    }
    format!("RELAY_OPTIONS=\"{options}\"\n")
}

/// The relay knows no zone of the record's systems: they do not come to it.
fn told_to_relay(
    zones: &Zones,
) -> impl Iterator<Item = (&'static str, &[crate::bundle::configuration::Place])> {
    zones.each().into_iter().filter(|(zone, _)| *zone != "emr")
}

fn chrony(configuration: &Configuration) -> String {
    configuration.time_servers.iter().map(|server| format!("server {server} iburst\n")).collect()
}

#[cfg(test)]
mod tests;
