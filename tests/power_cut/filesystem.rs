//! The disk image as a mounted file system, by FUSE, with a power switch.
//!
//! Without the write-back cache, which is not asked for here, the kernel hands every write on at once, so that what
//! this file system has seen is exactly what a process has written.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, SystemTime},
};

use fuser::{
    BackgroundSession, FileAttr, FileType, Filesystem, MountOption, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyWrite, Request, TimeOrNow,
};
use rustix::io::Errno;

use crate::image::{Content, Cut, DirectoryContent, FileContent, Image, Node};

/// How long the kernel may trust names and attributes; nobody changes them behind its back.
const TRUST: Duration = Duration::from_secs(60);

/// A defect of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Every sync fails with an I/O error.
    FailingSync,
    /// Every write fails for lack of space.
    Full,
}

/// A mounted image.
pub(crate) struct Mount {
    _session: BackgroundSession,
    disk: Arc<Mutex<Disk>>,
    cut_done: Receiver<()>,
    mountpoint: tempfile::TempDir,
}

struct Disk {
    image: Image,
    /// Changing requests until the cut, and what the cut does.
    pending: Option<(u64, Cut)>,
    after_cut: Option<Image>,
    cut_done: Sender<()>,
    fault: Option<Fault>,
}

impl Mount {
    pub(crate) fn new(image: Image) -> Self {
        let (sender, cut_done) = channel();
        let disk = Disk { image, pending: None, after_cut: None, cut_done: sender, fault: None };
        let disk = Arc::new(Mutex::new(disk));
        let mountpoint = tempfile::tempdir().expect("a directory to mount on");
        let options = [MountOption::FSName("power-cut".into())];
        let session = fuser::spawn_mount2(PowerCutFs(Arc::clone(&disk)), mountpoint.path(), &options)
            .expect("a FUSE mount; /dev/fuse and fusermount3 are needed");
        Self { _session: session, disk, cut_done, mountpoint }
    }

    /// Where the store goes.
    pub(crate) fn store(&self) -> PathBuf {
        self.path().join("store")
    }

    pub(crate) fn path(&self) -> &Path {
        self.mountpoint.path()
    }

    /// Cuts the power at the `requests`th changing request from now on. From then on every request fails.
    pub(crate) fn cut_after(&self, requests: u64, cut: Cut) {
        self.disk.lock().unwrap().pending = Some((requests, cut));
    }

    /// Waits for the cut; false if it has not come within the deadline.
    pub(crate) fn wait_for_cut(&self, deadline: Duration) -> bool {
        self.cut_done.recv_timeout(deadline).is_ok()
    }

    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        self.disk.lock().unwrap().fault = fault;
    }

    /// Unmounts. The image is that after the cut, or the live one if there was none.
    pub(crate) fn unmount(self) -> Image {
        let mut disk = self.disk.lock().unwrap();
        disk.after_cut.take().unwrap_or_else(|| disk.image.clone())
    }
}

impl Drop for Mount {
    /// Detaches the file system even if files in it are open: sled closes its file some time after the store is gone.
    fn drop(&mut self) {
        let detached = Command::new("fusermount3").args(["-u", "-z"]).arg(self.path()).status();
        assert!(detached.is_ok_and(|status| status.success()) || std::thread::panicking(), "the mount stays");
    }
}

impl Disk {
    fn read<T>(&self, read: impl FnOnce(&Image) -> Result<T, Errno>) -> Result<T, Errno> {
        if self.after_cut.is_some() { Err(Errno::IO) } else { read(&self.image) }
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut Image) -> Result<T, Errno>) -> Result<T, Errno> {
        if self.after_cut.is_some() {
            return Err(Errno::IO);
        }
        if let Some((requests, _)) = &mut self.pending {
            *requests = requests.saturating_sub(1);
        }
        if let Some((_, cut)) = self.pending.take_if(|(requests, _)| *requests == 0) {
            self.after_cut = Some(self.image.after(cut));
            // Nobody waits for the cut of a test that has failed.
            self.cut_done.send(()).ok();
            return Err(Errno::IO);
        }
        change(&mut self.image)
    }

    fn attributes(&self, number: u64) -> Result<FileAttr, Errno> {
        self.read(|image| Ok(attributes(number, image.node(number)?)))
    }
}

fn attributes(number: u64, node: &Node) -> FileAttr {
    let (kind, size) = match &node.content {
        Content::File(file) => (FileType::RegularFile, file.live.len() as u64),
        Content::Directory(_) => (FileType::Directory, 0),
    };
    FileAttr {
        ino: number,
        size,
        blocks: size.div_ceil(512),
        atime: SystemTime::UNIX_EPOCH,
        mtime: SystemTime::UNIX_EPOCH,
        ctime: SystemTime::UNIX_EPOCH,
        crtime: SystemTime::UNIX_EPOCH,
        kind,
        perm: node.mode,
        nlink: 1,
        uid: rustix::process::getuid().as_raw(),
        gid: rustix::process::getgid().as_raw(),
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

fn permissions(mode: u32) -> u16 {
    u16::try_from(mode & 0o7777).expect("twelve bits")
}

fn offset(offset: i64) -> usize {
    usize::try_from(offset).expect("the kernel sends no negative offset")
}

struct PowerCutFs(Arc<Mutex<Disk>>);

impl PowerCutFs {
    fn change<T>(&self, change: impl FnOnce(&mut Image) -> Result<T, Errno>) -> Result<T, Errno> {
        self.0.lock().unwrap().change(change)
    }

    fn create_node(&self, parent: u64, name: &OsStr, mode: u32, content: Content) -> Result<FileAttr, Errno> {
        let mut disk = self.0.lock().unwrap();
        let node = Node { mode: permissions(mode), content };
        let number = disk.change(|image| image.create(parent, name, node))?;
        disk.attributes(number)
    }

    fn sync(&self, number: u64, reply: ReplyEmpty) {
        let mut disk = self.0.lock().unwrap();
        let synced = if disk.fault == Some(Fault::FailingSync) {
            Err(Errno::IO)
        } else {
            disk.change(|image| image.sync(number))
        };
        answer(synced, reply);
    }
}

fn answer(outcome: Result<(), Errno>, reply: ReplyEmpty) {
    match outcome {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error.raw_os_error()),
    }
}

fn answer_entry(found: Result<FileAttr, Errno>, reply: ReplyEntry) {
    match found {
        Ok(attributes) => reply.entry(&TRUST, &attributes, 0),
        Err(error) => reply.error(error.raw_os_error()),
    }
}

fn answer_attributes(found: Result<FileAttr, Errno>, reply: ReplyAttr) {
    match found {
        Ok(attributes) => reply.attr(&TRUST, &attributes),
        Err(error) => reply.error(error.raw_os_error()),
    }
}

impl Filesystem for PowerCutFs {
    fn lookup(&mut self, _: &Request<'_>, parent: u64, name: &OsStr, reply: ReplyEntry) {
        let disk = self.0.lock().unwrap();
        let number = disk.read(|image| image.lookup(parent, name));
        answer_entry(number.and_then(|number| disk.attributes(number)), reply);
    }

    fn getattr(&mut self, _: &Request<'_>, number: u64, _: Option<u64>, reply: ReplyAttr) {
        answer_attributes(self.0.lock().unwrap().attributes(number), reply);
    }

    fn setattr(
        &mut self,
        _: &Request<'_>,
        number: u64,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<u64>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<u32>,
        reply: ReplyAttr,
    ) {
        let mut disk = self.0.lock().unwrap();
        let changed = disk.change(|image| {
            if let Some(mode) = mode {
                image.set_mode(number, permissions(mode))?;
            }
            match size {
                Some(size) => image.resize(number, usize::try_from(size).or(Err(Errno::FBIG))?),
                None => Ok(()),
            }
        });
        answer_attributes(changed.and_then(|()| disk.attributes(number)), reply);
    }

    fn mkdir(&mut self, _: &Request<'_>, parent: u64, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry) {
        let content = Content::Directory(DirectoryContent::default());
        answer_entry(self.create_node(parent, name, mode & !umask, content), reply);
    }

    fn create(
        &mut self,
        _: &Request<'_>,
        parent: u64,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let content = Content::File(FileContent::default());
        match self.create_node(parent, name, mode & !umask, content) {
            Ok(attributes) => reply.created(&TRUST, &attributes, 0, 0, 0),
            Err(error) => reply.error(error.raw_os_error()),
        }
    }

    fn unlink(&mut self, _: &Request<'_>, parent: u64, name: &OsStr, reply: ReplyEmpty) {
        answer(self.change(|image| image.remove(parent, name)), reply);
    }

    fn rmdir(&mut self, _: &Request<'_>, parent: u64, name: &OsStr, reply: ReplyEmpty) {
        answer(self.change(|image| image.remove(parent, name)), reply);
    }

    fn rename(
        &mut self,
        _: &Request<'_>,
        parent: u64,
        name: &OsStr,
        new_parent: u64,
        new_name: &OsStr,
        _: u32,
        reply: ReplyEmpty,
    ) {
        if parent == new_parent {
            answer(self.change(|image| image.rename(parent, name, new_name)), reply);
        } else {
            reply.error(Errno::XDEV.raw_os_error());
        }
    }

    fn read(
        &mut self,
        _: &Request<'_>,
        number: u64,
        _: u64,
        at: i64,
        size: u32,
        _: i32,
        _: Option<u64>,
        reply: ReplyData,
    ) {
        let disk = self.0.lock().unwrap();
        let bytes = disk.read(|image| {
            let live = &image.file(number)?.live;
            let start = offset(at).min(live.len());
            let end = live.len().min(start + usize::try_from(size).or(Err(Errno::INVAL))?);
            Ok(live[start..end].to_vec())
        });
        match bytes {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(error.raw_os_error()),
        }
    }

    fn write(
        &mut self,
        _: &Request<'_>,
        number: u64,
        _: u64,
        at: i64,
        bytes: &[u8],
        _: u32,
        _: i32,
        _: Option<u64>,
        reply: ReplyWrite,
    ) {
        let mut disk = self.0.lock().unwrap();
        let written = if disk.fault == Some(Fault::Full) {
            Err(Errno::NOSPC)
        } else {
            disk.change(|image| image.write(number, offset(at), bytes))
        };
        match written {
            Ok(()) => reply.written(u32::try_from(bytes.len()).expect("a request is at most 16 MiB")),
            Err(error) => reply.error(error.raw_os_error()),
        }
    }

    fn flush(&mut self, _: &Request<'_>, _: u64, _: u64, _: u64, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&mut self, _: &Request<'_>, number: u64, _: u64, _: bool, reply: ReplyEmpty) {
        self.sync(number, reply);
    }

    fn fsyncdir(&mut self, _: &Request<'_>, number: u64, _: u64, _: bool, reply: ReplyEmpty) {
        self.sync(number, reply);
    }

    fn readdir(&mut self, _: &Request<'_>, number: u64, _: u64, at: i64, mut reply: ReplyDirectory) {
        let disk = self.0.lock().unwrap();
        let names = disk.read(|image| {
            let names = image.directory(number)?.live.iter();
            names
                .map(|(name, number)| Ok((name.clone(), attributes(*number, image.node(*number)?).kind, *number)))
                .collect::<Result<Vec<_>, Errno>>()
        });
        match names {
            Ok(names) => {
                for (next, (name, kind, number)) in (1..).zip(names).skip(offset(at)) {
                    if reply.add(number, next, kind, &name) {
                        break;
                    }
                }
                reply.ok();
            }
            Err(error) => reply.error(error.raw_os_error()),
        }
    }
}
