//! What holders owe each other because of a part. Must never move money: who has a claim is paid outside this contract, and says so here.

use portolan_interface::{
    AccountId, BusinessDate, Hash, Money, PAGE, PartId, access,
    receivable::{Claim, ClaimKind, ClaimPage, ReceivableError, ReceivableEvent, api::emit},
};
use portolan_sdk::{ensure, env};

use crate::{CLAIMS, CLAIMS_OF, recourse};

/// Records a claim; answers its number.
pub fn make(kind: ClaimKind, part: PartId, claimant: AccountId, against: AccountId, amount: Money) -> u32 {
    let number = CLAIMS.len(&());
    let made = BusinessDate(env::business_date());
    CLAIMS.push(&(), &Claim { number, kind, part, claimant, against, amount, made, discharged: None });
    CLAIMS_OF.push(&claimant, &number);
    CLAIMS_OF.push(&against, &number);
    emit(&ReceivableEvent::ClaimMade { number, kind, part, claimant, against, amount });
    number
}

/// Who has the claim says that it was met.
pub fn discharge(claimant: AccountId, number: u32, reference: Hash) -> Result<(), ReceivableError> {
    let mut claim = recourse::present(CLAIMS.get(&(), number).ok_or(ReceivableError::UnknownClaim)?)?;
    ensure!(claim.claimant == claimant, ReceivableError::NotClaimant);
    let Claim { amount, against, .. } = claim;
    env::authorize(claimant, "receivable.discharge", amount.currency, amount.minor)
        .map_err(ReceivableError::Unauthorized)?;
    ensure!(claim.discharged.is_none(), ReceivableError::ClaimDischarged);
    claim.discharged = Some(reference);
    CLAIMS.set(&(), number, &claim);
    emit(&ReceivableEvent::ClaimDischarged { number, claimant, against, reference });
    match claim.kind {
        ClaimKind::Shortfall => Ok(()),
        ClaimKind::Recourse => recourse::give_back(&claim),
    }
}

pub fn page(account: AccountId, from: u32) -> Result<ClaimPage, ReceivableError> {
    ensure!(access::may_read(&[account]), ReceivableError::NotParty);
    let numbers = CLAIMS_OF.page(&account, from, PAGE);
    let claims = numbers.into_iter().filter_map(|number| CLAIMS.get(&(), number));
    let claims = claims.map(recourse::present).collect::<Result<_, _>>()?;
    Ok(ClaimPage { count: CLAIMS_OF.len(&account), claims })
}
