//! Bytes written once, in `tests/vectors/state`: one file per stored kind with the row key (for a row) and the value,
//! a line of hex digits each. Files are only ever added; a changed file breaks every store written before it.

use crate::samples;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/state")
}

#[test]
fn frozen_bytes_decode_to_the_same_values_and_are_written_again() {
    let mut missing = Vec::new();
    for (name, sample) in samples::all() {
        let (key, value) = sample.encode();
        let Ok(text) = std::fs::read_to_string(folder().join(format!("{name}.hex"))) else {
            missing.push(format!("{name}.hex:\n{}\n{}", hex::encode(key), hex::encode(value)));
            continue;
        };
        let mut lines = text.lines().map(|line| hex::decode(line).unwrap());
        let frozen = (lines.next().unwrap(), lines.next().unwrap());
        assert_eq!(lines.next(), None, "{name}: lines after the value");
        assert_eq!(sample.decode_like(&frozen.0, &frozen.1).as_ref(), Ok(&sample), "{name}");
        assert_eq!((key, value), frozen, "{name}");
    }
    assert!(missing.is_empty(), "new samples; freeze their bytes in tests/vectors/state:\n{}", missing.join("\n"));
}

#[test]
fn every_frozen_file_has_its_sample() {
    let names: BTreeSet<_> = samples::all().into_iter().map(|(name, _)| format!("{name}.hex")).collect();
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.collect::<BTreeSet<_>>(), names);
}
