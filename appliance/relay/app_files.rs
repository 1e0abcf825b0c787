// How the app's files are named, told apart and typed: for `build.rs`, which builds them in, and for a relay that is built for debugging.

/// Every file below a folder, in no order.
fn files(folder: &std::path::Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { found.append(&mut files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

/// A compressed form of another file.
fn is_twin(path: &str) -> bool {
    path.ends_with(".br") || path.ends_with(".gz")
}

/// Where the compressed form of a file is, if there is one.
fn twin(file: &std::path::Path, ending: &str) -> std::path::PathBuf {
    let mut twin = file.as_os_str().to_owned();
    twin.push(ending);
    twin.into()
}

/// Its name has a hash of what is in it.
fn is_immutable(path: &str) -> bool {
    path.starts_with("/assets/")
}

/// `None`: the app should have no such file.
fn kind(path: &str) -> Option<&'static str> {
    Some(match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

/// An entity tag of FNV-1a, 64 bits, and the length: tells this build's file from another's; nobody's safety hangs on it.
fn tag(bytes: &[u8]) -> String {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("\"{hash:016x}-{}\"", bytes.len())
}
