//! Compiled modules on disk, named by code hash and engine fingerprint.
//!
//! Compiled code is native code: who can write to this directory can run code in the node. It must belong to the node's own
//! user, as its keys and its store do. The checksum finds what was damaged, cut off, or written by another version; it is
//! no defence against who may write there. A file that is not exactly what was written is compiled again, never used.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use codec::{Decode, Encode};
use portolan_primitives::{Hash, hex};

const MAGIC: [u8; 8] = *b"ptlnvm01";
const CONTEXT: &str = "portolan 2026 compiled module file v1";

/// Largest file that is read: far above what the largest module compiles to.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// What is kept of a compiled module.
#[derive(Encode, Decode)]
pub(crate) struct Compiled {
    /// Gas for each instance.
    pub instantiation_gas: u64,
    /// The engine's serialised module.
    pub native: Vec<u8>,
}

/// A directory of compiled modules for one engine.
pub(crate) struct DiskCache {
    directory: PathBuf,
    fingerprint: [u8; 32],
    temporary: AtomicU64,
}

impl DiskCache {
    /// Opens `directory`, and creates it where it is missing.
    pub(crate) fn open(directory: &Path, fingerprint: [u8; 32]) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        Ok(Self { directory: directory.to_owned(), fingerprint, temporary: AtomicU64::new(0) })
    }

    /// The module compiled for `code`, if a sound file of this engine is there.
    pub(crate) fn read(&self, code: &Hash) -> Option<Compiled> {
        let path = self.path(code);
        let sound = fs::metadata(&path).is_ok_and(|file| file.len() <= MAX_FILE_BYTES);
        let bytes = sound.then(|| fs::read(&path).ok()).flatten()?;
        let compiled = self.open_file(code, &bytes);
        if compiled.is_none() {
            tracing::warn!(file = %path.display(), "a compiled module is damaged or foreign and is compiled again");
        }
        compiled
    }

    /// Keeps `compiled`. A failure costs a later start some time, so it is logged and no more.
    pub(crate) fn write(&self, code: &Hash, compiled: &Compiled) {
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = self.directory.join(format!(".{}-{number}.new", std::process::id()));
        let bytes = self.file(code, compiled);
        if let Err(error) = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, self.path(code))) {
            tracing::warn!(directory = %self.directory.display(), %error, "a compiled module could not be kept");
            // Best effort: a leftover is never read.
            let _ = fs::remove_file(&temporary);
        }
    }

    /// Forgets the file of `code`.
    pub(crate) fn remove(&self, code: &Hash) {
        // Best effort: what is still there is judged again at the next read.
        let _ = fs::remove_file(self.path(code));
    }

    fn path(&self, code: &Hash) -> PathBuf {
        let engine = hex::encode(&self.fingerprint[..8]);
        self.directory.join(format!("{code}-{engine}.module"))
    }

    fn file(&self, code: &Hash, compiled: &Compiled) -> Vec<u8> {
        let body = compiled.encode();
        let mut file = Vec::with_capacity(body.len() + 40);
        file.extend_from_slice(&MAGIC);
        file.extend_from_slice(&self.checksum(code, &body));
        file.extend_from_slice(&body);
        file
    }

    fn open_file(&self, code: &Hash, file: &[u8]) -> Option<Compiled> {
        let rest = file.strip_prefix(&MAGIC)?;
        let (checksum, mut body) = rest.split_first_chunk::<32>()?;
        if self.checksum(code, body) != *checksum {
            return None;
        }
        Compiled::decode(&mut body).ok().filter(|_| body.is_empty())
    }

    fn checksum(&self, code: &Hash, body: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(&self.fingerprint).update(&code.0).update(body);
        *hasher.finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(fingerprint: u8) -> (tempfile::TempDir, DiskCache) {
        let directory = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(directory.path(), [fingerprint; 32]).unwrap();
        (directory, cache)
    }

    fn compiled() -> Compiled {
        Compiled { instantiation_gas: 7, native: vec![1, 2, 3, 4, 5] }
    }

    #[test]
    fn what_was_written_is_read() {
        let (_directory, cache) = cache(1);
        cache.write(&Hash([9; 32]), &compiled());
        let read = cache.read(&Hash([9; 32])).unwrap();
        assert_eq!((read.instantiation_gas, read.native), (7, vec![1, 2, 3, 4, 5]));
        assert!(cache.read(&Hash([8; 32])).is_none());
    }

    #[test]
    fn a_file_that_differs_in_any_bit_or_ends_anywhere_is_not_used() {
        let (_directory, cache) = cache(1);
        let code = Hash([9; 32]);
        let file = cache.file(&code, &compiled());
        for position in 0..file.len() {
            let mut damaged = file.clone();
            damaged[position] ^= 1;
            assert!(cache.open_file(&code, &damaged).is_none(), "bit at {position}");
            assert!(cache.open_file(&code, &file[..position]).is_none(), "cut at {position}");
        }
        assert!(cache.open_file(&code, &file).is_some());
    }

    #[test]
    fn a_file_of_other_code_or_another_engine_is_not_used() {
        let (_directory, first) = cache(1);
        let (_other, second) = cache(2);
        let file = first.file(&Hash([9; 32]), &compiled());
        assert!(first.open_file(&Hash([8; 32]), &file).is_none());
        assert!(second.open_file(&Hash([9; 32]), &file).is_none());
    }
}
