"""Attested enclaves by boto3: `python -m attested_calls MERIDIAN`, with the binary under test.

The enclaves are make-believe (`harness.enclave`); the cluster is told of their authority.
"""

import datetime
import json
import sys
import tempfile
from pathlib import Path

import boto3

from harness import recording
from harness.checks import about, claim, equal, holds, refused, run
from harness.cluster import Cluster
from harness.enclave import Enclave, NitroSystem, recipient
from harness.regions import ACCOUNT, US, clients, create

system, enclave = NitroSystem(), Enclave(0xA0)
expired = NitroSystem(leaf_ends_in=-datetime.timedelta(seconds=1))
# Set by `main`, before any claim runs.
kms = {}


@claim
def every_operation_answers_for_the_enclave_alone():
    us, key_id, theirs = kms[US], create(kms[US]), {"Recipient": enclave.recipient(system)}
    blob = us.encrypt(KeyId=key_id, Plaintext=b"for the enclave")["CiphertextBlob"]
    answer = us.decrypt(CiphertextBlob=blob, **theirs)
    equal(enclave.open(answer["CiphertextForRecipient"]), b"for the enclave")
    equal(_members(answer), {"CiphertextForRecipient", "EncryptionAlgorithm", "KeyId"})

    answer = us.generate_data_key(KeyId=key_id, NumberOfBytes=100, **theirs)
    plain = us.decrypt(CiphertextBlob=answer["CiphertextBlob"])["Plaintext"]
    equal((enclave.open(answer["CiphertextForRecipient"]), len(plain)), (plain, 100))
    equal(_members(answer), {"CiphertextBlob", "CiphertextForRecipient", "KeyId"})

    for spec in ("RSA_4096", "ECC_NIST_P521", "ML_KEM_768"):
        with about(spec):
            answer = us.generate_data_key_pair(KeyId=key_id, KeyPairSpec=spec, **theirs)
            plain = us.decrypt(CiphertextBlob=answer["PrivateKeyCiphertextBlob"])["Plaintext"]
            equal(enclave.open(answer["CiphertextForRecipient"]), plain)
            holds("PrivateKeyPlaintext" not in answer and "KeyMaterialId" in answer, "no plaintext, but the material")

    answer = us.generate_random(NumberOfBytes=1024, **theirs)
    equal((len(enclave.open(answer["CiphertextForRecipient"])), _members(answer)), (1024, {"CiphertextForRecipient"}))

    agreement = create(us, KeySpec="ECC_NIST_P384", KeyUsage="KEY_AGREEMENT")
    peer = us.get_public_key(KeyId=create(us, KeySpec="ECC_NIST_P384", KeyUsage="KEY_AGREEMENT"))["PublicKey"]
    request = {"KeyId": agreement, "KeyAgreementAlgorithm": "ECDH", "PublicKey": peer}
    answer = us.derive_shared_secret(**request, **theirs)
    equal(enclave.open(answer["CiphertextForRecipient"]), us.derive_shared_secret(**request)["SharedSecret"])
    holds("SharedSecret" not in answer, "no plaintext")


@claim
def recipients_may_have_longer_keys():
    for bits in (3072, 4096):
        other = Enclave(1, key_bits=bits)
        answer = kms[US].generate_random(NumberOfBytes=16, Recipient=other.recipient(system))
        equal(len(other.open(answer["CiphertextForRecipient"])), 16)


@claim
def a_policy_asks_for_measurements():
    us, key_id = kms[US], create(kms[US])
    blob = us.encrypt(KeyId=key_id, Plaintext=b"guarded")["CiphertextBlob"]
    for name, number in (("ImageSha384", 0), ("PCR0", 0), ("PCR8", 8)):
        with about(name):
            measured = {f"kms:RecipientAttestation:{name}": enclave.registers[number].hex()}
            us.put_key_policy(KeyId=key_id, Policy=_policy(measured))
            answer = us.decrypt(CiphertextBlob=blob, Recipient=enclave.recipient(system))
            equal(enclave.open(answer["CiphertextForRecipient"]), b"guarded")
            refused("AccessDeniedException", None, us.decrypt, CiphertextBlob=blob)
            other = Enclave(0xB0).recipient(system)
            refused("AccessDeniedException", None, us.decrypt, CiphertextBlob=blob, Recipient=other)


@claim
def documents_that_are_not_believed_get_nothing():
    good = enclave.document(system)
    altered = bytes([*good[:-1], good[-1] ^ 1])
    cases = {
        "its root certificate is not trusted": enclave.document(NitroSystem()),
        "its signature is not valid": altered,
        "a certificate of it has expired or is not valid yet": enclave.document(expired),
        "it is too old": enclave.document(system, age_seconds=330),
        "its timestamp lies in the future": enclave.document(system, age_seconds=-330),
        "its public_key is missing or not as documented": enclave.document(system, public_key=None),
        "its public_key is not an RSA public key": enclave.document(system, public_key=b"key"),
        "it is not a COSE_Sign1 structure": b"\x80",
    }
    for reason, document in cases.items():
        text = f"The attestation document in the request is not valid: {reason}."
        with about(reason):
            call = kms[US].generate_random
            refused("ValidationException", text, call, NumberOfBytes=1, Recipient=recipient(document))
    holds(kms[US].generate_random(NumberOfBytes=1, Recipient=recipient(good)), "the good one is believed")


@claim
def a_dry_run_stays_one():
    us, key_id = kms[US], create(kms[US])
    arguments = {"KeyId": key_id, "KeySpec": "AES_256", "DryRun": True, "Recipient": enclave.recipient(system)}
    refused("DryRunOperationException", None, us.generate_data_key, **arguments)


def _members(answer):
    return set(answer) - {"ResponseMetadata"}


def _policy(measured):
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": {"StringNotEqualsIgnoreCase": measured},
        },
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def main():
    recording.suite("attested calls")
    with tempfile.TemporaryDirectory() as folder:
        arguments = []
        for number, trusted in enumerate((system, expired)):
            file = Path(folder) / f"root-{number}.pem"
            file.write_bytes(trusted.root_pem)
            arguments += ["--attestation-root", str(file)]
        with Cluster(sys.argv[1], *arguments) as cluster:
            kms.update(clients(cluster.endpoint))
            return run(f"boto3 {boto3.__version__}, {sys.argv[1]}")


if __name__ == "__main__":
    sys.exit(main())
