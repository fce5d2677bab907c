//! What the chain knows of documents' salted fields: one small record a document, apart from the document, so that whoever shows a field
//! proves its root and nothing else; and the owner's receipt that the salts are destroyed. Must never hold a field, a salt or an amount.

use portolan_interface::{
    AccountId, DocumentId, Hash, access,
    trade::{Commitment, Document, DocumentKind, Erasure, TradeError, TradeEvent, api::emit},
};
use portolan_sdk::{ensure, env};

use crate::{COMMITMENTS, authorise, dates, standing};

/// The salted root in a document.
pub fn of(document: &Document) -> Hash {
    match document {
        Document::Order(order) => order.terms.lines,
        Document::BillOfLading(bill) => bill.commitment,
        Document::Declaration(declaration) => declaration.terms.commitment,
        Document::Invoice(invoice) => invoice.commitment,
        Document::CreditNote(note) => note.commitment,
        Document::Origin(origin) => origin.terms.commitment,
        Document::WarehouseReceipt(receipt) => receipt.commitment,
        Document::Policy(policy) => policy.terms.commitment,
    }
}

/// The owner answers for a new document's root.
pub fn record(id: DocumentId, kind: DocumentKind, owner: AccountId, commitment: Hash) -> Result<(), TradeError> {
    put(id, kind, owner, commitment, None)
}

fn put(
    id: DocumentId,
    kind: DocumentKind,
    owner: AccountId,
    commitment: Hash,
    erased: Option<Erasure>,
) -> Result<(), TradeError> {
    let (member, _) = standing(owner)?;
    let (date, height) = (dates::today(), env::block_height());
    COMMITMENTS.set(&id, &Commitment { document: id, kind, owner, member, commitment, date, height, erased });
    Ok(())
}

/// The document has another root, and whoever wrote what it is of keeps the salts. An earlier receipt of erasure stays, and names the root
/// that it is of.
pub fn amend(id: DocumentId, owner: AccountId, commitment: Hash) -> Result<(), TradeError> {
    let before = load(id)?;
    if before.commitment == commitment {
        return Ok(());
    }
    put(id, before.kind, owner, commitment, before.erased)
}

pub fn load(id: DocumentId) -> Result<Commitment, TradeError> {
    COMMITMENTS.get(&id).ok_or(TradeError::UnknownCommitment)
}

/// The owner says that the salts of this root are destroyed. Said again it changes nothing and answers the first receipt. A restricted member
/// may: who is asked to erase personal data must, whatever else it may do.
pub fn erase(owner: AccountId, id: DocumentId, commitment: Hash) -> Result<Erasure, TradeError> {
    let mut record = load(id)?;
    ensure!(record.owner == owner, TradeError::NotSaltOwner);
    authorise(owner, "trade-documents.erase-salts")?;
    if let Some(erasure) = record.erased.clone().filter(|erasure| erasure.commitment == commitment) {
        return Ok(erasure);
    }
    ensure!(record.commitment == commitment, TradeError::StaleCommitment);
    let erasure = Erasure { commitment, date: dates::today(), time: env::block_time(), height: env::block_height() };
    record.erased = Some(erasure.clone());
    COMMITMENTS.set(&id, &record);
    emit(&TradeEvent::SaltsErased { document: id, owner, commitment: erasure.commitment });
    Ok(erasure)
}

/// The record, for its owner. It reads one key of the state, whose proof therefore shows no more than the record.
pub fn view(id: DocumentId) -> Result<Commitment, TradeError> {
    let record = load(id)?;
    ensure!(access::may_read(&[record.owner]), TradeError::NotParty);
    Ok(record)
}
