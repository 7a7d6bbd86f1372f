//! What the audit record shows of a request or an answer: the members of a closed list, and nothing else. A plaintext, a
//! ciphertext, a message, a signature, a token or a password has no entry there, so that none can get into a record.

use super::value::{Entries, Json};
use kms_audit::{Elements, Member as M};
use kms_types::{KeyRef, Timestamp};
use std::borrow::Cow;

/// Every member that records may show, by its name in records.
const SHOWN: &[M] = &[
    M::ALIAS_NAME,
    M::BYPASS_POLICY_LOCKOUT_SAFETY_CHECK,
    M::CONSTRAINTS,
    M::CUSTOM_KEY_STORE_ID,
    M::CUSTOM_KEY_STORE_NAME,
    M::CUSTOM_KEY_STORE_TYPE,
    M::CUSTOMER_MASTER_KEY_SPEC,
    M::DESCRIPTION,
    M::DESTINATION_ENCRYPTION_ALGORITHM,
    M::DESTINATION_ENCRYPTION_CONTEXT,
    M::DESTINATION_KEY_ID,
    M::DRY_RUN,
    M::DRY_RUN_MODIFIERS,
    M::ENCAPSULATION_ALGORITHM,
    M::ENCRYPTION_ALGORITHM,
    M::ENCRYPTION_CONTEXT,
    M::ENCRYPTION_CONTEXT_EQUALS,
    M::ENCRYPTION_CONTEXT_SUBSET,
    M::EXPIRATION_MODEL,
    M::GRANT_ID,
    M::GRANTEE_PRINCIPAL,
    M::GRANTEE_SERVICE_PRINCIPAL,
    M::IMPORT_TYPE,
    M::INCLUDE_KEY_MATERIAL,
    M::KEY_AGREEMENT_ALGORITHM,
    M::KEY_ID,
    M::KEY_MATERIAL_DESCRIPTION,
    M::KEY_MATERIAL_ID,
    M::KEY_PAIR_SPEC,
    M::KEY_SPEC,
    M::KEY_USAGE,
    M::LIMIT,
    M::MAC_ALGORITHM,
    M::MESSAGE_TYPE,
    M::MULTI_REGION,
    M::NAME,
    M::NUMBER_OF_BYTES,
    M::OPERATIONS,
    M::ORIGIN,
    M::PENDING_WINDOW_IN_DAYS,
    M::POLICY,
    M::POLICY_NAME,
    M::PRIMARY_REGION,
    M::REPLICA_REGION,
    M::RESOURCE_OWNERS,
    M::RETIRING_PRINCIPAL,
    M::RETIRING_SERVICE_PRINCIPAL,
    M::ROTATION_PERIOD_IN_DAYS,
    M::SIGNING_ALGORITHM,
    M::SOURCE_ARN,
    M::SOURCE_ENCRYPTION_ALGORITHM,
    M::SOURCE_ENCRYPTION_CONTEXT,
    M::SOURCE_KEY_ID,
    M::TAG_KEY,
    M::TAG_KEYS,
    M::TAG_VALUE,
    M::TAGS,
    M::TARGET_KEY_ID,
    M::VALID_TO,
    M::WRAPPING_ALGORITHM,
    M::WRAPPING_KEY_SPEC,
    M::XKS_KEY_ID,
    // Of answers.
    M::ARN,
    M::AWS_ACCOUNT_ID,
    M::CLOUD_HSM_CLUSTER_ID,
    M::CREATION_DATE,
    M::CURRENT_KEY_MATERIAL_ID,
    M::DELETION_DATE,
    M::ENABLED,
    M::ENCAPSULATION_ALGORITHMS,
    M::ENCRYPTION_ALGORITHMS,
    M::KEY_AGREEMENT_ALGORITHMS,
    M::KEY_MANAGER,
    M::KEY_METADATA,
    M::KEY_STATE,
    M::MAC_ALGORITHMS,
    M::MULTI_REGION_CONFIGURATION,
    M::MULTI_REGION_KEY_TYPE,
    M::PENDING_DELETION_WINDOW_IN_DAYS,
    M::PRIMARY_KEY,
    M::REGION,
    M::REPLICA_KEY_METADATA,
    M::REPLICA_KEYS,
    M::REPLICA_POLICY,
    M::REPLICA_TAGS,
    M::SIGNING_ALGORITHMS,
];

/// Members whose object is a map of the caller's own names.
const CONTEXTS: [M; 5] = [
    M::DESTINATION_ENCRYPTION_CONTEXT,
    M::ENCRYPTION_CONTEXT,
    M::ENCRYPTION_CONTEXT_EQUALS,
    M::ENCRYPTION_CONTEXT_SUBSET,
    M::SOURCE_ENCRYPTION_CONTEXT,
];

/// Members whose number is an instant, in seconds.
const TIMES: [M; 3] = [M::CREATION_DATE, M::DELETION_DATE, M::VALID_TO];

/// Members that name a key. What is no such name is not written down: it may have been put there by mistake.
const IDENTIFIERS: [M; 4] = [M::DESTINATION_KEY_ID, M::KEY_ID, M::SOURCE_KEY_ID, M::TARGET_KEY_ID];

/// Lists longer than this are shown up to here; the longest of the API has 50 entries.
const LIST_MAX: usize = 100;

/// Adds what may be shown of an object's members.
pub(super) fn elements(mut shown: Elements<'static>, entries: &Entries<'_>) -> Elements<'static> {
    for (name, value) in entries {
        if let Some(member) = name.as_text().and_then(member) {
            shown = add(shown, member, value);
        }
    }
    shown
}

/// What may be shown of an answer; nothing of bytes that are no JSON object.
pub(crate) fn shown_of_answer(body: &[u8]) -> Elements<'static> {
    match serde_json::from_slice(body) {
        Ok(Json::Object(ref entries)) => elements(Elements::new(), entries),
        Ok(_) | Err(_) => Elements::new(),
    }
}

/// The member with this name in the API model. CloudTrail writes the first letter small.
fn member(name: &str) -> Option<M> {
    let (first, rest) = (*name.as_bytes().first()?, name.get(1..)?);
    let is = |member: &&M| {
        let shown = member.name().as_bytes();
        shown.first() == Some(&first.to_ascii_lowercase()) && shown.get(1..) == Some(rest.as_bytes())
    };
    first.is_ascii_uppercase().then(|| SHOWN.iter().find(is)).flatten().copied()
}

fn add(shown: Elements<'static>, member: M, value: &Json<'_>) -> Elements<'static> {
    match value {
        Json::Null => shown,
        Json::Boolean(flag) => shown.flag(member, *flag),
        Json::Integer(seconds) if TIMES.contains(&member) => shown.time(member, instant(*seconds as f64)),
        Json::Number(seconds) if TIMES.contains(&member) => shown.time(member, instant(*seconds)),
        Json::Integer(number) => match u64::try_from(*number) {
            Ok(number) => shown.number(member, number),
            Err(_negative) => shown.text(member, number.to_string()),
        },
        Json::Number(number) => shown.text(member, number.to_string()),
        Json::Text(text) if IDENTIFIERS.contains(&member) && KeyRef::parse(text).is_err() => {
            shown.text(member, format!("(no key identifier, {} bytes)", text.len()))
        }
        Json::Text(text) => shown.text(member, owned(text)),
        Json::Object(entries) if CONTEXTS.contains(&member) => shown.pairs(member, pairs(entries)),
        Json::Object(entries) => shown.object(member, elements(Elements::new(), entries)),
        Json::List(list) if list.iter().any(|item| matches!(item, Json::Object(_))) => {
            let objects = list.iter().take(LIST_MAX).map(|item| match item {
                Json::Object(entries) => elements(Elements::new(), entries),
                _ => Elements::new(),
            });
            shown.objects(member, objects)
        }
        Json::List(list) => shown.texts(member, list.iter().take(LIST_MAX).filter_map(Json::as_text).map(owned)),
    }
}

fn pairs(entries: &Entries<'_>) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
    entries.iter().filter_map(|(key, value)| Some((owned(key.as_text()?), owned(value.as_text()?)))).collect()
}

fn owned(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float becomes the nearest number")]
fn instant(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1000.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_found_by_its_name_in_the_model() {
        for shown in SHOWN {
            let (first, rest) = shown.name().split_at(1);
            assert_eq!(member(&format!("{}{rest}", first.to_ascii_uppercase())), Some(*shown));
        }
    }

    #[test]
    fn nothing_secret_has_a_member() {
        for name in [
            "Plaintext",
            "CiphertextBlob",
            "Message",
            "Signature",
            "Mac",
            "GrantTokens",
            "GrantToken",
            "ImportToken",
            "EncryptedKeyMaterial",
            "PublicKey",
            "PrivateKeyPlaintext",
            "SharedSecret",
            "KeyStorePassword",
            "XksProxyAuthenticationCredential",
            "RawSecretAccessKey",
            "AttestationDocument",
            "keyId",
            "",
        ] {
            assert_eq!(member(name), None, "{name}");
        }
    }

    #[test]
    fn values_are_shown_by_their_kind_and_unknown_members_are_not() {
        let body = br#"{"KeyId":"alias/a","Plaintext":"c2VjcmV0","EncryptionContext":{"a":"1"},"DryRun":true,
            "Tags":[{"TagKey":"k","TagValue":"v","Plaintext":"x"}],"PendingWindowInDays":7,"ValidTo":0,"Limit":null,
            "Recipient":{"AttestationDocument":"c2VjcmV0"}}"#;
        let shown = format!("{:?}", shown_of_answer(body));
        assert!(!shown.contains("c2VjcmV0") && !shown.contains("Plaintext") && !shown.contains("\"x\""), "{shown}");
        for part in ["alias/a", "encryptionContext", "dryRun", "tagValue", "pendingWindowInDays", "Jan 1, 1970"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!shown.contains("limit"), "{shown}");
        let misplaced = format!("{:?}", shown_of_answer(br#"{"KeyId":"c2VjcmV0IQ=="}"#));
        assert!(misplaced.contains("(no key identifier, 12 bytes)") && !misplaced.contains("c2V"), "{misplaced}");
    }
}
