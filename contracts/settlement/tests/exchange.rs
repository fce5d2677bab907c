//! Exchange of currencies: a dealer's quotes, spot exchanges, forwards (F40, W09, W10, S13).

#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use portolan_interface::{
    AccountId, Currency, MemberStatus, Money, Ppm, Quote, Role, TermsError, Unauthorized,
    settlement::{
        ForwardState, FxQuote, MAX_QUOTE_DAYS, Proceeds, QuoteFault, QuoteTerms, RecordKind, SettlementError,
        SettlementEvent, Side, ValueDay, api::CONTRACT,
    },
};
use portolan_sdk::CallError;
use world::{Firm, Settlement, World, cny, commitment, date, refusal, refuses};

const DAY_MS: u64 = 86_400_000;

fn usd(minor: i128) -> Money {
    Money::new(minor, Currency::USD)
}

/// The bank serves dollars, yen and renminbi, and holds enough of each to deal; the exporter has dollars.
fn dealing() -> World {
    let world = World::new();
    let bank = world.settlement(world.bank);
    for currency in [Currency::USD, Currency::JPY] {
        bank.serve(world.bank.account, Money::new(1_000_000_000_000, currency)).unwrap();
    }
    for currency in [Currency::USD, Currency::JPY, Currency::CNY] {
        let own = Money::new(1_000_000_000, currency);
        bank.issue(world.bank.account, world.bank.account, own, commitment(1)).unwrap();
    }
    bank.issue(world.bank.account, world.tier_1.account, usd(25_000_000), commitment(2)).unwrap();
    world
}

/// 7.1234 with 2,000 ppm and 80.00 CNY, up to 300,000.00 USD, today.
fn terms(world: &World) -> QuoteTerms {
    QuoteTerms {
        price: Quote { from: Currency::USD, to: Currency::CNY, units: 71_234, decimals: 4, spread: Ppm(2_000) },
        fee: cny(8_000),
        most: usd(30_000_000),
        customer: None,
        until: world.today(),
        until_ms: (world.chain.date() as u64 + 1) * DAY_MS,
        value: None,
    }
}

fn forward_terms(world: &World) -> QuoteTerms {
    // Wednesday 2026-04-01.
    let value = ValueDay { date: date("2026-04-01"), calendar: "demo".into() };
    QuoteTerms { value: Some(value), ..terms(world) }
}

fn post(world: &World, by: Firm, terms: QuoteTerms) -> Result<u32, CallError<SettlementError>> {
    world.settlement(by).quote(by.account, terms)
}

fn take(world: &World, by: Firm, number: u32, sold: Money) -> Result<Proceeds, CallError<SettlementError>> {
    world.settlement(by).exchange(by.account, world.bank.member, number, sold, Currency::CNY)
}

fn lock(world: &World, by: Firm, number: u32, sold: Money) -> Result<u32, CallError<SettlementError>> {
    world.settlement(by).lock_rate(by.account, world.bank.member, number, sold, Currency::CNY)
}

fn has(world: &World, account: AccountId, currency: Currency) -> i128 {
    let page = Settlement::over(world.chain.as_operator()).deposits(account, None).unwrap();
    page.deposits
        .iter()
        .map(|deposit| deposit.balance)
        .filter(|money| money.currency == currency)
        .map(|money| money.minor)
        .sum()
}

/// The deposit law, in each currency.
fn assert_deposits(world: &World) {
    for currency in [Currency::USD, Currency::JPY, Currency::CNY] {
        world.assert_deposits_in(world.bank, currency);
    }
}

fn unsound(fault: QuoteFault) -> SettlementError {
    SettlementError::UnsoundQuote { fault }
}

#[test]
fn s13_w09_an_exporter_sells_dollars_at_a_quoted_rate() {
    let world = dealing();
    let number = post(&world, world.bank, terms(&world)).unwrap();
    let proceeds = take(&world, world.tier_1, number, usd(25_000_000)).unwrap();
    let expected = Proceeds {
        sold: usd(25_000_000),
        gross: cny(178_085_000),
        net: cny(177_728_830),
        fee: cny(8_000),
        credited: cny(177_720_830),
    };
    assert_eq!(proceeds, expected);
    let (exporter, dealer) = (world.tier_1.account, world.bank.account);
    assert_eq!((has(&world, exporter, Currency::USD), has(&world, exporter, Currency::CNY)), (0, 177_720_830));
    assert_eq!(has(&world, dealer, Currency::USD), 1_000_000_000 + 25_000_000);
    assert_eq!(has(&world, dealer, Currency::CNY), 1_000_000_000 - 177_720_830);
    assert_deposits(&world);
    let told: Vec<SettlementEvent> = world.chain.events(CONTRACT);
    let dealer = world.bank.member;
    let exchanged = SettlementEvent::Exchanged { dealer, number, account: exporter, proceeds: expected };
    assert_eq!(told[told.len() - 2..], [SettlementEvent::QuoteGiven { dealer, number }, exchanged]);
    assert_eq!(world.settlement(world.bank).quotes(dealer, None).unwrap().quotes[0].left, usd(5_000_000));
}

#[test]
fn w10_dollars_become_yen_which_have_no_decimals() {
    let world = dealing();
    let price = Quote { from: Currency::USD, to: Currency::JPY, units: 1_553, decimals: 1, spread: Ppm(0) };
    let fee = Money::zero(Currency::JPY);
    let number = post(&world, world.bank, QuoteTerms { price, fee, ..terms(&world) }).unwrap();
    let exporter = world.settlement(world.tier_1);
    exporter.exchange(world.tier_1.account, world.bank.member, number, usd(25_000_000), Currency::JPY).unwrap();
    assert_eq!(has(&world, world.tier_1.account, Currency::JPY), 38_825_000);
    assert_deposits(&world);
}

#[test]
fn f40_a_quote_is_a_banks_and_given_with_its_approvals() {
    let world = dealing();
    refuses(&world, || post(&world, world.tier_1, terms(&world)), SettlementError::NotBank);
    let forged = || world.settlement(world.tier_1).quote(world.bank.account, terms(&world));
    refuses(&world, forged, SettlementError::Unauthorized(Unauthorized::TooFewPersons));
    // The policy sees what the dealer may have to pay on this day: 300,000.00 USD less the spread.
    world.advance_to(world.in_days(1));
    world.chain.policy(world.bank.account, &[(213_274_595, 1), (i128::MAX, 2)]);
    let few = SettlementError::Unauthorized(Unauthorized::TooFewPersons);
    refuses(&world, || post(&world, world.bank, terms(&world)), few);
    world.chain.policy(world.bank.account, &[(213_274_596, 1), (i128::MAX, 2)]);
    let number = post(&world, world.bank, terms(&world)).unwrap();
    // A bank that is none any more deals no more.
    world.chain.set_status(world.bank.member, MemberStatus::Restricted);
    let restricted = SettlementError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || take(&world, world.tier_1, number, usd(1_000)), restricted);
}

#[test]
fn f40_a_quote_is_for_its_pair_and_never_for_the_inverse() {
    let world = dealing();
    let number = post(&world, world.bank, terms(&world)).unwrap();
    let exchange = |sold: Money, bought| {
        world.settlement(world.tier_1).exchange(world.tier_1.account, world.bank.member, number, sold, bought)
    };
    let (sold, bought) = (Currency::USD, Currency::CNY);
    refuses(&world, || exchange(cny(1_000), Currency::USD), SettlementError::InversePair { sold, bought });
    let wrong = SettlementError::WrongPair { sold, bought };
    refuses(&world, || exchange(usd(1_000), Currency::JPY), wrong.clone());
    refuses(&world, || exchange(cny(1_000), Currency::JPY), wrong.clone());
    refuses(&world, || exchange(cny(1_000), Currency::CNY), wrong);
}

#[test]
fn f40_a_quote_holds_until_its_day_and_its_time() {
    let world = dealing();
    let until = world.in_days(2);
    let until_ms = (until.0 as u64) * DAY_MS + DAY_MS;
    let by_day = post(&world, world.bank, QuoteTerms { until, until_ms: until_ms + DAY_MS, ..terms(&world) }).unwrap();
    let by_time = post(&world, world.bank, QuoteTerms { until: world.in_days(3), until_ms, ..terms(&world) }).unwrap();
    world.chain.start_at(until.0);
    take(&world, world.tier_1, by_day, usd(2_000)).unwrap();
    take(&world, world.tier_1, by_time, usd(2_000)).unwrap();
    world.chain.start_at(until.0 + 1);
    refuses(&world, || take(&world, world.tier_1, by_day, usd(1_000)), SettlementError::QuoteExpired { until });
    let until = world.today();
    refuses(&world, || take(&world, world.tier_1, by_time, usd(1_000)), SettlementError::QuoteExpired { until });
}

#[test]
fn a_quote_is_taken_up_to_its_amount_and_not_after_it_is_withdrawn() {
    let world = dealing();
    let number = post(&world, world.bank, QuoteTerms { most: usd(10_000), ..terms(&world) }).unwrap();
    take(&world, world.tier_1, number, usd(6_000)).unwrap();
    let left = usd(4_000);
    refuses(&world, || take(&world, world.tier_1, number, usd(4_001)), SettlementError::AboveQuote { left });
    take(&world, world.tier_1, number, usd(4_000)).unwrap();
    refuses(&world, || take(&world, world.tier_1, number, usd(1)), SettlementError::QuoteClosed);
    let other = post(&world, world.bank, terms(&world)).unwrap();
    let withdraw = |by: Firm, number| world.settlement(by).withdraw_quote(by.account, number);
    let unknown = SettlementError::Unknown { what: RecordKind::Quote };
    refuses(&world, || withdraw(world.other_bank, other), unknown.clone());
    refuses(&world, || withdraw(world.tier_1, other), SettlementError::NotBank);
    withdraw(world.bank, other).unwrap();
    refuses(&world, || take(&world, world.tier_1, other, usd(1_000)), SettlementError::QuoteClosed);
    refuses(&world, || withdraw(world.bank, other), SettlementError::QuoteClosed);
    refuses(&world, || take(&world, world.tier_1, 9, usd(1_000)), unknown);
}

#[test]
fn a_quote_for_one_is_for_nobody_else_to_take_or_see() {
    let world = dealing();
    let only = QuoteTerms { customer: Some(world.tier_1.account), ..terms(&world) };
    let (number, open) = (post(&world, world.bank, only).unwrap(), post(&world, world.bank, terms(&world)).unwrap());
    refuses(&world, || take(&world, world.tier_2, number, usd(1_000)), SettlementError::QuoteForAnother);
    let see = |firm: Firm, number| world.settlement(firm).quote_of(world.bank.member, number);
    assert_eq!(refusal(see(world.tier_2, number)), SettlementError::NotParty);
    for (firm, number) in [(world.tier_1, number), (world.bank, number), (world.tier_2, open)] {
        let quote: FxQuote = see(firm, number).unwrap();
        assert_eq!((quote.number, quote.left), (number, usd(30_000_000)));
    }
    assert_eq!(refusal(world.settlement(world.tier_1).quotes(world.bank.member, None)), SettlementError::NotParty);
    take(&world, world.tier_1, number, usd(10_000)).unwrap();
}

#[test]
fn both_legs_move_or_none() {
    let world = dealing();
    let number = post(&world, world.bank, terms(&world)).unwrap();
    let short = SettlementError::InsufficientDeposit { missing: usd(1) };
    refuses(&world, || take(&world, world.tier_1, number, usd(25_000_001)), short);
    let missing = SettlementError::InsufficientDeposit { missing: usd(2_000) };
    refuses(&world, || take(&world, world.tier_2, number, usd(2_000)), missing);
    // The dealer has 1,000.00 CNY left.
    let bank = world.settlement(world.bank);
    bank.transfer(world.bank.account, world.core.account, world.bank.member, cny(999_900_000), commitment(3)).unwrap();
    refuses(&world, || take(&world, world.tier_1, number, usd(25_000_000)), SettlementError::DealerCannotDeliver);
    refuses(&world, || take(&world, world.bank, number, usd(1_000)), SettlementError::SameAccount);
    refuses(&world, || take(&world, world.tier_1, number, usd(0)), SettlementError::AmountNotPositive);
    let fee = SettlementError::Terms(TermsError::FeeAboveProceeds);
    refuses(&world, || take(&world, world.tier_1, number, usd(100)), fee);
    // 11.26 USD are 80.20 CNY, less the spread 80.03, less the fee 0.03.
    assert_eq!(take(&world, world.tier_1, number, usd(1_126)).unwrap().credited, cny(3));
    world.chain.set_status(world.tier_1.member, MemberStatus::Restricted);
    let restricted = SettlementError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || take(&world, world.tier_1, number, usd(2_000)), restricted);
}

#[test]
fn nobody_exchanges_in_anothers_name() {
    let world = dealing();
    let number = post(&world, world.bank, terms(&world)).unwrap();
    let forged = SettlementError::Unauthorized(Unauthorized::TooFewPersons);
    let (owner, dealer) = (world.tier_1.account, world.bank.member);
    let stranger = world.settlement(world.tier_2);
    refuses(&world, || stranger.exchange(owner, dealer, number, usd(1_000), Currency::CNY), forged.clone());
    refuses(&world, || stranger.lock_rate(owner, dealer, number, usd(1_000), Currency::CNY), forged.clone());
    refuses(&world, || stranger.withdraw_quote(world.bank.account, number), forged);
}

#[test]
fn exchange_that_gives_nothing_is_refused() {
    let world = dealing();
    let terms = QuoteTerms { fee: cny(0), ..terms(&world) };
    let price = Quote { units: 1, decimals: 4, ..terms.price };
    let number = post(&world, world.bank, QuoteTerms { price, ..terms }).unwrap();
    refuses(&world, || take(&world, world.tier_1, number, usd(9_999)), SettlementError::AmountNotPositive);
}

#[test]
fn the_terms_of_a_quote_are_sound() {
    let world = dealing();
    let posts = |change: fn(&World, &mut QuoteTerms)| {
        let mut terms = terms(&world);
        change(&world, &mut terms);
        post(&world, world.bank, terms)
    };
    type Case = (fn(&World, &mut QuoteTerms), QuoteFault);
    let cases: [Case; 14] = [
        (|_, terms| terms.price.to = Currency::USD, QuoteFault::OnePair),
        (|_, terms| terms.price.units = 0, QuoteFault::Price),
        (|_, terms| terms.price.decimals = 13, QuoteFault::Price),
        (|_, terms| terms.price.spread = Ppm(1_000_001), QuoteFault::Price),
        (|_, terms| terms.fee.minor = -1, QuoteFault::Fee),
        (|_, terms| terms.fee.currency = Currency::USD, QuoteFault::Fee),
        (|_, terms| terms.most.minor = 0, QuoteFault::Most),
        (|_, terms| terms.most.currency = Currency::CNY, QuoteFault::Most),
        (|world, terms| terms.until = world.in_days(-1), QuoteFault::Validity),
        (|world, terms| terms.until = world.in_days(MAX_QUOTE_DAYS + 1), QuoteFault::Validity),
        (|_, terms| terms.until_ms = 1, QuoteFault::Validity),
        (|world, terms| set_value(world, terms, "2026-04-04", "demo"), QuoteFault::ValueDay),
        (|world, terms| set_value(world, terms, "2027-03-03", "demo"), QuoteFault::ValueDay),
        (|world, terms| set_value(world, terms, "2026-04-01", "another"), QuoteFault::ValueDay),
    ];
    for (place, (change, fault)) in cases.into_iter().enumerate() {
        let before = world.chain.snapshot();
        assert_eq!(refusal(posts(change)), unsound(fault), "case {place}");
        assert_eq!(world.chain.snapshot(), before);
    }
    refuses(
        &world,
        || posts(|world, terms| set_value(world, terms, "2026-03-02", "demo")),
        unsound(QuoteFault::ValueDay),
    );
    let unserved = SettlementError::BankDoesNotServe { currency: Currency::EUR };
    let euros = |terms: &mut QuoteTerms| {
        terms.price.to = Currency::EUR;
        terms.fee.currency = Currency::EUR;
    };
    let mut terms = terms(&world);
    euros(&mut terms);
    refuses(&world, || post(&world, world.bank, terms), unserved);
}

fn set_value(_: &World, terms: &mut QuoteTerms, day: &str, calendar: &str) {
    terms.value = Some(ValueDay { date: date(day), calendar: calendar.into() });
}

// Forwards.

#[test]
fn a_forward_locks_the_rate_and_moves_both_legs_on_its_day() {
    let world = dealing();
    let quote = post(&world, world.bank, forward_terms(&world)).unwrap();
    let number = lock(&world, world.tier_1, quote, usd(25_000_000)).unwrap();
    let exporter = world.tier_1.account;
    assert_eq!(has(&world, exporter, Currency::USD), 25_000_000, "nothing moves yet");
    world.advance_to(date("2026-03-31"));
    assert_eq!(has(&world, exporter, Currency::USD), 25_000_000);
    world.advance_to(date("2026-04-01"));
    assert_eq!((has(&world, exporter, Currency::USD), has(&world, exporter, Currency::CNY)), (0, 177_720_830));
    assert_deposits(&world);
    let dealer = world.bank.member;
    let forward = world.settlement(world.tier_1).forward(dealer, number).unwrap();
    assert_eq!((forward.state, forward.value), (ForwardState::Executed, date("2026-04-01")));
    let told: Vec<SettlementEvent> = world.chain.events(CONTRACT);
    let proceeds = forward.proceeds;
    assert_eq!(told.last(), Some(&SettlementEvent::ForwardExecuted { dealer, number, account: exporter, proceeds }));
    // It ran, and does not run again.
    let agenda = Settlement::over(world.chain.as_contract(CONTRACT));
    agenda.run_forward(dealer, number).unwrap();
    assert_eq!(has(&world, exporter, Currency::CNY), 177_720_830);
}

/// Who could not deliver, when this was done between agreement and value day.
fn defaulted(spoil: impl FnOnce(&World)) -> Side {
    let world = dealing();
    let quote = post(&world, world.bank, forward_terms(&world)).unwrap();
    let number = lock(&world, world.tier_1, quote, usd(25_000_000)).unwrap();
    spoil(&world);
    let before = |world: &World| {
        let at = |firm: Firm| [Currency::USD, Currency::CNY].map(|currency| has(world, firm.account, currency));
        (at(world.tier_1), at(world.bank))
    };
    let deposits = before(&world);
    world.advance_to(date("2026-04-01"));
    assert_eq!(before(&world), deposits, "nothing moved");
    assert_deposits(&world);
    let (dealer, account) = (world.bank.member, world.tier_1.account);
    let forward = world.settlement(world.regulator).forward(dealer, number).unwrap();
    let ForwardState::Defaulted(by) = forward.state else { panic!("{forward:?}") };
    let told: Vec<SettlementEvent> = world.chain.events(CONTRACT);
    assert_eq!(told.last(), Some(&SettlementEvent::ForwardDefaulted { dealer, number, account, by }));
    // Money that comes later changes nothing.
    Settlement::over(world.chain.as_contract(CONTRACT)).run_forward(dealer, number).unwrap();
    assert_eq!(before(&world), deposits);
    by
}

fn spend(world: &World, firm: Firm, amount: Money) {
    let to = world.core.account;
    world.settlement(firm).transfer(firm.account, to, world.bank.member, amount, commitment(3)).unwrap();
}

#[test]
fn a_forward_of_which_a_side_cannot_deliver_moves_nothing_and_says_who() {
    assert_eq!(defaulted(|world| spend(world, world.tier_1, usd(1))), Side::Customer);
    assert_eq!(defaulted(|world| spend(world, world.bank, cny(900_000_000))), Side::Dealer);
    let both = |world: &World| {
        spend(world, world.tier_1, usd(1));
        spend(world, world.bank, cny(900_000_000));
    };
    assert_eq!(defaulted(both), Side::Both);
    let freeze = |world: &World, firm: Firm| world.chain.set_status(firm.member, MemberStatus::Frozen);
    assert_eq!(defaulted(|world| freeze(world, world.tier_1)), Side::Customer);
    assert_eq!(defaulted(|world| freeze(world, world.bank)), Side::Dealer);
}

#[test]
fn a_forward_uses_up_its_quote_and_a_quote_is_for_now_or_for_a_day() {
    let world = dealing();
    let spot = post(&world, world.bank, terms(&world)).unwrap();
    let forward = post(&world, world.bank, QuoteTerms { most: usd(10_000), ..forward_terms(&world) }).unwrap();
    refuses(&world, || lock(&world, world.tier_1, spot, usd(2_000)), unsound(QuoteFault::ForSpot));
    refuses(&world, || take(&world, world.tier_1, forward, usd(2_000)), unsound(QuoteFault::ForForward));
    assert_eq!(lock(&world, world.tier_1, forward, usd(6_000)), Ok(0));
    let left = usd(4_000);
    refuses(&world, || lock(&world, world.tier_1, forward, usd(4_001)), SettlementError::AboveQuote { left });
    world.chain.set_agenda_quota(0);
    let full = SettlementError::Agenda(portolan_sdk::ScheduleRefusal::Quota);
    refuses(&world, || lock(&world, world.tier_1, forward, usd(4_000)), full);
}

#[test]
fn forwards_are_their_sides_business_and_run_by_the_agenda_alone() {
    let world = dealing();
    let quote = post(&world, world.bank, forward_terms(&world)).unwrap();
    let number = lock(&world, world.tier_1, quote, usd(6_000)).unwrap();
    let dealer = world.bank.member;
    refuses(&world, || world.settlement(world.bank).run_forward(dealer, number), SettlementError::NotAgenda);
    let stranger = world.settlement(world.tier_2);
    assert_eq!(refusal(stranger.forward(dealer, number)), SettlementError::NotParty);
    assert_eq!(refusal(stranger.forwards_at(dealer, None)), SettlementError::NotParty);
    assert_eq!(refusal(stranger.forwards_of(world.tier_1.account, None)), SettlementError::NotParty);
    let own = world.settlement(world.tier_1).forwards_of(world.tier_1.account, None).unwrap();
    let all = world.settlement(world.bank).forwards_at(dealer, None).unwrap();
    assert_eq!((own.count, &own.forwards), (1, &all.forwards));
    assert_eq!(own.forwards[0].state, ForwardState::Locked);
    let unknown = SettlementError::Unknown { what: RecordKind::Forward };
    assert_eq!(refusal(stranger.forward(dealer, 7)), unknown);
}

#[test]
fn a_bank_deals_only_at_itself() {
    let world = dealing();
    let desk = world.chain.member("desk-bank", &[Role::Bank]);
    let desk = Firm { member: desk, account: world.chain.account(desk, "main") };
    // Another bank's quote is in its own list, and moves deposits at that bank: there is nothing to deal in.
    let unserved = SettlementError::BankDoesNotServe { currency: Currency::USD };
    refuses(&world, || post(&world, desk, terms(&world)), unserved);
}
