//! The parameters of a Query request: from the query string and, for a POST, from the body.

use super::StsFault;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, Method};
use std::borrow::Cow;

const FORM: &str = "application/x-www-form-urlencoded";
/// Most parameters of a request. AssumeRole with 50 tags has little more than 100.
const PARAMETERS_MAX: usize = 256;

/// Whether a request speaks the Query protocol: it names no KMS operation in `X-Amz-Target`, and is a form or has an
/// `Action` in its query.
pub(crate) fn is_query_request(parts: &Parts) -> bool {
    if parts.headers.contains_key("x-amz-target") {
        return false;
    }
    let query = parts.uri.query().unwrap_or_default();
    let has_action = || form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "Action");
    (parts.method == Method::POST && is_form(&parts.headers)) || has_action()
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(FORM))
}

/// The decoded parameters, in their order.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the query string and the body; what belongs to a signature is left out.
    ///
    /// # Errors
    /// [`StsFault::TooManyParameters`].
    pub(crate) fn read(parts: &Parts, body: &[u8]) -> Result<Self, StsFault> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let body = if parts.method == Method::POST && is_form(&parts.headers) { body } else { &[] };
        let pairs = form_urlencoded::parse(query).chain(form_urlencoded::parse(body));
        let own = pairs.filter(|(name, _)| !name.starts_with("X-Amz-")).map(|(n, v)| (owned(n), owned(v)));
        let read: Vec<_> = own.take(PARAMETERS_MAX + 1).collect();
        if read.len() > PARAMETERS_MAX { Err(StsFault::TooManyParameters) } else { Ok(Self(read)) }
    }

    /// The value of a parameter.
    ///
    /// # Errors
    /// [`StsFault::RepeatedParameter`] when it is there more than once.
    pub(crate) fn only(&self, name: &'static str) -> Result<Option<&str>, StsFault> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(StsFault::RepeatedParameter(name)),
        }
    }

    /// Whether there is a parameter with this name, or one within it, such as `PolicyArns.member.1.arn`.
    pub(crate) fn has(&self, name: &str) -> bool {
        let within =
            |known: &str| known.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.0.iter().any(|(known, _)| within(known))
    }

    /// The parameters below a list, such as `Tags.member.`: number of the member, what is behind it, value.
    pub(crate) fn members<'f>(&'f self, list: &'f str) -> impl Iterator<Item = (u16, &'f str, &'f str)> {
        self.0.iter().filter_map(move |(name, value)| {
            let rest = name.strip_prefix(list)?.strip_prefix(".member.")?;
            let (number, member) = rest.split_once('.').unwrap_or((rest, ""));
            Some((number.parse().ok()?, member, value.as_str()))
        })
    }
}

fn owned(text: Cow<'_, str>) -> String {
    text.into_owned()
}
