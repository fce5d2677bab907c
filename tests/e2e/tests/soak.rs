//! The soak, bounded: what `./scripts/soak` does for long.

use portolan_e2e::soak::{Plan, soak};

#[test]
fn ten_kills_under_load_lose_nothing_that_was_final() {
    let outcome = soak(Plan { kills: 10, seed: 7 }, &mut |_| {});
    assert!(outcome.kills >= 10, "{outcome:?}");
    assert_eq!((outcome.lost, outcome.roots_equal, outcome.double_signs), (0, true, 0), "{outcome:?}");
    assert!(outcome.heights > 10 && outcome.transactions >= outcome.kills / 2, "{outcome:?}");
}
