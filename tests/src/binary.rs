//! The `meridian` binary under test: the one that cargo built beside this test, built anew when it is out of date.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// The binary, of the same profile as this test. `MERIDIAN_TEST_BINARY` names another one.
pub fn meridian() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("MERIDIAN_TEST_BINARY") {
        Some(path) => PathBuf::from(path),
        None => built(),
    })
}

fn built() -> PathBuf {
    let directory = profile_directory();
    let binary = directory.join("meridian");
    if !is_up_to_date(&binary) {
        build(&directory);
    }
    assert!(binary.exists(), "cargo did not build {}", binary.display());
    binary
}

/// `target/<profile>`, from `target/<profile>/deps/<test>` or `target/<profile>/<binary>`.
fn profile_directory() -> PathBuf {
    let executable = std::env::current_exe().expect("the test has a file");
    let directory = executable.parent().expect("the test's file is in a directory");
    let directory =
        if directory.ends_with("deps") { directory.parent().expect("deps has a parent") } else { directory };
    directory.to_owned()
}

/// Whether the binary is newer than everything that it is made of: the sources of all crates, their manifests and build
/// scripts, the protocol files and the lock file. Cargo's own list is not always there: `cargo test` builds the binary too.
fn is_up_to_date(binary: &Path) -> bool {
    let Some(made) = modified(binary) else { return false };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let crates = std::fs::read_dir(root.join("crates")).expect("the crates can be listed");
    let of_crates = crates.flat_map(|one| {
        let one = one.expect("the crates can be listed").path();
        [one.join("src"), one.join("Cargo.toml"), one.join("build.rs")]
    });
    let shared = ["Cargo.toml", "Cargo.lock", "proto"].map(|name| root.join(name));
    of_crates.chain(shared).all(|path| newest(&path).is_none_or(|changed| changed <= made))
}

/// When a file, or the newest file below a directory, was changed; `None` when there is none.
fn newest(path: &Path) -> Option<SystemTime> {
    if !path.is_dir() {
        return modified(path);
    }
    let entries = std::fs::read_dir(path).expect("a directory of sources can be listed");
    entries.filter_map(|entry| newest(&entry.expect("a directory of sources can be listed").path())).max()
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

fn build(directory: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--package", "meridian", "--bin", "meridian"]);
    command.arg("--manifest-path").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"));
    command.arg("--target-dir").arg(directory.parent().expect("the profile's directory has a parent"));
    if directory.ends_with("release") {
        command.arg("--release");
    }
    let status = command.status().expect("cargo can be run");
    assert!(status.success(), "the binary under test cannot be built: {status}");
}
