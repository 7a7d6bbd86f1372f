//! What the binary says before it does anything. That this test wants the binary also makes `cargo test --workspace` build
//! it together with everything else, for the end-to-end tests, instead of once more with other features.
#![expect(clippy::unwrap_used, reason = "a step that fails is the result of the test")]

use std::process::{Command, Output};

fn meridian(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meridian")).args(arguments).output().unwrap()
}

#[test]
fn help_names_every_command_and_what_exit_codes_mean() {
    let help = meridian(&["--help"]);
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(help.status.success());
    for word in ["dev", "status", "keys", "promote", "rotation", "region", "chaos", "init", "node", "Exit codes"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn every_command_teaches_with_examples() {
    for command in ["dev", "status", "keys", "promote", "rotation", "region", "chaos", "init", "node"] {
        let help = meridian(&[command, "--help"]);
        let text = String::from_utf8(help.stdout).unwrap();
        assert!(help.status.success() && text.contains("meridian"), "{command}: {text}");
    }
}

#[test]
fn a_wrong_command_line_is_told_on_standard_error_with_exit_code_2() {
    for arguments in [&["nonsense"][..], &["promote"], &["dev", "--port", "many"], &[]] {
        let refused = meridian(arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(refused.stdout.is_empty() && !refused.stderr.is_empty(), "{arguments:?}");
    }
}
