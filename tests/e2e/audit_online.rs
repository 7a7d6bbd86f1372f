//! The audit log as running Regions tell it to operators, and to nobody else.

use kms_proto::cluster::v1::audit_client::AuditClient;
use kms_proto::cluster::v1::{AuditCursor, AuditFilter, SearchAuditRequest, TailAuditRequest};
use meridian_tests::mutual_tls::{self, Identity};
use meridian_tests::{AP, Cluster, EU, US, binary, eventually, keys};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use tonic::Code;
use tonic::transport::Channel;

fn records(cluster: &Cluster, arguments: &[&str]) -> Vec<Value> {
    let answer = cluster.cli(&[&["audit"], arguments, &["--output", "json"]].concat()).done().json();
    answer.as_array().unwrap().clone()
}

async fn client(cluster: &Cluster, identity: &str) -> AuditClient<Channel> {
    let authority = cluster.data_dir().join("ca/ca.pem");
    let identity = Identity::named(&cluster.data_dir(), identity);
    let channel = mutual_tls::connect(&cluster.grpc(US), US, &authority, Some(&identity)).await;
    AuditClient::new(channel.unwrap())
}

#[tokio::test]
async fn regions_answer_what_their_files_say_and_record_that_they_were_asked() {
    let cluster = Cluster::start();
    let (us, eu) = (cluster.direct(US), cluster.direct(EU));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    for region in [&us, &us, &eu] {
        drop(keys::encrypt(region, &key_id, b"recorded").await);
    }
    let wanted = ["search", "--operation", "Encrypt", "--key", &key_id];
    let told = records(&cluster, &[wanted.as_slice(), &["--online"]].concat());
    assert_eq!((told.len(), &told), (3, &records(&cluster, &wanted)));
    let last = records(&cluster, &["tail", "--online", "-n", "1", "--operation", "Encrypt", "--region", US]);
    assert_eq!(last.len(), 1);
    assert_eq!(last[0]["awsRegion"], US);
    let first = cluster.cli(&["audit", "search", "--online", "--limit", "1", "--operation", "Encrypt", "--region", US]);
    assert!(first.code == 0 && first.stderr.contains("may have more than 1"), "{first:?}");

    let asked = records(&cluster, &["search", "--operation", "SearchAuditLog", "--region", US]);
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0]["requestParameters"]["keyId"], key_id.as_str());
    assert_eq!(asked[0]["requestParameters"]["operations"][0], "Encrypt");
    assert_eq!(records(&cluster, &["search", "--operation", "TailAuditLog"]).len(), 1);

    let refused = cluster.cli(&["audit", "verify", "--online"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    cluster.chaos(&["kill", AP]).await;
    let answer =
        cluster.cli_async(&["audit", "search", "--online", "--operation", "Encrypt", "--output", "json"]).await;
    assert_eq!((answer.code, answer.json().as_array().unwrap().len()), (69, 3), "{answer:?}");
}

/// `meridian audit tail --follow`, ended with the test.
struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn whoever_follows_is_told_of_new_records_as_they_come() {
    let mut cluster = Cluster::start();
    let us = cluster.direct(US);
    let key_id = keys::create(&us).await;
    drop(keys::encrypt(&us, &key_id, b"before").await);
    let mut command = Command::new(binary::meridian());
    command.args(["audit", "tail", "--follow", "-n", "1", "--key", &key_id, "--operation", "Encrypt"]);
    command.args(["--output", "json", "--port", &cluster.base().to_string()]);
    let mut follower = Follower(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
    let output = BufReader::new(follower.0.stdout.take().unwrap());
    std::thread::spawn(move || output.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok()));
    let mut next = async || -> Value { serde_json::from_str(&told.recv().await.unwrap()).unwrap() };
    let mut sequence = 0;
    for round in 0..4 {
        let record = next().await;
        assert_eq!(record["eventName"], "Encrypt");
        let newer = record["meridian"]["chain"]["sequence"].as_u64().unwrap();
        assert!(newer > sequence, "round {round}: {newer} after {sequence}");
        sequence = newer;
        drop(keys::encrypt(&us, &key_id, b"one after the other").await);
    }
    // A node that is asked to stop does not wait for those who follow.
    assert!(cluster.stop().success());
    let ended = eventually("the follower ends with the Regions", || {
        let ended = follower.0.try_wait().unwrap();
        async move { ended }
    })
    .await;
    assert_eq!(ended.code(), Some(69));
}

#[tokio::test]
async fn reads_are_bounded_and_for_operators_alone() {
    let cluster = Cluster::start();
    let us = cluster.direct(US);
    let key_id = keys::create(&us).await;
    for _ in 0..5 {
        drop(keys::encrypt(&us, &key_id, b"recorded").await);
    }
    let mut operator = client(&cluster, "operator").await;
    let filter = AuditFilter { operation: "encrypt".to_owned(), ..AuditFilter::default() };
    let (mut found, mut after) = (0, None);
    loop {
        let request = SearchAuditRequest { filter: Some(filter.clone()), limit: 2, after: after.take() };
        let mut pages = operator.search_audit(request).await.unwrap().into_inner();
        let before = found;
        while let Some(page) = pages.message().await.unwrap() {
            found += page.records.len();
            after = page.next;
        }
        assert!(found - before <= 2);
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, 5, "pages overlap or leave something out");
    let nonsense = AuditCursor { day: "yesterday".to_owned(), offset: 1 };
    let request = SearchAuditRequest { after: Some(nonsense), ..SearchAuditRequest::default() };
    assert_eq!(operator.search_audit(request).await.unwrap_err().code(), Code::InvalidArgument);

    let follow = TailAuditRequest { follow: true, ..TailAuditRequest::default() };
    let mut followers = Vec::new();
    let refused = loop {
        match operator.tail_audit(follow.clone()).await {
            Ok(pages) => followers.push(pages),
            Err(refused) => break refused,
        }
        assert!(followers.len() < 100, "there is no bound");
    };
    assert_eq!(refused.code(), Code::ResourceExhausted);
    drop(followers);
    eventually("places are free again", || {
        let mut operator = operator.clone();
        async move { operator.tail_audit(TailAuditRequest::default()).await.ok() }
    })
    .await;
    for stranger in ["principal-meridian", "eu-west-1/node"] {
        let refused = client(&cluster, stranger).await.search_audit(SearchAuditRequest::default()).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{stranger}");
    }
}
