//! Which port is for what, and whether all are free.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Most Regions of a development cluster: one digit of the port.
pub(crate) const REGIONS_MAX: usize = 9;
/// Base port when none is given.
pub(crate) const DEFAULT_BASE: u16 = 8700;

/// Addresses of one Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RegionPorts {
    /// AWS KMS API: base + 10 + i.
    pub(super) api: SocketAddr,
    /// gRPC services: base + 20 + i.
    pub(super) grpc: SocketAddr,
    /// Metrics and health: base + 30 + i.
    pub(super) ops: SocketAddr,
}

/// The ports of a Region; `index` counts from 0, so that i = index + 1.
pub(super) fn region_ports(base: u16, index: usize) -> Option<RegionPorts> {
    let i = u16::try_from(index).ok()?.checked_add(1)?;
    let at = |offset: u16| Some(loopback(base.checked_add(offset)?.checked_add(i)?));
    Some(RegionPorts { api: at(10)?, grpc: at(20)?, ops: at(30)? })
}

/// A loopback address.
pub(super) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// All ports of a cluster, held so that nobody else takes them before they are used.
#[derive(Debug)]
pub(super) struct Reservation {
    front_door: TcpListener,
    _held: Vec<TcpListener>,
}

/// A port that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("port {port} ({purpose}) cannot be used: {reason}")]
pub(super) struct PortError {
    port: u16,
    purpose: String,
    reason: String,
}

impl Reservation {
    /// Takes the front door's port and all ports of `regions`.
    ///
    /// # Errors
    /// [`PortError`] names the first port that somebody else has.
    pub(super) fn take(base: u16, regions: &[(String, RegionPorts)]) -> Result<Self, PortError> {
        let front_door = bind(loopback(base), "front door")?;
        let mut held = Vec::new();
        for (region, ports) in regions {
            for (address, what) in [(ports.api, "API"), (ports.grpc, "gRPC"), (ports.ops, "operations")] {
                held.push(bind(address, &format!("{what} of {region}"))?);
            }
        }
        Ok(Self { front_door, _held: held })
    }

    /// Gives the Regions' ports up for the nodes to take, and hands out the front door's listener.
    pub(super) fn into_front_door(self) -> TcpListener {
        self.front_door
    }
}

fn bind(address: SocketAddr, purpose: &str) -> Result<TcpListener, PortError> {
    TcpListener::bind(address).map_err(|error| PortError {
        port: address.port(),
        purpose: purpose.to_owned(),
        reason: match error.kind() {
            io::ErrorKind::AddrInUse => "another process is using it (choose other ports with --port)".to_owned(),
            _ => error.to_string(),
        },
    })
}
