//! `meridian identity`: users and roles, their access keys and their policies, for all Regions.

mod policies;
mod roles;
mod users;
mod view;

use super::Failure;
use super::client::{ANSWER_TIMEOUT, CHANGE_TIMEOUT, Client, within};
use super::cluster::ClusterArgs;
use super::output::{self, Format};
use clap::{Args, Subcommand};
use kms_proto::cluster::v1 as pb;
use kms_proto::cluster::v1::identity_client::IdentityClient;
use kms_proto::cluster::v1::roles_client::RolesClient;
use kms_types::RegionName;
use serde_json::Value;
use std::future::Future;
use std::path::Path;
use std::time::Duration;
use tonic::transport::Channel;
use tonic::{Response, Status};

/// Users, roles, access keys and identity policies, the same in every Region.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meridian identity user create alice
  meridian identity access-key create alice            shows the secret, this once
  meridian identity policy put alice use-keys --document policy.json
  meridian identity user disable alice                 in force in every reachable Region within a second
  meridian identity role create operator --trust trust.json
  meridian identity policy put operator use-keys --role --document policy.json
  meridian identity session-key rotate --end-sessions  every session of every role ends now

Changes need a majority of Regions and are made through any Region that answers, or through --region.
A Region that is cut off goes on honouring what it knew for its lease (identity.lease in node.toml, 1h by
default) and refuses every user and every session of the directory afterwards. Principals of the principals
file are not in the directory and stay valid.")]
pub(crate) struct IdentityArgs {
    #[command(subcommand)]
    command: IdentityCommand,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Ask this Region [default: the first that answers].
    #[arg(long, value_name = "REGION", global = true)]
    region: Option<String>,
    /// Account of the user or role.
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
    User(users::UserCommand),
    /// Roles, which users and other principals assume for a while.
    #[command(subcommand)]
    Role(roles::RoleCommand),
    /// Access keys of users.
    #[command(subcommand)]
    AccessKey(users::AccessKeyCommand),
    /// Identity policies of users and roles.
    #[command(subcommand)]
    Policy(policies::PolicyCommand),
    /// Permission boundaries of users and roles.
    #[command(subcommand)]
    Boundary(policies::BoundaryCommand),
    /// The keys that seal session tokens; the Regions draw a new one every day.
    #[command(subcommand)]
    SessionKey(roles::SessionKeyCommand),
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
        let (users, roles) = (client.identity(&region)?, client.roles(&region)?);
        let desk = Desk { users, roles, region, account: args.account, output: args.output };
        match args.command {
            IdentityCommand::User(command) => desk.user(command).await,
            IdentityCommand::Role(command) => desk.role(command).await,
            IdentityCommand::AccessKey(command) => desk.access_key(command).await,
            IdentityCommand::Policy(command) => desk.policy(command).await,
            IdentityCommand::Boundary(command) => desk.boundary(command).await,
            IdentityCommand::SessionKey(command) => desk.session_key(command).await,
        }
    })
}

/// One call to one Region.
struct Desk {
    users: IdentityClient<Channel>,
    roles: RolesClient<Channel>,
    region: RegionName,
    account: String,
    output: Format,
}

impl Desk {
    fn user_name(&self, name: String) -> pb::UserName {
        pb::UserName { account: self.account.clone(), name }
    }

    fn role_name(&self, name: String) -> pb::RoleName {
        pb::RoleName { account: self.account.clone(), name }
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
}

fn read(path: &Path) -> anyhow::Result<String> {
    let wrong = |error: std::io::Error| Failure::configuration(format!("{}: {error}", path.display()));
    Ok(std::fs::read_to_string(path).map_err(wrong)?)
}

fn tag(value: &str) -> Result<(String, String), String> {
    let pair = value.split_once('=').filter(|(key, _)| !key.is_empty());
    pair.map(|(key, value)| (key.to_owned(), value.to_owned())).ok_or_else(|| "must be KEY=VALUE".to_owned())
}
