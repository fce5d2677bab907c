//! Deposits, obligations and waterfalls: what the contract does and what it refuses.

#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use portolan_interface::{
    AccountId, CertificateId, Currency, FinancingId, MemberStatus, Money, PartId, TermsError, Unauthorized,
    financing::api::CONTRACT as FINANCING,
    receivable::api::CONTRACT as RECEIVABLE,
    settlement::{
        MAX_PAYMENTS, MAX_TRANCHES, ObligationState, Payment, RecordKind, RedemptionAnswer, RedemptionState,
        SettlementError, SettlementEvent, Tranche, TrancheKind, Waterfall, api::CONTRACT,
    },
};
use portolan_sdk::CallError;
use world::{Firm, Settlement, World, cny, commitment, date, refusal, refuses};

fn issue(world: &World, by: Firm, to: AccountId, amount: Money) -> Result<(), CallError<SettlementError>> {
    world.settlement(by).issue(by.account, to, amount, commitment(1))
}

fn redeem(world: &World, firm: Firm, amount: Money) -> Result<u32, CallError<SettlementError>> {
    world.settlement(firm).redeem(firm.account, world.bank.member, amount, commitment(1))
}

fn answer(
    world: &World,
    number: u32,
    amount: Money,
    answer: RedemptionAnswer,
    reference: u64,
) -> Result<(), CallError<SettlementError>> {
    let bank = world.settlement(world.bank);
    bank.answer_redemption(world.bank.account, number, amount, answer, commitment(reference))
}

fn pay(world: &World, from: Firm, to: AccountId, amount: Money) -> Result<(), CallError<SettlementError>> {
    world.settlement(from).transfer(from.account, to, world.bank.member, amount, commitment(1))
}

/// As `receivable` calls.
fn receivable(world: &World) -> Settlement {
    Settlement::over(world.chain.as_contract(RECEIVABLE))
}

/// As `financing` calls.
fn financing(world: &World) -> Settlement {
    Settlement::over(world.chain.as_contract(FINANCING))
}

const CLAIM: CertificateId = CertificateId([1; 32]);
const PART: PartId = PartId([2; 32]);

/// The core enterprise owes this much today.
fn owes(world: &World, minor: i128) {
    receivable(world).register(CLAIM, world.core.account, world.bank.member, cny(minor), world.today()).unwrap();
}

fn payment(holder: Firm, minor: i128) -> Payment {
    Payment { part: PART, holder: holder.account, minor, financed: false }
}

// Banks and deposits (F37).

#[test]
fn a_bank_issues_moves_and_redeems_and_its_book_adds_up() {
    let world = World::new();
    issue(&world, world.bank, world.core.account, cny(10_000)).unwrap();
    issue(&world, world.other_bank, world.core.account, cny(500)).unwrap();
    pay(&world, world.core, world.tier_1.account, cny(4_000)).unwrap();
    let order = redeem(&world, world.tier_1, cny(1_500)).unwrap();
    answer(&world, order, cny(1_500), RedemptionAnswer::Executed, 9).unwrap();
    assert_eq!([world.core, world.tier_1].map(|firm| world.balance(firm, world.bank)), [6_000, 2_500]);
    assert_eq!(world.balance(world.core, world.other_bank), 500);
    assert_eq!((world.assert_deposits(world.bank), world.assert_deposits(world.other_bank)), (8_500, 500));
}

#[test]
fn each_move_of_money_is_told_with_its_amount_and_reference() {
    let world = World::new();
    issue(&world, world.bank, world.core.account, cny(10_000)).unwrap();
    pay(&world, world.core, world.tier_1.account, cny(4_000)).unwrap();
    redeem(&world, world.tier_1, cny(1_500)).unwrap();
    answer(&world, 0, cny(1_500), RedemptionAnswer::Executed, 9).unwrap();
    let told: Vec<SettlementEvent> = world.chain.events(CONTRACT);
    let (bank, reference) = (world.bank.member, commitment(1));
    let (core, tier_1) = (world.core.account, world.tier_1.account);
    let expected = [
        SettlementEvent::Issued { bank, account: core, amount: cny(10_000), reference },
        SettlementEvent::Transferred { bank, from: core, to: tier_1, amount: cny(4_000), reference },
        SettlementEvent::RedemptionRequested { bank, number: 0, account: tier_1, amount: cny(1_500), order: reference },
        SettlementEvent::Redeemed { bank, number: 0, account: tier_1, amount: cny(1_500), reference: commitment(9) },
    ];
    assert_eq!(told[told.len() - expected.len()..], expected);
}

#[test]
fn proceeds_come_to_nobody_who_may_not_receive_and_never_as_nothing() {
    let world = World::new();
    let fund = |minor| financing(&world).fund(world.bank.account, world.tier_1.account, cny(minor));
    refuses(&world, || fund(0), SettlementError::AmountNotPositive);
    world.chain.set_status(world.tier_1.member, MemberStatus::Frozen);
    let frozen = SettlementError::MemberNotActive { status: MemberStatus::Frozen };
    refuses(&world, || fund(1_000), frozen);
    world.chain.set_status(world.tier_1.member, MemberStatus::Active);
    fund(1_000).unwrap();
    assert_eq!(world.balance(world.tier_1, world.bank), 1_000);
    let register =
        |minor| receivable(&world).register(CLAIM, world.core.account, world.bank.member, cny(minor), world.today());
    refuses(&world, || register(0), SettlementError::AmountNotPositive);
}

#[test]
fn only_a_bank_in_good_standing_issues() {
    let world = World::new();
    refuses(&world, || issue(&world, world.core, world.core.account, cny(1)), SettlementError::NotBank);
    refuses(
        &world,
        || world.settlement(world.platform).serve(world.platform.account, cny(1)),
        SettlementError::NotBank,
    );
    world.chain.set_status(world.bank.member, MemberStatus::Restricted);
    let restricted = SettlementError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || issue(&world, world.bank, world.core.account, cny(1)), restricted);
}

#[test]
fn nobody_issues_in_a_banks_name_without_its_approvals() {
    let world = World::new();
    let forged = || world.settlement(world.core).issue(world.bank.account, world.core.account, cny(1), commitment(1));
    refuses(&world, forged, SettlementError::Unauthorized(Unauthorized::TooFewPersons));
    world.chain.policy(world.bank.account, &[(1_000, 1), (i128::MAX, 2)]);
    refuses(
        &world,
        || issue(&world, world.bank, world.core.account, cny(1_001)),
        SettlementError::Unauthorized(Unauthorized::TooFewPersons),
    );
}

#[test]
fn nobody_disposes_of_a_deposit_or_sets_a_cap_in_anothers_name() {
    let world = World::new();
    world.deposit(cny(1_000));
    let stranger = world.settlement(world.tier_3);
    let (owner, bank) = (world.core.account, world.bank.member);
    let forged = SettlementError::Unauthorized(Unauthorized::TooFewPersons);
    refuses(&world, || stranger.redeem(owner, bank, cny(1), commitment(1)), forged.clone());
    let to_itself = || stranger.transfer(owner, world.tier_3.account, bank, cny(1), commitment(1));
    refuses(&world, to_itself, forged.clone());
    refuses(&world, || stranger.serve(world.bank.account, cny(2_000_000_000_000)), forged);
}

#[test]
fn f37_a_bank_issues_only_what_it_serves_and_up_to_its_cap() {
    let world = World::new();
    let dollars = Money::new(1, Currency::USD);
    refuses(
        &world,
        || issue(&world, world.bank, world.core.account, dollars),
        SettlementError::BankDoesNotServe { currency: Currency::USD },
    );
    world.settlement(world.bank).serve(world.bank.account, cny(1_000)).unwrap();
    issue(&world, world.bank, world.core.account, cny(900)).unwrap();
    refuses(
        &world,
        || issue(&world, world.bank, world.core.account, cny(101)),
        SettlementError::CapExceeded { excess: cny(1) },
    );
    redeem(&world, world.core, cny(1)).unwrap();
    // What is pending the bank still owes.
    refuses(
        &world,
        || issue(&world, world.bank, world.core.account, cny(101)),
        SettlementError::CapExceeded { excess: cny(1) },
    );
    answer(&world, 0, cny(1), RedemptionAnswer::Executed, 9).unwrap();
    issue(&world, world.bank, world.core.account, cny(101)).unwrap();
    let below = SettlementError::CapBelowOutstanding { outstanding: cny(1_000) };
    refuses(&world, || world.settlement(world.bank).serve(world.bank.account, cny(999)), below);
    let gold = Money::new(1, Currency(*b"XAU"));
    let unknown = SettlementError::Terms(TermsError::UnknownCurrency(Currency(*b"XAU")));
    refuses(&world, || world.settlement(world.bank).serve(world.bank.account, gold), unknown);
}

#[test]
fn f37_each_currency_has_its_own_cap_and_its_own_book() {
    let world = World::new();
    let bank = world.settlement(world.bank);
    let (yen, dinars, unidades) = (Currency::JPY, Currency::BHD, Currency(*b"CLF"));
    let caps = [(yen, 1_000_001), (dinars, 5_000_123), (unidades, 12_345_678)];
    for (currency, cap) in caps {
        bank.serve(world.bank.account, Money::new(cap, currency)).unwrap();
        issue(&world, world.bank, world.core.account, Money::new(cap, currency)).unwrap();
        let over = Money::new(1, currency);
        refuses(
            &world,
            || issue(&world, world.bank, world.core.account, over),
            SettlementError::CapExceeded { excess: over },
        );
    }
    // The other bank serves renminbi alone, whatever this one does.
    refuses(
        &world,
        || issue(&world, world.other_bank, world.core.account, Money::new(1, yen)),
        SettlementError::BankDoesNotServe { currency: yen },
    );
    issue(&world, world.bank, world.core.account, cny(7)).unwrap();
    pay(&world, world.core, world.tier_1.account, Money::new(123, dinars)).unwrap();
    let order = redeem(&world, world.core, Money::new(5_000_000, dinars)).unwrap();
    answer(&world, order, Money::new(5_000_000, dinars), RedemptionAnswer::Executed, 1).unwrap();
    issue(&world, world.bank, world.core.account, Money::new(5_000_000, dinars)).unwrap();
    let books = caps.map(|(currency, _)| world.assert_deposits_in(world.bank, currency));
    assert_eq!((books, world.assert_deposits(world.bank)), ([1_000_001, 5_000_123, 12_345_678], 7));
    let page = world.settlement(world.core).deposits(world.core.account, None).unwrap();
    let shown: Vec<String> = page.deposits.iter().map(|deposit| deposit.balance.to_string()).collect();
    assert_eq!(shown, ["1,000,001 JPY", "5,000.000 BHD", "1,234.5678 CLF", "0.07 CNY"]);
}

#[test]
fn f37_a_bank_serves_only_currencies_of_the_list() {
    let world = World::new();
    for code in [*b"XAU", *b"XXX", *b"cny", [0, 0, 0]] {
        let money = Money::new(1, Currency(code));
        let unknown = SettlementError::Terms(TermsError::UnknownCurrency(Currency(code)));
        refuses(&world, || world.settlement(world.bank).serve(world.bank.account, money), unknown);
        let unserved = SettlementError::BankDoesNotServe { currency: Currency(code) };
        refuses(&world, || issue(&world, world.bank, world.core.account, money), unserved);
    }
}

#[test]
fn amounts_are_above_zero() {
    let world = World::new();
    world.deposit(cny(100));
    for minor in [0, -1, i128::MIN] {
        refuses(
            &world,
            || issue(&world, world.bank, world.core.account, cny(minor)),
            SettlementError::AmountNotPositive,
        );
        refuses(&world, || redeem(&world, world.core, cny(minor)), SettlementError::AmountNotPositive);
        refuses(
            &world,
            || pay(&world, world.core, world.tier_1.account, cny(minor)),
            SettlementError::AmountNotPositive,
        );
        refuses(
            &world,
            || world.settlement(world.bank).serve(world.bank.account, cny(minor)),
            SettlementError::AmountNotPositive,
        );
    }
}

#[test]
fn nobody_disposes_of_more_than_they_have() {
    let world = World::new();
    world.deposit(cny(100));
    refuses(&world, || redeem(&world, world.core, cny(101)), SettlementError::InsufficientDeposit { missing: cny(1) });
    refuses(&world, || redeem(&world, world.tier_1, cny(1)), SettlementError::InsufficientDeposit { missing: cny(1) });
    let too_much = SettlementError::InsufficientDeposit { missing: cny(i128::MAX - 100) };
    refuses(&world, || pay(&world, world.core, world.tier_1.account, cny(i128::MAX)), too_much);
    refuses(&world, || pay(&world, world.core, world.core.account, cny(1)), SettlementError::SameAccount);
    redeem(&world, world.core, cny(100)).unwrap();
}

#[test]
fn money_comes_to_known_accounts_in_standing() {
    let world = World::new();
    world.deposit(cny(100));
    let nobody = AccountId([0xEE; 16]);
    refuses(&world, || issue(&world, world.bank, nobody, cny(1)), SettlementError::UnknownAccount);
    refuses(&world, || pay(&world, world.core, nobody, cny(1)), SettlementError::UnknownAccount);
    world.chain.set_status(world.tier_1.member, MemberStatus::Frozen);
    let frozen = SettlementError::MemberNotActive { status: MemberStatus::Frozen };
    refuses(&world, || issue(&world, world.bank, world.tier_1.account, cny(1)), frozen.clone());
    refuses(&world, || pay(&world, world.core, world.tier_1.account, cny(1)), frozen);
}

#[test]
fn deposits_are_their_owners_business_and_the_banks() {
    let world = World::new();
    world.deposit(cny(100));
    assert_eq!(refusal(world.settlement(world.tier_1).deposits(world.core.account, None)), SettlementError::NotParty);
    assert_eq!(world.settlement(world.core).deposits(world.core.account, None).unwrap().count, 1);
    let book = |firm: Firm| world.settlement(firm).book(world.bank.member, Currency::CNY, None).unwrap();
    assert_eq!(book(world.bank).deposits.len(), 1);
    assert_eq!(book(world.regulator).deposits.len(), 1);
    let public = book(world.other_bank);
    assert_eq!((public.deposits.len(), public.book.outstanding), (0, cny(100)));
    let unserved = world.settlement(world.bank).book(world.bank.member, Currency::USD, None);
    assert_eq!(refusal(unserved), SettlementError::BankDoesNotServe { currency: Currency::USD });
}

// Redemption (F38, S12).

fn numbers(page: portolan_interface::settlement::RedemptionPage) -> Vec<u32> {
    assert_eq!(page.count as usize, page.redemptions.len());
    page.redemptions.iter().map(|redemption| redemption.number).collect()
}

#[test]
fn f38_a_redemption_without_an_answer_stays_to_be_seen() {
    let world = World::new();
    world.deposit(cny(1_000));
    world.deposit_to(world.tier_1, cny(1_000));
    for (firm, minor) in [(world.core, 100), (world.tier_1, 200), (world.core, 300)] {
        redeem(&world, firm, cny(minor)).unwrap();
    }
    world.advance_to(world.in_days(400));
    let (bank, core) = (world.settlement(world.bank), world.settlement(world.core));
    assert_eq!(numbers(bank.pending_at(world.bank.member, None).unwrap()), [0, 1, 2]);
    assert_eq!(numbers(core.pending_of(world.core.account, None).unwrap()), [0, 2]);
    let deposit = core.deposits(world.core.account, None).unwrap().deposits.remove(0);
    assert_eq!((deposit.balance, deposit.pending), (cny(600), cny(400)));
    assert_eq!(bank.book(world.bank.member, Currency::CNY, None).unwrap().book.pending, cny(600));
    assert_eq!(world.assert_deposits(world.bank), 1_400);
    // Each that is answered leaves the lists of what is pending, whatever its place in them, and stays in those of all.
    for (number, minor, left) in [(0, 100, vec![2, 1]), (2, 300, vec![1]), (1, 200, vec![])] {
        answer(&world, number, cny(minor), RedemptionAnswer::Executed, u64::from(number)).unwrap();
        assert_eq!(numbers(bank.pending_at(world.bank.member, None).unwrap()), left);
    }
    assert_eq!(numbers(core.pending_of(world.core.account, None).unwrap()), []);
    assert_eq!(numbers(core.redemptions_of(world.core.account, None).unwrap()), [0, 2]);
    let all = bank.redemptions_at(world.bank.member, None).unwrap();
    assert_eq!(numbers(all.clone()), [0, 1, 2]);
    assert!(all.redemptions.iter().all(|redemption| redemption.state == RedemptionState::Executed));
    let reply = all.redemptions[1].reply.clone().unwrap();
    assert_eq!((reply.on, reply.reference), (world.today(), commitment(1)));
    assert_eq!(numbers_from(&world, 2), [2]);
    assert_eq!(world.assert_deposits(world.bank), 1_400);
}

fn numbers_from(world: &World, from: u32) -> Vec<u32> {
    let page = world.settlement(world.bank).redemptions_at(world.bank.member, Some(from)).unwrap();
    page.redemptions.iter().map(|redemption| redemption.number).collect()
}

#[test]
fn f38_a_redemption_is_answered_once() {
    let world = World::new();
    world.deposit(cny(1_000));
    let state = |state| SettlementError::RedemptionAnswered { state };
    redeem(&world, world.core, cny(100)).unwrap();
    answer(&world, 0, cny(100), RedemptionAnswer::Executed, 9).unwrap();
    for again in [RedemptionAnswer::Executed, RedemptionAnswer::Refused] {
        refuses(&world, || answer(&world, 0, cny(100), again, 10), state(RedemptionState::Executed));
    }
    redeem(&world, world.core, cny(200)).unwrap();
    answer(&world, 1, cny(200), RedemptionAnswer::Refused, 11).unwrap();
    refuses(&world, || answer(&world, 1, cny(200), RedemptionAnswer::Executed, 12), state(RedemptionState::Refused));
    assert_eq!((world.balance(world.core, world.bank), world.assert_deposits(world.bank)), (900, 900));
}

#[test]
fn f38_a_redemption_is_answered_for_exactly_its_amount() {
    let world = World::new();
    world.deposit(cny(1_000));
    redeem(&world, world.core, cny(100)).unwrap();
    let amount = SettlementError::RedemptionAmount { requested: cny(100) };
    for other in [cny(99), cny(101), cny(0), Money::new(100, Currency::USD)] {
        for reply in [RedemptionAnswer::Executed, RedemptionAnswer::Refused] {
            refuses(&world, || answer(&world, 0, other, reply, 9), amount.clone());
        }
    }
}

#[test]
fn f38_a_payment_of_the_bank_stands_for_one_redemption() {
    let world = World::new();
    world.deposit(cny(1_000));
    for _ in 0..3 {
        redeem(&world, world.core, cny(100)).unwrap();
    }
    answer(&world, 1, cny(100), RedemptionAnswer::Executed, 9).unwrap();
    let used = SettlementError::ReferenceUsed { number: 1 };
    refuses(&world, || answer(&world, 0, cny(100), RedemptionAnswer::Executed, 9), used);
    // A reason may hold for many, and is no payment.
    answer(&world, 0, cny(100), RedemptionAnswer::Refused, 9).unwrap();
    answer(&world, 2, cny(100), RedemptionAnswer::Refused, 9).unwrap();
}

#[test]
fn only_the_bank_that_was_asked_answers() {
    let world = World::new();
    world.deposit(cny(1_000));
    redeem(&world, world.core, cny(100)).unwrap();
    let by = |firm: Firm, account| {
        world.settlement(firm).answer_redemption(account, 0, cny(100), RedemptionAnswer::Refused, commitment(9))
    };
    let unknown = SettlementError::Unknown { what: RecordKind::Redemption };
    refuses(&world, || by(world.other_bank, world.other_bank.account), unknown.clone());
    refuses(&world, || by(world.core, world.core.account), SettlementError::NotBank);
    let forged = SettlementError::Unauthorized(Unauthorized::TooFewPersons);
    refuses(&world, || by(world.core, world.bank.account), forged);
    refuses(&world, || answer(&world, 1, cny(100), RedemptionAnswer::Executed, 9), unknown);
    // Large payments need two, as the bank's policy has it.
    world.chain.policy(world.bank.account, &[(99, 1), (i128::MAX, 2)]);
    let few = SettlementError::Unauthorized(Unauthorized::TooFewPersons);
    refuses(&world, || answer(&world, 0, cny(100), RedemptionAnswer::Executed, 9), few);
}

#[test]
fn what_is_pending_is_not_the_owners_to_spend_and_a_refusal_gives_it_back() {
    let world = World::new();
    world.deposit(cny(1_000));
    redeem(&world, world.core, cny(900)).unwrap();
    let short = SettlementError::InsufficientDeposit { missing: cny(1) };
    refuses(&world, || redeem(&world, world.core, cny(101)), short.clone());
    refuses(&world, || pay(&world, world.core, world.tier_1.account, cny(101)), short);
    // Its owner may be frozen by now: the money is theirs all the same.
    world.chain.set_status(world.core.member, MemberStatus::Frozen);
    answer(&world, 0, cny(900), RedemptionAnswer::Refused, 9).unwrap();
    let (bank, account) = (world.bank.member, world.core.account);
    let told: Vec<SettlementEvent> = world.chain.events(CONTRACT);
    let refused =
        SettlementEvent::RedemptionRefused { bank, number: 0, account, amount: cny(900), reference: commitment(9) };
    assert_eq!(told.last(), Some(&refused));
    assert_eq!(world.balance(world.core, world.bank), 1_000);
    let deposit = Settlement::over(world.chain.as_operator()).deposits(account, None).unwrap().deposits.remove(0);
    assert_eq!(deposit.pending, cny(0));
}

#[test]
fn redemptions_are_their_owners_business_and_the_banks() {
    let world = World::new();
    world.deposit(cny(1_000));
    redeem(&world, world.core, cny(900)).unwrap();
    let (bank, account) = (world.bank.member, world.core.account);
    for stranger in [world.tier_1, world.other_bank] {
        let stranger = world.settlement(stranger);
        let pages = [
            stranger.redemptions_at(bank, None),
            stranger.pending_at(bank, None),
            stranger.redemptions_of(account, None),
            stranger.pending_of(account, None),
        ];
        for page in pages {
            assert_eq!(refusal(page), SettlementError::NotParty);
        }
    }
}

/// What a bank tells of each payment (an entry of camt.054) finds one redemption, by order and amount; what it cannot find it leaves open.
#[test]
fn s12_a_treasurer_redeems_and_the_statement_reconciles() {
    let world = World::new();
    world.deposit(cny(30_000_000));
    for (seed, minor) in [(21, 10_000_000), (22, 5_000_000), (23, 7_000_000)] {
        world
            .settlement(world.core)
            .redeem(world.core.account, world.bank.member, cny(minor), commitment(seed))
            .unwrap();
    }
    // The statement: order paid, amount, the bank's own reference.
    for (order, minor, reference) in [(23, 7_000_000, 31), (21, 10_000_000, 32)] {
        let pending = world.settlement(world.bank).pending_at(world.bank.member, None).unwrap().redemptions;
        let found = pending.iter().find(|redemption| redemption.order == commitment(order)).unwrap();
        answer(&world, found.number, cny(minor), RedemptionAnswer::Executed, reference).unwrap();
    }
    let core = world.settlement(world.core);
    let book = core.redemptions_of(world.core.account, None).unwrap().redemptions;
    let states: Vec<_> =
        book.iter().map(|redemption| (redemption.order, redemption.amount, redemption.state)).collect();
    assert_eq!(
        states,
        [
            (commitment(21), cny(10_000_000), RedemptionState::Executed),
            (commitment(22), cny(5_000_000), RedemptionState::Pending),
            (commitment(23), cny(7_000_000), RedemptionState::Executed),
        ]
    );
    let book = core.book(world.bank.member, Currency::CNY, None).unwrap().book;
    assert_eq!((book.redeemed, book.pending, book.outstanding), (cny(17_000_000), cny(5_000_000), cny(13_000_000)));
    assert_eq!(world.assert_deposits(world.bank), 8_000_000);
}

// What only other contracts may call.

#[test]
fn what_contracts_do_nobody_else_can_do() {
    let world = World::new();
    let core = world.settlement(world.core);
    let (account, bank) = (world.core.account, world.bank.member);
    refuses(&world, || core.register(CLAIM, account, bank, cny(1), world.today()), SettlementError::NotTrusted);
    refuses(&world, || core.collect(CLAIM), SettlementError::NotTrusted);
    refuses(&world, || core.pay(CLAIM, vec![]), SettlementError::NotTrusted);
    refuses(&world, || core.fund(world.bank.account, account, cny(1)), SettlementError::NotTrusted);
    refuses(&world, || core.register_waterfall(PART, falls(&world)), SettlementError::NotTrusted);
    // Trust is by contract: each only what is its own.
    refuses(&world, || financing(&world).collect(CLAIM), SettlementError::NotTrusted);
    refuses(&world, || receivable(&world).fund(world.bank.account, account, cny(1)), SettlementError::NotTrusted);
}

#[test]
fn funding_is_an_issue_of_the_funders_bank() {
    let world = World::new();
    financing(&world).fund(world.bank.account, world.tier_1.account, cny(700)).unwrap();
    assert_eq!((world.balance(world.tier_1, world.bank), world.assert_deposits(world.bank)), (700, 700));
    refuses(
        &world,
        || financing(&world).fund(world.core.account, world.tier_1.account, cny(1)),
        SettlementError::NotBank,
    );
}

// Obligations.

#[test]
fn an_obligation_is_registered_once_at_a_bank_that_serves() {
    let world = World::new();
    owes(&world, 100);
    let again = || receivable(&world).register(CLAIM, world.core.account, world.bank.member, cny(100), world.today());
    refuses(&world, again, SettlementError::DuplicateObligation);
    let dollars = Money::new(1, Currency::USD);
    let other = CertificateId([9; 32]);
    refuses(
        &world,
        || receivable(&world).register(other, world.core.account, world.bank.member, dollars, world.today()),
        SettlementError::BankDoesNotServe { currency: Currency::USD },
    );
}

#[test]
fn nothing_is_collected_before_it_is_due_or_while_it_is_paid_or_after() {
    let world = World::new();
    world.deposit(cny(100));
    refuses(&world, || receivable(&world).collect(CLAIM), SettlementError::UnknownObligation);
    receivable(&world).register(CLAIM, world.core.account, world.bank.member, cny(100), world.in_days(1)).unwrap();
    let state = |state| SettlementError::ObligationState { state, needed: ObligationState::Overdue };
    refuses(&world, || receivable(&world).collect(CLAIM), state(ObligationState::Pending));
    world.advance_to(world.in_days(1));
    assert_eq!(receivable(&world).collect(CLAIM).unwrap(), cny(100));
    refuses(&world, || receivable(&world).collect(CLAIM), state(ObligationState::Paying));
    receivable(&world).pay(CLAIM, vec![payment(world.tier_1, 100)]).unwrap();
    refuses(&world, || receivable(&world).collect(CLAIM), state(ObligationState::Paid));
}

#[test]
fn no_more_is_paid_than_was_set_aside() {
    let world = World::new();
    world.deposit(cny(1_000));
    owes(&world, 100);
    let not_collected =
        SettlementError::ObligationState { state: ObligationState::Pending, needed: ObligationState::Paying };
    refuses(&world, || receivable(&world).pay(CLAIM, vec![payment(world.tier_1, 1)]), not_collected);
    receivable(&world).collect(CLAIM).unwrap();
    refuses(
        &world,
        || receivable(&world).pay(CLAIM, vec![payment(world.tier_1, 60), payment(world.tier_2, 41)]),
        SettlementError::Overpaid { excess: cny(1) },
    );
    refuses(
        &world,
        || receivable(&world).pay(CLAIM, vec![payment(world.tier_1, 0)]),
        SettlementError::AmountNotPositive,
    );
    let many = vec![payment(world.tier_1, 1); MAX_PAYMENTS + 1];
    refuses(&world, || receivable(&world).pay(CLAIM, many), SettlementError::TooMany { limit: MAX_PAYMENTS as u32 });
    let overflow = vec![payment(world.tier_1, i128::MAX), payment(world.tier_1, 1)];
    refuses(&world, || receivable(&world).pay(CLAIM, overflow), SettlementError::Terms(TermsError::Overflow));
    receivable(&world).pay(CLAIM, vec![payment(world.tier_1, 60), payment(world.tier_2, 40)]).unwrap();
    assert_eq!(world.balance(world.core, world.bank), 900);
    world.assert_deposits(world.bank);
}

#[test]
fn an_obligation_is_its_payers_business() {
    let world = World::new();
    owes(&world, 100);
    assert_eq!(refusal(world.settlement(world.tier_1).obligation(CLAIM)), SettlementError::NotParty);
    assert_eq!(
        refusal(world.settlement(world.tier_1).obligations(world.core.account, None)),
        SettlementError::NotParty
    );
    let page = world.settlement(world.core).obligations(world.core.account, None).unwrap();
    assert_eq!((page.count, page.obligations[0].amount), (1, cny(100)));
    let unknown = world.settlement(world.core).obligation(CertificateId([8; 32]));
    assert_eq!(refusal(unknown), SettlementError::UnknownObligation);
}

#[test]
fn money_that_is_set_aside_is_not_the_payers_to_spend() {
    let world = World::new();
    world.deposit(cny(150));
    owes(&world, 100);
    receivable(&world).collect(CLAIM).unwrap();
    refuses(&world, || redeem(&world, world.core, cny(51)), SettlementError::InsufficientDeposit { missing: cny(1) });
    redeem(&world, world.core, cny(50)).unwrap();
}

// Waterfalls (W08).

fn falls(world: &World) -> Waterfall {
    let due = [
        (TrancheKind::Fee, 15_000),
        (TrancheKind::Tax, 7_500),
        (TrancheKind::Penalty, 125_000),
        (TrancheKind::Principal, 30_000_000),
    ];
    let tranches =
        due.map(|(kind, due_minor)| Tranche { kind, payee: world.other_bank.account, due_minor, paid_minor: 0 });
    Waterfall {
        financing: FinancingId([3; 32]),
        currency: Currency::CNY,
        tranches: tranches.into(),
        residual: world.tier_1.account,
    }
}

fn receive(world: &World, minor: i128) {
    let payment = Payment { part: PART, holder: world.other_bank.account, minor, financed: true };
    receivable(world).pay(CLAIM, vec![payment]).unwrap();
}

#[test]
fn w08_a_receipt_goes_down_the_ranks() {
    let world = World::new();
    financing(&world).register_waterfall(PART, falls(&world)).unwrap();
    owes(&world, 40_000_000);
    world.deposit(cny(40_000_000));
    receivable(&world).collect(CLAIM).unwrap();
    receive(&world, 25_000_000);
    let paid = |firm: Firm| {
        let waterfall = world.settlement(firm).waterfall(PART).unwrap();
        waterfall.tranches.iter().map(|tranche| tranche.paid_minor).collect::<Vec<_>>()
    };
    assert_eq!(paid(world.other_bank), [15_000, 7_500, 125_000, 24_852_500]);
    receive(&world, 15_000_000);
    assert_eq!(paid(world.tier_1), [15_000, 7_500, 125_000, 30_000_000]);
    assert_eq!(world.balance(world.other_bank, world.bank), 30_147_500);
    assert_eq!(world.balance(world.tier_1, world.bank), 40_000_000 - 30_147_500, "what is left is the borrower's");
    world.assert_deposits(world.bank);
    assert_eq!(refusal(world.settlement(world.core).waterfall(PART)), SettlementError::NotParty);
}

#[test]
fn a_waterfall_is_registered_once_and_is_sound() {
    let world = World::new();
    let register = |change: fn(&mut Waterfall)| {
        let mut waterfall = falls(&world);
        change(&mut waterfall);
        financing(&world).register_waterfall(PART, waterfall)
    };
    refuses(&world, || register(|waterfall| waterfall.tranches[0].due_minor = 0), SettlementError::AmountNotPositive);
    refuses(&world, || register(|waterfall| waterfall.tranches[0].paid_minor = 1), SettlementError::AmountNotPositive);
    let many = |waterfall: &mut Waterfall| waterfall.tranches = vec![waterfall.tranches[0].clone(); MAX_TRANCHES + 1];
    refuses(&world, || register(many), SettlementError::TooMany { limit: MAX_TRANCHES as u32 });
    register(|_| {}).unwrap();
    refuses(&world, || register(|_| {}), SettlementError::DuplicateWaterfall);
}

#[test]
fn a_receipt_needs_a_waterfall_of_its_currency() {
    let world = World::new();
    owes(&world, 100);
    world.deposit(cny(100));
    receivable(&world).collect(CLAIM).unwrap();
    let receive = || {
        let payment = Payment { part: PART, holder: world.tier_1.account, minor: 1, financed: true };
        receivable(&world).pay(CLAIM, vec![payment])
    };
    refuses(&world, receive, SettlementError::UnknownWaterfall);
    let dollars = Waterfall { currency: Currency::USD, ..falls(&world) };
    financing(&world).register_waterfall(PART, dollars).unwrap();
    refuses(&world, receive, SettlementError::WrongCurrency { expected: Currency::USD, found: Currency::CNY });
}

#[test]
fn sums_over_many_due_days_are_whole() {
    let world = World::new();
    for day in 0..40i32 {
        let claim = CertificateId([day as u8 + 10; 32]);
        receivable(&world).register(claim, world.core.account, world.bank.member, cny(10), world.in_days(day)).unwrap();
    }
    world.deposit(cny(1_000));
    world.chain.start_at(date("2026-03-02").0 + 34);
    let deposit = &world.settlement(world.core).deposits(world.core.account, None).unwrap().deposits[0];
    assert_eq!(deposit.bound, cny(350), "35 days are due, five are not");
}

// What is owed on a certificate falls before it is due: dilution, cancellation, early payment.

fn owed_in(world: &World, minor: i128, days: i32) {
    let due = world.in_days(days);
    receivable(world).register(CLAIM, world.core.account, world.bank.member, cny(minor), due).unwrap();
}

fn claim(world: &World) -> (i128, i128, ObligationState) {
    let obligation = world.settlement(world.core).obligation(CLAIM).unwrap();
    (obligation.amount.minor, obligation.paid.minor, obligation.state)
}

/// 800,000.00 paid 60 days early at 12 % ACT/360.
#[test]
fn s08_w12_a_debtor_pays_early_for_a_discount_out_of_what_is_free() {
    let world = World::new();
    owed_in(&world, 80_000_000, 60);
    let price = |minor| vec![payment(world.tier_1, minor)];
    let early = |minor| receivable(&world).pay_early(CLAIM, price(minor), cny(1_600_000));
    refuses(&world, || early(78_400_000), SettlementError::InsufficientDeposit { missing: cny(78_400_000) });
    world.deposit(cny(78_400_000));
    refuses(&world, || early(78_400_001), SettlementError::InsufficientDeposit { missing: cny(1) });
    early(78_400_000).unwrap();
    assert_eq!([world.core, world.tier_1].map(|firm| world.balance(firm, world.bank)), [0, 78_400_000]);
    assert_eq!(claim(&world), (78_400_000, 78_400_000, ObligationState::Paid));
    assert_eq!(world.assert_deposits(world.bank), 78_400_000);
    let told: Vec<SettlementEvent> = world.chain.events(CONTRACT);
    let (payer, discount) = (world.core.account, cny(1_600_000));
    let paid = SettlementEvent::PaidEarly { certificate: CLAIM, payer, paid: cny(78_400_000), discount, rest: cny(0) };
    assert_eq!(told.last(), Some(&paid));
    // Nothing of it binds the deposit when its day comes.
    world.deposit(cny(10));
    world.advance_to(world.in_days(60));
    pay(&world, world.core, world.tier_2.account, cny(10)).unwrap();
}

#[test]
fn what_is_paid_early_is_sound_and_before_its_day() {
    let world = World::new();
    world.deposit(cny(1_000));
    owed_in(&world, 100, 1);
    let early = |minor, discount| receivable(&world).pay_early(CLAIM, vec![payment(world.tier_1, minor)], discount);
    let by_a_firm = world.settlement(world.core);
    let by_hand = || by_a_firm.pay_early(CLAIM, vec![payment(world.tier_1, 90)], cny(10));
    refuses(&world, by_hand, SettlementError::NotTrusted);
    refuses(&world, || early(0, cny(10)), SettlementError::AmountNotPositive);
    let nobody = || receivable(&world).pay_early(CLAIM, vec![], cny(10));
    refuses(&world, nobody, SettlementError::AmountNotPositive);
    refuses(&world, || early(90, cny(-1)), SettlementError::NegativeDiscount);
    refuses(&world, || early(90, cny(11)), SettlementError::AboveOwed { open: cny(100) });
    let (expected, found) = (Currency::CNY, Currency::USD);
    let dollars = Money::new(10, Currency::USD);
    refuses(&world, || early(90, dollars), SettlementError::WrongCurrency { expected, found });
    early(45, cny(5)).unwrap();
    assert_eq!(claim(&world), (95, 45, ObligationState::Pending));
    world.advance_to(world.in_days(1));
    refuses(&world, || early(45, cny(5)), SettlementError::NotEarly { due: world.today() });
    assert_eq!(receivable(&world).collect(CLAIM), Ok(cny(50)));
    let state = SettlementError::ObligationState { state: ObligationState::Paying, needed: ObligationState::Pending };
    refuses(&world, || early(45, cny(5)), state);
}

#[test]
fn a_financed_leaf_that_is_paid_early_runs_its_waterfall() {
    let world = World::new();
    world.deposit(cny(20_000));
    owed_in(&world, 21_000, 30);
    financing(&world).register_waterfall(PART, falls(&world)).unwrap();
    let financed = Payment { financed: true, ..payment(world.tier_1, 20_000) };
    receivable(&world).pay_early(CLAIM, vec![financed], cny(1_000)).unwrap();
    assert_eq!(world.balance(world.other_bank, world.bank), 20_000);
    let waterfall = world.settlement(world.other_bank).waterfall(PART).unwrap();
    let paid: Vec<i128> = waterfall.tranches.iter().map(|tranche| tranche.paid_minor).collect();
    assert_eq!(paid, [15_000, 5_000, 0, 0]);
    assert_eq!(world.assert_deposits(world.bank), 20_000);
}

#[test]
fn f16_what_is_diluted_is_not_owed_and_binds_no_deposit() {
    let world = World::new();
    world.deposit(cny(100));
    owed_in(&world, 100, 1);
    let less = |minor| receivable(&world).reduce(CLAIM, cny(minor));
    refuses(&world, || world.settlement(world.core).reduce(CLAIM, cny(1)), SettlementError::NotTrusted);
    refuses(&world, || less(0), SettlementError::AmountNotPositive);
    refuses(&world, || less(101), SettlementError::AboveOwed { open: cny(100) });
    less(30).unwrap();
    let (certificate, payer) = (CLAIM, world.core.account);
    let told: Vec<SettlementEvent> = world.chain.events(CONTRACT);
    assert_eq!(told.last(), Some(&SettlementEvent::Reduced { certificate, payer, by: cny(30), rest: cny(70) }));
    world.advance_to(world.in_days(1));
    let over = SettlementError::InsufficientDeposit { missing: cny(1) };
    refuses(&world, || pay(&world, world.core, world.tier_2.account, cny(31)), over);
    pay(&world, world.core, world.tier_2.account, cny(30)).unwrap();
    assert_eq!(receivable(&world).collect(CLAIM), Ok(cny(70)));
    let paying = SettlementError::ObligationState { state: ObligationState::Paying, needed: ObligationState::Overdue };
    refuses(&world, || less(1), paying);
}

#[test]
fn what_is_overdue_can_be_written_off_whatever_its_turn() {
    let world = World::new();
    let other = CertificateId([7; 32]);
    owed_in(&world, 100, 0);
    receivable(&world).register(other, world.core.account, world.bank.member, cny(100), world.today()).unwrap();
    let contract = receivable(&world);
    assert_eq!((contract.collect(CLAIM), contract.collect(other)), (Ok(cny(0)), Ok(cny(0))));
    // Tried on this day, and on the day before.
    contract.reduce(CLAIM, cny(40)).unwrap();
    world.advance_to(world.in_days(1));
    contract.reduce(CLAIM, cny(60)).unwrap();
    assert_eq!(claim(&world), (0, 0, ObligationState::Paid));
    let paid = SettlementError::ObligationState { state: ObligationState::Paid, needed: ObligationState::Overdue };
    refuses(&world, || contract.reduce(CLAIM, cny(1)), paid);
    world.deposit(cny(60));
    assert_eq!(contract.collect(other), Ok(cny(60)), "nothing else shares with it");
    assert_eq!(world.settlement(world.core).deposits(world.core.account, None).unwrap().deposits[0].bound, cny(0));
}
