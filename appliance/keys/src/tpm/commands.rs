//! What the keeper's objects are for: one command each, under P' where a secret depends on it.

use tss_esapi::constants::SessionType;
use tss_esapi::handles::ObjectHandle;
use tss_esapi::interface_types::algorithm::HashingAlgorithm;
use tss_esapi::interface_types::reserved_handles::NvAuth;
use tss_esapi::structures::{
    Data, Digest as TpmDigest, EccSignature, MaxBuffer, Private, Public, Signature, SignatureScheme,
};
use tss_esapi::traits::{Marshall, UnMarshall};
use wardline_keys_protocol::approval::Approval;
use wardline_keys_protocol::policy::{Digest, EPOCH_INDEX, SignerKey};
use zeroize::Zeroizing;

use super::error::During;
use super::objects::right_align;
use super::{Encrypt, Tpm, TpmError, TpmResult, Wrapped, selection};

/// A quote as the TPM gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attested {
    /// TPMS_ATTEST.
    pub attest: Vec<u8>,
    /// TPMT_SIGNATURE.
    pub signature: Vec<u8>,
}

impl Tpm {
    /// Runs `f` with a wrapped object loaded, and flushes it.
    pub(super) fn with_loaded<T>(
        &mut self,
        wrapped: &Wrapped,
        f: impl FnOnce(&mut Self, ObjectHandle) -> TpmResult<T>,
    ) -> TpmResult<T> {
        let damaged = |_| TpmError::Damaged { doing: "reading a wrapped object", code: 0 };
        let public = Public::unmarshall(&wrapped.public).map_err(damaged)?;
        let private = Private::try_from(wrapped.private.clone()).map_err(damaged)?;
        let storage = self.storage()?;
        let key = self.with_session(SessionType::Hmac, Encrypt::Both, |tpm, session| {
            tpm.context
                .execute_with_session(Some(session), |ctx| ctx.load(storage, private, public))
                .during("loading an object")
        })?;
        self.with_object(key.into(), f)
    }

    /// Runs one command on a loaded object, authorised by P' and with encrypted parameters.
    fn use_object<T>(
        &mut self,
        (vendor, approval): (&SignerKey, &Approval),
        object: &Wrapped,
        encrypt: Encrypt,
        doing: &'static str,
        command: impl FnOnce(&mut tss_esapi::Context, ObjectHandle) -> Result<T, tss_esapi::Error>,
    ) -> TpmResult<T> {
        self.with_policy(vendor, approval, |tpm, policy| {
            tpm.with_loaded(object, |tpm, object| {
                tpm.with_session(SessionType::Hmac, encrypt, |tpm, session| {
                    tpm.context
                        .execute_with_sessions((Some(policy), Some(session), None), |ctx| {
                            command(ctx, object)
                        })
                        .during(doing)
                })
            })
        })
    }

    /// Unseals 32 bytes (TPM2_Unseal, Part 3, 12.7).
    ///
    /// # Errors
    /// [`TpmError::Refused`] when P' does not hold, [`TpmError::Damaged`] when the object is not of this TPM.
    pub fn unseal(
        &mut self,
        by: (&SignerKey, &Approval),
        sealed: &Wrapped,
    ) -> TpmResult<Zeroizing<[u8; 32]>> {
        let data =
            self.use_object(by, sealed, Encrypt::Response, "unsealing", |ctx, item| ctx.unseal(item))?;
        let mut out = Zeroizing::new([0; 32]);
        if data.as_bytes().len() != out.len() {
            return Err(TpmError::Damaged { doing: "unsealing", code: 0 });
        }
        out.copy_from_slice(data.as_bytes());
        Ok(out)
    }

    /// HMAC-SHA-256 of `message`, at most 1 KiB (TPM2_HMAC, Part 3, 15.4).
    ///
    /// # Errors
    /// As [`Tpm::unseal`].
    pub fn hmac(
        &mut self,
        by: (&SignerKey, &Approval),
        key: &Wrapped,
        message: &[u8],
    ) -> TpmResult<Zeroizing<[u8; 32]>> {
        let buffer = MaxBuffer::from_bytes(message).during("taking a message")?;
        let mac = self.use_object(by, key, Encrypt::Both, "computing a MAC", |ctx, key| {
            ctx.hmac(key, buffer, HashingAlgorithm::Sha256)
        })?;
        <[u8; 32]>::try_from(mac.as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| TpmError::Failed { doing: "computing a MAC", code: 0 })
    }

    /// ECDSA P-256 over a SHA-256 digest; r then s (TPM2_Sign, Part 3, 20.2).
    ///
    /// # Errors
    /// As [`Tpm::unseal`].
    pub fn sign(
        &mut self,
        by: (&SignerKey, &Approval),
        key: &Wrapped,
        digest: Digest,
    ) -> TpmResult<[u8; 64]> {
        let signature = self.use_object(by, key, Encrypt::Command, "signing", |ctx, key| {
            ctx.sign(key.into(), TpmDigest::from(digest), SignatureScheme::Null, None)
        })?;
        let failed = TpmError::Failed { doing: "signing", code: 0 };
        match signature {
            Signature::EcDsa(ecdsa) => fixed(&ecdsa).ok_or(failed),
            _ => Err(failed),
        }
    }

    /// Quotes `pcrs` with `nonce` (TPM2_Quote, Part 3, 18.4).
    ///
    /// # Errors
    /// See [`TpmError`].
    pub fn quote(&mut self, key: &Wrapped, nonce: &[u8; 32], pcrs: &[u8]) -> TpmResult<Attested> {
        let nonce = Data::from_bytes(nonce).during("taking a nonce")?;
        let (attest, signature) = self.with_loaded(key, |tpm, key| {
            tpm.with_session(SessionType::Hmac, Encrypt::Command, |tpm, session| {
                tpm.context
                    .execute_with_session(Some(session), |ctx| {
                        ctx.quote(key.into(), nonce, SignatureScheme::Null, selection(pcrs))
                    })
                    .during("quoting")
            })
        })?;
        let failed = TpmError::Failed { doing: "quoting", code: 0 };
        let Signature::EcDsa(ecdsa) = signature else { return Err(failed) };
        let fixed = fixed(&ecdsa).ok_or(failed)?;
        let (r, s) = fixed.split_at(32);
        // TPMT_SIGNATURE: ECDSA, SHA-256, r and s as TPM2B.
        let signature = [&[0x00, 0x18, 0x00, 0x0B, 0, 32], r, &[0, 32], s].concat();
        Ok(Attested { attest: attest.marshall().during("quoting")?, signature })
    }

    /// Advances EPOCH under P' (TPM2_NV_Increment, Part 3, 31.8).
    ///
    /// # Errors
    /// [`TpmError::Refused`] when P' does not hold.
    pub fn advance_epoch(&mut self, (vendor, approval): (&SignerKey, &Approval)) -> TpmResult<()> {
        let missing = TpmError::Failed { doing: "advancing an index that is not defined", code: 0 };
        let (index, _) = self.nv(EPOCH_INDEX)?.ok_or(missing)?;
        self.with_policy(vendor, approval, |tpm, policy| {
            tpm.context
                .execute_with_session(Some(policy), |ctx| ctx.nv_increment(NvAuth::NvIndex(index), index))
                .during("advancing the epoch")
        })
    }
}

/// r and s at their full 32 bytes each.
fn fixed(signature: &EccSignature) -> Option<[u8; 64]> {
    let mut out = [0; 64];
    right_align(&mut out[..32], signature.signature_r().as_bytes())?;
    right_align(&mut out[32..], signature.signature_s().as_bytes())?;
    Some(out)
}
