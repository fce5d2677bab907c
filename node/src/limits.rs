//! The named limits of the process: queues, frames, rates, times. A limit is checked before anything is allocated for it.

use std::time::Duration;

/// A reader's buffer grows by at most this while a frame comes in, so that a claimed length alone costs nothing.
pub const FRAME_GROWTH: usize = 64 * 1024;

/// Messages a peer may have waiting to be handled, each class.
pub const INBOUND_MESSAGES: usize = 512;
/// Bytes a peer may have waiting to be handled, each class; a longer message waits until it is alone.
pub const INBOUND_BYTES: usize = 4 * 1024 * 1024;
/// Messages waiting to be written to one peer, each class.
pub const OUTBOUND_MESSAGES: usize = 4_096;
/// Bytes waiting to be written to one peer, each class; beyond it the class's policy applies.
pub const OUTBOUND_BYTES: usize = 32 * 1024 * 1024;
/// Bytes a second that one peer may send, sustained, all classes.
pub const INBOUND_RATE: u64 = 128 * 1024 * 1024;
/// Messages a second that one peer may send, sustained, each class.
pub const INBOUND_MESSAGE_RATE: u64 = 20_000;

/// Connections that may be in their handshake at once.
pub const MAX_PENDING_CONNECTIONS: usize = 64;
/// A handshake that takes longer is dropped.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// A link that is quiet for this long gets a ping.
pub const PING_INTERVAL: Duration = Duration::from_secs(10);
/// A link from which nothing came for this long is dead.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(35);
/// First pause before a configured address is dialled again.
pub const REDIAL_FIRST: Duration = Duration::from_millis(200);
/// Longest pause before a configured address is dialled again.
pub const REDIAL_LONGEST: Duration = Duration::from_secs(10);
/// How long a peer is shut out after a fault, first time; doubled with each further one.
pub const FAULT_FIRST: Duration = Duration::from_secs(5);
/// Longest time that a peer is shut out.
pub const FAULT_LONGEST: Duration = Duration::from_secs(600);

/// Transactions from the API that wait for their check.
pub const SUBMISSION_QUEUE: usize = 4_096;
/// Queries that may run at once.
pub const CONCURRENT_QUERIES: usize = 4;
/// Queries that may wait for one of those to end.
pub const WAITING_QUERIES: usize = 256;
/// Blocks that a slow subscriber of committed blocks may lag behind before it loses some.
pub const SUBSCRIBER_LAG: usize = 256;

/// A segment of the consensus log ends at the first height after this many bytes.
pub const LOG_SEGMENT_BYTES: u64 = 16 * 1024 * 1024;
/// Longest record of the consensus log, bytes: a frame of the replica with a block's body and a height's votes.
pub const MAX_LOG_RECORD: usize = 65 * 1024 * 1024;
/// Longest group of records that one flush writes, bytes.
pub const MAX_LOG_GROUP: usize = 2 * MAX_LOG_RECORD;

/// Disk that stays free unless the configuration says otherwise, MiB.
pub const DEFAULT_DISK_RESERVE_MIB: u64 = 512;
/// The disk is looked at after this many bytes written.
pub const DISK_CHECK_BYTES: u64 = 16 * 1024 * 1024;
/// And with the first block after this time.
pub const DISK_CHECK_EVERY: Duration = Duration::from_secs(1);
/// The node stops this much before its budget is used up, MiB: what is written between two looks, and by the database beside it.
pub const DISK_HEADROOM_MIB: u64 = 64;
/// The least budget, MiB: the database's own log may take a quarter of it, and moving files down takes room too.
pub const MIN_MAX_DISK_MIB: u64 = 1_024;

/// Fewest blocks below the head that a node may keep: a peer that was away for a moment still finds what it missed.
pub const MIN_KEEP_BLOCKS: u64 = 256;
/// Blocks that are let go of together, in one synced write; fewer wait.
pub const PRUNE_HEIGHTS: u64 = 64;
/// Writes of such a batch after which no further block joins it.
pub const PRUNE_WRITES: usize = 4_096;
/// Longest time that may be asked to be kept, days.
pub const MAX_KEEP_DAYS: u64 = 36_500;
/// Most heights of the state before the last one that a node may keep readable.
pub const MAX_KEEP_STATES: u64 = 4_096;

/// Longest question or answer at the node's socket, bytes.
pub const ADMIN_LINE: u64 = 16 * 1024;
/// Longest time that one question at the node's socket takes.
pub const ADMIN_PATIENCE: Duration = Duration::from_secs(600);
/// Pause after the node's socket could take no connection.
pub const ADMIN_PAUSE: Duration = Duration::from_secs(1);

/// How much later than its restore a block must be before a restored validator votes after it, ms: clocks of this machine and of
/// the validators may differ by as much, less the second by which a block may be ahead of them.
pub const FENCE_AFTER_MS: u64 = 60_000;
/// Most files of a backup.
pub const MAX_BACKUP_FILES: usize = 1 << 20;
/// Largest description of a backup, bytes.
pub const MAX_BACKUP_MANIFEST: u64 = 256 * 1024 * 1024;

/// Largest configuration, passphrase or key file, bytes.
pub const MAX_SMALL_FILE: u64 = 64 * 1024;
