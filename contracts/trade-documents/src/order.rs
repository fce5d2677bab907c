//! Orders: the seller's answer, and what both sides change, cancel or close by consent. What happens to the goods is in `supply`.

use portolan_interface::{
    AccountId, BusinessDate, DocumentId, Money,
    trade::{
        Document, DocumentKind, MAX_ORDER_STEPS, Order, OrderAnswer, OrderChange, OrderEntry, OrderProposal,
        OrderState, OrderStep, OrderTerms, PendingProposal, TradeError, TradeEvent, api::emit,
    },
};
use portolan_sdk::{ensure, env};

use crate::{
    DOCUMENTS, STEPS, authorise, bring, commitment, committing, dates, load as load_document, matching, positive,
    receiving, wrong_kind,
};

pub fn load(id: DocumentId) -> Result<Order, TradeError> {
    match load_document(id)? {
        Document::Order(order) => Ok(order),
        other => Err(wrong_kind(&other, DocumentKind::Order)),
    }
}

pub fn store(order: Order) {
    DOCUMENTS.set(&order.id.clone(), &Document::Order(order));
}

/// Whether the seller accepted it and it has not ended.
pub fn is_running(state: OrderState) -> bool {
    use OrderState as S;
    matches!(state, S::Accepted | S::PartlyAccepted | S::Shipped | S::Received | S::Invoiced)
}

pub fn ensure_running(order: &Order) -> Result<(), TradeError> {
    ensure!(is_running(order.state), TradeError::OrderNotAccepted { state: order.state });
    Ok(())
}

/// The buyer orders.
pub fn offer(buyer: AccountId, terms: OrderTerms) -> Result<DocumentId, TradeError> {
    authorise(buyer, "trade-documents.order")?;
    check(terms.total, terms.quantity, terms.deliver_from, terms.deliver_until)?;
    matching::tolerance(terms.tolerance_class)?;
    ensure!(committing(buyer)? != receiving(terms.seller)?, TradeError::SameParty);
    let id = DocumentId::order(buyer, terms.seller, terms.lines);
    let (seller, total) = (terms.seller, terms.total);
    bring(buyer, id, &Document::Order(open(id, buyer, terms)), &[buyer, seller])?;
    emit(&TradeEvent::OrderOffered { order: id, buyer, seller, total });
    Ok(id)
}

fn check(total: Money, quantity: Option<u64>, from: BusinessDate, until: BusinessDate) -> Result<(), TradeError> {
    positive(total)?;
    ensure!(quantity != Some(0), TradeError::NoUnits);
    ensure!(from <= until, TradeError::DeliveryWindow);
    from.checked().and(until.checked()).map_err(TradeError::Terms)?;
    dates::window(until)
}

fn open(id: DocumentId, buyer: AccountId, terms: OrderTerms) -> Order {
    let nothing = Money::zero(terms.total.currency);
    Order {
        id,
        buyer,
        terms,
        accepted: nothing,
        invoiced: nothing,
        billed: 0,
        shipped: 0,
        received: 0,
        rejected: 0,
        returned: 0,
        returned_amount: nothing,
        shipped_on: None,
        receipt: None,
        pending: None,
        changes: 0,
        steps: 0,
        ordered: dates::today(),
        height: env::block_height(),
        state: OrderState::Offered,
    }
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
    same_currency(total, amount)?;
    ensure!(amount.is_positive(), TradeError::AmountNotPositive);
    let excess = amount.checked_sub(total).map_err(TradeError::Terms)?;
    ensure!(!excess.is_positive(), TradeError::AcceptedTooMuch { excess });
    Ok(amount)
}

pub fn same_currency(document: Money, amount: Money) -> Result<(), TradeError> {
    let (expected, found) = (document.currency, amount.currency);
    ensure!(expected == found, TradeError::WrongCurrency { expected, found });
    Ok(())
}

/// Buyer or seller; answers the other one.
fn other_side(order: &Order, party: AccountId) -> Result<AccountId, TradeError> {
    match party {
        _ if party == order.buyer => Ok(order.terms.seller),
        _ if party == order.terms.seller => Ok(order.buyer),
        _ => Err(TradeError::NotParty),
    }
}

/// One side proposes.
pub fn propose(party: AccountId, id: DocumentId, proposal: OrderProposal) -> Result<(), TradeError> {
    let mut order = load(id)?;
    let to = other_side(&order, party)?;
    authorise(party, "trade-documents.propose-order")?;
    committing(party)?;
    ensure!(order.pending.is_none(), TradeError::ProposalOpen);
    ensure_possible(&order, &proposal)?;
    order.pending = Some(PendingProposal { by: party, proposal });
    store(order);
    emit(&TradeEvent::OrderProposed { order: id, by: party, to });
    Ok(())
}

/// Whether the proposal fits the order as it stands: asked when it is made, and again when it is consented to.
fn ensure_possible(order: &Order, proposal: &OrderProposal) -> Result<(), TradeError> {
    use OrderState as S;
    let state = order.state;
    let fits = match proposal {
        OrderProposal::Change(_) | OrderProposal::Cancel => matches!(state, S::Accepted | S::PartlyAccepted),
        OrderProposal::Close => matches!(state, S::Received | S::Invoiced),
    };
    ensure!(fits, TradeError::OrderNotAccepted { state });
    let least = match proposal {
        OrderProposal::Change(change) => {
            same_currency(order.terms.total, change.total)?;
            check(change.total, change.quantity, change.deliver_from, change.deliver_until)?;
            change.total.minor
        }
        OrderProposal::Cancel => 0,
        OrderProposal::Close => return Ok(()),
    };
    ensure!(order.invoiced.minor <= least, TradeError::InvoicedAlready { invoiced: order.invoiced });
    Ok(())
}

/// The other side answers, or the proposer takes back.
pub fn answer_proposal(party: AccountId, id: DocumentId, consent: bool) -> Result<(), TradeError> {
    let mut order = load(id)?;
    let to = other_side(&order, party)?;
    authorise(party, "trade-documents.answer-proposal")?;
    let PendingProposal { by, proposal } = order.pending.take().ok_or(TradeError::NoProposal)?;
    ensure!(!(consent && party == by), TradeError::OwnProposal);
    if !consent {
        store(order);
        emit(&TradeEvent::ProposalEnded { order: id, by: party, to });
        return Ok(());
    }
    committing(party)?;
    ensure_possible(&order, &proposal)?;
    let step = match proposal {
        OrderProposal::Change(change) => {
            apply(&mut order, &change);
            commitment::amend(id, by, change.lines)?;
            OrderStep::Changed(change)
        }
        OrderProposal::Cancel => {
            order.state = OrderState::Cancelled;
            OrderStep::Cancelled
        }
        OrderProposal::Close => {
            order.state = OrderState::Closed;
            OrderStep::Closed
        }
    };
    moved(order, step, party)
}

fn apply(order: &mut Order, change: &OrderChange) {
    let terms = &mut order.terms;
    (terms.lines, terms.total, terms.quantity) = (change.lines, change.total, change.quantity);
    (terms.deliver_from, terms.deliver_until) = (change.deliver_from, change.deliver_until);
    (order.accepted, order.state) = (change.total, OrderState::Accepted);
    order.changes += 1;
}

/// Where an order stands by what was sent, received and invoiced of it.
pub fn progress(order: &Order) -> OrderState {
    let arrived = order.received + order.rejected;
    match order.state {
        state if order.shipped == 0 => state,
        _ if arrived < order.shipped => OrderState::Shipped,
        _ if order.invoiced.minor < order.accepted.minor => OrderState::Received,
        _ => OrderState::Invoiced,
    }
}

/// Stores the order with one more entry of its history.
pub fn moved(mut order: Order, step: OrderStep, by: AccountId) -> Result<(), TradeError> {
    let number = order.steps;
    ensure!(number < MAX_ORDER_STEPS, TradeError::TooMany { limit: MAX_ORDER_STEPS });
    let entry = OrderEntry { step, by, date: dates::today(), height: env::block_height() };
    STEPS.set(&(order.id, number), &entry);
    order.steps += 1;
    let (buyer, seller, state) = (order.buyer, order.terms.seller, order.state);
    emit(&TradeEvent::OrderMoved { order: order.id, buyer, seller, number, entry, state });
    store(order);
    Ok(())
}
