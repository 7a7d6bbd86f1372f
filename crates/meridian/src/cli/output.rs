//! Everything that the command line prints goes through here: answers to standard output, notes to standard error.

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use std::fmt::Display;
use std::io::Write as _;

/// Form of a command's answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables for people.
    #[default]
    Table,
    /// One JSON document for programs.
    Json,
}

/// Prints a line of the answer. A reader that has gone, as `head` does, ends nothing and is no failure.
pub(crate) fn line(text: impl Display) {
    drop(writeln!(std::io::stdout().lock(), "{text}"));
}

/// Prints a note or an error for people; never part of the answer.
pub(crate) fn note(text: impl Display) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// Prints a value as a JSON document.
///
/// # Errors
/// Fails when the value has no JSON form, which is a defect.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Lays rows out under a header, with no lines between them so that they can be copied and cut.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}
