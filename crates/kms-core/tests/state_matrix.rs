//! The published table "Key states of AWS KMS keys" as text, compared with the code cell by cell.
//!
//! `OK` works; `D` is refused as disabled, `P` pending deletion, `N` not pending deletion, `I` pending import,
//! `U` unavailable, `C` creating, `W` updating; `-` is a cell that the table leaves open or that a check of the key's
//! origin decides before the state is looked at. The column PendDel covers both pending states.
#![expect(clippy::panic, reason = "a mistake in the table should fail the test")]

use kms_core::{KeyOperation, StateFault, state_matrix};
use kms_types::KeyState;
use std::collections::BTreeSet;

const TABLE: &str = "
operation                            Enabled Disabled PendDel PendImport Unavailable Creating Updating
CancelKeyDeletion                    N       N        OK      N          N           N        N
CreateAlias                          OK      OK       P       OK         OK          OK       OK
CreateGrant                          OK      D        P       I          OK          C        OK
Decapsulate                          OK      D        P       I          -           C        OK
Decrypt                              OK      D        P       I          U           C        OK
DeleteAlias                          OK      OK       OK      OK         OK          OK       OK
DeleteImportedKeyMaterial            OK      OK       OK      OK         -           C        W
DeriveSharedSecret                   OK      D        P       I          -           C        OK
DescribeKey                          OK      OK       OK      OK         OK          OK       OK
DisableKey                           OK      OK       P       I          OK          C        W
DisableKeyRotation                   OK      D        P       -          -           C        OK
EnableKey                            OK      OK       P       I          OK          C        W
EnableKeyRotation                    OK      D        P       -          -           C        OK
Encapsulate                          OK      D        P       I          -           C        OK
Encrypt                              OK      D        P       I          U           C        OK
GenerateDataKey                      OK      D        P       I          U           C        OK
GenerateDataKeyWithoutPlaintext      OK      D        P       I          U           C        OK
GenerateDataKeyPair                  OK      D        P       I          U           C        OK
GenerateDataKeyPairWithoutPlaintext  OK      D        P       I          U           C        OK
GenerateMac                          OK      D        P       I          -           C        OK
GetKeyLastUsage                      OK      OK       OK      OK         OK          OK       OK
GetKeyPolicy                         OK      OK       OK      OK         OK          OK       OK
GetKeyRotationStatus                 OK      OK       OK      -          OK          OK       OK
GetParametersForImport               OK      OK       P       OK         OK          C        W
GetPublicKey                         OK      D        P       I          -           C        OK
ImportKeyMaterial                    OK      OK       P       OK         OK          C        OK
ListAliases                          OK      OK       OK      OK         OK          OK       OK
ListGrants                           OK      OK       OK      OK         OK          OK       OK
ListKeyPolicies                      OK      OK       OK      OK         OK          OK       OK
ListKeyRotations                     OK      OK       OK      OK         OK          OK       OK
ListResourceTags                     OK      OK       OK      OK         OK          OK       OK
PutKeyPolicy                         OK      OK       OK      OK         OK          OK       OK
ReEncrypt                            OK      D        P       I          U           C        OK
ReplicateKey                         OK      D        P       I          -           C        W
RetireGrant                          OK      OK       OK      OK         OK          OK       OK
RevokeGrant                          OK      OK       OK      OK         OK          OK       OK
RotateKeyOnDemand                    OK      D        P       I          U           C        OK
ScheduleKeyDeletion                  OK      OK       P       OK         OK          OK       W
Sign                                 OK      D        P       I          -           C        OK
TagResource                          OK      OK       P       OK         OK          OK       OK
UntagResource                        OK      OK       P       OK         OK          OK       OK
UpdateAlias                          OK      OK       P       OK         OK          OK       OK
UpdateKeyDescription                 OK      OK       P       OK         OK          OK       OK
UpdatePrimaryRegion                  OK      D        P       I          -           C        OK
Verify                               OK      D        P       I          -           C        OK
VerifyMac                            OK      D        P       I          -           C        OK
";

#[rustfmt::skip]
const OPERATIONS: [KeyOperation; 46] = {
    use KeyOperation::*;
    [
        CancelKeyDeletion, CreateAlias, CreateGrant, Decapsulate, Decrypt, DeleteAlias, DeleteImportedKeyMaterial,
        DeriveSharedSecret, DescribeKey, DisableKey, DisableKeyRotation, EnableKey, EnableKeyRotation, Encapsulate,
        Encrypt, GenerateDataKey, GenerateDataKeyWithoutPlaintext, GenerateDataKeyPair,
        GenerateDataKeyPairWithoutPlaintext, GenerateMac, GetKeyLastUsage, GetKeyPolicy, GetKeyRotationStatus,
        GetParametersForImport, GetPublicKey, ImportKeyMaterial, ListAliases, ListGrants, ListKeyPolicies,
        ListKeyRotations, ListResourceTags, PutKeyPolicy, ReEncrypt, ReplicateKey, RetireGrant, RevokeGrant,
        RotateKeyOnDemand, ScheduleKeyDeletion, Sign, TagResource, UntagResource, UpdateAlias, UpdateKeyDescription,
        UpdatePrimaryRegion, Verify, VerifyMac,
    ]
};

fn states(column: usize) -> &'static [KeyState] {
    use KeyState as S;
    [
        &[S::Enabled][..],
        &[S::Disabled],
        &[S::PendingDeletion, S::PendingReplicaDeletion],
        &[S::PendingImport],
        &[S::Unavailable],
        &[S::Creating],
        &[S::Updating],
    ][column]
}

fn expected(cell: &str) -> Option<Result<(), StateFault>> {
    Some(match cell {
        "OK" => Ok(()),
        "D" => Err(StateFault::Disabled),
        "P" => Err(StateFault::PendingDeletion),
        "N" => Err(StateFault::NotPendingDeletion),
        "I" => Err(StateFault::PendingImport),
        "U" => Err(StateFault::Unavailable),
        "C" => Err(StateFault::Creating),
        "W" => Err(StateFault::Updating),
        "-" => return None,
        other => panic!("unknown cell {other}"),
    })
}

#[test]
fn every_cell_of_the_published_table_holds() {
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for line in TABLE.trim().lines().skip(1) {
        let mut cells = line.split_whitespace();
        let name = cells.next().unwrap();
        let operation = OPERATIONS.into_iter().find(|o| format!("{o:?}") == name).expect(name);
        assert!(seen.insert(operation), "{name} twice");
        let cells: Vec<_> = cells.collect();
        assert_eq!(cells.len(), 7, "{name}");
        for (column, cell) in cells.iter().enumerate() {
            for state in states(column) {
                let found = state_matrix::check(operation, *state);
                if expected(cell).is_some_and(|expected| expected != found) {
                    wrong.push(format!("{name} in {state}: {found:?}, not {cell}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(seen.len(), OPERATIONS.len(), "operations without a row");
}
