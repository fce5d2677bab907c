//! Replicas, their hosts, their disks and the network between them, in one thread under one seed and a virtual clock.
//!
//! Each thing that can happen is an event with a time; a run is the same whenever its settings are. The checks look at what
//! is sent and what is committed, not into the replicas.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::sync::Arc;

use codec::Encode;
use portolan_primitives::{
    AccountId, Body, Call, ContractId, Domain, Hash, Height, KeyId, MemberId, Signature, SigningKey, Timestamp,
    Transaction, TransactionId, Validator, ValidatorSet, hash_parts,
};
use portolan_replica::messages::{Channel, Message, VoteMessage};
use portolan_replica::{
    CertifiedBlock, ChainParameters, Config, Evidence, Input, Moment, Output, PeerId, Purpose, Recipients, Recovered,
    Replica,
};

use crate::application::{Application, Ledger, pooled};
use crate::disk::{Disk, LogMode};
use crate::random::Random;

/// Where the wall clock stands when a run begins.
const EPOCH_MS: u64 = 1_800_000_000_000;
/// Steps of all replicas in one run; far more than any run needs.
const MAX_STEPS: u64 = 3_000_000;
/// The chain of every run.
const CHAIN: Hash = Hash([0xc4; 32]);

/// What a run is made of. Times in microseconds, chances in a million.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The seed of everything that is chance.
    pub seed: u64,
    /// Validators.
    pub validators: usize,
    /// Nodes that only follow.
    pub followers: usize,
    /// How long faults go on.
    pub faults_us: u64,
    /// How long all may take to come to rest after that.
    pub settle_us: u64,
    /// A message is lost.
    pub loss: u64,
    /// A message comes twice.
    pub duplication: u64,
    /// A message is as late as the longest delay times ten.
    pub lateness: u64,
    /// Shortest and longest usual delay.
    pub delay_us: (u64, u64),
    /// The network falls apart and heals, again and again.
    pub partitions: bool,
    /// A crash at an output boundary.
    pub crash: u64,
    /// How the disks treat the log.
    pub log: LogMode,
    /// The last validators run twice with one key, each on its own.
    pub twins: usize,
    /// This validator doubles its votes with others.
    pub forger: Option<usize>,
    /// These never run.
    pub dead: Vec<usize>,
    /// These come to other roots.
    pub defective: Vec<usize>,
    /// Clocks differ by at most this, ms.
    pub skew_ms: u64,
    /// Mean time between transactions of clients; 0: none.
    pub submit_every_us: u64,
    /// Random bytes are sent now and then.
    pub garbage: u64,
    /// Time of a disk sync.
    pub sync_us: (u64, u64),
}

impl Settings {
    /// Four validators without any fault.
    pub fn calm(seed: u64) -> Self {
        Self {
            seed,
            validators: 4,
            followers: 0,
            faults_us: 2_000_000,
            settle_us: 20_000_000,
            loss: 0,
            duplication: 0,
            lateness: 0,
            delay_us: (200, 2_000),
            partitions: false,
            crash: 0,
            log: LogMode::Honest,
            twins: 0,
            forger: None,
            dead: Vec::new(),
            defective: Vec::new(),
            skew_ms: 50,
            submit_every_us: 20_000,
            garbage: 0,
            sync_us: (300, 3_000),
        }
    }
}

/// What a run must never show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Two blocks at one height.
    Fork(Height),
    /// A correct validator signed two things for one place.
    DoubleSign(String),
    /// A correct node stopped.
    Halted(usize, String),
    /// A node came back without a block that it had committed.
    LostFinal(usize, Height),
    /// Something that was accepted after the faults is not final in time.
    NoProgress(String),
    /// Evidence that does not hold, or against a correct validator.
    FalseAccusation(String),
    /// A correct peer was accused of breaking the protocol.
    FalseFault(&'static str),
    /// The replicas keep each other busy without end.
    Runaway,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The first violation, if there was any.
    pub violation: Option<Violation>,
    /// Heights that were decided.
    pub heights: u64,
    /// Steps of all replicas.
    pub steps: u64,
    /// Messages delivered.
    pub messages: u64,
    /// Transactions in blocks.
    pub transactions: u64,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Proofs of misbehaviour that nodes gave.
    pub evidence: u64,
    /// Empty blocks.
    pub empty: u64,
    /// Longest time between two heights at the first node that commits, while transactions waited, µs.
    pub longest_gap_us: u64,
    /// The highest round in which a block was decided.
    pub highest_round: u32,
}

#[derive(Debug)]
enum Event {
    Step(Box<Input>),
    Deliver {
        from: PeerId,
        channel: Channel,
        bytes: Arc<[u8]>,
    },
    /// The tick that was planned for then; another may have been planned since.
    Wake {
        at_us: u64,
    },
    DiskDone,
    Restart,
}

struct Node {
    identity: usize,
    byzantine: bool,
    replica: Option<Replica>,
    ledger: Ledger,
    disk: Disk,
    boot: u64,
    skew_ms: i64,
    started_us: u64,
    queue: VecDeque<Output>,
    active: Option<Output>,
    worker_free_us: u64,
    wake_us: Option<u64>,
    acknowledged: Height,
}

/// A run.
pub struct World {
    settings: Settings,
    random: Random,
    now_us: u64,
    sequence: u64,
    events: BinaryHeap<Reverse<(u64, u64)>>,
    waiting: BTreeMap<u64, (usize, u64, Event)>,
    nodes: Vec<Node>,
    /// The side of each node while the network is apart; two nodes with one key may be on different sides.
    groups: Vec<u64>,
    healed: bool,
    canonical: BTreeMap<Height, (Hash, u64)>,
    included: BTreeSet<TransactionId>,
    said: BTreeMap<(usize, u8, Height, u32), Option<Hash>>,
    submitted: u64,
    report: Report,
}

fn key_of(identity: usize) -> SigningKey {
    SigningKey::from_secret(&[identity as u8 + 1; 32]).expect("32 bytes are a secret")
}

fn member_of(identity: usize) -> MemberId {
    MemberId([identity as u8 + 1; 16])
}

fn peer_of(identity: usize) -> PeerId {
    KeyId([identity as u8 + 1; 32])
}

impl World {
    /// A world before its first moment.
    pub fn new(settings: Settings) -> Self {
        let validators = (0..settings.validators)
            .map(|identity| Validator { member: member_of(identity), key: key_of(identity).public(), power: 1 })
            .collect();
        let set = ValidatorSet::new(validators);
        let mut random = Random::new(settings.seed);
        let identities = settings.validators + settings.followers;
        let twins = settings.validators - settings.twins..settings.validators;
        let instances = (0..identities).map(|identity| (identity, false)).chain(twins.clone().map(|twin| (twin, true)));
        let nodes = instances
            .map(|(identity, second)| {
                let parameters =
                    ChainParameters { heartbeat_ms: Some(1_500), empty_interval_ms: 300, ..ChainParameters::default() };
                let mut ledger = Ledger::new(CHAIN, set.clone(), parameters, Timestamp(EPOCH_MS));
                ledger.defect = settings.defective.contains(&identity);
                let byzantine =
                    second || twins.contains(&identity) || settings.forger == Some(identity) || ledger.defect;
                Node {
                    identity,
                    byzantine,
                    replica: None,
                    ledger,
                    disk: Disk::new(settings.log),
                    boot: 0,
                    skew_ms: random.between(0, 2 * settings.skew_ms) as i64 - settings.skew_ms as i64,
                    started_us: 0,
                    queue: VecDeque::new(),
                    active: None,
                    worker_free_us: 0,
                    wake_us: None,
                    acknowledged: Height(0),
                }
            })
            .collect();
        let groups = vec![0; identities + settings.twins];
        Self {
            settings,
            random,
            now_us: 0,
            sequence: 0,
            events: BinaryHeap::new(),
            waiting: BTreeMap::new(),
            nodes,
            groups,
            healed: false,
            canonical: BTreeMap::new(),
            included: BTreeSet::new(),
            said: BTreeMap::new(),
            submitted: 0,
            report: Report::default(),
        }
    }

    /// Runs it to its end: faults, then rest, then everything that was accepted must become final everywhere.
    pub fn run(mut self) -> Report {
        for node in 0..self.nodes.len() {
            if !self.is_dead(node) {
                self.boot(node);
            }
        }
        let mut next_submit = if self.settings.submit_every_us > 0 { 1_000 } else { u64::MAX };
        let mut next_split = if self.settings.partitions { 100_000 } else { u64::MAX };
        while self.now_us < self.settings.faults_us && self.report.violation.is_none() {
            if self.now_us >= next_submit {
                self.submit_somewhere();
                next_submit = self.now_us + self.random.between(1, 2 * self.settings.submit_every_us);
            }
            if self.now_us >= next_split {
                self.split_or_join();
                next_split = self.now_us + self.random.between(50_000, 600_000);
            }
            let limit = self.settings.faults_us.min(next_split).min(next_submit);
            self.advance(limit);
        }
        self.heal();
        self.settle();
        self.report.heights = self.canonical.len() as u64;
        self.report
    }

    fn is_dead(&self, node: usize) -> bool {
        self.settings.dead.contains(&self.nodes[node].identity)
    }

    fn fault(&mut self, kind: &'static str) {
        *self.report.faults.entry(kind).or_default() += 1;
    }

    fn violate(&mut self, violation: Violation) {
        self.report.violation.get_or_insert(violation);
    }

    /// Handles the next event if it happens before `limit`, else lets time pass to it.
    fn advance(&mut self, limit: u64) {
        let Some(Reverse((at, sequence))) = self.events.peek().copied().filter(|Reverse((at, _))| *at <= limit) else {
            self.now_us = limit;
            return;
        };
        self.events.pop();
        self.now_us = self.now_us.max(at);
        let Some((node, boot, event)) = self.waiting.remove(&sequence) else { return };
        self.handle(node, boot, event);
    }

    fn schedule(&mut self, node: usize, after_us: u64, event: Event) {
        self.sequence += 1;
        let boot = self.nodes[node].boot;
        self.waiting.insert(self.sequence, (node, boot, event));
        self.events.push(Reverse((self.now_us + after_us, self.sequence)));
    }

    fn handle(&mut self, node: usize, boot: u64, event: Event) {
        match event {
            Event::Deliver { from, channel, bytes } => {
                if self.nodes[node].replica.is_some() {
                    self.report.messages += 1;
                    self.step(node, Input::Received { from, channel, bytes: bytes.to_vec() });
                }
            }
            _ if self.nodes[node].boot != boot => {}
            Event::Step(input) => {
                if let Input::Committed { header, .. } = &*input {
                    self.nodes[node].acknowledged = header.height;
                }
                self.step(node, *input);
            }
            Event::Wake { at_us } if self.nodes[node].wake_us == Some(at_us) => {
                self.nodes[node].wake_us = None;
                self.step(node, Input::Tick);
            }
            Event::Wake { .. } => {}
            Event::DiskDone => self.disk_done(node),
            Event::Restart => self.boot(node),
        }
    }

    fn moment(&self, node: usize) -> Moment {
        let node = &self.nodes[node];
        let wall = (EPOCH_MS + self.now_us / 1_000) as i64 + node.skew_ms;
        Moment { elapsed_ms: (self.now_us - node.started_us) / 1_000, clock: Timestamp(wall as u64) }
    }

    fn step(&mut self, node: usize, input: Input) {
        let moment = self.moment(node);
        let Some(replica) = self.nodes[node].replica.as_mut() else { return };
        self.report.steps += 1;
        let outputs = replica.step(input, moment);
        if self.report.steps > MAX_STEPS {
            self.violate(Violation::Runaway);
        }
        self.carry_out(node, outputs);
    }

    /// Brings a node up from its disk.
    fn boot(&mut self, node: usize) {
        let settings = self.settings.clone();
        let one = &mut self.nodes[node];
        let identity = one.identity;
        one.boot += 1;
        one.started_us = self.now_us;
        one.queue.clear();
        one.active = None;
        one.wake_us = None;
        let genesis = Ledger::new(
            CHAIN,
            one.ledger.validators().clone(),
            one.ledger.next_block().parameters,
            Timestamp(EPOCH_MS),
        );
        one.ledger = genesis;
        one.ledger.defect = settings.defective.contains(&identity);
        let (ledger, chain) = (&mut one.ledger, &one.disk.chain);
        chain.iter().enumerate().for_each(|(number, block)| replay(ledger, number as u64, block));
        let lost = one.ledger.head().height < one.acknowledged;
        let (acknowledged, byzantine) = (one.acknowledged, one.byzantine);
        if byzantine {
            one.disk.wipe_log();
        }
        let key = (identity < settings.validators).then(|| key_of(identity));
        let config = Config::new(CHAIN, member_of(identity), key);
        let recovered =
            Recovered { head: one.ledger.head().clone(), next: one.ledger.next_block(), log: one.disk.read_log() };
        let moment = self.moment(node);
        if lost {
            self.violate(Violation::LostFinal(node, acknowledged));
        }
        match Replica::new(config, recovered, moment) {
            Ok((replica, outputs)) => {
                self.nodes[node].replica = Some(replica);
                self.carry_out(node, outputs);
                self.connect(node);
            }
            Err(reason) if !byzantine => self.violate(Violation::Halted(node, reason.to_string())),
            Err(_) => self.schedule(node, 50_000, Event::Restart),
        }
    }

    /// Everybody learns of a node that comes up, and it of them.
    fn connect(&mut self, node: usize) {
        let identity = self.nodes[node].identity;
        for other in 0..self.nodes.len() {
            let (theirs, validators) = (self.nodes[other].identity, self.settings.validators);
            if theirs == identity || self.nodes[other].replica.is_none() {
                continue;
            }
            self.step(node, Input::PeerUp { peer: peer_of(theirs), validator: theirs < validators });
            self.step(other, Input::PeerDown { peer: peer_of(identity) });
            self.step(other, Input::PeerUp { peer: peer_of(identity), validator: identity < validators });
        }
    }

    fn crash(&mut self, node: usize) {
        self.fault("crash");
        let random = &mut self.random;
        let one = &mut self.nodes[node];
        one.replica = None;
        one.boot += 1;
        one.queue.clear();
        if let Some(Output::Commit { header, transactions, certificate, .. }) = one.active.take()
            && random.chance(500_000)
        {
            // The batch was on its way, and arrived whole.
            let transactions = transactions.iter().map(|wire| wire.bytes.to_vec()).collect();
            one.disk.chain.push(CertifiedBlock { header: *header, transactions, certificate });
        }
        one.disk.crash(random);
        let after = self.random.between(5_000, 400_000);
        self.schedule(node, after, Event::Restart);
    }

    fn carry_out(&mut self, node: usize, outputs: Vec<Output>) {
        for output in outputs {
            if output.waits_for_log() {
                self.nodes[node].queue.push_back(output);
            } else {
                self.do_now(node, output);
            }
        }
        self.pump(node);
        self.plan_wake(node);
    }

    fn plan_wake(&mut self, node: usize) {
        let one = &self.nodes[node];
        let Some(wake) = one.replica.as_ref().and_then(Replica::next_wake) else { return };
        let at = one.started_us + wake * 1_000;
        if one.wake_us.is_none_or(|planned| at < planned) {
            self.nodes[node].wake_us = Some(at);
            self.schedule(node, at.saturating_sub(self.now_us).max(1), Event::Wake { at_us: at });
        }
    }

    /// Does what waits in order, up to the next write.
    fn pump(&mut self, node: usize) {
        while self.nodes[node].active.is_none() {
            let Some(output) = self.nodes[node].queue.pop_front() else { return };
            if !self.healed && !self.nodes[node].byzantine && self.random.chance(self.settings.crash) {
                self.crash(node);
                return;
            }
            match output {
                Output::PersistLog { ref frame } => {
                    self.nodes[node].disk.append(frame);
                    self.write(node, output);
                }
                Output::Commit { .. } => self.write(node, output),
                Output::ResetLog => self.nodes[node].disk.truncate(),
                other => self.do_now(node, other),
            }
        }
    }

    fn write(&mut self, node: usize, output: Output) {
        self.nodes[node].active = Some(output);
        let (low, high) = self.settings.sync_us;
        let after = self.random.between(low, high);
        self.schedule(node, after, Event::DiskDone);
    }

    fn disk_done(&mut self, node: usize) {
        let Some(output) = self.nodes[node].active.take() else { return };
        if let Output::Commit { execution, header, transactions, certificate } = output {
            let round = certificate.round.0;
            let one = &mut self.nodes[node];
            let ids = one.ledger.commit(execution);
            let bytes = transactions.iter().map(|wire| wire.bytes.to_vec()).collect();
            one.disk.chain.push(CertifiedBlock { header: (*header).clone(), transactions: bytes, certificate });
            let next = one.ledger.next_block();
            if !one.byzantine {
                self.check_commit(header.height, header.hash(), round, &ids);
            }
            let input = Input::Committed { header: *header, transactions: ids, next };
            self.schedule(node, 1, Event::Step(Box::new(input)));
        } else {
            self.nodes[node].disk.sync();
        }
        self.pump(node);
    }

    fn check_commit(&mut self, height: Height, block: Hash, round: u32, ids: &[TransactionId]) {
        if let Some((first, _)) = self.canonical.get(&height) {
            if *first != block {
                self.violate(Violation::Fork(height));
            }
            return;
        }
        let waited = self.submitted > self.included.len() as u64;
        if let Some((_, (_, before))) = self.canonical.last_key_value().filter(|_| waited && !self.healed) {
            self.report.longest_gap_us = self.report.longest_gap_us.max(self.now_us - before);
        }
        self.canonical.insert(height, (block, self.now_us));
        self.included.extend(ids.iter().copied());
        self.report.transactions += ids.len() as u64;
        self.report.empty += u64::from(ids.is_empty());
        self.report.highest_round = self.report.highest_round.max(round);
    }

    fn do_now(&mut self, node: usize, output: Output) {
        match output {
            Output::Send { to, channel, bytes, .. } => self.send(node, &to, channel, &bytes),
            Output::PeerFault { reason, peer } => self.check_fault(node, peer, reason),
            Output::CheckTransactions { batch, transactions, .. } => {
                let results = transactions.iter().map(|bytes| self.nodes[node].ledger.check(bytes)).collect();
                self.schedule(node, 200, Event::Step(Box::new(Input::TransactionsChecked { batch, results })));
            }
            Output::Admission { .. } => {}
            Output::BeginBlock { execution, purpose, start } => {
                self.nodes[node].ledger.begin(execution, purpose, start)
            }
            Output::ExecutePart { execution, transactions } => {
                let left_out = self.nodes[node].ledger.execute(execution, &transactions);
                self.work(node, 5 * transactions.len() as u64, Input::PartExecuted { execution, left_out });
            }
            Output::FinishBlock { execution, expected: None } => {
                if let Some(header) = self.nodes[node].ledger.build(execution) {
                    self.work(node, 200, Input::Built { execution, header });
                }
            }
            Output::FinishBlock { execution, expected: Some(header) } => {
                if let Some(verdict) = self.nodes[node].ledger.validate(execution, &header) {
                    self.work(node, 200, Input::Verdict { execution, verdict });
                }
            }
            Output::Abandon { execution } => self.nodes[node].ledger.abandon(execution),
            Output::ReadBlocks { request, from, count, .. } => {
                let chain = &self.nodes[node].disk.chain;
                let first = (from.0 as usize).saturating_sub(1).min(chain.len());
                let last = (first + count as usize).min(chain.len());
                let blocks = chain[first..last].to_vec();
                self.schedule(node, 300, Event::Step(Box::new(Input::BlocksRead { request, blocks })));
            }
            Output::Misbehaviour { evidence } => self.check_evidence(node, &evidence),
            Output::Halt { reason } => self.halted(node, &reason.to_string()),
            Output::PersistLog { .. } | Output::ResetLog | Output::Commit { .. } => {
                unreachable!("these wait for the log")
            }
        }
    }

    /// The host's one worker executes in order.
    fn work(&mut self, node: usize, cost_us: u64, answer: Input) {
        let free = self.nodes[node].worker_free_us.max(self.now_us) + cost_us;
        self.nodes[node].worker_free_us = free;
        self.schedule(node, free - self.now_us, Event::Step(Box::new(answer)));
    }

    fn halted(&mut self, node: usize, reason: &str) {
        if !self.nodes[node].byzantine {
            self.violate(Violation::Halted(node, reason.into()));
            return;
        }
        self.fault("halt");
        self.nodes[node].replica = None;
        self.nodes[node].boot += 1;
        self.nodes[node].disk.wipe_log();
        self.schedule(node, 50_000, Event::Restart);
    }

    fn check_fault(&mut self, node: usize, peer: PeerId, reason: &'static str) {
        self.fault("fault reported");
        let accused_is_correct = self.nodes.iter().all(|one| peer_of(one.identity) != peer || !one.byzantine);
        if accused_is_correct && !self.nodes[node].byzantine && self.settings.garbage == 0 {
            self.violate(Violation::FalseFault(reason));
        }
    }

    fn check_evidence(&mut self, node: usize, evidence: &[Evidence]) {
        self.report.evidence += evidence.len() as u64;
        let set = self.nodes[node].ledger.validators().clone();
        for proof in evidence {
            let honest = self.nodes.iter().any(|one| member_of(one.identity) == proof.accused() && !one.byzantine);
            if honest || !proof.verify(&CHAIN, &set) {
                self.violate(Violation::FalseAccusation(format!("{proof:?}")));
            }
        }
    }

    fn send(&mut self, node: usize, to: &Recipients, channel: Channel, bytes: &Arc<[u8]>) {
        self.check_signed(node, bytes);
        let identity = self.nodes[node].identity;
        for other in 0..self.nodes.len() {
            let theirs = self.nodes[other].identity;
            let addressed = match to {
                Recipients::Validators => theirs < self.settings.validators,
                Recipients::Everyone => true,
                Recipients::Peer(peer) => *peer == peer_of(theirs),
            };
            if theirs == identity || !addressed || self.nodes[other].replica.is_none() {
                continue;
            }
            self.transmit(node, other, channel, bytes);
            if self.settings.forger == Some(identity)
                && let Some(forged) = self.forge(bytes)
            {
                self.fault("forged vote");
                self.transmit(node, other, channel, &forged);
            }
            if !self.healed && self.random.chance(self.settings.garbage) {
                self.fault("garbage");
                let garbage = self.garbage(bytes);
                self.transmit(node, other, channel, &garbage);
            }
        }
    }

    fn transmit(&mut self, from: usize, to: usize, channel: Channel, bytes: &Arc<[u8]>) {
        let sender = peer_of(self.nodes[from].identity);
        if self.groups[from] != self.groups[to] {
            self.fault("partitioned");
            return;
        }
        if !self.healed && self.random.chance(self.settings.loss) {
            self.fault("loss");
            return;
        }
        let copies = if !self.healed && self.random.chance(self.settings.duplication) { 2 } else { 1 };
        if copies == 2 {
            self.fault("duplication");
        }
        for _ in 0..copies {
            let (low, high) = self.settings.delay_us;
            let mut delay = self.random.between(low, high);
            if !self.healed && self.random.chance(self.settings.lateness) {
                self.fault("lateness");
                delay = self.random.between(high, 10 * high);
            }
            self.schedule(to, delay, Event::Deliver { from: sender, channel, bytes: bytes.clone() });
        }
    }

    /// Another vote than the forger's replica casts, with its signature.
    fn forge(&mut self, bytes: &[u8]) -> Option<Arc<[u8]>> {
        let Ok(Message::Vote(vote)) = Message::decode_checked(Channel::Consensus, bytes) else { return None };
        if !self.random.chance(500_000) {
            return None;
        }
        let other = hash_parts(Domain::Header, &[&self.random.draw().to_le_bytes()]);
        let value = if vote.value.is_some() && self.random.chance(500_000) { None } else { Some(other) };
        let mut forged = VoteMessage { value, ..vote };
        forged.signature = key_of(self.settings.forger?).sign(&forged.signed_bytes(&CHAIN));
        Some(Message::Vote(forged).encode().into())
    }

    /// The message with some bytes changed, cut or added.
    fn garbage(&mut self, bytes: &[u8]) -> Arc<[u8]> {
        let mut garbage = bytes.to_vec();
        match self.random.below(3) {
            0 => garbage.truncate(self.random.below(bytes.len() as u64) as usize),
            1 => garbage.extend((0..self.random.below(40)).map(|number| number as u8)),
            _ => {
                for _ in 0..=self.random.below(4) {
                    let place = self.random.below(garbage.len() as u64) as usize;
                    garbage[place] = self.random.draw() as u8;
                }
            }
        }
        garbage.into()
    }

    /// Whatever a correct validator signs is noted; it may never sign two things for one place.
    fn check_signed(&mut self, node: usize, bytes: &[u8]) {
        if self.nodes[node].byzantine {
            return;
        }
        let identity = self.nodes[node].identity;
        let (place, value) = match Message::decode_checked(Channel::Consensus, bytes) {
            Ok(Message::Vote(vote)) => ((identity, vote.kind as u8, vote.height, vote.round.0), vote.value),
            Ok(Message::Proposal(proposal)) if proposal.proposer == member_of(identity) => {
                ((identity, 2, proposal.height, proposal.round.0), Some(proposal.value))
            }
            _ => return,
        };
        let first = *self.said.entry(place).or_insert(value);
        if first != value {
            self.violate(Violation::DoubleSign(format!("validator {identity}, {place:?}")));
        }
    }

    fn split_or_join(&mut self) {
        let apart = self.groups.iter().any(|group| *group != self.groups[0]);
        if apart && self.random.chance(600_000) {
            self.groups.fill(0);
            return;
        }
        self.fault("partition");
        for group in 0..self.groups.len() {
            self.groups[group] = self.random.below(2);
        }
    }

    fn heal(&mut self) {
        self.healed = true;
        self.groups.fill(0);
    }

    fn transaction(&mut self) -> Transaction {
        self.submitted += 1;
        let number = self.submitted;
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&number.to_le_bytes());
        let body = Body {
            version: 1,
            chain: CHAIN,
            sender: AccountId([self.random.below(5) as u8; 16]),
            salt,
            expires_at: Timestamp(EPOCH_MS + self.now_us / 1_000 + 240_000),
            gas_limit: self.random.between(1_000, 50_000_000),
            approvers: vec![KeyId([1; 32])],
            calls: vec![Call { contract: ContractId([1; 16]), input: vec![7; self.random.below(200) as usize] }],
        };
        Transaction { body, approvals: vec![Signature::Ed25519([0; 64])] }
    }

    fn submit_somewhere(&mut self) {
        let up: Vec<usize> = (0..self.nodes.len()).filter(|node| self.nodes[*node].replica.is_some()).collect();
        if let Some(node) = self.random.pick(&up).copied() {
            let transaction = self.transaction();
            self.submit(node, &transaction);
        }
    }

    fn submit(&mut self, node: usize, transaction: &Transaction) {
        let request = self.submitted;
        let transaction = pooled(transaction, transaction.encode().into());
        self.step(node, Input::Submitted { request, transaction });
    }

    /// After the faults: one more transaction at every correct node; each must become final at every correct node.
    fn settle(&mut self) {
        let deadline = self.now_us + self.settings.settle_us;
        // Crashed nodes come back first.
        while self.now_us < deadline && self.report.violation.is_none() && !self.all_up() {
            self.advance(deadline);
        }
        let mut expected = Vec::new();
        for node in 0..self.nodes.len() {
            if self.nodes[node].replica.is_some() && !self.nodes[node].byzantine {
                let transaction = self.transaction();
                expected.push(transaction.body.id());
                self.submit(node, &transaction);
            }
        }
        while self.report.violation.is_none() && !self.has_everywhere(&expected) {
            if self.now_us >= deadline {
                let heads: Vec<_> = self.nodes.iter().map(|node| node.ledger.head().height.0).collect();
                let why: Vec<_> = self
                    .nodes
                    .iter()
                    .filter_map(|node| node.replica.as_ref())
                    .map(|one| one.status().why_no_block)
                    .collect();
                self.violate(Violation::NoProgress(format!("heads {heads:?}, why {why:?}")));
                return;
            }
            self.advance(deadline);
        }
    }

    fn all_up(&self) -> bool {
        let mut correct = (0..self.nodes.len()).filter(|node| !self.nodes[*node].byzantine && !self.is_dead(*node));
        correct.all(|node| self.nodes[node].replica.is_some())
    }

    fn has_everywhere(&self, expected: &[TransactionId]) -> bool {
        let included = expected.iter().all(|id| self.included.contains(id));
        let highest = self.canonical.last_key_value().map_or(Height(0), |(height, _)| *height);
        let mut correct = (0..self.nodes.len()).filter(|node| !self.nodes[*node].byzantine && !self.is_dead(*node));
        included && correct.all(|node| self.nodes[node].ledger.head().height >= highest)
    }
}

/// Executes a stored block again; the same header must come of it.
fn replay(ledger: &mut Ledger, number: u64, block: &CertifiedBlock) {
    let execution = portolan_replica::ExecutionId(u64::MAX - number);
    let header = &block.header;
    let start = portolan_replica::BlockStart {
        height: header.height,
        round: header.round,
        parent: header.parent,
        time: header.time,
        proposer: header.proposer,
    };
    let wires: Vec<_> = block
        .transactions
        .iter()
        .map(|bytes| {
            let transaction = Transaction::decode_checked(bytes).expect("stored blocks are well-formed");
            portolan_replica::Wire { hash: transaction.wire_hash(), bytes: bytes.as_slice().into() }
        })
        .collect();
    ledger.begin(execution, Purpose::Certified, start);
    ledger.execute(execution, &wires);
    let verdict = ledger.validate(execution, header);
    assert_eq!(
        verdict,
        Some(portolan_replica::Verdict::Valid),
        "height {} does not execute again as it did",
        header.height
    );
    ledger.commit(execution);
}
