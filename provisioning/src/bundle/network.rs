//! Addresses, networks, ports and destinations, as a configuration names them.
//!
//! Refuses host names where a packet filter has to stand behind it: a filter knows addresses alone, and a name that means
//! another address tomorrow would open another way tomorrow.

use core::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};
use minicbor::{Decode, Encode};

use super::values::BadValue;

/// The address of one host: neither unspecified, loopback, multicast nor broadcast, and no IPv4 address dressed as IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostAddress(IpAddr);

impl HostAddress {
    /// The address.
    #[must_use]
    pub fn ip(self) -> IpAddr {
        self.0
    }

    fn new(ip: IpAddr) -> Option<Self> {
        let of_one_host = match ip {
            IpAddr::V4(v4) => !v4.is_broadcast() && v4.octets()[0] != 0,
            IpAddr::V6(v6) => v6.to_ipv4_mapped().is_none() && !v6.is_unicast_link_local(),
        };
        let none = ip.is_unspecified() || ip.is_loopback() || ip.is_multicast();
        (of_one_host && !none).then_some(Self(ip))
    }
}

impl FromStr for HostAddress {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        text.parse()
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| BadValue::of(text, "is not the address of one host", "10.2.0.7"))
    }
}

impl fmt::Display for HostAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A network: an address whose bits behind the prefix are zero, and the prefix, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Its first address.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// Whether the address is in it.
    #[must_use]
    pub fn contains(self, ip: IpAddr) -> bool {
        ip.is_ipv4() == self.address.is_ipv4() && masked(ip, self.prefix) == self.address
    }

    fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let sound = (1..=width(address)).contains(&prefix) && masked(address, prefix) == address;
        let mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
        (sound && !mapped).then_some(Self { address, prefix })
    }
}

impl FromStr for Network {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let example = "10.2.9.0/24";
        let (ip, prefix) = split(text).ok_or_else(|| BadValue::of(text, "is no network", example))?;
        if prefix == 0 {
            return Err(BadValue::of(text, "is every address there is", example));
        }
        Self::new(ip, prefix).ok_or_else(|| {
            BadValue::of(text, "has bits set behind its prefix: give the network's own address", example)
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// A host's address and how wide its network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostInNetwork {
    host: HostAddress,
    prefix: u8,
}

impl HostInNetwork {
    /// The host.
    #[must_use]
    pub fn host(self) -> HostAddress {
        self.host
    }

    /// Its network.
    #[must_use]
    pub fn network(self) -> Network {
        Network { address: masked(self.host.0, self.prefix), prefix: self.prefix }
    }

    /// IPv4 networks of two hosts and more have a first and a last address that are no host's.
    fn new(ip: IpAddr, prefix: u8) -> Option<Self> {
        let host = HostAddress::new(ip)?;
        if !(8..=width(ip)).contains(&prefix) {
            return None;
        }
        if let IpAddr::V4(v4) = ip
            && prefix < 31
        {
            let hosts = u32::MAX >> prefix;
            let part = v4.to_bits() & hosts;
            if part == 0 || part == hosts {
                return None;
            }
        }
        Some(Self { host, prefix })
    }
}

impl FromStr for HostInNetwork {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        split(text).and_then(|(ip, prefix)| Self::new(ip, prefix)).ok_or_else(|| {
            BadValue::of(text, "is not a host's address with the length of its network", "10.2.0.5/16")
        })
    }
}

impl fmt::Display for HostInNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.prefix)
    }
}

/// A further port of the box: a network card by its name, or a VLAN on the first one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortName {
    /// A network card as the kernel names it: 1 to 15 letters and digits, a letter first.
    Card(CardName),
    /// An IEEE 802.1Q VLAN, 1 to 4094, on the first card.
    Vlan(VlanId),
}

/// See [`PortName::Card`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardName(String);

/// See [`PortName::Vlan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VlanId(u16);

impl VlanId {
    /// The number.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }

    fn new(number: u16) -> Option<Self> {
        (1..=4094).contains(&number).then_some(Self(number))
    }
}

impl CardName {
    fn new(name: &str) -> Option<Self> {
        // Names of ours and the loopback are taken.
        let ours = name.starts_with("vlan") || name == "lo";
        let letter = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let sound = name.len() <= 15 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        (letter && sound && !ours).then(|| Self(name.into()))
    }
}

impl FromStr for PortName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let vlan = |digits: &str| digits.parse().ok().and_then(VlanId::new);
        match text.strip_prefix("vlan") {
            Some(digits) if !digits.starts_with('+') => vlan(digits).map(Self::Vlan),
            Some(_) => None,
            None => CardName::new(text).map(Self::Card),
        }
        .ok_or_else(|| BadValue::of(text, "is neither a VLAN, 1 to 4094, nor a network card", "vlan30"))
    }
}

/// As the kernel names the interface: a VLAN's is ours to choose.
impl fmt::Display for PortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Card(name) => f.write_str(&name.0),
            Self::Vlan(id) => write!(f, "vlan{}", id.0),
        }
    }
}

/// Where something is reached: an address and a port other than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Destination {
    /// The host.
    #[n(0)]
    pub host: HostAddress,
    /// The port.
    #[n(1)]
    pub port: core::num::NonZeroU16,
}

impl FromStr for Destination {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let socket: Option<std::net::SocketAddr> = text.parse().ok();
        let destination = socket.and_then(|socket| {
            let plain = !matches!(socket, std::net::SocketAddr::V6(v6) if v6.scope_id() != 0);
            let host = HostAddress::new(socket.ip()).filter(|_| plain)?;
            Some(Self { host, port: core::num::NonZeroU16::new(socket.port())? })
        });
        destination.ok_or_else(|| {
            BadValue::of(
                text,
                "is not an address and a port (a name would not do: the box's packet filter knows addresses alone)",
                "10.2.0.7:6514",
            )
        })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::net::SocketAddr::new(self.host.0, self.port.get()).fmt(f)
    }
}

fn split(text: &str) -> Option<(IpAddr, u8)> {
    let (ip, prefix) = text.split_once('/')?;
    let digits = (1..=3).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_digit());
    Some((ip.parse().ok()?, digits.then(|| prefix.parse().ok()).flatten()?))
}

fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn masked(ip: IpAddr, prefix: u8) -> IpAddr {
    let hosts = u32::from(width(ip).saturating_sub(prefix));
    match ip {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(hosts).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(hosts).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

// --- As bytes: an address is 4 or 16 bytes; with a prefix, one more behind it. ---

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(v4.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(Into::into)
}

fn with_prefix(bytes: &[u8]) -> Option<(IpAddr, u8)> {
    let (prefix, ip) = bytes.split_last()?;
    Some((address(ip)?, *prefix))
}

macro_rules! as_bytes {
    ($name:ty, |$value:ident| $write:expr, |$bytes:ident| $read:expr) => {
        impl<C> Encode<C> for $name {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
                let $value = self;
                e.bytes(&$write)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                let $bytes = d.bytes()?;
                $read.ok_or_else(|| decode::Error::message("address out of bounds"))
            }
        }
    };
}

as_bytes!(HostAddress, |v| octets(v.0), |b| address(b).and_then(HostAddress::new));
as_bytes!(Network, |v| [octets(v.address), vec![v.prefix]].concat(), |b| with_prefix(b)
    .and_then(|(ip, prefix)| Network::new(ip, prefix)));
as_bytes!(HostInNetwork, |v| [octets(v.host.0), vec![v.prefix]].concat(), |b| with_prefix(b)
    .and_then(|(ip, prefix)| HostInNetwork::new(ip, prefix)));

/// A VLAN as its number, a card as its name.
impl<C> Encode<C> for PortName {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        match self {
            Self::Card(name) => e.str(&name.0)?.ok(),
            Self::Vlan(id) => e.u16(id.0)?.ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for PortName {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let name = match d.datatype()? {
            minicbor::data::Type::String => CardName::new(d.str()?).map(Self::Card),
            _ => VlanId::new(d.u16()?).map(Self::Vlan),
        };
        name.ok_or_else(|| decode::Error::message("no port"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_hosts() {
        for good in ["10.2.0.5/16", "192.168.1.254/24", "fd00::5/64", "10.0.0.1/31", "10.0.0.1/32"] {
            assert_eq!(good.parse::<HostInNetwork>().unwrap().to_string(), good);
        }
        for bad in [
            "10.2.0.5",
            "10.2.0.0/16",
            "10.2.255.255/16",
            "0.0.0.0/8",
            "127.0.0.1/8",
            "224.0.0.1/24",
            "::1/64",
            "::ffff:10.2.0.5/120",
            "fe80::1/64",
            "10.2.0.5/33",
            "10.2.0.5/0",
            "10.2.0.5/+8",
            "10.2.0.5/016x",
            "255.255.255.255/8",
        ] {
            assert!(bad.parse::<HostInNetwork>().is_err(), "{bad}");
        }
        assert_eq!("10.2.0.5/16".parse::<HostInNetwork>().unwrap().network().to_string(), "10.2.0.0/16");
    }

    #[test]
    fn networks_have_nothing_behind_their_prefix_and_are_not_everything() {
        for good in ["10.2.9.0/24", "10.2.9.1/32", "fd00::/8"] {
            assert_eq!(good.parse::<Network>().unwrap().to_string(), good);
        }
        for bad in [
            "10.2.9.1/24",
            "0.0.0.0/0",
            "::/0",
            "10.2.9.0",
            "10.2.9.0/33",
            "fd00::1/64",
            "::ffff:10.0.0.0/104",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
        let net: Network = "10.2.8.0/21".parse().unwrap();
        assert!(net.contains("10.2.15.255".parse().unwrap()) && !net.contains("10.2.16.0".parse().unwrap()));
        assert!(!net.contains("::ffff:10.2.9.1".parse().unwrap()));
    }

    #[test]
    fn ports_and_destinations() {
        for good in ["vlan1", "vlan4094", "enp3s0", "eth1"] {
            assert_eq!(good.parse::<PortName>().unwrap().to_string(), good);
        }
        for bad in [
            "vlan0",
            "vlan4095",
            "vlan",
            "vlan+3",
            "lo",
            "a-b",
            "eth0:1",
            "../x",
            "Eth",
            "averyveryverylongname",
        ] {
            assert!(bad.parse::<PortName>().is_err(), "{bad}");
        }
        for good in ["10.2.0.7:6514", "[fd00::7]:636"] {
            assert_eq!(good.parse::<Destination>().unwrap().to_string(), good);
        }
        for bad in
            ["syslog.example:514", "10.2.0.7", "10.2.0.7:0", "0.0.0.0:514", "[fe80::1%2]:5", "10.2.0.7:65536"]
        {
            assert!(bad.parse::<Destination>().is_err(), "{bad}");
        }
    }
}
