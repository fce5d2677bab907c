//! The named limits of the replica. Nothing that a peer sends grows anything beyond these.

use portolan_primitives::limits::{MAX_BLOCK_BYTES, MAX_TRANSACTION_BYTES, MAX_VALIDATORS};

/// Longest consensus message, bytes: the list of a full block.
pub const MAX_CONSENSUS_MESSAGE: usize = 16_384 * 32 + 4_096;
/// Longest message with transactions, bytes: the largest transaction, or a batch.
pub const MAX_TRANSACTIONS_MESSAGE: usize = MAX_TRANSACTION_BYTES + 512 * 1024;
/// Longest sync message, bytes: the largest block, its header and its certificate.
pub const MAX_SYNC_MESSAGE: usize = MAX_BLOCK_BYTES + 128 * 1024;
/// Most hashes in one part.
pub const MAX_PART_HASHES: usize = 1_024;
/// Most parts of one stream.
pub const MAX_PARTS: u16 = 256;
/// Most signatures in a polka or round certificate: both votes of every validator.
pub const MAX_CERTIFICATE_SIGNATURES: usize = 2 * MAX_VALIDATORS;
/// Most hashes in one request for bodies.
pub const MAX_HASHES_PER_MESSAGE: usize = 1_024;
/// Most transactions in one gossiped batch.
pub const MAX_GOSSIP_TRANSACTIONS: usize = 1_024;
/// Most blocks in one sync response.
pub const MAX_BLOCKS_PER_RESPONSE: u32 = 16;
/// Bytes of blocks in one sync response, unless the first alone is longer.
pub const SYNC_RESPONSE_BYTES: usize = 2 * 1024 * 1024;
/// Most peers that the replica keeps account of; further ones are refused.
pub const MAX_PEERS: usize = 256;
/// Most messages for the next height that are kept for one peer.
pub const MAX_EARLY_MESSAGES: usize = 64;
/// Most bytes of messages for the next height that are kept for one peer.
pub const MAX_EARLY_BYTES: usize = 1024 * 1024;
/// Most batches of transactions of one peer that the host checks at a time; further ones are dropped.
pub const MAX_CHECKS_PER_PEER: usize = 8;
/// Most block reads for one peer at a time; further requests are dropped.
pub const MAX_READS_PER_PEER: usize = 2;
/// Most synced blocks that wait for their turn.
pub const MAX_BUFFERED_BLOCKS: usize = 64;
/// Most bytes of synced blocks that wait for their turn.
pub const MAX_BUFFERED_BLOCK_BYTES: usize = 32 * 1024 * 1024;
/// Most requests for blocks in flight.
pub const MAX_SYNC_REQUESTS: usize = 3;
/// Most undecided blocks whose bodies are kept at a height.
pub const MAX_KNOWN_BLOCKS: usize = 24;
/// Rounds ahead of the current one in which streams and blocks are followed; the core's own bound for votes.
pub const MAX_ROUNDS_AHEAD: u32 = 10;
/// Most signatures remembered as verified.
pub const MAX_VERIFIED: usize = 4_096;
/// Most variants (other approvals) of one transaction in the mempool.
pub const MAX_VARIANTS: usize = 4;
