//! The proceeds of sales: what comes to a sales account is shared by the seller's standing rule, as it comes or when it is collected.
//!
//! Proceeds are what a bank issues to the account, what somebody pays it, and what is paid to it on a promise. A payee that is due a sum is safe: the
//! rule stands until it has got it, or releases it; and what came is set aside for the payees before anything else that the seller owes. Must never
//! share more than came, and never share a share again.

use alloc::vec::Vec;

use portolan_interface::{
    AccountId, Money, TermsError,
    settlement::{
        MAX_COLLECTION_DAYS, MAX_SALES_LINES, Payout, RecordKind, RuleFault, SalesLine, SalesRule, SettlementError,
        SettlementEvent,
        api::{Call, emit, schedule},
    },
};
use portolan_sdk::{ensure, env};
use portolan_terms::{Claim, share_of, waterfall};

use crate::{
    SALES_RULES,
    deposits::{self, Place},
    receiver,
};

/// Gas of sharing what was collected.
const SHARE_GAS: u64 = 50_000_000;
/// One whole.
const MILLION: u64 = 1_000_000;

fn fault(fault: RuleFault) -> SettlementError {
    SettlementError::UnsoundRule { fault }
}

fn unknown() -> SettlementError {
    SettlementError::Unknown { what: RecordKind::SalesRule }
}

/// The seller sets the rule for its account, or, with no lines, ends it.
pub fn set(place: Place, lines: Vec<SalesLine>, payout: Payout) -> Result<(), SettlementError> {
    deposits::ensure_served(place.bank, place.currency)?;
    sound(place, &lines, payout)?;
    if let Some(standing) = SALES_RULES.get(&place.key()) {
        ensure!(standing.lines.iter().all(|line| open(line) != Some(true)), fault(RuleFault::PayeeOpen));
        ensure!(standing.collected_minor == 0, fault(RuleFault::Collecting));
    }
    let Place { account, bank, currency } = place;
    if lines.is_empty() {
        SALES_RULES.remove(&place.key());
    } else {
        SALES_RULES.set(&place.key(), &SalesRule { account, bank, currency, lines, payout, collected_minor: 0 });
    }
    emit(&SettlementEvent::SalesRuleSet { account, bank, currency });
    Ok(())
}

/// Whether a line that ends is still due something; none for a line without an end.
fn open(line: &SalesLine) -> Option<bool> {
    line.due_minor.map(|due| due > line.paid_minor)
}

fn sound(place: Place, lines: &[SalesLine], payout: Payout) -> Result<(), SettlementError> {
    ensure!(lines.len() <= MAX_SALES_LINES, fault(RuleFault::Extent));
    if let Payout::Collected(days) = payout {
        ensure!((1..=MAX_COLLECTION_DAYS).contains(&days), fault(RuleFault::Days));
    }
    let mut endless = 0;
    for line in lines {
        let rate = u64::from(line.rate.0);
        ensure!((1..=MILLION).contains(&rate), fault(RuleFault::Rates));
        endless += if line.due_minor.is_none() { rate } else { 0 };
        ensure!(line.paid_minor == 0 && line.due_minor.is_none_or(|due| due > 0), fault(RuleFault::Due));
        ensure!(line.payee != place.account, fault(RuleFault::OwnAccount));
        receiver(line.payee)?;
    }
    ensure!(endless <= MILLION, fault(RuleFault::Rates));
    Ok(())
}

/// A payee gives up what it is still due by the rule.
pub fn release(place: Place, payee: AccountId) -> Result<(), SettlementError> {
    SALES_RULES.update(&place.key(), unknown, |rule| {
        let due = rule.lines.iter_mut().filter(|line| line.payee == payee && open(line) == Some(true));
        let mut released = false;
        for line in due {
            line.due_minor = Some(line.paid_minor);
            released = true;
        }
        ensure!(released, SettlementError::NotParty);
        Ok(())
    })?;
    let Place { account, bank, currency } = place;
    emit(&SettlementEvent::SalesRuleReleased { account, bank, currency, payee });
    Ok(())
}

/// Proceeds have come to an account; if a rule stands for it there, they are set aside until the agenda shares them. Whoever pays has no part in
/// that, and does not see it.
pub fn received(place: Place, minor: i128) -> Result<(), SettlementError> {
    let Some(mut rule) = SALES_RULES.get(&place.key()) else { return Ok(()) };
    if rule.collected_minor == 0 {
        put_on_agenda(place, rule.payout)?;
    }
    deposits::hold(place, minor)?;
    let sum = rule.collected_minor.checked_add(minor);
    rule.collected_minor = sum.ok_or(SettlementError::Terms(TermsError::Overflow))?;
    SALES_RULES.set(&place.key(), &rule);
    Ok(())
}

/// An entry for the day that it is runs in the next block.
fn put_on_agenda(place: Place, payout: Payout) -> Result<(), SettlementError> {
    let days = match payout {
        Payout::AsReceived => 0,
        Payout::Collected(days) => days,
    };
    let Place { account, bank, currency } = place;
    let on = env::business_date().saturating_add(i32::from(days));
    let run = Call::ShareCollected { account, bank, currency };
    schedule(on, &run, SHARE_GAS).map(drop).map_err(SettlementError::Agenda)
}

/// The agenda shares what was collected.
pub fn share_collected(place: Place) -> Result<(), SettlementError> {
    let mut rule = SALES_RULES.get(&place.key()).ok_or_else(unknown)?;
    let collected = core::mem::take(&mut rule.collected_minor);
    deposits::release(place, collected)?;
    share(place, &mut rule, collected)?;
    SALES_RULES.set(&place.key(), &rule);
    Ok(())
}

/// Pays the lines out of what came: by rank, one rank in proportion; what is left stays.
fn share(place: Place, rule: &mut SalesRule, minor: i128) -> Result<(), SettlementError> {
    let receipt = Money::new(minor, place.currency);
    let claims = rule.lines.iter().map(|line| claim(line, receipt)).collect::<Result<Vec<_>, _>>()?;
    let (shares, left) = waterfall(minor, &claims).map_err(SettlementError::Terms)?;
    let Place { account, bank, .. } = place;
    for (line, share) in rule.lines.iter_mut().zip(shares) {
        if share > 0 {
            line.paid_minor += share;
            deposits::pay(place, line.payee, share)?;
            let amount = Money::new(share, place.currency);
            let (payee, kind) = (line.payee, Some(line.kind));
            emit(&SettlementEvent::ProceedsShared { account, bank, payee, kind, amount });
        }
    }
    if left > 0 {
        let amount = Money::new(left, place.currency);
        emit(&SettlementEvent::ProceedsShared { account, bank, payee: account, kind: None, amount });
    }
    Ok(())
}

/// What a line gets of a receipt: its rate, rounded half up, and no more than it is due.
fn claim(line: &SalesLine, receipt: Money) -> Result<Claim, SettlementError> {
    let share = share_of(receipt, line.rate).map_err(SettlementError::Terms)?.minor;
    let due = line.due_minor.map_or(share, |due| share.min(due - line.paid_minor));
    Ok(Claim { rank: line.kind.rank(), due })
}

/// The rule for an account.
pub fn view(place: Place) -> Result<SalesRule, SettlementError> {
    SALES_RULES.get(&place.key()).ok_or_else(unknown)
}
