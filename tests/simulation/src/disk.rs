//! A disk that keeps only what was synced. A crash leaves any prefix of the rest of the log, and sometimes noise in it.

use portolan_replica::CertifiedBlock;

use crate::random::Random;

/// How the disk treats the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogMode {
    /// As a disk should.
    Honest,
    /// Writes are thrown away (negative control).
    Off,
    /// Syncs answer, but do nothing (negative control).
    SyncIgnored,
}

/// What a node has on its disk.
#[derive(Debug)]
pub struct Disk {
    mode: LogMode,
    synced: Vec<u8>,
    written: Vec<u8>,
    /// The committed blocks from height 1; each was one synced batch.
    pub chain: Vec<CertifiedBlock>,
}

impl Disk {
    /// An empty disk.
    pub fn new(mode: LogMode) -> Self {
        Self { mode, synced: Vec::new(), written: Vec::new(), chain: Vec::new() }
    }

    /// Appends to the log, in memory.
    pub fn append(&mut self, frame: &[u8]) {
        if self.mode != LogMode::Off {
            self.written.extend_from_slice(frame);
        }
    }

    /// Syncs the log.
    pub fn sync(&mut self) {
        if self.mode == LogMode::Honest {
            self.synced.clone_from(&self.written);
        }
    }

    /// Empties the log, in memory.
    pub fn truncate(&mut self) {
        self.written.clear();
    }

    /// The power goes: what was not synced survives in part, or not at all.
    pub fn crash(&mut self, random: &mut Random) {
        let appended =
            self.written.len().checked_sub(self.synced.len()).filter(|_| self.written.starts_with(&self.synced));
        let mut survivor = self.synced.clone();
        if let Some(rest) = appended.filter(|_| random.chance(500_000)) {
            let kept = random.below(rest as u64 + 1) as usize;
            survivor.extend_from_slice(&self.written[self.synced.len()..self.synced.len() + kept]);
            if kept > 0 && self.mode == LogMode::Honest && random.chance(300_000) {
                let place = self.synced.len() + random.below(kept as u64) as usize;
                survivor[place] ^= 1 << random.below(8);
            }
        }
        self.synced.clone_from(&survivor);
        self.written = survivor;
    }

    /// The log as a restart finds it. What is torn is cut.
    ///
    /// # Panics
    /// When the log is damaged, which no crash may cause.
    pub fn read_log(&mut self) -> Vec<portolan_replica::log::LogFrame> {
        let contents = portolan_replica::log::read(&self.written).expect("no crash damages the log before its end");
        self.written.truncate(contents.valid_len);
        self.synced.clone_from(&self.written);
        contents.frames
    }

    /// Everything in the log is gone (a faulty node's own doing).
    pub fn wipe_log(&mut self) {
        self.written.clear();
        self.synced.clear();
    }
}
