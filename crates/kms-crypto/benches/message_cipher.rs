//! Cost of the data path's cryptography: one message under a prepared cipher, beside the setup that the cache saves.
//! Run with `cargo bench -p kms-crypto`; compare rows of one run with each other.
#![expect(clippy::unwrap_used, reason = "a benchmark has nobody to report an error to")]
#![expect(missing_docs, reason = "criterion's macros generate an undocumented function")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kms_crypto::{Entropy, EntropyError, KekEpoch, KeyMaterial, MessageCipher, RegionKek, WrapContext};
use kms_types::{EncryptionContext, KeyId, KeySpec, RegionName};
use std::hint::black_box;

/// The kernel's random generator, as in the shipped binary.
struct Kernel;

impl Entropy for Kernel {
    fn fill(&self, dest: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(dest).map_err(|_unavailable| EntropyError)
    }
}

fn message_cipher(criterion: &mut Criterion) {
    let key_id = KeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab").unwrap();
    let material = KeyMaterial::generate(KeySpec::SymmetricDefault, &Kernel).unwrap();
    let material_id = material.material_id(&key_id);
    let context: EncryptionContext = [("purpose".to_owned(), "bench".to_owned())].into_iter().collect();
    let cipher = MessageCipher::new(&material).unwrap();
    let mut group = criterion.benchmark_group("message");
    for size in [32_usize, 4096] {
        let plaintext = vec![7; size];
        let blob = cipher.encrypt(&key_id, &material_id, &context, &plaintext, &Kernel).unwrap();
        group.throughput(Throughput::Bytes(u64::try_from(size).unwrap()));
        group.bench_function(format!("encrypt/{size}"), |b| {
            b.iter(|| cipher.encrypt(&key_id, &material_id, &context, black_box(&plaintext), &Kernel).unwrap());
        });
        group.bench_function(format!("decrypt/{size}"), |b| {
            b.iter(|| cipher.decrypt(black_box(&blob), &context).unwrap());
        });
    }
    group.finish();

    let region = RegionName::parse("us-east-1").unwrap();
    let kek = RegionKek::generate(KekEpoch(1), &Kernel).unwrap();
    let wrap = WrapContext { region: &region, key_id: &key_id, material_id: &material_id };
    let wrapped = material.wrap(&kek, &wrap, &Kernel).unwrap();
    criterion.bench_function("unwrap and prepare", |b| {
        b.iter(|| MessageCipher::new(&KeyMaterial::unwrap(black_box(&wrapped), &kek, &wrap).unwrap()).unwrap());
    });
}

criterion_group!(benches, message_cipher);
criterion_main!(benches);
