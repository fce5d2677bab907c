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
    /// The log was emptied since the last sync: the disk may have that, or not.
    emptied: bool,
    /// The committed blocks from height 1; each was one synced batch.
    pub chain: Vec<CertifiedBlock>,
}

impl Disk {
    /// An empty disk.
    pub fn new(mode: LogMode) -> Self {
        Self { mode, synced: Vec::new(), written: Vec::new(), emptied: false, chain: Vec::new() }
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
            self.emptied = false;
        }
    }

    /// Empties the log, in memory.
    pub fn truncate(&mut self) {
        self.written.clear();
        self.emptied = true;
    }

    /// The power goes: what was not synced survives in part, or not at all.
    pub fn crash(&mut self, random: &mut Random) {
        if self.emptied && random.chance(500_000) {
            self.synced.clear();
            self.emptied = false;
        }
        let mut survivor = self.synced.clone();
        if !self.emptied && random.chance(500_000) {
            let rest = &self.written[self.synced.len()..];
            let kept = random.below(rest.len() as u64 + 1) as usize;
            survivor.extend_from_slice(&rest[..kept]);
            if kept > 0 && self.mode == LogMode::Honest && random.chance(300_000) {
                let place = self.synced.len() + random.below(kept as u64) as usize;
                survivor[place] ^= 1 << random.below(8);
            }
        }
        self.synced.clone_from(&survivor);
        self.written = survivor;
        self.emptied = false;
    }

    /// The log as a restart finds it. What is torn is cut.
    ///
    /// # Panics
    /// When the log is damaged, which no crash may cause.
    pub fn read_log(&mut self) -> Vec<portolan_replica::log::LogFrame> {
        let contents = portolan_replica::log::read(&self.written).expect("no crash damages the log before its end");
        self.written.truncate(contents.valid_len);
        self.synced.clone_from(&self.written);
        self.emptied = false;
        contents.frames
    }

    /// Everything in the log is gone (a faulty node's own doing).
    pub fn wipe_log(&mut self) {
        self.written.clear();
        self.synced.clear();
        self.emptied = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a crash leaves, over many seeds.
    fn survivors(prepare: impl Fn(&mut Disk)) -> std::collections::BTreeSet<usize> {
        let crashed = |seed| {
            let mut disk = Disk::new(LogMode::Honest);
            prepare(&mut disk);
            disk.crash(&mut Random::new(seed));
            disk.written.len()
        };
        (0..400).map(crashed).collect()
    }

    #[test]
    fn a_crash_keeps_what_was_synced_and_any_part_of_what_was_not() {
        let found = survivors(|disk| {
            disk.append(&[1; 10]);
            disk.sync();
            disk.append(&[2; 3]);
        });
        assert_eq!(found, [10, 11, 12, 13].into());
    }

    #[test]
    fn a_crash_after_the_log_was_emptied_finds_it_full_or_empty() {
        let emptied = |disk: &mut Disk| {
            disk.append(&[1; 10]);
            disk.sync();
            disk.truncate();
        };
        assert_eq!(survivors(emptied), [0, 10].into());
        let written_again = |disk: &mut Disk| {
            emptied(disk);
            disk.append(&[2; 2]);
            disk.sync();
        };
        assert_eq!(survivors(written_again), [2].into());
    }
}
