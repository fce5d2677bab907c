//! Balances and the books of banks. Every change of a balance in this contract goes through here.

use codec::{Decode, Encode};
use portolan_interface::{
    AccountId, BusinessDate, Currency, MemberId, Money,
    settlement::{Book, Deposit, SettlementError},
};
use portolan_sdk::{ensure, env, storage::Map};

use crate::{BALANCES, DEPOSITORS, DEPOSITS_OF, SERVICES, add, obligations, payables};

/// Days read at once when summing up what is due.
const DAYS: u32 = 16;

/// A day on which something is due from a deposit: the deposit's key, and the day's number.
pub type DayKey = (AccountId, MemberId, [u8; 3], i32);

/// Sums of a bank in a currency, minor units.
#[derive(Clone, Copy, Encode, Decode)]
pub struct Service {
    cap: i128,
    issued: i128,
    redeemed: i128,
    /// Out of the deposits and not yet paid out: with the deposits it makes `issued - redeemed`.
    pending: i128,
}

/// What an account has at a bank in a currency, minor units.
#[derive(Clone, Copy, Default, Encode, Decode)]
pub struct Balance {
    /// All of it.
    pub total: i128,
    /// Of it set aside, for claims that are being paid and of proceeds that are not yet shared.
    pub held: i128,
    /// Beside it, not of it: asked to be paid out, and not yet answered.
    pub pending: i128,
}

/// Where a balance lies.
#[derive(Clone, Copy)]
pub struct Place {
    pub account: AccountId,
    pub bank: MemberId,
    pub currency: Currency,
}

impl Place {
    pub fn new(account: AccountId, bank: MemberId, currency: Currency) -> Self {
        Self { account, bank, currency }
    }

    /// Its key.
    pub fn key(self) -> (AccountId, MemberId, [u8; 3]) {
        (self.account, self.bank, self.currency.0)
    }

    /// The key of one of its days.
    pub fn day_key(self, day: i32) -> DayKey {
        (self.account, self.bank, self.currency.0, day)
    }

    /// The balance; nothing where there never was one.
    pub fn balance(self) -> Balance {
        BALANCES.get(&self.key()).unwrap_or_default()
    }
}

/// Sets the bank's cap in a currency; the first time, the bank begins to serve it.
pub fn serve(bank: MemberId, cap: Money) -> Result<(), SettlementError> {
    let key = (bank, cap.currency.0);
    let mut service = SERVICES.get(&key).unwrap_or(Service { cap: 0, issued: 0, redeemed: 0, pending: 0 });
    let outstanding = Money::new(service.issued - service.redeemed, cap.currency);
    ensure!(outstanding.minor <= cap.minor, SettlementError::CapBelowOutstanding { outstanding });
    service.cap = cap.minor;
    SERVICES.set(&key, &service);
    Ok(())
}

/// Passes when the bank serves the currency.
pub fn ensure_served(bank: MemberId, currency: Currency) -> Result<(), SettlementError> {
    ensure!(SERVICES.contains(&(bank, currency.0)), SettlementError::BankDoesNotServe { currency });
    Ok(())
}

/// The bank owes `amount` more, to the account.
pub fn issue(bank: MemberId, to: AccountId, amount: Money) -> Result<(), SettlementError> {
    let place = Place::new(to, bank, amount.currency);
    change_service(place, |service| {
        service.issued = add(service.issued, amount.minor)?;
        let excess = Money::new(service.issued - service.redeemed - service.cap, amount.currency);
        ensure!(!excess.is_positive(), SettlementError::CapExceeded { excess });
        Ok(())
    })?;
    credit(place, amount.minor)
}

/// The amount leaves the deposit and is pending.
pub fn set_pending(place: Place, minor: i128) -> Result<(), SettlementError> {
    change(place, |balance| {
        balance.total -= minor;
        balance.pending = add(balance.pending, minor)?;
        Ok(())
    })?;
    change_service(place, |service| {
        service.pending = add(service.pending, minor)?;
        Ok(())
    })
}

/// The pending amount was paid out outside the chain: the bank owes that much less.
pub fn pay_out_pending(place: Place, minor: i128) -> Result<(), SettlementError> {
    change(place, |balance| {
        balance.pending -= minor;
        Ok(())
    })?;
    change_service(place, |service| {
        service.pending -= minor;
        service.redeemed = add(service.redeemed, minor)?;
        Ok(())
    })
}

/// The pending amount is back in the deposit.
pub fn return_pending(place: Place, minor: i128) -> Result<(), SettlementError> {
    change(place, |balance| {
        balance.pending -= minor;
        balance.total = add(balance.total, minor)?;
        Ok(())
    })?;
    change_service(place, |service| {
        service.pending -= minor;
        Ok(())
    })
}

fn change_service(
    place: Place,
    alter: impl FnOnce(&mut Service) -> Result<(), SettlementError>,
) -> Result<(), SettlementError> {
    let missing = || SettlementError::BankDoesNotServe { currency: place.currency };
    SERVICES.update(&(place.bank, place.currency.0), missing, alter)
}

/// Passes when the owner may dispose of `minor`: not of what is set aside, nor of what is due and not yet paid.
pub fn ensure_free(place: Place, minor: i128) -> Result<(), SettlementError> {
    let balance = place.balance();
    let missing = add(minor, due_and_unpaid(place)?)? - (balance.total - balance.held);
    ensure!(
        missing <= 0,
        SettlementError::InsufficientDeposit { missing: Money::new(missing.min(minor), place.currency) }
    );
    Ok(())
}

/// Pays from a deposit to another account at the same bank.
pub fn pay(place: Place, to: AccountId, minor: i128) -> Result<(), SettlementError> {
    debit(place, minor)?;
    credit(Place { account: to, ..place }, minor)
}

/// What binds the deposit: due until today on certificates and by promises, and not paid.
fn due_and_unpaid(place: Place) -> Result<i128, SettlementError> {
    let today = BusinessDate(env::business_date());
    add(obligations::bound_until(place, today)?, payables::bound_until(place, today)?)
}

/// The sum of what is owed from a deposit on days up to `last`, in a list of days that is kept in their order.
pub fn sum_until<D: Encode + Decode>(
    days: &Map<DayKey, D>,
    place: Place,
    last: BusinessDate,
    owed: impl Fn(&D) -> Result<i128, SettlementError>,
) -> Result<i128, SettlementError> {
    let (mut after, mut sum) = (None, 0);
    loop {
        let page = days.page_of(&place.key(), after.as_ref(), DAYS);
        let whole = page.len() < DAYS as usize;
        for (key, day) in page {
            if key.3 > last.0 {
                return Ok(sum);
            }
            sum = add(sum, owed(&day)?)?;
            after = Some(key);
        }
        if whole {
            return Ok(sum);
        }
    }
}

/// Takes from what is not set aside.
pub fn debit(place: Place, minor: i128) -> Result<(), SettlementError> {
    change(place, |balance| {
        balance.total -= minor;
        Ok(())
    })
}

/// Takes from what was set aside.
pub fn debit_held(place: Place, minor: i128) -> Result<(), SettlementError> {
    change(place, |balance| {
        balance.total -= minor;
        balance.held -= minor;
        Ok(())
    })
}

/// Sets aside.
pub fn hold(place: Place, minor: i128) -> Result<(), SettlementError> {
    change(place, |balance| {
        balance.held = add(balance.held, minor)?;
        Ok(())
    })
}

/// What was set aside is free again.
pub fn release(place: Place, minor: i128) -> Result<(), SettlementError> {
    change(place, |balance| {
        balance.held -= minor;
        Ok(())
    })
}

/// Changes a balance that is there; one in which more is held than there is, or less than nothing, is refused. Only [`credit`] makes a balance,
/// so that each stands in the lists.
fn change(
    place: Place,
    alter: impl FnOnce(&mut Balance) -> Result<(), SettlementError>,
) -> Result<(), SettlementError> {
    let nothing = || SettlementError::InsufficientDeposit { missing: Money::zero(place.currency) };
    BALANCES.update(&place.key(), nothing, |balance| {
        alter(balance)?;
        let missing = balance.held - balance.total;
        ensure!(
            missing <= 0 && balance.held >= 0 && balance.pending >= 0,
            SettlementError::InsufficientDeposit { missing: Money::new(missing, place.currency) }
        );
        Ok(())
    })
}

/// Gives; a first deposit enters the lists of the account and of the bank.
pub fn credit(place: Place, minor: i128) -> Result<(), SettlementError> {
    let known = BALANCES.get(&place.key());
    if known.is_none() {
        DEPOSITS_OF.push(&place.account, &(place.bank, place.currency));
        DEPOSITORS.push(&(place.bank, place.currency.0), &place.account);
    }
    let mut balance = known.unwrap_or_default();
    balance.total = add(balance.total, minor)?;
    BALANCES.set(&place.key(), &balance);
    Ok(())
}

/// For people.
pub fn view(place: Place) -> Deposit {
    let balance = place.balance();
    let money = |minor| Money::new(minor, place.currency);
    // A sum that does not fit binds everything.
    let bound = due_and_unpaid(place).unwrap_or(i128::MAX).min(balance.total - balance.held);
    Deposit {
        account: place.account,
        bank: place.bank,
        balance: money(balance.total),
        held: money(balance.held),
        bound: money(bound),
        pending: money(balance.pending),
    }
}

/// A bank's sums.
pub fn book(bank: MemberId, currency: Currency) -> Result<Book, SettlementError> {
    let service = SERVICES.get(&(bank, currency.0)).ok_or(SettlementError::BankDoesNotServe { currency })?;
    let money = |minor| Money::new(minor, currency);
    Ok(Book {
        bank,
        issued: money(service.issued),
        redeemed: money(service.redeemed),
        outstanding: money(service.issued - service.redeemed),
        pending: money(service.pending),
        cap: money(service.cap),
        depositors: DEPOSITORS.len(&(bank, currency.0)),
    })
}
