//! Identity policies and permission boundaries of users and roles.

use super::super::Failure;
use super::super::output::{self, Format};
use super::{Desk, read};
use clap::{Args, Subcommand};
use kms_proto::cluster::v1 as pb;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Whose policy it is. Names of users and of roles are apart.
#[derive(Debug, Args)]
pub(super) struct Owner {
    /// Name of the user, or of the role with --role.
    name: String,
    /// The name is that of a role.
    #[arg(long)]
    role: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Give a user or role an identity policy, or change it.
    Put {
        #[command(flatten)]
        owner: Owner,
        /// Name of the policy.
        policy: String,
        /// File with the policy document.
        #[arg(long, value_name = "FILE")]
        document: PathBuf,
    },
    /// List the identity policies of a user or role.
    List {
        #[command(flatten)]
        owner: Owner,
    },
    /// Print a policy document.
    Get {
        #[command(flatten)]
        owner: Owner,
        /// Name of the policy.
        policy: String,
    },
    /// Take an identity policy away.
    Delete {
        #[command(flatten)]
        owner: Owner,
        /// Name of the policy.
        policy: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum BoundaryCommand {
    /// Set or replace the permission boundary.
    Put {
        #[command(flatten)]
        owner: Owner,
        /// File with the policy document.
        #[arg(long, value_name = "FILE")]
        document: PathBuf,
    },
    /// Remove the permission boundary.
    Delete {
        #[command(flatten)]
        owner: Owner,
    },
}

impl Desk {
    pub(super) async fn policy(self, command: PolicyCommand) -> anyhow::Result<()> {
        match command {
            PolicyCommand::Put { owner, policy, document } => self.put_policy(owner, policy, read(&document)?).await,
            PolicyCommand::List { owner } => {
                let policies = self.policies(&owner).await?;
                match self.output {
                    Format::Json => output::json(&policies.keys().collect::<Vec<_>>()),
                    Format::Table => {
                        policies.keys().for_each(output::line);
                        Ok(())
                    }
                }
            }
            PolicyCommand::Get { owner, policy } => {
                let policies = self.policies(&owner).await?;
                let kind = if owner.role { "role" } else { "user" };
                let document = policies.get(&policy).ok_or_else(|| {
                    Failure::failed(format!("NoSuchEntity: {kind} {} has no policy {policy}", owner.name))
                })?;
                output::line(document);
                Ok(())
            }
            PolicyCommand::Delete { owner, policy } => self.delete_policy(owner, policy).await,
        }
    }

    async fn put_policy(self, owner: Owner, policy_name: String, document: String) -> anyhow::Result<()> {
        if owner.role {
            let role = Some(self.role_name(owner.name));
            let request = pb::PutRolePolicyRequest { role, policy_name, document };
            return self.show_role(&self.changed(self.roles.clone().put_role_policy(request)).await?);
        }
        let user = Some(self.user_name(owner.name));
        let request = pb::PutPolicyRequest { user, policy_name, document };
        self.show_user(&self.changed(self.users.clone().put_policy(request)).await?)
    }

    async fn delete_policy(self, owner: Owner, policy_name: String) -> anyhow::Result<()> {
        if owner.role {
            let request = pb::DeleteRolePolicyRequest { role: Some(self.role_name(owner.name)), policy_name };
            return self.show_role(&self.changed(self.roles.clone().delete_role_policy(request)).await?);
        }
        let request = pb::DeletePolicyRequest { user: Some(self.user_name(owner.name)), policy_name };
        self.show_user(&self.changed(self.users.clone().delete_policy(request)).await?)
    }

    pub(super) async fn boundary(self, command: BoundaryCommand) -> anyhow::Result<()> {
        match command {
            BoundaryCommand::Put { owner, document } if owner.role => {
                let role = Some(self.role_name(owner.name));
                let request = pb::PutRoleBoundaryRequest { role, document: read(&document)? };
                self.show_role(&self.changed(self.roles.clone().put_role_boundary(request)).await?)
            }
            BoundaryCommand::Put { owner, document } => {
                let user = Some(self.user_name(owner.name));
                let request = pb::PutBoundaryRequest { user, document: read(&document)? };
                self.show_user(&self.changed(self.users.clone().put_boundary(request)).await?)
            }
            BoundaryCommand::Delete { owner } if owner.role => {
                let role = self.role_name(owner.name);
                self.show_role(&self.changed(self.roles.clone().delete_role_boundary(role)).await?)
            }
            BoundaryCommand::Delete { owner } => {
                let user = self.user_name(owner.name);
                self.show_user(&self.changed(self.users.clone().delete_boundary(user)).await?)
            }
        }
    }

    async fn policies(&self, owner: &Owner) -> anyhow::Result<BTreeMap<String, String>> {
        Ok(if owner.role {
            self.described_role(owner.name.clone()).await?.policies
        } else {
            self.described_user(owner.name.clone()).await?.policies
        })
    }
}
