//! Generates the RPC and storage code from `proto/`, in pure Rust: no system `protoc` is needed.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let files = [
        "kms/v1/kms",
        "cluster/v1/cluster",
        "cluster/v1/identity",
        "cluster/v1/region_keys",
        "cluster/v1/roles",
        "cluster/v1/residency",
        "cluster/v1/access",
        "cluster/v1/audit",
        "peer/v1/peer",
        "state/v1/state",
    ]
    .map(|name| root.join(format!("meridian/{name}.proto")));
    let descriptors = protox::compile(files, [&root])?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    std::fs::write(out.join("meridian_descriptor.bin"), protox::prost::Message::encode_to_vec(&descriptors))?;
    tonic_prost_build::configure().btree_map(".").bytes(".meridian.peer").compile_fds(descriptors)?;
    Ok(())
}
