//! How a validator comes to its prevote, as a type that a replica is built with.
//!
//! A node's replica has [`KeepsLocks`], which leaves every vote to the core and holds nothing. The seeded simulator builds
//! replicas with a rule of its own, to see that its checks catch a chain whose validators do not keep their locks. Must never
//! become a setting: whoever wants another rule has to compile another type.

use portolan_primitives::{Hash, Round};

/// A voting rule. What it does not define it leaves to the core.
pub trait VotingRule {
    /// A block was proposed in a round, with its proposer's valid signature.
    fn proposed(&mut self, _round: Round, _block: Hash) {}

    /// A block was executed and found good.
    fn found_good(&mut self, _block: Hash) {}

    /// Another height begins.
    fn height_begun(&mut self) {}

    /// The prevote of a round, where the core says `core`; `None` is a vote for nothing.
    fn prevote(&self, _round: Round, core: Option<Hash>) -> Option<Hash> {
        core
    }
}

/// The rule of every node: a validator that precommitted to a block prevotes no other, unless a later polka frees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepsLocks;

impl VotingRule for KeepsLocks {}
