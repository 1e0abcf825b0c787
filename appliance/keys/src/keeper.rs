//! The keeper: one request in, one reply out, on the one thread that owns the TPM.
//!
//! Every answer that holds a key goes through the TPM's own policy; what the keeper checks beside it is only to say
//! *why* in words. It hands nothing out in any state but `Ready`. Time is an argument.

mod certified;
mod check;
mod identity;
mod names;
mod provision;

use tracing::{error, warn};
use wardline_keys_protocol::approval::{Approval, RevocationTicket};
use wardline_keys_protocol::message::{Refusal, Reply, Request, Status};
use wardline_keys_protocol::policy::{EPOCH_INDEX, IMAGE_PCR, REVOKE_INDEX, SignerKey};
use wardline_keys_protocol::{Blob, DatabaseKey, KeeperState, PinMac};
use zeroize::Zeroizing;

use crate::issuing::EndWarning;
use crate::leaf::LeafSet;
use crate::name_key::NameLimit;
use crate::pin_limit::PinLimit;
use crate::record::{Approvals, BoxRecord};
use crate::store::{Store, StoreError};
use crate::tpm::{Tpm, TpmAddress, TpmError, Wrapped};

pub use certified::root_hash;
pub use wardline_keys_protocol::quote::QUOTED_PCRS;

/// The time, as the edge read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Wall clock, Unix seconds.
    pub unix_s: i64,
    /// A clock that never goes back, milliseconds.
    pub mono_ms: u64,
}

/// What a connected process may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Roles {
    /// The relay's requests.
    pub relay: bool,
    /// The provisioning tool's requests.
    pub provisioning: bool,
}

impl Roles {
    fn may(self, request: &Request) -> bool {
        match request {
            Request::Status | Request::Epoch => self.relay || self.provisioning,
            Request::DatabaseKey
            | Request::Leaves
            | Request::PinMac { .. }
            | Request::EpochAdvance
            | Request::NameKey { .. }
            | Request::OpenNameKey { .. } => self.relay,
            // A receipt is a quote over a hash: whoever may ask for one over bytes of their choice writes receipts.
            Request::Quote { .. }
            | Request::Provision(_)
            | Request::IssuingRequest
            | Request::InstallIssuing { .. }
            | Request::Identity
            | Request::ActivateCredential { .. }
            | Request::InstallApproval { .. }
            | Request::Revoke { .. } => self.provisioning,
        }
    }
}

/// What a request ran into: to the caller, or about the box, or the TPM's own words.
enum Stop {
    Refusal(Refusal),
    State(KeeperState),
    Tpm(TpmError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refusal(refusal)
    }
}

impl From<KeeperState> for Stop {
    fn from(state: KeeperState) -> Self {
        Stop::State(state)
    }
}

impl From<TpmError> for Stop {
    fn from(error: TpmError) -> Self {
        Stop::Tpm(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(which) => Stop::State(KeeperState::BlobMissing { which }),
            StoreError::Corrupt(which) => Stop::State(KeeperState::BlobCorrupt { which }),
            StoreError::Io(source) => source.into(),
        }
    }
}

impl From<std::io::Error> for Stop {
    fn from(source: std::io::Error) -> Self {
        error!(%source, "the state directory cannot be used");
        Stop::State(KeeperState::StateUnusable)
    }
}

/// What is known once keys can be opened.
#[derive(Debug, Clone)]
struct Opened {
    record: BoxRecord,
    vendor: SignerKey,
    approval: Approval,
}

impl Opened {
    fn by(&self) -> (&SignerKey, &Approval) {
        (&self.vendor, &self.approval)
    }
}

/// The keeper.
pub struct Keeper {
    address: TpmAddress,
    store: Store,
    /// Approvals that came with the running image, not yet checked against the vendor's key.
    image_approvals: Vec<Approval>,
    tpm: Option<Tpm>,
    /// Kept from the last full check, so that a PIN does not pay for one. The TPM judges each use anyway.
    opened: Option<Opened>,
    leaves: Option<LeafSet>,
    /// The issuing certificate's end, from the last full check.
    issuing_end: Option<i64>,
    end_warning: EndWarning,
    pin_limit: PinLimit,
    name_limit: NameLimit,
}

impl Keeper {
    /// A keeper that has not yet looked at its TPM.
    pub fn new(address: TpmAddress, store: Store, image_approvals: Vec<Approval>) -> Self {
        Self {
            address,
            store,
            image_approvals,
            tpm: None,
            opened: None,
            leaves: None,
            issuing_end: None,
            end_warning: EndWarning::default(),
            pin_limit: PinLimit::default(),
            name_limit: NameLimit::default(),
        }
    }

    /// Answers one request.
    pub fn handle(&mut self, now: Now, roles: Roles, request: Request) -> Reply {
        if !roles.may(&request) {
            return Reply::Refused(Refusal::NotAllowed);
        }
        if matches!(request, Request::Status) {
            return Reply::Status(self.status(now));
        }
        if let Request::PinMac { person, device, .. } = request
            && let Err(retry_after_ms) = self.pin_limit.take(now.mono_ms, person, device)
        {
            return Reply::Refused(Refusal::RateLimited { retry_after_ms });
        }
        if let Request::NameKey { names } = &request
            && let Err(refusal) = self.may_make_name_key(now, names)
        {
            return Reply::Refused(refusal);
        }
        let result = match self.answer(now, &request) {
            Err(Stop::Tpm(error)) if error.spends_connection() => self.answer_anew(now, &request, &error),
            result => result,
        };
        match result {
            Ok(reply) => reply,
            Err(Stop::Refusal(refusal)) => Reply::Refused(refusal),
            Err(Stop::State(state)) => Reply::Refused(Refusal::State(state)),
            Err(Stop::Tpm(error)) => Reply::Refused(self.explain(now, error)),
        }
    }

    /// Asks once more over a new connection: a single bad reply is no dead chip.
    fn answer_anew(&mut self, now: Now, request: &Request, error: &TpmError) -> Result<Reply, Stop> {
        self.reconnect(error);
        if matches!(request, Request::EpochAdvance) {
            // It may have counted already. Who asked reads the counter.
            self.check(now)?;
            return Err(Refusal::Fault.into());
        }
        self.answer(now, request)
    }

    /// The keeper's state, from a full check.
    pub fn status(&mut self, now: Now) -> Status {
        let state = match self.check(now) {
            Ok(_) => KeeperState::Ready,
            Err(state) => state,
        };
        let (mut revoked_bits, mut pcr11, mut lockout) = (None, None, false);
        if let Ok(tpm) = self.tpm() {
            pcr11 = tpm.pcrs(&[IMAGE_PCR]).ok().map(|pcrs| pcrs[0].1);
            lockout = tpm.in_lockout().unwrap_or(false);
            // Only under a session with this box's own TPM; on another one there is none.
            revoked_bits = tpm.nv_read_u64(REVOKE_INDEX).ok();
        }
        let (version, issuing_end) = (env!("CARGO_PKG_VERSION").into(), self.issuing_end);
        Status { state, revoked_bits, pcr11, version, lockout, issuing_end }
    }

    /// How many objects and sessions the TPM has loaded between requests; `None` when it does not answer.
    pub fn loaded(&mut self) -> Option<usize> {
        self.tpm().ok()?.loaded().ok()
    }

    /// The open TPM, opening it when need be.
    fn tpm(&mut self) -> Result<&mut Tpm, TpmError> {
        match &mut self.tpm {
            Some(tpm) => Ok(tpm),
            none => Ok(none.insert(Tpm::open(&self.address)?)),
        }
    }

    /// Drops the connection and what was opened over it; the next use connects again. The leaves stay: whether they
    /// are still good is for the check that follows, and their hashes were announced.
    fn reconnect(&mut self, error: &TpmError) {
        warn!(%error, "connecting to the TPM again");
        self.tpm = None;
        self.opened = None;
    }

    /// Forgets the connection and everything derived from it.
    fn forget(&mut self) {
        self.tpm = None;
        self.opened = None;
        self.leaves = None;
    }

    /// Turns the TPM's refusal into what explains it.
    fn explain(&mut self, now: Now, error: TpmError) -> Refusal {
        if error == TpmError::Later {
            return Refusal::Busy;
        }
        if matches!(error, TpmError::Refused { .. } | TpmError::Damaged { .. }) {
            match self.check(now) {
                // That something is not made yet explains no failure in making it.
                Ok(_) | Err(KeeperState::NotProvisioned | KeeperState::IssuingMissing) => {}
                Err(state) => return Refusal::State(state),
            }
        }
        self.opened = None;
        Refusal::State(self.state_of(Stop::Tpm(error)))
    }

    fn answer(&mut self, now: Now, request: &Request) -> Result<Reply, Stop> {
        match request {
            Request::Status => Ok(Reply::Status(self.status(now))),
            Request::DatabaseKey => {
                let opened = self.check(now)?;
                let sealed: Wrapped = self.store.read(Blob::DatabaseKey)?;
                let key = self.tpm()?.unseal(opened.by(), &sealed)?;
                Ok(Reply::DatabaseKey(DatabaseKey(*key)))
            }
            Request::Leaves => {
                self.check(now)?;
                let set = self.leaves.as_ref().ok_or(Refusal::Fault)?;
                Ok(Reply::Leaves(Box::new(set.leaves().clone())))
            }
            Request::PinMac { person, device, input } => {
                let opened = self.opened(now)?;
                let key: Wrapped = self.store.read(Blob::Pepper)?;
                let (person, device) = (person.to_be_bytes(), device.to_be_bytes());
                let message = Zeroizing::new(
                    [b"wardline-pin-v1".as_slice(), &person, &device, input.expose()].concat(),
                );
                let mac = self.tpm()?.hmac(opened.by(), &key, &message)?;
                Ok(Reply::PinMac(PinMac(*mac)))
            }
            Request::Epoch => {
                self.opened(now)?;
                Ok(Reply::Epoch(self.tpm()?.nv_read_u64(EPOCH_INDEX)?))
            }
            Request::EpochAdvance => {
                let opened = self.opened(now)?;
                let tpm = self.tpm()?;
                tpm.advance_epoch(opened.by())?;
                Ok(Reply::Epoch(tpm.nv_read_u64(EPOCH_INDEX)?))
            }
            Request::Quote { nonce } => self.quote(nonce),
            Request::Provision(answers) => self.provision(answers),
            Request::IssuingRequest => self.issuing_request(),
            Request::InstallIssuing { names, chain } => self.install_issuing(now, names, chain),
            Request::Identity => self.identity(),
            Request::ActivateCredential { credential_blob, encrypted_secret } => {
                self.activate_credential(credential_blob, encrypted_secret)
            }
            Request::InstallApproval { approval } => self.install_approval(approval),
            Request::Revoke { ticket } => self.revoke(ticket),
            Request::NameKey { names } => self.make_name_key(now, names),
            Request::OpenNameKey { wrapped } => self.open_name_key(now, wrapped),
        }
    }

    /// The last full check's result, or a new one.
    fn opened(&mut self, now: Now) -> Result<Opened, KeeperState> {
        match &self.opened {
            Some(opened) => Ok(opened.clone()),
            None => self.check(now),
        }
    }

    fn install_approval(&mut self, bytes: &[u8]) -> Result<Reply, Stop> {
        let record = self.local_record()?;
        let vendor = record.vendor().ok_or(KeeperState::BlobCorrupt { which: Blob::Identity })?;
        let approval = Approval::from_bytes(bytes).map_err(|_| Refusal::ApprovalRejected)?;
        if !approval.verify(&vendor) {
            return Err(Refusal::ApprovalRejected.into());
        }
        let mut approvals = match self.store.read(Blob::Approvals) {
            Ok(approvals) => approvals,
            // Approvals are signed and public: a lost or damaged list is mended by installing them again.
            Err(StoreError::Missing(_) | StoreError::Corrupt(_)) => Approvals::default(),
            Err(error) => return Err(error.into()),
        };
        approvals.add(approval);
        self.store.write(Blob::Approvals, &approvals)?;
        self.opened = None;
        Ok(Reply::Done)
    }

    fn revoke(&mut self, bytes: &[u8]) -> Result<Reply, Stop> {
        let record = self.record()?;
        let vendor = record.vendor().ok_or(KeeperState::BlobCorrupt { which: Blob::Identity })?;
        let ticket = RevocationTicket::from_bytes(bytes).map_err(|_| Refusal::TicketRejected)?;
        // The ticket that sets nothing is for the first write only.
        if ticket.bits == 0 || !ticket.verify(&vendor) {
            return Err(Refusal::TicketRejected.into());
        }
        let result = self.tpm()?.revoke(&vendor, &ticket);
        self.opened = None;
        self.leaves = None;
        match result {
            Err(TpmError::Refused { .. }) => Err(Refusal::TicketRejected.into()),
            other => Ok(other.map(|()| Reply::Done)?),
        }
    }
}
