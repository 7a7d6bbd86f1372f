//! Canonical JSON, written by hand: one line, members in the order in which they are written, no spaces.
//!
//! The same values give the same bytes for ever, whatever a JSON library does. Text from outside cannot leave its
//! string, end the line, or act on the terminal of whoever reads the file.

use crate::calendar::push_event_time;
use crate::uuid::{Uuid, push_hex};
use kms_types::Timestamp;

/// What stands at the end of a text that was cut.
const CUT: char = '…';

/// A JSON object in the making. The caller closes what it opens.
#[derive(Debug)]
pub(crate) struct JsonLine {
    text: String,
    cut_values: u64,
}

impl JsonLine {
    /// An open object.
    pub(crate) fn open_line() -> Self {
        let mut text = String::with_capacity(1536);
        text.push('{');
        Self { text, cut_values: 0 }
    }

    pub(crate) fn open(&mut self, name: &str) {
        self.name(name);
        self.text.push('{');
    }

    pub(crate) fn open_item(&mut self) {
        self.comma();
        self.text.push('{');
    }

    pub(crate) fn close(&mut self) {
        self.text.push('}');
    }

    pub(crate) fn open_list(&mut self, name: &str) {
        self.name(name);
        self.text.push('[');
    }

    pub(crate) fn close_list(&mut self) {
        self.text.push(']');
    }

    /// A text, cut where it would take more than `bytes_max` bytes as written.
    pub(crate) fn text(&mut self, name: &str, value: &str, bytes_max: usize) {
        self.name(name);
        self.quoted(value, bytes_max);
    }

    /// A text as a member of a list.
    pub(crate) fn item(&mut self, value: &str, bytes_max: usize) {
        self.comma();
        self.quoted(value, bytes_max);
    }

    /// A text whose name comes from outside, too.
    pub(crate) fn pair(&mut self, name: &str, value: &str, bytes_max: usize) {
        self.comma();
        self.quoted(name, bytes_max);
        self.text.push(':');
        self.quoted(value, bytes_max);
    }

    /// A text of ours that needs neither escapes nor a bound.
    pub(crate) fn word(&mut self, name: &str, value: &str) {
        self.name(name);
        self.text.push('"');
        self.text.push_str(value);
        self.text.push('"');
    }

    pub(crate) fn uuid(&mut self, name: &str, value: &Uuid) {
        self.name(name);
        self.text.push('"');
        value.push_to(&mut self.text);
        self.text.push('"');
    }

    pub(crate) fn event_time(&mut self, name: &str, value: Timestamp) {
        self.name(name);
        self.text.push('"');
        push_event_time(&mut self.text, value);
        self.text.push('"');
    }

    pub(crate) fn hex(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.text.push('"');
        value.iter().for_each(|byte| push_hex(&mut self.text, *byte));
        self.text.push('"');
    }

    pub(crate) fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        push_number(&mut self.text, value);
    }

    pub(crate) fn flag(&mut self, name: &str, value: bool) {
        self.name(name);
        self.text.push_str(if value { "true" } else { "false" });
    }

    pub(crate) fn null(&mut self, name: &str) {
        self.name(name);
        self.text.push_str("null");
    }

    /// Counts a value that was left out.
    pub(crate) fn count_cut(&mut self) {
        self.cut_values += 1;
    }

    /// How many values were cut or left out so far.
    pub(crate) const fn cut_values(&self) -> u64 {
        self.cut_values
    }

    /// Bytes so far.
    pub(crate) const fn length(&self) -> usize {
        self.text.len()
    }

    /// What was written from a former [`JsonLine::length`] on.
    pub(crate) fn since(&self, length: usize) -> &str {
        self.text.get(length..).unwrap_or_default()
    }

    /// Forgets what was written since there were so many bytes and so many cut values.
    pub(crate) fn rewind(&mut self, length: usize, cut_values: u64) {
        self.text.truncate(length);
        self.cut_values = cut_values;
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    fn name(&mut self, name: &str) {
        self.comma();
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }

    fn comma(&mut self) {
        if !matches!(self.text.as_bytes().last(), Some(b'{' | b'[')) {
            self.text.push(',');
        }
    }

    fn quoted(&mut self, value: &str, bytes_max: usize) {
        self.text.push('"');
        if push_escaped(&mut self.text, value, bytes_max) {
            self.text.push(CUT);
            self.cut_values += 1;
        }
        self.text.push('"');
    }
}

/// Appends a decimal number.
pub(crate) fn push_number(out: &mut String, value: u64) {
    let mut digits = [0; 20];
    let mut rest = value;
    let mut from = digits.len();
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        from -= 1;
        if rest == 0 {
            break;
        }
    }
    out.push_str(str::from_utf8(digits.get(from..).unwrap_or_default()).unwrap_or_default());
}

/// Appends text with the escapes that JSON demands and those of characters that a terminal or an editor would obey.
/// Stops before the first character that would make it longer than `bytes_max` as written, and says whether it did.
fn push_escaped(out: &mut String, value: &str, bytes_max: usize) -> bool {
    // Nearly all text is plain, and a loop without branches is fast.
    let plain = value.bytes().fold(true, |plain, b| plain & (0x20..0x7f).contains(&b) & (b != b'"') & (b != b'\\'));
    if plain && value.len() <= bytes_max {
        out.push_str(value);
        return false;
    }
    let end = out.len().saturating_add(bytes_max);
    let mut plain_from = 0;
    for (at, c) in value.char_indices() {
        let run = value.get(plain_from..at).unwrap_or_default();
        let escape = escape(c);
        let added = escape.as_ref().map_or(c.len_utf8(), |e| e.as_str().len());
        if out.len() + run.len() + added > end {
            out.push_str(run);
            return true;
        }
        if let Some(escape) = escape {
            out.push_str(run);
            out.push_str(escape.as_str());
            plain_from = at + c.len_utf8();
        }
    }
    out.push_str(value.get(plain_from..).unwrap_or_default());
    false
}

/// How a character is written that does not stand for itself.
enum Escape {
    Short(&'static str),
    /// All of these lie in the basic plane, so that one unit is enough.
    Unit([u8; 6]),
}

impl Escape {
    fn as_str(&self) -> &str {
        match self {
            Self::Short(text) => text,
            // ASCII by construction.
            Self::Unit(text) => str::from_utf8(text).unwrap_or_default(),
        }
    }
}

fn escape(c: char) -> Option<Escape> {
    if !needs_escape(c) {
        return None;
    }
    Some(match c {
        '"' => Escape::Short("\\\""),
        '\\' => Escape::Short("\\\\"),
        '\n' => Escape::Short("\\n"),
        '\r' => Escape::Short("\\r"),
        '\t' => Escape::Short("\\t"),
        other => {
            let mut unit = *b"\\u0000";
            let mut rest = u32::from(other);
            for place in unit.iter_mut().rev().take(4) {
                *place = char::from_digit(rest % 16, 16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(b'0');
                rest /= 16;
            }
            Escape::Unit(unit)
        }
    })
}

/// Control characters (C0, DEL, C1), line and paragraph separators, marks that turn the direction of text, and the byte
/// order mark.
const fn needs_escape(c: char) -> bool {
    matches!(c,
        '"' | '\\' | '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{61c}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(value: &str, bytes_max: usize) -> String {
        let mut line = JsonLine::open_line();
        line.text("v", value, bytes_max);
        line.close();
        line.into_text()
    }

    #[test]
    fn members_stand_in_the_order_in_which_they_are_written() {
        let mut line = JsonLine::open_line();
        line.number("z", u64::MAX);
        line.open("o");
        line.close();
        line.open_list("l");
        line.item("a", 9);
        line.open_item();
        line.flag("f", true);
        line.null("n");
        line.close();
        line.close_list();
        line.pair("a\"b", "c", 9);
        line.hex("h", &[0, 0xaf]);
        line.close();
        let expected = r#"{"z":18446744073709551615,"o":{},"l":["a",{"f":true,"n":null}],"a\"b":"c","h":"00af"}"#;
        assert_eq!(line.into_text(), expected);
    }

    #[test]
    fn text_that_would_act_on_a_terminal_is_escaped() {
        assert_eq!(written("\u{1b}[2J\u{9b}\u{202e}\n\0", 99), r#"{"v":"\u001b[2J\u009b\u202e\n\u0000"}"#);
    }

    #[test]
    fn long_text_is_cut_between_characters_and_counted() {
        let mut line = JsonLine::open_line();
        line.text("v", "aé", 2);
        line.text("w", "aé", 3);
        line.text("x", "a\nb", 2);
        line.text("y", "abc", 2);
        line.close();
        assert_eq!(line.cut_values(), 3);
        assert_eq!(line.into_text(), r#"{"v":"a…","w":"aé","x":"a…","y":"ab…"}"#);
    }

    proptest! {
        #[test]
        fn any_text_reads_back_and_stays_on_its_line(value in any::<String>()) {
            let line = written(&value, usize::MAX);
            prop_assert!(!line.chars().any(char::is_control));
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(read["v"].as_str(), Some(value.as_str()));
        }

        #[test]
        fn numbers_read_back(value in any::<u64>()) {
            let mut out = String::new();
            push_number(&mut out, value);
            prop_assert_eq!(out, value.to_string());
        }
    }
}
