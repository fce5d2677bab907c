//! What `settlement` does, in plain lists that are added up anew each time: no storage, no running sums, no chain.
//!
//! Three firms and the bank's own account (number 3) have deposits in two currencies at one bank. Claims, promises and sales rules are in the
//! first currency. Must never share code with the contract, but for `pro_rata`, which has laws of its own.

use std::collections::{BTreeMap, BTreeSet};

use codec::Encode;
use portolan_interface::{
    AccountId, BusinessDate, Currency, MemberId, Money, TermsError,
    settlement::{
        CollectionStep, ForwardState, NettingFault, ObligationState, PAYABLE_ATTEMPTS, PayableState, PriorityClass,
        QuoteFault, RecordKind, RedemptionState, SettlementError, Side, api::Call,
    },
};
use portolan_terms::pro_rata;

pub const CURRENCIES: [Currency; 2] = [Currency::CNY, Currency::USD];
pub const BANK: usize = 3;
/// Terms for late payment: days of grace, interest and tax in ppm, fee.
pub const LATE: (i32, i128, i128, i128) = (2, 180_000, 60_000, 7);
/// The waterfall of the one financed part: a fee and a principal of the bank's; what is left goes to firm 1.
pub const FALLS: [i128; 2] = [500, 2_000];
pub const RESIDUAL: usize = 1;

type Done<T> = Result<T, SettlementError>;

pub fn money(minor: i128, currency: usize) -> Money {
    Money::new(minor, CURRENCIES[currency])
}

fn cny(minor: i128) -> Money {
    money(minor, 0)
}

#[derive(Clone)]
pub struct Claim {
    pub payer: usize,
    pub amount: i128,
    pub due: i32,
    pub paid: i128,
    pub reserved: i128,
    tried: Option<i32>,
    pub state: ObligationState,
}

impl Claim {
    /// Owed and not set aside.
    fn open(&self) -> i128 {
        self.amount - self.paid - self.reserved
    }

    /// First those that had no turn, then those that had none today.
    fn turn(&self, today: i32) -> u8 {
        match self.state {
            ObligationState::Pending => 0,
            _ if self.tried == Some(today) => 2,
            _ => 1,
        }
    }
}

/// A redemption: who asked for how much, and whether it was executed, once it is answered.
#[derive(Clone)]
pub struct Order {
    from: usize,
    currency: usize,
    minor: i128,
    answered: Option<bool>,
}

#[derive(Clone)]
pub struct Promise {
    pub payer: usize,
    pub number: u32,
    pub payee: usize,
    pub amount: i128,
    due: i32,
    class: PriorityClass,
    late: bool,
    pub paid: i128,
    pub netted: i128,
    run: bool,
    charges: [i128; 3],
    until: Option<i32>,
    pub step: CollectionStep,
    written_off: bool,
}

impl Promise {
    fn rest(&self) -> i128 {
        self.amount - self.paid - self.netted
    }

    fn open(&self) -> i128 {
        if self.written_off { 0 } else { self.rest() }
    }

    fn grace_ends(&self) -> i32 {
        self.due + if self.late { LATE.0 } else { 0 }
    }

    /// Fee, tax and interest as of a day.
    pub fn charges_on(&self, today: i32) -> [i128; 3] {
        let from = self.until.unwrap_or(self.due);
        let [fee, tax, interest] = self.charges;
        if !self.late || self.open() == 0 || today <= self.grace_ends() || today <= from {
            return self.charges;
        }
        let half_up = |numerator: i128, denominator: i128| (2 * numerator + denominator) / (2 * denominator);
        let more = half_up(self.open() * LATE.1 * i128::from(today - from), 360_000_000);
        let first = if self.until.is_none() { LATE.3 } else { 0 };
        [fee + first, tax + half_up(more * LATE.2, 1_000_000), interest + more]
    }

    fn book(&mut self, today: i32) {
        self.charges = self.charges_on(today);
        if self.late && self.open() > 0 && today > self.grace_ends() {
            self.until = self.until.max(Some(today));
        }
    }

    fn owed_on(&self, today: i32) -> i128 {
        self.rest() + self.charges_on(today).iter().sum::<i128>()
    }

    pub fn state(&self) -> PayableState {
        if self.rest() + self.charges.iter().sum::<i128>() == 0 {
            PayableState::Settled
        } else if self.written_off {
            PayableState::WrittenOff
        } else if self.run {
            PayableState::Overdue
        } else {
            PayableState::Open
        }
    }

    /// Fee, tax, interest, then the amount itself.
    fn take(&mut self, mut minor: i128) {
        for charge in &mut self.charges {
            let part = minor.min(*charge);
            *charge -= part;
            minor -= part;
        }
        self.paid += minor;
    }
}

#[derive(Clone)]
pub struct Rule {
    /// Payee, rate in ppm, what is due in all, what was paid.
    pub lines: Vec<(usize, i128, Option<i128>, i128)>,
    pub days: i32,
    collected: i128,
}

#[derive(Clone)]
pub struct Quote {
    from: usize,
    units: i128,
    fee: i128,
    left: i128,
    until: i32,
    value: Option<i32>,
    withdrawn: bool,
}

#[derive(Clone)]
pub struct Forward {
    customer: usize,
    from: usize,
    sold: i128,
    credited: i128,
    value: i32,
    pub state: ForwardState,
}

/// What a spread of 2,000 ppm leaves.
pub const SPREAD: i128 = 2_000;

#[derive(Clone)]
pub struct Reference {
    pub accounts: [AccountId; 4],
    pub bank: MemberId,
    pub today: i32,
    totals: [[i128; 2]; 4],
    issued: [i128; 2],
    redeemed: [i128; 2],
    caps: [i128; 2],
    pub orders: Vec<Order>,
    /// References of payments, with the orders that they stand for.
    payments: BTreeMap<u64, u32>,
    pub claims: Vec<Claim>,
    pub promises: Vec<Promise>,
    /// How often the agenda has tried a payer's day.
    tries: BTreeMap<(usize, i32), u8>,
    rules: BTreeMap<usize, Rule>,
    pub quotes: Vec<Quote>,
    pub forwards: Vec<Forward>,
    /// What the waterfall has paid.
    falls: [i128; 2],
    nettings: u32,
    /// Messages that wait for the agenda, with their days; sorted.
    agenda: Vec<(i32, Vec<u8>)>,
}

impl Reference {
    pub fn new(accounts: [AccountId; 4], bank: MemberId, today: i32, caps: [i128; 2]) -> Self {
        Self {
            accounts,
            bank,
            today,
            totals: [[0; 2]; 4],
            issued: [0; 2],
            redeemed: [0; 2],
            caps,
            orders: vec![],
            payments: BTreeMap::new(),
            claims: vec![],
            promises: vec![],
            tries: BTreeMap::new(),
            rules: BTreeMap::new(),
            quotes: vec![],
            forwards: vec![],
            falls: [0; 2],
            nettings: 0,
            agenda: vec![],
        }
    }

    /// Does it wholly or not at all.
    pub fn attempt<T>(&mut self, act: impl FnOnce(&mut Self) -> Done<T>) -> Done<T> {
        let before = self.clone();
        let done = act(self);
        if done.is_err() {
            *self = before;
        }
        done
    }

    // Deposits.

    pub fn held(&self, who: usize, currency: usize) -> i128 {
        if currency > 0 {
            return 0;
        }
        let claims: i128 = self.claims.iter().filter(|claim| claim.payer == who).map(|claim| claim.reserved).sum();
        claims + self.rules.get(&who).map_or(0, |rule| rule.collected)
    }

    pub fn pending(&self, who: usize, currency: usize) -> i128 {
        let waits = |order: &&Order| order.from == who && order.currency == currency && order.answered.is_none();
        self.orders.iter().filter(waits).map(|order| order.minor).sum()
    }

    pub fn total(&self, who: usize, currency: usize) -> i128 {
        self.totals[who][currency]
    }

    pub fn outstanding(&self, currency: usize) -> i128 {
        self.issued[currency] - self.redeemed[currency]
    }

    fn due_claims(&self, who: usize) -> i128 {
        let due = |claim: &&Claim| claim.payer == who && claim.due <= self.today;
        self.claims.iter().filter(due).map(Claim::open).sum()
    }

    fn promised(&self, who: usize, until: i32) -> i128 {
        let due = |promise: &&Promise| promise.payer == who && promise.due <= until;
        self.promises.iter().filter(due).map(Promise::open).sum()
    }

    /// Why the owner may not dispose of an amount.
    fn ensure_free(&self, who: usize, currency: usize, minor: i128) -> Done<()> {
        let bound = if currency > 0 { 0 } else { self.due_claims(who) + self.promised(who, self.today) };
        let missing = minor - (self.totals[who][currency] - self.held(who, currency) - bound);
        if missing > 0 {
            return Err(SettlementError::InsufficientDeposit { missing: money(missing.min(minor), currency) });
        }
        Ok(())
    }

    fn pay_over(&mut self, from: usize, to: usize, currency: usize, minor: i128) {
        self.totals[from][currency] -= minor;
        self.totals[to][currency] += minor;
    }

    pub fn serve(&mut self, currency: usize, cap: i128) -> Done<()> {
        let outstanding = self.outstanding(currency);
        if outstanding > cap {
            return Err(SettlementError::CapBelowOutstanding { outstanding: money(outstanding, currency) });
        }
        self.caps[currency] = cap;
        Ok(())
    }

    pub fn issue(&mut self, to: usize, currency: usize, minor: i128) -> Done<()> {
        let excess = self.outstanding(currency) + minor - self.caps[currency];
        if excess > 0 {
            return Err(SettlementError::CapExceeded { excess: money(excess, currency) });
        }
        self.issued[currency] += minor;
        self.totals[to][currency] += minor;
        self.received(to, currency, minor);
        Ok(())
    }

    pub fn transfer(&mut self, from: usize, to: usize, currency: usize, minor: i128) -> Done<()> {
        if from == to {
            return Err(SettlementError::SameAccount);
        }
        self.ensure_free(from, currency, minor)?;
        self.pay_over(from, to, currency, minor);
        self.received(to, currency, minor);
        Ok(())
    }

    pub fn redeem(&mut self, from: usize, currency: usize, minor: i128) -> Done<u32> {
        self.ensure_free(from, currency, minor)?;
        self.totals[from][currency] -= minor;
        self.orders.push(Order { from, currency, minor, answered: None });
        Ok(self.orders.len() as u32 - 1)
    }

    /// What an answer to the order is to name.
    pub fn asked(&self, order: usize) -> Option<Money> {
        self.orders.get(order).map(|order| money(order.minor, order.currency))
    }

    pub fn answer(&mut self, index: usize, amount: Money, executed: bool, reference: u64) -> Done<()> {
        let unknown = SettlementError::Unknown { what: RecordKind::Redemption };
        let requested = self.asked(index).ok_or(unknown)?;
        let state = |executed| if executed { RedemptionState::Executed } else { RedemptionState::Refused };
        let order = &mut self.orders[index];
        if let Some(executed) = order.answered {
            return Err(SettlementError::RedemptionAnswered { state: state(executed) });
        }
        if amount != requested {
            return Err(SettlementError::RedemptionAmount { requested });
        }
        if let (true, Some(number)) = (executed, self.payments.get(&reference)) {
            return Err(SettlementError::ReferenceUsed { number: *number });
        }
        order.answered = Some(executed);
        if executed {
            self.payments.insert(reference, index as u32);
            self.redeemed[order.currency] += order.minor;
        } else {
            self.totals[order.from][order.currency] += order.minor;
        }
        Ok(())
    }

    // Claims on certificates.

    pub fn register(&mut self, payer: usize, minor: i128, due: i32) {
        let state = ObligationState::Pending;
        self.claims.push(Claim { payer, amount: minor, due, paid: 0, reserved: 0, tried: None, state });
    }

    fn claim(&self, index: usize) -> Done<Claim> {
        self.claims.get(index).cloned().ok_or(SettlementError::UnknownObligation)
    }

    pub fn collect(&mut self, index: usize) -> Done<i128> {
        let claim = self.claim(index)?;
        let ready = match claim.state {
            ObligationState::Pending => claim.due <= self.today,
            state => state == ObligationState::Overdue,
        };
        if !ready {
            let needed = ObligationState::Overdue;
            return Err(SettlementError::ObligationState { state: claim.state, needed });
        }
        let rank = |other: &Claim| (other.due, other.turn(self.today));
        let others =
            || self.claims.iter().enumerate().filter(|(place, other)| *place != index && other.payer == claim.payer);
        let open = |which: &dyn Fn(&Claim) -> bool| -> i128 {
            others().filter(|(_, other)| which(other)).map(|(_, other)| other.open()).sum()
        };
        let before = open(&|other| rank(other) < rank(&claim));
        let alike = open(&|other| rank(other) == rank(&claim));
        let available = (self.totals[claim.payer][0] - self.held(claim.payer, 0) - before).max(0);
        let share = pro_rata(available, &[claim.open(), alike]).unwrap()[0];
        let claim = &mut self.claims[index];
        claim.reserved = share;
        claim.tried = Some(self.today);
        claim.state = if share > 0 { ObligationState::Paying } else { ObligationState::Overdue };
        Ok(share)
    }

    /// Who gets a leaf's payment: its holder, or the payees of the waterfall.
    fn spread(&mut self, from: usize, holder: Option<usize>, mut minor: i128) {
        if let Some(holder) = holder {
            return self.pay_over(from, holder, 0, minor);
        }
        for (place, due) in FALLS.into_iter().enumerate() {
            let share = minor.min(due - self.falls[place]);
            self.falls[place] += share;
            self.pay_over(from, BANK, 0, share);
            minor -= share;
        }
        self.pay_over(from, RESIDUAL, 0, minor);
    }

    pub fn pay(&mut self, index: usize, holder: Option<usize>, minor: i128) -> Done<()> {
        let claim = self.claim(index)?;
        let (state, needed) = (claim.state, ObligationState::Paying);
        if state != needed {
            return Err(SettlementError::ObligationState { state, needed });
        }
        if minor > claim.reserved {
            return Err(SettlementError::Overpaid { excess: cny(minor - claim.reserved) });
        }
        let claim = &mut self.claims[index];
        claim.reserved -= minor;
        claim.paid += minor;
        if claim.reserved == 0 {
            claim.state = if claim.paid == claim.amount { ObligationState::Paid } else { ObligationState::Overdue };
        }
        let payer = claim.payer;
        self.spread(payer, holder, minor);
        Ok(())
    }

    pub fn pay_early(&mut self, index: usize, holder: Option<usize>, minor: i128, discount: i128) -> Done<()> {
        let claim = self.claim(index)?;
        let (state, needed) = (claim.state, ObligationState::Pending);
        if state != needed {
            return Err(SettlementError::ObligationState { state, needed });
        }
        if self.today >= claim.due {
            return Err(SettlementError::NotEarly { due: BusinessDate(claim.due) });
        }
        self.ensure_free(claim.payer, 0, minor)?;
        self.lower(index, discount, minor)?;
        self.spread(claim.payer, holder, minor);
        Ok(())
    }

    pub fn reduce(&mut self, index: usize, minor: i128) -> Done<()> {
        let state = self.claim(index)?.state;
        if matches!(state, ObligationState::Paying | ObligationState::Paid) {
            return Err(SettlementError::ObligationState { state, needed: ObligationState::Overdue });
        }
        self.lower(index, minor, 0)
    }

    fn lower(&mut self, index: usize, given_up: i128, paid: i128) -> Done<()> {
        let claim = &mut self.claims[index];
        if given_up + paid > claim.open() {
            return Err(SettlementError::AboveOwed { open: cny(claim.open()) });
        }
        claim.amount -= given_up;
        claim.paid += paid;
        if claim.open() == 0 {
            claim.state = ObligationState::Paid;
        }
        Ok(())
    }

    // Promises.

    fn put(&mut self, day: i32, call: &Call) {
        self.agenda.push((day, call.encode()));
    }

    fn run_day(&self, payer: usize, due: i32) -> Call {
        Call::RunPayables {
            payer: self.accounts[payer],
            bank: self.bank,
            currency: CURRENCIES[0],
            due: BusinessDate(due),
        }
    }

    pub fn promise(
        &mut self,
        payer: usize,
        payee: usize,
        amount: i128,
        due: i32,
        class: PriorityClass,
        late: bool,
    ) -> Done<u32> {
        if payer == payee {
            return Err(SettlementError::SameAccount);
        }
        if due <= self.today {
            let latest = BusinessDate(self.today).add_months(12).unwrap();
            return Err(SettlementError::DueDate { latest });
        }
        if self.tries.insert((payer, due), 0).is_none() {
            let run = self.run_day(payer, due);
            self.put(due, &run);
        }
        let number = self.promises.iter().filter(|promise| promise.payer == payer).count() as u32;
        self.promises.push(Promise {
            payer,
            number,
            payee,
            amount,
            due,
            class,
            late,
            paid: 0,
            netted: 0,
            run: false,
            charges: [0; 3],
            until: None,
            step: CollectionStep::NotBegun,
            written_off: false,
        });
        Ok(number)
    }

    fn of_day(&self, payer: usize, due: i32) -> Vec<usize> {
        let live = |promise: &Promise| {
            promise.payer == payer && promise.due == due && !matches!(promise.state(), PayableState::Settled)
        };
        let numbers = 0..self.promises.len();
        numbers.filter(|index| live(&self.promises[*index]) && !self.promises[*index].written_off).collect()
    }

    fn pay_day(&mut self, payer: usize, due: i32) -> i128 {
        let before = self.due_claims(payer) + self.promised(payer, due - 1);
        let mut left = (self.totals[payer][0] - self.held(payer, 0) - before).max(0);
        let available = left;
        let indices = self.of_day(payer, due);
        let classes: BTreeSet<PriorityClass> = indices.iter().map(|index| self.promises[*index].class).collect();
        let mut shares = BTreeMap::new();
        for class in classes {
            let of_class: Vec<usize> =
                indices.iter().copied().filter(|index| self.promises[*index].class == class).collect();
            let owed: Vec<i128> = of_class.iter().map(|index| self.promises[*index].owed_on(self.today)).collect();
            for (index, share) in of_class.into_iter().zip(pro_rata(left, &owed).unwrap()) {
                shares.insert(index, share);
                left -= share;
            }
        }
        for index in indices {
            self.pay_promise(index, shares[&index]);
        }
        available - left
    }

    fn pay_promise(&mut self, index: usize, share: i128) {
        let today = self.today;
        let promise = &mut self.promises[index];
        let first = !std::mem::replace(&mut promise.run, true);
        let short = share < promise.owed_on(today);
        let (payer, payee) = (promise.payer, promise.payee);
        if share > 0 {
            promise.book(today);
            promise.take(share);
            self.pay_over(payer, payee, 0, share);
        }
        if first && short {
            self.put_step(index);
        }
        if share > 0 {
            self.received(payee, 0, share);
        }
    }

    fn put_step(&mut self, index: usize) {
        let promise = &self.promises[index];
        let (step, days) = match promise.step {
            CollectionStep::NotBegun => (CollectionStep::Notice, 1),
            CollectionStep::Notice => (CollectionStep::Demand, 7),
            CollectionStep::Demand => (CollectionStep::Arbitration, 30),
            CollectionStep::Arbitration => return,
        };
        let day = promise.grace_ends() + days;
        let (payer, number) = (self.accounts[promise.payer], promise.number);
        self.put(day, &Call::RunCollection { payer, number, step });
    }

    pub fn collect_payables(&mut self, by: usize, payer: usize) -> Done<i128> {
        let come = |promise: &&Promise| {
            let owed = !promise.written_off && promise.state() != PayableState::Settled;
            promise.payer == payer && promise.due <= self.today && owed
        };
        let party = by == payer || self.promises.iter().filter(come).any(|promise| promise.payee == by);
        if !party {
            return Err(SettlementError::NotParty);
        }
        let days: BTreeSet<i32> = self.promises.iter().filter(come).map(|promise| promise.due).collect();
        Ok(days.into_iter().take(4).map(|due| self.pay_day(payer, due)).sum())
    }

    /// The promise of that index, or none where the contract finds none either.
    pub fn promise_at(&self, index: usize) -> Option<&Promise> {
        self.promises.get(index)
    }

    pub fn write_off(&mut self, index: usize, by: usize) -> Done<()> {
        let unknown = SettlementError::Unknown { what: RecordKind::Payable };
        let today = self.today;
        let promise = self.promises.get_mut(index).ok_or(unknown)?;
        if promise.payee != by {
            return Err(SettlementError::NotParty);
        }
        let (state, needed) = (promise.state(), PayableState::Overdue);
        if state != needed {
            return Err(SettlementError::PayableState { state, needed });
        }
        if promise.step != CollectionStep::Arbitration {
            return Err(SettlementError::CollectionNotDone { step: promise.step });
        }
        promise.book(today);
        promise.written_off = true;
        Ok(())
    }

    pub fn recover(&mut self, index: usize, minor: i128) -> Done<i128> {
        let unknown = SettlementError::Unknown { what: RecordKind::Payable };
        let promise = self.promises.get(index).ok_or(unknown)?;
        let (state, needed) = (promise.state(), PayableState::WrittenOff);
        if state != needed {
            return Err(SettlementError::PayableState { state, needed });
        }
        let minor = minor.min(promise.owed_on(self.today));
        let (payer, payee) = (promise.payer, promise.payee);
        self.ensure_free(payer, 0, minor)?;
        self.promises[index].take(minor);
        self.pay_over(payer, payee, 0, minor);
        self.received(payee, 0, minor);
        Ok(minor)
    }

    // Netting of two promises.

    pub fn propose(&mut self, entries: [(usize, i128); 2]) -> Done<u32> {
        if entries[0].0 == entries[1].0 {
            return Err(SettlementError::UnsoundNetting { fault: NettingFault::Extent });
        }
        self.nettings += 1;
        Ok(self.nettings - 1)
    }

    /// Whose promises and claims it touches.
    pub fn parties(&self, entries: [(usize, i128); 2]) -> BTreeSet<usize> {
        let sides = |(index, _): (usize, i128)| [self.promises[index].payer, self.promises[index].payee];
        entries.into_iter().flat_map(sides).collect()
    }

    /// A party consents; the last one's consent carries it out.
    pub fn consent(&mut self, entries: [(usize, i128); 2], by: usize, last: bool) -> Done<()> {
        let fault = |fault| Err(SettlementError::UnsoundNetting { fault });
        for (index, minor) in entries {
            let promise = &self.promises[index];
            if (last || promise.payer == by || promise.payee == by) && minor > promise.open() {
                return fault(NettingFault::Promise);
            }
        }
        if !last {
            return Ok(());
        }
        let mut gets: BTreeMap<usize, i128> = BTreeMap::new();
        for (index, minor) in entries {
            let today = self.today;
            let promise = &mut self.promises[index];
            promise.book(today);
            promise.netted += minor;
            *gets.entry(promise.payee).or_default() += minor;
            *gets.entry(promise.payer).or_default() -= minor;
        }
        for (who, gets) in gets.iter().filter(|(_, gets)| **gets < 0) {
            if self.ensure_free(*who, 0, -gets).is_err() {
                return fault(NettingFault::Cover);
            }
        }
        for (who, gets) in gets {
            self.totals[who][0] += gets;
        }
        Ok(())
    }

    // Proceeds of sales.

    fn received(&mut self, who: usize, currency: usize, minor: i128) {
        let Some(rule) = self.rules.get_mut(&who).filter(|_| currency == 0) else { return };
        let begins = rule.collected == 0;
        rule.collected += minor;
        let day = self.today + rule.days;
        if begins {
            let (account, bank, currency) = (self.accounts[who], self.bank, CURRENCIES[0]);
            self.put(day, &Call::ShareCollected { account, bank, currency });
        }
    }

    pub fn set_rule(&mut self, who: usize, lines: Vec<(usize, i128, Option<i128>)>, days: i32) -> Done<()> {
        use portolan_interface::settlement::RuleFault;
        let fault = |fault| Err(SettlementError::UnsoundRule { fault });
        if lines.iter().any(|(payee, ..)| *payee == who) {
            return fault(RuleFault::OwnAccount);
        }
        if lines.iter().filter(|(.., due)| due.is_none()).map(|(_, rate, _)| rate).sum::<i128>() > 1_000_000 {
            return fault(RuleFault::Rates);
        }
        if let Some(standing) = self.rules.get(&who) {
            if standing.lines.iter().any(|(_, _, due, paid)| due.is_some_and(|due| due > *paid)) {
                return fault(RuleFault::PayeeOpen);
            }
            if standing.collected > 0 {
                return fault(RuleFault::Collecting);
            }
        }
        if lines.is_empty() {
            self.rules.remove(&who);
        } else {
            let lines = lines.into_iter().map(|(payee, rate, due)| (payee, rate, due, 0)).collect();
            self.rules.insert(who, Rule { lines, days, collected: 0 });
        }
        Ok(())
    }

    pub fn release_rule(&mut self, payee: usize, who: usize) -> Done<()> {
        let unknown = SettlementError::Unknown { what: RecordKind::SalesRule };
        let rule = self.rules.get_mut(&who).ok_or(unknown)?;
        let mut released = false;
        for (to, _, due, paid) in &mut rule.lines {
            if *to == payee && due.is_some_and(|due| due > *paid) {
                *due = Some(*paid);
                released = true;
            }
        }
        if released { Ok(()) } else { Err(SettlementError::NotParty) }
    }

    /// All lines are of one rank.
    fn share(&mut self, who: usize) {
        let rule = self.rules.get_mut(&who).unwrap();
        let receipt = std::mem::take(&mut rule.collected);
        let claims: Vec<i128> = rule
            .lines
            .iter()
            .map(|(_, rate, due, paid)| {
                let share = (2 * receipt * rate + 1_000_000) / 2_000_000;
                due.map_or(share, |due| share.min(due - paid))
            })
            .collect();
        let shares = pro_rata(receipt, &claims).unwrap();
        let mut paid_to = vec![];
        for (line, share) in rule.lines.iter_mut().zip(shares) {
            line.3 += share;
            paid_to.push((line.0, share));
        }
        for (payee, share) in paid_to {
            self.pay_over(who, payee, 0, share);
        }
    }

    // Exchange.

    pub fn quote(&mut self, from: usize, units: i128, fee: i128, most: i128, until: i32, value: Option<i32>) -> u32 {
        self.quotes.push(Quote { from, units, fee, left: most, until, value, withdrawn: false });
        self.quotes.len() as u32 - 1
    }

    fn open_quote(&self, index: usize) -> Done<Quote> {
        let unknown = SettlementError::Unknown { what: RecordKind::Quote };
        let quote = self.quotes.get(index).ok_or(unknown)?;
        if quote.withdrawn || quote.left == 0 { Err(SettlementError::QuoteClosed) } else { Ok(quote.clone()) }
    }

    /// The currency that a quote sells; the first, where there is none.
    pub fn sells(&self, index: usize) -> usize {
        self.quotes.get(index).map_or(0, |quote| quote.from)
    }

    pub fn withdraw(&mut self, index: usize) -> Done<()> {
        self.open_quote(index)?;
        self.quotes[index].withdrawn = true;
        Ok(())
    }

    fn take(&mut self, index: usize, sells: usize, minor: i128) -> Done<(Quote, i128)> {
        let quote = self.open_quote(index)?;
        if sells != quote.from {
            let (sold, bought) = (CURRENCIES[quote.from], CURRENCIES[1 - quote.from]);
            return Err(SettlementError::InversePair { sold, bought });
        }
        if self.today > quote.until {
            return Err(SettlementError::QuoteExpired { until: BusinessDate(quote.until) });
        }
        if minor > quote.left {
            return Err(SettlementError::AboveQuote { left: money(quote.left, quote.from) });
        }
        // The price has two decimals, and both currencies have as many.
        let credited = minor * quote.units / 100 * (1_000_000 - SPREAD) / 1_000_000 - quote.fee;
        if credited < 0 {
            return Err(SettlementError::Terms(TermsError::FeeAboveProceeds));
        }
        if credited == 0 {
            return Err(SettlementError::AmountNotPositive);
        }
        self.quotes[index].left -= minor;
        Ok((quote, credited))
    }

    fn swap(&mut self, who: usize, from: usize, sold: i128, credited: i128) {
        self.pay_over(who, BANK, from, sold);
        self.pay_over(BANK, who, 1 - from, credited);
    }

    pub fn exchange(&mut self, who: usize, index: usize, sells: usize, minor: i128) -> Done<i128> {
        let (quote, credited) = self.take(index, sells, minor)?;
        if quote.value.is_some() {
            return Err(SettlementError::UnsoundQuote { fault: QuoteFault::ForForward });
        }
        self.ensure_free(who, sells, minor)?;
        if self.ensure_free(BANK, 1 - sells, credited).is_err() {
            return Err(SettlementError::DealerCannotDeliver);
        }
        self.swap(who, sells, minor, credited);
        Ok(credited)
    }

    pub fn lock(&mut self, who: usize, index: usize, sells: usize, minor: i128) -> Done<u32> {
        let (quote, credited) = self.take(index, sells, minor)?;
        let fault = QuoteFault::ForSpot;
        let value = quote.value.ok_or(SettlementError::UnsoundQuote { fault })?;
        let number = self.forwards.len() as u32;
        let dealer = self.bank;
        self.put(value, &Call::RunForward { dealer, number });
        let state = ForwardState::Locked;
        self.forwards.push(Forward { customer: who, from: sells, sold: minor, credited, value, state });
        Ok(number)
    }

    fn run_forward(&mut self, index: usize) {
        let Forward { customer, from, sold, credited, value, .. } = self.forwards[index];
        assert_eq!(value, self.today, "a forward runs on its day");
        let fails =
            (self.ensure_free(customer, from, sold).is_err(), self.ensure_free(BANK, 1 - from, credited).is_err());
        self.forwards[index].state = match fails {
            (false, false) => {
                self.swap(customer, from, sold, credited);
                ForwardState::Executed
            }
            (true, false) => ForwardState::Defaulted(Side::Customer),
            (false, true) => ForwardState::Defaulted(Side::Dealer),
            (true, true) => ForwardState::Defaulted(Side::Both),
        };
    }

    // The agenda.

    /// What waits, sorted.
    pub fn agenda(&self) -> Vec<(i32, Vec<u8>)> {
        let mut agenda = self.agenda.clone();
        agenda.sort();
        agenda
    }

    /// An entry runs under its own day. The chain says in which order those of one day run.
    pub fn run_entry(&mut self, day: i32, message: &[u8]) {
        let place = self.agenda.iter().position(|(on, waiting)| (*on, &**waiting) == (day, message));
        self.agenda.remove(place.expect("nothing runs that was not put on the agenda, nor twice"));
        let today = std::mem::replace(&mut self.today, day);
        match <Call as codec::Decode>::decode(&mut &*message).unwrap() {
            Call::RunPayables { payer, due, .. } => self.try_day(self.number_of(payer), due.0),
            Call::RunCollection { payer, number, step } => self.take_step(self.number_of(payer), number, step),
            Call::ShareCollected { account, .. } => self.share(self.number_of(account)),
            Call::RunForward { number, .. } => self.run_forward(number as usize),
            other => panic!("{other:?} is no call of the agenda"),
        }
        self.today = today;
    }

    fn number_of(&self, account: AccountId) -> usize {
        self.accounts.iter().position(|own| *own == account).unwrap()
    }

    fn try_day(&mut self, payer: usize, due: i32) {
        self.pay_day(payer, due);
        if self.of_day(payer, due).is_empty() {
            return;
        }
        let tries = self.tries.get_mut(&(payer, due)).unwrap();
        *tries += 1;
        if *tries <= PAYABLE_ATTEMPTS {
            let run = self.run_day(payer, due);
            self.put(self.today + 1, &run);
        }
    }

    fn take_step(&mut self, payer: usize, number: u32, step: CollectionStep) {
        let which = |promise: &Promise| promise.payer == payer && promise.number == number;
        let index = self.promises.iter().position(which).unwrap();
        if self.promises[index].state() == PayableState::Overdue {
            self.promises[index].step = step;
            self.put_step(index);
        }
    }
}
