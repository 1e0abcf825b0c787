//! The app's files, as they were built into this program: each under its name, with compressed twins.
//!
//! A name with a hash in it never changes and may be kept for ever; everything else is asked for again each time. What is not there
//! is the app's page itself when a browser wants to show it (the app's own addresses), and nothing otherwise.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::web::{Answer, plain};

/// One file of the app.
struct Asset {
    path: &'static str,
    kind: &'static str,
    /// Tells this file from another build's: its entity tag (RFC 9110, 8.8.3).
    tag: &'static str,
    /// Its name has a hash of what is in it.
    immutable: bool,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

// `static ASSETS: &[Asset]`, in order of path; build.rs makes it of what `make prepare` has built of appliance/web.
include!(concat!(env!("OUT_DIR"), "/assets.rs"));

const PAGE: &str = "/index.html";

/// A file for a request of GET or HEAD.
pub(super) fn serve<B>(request: &Request<B>) -> Answer {
    let path = request.uri().path();
    // The service worker asks for the page as what it is, not to show it.
    let asset = match find(if path == "/" { PAGE } else { path }) {
        Some(asset) => asset,
        None if navigates(path, request.headers()) => match find(PAGE) {
            Some(page) => page,
            None => return plain(StatusCode::NOT_FOUND, "This box was built without its app."),
        },
        None => return plain(StatusCode::NOT_FOUND, "There is nothing at this address."),
    };
    let headers = request.headers();
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let known = known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == asset.tag));
    let (bytes, encoding) = chosen(asset, headers);
    let body = if known || request.method() == Method::HEAD { &[][..] } else { bytes };
    let mut answer = Response::new(Full::new(Bytes::from_static(body)));
    let set = answer.headers_mut();
    let kept = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    set.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    set.insert(header::ETAG, HeaderValue::from_static(asset.tag));
    set.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        return answer;
    }
    set.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    set.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    if let Some(encoding) = encoding {
        set.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    answer
}

/// On every answer, whatever it is.
pub(super) fn harden(headers: &mut HeaderMap) {
    const FIXED: &[(&str, &str)] = &[
        // Nothing from elsewhere, nothing inline, nothing framed; scripts make markup only by the app's own policy.
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; \
             media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
             trusted-types wardline-worker",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-embedder-policy", "require-corp"),
        (
            "permissions-policy",
            "camera=(self), microphone=(self), screen-wake-lock=(self), geolocation=(), display-capture=(), \
             clipboard-read=(), payment=(), usb=(), serial=(), hid=(), midi=()",
        ),
    ];
    for (name, value) in FIXED {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

fn find(path: &str) -> Option<&'static Asset> {
    #[cfg(debug_assertions)]
    if let Some(folder) = folder::assets() {
        return folder.iter().find(|asset| asset.path == path);
    }
    ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok().map(|at| &ASSETS[at])
}

/// For whoever works on the app: a relay that was built for debugging serves it from the folder that `WARDLINE_APP` names, as it was
/// when the relay started. Not compiled into what is shipped.
#[cfg(debug_assertions)]
mod folder {
    use std::path::Path;
    use std::sync::LazyLock;

    use super::Asset;

    include!("../../app_files.rs");

    pub(super) fn assets() -> Option<&'static [Asset]> {
        static FOUND: LazyLock<Option<Vec<Asset>>> = LazyLock::new(|| {
            let folder = std::env::var_os("WARDLINE_APP")?;
            read(Path::new(&folder)).ok()
        });
        FOUND.as_deref()
    }

    /// What is read is kept for as long as the process runs.
    fn read(folder: &Path) -> std::io::Result<Vec<Asset>> {
        let leaked = |path: &Path| std::fs::read(path).map(|bytes| &*Box::leak(bytes.into_boxed_slice()));
        let mut assets = Vec::new();
        for path in files(folder)? {
            let name = format!("/{}", path.strip_prefix(folder).unwrap_or(&path).display());
            if is_twin(&name) {
                continue;
            }
            let plain = leaked(&path)?;
            assets.push(Asset {
                kind: kind(&name).unwrap_or("application/octet-stream"),
                tag: Box::leak(tag(plain).into_boxed_str()),
                immutable: is_immutable(&name),
                plain,
                brotli: leaked(&twin(&path, ".br")).ok(),
                gzip: leaked(&twin(&path, ".gz")).ok(),
                path: Box::leak(name.into_boxed_str()),
            });
        }
        Ok(assets)
    }
}

/// Whether a browser wants to show this address, and no file is meant: the app's own addresses have no dot.
fn navigates(path: &str, headers: &HeaderMap) -> bool {
    let html = headers.get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok());
    !path.contains('.') && html.is_some_and(|kinds| kinds.contains("text/html"))
}

/// The smallest form that the browser takes.
fn chosen(asset: &Asset, headers: &HeaderMap) -> (&'static [u8], Option<&'static str>) {
    let takes = |coding: &str| {
        let listed = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        listed.flat_map(|line| line.split(',')).any(|one| {
            let mut parts = one.split(';').map(str::trim);
            parts.next() == Some(coding) && parts.next() != Some("q=0")
        })
    };
    match (asset.brotli, asset.gzip) {
        (Some(bytes), _) if takes("br") => (bytes, Some("br")),
        (_, Some(bytes)) if takes("gzip") => (bytes, Some("gzip")),
        _ => (asset.plain, None),
    }
}
