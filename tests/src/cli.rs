//! Running the command line as a person or a script does.

use crate::binary;
use serde_json::Value;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longest run of a command that is not a cluster.
const DEADLINE: Duration = Duration::from_secs(60);

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Answer {
    /// The answer of a command that has to succeed.
    #[must_use]
    pub fn done(self) -> Self {
        assert_eq!(self.code, 0, "the command failed: {}{}", self.stderr, self.stdout);
        self
    }

    /// Standard output as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }
}

/// Runs `meridian` with these arguments.
///
/// # Panics
/// When it does not end within a minute.
#[must_use]
pub fn run(arguments: &[&str]) -> Answer {
    let mut command = Command::new(binary::meridian());
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary can be run");
    let started = Instant::now();
    // Answers are shorter than a pipe holds, so a command that waits here is really waiting.
    while child.try_wait().expect("the child is ours").is_none() {
        if started.elapsed() > DEADLINE {
            drop(child.kill());
            panic!("meridian {} did not end", arguments.join(" "));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let Output { status, stdout, stderr } = child.wait_with_output().expect("the child has ended");
    Answer {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).expect("answers are UTF-8"),
        stderr: String::from_utf8(stderr).expect("answers are UTF-8"),
    }
}
