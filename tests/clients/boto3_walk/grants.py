"""Grants: made, listed, used, constrained, handed on, retired and revoked."""

import re

from harness.checks import claim, equal, holds, refused
from harness.regions import ACCOUNT, ALICE, BOB, STRANGER, US, arn, client, create
from harness.specs import MAC, SIGN

from .world import ENDPOINT, us

alice, bob, stranger = (client(ENDPOINT, US, who.access_key, who.secret_key) for who in (ALICE, BOB, STRANGER))
CONTEXT = {"tenant": "7", "purpose": "tests"}


def grant(key_id, who, *operations, by=us, **arguments):
    """A grant's ID and token."""
    made = by.create_grant(KeyId=key_id, GranteePrincipal=who.arn, Operations=list(operations), **arguments)
    return made["GrantId"], made["GrantToken"]


def listed(key_id, **arguments):
    pages = us.get_paginator("list_grants").paginate(KeyId=key_id, **arguments)
    return [entry for page in pages for entry in page["Grants"]]


def denied(call, **arguments):
    refused("AccessDeniedException", None, call, **arguments)


@claim
def a_grant_is_listed_with_all_that_was_asked_for():
    key_id = create(us)
    constraints = {"EncryptionContextSubset": {"tenant": "7"}}
    grant_id, token = grant(
        key_id, ALICE, "Encrypt", "Decrypt", RetiringPrincipal=BOB.arn, Name="the-first", Constraints=constraints
    )
    holds(re.fullmatch("[0-9a-f]{64}", grant_id) is not None, f"64 hex digits: {grant_id}")
    (entry,) = listed(key_id)
    entry.pop("CreationDate")
    entry["Operations"] = sorted(entry["Operations"])
    equal(
        entry,
        {
            "KeyId": arn(US, key_id),
            "GrantId": grant_id,
            "Name": "the-first",
            "GranteePrincipal": ALICE.arn,
            "RetiringPrincipal": BOB.arn,
            "IssuingAccount": f"arn:aws:iam::{ACCOUNT}:root",
            "Operations": ["Decrypt", "Encrypt"],
            "Constraints": constraints,
        },
    )
    exact = {"EncryptionContextEquals": CONTEXT}
    other, _ = grant(key_id, ALICE, "Encrypt", RetiringPrincipal=BOB.arn, Constraints=exact)
    equal(
        [entry["Constraints"] for entry in [*listed(key_id), *retirable(BOB)] if entry["GrantId"] == other], [exact] * 2
    )
    unnamed, _ = grant(key_id, ALICE, "Encrypt")
    equal([entry["Name"] for entry in listed(key_id, GrantId=unnamed)], [""])
    equal(token == grant(key_id, ALICE, "Encrypt")[1], False, "every token is unique")


@claim
def a_grant_lets_its_grantee_do_what_it_names_and_nothing_else():
    key_id = create(us)
    denied(alice.encrypt, KeyId=key_id, Plaintext=b"x")
    grant_id, token = grant(key_id, ALICE, "Encrypt", "DescribeKey")
    blob = alice.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    alice.encrypt(KeyId=key_id, Plaintext=b"x", GrantTokens=[token])
    alice.describe_key(KeyId=key_id)
    denied(alice.decrypt, CiphertextBlob=blob)
    denied(alice.generate_data_key, KeyId=key_id, KeySpec="AES_256")
    denied(bob.encrypt, KeyId=key_id, Plaintext=b"x")
    denied(alice.disable_key, KeyId=key_id)
    us.revoke_grant(KeyId=key_id, GrantId=grant_id)
    denied(alice.encrypt, KeyId=key_id, Plaintext=b"x")
    refused("InvalidGrantTokenException", None, alice.encrypt, KeyId=key_id, Plaintext=b"x", GrantTokens=[token])
    refused("NotFoundException", None, us.revoke_grant, KeyId=key_id, GrantId=grant_id)


@claim
def a_name_makes_a_repeated_request_one_grant():
    key_id = create(us)
    first, first_token = grant(key_id, ALICE, "Encrypt", Name="one")
    again, again_token = grant(key_id, ALICE, "Encrypt", Name="one")
    equal((again, again_token != first_token), (first, True))
    other, _ = grant(key_id, ALICE, "Decrypt", Name="one")
    holds(other != first, "the same name with other parameters is another grant")
    holds(grant(key_id, ALICE, "Encrypt")[0] != grant(key_id, ALICE, "Encrypt")[0], "without a name, requests repeat")
    equal(len(listed(key_id)), 4)
    for token in (first_token, again_token):
        alice.encrypt(KeyId=key_id, Plaintext=b"x", GrantTokens=[token])


@claim
def constraints_are_about_the_encryption_context():
    key_id = create(us)
    grant(key_id, ALICE, "Encrypt", "DescribeKey", Constraints={"EncryptionContextEquals": CONTEXT})
    grant(key_id, BOB, "Encrypt", Constraints={"EncryptionContextSubset": {"tenant": "7"}})
    more = {**CONTEXT, "more": "x"}
    arguments = {"KeyId": key_id, "Plaintext": b"x"}
    alice.encrypt(EncryptionContext=CONTEXT, **arguments)
    bob.encrypt(EncryptionContext=CONTEXT, **arguments)
    bob.encrypt(EncryptionContext=more, **arguments)
    # Keys of a constraint are compared without case, values with it.
    bob.encrypt(EncryptionContext={"Tenant": "7"}, **arguments)
    for wrong in ({}, {"tenant": "7"}, more, {**CONTEXT, "tenant": "8"}):
        denied(alice.encrypt, EncryptionContext=wrong, **arguments)
    for wrong in ({}, {"purpose": "tests"}, {"tenant": "8"}):
        denied(bob.encrypt, EncryptionContext=wrong, **arguments)
    alice.describe_key(KeyId=key_id)


@claim
def a_grantee_hands_on_no_more_than_it_has():
    key_id = create(us)
    grant(key_id, ALICE, "Encrypt", "Decrypt", "CreateGrant", Constraints={"EncryptionContextSubset": {"tenant": "7"}})
    constraints = {"EncryptionContextSubset": CONTEXT}
    grant(key_id, BOB, "Encrypt", by=alice, Constraints=constraints)
    bob.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionContext=CONTEXT)
    arguments = {"KeyId": key_id, "GranteePrincipal": BOB.arn}
    denied(alice.create_grant, Operations=["Encrypt", "GenerateDataKey"], Constraints=constraints, **arguments)
    denied(alice.create_grant, Operations=["Encrypt"], **arguments)
    denied(
        alice.create_grant, Operations=["Encrypt"], Constraints={"EncryptionContextSubset": {"other": "1"}}, **arguments
    )
    grant(key_id, BOB, "Encrypt", by=alice, Constraints={"EncryptionContextEquals": {"tenant": "7", "a": "b"}})


@claim
def grants_are_retired_by_those_who_may():
    key_id = create(us)
    grant_id, token = grant(key_id, ALICE, "Encrypt", RetiringPrincipal=BOB.arn)
    denied(alice.retire_grant, GrantToken=token)
    equal([entry["GrantId"] for entry in retirable(BOB) if entry["KeyId"] == arn(US, key_id)], [grant_id])
    bob.retire_grant(GrantToken=token)
    equal(listed(key_id), [])
    grant_id, _ = grant(key_id, ALICE, "Encrypt", "RetireGrant")
    alice.retire_grant(KeyId=arn(US, key_id), GrantId=grant_id)
    equal(listed(key_id), [])
    _, token = grant(key_id, ALICE, "Encrypt")
    us.retire_grant(GrantToken=token)
    refused("InvalidGrantTokenException", None, us.retire_grant, GrantToken="nonsense")


def retirable(who):
    pages = us.get_paginator("list_retirable_grants").paginate(
        RetiringPrincipal=who.arn, PaginationConfig={"PageSize": 2}
    )
    return [entry for page in pages for entry in page["Grants"]]


@claim
def grants_are_listed_by_pages_and_filters():
    key_id = create(us)
    made = [grant(key_id, who, "Encrypt", RetiringPrincipal=STRANGER.arn)[0] for who in (ALICE, BOB, ALICE, BOB, ALICE)]
    paged = listed(key_id, PaginationConfig={"PageSize": 2})
    equal(sorted(entry["GrantId"] for entry in paged), sorted(made))
    equal([entry["GrantId"] for entry in listed(key_id, GrantId=made[1])], [made[1]])
    equal({entry["GrantId"] for entry in listed(key_id, GranteePrincipal=BOB.arn)}, {made[1], made[3]})
    # That filter is for callers that are services; AWS's answer to others is not known.
    denied(us.list_grants, KeyId=key_id, GranteeServicePrincipal="ec2.amazonaws.com")
    own = {
        entry["GrantId"]
        for page in stranger.get_paginator("list_retirable_grants").paginate(RetiringPrincipal=STRANGER.arn)
        for entry in page["Grants"]
    }
    holds(set(made) <= own, "the retiring principal finds them from its own account")


@claim
def a_grant_reaches_into_another_account():
    key_id = create(us)
    refused(
        "AccessDeniedException",
        f"User: {STRANGER.arn} is not authorized to perform: kms:Encrypt on this resource because the resource does "
        "not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly "
        "denies access",
        stranger.encrypt,
        KeyId=arn(US, key_id),
        Plaintext=b"x",
    )
    grant(key_id, STRANGER, "Encrypt", "Decrypt")
    blob = stranger.encrypt(KeyId=arn(US, key_id), Plaintext=b"x")["CiphertextBlob"]
    equal(stranger.decrypt(CiphertextBlob=blob)["Plaintext"], b"x")
    # A bare key ID is one of the caller's own account.
    refused(
        "NotFoundException",
        f"Key '{arn(US, key_id).replace(ACCOUNT, STRANGER.account)}' does not exist",
        stranger.encrypt,
        KeyId=key_id,
        Plaintext=b"x",
    )


@claim
def operations_must_fit_the_key():
    misfits = (
        ({}, ("Sign", "Verify", "GenerateMac", "VerifyMac", "GetPublicKey", "DeriveSharedSecret", "Encapsulate")),
        ({"KeySpec": "ECC_NIST_P256", "KeyUsage": SIGN}, ("Encrypt", "GenerateDataKey", "GenerateMac", "ReEncryptTo")),
        ({"KeySpec": "HMAC_256", "KeyUsage": MAC}, ("Decrypt", "Sign", "GetPublicKey")),
    )
    for arguments, operations in misfits:
        key_id = create(us, **arguments)
        for operation in operations:
            refused(
                "ValidationException",
                None,
                us.create_grant,
                KeyId=key_id,
                GranteePrincipal=ALICE.arn,
                Operations=[operation],
            )
    signing = create(us, KeySpec="ECC_NIST_P256", KeyUsage=SIGN)
    refused(
        "ValidationException",
        None,
        us.create_grant,
        KeyId=signing,
        GranteePrincipal=ALICE.arn,
        Operations=["Sign"],
        Constraints={"EncryptionContextSubset": CONTEXT},
    )


@claim
def principals_of_grants_are_checked():
    key_id = create(us)
    arguments = {"KeyId": key_id, "Operations": ["Encrypt"]}
    service = "ec2.amazonaws.com"
    source = f"arn:aws:ec2:{US}:{ACCOUNT}:instance/i-1234567890abcdef0"
    for wrong in (
        {},
        {"GranteePrincipal": ALICE.arn, "GranteeServicePrincipal": service},
        {"GranteePrincipal": ALICE.arn, "RetiringPrincipal": BOB.arn, "RetiringServicePrincipal": service},
        {"GranteeServicePrincipal": service},
        {"GranteeServicePrincipal": service, "Constraints": {"SourceArn": source}},
    ):
        refused("ValidationException", None, us.create_grant, **arguments, **wrong)
    for wrong in (
        "arn:nonsense",
        f"arn:aws:iam::{ACCOUNT}:group/all",
        f"arn:aws:organizations::{ACCOUNT}:organization/o-1",
    ):
        refused("InvalidArnException", None, us.create_grant, GranteePrincipal=wrong, **arguments)
        refused(
            "InvalidArnException",
            None,
            us.create_grant,
            GranteePrincipal=ALICE.arn,
            RetiringPrincipal=wrong,
            **arguments,
        )
    made = us.create_grant(
        GranteeServicePrincipal=service,
        RetiringServicePrincipal=service,
        Constraints={"SourceArn": source},
        **arguments,
    )
    (entry,) = listed(key_id, GrantId=made["GrantId"])
    equal(
        (entry["GranteeServicePrincipal"], entry["RetiringServicePrincipal"], entry["Constraints"]),
        (service, service, {"SourceArn": source}),
    )
    made = us.create_grant(
        GranteeServicePrincipal=service, RetiringPrincipal=BOB.arn, Constraints={"SourceArn": source}, **arguments
    )
    (entry,) = [entry for entry in retirable(BOB) if entry["GrantId"] == made["GrantId"]]
    equal((entry["GranteeServicePrincipal"], entry["Constraints"]), (service, {"SourceArn": source}))
    nine = {f"key-{number}": "x" for number in range(9)}
    for wrong in (nine, {"a": "x" * 385}):
        refused(
            "ValidationException",
            None,
            us.create_grant,
            GranteePrincipal=ALICE.arn,
            Constraints={"EncryptionContextSubset": wrong},
            **arguments,
        )
