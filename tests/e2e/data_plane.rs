//! The data plane over gRPC: the same answers as over the AWS wire, with mutual TLS, and only for the right certificates.

use kms_proto::cluster::v1::StatusRequest;
use kms_proto::cluster::v1::cluster_client::ClusterClient;
use kms_proto::kms::v1::kms_client::KmsClient;
use kms_proto::kms::v1::{
    DecryptRequest, EncryptRequest, GenerateDataKeyRequest, GenerateRandomRequest, PromoteRequest, ReEncryptRequest,
};
use meridian_tests::mutual_tls::{Identity, connect};
use meridian_tests::{AP, Cluster, EU, Shared, US, blob, http1, keys};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tonic::transport::Channel;
use tonic::{Code, Status};

fn cluster() -> Shared {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    Shared(CLUSTER.get_or_init(Cluster::start))
}

fn authority(cluster: &Cluster) -> PathBuf {
    cluster.data_dir().join("ca/ca.pem")
}

fn principal(cluster: &Cluster) -> Identity {
    Identity::named(&cluster.data_dir(), "principal-meridian")
}

async fn client(cluster: &Cluster, region: &str) -> KmsClient<Channel> {
    let channel = connect(&cluster.grpc(region), region, &authority(cluster), Some(&principal(cluster))).await;
    KmsClient::new(channel.unwrap())
}

fn code_of(status: &Status) -> Option<&str> {
    status.metadata().get("x-meridian-error").and_then(|code| code.to_str().ok())
}

#[tokio::test]
async fn both_wires_do_the_same() {
    let cluster = cluster();
    let aws = cluster.direct(US);
    let mut grpc = client(&cluster, US).await;
    let key_id = keys::create(&aws).await;
    let context = keys::context(&[("tenant", "7")]);
    let encryption_context = context.clone().into_iter().collect();
    let request = EncryptRequest { key_id: key_id.clone(), plaintext: b"over gRPC".to_vec(), encryption_context };
    let encrypted = grpc.encrypt(request).await.unwrap().into_inner();
    assert_eq!(encrypted.key_id, format!("arn:aws:kms:us-east-1:111122223333:key/{key_id}"));
    let decrypt = aws.decrypt().ciphertext_blob(blob(&encrypted.ciphertext_blob)).set_encryption_context(Some(context));
    assert_eq!(decrypt.send().await.unwrap().plaintext.unwrap().as_ref(), b"over gRPC");

    let request = GenerateDataKeyRequest { key_id: key_id.clone(), number_of_bytes: 32, ..Default::default() };
    let data_key = grpc.generate_data_key(request).await.unwrap().into_inner();
    assert_eq!(data_key.plaintext.len(), 32);
    let request = ReEncryptRequest {
        ciphertext_blob: data_key.ciphertext_blob,
        destination_key_id: key_id.clone(),
        destination_encryption_context: [("b".to_owned(), "2".to_owned())].into(),
        ..Default::default()
    };
    let moved = grpc.re_encrypt(request).await.unwrap().into_inner();
    let request = DecryptRequest {
        ciphertext_blob: moved.ciphertext_blob,
        encryption_context: [("b".to_owned(), "2".to_owned())].into(),
        key_id: key_id.clone(),
    };
    let decrypted = grpc.decrypt(request).await.unwrap().into_inner();
    assert_eq!(decrypted.plaintext, data_key.plaintext);
    assert_eq!(decrypted.key_material_id, keys::material(&aws, &key_id).await);
    let drawn = grpc.generate_random(GenerateRandomRequest { number_of_bytes: 24 }).await.unwrap().into_inner();
    assert_eq!(drawn.plaintext.len(), 24);
}

#[tokio::test]
async fn calls_are_counted_by_operation_and_outcome() {
    let cluster = Cluster::start();
    let mut grpc = client(&cluster, US).await;
    drop(grpc.generate_random(GenerateRandomRequest { number_of_bytes: 24 }).await.unwrap());
    drop(grpc.generate_random(GenerateRandomRequest { number_of_bytes: 0 }).await.unwrap_err());
    let told = http1::get(&cluster.operations(US), "/metrics").await.body;
    let told = String::from_utf8(told).unwrap();
    let count = |outcome: &str| {
        let series = format!("meridian_grpc_calls_total{{operation=\"GenerateRandom\",outcome=\"{outcome}\"}} ");
        told.lines().find_map(|line| line.strip_prefix(&series)).map(str::to_owned)
    };
    assert_eq!(count("Success").as_deref(), Some("1"), "{told}");
    assert_eq!(count("ValidationException").as_deref(), Some("1"), "{told}");
    assert!(told.contains("meridian_grpc_call_seconds_count{operation=\"GenerateRandom\"} 2"), "{told}");
}

#[tokio::test]
async fn errors_carry_the_aws_code() {
    let cluster = cluster();
    let mut grpc = client(&cluster, US).await;
    let aws = cluster.direct(US);
    let key_id = keys::create(&aws).await;
    aws.disable_key().key_id(&key_id).send().await.unwrap();
    let encrypt = |key_id: &str, plaintext: Vec<u8>| EncryptRequest {
        key_id: key_id.to_owned(),
        plaintext,
        ..Default::default()
    };
    let status = grpc.encrypt(encrypt(&key_id, vec![1])).await.unwrap_err();
    assert_eq!((status.code(), code_of(&status)), (Code::FailedPrecondition, Some("DisabledException")));
    let status = grpc.encrypt(encrypt("alias/nothing", vec![1])).await.unwrap_err();
    assert_eq!((status.code(), code_of(&status)), (Code::NotFound, Some("NotFoundException")));
    let status = grpc.encrypt(encrypt(&key_id, vec![1; 4097])).await.unwrap_err();
    assert_eq!((status.code(), code_of(&status)), (Code::InvalidArgument, Some("ValidationException")));
    let wrong = DecryptRequest { ciphertext_blob: b"nonsense".to_vec(), ..Default::default() };
    let status = grpc.decrypt(wrong).await.unwrap_err();
    assert_eq!((status.code(), code_of(&status)), (Code::InvalidArgument, Some("InvalidCiphertextException")));
    let status = grpc.generate_random(GenerateRandomRequest { number_of_bytes: 0 }).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_promotion_is_planned_and_a_stale_plan_refused() {
    let cluster = cluster();
    let (us, eu) = (cluster.direct(US), cluster.direct(EU));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    // Asked in a Region that does not hold the key.
    let mut grpc = client(&cluster, AP).await;
    let ask = |plan_hash: &str| PromoteRequest {
        key_id: key_id.clone(),
        to_region: EU.to_owned(),
        plan_hash: plan_hash.to_owned(),
    };
    let planned = grpc.promote(ask("")).await.unwrap().into_inner();
    let plan = planned.plan.unwrap();
    assert!(planned.result.is_none() && plan.obstacles.is_empty() && plan.would_be_lost.is_empty(), "{plan:?}");
    assert_eq!((plan.from_region.as_str(), plan.epoch), (US, 1));
    let status = grpc.promote(ask("another plan")).await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted, "{status:?}");
    let promoted = grpc.promote(ask(&plan.plan_hash)).await.unwrap().into_inner();
    assert_eq!(promoted.result.unwrap().epoch, 2);
    let status = grpc.promote(ask(&plan.plan_hash)).await.unwrap_err();
    assert_ne!(status.code(), Code::Ok);
}

/// What a caller with this identity gets for a GenerateRandom: nothing, or why not.
async fn try_data_plane(cluster: &Cluster, authority: &Path, identity: Option<&Identity>) -> Result<(), Code> {
    let connected = connect(&cluster.grpc(US), US, authority, identity).await;
    // With TLS 1.3 a client learns only with the first answer that its certificate was refused.
    let Ok(channel) = connected else { return Err(Code::Unavailable) };
    let answer = KmsClient::new(channel).generate_random(GenerateRandomRequest { number_of_bytes: 1 }).await;
    answer.map(drop).map_err(|status| status.code())
}

#[tokio::test]
async fn only_a_principals_certificate_opens_the_data_plane() {
    let cluster = cluster();
    let authority = authority(&cluster);
    let data = cluster.data_dir();
    let with = async |identity: &Identity| try_data_plane(&cluster, &authority, Some(identity)).await;
    assert_eq!(with(&principal(&cluster)).await, Ok(()));
    assert_eq!(with(&Identity::named(&data, "operator")).await, Err(Code::PermissionDenied));
    assert_eq!(with(&Identity::named(&data.join(EU), "node")).await, Err(Code::PermissionDenied));
    assert!(try_data_plane(&cluster, &authority, None).await.is_err());

    let other = Cluster::start();
    assert!(with(&principal(&other)).await.is_err(), "another authority's certificate was let in");
    // And a client that trusts another authority does not talk to this server.
    let theirs = other.data_dir().join("ca/ca.pem");
    let distrusted = connect(&cluster.grpc(US), US, &theirs, Some(&principal(&cluster))).await;
    distrusted.unwrap_err();
    // The certificate names one Region: it does not pass for another.
    let elsewhere = connect(&cluster.grpc(US), EU, &authority, Some(&principal(&cluster))).await;
    elsewhere.unwrap_err();
}

#[tokio::test]
async fn only_an_operators_certificate_opens_the_operators_view() {
    let cluster = cluster();
    let data = cluster.data_dir();
    let ask = async |identity: Identity| {
        let channel = connect(&cluster.grpc(US), US, &authority(&cluster), Some(&identity)).await.unwrap();
        ClusterClient::new(channel).status(StatusRequest {}).await.map(drop).map_err(|status| status.code())
    };
    assert_eq!(ask(Identity::named(&data, "operator")).await, Ok(()));
    assert_eq!(ask(principal(&cluster)).await, Err(Code::PermissionDenied));
    assert_eq!(ask(Identity::named(&data.join(AP), "node")).await, Err(Code::PermissionDenied));
}
