//! Exit codes: what a script can rely on.

use crate::config::ConfigError;
use std::fmt;
use std::process::ExitCode;

/// How a command failed. The numbers are part of the interface and do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 1: the command was refused or did not succeed.
    Failed = 1,
    /// 2: the command line is wrong.
    Usage = 2,
    /// 64: a configuration file is wrong; all its mistakes have been listed.
    Configuration = 64,
    /// 69: the cluster, a Region or a majority cannot be reached; trying again later may succeed.
    Unavailable = 69,
    /// 70: a defect or a failure of this machine.
    Internal = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Configuration => 64,
            Exit::Unavailable => 69,
            Exit::Internal => 70,
        })
    }
}

/// An error whose exit code is known. Errors without one end in [`Exit::Failed`].
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    /// A failure with an exit code that was found elsewhere.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// Of two failures the one that says more: an answer says more than silence.
    pub(crate) fn or_more_telling(self, other: Self) -> Self {
        if other.exit == Exit::Unavailable && self.exit != Exit::Unavailable { self } else { other }
    }

    /// Whether what was asked cannot be reached, as opposed to having refused.
    pub(crate) const fn is_unavailable(&self) -> bool {
        matches!(self.exit, Exit::Unavailable)
    }

    /// The command line or its combination of values is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// A file given to the command is wrong.
    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self { exit: Exit::Configuration, message: message.into() }
    }

    /// Something cannot be reached.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self { exit: Exit::Unavailable, message: message.into() }
    }

    /// The command was refused.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The exit code for an error.
pub(crate) fn exit_of(error: &anyhow::Error) -> Exit {
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return failure.exit;
        }
        if cause.is::<ConfigError>() {
            return Exit::Configuration;
        }
    }
    Exit::Failed
}
