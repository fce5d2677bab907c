//! Warehouse receipts: title to stored goods. Split without a unit lost, pledged to a bank whose approval everything then needs, valued by the
//! price source that the receipt names, given back for the goods. Must never let goods leave that are pledged.

use alloc::vec::Vec;

use portolan_interface::{
    AccountId, DocumentId, Role,
    trade::{
        Document, DocumentKind, MAX_RECEIPT_PARTS, ReceiptState, ReceiptTerms, ReceiptView, TradeError, TradeEvent,
        UnitPrice, WarehouseReceipt, api::emit,
    },
};
use portolan_sdk::{ensure, env};

use crate::{
    DOCUMENTS, DOCUMENTS_OF, authorise, bring, committing, dates, enter, load as load_document, order::same_currency,
    positive, receiving, wrong_kind,
};

pub fn load(id: DocumentId) -> Result<WarehouseReceipt, TradeError> {
    match load_document(id)? {
        Document::WarehouseReceipt(receipt) => Ok(receipt),
        other => Err(wrong_kind(&other, DocumentKind::WarehouseReceipt)),
    }
}

/// Who may read it.
pub fn parties(receipt: &WarehouseReceipt) -> Vec<AccountId> {
    let mut parties = alloc::vec![receipt.warehouse, receipt.owner, receipt.price_source];
    parties.extend(receipt.pledgee);
    parties
}

fn told(receipt: &WarehouseReceipt) {
    emit(&TradeEvent::ReceiptChanged {
        receipt: receipt.id,
        warehouse: receipt.warehouse,
        owner: receipt.owner,
        quantity: receipt.quantity,
        pledgee: receipt.pledgee,
        state: receipt.state,
    });
}

fn changed(receipt: WarehouseReceipt) {
    told(&receipt);
    DOCUMENTS.set(&receipt.id.clone(), &Document::WarehouseReceipt(receipt));
}

fn ensure_state(receipt: &WarehouseReceipt, needed: ReceiptState) -> Result<(), TradeError> {
    ensure!(receipt.state == needed, TradeError::ReceiptState { state: receipt.state, needed });
    Ok(())
}

/// A warehouse takes goods in.
pub fn issue(warehouse: AccountId, terms: ReceiptTerms) -> Result<DocumentId, TradeError> {
    authorise(warehouse, "trade-documents.issue-receipt")?;
    let member = committing(warehouse)?;
    ensure!(env::has_role(member, Role::Logistics), TradeError::WrongRole);
    ensure!(receiving(terms.price_source)? != receiving(terms.owner)?, TradeError::SameParty);
    ensure!(terms.quantity > 0, TradeError::NoUnits);
    terms.currency.exponent().map_err(TradeError::Terms)?;
    let unit = terms.unit.0.as_bytes();
    let coded = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    ensure!((2..=3).contains(&unit.len()) && unit.iter().all(coded), TradeError::Unit);
    dates::not_in_future(terms.stored)?;
    let id = DocumentId::warehouse_receipt(warehouse, terms.commitment);
    let receipt = WarehouseReceipt {
        id,
        warehouse,
        owner: terms.owner,
        goods: terms.goods,
        quantity: terms.quantity,
        unit: terms.unit,
        price_source: terms.price_source,
        currency: terms.currency,
        price: None,
        pledgee: None,
        parent: None,
        parts: 0,
        stored: terms.stored,
        commitment: terms.commitment,
        height: env::block_height(),
        state: ReceiptState::Live,
    };
    told(&receipt);
    let readers = parties(&receipt);
    bring(warehouse, id, &Document::WarehouseReceipt(receipt), &readers)?;
    Ok(id)
}

/// The receipt, live, when its owner acts on it with the pledgee's approval where it is pledged.
fn of_owner(owner: AccountId, id: DocumentId, action: &str) -> Result<WarehouseReceipt, TradeError> {
    let receipt = load(id)?;
    ensure!(receipt.owner == owner, TradeError::NotGoodsOwner);
    ensure_state(&receipt, ReceiptState::Live)?;
    authorise(owner, action)?;
    if let Some(to) = receipt.pledgee {
        authorise(to, "trade-documents.approve-pledged").map_err(|_| TradeError::Pledged { to })?;
    }
    Ok(receipt)
}

/// The owner splits it. The parts are the whole, with its price and its pledge.
pub fn split(owner: AccountId, id: DocumentId, units: &[u64]) -> Result<Vec<DocumentId>, TradeError> {
    let mut whole = of_owner(owner, id, "trade-documents.split-receipt")?;
    committing(owner)?;
    ensure!((2..=MAX_RECEIPT_PARTS).contains(&units.len()), TradeError::PartCount);
    ensure!(units.iter().all(|part| *part > 0), TradeError::NoUnits);
    let parts = units.iter().fold(0u64, |sum, part| sum.saturating_add(*part));
    ensure!(parts == whole.quantity, TradeError::PartsDiffer { parts, whole: whole.quantity });
    let mut ids = Vec::with_capacity(units.len());
    for (index, quantity) in (0u16..).zip(units) {
        let part = WarehouseReceipt {
            id: id.receipt_part(index),
            quantity: *quantity,
            parent: Some(id),
            height: env::block_height(),
            ..whole.clone()
        };
        ids.push(part.id);
        told(&part);
        let readers = parties(&part);
        enter(part.id, &Document::WarehouseReceipt(part), &readers)?;
    }
    whole.parts = ids.len() as u16;
    (whole.state, whole.pledgee) = (ReceiptState::Split, None);
    changed(whole);
    Ok(ids)
}

/// The owner pledges it to a bank.
pub fn pledge(owner: AccountId, id: DocumentId, bank: AccountId) -> Result<(), TradeError> {
    let mut receipt = of_owner(owner, id, "trade-documents.pledge-receipt")?;
    committing(owner)?;
    if let Some(to) = receipt.pledgee {
        return Err(TradeError::Pledged { to });
    }
    let member = receiving(bank)?;
    ensure!(env::has_role(member, Role::Bank), TradeError::WrongRole);
    ensure!(env::member_of(owner) != Some(member), TradeError::SameParty);
    receipt.pledgee = Some(bank);
    DOCUMENTS_OF.push(&bank, &(DocumentKind::WarehouseReceipt, id));
    changed(receipt);
    Ok(())
}

/// The bank gives its pledge up.
pub fn release(bank: AccountId, id: DocumentId) -> Result<(), TradeError> {
    let mut receipt = load(id)?;
    ensure!(receipt.pledgee == Some(bank), TradeError::NotPledgee);
    authorise(bank, "trade-documents.release-receipt")?;
    receipt.pledgee = None;
    changed(receipt);
    Ok(())
}

/// The named source attests a price: of a day that has come, no older than the one before, and valid today.
pub fn value(source: AccountId, id: DocumentId, price: UnitPrice) -> Result<(), TradeError> {
    let mut receipt = load(id)?;
    ensure!(receipt.price_source == source, TradeError::NotPriceSource);
    authorise(source, "trade-documents.value-receipt")?;
    committing(source)?;
    ensure_state(&receipt, ReceiptState::Live)?;
    same_currency(portolan_interface::Money::zero(receipt.currency), price.price)?;
    positive(price.price)?;
    dates::after(price.of, receipt.price.as_ref().map(|before| before.of))?;
    let (date, earliest) = (price.valid_until.checked().map_err(TradeError::Terms)?, dates::today());
    ensure!(date >= earliest, TradeError::DateTooEarly { date, earliest });
    // A value that does not fit is refused here, and so never met by a reader.
    price.price.checked_mul(receipt.quantity.into()).map_err(TradeError::Terms)?;
    emit(&TradeEvent::ReceiptValued {
        receipt: id,
        owner: receipt.owner,
        pledgee: receipt.pledgee,
        price: price.clone(),
    });
    receipt.price = Some(price);
    DOCUMENTS.set(&id, &Document::WarehouseReceipt(receipt));
    Ok(())
}

/// The owner gives it back for the goods.
pub fn surrender(owner: AccountId, id: DocumentId) -> Result<(), TradeError> {
    let mut receipt = of_owner(owner, id, "trade-documents.surrender-receipt")?;
    receipt.state = ReceiptState::Surrendered;
    changed(receipt);
    Ok(())
}

/// The warehouse hands the goods out, or returns the receipt.
pub fn answer(warehouse: AccountId, id: DocumentId, deliver: bool) -> Result<(), TradeError> {
    let mut receipt = load(id)?;
    ensure!(receipt.warehouse == warehouse, TradeError::NotParty);
    authorise(warehouse, "trade-documents.answer-receipt")?;
    ensure_state(&receipt, ReceiptState::Surrendered)?;
    if deliver {
        (receipt.state, receipt.pledgee) = (ReceiptState::Delivered, None);
    } else {
        receipt.state = ReceiptState::Live;
    }
    changed(receipt);
    Ok(())
}

/// What the goods are worth today: nothing is known without a price that is valid.
pub fn view(receipt: WarehouseReceipt) -> Result<ReceiptView, TradeError> {
    let valid = receipt.price.as_ref().filter(|price| price.valid_until >= dates::today());
    let value = valid.map(|price| price.price.checked_mul(receipt.quantity.into())).transpose();
    let value = value.map_err(TradeError::Terms)?;
    Ok(ReceiptView { receipt, value })
}
