//! What the chain survives. A failure prints its seed, and the command that repeats it.

use portolan_simulation::{Repeat, Report, Settings, run, seeds};

/// Runs every seed of a test; the first violation fails with its seed.
fn survives(test: &'static str, count: u64, settings: impl Fn(u64) -> Settings) -> Vec<Report> {
    let run = |seed| {
        let repeat = Repeat::new(test, seed);
        let report = run(settings(seed));
        assert_eq!(report.violation, None, "{}; {report:?}", repeat.command());
        report
    };
    seeds(1, count).into_iter().map(run).collect()
}

fn sum(reports: &[Report], kind: &str) -> u64 {
    reports.iter().filter_map(|report| report.faults.get(kind)).sum()
}

#[test]
fn a_calm_network_makes_blocks_in_the_first_round_and_includes_everything() {
    let calm = |seed| Settings { faults_us: 6_000_000, ..Settings::calm(seed) };
    for report in survives("a_calm_network_makes_blocks_in_the_first_round_and_includes_everything", 5, calm) {
        assert!(report.heights > 60, "{report:?}");
        assert_eq!(report.highest_round, 0, "{report:?}");
        assert!(report.succeeded > 100, "{report:?}");
        assert!(report.certificates > 1 && report.due > 1, "{report:?}");
    }
}

#[test]
fn an_idle_chain_makes_nothing_but_heartbeats() {
    let idle = |seed| Settings { submit_every_us: 0, faults_us: 10_000_000, ..Settings::calm(seed) };
    for report in survives("an_idle_chain_makes_nothing_but_heartbeats", 3, idle) {
        // Ten seconds with a heartbeat each 1.5 s, and the blocks of the transactions at the end.
        assert!((5..=12).contains(&report.heights), "{report:?}");
    }
}

#[test]
fn lost_doubled_and_late_messages_do_no_harm() {
    let lossy = |seed| Settings {
        loss: 50_000,
        duplication: 50_000,
        lateness: 50_000,
        reordering: 200_000,
        ..Settings::calm(seed)
    };
    let reports = survives("lost_doubled_and_late_messages_do_no_harm", 30, lossy);
    assert!(sum(&reports, "loss") > 0 && sum(&reports, "duplication") > 0 && sum(&reports, "lateness") > 0);
    assert!(sum(&reports, "reordering") > 0);
}

#[test]
fn partitions_stop_blocks_at_worst_and_heal() {
    let reports = survives("partitions_stop_blocks_at_worst_and_heal", 30, |seed| Settings {
        partitions: true,
        faults_us: 4_000_000,
        ..Settings::calm(seed)
    });
    assert!(sum(&reports, "partition") > 0);
}

#[test]
fn a_power_cut_at_any_output_loses_nothing_that_was_final() {
    let reports = survives("a_power_cut_at_any_output_loses_nothing_that_was_final", 20, |seed| Settings {
        crash: 2_000,
        ..Settings::calm(seed)
    });
    for kind in ["power cut", "kill", "torn write", "corrupt write"] {
        assert!(sum(&reports, kind) > 0, "{kind}: {reports:?}");
    }
}

#[test]
fn everything_at_once() {
    let reports = survives("everything_at_once", 30, |seed| Settings {
        loss: 30_000,
        duplication: 20_000,
        lateness: 20_000,
        reordering: 100_000,
        partitions: true,
        crash: 600,
        garbage: 5_000,
        followers: 1,
        faults_us: 3_000_000,
        ..Settings::calm(seed)
    });
    for kind in ["loss", "duplication", "lateness", "reordering", "partition", "power cut", "kill", "garbage"] {
        assert!(sum(&reports, kind) > 0, "{kind}");
    }
}

#[test]
fn everything_at_once_with_a_validator_that_runs_twice() {
    let reports = survives("everything_at_once_with_a_validator_that_runs_twice", 12, |seed| Settings {
        loss: 20_000,
        duplication: 20_000,
        lateness: 20_000,
        reordering: 100_000,
        partitions: true,
        crash: 600,
        twins: 1,
        faults_us: 3_000_000,
        ..Settings::calm(seed)
    });
    for kind in ["loss", "duplication", "lateness", "partition", "power cut", "kill", "twin"] {
        assert!(sum(&reports, kind) > 0, "{kind}");
    }
}

#[test]
fn one_that_doubles_its_votes_is_found_out_and_does_no_harm() {
    let reports = survives("one_that_doubles_its_votes_is_found_out_and_does_no_harm", 30, |seed| Settings {
        forger: Some(2),
        loss: 10_000,
        ..Settings::calm(seed)
    });
    assert!(reports.iter().map(|report| report.evidence).sum::<u64>() > 0);
}

#[test]
fn one_validator_that_runs_twice_does_no_harm() {
    survives("one_validator_that_runs_twice_does_no_harm", 30, |seed| Settings {
        twins: 1,
        loss: 10_000,
        lateness: 20_000,
        reordering: 100_000,
        ..Settings::calm(seed)
    });
}

#[test]
fn two_twins_of_seven_do_no_harm() {
    survives("two_twins_of_seven_do_no_harm", 8, |seed| Settings {
        validators: 7,
        twins: 2,
        loss: 10_000,
        ..Settings::calm(seed)
    });
}

#[test]
fn one_of_four_dead_costs_no_height_250_ms() {
    for report in survives("one_of_four_dead_costs_no_height_250_ms", 10, |seed| Settings {
        dead: vec![1],
        ..Settings::calm(seed)
    }) {
        assert!(report.longest_gap_us < 250_000, "{report:?}");
        assert!(report.heights > 20, "{report:?}");
    }
}

#[test]
fn a_follower_gets_every_block_and_its_clients_are_served() {
    survives("a_follower_gets_every_block_and_its_clients_are_served", 5, |seed| Settings {
        followers: 2,
        ..Settings::calm(seed)
    });
}

#[test]
fn garbage_from_peers_is_refused_and_changes_nothing() {
    let reports = survives("garbage_from_peers_is_refused_and_changes_nothing", 20, |seed| Settings {
        garbage: 50_000,
        ..Settings::calm(seed)
    });
    assert!(sum(&reports, "garbage") > 0 && sum(&reports, "fault reported") > 0);
}

#[test]
fn a_proposer_with_a_wrong_state_root_is_passed_over() {
    let reports = survives("a_proposer_with_a_wrong_state_root_is_passed_over", 10, |seed| Settings {
        liar: Some(2),
        ..Settings::calm(seed)
    });
    assert!(sum(&reports, "wrong state root") > 0);
    assert!(reports.iter().any(|report| report.highest_round > 0));
}

#[test]
fn a_proposer_that_keeps_its_proposals_from_some_does_no_harm() {
    let reports = survives("a_proposer_that_keeps_its_proposals_from_some_does_no_harm", 10, |seed| Settings {
        withholder: Some(1),
        loss: 10_000,
        ..Settings::calm(seed)
    });
    assert!(sum(&reports, "withheld proposal") > 0);
}

#[test]
fn rounds_beyond_ten_decide_what_the_first_could_not() {
    let reports = survives("rounds_beyond_ten_decide_what_the_first_could_not", 10, |seed| Settings {
        storm: true,
        loss: 150_000,
        faults_us: 12_000_000,
        ..Settings::calm(seed)
    });
    assert!(reports.iter().any(|report| report.highest_round > 10), "{reports:?}");
    assert!(sum(&reports, "hidden lock kept") > 0, "{reports:?}");
}

#[test]
fn a_clock_that_was_off_while_another_validator_was_away_stops_the_chain_no_longer_than_it_is_off() {
    // No block can be decided, each is known to all, and the rounds go on.
    let reports = survives(
        "a_clock_that_was_off_while_another_validator_was_away_stops_the_chain_no_longer_than_it_is_off",
        1,
        |seed| Settings { dead: vec![0], clock_off: Some((3, -60_000)), faults_us: 90_000_000, ..Settings::calm(seed) },
    );
    assert!(reports.iter().all(|report| report.highest_round > 24), "{reports:?}");
}

#[test]
fn contracts_are_upgraded_and_migrated_under_load_and_lose_no_call() {
    let reports = survives("contracts_are_upgraded_and_migrated_under_load_and_lose_no_call", 8, |seed| Settings {
        upgrades: true,
        governance: seed % 2 == 0,
        followers: 1,
        loss: 5_000,
        crash: 200,
        faults_us: 6_000_000,
        ..Settings::calm(seed)
    });
    assert!(sum(&reports, "upgrade") > 0 && sum(&reports, "upgrade with migration") > 8, "{reports:?}");
}

#[test]
fn a_store_of_an_older_format_is_refused_by_name_and_synced_anew() {
    let reports = survives("a_store_of_an_older_format_is_refused_by_name_and_synced_anew", 10, |seed| Settings {
        crash: 1_000,
        old_format: 500_000,
        followers: 1,
        ..Settings::calm(seed)
    });
    assert!(sum(&reports, "old format") > 5, "{reports:?}");
    assert_eq!(sum(&reports, "old format"), sum(&reports, "store synced anew"), "{reports:?}");
}

#[test]
fn a_crash_at_every_point_between_two_durable_writes_loses_nothing() {
    let test = "a_crash_at_every_point_between_two_durable_writes_loses_nothing";
    let at = |point| Settings { faults_us: 120_000, crash_at: Some((0, point)), ..Settings::calm(3) };
    let points = run(at(u64::MAX)).crash_points;
    assert!(points > 100, "{points}");
    let mut places = std::collections::BTreeSet::new();
    for point in 1..=points {
        let report = run(at(point));
        assert_eq!(report.violation, None, "{test}, point {point}: {report:?}");
        places.extend(report.faults.into_keys().filter(|kind| kind.starts_with("crash ")));
    }
    let all = ["after a commit", "before a commit", "before an output", "between log and message", "in a log write"];
    assert_eq!(places.into_iter().collect::<Vec<_>>(), all.map(|place| format!("crash {place}")));
}

#[test]
fn a_proposer_of_blocks_that_are_wrong_on_their_face_is_passed_over() {
    let fouls = |seed| Settings { fouler: Some(2), ..Settings::calm(seed) };
    let reports = survives("a_proposer_of_blocks_that_are_wrong_on_their_face_is_passed_over", 10, fouls);
    assert!(sum(&reports, "invalid proposal") > 0);
    assert!(reports.iter().any(|report| report.highest_round > 0));
}

#[test]
fn validators_change_under_load() {
    let reports = survives("validators_change_under_load", 10, |seed| Settings {
        governance: true,
        validators: 5,
        followers: 1,
        loss: 5_000,
        crash: 200,
        faults_us: 5_000_000,
        ..Settings::calm(seed)
    });
    assert!(reports.iter().map(|report| report.changes).sum::<u64>() > 10);
}

#[test]
fn a_node_with_a_full_disk_stops_and_goes_on_when_there_is_room() {
    let reports = survives("a_node_with_a_full_disk_stops_and_goes_on_when_there_is_room", 10, |seed| Settings {
        full: 5_000,
        ..Settings::calm(seed)
    });
    assert!(sum(&reports, "full disk") > 0);
}

#[test]
fn clocks_that_jump_cost_rounds_at_worst() {
    let reports = survives("clocks_that_jump_cost_rounds_at_worst", 10, |seed| Settings {
        clock_jump: 300,
        ..Settings::calm(seed)
    });
    assert!(sum(&reports, "clock jump") > 0);
}

#[test]
fn any_mixture_of_faults_keeps_every_promise() {
    survives("any_mixture_of_faults_keeps_every_promise", 60, Settings::drawn);
}

#[test]
fn one_seed_is_one_run() {
    let settings = || Settings { loss: 30_000, crash: 600, partitions: true, ..Settings::calm(7) };
    let (one, other) = (run(settings()), run(settings()));
    assert_eq!((one.heights, one.steps, one.messages), (other.heights, other.steps, other.messages));
}

#[test]
fn a_failure_says_how_to_repeat_it() {
    let command = "PORTOLAN_SEED=7 cargo nextest run --release -p portolan-simulation -E 'test(=everything_at_once)'";
    assert_eq!(Repeat::new("everything_at_once", 7).command(), command);
}
