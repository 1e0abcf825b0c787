//! The certificate for the names that people type: asked for, imported and dropped by administrators.
//!
//! The core decides who may, and records it. Key and request are the keeper's, the certificate is the doorway's: what is in a file that
//! somebody chose is read and checked there, and comes here as a [`CheckedChain`] or as a refusal. The core keeps nothing of it.

use thiserror::Error;

use crate::access::{self, Operation, Relations};
use crate::audit::{Act, Actor};
use crate::draft::Draft;
use crate::ids::{Conn, RequestId};
use crate::limits;
use crate::refusal::Refusal;
use crate::turn::Send;
use crate::wire::proto::{self, RefusalCode, client_frame::Body};

/// A name of the public name system: two labels at least, letters, digits and hyphens, in lower case. No wildcard, no address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DnsName(String);

impl DnsName {
    /// The name, when it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // A last label of digits makes an address of it, or something that a browser takes for one.
        let numeric = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        let good = name.len() <= limits::DNS_NAME_MAX && name.contains('.') && !numeric;
        (good && name.split('.').all(label)).then_some(Self(name))
    }

    /// As it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A certificate and what stands behind it, in DER, that the doorway found good: for a key of the keeper's, in order, valid now.
#[derive(Debug)]
pub struct CheckedChain(Vec<Vec<u8>>);

impl CheckedChain {
    /// The doorway's word for it.
    pub fn checked(chain: Vec<Vec<u8>>) -> Self {
        Self(chain)
    }

    /// The certificates, the box's own first.
    pub fn into_der(self) -> Vec<Vec<u8>> {
        self.0
    }
}

/// What an administrator asks.
#[derive(Debug)]
pub enum WebCertificateAsk {
    /// How it stands.
    Look,
    /// A new key, and a request for these names.
    Request(Vec<DnsName>),
    /// What came of it.
    Import {
        /// As the doorway found it.
        chain: Result<CheckedChain, Refusal>,
        /// Nothing is to change.
        only_look: bool,
    },
    /// No certificate and no request any more.
    Drop,
}

/// What the doorway does once it is on record.
#[derive(Debug)]
pub enum WebCertificateDo {
    /// Say how it stands.
    Tell,
    /// Have a key made, and give out the request.
    Request(Vec<DnsName>),
    /// Say what this chain is.
    Show(CheckedChain),
    /// Keep this chain and serve it.
    Use(CheckedChain),
    /// Forget certificate and request.
    Drop,
}

/// What cannot be done about the certificate. Nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Error)]
pub enum WebCertificateRefusal {
    /// [`DnsName`], [`limits::WEB_NAMES_MAX`].
    #[error(
        "Give one to eight full names, like wardline.hospital.example: letters, digits and hyphens, no address and no asterisk."
    )]
    Names,
    /// Not PEM, not X.509, too long, or too many.
    #[error(
        "This is no certificate file that the box can read. Download it as PEM (also called Base64 or CRT) with its chain: at most six certificates and 16 kB."
    )]
    Unreadable,
    /// A file that was meant for another kind of server.
    #[error(
        "There is a private key in this file. The box made its own, which never leaves it: import the certificate and its chain alone, and have a key that went around withdrawn."
    )]
    PrivateKey,
    /// Nothing to import for.
    #[error("No request is waiting on this box. Make the request here first, and hand it in.")]
    NoRequest,
    /// Not for the key of the request, nor for that in use.
    #[error(
        "This certificate is for another key than this box's. Hand in the request that is shown here, and import what comes of that one."
    )]
    OtherKey,
    /// One certificate, or its own issuer.
    #[error(
        "The chain is missing: browsers need the issuer's certificates too. Download the file with the full chain (fullchain, bundle), or paste them behind the certificate."
    )]
    Incomplete,
    /// Each is issued by the one behind it.
    #[error(
        "The certificates are not in order. First the box's own, then its issuer's, then that one's issuer's."
    )]
    Order,
    /// By the issuer's key, or the path breaks a rule.
    #[error(
        "A signature in this file does not verify, or an issuer in it may not issue this. Download the certificate and its chain again."
    )]
    Signature,
    /// Of the certificate or of an issuer.
    #[error(
        "This certificate, or one behind it, has ended. See that the box's clock is right; then have a new one issued."
    )]
    Expired,
    /// Of the certificate or of an issuer.
    #[error(
        "This certificate, or one behind it, begins in the future. See that the box's clock is right; then import it again."
    )]
    NotYet,
    /// Every name that was asked must be in it.
    #[error("The certificate does not cover every name of the request. Have it issued for all of them.")]
    NameMissing,
    /// Extended key usage.
    #[error("This certificate is not for servers. Have one issued for server authentication (TLS, HTTPS).")]
    Purpose,
    /// SHA-1, RSA below 2048 bits, and the like.
    #[error(
        "It is signed in a way that browsers do not take. Have it issued with SHA-256 or better, by RSA of 2048 bits at least or by ECDSA."
    )]
    Unsupported,
    /// It is away, or made enough for now.
    #[error(
        "The keeper of the keys does not do it now: it is away, or too many requests were made in a row. Wait a minute and try again; box health says whether it answers."
    )]
    Keeper,
    /// The doorway's files.
    #[error("The box could not keep it. See in box health that there is room on the disk; then try again.")]
    NotKept,
}

impl WebCertificateRefusal {
    /// The stable code on the wire.
    pub(crate) const fn code(self) -> RefusalCode {
        match self {
            Self::Names => RefusalCode::CertificateNames,
            Self::Unreadable => RefusalCode::CertificateUnreadable,
            Self::PrivateKey => RefusalCode::CertificatePrivateKey,
            Self::NoRequest => RefusalCode::CertificateNoRequest,
            Self::OtherKey => RefusalCode::CertificateOtherKey,
            Self::Incomplete => RefusalCode::CertificateIncomplete,
            Self::Order => RefusalCode::CertificateOrder,
            Self::Signature => RefusalCode::CertificateSignature,
            Self::Expired => RefusalCode::CertificateExpired,
            Self::NotYet => RefusalCode::CertificateNotYet,
            Self::NameMissing => RefusalCode::CertificateNameMissing,
            Self::Purpose => RefusalCode::CertificatePurpose,
            Self::Unsupported => RefusalCode::CertificateUnsupported,
            Self::Keeper => RefusalCode::CertificateKeeper,
            Self::NotKept => RefusalCode::CertificateNotKept,
        }
    }
}

/// Permits, records, and hands on to the doorway.
pub(crate) fn handle(
    draft: &mut Draft<'_>,
    (conn, request): (Conn, RequestId),
    (by, is): (Actor, Relations),
    ask: WebCertificateAsk,
) -> Result<(), Refusal> {
    let permit = access::permit(Operation::KeepWebCertificate, is, by)?;
    let (act, then) = match ask {
        WebCertificateAsk::Look => (None, WebCertificateDo::Tell),
        WebCertificateAsk::Request(names) => {
            (Some(Act::WebCertificateRequested), WebCertificateDo::Request(names))
        }
        WebCertificateAsk::Import { chain, only_look: true } => (None, WebCertificateDo::Show(chain?)),
        WebCertificateAsk::Import { chain, only_look: false } => {
            (Some(Act::WebCertificateImported), WebCertificateDo::Use(chain?))
        }
        WebCertificateAsk::Drop => (Some(Act::WebCertificateDropped), WebCertificateDo::Drop),
    };
    if let Some(act) = act {
        draft.record(permit.by(), act);
    }
    draft.send(Send::WebCertificate { conn, request, then });
    Ok(())
}

/// The request in a frame. An import is the doorway's to read.
pub(crate) fn parse(body: Body) -> Result<WebCertificateAsk, Refusal> {
    Ok(match body {
        Body::AskWebCertificate(_) => WebCertificateAsk::Look,
        Body::RequestWebCertificate(proto::RequestWebCertificate { names }) => {
            let bad = Refusal::WebCertificate(WebCertificateRefusal::Names);
            if !(1..=limits::WEB_NAMES_MAX).contains(&names.len()) {
                return Err(bad);
            }
            let mut parsed: Vec<DnsName> = Vec::with_capacity(names.len());
            for name in &names {
                let name = DnsName::parse(name).ok_or(bad)?;
                if !parsed.contains(&name) {
                    parsed.push(name);
                }
            }
            WebCertificateAsk::Request(parsed)
        }
        Body::DropWebCertificate(_) => WebCertificateAsk::Drop,
        _ => return Err(Refusal::UnknownRequest),
    })
}

/// A file that somebody chose, of a length that one has.
#[derive(Debug)]
pub struct ChosenFile {
    /// What is in it.
    pub pem: String,
    /// Nothing is to change.
    pub only_look: bool,
}

impl ChosenFile {
    pub(crate) fn parse(import: proto::ImportWebCertificate) -> Result<Self, Refusal> {
        let proto::ImportWebCertificate { pem, only_look } = import;
        if pem.len() > limits::WEB_CHAIN_PEM_MAX {
            return Err(Refusal::WebCertificate(WebCertificateRefusal::Unreadable));
        }
        Ok(Self { pem, only_look })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_can_be_certified() {
        let name = |text: &str| DnsName::parse(text).map(|name| name.as_str().to_owned());
        assert_eq!(name(" Wardline.Hospital.Example. ").as_deref(), Some("wardline.hospital.example"));
        for bad in [
            "",
            "localhost",
            "*.hospital.example",
            "10.0.0.7",
            "a..b",
            "-a.example",
            "a_b.example",
            "ä.example",
        ] {
            assert_eq!(name(bad), None, "{bad}");
        }
        assert_eq!(name(&format!("{}.example", "a".repeat(64))), None);
        assert_eq!(name(&format!("{}example", "a.".repeat(124))), None, "longer than a name may be");
    }

    #[test]
    fn a_name_that_is_said_twice_is_asked_once() {
        let ask = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            parse(Body::RequestWebCertificate(proto::RequestWebCertificate { names }))
        };
        let Ok(WebCertificateAsk::Request(names)) = ask(&["a.example", "A.example", "b.example"]) else {
            panic!("refused")
        };
        assert_eq!(names.len(), 2);
        let refused = Refusal::WebCertificate(WebCertificateRefusal::Names);
        assert_eq!(ask(&[]).err(), Some(refused));
        assert_eq!(ask(&["a.example"; 9]).err(), Some(refused));
    }
}
