//! `Encrypt`, `Decrypt`, `ReEncrypt`, `GenerateDataKey`, `GenerateDataKeyWithoutPlaintext`, `GenerateRandom`.

use super::{NO_KEY, alias_arn, arn, cluster};
use aws_sdk_kms::types::{DataKeySpec, DryRunModifierType, EncryptionAlgorithmSpec, KeySpec, KeyUsageType};
use meridian_tests::{EU, US, blob, keys, refused};

const DRY_RUN: &str = "The request would have succeeded, but the DryRun option is set.";
const WRONG_KEY: &str = "The key ID in the request does not identify a CMK that can perform this operation.";

#[tokio::test]
async fn what_is_encrypted_is_decrypted_whatever_its_size_and_name() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    let alias = format!("alias/cryptography-{key_id}");
    kms.create_alias().alias_name(&alias).target_key_id(&key_id).send().await.unwrap();
    let names = [key_id.clone(), arn(US, &key_id), alias.clone(), alias_arn(US, &alias)];
    for (size, name) in [1, 32, 1000, 4096].into_iter().zip(names) {
        let plaintext: Vec<u8> = (0..size).map(|byte: u32| byte.to_le_bytes()[0]).collect();
        let encrypted = kms.encrypt().key_id(&name).plaintext(blob(&plaintext)).send().await.unwrap();
        assert_eq!(encrypted.key_id(), Some(arn(US, &key_id).as_str()));
        assert_eq!(encrypted.encryption_algorithm(), Some(&EncryptionAlgorithmSpec::SymmetricDefault));
        let ciphertext = encrypted.ciphertext_blob.unwrap();
        let decrypted = kms.decrypt().ciphertext_blob(ciphertext.clone()).send().await.unwrap();
        assert_eq!(decrypted.plaintext().unwrap().as_ref(), plaintext);
        assert_eq!(decrypted.key_id(), Some(arn(US, &key_id).as_str()));
        assert_eq!(decrypted.key_material_id().unwrap(), keys::material(&kms, &key_id).await);
        kms.decrypt().ciphertext_blob(ciphertext).key_id(&name).send().await.unwrap();
    }
    refused(kms.encrypt().key_id(&key_id).plaintext(blob([0; 4097])).send().await).is(
        "ValidationException",
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less \
         than or equal to 4096",
    );
    refused(kms.encrypt().key_id(&key_id).plaintext(blob([])).send().await).is_code("ValidationException");
}

#[tokio::test]
async fn the_encryption_context_has_to_be_the_same() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    let context = keys::context(&[("tenant", "7"), ("purpose", "Bestellungen für März")]);
    let encrypt = kms.encrypt().key_id(&key_id).plaintext(blob(b"x")).set_encryption_context(Some(context.clone()));
    let ciphertext = encrypt.send().await.unwrap().ciphertext_blob.unwrap();
    let decrypt = |context| kms.decrypt().ciphertext_blob(ciphertext.clone()).set_encryption_context(context).send();
    assert_eq!(decrypt(Some(context.clone())).await.unwrap().plaintext.unwrap().as_ref(), b"x");
    let wrong = [
        None,
        Some(keys::context(&[("tenant", "7")])),
        Some(keys::context(&[("tenant", "8"), ("purpose", "Bestellungen für März")])),
        Some(keys::context(&[("Tenant", "7"), ("purpose", "Bestellungen für März")])),
    ];
    for context in wrong {
        refused(decrypt(context).await).is("InvalidCiphertextException", "");
    }
}

#[tokio::test]
async fn a_changed_ciphertext_is_invalid_and_nothing_more_is_said() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    let ciphertext = keys::encrypt(&kms, &key_id, b"plaintext").await;
    // The last of the header, nonce, ciphertext, tag; the header's key ID would name another key.
    for at in [53, 60, 77, ciphertext.len() - 1] {
        let mut changed = ciphertext.clone();
        changed[at] ^= 1;
        refused(kms.decrypt().ciphertext_blob(blob(&changed)).send().await).is("InvalidCiphertextException", "");
    }
    for end in [1, 20, ciphertext.len() - 1] {
        let answer = kms.decrypt().ciphertext_blob(blob(&ciphertext[..end])).send().await;
        refused(answer).is("InvalidCiphertextException", "");
    }
    refused(kms.decrypt().ciphertext_blob(blob(b"no ciphertext at all")).send().await)
        .is("InvalidCiphertextException", "");
    refused(kms.decrypt().ciphertext_blob(blob([7; 6145])).send().await).is_code("ValidationException");
}

#[tokio::test]
async fn a_ciphertext_belongs_to_one_key() {
    let cluster = cluster();
    let (us, eu) = (cluster.kms(US), cluster.kms(EU));
    let (one, other) = (keys::create(&us).await, keys::create(&us).await);
    let ciphertext = keys::encrypt(&us, &one, b"x").await;
    let answer = us.decrypt().ciphertext_blob(blob(&ciphertext)).key_id(&other).send().await;
    refused(answer).is("IncorrectKeyException", WRONG_KEY);
    let answer = us.decrypt().ciphertext_blob(blob(&ciphertext)).key_id(NO_KEY).send().await;
    refused(answer).is_code("NotFoundException");
    // A single-Region key is not in another Region; AWS answers as for a key that the caller may not see.
    let refusal = refused(eu.decrypt().ciphertext_blob(blob(&ciphertext)).send().await);
    assert!(["AccessDeniedException", "NotFoundException"].contains(&refusal.code.as_str()), "{refusal:?}");
    assert_eq!(refusal.status, 400);
}

#[tokio::test]
async fn re_encryption_moves_a_ciphertext_to_another_key_and_context() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let (source, destination) = (keys::create(&kms).await, keys::create(&kms).await);
    let (before, after) = (keys::context(&[("a", "1")]), keys::context(&[("b", "2")]));
    let encrypt = kms.encrypt().key_id(&source).plaintext(blob(b"moved")).set_encryption_context(Some(before.clone()));
    let ciphertext = encrypt.send().await.unwrap().ciphertext_blob.unwrap();
    let moved = kms
        .re_encrypt()
        .ciphertext_blob(ciphertext.clone())
        .set_source_encryption_context(Some(before))
        .destination_key_id(&destination)
        .set_destination_encryption_context(Some(after.clone()))
        .send()
        .await
        .unwrap();
    assert_eq!(moved.source_key_id(), Some(arn(US, &source).as_str()));
    assert_eq!(moved.key_id(), Some(arn(US, &destination).as_str()));
    assert_eq!(moved.source_key_material_id().unwrap(), keys::material(&kms, &source).await);
    assert_eq!(moved.destination_key_material_id().unwrap(), keys::material(&kms, &destination).await);
    let decrypt = kms.decrypt().ciphertext_blob(moved.ciphertext_blob.unwrap()).set_encryption_context(Some(after));
    assert_eq!(decrypt.send().await.unwrap().plaintext.unwrap().as_ref(), b"moved");

    let without_context = kms.re_encrypt().ciphertext_blob(ciphertext.clone()).destination_key_id(&destination);
    refused(without_context.send().await).is("InvalidCiphertextException", "");
    let wrong_source = kms.re_encrypt().ciphertext_blob(ciphertext.clone()).source_key_id(&destination);
    refused(wrong_source.destination_key_id(&destination).send().await).is("IncorrectKeyException", WRONG_KEY);
    let unknown = kms.re_encrypt().ciphertext_blob(ciphertext).destination_key_id(NO_KEY);
    refused(unknown.send().await).is_code("NotFoundException");
}

#[tokio::test]
async fn data_keys_come_in_the_length_asked_for() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    for (spec, bytes) in [(DataKeySpec::Aes128, 16), (DataKeySpec::Aes256, 32)] {
        let made = kms.generate_data_key().key_id(&key_id).key_spec(spec).send().await.unwrap();
        assert_eq!(made.plaintext().unwrap().as_ref().len(), bytes);
        assert_eq!(made.key_id(), Some(arn(US, &key_id).as_str()));
        assert_eq!(made.key_material_id().unwrap(), keys::material(&kms, &key_id).await);
        let plaintext = made.plaintext.unwrap().into_inner();
        assert_eq!(keys::decrypt(&kms, made.ciphertext_blob.unwrap().as_ref()).await, plaintext);
    }
    let context = keys::context(&[("a", "1")]);
    let made = kms
        .generate_data_key_without_plaintext()
        .key_id(&key_id)
        .number_of_bytes(1024)
        .set_encryption_context(Some(context.clone()))
        .send()
        .await
        .unwrap();
    assert_eq!(made.key_material_id().unwrap(), keys::material(&kms, &key_id).await);
    let decrypt = kms.decrypt().ciphertext_blob(made.ciphertext_blob.unwrap()).set_encryption_context(Some(context));
    assert_eq!(decrypt.send().await.unwrap().plaintext.unwrap().as_ref().len(), 1024);

    let one_of_two = "Please specify either number of bytes or key spec.";
    refused(kms.generate_data_key().key_id(&key_id).send().await).is("ValidationException", one_of_two);
    let both = kms.generate_data_key().key_id(&key_id).key_spec(DataKeySpec::Aes256).number_of_bytes(32);
    refused(both.send().await).is("ValidationException", one_of_two);
    let neither = kms.generate_data_key_without_plaintext().key_id(&key_id).send().await;
    refused(neither).is("ValidationException", one_of_two);
    refused(kms.generate_data_key().key_id(&key_id).number_of_bytes(1025).send().await).is(
        "ValidationException",
        "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have \
         value less than or equal to 1024",
    );
}

#[tokio::test]
async fn random_bytes_come_in_the_length_asked_for() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    for bytes in [1, 32, 1024] {
        let random = kms.generate_random().number_of_bytes(bytes).send().await.unwrap().plaintext.unwrap();
        assert_eq!(random.as_ref().len(), usize::try_from(bytes).unwrap());
    }
    let draw = || async { kms.generate_random().number_of_bytes(32).send().await.unwrap().plaintext.unwrap() };
    assert_ne!(draw().await, draw().await);
    refused(kms.generate_random().send().await).is("ValidationException", "NumberOfBytes is required.");
    refused(kms.generate_random().number_of_bytes(0).send().await).is(
        "ValidationException",
        "1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have \
         value greater than or equal to 1",
    );
    refused(kms.generate_random().number_of_bytes(1025).send().await).is_code("ValidationException");
}

#[tokio::test]
async fn a_dry_run_says_that_it_would_have_worked_and_does_nothing() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    let ciphertext = blob(keys::encrypt(&kms, &key_id, b"x").await);
    let would_work = |refusal: meridian_tests::Refusal| refusal.is("DryRunOperationException", DRY_RUN);
    would_work(refused(kms.encrypt().key_id(&key_id).plaintext(blob(b"x")).dry_run(true).send().await));
    would_work(refused(kms.decrypt().ciphertext_blob(ciphertext.clone()).dry_run(true).send().await));
    let re_encrypt = kms.re_encrypt().ciphertext_blob(ciphertext.clone()).destination_key_id(&key_id).dry_run(true);
    would_work(refused(re_encrypt.send().await));
    would_work(refused(kms.generate_data_key().key_id(&key_id).number_of_bytes(8).dry_run(true).send().await));
    let without = kms.generate_data_key_without_plaintext().key_id(&key_id).number_of_bytes(8).dry_run(true);
    would_work(refused(without.send().await));
    let by_key = kms.decrypt().key_id(&key_id).dry_run(true).dry_run_modifiers(DryRunModifierType::IgnoreCiphertext);
    would_work(refused(by_key.send().await));
    // What would have failed fails as ever.
    let answer = kms.encrypt().key_id(NO_KEY).plaintext(blob(b"x")).dry_run(true).send().await;
    refused(answer).is_code("NotFoundException");
}

#[tokio::test]
async fn keys_and_algorithms_have_to_fit() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    let encrypt = kms.encrypt().key_id(&key_id).plaintext(blob(b"x"));
    let answer = encrypt.encryption_algorithm(EncryptionAlgorithmSpec::RsaesOaepSha256).send().await;
    refused(answer).is(
        "InvalidKeyUsageException",
        "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.",
    );
    let hmac = kms.create_key().key_spec(KeySpec::Hmac256).key_usage(KeyUsageType::GenerateVerifyMac).send().await;
    // Other key specs come with a later version; until then AWS's own refusal, and never a key that cannot be used.
    match hmac {
        Err(error) => assert_eq!(refused::<(), _>(Err(error)).status, 400),
        Ok(made) => {
            let key_id = made.key_metadata.unwrap().key_id;
            let text = format!("{} key usage is GENERATE_VERIFY_MAC which is not valid for Encrypt.", arn(US, &key_id));
            let answer = kms.encrypt().key_id(&key_id).plaintext(blob(b"x")).send().await;
            refused(answer).is("InvalidKeyUsageException", &text);
        }
    }
}
