//! Receipts and events: what came of each transaction and agenda entry.

use codec::{Decode, Encode};
use scale_info::TypeInfo;

use crate::hash::{Domain, Hash, hash_encoded, hash_parts};
use crate::id::{AgendaId, ContractId, TransactionId};
use crate::list::list_root;
use crate::transaction::leaf_salt;

/// Whose outcome a receipt holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Origin {
    /// A transaction.
    #[codec(index = 0)]
    Transaction(TransactionId),
    /// An attempt at an agenda entry, from 1.
    #[codec(index = 1)]
    Agenda(AgendaId, u32),
    /// The chain itself (the business date moves on, a validator set takes effect).
    #[codec(index = 2)]
    System,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum FailureReason {
    /// The callee refused, with its typed error in SCALE.
    #[codec(index = 0)]
    Reverted(Vec<u8>),
    /// The gas limit was reached.
    #[codec(index = 1)]
    OutOfGas,
    /// The code did what it must not (unreachable, bad pointer, stack too deep).
    #[codec(index = 2)]
    Trapped,
    /// There is no contract under that id.
    #[codec(index = 3)]
    UnknownContract,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Outcome {
    /// Everything ran; the output of each call, in SCALE of the call's return type.
    #[codec(index = 0)]
    Ok(Vec<Vec<u8>>),
    /// A call failed, and nothing of the transaction remains but this and the gas.
    #[codec(index = 1)]
    Failed {
        /// Which call, from 0.
        call: u16,
        /// The contract that failed.
        contract: ContractId,
        /// Why.
        reason: FailureReason,
    },
}

/// The record of one execution.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Receipt {
    /// Of what.
    pub origin: Origin,
    /// What came of it.
    pub outcome: Outcome,
    /// Gas used.
    pub gas: u64,
    /// List root of the salted events.
    pub events_root: Hash,
}

impl Receipt {
    /// The receipt's leaf in `receipts_root`.
    pub fn leaf(&self) -> Hash {
        hash_encoded(Domain::ReceiptLeaf, self)
    }

    /// Whether everything ran.
    pub fn succeeded(&self) -> bool {
        matches!(self.outcome, Outcome::Ok(_))
    }
}

/// What a contract or native module made known.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Event {
    /// Who.
    pub contract: ContractId,
    /// SCALE of the contract's event type.
    pub payload: Vec<u8>,
}

/// Root of `events`, each salted from the salt of the transaction's body (or of the agenda entry).
pub fn events_root(salt: &[u8], events: &[Event]) -> Hash {
    let leaf =
        |(index, event): (u32, &Event)| hash_parts(Domain::EventLeaf, &[&leaf_salt(salt, index).0, &event.encode()]);
    list_root(&(0u32..).zip(events).map(leaf).collect::<Vec<_>>())
}
