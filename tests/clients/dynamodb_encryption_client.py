"""The DynamoDB Encryption Client for Python with keys of a cluster: `python -m dynamodb_encryption_client ENDPOINT`.

Items are stored in a stub in this process; keys and everything about them come from the cluster. The branch keys of
the hierarchical keyring, which the newer libraries keep in DynamoDB, are here too.
"""

import logging
import sys
from importlib.metadata import version

import aws_encryption_sdk
from aws_cryptographic_material_providers.keystore import KeyStore
from aws_cryptographic_material_providers.keystore.config import KeyStoreConfig
from aws_cryptographic_material_providers.keystore.models import (
    CreateKeyInput,
    KMSConfigurationKmsMRKeyArn,
    KMSConfigurationMrDiscovery,
    MRDiscovery,
    VersionKeyInput,
)
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsHierarchicalKeyringInput
from dynamodb_encryption_sdk.encrypted.client import EncryptedClient
from dynamodb_encryption_sdk.encrypted.table import EncryptedTable
from dynamodb_encryption_sdk.exceptions import DynamodbEncryptionSdkError
from dynamodb_encryption_sdk.material_providers.aws_kms import AwsKmsCryptographicMaterialsProvider

from harness import recording
from harness.checks import claim, equal, eventually, fail, holds, passed, run
from harness.regions import AP, EU, US, arn, clients, create, material, replicate, session
from harness.stubs import DynamoDB, Table, serve

recording.suite("DynamoDB Encryption Client")
ENDPOINT = sys.argv[1]
us, eu, ap = clients(ENDPOINT).values()
# The library logs what it also raises.
logging.getLogger("dynamodb_encryption_sdk").setLevel(logging.CRITICAL + 1)
STORE, STORED = serve(DynamoDB)
STORED["orders"] = Table(["id"])
STORED["branch-keys"] = Table(["branch-key-id", "type"])
ITEM = {"id": "17", "name": "Märchenbuch", "pieces": 3, "tags": {"new", "red"}, "raw": b"\x00\xff"}


def provider(kms, key_id):
    region = kms.meta.region_name
    return AwsKmsCryptographicMaterialsProvider(
        arn(region, key_id), session(region)._session, regional_clients={region: kms}
    )


def table(kms, key_id):
    plain = session(kms.meta.region_name).resource("dynamodb", endpoint_url=STORE).Table("orders")
    return EncryptedTable(table=plain, materials_provider=provider(kms, key_id))


def everywhere():
    key_id = create(us, MultiRegion=True)
    replicate(us, eu, key_id)
    replicate(us, ap, key_id)
    return key_id


def plain(item):
    """The item without the members that the client adds, bytes as bytes."""
    return {name: bytes(value) if name == "raw" else value for name, value in item.items() if not name.startswith("*")}


@claim
def items_are_read_in_every_region():
    key_id = everywhere()
    for source in (us, eu, ap):
        table(source, key_id).put_item(Item=ITEM)
        kept = STORED["orders"].get({"id": {"S": "17"}})
        holds("B" in kept["name"] and "*amzn-ddb-map-sig*" in kept, "the stored item is encrypted and signed")
        for target in (us, eu, ap):
            equal(plain(table(target, key_id).get_item(Key={"id": "17"})["Item"]), ITEM)
            equal([plain(item) for item in table(target, key_id).scan()["Items"]], [ITEM])


@claim
def the_low_level_client_writes_and_reads_batches():
    key_id = everywhere()
    items = [{"id": {"S": str(number)}, "name": {"S": f"item {number}"}} for number in range(3)]

    def encrypted(kms):
        return EncryptedClient(
            client=session(kms.meta.region_name).client("dynamodb", endpoint_url=STORE),
            materials_provider=provider(kms, key_id),
        )

    encrypted(us).batch_write_item(RequestItems={"orders": [{"PutRequest": {"Item": item}} for item in items]})
    keys = [{"id": item["id"]} for item in items]
    found = encrypted(ap).batch_get_item(RequestItems={"orders": {"Keys": keys}})["Responses"]["orders"]
    equal([plain(item) for item in found], items)
    equal(plain(encrypted(eu).get_item(TableName="orders", Key=keys[1])["Item"]), items[1])


@claim
def changed_items_and_disabled_keys_are_refused():
    key_id = everywhere()
    table(us, key_id).put_item(Item=ITEM)
    us.disable_key(KeyId=key_id)
    refuses("a disabled key", table(us, key_id))
    equal(plain(table(ap, key_id).get_item(Key={"id": "17"})["Item"]), ITEM)
    kept = STORED["orders"].get({"id": {"S": "17"}})
    kept["name"], kept["pieces"] = kept["pieces"], kept["name"]
    refuses("swapped members", table(eu, key_id))


def refuses(what, encrypted_table):
    try:
        encrypted_table.get_item(Key={"id": "17"})
    except DynamodbEncryptionSdkError:
        return passed()
    return fail(f"{what}: this had to be refused")


@claim
def branch_keys_of_a_multi_region_key_serve_in_every_region():
    key_id = everywhere()
    sdk = aws_encryption_sdk.EncryptionSDKClient()
    mpl = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())

    def store(kms, configuration):
        return KeyStore(
            KeyStoreConfig(
                ddb_table_name="branch-keys",
                logical_key_store_name="branch-keys",
                kms_configuration=configuration,
                ddb_client=session(kms.meta.region_name).client("dynamodb", endpoint_url=STORE),
                kms_client=kms,
            )
        )

    def keyring(key_store):
        return mpl.create_aws_kms_hierarchical_keyring(
            CreateAwsKmsHierarchicalKeyringInput(key_store=key_store, branch_key_id=branch, ttl_seconds=60)
        )

    home = store(us, KMSConfigurationKmsMRKeyArn(arn(US, key_id)))
    branch = home.create_key(CreateKeyInput()).branch_key_identifier
    messages = [sdk.encrypt(source=b"first", keyring=keyring(home))[0]]
    home.version_key(VersionKeyInput(branch_key_identifier=branch))
    us.rotate_key_on_demand(KeyId=key_id)
    eventually(
        "the key has new material in every Region", lambda: len({material(kms, key_id) for kms in (us, eu, ap)}) == 1
    )
    messages.append(sdk.encrypt(source=b"second", keyring=keyring(home))[0])
    for kms, region in ((us, US), (eu, EU), (ap, AP)):
        for configuration in (
            KMSConfigurationKmsMRKeyArn(arn(region, key_id)),
            KMSConfigurationMrDiscovery(MRDiscovery(region=region)),
        ):
            read = [sdk.decrypt(source=message, keyring=keyring(store(kms, configuration)))[0] for message in messages]
            equal(read, [b"first", b"second"], region)


if __name__ == "__main__":
    sys.exit(
        run(
            f"dynamodb-encryption-sdk {version('dynamodb-encryption-sdk')}, "
            f"aws-cryptographic-material-providers {version('aws-cryptographic-material-providers')}, {ENDPOINT}"
        )
    )
