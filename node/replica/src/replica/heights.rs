//! When a height starts, and how it ends. An idle chain is silent: there is no height without a reason for a block.

use portolan_primitives::{CommitCertificate, Hash, Header, Height, TransactionId};

use crate::candidates::CandidateId;
use crate::config::QUIET_BLOCK;
use crate::input::{NextBlock, Verdict};
use crate::output::{HaltReason, Output};
use crate::rule::VotingRule;
use crate::timers::Timer;

use super::Replica;

/// A block that is final, here or by a peer's certificate, and not committed yet.
#[derive(Clone, Debug)]
pub(super) struct Decided {
    pub block: Hash,
    pub certificate: CommitCertificate,
}

impl<V: VotingRule> Replica<V> {
    /// Begins the next height if there is a reason for a block, or sets the timer for the next look.
    pub(super) fn start_if_due(&mut self) -> Result<(), HaltReason> {
        let now = self.now.elapsed_ms;
        self.mempool.unpark(now);
        if !self.votes || self.running || self.decided.is_some() || self.halted.is_some() {
            return Ok(());
        }
        let (due, look_again) = self.reason_for_a_block();
        if due {
            return self.start_height();
        }
        match look_again {
            Some(at) => self.timers.set(Timer::Start, at.max(now + 1)),
            None => self.timers.cancel(Timer::Start),
        }
        Ok(())
    }

    /// Whether there is a reason now, else when to look again (elapsed ms).
    fn reason_for_a_block(&self) -> (bool, Option<u64>) {
        let now = self.now.elapsed_ms;
        if self.is_called_by_many() || self.called_by_block {
            return (true, None);
        }
        let waiting = self.mempool.has_ready().then_some(self.gather_until_ms);
        let parked = self.mempool.next_unpark();
        let planned = self.planned().map(|at| now.saturating_add(at.0.saturating_sub(self.now.clock.0)));
        let empty = self.next.parameters.empty_interval_ms;
        let called = (!self.callers.is_empty()).then(|| self.committed_ms.saturating_add(empty));
        let due = [waiting, planned, called].into_iter().flatten().any(|at| at <= now);
        (due, [waiting, parked, planned, called].into_iter().flatten().min())
    }

    /// One honest validator at least has begun the height.
    fn is_called_by_many(&self) -> bool {
        let set = &self.next.validators;
        let calling = set.validators().iter().filter(|validator| self.callers.contains(&validator.member));
        let power: u128 = calling.map(|validator| u128::from(validator.power)).sum();
        power * 3 > set.total_power()
    }

    fn start_height(&mut self) -> Result<(), HaltReason> {
        self.running = true;
        self.started_ms = self.now.elapsed_ms;
        self.timers.cancel(Timer::Start);
        let (height, validators) = (self.height(), self.next.validators.clone());
        let events = self.driver.start_height(height, &validators)?;
        self.apply(events)?;
        self.take_up_early(height)
    }

    /// Handles messages that came before their height.
    fn take_up_early(&mut self, height: Height) -> Result<(), HaltReason> {
        for (from, message, size) in self.peers.take_early(height) {
            self.consensus_message(from, message, size)?;
        }
        Ok(())
    }

    /// A certificate makes a block of the next height final.
    pub(super) fn decide(&mut self, certificate: CommitCertificate) -> Result<(), HaltReason> {
        let block = certificate.header;
        if let Some(decided) = &self.decided {
            let (height, ours) = (self.height(), decided.block);
            return if ours == block {
                self.commit_decided()
            } else {
                Err(HaltReason::Fork { height, ours, other: block })
            };
        }
        self.decided = Some(Decided { block, certificate });
        self.timers.cancel_rounds();
        self.drop_build();
        self.commit_decided()
    }

    /// Commits the decided block as soon as its execution has come to the same result.
    pub(super) fn commit_decided(&mut self) -> Result<(), HaltReason> {
        let Some(decided) = self.decided.clone().filter(|_| !self.committing) else { return Ok(()) };
        let Some(id) = self.candidates.by_block(&decided.block) else { return Ok(()) };
        let verdict = self.candidates.get(id).and_then(|candidate| candidate.verdict.clone());
        match verdict {
            Some(Verdict::Valid) => {
                self.order_commit(id, decided.certificate);
                Ok(())
            }
            Some(Verdict::Invalid { .. } | Verdict::RootsDiffer { .. }) => {
                let (height, block, reason) = (self.height(), decided.block, self.refusal(id));
                Err(HaltReason::DecidedBlockDiffers { height, block, reason })
            }
            None => {
                self.candidates.begin_execution(id, &mut self.out);
                self.candidates.advance(id, &self.mempool, &mut self.out);
                Ok(())
            }
        }
    }

    fn order_commit(&mut self, id: CandidateId, certificate: CommitCertificate) {
        let Some(execution) = self.candidates.execution(id) else { return };
        let Some(candidate) = self.candidates.get(id) else { return };
        let (Some(header), Some(transactions)) = (candidate.header.clone(), candidate.body()) else { return };
        self.committing = true;
        self.commit = Some(Output::Commit { execution, header: Box::new(header), transactions, certificate });
    }

    /// The decided block is on disk: the next height may begin.
    pub(super) fn committed(
        &mut self,
        header: Header,
        transactions: &[TransactionId],
        next: NextBlock,
    ) -> Result<(), HaltReason> {
        let hash = header.hash();
        if !self.committing || self.decided.as_ref().is_none_or(|decided| decided.block != hash) {
            let reason = format!("it committed block {hash}, which it was not asked to");
            return Err(HaltReason::HostFailed { reason });
        }
        self.mempool.committed(transactions, header.time);
        self.absent.remove(&header.proposer);
        let gathers = transactions.len() > QUIET_BLOCK && self.running;
        self.gather_until_ms = if gathers { self.started_ms.saturating_add(self.timing.gather_ms) } else { 0 };
        self.head = header;
        self.head_hash = hash;
        self.next = next;
        self.votes = self.may_vote();
        self.reset_height();
        self.out.push(Output::ResetLog);
        self.plan_report();
        self.sync.behind_since = None;
        self.catch_up()?;
        self.take_up_early(self.height())
    }

    fn reset_height(&mut self) {
        self.running = false;
        self.decided = None;
        self.committing = false;
        self.build = None;
        self.callers.clear();
        self.called_by_block = false;
        self.candidates.clear();
        self.wanted.clear();
        self.proposed.clear();
        self.unwritten.clear();
        self.timers.cancel_rounds();
        self.timers.cancel(Timer::Fetch);
        self.committed_ms = self.now.elapsed_ms;
    }
}
