//! The authorities whose attestation documents are believed: AWS's, and those of the configuration.

use super::{ConfigError, Problem};
use kms_service::TrustRoots;
use std::path::{Path, PathBuf};

/// Reads PEM files with root certificates. AWS's own is always there.
///
/// # Errors
/// [`ConfigError`] for the first file that cannot be read or holds something else than P-384 authorities.
pub(crate) fn load_attestation_roots(files: &[PathBuf]) -> Result<TrustRoots, ConfigError> {
    let mistake = |path: &Path, message: String| ConfigError::one(path, Problem::new("attestation.roots", message));
    let built_in = TrustRoots::aws().map_err(|error| mistake(Path::new("(built in)"), error.to_string()))?;
    files.iter().try_fold(built_in, |roots, path| {
        let pem = std::fs::read(path).map_err(|error| mistake(path, format!("cannot be read: {error}")))?;
        roots.with_pem(&pem).map_err(|error| mistake(path, error.to_string()))
    })
}
