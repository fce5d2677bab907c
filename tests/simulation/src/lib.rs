//! The seeded network: the node's own replica, log, executor, state and contracts for 4 to 31 nodes in one thread, over
//! simulated disks, clocks and connections. A seed is a disaster that can be repeated.
//!
//! Where to look: `settings` what a run is made of · `world` events, faults, and the checks on what is sent and committed ·
//! `host` one running node · `unlocked` the build that keeps no locks · `tally` the contract that is upgraded · `traffic` what the members do · `checks` what must hold of the business · `disk`, `store` what a
//! power cut leaves · `consortium` members, keys, genesis.
//!
//! Must never sleep, read a clock, or use chance that is not the seed's.

#![forbid(unsafe_code)]

mod checks;
pub mod consortium;
mod disk;
mod host;
pub mod random;
mod report;
mod settings;
mod store;
mod tally;
pub mod traffic;
mod unlocked;
mod world;

pub use disk::LogMode;
pub use report::{Report, Violation};
pub use settings::{Broken, Settings};

use portolan_vm::stack::THREAD_STACK_BYTES;

/// Runs a world to its end, on a thread with the stack that contracts may need.
///
/// # Panics
/// When the run does.
pub fn run(settings: Settings) -> Report {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("world".into()).stack_size(THREAD_STACK_BYTES);
        let world = builder.spawn_scoped(scope, || world::World::new(settings).run()).expect("a thread can be started");
        world.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

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
