//! The directory of a development cluster: marker, certificates, root keys, principals; kept and reused, or temporary.

use crate::config::{self, ConfigError, NodeTemplate, Problem};
use crate::files;
use crate::pki::{self, Authority, Issued, PkiError};
use anyhow::{Context as _, bail};
use kms_types::RegionName;
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Access key of the development administrator.
pub(super) const ACCESS_KEY: &str = "meridian";
const PRINCIPALS: &str = "\
# Development credentials, the same on every machine. Never use them where others can reach the endpoints.
[[principal]]
access_key = \"meridian\"
secret_key = \"meridian-dev\"
arn = \"arn:aws:iam::111122223333:user/meridian\"
account = \"111122223333\"
administrator = true
";

const MARKER: &str = "meridian-dev.toml";
const MARKER_FORMAT: u32 = 1;
/// Logs larger than this are set aside when a node starts.
const LOG_BYTES_MAX: u64 = 16 << 20;

/// An open directory, locked against other clusters; removed at the end if it is a temporary one.
#[derive(Debug)]
pub(super) struct DataDir {
    root: PathBuf,
    temporary: bool,
    cluster_id: String,
    regions: Vec<RegionName>,
    _lock: File,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    format: u32,
    cluster_id: String,
    regions: Vec<String>,
}

impl DataDir {
    /// Opens `path` for a cluster of these Regions, or makes a temporary directory; fills in what is missing.
    ///
    /// # Errors
    /// Fails with a sentence for people when the directory belongs to something else, to other Regions, or is in use.
    pub(super) fn open(path: Option<&Path>, regions: &[RegionName]) -> anyhow::Result<Self> {
        let (root, temporary) = match path {
            Some(path) => (std::path::absolute(path)?, false),
            None => (std::env::temp_dir().join(format!("meridian-dev-{}", uuid::Uuid::new_v4().simple())), true),
        };
        files::create_private_directory(&root).with_context(|| format!("cannot create {}", root.display()))?;
        let (lock, marker) = open_marker(&root, regions)?;
        let regions = marker.regions.iter().map(|region| RegionName::parse(region)).collect::<Result<_, _>>()?;
        let opened = Self { root, temporary, cluster_id: marker.cluster_id, regions, _lock: lock };
        opened.write_secrets(&opened.regions)?;
        Ok(opened)
    }

    /// The directory.
    #[must_use]
    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    /// The cluster that lives here.
    #[must_use]
    pub(super) fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// The Regions in the order in which the cluster was made, which numbers its nodes.
    #[must_use]
    pub(super) fn regions(&self) -> &[RegionName] {
        &self.regions
    }

    /// Certificate of the authority.
    #[must_use]
    pub(super) fn authority(&self) -> PathBuf {
        self.root.join("ca").join(pki::CA_CERTIFICATE)
    }

    /// A file at the top of the directory.
    #[must_use]
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A file of one Region.
    #[must_use]
    pub(super) fn region_file(&self, region: &RegionName, name: &str) -> PathBuf {
        self.root.join(region.as_str()).join(name)
    }

    /// Writes a Region's `node.toml`.
    ///
    /// # Errors
    /// Fails when the file cannot be written.
    pub(super) fn write_node_config(&self, template: &NodeTemplate<'_>) -> anyhow::Result<PathBuf> {
        let path = self.region_file(template.region, "node.toml");
        files::replace(&path, template.render().as_bytes(), 0o600)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Opens a Region's log for appending; a large one is set aside first.
    ///
    /// # Errors
    /// Fails when the file cannot be opened.
    pub(super) fn open_log(&self, region: &RegionName) -> anyhow::Result<File> {
        let path = self.region_file(region, "node.log");
        if std::fs::metadata(&path).is_ok_and(|log| log.len() > LOG_BYTES_MAX) {
            std::fs::rename(&path, self.region_file(region, "node.log.1"))?;
        }
        let opened = File::options().create(true).append(true).open(&path);
        opened.with_context(|| format!("cannot open {}", path.display()))
    }

    /// Removes the directory if it is a temporary one.
    pub(super) fn close(self) -> anyhow::Result<()> {
        if self.temporary {
            let removed = std::fs::remove_dir_all(&self.root);
            removed.with_context(|| format!("cannot remove {}", self.root.display()))?;
        }
        Ok(())
    }

    /// Creates what is not there yet. A crash in between leaves a directory that the next start completes.
    fn write_secrets(&self, regions: &[RegionName]) -> anyhow::Result<()> {
        let directory = self.root.join("ca");
        files::create_private_directory(&directory)?;
        let authority = if self.authority().exists() {
            Authority::open(&self.cluster_id, &directory)?
        } else {
            // A key without a certificate was never used.
            remove_if_present(&directory.join(pki::CA_KEY))?;
            Authority::create(&self.cluster_id, &directory)?
        };
        for region in regions {
            let directory = self.root.join(region.as_str());
            files::create_private_directory(&directory)?;
            issue_missing(&directory, "node", || authority.issue_region(region, &[]))?;
            let root_key = directory.join("root.key");
            if !root_key.exists() {
                config::create_root_key(&root_key)?;
            }
        }
        issue_missing(&self.root, "operator", || authority.issue_operator())?;
        issue_missing(&self.root, "principal-meridian", || authority.issue_principal("meridian"))?;
        let principals = self.file("principals.toml");
        if !principals.exists() {
            let uri = pki::principal_uri(&self.cluster_id, "meridian");
            let text = format!("{PRINCIPALS}certificate = {}\n", config::quote(&uri));
            files::replace(&principals, text.as_bytes(), 0o600)?;
        }
        Ok(())
    }
}

/// Opens and locks the marker; makes one in an empty directory.
fn open_marker(root: &Path, regions: &[RegionName]) -> anyhow::Result<(File, Marker)> {
    let path = root.join(MARKER);
    if !path.exists() {
        if std::fs::read_dir(root)?.next().is_some() {
            let root = root.display();
            bail!("{root} is not empty and is not a development cluster's directory; choose another --data-dir");
        }
        let id = uuid::Uuid::new_v4().simple().to_string();
        let marker = Marker {
            format: MARKER_FORMAT,
            cluster_id: format!("dev-{}", id.get(..12).unwrap_or(&id)),
            regions: regions.iter().map(RegionName::to_string).collect(),
        };
        files::replace(&path, toml::to_string(&marker)?.as_bytes(), 0o600)?;
    }
    let lock = File::options().read(true).write(true).open(&path)?;
    if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        bail!("{} is in use by another `meridian dev`", root.display());
    }
    let text = std::fs::read_to_string(&path)?;
    let marker: Marker = toml::from_str(&text).map_err(|error| invalid_marker(&path, error.message()))?;
    if marker.format != MARKER_FORMAT {
        return Err(invalid_marker(&path, "is of a format that this version does not know").into());
    }
    let mut kept: Vec<&str> = marker.regions.iter().map(String::as_str).collect();
    let mut wanted: Vec<&str> = regions.iter().map(RegionName::as_str).collect();
    kept.sort_unstable();
    wanted.sort_unstable();
    if kept != wanted {
        bail!(
            "{} holds a cluster of the Regions {}, not {}; use --regions {} or another --data-dir",
            root.display(),
            kept.join(", "),
            wanted.join(", "),
            marker.regions.join(","),
        );
    }
    Ok((lock, marker))
}

fn invalid_marker(path: &Path, message: &str) -> ConfigError {
    ConfigError::one(path, Problem::new("file", message))
}

fn issue_missing(directory: &Path, name: &str, issue: impl FnOnce() -> Result<Issued, PkiError>) -> anyhow::Result<()> {
    if !directory.join(format!("{name}.pem")).exists() {
        // The key is written first, so a key without a certificate was never used.
        remove_if_present(&directory.join(format!("{name}-key.pem")))?;
        issue()?.write(directory, name)?;
    }
    Ok(())
}

fn remove_if_present(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
