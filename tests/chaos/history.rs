//! What clients saw of shared properties, and the judgement of it.

use crate::register::Outcome;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// One change as its client saw it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// The Region that was asked.
    pub(crate) region: &'static str,
    /// The key.
    pub(crate) key_id: String,
    /// What was asked for.
    pub(crate) change: Change,
    /// When it was sent, and when the answer came.
    pub(crate) sent: Instant,
    pub(crate) answered: Instant,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// A change of a shared property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The primary was moved, with this epoch if it was acknowledged.
    Promote { to: String, epoch: Option<u64> },
    /// The rotation period was set; every value is used once.
    Period(i32),
}

/// A time in which a Region was cut off from all others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CutOff {
    pub(crate) region: &'static str,
    pub(crate) from: Instant,
    pub(crate) until: Instant,
}

/// What all Regions agree on at the end.
#[derive(Clone, Debug)]
pub(crate) struct Final {
    pub(crate) primary: String,
    pub(crate) epoch: u64,
    pub(crate) period: i32,
}

/// A commit that was on its way when the link went away may still be answered for this long.
const IN_FLIGHT: Duration = Duration::from_millis(200);

/// Judges a history.
///
/// # Errors
/// The first thing that must not have happened.
pub(crate) fn judge(events: &[Event], cuts: &[CutOff], ends: &BTreeMap<String, Final>) -> Result<(), String> {
    one_primary_per_epoch(events)?;
    minority_commits_nothing(events, cuts)?;
    for (key_id, end) in ends {
        let of_key: Vec<&Event> = events.iter().filter(|event| event.key_id == *key_id).collect();
        nothing_acknowledged_is_lost(&of_key, end)?;
    }
    Ok(())
}

fn one_primary_per_epoch(events: &[Event]) -> Result<(), String> {
    let mut primaries: BTreeMap<(&str, u64), &Event> = BTreeMap::new();
    for event in events.iter().filter(|event| event.outcome == Outcome::Done) {
        if let Change::Promote { epoch: Some(epoch), .. } = event.change
            && let Some(other) = primaries.insert((&event.key_id, epoch), event)
        {
            return Err(format!("two promotions were acknowledged for epoch {epoch}: {other:?} and {event:?}"));
        }
    }
    Ok(())
}

fn minority_commits_nothing(events: &[Event], cuts: &[CutOff]) -> Result<(), String> {
    for event in events.iter().filter(|event| event.outcome == Outcome::Done) {
        let inside = |cut: &&CutOff| {
            cut.region == event.region && event.sent > cut.from + IN_FLIGHT && event.answered < cut.until
        };
        if let Some(cut) = cuts.iter().find(inside) {
            return Err(format!("acknowledged in a Region that was cut off ({cut:?}): {event:?}"));
        }
    }
    Ok(())
}

fn nothing_acknowledged_is_lost(events: &[&Event], end: &Final) -> Result<(), String> {
    let done = || events.iter().filter(|event| event.outcome == Outcome::Done);
    let epochs = done().filter_map(|event| match &event.change {
        Change::Promote { to, epoch: Some(epoch) } => Some((*epoch, to.as_str())),
        _ => None,
    });
    if let Some((epoch, to)) = epochs.max()
        && (epoch > end.epoch || (epoch == end.epoch && to != end.primary))
    {
        return Err(format!("{to} became primary with epoch {epoch}, but the end is {end:?}"));
    }
    // The value at the end was written by somebody, and no acknowledged write came entirely after that one.
    let writer = events.iter().find(|event| event.change == Change::Period(end.period));
    let Some(writer) = writer else {
        let lost = done().find(|event| matches!(event.change, Change::Period(_)));
        return lost.map_or(Ok(()), |lost| Err(format!("lost: {lost:?}; the end is {end:?}")));
    };
    if writer.outcome == Outcome::Refused {
        return Err(format!("a refused change took effect: {writer:?}"));
    }
    if writer.outcome == Outcome::Done {
        let later = done().find(|event| matches!(event.change, Change::Period(_)) && event.sent > writer.answered);
        if let Some(lost) = later {
            return Err(format!("lost: {lost:?}; the end is that of {writer:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(region: &'static str, change: Change, from: u64, to: u64, outcome: Outcome) -> (Instant, Event) {
        use std::sync::OnceLock;
        static START: OnceLock<Instant> = OnceLock::new();
        let start = *START.get_or_init(Instant::now);
        let at = |ms| start + Duration::from_millis(ms);
        (start, Event { region, key_id: "k".into(), change, sent: at(from), answered: at(to), outcome })
    }

    fn ends(primary: &str, epoch: u64, period: i32) -> BTreeMap<String, Final> {
        BTreeMap::from([("k".to_owned(), Final { primary: primary.to_owned(), epoch, period })])
    }

    #[test]
    fn a_split_brain_is_seen() {
        let promote = |to: &str| Change::Promote { to: to.to_owned(), epoch: Some(2) };
        let (_, one) = event("a", promote("a"), 0, 10, Outcome::Done);
        let (_, two) = event("b", promote("b"), 5, 20, Outcome::Done);
        assert!(judge(&[one.clone(), two], &[], &ends("a", 2, 0)).is_err());
        judge(std::slice::from_ref(&one), &[], &ends("a", 2, 0)).unwrap();
        assert!(judge(&[one], &[], &ends("b", 1, 0)).is_err(), "a lost promotion is seen");
    }

    #[test]
    fn a_lost_change_is_seen() {
        let (_, first) = event("a", Change::Period(1), 0, 10, Outcome::Done);
        let (_, second) = event("a", Change::Period(2), 20, 30, Outcome::Done);
        let (_, open) = event("a", Change::Period(3), 5, 40, Outcome::Unknown);
        let all = [first, second, open];
        judge(&all, &[], &ends("a", 1, 2)).unwrap();
        judge(&all, &[], &ends("a", 1, 3)).unwrap();
        assert!(judge(&all, &[], &ends("a", 1, 1)).is_err());
        assert!(judge(&all, &[], &ends("a", 1, 0)).is_err());
    }

    #[test]
    fn a_commit_in_a_minority_is_seen() {
        let (start, done) = event("a", Change::Period(1), 1_000, 1_100, Outcome::Done);
        let until = start + Duration::from_millis(2_000);
        let cut = |region| CutOff { region, from: start, until };
        assert!(judge(std::slice::from_ref(&done), &[cut("a")], &ends("a", 1, 1)).is_err());
        judge(&[done], &[cut("b")], &ends("a", 1, 1)).unwrap();
    }
}
