//! Opening under P': the approval, the REVOKE bits and this box's PCRs, all judged by the TPM itself.

use tss_esapi::constants::SessionType;
use tss_esapi::interface_types::ArithmeticComparison;
use tss_esapi::interface_types::reserved_handles::{Hierarchy, NvAuth};
use tss_esapi::interface_types::session_handles::{AuthSession, PolicySession};
use tss_esapi::structures::VerifiedTicket;
use tss_esapi::structures::{
    Digest as TpmDigest, EccParameter, EccSignature, Name as TpmName, Nonce, Public, Signature,
};
use tss_esapi::traits::UnMarshall;
use tss_esapi::tss2_esys::TPMT_TK_VERIFIED;
use wardline_keys_protocol::approval::{Approval, RevocationTicket};
use wardline_keys_protocol::policy::{self, APPROVAL_REF, FIXED_PCRS, IMAGE_PCR, REVOKE_INDEX, SignerKey};

use super::error::During;
use super::{Encrypt, HashingAlgorithm, Tpm, TpmError, TpmResult, selection};

impl Tpm {
    /// Runs `f` with a policy session that satisfies P' for `approval`, then flushes it.
    ///
    /// The order is the policy's: PolicyPCR(11) and PolicyNV build what the vendor signed, PolicyAuthorize swaps it
    /// for the vendor's name, PolicyPCR(7, 12, 15) adds this box. The storage key must have been found.
    ///
    /// # Errors
    /// [`TpmError::Refused`] at the step that does not hold.
    pub(crate) fn with_policy<T>(
        &mut self,
        vendor: &SignerKey,
        approval: &Approval,
        f: impl FnOnce(&mut Self, AuthSession) -> TpmResult<T>,
    ) -> TpmResult<T> {
        let ticket = self.ticket(vendor, approval)?;
        self.with_session(SessionType::Policy, Encrypt::Nothing, |tpm, session| {
            let policy = PolicySession::try_from(session).during("starting a policy session")?;
            tpm.satisfy(policy, vendor, approval, ticket)?;
            f(tpm, session)
        })
    }

    fn satisfy(
        &mut self,
        session: PolicySession,
        vendor: &SignerKey,
        approval: &Approval,
        ticket: VerifiedTicket,
    ) -> TpmResult<()> {
        let revoke = match self.nv(REVOKE_INDEX)? {
            Some((handle, _)) => handle,
            None => return Err(TpmError::Refused { doing: "the policy: REVOKE is not defined", code: 0 }),
        };
        let approved = policy::image_policy(vendor, &approval.pcr11, approval.revoke_mask);
        let mask =
            TpmDigest::from_bytes(&approval.revoke_mask.to_be_bytes()).during("naming the REVOKE bits")?;
        self.context
            .execute_without_session(|ctx| {
                ctx.policy_pcr(session, TpmDigest::default(), selection(&[IMAGE_PCR]))
            })
            .during("the policy: PCR 11")?;
        self.context
            .execute_with_session(Some(AuthSession::Password), |ctx| {
                let auth = NvAuth::NvIndex(revoke);
                ctx.policy_nv(session, auth, revoke, mask, 0, ArithmeticComparison::BitClear)
            })
            .during("the policy: REVOKE bits")?;
        let signer = TpmName::try_from(vendor.name().to_vec()).during("naming the vendor key")?;
        self.context
            .execute_without_session(|ctx| {
                let policy_ref = Nonce::from_bytes(APPROVAL_REF)?;
                ctx.policy_authorize(session, TpmDigest::from(approved), policy_ref, &signer, ticket)
            })
            .during("the policy: the vendor's approval")?;
        self.context
            .execute_without_session(|ctx| {
                ctx.policy_pcr(session, TpmDigest::default(), selection(&FIXED_PCRS))
            })
            .during("the policy: PCR 7, 12 and 15")
    }

    /// The TPM's ticket that `vendor` signed `approval` (TPM2_VerifySignature, Part 3, 20.1), asked for once.
    fn ticket(&mut self, vendor: &SignerKey, approval: &Approval) -> TpmResult<VerifiedTicket> {
        if let Some((known, ticket)) = &self.ticket
            && known == approval
        {
            return VerifiedTicket::try_from(*ticket).during("the vendor's signature");
        }
        let message = Approval::message(vendor, &approval.pcr11, approval.revoke_mask);
        let digest = policy::sha256(&[&message]);
        let signature = ecdsa(&approval.signature)?;
        let key = self.load_vendor(vendor)?;
        let ticket = self.with_object(key.into(), |tpm, key| {
            tpm.context
                .execute_without_session(|ctx| {
                    ctx.verify_signature(key.into(), TpmDigest::from(digest), signature)
                })
                .during("the vendor's signature")
        })?;
        let ticket = TPMT_TK_VERIFIED::try_from(ticket).during("the vendor's signature")?;
        self.ticket = Some((approval.clone(), ticket));
        VerifiedTicket::try_from(ticket).during("the vendor's signature")
    }

    fn load_vendor(&mut self, vendor: &SignerKey) -> TpmResult<tss_esapi::handles::KeyHandle> {
        let public = Public::unmarshall(&vendor.tpmt_public()).during("reading the vendor key")?;
        self.context
            .execute_without_session(|ctx| ctx.load_external(None, public, Hierarchy::Owner))
            .during("loading the vendor key")
    }

    /// Sets REVOKE bits as a vendor ticket allows (TPM2_PolicySigned with cpHash, then TPM2_NV_SetBits).
    ///
    /// # Errors
    /// [`TpmError::Refused`] when the TPM does not take the ticket.
    pub(crate) fn revoke(&mut self, vendor: &SignerKey, ticket: &RevocationTicket) -> TpmResult<()> {
        let (index, _) = self
            .nv(REVOKE_INDEX)?
            .ok_or(TpmError::Failed { doing: "setting REVOKE bits before the index is defined", code: 0 })?;
        let cp_hash = policy::revoke_cp_hash(vendor, ticket.bits);
        let signature = ecdsa(&ticket.signature)?;
        self.with_session(SessionType::Policy, Encrypt::Nothing, |tpm, session| {
            let policy = PolicySession::try_from(session).during("starting a policy session")?;
            let key = tpm.load_vendor(vendor)?;
            tpm.with_object(key.into(), |tpm, key| {
                tpm.context
                    .execute_without_session(|ctx| {
                        let policy_ref = Nonce::from_bytes(policy::REVOCATION_REF)?;
                        let cp_hash = TpmDigest::from(cp_hash);
                        ctx.policy_signed(policy, key, Nonce::default(), cp_hash, policy_ref, None, signature)
                    })
                    .during("the vendor's revocation ticket")
            })?;
            tpm.context
                .execute_with_session(Some(session), |ctx| {
                    ctx.nv_set_bits(NvAuth::NvIndex(index), index, ticket.bits)
                })
                .during("setting REVOKE bits")
        })
    }
}

fn ecdsa(signature: &[u8; 64]) -> TpmResult<Signature> {
    let (r, s) = signature.split_at(32);
    let part = |bytes: &[u8]| EccParameter::from_bytes(bytes).during("reading a signature");
    EccSignature::create(HashingAlgorithm::Sha256, part(r)?, part(s)?)
        .map(Signature::EcDsa)
        .during("reading a signature")
}
