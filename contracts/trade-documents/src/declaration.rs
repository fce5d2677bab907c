//! Customs declarations: lodged by a party to the trade, decided by the authority that the declaration names.

use portolan_interface::{
    AccountId, DocumentId, Role,
    trade::{
        CustomsDecision, Declaration, DeclarationState, DeclarationTerms, Document, DocumentKind, MAX_HS_CODES,
        TradeError, TradeEvent, api::emit,
    },
};
use portolan_sdk::{ensure, env};

use crate::{
    DOCUMENTS, authorise, bill, bring, committing, load as load_document, order, positive, standing, wrong_kind,
};

pub fn load(id: DocumentId) -> Result<Declaration, TradeError> {
    match load_document(id)? {
        Document::Declaration(declaration) => Ok(declaration),
        other => Err(wrong_kind(&other, DocumentKind::Declaration)),
    }
}

/// A party to the order, or a forwarder, declares the goods.
pub fn lodge(declarant: AccountId, terms: DeclarationTerms) -> Result<DocumentId, TradeError> {
    authorise(declarant, "trade-documents.lodge-declaration")?;
    let member = committing(declarant)?;
    let order = order::load(terms.order)?;
    let is_party = [order.buyer, order.terms.seller].iter().any(|party| env::member_of(*party) == Some(member));
    ensure!(is_party || env::has_role(member, Role::Logistics), TradeError::NotParty);
    ensure!(bill::load(terms.bill)?.order == terms.order, TradeError::OtherOrder);
    ensure!(env::has_role(terms.customs, Role::Customs), TradeError::WrongRole);
    positive(terms.value)?;
    ensure!(terms.hs_codes.len() <= MAX_HS_CODES, TradeError::TooMany { limit: MAX_HS_CODES as u32 });
    ensure!(!terms.hs_codes.is_empty() && terms.hs_codes.iter().all(|code| is_hs_code(code)), TradeError::HsCode);
    let id = DocumentId::declaration(declarant, terms.commitment);
    let customs = terms.customs;
    let declaration =
        Declaration { id, declarant, terms, height: env::block_height(), state: DeclarationState::Lodged };
    bring(id, &Document::Declaration(declaration), &[declarant, order.buyer, order.terms.seller])?;
    emit(&TradeEvent::DeclarationLodged { declaration: id, declarant, customs });
    Ok(id)
}

fn is_hs_code(code: &str) -> bool {
    (4..=10).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// An account of the named authority decides.
pub fn decide(customs: AccountId, id: DocumentId, decision: CustomsDecision) -> Result<(), TradeError> {
    let mut declaration = load(id)?;
    let (member, _) = standing(customs)?;
    ensure!(member == declaration.terms.customs, TradeError::NotParty);
    authorise(customs, "trade-documents.decide-declaration")?;
    committing(customs)?;
    declaration.state = next(declaration.state, decision)?;
    let (declarant, state) = (declaration.declarant, declaration.state);
    DOCUMENTS.set(&id, &Document::Declaration(declaration));
    emit(&TradeEvent::DeclarationDecided { declaration: id, declarant, state });
    Ok(())
}

fn next(state: DeclarationState, decision: CustomsDecision) -> Result<DeclarationState, TradeError> {
    use CustomsDecision as D;
    use DeclarationState as S;
    match (state, decision) {
        (S::Lodged, D::Accept) => Ok(S::Accepted),
        (S::Lodged, D::Reject) => Ok(S::Rejected),
        (S::Accepted, D::Control) => Ok(S::UnderControl),
        (S::Accepted | S::UnderControl, D::Hold) => Ok(S::Held),
        (S::Accepted | S::UnderControl | S::Held, D::Release) => Ok(S::Released),
        (S::Released, D::Clear) => Ok(S::Cleared),
        _ => Err(TradeError::DeclarationState { state, decision }),
    }
}
