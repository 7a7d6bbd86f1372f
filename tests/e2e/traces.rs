//! Traces of requests, as an OpenTelemetry collector gets them.

use meridian_tests::collector::Span;
use meridian_tests::collector::{Collector, attributes};
use meridian_tests::http1::RawRequest;
use meridian_tests::search::Needle;
use meridian_tests::sigv4::Signer;
use meridian_tests::{Cluster, ClusterOptions, EU, US, blob, eventually, keys};
use std::collections::BTreeSet;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
const PLAINTEXT: &str = "a plaintext that no collector sees";
const CONTEXT: &str = "a context value that no collector sees";

/// What must not be in a span: the secret key of the development credentials and a caller's state among it.
const KNOWN_SECRETS: [&str; 4] = [PLAINTEXT, CONTEXT, "meridian-dev", "a-state-of-the-callers"];

fn is_below(span: &Span, above: &Span) -> bool {
    span.name == "propose" && span.parent_span_id == above.span_id && span.trace_id == above.trace_id
}

#[tokio::test]
async fn requests_and_their_proposals_are_traced_and_no_secret_is_in_a_span() {
    let collector = Collector::start().await;
    let mut cluster = Cluster::start_with(ClusterOptions::with(&["--otlp-endpoint", &collector.endpoint]));
    let (us, eu) = (cluster.direct(US), cluster.direct(EU));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    let data_key = us.generate_data_key().key_id(&key_id).number_of_bytes(32).send().await.unwrap();
    let plaintext = blob(PLAINTEXT.as_bytes());
    let encrypted =
        us.encrypt().key_id(&key_id).plaintext(plaintext).encryption_context("tenant", CONTEXT).send().await.unwrap();

    // The same once more, below a span of the caller's, which asks for a trace and tells a state of its own.
    let body = serde_json::json!({ "KeyId": key_id, "Plaintext": "AAAA" }).to_string();
    let request = RawRequest::signed(&cluster.api(US), &Signer::administrator(US), "Encrypt", body);
    let request = request.with("traceparent", Some(&format!("00-{TRACE}-{CALLER}-01")));
    let answer = request.with("tracestate", Some("vendor=a-state-of-the-callers")).send(&cluster.api(US)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let request_id = answer.headers.iter().find(|(name, _)| name == "x-amzn-requestid").unwrap().1.clone();
    us.encrypt().key_id("mrk-ffffffffffffffffffffffffffffffff").plaintext(blob(b"x")).send().await.unwrap_err();

    let traced = eventually("the caller's trace has come", || async {
        collector.spans().into_iter().find(|span| hex::encode(&span.trace_id) == TRACE)
    })
    .await;
    assert_eq!((traced.name.as_str(), hex::encode(&traced.parent_span_id).as_str()), ("Encrypt", CALLER));
    let said = attributes(&traced);
    for (name, value) in [
        ("rpc.method", "Encrypt"),
        ("meridian.outcome", "Success"),
        ("cloud.region", US),
        ("meridian.request_id", &request_id),
    ] {
        assert_eq!(said.get(name).map(String::as_str), Some(value), "{said:?}");
    }
    eventually("a failure says its code", || async {
        let spans = collector.spans();
        let failed = |span| attributes(span).get("meridian.outcome").is_some_and(|code| code == "NotFoundException");
        spans.iter().any(failed).then_some(())
    })
    .await;
    let created = eventually("the creation has come", || async {
        collector.spans().into_iter().find(|span| span.name == "CreateKey")
    })
    .await;
    let proposal = eventually("its proposal has come", || async {
        collector.spans().into_iter().find(|span| span.parent_span_id == created.span_id)
    })
    .await;
    assert_eq!((proposal.name.as_str(), &proposal.trace_id), ("propose", &created.trace_id));
    assert_eq!(attributes(&proposal)["meridian.change"], "CreateKeySet");

    drop(cluster.cli_async(&["promote", &key_id, "--to", EU, "--yes"]).await.done());
    eventually("a promotion over gRPC has its proposal below it", || async {
        let spans = collector.spans();
        let promotions = spans.iter().filter(|span| span.name == "Promote");
        let below = |above: &&_| spans.iter().any(|span| is_below(span, above));
        promotions.filter(below).count().ge(&1).then_some(())
    })
    .await;

    // What a node still has, it exports when it stops.
    assert!(cluster.stop().success());
    let names: BTreeSet<String> = collector.spans().iter().flat_map(|span| attributes(span).into_keys()).collect();
    let allowed = ["rpc.method", "cloud.region"].map(str::to_owned).into_iter();
    let ours = ["outcome", "request_id", "change", "control_log_index"].map(|name| format!("meridian.{name}"));
    assert_eq!(names, allowed.chain(ours).collect());
    let bytes = collector.bytes();
    let secrets: [&[u8]; 2] = [data_key.plaintext().unwrap().as_ref(), encrypted.ciphertext_blob().unwrap().as_ref()];
    for secret in secrets.into_iter().chain(KNOWN_SECRETS.map(str::as_bytes)) {
        let name = String::from_utf8_lossy(secret);
        assert_eq!(Needle::new(name.clone(), secret).found_in(&bytes), None, "{name} is in a span");
    }
    assert!(Needle::new("request ID", request_id.as_bytes()).found_in(&bytes).is_some(), "the search finds nothing");
}

#[tokio::test]
async fn a_collector_that_is_not_there_harms_no_request() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut cluster = Cluster::start_with(ClusterOptions::with(&["--otlp-endpoint", &format!("http://{port}")]));
    let us = cluster.direct(US);
    let key_id = keys::create(&us).await;
    for _ in 0..50 {
        let ciphertext = keys::encrypt(&us, &key_id, b"all the same").await;
        assert_eq!(keys::decrypt(&us, &ciphertext).await, b"all the same");
    }
    eventually("the node says that its spans are dropped", || async {
        cluster.log(US).contains("the collector does not take spans").then_some(())
    })
    .await;
    assert!(cluster.stop().success());
}
