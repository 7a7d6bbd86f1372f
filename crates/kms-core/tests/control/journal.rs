//! Claims about the journal of changes.

use super::{Log, a, at, b, key};
use kms_core::LogPosition;
use kms_core::control::{
    ControlBody, ControlCommand, ControlOutcome, ControlState, JOURNAL_MAX, ProposalId, SetRotation, SharedChange,
};
use kms_types::RegionName;

/// Switches rotation off, which takes effect only in the primary Region.
fn apply(state: &mut ControlState, region: &RegionName, index: u64) -> ControlOutcome {
    let body = SetRotation { key_id: key(), expected_epoch: 1, schedule: None };
    let proposal_id = ProposalId((u128::from(index) << 64).to_be_bytes());
    let body = ControlBody::SetRotation(body);
    let command = ControlCommand { proposal_id, region: region.clone(), at: at(index), body };
    state.apply(LogPosition { term: 1, index }, &command).outcome
}

#[test]
fn the_journal_names_who_made_a_change_and_where_and_knows_no_refusals() {
    let mut state = Log::with_key(true).state;
    assert_eq!(apply(&mut state, &a(), 70), ControlOutcome::Done);
    assert!(matches!(apply(&mut state, &b(), 71), ControlOutcome::Refused(_)));
    assert_eq!(apply(&mut state, &a(), 72), ControlOutcome::Done);
    let noted: Vec<_> = state.journal_after(69).map(|e| (e.index, e.region.clone(), e.change)).collect();
    assert_eq!(noted, [(70, a(), SharedChange::SetRotation), (72, a(), SharedChange::SetRotation)]);
    assert_eq!(state.journal_after(70).count(), 1);
    let mut again = ControlState::default();
    state.rows().for_each(|row| again.absorb(&row));
    assert_eq!(again, state);
}

#[test]
fn a_proposal_that_is_in_the_log_twice_is_one_change() {
    let mut state = Log::with_key(false).state;
    let body = ControlBody::SetRotation(SetRotation { key_id: key(), expected_epoch: 1, schedule: None });
    let command = ControlCommand { proposal_id: ProposalId([7; 16]), region: a(), at: at(9), body };
    for index in [90, 91] {
        assert_eq!(state.apply(LogPosition { term: 1, index }, &command).outcome, ControlOutcome::Done);
    }
    assert_eq!(state.journal_after(80).map(|entry| entry.index).collect::<Vec<_>>(), [90]);
}

#[test]
fn the_journal_is_bounded_and_the_oldest_go_first() {
    let mut state = Log::with_key(false).state;
    let most = u64::try_from(JOURNAL_MAX).unwrap();
    for index in 100..100 + most + 5 {
        assert_eq!(apply(&mut state, &a(), index), ControlOutcome::Done);
    }
    assert_eq!(state.journal().len(), JOURNAL_MAX);
    assert_eq!(state.journal().next().map(|entry| entry.index), Some(105));
}
