//! The title of a bill of lading: one holder, who controls it, and one beneficiary, who owns the right. Every act is an entry of a chain with
//! one root, the issue, and is made on the number of entries that the actor saw. Whoever received may give back once, before acting, and only
//! to whom it came from. How a title ends, and what a carrier does with the bill, is in `carriage`.

use portolan_interface::{
    AccountId, DocumentId, Role,
    trade::{
        BearerKey, Bill, Document, DocumentKind, Endorsement, EndorsementForm, TitleAct, TitleState, TitleStep,
        TradeError, TradeEvent, api::emit, presentation,
    },
};
use portolan_sdk::{ensure, env};

use crate::{DOCUMENTS, DOCUMENTS_OF, ENDORSEMENTS, authorise, bill::load, committing, dates, receiving};

/// Adds an entry to the endorsement chain.
pub fn record(bill: &mut Bill, act: TitleAct, by: AccountId, named: Option<AccountId>, step: TitleStep) {
    let endorsement = Endorsement {
        act,
        by,
        holder: bill.holder,
        beneficiary: bill.beneficiary,
        named,
        remark: step.remark,
        date: dates::today(),
        height: env::block_height(),
    };
    let number = bill.endorsements;
    ENDORSEMENTS.set(&(bill.id, number), &endorsement);
    bill.endorsements += 1;
    // These two have events of their own.
    if !matches!(act, TitleAct::Issue | TitleAct::Nominate) {
        emit(&TradeEvent::TitleChanged { bill: bill.id, number, endorsement });
    }
}

pub fn store(bill: Bill) {
    DOCUMENTS.set(&bill.id.clone(), &Document::BillOfLading(bill));
}

/// The bill, when its chain is what the actor saw.
pub fn seen(id: DocumentId, step: TitleStep) -> Result<Bill, TradeError> {
    let bill = load(id)?;
    let (seen, now) = (step.seen, bill.endorsements);
    ensure!(seen == now, TradeError::StaleTitle { seen, now });
    Ok(bill)
}

/// The same, when its title is in force.
pub fn in_force(id: DocumentId, step: TitleStep) -> Result<Bill, TradeError> {
    let bill = seen(id, step)?;
    ensure_state(&bill, TitleState::Issued)?;
    Ok(bill)
}

pub fn ensure_state(bill: &Bill, needed: TitleState) -> Result<(), TradeError> {
    ensure!(bill.state == needed, TradeError::TitleState { state: bill.state, needed });
    Ok(())
}

/// The same, when it can be endorsed.
fn negotiable(id: DocumentId, step: TitleStep) -> Result<Bill, TradeError> {
    let bill = in_force(id, step)?;
    ensure!(bill.negotiable, TradeError::NotNegotiable);
    ensure!(!bill.named_only, TradeError::NamedOnly);
    ensure!(bill.delivery.is_none(), TradeError::DeliveredAlready);
    Ok(bill)
}

/// The actor disposes of the title: by its own authority, with the pledgee's where it is pledged, and not while a bearer may take it.
pub fn disposes(bill: &Bill, actor: AccountId, action: &str) -> Result<(), TradeError> {
    ensure!(bill.bearer.is_none(), TradeError::InBlank);
    authorise(actor, action)?;
    if let Some(to) = bill.pledgee {
        authorise(to, "trade-documents.approve-pledged").map_err(|_| TradeError::Pledged { to })?;
    }
    Ok(())
}

/// The same, and begins something: who is restricted may give back and surrender, and passes nothing on.
fn passes_on(bill: &Bill, actor: AccountId, action: &str) -> Result<(), TradeError> {
    disposes(bill, actor, action)?;
    committing(actor).map(drop)
}

/// Who acts on what came to it cannot give it back any more.
pub fn keeps(bill: &mut Bill, account: AccountId) {
    if bill.holder == account {
        bill.former_holder = None;
    }
    if bill.beneficiary == account {
        bill.former_beneficiary = None;
    }
}

/// The beneficiary names the next one, changes the name, or takes it back. A nominee owns nothing yet.
pub fn nominate(
    beneficiary: AccountId,
    id: DocumentId,
    nominee: Option<AccountId>,
    step: TitleStep,
) -> Result<(), TradeError> {
    let mut bill = negotiable(id, step)?;
    ensure!(bill.beneficiary == beneficiary, TradeError::NotBeneficiary);
    passes_on(&bill, beneficiary, "trade-documents.nominate")?;
    match nominee {
        None => ensure!(bill.nominee.is_some(), TradeError::NoNominee),
        Some(next) => {
            ensure!(next != beneficiary, TradeError::NominatesPresent);
            receiving(next)?;
        }
    }
    keeps(&mut bill, beneficiary);
    bill.nominee = nominee;
    record(&mut bill, TitleAct::Nominate, beneficiary, nominee, step);
    store(bill);
    emit(&TradeEvent::Nominated { bill: id, beneficiary, nominee });
    Ok(())
}

/// The holder passes control on.
pub fn transfer_holder(holder: AccountId, id: DocumentId, to: AccountId, step: TitleStep) -> Result<(), TradeError> {
    let mut bill = negotiable(id, step)?;
    ensure!(bill.holder == holder, TradeError::NotHolder);
    passes_on(&bill, holder, "trade-documents.transfer-title")?;
    ensure!(to != holder, TradeError::SameHolder);
    receiving(to)?;
    keeps(&mut bill, holder);
    bill.holder = to;
    bill.former_holder = Some(holder);
    came_to(&bill, to);
    record(&mut bill, TitleAct::Holder, holder, None, step);
    store(bill);
    Ok(())
}

/// The holder lets the right go to whom the beneficiary named.
pub fn transfer_beneficiary(holder: AccountId, id: DocumentId, step: TitleStep) -> Result<(), TradeError> {
    let mut bill = negotiable(id, step)?;
    ensure!(bill.holder == holder, TradeError::NotHolder);
    passes_on(&bill, holder, "trade-documents.transfer-title")?;
    let nominee = bill.nominee.take().ok_or(TradeError::NoNominee)?;
    receiving(nominee)?;
    keeps(&mut bill, holder);
    bill.former_beneficiary = Some(bill.beneficiary);
    bill.beneficiary = nominee;
    came_to(&bill, nominee);
    record(&mut bill, TitleAct::Beneficiary, holder, None, step);
    store(bill);
    Ok(())
}

/// One who is both passes both on: to order, to one alone, or to a bearer.
pub fn endorse(owner: AccountId, id: DocumentId, form: EndorsementForm, step: TitleStep) -> Result<(), TradeError> {
    let mut bill = negotiable(id, step)?;
    ensure_owner(&bill, owner)?;
    passes_on(&bill, owner, "trade-documents.transfer-title")?;
    let (to, act) = match form {
        EndorsementForm::ToOrder(to) => (to, TitleAct::Both),
        EndorsementForm::Named(to) => (to, TitleAct::Named),
        EndorsementForm::Blank(key) => return endorse_in_blank(bill, owner, key, step),
    };
    ensure!(to != owner, TradeError::SameHolder);
    receiving(to)?;
    (bill.holder, bill.beneficiary, bill.nominee) = (to, to, None);
    (bill.former_holder, bill.former_beneficiary) = (Some(owner), Some(owner));
    bill.named_only = act == TitleAct::Named;
    came_to(&bill, to);
    record(&mut bill, act, owner, None, step);
    store(bill);
    Ok(())
}

/// The title stays where it is until a bearer takes it, and nothing else moves it: who has the key must be able to rely on it.
fn endorse_in_blank(mut bill: Bill, owner: AccountId, key: BearerKey, step: TitleStep) -> Result<(), TradeError> {
    keeps(&mut bill, owner);
    (bill.nominee, bill.bearer) = (None, Some(key));
    record(&mut bill, TitleAct::Blank, owner, None, step);
    store(bill);
    Ok(())
}

/// A bearer takes what is endorsed in blank. It took by its own act, so there is nothing to reject.
pub fn present(presenter: AccountId, id: DocumentId, signature: &[u8; 65], step: TitleStep) -> Result<(), TradeError> {
    let mut bill = in_force(id, step)?;
    let key = bill.bearer.take().ok_or(TradeError::NotInBlank)?;
    authorise(presenter, "trade-documents.present-title")?;
    let signed = env::verify_signature(&key.0, &presentation(id, presenter), signature);
    ensure!(signed, TradeError::NotBearer);
    (bill.holder, bill.beneficiary) = (presenter, presenter);
    came_to(&bill, presenter);
    record(&mut bill, TitleAct::Presented, presenter, None, step);
    store(bill);
    Ok(())
}

/// Who received control, the right, or both, gives back what it has not acted on, to whom it came from.
pub fn reject(receiver: AccountId, id: DocumentId, step: TitleStep) -> Result<(), TradeError> {
    let mut bill = in_force(id, step)?;
    authorise(receiver, "trade-documents.reject-title")?;
    let control = if bill.holder == receiver { bill.former_holder.take() } else { None };
    let right = if bill.beneficiary == receiver { bill.former_beneficiary.take() } else { None };
    ensure!(control.is_some() || right.is_some(), TradeError::NothingToReject);
    for former in control.into_iter().chain(right) {
        receiving(former)?;
    }
    bill.holder = control.unwrap_or(bill.holder);
    bill.beneficiary = right.unwrap_or(bill.beneficiary);
    bill.named_only = false;
    record(&mut bill, TitleAct::Reject, receiver, None, step);
    store(bill);
    Ok(())
}

/// One who is both pledges the title to a bank. It stays with them, and moves only with the bank's approval.
pub fn pledge(owner: AccountId, id: DocumentId, bank: AccountId, step: TitleStep) -> Result<(), TradeError> {
    let mut bill = in_force(id, step)?;
    ensure_owner(&bill, owner)?;
    ensure!(bill.delivery.is_none(), TradeError::DeliveredAlready);
    passes_on(&bill, owner, "trade-documents.pledge-title")?;
    if let Some(to) = bill.pledgee {
        return Err(TradeError::Pledged { to });
    }
    let member = receiving(bank)?;
    ensure!(env::has_role(member, Role::Bank), TradeError::WrongRole);
    ensure!(env::member_of(owner) != Some(member), TradeError::SameParty);
    keeps(&mut bill, owner);
    bill.pledgee = Some(bank);
    came_to(&bill, bank);
    record(&mut bill, TitleAct::Pledge, owner, Some(bank), step);
    store(bill);
    Ok(())
}

/// The bank gives its pledge up: the owner disposes of the title alone again.
pub fn release(bank: AccountId, id: DocumentId, step: TitleStep) -> Result<(), TradeError> {
    let mut bill = seen(id, step)?;
    ensure!(bill.pledgee == Some(bank), TradeError::NotPledgee);
    authorise(bank, "trade-documents.release-title")?;
    bill.pledgee = None;
    record(&mut bill, TitleAct::PledgeReleased, bank, Some(bank), step);
    store(bill);
    Ok(())
}

pub fn ensure_owner(bill: &Bill, owner: AccountId) -> Result<(), TradeError> {
    ensure!(bill.holder == owner && bill.beneficiary == owner, TradeError::NotOwner);
    Ok(())
}

/// The bill enters the account's list of documents.
pub fn came_to(bill: &Bill, account: AccountId) {
    DOCUMENTS_OF.push(&account, &(DocumentKind::BillOfLading, bill.id));
}
