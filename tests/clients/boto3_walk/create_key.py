"""What CreateKey makes of every key spec and usage, and what it refuses."""

from harness.checks import about, claim, equal, holds, refused
from harness.regions import arn, metadata
from harness.specs import AGREE, ALGORITHMS_MEMBER, ENCAPSULATE, ENCRYPT, KINDS, MAC, ML_DSA, SIGN

from .world import us

SPECS = sorted({kind.spec for kind in KINDS})
USAGES = (ENCRYPT, SIGN, MAC, AGREE, ENCAPSULATE)
# The deprecated enumeration got none of the newer specs.
WITHOUT_DEPRECATED_NAME = ("ML_", "ECC_NIST_EDWARDS")


@claim
def every_kind_of_key_is_created_and_described():
    for kind in KINDS:
        with about(kind):
            made = us.create_key(**kind.arguments())["KeyMetadata"]
            equal(made["Arn"], arn("us-east-1", made["KeyId"]))
            equal(
                (made["KeyState"], made["Enabled"], made["KeySpec"], made["KeyUsage"], made["Origin"]),
                ("Enabled", True, kind.spec, kind.usage, "AWS_KMS"),
            )
            equal(sorted(made[ALGORITHMS_MEMBER[kind.usage]]), sorted(kind.algorithms))
            equal([name for name in ALGORITHMS_MEMBER.values() if name in made], [ALGORITHMS_MEMBER[kind.usage]])
            equal("CurrentKeyMaterialId" in made, kind.spec == "SYMMETRIC_DEFAULT")
            if not kind.spec.startswith(WITHOUT_DEPRECATED_NAME):
                equal(made["CustomerMasterKeySpec"], kind.spec)
            equal(metadata(us, made["KeyId"]), made)


@claim
def the_usage_must_be_named_for_all_but_symmetric_keys():
    for spec in SPECS:
        if spec != "SYMMETRIC_DEFAULT":
            refused(
                "ValidationException",
                "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
                us.create_key,
                KeySpec=spec,
            )


@claim
def usages_that_a_spec_does_not_have_are_refused():
    right = {(kind.spec, kind.usage) for kind in KINDS}
    for spec in SPECS:
        for usage in USAGES:
            if (spec, usage) not in right:
                refused(
                    "ValidationException",
                    f"KeyUsage {usage} is not compatible with KeySpec {spec}",
                    us.create_key,
                    KeySpec=spec,
                    KeyUsage=usage,
                )


@claim
def the_deprecated_name_of_the_spec_still_works_alone():
    made = us.create_key(CustomerMasterKeySpec="ECC_NIST_P256", KeyUsage=SIGN)["KeyMetadata"]
    equal((made["KeySpec"], made["CustomerMasterKeySpec"]), ("ECC_NIST_P256", "ECC_NIST_P256"))
    refused(
        "ValidationException",
        "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. "
        "CustomerMasterKeySpec is deprecated.",
        us.create_key,
        KeySpec="SYMMETRIC_DEFAULT",
        CustomerMasterKeySpec="SYMMETRIC_DEFAULT",
    )


@claim
def keys_that_are_not_made_here_are_refused():
    for usage in (ENCRYPT, SIGN, AGREE):
        refused(
            "ValidationException",
            "KeySpec SM2 is not supported in this Region",
            us.create_key,
            KeySpec="SM2",
            KeyUsage=usage,
        )
    for spec in ML_DSA:
        refused(
            "ValidationException",
            f"KeySpec {spec} is not supported for Origin EXTERNAL",
            us.create_key,
            KeySpec=spec,
            KeyUsage=SIGN,
            Origin="EXTERNAL",
        )
    for origin in ("AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"):
        refused(
            "CustomKeyStoreNotFoundException",
            None,
            us.create_key,
            Origin=origin,
            CustomKeyStoreId="cks-1234567890abcdef0",
        )


@claim
def an_external_key_waits_for_its_material():
    for kind in KINDS:
        if kind.importable:
            with about(kind):
                for multi_region in (False, True):
                    made = us.create_key(Origin="EXTERNAL", MultiRegion=multi_region, **kind.arguments())["KeyMetadata"]
                    equal((made["KeyState"], made["Enabled"], made["Origin"]), ("PendingImport", False, "EXTERNAL"))
                    absent = {"CurrentKeyMaterialId", "ExpirationModel", "ValidTo"}
                    holds(not absent & set(made), f"none of {sorted(absent)} before the first import")
