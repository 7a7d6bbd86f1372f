//! `meridian.kms.v1`: the data plane and Promote. The same service functions as the AWS wire.

use super::identity::{CallerDirectory, new_request_id};
use super::recording::{Recording, own, record_promotion};
use super::{identity_of, status};
use crate::node::Handles;
use crate::tls::PeerIdentity;
use kms_audit::{Elements, Member, Operation};
use kms_proto::kms::v1 as pb;
use kms_proto::kms::v1::kms_server::Kms;
use kms_service::operations::{decrypt, encrypt, generate_data_key, generate_random, re_encrypt};
use kms_service::{Authenticated, Caller, Delivered, KmsError, PromotePlan, Promoted, Promoter};
use kms_types::{EncryptionContext, KeyMaterialId, limits};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use tonic::{Request, Response, Status};
use zeroize::Zeroizing;

/// The service.
#[derive(Debug)]
pub(crate) struct DataPlane {
    handles: Arc<Handles>,
    callers: Arc<CallerDirectory>,
}

impl DataPlane {
    /// Serves a node's keys to principals with certificates.
    pub(crate) fn new(handles: Arc<Handles>, callers: Arc<CallerDirectory>) -> Self {
        Self { handles, callers }
    }

    fn authenticate<T>(&self, request: Request<T>) -> Result<(Caller, T), Status> {
        if self.handles.is_witness() {
            return Err(Status::failed_precondition("this Region is a witness: it votes and holds no keys"));
        }
        let caller = self.callers.caller(&request)?;
        Ok((caller, request.into_inner()))
    }

    /// Promote may be called by principals, who are authorised on the key, and by operators, who need not be. Says also
    /// whether it is an operator.
    fn promoter(&self, request: &Request<pb::PromoteRequest>) -> Result<(Caller, String, bool), Status> {
        let reference = request.get_ref().key_id.clone();
        match identity_of(request)? {
            PeerIdentity::Operator => {
                let found = self.handles.service.find_for_operator(&reference).map_err(|e| status::from_kms(&e))?;
                Ok((found.operator(new_request_id()), found.key_id.to_string(), true))
            }
            PeerIdentity::Principal(_) | PeerIdentity::Region(_) => {
                Ok((self.callers.caller(request)?, reference, false))
            }
        }
    }

    /// Runs one operation of a principal and records it.
    async fn recorded<Q, A, W>(
        &self,
        name: &'static str,
        request: Request<Q>,
        shown: Elements<'static>,
        work: impl FnOnce(Caller, Q) -> W,
    ) -> Result<Response<A>, Status>
    where
        W: Future<Output = Result<A, Status>>,
    {
        let mut recording = Recording::begin(&self.handles, Operation::kms(name), &request, shown)?;
        let outcome = match self.authenticate(request) {
            Ok((caller, request)) => {
                recording.authenticated(&caller);
                recording.traced(work(caller, request)).await
            }
            Err(status) => Err(status),
        };
        recording.finish(outcome).await
    }

    async fn encrypt_as(&self, caller: Caller, request: pb::EncryptRequest) -> Result<pb::EncryptResponse, Status> {
        let plaintext = Zeroizing::new(request.plaintext);
        check_length("plaintext", plaintext.len(), limits::PLAINTEXT_BYTES_MAX)?;
        let request = encrypt::EncryptRequest {
            key_id: request.key_id,
            plaintext: encrypt::Secret(plaintext),
            encryption_context: context(request.encryption_context),
            grant_tokens: Vec::new(),
            encryption_algorithm: None,
            dry_run: false,
        };
        let answer = self.handles.service.encrypt(Authenticated { caller, request }).await;
        let answer = answer.map_err(|e| status::from_kms(&e))?;
        let key_id = answer.key_id.to_string();
        Ok(pb::EncryptResponse { key_id, ciphertext_blob: answer.ciphertext_blob })
    }

    async fn decrypt_as(&self, caller: Caller, request: pb::DecryptRequest) -> Result<pb::DecryptResponse, Status> {
        check_length("ciphertext_blob", request.ciphertext_blob.len(), limits::CIPHERTEXT_BYTES_MAX)?;
        let request = decrypt::DecryptRequest {
            ciphertext_blob: Some(request.ciphertext_blob),
            encryption_context: context(request.encryption_context),
            key_id: optional(request.key_id),
            ..Default::default()
        };
        let answer = self.handles.service.decrypt(Authenticated { caller, request }).await;
        let answer = answer.map_err(|e| status::from_kms(&e))?;
        Ok(pb::DecryptResponse {
            key_id: answer.key_id.to_string(),
            plaintext: plaintext(&answer.plaintext)?,
            key_material_id: optional_id(answer.key_material_id),
        })
    }

    async fn re_encrypt_as(
        &self,
        caller: Caller,
        request: pb::ReEncryptRequest,
    ) -> Result<pb::ReEncryptResponse, Status> {
        check_length("ciphertext_blob", request.ciphertext_blob.len(), limits::CIPHERTEXT_BYTES_MAX)?;
        let request = re_encrypt::ReEncryptRequest {
            ciphertext_blob: Some(request.ciphertext_blob),
            source_encryption_context: context(request.source_encryption_context),
            source_key_id: optional(request.source_key_id),
            destination_key_id: request.destination_key_id,
            destination_encryption_context: context(request.destination_encryption_context),
            ..Default::default()
        };
        let answer = self.handles.service.re_encrypt(Authenticated { caller, request }).await;
        let answer = answer.map_err(|e| status::from_kms(&e))?;
        Ok(pb::ReEncryptResponse {
            ciphertext_blob: answer.ciphertext_blob,
            source_key_id: answer.source_key_id.to_string(),
            key_id: answer.key_id.to_string(),
            source_key_material_id: optional_id(answer.source_key_material_id),
            destination_key_material_id: optional_id(answer.destination_key_material_id),
        })
    }

    async fn generate_data_key_as(
        &self,
        caller: Caller,
        request: pb::GenerateDataKeyRequest,
    ) -> Result<pb::GenerateDataKeyResponse, Status> {
        check_random_length(request.number_of_bytes)?;
        let request = generate_data_key::GenerateDataKeyRequest {
            key_id: request.key_id,
            encryption_context: context(request.encryption_context),
            number_of_bytes: Some(request.number_of_bytes),
            ..Default::default()
        };
        let answer = self.handles.service.generate_data_key(Authenticated { caller, request }).await;
        let answer = answer.map_err(|e| status::from_kms(&e))?;
        Ok(pb::GenerateDataKeyResponse {
            key_id: answer.key_id.to_string(),
            plaintext: plaintext(&answer.plaintext)?,
            ciphertext_blob: answer.ciphertext_blob,
            key_material_id: optional_id(answer.key_material_id),
        })
    }

    async fn generate_random_as(
        &self,
        caller: Caller,
        request: pb::GenerateRandomRequest,
    ) -> Result<pb::GenerateRandomResponse, Status> {
        check_random_length(request.number_of_bytes)?;
        let request = generate_random::GenerateRandomRequest {
            number_of_bytes: Some(request.number_of_bytes),
            ..Default::default()
        };
        let answer = self.handles.service.generate_random(Authenticated { caller, request }).await;
        let answer = answer.map_err(|e| status::from_kms(&e))?;
        Ok(pb::GenerateRandomResponse { plaintext: plaintext(&answer.plaintext)? })
    }

    async fn promote_as(
        &self,
        promoter: Promoter<'_>,
        key_id: String,
        request: pb::PromoteRequest,
    ) -> Result<pb::PromoteResponse, Status> {
        let pb::PromoteRequest { to_region, plan_hash, .. } = request;
        let service = &self.handles.service;
        if plan_hash.is_empty() {
            let plan = service.plan_promotion(promoter, &key_id, &to_region).await;
            let plan = plan.map_err(|e| status::from_promotion(&e))?;
            return Ok(pb::PromoteResponse { plan: Some(plan_message(&plan)), result: None });
        }
        let promoted = service.promote(promoter, (&key_id, &to_region), |plan| plan.fingerprint() == plan_hash).await;
        let promoted = promoted.map_err(|e| status::from_promotion(&e))?;
        let (Promoter::Principal(caller) | Promoter::Operator(caller)) = promoter;
        record_promotion(&self.handles, &promoted, caller.trail.notes().control_log_index).await?;
        Ok(promoted_message(&promoted))
    }
}

#[tonic::async_trait]
impl Kms for DataPlane {
    async fn encrypt(&self, request: Request<pb::EncryptRequest>) -> Result<Response<pb::EncryptResponse>, Status> {
        let shown = shown(
            &[(Member::KEY_ID, &request.get_ref().key_id)],
            &[(Member::ENCRYPTION_CONTEXT, &request.get_ref().encryption_context)],
        );
        self.recorded("Encrypt", request, shown, |caller, request| self.encrypt_as(caller, request)).await
    }

    async fn decrypt(&self, request: Request<pb::DecryptRequest>) -> Result<Response<pb::DecryptResponse>, Status> {
        let shown = shown(
            &[(Member::KEY_ID, &request.get_ref().key_id)],
            &[(Member::ENCRYPTION_CONTEXT, &request.get_ref().encryption_context)],
        );
        self.recorded("Decrypt", request, shown, |caller, request| self.decrypt_as(caller, request)).await
    }

    async fn re_encrypt(
        &self,
        request: Request<pb::ReEncryptRequest>,
    ) -> Result<Response<pb::ReEncryptResponse>, Status> {
        let shown = shown(
            &[
                (Member::SOURCE_KEY_ID, &request.get_ref().source_key_id),
                (Member::DESTINATION_KEY_ID, &request.get_ref().destination_key_id),
            ],
            &[
                (Member::SOURCE_ENCRYPTION_CONTEXT, &request.get_ref().source_encryption_context),
                (Member::DESTINATION_ENCRYPTION_CONTEXT, &request.get_ref().destination_encryption_context),
            ],
        );
        self.recorded("ReEncrypt", request, shown, |caller, request| self.re_encrypt_as(caller, request)).await
    }

    async fn generate_data_key(
        &self,
        request: Request<pb::GenerateDataKeyRequest>,
    ) -> Result<Response<pb::GenerateDataKeyResponse>, Status> {
        let shown = shown(
            &[(Member::KEY_ID, &request.get_ref().key_id)],
            &[(Member::ENCRYPTION_CONTEXT, &request.get_ref().encryption_context)],
        )
        .number(Member::NUMBER_OF_BYTES, request.get_ref().number_of_bytes.into());
        self.recorded("GenerateDataKey", request, shown, |caller, request| self.generate_data_key_as(caller, request))
            .await
    }

    async fn generate_random(
        &self,
        request: Request<pb::GenerateRandomRequest>,
    ) -> Result<Response<pb::GenerateRandomResponse>, Status> {
        let shown = Elements::new().number(Member::NUMBER_OF_BYTES, request.get_ref().number_of_bytes.into());
        self.recorded("GenerateRandom", request, shown, |caller, request| self.generate_random_as(caller, request))
            .await
    }

    async fn promote(&self, request: Request<pb::PromoteRequest>) -> Result<Response<pb::PromoteResponse>, Status> {
        let asked = request.get_ref();
        let is_plan = asked.plan_hash.is_empty();
        let shown = shown(&[(Member::KEY_ID, &asked.key_id), (Member::TO_REGION, &asked.to_region)], &[]);
        let operation = own(if is_plan { "PlanPromotion" } else { "Promote" }, is_plan);
        let mut recording = Recording::begin(&self.handles, operation, &request, shown)?;
        let outcome = match self.promoter(&request) {
            Ok((caller, key_id, is_operator)) => {
                recording.authenticated(&caller);
                let promoter = if is_operator { Promoter::Operator(&caller) } else { Promoter::Principal(&caller) };
                recording.traced(self.promote_as(promoter, key_id, request.into_inner())).await
            }
            Err(status) => Err(status),
        };
        recording.finish(outcome).await
    }
}

fn plan_message(plan: &PromotePlan) -> pb::PromotePlan {
    pb::PromotePlan {
        key_id: plan.key.to_string(),
        from_region: plan.from.to_string(),
        to_region: plan.to.to_string(),
        epoch: plan.epoch,
        committed_index: plan.committed_index,
        target_applied_index: plan.target_applied_index,
        unreachable_regions: plan.unreachable.iter().map(ToString::to_string).collect(),
        would_be_lost: plan.would_be_lost.clone(),
        staged_material_id: plan.staged.map(|id| id.to_string()).unwrap_or_default(),
        obstacles: plan.obstacles.clone(),
        plan_hash: plan.fingerprint(),
    }
}

fn promoted_message(promoted: &Promoted) -> pb::PromoteResponse {
    pb::PromoteResponse {
        plan: Some(plan_message(&promoted.plan)),
        result: Some(pb::PromoteResult {
            epoch: promoted.epoch,
            committed_index: promoted.plan.committed_index,
            duration_ms: u64::try_from(promoted.duration.as_millis()).unwrap_or(u64::MAX),
        }),
    }
}

/// Parameters for the audit record; empty texts are absent members.
fn shown(texts: &[(Member, &String)], contexts: &[(Member, &BTreeMap<String, String>)]) -> Elements<'static> {
    let mut shown = Elements::new();
    for (member, text) in texts.iter().filter(|(_, text)| !text.is_empty()) {
        shown = shown.text(*member, (*text).clone());
    }
    for (member, pairs) in contexts.iter().filter(|(_, pairs)| !pairs.is_empty()) {
        shown = shown.pairs(*member, (*pairs).clone());
    }
    shown
}

fn context(pairs: BTreeMap<String, String>) -> EncryptionContext {
    pairs.into_iter().collect()
}

/// What is answered in plaintext. These requests name no recipient, so that it always is.
fn plaintext(delivered: &Delivered) -> Result<Vec<u8>, Status> {
    let secret = delivered.plaintext().ok_or_else(|| status::from_kms(&KmsError::Internal))?;
    Ok(secret.0.to_vec())
}

fn optional_id(id: Option<KeyMaterialId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn optional(text: String) -> Option<String> {
    if text.is_empty() { None } else { Some(text) }
}

fn check_length(field: &str, length: usize, most: usize) -> Result<(), Status> {
    if (1..=most).contains(&length) {
        return Ok(());
    }
    Err(status::from_kms(&KmsError::service(format!("{field} must have 1 to {most} bytes"))))
}

fn check_random_length(length: u32) -> Result<(), Status> {
    check_length("number_of_bytes", usize::try_from(length).unwrap_or(usize::MAX), limits::RANDOM_BYTES_MAX)
}
