//! There are no custom key stores, and every operation on them says so to those who may ask.

use super::support::uses::by;
use super::support::{Cluster, admin, nobody};
use kms_service::operations::connect_custom_key_store::ConnectCustomKeyStoreRequest;
use kms_service::operations::create_custom_key_store::CreateCustomKeyStoreRequest;
use kms_service::operations::delete_custom_key_store::DeleteCustomKeyStoreRequest;
use kms_service::operations::describe_custom_key_stores::DescribeCustomKeyStoresRequest;
use kms_service::operations::disconnect_custom_key_store::DisconnectCustomKeyStoreRequest;
use kms_service::operations::update_custom_key_store::UpdateCustomKeyStoreRequest;
use kms_service::{Caller, KmsError};

const HERE: &str = "us-east-1";
const STORE: &str = "cks-1234567890abcdef0";

/// Every operation that names a store.
async fn on_a_store(cluster: &Cluster, caller: &Caller) -> [Result<(), KmsError>; 4] {
    let (service, custom_key_store_id) = (cluster.at(HERE), STORE.to_owned());
    let connect = ConnectCustomKeyStoreRequest { custom_key_store_id: custom_key_store_id.clone() };
    let disconnect = DisconnectCustomKeyStoreRequest { custom_key_store_id: custom_key_store_id.clone() };
    let update = UpdateCustomKeyStoreRequest { custom_key_store_id: custom_key_store_id.clone() };
    let delete = DeleteCustomKeyStoreRequest { custom_key_store_id };
    [
        service.connect_custom_key_store(by(caller, connect)).await.map(drop),
        service.disconnect_custom_key_store(by(caller, disconnect)).await.map(drop),
        service.update_custom_key_store(by(caller, update)).await.map(drop),
        service.delete_custom_key_store(by(caller, delete)).await.map(drop),
    ]
}

#[tokio::test]
async fn no_store_is_found_by_its_id() {
    let cluster = Cluster::new(&[HERE]);
    for answer in on_a_store(&cluster, &admin(()).caller).await {
        assert_eq!(answer, Err(KmsError::CustomKeyStoreNotFound(STORE.into())));
    }
}

#[tokio::test]
async fn none_is_created() {
    let cluster = Cluster::new(&[HERE]);
    let request = CreateCustomKeyStoreRequest { custom_key_store_name: "store".into() };
    let error = cluster.at(HERE).create_custom_key_store(admin(request)).await.unwrap_err();
    assert!(matches!(error, KmsError::UnsupportedOperation(Some(_))), "{error:?}");
}

#[tokio::test]
async fn description_of_all_is_empty_and_that_of_one_is_not_found() {
    let cluster = Cluster::new(&[HERE]);
    let describe = async |request: DescribeCustomKeyStoresRequest| {
        cluster.at(HERE).describe_custom_key_stores(admin(request)).await.map(drop)
    };
    let all = DescribeCustomKeyStoresRequest::default();
    assert_eq!(describe(all.clone()).await, Ok(()));
    assert_eq!(describe(DescribeCustomKeyStoresRequest { limit: Some(1000), ..all.clone() }).await, Ok(()));
    let by_id = DescribeCustomKeyStoresRequest { custom_key_store_id: Some(STORE.into()), ..all.clone() };
    let by_name = DescribeCustomKeyStoresRequest { custom_key_store_name: Some("store".into()), ..all.clone() };
    assert_eq!(describe(by_id.clone()).await, Err(KmsError::CustomKeyStoreNotFound(STORE.into())));
    assert_eq!(describe(by_name).await, Err(KmsError::CustomKeyStoreNotFound("store".into())));
    let by_both = DescribeCustomKeyStoresRequest { custom_key_store_name: Some("store".into()), ..by_id };
    assert!(matches!(describe(by_both).await, Err(KmsError::Validation(_))));
    let marker = Some("made up".to_owned());
    assert_eq!(describe(DescribeCustomKeyStoresRequest { marker, ..all }).await, Err(KmsError::InvalidMarker));
}

#[tokio::test]
async fn whoever_may_not_ask_is_denied_first() {
    let cluster = Cluster::new(&[HERE]);
    let service = cluster.at(HERE);
    let denied = |answer: Result<(), KmsError>| assert!(matches!(answer, Err(KmsError::AccessDenied(_))), "{answer:?}");
    for answer in on_a_store(&cluster, &nobody(()).caller).await {
        denied(answer);
    }
    let create = CreateCustomKeyStoreRequest { custom_key_store_name: "store".into() };
    denied(service.create_custom_key_store(nobody(create)).await.map(drop));
    denied(service.describe_custom_key_stores(nobody(Default::default())).await.map(drop));
}
