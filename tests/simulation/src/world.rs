//! Nodes, their disks and the network between them, in one thread under one seed and a virtual clock.
//!
//! Each thing that can happen is an event with a time; a run is the same whenever its settings are. The checks look at what
//! is sent, what is committed and what the contracts say, not into the replicas.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use codec::Encode;
use portolan_node::host::ToReplica;
use portolan_node::host::executor::ToExecutor;
use portolan_node::host::gate::Passed;
use portolan_node::host::logger::ToLog;
use portolan_node::store::FORMAT;
use portolan_primitives::receipt::Origin;
use portolan_primitives::{
    Domain, Hash, Header, Height, Timestamp, Transaction, TransactionId, ValidatorSet, VoteKind, hash_parts,
};
use portolan_replica::messages::{Channel, Message, VoteMessage};
use portolan_replica::{Evidence, Input, Moment, Output, PeerId, Recipients, Verdict};

use crate::checks::{self, Agenda};
use crate::consortium::{Consortium, EPOCH_MS};
use crate::disk::Disk;
use crate::host::{Host, NoStart};
use crate::random::Random;
use crate::report::{Report, Violation};
use crate::settings::Settings;
use crate::store::SimStore;
use crate::tally;
use crate::traffic::{Governance, Reference, Traffic, UPGRADED};

/// Steps of all replicas in one run; far more than any run needs.
const MAX_STEPS: u64 = 5_000_000;
/// Blocks between two looks at whole trees and all deposits.
const WHOLE_EVERY: u64 = 16;
/// Most that the log of these runs may have on a disk: far more than the records of a height.
const MAX_LOG_BYTES: usize = 8 << 20;
/// Most jobs that may wait for the executor, and for the log, of one node.
const MAX_JOBS: usize = 1_024;
/// Steps between two looks at what a node holds.
const LOOK_EVERY: u64 = 16;
/// Of a store that an older program wrote.
const OLD_FORMAT: u32 = FORMAT - 1;
/// Rounds beyond this one are counted.
const HIGH_ROUND: u32 = 10;
/// Chance in a million that a part of a proposal is lost in a storm.
const STORM_LOSS: u64 = 850_000;
/// How long whoever decided first stays cut off, µs.
const ISOLATED_US: u64 = 1_500_000;
/// Until a full disk has room again, µs.
const ROOM_AFTER_US: u64 = 200_000;

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
    LogDone,
    Executed,
    Restart,
    /// A node that synced anew takes up its key and its log again.
    Rejoin,
}

struct Node {
    identity: usize,
    byzantine: bool,
    host: Option<Host>,
    store: Arc<SimStore>,
    disk: Disk,
    boot: u64,
    skew_ms: i64,
    started_us: u64,
    wake_us: Option<u64>,
    /// Up to where clients may have been told that a block is final.
    acknowledged: Height,
    /// Its store is made anew from peers, without the key, until it has this height again.
    anew: Option<Height>,
    /// Its store is of an older format, which it must refuse.
    refuses: bool,
    /// Points at which it could have crashed.
    crash_points: u64,
}

/// A run.
pub struct World {
    settings: Settings,
    consortium: Arc<Consortium>,
    random: Random,
    now_us: u64,
    sequence: u64,
    events: BinaryHeap<Reverse<(u64, u64)>>,
    waiting: BTreeMap<u64, (usize, u64, Event)>,
    nodes: Vec<Node>,
    /// From which node nothing comes to which.
    cut: Vec<Vec<bool>>,
    /// Until when whoever was cut off stays so, µs.
    isolated_until: u64,
    /// When the last message of a sender's stream comes to a receiver.
    last_arrival: BTreeMap<(usize, usize, u8), u64>,
    healed: bool,
    traffic: Traffic,
    reference: Reference,
    agenda: Agenda,
    sets: Vec<ValidatorSet>,
    canonical: BTreeMap<Height, (Hash, u64)>,
    /// Transactions that a node took and no block has yet.
    open: BTreeSet<TransactionId>,
    included: BTreeSet<TransactionId>,
    said: BTreeMap<(usize, u8, Height, u32), Option<Hash>>,
    /// Of the contracts that are upgraded.
    versions: [(&'static str, u32); 2],
    submitted: u64,
    report: Report,
}

impl World {
    /// A world before its first moment.
    pub fn new(settings: Settings) -> Self {
        let consortium = Consortium::of(settings.validators, settings.followers);
        let mut random = Random::new(settings.seed);
        let twins = settings.validators - settings.twins..settings.validators;
        let instances = (0..consortium.identities())
            .map(|identity| (identity, false))
            .chain(twins.clone().map(|twin| (twin, true)));
        let nodes: Vec<Node> = instances
            .map(|(identity, second)| {
                let faulty =
                    [settings.forger, settings.liar, settings.withholder, settings.fouler].contains(&Some(identity));
                let defective = settings.defective.contains(&identity);
                Node {
                    identity,
                    byzantine: second || twins.contains(&identity) || faulty || defective,
                    host: None,
                    store: consortium.store(settings.store_synced),
                    disk: Disk::new(settings.log, random.draw()),
                    boot: 0,
                    skew_ms: skew(&mut random, settings.skew_ms),
                    started_us: 0,
                    wake_us: None,
                    acknowledged: Height(0),
                    anew: None,
                    refuses: false,
                    crash_points: 0,
                }
            })
            .collect();
        let genesis = consortium.recover(consortium.store(true));
        let reference =
            Reference { consortium: consortium.clone(), head: genesis.head, view: Arc::new(genesis.state.view()) };
        let governance = match (settings.governance, nodes.iter().any(|node| node.byzantine)) {
            (false, _) => Governance::Nothing,
            (true, true) => Governance::Weights(settings.validators - 1),
            (true, false) => Governance::Everything,
        };
        Self {
            random,
            now_us: 0,
            sequence: 0,
            events: BinaryHeap::new(),
            waiting: BTreeMap::new(),
            cut: vec![vec![false; nodes.len()]; nodes.len()],
            isolated_until: 0,
            last_arrival: BTreeMap::new(),
            nodes,
            healed: false,
            traffic: Traffic::new(consortium.clone(), governance, settings.upgrades),
            sets: vec![ValidatorSet::new(reference.validators())],
            reference,
            agenda: Agenda::default(),
            canonical: BTreeMap::new(),
            open: BTreeSet::new(),
            included: BTreeSet::new(),
            said: BTreeMap::new(),
            versions: [(tally::NAME, 0), (UPGRADED, 1)],
            submitted: 0,
            report: Report::default(),
            consortium,
            settings,
        }
    }

    /// Runs it to its end: faults, then rest, then everything that was accepted must become final everywhere.
    pub fn run(mut self) -> Report {
        for node in 0..self.nodes.len() {
            if self.clock(node) != 0 {
                self.fault("clock skew");
            }
            if self.is_dead(node) {
                self.fault("dead validator");
            } else {
                self.boot(node);
            }
        }
        (0..self.settings.twins).for_each(|_| self.fault("twin"));
        let mut next_submit = if self.settings.submit_every_us > 0 { 1_000 } else { u64::MAX };
        let apart = self.settings.partitions || self.settings.isolated;
        let mut next_split = if apart { 100_000 } else { u64::MAX };
        while self.now_us < self.settings.faults_us && self.report.violation.is_none() {
            if self.now_us >= next_submit {
                self.submit_next();
                next_submit = self.now_us + self.random.between(1, 2 * self.settings.submit_every_us);
            }
            if self.now_us >= next_split {
                if self.settings.partitions {
                    self.split_or_join();
                } else if self.now_us >= self.isolated_until {
                    self.join();
                }
                next_split = self.now_us + self.random.between(50_000, 600_000);
            }
            let limit = self.settings.faults_us.min(next_split).min(next_submit);
            self.advance(limit);
        }
        self.heal();
        self.settle();
        if self.report.violation.is_none()
            && let Err(wrong) = checks::whole(&self.reference, self.traffic.certificates())
                .and_then(|()| checks::tally(&self.reference, self.traffic.tallied()))
        {
            self.violate(Violation::Unsound(wrong));
        }
        self.report.heights = self.canonical.len() as u64;
        self.report.certificates = self.traffic.certificates().len() as u64;
        self.report.due = self.agenda.succeeded();
        self.report.changes = self.sets.len() as u64 - 1;
        self.report.crash_points = self.nodes.first().map_or(0, |node| node.crash_points);
        self.report
    }

    fn is_dead(&self, node: usize) -> bool {
        self.settings.dead.contains(&self.nodes[node].identity)
    }

    fn is_correct(&self, node: usize) -> bool {
        !self.nodes[node].byzantine && !self.is_dead(node)
    }

    fn fault(&mut self, kind: &'static str) {
        *self.report.faults.entry(kind).or_default() += 1;
    }

    fn violate(&mut self, violation: Violation) {
        self.report.violation.get_or_insert(violation);
    }

    /// Whether a fault of this chance happens at a node now.
    fn strikes(&mut self, node: usize, chance: u64) -> bool {
        !self.healed && chance > 0 && !self.nodes[node].byzantine && self.random.chance(chance)
    }

    /// Whether a node crashes at this point.
    fn crashes(&mut self, node: usize) -> bool {
        let one = &mut self.nodes[node];
        if !self.healed && !one.byzantine {
            one.crash_points += 1;
            if self.settings.crash_at == Some((node, one.crash_points)) {
                return true;
            }
        }
        self.strikes(node, self.settings.crash)
    }

    // ---- time ----

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
        if self.strikes(node, self.settings.clock_jump) {
            self.fault("clock jump");
            self.nodes[node].skew_ms = skew(&mut self.random, 10 * self.settings.skew_ms.max(50));
        }
        match event {
            Event::Deliver { from, channel, bytes } => {
                if self.nodes[node].host.is_some() {
                    self.report.messages += 1;
                    self.step(node, Input::Received { from, channel, bytes: bytes.to_vec() });
                }
            }
            _ if self.nodes[node].boot != boot => {}
            Event::Step(input) => self.step(node, *input),
            Event::Wake { at_us } if self.nodes[node].wake_us == Some(at_us) => {
                self.nodes[node].wake_us = None;
                self.step(node, Input::Tick);
            }
            Event::Wake { .. } => {}
            Event::LogDone => self.log_done(node),
            Event::Executed => self.executed(node),
            Event::Restart => self.boot(node),
            Event::Rejoin => self.rejoin(node),
        }
    }

    fn moment(&self, node: usize) -> Moment {
        let wall = (EPOCH_MS + self.now_us / 1_000) as i64 + self.clock(node);
        let elapsed_ms = (self.now_us - self.nodes[node].started_us) / 1_000;
        Moment { elapsed_ms, clock: Timestamp(wall as u64) }
    }

    /// How far a node's clock is off, ms.
    fn clock(&self, node: usize) -> i64 {
        match self.settings.clock_off {
            Some((off, ms)) if off == node && !self.healed => ms,
            _ => self.nodes[node].skew_ms,
        }
    }

    fn disk_time(&mut self, node: usize) -> u64 {
        let (low, high) = self.settings.sync_us;
        let time = self.random.between(low, high);
        let slow = self.settings.slow_disk > 1 && node == 0 && !self.healed;
        if slow {
            self.fault("slow disk");
            return time * self.settings.slow_disk;
        }
        time
    }

    // ---- a node's life ----

    /// Brings a node up from its disk.
    fn boot(&mut self, node: usize) {
        let one = &mut self.nodes[node];
        one.boot += 1;
        one.started_us = self.now_us;
        one.wake_us = None;
        one.disk.set_full(false);
        if one.byzantine {
            one.disk.wipe();
        }
        let (identity, byzantine, acknowledged) = (one.identity, one.byzantine, one.acknowledged);
        self.age(node);
        let moment = self.moment(node);
        let one = &self.nodes[node];
        // The key stays away, and the log as it is, until the node knows again what was decided when it last signed.
        let (key, disk) = match one.anew {
            None => (self.consortium.validator_key(identity), one.disk.clone()),
            Some(_) => (None, Disk::new(self.settings.log, self.settings.seed)),
        };
        match Host::start(&self.consortium, identity, key, one.store.clone(), &disk, self.settings.unlocked, moment) {
            Ok(_) if self.nodes[node].refuses => {
                self.violate(Violation::Halted(node, "it started on a store of an older format".into()));
            }
            Ok((host, outputs)) => {
                if host.height < acknowledged {
                    self.violate(Violation::LostFinal(node, acknowledged));
                }
                self.nodes[node].host = Some(host);
                self.carry_out(node, outputs);
                self.connect(node);
            }
            Err(_) if byzantine => self.schedule(node, 50_000, Event::Restart),
            Err(NoStart::OtherFormat(found)) if found == OLD_FORMAT => self.sync_anew(node),
            Err(NoStart::OtherFormat(found)) => self.violate(Violation::Halted(node, format!("format {found}"))),
            Err(NoStart::StoreBehindLog) => self.violate(Violation::LostFinal(node, acknowledged)),
            Err(NoStart::Other(reason)) => self.violate(Violation::Halted(node, reason)),
        }
    }

    /// Now and then a node that comes back finds that an older program wrote its store.
    fn age(&mut self, node: usize) {
        let (one, chance) = (&self.nodes[node], self.settings.old_format);
        // It counts as faulty until it has synced: one at a time.
        let possible =
            one.boot > 1 && one.acknowledged > Height(0) && self.nodes.iter().all(|node| node.anew.is_none());
        if possible && self.strikes(node, chance) {
            self.nodes[node].store.set_format(OLD_FORMAT, self.consortium.chain);
            self.nodes[node].refuses = true;
        }
    }

    /// The store was refused by name: the node gets an empty one, and follows without its key until it has what it had.
    fn sync_anew(&mut self, node: usize) {
        self.fault("old format");
        let store = self.consortium.store(self.settings.store_synced);
        let one = &mut self.nodes[node];
        one.refuses = false;
        one.store = store;
        one.anew = Some(one.acknowledged);
        one.acknowledged = Height(0);
        self.schedule(node, 1_000, Event::Restart);
    }

    /// A node that follows has its blocks again: it starts anew with its key and the log that it had.
    fn rejoin(&mut self, node: usize) {
        self.fault("store synced anew");
        let one = &mut self.nodes[node];
        one.host = None;
        one.boot += 1;
        one.anew = None;
        self.boot(node);
    }

    /// Everybody learns of a node that comes up, and it of them.
    fn connect(&mut self, node: usize) {
        for other in 0..self.nodes.len() {
            if self.nodes[other].identity == self.nodes[node].identity || self.nodes[other].host.is_none() {
                continue;
            }
            let (here, there) = (self.peer(node), self.peer(other));
            self.up(node, there);
            self.step(other, Input::PeerDown { peer: here });
            self.up(other, here);
        }
    }

    fn peer(&self, node: usize) -> PeerId {
        self.consortium.peer(self.nodes[node].identity)
    }

    /// A node sees a peer, as the roster of its own state has it.
    fn up(&mut self, node: usize, peer: PeerId) {
        let Some(host) = &self.nodes[node].host else { return };
        let validator = host.roster.validator_nodes().contains(&peer);
        self.step(node, Input::PeerUp { peer, validator });
    }

    /// The power goes, or only the process; `place` says between which durable writes.
    fn crash(&mut self, node: usize, place: &'static str) {
        self.fault(place);
        let random = &mut self.random;
        let one = &mut self.nodes[node];
        one.host = None;
        one.boot += 1;
        if random.chance(700_000) {
            one.store.crash(random);
            let damage = one.disk.lose_power(random);
            self.fault("power cut");
            if damage.torn {
                self.fault("torn write");
            }
            if damage.corrupt {
                self.fault("corrupt write");
            }
        } else {
            one.disk.lose_process();
            self.fault("kill");
        }
        let after = self.random.between(5_000, 400_000);
        self.schedule(node, after, Event::Restart);
    }

    fn halted(&mut self, node: usize, reason: &str) {
        let after = if self.nodes[node].disk.is_full() {
            self.fault("full disk");
            ROOM_AFTER_US
        } else if self.nodes[node].byzantine || self.settings.unlocked {
            self.fault("halt");
            50_000
        } else {
            self.violate(Violation::Halted(node, reason.into()));
            return;
        };
        self.nodes[node].host = None;
        self.nodes[node].boot += 1;
        self.nodes[node].disk.lose_process();
        self.schedule(node, after, Event::Restart);
    }

    fn step(&mut self, node: usize, input: Input) {
        let moment = self.moment(node);
        let Some(host) = self.nodes[node].host.as_mut() else { return };
        let outputs = host.step(input, moment);
        self.report.steps += 1;
        if self.report.steps > MAX_STEPS {
            self.violate(Violation::Runaway);
        }
        if self.report.steps % LOOK_EVERY == 0 {
            self.check_bounds(node);
        }
        self.carry_out(node, outputs);
    }

    fn carry_out(&mut self, node: usize, outputs: Vec<Output>) {
        let boot = self.nodes[node].boot;
        for output in outputs {
            if self.crashes(node) {
                return self.crash(node, "crash before an output");
            }
            // What was carried out before may have ended the node.
            if self.nodes[node].boot != boot {
                return;
            }
            let Some(host) = self.nodes[node].host.as_mut() else { return };
            match host.gate.pass(output) {
                Some(Passed::Append { sequence, frame }) => {
                    let height = host.height.next();
                    host.log_jobs.push_back(ToLog::Append { height, sequence, frame });
                    self.start_log(node);
                }
                Some(Passed::Perform(output)) => self.perform(node, output),
                None => {}
            }
        }
        self.plan_wake(node);
    }

    fn plan_wake(&mut self, node: usize) {
        let one = &self.nodes[node];
        let Some(wake) = one.host.as_ref().and_then(|host| host.replica.next_wake()) else { return };
        let at = one.started_us + wake * 1_000;
        if one.wake_us.is_none_or(|planned| at < planned) {
            self.nodes[node].wake_us = Some(at);
            self.schedule(node, at.saturating_sub(self.now_us).max(1), Event::Wake { at_us: at });
        }
    }

    // ---- the log ----

    fn start_log(&mut self, node: usize) {
        let Some(host) = self.nodes[node].host.as_mut() else { return };
        if host.writing.is_some() || host.log_jobs.is_empty() {
            return;
        }
        host.writing = Some(host.log_jobs.drain(..).collect());
        let time = self.disk_time(node);
        self.schedule(node, time, Event::LogDone);
    }

    fn log_done(&mut self, node: usize) {
        if self.strikes(node, self.settings.full) {
            self.nodes[node].disk.set_full(true);
        }
        let cut = self.crashes(node);
        if cut {
            self.nodes[node].disk.blow_fuse();
        }
        let Some(host) = self.nodes[node].host.as_mut() else { return };
        let written = host.write_log();
        if cut {
            return self.crash(node, "crash in a log write");
        }
        match written {
            Err(reason) => return self.halted(node, &reason),
            Ok(None) => {}
            Ok(Some(sequence)) => {
                host.gate.synced(sequence);
                self.release(node);
            }
        }
        self.start_log(node);
        self.plan_wake(node);
    }

    fn release(&mut self, node: usize) {
        while let Some(output) = self.nodes[node].host.as_mut().and_then(|host| host.gate.release()) {
            if self.crashes(node) {
                return self.crash(node, "crash between log and message");
            }
            self.perform(node, output);
        }
    }

    // ---- execution ----

    fn job(&mut self, node: usize, job: ToExecutor) {
        if let Some(host) = self.nodes[node].host.as_mut() {
            host.jobs.push_back(job);
            self.start_executor(node);
        }
    }

    fn start_executor(&mut self, node: usize) {
        let Some(host) = self.nodes[node].host.as_mut().filter(|host| !host.executing) else { return };
        let time = match host.jobs.front() {
            None => return,
            Some(ToExecutor::Begin(..)) => 60,
            Some(ToExecutor::Part(_, wires)) => 20 + 100 * wires.len() as u64,
            Some(ToExecutor::Finish(..)) => 200,
            Some(ToExecutor::Abandon(_)) => 1,
            Some(ToExecutor::Commit(..)) => 0,
        };
        host.executing = true;
        let time = if time == 0 { self.disk_time(node) } else { time };
        self.schedule(node, time, Event::Executed);
    }

    fn executed(&mut self, node: usize) {
        let Some(host) = self.nodes[node].host.as_mut() else { return };
        host.executing = false;
        let commits = matches!(host.jobs.front(), Some(ToExecutor::Commit(..)));
        if commits && self.crashes(node) {
            return self.crash(node, "crash before a commit");
        }
        let Some(host) = self.nodes[node].host.as_mut() else { return };
        let (told, result) = host.execute();
        if commits && self.crashes(node) {
            // It is on the disk, and nobody was told.
            return self.crash(node, "crash after a commit");
        }
        for message in told {
            match message {
                ToReplica::Input(input) => self.answered(node, input),
                ToReplica::Roster(roster) => self.take_roster(node, roster),
                _ => {}
            }
        }
        if let Err(halt) = result {
            return self.halted(node, &halt.to_string());
        }
        self.start_executor(node);
    }

    /// What the executor answers; a faulty node's is changed first.
    fn answered(&mut self, node: usize, mut input: Input) {
        let identity = self.nodes[node].identity;
        match &mut input {
            Input::Built { header, .. } if self.settings.liar == Some(identity) => {
                self.fault("wrong state root");
                header.state_root = hash_parts(Domain::StateValue, &[&header.state_root.0]);
            }
            Input::Built { header, .. } if self.settings.fouler == Some(identity) => {
                self.fault("invalid proposal");
                foul(&mut self.random, header);
            }
            Input::Verdict { verdict, .. } if self.settings.defective.contains(&identity) => {
                self.fault("other roots");
                let ours = Box::new(self.reference.head.header.clone());
                *verdict = Verdict::RootsDiffer { ours };
            }
            Input::Committed { header, .. } => {
                let (height, block) = (header.height, header.hash());
                self.committed(node, height, block);
            }
            _ => {}
        }
        self.schedule(node, 1, Event::Step(Box::new(input)));
    }

    fn take_roster(&mut self, node: usize, roster: portolan_node::host::Roster) {
        let Some(host) = self.nodes[node].host.as_mut() else { return };
        let (before, now) = (host.roster.validator_nodes(), roster.validator_nodes());
        host.roster = roster;
        let changed: Vec<PeerId> = before.symmetric_difference(&now).copied().collect();
        for other in 0..self.nodes.len() {
            let peer = self.peer(other);
            if self.nodes[other].host.is_some()
                && self.nodes[other].identity != self.nodes[node].identity
                && changed.contains(&peer)
            {
                self.up(node, peer);
            }
        }
    }

    // ---- outputs ----

    fn perform(&mut self, node: usize, output: Output) {
        match output {
            Output::Send { to, channel, bytes, .. } => self.send(node, &to, channel, &bytes),
            Output::PeerFault { peer, reason } => self.check_fault(node, peer, reason),
            Output::CheckTransactions { batch, transactions, .. } => {
                let now = self.moment(node).clock;
                let Some(host) = &self.nodes[node].host else { return };
                let results = host.check(&transactions, now);
                self.schedule(node, 150, Event::Step(Box::new(Input::TransactionsChecked { batch, results })));
            }
            Output::BeginBlock { execution, purpose, start } => {
                self.job(node, ToExecutor::Begin(execution, purpose, start));
            }
            Output::ExecutePart { execution, transactions } => {
                self.job(node, ToExecutor::Part(execution, transactions))
            }
            Output::FinishBlock { execution, expected } => self.job(node, ToExecutor::Finish(execution, expected)),
            Output::Abandon { execution } => self.job(node, ToExecutor::Abandon(execution)),
            Output::Commit { execution, header, transactions, certificate } => {
                self.job(node, ToExecutor::Commit(execution, header, transactions, certificate));
            }
            Output::ReadBlocks { request, from, count, max_bytes } => {
                let Some(host) = &self.nodes[node].host else { return };
                let blocks = host.chain.certified_from(from, count, max_bytes).expect("the store is whole");
                self.schedule(node, 300, Event::Step(Box::new(Input::BlocksRead { request, blocks })));
            }
            Output::ResetLog => {
                let Some(host) = self.nodes[node].host.as_mut() else { return };
                let height = host.height;
                host.log_jobs.push_back(ToLog::Forget(height));
                self.start_log(node);
            }
            Output::Misbehaviour { evidence } => self.check_evidence(node, &evidence),
            Output::Halt { reason } => self.halted(node, &reason.to_string()),
            Output::Admission { .. } | Output::PersistLog { .. } => {}
        }
    }

    // ---- the network ----

    fn send(&mut self, node: usize, to: &Recipients, channel: Channel, bytes: &Arc<[u8]>) {
        self.check_signed(node, bytes);
        let Some(host) = &self.nodes[node].host else { return };
        let validators = host.roster.validator_nodes();
        let identity = self.nodes[node].identity;
        for other in 0..self.nodes.len() {
            let theirs = self.peer(other);
            let addressed = match to {
                Recipients::Validators => validators.contains(&theirs),
                Recipients::Everyone => true,
                Recipients::Peer(peer) => *peer == theirs,
            };
            if self.nodes[other].identity == identity || !addressed || self.nodes[other].host.is_none() {
                continue;
            }
            if self.settings.withholder == Some(identity) && is_proposal(channel, bytes) && self.random.chance(500_000)
            {
                self.fault("withheld proposal");
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
        let sender = self.peer(from);
        if self.cut[from][to] {
            self.fault("partitioned");
            return;
        }
        let storm = self.settings.storm && is_proposal(channel, bytes);
        let chance = if storm { STORM_LOSS } else { self.settings.loss }.max(self.vote_loss(channel, bytes));
        if !self.healed && self.random.chance(chance) {
            self.fault("loss");
            return;
        }
        let copies = if !self.healed && self.random.chance(self.settings.duplication) { 2 } else { 1 };
        if copies == 2 {
            self.fault("duplication");
        }
        for _ in 0..copies {
            let (low, high) = self.settings.delay_us;
            let mut arrives = self.now_us + self.random.between(low, high);
            // A stream keeps its order, unless something overtakes, or is late, on purpose.
            let last = self.last_arrival.get(&(from, to, channel as u8)).copied().unwrap_or_default();
            if !self.healed && self.random.chance(self.settings.lateness) {
                self.fault("lateness");
                arrives = self.now_us + self.random.between(high, 10 * high);
            } else if !self.healed && self.random.chance(self.settings.reordering) {
                if arrives < last {
                    self.fault("reordering");
                }
            } else {
                arrives = arrives.max(last);
                self.last_arrival.insert((from, to, channel as u8), arrives);
            }
            let delay = arrives - self.now_us;
            self.schedule(to, delay, Event::Deliver { from: sender, channel, bytes: bytes.clone() });
        }
    }

    /// The chance that this message is lost because it is a vote.
    fn vote_loss(&self, channel: Channel, bytes: &[u8]) -> u64 {
        let (prevotes, precommits) = self.settings.votes_lost;
        if channel != Channel::Consensus || (prevotes, precommits) == (0, 0) {
            return 0;
        }
        match Message::decode_checked(channel, bytes) {
            Ok(Message::Vote(vote)) if vote.kind == VoteKind::Prevote => prevotes,
            Ok(Message::Vote(_)) => precommits,
            _ => 0,
        }
    }

    /// Cuts a node off from all others, for a while.
    fn isolate(&mut self, node: usize) {
        if !self.settings.isolated || self.healed || self.now_us < self.isolated_until {
            return;
        }
        self.fault("isolated decider");
        self.isolated_until = self.now_us + ISOLATED_US;
        self.join();
        for other in (0..self.nodes.len()).filter(|other| *other != node) {
            self.cut[node][other] = true;
            self.cut[other][node] = true;
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
        let key = self.consortium.validator_key(self.settings.forger?)?;
        forged.signature = key.sign(&forged.signed_bytes(&self.consortium.chain));
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

    fn split_or_join(&mut self) {
        let apart = self.cut.iter().flatten().any(|cut| *cut);
        if apart && self.random.chance(600_000) {
            self.join();
            return;
        }
        let count = self.nodes.len();
        if self.random.chance(300_000) {
            self.fault("one-way partition");
            let deaf = self.random.below(count as u64) as usize;
            let mute = self.random.chance(500_000);
            for other in (0..count).filter(|other| *other != deaf) {
                let (from, to) = if mute { (deaf, other) } else { (other, deaf) };
                self.cut[from][to] = true;
            }
            return;
        }
        self.fault("partition");
        let sides: Vec<u64> = (0..count).map(|_| self.random.below(2)).collect();
        for from in 0..count {
            for to in 0..count {
                self.cut[from][to] = sides[from] != sides[to];
            }
        }
    }

    fn join(&mut self) {
        self.cut.iter_mut().for_each(|row| row.fill(false));
    }

    fn heal(&mut self) {
        self.healed = true;
        self.join();
        for node in 0..self.nodes.len() {
            self.nodes[node].skew_ms = skew(&mut self.random, self.settings.skew_ms);
        }
    }

    // ---- checks ----

    /// A node has a block on its disk.
    fn committed(&mut self, node: usize, height: Height, block: Hash) {
        self.nodes[node].acknowledged = height;
        if self.nodes[node].anew.is_some_and(|wanted| height >= wanted) {
            self.schedule(node, 1, Event::Rejoin);
        }
        if self.nodes[node].byzantine {
            return;
        }
        if let Some((first, _)) = self.canonical.get(&height) {
            if *first != block {
                self.violate(Violation::Fork(height));
            }
            return;
        }
        let Some(host) = &self.nodes[node].host else { return };
        let tip = host.tip.load_full();
        let receipts = host.chain.receipts(height).expect("the store is whole").unwrap_or_default();
        let certificate = host.chain.certificate(height).expect("the store is whole");
        let round = certificate.map_or(0, |certificate| certificate.round.0);
        self.reference =
            Reference { consortium: self.consortium.clone(), head: tip.head.clone(), view: tip.view.clone() };
        let waited = !self.open.is_empty() && !self.healed;
        if let Some((_, (_, before))) = self.canonical.last_key_value().filter(|_| waited) {
            self.report.longest_gap_us = self.report.longest_gap_us.max(self.now_us - before);
        }
        self.canonical.insert(height, (block, self.now_us));
        self.isolate(node);
        let mut ran = Vec::new();
        for executed in &receipts {
            let Origin::Transaction(id) = executed.receipt.origin else { continue };
            ran.push((id, executed.receipt.succeeded()));
            self.open.remove(&id);
            if !self.included.insert(id) {
                self.violate(Violation::Unsound(format!("{id} ran twice")));
            }
        }
        self.report.transactions += ran.len() as u64;
        self.report.succeeded += ran.iter().filter(|(_, succeeded)| *succeeded).count() as u64;
        self.report.empty += u64::from(ran.is_empty());
        self.report.highest_round = self.report.highest_round.max(round);
        if round > HIGH_ROUND {
            self.fault("round above ten");
        }
        self.count_locks(height, round, block);
        self.traffic.done(ran.into_iter());
        let set = ValidatorSet::new(self.reference.validators());
        if self.sets.last() != Some(&set) {
            self.fault("change of validators");
            self.sets.push(set);
        }
        self.count_upgrades();
        let whole = height.0 % WHOLE_EVERY == 0;
        let check = if whole { checks::whole } else { checks::sums };
        let sound = self
            .agenda
            .take(&receipts)
            .and_then(|()| check(&self.reference, self.traffic.certificates()))
            .and_then(|()| checks::tally(&self.reference, self.traffic.tallied()));
        if let Err(wrong) = sound {
            self.violate(Violation::Unsound(format!("height {height}: {wrong}")));
        }
    }

    /// Contracts that run other code since this block.
    fn count_upgrades(&mut self) {
        if !self.settings.upgrades {
            return;
        }
        for (place, kind) in ["upgrade with migration", "upgrade"].into_iter().enumerate() {
            let (name, before) = self.versions[place];
            let now = self.reference.version(name);
            self.versions[place].1 = now;
            // The first version is no upgrade.
            if now > before.max(1) {
                self.fault(kind);
            }
        }
    }

    /// Locks of earlier rounds that others did not see: on the block that was decided, or on another.
    fn count_locks(&mut self, height: Height, decided: u32, block: Hash) {
        for identity in 0..self.consortium.validators {
            for round in 0..decided {
                match self.said.get(&(identity, VoteKind::Precommit as u8, height, round)) {
                    Some(Some(value)) if *value == block => self.fault("hidden lock kept"),
                    Some(Some(_)) => self.fault("hidden lock given up"),
                    _ => {}
                }
            }
        }
    }

    /// Nothing that a correct node holds is above its bound.
    fn check_bounds(&mut self, node: usize) {
        let Some(host) = self.nodes[node].host.as_ref().filter(|_| !self.nodes[node].byzantine) else { return };
        let hosts = [
            ("jobs for the executor", host.jobs.len(), MAX_JOBS),
            ("jobs for the log", host.log_jobs.len(), MAX_JOBS),
            ("bytes of the log", self.nodes[node].disk.bytes(), MAX_LOG_BYTES),
        ];
        let replicas = host.replica.holdings().into_iter().map(|one| (one.what, one.held, one.most));
        let above = hosts.into_iter().chain(replicas).find(|(_, held, most)| held > most);
        if let Some((what, held, most)) = above {
            self.violate(Violation::Unbounded(format!("node {node} holds {held} {what}, and {most} are the most")));
        }
    }

    fn check_fault(&mut self, node: usize, peer: PeerId, reason: &'static str) {
        self.fault("fault reported");
        let accused = (0..self.nodes.len()).filter(|other| self.peer(*other) == peer);
        let is_correct = accused.clone().count() > 0 && accused.clone().all(|other| !self.nodes[other].byzantine);
        if is_correct && !self.nodes[node].byzantine && self.settings.garbage == 0 {
            self.violate(Violation::FalseFault(reason));
        }
    }

    fn check_evidence(&mut self, node: usize, evidence: &[Evidence]) {
        self.report.evidence += evidence.len() as u64;
        if let Some(host) = &self.nodes[node].host {
            host.chain.keep_evidence(evidence).expect("the store takes it");
        }
        for proof in evidence {
            let of = |other: &Node| self.consortium.member(other.identity) == proof.accused();
            let honest = self.nodes.iter().any(|other| of(other) && !other.byzantine);
            if honest || !self.sets.iter().any(|set| proof.verify(&self.consortium.chain, set)) {
                self.violate(Violation::FalseAccusation(format!("{proof:?}")));
                return;
            }
        }
    }

    /// Whatever a correct validator signs is noted; it may never sign two things for one place.
    fn check_signed(&mut self, node: usize, bytes: &[u8]) {
        if self.nodes[node].byzantine {
            return;
        }
        let identity = self.nodes[node].identity;
        let (place, value) = match Message::decode_checked(Channel::Consensus, bytes) {
            Ok(Message::Vote(vote)) => ((identity, vote.kind as u8, vote.height, vote.round.0), vote.value),
            Ok(Message::Proposal(proposal)) if proposal.proposer == self.consortium.member(identity) => {
                ((identity, 2, proposal.height, proposal.round.0), Some(proposal.value))
            }
            _ => return,
        };
        let first = *self.said.entry(place).or_insert(value);
        if first != value {
            self.violate(Violation::DoubleSign(format!("validator {identity}, {place:?}")));
        }
    }

    // ---- clients ----

    fn submit_next(&mut self) {
        let Some(transaction) = self.traffic.next(&mut self.random, self.now_us, &self.reference) else { return };
        let up: Vec<usize> = (0..self.nodes.len()).filter(|node| self.nodes[*node].host.is_some()).collect();
        // Now and then a client sends to several nodes at once.
        let times = if self.random.chance(200_000) { 3 } else { 1 };
        for _ in 0..times {
            if let Some(node) = self.random.pick(&up).copied() {
                self.submit(node, &transaction);
            }
        }
    }

    fn submit(&mut self, node: usize, transaction: &Transaction) -> bool {
        let now = self.moment(node).clock;
        let Some(host) = &self.nodes[node].host else { return false };
        let Some(transaction) = host.admit(transaction, now) else { return false };
        self.submitted += 1;
        self.open.insert(transaction.id);
        self.step(node, Input::Submitted { request: self.submitted, transaction });
        true
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
            if self.nodes[node].host.is_some() && self.is_correct(node) {
                let transaction = self.traffic.harmless(&mut self.random, self.now_us);
                if self.submit(node, &transaction) {
                    expected.push(transaction.body.id());
                } else {
                    self.violate(Violation::NoProgress(format!("node {node} takes no transaction")));
                }
            }
        }
        while self.report.violation.is_none() && !self.has_everywhere(&expected) {
            if self.now_us >= deadline {
                let hosts = self.nodes.iter().filter_map(|node| node.host.as_ref());
                let why: Vec<_> = hosts.map(|host| (host.height.0, host.replica.status().why_no_block)).collect();
                self.violate(Violation::NoProgress(format!("{why:?}")));
                return;
            }
            self.advance(deadline);
        }
    }

    fn all_up(&self) -> bool {
        let correct = (0..self.nodes.len()).filter(|node| self.is_correct(*node)).map(|node| &self.nodes[node]);
        correct.into_iter().all(|node| node.host.is_some() && node.anew.is_none())
    }

    fn has_everywhere(&self, expected: &[TransactionId]) -> bool {
        let included = expected.iter().all(|id| self.included.contains(id));
        let highest = self.canonical.last_key_value().map_or(Height(0), |(height, _)| *height);
        let correct = (0..self.nodes.len()).filter(|node| self.is_correct(*node));
        included
            && correct.clone().all(|node| self.nodes[node].host.as_ref().is_some_and(|host| host.height >= highest))
    }
}

/// Makes a header wrong in one thing that its readers can see.
fn foul(random: &mut Random, header: &mut Header) {
    let other = hash_parts(Domain::Header, &[&random.draw().to_le_bytes()]);
    match random.below(6) {
        0 => header.receipts_root = other,
        1 => header.next_validators_hash = other,
        2 => header.validators_hash = other,
        3 => header.history_root = other,
        4 => header.gas_used += 1,
        _ => header.time = Timestamp(header.time.0 + 3_600_000),
    }
}

/// A difference of clocks, up to `most` either way.
fn skew(random: &mut Random, most: u64) -> i64 {
    random.between(0, 2 * most) as i64 - most as i64
}

fn is_proposal(channel: Channel, bytes: &[u8]) -> bool {
    let message = (channel == Channel::Consensus).then(|| Message::decode_checked(channel, bytes));
    matches!(message, Some(Ok(Message::Proposal(_) | Message::Part(_))))
}
