//! Network settings: one file for the first port, one or two for each further one.

use core::fmt::Write as _;

use super::NetworkFile;
use crate::bundle::Configuration;
use crate::bundle::configuration::{Addressing, Port};
use crate::bundle::network::{HostInNetwork, PortName};

/// What no port does: it says nothing of itself that nobody asked, and takes no address and no way from whoever offers one.
const QUIET: &str = "IPv6AcceptRA=no\nLLDP=no\nEmitLLDP=no\n";

/// Before the file that holds while there is no configuration (`80-wardline.network`); further ports before the first one,
/// which would take any card.
pub(super) fn files(configuration: &Configuration) -> Vec<NetworkFile> {
    let further = configuration.ports.iter().flat_map(further);
    further.chain([first(configuration)]).collect()
}

fn first(configuration: &Configuration) -> NetworkFile {
    let mut text = String::from("[Match]\nType=ether\n\n[Network]\n");
    match &configuration.addressing {
        Addressing::Dhcp { .. } => text.push_str("DHCP=ipv4\n"),
        Addressing::Fixed { address, gateway } => {
            let _ = writeln!(text, "DHCP=no\nAddress={address}");
            if let Some(gateway) = gateway {
                let _ = writeln!(text, "Gateway={gateway}");
            }
        }
    }
    let _ = writeln!(text, "{}", link_local(configuration.addressing.address()));
    for server in configuration.dns_servers.iter() {
        let _ = writeln!(text, "DNS={server}");
    }
    for port in configuration.ports.iter() {
        if let PortName::Vlan(_) = port.name {
            let _ = writeln!(text, "VLAN={}", port.name);
        }
    }
    text.push_str(QUIET);
    if matches!(configuration.addressing, Addressing::Dhcp { .. }) {
        // Names and time come from the configuration, which is signed, and not from whoever answers first.
        text.push_str("\n[DHCPv4]\nUseDNS=no\nUseNTP=no\nUseHostname=no\nSendHostname=no\n");
    }
    NetworkFile { name: "70-wardline.network".into(), text }
}

fn further(port: &Port) -> Vec<NetworkFile> {
    let Port { name, address } = port;
    let mut files = Vec::with_capacity(2);
    if let PortName::Vlan(id) = name {
        files.push(NetworkFile {
            name: format!("60-wardline-{name}.netdev"),
            text: format!("[NetDev]\nName={name}\nKind=vlan\n\n[VLAN]\nId={}\n", id.number()),
        });
    }
    files.push(NetworkFile {
        name: format!("60-wardline-{name}.network"),
        text: format!(
            "[Match]\nName={name}\n\n[Network]\nDHCP=no\nAddress={address}\n{}\n{QUIET}",
            link_local(*address)
        ),
    });
    files
}

/// A port of IPv4 alone has no IPv6 address that somebody near could come by, past every zone.
fn link_local(address: HostInNetwork) -> &'static str {
    if address.host().ip().is_ipv4() { "LinkLocalAddressing=no" } else { "LinkLocalAddressing=ipv6" }
}
