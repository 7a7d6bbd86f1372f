//! The rule file. Fields that are not known are refused: a misspelt selector would make a rule fit every key.

use super::super::Failure;
use kms_proto::cluster::v1 as pb;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;

/// Longest rule file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    #[serde(rename = "rule", default)]
    rules: Vec<RuleEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    name: String,
    #[serde(default)]
    accounts: Vec<String>,
    tag: Option<TagEntry>,
    #[serde(default)]
    keys: Vec<String>,
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TagEntry {
    key: String,
    value: String,
}

/// Reads a rule file. What its texts mean is checked by the Region that gets them.
///
/// # Errors
/// A configuration [`Failure`] when the file cannot be read or has another form.
pub(super) fn read(path: &Path) -> Result<Vec<pb::Rule>, Failure> {
    let wrong = |reason: String| Failure::configuration(format!("{}: {reason}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if length > FILE_BYTES_MAX {
        return Err(wrong("is longer than 1 MiB".to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    parse(&text).map_err(wrong)
}

fn parse(text: &str) -> Result<Vec<pb::Rule>, String> {
    let file: RuleFile = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let rule = |entry: RuleEntry| pb::Rule {
        name: entry.name,
        accounts: entry.accounts,
        tag: entry.tag.map(|tag| pb::RuleTag { key: tag.key, value: tag.value }),
        keys: entry.keys,
        allow: entry.allow,
    };
    Ok(file.rules.into_iter().map(rule).collect())
}

/// A rule as a program reads it.
pub(super) fn as_json(rule: &pb::Rule) -> Value {
    json!({
        "name": rule.name,
        "accounts": rule.accounts,
        "tag": rule.tag.as_ref().map(|tag| json!({ "key": tag.key, "value": tag.value })),
        "keys": rule.keys,
        "allow": rule.allow,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_selector_is_refused() {
        let good = "[[rule]]\nname = \"eu\"\naccounts = [\"111122223333\"]\nallow = [\"eu-west-1\"]\n";
        assert_eq!(parse(good).unwrap().len(), 1);
        assert!(parse(&good.replace("accounts", "account")).unwrap_err().contains("unknown field"));
        parse(&good.replace("allow", "allowed")).unwrap_err();
        parse("[[rules]]\n").unwrap_err();
        assert!(parse("").unwrap().is_empty());
    }
}
