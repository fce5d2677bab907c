//! Which old blocks go, and the thread that lets go of them beside the commits.
//!
//! A block goes when it is so many blocks behind the head and so many days older, and could hold no transaction that might run
//! again. What goes is its body, receipts, header, certificate and the places of its transactions; what stays for ever is the hash of
//! its header, and header and certificate where it handed over to another validator set. A kill between two steps leaves the
//! lowest height that was written last, and files below it that the next step drops. Must never take the only copy of anything that
//! the state, the window of seen transactions or a proof of a kept block needs.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use portolan_primitives::{Header, Height};
use portolan_runtime::SeenWindow;
use portolan_state::KeyValue;

use super::chain::Bounds;
use super::disk::LastLook;
use super::{Chain, ChainError, Store};
use crate::limits::{MIN_KEEP_BLOCKS, PRUNE_HEIGHTS, PRUNE_WRITES};

/// What is kept at least. A block goes when both let it go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Blocks, the last one included.
    pub blocks: u64,
    /// Milliseconds of the chain's time before the last block.
    pub ms: u64,
}

impl Keep {
    /// The least that a node may keep; the window of seen transactions is kept beside it.
    pub const LEAST: Self = Self { blocks: MIN_KEEP_BLOCKS, ms: 0 };

    /// Whether the block with this header goes once `head` is the last one.
    pub fn lets_go(&self, header: &Header, head: &Header) -> bool {
        header.height.0.saturating_add(self.blocks) <= head.height.0
            && header.time.0.saturating_add(self.ms) < head.time.0
            && !SeenWindow::covers(header.time, head.time)
    }
}

/// Lets go of the next blocks that are due, if they fill a step; gives the new lowest height.
///
/// # Errors
/// The store.
pub fn step<S: KeyValue>(chain: &Chain<S>, keep: Keep) -> Result<Option<Height>, ChainError> {
    let (Some(head), lowest) = (chain.head()?, chain.lowest()?) else { return Ok(None) };
    let due = |header: &Header| keep.lets_go(header, &head.header);
    let last = Height(lowest.0.saturating_add(PRUNE_HEIGHTS - 1));
    if last > head.header.height || !chain.header(last)?.is_some_and(|header| due(&header)) {
        return Ok(None);
    }
    chain.let_go(Bounds { heights: PRUNE_HEIGHTS, writes: PRUNE_WRITES }, due)
}

/// What the thread works with.
pub struct Pruner {
    /// The blocks.
    pub chain: Chain<Store>,
    /// Where they lie.
    pub store: Arc<Store>,
    /// What is kept at least.
    pub keep: Keep,
    /// The disk: where room is short, only the least is kept.
    pub disk: Arc<LastLook>,
}

impl Pruner {
    /// Runs until nobody wakes it any more. It takes half of the time at most, so that commits find the disk free.
    ///
    /// # Errors
    /// The store; nothing is half done.
    pub fn run(&self, wake: &Receiver<()>) -> Result<(), ChainError> {
        // What became due while the node did not run is looked for at once.
        let mut pause = Some(Duration::ZERO);
        loop {
            let woken = match pause {
                None => wake.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(pause) => wake.recv_timeout(pause),
            };
            if woken == Err(RecvTimeoutError::Disconnected) {
                return Ok(());
            }
            let started = Instant::now();
            let more = self.turn()?;
            pause = more.then(|| started.elapsed().max(Duration::from_millis(1)));
        }
    }

    /// Lets go of all that is due, at once: before a node starts for which there is little room.
    ///
    /// # Errors
    /// The store.
    pub fn catch_up(&self) -> Result<(), ChainError> {
        while self.turn()? {}
        Ok(())
    }

    /// One step, and the files that it makes free; whether there may be more to do.
    fn turn(&self) -> Result<bool, ChainError> {
        let keep = if self.disk.is_short() { Keep::LEAST } else { self.keep };
        let Some(lowest) = step(&self.chain, keep)? else { return Ok(false) };
        self.store.drop_blocks_below(lowest)?;
        metrics::gauge!("portolan_blocks_from").set(lowest.0 as f64);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portolan_primitives::limits::MAX_WINDOW_MS;
    use portolan_primitives::{Hash, MemberId, Round, Timestamp};

    fn header(height: u64, time: u64) -> Header {
        Header {
            version: 1,
            chain: Hash::ZERO,
            height: Height(height),
            round: Round(0),
            time: Timestamp(time),
            parent: Hash::ZERO,
            history_root: Hash::ZERO,
            proposer: MemberId([0; 16]),
            transactions_root: Hash::ZERO,
            receipts_root: Hash::ZERO,
            state_root: Hash::ZERO,
            validators_hash: Hash::ZERO,
            next_validators_hash: Hash::ZERO,
            gas_used: 0,
        }
    }

    #[test]
    fn a_block_goes_when_blocks_and_days_and_the_window_let_it_go() {
        let day = 86_400_000;
        let keep = Keep { blocks: 100, ms: 7 * day };
        let head = header(1_000, 1_000 * day);
        let goes = |height, time| keep.lets_go(&header(height, time), &head);
        assert!(goes(900, 993 * day - 1));
        assert!(!goes(901, 993 * day - 1), "the last hundred stay");
        assert!(!goes(900, 993 * day), "seven days stay");
        let short = Keep { blocks: 1, ms: 0 };
        let inside = head.time.0 - MAX_WINDOW_MS + 1;
        assert!(!short.lets_go(&header(900, inside), &head), "its transactions could run again");
        assert!(short.lets_go(&header(900, inside - 1), &head));
        assert!(!short.lets_go(&head, &head), "the last one stays");
    }
}
