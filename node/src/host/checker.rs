//! The thread that checks transactions, of clients and of peers: everything that waits is checked as one batch, and its
//! signatures verified at once.
//!
//! Must never let through what the chain would not take now, and never blame a peer for what may be this node's own lag.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use portolan_primitives::{Timestamp, Transaction, TransactionId};
use portolan_replica::{Checked, Input, PeerId, PooledTransaction};
use portolan_runtime::{ApplyError, Ledger, Refusal, Runtime, SignatureItem};
use portolan_state::KeyValue;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::verified::{Verified, verify_all};
use super::{Tip, ToReplica, wall_clock};
use crate::store::{Chain, Store};
use crate::telemetry::{Stage, stage};

/// Transactions that are checked as one batch; beyond it the gain is small and the first would wait for the last.
const BATCH: usize = 1_024;
/// A batch that waits for others waits for no more than these: a signature then costs little more than in any larger one.
const ENOUGH: usize = 64;
/// How long the first of a batch waits for others, where the last batch was not small: a signature of four costs twice what
/// one of thirty does.
const GATHER: Duration = Duration::from_millis(10);
/// The largest batch that counts as small: with so few nobody is made to wait.
const QUIET: usize = 2;

/// Why a client's transaction is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The chain would refuse it.
    #[error("{0}")]
    Refused(Refusal),
    /// The mempool has no place for it.
    #[error("{0}")]
    Mempool(portolan_replica::Refusal),
    /// Too many wait for their check.
    #[error("the node checks as many transactions as it can; send again in a moment")]
    Busy,
    /// The node is stopping.
    #[error("the node is stopping; send to another one")]
    Stopping,
    /// The node itself failed.
    #[error("the node can't check transactions: {0}")]
    Host(String),
}

impl SubmitError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        use portolan_replica::Refusal as Pool;
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Mempool(Pool::AlreadyPending) => "already_pending",
            Self::Mempool(Pool::TooManyVariants) => "too_many_variants",
            Self::Mempool(Pool::Expired) => "expired",
            Self::Mempool(Pool::MemberQuota) => "quota_exceeded",
            Self::Mempool(Pool::Full) => "mempool_full",
            Self::Mempool(Pool::TooLarge) => "too_large",
            Self::Busy => "busy",
            Self::Stopping => "stopping",
            Self::Host(_) => "host_failed",
        }
    }
}

/// Where a client's answer goes.
pub type Answer = oneshot::Sender<Result<TransactionId, SubmitError>>;

/// What the checking thread is asked.
pub enum ToChecker {
    /// A client's transaction.
    Submitted {
        /// SCALE of the transaction.
        bytes: Vec<u8>,
        /// Where the answer goes.
        answer: Answer,
        /// Its place in the queue, free again when it was checked.
        room: OwnedSemaphorePermit,
    },
    /// Transactions of a peer.
    Received {
        /// The replica's number.
        batch: u64,
        /// Who sent them.
        from: PeerId,
        /// SCALE of each.
        transactions: Vec<Vec<u8>>,
    },
    /// Nothing more; what was asked before is still answered.
    Stop,
}

impl ToChecker {
    fn is_stop(&self) -> bool {
        matches!(self, Self::Stop)
    }

    fn transactions(&self) -> &[Vec<u8>] {
        match self {
            Self::Submitted { bytes, .. } => std::slice::from_ref(bytes),
            Self::Received { transactions, .. } => transactions,
            Self::Stop => &[],
        }
    }
}

/// Judges transactions on a state.
pub struct Judge<S> {
    /// Executes checks.
    pub runtime: Arc<Runtime>,
    /// Which transactions ran already.
    pub chain: Chain<S>,
    /// Verified wires.
    pub verified: Arc<Verified>,
}

/// What checking needs.
pub struct Checker {
    /// Judges.
    pub judge: Judge<Store>,
    /// The state to check on.
    pub tip: Arc<ArcSwap<Tip>>,
    /// Where answers for peers go.
    pub replica: Sender<ToReplica>,
}

/// Passed everything but its signatures.
struct Candidate {
    pooled: PooledTransaction,
    signatures: Vec<SignatureItem>,
}

/// Why one is not good.
#[derive(Debug)]
pub enum Unfit {
    /// The chain would not take it.
    Refused(Refusal),
    /// This machine can't tell.
    Host(String),
}

impl<S: KeyValue> Judge<S> {
    /// Each transaction as the mempool takes it, or why not; the signatures of all are verified at once.
    pub fn judge<'a>(
        &self,
        tip: &Tip,
        now: Timestamp,
        transactions: impl Iterator<Item = &'a [u8]>,
    ) -> Vec<Result<PooledTransaction, Unfit>> {
        let decode = |bytes: &'a [u8]| {
            let read = Transaction::decode_checked(bytes);
            (bytes, read.map_err(|error| Unfit::Refused(Refusal::Malformed(error))))
        };
        let decoded: Vec<_> = stage(Stage::Decode, || transactions.map(decode).collect());
        let mut ledger = Ledger::new(tip.view.clone());
        let admit = |(bytes, read): (&[u8], Result<Transaction, Unfit>)| {
            read.and_then(|transaction| self.admit(tip, now, &mut ledger, bytes, &transaction))
        };
        let candidates = stage(Stage::Admit, || decoded.into_iter().map(admit).collect());
        stage(Stage::Verify, || self.verify(candidates))
    }

    fn admit(
        &self,
        tip: &Tip,
        now: Timestamp,
        ledger: &mut Ledger,
        bytes: &[u8],
        transaction: &Transaction,
    ) -> Result<Candidate, Unfit> {
        let admission = self.runtime.check_in(ledger, &tip.rules, &tip.head, now, transaction);
        let admission = admission.map_err(|error| match error {
            ApplyError::Refused(refusal) => Unfit::Refused(refusal),
            ApplyError::Halt(fault) => Unfit::Host(fault.to_string()),
        })?;
        match self.chain.place(&admission.id) {
            Ok(None) => {}
            Ok(Some(_)) => return Err(Unfit::Refused(Refusal::Replayed(admission.id))),
            Err(error) => return Err(Unfit::Host(error.to_string())),
        }
        let pooled = PooledTransaction {
            id: admission.id,
            wire_hash: admission.wire_hash,
            bytes: bytes.into(),
            gas: admission.gas,
            member: admission.sender.member,
            expires_at: transaction.body.expires_at,
        };
        Ok(Candidate { pooled, signatures: admission.signatures })
    }

    /// Verifies what is not remembered, all at once.
    fn verify(&self, candidates: Vec<Result<Candidate, Unfit>>) -> Vec<Result<PooledTransaction, Unfit>> {
        let unknown = |candidate: &Candidate| !self.verified.contains(&candidate.pooled.wire_hash);
        let to_verify: Vec<Vec<SignatureItem>> = candidates
            .iter()
            .flatten()
            .filter(|candidate| unknown(candidate))
            .map(|candidate| candidate.signatures.clone())
            .collect();
        let answers = match verify_all(&to_verify) {
            Ok(answers) => answers,
            Err(error) => {
                let failed = |candidate: Result<Candidate, Unfit>| candidate.and(Err(Unfit::Host(error.to_string())));
                return candidates.into_iter().map(failed).collect();
            }
        };
        let mut answers = answers.into_iter();
        let mut good = Vec::new();
        let judge = |candidate: Result<Candidate, Unfit>| {
            let candidate = candidate?;
            // An answer was asked for exactly the unknown ones, in this order.
            if unknown(&candidate) && !answers.next().unwrap_or(false) {
                return Err(Unfit::Refused(Refusal::BadSignature));
            }
            good.push(candidate.pooled.wire_hash);
            Ok(candidate.pooled)
        };
        let results = candidates.into_iter().map(judge).collect();
        self.verified.remember(good);
        results
    }
}

impl Checker {
    /// Runs until it is told to stop, or nobody can ask any more.
    pub fn run(self, jobs: &Receiver<ToChecker>) {
        let mut last = 0;
        while let Some(batch) = collect(jobs, (last > QUIET).then_some(GATHER)) {
            last = batch.iter().map(|job| job.transactions().len()).sum();
            let stopping = batch.iter().any(ToChecker::is_stop);
            let started = Instant::now();
            self.check(batch);
            metrics::histogram!("portolan_check_seconds").record(started.elapsed());
            metrics::counter!("portolan_checked_transactions").increment(last as u64);
            if stopping {
                return;
            }
        }
    }

    fn check(&self, batch: Vec<ToChecker>) {
        let all = batch.iter().flat_map(ToChecker::transactions).map(Vec::as_slice);
        let mut results = self.judge.judge(&self.tip.load_full(), wall_clock(), all).into_iter();
        for job in batch {
            match job {
                ToChecker::Submitted { answer, room, .. } => {
                    self.answer(results.next(), answer);
                    drop(room);
                }
                ToChecker::Received { batch, from, transactions } => {
                    let results = results.by_ref().take(transactions.len()).map(checked).collect();
                    tracing::trace!(batch, %from, count = transactions.len(), "checked a peer's transactions");
                    self.tell(ToReplica::Input(Input::TransactionsChecked { batch, results }));
                }
                ToChecker::Stop => {}
            }
        }
    }

    fn answer(&self, result: Option<Result<PooledTransaction, Unfit>>, answer: Answer) {
        // A client that no longer waits is no fault.
        match result {
            Some(Ok(pooled)) => self.submit(pooled, answer),
            Some(Err(Unfit::Refused(refusal))) => drop(answer.send(Err(SubmitError::Refused(refusal)))),
            Some(Err(Unfit::Host(reason))) => drop(answer.send(Err(SubmitError::Host(reason)))),
            None => drop(answer.send(Err(SubmitError::Stopping))),
        }
    }

    fn submit(&self, pooled: PooledTransaction, answer: Answer) {
        self.tell(ToReplica::Submit(pooled, answer));
    }

    fn tell(&self, message: ToReplica) {
        // The replica is gone only when the node stops.
        let _ = self.replica.send(message);
    }
}

/// What is to be checked next as one batch: all that waits, and what comes within `gather`, if given, up to [`ENOUGH`].
/// None when nobody can ask any more.
fn collect(jobs: &Receiver<ToChecker>, gather: Option<Duration>) -> Option<Vec<ToChecker>> {
    let mut batch = vec![jobs.recv().ok()?];
    let mut count = batch[0].transactions().len();
    let until = gather.map(|gather| Instant::now() + gather);
    while count < BATCH && !batch.last().is_some_and(ToChecker::is_stop) {
        let next = match (jobs.try_recv(), until) {
            (Err(_), Some(until)) if count < ENOUGH => {
                jobs.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
            }
            (waiting, _) => waiting.ok(),
        };
        let Some(next) = next else { break };
        count += next.transactions().len();
        batch.push(next);
    }
    Some(batch)
}

/// What the replica learns of a peer's transaction.
pub fn checked(result: Result<PooledTransaction, Unfit>) -> Checked {
    match result {
        Ok(pooled) => Checked::Good(pooled),
        Err(Unfit::Refused(refusal)) if is_fault(&refusal) => Checked::Bad { reason: refusal.to_string() },
        Err(_) => Checked::Unusable,
    }
}

/// Whether an honest node, whatever it has seen of the chain, would not have passed it on.
fn is_fault(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Malformed(_) | Refusal::OtherChain { .. } | Refusal::BadSignature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portolan_primitives::KeyId;
    use std::sync::mpsc::{channel, sync_channel};

    /// Longer than any test runs.
    const FOREVER: Duration = Duration::from_secs(1 << 30);

    fn received(count: usize) -> ToChecker {
        ToChecker::Received { batch: 0, from: KeyId([0; 32]), transactions: vec![vec![]; count] }
    }

    fn counts(batch: Option<Vec<ToChecker>>) -> Option<Vec<usize>> {
        Some(batch?.iter().map(|job| job.transactions().len()).collect())
    }

    #[test]
    fn what_waits_is_one_batch_and_nobody_waits_for_more_while_it_is_quiet() {
        let (sender, jobs) = channel();
        (1..=3).for_each(|count| sender.send(received(count)).unwrap());
        assert_eq!(counts(collect(&jobs, None)), Some(vec![1, 2, 3]));
        sender.send(received(BATCH)).unwrap();
        sender.send(received(1)).unwrap();
        assert_eq!(counts(collect(&jobs, None)), Some(vec![BATCH]));
        assert_eq!(counts(collect(&jobs, None)), Some(vec![1]));
        drop(sender);
        assert_eq!(counts(collect(&jobs, None)), None);
    }

    #[test]
    fn a_batch_that_gathers_takes_what_comes_later_until_it_is_enough() {
        // Each is handed over only when it is asked for.
        let (sender, jobs) = sync_channel(0);
        let gathered = std::thread::scope(|scope| {
            scope.spawn(|| [1, 2, ENOUGH].into_iter().try_for_each(|count| sender.send(received(count))));
            counts(collect(&jobs, Some(FOREVER)))
        });
        assert_eq!(gathered, Some(vec![1, 2, ENOUGH]));
    }

    #[test]
    fn gathering_ends_with_time_with_a_stop_and_with_the_last_sender() {
        let (sender, jobs) = channel();
        sender.send(received(1)).unwrap();
        assert_eq!(counts(collect(&jobs, Some(Duration::ZERO))), Some(vec![1]));
        [received(1), ToChecker::Stop, received(3)].into_iter().for_each(|job| sender.send(job).unwrap());
        assert_eq!(counts(collect(&jobs, Some(FOREVER))), Some(vec![1, 0]));
        drop(sender);
        assert_eq!(counts(collect(&jobs, Some(FOREVER))), Some(vec![3]));
    }
}
