//! Whatever is done to the files of a log, verification finds it and names the place.

use crate::fixture::{DAY, DAY_ONE, Keys, Node, append, decrypt};
use kms_audit::{Day, Evidence, Finding, Flaw, Head, MemoryVolume, Report, Start, verify};
use kms_types::Timestamp;
use proptest::prelude::*;

const RECORDS: usize = 8;

/// The lines of a log, by file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lines(Vec<Vec<String>>);

/// A log of eight records in two files, start and stop among them.
fn node() -> Node {
    Node::written("eu-west-1", 6)
}

fn head_of(node: &Node) -> Head {
    node.events().last().unwrap().head
}

impl Lines {
    fn of(node: &Node) -> Self {
        let files = node.files();
        let text = |day: &Day| String::from_utf8(node.volume.read(&files.name(*day)).unwrap()).unwrap();
        Self(files.days().iter().map(|day| text(day).lines().map(str::to_owned).collect()).collect())
    }

    /// File and line of the record with so many before it.
    fn place(&self, at: usize) -> (usize, usize) {
        let first = self.0[0].len();
        if at < first { (0, at) } else { (1, at - first) }
    }

    fn get(&self, at: usize) -> String {
        let (file, line) = self.place(at);
        self.0[file][line].clone()
    }

    fn set(&mut self, at: usize, text: String) {
        let (file, line) = self.place(at);
        self.0[file][line] = text;
    }

    fn remove(&mut self, at: usize) {
        let (file, line) = self.place(at);
        self.0[file].remove(line);
    }

    fn insert(&mut self, at: usize, text: String) {
        let (file, line) = self.place(at);
        self.0[file].insert(line, text);
    }

    fn bytes(&self) -> Vec<Vec<u8>> {
        self.0.iter().map(|file| file.iter().flat_map(|line| [line, "\n"]).collect::<String>().into_bytes()).collect()
    }
}

/// Verifies files with this content in place of a log's own.
fn report_of(node: &Node, contents: &[Vec<u8>], heads: &[Head]) -> Report {
    let files = node.files();
    let other = node.on(MemoryVolume::new());
    for (day, content) in files.days().iter().zip(contents) {
        other.volume.put(&files.name(*day), content);
    }
    other.verify_with(heads, &[])
}

fn findings(node: &Node, lines: &Lines) -> Vec<Finding> {
    report_of(node, &lines.bytes(), &[head_of(node)]).findings
}

/// Whether a finding says this of the record at a sequence, or of the one after it.
fn names(findings: &[Finding], sequence: usize, is_it: impl Fn(&Flaw) -> bool) -> bool {
    let sequence = u64::try_from(sequence).unwrap();
    findings.iter().any(|finding| finding.sequence == Some(sequence) && is_it(&finding.flaw))
}

#[test]
fn a_log_that_nobody_touched_has_no_finding() {
    let node = node();
    let report = report_of(&node, &Lines::of(&node).bytes(), &[head_of(&node)]);
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.records, report.first, report.last), (8, Some(1), Some(head_of(&node))));
}

#[test]
fn every_single_byte_matters() {
    let node = node();
    let (whole, head) = (Lines::of(&node), head_of(&node));
    let mut record = 0;
    for file in 0..2 {
        for at in 0..whole.bytes()[file].len() {
            let mut contents = whole.bytes();
            let is_line_end = contents[file][at] == b'\n';
            contents[file][at] ^= 1 << (at % 8);
            let found = report_of(&node, &contents, &[head]).findings;
            let place = |finding: &Finding| finding.sequence == Some(record + 1) || is_line_end;
            assert!(found.iter().any(place), "file {file} byte {at} of record {}: {found:?}", record + 1);
            record += u64::from(is_line_end);
        }
    }
}

#[test]
fn every_removed_range_is_named() {
    let node = node();
    let whole = Lines::of(&node);
    for from in 0..RECORDS {
        for to in from..RECORDS {
            let mut lines = whole.clone();
            (from..=to).rev().for_each(|at| lines.remove(at));
            let found = findings(&node, &lines);
            let (first, last) = (u64::try_from(from).unwrap() + 1, u64::try_from(to).unwrap() + 1);
            let flaw = if to + 1 == RECORDS {
                Flaw::CutOff { from: first, to: last }
            } else {
                Flaw::Missing { from: first, to: last }
            };
            assert_eq!(found.len(), 1, "{from}..={to}: {found:?}");
            assert_eq!((found[0].sequence, &found[0].flaw), (Some(first), &flaw));
        }
    }
}

#[test]
fn every_pair_that_changes_places_is_named() {
    let node = node();
    let whole = Lines::of(&node);
    for (one, other) in (0..RECORDS).flat_map(|one| (one + 1..RECORDS).map(move |other| (one, other))) {
        let mut lines = whole.clone();
        lines.set(one, whole.get(other));
        lines.set(other, whole.get(one));
        let found = findings(&node, &lines);
        assert!(names(&found, one + 1, |flaw| *flaw == Flaw::Moved), "{one} and {other}: {found:?}");
    }
}

#[test]
fn every_repeated_record_is_named_wherever_it_stands() {
    let node = node();
    let whole = Lines::of(&node);
    for (what, to) in (0..RECORDS).flat_map(|what| (0..RECORDS).map(move |to| (what, to))) {
        let mut lines = whole.clone();
        lines.insert(to, whole.get(what));
        let found = findings(&node, &lines);
        assert!(
            names(&found, what + 1, |flaw| matches!(flaw, Flaw::Repeated | Flaw::Moved)),
            "{what} before {to}: {found:?}"
        );
    }
}

#[test]
fn every_cut_through_a_file_is_found() {
    let node = node();
    let (whole, head) = (Lines::of(&node).bytes(), head_of(&node));
    for file in 0..2 {
        for length in 0..whole[file].len() {
            let mut contents = whole.clone();
            contents[file].truncate(length);
            let found = report_of(&node, &contents, &[head]).findings;
            let expected = |finding: &Finding| matches!(finding.flaw, Flaw::CutOff { .. } | Flaw::Missing { .. });
            assert!(found.iter().any(expected), "file {file} cut to {length}: {found:?}");
        }
    }
}

#[test]
fn records_of_another_region_or_cluster_are_told_wherever_they_are_put() {
    let (node, other) = (node(), Node::written("us-east-1", 6));
    let (whole, foreign) = (Lines::of(&node), Lines::of(&other));
    for (what, to) in (0..RECORDS).flat_map(|what| (0..RECORDS).map(move |to| (what, to))) {
        let region = other.log.region().clone();
        let is_foreign = |finding: &Finding| finding.flaw == Flaw::Foreign { region: region.clone() };
        let mut lines = whole.clone();
        lines.insert(to, foreign.get(what));
        let inserted = findings(&node, &lines);
        assert_eq!(inserted.len(), 1, "{what} before {to}: {inserted:?}");
        assert!(is_foreign(&inserted[0]), "{what} before {to}: {inserted:?}");
        lines = whole.clone();
        lines.set(to, foreign.get(what));
        let replaced = findings(&node, &lines);
        assert!(replaced.iter().any(is_foreign), "{what} for {to}: {replaced:?}");
        let gone = |flaw: &Flaw| matches!(flaw, Flaw::Missing { .. } | Flaw::CutOff { .. });
        assert!(names(&replaced, to + 1, gone), "{what} for {to}: {replaced:?}");
    }
    let mut elsewhere = node.clone();
    elsewhere.log = kms_audit::LogName::new("dev-2", node.log.region().clone()).unwrap();
    assert_eq!(elsewhere.verify().findings_total, 8, "every record is chained in another cluster's name");
}

#[test]
fn a_record_in_the_file_of_another_day_is_named() {
    let node = node();
    let mut lines = Lines::of(&node);
    let moved = lines.0[1].remove(0);
    lines.0[0].push(moved);
    let found = findings(&node, &lines);
    let day = Day::of(Timestamp::from_millis(DAY_ONE + DAY));
    assert!(names(&found, lines.0[0].len(), |flaw| *flaw == Flaw::OtherDay { day }), "{found:?}");
}

#[test]
fn a_forged_record_with_a_hash_of_its_own_does_not_fit_in() {
    // Whoever can write the file can also compute hashes: he writes another log with one other record.
    let node = node();
    let forger = Node::new();
    let log = forger.open();
    for number in [0, 1, 99, 3, 4, 5] {
        append(&log, decrypt(number, DAY_ONE));
    }
    drop(log);
    let (mut lines, forged) = (Lines::of(&node), Lines::of(&forger));
    lines.set(3, forged.0[0][3].clone());
    let found = findings(&node, &lines);
    assert!(names(&found, 5, |flaw| *flaw == Flaw::Unlinked), "{found:?}");
}

#[test]
fn a_log_written_anew_to_its_end_is_found_by_whoever_knows_a_record() {
    let (node, forger) = (node(), Node::new());
    append(&forger.open(), decrypt(99, DAY_ONE));
    let known = node.events()[1].head;
    let report = forger.verify_with(&[known], &[]);
    let expected = Flaw::Contradicted { known: known.hash };
    assert_eq!((report.findings_total, &report.findings[0].flaw), (1, &expected));
    let signed = node.checkpoint(known, &["us-east-1"]);
    let report = forger.verify_with(&[], std::slice::from_ref(&signed));
    let expected = Flaw::Forked { signed: known.hash };
    assert_eq!((report.findings_total, &report.findings[0].flaw), (1, &expected));
    assert_eq!(node.verify_with(&[], &[signed]).witnessed_to, Some(known.sequence));
}

#[test]
fn files_that_begin_later_are_verified_from_a_known_record_or_from_anywhere() {
    let node = node();
    let files = node.files();
    let second = files.clone().starting(files.days()[1]);
    let heads: Vec<Head> = node.events().iter().map(|event| event.head).collect();
    let first = Lines::of(&node).0[0].len();
    let verifier = Keys::of(node.log.region());
    let check = |start| {
        let evidence = Evidence { start, heads: &[], checkpoints: &[], verifier: &verifier };
        verify(&second, &evidence).unwrap()
    };
    assert!(check(Start::After(heads[first - 1])).is_clean());
    assert!(check(Start::Anywhere).is_clean());
    assert_eq!(check(Start::Anywhere).first, Some(u64::try_from(first).unwrap() + 1));
    let missing = Flaw::Missing { from: 1, to: u64::try_from(first).unwrap() };
    assert_eq!(check(Start::Origin).findings[0].flaw, missing);
    let other = Head { sequence: heads[first - 1].sequence, hash: heads[0].hash };
    assert_eq!(check(Start::After(other)).findings[0].flaw, Flaw::Unlinked);
}

/// Something that an intruder can do to the lines of a log.
#[derive(Clone, Debug)]
enum Mutation {
    Remove(usize),
    Swap(usize, usize),
    Repeat(usize, usize),
    Foreign(usize, usize),
    Flip(usize, usize, u8),
    Join(usize),
    Split(usize, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = || 0..RECORDS;
    prop_oneof![
        at().prop_map(Mutation::Remove),
        (at(), at()).prop_map(|(a, b)| Mutation::Swap(a, b)),
        (at(), at()).prop_map(|(a, b)| Mutation::Repeat(a, b)),
        (at(), at()).prop_map(|(a, b)| Mutation::Foreign(a, b)),
        (at(), any::<usize>(), 1_u8..).prop_map(|(at, byte, flip)| Mutation::Flip(at, byte, flip)),
        at().prop_map(Mutation::Join),
        (at(), any::<usize>()).prop_map(|(at, byte)| Mutation::Split(at, byte)),
    ]
}

/// Does it, as far as there are still lines to do it to. Returns the files' bytes.
fn mutated(whole: &Lines, foreign: &Lines, mutations: &[Mutation]) -> Vec<Vec<u8>> {
    let ends: Vec<usize> = whole.0.iter().map(Vec::len).collect();
    let mut all: Vec<(usize, Vec<u8>)> = Vec::new();
    for (file, lines) in whole.0.iter().enumerate() {
        all.extend(lines.iter().map(|line| (file, format!("{line}\n").into_bytes())));
    }
    for mutation in mutations {
        let count = all.len().max(1);
        let Some(last) = all.len().checked_sub(1) else { break };
        match *mutation {
            Mutation::Remove(at) => drop(all.remove(at % count)),
            Mutation::Swap(a, b) => {
                let (a, b) = (a % count, b % count);
                let (one, other) = (all[a].1.clone(), all[b].1.clone());
                (all[a].1, all[b].1) = (other, one);
            }
            Mutation::Repeat(what, to) => {
                let text = all[what % count].1.clone();
                let file = all[to % count].0;
                all.insert(to % count, (file, text));
            }
            Mutation::Foreign(what, to) => {
                let text = format!("{}\n", foreign.get(what % ends.iter().sum::<usize>()));
                let file = all[to % count].0;
                all.insert(to % count, (file, text.into_bytes()));
            }
            Mutation::Flip(at, byte, flip) => {
                let line = &mut all[at % count].1;
                let byte = byte % line.len();
                line[byte] ^= flip;
            }
            Mutation::Join(at) => drop(all[at.min(last)].1.pop()),
            Mutation::Split(at, byte) => {
                let line = &mut all[at % count].1;
                if !line.is_empty() {
                    line.insert(byte % line.len(), b'\n');
                }
            }
        }
        all.retain(|(_, line)| !line.is_empty());
    }
    let file = |wanted: usize| all.iter().filter(|(file, _)| *file == wanted).flat_map(|(_, l)| l.clone()).collect();
    (0..ends.len()).map(file).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_combination_of_mutations_is_found(mutations in prop::collection::vec(mutation(), 1..5)) {
        let (node, other) = (node(), Node::written("us-east-1", 6));
        let (whole, foreign) = (Lines::of(&node), Lines::of(&other));
        let contents = mutated(&whole, &foreign, &mutations);
        let report = report_of(&node, &contents, &[head_of(&node)]);
        prop_assert_eq!(report.is_clean(), contents == whole.bytes(), "{:?}: {:?}", mutations, report.findings);
    }

    #[test]
    fn any_bytes_are_verified_without_a_panic(content in prop::collection::vec(any::<u8>(), 0..2000)) {
        let node = node();
        let found = report_of(&node, &[content], &[]);
        prop_assert!(found.records == 0);
    }
}
