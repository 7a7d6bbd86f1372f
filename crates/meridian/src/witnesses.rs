//! `witnesses.jsonl` beside a Region's audit log: what is needed to check the logs of all Regions without any of them
//! running: the cluster's name, the public signing keys, and the checkpoints that this Region knows of. Each Region keeps
//! such a copy, so that none can rewrite its own log and every copy of what it had signed. Version 1.

use crate::files;
use crate::signatures::RegionKeys;
use anyhow::Context as _;
use kms_audit::SignedCheckpoint;
use kms_crypto::SigningPublicKey;
use kms_types::RegionName;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Name of the file.
pub(crate) const FILE: &str = "witnesses.jsonl";
const VERSION: u64 = 1;
/// Longest file that is read, in bytes: 64 Regions with all their keys and checkpoints fit many times over.
const BYTES_MAX: u64 = 16 << 20;

/// What a copy holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witnesses {
    /// The cluster.
    pub(crate) cluster_id: String,
    /// Public signing keys, former ones included.
    pub(crate) keys: Vec<(RegionName, SigningPublicKey)>,
    /// Checkpoints of all Regions' logs.
    pub(crate) checkpoints: Vec<SignedCheckpoint>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u64,
    cluster: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Key {
    signing_key_of: String,
    public_key: String,
}

impl Witnesses {
    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub(crate) fn write(&self, directory: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string(&Head { version: VERSION, cluster: self.cluster_id.clone() })?;
        text.push('\n');
        for (region, key) in &self.keys {
            let line = Key { signing_key_of: region.to_string(), public_key: hex::encode(key.as_bytes()) };
            text.push_str(&serde_json::to_string(&line)?);
            text.push('\n');
        }
        for checkpoint in &self.checkpoints {
            text.push_str(&checkpoint.to_line());
            text.push('\n');
        }
        Ok(files::replace(&directory.join(FILE), text.as_bytes(), 0o600)?)
    }

    /// Reads the file of a directory; `None` when there is none.
    ///
    /// # Errors
    /// Fails when it is not such a file.
    pub(crate) fn read(directory: &Path) -> anyhow::Result<Option<Self>> {
        let path = directory.join(FILE);
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.len() > BYTES_MAX => anyhow::bail!("{} is too long", path.display()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        }
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Self::parse(&text).with_context(|| format!("{} is damaged", path.display())).map(Some)
    }

    /// Adds what another copy has and this one has not.
    pub(crate) fn merge(&mut self, other: Self) {
        self.keys.extend(other.keys.into_iter().filter(|key| !self.keys.contains(key)).collect::<Vec<_>>());
        let news = other.checkpoints.into_iter().filter(|checkpoint| !self.checkpoints.contains(checkpoint));
        self.checkpoints.extend(news.collect::<Vec<_>>());
    }

    /// The keys, to check signatures with.
    pub(crate) fn verifier(&self) -> RegionKeys {
        let mut keys = RegionKeys::default();
        self.keys.iter().for_each(|(region, key)| keys.add(region.clone(), key.clone()));
        keys
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut lines = text.lines();
        let head: Head = serde_json::from_str(lines.next().unwrap_or_default())?;
        anyhow::ensure!(head.version == VERSION, "version {} is not known here", head.version);
        let mut read = Self { cluster_id: head.cluster, ..Self::default() };
        for line in lines {
            if let Ok(key) = serde_json::from_str::<Key>(line) {
                let public = SigningPublicKey::from_bytes(&hex::decode(&key.public_key)?)?;
                read.keys.push((RegionName::parse(&key.signing_key_of)?, public));
            } else {
                read.checkpoints.push(SignedCheckpoint::parse_line(line)?);
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signatures::RegionSigner;
    use kms_audit::{Checkpoint, Head, LogName, RecordHash};
    use kms_crypto::{Entropy, EntropyError, SigningKey};
    use kms_types::Timestamp;
    use std::sync::Arc;

    #[derive(Debug)]
    struct Same;

    impl Entropy for Same {
        fn fill(&self, dest: &mut [u8]) -> Result<(), EntropyError> {
            dest.fill(7);
            Ok(())
        }
    }

    fn sample() -> Witnesses {
        let region = RegionName::parse("eu-west-1").unwrap();
        let signer = RegionSigner::new(Arc::new(SigningKey::generate(&Same).unwrap()));
        let checkpoint = Checkpoint {
            log: LogName::new("c", region.clone()).unwrap(),
            head: Head { sequence: 3, hash: RecordHash::from_bytes([5; 32]) },
            time: Timestamp::from_millis(9),
            control_log_index: 4,
        };
        let checkpoints = vec![checkpoint.sign(&signer).unwrap()];
        Witnesses { cluster_id: "c".into(), keys: vec![(region, signer.public())], checkpoints }
    }

    #[test]
    fn a_copy_comes_back_from_its_file_and_its_signatures_hold() {
        let directory = tempfile::tempdir().unwrap();
        assert!(Witnesses::read(directory.path()).unwrap().is_none());
        let sample = sample();
        sample.write(directory.path()).unwrap();
        let read = Witnesses::read(directory.path()).unwrap().unwrap();
        assert_eq!((&read.keys, &read.checkpoints), (&sample.keys, &sample.checkpoints));
        assert_eq!(read.checkpoints[0].check(&read.verifier()), Ok(Vec::new()));
        let mut merged = read.clone();
        merged.merge(sample);
        assert_eq!((merged.keys.len(), merged.checkpoints.len()), (1, 1));
    }

    #[test]
    fn a_damaged_copy_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        sample().write(directory.path()).unwrap();
        let path = directory.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        for damaged in
            [text.replace("\"version\":1", "\"version\":2"), text.replace("sequence", "sequins"), String::new()]
        {
            std::fs::write(&path, damaged).unwrap();
            Witnesses::read(directory.path()).unwrap_err();
        }
    }
}
