//! Random sequences of legal and illegal calls, done to the contract and to a plain reference: each outcome, each balance and each record is
//! compared after every call, and so is what waits on the agenda.

#[path = "../../receivable/tests/world/mod.rs"]
mod world;

#[path = "model/reference.rs"]
mod reference;

use std::fmt::Debug;

use portolan_interface::{
    BusinessDate, CertificateId, Currency, DayCount, FinancingId, PartId, Ppm, Quote,
    financing::api::CONTRACT as FINANCING,
    receivable::api::CONTRACT as RECEIVABLE,
    settlement::{
        CollectionStep, LateTerms, NettingEntry, NettingTerms, PayableState, PayableTerms, Payment, Payout,
        PriorityClass, QuoteTerms, RedemptionAnswer, SalesLine, SettlementError, Tranche, TrancheKind, ValueDay,
        Waterfall,
    },
};
use portolan_sdk::CallError;
use proptest::prelude::*;
use reference::{BANK, CURRENCIES, FALLS, LATE, RESIDUAL, Reference, SPREAD, money};
use world::{Firm, Settlement, World, cny, commitment};

const PART: PartId = PartId([9; 32]);
const CAPS: [i128; 2] = [40_000, 30_000];

#[derive(Clone, Debug)]
enum Act {
    Serve { currency: usize, cap: i128 },
    Issue { to: usize, currency: usize, minor: i128 },
    Transfer { from: usize, to: usize, currency: usize, minor: i128 },
    Redeem { from: usize, currency: usize, minor: i128 },
    Answer { order: usize, minor: Option<i128>, executed: bool, reference: u64 },
    Owe { payer: usize, minor: i128, days: i32 },
    Collect { claim: usize },
    Pay { claim: usize, to: Option<usize>, minor: i128 },
    PayEarly { claim: usize, to: Option<usize>, minor: i128, discount: i128 },
    Reduce { claim: usize, minor: i128 },
    Promise { payer: usize, payee: usize, minor: i128, days: i32, class: PriorityClass, late: bool },
    CollectPayables { by: usize, payer: usize },
    Net { entries: [(usize, i128); 2] },
    WriteOff { promise: usize, by: usize },
    Recover { promise: usize, minor: i128 },
    SetRule { who: usize, lines: Vec<(usize, i128, Option<i128>)>, days: u16 },
    ReleaseRule { payee: usize, who: usize },
    Quote { from: usize, units: u64, fee: i128, most: i128, hold: i32, forward: bool },
    Withdraw { quote: usize },
    Exchange { who: usize, quote: usize, inverse: bool, minor: i128, lock: bool },
    Days { days: i32 },
}

fn act() -> impl Strategy<Value = Act> {
    let who = || 0usize..4;
    let firm = || 0usize..3;
    let minor = || 1i128..1_000;
    let which = || 0usize..64;
    let currency = || prop_oneof![3 => Just(0usize), 1 => Just(1usize)];
    let class = prop_oneof![
        Just(PriorityClass::Statutory),
        Just(PriorityClass::Secured),
        Just(PriorityClass::Ordinary),
        Just(PriorityClass::Subordinated)
    ];
    let to = || prop::option::weighted(0.7, firm());
    let line = (firm(), 1i128..900_000, prop::option::of(minor()));
    let deposits = prop_oneof![
        1 => (currency(), 5_000i128..60_000).prop_map(|(currency, cap)| Act::Serve { currency, cap }),
        12 => (who(), currency(), minor()).prop_map(|(to, currency, minor)| Act::Issue { to, currency, minor }),
        5 => (who(), who(), currency(), minor())
            .prop_map(|(from, to, currency, minor)| Act::Transfer { from, to, currency, minor }),
        4 => (who(), currency(), minor()).prop_map(|(from, currency, minor)| Act::Redeem { from, currency, minor }),
        4 => (which(), prop::option::weighted(0.1, minor()), any::<bool>(), 0u64..40)
            .prop_map(|(order, minor, executed, reference)| Act::Answer { order, minor, executed, reference }),
    ];
    let claims = prop_oneof![
        5 => (firm(), minor(), 0i32..9).prop_map(|(payer, minor, days)| Act::Owe { payer, minor, days }),
        8 => (which()).prop_map(|claim| Act::Collect { claim }),
        6 => (which(), to(), minor()).prop_map(|(claim, to, minor)| Act::Pay { claim, to, minor }),
        4 => (which(), to(), 1i128..300, 0i128..100)
            .prop_map(|(claim, to, minor, discount)| Act::PayEarly { claim, to, minor, discount }),
        3 => (which(), 1i128..300).prop_map(|(claim, minor)| Act::Reduce { claim, minor }),
    ];
    let promises = prop_oneof![
        8 => (firm(), firm(), minor(), 0i32..5, class, any::<bool>()).prop_map(
            |(payer, payee, minor, days, class, late)| Act::Promise { payer, payee, minor, days, class, late }
        ),
        6 => (firm(), firm()).prop_map(|(by, payer)| Act::CollectPayables { by, payer }),
        4 => [(which(), 1i128..400), (which(), 1i128..400)].prop_map(|entries| Act::Net { entries }),
        4 => (which(), firm()).prop_map(|(promise, by)| Act::WriteOff { promise, by }),
        4 => (which(), minor()).prop_map(|(promise, minor)| Act::Recover { promise, minor }),
        2 => (firm(), prop::collection::vec(line, 0..3), 0u16..4)
            .prop_map(|(who, lines, days)| Act::SetRule { who, lines, days }),
        1 => (firm(), firm()).prop_map(|(payee, who)| Act::ReleaseRule { payee, who }),
    ];
    let exchange = prop_oneof![
        5 => (0usize..2, 20u64..400, 0i128..30, 1i128..3_000, 0i32..8, any::<bool>()).prop_map(
            |(from, units, fee, most, hold, forward)| Act::Quote { from, units, fee, most, hold, forward }
        ),
        1 => (which()).prop_map(|quote| Act::Withdraw { quote }),
        8 => (firm(), which(), prop::bool::weighted(0.1), 1i128..500, any::<bool>()).prop_map(
            |(who, quote, inverse, minor, lock)| Act::Exchange { who, quote, inverse, minor, lock }
        ),
    ];
    let days = prop_oneof![8 => Just(1i32), 1 => Just(9i32)].prop_map(|days| Act::Days { days });
    prop_oneof![6 => deposits, 5 => claims, 6 => promises, 3 => exchange, 3 => days]
}

fn claim_id(index: usize) -> CertificateId {
    CertificateId([index as u8 + 1; 32])
}

/// One of the last records of a list; now and then one that there is not.
fn pick(which: usize, records: usize) -> usize {
    if which % 16 == 0 { records } else { records.saturating_sub(1 + which % 9) }
}

/// The next weekday after a day; the calendar is closed on the others.
fn weekday_after(day: i32) -> i32 {
    (day + 1..).find(|day| (day + 3).rem_euclid(7) < 5).unwrap()
}

struct Pair {
    world: World,
    firms: [Firm; 4],
    reference: Reference,
}

/// The same outcome on both sides.
#[track_caller]
fn same<T: Debug + PartialEq>(done: Result<T, CallError<SettlementError>>, expected: Result<T, SettlementError>) {
    assert_eq!(done, expected.map_err(CallError::Contract));
}

impl Pair {
    fn new() -> Self {
        let world = World::new();
        let firms = [world.core, world.tier_1, world.tier_2, world.bank];
        for (currency, cap) in CAPS.into_iter().enumerate() {
            world.settlement(world.bank).serve(world.bank.account, money(cap, currency)).unwrap();
        }
        let tranche = |(kind, due_minor)| Tranche { kind, payee: world.bank.account, due_minor, paid_minor: 0 };
        let tranches = [TrancheKind::Fee, TrancheKind::Principal].into_iter().zip(FALLS).map(tranche).collect();
        let residual = firms[RESIDUAL].account;
        let waterfall = Waterfall { financing: FinancingId([1; 32]), currency: Currency::CNY, tranches, residual };
        Settlement::over(world.chain.as_contract(FINANCING)).register_waterfall(PART, waterfall).unwrap();
        let reference = Reference::new(firms.map(|firm| firm.account), world.bank.member, world.chain.date(), CAPS);
        Self { world, firms, reference }
    }

    fn by(&self, who: usize) -> Settlement {
        self.world.settlement(self.firms[who])
    }

    fn receivable(&self) -> Settlement {
        Settlement::over(self.world.chain.as_contract(RECEIVABLE))
    }

    fn payment(&self, to: Option<usize>, minor: i128) -> Vec<Payment> {
        let holder = self.firms[to.unwrap_or(RESIDUAL)].account;
        vec![Payment { part: PART, holder, minor, financed: to.is_none() }]
    }

    /// Does the act on both sides and compares what comes of it.
    fn perform(&mut self, act: &Act) {
        match act {
            Act::Serve { .. } | Act::Issue { .. } | Act::Transfer { .. } | Act::Redeem { .. } | Act::Answer { .. } => {
                self.deposit(act)
            }
            Act::Owe { .. } | Act::Collect { .. } | Act::Pay { .. } | Act::PayEarly { .. } | Act::Reduce { .. } => {
                self.owe(act)
            }
            Act::Quote { .. } | Act::Withdraw { .. } | Act::Exchange { .. } => self.deal(act),
            Act::SetRule { .. } | Act::ReleaseRule { .. } => self.rule(act),
            Act::Days { days } => self.pass(*days),
            _ => self.promise(act),
        }
    }

    fn deposit(&mut self, act: &Act) {
        let (bank, own, accounts) = (self.world.bank.member, self.by(BANK), self.reference.accounts);
        match *act {
            Act::Serve { currency, cap } => {
                let expected = self.reference.attempt(|reference| reference.serve(currency, cap));
                same(own.serve(accounts[BANK], money(cap, currency)), expected);
            }
            Act::Issue { to, currency, minor } => {
                let expected = self.reference.attempt(|reference| reference.issue(to, currency, minor));
                let amount = money(minor, currency);
                same(own.issue(accounts[BANK], accounts[to], amount, commitment(7)), expected);
            }
            Act::Transfer { from, to, currency, minor } => {
                let expected = self.reference.attempt(|reference| reference.transfer(from, to, currency, minor));
                let amount = money(minor, currency);
                same(self.by(from).transfer(accounts[from], accounts[to], bank, amount, commitment(0)), expected);
            }
            Act::Redeem { from, currency, minor } => {
                let expected = self.reference.attempt(|reference| reference.redeem(from, currency, minor));
                same(self.by(from).redeem(accounts[from], bank, money(minor, currency), commitment(0)), expected);
            }
            Act::Answer { order, minor, executed, reference: number } => {
                let order = pick(order, self.reference.orders.len());
                let asked = self.reference.asked(order).unwrap_or(cny(1));
                let amount = minor.map_or(asked, cny);
                let expected = self.reference.attempt(|reference| reference.answer(order, amount, executed, number));
                let answer = if executed { RedemptionAnswer::Executed } else { RedemptionAnswer::Refused };
                let done = own.answer_redemption(accounts[BANK], order as u32, amount, answer, commitment(number));
                same(done, expected);
            }
            _ => unreachable!(),
        }
    }

    fn owe(&mut self, act: &Act) {
        let (contract, bank) = (self.receivable(), self.world.bank.member);
        match *act {
            Act::Owe { payer, minor, days } => {
                let (index, due) = (self.reference.claims.len(), self.reference.today + days);
                let payer_account = self.firms[payer].account;
                if index < 250 {
                    contract.register(claim_id(index), payer_account, bank, cny(minor), BusinessDate(due)).unwrap();
                    self.reference.register(payer, minor, due);
                }
            }
            Act::Collect { claim } => {
                let claim = pick(claim, self.reference.claims.len());
                let expected = self.reference.attempt(|reference| reference.collect(claim));
                same(contract.collect(claim_id(claim)), expected.map(cny));
            }
            Act::Pay { claim, to, minor } => {
                let claim = pick(claim, self.reference.claims.len());
                let expected = self.reference.attempt(|reference| reference.pay(claim, to, minor));
                same(contract.pay(claim_id(claim), self.payment(to, minor)), expected);
            }
            Act::PayEarly { claim, to, minor, discount } => {
                let claim = pick(claim, self.reference.claims.len());
                let expected = self.reference.attempt(|reference| reference.pay_early(claim, to, minor, discount));
                same(contract.pay_early(claim_id(claim), self.payment(to, minor), cny(discount)), expected);
            }
            Act::Reduce { claim, minor } => {
                let claim = pick(claim, self.reference.claims.len());
                let expected = self.reference.attempt(|reference| reference.reduce(claim, minor));
                same(contract.reduce(claim_id(claim), cny(minor)), expected);
            }
            _ => unreachable!(),
        }
    }

    fn promise(&mut self, act: &Act) {
        let (bank, accounts) = (self.world.bank.member, self.reference.accounts);
        match *act {
            Act::Promise { payer, payee, minor, days, class, late } => {
                let due = self.reference.today + days;
                let (grace, rate, tax, fee_minor) = LATE;
                let terms = PayableTerms {
                    payee: accounts[payee],
                    bank,
                    amount: cny(minor),
                    due: BusinessDate(due),
                    class,
                    reference: commitment(5),
                    late: late.then_some(LateTerms {
                        grace_days: grace as u8,
                        rate: Ppm(rate as u32),
                        day_count: DayCount::Act360,
                        tax: Ppm(tax as u32),
                        fee_minor,
                    }),
                };
                let expected =
                    self.reference.attempt(|reference| reference.promise(payer, payee, minor, due, class, late));
                same(self.by(payer).promise(accounts[payer], terms), expected);
            }
            Act::CollectPayables { by, payer } => {
                let expected = self.reference.attempt(|reference| reference.collect_payables(by, payer));
                let done = self.by(by).collect_payables(accounts[by], accounts[payer], bank, Currency::CNY);
                same(done, expected.map(cny));
            }
            Act::WriteOff { promise, by } => {
                let ripe = |one: &reference::Promise| one.step == CollectionStep::Arbitration && one.payee == by;
                let ripe =
                    self.reference.promises.iter().position(|one| ripe(one) && one.state() == PayableState::Overdue);
                let promise = ripe.unwrap_or_else(|| pick(promise, self.reference.promises.len()));
                let (payer, number) = self.named(promise);
                let expected = self.reference.attempt(|reference| reference.write_off(promise, by));
                same(self.by(by).write_off(accounts[by], accounts[payer], number, commitment(8)), expected);
            }
            Act::Recover { promise, minor } => {
                let written_off =
                    self.reference.promises.iter().position(|one| one.state() == PayableState::WrittenOff);
                let promise = written_off.unwrap_or_else(|| pick(promise, self.reference.promises.len()));
                let (payer, number) = self.named(promise);
                let expected = self.reference.attempt(|reference| reference.recover(promise, minor));
                same(self.by(payer).recover(accounts[payer], number, cny(minor)), expected.map(cny));
            }
            Act::Net { entries } => {
                let promises = self.reference.promises.len();
                self.net(entries.map(|(which, minor)| (pick(which, promises), minor)))
            }
            _ => unreachable!(),
        }
    }

    /// Payer and number of a promise; of one that there is not, where there is none.
    fn named(&self, promise: usize) -> (usize, u32) {
        self.reference.promise_at(promise).map_or((0, u32::MAX), |promise| (promise.payer, promise.number))
    }

    /// Two promises are proposed for netting, and everybody consents until somebody can't.
    fn net(&mut self, entries: [(usize, i128); 2]) {
        if entries.iter().any(|(index, _)| self.reference.promise_at(*index).is_none()) {
            return;
        }
        let accounts = self.reference.accounts;
        let entry = |(index, minor): (usize, i128)| {
            let promise = self.reference.promise_at(index).unwrap();
            let (payer, payee) = (accounts[promise.payer], accounts[promise.payee]);
            NettingEntry { payer, number: promise.number, payee, minor }
        };
        let terms = NettingTerms {
            bank: self.world.bank.member,
            currency: Currency::CNY,
            entries: entries.map(entry).into(),
            until: self.world.today(),
        };
        let parties = self.reference.parties(entries);
        let proposer = *parties.first().unwrap();
        let expected = self.reference.attempt(|reference| reference.propose(entries));
        same(self.by(proposer).propose_netting(accounts[proposer], terms), expected.clone());
        let Ok(number) = expected else { return };
        for party in &parties {
            let last = parties.last() == Some(party);
            let expected = self.reference.attempt(|reference| reference.consent(entries, *party, last));
            let ends = expected.is_err();
            same(self.by(*party).consent_to_netting(accounts[*party], number), expected);
            if ends {
                return;
            }
        }
    }

    fn rule(&mut self, act: &Act) {
        let (bank, accounts) = (self.world.bank.member, self.reference.accounts);
        match act {
            Act::SetRule { who, lines, days } => {
                let line = |(payee, rate, due_minor): &(usize, i128, Option<i128>)| SalesLine {
                    kind: TrancheKind::Principal,
                    payee: accounts[*payee],
                    rate: Ppm(*rate as u32),
                    due_minor: *due_minor,
                    paid_minor: 0,
                };
                let given = lines.iter().map(line).collect();
                let payout = if *days == 0 { Payout::AsReceived } else { Payout::Collected(*days) };
                let expected =
                    self.reference.attempt(|reference| reference.set_rule(*who, lines.clone(), i32::from(*days)));
                same(self.by(*who).set_sales_rule(accounts[*who], bank, Currency::CNY, given, payout), expected);
            }
            Act::ReleaseRule { payee, who } => {
                let expected = self.reference.attempt(|reference| reference.release_rule(*payee, *who));
                let done = self.by(*payee).release_sales_rule(accounts[*payee], accounts[*who], bank, Currency::CNY);
                same(done, expected);
            }
            _ => unreachable!(),
        }
    }

    fn deal(&mut self, act: &Act) {
        let (bank, accounts) = (self.world.bank.member, self.reference.accounts);
        match *act {
            Act::Quote { from, units, fee, most, hold, forward } => {
                let until = self.reference.today + hold;
                let value = forward.then(|| weekday_after(until));
                let (sold, bought) = (CURRENCIES[from], CURRENCIES[1 - from]);
                let terms = QuoteTerms {
                    price: Quote { from: sold, to: bought, units, decimals: 2, spread: Ppm(SPREAD as u32) },
                    fee: money(fee, 1 - from),
                    most: money(most, from),
                    customer: None,
                    until: BusinessDate(until),
                    until_ms: u64::MAX,
                    value: value.map(|day| ValueDay { date: BusinessDate(day), calendar: "demo".into() }),
                };
                let number = self.reference.quote(from, units.into(), fee, most, until, value);
                same(self.by(BANK).quote(accounts[BANK], terms), Ok(number));
            }
            Act::Withdraw { quote } => {
                let quote = pick(quote, self.reference.quotes.len());
                let expected = self.reference.attempt(|reference| reference.withdraw(quote));
                same(self.by(BANK).withdraw_quote(accounts[BANK], quote as u32), expected);
            }
            Act::Exchange { who, quote, inverse, minor, lock } => {
                let quote = pick(if quote < 4 { 0 } else { quote % 3 + 1 }, self.reference.quotes.len());
                let sells = if inverse { 1 - self.reference.sells(quote) } else { self.reference.sells(quote) };
                let (sold, bought) = (money(minor, sells), CURRENCIES[1 - sells]);
                let (by, number) = (self.by(who), quote as u32);
                if lock {
                    let expected = self.reference.attempt(|reference| reference.lock(who, quote, sells, minor));
                    same(by.lock_rate(accounts[who], bank, number, sold, bought), expected);
                } else {
                    let expected = self.reference.attempt(|reference| reference.exchange(who, quote, sells, minor));
                    let done = by.exchange(accounts[who], bank, number, sold, bought);
                    same(done.map(|proceeds| proceeds.credited.minor), expected);
                }
            }
            _ => unreachable!(),
        }
    }

    /// Days pass. The chain says in which order the entries of one day ran, and none may fail.
    fn pass(&mut self, days: i32) {
        for _ in 0..days {
            self.reference.today += 1;
            for run in self.world.chain.advance_to(self.reference.today) {
                assert!(run.result.is_ok(), "{run:?}");
                self.reference.run_entry(run.entry.due, &run.entry.message);
            }
        }
    }

    fn compare(&self) {
        let reference = &self.reference;
        let books = Settlement::over(self.world.chain.as_operator());
        for (index, currency) in CURRENCIES.into_iter().enumerate() {
            self.world.assert_deposits_in(self.world.bank, currency);
            let book = books.book(self.world.bank.member, currency, None).unwrap().book;
            assert_eq!(book.outstanding.minor, reference.outstanding(index));
            let parts = (0..4).map(|who| reference.total(who, index) + reference.pending(who, index));
            assert_eq!(book.outstanding.minor, parts.sum::<i128>(), "the deposit law, in the reference");
        }
        for (who, firm) in self.firms.iter().enumerate() {
            let page = books.deposits(firm.account, None).unwrap();
            for (index, currency) in CURRENCIES.into_iter().enumerate() {
                let of_currency = page.deposits.iter().find(|deposit| deposit.balance.currency == currency);
                let found = of_currency
                    .map_or([0; 3], |deposit| [deposit.balance.minor, deposit.held.minor, deposit.pending.minor]);
                let expected = [reference.total(who, index), reference.held(who, index), reference.pending(who, index)];
                assert_eq!(found, expected, "firm {who}, {currency}");
            }
        }
        self.compare_records(&books);
        let mut agenda: Vec<_> =
            self.world.chain.agenda().into_iter().map(|entry| (entry.due, entry.message)).collect();
        agenda.sort();
        assert_eq!(agenda, reference.agenda());
    }

    fn compare_records(&self, books: &Settlement) {
        let reference = &self.reference;
        for (index, claim) in reference.claims.iter().enumerate() {
            let found = books.obligation(claim_id(index)).unwrap();
            let found = (found.amount.minor, found.paid.minor, found.reserved.minor, found.state);
            assert_eq!(found, (claim.amount, claim.paid, claim.reserved, claim.state), "claim {index}");
        }
        for promise in &reference.promises {
            let found = books.payable(reference.accounts[promise.payer], promise.number).unwrap();
            let charges = [found.charges.fee_minor, found.charges.tax_minor, found.charges.interest_minor];
            assert_eq!(
                (found.paid.minor, found.netted.minor, found.state, charges, found.step),
                (promise.paid, promise.netted, promise.state(), promise.charges_on(reference.today), promise.step)
            );
        }
        for (number, forward) in (0..).zip(&reference.forwards) {
            assert_eq!(books.forward(reference.bank, number).unwrap().state, forward.state);
        }
    }
}

fn follow(acts: &[Act]) {
    let mut pair = Pair::new();
    for to in 0..=BANK {
        pair.perform(&Act::Issue { to, currency: 1, minor: 3_000 });
    }
    pair.perform(&Act::Issue { to: BANK, currency: 0, minor: 4_000 });
    for act in acts {
        pair.perform(act);
        pair.compare();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn settlement_follows_the_reference(acts in prop::collection::vec(act(), 1..120)) {
        follow(&acts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn settlement_follows_the_reference_over_long_sequences(acts in prop::collection::vec(act(), 500)) {
        follow(&acts);
    }
}
