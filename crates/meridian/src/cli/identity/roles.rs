//! Roles, and the keys that seal session tokens.

use super::super::confirm::confirm;
use super::super::describe::time;
use super::super::output::{self, Format};
use super::{Desk, read, tag};
use clap::Subcommand;
use kms_proto::cluster::v1 as pb;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum RoleCommand {
    /// Create a role, which may do nothing yet.
    Create {
        /// Name.
        name: String,
        /// File with the trust policy: who may assume the role.
        #[arg(long, value_name = "FILE")]
        trust: PathBuf,
        /// Longest session that may be asked for, 3600 to 43200 [default: 3600].
        #[arg(long, value_name = "SECONDS")]
        max_session: Option<u32>,
        /// Path in the ARN.
        #[arg(long, default_value = "/")]
        path: String,
        /// Tag; may be repeated.
        #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
        tags: Vec<(String, String)>,
    },
    /// List the roles of all accounts.
    List,
    /// Show one role with its policies.
    #[command(visible_alias = "describe")]
    Show {
        /// Name.
        name: String,
    },
    /// Refuse the role to everybody, and its sessions too.
    Disable {
        /// Name.
        name: String,
    },
    /// Allow it again; sessions that have not ended go on.
    Enable {
        /// Name.
        name: String,
    },
    /// Delete a role with its policies; its sessions end.
    Delete {
        /// Name.
        name: String,
    },
    /// Replace the trust policy. Sessions that run go on.
    Trust {
        /// Name.
        name: String,
        /// File with the trust policy.
        #[arg(long, value_name = "FILE")]
        document: PathBuf,
    },
    /// Change the longest session. Sessions that run keep their end.
    MaxSession {
        /// Name.
        name: String,
        /// 3600 to 43200.
        seconds: u32,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum SessionKeyCommand {
    /// Draw a new key at once.
    Rotate {
        /// Drop the older keys too: sessions of all roles that began before are refused from then on.
        #[arg(long)]
        end_sessions: bool,
        /// Do not ask before sessions end.
        #[arg(long)]
        yes: bool,
    },
    /// List the keys that are kept.
    List,
}

impl Desk {
    pub(super) async fn role(self, command: RoleCommand) -> anyhow::Result<()> {
        match command {
            RoleCommand::Create { name, trust, max_session, path, tags } => {
                let request = pb::CreateRoleRequest {
                    role: Some(self.role_name(name)),
                    path,
                    trust: read(&trust)?,
                    max_session_seconds: max_session,
                    tags: tags.into_iter().collect(),
                };
                self.show_role(&self.changed(self.roles.clone().create_role(request)).await?)
            }
            RoleCommand::List => {
                let request = pb::ListRolesRequest { account: String::new() };
                self.show_roles(&self.answered(self.roles.clone().list_roles(request)).await?.roles)
            }
            RoleCommand::Show { name } => self.show_role(&self.described_role(name).await?),
            RoleCommand::Disable { name } => self.enable_role(name, false).await,
            RoleCommand::Enable { name } => self.enable_role(name, true).await,
            RoleCommand::Delete { name } => {
                let request = self.role_name(name.clone());
                self.changed(self.roles.clone().delete_role(request)).await?;
                self.done(&format!("role {name} is deleted"), json!({ "role": name, "deleted": true }))
            }
            RoleCommand::Trust { name, document } => {
                let role = Some(self.role_name(name));
                let request = pb::PutRoleTrustRequest { role, document: read(&document)? };
                self.show_role(&self.changed(self.roles.clone().put_role_trust(request)).await?)
            }
            RoleCommand::MaxSession { name, seconds } => {
                let role = Some(self.role_name(name));
                let request = pb::SetRoleMaxSessionRequest { role, max_session_seconds: seconds };
                self.show_role(&self.changed(self.roles.clone().set_role_max_session(request)).await?)
            }
        }
    }

    async fn enable_role(self, name: String, enabled: bool) -> anyhow::Result<()> {
        let request = pb::EnableRoleRequest { role: Some(self.role_name(name)), enabled };
        self.show_role(&self.changed(self.roles.clone().enable_role(request)).await?)
    }

    pub(super) async fn described_role(&self, name: String) -> anyhow::Result<pb::Role> {
        self.answered(self.roles.clone().describe_role(self.role_name(name))).await
    }

    pub(super) async fn session_key(self, command: SessionKeyCommand) -> anyhow::Result<()> {
        match command {
            SessionKeyCommand::Rotate { end_sessions, yes } => {
                if end_sessions {
                    confirm("Every session of every role ends now.", yes)?;
                }
                let request = pb::RotateSessionKeyRequest { end_sessions };
                let epoch = self.changed(self.roles.clone().rotate_session_key(request)).await?.epoch;
                let ended = if end_sessions { "; sessions that began before are over" } else { "" };
                let value = json!({ "epoch": epoch, "sessions_ended": end_sessions });
                self.done(&format!("the session token key of epoch {epoch} seals now{ended}"), value)
            }
            SessionKeyCommand::List => {
                let request = pb::ListSessionKeysRequest {};
                let keys = self.answered(self.roles.clone().list_session_keys(request)).await?.session_keys;
                if self.output == Format::Json {
                    return output::json(&keys.iter().map(session_key_json).collect::<Vec<_>>());
                }
                let newest = keys.last().map(|key| key.epoch);
                let rows = keys.iter().map(|key| {
                    let state = if Some(key.epoch) == newest { "seals" } else { "opens" };
                    let missing = if key.missing_in.is_empty() { "-".to_owned() } else { key.missing_in.join(", ") };
                    vec![key.epoch.to_string(), state.to_owned(), time(key.created_at_ms), missing]
                });
                output::line(output::table(&["EPOCH", "STATE", "CREATED", "NOT YET IN"], rows));
                Ok(())
            }
        }
    }
}

fn session_key_json(key: &pb::SessionKey) -> Value {
    json!({ "epoch": key.epoch, "created_at_ms": key.created_at_ms, "missing_in": key.missing_in })
}
