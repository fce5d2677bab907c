//! What a debtor owes on certificates, against the limit that governance sets for it.
//!
//! Issue adds, and whatever ends a claim takes off: refusal, expiry, payment, a credit note, an award, cancellation. Must never let an issue exceed the
//! limit; one that is lowered below what is owed stops issues and nothing else.

use alloc::string::String;

use portolan_interface::{
    AccountId, Currency, Money, access,
    receivable::{DEBT_LIMIT_PARAMETER, Debt, ReceivableError},
};
use portolan_sdk::{ensure, env};

use crate::DEBTS;

const HEX: &[u8; 16] = b"0123456789abcdef";

fn limit(debtor: AccountId, currency: Currency) -> Option<Money> {
    let mut name = String::from(DEBT_LIMIT_PARAMETER);
    for byte in debtor.0 {
        for digit in [byte >> 4, byte & 15] {
            name.push(char::from(HEX[usize::from(digit)]));
        }
    }
    name.push('.');
    name.extend(currency.0.iter().map(|letter| char::from(letter.to_ascii_lowercase())));
    env::parameter::<i128>(&name).map(|minor| Money::new(minor, currency))
}

fn used(debtor: AccountId, currency: Currency) -> Money {
    Money::new(DEBTS.get(&(debtor, currency.0)).unwrap_or(0), currency)
}

/// A certificate is issued, if the limit leaves room.
pub fn add(debtor: AccountId, face: Money) -> Result<(), ReceivableError> {
    let used = used(debtor, face.currency);
    let sum = used.checked_add(face).map_err(ReceivableError::Terms)?;
    if let Some(limit) = limit(debtor, face.currency) {
        let room = Money::new(limit.minor.saturating_sub(used.minor).max(0), face.currency);
        ensure!(sum.minor <= limit.minor, ReceivableError::DebtLimit { room });
    }
    DEBTS.set(&(debtor, face.currency.0), &sum.minor);
    Ok(())
}

/// So much is owed no more.
pub fn take_off(debtor: AccountId, amount: Money) -> Result<(), ReceivableError> {
    let rest = used(debtor, amount.currency).checked_sub(amount).map_err(ReceivableError::Terms)?;
    DEBTS.set(&(debtor, amount.currency.0), &rest.minor);
    Ok(())
}

pub fn view(debtor: AccountId, currency: Currency) -> Result<Debt, ReceivableError> {
    ensure!(access::may_read(&[debtor]), ReceivableError::NotParty);
    Ok(Debt { used: used(debtor, currency), limit: limit(debtor, currency) })
}
