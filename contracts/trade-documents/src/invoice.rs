//! Invoices: registered once by fingerprint, matched with order, goods and customs, and certified for at most what is payable.

use alloc::vec::Vec;

use portolan_interface::{
    AccountId, BusinessDate, DocumentId, Hash, Money,
    trade::{
        DeclarationState, Document, DocumentKind, Evidence, Invoice, InvoiceState, InvoiceTerms, Mismatch, Order,
        OrderState, TradeError, TradeEvent, api::emit,
    },
};
use portolan_sdk::{ensure, env};

use crate::{
    DOCUMENTS, FINGERPRINTS, authorise, bill, bring, committing, declaration, load as load_document, order, positive,
    receiving, wrong_kind,
};

fn load(id: DocumentId) -> Result<Invoice, TradeError> {
    match load_document(id)? {
        Document::Invoice(invoice) => Ok(invoice),
        other => Err(wrong_kind(&other, DocumentKind::Invoice)),
    }
}

fn store(invoice: Invoice) {
    DOCUMENTS.set(&invoice.id.clone(), &Document::Invoice(invoice));
}

/// Takes the invoice's one place in the register.
pub fn register(registrant: AccountId, terms: InvoiceTerms) -> Result<DocumentId, TradeError> {
    ensure!(registrant == terms.seller || registrant == terms.buyer, TradeError::NotParty);
    authorise(registrant, "trade-documents.register-invoice")?;
    committing(registrant)?;
    check(&terms)?;
    let fingerprint = env::consortium_hash(&terms.fingerprint.0);
    if let Some(first) = FINGERPRINTS.get(&fingerprint) {
        return Err(TradeError::DuplicateInvoice { first });
    }
    let id = DocumentId::invoice(terms.seller, terms.commitment);
    FINGERPRINTS.set(&fingerprint, &id);
    let (seller, buyer, payable) = (terms.seller, terms.buyer, terms.payable);
    bring(id, &Document::Invoice(open(id, terms, fingerprint)), &[seller, buyer])?;
    emit(&TradeEvent::InvoiceRegistered { invoice: id, seller, buyer, payable });
    Ok(id)
}

fn check(terms: &InvoiceTerms) -> Result<(), TradeError> {
    positive(terms.payable)?;
    ensure!((0..=terms.payable.minor).contains(&terms.tax_minor), TradeError::TaxRange);
    ensure!(receiving(terms.seller)? != receiving(terms.buyer)?, TradeError::SameParty);
    let issued = terms.issued.checked().map_err(TradeError::Terms)?;
    ensure!(issued <= BusinessDate(env::business_date()), TradeError::IssuedInFuture { issued });
    if let Some(due) = terms.due {
        ensure!(due.checked().map_err(TradeError::Terms)? >= issued, TradeError::DueBeforeIssue);
    }
    Ok(())
}

fn open(id: DocumentId, terms: InvoiceTerms, fingerprint: Hash) -> Invoice {
    let nothing = Money::zero(terms.payable.currency);
    Invoice {
        id,
        issued: terms.issued,
        due: terms.due,
        payable: terms.payable,
        tax_minor: terms.tax_minor,
        seller: terms.seller,
        buyer: terms.buyer,
        order: terms.order,
        bill: terms.bill,
        declaration: terms.declaration,
        fingerprint,
        commitment: terms.commitment,
        certified: nothing,
        settled: nothing,
        certificates: 0,
        height: env::block_height(),
        state: InvoiceState::Registered,
    }
}

/// Compares the invoice with its order, bill of lading and declaration, and counts it against the order.
pub fn match_documents(party: AccountId, id: DocumentId) -> Result<(), TradeError> {
    let mut invoice = load(id)?;
    ensure!(party == invoice.seller || party == invoice.buyer, TradeError::NotParty);
    authorise(party, "trade-documents.match-invoice")?;
    ensure_state(&invoice, InvoiceState::Registered)?;
    let mut order = order::load(invoice.order)?;
    let fields = mismatches(&invoice, &order)?;
    ensure!(fields.is_empty(), TradeError::Mismatch { fields });
    order.invoiced = order.invoiced.checked_add(invoice.payable).map_err(TradeError::Terms)?;
    order::store(order);
    invoice.state = InvoiceState::Matched;
    changed(invoice);
    Ok(())
}

/// Every point in which the documents differ.
fn mismatches(invoice: &Invoice, order: &Order) -> Result<Vec<Mismatch>, TradeError> {
    let mut fields = Vec::new();
    let mut differ = |found: bool, field: Mismatch| {
        if found {
            fields.push(field);
        }
    };
    differ(!matches!(order.state, OrderState::Accepted | OrderState::PartlyAccepted), Mismatch::OrderState);
    differ(order.buyer != invoice.buyer || order.terms.seller != invoice.seller, Mismatch::Parties);
    differ(order.accepted.currency != invoice.payable.currency, Mismatch::Currency);
    let left = order.accepted.minor - order.invoiced.minor;
    differ(invoice.payable.minor > left, Mismatch::Amount);
    differ(!goods_shipped(invoice, order)?, Mismatch::BillOfLading);
    differ(!customs_cleared(invoice, order)?, Mismatch::Customs);
    Ok(fields)
}

/// A bill that is named must carry this order; goods that cross a border need one.
fn goods_shipped(invoice: &Invoice, order: &Order) -> Result<bool, TradeError> {
    match invoice.bill {
        Some(id) => Ok(bill::load(id)?.order == order.id),
        None => Ok(!order.terms.cross_border),
    }
}

/// A declaration that is named must be for this order and cleared; goods that cross a border need one.
fn customs_cleared(invoice: &Invoice, order: &Order) -> Result<bool, TradeError> {
    match invoice.declaration {
        Some(id) => {
            let declaration = declaration::load(id)?;
            Ok(declaration.terms.order == order.id && declaration.state == DeclarationState::Cleared)
        }
        None => Ok(!order.terms.cross_border),
    }
}

/// Counts a certificate against the invoice. Answers the certificate's ordinal and what it rests on.
pub fn certify(
    id: DocumentId,
    debtor: AccountId,
    creditor: AccountId,
    face: Money,
) -> Result<(u32, Evidence), TradeError> {
    let mut invoice = load(id)?;
    ensure!(debtor == invoice.buyer && creditor == invoice.seller, TradeError::NotParty);
    let currency = invoice.payable.currency;
    ensure!(face.currency == currency, TradeError::WrongCurrency { expected: currency, found: face.currency });
    ensure!(face.is_positive(), TradeError::AmountNotPositive);
    let certifiable = matches!(invoice.state, InvoiceState::Matched | InvoiceState::Certified | InvoiceState::Settled);
    ensure!(certifiable, TradeError::InvoiceState { state: invoice.state, needed: InvoiceState::Matched });
    invoice.certified = invoice.certified.checked_add(face).map_err(TradeError::Terms)?;
    let excess = invoice.certified.checked_sub(invoice.payable).map_err(TradeError::Terms)?;
    ensure!(!excess.is_positive(), TradeError::Overcertified { excess });
    let ordinal = invoice.certificates;
    invoice.certificates += 1;
    invoice.state = InvoiceState::Certified;
    let evidence = Evidence { invoice: id, order: invoice.order, bill: invoice.bill, declaration: invoice.declaration };
    changed(invoice);
    Ok((ordinal, evidence))
}

/// A certificate came to nothing: its amount can be certified again.
pub fn release(id: DocumentId, face: Money) -> Result<(), TradeError> {
    let mut invoice = load(id)?;
    ensure_state(&invoice, InvoiceState::Certified)?;
    invoice.certified = invoice.certified.checked_sub(face).map_err(TradeError::Terms)?;
    invoice.state = state_of(&invoice);
    changed(invoice);
    Ok(())
}

/// A certificate is paid.
pub fn settle(id: DocumentId, face: Money) -> Result<(), TradeError> {
    let mut invoice = load(id)?;
    ensure_state(&invoice, InvoiceState::Certified)?;
    invoice.settled = invoice.settled.checked_add(face).map_err(TradeError::Terms)?;
    invoice.state = state_of(&invoice);
    changed(invoice);
    Ok(())
}

/// What its certificates make of a matched invoice.
fn state_of(invoice: &Invoice) -> InvoiceState {
    match (invoice.certified.minor, invoice.settled.minor) {
        (0, _) => InvoiceState::Matched,
        (certified, settled) if certified == settled => InvoiceState::Settled,
        _ => InvoiceState::Certified,
    }
}

fn ensure_state(invoice: &Invoice, needed: InvoiceState) -> Result<(), TradeError> {
    ensure!(invoice.state == needed, TradeError::InvoiceState { state: invoice.state, needed });
    Ok(())
}

fn changed(invoice: Invoice) {
    let event = TradeEvent::InvoiceChanged {
        invoice: invoice.id,
        seller: invoice.seller,
        buyer: invoice.buyer,
        state: invoice.state,
    };
    store(invoice);
    emit(&event);
}
