//! Users and their access keys.

use super::super::output::{self, Format};
use super::view::{key_json, key_table};
use super::{Desk, tag};
use clap::Subcommand;
use kms_proto::cluster::v1 as pb;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Create a user, who may do nothing yet.
    Create {
        /// Name.
        name: String,
        /// Path in the ARN.
        #[arg(long, default_value = "/")]
        path: String,
        /// SPIFFE URI of the client certificate that stands for the user on gRPC.
        #[arg(long, value_name = "URI")]
        certificate: Option<String>,
        /// Tag; may be repeated.
        #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
        tags: Vec<(String, String)>,
    },
    /// List the users of all accounts.
    List,
    /// Show one user with access keys and policies.
    Describe {
        /// Name.
        name: String,
    },
    /// Stop honouring a user's access keys and certificate.
    Disable {
        /// Name.
        name: String,
    },
    /// Honour them again.
    Enable {
        /// Name.
        name: String,
    },
    /// Delete a user with access keys and policies.
    Delete {
        /// Name.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum AccessKeyCommand {
    /// Create an access key, at most two for each user. The secret is shown this once.
    Create {
        /// Name of the user.
        user: String,
    },
    /// List a user's access keys.
    List {
        /// Name of the user.
        user: String,
    },
    /// Stop honouring an access key.
    Disable {
        /// Access key ID.
        id: String,
    },
    /// Honour it again.
    Enable {
        /// Access key ID.
        id: String,
    },
    /// Delete an access key.
    Delete {
        /// Access key ID.
        id: String,
    },
}

impl Desk {
    pub(super) async fn user(self, command: UserCommand) -> anyhow::Result<()> {
        match command {
            UserCommand::Create { name, path, certificate, tags } => {
                let tags = tags.into_iter().collect();
                let certificate = certificate.unwrap_or_default();
                let request = pb::CreateUserRequest { user: Some(self.user_name(name)), path, certificate, tags };
                let user = self.changed(self.users.clone().create_user(request)).await?;
                self.show_user(&user)
            }
            UserCommand::List => {
                let request = pb::ListUsersRequest { account: String::new() };
                let users = self.answered(self.users.clone().list_users(request)).await?.users;
                self.show_users(&users)
            }
            UserCommand::Describe { name } => {
                let user = self.described_user(name).await?;
                self.show_user(&user)
            }
            UserCommand::Disable { name } => self.enable_user(name, false).await,
            UserCommand::Enable { name } => self.enable_user(name, true).await,
            UserCommand::Delete { name } => {
                let request = self.user_name(name.clone());
                self.changed(self.users.clone().delete_user(request)).await?;
                self.done(&format!("user {name} is deleted"), json!({ "user": name, "deleted": true }))
            }
        }
    }

    async fn enable_user(self, name: String, enabled: bool) -> anyhow::Result<()> {
        let request = pb::EnableUserRequest { user: Some(self.user_name(name)), enabled };
        let user = self.changed(self.users.clone().enable_user(request)).await?;
        self.show_user(&user)
    }

    pub(super) async fn access_key(self, command: AccessKeyCommand) -> anyhow::Result<()> {
        match command {
            AccessKeyCommand::Create { user } => {
                let created = self.changed(self.users.clone().create_access_key(self.user_name(user))).await?;
                let key = created.access_key.unwrap_or_default();
                let secret = created.secret_access_key;
                let text = format!(
                    "access key ID      {}\nsecret access key  {secret}\n\nThe secret is not shown again.",
                    key.access_key_id
                );
                let mut value = key_json(&key);
                value["secret_access_key"] = json!(secret);
                self.done(&text, value)
            }
            AccessKeyCommand::List { user } => {
                let user = self.described_user(user).await?;
                match self.output {
                    Format::Json => output::json(&user.access_keys.iter().map(key_json).collect::<Vec<_>>()),
                    Format::Table => {
                        output::line(key_table(&user.access_keys));
                        Ok(())
                    }
                }
            }
            AccessKeyCommand::Disable { id } => self.enable_key(id, false).await,
            AccessKeyCommand::Enable { id } => self.enable_key(id, true).await,
            AccessKeyCommand::Delete { id } => {
                let request = pb::DeleteAccessKeyRequest { access_key_id: id.clone() };
                self.changed(self.users.clone().delete_access_key(request)).await?;
                self.done(&format!("access key {id} is deleted"), json!({ "access_key_id": id, "deleted": true }))
            }
        }
    }

    async fn enable_key(self, id: String, enabled: bool) -> anyhow::Result<()> {
        let request = pb::EnableAccessKeyRequest { access_key_id: id.clone(), enabled };
        self.changed(self.users.clone().enable_access_key(request)).await?;
        let text = format!("access key {id} is {}", if enabled { "enabled" } else { "disabled" });
        self.done(&text, json!({ "access_key_id": id, "enabled": enabled }))
    }

    pub(super) async fn described_user(&self, name: String) -> anyhow::Result<pb::User> {
        self.answered(self.users.clone().describe_user(self.user_name(name))).await
    }
}
