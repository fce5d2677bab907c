//! What follows when a promise is not paid on its day: charges, the steps of collection, write-off and recovery.
//!
//! Charges are a fee once, default interest from the due date on, and value-added tax on that interest; nothing within the days of grace. They are
//! reckoned when money comes, so that each accrual is rounded once, at its end. What comes pays fee, tax, interest and principal, in this order.
//! Must never charge a promise that names no terms for it, nor go on charging what is written off.

use codec::{Decode, Encode};
use portolan_interface::{
    AccountId, BusinessDate, Hash, Money,
    settlement::{
        CollectionStep, LateCharges, LateTerms, MAX_GRACE_DAYS, PayableState, PayableTerms, SettlementError,
        SettlementEvent, TrancheKind,
        api::{Call, emit, schedule},
    },
};
use portolan_sdk::{ensure, env};
use portolan_terms::{Claim, Interest, Ppm, share_of, waterfall};

use crate::{
    PAYABLES, add,
    deposits::{self, Place},
    payables::{self, Promise},
    proceeds,
};

/// Gas of one step of collection.
const STEP_GAS: u64 = 5_000_000;
/// The governed days after grace on which the steps are taken: notice, demand, arbitration.
const STEPS_PARAMETER: &str = "settlement.collection_days";
const DEFAULT_STEP_DAYS: [u16; 3] = [1, 7, 30];
/// One whole.
const MILLION: Ppm = Ppm(1_000_000);

/// What a promise was charged and has not paid, minor units.
#[derive(Clone, Default, Encode, Decode)]
pub struct Charges {
    fee: i128,
    tax: i128,
    interest: i128,
    /// The day up to which interest is reckoned, which is not counted yet itself.
    until: Option<i32>,
}

impl Charges {
    /// All of it.
    pub fn sum(&self) -> Result<i128, SettlementError> {
        add(add(self.fee, self.tax)?, self.interest)
    }

    /// With what has accrued on `open` until today.
    pub fn accrued(&self, terms: &PayableTerms, open: i128, today: i32) -> Result<Self, SettlementError> {
        let mut charges = self.clone();
        let Some(late) = &terms.late else { return Ok(charges) };
        let from = self.until.unwrap_or(terms.due.0);
        if open == 0 || today <= grace_ends(terms) || today <= from {
            return Ok(charges);
        }
        let principal = Money::new(open, terms.amount.currency);
        let interest = Interest::new(principal, late.rate, late.day_count, BusinessDate(from), BusinessDate(today))
            .and_then(Interest::amount)
            .map_err(SettlementError::Terms)?;
        let tax = share_of(interest, late.tax).map_err(SettlementError::Terms)?;
        if self.until.is_none() {
            charges.fee = late.fee_minor;
        }
        charges.interest = add(charges.interest, interest.minor)?;
        charges.tax = add(charges.tax, tax.minor)?;
        charges.until = Some(today);
        Ok(charges)
    }

    /// Takes what a payment gives to the charges off them; answers what is left of it for the principal.
    fn pay(&mut self, minor: i128) -> Result<i128, SettlementError> {
        let claim = |kind: TrancheKind, due| Claim { rank: kind.rank(), due };
        let claims = [
            claim(TrancheKind::Fee, self.fee),
            claim(TrancheKind::Tax, self.tax),
            claim(TrancheKind::Penalty, self.interest),
        ];
        let (paid, left) = waterfall(minor, &claims).map_err(SettlementError::Terms)?;
        for (charge, paid) in [&mut self.fee, &mut self.tax, &mut self.interest].into_iter().zip(paid) {
            *charge -= paid;
        }
        Ok(left)
    }

    /// For people.
    pub fn view(&self) -> LateCharges {
        LateCharges { fee_minor: self.fee, tax_minor: self.tax, interest_minor: self.interest }
    }
}

/// The last day without charges.
fn grace_ends(terms: &PayableTerms) -> i32 {
    let grace = terms.late.as_ref().map_or(0, |late| i32::from(late.grace_days));
    terms.due.0.saturating_add(grace)
}

/// Passes when terms for late payment fit.
pub fn sound(late: &LateTerms) -> Result<(), SettlementError> {
    let rates = late.rate <= MILLION && late.tax <= MILLION;
    ensure!(late.grace_days <= MAX_GRACE_DAYS && rates && late.fee_minor >= 0, SettlementError::UnsoundLateTerms);
    Ok(())
}

/// Applies a payment to a promise whose charges were reckoned: charges first, then principal. Answers how much went to each.
pub fn apply(promise: &mut Promise, charges: Charges, minor: i128) -> Result<(i128, i128), SettlementError> {
    if minor == 0 {
        return Ok((0, 0));
    }
    promise.charges = charges;
    let principal = promise.charges.pay(minor)?;
    promise.paid_minor = add(promise.paid_minor, principal)?;
    Ok((minor - principal, principal))
}

/// Puts the next step of collection on the agenda, if there is one.
pub fn put_next_on_agenda(payer: AccountId, number: u32, promise: &Promise) -> Result<(), SettlementError> {
    let (step, place) = match promise.step {
        CollectionStep::NotBegun => (CollectionStep::Notice, 0),
        CollectionStep::Notice => (CollectionStep::Demand, 1),
        CollectionStep::Demand => (CollectionStep::Arbitration, 2),
        CollectionStep::Arbitration => return Ok(()),
    };
    let days: [u16; 3] = env::parameter(STEPS_PARAMETER).unwrap_or(DEFAULT_STEP_DAYS);
    let on = grace_ends(&promise.terms).saturating_add(i32::from(days[place]));
    let run = Call::RunCollection { payer, number, step };
    schedule(on, &run, STEP_GAS).map(drop).map_err(SettlementError::Agenda)
}

/// The agenda takes a step of collection, unless nothing is owed any more.
pub fn run_collection(payer: AccountId, number: u32, step: CollectionStep) -> Result<(), SettlementError> {
    let mut promise = payables::load(payer, number)?;
    if promise.state()? != PayableState::Overdue {
        return Ok(());
    }
    promise.step = step;
    put_next_on_agenda(payer, number, &promise)?;
    PAYABLES.set(&payer, number, &promise);
    let (payee, open) = (promise.terms.payee, promise.owed_today()?);
    emit(&SettlementEvent::CollectionStepTaken { payer, number, payee, step, open });
    Ok(())
}

/// What a payee gives up by writing off.
pub fn at_stake(payee: AccountId, payer: AccountId, number: u32) -> Result<Money, SettlementError> {
    let promise = payables::load(payer, number)?;
    ensure!(promise.terms.payee == payee, SettlementError::NotParty);
    promise.owed_today()
}

/// The payee takes the loss, after the last step of collection: it binds the deposit no more, and is charged no more.
pub fn write_off(payee: AccountId, payer: AccountId, number: u32, reference: Hash) -> Result<(), SettlementError> {
    let mut promise = payables::load(payer, number)?;
    let (state, needed) = (promise.state()?, PayableState::Overdue);
    ensure!(state == needed, SettlementError::PayableState { state, needed });
    let step = promise.step;
    ensure!(step == CollectionStep::Arbitration, SettlementError::CollectionNotDone { step });
    let amount = promise.owed_today()?;
    payables::leave_day(payer, number, &promise, promise.open(), true)?;
    promise.charges = promise.charges.accrued(&promise.terms, promise.open(), env::business_date())?;
    promise.written_off = true;
    PAYABLES.set(&payer, number, &promise);
    emit(&SettlementEvent::WrittenOff { payer, number, payee, amount, reference });
    Ok(())
}

/// The payer pays on what was written off, up to what is owed. Answers how much that was; what is too much stays with the payer.
pub fn recover(payer: AccountId, number: u32, amount: Money) -> Result<Money, SettlementError> {
    let mut promise = payables::load(payer, number)?;
    let (state, needed) = (promise.state()?, PayableState::WrittenOff);
    ensure!(state == needed, SettlementError::PayableState { state, needed });
    let (expected, found) = (promise.terms.amount.currency, amount.currency);
    ensure!(expected == found, SettlementError::WrongCurrency { expected, found });
    let owed = add(promise.rest(), promise.charges.sum()?)?;
    let amount = Money::new(amount.minor.min(owed), expected);
    let place = Place::new(payer, promise.terms.bank, expected);
    deposits::ensure_free(place, amount.minor)?;
    let charges = promise.charges.clone();
    apply(&mut promise, charges, amount.minor)?;
    PAYABLES.set(&payer, number, &promise);
    let payee = promise.terms.payee;
    deposits::pay(place, payee, amount.minor)?;
    let rest = Money::new(owed - amount.minor, expected);
    emit(&SettlementEvent::Recovered { payer, number, payee, amount, rest });
    proceeds::received(Place { account: payee, ..place }, amount.minor)?;
    Ok(amount)
}
