//! Builds the app's files into the relay: `.build/web`, as `make prepare` leaves it there, becomes a table of bytes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where")).join("../..");
    let web = root.join(".build/web");
    println!("cargo::rerun-if-changed={}", web.display());
    let web = fs::canonicalize(&web).expect("the app is not built: run `make prepare` first");
    println!("cargo::rerun-if-changed={}", web.display());
    let mut files = Vec::new();
    gather(&web, &mut files);
    let path = |file: &Path| format!("/{}", file.strip_prefix(&web).expect("within it").display());
    files.sort_by_key(|file| path(file));
    let mut table = String::from("static ASSETS: &[Asset] = &[\n");
    for file in &files {
        let path = path(file);
        if twin(&path) {
            continue;
        }
        let twin = |ending: &str| {
            let twin = PathBuf::from(format!("{}{ending}", file.display()));
            if twin.exists() { format!("Some(include_bytes!({:?}))", twin) } else { "None".to_owned() }
        };
        let bytes = fs::read(file).expect("a file");
        writeln!(
            table,
            "Asset {{ path: {path:?}, kind: {:?}, tag: {:?}, immutable: {}, plain: include_bytes!({file:?}), \
             brotli: {}, gzip: {} }},",
            kind(&path),
            format!("\"{:016x}-{}\"", fnv(&bytes), bytes.len()),
            path.starts_with("/assets/"),
            twin(".br"),
            twin(".gz"),
        )
        .expect("a string takes it");
    }
    table.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where"));
    fs::write(out.join("assets.rs"), table).expect("the table");
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { gather(&path, files) } else { files.push(path) }
    }
}

fn twin(path: &str) -> bool {
    path.ends_with(".br") || path.ends_with(".gz")
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        other => panic!("the app has a file of a kind that the relay does not know: {other}"),
    }
}

/// FNV-1a, 64 bits: tells this build's file from another's; nobody's safety hangs on it.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
