//! Authority counts persons and sums days: `bank/treasury` lets one person move up to 1,000.00 CNY a day, two of which one makes
//! and one checks up to 10,000.00, three above.

use crate::world::program::*;
use crate::world::*;
use portolan_primitives::{Currency, Outcome, Transaction};
use portolan_runtime::native::records::Policy;
use portolan_vm::abi::Authorization;

fn pay(world: &mut World, approvers: &[&str], amounts: &[i64]) -> Transaction {
    let calls =
        amounts.iter().map(|minor| run("ledger", &[authorize(account("bank/treasury"), CNY, *minor)])).collect();
    world.transaction("bank/treasury", approvers, calls)
}

/// Whether the transaction is authorised; else the code.
fn granted(world: &mut World, transaction: &Transaction) -> Result<(), i32> {
    match world.outcome(transaction) {
        Outcome::Ok(_) => Ok(()),
        Outcome::Failed { reason: portolan_primitives::FailureReason::Reverted(code), .. } => {
            Err(i32::from_le_bytes(code.try_into().unwrap()))
        }
        other => panic!("{other:?}"),
    }
}

const TOO_FEW: Result<(), i32> = Err(Authorization::TooFewPersons as i32);

#[test]
fn one_person_suffices_up_to_the_first_tier() {
    let mut world = World::new();
    let payment = pay(&mut world, &["ann"], &[100_000]);
    assert_eq!(granted(&mut world, &payment), Ok(()));
    let mut world = World::new();
    let payment = pay(&mut world, &["ann"], &[100_001]);
    assert_eq!(granted(&mut world, &payment), TOO_FEW);
}

#[test]
fn sixty_four_calls_below_a_tier_are_one_above_it() {
    let mut world = World::new();
    let batch = pay(&mut world, &["ann"], &[1_600; 64]);
    assert_eq!(granted(&mut world, &batch), TOO_FEW);
    let batch = pay(&mut world, &["ann"], &[1_562; 64]);
    assert_eq!(granted(&mut world, &batch), Ok(()));
}

#[test]
fn the_sum_of_the_day_counts_and_ends_with_the_day() {
    let mut world = World::new();
    let payment = pay(&mut world, &["ann"], &[60_000]);
    assert_eq!(granted(&mut world, &payment), Ok(()));
    let payment = pay(&mut world, &["ann"], &[60_000]);
    assert_eq!(granted(&mut world, &payment), TOO_FEW);
    let next = date(OPENING).plus_days(1);
    world.advance_to(next);
    let time = world.time + DAY_MS;
    world.block_at(time);
    assert_eq!(world.date(), next);
    let payment = pay(&mut world, &["ann"], &[60_000]);
    assert_eq!(granted(&mut world, &payment), Ok(()));
}

#[test]
fn a_refused_or_undone_payment_does_not_count_in_the_day() {
    let mut world = World::new();
    let refused = pay(&mut world, &["ann"], &[60_000, 60_000]);
    assert_eq!(granted(&mut world, &refused), TOO_FEW);
    let payment = pay(&mut world, &["ann"], &[100_000]);
    assert_eq!(granted(&mut world, &payment), Ok(()));
}

#[test]
fn another_currency_has_its_own_sum_and_tier() {
    let mut world = World::new();
    let usd = vec![run("ledger", &[authorize(account("bank/treasury"), Currency(*b"USD"), 1)])];
    let alone = world.transaction("bank/treasury", &["ann"], usd.clone());
    assert_eq!(granted(&mut world, &alone), TOO_FEW);
    let three = world.transaction("bank/treasury", &["ann", "bob", "cat"], usd);
    assert_eq!(granted(&mut world, &three), Ok(()));
}

#[test]
fn two_keys_of_one_person_count_once() {
    let mut world = World::new();
    let same = pay(&mut world, &["ann", "ann-2"], &[500_000]);
    assert_eq!(granted(&mut world, &same), TOO_FEW);
    let two = pay(&mut world, &["ann", "bob"], &[500_000]);
    assert_eq!(granted(&mut world, &two), Ok(()));
    // Three persons are asked for; three keys of two are not enough.
    let three_keys = pay(&mut world, &["ann", "ann-2", "bob"], &[5_000_000]);
    assert_eq!(granted(&mut world, &three_keys), TOO_FEW);
    let three = pay(&mut world, &["ann", "bob", "cat"], &[5_000_000]);
    assert_eq!(granted(&mut world, &three), Ok(()));
}

#[test]
fn maker_and_checker_are_different_persons() {
    let mut world = World::with(|genesis| genesis.persons[1].checker = false);
    // Ann makes; Bob may neither make nor check; Cat may do both, but only one of them.
    let payment = pay(&mut world, &["ann", "bob"], &[500_000]);
    assert_eq!(granted(&mut world, &payment), TOO_FEW);
    let payment = pay(&mut world, &["bob", "cat"], &[500_000]);
    assert_eq!(granted(&mut world, &payment), TOO_FEW);
    let payment = pay(&mut world, &["ann", "cat"], &[500_000]);
    assert_eq!(granted(&mut world, &payment), Ok(()));
}

#[test]
fn another_members_persons_do_not_count() {
    let mut world = World::new();
    let payment = pay(&mut world, &["ann", "dan", "eve"], &[500_000]);
    assert_eq!(granted(&mut world, &payment), TOO_FEW);
}

#[test]
fn who_is_not_named_in_an_accounts_policy_does_not_send_for_it() {
    let mut world = World::with(|genesis| {
        genesis.accounts[0].policy = Policy { persons: vec!["bob".into(), "cat".into()], ..Policy::any(1) };
    });
    let unnamed = world.transaction("bank/treasury", &["ann"], vec![run("ledger", &[])]);
    assert_eq!(world.refusal(&unnamed), portolan_runtime::Refusal::NoApproverOfSender);
    let named = world.transaction("bank/treasury", &["ann", "bob"], vec![run("ledger", &[])]);
    world.accepts(&named);
}

#[test]
fn authority_ends_at_the_top_level_call() {
    let mut world = World::new();
    let ask = program(&[authorize(account("bank/treasury"), CNY, 1)]);
    let through = world.transaction("bank/treasury", &["ann"], vec![run("helper", &[call(id("ledger"), &ask)])]);
    let reverted = portolan_vm::abi::CallRefusal::Reverted as i32;
    assert_eq!(world.outcome(&through), Outcome::Ok(vec![reverted.to_le_bytes().to_vec()]));
    let direct = world.transaction(
        "bank/treasury",
        &["ann"],
        vec![run("ledger", &[authorize(account("bank/treasury"), CNY, 1)])],
    );
    assert_eq!(world.outcome(&direct), Outcome::Ok(vec![vec![]]));
}

#[test]
fn nobody_is_authorised_on_the_agenda_or_in_a_question() {
    let mut world = World::new();
    let ask = program(&[authorize(account("bank/treasury"), CNY, 1)]);
    let plan = world.transaction(
        "bank/treasury",
        &["ann"],
        vec![run("ledger", &[schedule(date(OPENING).0, 1_000_000, &ask)])],
    );
    world.block(&[plan]);
    let parts = world.block(&[]);
    let code = Authorization::NotTopLevel as i32;
    assert_eq!(reason(&parts.receipts[0].receipt.outcome), &reverted(code));
    assert_eq!(world.query("ledger", &ask).result, Err(reverted(code)));
}
