//! That something happened: a receipt in a block, an event in a receipt.

use codec::{Decode, Encode};
use portolan_primitives::bounded::{DecodeError, decode_whole};
use portolan_primitives::hash::{Domain, Hash, hash_parts};
use portolan_primitives::list::ListProof;
use portolan_primitives::receipt::{Event, Receipt};
use portolan_primitives::transaction::leaf_salt;

use crate::error::ProofError;
use crate::header::VerifiedHeader;
use crate::limits::MAX_BUNDLE_BYTES;

/// That a receipt is in a block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ReceiptProof {
    /// The receipt.
    pub receipt: Receipt,
    /// Its place under the header's `receipts_root`.
    pub path: ListProof,
}

impl ReceiptProof {
    /// The proof for the receipt at `index` of a block's receipts, if there is one.
    pub fn build(receipts: &[Receipt], index: usize) -> Option<Self> {
        let leaves: Vec<Hash> = receipts.iter().map(Receipt::leaf).collect();
        Some(Self { receipt: receipts.get(index)?.clone(), path: ListProof::build(&leaves, index)? })
    }

    /// Decodes whole, within [`MAX_BUNDLE_BYTES`].
    pub fn decode_checked(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_whole("ReceiptProof", bytes, MAX_BUNDLE_BYTES)
    }

    /// Checks that the receipt is in the block of `header`.
    pub fn verify(&self, header: &VerifiedHeader) -> Result<(), ProofError> {
        let header = header.header();
        if self.path.verify(&self.receipt.leaf(), &header.receipts_root) {
            return Ok(());
        }
        Err(ProofError::NotInBlock(header.height))
    }
}

/// That an event is in a receipt, without showing the others.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EventProof {
    /// The event.
    pub event: Event,
    /// Salt of this event alone.
    pub salt: Hash,
    /// Its place under the receipt's `events_root`.
    pub path: ListProof,
}

impl EventProof {
    /// The proof for the event at `index`; `salt` is that of the transaction's body, or of the agenda entry.
    pub fn build(salt: &[u8], events: &[Event], index: usize) -> Option<Self> {
        let leaves: Vec<Hash> =
            (0u32..).zip(events).map(|(index, event)| event_leaf(&leaf_salt(salt, index), event)).collect();
        let path = ListProof::build(&leaves, index)?;
        Some(Self { event: events.get(index)?.clone(), salt: leaf_salt(salt, index as u32), path })
    }

    /// Checks that the event is in `receipt`.
    pub fn verify(&self, receipt: &Receipt) -> Result<(), ProofError> {
        if self.path.verify(&event_leaf(&self.salt, &self.event), &receipt.events_root) {
            return Ok(());
        }
        Err(ProofError::NotInReceipt)
    }
}

fn event_leaf(salt: &Hash, event: &Event) -> Hash {
    hash_parts(Domain::EventLeaf, &[&salt.0, &event.encode()])
}
