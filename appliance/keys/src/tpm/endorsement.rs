//! Which TPM this is: its endorsement key, made when asked for, and what was wrapped to it.
//!
//! The key is the endorsement hierarchy's of the TCG's template L-2: the same seed and template always give the same key,
//! so none is kept. Its certificate stands where the chip's maker put it. Whether to believe in either is not judged here.

use tracing::warn;
use tss_esapi::constants::SessionType;
use tss_esapi::handles::{AuthHandle, KeyHandle, NvIndexHandle, ObjectHandle};
use tss_esapi::interface_types::reserved_handles::{Hierarchy, NvAuth};
use tss_esapi::interface_types::session_handles::{AuthSession, PolicySession};
use tss_esapi::structures::{Digest as TpmDigest, EncryptedSecret, IdObject, Nonce, Public};
use tss_esapi::traits::{Marshall, UnMarshall};
use tss_esapi::tss2_esys::TPMA_NV;
use wardline_keys_protocol::message::CERTIFICATE_BYTES_MAX;
use wardline_keys_protocol::policy::{NV_AUTHREAD, NV_READLOCKED, NV_WRITTEN};
use wardline_keys_protocol::public::endorsement_template;
use wardline_keys_protocol::{Credential, EndorsementPublic, WrappedCredential};
use zeroize::Zeroizing;

use super::error::During;
use super::{Encrypt, Tpm, TpmError, TpmResult, Wrapped, sized};

/// Where the certificate of a P-256 endorsement key of template L-2 stands (TCG EK Credential Profile, 2.2.1.5.2).
const CERTIFICATE_INDEX: u32 = 0x01C0_000A;
/// Bytes read of an index at a time: every TPM gives as many (TPM_PT_NV_BUFFER_MAX; PC Client Platform TPM Profile).
const READ_BYTES: usize = 512;

impl Tpm {
    /// The endorsement key's TPM2B_PUBLIC (TPM 2.0 Part 2, 12.2.5).
    ///
    /// # Errors
    /// See [`TpmError`]; [`TpmError::Failed`] when the TPM made another key than it was asked for.
    pub fn endorsement_public(&mut self) -> TpmResult<EndorsementPublic> {
        self.with_endorsement_key(|_, _, public| Ok(public))
    }

    /// The endorsement key's certificate, DER, when the TPM has one that can be read. At most
    /// [`CERTIFICATE_BYTES_MAX`] bytes in 16 reads.
    ///
    /// # Errors
    /// See [`TpmError`].
    pub fn endorsement_certificate(&mut self) -> TpmResult<Option<Vec<u8>>> {
        let doing = "reading the endorsement certificate";
        let Some((handle, _)) = self.nv(CERTIFICATE_INDEX)? else { return Ok(None) };
        let (public, _) = self.context.nv_read_public(handle).during(doing)?;
        let attributes = TPMA_NV::try_from(public.attributes()).during(doing)?;
        let readable = attributes & (NV_WRITTEN | NV_AUTHREAD | NV_READLOCKED) == NV_WRITTEN | NV_AUTHREAD;
        if !readable || public.data_size() > CERTIFICATE_BYTES_MAX {
            warn!(
                attributes,
                bytes = public.data_size(),
                "the TPM's endorsement certificate cannot be read: going on without it"
            );
            return Ok(None);
        }
        let bytes = self.nv_bytes(handle, public.data_size(), doing)?;
        let certificate = der(&bytes);
        if certificate.is_none() {
            warn!(
                "what stands where the TPM's endorsement certificate should be is none: going on without it"
            );
        }
        Ok(certificate.map(<[u8]>::to_vec))
    }

    /// `len` bytes from an index's beginning, under a salted session (TPM2_NV_Read, Part 3, 31.13).
    fn nv_bytes(&mut self, handle: NvIndexHandle, len: usize, doing: &'static str) -> TpmResult<Vec<u8>> {
        self.with_session(SessionType::Hmac, Encrypt::Response, |tpm, session| {
            let mut bytes = Vec::with_capacity(len);
            while bytes.len() < len {
                let (size, offset) = (READ_BYTES.min(len - bytes.len()), bytes.len());
                let part = tpm
                    .context
                    .execute_with_session(Some(session), |ctx| {
                        ctx.nv_read(NvAuth::NvIndex(handle), handle, size as u16, offset as u16)
                    })
                    .during(doing)?;
                if part.as_bytes().len() != size {
                    return Err(TpmError::Failed { doing, code: 0 });
                }
                bytes.extend_from_slice(part.as_bytes());
            }
            Ok(bytes)
        })
    }

    /// Opens what was wrapped to this TPM's endorsement key and to `key` (TPM2_ActivateCredential, Part 3, 12.5); `None`
    /// when it was wrapped to others or changed since. The secret comes back encrypted.
    ///
    /// # Errors
    /// See [`TpmError`].
    pub fn activate_credential(
        &mut self,
        key: &Wrapped,
        wrapped: &WrappedCredential,
    ) -> TpmResult<Option<Credential>> {
        let doing = "opening what was wrapped to it";
        let blob = IdObject::from_bytes(wrapped.blob()).during(doing)?;
        let secret = EncryptedSecret::from_bytes(wrapped.secret()).during(doing)?;
        self.with_endorsement_key(|tpm, endorsement, _| {
            tpm.with_loaded(key, |tpm, key| {
                tpm.with_endorsement_policy(|tpm, policy| {
                    // The key's use is authorised by the session that encrypts; its authorisation value is empty.
                    tpm.with_session(SessionType::Hmac, Encrypt::Both, |tpm, session| {
                        let opened =
                            tpm.context.execute_with_sessions((Some(session), Some(policy), None), |ctx| {
                                ctx.activate_credential(key.into(), endorsement, blob, secret)
                            });
                        match opened.during(doing) {
                            Ok(digest) => Ok(Credential::new(&Zeroizing::new(digest.as_bytes().to_vec()))),
                            Err(TpmError::Refused { .. } | TpmError::Damaged { .. }) => Ok(None),
                            Err(error) => Err(error),
                        }
                    })
                })
            })
        })
    }

    /// Runs `f` with a policy session that satisfies the endorsement key's policy
    /// (TPM2_PolicySecret, Part 3, 23.4). The hierarchy's authorisation value is empty.
    fn with_endorsement_policy<T>(
        &mut self,
        f: impl FnOnce(&mut Self, AuthSession) -> TpmResult<T>,
    ) -> TpmResult<T> {
        self.with_session(SessionType::Policy, Encrypt::Nothing, |tpm, session| {
            let doing = "the endorsement key's policy";
            let policy = PolicySession::try_from(session).during(doing)?;
            tpm.context
                .execute_with_session(Some(AuthSession::Password), |ctx| {
                    let (nonce, cp_hash) = (Nonce::default(), TpmDigest::default());
                    ctx.policy_secret(policy, AuthHandle::Endorsement, nonce, cp_hash, Nonce::default(), None)
                })
                .during(doing)?;
            f(tpm, session)
        })
    }

    /// Runs `f` with the endorsement key and its checked public area. It is made under a salted session, so that nobody
    /// on the bus can put another's public area into the answer.
    fn with_endorsement_key<T>(
        &mut self,
        f: impl FnOnce(&mut Self, KeyHandle, EndorsementPublic) -> TpmResult<T>,
    ) -> TpmResult<T> {
        let doing = "making the endorsement key";
        let template = Public::unmarshall(&endorsement_template()).during(doing)?;
        let made = self.with_session(SessionType::Hmac, Encrypt::Both, |tpm, session| {
            tpm.context
                .execute_with_session(Some(session), |ctx| {
                    ctx.create_primary(Hierarchy::Endorsement, template, None, None, None, None)
                })
                .during(doing)
        })?;
        self.with_object(ObjectHandle::from(made.key_handle), |tpm, _| {
            let public = sized(&made.out_public.marshall().during(doing)?);
            let public =
                EndorsementPublic::parse(&public).map_err(|_| TpmError::Failed { doing, code: 0 })?;
            f(tpm, made.key_handle, public)
        })
    }
}

/// The one DER SEQUENCE at the beginning; some makers fill the index up behind it. A certificate has more than 255 bytes,
/// so its length takes two.
fn der(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [0x30, 0x82, high, low, ..] => bytes.get(..4 + usize::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_the_index_up_is_left_out_and_what_is_cut_is_none() {
        let certificate = [[0x30, 0x82, 0x01, 0x00].as_slice(), &[7; 256]].concat();
        let filled = [certificate.as_slice(), &[0xFF; 90]].concat();
        assert_eq!(der(&filled), Some(certificate.as_slice()));
        assert_eq!(der(&certificate), Some(certificate.as_slice()));
        assert_eq!(der(&certificate[..259]), None);
        assert_eq!(der(&[0; 300]), None);
    }
}
