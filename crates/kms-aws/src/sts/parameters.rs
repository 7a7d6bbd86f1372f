//! The parameters of AssumeRole, held against the constraints of the API model. All that are violated are named at once.

use super::{Form, StsFault};
use kms_service::{AssumeRoleError, AssumeRoleRequest};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Most session tags.
const TAGS_MAX: usize = 50;

/// Length in characters, the regular expression of the API model, and the same rule as code.
struct Constraint {
    length: RangeInclusive<usize>,
    pattern: &'static str,
    legal: fn(char) -> bool,
}

const ROLE_ARN: Constraint = Constraint { length: 20..=2048, pattern: POLICY_PATTERN, legal: is_policy_character };
const SESSION_NAME: Constraint = Constraint { length: 2..=64, pattern: r"[\w+=,.@-]*", legal: is_name_character };
const SOURCE_IDENTITY: Constraint = SESSION_NAME;
const POLICY: Constraint = Constraint { length: 1..=2048, pattern: POLICY_PATTERN, legal: is_policy_character };
const EXTERNAL_ID: Constraint = Constraint {
    length: 2..=1224,
    pattern: r"[\w+=,.@:\/-]*",
    legal: |c| is_name_character(c) || matches!(c, ':' | '/'),
};
const TAG_KEY: Constraint = Constraint { length: 1..=128, pattern: TAG_PATTERN, legal: is_tag_character };
const TAG_VALUE: Constraint = Constraint { length: 0..=256, pattern: TAG_PATTERN, legal: is_tag_character };
const DURATION_SECONDS: RangeInclusive<u32> = 900..=43_200;

const POLICY_PATTERN: &str = r"[\u0009\u000A\u000D\u0020-\u00FF]+";
const TAG_PATTERN: &str = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*";

/// Parameters that exist in AWS and stand for what is not here; leaving them out of account would be wrong.
const REFUSED: [&str; 5] = ["PolicyArns", "SerialNumber", "TokenCode", "TransitiveTagKeys", "ProvidedContexts"];

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '=' | ',' | '.' | '@' | '-')
}

fn is_policy_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}')
}

fn is_tag_character(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@')
}

/// Reads the form.
///
/// # Errors
/// [`StsFault`]: a parameter that is not supported, or every violated constraint.
pub(super) fn assume_role(form: &Form) -> Result<AssumeRoleRequest, StsFault> {
    if let Some(name) = REFUSED.into_iter().find(|name| form.has(name)) {
        return Err(invalid(format!("The parameter {name} is not supported.")));
    }
    let mut violations = Violations::default();
    let policy = form.only("Policy")?;
    let request = AssumeRoleRequest {
        role_arn: violations.required(form.only("RoleArn")?, "roleArn", &ROLE_ARN),
        role_session_name: violations.required(form.only("RoleSessionName")?, "roleSessionName", &SESSION_NAME),
        duration_seconds: violations.seconds(form.only("DurationSeconds")?)?,
        policy: violations.optional(policy, "policy", &POLICY),
        external_id: violations.optional(form.only("ExternalId")?, "externalId", &EXTERNAL_ID),
        source_identity: violations.optional(form.only("SourceIdentity")?, "sourceIdentity", &SOURCE_IDENTITY),
        tags: violations.tags(form)?,
    };
    violations.finish()?;
    if !is_role_arn(&request.role_arn) {
        return Err(invalid(format!("{} is invalid", request.role_arn)));
    }
    Ok(request)
}

fn is_role_arn(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (head, _partition, service, region, account, resource) = (next(), next(), next(), next(), next(), next());
    head == "arn"
        && service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|digit| digit.is_ascii_digit())
        && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty() && !name.ends_with('/'))
}

fn invalid(text: String) -> StsFault {
    AssumeRoleError::Validation(text).into()
}

/// The violated constraints, as sentences.
#[derive(Default)]
struct Violations(Vec<String>);

impl Violations {
    fn required(&mut self, value: Option<&str>, member: &str, constraint: &Constraint) -> String {
        if value.is_none() {
            self.add(&format!("Value null at '{member}'"), "Member must not be null");
        }
        self.optional(value, member, constraint).unwrap_or_default()
    }

    fn optional(&mut self, value: Option<&str>, member: &str, constraint: &Constraint) -> Option<String> {
        let value = value?;
        // A session policy is not repeated: it is long.
        let start = if member == "policy" { format!("Value at '{member}'") } else { shown(value, member) };
        let length = value.chars().count();
        if length < *constraint.length.start() {
            let text = format!("Member must have length greater than or equal to {}", constraint.length.start());
            self.add(&start, &text);
        }
        if length > *constraint.length.end() {
            let text = format!("Member must have length less than or equal to {}", constraint.length.end());
            self.add(&start, &text);
        }
        if !value.chars().all(constraint.legal) {
            self.add(&start, &format!("Member must satisfy regular expression pattern: {}", constraint.pattern));
        }
        Some(value.to_owned())
    }

    fn seconds(&mut self, value: Option<&str>) -> Result<Option<u32>, StsFault> {
        let Some(text) = value else { return Ok(None) };
        let Ok(seconds) = text.parse::<i32>() else {
            return Err(invalid(format!("The value '{text}' of DurationSeconds is not a number.")));
        };
        let seconds = u32::try_from(seconds).unwrap_or_default();
        let (least, most) = (DURATION_SECONDS.start(), DURATION_SECONDS.end());
        if seconds < *least {
            self.add(
                &shown(text, "durationSeconds"),
                &format!("Member must have value greater than or equal to {least}"),
            );
        }
        if seconds > *most {
            self.add(&shown(text, "durationSeconds"), &format!("Member must have value less than or equal to {most}"));
        }
        Ok(Some(seconds))
    }

    fn tags(&mut self, form: &Form) -> Result<BTreeMap<String, String>, StsFault> {
        let mut listed: BTreeMap<u16, [Option<&str>; 2]> = BTreeMap::new();
        for (number, member, value) in form.members("Tags") {
            let slot = match member {
                "Key" => 0,
                "Value" => 1,
                _ => return Err(invalid(format!("The parameter Tags.member.{number}.{member} is not supported."))),
            };
            if listed.entry(number).or_default()[slot].replace(value).is_some() {
                return Err(StsFault::RepeatedParameter("Tags"));
            }
        }
        if listed.len() > TAGS_MAX {
            self.add("Value at 'tags'", &format!("Member must have length less than or equal to {TAGS_MAX}"));
            return Ok(BTreeMap::new());
        }
        let mut tags = BTreeMap::<String, String>::new();
        for (number, [key, value]) in listed {
            let key = self.required(key, &format!("tags.{number}.member.key"), &TAG_KEY);
            let value = self.required(value, &format!("tags.{number}.member.value"), &TAG_VALUE);
            if tags.keys().any(|known| known.to_lowercase() == key.to_lowercase()) {
                return Err(invalid(
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.".into(),
                ));
            }
            tags.insert(key, value);
        }
        Ok(tags)
    }

    fn add(&mut self, start: &str, text: &str) {
        self.0.push(format!("{start} failed to satisfy constraint: {text}"));
    }

    fn finish(self) -> Result<(), StsFault> {
        let Self(found) = self;
        if found.is_empty() {
            return Ok(());
        }
        let (count, plural) = (found.len(), if found.len() == 1 { "" } else { "s" });
        Err(invalid(format!("{count} validation error{plural} detected: {}", found.join("; "))))
    }
}

fn shown(value: &str, member: &str) -> String {
    format!("Value '{value}' at '{member}'")
}
