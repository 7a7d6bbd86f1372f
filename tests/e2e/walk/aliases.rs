//! `CreateAlias`, `UpdateAlias`, `DeleteAlias`, `ListAliases`.

use super::{NO_KEY, alias_arn, cluster};
use meridian_tests::{EU, US, keys, refused};
use std::collections::BTreeSet;

#[tokio::test]
async fn an_alias_is_made_moved_and_removed() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let (first, second) = (keys::create(&kms).await, keys::create(&kms).await);
    let alias = format!("alias/moved-{first}");
    kms.create_alias().alias_name(&alias).target_key_id(&first).send().await.unwrap();
    let target = |kms: meridian_tests::Kms, alias: String| async move {
        kms.describe_key().key_id(alias).send().await.unwrap().key_metadata.unwrap().key_id
    };
    assert_eq!(target(kms.clone(), alias.clone()).await, first);
    let twice = kms.create_alias().alias_name(&alias).target_key_id(&second).send().await;
    let text = format!("An alias with the name {} already exists", alias_arn(US, &alias));
    refused(twice).is("AlreadyExistsException", &text);

    kms.update_alias().alias_name(&alias).target_key_id(&second).send().await.unwrap();
    assert_eq!(target(kms.clone(), alias_arn(US, &alias)).await, second);
    let listed = kms.list_aliases().key_id(&second).send().await.unwrap();
    let [entry] = listed.aliases() else { panic!("{listed:?}") };
    assert_eq!(entry.alias_name(), Some(alias.as_str()));
    assert_eq!(entry.alias_arn(), Some(alias_arn(US, &alias).as_str()));
    assert_eq!(entry.target_key_id(), Some(second.as_str()));
    assert!(entry.creation_date().is_some() && entry.last_updated_date() >= entry.creation_date());

    kms.delete_alias().alias_name(&alias).send().await.unwrap();
    let gone = format!("Alias {} is not found.", alias_arn(US, &alias));
    refused(kms.describe_key().key_id(&alias).send().await).is("NotFoundException", &gone);
    refused(kms.delete_alias().alias_name(&alias).send().await).is_code("NotFoundException");
    let answer = kms.update_alias().alias_name(&alias).target_key_id(&first).send().await;
    refused(answer).is_code("NotFoundException");
}

#[tokio::test]
async fn wrong_names_and_targets_are_refused() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    let create = |name: &str, target: &str| kms.create_alias().alias_name(name).target_key_id(target).send();
    refused(create("orders", &key_id).await).is(
        "ValidationException",
        "Alias must start with the prefix \"alias/\". Please see \
         https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
    );
    refused(create("alias/aws/orders", &key_id).await).is_code("NotAuthorizedException");
    let colon = refused(create("alias/a:b", &key_id).await);
    assert!(["ValidationException", "InvalidAliasNameException"].contains(&colon.code.as_str()), "{colon:?}");
    refused(create(&format!("alias/{}", "n".repeat(251)), &key_id).await).is_code("ValidationException");
    refused(create("alias/of-nothing", NO_KEY).await).is_code("NotFoundException");
    refused(create("alias/of-an-alias", "alias/another").await)
        .is("ValidationException", "Aliases must refer to keys. Not aliases");
}

#[tokio::test]
async fn aliases_belong_to_one_region() {
    let cluster = cluster();
    let (us, eu) = (cluster.kms(US), cluster.kms(EU));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    let alias = format!("alias/only-here-{key_id}");
    us.create_alias().alias_name(&alias).target_key_id(&key_id).send().await.unwrap();
    refused(eu.describe_key().key_id(&alias).send().await).is_code("NotFoundException");
    eu.create_alias().alias_name(&alias).target_key_id(&key_id).send().await.unwrap();
    let ciphertext = keys::encrypt(&us, &alias, b"x").await;
    assert_eq!(keys::decrypt(&eu, &ciphertext).await, b"x");
}

#[tokio::test]
async fn aliases_are_listed_page_by_page() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    let names: BTreeSet<String> = (0..7).map(|number| format!("alias/page-{key_id}-{number}")).collect();
    for name in &names {
        kms.create_alias().alias_name(name).target_key_id(&key_id).send().await.unwrap();
    }
    let (mut seen, mut marker) = (Vec::new(), None);
    loop {
        let page = kms.list_aliases().key_id(&key_id).limit(2).set_marker(marker).send().await.unwrap();
        assert!(page.aliases().len() <= 2);
        seen.extend(page.aliases().iter().map(|alias| alias.alias_name().unwrap().to_owned()));
        assert_eq!(page.truncated(), page.next_marker().is_some());
        marker = page.next_marker().map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    assert_eq!((seen.len(), seen.into_iter().collect::<BTreeSet<_>>()), (7, names));
    for limit in [0, 101] {
        refused(kms.list_aliases().limit(limit).send().await).is_code("ValidationException");
    }
    refused(kms.list_aliases().marker("no such marker").send().await).is_code("InvalidMarkerException");
    refused(kms.list_aliases().key_id(NO_KEY).send().await).is_code("NotFoundException");
}
