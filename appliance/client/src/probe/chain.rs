//! What stands in a certificate, for people to read. Nothing is believed because of it: that is [`crate::trust`]'s.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustls::pki_types::CertificateDer;
use thiserror::Error;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::trust::sha256;

/// Names of a certificate that are read; a box has a handful.
const NAMES_MAX: usize = 32;

/// It is not X.509, or not in a form that this program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("The certificate cannot be read.")]
pub struct Unreadable;

/// A name that a certificate bears, or that it allows below it. Foreign text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A DNS name.
    Dns(String),
    /// An IP address.
    Ip(IpAddr),
    /// A range of IP addresses: the first, and the mask.
    Range(IpAddr, IpAddr),
}

/// A certificate's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// ECDSA on P-256: what every key of a facility is.
    P256,
    /// Anything else.
    Other,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of its DER.
    pub sha256: [u8; 32],
    /// Valid from: seconds since 1970.
    pub from: i64,
    /// Valid until: seconds since 1970.
    pub until: i64,
    /// The names that it is for; 32 at most.
    pub names: Vec<Name>,
    /// The names that certificates below it may be for; 32 at most. Empty: any.
    pub permitted: Vec<Name>,
    /// What kind of key it has.
    pub key: Key,
}

/// Reads a certificate.
pub fn certificate(der: &CertificateDer<'_>) -> Result<Certificate, Unreadable> {
    let (_, read) = X509Certificate::from_der(der).map_err(|_| Unreadable)?;
    let names = read.subject_alternative_name().map_err(|_| Unreadable)?;
    let names = names.map(|names| names.value.general_names.iter().filter_map(Name::of));
    let constraints = read.name_constraints().map_err(|_| Unreadable)?;
    let permitted = constraints.and_then(|constraints| constraints.value.permitted_subtrees.as_ref());
    let permitted = permitted.map(|trees| trees.iter().filter_map(|tree| Name::of(&tree.base)));
    let key = match read.public_key().parsed() {
        Ok(PublicKey::EC(point)) if point.key_size() == 256 => Key::P256,
        _ => Key::Other,
    };
    Ok(Certificate {
        sha256: sha256(der),
        from: read.validity().not_before.timestamp(),
        until: read.validity().not_after.timestamp(),
        names: names.map(|names| names.take(NAMES_MAX).collect()).unwrap_or_default(),
        permitted: permitted.map(|names| names.take(NAMES_MAX).collect()).unwrap_or_default(),
        key,
    })
}

impl Name {
    fn of(general: &GeneralName<'_>) -> Option<Self> {
        match general {
            GeneralName::DNSName(name) => Some(Self::Dns((*name).to_owned())),
            GeneralName::IPAddress(bytes) => match bytes.len() {
                4 | 16 => address(bytes).map(Self::Ip),
                8 | 32 => {
                    let (first, mask) = bytes.split_at(bytes.len() / 2);
                    Some(Self::Range(address(first)?, address(mask)?))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| Ipv4Addr::from(bytes).into()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|bytes| Ipv6Addr::from(bytes).into()),
        _ => None,
    }
}

/// As people write it: a range with the length of its prefix.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => write!(f, "{address}"),
            Self::Range(first, IpAddr::V4(mask)) => write!(f, "{first}/{}", mask.to_bits().count_ones()),
            Self::Range(first, IpAddr::V6(mask)) => write!(f, "{first}/{}", mask.to_bits().count_ones()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CidrSubnet, GeneralSubtree, IsCa, KeyPair, NameConstraints,
    };

    use super::*;

    #[test]
    fn names_dates_and_constraints_are_read() {
        let mut params =
            CertificateParams::new(vec!["box.example".to_owned(), "10.1.2.3".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.not_before = rcgen::date_time_ymd(2030, 3, 1);
        params.not_after = rcgen::date_time_ymd(2030, 3, 14);
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![
                GeneralSubtree::DnsName("example".to_owned()),
                GeneralSubtree::IpAddress(CidrSubnet::V4([10, 1, 0, 0], [255, 255, 0, 0])),
            ],
            excluded_subtrees: vec![],
        });
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let read = certificate(made.der()).unwrap();
        let words = |names: &[Name]| names.iter().map(Name::to_string).collect::<Vec<_>>();
        assert_eq!(words(&read.names), ["box.example", "10.1.2.3"]);
        assert_eq!(words(&read.permitted), ["example", "10.1.0.0/16"]);
        assert_eq!((read.until - read.from, read.key), (13 * 86_400, Key::P256));
        assert_eq!(read.sha256, sha256(made.der()));
        assert_eq!(certificate(&CertificateDer::from(vec![1, 2, 3])), Err(Unreadable));
    }
}
