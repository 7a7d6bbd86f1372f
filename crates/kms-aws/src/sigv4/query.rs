//! Query strings: percent-decoding, and the order that a canonical request wants.

use std::borrow::Cow;

/// The decoded parameters of a query string, in their order.
#[derive(Debug, Default)]
pub(super) struct Query<'a>(Vec<Parameter<'a>>);

/// Name and value.
type Parameter<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

impl<'a> Query<'a> {
    pub(super) fn parse(query: &'a str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(n, v)| (decode(n), decode(v))).collect(),
        )
    }

    /// The value of a parameter, if it is there once and is UTF-8.
    pub(super) fn only(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.0.iter().filter(|(n, _)| **n == *name.as_bytes()).map(|(_, value)| value);
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        str::from_utf8(value).ok().map(Cow::Borrowed)
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| **n == *name.as_bytes())
    }

    /// The canonical query string without the parameter `except`: encoded anew and sorted by encoded name, then value.
    pub(super) fn canonical(&self, except: &str) -> String {
        let kept = self.0.iter().filter(|(name, _)| **name != *except.as_bytes());
        let mut pairs: Vec<_> = kept.map(|(name, value)| (encode(name), encode(value))).collect();
        pairs.sort_unstable();
        let mut out = String::new();
        for (name, value) in pairs {
            if !out.is_empty() {
                out.push('&');
            }
            out.push_str(&name);
            out.push('=');
            out.push_str(&value);
        }
        out
    }
}

/// Resolves `%XX`; anything else stands for itself, `+` too.
fn decode(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if let (b'%', [high, low, after @ ..]) = (*first, tail)
            && let (Some(high), Some(low)) = (hex_value(*high), hex_value(*low))
        {
            out.push(high << 4 | low);
            rest = after;
            continue;
        }
        out.push(*first);
        rest = tail;
    }
    Cow::Owned(out)
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986 §2.3, with capital digits.
fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_form_sorts_and_encodes_anew() {
        let check = |query: &str, expected: &str| assert_eq!(Query::parse(query).canonical("Sig"), expected, "{query}");
        check("Param2=value2&Param1=value1", "Param1=value1&Param2=value2");
        check("Param1=value2&Param1=Value1", "Param1=Value1&Param1=value2");
        check("b&a=", "a=&b=");
        check("a=%2f&a=%2F&%zz=%4", "%25zz=%254&a=%2F&a=%2F");
        check("Sig=1&a=b+c", "a=b%2Bc");
        check("", "");
    }

    #[test]
    fn a_parameter_given_twice_has_no_value() {
        assert_eq!(Query::parse("a=1&b=2").only("a").as_deref(), Some("1"));
        assert_eq!(Query::parse("a=1&a=1").only("a"), None);
        assert_eq!(Query::parse("a=%ff").only("a"), None);
    }
}
