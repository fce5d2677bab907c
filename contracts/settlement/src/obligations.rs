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

    /// A claim had its turn and left a rest.
    fn take_turn(&mut self, turn: Turn, owed: i128, rest: i128) -> Result<(), SettlementError> {
        let waiting = match turn {
            Turn::First => &mut self.unrun,
            Turn::Again => &mut self.overdue,
            Turn::TriedToday => &mut self.tried,
        };
        *waiting -= owed;
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
    let mut obligation = OBLIGATIONS.get(&certificate).ok_or(SettlementError::UnknownObligation)?;
    let today = BusinessDate(env::business_date());
    let turn = turn_of(&obligation, today)?;
    let owed = obligation.amount.minor - obligation.paid.minor;
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

/// Whose turn it is; a claim that is not due, being paid, or paid has none.
fn turn_of(obligation: &Obligation, today: BusinessDate) -> Result<Turn, SettlementError> {
    match obligation.state {
        ObligationState::Pending if obligation.due <= today => Ok(Turn::First),
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
    let mut obligation = OBLIGATIONS.get(&certificate).ok_or(SettlementError::UnknownObligation)?;
    let (state, needed) = (obligation.state, ObligationState::Paying);
    ensure!(state == needed, SettlementError::ObligationState { state, needed });
    ensure!(payments.len() <= MAX_PAYMENTS, SettlementError::TooMany { limit: MAX_PAYMENTS as u32 });
    let currency = obligation.amount.currency;
    let mut sum = 0;
    let mut receipts: BTreeMap<AccountId, i128> = BTreeMap::new();
    for payment in payments {
        ensure!(payment.minor > 0, SettlementError::AmountNotPositive);
        sum = add(sum, payment.minor)?;
        for (payee, minor) in spread(payment, currency)? {
            let receipt = receipts.entry(payee).or_insert(0);
            *receipt = add(*receipt, minor)?;
        }
    }
    let excess = Money::new(sum - obligation.reserved.minor, currency);
    ensure!(!excess.is_positive(), SettlementError::Overpaid { excess });
    let place = place_of(&obligation);
    deposits::debit_held(place, sum)?;
    for (account, minor) in receipts {
        deposits::credit(Place { account, ..place }, minor)?;
    }
    obligation.reserved.minor -= sum;
    obligation.paid.minor = add(obligation.paid.minor, sum)?;
    if obligation.reserved.minor == 0 {
        obligation.state =
            if obligation.paid == obligation.amount { ObligationState::Paid } else { ObligationState::Overdue };
    }
    OBLIGATIONS.set(&certificate, &obligation);
    Ok(())
}

/// Who gets the payment: its holder, or the payees of the part's waterfall.
fn spread(payment: &Payment, currency: Currency) -> Result<Vec<(AccountId, i128)>, SettlementError> {
    if payment.financed {
        return waterfall::spread(payment.part, Money::new(payment.minor, currency));
    }
    Ok(alloc::vec![(payment.holder, payment.minor)])
}
