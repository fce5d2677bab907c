//! Blocks: a header that commits to what was before, what runs, and the state after it; and the transactions.

use codec::{Decode, Encode};
use scale_info::TypeInfo;
use serde::Serialize;

use crate::bounded::{DecodeError, decode_whole};
use crate::hash::{Domain, Hash, hash_encoded};
use crate::id::MemberId;
use crate::limits::{MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS};
use crate::list::list_root;
use crate::time::{Height, Round, Timestamp};
use crate::transaction::Transaction;

/// Version of the header format.
pub const HEADER_VERSION: u8 = 1;

/// A block's header. The state root is the state *after* the block, so a receipt is provable at once.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize)]
pub struct Header {
    /// [`HEADER_VERSION`].
    pub version: u8,
    /// Genesis hash.
    pub chain: Hash,
    /// Height, from 1; the genesis header is 0.
    pub height: Height,
    /// The round in which it was built.
    pub round: Round,
    /// `max(parent + 1 ms, the proposer's clock)`.
    pub time: Timestamp,
    /// Hash of the header before.
    pub parent: Hash,
    /// Mountain range over all earlier header hashes.
    pub history_root: Hash,
    /// The member whose validator built it.
    pub proposer: MemberId,
    /// List root of the transactions' wire hashes.
    pub transactions_root: Hash,
    /// List root of the receipts, agenda entries first, in the order of execution.
    pub receipts_root: Hash,
    /// State after this block.
    pub state_root: Hash,
    /// The set that certifies this block.
    pub validators_hash: Hash,
    /// The set that certifies the next block.
    pub next_validators_hash: Hash,
    /// Gas that the block used.
    pub gas_used: u64,
}

impl Header {
    /// The block's identity.
    pub fn hash(&self) -> Hash {
        hash_encoded(Domain::Header, self)
    }
}

/// A header and the transactions that it lists.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// The transactions in order of execution.
    pub transactions: Vec<Transaction>,
}

impl Block {
    /// Decodes whole, with the shapes of all transactions checked. Neither signatures nor roots are.
    pub fn decode_checked(bytes: &[u8]) -> Result<Self, DecodeError> {
        // The body's bound and the header's few hundred bytes.
        let block: Self = decode_whole("Block", bytes, MAX_BLOCK_BYTES + 4096)?;
        if block.transactions.len() > MAX_BLOCK_TRANSACTIONS {
            return Err(DecodeError::OutOfBounds("a block has at most 16,384 transactions"));
        }
        block.transactions.iter().try_for_each(Transaction::check_shape)?;
        Ok(block)
    }

    /// Whether the header lists exactly these transactions.
    pub fn lists_its_transactions(&self) -> bool {
        let hashes: Vec<Hash> = self.transactions.iter().map(Transaction::wire_hash).collect();
        list_root(&hashes) == self.header.transactions_root
    }
}
