//! Customs declarations: lodged and amended by a party to the trade, decided, held and released by the authority that the declaration names.
//! Must never release goods under an open hold.

use alloc::{string::String, vec::Vec};

use portolan_interface::{
    AccountId, DocumentId, Hash, Role,
    trade::{
        CustomsDecision, CustomsHold, DateFlag, Declaration, DeclarationAmendment, DeclarationState, DeclarationTerms,
        Direction, Document, DocumentKind, MAX_HOLDS, MAX_HS_CODES, TradeError, TradeEvent, api::emit,
    },
};
use portolan_sdk::{ensure, env};

use crate::{
    DOCUMENTS, authorise, bill, bring, commitment, committing, dates, load as load_document, order, positive, standing,
    wrong_kind,
};

pub fn load(id: DocumentId) -> Result<Declaration, TradeError> {
    match load_document(id)? {
        Document::Declaration(declaration) => Ok(declaration),
        other => Err(wrong_kind(&other, DocumentKind::Declaration)),
    }
}

fn store(declaration: Declaration) {
    DOCUMENTS.set(&declaration.id.clone(), &Document::Declaration(declaration));
}

/// A party to the order, or a forwarder, declares the goods.
pub fn lodge(declarant: AccountId, terms: DeclarationTerms) -> Result<DocumentId, TradeError> {
    authorise(declarant, "trade-documents.lodge-declaration")?;
    let member = committing(declarant)?;
    let order = order::load(terms.order)?;
    let is_party = [order.buyer, order.terms.seller].iter().any(|party| env::member_of(*party) == Some(member));
    ensure!(is_party || env::has_role(member, Role::Logistics), TradeError::NotParty);
    let bill = bill::load(terms.bill)?;
    ensure!(bill.order == terms.order, TradeError::OtherOrder);
    ensure!(env::has_role(terms.customs, Role::Customs), TradeError::WrongRole);
    positive(terms.value)?;
    check_hs_codes(&terms.hs_codes)?;
    let id = DocumentId::declaration(declarant, terms.commitment);
    let customs = terms.customs;
    let late = terms.direction == Direction::Export && bill.on_board < dates::today();
    let declaration = Declaration {
        id,
        declarant,
        terms,
        amendments: 0,
        holds: Vec::new(),
        controlled: false,
        flags: Vec::from_iter(late.then_some(DateFlag::AfterShipment)),
        height: env::block_height(),
        state: DeclarationState::Lodged,
    };
    bring(declarant, id, &Document::Declaration(declaration), &[declarant, order.buyer, order.terms.seller])?;
    emit(&TradeEvent::DeclarationLodged { declaration: id, declarant, customs });
    Ok(id)
}

/// At least one, of 4 to 10 digits each.
pub fn check_hs_codes(codes: &[String]) -> Result<(), TradeError> {
    ensure!(codes.len() <= MAX_HS_CODES, TradeError::TooMany { limit: MAX_HS_CODES as u32 });
    ensure!(!codes.is_empty() && codes.iter().all(|code| is_hs_code(code)), TradeError::HsCode);
    Ok(())
}

fn is_hs_code(code: &str) -> bool {
    (4..=10).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// The declarant says otherwise. What customs accepted they accept again; control and holds go on.
pub fn amend(declarant: AccountId, id: DocumentId, amendment: DeclarationAmendment) -> Result<(), TradeError> {
    use DeclarationState as S;
    let mut declaration = load(id)?;
    ensure!(declaration.declarant == declarant, TradeError::NotParty);
    authorise(declarant, "trade-documents.amend-declaration")?;
    committing(declarant)?;
    declaration.state = match declaration.state {
        S::Lodged | S::Accepted => S::Lodged,
        state @ (S::UnderControl | S::Held) => state,
        state => return Err(TradeError::NotAmendable { state }),
    };
    positive(amendment.value)?;
    check_hs_codes(&amendment.hs_codes)?;
    let terms = &mut declaration.terms;
    (terms.hs_codes, terms.value, terms.commitment) = (amendment.hs_codes, amendment.value, amendment.commitment);
    commitment::amend(id, declarant, terms.commitment)?;
    declaration.amendments += 1;
    let amendments = declaration.amendments;
    store(declaration);
    emit(&TradeEvent::DeclarationAmended { declaration: id, declarant, amendments });
    Ok(())
}

/// An account of the named authority decides.
pub fn decide(customs: AccountId, id: DocumentId, decision: CustomsDecision) -> Result<(), TradeError> {
    let mut declaration = load(id)?;
    let (member, _) = standing(customs)?;
    ensure!(member == declaration.terms.customs, TradeError::NotParty);
    authorise(customs, "trade-documents.decide-declaration")?;
    committing(customs)?;
    declaration.state = next(&mut declaration, decision)?;
    let (declarant, state) = (declaration.declarant, declaration.state);
    store(declaration);
    emit(&TradeEvent::DeclarationDecided { declaration: id, declarant, state });
    Ok(())
}

fn next(declaration: &mut Declaration, decision: CustomsDecision) -> Result<DeclarationState, TradeError> {
    use CustomsDecision as D;
    use DeclarationState as S;
    match (declaration.state, decision) {
        (S::Lodged, D::Accept) => Ok(S::Accepted),
        (S::Lodged, D::Reject) => Ok(S::Rejected),
        (S::Accepted, D::Control) => {
            declaration.controlled = true;
            Ok(S::UnderControl)
        }
        (S::Accepted | S::UnderControl | S::Held, D::Hold { reference }) => hold(declaration, reference),
        (S::Held, D::Lift { reference }) => lift(declaration, reference),
        (S::Accepted | S::UnderControl, D::Release) => Ok(S::Released),
        (S::Released, D::Clear) => Ok(S::Cleared),
        (S::Lodged | S::Accepted | S::UnderControl | S::Held, D::Invalidate) => Ok(S::Invalidated),
        (state, decision) => Err(TradeError::DeclarationState { state, decision }),
    }
}

fn is_open(hold: &CustomsHold) -> bool {
    hold.lifted.is_none()
}

fn hold(declaration: &mut Declaration, reference: Hash) -> Result<DeclarationState, TradeError> {
    let holds = &mut declaration.holds;
    ensure!(!holds.iter().any(|hold| is_open(hold) && hold.reference == reference), TradeError::HoldOpen);
    ensure!(holds.len() < MAX_HOLDS, TradeError::TooMany { limit: MAX_HOLDS as u32 });
    holds.push(CustomsHold { reference, placed: dates::today(), lifted: None });
    Ok(DeclarationState::Held)
}

fn lift(declaration: &mut Declaration, reference: Hash) -> Result<DeclarationState, TradeError> {
    let holds = &mut declaration.holds;
    let hold = holds.iter_mut().find(|hold| is_open(hold) && hold.reference == reference);
    hold.ok_or(TradeError::NoHold)?.lifted = Some(dates::today());
    Ok(match (holds.iter().any(is_open), declaration.controlled) {
        (true, _) => DeclarationState::Held,
        (false, true) => DeclarationState::UnderControl,
        (false, false) => DeclarationState::Accepted,
    })
}
