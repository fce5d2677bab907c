//! Catching up: which blocks to ask of whom, and those that wait for their turn. Pure bookkeeping; nothing in here is
//! believed before its certificate was verified against the set of its height.

use std::collections::BTreeMap;

use codec::Encode;
use portolan_primitives::Height;

use crate::input::{CertifiedBlock, PeerId};
use crate::limits::{MAX_BLOCKS_PER_RESPONSE, MAX_BUFFERED_BLOCK_BYTES, MAX_BUFFERED_BLOCKS, MAX_SYNC_REQUESTS};

/// A request in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// First height.
    pub from: Height,
    /// How many.
    pub count: u32,
    /// When it counts as failed, elapsed ms.
    pub deadline: u64,
}

#[derive(Debug)]
struct Buffered {
    peer: PeerId,
    block: CertifiedBlock,
    size: usize,
}

/// Requests and blocks.
#[derive(Debug, Default)]
pub struct Sync {
    requests: BTreeMap<PeerId, Request>,
    buffer: BTreeMap<Height, Buffered>,
    bytes: usize,
    /// Since when a peer has the next block and this node has not, elapsed ms.
    pub behind_since: Option<u64>,
}

impl Sync {
    /// Heights that should be asked for now, as (first, count), lowest first; `next` is the first that is not committed.
    pub fn gaps(&self, next: Height, best: Height) -> Vec<(Height, u32)> {
        let end = Height(best.0.min(next.0.saturating_add(MAX_BUFFERED_BLOCKS as u64 - 1)));
        let mut gaps: Vec<(Height, u32)> = Vec::new();
        for height in (next.0..=end.0).map(Height).filter(|height| !self.is_covered(*height)) {
            match gaps.last_mut() {
                Some((from, count)) if from.0 + u64::from(*count) == height.0 && *count < MAX_BLOCKS_PER_RESPONSE => {
                    *count += 1;
                }
                _ => gaps.push((height, 1)),
            }
        }
        gaps.truncate(MAX_SYNC_REQUESTS.saturating_sub(self.requests.len()));
        gaps
    }

    fn is_covered(&self, height: Height) -> bool {
        let asked = |request: &Request| (request.from.0..request.from.0 + u64::from(request.count)).contains(&height.0);
        self.buffer.contains_key(&height) || self.requests.values().any(asked)
    }

    /// Whether the peer is being asked already.
    pub fn is_asking(&self, peer: &PeerId) -> bool {
        self.requests.contains_key(peer)
    }

    /// Notes a request.
    pub fn asked(&mut self, peer: PeerId, request: Request) {
        self.requests.insert(peer, request);
    }

    /// Takes the peer's request if it is one from this height; the answer to an older one that came late changes nothing.
    pub fn answered(&mut self, peer: &PeerId, from: Height) -> bool {
        let fits = self.requests.get(peer).is_some_and(|request| request.from == from);
        if fits {
            self.requests.remove(peer);
        }
        fits
    }

    /// Forgets what the peer was asked: it is gone.
    pub fn forget(&mut self, peer: &PeerId) {
        self.requests.remove(peer);
    }

    /// Takes the requests that failed, with their peers.
    pub fn expired(&mut self, now_ms: u64) -> Vec<PeerId> {
        let late: Vec<_> =
            self.requests.iter().filter(|(_, request)| request.deadline <= now_ms).map(|(peer, _)| *peer).collect();
        late.iter().for_each(|peer| {
            self.requests.remove(peer);
        });
        late
    }

    /// The earliest deadline.
    pub fn next_deadline(&self) -> Option<u64> {
        self.requests.values().map(|request| request.deadline).min()
    }

    /// Keeps a block for its turn, if there is room.
    pub fn keep(&mut self, peer: PeerId, next: Height, block: CertifiedBlock) {
        let height = block.header.height;
        let size = block.encoded_size();
        let wanted = height >= next && height.0 < next.0.saturating_add(MAX_BUFFERED_BLOCKS as u64);
        // The very next block always has room: it is the one that makes room.
        let room = height == next || self.bytes + size <= MAX_BUFFERED_BLOCK_BYTES;
        if !wanted || !room || self.buffer.contains_key(&height) {
            return;
        }
        self.bytes += size;
        self.buffer.insert(height, Buffered { peer, block, size });
    }

    /// Takes the block of a height, with who sent it, and drops those below.
    pub fn take(&mut self, height: Height) -> Option<(PeerId, CertifiedBlock)> {
        self.drop_below(height);
        let kept = self.buffer.remove(&height)?;
        self.bytes -= kept.size;
        Some((kept.peer, kept.block))
    }

    /// Drops everything that a peer sent: it lied.
    pub fn drop_of(&mut self, peer: &PeerId) {
        self.buffer.retain(|_, kept| kept.peer != *peer);
        self.bytes = self.buffer.values().map(|kept| kept.size).sum();
        self.requests.remove(peer);
    }

    /// Drops blocks below a height.
    pub fn drop_below(&mut self, height: Height) {
        self.buffer = self.buffer.split_off(&height);
        self.bytes = self.buffer.values().map(|kept| kept.size).sum();
    }

    /// Requests in flight.
    pub fn requests(&self) -> usize {
        self.requests.len()
    }

    /// Bytes of blocks that wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Blocks that wait.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portolan_primitives::{CommitCertificate, Hash, Header, KeyId, MemberId, Round, Timestamp};

    const PEER: KeyId = KeyId([1; 32]);

    fn block(height: u64, bytes: usize) -> CertifiedBlock {
        let header = Header {
            version: 1,
            chain: Hash::ZERO,
            height: Height(height),
            round: Round(0),
            time: Timestamp(0),
            parent: Hash::ZERO,
            history_root: Hash::ZERO,
            proposer: MemberId([0; 16]),
            transactions_root: Hash::ZERO,
            receipts_root: Hash::ZERO,
            state_root: Hash::ZERO,
            validators_hash: Hash::ZERO,
            next_validators_hash: Hash::ZERO,
            gas_used: 0,
        };
        let certificate = CommitCertificate {
            chain: Hash::ZERO,
            height: Height(height),
            round: Round(0),
            header: header.hash(),
            signatures: vec![],
        };
        CertifiedBlock { header, transactions: vec![vec![0; bytes]], certificate }
    }

    #[test]
    fn heights_are_asked_for_once_and_in_bounded_pieces() {
        let mut sync = Sync::default();
        assert_eq!(sync.gaps(Height(5), Height(4)), []);
        assert_eq!(sync.gaps(Height(5), Height(7)), [(Height(5), 3)]);
        let pieces = sync.gaps(Height(1), Height(1_000));
        assert_eq!(pieces, [(Height(1), 16), (Height(17), 16), (Height(33), 16)]);
        sync.asked(PEER, Request { from: Height(1), count: 16, deadline: 10 });
        assert_eq!(sync.gaps(Height(1), Height(20)), [(Height(17), 4)]);
        sync.keep(PEER, Height(1), block(18, 1));
        assert_eq!(sync.gaps(Height(1), Height(20)), [(Height(17), 1), (Height(19), 2)]);
        assert_eq!(sync.expired(10), [PEER]);
        assert_eq!(sync.gaps(Height(16), Height(17)), [(Height(16), 2)]);
    }

    #[test]
    fn blocks_that_wait_are_bounded_and_the_next_always_has_room() {
        let mut sync = Sync::default();
        for height in 2..200 {
            sync.keep(PEER, Height(1), block(height, 1024 * 1024));
        }
        assert!(sync.bytes <= MAX_BUFFERED_BLOCK_BYTES);
        let waiting = sync.buffered();
        sync.keep(PEER, Height(1), block(1, 1024 * 1024));
        assert_eq!(sync.buffered(), waiting + 1);
        assert_eq!(sync.take(Height(1)).map(|(_, block)| block.header.height), Some(Height(1)));
        sync.drop_of(&PEER);
        assert_eq!((sync.buffered(), sync.bytes), (0, 0));
    }
}
