//! Claims about the persisted formats: round trips, refusal of everything else, and bytes that never change.
//!
//! A failing property prints its input and keeps the seed in `state_formats.proptest-regressions`; commit that file, and
//! run `cargo test -p kms-proto --test state_formats` to replay it. `PROPTEST_CASES` sets the number of cases.
#![expect(clippy::unwrap_used, reason = "a broken helper should fail the test")]

#[path = "state_formats/frozen.rs"]
mod frozen;
#[path = "state_formats/identity.rs"]
mod identity;
#[path = "state_formats/samples.rs"]
mod samples;
#[path = "state_formats/strategies.rs"]
mod strategies;

use kms_core::regional::RegionalChange;
use kms_proto::{FormatError, control_codec, regional_codec};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use prost::Message;

proptest! {
    #![proptest_config(ProptestConfig::with_failure_persistence(FileFailurePersistence::WithSource("proptest-regressions")))]

    #[test]
    fn a_command_comes_back_from_its_bytes(command in strategies::command()) {
        let bytes = control_codec::encode_command(&command);
        prop_assert_eq!(control_codec::decode_command(&bytes), Ok(command));
    }

    #[test]
    fn an_outcome_comes_back_from_its_bytes(outcome in strategies::outcome()) {
        let bytes = control_codec::encode_outcome(&outcome);
        prop_assert_eq!(control_codec::decode_outcome(&bytes), Ok(outcome));
    }

    #[test]
    fn a_control_row_comes_back_from_its_bytes(change in strategies::control_row()) {
        let row = control_codec::change_to_row(&change);
        prop_assert!(row.key[0] >= 0x10);
        prop_assert_eq!(control_codec::row_to_change(&row.key, &row.value.unwrap()), Ok(change));
    }

    #[test]
    fn a_regional_row_comes_back_from_its_bytes(change in strategies::regional_row()) {
        let row = regional_codec::change_to_row(&change);
        prop_assert!(row.key[0] >= 0x10);
        prop_assert_eq!(regional_codec::row_to_change(&row.key, &row.value.unwrap()), Ok(change));
    }

    #[test]
    fn arbitrary_bytes_never_panic(kind in 0x0f_u8..0x17, key in vec(any::<u8>(), 0..80), value in vec(any::<u8>(), 0..200)) {
        let key = [vec![kind], key].concat();
        check_decoders(&key, &value)?;
    }

    #[test]
    fn damaged_bytes_never_panic_and_never_decode_to_what_has_other_bytes(
        command in strategies::command(),
        control in strategies::control_row(),
        regional in strategies::regional_row(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let damage = |mut bytes: Vec<u8>| {
            let at = place.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            bytes
        };
        check_decoders(&[0x10], &damage(control_codec::encode_command(&command)))?;
        for row in [control_codec::change_to_row(&control), regional_codec::change_to_row(&regional)] {
            let value = row.value.unwrap();
            check_decoders(&row.key, &damage(value.clone()))?;
            check_decoders(&damage(row.key), &value)?;
        }
    }

    #[test]
    fn a_row_under_another_key_is_refused(a in strategies::control_row(), b in strategies::control_row()) {
        let (a, b) = (control_codec::change_to_row(&a), control_codec::change_to_row(&b));
        prop_assume!(a.key != b.key);
        prop_assert!(control_codec::row_to_change(&a.key, &b.value.unwrap()).is_err());
    }

    #[test]
    fn unknown_fields_are_refused(command in strategies::command(), control in strategies::control_row()) {
        // Field 999, a varint.
        const MORE: [u8; 3] = [0xb8, 0x3e, 0x01];
        let more = |bytes: Vec<u8>| [bytes, MORE.to_vec()].concat();
        prop_assert!(control_codec::decode_command(&more(control_codec::encode_command(&command))).is_err());
        let row = control_codec::change_to_row(&control);
        prop_assert!(control_codec::row_to_change(&row.key, &more(row.value.unwrap())).is_err());
    }
}

/// Whatever decodes has exactly the bytes that it decoded from.
fn check_decoders(key: &[u8], value: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(command) = control_codec::decode_command(value) {
        prop_assert_eq!(control_codec::encode_command(&command), value);
    }
    if let Ok(outcome) = control_codec::decode_outcome(value) {
        prop_assert_eq!(control_codec::encode_outcome(&outcome), value);
    }
    if let Ok(change) = control_codec::row_to_change(key, value) {
        prop_assert_eq!(control_codec::change_to_row(&change).value.unwrap(), value);
    }
    if let Ok(change) = regional_codec::row_to_change(key, value) {
        prop_assert_eq!(regional_codec::change_to_row(&change).value.unwrap(), value);
    }
    Ok(())
}

#[test]
fn another_format_version_is_refused_everywhere() {
    for (name, sample) in samples::all() {
        let (key, value) = sample.encode();
        // Field 1 is the format in every stored message, and it comes first.
        assert_eq!(value[..2], [0x08, 0x01], "{name}");
        let newer = [&[0x08, 0x02], &value[2..]].concat();
        let without = value[2..].to_vec();
        for bytes in [newer, without] {
            let problem = sample.decode_like(&key, &bytes).unwrap_err().problem;
            assert_eq!(problem, "unknown format version", "{name}");
        }
    }
}

#[test]
fn unknown_enum_values_are_refused() {
    use kms_proto::state::v1 as pb;
    let command = |body| {
        let command = samples::command(samples::register());
        let mut message = pb::ControlCommand::decode(control_codec::encode_command(&command).as_slice()).unwrap();
        message.body = Some(body);
        control_codec::decode_command(&message.encode_to_vec()).unwrap_err().problem
    };
    let register = |role| {
        pb::control_command::Body::RegisterRegion(pb::RegisterRegion {
            sealing_public_key: vec![],
            role,
            signing_public_key: Vec::new(),
        })
    };
    assert_eq!(command(register(0)), "Region role");
    assert_eq!(command(register(77)), "Region role");
    let outcome = |kind| {
        let refused = Some(pb::Refusal { kind, ..pb::Refusal::default() });
        control_codec::decode_outcome(&pb::ControlOutcome { format: 1, refused }.encode_to_vec()).unwrap_err().problem
    };
    assert_eq!(outcome(0), "kind of refusal");
    assert_eq!(outcome(99), "kind of refusal");
    let grant = |change: fn(&mut pb::GrantRecord)| {
        let row = regional_codec::change_to_row(&RegionalChange::PutGrant(samples::grant().into()));
        let mut record = pb::GrantRecord::decode(row.value.unwrap().as_slice()).unwrap();
        change(&mut record);
        regional_codec::row_to_change(&row.key, &record.encode_to_vec()).unwrap_err().problem
    };
    assert_eq!(grant(|g| g.operations[1] = "Anything".into()), "grant operation");
    assert_eq!(grant(|g| g.operations.reverse()), "unknown fields or not in canonical order");
    assert_eq!(grant(|g| g.grantee = None), "grantee");
    assert_eq!(grant(|g| g.grantee = Some(pb::GrantPrincipal { kind: None })), "kind of principal");
    let spec = |bytes: &[u8]| {
        let mut record = pb::KeyRecord::decode(bytes).unwrap();
        record.spec = "SYMMETRIC_NEW".into();
        record.encode_to_vec()
    };
    let row = regional_codec::change_to_row(&samples::key_row());
    let error = regional_codec::row_to_change(&row.key, &spec(&row.value.unwrap())).unwrap_err();
    assert_eq!(error, FormatError { format: "key record", problem: "key spec" });
}

/// A field that is younger than its message is not written with the value that it had before.
#[test]
fn the_limit_that_aws_has_is_never_written() {
    use kms_proto::state::v1 as pb;
    let (_, sample) = samples::all().into_iter().find(|(name, _)| name == "command-activate-material").unwrap();
    let (_, bytes) = sample.encode();
    let mut message = pb::ControlCommand::decode(bytes.as_slice()).unwrap();
    let Some(pb::control_command::Body::ActivateMaterial(body)) = &mut message.body else { unreachable!() };
    assert_eq!(body.on_demand_limit, None);
    body.on_demand_limit = Some(25);
    let problem = control_codec::decode_command(&message.encode_to_vec()).unwrap_err().problem;
    assert_eq!(problem, "unknown fields or not in canonical order");
}

#[test]
fn half_a_first_material_is_refused() {
    use kms_proto::state::v1 as pb;
    let (_, sample) = samples::all().into_iter().find(|(name, _)| name == "command-create-key-set").unwrap();
    let (_, bytes) = sample.encode();
    let halved = |change: fn(&mut pb::CreateKeySet)| {
        let mut message = pb::ControlCommand::decode(bytes.as_slice()).unwrap();
        let Some(pb::control_command::Body::CreateKeySet(body)) = &mut message.body else { unreachable!() };
        change(body);
        control_codec::decode_command(&message.encode_to_vec()).unwrap_err().problem
    };
    assert_eq!(halved(|body| body.sealed = None), "sealed box");
    assert_eq!(halved(|body| body.material_id.clear()), "key material ID");
}

#[test]
fn wrapped_material_rows_have_a_prefix_of_their_own() {
    let change = samples::material_row();
    let row = regional_codec::change_to_row(&change);
    let RegionalChange::PutMaterial(key_id, material) = change else { unreachable!() };
    assert_eq!(row.key, regional_codec::material_key(&key_id, &material.material_id));
    assert_eq!(row.key[0], regional_codec::MATERIAL_PREFIX);
}
