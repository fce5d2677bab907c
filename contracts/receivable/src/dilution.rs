//! What a credit note takes from a certificate: from all that is owed on it, in proportion, whoever holds it and whatever binds it.
//!
//! `trade-documents` says how much, and counts each minor unit of a note once. A part that was sold to a funder falls too, and its seller owes the
//! difference. Must never take more than is owed, nor let an offer stand that was for more than the part is now.

use alloc::vec::Vec;

use portolan_interface::{
    AccountId, CertificateId, DocumentId, Money,
    receivable::{Certificate, CertificateState, ReceivableError, ReceivableEvent, api::emit},
    settlement, trade,
};
use portolan_sdk::{ensure, env};

use crate::{
    PARTS,
    binding::{self, ensure_at_rest},
    certificate,
    record::{PartRecord, Status},
    run::{self, LeafShare, Purpose, Run},
};

/// The debtor or the first creditor has the certificate lose what the credit note takes from it.
pub fn dilute(party: AccountId, id: CertificateId, credit: DocumentId) -> Result<(), ReceivableError> {
    let certificate = certificate::load(id)?;
    let (debtor, creditor) = (certificate.debtor, certificate.terms.creditor);
    ensure!(party == debtor || party == creditor, ReceivableError::NotParty);
    env::authorize(party, "receivable.dilute", certificate.terms.face.currency, 0)
        .map_err(ReceivableError::Unauthorized)?;
    let (matured, due) = (ensure_at_rest(&certificate)?, certificate.due);
    ensure!(matured || env::business_date() < due.0, ReceivableError::PastDue { due });
    let live = certificate.totals.outstanding;
    let dilution = trade::api::Client::new().credit(credit, live).map_err(ReceivableError::Documents)?;
    ensure!(dilution.invoice == certificate.terms.invoice, ReceivableError::OtherInvoice);
    let (amount, open) = (dilution.amount, dilution.open);
    emit(&ReceivableEvent::Diluted { certificate: id, debtor, creditor, credit, amount, open });
    run::advance(certificate, Run::new(live, amount, Purpose::Dilution { credit }))
}

/// Takes their shares from leaves. What is in dispute after the due date is no part of the claim that falls due.
pub fn lower_leaves(
    certificate: &mut Certificate,
    credit: DocumentId,
    shares: Vec<LeafShare>,
) -> Result<(), ReceivableError> {
    let mut claimed = Money::zero(certificate.terms.face.currency);
    for LeafShare { part, mut record, minor } in shares {
        record.weighed = false;
        if minor > 0 {
            let by = Money::new(minor, record.currency);
            if counts(certificate, &record, minor) {
                claimed = claimed.checked_add(by).map_err(ReceivableError::Terms)?;
            }
            binding::end_open(part, &mut record)?;
            binding::lower(certificate, part, &mut record, by)?;
            let outstanding = record.money(record.outstanding())?;
            let (certificate, holder) = (certificate.id, record.holder);
            emit(&ReceivableEvent::Lowered { certificate, part, holder, credit, by, outstanding });
        }
        PARTS.set(&part, &record);
    }
    if claimed.is_positive() {
        settlement::api::Client::new().reduce(certificate.id, claimed).map_err(ReceivableError::Settlement)?;
    }
    Ok(())
}

/// Whether the claim that falls due is the less for it. What is in dispute is noted as less in dispute.
fn counts(certificate: &Certificate, record: &PartRecord, minor: i128) -> bool {
    let disputed = matches!(record.status, Status::Disputed(_));
    if disputed {
        binding::set_disputed(certificate.id, binding::disputed(certificate.id) - minor);
    }
    !disputed || certificate.state == CertificateState::Live
}
