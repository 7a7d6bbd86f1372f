"""Grants, imported key material, last use, custom key stores."""

import base64
import os

from harness import independent
from harness.checks import claim, equal
from harness.regions import ACCOUNT, US, arn

from .cli import becomes, create, describe, file, refused, text

GRANTEE = f"arn:aws:iam::{ACCOUNT}:user/alice"


@claim
def grants_are_made_listed_retired_and_revoked():
    key = create()
    arguments = ("--key-id", key, "--grantee-principal", GRANTEE, "--retiring-principal", GRANTEE)
    grant, token = text(
        "create-grant", *arguments, "--operations", "Encrypt", "Decrypt", "--query", "[GrantId,GrantToken]"
    ).split("\t")
    equal(text("list-grants", "--key-id", key, "--query", "Grants[].[GrantId,Operations[0]]").split("\t")[0], grant)
    found = text(
        "list-retirable-grants", "--retiring-principal", GRANTEE, "--query", f"Grants[?GrantId=='{grant}'].KeyId"
    )
    equal(found, arn(US, key))
    text("encrypt", "--key-id", key, "--plaintext", file("plain", "x"), "--grant-tokens", token)
    refused(
        "AccessDeniedException",
        "",
        "disable-key",
        "--key-id",
        key,
        AWS_ACCESS_KEY_ID="alice",
        AWS_SECRET_ACCESS_KEY="alice-secret",
    )
    text("retire-grant", "--grant-token", token)
    equal(text("list-grants", "--key-id", key, "--query", "Grants"), "")
    grant = text("create-grant", *arguments, "--operations", "Encrypt", "--query", "GrantId")
    refused(
        "DryRunOperationException",
        "The request would have succeeded",
        "revoke-grant",
        "--key-id",
        key,
        "--grant-id",
        grant,
        "--dry-run",
    )
    text("revoke-grant", "--key-id", key, "--grant-id", grant)
    refused("ValidationException", "", "create-grant", *arguments, "--operations", "Sign")


@claim
def key_material_is_imported_and_deleted():
    key = create("--origin", "EXTERNAL")
    algorithm = "RSAES_OAEP_SHA_256"
    token, public = text(
        "get-parameters-for-import",
        "--key-id",
        key,
        "--wrapping-algorithm",
        algorithm,
        "--wrapping-key-spec",
        "RSA_2048",
        "--query",
        "[ImportToken,PublicKey]",
    ).split("\t")
    wrapped = independent.wrap(algorithm, base64.b64decode(public), os.urandom(32), b"")
    arguments = (
        "--key-id",
        key,
        "--import-token",
        file("token", base64.b64decode(token)),
        "--encrypted-key-material",
        file("material", wrapped),
    )
    refused(
        "ValidationException",
        "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES",
        "import-key-material",
        *arguments,
    )
    text("import-key-material", *arguments, "--expiration-model", "KEY_MATERIAL_DOES_NOT_EXPIRE")
    equal(describe("[KeyState,ExpirationModel]", "--key-id", key), "Enabled\tKEY_MATERIAL_DOES_NOT_EXPIRE")
    text("delete-imported-key-material", "--key-id", key)
    equal(describe("KeyState", "--key-id", key), "PendingImport")


@claim
def the_last_use_of_a_key_is_told():
    key = create()
    text("encrypt", "--key-id", key, "--plaintext", file("plain", "x"))
    becomes("the use is noted", "Encrypt", "get-key-last-usage", "--key-id", key, "--query", "KeyLastUsage.Operation")


@claim
def there_are_no_custom_key_stores():
    equal(text("describe-custom-key-stores", "--query", "CustomKeyStores"), "")
    store = ("--custom-key-store-id", "cks-1234567890abcdef0")
    for command in ("connect", "disconnect", "delete", "update"):
        refused("CustomKeyStoreNotFoundException", "", f"{command}-custom-key-store", *store)
    refused("UnsupportedOperationException", "", "create-custom-key-store", "--custom-key-store-name", "mine")
