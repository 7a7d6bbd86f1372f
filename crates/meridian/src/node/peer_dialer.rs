//! Channels to the other Regions over mutual TLS.

use crate::config::NodeConfig;
use crate::tls::{self, Credentials};
use kms_types::RegionName;
use std::collections::BTreeMap;
use tonic::transport::{Channel, Endpoint};

/// One channel per member of the cluster; they connect when they are used.
#[derive(Debug)]
pub(crate) struct TlsDialer(BTreeMap<RegionName, Channel>);

impl TlsDialer {
    /// Prepares a channel to each peer in the configuration.
    ///
    /// # Errors
    /// Fails when an address cannot be dialled or the certificates do not fit together.
    pub(crate) fn new(config: &NodeConfig, credentials: &Credentials) -> anyhow::Result<Self> {
        let client = credentials.client_config()?;
        let peers = config.peers.iter();
        let channels = peers.map(|peer| {
            let channel = tls::channel(&peer.address, &peer.region, &config.cluster_id, &client)?;
            Ok((peer.region.clone(), channel))
        });
        Ok(Self(channels.collect::<anyhow::Result<_>>()?))
    }
}

impl kms_control::PeerDialer for TlsDialer {
    fn channel(&self, region: &RegionName) -> Channel {
        // Only configured Regions are asked for. Another name gets a channel on which every call fails.
        self.0.get(region).cloned().unwrap_or_else(|| Endpoint::from_static("http://unknown.invalid").connect_lazy())
    }
}
