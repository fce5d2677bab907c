//! What a run is made of.

use crate::disk::LogMode;
use crate::random::Random;

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
    /// A message overtakes those before it.
    pub reordering: u64,
    /// Shortest and longest usual delay.
    pub delay_us: (u64, u64),
    /// The network falls apart and heals, again and again.
    pub partitions: bool,
    /// Most parts of proposals are lost, and votes are not: rounds pass without a block.
    pub storm: bool,
    /// Prevotes and precommits are lost, each by a chance of its own.
    pub votes_lost: (u64, u64),
    /// Who is first to decide a height is cut off from all others at that moment.
    pub isolated: bool,
    /// The power goes, or the process is killed, where something is about to be done or was just done.
    pub crash: u64,
    /// This node crashes once: at this point, of those where something is about to be done or was just done, from 1.
    pub crash_at: Option<(usize, u64)>,
    /// A node that comes back finds its store in the format of an older program.
    pub old_format: u64,
    /// A disk is full for a while.
    pub full: u64,
    /// How the disks treat the log.
    pub log: LogMode,
    /// Whether the stores' batches are synced (negative control when not).
    pub store_synced: bool,
    /// The last validators run twice with one key, each on its own.
    pub twins: usize,
    /// This validator doubles its votes with others.
    pub forger: Option<usize>,
    /// This validator proposes blocks with a state root that is not theirs.
    pub liar: Option<usize>,
    /// This validator proposes blocks that are wrong on their face.
    pub fouler: Option<usize>,
    /// This validator keeps its proposals from half of the others.
    pub withholder: Option<usize>,
    /// The validators do not keep their locks (negative control).
    pub unlocked: bool,
    /// These never run.
    pub dead: Vec<usize>,
    /// These come to other roots.
    pub defective: Vec<usize>,
    /// Clocks differ by at most this, ms.
    pub skew_ms: u64,
    /// The clock of this node is off by so many ms until the faults end.
    pub clock_off: Option<(usize, i64)>,
    /// A clock jumps, at any event.
    pub clock_jump: u64,
    /// Mean time between transactions of clients; 0: none.
    pub submit_every_us: u64,
    /// Contracts are upgraded by proposals, one of them with a migration.
    pub upgrades: bool,
    /// The validators change by proposals.
    pub governance: bool,
    /// Random bytes are sent now and then.
    pub garbage: u64,
    /// Time of a disk sync.
    pub sync_us: (u64, u64),
    /// One disk is slower by so much.
    pub slow_disk: u64,
}

/// What is broken in a negative control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// More validators than a third run twice.
    Twins,
    /// The consensus log is thrown away.
    Log,
    /// The log's disk forgets what was synced.
    Sync,
    /// The store's disk forgets what was synced.
    Store,
    /// No validator keeps its lock.
    Lock,
}

impl Settings {
    /// A run in which one thing is broken on which safety rests.
    pub fn broken(what: Broken, seed: u64) -> Self {
        let calm = Self::calm(seed);
        let rough = Self { crash: 4_000, loss: 30_000, lateness: 30_000, reordering: 100_000, ..calm.clone() };
        match what {
            Broken::Twins => Self { twins: 2, partitions: true, ..calm },
            Broken::Log => Self { log: LogMode::Off, ..rough },
            Broken::Sync => Self { log: LogMode::SyncIgnored, ..rough },
            Broken::Store => Self { store_synced: false, ..rough },
            Broken::Lock => {
                Self { unlocked: true, isolated: true, votes_lost: (400_000, 600_000), faults_us: 8_000_000, ..calm }
            }
        }
    }

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
            reordering: 0,
            delay_us: (200, 2_000),
            partitions: false,
            storm: false,
            votes_lost: (0, 0),
            isolated: false,
            crash: 0,
            crash_at: None,
            old_format: 0,
            full: 0,
            log: LogMode::Honest,
            store_synced: true,
            twins: 0,
            forger: None,
            liar: None,
            fouler: None,
            withholder: None,
            unlocked: false,
            dead: Vec::new(),
            defective: Vec::new(),
            skew_ms: 50,
            clock_off: None,
            clock_jump: 0,
            submit_every_us: 20_000,
            upgrades: false,
            governance: false,
            garbage: 0,
            sync_us: (300, 3_000),
            slow_disk: 1,
        }
    }

    /// Any mixture of what may happen to a chain that still has its quorum.
    pub fn drawn(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x51_3e_ed);
        let validators = match random.below(100) {
            0..75 => 4,
            75..92 => random.between(5, 7) as usize,
            92..99 => random.between(8, 13) as usize,
            _ => 31,
        };
        let some = |random: &mut Random, most: u64| if random.chance(600_000) { random.below(most) } else { 0 };
        let mut drawn = Self {
            validators,
            followers: random.below(3) as usize,
            faults_us: if validators > 7 { 1_500_000 } else { random.between(1_500_000, 4_000_000) },
            settle_us: 40_000_000,
            loss: some(&mut random, 60_000),
            duplication: some(&mut random, 50_000),
            lateness: some(&mut random, 50_000),
            reordering: some(&mut random, 300_000),
            partitions: random.chance(400_000),
            storm: random.chance(60_000),
            crash: some(&mut random, 2_000),
            full: some(&mut random, 200),
            skew_ms: random.below(120),
            clock_jump: some(&mut random, 60),
            submit_every_us: random.between(8_000, 40_000),
            governance: random.chance(300_000),
            garbage: some(&mut random, 8_000),
            slow_disk: if random.chance(200_000) { 20 } else { 1 },
            ..Self::calm(seed)
        };
        drawn.draw_byzantine(&mut random);
        drawn.draw_later(&mut random);
        drawn
    }

    /// One kind of faulty validators, up to the third that is allowed.
    fn draw_byzantine(&mut self, random: &mut Random) {
        let most = (self.validators - 1) / 3;
        let last = self.validators - 1;
        match random.below(9) {
            0 => self.twins = random.between(1, most as u64) as usize,
            1 => self.forger = Some(last),
            2 => self.liar = Some(last),
            3 => self.withholder = Some(last),
            4 => self.dead = (0..most).collect(),
            5 => self.defective = vec![last],
            6 => self.fouler = Some(last),
            _ => {}
        }
        // Changes of the set would move the bound of the faulty.
        self.governance &= self.twins == 0 && self.dead.is_empty() && self.defective.is_empty();
    }

    /// What rests on what was drawn before.
    fn draw_later(&mut self, random: &mut Random) {
        self.upgrades = random.chance(200_000);
        if self.upgrades {
            // Proposals need their time.
            self.faults_us = self.faults_us.max(3_000_000);
        }
        self.isolated = random.chance(100_000);
        if self.storm {
            // Rounds far above the first are reached only where votes are lost too, and for long.
            (self.votes_lost, self.faults_us) = ((300_000, 300_000), 8_000_000);
        }
        let all_correct = self.twins == 0 && self.dead.is_empty() && self.defective.is_empty();
        let nobody_lies = [self.forger, self.liar, self.withholder, self.fouler].iter().all(Option::is_none);
        // One that syncs anew counts as a faulty one: with another, or with other weights, the chain may wait for it for ever.
        if all_correct && nobody_lies && self.validators == 4 && random.chance(40_000) {
            // No block can be decided as long as the clock is off, whatever the others do.
            (self.dead, self.clock_off, self.governance) = (vec![0], Some((3, -60_000)), false);
            self.faults_us = 12_000_000;
        } else if all_correct && nobody_lies && !self.governance && random.chance(400_000) {
            self.old_format = 300_000;
            self.crash = self.crash.max(600);
        }
    }
}
