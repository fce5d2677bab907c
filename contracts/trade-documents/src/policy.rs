//! Cargo insurance: a policy covers a shipment from before it was on board, and losses are claimed on it. Must never accept more than the sum
//! insured; what an insurer owes by an accepted claim is paid elsewhere.

use alloc::vec::Vec;

use portolan_interface::{
    AccountId, BusinessDate, DocumentId, Hash, Money, Role,
    trade::{
        Claim, ClaimState, Document, DocumentKind, MAX_CLAIMS, Policy, PolicyTerms, TradeError, TradeEvent, api::emit,
    },
};
use portolan_sdk::{ensure, env};

use crate::{
    DOCUMENTS, authorise, bill, bring, committing, dates, load as load_document, order::same_currency, positive,
    receiving, wrong_kind,
};

pub fn load(id: DocumentId) -> Result<Policy, TradeError> {
    match load_document(id)? {
        Document::Policy(policy) => Ok(policy),
        other => Err(wrong_kind(&other, DocumentKind::Policy)),
    }
}

/// Who may read it: the insurer, the insured, and who claimed.
pub fn parties(policy: &Policy) -> Vec<AccountId> {
    let mut parties = alloc::vec![policy.insurer, policy.terms.insured];
    parties.extend(policy.claims.iter().map(|claim| claim.claimant));
    parties
}

/// An insurer covers a shipment for a party to its bill of lading.
pub fn insure(insurer: AccountId, terms: PolicyTerms) -> Result<DocumentId, TradeError> {
    authorise(insurer, "trade-documents.insure-cargo")?;
    let member = committing(insurer)?;
    ensure!(env::has_role(member, Role::Insurer), TradeError::WrongRole);
    ensure!(receiving(terms.insured)? != member, TradeError::SameParty);
    let bill = bill::load(terms.bill)?;
    ensure!(bill::parties(&bill).contains(&terms.insured), TradeError::NotParty);
    positive(terms.sum)?;
    terms.from.checked().and(terms.until.checked()).map_err(TradeError::Terms)?;
    ensure!(terms.from <= terms.until, TradeError::CoverWindow);
    ensure!(terms.from <= bill.on_board, TradeError::CoverTooLate { on_board: bill.on_board });
    let id = DocumentId::policy(insurer, terms.commitment);
    let (insured, bill, sum) = (terms.insured, terms.bill, terms.sum);
    let accepted = Money::zero(sum.currency);
    let policy = Policy { id, insurer, terms, accepted, claims: Vec::new(), height: env::block_height() };
    bring(insurer, id, &Document::Policy(policy), &[insurer, insured])?;
    emit(&TradeEvent::CargoInsured { policy: id, insurer, insured, bill, sum });
    Ok(id)
}

/// The insured claims a loss, or who owns the goods now: the policy goes with the title.
pub fn claim(
    claimant: AccountId,
    id: DocumentId,
    amount: Money,
    occurred: BusinessDate,
    commitment: Hash,
) -> Result<u32, TradeError> {
    let mut policy = load(id)?;
    let owner = bill::load(policy.terms.bill)?.beneficiary;
    ensure!(claimant == policy.terms.insured || claimant == owner, TradeError::NotParty);
    authorise(claimant, "trade-documents.claim-loss")?;
    same_currency(policy.terms.sum, amount)?;
    positive(amount)?;
    within(amount, policy.terms.sum)?;
    dates::not_in_future(occurred)?;
    let covered = (policy.terms.from..=policy.terms.until).contains(&occurred);
    ensure!(covered, TradeError::OutsideCover { occurred });
    ensure!(policy.claims.len() < MAX_CLAIMS, TradeError::TooMany { limit: MAX_CLAIMS as u32 });
    let accepted = Money::zero(amount.currency);
    let number = policy.claims.len() as u32;
    let claim = Claim { claimant, amount, occurred, commitment, accepted, state: ClaimState::Open };
    if !parties(&policy).contains(&claimant) {
        crate::DOCUMENTS_OF.push(&claimant, &(DocumentKind::Policy, id));
    }
    policy.claims.push(claim);
    changed(policy, number);
    Ok(number)
}

/// Refuses `amount` where it exceeds `most`.
fn within(amount: Money, most: Money) -> Result<(), TradeError> {
    let excess = amount.checked_sub(most).map_err(TradeError::Terms)?;
    ensure!(!excess.is_positive(), TradeError::CoverExceeded { excess });
    Ok(())
}

fn changed(policy: Policy, number: u32) {
    if let Some(claim) = policy.claims.get(number as usize).cloned() {
        emit(&TradeEvent::ClaimChanged { policy: policy.id, insurer: policy.insurer, number, claim });
    }
    DOCUMENTS.set(&policy.id.clone(), &Document::Policy(policy));
}

/// The insurer answers a claim, once.
pub fn answer(insurer: AccountId, id: DocumentId, number: u32, accepted: Option<Money>) -> Result<(), TradeError> {
    let mut policy = load(id)?;
    ensure!(policy.insurer == insurer, TradeError::NotParty);
    authorise(insurer, "trade-documents.answer-claim")?;
    let (sum, before) = (policy.terms.sum, policy.accepted);
    let claim = policy.claims.get_mut(number as usize).ok_or(TradeError::UnknownClaim)?;
    ensure!(claim.state == ClaimState::Open, TradeError::ClaimState { state: claim.state });
    match accepted {
        Some(amount) => {
            same_currency(sum, amount)?;
            positive(amount)?;
            within(amount, claim.amount)?;
            let together = before.checked_add(amount).map_err(TradeError::Terms)?;
            within(together, sum)?;
            (claim.accepted, claim.state, policy.accepted) = (amount, ClaimState::Accepted, together);
        }
        None => claim.state = ClaimState::Refused,
    }
    changed(policy, number);
    Ok(())
}
