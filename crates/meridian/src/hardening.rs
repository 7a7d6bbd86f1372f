//! Keeping key material inside the process: no core dumps, no swap, and no life without the parent that asked for it.

use rustix::mm::MlockAllFlags;
use rustix::process::{DumpableBehavior, Pid, Resource, Rlimit, Signal};

/// Turns core dumps off and locks memory where the operating system allows it. What is not allowed is logged, because
/// an operator can allow it (`LimitMEMLOCK=infinity`).
pub(crate) fn harden_process() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = rustix::process::setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps cannot be turned off");
    }
    // Also keeps other processes of the same user from reading this one's memory.
    if let Err(error) = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "other processes of this user may read this one's memory");
    }
    // ONFAULT: only pages in use are locked, so that reserved stacks and arenas cost nothing.
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    let unlimited = rustix::process::getrlimit(Resource::Memlock).current.is_none();
    // With a finite limit the lock would succeed now and make a later allocation fail.
    if !unlimited {
        tracing::info!("memory is not locked: the limit on locked memory is finite (LimitMEMLOCK)");
    } else if let Err(error) = rustix::mm::mlockall(flags) {
        tracing::info!(%error, "memory is not locked");
    }
}

/// Ties this process to the one that started it: it is killed when the parent dies.
///
/// # Errors
/// Fails when the parent is no longer `parent`, which means that it has died already.
pub(crate) fn die_with_parent(parent: i32) -> anyhow::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // Asked after the signal is set, so that a death in between is noticed either way.
    let actual = rustix::process::getppid().map(Pid::as_raw_nonzero).map(i32::from);
    anyhow::ensure!(actual == Some(parent), "the process that started this node is gone");
    Ok(())
}
