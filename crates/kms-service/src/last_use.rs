//! When each key was last used: noted by requests without waiting for each other, saved to the regional log in batches.

use crate::{Caller, KeyEntry, KmsError, RequestId, Service};
use kms_core::KeyOperation;
use kms_core::regional::{LastUse, RegionalBody, TrackedOperation};
use kms_types::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

/// Most keys in one command, so that no batch of the regional log grows without bound.
const KEYS_PER_COMMAND: usize = 512;

/// One successful use of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) operation: TrackedOperation,
    pub(crate) at: Timestamp,
    pub(crate) request_id: RequestId,
}

/// The last use of one key, in a few atomic words: a sequence lock in which neither readers nor writers wait. Of two
/// uses in the same instant one is kept.
#[derive(Debug, Default)]
pub(crate) struct LastUseCell {
    /// Odd while a use is being written.
    sequence: AtomicU64,
    /// Milliseconds since the Unix epoch above one byte for the operation; zero for a key that was never used.
    at_and_operation: AtomicU64,
    request_id: [AtomicU64; 2],
    /// Whether there is a use that nobody has taken to be saved.
    unsaved: AtomicBool,
}

impl LastUseCell {
    /// Notes a use. Answers whether it is the first since the last was taken to be saved.
    fn note(&self, used: &Use) -> bool {
        // Whoever writes right now was used in the same instant.
        self.write(used);
        !self.unsaved.swap(true, Ordering::AcqRel)
    }

    /// Takes in what was saved, unless something later was noted.
    pub(crate) fn restore(&self, saved: &LastUse) {
        let Some(request_id) = RequestId::parse(&saved.request_id) else { return };
        if self.read().is_none_or(|noted| noted.at < saved.at) {
            self.write(&Use { operation: saved.operation, at: saved.at, request_id });
        }
    }

    /// The last use; `None` when there was none.
    pub(crate) fn read(&self) -> Option<Use> {
        loop {
            let before = self.sequence.load(Ordering::Acquire);
            let at_and_operation = self.at_and_operation.load(Ordering::Relaxed);
            let [high, low] = [0, 1].map(|word| self.request_id.get(word).map(|w| w.load(Ordering::Relaxed)));
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.sequence.load(Ordering::Relaxed) == before {
                return unpack(at_and_operation, high?, low?);
            }
            std::hint::spin_loop();
        }
    }

    /// Takes the last use to be saved; later ones are noted as unsaved again.
    fn take(&self) -> Option<Use> {
        self.unsaved.swap(false, Ordering::AcqRel);
        self.read()
    }

    fn write(&self, used: &Use) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        let writing = sequence | 1;
        let claimed = self.sequence.compare_exchange(sequence & !1, writing, Ordering::Acquire, Ordering::Relaxed);
        if claimed.is_err() {
            return;
        }
        fence(Ordering::Release);
        let (at_and_operation, request_id) = pack(used);
        self.at_and_operation.store(at_and_operation, Ordering::Relaxed);
        for (word, value) in self.request_id.iter().zip(request_id) {
            word.store(value, Ordering::Relaxed);
        }
        self.sequence.store(writing.wrapping_add(1), Ordering::Release);
    }
}

fn pack(used: &Use) -> (u64, [u64; 2]) {
    let code = TrackedOperation::ALL.iter().position(|operation| *operation == used.operation).unwrap_or_default();
    let id = u128::from_be_bytes(*used.request_id.as_bytes());
    let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
    ((used.at.millis() << 8) | u64::try_from(code).unwrap_or_default(), [half(id >> 64), half(id)])
}

fn unpack(at_and_operation: u64, high: u64, low: u64) -> Option<Use> {
    let at = Timestamp::from_millis(at_and_operation >> 8);
    let code = usize::try_from(at_and_operation & 0xff).ok()?;
    let operation = *TrackedOperation::ALL.get(code)?;
    let request_id = RequestId::from_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes());
    (at_and_operation != 0).then_some(Use { operation, at, request_id })
}

impl Service {
    /// Notes that a request has used a key with success. Operations that AWS does not track are passed over.
    pub(crate) fn note_use(&self, entry: &KeyEntry, caller: &Caller, operation: KeyOperation) {
        let Some(operation) = TrackedOperation::of(operation) else { return };
        // Before the key is noted as used: whoever finds it noted finds this use, too.
        entry.live.uses.count(operation);
        let used = Use { operation, at: self.now(), request_id: caller.request_id };
        if entry.live.last_use.note(&used) {
            self.directory().add_unsaved_use(entry.arn.key_id);
        }
    }

    /// Saves the uses that were noted since the last call.
    ///
    /// # Errors
    /// [`KmsError`] when the regional log does not take them; the next call tries again.
    pub async fn save_last_uses(&self) -> Result<(), KmsError> {
        loop {
            let keys = self.directory().take_unsaved_uses(KEYS_PER_COMMAND);
            if keys.is_empty() {
                return Ok(());
            }
            let uses = keys.iter().filter_map(|key_id| {
                // A key that is gone has no last use.
                let Use { operation, at, request_id } = self.directory().key(key_id)?.live.last_use.take()?;
                Some((*key_id, LastUse { operation, at, request_id: request_id.to_string() }))
            });
            let uses = uses.collect();
            // After they were taken: a use that comes later notes its key again.
            self.gather_uses(&keys);
            // Unknown keys are passed over; there is nothing else to refuse.
            if let Err(error) = self.submit(RegionalBody::RecordUse(uses)).await {
                for key_id in keys {
                    self.directory().add_unsaved_use(key_id);
                }
                return Err(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(operation: TrackedOperation, at: u64, id: u8) -> Use {
        Use { operation, at: Timestamp::from_millis(at), request_id: RequestId::from_random([id; 16]) }
    }

    #[test]
    fn what_is_noted_reads_back_for_every_operation() {
        let cell = LastUseCell::default();
        assert_eq!(cell.read(), None);
        for (n, operation) in TrackedOperation::ALL.into_iter().enumerate() {
            let noted = used(operation, 1_700_000_000_123 + u64::try_from(n).unwrap(), 0xa0);
            cell.note(&noted);
            assert_eq!(cell.read(), Some(noted));
        }
    }

    #[test]
    fn the_first_use_since_the_last_saving_says_so() {
        let cell = LastUseCell::default();
        let [first, second, third] = [1, 2, 3].map(|at| used(TrackedOperation::Sign, at, 1));
        assert!(cell.note(&first));
        assert!(!cell.note(&second));
        assert_eq!(cell.take(), Some(second));
        assert!(cell.note(&third));
        assert_eq!(cell.take(), Some(third));
    }

    #[test]
    fn what_was_saved_does_not_replace_what_was_noted_later() {
        let saved = |at| {
            let Use { operation, at, request_id } = used(TrackedOperation::Decrypt, at, 9);
            LastUse { operation, at, request_id: request_id.to_string() }
        };
        let cell = LastUseCell::default();
        cell.restore(&saved(5));
        assert_eq!(cell.read(), Some(used(TrackedOperation::Decrypt, 5, 9)));
        let noted = used(TrackedOperation::Encrypt, 7, 1);
        cell.note(&noted);
        cell.restore(&saved(6));
        assert_eq!(cell.read(), Some(noted));
    }

    #[test]
    fn readers_among_writers_see_whole_uses_only() {
        let cell = LastUseCell::default();
        // Time and ID say the same number, so that a mixture would show.
        let matching = |n: u8| used(TrackedOperation::Verify, u64::from(n), n);
        std::thread::scope(|scope| {
            for offset in [0, 100] {
                let cell = &cell;
                scope.spawn(move || {
                    for n in (1..=100_u8).cycle().take(20_000) {
                        cell.note(&matching(n + offset));
                    }
                });
            }
            for _ in 0..20_000 {
                if let Some(read) = cell.read() {
                    assert_eq!(read, matching(u8::try_from(read.at.millis()).unwrap()));
                }
            }
        });
        assert!(cell.read().is_some());
    }
}
