//! Looking for secrets: all forms in which bytes may have been written down, in all files of a directory.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::path::{Path, PathBuf};

/// A secret to look for.
#[derive(Clone, Debug)]
pub struct Needle {
    /// What it is, for the message of a failing test.
    pub name: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Needle {
    /// Every usual form of these bytes: raw, hexadecimal, base64 at any alignment, a list of numbers.
    #[must_use]
    pub fn new(name: impl Into<String>, secret: &[u8]) -> Self {
        assert!(secret.len() >= 12, "too short to look for");
        let lower = hex::encode(secret);
        let mut forms = vec![
            ("raw", secret.to_vec()),
            ("upper-case hexadecimal", lower.to_uppercase().into_bytes()),
            ("hexadecimal", lower.into_bytes()),
            ("base64", STANDARD.encode(secret).into_bytes()),
            ("URL-safe base64", URL_SAFE_NO_PAD.encode(secret).into_bytes()),
            ("numbers", numbers(secret, ", ").into_bytes()),
            ("dense numbers", numbers(secret, ",").into_bytes()),
        ];
        // Inside a longer encoded text the secret may start at any of three positions; the first and last digits
        // belong to its neighbours as well.
        for skip in [0, 1, 2] {
            let end = skip + (secret.len() - skip) / 3 * 3;
            forms.push(("base64 within", STANDARD_NO_PAD.encode(&secret[skip..end]).into_bytes()));
        }
        Self { name: name.into(), forms }
    }

    /// The form in which the secret is in `bytes`, if it is.
    #[must_use]
    pub fn found_in(&self, bytes: &[u8]) -> Option<&'static str> {
        self.forms.iter().find(|(_, form)| contains(bytes, form)).map(|(name, _)| *name)
    }
}

fn numbers(bytes: &[u8], separator: &str) -> String {
    bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(separator)
}

/// Whether `needle` is in `bytes`.
#[must_use]
pub fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return true };
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| byte == first) {
        at += found + 1;
        if bytes[at..].starts_with(rest) {
            return true;
        }
    }
    false
}

/// The bytes without long runs of zeros, of which no secret has one: files that only keep space free are quickly searched.
#[must_use]
pub fn without_padding(bytes: &[u8]) -> Vec<u8> {
    const RUN_BYTES: usize = 64;
    let is_padding = |chunk: &&[u8]| **chunk == [0; RUN_BYTES];
    let mut kept = Vec::new();
    let mut chunks = bytes.chunks(RUN_BYTES).peekable();
    while let Some(chunk) = chunks.next() {
        kept.extend_from_slice(chunk);
        // The first run stays, so that what lies on its two sides does not become neighbours.
        while is_padding(&chunk) && chunks.next_if(is_padding).is_some() {}
    }
    kept
}

/// Every file below a directory.
#[must_use]
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("the directory can be read") {
        let path = entry.expect("the directory can be read").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_form() {
        let secret: Vec<u8> = (100..132).collect();
        let needle = Needle::new("secret", &secret);
        let texts: [Vec<u8>; 6] = [
            secret.clone(),
            format!("key={}", hex::encode(&secret)).into_bytes(),
            format!("key={}", hex::encode_upper(&secret)).into_bytes(),
            format!("{{\"k\":\"{}\"}}", STANDARD.encode(&secret)).into_bytes(),
            format!("{secret:?}").into_bytes(),
            STANDARD.encode([b"x".as_slice(), &secret, b"yz"].concat()).into_bytes(),
        ];
        for text in texts {
            assert!(needle.found_in(&text).is_some(), "{}", String::from_utf8_lossy(&text));
        }
        assert_eq!(needle.found_in(&[0; 400]), None);
    }
}
