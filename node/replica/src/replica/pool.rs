//! Transactions on their way to a block: from clients, from peers, to peers.

use portolan_primitives::Hash;

use crate::input::{Checked, PeerId, PooledTransaction};
use crate::limits::{MAX_CHECKS_PER_PEER, MAX_GOSSIP_TRANSACTIONS, MAX_TRANSACTIONS_MESSAGE};
use crate::messages::Message;
use crate::output::{HaltReason, Output, Recipients, Refusal};
use crate::rule::VotingRule;
use crate::timers::Timer;

use super::Replica;

/// Most that is passed on again at a time, or offered to a peer that comes up.
const MAX_PASSED_ON: usize = 2 * MAX_GOSSIP_TRANSACTIONS;

impl<V: VotingRule> Replica<V> {
    /// A client's transaction.
    pub(super) fn submitted(&mut self, request: u64, transaction: PooledTransaction) {
        let result = self.admit(transaction, true);
        self.out.push(Output::Admission { request, result });
    }

    fn admit(&mut self, transaction: PooledTransaction, local: bool) -> Result<(), Refusal> {
        let (hash, room, now) = (transaction.wire_hash, self.block_room(), self.now.elapsed_ms);
        self.mempool.insert(transaction, local, self.head.time, &room, now)?;
        if local {
            self.gossip.push(hash);
            let at = self.gossiped_ms.saturating_add(self.timing.gossip_ms);
            self.timers.set_no_later(Timer::Gossip, at.max(now));
            self.timers.set_no_later(Timer::Regossip, now + self.timing.regossip_ms);
        }
        Ok(())
    }

    /// A peer's transactions: the host checks them, so many batches of a peer at a time.
    pub(super) fn transactions_offered(&mut self, from: PeerId, transactions: Vec<Vec<u8>>) {
        // Counted by key: a peer that reconnects has no more at a time than one that stays.
        if self.checks.values().filter(|(checking, _)| *checking == from).count() >= MAX_CHECKS_PER_PEER {
            return;
        }
        let batch = self.new_request();
        self.checks.insert(batch, (from, transactions.len()));
        self.out.push(Output::CheckTransactions { batch, from, transactions });
    }

    /// The host's answer.
    pub(super) fn checked(&mut self, batch: u64, results: Vec<Checked>) -> Result<(), HaltReason> {
        let Some((from, count)) = self.checks.remove(&batch).filter(|(_, count)| *count == results.len()) else {
            let reason = "it answered a check of transactions that it was not asked for, or not for each".into();
            return Err(HaltReason::HostFailed { reason });
        };
        tracing::trace!(count, "transactions checked");
        // Validators' nodes send to each other directly; what a follower sends is passed on for it.
        let pass_on = !self.peers.is_validator(&from);
        let mut bad = false;
        for result in results {
            match result {
                // Why it is not taken matters to the client, who is another node's.
                Checked::Good(transaction) => drop(self.admit(transaction, pass_on)),
                Checked::Unusable => {}
                Checked::Bad { .. } => bad = true,
            }
        }
        if bad {
            self.fault(from, "it passed on a transaction that is malformed or wrongly signed");
        }
        self.resume_candidates()
    }

    /// Candidates may have waited for transactions that have just come.
    fn resume_candidates(&mut self) -> Result<(), HaltReason> {
        let waiting = |(id, one): (crate::candidates::CandidateId, &crate::candidates::Candidate)| {
            (!one.missing(1).is_empty()).then_some(id)
        };
        let ids: Vec<_> = self.candidates.iter().filter_map(waiting).collect();
        for id in ids {
            self.candidates.advance(id, &self.mempool, &mut self.out);
        }
        self.commit_decided()
    }

    /// Sends the transactions that came since the last batch.
    pub(super) fn pass_on(&mut self) {
        let hashes = std::mem::take(&mut self.gossip);
        self.gossiped_ms = self.now.elapsed_ms;
        self.send_transactions(&Recipients::Validators, &hashes);
    }

    /// Sends those again that no block has taken for long: a message or a peer was lost.
    pub(super) fn pass_on_again(&mut self) {
        if !self.mempool.has_local() {
            return;
        }
        let now = self.now.elapsed_ms;
        let before = now.saturating_sub(self.timing.regossip_ms);
        let hashes = self.mempool.to_pass_on(before, MAX_PASSED_ON);
        self.send_transactions(&Recipients::Validators, &hashes);
        self.timers.set(Timer::Regossip, now + self.timing.regossip_ms);
    }

    /// A validator's node that comes up is offered what waits here.
    pub(super) fn offer(&mut self, peer: PeerId) {
        let hashes = self.mempool.to_pass_on(self.now.elapsed_ms, MAX_PASSED_ON);
        self.send_transactions(&Recipients::Peer(peer), &hashes);
    }

    fn send_transactions(&mut self, to: &Recipients, hashes: &[Hash]) {
        let mut batch: Vec<Vec<u8>> = Vec::new();
        let mut size = 0;
        for hash in hashes {
            let Some(bytes) = self.mempool.get(hash).map(|transaction| transaction.bytes.to_vec()) else { continue };
            let full = batch.len() >= MAX_GOSSIP_TRANSACTIONS || size + bytes.len() + 8 > MAX_TRANSACTIONS_MESSAGE - 64;
            if full && !batch.is_empty() {
                self.send(to.clone(), &Message::Transactions(std::mem::take(&mut batch)), false);
                size = 0;
            }
            size += bytes.len() + 8;
            batch.push(bytes);
        }
        if !batch.is_empty() {
            self.send(to.clone(), &Message::Transactions(batch), false);
        }
    }
}
