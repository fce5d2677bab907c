//! The consensus log on disk: append-only segments of record groups, each group written and synced as one.
//!
//! What a vote rests on is here before the vote leaves: the replica's frames, which hold the bodies of undecided blocks too, so
//! that one `fdatasync` covers both. A group that was torn by a power cut is cut off when the log is opened; anything wrong
//! before the last group is corruption, and refused. Must never interpret the replica's frames, and never reorder them.
//!
//! A segment is a header (magic, version, chain, random salt) and groups of `magic ‖ length ‖ check ‖ payload ‖ checksum`. The salt
//! keys the checks, so bytes that a peer got into a body can never look like a group.

mod group;
mod segment;

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use portolan_primitives::{Hash, Height};

use crate::limits::{LOG_SEGMENT_BYTES, MAX_LOG_GROUP, MAX_LOG_RECORD};
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
        "the consensus log {path} is damaged at byte {offset}, before its last group: the disk or somebody changed it; restore this node from a snapshot, and do not delete the log alone"
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
pub trait Medium: From<File> + std::fmt::Debug {
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

impl Medium for File {
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.sync_data()
    }
}

/// The log, open for appending.
#[derive(Debug)]
pub struct LogFile<M = File> {
    directory: PathBuf,
    chain: Hash,
    /// Older segments, with the highest height in each.
    older: VecDeque<(PathBuf, Height)>,
    current: Segment<M>,
    pending: Vec<u8>,
    pending_height: Height,
}

impl LogFile {
    /// Opens the log in `directory`, creating it when there is none, and gives the records of heights above `decided` in order.
    /// A torn last group is cut off.
    pub fn open(directory: &Path, chain: Hash, decided: Height) -> Result<(Self, Vec<Record>), LogError> {
        Self::open_on(directory, chain, decided)
    }
}

impl<M: Medium> LogFile<M> {
    /// As [`LogFile::open`], written on another medium than plain files.
    pub fn open_on(directory: &Path, chain: Hash, decided: Height) -> Result<(Self, Vec<Record>), LogError> {
        std::fs::create_dir_all(directory).map_err(io(directory, "creating the folder"))?;
        let mut paths = segment::list(directory)?;
        let last = match paths.pop() {
            Some(last) => last,
            None => return Ok((Self::create(directory, chain)?, Vec::new())),
        };
        let mut records = Vec::new();
        let mut older = VecDeque::new();
        for (_, path) in paths {
            let read = segment::read(&path, chain, false)?;
            older.push_back((path, read.highest));
            records.extend(read.records);
        }
        let (number, path) = last;
        let read = segment::read(&path, chain, true)?;
        let current = Segment::reopen(number, path, &read)?;
        records.extend(read.records);
        records.retain(|record| record.height > decided);
        Ok((Self::over(directory, chain, older, current), records))
    }

    fn create(directory: &Path, chain: Hash) -> Result<Self, LogError> {
        let current = Segment::create(directory, 1, chain)?;
        Ok(Self::over(directory, chain, VecDeque::new(), current))
    }

    fn over(directory: &Path, chain: Hash, older: VecDeque<(PathBuf, Height)>, current: Segment<M>) -> Self {
        let pending_height = current.highest;
        Self { directory: directory.into(), chain, older, current, pending: Vec::new(), pending_height }
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
        self.current.write_group(&self.pending, self.pending_height)?;
        self.pending.clear();
        Ok(())
    }

    /// Lets go of what only heights up to `decided` needed; starts a new segment where the current one is full.
    pub fn forget(&mut self, decided: Height) -> Result<(), LogError> {
        if self.current.length >= LOG_SEGMENT_BYTES && self.current.highest <= decided && self.pending.is_empty() {
            let next = Segment::create(&self.directory, self.current.number + 1, self.chain)?;
            let full = std::mem::replace(&mut self.current, next);
            self.older.push_back((full.path, full.highest));
        }
        while self.older.front().is_some_and(|(_, highest)| *highest <= decided) {
            if let Some((path, _)) = self.older.pop_front() {
                std::fs::remove_file(&path).map_err(io(&path, "removing the old segment"))?;
            }
        }
        Ok(())
    }

    /// Bytes of the log on disk.
    pub fn bytes(&self) -> u64 {
        let older = self.older.iter().filter_map(|(path, _)| path.metadata().ok());
        older.map(|data| data.len()).sum::<u64>() + self.current.length
    }
}

fn io<'a>(path: &'a Path, action: &'static str) -> impl FnOnce(std::io::Error) -> LogError + 'a {
    move |source| LogError::Io { path: path.into(), action, source }
}
