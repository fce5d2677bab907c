//! Splitting a part: exactly, with nothing lost and nothing below dust.

use portolan_interface::{
    AccountId, Money, PartId, TermsError,
    receivable::{MAX_DEPTH, MAX_PARTS, MIN_PARTS, ReceivableError, ReceivableEvent, api::emit},
};
use portolan_sdk::{ensure, env};

use crate::{
    PARTS,
    record::{BY_SPLIT, PartRecord, Status},
};

/// Closes the part and gives its whole amount to children with the same holder.
pub fn split(holder: AccountId, part: PartId, amounts: &[Money]) -> Result<(), ReceivableError> {
    let mut parent = PartRecord::load(part)?;
    parent.held_by(holder)?;
    env::authorize(holder, "receivable.split", parent.currency, 0).map_err(ReceivableError::Unauthorized)?;
    parent.ensure_live()?;
    ensure!(!parent.weighed, ReceivableError::BeingLowered);
    ensure!(parent.splittable, ReceivableError::NotSplittable);
    ensure!(parent.depth < MAX_DEPTH, ReceivableError::TooDeep);
    let count = part_count(amounts.len())?;
    check_amounts(&parent, amounts)?;
    for (index, amount) in (0..count).zip(amounts) {
        PARTS.set(&part.child(index), &child(&parent, part, index, *amount)?);
    }
    parent.children = count;
    PARTS.set(&part, &parent);
    let amounts_minor = amounts.iter().map(|amount| amount.minor).collect();
    emit(&ReceivableEvent::Split { part, holder, amounts_minor });
    Ok(())
}

fn part_count(count: usize) -> Result<u16, ReceivableError> {
    let refusal = ReceivableError::PartCount { count: u32::try_from(count).unwrap_or(u32::MAX) };
    ensure!((MIN_PARTS..=MAX_PARTS).contains(&count), refusal);
    u16::try_from(count).map_err(|_| refusal)
}

/// Passes when every amount is in the part's currency, above zero and dust, and all together are the part's amount.
fn check_amounts(parent: &PartRecord, amounts: &[Money]) -> Result<(), ReceivableError> {
    let (whole, minimum) = (parent.money(parent.outstanding())?, parent.money(parent.dust)?);
    let mut sum = Money::zero(parent.currency);
    for (position, amount) in (0u32..).zip(amounts) {
        ensure!(
            amount.currency == parent.currency,
            ReceivableError::WrongCurrency { expected: parent.currency, found: amount.currency }
        );
        ensure!(amount.is_positive(), ReceivableError::ZeroPart { position });
        ensure!(amount.minor >= minimum.minor, ReceivableError::Dust { position, minimum });
        sum = sum.checked_add(*amount).map_err(ReceivableError::Terms)?;
    }
    let excess = sum.checked_sub(whole).map_err(ReceivableError::Terms)?;
    ensure!(excess.minor <= 0, ReceivableError::OverSplit { amount: whole, excess });
    ensure!(
        excess.minor == 0,
        ReceivableError::UnderSplit { amount: whole, missing: Money::new(-excess.minor, parent.currency) }
    );
    Ok(())
}

fn child(parent: &PartRecord, id: PartId, index: u16, amount: Money) -> Result<PartRecord, ReceivableError> {
    let amount = u128::try_from(amount.minor).map_err(|_| ReceivableError::Terms(TermsError::Negative))?;
    Ok(PartRecord {
        parent: Some(id),
        index,
        depth: parent.depth + 1,
        amount,
        settled: 0,
        diluted: 0,
        weighed: false,
        children: 0,
        hops: 0,
        arrival: BY_SPLIT,
        status: Status::Live,
        ..parent.clone()
    })
}
