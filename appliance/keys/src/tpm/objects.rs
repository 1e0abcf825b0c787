//! The keeper's objects, and how each is made.

use minicbor::{Decode, Encode};
use tss_esapi::attributes::{NvIndexAttributes, ObjectAttributes, ObjectAttributesBuilder};
use tss_esapi::constants::SessionType;
use tss_esapi::handles::{NvIndexTpmHandle, ObjectHandle, PersistentTpmHandle};
use tss_esapi::interface_types::algorithm::{HashingAlgorithm, PublicAlgorithm};
use tss_esapi::interface_types::data_handles::Persistent;
use tss_esapi::interface_types::ecc::EccCurve;
use tss_esapi::interface_types::reserved_handles::{Hierarchy, Provision};
use tss_esapi::interface_types::session_handles::AuthSession;
use tss_esapi::structures::{
    Digest as TpmDigest, EccPoint, EccScheme, HashScheme, HmacScheme, KeyedHashScheme, NvPublic, Public,
    PublicBuilder, PublicEccParametersBuilder, PublicKeyedHashParameters, SensitiveData,
    SymmetricDefinitionObject,
};
use tss_esapi::traits::{Marshall, UnMarshall};
use wardline_keys_protocol::policy::{self, Digest, Name, STORAGE_KEY_HANDLE};

use super::error::During;
use super::{Encrypt, StorageKey, Tpm, TpmError, TpmResult, sized};

/// An object that only the storage key that made it can load: TPMT_PUBLIC and the encrypted private part.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Wrapped {
    /// TPMT_PUBLIC (TPM 2.0 Part 2, 12.2.4).
    #[cbor(n(0), with = "minicbor::bytes")]
    pub public: Vec<u8>,
    /// The buffer of TPM2B_PRIVATE (Part 2, 12.3.7).
    #[cbor(n(1), with = "minicbor::bytes")]
    pub private: Vec<u8>,
}

impl Wrapped {
    /// Its TPM2B_PUBLIC (Part 2, 12.2.5).
    pub fn tpm2b_public(&self) -> Vec<u8> {
        sized(&self.public)
    }

    /// For an ECC object: its public point, SEC1 uncompressed.
    pub fn point(&self) -> Option<[u8; 65]> {
        match Public::unmarshall(&self.public) {
            Ok(Public::Ecc { unique, .. }) => {
                let mut out = [0; 65];
                out[0] = 4;
                right_align(&mut out[1..33], unique.x().as_bytes())?;
                right_align(&mut out[33..], unique.y().as_bytes())?;
                Some(out)
            }
            _ => None,
        }
    }
}

/// Copies big-endian `bytes`, which a TPM may have shortened, to the right end of `out`.
pub(super) fn right_align(out: &mut [u8], bytes: &[u8]) -> Option<()> {
    let start = out.len().checked_sub(bytes.len())?;
    out[start..].copy_from_slice(bytes);
    Some(())
}

pub(super) fn name_of_public(public: &Public) -> TpmResult<Name> {
    public.marshall().during("naming a public area").map(|bytes| policy::name_of(&bytes))
}

fn ecdsa_scheme() -> EccScheme {
    EccScheme::EcDsa(HashScheme::new(HashingAlgorithm::Sha256))
}

fn ecc_public(
    attributes: ObjectAttributes,
    parameters: PublicEccParametersBuilder,
    policy: Option<&Digest>,
) -> TpmResult<Public> {
    let doing = "describing a key";
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::Ecc)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes)
        .with_auth_policy(policy.map_or_else(TpmDigest::default, |p| TpmDigest::from(*p)))
        .with_ecc_parameters(parameters.build().during(doing)?)
        .with_ecc_unique_identifier(EccPoint::default())
        .build()
        .during(doing)
}

fn keyed_hash_public(
    attributes: ObjectAttributes,
    scheme: KeyedHashScheme,
    policy: &Digest,
) -> TpmResult<Public> {
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::KeyedHash)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes)
        .with_auth_policy(TpmDigest::from(*policy))
        .with_keyed_hash_parameters(PublicKeyedHashParameters::new(scheme))
        .with_keyed_hash_unique_identifier(TpmDigest::default())
        .build()
        .during("describing an object")
}

/// Never leaves this TPM and this parent; failed uses do not count towards lockout.
fn bound_here() -> ObjectAttributesBuilder {
    ObjectAttributesBuilder::new().with_fixed_tpm(true).with_fixed_parent(true).with_no_da(true)
}

impl Tpm {
    /// Makes the storage key at its handle, or finds it there. The same seed and template always give the same key,
    /// so repeating is safe. Before this there is nothing to salt a session to, and no secret passes.
    ///
    /// # Errors
    /// [`TpmError::Taken`] when another key is at the handle.
    pub fn make_storage_key(&mut self) -> TpmResult<Name> {
        self.with_primary(|tpm, key, name| {
            match tpm.use_storage_key(&name)? {
                StorageKey::Ours => {}
                StorageKey::Another => return Err(TpmError::Taken),
                StorageKey::Absent => tpm.keep_storage_key(key, &name)?,
            }
            Ok(name)
        })
    }

    /// Puts the storage key back at its empty handle when this TPM still makes the key of that Name; answers whether
    /// it does. On a cleared or foreign TPM the handle stays empty.
    ///
    /// # Errors
    /// See [`TpmError`].
    pub fn restore_storage_key(&mut self, expected: &Name) -> TpmResult<bool> {
        self.with_primary(|tpm, key, name| {
            let ours = name == *expected;
            if ours {
                tpm.keep_storage_key(key, expected)?;
            }
            Ok(ours)
        })
    }

    fn keep_storage_key(&mut self, key: ObjectHandle, name: &Name) -> TpmResult<()> {
        let doing = "keeping the storage key";
        let handle = PersistentTpmHandle::new(STORAGE_KEY_HANDLE).during("naming the storage key")?;
        self.context
            .execute_with_session(Some(AuthSession::Password), |ctx| {
                ctx.evict_control(Provision::Owner, key, Persistent::Persistent(handle))
            })
            .during(doing)?;
        match self.use_storage_key(name)? {
            StorageKey::Ours => Ok(()),
            StorageKey::Another | StorageKey::Absent => Err(TpmError::Failed { doing, code: 0 }),
        }
    }

    /// Runs `f` with the owner hierarchy's key of the storage key's template, and its Name.
    fn with_primary<T>(
        &mut self,
        f: impl FnOnce(&mut Self, ObjectHandle, Name) -> TpmResult<T>,
    ) -> TpmResult<T> {
        let attributes = bound_here()
            .with_sensitive_data_origin(true)
            .with_user_with_auth(true)
            .with_restricted(true)
            .with_decrypt(true)
            .build()
            .during("describing the storage key")?;
        let parameters = PublicEccParametersBuilder::new_restricted_decryption_key(
            SymmetricDefinitionObject::AES_128_CFB,
            EccCurve::NistP256,
        );
        let public = ecc_public(attributes, parameters, None)?;
        let primary = self
            .context
            .execute_with_session(Some(AuthSession::Password), |ctx| {
                ctx.create_primary(Hierarchy::Owner, public, None, None, None, None)
            })
            .during("making the storage key")?;
        let name = name_of_public(&primary.out_public)?;
        self.with_object(primary.key_handle.into(), |tpm, key| f(tpm, key, name))
    }

    /// Creates an object under the storage key. `secret` is the command's first parameter, so it travels encrypted.
    fn create(&mut self, public: Public, secret: Option<&[u8; 32]>) -> TpmResult<Wrapped> {
        let storage = self.storage()?;
        let secret =
            secret.map(|bytes| SensitiveData::from_bytes(bytes)).transpose().during("taking a secret")?;
        let made = self.with_session(SessionType::Hmac, Encrypt::Both, |tpm, session| {
            tpm.context
                .execute_with_session(Some(session), |ctx| {
                    ctx.create(storage, public, None, secret, None, None)
                })
                .during("making an object")
        })?;
        Ok(Wrapped {
            public: made.out_public.marshall().during("making an object")?,
            private: made.out_private.as_bytes().to_vec(),
        })
    }

    /// Seals 32 bytes under `policy` (TPM2_Create, Part 3, 12.1).
    ///
    /// # Errors
    /// See [`TpmError`].
    pub fn seal(&mut self, secret: &[u8; 32], policy: &Digest) -> TpmResult<Wrapped> {
        let attributes = bound_here().build().during("describing an object")?;
        self.create(keyed_hash_public(attributes, KeyedHashScheme::Null, policy)?, Some(secret))
    }

    /// Makes an HMAC-SHA-256 key of 32 given bytes, usable under `policy` only.
    ///
    /// # Errors
    /// See [`TpmError`].
    pub fn make_hmac_key(&mut self, key: &[u8; 32], policy: &Digest) -> TpmResult<Wrapped> {
        let attributes = bound_here().with_sign_encrypt(true).build().during("describing an object")?;
        let scheme = KeyedHashScheme::Hmac { hmac_scheme: HmacScheme::new(HashingAlgorithm::Sha256) };
        self.create(keyed_hash_public(attributes, scheme, policy)?, Some(key))
    }

    /// Makes a P-256 signing key inside the TPM, usable under `policy` only.
    ///
    /// # Errors
    /// See [`TpmError`].
    pub fn make_signing_key(&mut self, policy: &Digest) -> TpmResult<Wrapped> {
        let attributes = bound_here()
            .with_sensitive_data_origin(true)
            .with_sign_encrypt(true)
            .build()
            .during("describing a key")?;
        let parameters =
            PublicEccParametersBuilder::new_unrestricted_signing_key(ecdsa_scheme(), EccCurve::NistP256);
        self.create(ecc_public(attributes, parameters, Some(policy))?, None)
    }

    /// Makes the attestation key: P-256, restricted to signing what the TPM itself says. Under no policy, because
    /// what it is for is telling others what the PCRs have become.
    ///
    /// # Errors
    /// See [`TpmError`].
    pub fn make_attestation_key(&mut self) -> TpmResult<Wrapped> {
        let attributes = bound_here()
            .with_sensitive_data_origin(true)
            .with_user_with_auth(true)
            .with_restricted(true)
            .with_sign_encrypt(true)
            .build()
            .during("describing a key")?;
        let parameters =
            PublicEccParametersBuilder::new_unrestricted_signing_key(ecdsa_scheme(), EccCurve::NistP256)
                .with_restricted(true);
        self.create(ecc_public(attributes, parameters, None)?, None)
    }

    /// Defines an NV index of 8 bytes whose attributes are given as in Part 2, 13.4
    /// (TPM2_NV_DefineSpace, Part 3, 31.3). No authorisation value, so nothing secret passes.
    ///
    /// # Errors
    /// See [`TpmError`].
    pub(crate) fn nv_define(&mut self, index: u32, attributes: u32, policy: &Digest) -> TpmResult<()> {
        let doing = "defining an index";
        let public = NvPublic::builder()
            .with_nv_index(NvIndexTpmHandle::new(index).during(doing)?)
            .with_index_name_algorithm(HashingAlgorithm::Sha256)
            .with_index_attributes(NvIndexAttributes::try_from(attributes).during(doing)?)
            .with_index_auth_policy(TpmDigest::from(*policy))
            .with_data_area_size(8)
            .build()
            .during(doing)?;
        self.context
            .execute_with_session(Some(AuthSession::Password), |ctx| {
                ctx.nv_define_space(Provision::Owner, None, public)
            })
            .during(doing)
            .map(|_| ())
    }

    /// Removes an NV index (TPM2_NV_UndefineSpace, Part 3, 31.4).
    ///
    /// # Errors
    /// See [`TpmError`].
    pub(crate) fn nv_undefine(&mut self, index: u32) -> TpmResult<()> {
        let Some((handle, _)) = self.nv(index)? else { return Ok(()) };
        self.context
            .execute_with_session(Some(AuthSession::Password), |ctx| {
                ctx.nv_undefine_space(Provision::Owner, handle)
            })
            .during("removing an index")
    }
}
