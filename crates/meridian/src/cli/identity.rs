//! `meridian identity`: users, their access keys and their policies, for all Regions.

use super::Failure;
use super::client::{ANSWER_TIMEOUT, CHANGE_TIMEOUT, Client, within};
use super::cluster::ClusterArgs;
use super::output::{self, Format};
use clap::{Args, Subcommand};
use kms_proto::cluster::v1 as pb;
use kms_proto::cluster::v1::identity_client::IdentityClient;
use kms_types::RegionName;
use serde_json::{Value, json};
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;
use tonic::transport::Channel;
use tonic::{Response, Status};

/// Users, access keys and identity policies, the same in every Region.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meridian identity user create alice
  meridian identity access-key create alice           shows the secret, this once
  meridian identity policy put alice use-keys --document policy.json
  meridian identity user disable alice                in force in every reachable Region within a second

Changes need a majority of Regions and are made through any Region that answers, or through --region.
A Region that is cut off goes on honouring what it knew for its lease (identity.lease in node.toml, 1h by
default) and refuses every user of the directory afterwards. Principals of the principals file are not in
the directory and stay valid.")]
pub(crate) struct IdentityArgs {
    #[command(subcommand)]
    command: IdentityCommand,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Ask this Region [default: the first that answers].
    #[arg(long, value_name = "REGION", global = true)]
    region: Option<String>,
    /// Account of the user.
    #[arg(long, value_name = "DIGITS", global = true, default_value = "111122223333")]
    account: String,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t, global = true)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum IdentityCommand {
    /// Users.
    #[command(subcommand)]
    User(UserCommand),
    /// Access keys of users.
    #[command(subcommand)]
    AccessKey(AccessKeyCommand),
    /// Identity policies of users.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Permission boundaries of users.
    #[command(subcommand)]
    Boundary(BoundaryCommand),
}

#[derive(Debug, Subcommand)]
enum UserCommand {
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
enum AccessKeyCommand {
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

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Give a user an identity policy, or change it.
    Put {
        /// Name of the user.
        user: String,
        /// Name of the policy.
        policy: String,
        /// File with the policy document.
        #[arg(long, value_name = "FILE")]
        document: PathBuf,
    },
    /// List a user's identity policies.
    List {
        /// Name of the user.
        user: String,
    },
    /// Print a policy document.
    Get {
        /// Name of the user.
        user: String,
        /// Name of the policy.
        policy: String,
    },
    /// Take an identity policy away.
    Delete {
        /// Name of the user.
        user: String,
        /// Name of the policy.
        policy: String,
    },
}

#[derive(Debug, Subcommand)]
enum BoundaryCommand {
    /// Set or replace the permission boundary.
    Put {
        /// Name of the user.
        user: String,
        /// File with the policy document.
        #[arg(long, value_name = "FILE")]
        document: PathBuf,
    },
    /// Remove the permission boundary.
    Delete {
        /// Name of the user.
        user: String,
    },
}

pub(crate) fn run(args: IdentityArgs) -> anyhow::Result<()> {
    let client = Client::new(args.cluster.find()?)?;
    super::runtime()?.block_on(async {
        let region = match &args.region {
            Some(region) => client.known(region)?,
            None => {
                let first = client.regions().next().cloned();
                client.living(&first.ok_or_else(|| Failure::failed("the cluster has no Region"))?).await?
            }
        };
        let desk = Desk { service: client.identity(&region)?, region, account: args.account, output: args.output };
        match args.command {
            IdentityCommand::User(command) => desk.user(command).await,
            IdentityCommand::AccessKey(command) => desk.access_key(command).await,
            IdentityCommand::Policy(command) => desk.policy(command).await,
            IdentityCommand::Boundary(command) => desk.boundary(command).await,
        }
    })
}

/// One call to one Region.
struct Desk {
    service: IdentityClient<Channel>,
    region: RegionName,
    account: String,
    output: Format,
}

impl Desk {
    fn name(&self, name: String) -> pb::UserName {
        pb::UserName { account: self.account.clone(), name }
    }

    async fn user(mut self, command: UserCommand) -> anyhow::Result<()> {
        match command {
            UserCommand::Create { name, path, certificate, tags } => {
                let tags = tags.into_iter().collect();
                let certificate = certificate.unwrap_or_default();
                let request = pb::CreateUserRequest { user: Some(self.name(name)), path, certificate, tags };
                let user = self.changed(self.service.clone().create_user(request)).await?;
                self.show_user(&user)
            }
            UserCommand::List => {
                let request = pb::ListUsersRequest { account: String::new() };
                let users = self.answered(self.service.clone().list_users(request)).await?.users;
                self.show_users(&users)
            }
            UserCommand::Describe { name } => {
                let user = self.described(name).await?;
                self.show_user(&user)
            }
            UserCommand::Disable { name } => self.enable_user(name, false).await,
            UserCommand::Enable { name } => self.enable_user(name, true).await,
            UserCommand::Delete { name } => {
                let request = self.name(name.clone());
                let call = self.service.delete_user(request);
                within(&self.region, CHANGE_TIMEOUT, call).await?;
                self.done(&format!("user {name} is deleted"), json!({ "user": name, "deleted": true }))
            }
        }
    }

    async fn enable_user(self, name: String, enabled: bool) -> anyhow::Result<()> {
        let request = pb::EnableUserRequest { user: Some(self.name(name)), enabled };
        let user = self.changed(self.service.clone().enable_user(request)).await?;
        self.show_user(&user)
    }

    async fn access_key(self, command: AccessKeyCommand) -> anyhow::Result<()> {
        match command {
            AccessKeyCommand::Create { user } => {
                let created = self.changed(self.service.clone().create_access_key(self.name(user))).await?;
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
                let user = self.described(user).await?;
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
                self.changed(self.service.clone().delete_access_key(request)).await?;
                self.done(&format!("access key {id} is deleted"), json!({ "access_key_id": id, "deleted": true }))
            }
        }
    }

    async fn enable_key(self, id: String, enabled: bool) -> anyhow::Result<()> {
        let request = pb::EnableAccessKeyRequest { access_key_id: id.clone(), enabled };
        self.changed(self.service.clone().enable_access_key(request)).await?;
        let text = format!("access key {id} is {}", if enabled { "enabled" } else { "disabled" });
        self.done(&text, json!({ "access_key_id": id, "enabled": enabled }))
    }

    async fn policy(self, command: PolicyCommand) -> anyhow::Result<()> {
        match command {
            PolicyCommand::Put { user, policy, document } => {
                let (document, user) = (read(&document)?, Some(self.name(user)));
                let request = pb::PutPolicyRequest { user, policy_name: policy, document };
                let user = self.changed(self.service.clone().put_policy(request)).await?;
                self.show_user(&user)
            }
            PolicyCommand::List { user } => {
                let user = self.described(user).await?;
                match self.output {
                    Format::Json => output::json(&user.policies.keys().collect::<Vec<_>>()),
                    Format::Table => {
                        user.policies.keys().for_each(output::line);
                        Ok(())
                    }
                }
            }
            PolicyCommand::Get { user, policy } => {
                let found = self.described(user.clone()).await?;
                let document = found
                    .policies
                    .get(&policy)
                    .ok_or_else(|| Failure::failed(format!("NoSuchEntity: user {user} has no policy {policy}")))?;
                output::line(document);
                Ok(())
            }
            PolicyCommand::Delete { user, policy } => {
                let request = pb::DeletePolicyRequest { user: Some(self.name(user)), policy_name: policy };
                let user = self.changed(self.service.clone().delete_policy(request)).await?;
                self.show_user(&user)
            }
        }
    }

    async fn boundary(self, command: BoundaryCommand) -> anyhow::Result<()> {
        let user = match command {
            BoundaryCommand::Put { user, document } => {
                let request = pb::PutBoundaryRequest { user: Some(self.name(user)), document: read(&document)? };
                self.changed(self.service.clone().put_boundary(request)).await?
            }
            BoundaryCommand::Delete { user } => {
                self.changed(self.service.clone().delete_boundary(self.name(user))).await?
            }
        };
        self.show_user(&user)
    }

    async fn described(&self, name: String) -> anyhow::Result<pb::User> {
        self.answered(self.service.clone().describe_user(self.name(name))).await
    }

    async fn answered<T>(&self, call: impl Future<Output = Result<Response<T>, Status>>) -> anyhow::Result<T> {
        self.wait(ANSWER_TIMEOUT, call).await
    }

    async fn changed<T>(&self, call: impl Future<Output = Result<Response<T>, Status>>) -> anyhow::Result<T> {
        self.wait(CHANGE_TIMEOUT, call).await
    }

    async fn wait<T>(
        &self,
        deadline: Duration,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> anyhow::Result<T> {
        Ok(within(&self.region, deadline, call).await?)
    }

    fn done(&self, text: &str, value: Value) -> anyhow::Result<()> {
        match self.output {
            Format::Json => output::json(&value),
            Format::Table => {
                output::line(text);
                Ok(())
            }
        }
    }

    fn show_user(&self, user: &pb::User) -> anyhow::Result<()> {
        if self.output == Format::Json {
            return output::json(&user_json(user));
        }
        let or_none = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
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

    fn show_users(&self, users: &[pb::User]) -> anyhow::Result<()> {
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
}

fn key_table(keys: &[pb::AccessKey]) -> String {
    let rows = keys.iter().map(|key| {
        let missing = if key.missing_in.is_empty() { "-".to_owned() } else { key.missing_in.join(", ") };
        vec![key.access_key_id.clone(), state(key.enabled).to_owned(), missing]
    });
    output::table(&["ACCESS KEY", "STATE", "NOT YET IN"], rows)
}

fn state(enabled: bool) -> &'static str {
    if enabled { "enabled" } else { "disabled" }
}

fn key_json(key: &pb::AccessKey) -> Value {
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

fn read(path: &std::path::Path) -> anyhow::Result<String> {
    let wrong = |error: std::io::Error| Failure::configuration(format!("{}: {error}", path.display()));
    Ok(std::fs::read_to_string(path).map_err(wrong)?)
}

fn tag(value: &str) -> Result<(String, String), String> {
    let pair = value.split_once('=').filter(|(key, _)| !key.is_empty());
    pair.map(|(key, value)| (key.to_owned(), value.to_owned())).ok_or_else(|| "must be KEY=VALUE".to_owned())
}
