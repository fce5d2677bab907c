//! How much room the disk has and the node may take: looked at as it writes, so that it prunes early, warns, and stops by itself,
//! with a reason, before there is none.
//!
//! Two bounds hold: so much stays free on the disk whoever fills it, and the node's own files take no more than their budget. Must
//! never delete anything, and never let the node go on when the disk does not say how full it is.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::limits::{DISK_CHECK_BYTES, DISK_CHECK_EVERY, DISK_HEADROOM_MIB};

/// Folders of the home that the node fills: the store, the consensus log, compiled contracts.
const FOLDERS: [&str; 3] = ["store", "log", "modules"];
/// Bytes of a block as file systems count them.
const SECTOR: u64 = 512;

/// The disk is too full to go on, or does not say how full it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiskError {
    /// Less is free than is to stay free.
    #[error(
        "only {free_mib} MiB are free on the disk of {path}, and `store.disk_reserve_mib` keeps {reserve_mib}; make room, then start again"
    )]
    Full {
        /// Where.
        path: PathBuf,
        /// Free, MiB.
        free_mib: u64,
        /// To stay free, MiB.
        reserve_mib: u64,
    },
    /// The node's files have grown to their budget.
    #[error(
        "the node's files in {path} take {used_mib} MiB, and it stops {DISK_HEADROOM_MIB} before `store.max_disk_mib`, which is {max_mib}; raise it, or let old blocks go with `store.archive = false` and a lower `store.keep_blocks` or `store.keep_days`, then start again"
    )]
    OverBudget {
        /// The home.
        path: PathBuf,
        /// Taken, MiB.
        used_mib: u64,
        /// Allowed, MiB.
        max_mib: u64,
    },
    /// The system does not answer.
    #[error("can't ask how full the disk of {path} is: {reason}; look at the disk, then start again")]
    Unknown {
        /// Where.
        path: PathBuf,
        /// The system's answer.
        reason: String,
    },
}

/// What a node may take of its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// MiB that stay free.
    pub reserve_mib: u64,
    /// MiB that the node's files may take; `None`: what the disk has.
    pub max_mib: Option<u64>,
}

/// What a look at the disk found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes free for this process.
    pub free: u64,
    /// Bytes that the node's files take.
    pub used: u64,
}

/// How much there is before the node stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Enough.
    Plenty,
    /// Less than twice the reserve is free, or nine tenths of the budget are used: old blocks go earlier, if they may go.
    Short,
}

impl Bounds {
    /// How much room `usage` leaves to the node of the home `path`.
    ///
    /// # Errors
    /// None.
    pub fn judge(&self, usage: Usage, path: &Path) -> Result<Room, DiskError> {
        let (free_mib, used_mib, reserve_mib) = (usage.free >> 20, usage.used >> 20, self.reserve_mib);
        if free_mib < reserve_mib {
            return Err(DiskError::Full { path: path.into(), free_mib, reserve_mib });
        }
        if let Some(max_mib) = self.max_mib.filter(|max| used_mib.saturating_add(DISK_HEADROOM_MIB) > *max) {
            return Err(DiskError::OverBudget { path: path.into(), used_mib, max_mib });
        }
        let is_short = free_mib < reserve_mib.saturating_mul(2)
            || self.max_mib.is_some_and(|max| used_mib.saturating_mul(10) >= max.saturating_mul(9));
        Ok(if is_short { Room::Short } else { Room::Plenty })
    }
}

/// Bytes that are free for this process on the disk of `path`.
///
/// # Errors
/// The system does not say.
pub fn free_bytes(path: &Path) -> Result<u64, DiskError> {
    let data = rustix::fs::statvfs(path).map_err(|error| unknown(path, error))?;
    Ok(data.f_bavail.saturating_mul(data.f_frsize))
}

/// Bytes of the disk that the node's files in its home take.
fn used_bytes(home: &Path) -> Result<u64, DiskError> {
    FOLDERS.iter().map(|folder| folder_bytes(&home.join(folder))).sum()
}

fn folder_bytes(folder: &Path) -> Result<u64, DiskError> {
    let gone = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let entries = match std::fs::read_dir(folder) {
        Err(error) if gone(&error) => return Ok(0),
        entries => entries.map_err(|error| unknown(folder, error))?,
    };
    let mut bytes = 0;
    for entry in entries {
        let entry = entry.map_err(|error| unknown(folder, error))?;
        // The database removes files while they are counted.
        bytes += match entry.metadata() {
            Err(error) if gone(&error) => 0,
            Err(error) => return Err(unknown(folder, error)),
            Ok(data) if data.is_dir() => folder_bytes(&entry.path())?,
            Ok(data) => data.blocks() * SECTOR,
        };
    }
    Ok(bytes)
}

fn unknown(path: &Path, error: impl ToString) -> DiskError {
    DiskError::Unknown { path: path.into(), reason: error.to_string() }
}

/// What the last look found, for whoever shows it and for who prunes.
#[derive(Debug, Default)]
pub struct LastLook {
    used: AtomicU64,
    short: AtomicBool,
}

impl LastLook {
    /// Bytes that the node's files took.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether room was short.
    pub fn is_short(&self) -> bool {
        self.short.load(Ordering::Relaxed)
    }

    /// Notes what was found; whether room has become short, or plenty again.
    pub fn note(&self, used: u64, room: Room) -> bool {
        let short = room == Room::Short;
        self.used.store(used, Ordering::Relaxed);
        self.short.swap(short, Ordering::Relaxed) != short
    }
}

/// Looks at a home's disk as the node writes.
#[derive(Debug)]
pub struct DiskWatch {
    home: PathBuf,
    bounds: Bounds,
    last: Arc<LastLook>,
    looked_at: u64,
    looked: Option<Instant>,
}

impl DiskWatch {
    /// Of the disk of `home`.
    pub fn new(home: &Path, bounds: Bounds) -> Self {
        Self { home: home.into(), bounds, last: Arc::default(), looked_at: 0, looked: None }
    }

    /// What the last look found.
    pub fn last(&self) -> Arc<LastLook> {
        self.last.clone()
    }

    /// Looks if so much was written since the last look, or so much time has passed; `written` are the bytes of the store since
    /// its start.
    ///
    /// # Errors
    /// The disk is too full to go on.
    pub fn check(&mut self, written: u64) -> Result<(), DiskError> {
        let is_recent = self.looked.is_some_and(|looked| looked.elapsed() < DISK_CHECK_EVERY);
        if is_recent && written < self.looked_at + DISK_CHECK_BYTES {
            return Ok(());
        }
        self.looked_at = written;
        self.look().map(drop)
    }

    /// Looks now, and says it in log and metrics.
    ///
    /// # Errors
    /// The disk is too full to go on.
    pub fn look(&mut self) -> Result<Room, DiskError> {
        let usage = Usage { free: free_bytes(&self.home)?, used: used_bytes(&self.home)? };
        self.looked = Some(Instant::now());
        metrics::gauge!("portolan_disk_free_bytes").set(usage.free as f64);
        metrics::gauge!("portolan_disk_used_bytes").set(usage.used as f64);
        let judged = self.bounds.judge(usage, &self.home);
        let room = *judged.as_ref().unwrap_or(&Room::Short);
        metrics::gauge!("portolan_disk_short").set(f64::from(room == Room::Short));
        if self.last.note(usage.used, room) {
            let (free_mib, used_mib) = (usage.free >> 20, usage.used >> 20);
            match room {
                Room::Short => tracing::warn!(
                    free_mib,
                    used_mib,
                    "the disk is running short; old blocks go early if they may, and the node stops by itself before the disk is full"
                ),
                Room::Plenty => tracing::info!(free_mib, used_mib, "the disk has room again"),
            }
        }
        judged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn usage(free_mib: u64, used_mib: u64) -> Usage {
        Usage { free: free_mib * MIB, used: used_mib * MIB }
    }

    #[test]
    fn room_is_short_below_twice_the_reserve_and_gone_below_it() {
        let bounds = Bounds { reserve_mib: 100, max_mib: None };
        let judged = |free| bounds.judge(usage(free, 1 << 30), Path::new("/home"));
        assert_eq!(judged(200), Ok(Room::Plenty));
        assert_eq!((judged(199), judged(100)), (Ok(Room::Short), Ok(Room::Short)));
        let path = PathBuf::from("/home");
        assert_eq!(judged(99), Err(DiskError::Full { path, free_mib: 99, reserve_mib: 100 }));
    }

    #[test]
    fn nine_tenths_of_the_budget_are_short_and_the_headroom_before_its_end_stops() {
        let bounds = Bounds { reserve_mib: 0, max_mib: Some(2_000) };
        let judged = |used| bounds.judge(usage(1 << 30, used), Path::new("/home"));
        assert_eq!(judged(1_799), Ok(Room::Plenty));
        assert_eq!((judged(1_800), judged(2_000 - DISK_HEADROOM_MIB)), (Ok(Room::Short), Ok(Room::Short)));
        let error = judged(2_001 - DISK_HEADROOM_MIB).unwrap_err();
        let used_mib = 2_001 - DISK_HEADROOM_MIB;
        assert_eq!(error, DiskError::OverBudget { path: "/home".into(), used_mib, max_mib: 2_000 });
        assert!(error.to_string().contains("it stops 64 before `store.max_disk_mib`, which is 2000"), "{error}");
    }

    #[test]
    fn what_the_node_fills_is_counted_as_the_disk_counts_it_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        assert_eq!(used_bytes(home), Ok(0));
        for name in ["store", "log", "modules/cached", "elsewhere"] {
            std::fs::create_dir_all(home.join(name)).unwrap();
            std::fs::write(home.join(name).join("file"), vec![1; 1 << 20]).unwrap();
        }
        // A hole takes nothing.
        std::fs::File::create(home.join("store/hole")).unwrap().set_len(64 << 20).unwrap();
        for name in ["store/file", "log/file", "modules/cached/file"] {
            std::fs::File::open(home.join(name)).unwrap().sync_all().unwrap();
        }
        assert_eq!(used_bytes(home).unwrap() >> 20, 3);
    }

    #[test]
    fn a_look_is_taken_after_so_many_bytes_and_tells_when_room_becomes_short() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = DiskWatch::new(folder.path(), Bounds { reserve_mib: 0, max_mib: Some(80) });
        let last = watch.last();
        std::fs::create_dir(folder.path().join("store")).unwrap();
        watch.check(0).unwrap();
        assert_eq!((last.used(), last.is_short()), (0, false));
        std::fs::write(folder.path().join("store/file"), vec![1; 20 << 20]).unwrap();
        std::fs::File::open(folder.path().join("store/file")).unwrap().sync_all().unwrap();
        // A moment later, and little was written: there is no look.
        watch.looked = Some(Instant::now());
        assert_eq!(watch.check(DISK_CHECK_BYTES - 1), Ok(()));
        watch.looked = Some(Instant::now());
        let error = watch.check(DISK_CHECK_BYTES).unwrap_err();
        assert_eq!(error, DiskError::OverBudget { path: folder.path().into(), used_mib: 20, max_mib: 80 });
        assert!(last.is_short() && last.used() >= 20 << 20);
        assert!(last.note(0, Room::Plenty) && !last.note(0, Room::Plenty) && last.note(0, Room::Short));
    }

    #[test]
    fn a_disk_that_does_not_answer_is_named() {
        let path = Path::new("/nowhere/at/all");
        let mut watch = DiskWatch::new(path, Bounds { reserve_mib: 0, max_mib: None });
        assert!(matches!(watch.look(), Err(DiskError::Unknown { path: found, .. }) if found == path));
    }
}
