//! `meridian.cluster.v1.Residency`: the residency rules of the cluster, and what this Region states of a key's whereabouts.

use super::recording::{Recording, own};
use super::status;
use crate::node::Handles;
use kms_audit::{Elements, Signer as _};
use kms_core::control::{
    ACCEPTED_MAX, ControlBody, ControlOutcome, KeyHistory, PutResidencyRules, Refusal, ResidencyRule, ResidencyRules,
};
use kms_proto::cluster::v1 as pb;
use kms_proto::cluster::v1::residency_server::Residency;
use kms_proto::control_codec::{ResidencyStatement, STATEMENT_LABEL, encode_statement};
use kms_service::{ControlLog as _, ControlLogError};
use kms_types::{AccountId, KeyId, KeyRef, RegionName};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Request, Response, Status};

/// How long a statement waits for the newest entries of the log before it states what is here.
const CATCH_UP: Duration = Duration::from_secs(2);

/// The service.
#[derive(Debug)]
pub(crate) struct ResidencyService {
    handles: Arc<Handles>,
}

impl ResidencyService {
    /// Answers for a node.
    pub(crate) fn new(handles: Arc<Handles>) -> Self {
        Self { handles }
    }

    fn rules_in_force(&self) -> Option<Arc<ResidencyRules>> {
        self.handles.service.directory().read(|_, control| control.residency().cloned())
    }

    /// The key that a report is about; one that is gone is known by its history.
    fn key_id(&self, reference: &str) -> Result<KeyId, Status> {
        let named = named_key(reference);
        let known =
            |key_id: &KeyId| self.handles.service.directory().read(|_, control| control.history(key_id).is_some());
        match named.filter(known) {
            Some(key_id) => Ok(key_id),
            None => {
                let found = self.handles.service.find_for_operator(reference);
                found.map(|found| found.key_id).map_err(|error| status::from_kms(&error))
            }
        }
    }

    async fn propose(&self, body: PutResidencyRules) -> Result<u64, Status> {
        let version = body.expected_version.saturating_add(1);
        match self.handles.control.propose(ControlBody::PutResidencyRules(body)).await {
            Ok(ControlOutcome::Done) => Ok(version),
            Ok(ControlOutcome::Refused(refusal @ Refusal::Malformed)) => {
                Err(Status::invalid_argument(refusal.to_string()))
            }
            Ok(ControlOutcome::Refused(refusal)) => Err(Status::failed_precondition(refusal.to_string())),
            Err(error @ ControlLogError::NoMajority { .. }) => Err(Status::unavailable(error.to_string())),
            Err(error @ ControlLogError::Stopped) => Err(Status::internal(error.to_string())),
        }
    }

    fn state(&self, key_id: KeyId) -> Result<ResidencyStatement, Status> {
        let handles = &self.handles;
        // Before the states: they hold everything up to this index, and perhaps more.
        let applied_index = handles.control.status().applied;
        let (history, present) = handles.service.directory().read(|regional, control| {
            let record = regional.key(&key_id);
            let present = record.iter().flat_map(|r| &r.materials).filter(|m| m.is_present()).map(|m| m.material_id);
            let set = control.key_set(&key_id).map(AsRef::as_ref);
            let history = control.history(&key_id).map(|history| KeyHistory::clone(history));
            // Of a key that nothing has happened to since histories are kept, the key set tells.
            (history.or_else(|| set.map(KeyHistory::of_key_set)), present.collect())
        });
        let history = history.ok_or_else(|| {
            Status::failed_precondition(
                "the control log does not know the key: a single-Region key never leaves its Region",
            )
        })?;
        let region = handles.service.region().clone();
        let stated_at = handles.clock.now();
        let cluster_id = handles.cluster_id.clone();
        Ok(ResidencyStatement { cluster_id, region, applied_index, stated_at, history, present })
    }
}

#[tonic::async_trait]
impl Residency for ResidencyService {
    async fn get_rules(
        &self,
        _: Request<pb::GetResidencyRulesRequest>,
    ) -> Result<Response<pb::GetResidencyRulesResponse>, Status> {
        let Some(rules) = self.rules_in_force() else {
            return Ok(Response::new(pb::GetResidencyRulesResponse::default()));
        };
        let accepted = rules.accepted.iter();
        Ok(Response::new(pb::GetResidencyRulesResponse {
            version: rules.version,
            put_at_ms: rules.put_at.millis(),
            put_by: rules.put_by.to_string(),
            rules: rules.rules.iter().map(rule).collect(),
            accepted: accepted
                .map(|(key_id, region)| pb::AcceptedKey { key_id: key_id.to_string(), region: region.to_string() })
                .collect(),
        }))
    }

    async fn check_rules(
        &self,
        request: Request<pb::CheckResidencyRulesRequest>,
    ) -> Result<Response<pb::CheckResidencyRulesResponse>, Status> {
        let service = &self.handles.service;
        let rules = match request.into_inner().rules {
            None => self.rules_in_force(),
            Some(list) => Some(Arc::new(ResidencyRules {
                version: 0,
                put_at: self.handles.clock.now(),
                put_by: service.region().clone(),
                rules: parse_rules(&list.rules)?,
                accepted: BTreeSet::new(),
            })),
        };
        let mut found = match &rules {
            Some(rules) => service.residency_violations(rules, ACCEPTED_MAX.saturating_add(1)),
            None => Vec::new(),
        };
        let truncated = found.len() > ACCEPTED_MAX;
        found.truncate(ACCEPTED_MAX);
        let violations = found.into_iter().map(|violation| pb::RuleViolation {
            key_id: violation.key_id.to_string(),
            rule: violation.rule,
            accepted: violation.accepted,
        });
        let refused = service.directory().refused_residency().into_iter();
        let refused =
            refused.map(|(key_id, rule)| pb::RuleViolation { key_id: key_id.to_string(), rule, accepted: false });
        Ok(Response::new(pb::CheckResidencyRulesResponse {
            violations: violations.collect(),
            truncated,
            refused: refused.collect(),
        }))
    }

    async fn put_rules(
        &self,
        request: Request<pb::PutResidencyRulesRequest>,
    ) -> Result<Response<pb::PutResidencyRulesResponse>, Status> {
        let recording = Recording::begin(&self.handles, own("PutResidencyRules", false), &request, Elements::new())?;
        let request = request.into_inner();
        let parsed = parse_rules(&request.rules).and_then(|rules| Ok((rules, parse_accepted(&request.accepted)?)));
        let answer = match parsed {
            Ok((rules, accepted)) => {
                self.propose(PutResidencyRules { expected_version: request.expected_version, rules, accepted }).await
            }
            Err(wrong) => Err(wrong),
        };
        recording.finish(answer.map(|version| pb::PutResidencyRulesResponse { version })).await
    }

    async fn state_history(
        &self,
        request: Request<pb::StateHistoryRequest>,
    ) -> Result<Response<pb::StateHistoryResponse>, Status> {
        // A Region that is cut off states what it knows; the index tells how far that is.
        let _as_far_as_it_goes = self.handles.control.read_barrier(CATCH_UP).await;
        let key_id = self.key_id(&request.into_inner().key_id)?;
        let statement = encode_statement(&self.state(key_id)?);
        let signed = self.handles.signer.sign(&[STATEMENT_LABEL, &statement].concat());
        let signature = signed.map_err(|error| Status::internal(error.to_string()))?;
        Ok(Response::new(pb::StateHistoryResponse {
            statement,
            signing_key_id: signature.key.as_bytes().to_vec(),
            signature: signature.bytes,
        }))
    }

    async fn list_signing_keys(
        &self,
        _: Request<pb::ListSigningKeysRequest>,
    ) -> Result<Response<pb::ListSigningKeysResponse>, Status> {
        let keys = self.handles.service.directory().read(|_, control| {
            let keys = control.regions().flat_map(|line| {
                let all =
                    line.former_signing_keys.iter().chain([&line.signing_public_key]).filter(|key| !key.is_empty());
                all.map(|key| pb::RegionSigningKey { region: line.region.to_string(), public_key: key.clone() })
            });
            keys.collect()
        });
        Ok(Response::new(pb::ListSigningKeysResponse { keys }))
    }
}

fn rule(rule: &ResidencyRule) -> pb::Rule {
    pb::Rule {
        name: rule.name.clone(),
        accounts: rule.accounts.iter().map(ToString::to_string).collect(),
        tag: rule.tag.as_ref().map(|(key, value)| pb::RuleTag { key: key.clone(), value: value.clone() }),
        keys: rule.keys.iter().map(ToString::to_string).collect(),
        allow: rule.allow.iter().map(ToString::to_string).collect(),
    }
}

fn parse_rules(rules: &[pb::Rule]) -> Result<Vec<ResidencyRule>, Status> {
    let rules: Vec<ResidencyRule> = rules.iter().map(parse_rule).collect::<Result<_, _>>()?;
    ResidencyRules::check(&rules).map_err(Status::invalid_argument)?;
    Ok(rules)
}

fn parse_rule(rule: &pb::Rule) -> Result<ResidencyRule, Status> {
    let wrong = |what: &str| Status::invalid_argument(format!("rule {}: {what}", rule.name));
    let account = |text: &String| AccountId::parse(text).map_err(|_form| wrong("an account has 12 digits"));
    let key = |text: &String| named_key(text).ok_or_else(|| wrong("a key is named by its ID or ARN"));
    let region = |text: &String| RegionName::parse(text).map_err(|_form| wrong("not a Region name"));
    Ok(ResidencyRule {
        name: rule.name.clone(),
        accounts: rule.accounts.iter().map(account).collect::<Result<_, _>>()?,
        tag: rule.tag.as_ref().map(|tag| (tag.key.clone(), tag.value.clone())),
        keys: rule.keys.iter().map(key).collect::<Result<_, _>>()?,
        allow: rule.allow.iter().map(region).collect::<Result<_, _>>()?,
    })
}

/// The key that an ID or an ARN names.
fn named_key(reference: &str) -> Option<KeyId> {
    match KeyRef::parse(reference) {
        Ok(KeyRef::Id(key_id)) => Some(key_id),
        Ok(KeyRef::Arn(arn)) => Some(arn.key_id),
        Ok(KeyRef::Alias(_) | KeyRef::AliasArn(_)) | Err(_) => None,
    }
}

fn parse_accepted(keys: &[pb::AcceptedKey]) -> Result<BTreeSet<(KeyId, RegionName)>, Status> {
    let wrong = || Status::invalid_argument("accepted: not a key ID or not a Region name");
    let parse = |key: &pb::AcceptedKey| {
        let key_id = KeyId::parse(&key.key_id).map_err(|_form| wrong())?;
        Ok((key_id, RegionName::parse(&key.region).map_err(|_form| wrong())?))
    };
    keys.iter().map(parse).collect()
}
