//! Which transactions ran in the window: follows from the blocks alone, nothing of it is in the state.
//!
//! An id can run again only while its `expires_at` lies after the last block's time, so it is kept until then and no longer.

use std::collections::{BTreeSet, VecDeque};

use portolan_primitives::limits::MAX_WINDOW_MS;
use portolan_primitives::{Timestamp, TransactionId};

/// Ids of the last blocks that could run again. Rebuilt at start: push the blocks of which [`SeenWindow::covers`] is true, in
/// their order.
#[derive(Clone, Debug, Default)]
pub struct SeenWindow {
    ids: BTreeSet<TransactionId>,
    blocks: VecDeque<SeenBlock>,
}

#[derive(Clone, Debug)]
struct SeenBlock {
    /// Latest `expires_at` of its transactions.
    until: Timestamp,
    ids: Vec<TransactionId>,
}

impl SeenWindow {
    /// Whether the transactions of a block at `block_time` may matter after a head at `head_time`.
    pub fn covers(block_time: Timestamp, head_time: Timestamp) -> bool {
        block_time.0.saturating_add(MAX_WINDOW_MS) > head_time.0
    }

    /// Takes the next block in: its time, and id and `expires_at` of each of its transactions.
    pub fn push_block(&mut self, time: Timestamp, transactions: impl IntoIterator<Item = (TransactionId, Timestamp)>) {
        let mut block = SeenBlock { until: Timestamp(0), ids: vec![] };
        for (id, expires_at) in transactions {
            block.until = block.until.max(expires_at);
            block.ids.push(id);
            self.ids.insert(id);
        }
        if !block.ids.is_empty() {
            self.blocks.push_back(block);
        }
        self.forget(time);
    }

    /// Drops what can't run after a block at `time` any more.
    fn forget(&mut self, time: Timestamp) {
        while self.blocks.front().is_some_and(|block| block.until <= time) {
            for id in self.blocks.pop_front().into_iter().flat_map(|block| block.ids) {
                self.ids.remove(&id);
            }
        }
    }

    /// Whether the transaction ran in a block of the window.
    pub fn contains(&self, id: &TransactionId) -> bool {
        self.ids.contains(id)
    }

    /// Ids that are kept.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> TransactionId {
        TransactionId([number; 32])
    }

    #[test]
    fn an_id_is_known_until_it_could_not_run_any_more() {
        let mut seen = SeenWindow::default();
        seen.push_block(Timestamp(1_000), [(id(1), Timestamp(5_000)), (id(2), Timestamp(3_000))]);
        seen.push_block(Timestamp(4_999), []);
        assert!(seen.contains(&id(1)));
        seen.push_block(Timestamp(5_000), [(id(3), Timestamp(9_000))]);
        assert!(!seen.contains(&id(1)) && !seen.contains(&id(2)) && seen.contains(&id(3)));
        assert_eq!(seen.len(), 1);
    }

    #[test]
    fn a_rebuilt_window_knows_what_the_first_one_knew() {
        let blocks: Vec<(Timestamp, TransactionId, Timestamp)> = (0u8..100)
            .map(|number| {
                let time = Timestamp(u64::from(number) * 10_000);
                (time, id(number), Timestamp(time.0 + 1 + u64::from(number) % 7 * 49_000))
            })
            .collect();
        let mut all = SeenWindow::default();
        let mut late = SeenWindow::default();
        let head = blocks.last().unwrap().0;
        for (time, id, expires_at) in &blocks {
            all.push_block(*time, [(*id, *expires_at)]);
            if SeenWindow::covers(*time, head) {
                late.push_block(*time, [(*id, *expires_at)]);
            }
        }
        for (_, id, expires_at) in blocks.iter().filter(|block| block.2 > head) {
            assert!(all.contains(id) && late.contains(id), "{expires_at:?}");
        }
    }
}
