//! A validator that does not keep its locks: the negative control of the locking rule, as the replica's voting rule of another
//! build. A node's own build has `KeepsLocks` and nothing of this.

use std::collections::{BTreeMap, BTreeSet};

use portolan_primitives::{Hash, Round};
use portolan_replica::{
    Config, HaltReason, Holding, Input, KeepsLocks, Moment, Output, Recovered, Replica, Status, VotingRule,
};

/// Prevotes whatever good block is proposed, where the core, being locked on another, would vote for nothing.
#[derive(Debug, Default)]
pub struct IgnoresLocks {
    proposed: BTreeMap<Round, Hash>,
    good: BTreeSet<Hash>,
}

impl VotingRule for IgnoresLocks {
    fn proposed(&mut self, round: Round, block: Hash) {
        self.proposed.entry(round).or_insert(block);
    }

    fn found_good(&mut self, block: Hash) {
        self.good.insert(block);
    }

    fn height_begun(&mut self) {
        *self = Self::default();
    }

    fn prevote(&self, round: Round, core: Option<Hash>) -> Option<Hash> {
        core.or_else(|| self.proposed.get(&round).copied().filter(|block| self.good.contains(block)))
    }
}

/// A replica of either build.
pub enum AnyReplica {
    /// A node's own.
    Sound(Box<Replica<KeepsLocks>>),
    /// The control's.
    Unlocked(Box<Replica<IgnoresLocks>>),
}

impl AnyReplica {
    /// Starts one.
    ///
    /// # Errors
    /// The replica's.
    pub fn start(
        unlocked: bool,
        config: Config,
        recovered: Recovered,
        now: Moment,
    ) -> Result<(Self, Vec<Output>), HaltReason> {
        if unlocked {
            let (replica, outputs) = Replica::with_rule(config, recovered, now, IgnoresLocks::default())?;
            return Ok((Self::Unlocked(Box::new(replica)), outputs));
        }
        let (replica, outputs) = Replica::new(config, recovered, now)?;
        Ok((Self::Sound(Box::new(replica)), outputs))
    }

    /// One step.
    pub fn step(&mut self, input: Input, now: Moment) -> Vec<Output> {
        match self {
            Self::Sound(replica) => replica.step(input, now),
            Self::Unlocked(replica) => replica.step(input, now),
        }
    }

    /// When the next tick is due.
    pub fn next_wake(&self) -> Option<u64> {
        match self {
            Self::Sound(replica) => replica.next_wake(),
            Self::Unlocked(replica) => replica.next_wake(),
        }
    }

    /// At a glance.
    pub fn status(&self) -> Status {
        match self {
            Self::Sound(replica) => replica.status(),
            Self::Unlocked(replica) => replica.status(),
        }
    }

    /// What it holds, with its bounds.
    pub fn holdings(&self) -> Vec<Holding> {
        match self {
            Self::Sound(replica) => replica.holdings(),
            Self::Unlocked(replica) => replica.holdings(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_block_is_voted_for_whatever_the_core_says_until_the_height_ends() {
        let (mut rule, block) = (IgnoresLocks::default(), Hash([1; 32]));
        rule.proposed(Round(1), block);
        assert_eq!(rule.prevote(Round(1), None), None, "it was not found good yet");
        rule.found_good(block);
        assert_eq!((rule.prevote(Round(1), None), rule.prevote(Round(0), None)), (Some(block), None));
        assert_eq!(rule.prevote(Round(1), Some(Hash([2; 32]))), Some(Hash([2; 32])));
        rule.height_begun();
        assert_eq!(rule.prevote(Round(1), None), None);
        assert_eq!(KeepsLocks.prevote(Round(1), None), None);
    }
}
