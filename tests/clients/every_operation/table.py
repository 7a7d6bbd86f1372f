"""The matrix of key states as AWS documents it: for each operation what a key in each state answers.

Not here: `Creating`, which lasts for less than a request on one machine (the service's own tests have it), and
`Unavailable`, which only keys in custom key stores can be. `Updating` is no state of Meridian: a primary moves in one
step.
"""

STATES = ("Enabled", "Disabled", "PendingDeletion", "PendingReplicaDeletion", "PendingImport")

OK = None
D1 = ("DisabledException", "{arn} is disabled.")
S3 = ("KMSInvalidStateException", "{arn} is pending deletion.")
S4 = ("KMSInvalidStateException", "{arn} is not pending deletion.")
S5 = ("KMSInvalidStateException", "{arn} is pending import.")
U6 = ("UnsupportedOperationException", "{arn} origin is EXTERNAL which is not valid for this operation.")
U9 = ("UnsupportedOperationException", "{arn} origin is AWS_KMS which is not valid for this operation.")

_ALWAYS = {state: OK for state in STATES}
_USE = {"Enabled": OK, "Disabled": D1, "PendingDeletion": S3, "PendingReplicaDeletion": S3, "PendingImport": S5}
_SWITCH = {**_USE, "Disabled": OK}
_ROTATION = {**_USE, "PendingImport": U6}
_PROPERTY = {**_ALWAYS, "PendingDeletion": S3, "PendingReplicaDeletion": S3}
_NOT_IMPORTED = {state: U9 for state in STATES if state != "PendingImport"} | {"PendingImport": OK}

# The operations with a key, in alphabetical order. Custom key stores have none; CreateKey makes one.
TABLE = {
    "CancelKeyDeletion": {**{state: S4 for state in STATES}, "PendingDeletion": OK, "PendingReplicaDeletion": OK},
    "CreateAlias": _PROPERTY,
    "CreateGrant": _USE,
    "Decapsulate": _USE,
    "Decrypt": _USE,
    "DeleteAlias": _ALWAYS,
    "DeleteImportedKeyMaterial": _NOT_IMPORTED,
    "DeriveSharedSecret": _USE,
    "DescribeKey": _ALWAYS,
    "DisableKey": _SWITCH,
    "DisableKeyRotation": _ROTATION,
    "EnableKey": _SWITCH,
    "EnableKeyRotation": _ROTATION,
    "Encapsulate": _USE,
    "Encrypt": _USE,
    "GenerateDataKey": _USE,
    "GenerateDataKeyPair": _USE,
    "GenerateDataKeyPairWithoutPlaintext": _USE,
    "GenerateDataKeyWithoutPlaintext": _USE,
    "GenerateMac": _USE,
    "GetKeyLastUsage": _ALWAYS,
    "GetKeyPolicy": _ALWAYS,
    "GetKeyRotationStatus": {**_ALWAYS, "PendingImport": U6},
    "GetParametersForImport": _NOT_IMPORTED,
    "GetPublicKey": _USE,
    "ImportKeyMaterial": _NOT_IMPORTED,
    "ListAliases": _ALWAYS,
    "ListGrants": _ALWAYS,
    "ListKeyPolicies": _ALWAYS,
    "ListKeyRotations": _ALWAYS,
    "ListResourceTags": _ALWAYS,
    "PutKeyPolicy": _ALWAYS,
    "ReEncryptFrom": _USE,
    "ReEncryptTo": _USE,
    "ReplicateKey": _USE,
    "RetireGrant": _ALWAYS,
    "RevokeGrant": _ALWAYS,
    "RotateKeyOnDemand": _USE,
    "ScheduleKeyDeletion": {**_PROPERTY},
    "Sign": _USE,
    "TagResource": _PROPERTY,
    "UntagResource": _PROPERTY,
    "UpdateAlias": _PROPERTY,
    "UpdateKeyDescription": _PROPERTY,
    "UpdatePrimaryRegion": _USE,
    "Verify": _USE,
    "VerifyMac": _USE,
}
