"""When a key was last used, and for what."""

import datetime

from harness.checks import about, claim, equal, eventually, holds
from harness.regions import create, replicate
from harness.specs import ENCRYPT, MAC, SIGN

from .world import eu, us


def last(kms, key_id):
    return kms.get_key_last_usage(KeyId=key_id).get("KeyLastUsage")


@claim
def a_key_that_was_never_used_says_so():
    key_id = create(us)
    answer = us.get_key_last_usage(KeyId=key_id)
    # Whether AWS answers with the ID or the ARN is not known.
    equal((answer["KeyId"], answer.get("KeyLastUsage", {})), (key_id, {}))
    equal(answer["KeyCreationDate"], us.describe_key(KeyId=key_id)["KeyMetadata"]["CreationDate"])
    holds(answer["TrackingStartDate"] >= answer["KeyCreationDate"], "tracking starts with the key")


@claim
def uses_are_noted_with_time_and_request():
    symmetric = create(us)
    signing = create(us, KeySpec="ECC_NIST_P256", KeyUsage=SIGN)
    mac = create(us, KeySpec="HMAC_256", KeyUsage=MAC)
    rsa = create(us, KeySpec="RSA_2048", KeyUsage=ENCRYPT)
    blob = us.encrypt(KeyId=symmetric, Plaintext=b"x")["CiphertextBlob"]
    uses = (
        (symmetric, "Decrypt", us.decrypt, {"CiphertextBlob": blob}),
        (symmetric, "GenerateDataKey", us.generate_data_key, {"KeyId": symmetric, "KeySpec": "AES_256"}),
        (
            symmetric,
            "GenerateDataKeyPairWithoutPlaintext",
            us.generate_data_key_pair_without_plaintext,
            {"KeyId": symmetric, "KeyPairSpec": "ECC_NIST_P256"},
        ),
        (symmetric, "ReEncrypt", us.re_encrypt, {"CiphertextBlob": blob, "DestinationKeyId": symmetric}),
        (signing, "Sign", us.sign, {"KeyId": signing, "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}),
        (mac, "GenerateMac", us.generate_mac, {"KeyId": mac, "Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}),
        (rsa, "Encrypt", us.encrypt, {"KeyId": rsa, "Plaintext": b"x", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}),
    )
    for key_id, operation, call, arguments in uses:
        with about(operation):
            metadata = call(**arguments)["ResponseMetadata"]
            eventually(
                "the use is noted",
                lambda key_id=key_id, operation=operation: (last(us, key_id) or {}).get("Operation") == operation,
            )
            noted = last(us, key_id)
            equal(noted["KmsRequestId"], metadata["RequestId"])
            holds(len(noted["CloudTrailEventId"]) == 36, "the event has an ID")
            age = datetime.datetime.now(datetime.UTC) - noted["Timestamp"]
            holds(datetime.timedelta(seconds=-5) < age < datetime.timedelta(minutes=2), f"the use is of now: {age}")
    us.get_public_key(KeyId=signing)
    equal(last(us, signing)["Operation"], "Sign", "GetPublicKey is not a use")


@claim
def related_keys_are_used_each_for_itself():
    key_id = create(us, MultiRegion=True)
    replicate(us, eu, key_id)
    eu.encrypt(KeyId=key_id, Plaintext=b"x")
    eventually("the replica's use is noted", lambda: (last(eu, key_id) or {}).get("Operation") == "Encrypt")
    equal(last(us, key_id) or {}, {})
