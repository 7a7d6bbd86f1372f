//! Claims about checkpoints of audit logs.

use super::{Log, a, at, b};
use kms_core::control::{
    AuditCheckpoint, AuditSignature, CHECKPOINTS_MAX, ControlBody, ControlState, CountersignCheckpoint, Refusal,
};
use kms_types::RegionName;

fn signature(bytes: usize) -> AuditSignature {
    AuditSignature { at: at(1), key: [1; 32], bytes: vec![2; bytes] }
}

fn sign(sequence: u64, hash: u8, control_log_index: u64) -> ControlBody {
    ControlBody::SignCheckpoint(AuditCheckpoint {
        sequence,
        hash: [hash; 32],
        control_log_index,
        signature: signature(64),
        countersignatures: Default::default(),
    })
}

fn countersign(of: RegionName, sequence: u64, hash: u8) -> ControlBody {
    ControlBody::CountersignCheckpoint(CountersignCheckpoint {
        of,
        sequence,
        hash: [hash; 32],
        signature: signature(64),
    })
}

#[test]
fn a_checkpoint_never_goes_back_and_has_one_hash() {
    let mut log = Log::with_key(false);
    log.does(&a(), sign(5, 5, 10));
    log.does(&a(), sign(5, 5, 10));
    for (sequence, hash, index) in [(4, 4, 10), (5, 6, 10), (6, 6, 9)] {
        log.refuses(&a(), sign(sequence, hash, index), Refusal::Malformed);
    }
    log.does(&b(), sign(1, 1, 1));
    assert_eq!(log.state.checkpoints(&a()).len(), 1);
    for sequence in 6..100 {
        log.does(&a(), sign(sequence, 7, 10));
    }
    let kept: Vec<u64> = log.state.checkpoints(&a()).iter().map(|kept| kept.sequence).collect();
    assert_eq!((kept.len(), kept.last()), (CHECKPOINTS_MAX, Some(&99)));
}

#[test]
fn other_regions_countersign_what_is_there_and_nobody_vouches_for_itself() {
    let mut log = Log::with_key(false);
    log.does(&a(), sign(5, 5, 10));
    log.refuses(&a(), countersign(a(), 5, 5), Refusal::Malformed);
    log.does(&b(), countersign(a(), 5, 6));
    log.does(&b(), countersign(a(), 4, 5));
    assert!(log.state.checkpoints(&a())[0].countersignatures.is_empty());
    log.does(&b(), countersign(a(), 5, 5));
    log.does(&b(), countersign(a(), 5, 5));
    assert!(log.state.checkpoints(&a())[0].countersignatures.keys().eq([&b()]));
    let mut again = ControlState::default();
    log.state.rows().for_each(|row| again.absorb(&row));
    assert_eq!(again, log.state);
}

#[test]
fn unknown_regions_and_signatures_without_bound_are_refused() {
    let mut log = Log::with_key(false);
    let stranger = RegionName::parse("ap-southeast-1").unwrap();
    log.refuses(&stranger, sign(1, 1, 1), Refusal::RegionUnknown);
    log.refuses(&stranger, countersign(a(), 1, 1), Refusal::RegionUnknown);
    for bytes in [0, 5 * 1024 + 1] {
        let body = AuditCheckpoint {
            sequence: 1,
            hash: [1; 32],
            control_log_index: 1,
            signature: signature(bytes),
            countersignatures: Default::default(),
        };
        log.refuses(&a(), ControlBody::SignCheckpoint(body), Refusal::Malformed);
    }
}
