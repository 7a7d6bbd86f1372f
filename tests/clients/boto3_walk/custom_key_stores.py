"""Custom key stores: there are none here, and none can be made (design.md §5)."""

from harness.checks import claim, equal, refused

from .world import us

STORE = "cks-1234567890abcdef0"


@claim
def there_are_no_custom_key_stores():
    answer = us.describe_custom_key_stores()
    equal((answer["CustomKeyStores"], answer["Truncated"]), ([], False))
    for call in (us.connect_custom_key_store, us.disconnect_custom_key_store, us.delete_custom_key_store):
        refused("CustomKeyStoreNotFoundException", None, call, CustomKeyStoreId=STORE)
    refused(
        "CustomKeyStoreNotFoundException",
        None,
        us.update_custom_key_store,
        CustomKeyStoreId=STORE,
        NewCustomKeyStoreName="other",
    )
    refused("CustomKeyStoreNotFoundException", None, us.describe_custom_key_stores, CustomKeyStoreId=STORE)
    refused("CustomKeyStoreNotFoundException", None, us.generate_random, NumberOfBytes=1, CustomKeyStoreId=STORE)


@claim
def none_can_be_made():
    refused(
        "UnsupportedOperationException",
        None,
        us.create_custom_key_store,
        CustomKeyStoreName="mine",
        CloudHsmClusterId="cluster-2a23b4cdefg",
        KeyStorePassword="password",
        TrustAnchorCertificate="certificate",
    )
    refused(
        "UnsupportedOperationException",
        None,
        us.create_custom_key_store,
        CustomKeyStoreName="mine",
        CustomKeyStoreType="EXTERNAL_KEY_STORE",
        XksProxyConnectivity="PUBLIC_ENDPOINT",
        XksProxyUriEndpoint="https://proxy.example.com",
        XksProxyUriPath="/kms/xks/v1",
        XksProxyAuthenticationCredential={"AccessKeyId": "ABCDE23456723EXAMPLE", "RawSecretAccessKey": "x" * 43},
    )
