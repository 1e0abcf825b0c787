//! A whole walk with a stick: request, questions, configuration, box, receipt, verification.

use std::path::PathBuf;

use super::*;
use crate::bundle::{Standing, Trust, Verified};
use crate::desk::Extras;
use crate::root::FacilityRoot;
use crate::signer::ConfigurationKey;
use crate::testing::{Chip, Judge, take};

const NOW: i64 = 1_795_435_200;
/// A new box, all answers typed; the first name is wrong at first.
const TYPED: &str = "yes\nward\nward.example\n10.2.0.5/16 via 10.2.0.1\nnone\n10.2.0.2\nAmerica/Chicago\n10.2.9.0/24\nnone\nnone\nyes\n";

struct Facility {
    dir: tempfile::TempDir,
}

impl Facility {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        FacilityRoot::generate("St. Mary's", NOW).unwrap().save(dir.path()).unwrap();
        ConfigurationKey::generate().unwrap().save(dir.path()).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn stick(&self, name: &str, bytes: &[u8]) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    fn run(
        &self,
        typed: &str,
        change: impl FnOnce(&mut Order<'_>),
    ) -> (Result<Outcome, CommandError>, String) {
        let (request, out) = (self.path("request.wlb"), self.path("config.wlb"));
        let mut order = Order {
            request: &request,
            out: &out,
            given: Default::default(),
            words: None,
            extras: Extras::default(),
            years: 5,
            dry_run: false,
            yes: false,
            is_attended: true,
        };
        change(&mut order);
        let mut drawn = 0_u8;
        let mut chance = |bytes: &mut [u8]| {
            drawn += 1;
            bytes.fill(drawn);
            Ok(())
        };
        let desk = Desk::new(self.dir.path(), Judge);
        self.talk(typed, |terminal| configure(&desk, &order, terminal, NOW, &mut chance))
    }

    fn verify(&self, receipt: &Path) -> (Result<(), CommandError>, String) {
        let desk = Desk::new(self.dir.path(), Judge);
        self.talk("", |terminal| verify(&desk, receipt, terminal))
    }

    fn talk<T>(&self, typed: &str, act: impl FnOnce(&mut Terminal<'_>) -> T) -> (T, String) {
        let (mut input, mut output) = (typed.as_bytes(), Vec::new());
        let result = act(&mut Terminal::new(&mut input, &mut output, false));
        (result, String::from_utf8(output).unwrap())
    }

    fn config(&self) -> Vec<u8> {
        std::fs::read(self.path("config.wlb")).unwrap()
    }

    fn is_untouched(&self) -> bool {
        !self.path("config.wlb").exists() && !self.path("boxes").exists()
    }
}

fn on_box(file: &[u8], chip: &Chip, standing: &Standing) -> Verified {
    take(file, &Trust::FirstUse, &chip.identity().box_id(), standing).unwrap()
}

#[test]
fn a_box_is_configured_and_its_receipt_leads_to_the_next() {
    let (facility, chip) = (Facility::new(), Chip::new());
    facility.stick("request.wlb", &chip.request_file());
    let (done, shown) = facility.run(TYPED, |_| {});
    assert_eq!(done.unwrap(), Outcome::Written, "{shown}");
    for word in chip.identity().box_id().words() {
        assert!(shown.contains(word), "{word}");
    }
    assert!(shown.contains("! `ward` has one part only"), "{shown}");
    assert!(shown.contains("8 of 8") && shown.contains("+ Time servers      10.2.0.2"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");

    let first = on_box(&facility.config(), &chip, &Standing::NEW);
    assert_eq!(first.serial(), 1);
    let (_, certificate) = x509_parser::parse_x509_certificate(first.body().issuing.as_slice()).unwrap();
    let constraints = certificate.name_constraints().unwrap().unwrap().value;
    assert_eq!(constraints.permitted_subtrees.as_ref().unwrap().len(), 2, "the name and the address");

    let receipt = facility.stick("receipt.wlb", &chip.receipt_file(&first));
    let (held, shown) = facility.verify(&receipt);
    held.unwrap();
    assert!(shown.contains("The receipt holds") && shown.contains("not compared with anything"), "{shown}");

    // The second follows the receipt; enter alone keeps an answer.
    let again = format!("yes\n{}fd00::2 10.2.0.2\n{}yes\n", "\n".repeat(3), "\n".repeat(4));
    let (done, shown) = facility.run(&again, |_| {});
    assert_eq!(done.unwrap(), Outcome::Written, "{shown}");
    assert!(
        shown.contains("- Time servers      10.2.0.2\n")
            && shown.contains("+ Time servers      fd00::2 10.2.0.2")
    );
    let answered = crate::bundle::Sha256::of(&std::fs::read(&receipt).unwrap());
    let standing = Standing { serial: 1, receipt: Some(answered) };
    assert_eq!(on_box(&facility.config(), &chip, &standing).serial(), 2);
}

#[test]
fn flags_are_the_same_answers_and_ask_nothing() {
    let (facility, chip) = (Facility::new(), Chip::new());
    facility.stick("request.wlb", &chip.request_file());
    let words = chip.identity().box_id().words().join(" ");
    let flags = |order: &mut Order<'_>| {
        order.is_attended = false;
        order.words = Some(words.to_uppercase());
        let answers = [
            "ward.example",
            "10.2.0.5/16 via 10.2.0.1",
            "none",
            "10.2.0.2",
            "America/Chicago",
            "10.2.9.0/24",
            "none",
            "none",
        ];
        order.given = answers.map(|answer| Some(answer.to_string()));
    };
    for (missing, question) in QUESTIONS.iter().enumerate() {
        let (done, _) = facility.run("", |order| {
            flags(order);
            order.given[missing] = None;
        });
        let said = done.unwrap_err().to_string();
        assert!(said.contains(&format!("--{}.", question.flag)), "{said}");
    }
    let (done, _) = facility.run("", |order| {
        flags(order);
        order.words = None;
    });
    assert!(done.unwrap_err().to_string().contains("--words"));
    let (done, _) = facility.run("", |order| {
        flags(order);
        order.words = Some("abandon ".repeat(8));
    });
    assert!(done.unwrap_err().to_string().contains("not this box's"));
    let (done, _) = facility.run("", |order| {
        flags(order);
        order.given[1] = Some("dhcp".into());
    });
    assert!(done.unwrap_err().to_string().starts_with("--address: "));
    let (done, shown) = facility.run("", |order| {
        flags(order);
        order.dry_run = true;
    });
    assert_eq!(done.unwrap(), Outcome::Shown, "{shown}");
    assert!(facility.is_untouched(), "none of these wrote anything");
    let (done, shown) = facility.run("", flags);
    assert_eq!(done.unwrap(), Outcome::Written, "{shown}");
    assert!(!shown.contains("> "), "nothing was asked");
    // What a script leaves out afterwards stays as it was.
    let (done, shown) = facility.run("", |order| {
        order.is_attended = false;
        order.words = Some(words.clone());
    });
    assert_eq!(done.unwrap(), Outcome::Written);
    assert!(shown.contains("Nothing but a new certificate."), "{shown}");
}

#[test]
fn a_no_an_end_of_input_and_a_bad_request_write_nothing() {
    let (facility, chip) = (Facility::new(), Chip::new());
    let request = chip.request_file();
    facility.stick("request.wlb", &request);
    let (done, _) = facility.run("no\n", |_| {});
    assert!(matches!(done.unwrap_err(), CommandError::Desk(DeskError::OtherWords)));
    for end in (0..TYPED.len()).step_by(7) {
        assert!(facility.run(&TYPED[..end], |_| {}).0.is_err(), "{end}");
    }
    let declined = TYPED.strip_suffix("yes\n").unwrap().to_string() + "no\n";
    assert_eq!(facility.run(&declined, |_| {}).0.unwrap(), Outcome::Declined);
    let mut damaged = request;
    *damaged.last_mut().unwrap() ^= 1;
    facility.stick("request.wlb", &damaged);
    let said = facility.run(TYPED, |_| {}).0.unwrap_err().to_string();
    assert!(said.starts_with("BAD BUNDLE 17: ") && said.contains("try another stick"), "{said}");
    assert!(facility.is_untouched());
}

#[test]
fn another_file_is_not_written_over_and_another_bundle_is() {
    let (facility, chip) = (Facility::new(), Chip::new());
    facility.stick("request.wlb", &chip.request_file());
    facility.stick("config.wlb", b"holiday pictures");
    let said = facility.run(TYPED, |_| {}).0.unwrap_err().to_string();
    assert!(said.contains("is no bundle"), "{said}");
    assert_eq!(facility.config(), b"holiday pictures");
    assert!(!facility.path("boxes").exists(), "no serial was used up");
    facility.stick("config.wlb", &chip.request_file());
    assert_eq!(facility.run(TYPED, |_| {}).0.unwrap(), Outcome::Written);
}

/// The stick with the second configuration's receipt was lost, and a third was written meanwhile.
#[test]
fn a_lost_receipt_is_made_good() {
    let (facility, chip) = (Facility::new(), Chip::new());
    facility.stick("request.wlb", &chip.request_file());
    let again = format!("yes\n{}yes\n", "\n".repeat(8));
    assert_eq!(facility.run(TYPED, |_| {}).0.unwrap(), Outcome::Written);
    let first = on_box(&facility.config(), &chip, &Standing::NEW);
    assert_eq!(facility.run(&again, |_| {}).0.unwrap(), Outcome::Written);
    // The box took the first; the second does not follow its receipt, which nobody has seen.
    let receipt = chip.receipt_file(&first);
    let standing = Standing { serial: 1, receipt: Some(crate::bundle::Sha256::of(&receipt)) };
    let refused = take(&facility.config(), &Trust::FirstUse, &chip.identity().box_id(), &standing);
    assert_eq!(refused.unwrap_err(), crate::bundle::Fault::OutOfTurn);
    let path = facility.stick("receipt.wlb", &receipt);
    let (held, shown) = facility.verify(&path);
    held.unwrap();
    assert!(shown.contains("A newer configuration was written"), "{shown}");
    assert_eq!(facility.run(&again, |_| {}).0.unwrap(), Outcome::Written);
    assert_eq!(on_box(&facility.config(), &chip, &standing).serial(), 3);
}

/// A receipt that was true once would lead the next configuration off the chain.
#[test]
fn an_old_receipt_is_not_taken_for_the_newest() {
    let (facility, chip) = (Facility::new(), Chip::new());
    facility.stick("request.wlb", &chip.request_file());
    let again = format!("yes\n{}yes\n", "\n".repeat(8));
    assert_eq!(facility.run(TYPED, |_| {}).0.unwrap(), Outcome::Written);
    let old = chip.receipt_file(&on_box(&facility.config(), &chip, &Standing::NEW));
    let old = facility.stick("old.wlb", &old);
    facility.verify(&old).0.unwrap();
    assert_eq!(facility.run(&again, |_| {}).0.unwrap(), Outcome::Written);
    let standing =
        Standing { serial: 1, receipt: Some(crate::bundle::Sha256::of(&std::fs::read(&old).unwrap())) };
    let new = chip.receipt_file(&on_box(&facility.config(), &chip, &standing));
    facility.verify(&facility.stick("new.wlb", &new)).0.unwrap();
    let said = facility.verify(&old).0.unwrap_err().to_string();
    assert!(said.starts_with("BAD BUNDLE 26"), "{said}");
}

#[test]
fn a_receipt_of_another_box_or_time_is_told_and_forgotten() {
    let (facility, chip, other) = (Facility::new(), Chip::new(), Chip::new());
    facility.stick("request.wlb", &chip.request_file());
    assert_eq!(facility.run(TYPED, |_| {}).0.unwrap(), Outcome::Written);
    let first = on_box(&facility.config(), &chip, &Standing::NEW);
    let record = std::fs::read_dir(facility.path("boxes")).unwrap().next().unwrap().unwrap().path();
    let before = std::fs::read(&record).unwrap();
    let fails = |bytes: &[u8]| facility.verify(&facility.stick("bad.wlb", bytes)).0.unwrap_err().to_string();

    let said = fails(&chip.request_file());
    assert!(said.starts_with("BAD BUNDLE 08"), "{said}");
    let said = fails(&other.receipt_file(&first));
    assert!(said.starts_with("BAD BUNDLE 24"), "{said}");
    let said = fails(b"MZ");
    assert!(said.starts_with("BAD BUNDLE 01"), "{said}");
    assert_eq!(std::fs::read(&record).unwrap(), before, "nothing was remembered");

    let receipt = chip.receipt_file(&first);
    facility.verify(&facility.stick("receipt.wlb", &receipt)).0.unwrap();
    let after = std::fs::read(&record).unwrap();
    assert_ne!(after, before);
    facility.verify(&facility.path("receipt.wlb")).0.unwrap();
    assert_eq!(std::fs::read(&record).unwrap(), after, "a second look changes nothing");
}

#[test]
fn secrets_and_approvals_go_along_and_are_named_not_shown() {
    let (facility, chip) = (Facility::new(), Chip::new());
    facility.stick("request.wlb", &chip.request_file());
    let approval = |pcr: u8| {
        let approval = wardline_keys_protocol::approval::Approval {
            version: 1,
            pcr11: [pcr; 32],
            revoke_mask: 1,
            signature: [9; 64],
        };
        crate::bundle::Blob::new(approval.to_bytes()).unwrap()
    };
    let with = |pcr: u8| {
        facility.run(TYPED, |order| {
            order.extras.approvals = vec![approval(pcr)];
            let clear = zeroize::Zeroizing::new(b"hunter2".to_vec());
            order.extras.secrets = vec![("directory-password".parse().unwrap(), clear)];
        })
    };
    let (done, shown) = with(11);
    assert_eq!(done.unwrap(), Outcome::Written);
    assert!(shown.contains("Secrets           directory-password") && !shown.contains("hunter2"), "{shown}");
    assert!(!facility.config().windows(7).any(|part| part == b"hunter2"));
    let taken = on_box(&facility.config(), &chip, &Standing::NEW);
    let key = taken.body().secrets.as_ref().unwrap().wrapped.credential_blob.as_slice().try_into().unwrap();
    let secrets = taken.open_secrets(&crate::bundle::secrets::SecretKey(key)).unwrap();
    assert_eq!(secrets[0].1.as_slice(), b"hunter2");
    let (held, shown) = facility.verify(&facility.stick("receipt.wlb", &chip.receipt_file(&taken)));
    held.unwrap();
    assert!(shown.contains("that image is one that an approval you sent is for"), "{shown}");

    let (facility, chip) = (Facility::new(), Chip::new());
    facility.stick("request.wlb", &chip.request_file());
    let (done, _) = facility.run(TYPED, |order| order.extras.approvals = vec![approval(12)]);
    assert_eq!(done.unwrap(), Outcome::Written);
    let taken = on_box(&facility.config(), &chip, &Standing::NEW);
    let said = facility.verify(&facility.stick("receipt.wlb", &chip.receipt_file(&taken))).0.unwrap_err();
    assert!(said.to_string().starts_with("BAD BUNDLE 28"), "{said}");
}
