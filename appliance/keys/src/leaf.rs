//! Leaf certificates: short-lived, made in memory, renewed daily, never on disk.
//!
//! Two exist at a time: the one served now, and the one that takes over at the next renewal, so that pages can learn
//! its hash a day ahead. Browsers take a certificate by hash only when it lives at most 14 days; ours live 13 days,
//! of which one lies in the past for clients whose clocks are slow. Refuses to outlive the issuing certificate.

use rcgen::string::Ia5String;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use wardline_keys_protocol::policy::sha256;
use wardline_keys_protocol::{KeyDer, Leaf, Leaves};
use zeroize::Zeroize;

use crate::issuing::{RemoteKey, Validity};
use crate::record::IssuingChain;
use crate::tpm::{TpmError, TpmResult};

const DAY_S: i64 = 86_400;
/// From not-before to not-after, both included: 13 days at most.
pub const LIFE_S: i64 = 13 * DAY_S - 1;
/// How far not-before lies in the past.
pub const BACKDATE_S: i64 = DAY_S;
/// How long a leaf is the current one: a day, and two hours because the relay looks every hour only. So whoever serves the next one
/// has known of it, and could tell pages, for a day at least.
pub const RENEWAL_S: i64 = DAY_S + 2 * 3_600;

/// The leaves of now, and when they were made.
#[derive(Debug, Clone)]
pub(crate) struct LeafSet {
    leaves: Leaves,
    renewed_at_s: i64,
}

/// What must be done at `now_s` so that the set is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Nothing,
    /// The next becomes the current, and a new next is made.
    Step,
    /// Both are made.
    Both,
}

fn due(set: Option<&LeafSet>, now_s: i64) -> Due {
    match set {
        None => Due::Both,
        // The clock went back, or the box slept past a whole step: what we have may be not yet, or no longer, valid.
        Some(set) if now_s < set.renewed_at_s || now_s >= set.renewed_at_s + 2 * RENEWAL_S => Due::Both,
        Some(set) if now_s >= set.renewed_at_s + RENEWAL_S => Due::Step,
        Some(_) => Due::Nothing,
    }
}

/// The set as it must be at `now_s`, making what is due with `make`.
pub(crate) fn renew<E>(
    set: Option<LeafSet>,
    now_s: i64,
    mut make: impl FnMut() -> Result<Leaf, E>,
) -> Result<LeafSet, E> {
    match (due(set.as_ref(), now_s), set) {
        (Due::Nothing, Some(set)) => Ok(set),
        (Due::Step, Some(LeafSet { leaves: Leaves { next: Some(current), .. }, .. })) => {
            Ok(LeafSet { leaves: Leaves { current, next: Some(make()?) }, renewed_at_s: now_s })
        }
        _ => Ok(LeafSet { leaves: Leaves { current: make()?, next: Some(make()?) }, renewed_at_s: now_s }),
    }
}

impl LeafSet {
    pub(crate) fn leaves(&self) -> &Leaves {
        &self.leaves
    }
}

/// Makes one leaf for the names of now, with a fresh P-256 key, signed by the issuing key.
pub(crate) fn make(
    chain: &IssuingChain,
    issuing: Validity,
    key: &RemoteKey<'_>,
    now_s: i64,
) -> TpmResult<Leaf> {
    let not_before = (now_s - BACKDATE_S).max(issuing.not_before);
    let not_after = (not_before + LIFE_S).min(issuing.not_after);
    let names = &chain.names;
    let encode = |_| TpmError::Failed { doing: "encoding a leaf certificate", code: 0 };

    let mut params = CertificateParams::default();
    params.not_before = OffsetDateTime::from_unix_timestamp(not_before).map_err(|_| encode(()))?;
    params.not_after = OffsetDateTime::from_unix_timestamp(not_after).map_err(|_| encode(()))?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, names.facility.as_str());
    for name in &names.dns_names {
        let name = Ia5String::try_from(name.as_str()).map_err(|_| encode(()))?;
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    params.subject_alt_names.extend(names.ip_addrs.iter().map(|ip| SanType::IpAddress(*ip)));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;

    let issuer = Issuer::from_ca_cert_der(&CertificateDer::from(chain.issuing.as_slice()), key)
        .map_err(|_| encode(()))?;
    let mut leaf_key = KeyPair::generate().map_err(|_| encode(()))?;
    let key_pkcs8 = KeyDer(leaf_key.serialize_der());
    let signed = params.signed_by(&leaf_key, &issuer);
    leaf_key.zeroize();
    let der = signed.map_err(|_| key.fault())?.der().to_vec();
    let sha256 = sha256(&[&der]);
    Ok(Leaf {
        chain: vec![der, chain.issuing.clone(), chain.root.clone()],
        key_pkcs8,
        not_before,
        not_after,
        sha256,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn numbered(n: &mut u8) -> Result<Leaf, ()> {
        *n += 1;
        Ok(Leaf { chain: vec![], key_pkcs8: KeyDer(vec![]), not_before: 0, not_after: 0, sha256: [*n; 32] })
    }

    fn pair(set: &LeafSet) -> (u8, u8) {
        (set.leaves.current.sha256[0], set.leaves.next.as_ref().unwrap().sha256[0])
    }

    #[test]
    fn the_next_becomes_the_current_after_a_day() {
        let mut n = 0;
        let set = renew(None, 1_000, || numbered(&mut n)).unwrap();
        assert_eq!(pair(&set), (1, 2));
        let set = renew(Some(set), 1_000 + RENEWAL_S - 1, || numbered(&mut n)).unwrap();
        assert_eq!(pair(&set), (1, 2), "a second too early");
        let set = renew(Some(set), 1_000 + RENEWAL_S, || numbered(&mut n)).unwrap();
        assert_eq!(pair(&set), (2, 3), "the hash that was announced is the one served");
        let set = renew(Some(set), 1_000 + 4 * RENEWAL_S, || numbered(&mut n)).unwrap();
        assert_eq!(pair(&set), (4, 5), "after a long sleep nothing old is served");
        let set = renew(Some(set), 0, || numbered(&mut n)).unwrap();
        assert_eq!(pair(&set), (6, 7), "after the clock went back nothing from the future is served");
    }
}
