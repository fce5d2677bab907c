//! The named limits of the API. Each holds before anything is allocated for what it bounds.

use std::time::Duration;

use portolan_primitives::limits::{MAX_BLOCK_BYTES, MAX_TRANSACTION_BYTES};

/// Connections that are open at once; the next ones wait to be accepted. A connection carries one request at a time.
pub const CONNECTIONS: usize = 1_024;
/// Longest that a client may take to send a request's head, an idle connection included.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest TLS handshake.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest that a client may take to send a request's body.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes of a body that nobody reads, which are still taken from the client so that it comes to read its refusal.
pub const LEFTOVER_BYTES: usize = 4 * BATCH_BODY;
/// Longest that a client may take to send them.
pub const LEFTOVER_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest that a request may take, waiting for a transaction included; the stream of events is begun within it.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(45);
/// Longest that a client may leave a written answer untaken.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest that open requests get to end when the node stops.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a request's head.
pub const HEAD_BYTES: usize = 64 * 1024;
/// Header fields of a request.
pub const HEAD_FIELDS: usize = 64;

/// Bytes of a submitted transaction.
pub const TRANSACTION_BODY: usize = MAX_TRANSACTION_BYTES;
/// Bytes of a batch of transactions, with their lengths.
pub const BATCH_BODY: usize = MAX_BLOCK_BYTES + 64 * 1024;
/// Transactions of a batch.
pub const BATCH_TRANSACTIONS: usize = 4_096;
/// Bytes of a question.
pub const QUESTION_BODY: usize = 64 * 1024;
/// KiB of request bodies that are in memory at once.
pub const BODIES_KIB: usize = 64 * 1024;

/// Requests that wait for a transaction or a block at once.
pub const WAITING_REQUESTS: usize = 512;
/// Longest that one request waits for a transaction or a block, ms.
pub const MAX_WAIT_MS: u64 = 30_000;
/// Streams of events that are open at once.
pub const EVENT_STREAMS: usize = 128;
/// Heights of which one step of a stream reads the events, at most.
pub const STREAM_HEIGHTS: u64 = 64;
/// Events after which a step of a stream reads no further height.
pub const STREAM_EVENTS: usize = 256;
/// Between two signs of life on a quiet stream.
pub const STREAM_HEARTBEAT: Duration = Duration::from_secs(15);

/// Gas of a question.
pub const QUESTION_GAS: u64 = 500_000_000;
/// Entries of a page where the request names no `limit`.
pub const DEFAULT_PAGE: u64 = 100;
/// Most entries of a page.
pub const MAX_PAGE: u64 = 256;
/// Segments of a path.
pub const PATH_SEGMENTS: usize = 12;
/// Ids that are remembered as submitted here and not final yet.
pub const SUBMITTED_IDS: usize = 65_536;
/// Descriptions of contracts that are kept.
pub const KEPT_DESCRIPTIONS: usize = 256;

/// How far a signed request's time may be from this node's, ms.
pub const SIGNATURE_TIME_MS: u64 = 60_000;
