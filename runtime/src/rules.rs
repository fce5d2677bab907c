//! The chain parameters of one block, read once at its beginning: what governance changes in a block holds from the next one on.

use portolan_primitives::Round;
use portolan_vm::HostResult;

use crate::facts::parameter;
use crate::ledger::Ledger;
use crate::parameters as named;

/// Bounds of a block and its transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRules {
    /// Gas of a block in round 0: agenda and declared gas of transactions.
    pub gas: u64,
    /// Gas used in round 0 after which no further agenda entry begins.
    pub agenda_gas: u64,
    /// Most gas that an entry may ask for: how far a block's agenda may go beyond its share.
    pub entry_gas: u64,
    /// Bytes of all transactions.
    pub bytes: u64,
    /// Number of transactions.
    pub transactions: u64,
    /// Longest time without a block, ms.
    pub heartbeat_ms: u64,
    /// Most gas that a transaction declares.
    pub transaction_gas: u64,
    /// Longest life of a transaction, ms.
    pub window_ms: u64,
    /// Declared gas of one member.
    pub quota_gas: u64,
    /// Bytes of one member's transactions.
    pub quota_bytes: u64,
    /// Agenda entries of one member.
    pub quota_agenda: u64,
    /// Net bytes that one member stores.
    pub quota_stored: u64,
    /// Attempts at an agenda entry.
    pub agenda_attempts: u64,
}

impl BlockRules {
    /// As the state says.
    pub fn read(ledger: &mut Ledger) -> HostResult<Self> {
        Ok(Self {
            gas: parameter(ledger, &named::BLOCK_GAS)?,
            agenda_gas: parameter(ledger, &named::BLOCK_AGENDA_GAS)?,
            entry_gas: parameter(ledger, &named::AGENDA_ENTRY_GAS)?,
            bytes: parameter(ledger, &named::BLOCK_BYTES)?,
            transactions: parameter(ledger, &named::BLOCK_TRANSACTIONS)?,
            heartbeat_ms: parameter(ledger, &named::HEARTBEAT)?,
            transaction_gas: parameter(ledger, &named::TRANSACTION_GAS)?,
            window_ms: parameter(ledger, &named::WINDOW)?,
            quota_gas: parameter(ledger, &named::QUOTA_GAS)?,
            quota_bytes: parameter(ledger, &named::QUOTA_BYTES)?,
            quota_agenda: parameter(ledger, &named::QUOTA_AGENDA)?,
            quota_stored: parameter(ledger, &named::QUOTA_STORED)?,
            agenda_attempts: parameter(ledger, &named::AGENDA_ATTEMPTS)?,
        })
    }

    /// Gas of a block built in `round`: each failed round halves it, so that a block that is too slow can't stop the chain.
    pub fn gas_in(&self, round: Round) -> u64 {
        self.gas >> round.0.min(20)
    }

    /// Gas after which no further entry begins in a block built in `round`; one due entry always runs.
    pub fn agenda_gas_in(&self, round: Round) -> u64 {
        (self.agenda_gas >> round.0.min(20)).min(self.gas_in(round))
    }

    /// Declared gas of the transactions of a block built in `round` whose agenda used `agenda`. What is reserved for
    /// transactions stays theirs, even if one large entry took more than the agenda's share.
    pub fn transaction_gas_in(&self, round: Round, agenda: u64) -> u64 {
        let reserved = self.gas_in(round) - self.agenda_gas_in(round);
        self.gas_in(round).saturating_sub(agenda).max(reserved)
    }
}
