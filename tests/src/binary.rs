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

/// Whether the binary is newer than every source that cargo says it was made of.
fn is_up_to_date(binary: &Path) -> bool {
    let Some(made) = modified(binary) else { return false };
    let Ok(sources) = std::fs::read_to_string(binary.with_extension("d")) else { return false };
    let Some((_, sources)) = sources.split_once(": ") else { return false };
    sources.split_whitespace().all(|source| modified(Path::new(source)).is_some_and(|changed| changed <= made))
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
