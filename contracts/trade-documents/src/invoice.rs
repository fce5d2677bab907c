//! Invoices: registered once by fingerprint, and certified for at most what is payable less what was credited. How they are matched is in `matching`.

use alloc::vec::Vec;

use codec::Encode;
use portolan_interface::{
    AccountId, DocumentId, Hash, Money,
    trade::{
        DateFlag, Dispute, Document, DocumentKind, Evidence, Invoice, InvoiceState, InvoiceTerms, Registration,
        TradeError, TradeEvent, api::emit,
    },
};
use portolan_sdk::{ensure, env};

use crate::{
    DOCUMENTS, FINGERPRINTS, NEAR, authorise, bring, committing, dates, load as load_document, order, positive,
    receiving, review, wrong_kind,
};

pub fn load(id: DocumentId) -> Result<Invoice, TradeError> {
    match load_document(id)? {
        Document::Invoice(invoice) => Ok(invoice),
        other => Err(wrong_kind(&other, DocumentKind::Invoice)),
    }
}

pub fn store(invoice: Invoice) {
    DOCUMENTS.set(&invoice.id.clone(), &Document::Invoice(invoice));
}

/// Takes the invoice's one place in the register, and the place of its near key unless an earlier one has it.
pub fn register(registrant: AccountId, terms: InvoiceTerms) -> Result<DocumentId, TradeError> {
    ensure!(registrant == terms.seller || registrant == terms.buyer, TradeError::NotParty);
    authorise(registrant, "trade-documents.register-invoice")?;
    committing(registrant)?;
    let flags = check(&terms)?;
    let (fingerprint, near) = (fingerprint_key(terms.fingerprint), near_key(terms.near));
    if let Some(Registration { invoice: first, .. }) = FINGERPRINTS.get(&fingerprint) {
        return Err(TradeError::DuplicateInvoice { first });
    }
    let id = DocumentId::invoice(terms.seller, terms.commitment);
    let place = place(id);
    FINGERPRINTS.set(&fingerprint, &place);
    let (seller, buyer, payable) = (terms.seller, terms.buyer, terms.payable);
    let mut invoice = open(id, terms, fingerprint, flags);
    emit(&TradeEvent::InvoiceRegistered { invoice: id, seller, buyer, payable });
    match NEAR.get(&near) {
        Some(first) => review::hold(&mut invoice, first.invoice),
        None => NEAR.set(&near, &place),
    }
    bring(registrant, id, &Document::Invoice(invoice), &[seller, buyer])?;
    Ok(id)
}

/// A place in the register, taken now.
pub fn place(invoice: DocumentId) -> Registration {
    Registration { invoice, date: dates::today(), time: env::block_time(), height: env::block_height() }
}

/// Where the register keeps a plain fingerprint. Only who has the consortium's key can tell from the state what was registered.
pub fn fingerprint_key(plain: Hash) -> Hash {
    env::consortium_hash(&plain.0)
}

/// Where the register keeps a plain near key.
pub fn near_key(plain: Hash) -> Hash {
    env::consortium_hash(&("near invoice", plain).encode())
}

/// Answers what is odd about its date.
fn check(terms: &InvoiceTerms) -> Result<Vec<DateFlag>, TradeError> {
    positive(terms.payable)?;
    ensure!((0..=terms.payable.minor).contains(&terms.tax_minor), TradeError::TaxRange);
    ensure!(receiving(terms.seller)? != receiving(terms.buyer)?, TradeError::SameParty);
    let issued = terms.issued.checked().map_err(TradeError::Terms)?;
    let flags = dates::issued(issued, order::load(terms.order)?.ordered)?;
    if let Some(due) = terms.due {
        ensure!(due.checked().map_err(TradeError::Terms)? >= issued, TradeError::DueBeforeIssue);
    }
    Ok(flags)
}

fn open(id: DocumentId, terms: InvoiceTerms, fingerprint: Hash, flags: Vec<DateFlag>) -> Invoice {
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
        quantity: terms.quantity,
        bill: terms.bill,
        declaration: terms.declaration,
        fingerprint,
        commitment: terms.commitment,
        certified: nothing,
        credited: nothing,
        settled: nothing,
        certificates: 0,
        review: None,
        dispute: None,
        flags,
        height: env::block_height(),
        state: InvoiceState::Registered,
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
    let left = invoice.payable.checked_sub(invoice.credited).map_err(TradeError::Terms)?;
    let excess = invoice.certified.checked_sub(left).map_err(TradeError::Terms)?;
    ensure!(!excess.is_positive(), TradeError::Overcertified { excess });
    let ordinal = invoice.certificates;
    invoice.certificates += 1;
    invoice.state = InvoiceState::Certified;
    let evidence = Evidence {
        invoice: id,
        order: invoice.order,
        bill: invoice.bill,
        declaration: invoice.declaration,
        flags: invoice.flags.clone(),
    };
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
pub fn state_of(invoice: &Invoice) -> InvoiceState {
    match (invoice.certified.minor, invoice.settled.minor) {
        (0, _) => InvoiceState::Matched,
        (certified, settled) if certified == settled => InvoiceState::Settled,
        _ => InvoiceState::Certified,
    }
}

pub fn ensure_state(invoice: &Invoice, needed: InvoiceState) -> Result<(), TradeError> {
    ensure!(invoice.state == needed, TradeError::InvoiceState { state: invoice.state, needed });
    Ok(())
}

pub fn changed(invoice: Invoice) {
    let event = TradeEvent::InvoiceChanged {
        invoice: invoice.id,
        seller: invoice.seller,
        buyer: invoice.buyer,
        state: invoice.state,
    };
    store(invoice);
    emit(&event);
}

/// The buyer disputes what nothing is certified against.
pub fn dispute(buyer: AccountId, id: DocumentId, reason: Hash) -> Result<(), TradeError> {
    let mut invoice = load(id)?;
    ensure!(buyer == invoice.buyer, TradeError::NotParty);
    authorise(buyer, "trade-documents.dispute-invoice")?;
    let before = invoice.state;
    let open = matches!(before, InvoiceState::Registered | InvoiceState::Matched);
    ensure!(open, TradeError::InvoiceState { state: before, needed: InvoiceState::Matched });
    invoice.dispute = Some(Dispute { reason, before });
    invoice.state = InvoiceState::Disputed;
    changed(invoice);
    Ok(())
}

/// The buyer ends its dispute.
pub fn end_dispute(buyer: AccountId, id: DocumentId) -> Result<(), TradeError> {
    let mut invoice = load(id)?;
    ensure!(buyer == invoice.buyer, TradeError::NotParty);
    authorise(buyer, "trade-documents.dispute-invoice")?;
    let Some(dispute) = invoice.dispute.take() else {
        return Err(TradeError::InvoiceState { state: invoice.state, needed: InvoiceState::Disputed });
    };
    invoice.state = dispute.before;
    changed(invoice);
    Ok(())
}

/// The seller withdraws what is not matched, whatever it waits for.
pub fn cancel(seller: AccountId, id: DocumentId) -> Result<(), TradeError> {
    let mut invoice = load(id)?;
    ensure!(seller == invoice.seller, TradeError::NotParty);
    authorise(seller, "trade-documents.cancel-invoice")?;
    let stood = invoice.dispute.take().map_or(invoice.state, |dispute| dispute.before);
    let unmatched = matches!(stood, InvoiceState::Registered | InvoiceState::UnderReview);
    ensure!(unmatched, TradeError::InvoiceState { state: invoice.state, needed: InvoiceState::Registered });
    invoice.state = InvoiceState::Cancelled;
    changed(invoice);
    Ok(())
}
