//! The leaf that a connection is met with.

use std::net::Ipv4Addr;
use std::sync::Arc;

use aws_lc_rs::digest;
use quinn::crypto::rustls::QuicClientConfig;
use wardline_keys_protocol::KeyDer;
use wardline_keys_protocol::message::{Leaf, Leaves};

use super::*;

fn leaf() -> Leaf {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["box.example".to_owned()]).unwrap();
    let der = params.self_signed(&key).unwrap().der().to_vec();
    let sha256 = sha256(&der);
    let key_pkcs8 = KeyDer(key.serialize_der());
    Leaf { chain: vec![der], key_pkcs8, not_before: 0, not_after: i64::MAX, sha256 }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().unwrap()
}

fn client(leaves: &[&Leaf]) -> Endpoint {
    let mut roots = rustls::RootCertStore::empty();
    for leaf in leaves {
        roots.add(leaf.chain[0].clone().into()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    let mut endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    endpoint.set_default_client_config(config);
    endpoint
}

/// Connects; the client's end, the box's end, and the leaf that the box says it met the client with.
async fn meet(client: &Endpoint, quic: &mut Quic) -> (quinn::Connection, quinn::Connection, [u8; 32]) {
    let to = quic.endpoint.local_addr().unwrap();
    let connecting = client.connect(to, "box.example").unwrap();
    let accepting = async {
        let Offer { config, leaf } = quic.offers.latest();
        let incoming = quic.endpoint.accept().await.unwrap();
        (incoming.accept_with(config).unwrap().await.unwrap(), leaf)
    };
    let (theirs, (ours, leaf)) = tokio::join!(connecting, accepting);
    (theirs.unwrap(), ours, leaf)
}

fn shown(connection: &quinn::Connection) -> [u8; 32] {
    let chain = connection.peer_identity().unwrap();
    sha256(&chain.downcast::<Vec<rustls_pki_types::CertificateDer<'static>>>().unwrap()[0])
}

#[tokio::test]
async fn a_renewed_leaf_is_for_who_comes_and_ends_nobodys_connection() {
    let (one, two) = (leaf(), leaf());
    let client = client(&[&one, &two]);
    let first = Leaves { current: one.clone(), next: Some(two.clone()) };
    let certificates = Arc::new(Certificates::new(&first).unwrap());
    let mut quic = open((Ipv4Addr::LOCALHOST, 0).into(), Arc::clone(&certificates), &[7; 32]).unwrap();

    let (ana, boxs, leaf) = meet(&client, &mut quic).await;
    assert_eq!((leaf, shown(&ana)), (one.sha256, one.sha256));
    let offered = Arc::clone(&quic.offers.latest().config);
    assert!(Arc::ptr_eq(&offered, &quic.offers.latest().config), "made anew for nothing");

    certificates.replace(&Leaves { current: two.clone(), next: None }).unwrap();
    let (ben, _boxs, leaf) = meet(&client, &mut quic).await;
    assert_eq!((leaf, shown(&ben)), (two.sha256, two.sha256));

    let (mut send, _receive) = ana.open_bi().await.unwrap();
    send.write_all(b"still here").await.unwrap();
    let (_, mut receive) = boxs.accept_bi().await.unwrap();
    let mut heard = [0; 10];
    receive.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"still here");
}
