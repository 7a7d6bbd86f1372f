//! Claims about the configuration file.
