//! All links of a development cluster: a relay for each ordered pair of Regions, and the faults put on them.

use super::relay::Relay;
use kms_types::RegionName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// The relays, by dialling Region and dialled Region.
#[derive(Debug)]
pub(super) struct Links {
    regions: Vec<RegionName>,
    relays: BTreeMap<(RegionName, RegionName), Relay>,
}

/// State of the link between two Regions.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct LinkStatus {
    /// The two Regions.
    pub(crate) between: [String; 2],
    /// Whether the link loses everything.
    pub(crate) blocked: bool,
    /// One-way latency in milliseconds.
    pub(crate) latency_ms: u64,
}

/// A request about links that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LinkError {
    /// No such Region in this cluster.
    #[error("there is no Region {region}; the cluster has {known}")]
    UnknownRegion {
        /// As asked for.
        region: String,
        /// The cluster's Regions.
        known: String,
    },
    /// A Region on both sides of a partition, or a pair of one.
    #[error("{0} is named twice")]
    NamedTwice(String),
    /// A partition has two sides or more.
    #[error("a partition needs at least two groups, such as us-east-1,eu-west-1|ap-southeast-1")]
    OneGroup,
}

impl Links {
    /// Starts a relay for every ordered pair; `targets` are the Regions with their gRPC addresses.
    ///
    /// # Errors
    /// Fails when a port cannot be had.
    pub(super) async fn start(targets: &[(RegionName, SocketAddr)], latency: Duration) -> io::Result<Self> {
        let mut relays = BTreeMap::new();
        for (from, _) in targets {
            for (to, address) in targets.iter().filter(|(to, _)| to != from) {
                relays.insert((from.clone(), to.clone()), Relay::start(*address, latency).await?);
            }
        }
        Ok(Self { regions: targets.iter().map(|(region, _)| region.clone()).collect(), relays })
    }

    /// The address that Region `from` dials to reach Region `to`.
    #[must_use]
    pub(super) fn address(&self, from: &RegionName, to: &RegionName) -> Option<SocketAddr> {
        self.relays.get(&(from.clone(), to.clone())).map(Relay::address)
    }

    /// Cuts a Region off from all others.
    ///
    /// # Errors
    /// [`LinkError::UnknownRegion`].
    pub(super) fn isolate(&self, region: &str) -> Result<(), LinkError> {
        let region = self.known(region)?;
        for ((from, to), relay) in &self.relays {
            if *from == region || *to == region {
                relay.set_blocked(true);
            }
        }
        Ok(())
    }

    /// Blocks every link between Regions of different groups. Regions in no group keep their links.
    ///
    /// # Errors
    /// [`LinkError`]; nothing is blocked then.
    pub(super) fn partition(&self, groups: &[Vec<String>]) -> Result<(), LinkError> {
        let mut group_of = BTreeMap::new();
        for (number, group) in groups.iter().enumerate() {
            for region in group {
                if group_of.insert(self.known(region)?, number).is_some() {
                    return Err(LinkError::NamedTwice(region.clone()));
                }
            }
        }
        if groups.iter().filter(|group| !group.is_empty()).count() < 2 {
            return Err(LinkError::OneGroup);
        }
        for ((from, to), relay) in &self.relays {
            if let (Some(left), Some(right)) = (group_of.get(from), group_of.get(to))
                && left != right
            {
                relay.set_blocked(true);
            }
        }
        Ok(())
    }

    /// Ends every partition and isolation. Latency stays.
    pub(super) fn heal(&self) {
        for relay in self.relays.values() {
            relay.set_blocked(false);
        }
    }

    /// Sets the one-way latency of all links, or of the link between two Regions.
    ///
    /// # Errors
    /// [`LinkError`]; nothing is changed then.
    pub(super) fn set_latency(&self, latency: Duration, between: Option<&[String; 2]>) -> Result<(), LinkError> {
        let pair = match between {
            Some([left, right]) if left == right => return Err(LinkError::NamedTwice(left.clone())),
            Some([left, right]) => Some((self.known(left)?, self.known(right)?)),
            None => None,
        };
        for ((from, to), relay) in &self.relays {
            let meant = pair
                .as_ref()
                .is_none_or(|(left, right)| (from == left && to == right) || (from == right && to == left));
            if meant {
                relay.set_latency(latency);
            }
        }
        Ok(())
    }

    /// One entry per pair of Regions.
    #[must_use]
    pub(super) fn status(&self) -> Vec<LinkStatus> {
        let relays = self.relays.iter().filter(|((from, to), _)| self.rank(from) < self.rank(to));
        relays
            .map(|((from, to), relay)| LinkStatus {
                between: [from.to_string(), to.to_string()],
                blocked: relay.is_blocked(),
                latency_ms: u64::try_from(relay.latency().as_millis()).unwrap_or(u64::MAX),
            })
            .collect()
    }

    fn rank(&self, region: &RegionName) -> Option<usize> {
        self.regions.iter().position(|known| known == region)
    }

    fn known(&self, region: &str) -> Result<RegionName, LinkError> {
        let found = self.regions.iter().find(|known| known.as_str() == region);
        found.cloned().ok_or_else(|| LinkError::UnknownRegion {
            region: region.to_owned(),
            known: self.regions.iter().map(RegionName::as_str).collect::<Vec<_>>().join(", "),
        })
    }
}
