//! The packet filter's part: one rule and one counter for each destination, and which addresses a port may bring.
//!
//! Included behind the table of `/etc/nftables.conf`, which drops whatever no rule lets through and jumps to these two chains.
//! A rule names the user whose process may send: the relay has none, so it can answer and originate nothing.

use core::fmt::Write as _;
use std::net::IpAddr;

use super::GATEWAY_UID;
use crate::bundle::Configuration;
use crate::bundle::configuration::Addressing;
use crate::bundle::network::HostAddress;

/// Which user's process sends.
enum Who {
    /// Debian's user of chrony.
    Time,
    /// [`GATEWAY_UID`].
    Gateway,
}

pub(super) fn rules(configuration: &Configuration) -> String {
    let mut ways = Ways::default();
    for (at, server) in configuration.dns_servers.iter().enumerate() {
        let name = format!("to_dns_{}", at + 1);
        ways.open(&name, &Who::Gateway, *server, "udp", 53);
        ways.also(&name, &Who::Gateway, *server, "tcp", 53);
    }
    for (at, server) in configuration.time_servers.iter().enumerate() {
        ways.open(&format!("to_time_{}", at + 1), &Who::Time, *server, "udp", 123);
    }
    let named = [
        ("to_syslog", configuration.syslog),
        ("to_directory", configuration.directory),
        ("to_emr", configuration.emr),
    ];
    for (name, destination) in named {
        if let Some(destination) = destination {
            ways.open(name, &Who::Gateway, destination.host, "tcp", destination.port.get());
        }
    }
    let by_hand = matches!(configuration.addressing, Addressing::Fixed { .. });
    let dhcp = if by_hand { "        udp dport { 67, 547 } counter name dropped_out drop\n" } else { "" };
    format!(
        "# Made of the signed configuration. What is not named here does not leave the box.\n\
         table inet wardline {{\n{counters}\n    chain named {{\n{dhcp}{rules}    }}\n\n    chain origins {{\n{origins}    }}\n}}\n",
        counters = ways.counters,
        rules = ways.rules,
        origins = origins(configuration),
    )
}

#[derive(Default)]
struct Ways {
    counters: String,
    rules: String,
}

impl Ways {
    fn open(&mut self, name: &str, who: &Who, to: HostAddress, protocol: &str, port: u16) {
        let _ = writeln!(self.counters, "    counter {name} {{ }}");
        self.also(name, who, to, protocol, port);
    }

    fn also(&mut self, name: &str, who: &Who, to: HostAddress, protocol: &str, port: u16) {
        let user = match who {
            Who::Time => "_chrony".to_string(),
            Who::Gateway => GATEWAY_UID.to_string(),
        };
        let family = family(to.ip());
        let _ = writeln!(
            self.rules,
            "        meta skuid {user} {family} daddr {to} {protocol} dport {port} counter name {name} accept"
        );
    }
}

/// A further port brings addresses of its own network, and no other port brings those.
fn origins(configuration: &Configuration) -> String {
    let mut rules = String::new();
    for port in configuration.ports.iter() {
        let (name, network) = (&port.name, port.address.network());
        let family = family(network.address());
        let other = if network.address().is_ipv4() { "ipv6" } else { "ipv4" };
        let dropped = "counter name dropped_in drop";
        let _ = writeln!(rules, "        iifname \"{name}\" meta nfproto {other} {dropped}");
        let _ = writeln!(rules, "        iifname \"{name}\" {family} saddr != {network} {dropped}");
        let _ = writeln!(rules, "        iifname != \"{name}\" {family} saddr {network} {dropped}");
    }
    rules
}

fn family(ip: IpAddr) -> &'static str {
    if ip.is_ipv4() { "ip" } else { "ip6" }
}
