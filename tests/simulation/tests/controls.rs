//! Negative controls: each breaks one thing on which safety rests, and the checks must see the harm.

use portolan_simulation::{Broken, Report, Settings, Violation, run};

/// The first violation within so many seeds.
fn first_harm(count: u64, settings: impl Fn(u64) -> Settings) -> Option<Violation> {
    (1..=count).map(|seed| run(settings(seed))).find_map(|report: Report| report.violation)
}

#[test]
fn without_a_log_a_restart_signs_against_itself() {
    let harm = first_harm(60, |seed| Settings::broken(Broken::Log, seed));
    assert!(matches!(harm, Some(Violation::DoubleSign(_))), "{harm:?}");
}

#[test]
fn with_syncs_that_do_nothing_a_power_cut_leads_to_double_signing() {
    let harm = first_harm(60, |seed| Settings::broken(Broken::Sync, seed));
    assert!(matches!(harm, Some(Violation::DoubleSign(_))), "{harm:?}");
}

#[test]
fn with_a_store_that_is_not_synced_a_power_cut_loses_what_was_final() {
    let harm = first_harm(60, |seed| Settings::broken(Broken::Store, seed));
    assert!(matches!(harm, Some(Violation::LostFinal(..))), "{harm:?}");
}

#[test]
fn validators_that_do_not_keep_their_locks_fork_the_chain() {
    let forks = |seed| matches!(run(Settings::broken(Broken::Lock, seed)).violation, Some(Violation::Fork(_)));
    assert!((1..=60).any(forks));
    // In the same storms those that keep them do not.
    let sound = |seed| Settings { unlocked: false, ..Settings::broken(Broken::Lock, seed) };
    assert_eq!(first_harm(20, sound), None);
}

#[test]
fn two_twins_of_four_fork_the_chain() {
    // Others than a fork may come first: a correct node that sees the second certificate halts.
    let forks = |seed| matches!(run(Settings::broken(Broken::Twins, seed)).violation, Some(Violation::Fork(_)));
    assert!((1..=60).any(forks));
}

#[test]
fn a_node_that_computes_other_roots_stops_on_the_decided_block() {
    let report = run(Settings { defective: vec![3], ..Settings::calm(1) });
    assert!(report.faults.get("halt").is_some_and(|halts| *halts > 0), "{report:?}");
    // The three others go on without it.
    assert_eq!(report.violation, None);
    assert!(report.heights > 10);
}
