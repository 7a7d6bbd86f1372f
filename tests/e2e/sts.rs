//! Sessions of roles: begun in one Region, honoured in all, ended in all.

use crate::identity::user;
use crate::roles::{document, role};
use aws_sdk_kms::error::ProvideErrorMetadata as _;
use meridian_tests::aws::TemporaryCredentials;
use meridian_tests::http1::{RawRequest, RawResponse};
use meridian_tests::sigv4::Signer;
use meridian_tests::{AP, Cluster, ClusterOptions, EU, REGIONS, US, eventually, eventually_within, keys};
use std::time::Duration;

const ROLE: &str = "arn:aws:iam::111122223333:role/operator";
const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";

/// A form that assumes the role of the tests.
fn assume(more: &str) -> String {
    format!("Action=AssumeRole&Version=2011-06-15&RoleArn={ROLE}&RoleSessionName=ci{more}")
}

fn administrator(region: &str) -> Signer {
    Signer { service: "sts".to_owned(), ..Signer::administrator(region) }
}

/// A request to STS in a Region.
async fn ask(cluster: &Cluster, region: &str, signer: &Signer, form: &str) -> RawResponse {
    let address = cluster.api(region);
    RawRequest::form(&address, signer, None, form).send(&address).await
}

/// The text of an element.
fn element(answer: &RawResponse, name: &str) -> String {
    let body = String::from_utf8(answer.body.clone()).unwrap();
    let (_, rest) = body.split_once(&format!("<{name}>")).unwrap();
    rest.split_once("</").unwrap().0.to_owned()
}

fn credentials(answer: &RawResponse) -> TemporaryCredentials {
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = |name: &str| element(answer, name);
    TemporaryCredentials {
        access_key: text("AccessKeyId"),
        secret_key: text("SecretAccessKey"),
        token: text("SessionToken"),
    }
}

/// The role, with a policy that lets it use every key.
pub(crate) fn operator(cluster: &Cluster) {
    role(cluster, "operator", US);
    let (_kept, policy) = document(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["kms:*","iam:CreateServiceLinkedRole"],"Resource":"*"}}"#,
    );
    identity(cluster, &["policy", "put", "operator", "use-keys", "--role", "--document", &policy]);
}

fn identity(cluster: &Cluster, arguments: &[&str]) {
    drop(cluster.cli(&[&["identity"], arguments].concat()).done());
}

/// A session that this Region begins as soon as it knows the role.
pub(crate) async fn session(cluster: &Cluster, region: &str, more: &str) -> TemporaryCredentials {
    let signer = administrator(region);
    let answer = eventually("the role can be assumed", || async {
        let answer = ask(cluster, region, &signer, &assume(more)).await;
        (answer.status == 200).then_some(answer)
    })
    .await;
    credentials(&answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_assumed_in_one_region_is_honoured_in_all_until_it_is_gone_in_all() {
    let cluster = Cluster::start();
    operator(&cluster);
    let session = session(&cluster, US, "").await;
    let clients = REGIONS.map(|region| cluster.direct_of_session(region, &session));
    for kms in &clients {
        eventually("the session is honoured", || async { kms.list_keys().send().await.ok() }).await;
    }
    let key_id = keys::create_primary(&clients[0]).await;
    keys::replicate(&clients[0], &clients[1], &key_id).await;
    let sealed = keys::encrypt(&clients[0], &key_id, b"of a session").await;
    assert_eq!(keys::decrypt(&clients[1], &sealed).await, b"of a session");
    // Who it is, by the third Region.
    let address = cluster.api(AP);
    let TemporaryCredentials { access_key, secret_key, token } = session.clone();
    let signer = Signer { access_key, secret_key, ..administrator(AP) };
    let who = RawRequest::form(&address, &signer, Some(&token), WHO).send(&address).await;
    assert_eq!(element(&who, "Arn"), "arn:aws:sts::111122223333:assumed-role/operator/ci");

    for (change, code) in [("disable", Some("UnrecognizedClientException")), ("enable", None)] {
        identity(&cluster, &["role", change, "operator", "--region", EU]);
        for kms in &clients {
            eventually_within(Duration::from_secs(1), "the change is in force", || async {
                let answer = kms.list_keys().send().await;
                (answer.err().map(|e| e.code().unwrap_or("?").to_owned()).as_deref() == code).then_some(())
            })
            .await;
        }
    }
    identity(&cluster, &["role", "delete", "operator", "--region", AP]);
    let is_over = || async {
        for kms in &clients {
            eventually_within(Duration::from_secs(1), "the session is over", || async {
                let answer = kms.list_keys().send().await;
                answer.is_err_and(|error| error.code() == Some("UnrecognizedClientException")).then_some(())
            })
            .await;
        }
    };
    is_over().await;
    // One of the same name is another role.
    operator(&cluster);
    let again = self::session(&cluster, EU, "").await;
    for region in REGIONS {
        let kms = cluster.direct_of_session(region, &again);
        eventually("the new session is honoured", || async { kms.list_keys().send().await.ok() }).await;
    }
    is_over().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_on_its_own_begins_and_honours_sessions_for_the_lease() {
    let cluster = Cluster::start_with(ClusterOptions::with(&["--identity-lease", "10s"]));
    operator(&cluster);
    let before = session(&cluster, US, "").await;
    let kms = cluster.direct_of_session(AP, &before);
    eventually("the session is honoured", || async { kms.list_keys().send().await.ok() }).await;
    session(&cluster, AP, "").await;
    cluster.chaos(&["isolate", AP]).await;
    let answer = ask(&cluster, AP, &administrator(AP), &assume("")).await;
    let alone = cluster.direct_of_session(AP, &credentials(&answer));
    alone.list_keys().send().await.unwrap();
    kms.list_keys().send().await.unwrap();
    for session in [&kms, &alone] {
        let code = eventually("the lease is over", || async {
            session.list_keys().send().await.err().map(|error| error.code().map(str::to_owned))
        })
        .await;
        assert_eq!(code.as_deref(), Some("ServiceUnavailableException"));
    }
    let answer = ask(&cluster, AP, &administrator(AP), &assume("")).await;
    assert_eq!((answer.status, element(&answer, "Code").as_str()), (503, "ServiceUnavailable"));
    // Who calls is told also then: the principals file has no lease.
    assert_eq!(ask(&cluster, AP, &administrator(AP), WHO).await.status, 200);
    cluster.chaos(&["heal"]).await;
    eventually("sessions are honoured again", || async { alone.list_keys().send().await.ok() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trust_policy_and_session_policy_are_in_force_and_the_record_has_no_secret() {
    let cluster = Cluster::start();
    operator(&cluster);
    let (access_key, secret_key) = user(&cluster, "alice");
    let alice = Signer { access_key, secret_key, ..administrator(EU) };
    eventually("the user is known", || async { (ask(&cluster, EU, &alice, WHO).await.status == 200).then_some(()) })
        .await;
    session(&cluster, EU, "").await;
    let stricter = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":
        "arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole",
        "Condition":{"StringEquals":{"sts:ExternalId":"apollo"}}}}"#;
    let (_kept, trust) = document(stricter);
    identity(&cluster, &["role", "trust", "operator", "--document", &trust, "--region", US]);
    let refused = eventually("the trust policy is in force", || async {
        let answer = ask(&cluster, EU, &administrator(EU), &assume("&ExternalId=apollo")).await;
        (answer.status == 403).then_some(answer)
    })
    .await;
    assert_eq!(element(&refused, "Code"), "AccessDenied");
    assert_eq!(ask(&cluster, EU, &alice, &assume("")).await.status, 403);
    let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22\
                  %3A%22kms%3AListKeys%22%2C%22Resource%22%3A%22*%22%7D%7D";
    let answer = ask(&cluster, EU, &alice, &assume(&format!("&ExternalId=apollo&Policy={policy}"))).await;
    let narrow = credentials(&answer);
    for region in REGIONS {
        let kms = cluster.direct_of_session(region, &narrow);
        eventually("the session is honoured", || async { kms.list_keys().send().await.ok() }).await;
        let refused = meridian_tests::aws::refused(kms.list_aliases().send().await);
        refused.is_code("AccessDeniedException");
        assert!(
            refused.message.ends_with("because no session policy allows the kms:ListAliases action"),
            "{refused:?}"
        );
    }
    let found = cluster.cli(&["audit", "search", "--operation", "AssumeRole", "--output", "json"]).done().stdout;
    assert!(found.contains("\"AssumeRole\"") && found.contains(&narrow.access_key), "{found}");
    assert!(!found.contains(&narrow.secret_key) && !found.contains(&narrow.token[..60]));
}
