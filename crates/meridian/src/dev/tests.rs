//! Claims about relays, links and the front door, with real sockets.
