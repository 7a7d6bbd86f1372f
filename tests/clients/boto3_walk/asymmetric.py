"""RSA, ECC, ML-DSA and ML-KEM keys, and HMAC keys: answers in full, and what is refused with which text."""

from harness.checks import about, claim, equal, refused
from harness.regions import US, arn, create, material
from harness.specs import (
    ALGORITHMS_MEMBER,
    DIGEST_BYTES,
    ECDSA,
    ENCRYPT,
    HMAC,
    KINDS,
    MAC,
    OAEP_MAX,
    RSA,
    RSA_SIGNING,
    SIGN,
)

from .world import us


@claim
def a_public_key_comes_with_what_it_is_for():
    for kind in KINDS:
        if kind.asymmetric:
            with about(kind):
                key_id = create(us, **kind.arguments())
                answer = us.get_public_key(KeyId=key_id)
                answer.pop("ResponseMetadata")
                answer.pop("CustomerMasterKeySpec", None)
                answer["PublicKey"] = type(answer["PublicKey"])
                member = ALGORITHMS_MEMBER[kind.usage]
                answer[member] = sorted(answer.get(member, ()))
                equal(
                    answer,
                    {
                        "KeyId": arn(US, key_id),
                        "PublicKey": bytes,
                        "KeySpec": kind.spec,
                        "KeyUsage": kind.usage,
                        member: sorted(kind.algorithms),
                    },
                )
    for spec, usage in (("SYMMETRIC_DEFAULT", ENCRYPT), ("HMAC_256", MAC)):
        refused(
            "UnsupportedOperationException", None, us.get_public_key, KeyId=create(us, KeySpec=spec, KeyUsage=usage)
        )


@claim
def rsa_keys_encrypt_up_to_the_length_of_their_padding():
    for spec in RSA:
        key_id = create(us, KeySpec=spec, KeyUsage=ENCRYPT)
        for algorithm, bits in (("RSAES_OAEP_SHA_1", 1), ("RSAES_OAEP_SHA_256", 256)):
            longest = OAEP_MAX[spec, bits]
            arguments = {"KeyId": key_id, "EncryptionAlgorithm": algorithm}
            us.encrypt(Plaintext=bytes(longest), **arguments)
            refused(
                "ValidationException",
                f"Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {longest} bytes.",
                us.encrypt,
                Plaintext=bytes(longest + 1),
                **arguments,
            )
        refused(
            "InvalidKeyUsageException",
            f"Algorithm SYMMETRIC_DEFAULT is incompatible with key spec {spec}.",
            us.encrypt,
            KeyId=key_id,
            Plaintext=b"x",
        )
        blob = us.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_1")["CiphertextBlob"]
        refused(
            "InvalidCiphertextException",
            "",
            us.decrypt,
            KeyId=key_id,
            CiphertextBlob=blob,
            EncryptionAlgorithm="RSAES_OAEP_SHA_256",
        )
        refused("InvalidCiphertextException", "", us.decrypt, CiphertextBlob=blob)
    signing = create(us, KeySpec="RSA_2048", KeyUsage=SIGN)
    refused(
        "InvalidKeyUsageException",
        f"{arn(US, signing)} key usage is SIGN_VERIFY which is not valid for Decrypt.",
        us.decrypt,
        KeyId=signing,
        CiphertextBlob=blob,
        EncryptionAlgorithm="RSAES_OAEP_SHA_1",
    )


@claim
def ciphertext_moves_between_symmetric_and_rsa_keys():
    symmetric, rsa = create(us), create(us, KeySpec="RSA_2048", KeyUsage=ENCRYPT)
    oaep = "RSAES_OAEP_SHA_256"
    blob = us.encrypt(KeyId=symmetric, Plaintext=b"moved")["CiphertextBlob"]
    there = us.re_encrypt(CiphertextBlob=blob, DestinationKeyId=rsa, DestinationEncryptionAlgorithm=oaep)
    equal((there["SourceEncryptionAlgorithm"], there["DestinationEncryptionAlgorithm"]), ("SYMMETRIC_DEFAULT", oaep))
    equal((there["SourceKeyMaterialId"], "DestinationKeyMaterialId" in there), (material(us, symmetric), False))
    back = us.re_encrypt(
        CiphertextBlob=there["CiphertextBlob"],
        SourceKeyId=rsa,
        SourceEncryptionAlgorithm=oaep,
        DestinationKeyId=symmetric,
    )
    equal(("SourceKeyMaterialId" in back, back["DestinationKeyMaterialId"]), (False, material(us, symmetric)))
    equal(us.decrypt(CiphertextBlob=back["CiphertextBlob"])["Plaintext"], b"moved")


@claim
def digests_have_the_length_of_the_hash():
    keys = [(create(us, KeySpec="RSA_2048", KeyUsage=SIGN), RSA_SIGNING)]
    keys += [(create(us, KeySpec=spec, KeyUsage=SIGN), (f"ECDSA_SHA_{bits}",)) for spec, bits in ECDSA.items()]
    for key_id, algorithms in keys:
        for algorithm in algorithms:
            right = DIGEST_BYTES[int(algorithm.rsplit("_", 1)[1])]
            arguments = {"KeyId": key_id, "MessageType": "DIGEST", "SigningAlgorithm": algorithm}
            signature = us.sign(Message=bytes(right), **arguments)["Signature"]
            for wrong in (right - 1, right + 1, 1):
                text = f"Digest is invalid length for algorithm {algorithm}."
                refused("ValidationException", text, us.sign, Message=bytes(wrong), **arguments)
                refused("ValidationException", text, us.verify, Message=bytes(wrong), Signature=signature, **arguments)


@claim
def algorithms_of_other_specs_are_refused():
    every = sorted({algorithm for kind in KINDS if kind.usage == SIGN for algorithm in kind.algorithms})
    for kind in KINDS:
        if kind.usage == SIGN:
            key_id = create(us, **kind.arguments())
            for algorithm in sorted(set(every) - set(kind.algorithms)):
                text = f"Algorithm {algorithm} is incompatible with key spec {kind.spec}."
                refused(
                    "InvalidKeyUsageException", text, us.sign, KeyId=key_id, Message=b"x", SigningAlgorithm=algorithm
                )
                refused(
                    "InvalidKeyUsageException",
                    text,
                    us.verify,
                    KeyId=key_id,
                    Message=b"x",
                    Signature=bytes(64),
                    SigningAlgorithm=algorithm,
                )


@claim
def signatures_and_macs_that_do_not_fit_are_errors_without_a_message():
    signing = create(us, KeySpec="ECC_NIST_P256", KeyUsage=SIGN)
    arguments = {"KeyId": signing, "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = us.sign(Message=b"x", **arguments)["Signature"]
    for wrong in (signature[:-1], signature + b"x", b"nonsense", bytes(6144)):
        refused("KMSInvalidSignatureException", "", us.verify, Message=b"x", Signature=wrong, **arguments)
    refused("KMSInvalidSignatureException", "", us.verify, Message=b"y", Signature=signature, **arguments)
    for spec in HMAC:
        algorithm = spec.replace("_", "_SHA_")
        arguments = {"KeyId": create(us, KeySpec=spec, KeyUsage=MAC), "MacAlgorithm": algorithm}
        mac = us.generate_mac(Message=b"x", **arguments)["Mac"]
        for wrong in (mac[:-1], mac + b"x", bytes(len(mac))):
            refused("KMSInvalidMacException", "", us.verify_mac, Message=b"x", Mac=wrong, **arguments)
        refused("KMSInvalidMacException", "", us.verify_mac, Message=b"y", Mac=mac, **arguments)


@claim
def mac_algorithms_go_with_their_own_spec_alone():
    for spec in HMAC:
        key_id = create(us, KeySpec=spec, KeyUsage=MAC)
        for other in HMAC:
            if other != spec:
                algorithm = other.replace("_", "_SHA_")
                text = f"Algorithm {algorithm} is incompatible with key spec {spec}."
                refused(
                    "InvalidKeyUsageException",
                    text,
                    us.generate_mac,
                    KeyId=key_id,
                    Message=b"x",
                    MacAlgorithm=algorithm,
                )
                refused(
                    "InvalidKeyUsageException",
                    text,
                    us.verify_mac,
                    KeyId=key_id,
                    Message=b"x",
                    Mac=b"x",
                    MacAlgorithm=algorithm,
                )
