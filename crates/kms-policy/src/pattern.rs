//! Patterns with `*` and `?`, and the policy variables in them (IAM User Guide, "IAM policy elements: Variables and
//! tags"). A pattern is cut into parts once, when its document is parsed.

use crate::PolicyError;
use crate::condition_key::ConditionKey;
use crate::request::RequestContext;
use std::borrow::Cow;

/// Longest text, in bytes, that is compared with wildcards. Nothing that AWS KMS takes and a policy can name is longer,
/// and the time of a comparison grows with it.
pub(crate) const TEXT_BYTES_MAX: usize = 8_192;

/// What a comparison says. The two that are neither yes nor no never help a caller: see [`crate::condition`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Matches,
    Differs,
    /// The request gives something that cannot be compared: another type, or a text that is too long.
    Incomparable,
    /// A variable has no value in this request, so it equals nothing.
    Unresolved,
}

impl From<bool> for Verdict {
    fn from(matches: bool) -> Self {
        if matches { Self::Matches } else { Self::Differs }
    }
}

/// A text of a policy in which `*` stands for any characters, `?` for one, and `${…}` for a value of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
    has_variables: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Box<str>),
    /// `*`
    Many,
    /// `?`
    One,
    /// `${key}` or `${key, 'default'}`
    Variable {
        key: ConditionKey,
        default: Option<Box<str>>,
    },
}

/// How the texts of a document are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Syntax {
    /// Whether the version of the document knows policy variables.
    pub(crate) variables: bool,
    /// Whether keys that only identity policies may ask for are understood.
    pub(crate) identity_keys: bool,
}

impl Pattern {
    /// Cuts a text that may hold wildcards.
    ///
    /// # Errors
    /// [`PolicyError::Variable`] or [`PolicyError::VariableVersion`].
    pub(crate) fn glob(text: &str, syntax: Syntax) -> Result<Self, PolicyError> {
        cut(text, true, syntax)
    }

    /// Cuts a text in which `*` and `?` mean themselves.
    ///
    /// # Errors
    /// As [`Self::glob`].
    pub(crate) fn plain(text: &str, syntax: Syntax) -> Result<Self, PolicyError> {
        cut(text, false, syntax)
    }

    /// A text that means itself, whatever is in it.
    pub(crate) fn literal(text: &str) -> Self {
        let parts = if text.is_empty() { Vec::new() } else { vec![Part::Literal(text.into())] };
        Self { parts, has_variables: false }
    }

    /// Compares the whole of `text`.
    pub(crate) fn compare(&self, text: &str, context: &RequestContext<'_>) -> Verdict {
        match self.parts.as_slice() {
            [] => text.is_empty().into(),
            [Part::Many] => Verdict::Matches,
            [Part::Literal(literal)] => (**literal == *text).into(),
            parts if self.has_variables => match resolve(parts, context) {
                Some(parts) => compare(&parts, text),
                None => Verdict::Unresolved,
            },
            parts => compare(parts, text),
        }
    }

    /// Compares the whole of `text` with a pattern that has no variables.
    pub(crate) fn matches_plainly(&self, text: &str) -> bool {
        !self.has_variables && compare(&self.parts, text) == Verdict::Matches
    }

    /// The text with its variables filled in; nothing when one has no value. Wildcards are themselves.
    pub(crate) fn fill(&self, context: &RequestContext<'_>) -> Option<Cow<'_, str>> {
        match self.parts.as_slice() {
            [] => return Some(Cow::Borrowed("")),
            [Part::Literal(text)] => return Some(Cow::Borrowed(text)),
            _ => {}
        }
        let mut filled = String::new();
        for part in resolve(&self.parts, context)? {
            match part {
                Part::Literal(text) => filled.push_str(&text),
                Part::Many => filled.push('*'),
                Part::One => filled.push('?'),
                Part::Variable { .. } => return None,
            }
        }
        Some(Cow::Owned(filled))
    }

    /// Whether `text`, which lies before the first wildcard or variable, can begin what the pattern matches.
    pub(crate) fn may_begin_with(&self, text: &str) -> bool {
        match self.parts.first() {
            None => false,
            Some(Part::Literal(literal)) if self.parts.len() == 1 => literal.starts_with(text),
            Some(Part::Literal(literal)) => literal.starts_with(text) || text.starts_with(&**literal),
            Some(Part::Many | Part::One | Part::Variable { .. }) => true,
        }
    }
}

/// Puts values in the place of variables. A `*` in a value is a `*`.
fn resolve(parts: &[Part], context: &RequestContext<'_>) -> Option<Vec<Part>> {
    let resolved = parts.iter().map(|part| match part {
        Part::Variable { key, default } => {
            let value = context.text(key).map(String::into_boxed_str);
            value.or_else(|| default.clone()).map(Part::Literal)
        }
        other => Some(other.clone()),
    });
    resolved.collect()
}

fn compare(parts: &[Part], text: &str) -> Verdict {
    let is_wild = parts.iter().any(|part| matches!(part, Part::Many | Part::One));
    if is_wild && text.len() > TEXT_BYTES_MAX { Verdict::Incomparable } else { matches(parts, text).into() }
}

/// What stands before the first `*` must begin the text, what stands behind the last must end it, and what stands between
/// two is looked for from left to right. Without `?` the time is linear in the text.
fn matches(parts: &[Part], text: &str) -> bool {
    let mut pieces = parts.split(|part| *part == Part::Many);
    let Some(rest) = pieces.next().and_then(|first| strip(first, text)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    let Some(mut rest) = strip_end(last, rest) else { return false };
    for piece in pieces {
        match behind(piece, rest) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}

/// What follows when `text` begins with the piece.
fn strip<'t>(piece: &[Part], text: &'t str) -> Option<&'t str> {
    piece.iter().try_fold(text, |text, part| match part {
        Part::Literal(literal) => text.strip_prefix(&**literal),
        Part::One => after_one(text),
        Part::Many | Part::Variable { .. } => None,
    })
}

/// What precedes when `text` ends with the piece.
fn strip_end<'t>(piece: &[Part], text: &'t str) -> Option<&'t str> {
    piece.iter().rev().try_fold(text, |text, part| match part {
        Part::Literal(literal) => text.strip_suffix(&**literal),
        Part::One => {
            let mut characters = text.chars();
            characters.next_back().map(|_last| characters.as_str())
        }
        Part::Many | Part::Variable { .. } => None,
    })
}

/// What follows the first occurrence of the piece in `text`.
fn behind<'t>(piece: &[Part], text: &'t str) -> Option<&'t str> {
    if let [Part::Literal(literal)] = piece {
        return text.split_once(&**literal).map(|(_, after)| after);
    }
    let mut from = text;
    loop {
        match strip(piece, from) {
            Some(after) => return Some(after),
            None => from = after_one(from)?,
        }
    }
}

fn after_one(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next().map(|_first| characters.as_str())
}

fn cut(text: &str, wildcards: bool, syntax: Syntax) -> Result<Pattern, PolicyError> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(symbol) = rest.chars().next() {
        rest = rest.get(symbol.len_utf8()..).unwrap_or_default();
        let part = match symbol {
            '*' if wildcards => Part::Many,
            '?' if wildcards => Part::One,
            // In the older version of the language a variable is a text like any other. Whoever writes one means it.
            '$' if rest.starts_with('{') && !syntax.variables => return Err(PolicyError::VariableVersion),
            '$' if rest.starts_with('{') => {
                let (read, after) = variable(rest, syntax).ok_or_else(|| PolicyError::Variable(text.to_owned()))?;
                rest = after;
                match read {
                    Read::Variable(part) => part,
                    Read::Escaped(symbol) => {
                        literal.push(symbol);
                        continue;
                    }
                }
            }
            other => {
                literal.push(other);
                continue;
            }
        };
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal).into_boxed_str()));
        }
        parts.push(part);
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal.into_boxed_str()));
    }
    // Two in a row mean no more than one.
    parts.dedup_by(|later, earlier| *later == Part::Many && *earlier == Part::Many);
    let has_variables = parts.iter().any(|part| matches!(part, Part::Variable { .. }));
    Ok(Pattern { parts, has_variables })
}

enum Read {
    Variable(Part),
    Escaped(char),
}

/// Reads `{key}`, `{key, 'default'}`, or one of the escapes `{*}`, `{?}`, `{$}`, and returns what follows. Only keys that
/// have one value at most can be variables.
fn variable(text: &str, syntax: Syntax) -> Option<(Read, &str)> {
    let (inside, after) = text.strip_prefix('{')?.split_once('}')?;
    match inside {
        "*" => return Some((Read::Escaped('*'), after)),
        "?" => return Some((Read::Escaped('?'), after)),
        "$" => return Some((Read::Escaped('$'), after)),
        _ => {}
    }
    let (key, default) = match inside.split_once(',') {
        Some((key, default)) => (key, Some(default.trim().strip_prefix('\'')?.strip_suffix('\'')?.into())),
        None => (inside, None),
    };
    let key = ConditionKey::parse(key.trim()).filter(|key| !key.is_multi_valued())?;
    if key.is_for_identity_policies() && !syntax.identity_keys {
        return None;
    }
    Some((Read::Variable(Part::Variable { key, default }), after))
}

#[cfg(test)]
mod tests;
