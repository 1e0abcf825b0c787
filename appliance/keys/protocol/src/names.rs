//! What a box is called: the facility's name, and the names and addresses that its leaves are for.
//!
//! [`FacilityNames`] are what somebody says, [`CheckedNames`] what can stand in a certificate. Refuses wildcards, names of
//! one label (no zone that an issuing certificate may name has them) and addresses that are no host's.

use std::net::IpAddr;
use std::ops::Deref;

use minicbor::decode::{self, Decoder};
use minicbor::{Decode, Encode};

use crate::lists::ip_list;
use crate::message::{DNS_NAME_BYTES_MAX, DNS_NAMES_MAX, FACILITY_NAME_BYTES_MAX, IP_ADDRS_MAX};

/// Names as they are brought.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FacilityNames {
    /// The facility's name as its certificates show it, 1 to [`FACILITY_NAME_BYTES_MAX`] bytes.
    #[n(0)]
    pub facility: String,
    /// DNS names of the leaves, 1 to [`DNS_NAMES_MAX`].
    #[n(1)]
    pub dns_names: Vec<String>,
    /// IP addresses of the leaves, at most [`IP_ADDRS_MAX`].
    #[cbor(n(2), with = "ip_list")]
    pub ip_addrs: Vec<IpAddr>,
}

/// Names that can stand in a certificate. Only [`FacilityNames::checked`] makes them.
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
#[cbor(transparent)]
pub struct CheckedNames(#[n(0)] FacilityNames);

impl FacilityNames {
    /// The same names, when each can stand in a certificate and there are no more than there may be; `None` otherwise.
    pub fn checked(self) -> Option<CheckedNames> {
        let facility = !self.facility.is_empty()
            && self.facility.len() <= FACILITY_NAME_BYTES_MAX
            && !self.facility.chars().any(char::is_control);
        let dns = (1..=DNS_NAMES_MAX).contains(&self.dns_names.len())
            && self.dns_names.iter().all(|name| is_dns_name(name) && name.contains('.'));
        let host = |ip: &IpAddr| !ip.is_unspecified() && !ip.is_multicast();
        let ips = self.ip_addrs.len() <= IP_ADDRS_MAX && self.ip_addrs.iter().all(host);
        (facility && dns && ips).then_some(CheckedNames(self))
    }
}

impl Deref for CheckedNames {
    type Target = FacilityNames;

    fn deref(&self) -> &FacilityNames {
        &self.0
    }
}

impl<'b, C> Decode<'b, C> for CheckedNames {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let names = FacilityNames::decode(d, ctx)?;
        names.checked().ok_or_else(|| decode::Error::message("a name that no certificate can carry"))
    }
}

/// Letters, digits and hyphens in labels of 1 to 63, no wildcard (RFC 1123, 2.1).
pub fn is_dns_name(name: &str) -> bool {
    name.len() <= DNS_NAME_BYTES_MAX
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn good() -> FacilityNames {
        FacilityNames {
            facility: "St. Example".into(),
            dns_names: vec!["box.ward.example".into()],
            ip_addrs: vec![[10, 2, 0, 7].into()],
        }
    }

    #[test]
    fn what_no_certificate_can_carry_is_refused_from_the_wire_and_from_a_file() {
        let changes: [fn(&mut FacilityNames); 12] = [
            |n| n.facility.clear(),
            |n| n.facility = "x".repeat(FACILITY_NAME_BYTES_MAX + 1),
            |n| n.facility.push('\n'),
            |n| n.dns_names.clear(),
            |n| n.dns_names = vec!["a.example".into(); DNS_NAMES_MAX + 1],
            |n| n.dns_names[0] = "*.ward.example".into(),
            |n| n.dns_names[0] = "box".into(),
            |n| n.dns_names[0] = "-box.example".into(),
            |n| n.dns_names[0] = format!("{}.example", "x".repeat(64)),
            |n| n.ip_addrs = vec![[10, 0, 0, 1].into(); IP_ADDRS_MAX + 1],
            |n| n.ip_addrs[0] = [0, 0, 0, 0].into(),
            |n| n.ip_addrs[0] = [224, 0, 0, 1].into(),
        ];
        for (at, change) in changes.iter().enumerate() {
            let mut names = good();
            change(&mut names);
            assert_eq!(names.clone().checked(), None, "change {at}");
            let bytes = minicbor::to_vec(&names).unwrap();
            assert!(minicbor::decode::<CheckedNames>(&bytes).is_err(), "change {at}, from a file");
        }
        let checked = good().checked().unwrap();
        let bytes = minicbor::to_vec(&checked).unwrap();
        assert_eq!(bytes, minicbor::to_vec(good()).unwrap());
        assert_eq!(minicbor::decode::<CheckedNames>(&bytes).unwrap(), checked);
    }
}
