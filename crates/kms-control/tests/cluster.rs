//! Three control nodes in one process: what holds while they fail.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "test helpers may panic")]
#![expect(clippy::indexing_slicing, unreachable_pub, reason = "tests")]

#[path = "cluster/harness.rs"]
mod harness;

use harness::{Cluster, ELECTION_MAX, PATIENCE, access, create_key, eventually, material_of, proposal_id, region};
use kms_control::ControlRole;
use kms_core::control::{ControlCommand, ControlOutcome, Refusal};
use kms_proto::control_codec::{decode_outcome, encode_command};
use kms_proto::peer::v1 as pb;
use kms_service::{ControlLog, ControlLogError, PeerError, Peers};
use kms_store::MemoryStore;
use kms_types::{KeyId, RegionName, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn every_node_proposes_and_all_apply_the_same() {
    let cluster = Cluster::start().await;
    for (index, number) in [(0, 10), (1, 11), (2, 12)] {
        cluster.register(index, 1).await;
        let outcome = cluster.node(index).propose(create_key(index, number)).await;
        assert_eq!(outcome, Ok(ControlOutcome::Done));
        // The proposer reads its own change as soon as it has the answer.
        let key_id = KeyId::multi_region([number; 16]);
        assert_eq!(cluster.node(index).state().key_set(&key_id).unwrap().primary, region(index));
    }
    let state = cluster.same_state(&[0, 1, 2]).await;
    assert_eq!((state.regions().count(), state.key_sets().count()), (3, 3));
    for index in [0, 1, 2] {
        let observer = &cluster.observers[index];
        eventually("the observer has heard all", || (observer.seen().state == *state).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_an_outcome() {
    let cluster = Cluster::start().await;
    let outcome = cluster.node(1).propose(create_key(1, 1)).await;
    assert_eq!(outcome, Ok(ControlOutcome::Refused(Refusal::RegionUnknown)));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_node_leads_after_the_leader_was_killed() {
    let mut cluster = Cluster::start().await;
    cluster.register(0, 1).await;
    let old = cluster.leader_among(&[0, 1, 2]).await;
    let rest: Vec<usize> = (0..3).filter(|index| *index != old).collect();
    cluster.kill(old).await;
    let killed = Instant::now();
    // Proposed while nobody leads; waits out the election.
    cluster.register(rest[1], 2).await;
    let outage = killed.elapsed();
    assert!(outage < ELECTION_MAX + Duration::from_secs(3), "{outage:?}");
    cluster.start_node(old).await;
    cluster.register(old, 3).await;
    cluster.same_state(&[0, 1, 2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_in_a_black_hole_is_replaced_and_follows_when_it_returns() {
    let cluster = Cluster::start().await;
    let old = cluster.leader_among(&[0, 1, 2]).await;
    let rest: Vec<usize> = (0..3).filter(|index| *index != old).collect();
    cluster.isolate(old);
    cluster.leader_among(&rest).await;
    cluster.register(rest[0], 1).await;
    let peers = eventually("peers of the lost node are noticed", || {
        let peers = cluster.node(old).status().peers;
        peers.iter().all(|peer| !peer.reachable).then_some(peers)
    });
    assert_eq!(peers.await.len(), 2);
    // What the old leader was asked to do does not happen behind the others' backs.
    let barrier = cluster.node(old).read_barrier(Duration::from_millis(700)).await;
    assert_eq!(barrier, Err(ControlLogError::NoMajority { sent: false }));
    cluster.heal();
    cluster.leader_among(&[0, 1, 2]).await;
    cluster.register(old, 2).await;
    cluster.same_state(&[0, 1, 2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_proposal_after_another_costs_the_leader_one_round_trip_each() {
    const ROUND_TRIP: Duration = Duration::from_millis(60);
    const PROPOSALS: u8 = 20;
    let mut cluster = Cluster::new().await;
    cluster.slow_down(ROUND_TRIP);
    for index in [0, 1, 2] {
        cluster.start_node(index).await;
    }
    let leader = cluster.leader_among(&[0, 1, 2]).await;
    cluster.register(leader, 0).await;
    let mut fastest = Duration::MAX;
    for key in 1..=PROPOSALS {
        let started = Instant::now();
        cluster.register(leader, key).await;
        fastest = fastest.min(started.elapsed());
    }
    // The delay is a lower bound: were two round trips needed, not one proposal could be done before both were over,
    // however busy or idle the machine.
    assert!(fastest >= ROUND_TRIP, "the links are not slow: {fastest:?}");
    assert!(fastest < ROUND_TRIP * 2, "{fastest:?} for the fastest of {PROPOSALS}");
}

#[tokio::test(flavor = "multi_thread")]
async fn read_barrier_needs_a_majority_and_sees_everything_committed() {
    let mut cluster = Cluster::start().await;
    cluster.register(0, 1).await;
    for index in [0, 1, 2] {
        let barrier = cluster.node(index).read_barrier(PATIENCE).await.unwrap();
        assert!(cluster.node(index).applied_index() >= barrier);
        assert!(cluster.node(index).state().region(&region(0)).is_some());
    }
    cluster.kill(1).await;
    cluster.kill(2).await;
    let barrier = cluster.node(0).read_barrier(Duration::from_millis(500)).await;
    assert_eq!(barrier, Err(ControlLogError::NoMajority { sent: false }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_away_catches_up_from_a_snapshot() {
    let mut cluster = Cluster::new().await;
    cluster.snapshot_log_entries = 32;
    for index in [0, 1, 2] {
        cluster.start_node(index).await;
    }
    cluster.leader_among(&[0, 1, 2]).await;
    cluster.register(0, 0).await;
    cluster.kill(2).await;
    for key in 1..=150 {
        cluster.register(0, key).await;
    }
    eventually("a snapshot", || (cluster.node(0).status().snapshot > 100).then_some(())).await;
    cluster.start_node(2).await;
    let state = cluster.same_state(&[0, 1, 2]).await;
    assert_eq!(state.region(&region(0)).unwrap().sealing_public_key, vec![150; 32]);
    // Once at its start, and at least once by the snapshot.
    assert!(cluster.observers[2].seen().replaced >= 2);
    cluster.register(2, 200).await;
    // What it installed is what it has after a crash.
    cluster.kill(2).await;
    cluster.start_node(2).await;
    cluster.same_state(&[0, 1, 2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_proposal_takes_effect_once() {
    let cluster = Cluster::start().await;
    cluster.register(0, 1).await;
    cluster.register(1, 1).await;
    let leader = cluster.leader_among(&[0, 1, 2]).await;
    let proposer = if leader == 0 { 1 } else { 0 };
    let command = |number| ControlCommand {
        proposal_id: proposal_id(9, number),
        region: region(proposer),
        at: Timestamp::from_millis(1),
        body: create_key(proposer, 77),
    };
    let (first, second) = (encode_command(&command(1)), encode_command(&command(2)));
    let mut outcomes = Vec::new();
    for bytes in [&first, &first, &second] {
        let request = pb::ProposeRequest { command: bytes.clone().into() };
        let answer = cluster.client_as(proposer, leader).propose(request).await.unwrap().into_inner();
        let Some(pb::propose_response::Result::Committed(done)) = answer.result else { panic!("{answer:?}") };
        outcomes.push(decode_outcome(&done.outcome).unwrap());
    }
    let again = ControlOutcome::Refused(Refusal::KeyExists);
    assert_eq!(outcomes, [ControlOutcome::Done, ControlOutcome::Done, again]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_speaks_for_itself_only() {
    let cluster = Cluster::start().await;
    let leader = cluster.leader_among(&[0, 1, 2]).await;
    let (caller, other) = ((leader + 1) % 3, (leader + 2) % 3);
    let mut client = cluster.client_as(caller, leader);
    let command = ControlCommand {
        proposal_id: proposal_id(9, 1),
        region: region(other),
        at: Timestamp::from_millis(1),
        body: harness::register(9),
    };
    let request = pb::ProposeRequest { command: encode_command(&command).into() };
    assert_eq!(client.propose(request).await.unwrap_err().code(), Code::PermissionDenied);
    let vote = Some(pb::Vote { term: 1_000, node_id: other as u64 + 1, committed: false });
    let ballot = pb::VoteRequest { vote, ..pb::VoteRequest::default() };
    assert_eq!(client.vote(ballot).await.unwrap_err().code(), Code::PermissionDenied);
    let append = pb::AppendEntriesRequest { vote, ..pb::AppendEntriesRequest::default() };
    let mut answers = client.append_entries(tokio_stream::iter([append])).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap_err().code(), Code::PermissionDenied);
    let garbage = pb::ProposeRequest { command: vec![0xff; 32].into() };
    assert_eq!(client.propose(garbage).await.unwrap_err().code(), Code::InvalidArgument);
    assert!(cluster.node(leader).state().region(&region(other)).is_none());
    assert_eq!(cluster.node(leader).status().role, ControlRole::Leader);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bootstrap_node_with_a_lost_disk_joins_instead_of_founding_again() {
    let mut cluster = Cluster::start().await;
    cluster.register(1, 1).await;
    cluster.kill(0).await;
    cluster.stores[0] = Arc::new(MemoryStore::new());
    cluster.start_node(0).await;
    cluster.leader_among(&[0, 1, 2]).await;
    let state = cluster.same_state(&[0, 1, 2]).await;
    assert!(state.region(&region(1)).is_some());
    cluster.register(0, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_a_new_disk_gives_no_vote_until_it_has_caught_up() {
    let mut cluster = Cluster::start().await;
    cluster.register(0, 1).await;
    cluster.kill(0).await;
    cluster.kill(1).await;
    cluster.stores[2] = {
        cluster.kill(2).await;
        Arc::new(MemoryStore::new())
    };
    cluster.start_node(2).await;
    // Node 1 alone with a node that has forgotten everything: node 0 might have been the one that knew more.
    let ballot = pb::VoteRequest {
        vote: Some(pb::Vote { term: 1_000, node_id: 2, committed: false }),
        last_log_id: Some(pb::LogId { term: 1, node_id: 1, index: 3 }),
        ..pb::VoteRequest::default()
    };
    let refused = cluster.client_as(1, 2).vote(ballot).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    // With everybody back it catches up, and then its vote counts.
    cluster.start_node(0).await;
    cluster.start_node(1).await;
    cluster.leader_among(&[0, 1, 2]).await;
    cluster.register(2, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_acknowledged_survives_a_power_cut_everywhere() {
    let mut cluster = Cluster::start().await;
    for key in 1..=20 {
        cluster.register(usize::from(key % 3), key).await;
    }
    for index in [0, 1, 2] {
        cluster.kill(index).await;
    }
    for index in [0, 1, 2] {
        cluster.start_node(index).await;
    }
    cluster.leader_among(&[0, 1, 2]).await;
    for index in [0, 1, 2] {
        cluster.node(index).read_barrier(PATIENCE).await.unwrap();
        let state = cluster.node(index).state();
        let keys = [0, 1, 2].map(|of| state.region(&region(of)).unwrap().sealing_public_key[0]);
        assert_eq!(keys, [18, 19, 20]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replica_reports_come_from_the_region_asked() {
    let mut cluster = Cluster::start().await;
    let key_id = KeyId::multi_region([1; 16]);
    for asked in [0, 1, 2] {
        cluster.register(asked, 1).await;
        let report = cluster.node(0).replica_report(&region(asked), &key_id, PATIENCE).await.unwrap();
        assert_eq!(report.materials, [material_of(&region(asked))]);
        assert_eq!(report.access, Some(access()));
        assert!(report.applied_index > 0, "the control log fills in how far the Region has applied it");
    }
    let stranger = RegionName::parse("sa-east-1").unwrap();
    let unknown = cluster.node(0).replica_report(&stranger, &key_id, PATIENCE).await;
    assert_eq!(unknown, Err(PeerError::Unknown(stranger)));
    cluster.kill(2).await;
    let dead = cluster.node(0).replica_report(&region(2), &key_id, Duration::from_secs(1)).await;
    assert_eq!(dead, Err(PeerError::Unreachable(region(2))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_another_node_is_refused() {
    let mut cluster = Cluster::start().await;
    cluster.kill(0).await;
    let store = Arc::clone(&cluster.stores[0]);
    cluster.kill(1).await;
    cluster.stores[1] = store;
    let refused = cluster.try_start(1).await;
    assert!(matches!(refused, Err(kms_control::ControlError::ForeignStore { .. })), "{refused:?}");
}
