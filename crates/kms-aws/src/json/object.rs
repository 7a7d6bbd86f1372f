//! Writing JSON objects straight into a buffer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kms_service::Delivered;
use kms_types::Timestamp;
use zeroize::Zeroizing;

/// How long the base64 form of so many bytes is.
pub(crate) const fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// How long the base64 form of the secret part of an answer is, in whichever form it leaves.
pub(crate) fn delivered_len(delivered: &Delivered) -> usize {
    match delivered {
        Delivered::Plaintext(secret) => base64_len(secret.0.len()),
        Delivered::ForRecipient(ciphertext) => base64_len(ciphertext.len()),
    }
}

/// Writes one object. `capacity` is the expected length in bytes; with secrets it must suffice, since a buffer that
/// grows leaves its old bytes behind.
pub(crate) fn object(capacity: usize, write: impl FnOnce(&mut Object<'_>)) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(capacity);
    Object::write(&mut buffer, write);
    buffer
}

/// Writes one object with a secret in it. The bytes are wiped when the last holder lets go of them.
pub(crate) fn secret_object(capacity: usize, write: impl FnOnce(&mut Object<'_>)) -> Bytes {
    Bytes::from_owner(Zeroizing::new(object(capacity, write)))
}

/// An object being written. Absent members are left out, as the service does.
#[derive(Debug)]
pub(crate) struct Object<'b> {
    buffer: &'b mut Vec<u8>,
    empty: bool,
}

impl Object<'_> {
    fn write(buffer: &mut Vec<u8>, write: impl FnOnce(&mut Object<'_>)) {
        buffer.push(b'{');
        write(&mut Object { buffer, empty: true });
        buffer.push(b'}');
    }

    fn name(&mut self, name: &str) {
        if !self.empty {
            self.buffer.push(b',');
        }
        self.empty = false;
        write_text(self.buffer, name);
        self.buffer.push(b':');
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        write_text(self.buffer, value);
    }

    pub(crate) fn optional_text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    pub(crate) fn boolean(&mut self, name: &str, value: bool) {
        self.name(name);
        self.buffer.extend_from_slice(if value { b"true" } else { b"false" });
    }

    pub(crate) fn integer(&mut self, name: &str, value: u32) {
        self.name(name);
        self.buffer.extend_from_slice(value.to_string().as_bytes());
    }

    /// Seconds since the Unix epoch, with milliseconds where there are any.
    pub(crate) fn timestamp(&mut self, name: &str, value: Timestamp) {
        self.name(name);
        let (seconds, millis) = (value.millis() / 1000, value.millis() % 1000);
        let text = if millis == 0 { seconds.to_string() } else { format!("{seconds}.{millis:03}") };
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// The secret part of an answer: in plaintext under `name`, or else `CiphertextForRecipient` and no such member.
    pub(crate) fn delivered(&mut self, name: &str, value: &Delivered) {
        match value {
            Delivered::Plaintext(secret) => self.blob(name, &secret.0),
            Delivered::ForRecipient(ciphertext) => self.blob("CiphertextForRecipient", ciphertext),
        }
    }

    pub(crate) fn blob(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.buffer.push(b'"');
        let start = self.buffer.len();
        self.buffer.resize(start + base64_len(value.len()), b'=');
        if let Some(room) = self.buffer.get_mut(start..) {
            // The room is exactly what encoding needs, so this cannot fail.
            let _infallible = STANDARD.encode_slice(value, room);
        }
        self.buffer.push(b'"');
    }

    pub(crate) fn texts<'t>(&mut self, name: &str, values: impl IntoIterator<Item = &'t str>) {
        self.name(name);
        self.buffer.push(b'[');
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.buffer.push(b',');
            }
            write_text(self.buffer, value);
        }
        self.buffer.push(b']');
    }

    pub(crate) fn object(&mut self, name: &str, write: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        Object::write(self.buffer, write);
    }

    pub(crate) fn objects<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        write: impl Fn(&mut Object<'_>, T),
    ) {
        self.name(name);
        self.buffer.push(b'[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.buffer.push(b',');
            }
            Object::write(self.buffer, |object| write(object, item));
        }
        self.buffer.push(b']');
    }
}

/// Writes a JSON string (RFC 8259 §7).
fn write_text(buffer: &mut Vec<u8>, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    buffer.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => buffer.extend_from_slice(&[b'\\', byte]),
            b'\n' => buffer.extend_from_slice(b"\\n"),
            b'\r' => buffer.extend_from_slice(b"\\r"),
            b'\t' => buffer.extend_from_slice(b"\\t"),
            0..0x20 => {
                buffer.extend_from_slice(b"\\u00");
                buffer.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            }
            _ => buffer.push(byte),
        }
    }
    buffer.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let written = object(16, |o| {
            o.text("Text", "a\"b\\c\nd\u{1}\u{1f}é𝄞/");
            o.optional_text("Absent", None);
            o.boolean("Yes", true);
            o.integer("Count", 7);
            o.blob("Blob", &[0xff, 0, 1, 2]);
            o.texts("Texts", ["a", "b"]);
            o.objects("Objects", [1, 2], |o, n| o.integer("N", n));
            o.object("Object", |_| {});
        });
        let expected = serde_json::json!({
            "Text": "a\"b\\c\nd\u{1}\u{1f}é𝄞/", "Yes": true, "Count": 7, "Blob": "/wABAg==", "Texts": ["a", "b"],
            "Objects": [{"N": 1}, {"N": 2}], "Object": {},
        });
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&written).unwrap(), expected);
    }

    #[test]
    fn timestamps_are_seconds_with_milliseconds() {
        let write = |millis| object(16, |o| o.timestamp("T", Timestamp::from_millis(millis)));
        assert_eq!(write(1_516_435_200_399), br#"{"T":1516435200.399}"#);
        assert_eq!(write(1_516_435_200_040), br#"{"T":1516435200.040}"#);
        assert_eq!(write(1_516_435_200_000), br#"{"T":1516435200}"#);
    }

    #[test]
    fn blobs_of_all_lengths_fit_their_room() {
        for length in 0..20 {
            let written = object(16, |o| o.blob("B", &vec![7; length]));
            let expected = format!(r#"{{"B":"{}"}}"#, STANDARD.encode(vec![7; length]));
            assert_eq!(written, expected.as_bytes());
        }
    }
}
