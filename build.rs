//! Compiles `proto/` with the protoc that a crate brings along: nothing to install.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    prost_build::Config::new()
        .protoc_executable(protoc_bin_vendored::protoc_bin_path()?)
        .bytes(["."])
        .btree_map(["."])
        .compile_protos(&["proto/geyser.proto"], &["proto"])?;
    Ok(())
}
