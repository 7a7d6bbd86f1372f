//! The signature as a request presents it, in the `Authorization` header or in the query string.

use super::SignatureFault;
use super::query::Query;
use super::time::AmzDate;
use http::header::{AUTHORIZATION, DATE, HeaderMap, HeaderName};
use http::request::Parts;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(super) const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
pub(super) const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const TOKEN_PARAMETER: &str = "X-Amz-Security-Token";
/// Longest life of a presigned request: seven days.
const EXPIRES_SECONDS_MAX: u64 = 604_800;

/// Everything that a request says about its signature; nothing of it is verified yet.
#[derive(Debug)]
pub(super) struct Presented<'a> {
    pub(super) scope: CredentialScope<'a>,
    /// Names joined by `;`, as given.
    pub(super) signed_headers: Cow<'a, str>,
    pub(super) signature: Cow<'a, str>,
    pub(super) stamp: AmzDate,
    /// The header that must be signed for the date to be; none if the date is in the query.
    pub(super) date_header: Option<HeaderName>,
    /// How long a presigned request lives.
    pub(super) expires: Option<Duration>,
    pub(super) session_token: SessionToken<'a>,
}

/// The session token that temporary credentials come with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SessionToken<'a> {
    /// None: long-term credentials.
    Absent,
    /// In its header, which must be signed.
    Header(&'a str),
    /// In the query, which is signed as a whole.
    Query(Cow<'a, str>),
    /// Several, or one that is no text.
    Unreadable,
}

impl<'a> SessionToken<'a> {
    fn find(headers: &'a HeaderMap, query: &'a Query<'a>) -> Self {
        let mut values = headers.get_all(X_AMZ_SECURITY_TOKEN).iter();
        match (values.next(), values.next(), query.contains(TOKEN_PARAMETER)) {
            (None, _, false) => Self::Absent,
            (None, _, true) => query.only(TOKEN_PARAMETER).map_or(Self::Unreadable, Self::Query),
            (Some(value), None, false) => value.to_str().map_or(Self::Unreadable, Self::Header),
            (Some(_), _, _) => Self::Unreadable,
        }
    }
}

/// `access key/date/Region/service/aws4_request`.
#[derive(Debug)]
pub(super) struct CredentialScope<'a>(Cow<'a, str>);

impl<'a> CredentialScope<'a> {
    fn parse(value: Cow<'a, str>) -> Result<Self, SignatureFault> {
        if value.split('/').count() == 5 {
            return Ok(Self(value));
        }
        Err(SignatureFault::Incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
             '{value}'"
        )))
    }

    fn part(&self, index: usize) -> &str {
        self.0.split('/').nth(index).unwrap_or_default()
    }

    pub(super) fn access_key(&self) -> &str {
        self.part(0)
    }

    pub(super) fn date(&self) -> &str {
        self.part(1)
    }

    pub(super) fn region(&self) -> &str {
        self.part(2)
    }

    pub(super) fn service(&self) -> &str {
        self.part(3)
    }

    pub(super) fn terminator(&self) -> &str {
        self.part(4)
    }
}

impl<'a> Presented<'a> {
    /// Finds the signature; the header counts if both forms are there.
    ///
    /// # Errors
    /// [`SignatureFault::MissingToken`] or [`SignatureFault::Incomplete`].
    pub(super) fn find(parts: &'a Parts, query: &'a Query<'a>) -> Result<Self, SignatureFault> {
        let mut authorization = parts.headers.get_all(AUTHORIZATION).iter();
        match (authorization.next(), authorization.next()) {
            (Some(value), None) => Self::from_header(&parts.headers, query, String::from_utf8_lossy(value.as_bytes())),
            (Some(_), Some(_)) => {
                Err(SignatureFault::Incomplete("There must be only one Authorization header.".to_owned()))
            }
            (None, _)
                if ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"].iter().any(|n| query.contains(n)) =>
            {
                Self::from_query(&parts.headers, query)
            }
            (None, _) => Err(SignatureFault::MissingToken),
        }
    }

    fn from_header(headers: &'a HeaderMap, query: &'a Query<'a>, value: Cow<'a, str>) -> Result<Self, SignatureFault> {
        let fields = match value {
            Cow::Borrowed(value) => HeaderFields::parse(value)?,
            // Not UTF-8: no signer writes that.
            Cow::Owned(_) => HeaderFields::default(),
        };
        let stamp = header_date(headers);
        let missing = |what: &str| format!("Authorization header requires '{what}' parameter. ");
        let mut text = String::new();
        for (name, field) in [
            ("Credential", fields.credential),
            ("Signature", fields.signature),
            ("SignedHeaders", fields.signed_headers),
        ] {
            if field.is_none() {
                text.push_str(&missing(name));
            }
        }
        if stamp.is_none() {
            text.push_str("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
        }
        let (Some(credential), Some(signature), Some(signed_headers), Some((date_header, date))) =
            (fields.credential, fields.signature, fields.signed_headers, stamp)
        else {
            let echoed = headers.get(AUTHORIZATION).map(|v| String::from_utf8_lossy(v.as_bytes())).unwrap_or_default();
            // Writing to a string cannot fail.
            let _infallible = write!(text, "Authorization={echoed}");
            return Err(SignatureFault::Incomplete(text));
        };
        Ok(Self {
            scope: CredentialScope::parse(Cow::Borrowed(credential))?,
            signed_headers: Cow::Borrowed(signed_headers),
            signature: Cow::Borrowed(signature),
            stamp: parse_date(date)?,
            date_header: Some(date_header),
            expires: None,
            session_token: SessionToken::find(headers, query),
        })
    }

    fn from_query(headers: &'a HeaderMap, query: &'a Query<'a>) -> Result<Self, SignatureFault> {
        let mut text = String::new();
        let mut take = |name: &str| {
            let value = query.only(name);
            if value.is_none() {
                let _infallible = write!(text, "AWS query-string parameters must include '{name}'. ");
            }
            value
        };
        let fields = (
            take("X-Amz-Algorithm"),
            take("X-Amz-Credential"),
            take("X-Amz-Signature"),
            take("X-Amz-SignedHeaders"),
            take("X-Amz-Date"),
            take("X-Amz-Expires"),
        );
        let (Some(algorithm), Some(credential), Some(signature), Some(signed_headers), Some(date), Some(expires)) =
            fields
        else {
            return Err(SignatureFault::Incomplete(text + "Re-examine the query-string parameters."));
        };
        if algorithm != ALGORITHM {
            return Err(unsupported(&algorithm));
        }
        let expires = expires.parse().ok().filter(|s| (1..=EXPIRES_SECONDS_MAX).contains(s)).ok_or_else(|| {
            SignatureFault::Incomplete(format!(
                "X-Amz-Expires must be a number of seconds from 1 to {EXPIRES_SECONDS_MAX}."
            ))
        })?;
        Ok(Self {
            scope: CredentialScope::parse(credential)?,
            signed_headers,
            signature,
            stamp: parse_date(&date)?,
            date_header: None,
            expires: Some(Duration::from_secs(expires)),
            session_token: SessionToken::find(headers, query),
        })
    }
}

/// The `key=value` pairs of an `Authorization` header.
#[derive(Debug, Default)]
struct HeaderFields<'a> {
    credential: Option<&'a str>,
    signed_headers: Option<&'a str>,
    signature: Option<&'a str>,
}

impl<'a> HeaderFields<'a> {
    fn parse(value: &'a str) -> Result<Self, SignatureFault> {
        let mut fields = Self::default();
        let (algorithm, pairs) = value.split_once(' ').unwrap_or((value, ""));
        if algorithm != ALGORITHM {
            // Another scheme, such as Basic, has none of the parts; another algorithm of AWS is named.
            return if algorithm.starts_with("AWS4-") { Err(unsupported(algorithm)) } else { Ok(fields) };
        }
        for pair in pairs.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((name, field)) = pair.split_once('=') else {
                return Err(SignatureFault::Incomplete(format!(
                    "'{pair}' not a valid key=value pair (missing equal-sign) in Authorization header: '{value}'."
                )));
            };
            let slot = match name {
                "Credential" => &mut fields.credential,
                "SignedHeaders" => &mut fields.signed_headers,
                "Signature" => &mut fields.signature,
                _ => continue,
            };
            if slot.replace(field).is_some() {
                return Err(SignatureFault::Incomplete(format!(
                    "Authorization header has more than one '{name}' parameter. Authorization={value}"
                )));
            }
        }
        Ok(fields)
    }
}

/// The one value of `x-amz-date`, else of `date`.
fn header_date(headers: &HeaderMap) -> Option<(HeaderName, &str)> {
    let name = if headers.contains_key(X_AMZ_DATE) { X_AMZ_DATE } else { DATE };
    let mut values = headers.get_all(&name).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    Some((name, value.to_str().ok()?.trim()))
}

fn parse_date(value: &str) -> Result<AmzDate, SignatureFault> {
    AmzDate::parse(value).or_else(|| AmzDate::parse_http(value)).ok_or_else(|| {
        SignatureFault::Incomplete(format!(
            "Date must be in ISO-8601 'basic format'. Got '{value}'. See http://en.wikipedia.org/wiki/ISO_8601"
        ))
    })
}

fn unsupported(algorithm: &str) -> SignatureFault {
    SignatureFault::Incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'."))
}
