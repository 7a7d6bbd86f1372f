//! The members that may stand among the parameters and elements of a record.
//!
//! The list is closed, and there is none for a plaintext, a ciphertext, a message, a signature, a MAC, key material, an
//! import token, a grant token or a password: a record cannot hold one, whoever writes it.

/// A member of `requestParameters`, `responseElements` or `additionalEventData`, in CloudTrail's lowerCamelCase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member(&'static str);

impl Member {
    /// The name as written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// Whether the value is a policy document, which may be long.
    pub(crate) fn is_policy(self) -> bool {
        let policies = [Self::POLICY, Self::REPLICA_POLICY, Self::POLICY_DOCUMENT, Self::PERMISSIONS_BOUNDARY];
        policies.contains(&self) || self == Self::ASSUME_ROLE_POLICY_DOCUMENT
    }
}

/// Members of requests to KMS.
#[expect(missing_docs, reason = "the names are the API model's own")]
impl Member {
    pub const ALIAS_NAME: Self = Self("aliasName");
    pub const BYPASS_POLICY_LOCKOUT_SAFETY_CHECK: Self = Self("bypassPolicyLockoutSafetyCheck");
    pub const CONSTRAINTS: Self = Self("constraints");
    pub const CUSTOM_KEY_STORE_ID: Self = Self("customKeyStoreId");
    pub const CUSTOM_KEY_STORE_NAME: Self = Self("customKeyStoreName");
    pub const CUSTOM_KEY_STORE_TYPE: Self = Self("customKeyStoreType");
    pub const CUSTOMER_MASTER_KEY_SPEC: Self = Self("customerMasterKeySpec");
    pub const DESCRIPTION: Self = Self("description");
    pub const DESTINATION_ENCRYPTION_ALGORITHM: Self = Self("destinationEncryptionAlgorithm");
    pub const DESTINATION_ENCRYPTION_CONTEXT: Self = Self("destinationEncryptionContext");
    pub const DESTINATION_KEY_ID: Self = Self("destinationKeyId");
    pub const DRY_RUN: Self = Self("dryRun");
    pub const DRY_RUN_MODIFIERS: Self = Self("dryRunModifiers");
    pub const ENCAPSULATION_ALGORITHM: Self = Self("encapsulationAlgorithm");
    pub const ENCRYPTION_ALGORITHM: Self = Self("encryptionAlgorithm");
    pub const ENCRYPTION_CONTEXT: Self = Self("encryptionContext");
    pub const ENCRYPTION_CONTEXT_EQUALS: Self = Self("encryptionContextEquals");
    pub const ENCRYPTION_CONTEXT_SUBSET: Self = Self("encryptionContextSubset");
    pub const EXPIRATION_MODEL: Self = Self("expirationModel");
    pub const GRANT_ID: Self = Self("grantId");
    pub const GRANTEE_PRINCIPAL: Self = Self("granteePrincipal");
    pub const GRANTEE_SERVICE_PRINCIPAL: Self = Self("granteeServicePrincipal");
    pub const IMPORT_TYPE: Self = Self("importType");
    pub const INCLUDE_KEY_MATERIAL: Self = Self("includeKeyMaterial");
    pub const KEY_AGREEMENT_ALGORITHM: Self = Self("keyAgreementAlgorithm");
    pub const KEY_ID: Self = Self("keyId");
    pub const KEY_MATERIAL_DESCRIPTION: Self = Self("keyMaterialDescription");
    pub const KEY_MATERIAL_ID: Self = Self("keyMaterialId");
    pub const KEY_PAIR_SPEC: Self = Self("keyPairSpec");
    pub const KEY_SPEC: Self = Self("keySpec");
    pub const KEY_USAGE: Self = Self("keyUsage");
    pub const LIMIT: Self = Self("limit");
    pub const MAC_ALGORITHM: Self = Self("macAlgorithm");
    pub const MESSAGE_TYPE: Self = Self("messageType");
    pub const MULTI_REGION: Self = Self("multiRegion");
    pub const NAME: Self = Self("name");
    pub const NUMBER_OF_BYTES: Self = Self("numberOfBytes");
    pub const OPERATIONS: Self = Self("operations");
    pub const ORIGIN: Self = Self("origin");
    pub const PENDING_WINDOW_IN_DAYS: Self = Self("pendingWindowInDays");
    pub const POLICY: Self = Self("policy");
    pub const POLICY_NAME: Self = Self("policyName");
    pub const PRIMARY_REGION: Self = Self("primaryRegion");
    pub const REPLICA_REGION: Self = Self("replicaRegion");
    pub const RESOURCE_OWNERS: Self = Self("resourceOwners");
    pub const RETIRING_PRINCIPAL: Self = Self("retiringPrincipal");
    pub const RETIRING_SERVICE_PRINCIPAL: Self = Self("retiringServicePrincipal");
    pub const ROTATION_PERIOD_IN_DAYS: Self = Self("rotationPeriodInDays");
    pub const SIGNING_ALGORITHM: Self = Self("signingAlgorithm");
    pub const SOURCE_ARN: Self = Self("sourceArn");
    pub const SOURCE_ENCRYPTION_ALGORITHM: Self = Self("sourceEncryptionAlgorithm");
    pub const SOURCE_ENCRYPTION_CONTEXT: Self = Self("sourceEncryptionContext");
    pub const SOURCE_KEY_ID: Self = Self("sourceKeyId");
    pub const TAG_KEY: Self = Self("tagKey");
    pub const TAG_KEYS: Self = Self("tagKeys");
    pub const TAG_VALUE: Self = Self("tagValue");
    pub const TAGS: Self = Self("tags");
    pub const TARGET_KEY_ID: Self = Self("targetKeyId");
    pub const VALID_TO: Self = Self("validTo");
    pub const WRAPPING_ALGORITHM: Self = Self("wrappingAlgorithm");
    pub const WRAPPING_KEY_SPEC: Self = Self("wrappingKeySpec");
    pub const XKS_KEY_ID: Self = Self("xksKeyId");
}

/// Members of answers of KMS, those of `KeyMetadata` among them.
#[expect(missing_docs, reason = "the names are the API model's own")]
impl Member {
    pub const ARN: Self = Self("arn");
    /// `AWSAccountId`, with CloudTrail's odd lower case.
    pub const AWS_ACCOUNT_ID: Self = Self("aWSAccountId");
    pub const CLOUD_HSM_CLUSTER_ID: Self = Self("cloudHsmClusterId");
    pub const CREATION_DATE: Self = Self("creationDate");
    pub const CURRENT_KEY_MATERIAL_ID: Self = Self("currentKeyMaterialId");
    pub const DELETION_DATE: Self = Self("deletionDate");
    pub const DESTINATION_KEY_MATERIAL_ID: Self = Self("destinationKeyMaterialId");
    pub const ENABLED: Self = Self("enabled");
    pub const ENCAPSULATION_ALGORITHMS: Self = Self("encapsulationAlgorithms");
    pub const ENCRYPTION_ALGORITHMS: Self = Self("encryptionAlgorithms");
    pub const KEY_AGREEMENT_ALGORITHMS: Self = Self("keyAgreementAlgorithms");
    pub const KEY_MANAGER: Self = Self("keyManager");
    pub const KEY_METADATA: Self = Self("keyMetadata");
    pub const KEY_STATE: Self = Self("keyState");
    pub const MAC_ALGORITHMS: Self = Self("macAlgorithms");
    pub const MULTI_REGION_CONFIGURATION: Self = Self("multiRegionConfiguration");
    pub const MULTI_REGION_KEY_TYPE: Self = Self("multiRegionKeyType");
    pub const PENDING_DELETION_WINDOW_IN_DAYS: Self = Self("pendingDeletionWindowInDays");
    pub const PRIMARY_KEY: Self = Self("primaryKey");
    pub const REGION: Self = Self("region");
    pub const REPLICA_KEY_METADATA: Self = Self("replicaKeyMetadata");
    pub const REPLICA_KEYS: Self = Self("replicaKeys");
    pub const REPLICA_POLICY: Self = Self("replicaPolicy");
    pub const REPLICA_TAGS: Self = Self("replicaTags");
    pub const SIGNING_ALGORITHMS: Self = Self("signingAlgorithms");
    pub const SOURCE_KEY_MATERIAL_ID: Self = Self("sourceKeyMaterialId");
}

/// Members of `additionalEventData` of attested requests (AWS KMS Developer Guide, "Monitoring attested requests").
#[expect(missing_docs, reason = "the names are CloudTrail's own")]
impl Member {
    pub const RECIPIENT: Self = Self("recipient");
    pub const ATTESTATION_DOCUMENT_MODULE_ID: Self = Self("attestationDocumentModuleId");
    /// The registers of an enclave that are shown, by number. Register 0 is the digest of the image.
    pub const ENCLAVE_REGISTERS: [(u8, Self); 6] = [
        (0, Self("attestationDocumentEnclaveImageDigest")),
        (1, Self("attestationDocumentEnclavePCR1")),
        (2, Self("attestationDocumentEnclavePCR2")),
        (3, Self("attestationDocumentEnclavePCR3")),
        (4, Self("attestationDocumentEnclavePCR4")),
        (8, Self("attestationDocumentEnclavePCR8")),
    ];
    /// The registers of an instance with NitroTPM that are shown, by number.
    pub const NITRO_TPM_REGISTERS: [(u8, Self); 6] = [
        (4, Self("attestationDocumentNitroTPMPCR4")),
        (7, Self("attestationDocumentNitroTPMPCR7")),
        (8, Self("attestationDocumentNitroTPMPCR8")),
        (9, Self("attestationDocumentNitroTPMPCR9")),
        (16, Self("attestationDocumentNitroTPMPCR16")),
        (23, Self("attestationDocumentNitroTPMPCR23")),
    ];
}

/// Members of STS, and of Meridian's own operations: identities, promotion, membership, recovery.
#[expect(missing_docs, reason = "the names are those of the STS and IAM models, or say what they hold")]
impl Member {
    pub const ACCESS_KEY_ID: Self = Self("accessKeyId");
    pub const ACCOUNT_ID: Self = Self("accountId");
    pub const ASSUME_ROLE_POLICY_DOCUMENT: Self = Self("assumeRolePolicyDocument");
    pub const ASSUMED_ROLE_ID: Self = Self("assumedRoleId");
    pub const ASSUMED_ROLE_USER: Self = Self("assumedRoleUser");
    pub const CERTIFICATE: Self = Self("certificate");
    pub const CREDENTIALS: Self = Self("credentials");
    pub const DURATION_SECONDS: Self = Self("durationSeconds");
    pub const END_SESSIONS: Self = Self("endSessions");
    pub const EPOCH: Self = Self("epoch");
    pub const EXPIRATION: Self = Self("expiration");
    pub const EXTERNAL_ID: Self = Self("externalId");
    pub const FROM_REGION: Self = Self("fromRegion");
    pub const MAX_SESSION_DURATION: Self = Self("maxSessionDuration");
    pub const PATH: Self = Self("path");
    pub const PERMISSIONS_BOUNDARY: Self = Self("permissionsBoundary");
    pub const PLAN: Self = Self("plan");
    pub const POLICY_ARN: Self = Self("policyArn");
    pub const POLICY_DOCUMENT: Self = Self("policyDocument");
    pub const ROLE_ARN: Self = Self("roleArn");
    pub const ROLE_NAME: Self = Self("roleName");
    pub const ROLE_SESSION_NAME: Self = Self("roleSessionName");
    pub const STATUS: Self = Self("status");
    pub const TO_REGION: Self = Self("toRegion");
    pub const USER_NAME: Self = Self("userName");
    pub const WITHOUT_REGIONS: Self = Self("withoutRegions");
}
