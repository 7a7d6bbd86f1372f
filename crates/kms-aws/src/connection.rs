//! Where a request came from: what its listener knows of the connection, and what its header says of the client.

use http::header::USER_AGENT;
use http::request::Parts;
use kms_service::Origin;
use std::net::IpAddr;

/// What the listener knows of a connection. It goes with each request as an extension; no header can say it, so that no
/// client chooses the address that policies see.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// The peer's address.
    pub peer: IpAddr,
    /// Whether the connection has TLS.
    pub secure: bool,
}

/// The origin of a request; without a [`Connection`] it came from within the process.
pub(crate) fn origin(parts: &Parts) -> Origin {
    let connection = parts.extensions.get::<Connection>();
    let user_agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    Origin {
        source_ip: connection.map(|connection| connection.peer),
        secure_transport: connection.is_some_and(|connection| connection.secure),
        user_agent: user_agent.map(Into::into),
    }
}
