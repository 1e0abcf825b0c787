//! The command as IT runs it, judged by openssl.
#![allow(clippy::unwrap_used, reason = "a failed step must fail the test")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use wardline_keys_protocol::approval::{Approval, RevocationTicket};
use wardline_keys_protocol::policy::sha256;
use wardline_provisioning::{CertifyError, FacilityRoot, Names, VendorKey};

fn provision(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wardline-provision")).args(args).output().unwrap()
}

fn openssl(dir: &Path, args: &[&str]) -> Output {
    Command::new("openssl").current_dir(dir).args(args).output().unwrap()
}

#[test]
fn a_root_a_foreign_request_and_a_chain_that_openssl_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let made = provision(&["init", "--facility", "St. Example", "--dir", &path("root")]);
    assert!(made.status.success(), "{made:?}");
    let root = FacilityRoot::load(&dir.path().join("root")).unwrap();
    let hash: String = root.sha256().iter().map(|b| format!("{b:02x}")).collect();
    assert!(String::from_utf8(made.stdout).unwrap().contains(&hash));
    let key = dir.path().join("root/facility-root.key.pem");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);

    let again = provision(&["init", "--facility", "St. Example", "--dir", &path("root")]);
    assert!(!again.status.success());
    assert!(
        String::from_utf8(again.stderr).unwrap().contains("already there"),
        "a root is never overwritten"
    );

    // The request is made by openssl: another implementation than the keeper's.
    let new = "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout box.key -outform DER -out box.csr -subj /CN=box";
    assert!(openssl(dir.path(), &new.split(' ').collect::<Vec<_>>()).status.success());
    let (csr, crt, root_dir) = (path("box.csr"), path("box.crt"), path("root"));
    let certify = [
        "certify",
        "--dir",
        &root_dir,
        "--request",
        &csr,
        "--out",
        &crt,
        "--dns",
        "ward.example",
        "--ip",
        "10.2.0.0/16",
    ];
    let done = provision(&certify);
    assert!(done.status.success(), "{done:?}");
    // The fingerprint, as openssl computes it from the same request.
    let public = openssl(dir.path(), &["req", "-inform", "DER", "-in", "box.csr", "-noout", "-pubkey"]);
    std::fs::write(dir.path().join("box.pub"), public.stdout).unwrap();
    let pki = openssl(dir.path(), &["pkey", "-pubin", "-in", "box.pub", "-outform", "DER"]).stdout;
    let fingerprint: String = sha256(&[&pki]).iter().map(|byte| format!("{byte:02x}")).collect();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(said.contains(&fingerprint), "{fingerprint} is not in {said}");
    let text = openssl(dir.path(), &["x509", "-inform", "DER", "-in", "box.crt", "-noout", "-text"]);
    let text = String::from_utf8(text.stdout).unwrap();
    for expected in
        ["CA:TRUE, pathlen:0", "Name Constraints: critical", "DNS:ward.example", "IP:10.2.0.0/255.255.0.0"]
    {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    // The subject is the facility's and the key's, whatever the request calls itself.
    let subject = ["x509", "-inform", "DER", "-in", "box.crt", "-noout", "-subject", "-nameopt", "RFC2253"];
    let subject = String::from_utf8(openssl(dir.path(), &subject).stdout).unwrap();
    let wanted = format!("subject=CN=Wardline box {},O=St. Example", &fingerprint[..8]);
    assert_eq!(subject.trim(), wanted);
    for (name, der) in [("root", "root/facility-root.crt.der"), ("box", "box.crt")] {
        assert!(
            openssl(dir.path(), &["x509", "-inform", "DER", "-in", der, "-out", &format!("{name}.pem")])
                .status
                .success()
        );
    }
    assert!(
        openssl(dir.path(), &["verify", "-x509_strict", "-CAfile", "root.pem", "box.pem"]).status.success()
    );

    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    let exposed = provision(&certify);
    assert!(String::from_utf8(exposed.stderr).unwrap().contains("chmod 600"), "a key that others can read");
}

#[test]
fn names_that_leave_something_unlimited_are_refused() {
    let parse = |dns: &[&str], ips: &[&str]| {
        let own = |list: &[&str]| list.iter().map(|s| s.to_string()).collect::<Vec<_>>();
        Names::parse(&own(dns), &own(ips))
    };
    assert!(parse(&["ward.example"], &["10.2.0.0/16", "fd00::/8", "10.9.9.9"]).is_ok());
    assert_eq!(parse(&[], &["10.2.0.0/16"]), Err(CertifyError::Unconstrained));
    assert_eq!(parse(&["ward.example"], &[]), Err(CertifyError::Unconstrained));
    for bad in ["10.2.0.0/33", "fd00::/129", "ward", "10.2/16"] {
        assert_eq!(parse(&["ward.example"], &[bad]), Err(CertifyError::BadName(bad.into())));
    }
    for wide in ["0.0.0.0/0", "::/0"] {
        assert_eq!(parse(&["ward.example"], &["10.2.0.0/16", wide]), Err(CertifyError::TooWide(wide.into())));
    }
    for wide in ["example", "com"] {
        assert_eq!(parse(&["ward.example", wide], &["10.2.0.0/16"]), Err(CertifyError::TooWide(wide.into())));
    }
    // The same for who builds the list by hand.
    let root = FacilityRoot::generate("St. Example", 1_795_435_200).unwrap();
    let wide = Names { dns: vec!["ward.example".into()], ip_ranges: vec![("10.0.0.0".parse().unwrap(), 0)] };
    assert_eq!(root.certify(&[], &wide, 1_795_435_200, 5), Err(CertifyError::TooWide("10.0.0.0/0".into())));
    assert_eq!(parse(&[""], &["10.2.0.0/16"]), Err(CertifyError::BadName(String::new())));
}

#[test]
fn approvals_and_tickets_are_signed_by_the_key_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let digits = "ab".repeat(32);
    let approve = [
        "approve",
        "--vendor-key",
        &path("vendor.pem"),
        "--pcr11",
        &digits,
        "--mask",
        "4",
        "--out",
        &path("a"),
    ];
    assert!(provision(&approve).status.success());
    let vendor = VendorKey::load(&dir.path().join("vendor.pem")).unwrap();
    let approval = Approval::from_bytes(&std::fs::read(path("a")).unwrap()).unwrap();
    assert!(approval.verify(vendor.public()) && approval.pcr11 == [0xAB; 32] && approval.revoke_mask == 4);
    let changed = Approval { revoke_mask: 8, ..approval.clone() };
    assert!(!changed.verify(vendor.public()), "the mask is signed");
    assert!(!approval.verify(VendorKey::generate().unwrap().public()), "another vendor's key");
    let for_ever = [
        "approve",
        "--vendor-key",
        &path("vendor.pem"),
        "--pcr11",
        &digits,
        "--mask",
        "0",
        "--out",
        &path("never"),
    ];
    let refused = provision(&for_ever);
    assert!(!refused.status.success() && !dir.path().join("never").exists());
    assert!(String::from_utf8(refused.stderr).unwrap().contains("could never be taken back"));

    assert!(
        provision(&["revoke", "--vendor-key", &path("vendor.pem"), "--bits", "4", "--out", &path("t")])
            .status
            .success()
    );
    let ticket = RevocationTicket::from_bytes(&std::fs::read(path("t")).unwrap()).unwrap();
    assert!(ticket.verify(vendor.public()));
    assert!(!RevocationTicket { bits: 5, ..ticket }.verify(vendor.public()), "the bits are signed");

    let short =
        provision(&["approve", "--vendor-key", &path("vendor.pem"), "--pcr11", "abcd", "--out", &path("b")]);
    assert!(String::from_utf8(short.stderr).unwrap().contains("64 hexadecimal digits"));
}
