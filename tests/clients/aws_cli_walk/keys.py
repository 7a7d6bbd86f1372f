"""Keys: create, describe, list, enable, disable, rotate, delete; and who is let in."""

from harness.checks import claim, equal
from harness.regions import EU, NO_KEY, US, arn

from .cli import aws, becomes, create, describe, file, installed, refused, text


@claim
def keys_are_created_described_and_listed():
    key = create("--description", "orders", "--tags", "TagKey=a,TagValue=b")
    equal(describe("[Arn,KeyState,Description,Origin]", "--key-id", key), f"{arn(US, key)}\tEnabled\torders\tAWS_KMS")
    equal(describe("KeyId", "--key-id", arn(US, key)), key)
    listed = text("list-keys", "--page-size", "2", "--query", f"Keys[?KeyId=='{key}'].KeyArn")
    equal(listed, arn(US, key))
    # The installed program, once: what is forked elsewhere is the same.
    equal(installed("kms", "describe-key", "--key-id", key, "--query", "KeyMetadata.KeyId", "--output", "text"), key)
    refused("NotFoundException", f"Key '{arn(US, NO_KEY)}' does not exist", "describe-key", "--key-id", NO_KEY)
    refused("NotFoundException", "Invalid keyId 'nonsense'", "describe-key", "--key-id", "nonsense")
    refused("NotFoundException", f"Invalid arn {US}", "describe-key", "--key-id", arn(US, key), "--region", EU)
    refused("MalformedPolicyDocumentException", "", "create-key", "--policy", "{")


@claim
def keys_are_described_anew_disabled_and_enabled():
    key = create()
    text("update-key-description", "--key-id", key, "--description", "second")
    equal(describe("Description", "--key-id", key), "second")
    text("disable-key", "--key-id", key)
    refused(
        "DisabledException",
        f"{arn(US, key)} is disabled.",
        "encrypt",
        "--key-id",
        key,
        "--plaintext",
        file("plain", "x"),
    )
    text("enable-key", "--key-id", key)
    equal(describe("KeyState", "--key-id", key), "Enabled")


@claim
def rotation_is_switched_on_and_off_and_asked_for():
    key = create()
    text("enable-key-rotation", "--key-id", key, "--rotation-period-in-days", "90")
    query = "[KeyRotationEnabled,RotationPeriodInDays]"
    equal(text("get-key-rotation-status", "--key-id", key, "--query", query), "True\t90")
    text("disable-key-rotation", "--key-id", key)
    equal(text("get-key-rotation-status", "--key-id", key, "--query", "KeyRotationEnabled"), "False")
    equal(text("rotate-key-on-demand", "--key-id", key, "--query", "KeyId"), arn(US, key))
    becomes(
        "the rotation is listed",
        "ON_DEMAND",
        "list-key-rotations",
        "--key-id",
        key,
        "--query",
        "Rotations[].RotationType",
    )
    refused("NotFoundException", "does not exist", "rotate-key-on-demand", "--key-id", NO_KEY)


@claim
def deletion_is_scheduled_and_cancelled():
    key = create()
    refused(
        "ValidationException",
        "PendingWindowInDays must be between 7 and 30",
        "schedule-key-deletion",
        "--key-id",
        key,
        "--pending-window-in-days",
        "6",
    )
    scheduled = text("schedule-key-deletion", "--key-id", key, "--pending-window-in-days", "7", "--query", "KeyState")
    equal(scheduled, "PendingDeletion")
    refused(
        "KMSInvalidStateException",
        f"{arn(US, key)} is pending deletion.",
        "encrypt",
        "--key-id",
        key,
        "--plaintext",
        file("plain", "x"),
    )
    equal(text("cancel-key-deletion", "--key-id", key, "--query", "KeyId"), arn(US, key))
    equal(describe("KeyState", "--key-id", key), "Disabled")


@claim
def wrong_credentials_are_refused():
    refused("InvalidSignatureException", "does not match", "list-keys", AWS_SECRET_ACCESS_KEY="wrong-secret")
    refused("UnrecognizedClientException", "is invalid.", "list-keys", AWS_ACCESS_KEY_ID="nobody")
    equal(aws("list-keys").code, 0)
