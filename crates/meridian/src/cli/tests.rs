//! Claims about the command line: what it accepts, what it writes, how it ends.

use super::cluster::ClusterFile;
use super::exit::{Exit, exit_of};
use super::*;
use crate::config::{ConfigError, NodeConfig, Problem, Role, load_principals, read_root_key};
use anyhow::Context as _;
use clap::CommandFactory as _;
use std::path::Path;

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(line.split_whitespace())
}

#[test]
fn command_line_is_consistent_and_every_command_has_examples() {
    let command = Arguments::command();
    command.clone().debug_assert();
    for sub in command.get_subcommands() {
        let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(help.contains("Examples:"), "{}", sub.get_name());
        assert!(help.lines().all(|line| line.chars().count() <= 110), "{}: {help}", sub.get_name());
    }
}

#[test]
fn good_lines_are_accepted_and_bad_ones_refused() {
    for good in [
        "meridian dev --regions us-east-1,eu-west-1 --latency 50 --day-length 1s --port 9700",
        "meridian dev --quota keys_per_account=5 --quota aliases_per_key=2",
        "meridian dev env --port 9700",
        "meridian chaos kill us-east-1 --port 9700",
        "meridian chaos latency 0 --between us-east-1 eu-west-1",
        "meridian status --cluster c.toml --output json",
        "meridian keys describe alias/a --region eu-west-1",
        "meridian promote alias/a --to eu-west-1 --yes",
        "meridian rotation activate alias/a --without eu-west-1 --without us-east-1",
        "meridian explain-access --principal A --action kms:Decrypt --key alias/a --context a=b --context c= --region r",
        "meridian identity role create ops --trust t.json --max-session 7200 --path /team/ --tag a=b",
        "meridian identity role describe ops",
        "meridian identity policy put ops use-keys --role --document p.json",
        "meridian identity boundary delete --role ops",
        "meridian identity session-key rotate --end-sessions --yes",
    ] {
        parse(good).unwrap_or_else(|error| panic!("{good}: {error}"));
    }
    for bad in [
        "meridian",
        "meridian dev --regions us",
        "meridian dev --latency 10001",
        "meridian dev --day-length 1ms",
        "meridian dev --quota keys=5",
        "meridian dev --quota keys_per_account=0",
        "meridian chaos latency 0 --between us-east-1",
        "meridian status --cluster c.toml --port 8700",
        "meridian promote alias/a",
        "meridian promote alias/a --to eu-west-1 --plan --yes",
        "meridian rotation activate alias/a",
        "meridian explain-access --principal A --action kms:Decrypt --context a",
        "meridian explain-access --action kms:Decrypt",
        "meridian identity role create ops",
        "meridian identity role max-session ops",
        "meridian init --out d --cluster-id c --account 1 --region us-east-1",
        "meridian init --out d --cluster-id c --account 1 --region us-east-1=host:8720",
    ] {
        assert!(parse(bad).is_err_and(|error| error.exit_code() == 2), "{bad}");
    }
}

#[test]
fn exit_code_is_found_behind_context() {
    let check = |error: anyhow::Error, expected: Exit| assert_eq!(exit_of(&error), expected, "{error:#}");
    check(anyhow::anyhow!("x"), Exit::Failed);
    check(Failure::unavailable("x").into(), Exit::Unavailable);
    let config = ConfigError::one(Path::new("node.toml"), Problem::new("region", "is missing"));
    check(config.into(), Exit::Configuration);
    check(Err::<(), _>(Failure::usage("x")).context("while y").unwrap_err(), Exit::Usage);
}

#[test]
fn answer_says_more_than_silence() {
    let silence = || Failure::unavailable("silence");
    let refusal = || Failure::failed("refusal");
    assert_eq!(refusal().or_more_telling(silence()).to_string(), "refusal");
    assert_eq!(silence().or_more_telling(refusal()).to_string(), "refusal");
}

#[test]
fn error_chain_says_each_cause_once() {
    let error = Err::<(), _>(std::io::Error::other("disk full")).context("cannot write a: disk full").unwrap_err();
    assert_eq!(chain(&error), "cannot write a: disk full");
    let error = Err::<(), _>(std::io::Error::other("disk full")).context("cannot write a").unwrap_err();
    assert_eq!(chain(&error), "cannot write a: disk full");
}

#[test]
fn init_writes_what_each_node_needs_and_nothing_more() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("prod");
    let line = format!(
        "meridian init --out {} --cluster-id prod --account 111122223333 --region us-east-1=10.0.0.1 \
         --region eu-west-1=kms.example.net --witness eu-north-1=::1",
        out.display(),
    );
    let Command::Init(args) = parse(&line).unwrap().command else { panic!("init") };
    assert_eq!(init::write(&args).unwrap().len(), 3);
    for (region, node_id) in [("us-east-1", 1), ("eu-west-1", 2), ("eu-north-1", 3)] {
        let config = NodeConfig::load(&out.join(region).join("node.toml")).unwrap();
        assert_eq!((config.region.as_str(), config.node_id, config.bootstrap), (region, node_id, node_id == 1));
        let roles: Vec<Role> = config.peers.iter().map(|peer| peer.role).collect();
        assert_eq!(roles, [Role::Region, Role::Region, Role::Witness]);
        assert_eq!(config.peers.last().map(|peer| peer.address.as_str()), Some("[::1]:8720"));
        crate::tls::Credentials::load(&config.tls).unwrap().server_config().unwrap();
        crate::tls::api_server_config(&config.api_tls.unwrap()).unwrap();
        read_root_key(&out.join(region).join("root.key")).unwrap();
        assert_eq!(load_principals(&config.principals_file).unwrap().len(), 1);
        assert!(!out.join(region).join("ca-key.pem").exists(), "the authority's key stays where it was made");
    }
    let keys: Vec<_> = ["us-east-1", "eu-west-1"].map(|r| read_root_key(&out.join(r).join("root.key")).unwrap()).into();
    assert_ne!(*keys[0], *keys[1]);
    let text = std::fs::read_to_string(out.join("cluster.toml")).unwrap();
    let file: ClusterFile = toml::from_str(&text).unwrap();
    assert_eq!(file.endpoints.len(), 3);

    let Command::Init(again) = parse(&line).unwrap().command else { panic!("init") };
    assert!(init::write(&again).unwrap_err().to_string().contains("is not empty"));
}
