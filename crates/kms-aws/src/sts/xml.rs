//! Answers in XML. The library escapes what is written; what XML 1.0 cannot hold at all is left out.

use bytes::Bytes;
use kms_service::RequestId;
use quick_xml::Writer;
use quick_xml::events::{BytesStart, BytesText, Event};
use zeroize::Zeroizing;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// Room for an answer with a long session token, so that a buffer with a secret is not copied while it grows.
const ANSWER_BYTES: usize = 12 * 1024;

/// The elements of an answer.
pub(super) struct Elements(Writer<Vec<u8>>);

impl Elements {
    /// An element with a text.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.within(name, |inner| inner.characters(value));
    }

    /// An element with elements in it.
    pub(super) fn within(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.open(BytesStart::new(name), write);
    }

    fn root(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.open(BytesStart::new(name).with_attributes([("xmlns", NAMESPACE)]), write);
    }

    fn open(&mut self, start: BytesStart<'_>, write: impl FnOnce(&mut Self)) {
        let end = start.to_end().into_owned();
        self.event(Event::Start(start));
        write(self);
        self.event(Event::End(end));
    }

    fn characters(&mut self, value: &str) {
        let legal: String = value.chars().filter(|c| is_legal(*c)).collect();
        self.event(Event::Text(BytesText::new(&legal)));
    }

    fn event(&mut self, event: Event<'_>) {
        // Writing to memory cannot fail.
        let _infallible = self.0.write_event(event);
    }
}

/// `Char` of XML 1.0 §2.2.
const fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// The answer of an operation. The bytes are wiped when the last holder lets go of them.
pub(super) fn response(operation: &str, request_id: RequestId, write: impl FnOnce(&mut Elements)) -> Bytes {
    document(|elements| {
        elements.root(&format!("{operation}Response"), |answer| {
            answer.within(&format!("{operation}Result"), write);
            answer.within("ResponseMetadata", |metadata| metadata.text("RequestId", &request_id.to_string()));
        });
    })
}

/// The answer of a failure, with its code and whether it is ours.
pub(super) fn error((code, is_ours): (&str, bool), message: &str, request_id: RequestId) -> Bytes {
    document(|elements| {
        elements.root("ErrorResponse", |answer| {
            answer.within("Error", |error| {
                error.text("Type", if is_ours { "Receiver" } else { "Sender" });
                error.text("Code", code);
                error.text("Message", message);
            });
            answer.text("RequestId", &request_id.to_string());
        });
    })
}

fn document(write: impl FnOnce(&mut Elements)) -> Bytes {
    let mut elements = Elements(Writer::new(Vec::with_capacity(ANSWER_BYTES)));
    write(&mut elements);
    Bytes::from_owner(Zeroizing::new(elements.0.into_inner()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_hold_nothing_that_xml_cannot() {
        let body = error(("ValidationError", false), "a<b>&\"c\"\u{0}\u{b}\u{ffff}é", RequestId::from_random([7; 16]));
        let expected = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                        <Code>ValidationError</Code><Message>a&lt;b&gt;&amp;&quot;c&quot;é</Message></Error>\
                        <RequestId>07070707-0707-4707-8707-070707070707</RequestId></ErrorResponse>";
        assert_eq!(str::from_utf8(&body).unwrap(), expected);
    }
}
