//! The root key's file: 64 hexadecimal digits and a newline, readable by its owner alone; and the passphrase file.

use super::principals::read_private_file;
use std::path::Path;
use zeroize::Zeroizing;

/// Why a root key could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RootKeyError {
    /// Missing, unreadable, or readable by others.
    #[error("root key file {path}: {message}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it, without its contents.
        message: String,
    },
    /// The operating system gave no random bytes.
    #[error("no random bytes for a root key")]
    Random(#[source] getrandom::Error),
    /// The new file could not be written.
    #[error("root key file {path} cannot be written")]
    Write {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Draws a root key and writes it to a new file with mode 0600, synced to disk.
///
/// # Errors
/// [`RootKeyError`]; an existing file is never overwritten.
pub(crate) fn create_root_key(path: &Path) -> Result<(), RootKeyError> {
    let mut key = Zeroizing::new([0_u8; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(RootKeyError::Random)?;
    let mut text = Zeroizing::new([0_u8; 65]);
    let (digits, newline) = text.split_at_mut(64);
    hex::encode_to_slice(key.as_slice(), digits).map_err(|error| file_error(path, error.to_string()))?;
    newline.copy_from_slice(b"\n");
    let source = crate::files::create_private(path, text.as_slice());
    source.map_err(|source| RootKeyError::Write { path: path.display().to_string(), source })
}

/// Reads a root key.
///
/// # Errors
/// [`RootKeyError::File`] when the file is missing, readable by others, or not a root key.
pub(crate) fn read_root_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, RootKeyError> {
    let text = read_private_file(path).map_err(|problem| file_error(path, problem.message))?;
    let mut key = Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(text.trim_end(), key.as_mut_slice())
        .map_err(|_hidden| file_error(path, "does not hold 64 hexadecimal digits".to_owned()))?;
    Ok(key)
}

/// Reads the passphrase: the first line of the file, at least twelve characters.
///
/// # Errors
/// [`RootKeyError::File`] when the file is missing, readable by others, or the passphrase is too short.
pub(crate) fn read_passphrase(path: &Path) -> Result<Zeroizing<String>, RootKeyError> {
    let text = read_private_file(path).map_err(|problem| file_error(path, problem.message))?;
    let passphrase = text.lines().next().unwrap_or_default();
    if passphrase.chars().count() < PASSPHRASE_CHARS_MIN {
        return Err(file_error(path, format!("the passphrase has fewer than {PASSPHRASE_CHARS_MIN} characters")));
    }
    Ok(Zeroizing::new(passphrase.to_owned()))
}

/// Shortest passphrase.
const PASSPHRASE_CHARS_MIN: usize = 12;

fn file_error(path: &Path, message: String) -> RootKeyError {
    RootKeyError::File { path: path.display().to_string(), message }
}
