"""The AWS Encryption SDK for Python with keys of a development cluster: `python -m encryption_sdk ENDPOINT`.

What one Region encrypts another decrypts, by MRK-aware keyrings and providers, strict and by discovery; what is not
MRK-aware does not. Keyrings of the material providers library and the older master key providers read each other's
messages.
"""

import logging
import os
import sys

import aws_encryption_sdk
import boto3
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsDiscoveryKeyringInput,
    CreateAwsKmsEcdhKeyringInput,
    CreateAwsKmsKeyringInput,
    CreateAwsKmsMrkDiscoveryKeyringInput,
    CreateAwsKmsMrkDiscoveryMultiKeyringInput,
    CreateAwsKmsMrkKeyringInput,
    CreateAwsKmsMrkMultiKeyringInput,
    CreateAwsKmsRsaKeyringInput,
    DiscoveryFilter,
    KmsEcdhStaticConfigurationsKmsPrivateKeyToStaticPublicKey,
    KmsEcdhStaticConfigurationsKmsPublicKeyDiscovery,
    KmsPrivateKeyToStaticPublicKeyInput,
    KmsPublicKeyDiscoveryInput,
)
from aws_cryptographic_material_providers.mpl.references import IClientSupplier
from aws_encryption_sdk.identifiers import AlgorithmSuite
from aws_encryption_sdk.key_providers import kms as providers
from cryptography.hazmat.primitives import serialization

from harness import recording
from harness.checks import claim, equal, eventually, fail, passed, run
from harness.regions import ACCOUNT, AP, EU, US, arn, clients, create, material, replicate, session

recording.suite("AWS Encryption SDK")
ENDPOINT = sys.argv[1]
# The providers make clients of their own; they find the cluster as any program of AWS does.
os.environ["AWS_ENDPOINT_URL"] = ENDPOINT
us, eu, ap = clients(ENDPOINT).values()
BY_REGION = {US: us, EU: eu, AP: ap}
# The library logs what it also raises.
logging.getLogger("aws_encryption_sdk").setLevel(logging.CRITICAL + 1)
sdk = aws_encryption_sdk.EncryptionSDKClient()
mpl = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
FILTER = DiscoveryFilter(partition="aws", account_ids=[ACCOUNT])
OTHER_ACCOUNT = DiscoveryFilter(partition="aws", account_ids=["999999999999"])
PLAIN = b"carried from Region to Region " * 500
CONTEXT = {"purpose": "tests", "tenant": "Ä"}


class Clients(IClientSupplier):
    """Gives the keyrings the clients of the Regions."""

    def get_client(self, param):
        return BY_REGION[param.region]


def encrypted(keyring):
    return sdk.encrypt(source=PLAIN, keyring=keyring, encryption_context=CONTEXT)[0]


def reads(message, what, **arguments):
    """The message is read by a keyring or a provider."""
    plain, header = sdk.decrypt(source=message, **arguments)
    equal(plain, PLAIN, what)
    equal({name: header.encryption_context[name] for name in CONTEXT}, CONTEXT, what)


def refuses(message, what, **arguments):
    """The message is not read."""
    try:
        sdk.decrypt(source=message, **arguments)
    except Exception as error:
        # The two libraries have no class of errors in common; any other exception is a mistake of this test.
        if type(error).__module__.startswith(("aws_encryption_sdk", "aws_cryptographic_material_providers")):
            return passed()
        raise
    return fail(f"{what}: this had to be refused")


def mrk(kms, key_id):
    region = kms.meta.region_name
    return mpl.create_aws_kms_mrk_keyring(CreateAwsKmsMrkKeyringInput(kms_key_id=arn(region, key_id), kms_client=kms))


def plain_keyring(kms, key_arn):
    return mpl.create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=key_arn, kms_client=kms))


def mrk_discovery(kms, discovery_filter=FILTER):
    return mpl.create_aws_kms_mrk_discovery_keyring(
        CreateAwsKmsMrkDiscoveryKeyringInput(
            kms_client=kms, region=kms.meta.region_name, discovery_filter=discovery_filter
        )
    )


def botocore_session(region):
    """A session for the providers, whose clients are recorded."""
    inner = session(region)._session
    recording.attach_session(inner)
    return inner


def everywhere():
    """A key in all three Regions."""
    key_id = create(us, MultiRegion=True)
    replicate(us, eu, key_id)
    replicate(us, ap, key_id)
    return key_id


@claim
def mrk_keyrings_read_in_every_region_what_any_wrote():
    key_id = everywhere()
    for source in (us, eu, ap):
        message = encrypted(mrk(source, key_id))
        for target in (us, eu, ap):
            reads(message, f"{source.meta.region_name} to {target.meta.region_name}", keyring=mrk(target, key_id))


@claim
def keyrings_that_are_not_mrk_aware_stay_in_their_region():
    key_id = everywhere()
    message = encrypted(plain_keyring(us, arn(US, key_id)))
    reads(message, "the same Region", keyring=plain_keyring(us, arn(US, key_id)))
    refuses(message, "another Region", keyring=plain_keyring(eu, arn(EU, key_id)))
    reads(message, "another Region, MRK-aware", keyring=mrk(eu, key_id))


@claim
def discovery_finds_the_key_in_the_region_of_the_reader():
    key_id = everywhere()
    message = encrypted(mrk(us, key_id))
    for target in (us, eu, ap):
        reads(message, target.meta.region_name, keyring=mrk_discovery(target))
        refuses(message, "a filter for another account", keyring=mrk_discovery(target, OTHER_ACCOUNT))
    local = mpl.create_aws_kms_discovery_keyring(
        CreateAwsKmsDiscoveryKeyringInput(kms_client=eu, discovery_filter=FILTER)
    )
    refuses(message, "discovery that is not MRK-aware, elsewhere", keyring=local)
    several = mpl.create_aws_kms_mrk_discovery_multi_keyring(
        CreateAwsKmsMrkDiscoveryMultiKeyringInput(regions=[EU, AP], discovery_filter=FILTER, client_supplier=Clients())
    )
    reads(message, "discovery in two Regions", keyring=several)


@claim
def several_keys_encrypt_one_message_and_each_reads_it():
    first, second, single = everywhere(), create(ap, MultiRegion=True), create(eu)
    keyring = mpl.create_aws_kms_mrk_multi_keyring(
        CreateAwsKmsMrkMultiKeyringInput(
            generator=arn(US, first), kms_key_ids=[arn(AP, second), arn(EU, single)], client_supplier=Clients()
        )
    )
    message = encrypted(keyring)
    reads(message, "the generator's replica", keyring=mrk(ap, first))
    reads(message, "the second key", keyring=mrk(ap, second))
    reads(message, "the single-Region key", keyring=plain_keyring(eu, arn(EU, single)))
    refuses(message, "an unrelated key", keyring=mrk(us, everywhere()))


@claim
def messages_survive_rotation_and_a_new_primary():
    key_id = everywhere()
    older = encrypted(mrk(us, key_id))
    us.update_primary_region(KeyId=key_id, PrimaryRegion=AP)
    before = material(ap, key_id)
    ap.rotate_key_on_demand(KeyId=key_id)
    eventually(
        "every Region has the new material",
        lambda: len({material(kms, key_id) for kms in (us, eu, ap)} - {before}) == 1 and material(us, key_id) != before,
    )
    newer = encrypted(mrk(ap, key_id))
    for message in (older, newer):
        for target in (us, eu, ap):
            reads(message, target.meta.region_name, keyring=mrk_discovery(target))


@claim
def rsa_keys_wrap_data_keys_with_their_public_half():
    key_id = create(us, MultiRegion=True, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    replicate(us, eu, key_id)
    algorithm = "RSAES_OAEP_SHA_256"
    public = serialization.load_der_public_key(us.get_public_key(KeyId=key_id)["PublicKey"]).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for reader in (us, eu):
        region = reader.meta.region_name
        wraps = mpl.create_aws_kms_rsa_keyring(
            CreateAwsKmsRsaKeyringInput(
                kms_key_id=arn(region, key_id), public_key=public, encryption_algorithm=algorithm
            )
        )
        unwraps = mpl.create_aws_kms_rsa_keyring(
            CreateAwsKmsRsaKeyringInput(
                kms_key_id=arn(region, key_id), kms_client=reader, encryption_algorithm=algorithm
            )
        )
        # The key does not sign messages: its suite has no signature.
        message, _ = sdk.encrypt(
            source=PLAIN,
            keyring=wraps,
            encryption_context=CONTEXT,
            algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
        )
        reads(message, f"unwrapped in {region}", keyring=unwraps)


@claim
def keys_for_key_agreement_wrap_data_keys_between_two_parties():
    arguments = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"}
    sender, recipient = create(us, **arguments), create(eu, **arguments)
    public = {kms: kms.get_public_key(KeyId=key_id)["PublicKey"] for kms, key_id in ((us, sender), (eu, recipient))}
    between = KmsEcdhStaticConfigurationsKmsPrivateKeyToStaticPublicKey(
        KmsPrivateKeyToStaticPublicKeyInput(
            sender_kms_identifier=arn(US, sender), sender_public_key=public[us], recipient_public_key=public[eu]
        )
    )
    found = KmsEcdhStaticConfigurationsKmsPublicKeyDiscovery(
        KmsPublicKeyDiscoveryInput(recipient_kms_identifier=arn(EU, recipient))
    )
    message = encrypted(ecdh(us, between))
    reads(message, "the sender", keyring=ecdh(us, between))
    reads(message, "the recipient, by discovery", keyring=ecdh(eu, found))


def ecdh(kms, scheme):
    return mpl.create_aws_kms_ecdh_keyring(
        CreateAwsKmsEcdhKeyringInput(key_agreement_scheme=scheme, curve_spec="ECC_NIST_P256", kms_client=kms)
    )


@claim
def a_changed_data_key_is_refused():
    key_id = everywhere()
    message = encrypted(mrk(us, key_id))
    # The ciphertext of the data key comes behind the key's ARN and its own length, two bytes.
    name = arn(US, key_id).encode()
    start = message.index(name) + len(name) + 2
    length = int.from_bytes(message[start - 2 : start], "big")
    for place in (0, 1, length // 2, length - 1):
        changed = bytearray(message)
        changed[start + place] ^= 1
        refuses(bytes(changed), f"byte {place} of the data key changed", keyring=mrk(us, key_id))


@claim
def master_key_providers_and_keyrings_read_each_other():
    key_id = everywhere()
    strict = providers.MRKAwareStrictAwsKmsMasterKeyProvider
    from_us = strict(key_ids=[arn(US, key_id)], botocore_session=botocore_session(US))
    message, _ = sdk.encrypt(source=PLAIN, key_provider=from_us, encryption_context=CONTEXT)
    in_eu = strict(key_ids=[arn(EU, key_id)], botocore_session=botocore_session(EU))
    reads(message, "strict provider in another Region", key_provider=in_eu)
    reads(message, "keyring in another Region", keyring=mrk(ap, key_id))
    reads(encrypted(mrk(ap, key_id)), "provider reads the keyring's", key_provider=in_eu)
    plain = providers.StrictAwsKmsMasterKeyProvider(key_ids=[arn(EU, key_id)], botocore_session=botocore_session(EU))
    refuses(message, "a provider that is not MRK-aware", key_provider=plain)
    for region in (EU, AP):
        finding = providers.MRKAwareDiscoveryAwsKmsMasterKeyProvider(
            discovery_region=region,
            botocore_session=botocore_session(region),
            discovery_filter=providers.DiscoveryFilter(account_ids=[ACCOUNT], partition="aws"),
        )
        reads(message, f"MRK-aware discovery in {region}", key_provider=finding)
    # Discovery that is not MRK-aware asks the Region that the message names.
    finding = providers.DiscoveryAwsKmsMasterKeyProvider(botocore_session=botocore_session(EU))
    reads(message, "discovery by the message's own ARN", key_provider=finding)


if __name__ == "__main__":
    sys.exit(run(f"aws-encryption-sdk {aws_encryption_sdk.__version__}, boto3 {boto3.__version__}, {ENDPOINT}"))
