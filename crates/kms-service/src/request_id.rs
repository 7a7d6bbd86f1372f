//! The ID of a request.

use std::fmt;

/// The ID of one request: what the caller gets in `X-Amzn-Requestid`, shown as a UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId([u8; 16]);

/// Turns the ID of a request into the ID of its audit record and back. Any fixed value would do.
const EVENT_MASK: [u8; 16] = *b"meridian audit 1";

impl RequestId {
    /// Makes a request ID (a version 4 UUID, RFC 9562 §5.4) from random bytes.
    #[must_use]
    pub const fn from_random(mut random: [u8; 16]) -> Self {
        random[6] = (random[6] & 0x0f) | 0x40;
        random[8] = (random[8] & 0x3f) | 0x80;
        Self(random)
    }

    /// The ID with these bytes, as [`RequestId::as_bytes`] gave them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads the ID back from what [`fmt::Display`] writes; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits = text.bytes().filter(|c| *c != b'-').map(|c| char::from(c).to_digit(16));
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            let (high, low) = (digits.next()??, digits.next()??);
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        let id = Self(bytes);
        (id.to_string() == text).then_some(id)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The ID of the audit record of this request (AWS `CloudTrailEventId`): a UUID of version 8 (RFC 9562 §5.8) that
    /// follows from the request ID alone, so that both can be told wherever one of them is known.
    #[must_use]
    pub fn event_id(&self) -> Self {
        let mut event = self.0;
        for (byte, mask) in event.iter_mut().zip(EVENT_MASK) {
            *byte ^= mask;
        }
        event[6] = (event[6] & 0x0f) | 0x80;
        event[8] = (event[8] & 0x3f) | 0x80;
        Self(event)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_a_uuid_and_so_is_its_event_id() {
        let id = RequestId::from_random([0xff; 16]);
        assert_eq!(id.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(RequestId::from_bytes(*id.as_bytes()), id);
        assert_eq!(RequestId::parse(&id.to_string()), Some(id));
        for other in ["", "ffffffff-ffff-4fff-bfff-fffffffffff", "FFFFFFFF-ffff-4fff-bfff-ffffffffffff"] {
            assert_eq!(RequestId::parse(other), None, "{other}");
        }
        let event = id.event_id();
        assert_eq!(event, id.event_id());
        assert_eq!((event.to_string().as_bytes()[14], event.to_string().len()), (b'8', 36));
        assert_ne!(event, RequestId::from_random([0xfe; 16]).event_id());
    }
}
