//! What happens to an order's goods: sent, received, inspected, sent back. Every act is an entry of the order's history. Must never let more
//! units arrive than were sent, or go back than were taken.

use portolan_interface::{
    AccountId, DocumentId,
    trade::{GoodsReceipt, GoodsReturn, Inspection, Order, OrderStep, Shipment, TradeError},
};
use portolan_sdk::ensure;

use crate::{
    authorise, bill, committing, dates, matching,
    order::{ensure_running, load, moved, progress, same_currency},
    positive,
};

fn units(count: u64, most: u64) -> Result<(), TradeError> {
    ensure!(count > 0, TradeError::NoUnits);
    let excess = count.saturating_sub(most);
    ensure!(excess == 0, TradeError::TooManyUnits { excess });
    Ok(())
}

/// The order, when the buyer acts on goods that are on their way or there.
fn of_buyer(buyer: AccountId, id: DocumentId, action: &str) -> Result<Order, TradeError> {
    let order = load(id)?;
    ensure!(order.buyer == buyer, TradeError::NotParty);
    authorise(buyer, action)?;
    ensure_running(&order)?;
    Ok(order)
}

/// The seller sends goods: of a counted order no more than ordered and tolerated.
pub fn ship(seller: AccountId, id: DocumentId, shipment: Shipment) -> Result<(), TradeError> {
    let mut order = load(id)?;
    ensure!(order.terms.seller == seller, TradeError::NotParty);
    authorise(seller, "trade-documents.ship-goods")?;
    committing(seller)?;
    ensure_running(&order)?;
    ensure!(order.pending.is_none(), TradeError::ProposalOpen);
    let most = match order.terms.quantity {
        Some(ordered) => matching::tolerance(order.terms.tolerance_class)?.units(ordered),
        None => u64::MAX,
    };
    units(shipment.quantity, most.saturating_sub(order.shipped))?;
    dates::not_in_future(shipment.shipped)?;
    if let Some(bill) = shipment.bill {
        ensure!(bill::load(bill)?.order == id, TradeError::OtherOrder);
    }
    order.shipped += shipment.quantity;
    order.shipped_on = Some(order.shipped_on.map_or(shipment.shipped, |first| first.min(shipment.shipped)));
    order.state = progress(&order);
    moved(order, OrderStep::Shipped(shipment), seller)
}

/// The buyer takes or refuses what arrived.
pub fn receive(buyer: AccountId, id: DocumentId, receipt: GoodsReceipt) -> Result<(), TradeError> {
    let mut order = of_buyer(buyer, id, "trade-documents.receive-goods")?;
    let arrived = order.received + order.rejected;
    units(receipt.accepted.saturating_add(receipt.rejected), order.shipped - arrived)?;
    dates::after(receipt.received, order.shipped_on)?;
    order.received += receipt.accepted;
    order.rejected += receipt.rejected;
    order.receipt = Some(receipt.commitment);
    order.state = progress(&order);
    moved(order, OrderStep::Received(receipt), buyer)
}

/// The buyer, or an inspector whom the buyer admits by approving too, says what was found.
pub fn inspect(inspector: AccountId, id: DocumentId, inspection: Inspection) -> Result<(), TradeError> {
    let order = load(id)?;
    authorise(inspector, "trade-documents.inspect-goods")?;
    committing(inspector)?;
    if inspector != order.buyer {
        authorise(order.buyer, "trade-documents.admit-inspector").map_err(|_| TradeError::NotParty)?;
    }
    ensure_running(&order)?;
    units(inspection.quantity, order.shipped)?;
    let excess = inspection.passed.saturating_sub(inspection.quantity);
    ensure!(excess == 0, TradeError::TooManyUnits { excess });
    dates::after(inspection.inspected, order.shipped_on)?;
    moved(order, OrderStep::Inspected(inspection), inspector)
}

/// The buyer sends back what it had taken.
pub fn send_back(buyer: AccountId, id: DocumentId, goods: GoodsReturn) -> Result<(), TradeError> {
    let mut order = of_buyer(buyer, id, "trade-documents.return-goods")?;
    units(goods.quantity, order.received - order.returned)?;
    same_currency(order.accepted, goods.amount)?;
    positive(goods.amount)?;
    order.returned += goods.quantity;
    order.returned_amount = order.returned_amount.checked_add(goods.amount).map_err(TradeError::Terms)?;
    let excess = order.returned_amount.checked_sub(order.accepted).map_err(TradeError::Terms)?;
    ensure!(!excess.is_positive(), TradeError::CreditTooMuch { excess });
    moved(order, OrderStep::Returned(goods), buyer)
}
