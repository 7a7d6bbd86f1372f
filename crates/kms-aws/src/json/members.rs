//! The members of a request. Each read checks one member; [`Members::finish`] tells all that was wrong, in the order of
//! the reads, so that a request with several mistakes hears of all of them at once.

mod grants;

use super::constraint::{
    GRANT_TOKEN, KEY_MATERIAL_ID, REGION, TAG_KEY, TAG_VALUE, TextConstraint, length_at_least, length_at_most,
    not_null, sentence, value_at_least, value_at_most,
};
use super::value::{Entries, Json};
use crate::{Fault, WireError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kms_audit::Elements;
use kms_service::{KmsError, Recipient, Validation};
use kms_types::{EncryptionContext, KeyMaterialId, RegionName, Timestamp};
use std::borrow::Cow;
use std::ops::RangeInclusive;
use zeroize::Zeroizing;

const GRANT_TOKENS_MAX: usize = 10;

/// The members of a request's JSON object, and what has been found wrong with them.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    entries: Entries<'a>,
    /// Path of the structure that the members belong to, with a point behind it; empty for the request itself.
    within: String,
    faults: Faults,
}

/// A wrong JSON type ends a request before any constraint is looked at, so the two are kept apart.
#[derive(Debug, Default)]
struct Faults {
    wrong_type: Option<WireError>,
    violations: Vec<String>,
    refusal: Option<KmsError>,
}

impl<'a> Members<'a> {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// `SerializationException` unless it is one JSON object.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let malformed = || Fault::Wire(WireError::Serialization(Cow::Borrowed("The request body is not valid JSON.")));
        // The parser's own message may quote the body, and the body may hold a plaintext.
        let mut value = serde_json::from_slice(body).map_err(|_hidden| malformed())?;
        match &mut value {
            Json::Object(entries) => {
                Ok(Self { entries: std::mem::take(entries), within: String::new(), faults: Faults::default() })
            }
            other => Err(wrong_type(other, "a structure").into()),
        }
    }

    /// Adds what the audit record may show of the request.
    pub(crate) fn for_audit(&self, shown: Elements<'static>) -> Elements<'static> {
        super::audited::elements(shown, &self.entries)
    }

    /// Ends reading: `request`, unless something was wrong with a member.
    ///
    /// # Errors
    /// `SerializationException` for a wrong JSON type, else `ValidationException` with every violated constraint.
    pub(crate) fn finish<T>(self, request: T) -> Result<T, Fault> {
        match self.faults {
            Faults { wrong_type: Some(fault), .. } => Err(fault.into()),
            Faults { violations, .. } if !violations.is_empty() => {
                Err(KmsError::Validation(Validation::Constraints(violations)).into())
            }
            Faults { refusal: Some(error), .. } => Err(error.into()),
            Faults { .. } => Ok(request),
        }
    }

    /// A text that may be absent.
    pub(crate) fn text(&mut self, name: &str, constraint: &TextConstraint) -> Option<String> {
        let value = find(&self.entries, name)?;
        read_text(value, &self.path(name), constraint, &mut self.faults)
    }

    /// A text that must be there; empty when it is not, but then [`Members::finish`] fails.
    pub(crate) fn required_text(&mut self, name: &str, constraint: &TextConstraint) -> String {
        self.require(name);
        self.text(name, constraint).unwrap_or_default()
    }

    /// A Region name that must be there; `None` only if [`Members::finish`] fails.
    pub(crate) fn required_region(&mut self, name: &str) -> Option<RegionName> {
        RegionName::parse(&self.required_text(name, &REGION)).ok()
    }

    /// Checks a text that the service has no use for, so that it is not copied.
    pub(crate) fn check_text(&mut self, name: &str, constraint: &TextConstraint) {
        match find(&self.entries, name) {
            None => {}
            Some(Json::Text(text)) => constraint.check(&self.path(name), text, &mut self.faults.violations),
            Some(other) => drop(self.faults.wrong_type::<()>(other, "a String")),
        }
    }

    /// A structure whose members `read` reads; `None` when it is absent. It can be read once.
    pub(crate) fn structure<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let within = format!("{}.", self.path(name));
        let named = |(key, _): &&mut (Json<'_>, Json<'_>)| key.as_text() == Some(name);
        let (_, value) = self.entries.iter_mut().rev().find(named)?;
        let entries = match value {
            Json::Object(entries) => std::mem::take(entries),
            Json::Null => return None,
            other => return self.faults.wrong_type(other, "a structure"),
        };
        let mut inner = Self { entries, within, faults: std::mem::take(&mut self.faults) };
        let read = read(&mut inner);
        self.faults = inner.faults;
        Some(read)
    }

    /// `KeyMaterialId`.
    pub(crate) fn key_material_id(&mut self) -> Option<KeyMaterialId> {
        KeyMaterialId::parse(&self.text("KeyMaterialId", &KEY_MATERIAL_ID)?).ok()
    }

    /// A text of a closed set. `values` is the set as messages show it.
    pub(crate) fn choice<T>(&mut self, name: &str, values: &[&str], parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = find(&self.entries, name)?;
        read_choice(value, &self.path(name), values, parse, &mut self.faults)
    }

    /// A text of a closed set that must be there; `None` only if [`Members::finish`] fails.
    pub(crate) fn required_choice<T>(
        &mut self,
        name: &str,
        values: &[&str],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        self.require(name);
        self.choice(name, values, parse)
    }

    /// A list of texts of a closed set.
    pub(crate) fn choices<T>(
        &mut self,
        name: &str,
        length: RangeInclusive<usize>,
        values: &[&str],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let elements = list(&self.entries, name, &mut self.faults)?;
        let shown: Vec<&str> = elements.iter().filter_map(Json::as_text).collect();
        check_length(
            &format!(" '[{}]'", shown.join(", ")),
            &self.path(name),
            elements.len(),
            &length,
            &mut self.faults,
        );
        let elements = numbered(self.path(name), elements);
        let read = |(path, value): (String, &Json<'_>)| read_choice(value, &path, values, &parse, &mut self.faults);
        Some(elements.filter_map(read).collect())
    }

    /// A whole number.
    pub(crate) fn integer(&mut self, name: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = find(&self.entries, name)?;
        let Json::Integer(number) = value else {
            return self.faults.wrong_type(value, "an Integer");
        };
        let Ok(number) = i32::try_from(*number) else {
            return self.faults.wrong_type(&Json::Number(f64::INFINITY), "an Integer");
        };
        let constraint = match u32::try_from(number) {
            Ok(within) if range.contains(&within) => return Some(within),
            Ok(above) if above > *range.end() => value_at_most(*range.end()),
            Ok(_) | Err(_) => value_at_least(*range.start()),
        };
        self.faults.violations.push(sentence(&format!(" '{number}'"), &self.path(name), &constraint));
        None
    }

    /// A time, in seconds since the Unix epoch with a fraction. Times before the epoch are shown as the epoch.
    pub(crate) fn timestamp(&mut self, name: &str) -> Option<Timestamp> {
        match find(&self.entries, name)? {
            Json::Integer(seconds) => {
                Some(Timestamp::from_millis(u64::try_from(*seconds).unwrap_or_default().saturating_mul(1000)))
            }
            Json::Number(seconds) => Some(Timestamp::from_millis(whole_millis(*seconds))),
            other => self.faults.wrong_type(other, "a Timestamp"),
        }
    }

    /// A boolean.
    pub(crate) fn boolean(&mut self, name: &str) -> Option<bool> {
        match find(&self.entries, name)? {
            Json::Boolean(value) => Some(*value),
            other => self.faults.wrong_type(other, "a Boolean"),
        }
    }

    /// Bytes that may be absent. No message shows them.
    pub(crate) fn blob(&mut self, name: &str, length: RangeInclusive<usize>) -> Option<Vec<u8>> {
        let value = find(&self.entries, name)?;
        read_blob(value, &self.path(name), &length, &mut self.faults).map(|mut bytes| std::mem::take(&mut *bytes))
    }

    /// Bytes that must be there; empty when they are not, but then [`Members::finish`] fails.
    pub(crate) fn required_blob(&mut self, name: &str, length: RangeInclusive<usize>) -> Vec<u8> {
        self.require(name);
        self.blob(name, length).unwrap_or_default()
    }

    /// Bytes that must be there and are wiped when dropped.
    pub(crate) fn required_secret(&mut self, name: &str, length: RangeInclusive<usize>) -> Zeroizing<Vec<u8>> {
        self.require(name);
        let Some(value) = find(&self.entries, name) else { return Zeroizing::default() };
        read_blob(value, &self.path(name), &length, &mut self.faults).unwrap_or_default()
    }

    /// An encryption context; absent equals empty.
    pub(crate) fn context(&mut self, name: &str) -> EncryptionContext {
        let Some(value) = find(&self.entries, name) else { return EncryptionContext::default() };
        read_pairs(value, &mut self.faults)
    }

    /// `GrantTokens`.
    pub(crate) fn grant_tokens(&mut self) -> Vec<String> {
        let name = "GrantTokens";
        let Some(elements) = list(&self.entries, name, &mut self.faults) else { return Vec::new() };
        check_length("", &self.path(name), elements.len(), &(0..=GRANT_TOKENS_MAX), &mut self.faults);
        let elements = numbered(self.path(name), elements);
        let read = |(path, value): (String, &Json<'_>)| read_text(value, &path, &GRANT_TOKEN, &mut self.faults);
        elements.filter_map(read).collect()
    }

    /// `TagKeys`, which must be there.
    pub(crate) fn tag_keys(&mut self) -> Vec<String> {
        let name = "TagKeys";
        self.require(name);
        let Some(elements) = list(&self.entries, name, &mut self.faults) else { return Vec::new() };
        let elements = numbered(self.path(name), elements);
        let read = |(path, value): (String, &Json<'_>)| read_text(value, &path, &TAG_KEY, &mut self.faults);
        elements.filter_map(read).collect()
    }

    /// `Tags`, pairs of key and value.
    pub(crate) fn tags(&mut self) -> Vec<(String, String)> {
        let name = "Tags";
        let Some(elements) = list(&self.entries, name, &mut self.faults) else { return Vec::new() };
        let mut tags = Vec::with_capacity(elements.len().min(64));
        let elements = numbered(self.path(name), elements);
        let faults = &mut self.faults;
        for (path, element) in elements {
            let entries = match element {
                Json::Object(entries) => entries,
                Json::Null => {
                    faults.violations.push(not_null(&path));
                    continue;
                }
                other => {
                    faults.wrong_type::<()>(other, "a structure");
                    continue;
                }
            };
            let mut field = |name: &str, constraint| match find(entries, name) {
                Some(value) => read_text(value, &format!("{path}.{}", camel_case(name)), constraint, faults),
                None => {
                    faults.violations.push(not_null(&format!("{path}.{}", camel_case(name))));
                    None
                }
            };
            if let (Some(key), Some(value)) = (field("TagKey", &TAG_KEY), field("TagValue", &TAG_VALUE)) {
                tags.push((key, value));
            }
        }
        tags
    }

    /// `Tags` of an operation that requires them.
    pub(crate) fn required_tags(&mut self) -> Vec<(String, String)> {
        self.require("Tags");
        self.tags()
    }

    /// `Recipient`. The model requires neither of its members; without both there is nobody to encrypt for, and to answer
    /// in plaintext instead would tell the caller's host what was meant for its enclave alone. AWS's text is not verified.
    pub(crate) fn recipient(&mut self) -> Option<Recipient> {
        let (algorithm, document) = self.structure("Recipient", |recipient| {
            let only = "RSAES_OAEP_SHA_256";
            let algorithm = recipient.choice("KeyEncryptionAlgorithm", &[only], |given| (given == only).then_some(()));
            (algorithm, recipient.blob("AttestationDocument", 1..=262_144))
        })?;
        let given = algorithm.and(document).map(|attestation_document| Recipient { attestation_document });
        if given.is_none() {
            let text = "Recipient must have a KeyEncryptionAlgorithm and an AttestationDocument.";
            self.refuse(KmsError::service(text));
        }
        given
    }

    /// Records a refusal that members cause together; it counts when each of them is right for itself.
    pub(crate) fn refuse(&mut self, error: KmsError) {
        self.faults.refusal.get_or_insert(error);
    }

    /// Records that a member is missing, for one that only some requests need.
    pub(crate) fn require(&mut self, name: &str) {
        if find(&self.entries, name).is_none() {
            let path = self.path(name);
            self.faults.violations.push(not_null(&path));
        }
    }

    fn path(&self, name: &str) -> String {
        format!("{}{}", self.within, camel_case(name))
    }
}

impl Faults {
    fn wrong_type<T>(&mut self, value: &Json<'_>, wanted: &str) -> Option<T> {
        self.wrong_type.get_or_insert_with(|| wrong_type(value, wanted));
        None
    }
}

fn wrong_type(value: &Json<'_>, wanted: &str) -> WireError {
    WireError::Serialization(match value {
        Json::List(_) => Cow::Borrowed("Start of list found where not expected"),
        Json::Object(_) => Cow::Borrowed("Start of structure or map found where not expected."),
        scalar => Cow::Owned(format!("{} cannot be converted to {wanted}", scalar.kind())),
    })
}

/// The member of that name; `null` means absent, and of repetitions the last counts.
fn find<'v, 'a>(entries: &'v Entries<'a>, name: &str) -> Option<&'v Json<'a>> {
    let (_, value) = entries.iter().rev().find(|(key, _)| key.as_text() == Some(name))?;
    if matches!(value, Json::Null) { None } else { Some(value) }
}

fn list<'v, 'a>(entries: &'v Entries<'a>, name: &str, faults: &mut Faults) -> Option<&'v [Json<'a>]> {
    match find(entries, name)? {
        Json::List(elements) => Some(elements),
        other => faults.wrong_type(other, "a list"),
    }
}

/// Messages name members in lower camel case.
fn camel_case(name: &str) -> String {
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    name
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a conversion from a double saturates, which is what a time out of range should do"
)]
fn whole_millis(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

/// Elements with their paths, counted from one.
fn numbered<'v, 'a>(list: String, elements: &'v [Json<'a>]) -> impl Iterator<Item = (String, &'v Json<'a>)> {
    elements.iter().enumerate().map(move |(index, value)| (format!("{list}.{}.member", index + 1), value))
}

fn read_text(value: &Json<'_>, path: &str, constraint: &TextConstraint, faults: &mut Faults) -> Option<String> {
    match value {
        Json::Text(text) => {
            constraint.check(path, text, &mut faults.violations);
            Some(text.clone().into_owned())
        }
        Json::Null => {
            faults.violations.push(not_null(path));
            None
        }
        other => faults.wrong_type(other, "a String"),
    }
}

/// Pairs of texts; those without a value are passed over.
fn read_pairs<T: FromIterator<(String, String)> + Default>(value: &Json<'_>, faults: &mut Faults) -> T {
    let Json::Object(entries) = value else {
        return faults.wrong_type(value, "a map").unwrap_or_default();
    };
    let pair = |(name, value): &(Json<'_>, Json<'_>)| match value {
        Json::Text(value) => Some((name.as_text()?.to_owned(), value.clone().into_owned())),
        Json::Null => None,
        other => faults.wrong_type(other, "a String"),
    };
    entries.iter().filter_map(pair).collect()
}

fn read_choice<T>(
    value: &Json<'_>,
    path: &str,
    values: &[&str],
    parse: impl Fn(&str) -> Option<T>,
    faults: &mut Faults,
) -> Option<T> {
    let text = match value {
        Json::Text(text) => text,
        Json::Null => {
            faults.violations.push(not_null(path));
            return None;
        }
        other => return faults.wrong_type(other, "a String"),
    };
    let chosen = parse(text);
    if chosen.is_none() {
        let constraint = format!("Member must satisfy enum value set: [{}]", values.join(", "));
        faults.violations.push(sentence(&format!(" '{text}'"), path, &constraint));
    }
    chosen
}

fn read_blob(
    value: &Json<'_>,
    path: &str,
    length: &RangeInclusive<usize>,
    faults: &mut Faults,
) -> Option<Zeroizing<Vec<u8>>> {
    let Json::Text(text) = value else {
        return faults.wrong_type(value, "a Blob");
    };
    // All that decoding can need, so that no half-filled buffer is left behind unwiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3 + 3));
    if STANDARD.decode_vec(text.as_bytes(), &mut bytes).is_err() {
        let fault = || WireError::Serialization(Cow::Borrowed("The value of a Blob is not valid base64."));
        faults.wrong_type.get_or_insert_with(fault);
        return None;
    }
    check_length("", path, bytes.len(), length, faults);
    Some(bytes)
}

fn check_length(shown: &str, path: &str, count: usize, length: &RangeInclusive<usize>, faults: &mut Faults) {
    if count > *length.end() {
        faults.violations.push(sentence(shown, path, &length_at_most(*length.end())));
    }
    if count < *length.start() {
        faults.violations.push(sentence(shown, path, &length_at_least(*length.start())));
    }
}
