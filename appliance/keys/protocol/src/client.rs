//! The blocking client of the keeper.
//!
//! One request at a time over one connection. After [`ClientError::Lost`] or [`ClientError::Peer`] the connection is
//! of no more use: connect again. The client never retries by itself, because only the caller knows whether that is safe.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::approval::{Approval, RevocationTicket};
use crate::credential::WrappedCredential;
use crate::frame::{self, PeerFault, ReadError};
use crate::message::{Identity, Leaves, Provision, Quote, Refusal, Reply, Request, Status};
use crate::name_key::{NameKey, WrappedKey};
use crate::names::FacilityNames;
use crate::secret::{Credential, DatabaseKey, KeyDer, PinInput, PinMac};

/// How long an answer may take. Provisioning makes six TPM objects; a slow chip needs about a second for each, and
/// one request may wait behind another's: 30 s covers both.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// Why a call gave no answer, by what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The keeper says no: show it, and do what it says.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What answers is not a keeper that this code understands: close, report.
    #[error("the keeper does not follow the protocol: {0}")]
    Peer(#[from] PeerFault),
    /// No connection, or it was lost: connect again later.
    #[error("the keeper cannot be reached at its socket: is wardline-keeper running?")]
    Lost(#[source] io::Error),
}

impl From<ReadError> for ClientError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Peer(fault) => ClientError::Peer(fault),
            ReadError::Io(source) => ClientError::Lost(source),
        }
    }
}

/// A connection to the keeper.
#[derive(Debug)]
pub struct KeeperClient {
    stream: UnixStream,
}

impl KeeperClient {
    /// Connects to the keeper's socket, with [`ANSWER_TIME_MAX`] for each answer.
    ///
    /// # Errors
    /// [`ClientError::Lost`].
    pub fn connect(path: impl AsRef<Path>) -> Result<Self, ClientError> {
        let stream = UnixStream::connect(path).map_err(ClientError::Lost)?;
        stream.set_read_timeout(Some(ANSWER_TIME_MAX)).map_err(ClientError::Lost)?;
        stream.set_write_timeout(Some(ANSWER_TIME_MAX)).map_err(ClientError::Lost)?;
        Ok(Self { stream })
    }

    /// The keeper's state. Works in every state.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn status(&mut self) -> Result<Status, ClientError> {
        match self.ask(&Request::Status)? {
            Reply::Status(status) => Ok(status),
            other => Err(unexpected(other)),
        }
    }

    /// The raw 256-bit database key.
    ///
    /// # Errors
    /// [`Refusal::State`] unless the keeper is ready; [`ClientError`] otherwise.
    pub fn database_key(&mut self) -> Result<DatabaseKey, ClientError> {
        match self.ask(&Request::DatabaseKey)? {
            Reply::DatabaseKey(key) => Ok(key),
            other => Err(unexpected(other)),
        }
    }

    /// The leaf certificate to serve now, and the next. Ask again at least once a day.
    ///
    /// # Errors
    /// [`Refusal::State`] unless the keeper is ready; [`ClientError`] otherwise.
    pub fn leaves(&mut self) -> Result<Leaves, ClientError> {
        match self.ask(&Request::Leaves)? {
            Reply::Leaves(leaves) => Ok(*leaves),
            other => Err(unexpected(other)),
        }
    }

    /// A new key for these DNS names, wrapped, and a request for a certificate. Asked twice, two are made.
    ///
    /// # Errors
    /// [`Refusal::BadNames`], [`Refusal::NameKeysMade`], [`Refusal::State`] unless the keeper is ready; [`ClientError`]
    /// otherwise.
    pub fn name_key(&mut self, names: Vec<String>) -> Result<NameKey, ClientError> {
        match self.ask(&Request::NameKey { names })? {
            Reply::NameKey(made) => Ok(*made),
            other => Err(unexpected(other)),
        }
    }

    /// The private key that was made for names.
    ///
    /// # Errors
    /// [`Refusal::OtherNameKey`], [`Refusal::State`] unless the keeper is ready; [`ClientError`] otherwise.
    pub fn open_name_key(&mut self, wrapped: WrappedKey) -> Result<KeyDer, ClientError> {
        match self.ask(&Request::OpenNameKey { wrapped })? {
            Reply::OpenedNameKey(key) => Ok(key),
            other => Err(unexpected(other)),
        }
    }

    /// HMAC-SHA-256 under the pepper of `"wardline-pin-v1" ‖ person ‖ device ‖ input` (integers big-endian).
    ///
    /// # Errors
    /// [`Refusal::RateLimited`], [`Refusal::State`] unless the keeper is ready; [`ClientError`] otherwise.
    pub fn pin_mac(&mut self, person: u64, device: u64, input: [u8; 32]) -> Result<PinMac, ClientError> {
        match self.ask(&Request::PinMac { person, device, input: PinInput(input) })? {
            Reply::PinMac(mac) => Ok(mac),
            other => Err(unexpected(other)),
        }
    }

    /// The epoch counter.
    ///
    /// # Errors
    /// [`Refusal::State`] unless the keeper is ready; [`ClientError`] otherwise.
    pub fn epoch(&mut self) -> Result<u64, ClientError> {
        self.ask_epoch(&Request::Epoch)
    }

    /// Advances the epoch counter by one and answers its new value. Not idempotent.
    ///
    /// # Errors
    /// [`Refusal::State`] unless the keeper is ready; [`ClientError`] otherwise.
    pub fn epoch_advance(&mut self) -> Result<u64, ClientError> {
        self.ask_epoch(&Request::EpochAdvance)
    }

    /// A quote over PCR 0, 7, 11, 12 and 15 that holds `nonce`. Works with changed PCRs: that is its use.
    ///
    /// # Errors
    /// [`Refusal::State`] when there is no attestation key or no TPM; [`ClientError`] otherwise.
    pub fn quote(&mut self, nonce: [u8; 32]) -> Result<Quote, ClientError> {
        match self.ask(&Request::Quote { nonce })? {
            Reply::Quote(quote) => Ok(*quote),
            other => Err(unexpected(other)),
        }
    }

    /// Makes the box's keys. Repeating it for the same vendor changes nothing. Provisioning role.
    ///
    /// # Errors
    /// [`Refusal`] says what to change; [`ClientError`] otherwise, and then repeating is safe.
    pub fn provision(&mut self, answers: Provision) -> Result<(), ClientError> {
        self.ask_done(&Request::Provision(Box::new(answers)))
    }

    /// A PKCS#10 request (DER) for the issuing key. Provisioning role.
    ///
    /// # Errors
    /// [`Refusal::State`] before provisioning or when the keys do not open; [`ClientError`] otherwise.
    pub fn issuing_request(&mut self) -> Result<Vec<u8>, ClientError> {
        match self.ask(&Request::IssuingRequest)? {
            Reply::IssuingRequest(der) => Ok(der),
            other => Err(unexpected(other)),
        }
    }

    /// Installs the issuing certificate and the root (DER, in that order), and the names that leaves are made for from then
    /// on. The same again changes nothing. Provisioning role.
    ///
    /// # Errors
    /// [`Refusal::BadNames`], [`Refusal::ChainRejected`]; [`ClientError`] otherwise, and then repeating is safe.
    pub fn install_issuing(&mut self, names: FacilityNames, chain: Vec<Vec<u8>>) -> Result<(), ClientError> {
        self.ask_done(&Request::InstallIssuing { names: Box::new(names), chain })
    }

    /// Which TPM the box has. Works while the keeper refuses everything else, once there are keys. Provisioning role.
    ///
    /// # Errors
    /// [`Refusal::State`] when there are no keys or no TPM; [`ClientError`] otherwise.
    pub fn identity(&mut self) -> Result<Identity, ClientError> {
        match self.ask(&Request::Identity)? {
            Reply::Identity(identity) => Ok(*identity),
            other => Err(unexpected(other)),
        }
    }

    /// Opens what was wrapped to this box. Provisioning role.
    ///
    /// # Errors
    /// [`Refusal::OtherCredential`], [`Refusal::State`] while the keys do not open; [`ClientError`] otherwise.
    pub fn activate_credential(&mut self, wrapped: &WrappedCredential) -> Result<Credential, ClientError> {
        let (credential_blob, encrypted_secret) = (wrapped.blob().to_vec(), wrapped.secret().to_vec());
        match self.ask(&Request::ActivateCredential { credential_blob, encrypted_secret })? {
            Reply::Credential(credential) => Ok(credential),
            other => Err(unexpected(other)),
        }
    }

    /// Installs a vendor approval. Works while the keeper refuses everything else. Provisioning role.
    ///
    /// # Errors
    /// [`Refusal::ApprovalRejected`]; [`ClientError`] otherwise.
    pub fn install_approval(&mut self, approval: &Approval) -> Result<(), ClientError> {
        self.ask_done(&Request::InstallApproval { approval: approval.to_bytes() })
    }

    /// Sets REVOKE bits; no request clears them. Provisioning role.
    ///
    /// # Errors
    /// [`Refusal::TicketRejected`]; [`ClientError`] otherwise.
    pub fn revoke(&mut self, ticket: &RevocationTicket) -> Result<(), ClientError> {
        self.ask_done(&Request::Revoke { ticket: ticket.to_bytes() })
    }

    /// Sends one request and reads its reply. Refusals are errors.
    fn ask(&mut self, request: &Request) -> Result<Reply, ClientError> {
        // Who has no role is told so without being heard, and may find the connection closed while it still asks.
        let written = frame::write(&mut self.stream, request);
        match (frame::read(&mut self.stream), written) {
            (Ok(Some(Reply::Refused(refusal))), _) => Err(refusal.into()),
            (_, Err(source)) => Err(ClientError::Lost(source)),
            (Ok(Some(reply)), Ok(())) => Ok(reply),
            (Ok(None), Ok(())) => Err(ClientError::Lost(io::ErrorKind::UnexpectedEof.into())),
            (Err(error), Ok(())) => Err(error.into()),
        }
    }

    fn ask_done(&mut self, request: &Request) -> Result<(), ClientError> {
        match self.ask(request)? {
            Reply::Done => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    fn ask_epoch(&mut self, request: &Request) -> Result<u64, ClientError> {
        match self.ask(request)? {
            Reply::Epoch(value) => Ok(value),
            other => Err(unexpected(other)),
        }
    }
}

fn unexpected(_: Reply) -> ClientError {
    ClientError::Peer(PeerFault::WrongReply)
}
