//! Cancelling a certificate by consent of the debtor and of everybody who holds something of it.
//!
//! The debtor proposes, and each holder consents for each part, which is locked meanwhile. What has been consented is added up, so the last consent
//! is known as such without a look at the tree. Must never cancel a part whose present holder has not consented to the present proposal.

use codec::{Decode, Encode};
use portolan_interface::{
    AccountId, CertificateId, PartId,
    receivable::{Certificate, CertificateState, PartState, ReceivableError, ReceivableEvent, api::emit},
    settlement, trade,
};
use portolan_sdk::{ensure, env};

use crate::{
    CANCELLATIONS, PARTS,
    certificate::{self, Sum, close, take},
    record::{PartRecord, Status},
    run,
    transfer::ensure_may_commit,
};

/// A proposal to cancel.
#[derive(Clone, Default, Encode, Decode)]
pub struct Cancellation {
    /// Its number within the certificate; a consent names it.
    round: u32,
    /// Whether it stands.
    standing: bool,
    /// Minor units owed on the parts whose holders have consented.
    consented: i128,
}

fn load(id: CertificateId) -> Cancellation {
    CANCELLATIONS.get(&id).unwrap_or_default()
}

fn of_debtor(debtor: AccountId, id: CertificateId, action: &str) -> Result<Certificate, ReceivableError> {
    let certificate = certificate::load(id)?;
    ensure!(certificate.debtor == debtor, ReceivableError::NotDebtor);
    env::authorize(debtor, action, certificate.terms.face.currency, 0).map_err(ReceivableError::Unauthorized)?;
    Ok(certificate)
}

pub fn propose(debtor: AccountId, id: CertificateId) -> Result<(), ReceivableError> {
    let certificate = of_debtor(debtor, id, "receivable.propose-cancellation")?;
    let (state, needed, due) = (certificate.state, CertificateState::Live, certificate.due);
    ensure!(state == needed, ReceivableError::CertificateState { state, needed });
    ensure!(env::business_date() < due.0, ReceivableError::PastDue { due });
    let last = load(id);
    ensure!(!last.standing, ReceivableError::DuplicateCancellation);
    CANCELLATIONS.set(&id, &Cancellation { round: last.round.saturating_add(1), standing: true, consented: 0 });
    emit(&ReceivableEvent::CancellationProposed { certificate: id, debtor, standing: true });
    Ok(())
}

/// The debtor takes the proposal back.
pub fn withdraw(debtor: AccountId, id: CertificateId) -> Result<(), ReceivableError> {
    of_debtor(debtor, id, "receivable.withdraw-cancellation")?;
    let last = load(id);
    ensure!(last.standing, ReceivableError::NoCancellation);
    CANCELLATIONS.set(&id, &Cancellation { standing: false, ..last });
    emit(&ReceivableEvent::CancellationProposed { certificate: id, debtor, standing: false });
    Ok(())
}

/// A holder gives up a live part, if all others do.
pub fn consent(holder: AccountId, part: PartId) -> Result<(), ReceivableError> {
    let mut record = PartRecord::load(part)?;
    record.held_by(holder)?;
    let amount = record.money(record.outstanding())?;
    env::authorize(holder, "receivable.consent-to-cancellation", amount.currency, amount.minor)
        .map_err(ReceivableError::Unauthorized)?;
    record.ensure_live()?;
    let certificate = certificate::load(record.certificate)?;
    let mut cancellation = load(certificate.id);
    ensure!(cancellation.standing, ReceivableError::NoCancellation);
    run::ensure_none(certificate.id)?;
    ensure_may_commit(holder)?;
    record.status = Status::Consenting(cancellation.round);
    PARTS.set(&part, &record);
    emit(&ReceivableEvent::Consent { part, holder, standing: true });
    // Never above what is owed on the whole certificate.
    cancellation.consented += amount.minor;
    let all = cancellation.consented == certificate.totals.outstanding.minor;
    cancellation.standing = !all;
    CANCELLATIONS.set(&certificate.id, &cancellation);
    if all { cancel(certificate) } else { Ok(()) }
}

/// Everybody has consented. The parts need no visit: on a cancelled certificate nothing is owed, whatever they say.
fn cancel(mut certificate: Certificate) -> Result<(), ReceivableError> {
    let rest = certificate.totals.outstanding;
    take(&mut certificate, Sum::Cancelled, rest.minor)?;
    settlement::api::Client::new().reduce(certificate.id, rest).map_err(ReceivableError::Settlement)?;
    trade::api::Client::new().release(certificate.terms.invoice, rest).map_err(ReceivableError::Documents)?;
    close(certificate, CertificateState::Cancelled)
}

/// A holder takes the consent back.
pub fn take_back(holder: AccountId, part: PartId) -> Result<(), ReceivableError> {
    let mut record = PartRecord::load(part)?;
    record.held_by(holder)?;
    env::authorize(holder, "receivable.withdraw-consent", record.currency, 0).map_err(ReceivableError::Unauthorized)?;
    let (state, needed) = (record.state_under(certificate::load(record.certificate)?.state), PartState::Consenting);
    ensure!(state == needed, ReceivableError::PartState { state, needed });
    overtake(part, &mut record)?;
    PARTS.set(&part, &record);
    Ok(())
}

/// A consent ends.
pub fn overtake(part: PartId, record: &mut PartRecord) -> Result<(), ReceivableError> {
    let Status::Consenting(round) = record.status else { return Ok(()) };
    let mut cancellation = load(record.certificate);
    if cancellation.standing && cancellation.round == round {
        cancellation.consented -= record.money(record.outstanding())?.minor;
        CANCELLATIONS.set(&record.certificate, &cancellation);
    }
    record.status = Status::Live;
    emit(&ReceivableEvent::Consent { part, holder: record.holder, standing: false });
    Ok(())
}
