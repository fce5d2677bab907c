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

/// The seeds of a test: those from `start`, or the one in `PORTOLAN_SEED`.
pub fn seeds(start: u64, count: u64) -> Vec<u64> {
    match std::env::var("PORTOLAN_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => (start..start + count).collect(),
    }
}
