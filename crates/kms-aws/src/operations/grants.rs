//! Writing lists of grants.

use super::paging;
use crate::json::{Object, object};
use bytes::Bytes;
use kms_service::operations::grants::{GrantConstraints, GrantListEntry, GrantPrincipal};
use kms_types::{GrantOperation, PARTITION};

/// Expected length of a written entry, in bytes.
const ENTRY_CAPACITY: usize = 768;

/// The body of ListGrants and ListRetirableGrants.
pub(super) fn write_list(grants: &[GrantListEntry], next_marker: Option<&str>) -> Bytes {
    object(grants.len() * ENTRY_CAPACITY + 64, |o| {
        o.objects("Grants", grants, write);
        paging::write_end(o, next_marker);
    })
    .into()
}

fn write(object: &mut Object<'_>, grant: &GrantListEntry) {
    object.text("KeyId", &grant.key.to_string());
    object.text("GrantId", &grant.grant_id.to_string());
    object.text("Name", &grant.name);
    object.timestamp("CreationDate", grant.creation_date);
    match &grant.grantee {
        GrantPrincipal::Arn(arn) => object.text("GranteePrincipal", arn),
        GrantPrincipal::Service(name) => object.text("GranteeServicePrincipal", name),
    }
    match &grant.retiring {
        Some(GrantPrincipal::Arn(arn)) => object.text("RetiringPrincipal", arn),
        Some(GrantPrincipal::Service(name)) => object.text("RetiringServicePrincipal", name),
        None => {}
    }
    object.text("IssuingAccount", &format!("arn:{PARTITION}:iam::{}:root", grant.issuing_account));
    object.texts("Operations", grant.operations.iter().copied().map(GrantOperation::as_str));
    if grant.constraints != GrantConstraints::default() {
        object.object("Constraints", |o| write_constraints(o, &grant.constraints));
    }
}

fn write_constraints(object: &mut Object<'_>, constraints: &GrantConstraints) {
    let contexts = [
        ("EncryptionContextSubset", &constraints.encryption_context_subset),
        ("EncryptionContextEquals", &constraints.encryption_context_equals),
    ];
    for (name, context) in contexts {
        if let Some(context) = context {
            object.object(name, |o| context.iter().for_each(|(key, value)| o.text(key, value)));
        }
    }
    object.optional_text("SourceArn", constraints.source_arn.as_deref());
}
