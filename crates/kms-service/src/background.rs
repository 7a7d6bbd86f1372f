//! What a Region does by itself: bringing its rows in line with the control state, and doing what is due.

mod due;
mod synchronise;

/// How far a piece of background work got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is left to do.
    Quiet,
    /// It waits for other Regions or for the control log; try again in a while.
    Waiting,
}
