//! The host of one running node: the node's own replica, gate, log, executor and judge, moved by events instead of threads.
//!
//! Must never answer by itself what one of these should answer.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use arc_swap::ArcSwap;
use codec::Encode;
use portolan_node::host::checker::{Judge, checked};
use portolan_node::host::executor::{Executor, Parts, ToExecutor};
use portolan_node::host::gate::Gate;
use portolan_node::host::halt::Halt;
use portolan_node::host::logger::{self, ToLog};
use portolan_node::host::verified::Verified;
use portolan_node::host::{Roster, Tip, ToReplica};
use portolan_node::log_file::LogFile;
use portolan_node::recovery::{Recovery, open_log};
use portolan_node::store::{Chain, OpenError, check_identity};
use portolan_primitives::{Height, SigningKey, Timestamp, Transaction};
use portolan_replica::{Checked, Config, Input, Moment, Output, PooledTransaction, Recovered};

use crate::consortium::Consortium;
use crate::disk::Disk;
use crate::store::SimStore;
use crate::unlocked::AnyReplica;

/// A running node.
pub struct Host {
    /// The state machine.
    pub replica: AnyReplica,
    /// Its outputs on their way.
    pub gate: Gate,
    /// What waits for the log.
    pub log_jobs: VecDeque<ToLog>,
    /// What the log writes.
    pub writing: Option<Vec<ToLog>>,
    /// What waits to be executed.
    pub jobs: VecDeque<ToExecutor>,
    /// Whether the executor works.
    pub executing: bool,
    /// The last committed height, as the replica was told.
    pub height: Height,
    /// Who may be a peer.
    pub roster: Roster,
    /// The blocks.
    pub chain: Chain<SimStore>,
    /// The last block and the state after it.
    pub tip: Arc<ArcSwap<Tip>>,
    log: LogFile<Disk>,
    executor: Executor<SimStore>,
    told: Receiver<ToReplica>,
    judge: Judge<SimStore>,
}

/// Why a node does not start.
#[derive(Debug)]
pub enum NoStart {
    /// The log knows of blocks that the store does not have.
    StoreBehindLog,
    /// The store has another format; this one.
    OtherFormat(u32),
    /// Anything else.
    Other(String),
}

impl Host {
    /// Starts a node from its disk, without a lock if its build is the control's; also gives the replica's first outputs.
    ///
    /// # Errors
    /// What does not fit.
    pub fn start(
        consortium: &Consortium,
        identity: usize,
        key: Option<SigningKey>,
        store: Arc<SimStore>,
        disk: &Disk,
        unlocked: bool,
        now: Moment,
    ) -> Result<(Self, Vec<Output>), NoStart> {
        let other = |error: &dyn std::fmt::Display| NoStart::Other(error.to_string());
        check_identity(&*store, Path::new("store"), &consortium.chain).map_err(|error| match error {
            OpenError::OtherFormat { found, .. } => NoStart::OtherFormat(found),
            error => other(&error),
        })?;
        let Recovery { state, chain, head, seen } = consortium.recover(store);
        let height = head.header.height;
        let opened = LogFile::open_in(disk.clone(), consortium.chain, height).map_err(|error| other(&error))?;
        let (log, frames) = open_log(opened, height).map_err(|error| match error {
            portolan_node::node::StartError::StoreBehindLog { .. } => NoStart::StoreBehindLog,
            error => other(&error),
        })?;
        let (replica, told) = channel();
        let verified = Arc::new(Verified::default());
        let disk = disk.clone();
        let room = move || if disk.is_full() { Err(Halt::Disk("the disk is full".into())) } else { Ok(()) };
        let executor = Executor::new(Parts {
            runtime: consortium.runtime.clone(),
            state,
            room: Box::new(room),
            verified: verified.clone(),
            seen,
            head: head.clone(),
            replica,
            committed: tokio::sync::broadcast::channel(1).0,
        });
        let executor = executor.map_err(|halt| other(&halt))?;
        let next = executor.next_block().map_err(|halt| other(&halt))?;
        let config = Config::new(consortium.chain, consortium.member(identity), key);
        let recovered = Recovered { head: head.header, next, log: frames };
        let (replica, outputs) =
            AnyReplica::start(unlocked, config, recovered, now).map_err(|reason| other(&reason))?;
        let host = Self {
            replica,
            gate: Gate::default(),
            log_jobs: VecDeque::new(),
            writing: None,
            jobs: VecDeque::new(),
            executing: false,
            height,
            roster: executor.roster().clone(),
            judge: Judge { runtime: consortium.runtime.clone(), chain: chain.clone(), verified },
            chain,
            tip: executor.tip(),
            log,
            executor,
            told,
        };
        Ok((host, outputs))
    }

    /// Writes what the log was given; the last sequence number that is on the disk.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write_log(&mut self) -> Result<Option<u64>, String> {
        let batch = self.writing.take().unwrap_or_default();
        logger::write(&mut self.log, batch.into_iter()).map_err(|error| error.to_string())
    }

    /// Does the next job of the executor: what it tells the replica, and the reason to halt if there is one.
    pub fn execute(&mut self) -> (Vec<ToReplica>, Result<(), Halt>) {
        let Some(job) = self.jobs.pop_front() else { return (Vec::new(), Ok(())) };
        let result = self.executor.handle(job);
        (self.told.try_iter().collect(), result)
    }

    /// What the replica learns of a peer's transactions.
    pub fn check(&self, transactions: &[Vec<u8>], now: Timestamp) -> Vec<Checked> {
        let all = transactions.iter().map(Vec::as_slice);
        self.judge.judge(&self.tip.load(), now, all).into_iter().map(checked).collect()
    }

    /// A client's transaction, as the mempool takes it.
    pub fn admit(&self, transaction: &Transaction, now: Timestamp) -> Option<PooledTransaction> {
        let bytes = transaction.encode();
        self.judge.judge(&self.tip.load(), now, std::iter::once(&bytes[..])).pop()?.ok()
    }

    /// One step of the replica.
    pub fn step(&mut self, input: Input, now: Moment) -> Vec<Output> {
        if let Input::Committed { header, .. } = &input {
            self.height = header.height;
        }
        self.replica.step(input, now)
    }
}
