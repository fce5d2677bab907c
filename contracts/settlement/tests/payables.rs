//! Promises to pay later, and netting with consent: what is paid on the day, in which order, and what is set off.

#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use portolan_interface::{
    AccountId, BusinessDate, CertificateId, Currency, MemberStatus, Money, Unauthorized,
    receivable::api::CONTRACT as RECEIVABLE,
    settlement::{
        MAX_NETTING_DAYS, MAX_NETTING_ENTRIES, MAX_PAYABLES_A_DAY, NettingEntry, NettingFault, NettingState,
        NettingTerms, PAYABLE_ATTEMPTS, Payable, PayableState, PayableTerms, PriorityClass, RecordKind,
        SettlementError, SettlementEvent, api::CONTRACT,
    },
};
use portolan_sdk::CallError;
use world::{Firm, Settlement, World, cny, commitment, refusal, refuses};

fn terms(world: &World, payee: Firm, minor: i128, days: i32) -> PayableTerms {
    PayableTerms {
        payee: payee.account,
        bank: world.bank.member,
        amount: cny(minor),
        due: world.in_days(days),
        class: PriorityClass::Ordinary,
        reference: commitment(5),
        late: None,
    }
}

fn promise(world: &World, payer: Firm, terms: PayableTerms) -> Result<u32, CallError<SettlementError>> {
    world.settlement(payer).promise(payer.account, terms)
}

/// The payer owes the payee so much in so many days.
fn owes(world: &World, payer: Firm, payee: Firm, minor: i128, days: i32) -> u32 {
    promise(world, payer, terms(world, payee, minor, days)).unwrap()
}

fn of_class(world: &World, payee: Firm, minor: i128, class: PriorityClass) -> u32 {
    promise(world, world.core, PayableTerms { class, ..terms(world, payee, minor, 1) }).unwrap()
}

fn payable(world: &World, payer: Firm, number: u32) -> Payable {
    Settlement::over(world.chain.as_operator()).payable(payer.account, number).unwrap()
}

fn stands(world: &World, payer: Firm, number: u32) -> (i128, i128, PayableState) {
    let payable = payable(world, payer, number);
    (payable.paid.minor, payable.netted.minor, payable.state)
}

fn collect(world: &World, by: Firm) -> Result<Money, CallError<SettlementError>> {
    world.settlement(by).collect_payables(by.account, world.core.account, world.bank.member, Currency::CNY)
}

fn balances<const N: usize>(world: &World, firms: [Firm; N]) -> [i128; N] {
    firms.map(|firm| world.balance(firm, world.bank))
}

#[test]
fn a_promise_is_paid_on_its_day_without_anybody_acting() {
    let world = World::new();
    world.deposit(cny(1_000));
    let number = owes(&world, world.core, world.tier_1, 700, 3);
    assert_eq!(stands(&world, world.core, number), (0, 0, PayableState::Open));
    world.advance_to(world.in_days(2));
    assert_eq!(balances(&world, [world.core, world.tier_1]), [1_000, 0]);
    world.advance_to(world.in_days(1));
    assert_eq!(balances(&world, [world.core, world.tier_1]), [300, 700]);
    assert_eq!(stands(&world, world.core, number), (700, 0, PayableState::Settled));
    assert_eq!(world.assert_deposits(world.bank), 1_000);
    let (payer, payee) = (world.core.account, world.tier_1.account);
    let told: Vec<SettlementEvent> = world.chain.events(CONTRACT);
    let due = world.today();
    let expected = [
        SettlementEvent::Promised { payer, number, payee, amount: cny(700), due },
        SettlementEvent::PromisePaid { payer, number, payee, amount: cny(700), charges: cny(0), rest: cny(0) },
    ];
    assert_eq!(told[told.len() - 2..], expected);
    assert!(world.chain.agenda().is_empty(), "nothing is left to try");
}

/// 70,000.01 over 50,000.00, 30,000.00 and 20,000.00.
#[test]
fn f14_w07_a_deposit_too_small_is_shared_in_proportion_and_the_rest_is_overdue() {
    let world = World::new();
    world.deposit(cny(7_000_001));
    let payees = [world.tier_1, world.tier_2, world.tier_3];
    let amounts = [5_000_000, 3_000_000, 2_000_000];
    for (payee, minor) in payees.into_iter().zip(amounts) {
        owes(&world, world.core, payee, minor, 1);
    }
    world.advance_to(world.in_days(1));
    assert_eq!(balances(&world, payees), [3_500_001, 2_100_000, 1_400_000]);
    assert_eq!(world.balance(world.core, world.bank), 0);
    assert_eq!(stands(&world, world.core, 0), (3_500_001, 0, PayableState::Overdue));
    let told: Vec<SettlementEvent> = world.chain.events(CONTRACT);
    let (payer, payee) = (world.core.account, world.tier_3.account);
    let last = SettlementEvent::PromisePaid {
        payer,
        number: 2,
        payee,
        amount: cny(1_400_000),
        charges: cny(0),
        rest: cny(600_000),
    };
    assert_eq!(told.last(), Some(&last));
    // What comes later binds, and goes to the same ones the next day.
    world.deposit(cny(3_000_000));
    let out = || world.settlement(world.core).redeem(world.core.account, world.bank.member, cny(1_001), commitment(1));
    refuses(&world, out, SettlementError::InsufficientDeposit { missing: cny(1_000) });
    world.advance_to(world.in_days(1));
    assert_eq!(balances(&world, payees), amounts);
    assert_eq!(world.balance(world.core, world.bank), 1);
    world.assert_deposits(world.bank);
}

#[test]
fn the_higher_class_is_paid_first_and_one_class_shares() {
    let world = World::new();
    world.deposit(cny(150));
    let numbers = [
        of_class(&world, world.tier_1, 100, PriorityClass::Subordinated),
        of_class(&world, world.tier_1, 60, PriorityClass::Ordinary),
        of_class(&world, world.tier_2, 40, PriorityClass::Ordinary),
        of_class(&world, world.tier_3, 50, PriorityClass::Secured),
        of_class(&world, world.customs, 50, PriorityClass::Statutory),
    ];
    world.advance_to(world.in_days(1));
    assert_eq!(numbers.map(|number| payable(&world, world.core, number).paid.minor), [0, 30, 20, 50, 50]);
    world.deposit(cny(60));
    assert_eq!(collect(&world, world.tier_1), Ok(cny(60)));
    assert_eq!(numbers.map(|number| payable(&world, world.core, number).paid.minor), [10, 60, 40, 50, 50]);
}

#[test]
fn earlier_days_come_first_and_certificates_before_all() {
    let world = World::new();
    let first = owes(&world, world.core, world.tier_1, 100, 1);
    let second = owes(&world, world.core, world.tier_2, 100, 2);
    let certificate = CertificateId([7; 32]);
    let receivable = Settlement::over(world.chain.as_contract(RECEIVABLE));
    receivable.register(certificate, world.core.account, world.bank.member, cny(70), world.in_days(2)).unwrap();
    world.advance_to(world.in_days(2));
    let deposit = |minor| world.deposit(cny(minor));
    deposit(60);
    assert_eq!(collect(&world, world.tier_2), Ok(cny(0)), "all of it is due on the certificate");
    deposit(100);
    assert_eq!(collect(&world, world.tier_2), Ok(cny(90)));
    deposit(60);
    assert_eq!(collect(&world, world.core), Ok(cny(60)));
    let paid = [first, second].map(|number| payable(&world, world.core, number).paid.minor);
    assert_eq!(paid, [100, 50]);
    assert_eq!(world.balance(world.core, world.bank), 70);
    assert_eq!(receivable.collect(certificate), Ok(cny(70)));
    assert_eq!(collect(&world, world.core), Ok(cny(0)), "what is set aside is not free");
    world.assert_deposits(world.bank);
}

#[test]
fn what_is_promised_binds_the_deposit_from_its_day_on() {
    let world = World::new();
    world.deposit(cny(100));
    owes(&world, world.core, world.tier_1, 80, 1);
    let pay = |minor| {
        let core = world.settlement(world.core);
        core.transfer(world.core.account, world.tier_2.account, world.bank.member, cny(minor), commitment(1))
    };
    pay(10).unwrap();
    // The day has come, and its entries have not run.
    world.chain.start_at(world.chain.date() + 1);
    refuses(&world, || pay(11), SettlementError::InsufficientDeposit { missing: cny(1) });
    let deposit = world.settlement(world.core).deposits(world.core.account, None).unwrap().deposits.remove(0);
    assert_eq!((deposit.balance, deposit.bound), (cny(90), cny(80)));
    pay(10).unwrap();
    world.chain.run_agenda();
    assert_eq!(balances(&world, [world.core, world.tier_1]), [0, 80]);
}

#[test]
fn the_agenda_tries_for_ten_days_and_then_somebody_who_is_owed_must_ask() {
    let world = World::new();
    owes(&world, world.core, world.tier_1, 100, 1);
    world.advance_to(world.in_days(11));
    assert_eq!(world.chain.agenda().len(), 1, "the next step of collection");
    world.deposit(cny(100));
    world.advance_to(world.in_days(5));
    assert_eq!(world.balance(world.tier_1, world.bank), 0);
    refuses(&world, || collect(&world, world.tier_2), SettlementError::NotParty);
    assert_eq!(collect(&world, world.tier_1), Ok(cny(100)));
    refuses(&world, || collect(&world, world.tier_1), SettlementError::NotParty);
}

#[test]
fn who_is_owed_behind_many_others_may_ask_for_their_sake() {
    let world = World::new();
    for days in 1..=6 {
        owes(&world, world.core, world.tier_1, 10, days);
    }
    owes(&world, world.core, world.tier_2, 10, 7);
    world.advance_to(world.in_days(30));
    world.deposit(cny(1_000));
    assert_eq!(collect(&world, world.tier_2), Ok(cny(40)), "the oldest four days");
    assert_eq!(collect(&world, world.tier_2), Ok(cny(30)));
    assert_eq!(balances(&world, [world.tier_1, world.tier_2]), [60, 10]);
}

#[test]
fn a_promise_made_after_all_of_its_day_was_set_off_is_on_the_agenda_once() {
    let world = World::new();
    owes(&world, world.core, world.tier_1, 100, 1);
    owes(&world, world.tier_1, world.core, 100, 1);
    let entries = vec![entry(world.core, 0, world.tier_1, 100), entry(world.tier_1, 0, world.core, 100)];
    let number = propose(&world, world.core, netting(&world, entries)).unwrap();
    consent(&world, world.core, number).unwrap();
    consent(&world, world.tier_1, number).unwrap();
    owes(&world, world.core, world.tier_2, 50, 1);
    assert_eq!(world.chain.agenda().len(), 2, "a day of each payer's");
    for _ in 0..=PAYABLE_ATTEMPTS {
        world.advance_to(world.in_days(1));
        assert!(world.chain.agenda().len() <= 2, "the next try and the next step of collection");
    }
    assert_eq!(stands(&world, world.core, 1), (0, 0, PayableState::Overdue));
    world.deposit(cny(50));
    assert_eq!(collect(&world, world.tier_2), Ok(cny(50)));
}

#[test]
fn a_promise_is_sound_and_its_payers_own() {
    let world = World::new();
    let give = |change: &dyn Fn(&mut PayableTerms)| {
        let mut terms = terms(&world, world.tier_1, 100, 1);
        change(&mut terms);
        promise(&world, world.core, terms)
    };
    let latest = world.today().add_months(12).unwrap();
    let due = SettlementError::DueDate { latest };
    refuses(&world, || give(&|terms| terms.due = world.today()), due.clone());
    refuses(&world, || give(&|terms| terms.due = BusinessDate(latest.0 + 1)), due);
    refuses(&world, || give(&|terms| terms.amount = cny(0)), SettlementError::AmountNotPositive);
    refuses(&world, || give(&|terms| terms.payee = world.core.account), SettlementError::SameAccount);
    refuses(&world, || give(&|terms| terms.payee = AccountId([9; 16])), SettlementError::UnknownAccount);
    let unserved = SettlementError::BankDoesNotServe { currency: Currency::USD };
    refuses(&world, || give(&|terms| terms.amount.currency = Currency::USD), unserved);
    let forged = || world.settlement(world.tier_1).promise(world.core.account, terms(&world, world.tier_1, 1, 1));
    refuses(&world, forged, SettlementError::Unauthorized(Unauthorized::TooFewPersons));
    world.chain.set_status(world.core.member, MemberStatus::Restricted);
    let restricted = SettlementError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || give(&|_| ()), restricted);
    world.chain.set_status(world.core.member, MemberStatus::Active);
    give(&|terms| terms.due = latest).unwrap();
    for _ in 0..MAX_PAYABLES_A_DAY {
        give(&|_| ()).unwrap();
    }
    refuses(&world, || give(&|_| ()), SettlementError::TooMany { limit: MAX_PAYABLES_A_DAY as u32 });
    let run =
        || world.settlement(world.core).run_payables(world.core.account, world.bank.member, Currency::CNY, latest);
    refuses(&world, run, SettlementError::NotAgenda);
}

#[test]
fn promises_are_their_payers_and_payees_business() {
    let world = World::new();
    let number = owes(&world, world.core, world.tier_1, 100, 1);
    let page = world.settlement(world.core).payables(world.core.account, None).unwrap();
    let owed = world.settlement(world.tier_1).promised_to(world.tier_1.account, None).unwrap();
    assert_eq!((page.count, &page), (1, &owed));
    for firm in [world.core, world.tier_1] {
        assert_eq!(world.settlement(firm).payable(world.core.account, number).unwrap(), page.payables[0]);
    }
    let stranger = world.settlement(world.tier_2);
    assert_eq!(refusal(stranger.payable(world.core.account, number)), SettlementError::NotParty);
    assert_eq!(refusal(stranger.payables(world.core.account, None)), SettlementError::NotParty);
    assert_eq!(refusal(stranger.promised_to(world.tier_1.account, None)), SettlementError::NotParty);
    let unknown = SettlementError::Unknown { what: RecordKind::Payable };
    assert_eq!(refusal(stranger.payable(world.core.account, 9)), unknown);
}

// Netting.

fn entry(payer: Firm, number: u32, payee: Firm, minor: i128) -> NettingEntry {
    NettingEntry { payer: payer.account, number, payee: payee.account, minor }
}

fn netting(world: &World, entries: Vec<NettingEntry>) -> NettingTerms {
    NettingTerms { bank: world.bank.member, currency: Currency::CNY, entries, until: world.in_days(5) }
}

fn propose(world: &World, by: Firm, terms: NettingTerms) -> Result<u32, CallError<SettlementError>> {
    world.settlement(by).propose_netting(by.account, terms)
}

fn consent(world: &World, by: Firm, number: u32) -> Result<(), CallError<SettlementError>> {
    world.settlement(by).consent_to_netting(by.account, number)
}

fn unsound(fault: NettingFault) -> SettlementError {
    SettlementError::UnsoundNetting { fault }
}

/// The core enterprise owes tier 1 100, tier 1 owes tier 2 80, tier 2 owes the core enterprise 90; all in ten days.
fn ring(world: &World) -> Vec<NettingEntry> {
    owes(world, world.core, world.tier_1, 100, 10);
    owes(world, world.tier_1, world.tier_2, 80, 10);
    owes(world, world.tier_2, world.core, 90, 10);
    vec![
        entry(world.core, 0, world.tier_1, 100),
        entry(world.tier_1, 0, world.tier_2, 80),
        entry(world.tier_2, 0, world.core, 90),
    ]
}

#[test]
fn three_parties_set_off_what_they_owe_one_another_and_pay_the_differences() {
    let world = World::new();
    let firms = [world.core, world.tier_1, world.tier_2];
    for firm in firms {
        world.deposit_to(firm, cny(10));
    }
    let terms = netting(&world, ring(&world));
    let number = propose(&world, world.core, terms).unwrap();
    consent(&world, world.core, number).unwrap();
    consent(&world, world.tier_1, number).unwrap();
    assert_eq!(balances(&world, firms), [10, 10, 10]);
    assert_eq!(stands(&world, world.core, 0), (0, 0, PayableState::Open), "nothing happens before all agree");
    consent(&world, world.tier_2, number).unwrap();
    // 10 more owed than due to it; 20 more due to it; 10 more owed.
    assert_eq!(balances(&world, firms), [0, 30, 0]);
    assert_eq!(
        firms.map(|firm| stands(&world, firm, 0)),
        [(0, 100, PayableState::Settled), (0, 80, PayableState::Settled), (0, 90, PayableState::Settled)]
    );
    assert_eq!(world.assert_deposits(world.bank), 30);
    let told: Vec<SettlementEvent> = world.chain.events(CONTRACT);
    let mut netted: Vec<_> = told.iter().filter(|event| matches!(event, SettlementEvent::Netted { .. })).collect();
    let expected = firms.into_iter().zip([(90, 100), (100, 80), (80, 90)]).map(|(firm, (owed, owes))| {
        SettlementEvent::Netted { number, account: firm.account, owed: cny(owed), owes: cny(owes) }
    });
    for event in expected {
        let place = netted.iter().position(|told| **told == event).unwrap();
        netted.remove(place);
    }
    assert!(netted.is_empty());
    world.advance_to(world.in_days(12));
    assert_eq!(balances(&world, firms), [0, 30, 0], "and nothing falls due any more");
}

#[test]
fn a_part_is_set_off_and_the_rest_falls_due() {
    let world = World::new();
    owes(&world, world.core, world.tier_1, 100, 1);
    owes(&world, world.tier_1, world.core, 70, 1);
    let terms = netting(&world, vec![entry(world.core, 0, world.tier_1, 70), entry(world.tier_1, 0, world.core, 70)]);
    let number = propose(&world, world.tier_1, terms).unwrap();
    consent(&world, world.tier_1, number).unwrap();
    consent(&world, world.core, number).unwrap();
    world.deposit(cny(50));
    world.advance_to(world.in_days(1));
    assert_eq!(stands(&world, world.core, 0), (30, 70, PayableState::Settled));
    assert_eq!(balances(&world, [world.core, world.tier_1]), [20, 30]);
    let view = world.settlement(world.core).netting(number).unwrap();
    assert_eq!(view.state, NettingState::Executed);
}

#[test]
fn what_is_due_and_set_off_no_longer_binds_the_deposit_that_pays_the_difference() {
    let world = World::new();
    owes(&world, world.core, world.tier_1, 100, 1);
    owes(&world, world.tier_1, world.core, 70, 1);
    world.advance_to(world.in_days(1));
    let terms = netting(&world, vec![entry(world.core, 0, world.tier_1, 100), entry(world.tier_1, 0, world.core, 70)]);
    let number = propose(&world, world.tier_1, terms).unwrap();
    consent(&world, world.core, number).unwrap();
    world.deposit(cny(29));
    refuses(&world, || consent(&world, world.tier_1, number), unsound(NettingFault::Cover));
    world.deposit(cny(1));
    consent(&world, world.tier_1, number).unwrap();
    assert_eq!(balances(&world, [world.core, world.tier_1]), [0, 30]);
}

#[test]
fn nobodys_promise_is_touched_without_their_consent() {
    let world = World::new();
    let terms = netting(&world, ring(&world));
    refuses(&world, || propose(&world, world.tier_3, terms.clone()), SettlementError::NotParty);
    let number = propose(&world, world.core, terms).unwrap();
    refuses(&world, || consent(&world, world.tier_3, number), SettlementError::NotParty);
    let forged = || world.settlement(world.core).consent_to_netting(world.tier_1.account, number);
    refuses(&world, forged, SettlementError::Unauthorized(Unauthorized::TooFewPersons));
    consent(&world, world.core, number).unwrap();
    refuses(&world, || consent(&world, world.core, number), SettlementError::AlreadyConsented);
    // What a party gives up and pays on top is what its policy is asked for.
    world.chain.policy(world.tier_1.account, &[(99, 1), (i128::MAX, 2)]);
    let few = SettlementError::Unauthorized(Unauthorized::TooFewPersons);
    refuses(&world, || consent(&world, world.tier_1, number), few);
    let unknown = SettlementError::Unknown { what: RecordKind::Netting };
    refuses(&world, || consent(&world, world.core, 9), unknown);
}

#[test]
fn a_netting_ends_when_a_party_refuses_or_its_time_is_over() {
    let world = World::new();
    let terms = netting(&world, ring(&world));
    let refused = propose(&world, world.core, terms.clone()).unwrap();
    let refuse = |by: Firm| world.settlement(by).refuse_netting(by.account, refused);
    refuses(&world, || refuse(world.tier_3), SettlementError::NotParty);
    refuse(world.tier_2).unwrap();
    let closed = |state| SettlementError::NettingClosed { state };
    refuses(&world, || consent(&world, world.core, refused), closed(NettingState::Refused));
    refuses(&world, || refuse(world.core), closed(NettingState::Refused));
    let late = propose(&world, world.core, terms).unwrap();
    world.advance_to(world.in_days(5));
    consent(&world, world.core, late).unwrap();
    world.advance_to(world.in_days(1));
    refuses(&world, || consent(&world, world.tier_1, late), closed(NettingState::Expired));
    let page = world.settlement(world.tier_1).nettings(world.tier_1.account, None).unwrap();
    let states: Vec<_> = page.nettings.iter().map(|netting| netting.state).collect();
    assert_eq!((page.count, states), (2, vec![NettingState::Refused, NettingState::Expired]));
    assert_eq!(refusal(world.settlement(world.tier_3).netting(late)), SettlementError::NotParty);
    assert_eq!(refusal(world.settlement(world.tier_3).nettings(world.core.account, None)), SettlementError::NotParty);
}

#[test]
fn a_netting_is_sound() {
    let world = World::new();
    let terms = netting(&world, ring(&world));
    let with = |change: &dyn Fn(&mut NettingTerms)| {
        let mut terms = terms.clone();
        change(&mut terms);
        propose(&world, world.core, terms)
    };
    refuses(&world, || with(&|terms| terms.entries.clear()), unsound(NettingFault::Extent));
    refuses(&world, || with(&|terms| terms.entries.push(terms.entries[0].clone())), unsound(NettingFault::Extent));
    let many = |terms: &mut NettingTerms| {
        terms.entries =
            (0..=MAX_NETTING_ENTRIES as u32).map(|number| entry(world.core, number, world.tier_1, 1)).collect();
    };
    refuses(&world, || with(&many), unsound(NettingFault::Extent));
    let crowd = |terms: &mut NettingTerms| {
        terms.entries = (0..16)
            .map(|payee| NettingEntry {
                payee: AccountId([payee; 16]),
                ..entry(world.core, payee.into(), world.tier_1, 1)
            })
            .collect();
    };
    refuses(&world, || with(&crowd), unsound(NettingFault::Extent));
    refuses(&world, || with(&|terms| terms.entries[0].minor = 0), unsound(NettingFault::Amount));
    refuses(&world, || with(&|terms| terms.until = world.in_days(-1)), unsound(NettingFault::Validity));
    let long = |terms: &mut NettingTerms| terms.until = world.in_days(MAX_NETTING_DAYS + 1);
    refuses(&world, || with(&long), unsound(NettingFault::Validity));
    let unserved = SettlementError::BankDoesNotServe { currency: Currency::USD };
    refuses(&world, || with(&|terms| terms.currency = Currency::USD), unserved);
}

#[test]
fn a_party_consents_only_to_what_its_own_promises_are() {
    let world = World::new();
    let terms = netting(&world, ring(&world));
    let wrong: [&dyn Fn(&mut NettingEntry); 3] =
        [&|entry| entry.minor = 101, &|entry| entry.number = 4, &|entry| entry.payee = world.tier_2.account];
    for change in wrong {
        let mut terms = terms.clone();
        change(&mut terms.entries[0]);
        let number = propose(&world, world.tier_2, terms).unwrap();
        refuses(&world, || consent(&world, world.core, number), unsound(NettingFault::Promise));
    }
    // Who is no party to a promise learns nothing of it by consenting, until all have.
    let mut hidden = terms;
    hidden.entries[0].minor = 101;
    let number = propose(&world, world.tier_2, hidden).unwrap();
    consent(&world, world.tier_2, number).unwrap();
}

#[test]
fn a_netting_is_done_as_a_whole_or_not_at_all() {
    let world = World::new();
    for firm in [world.core, world.tier_1, world.tier_2] {
        world.deposit_to(firm, cny(10));
    }
    let terms = netting(&world, ring(&world));
    let number = propose(&world, world.core, terms.clone()).unwrap();
    consent(&world, world.core, number).unwrap();
    consent(&world, world.tier_1, number).unwrap();
    // A party that was frozen since takes no part, nor do the others then.
    world.chain.set_status(world.core.member, MemberStatus::Frozen);
    let frozen = SettlementError::MemberNotActive { status: MemberStatus::Frozen };
    refuses(&world, || consent(&world, world.tier_2, number), frozen);
    world.chain.set_status(world.core.member, MemberStatus::Active);
    // Another netting has set off part of it meanwhile.
    let two = vec![entry(world.core, 0, world.tier_1, 1)];
    let other = propose(&world, world.core, netting(&world, two)).unwrap();
    consent(&world, world.core, other).unwrap();
    consent(&world, world.tier_1, other).unwrap();
    refuses(&world, || consent(&world, world.tier_2, number), unsound(NettingFault::Promise));
    assert_eq!(balances(&world, [world.core, world.tier_1, world.tier_2]), [9, 11, 10]);
    world.assert_deposits(world.bank);
}
