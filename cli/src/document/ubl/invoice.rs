//! UBL 2.0 to 2.4: `Invoice`, `CreditNote` and their self-billed forms, which share one shape.
//!
//! Names: the legal one, `PartyLegalEntity/RegistrationName` (BT-27, BT-44), else `PartyName/Name`, else
//! `PartyTaxScheme/RegistrationName`, as older documents have it.
//! Due date: `DueDate`, else the latest `PaymentMeans/PaymentDueDate`, where credit notes and UBL 2.0 keep it (BT-9).

use super::super::Facts;
use super::super::date;
use super::super::draft::Draft;
use super::super::error::{DocumentError, Field};
use super::super::xml::{Element, Elements, Step, Value};

const BASIC: &str = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2";
const AGGREGATE: &str = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2";

/// Roots that are read: namespace, local name, whether it is a credit note.
const ROOTS: [(&str, &str, bool); 4] = [
    ("urn:oasis:names:specification:ubl:schema:xsd:Invoice-2", "Invoice", false),
    ("urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2", "CreditNote", true),
    ("urn:oasis:names:specification:ubl:schema:xsd:SelfBilledInvoice-2", "SelfBilledInvoice", false),
    ("urn:oasis:names:specification:ubl:schema:xsd:SelfBilledCreditNote-2", "SelfBilledCreditNote", true),
];

#[derive(Clone, Copy)]
enum Found {
    Text(Field),
    IssueDate,
    DueDate { rank: u8 },
    Name { party: Field, rank: u8 },
    TaxAmount,
    TaxSubtotal,
    Payable,
}

static DOCUMENT: [Step<Found>; 11] = [
    Step::value(BASIC, "ID", Found::Text(Field::Number)),
    Step::value(BASIC, "IssueDate", Found::IssueDate),
    Step::value(BASIC, "DueDate", Found::DueDate { rank: 0 }),
    Step::value(BASIC, "InvoiceTypeCode", Found::Text(Field::TypeCode)),
    Step::value(BASIC, "CreditNoteTypeCode", Found::Text(Field::TypeCode)),
    Step::value(BASIC, "DocumentCurrencyCode", Found::Text(Field::Currency)),
    Step::inside(AGGREGATE, "AccountingSupplierParty", &SELLER),
    Step::inside(AGGREGATE, "AccountingCustomerParty", &BUYER),
    Step::inside(AGGREGATE, "PaymentMeans", &PAYMENT_MEANS),
    Step::inside(AGGREGATE, "TaxTotal", &TAX_TOTAL),
    Step::inside(AGGREGATE, "LegalMonetaryTotal", &MONETARY_TOTAL),
];

static PAYMENT_MEANS: [Step<Found>; 1] = [Step::value(BASIC, "PaymentDueDate", Found::DueDate { rank: 1 })];

static TAX_TOTAL: [Step<Found>; 2] =
    [Step::value(BASIC, "TaxAmount", Found::TaxAmount), Step::presence(AGGREGATE, "TaxSubtotal", Found::TaxSubtotal)];

static MONETARY_TOTAL: [Step<Found>; 1] = [Step::value(BASIC, "PayableAmount", Found::Payable)];

/// The tables of one party's names.
macro_rules! party {
    ($role:ident, $party:ident, $legal:ident, $trading:ident, $tax:ident, $field:expr) => {
        static $role: [Step<Found>; 1] = [Step::inside(AGGREGATE, "Party", &$party)];
        static $party: [Step<Found>; 3] = [
            Step::inside(AGGREGATE, "PartyLegalEntity", &$legal),
            Step::inside(AGGREGATE, "PartyName", &$trading),
            Step::inside(AGGREGATE, "PartyTaxScheme", &$tax),
        ];
        static $legal: [Step<Found>; 1] =
            [Step::value(BASIC, "RegistrationName", Found::Name { party: $field, rank: 0 })];
        static $trading: [Step<Found>; 1] = [Step::value(BASIC, "Name", Found::Name { party: $field, rank: 1 })];
        static $tax: [Step<Found>; 1] =
            [Step::value(BASIC, "RegistrationName", Found::Name { party: $field, rank: 2 })];
    };
}

party!(SELLER, SELLER_PARTY, SELLER_LEGAL, SELLER_TRADING, SELLER_TAX, Field::Seller);
party!(BUYER, BUYER_PARTY, BUYER_LEGAL, BUYER_TRADING, BUYER_TAX, Field::Buyer);

/// Reads the document that `root` opened; nothing if it is no UBL invoice or credit note.
///
/// # Errors
/// Whatever is wrong with the document.
pub fn read(root: &Element<'_>, elements: &mut Elements<'_>) -> Result<Option<Facts>, DocumentError> {
    let Some((_, _, credit_note)) = ROOTS.iter().find(|(space, name, _)| *space == root.space && *name == root.name)
    else {
        return Ok(None);
    };
    let mut draft = Draft::default();
    elements.visit(&DOCUMENT, &mut |found, value| note(&mut draft, found, value))?;
    draft.into_facts(*credit_note).map(Some)
}

fn note(draft: &mut Draft, found: Found, value: Value) -> Result<(), DocumentError> {
    match found {
        Found::Text(field) => draft.text(field, value)?,
        Found::IssueDate if !value.text.is_empty() => draft.issue_date(date::iso(Field::IssueDate, &value.text)?)?,
        Found::DueDate { rank } if !value.text.is_empty() => {
            draft.due_date(rank, date::iso(Field::DueDate, &value.text)?)
        }
        Found::IssueDate | Found::DueDate { .. } => {}
        Found::Name { party, rank } => draft.name(party, rank, value),
        Found::TaxAmount => draft.tax(value),
        Found::TaxSubtotal => draft.tax_is_broken_down(),
        Found::Payable => draft.payable(value),
    }
    Ok(())
}
