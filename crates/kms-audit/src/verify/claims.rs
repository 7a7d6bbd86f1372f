//! What others say about a log: heads that the caller knows, and checkpoints.

use super::{Evidence, Flaw};
use crate::{Head, LogName, SignedCheckpoint, Verifier};
use std::iter::Peekable;
use std::slice;

/// What one claim comes to: agreement, or the sequence and what is wrong there.
pub(super) type Verdict = Result<(), (u64, Flaw)>;

/// Claims in ascending order of sequence, to be compared with records in the same order.
#[derive(Debug)]
pub(super) struct Claims<'a> {
    log: LogName,
    heads: Peekable<std::vec::IntoIter<Head>>,
    checkpoints: Peekable<slice::Iter<'a, SignedCheckpoint>>,
    verifier: &'a dyn Verifier,
    /// Sequence of the last checkpoint that was taken.
    taken_to: u64,
    agreed: u64,
    agreed_to: Option<u64>,
}

impl<'a> Claims<'a> {
    pub(super) fn new(log: &LogName, evidence: &Evidence<'a>) -> Self {
        let mut heads = evidence.heads.to_vec();
        heads.sort_unstable();
        Self {
            log: log.clone(),
            heads: heads.into_iter().peekable(),
            checkpoints: evidence.checkpoints.iter().peekable(),
            verifier: evidence.verifier,
            taken_to: 0,
            agreed: 0,
            agreed_to: None,
        }
    }

    /// Compares a record with all claims up to its sequence. Claims about records that are missing say nothing new.
    pub(super) fn about(&mut self, head: Head) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        while let Some(known) = self.heads.next_if(|known| known.sequence <= head.sequence) {
            if known.sequence == head.sequence && known.hash != head.hash {
                verdicts.push(Err((known.sequence, Flaw::Contradicted { known: known.hash })));
            }
        }
        while let Some(signed) = self.checkpoints.next_if(|signed| signed.checkpoint.head.sequence <= head.sequence) {
            verdicts.push(self.checkpoint(signed, Some(head)));
        }
        verdicts
    }

    /// The last sequence that is claimed to exist from `end` on, and what is wrong with the claims.
    pub(super) fn beyond(&mut self, end: u64) -> (Option<u64>, Vec<(u64, Flaw)>) {
        let mut known = self.heads.by_ref().map(|head| head.sequence).filter(|sequence| *sequence >= end).max();
        let mut flaws = Vec::new();
        while let Some(signed) = self.checkpoints.next() {
            match self.checkpoint(signed, None) {
                Ok(()) => known = known.max(Some(signed.checkpoint.head.sequence).filter(|sequence| *sequence >= end)),
                Err(flaw) => flaws.push(flaw),
            }
        }
        (known, flaws)
    }

    /// Checkpoints that agreed, and the sequence of the last one.
    pub(super) const fn agreed(&self) -> (u64, Option<u64>) {
        (self.agreed, self.agreed_to)
    }

    fn checkpoint(&mut self, signed: &SignedCheckpoint, record: Option<Head>) -> Verdict {
        let claimed = signed.checkpoint.head;
        if signed.checkpoint.log != self.log || claimed.sequence < self.taken_to {
            return Err((claimed.sequence, Flaw::StrayCheckpoint));
        }
        self.taken_to = claimed.sequence;
        if let Err(fault) = signed.check(self.verifier) {
            return Err((claimed.sequence, Flaw::Checkpoint(fault)));
        }
        if let Some(record) = record.filter(|record| record.sequence == claimed.sequence) {
            if record.hash != claimed.hash {
                return Err((claimed.sequence, Flaw::Forked { signed: claimed.hash }));
            }
            self.agreed += 1;
            self.agreed_to = Some(claimed.sequence);
        }
        Ok(())
    }
}
