//! Claims about the chain of one log.

use super::*;
use kms_types::Timestamp;
use proptest::prelude::*;

const BODY: &str = r#"{"eventName":"Encrypt","meridian":{"version":1"#;

fn chain(cluster: &str, region: &str) -> Chain {
    Chain::new(LogName::new(cluster, RegionName::parse(region).unwrap()).unwrap())
}

fn day() -> Day {
    Day::of(Timestamp::from_millis(1_795_305_600_000))
}

fn sealed(chain: &Chain, head: &Head) -> (String, Head) {
    let mut out = String::new();
    let head = chain.seal(head, day(), BODY, &mut out);
    assert_eq!(out.pop(), Some('\n'));
    (out, head)
}

#[test]
fn a_sealed_record_is_json_and_reads_back() {
    let chain = chain("dev-1", "eu-west-1");
    let (_, first) = sealed(&chain, &chain.origin());
    let (line, second) = sealed(&chain, &first);
    let read = SealedLine::parse(line.as_bytes()).unwrap();
    assert_eq!((read.sequence, read.previous, read.hash, read.day), (2, first.hash, second.hash, day()));
    assert_eq!(chain.hash_of(&read), read.hash);
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(json["meridian"]["chain"]["hash"], second.hash.to_string());
    assert!(line.len() + 1 - BODY.len() <= CHAIN_BYTES_MAX);
}

#[test]
fn chains_of_two_logs_share_no_hash() {
    let ours = chain("dev-1", "eu-west-1");
    let (line, _) = sealed(&ours, &ours.origin());
    let read = SealedLine::parse(line.as_bytes()).unwrap();
    // The last two name the same characters, split at another place.
    for (cluster, region) in [("dev-1", "us-east-1"), ("dev-2", "eu-west-1"), ("a", "ab-c-1"), ("aa", "b-c-1")] {
        let other = chain(cluster, region);
        assert_ne!(other.hash_of(&read), read.hash, "{cluster} {region}");
        assert_ne!(other.origin(), ours.origin(), "{cluster} {region}");
    }
    assert_ne!(chain("a", "ab-c-1").origin(), chain("aa", "b-c-1").origin());
}

#[test]
fn only_the_one_form_of_the_chain_members_is_read() {
    let chain = chain("dev-1", "eu-west-1");
    let (line, _) = sealed(&chain, &chain.origin());
    assert!(SealedLine::parse(line.as_bytes()).is_some());
    let others = [
        line.replace("\"sequence\":1,", "\"sequence\":01,"),
        line.replace("\"sequence\":1,", "\"sequence\":0,"),
        line.replace("\"sequence\":1,", "\"sequence\":18446744073709551616,"),
        line.replace("\"sequence\":1,", "\"sequence\":,"),
        line.replace("\"version\":1,\"day\"", "\"version\":2,\"day\""),
        line.replace("2026-", "2026/"),
        line.replace("\"hash\"", "\"Hash\""),
        line.replace("\"previous\"", "\"next\""),
        format!("{line} "),
        format!("{line}\r"),
        line[1..].to_owned(),
        String::new(),
        END.to_owned(),
    ];
    for other in others {
        assert_eq!(SealedLine::parse(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn a_cluster_id_has_one_form() {
    let region = RegionName::parse("eu-west-1").unwrap();
    for bad in ["", "Dev", "a b", "é", &"a".repeat(65)] {
        assert!(LogName::new(bad, region.clone()).is_err(), "{bad}");
    }
    assert_eq!(LogName::new(&"a".repeat(64), region).unwrap().cluster().len(), 64);
}

proptest! {
    #[test]
    fn a_changed_byte_changes_the_hash_or_the_form(at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let chain = chain("dev-1", "eu-west-1");
        let (line, _) = sealed(&chain, &chain.origin());
        let mut bytes = line.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let read = SealedLine::parse(&bytes);
        prop_assert!(read.is_none_or(|read| chain.hash_of(&read) != read.hash));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>()) {
        let mut line = bytes;
        line.extend_from_slice(END.as_bytes());
        prop_assert_eq!(SealedLine::parse(&line), None);
    }
}
