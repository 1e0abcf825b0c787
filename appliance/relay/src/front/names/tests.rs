use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair,
};
use rustls::ServerConfig;
use wardline_keys_protocol::frame;
use wardline_keys_protocol::message::{Leaf, Leaves, Reply, Request};
use wardline_keys_protocol::{KeyDer, NameKey};

use aws_lc_rs::digest;

use super::*;

const NAME: &str = "wardline.hospital.example";

/// As `rcgen` writes it.
macro_rules! now {
    () => {
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(now_s()).unwrap())
    };
}

/// A keeper that wraps by writing the key down: the real one is in the keeper's own tests, and the two meet in the app's.
fn keeper(path: &std::path::Path) -> Keeper {
    let listener = std::os::unix::net::UnixListener::bind(path).unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            while let Ok(Some(request)) = frame::read(&mut stream) {
                let reply = match request {
                    Request::NameKey { names } => {
                        let key = KeyPair::generate().unwrap();
                        let request = CertificateParams::new(names).unwrap().serialize_request(&key).unwrap();
                        let wrapped = WrappedKey::new(key.serialize_der()).unwrap();
                        Reply::NameKey(Box::new(NameKey { request: request.der().to_vec(), wrapped }))
                    }
                    Request::OpenNameKey { wrapped } => {
                        Reply::OpenedNameKey(KeyDer(wrapped.as_bytes().to_vec()))
                    }
                    other => panic!("{other:?}"),
                };
                frame::write(&mut stream, &reply).unwrap();
            }
        }
    });
    Keeper::start(path.to_owned(), Keeper::connect(path, std::time::Duration::ZERO).unwrap()).unwrap()
}

fn leaf() -> Arc<Certificates> {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["box.ward.example".to_owned()]).unwrap();
    let der = params.self_signed(&key).unwrap().der().to_vec();
    let key_pkcs8 = KeyDer(key.serialize_der());
    let current = Leaf { chain: vec![der], key_pkcs8, not_before: 0, not_after: i64::MAX, sha256: [1; 32] };
    Arc::new(Certificates::new(&Leaves { current, next: None }).unwrap())
}

struct House {
    directory: tempfile::TempDir,
    keeper: Keeper,
    leaf: Arc<Certificates>,
    names: Names,
}

impl House {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (keeper, leaf) = (keeper(&directory.path().join("keeper.sock")), leaf());
        let names = Names::open(directory.path().join("kept"), Arc::clone(&leaf), keeper.clone()).await;
        Self { directory, keeper, leaf, names }
    }

    /// As after a restart of the relay.
    async fn again(&self) -> Names {
        Names::open(self.directory.path().join("kept"), Arc::clone(&self.leaf), self.keeper.clone()).await
    }

    async fn ask(&self, names: &[&str]) -> String {
        let names = names.iter().map(|name| DnsName::parse(name).unwrap()).collect();
        match self.names.act(WebCertificateDo::Request(names)).await {
            Ok(Body::WebCertificateRequest(told)) => told.pem,
            Ok(_) => panic!("another answer"),
            Err(refusal) => panic!("{refusal:?}"),
        }
    }

    async fn import(&self, pem: &str) -> Result<proto::WebCertificate, Refusal> {
        match self.names.act(WebCertificateDo::Use(self.names.check(pem)?)).await? {
            Body::WebCertificate(told) => Ok(told),
            _ => panic!("another answer"),
        }
    }
}

fn issuing(parent: Option<&Ca>, name: &str) -> Ca {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, "Example Trust");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let der = match parent {
        Some(parent) => params.signed_by(&key, &parent.issuer).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    Ca { pem: der.pem(), issuer: Issuer::new(params, key) }
}

/// A certificate authority.
struct Ca {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    /// What comes of a request, changed before it is signed.
    fn certify(&self, request: &str, change: impl FnOnce(&mut CertificateParams)) -> String {
        let mut request = CertificateSigningRequestParams::from_pem(request).unwrap();
        let (now, day) = (now!(), Duration::from_secs(86_400));
        let params = &mut request.params;
        (params.not_before, params.not_after) = (now - day, now + 90 * day);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(params);
        request.signed_by(&self.issuer).unwrap().pem()
    }
}

fn authority() -> (Ca, Ca) {
    let root = issuing(None, "Example Root");
    let issuing = issuing(Some(&root), "Example CA 1");
    (root, issuing)
}

fn met(names: &Names, asked: &str) -> Option<Vec<u8>> {
    let certified = names.certified(Some(asked), now_s())?;
    Some(certified.cert[0].to_vec())
}

#[tokio::test]
async fn what_was_imported_is_served_under_its_names_alone_and_again_after_a_restart() {
    let house = House::new().await;
    let request = house.ask(&[NAME, "old.hospital.example"]).await;
    let (root, ca) = authority();
    let file = ca.certify(&request, |_| {}) + &ca.pem + &root.pem;
    let looked = house.names.act(WebCertificateDo::Show(house.names.check(&file).unwrap())).await;
    let Ok(Body::WebCertificate(looked)) = looked else { panic!("not shown") };
    assert!(looked.in_use.is_none() && looked.waiting.is_some(), "nothing changed");
    assert_eq!(looked.read.unwrap().issuer, "Example Trust, Example CA 1");
    let told = house.import(&file).await.unwrap();
    let in_use = told.in_use.unwrap();
    assert_eq!(in_use.names, [NAME, "old.hospital.example"]);
    assert_eq!(in_use.issuer, "Example Trust, Example CA 1");
    assert!(in_use.served && in_use.has_key && told.waiting.is_none());
    assert_eq!(told.own_names, ["box.ward.example"]);

    for names in [&house.names, &house.again().await] {
        let own = met(names, NAME).unwrap();
        assert_eq!(digest::digest(&digest::SHA256, &own).as_ref(), in_use.sha256);
        assert!(met(names, "WARDLINE.hospital.example").is_some() && names.serves("old.hospital.example"));
        for other in ["box.ward.example", "hospital.example", "x.wardline.hospital.example"] {
            assert!(met(names, other).is_none(), "{other}");
        }
        assert!(names.certified(None, now_s()).is_none(), "who asks by no name, as by an address");
        let end = in_use.not_after / 1_000;
        assert!(names.certified(Some(NAME), end).is_some() && names.certified(Some(NAME), end + 1).is_none());
        let begin = in_use.not_before / 1_000;
        assert!(names.certified(Some(NAME), begin - 1).is_none(), "the clock went back");
    }
}

#[tokio::test]
async fn a_new_request_leaves_the_old_certificate_in_use_until_the_next_is_imported() {
    let house = House::new().await;
    let (_, ca) = authority();
    let first = house.ask(&[NAME]).await;
    house.import(&(ca.certify(&first, |_| {}) + &ca.pem)).await.unwrap();
    let served = met(&house.names, NAME).unwrap();
    let second = house.ask(&["new.hospital.example"]).await;
    assert_eq!(met(&house.names, NAME).as_ref(), Some(&served));
    let again = house.again().await;
    assert_eq!(met(&again, NAME), Some(served), "and after a restart");
    assert_eq!(again.tell().waiting.unwrap().pem, second, "which still has the request");

    // The same key may be certified anew, too: a portal that prolongs asks for no request.
    house
        .import(&(ca.certify(&first, |params| params.not_after += Duration::from_secs(9 * 86_400)) + &ca.pem))
        .await
        .unwrap();
    assert!(house.names.tell().waiting.is_some(), "the request waits on");
    house.import(&(ca.certify(&second, |_| {}) + &ca.pem)).await.unwrap();
    assert!(met(&house.names, NAME).is_none() && met(&house.names, "new.hospital.example").is_some());

    let Ok(Body::WebCertificate(told)) = house.names.act(WebCertificateDo::Drop).await else { panic!() };
    assert!(told.in_use.is_none() && told.waiting.is_none());
    assert!(met(&house.again().await, "new.hospital.example").is_none());
}

#[tokio::test]
async fn every_fault_is_refused_in_its_own_words_and_changes_nothing() {
    use WebCertificateRefusal as Wrong;
    let house = House::new().await;
    let (root, ca) = authority();
    let fault = async |pem: String| match house.import(&pem).await {
        Err(Refusal::WebCertificate(wrong)) => wrong,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("imported"),
    };
    assert_eq!(fault(ca.pem.clone()).await, Wrong::NoRequest);
    let request = house.ask(&[NAME, "old.hospital.example"]).await;
    let good = ca.certify(&request, |_| {});
    let with = |own: String| own + &ca.pem + &root.pem;

    assert_eq!(fault(String::new()).await, Wrong::Unreadable);
    assert_eq!(fault("<html>Your order</html>".to_owned()).await, Wrong::Unreadable);
    assert_eq!(fault(with(request.clone())).await, Wrong::Unreadable, "the request itself");
    assert_eq!(fault(good.clone() + &ca.pem.repeat(6)).await, Wrong::Unreadable, "seven");
    assert_eq!(fault(" ".repeat(16_001)).await, Wrong::Unreadable);
    let broken = good.replacen("MII", "MIJ", 1);
    assert_eq!(fault(with(broken)).await, Wrong::Unreadable);
    let key = KeyPair::generate().unwrap().serialize_pem();
    assert_eq!(fault(with(good.clone()) + &key).await, Wrong::PrivateKey);

    let other = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    let other = other.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap();
    assert_eq!(fault(with(ca.certify(&other, |_| {}))).await, Wrong::OtherKey);
    assert_eq!(fault(good.clone()).await, Wrong::Incomplete);
    assert_eq!(fault(ca.pem.clone() + &good).await, Wrong::Order);
    assert_eq!(fault(good.clone() + &root.pem).await, Wrong::Order, "one is left out");

    // Of the same name, and another key.
    let (root_again, _) = authority();
    let impostor = issuing(Some(&root_again), "Example CA 1");
    assert_eq!(fault(good.clone() + &impostor.pem).await, Wrong::Signature);
    let no_issuer = {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Example CA 1");
        params.is_ca = IsCa::ExplicitNoCa;
        let pem = params.signed_by(&key, &root.issuer).unwrap().pem();
        Ca { pem, issuer: Issuer::new(params, key) }
    };
    let own = no_issuer.certify(&request, |_| {});
    assert_eq!(fault(own + &no_issuer.pem).await, Wrong::Signature, "no authority at all");

    let now = now!();
    let ended = ca.certify(&request, |params| params.not_after = now - Duration::from_secs(60));
    assert_eq!(fault(with(ended)).await, Wrong::Expired);
    let ahead = ca.certify(&request, |params| params.not_before = now + Duration::from_secs(3_600));
    assert_eq!(fault(with(ahead)).await, Wrong::NotYet);
    let fewer = ca.certify(&request, |params| drop(params.subject_alt_names.pop()));
    assert_eq!(fault(with(fewer)).await, Wrong::NameMissing);
    let purpose =
        ca.certify(&request, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    assert_eq!(fault(with(purpose)).await, Wrong::Purpose);
    let any = ca.certify(&request, |params| params.extended_key_usages = vec![]);
    assert_eq!(fault(with(any)).await, Wrong::Purpose, "which says nothing of servers");

    let told = house.names.tell();
    assert!(told.in_use.is_none() && told.waiting.unwrap().pem == request, "nothing changed");
    assert!(house.import(&with(good)).await.unwrap().in_use.unwrap().served);
}

/// OpenSSL, which shares no code with any of this.
fn openssl(directory: &std::path::Path, args: &str) -> String {
    let mut openssl = Command::new("openssl");
    let output = openssl.current_dir(directory).args(args.split(' ')).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_certifies_the_request_and_meets_each_certificate_by_its_name() {
    let house = House::new().await;
    let path = house.directory.path();
    std::fs::write(path.join("box.csr"), house.ask(&[NAME]).await).unwrap();
    openssl(path, "req -verify -noout -in box.csr");
    openssl(
        path,
        "req -x509 -newkey rsa:2048 -nodes -sha256 -days 9 -subj /O=Foreign/CN=Root -keyout ca.key -out ca.pem",
    );
    let extensions = format!("subjectAltName=DNS:{NAME}\nextendedKeyUsage=serverAuth\n");
    std::fs::write(path.join("ext"), extensions).unwrap();
    let read = |name: &str| std::fs::read_to_string(path.join(name)).unwrap();

    // By a digest that no browser takes any more.
    openssl(path, "x509 -req -in box.csr -CA ca.pem -CAkey ca.key -sha1 -days 3 -extfile ext -out sha1.pem");
    let refused = house.import(&(read("sha1.pem") + &read("ca.pem"))).await.err();
    let refused = refused.expect("refused");
    assert_eq!(refused, Refusal::WebCertificate(WebCertificateRefusal::Unsupported));

    // With the text that tools write in front, and DOS line ends.
    openssl(path, "x509 -req -in box.csr -CA ca.pem -CAkey ca.key -sha256 -days 3 -extfile ext -out box.pem");
    let file = format!("Bag Attributes\n  friendlyName: box\n{}{}", read("box.pem"), read("ca.pem"));
    house.import(&file.replace('\n', "\r\n")).await.unwrap();

    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(house.names));
    let (config, listener) = (Arc::new(config), TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            // Until the other one hangs up: who hangs up first may break off what that one still says.
            while session.complete_io(&mut stream).is_ok_and(|(read, _)| read > 0) {}
        }
    });
    let to = format!("s_client -connect 127.0.0.1:{port} -CAfile ca.pem -verify_return_error -brief");
    openssl(path, &format!("{to} -servername {NAME} -verify_hostname {NAME}"));
    let mut other = Command::new("openssl");
    other.current_dir(path).args(to.split(' ')).args(["-servername", "box.ward.example"]);
    assert!(!other.stdin(Stdio::null()).output().unwrap().status.success(), "another name meets the leaf");
}
