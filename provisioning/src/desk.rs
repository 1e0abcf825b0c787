//! What IT's laptop does with a request and with a receipt. Offline; nothing is written before all is known to be right.
//!
//! Time and chance are handed in, and so is who judges what a chip made. Refuses to configure a box whose words nobody
//! compared, and to take a receipt for proof of what it does not prove.

use std::num::NonZeroU64;
use std::path::Path;

use crate::answers::{Answers, QUESTIONS, Texts};
use crate::bundle::configuration::{BODY_VERSION, Configuration, VendorPaper};
use crate::bundle::frame::FILE_MAX;
use crate::bundle::secrets::{self, Clear, SECRETS_MAX, SecretKey, Secrets};
use crate::bundle::values::{FacilityName, SecretName};
use crate::bundle::{
    Attestation, BadValue, Blob, BoxId, Draft, Fault, Image, Kind, List, Nonce, NotProven, Sent, Sha256,
    Unverified, VerifiedReceipt, VerifiedRequest,
};
use crate::file::{self, FileError};
use crate::record::{BoxRecord, Shipment};
use crate::root::{CertifyError, FacilityRoot, Names};
use crate::signer::{ConfigurationKey, LibraryFailed};
use crate::terminal::Mark;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A bundle.
    #[error("{code}: {0}. {advice}", code = .0.code(), advice = .0.advice())]
    Bundle(Fault),
    /// An answer.
    #[error("{0}: {1}")]
    Answer(&'static str, BadValue),
    /// Answers that do not go together, or a secret.
    #[error(transparent)]
    Value(#[from] BadValue),
    /// The certificate.
    #[error(transparent)]
    Certify(#[from] CertifyError),
    /// The box's keys.
    #[error(transparent)]
    Keys(#[from] NotProven),
    /// The library.
    #[error(transparent)]
    Library(#[from] LibraryFailed),
    /// The words were not the box's.
    #[error(
        "the words are not this box's, so nothing was written: let the box write its request anew on an empty stick, \
         and carry it yourself; if they differ again, the stick or the box is not what it seems"
    )]
    OtherWords,
    /// A box that this facility never configured.
    #[error(
        "this facility directory knows no such box: give the directory that `configure` was called with, and the \
         receipt of a box that it configured"
    )]
    UnknownBox,
    /// Where the file was to go there is another one.
    #[error("{0} is there already and is no bundle: choose another name")]
    InTheWay(std::path::PathBuf),
    /// A box was configured too often.
    #[error("this box has used up its serials")]
    Serials,
}

/// Not a cause of its own: the message has it whole.
impl From<Fault> for DeskError {
    fn from(fault: Fault) -> Self {
        Self::Bundle(fault)
    }
}

/// Draws random bytes.
pub type Chance<'a> = &'a mut dyn FnMut(&mut [u8]) -> Result<(), LibraryFailed>;

/// A facility's directory, opened.
pub struct Desk<'a, A: Attestation> {
    directory: &'a Path,
    attestation: A,
}

/// What is asked for beside the eight answers.
#[derive(Default)]
pub struct Extras {
    /// Approvals of images.
    pub approvals: Vec<VendorPaper>,
    /// Revocation tickets.
    pub tickets: Vec<VendorPaper>,
    /// Secrets by their names.
    pub secrets: Vec<(SecretName, Clear)>,
}

/// How long a box's certificate is good.
#[derive(Debug, Clone, Copy)]
pub struct Term {
    /// Now, Unix seconds.
    pub now_unix_s: i64,
    /// Years from now.
    pub years: i64,
}

/// One line of what a configuration changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What becomes of it.
    pub mark: Mark,
    /// What.
    pub label: &'static str,
    /// The value.
    pub value: String,
}

/// A configuration that is ready to be written, and has not been.
pub struct Plan {
    record: BoxRecord,
    serial: u64,
    file: Vec<u8>,
    /// What it changes, line by line.
    pub changes: Vec<Change>,
}

/// That a person compared the eight words. Made by comparing alone.
#[derive(Debug, Clone, Copy)]
pub struct Compared(BoxId);

impl Compared {
    /// The words as they were read off the box's screen.
    ///
    /// # Errors
    /// [`DeskError::OtherWords`].
    pub fn words(typed: &str, request: &VerifiedRequest) -> Result<Self, DeskError> {
        let typed = typed.to_ascii_lowercase();
        let mut words = typed.split(|c: char| !c.is_ascii_lowercase()).filter(|word| !word.is_empty());
        let same = words.by_ref().take(9).eq(request.box_id().words());
        if same { Ok(Self(request.box_id())) } else { Err(DeskError::OtherWords) }
    }

    /// A person's yes to "are they the same?".
    ///
    /// # Errors
    /// [`DeskError::OtherWords`].
    pub fn by_eye(are_the_same: bool, request: &VerifiedRequest) -> Result<Self, DeskError> {
        if are_the_same { Ok(Self(request.box_id())) } else { Err(DeskError::OtherWords) }
    }
}

impl<'a, A: Attestation> Desk<'a, A> {
    /// At this facility's directory.
    pub fn new(directory: &'a Path, attestation: A) -> Self {
        Self { directory, attestation }
    }

    /// Reads a request.
    ///
    /// # Errors
    /// [`DeskError::File`], [`DeskError::Bundle`].
    pub fn request(&self, path: &Path) -> Result<VerifiedRequest, DeskError> {
        let bytes = file::read_bounded(path, FILE_MAX as u64)?;
        Ok(Unverified::read(&bytes)?.request(&self.attestation)?)
    }

    /// What this box was told last, as answers; `None` for a new one.
    ///
    /// # Errors
    /// [`DeskError::File`].
    pub fn last(&self, request: &VerifiedRequest) -> Result<Option<Texts>, DeskError> {
        let Some(record) = BoxRecord::load(self.directory, &request.box_id())? else { return Ok(None) };
        Ok(Some(Answers::texts_of(&latest(&record)?)))
    }

    /// The facility's name.
    ///
    /// # Errors
    /// [`DeskError::File`], [`DeskError::Value`].
    pub fn facility(&self) -> Result<FacilityName, DeskError> {
        Ok(FacilityRoot::load(self.directory)?.facility().parse()?)
    }

    /// Makes a configuration, and writes nothing.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn plan(
        &self,
        request: &VerifiedRequest,
        compared: Compared,
        texts: &Texts,
        extras: &Extras,
        term: Term,
        chance: Chance<'_>,
    ) -> Result<Plan, DeskError> {
        let box_id = request.box_id();
        if compared.0 != box_id {
            return Err(DeskError::OtherWords);
        }
        let answers = Answers::read(texts).map_err(|(at, bad)| {
            DeskError::Answer(QUESTIONS.get(at).map_or("", |question| question.title), bad)
        })?;
        let root = FacilityRoot::load(self.directory)?;
        let signer = ConfigurationKey::load(self.directory)?;
        let before = BoxRecord::load(self.directory, &box_id)?;
        let last = before.as_ref().and_then(BoxRecord::latest).map_or(0, |shipment| shipment.sent.serial);
        let serial = last.checked_add(1).and_then(NonZeroU64::new).ok_or(DeskError::Serials)?;

        let addresses = own_addresses(&answers)?;
        let names = Names {
            dns: answers.dns_names.iter().map(ToString::to_string).collect(),
            ip_ranges: addresses
                .iter()
                .map(|ip| (ip.ip(), if ip.ip().is_ipv4() { 32 } else { 128 }))
                .collect(),
        };
        let issuing =
            root.certify(request.body().certificate_request.as_slice(), &names, term.now_unix_s, term.years)?;
        let issuing_sha256 = Sha256::of(&issuing);
        let too_long = || BadValue::new("A certificate has more than 8 KiB", "fewer names");
        let configuration = Configuration {
            version: BODY_VERSION,
            facility: root.facility().parse()?,
            dns_names: answers.dns_names,
            addresses,
            issuing: Blob::new(issuing).ok_or_else(too_long)?,
            root: Blob::new(root.certificate()).ok_or_else(too_long)?,
            addressing: answers.addressing,
            ports: answers.ports,
            dns_servers: answers.dns_servers,
            time_servers: answers.time_servers,
            zones: answers.zones,
            syslog: answers.syslog,
            directory: answers.directory,
            emr: answers.emr,
            time_zone: answers.time_zone,
            approvals: papers(&extras.approvals)?,
            tickets: papers(&extras.tickets)?,
            secrets: self.seal(request, serial, extras, chance)?,
        };
        configuration.check()?;

        let mut nonce = [0; 32];
        chance(&mut nonce)?;
        let nonce = Nonce(nonce);
        let answered = before.as_ref().and_then(BoxRecord::receipt);
        let draft = Draft::new(box_id, serial, answered, nonce, signer.public(), &configuration);
        let body = draft.body_sha256();
        let file = signer.sign(draft)?;
        let sent =
            Sent { serial: serial.get(), file: Sha256::of(&file), body, issuing: issuing_sha256, nonce };
        let identity = request.body().identity.clone();
        let shipment = Shipment::new(sent, &configuration).ok_or_else(too_long)?;
        let record = BoxRecord::with(before.as_ref(), identity, shipment).map_err(|_| DeskError::Serials)?;
        let old = before.as_ref().map(latest).transpose()?;
        Ok(Plan { record, serial: serial.get(), file, changes: changes(old.as_ref(), &configuration) })
    }

    fn seal(
        &self,
        request: &VerifiedRequest,
        serial: NonZeroU64,
        extras: &Extras,
        chance: Chance<'_>,
    ) -> Result<Option<Secrets>, DeskError> {
        if extras.secrets.is_empty() {
            return Ok(None);
        }
        let mut key = SecretKey([0; 32]);
        chance(&mut key.0)?;
        let mut list = Vec::with_capacity(SECRETS_MAX);
        for (name, clear) in &extras.secrets {
            if list.iter().any(|sealed: &secrets::Sealed| sealed.name == *name) {
                return Err(
                    BadValue::new(format!("The secret {name} is given twice"), "one file for each").into()
                );
            }
            let mut nonce = [0; secrets::NONCE_BYTES];
            chance(&mut nonce)?;
            list.push(secrets::seal(&key, nonce, &request.box_id(), serial.get(), name.clone(), clear)?);
        }
        let wrapped = self.attestation.wrap(&request.body().identity, &key)?;
        let list = List::new(list).map_err(|why| BadValue::new(format!("Of secrets {why}"), "eight"))?;
        Ok(Some(Secrets { wrapped, list }))
    }

    /// Remembers a plan, then writes its file. In this order: a serial that was remembered and never written is skipped,
    /// one that was written and not remembered would be used twice.
    ///
    /// # Errors
    /// [`DeskError::InTheWay`], [`DeskError::File`].
    pub fn carry_out(&self, plan: &Plan, out: &Path) -> Result<(), DeskError> {
        match file::read_bounded(out, FILE_MAX as u64) {
            Ok(bytes) if Unverified::read(&bytes).is_err() => return Err(DeskError::InTheWay(out.into())),
            Err(FileError::Io(_, error)) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(FileError::Io(out.into(), error).into());
            }
            Err(FileError::Content(..)) => return Err(DeskError::InTheWay(out.into())),
            _ => {}
        }
        plan.record.save(self.directory)?;
        Ok(file::replace(out, &plan.file, 0o644)?)
    }

    /// Judges a receipt, and remembers it when it holds.
    ///
    /// # Errors
    /// [`DeskError`]; then nothing is remembered.
    pub fn verify(&self, path: &Path) -> Result<Proof, DeskError> {
        let bytes = file::read_bounded(path, FILE_MAX as u64)?;
        let receipt = Unverified::read(&bytes)?;
        let Some(record) = BoxRecord::load(self.directory, &receipt.claimed_box())? else {
            // Another kind of bundle has a box too: say what it is before saying whose.
            return Err(match receipt.kind() {
                Kind::Receipt => DeskError::UnknownBox,
                _ => Fault::OtherKind.into(),
            });
        };
        let shipment = record.sent_as(receipt.claimed_serial()).ok_or(DeskError::UnknownBox)?;
        let serial = shipment.sent.serial;
        let receipt =
            receipt.quoted_by(record.identity(), &self.attestation)?.answering(&shipment.sent)?.open()?;
        let image = receipt.image(shipment.configuration()?.approvals.as_slice())?;
        let is_latest = record.latest().is_some_and(|latest| latest.sent.serial == serial);
        let after = record.received(serial, receipt.file()).map_err(|_| DeskError::UnknownBox)?;
        if after != record {
            after.save(self.directory)?;
        }
        Ok(Proof { receipt, image, serial, is_latest })
    }
}

impl Plan {
    /// The serial.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &[u8] {
        &self.file
    }
}

/// What a receipt proved.
#[derive(Debug)]
pub struct Proof {
    /// The receipt.
    pub receipt: VerifiedReceipt,
    /// What is known of its image.
    pub image: Image,
    /// The serial that it answers.
    pub serial: u64,
    /// Whether nothing was configured after it.
    pub is_latest: bool,
}

fn latest(record: &BoxRecord) -> Result<Configuration, Fault> {
    record.latest().ok_or(Fault::BodyMalformed)?.configuration()
}

/// The box's address on every port: its certificates name them all.
fn own_addresses(answers: &Answers) -> Result<List<crate::bundle::network::HostAddress, 1, 16>, BadValue> {
    let ports = answers.ports.iter().map(|port| port.address.host());
    let all = [answers.addressing.address().host()].into_iter().chain(ports).collect();
    List::new(all).map_err(|why| BadValue::new(format!("Of the box's addresses {why}"), "10.2.0.5/16"))
}

fn papers(papers: &[VendorPaper]) -> Result<List<VendorPaper, 0, 8>, BadValue> {
    List::new(papers.to_vec())
        .map_err(|why| BadValue::new(format!("Of the vendor's files {why}"), "one file each"))
}

/// The eight answers, and what else a person would want to see change.
fn changes(old: Option<&Configuration>, new: &Configuration) -> Vec<Change> {
    let before = old.map(rows).unwrap_or_default();
    let mut changes = Vec::new();
    for (label, value) in rows(new) {
        let was = before.iter().find(|(before, _)| *before == label).map(|(_, value)| value.clone());
        match was {
            Some(was) if was == value => changes.push(Change { mark: Mark::Same, label, value }),
            was => {
                changes.extend(was.map(|value| Change { mark: Mark::Gone, label, value }));
                changes.push(Change { mark: Mark::New, label, value });
            }
        }
    }
    changes
}

fn rows(configuration: &Configuration) -> Vec<(&'static str, String)> {
    let answers = Answers::texts_of(configuration);
    let mut rows = vec![("Facility", configuration.facility.to_string())];
    rows.extend(QUESTIONS.iter().map(|question| question.title).zip(answers));
    let short = |papers: &List<VendorPaper, 0, 8>| {
        let each: Vec<String> =
            papers.iter().map(|paper| Sha256::of(paper.as_slice()).to_string()[..16].into()).collect();
        if each.is_empty() { "none".into() } else { each.join(" ") }
    };
    rows.push(("Approvals", short(&configuration.approvals)));
    rows.push(("Revocations", short(&configuration.tickets)));
    let names = configuration.secrets.as_ref().map_or_else(
        || "none".into(),
        |secrets| secrets.list.iter().map(|secret| secret.name.as_str()).collect::<Vec<_>>().join(" "),
    );
    rows.push(("Secrets", names));
    rows
}
