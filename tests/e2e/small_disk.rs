//! A disk that can be filled.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A small file system over a directory; needs root, as continuous integration has it.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Puts one of that size, such as `20m`, over a directory, with the files that are there. `None` where no file system can be
    /// mounted.
    pub(crate) fn over(directory: &Path, size: &str) -> Option<Self> {
        let kept: Vec<(PathBuf, Vec<u8>)> = meridian_tests::search::files(directory)
            .into_iter()
            .map(|file| (file.clone(), std::fs::read(&file).unwrap()))
            .collect();
        if !mount(directory, &format!("size={size},mode=0700")) {
            return None;
        }
        let disk = Self(directory.to_path_buf());
        for (file, bytes) in kept.iter().filter(|(file, _)| file.extension().is_none_or(|kind| kind != "reserve")) {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
        }
        Some(disk)
    }
}

fn mount(directory: &Path, options: &str) -> bool {
    let mut command = Command::new("mount");
    command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(directory).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}
