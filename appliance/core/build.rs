//! Compiles the protocol's one definition. `protox` is a compiler in Rust, so no `protoc` is needed.
use std::error::Error;

const DIRECTORY: &str = "../../docs/protocol";
const FILE: &str = "../../docs/protocol/wardline.proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={FILE}");
    let descriptors = protox::compile([FILE], [DIRECTORY])?;
    prost_build::Config::new()
        // What people write or are called never prints itself.
        .skip_debug(["."])
        .compile_fds(descriptors)?;
    Ok(())
}
