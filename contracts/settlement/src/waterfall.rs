//! How the receipts of a financed part are spread. Remembers what each tranche has got, so that receipts in several pieces go on where the last
//! one ended.

use alloc::vec::Vec;

use portolan_interface::{
    AccountId, Money, PartId,
    settlement::{MAX_TRANCHES, SettlementError, SettlementEvent, Tranche, TrancheKind, Waterfall, api::emit},
};
use portolan_sdk::ensure;
use portolan_terms::{Claim, waterfall};

use crate::WATERFALLS;

/// Keeps a part's waterfall, once.
pub fn register(part: PartId, waterfall: Waterfall) -> Result<(), SettlementError> {
    ensure!(waterfall.tranches.len() <= MAX_TRANCHES, SettlementError::TooMany { limit: MAX_TRANCHES as u32 });
    let sound = |tranche: &Tranche| tranche.due_minor > 0 && tranche.paid_minor == 0;
    ensure!(waterfall.tranches.iter().all(sound), SettlementError::AmountNotPositive);
    ensure!(!WATERFALLS.contains(&part), SettlementError::DuplicateWaterfall);
    WATERFALLS.set(&part, &waterfall);
    Ok(())
}

/// Spreads a receipt: down the ranks, and the rest to the residual payee.
pub fn spread(part: PartId, receipt: Money) -> Result<Vec<(AccountId, i128)>, SettlementError> {
    WATERFALLS.update(
        &part,
        || SettlementError::UnknownWaterfall,
        |kept| {
            ensure!(
                kept.currency == receipt.currency,
                SettlementError::WrongCurrency { expected: kept.currency, found: receipt.currency }
            );
            let claims: Vec<Claim> = kept.tranches.iter().map(open).collect();
            let (shares, residual) = waterfall(receipt.minor, &claims).map_err(SettlementError::Terms)?;
            let mut receipts = Vec::new();
            for (tranche, share) in kept.tranches.iter_mut().zip(shares) {
                tranche.paid_minor += share;
                tell(part, tranche.payee, Some(tranche.kind), Money::new(share, receipt.currency), &mut receipts);
            }
            tell(part, kept.residual, None, Money::new(residual, receipt.currency), &mut receipts);
            Ok(receipts)
        },
    )
}

/// What a tranche still has to get.
fn open(tranche: &Tranche) -> Claim {
    Claim { rank: tranche.kind.rank(), due: tranche.due_minor - tranche.paid_minor }
}

fn tell(
    part: PartId,
    payee: AccountId,
    kind: Option<TrancheKind>,
    amount: Money,
    receipts: &mut Vec<(AccountId, i128)>,
) {
    if amount.is_positive() {
        emit(&SettlementEvent::Spread { part, payee, kind, amount });
        receipts.push((payee, amount.minor));
    }
}
