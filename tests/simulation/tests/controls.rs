//! Negative controls: each breaks one thing on which safety rests, and the checks must see the harm.

use portolan_simulation::{LogMode, Report, Settings, Violation, World};

/// The first violation within so many seeds.
fn first_harm(count: u64, settings: impl Fn(u64) -> Settings) -> Option<Violation> {
    (1..=count).map(|seed| World::new(settings(seed)).run()).find_map(|report: Report| report.violation)
}

fn rough(seed: u64, log: LogMode) -> Settings {
    Settings { log, crash: 20_000, loss: 30_000, lateness: 30_000, ..Settings::calm(seed) }
}

#[test]
fn without_a_log_a_restart_signs_against_itself() {
    let harm = first_harm(60, |seed| rough(seed, LogMode::Off));
    assert!(matches!(harm, Some(Violation::DoubleSign(_))), "{harm:?}");
}

#[test]
fn with_syncs_that_do_nothing_a_power_cut_leads_to_double_signing() {
    let harm = first_harm(60, |seed| rough(seed, LogMode::SyncIgnored));
    assert!(matches!(harm, Some(Violation::DoubleSign(_))), "{harm:?}");
}

#[test]
fn two_twins_of_four_fork_the_chain() {
    let harm = first_harm(60, |seed| Settings { twins: 2, partitions: true, ..Settings::calm(seed) });
    // Either two blocks are committed at one height, or a correct node sees the second certificate first, and halts.
    assert!(matches!(harm, Some(Violation::Fork(_) | Violation::Halted(..))), "{harm:?}");
}

#[test]
fn a_node_that_computes_other_roots_stops_on_the_decided_block() {
    let settings = Settings { defective: vec![3], ..Settings::calm(1) };
    let report = World::new(settings).run();
    assert!(report.faults.get("halt").is_some_and(|halts| *halts > 0), "{report:?}");
    // The three others go on without it.
    assert_eq!(report.violation, None);
    assert!(report.heights > 10);
}
