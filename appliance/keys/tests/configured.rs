//! A configuration is taken with the power cut at every step: behind the next start the box is what it was or what it was to
//! become, in its files and in its keeper, on a real software TPM; and the laptop believes its receipt.

#![allow(clippy::unwrap_used, reason = "what a test sets up, works")]

mod support;

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use support::{BOTH, NOON, Swtpm, World, at, leaves, status};
use tempfile::TempDir;
use wardline_apply::chip::Chip;
use wardline_apply::disk::{Disk, Volume};
use wardline_apply::machine::{CURRENT, Machine, Taken};
use wardline_apply::refusal::Refusal;
use wardline_keys::keeper::Keeper;
use wardline_keys_protocol::approval::{Approval, RevocationTicket};
use wardline_keys_protocol::{
    ClientError, Credential, FacilityNames, Identity, KeeperState, Provision, Quote, Reply, Request, Status,
    WrappedCredential,
};
use wardline_provisioning::bundle::values::SecretName;
use wardline_provisioning::bundle::{Fault, Unverified};
use wardline_provisioning::chip::Chip as Judge;
use wardline_provisioning::desk::{Compared, Desk, Extras, Term};
use wardline_provisioning::signer::ConfigurationKey;

/// How a step is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Not begun.
    Before,
    /// Half a file, where it is one that is written; otherwise as [`How::Before`].
    Torn,
    /// Done, and nobody told.
    After,
}

/// Counts steps, and cuts one.
#[derive(Clone)]
struct Power {
    cut: Option<(u32, How)>,
    steps: Rc<Cell<u32>>,
}

impl Power {
    fn on() -> Self {
        Self { cut: None, steps: Rc::default() }
    }

    fn cut_at(step: u32, how: How) -> Self {
        Self { cut: Some((step, how)), steps: Rc::default() }
    }

    /// How this step goes; once it was cut, every later one is not begun.
    fn next(&self) -> Option<How> {
        let at = self.steps.replace(self.steps.get() + 1);
        match self.cut {
            Some((cut, how)) if at == cut => Some(how),
            Some((cut, _)) if at > cut => Some(How::Before),
            _ => None,
        }
    }

    fn steps(&self) -> u32 {
        self.steps.get()
    }
}

fn gone() -> io::Error {
    io::Error::other("the power is gone")
}

struct CutDisk(Power);

impl CutDisk {
    fn step(&self, act: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        match self.0.next() {
            None => act(),
            Some(How::Before | How::Torn) => Err(gone()),
            Some(How::After) => act().and(Err(gone())),
        }
    }
}

impl Disk for CutDisk {
    fn make(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        self.step(|| Volume.make(path, mode))
    }

    fn write(&mut self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        match self.0.next() {
            None => Volume.write(path, bytes, mode),
            Some(How::Before) => Err(gone()),
            Some(How::Torn) => Volume.write(path, &bytes[..bytes.len() / 2], mode).and(Err(gone())),
            Some(How::After) => Volume.write(path, bytes, mode).and(Err(gone())),
        }
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|| Volume.rename(from, to))
    }

    fn link(&mut self, target: &Path, at: &Path) -> io::Result<()> {
        self.step(|| Volume.link(target, at))
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step(|| Volume.remove(path))
    }
}

/// A keeper in this process, whose line is cut.
struct CutChip<'a>(&'a mut Keeper, Power);

impl CutChip<'_> {
    fn ask<T>(&mut self, request: Request, of: impl FnOnce(Reply) -> Option<T>) -> Result<T, ClientError> {
        let how = self.1.next();
        if matches!(how, Some(How::Before | How::Torn)) {
            return Err(ClientError::Lost(gone()));
        }
        let reply = self.0.handle(at(NOON), BOTH, request);
        if how.is_some() {
            return Err(ClientError::Lost(gone()));
        }
        match reply {
            Reply::Refused(refusal) => Err(ClientError::Refused(refusal)),
            reply => Ok(of(reply).unwrap()),
        }
    }

    fn done(&mut self, request: Request) -> Result<(), ClientError> {
        self.ask(request, |reply| matches!(reply, Reply::Done).then_some(()))
    }
}

impl Chip for CutChip<'_> {
    fn status(&mut self) -> Result<Status, ClientError> {
        self.ask(Request::Status, |reply| if let Reply::Status(it) = reply { Some(it) } else { None })
    }

    fn provision(&mut self, of: Provision) -> Result<(), ClientError> {
        self.done(Request::Provision(Box::new(of)))
    }

    fn identity(&mut self) -> Result<Identity, ClientError> {
        self.ask(Request::Identity, |reply| if let Reply::Identity(it) = reply { Some(*it) } else { None })
    }

    fn issuing_request(&mut self) -> Result<Vec<u8>, ClientError> {
        let of = |reply| if let Reply::IssuingRequest(it) = reply { Some(it) } else { None };
        self.ask(Request::IssuingRequest, of)
    }

    fn quote(&mut self, nonce: [u8; 32]) -> Result<Quote, ClientError> {
        self.ask(
            Request::Quote { nonce },
            |reply| if let Reply::Quote(it) = reply { Some(*it) } else { None },
        )
    }

    fn activate(&mut self, wrapped: &WrappedCredential) -> Result<Credential, ClientError> {
        let (credential_blob, encrypted_secret) = (wrapped.blob().to_vec(), wrapped.secret().to_vec());
        let of = |reply| if let Reply::Credential(it) = reply { Some(it) } else { None };
        self.ask(Request::ActivateCredential { credential_blob, encrypted_secret }, of)
    }

    fn install_issuing(&mut self, names: FacilityNames, chain: Vec<Vec<u8>>) -> Result<(), ClientError> {
        self.done(support::install(names, chain))
    }

    fn install_approval(&mut self, approval: &Approval) -> Result<(), ClientError> {
        self.done(Request::InstallApproval { approval: approval.to_bytes() })
    }

    fn revoke(&mut self, ticket: &RevocationTicket) -> Result<(), ClientError> {
        self.done(Request::Revoke { ticket: ticket.to_bytes() })
    }

    fn epoch(&mut self) -> Result<u64, ClientError> {
        self.ask(Request::Epoch, |reply| if let Reply::Epoch(it) = reply { Some(it) } else { None })
    }
}

/// A box and the laptop of its facility.
struct Story {
    world: World,
    tpm: Swtpm,
    laptop: TempDir,
    box_dir: TempDir,
}

impl Story {
    fn new() -> Self {
        let (world, tpm) = (World::new(), Swtpm::booted());
        support::done(&mut world.keeper(&tpm), Request::Provision(Box::new(world.answers())));
        let laptop = tempfile::tempdir().unwrap();
        world.root.save(laptop.path()).unwrap();
        ConfigurationKey::generate().unwrap().save(laptop.path()).unwrap();
        Self { world, tpm, laptop, box_dir: tempfile::tempdir().unwrap() }
    }

    fn desk(&self) -> Desk<'_, Judge> {
        Desk::new(self.laptop.path(), Judge)
    }

    /// A configuration under this name, with a secret in it.
    fn configure(&self, request: &[u8], name: &str) -> Vec<u8> {
        let (from, to) = (self.laptop.path().join("REQUEST.WLB"), self.laptop.path().join("CONFIG.WLB"));
        fs::write(&from, request).unwrap();
        let desk = self.desk();
        let request = desk.request(&from).unwrap();
        let compared = Compared::by_eye(true, &request).unwrap();
        let texts = [
            name,
            "10.2.0.5/16 via 10.2.0.1",
            "none",
            "10.2.0.9",
            "Europe/Berlin",
            "10.2.9.0/24",
            "none",
            "none",
        ];
        let texts = texts.map(String::from);
        let secret: SecretName = "directory-password".parse().unwrap();
        let extras = Extras { secrets: vec![(secret, b"synthetic".to_vec().into())], ..Extras::default() };
        let mut seed = 7u8;
        let mut chance = |bytes: &mut [u8]| {
            bytes.iter_mut().for_each(|byte| {
                seed = seed.wrapping_mul(5).wrapping_add(3);
                *byte = seed;
            });
            Ok(())
        };
        let life = Term { now_unix_s: NOON, years: 5 };
        let plan = desk.plan(&request, compared, &texts, &extras, life, &mut chance).unwrap();
        desk.carry_out(&plan, &to).unwrap();
        fs::read(&to).unwrap()
    }

    fn verify(&self, receipt: &[u8]) {
        let path = self.laptop.path().join("RECEIPT.WLB");
        fs::write(&path, receipt).unwrap();
        self.desk().verify(&path).unwrap();
    }

    fn machine<'a>(&self, keeper: &'a mut Keeper, power: &Power) -> Machine<CutDisk, CutChip<'a>> {
        let release = "0.1.0".parse().unwrap();
        let chip = CutChip(keeper, power.clone());
        Machine::new(self.box_dir.path().into(), CutDisk(power.clone()), chip, release)
    }

    /// What is to be taken back before the next cut: the box's directory and the keeper's. The TPM is not changed by it.
    fn kept(&self) -> Kept {
        let kept = tempfile::tempdir().unwrap();
        copy(self.box_dir.path(), &kept.path().join("box"));
        copy(&self.world.keys_dir(), &kept.path().join("keys"));
        Kept(kept)
    }

    fn put_back(&self, kept: &Kept) {
        for (from, to) in [("box", self.box_dir.path()), ("keys", &self.world.keys_dir())] {
            fs::remove_dir_all(to).unwrap();
            copy(&kept.0.path().join(from), to);
        }
    }

    fn serial_in_force(&self) -> Option<u64> {
        let target = fs::read_link(self.box_dir.path().join(CURRENT)).ok()?;
        target.to_str()?.strip_prefix("set-")?.parse().ok()
    }

    /// The names that the keeper certifies; none before the first configuration.
    fn names_in_force(&self, keeper: &mut Keeper) -> Option<String> {
        let leaf = leaves(keeper, NOON).ok()?.current.chain[0].clone();
        ["one.ansgar.example", "two.ansgar.example"]
            .into_iter()
            .find(|name| leaf.windows(name.len()).any(|at| at == name.as_bytes()))
            .map(String::from)
    }
}

struct Kept(TempDir);

fn copy(from: &Path, to: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, kind) = entry.map(|entry| (entry.path(), entry.file_type().unwrap())).unwrap();
        let target: PathBuf = to.join(path.file_name().unwrap());
        if kind.is_dir() {
            copy(&path, &target);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&path).unwrap(), &target).unwrap();
        } else {
            fs::copy(&path, &target).unwrap();
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            fs::set_permissions(&target, fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}

#[test]
fn whenever_the_power_goes_the_box_is_what_it_was_or_what_it_was_to_become() {
    let story = Story::new();
    let names = ["one.ansgar.example", "two.ansgar.example"];
    let mut cuts = 0;
    for (serial, name) in (1u64..).zip(names) {
        let request = story.machine(&mut story.world.keeper(&story.tpm), &Power::on()).request().unwrap();
        let bytes = story.configure(&request, name);
        let kept = story.kept();
        let before = (serial > 1).then(|| serial - 1);
        for how in [How::Before, How::Torn, How::After] {
            for step in 0.. {
                story.put_back(&kept);
                let power = Power::cut_at(step, how);
                let taken = story.machine(&mut story.world.keeper(&story.tpm), &power).take(&bytes);
                if power.steps() <= step {
                    assert_eq!(taken.unwrap(), Taken::Now, "nothing was cut");
                    break;
                }
                cuts += 1;
                // A revocation, or what is left of the set before, may fail without harm: then it was taken.
                assert!(
                    matches!(taken, Err(Refusal::Later(_)) | Ok(Taken::Now)),
                    "{how:?} {step}: {taken:?}"
                );
                let mut keeper = story.world.keeper(&story.tpm);
                story.machine(&mut keeper, &Power::on()).recover().unwrap();
                let now = story.serial_in_force();
                assert!(now == before || now == Some(serial), "{how:?} {step}: {now:?}");
                let wanted = now.map(|serial| names[serial as usize - 1].to_owned());
                assert_eq!(
                    story.names_in_force(&mut keeper),
                    wanted,
                    "{how:?} {step}: files and keeper agree"
                );
                let left: Vec<_> =
                    fs::read_dir(story.box_dir.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
                assert_eq!(
                    left.len(),
                    if now.is_some() { 2 } else { 0 },
                    "{how:?} {step}: nothing lies about: {left:?}"
                );
                // The stick is put in again.
                let again = story.machine(&mut keeper, &Power::on()).take(&bytes).unwrap();
                assert_eq!(again == Taken::Before, now == Some(serial), "{how:?} {step}");
                assert_eq!(story.names_in_force(&mut keeper).as_deref(), Some(name));
            }
        }
        let mut keeper = story.world.keeper(&story.tpm);
        assert_eq!(status(&mut keeper).state, KeeperState::Ready);
        let receipt = story.machine(&mut keeper, &Power::on()).receipt().unwrap().unwrap();
        assert_eq!(
            story.machine(&mut keeper, &Power::on()).receipt().unwrap().as_ref(),
            Some(&receipt),
            "one receipt"
        );
        story.verify(&receipt);
    }
    assert!(cuts > 100, "{cuts} cuts");
}

#[test]
fn what_is_not_for_this_box_or_not_in_turn_changes_nothing() {
    let (story, other) = (Story::new(), Story::new());
    let mut keeper = story.world.keeper(&story.tpm);
    let request = story.machine(&mut keeper, &Power::on()).request().unwrap();
    let first = story.configure(&request, "one.ansgar.example");
    let theirs = other.machine(&mut other.world.keeper(&other.tpm), &Power::on()).request().unwrap();
    let theirs = other.configure(&theirs, "one.ansgar.example");
    let refused = |keeper: &mut Keeper, bytes: &[u8], fault: Fault| {
        let kept = fs::read_dir(story.box_dir.path()).unwrap().count();
        let refusal = story.machine(keeper, &Power::on()).take(bytes).unwrap_err();
        assert!(matches!(refusal, Refusal::Bundle(found) if found == fault), "{refusal:?} and not {fault:?}");
        assert_eq!(fs::read_dir(story.box_dir.path()).unwrap().count(), kept);
    };
    refused(&mut keeper, &theirs, Fault::OtherBox);
    refused(&mut keeper, &first[..first.len() - 1], Fault::Truncated);
    assert_eq!(story.machine(&mut keeper, &Power::on()).take(&first).unwrap(), Taken::Now);
    // The box has an owner now: another facility's key is told by its signature, whatever it says.
    refused(&mut keeper, &theirs, Fault::OtherSigner);
    // The next one was written without this box's receipt.
    let second = story.configure(&request, "two.ansgar.example");
    refused(&mut keeper, &second, Fault::OutOfTurn);
    let receipt = story.machine(&mut keeper, &Power::on()).receipt().unwrap().unwrap();
    assert_eq!(Unverified::read(&receipt).unwrap().claimed_serial(), Some(1));
    assert_eq!(story.names_in_force(&mut keeper).as_deref(), Some("one.ansgar.example"));
}
