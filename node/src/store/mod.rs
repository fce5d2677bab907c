//! The store: RocksDB with one column family for each way of access, written by one synced batch a block.
//!
//! A store says of itself which format and which chain it has; another one is refused by name, never opened half. Must never write
//! without a sync: what a client was told is final survives the power cut of every node at once.

pub mod chain;
pub mod columns;
pub mod disk;
pub mod prune;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use codec::{Decode, Encode};
use portolan_primitives::{Hash, Height, decode_whole};
use portolan_state::{Batch, Column, KeyValue, StoreError};
use rocksdb::statistics::{StatsLevel, Ticker};
use rocksdb::{
    Cache, DB, DBRecoveryMode, Direction, IteratorMode, Options, PrefixRange, ReadOptions, WriteBatch, WriteOptions,
};

use crate::telemetry::{Stage, stage};

pub use chain::{Chain, ChainError, Place};
pub use disk::{DiskError, free_bytes};

/// Version of the store's layout.
pub const FORMAT: u32 = 2;
/// Key of [`Identity`] in the column of the node.
pub const IDENTITY: &[u8] = b"identity";

/// Why a store is not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("the store {0} is in use: another node runs on this home; stop it first")]
    InUse(PathBuf),
    /// Damaged.
    #[error(
        "the store {path} is damaged: {reason}; move it away, and restore this node from a backup or from its peers with `portolan-node restore`"
    )]
    Corrupt {
        /// Which.
        path: PathBuf,
        /// The database's own words.
        reason: String,
    },
    /// A database, but not ours.
    #[error("{path} is a database of something else ({what}); choose another home")]
    Foreign {
        /// Which.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// Ours, of another format.
    #[error(
        "the store {path} has format {found}, this version reads {FORMAT}; start the version that wrote it, or move it away and sync anew with `portolan-node restore --from-peers`"
    )]
    OtherFormat {
        /// Which.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Of another chain.
    #[error(
        "the store {path} is of the chain {found}, and the spec makes {expected}; use the spec or the home of that chain"
    )]
    OtherChain {
        /// Which.
        path: PathBuf,
        /// The store's chain.
        found: Hash,
        /// The spec's.
        expected: Hash,
    },
    /// Anything else.
    #[error("can't open the store {path}: {reason}")]
    Other {
        /// Which.
        path: PathBuf,
        /// The database's own words.
        reason: String,
    },
}

/// What a store says of itself.
#[derive(Debug, Encode, Decode)]
pub struct Identity {
    /// Version of its layout.
    pub format: u32,
    /// Genesis hash of its chain.
    pub chain: Hash,
}

/// The open database.
pub struct Store {
    db: DB,
    /// Held for its counters.
    options: Options,
    path: PathBuf,
    written: AtomicU64,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.path.display())
    }
}

impl Store {
    /// Opens the store of `chain` at `path`, or makes a new one; with `cache_bytes` for blocks that were read.
    pub fn open(path: &Path, chain: &Hash, cache_bytes: usize) -> Result<Self, OpenError> {
        refuse_foreign_columns(path)?;
        let cache = Cache::new_lru_cache(cache_bytes);
        let options = database_options();
        let db = DB::open_cf_descriptors(&options, path, columns::descriptors(&cache))
            .map_err(|error| open_error(path, &error))?;
        let store = Self { db, options, path: path.into(), written: AtomicU64::new(0) };
        check_identity(&store, path, chain)?;
        Ok(store)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of batches written since the store was opened.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Times that the database waited for the disk to have its log, since the store was opened.
    pub fn syncs(&self) -> u64 {
        self.options.get_ticker_count(Ticker::WalFileSynced)
    }

    /// Opens a copy of the store of `chain` to read it, without changing a file of it.
    pub fn open_to_read(path: &Path, chain: &Hash, cache_bytes: usize) -> Result<Self, OpenError> {
        refuse_foreign_columns(path)?;
        let (cache, mut options) = (Cache::new_lru_cache(cache_bytes), database_options());
        options.create_if_missing(false);
        options.create_missing_column_families(false);
        let columns = columns::descriptors(&cache);
        let db = DB::open_cf_descriptors_read_only(&options, path, columns, false)
            .map_err(|error| open_error(path, &error))?;
        let store = Self { db, options, path: path.into(), written: AtomicU64::new(0) };
        check_identity(&store, path, chain)?;
        Ok(store)
    }

    /// Copies the store as it is at this moment into a folder that is not there yet: what is written meanwhile is in it whole or
    /// not at all, and goes on. Files that never change are linked where that is possible.
    pub fn checkpoint(&self, target: &Path) -> Result<(), StoreError> {
        let made = rocksdb::checkpoint::Checkpoint::new(&self.db).and_then(|copy| copy.create_checkpoint(target));
        made.map_err(|error| StoreError::new("copy itself", format!("{} ({})", error, target.display())))
    }

    /// Drops what lies below `lowest` in the columns of blocks, as far as it fills whole files of the database: nothing is rewritten
    /// for it. What shares a file with later blocks goes with them.
    pub fn drop_blocks_below(&self, lowest: Height) -> Result<(), StoreError> {
        let Some(last) = lowest.0.checked_sub(1) else { return Ok(()) };
        for column in columns::OF_BLOCKS {
            let (from, to) = (0u64.to_be_bytes(), last.to_be_bytes());
            let dropped = self.db.delete_file_in_range_cf(self.family(column)?, from, to);
            dropped.map_err(|error| StoreError::new("drop files of old blocks", error))?;
        }
        Ok(())
    }

    fn family(&self, column: Column) -> Result<&rocksdb::ColumnFamily, StoreError> {
        let family = columns::name(column).and_then(|name| self.db.cf_handle(name));
        family.ok_or_else(|| StoreError::new("find a column", format!("there is no column {}", column.0)))
    }
}

impl KeyValue for Store {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db.get_cf(self.family(column)?, key).map_err(|error| StoreError::new("read a value", error))
    }

    fn multi_get(&self, column: Column, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let found = self.db.batched_multi_get_cf(self.family(column)?, keys.iter().copied(), false);
        let value = |found: Result<Option<rocksdb::DBPinnableSlice<'_>>, rocksdb::Error>| match found {
            Ok(value) => Ok(value.map(|slice| slice.to_vec())),
            Err(error) => Err(StoreError::new("read values", error)),
        };
        found.into_iter().map(value).collect()
    }

    fn scan(
        &self,
        column: Column,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let mut options = ReadOptions::default();
        options.set_iterate_range(PrefixRange(prefix));
        let start = after.filter(|after| *after >= prefix).unwrap_or(prefix);
        let mode = IteratorMode::From(start, Direction::Forward);
        let pairs = self.db.iterator_cf_opt(self.family(column)?, options, mode);
        let mut found = Vec::new();
        for pair in pairs {
            let (key, value) = pair.map_err(|error| StoreError::new("scan a range", error))?;
            if found.len() == limit {
                break;
            }
            if after.is_none_or(|after| *key > *after) {
                found.push((key.into_vec(), value.into_vec()));
            }
        }
        Ok(found)
    }

    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        // A write's own head takes up to 16 bytes; what grows is copied.
        let mut writes = WriteBatch::with_capacity_bytes(batch.bytes() + 16 * batch.len() + 16);
        for operation in batch.operations() {
            let family = self.family(operation.column)?;
            match operation.value {
                Some(value) => writes.put_cf(family, operation.key, value),
                None => writes.delete_cf(family, operation.key),
            }
        }
        self.written.fetch_add(writes.size_in_bytes() as u64, Ordering::Relaxed);
        let mut options = WriteOptions::default();
        options.set_sync(true);
        let started = std::time::Instant::now();
        let written = stage(Stage::Store, || self.db.write_opt(writes, &options));
        let written = written.map_err(|error| StoreError::new("write a batch", error));
        metrics::histogram!("portolan_store_write_seconds").record(started.elapsed());
        metrics::counter!("portolan_store_syncs").absolute(self.syncs());
        written
    }
}

/// Refuses a store of another format or chain by name; an empty one becomes `chain`'s.
///
/// # Errors
/// What the store is.
pub fn check_identity(store: &impl KeyValue, path: &Path, chain: &Hash) -> Result<(), OpenError> {
    let other = |error: StoreError| OpenError::Other { path: path.into(), reason: error.to_string() };
    let Some(bytes) = store.get(columns::NODE, IDENTITY).map_err(other)? else {
        return write_identity(store, path, chain);
    };
    let foreign = |_| OpenError::Foreign { path: path.into(), what: "its identity is not readable".into() };
    let identity: Identity = decode_whole("Identity", &bytes, 64).map_err(foreign)?;
    if identity.format != FORMAT {
        return Err(OpenError::OtherFormat { path: path.into(), found: identity.format });
    }
    if identity.chain != *chain {
        return Err(OpenError::OtherChain { path: path.into(), found: identity.chain, expected: *chain });
    }
    Ok(())
}

fn write_identity(store: &impl KeyValue, path: &Path, chain: &Hash) -> Result<(), OpenError> {
    let other = |error: StoreError| OpenError::Other { path: path.into(), reason: error.to_string() };
    for column in [Column::META, Column::FLAT, columns::HEADERS] {
        if !store.scan(column, &[], None, 1).map_err(other)?.is_empty() {
            return Err(OpenError::Foreign { path: path.into(), what: "it has data but no identity".into() });
        }
    }
    let mut batch = Batch::new();
    batch.put(columns::NODE, IDENTITY, Identity { format: FORMAT, chain: *chain }.encode());
    store.write(batch).map_err(other)
}

fn database_options() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_paranoid_checks(true);
    // After a power cut the log is read up to its last whole batch. A loss in the middle can't go unnoticed: the
    // consensus log then holds heights beyond the head, and the node refuses to start.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_max_background_jobs(2);
    options.set_max_open_files(512);
    options.set_max_total_wal_size(256 * 1024 * 1024);
    options.set_bytes_per_sync(1024 * 1024);
    options.set_keep_log_file_num(4);
    options.set_max_log_file_size(4 * 1024 * 1024);
    // Statistics that nobody reads would wake an idle node.
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    // Its counters only: they say that each batch was synced.
    options.enable_statistics();
    options.set_statistics_level(StatsLevel::ExceptHistogramOrTimers);
    options
}

fn refuse_foreign_columns(path: &Path) -> Result<(), OpenError> {
    if !path.join("CURRENT").exists() {
        return refuse_foreign_files(path);
    }
    let names = DB::list_cf(&Options::default(), path).map_err(|error| open_error(path, &error))?;
    match names.iter().find(|name| !columns::is_known(name)) {
        Some(name) => Err(OpenError::Foreign { path: path.into(), what: format!("it has a column `{name}`") }),
        None => Ok(()),
    }
}

/// A folder without a database must be empty: a lost `CURRENT` would else look like a new store.
fn refuse_foreign_files(path: &Path) -> Result<(), OpenError> {
    let Ok(mut entries) = std::fs::read_dir(path) else { return Ok(()) };
    let is_data = |name: &str| name.ends_with(".sst") || name.ends_with(".log") || name.starts_with("MANIFEST");
    let data = entries.find_map(|entry| entry.ok()?.file_name().into_string().ok().filter(|name| is_data(name)));
    match data {
        Some(name) => {
            let reason = format!("it has {name} but no CURRENT");
            Err(OpenError::Corrupt { path: path.into(), reason })
        }
        None => Ok(()),
    }
}

fn open_error(path: &Path, error: &rocksdb::Error) -> OpenError {
    let (path, reason) = (path.to_path_buf(), error.to_string());
    match error.kind() {
        rocksdb::ErrorKind::Corruption => OpenError::Corrupt { path, reason },
        rocksdb::ErrorKind::IOError if reason.contains("lock") => OpenError::InUse(path),
        rocksdb::ErrorKind::InvalidArgument => OpenError::Foreign { path, what: reason },
        _ => OpenError::Other { path, reason },
    }
}
