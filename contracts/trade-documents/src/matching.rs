//! The three-way match: order, receipt of goods and invoice agree within governed tolerances, with bill of lading and customs where goods
//! cross a border. Every point of difference is found, and names the commitments to the two documents that hold the values, never a value.

use alloc::{format, vec::Vec};

use portolan_interface::{
    AccountId, DocumentId, Hash, TermsError,
    trade::{
        DeclarationState, Difference, Invoice, InvoiceState, Mismatch, Order, TOLERANCE_PARAMETER, Tolerance,
        TradeError,
    },
};
use portolan_sdk::{ensure, env};
use portolan_terms::exact::mul_div;

use crate::{
    authorise, bill, dates, declaration,
    invoice::{changed, ensure_state, load},
    order::{self, is_running, progress},
};

/// Parts in one whole.
const MILLION: u128 = 1_000_000;

/// What governance allows orders of a class to be off by.
pub struct Allowance(Tolerance);

/// The class's tolerance: class 0 is exact and needs no receipt until governance says otherwise, any other must be governed.
pub fn tolerance(class: u8) -> Result<Allowance, TradeError> {
    let exact = Tolerance { quantity_ppm: 0, price_ppm: 0, absolute_minor: 0, needs_receipt: false };
    let governed = env::parameter::<Tolerance>(&format!("{TOLERANCE_PARAMETER}{class}"));
    governed.or((class == 0).then_some(exact)).map(Allowance).ok_or(TradeError::UnknownTolerance { class })
}

impl Allowance {
    /// Most units where `units` are expected; a part of a unit is none.
    pub fn units(&self, units: u64) -> u64 {
        let above = u128::from(units) * u128::from(self.0.quantity_ppm) / MILLION;
        units.saturating_add(u64::try_from(above).unwrap_or(u64::MAX))
    }

    /// Most minor units above `minor`, rounded down.
    fn amount(&self, minor: i128) -> Result<i128, TradeError> {
        let (part, _) = mul_div(minor.unsigned_abs(), self.0.price_ppm.into(), MILLION).map_err(TradeError::Terms)?;
        let part = i128::try_from(part).map_err(|_| overflow())?;
        Ok(part.max(self.0.absolute_minor))
    }

    /// Whether `payable` for `billed` units is the price of `total` for `ordered` units. Compared as products, so nothing is rounded.
    fn prices_agree(&self, payable: i128, billed: u64, total: i128, ordered: u64) -> Result<bool, TradeError> {
        let product = |amount: i128, units: u64| amount.checked_mul(units.into()).ok_or_else(overflow);
        let (found, expected) = (product(payable, ordered)?, product(total, billed)?);
        let (part, _) =
            mul_div(expected.unsigned_abs(), self.0.price_ppm.into(), MILLION).map_err(TradeError::Terms)?;
        let absolute = product(self.0.absolute_minor.max(0), ordered)?;
        Ok(found.abs_diff(expected) <= part.max(absolute.unsigned_abs()))
    }
}

fn overflow() -> TradeError {
    TradeError::Terms(TermsError::Overflow)
}

/// Compares the invoice with its order, receipt, bill of lading and declaration, and counts it against the order.
pub fn match_documents(party: AccountId, id: DocumentId) -> Result<(), TradeError> {
    let mut invoice = load(id)?;
    ensure!(party == invoice.seller || party == invoice.buyer, TradeError::NotParty);
    authorise(party, "trade-documents.match-invoice")?;
    ensure_state(&invoice, InvoiceState::Registered)?;
    let mut order = order::load(invoice.order)?;
    let fields = differences(&mut invoice, &order)?;
    ensure!(fields.is_empty(), TradeError::Mismatch { fields });
    order.invoiced = order.invoiced.checked_add(invoice.payable).map_err(TradeError::Terms)?;
    order.billed = order.billed.saturating_add(invoice.quantity.unwrap_or(0));
    order.state = progress(&order);
    order::store(order);
    invoice.state = InvoiceState::Matched;
    changed(invoice);
    Ok(())
}

/// Every point in which the documents differ. Flags of the documents that it reads go over to the invoice.
fn differences(invoice: &mut Invoice, order: &Order) -> Result<Vec<Difference>, TradeError> {
    let allowed = tolerance(order.terms.tolerance_class)?;
    let lines = order.terms.lines;
    let mut points = Points { found: invoice.commitment, differences: Vec::new() };
    points.differ(!is_running(order.state), Mismatch::OrderState, lines);
    points.differ(order.buyer != invoice.buyer || order.terms.seller != invoice.seller, Mismatch::Parties, lines);
    points.differ(order.accepted.currency != invoice.payable.currency, Mismatch::Currency, lines);
    let most = order.accepted.minor.checked_add(allowed.amount(order.accepted.minor)?).ok_or_else(overflow)?;
    points.differ(invoice.payable.minor > most - order.invoiced.minor, Mismatch::Amount, lines);
    match_units(invoice, order, &allowed, &mut points)?;
    match_bill(invoice, order, &mut points)?;
    match_customs(invoice, order, &mut points)?;
    Ok(points.differences)
}

struct Points {
    found: Hash,
    differences: Vec<Difference>,
}

impl Points {
    fn differ(&mut self, found: bool, field: Mismatch, expected: Hash) {
        if found {
            self.differences.push(Difference { field, expected, found: self.found });
        }
    }
}

/// Units against those received (those ordered, while no receipt is there nor needed), and their price.
fn match_units(invoice: &Invoice, order: &Order, allowed: &Allowance, points: &mut Points) -> Result<(), TradeError> {
    let lines = order.terms.lines;
    points.differ(allowed.0.needs_receipt && order.receipt.is_none(), Mismatch::Receipt, lines);
    let Some(ordered) = order.terms.quantity else { return Ok(()) };
    let Some(billed) = invoice.quantity.filter(|units| *units > 0) else {
        points.differ(true, Mismatch::Quantity, lines);
        return Ok(());
    };
    let (units, source) = match order.receipt {
        Some(receipt) => (order.received - order.returned, receipt),
        None => (ordered, lines),
    };
    points.differ(order.billed.saturating_add(billed) > allowed.units(units), Mismatch::Quantity, source);
    let agree = allowed.prices_agree(invoice.payable.minor, billed, order.terms.total.minor, ordered)?;
    points.differ(!agree, Mismatch::Price, lines);
    Ok(())
}

/// A bill that is named must carry this order; goods that cross a border need one.
fn match_bill(invoice: &mut Invoice, order: &Order, points: &mut Points) -> Result<(), TradeError> {
    let Some(id) = invoice.bill else {
        points.differ(order.terms.cross_border, Mismatch::BillOfLading, order.terms.lines);
        return Ok(());
    };
    let bill = bill::load(id)?;
    points.differ(bill.order != order.id, Mismatch::BillOfLading, bill.commitment);
    dates::join(&mut invoice.flags, &bill.flags);
    Ok(())
}

/// A declaration that is named must be for this order and cleared; goods that cross a border need one.
fn match_customs(invoice: &mut Invoice, order: &Order, points: &mut Points) -> Result<(), TradeError> {
    let Some(id) = invoice.declaration else {
        points.differ(order.terms.cross_border, Mismatch::Customs, order.terms.lines);
        return Ok(());
    };
    let declaration = declaration::load(id)?;
    dates::join(&mut invoice.flags, &declaration.flags);
    let cleared = declaration.terms.order == order.id && declaration.state == DeclarationState::Cleared;
    points.differ(!cleared, Mismatch::Customs, declaration.terms.commitment);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowance(quantity_ppm: u32, price_ppm: u32, absolute_minor: i128) -> Allowance {
        Allowance(Tolerance { quantity_ppm, price_ppm, absolute_minor, needs_receipt: false })
    }

    #[test]
    fn units_round_down() {
        assert_eq!(allowance(0, 0, 0).units(100), 100);
        assert_eq!(allowance(9_999, 0, 0).units(100), 100);
        assert_eq!(allowance(10_000, 0, 0).units(100), 101);
        assert_eq!(allowance(u32::MAX, 0, 0).units(u64::MAX), u64::MAX);
    }

    #[test]
    fn amounts_are_off_by_the_larger_of_the_two() {
        assert_eq!(allowance(0, 1_000, 5).amount(9_999), Ok(9));
        assert_eq!(allowance(0, 1_000, 10).amount(9_999), Ok(10));
        assert_eq!(allowance(0, u32::MAX, 0).amount(i128::MAX), Err(overflow()));
    }

    #[test]
    fn prices_are_compared_without_rounding() {
        let exact = allowance(0, 0, 0);
        assert_eq!(exact.prices_agree(333, 1, 999, 3), Ok(true));
        assert_eq!(exact.prices_agree(333, 1, 1_000, 3), Ok(false), "a third of 1,000 is not 333");
        assert_eq!(allowance(0, 0, 1).prices_agree(333, 1, 1_000, 3), Ok(true));
        // 1 % of 10.00 is 0.10, both ways.
        let percent = allowance(0, 10_000, 0);
        for (payable, agrees) in [(1_010, true), (1_011, false), (990, true), (989, false)] {
            assert_eq!(percent.prices_agree(payable, 1, 1_000, 1), Ok(agrees), "{payable}");
        }
        assert_eq!(exact.prices_agree(i128::MAX, 1, 1, 2), Err(overflow()));
    }
}
