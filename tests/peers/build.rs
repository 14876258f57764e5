//! The same schema as the program's build compiles.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let schema = "../../proto";
    println!("cargo:rerun-if-changed={schema}");
    prost_build::Config::new()
        .protoc_executable(protoc_bin_vendored::protoc_bin_path()?)
        .bytes(["."])
        .btree_map(["."])
        .compile_protos(&[format!("{schema}/geyser.proto")], &[schema])?;
    Ok(())
}
