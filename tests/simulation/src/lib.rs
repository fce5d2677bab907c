//! The seeded network: real replicas in one thread, with simulated hosts, disks, clocks and network. A seed is a disaster
//! that can be repeated. Must never sleep, read a clock, or use chance that is not the seed's.

#![forbid(unsafe_code)]

pub mod application;
pub mod disk;
pub mod random;
pub mod world;

pub use application::Application;
pub use disk::LogMode;
pub use world::{Report, Settings, Violation, World};

/// Says how to repeat a run when the test ends in it, by whatever failure.
#[derive(Debug)]
pub struct Repeat {
    test: &'static str,
    seed: u64,
}

impl Repeat {
    /// For one seed of a test.
    pub fn new(test: &'static str, seed: u64) -> Self {
        Self { test, seed }
    }

    /// The command that repeats the run.
    pub fn command(&self) -> String {
        let Self { test, seed } = self;
        format!("PORTOLAN_SEED={seed} cargo nextest run --release -p portolan-simulation -E 'test(={test})'")
    }
}

impl Drop for Repeat {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}; repeat with: {}", self.seed, self.command());
        }
    }
}

/// The seeds of a test: those from `start`, or the one in `PORTOLAN_SEED`.
pub fn seeds(start: u64, count: u64) -> Vec<u64> {
    match std::env::var("PORTOLAN_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => (start..start + count).collect(),
    }
}
