//! `meridian status`: how every Region of a cluster is, as each says of itself.

use super::client::{ANSWER_TIMEOUT, Client, within};
use super::cluster::ClusterArgs;
use super::output::{self, Format};
use super::{Failure, exit::Exit};
use clap::Args;
use kms_proto::cluster::v1::{StatusRequest, StatusResponse};
use kms_types::RegionName;
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;

/// Show how every Region is: role in the control log, position, keys, and whom it reaches.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meridian status                                   the development cluster on this machine
  meridian status --cluster prod/cluster.toml
  meridian status --output json | jq '.regions[] | select(.reachable | not) | .region'

The exit code is 0 when every Region answers and one leads, 69 otherwise.")]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// A Region that is well answers within milliseconds; one that is not must not hold the table up.
const STATUS_TIMEOUT: Duration = Duration::from_secs(3);

/// One Region's answer.
type Answer = (RegionName, Result<StatusResponse, Failure>);

pub(crate) fn run(args: StatusArgs) -> anyhow::Result<()> {
    let client = Client::new(args.cluster.find()?)?;
    let answers = super::runtime()?.block_on(ask_all(&client))?;
    match args.output {
        Format::Table => {
            print_table(&answers);
            Outlook::of(&answers).sentences().iter().for_each(output::line);
        }
        Format::Json => print_json(&answers)?,
    }
    let silent: Vec<&str> =
        answers.iter().filter(|(_, answer)| answer.is_err()).map(|(region, _)| region.as_str()).collect();
    if !silent.is_empty() {
        let silent = silent.join(", ");
        return Err(Failure::new(Exit::Unavailable, format!("these Regions do not answer: {silent}")).into());
    }
    if !answers.iter().any(|(_, answer)| answer.as_ref().is_ok_and(|status| status.raft_role == "leader")) {
        return Err(Failure::unavailable("no Region leads: shared properties cannot be changed now").into());
    }
    Ok(())
}

/// Asks all Regions at once and gives the answers in the cluster's order.
async fn ask_all(client: &Client) -> anyhow::Result<Vec<Answer>> {
    let mut asking = JoinSet::new();
    for (index, region) in client.regions().cloned().enumerate() {
        let mut operator = client.operator(&region)?;
        asking.spawn(async move {
            let deadline = STATUS_TIMEOUT.min(ANSWER_TIMEOUT);
            let answer = within(&region, deadline, operator.status(StatusRequest {})).await;
            (index, (region, answer))
        });
    }
    let mut answers = asking.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

/// How much more the cluster can lose.
struct Outlook {
    members: usize,
    living: usize,
    leads: bool,
    single_region_keys: u64,
    least_living_holders: Option<u64>,
    /// Regions in which the lease on the directory of principals is over.
    unconfirmed: Vec<String>,
}

impl Outlook {
    fn of(answers: &[Answer]) -> Self {
        let living: Vec<_> = answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()).collect();
        // Whoever knows most of the control log knows most of the keys.
        let best_informed = living.iter().max_by_key(|status| status.applied_index);
        Self {
            members: answers.len(),
            living: living.len(),
            leads: living.iter().any(|status| status.raft_role == "leader"),
            single_region_keys: living.iter().map(|status| status.single_region_key_count).sum(),
            least_living_holders: best_informed.and_then(|status| status.least_living_holders),
            unconfirmed: living
                .iter()
                .filter(|status| status.identity_lease_ms.is_some() && !status.identity_lease_holds)
                .map(|status| status.region.clone())
                .collect(),
        }
    }

    /// Regions that may still be lost before no majority is left; `None` when none is left now.
    fn spare_for_control(&self) -> Option<usize> {
        self.living.checked_sub(self.members / 2 + 1)
    }

    fn sentences(&self) -> Vec<String> {
        let Self { members, living, .. } = self;
        let control = match (self.spare_for_control(), self.leads) {
            (None, _) => format!(
                "Control changes (replicas, rotations, promotions) have stopped: {living} of {members} Regions are up \
                 and a majority is needed."
            ),
            (Some(_), false) => "Control changes wait for a leader to be elected.".to_owned(),
            (Some(0), true) => format!(
                "Control changes work with {living} of {members} Regions; no further Region can be lost before they \
                 stop."
            ),
            (Some(spare), true) => format!(
                "Control changes work with {living} of {members} Regions; {spare} more can be lost before they stop."
            ),
        };
        let cryptography = match self.least_living_holders {
            None => "Cryptography: there is no multi-Region key yet.".to_owned(),
            Some(0) => {
                "Cryptography has stopped for at least one multi-Region key: no Region that holds it is up.".to_owned()
            }
            Some(1) => {
                "Cryptography: at least one multi-Region key is in one living Region only; no further Region can \
                        be lost before cryptography with it stops."
                    .to_owned()
            }
            Some(holders) => format!(
                "Cryptography: every multi-Region key is in at least {holders} living Regions; {} more can be lost \
                 before cryptography with one stops.",
                holders.saturating_sub(1)
            ),
        };
        let mut sentences = vec![control, cryptography];
        if !self.unconfirmed.is_empty() {
            sentences.push(format!(
                "The directory of principals was not confirmed within the lease in {}: its users are refused there; \
                 principals of the principals file are served.",
                self.unconfirmed.join(", ")
            ));
        }
        if self.single_region_keys > 0 {
            let count = self.single_region_keys;
            sentences.push(format!("{count} single-Region keys stop with their own Region."));
        }
        sentences
    }
}

fn material(status: &StatusResponse) -> String {
    match (status.keys_behind, status.keys_staged) {
        (0, 0) => "current".to_owned(),
        (0, staged) => format!("current, {staged} rotating"),
        (behind, _) => format!("{behind} keys behind"),
    }
}

/// The audit log in a few words: its state, what waits, and where it ends.
fn audit(status: &StatusResponse) -> String {
    let (state, sequence) = (or_dash(&status.audit_state), status.audit_sequence);
    match status.audit_waiting {
        0 => format!("{state}, at {sequence}"),
        waiting => format!("{state}, at {sequence}, {waiting} waiting"),
    }
}

/// How old the Region's knowledge of the directory of principals is, and how old it may become.
fn lease(status: &StatusResponse) -> String {
    match (status.identity_lease_ms, status.identity_confirmed_age_ms) {
        (None, _) => "-".to_owned(),
        (Some(length), Some(age)) if status.identity_lease_holds => format!("{} of {}", uptime(age), uptime(length)),
        (Some(_), _) => "over".to_owned(),
    }
}

fn print_table(answers: &[Answer]) {
    let newest = answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()).map(|s| s.committed_index).max();
    let newest = newest.unwrap_or_default();
    let rows = answers.iter().map(|(region, answer)| match answer {
        Ok(status) => {
            let reached = status.peers.iter().filter(|peer| peer.reachable && peer.region != status.region).count();
            let others = status.peers.iter().filter(|peer| peer.region != status.region).count();
            let keys = format!("{} ({} multi-Region)", status.key_count, status.multi_region_key_count);
            vec![
                region.to_string(),
                status.raft_role.clone(),
                status.term.to_string(),
                or_dash(&status.leader_region),
                status.applied_index.to_string(),
                newest.saturating_sub(status.applied_index).to_string(),
                keys,
                material(status),
                lease(status),
                status.pending_steps.to_string(),
                format!("{reached} of {others}"),
                audit(status),
                uptime(status.uptime_ms),
            ]
        }
        Err(_) => {
            let mut row = vec![region.to_string(), "unreachable".to_owned()];
            row.resize(12, "-".to_owned());
            row
        }
    });
    let header = [
        "REGION",
        "ROLE",
        "TERM",
        "LEADER",
        "APPLIED",
        "BEHIND",
        "KEYS",
        "MATERIAL",
        "LEASE",
        "PENDING STEPS",
        "REACHES",
        "AUDIT",
        "UPTIME",
    ];
    output::line(output::table(&header, rows));
    for (_, answer) in answers {
        if let Err(failure) = answer {
            output::note(failure);
        }
    }
}

fn print_json(answers: &[Answer]) -> anyhow::Result<()> {
    let regions: Vec<_> = answers
        .iter()
        .map(|(region, answer)| match answer {
            Ok(status) => {
                let mut value = region_json(status);
                value["peers"] = status.peers.iter().map(peer_json).collect();
                value
            }
            Err(failure) => json!({ "region": region.as_str(), "reachable": false, "error": failure.to_string() }),
        })
        .collect();
    let outlook = Outlook::of(answers);
    output::json(&json!({
        "regions": regions,
        "regions_up": outlook.living,
        "control_changes_work": outlook.leads && outlook.spare_for_control().is_some(),
        "can_lose_before_control_changes_stop": outlook.spare_for_control().unwrap_or(0),
        "can_lose_before_cryptography_stops": outlook.least_living_holders.map(|holders| holders.saturating_sub(1)),
        "outlook": outlook.sentences(),
    }))
}

fn region_json(status: &StatusResponse) -> serde_json::Value {
    json!({
        "region": status.region,
        "reachable": true,
        "cluster_id": status.cluster_id,
        "node_id": status.node_id,
        "role": status.role,
        "raft_role": status.raft_role,
        "term": status.term,
        "leader_region": status.leader_region,
        "last_log_index": status.last_log_index,
        "committed_index": status.committed_index,
        "applied_index": status.applied_index,
        "snapshot_index": status.snapshot_index,
        "quorum_ack_ms": status.quorum_ack_ms,
        "key_count": status.key_count,
        "multi_region_key_count": status.multi_region_key_count,
        "single_region_key_count": status.single_region_key_count,
        "key_set_count": status.key_set_count,
        "least_living_holders": status.least_living_holders,
        "keys_behind": status.keys_behind,
        "keys_staged": status.keys_staged,
        "identity_lease_ms": status.identity_lease_ms,
        "identity_confirmed_age_ms": status.identity_confirmed_age_ms,
        "identity_lease_holds": status.identity_lease_holds,
        "pending_steps": status.pending_steps,
        "audit": {
            "state": status.audit_state,
            "refusal": (!status.audit_refusal.is_empty()).then_some(&status.audit_refusal),
            "waiting": status.audit_waiting,
            "unrecorded": status.audit_unrecorded,
            "head": { "sequence": status.audit_sequence, "hash": status.audit_head_hash },
        },
        "version": status.version,
        "uptime_ms": status.uptime_ms,
    })
}

fn peer_json(peer: &kms_proto::cluster::v1::PeerStatus) -> serde_json::Value {
    json!({
        "region": peer.region,
        "node_id": peer.node_id,
        "role": peer.role,
        "voter": peer.voter,
        "reachable": peer.reachable,
        "round_trip_us": peer.round_trip_us,
        "applied_index": peer.applied_index,
        "last_seen_ms": peer.last_seen_ms,
    })
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

fn uptime(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
