//! UBL 2: every document type of 2.0 to 2.3 as an envelope; orders, their changes, cancellations and responses, despatch
//! and receipt advices and debit notes with all their facts. Invoices and credit notes have a reader of their own.
//!
//! Parties are the elements with a `Party` in them, or that are one, by their element's name (`BuyerCustomerParty` and
//! `AccountingCustomerParty` are the buyer). References are the document's own and those of its lines.

pub mod invoice;

use super::currency::Denomination;
use super::envelope::{Envelope, Record};
use super::error::{DocumentError, Field};
use super::tree::{Node, not_placeholder};

const DOCUMENTS: &str = "urn:oasis:names:specification:ubl:schema:xsd:";

/// Document types of UBL 2.0 to 2.3, sorted.
#[rustfmt::skip]
pub const TYPES: [&str; 91] = [
    "ApplicationResponse", "AttachedDocument", "AwardedNotification", "BillOfLading", "BusinessCard", "CallForTenders",
    "Catalogue", "CatalogueDeletion", "CatalogueItemSpecificationUpdate", "CataloguePricingUpdate", "CatalogueRequest",
    "CertificateOfOrigin", "CommonTransportationReport", "ContractAwardNotice", "ContractNotice", "CreditNote",
    "DebitNote", "DespatchAdvice", "DigitalAgreement", "DigitalCapability", "DocumentStatus", "DocumentStatusRequest",
    "Enquiry", "EnquiryResponse", "ExceptionCriteria", "ExceptionNotification", "ExportCustomsDeclaration",
    "ExpressionOfInterestRequest", "ExpressionOfInterestResponse", "Forecast", "ForecastRevision",
    "ForwardingInstructions", "FreightInvoice", "FulfilmentCancellation", "GoodsCertificate", "GoodsItemItinerary",
    "GoodsItemPassport", "GuaranteeCertificate", "ImportCustomsDeclaration", "InstructionForReturns",
    "InventoryReport", "Invoice", "ItemInformationRequest", "Manifest", "Order", "OrderCancellation", "OrderChange",
    "OrderResponse", "OrderResponseSimple", "PackingList", "PriorInformationNotice", "ProductActivity",
    "ProofOfReexportation", "ProofOfReexportationReminder", "ProofOfReexportationRequest",
    "QualificationApplicationRequest", "QualificationApplicationResponse", "Quotation", "ReceiptAdvice", "Reminder",
    "RemittanceAdvice", "RequestForQuotation", "RetailEvent", "SelfBilledCreditNote", "SelfBilledInvoice",
    "Statement", "StockAvailabilityReport", "Tender", "TenderContract", "TenderReceipt", "TenderStatus",
    "TenderStatusRequest", "TenderWithdrawal", "TendererQualification", "TendererQualificationResponse",
    "TradeItemLocationProfile", "TransitCustomsDeclaration", "TransportExecutionPlan",
    "TransportExecutionPlanRequest", "TransportProgressStatus", "TransportProgressStatusRequest",
    "TransportServiceDescription", "TransportServiceDescriptionRequest", "TransportationStatus",
    "TransportationStatusRequest", "UnawardedNotification", "UnsubscribeFromProcedureRequest",
    "UnsubscribeFromProcedureResponse", "UtilityStatement", "Waybill", "WeightStatement",
];

/// Reads a document of UBL 2; nothing if it is none.
///
/// # Errors
/// `MissingField` without an `ID`, `Template` for a placeholder in number or issue date, and whatever is wrong with a
/// date or an amount.
pub fn read(root: &Node) -> Result<Option<Envelope>, DocumentError> {
    let named = root.space().strip_prefix(DOCUMENTS).and_then(|rest| rest.strip_suffix("-2"));
    if named != Some(root.name()) || TYPES.binary_search(&root.name()).is_err() {
        return Ok(None);
    }
    root.admit(&|space| {
        space.strip_prefix(DOCUMENTS).is_some_and(|rest| {
            rest.starts_with("CommonBasicComponents-") || rest.starts_with("CommonAggregateComponents-")
        }) || space == root.space()
    });
    let mut envelope = Envelope::new("ubl", snake(root.name()));
    let id = root.at(&["ID"]).ok_or(DocumentError::MissingField { field: Field::Number })?;
    envelope.number = id.text()?;
    match &envelope.number {
        Some(number) => not_placeholder(Field::Number, number)?,
        None => envelope.warn("no_number", "the document's number is empty; ask its sender for one"),
    }
    envelope.issue_date = root.date(&["IssueDate"], "issue date")?;
    if envelope.issue_date.is_none() {
        envelope.warn("no_issue_date", "the document has no issue date; ask its sender for one");
    }
    for node in root.elements() {
        party(node, &mut envelope)?;
        reference(node, &mut envelope)?;
        line_references(node, &mut envelope)?;
    }
    common_facts(root, &mut envelope.facts)?;
    if let Some(lines) = LINES.iter().find(|lines| lines.document == root.name()) {
        full_facts(root, lines, &mut envelope)?;
    }
    Ok(Some(envelope))
}

/// Where the lines of a document with full facts are.
struct Lines {
    document: &'static str,
    line: &'static str,
    /// The quantity that the document is about.
    quantity: &'static str,
}

const LINES: [Lines; 8] = [
    Lines { document: "Order", line: "OrderLine", quantity: "Quantity" },
    Lines { document: "OrderChange", line: "OrderLine", quantity: "Quantity" },
    Lines { document: "OrderResponse", line: "OrderLine", quantity: "Quantity" },
    Lines { document: "OrderResponseSimple", line: "OrderLine", quantity: "Quantity" },
    Lines { document: "OrderCancellation", line: "OrderLine", quantity: "Quantity" },
    Lines { document: "DespatchAdvice", line: "DespatchLine", quantity: "DeliveredQuantity" },
    Lines { document: "ReceiptAdvice", line: "ReceiptLine", quantity: "ReceivedQuantity" },
    Lines { document: "DebitNote", line: "DebitNoteLine", quantity: "DebitedQuantity" },
];

/// What every kind may say.
fn common_facts(root: &Node, facts: &mut Record) -> Result<(), DocumentError> {
    for (name, path) in [
        ("ubl_version", &["UBLVersionID"][..]),
        ("customization", &["CustomizationID"]),
        ("profile", &["ProfileID"]),
        ("uuid", &["UUID"]),
        ("issue_time", &["IssueTime"]),
    ] {
        if let Some(text) = root.value(path)? {
            facts.set(name, text);
        }
    }
    let notes = root.values("Note")?;
    if !notes.is_empty() {
        facts.set("notes", notes);
    }
    if let Some(copy) = flag(root, &["CopyIndicator"], "copy indicator")? {
        facts.set("copy", copy);
    }
    Ok(())
}

fn full_facts(root: &Node, lines: &Lines, envelope: &mut Envelope) -> Result<(), DocumentError> {
    for (name, path) in [
        ("type_code", &["OrderTypeCode"][..]),
        ("type_code", &["DespatchAdviceTypeCode"]),
        ("type_code", &["ReceiptAdviceTypeCode"]),
        ("response_code", &["OrderResponseCode"]),
        ("status_code", &["DocumentStatusCode"]),
        ("sequence", &["SequenceNumberID"]),
        ("cancellation_note", &["CancellationNote"]),
        ("rejection_note", &["RejectionNote"]),
        ("customer_reference", &["CustomerReference"]),
        ("incoterm", &["DeliveryTerms", "ID"]),
        ("delivery_terms", &["DeliveryTerms", "SpecialTerms"]),
        ("shipment", &["Shipment", "ID"]),
    ] {
        if let Some(text) = root.value(path)? {
            envelope.facts.set(name, text);
        }
    }
    if let Some(accepted) = flag(root, &["AcceptedIndicator"], "accepted indicator")? {
        envelope.facts.set("accepted", accepted);
    } else if root.name() == "OrderResponseSimple" {
        return Err(DocumentError::MissingField { field: Field::Named("accepted indicator") });
    }
    for (name, path) in [
        ("valid_until", &["ValidityPeriod", "EndDate"][..]),
        ("due_date", &["PaymentMeans", "PaymentDueDate"]),
        ("delivery_from", &["Delivery", "RequestedDeliveryPeriod", "StartDate"]),
        ("delivery_until", &["Delivery", "RequestedDeliveryPeriod", "EndDate"]),
        ("delivered_on", &["Shipment", "Delivery", "ActualDeliveryDate"]),
        ("despatched_on", &["Shipment", "Delivery", "Despatch", "ActualDespatchDate"]),
    ] {
        if let Some(day) = root.date(path, name)? {
            envelope.facts.set(name, day);
        }
    }
    let currency = currency(root)?;
    envelope.facts.set("currency", currency.map(|denomination| denomination.currency.to_string()));
    totals(root, currency, &mut envelope.facts)?;
    let found: Vec<Record> =
        root.all(lines.line).map(|node| line(node, lines.quantity, currency)).collect::<Result<_, _>>()?;
    envelope.facts.set("line_count", found.len());
    envelope.facts.set("lines", found);
    Ok(())
}

/// The document's currency, else that of the amount to pay.
fn currency(root: &Node) -> Result<Option<Denomination>, DocumentError> {
    let named = root.first(&[&["DocumentCurrencyCode"], &["PricingCurrencyCode"]])?;
    if let Some(code) = &named {
        not_placeholder(Field::Currency, code)?;
    }
    let of_total = || {
        let node = TOTALS.iter().find_map(|total| root.at(&[total, "PayableAmount"]))?;
        node.attribute("currencyID").map(str::to_owned)
    };
    named.or_else(of_total).map(|code| Denomination::of(&code)).transpose()
}

const TOTALS: [&str; 3] = ["AnticipatedMonetaryTotal", "RequestedMonetaryTotal", "LegalMonetaryTotal"];

fn totals(root: &Node, currency: Option<Denomination>, facts: &mut Record) -> Result<(), DocumentError> {
    if let Some(total) = TOTALS.iter().find_map(|total| root.at(&[total])) {
        for (name, element) in [
            ("lines_total", "LineExtensionAmount"),
            ("tax_exclusive", "TaxExclusiveAmount"),
            ("tax_inclusive", "TaxInclusiveAmount"),
            ("allowances", "AllowanceTotalAmount"),
            ("charges", "ChargeTotalAmount"),
            ("prepaid", "PrepaidAmount"),
            ("payable", "PayableAmount"),
        ] {
            if let Some(amount) = total.money(&[element], name, currency)? {
                facts.set(name, amount);
            }
        }
    }
    if let Some(tax) = root.money(&["TaxTotal", "TaxAmount"], "tax", currency)? {
        facts.set("tax", tax);
    }
    Ok(())
}

fn line(node: &Node, quantity: &'static str, currency: Option<Denomination>) -> Result<Record, DocumentError> {
    let item = node.at(&["LineItem"]).unwrap_or(node);
    let mut facts = Record::default();
    facts.set("id", item.value(&["ID"])?);
    if let Some(status) = item.value(&["LineStatusCode"])? {
        facts.set("status", status);
    }
    for (name, element) in [
        ("quantity", quantity),
        ("short", "ShortQuantity"),
        ("rejected", "RejectedQuantity"),
        ("backorder", "BackorderQuantity"),
        ("outstanding", "OutstandingQuantity"),
        ("oversupply", "OversupplyQuantity"),
    ] {
        if let Some(found) = item.at(&[element]) {
            let field = Field::Named(name);
            if let Some(written) = found.text()? {
                not_placeholder(field, &written)?;
                facts.set(name, decimal(field, &written)?);
                facts.set(if name == "quantity" { "unit" } else { UNITS[unit_of(name)] }, found.attribute("unitCode"));
            }
        }
    }
    if let Some(amount) = item.money(&["LineExtensionAmount"], "line amount", currency)? {
        facts.set("amount", amount);
    }
    if let Some(tax) = item.money(&["TotalTaxAmount"], "line tax", currency)? {
        facts.set("tax", tax);
    }
    // A price may be finer than its currency: it is a rate, and stays as written.
    if let Some(price) = item.at(&["Price", "PriceAmount"]) {
        facts.set("price", price.text()?);
        facts.set("price_currency", price.attribute("currencyID"));
    }
    facts.set("item", item.value(&["Item", "Name"])?);
    for (name, path) in [
        ("description", &["Item", "Description"][..]),
        ("seller_item", &["Item", "SellersItemIdentification", "ID"]),
        ("buyer_item", &["Item", "BuyersItemIdentification", "ID"]),
        ("standard_item", &["Item", "StandardItemIdentification", "ID"]),
        ("order_line", &["OrderLineReference", "LineID"]),
        ("note", &["Note"]),
    ] {
        if let Some(text) = item.value(path)? {
            facts.set(name, text);
        }
    }
    Ok(facts)
}

const UNITS: [&str; 5] = ["short_unit", "rejected_unit", "backorder_unit", "outstanding_unit", "oversupply_unit"];

fn unit_of(quantity: &str) -> usize {
    UNITS.iter().position(|unit| unit.starts_with(quantity)).unwrap_or_default()
}

/// A decimal as written, checked for form.
///
/// # Errors
/// `InvalidAmount`.
pub fn decimal(field: Field, written: &str) -> Result<String, DocumentError> {
    let digits = written.strip_prefix(['-', '+']).unwrap_or(written);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !all_digits || whole.len() + fraction.len() == 0 {
        return Err(DocumentError::InvalidAmount { field, value: super::Excerpt::of(written) });
    }
    Ok(written.to_owned())
}

/// `true` or `false` at the path.
///
/// # Errors
/// `InvalidField` for anything else, `Template`.
pub fn flag(root: &Node, path: &[&str], name: &'static str) -> Result<Option<bool>, DocumentError> {
    let Some(written) = root.value(path)? else { return Ok(None) };
    let field = Field::Named(name);
    not_placeholder(field, &written)?;
    match written.as_str() {
        "true" | "1" => Ok(Some(true)),
        "false" | "0" => Ok(Some(false)),
        _ => {
            let value = super::Excerpt::of(&written);
            Err(DocumentError::InvalidField { field, value, reason: "it is true or false" })
        }
    }
}

fn party(node: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Some(role) = node.name().strip_suffix("Party") else { return Ok(()) };
    let inner = node.at(&["Party"]).unwrap_or(node);
    let name = inner.first(&[
        &["PartyLegalEntity", "RegistrationName"],
        &["PartyName", "Name"],
        &["PartyTaxScheme", "RegistrationName"],
    ])?;
    let id = match inner.first(&[&["EndpointID"], &["PartyIdentification", "ID"]])? {
        Some(id) => Some(id),
        None => inner.first(&[&["PartyLegalEntity", "CompanyID"], &["PartyTaxScheme", "CompanyID"]])?,
    };
    let id = match id {
        None => node.first(&[&["CustomerAssignedAccountID"], &["SupplierAssignedAccountID"]])?,
        found => found,
    };
    let role = match role {
        "BuyerCustomer" | "AccountingCustomer" => "buyer".to_owned(),
        "SellerSupplier" | "AccountingSupplier" => "seller".to_owned(),
        other => snake(other),
    };
    envelope.party(role, name, id);
    Ok(())
}

/// `OrderReference`, `QuotationDocumentReference`, `Contract`, `BillingReference/InvoiceDocumentReference` and the like.
fn reference(node: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    if node.name() == "Contract" {
        envelope.refer("contract", node.value(&["ID"])?);
    }
    if node.name() == "BillingReference" || node.name() == "DocumentResponse" {
        return node.elements().try_for_each(|inner| reference(inner, envelope));
    }
    let Some(kind) = node.name().strip_suffix("Reference") else { return Ok(()) };
    let kind = if kind == "Document" { "document" } else { kind.strip_suffix("Document").unwrap_or(kind) };
    envelope.refer(snake(kind), node.value(&["ID"])?);
    if kind == "Order" {
        envelope.refer("sales_order", node.value(&["SalesOrderID"])?);
    }
    Ok(())
}

/// The orders and documents that lines name.
fn line_references(node: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    if !node.name().ends_with("Line") {
        return Ok(());
    }
    for inner in node.elements() {
        match inner.name() {
            "LineItem" => inner.elements().try_for_each(|below| line_reference(below, envelope))?,
            _ => line_reference(inner, envelope)?,
        }
    }
    Ok(())
}

fn line_reference(node: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    match node.name() {
        "OrderLineReference" => node.all("OrderReference").try_for_each(|order| reference(order, envelope)),
        "BillingReference" => reference(node, envelope),
        name if name.ends_with("DocumentReference") => reference(node, envelope),
        _ => Ok(()),
    }
}

/// `OrderResponseSimple` as `order_response_simple`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for (place, character) in name.char_indices() {
        if character.is_ascii_uppercase() && place > 0 {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_are_sorted_and_each_once() {
        assert!(TYPES.is_sorted_by(|left, right| left < right));
    }
}
