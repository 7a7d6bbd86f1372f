//! Claims on the table of condition keys.

use super::*;
use crate::condition_key::ConditionKey;

#[test]
fn table_is_in_the_order_of_the_enum() {
    for (place, (key, name, scope)) in TABLE.iter().enumerate() {
        assert_eq!((*key as usize, key.name(), key.scope()), (place, *name, *scope));
        assert_eq!(NamedKey::find(name), Some(*key));
    }
    let mut elsewhere = AWS_ELSEWHERE.to_vec();
    elsewhere.dedup();
    assert!(elsewhere.is_sorted() && elsewhere.len() == AWS_ELSEWHERE.len());
}

/// The actions that have a key, as the guide lists them.
#[test]
fn each_key_exists_for_its_actions_only() {
    let data =
        "GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext";
    let symmetric = format!("Decrypt Encrypt {data} ReEncryptFrom ReEncryptTo");
    let aliased = format!(
        "{symmetric} Decapsulate DeriveSharedSecret DescribeKey Encapsulate GenerateMac GetPublicKey Sign Verify VerifyMac"
    );
    let cases = [
        ("kms:BypassPolicyLockoutSafetyCheck", "CreateKey PutKeyPolicy".to_owned()),
        ("kms:DataKeyPairSpec", "GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext".to_owned()),
        ("kms:EncryptionAlgorithm", symmetric.clone()),
        ("kms:EncryptionContext:a", format!("{symmetric} CreateGrant RetireGrant")),
        ("kms:EncryptionContextKeys", format!("{symmetric} CreateGrant RetireGrant")),
        ("kms:ExpirationModel", "ImportKeyMaterial".to_owned()),
        ("kms:GrantConstraintSourceArn", "CreateGrant".to_owned()),
        ("kms:GrantConstraintType", "CreateGrant".to_owned()),
        ("kms:GrantIsForAWSResource", "CreateGrant ListGrants RevokeGrant".to_owned()),
        ("kms:GrantOperations", "CreateGrant".to_owned()),
        ("kms:GranteePrincipal", "CreateGrant".to_owned()),
        ("kms:GranteeServicePrincipal", "CreateGrant".to_owned()),
        ("kms:KeyAgreementAlgorithm", "DeriveSharedSecret".to_owned()),
        ("kms:MacAlgorithm", "GenerateMac VerifyMac".to_owned()),
        ("kms:MessageType", "Sign Verify".to_owned()),
        ("kms:PolicyName", "GetKeyPolicy PutKeyPolicy".to_owned()),
        ("kms:PrimaryRegion", "UpdatePrimaryRegion".to_owned()),
        ("kms:ReEncryptOnSameKey", "ReEncryptFrom ReEncryptTo".to_owned()),
        ("kms:ReplicaRegion", "ReplicateKey".to_owned()),
        ("kms:RequestAlias", aliased),
        ("kms:RetiringPrincipal", "CreateGrant".to_owned()),
        ("kms:RetiringServicePrincipal", "CreateGrant".to_owned()),
        ("kms:RotationPeriodInDays", "EnableKeyRotation".to_owned()),
        ("kms:ScheduleKeyDeletionPendingWindowInDays", "ScheduleKeyDeletion".to_owned()),
        ("kms:SigningAlgorithm", "Sign Verify".to_owned()),
        ("kms:ValidTo", "ImportKeyMaterial".to_owned()),
        ("kms:WrappingAlgorithm", "GetParametersForImport".to_owned()),
        ("kms:WrappingKeySpec", "GetParametersForImport".to_owned()),
        ("aws:RequestTag/a", "CreateKey TagResource sts:AssumeRole sts:TagSession".to_owned()),
        ("aws:TagKeys", "CreateKey TagResource UntagResource sts:AssumeRole sts:TagSession".to_owned()),
    ];
    for (key, actions) in cases {
        let key = ConditionKey::parse(key).unwrap();
        let mut expected: Vec<Action> =
            actions.split(' ').map(|name| Action::kms(name).or_else(|| Action::parse(name)).unwrap()).collect();
        expected.sort_unstable();
        let found: Vec<Action> = Action::all().filter(|action| key.scope().includes(*action)).collect();
        assert_eq!(found, expected, "{key:?}");
    }
}

#[test]
fn properties_of_the_key_exist_for_actions_on_a_key() {
    for name in ["kms:KeySpec", "kms:KeyUsage", "kms:KeyOrigin", "kms:MultiRegion", "kms:MultiRegionKeyType"] {
        let scope = ConditionKey::parse(name).unwrap().scope();
        assert_eq!(scope, Scope::KeysAndCreateKey, "{name}");
    }
    let has = |name: &str, action| ConditionKey::parse(name).unwrap().scope().includes(action);
    assert!(has("kms:KeySpec", Action::CreateKey) && has("kms:KeySpec", Action::CreateAlias));
    assert!(!has("kms:KeySpec", Action::ListKeys));
    assert!(has("kms:CallerAccount", Action::DeleteCustomKeyStore) && !has("kms:CallerAccount", Action::CreateKey));
    assert!(has("kms:ViaService", Action::Decrypt) && !has("kms:ViaService", Action::GenerateRandom));
    assert!(has("kms:ResourceAliases", Action::EnableKey) && !has("kms:ResourceAliases", Action::CreateKey));
    assert!(has("aws:ResourceTag/a", Action::EnableKey) && !has("aws:ResourceTag/a", Action::ListAliases));
    assert!(has("aws:ResourceTag/a", Action::AssumeRole) && !has("kms:ResourceAliases", Action::AssumeRole));
    assert!(has("aws:SourceIp", Action::GenerateRandom));
}

#[test]
fn aliases_and_tags_of_a_key_are_for_identity_policies() {
    let cases = [
        ("kms:ResourceAliases", true),
        ("aws:ResourceTag/a", true),
        ("kms:RequestAlias", false),
        ("aws:RequestTag/a", false),
        ("aws:TagKeys", false),
        ("aws:PrincipalTag/a", false),
        ("aws:ResourceAccount", false),
    ];
    for (name, expected) in cases {
        assert_eq!(ConditionKey::parse(name).unwrap().is_for_identity_policies(), expected, "{name}");
    }
}
