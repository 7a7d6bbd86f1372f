//! `meridian dev`: a whole cluster on this machine.
