//! The thread that owns the replica: feeds it what happened, carries its outputs out in order, and keeps its timers.
//!
//! What the log must explain first waits in the [`Gate`]. The thread sleeps until something happens or the replica's next timer is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use portolan_primitives::{Height, KeyId, MemberId, TransactionId};
use portolan_replica::messages::Channel;
use portolan_replica::{Input, Moment, Output, Recipients, Replica};
use tokio::sync::watch;

use super::checker::{Answer, SubmitError, ToChecker};
use super::executor::ToExecutor;
use super::gate::{Gate, Passed};
use super::halt::Halt;
use super::logger::ToLog;
use super::{Roster, ToReplica, wall_clock};
use crate::network::{Class, Network, NetworkEvent};
use crate::store::{Chain, ChainError, Store};
use crate::telemetry::{Stage, stage};

/// The shortest sleep, so that a timer that stays due can't keep the thread busy.
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);

/// Whether the node takes part in the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Whether validators with more than two thirds of the power, this node's included, are connected.
    pub ready: bool,
    /// Their power.
    pub power: u128,
    /// Power of all.
    pub total: u128,
}

/// What the thread is made of.
pub struct Parts {
    /// The state machine, and what it asked for when it was made.
    pub replica: (Replica, Vec<Output>),
    /// The member whose node this is.
    pub member: MemberId,
    /// The last committed height.
    pub height: Height,
    /// Who may be a peer.
    pub roster: Roster,
    /// What it is told.
    pub inbox: Receiver<ToReplica>,
    /// What is told to itself from other threads.
    pub sender: Sender<ToReplica>,
    /// The log's thread.
    pub log: Sender<ToLog>,
    /// The executing thread.
    pub executor: Sender<ToExecutor>,
    /// The checking thread.
    pub checker: Sender<ToChecker>,
    /// The network.
    pub network: Network,
    /// The blocks.
    pub chain: Chain<Store>,
    /// Where short reads of the disk run.
    pub blocking: tokio::runtime::Handle,
    /// Where the readiness is published.
    pub readiness: watch::Sender<Readiness>,
    /// When the process started: the replica's time counts from here.
    pub started: Instant,
}

/// The thread's state.
pub struct ReplicaHost {
    replica: Replica,
    parts: Rest,
    height: Height,
    gate: Gate,
    answers: BTreeMap<u64, (TransactionId, Answer)>,
    requests: u64,
    roster: Roster,
    validator_nodes: BTreeSet<KeyId>,
    connected: BTreeMap<KeyId, Option<MemberId>>,
    last_commit: Instant,
}

struct Rest {
    member: MemberId,
    inbox: Receiver<ToReplica>,
    sender: Sender<ToReplica>,
    log: Sender<ToLog>,
    executor: Sender<ToExecutor>,
    checker: Sender<ToChecker>,
    network: Network,
    chain: Chain<Store>,
    blocking: tokio::runtime::Handle,
    readiness: watch::Sender<Readiness>,
    started: Instant,
}

impl ReplicaHost {
    /// A host that runs when [`Self::run`] is called, and what the replica asked for at first.
    pub fn new(parts: Parts) -> (Self, Vec<Output>) {
        let (replica, outputs) = parts.replica;
        let rest = Rest {
            member: parts.member,
            inbox: parts.inbox,
            sender: parts.sender,
            log: parts.log,
            executor: parts.executor,
            checker: parts.checker,
            network: parts.network,
            chain: parts.chain,
            blocking: parts.blocking,
            readiness: parts.readiness,
            started: parts.started,
        };
        let host = Self {
            replica,
            parts: rest,
            height: parts.height,
            gate: Gate::default(),
            answers: BTreeMap::new(),
            requests: 0,
            validator_nodes: parts.roster.validator_nodes(),
            roster: parts.roster,
            connected: BTreeMap::new(),
            last_commit: Instant::now(),
        };
        (host, outputs)
    }

    /// Runs until it is stopped or must halt.
    ///
    /// # Errors
    /// The reason to halt.
    pub fn run(mut self, outputs: Vec<Output>) -> Result<(), (Halt, Height)> {
        let result = self.carry_out(outputs).and_then(|()| self.turn());
        result.map_err(|halt| (halt, self.height))
    }

    fn turn(&mut self) -> Result<(), Halt> {
        self.publish_readiness();
        loop {
            let message = match self.wait() {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            match message {
                None => self.step(Input::Tick)?,
                Some(ToReplica::Stop) => return Ok(()),
                Some(message) => self.handle(message)?,
            }
        }
    }

    fn wait(&self) -> Result<ToReplica, RecvTimeoutError> {
        let inbox = &self.parts.inbox;
        match self.replica.next_wake() {
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => {
                let at = self.parts.started + Duration::from_millis(at);
                inbox.recv_timeout(at.saturating_duration_since(Instant::now()).max(SHORTEST_SLEEP))
            }
        }
    }

    fn now(&self) -> Moment {
        let elapsed_ms = self.parts.started.elapsed().as_millis() as u64;
        Moment { elapsed_ms, clock: wall_clock() }
    }

    fn handle(&mut self, message: ToReplica) -> Result<(), Halt> {
        match message {
            ToReplica::Input(input) => {
                if let Input::Committed { header, .. } = &input {
                    self.height = header.height;
                }
                self.step(input)
            }
            ToReplica::Network(event) => self.network(event),
            ToReplica::Submit(transaction, answer) => {
                self.requests += 1;
                self.answers.insert(self.requests, (transaction.id, answer));
                self.step(Input::Submitted { request: self.requests, transaction })
            }
            ToReplica::Synced(sequence) => stage(Stage::Consensus, || self.release(sequence)),
            ToReplica::Roster(roster) => self.take_roster(roster),
            ToReplica::Status(answer) => {
                // Whoever asked may be gone.
                let _ = answer.send(self.replica.status());
                Ok(())
            }
            ToReplica::Halt(halt) => Err(halt),
            ToReplica::Stop => Ok(()),
        }
    }

    fn step(&mut self, input: Input) -> Result<(), Halt> {
        let now = self.now();
        stage(stage_of(&input), || {
            let outputs = self.replica.step(input, now);
            self.carry_out(outputs)
        })
    }

    // ---- peers ----

    fn network(&mut self, event: NetworkEvent) -> Result<(), Halt> {
        match event {
            NetworkEvent::Up { peer, member } => {
                self.connected.insert(peer, member);
                self.publish_readiness();
                self.step(Input::PeerUp { peer, validator: self.validator_nodes.contains(&peer) })
            }
            NetworkEvent::Down { peer, .. } => {
                self.connected.remove(&peer);
                self.publish_readiness();
                self.step(Input::PeerDown { peer })
            }
            NetworkEvent::Message(inbound) => {
                metrics::counter!("portolan_network_received_bytes", "class" => inbound.class.name())
                    .increment(inbound.bytes.len() as u64);
                let (from, class, bytes, room) = inbound.into_parts();
                let stepped = self.step(Input::Received { from, channel: class.channel(), bytes });
                drop(room);
                stepped
            }
        }
    }

    fn take_roster(&mut self, roster: Roster) -> Result<(), Halt> {
        if roster.nodes != self.roster.nodes {
            self.parts.network.set_known(&roster.nodes);
        }
        let validator_nodes = roster.validator_nodes();
        let changed: Vec<KeyId> = self
            .connected
            .keys()
            .filter(|peer| validator_nodes.contains(peer) != self.validator_nodes.contains(peer))
            .copied()
            .collect();
        self.roster = roster;
        self.validator_nodes = validator_nodes;
        self.publish_readiness();
        for peer in changed {
            self.step(Input::PeerUp { peer, validator: self.validator_nodes.contains(&peer) })?;
        }
        Ok(())
    }

    fn publish_readiness(&self) {
        let members: BTreeSet<MemberId> =
            self.connected.values().flatten().copied().chain([self.parts.member]).collect();
        let set = &self.roster.validators;
        let here = set.validators().iter().filter(|validator| members.contains(&validator.member));
        let power = here.map(|validator| u128::from(validator.power)).sum();
        let readiness = Readiness { ready: set.is_quorum(power), power, total: set.total_power() };
        self.parts.readiness.send_if_modified(|old| std::mem::replace(old, readiness) != readiness);
    }

    // ---- outputs ----

    fn carry_out(&mut self, outputs: Vec<Output>) -> Result<(), Halt> {
        for output in outputs {
            match self.gate.pass(output) {
                Some(Passed::Append { sequence, frame }) => {
                    self.to_log(ToLog::Append { height: self.height.next(), sequence, frame })?;
                }
                Some(Passed::Perform(output)) => self.perform(output)?,
                None => {}
            }
        }
        Ok(())
    }

    /// The log is on disk up to `sequence`: what waited for it happens.
    fn release(&mut self, sequence: u64) -> Result<(), Halt> {
        self.gate.synced(sequence);
        while let Some(output) = self.gate.release() {
            self.perform(output)?;
        }
        Ok(())
    }

    fn perform(&mut self, output: Output) -> Result<(), Halt> {
        match output {
            Output::Send { to, channel, bytes, .. } => {
                self.send(&to, channel.into(), bytes);
                Ok(())
            }
            Output::PeerFault { peer, reason } => {
                self.parts.network.fault(peer, reason);
                Ok(())
            }
            // The gate gives no frame to carry out.
            Output::PersistLog { .. } => Ok(()),
            Output::ResetLog => self.to_log(ToLog::Forget(self.height)),
            Output::CheckTransactions { batch, from, transactions } => {
                self.to_checker(ToChecker::Received { batch, from, transactions })
            }
            Output::Admission { request, result } => {
                self.answer(request, result);
                Ok(())
            }
            Output::BeginBlock { execution, purpose, start } => {
                self.to_executor(ToExecutor::Begin(execution, purpose, start))
            }
            Output::ExecutePart { execution, transactions } => {
                self.to_executor(ToExecutor::Part(execution, transactions))
            }
            Output::FinishBlock { execution, expected } => self.to_executor(ToExecutor::Finish(execution, expected)),
            Output::Abandon { execution } => self.to_executor(ToExecutor::Abandon(execution)),
            Output::Commit { execution, header, transactions, certificate } => {
                self.measure_block(certificate.round.0, transactions.len());
                self.to_executor(ToExecutor::Commit(execution, header, transactions, certificate))
            }
            Output::ReadBlocks { request, from, count, max_bytes } => {
                self.read_blocks(request, from, count, max_bytes);
                Ok(())
            }
            Output::Misbehaviour { evidence } => {
                for proof in &evidence {
                    tracing::error!(accused = %proof.accused(), "a validator signed two different things; its proof is kept");
                }
                let chain = self.parts.chain.clone();
                self.parts.blocking.spawn_blocking(move || {
                    if let Err(error) = chain.keep_evidence(&evidence) {
                        tracing::error!(%error, "a proof of misbehaviour could not be kept");
                    }
                });
                Ok(())
            }
            Output::Halt { reason } => Err(Halt::Replica(reason)),
        }
    }

    fn send(&self, to: &Recipients, class: Class, bytes: Arc<[u8]>) {
        let network = &self.parts.network;
        match to {
            Recipients::Validators => network.send_all(class, &bytes, |peer| self.validator_nodes.contains(peer)),
            Recipients::Everyone => network.send_all(class, &bytes, |_| true),
            Recipients::Peer(peer) => network.send(peer, class, bytes),
        }
    }

    fn answer(&mut self, request: u64, result: Result<(), portolan_replica::Refusal>) {
        if let Some((id, answer)) = self.answers.remove(&request) {
            // The very same transaction once more is what a retry is: it has its answer already.
            let result = match result {
                Ok(()) | Err(portolan_replica::Refusal::AlreadyPending) => Ok(id),
                Err(refusal) => Err(SubmitError::Mempool(refusal)),
            };
            let _ = answer.send(result);
        }
    }

    fn measure_block(&mut self, round: u32, transactions: usize) {
        metrics::histogram!("portolan_block_round").record(f64::from(round));
        metrics::histogram!("portolan_block_interval_seconds").record(self.last_commit.elapsed());
        metrics::counter!("portolan_blocks").increment(1);
        metrics::counter!("portolan_transactions").increment(transactions as u64);
        self.last_commit = Instant::now();
    }

    fn read_blocks(&self, request: u64, from: Height, count: u32, max_bytes: usize) {
        let (chain, replica) = (self.parts.chain.clone(), self.parts.sender.clone());
        self.parts.blocking.spawn_blocking(move || {
            let input = match chain.certified_from(from, count, max_bytes) {
                Ok(blocks) => Input::BlocksRead { request, blocks },
                Err(ChainError::Pruned { lowest, .. }) => Input::BlocksPruned { request, lowest },
                Err(error) => {
                    tracing::error!(%error, %from, "blocks for a peer could not be read");
                    Input::BlocksRead { request, blocks: Vec::new() }
                }
            };
            let _ = replica.send(ToReplica::Input(input));
        });
    }

    fn to_log(&self, job: ToLog) -> Result<(), Halt> {
        self.parts.log.send(job).map_err(|_| self.why("log"))
    }

    fn to_executor(&self, job: ToExecutor) -> Result<(), Halt> {
        self.parts.executor.send(job).map_err(|_| self.why("executor"))
    }

    fn to_checker(&self, job: ToChecker) -> Result<(), Halt> {
        self.parts.checker.send(job).map_err(|_| self.why("checker"))
    }

    /// Why a thread is gone: it said so before it went, unless it failed.
    fn why(&self, thread: &'static str) -> Halt {
        let said = self.parts.inbox.try_iter().find_map(|message| match message {
            ToReplica::Halt(halt) => Some(halt),
            _ => None,
        });
        said.unwrap_or(Halt::Thread(thread))
    }
}

/// What an input is counted as.
fn stage_of(input: &Input) -> Stage {
    match input {
        Input::Submitted { .. }
        | Input::TransactionsChecked { .. }
        | Input::Received { channel: Channel::Transactions, .. } => Stage::Mempool,
        _ => Stage::Consensus,
    }
}
