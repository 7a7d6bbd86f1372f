//! A disk as a power cut leaves it: what was synced, and as the case may be some of what was not.
//!
//! A write is volatile until its file is synced. A name (created, removed, renamed) is volatile until its directory is
//! synced; syncing a new file does not make its name durable, which is stricter than ext4 and all that POSIX promises.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
};

use rustix::io::Errno;

use crate::random::Random;

pub(crate) const ROOT: u64 = 1;
/// The unit in which a disk writes, in bytes.
const BLOCK_BYTES: usize = 4096;

/// What happens to unsynced changes at the cut.
#[derive(Clone, Debug)]
pub(crate) enum Cut {
    /// All of them are gone.
    ForgetUnsynced,
    /// Each block of each unsynced write survives by chance, whatever came before it, and so does a part of the
    /// changes of names, these in their order, as in a journal.
    Reorder { survivors_percent: u64, random: Random },
}

#[derive(Clone, Debug)]
pub(crate) struct Image {
    nodes: BTreeMap<u64, Node>,
    next_node: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) mode: u16,
    pub(crate) content: Content,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    File(FileContent),
    Directory(DirectoryContent),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct FileContent {
    pub(crate) live: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Resize(usize),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct DirectoryContent {
    pub(crate) live: BTreeMap<OsString, u64>,
    durable: BTreeMap<OsString, u64>,
    unsynced: Vec<NameChange>,
}

#[derive(Clone, Debug)]
enum NameChange {
    Insert(OsString, u64),
    Remove(OsString),
    Rename(OsString, OsString),
}

impl Image {
    pub(crate) fn empty() -> Self {
        let root = Node { mode: 0o700, content: Content::Directory(DirectoryContent::default()) };
        Self { nodes: BTreeMap::from([(ROOT, root)]), next_node: ROOT + 1 }
    }

    pub(crate) fn node(&self, number: u64) -> Result<&Node, Errno> {
        self.nodes.get(&number).ok_or(Errno::NOENT)
    }

    pub(crate) fn set_mode(&mut self, number: u64, mode: u16) -> Result<(), Errno> {
        self.nodes.get_mut(&number).ok_or(Errno::NOENT)?.mode = mode;
        Ok(())
    }

    pub(crate) fn lookup(&self, parent: u64, name: &OsStr) -> Result<u64, Errno> {
        self.directory(parent)?.live.get(name).copied().ok_or(Errno::NOENT)
    }

    pub(crate) fn directory(&self, number: u64) -> Result<&DirectoryContent, Errno> {
        match &self.node(number)?.content {
            Content::Directory(directory) => Ok(directory),
            Content::File(_) => Err(Errno::NOTDIR),
        }
    }

    pub(crate) fn file(&self, number: u64) -> Result<&FileContent, Errno> {
        match &self.node(number)?.content {
            Content::File(file) => Ok(file),
            Content::Directory(_) => Err(Errno::ISDIR),
        }
    }

    pub(crate) fn create(&mut self, parent: u64, name: &OsStr, node: Node) -> Result<u64, Errno> {
        if self.lookup(parent, name).is_ok() {
            return Err(Errno::EXIST);
        }
        let number = self.next_node;
        self.change_name(parent, NameChange::Insert(name.to_owned(), number))?;
        self.nodes.insert(number, node);
        self.next_node += 1;
        Ok(number)
    }

    pub(crate) fn remove(&mut self, parent: u64, name: &OsStr) -> Result<(), Errno> {
        let number = self.lookup(parent, name)?;
        if self.directory(number).is_ok_and(|directory| !directory.live.is_empty()) {
            return Err(Errno::NOTEMPTY);
        }
        self.change_name(parent, NameChange::Remove(name.to_owned()))
    }

    /// Renames within one directory, which is all that the store does.
    pub(crate) fn rename(&mut self, parent: u64, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
        self.lookup(parent, from)?;
        self.change_name(parent, NameChange::Rename(from.to_owned(), to.to_owned()))
    }

    pub(crate) fn write(&mut self, number: u64, offset: usize, bytes: &[u8]) -> Result<(), Errno> {
        self.change_file(number, Change::Write { offset, bytes: bytes.to_vec() })
    }

    pub(crate) fn resize(&mut self, number: u64, length: usize) -> Result<(), Errno> {
        self.change_file(number, Change::Resize(length))
    }

    /// Makes a file's content, or a directory's names, durable.
    pub(crate) fn sync(&mut self, number: u64) -> Result<(), Errno> {
        match &mut self.nodes.get_mut(&number).ok_or(Errno::NOENT)?.content {
            Content::File(file) => {
                let changes = std::mem::take(&mut file.unsynced);
                changes.iter().for_each(|change| change.apply(&mut file.durable));
            }
            Content::Directory(directory) => {
                directory.unsynced.clear();
                directory.durable.clone_from(&directory.live);
            }
        }
        Ok(())
    }

    /// The disk after a power cut.
    pub(crate) fn after(&self, cut: Cut) -> Self {
        let mut random = None;
        let mut survivors = 0;
        if let Cut::Reorder { survivors_percent, random: source } = cut {
            survivors = survivors_percent;
            random = Some(source);
        }
        let mut image = self.clone();
        for node in image.nodes.values_mut() {
            match &mut node.content {
                Content::File(file) => {
                    let changes = std::mem::take(&mut file.unsynced);
                    if let Some(random) = &mut random {
                        let blocks = changes.iter().flat_map(Change::blocks);
                        let survived = blocks.filter(|_| random.below(100) < survivors);
                        survived.for_each(|block| block.apply(&mut file.durable));
                    }
                    file.live.clone_from(&file.durable);
                }
                Content::Directory(directory) => {
                    let changes = std::mem::take(&mut directory.unsynced);
                    let survived = random.as_mut().map_or(0, |random| random.below(changes.len() as u64 + 1));
                    let survived = usize::try_from(survived).expect("fewer than the changes");
                    changes.iter().take(survived).for_each(|change| change.apply(&mut directory.durable));
                    directory.live.clone_from(&directory.durable);
                }
            }
        }
        image.drop_unreachable();
        image
    }

    fn drop_unreachable(&mut self) {
        let mut reachable = BTreeSet::new();
        let mut open = vec![ROOT];
        while let Some(number) = open.pop() {
            reachable.insert(number);
            if let Ok(directory) = self.directory(number) {
                open.extend(directory.live.values());
            }
        }
        self.nodes.retain(|number, _| reachable.contains(number));
    }

    fn change_name(&mut self, parent: u64, change: NameChange) -> Result<(), Errno> {
        match &mut self.nodes.get_mut(&parent).ok_or(Errno::NOENT)?.content {
            Content::Directory(directory) => {
                change.apply(&mut directory.live);
                directory.unsynced.push(change);
                Ok(())
            }
            Content::File(_) => Err(Errno::NOTDIR),
        }
    }

    fn change_file(&mut self, number: u64, change: Change) -> Result<(), Errno> {
        match &mut self.nodes.get_mut(&number).ok_or(Errno::NOENT)?.content {
            Content::File(file) => {
                change.apply(&mut file.live);
                file.unsynced.push(change);
                Ok(())
            }
            Content::Directory(_) => Err(Errno::ISDIR),
        }
    }
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if file.len() < end {
                    file.resize(end, 0);
                }
                file[*offset..end].copy_from_slice(bytes);
            }
            Self::Resize(length) => file.resize(*length, 0),
        }
    }

    /// The change as the disk carries it out: block by block.
    fn blocks(&self) -> Vec<Self> {
        match self {
            Self::Write { offset, bytes } => {
                let mut blocks = Vec::new();
                let mut at = 0;
                while at < bytes.len() {
                    let offset = offset + at;
                    let end = bytes.len().min(at + BLOCK_BYTES - offset % BLOCK_BYTES);
                    blocks.push(Self::Write { offset, bytes: bytes[at..end].to_vec() });
                    at = end;
                }
                blocks
            }
            Self::Resize(length) => vec![Self::Resize(*length)],
        }
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<OsString, u64>) {
        match self {
            Self::Insert(name, number) => {
                names.insert(name.clone(), *number);
            }
            Self::Remove(name) => {
                names.remove(name);
            }
            Self::Rename(from, to) => {
                if let Some(number) = names.remove(from) {
                    names.insert(to.clone(), number);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Node {
        Node { mode: 0o600, content: Content::File(FileContent::default()) }
    }

    fn read(image: &Image, name: &str) -> Option<Vec<u8>> {
        let number = image.lookup(ROOT, OsStr::new(name)).ok()?;
        Some(image.file(number).unwrap().live.clone())
    }

    #[test]
    fn a_cut_forgets_writes_after_the_last_sync() {
        let mut image = Image::empty();
        let number = image.create(ROOT, OsStr::new("f"), file()).unwrap();
        image.sync(ROOT).unwrap();
        image.write(number, 0, b"synced").unwrap();
        image.sync(number).unwrap();
        image.write(number, 0, b"later").unwrap();
        image.resize(number, 100).unwrap();
        assert_eq!(read(&image.after(Cut::ForgetUnsynced), "f"), Some(b"synced".to_vec()));
    }

    #[test]
    fn a_synced_file_in_an_unsynced_directory_is_gone() {
        let mut image = Image::empty();
        let number = image.create(ROOT, OsStr::new("f"), file()).unwrap();
        image.write(number, 0, b"synced").unwrap();
        image.sync(number).unwrap();
        assert_eq!(read(&image.after(Cut::ForgetUnsynced), "f"), None);
        image.sync(ROOT).unwrap();
        image.rename(ROOT, OsStr::new("f"), OsStr::new("g")).unwrap();
        let after = image.after(Cut::ForgetUnsynced);
        assert_eq!((read(&after, "f"), read(&after, "g")), (Some(b"synced".to_vec()), None));
    }

    #[test]
    fn a_reordering_disk_may_keep_a_later_block_without_an_earlier_one() {
        let mut image = Image::empty();
        let number = image.create(ROOT, OsStr::new("f"), file()).unwrap();
        image.sync(ROOT).unwrap();
        image.write(number, 100, &[1; 3 * BLOCK_BYTES]).unwrap();
        let holes = (0..50).filter(|seed| {
            let cut = Cut::Reorder { survivors_percent: 50, random: Random::from_seed(*seed) };
            let content = read(&image.after(cut), "f").unwrap();
            content.len() > 2 * BLOCK_BYTES && content[200] == 0
        });
        assert!(holes.count() > 5);
    }
}
