//! What a replica holds, against what it may: everything that others' messages can make grow. Must never influence what it does.

use std::collections::BTreeMap;

use portolan_primitives::limits::MAX_BLOCK_BYTES;

use crate::input::PeerId;
use crate::limits::{
    MAX_BUFFERED_BLOCK_BYTES, MAX_BUFFERED_BLOCKS, MAX_CHECKS_PER_PEER, MAX_EARLY_BYTES, MAX_EARLY_MESSAGES,
    MAX_KNOWN_BLOCKS, MAX_PEERS, MAX_READS_PER_PEER, MAX_ROUNDS_AHEAD, MAX_SYNC_REQUESTS, MAX_VERIFIED,
};
use crate::rule::VotingRule;
use crate::status::Holding;

use super::Replica;

impl<V: VotingRule> Replica<V> {
    /// Everything that can grow, with its bound.
    pub fn holdings(&self) -> Vec<Holding> {
        let limits = self.mempool.limits();
        let rounds = self.driver.current_round().unwrap_or_default().0 as usize + MAX_ROUNDS_AHEAD as usize + 1;
        let (early, early_bytes) = self.peers.most_early();
        let held = |what, held, most| Holding { what, held, most };
        vec![
            held("peers", self.peers.iter().count(), MAX_PEERS),
            held("early messages of a peer", early, MAX_EARLY_MESSAGES),
            held("bytes of a peer's early messages", early_bytes, MAX_EARLY_BYTES),
            held("transactions that wait", self.mempool.len(), limits.transactions),
            held("bytes of transactions that wait", self.mempool.bytes(), limits.bytes),
            held("transactions to pass on", self.gossip.len(), limits.transactions),
            held("undecided blocks", self.candidates.iter().count(), MAX_KNOWN_BLOCKS),
            held("blocks asked for", self.wanted.len(), MAX_KNOWN_BLOCKS),
            held("rounds with a proposal", self.proposed.len(), rounds),
            held("own statements", self.driver.statements(), 3 * rounds),
            held("requests for blocks", self.sync.requests(), MAX_SYNC_REQUESTS),
            held("blocks that wait", self.sync.buffered(), MAX_BUFFERED_BLOCKS),
            held("bytes of blocks that wait", self.sync.bytes(), MAX_BUFFERED_BLOCK_BYTES + MAX_BLOCK_BYTES),
            held("checks of a peer", most_of_a_peer(self.checks.values().map(|(peer, _)| *peer)), MAX_CHECKS_PER_PEER),
            held("reads of a peer", most_of_a_peer(self.reads.values().map(|(peer, _)| *peer)), MAX_READS_PER_PEER),
            held("signatures remembered", self.driver.remembered(), MAX_VERIFIED),
        ]
    }
}

fn most_of_a_peer(peers: impl Iterator<Item = PeerId>) -> usize {
    let mut counts: BTreeMap<PeerId, usize> = BTreeMap::new();
    peers.for_each(|peer| *counts.entry(peer).or_default() += 1);
    counts.into_values().max().unwrap_or_default()
}
