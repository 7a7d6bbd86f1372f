//! Values of condition keys, and those that a request has beside the ones of [`super::RequestContext`]'s setters.

use crate::condition_key::{ConditionKey, lowercase};
use kms_types::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use time::OffsetDateTime;

/// One value of a condition key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact<'a> {
    Text(&'a str),
    Boolean(bool),
    Number(u64),
    Moment(Timestamp),
    Address(IpAddr),
    /// In the place of values that are too many to be compared.
    Excess,
}

impl Fact<'_> {
    /// The value as conditions on texts and policy variables see it.
    pub(crate) fn text(&self) -> Option<String> {
        Some(match self {
            Self::Text(text) => (*text).to_owned(),
            Self::Boolean(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Moment(moment) => iso_8601(*moment)?,
            Self::Address(address) => address.to_canonical().to_string(),
            Self::Excess => return None,
        })
    }
}

/// As in `2026-11-22T09:00:00Z`.
fn iso_8601(moment: Timestamp) -> Option<String> {
    let seconds = i64::try_from(moment.millis() / 1_000).ok()?;
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    let (year, month, day) = (moment.year(), u8::from(moment.month()), moment.day());
    let (hour, minute, second) = moment.to_hms();
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

type WalkNames<'a> = &'a (dyn Fn(&mut dyn FnMut(&str)) + Sync);
type WalkPairs<'a> = &'a (dyn Fn(&mut dyn FnMut(&str, &str)) + Sync);

/// A list of names that is walked when a policy asks for it.
#[derive(Clone, Copy)]
pub struct Names<'a>(NameList<'a>);

#[derive(Clone, Copy)]
enum NameList<'a> {
    Walk(WalkNames<'a>),
    Texts(&'a [String]),
}

impl<'a> Names<'a> {
    /// Wraps a function that calls back with each name.
    #[must_use]
    pub const fn new(walk: WalkNames<'a>) -> Self {
        Self(NameList::Walk(walk))
    }

    /// The names of a list.
    #[must_use]
    pub const fn of(texts: &'a [String]) -> Self {
        Self(NameList::Texts(texts))
    }

    pub(super) fn walk(self, see: &mut dyn FnMut(&str)) {
        match self.0 {
            NameList::Walk(walk) => walk(see),
            NameList::Texts(texts) => texts.iter().for_each(|text| see(text)),
        }
    }
}

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

/// A list of pairs, such as tags, that is walked when a policy asks for it.
#[derive(Clone, Copy)]
pub struct Pairs<'a>(PairList<'a>);

#[derive(Clone, Copy)]
enum PairList<'a> {
    Walk(WalkPairs<'a>),
    Map(&'a BTreeMap<String, String>),
    Texts(&'a [(String, String)]),
}

impl<'a> Pairs<'a> {
    /// Wraps a function that calls back with each key and value.
    #[must_use]
    pub const fn new(walk: WalkPairs<'a>) -> Self {
        Self(PairList::Walk(walk))
    }

    /// The pairs of a map.
    #[must_use]
    pub const fn of_map(map: &'a BTreeMap<String, String>) -> Self {
        Self(PairList::Map(map))
    }

    /// The pairs of a list.
    #[must_use]
    pub const fn of(texts: &'a [(String, String)]) -> Self {
        Self(PairList::Texts(texts))
    }

    pub(super) fn walk(self, see: &mut dyn FnMut(&str, &str)) {
        match self.0 {
            PairList::Walk(walk) => walk(see),
            PairList::Map(map) => map.iter().for_each(|(key, value)| see(key, value)),
            PairList::Texts(texts) => texts.iter().for_each(|(key, value)| see(key, value)),
        }
    }
}

impl fmt::Debug for Pairs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pairs")
    }
}

/// Condition keys that are known by name, with their values as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, Vec<String>>);

impl Facts {
    /// With a condition key; the case of its name does not count.
    #[must_use]
    pub fn with<T: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = T>) -> Self {
        self.0.insert(lowercase(key), values.into_iter().map(Into::into).collect());
        self
    }

    pub(super) fn visit(&self, key: &ConditionKey, see: &mut dyn FnMut(Fact<'_>)) -> bool {
        let Some(values) = self.0.get(&*key.name()) else { return false };
        values.iter().for_each(|value| see(Fact::Text(value)));
        true
    }
}
