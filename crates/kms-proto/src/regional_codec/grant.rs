//! Rows of grants.

use crate::format::{Format, VERSION, pairs, texts};
use crate::{FormatError, state::v1 as pb};
use kms_core::regional::{GrantConstraints, GrantPrincipal, GrantRecord};
use kms_types::{GrantId, GrantOperation, Timestamp};
use pb::grant_principal::Kind;
use prost::Message;
use std::collections::BTreeMap;

const F: Format = Format("grant");

pub(super) fn encode(grant: &GrantRecord) -> Vec<u8> {
    pb::GrantRecord {
        format: VERSION,
        key_id: grant.key_id.to_string(),
        grant_id: grant.grant_id.as_bytes().to_vec(),
        account: grant.account.to_string(),
        name: grant.name.clone(),
        created_at_ms: grant.created_at.millis(),
        grantee: Some(principal(&grant.grantee)),
        retiring: grant.retiring.as_ref().map(principal),
        issuing_account: grant.issuing_account.to_string(),
        operations: grant.operations.iter().map(ToString::to_string).collect(),
        constraints: Some(constraints(&grant.constraints)),
    }
    .encode_to_vec()
}

pub(super) fn decode(bytes: &[u8]) -> Result<GrantRecord, FormatError> {
    let m: pb::GrantRecord = F.message(bytes)?;
    F.version(m.format)?;
    let operation = |name: &String| F.required(GrantOperation::parse(name).ok(), "grant operation");
    Ok(GrantRecord {
        key_id: F.key_id(&m.key_id)?,
        account: F.account(&m.account)?,
        grant_id: GrantId::from_bytes(F.required(m.grant_id.try_into().ok(), "grant ID")?),
        name: m.name,
        created_at: Timestamp::from_millis(m.created_at_ms),
        grantee: parse_principal(F.required(m.grantee, "grantee")?)?,
        retiring: m.retiring.map(parse_principal).transpose()?,
        issuing_account: F.account(&m.issuing_account)?,
        operations: m.operations.iter().map(operation).collect::<Result<_, _>>()?,
        constraints: parse_constraints(F.required(m.constraints, "constraints")?),
    })
}

fn principal(value: &GrantPrincipal) -> pb::GrantPrincipal {
    let kind = match value {
        GrantPrincipal::Arn(arn) => Kind::Arn(arn.clone()),
        GrantPrincipal::Service(service) => Kind::Service(service.clone()),
    };
    pb::GrantPrincipal { kind: Some(kind) }
}

fn parse_principal(m: pb::GrantPrincipal) -> Result<GrantPrincipal, FormatError> {
    Ok(match F.required(m.kind, "kind of principal")? {
        Kind::Arn(arn) => GrantPrincipal::Arn(arn),
        Kind::Service(service) => GrantPrincipal::Service(service),
    })
}

fn constraints(value: &GrantConstraints) -> pb::GrantConstraints {
    let context = |pairs_of: &BTreeMap<_, _>| pb::EncryptionContext { pairs: pairs(pairs_of) };
    pb::GrantConstraints {
        encryption_context_equals: value.encryption_context_equals.as_ref().map(context),
        encryption_context_subset: value.encryption_context_subset.as_ref().map(context),
        source_arn: value.source_arn.clone(),
    }
}

fn parse_constraints(m: pb::GrantConstraints) -> GrantConstraints {
    GrantConstraints {
        encryption_context_equals: m.encryption_context_equals.map(|context| texts(context.pairs)),
        encryption_context_subset: m.encryption_context_subset.map(|context| texts(context.pairs)),
        source_arn: m.source_arn,
    }
}
