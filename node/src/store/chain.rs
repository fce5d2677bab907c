//! Blocks, certificates, receipts and their indexes: what the store holds besides the state, typed.
//!
//! Everything of a block is added to one batch by [`add_block`], which the state writes together with its own changes.

use std::sync::Arc;

use codec::{Decode, DecodeAll, Encode};
use portolan_primitives::{
    CommitCertificate, Domain, Hash, Header, Height, Transaction, TransactionId, ValidatorSet, hash, hex,
};
use portolan_proof::CertifiedHeader;
use portolan_replica::{CertifiedBlock, Evidence, Fence};
use portolan_runtime::{ChainHead, ExecutedReceipt};
use portolan_state::{Batch, Column, KeyValue, StoreError};

use super::columns::{
    BODIES, CERTIFICATES, EVIDENCE, HANDOVERS, HASHES, HEADERS, NODE, RECEIPTS, TRANSACTIONS, VALIDATORS,
};

const HEAD: &[u8] = b"head";
const LOWEST: &[u8] = b"lowest";
const FENCE: &[u8] = b"fence";

/// Why something can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Old, and let go of.
    #[error(
        "block {height} is pruned: this node keeps blocks from {lowest} on; ask a node that keeps more, as one with `store.archive = true` (`blocks_from` in a node's status says what it keeps)"
    )]
    Pruned {
        /// Asked for.
        height: Height,
        /// The lowest that is kept.
        lowest: Height,
    },
    /// What was read is not what was written.
    #[error("the store holds no readable {what} at {key}: restore this node with `portolan-node restore`")]
    Corrupt {
        /// What should be there.
        what: &'static str,
        /// Where.
        key: String,
    },
}

/// Where a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Place {
    /// Height of its block.
    pub height: Height,
    /// Its place among the block's transactions, from 0.
    pub index: u32,
}

/// What a pruned store keeps of a block that handed over to another validator set: with these anybody follows the sets from
/// genesis on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Handover {
    header: Header,
    /// Genesis has none.
    certificate: Option<CommitCertificate>,
}

/// How much is let go of at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Blocks.
    pub heights: u64,
    /// Writes after which no further block is begun.
    pub writes: usize,
}

/// Everything of a block but the state.
#[derive(Clone, Copy, Debug)]
pub struct BlockRecord<'a> {
    /// The head that it makes.
    pub head: &'a ChainHead,
    /// SCALE of each transaction, in order, with its id.
    pub transactions: &'a [(TransactionId, Arc<[u8]>)],
    /// What made it final; genesis has none.
    pub certificate: Option<&'a CommitCertificate>,
    /// All receipts.
    pub receipts: &'a [ExecutedReceipt],
    /// The set that certifies the next block.
    pub next_validators: &'a ValidatorSet,
}

/// Adds a block to the batch that will hold its state too.
pub fn add_block(batch: &mut Batch, block: &BlockRecord<'_>) {
    let header = &block.head.header;
    let key = height_key(header.height);
    batch.put(NODE, HEAD, block.head.encode());
    batch.put(HEADERS, key, header.encode());
    batch.put(HASHES, key, block.head.hash.0);
    let bodies: Vec<&[u8]> = block.transactions.iter().map(|(_, bytes)| &**bytes).collect();
    batch.put(BODIES, key, bodies.encode());
    if let Some(certificate) = block.certificate {
        batch.put(CERTIFICATES, key, certificate.encode());
    }
    batch.put(RECEIPTS, key, block.receipts.encode());
    for (index, (id, _)) in (0u32..).zip(block.transactions) {
        batch.put(TRANSACTIONS, id.0, Place { height: header.height, index }.encode());
    }
    if header.next_validators_hash != header.validators_hash || header.height == Height(0) {
        batch.put(HANDOVERS, key, []);
        batch.put(VALIDATORS, header.next_validators_hash.0, block.next_validators.encode());
    }
}

fn height_key(height: Height) -> [u8; 8] {
    height.0.to_be_bytes()
}

/// Typed reads of the blocks in a store. Cheap to clone.
#[derive(Debug)]
pub struct Chain<S>(Arc<S>);

impl<S> Clone for Chain<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: KeyValue> Chain<S> {
    /// Of the blocks in `store`.
    pub fn new(store: Arc<S>) -> Self {
        Self(store)
    }

    /// Where they are.
    pub fn store(&self) -> &Arc<S> {
        &self.0
    }

    /// The last block, if there is one.
    pub fn head(&self) -> Result<Option<ChainHead>, ChainError> {
        self.read(NODE, HEAD, "head")
    }

    /// The lowest height whose block is kept; headers and certificates of handovers, and the hashes of all headers, are kept
    /// below it too.
    pub fn lowest(&self) -> Result<Height, ChainError> {
        Ok(self.read(NODE, LOWEST, "lowest height")?.unwrap_or_default())
    }

    /// From when on this node votes, if it was restored.
    pub fn fence(&self) -> Result<Option<Fence>, ChainError> {
        self.read(NODE, FENCE, "fence")
    }

    /// Sets the fence of a node that is being restored.
    pub fn set_fence(&self, fence: Fence) -> Result<(), ChainError> {
        let mut batch = Batch::new();
        batch.put(NODE, FENCE, fence.encode());
        Ok(self.0.write(batch)?)
    }

    /// The header at a height.
    ///
    /// # Errors
    /// [`ChainError::Pruned`] below [`Self::lowest`], as of the block's other parts.
    pub fn header(&self, height: Height) -> Result<Option<Header>, ChainError> {
        match self.of_block(HEADERS, height, "header") {
            Err(ChainError::Pruned { .. }) => Ok(Some(self.handover(height)?.header)),
            found => found,
        }
    }

    /// The header's hash at a height.
    pub fn header_hash(&self, height: Height) -> Result<Option<Hash>, ChainError> {
        self.read(HASHES, &height_key(height), "header hash")
    }

    /// Hashes of the headers 0 to `until`, exclusive: the leaves of the history.
    pub fn header_hashes(&self, until: Height) -> Result<Vec<Hash>, ChainError> {
        let mut hashes: Vec<Hash> = Vec::new();
        while (hashes.len() as u64) < until.0 {
            let after = (hashes.len() as u64).checked_sub(1).map(u64::to_be_bytes);
            let left = (until.0 - hashes.len() as u64).min(4_096) as usize;
            let page = self.0.scan(HASHES, &[], after.as_ref().map(|key| &key[..]), left)?;
            if page.is_empty() {
                return Err(corrupt("header hash", &height_key(Height(hashes.len() as u64))));
            }
            for (key, value) in page {
                hashes.push(decode("header hash", &key, &value)?);
            }
        }
        Ok(hashes)
    }

    /// The certificate at a height; genesis has none.
    pub fn certificate(&self, height: Height) -> Result<Option<CommitCertificate>, ChainError> {
        match self.of_block(CERTIFICATES, height, "certificate") {
            Err(ChainError::Pruned { .. }) => Ok(self.handover(height)?.certificate),
            found => found,
        }
    }

    /// The header at a height with what makes it final; genesis has no certificate.
    pub fn certified_header(&self, height: Height) -> Result<Option<CertifiedHeader>, ChainError> {
        let Some(header) = self.header(height)? else { return Ok(None) };
        let (certificate, validators) = (self.certificate(height)?, self.validators(&header.validators_hash)?);
        let both = certificate.zip(validators);
        Ok(both.map(|(certificate, validators)| CertifiedHeader { header, certificate, validators }))
    }

    /// SCALE of each transaction of a block.
    pub fn bodies(&self, height: Height) -> Result<Option<Vec<Vec<u8>>>, ChainError> {
        self.of_block(BODIES, height, "body")
    }

    /// The transactions of a block.
    pub fn transactions(&self, height: Height) -> Result<Option<Vec<Transaction>>, ChainError> {
        let Some(bodies) = self.bodies(height)? else { return Ok(None) };
        let decode = |bytes: &Vec<u8>| {
            Transaction::decode_checked(bytes).map_err(|_| corrupt("transaction", &height_key(height)))
        };
        bodies.iter().map(decode).collect::<Result<_, _>>().map(Some)
    }

    /// The receipts of a block: agenda entries, the chain's own, then one for each transaction in order.
    pub fn receipts(&self, height: Height) -> Result<Option<Vec<ExecutedReceipt>>, ChainError> {
        self.of_block(RECEIPTS, height, "receipts")
    }

    /// Up to `count` blocks from `from` on, as a peer gets them: one at least if it is there, no more than `max_bytes` else.
    pub fn certified_from(
        &self,
        from: Height,
        count: u32,
        max_bytes: usize,
    ) -> Result<Vec<CertifiedBlock>, ChainError> {
        let mut blocks = Vec::new();
        let (mut height, mut bytes) = (from, 0);
        while blocks.len() < count as usize {
            let Some(block) = self.certified(height)? else { break };
            bytes += block.encoded_size();
            if bytes > max_bytes && !blocks.is_empty() {
                break;
            }
            blocks.push(block);
            height = height.next();
        }
        Ok(blocks)
    }

    /// Where a transaction is, if a block has it.
    pub fn place(&self, id: &TransactionId) -> Result<Option<Place>, ChainError> {
        self.read(TRANSACTIONS, &id.0, "place of a transaction")
    }

    /// The validator set with this hash.
    pub fn validators(&self, hash: &Hash) -> Result<Option<ValidatorSet>, ChainError> {
        self.read(VALIDATORS, &hash.0, "validator set")
    }

    /// Up to `limit` heights from `from` on whose header hands over to another validator set; genesis is one.
    pub fn handovers(&self, from: Height, limit: usize) -> Result<Vec<Height>, ChainError> {
        let after = from.0.checked_sub(1).map(u64::to_be_bytes);
        let pairs = self.0.scan(HANDOVERS, &[], after.as_ref().map(|key| &key[..]), limit)?;
        let height = |(key, _): (Vec<u8>, Vec<u8>)| {
            let bytes: [u8; 8] = key.as_slice().try_into().map_err(|_| corrupt("handover", &key))?;
            Ok(Height(u64::from_be_bytes(bytes)))
        };
        pairs.into_iter().map(height).collect()
    }

    /// A decided block as it is sent to others.
    pub fn certified(&self, height: Height) -> Result<Option<CertifiedBlock>, ChainError> {
        let (header, transactions) = (self.header(height)?, self.bodies(height)?);
        let certificate = self.certificate(height)?;
        Ok(header.zip(transactions).zip(certificate).map(|((header, transactions), certificate)| CertifiedBlock {
            header,
            transactions,
            certificate,
        }))
    }

    /// Keeps proofs of misbehaviour.
    pub fn keep_evidence(&self, evidence: &[Evidence]) -> Result<(), ChainError> {
        let mut batch = Batch::new();
        for proof in evidence {
            let bytes = proof.encode();
            batch.put(EVIDENCE, hash(Domain::Record, &bytes).0, bytes);
        }
        Ok(self.0.write(batch)?)
    }

    /// Up to `limit` proofs of misbehaviour.
    pub fn evidence(&self, limit: usize) -> Result<Vec<Evidence>, ChainError> {
        let pairs = self.0.scan(EVIDENCE, &[], None, limit)?;
        pairs.iter().map(|(key, value)| decode("evidence", key, value)).collect()
    }

    /// A part of the block at a height. What is below the lowest height is gone, though the disk may have it yet.
    fn of_block<T: Decode>(&self, column: Column, height: Height, what: &'static str) -> Result<Option<T>, ChainError> {
        self.check_kept(height)?;
        let found = self.read(column, &height_key(height), what)?;
        if found.is_none() {
            // It may have gone between the two looks.
            self.check_kept(height)?;
        }
        Ok(found)
    }

    fn check_kept(&self, height: Height) -> Result<(), ChainError> {
        let lowest = self.lowest()?;
        if height < lowest { Err(ChainError::Pruned { height, lowest }) } else { Ok(()) }
    }

    /// What is kept of a pruned block that handed over to another validator set.
    fn handover(&self, height: Height) -> Result<Handover, ChainError> {
        let kept = self.0.get(HANDOVERS, &height_key(height))?.filter(|bytes| !bytes.is_empty());
        let kept = kept.map(|bytes| decode("handover", &height_key(height), &bytes)).transpose()?;
        kept.map_or_else(|| Err(ChainError::Pruned { height, lowest: self.lowest()? }), Ok)
    }

    /// Lets go of the blocks from the lowest on, as many as `is_due` names by their headers, `most` at most: their transactions
    /// are no longer found, and their parts no longer read. One synced batch; gives the new lowest height if it rose.
    pub fn let_go(&self, most: Bounds, mut is_due: impl FnMut(&Header) -> bool) -> Result<Option<Height>, ChainError> {
        let lowest = self.lowest()?;
        let (mut height, mut batch) = (lowest, Batch::new());
        while height.0 - lowest.0 < most.heights && batch.len() < most.writes {
            let Some(header) = self.header(height)?.filter(&mut is_due) else { break };
            for transaction in self.transactions(height)?.unwrap_or_default() {
                batch.delete(TRANSACTIONS, transaction.body.id().0);
            }
            if self.0.get(HANDOVERS, &height_key(height))?.is_some() {
                let certificate = self.certificate(height)?;
                batch.put(HANDOVERS, height_key(height), Handover { header, certificate }.encode());
            }
            height = height.next();
        }
        if height == lowest {
            return Ok(None);
        }
        batch.put(NODE, LOWEST, height.encode());
        self.0.write(batch)?;
        Ok(Some(height))
    }

    fn read<T: Decode>(&self, column: Column, key: &[u8], what: &'static str) -> Result<Option<T>, ChainError> {
        let bytes = self.0.get(column, key)?;
        bytes.map(|bytes| decode(what, key, &bytes)).transpose()
    }
}

fn decode<T: Decode>(what: &'static str, key: &[u8], bytes: &[u8]) -> Result<T, ChainError> {
    T::decode_all(&mut &bytes[..]).map_err(|_| corrupt(what, key))
}

fn corrupt(what: &'static str, key: &[u8]) -> ChainError {
    ChainError::Corrupt { what, key: hex::encode(key) }
}
