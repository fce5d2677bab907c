//! Orders and the seller's answer.

use portolan_interface::{
    AccountId, DocumentId, Money,
    trade::{Document, DocumentKind, Order, OrderAnswer, OrderState, OrderTerms, TradeError, TradeEvent, api::emit},
};
use portolan_sdk::{ensure, env};

use crate::{DOCUMENTS, authorise, bring, committing, dates, load as load_document, positive, receiving, wrong_kind};

pub fn load(id: DocumentId) -> Result<Order, TradeError> {
    match load_document(id)? {
        Document::Order(order) => Ok(order),
        other => Err(wrong_kind(&other, DocumentKind::Order)),
    }
}

pub fn store(order: Order) {
    DOCUMENTS.set(&order.id.clone(), &Document::Order(order));
}

/// The buyer orders.
pub fn offer(buyer: AccountId, terms: OrderTerms) -> Result<DocumentId, TradeError> {
    authorise(buyer, "trade-documents.order")?;
    positive(terms.total)?;
    ensure!(terms.deliver_from <= terms.deliver_until, TradeError::DeliveryWindow);
    terms.deliver_from.checked().and(terms.deliver_until.checked()).map_err(TradeError::Terms)?;
    dates::window(terms.deliver_until)?;
    ensure!(committing(buyer)? != receiving(terms.seller)?, TradeError::SameParty);
    let id = DocumentId::order(buyer, terms.seller, terms.lines);
    let (seller, total) = (terms.seller, terms.total);
    let nothing = Money::zero(total.currency);
    let order = Order {
        id,
        buyer,
        terms,
        accepted: nothing,
        invoiced: nothing,
        ordered: dates::today(),
        height: env::block_height(),
        state: OrderState::Offered,
    };
    bring(id, &Document::Order(order), &[buyer, seller])?;
    emit(&TradeEvent::OrderOffered { order: id, buyer, seller, total });
    Ok(id)
}

/// The seller accepts all, a part, or nothing.
pub fn answer(seller: AccountId, id: DocumentId, answer: OrderAnswer) -> Result<(), TradeError> {
    let mut order = load(id)?;
    ensure!(order.terms.seller == seller, TradeError::NotParty);
    authorise(seller, "trade-documents.answer-order")?;
    committing(seller)?;
    ensure!(order.state == OrderState::Offered, TradeError::OrderState { state: order.state });
    (order.state, order.accepted) = match answer {
        OrderAnswer::Accept => (OrderState::Accepted, order.terms.total),
        OrderAnswer::AcceptPart(amount) => (OrderState::PartlyAccepted, part_of(order.terms.total, amount)?),
        OrderAnswer::Refuse => (OrderState::Refused, order.accepted),
    };
    let (buyer, state, accepted) = (order.buyer, order.state, order.accepted);
    store(order);
    emit(&TradeEvent::OrderAnswered { order: id, buyer, seller, state, accepted });
    Ok(())
}

fn part_of(total: Money, amount: Money) -> Result<Money, TradeError> {
    ensure!(
        amount.currency == total.currency,
        TradeError::WrongCurrency { expected: total.currency, found: amount.currency }
    );
    ensure!(amount.is_positive(), TradeError::AmountNotPositive);
    let excess = amount.checked_sub(total).map_err(TradeError::Terms)?;
    ensure!(!excess.is_positive(), TradeError::AcceptedTooMuch { excess });
    Ok(amount)
}
