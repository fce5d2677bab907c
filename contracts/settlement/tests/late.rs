//! Promises that are not paid on their day: grace, charges, the steps of collection, write-off, recovery (F15, S09, W08).

#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use portolan_interface::{
    Currency, DayCount, Money, Ppm, Unauthorized,
    settlement::{
        CollectionStep, LateCharges, LateTerms, MAX_GRACE_DAYS, NettingEntry, NettingTerms, PayableState, PayableTerms,
        Payout, PriorityClass, SalesLine, SettlementError, SettlementEvent, TrancheKind, api::CONTRACT,
    },
};
use portolan_sdk::CallError;
use world::{Firm, Settlement, World, cny, commitment, refuses};

/// 6 % ACT/360, VAT 6 % of it, a fee of 150.00, after so many days of grace.
fn late(grace_days: u8) -> LateTerms {
    LateTerms { grace_days, rate: Ppm(60_000), day_count: DayCount::Act360, tax: Ppm(60_000), fee_minor: 15_000 }
}

/// The core enterprise owes tier 1 so much tomorrow.
fn owes(world: &World, minor: i128, late: Option<LateTerms>) -> u32 {
    let terms = PayableTerms {
        payee: world.tier_1.account,
        bank: world.bank.member,
        amount: cny(minor),
        due: world.in_days(1),
        class: PriorityClass::Ordinary,
        reference: commitment(5),
        late,
    };
    promise(world, terms).unwrap()
}

fn promise(world: &World, terms: PayableTerms) -> Result<u32, CallError<SettlementError>> {
    world.settlement(world.core).promise(world.core.account, terms)
}

fn collect(world: &World) -> Result<Money, CallError<SettlementError>> {
    let core = world.core.account;
    world.settlement(world.tier_1).collect_payables(world.tier_1.account, core, world.bank.member, Currency::CNY)
}

fn write_off(world: &World, by: Firm) -> Result<(), CallError<SettlementError>> {
    world.settlement(by).write_off(by.account, world.core.account, 0, commitment(8))
}

fn recover(world: &World, minor: i128) -> Result<Money, CallError<SettlementError>> {
    world.settlement(world.core).recover(world.core.account, 0, cny(minor))
}

/// What is paid of the amount, what is charged, and where it stands.
fn stands(world: &World) -> (i128, [i128; 3], PayableState) {
    let payable = Settlement::over(world.chain.as_operator()).payable(world.core.account, 0).unwrap();
    let LateCharges { fee_minor, tax_minor, interest_minor } = payable.charges;
    (payable.paid.minor, [fee_minor, tax_minor, interest_minor], payable.state)
}

fn step(world: &World) -> CollectionStep {
    Settlement::over(world.chain.as_operator()).payable(world.core.account, 0).unwrap().step
}

fn last_event(world: &World) -> SettlementEvent {
    world.chain.events(CONTRACT).pop().unwrap()
}

/// 250,000.00 received on 300,000.00 due 25 days ago.
#[test]
fn w08_a_late_part_payment_pays_fee_tax_interest_and_then_principal() {
    let world = World::new();
    owes(&world, 30_000_000, Some(late(5)));
    world.advance_to(world.in_days(26));
    assert_eq!(stands(&world), (0, [15_000, 7_500, 125_000], PayableState::Overdue));
    world.deposit(cny(25_000_000));
    assert_eq!(collect(&world), Ok(cny(25_000_000)));
    assert_eq!(stands(&world), (24_852_500, [0, 0, 0], PayableState::Overdue));
    let (payer, payee) = (world.core.account, world.tier_1.account);
    let (amount, charges, rest) = (cny(25_000_000), cny(147_500), cny(5_147_500));
    assert_eq!(last_event(&world), SettlementEvent::PromisePaid { payer, number: 0, payee, amount, charges, rest });
    assert_eq!(world.balance(world.tier_1, world.bank), 25_000_000);
    // The fee is charged once; interest goes on for what is left: 51,475.00 at 6 % over 10 days.
    world.advance_to(world.in_days(10));
    assert_eq!(stands(&world), (24_852_500, [0, 515, 8_579], PayableState::Overdue));
    world.deposit(cny(5_156_594));
    assert_eq!(collect(&world), Ok(cny(5_156_594)));
    assert_eq!(stands(&world), (30_000_000, [0, 0, 0], PayableState::Settled));
    assert_eq!(world.balance(world.core, world.bank), 0);
    world.assert_deposits(world.bank);
}

#[test]
fn f15_what_is_paid_within_grace_is_charged_nothing_and_after_it_from_the_due_date_on() {
    let world = World::new();
    owes(&world, 100_000, Some(late(3)));
    world.advance_to(world.in_days(2));
    world.deposit(cny(40_000));
    assert_eq!(collect(&world), Ok(cny(40_000)));
    world.advance_to(world.in_days(2));
    assert_eq!(stands(&world), (40_000, [0, 0, 0], PayableState::Overdue), "the last day of grace");
    world.advance_to(world.in_days(1));
    // 600.00 at 6 % over four days, and not three or one.
    assert_eq!(stands(&world), (40_000, [15_000, 2, 40], PayableState::Overdue));
}

#[test]
fn f15_too_much_stays_with_the_payer_and_twice_finds_nothing() {
    let world = World::new();
    owes(&world, 100_000, Some(late(0)));
    world.advance_to(world.in_days(11));
    // 1,000.00 at 6 % over ten days.
    assert_eq!(stands(&world).1, [15_000, 10, 167]);
    world.deposit(cny(200_000));
    assert_eq!(collect(&world), Ok(cny(115_177)));
    assert_eq!(world.balance(world.core, world.bank), 84_823);
    refuses(&world, || collect(&world), SettlementError::NotParty);
}

#[test]
fn a_promise_without_terms_for_it_is_charged_nothing() {
    let world = World::new();
    owes(&world, 100_000, None);
    world.advance_to(world.in_days(200));
    assert_eq!(stands(&world), (0, [0, 0, 0], PayableState::Overdue));
    world.deposit(cny(100_001));
    assert_eq!(collect(&world), Ok(cny(100_000)));
}

#[test]
fn a_deposit_too_small_is_shared_by_what_is_owed_with_charges() {
    let world = World::new();
    owes(&world, 85_000, Some(late(0)));
    owes(&world, 100_000, None);
    world.advance_to(world.in_days(12));
    let charges: i128 = stands(&world).1.iter().sum();
    assert_eq!(charges, 15_000 + 9 + 156);
    world.deposit(cny(100_000));
    collect(&world).unwrap();
    // 100,165 and 100,000 share 100,000: 50,041.21… and 49,958.78….
    assert_eq!(stands(&world).0, 50_041 - charges);
    assert_eq!(world.balance(world.core, world.bank), 0);
}

#[test]
fn the_agenda_takes_the_steps_of_collection_and_each_once() {
    let world = World::new();
    owes(&world, 100, Some(LateTerms { fee_minor: 0, rate: Ppm(0), ..late(2) }));
    let due = world.in_days(1);
    world.advance_to(due);
    let mut seen = vec![];
    for _ in 0..40 {
        world.advance_to(world.in_days(1));
        if seen.last().is_none_or(|(_, last)| *last != step(&world)) {
            seen.push((due.days_until(world.today()), step(&world)));
        }
    }
    let (begin, notice, demand) = (CollectionStep::NotBegun, CollectionStep::Notice, CollectionStep::Demand);
    assert_eq!(seen, [(1, begin), (3, notice), (9, demand), (32, CollectionStep::Arbitration)]);
    let told: Vec<SettlementEvent> = world.chain.events(CONTRACT);
    let steps = told.iter().filter(|event| matches!(event, SettlementEvent::CollectionStepTaken { .. }));
    assert_eq!(steps.count(), 3);
    assert!(world.chain.agenda().is_empty());
}

#[test]
fn the_days_of_collection_are_governed_and_end_with_the_payment() {
    let world = World::new();
    world.chain.set_parameter("settlement.collection_days", &[2u16, 4, 20]);
    owes(&world, 100, None);
    world.advance_to(world.in_days(2));
    assert_eq!(step(&world), CollectionStep::NotBegun);
    world.advance_to(world.in_days(1));
    assert_eq!(step(&world), CollectionStep::Notice);
    world.deposit(cny(100));
    world.advance_to(world.in_days(30));
    assert_eq!(step(&world), CollectionStep::Notice);
    assert!(world.chain.agenda().is_empty());
    let by_hand = || {
        let core = world.settlement(world.core);
        core.run_collection(world.core.account, 0, CollectionStep::Demand)
    };
    refuses(&world, by_hand, SettlementError::NotAgenda);
}

#[test]
fn a_payee_writes_off_after_all_steps_and_what_comes_later_goes_by_the_same_order() {
    let world = World::new();
    owes(&world, 30_000_000, Some(late(0)));
    let state = |state, needed| SettlementError::PayableState { state, needed };
    refuses(&world, || write_off(&world, world.tier_1), state(PayableState::Open, PayableState::Overdue));
    world.advance_to(world.in_days(26));
    let early = SettlementError::CollectionNotDone { step: CollectionStep::Demand };
    refuses(&world, || write_off(&world, world.tier_1), early);
    refuses(&world, || recover(&world, 1), state(PayableState::Overdue, PayableState::WrittenOff));
    world.advance_to(world.in_days(5));
    refuses(&world, || write_off(&world, world.tier_2), SettlementError::NotParty);
    let forged = || world.settlement(world.core).write_off(world.tier_1.account, world.core.account, 0, commitment(8));
    refuses(&world, forged, SettlementError::Unauthorized(Unauthorized::TooFewPersons));
    // The payee's policy is asked with what is given up, charges too: 300,000.00 and 150.00, 1,500.00, 90.00.
    world.chain.policy(world.tier_1.account, &[(30_173_999, 1), (i128::MAX, 2)]);
    refuses(&world, || write_off(&world, world.tier_1), SettlementError::Unauthorized(Unauthorized::TooFewPersons));
    world.chain.policy(world.tier_1.account, &[(30_174_000, 1), (i128::MAX, 2)]);
    write_off(&world, world.tier_1).unwrap();
    let (payer, payee) = (world.core.account, world.tier_1.account);
    let (amount, reference) = (cny(30_174_000), commitment(8));
    assert_eq!(last_event(&world), SettlementEvent::WrittenOff { payer, number: 0, payee, amount, reference });
    world.chain.policy(world.tier_1.account, &[(i128::MAX, 1)]);
    refuses(&world, || write_off(&world, world.tier_1), state(PayableState::WrittenOff, PayableState::Overdue));

    // It binds no deposit, is collected no more, and charged no more.
    world.advance_to(world.in_days(60));
    assert_eq!(stands(&world), (0, [15_000, 9_000, 150_000], PayableState::WrittenOff));
    world.deposit(cny(200_000));
    refuses(&world, || collect(&world), SettlementError::NotParty);
    let dollars = || world.settlement(world.core).recover(payer, 0, Money::new(1, Currency::USD));
    let (expected, found) = (Currency::CNY, Currency::USD);
    refuses(&world, dollars, SettlementError::WrongCurrency { expected, found });
    refuses(&world, || recover(&world, 0), SettlementError::AmountNotPositive);
    let by_another = || world.settlement(world.tier_2).recover(payer, 0, cny(1));
    refuses(&world, by_another, SettlementError::Unauthorized(Unauthorized::TooFewPersons));
    refuses(&world, || recover(&world, 200_001), SettlementError::InsufficientDeposit { missing: cny(1) });
    assert_eq!(recover(&world, 20_000), Ok(cny(20_000)));
    assert_eq!(stands(&world), (0, [0, 4_000, 150_000], PayableState::WrittenOff));
    let rest = cny(30_154_000);
    assert_eq!(last_event(&world), SettlementEvent::Recovered { payer, number: 0, payee, amount: cny(20_000), rest });
    assert_eq!(recover(&world, 180_000), Ok(cny(180_000)));
    assert_eq!(stands(&world), (26_000, [0, 0, 0], PayableState::WrittenOff));
    world.deposit(cny(40_000_000));
    assert_eq!(recover(&world, 40_000_000), Ok(cny(29_974_000)), "what is too much stays with the payer");
    assert_eq!(stands(&world), (30_000_000, [0, 0, 0], PayableState::Settled));
    refuses(&world, || recover(&world, 1), state(PayableState::Settled, PayableState::WrittenOff));
    assert_eq!(world.balance(world.tier_1, world.bank), 30_174_000);
    world.assert_deposits(world.bank);
}

#[test]
fn what_is_recovered_comes_out_of_what_is_free_and_is_shared_as_proceeds() {
    let world = World::new();
    owes(&world, 1_000, None);
    world.advance_to(world.in_days(31));
    write_off(&world, world.tier_1).unwrap();
    let half = SalesLine {
        kind: TrancheKind::Fee,
        payee: world.tier_2.account,
        rate: Ppm(500_000),
        due_minor: None,
        paid_minor: 0,
    };
    let (seller, bank) = (world.tier_1.account, world.bank.member);
    let rules = world.settlement(world.tier_1);
    rules.set_sales_rule(seller, bank, Currency::CNY, vec![half], Payout::AsReceived).unwrap();
    // Another promise is due and binds the deposit.
    owes(&world, 300, None);
    world.advance_to(world.in_days(1));
    world.deposit(cny(1_000));
    refuses(&world, || recover(&world, 701), SettlementError::InsufficientDeposit { missing: cny(1) });
    assert_eq!(recover(&world, 700), Ok(cny(700)));
    world.chain.run_agenda();
    assert_eq!([world.tier_1, world.tier_2].map(|firm| world.balance(firm, world.bank)), [350, 350]);
}

#[test]
fn what_is_set_off_late_leaves_the_charges_until_then() {
    let world = World::new();
    owes(&world, 100_000, Some(late(0)));
    let back = PayableTerms {
        payee: world.core.account,
        bank: world.bank.member,
        amount: cny(100_000),
        due: world.in_days(300),
        class: PriorityClass::Ordinary,
        reference: commitment(6),
        late: None,
    };
    world.settlement(world.tier_1).promise(world.tier_1.account, back).unwrap();
    world.advance_to(world.in_days(11));
    let entry = |payer: Firm, payee: Firm| NettingEntry {
        payer: payer.account,
        number: 0,
        payee: payee.account,
        minor: 100_000,
    };
    let entries = vec![entry(world.core, world.tier_1), entry(world.tier_1, world.core)];
    let terms = NettingTerms { bank: world.bank.member, currency: Currency::CNY, entries, until: world.today() };
    let number = world.settlement(world.core).propose_netting(world.core.account, terms).unwrap();
    for firm in [world.core, world.tier_1] {
        world.settlement(firm).consent_to_netting(firm.account, number).unwrap();
    }
    world.advance_to(world.in_days(50));
    assert_eq!(stands(&world), (0, [15_000, 10, 167], PayableState::Overdue));
    world.deposit(cny(15_177));
    assert_eq!(collect(&world), Ok(cny(15_177)));
    assert_eq!(stands(&world), (0, [0, 0, 0], PayableState::Settled));
}

#[test]
fn terms_for_late_payment_are_sound() {
    let world = World::new();
    let give = |late: LateTerms| {
        let terms = PayableTerms {
            payee: world.tier_1.account,
            bank: world.bank.member,
            amount: cny(100),
            due: world.in_days(1),
            class: PriorityClass::Ordinary,
            reference: commitment(5),
            late: Some(late),
        };
        promise(&world, terms)
    };
    let whole = Ppm(1_000_000);
    let over = Ppm(1_000_001);
    for unsound in [
        late(MAX_GRACE_DAYS + 1),
        LateTerms { rate: over, ..late(0) },
        LateTerms { tax: over, ..late(0) },
        LateTerms { fee_minor: -1, ..late(0) },
    ] {
        refuses(&world, || give(unsound), SettlementError::UnsoundLateTerms);
    }
    give(LateTerms { rate: whole, tax: whole, fee_minor: 0, ..late(MAX_GRACE_DAYS) }).unwrap();
}
