//! Claims about mutual TLS.
