//! What is wrong with a configuration file: a list, so that one run shows every mistake.

use std::fmt;
use std::path::{Path, PathBuf};

/// One mistake: the key it concerns and what is expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Dotted path of the key, for example `raft.heartbeat_ms`.
    pub(crate) key: String,
    /// A sentence without the key and without secrets.
    pub(crate) message: String,
}

impl Problem {
    /// A mistake at `key`.
    pub(crate) fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

/// A configuration file that cannot be used; ends the process with exit code 64.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) struct ConfigError {
    path: PathBuf,
    problems: Vec<Problem>,
}

impl ConfigError {
    pub(crate) fn new(path: &Path, problems: Vec<Problem>) -> Self {
        Self { path: path.to_owned(), problems }
    }

    pub(crate) fn one(path: &Path, problem: Problem) -> Self {
        Self::new(path, vec![problem])
    }

    /// The mistakes, in the order of the file's sections.
    #[cfg(test)]
    pub(crate) fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let noun = if count == 1 { "mistake" } else { "mistakes" };
        write!(f, "{count} {noun} in {}:", self.path.display())?;
        for problem in &self.problems {
            write!(f, "\n  {}: {}", problem.key, problem.message)?;
        }
        Ok(())
    }
}
