//! The facility root, for those who install it by hand: as a certificate in both spellings, as a configuration profile for an iPhone, and
//! its SHA-256, which a person compares with the one that is printed beside their code.
//!
//! Nothing here proves anything: it comes from a page that is not believed yet.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::header::{self, HeaderName, HeaderValue};

use super::pem;
use super::web::Answer;

/// The files, made once.
pub struct RootFiles {
    der: Bytes,
    pem: Bytes,
    profile: Bytes,
    json: Bytes,
    named: Bytes,
}

impl RootFiles {
    /// Of this certificate, by what the facility is called.
    pub fn new(der: &[u8], facility: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, der);
        let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let json = |more: &str| format!("{{\"sha256\":\"{hex}\",\"facility\":{}{more}}}", quoted(facility));
        Self {
            der: Bytes::copy_from_slice(der),
            pem: pem::text("CERTIFICATE", der).into(),
            profile: profile(der, hash.as_ref(), facility).into(),
            json: json("").into(),
            named: json(",\"named\":true").into(),
        }
    }

    /// What is at this address. `named`: whoever asks came by a certificate that was imported for the name that they asked for.
    pub(super) fn at(&self, path: &str, named: bool) -> Option<Answer> {
        let (bytes, kind, name) = match path {
            "/trust/root.json" if named => (&self.named, "application/json", None),
            "/trust/root.json" => (&self.json, "application/json", None),
            "/trust/facility-root.crt" => {
                (&self.der, "application/x-x509-ca-cert", Some("facility-root.crt"))
            }
            "/trust/facility-root.pem" => (&self.pem, "application/x-pem-file", Some("facility-root.pem")),
            // Without a name to be saved under: an iPhone offers to install it.
            "/trust/wardline.mobileconfig" => (&self.profile, "application/x-apple-aspen-config", None),
            _ => return None,
        };
        let mut answer = Response::new(Full::new(bytes.clone()));
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                answer.headers_mut().insert(name, value);
            }
        };
        set(header::CONTENT_TYPE, kind);
        set(header::CACHE_CONTROL, "no-cache");
        if let Some(name) = name {
            set(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
        }
        Some(answer)
    }
}

/// A profile with the one certificate in it (Apple, Configuration Profile Reference: `com.apple.security.root`). Its identifiers follow
/// from the certificate, so that installing it again replaces it.
fn profile(der: &[u8], hash: &[u8], facility: &str) -> String {
    let name = escaped(facility);
    let (whole, part) = (uuid(&hash[..16]), uuid(&hash[16..]));
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadType</key><string>Configuration</string>
  <key>PayloadVersion</key><integer>1</integer>
  <key>PayloadIdentifier</key><string>wardline.facility-root.{whole}</string>
  <key>PayloadUUID</key><string>{whole}</string>
  <key>PayloadDisplayName</key><string>Wardline: {name}</string>
  <key>PayloadDescription</key><string>Lets this phone recognise the messaging box of {name}.</string>
  <key>PayloadContent</key>
  <array>
    <dict>
      <key>PayloadType</key><string>com.apple.security.root</string>
      <key>PayloadVersion</key><integer>1</integer>
      <key>PayloadIdentifier</key><string>wardline.facility-root.{whole}.certificate</string>
      <key>PayloadUUID</key><string>{part}</string>
      <key>PayloadDisplayName</key><string>Facility root of {name}</string>
      <key>PayloadCertificateFileName</key><string>facility-root.crt</string>
      <key>PayloadContent</key><data>{data}</data>
    </dict>
  </array>
</dict>
</plist>
"#,
        data = STANDARD.encode(der),
    )
}

/// 16 bytes as a UUID of version 8 (RFC 9562, 5.8).
fn uuid(bytes: &[u8]) -> String {
    let mut all = [0; 16];
    all.copy_from_slice(bytes);
    all[6] = all[6] & 0x0f | 0x80;
    all[8] = all[8] & 0x3f | 0x80;
    let hex: String = all.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// As XML's text; control characters, which XML has no way to say, are left out.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars().filter(|character| !character.is_control()) {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
    out
}

/// As a string of JSON (RFC 8259, 7).
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if control.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    fn root() -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        rcgen::CertificateParams::default().self_signed(&key).unwrap().der().to_vec()
    }

    async fn text(files: &RootFiles, path: &str) -> String {
        let bytes = files.at(path, false).unwrap().into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn every_spelling_has_the_same_certificate() {
        let der = root();
        let files = RootFiles::new(&der, "Lindenhof <\"A&B\">\u{7}");
        let pem = text(&files, "/trust/facility-root.pem").await;
        let inner: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        assert_eq!(STANDARD.decode(inner).unwrap(), der);
        assert!(pem.lines().all(|line| line.len() <= 64));

        let profile = text(&files, "/trust/wardline.mobileconfig").await;
        let data = profile.split("<data>").nth(1).and_then(|rest| rest.split("</data>").next()).unwrap();
        assert_eq!(STANDARD.decode(data).unwrap(), der);
        assert!(profile.contains("Lindenhof &lt;\"A&amp;B\"&gt;</string>"), "{profile}");

        let json = text(&files, "/trust/root.json").await;
        let hash: String =
            digest::digest(&digest::SHA256, &der).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            json,
            format!("{{\"sha256\":\"{hash}\",\"facility\":\"Lindenhof <\\\"A&B\\\">\\u0007\"}}")
        );
        let named =
            files.at("/trust/root.json", true).unwrap().into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8(named.to_vec()).unwrap().ends_with(",\"named\":true}"));
        assert!(
            files.at("/trust/", false).is_none() && files.at("/trust/facility-root.key", false).is_none()
        );
    }
}
