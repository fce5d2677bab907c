//! What falls due: registered at acceptance, binding from its due date on, set aside when it is collected, and paid out to the leaves.
//!
//! Claims of one payer on one deposit stand in order of their due dates; those of one day share in proportion.

use alloc::{collections::BTreeMap, vec::Vec};

use codec::{Decode, Encode};
use portolan_interface::{
    AccountId, BusinessDate, CertificateId, Currency, MemberId, Money,
    settlement::{MAX_PAYMENTS, Obligation, ObligationState, Payment, SettlementError, SettlementEvent, api::emit},
};
use portolan_sdk::{ensure, env};
use portolan_terms::pro_rata;

use crate::{
    DUE, OBLIGATIONS, OBLIGATIONS_OF, add,
    deposits::{self, DayKey, Place},
    waterfall,
};

/// What a payer owes on a day from one deposit, minor units, by who is served first.
#[derive(Clone, Copy, Default, Encode, Decode)]
pub struct DueDay {
    /// Of claims that were not collected yet.
    unrun: i128,
    /// Of overdue claims that were not tried on the day of `round`.
    overdue: i128,
    /// Of claims that were: another try on that day waits for the others.
    tried: i128,
    /// The business date of the last try.
    round: i32,
}

/// Where a claim stands among those of its day.
#[derive(Clone, Copy)]
enum Turn {
    First,
    Again,
    TriedToday,
}

impl DueDay {
    fn owed(self) -> Result<i128, SettlementError> {
        add(add(self.unrun, self.overdue)?, self.tried)
    }

    /// A new business date gives everybody that is overdue the same chance again.
    fn begin_round(&mut self, today: i32) -> Result<(), SettlementError> {
        if self.round != today {
            self.overdue = add(self.overdue, self.tried)?;
            self.tried = 0;
            self.round = today;
        }
        Ok(())
    }

    /// What comes before a turn, and what shares with it.
    fn before_and_alike(self, turn: Turn) -> Result<(i128, i128), SettlementError> {
        Ok(match turn {
            Turn::First => (0, self.unrun),
            Turn::Again => (self.unrun, self.overdue),
            Turn::TriedToday => (add(self.unrun, self.overdue)?, self.tried),
        })
    }

    /// Where a claim of that turn is counted.
    fn waiting(&mut self, turn: Turn) -> &mut i128 {
        match turn {
            Turn::First => &mut self.unrun,
            Turn::Again => &mut self.overdue,
            Turn::TriedToday => &mut self.tried,
        }
    }

    /// A claim had its turn and left a rest.
    fn take_turn(&mut self, turn: Turn, owed: i128, rest: i128) -> Result<(), SettlementError> {
        *self.waiting(turn) -= owed;
        self.tried = add(self.tried, rest)?;
        Ok(())
    }
}

fn place_of(obligation: &Obligation) -> Place {
    Place::new(obligation.payer, obligation.bank, obligation.amount.currency)
}

fn day_key(obligation: &Obligation) -> DayKey {
    place_of(obligation).day_key(obligation.due.0)
}

/// A certificate will be due.
pub fn register(
    certificate: CertificateId,
    payer: AccountId,
    bank: MemberId,
    amount: Money,
    due: BusinessDate,
) -> Result<(), SettlementError> {
    ensure!(!OBLIGATIONS.contains(&certificate), SettlementError::DuplicateObligation);
    let nothing = Money::zero(amount.currency);
    let state = ObligationState::Pending;
    let obligation =
        Obligation { certificate, payer, bank, amount, paid: nothing, reserved: nothing, due, tried: None, state };
    let mut day = DUE.get(&day_key(&obligation)).unwrap_or_default();
    day.unrun = add(day.unrun, amount.minor)?;
    keep_day(&obligation, day)?;
    OBLIGATIONS.set(&certificate, &obligation);
    OBLIGATIONS_OF.push(&payer, &certificate);
    Ok(())
}

/// Keeps what is owed on the obligation's day; a day on which nothing is owed any more leaves the list.
fn keep_day(obligation: &Obligation, day: DueDay) -> Result<(), SettlementError> {
    let key = day_key(obligation);
    if day.owed()? == 0 {
        DUE.remove(&key)
    } else {
        DUE.set(&key, &day)
    }
    Ok(())
}

/// The sum of what is owed from a deposit on days up to `last`.
pub fn bound_until(place: Place, last: BusinessDate) -> Result<i128, SettlementError> {
    deposits::sum_until(&DUE, place, last, |day| day.owed())
}

/// Sets aside what the deposit gives for a claim that is due. Earlier days come first; claims of one day share in proportion, and what was
/// tried on this business date waits for those that were not.
pub fn collect(certificate: CertificateId) -> Result<Money, SettlementError> {
    let mut obligation = load(certificate)?;
    let today = BusinessDate(env::business_date());
    let turn = turn_of(&obligation, today)?;
    let (state, needed) = (obligation.state, ObligationState::Overdue);
    ensure!(obligation.due <= today, SettlementError::ObligationState { state, needed });
    let owed = open(&obligation).minor;
    let mut day = DUE.get(&day_key(&obligation)).unwrap_or_default();
    day.begin_round(today.0)?;
    let share = share_of(&obligation, day, turn, owed)?;
    day.take_turn(turn, owed, owed - share)?;
    keep_day(&obligation, day)?;
    if share > 0 {
        deposits::hold(place_of(&obligation), share)?;
    }
    let (payer, currency) = (obligation.payer, obligation.amount.currency);
    let (amount, rest) = (Money::new(share, currency), Money::new(owed - share, currency));
    obligation.reserved = amount;
    obligation.tried = Some(today);
    obligation.state = if share > 0 { ObligationState::Paying } else { ObligationState::Overdue };
    OBLIGATIONS.set(&certificate, &obligation);
    if matches!(turn, Turn::First) || share > 0 {
        emit(&SettlementEvent::Collected { certificate, payer, amount, rest });
    }
    Ok(amount)
}

/// Whose turn it is; a claim that is being paid, or paid, has none.
fn turn_of(obligation: &Obligation, today: BusinessDate) -> Result<Turn, SettlementError> {
    match obligation.state {
        ObligationState::Pending => Ok(Turn::First),
        ObligationState::Overdue if obligation.tried == Some(today) => Ok(Turn::TriedToday),
        ObligationState::Overdue => Ok(Turn::Again),
        state => Err(SettlementError::ObligationState { state, needed: ObligationState::Overdue }),
    }
}

/// What falls to `owed` of what claims before it leave of the deposit.
fn share_of(obligation: &Obligation, day: DueDay, turn: Turn, owed: i128) -> Result<i128, SettlementError> {
    let place = place_of(obligation);
    let balance = place.balance();
    let (before, alike) = day.before_and_alike(turn)?;
    let before = add(bound_until(place, BusinessDate(obligation.due.0 - 1))?, before)?;
    let free = (balance.total - balance.held - before).max(0);
    let shares = pro_rata(free, &[owed, alike - owed]).map_err(SettlementError::Terms)?;
    Ok(shares.first().copied().unwrap_or(0))
}

/// Pays leaves out of what was set aside.
pub fn pay(certificate: CertificateId, payments: &[Payment]) -> Result<(), SettlementError> {
    let mut obligation = load(certificate)?;
    let (state, needed) = (obligation.state, ObligationState::Paying);
    ensure!(state == needed, SettlementError::ObligationState { state, needed });
    let receipts = Receipts::of(payments, obligation.amount.currency)?;
    let excess = Money::new(receipts.sum - obligation.reserved.minor, obligation.amount.currency);
    ensure!(!excess.is_positive(), SettlementError::Overpaid { excess });
    let place = place_of(&obligation);
    deposits::debit_held(place, receipts.sum)?;
    receipts.credit(place)?;
    obligation.reserved.minor -= receipts.sum;
    obligation.paid.minor = add(obligation.paid.minor, receipts.sum)?;
    if obligation.reserved.minor == 0 {
        obligation.state =
            if obligation.paid == obligation.amount { ObligationState::Paid } else { ObligationState::Overdue };
    }
    OBLIGATIONS.set(&certificate, &obligation);
    Ok(())
}

/// Pays leaves before the due date, for the discount, out of what the payer may dispose of.
pub fn pay_early(certificate: CertificateId, payments: &[Payment], discount: Money) -> Result<(), SettlementError> {
    let mut obligation = load(certificate)?;
    let (payer, due, currency) = (obligation.payer, obligation.due, obligation.amount.currency);
    let (state, needed) = (obligation.state, ObligationState::Pending);
    ensure!(state == needed, SettlementError::ObligationState { state, needed });
    ensure!(env::business_date() < due.0, SettlementError::NotEarly { due });
    ensure!(discount.minor >= 0, SettlementError::NegativeDiscount);
    let receipts = Receipts::of(payments, currency)?;
    let paid = Money::new(receipts.sum, currency);
    ensure!(paid.is_positive(), SettlementError::AmountNotPositive);
    let place = place_of(&obligation);
    deposits::ensure_free(place, receipts.sum)?;
    lower(&mut obligation, discount, paid)?;
    deposits::debit(place, receipts.sum)?;
    receipts.credit(place)?;
    let rest = open(&obligation);
    emit(&SettlementEvent::PaidEarly { certificate, payer, paid, discount, rest });
    Ok(())
}

/// Less is owed from now on.
pub fn reduce(certificate: CertificateId, by: Money) -> Result<(), SettlementError> {
    let mut obligation = load(certificate)?;
    lower(&mut obligation, by, Money::zero(by.currency))?;
    let (payer, rest) = (obligation.payer, open(&obligation));
    emit(&SettlementEvent::Reduced { certificate, payer, by, rest });
    Ok(())
}

/// What was taken off a claim that is due is owed again: it is overdue, and waits for its turn with the others of its day.
pub fn restore(certificate: CertificateId, by: Money) -> Result<(), SettlementError> {
    let mut obligation = load(certificate)?;
    let (expected, found) = (obligation.amount.currency, by.currency);
    ensure!(expected == found, SettlementError::WrongCurrency { expected, found });
    let (state, needed) = (obligation.state, ObligationState::Overdue);
    let today = BusinessDate(env::business_date());
    let due = obligation.due <= today && matches!(state, ObligationState::Overdue | ObligationState::Paid);
    ensure!(due, SettlementError::ObligationState { state, needed });
    obligation.state = ObligationState::Overdue;
    let turn = turn_of(&obligation, today)?;
    let mut day = DUE.get(&day_key(&obligation)).unwrap_or_default();
    day.begin_round(today.0)?;
    *day.waiting(turn) = add(*day.waiting(turn), by.minor)?;
    keep_day(&obligation, day)?;
    obligation.amount = obligation.amount.checked_add(by).map_err(SettlementError::Terms)?;
    OBLIGATIONS.set(&certificate, &obligation);
    let (payer, rest) = (obligation.payer, open(&obligation));
    emit(&SettlementEvent::Restored { certificate, payer, by, rest });
    Ok(())
}

/// So much is given up, and so much paid, of a claim for which nothing is set aside.
fn lower(obligation: &mut Obligation, given_up: Money, paid: Money) -> Result<(), SettlementError> {
    let (expected, found) = (obligation.amount.currency, given_up.currency);
    ensure!(expected == found, SettlementError::WrongCurrency { expected, found });
    let today = BusinessDate(env::business_date());
    let turn = turn_of(obligation, today)?;
    let less = add(given_up.minor, paid.minor)?;
    let open_now = open(obligation);
    ensure!(less <= open_now.minor, SettlementError::AboveOwed { open: open_now });
    let mut day = DUE.get(&day_key(obligation)).unwrap_or_default();
    day.begin_round(today.0)?;
    *day.waiting(turn) -= less;
    keep_day(obligation, day)?;
    obligation.amount.minor -= given_up.minor;
    obligation.paid.minor = add(obligation.paid.minor, paid.minor)?;
    if obligation.paid == obligation.amount {
        obligation.state = ObligationState::Paid;
    }
    OBLIGATIONS.set(&obligation.certificate, obligation);
    Ok(())
}

/// What is owed on a claim for which nothing is set aside.
fn open(obligation: &Obligation) -> Money {
    Money::new(obligation.amount.minor - obligation.paid.minor, obligation.amount.currency)
}

fn load(certificate: CertificateId) -> Result<Obligation, SettlementError> {
    OBLIGATIONS.get(&certificate).ok_or(SettlementError::UnknownObligation)
}

/// What payments come to, and who gets it.
struct Receipts {
    sum: i128,
    by_payee: BTreeMap<AccountId, i128>,
}

impl Receipts {
    fn of(payments: &[Payment], currency: Currency) -> Result<Self, SettlementError> {
        ensure!(payments.len() <= MAX_PAYMENTS, SettlementError::TooMany { limit: MAX_PAYMENTS as u32 });
        let mut receipts = Self { sum: 0, by_payee: BTreeMap::new() };
        for payment in payments {
            ensure!(payment.minor > 0, SettlementError::AmountNotPositive);
            receipts.sum = add(receipts.sum, payment.minor)?;
            for (payee, minor) in spread(payment, currency)? {
                let receipt = receipts.by_payee.entry(payee).or_insert(0);
                *receipt = add(*receipt, minor)?;
            }
        }
        Ok(receipts)
    }

    /// To deposits at the place's bank.
    fn credit(&self, place: Place) -> Result<(), SettlementError> {
        for (account, minor) in &self.by_payee {
            deposits::credit(Place { account: *account, ..place }, *minor)?;
        }
        Ok(())
    }
}

/// Who gets the payment: its holder, or the payees of the part's waterfall.
fn spread(payment: &Payment, currency: Currency) -> Result<Vec<(AccountId, i128)>, SettlementError> {
    if payment.financed {
        return waterfall::spread(payment.part, Money::new(payment.minor, currency));
    }
    Ok(alloc::vec![(payment.holder, payment.minor)])
}
