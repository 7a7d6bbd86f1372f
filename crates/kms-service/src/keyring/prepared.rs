//! Prepared keys in memory: parsed and expanded once, then shared by all requests.
//!
//! A hit takes no lock. A miss has read the store already, so that the short lock behind which the oldest entries make
//! room is not felt. What is evicted or forgotten lives on until the requests that hold it are done.

use kms_crypto::{AsymmetricKey, CryptoError, KeyMaterial, MacKey, MessageCipher};
use kms_types::{KeyId, KeyMaterialId, KeySpec};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What names a version of a key.
pub(super) type Version = (KeyId, KeyMaterialId);

/// A key in the form in which it is used.
#[derive(Clone)]
pub(super) enum Prepared {
    Cipher(Arc<MessageCipher>),
    Mac(Arc<MacKey>),
    Asymmetric(Arc<AsymmetricKey>),
}

impl Prepared {
    /// Prepares a key in the one form that its spec has. Takes up to a few milliseconds for asymmetric keys.
    pub(super) fn of(material: &KeyMaterial) -> Result<Self, CryptoError> {
        use KeySpec as S;
        match material.spec() {
            S::SymmetricDefault => Ok(Self::Cipher(Arc::new(MessageCipher::new(material)?))),
            S::Hmac224 | S::Hmac256 | S::Hmac384 | S::Hmac512 => Ok(Self::Mac(Arc::new(MacKey::new(material)?))),
            _ => Ok(Self::Asymmetric(Arc::new(AsymmetricKey::new(material)?))),
        }
    }

    /// About how many times the memory of a symmetric key this one takes.
    fn weight(&self) -> usize {
        use KeySpec as S;
        match self {
            Self::Cipher(_) | Self::Mac(_) => 1,
            Self::Asymmetric(key) => match key.spec() {
                S::MlDsa44 | S::MlDsa65 | S::MlDsa87 => 64,
                S::MlKem512 | S::MlKem768 | S::MlKem1024 => 16,
                _ => 8,
            },
        }
    }
}

/// The cache.
pub(super) struct PreparedKeys {
    /// Each with the number of its entry in the order.
    keys: papaya::HashMap<Version, (u64, Prepared)>,
    /// The order in which they came. Lists keys that were forgotten since, too, until their turn has come.
    order: Mutex<Order>,
    next: AtomicU64,
    weight_max: usize,
}

#[derive(Default)]
struct Order {
    entries: VecDeque<Entry>,
    weight: usize,
}

struct Entry {
    number: u64,
    version: Version,
    weight: usize,
}

impl PreparedKeys {
    /// An empty cache for keys of this weight together.
    pub(super) fn new(weight_max: usize) -> Self {
        Self { keys: papaya::HashMap::new(), order: Mutex::default(), next: AtomicU64::new(0), weight_max }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn find(&self, version: &Version) -> Option<Prepared> {
        self.keys.pin().get(version).map(|(_, key)| key.clone())
    }

    /// Keeps a key; the oldest ones make room for it. A hot key that is dropped costs one read of the store.
    pub(super) fn keep(&self, version: Version, key: &Prepared) {
        let keys = self.keys.pin();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if keys.try_insert(version, (number, key.clone())).is_err() {
            return;
        }
        let mut order = self.order.lock();
        order.weight = order.weight.saturating_add(key.weight());
        order.entries.push_back(Entry { number, version, weight: key.weight() });
        while order.weight > self.weight_max
            && let Some(oldest) = order.entries.pop_front()
        {
            order.weight = order.weight.saturating_sub(oldest.weight);
            // Not a later entry of the same key. Nothing is found when it was forgotten.
            let _evicted = keys.remove_if(&oldest.version, |_, (number, _)| *number == oldest.number);
        }
    }

    /// Drops a key.
    pub(super) fn forget(&self, version: &Version) {
        self.keys.pin().remove(version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kms_crypto::{Entropy, EntropyError};

    struct Count(std::sync::atomic::AtomicU8);

    impl Entropy for Count {
        fn fill(&self, dest: &mut [u8]) -> Result<(), EntropyError> {
            dest.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            Ok(())
        }
    }

    fn version(number: u8) -> Version {
        (KeyId::single_region([number; 16]), KeyMaterialId::from_bytes([number; 32]))
    }

    fn key(spec: KeySpec) -> Prepared {
        Prepared::of(&KeyMaterial::generate(spec, &Count(1.into())).unwrap()).unwrap()
    }

    #[test]
    fn oldest_keys_make_room_by_weight() {
        let cache = PreparedKeys::new(10);
        let (light, heavy) = (key(KeySpec::SymmetricDefault), key(KeySpec::EccNistP256));
        for number in 0..10 {
            cache.keep(version(number), &light);
        }
        assert_eq!(cache.len(), 10);
        cache.keep(version(10), &heavy);
        let kept: Vec<u8> = (0..=10).filter(|number| cache.find(&version(*number)).is_some()).collect();
        assert_eq!(kept, [8, 9, 10]);
    }

    #[test]
    fn forgotten_keys_do_not_count_for_ever() {
        let cache = PreparedKeys::new(10);
        let light = key(KeySpec::Hmac256);
        for round in 0..100 {
            cache.keep(version(round % 3), &light);
            cache.forget(&version(round % 3));
        }
        assert_eq!(cache.len(), 0);
        assert!(cache.order.lock().entries.len() <= 10);
        cache.keep(version(0), &light);
        assert!(cache.find(&version(0)).is_some());
    }

    #[test]
    fn key_heavier_than_the_cache_is_not_kept() {
        let cache = PreparedKeys::new(4);
        cache.keep(version(0), &key(KeySpec::EccNistP256));
        assert_eq!((cache.len(), cache.order.lock().weight), (0, 0));
    }
}
