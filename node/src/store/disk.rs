//! How much room the disk has, so that the node stops by itself, with a reason, before there is none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Store;
use crate::limits::DISK_CHECK_BYTES;

/// The disk is too full to go on, or does not say how full it is.
#[derive(Debug, thiserror::Error)]
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
    /// The system does not answer.
    #[error("can't ask how much of the disk of {path} is free: {reason}")]
    Unknown {
        /// Where.
        path: PathBuf,
        /// The system's answer.
        reason: String,
    },
}

/// Bytes that are free for this process on the disk of `path`.
pub fn free_bytes(path: &Path) -> Result<u64, DiskError> {
    let unknown = |error: rustix::io::Errno| DiskError::Unknown { path: path.into(), reason: error.to_string() };
    let data = rustix::fs::statvfs(path).map_err(unknown)?;
    Ok(data.f_bavail.saturating_mul(data.f_frsize))
}

/// Refuses when fewer than `reserve_mib` are free.
pub fn check(path: &Path, reserve_mib: u64) -> Result<u64, DiskError> {
    let free = free_bytes(path)?;
    let free_mib = free >> 20;
    if free_mib < reserve_mib {
        return Err(DiskError::Full { path: path.into(), free_mib, reserve_mib });
    }
    Ok(free)
}

/// Looks at a store's disk each time that so much was written.
pub struct DiskWatch {
    store: Arc<Store>,
    reserve_mib: u64,
    looked_at: u64,
}

impl DiskWatch {
    /// Of the disk of `store`, where `reserve_mib` are to stay free.
    pub fn new(store: Arc<Store>, reserve_mib: u64) -> Self {
        Self { store, reserve_mib, looked_at: 0 }
    }

    /// Refuses when the disk is too full to go on.
    pub fn check(&mut self) -> Result<(), DiskError> {
        let written = self.store.written();
        if written < self.looked_at + DISK_CHECK_BYTES {
            return Ok(());
        }
        self.looked_at = written;
        let free = check(self.store.path(), self.reserve_mib)?;
        metrics::gauge!("portolan_disk_free_bytes").set(free as f64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_with_less_than_its_reserve_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check(folder.path(), 0).unwrap() > 0);
        let error = check(folder.path(), u64::MAX).unwrap_err();
        assert!(error.to_string().contains("disk_reserve_mib"), "{error}");
    }
}
