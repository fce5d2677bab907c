//! The thread that executes blocks part by part while they come in, and commits the decided one.
//!
//! Any number of executions are open at once, all on the last committed state; a commit makes all others void. Must never
//! write anything of an undecided block.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Instant;

use arc_swap::ArcSwap;
use portolan_primitives::{CommitCertificate, Header, Height, KeyId, PublicKey, Transaction, TransactionId};
use portolan_replica::{BlockStart, ChainParameters, ExecutionId, Input, LeftOut, NextBlock, Purpose, Verdict, Wire};
use portolan_runtime::native::records::{Key, KeyPurpose};
use portolan_runtime::{
    ApplyError, BaseView, BlockContext, BlockExecution, BlockRules, ChainHead, ExecutedBlock, ExecutionError, Ledger,
    Runtime, SeenWindow, facts,
};
use portolan_state::{Batch, KeyValue, State};
use tokio::sync::broadcast;

use super::halt::Halt;
use super::verified::Verified;
use super::{CommittedBlock, Roster, Tip, ToReplica};
use crate::store::chain::{BlockRecord, add_block};
use crate::telemetry::{Stage, stage};

/// What the executing thread is asked; as the replica's outputs of the same names.
#[derive(Debug)]
pub enum ToExecutor {
    /// Begin a block.
    Begin(ExecutionId, Purpose, BlockStart),
    /// Execute these next.
    Part(ExecutionId, Vec<Wire>),
    /// No more parts; the header to compare with.
    Finish(ExecutionId, Option<Box<Header>>),
    /// Drop it.
    Abandon(ExecutionId),
    /// Write it.
    Commit(ExecutionId, Box<Header>, Vec<Wire>, CommitCertificate),
}

enum Open {
    Running(Box<BlockExecution>, Purpose),
    Finished(Box<ExecutedBlock>),
}

/// Asked after each commit whether the node may go on.
pub type Room = Box<dyn FnMut() -> Result<(), Halt> + Send>;

/// What executing needs.
pub struct Executor<S> {
    runtime: Arc<Runtime>,
    state: State<S>,
    room: Room,
    verified: Arc<Verified>,
    seen: Arc<SeenWindow>,
    tip: Arc<ArcSwap<Tip>>,
    roster: Roster,
    node_keys: Vec<Key>,
    replica: Sender<ToReplica>,
    committed: broadcast::Sender<Arc<CommittedBlock>>,
    open: BTreeMap<ExecutionId, Open>,
}

/// What an [`Executor`] is made of.
pub struct Parts<S> {
    /// Executes.
    pub runtime: Arc<Runtime>,
    /// The committed state.
    pub state: State<S>,
    /// Whether there is room for more blocks.
    pub room: Room,
    /// Verified wires.
    pub verified: Arc<Verified>,
    /// Transactions of the window.
    pub seen: SeenWindow,
    /// The last block.
    pub head: ChainHead,
    /// Where answers go.
    pub replica: Sender<ToReplica>,
    /// Who wants to hear of blocks.
    pub committed: broadcast::Sender<Arc<CommittedBlock>>,
}

impl<S: KeyValue> Executor<S> {
    /// On the last committed state.
    ///
    /// # Errors
    /// The state can't be read.
    pub fn new(parts: Parts<S>) -> Result<Self, Halt> {
        let view: BaseView = Arc::new(parts.state.view());
        let mut ledger = Ledger::new(view.clone());
        let rules = BlockRules::read(&mut ledger).map_err(store)?;
        let node_keys = facts::node_keys(&mut ledger).map_err(store)?;
        let validators = facts::validators(&mut ledger, parts.head.header.height.next()).map_err(store)?;
        let roster = Roster { nodes: nodes_in_force(&node_keys, &parts.head), validators };
        let tip = Tip { head: parts.head, view, rules, committed_at: Instant::now() };
        Ok(Self {
            runtime: parts.runtime,
            state: parts.state,
            room: parts.room,
            verified: parts.verified,
            seen: Arc::new(parts.seen),
            tip: Arc::new(ArcSwap::from_pointee(tip)),
            roster,
            node_keys,
            replica: parts.replica,
            committed: parts.committed,
            open: BTreeMap::new(),
        })
    }

    /// The tip that this executor moves on.
    pub fn tip(&self) -> Arc<ArcSwap<Tip>> {
        self.tip.clone()
    }

    /// Who may be a peer now.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// What holds for the next block.
    ///
    /// # Errors
    /// The state can't be read.
    pub fn next_block(&self) -> Result<NextBlock, Halt> {
        let tip = self.tip.load();
        let wakeup = self.runtime.next_wakeup(tip.view.clone()).map_err(store)?;
        Ok(NextBlock {
            validators: self.roster.validators.clone(),
            parameters: chain_parameters(&tip.rules),
            next_due: wakeup.map(|wakeup| wakeup.at),
        })
    }

    /// Runs until nobody asks any more, or something fails.
    pub fn run(mut self, jobs: &Receiver<ToExecutor>) {
        while let Ok(job) = jobs.recv() {
            if let Err(halt) = self.handle(job) {
                self.tell(ToReplica::Halt(halt));
                return;
            }
        }
    }

    /// Does one thing that was asked; answers go to the replica.
    ///
    /// # Errors
    /// The reason to halt.
    pub fn handle(&mut self, job: ToExecutor) -> Result<(), Halt> {
        match job {
            ToExecutor::Begin(id, purpose, start) => stage(Stage::Execute, || self.begin(id, purpose, start)),
            ToExecutor::Part(id, wires) => stage(Stage::Execute, || self.part(id, &wires)),
            ToExecutor::Finish(id, expected) => stage(Stage::Seal, || self.finish(id, expected)),
            ToExecutor::Abandon(id) => {
                self.open.remove(&id);
                Ok(())
            }
            ToExecutor::Commit(id, header, wires, certificate) => {
                stage(Stage::Commit, || self.commit(id, &header, &wires, &certificate))
            }
        }
    }

    fn begin(&mut self, id: ExecutionId, purpose: Purpose, start: BlockStart) -> Result<(), Halt> {
        let tip = self.tip.load_full();
        if start.parent != tip.head.hash || start.height != tip.head.header.height.next() {
            return self.give_up(id, purpose, "its parent is not the last committed block".into());
        }
        let context = BlockContext { round: start.round, time: start.time, proposer: start.proposer };
        let begun =
            self.runtime.begin(tip.head.clone(), tip.view.clone(), context, self.seen.clone(), self.verified.clone());
        match begun {
            Ok(execution) => {
                self.open.insert(id, Open::Running(Box::new(execution), purpose));
                Ok(())
            }
            Err(error) if error.is_invalid_block() => self.give_up(id, purpose, error.to_string()),
            Err(error) => self.host_fault(id, purpose, start.height, &error.to_string()),
        }
    }

    fn part(&mut self, id: ExecutionId, wires: &[Wire]) -> Result<(), Halt> {
        let Some(Open::Running(execution, purpose)) = self.open.get_mut(&id) else { return Ok(()) };
        let (purpose, height) = (*purpose, execution.facts().height);
        let started = Instant::now();
        let applied = apply(execution, wires, purpose);
        metrics::histogram!("portolan_execute_part_seconds").record(started.elapsed());
        match applied {
            Ok(left_out) if purpose == Purpose::Build => {
                self.tell(ToReplica::Input(Input::PartExecuted { execution: id, left_out }));
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(Stopped::Invalid(reason)) => self.give_up(id, purpose, reason),
            Err(Stopped::Host(reason)) => self.host_fault(id, purpose, height, &reason),
        }
    }

    fn finish(&mut self, id: ExecutionId, expected: Option<Box<Header>>) -> Result<(), Halt> {
        let Some(Open::Running(execution, purpose)) = self.open.remove(&id) else { return Ok(()) };
        let height = execution.facts().height;
        let started = Instant::now();
        let finished = execution.finish(|changes| stage(Stage::Tree, || self.state.update(changes)));
        metrics::histogram!("portolan_finish_block_seconds").record(started.elapsed());
        let block = match finished {
            Ok(block) => block,
            Err(ExecutionError::State(error)) => return Err(Halt::Store(error.to_string())),
            Err(error) => return self.host_fault(id, purpose, height, &error.to_string()),
        };
        let ours = block.header.clone();
        self.open.insert(id, Open::Finished(Box::new(block)));
        let answer = match expected {
            None => Input::Built { execution: id, header: ours },
            Some(expected) if *expected == ours => Input::Verdict { execution: id, verdict: Verdict::Valid },
            Some(expected) => {
                tracing::warn!(%height, ?expected, ?ours, "a block's header differs from what this node computed");
                Input::Verdict { execution: id, verdict: Verdict::RootsDiffer { ours: Box::new(ours) } }
            }
        };
        self.tell(ToReplica::Input(answer));
        Ok(())
    }

    /// Ends an execution whose block may not be.
    fn give_up(&mut self, id: ExecutionId, purpose: Purpose, reason: String) -> Result<(), Halt> {
        self.open.remove(&id);
        let answer = match purpose {
            Purpose::Build => Input::BuildFailed { execution: id, reason },
            Purpose::Validate | Purpose::Certified => {
                Input::Verdict { execution: id, verdict: Verdict::Invalid { reason } }
            }
        };
        self.tell(ToReplica::Input(answer));
        Ok(())
    }

    /// A fault of this machine is no outcome of a block: building passes the round, judging halts.
    fn host_fault(&mut self, id: ExecutionId, purpose: Purpose, height: Height, reason: &str) -> Result<(), Halt> {
        if purpose == Purpose::Build {
            return self.give_up(id, purpose, reason.to_owned());
        }
        Err(Halt::Execution { height: height.0, reason: reason.to_owned() })
    }

    fn commit(
        &mut self,
        id: ExecutionId,
        header: &Header,
        wires: &[Wire],
        certificate: &CommitCertificate,
    ) -> Result<(), Halt> {
        let Some(Open::Finished(block)) = self.open.remove(&id) else {
            return Err(Halt::Execution {
                height: header.height.0,
                reason: "the decided block was not executed".into(),
            });
        };
        // Executions on the state before are void, and with them go their hands on the window.
        self.open.clear();
        if block.header != *header {
            let reason = "the decided block is not the executed one".into();
            return Err(Halt::Execution { height: header.height.0, reason });
        }
        let started = Instant::now();
        let block = *block;
        if block.transactions.len() != wires.len() {
            let reason = "the decided block has other transactions than the executed one".into();
            return Err(Halt::Execution { height: header.height.0, reason });
        }
        let keys_changed = touches_node_keys(&block);
        let ids: Vec<TransactionId> = block.transactions.iter().map(|(id, _)| *id).collect();
        let bodies: Vec<_> = ids.iter().copied().zip(wires.iter().map(|wire| wire.bytes.clone())).collect();
        self.write(&bodies, certificate, &block.head, &block.receipts, &block.next_validators, block.update)?;
        metrics::histogram!("portolan_commit_seconds").record(started.elapsed());
        Arc::make_mut(&mut self.seen).push_block(header.time, block.transactions);
        self.move_tip(&block.head, keys_changed, block.next_validators)?;
        let next = self.next_block()?;
        self.tell(ToReplica::Input(Input::Committed { header: header.clone(), transactions: ids.clone(), next }));
        let committed = CommittedBlock { head: block.head, transactions: ids, receipts: block.receipts };
        // Nobody listening is no fault.
        let _ = self.committed.send(Arc::new(committed));
        (self.room)()
    }

    fn write(
        &self,
        transactions: &[(TransactionId, Arc<[u8]>)],
        certificate: &CommitCertificate,
        head: &ChainHead,
        receipts: &[portolan_runtime::ExecutedReceipt],
        next_validators: &portolan_primitives::ValidatorSet,
        update: portolan_state::StateUpdate,
    ) -> Result<(), Halt> {
        let record = BlockRecord { head, transactions, certificate: Some(certificate), receipts, next_validators };
        let mut batch = Batch::new();
        add_block(&mut batch, &record);
        self.state.commit(head.header.height, update, batch).map_err(store)
    }

    fn move_tip(
        &mut self,
        head: &ChainHead,
        keys_changed: bool,
        validators: portolan_primitives::ValidatorSet,
    ) -> Result<(), Halt> {
        let view: BaseView = Arc::new(self.state.view());
        let mut ledger = Ledger::new(view.clone());
        let rules = BlockRules::read(&mut ledger).map_err(store)?;
        if keys_changed {
            self.node_keys = facts::node_keys(&mut ledger).map_err(store)?;
        }
        let roster = Roster { nodes: nodes_in_force(&self.node_keys, head), validators };
        self.tip.store(Arc::new(Tip { head: head.clone(), view, rules, committed_at: Instant::now() }));
        if roster != self.roster {
            self.roster = roster.clone();
            self.tell(ToReplica::Roster(roster));
        }
        metrics::gauge!("portolan_height").set(head.header.height.0 as f64);
        Ok(())
    }

    fn tell(&self, message: ToReplica) {
        // The replica is gone only when the node stops.
        let _ = self.replica.send(message);
    }
}

enum Stopped {
    /// The block breaks a rule.
    Invalid(String),
    /// This machine failed.
    Host(String),
}

/// Applies a part; when building, gives what was left out, else stops at the first that may not be there.
fn apply(execution: &mut BlockExecution, wires: &[Wire], purpose: Purpose) -> Result<Vec<LeftOut>, Stopped> {
    let mut left_out = Vec::new();
    for wire in wires {
        let (reason, later) = match Transaction::decode_checked(&wire.bytes) {
            Err(error) => (error.to_string(), false),
            Ok(transaction) => match execution.apply(&transaction) {
                Ok(_) => continue,
                Err(ApplyError::Refused(refusal)) => (refusal.to_string(), !refusal.is_final()),
                Err(ApplyError::Halt(fault)) => return Err(Stopped::Host(fault.to_string())),
            },
        };
        if purpose != Purpose::Build {
            return Err(Stopped::Invalid(format!("transaction {}: {reason}", wire.hash)));
        }
        tracing::debug!(wire = %wire.hash, reason, later, "a transaction was left out of the block");
        left_out.push(LeftOut { wire_hash: wire.hash, later });
    }
    Ok(left_out)
}

/// Whether the block changed the record of any key.
fn touches_node_keys(block: &ExecutedBlock) -> bool {
    let any = Ledger::key_of::<Key>(&KeyId([0; 32]));
    let front = &any.as_bytes()[..any.as_bytes().len().saturating_sub(32)];
    block.update.changes().entries().iter().any(|change| change.key.as_bytes().starts_with(front))
}

/// The node keys that count for connections after this head.
fn nodes_in_force(keys: &[Key], head: &ChainHead) -> BTreeMap<PublicKey, portolan_primitives::MemberId> {
    let (height, time) = (head.header.height.next(), head.header.time);
    let in_force = keys.iter().filter(|key| key.purpose == KeyPurpose::Node && key.valid_at(height, time));
    in_force.map(|key| (key.key, key.member)).collect()
}

/// The chain's parameters as the replica knows them.
fn chain_parameters(rules: &BlockRules) -> ChainParameters {
    ChainParameters {
        heartbeat_ms: Some(rules.heartbeat_ms),
        block_gas: rules.transaction_gas_in(portolan_primitives::Round(0), 0),
        block_bytes: usize::try_from(rules.bytes).unwrap_or(usize::MAX),
        block_transactions: usize::try_from(rules.transactions).unwrap_or(usize::MAX),
        ..ChainParameters::default()
    }
}

fn store(error: impl std::fmt::Display) -> Halt {
    Halt::Store(error.to_string())
}
