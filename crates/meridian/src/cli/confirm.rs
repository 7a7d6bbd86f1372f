//! Asking before a change that cannot be taken back lightly.

use super::{Failure, output};
use std::io::{BufRead as _, IsTerminal as _};

/// Returns when the person agrees. `yes` stands for an answer given on the command line.
///
/// # Errors
/// Fails when the answer is no, or when there is nobody to ask.
pub(super) fn confirm(question: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(Failure::usage("there is no terminal to ask at; add --yes to go on").into());
    }
    output::note(format_args!("{question} Type yes to go on:"));
    let mut answer = String::new();
    input.lock().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::failed("nothing was changed").into()) }
}
