//! What a run came to.

use std::collections::BTreeMap;

use portolan_primitives::Height;

/// What a run must never show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Two blocks at one height.
    Fork(Height),
    /// A correct validator signed two things for one place.
    DoubleSign(String),
    /// A correct node stopped.
    Halted(usize, String),
    /// A node came back without a block that it had committed.
    LostFinal(usize, Height),
    /// Something that was accepted after the faults is not final in time.
    NoProgress(String),
    /// Evidence that does not hold, or against a correct validator.
    FalseAccusation(String),
    /// A correct peer was accused of breaking the protocol.
    FalseFault(&'static str),
    /// Sums of the business that do not come out, a due date that ran twice, an invoice financed twice.
    Unsound(String),
    /// A replica holds more than it may.
    Unbounded(String),
    /// The replicas keep each other busy without end.
    Runaway,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The first violation, if there was any.
    pub violation: Option<Violation>,
    /// Heights that were decided.
    pub heights: u64,
    /// Steps of all replicas.
    pub steps: u64,
    /// Messages delivered.
    pub messages: u64,
    /// Transactions in blocks.
    pub transactions: u64,
    /// Of them with success.
    pub succeeded: u64,
    /// Certificates that were issued, or tried.
    pub certificates: u64,
    /// Due dates that ran with success.
    pub due: u64,
    /// Changes of the validator set.
    pub changes: u64,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Points at which node 0 could have crashed.
    pub crash_points: u64,
    /// Proofs of misbehaviour that nodes gave.
    pub evidence: u64,
    /// Empty blocks.
    pub empty: u64,
    /// Longest time between two heights at the first node that commits, while transactions waited, µs.
    pub longest_gap_us: u64,
    /// The highest round in which a block was decided.
    pub highest_round: u32,
}
