//! How users, roles and access keys are shown.

use super::super::output::{self, Format};
use super::Desk;
use kms_proto::cluster::v1 as pb;
use serde_json::{Value, json};

impl Desk {
    pub(super) fn show_user(&self, user: &pb::User) -> anyhow::Result<()> {
        if self.output == Format::Json {
            return output::json(&user_json(user));
        }
        let policies: Vec<&str> = user.policies.keys().map(String::as_str).collect();
        output::line(format_args!("user         {}", user.arn));
        output::line(format_args!("unique ID    {}", user.unique_id));
        output::line(format_args!("state        {}", state(user.enabled)));
        output::line(format_args!("certificate  {}", or_none(&user.certificate)));
        output::line(format_args!("policies     {}", or_none(&policies.join(", "))));
        output::line(format_args!("boundary     {}", if user.boundary.is_empty() { "-" } else { "set" }));
        if !user.access_keys.is_empty() {
            output::line("");
            output::line(key_table(&user.access_keys));
        }
        Ok(())
    }

    pub(super) fn show_users(&self, users: &[pb::User]) -> anyhow::Result<()> {
        if self.output == Format::Json {
            return output::json(&users.iter().map(user_json).collect::<Vec<_>>());
        }
        let rows = users.iter().map(|user| {
            let keys = user.access_keys.len().to_string();
            vec![user.arn.clone(), state(user.enabled).to_owned(), keys, user.policies.len().to_string()]
        });
        output::line(output::table(&["USER", "STATE", "ACCESS KEYS", "POLICIES"], rows));
        Ok(())
    }

    pub(super) fn show_role(&self, role: &pb::Role) -> anyhow::Result<()> {
        if self.output == Format::Json {
            return output::json(&role_json(role));
        }
        let policies: Vec<&str> = role.policies.keys().map(String::as_str).collect();
        output::line(format_args!("role             {}", role.arn));
        output::line(format_args!("unique ID        {}", role.unique_id));
        output::line(format_args!("state            {}", state(role.enabled)));
        output::line(format_args!("longest session  {} s", role.max_session_seconds));
        output::line(format_args!("policies         {}", or_none(&policies.join(", "))));
        output::line(format_args!("boundary         {}", if role.boundary.is_empty() { "-" } else { "set" }));
        output::line(format_args!("trust policy     {}", role.trust));
        Ok(())
    }

    pub(super) fn show_roles(&self, roles: &[pb::Role]) -> anyhow::Result<()> {
        if self.output == Format::Json {
            return output::json(&roles.iter().map(role_json).collect::<Vec<_>>());
        }
        let rows = roles.iter().map(|role| {
            let session = format!("{} s", role.max_session_seconds);
            vec![role.arn.clone(), state(role.enabled).to_owned(), session, role.policies.len().to_string()]
        });
        output::line(output::table(&["ROLE", "STATE", "LONGEST SESSION", "POLICIES"], rows));
        Ok(())
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

pub(super) fn key_table(keys: &[pb::AccessKey]) -> String {
    let rows = keys.iter().map(|key| {
        let missing = key.missing_in.join(", ");
        vec![key.access_key_id.clone(), state(key.enabled).to_owned(), or_none(&missing).to_owned()]
    });
    output::table(&["ACCESS KEY", "STATE", "NOT YET IN"], rows)
}

fn state(enabled: bool) -> &'static str {
    if enabled { "enabled" } else { "disabled" }
}

pub(super) fn key_json(key: &pb::AccessKey) -> Value {
    json!({
        "access_key_id": key.access_key_id,
        "created_at_ms": key.created_at_ms,
        "enabled": key.enabled,
        "missing_in": key.missing_in,
    })
}

fn user_json(user: &pb::User) -> Value {
    let named = user.user.clone().unwrap_or_default();
    json!({
        "account": named.account,
        "name": named.name,
        "arn": user.arn,
        "unique_id": user.unique_id,
        "created_at_ms": user.created_at_ms,
        "enabled": user.enabled,
        "certificate": (!user.certificate.is_empty()).then_some(&user.certificate),
        "policies": user.policies,
        "boundary": (!user.boundary.is_empty()).then_some(&user.boundary),
        "tags": user.tags,
        "access_keys": user.access_keys.iter().map(key_json).collect::<Vec<_>>(),
    })
}

fn role_json(role: &pb::Role) -> Value {
    let named = role.role.clone().unwrap_or_default();
    json!({
        "account": named.account,
        "name": named.name,
        "arn": role.arn,
        "unique_id": role.unique_id,
        "created_at_ms": role.created_at_ms,
        "enabled": role.enabled,
        "trust": role.trust,
        "max_session_seconds": role.max_session_seconds,
        "policies": role.policies,
        "boundary": (!role.boundary.is_empty()).then_some(&role.boundary),
        "tags": role.tags,
    })
}
