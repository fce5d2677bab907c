//! Proceeds of sales: shared by the seller's standing rule, as they come or when they are collected; typed lines for fees, tax and duty.

#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use portolan_interface::{
    AccountId, Currency, FinancingId, MemberStatus, Money, PartId, Ppm, Unauthorized,
    financing::api::CONTRACT as FINANCING,
    receivable::api::CONTRACT as RECEIVABLE,
    settlement::{
        MAX_COLLECTION_DAYS, MAX_SALES_LINES, PayableTerms, Payment, Payout, PriorityClass, RecordKind, RuleFault,
        SalesLine, SettlementError, SettlementEvent, Tranche, TrancheKind, Waterfall, api::CONTRACT,
    },
};
use portolan_sdk::CallError;
use world::{Firm, Settlement, World, cny, commitment, refusal, refuses};

fn line(kind: TrancheKind, payee: Firm, rate: u32, due_minor: Option<i128>) -> SalesLine {
    SalesLine { kind, payee: payee.account, rate: Ppm(rate), due_minor, paid_minor: 0 }
}

/// Of the sales of tier 1: 2 % to the platform, 6 % tax and 0.03 % duty set aside at customs, half to the funder until it has 1,000.00.
fn lines(world: &World) -> Vec<SalesLine> {
    vec![
        line(TrancheKind::Principal, world.other_bank, 500_000, Some(100_000)),
        line(TrancheKind::StampDuty, world.customs, 300, None),
        line(TrancheKind::Tax, world.customs, 60_000, None),
        line(TrancheKind::Fee, world.platform, 20_000, None),
    ]
}

fn set(world: &World, lines: Vec<SalesLine>, payout: Payout) -> Result<(), CallError<SettlementError>> {
    let seller = world.tier_1;
    world.settlement(seller).set_sales_rule(seller.account, world.bank.member, Currency::CNY, lines, payout)
}

fn release(world: &World, by: Firm) -> Result<(), CallError<SettlementError>> {
    world.settlement(by).release_sales_rule(by.account, world.tier_1.account, world.bank.member, Currency::CNY)
}

fn sell(world: &World, minor: i128) {
    world.deposit(cny(minor));
    let (buyer, seller) = (world.core, world.tier_1.account);
    world.settlement(buyer).transfer(buyer.account, seller, world.bank.member, cny(minor), commitment(4)).unwrap();
}

/// The seller, the funder, customs, the platform.
fn shares(world: &World) -> [i128; 4] {
    [world.tier_1, world.other_bank, world.customs, world.platform].map(|firm| world.balance(firm, world.bank))
}

fn unsound(fault: RuleFault) -> SettlementError {
    SettlementError::UnsoundRule { fault }
}

#[test]
fn proceeds_are_shared_as_they_are_received() {
    let world = World::new();
    set(&world, lines(&world), Payout::AsReceived).unwrap();
    sell(&world, 100_000);
    let seller = world.settlement(world.tier_1);
    let deposit = seller.deposits(world.tier_1.account, None).unwrap().deposits.remove(0);
    assert_eq!((deposit.balance, deposit.held), (cny(100_000), cny(100_000)), "not the seller's before it is shared");
    let out = || seller.redeem(world.tier_1.account, world.bank.member, cny(1), commitment(1));
    refuses(&world, out, SettlementError::InsufficientDeposit { missing: cny(1) });
    world.chain.run_agenda();
    // 20.00 fee, 60.00 tax, 0.30 duty, 500.00 to the funder.
    assert_eq!(shares(&world), [41_970, 50_000, 6_030, 2_000]);
    let (account, bank) = (world.tier_1.account, world.bank.member);
    let shared =
        |payee, kind, minor| SettlementEvent::ProceedsShared { account, bank, payee, kind, amount: cny(minor) };
    let expected = [
        shared(world.other_bank.account, Some(TrancheKind::Principal), 50_000),
        shared(world.customs.account, Some(TrancheKind::StampDuty), 30),
        shared(world.customs.account, Some(TrancheKind::Tax), 6_000),
        shared(world.platform.account, Some(TrancheKind::Fee), 2_000),
        shared(account, None, 41_970),
    ];
    let told: Vec<SettlementEvent> = world.chain.events(CONTRACT);
    assert_eq!(told[told.len() - expected.len()..], expected);
    // The funder gets no more than is due to it; the others go on.
    sell(&world, 200_000);
    world.chain.run_agenda();
    assert_eq!(shares(&world), [41_970 + 133_940, 100_000, 18_090, 6_000]);
    assert_eq!(world.assert_deposits(world.bank), 300_000);
    assert!(world.chain.agenda().is_empty());
}

#[test]
fn proceeds_are_collected_and_shared_on_a_day() {
    let world = World::new();
    set(&world, lines(&world), Payout::Collected(7)).unwrap();
    sell(&world, 100);
    world.advance_to(world.in_days(3));
    sell(&world, 99_900);
    world.advance_to(world.in_days(3));
    assert_eq!(shares(&world), [100_000, 0, 0, 0]);
    let rule = world.settlement(world.other_bank).sales_rule(world.tier_1.account, world.bank.member, Currency::CNY);
    assert_eq!(rule.unwrap().collected_minor, 100_000);
    world.advance_to(world.in_days(1));
    // One rounding over the whole, where 100 alone would have had a duty of nothing.
    assert_eq!(shares(&world), [41_970, 50_000, 6_030, 2_000]);
    let deposit = world.settlement(world.tier_1).deposits(world.tier_1.account, None).unwrap().deposits.remove(0);
    assert_eq!(deposit.held, cny(0));
    assert!(world.chain.agenda().is_empty(), "the next receipt begins the next collection");
    sell(&world, 1_000);
    assert_eq!(world.chain.agenda().len(), 1);
    world.assert_deposits(world.bank);
}

#[test]
fn a_receipt_too_small_for_all_goes_by_rank() {
    let world = World::new();
    let lines = vec![
        line(TrancheKind::Principal, world.other_bank, 1_000_000, Some(500)),
        line(TrancheKind::Interest, world.other_bank, 1_000_000, Some(30)),
        line(TrancheKind::Fee, world.platform, 100_000, None),
    ];
    set(&world, lines, Payout::AsReceived).unwrap();
    let paid = || {
        let rule = world.settlement(world.tier_1).sales_rule(world.tier_1.account, world.bank.member, Currency::CNY);
        rule.unwrap().lines.iter().map(|line| line.paid_minor).collect::<Vec<_>>()
    };
    for (minor, expected) in [(20, [0, 18, 2]), (40, [24, 30, 6]), (1_000, [500, 30, 106])] {
        sell(&world, minor);
        world.chain.run_agenda();
        assert_eq!(paid(), expected);
    }
    assert_eq!(shares(&world), [1_060 - 636, 530, 0, 106]);
}

#[test]
fn every_way_in_which_proceeds_come_is_shared_and_a_share_is_not_shared_again() {
    let world = World::new();
    let half = |payee| vec![line(TrancheKind::Fee, payee, 500_000, None)];
    set(&world, half(world.platform), Payout::AsReceived).unwrap();
    let platform = world.settlement(world.platform);
    let (bank, account) = (world.bank.member, world.platform.account);
    platform.set_sales_rule(account, bank, Currency::CNY, half(world.customs), Payout::AsReceived).unwrap();
    world.deposit_to(world.tier_1, cny(100));
    world.chain.run_agenda();
    assert_eq!(shares(&world), [50, 0, 0, 50]);
    world.deposit(cny(100));
    let terms = PayableTerms {
        payee: world.tier_1.account,
        bank,
        amount: cny(100),
        due: world.in_days(1),
        class: PriorityClass::Ordinary,
        reference: commitment(6),
        late: None,
    };
    world.settlement(world.core).promise(world.core.account, terms).unwrap();
    world.advance_to(world.in_days(1));
    assert_eq!(shares(&world), [100, 0, 0, 100]);
    // Another currency, and money that is no proceeds of sales, is the account's own.
    Settlement::over(world.chain.as_contract(FINANCING))
        .fund(world.bank.account, world.tier_1.account, cny(70))
        .unwrap();
    world.chain.run_agenda();
    assert_eq!(shares(&world), [170, 0, 0, 100]);
}

#[test]
fn a_rule_stands_until_its_payees_have_got_what_is_due_or_release_it() {
    let world = World::new();
    set(&world, lines(&world), Payout::AsReceived).unwrap();
    refuses(&world, || set(&world, vec![], Payout::AsReceived), unsound(RuleFault::PayeeOpen));
    refuses(&world, || release(&world, world.platform), SettlementError::NotParty);
    let forged = || {
        let seller = world.settlement(world.tier_1);
        seller.release_sales_rule(world.other_bank.account, world.tier_1.account, world.bank.member, Currency::CNY)
    };
    refuses(&world, forged, SettlementError::Unauthorized(Unauthorized::TooFewPersons));
    release(&world, world.other_bank).unwrap();
    refuses(&world, || release(&world, world.other_bank), SettlementError::NotParty);
    sell(&world, 1_000);
    refuses(&world, || set(&world, vec![], Payout::AsReceived), unsound(RuleFault::Collecting));
    world.chain.run_agenda();
    assert_eq!(shares(&world), [920, 0, 60, 20]);
    set(&world, vec![], Payout::AsReceived).unwrap();
    let gone = world.settlement(world.tier_1).sales_rule(world.tier_1.account, world.bank.member, Currency::CNY);
    assert_eq!(refusal(gone), SettlementError::Unknown { what: RecordKind::SalesRule });
    sell(&world, 1_000);
    world.chain.run_agenda();
    assert_eq!(shares(&world), [1_920, 0, 60, 20]);
    let (account, bank, currency) = (world.tier_1.account, world.bank.member, Currency::CNY);
    let told: Vec<SettlementEvent> = world.chain.events(CONTRACT);
    let set = SettlementEvent::SalesRuleSet { account, bank, currency };
    assert_eq!(told.iter().filter(|event| **event == set).count(), 2);
    let payee = world.other_bank.account;
    assert!(told.contains(&SettlementEvent::SalesRuleReleased { account, bank, currency, payee }));
}

#[test]
fn a_rule_is_sound_and_the_sellers_own() {
    let world = World::new();
    let one = |change: &dyn Fn(&mut SalesLine)| {
        let mut line = line(TrancheKind::Fee, world.platform, 20_000, Some(100));
        change(&mut line);
        set(&world, vec![line], Payout::AsReceived)
    };
    refuses(&world, || one(&|line| line.rate = Ppm(0)), unsound(RuleFault::Rates));
    refuses(&world, || one(&|line| line.rate = Ppm(1_000_001)), unsound(RuleFault::Rates));
    refuses(&world, || one(&|line| line.due_minor = Some(0)), unsound(RuleFault::Due));
    refuses(&world, || one(&|line| line.paid_minor = 1), unsound(RuleFault::Due));
    refuses(&world, || one(&|line| line.payee = world.tier_1.account), unsound(RuleFault::OwnAccount));
    refuses(&world, || one(&|line| line.payee = AccountId([9; 16])), SettlementError::UnknownAccount);
    let fees = |count| vec![line(TrancheKind::Fee, world.platform, 500_001, None); count];
    refuses(&world, || set(&world, fees(2), Payout::AsReceived), unsound(RuleFault::Rates));
    refuses(&world, || set(&world, fees(MAX_SALES_LINES + 1), Payout::AsReceived), unsound(RuleFault::Extent));
    for days in [0, MAX_COLLECTION_DAYS + 1] {
        refuses(&world, || set(&world, fees(1), Payout::Collected(days)), unsound(RuleFault::Days));
    }
    let (account, bank) = (world.tier_1.account, world.bank.member);
    let by = |firm: Firm, currency| {
        world.settlement(firm).set_sales_rule(account, bank, currency, fees(1), Payout::AsReceived)
    };
    let forged = SettlementError::Unauthorized(Unauthorized::TooFewPersons);
    refuses(&world, || by(world.platform, Currency::CNY), forged);
    let unserved = SettlementError::BankDoesNotServe { currency: Currency::USD };
    refuses(&world, || by(world.tier_1, Currency::USD), unserved);
    let run = || world.settlement(world.tier_1).share_collected(account, bank, Currency::CNY);
    refuses(&world, run, SettlementError::NotAgenda);
    by(world.tier_1, Currency::CNY).unwrap();
    let see = |firm: Firm| world.settlement(firm).sales_rule(account, bank, Currency::CNY);
    assert_eq!(refusal(see(world.tier_2)), SettlementError::NotParty);
    assert_eq!(see(world.platform).unwrap(), see(world.tier_1).unwrap());
    world.chain.set_status(world.tier_1.member, MemberStatus::Restricted);
    let restricted = SettlementError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || by(world.tier_1, Currency::CNY), restricted);
}

/// W08's receipt with a stamp duty of 30.00 between tax and default interest.
#[test]
fn stamp_duty_is_a_line_of_a_waterfall_after_the_tax() {
    let world = World::new();
    let part = PartId([2; 32]);
    let due = [
        (TrancheKind::Principal, 30_000_000),
        (TrancheKind::StampDuty, 3_000),
        (TrancheKind::Penalty, 125_000),
        (TrancheKind::Tax, 7_500),
        (TrancheKind::Fee, 15_000),
    ];
    let tranche = |(kind, due_minor)| Tranche { kind, payee: world.other_bank.account, due_minor, paid_minor: 0 };
    let waterfall = Waterfall {
        financing: FinancingId([3; 32]),
        currency: Currency::CNY,
        tranches: due.map(tranche).into(),
        residual: world.tier_1.account,
    };
    Settlement::over(world.chain.as_contract(FINANCING)).register_waterfall(part, waterfall).unwrap();
    let receivable = Settlement::over(world.chain.as_contract(RECEIVABLE));
    let claim = portolan_interface::CertificateId([1; 32]);
    receivable.register(claim, world.core.account, world.bank.member, cny(40_000_000), world.today()).unwrap();
    world.deposit(cny(40_000_000));
    receivable.collect(claim).unwrap();
    let paid = |minor| {
        let payment = Payment { part, holder: world.other_bank.account, minor, financed: true };
        receivable.pay(claim, vec![payment]).unwrap();
        let waterfall = world.settlement(world.other_bank).waterfall(part).unwrap();
        waterfall.tranches.iter().map(|tranche| tranche.paid_minor).collect::<Vec<_>>()
    };
    assert_eq!(paid(24_000), [0, 1_500, 0, 7_500, 15_000]);
    assert_eq!(paid(24_976_000), [24_849_500, 3_000, 125_000, 7_500, 15_000]);
    assert_eq!(Money::new(world.balance(world.other_bank, world.bank), Currency::CNY), cny(25_000_000));
}

#[test]
fn ranks_are_one_order_of_all_kinds() {
    let kinds = [
        TrancheKind::Fee,
        TrancheKind::Tax,
        TrancheKind::StampDuty,
        TrancheKind::Penalty,
        TrancheKind::Interest,
        TrancheKind::Principal,
    ];
    assert_eq!(kinds.map(TrancheKind::rank), [0, 1, 2, 3, 4, 5]);
}
