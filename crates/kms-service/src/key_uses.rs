//! How often keys are used, for metrics: counted by requests in words of the key itself, gathered now and then into a bounded
//! number of series.
//!
//! A request adds one to a number of its key and waits for nobody. Whoever saves the last uses, or reads the metrics,
//! takes the counts of the keys that were used since: into the key's own series if it has one, or else into that of all
//! others.

use crate::Service;
use kms_core::regional::TrackedOperation;
use kms_types::{KeyId, Timestamp};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

/// Time in which a use comes to count half for who keeps a series, in milliseconds.
const HALF_LIFE_MS: f64 = 60_000.0;

/// What a key is used for, as coarse as a person asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseClass {
    /// Encrypt, GenerateDataKey and its kin, Encapsulate.
    Encrypt,
    /// Decrypt, Decapsulate.
    Decrypt,
    /// ReEncrypt, counted for the source key and for the destination key.
    ReEncrypt,
    /// Sign.
    Sign,
    /// Verify.
    Verify,
    /// GenerateMac, VerifyMac.
    Mac,
    /// DeriveSharedSecret.
    Agree,
}

const CLASSES: usize = UseClass::ALL.len();

impl UseClass {
    /// Every class.
    pub const ALL: [Self; 7] =
        [Self::Encrypt, Self::Decrypt, Self::ReEncrypt, Self::Sign, Self::Verify, Self::Mac, Self::Agree];

    /// Its name in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::ReEncrypt => "reencrypt",
            Self::Sign => "sign",
            Self::Verify => "verify",
            Self::Mac => "mac",
            Self::Agree => "agree",
        }
    }

    /// The class of an operation.
    #[must_use]
    pub const fn of(operation: TrackedOperation) -> Self {
        use TrackedOperation as O;
        match operation {
            O::Encrypt
            | O::GenerateDataKey
            | O::GenerateDataKeyPair
            | O::GenerateDataKeyPairWithoutPlaintext
            | O::GenerateDataKeyWithoutPlaintext
            | O::Encapsulate => Self::Encrypt,
            O::Decrypt | O::Decapsulate => Self::Decrypt,
            O::ReEncrypt => Self::ReEncrypt,
            O::Sign => Self::Sign,
            O::Verify => Self::Verify,
            O::GenerateMac | O::VerifyMac => Self::Mac,
            O::DeriveSharedSecret => Self::Agree,
        }
    }
}

/// Uses by class, in the order of [`UseClass::ALL`].
pub type UsesByClass = [u64; CLASSES];

/// The uses of one key that nobody has gathered yet.
#[derive(Debug, Default)]
pub(crate) struct UseCell([AtomicU32; CLASSES]);

impl UseCell {
    /// Counts one use. They are gathered every few seconds, long before a number overflows.
    pub(crate) fn count(&self, operation: TrackedOperation) {
        if let Some(count) = self.0.get(UseClass::of(operation) as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn take(&self) -> UsesByClass {
        let mut taken = UsesByClass::default();
        for (into, count) in taken.iter_mut().zip(&self.0) {
            *into = u64::from(count.swap(0, Ordering::Relaxed));
        }
        taken
    }
}

/// What the metrics say of the use of keys since the start of the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyUses {
    /// The keys that have a series of their own.
    pub keys: Vec<(KeyId, UsesByClass)>,
    /// All others together.
    pub other: UsesByClass,
    /// All keys of the Region.
    pub total: UsesByClass,
}

/// The series. The lock is for those who gather and those who read the metrics; requests never take it.
#[derive(Debug)]
pub(crate) struct UseBoard {
    places: usize,
    board: Mutex<Board>,
}

#[derive(Debug, Default)]
struct Board {
    keys: BTreeMap<KeyId, Place>,
    other: UsesByClass,
    total: UsesByClass,
    faded_at: Timestamp,
}

#[derive(Debug)]
struct Place {
    uses: UsesByClass,
    /// Uses, each worth the less the longer ago it was.
    recent: f64,
}

impl UseBoard {
    /// A board on which so many keys have a place.
    pub(crate) fn new(places: usize) -> Self {
        Self { places, board: Mutex::default() }
    }

    /// Takes uses in. A key without a place gets that of a key that was used less of late than it was just now.
    fn add(&self, uses: impl IntoIterator<Item = (KeyId, UsesByClass)>, now: Timestamp) {
        let mut board = self.board.lock();
        board.fade(now);
        for (key_id, uses) in uses {
            let sum: u64 = uses.iter().sum();
            if sum == 0 {
                continue;
            }
            add(&mut board.total, &uses);
            if !board.keys.contains_key(&key_id) && !board.make_room(self.places, sum) {
                add(&mut board.other, &uses);
                continue;
            }
            let place = board.keys.entry(key_id).or_insert(Place { uses: [0; CLASSES], recent: 0.0 });
            add(&mut place.uses, &uses);
            place.recent += as_f64(sum);
        }
    }

    /// What there is to say, once keys that are gone have left.
    fn read(&self, exists: impl Fn(&KeyId) -> bool) -> KeyUses {
        let mut board = self.board.lock();
        board.keys.retain(|key_id, _| exists(key_id));
        let keys = board.keys.iter().map(|(key_id, place)| (*key_id, place.uses)).collect();
        KeyUses { keys, other: board.other, total: board.total }
    }
}

impl Board {
    fn fade(&mut self, now: Timestamp) {
        let elapsed = now.millis().saturating_sub(self.faded_at.millis());
        let left = 0.5_f64.powf(as_f64(elapsed) / HALF_LIFE_MS);
        self.keys.values_mut().for_each(|place| place.recent *= left);
        self.faded_at = now;
    }

    /// Whether there is a place for a key with so many uses.
    fn make_room(&mut self, places: usize, uses: u64) -> bool {
        if self.keys.len() < places {
            return true;
        }
        let least = self.keys.iter().min_by(|a, b| a.1.recent.total_cmp(&b.1.recent));
        match least {
            Some((key_id, place)) if place.recent < as_f64(uses) => {
                let key_id = *key_id;
                self.keys.remove(&key_id).is_some()
            }
            Some(_) | None => false,
        }
    }
}

fn add(into: &mut UsesByClass, more: &UsesByClass) {
    for (into, more) in into.iter_mut().zip(more) {
        *into = into.saturating_add(*more);
    }
}

fn as_f64(count: u64) -> f64 {
    count as f64
}

impl Service {
    /// Gathers what these keys were used for. Keys that are gone are passed over.
    pub(crate) fn gather_uses(&self, keys: &[KeyId]) {
        let used = keys.iter().filter_map(|key_id| Some((*key_id, self.directory().key(key_id)?.live.uses.take())));
        self.use_board().add(used, self.now());
    }

    /// The use of keys up to now, for metrics. Waits for no request, and no request waits for it.
    #[must_use]
    pub fn key_uses(&self) -> KeyUses {
        self.gather_uses(&self.directory().unsaved_uses());
        self.use_board().read(|key_id| self.directory().key(key_id).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> KeyId {
        KeyId::parse(&format!("{:08x}-0000-4000-8000-000000000000", n)).unwrap()
    }

    fn uses(encrypt: u64) -> UsesByClass {
        let mut uses = [0; CLASSES];
        uses[0] = encrypt;
        uses
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + seconds * 1_000)
    }

    #[test]
    fn every_operation_is_counted_in_its_class_once() {
        for operation in TrackedOperation::ALL {
            let cell = UseCell::default();
            cell.count(operation);
            let taken = cell.take();
            assert_eq!(taken.iter().sum::<u64>(), 1, "{operation:?}");
            let place = UseClass::ALL.iter().position(|class| *class == UseClass::of(operation)).unwrap();
            assert_eq!(taken[place], 1, "{operation:?}");
            assert_eq!(cell.take(), [0; CLASSES]);
        }
    }

    #[test]
    fn there_are_never_more_series_than_places_and_no_use_is_lost() {
        let board = UseBoard::new(2);
        board.add((0..20).map(|n| (key(n), uses(5))), at(0));
        let read = board.read(|_| true);
        assert_eq!((read.keys.len(), read.other[0], read.total[0]), (2, 90, 100));
        assert_eq!(UseBoard::new(0).read(|_| true), KeyUses::default());
    }

    #[test]
    fn a_busy_key_takes_the_place_of_one_that_has_gone_quiet() {
        let board = UseBoard::new(1);
        board.add([(key(1), uses(50))], at(0));
        board.add([(key(2), uses(40))], at(1));
        assert_eq!(board.read(|_| true).keys, [(key(1), uses(50))]);
        board.add([(key(2), uses(40))], at(120));
        let read = board.read(|_| true);
        assert_eq!((read.keys, read.other[0], read.total[0]), (vec![(key(2), uses(40))], 40, 130));
    }

    #[test]
    fn the_series_of_a_deleted_key_is_gone() {
        let board = UseBoard::new(3);
        board.add([(key(1), uses(1)), (key(2), uses(2))], at(0));
        assert_eq!(board.read(|id| *id != key(1)).keys, [(key(2), uses(2))]);
    }
}
