//! Control and regional state machines and schedulers; pure and deterministic.
