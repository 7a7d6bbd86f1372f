//! Claims about the configuration files.

use super::root_key::RootKeyError;
use super::*;
use std::os::unix::fs::PermissionsExt as _;

const PEERS: [(&str, u64); 2] = [("us-east-1", 1), ("eu-west-1", 2)];

fn template(day_length: Option<&str>, api: &str, api_tls: Option<(&str, &str)>) -> String {
    let region = RegionName::parse("us-east-1").unwrap();
    let peers: Vec<_> = PEERS
        .iter()
        .map(|(region, id)| (RegionName::parse(region).unwrap(), *id, format!("127.0.0.1:{id}"), Role::Region))
        .collect();
    NodeTemplate {
        region: &region,
        cluster_id: "dev-1",
        node_id: 1,
        bootstrap: true,
        data_dir: "da\"ta",
        api_listen: api.parse().unwrap(),
        api_tls,
        grpc_listen: "127.0.0.1:8721".parse().unwrap(),
        ops_listen: "127.0.0.1:8731".parse().unwrap(),
        tls: ["/ca.pem", "node.pem", "node-key.pem"],
        root_key_file: "root.key",
        principals_file: "principals.toml",
        attestation_roots: &["sim\"1.pem".to_owned(), "/sim2.pem".to_owned()],
        day_length,
        identity_lease: Some("90s"),
        quotas: &[("keys_per_account", 7), ("grants_per_key", 3)],
        checkpoint_interval: None,
        otlp_endpoint: Some("http://collector:4317"),
        raft_ms: raft_timing_ms(0),
        log_format: "text",
        peers: &peers,
    }
    .render()
}

fn keys(text: &str) -> Vec<String> {
    NodeConfig::parse(text, Path::new("/etc/meridian")).unwrap_err().into_iter().map(|problem| problem.key).collect()
}

#[test]
fn only_addresses_of_receivers_in_the_clear_are_taken() {
    for good in ["http://127.0.0.1:4317", "http://collector:1", "http://[::1]:4317/"] {
        assert!(is_otlp_endpoint(good), "{good}");
    }
    for bad in [
        "https://collector:4317",
        "collector:4317",
        "http://collector",
        "http://u:p@collector:4317",
        "http://c:1/x",
        "",
    ] {
        assert!(!is_otlp_endpoint(bad), "{bad}");
    }
    let text = template(None, "127.0.0.1:8711", None);
    let wrong = text.replace("http://collector:4317\"", "https://collector\"\nsample_ratio = 1.5")
        + "\n[metrics]\nkey_series = 1001\n";
    let mut found = keys(&wrong);
    found.sort();
    assert_eq!(found, ["metrics.key_series", "telemetry.otlp_endpoint", "telemetry.sample_ratio"]);
}

#[test]
fn generated_file_is_accepted_and_relative_paths_start_beside_it() {
    let text = template(Some("1s"), "127.0.0.1:8711", None);
    let config = NodeConfig::parse(&text, Path::new("/etc/meridian")).unwrap();
    assert_eq!(config.region.as_str(), "us-east-1");
    assert_eq!(config.data_dir, Path::new("/etc/meridian/da\"ta"));
    assert_eq!(config.tls.ca, Path::new("/ca.pem"));
    assert_eq!(config.day_length, DayLength::new(Duration::from_secs(1)));
    assert_eq!(config.identity_lease, Duration::from_secs(90));
    assert_eq!(config.attestation_roots, [Path::new("/etc/meridian/sim\"1.pem"), Path::new("/sim2.pem")]);
    assert_eq!(config.peers.len(), 2);
    assert_eq!(config.key_series, 100);
    assert!(config.telemetry.is_some_and(|traces| traces.otlp_endpoint == "http://collector:4317"));
    assert_eq!(config.peers.first().map(|peer| peer.address.as_str()), Some("127.0.0.1:1"));
    assert!(config.bootstrap);
    let quotas = kms_service::Quotas { keys_per_account: 7, grants_per_key: 3, ..Default::default() };
    assert_eq!(config.quotas, quotas);
    assert!(matches!(config.root_key, RootKeyProvider::File(path) if path == Path::new("/etc/meridian/root.key")));
}

#[test]
fn what_holds_no_authority_is_no_attestation_root() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("root.pem");
    let mistake = |file: &Path| load_attestation_roots(&[file.to_owned()]).unwrap_err().to_string();
    assert!(mistake(&file).contains("attestation.roots: cannot be read"), "{}", mistake(&file));
    std::fs::write(&file, "no PEM").unwrap();
    assert!(mistake(&file).contains("attestation.roots: holds no PEM certificate"), "{}", mistake(&file));
    load_attestation_roots(&[]).unwrap();
}

#[test]
fn every_mistake_is_reported_at_once() {
    let text = r#"
        region = "nowhere"
        node_id = 0
        cluster_id = "Prod!"
        day_length = "1 day"
        [attestation]
        roots = ["a.pem", ""]
        [api]
        listen = "0.0.0.0:8710"
        [grpc]
        listen = "localhost"
        [tls]
        ca = ""
        [root_key]
        file = "a"
        passphrase_file = "b"
        [raft]
        heartbeat_ms = 9
        election_timeout_min_ms = 1000
        election_timeout_max_ms = 1000
        [limits]
        api_body_bytes_max = 1
        [quotas]
        keys_per_account = 0
        aliases_per_key = 10001
        grants_per_key = 1000001
        on_demand_rotations_per_key = 0
        [log]
        format = "xml"
        [[peer]]
        region = "us-east-1"
        node_id = 1
        address = "host"
        role = "boss"
    "#;
    let expected = [
        "region",
        "cluster_id",
        "node_id",
        "data_dir",
        "principals_file",
        "attestation.roots[2]",
        "day_length",
        "api.listen",
        "grpc.listen",
        "ops.listen",
        "tls.ca",
        "tls.cert",
        "tls.key",
        "root_key",
        "raft.heartbeat_ms",
        "raft.election_timeout_max_ms",
        "limits.api_body_bytes_max",
        "quotas.keys_per_account",
        "quotas.aliases_per_key",
        "quotas.grants_per_key",
        "quotas.on_demand_rotations_per_key",
        "log.format",
        "peer[0].address",
        "peer[0].role",
    ];
    assert_eq!(keys(text), expected);
}

#[test]
fn plain_http_is_refused_outside_loopback() {
    assert_eq!(keys(&template(None, "0.0.0.0:8710", None)), ["api.listen"]);
    let text = template(None, "0.0.0.0:8710", Some(("c.pem", "k.pem")));
    assert!(NodeConfig::parse(&text, Path::new("/")).is_ok_and(|config| config.api_tls.is_some()));
}

#[test]
fn unknown_keys_and_foreign_node_ids_are_refused() {
    let text = template(None, "127.0.0.1:8711", None);
    let misspelt = text.replace("heartbeat_ms", "heartbeat");
    let line = 1 + misspelt.lines().position(|line| line.starts_with("heartbeat =")).unwrap();
    assert_eq!(keys(&misspelt), [format!("line {line}")]);
    let other = text.replacen("node_id = 1", "node_id = 3", 1);
    assert_eq!(keys(&other), ["peer"]);
    let twice = text.replace("region = \"eu-west-1\"", "region = \"us-east-1\"");
    assert_eq!(keys(&twice), ["peer[1].region"]);
}

#[test]
fn election_timeouts_grow_with_latency_and_stay_in_range() {
    for latency in [0, 1, 50, 100, 500, 10_000] {
        let [heartbeat, min, max] = raft_timing_ms(latency);
        let text = template(None, "127.0.0.1:8711", None)
            .replace("heartbeat_ms = 150", &format!("heartbeat_ms = {heartbeat}"))
            .replace("min_ms = 600", &format!("min_ms = {min}"))
            .replace("max_ms = 1050", &format!("max_ms = {max}"));
        let config = NodeConfig::parse(&text, Path::new("/")).unwrap();
        assert_eq!(config.raft.heartbeat, Duration::from_millis(heartbeat), "{latency}");
        assert_eq!(config.raft.election_timeout_max, Duration::from_millis(max), "{latency}");
        assert!(min >= latency.min(1_000) * 6, "{latency}");
    }
}

#[test]
fn lengths_of_time_are_read_with_their_unit() {
    let check = |text: &str, expected: Option<u64>| {
        assert_eq!(parse_duration(text), expected.map(Duration::from_millis), "{text}");
    };
    check("250ms", Some(250));
    check("1s", Some(1_000));
    check("90m", Some(5_400_000));
    check("24h", Some(86_400_000));
    check("2d", Some(172_800_000));
    check("1", None);
    check("s", None);
    check("1 s", None);
    check("-1s", None);
    check("99999999999999999999s", None);
    check("18446744073709551615d", None);
}

fn private_file(directory: &tempfile::TempDir, text: &str, mode: u32) -> PathBuf {
    let path = directory.path().join("principals.toml");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

const PRINCIPAL: &str = r#"
    [[principal]]
    access_key = "meridian"
    secret_key = "meridian-dev"
    arn = "arn:aws:iam::111122223333:user/meridian"
    account = "111122223333"
    administrator = true
    certificate = "spiffe://dev-1/principal/meridian"
"#;

#[test]
fn principals_are_read_and_their_secrets_never_shown() {
    let directory = tempfile::tempdir().unwrap();
    let principals = load_principals(&private_file(&directory, PRINCIPAL, 0o600)).unwrap();
    let [principal] = principals.as_slice() else { panic!("one principal") };
    assert_eq!(principal.secret_key.expose(), "meridian-dev");
    assert!(principal.administrator);
    assert!(!format!("{principal:?}").contains("meridian-dev"));
}

#[test]
fn principals_file_that_others_may_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for mode in [0o640, 0o604, 0o660] {
        let error = load_principals(&private_file(&directory, PRINCIPAL, mode)).unwrap_err();
        assert!(error.to_string().contains("its owner alone may read it"), "{error}");
    }
}

#[test]
fn policies_boundary_and_tags_of_a_principal_are_compiled() {
    let directory = tempfile::tempdir().unwrap();
    let own = r#"
    policies = [
        '''{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:Encrypt","Resource":"*"}}''',
        '''{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}}''',
    ]
    boundary = '''{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}'''
    [principal.tags]
    team = "blue"
    "#;
    let text = format!("{PRINCIPAL}{own}");
    let principals = load_principals(&private_file(&directory, &text, 0o600)).unwrap();
    let identity = principals[0].identity(Some("meridian"));
    let names: Vec<&str> = identity.policies.iter().map(|policy| &*policy.name).collect();
    assert_eq!(names, ["AdministratorAccess", "policies[0]", "policies[1]"]);
    assert_eq!(identity.boundary.map(|policy| policy.name.to_string()).as_deref(), Some("boundary"));
    assert_eq!(identity.tags["team"], "blue");
}

#[test]
fn mistakes_in_policies_and_tags_are_reported_by_place() {
    let directory = tempfile::tempdir().unwrap();
    let long = "x".repeat(257);
    let own = format!(
        r#"
    policies = ["{{}}", '''{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"kms:*"}}}}''']
    boundary = "no JSON"
    [principal.tags]
    team = "{long}"
    "#
    );
    let text = format!("{PRINCIPAL}{own}");
    let error = load_principals(&private_file(&directory, &text, 0o600)).unwrap_err();
    let keys: Vec<&str> = error.problems().iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(
        keys,
        ["principal[0].policies[0]", "principal[0].policies[1]", "principal[0].boundary", "principal[0].tags"]
    );
    let text = error.to_string();
    assert!(text.contains("is not a policy: Missing required field Resource"), "{text}");
}

#[test]
fn mistakes_in_principals_are_all_reported_without_their_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let text = r#"
        [[principal]]
        access_key = "a b"
        secret_key = "s3cret"
        arn = "meridian"
        certificate = "http://x"
        [[principal]]
        access_key = "meridian"
    "#;
    let error = load_principals(&private_file(&directory, text, 0o600)).unwrap_err();
    let keys: Vec<&str> = error.problems().iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "principal[0].access_key",
            "principal[0].arn",
            "principal[0].account",
            "principal[0].certificate",
            "principal[0].secret_key",
            "principal[1].arn",
            "principal[1].account",
            "principal[1].secret_key",
        ]
    );
    let syntax = load_principals(&private_file(&directory, "secret_key = \"s3cret", 0o600)).unwrap_err();
    assert!(!error.to_string().contains("s3cret") && !syntax.to_string().contains("s3cret"));
    let twice = load_principals(&private_file(&directory, &PRINCIPAL.repeat(2), 0o600)).unwrap_err();
    let keys: Vec<&str> = twice.problems().iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["principal[1].access_key", "principal[1].certificate"]);
}

#[test]
fn root_key_survives_the_file_and_is_private() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    create_root_key(&path).unwrap();
    let first = read_root_key(&path).unwrap();
    assert_eq!(*first, *read_root_key(&path).unwrap());
    assert_ne!(*first, [0; 32]);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(create_root_key(&path), Err(RootKeyError::Write { .. })), "never overwritten");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(read_root_key(&path), Err(RootKeyError::File { .. })));
}

#[test]
fn short_passphrase_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let good = read_passphrase(&private_file(&directory, "correct horse battery\nignored", 0o600)).unwrap();
    assert_eq!(good.as_str(), "correct horse battery");
    assert!(matches!(
        read_passphrase(&private_file(&directory, "short\nlong second line", 0o600)),
        Err(RootKeyError::File { .. })
    ));
}

#[test]
fn quota_on_the_command_line_is_a_known_name_and_a_number_in_range() {
    assert_eq!(parse_quota("keys_per_account=5"), Ok(("keys_per_account", 5)));
    assert_eq!(parse_quota("aliases_per_key=10000"), Ok(("aliases_per_key", 10_000)));
    for bad in ["", "keys=5", "keys_per_account", "keys_per_account=", "keys_per_account=0", "grants_per_key=1000001"] {
        assert!(parse_quota(bad).is_err(), "{bad}");
    }
}
