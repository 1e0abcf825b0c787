//! What is kept of the certificate for names: PEM (RFC 7468), so that whoever looks at it by hand can read it. The key among it is wrapped
//! by the keeper, and opens on this box alone.
//!
//! A file is written beside its place, synced, and renamed: it is the old one or the new.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use wardline_core::limits::WEB_CHAIN_MAX;
use wardline_keys_protocol::WrappedKey;
use x509_parser::pem::Pem;

use crate::front::pem;

const REQUEST: &str = "request.pem";
const CERTIFICATE: &str = "certificate.pem";
const WRAPPED: &str = "WARDLINE WRAPPED KEY";
/// More than what is written here can be.
const FILE_MAX: u64 = 64 * 1024;

type Request = (WrappedKey, Vec<u8>);
type Certificate = (WrappedKey, Vec<Vec<u8>>);

/// Both, where they are there and whole.
pub(super) fn read(directory: &Path) -> (Option<Request>, Option<Certificate>) {
    let request = blocks(&directory.join(REQUEST)).and_then(|(wrapped, mut rest)| {
        let only = rest.len() == 1;
        rest.pop().filter(|_| only).map(|request| (wrapped, request))
    });
    let certificate =
        blocks(&directory.join(CERTIFICATE)).filter(|(_, chain)| (1..=WEB_CHAIN_MAX).contains(&chain.len()));
    (request, certificate)
}

/// The wrapped key, and what stands behind it.
fn blocks(path: &Path) -> Option<Certificate> {
    let bytes = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Ok(there) if there.len() <= FILE_MAX => fs::read(path).ok(),
        _ => None,
    };
    let parsed = bytes.and_then(|bytes| {
        let mut blocks = Pem::iter_from_buffer(&bytes).collect::<Result<Vec<_>, _>>().ok()?.into_iter();
        let wrapped = blocks.next().filter(|block| block.label == WRAPPED)?;
        Some((WrappedKey::new(wrapped.contents)?, blocks.map(|block| block.contents).collect()))
    });
    if parsed.is_none() {
        tracing::error!(path = %path.display(), "a file of the imported certificate cannot be read");
    }
    parsed
}

pub(super) fn write_request(directory: &Path, wrapped: &WrappedKey, request: &[u8]) -> io::Result<()> {
    replace(
        directory,
        REQUEST,
        &[pem::text(WRAPPED, wrapped.as_bytes()), pem::text("CERTIFICATE REQUEST", request)],
    )
}

pub(super) fn write_certificate(directory: &Path, wrapped: &WrappedKey, chain: &[Vec<u8>]) -> io::Result<()> {
    let mut parts = vec![pem::text(WRAPPED, wrapped.as_bytes())];
    parts.extend(chain.iter().map(|der| pem::text("CERTIFICATE", der)));
    replace(directory, CERTIFICATE, &parts)
}

pub(super) fn forget_request(directory: &Path) -> io::Result<()> {
    forget(directory, REQUEST)
}

pub(super) fn forget_certificate(directory: &Path) -> io::Result<()> {
    forget(directory, CERTIFICATE)
}

fn replace(directory: &Path, name: &str, parts: &[String]) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let temporary = directory.join(format!(".{name}.new"));
    let mut file = File::create(&temporary)?;
    file.write_all(parts.concat().as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, directory.join(name))?;
    File::open(directory)?.sync_all()
}

fn forget(directory: &Path, name: &str) -> io::Result<()> {
    match fs::remove_file(directory.join(name)) {
        Ok(()) => File::open(directory)?.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
