//! What a certified issuing key is for: its request, the chain and names that come back, and the leaves.
//!
//! Chain and names are one file, so that there are the old ones or the new ones and never a mixture. The first chain pins
//! its root; names and issuing certificate may change under it. Refuses another root for good.

use tracing::info;
use wardline_keys_protocol::message::{ChainFault, Refusal, Reply};
use wardline_keys_protocol::policy::sha256;
use wardline_keys_protocol::{Blob, FacilityNames, KeeperState};

use super::{Keeper, Now, Opened, Stop};
use crate::issuing::{self, RemoteKey};
use crate::leaf;
use crate::record::IssuingChain;
use crate::store::StoreError;
use crate::tpm::{TpmError, Wrapped};

impl Keeper {
    pub(super) fn issuing_request(&mut self) -> Result<Reply, Stop> {
        let opened = self.unlock()?;
        let (der, fingerprint) =
            self.with_issuing_key(&opened, |key| Ok((issuing::request(key)?, issuing::fingerprint(key))))?;
        // `wardline-provision certify` prints the same: who carries the request between the two compares them.
        info!(fingerprint, "request for the issuing key made");
        Ok(Reply::IssuingRequest(der))
    }

    pub(super) fn install_issuing(
        &mut self,
        now: Now,
        names: &FacilityNames,
        chain: &[Vec<u8>],
    ) -> Result<Reply, Stop> {
        self.record()?;
        let names = names.clone().checked().ok_or(Refusal::BadNames)?;
        let malformed = Refusal::ChainRejected(ChainFault::Malformed);
        let [issuing, root] = chain else { return Err(malformed.into()) };
        // A damaged file is not overwritten: it holds the root that this box was configured with.
        let installed = match self.store.read::<IssuingChain>(Blob::IssuingChain) {
            Err(StoreError::Missing(_)) => None,
            other => Some(other?),
        };
        let root_sha256 = installed.as_ref().map_or_else(|| root_hash(root), |chain| chain.root_sha256);
        let chain = IssuingChain { issuing: issuing.clone(), root: root.clone(), root_sha256, names };
        if installed.as_ref() == Some(&chain) {
            return Ok(Reply::Done);
        }
        let key: Wrapped = self.store.read(Blob::IssuingKey)?;
        let point = key.point().ok_or(KeeperState::BlobCorrupt { which: Blob::IssuingKey })?;
        let validity = issuing::check(&chain, &point).map_err(Refusal::ChainRejected)?;
        if !(validity.not_before..=validity.not_after).contains(&now.unix_s) {
            return Err(Refusal::ChainRejected(ChainFault::NotValidNow).into());
        }
        self.store.write(Blob::IssuingChain, &chain)?;
        // The next question for leaves finds none, and they are made for the names of now.
        self.opened = None;
        self.leaves = None;
        info!(first = installed.is_none(), "issuing certificate and names installed");
        Ok(Reply::Done)
    }

    /// Runs `f` with the issuing key as a signer.
    fn with_issuing_key<T>(
        &mut self,
        opened: &Opened,
        f: impl FnOnce(&RemoteKey<'_>) -> Result<T, TpmError>,
    ) -> Result<T, Stop> {
        let key: Wrapped = self.store.read(Blob::IssuingKey)?;
        let point = key.point().ok_or(KeeperState::BlobCorrupt { which: Blob::IssuingKey })?;
        let tpm = self.tpm()?;
        let mut sign = |digest| tpm.sign(opened.by(), &key, digest);
        Ok(f(&RemoteKey::new(point, &mut sign))?)
    }

    /// Makes sure the leaves are those of now.
    pub(super) fn renew_leaves(
        &mut self,
        now: Now,
        opened: &Opened,
        chain: &IssuingChain,
        validity: issuing::Validity,
    ) -> Result<(), Stop> {
        let set = self.leaves.take();
        let set = self.with_issuing_key(opened, |key| {
            leaf::renew(set, now.unix_s, || leaf::make(chain, validity, key, now.unix_s))
        })?;
        self.leaves = Some(set);
        Ok(())
    }
}

/// SHA-256 of a root certificate, as the first installed chain pins it.
pub fn root_hash(root_der: &[u8]) -> [u8; 32] {
    sha256(&[root_der])
}
