//! Generates the RPC and storage code from `proto/`, in pure Rust: no system `protoc` is needed.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let files = ["kms", "cluster", "peer", "state"].map(|name| root.join(format!("meridian/{name}/v1/{name}.proto")));
    let mut files = files.to_vec();
    files.push(root.join("meridian/cluster/v1/identity.proto"));
    let descriptors = protox::compile(files, [&root])?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    std::fs::write(out.join("meridian_descriptor.bin"), protox::prost::Message::encode_to_vec(&descriptors))?;
    tonic_prost_build::configure().btree_map(".").bytes(".meridian.peer").compile_fds(descriptors)?;
    Ok(())
}
