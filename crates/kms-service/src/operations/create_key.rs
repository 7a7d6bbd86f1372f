//! `CreateKey`: a new key, single-Region or the primary of a new multi-Region set.

use super::key_metadata::KeyMetadata;
use super::tags::check_tags;
use crate::authorise::Resource;
use crate::residency::residency_denied;
use crate::{Authenticated, Caller, KmsError, Service};
use kms_core::control::{ControlBody, CreateKeySet, InitialProperties, Refusal};
use kms_core::regional::{CreateKey, RegionalBody};
use kms_crypto::KeyMaterial;
use kms_types::{KeyId, KeySpec, KeyUsage, Origin};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a new primary may take to appear in its own Region after the commit; local work of a millisecond or two.
const INSTALL_DEADLINE: Duration = Duration::from_secs(5);

/// The request.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct CreateKeyRequest {
    pub policy: Option<String>,
    pub description: Option<String>,
    pub key_usage: Option<KeyUsage>,
    pub key_spec: Option<KeySpec>,
    /// The deprecated name of `key_spec`.
    pub customer_master_key_spec: Option<KeySpec>,
    pub origin: Option<Origin>,
    pub custom_key_store_id: Option<String>,
    pub bypass_policy_lockout_safety_check: bool,
    pub tags: Vec<(String, String)>,
    pub multi_region: bool,
    pub xks_key_id: Option<String>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct CreateKeyResponse {
    pub key_metadata: KeyMetadata,
}

impl Service {
    /// `CreateKey`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn create_key(&self, request: Authenticated<CreateKeyRequest>) -> Result<CreateKeyResponse, KmsError> {
        let Authenticated { caller, request } = request;
        caller.authorise("CreateKey", Resource::Account)?;
        if !request.tags.is_empty() {
            caller.authorise("TagResource", Resource::Account)?;
        }
        let kind = check_kind(&request)?;
        let initial = self.initial_properties(&caller, &request)?;
        self.check_new_key(&caller.account(), &initial.tags)?;
        self.check_key_quota(&caller.account())?;
        let key_id = if request.multi_region {
            self.create_key_set(&caller, kind, initial).await?
        } else {
            self.create_single_region_key(&caller, kind, initial).await?
        };
        let entry = self.directory().key(&key_id).ok_or(KmsError::Internal)?;
        Ok(CreateKeyResponse { key_metadata: KeyMetadata::of(&entry) })
    }

    fn initial_properties(&self, caller: &Caller, request: &CreateKeyRequest) -> Result<InitialProperties, KmsError> {
        check_tags(&request.tags)?;
        let policy = match &request.policy {
            Some(policy) => {
                super::policy::check_policy(policy)?;
                if !request.bypass_policy_lockout_safety_check {
                    let key_arn = super::policy::arn_of_new_key(caller, self.region());
                    super::policy::check_lockout(caller, &key_arn, policy)?;
                }
                policy.clone()
            }
            None => kms_policy::default_key_policy(&caller.account()),
        };
        Ok(InitialProperties {
            policy,
            description: request.description.clone().unwrap_or_default(),
            tags: request.tags.iter().cloned().collect::<BTreeMap<_, _>>(),
        })
    }

    async fn create_single_region_key(
        &self,
        caller: &Caller,
        kind: Kind,
        initial: InitialProperties,
    ) -> Result<KeyId, KmsError> {
        let key_id = KeyId::single_region(self.random_id()?);
        let material = match self.first_material(kind).await? {
            Some(material) => Some(self.keyring().wrap(&key_id, &material)?),
            None => None,
        };
        let body = CreateKey {
            key_id,
            account: caller.account(),
            spec: kind.spec,
            usage: kind.usage,
            origin: kind.origin,
            description: initial.description,
            policy: initial.policy,
            tags: initial.tags,
            material,
        };
        // A refusal would mean that a drawn UUID exists already.
        self.submit(RegionalBody::CreateKey(Box::new(body))).await?.map_err(|_opaque| KmsError::Internal)?;
        Ok(key_id)
    }

    /// Commits a new key set whose material is sealed to this Region, and waits until the Region has taken it in.
    async fn create_key_set(&self, caller: &Caller, kind: Kind, initial: InitialProperties) -> Result<KeyId, KmsError> {
        let key_id = KeyId::multi_region(self.random_id()?);
        let first = match self.first_material(kind).await? {
            Some(material) => {
                let public = self.keyring().sealing_public_key();
                let sealed = self.keyring().seal(&key_id, &material, self.region(), public.as_bytes())?;
                Some((material.material_id(&key_id), sealed))
            }
            None => None,
        };
        let material_id = first.as_ref().map(|(material_id, _)| *material_id);
        let Kind { spec, usage, origin } = kind;
        let body = CreateKeySet { key_id, account: caller.account(), spec, usage, origin, first, initial };
        match self.propose(ControlBody::CreateKeySet(body)).await? {
            Ok(()) => {}
            Err(Refusal::ResidencyForbidden { rule }) => {
                return Err(residency_denied(&"A key with these properties", self.region(), &rule));
            }
            Err(Refusal::RegionUnknown) => return Err(KmsError::DependencyTimeout),
            Err(_) => return Err(KmsError::Internal),
        }
        let taken_in = match &material_id {
            Some(material_id) => self.regional().await_material(&key_id, material_id, INSTALL_DEADLINE).await,
            None => self.regional().await_key(&key_id, INSTALL_DEADLINE).await,
        };
        if taken_in { Ok(key_id) } else { Err(KmsError::DependencyTimeout) }
    }

    /// The material that a new key has at once; none if it is to be imported.
    async fn first_material(&self, kind: Kind) -> Result<Option<KeyMaterial>, KmsError> {
        match kind.origin {
            Origin::External => Ok(None),
            Origin::AwsKms | Origin::AwsCloudHsm | Origin::ExternalKeyStore => {
                self.new_material(kind.spec).await.map(Some)
            }
        }
    }
}

/// What a key is for ever.
#[derive(Clone, Copy)]
struct Kind {
    spec: KeySpec,
    usage: KeyUsage,
    origin: Origin,
}

/// Checks spec, usage and origin against each other, in the order in which AWS is seen to.
fn check_kind(request: &CreateKeyRequest) -> Result<Kind, KmsError> {
    if request.key_spec.is_some() && request.customer_master_key_spec.is_some() {
        return Err(KmsError::service(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is \
             deprecated.",
        ));
    }
    let spec = request.key_spec.or(request.customer_master_key_spec).unwrap_or(KeySpec::SymmetricDefault);
    if spec == KeySpec::Sm2 {
        return Err(KmsError::service("KeySpec SM2 is not supported in this Region"));
    }
    let usage = match request.key_usage {
        Some(usage) => usage,
        None if spec == KeySpec::SymmetricDefault => KeyUsage::EncryptDecrypt,
        None => {
            return Err(KmsError::service(
                "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
            ));
        }
    };
    if !spec.usages().contains(&usage) {
        return Err(KmsError::service(format!("KeyUsage {usage} is not compatible with KeySpec {spec}")));
    }
    let origin = request.origin.unwrap_or(Origin::AwsKms);
    if let Some(named) = &request.custom_key_store_id {
        return Err(KmsError::CustomKeyStoreNotFound(named.clone()));
    }
    if request.xks_key_id.is_some() || matches!(origin, Origin::AwsCloudHsm | Origin::ExternalKeyStore) {
        return Err(no_custom_key_stores());
    }
    if !spec.allows_origin(origin) {
        return Err(KmsError::service(format!("KeySpec {spec} is not supported for Origin {origin}")));
    }
    Ok(Kind { spec, usage, origin })
}

/// There are no custom key stores here.
pub(crate) fn no_custom_key_stores() -> KmsError {
    KmsError::UnsupportedOperation(Some("Custom key stores are not supported in this Region.".to_owned()))
}
