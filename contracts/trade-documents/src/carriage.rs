//! What a carrier does with a bill of lading after the issue: takes its title back, amends it, delivers the goods. Must never change a title
//! without its owner: a surrender is the owner's consent to its purpose, an amendment waits for the owner's answer, and goods that left
//! without the title are on record with who answers for it.

use portolan_interface::{
    AccountId, DocumentId, Hash,
    trade::{
        Amendment, Bill, Delivery, DeliveryBasis, Indemnity, SurrenderPurpose, TitleAct, TitleState, TitleStep,
        TradeError,
    },
};
use portolan_sdk::ensure;

use crate::{
    authorise, bill, commitment, committing, dates, order, receiving,
    title::{came_to, disposes, ensure_owner, ensure_state, in_force, keeps, record, seen, store},
};

fn ensure_carrier(bill: &Bill, carrier: AccountId) -> Result<(), TradeError> {
    ensure!(bill.carrier == carrier, TradeError::NotCarrier);
    Ok(())
}

/// One who is both gives the title to the carrier.
pub fn surrender(
    owner: AccountId,
    id: DocumentId,
    purpose: SurrenderPurpose,
    step: TitleStep,
) -> Result<(), TradeError> {
    let mut bill = in_force(id, step)?;
    ensure_owner(&bill, owner)?;
    let spent = bill.delivery.is_some() && purpose != SurrenderPurpose::Delivery;
    ensure!(!spent, TradeError::DeliveredAlready);
    disposes(&bill, owner, "trade-documents.surrender")?;
    keeps(&mut bill, owner);
    (bill.nominee, bill.amendment) = (None, None);
    (bill.state, bill.purpose) = (TitleState::Surrendered, Some(purpose));
    record(&mut bill, TitleAct::Surrender, owner, None, step);
    store(bill);
    Ok(())
}

/// The carrier takes the title, which ends it, or returns it to who surrendered.
pub fn answer_surrender(carrier: AccountId, id: DocumentId, accept: bool, step: TitleStep) -> Result<(), TradeError> {
    let mut bill = seen(id, step)?;
    ensure_carrier(&bill, carrier)?;
    authorise(carrier, "trade-documents.answer-surrender")?;
    ensure_state(&bill, TitleState::Surrendered)?;
    let purpose = bill.purpose.take().unwrap_or(SurrenderPurpose::Delivery);
    let act = if accept {
        bill.pledgee = None;
        let (state, act) = end(purpose);
        bill.state = state;
        act
    } else {
        bill.state = TitleState::Issued;
        TitleAct::SurrenderRejected
    };
    record(&mut bill, act, carrier, None, step);
    store(bill);
    Ok(())
}

fn end(purpose: SurrenderPurpose) -> (TitleState, TitleAct) {
    match purpose {
        SurrenderPurpose::Delivery => (TitleState::Accomplished, TitleAct::SurrenderAccepted),
        SurrenderPurpose::Paper => (TitleState::OnPaper, TitleAct::SwitchedToPaper),
        SurrenderPurpose::Reissue => (TitleState::Void, TitleAct::Voided),
    }
}

/// The carrier proposes to change what the bill says of the carriage.
pub fn propose_amendment(
    carrier: AccountId,
    id: DocumentId,
    amendment: Amendment,
    step: TitleStep,
) -> Result<(), TradeError> {
    let mut bill = in_force(id, step)?;
    ensure_carrier(&bill, carrier)?;
    authorise(carrier, "trade-documents.amend-bill")?;
    committing(carrier)?;
    ensure!(bill.delivery.is_none(), TradeError::DeliveredAlready);
    check(&bill, &amendment)?;
    bill.amendment = Some(amendment);
    record(&mut bill, TitleAct::AmendmentProposed, carrier, None, step);
    store(bill);
    Ok(())
}

/// Answers what is odd about the dates; the amended bill is held to the rules of an issue.
fn check(bill: &Bill, to: &Amendment) -> Result<alloc::vec::Vec<portolan_interface::trade::DateFlag>, TradeError> {
    bill::check_cargo(&to.containers, &to.loading, &to.discharge)?;
    let on_board = to.on_board.checked().map_err(TradeError::Terms)?;
    dates::on_board(on_board, order::load(bill.order)?.ordered)
}

/// The owner answers the carrier's proposal, or the carrier takes it back. Consent changes the bill, and the chain goes on.
pub fn answer_amendment(party: AccountId, id: DocumentId, consent: bool, step: TitleStep) -> Result<(), TradeError> {
    let mut bill = in_force(id, step)?;
    let amendment = bill.amendment.take().ok_or(TradeError::NoAmendment)?;
    if party == bill.carrier && !consent {
        authorise(party, "trade-documents.amend-bill")?;
    } else {
        ensure_owner(&bill, party)?;
        disposes(&bill, party, "trade-documents.answer-amendment")?;
        keeps(&mut bill, party);
    }
    if consent {
        bill.flags = check(&bill, &amendment)?;
        let Amendment { containers, loading, discharge, on_board, commitment } = amendment;
        (bill.containers, bill.loading, bill.discharge) = (containers, loading, discharge);
        (bill.on_board, bill.commitment) = (on_board, commitment);
        commitment::amend(id, bill.carrier, commitment)?;
        bill.amendments += 1;
    }
    record(&mut bill, if consent { TitleAct::Amended } else { TitleAct::AmendmentRefused }, party, None, step);
    store(bill);
    Ok(())
}

/// A party to the bill or its order, other than the carrier, answers for a delivery without the title. Nobody else: who gives one reads the title.
pub fn give_indemnity(giver: AccountId, id: DocumentId, letter: Hash, step: TitleStep) -> Result<(), TradeError> {
    let mut bill = seen(id, step)?;
    authorise(giver, "trade-documents.give-indemnity")?;
    committing(giver)?;
    let order = order::load(bill.order)?;
    let party = giver == order.buyer || giver == order.terms.seller || bill::parties(&bill).contains(&giver);
    ensure!(party && giver != bill.carrier, TradeError::NotParty);
    let out = matches!(bill.state, TitleState::Issued | TitleState::Surrendered);
    ensure!(out, TradeError::TitleState { state: bill.state, needed: TitleState::Issued });
    ensure!(bill.delivery.is_none(), TradeError::DeliveredAlready);
    bill.indemnity = Some(Indemnity { giver, letter });
    came_to(&bill, giver);
    record(&mut bill, TitleAct::Indemnified, giver, Some(giver), step);
    store(bill);
    Ok(())
}

/// The carrier hands the goods over. Without the title it needs a letter of indemnity, and the title is spent but for its surrender.
pub fn deliver(carrier: AccountId, id: DocumentId, to: AccountId, step: TitleStep) -> Result<(), TradeError> {
    let mut bill = seen(id, step)?;
    ensure_carrier(&bill, carrier)?;
    authorise(carrier, "trade-documents.deliver")?;
    receiving(to)?;
    ensure!(bill.delivery.is_none(), TradeError::DeliveredAlready);
    let out = matches!(bill.state, TitleState::Issued | TitleState::Surrendered);
    let basis = match bill.state {
        TitleState::Accomplished => DeliveryBasis::Surrender,
        _ if out && bill.indemnity.is_some() => DeliveryBasis::Indemnity,
        _ => return Err(TradeError::NothingToDeliverOn),
    };
    bill.delivery = Some(Delivery { basis, to, date: dates::today() });
    record(&mut bill, TitleAct::Delivered, carrier, Some(to), step);
    store(bill);
    Ok(())
}
