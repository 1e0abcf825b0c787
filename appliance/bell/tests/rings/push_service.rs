//! A push service of RFC 8030 over TLS on this machine, that checks what it is sent as RFC 8291 and 8292 would have it, and a
//! browser's half of the keys.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey as Verifier};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use wardline_bell_protocol::Subscription;

/// How the push service answers.
#[derive(Clone, Copy, Debug)]
pub struct Answers {
    /// Its status; 0 says nothing, ever.
    pub status: u16,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
}

/// One message that came.
#[derive(Clone, Debug)]
pub struct Came {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// The service.
pub struct PushService {
    pub address: SocketAddr,
    pub root_pem: String,
    came: Arc<Mutex<Vec<Came>>>,
}

impl PushService {
    /// Answers in this order, and the last for ever.
    pub async fn start(answers: impl IntoIterator<Item = Answers>) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf =
            CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &root).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let tls = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let came: Arc<Mutex<Vec<Came>>> = Arc::default();
        let answers = Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
        let record = came.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, record, answers) = (tls.clone(), record.clone(), answers.clone());
                tokio::spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else { return };
                    let service = service_fn(|request| take(request, record.clone(), answers.clone()));
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { address, root_pem: root.pem(), came }
    }

    pub fn allow(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    pub fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }
}

async fn take(
    request: Request<hyper::body::Incoming>,
    record: Arc<Mutex<Vec<Came>>>,
    answers: Arc<Mutex<VecDeque<Answers>>>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    assert_eq!(request.method(), "POST");
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    record.lock().unwrap().push(Came { path: parts.uri.to_string(), headers: parts.headers, body });
    let answer = {
        let mut answers = answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0] }
    };
    if answer.status == 0 {
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder().status(StatusCode::from_u16(answer.status).unwrap());
    if let Some(seconds) = answer.retry_after {
        response = response.header("Retry-After", seconds);
    }
    // Where a client that follows redirects would be led.
    if (300..400).contains(&answer.status) {
        response = response.header("Location", "/elsewhere");
    }
    Ok(response.body(Empty::new()).unwrap())
}

impl Came {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The claims of its token, once its signature has been found to be of the key that it names.
    pub fn claims(&self) -> (serde_json::Value, Vec<u8>) {
        let fields = self.header("authorization").strip_prefix("vapid t=").unwrap();
        let (token, key) = fields.split_once(", k=").unwrap();
        let key = BASE64.decode(key).unwrap();
        let (said, signature) = token.rsplit_once('.').unwrap();
        let signature = BASE64.decode(signature).unwrap();
        Verifier::new(&ECDSA_P256_SHA256_FIXED, &key).verify(said.as_bytes(), &signature).unwrap();
        let (header, claims) = said.split_once('.').unwrap();
        let header: serde_json::Value = serde_json::from_slice(&BASE64.decode(header).unwrap()).unwrap();
        assert_eq!(header["alg"], "ES256");
        (serde_json::from_slice(&BASE64.decode(claims).unwrap()).unwrap(), key)
    }
}

/// A browser that has subscribed.
pub struct Browser {
    key: PrivateKey,
    auth: [u8; 16],
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive<const N: usize>(salt: &[u8], secret: &[u8], info: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    Salt::new(HKDF_SHA256, salt).extract(secret).expand(&[info], Length(N)).unwrap().fill(&mut out).unwrap();
    out
}

impl Browser {
    pub fn new() -> Self {
        Self { key: PrivateKey::generate(&ECDH_P256).unwrap(), auth: [7; 16] }
    }

    pub fn subscription(&self, endpoint: String) -> Subscription {
        let p256dh = self.key.compute_public_key().unwrap().as_ref().try_into().unwrap();
        Subscription { endpoint, p256dh, auth: self.auth }
    }

    /// What the message says, by RFC 8188 and 8291.
    pub fn open(&self, sealed: &[u8]) -> Vec<u8> {
        let (salt, rest) = sealed.split_at(16);
        let (size, rest) = rest.split_at(4);
        assert!(u32::from_be_bytes(size.try_into().unwrap()) >= 18);
        let (theirs, record) = rest[1..].split_at(usize::from(rest[0]));
        let ours = self.key.compute_public_key().unwrap();
        let info = [b"WebPush: info\0", ours.as_ref(), theirs].concat();
        let input = agree(&self.key, UnparsedPublicKey::new(&ECDH_P256, theirs), (), |shared| {
            Ok(derive::<32>(&self.auth, shared, &info))
        })
        .unwrap();
        let key: [u8; 16] = derive(salt, &input, b"Content-Encoding: aes128gcm\0");
        let nonce: [u8; 12] = derive(salt, &input, b"Content-Encoding: nonce\0");
        let mut record = record.to_vec();
        let text = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap())
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)
            .unwrap();
        assert_eq!(text.last(), Some(&2), "the last record's delimiter");
        text[..text.len() - 1].to_vec()
    }
}
