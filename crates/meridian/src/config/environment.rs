//! The process environment. Only places, never settings or secrets, are taken from it.

use std::path::PathBuf;

/// Directory for the files that tell the command line about running development clusters: `meridian` under
/// `$XDG_RUNTIME_DIR`, or `/tmp/meridian-<uid>` where there is none.
pub(crate) fn runtime_directory() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
        Some(directory) if directory.is_absolute() && directory.is_dir() => directory.join("meridian"),
        Some(_) | None => PathBuf::from(format!("/tmp/meridian-{}", rustix::process::getuid().as_raw())),
    }
}
