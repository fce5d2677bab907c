//! What the replica knows of each peer, and keeps for it, within bounds.

use std::collections::{BTreeMap, VecDeque};

use portolan_primitives::Height;

use crate::input::PeerId;
use crate::limits::{MAX_EARLY_BYTES, MAX_EARLY_MESSAGES, MAX_PEERS};
use crate::messages::Message;
use crate::status::SeenPeer;

#[derive(Debug)]
struct Early {
    height: Height,
    message: Message,
    size: usize,
}

/// One peer.
#[derive(Debug, Default)]
pub struct Peer {
    /// Whether its node is a validator's.
    pub validator: bool,
    /// The height that it says it has, or that its messages show; `None`: nothing has come of it.
    pub height: Option<Height>,
    /// The lowest height whose block it keeps, as far as it said so.
    pub keeps_from: Height,
    /// When it was last told the own height, elapsed ms.
    pub told_at: Option<u64>,
    /// Until when it is not asked for blocks, elapsed ms.
    pub avoid_until: u64,
    early: VecDeque<Early>,
    early_bytes: usize,
}

impl Peer {
    /// The peer at a glance.
    pub fn seen(&self, peer: PeerId) -> SeenPeer {
        SeenPeer { peer, validator: self.validator, height: self.height }
    }

    /// Keeps a message for a height that has not begun; the oldest give way.
    pub fn keep_early(&mut self, height: Height, message: Message, size: usize) {
        self.early.push_back(Early { height, message, size });
        self.early_bytes += size;
        while self.early.len() > MAX_EARLY_MESSAGES || self.early_bytes > MAX_EARLY_BYTES {
            match self.early.pop_front() {
                Some(dropped) => self.early_bytes -= dropped.size,
                None => break,
            }
        }
    }

    /// Takes the messages of `height` in the order in which they came, and forgets those of earlier ones.
    fn take_early(&mut self, height: Height) -> Vec<(Message, usize)> {
        let (due, later): (VecDeque<_>, VecDeque<_>) = self.early.drain(..).partition(|kept| kept.height <= height);
        self.early_bytes = later.iter().map(|kept| kept.size).sum();
        self.early = later;
        due.into_iter().filter(|kept| kept.height == height).map(|kept| (kept.message, kept.size)).collect()
    }
}

/// The connected peers.
#[derive(Debug, Default)]
pub struct Peers {
    peers: BTreeMap<PeerId, Peer>,
}

impl Peers {
    /// A connection is up, or a peer became (or is no longer) a validator's node; `false` when there are too many.
    pub fn up(&mut self, id: PeerId, validator: bool) -> bool {
        if self.peers.len() >= MAX_PEERS && !self.peers.contains_key(&id) {
            return false;
        }
        self.peers.entry(id).or_default().validator = validator;
        true
    }

    /// A connection is down: everything kept for the peer goes.
    pub fn down(&mut self, id: &PeerId) {
        self.peers.remove(id);
    }

    /// One peer.
    pub fn get_mut(&mut self, id: &PeerId) -> Option<&mut Peer> {
        self.peers.get_mut(id)
    }

    /// Whether the peer is connected.
    pub fn contains(&self, id: &PeerId) -> bool {
        self.peers.contains_key(id)
    }

    /// Whether the peer is connected and a validator's node.
    pub fn is_validator(&self, id: &PeerId) -> bool {
        self.peers.get(id).is_some_and(|peer| peer.validator)
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&PeerId, &Peer)> {
        self.peers.iter()
    }

    /// Validators' nodes, in order.
    pub fn validators(&self) -> Vec<PeerId> {
        self.peers.iter().filter(|(_, peer)| peer.validator).map(|(id, _)| *id).collect()
    }

    /// The early messages of a height with their sizes, peer by peer.
    pub fn take_early(&mut self, height: Height) -> Vec<(PeerId, Message, usize)> {
        let each = self.peers.iter_mut();
        each.flat_map(|(id, peer)| peer.take_early(height).into_iter().map(|(message, size)| (*id, message, size)))
            .collect()
    }

    /// The lowest height that a peer keeps, if some have the block of `next` behind them and none keeps it.
    pub fn out_of_reach(&self, next: Height) -> Option<Height> {
        let ahead = || self.peers.values().filter(|peer| peer.height >= Some(next));
        let lowest = ahead().map(|peer| peer.keeps_from).min()?;
        (lowest > next).then_some(lowest)
    }

    /// The most early messages, and the most bytes of them, that are kept for one peer.
    pub fn most_early(&self) -> (usize, usize) {
        let count = self.peers.values().map(|peer| peer.early.len()).max();
        let bytes = self.peers.values().map(|peer| peer.early_bytes).max();
        (count.unwrap_or_default(), bytes.unwrap_or_default())
    }

    /// The highest height that any peer says it has.
    pub fn best_height(&self) -> Height {
        self.peers.values().filter_map(|peer| peer.height).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portolan_primitives::{Hash, KeyId};

    fn message(height: u64) -> Message {
        Message::ListRequest { height: Height(height), block: Hash::ZERO }
    }

    #[test]
    fn early_messages_are_bounded_in_number_and_bytes() {
        let mut peer = Peer::default();
        for height in 0..1_000 {
            peer.keep_early(Height(height), message(height), 10);
        }
        assert_eq!(peer.early.len(), MAX_EARLY_MESSAGES);
        peer.keep_early(Height(5_000), message(5_000), MAX_EARLY_BYTES);
        assert_eq!((peer.early.len(), peer.early_bytes), (1, MAX_EARLY_BYTES));
        peer.keep_early(Height(5_001), message(5_001), MAX_EARLY_BYTES + 1);
        assert_eq!((peer.early.len(), peer.early_bytes), (0, 0));
    }

    #[test]
    fn early_messages_come_back_for_their_height_only() {
        let mut peers = Peers::default();
        let id = KeyId([1; 32]);
        assert!(peers.up(id, true));
        for height in [4, 5, 6, 5] {
            if let Some(peer) = peers.get_mut(&id) {
                peer.keep_early(Height(height), message(height), 10);
            }
        }
        assert_eq!(peers.take_early(Height(5)), vec![(id, message(5), 10), (id, message(5), 10)]);
        assert_eq!(peers.take_early(Height(6)), vec![(id, message(6), 10)]);
    }

    #[test]
    fn no_more_peers_than_the_limit_are_kept() {
        let mut peers = Peers::default();
        for number in 0..=MAX_PEERS as u32 {
            let mut id = [0; 32];
            id[..4].copy_from_slice(&number.to_le_bytes());
            assert_eq!(peers.up(KeyId(id), false), number < MAX_PEERS as u32);
        }
    }
}
