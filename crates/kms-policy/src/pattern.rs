//! Patterns with `*` and `?`, and the policy variables in them (IAM User Guide, "IAM policy elements: Variables and
//! tags"). A pattern is cut into parts once, when its document is parsed.

use crate::context::Context;

/// A text of a policy in which `*` stands for any characters, `?` for one, and `${…}` for a value of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// `*`
    Many,
    /// `?`
    One,
    /// `${key}` or `${key, 'default'}`
    Variable {
        key: String,
        default: Option<String>,
    },
}

/// What a pattern is made of once its variables are known. Values of variables are literals: a `*` in one is a `*`.
#[derive(Clone, Copy, Debug)]
enum Token<'a> {
    Literal(&'a str),
    Many,
    One,
}

impl Pattern {
    /// Cuts a text that may hold wildcards; `variables` says whether the document's version knows policy variables.
    pub(crate) fn glob(text: &str, variables: bool) -> Self {
        Self { parts: cut(text, true, variables) }
    }

    /// Cuts a text in which `*` and `?` mean themselves.
    pub(crate) fn plain(text: &str, variables: bool) -> Self {
        Self { parts: cut(text, false, variables) }
    }

    /// Whether the whole of `text` matches. A variable without a value and default matches nothing.
    pub(crate) fn matches(&self, text: &str, context: &dyn Context) -> bool {
        match self.parts.as_slice() {
            [] => text.is_empty(),
            [Part::Many] => true,
            [Part::Literal(literal)] => literal == text,
            parts => with_tokens(parts, context, |tokens| matches(tokens, text)),
        }
    }

    /// The same without regard to ASCII case; only for patterns whose literals are in lower case already.
    pub(crate) fn matches_lowercase(&self, text: &str, context: &dyn Context) -> bool {
        self.matches(&text.to_ascii_lowercase(), context)
    }

    /// The text with its variables filled in; nothing when one has no value.
    pub(crate) fn fill(&self, context: &dyn Context) -> Option<String> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => filled.push_str(text),
                Part::Many => filled.push('*'),
                Part::One => filled.push('?'),
                Part::Variable { key, default } => filled.push_str(&value(key, default.as_deref(), context)?),
            }
        }
        Some(filled)
    }
}

fn value(key: &str, default: Option<&str>, context: &dyn Context) -> Option<String> {
    let values = context.values(key);
    match values.as_deref() {
        // A variable is one value; a key with several has none to fill in.
        Some([one]) => Some(one.clone()),
        _ => default.map(str::to_owned),
    }
}

fn with_tokens(parts: &[Part], context: &dyn Context, judge: impl FnOnce(&[Token<'_>]) -> bool) -> bool {
    let mut values = Vec::new();
    for part in parts {
        if let Part::Variable { key, default } = part {
            match value(key, default.as_deref(), context) {
                Some(value) => values.push(value),
                None => return false,
            }
        }
    }
    let mut values = values.iter();
    let mut tokens = Vec::with_capacity(parts.len());
    for part in parts {
        tokens.push(match part {
            Part::Literal(text) => Token::Literal(text),
            Part::Many => Token::Many,
            Part::One => Token::One,
            Part::Variable { .. } => Token::Literal(values.next().map_or("", String::as_str)),
        });
    }
    judge(&tokens)
}

/// Greedy matching with one point of return, the last `*`: linear in the product of the lengths at worst.
fn matches(tokens: &[Token<'_>], text: &str) -> bool {
    let (mut token, mut rest) = (0, text);
    let mut retry: Option<(usize, &str)> = None;
    loop {
        let step = match tokens.get(token) {
            None if rest.is_empty() => return true,
            None => None,
            Some(Token::Many) => {
                retry = Some((token + 1, rest));
                Some(rest)
            }
            Some(Token::One) => after_one(rest),
            Some(Token::Literal(literal)) => rest.strip_prefix(literal),
        };
        match (step, retry) {
            (Some(after), _) => {
                token += 1;
                rest = after;
            }
            (None, Some((from, at))) => {
                let Some(further) = after_one(at) else { return false };
                retry = Some((from, further));
                token = from;
                rest = further;
            }
            (None, None) => return false,
        }
    }
}

fn after_one(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    text.get(first.len_utf8()..)
}

fn cut(text: &str, wildcards: bool, variables: bool) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(symbol) = rest.chars().next() {
        let after = &rest[symbol.len_utf8()..];
        let (part, after) = match symbol {
            '*' if wildcards => (Some(Part::Many), after),
            '?' if wildcards => (Some(Part::One), after),
            '$' if variables => match variable(after) {
                Some((Ok(part), after)) => (Some(part), after),
                Some((Err(escaped), after)) => {
                    literal.push(escaped);
                    (None, after)
                }
                None => {
                    literal.push(symbol);
                    (None, after)
                }
            },
            other => {
                literal.push(other);
                (None, after)
            }
        };
        rest = after;
        if let Some(part) = part {
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            // Two in a row mean no more than one, and would cost more.
            if part != Part::Many || parts.last() != Some(&Part::Many) {
                parts.push(part);
            }
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    parts
}

/// Reads `{key}`, `{key, 'default'}`, or one of the escapes `{*}`, `{?}`, `{$}`, and returns what follows.
fn variable(text: &str) -> Option<(Result<Part, char>, &str)> {
    let (inside, after) = text.strip_prefix('{')?.split_once('}')?;
    match inside {
        "*" => return Some((Err('*'), after)),
        "?" => return Some((Err('?'), after)),
        "$" => return Some((Err('$'), after)),
        _ => {}
    }
    let (key, default) = match inside.split_once(',') {
        Some((key, default)) => {
            let default = default.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            (key.trim(), Some(default.to_owned()))
        }
        None => (inside.trim(), None),
    };
    if key.is_empty() {
        return None;
    }
    Some((Ok(Part::Variable { key: key.to_ascii_lowercase(), default }), after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Facts;

    fn facts() -> Facts {
        Facts::default().with("aws:username", ["ada"]).with("aws:TagKeys", ["a", "b"]).with("aws:star", ["*"])
    }

    #[test]
    fn wildcards_match_whole_texts() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbbcd", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "ab ab", true),
            ("a?c", "aéc", true),
            ("a?c", "ac", false),
            ("key/*", "key/", true),
            ("**", "anything", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Pattern::glob(pattern, true).matches(text, &facts()), expected, "{pattern} {text}");
        }
        assert!(!Pattern::plain("a*", true).matches("ab", &facts()));
        assert!(Pattern::plain("a*", true).matches("a*", &facts()));
    }

    #[test]
    fn variables_are_filled_in_as_literals() {
        let cases = [
            ("user/${aws:username}", "user/ada", true),
            ("user/${AWS:UserName}/*", "user/ada/x", true),
            ("user/${aws:username}", "user/bob", false),
            ("${aws:nobody}", "", false),
            ("${aws:nobody, 'all'}", "all", true),
            ("${aws:TagKeys}", "a", false),
            ("${aws:star}", "anything", false),
            ("${aws:star}", "*", true),
            ("${*}${?}${$}", "*?$", true),
            ("${open", "${open", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Pattern::glob(pattern, true).matches(text, &facts()), expected, "{pattern} {text}");
        }
        assert!(Pattern::glob("${aws:username}", false).matches("${aws:username}", &facts()));
    }
}
