//! Promises to pay later: what one account owes another on a day, paid by the agenda from one deposit.
//!
//! What falls due on one day from one deposit is paid together: by priority class, one class in proportion; earlier days come first, and the claims
//! on certificates that are due before all of them. What is owed and not paid binds the deposit, and is tried again on the following days; what is
//! charged for that, and what follows, is in [`late`]. Must never pay more than is promised and charged, nor less because of the order in which the
//! promises were made.

use alloc::vec::Vec;

use codec::{Decode, Encode};
use portolan_interface::{
    AccountId, BusinessDate, Money,
    settlement::{
        CollectionStep, MAX_PAYABLES_A_DAY, PAYABLE_ATTEMPTS, Payable, PayablePage, PayableState, PayableTerms,
        RecordKind, SettlementError, SettlementEvent,
        api::{Call, emit, schedule},
    },
};
use portolan_sdk::{ensure, env};
use portolan_terms::{Claim, waterfall};

use crate::{
    OWED_TO, PAYABLE_DAYS, PAYABLES, add,
    deposits::{self, DayKey, Place},
    late::{self, Charges},
    obligations, proceeds,
};

/// Days that one collection goes through.
const DAYS_AT_ONCE: u32 = 4;
/// Gas of one day's payments.
const DAY_GAS: u64 = 300_000_000;

/// A promise in its payer's list.
#[derive(Clone, Encode, Decode)]
pub struct Promise {
    pub terms: PayableTerms,
    /// Of the amount itself.
    pub paid_minor: i128,
    netted_minor: i128,
    /// Whether its day has run.
    run: bool,
    /// As of the last payment.
    pub charges: Charges,
    pub step: CollectionStep,
    pub written_off: bool,
}

impl Promise {
    fn new(terms: PayableTerms) -> Self {
        let (step, charges) = (CollectionStep::NotBegun, Charges::default());
        Self { terms, paid_minor: 0, netted_minor: 0, run: false, charges, step, written_off: false }
    }

    /// Minor units of the amount that are still owed.
    pub fn rest(&self) -> i128 {
        self.terms.amount.minor - self.paid_minor - self.netted_minor
    }

    /// The same, unless it is written off: what may be collected and set off, and what charges accrue on.
    pub fn open(&self) -> i128 {
        if self.written_off { 0 } else { self.rest() }
    }

    /// Owed for being late, as of today.
    fn charges_today(&self) -> Result<Charges, SettlementError> {
        self.charges.accrued(&self.terms, self.open(), env::business_date())
    }

    /// Owed in all, as of today.
    pub fn owed_today(&self) -> Result<Money, SettlementError> {
        Ok(Money::new(add(self.rest(), self.charges_today()?.sum()?)?, self.terms.amount.currency))
    }

    /// Where it stands.
    pub fn state(&self) -> Result<PayableState, SettlementError> {
        Ok(match add(self.rest(), self.charges.sum()?)? {
            0 => PayableState::Settled,
            _ if self.written_off => PayableState::WrittenOff,
            _ if self.run => PayableState::Overdue,
            _ => PayableState::Open,
        })
    }
}

/// What is still owed on one day from one deposit.
#[derive(Clone, Default, Encode, Decode)]
pub struct PayableDay {
    /// Sum of it without charges, minor units: what binds the deposit.
    owed: i128,
    /// Promises of which something is owed, by number.
    numbers: Vec<u32>,
    /// How often the agenda has tried.
    attempts: u8,
}

fn place_of(payer: AccountId, terms: &PayableTerms) -> Place {
    Place::new(payer, terms.bank, terms.amount.currency)
}

/// A payer promises; answers the number in its list.
pub fn promise(payer: AccountId, terms: PayableTerms) -> Result<u32, SettlementError> {
    let today = BusinessDate(env::business_date());
    let latest = today.add_months(12).map_err(SettlementError::Terms)?;
    ensure!(today < terms.due && terms.due <= latest, SettlementError::DueDate { latest });
    deposits::ensure_served(terms.bank, terms.amount.currency)?;
    terms.late.as_ref().map_or(Ok(()), late::sound)?;
    let place = place_of(payer, &terms);
    let key = place.day_key(terms.due.0);
    let mut day = match PAYABLE_DAYS.get(&key) {
        Some(day) => day,
        None => {
            put_on_agenda(place, terms.due.0, terms.due.0)?;
            PayableDay::default()
        }
    };
    ensure!(day.numbers.len() < MAX_PAYABLES_A_DAY, SettlementError::TooMany { limit: MAX_PAYABLES_A_DAY as u32 });
    let number = PAYABLES.len(&payer);
    day.owed = add(day.owed, terms.amount.minor)?;
    day.numbers.push(number);
    PAYABLE_DAYS.set(&key, &day);
    OWED_TO.push(&terms.payee, &(payer, number));
    let (payee, amount, due) = (terms.payee, terms.amount, terms.due);
    emit(&SettlementEvent::Promised { payer, number, payee, amount, due });
    PAYABLES.push(&payer, &Promise::new(terms));
    Ok(number)
}

fn put_on_agenda(place: Place, due: i32, on: i32) -> Result<(), SettlementError> {
    let Place { account, bank, currency } = place;
    let run = Call::RunPayables { payer: account, bank, currency, due: BusinessDate(due) };
    schedule(on, &run, DAY_GAS).map(drop).map_err(SettlementError::Agenda)
}

/// The agenda pays a day's promises, and tries again on the next days while something is owed.
pub fn run(place: Place, due: BusinessDate) -> Result<(), SettlementError> {
    pay_day(place, due.0)?;
    let key = place.day_key(due.0);
    let Some(mut day) = PAYABLE_DAYS.get(&key) else { return Ok(()) };
    day.attempts = day.attempts.saturating_add(1);
    PAYABLE_DAYS.set(&key, &day);
    if day.attempts > PAYABLE_ATTEMPTS {
        return Ok(());
    }
    put_on_agenda(place, due.0, env::business_date().saturating_add(1))
}

/// The payer, or who is owed something of it, asks: pays what is due and not paid, oldest first, as far as the deposit goes. Answers how much
/// that was.
pub fn collect(account: AccountId, place: Place) -> Result<Money, SettlementError> {
    let due = due_days(place, None);
    ensure!(account == place.account || is_owed(account, place, &due), SettlementError::NotParty);
    let mut paid = 0;
    for (key, _) in due {
        paid = add(paid, pay_day(place, key.3)?)?;
    }
    Ok(Money::new(paid, place.currency))
}

/// The next days that have come and are not paid, oldest first.
fn due_days(place: Place, after: Option<&DayKey>) -> Vec<(DayKey, PayableDay)> {
    let mut days = PAYABLE_DAYS.page_of(&place.key(), after, DAYS_AT_ONCE);
    days.retain(|(key, _)| key.3 <= env::business_date());
    days
}

/// Whether the account is owed something on any of the days that have come, be it behind others.
fn is_owed(account: AccountId, place: Place, first: &[(DayKey, PayableDay)]) -> bool {
    let owed = |number: &u32| load(place.account, *number).is_ok_and(|promise| promise.terms.payee == account);
    let mut days = first.to_vec();
    while let Some((last, _)) = days.last().cloned() {
        if days.iter().any(|(_, day)| day.numbers.iter().any(owed)) {
            return true;
        }
        days = due_days(place, Some(&last));
    }
    false
}

/// Pays what a deposit gives on one day's promises, after earlier days. Answers how much that was.
fn pay_day(place: Place, due: i32) -> Result<i128, SettlementError> {
    let key = place.day_key(due);
    let Some(mut day) = PAYABLE_DAYS.get(&key) else { return Ok(0) };
    let available = available(place, due)?;
    let (mut promises, mut claims) = (Vec::new(), Vec::new());
    for number in &day.numbers {
        let promise = load(place.account, *number)?;
        let charges = promise.charges_today()?;
        claims.push(Claim { rank: promise.terms.class as u8, due: add(promise.open(), charges.sum()?)? });
        promises.push((*number, promise, charges));
    }
    let (shares, residual) = waterfall(available, &claims).map_err(SettlementError::Terms)?;
    day.numbers.clear();
    for (((number, mut promise, charges), share), claim) in promises.into_iter().zip(shares).zip(claims) {
        day.owed -= pay_one(place, number, &mut promise, charges, share)?;
        if share < claim.due {
            day.numbers.push(number);
        }
    }
    // A day on which nothing is owed any more leaves the list.
    if day.numbers.is_empty() {
        PAYABLE_DAYS.remove(&key)
    } else {
        PAYABLE_DAYS.set(&key, &day)
    }
    Ok(available - residual)
}

/// What the deposit gives for a day: what is not set aside, nor due on a certificate, nor promised for an earlier day.
fn available(place: Place, due: i32) -> Result<i128, SettlementError> {
    let balance = place.balance();
    let claims = obligations::bound_until(place, BusinessDate(env::business_date()))?;
    let before = add(claims, bound_until(place, BusinessDate(due.saturating_sub(1)))?)?;
    Ok((balance.total - balance.held).saturating_sub(before).max(0))
}

/// Pays a promise its share, charges first. Answers how much of its own amount that was.
fn pay_one(
    place: Place,
    number: u32,
    promise: &mut Promise,
    charges: Charges,
    share: i128,
) -> Result<i128, SettlementError> {
    let first = !promise.run;
    promise.run = true;
    let owed = add(promise.open(), charges.sum()?)?;
    let (to_charges, principal) = late::apply(promise, charges, share)?;
    if first && share < owed {
        late::put_next_on_agenda(place.account, number, promise)?;
    }
    let payee = promise.terms.payee;
    if share > 0 {
        deposits::pay(place, payee, share)?;
        proceeds::received(Place { account: payee, ..place }, share)?;
    }
    if share > 0 || first {
        PAYABLES.set(&place.account, number, promise);
        let money = |minor| Money::new(minor, place.currency);
        let (amount, charges, rest) = (money(share), money(to_charges), money(owed - share));
        emit(&SettlementEvent::PromisePaid { payer: place.account, number, payee, amount, charges, rest });
    }
    Ok(principal)
}

/// So much of a promise is set off. What was charged until then stays owed.
pub fn set_off(payer: AccountId, number: u32, minor: i128) -> Result<(), SettlementError> {
    let mut promise = load(payer, number)?;
    promise.charges = promise.charges_today()?;
    promise.netted_minor = add(promise.netted_minor, minor)?;
    let settled = promise.state()? == PayableState::Settled;
    leave_day(payer, number, &promise, minor, settled)?;
    PAYABLES.set(&payer, number, &promise);
    Ok(())
}

/// So much less of a promise is owed on its day; all of it leaves the day when nothing is to be collected any more.
pub fn leave_day(
    payer: AccountId,
    number: u32,
    promise: &Promise,
    minor: i128,
    wholly: bool,
) -> Result<(), SettlementError> {
    let key = place_of(payer, &promise.terms).day_key(promise.terms.due.0);
    let mut day = PAYABLE_DAYS.get(&key).unwrap_or_default();
    day.owed -= minor;
    if wholly {
        day.numbers.retain(|open| *open != number);
    }
    // Before its day has run it stays, empty or not: a promise made for it later is then run by the entry that is on the agenda already.
    if day.numbers.is_empty() && day.attempts > 0 {
        PAYABLE_DAYS.remove(&key)
    } else {
        PAYABLE_DAYS.set(&key, &day)
    }
    Ok(())
}

/// The sum of what is promised from a deposit for days up to `last`, and not paid.
pub fn bound_until(place: Place, last: BusinessDate) -> Result<i128, SettlementError> {
    deposits::sum_until(&PAYABLE_DAYS, place, last, |day| Ok(day.owed))
}

/// A promise.
pub fn load(payer: AccountId, number: u32) -> Result<Promise, SettlementError> {
    PAYABLES.get(&payer, number).ok_or(SettlementError::Unknown { what: RecordKind::Payable })
}

/// A promise as people see it.
pub fn view(payer: AccountId, number: u32) -> Result<Payable, SettlementError> {
    let promise = load(payer, number)?;
    let money = |minor| Money::new(minor, promise.terms.amount.currency);
    let (paid, netted) = (money(promise.paid_minor), money(promise.netted_minor));
    let (state, step, charges) = (promise.state()?, promise.step, promise.charges_today()?.view());
    Ok(Payable { payer, number, terms: promise.terms, paid, netted, state, charges, step })
}

/// A page of promises.
pub fn page(count: u32, promises: impl IntoIterator<Item = (AccountId, u32)>) -> Result<PayablePage, SettlementError> {
    let payables = promises.into_iter().map(|(payer, number)| view(payer, number)).collect::<Result<_, _>>()?;
    Ok(PayablePage { count, payables })
}
