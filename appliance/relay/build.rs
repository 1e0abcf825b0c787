//! Builds the app's files into the relay: `.build/web`, as `make prepare` leaves it there, becomes a table of bytes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

include!("app_files.rs");

fn main() {
    let root = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where")).join("../..");
    let web = root.join(".build/web");
    println!("cargo::rerun-if-changed=app_files.rs");
    println!("cargo::rerun-if-changed={}", web.display());
    let web = fs::canonicalize(&web).expect("the app is not built: run `make prepare` first");
    println!("cargo::rerun-if-changed={}", web.display());
    let mut files = files(&web).expect("a folder");
    let path = |file: &Path| format!("/{}", file.strip_prefix(&web).expect("within it").display());
    files.sort_by_key(|file| path(file));
    let mut table = String::from("static ASSETS: &[Asset] = &[\n");
    for file in &files {
        let path = path(file);
        if is_twin(&path) {
            continue;
        }
        let included = |ending: &str| {
            let twin = twin(file, ending);
            if twin.exists() { format!("Some(include_bytes!({twin:?}))") } else { "None".to_owned() }
        };
        let Some(kind) = kind(&path) else {
            panic!("the app has a file of a kind that the relay does not know: {path}");
        };
        writeln!(
            table,
            "Asset {{ path: {path:?}, kind: {kind:?}, tag: {:?}, immutable: {}, plain: include_bytes!({file:?}), \
             brotli: {}, gzip: {} }},",
            tag(&fs::read(file).expect("a file")),
            is_immutable(&path),
            included(".br"),
            included(".gz"),
        )
        .expect("a string takes it");
    }
    table.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where"));
    fs::write(out.join("assets.rs"), table).expect("the table");
}
