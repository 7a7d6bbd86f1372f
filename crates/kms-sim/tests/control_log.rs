//! Claims about the control state under random sequences of commands, each judged at every index.
//!
//! A failing case prints its smallest input and keeps its seed in `control_log.proptest-regressions`; commit that file,
//! and run `cargo test -p kms-sim --test control_log` to replay it. `PROPTEST_CASES=10000` looks harder.

use kms_core::LogPosition;
use kms_core::control::{Applied, ControlCommand, ControlOutcome, ControlState, RECENT_PROPOSALS};
use kms_proto::control_codec;
use kms_sim::claims::{self, EpochsRise};
use kms_sim::draw::{Draw, Proposer, draw};
use kms_sim::model::Model;
use kms_sim::rows::{self, Rows};
use kms_types::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

fn config() -> ProptestConfig {
    let base = ProptestConfig::default();
    ProptestConfig {
        // Eight properties share the time that one is worth.
        cases: base.cases.div_ceil(3),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("proptest-regressions"))),
        ..base
    }
}

fn apply(state: &mut ControlState, command: &ControlCommand) -> Applied {
    state.apply(LogPosition { term: 1, index: command.at.millis() }, command)
}

/// The log that the draws mean, and the state after each entry.
fn run(draws: &[Draw]) -> (Vec<ControlCommand>, Vec<ControlState>) {
    let (mut proposer, mut state) = (Proposer::default(), ControlState::default());
    let mut log = proposer.directory();
    let mut states = Vec::new();
    for command in &log {
        apply(&mut state, command);
        states.push(state.clone());
    }
    for draw in draws {
        let command = proposer.concrete(&state, draw);
        apply(&mut state, &command);
        log.push(command);
        states.push(state.clone());
    }
    (log, states)
}

fn claim(result: Result<(), String>) -> Result<(), TestCaseError> {
    result.map_err(TestCaseError::fail)
}

/// Everything but the memory of recent outcomes.
fn shared_rows(state: &ControlState) -> Rows {
    let mut all = rows::of_control(state);
    all.retain(|key, _| key.first() != Some(&control_codec::RECENT_PREFIX));
    all
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_claim_holds_at_every_index(draws in vec(draw(), 1..48)) {
        let (_, states) = run(&draws);
        let mut epochs = EpochsRise::default();
        for state in &states {
            claim(claims::invariants(state))?;
            claim(claims::one_primary(state))?;
            claim(claims::boxes_for_holders_only(state))?;
            claim(claims::secrets_for_serving_regions_only(state))?;
            claim(claims::nobody_holds_what_the_rules_forbid(state))?;
            claim(epochs.check(state))?;
        }
    }

    #[test]
    fn outcomes_and_roles_are_those_of_the_naive_model(draws in vec(draw(), 1..48)) {
        let (log, _) = run(&draws);
        let (mut state, mut model) = (ControlState::default(), Model::default());
        for command in &log {
            let outcome = apply(&mut state, command).outcome;
            let accepted = model.judge(command);
            prop_assert_eq!(outcome == ControlOutcome::Done, accepted, "{:?}: {:?}", command, outcome);
            claim(claims::as_the_model_says(&state, &model))?;
            claim(claims::directory_as_the_model_says(&state, &model))?;
        }
    }

    #[test]
    fn histories_are_those_of_the_naive_model(draws in vec(draw(), 1..60)) {
        let (log, states) = run(&draws);
        let mut model = Model::default();
        for (command, state) in log.iter().zip(&states) {
            model.judge(command);
            claim(claims::histories_are_the_models(state, &model))?;
        }
    }

    #[test]
    fn replicas_that_read_the_log_as_bytes_are_byte_equal(draws in vec(draw(), 1..48)) {
        let (log, states) = run(&draws);
        let mut twin = ControlState::default();
        for (command, state) in log.iter().zip(&states) {
            let read = control_codec::decode_command(&control_codec::encode_command(command)).unwrap();
            apply(&mut twin, &read);
            prop_assert_eq!(&twin, state);
        }
        prop_assert_eq!(rows::of_control(&twin), rows::of_control(states.last().unwrap()));
    }

    #[test]
    fn snapshot_and_tail_equal_the_whole_log(draws in vec(draw(), 1..48), cut in any::<prop::sample::Index>()) {
        let (log, states) = run(&draws);
        let cut = cut.index(log.len());
        let mut restored = rows::load_control(&rows::of_control(&states[cut]));
        prop_assert_eq!(&restored, &states[cut]);
        for command in &log[cut + 1..] {
            apply(&mut restored, command);
        }
        prop_assert_eq!(&restored, states.last().unwrap());
    }

    #[test]
    fn stored_changes_are_exactly_the_rows_of_the_state(draws in vec(draw(), 1..48)) {
        let (log, states) = run(&draws);
        let (mut state, mut stored) = (ControlState::default(), Rows::new());
        for (command, expected) in log.iter().zip(&states) {
            for change in apply(&mut state, command).changes {
                rows::write(&mut stored, control_codec::change_to_row(&change));
            }
            prop_assert_eq!(&stored, &rows::of_control(expected));
        }
    }

    #[test]
    fn a_refused_command_changes_nothing(draws in vec(draw(), 1..48)) {
        let (log, _) = run(&draws);
        let mut state = ControlState::default();
        for command in &log {
            let before = state.clone();
            let applied = apply(&mut state, command);
            if applied.outcome != ControlOutcome::Done {
                prop_assert_eq!(shared_rows(&state), shared_rows(&before));
                let due = |s: &ControlState| s.rotations_due(Timestamp::from_millis(u64::MAX)).map(|k| k.key_id).collect::<Vec<_>>();
                prop_assert_eq!(due(&state), due(&before));
                prop_assert!(applied.effects.is_empty());
            }
        }
    }

    #[test]
    fn a_repeated_proposal_takes_effect_once(draws in vec(draw(), 1..40), again in any::<prop::sample::Index>()) {
        let (log, states) = run(&draws);
        let mut state = ControlState::default();
        let outcomes: Vec<_> = log.iter().map(|command| apply(&mut state, command).outcome).collect();
        let again = again.index(log.len());
        let repeated = apply(&mut state, &log[again]);
        prop_assert_eq!(&repeated.outcome, &outcomes[again]);
        prop_assert!(repeated.changes.is_empty() && repeated.effects.is_empty());
        prop_assert_eq!(&state, states.last().unwrap());
    }
}

/// Guards the claims above against draws that never get anywhere.
#[test]
fn the_draws_reach_every_kind_of_success_and_refusal() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use std::collections::BTreeSet;
    let mut runner = TestRunner::deterministic();
    let (mut done, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..600 {
        let draws = vec(draw(), 40..60).new_tree(&mut runner).unwrap().current();
        let (log, _) = run(&draws);
        let mut state = ControlState::default();
        for command in &log {
            let name = |debug: String| {
                let debug = debug.strip_prefix("Identity(").unwrap_or(&debug);
                debug.split([' ', '(']).next().unwrap_or_default().to_owned()
            };
            let _kept = match apply(&mut state, command).outcome {
                ControlOutcome::Done => done.insert(name(format!("{:?}", command.body))),
                ControlOutcome::Refused(refusal) => refused.insert(name(format!("{refusal:?}"))),
            };
        }
    }
    assert_eq!(done.len(), 26, "kinds of command that succeeded: {done:?}");
    // All refusals but RotationLimit, for which these logs are too short.
    assert_eq!(refused.len(), 29, "refusals: {refused:?}");
}

#[test]
fn the_memory_of_outcomes_is_bounded_and_comes_back_from_rows() {
    let mut proposer = Proposer::default();
    let mut state = ControlState::default();
    let directory = proposer.directory();
    for command in &directory {
        apply(&mut state, command);
    }
    let mut stored = rows::of_control(&state);
    for number in 0..RECENT_PROPOSALS + 10 {
        let id = kms_core::control::ProposalId((u128::from(number) | 1 << 100).to_be_bytes());
        let command = ControlCommand { proposal_id: id, ..directory[0].clone() };
        for change in apply(&mut state, &command).changes {
            rows::write(&mut stored, control_codec::change_to_row(&change));
        }
    }
    assert_eq!(state.recent().iter().count() as u64, RECENT_PROPOSALS);
    assert_eq!(stored, rows::of_control(&state));
    assert_eq!(rows::load_control(&stored), state);
    assert!(state.recent().find(&directory[0].proposal_id).is_none(), "the oldest outcome is forgotten");
}
