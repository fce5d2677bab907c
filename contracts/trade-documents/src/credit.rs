//! Credit notes. One side proposes, the other agrees; then the invoice is lowered at once, and what its certificates exceed it by waits for
//! `receivable`, which takes each minor unit of it once. Must never lower an invoice below nothing.

use portolan_interface::{
    AccountId, DocumentId, Money,
    trade::{
        CreditNote, CreditReason, CreditState, CreditTerms, Dilution, Document, DocumentKind, Invoice, InvoiceState,
        Registration, TradeError, TradeEvent, api::emit,
    },
};
use portolan_sdk::{ensure, env};

use crate::{
    DOCUMENTS, FINGERPRINTS, authorise, bring, committing, dates,
    invoice::{self, fingerprint_key, state_of},
    load as load_document, order, positive, wrong_kind,
};

fn load(id: DocumentId) -> Result<CreditNote, TradeError> {
    match load_document(id)? {
        Document::CreditNote(note) => Ok(note),
        other => Err(wrong_kind(&other, DocumentKind::CreditNote)),
    }
}

fn store(note: CreditNote) {
    DOCUMENTS.set(&note.id.clone(), &Document::CreditNote(note));
}

fn told(note: &CreditNote) {
    emit(&TradeEvent::CreditChanged {
        credit: note.id,
        invoice: note.invoice,
        seller: note.seller,
        buyer: note.buyer,
        amount: note.amount,
        state: note.state,
    });
}

/// Seller or buyer proposes a credit on a matched invoice.
pub fn propose(party: AccountId, terms: CreditTerms) -> Result<DocumentId, TradeError> {
    let invoice = invoice::load(terms.invoice)?;
    ensure!(party == invoice.seller || party == invoice.buyer, TradeError::NotParty);
    authorise(party, "trade-documents.propose-credit")?;
    committing(party)?;
    order::same_currency(invoice.payable, terms.amount)?;
    positive(terms.amount)?;
    let most_tax = terms.amount.minor.min(invoice.tax_minor);
    ensure!((0..=most_tax).contains(&terms.tax_minor), TradeError::TaxRange);
    dates::after(terms.issued, Some(invoice.issued))?;
    lowered(&invoice, terms.amount)?;
    let fingerprint = fingerprint_key(terms.fingerprint);
    if let Some(Registration { invoice: first, .. }) = FINGERPRINTS.get(&fingerprint) {
        return Err(TradeError::DuplicateInvoice { first });
    }
    let id = DocumentId::credit_note(invoice.seller, terms.commitment);
    FINGERPRINTS.set(&fingerprint, &invoice::place(id));
    let nothing = Money::zero(terms.amount.currency);
    let note = CreditNote {
        id,
        invoice: terms.invoice,
        seller: invoice.seller,
        buyer: invoice.buyer,
        by: party,
        amount: terms.amount,
        tax_minor: terms.tax_minor,
        reason: terms.reason,
        issued: terms.issued,
        fingerprint,
        commitment: terms.commitment,
        dilution: nothing,
        open: nothing,
        height: env::block_height(),
        state: CreditState::Proposed,
    };
    told(&note);
    bring(party, id, &Document::CreditNote(note), &[invoice.seller, invoice.buyer])?;
    Ok(id)
}

/// What the invoice's credits come to with this one: never more than is payable.
fn lowered(invoice: &Invoice, amount: Money) -> Result<Money, TradeError> {
    let counted = matches!(invoice.state, InvoiceState::Matched | InvoiceState::Certified | InvoiceState::Settled);
    ensure!(counted, TradeError::InvoiceState { state: invoice.state, needed: InvoiceState::Matched });
    let credited = invoice.credited.checked_add(amount).map_err(TradeError::Terms)?;
    let excess = credited.checked_sub(invoice.payable).map_err(TradeError::Terms)?;
    ensure!(!excess.is_positive(), TradeError::CreditTooMuch { excess });
    Ok(credited)
}

/// The other side agrees or refuses; the proposer takes back.
pub fn answer(party: AccountId, id: DocumentId, agree: bool) -> Result<(), TradeError> {
    let mut note = load(id)?;
    ensure!(party == note.seller || party == note.buyer, TradeError::NotParty);
    authorise(party, "trade-documents.answer-credit")?;
    ensure_state(&note, CreditState::Proposed)?;
    ensure!(!(agree && party == note.by), TradeError::OwnProposal);
    if agree {
        committing(party)?;
        lower(&mut note)?;
    }
    note.state = if agree { CreditState::Agreed } else { CreditState::Refused };
    told(&note);
    store(note);
    Ok(())
}

fn ensure_state(note: &CreditNote, needed: CreditState) -> Result<(), TradeError> {
    ensure!(note.state == needed, TradeError::CreditState { state: note.state, needed });
    Ok(())
}

/// Lowers the invoice. What its certificates now exceed it by, beyond what earlier notes take from them, they lose by this one.
fn lower(note: &mut CreditNote) -> Result<(), TradeError> {
    let mut invoice = invoice::load(note.invoice)?;
    let before = excess(&invoice);
    invoice.credited = lowered(&invoice, note.amount)?;
    note.dilution.minor = excess(&invoice) - before;
    note.open = note.dilution;
    if matches!(note.reason, CreditReason::Price | CreditReason::Quantity | CreditReason::Cancellation) {
        free_order(&invoice, note.amount)?;
    }
    invoice::store(invoice);
    Ok(())
}

/// Minor units by which the certificates exceed what is left of the invoice.
fn excess(invoice: &Invoice) -> i128 {
    let left = invoice.payable.minor - invoice.credited.minor;
    (invoice.certified.minor - left).max(0)
}

/// An invoice that was wrong leaves its order room for the right one.
fn free_order(invoice: &Invoice, amount: Money) -> Result<(), TradeError> {
    let mut order = order::load(invoice.order)?;
    order.invoiced = order.invoiced.checked_sub(amount).map_err(TradeError::Terms)?;
    if let Some(units) = invoice.quantity.filter(|_| invoice.credited == invoice.payable) {
        order.billed = order.billed.saturating_sub(units);
    }
    if order::is_running(order.state) {
        order.state = order::progress(&order);
    }
    order::store(order);
    Ok(())
}

/// `receivable` takes what a certificate with so much live loses.
pub fn dilute(id: DocumentId, live: Money) -> Result<Dilution, TradeError> {
    let mut note = load(id)?;
    ensure_state(&note, CreditState::Agreed)?;
    order::same_currency(note.amount, live)?;
    let mut invoice = invoice::load(note.invoice)?;
    // A certificate that was refused or expired since has left room, and the others lose the less.
    let amount = Money::new(note.open.minor.min(excess(&invoice)).min(live.minor), live.currency);
    ensure!(amount.is_positive(), TradeError::NothingToDilute);
    invoice.certified = invoice.certified.checked_sub(amount).map_err(TradeError::Terms)?;
    invoice.state = state_of(&invoice);
    note.open = note.open.checked_sub(amount).map_err(TradeError::Terms)?;
    let dilution =
        Dilution { invoice: invoice.id, debtor: invoice.buyer, creditor: invoice.seller, amount, open: note.open };
    emit(&TradeEvent::Diluted { credit: id, invoice: invoice.id, amount });
    store(note);
    invoice::changed(invoice);
    Ok(dilution)
}
