//! The replica: its state, the step, the timers. The steps of a block's life are in the modules beside this one:
//! `heights` when one starts and how it ends · `consensus` messages and what the core wants · `blocks` building, streams,
//! bodies · `pool` transactions · `catchup` heights and blocks of others · `holdings` what it holds, with its bounds. Must never do anything but answer with outputs.

mod blocks;
mod catchup;
mod consensus;
mod heights;
mod holdings;
mod pool;

use std::collections::{BTreeMap, BTreeSet};

use portolan_primitives::{Hash, Header, Height, MemberId, Round, Timestamp, VoteKind};

use crate::candidates::Candidates;
use crate::config::{Config, Fence, Recovered, Timing};
use crate::driver::{Driver, Event};
use crate::input::{Input, Moment, NextBlock, PeerId};
use crate::log::{LogFrame, LogRecord};
use crate::mempool::Mempool;
use crate::messages::Message;
use crate::output::{HaltReason, Output, Recipients};
use crate::peers::Peers;
use crate::rule::{KeepsLocks, VotingRule};
use crate::status::{SeenVote, Status, Step, WhyNoBlock};
use crate::sync::Sync;
use crate::timers::{Timer, Timers};

use blocks::{Build, Wanted};
use heights::Decided;

/// A replica. One thread owns it and feeds it. A node's votes by [`KeepsLocks`].
pub struct Replica<V = KeepsLocks> {
    chain: Hash,
    member: MemberId,
    timing: Timing,
    part_transactions: usize,
    small_block_gas: u64,

    now: Moment,
    head: Header,
    head_hash: Hash,
    next: NextBlock,
    /// Whether this node votes on the next block.
    votes: bool,
    fence: Option<Fence>,
    /// Whether the core has begun the next height.
    running: bool,
    decided: Option<Decided>,
    committing: bool,
    halted: Option<HaltReason>,

    driver: Driver<V>,
    timers: Timers,
    peers: Peers,
    mempool: Mempool,
    candidates: Candidates,
    build: Option<Build>,
    wanted: BTreeMap<Hash, Wanted>,
    /// The first block proposed in each round: a proposer that names more of them has only this one looked at.
    proposed: BTreeMap<Round, Hash>,
    sync: Sync,

    /// Records that no write has taken to the log yet.
    unwritten: Vec<LogRecord>,
    /// While the log is replayed: what would have been said and done, for afterwards.
    replay: Option<Replay>,

    /// Validators that sent a valid message for the next height, which has not begun here.
    callers: BTreeSet<MemberId>,
    /// One of these messages was the beginning of a block with transactions.
    called_by_block: bool,
    /// Validators whose turn passed without a sign of a proposal, and who were not heard of since.
    absent: BTreeSet<MemberId>,
    committed_ms: u64,
    /// When the last height began here.
    started_ms: u64,
    /// Until when what waits gathers for the next block.
    gather_until_ms: u64,
    round_started_ms: u64,
    told_everyone_ms: u64,

    /// Transactions to pass on with the next batch.
    gossip: Vec<Hash>,
    gossiped_ms: u64,
    checks: BTreeMap<u64, (PeerId, usize)>,
    reads: BTreeMap<u64, (PeerId, Height)>,
    requests: u64,

    last_refused: Option<(Hash, String)>,
    out: Vec<Output>,
    /// A commit follows everything else of a step: the others wait for this node's votes, not for its disk.
    commit: Option<Output>,
}

#[derive(Debug, Default)]
struct Replay {
    known: Vec<LogRecord>,
    said: Vec<Message>,
    build: Option<Round>,
}

impl Replica {
    /// A replica that goes on from what is on the disk, and the first outputs.
    ///
    /// # Errors
    /// The reason why the node must not start: the log contradicts itself or the store, or the set can't be counted.
    pub fn new(config: Config, recovered: Recovered, now: Moment) -> Result<(Self, Vec<Output>), HaltReason> {
        Self::with_rule(config, recovered, now, KeepsLocks)
    }
}

impl<V: VotingRule> Replica<V> {
    /// [`Replica::new`] with another voting rule, for tests of what a rule is good for.
    ///
    /// # Errors
    /// The same.
    pub fn with_rule(
        config: Config,
        recovered: Recovered,
        now: Moment,
        rule: V,
    ) -> Result<(Self, Vec<Output>), HaltReason> {
        let Recovered { head, next, log } = recovered;
        let driver = Driver::new(config.chain, config.member, config.key, head.height, &next.validators, rule);
        let Some(driver) = driver else {
            return Err(HaltReason::Core { reason: "the chain's validator set is empty or can't be counted".into() });
        };
        let mut replica = Self {
            chain: config.chain,
            member: config.member,
            timing: config.timing,
            part_transactions: config.part_transactions.clamp(1, crate::limits::MAX_PART_HASHES),
            small_block_gas: config.small_block_gas,
            now,
            head_hash: head.hash(),
            votes: false,
            fence: config.fence,
            head,
            next,
            running: false,
            decided: None,
            committing: false,
            halted: None,
            driver,
            timers: Timers::default(),
            peers: Peers::default(),
            mempool: Mempool::new(config.mempool),
            candidates: Candidates::default(),
            build: None,
            wanted: BTreeMap::new(),
            proposed: BTreeMap::new(),
            sync: Sync::default(),
            unwritten: Vec::new(),
            replay: None,
            callers: BTreeSet::new(),
            called_by_block: false,
            absent: BTreeSet::new(),
            committed_ms: now.elapsed_ms,
            started_ms: now.elapsed_ms,
            gather_until_ms: 0,
            round_started_ms: now.elapsed_ms,
            told_everyone_ms: now.elapsed_ms,
            gossip: Vec::new(),
            gossiped_ms: 0,
            checks: BTreeMap::new(),
            reads: BTreeMap::new(),
            requests: 0,
            last_refused: None,
            out: Vec::new(),
            commit: None,
        };
        replica.votes = replica.may_vote();
        replica.recover(log)?;
        replica.timers.set(Timer::Status, now.elapsed_ms + replica.timing.status_ms);
        replica.run_timers()?;
        let outputs = replica.take_outputs();
        Ok((replica, outputs))
    }

    /// What follows from `input` at `now`, in the order in which it is to be done.
    pub fn step(&mut self, input: Input, now: Moment) -> Vec<Output> {
        if self.halted.is_some() {
            return Vec::new();
        }
        self.now = Moment { elapsed_ms: now.elapsed_ms.max(self.now.elapsed_ms), clock: now.clock };
        if let Err(reason) = self.handle(input).and_then(|()| self.run_timers()) {
            // Whatever was not written explains what was not sent: neither happens.
            self.halted = Some(reason.clone());
            self.commit = None;
            self.out.push(Output::Halt { reason });
        }
        self.take_outputs()
    }

    /// When the next [`Input::Tick`] is due, in [`Moment::elapsed_ms`].
    pub fn next_wake(&self) -> Option<u64> {
        if self.halted.is_some() { None } else { self.timers.next() }
    }

    /// The replica at a glance.
    pub fn status(&self) -> Status {
        let seen = if self.running { self.driver.votes_seen() } else { Vec::new() };
        let seen: Vec<_> =
            seen.into_iter().map(|(kind, validator, value)| SeenVote { kind, validator, value }).collect();
        Status {
            head: self.head.height,
            head_hash: self.head_hash,
            votes: self.votes,
            round: self.running.then(|| self.driver.current_round()).flatten(),
            step: if self.running { self.driver.step() } else { Step::Idle },
            why_no_block: self.why_no_block(&seen),
            seen,
            absent: self.absent.iter().copied().collect(),
            peers: self.peers.iter().map(|(id, peer)| peer.seen(*id)).collect(),
            pending: self.mempool.len(),
            pending_bytes: self.mempool.bytes(),
            buffered_blocks: self.sync.buffered(),
            last_refused: self.last_refused.clone(),
        }
    }

    /// Whether this node is to vote on the next block: it has a key of the set, and can't have voted there before it knew.
    fn may_vote(&self) -> bool {
        self.driver.votes_in(&self.next.validators) && self.fence_ahead().is_none()
    }

    /// The fence that keeps this node from voting on the next block.
    fn fence_ahead(&self) -> Option<Fence> {
        self.fence.filter(|fence| !fence.lets_vote_after(&self.head))
    }

    /// The height that is being decided, or will be.
    fn height(&self) -> Height {
        self.head.height.next()
    }

    fn handle(&mut self, input: Input) -> Result<(), HaltReason> {
        match input {
            Input::Tick => Ok(()),
            Input::PeerUp { peer, validator } => {
                self.peer_up(peer, validator);
                Ok(())
            }
            Input::PeerDown { peer } => {
                self.peers.down(&peer);
                self.sync.forget(&peer);
                Ok(())
            }
            Input::Received { from, channel, bytes } => self.received(from, channel, &bytes),
            Input::Submitted { request, transaction } => {
                self.submitted(request, transaction);
                Ok(())
            }
            Input::TransactionsChecked { batch, results } => self.checked(batch, results),
            Input::PartExecuted { execution, left_out } => self.part_built(execution, &left_out),
            Input::Built { execution, header } => self.built(execution, header),
            Input::BuildFailed { execution, reason } => {
                self.build_failed(execution, &reason);
                Ok(())
            }
            Input::Verdict { execution, verdict } => self.verdict(execution, verdict),
            Input::Committed { header, transactions, next } => self.committed(header, &transactions, next),
            Input::Due { at } => {
                self.next.next_due = at;
                Ok(())
            }
            Input::BlocksRead { request, blocks } => {
                self.blocks_read(request, blocks);
                Ok(())
            }
            Input::BlocksPruned { request, lowest } => {
                self.blocks_pruned(request, lowest);
                Ok(())
            }
            Input::HostFailed { reason } => Err(HaltReason::HostFailed { reason }),
        }
    }

    /// Runs what is due, then looks for a reason to begin the next height.
    fn run_timers(&mut self) -> Result<(), HaltReason> {
        let now = self.now.elapsed_ms;
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::Core(kind, round) => self.core_timer(kind, round)?,
                // Looked at below, whatever happened.
                Timer::Start => {}
                Timer::Fetch => self.fetch(),
                Timer::Gossip => self.pass_on(),
                Timer::Regossip => self.pass_on_again(),
                Timer::Status => self.tell_everyone(),
                Timer::Sync => self.catch_up()?,
            }
        }
        self.start_if_due()
    }

    fn take_outputs(&mut self) -> Vec<Output> {
        let mut outputs = std::mem::take(&mut self.out);
        outputs.extend(self.commit.take());
        outputs
    }

    fn new_request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    fn send(&mut self, to: Recipients, message: &Message, after_log: bool) {
        let bytes = codec::Encode::encode(message).into();
        self.out.push(Output::Send { to, channel: message.channel(), bytes, after_log });
    }

    fn fault(&mut self, peer: PeerId, reason: &'static str) {
        self.out.push(Output::PeerFault { peer, reason });
    }

    /// Everything so far goes to the log, in one write, before anything that is said from here on.
    fn write_log(&mut self) {
        if self.unwritten.is_empty() {
            return;
        }
        let frame = LogFrame { height: self.height(), records: std::mem::take(&mut self.unwritten) };
        self.out.push(Output::PersistLog { frame: crate::log::encode_frame(&frame) });
    }

    /// Takes up the log of the next height, so that nothing is signed that differs from what was.
    fn recover(&mut self, log: Vec<LogFrame>) -> Result<(), HaltReason> {
        let next = self.height();
        if log.iter().any(|frame| frame.height > next) {
            let reason = format!("it has records of heights after {next}, so the store has lost blocks");
            return Err(HaltReason::BadLog { reason });
        }
        let stale = !log.is_empty();
        let current = log.into_iter().filter(|frame| frame.height == next);
        let records: Vec<_> = current.flat_map(|frame| frame.records).collect();
        if records.is_empty() {
            if stale {
                self.out.push(Output::ResetLog);
            }
            return Ok(());
        }
        if !self.votes {
            // The key was taken out of the set since, or waits behind its fence: nothing is signed, and nothing contradicted.
            return Ok(());
        }
        self.recover_bodies(&records)?;
        self.replay = Some(Replay { known: records.clone(), ..Replay::default() });
        self.running = true;
        let validators = self.next.validators.clone();
        let events = self.driver.replay(next, &validators, &records)?;
        self.apply(events)?;
        let Some(replay) = self.replay.take() else { return Ok(()) };
        self.make_room();
        for message in replay.said {
            self.publish(&message);
        }
        match replay.build.filter(|round| self.driver.current_round() == Some(*round)) {
            Some(round) if self.driver.step() == Step::Propose => self.build_block(round),
            _ => Ok(()),
        }
    }

    fn why_no_block(&self, seen: &[SeenVote]) -> WhyNoBlock {
        if let Some(reason) = &self.halted {
            return WhyNoBlock::Halted(reason.clone());
        }
        if self.decided.is_some() {
            return WhyNoBlock::Committing;
        }
        let best = self.peers.best_height();
        let next = self.height();
        if let Some(lowest) = self.peers.out_of_reach(next) {
            return WhyNoBlock::OutOfReach { next, lowest };
        }
        if best > next {
            return WhyNoBlock::CatchingUp { best };
        }
        if !self.votes {
            let fenced = self.fence_ahead().filter(|_| self.driver.votes_in(&self.next.validators));
            return fenced.map_or(WhyNoBlock::Following, |fence| WhyNoBlock::Fenced { fence });
        }
        if !self.running {
            return WhyNoBlock::NothingToDo { until: self.planned() };
        }
        let kind = match self.driver.step() {
            Step::Idle | Step::Propose => {
                let round = self.driver.current_round().unwrap_or_default();
                let proposer = self.next.validators.proposer(self.height(), round);
                return WhyNoBlock::WaitingForProposal {
                    proposer: proposer.map_or(self.member, |validator| validator.member),
                };
            }
            Step::Prevote => VoteKind::Prevote,
            Step::Precommit | Step::Commit => VoteKind::Precommit,
        };
        let voted: BTreeSet<_> = seen.iter().filter(|vote| vote.kind == kind).map(|vote| vote.validator).collect();
        let all = self.next.validators.validators().iter().map(|validator| validator.member);
        WhyNoBlock::WaitingForVotes { missing: all.filter(|member| !voted.contains(member)).collect() }
    }

    /// When the next block is planned, by the wall clock.
    fn planned(&self) -> Option<Timestamp> {
        let heartbeat =
            self.next.parameters.heartbeat_ms.map(|every| Timestamp(self.head.time.0.saturating_add(every)));
        [heartbeat, self.next.next_due].into_iter().flatten().min()
    }

    fn apply(&mut self, events: Vec<Event>) -> Result<(), HaltReason> {
        events.into_iter().try_for_each(|event| self.apply_event(event))
    }
}
