//! Who may import whom, read from `cargo metadata`, and the tidiness of the source files.
//!
//! A new edge between crates, or a second owner of a heavy library, is a change of the architecture: it belongs into
//! the tables here and into ARCHITECTURE.md, with its reason.
#![expect(clippy::unwrap_used, reason = "a step that fails is the result of the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each crate with the crates of ours that it imports; exactly these.
const OURS: [(&str, &[&str]); 15] = [
    ("kms-types", &[]),
    ("kms-crypto", &["kms-types"]),
    ("kms-policy", &["kms-types"]),
    ("kms-attestation", &["kms-types"]),
    ("kms-core", &["kms-types"]),
    ("kms-store", &[]),
    ("kms-audit", &["kms-types"]),
    ("kms-proto", &["kms-core", "kms-types"]),
    ("kms-service", &["kms-attestation", "kms-audit", "kms-core", "kms-crypto", "kms-policy", "kms-types"]),
    ("kms-aws", &["kms-audit", "kms-service", "kms-types"]),
    ("kms-control", &["kms-core", "kms-proto", "kms-service", "kms-store", "kms-types"]),
    (
        "meridian",
        &[
            "kms-audit",
            "kms-aws",
            "kms-control",
            "kms-core",
            "kms-crypto",
            "kms-policy",
            "kms-proto",
            "kms-service",
            "kms-store",
            "kms-types",
        ],
    ),
    ("kms-sim", &["kms-core", "kms-proto", "kms-types"]),
    ("kms-enclave-sim", &[]),
    ("meridian-tests", &["kms-core", "kms-crypto", "kms-enclave-sim", "kms-proto", "kms-store", "kms-types"]),
];

/// Crates of ours that only the tests of a crate import.
const OURS_IN_TESTS: [(&str, &[&str]); 4] = [
    ("kms-attestation", &["kms-enclave-sim"]),
    ("kms-aws", &["kms-core", "kms-crypto", "kms-enclave-sim"]),
    ("kms-crypto", &["kms-enclave-sim"]),
    ("kms-service", &["kms-enclave-sim"]),
];

/// Libraries with few owners, tests included.
const OWNERS: [(&str, &[&str]); 17] = [
    ("sled", &["kms-store"]),
    ("openraft", &["kms-control"]),
    ("rustls", &["meridian", "meridian-tests"]),
    ("tokio-rustls", &["meridian", "meridian-tests"]),
    ("rcgen", &["kms-enclave-sim", "meridian"]),
    ("rustls-webpki", &["kms-attestation"]),
    ("ciborium", &["kms-attestation", "kms-enclave-sim"]),
    ("hyper", &["meridian", "meridian-tests"]),
    ("clap", &["meridian"]),
    ("metrics", &["meridian"]),
    ("opentelemetry", &["meridian"]),
    ("toml", &["meridian"]),
    ("tonic", &["kms-control", "kms-proto", "meridian", "meridian-tests"]),
    // JSON is the AWS wire, policy documents, audit records, and what programs read from the command line.
    ("serde_json", &["kms-audit", "kms-aws", "kms-policy", "meridian", "meridian-tests"]),
    ("hpke", &["kms-crypto"]),
    ("argon2", &["kms-crypto"]),
    ("anyhow", &["meridian", "meridian-tests"]),
];

/// What a crate never imports, not even through a feature: a way to log, to serialise, to wait or to read a clock.
const NEVER: [(&str, &[&str]); 9] = [
    ("kms-types", &["tokio", "tracing", "rand", "serde"]),
    ("kms-crypto", &["serde", "serde_json", "tracing", "log", "tokio", "rand"]),
    ("kms-attestation", &["tokio", "tracing", "rand", "rand_core", "getrandom", "jiff"]),
    ("kms-policy", &["tokio", "tracing", "jiff"]),
    ("kms-core", &["tokio", "tracing", "rand", "rand_core", "getrandom", "jiff", "serde", "prost"]),
    ("kms-store", &["tokio", "serde", "prost"]),
    ("kms-audit", &["tokio", "rand", "rand_core", "getrandom", "prost", "tonic", "hyper"]),
    ("kms-proto", &["tokio", "tracing", "serde", "serde_json"]),
    ("kms-service", &["tokio", "tonic", "hyper", "serde", "serde_json"]),
];

/// Longest file, in lines.
const LINES_MAX: usize = 800;

struct Edge {
    from: String,
    to: String,
    /// `normal`, `dev` or `build`.
    kind: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn edges() -> Vec<Edge> {
    let arguments = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("normal").to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let edges = packages.flat_map(|package| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        dependencies.map(|d| Edge { from: text(&package["name"]), to: text(&d["name"]), kind: text(&d["kind"]) })
    });
    edges.collect()
}

fn table<'a>(rows: &'a [(&'a str, &'a [&'a str])]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    rows.iter().map(|(name, others)| (*name, others.iter().copied().collect())).collect()
}

fn found<'a>(edges: &'a [Edge], ours: &BTreeSet<&str>, dev: bool) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for edge in edges.iter().filter(|e| ours.contains(e.to.as_str()) && (e.kind == "dev") == dev) {
        found.entry(&edge.from).or_default().insert(&edge.to);
    }
    found
}

#[test]
fn crates_import_exactly_the_crates_of_the_table() {
    let edges = edges();
    let ours: BTreeSet<&str> = OURS.iter().map(|(name, _)| *name).collect();
    let members: BTreeSet<&str> = edges.iter().map(|e| e.from.as_str()).collect();
    assert_eq!(members, ours, "crates of the workspace");
    let mut expected = table(&OURS);
    expected.retain(|_, others| !others.is_empty());
    assert_eq!(found(&edges, &ours, false), expected);
    assert_eq!(found(&edges, &ours, true), table(&OURS_IN_TESTS), "in tests");
}

#[test]
fn each_heavy_library_has_its_owners() {
    let edges = edges();
    for (library, owners) in table(&OWNERS) {
        let users: BTreeSet<&str> = edges.iter().filter(|e| e.to == library).map(|e| e.from.as_str()).collect();
        assert!(!users.is_empty(), "nobody uses {library}: take it out of the table");
        assert!(users.is_subset(&owners), "{library} is for {owners:?}, and {users:?} use it");
    }
}

#[test]
fn no_crate_imports_what_it_must_not() {
    let edges = edges();
    for (name, forbidden) in table(&NEVER) {
        let broken = |e: &&Edge| e.from == name && e.kind != "dev" && forbidden.contains(e.to.as_str());
        let broken: Vec<&str> = edges.iter().filter(broken).map(|e| e.to.as_str()).collect();
        assert!(broken.is_empty(), "{name} must not import {broken:?}");
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join("crates"), root().join("tests")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    assert!(files.len() > 100, "the source files were not found");
    files
}

fn offenders(is_tidy: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    sources().into_iter().filter(|(_, text)| !is_tidy(text)).map(|(path, _)| path).collect()
}

#[test]
fn no_file_is_longer_than_the_limit() {
    assert_eq!(offenders(|text| text.lines().count() <= LINES_MAX), Vec::<PathBuf>::new());
}

#[test]
fn every_file_says_what_it_holds() {
    assert_eq!(offenders(|text| text.starts_with("//! ")), Vec::<PathBuf>::new());
}

#[test]
fn nothing_is_left_for_later() {
    // In two halves each, so that this file passes its own test.
    let marks =
        [concat!("#[ign", "ore"), concat!("to", "do!"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
    assert_eq!(offenders(|text| !marks.iter().any(|mark| text.contains(mark))), Vec::<PathBuf>::new());
}

#[test]
fn modules_have_names_of_their_own() {
    let banned = ["mod.rs", "utils.rs", "common.rs", "helpers.rs", "manager.rs", "misc.rs"];
    let name = |path: &Path| path.file_name().is_some_and(|n| banned.iter().any(|b| n == *b));
    let found: Vec<_> = sources().into_iter().filter(|(path, _)| name(path)).map(|(path, _)| path).collect();
    assert_eq!(found, Vec::<PathBuf>::new());
}
