//! The table of decisions in `tests/vectors/policy/decisions.json`, and what must hold of each of them under change.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails is the result of the test")]

mod request;
mod scenario;

use kms_policy::Decision;
use scenario::{Case, Change, Group, Scenario, Table};

/// The least number of decisions that the table holds.
const CASES_MIN: usize = 300;

fn table() -> Table {
    let text = include_str!("../../../../tests/vectors/policy/decisions.json");
    let table: Table = serde_json::from_str(text).unwrap();
    assert_eq!(table.format, "policy-decisions/1", "{:?}", table.about);
    table
}

fn each(table: &Table, mut look: impl FnMut(&Group, &Scenario, &Case, &str)) -> usize {
    let mut count = 0;
    for group in &table.groups {
        for scenario in &group.scenarios {
            for (index, case) in scenario.cases.iter().enumerate() {
                let place =
                    format!("{} / {} / case {index}: {} {}", group.group, scenario.scenario, case.who, case.does);
                look(group, scenario, case, &place);
                count += 1;
            }
        }
    }
    count
}

#[test]
fn every_decision_is_as_documented() {
    let table = table();
    let mut wrong = Vec::new();
    let count = each(&table, |_, scenario, case, place| {
        let decided = request::decide(&table, scenario, case, Change::Nothing);
        let (found, expected) = (scenario.verdict(&decided), case.expected());
        if found != expected {
            wrong.push(format!("{place}\n    expected {expected}\n    found    {found}"));
        }
    });
    assert!(wrong.is_empty(), "{} of {count} decisions differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= CASES_MIN, "{count}");
}

#[test]
fn every_rule_can_be_found_by_a_name_of_its_own() {
    let table = table();
    let mut names = std::collections::BTreeSet::new();
    for group in &table.groups {
        assert!(names.insert(group.group.clone()) && !group.rule.is_empty(), "{}", group.group);
        for scenario in &group.scenarios {
            assert!(names.insert(format!("{} / {}", group.group, scenario.scenario)), "{}", scenario.scenario);
        }
    }
}

#[test]
fn order_of_statements_does_not_matter() {
    let table = table();
    each(&table, |_, scenario, case, place| {
        let decided = request::decide(&table, scenario, case, Change::ReverseStatements);
        assert_eq!(decided.is_allowed(), case.allowed.is_some(), "{place}");
    });
}

#[test]
fn a_deny_for_everybody_leaves_nothing_allowed() {
    let table = table();
    each(&table, |_, scenario, case, place| {
        for change in [Change::DenyInKeyPolicy, Change::DenyInIdentityPolicy] {
            let decided = request::decide(&table, scenario, case, change);
            let is_only_about_the_account = scenario.key.is_none() && change == Change::DenyInKeyPolicy;
            assert!(!decided.is_allowed() || is_only_about_the_account, "{place} {change:?}");
        }
    });
}

#[test]
fn boundaries_and_session_policies_never_widen() {
    let table = table();
    each(&table, |_, scenario, case, place| {
        for change in
            [Change::BoundaryForAll, Change::SessionForAll, Change::BoundaryForNothing, Change::SessionForNothing]
        {
            let decided = request::decide(&table, scenario, case, change);
            assert!(!decided.is_allowed() || case.allowed.is_some(), "{place} {change:?}");
        }
    });
}

#[test]
fn explanations_name_the_statement() {
    let table = table();
    each(&table, |_, scenario, case, place| {
        let decided = request::decide(&table, scenario, case, Change::Nothing);
        let text = decided.to_string();
        assert!(text.starts_with(if decided.is_allowed() { "allowed" } else { "denied" }), "{place}: {text}");
        if let Decision::Denied(kms_policy::Denied::Explicit(statement)) = &decided {
            assert!(text.contains(&format!("statement {}", statement.index)), "{place}: {text}");
        }
    });
}
