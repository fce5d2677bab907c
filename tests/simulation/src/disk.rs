//! The disk of the consensus log: files that keep what was synced, and any part of the rest, sometimes with noise in it.
//!
//! The log over it is the node's own. A fuse cuts the power within a write: what was appended before stays unsynced.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portolan_node::log_file::{Folder, Medium};

use crate::random::Random;

/// Segments are short, so that runs see many of them.
const SEGMENT_BYTES: u64 = 32 * 1024;

/// How the disk treats the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogMode {
    /// As a disk should.
    Honest,
    /// Writes are thrown away (negative control).
    Off,
    /// Syncs answer, but do nothing (negative control).
    SyncIgnored,
}

#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    /// How many of them survive a power cut for certain.
    synced: usize,
}

#[derive(Debug)]
struct Inner {
    mode: LogMode,
    files: BTreeMap<String, File>,
    /// The power goes when the next sync is asked for.
    fuse: bool,
    full: bool,
    salts: Random,
}

/// The disk of one node. Cheap to clone; a clone is the same disk.
#[derive(Clone, Debug)]
pub struct Disk(Arc<Mutex<Inner>>);

/// A file on it, open for appending.
#[derive(Debug)]
pub struct OpenFile {
    disk: Disk,
    name: String,
}

/// What a power cut left of what was not synced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// A write is there in part.
    pub torn: bool,
    /// There are other bytes in it than were written.
    pub corrupt: bool,
}

impl Disk {
    /// An empty disk.
    pub fn new(mode: LogMode, seed: u64) -> Self {
        let salts = Random::new(seed);
        Self(Arc::new(Mutex::new(Inner { mode, files: BTreeMap::new(), fuse: false, full: false, salts })))
    }

    /// The power will go within the next write, before it is synced.
    pub fn blow_fuse(&self) {
        self.inner().fuse = true;
    }

    /// Whether there is room; without, appending fails.
    pub fn set_full(&self, full: bool) {
        self.inner().full = full;
    }

    /// Whether there is no room.
    pub fn is_full(&self) -> bool {
        self.inner().full
    }

    /// The power goes: what was not synced survives in part, or not at all.
    pub fn lose_power(&self, random: &mut Random) -> Damage {
        let mut inner = self.inner();
        inner.fuse = false;
        let honest = inner.mode == LogMode::Honest;
        let mut damage = Damage::default();
        for file in inner.files.values_mut() {
            let rest = file.bytes.len() - file.synced;
            let kept = if random.chance(500_000) { random.below(rest as u64 + 1) as usize } else { 0 };
            file.bytes.truncate(file.synced + kept);
            damage.torn |= kept > 0 && kept < rest;
            if kept > 0 && honest && random.chance(500_000) {
                let place = file.synced + random.below(kept as u64) as usize;
                file.bytes[place] ^= 1 << random.below(8);
                damage.corrupt = true;
            }
            file.synced = file.bytes.len();
        }
        damage
    }

    /// The process ends, and the machine does not: everything that was appended is there.
    pub fn lose_process(&self) {
        self.inner().fuse = false;
    }

    /// How many bytes its files have.
    pub fn bytes(&self) -> usize {
        self.inner().files.values().map(|file| file.bytes.len()).sum()
    }

    /// Everything is gone (a faulty node's own doing).
    pub fn wipe(&self) {
        self.inner().files.clear();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Medium for OpenFile {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let mut inner = self.disk.inner();
        if inner.full {
            return Err(Error::from(ErrorKind::StorageFull));
        }
        if inner.mode != LogMode::Off {
            let file = inner.files.get_mut(&self.name).ok_or(ErrorKind::NotFound)?;
            file.bytes.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        let mut inner = self.disk.inner();
        if inner.fuse {
            return Err(Error::other("the power is gone"));
        }
        if inner.mode == LogMode::Honest {
            let file = inner.files.get_mut(&self.name).ok_or(ErrorKind::NotFound)?;
            file.synced = file.bytes.len();
        }
        Ok(())
    }
}

impl Folder for Disk {
    type Medium = OpenFile;

    fn path(&self) -> &Path {
        Path::new("log")
    }

    fn segment_bytes(&self) -> u64 {
        SEGMENT_BYTES
    }

    fn salt(&self) -> Result<[u8; 32]> {
        let mut inner = self.inner();
        let mut salt = [0; 32];
        salt.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&inner.salts.draw().to_le_bytes()));
        Ok(salt)
    }

    fn list(&self) -> Result<Vec<String>> {
        Ok(self.inner().files.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> Result<Vec<u8>> {
        let inner = self.inner();
        Ok(inner.files.get(name).ok_or(ErrorKind::NotFound)?.bytes.clone())
    }

    fn create(&self, name: &str, front: &[u8]) -> Result<OpenFile> {
        let file = File { bytes: front.into(), synced: front.len() };
        self.inner().files.insert(name.into(), file);
        Ok(OpenFile { disk: self.clone(), name: name.into() })
    }

    fn reopen(&self, name: &str, length: u64) -> Result<OpenFile> {
        let mut inner = self.inner();
        let file = inner.files.get_mut(name).ok_or(ErrorKind::NotFound)?;
        file.bytes.truncate(length as usize);
        file.synced = file.bytes.len();
        drop(inner);
        Ok(OpenFile { disk: self.clone(), name: name.into() })
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.inner().files.remove(name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths that a power cut leaves of ten synced bytes and three others, over many seeds.
    fn survivors(mode: LogMode) -> std::collections::BTreeSet<usize> {
        let cut = |seed| {
            let disk = Disk::new(mode, 1);
            let mut file = disk.create("file", &[]).unwrap();
            file.append(&[1; 10]).unwrap();
            file.sync().unwrap();
            file.append(&[2; 3]).unwrap();
            disk.lose_power(&mut Random::new(seed));
            disk.read("file").unwrap().len()
        };
        (0..400).map(cut).collect()
    }

    #[test]
    fn a_power_cut_keeps_what_was_synced_and_any_part_of_what_was_not() {
        assert_eq!(survivors(LogMode::Honest), [10, 11, 12, 13].into());
        assert!(survivors(LogMode::SyncIgnored).contains(&0));
        assert_eq!(survivors(LogMode::Off), [0].into());
    }

    #[test]
    fn a_blown_fuse_cuts_the_power_between_writing_and_syncing() {
        let disk = Disk::new(LogMode::Honest, 1);
        let mut file = disk.create("file", b"front").unwrap();
        disk.blow_fuse();
        file.append(b"and more").unwrap();
        assert!(file.sync().is_err());
        disk.lose_power(&mut Random::new(3));
        assert!(disk.read("file").unwrap().starts_with(b"front"));
        disk.set_full(true);
        assert_eq!(file.append(b"x").unwrap_err().kind(), ErrorKind::StorageFull);
    }
}
