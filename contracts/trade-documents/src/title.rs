//! The title of a bill of lading: one holder, who controls it, and one beneficiary, who owns the right. Every act is an entry of a chain with
//! one root, the issue. Whoever received may give back once, before acting, and only to whom it came from.

use portolan_interface::{
    AccountId, BusinessDate, DocumentId,
    trade::{Bill, Document, Endorsement, TitleAct, TitleState, TradeError, TradeEvent, api::emit},
};
use portolan_sdk::{ensure, env};

use crate::{DOCUMENTS, DOCUMENTS_OF, ENDORSEMENTS, authorise, bill::load, receiving};

/// Adds an entry to the endorsement chain.
pub fn record(bill: &mut Bill, act: TitleAct, by: AccountId) {
    let endorsement = Endorsement {
        act,
        by,
        holder: bill.holder,
        beneficiary: bill.beneficiary,
        date: BusinessDate(env::business_date()),
        height: env::block_height(),
    };
    let number = bill.endorsements;
    ENDORSEMENTS.set(&(bill.id, number), &endorsement);
    bill.endorsements += 1;
    if act != TitleAct::Issue {
        emit(&TradeEvent::TitleChanged { bill: bill.id, number, endorsement });
    }
}

fn store(bill: Bill) {
    DOCUMENTS.set(&bill.id.clone(), &Document::BillOfLading(bill));
}

/// The bill, when its title is in force.
fn in_force(id: DocumentId) -> Result<Bill, TradeError> {
    let bill = load(id)?;
    let (state, needed) = (bill.state, TitleState::Issued);
    ensure!(state == needed, TradeError::TitleState { state, needed });
    Ok(bill)
}

/// The same, when it can be endorsed.
fn negotiable(id: DocumentId) -> Result<Bill, TradeError> {
    let bill = in_force(id)?;
    ensure!(bill.negotiable, TradeError::NotNegotiable);
    Ok(bill)
}

/// Who acts on what came to it cannot give it back any more.
fn keeps(bill: &mut Bill, account: AccountId) {
    if bill.holder == account {
        bill.former_holder = None;
    }
    if bill.beneficiary == account {
        bill.former_beneficiary = None;
    }
}

/// The beneficiary names the next one, changes the name, or takes it back. A nominee owns nothing yet.
pub fn nominate(beneficiary: AccountId, id: DocumentId, nominee: Option<AccountId>) -> Result<(), TradeError> {
    let mut bill = negotiable(id)?;
    ensure!(bill.beneficiary == beneficiary, TradeError::NotBeneficiary);
    authorise(beneficiary, "trade-documents.nominate")?;
    match nominee {
        None => ensure!(bill.nominee.is_some(), TradeError::NoNominee),
        Some(next) => {
            ensure!(next != beneficiary, TradeError::NominatesPresent);
            receiving(next)?;
        }
    }
    keeps(&mut bill, beneficiary);
    bill.nominee = nominee;
    store(bill);
    emit(&TradeEvent::Nominated { bill: id, beneficiary, nominee });
    Ok(())
}

/// The holder passes control on.
pub fn transfer_holder(holder: AccountId, id: DocumentId, to: AccountId) -> Result<(), TradeError> {
    let mut bill = negotiable(id)?;
    ensure!(bill.holder == holder, TradeError::NotHolder);
    authorise(holder, "trade-documents.transfer-title")?;
    ensure!(to != holder, TradeError::SameHolder);
    receiving(to)?;
    keeps(&mut bill, holder);
    bill.holder = to;
    bill.former_holder = Some(holder);
    came_to(&bill, to);
    record(&mut bill, TitleAct::Holder, holder);
    store(bill);
    Ok(())
}

/// The holder lets the right go to whom the beneficiary named.
pub fn transfer_beneficiary(holder: AccountId, id: DocumentId) -> Result<(), TradeError> {
    let mut bill = negotiable(id)?;
    ensure!(bill.holder == holder, TradeError::NotHolder);
    authorise(holder, "trade-documents.transfer-title")?;
    let nominee = bill.nominee.take().ok_or(TradeError::NoNominee)?;
    receiving(nominee)?;
    keeps(&mut bill, holder);
    bill.former_beneficiary = Some(bill.beneficiary);
    bill.beneficiary = nominee;
    came_to(&bill, nominee);
    record(&mut bill, TitleAct::Beneficiary, holder);
    store(bill);
    Ok(())
}

/// One who is both passes both on.
pub fn endorse(owner: AccountId, id: DocumentId, to: AccountId) -> Result<(), TradeError> {
    let mut bill = negotiable(id)?;
    ensure_owner(&bill, owner)?;
    authorise(owner, "trade-documents.transfer-title")?;
    ensure!(to != owner, TradeError::SameHolder);
    receiving(to)?;
    (bill.holder, bill.beneficiary, bill.nominee) = (to, to, None);
    (bill.former_holder, bill.former_beneficiary) = (Some(owner), Some(owner));
    came_to(&bill, to);
    record(&mut bill, TitleAct::Both, owner);
    store(bill);
    Ok(())
}

/// Who received control, the right, or both, gives back what it has not acted on.
pub fn reject(receiver: AccountId, id: DocumentId) -> Result<(), TradeError> {
    let mut bill = in_force(id)?;
    authorise(receiver, "trade-documents.reject-title")?;
    let control = if bill.holder == receiver { bill.former_holder.take() } else { None };
    let right = if bill.beneficiary == receiver { bill.former_beneficiary.take() } else { None };
    ensure!(control.is_some() || right.is_some(), TradeError::NothingToReject);
    if let Some(former) = control {
        bill.holder = former;
    }
    if let Some(former) = right {
        bill.beneficiary = former;
        bill.nominee = None;
    }
    record(&mut bill, TitleAct::Reject, receiver);
    store(bill);
    Ok(())
}

/// One who is both gives the title to the carrier.
pub fn surrender(owner: AccountId, id: DocumentId) -> Result<(), TradeError> {
    let mut bill = in_force(id)?;
    ensure_owner(&bill, owner)?;
    authorise(owner, "trade-documents.surrender")?;
    keeps(&mut bill, owner);
    bill.nominee = None;
    bill.state = TitleState::Surrendered;
    record(&mut bill, TitleAct::Surrender, owner);
    store(bill);
    Ok(())
}

/// The carrier takes the title, which ends it, or returns it to who surrendered.
pub fn answer_surrender(carrier: AccountId, id: DocumentId, accept: bool) -> Result<(), TradeError> {
    let mut bill = load(id)?;
    ensure!(bill.carrier == carrier, TradeError::NotCarrier);
    authorise(carrier, "trade-documents.answer-surrender")?;
    let (state, needed) = (bill.state, TitleState::Surrendered);
    ensure!(state == needed, TradeError::TitleState { state, needed });
    let act = if accept { TitleAct::SurrenderAccepted } else { TitleAct::SurrenderRejected };
    bill.state = if accept { TitleState::Accomplished } else { TitleState::Issued };
    record(&mut bill, act, carrier);
    store(bill);
    Ok(())
}

fn ensure_owner(bill: &Bill, owner: AccountId) -> Result<(), TradeError> {
    ensure!(bill.holder == owner && bill.beneficiary == owner, TradeError::NotOwner);
    Ok(())
}

fn came_to(bill: &Bill, account: AccountId) {
    DOCUMENTS_OF.push(&account, &(portolan_interface::trade::DocumentKind::BillOfLading, bill.id));
}
