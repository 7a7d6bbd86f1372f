//! GenerateMac and VerifyMac.

use super::support::uses::{mac, secret, verify_mac};
use super::support::{ACCOUNT, Cluster, admin};
use kms_service::KmsError;
use kms_service::operations::generate_mac::GenerateMacRequest;
use kms_service::operations::verify_mac::VerifyMacRequest;
use kms_types::{KeySpec, KeyUsage, MacAlgorithm};

const HERE: &str = "us-east-1";

#[tokio::test]
async fn mac_is_as_long_as_its_hash_and_verifies_under_its_message_alone() {
    let cluster = Cluster::new(&[HERE]);
    let service = cluster.at(HERE);
    for (spec, mac_algorithm, length) in [
        (KeySpec::Hmac224, MacAlgorithm::HmacSha224, 28),
        (KeySpec::Hmac256, MacAlgorithm::HmacSha256, 32),
        (KeySpec::Hmac384, MacAlgorithm::HmacSha384, 48),
        (KeySpec::Hmac512, MacAlgorithm::HmacSha512, 64),
    ] {
        let key_id = cluster.key_of(HERE, spec, KeyUsage::GenerateVerifyMac).await;
        let made = service.generate_mac(admin(GenerateMacRequest { mac_algorithm, ..mac(&key_id, false) })).await;
        let made = made.unwrap();
        assert_eq!((made.mac.len(), made.mac_algorithm), (length, mac_algorithm));
        assert_eq!(&*made.key_id, format!("arn:aws:kms:{HERE}:{ACCOUNT}:key/{key_id}"));
        let good = VerifyMacRequest { mac_algorithm, ..verify_mac(&key_id, &made.mac, false) };
        let verified = service.verify_mac(admin(good.clone())).await.unwrap();
        assert_eq!((verified.key_id, verified.mac_algorithm), (made.key_id, mac_algorithm));
        let mut forged = made.mac.clone();
        forged[0] ^= 1;
        let longer = [made.mac.as_slice(), &[0]].concat();
        for bad in [
            VerifyMacRequest { message: secret(b"another"), ..good.clone() },
            VerifyMacRequest { mac: forged, ..good.clone() },
            VerifyMacRequest { mac: made.mac[..length - 1].to_vec(), ..good.clone() },
            VerifyMacRequest { mac: longer, dry_run: true, ..good.clone() },
        ] {
            assert_eq!(service.verify_mac(admin(bad)).await.unwrap_err(), KmsError::InvalidMac);
        }
    }
}

#[tokio::test]
async fn algorithm_of_another_spec_is_refused_with_the_text_of_aws() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key_of(HERE, KeySpec::Hmac224, KeyUsage::GenerateVerifyMac).await;
    let text = "Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_224.";
    let error = cluster.at(HERE).generate_mac(admin(mac(&key_id, true))).await.unwrap_err();
    assert_eq!(error.to_string(), text);
    let error = cluster.at(HERE).verify_mac(admin(verify_mac(&key_id, b"mac", true))).await.unwrap_err();
    assert_eq!(error.to_string(), text);
    assert!(matches!(error, KmsError::IncompatibleAlgorithm { .. }));
}

#[tokio::test]
async fn other_keys_give_other_macs_and_related_keys_the_same() {
    const THERE: &str = "eu-west-1";
    let cluster = Cluster::new(&[HERE, THERE]);
    let request = kms_service::operations::create_key::CreateKeyRequest {
        multi_region: true,
        ..super::support::uses::of_kind((KeySpec::Hmac256, KeyUsage::GenerateVerifyMac))
    };
    let key_id = cluster.create(HERE, request).await.arn.key_id.to_string();
    cluster.settle().await;
    cluster.replicate(HERE, &key_id, THERE).await.unwrap();
    cluster.settle().await;
    let other = cluster.key_of(HERE, KeySpec::Hmac256, KeyUsage::GenerateVerifyMac).await;
    let of = async |at, key_id: &str| cluster.at(at).generate_mac(admin(mac(key_id, false))).await.unwrap().mac;
    assert_eq!(of(HERE, &key_id).await, of(THERE, &key_id).await);
    assert_ne!(of(HERE, &key_id).await, of(HERE, &other).await);
}
