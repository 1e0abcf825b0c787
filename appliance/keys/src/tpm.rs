//! The TPM, as one value that one thread owns.
//!
//! Every session is salted to the storage key and encrypts what it can, in both directions; the only commands without
//! one are those that make the storage key, read public facts, or authorise with an empty password an object whose
//! use is not secret. Objects are loaded for one operation and flushed after it, because a bare TPM has three slots.
//!
//! Refuses: to go on after a transport error (the owner drops the value and opens a new one), to return a secret in
//! a type that does not wipe itself, and to decide anything: which PCRs, which approval and what a failure means for
//! the box is `keeper`'s.

mod commands;
mod endorsement;
mod error;
mod objects;
mod policy;

use std::fs::OpenOptions;

use tss_esapi::Context;
use tss_esapi::attributes::SessionAttributesBuilder;
use tss_esapi::constants::{CapabilityType, PropertyTag, SessionType};
use tss_esapi::handles::{
    KeyHandle, NvIndexHandle, NvIndexTpmHandle, ObjectHandle, PersistentTpmHandle, SessionHandle, TpmHandle,
};
use tss_esapi::interface_types::algorithm::HashingAlgorithm;
use tss_esapi::interface_types::reserved_handles::NvAuth;
use tss_esapi::interface_types::session_handles::AuthSession;
use tss_esapi::structures::{CapabilityData, PcrSelectionList, PcrSlot, SymmetricDefinition};
use tss_esapi::tcti_ldr::{DeviceConfig, TctiNameConf, TpmSimulatorConfig};
use tss_esapi::tss2_esys::{TPMA_NV, TPMT_TK_VERIFIED};
use wardline_keys_protocol::approval::Approval;
use wardline_keys_protocol::policy::{
    Digest, EPOCH_ATTRIBUTES, EPOCH_INDEX, NV_WRITTEN, Name, STORAGE_KEY_HANDLE,
};
use zeroize::Zeroizing;

pub use commands::Attested;
use error::{During, raw};
pub use error::{TpmError, TpmResult};
pub use objects::Wrapped;

/// First handle of transient objects (TPM_HT_TRANSIENT, Part 2, 7.2).
const TRANSIENT_FIRST: u32 = 0x8000_0000;
/// First handle of loaded sessions (TPM_HT_LOADED_SESSION).
const LOADED_SESSION_FIRST: u32 = 0x0200_0000;

/// Where the TPM is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TpmAddress {
    /// A kernel device, normally `/dev/tpmrm0`.
    Device(String),
    /// swtpm's socket interface: data on this port, control on the next.
    Swtpm {
        /// Host name or address.
        host: String,
        /// The data port.
        port: u16,
    },
}

/// Why a TPM address was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write `device:/dev/tpmrm0` or `swtpm:host=127.0.0.1,port=2321`")]
pub struct BadTpmAddress;

impl std::str::FromStr for TpmAddress {
    type Err = BadTpmAddress;

    /// Takes only the two forms of [`BadTpmAddress`]'s text: libtss2 takes `swtpm:path=…` for "localhost:2321".
    fn from_str(text: &str) -> Result<Self, BadTpmAddress> {
        if let Some(path) = text.strip_prefix("device:") {
            return if path.starts_with('/') { Ok(Self::Device(path.into())) } else { Err(BadTpmAddress) };
        }
        let rest = text.strip_prefix("swtpm:host=").ok_or(BadTpmAddress)?;
        let (host, port) = rest.split_once(",port=").ok_or(BadTpmAddress)?;
        match port.parse() {
            Ok(port) if !host.is_empty() && !host.contains([',', '=']) => {
                Ok(Self::Swtpm { host: host.into(), port })
            }
            _ => Err(BadTpmAddress),
        }
    }
}

impl TpmAddress {
    fn tcti(&self) -> Result<TctiNameConf, tss_esapi::Error> {
        Ok(match self {
            Self::Device(path) => TctiNameConf::Device(path.parse::<DeviceConfig>()?),
            Self::Swtpm { host, port } => {
                TctiNameConf::Swtpm(format!("host={host},port={port}").parse::<TpmSimulatorConfig>()?)
            }
        })
    }

    /// Why it could not be opened: libtss2 says "I/O error" to everything, so the device is opened once more by hand.
    fn why_not(&self) -> TpmError {
        let Self::Device(path) = self else { return TpmError::Gone };
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(_) => TpmError::Gone,
            Err(error) => TpmError::from_open(error.kind()),
        }
    }
}

/// Which parameters of a command a session encrypts: only a first parameter of variable size can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encrypt {
    Command,
    Response,
    Both,
    Nothing,
}

/// What was found at the storage key's handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageKey {
    /// The key that was looked for; sessions are salted to it from now on.
    Ours,
    /// Another key.
    Another,
    /// Nothing.
    Absent,
}

/// An open TPM.
pub struct Tpm {
    context: Context,
    /// The storage key here, once found and compared by Name. Sessions are salted to the public area that ESYS keeps
    /// for this very handle, so the Name is computed from that and from nothing that is read again.
    storage: Option<(KeyHandle, Name)>,
    /// The TPM's own word that an approval's signature is good, kept for that approval.
    ticket: Option<(Approval, TPMT_TK_VERIFIED)>,
}

impl Tpm {
    /// Connects, and flushes what an earlier keeper that was killed left loaded.
    ///
    /// # Errors
    /// [`TpmError::Gone`], [`TpmError::Denied`] or [`TpmError::InUse`] when it cannot be reached,
    /// [`TpmError::Failed`] when what answers reports a failure.
    pub fn open(address: &TpmAddress) -> TpmResult<Self> {
        let tcti = address.tcti().map_err(|_| TpmError::Gone)?;
        let context = Context::new(tcti).map_err(|_| address.why_not())?;
        let mut tpm = Self { context, storage: None, ticket: None };
        tpm.flush_leftovers()?;
        Ok(tpm)
    }

    /// Flushes every loaded object and session. The keeper owns the TPM, so they are its own; behind the kernel's
    /// resource manager only its own are visible.
    fn flush_leftovers(&mut self) -> TpmResult<()> {
        for first in [TRANSIENT_FIRST, LOADED_SESSION_FIRST] {
            for handle in self.handles(first)? {
                let object =
                    self.context.tr_from_tpm_public(handle).during("finding what is still loaded")?;
                match self.context.flush_context(object) {
                    // The wrapper's books do not let a policy session go that it did not start; the TPM did.
                    Ok(()) | Err(tss_esapi::Error::WrapperError(_)) => {}
                    Err(error) => return Err(TpmError::from_tss("flushing what is still loaded", error)),
                }
            }
        }
        match self.loaded()? {
            0 => Ok(()),
            _ => Err(TpmError::Failed { doing: "flushing what is still loaded", code: 0 }),
        }
    }

    /// The handles of the range that begins at `first` (TPM2_GetCapability, Part 3, 30.2), at most 64.
    fn handles(&mut self, first: u32) -> TpmResult<Vec<TpmHandle>> {
        let (data, _) =
            self.context.get_capability(CapabilityType::Handles, first, 64).during("listing handles")?;
        match data {
            CapabilityData::Handles(list) => {
                // The list runs on into the next range. Policy sessions (0x03) are among the loaded ones (0x02).
                let last = if first == LOADED_SESSION_FIRST { 0x03FF_FFFF } else { first | 0x00FF_FFFF };
                Ok(list
                    .into_inner()
                    .into_iter()
                    .filter(|h| (first..=last).contains(&u32::from(*h)))
                    .collect())
            }
            _ => Err(TpmError::Failed { doing: "listing handles", code: 0 }),
        }
    }

    /// How many transient objects and sessions are loaded: 0 between operations.
    ///
    /// # Errors
    /// See [`TpmError`].
    pub fn loaded(&mut self) -> TpmResult<usize> {
        Ok(self.handles(TRANSIENT_FIRST)?.len() + self.handles(LOADED_SESSION_FIRST)?.len())
    }

    /// Whether the TPM is in dictionary-attack lockout (TPMA_PERMANENT.inLockout, Part 2, 8.6).
    ///
    /// # Errors
    /// See [`TpmError`].
    pub fn in_lockout(&mut self) -> TpmResult<bool> {
        // The crate's `get_tpm_property` caches, and this one changes.
        let (data, _) = self
            .context
            .get_capability(CapabilityType::TpmProperties, u32::from(PropertyTag::Permanent), 1)
            .during("reading the lockout flag")?;
        match data {
            CapabilityData::TpmProperties(list) => {
                let permanent = list.find(PropertyTag::Permanent).map_or(0, |property| property.value());
                Ok(permanent & (1 << 9) != 0)
            }
            _ => Err(TpmError::Failed { doing: "reading the lockout flag", code: 0 }),
        }
    }

    /// PCRs of the SHA-256 bank in the order asked, at most 8 (TPM2_PCR_Read, Part 3, 22.4).
    ///
    /// # Errors
    /// [`TpmError::NoSha256Bank`] when the bank is off.
    pub fn pcrs(&mut self, which: &[u8]) -> TpmResult<Vec<(u8, Digest)>> {
        let (_, _, values) = self
            .context
            .execute_without_session(|ctx| ctx.pcr_read(selection(which)))
            .during("reading PCRs")?;
        if values.len() != which.len() {
            return Err(TpmError::NoSha256Bank);
        }
        which
            .iter()
            .zip(values.value())
            .map(|(index, value)| {
                let value = Digest::try_from(value.as_bytes()).map_err(|_| TpmError::NoSha256Bank)?;
                Ok((*index, value))
            })
            .collect()
    }

    /// Looks for the storage key of this Name, and salts every later session to it when it is there.
    ///
    /// # Errors
    /// See [`TpmError`].
    pub fn use_storage_key(&mut self, expected: &Name) -> TpmResult<StorageKey> {
        if self.storage.is_some_and(|(_, name)| name == *expected) {
            return Ok(StorageKey::Ours);
        }
        self.storage = None;
        let handle = PersistentTpmHandle::new(STORAGE_KEY_HANDLE).during("naming the storage key")?;
        let mut object = match self.context.tr_from_tpm_public(handle.into()) {
            Ok(object) => object,
            Err(error) if raw::no_such_handle(&error) => return Ok(StorageKey::Absent),
            Err(error) => return Err(TpmError::from_tss("reading the storage key", error)),
        };
        if self.name_of(object)? != Some(*expected) {
            // ESYS would keep this public area for the handle, whatever is there later.
            self.context.tr_close(&mut object).during("forgetting another storage key")?;
            return Ok(StorageKey::Another);
        }
        self.storage = Some((KeyHandle::from(object), *expected));
        Ok(StorageKey::Ours)
    }

    fn storage(&self) -> TpmResult<KeyHandle> {
        let missing = TpmError::Failed { doing: "using the storage key before it was found", code: 0 };
        self.storage.map(|(key, _)| key).ok_or(missing)
    }

    /// The Name of a handle's object, computed by ESYS from the public area that it keeps and uses
    /// (Esys_TR_GetName), not the one that the TPM's answer claims; `None` when it is of another algorithm.
    fn name_of(&mut self, object: ObjectHandle) -> TpmResult<Option<Name>> {
        let name = self.context.tr_get_name(object).during("computing a Name")?;
        Ok(Name::try_from(name.value()).ok())
    }

    /// Runs `f` with a session salted to the storage key and flushes it.
    fn with_session<T>(
        &mut self,
        kind: SessionType,
        encrypt: Encrypt,
        f: impl FnOnce(&mut Self, AuthSession) -> TpmResult<T>,
    ) -> TpmResult<T> {
        let storage = self.storage()?;
        let session = self
            .context
            .execute_without_session(|ctx| {
                ctx.start_auth_session(
                    Some(storage),
                    None,
                    None,
                    kind,
                    SymmetricDefinition::AES_128_CFB,
                    HashingAlgorithm::Sha256,
                )
            })
            .during("starting a session")?
            .ok_or(TpmError::Failed { doing: "starting a session", code: 0 })?;
        let (attributes, mask) = SessionAttributesBuilder::new()
            .with_continue_session(true)
            .with_decrypt(matches!(encrypt, Encrypt::Command | Encrypt::Both))
            .with_encrypt(matches!(encrypt, Encrypt::Response | Encrypt::Both))
            .build();
        let result = self
            .context
            .tr_sess_set_attributes(session, attributes, mask)
            .during("starting a session")
            .and_then(|()| f(self, session));
        let flushed =
            self.context.flush_context(SessionHandle::from(session).into()).during("ending a session");
        let value = result?;
        flushed?;
        Ok(value)
    }

    /// Runs `f` with a loaded object and flushes it.
    fn with_object<T>(
        &mut self,
        object: ObjectHandle,
        f: impl FnOnce(&mut Self, ObjectHandle) -> TpmResult<T>,
    ) -> TpmResult<T> {
        let result = f(self, object);
        let flushed = self.context.flush_context(object).during("flushing an object");
        let value = result?;
        flushed?;
        Ok(value)
    }

    /// 32 random bytes from the TPM, encrypted on the way (TPM2_GetRandom, Part 3, 16.1).
    ///
    /// # Errors
    /// See [`TpmError`].
    pub fn random(&mut self) -> TpmResult<Zeroizing<[u8; 32]>> {
        self.with_session(SessionType::Hmac, Encrypt::Response, |tpm, session| {
            let bytes = tpm
                .context
                .execute_with_session(Some(session), |ctx| ctx.get_random(32))
                .during("reading random bytes")?;
            let mut out = Zeroizing::new([0; 32]);
            match bytes.as_bytes() {
                bytes if bytes.len() == 32 => out.copy_from_slice(bytes),
                _ => return Err(TpmError::Failed { doing: "reading random bytes", code: 0 }),
            }
            Ok(out)
        })
    }

    /// An NV index's handle here and its Name, or `None` when it is not defined (TPM2_NV_ReadPublic, Part 3, 31.6).
    fn nv(&mut self, index: u32) -> TpmResult<Option<(NvIndexHandle, Name)>> {
        let handle = NvIndexTpmHandle::new(index).during("naming an index")?;
        let object = match self.context.tr_from_tpm_public(handle.into()) {
            Ok(object) => object,
            Err(error) if raw::no_such_handle(&error) => return Ok(None),
            Err(error) => return Err(TpmError::from_tss("reading an index's public area", error)),
        };
        // A Name of another algorithm is none of ours; all zeroes equal none.
        let name = self.name_of(object)?.unwrap_or([0; 34]);
        Ok(Some((NvIndexHandle::from(object), name)))
    }

    /// Whether EPOCH is there and was counted up: the TPM belongs to an installation. Only words hang on it, because
    /// nobody vouches for the answer.
    ///
    /// # Errors
    /// See [`TpmError`].
    pub fn counts_epochs(&mut self) -> TpmResult<bool> {
        Ok(self.nv_attributes(EPOCH_INDEX)?.is_some_and(|there| there == EPOCH_ATTRIBUTES | NV_WRITTEN))
    }

    /// An NV index's attributes (Part 2, 13.4), or `None` when it is not defined.
    ///
    /// # Errors
    /// See [`TpmError`].
    pub(crate) fn nv_attributes(&mut self, index: u32) -> TpmResult<Option<u32>> {
        let Some((handle, _)) = self.nv(index)? else { return Ok(None) };
        let (public, _) = self.context.nv_read_public(handle).during("reading an index's public area")?;
        TPMA_NV::try_from(public.attributes()).during("reading an index's attributes").map(Some)
    }

    /// An NV index's Name, or `None` when it is not defined.
    ///
    /// # Errors
    /// See [`TpmError`].
    pub fn nv_name(&mut self, index: u32) -> TpmResult<Option<Name>> {
        Ok(self.nv(index)?.map(|(_, name)| name))
    }

    /// Reads an 8-byte index under a salted session, so that an interposer cannot change the answer
    /// (TPM2_NV_Read, Part 3, 31.13).
    ///
    /// # Errors
    /// See [`TpmError`]; [`TpmError::Failed`] when the index is not defined or never written.
    pub fn nv_read_u64(&mut self, index: u32) -> TpmResult<u64> {
        let missing = TpmError::Failed { doing: "reading an index that is not defined", code: 0 };
        let (handle, _) = self.nv(index)?.ok_or(missing)?;
        self.with_session(SessionType::Hmac, Encrypt::Response, |tpm, session| {
            let bytes = tpm
                .context
                .execute_with_session(Some(session), |ctx| ctx.nv_read(NvAuth::NvIndex(handle), handle, 8, 0))
                .during("reading an index")?;
            let bytes = <[u8; 8]>::try_from(bytes.as_bytes())
                .map_err(|_| TpmError::Failed { doing: "reading an index", code: 0 })?;
            Ok(u64::from_be_bytes(bytes))
        })
    }
}

/// A TPM2B: the length of at most 64 KiB, then the bytes.
fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

/// A selection of SHA-256 PCRs.
fn selection(which: &[u8]) -> PcrSelectionList {
    let slots: Vec<PcrSlot> =
        which.iter().filter_map(|index| PcrSlot::try_from(1u32 << u32::from(*index % 24)).ok()).collect();
    PcrSelectionList::builder()
        .with_selection(HashingAlgorithm::Sha256, &slots)
        .build()
        .expect("one SHA-256 selection of PCRs below 24 is always well-formed")
}
