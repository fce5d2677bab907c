//! UN/CEFACT Cross Industry Invoice: D16B and later under one namespace (EN 16931, Factur-X, XRechnung), and its
//! forerunner of ZUGFeRD 1.0.
//!
//! Names: `Name` (BT-27, BT-44), which is the legal one here, else `SpecifiedLegalOrganization/TradingBusinessName`.
//! Due date: the latest `SpecifiedTradePaymentTerms/DueDateDateTime` (BT-9). Payable: `DuePayableAmount` (BT-115),
//! never the grand total.

use super::Facts;
use super::date;
use super::draft::Draft;
use super::error::{DocumentError, Field};
use super::xml::{Element, Elements, Step, Value};

#[derive(Clone, Copy)]
enum Found {
    Text(Field),
    QualifiedDate(Field),
    IsoDate(Field),
    Name { party: Field, rank: u8 },
    Tax,
    Payable,
}

/// The names of one version's namespaces and of the elements that were renamed between versions, as tables.
macro_rules! version {
    (
        $module:ident, $root_space:literal, $aggregates:literal, $data_types:literal, $root:literal,
        $document:literal, $transaction:literal, $agreement:literal, $settlement:literal, $summation:literal
    ) => {
        mod $module {
            use super::{Field, Found, Step};

            pub const ROOT: (&str, &str) = ($root_space, $root);
            const AGGREGATES: &str = $aggregates;
            const DATA_TYPES: &str = $data_types;

            pub static DOCUMENT: [Step<Found>; 2] =
                [Step::inside($root_space, $document, &HEAD), Step::inside($root_space, $transaction, &TRANSACTION)];
            static HEAD: [Step<Found>; 3] = [
                Step::value(AGGREGATES, "ID", Found::Text(Field::Number)),
                Step::value(AGGREGATES, "TypeCode", Found::Text(Field::TypeCode)),
                Step::inside(AGGREGATES, "IssueDateTime", &ISSUED),
            ];
            static ISSUED: [Step<Found>; 2] = [
                Step::value(DATA_TYPES, "DateTimeString", Found::QualifiedDate(Field::IssueDate)),
                Step::value(DATA_TYPES, "DateTime", Found::IsoDate(Field::IssueDate)),
            ];
            static TRANSACTION: [Step<Found>; 2] =
                [Step::inside(AGGREGATES, $agreement, &AGREEMENT), Step::inside(AGGREGATES, $settlement, &SETTLEMENT)];
            static AGREEMENT: [Step<Found>; 2] = [
                Step::inside(AGGREGATES, "SellerTradeParty", &SELLER),
                Step::inside(AGGREGATES, "BuyerTradeParty", &BUYER),
            ];
            static SELLER: [Step<Found>; 2] = [
                Step::value(AGGREGATES, "Name", Found::Name { party: Field::Seller, rank: 0 }),
                Step::inside(AGGREGATES, "SpecifiedLegalOrganization", &SELLER_ORGANISATION),
            ];
            static BUYER: [Step<Found>; 2] = [
                Step::value(AGGREGATES, "Name", Found::Name { party: Field::Buyer, rank: 0 }),
                Step::inside(AGGREGATES, "SpecifiedLegalOrganization", &BUYER_ORGANISATION),
            ];
            static SELLER_ORGANISATION: [Step<Found>; 1] =
                [Step::value(AGGREGATES, "TradingBusinessName", Found::Name { party: Field::Seller, rank: 1 })];
            static BUYER_ORGANISATION: [Step<Found>; 1] =
                [Step::value(AGGREGATES, "TradingBusinessName", Found::Name { party: Field::Buyer, rank: 1 })];
            static SETTLEMENT: [Step<Found>; 3] = [
                Step::value(AGGREGATES, "InvoiceCurrencyCode", Found::Text(Field::Currency)),
                Step::inside(AGGREGATES, "SpecifiedTradePaymentTerms", &TERMS),
                Step::inside(AGGREGATES, $summation, &SUMMATION),
            ];
            static TERMS: [Step<Found>; 1] = [Step::inside(AGGREGATES, "DueDateDateTime", &DUE)];
            static DUE: [Step<Found>; 2] = [
                Step::value(DATA_TYPES, "DateTimeString", Found::QualifiedDate(Field::DueDate)),
                Step::value(DATA_TYPES, "DateTime", Found::IsoDate(Field::DueDate)),
            ];
            static SUMMATION: [Step<Found>; 2] = [
                Step::value(AGGREGATES, "TaxTotalAmount", Found::Tax),
                Step::value(AGGREGATES, "DuePayableAmount", Found::Payable),
            ];
        }
    };
}

version!(
    d16b,
    "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "CrossIndustryInvoice",
    "ExchangedDocument",
    "SupplyChainTradeTransaction",
    "ApplicableHeaderTradeAgreement",
    "ApplicableHeaderTradeSettlement",
    "SpecifiedTradeSettlementHeaderMonetarySummation"
);

version!(
    zugferd1,
    "urn:ferd:CrossIndustryDocument:invoice:1p0",
    "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:12",
    "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:15",
    "CrossIndustryDocument",
    "HeaderExchangedDocument",
    "SpecifiedSupplyChainTradeTransaction",
    "ApplicableSupplyChainTradeAgreement",
    "ApplicableSupplyChainTradeSettlement",
    "SpecifiedTradeSettlementMonetarySummation"
);

/// Reads the document that `root` opened; nothing if it is no Cross Industry Invoice.
///
/// # Errors Whatever is wrong with the document. A missing type code is: nothing else says whether the document
/// demands money or gives it back.
pub fn read(root: &Element<'_>, elements: &mut Elements<'_>) -> Result<Option<Facts>, DocumentError> {
    let steps = match (root.space.as_str(), root.name.as_str()) {
        name if name == d16b::ROOT => &d16b::DOCUMENT,
        name if name == zugferd1::ROOT => &zugferd1::DOCUMENT,
        _ => return Ok(None),
    };
    let mut draft = Draft::default();
    elements.visit(steps, &mut |found, value| note(&mut draft, found, value))?;
    if !draft.has_type_code() {
        return Err(DocumentError::MissingField { field: Field::TypeCode });
    }
    draft.into_facts(false).map(Some)
}

fn note(draft: &mut Draft, found: Found, value: Value) -> Result<(), DocumentError> {
    match found {
        Found::Text(field) => draft.text(field, value),
        Found::QualifiedDate(_) | Found::IsoDate(_) if value.text.is_empty() => Ok(()),
        Found::QualifiedDate(field) => {
            note_date(draft, field, date::qualified(field, value.format.as_deref(), &value.text)?)
        }
        Found::IsoDate(field) => note_date(draft, field, date::iso(field, &value.text)?),
        Found::Name { party, rank } => {
            draft.name(party, rank, value);
            Ok(())
        }
        Found::Tax => {
            draft.tax(value);
            Ok(())
        }
        Found::Payable => {
            draft.payable(value);
            Ok(())
        }
    }
}

fn note_date(draft: &mut Draft, field: Field, day: portolan_primitives::BusinessDate) -> Result<(), DocumentError> {
    match field {
        Field::IssueDate => draft.issue_date(day),
        _ => {
            draft.due_date(0, day);
            Ok(())
        }
    }
}
