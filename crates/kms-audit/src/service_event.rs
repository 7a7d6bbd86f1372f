//! The records of events that no request makes.

use crate::json::JsonLine;
use crate::record::{Envelope, EventType, NAME_BYTES_MAX, Record, Resource};
use crate::{Elements, EventSource, Identity, Uuid};
use kms_types::{KeyArn, KeyMaterialId, Origin, RegionName, RotationType, Timestamp};
use std::time::Duration;

mod details;

/// Longest text of a fault or recovery, in bytes as written.
const TEXT_BYTES_MAX: usize = 4 * 1024;
/// Most Regions that one record lists.
const REGIONS_MAX: usize = 256;

/// `eventName` of the record that each change of the control log obliges its Region to make.
pub const APPLY_CONTROL_CHANGE: &str = "ApplyControlChange";

/// A service event and its time.
#[derive(Clone, Copy, Debug)]
pub struct ServiceRecord<'a> {
    /// Names this record.
    pub event_id: Uuid,
    /// When it happened.
    pub time: Timestamp,
    /// What happened.
    pub event: ServiceEvent<'a>,
    /// Index in the control log of the change that this follows from.
    pub control_log_index: Option<u64>,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum ServiceEvent<'a> {
    /// New key material is current.
    RotateKey {
        /// The key.
        key: &'a KeyArn,
        /// What started the rotation.
        rotation_type: RotationType,
        /// Where the material comes from.
        origin: Origin,
        /// The material before.
        previous: Option<KeyMaterialId>,
        /// The material from now on.
        current: KeyMaterialId,
    },
    /// A shared property has reached the Regions that hold the key. CloudTrail counts it among the API calls.
    SynchronizeMultiRegionKey {
        /// The key, in this Region.
        key: &'a KeyArn,
        /// Names the synchronisation in all Regions.
        request_id: Uuid,
        /// Every Region that holds the key, and when it said that it has the change.
        acknowledgements: &'a [Acknowledgement],
    },
    /// A key's waiting period is over and the key is gone from this Region.
    DeleteKey {
        /// The key.
        key: &'a KeyArn,
    },
    /// Imported material has expired and is gone.
    DeleteExpiredKeyMaterial {
        /// The key.
        key: &'a KeyArn,
        /// The material.
        material: KeyMaterialId,
    },
    /// A primary Region was replaced without its help.
    PromotePrimaryRegion {
        /// The key.
        key: &'a KeyArn,
        /// The former primary Region.
        from: &'a RegionName,
        /// The new primary Region.
        to: &'a RegionName,
        /// The epoch that began.
        epoch: u64,
        /// Regions that could not be reached.
        unreachable: &'a [RegionName],
        /// From the request to the commit.
        duration: Duration,
    },
    /// The Regions of the cluster have changed.
    ChangeMembership {
        /// The Region that it is about.
        region: &'a RegionName,
        /// What became of it.
        change: MembershipChange,
    },
    /// A change of shared properties that this Region proposed is applied, whoever asked for it. Its index is that of the
    /// record.
    ApplyControlChange {
        /// The name of the command.
        change: &'static str,
    },
    /// Something stopped working.
    ReportFault {
        /// Which part.
        component: &'static str,
        /// What is wrong, for operators.
        text: &'a str,
    },
    /// What had stopped works again.
    ReportRecovery {
        /// Which part.
        component: &'static str,
        /// What was done, for operators.
        text: &'a str,
    },
    /// The audit log itself.
    Log(LogEvent<'a>),
}

/// When a Region acknowledged a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The Region.
    pub region: RegionName,
    /// When; `None` for a Region that an operator went on without.
    pub at: Option<Timestamp>,
}

/// What became of a Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MembershipChange {
    /// It takes part from now on.
    Joined,
    /// It votes and holds no keys.
    JoinedAsWitness,
    /// It takes part no longer.
    Removed,
    /// It lost its disk and began anew.
    Rebuilt,
    /// The cluster was made anew from what survived.
    Recovered,
}

impl MembershipChange {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Joined => "Joined",
            Self::JoinedAsWitness => "JoinedAsWitness",
            Self::Removed => "Removed",
            Self::Rebuilt => "Rebuilt",
            Self::Recovered => "Recovered",
        }
    }
}

/// Events of the audit log itself. The writer makes most of them.
#[derive(Clone, Copy, Debug)]
pub enum LogEvent<'a> {
    /// The writer has opened the log.
    Started(&'a Started),
    /// The writer ends in good order.
    Stopped,
    /// Records can be written again, and none is missing that was promised.
    Recovered {
        /// Since when no record could be written.
        since: Timestamp,
        /// Requests that were refused meanwhile.
        refused: u64,
    },
    /// Records can be written again, and requests went on without (a configured fail-open).
    Gap {
        /// What is missing.
        gap: &'a crate::Gap,
        /// The Region's word for it; `None` when the Region could not sign.
        signature: Option<&'a crate::Signature>,
    },
    /// This Region has signed a checkpoint of its log.
    SignedCheckpoint(&'a crate::Checkpoint),
    /// This Region has countersigned a checkpoint of another Region's log.
    CountersignedCheckpoint(&'a crate::Checkpoint),
}

/// How the writer found the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Started {
    /// Whether the last writer ended in good order, or there was none before.
    pub stopped_cleanly: bool,
    /// Bytes at the end of the log that no finished record covered; they are removed.
    pub dropped_bytes: u64,
    /// The last sequence that the log should have had when it was found damaged and an operator chose to go on.
    pub went_on_after_damage_at: Option<u64>,
}

impl ServiceEvent<'_> {
    /// The value of `eventName`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RotateKey { .. } => "RotateKey",
            Self::SynchronizeMultiRegionKey { .. } => "SynchronizeMultiRegionKey",
            Self::DeleteKey { .. } => "DeleteKey",
            Self::DeleteExpiredKeyMaterial { .. } => "DeleteExpiredKeyMaterial",
            Self::PromotePrimaryRegion { .. } => "PromotePrimaryRegion",
            Self::ChangeMembership { .. } => "ChangeMembership",
            Self::ApplyControlChange { .. } => APPLY_CONTROL_CHANGE,
            Self::ReportFault { .. } => "ReportFault",
            Self::ReportRecovery { .. } => "ReportRecovery",
            Self::Log(event) => event.name(),
        }
    }

    const fn source(&self) -> EventSource {
        match self {
            Self::RotateKey { .. }
            | Self::SynchronizeMultiRegionKey { .. }
            | Self::DeleteKey { .. }
            | Self::DeleteExpiredKeyMaterial { .. } => EventSource::Kms,
            Self::PromotePrimaryRegion { .. }
            | Self::ChangeMembership { .. }
            | Self::ApplyControlChange { .. }
            | Self::ReportFault { .. }
            | Self::ReportRecovery { .. }
            | Self::Log(_) => EventSource::Meridian,
        }
    }

    const fn key(&self) -> Option<&KeyArn> {
        match self {
            Self::RotateKey { key, .. }
            | Self::SynchronizeMultiRegionKey { key, .. }
            | Self::DeleteKey { key }
            | Self::DeleteExpiredKeyMaterial { key, .. }
            | Self::PromotePrimaryRegion { key, .. } => Some(key),
            Self::ChangeMembership { .. }
            | Self::ApplyControlChange { .. }
            | Self::ReportFault { .. }
            | Self::ReportRecovery { .. }
            | Self::Log(_) => None,
        }
    }

    const fn request_id(&self) -> Option<Uuid> {
        if let Self::SynchronizeMultiRegionKey { request_id, .. } = self { Some(*request_id) } else { None }
    }
}

impl LogEvent<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::Started(_) => "StartAuditLog",
            Self::Stopped => "StopAuditLog",
            Self::Recovered { .. } => "RecoverAuditLog",
            Self::Gap { .. } => "AuditGap",
            Self::SignedCheckpoint(_) => "SignCheckpoint",
            Self::CountersignedCheckpoint(_) => "CountersignCheckpoint",
        }
    }
}

impl ServiceRecord<'_> {
    /// The record of this event in a Region.
    #[must_use]
    pub fn record(&self, region: &RegionName) -> Record {
        let event = &self.event;
        let (source, key, none) = (event.source(), event.key(), Elements::new());
        let resource = key.map(Resource::Key);
        let account = key.map(|key| key.account);
        let request_id = event.request_id();
        let envelope = Envelope {
            event_id: self.event_id,
            request_id,
            time: self.time,
            source,
            name: event.name(),
            event_type: if request_id.is_some() { EventType::ApiCall } else { EventType::ServiceEvent },
            read_only: false,
            identity: Identity::Service { account, invoked_by: source.internal() },
            source_address: source.internal(),
            user_agent: source.internal(),
            tls: None,
            error: None,
            parameters: &none,
            response: &none,
            additional: &none,
            resources: resource.as_slice(),
            recipient: account,
            decision: None,
            control_log_index: self.control_log_index,
        };
        envelope.record(region, |line| event.write_details(line), |line| event.write_ours(line))
    }
}

impl ServiceEvent<'_> {
    /// Members under `meridian` of an event whose form CloudTrail fixes.
    fn write_ours(&self, line: &mut JsonLine) {
        let Self::SynchronizeMultiRegionKey { acknowledgements, .. } = self else { return };
        line.open_list("acknowledgements");
        for acknowledgement in acknowledgements.iter().take(REGIONS_MAX) {
            line.open_item();
            line.word("region", acknowledgement.region.as_str());
            match acknowledgement.at {
                Some(at) => line.number("timeMillis", at.millis()),
                None => line.null("timeMillis"),
            }
            line.close();
        }
        line.close_list();
        if acknowledgements.len() > REGIONS_MAX {
            line.count_cut();
        }
    }
}
