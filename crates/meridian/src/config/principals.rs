//! The principals file: who may call, with which access key, as which identity.

use super::{ConfigError, Problem};
use kms_policy::{DocumentKind, NamedPolicy, PolicyDocument};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// One principal and its credentials.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    /// Access key ID: 3 to 128 characters of `A-Z a-z 0-9 _ -`.
    pub(crate) access_key: String,
    /// Secret access key.
    pub(crate) secret_key: SecretKey,
    /// ARN of the user or role, for key policies and the audit log.
    pub(crate) arn: String,
    /// Twelve-digit account number.
    pub(crate) account: kms_types::AccountId,
    /// Whether it has the identity policy `AdministratorAccess`, which allows everything that the account leaves to it.
    pub(crate) administrator: bool,
    /// Further identity policies, in the order of the file.
    pub(crate) policies: Vec<NamedPolicy>,
    /// The permission boundary.
    pub(crate) boundary: Option<NamedPolicy>,
    /// Tags, for `aws:PrincipalTag`.
    pub(crate) tags: BTreeMap<String, String>,
    /// SPIFFE URI of the client certificate that stands for this principal on gRPC.
    pub(crate) certificate: Option<String>,
}

impl Principal {
    /// The principal as the service sees it, when it signs with an access key or comes with a certificate.
    pub(crate) fn identity(&self, access_key_id: Option<&str>) -> kms_service::Identity {
        let bootstrap = kms_service::Identity::bootstrap(&self.arn, self.account, self.administrator, access_key_id);
        let mut policies = bootstrap.policies;
        policies.extend(self.policies.iter().cloned());
        kms_service::Identity { policies, boundary: self.boundary.clone(), tags: self.tags.clone(), ..bootstrap }
    }
}

/// A secret access key. Wiped when dropped, never shown.
#[derive(Clone)]
pub(crate) struct SecretKey(Zeroizing<String>);

impl SecretKey {
    /// The key itself, for computing signatures.
    #[must_use]
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

impl<'de> Deserialize<'de> for SecretKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|secret| Self(Zeroizing::new(secret)))
    }
}

/// Reads the principals file.
///
/// # Errors
/// [`ConfigError`] with every mistake; a file that its group or others may read is refused.
pub(crate) fn load_principals(path: &Path) -> Result<Vec<Principal>, ConfigError> {
    let text = read_private_file(path).map_err(|problem| ConfigError::one(path, problem))?;
    let raw: RawFile = toml::from_str(&text)
        // The library's own message may quote the line, and the line may hold a secret.
        .map_err(|_hidden| ConfigError::one(path, Problem::new("file", "is not a valid principals file")))?;
    let mut problems = Vec::new();
    let mut principals: Vec<Principal> = Vec::with_capacity(raw.principals.len());
    if raw.principals.is_empty() {
        problems.push(Problem::new("principal", "at least one [[principal]] section is needed"));
    }
    for (index, raw) in raw.principals.into_iter().enumerate() {
        let key = format!("principal[{index}]");
        let Some(principal) = check(&key, raw, &mut problems) else { continue };
        if principals.iter().any(|other| other.access_key == principal.access_key) {
            problems.push(Problem::new(format!("{key}.access_key"), "is given twice"));
        }
        if principal.certificate.is_some() && principals.iter().any(|o| o.certificate == principal.certificate) {
            problems.push(Problem::new(format!("{key}.certificate"), "is given twice"));
        }
        principals.push(principal);
    }
    if problems.is_empty() { Ok(principals) } else { Err(ConfigError::new(path, problems)) }
}

/// Reads a small file that holds a secret; refuses one that its group or others may touch.
pub(super) fn read_private_file(path: &Path) -> Result<Zeroizing<String>, Problem> {
    let unreadable = |error: std::io::Error| Problem::new("file", format!("cannot be read: {error}"));
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    // Asked of the open file, so that the file checked is the file read.
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.mode() & 0o077 != 0 {
        let mode = metadata.mode() & 0o777;
        return Err(Problem::new("file", format!("has mode {mode:04o}; its owner alone may read it (chmod 0600)")));
    }
    let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX).min(FILE_BYTES_MAX);
    // Sized beforehand: growth would leave copies of the secret behind.
    let mut text = Zeroizing::new(String::with_capacity(length + 1));
    let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
    file.by_ref().take(limit).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

/// Largest file with secrets, about ten thousand principals.
const FILE_BYTES_MAX: usize = 4 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default, rename = "principal")]
    principals: Vec<RawPrincipal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrincipal {
    access_key: Option<String>,
    secret_key: Option<SecretKey>,
    arn: Option<String>,
    account: Option<String>,
    #[serde(default)]
    administrator: bool,
    /// Policy documents, JSON.
    #[serde(default)]
    policies: Vec<String>,
    /// A policy document, JSON.
    boundary: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    certificate: Option<String>,
}

fn check(key: &str, raw: RawPrincipal, problems: &mut Vec<Problem>) -> Option<Principal> {
    let own = check_policies(key, &raw, problems);
    let mut value = |name: &str, value: Option<String>, valid: &dyn Fn(&str) -> bool, expected: &str| match value {
        Some(value) if valid(&value) => Some(value),
        Some(_) => {
            problems.push(Problem::new(format!("{key}.{name}"), format!("must be {expected}")));
            None
        }
        None => {
            problems.push(Problem::new(format!("{key}.{name}"), "is missing"));
            None
        }
    };
    let access_key = value("access_key", raw.access_key, &is_access_key, "3 to 128 characters of A-Z a-z 0-9 _ -");
    let arn = value("arn", raw.arn, &is_identity_arn, "an ARN such as arn:aws:iam::111122223333:user/name");
    let account = value("account", raw.account, &|v| kms_types::AccountId::parse(v).is_ok(), "12 digits");
    let certificate = raw.certificate.map(|uri| {
        value("certificate", Some(uri), &|v| v.starts_with("spiffe://"), "a URI that starts with spiffe://")
    });
    let secret_key = match raw.secret_key {
        Some(secret) if secret.expose().len() >= SECRET_BYTES_MIN => Some(secret),
        Some(_) => {
            let message = format!("must have at least {SECRET_BYTES_MIN} characters");
            problems.push(Problem::new(format!("{key}.secret_key"), message));
            None
        }
        None => {
            problems.push(Problem::new(format!("{key}.secret_key"), "is missing"));
            None
        }
    };
    let certificate = match certificate {
        Some(checked) => Some(checked?),
        None => None,
    };
    Some(Principal {
        access_key: access_key?,
        secret_key: secret_key?,
        arn: arn?,
        account: kms_types::AccountId::parse(&account?).ok()?,
        administrator: raw.administrator,
        policies: own.policies?,
        boundary: own.boundary?,
        tags: own.tags?,
        certificate,
    })
}

/// Policies and tags of one principal; `None` for what has a mistake.
struct Own {
    policies: Option<Vec<NamedPolicy>>,
    boundary: Option<Option<NamedPolicy>>,
    tags: Option<BTreeMap<String, String>>,
}

/// Most tags of a principal, and the longest keys and values (IAM User Guide, "IAM and AWS STS quotas").
const TAGS_MAX: usize = 50;
const TAG_KEY_MAX: usize = 128;
const TAG_VALUE_MAX: usize = 256;

fn check_policies(key: &str, raw: &RawPrincipal, problems: &mut Vec<Problem>) -> Own {
    let mut compile =
        |place: String, name: String, text: &str| match PolicyDocument::parse(text, DocumentKind::Identity) {
            Ok(document) => Some(NamedPolicy { name: name.into(), document: Arc::new(document) }),
            Err(error) => {
                problems.push(Problem::new(place, format!("is not a policy: {error}")));
                None
            }
        };
    // Each is looked at, also behind one with a mistake.
    let policies: Vec<Option<NamedPolicy>> = raw
        .policies
        .iter()
        .enumerate()
        .map(|(index, text)| compile(format!("{key}.policies[{index}]"), format!("policies[{index}]"), text))
        .collect();
    let boundary = match &raw.boundary {
        Some(text) => compile(format!("{key}.boundary"), "boundary".to_owned(), text).map(Some),
        None => Some(None),
    };
    let fits = |text: &str, max: usize| text.chars().count() <= max;
    let is_tag =
        |(key, value): (&String, &String)| !key.is_empty() && fits(key, TAG_KEY_MAX) && fits(value, TAG_VALUE_MAX);
    let tags = (raw.tags.len() <= TAGS_MAX && raw.tags.iter().all(is_tag)).then(|| raw.tags.clone());
    if tags.is_none() {
        let expected = format!(
            "must be at most {TAGS_MAX} tags with keys of 1 to {TAG_KEY_MAX} and values of at most {TAG_VALUE_MAX} \
             characters"
        );
        problems.push(Problem::new(format!("{key}.tags"), expected));
    }
    Own { policies: policies.into_iter().collect(), boundary, tags }
}

/// Shortest secret access key. The development secret `meridian-dev` has twelve.
const SECRET_BYTES_MIN: usize = 8;

fn is_access_key(value: &str) -> bool {
    (3..=128).contains(&value.len()) && value.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-'))
}

fn is_identity_arn(value: &str) -> bool {
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let [arn, _partition, service, _region, account, resource] = parts.as_slice() else { return false };
    *arn == "arn"
        && matches!(*service, "iam" | "sts")
        && kms_types::AccountId::parse(account).is_ok()
        && !resource.is_empty()
}
