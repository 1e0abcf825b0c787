//! The keeper's vocabulary: requests, replies, states and refusals.
//!
//! Every type here is CBOR with integer indices. Indices are append-only: one that was ever used keeps its meaning,
//! so that a relay and a keeper one release apart still understand each other.

use minicbor::{Decode, Encode};

use crate::lists::der_list;
use crate::name_key::{NameKey, WrappedKey, name_list};
use crate::names::FacilityNames;
use crate::policy::Name;
use crate::secret::{Credential, DatabaseKey, KeyDer, PinInput, PinMac};
use crate::state::KeeperState;

/// The most DNS names a box may carry in its certificates.
pub const DNS_NAMES_MAX: usize = 16;
/// The most IP addresses a box may carry in its certificates.
pub const IP_ADDRS_MAX: usize = 16;
/// The most bytes of one DNS name (RFC 1035 section 2.3.4, without the length bytes).
pub const DNS_NAME_BYTES_MAX: usize = 253;
/// The most bytes of one certificate: 3 to 4 times what our P-256 certificates take.
/// 16 names of 253 bytes alone are 4 KiB, so 8 KiB leaves room for the rest.
pub const CERTIFICATE_BYTES_MAX: usize = 8 * 1024;
/// The most certificates in a chain: leaf, issuing, root.
pub const CHAIN_LEN_MAX: usize = 3;
/// The most bytes of the facility's name.
pub const FACILITY_NAME_BYTES_MAX: usize = 64;

/// What a process may ask of the keeper. The role that may ask stands with each.
#[derive(Debug, Encode, Decode)]
pub enum Request {
    /// The keeper's state. Any role.
    #[n(0)]
    Status,
    /// The database key. Relay.
    #[n(1)]
    DatabaseKey,
    /// The current leaf certificate and, when made, the next. Relay.
    #[n(2)]
    Leaves,
    /// The pepper's MAC over a PIN verifier. Relay; rate-limited.
    #[n(3)]
    PinMac {
        /// The person's number.
        #[n(0)]
        person: u64,
        /// The device's number: the rate limit counts by it.
        #[n(1)]
        device: u64,
        /// What is MACed: 32 bytes, derived from the PIN by a slow hash.
        #[n(2)]
        input: PinInput,
    },
    /// The epoch counter's value. Relay, provisioning.
    #[n(4)]
    Epoch,
    /// Advances the epoch counter by one; answers the new value. Relay.
    #[n(5)]
    EpochAdvance,
    /// A quote over PCR 0, 7, 11, 12 and 15 with the caller's nonce. Provisioning: a receipt is such a quote.
    #[n(6)]
    Quote {
        /// The verifier's nonce, 32 bytes.
        #[cbor(n(0), with = "minicbor::bytes")]
        nonce: [u8; 32],
    },
    /// Makes this box's keys, before the box has a name. Provisioning. Safe to repeat: what exists is kept.
    #[n(7)]
    Provision(#[n(0)] Box<Provision>),
    /// A PKCS#10 request (DER) for the issuing key. Provisioning.
    #[n(8)]
    IssuingRequest,
    /// Installs the certified issuing key, and the names that leaves are made for from then on. Provisioning. The first
    /// one pins the root; later ones may bring other names, or another issuing certificate, under the same root.
    #[n(9)]
    InstallIssuing {
        /// The names, which the issuing certificate must permit.
        #[n(0)]
        names: Box<FacilityNames>,
        /// DER certificates: issuing, root.
        #[cbor(n(1), with = "der_list")]
        chain: Vec<Vec<u8>>,
    },
    /// Installs a vendor approval for one image. Provisioning. Needs no unsealing: works while the keeper refuses.
    #[n(10)]
    InstallApproval {
        /// [`crate::approval::Approval`] as bytes.
        #[cbor(n(0), with = "minicbor::bytes")]
        approval: Vec<u8>,
    },
    /// Sets REVOKE bits with a vendor ticket. Provisioning. No request clears them; the TPM's owner could, by making
    /// the index anew (`docs/THREATS.md`, 6).
    #[n(11)]
    Revoke {
        /// [`crate::approval::RevocationTicket`] as bytes.
        #[cbor(n(0), with = "minicbor::bytes")]
        ticket: Vec<u8>,
    },
    /// Makes a key for names, 1 to [`crate::name_key::NAMES_MAX`], and a request for a certificate. Relay; rate-limited.
    /// The keeper keeps neither: one that nobody keeps is lost, and another is made.
    #[n(12)]
    NameKey {
        /// DNS names: letters, digits and hyphens, two labels at least, no wildcard.
        #[cbor(n(0), with = "name_list")]
        names: Vec<String>,
    },
    /// Opens a key that [`Request::NameKey`] made. Relay.
    #[n(13)]
    OpenNameKey {
        /// As it was handed out.
        #[n(0)]
        wrapped: WrappedKey,
    },
    /// Which TPM this is, and by which key it attests. Provisioning. Needs no unsealing: works while the keeper refuses.
    #[n(14)]
    Identity,
    /// Opens what was wrapped to this box's TPM and attestation key ([`crate::credential::make_credential`]).
    /// Provisioning; only while the keys open.
    #[n(15)]
    ActivateCredential {
        /// The buffer of TPM2B_ID_OBJECT (TPM 2.0 Part 2, 12.4.3), at most [`crate::credential::BLOB_BYTES_MAX`] bytes.
        #[cbor(n(0), with = "minicbor::bytes")]
        credential_blob: Vec<u8>,
        /// The buffer of TPM2B_ENCRYPTED_SECRET (Part 2, 11.4.3), at most [`crate::credential::SECRET_BYTES_MAX`] bytes.
        #[cbor(n(1), with = "minicbor::bytes")]
        encrypted_secret: Vec<u8>,
    },
}

/// What the keeper makes keys of: all of it comes with the image, nothing of it from the facility.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Provision {
    /// The vendor's policy key: P-256, SEC1 uncompressed (0x04, x, y).
    #[cbor(n(0), with = "minicbor::bytes")]
    pub vendor_public: [u8; 65],
    /// The vendor's approval of the running image ([`crate::approval::Approval`] as bytes).
    #[cbor(n(1), with = "minicbor::bytes")]
    pub approval: Vec<u8>,
    /// The vendor's ticket that writes REVOKE for the first time, with no bit set
    /// ([`crate::approval::RevocationTicket`] as bytes).
    #[cbor(n(2), with = "minicbor::bytes")]
    pub first_revocation: Vec<u8>,
    /// Make new keys although the TPM belongs to an installation whose keys are not here: what those protected is
    /// then lost for certain. Says nothing where there are keys.
    #[cbor(n(3), default)]
    pub start_over: bool,
}

/// What the keeper answers.
#[derive(Debug, Encode, Decode)]
pub enum Reply {
    /// To [`Request::Status`].
    #[n(0)]
    Status(#[n(0)] Status),
    /// To [`Request::DatabaseKey`].
    #[n(1)]
    DatabaseKey(#[n(0)] DatabaseKey),
    /// To [`Request::Leaves`].
    #[n(2)]
    Leaves(#[n(0)] Box<Leaves>),
    /// To [`Request::PinMac`].
    #[n(3)]
    PinMac(#[n(0)] PinMac),
    /// To [`Request::Epoch`] and [`Request::EpochAdvance`].
    #[n(4)]
    Epoch(#[n(0)] u64),
    /// To [`Request::Quote`].
    #[n(5)]
    Quote(#[n(0)] Box<Quote>),
    /// To [`Request::IssuingRequest`]: PKCS#10, DER.
    #[n(6)]
    IssuingRequest(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// The request was carried out, and what it made is on disk.
    #[n(7)]
    Done,
    /// The request was not carried out.
    #[n(8)]
    Refused(#[n(0)] Refusal),
    /// To [`Request::NameKey`].
    #[n(9)]
    NameKey(#[n(0)] Box<NameKey>),
    /// To [`Request::OpenNameKey`]: P-256, PKCS#8 DER.
    #[n(10)]
    OpenedNameKey(#[n(0)] KeyDer),
    /// To [`Request::Identity`].
    #[n(11)]
    Identity(#[n(0)] Box<Identity>),
    /// To [`Request::ActivateCredential`]: what was wrapped.
    #[n(12)]
    Credential(#[n(0)] Credential),
}

/// The keeper's state, and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Status {
    /// The state.
    #[n(0)]
    pub state: KeeperState,
    /// The REVOKE bits, when the TPM could be read.
    #[n(1)]
    pub revoked_bits: Option<u64>,
    /// PCR 11 as it is now, when the TPM could be read: what an approval would have to name.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub pcr11: Option<[u8; 32]>,
    /// The keeper's version, from its Cargo manifest.
    #[n(3)]
    pub version: String,
    /// Whether the TPM is in dictionary-attack lockout. Keys that exist still open, because they are exempt from it;
    /// new ones are not made.
    #[n(4)]
    pub lockout: bool,
    /// The issuing certificate's end, Unix seconds, when there is a sound one.
    #[n(5)]
    pub issuing_end: Option<i64>,
}

/// Why the keeper did not do what it was asked. The caller is told; nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, thiserror::Error)]
pub enum Refusal {
    /// The keeper is not in a state that hands this out.
    #[error("{0}")]
    #[n(0)]
    State(#[n(0)] KeeperState),
    /// This process's role may not ask for that.
    #[error("this process may not ask the keeper for that: check the roles in the keeper's configuration")]
    #[n(1)]
    NotAllowed,
    /// Too many PIN tries; ask again after the time.
    #[error("too many PIN tries: try again in {retry_after_ms} ms")]
    #[n(2)]
    RateLimited {
        /// Milliseconds until a try can succeed.
        #[n(0)]
        retry_after_ms: u64,
    },
    /// This box's keys were made for another vendor's key.
    #[error(
        "this box's keys were made for another vendor's images: erase the box first, or bring what is of the vendor's that it trusts"
    )]
    #[n(3)]
    ProvisionedOtherwise,
    /// The approval is malformed, not signed by this box's vendor key, or names no REVOKE bit that could end it.
    #[error(
        "the approval is malformed, not signed by the vendor key that this box trusts, or could never be revoked: get it again"
    )]
    #[n(4)]
    ApprovalRejected,
    /// The approval is good but not for the image that runs, and sealing needs one that is.
    #[error("the approval is for another image than the one that runs: sign one for the PCR 11 in `status`")]
    #[n(5)]
    ApprovalForOtherImage,
    /// The revocation ticket is malformed, not signed by the vendor key, or for a REVOKE index in another condition.
    #[error("the revocation ticket is malformed or not signed by the vendor key that this box trusts")]
    #[n(6)]
    TicketRejected,
    /// The issuing chain is not acceptable.
    #[error("issuing certificate refused: {0}")]
    #[n(7)]
    ChainRejected(#[n(0)] ChainFault),
    /// A name, an address or their number is out of bounds.
    #[error("a name or address is empty, malformed, too long, or there are too many")]
    #[n(8)]
    BadNames,
    /// The keeper has as much to do as it accepts at once.
    #[error("the keeper is busy: ask again")]
    #[n(9)]
    Busy,
    /// A fault of the keeper's own; its log says more.
    #[error("the keeper failed: see its log")]
    #[n(10)]
    Fault,
    /// A TPM index or handle that the keeper needs is taken by something else.
    #[error(
        "the TPM already holds something else at {handle:#010x}, which the keeper needs: find out what put it there          and remove that alone (`tpm2_evictcontrol -C o -c` for 0x81…, `tpm2_nvundefine -C o` for 0x01…), then provision          again; clearing the whole TPM destroys every key in it, also those that a computer's disk encryption and          sign-in rely on"
    )]
    #[n(11)]
    HandleTaken {
        /// The persistent handle or NV index.
        #[cbor(n(0), default)]
        handle: u32,
    },
    /// Too many keys for names were made; ask again after the time.
    #[error("too many keys for names were made: ask again in {retry_after_ms} ms")]
    #[n(12)]
    NameKeysMade {
        /// Milliseconds until one can be made.
        #[n(0)]
        retry_after_ms: u64,
    },
    /// The wrapped key is not one of this keeper's.
    #[error(
        "the wrapped key is damaged or was made by another box: make a new request for a certificate, and import what comes of it"
    )]
    #[n(13)]
    OtherNameKey,
    /// The credential is malformed, or was wrapped to another TPM or to another attestation key.
    #[error(
        "what was wrapped to this box does not open in it: it is damaged, or was made for another box or from an older request; make it again from the request that this box writes now"
    )]
    #[n(14)]
    OtherCredential,
}

/// What is wrong with an issuing chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, thiserror::Error)]
pub enum ChainFault {
    /// Not two certificates, or not DER.
    #[error("expected two DER certificates, issuing and then root")]
    #[n(0)]
    Malformed,
    /// The certificate is for another key than this box's issuing key.
    #[error("it certifies another key than this box's")]
    #[n(1)]
    OtherKey,
    /// The root is not the one that the first installed chain pinned.
    #[error(
        "the root is not the one that this box was first configured with: bring a chain under that one, or erase the box"
    )]
    #[n(2)]
    OtherRoot,
    /// The root's signature on it does not verify.
    #[error("the root did not sign it")]
    #[n(3)]
    BadSignature,
    /// Not a CA with path length 0.
    #[error("it is not a CA certificate with path length 0")]
    #[n(4)]
    NotIssuing,
    /// No name constraints on both DNS names and IP addresses, or they do not permit this box's names.
    #[error("its name constraints do not list DNS names and IP ranges that cover this box")]
    #[n(5)]
    Constraints,
    /// Not valid now.
    #[error("it is not valid at this box's present time")]
    #[n(6)]
    NotValidNow,
}

/// The certificates to serve.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Leaves {
    /// The one to serve now.
    #[n(0)]
    pub current: Leaf,
    /// The one that takes over at the next daily renewal.
    #[n(1)]
    pub next: Option<Leaf>,
}

/// A leaf certificate, its chain and its key.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Leaf {
    /// DER certificates: leaf, issuing, root.
    #[cbor(n(0), with = "der_list")]
    pub chain: Vec<Vec<u8>>,
    /// The leaf's P-256 private key, PKCS#8 DER.
    #[n(1)]
    pub key_pkcs8: KeyDer,
    /// Beginning of validity, Unix seconds.
    #[n(2)]
    pub not_before: i64,
    /// End of validity, Unix seconds.
    #[n(3)]
    pub not_after: i64,
    /// SHA-256 of the leaf's DER: what `serverCertificateHashes` takes.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub sha256: [u8; 32],
}

/// Which TPM a box has. All of it is public, and none of it is signed: whoever relies on it compares the endorsement key
/// with its certificate or with what the box shows, and binds the rest to it by a credential and a quote.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Identity {
    /// The endorsement key's TPM2B_PUBLIC (Part 2, 12.2.5), template L-2: see [`crate::public::EndorsementPublic`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub ek_public: Vec<u8>,
    /// Its certificate by the chip's maker, DER, when the TPM has one; at most [`CERTIFICATE_BYTES_MAX`] bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub ek_certificate: Option<Vec<u8>>,
    /// The attestation key's TPM2B_PUBLIC: see [`crate::public::AttestationPublic`].
    #[cbor(n(2), with = "minicbor::bytes")]
    pub ak_public: Vec<u8>,
    /// The storage key's Name: another one is another TPM, or the same one cleared.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub storage_name: Name,
}

/// A quote, in the encodings that `tpm2_checkquote` reads.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Quote {
    /// TPMS_ATTEST (TPM 2.0 Part 2, 10.12.12).
    #[cbor(n(0), with = "minicbor::bytes")]
    pub attest: Vec<u8>,
    /// TPMT_SIGNATURE (Part 2, 11.3.4).
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
    /// The attestation key's TPM2B_PUBLIC (Part 2, 12.2.5).
    #[cbor(n(2), with = "minicbor::bytes")]
    pub ak_public: Vec<u8>,
    /// SHA-256 bank, PCR number and value, ascending: not signed, the quote holds their digest.
    #[n(3)]
    pub pcrs: Vec<PcrValue>,
}

/// One PCR of the SHA-256 bank.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PcrValue {
    /// Its number.
    #[n(0)]
    pub index: u8,
    /// Its value.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub value: [u8; 32],
}
