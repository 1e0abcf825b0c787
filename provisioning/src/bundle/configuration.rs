//! What a facility tells a box, and nothing that it does not tell: the body of a configuration.
//!
//! At most 64 KiB: two certificates of 8 KiB, 16 names of 253 bytes, 8 approvals and 8 tickets of 128, 8 secrets of
//! 1,100 and their wrapping take 32 KiB; the rest is below 2. Every field is bounded by its type; what two fields must agree
//! on is checked in [`Configuration::check`], which whoever makes or reads one goes through.

use minicbor::{Decode, Encode};
use wardline_keys_protocol::approval;
use wardline_keys_protocol::message::{CERTIFICATE_BYTES_MAX, DNS_NAMES_MAX, IP_ADDRS_MAX};

use super::codec::{self, Blob, List, Unreadable};
use super::fault::Fault;
use super::network::{Destination, HostAddress, HostInNetwork, Network, PortName};
use super::secrets::Secrets;
use super::values::{BadValue, DnsName, FacilityName, TimeZone};

/// The version of the body.
pub const BODY_VERSION: u8 = 1;
/// Most bytes of a body.
pub const BODY_MAX: usize = 64 * 1024;
/// Most further ports.
pub const PORTS_MAX: usize = 4;
/// Most name servers, and most time servers.
pub const SERVERS_MAX: usize = 4;
/// Most places of one zone.
pub const PLACES_MAX: usize = 8;

/// A certificate, DER: carried here, judged by the keeper.
pub type Certificate = Blob<1, CERTIFICATE_BYTES_MAX>;
/// What the vendor signed, as it came: judged by the keeper and the TPM.
pub type VendorPaper = Blob<1, { approval::BYTES_MAX }>;

/// How the box comes to its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Addressing {
    /// By DHCP, which has this address reserved for it: certificates name it.
    #[n(0)]
    Dhcp {
        /// The reserved address.
        #[n(0)]
        expected: HostInNetwork,
    },
    /// By hand.
    #[n(1)]
    Fixed {
        /// The address.
        #[n(0)]
        address: HostInNetwork,
        /// The way out, within the address's network.
        #[n(1)]
        gateway: Option<HostAddress>,
    },
}

impl Addressing {
    /// The address, however it comes.
    #[must_use]
    pub fn address(&self) -> HostInNetwork {
        match self {
            Self::Dhcp { expected } => *expected,
            Self::Fixed { address, .. } => *address,
        }
    }
}

/// A further port with an address of its own.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Port {
    /// Which.
    #[n(0)]
    pub name: PortName,
    /// Its address.
    #[n(1)]
    pub address: HostInNetwork,
}

/// Where people of a zone are.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Place {
    /// Whoever has an address of this network. Weaker than a port: an address can be put on by anybody nearer.
    #[n(0)]
    Range(#[n(0)] Network),
    /// Whoever comes in by this port, which must be one of the configuration's.
    #[n(1)]
    Port(#[n(0)] PortName),
}

/// The four zones. Whoever is in none is of the ward.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Zones {
    /// From here the box may be administered. At least one place: from elsewhere nobody could.
    #[n(0)]
    pub admin: List<Place, 1, PLACES_MAX>,
    /// Staff do not sign on from here.
    #[n(1)]
    pub guest: List<Place, 0, PLACES_MAX>,
    /// Systems of the record.
    #[n(2)]
    pub emr: List<Place, 0, PLACES_MAX>,
    /// The ward, where it lies within one of the others.
    #[n(3)]
    pub ward: List<Place, 0, PLACES_MAX>,
}

impl Zones {
    /// Each zone's name and places.
    pub fn each(&self) -> [(&'static str, &[Place]); 4] {
        [
            ("admin", self.admin.as_slice()),
            ("guest", self.guest.as_slice()),
            ("emr", self.emr.as_slice()),
            ("ward", self.ward.as_slice()),
        ]
    }
}

/// What a facility tells a box.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Configuration {
    /// [`BODY_VERSION`].
    #[n(0)]
    pub version: u8,
    /// The facility's name.
    #[n(1)]
    pub facility: FacilityName,
    /// Names of the box in its certificates.
    #[n(2)]
    pub dns_names: List<DnsName, 1, DNS_NAMES_MAX>,
    /// Addresses of the box in its certificates.
    #[n(3)]
    pub addresses: List<HostAddress, 1, IP_ADDRS_MAX>,
    /// The certificate of its issuing key.
    #[n(4)]
    pub issuing: Certificate,
    /// The facility root's.
    #[n(5)]
    pub root: Certificate,
    /// The first port's address.
    #[n(6)]
    pub addressing: Addressing,
    /// Further ports.
    #[n(7)]
    pub ports: List<Port, 0, PORTS_MAX>,
    /// Name servers.
    #[n(8)]
    pub dns_servers: List<HostAddress, 0, SERVERS_MAX>,
    /// Time servers; without any the box keeps its own time.
    #[n(9)]
    pub time_servers: List<HostAddress, 0, SERVERS_MAX>,
    /// The zones.
    #[n(10)]
    pub zones: Zones,
    /// Where the log is sent.
    #[n(11)]
    pub syslog: Option<Destination>,
    /// The directory.
    #[n(12)]
    pub directory: Option<Destination>,
    /// The electronic medical record.
    #[n(13)]
    pub emr: Option<Destination>,
    /// The facility's time zone.
    #[n(14)]
    pub time_zone: TimeZone,
    /// Approvals of images.
    #[n(15)]
    pub approvals: List<VendorPaper, 0, 8>,
    /// Revocation tickets.
    #[n(16)]
    pub tickets: List<VendorPaper, 0, 8>,
    /// Secrets, and the key that opens them, wrapped to the box.
    #[n(17)]
    pub secrets: Option<Secrets>,
}

impl Configuration {
    /// Whether what two fields must agree on does.
    ///
    /// # Errors
    /// [`BadValue`]: which two, in words.
    pub fn check(&self) -> Result<(), BadValue> {
        let own = self.addressing.address();
        if !self.addresses.iter().any(|ip| *ip == own.host()) {
            return Err(BadValue::new(
                "The box's address is not among those of its certificate",
                "10.2.0.5/16",
            ));
        }
        agree(&self.addressing, self.ports.as_slice(), &self.zones)
    }

    /// The network of a place.
    #[must_use]
    pub fn range(&self, place: &Place) -> Option<Network> {
        range(self.ports.as_slice(), place)
    }

    /// The body's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`Fault::BodyVersion`], [`Fault::BodyMalformed`], [`Fault::BodyNotCanonical`], [`Fault::BodyValue`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let body: Self = read_body(bytes, BODY_VERSION)?;
        body.check().map_err(|_| Fault::BodyValue)?;
        Ok(body)
    }
}

/// Whether address, ports and zones go together: the gateway is near, no two ports have one network, no network is in two
/// zones, and a zone's port is there.
///
/// # Errors
/// [`BadValue`].
pub(crate) fn agree(addressing: &Addressing, ports: &[Port], zones: &Zones) -> Result<(), BadValue> {
    is_sound(addressing)?;
    for (at, port) in ports.iter().enumerate() {
        let before = ports[..at].iter().map(|port| port.address);
        let network = port.address.network();
        for other in before.chain([addressing.address()]).map(HostInNetwork::network) {
            if network.contains(other.address()) || other.contains(network.address()) {
                return Err(BadValue::new(
                    format!("The network of {}, {network}, is also that of another port", port.name),
                    "vlan30=10.3.0.5/24",
                ));
            }
        }
        if ports[..at].iter().any(|before| before.name == port.name) {
            return Err(BadValue::new(format!("{} stands there twice", port.name), "vlan30=10.3.0.5/24"));
        }
    }
    let places: Vec<(&str, &Place)> = zones
        .each()
        .into_iter()
        .flat_map(|(zone, places)| places.iter().map(move |place| (zone, place)))
        .collect();
    // 4 zones of 8 places: 496 comparisons.
    for (at, (zone, place)) in places.iter().enumerate() {
        let Some(network) = range(ports, place) else {
            return Err(BadValue::new("A zone is on a port that has no address", "vlan30=10.3.0.5/24"));
        };
        if let Some((other, _)) =
            places[..at].iter().find(|(_, before)| range(ports, before) == Some(network))
        {
            return Err(BadValue::new(
                format!("{network} is in the zones {other} and {zone}"),
                "each network in one zone",
            ));
        }
    }
    Ok(())
}

/// Whether an address and its gateway go together, and the box could come to it.
///
/// # Errors
/// [`BadValue`].
pub(crate) fn is_sound(addressing: &Addressing) -> Result<(), BadValue> {
    // The packet filter lets the box ask by DHCPv4 alone, and networkd takes no router's word for DHCPv6.
    if matches!(addressing, Addressing::Dhcp { expected } if expected.host().ip().is_ipv6()) {
        return Err(BadValue::new("By DHCP the box takes IPv4 addresses only", "fd00::5/64 via fd00::1"));
    }
    if let Addressing::Fixed { address, gateway: Some(gateway) } = addressing {
        let is_near = address.network().contains(gateway.ip()) && *gateway != address.host();
        if !is_near {
            return Err(BadValue::new(
                format!("The gateway {gateway} is not another host of {}", address.network()),
                "10.2.0.5/16 via 10.2.0.1",
            ));
        }
    }
    Ok(())
}

fn range(ports: &[Port], place: &Place) -> Option<Network> {
    match place {
        Place::Range(network) => Some(*network),
        Place::Port(name) => ports.iter().find(|port| port.name == *name).map(|port| port.address.network()),
    }
}

/// Reads a body whose first key, 0, is its version: a newer one is told from a damaged one.
pub(crate) fn read_body<'b, T: Decode<'b, ()> + Encode<()>>(
    bytes: &'b [u8],
    version: u8,
) -> Result<T, Fault> {
    if bytes.len() > BODY_MAX {
        return Err(Fault::BodyMalformed);
    }
    let mut d = minicbor::Decoder::new(bytes);
    let found = d.map().and_then(|_| d.u8()).and_then(|key| Ok((key, d.u64()?)));
    match found {
        Ok((0, found)) if found == u64::from(version) => {}
        Ok((0, _)) => return Err(Fault::BodyVersion),
        _ => return Err(Fault::BodyMalformed),
    }
    codec::decode(bytes).map_err(|error| match error {
        Unreadable::Malformed => Fault::BodyMalformed,
        Unreadable::Value => Fault::BodyValue,
        Unreadable::NotCanonical => Fault::BodyNotCanonical,
    })
}
