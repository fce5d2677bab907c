//! The consensus log on disk: append-only segments of record groups, each group written and synced as one.
//!
//! What a vote rests on is here before the vote leaves: the replica's frames, which hold the bodies of undecided blocks too, so
//! that one `fdatasync` covers both. A group that was torn by a power cut is cut off when the log is opened; anything wrong
//! before the last group is corruption, and refused. Must never interpret the replica's frames, and never reorder them.
//!
//! A segment is a header (magic, version, chain, random salt) and groups of `magic ‖ length ‖ check ‖ payload ‖ checksum`. The salt
//! keys the checks, so bytes that a peer got into a body can never look like a group.

mod directory;
mod group;
mod segment;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use portolan_primitives::{Hash, Height};

use crate::limits::{LOG_SEGMENT_BYTES, MAX_LOG_GROUP, MAX_LOG_RECORD};
pub use directory::Directory;
use segment::Segment;

/// One record as it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The height in whose course it was appended.
    pub height: Height,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why the log can't be opened or written. Each one halts the node.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The operating system refused.
    #[error("the consensus log {path}: {action} failed: {source}; check the disk, then start again")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Damage before the end.
    #[error(
        "the consensus log {path} is damaged at byte {offset}, before its last group: the disk or somebody changed it; restore this node with `portolan-node restore`, and do not delete the log alone"
    )]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Where.
        offset: u64,
    },
    /// Not a log of this format.
    #[error("{path} is no consensus log of this version; move it away if it is not the node's")]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// The log of another chain.
    #[error("the consensus log {path} is of the chain {found}, and this node is of {expected}; use another home")]
    OtherChain {
        /// Which file.
        path: PathBuf,
        /// The log's chain.
        found: Hash,
        /// Ours.
        expected: Hash,
    },
    /// A record or group that is too long.
    #[error("a record of {found} bytes does not fit the consensus log, which takes {limit}")]
    TooLong {
        /// Bytes.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
}

/// What a segment is written on: what was appended is on the disk for certain only after a sync.
pub trait Medium: std::fmt::Debug {
    /// Writes bytes behind those that are there.
    ///
    /// # Errors
    /// The system refuses.
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()>;

    /// Waits until the disk has everything that was appended.
    ///
    /// # Errors
    /// The system refuses.
    fn sync(&mut self) -> std::io::Result<()>;
}

/// Where segments are kept, by name.
pub trait Folder: std::fmt::Debug {
    /// What they are written on.
    type Medium: Medium;

    /// What it is called in messages.
    fn path(&self) -> &Path;

    /// Length from which on a new segment is begun.
    fn segment_bytes(&self) -> u64 {
        LOG_SEGMENT_BYTES
    }

    /// Random bytes for a new segment.
    ///
    /// # Errors
    /// The system has none.
    fn salt(&self) -> std::io::Result<[u8; 32]>;

    /// The names of all files.
    ///
    /// # Errors
    /// The system refuses.
    fn list(&self) -> std::io::Result<Vec<String>>;

    /// A whole file.
    ///
    /// # Errors
    /// The system refuses.
    fn read(&self, name: &str) -> std::io::Result<Vec<u8>>;

    /// A file that holds just `front`, in place of any other of this name: it is on the disk, and in its folder, when this
    /// returns.
    ///
    /// # Errors
    /// The system refuses.
    fn create(&self, name: &str, front: &[u8]) -> std::io::Result<Self::Medium>;

    /// Opens a file behind its first `length` bytes; what follows them is gone from the disk when this returns.
    ///
    /// # Errors
    /// The system refuses.
    fn reopen(&self, name: &str, length: u64) -> std::io::Result<Self::Medium>;

    /// Removes a file.
    ///
    /// # Errors
    /// The system refuses.
    fn remove(&self, name: &str) -> std::io::Result<()>;
}

/// The log, open for appending.
#[derive(Debug)]
pub struct LogFile<F: Folder = Directory> {
    folder: F,
    chain: Hash,
    older: VecDeque<Older>,
    current: Segment<F::Medium>,
    pending: Vec<u8>,
    pending_height: Height,
}

/// A full segment.
#[derive(Debug)]
struct Older {
    name: String,
    length: u64,
    highest: Height,
}

impl LogFile {
    /// Opens the log in `directory`, creating it when there is none, and gives the records of heights above `decided` in order.
    /// A torn last group is cut off.
    pub fn open(directory: &Path, chain: Hash, decided: Height) -> Result<(Self, Vec<Record>), LogError> {
        let folder = Directory::make(directory).map_err(io(directory, "creating the folder"))?;
        Self::open_in(folder, chain, decided)
    }
}

impl<F: Folder> LogFile<F> {
    /// As [`LogFile::open`], in a folder of any kind.
    pub fn open_in(folder: F, chain: Hash, decided: Height) -> Result<(Self, Vec<Record>), LogError> {
        let mut names = segment::list(&folder)?;
        let mut records = Vec::new();
        let mut older = VecDeque::new();
        let current = match names.pop() {
            None => Segment::create(&folder, 1, chain)?,
            Some((number, last)) => {
                for (_, name) in names {
                    let read = segment::read(&folder, &name, chain, false)?;
                    older.push_back(Older { name, length: read.whole, highest: read.highest });
                    records.extend(read.records);
                }
                let read = segment::read(&folder, &last, chain, true)?;
                let current = Segment::reopen(&folder, number, chain, &read)?;
                records.extend(read.records);
                records.retain(|record| record.height > decided);
                current
            }
        };
        let pending_height = current.highest;
        Ok((Self { folder, chain, older, current, pending: Vec::new(), pending_height }, records))
    }

    /// Appends a record, in memory until [`Self::flush`].
    pub fn append(&mut self, height: Height, bytes: &[u8]) -> Result<(), LogError> {
        if bytes.len() > MAX_LOG_RECORD {
            return Err(LogError::TooLong { found: bytes.len(), limit: MAX_LOG_RECORD });
        }
        if self.pending.len() + bytes.len() + group::RECORD_OVERHEAD > MAX_LOG_GROUP {
            self.flush()?;
        }
        group::push(&mut self.pending, height, bytes);
        self.pending_height = self.pending_height.max(height);
        Ok(())
    }

    /// Whether something waits for [`Self::flush`].
    pub fn is_dirty(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Writes what was appended as one group and waits until the disk has it.
    pub fn flush(&mut self) -> Result<(), LogError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.current.write_group(self.folder.path(), &self.pending, self.pending_height)?;
        self.pending.clear();
        Ok(())
    }

    /// Lets go of what only heights up to `decided` needed; starts a new segment where the current one is full.
    pub fn forget(&mut self, decided: Height) -> Result<(), LogError> {
        let full = self.current.length >= self.folder.segment_bytes();
        if full && self.current.highest <= decided && self.pending.is_empty() {
            let next = Segment::create(&self.folder, self.current.number + 1, self.chain)?;
            let Segment { name, length, highest, .. } = std::mem::replace(&mut self.current, next);
            self.older.push_back(Older { name, length, highest });
        }
        while self.older.front().is_some_and(|older| older.highest <= decided) {
            if let Some(Older { name, .. }) = self.older.pop_front() {
                let path = self.folder.path().join(&name);
                self.folder.remove(&name).map_err(io(&path, "removing the old segment"))?;
            }
        }
        Ok(())
    }

    /// Bytes of the log on disk.
    pub fn bytes(&self) -> u64 {
        self.older.iter().map(|older| older.length).sum::<u64>() + self.current.length
    }
}

fn io<'a>(path: &'a Path, action: &'static str) -> impl FnOnce(std::io::Error) -> LogError + 'a {
    move |source| LogError::Io { path: path.into(), action, source }
}
