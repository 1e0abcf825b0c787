//! Putting a configuration in force: nothing is changed before every check has passed, and each step is one that is done or
//! not done when the power goes.
//!
//! On the state volume, in one directory: `set-N`, everything of the configuration with serial N, and `current`, a link to the
//! set in force. A set is written under the name `new`, and has its own name once all of it is on the disk. So at every start
//! one of three things is found: `current` alone; `current` and a younger set, which passed every check before it was written
//! and is put in force now; or what is left of `new`, which is removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wardline_keys_protocol::approval::{Approval, RevocationTicket};
use wardline_keys_protocol::{ClientError, FacilityNames, KeeperState, WrappedCredential};
use wardline_provisioning::bundle::secrets::SecretKey;
use wardline_provisioning::bundle::values::Label;
use wardline_provisioning::bundle::{
    Blob, BoxId, Fault, Identity, Quote, Receipt, Request, Sha256, Standing, Trust, Unquoted, Unverified,
    Verified,
};
use wardline_provisioning::render::render;

use crate::chip::Chip;
use crate::disk::Disk;
use crate::refusal::{Refusal, of_keeper};

/// The link to what is in force.
pub const CURRENT: &str = "current";
const NEW: &str = "new";
const LINK: &str = "current.new";
const BUNDLE: &str = "bundle.wlb";
const FOLLOWS: &str = "follows";
const RECEIPT: &str = "receipt.wlb";

/// What became of a configuration that passed every check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is in force now.
    Now,
    /// It was in force already: nothing was done.
    Before,
}

/// The box, as provisioning sees it.
#[derive(Debug)]
pub struct Machine<D, C> {
    directory: PathBuf,
    disk: D,
    chip: C,
    release: Label,
}

/// A set on the disk whose bundle was checked anew.
struct Set {
    verified: Verified,
    bytes: Vec<u8>,
    path: PathBuf,
}

impl<D: Disk, C: Chip> Machine<D, C> {
    /// `directory` is there and empty at the first start.
    pub fn new(directory: PathBuf, disk: D, chip: C, release: Label) -> Self {
        Self { directory, disk, chip, release }
    }

    /// Its keeper.
    pub fn chip(&mut self) -> &mut C {
        &mut self.chip
    }

    /// Brings what a power cut left to its end. Whether a configuration came into force by it.
    ///
    /// # Errors
    /// [`Refusal`]; it may be called again.
    pub fn recover(&mut self) -> Result<bool, Refusal> {
        self.disk.remove(&self.at(NEW))?;
        self.disk.remove(&self.at(LINK))?;
        let current = self.serial_in_force()?;
        let trust = self.trust(current)?;
        let Some(younger) = self.serials()?.into_iter().find(|serial| Some(*serial) > current) else {
            if let Some(serial) = current {
                // The cut may have come before these.
                let set = self.set(serial, &trust)?;
                self.revoke(&set)?;
            }
            self.remove_older(current)?;
            return Ok(false);
        };
        let set = self.set(younger, &trust)?;
        self.put_in_force(&set)?;
        Ok(true)
    }

    /// Whether a configuration is in force.
    pub fn is_configured(&self) -> bool {
        self.at(CURRENT).exists()
    }

    /// The box's number, and with it its eight words.
    ///
    /// # Errors
    /// [`Refusal::Closed`], [`Refusal::Later`].
    pub fn box_id(&mut self) -> Result<BoxId, Refusal> {
        Ok(self.identity()?.box_id())
    }

    /// What the box leaves on every stick: who it is, and what it asks for.
    ///
    /// # Errors
    /// [`Refusal::Closed`], [`Refusal::Later`].
    pub fn request(&mut self) -> Result<Vec<u8>, Refusal> {
        let certificate_request =
            self.chip.issuing_request().map_err(|error| of_keeper(error, |_| Refusal::Closed))?;
        let request = Request {
            version: Request::VERSION,
            identity: self.identity()?,
            certificate_request: Blob::new(certificate_request).ok_or(Refusal::Closed)?,
            release: self.release.clone(),
        };
        self.quoted(request.write())
    }

    /// Takes a configuration.
    ///
    /// # Errors
    /// [`Refusal`]: nothing has changed. But after [`Refusal::Later`] the configuration may be in force at the next start.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Taken, Refusal> {
        let current = self.serial_in_force()?;
        let trust = self.trust(current)?;
        let standing = self.standing(current)?;
        let addressed = Unverified::read(bytes)?.signed_by(&trust)?.for_box(&self.box_id()?)?;
        if current.is_some_and(|serial| self.file_of(serial).is_ok_and(|file| file == addressed.file())) {
            return Ok(Taken::Before);
        }
        let verified = addressed.after(&standing)?.open()?;
        self.secrets_open(&verified)?;
        let set = self.write(verified, bytes, &standing)?;
        match self.put_in_force(&set) {
            Ok(()) => Ok(Taken::Now),
            Err(Refusal::Later(error)) => Err(Refusal::Later(error)),
            Err(refusal) => {
                // The keeper said no, and took nothing: without its set the box is what it was.
                self.disk.remove(&set.path)?;
                Err(refusal)
            }
        }
    }

    /// The receipt of what is in force; none where nothing is. It is one file from the first time it is asked for: the next
    /// configuration names its hash.
    ///
    /// # Errors
    /// [`Refusal::Closed`], [`Refusal::Later`].
    pub fn receipt(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(serial) = self.serial_in_force()? else { return Ok(None) };
        let path = self.at(&name(serial)).join(RECEIPT);
        match fs::read(&path) {
            Ok(receipt) => return Ok(Some(receipt)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            Err(_) => {}
        }
        let trust = self.trust(Some(serial))?;
        let set = self.set(serial, &trust)?;
        let status = self.chip.status().map_err(|error| of_keeper(error, |_| Refusal::Closed))?;
        if status.state != KeeperState::Ready {
            return Err(Refusal::Closed);
        }
        let epoch = self.chip.epoch().map_err(|error| of_keeper(error, |_| Refusal::Closed))?;
        let receipt = Receipt {
            version: Receipt::VERSION,
            in_force: set.verified.body_sha256(),
            issuing: Sha256::of(set.verified.body().issuing.as_slice()),
            state: "READY".parse().map_err(|_| Refusal::Closed)?,
            release: self.release.clone(),
            revoked_bits: status.revoked_bits.unwrap_or(0),
            epoch,
        };
        let bytes = self.quoted(receipt.write(&set.verified))?;
        let new = self.at(&name(serial)).join(NEW);
        self.disk.remove(&new)?;
        self.disk.write(&new, &bytes, 0o600)?;
        self.disk.rename(&new, &path)?;
        Ok(Some(bytes))
    }

    fn identity(&mut self) -> Result<Identity, Refusal> {
        let told = self.chip.identity().map_err(|error| of_keeper(error, |_| Refusal::Closed))?;
        let certificate =
            told.ek_certificate.map(|certificate| Blob::new(certificate).ok_or(Refusal::Closed));
        Ok(Identity {
            ek_public: Blob::new(told.ek_public).ok_or(Refusal::Closed)?,
            ek_certificate: certificate.transpose()?,
            ak_public: Blob::new(told.ak_public).ok_or(Refusal::Closed)?,
        })
    }

    fn quoted(&mut self, unquoted: Unquoted) -> Result<Vec<u8>, Refusal> {
        let quote =
            self.chip.quote(unquoted.qualifying()).map_err(|error| of_keeper(error, |_| Refusal::Closed))?;
        Ok(unquoted.quoted(&Quote::from_keeper(&quote).ok_or(Refusal::Closed)?))
    }

    /// A secret that does not open now would be missed later.
    fn secrets_open(&mut self, verified: &Verified) -> Result<(), Refusal> {
        let Some(secrets) = &verified.body().secrets else { return Ok(()) };
        let (blob, secret) =
            (secrets.wrapped.credential_blob.as_slice(), secrets.wrapped.encrypted_secret.as_slice());
        let wrapped = WrappedCredential::parse(blob, secret).map_err(|_| Fault::SecretClosed)?;
        let closed = |_| Refusal::Bundle(Fault::SecretClosed);
        let key = self.chip.activate(&wrapped).map_err(|error| of_keeper(error, closed))?;
        let key = SecretKey(key.expose().try_into().map_err(|_| Fault::SecretClosed)?);
        verified.open_secrets(&key)?;
        Ok(())
    }

    /// Writes all of a set, and then gives it its name.
    fn write(&mut self, verified: Verified, bytes: &[u8], standing: &Standing) -> Result<Set, Refusal> {
        let new = self.at(NEW);
        let rendered = render(verified.body());
        let mut follows = standing.serial.to_be_bytes().to_vec();
        follows.extend(standing.receipt.iter().flat_map(|receipt| receipt.0));
        self.disk.remove(&new)?;
        self.disk.make(&new, 0o755)?;
        self.disk.write(&new.join(BUNDLE), bytes, 0o600)?;
        self.disk.write(&new.join(FOLLOWS), &follows, 0o600)?;
        self.disk.write(&new.join("relay.env"), rendered.relay_env.as_bytes(), 0o644)?;
        self.disk.write(&new.join("named.nft"), rendered.nftables.as_bytes(), 0o644)?;
        self.disk.write(&new.join("time.sources"), rendered.chrony.as_bytes(), 0o644)?;
        self.disk.make(&new.join("network"), 0o755)?;
        for file in &rendered.network {
            self.disk.write(&new.join("network").join(&file.name), file.text.as_bytes(), 0o644)?;
        }
        let path = self.at(&name(verified.serial()));
        self.disk.remove(&path)?;
        self.disk.rename(&new, &path)?;
        Ok(Set { verified, bytes: bytes.to_vec(), path })
    }

    /// Everything that can be refused comes before the link; what cannot be taken back, behind it.
    fn put_in_force(&mut self, set: &Set) -> Result<(), Refusal> {
        let body = set.verified.body();
        // Read before anything is done, so that what is none is refused.
        for ticket in body.tickets.iter() {
            RevocationTicket::from_bytes(ticket.as_slice()).map_err(|_| Fault::BodyValue)?;
        }
        for approval in body.approvals.iter() {
            let approval = Approval::from_bytes(approval.as_slice()).map_err(|_| Fault::BodyValue)?;
            self.chip.install_approval(&approval).map_err(|error| of_keeper(error, Refusal::Vendor))?;
        }
        let names = render(body).names;
        let names = FacilityNames {
            facility: names.facility.to_string(),
            dns_names: names.dns_names.iter().map(ToString::to_string).collect(),
            ip_addrs: names.addresses,
        };
        let chain = vec![body.issuing.as_slice().to_vec(), body.root.as_slice().to_vec()];
        self.chip.install_issuing(names, chain).map_err(|error| of_keeper(error, Refusal::Certificate))?;
        let link = self.at(LINK);
        self.disk.remove(&link)?;
        self.disk.link(Path::new(&name(set.verified.serial())), &link)?;
        self.disk.rename(&link, &self.at(CURRENT))?;
        self.revoke(set)?;
        tracing::info!(
            serial = set.verified.serial(),
            bytes = set.bytes.len(),
            "a configuration is in force"
        );
        self.remove_older(Some(set.verified.serial()))
    }

    /// The vendor's word against images that must not start again. A keeper that does not take it keeps what it has, and says so.
    fn revoke(&mut self, set: &Set) -> Result<(), Refusal> {
        for ticket in set.verified.body().tickets.iter() {
            let ticket = RevocationTicket::from_bytes(ticket.as_slice()).map_err(|_| Fault::BodyValue)?;
            match self.chip.revoke(&ticket) {
                Err(ClientError::Refused(refusal)) => {
                    tracing::warn!(%refusal, "a revocation was not carried out")
                }
                other => other.map_err(|error| of_keeper(error, Refusal::Vendor))?,
            }
        }
        Ok(())
    }

    fn remove_older(&mut self, current: Option<u64>) -> Result<(), Refusal> {
        for serial in self.serials()?.into_iter().filter(|serial| Some(*serial) < current) {
            self.disk.remove(&self.at(&name(serial)))?;
        }
        Ok(())
    }

    /// A box belongs to whoever signed what is in force.
    fn trust(&mut self, current: Option<u64>) -> Result<Trust, Refusal> {
        let Some(serial) = current else { return Ok(Trust::FirstUse) };
        let bytes = fs::read(self.at(&name(serial)).join(BUNDLE))?;
        let follows = self.follows(serial)?;
        let signed = Unverified::read(&bytes)?.signed_by(&Trust::FirstUse)?;
        let verified = signed.for_box(&self.box_id()?)?.after(&follows)?.open()?;
        Ok(Trust::Pinned(verified.signer()))
    }

    fn standing(&mut self, current: Option<u64>) -> Result<Standing, Refusal> {
        let Some(serial) = current else { return Ok(Standing::NEW) };
        let receipt = self.receipt()?.map(|receipt| Sha256::of(&receipt));
        Ok(Standing { serial, receipt })
    }

    /// A set, its bundle checked anew: what lies on a disk is believed no more than what lies on a stick.
    fn set(&mut self, serial: u64, trust: &Trust) -> Result<Set, Refusal> {
        let path = self.at(&name(serial));
        let bytes = fs::read(path.join(BUNDLE))?;
        let follows = self.follows(serial)?;
        let verified =
            Unverified::read(&bytes)?.signed_by(trust)?.for_box(&self.box_id()?)?.after(&follows)?.open()?;
        Ok(Set { verified, bytes, path })
    }

    /// What the box had when it took this one.
    fn follows(&self, serial: u64) -> Result<Standing, Refusal> {
        let bytes = fs::read(self.at(&name(serial)).join(FOLLOWS))?;
        let torn = || Refusal::Later(io::ErrorKind::InvalidData.into());
        let (serial, receipt) = bytes.split_first_chunk::<8>().ok_or_else(torn)?;
        let receipt = match receipt {
            [] => None,
            receipt => Some(Sha256(receipt.try_into().map_err(|_| torn())?)),
        };
        Ok(Standing { serial: u64::from_be_bytes(*serial), receipt })
    }

    fn file_of(&self, serial: u64) -> io::Result<Sha256> {
        Ok(Sha256::of(&fs::read(self.at(&name(serial)).join(BUNDLE))?))
    }

    fn serial_in_force(&self) -> io::Result<Option<u64>> {
        match fs::read_link(self.at(CURRENT)) {
            Ok(target) => Ok(target.to_str().and_then(serial_of)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Of all sets, the youngest first. Two at the most, since a start removes the older ones.
    fn serials(&self) -> io::Result<Vec<u64>> {
        let mut serials = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            serials.extend(entry?.file_name().to_str().and_then(serial_of));
        }
        serials.sort_unstable_by(|one, other| other.cmp(one));
        Ok(serials)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

fn name(serial: u64) -> String {
    format!("set-{serial}")
}

fn serial_of(name: &str) -> Option<u64> {
    name.strip_prefix("set-")?.parse().ok()
}
