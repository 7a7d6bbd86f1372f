"""What every operation refuses in the same way: identifiers, grant tokens, keys of another usage; and dry runs."""

from harness.checks import about, claim, refused
from harness.regions import ACCOUNT, NO_KEY, US, arn, create

from .calls import AGREEING, ENCAPSULATING, KINDS, MACKING, SIGNING, SYMMETRIC, call, prepare, snake
from .table import TABLE
from .world import DESTINATION, us

# Operations that take an alias for a key: cryptography, DescribeKey and GetPublicKey.
TAKE_ALIASES = (
    "Decapsulate",
    "Decrypt",
    "DeriveSharedSecret",
    "DescribeKey",
    "Encapsulate",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GetPublicKey",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "VerifyMac",
)
# Operations that name an alias, not a key, first.
OF_ALIASES = ("CreateAlias", "DeleteAlias", "UpdateAlias")
WITH_KEY_ID = [
    operation for operation in TABLE if operation not in OF_ALIASES and not operation.startswith("ReEncrypt")
]
USES = [operation for operation in TAKE_ALIASES if operation not in ("DescribeKey", "GetPublicKey")]


def takes(operation, member):
    model = us.meta.service_model.operation_model("ReEncrypt" if operation.startswith("ReEncrypt") else operation)
    return member in model.input_shape.members


def new_key(operation):
    spec, usage = KINDS.get(operation, SYMMETRIC)
    return create(us, KeySpec=spec, KeyUsage=usage)


def each(operations):
    """Claims the function for every operation of the list."""

    def add(function):
        def all_of_them():
            for operation in operations:
                with about(operation):
                    function(operation)

        all_of_them.__name__ = function.__name__
        return claim(all_of_them)

    return add


# What a request needs to pass the model, for operations that need more than a key.
FILLED = {
    "Decapsulate": bytes(1088),
    "RetireGrant": {"GrantId": "0" * 64},
    "RevokeGrant": {"GrantId": "0" * 64},
    "Verify": bytes(70),
    "VerifyMac": bytes(32),
}


def filled(operation):
    return prepare(us, "Decrypt", create(us)) if operation == "Decrypt" else FILLED.get(operation)


@each(WITH_KEY_ID)
def a_key_that_is_not_there_is_not_found(operation):
    # RetireGrant takes key ARNs alone.
    key_id = arn(US, NO_KEY) if operation == "RetireGrant" else NO_KEY
    refused(
        "NotFoundException",
        f"Key '{arn(US, NO_KEY)}' does not exist",
        call,
        kms=us,
        operation=operation,
        key_id=key_id,
        prepared=filled(operation),
    )


@each([operation for operation in WITH_KEY_ID if operation not in (*TAKE_ALIASES, "RetireGrant")])
def management_takes_no_alias_for_a_key(operation):
    refused(
        "InvalidArnException",
        "Key Aliases are not supported for this operation.",
        call,
        kms=us,
        operation=operation,
        key_id=DESTINATION,
        prepared=filled(operation),
    )


@each(WITH_KEY_ID)
def a_malformed_arn_is_refused(operation):
    refused(
        "InvalidArnException",
        None,
        call,
        kms=us,
        operation=operation,
        key_id="arn:aws:kms:nonsense",
        prepared=filled(operation),
    )


@each([operation for operation in TABLE if takes(operation, "GrantTokens")])
def a_grant_token_that_does_not_open_is_refused(operation):
    key_id = new_key(operation)
    refused(
        "InvalidGrantTokenException",
        None,
        call,
        kms=us,
        operation=operation,
        key_id=key_id,
        prepared=prepare(us, operation, key_id),
        GrantTokens=["nonsense"],
    )


@each([operation for operation in TABLE if takes(operation, "DryRun")])
def a_dry_run_says_that_the_request_would_have_succeeded(operation):
    key_id = new_key(operation)
    refused(
        "DryRunOperationException",
        "The request would have succeeded, but the DryRun option is set.",
        call,
        kms=us,
        operation=operation,
        key_id=key_id,
        prepared=prepare(us, operation, key_id),
        DryRun=True,
    )


# A symmetric ciphertext names its key, so that Decrypt and ReEncrypt never meet another one there.
@each([operation for operation in USES if operation not in ("Decrypt", "ReEncryptFrom")])
def a_key_of_another_usage_is_refused(operation):
    prepared = prepare(us, operation, new_key(operation))
    for spec, usage in (SYMMETRIC, SIGNING, AGREEING, MACKING, ENCAPSULATING):
        if usage != KINDS.get(operation, SYMMETRIC)[1]:
            key_id = create(us, KeySpec=spec, KeyUsage=usage)
            name = operation.removesuffix("To")
            refused(
                "InvalidKeyUsageException",
                f"{arn(US, key_id)} key usage is {usage} which is not valid for {name}.",
                call,
                kms=us,
                operation=operation,
                key_id=key_id,
                prepared=prepared,
            )


@each(
    (
        "ListAliases",
        "ListGrants",
        "ListKeyRotations",
        "ListKeys",
        "ListResourceTags",
        "ListRetirableGrants",
        "DescribeCustomKeyStores",
    )
)
def lists_refuse_markers_that_they_did_not_give(operation):
    arguments = {"KeyId": create(us)} if takes(operation, "KeyId") else {}
    if operation == "ListRetirableGrants":
        arguments = {"RetiringPrincipal": f"arn:aws:iam::{ACCOUNT}:user/meridian"}
    refused("InvalidMarkerException", None, getattr(us, snake(operation)), Marker="nonsense", **arguments)
