"""The matrix of key state × operation over the wire: each operation on a key of its own in every state."""

from harness.checks import about, claim, equal, passed, refused
from harness.importing import import_material, new_material
from harness.regions import US, arn, replicate, state

from .calls import IMPORTING, KINDS, SYMMETRIC, call, prepare
from .table import STATES, TABLE
from .world import eu, us


def key_in(wanted, operation):
    """A new key in this state, and what the operation needs from before. Multi-Region, so that all can be called."""
    spec, usage = KINDS.get(operation, SYMMETRIC)
    origin = "EXTERNAL" if wanted == "PendingImport" else "AWS_KMS"
    key_id = us.create_key(KeySpec=spec, KeyUsage=usage, MultiRegion=True, Origin=origin)["KeyMetadata"]["KeyId"]
    if origin == "EXTERNAL":
        import_material(us, key_id, spec, new_material(spec))
    if wanted == "PendingReplicaDeletion" or (operation == "UpdatePrimaryRegion" and origin == "AWS_KMS"):
        replicate(us, eu, key_id)
    prepared = prepare(us, operation, key_id)
    if wanted == "Disabled":
        us.disable_key(KeyId=key_id)
    elif wanted in ("PendingDeletion", "PendingReplicaDeletion"):
        us.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    elif wanted == "PendingImport":
        us.delete_imported_key_material(KeyId=key_id)
    # With a replica it cannot be PendingDeletion, which for this operation is as well.
    if not (operation == "UpdatePrimaryRegion" and wanted == "PendingDeletion"):
        equal(state(us, key_id), wanted)
    return key_id, prepared


def judge(operation, wanted):
    spec, _ = KINDS.get(operation, SYMMETRIC)
    if wanted == "PendingImport" and spec.startswith("ML_KEM"):
        return
    key_id, prepared = key_in(wanted, operation)
    expected = TABLE[operation][wanted]
    if expected is not None:
        code, message = expected
        refused(
            code,
            message.format(arn=arn(US, key_id)),
            call,
            kms=us,
            operation=operation,
            key_id=key_id,
            prepared=prepared,
        )
    elif operation == "ImportKeyMaterial":
        # Its token is nonsense: the state lets the request pass on to that.
        refused(
            "InvalidImportTokenException", None, call, kms=us, operation=operation, key_id=key_id, prepared=prepared
        )
    else:
        call(us, operation, key_id, prepared)
        passed()


def column(wanted):
    """Every operation on a key in this state."""
    for operation in TABLE:
        with about(f"{operation} on a key that is {wanted}"):
            judge(operation, wanted)


@claim
def the_table_has_every_operation_with_a_key():
    names = {name.removesuffix("From").removesuffix("To") if name.startswith("ReEncrypt") else name for name in TABLE}
    model = us.meta.service_model
    without = {"CreateKey", "GenerateRandom", "ListKeys", "ListRetirableGrants"}
    equal(names, {name for name in model.operation_names if "CustomKeyStore" not in name} - without)


@claim
def imported_keys_take_imports_in_the_states_that_allow_it():
    """The rows ?8 and ?9 for keys with imported material."""
    for wanted, expected in (("Enabled", None), ("Disabled", None), ("PendingDeletion", "KMSInvalidStateException")):
        for operation in IMPORTING:
            key_id = us.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
            import_material(us, key_id, "SYMMETRIC_DEFAULT", new_material("SYMMETRIC_DEFAULT"))
            if wanted == "Disabled":
                us.disable_key(KeyId=key_id)
            if wanted == "PendingDeletion":
                us.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
            with about(f"{operation} on an imported key that is {wanted}"):
                if operation == "DeleteImportedKeyMaterial":
                    # Works in every state; what is pending deletion stays so.
                    call(us, operation, key_id, None)
                    equal(state(us, key_id), "PendingDeletion" if expected else "PendingImport")
                elif expected is not None:
                    refused(
                        expected,
                        f"{arn(US, key_id)} is pending deletion.",
                        call,
                        kms=us,
                        operation=operation,
                        key_id=key_id,
                        prepared=None,
                    )
                elif operation == "ImportKeyMaterial":
                    refused(
                        "InvalidImportTokenException",
                        None,
                        call,
                        kms=us,
                        operation=operation,
                        key_id=key_id,
                        prepared=None,
                    )
                else:
                    call(us, operation, key_id, None)


def _claim_of(wanted):
    def judged():
        column(wanted)

    judged.__name__ = f"every_operation_on_a_key_that_is_{wanted}"
    claim(judged)


for each_state in STATES:
    _claim_of(each_state)
