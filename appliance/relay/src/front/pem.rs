//! Bytes as text that people can copy (RFC 7468).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One block, with lines of 64 characters.
pub(super) fn text(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        out.extend(line.iter().map(|byte| char::from(*byte)));
        out.push('\n');
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}
