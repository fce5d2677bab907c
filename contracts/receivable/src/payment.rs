//! What happens on the due date: the deposit is asked, and the leaves are paid, in full or pro rata; what is not paid is overdue, and tried again.
//!
//! What is in dispute is taken off the claim first, and waits for the dispute's end. Must never pay a leaf more than is owed on it, nor anything on a
//! claim that has nothing to collect.

use alloc::vec::Vec;

use portolan_interface::{
    BusinessDate, CertificateId, Money, TermsError,
    receivable::{
        COLLECTION_ATTEMPTS, Certificate, CertificateState, DuePurpose, ReceivableError, ReceivableEvent, api::emit,
    },
    settlement::{self, Payment},
};
use portolan_sdk::{ensure, env};
use portolan_terms::{Convention, DayStatus, adjust};

use crate::{
    AGENDA, CERTIFICATES, PARTS, RUNS, binding,
    certificate::{Sum, close, ensure_agenda, forget_running, load, put_on_agenda, take, take_off_agenda},
    record::{PartRecord, Status},
    run::{self, LeafShare, Purpose, Run},
};

/// The due date has come.
pub fn mature(id: CertificateId) -> Result<(), ReceivableError> {
    ensure_agenda()?;
    forget_running(id);
    let certificate = load(id)?;
    let (state, needed) = (certificate.state, CertificateState::Live);
    ensure!(state == needed, ReceivableError::CertificateState { state, needed });
    run::ensure_none(id)?;
    begin(certificate, Some(1)).map(|_| ())
}

/// The agenda tries again what is overdue.
pub fn retry(id: CertificateId, attempt: u8) -> Result<(), ReceivableError> {
    ensure_agenda()?;
    forget_running(id);
    let certificate = load(id)?;
    match certificate.state {
        CertificateState::Overdue if !RUNS.contains(&id) => {
            begin(certificate, Some(attempt.saturating_add(1))).map(|_| ())
        }
        // Somebody collected in between, or a credit note is being spread: the next day sees what is left.
        CertificateState::Overdue | CertificateState::Settling => {
            schedule_attempt(&certificate, Some(attempt.saturating_add(1)))
        }
        _ => Ok(()),
    }
}

/// Anybody may ask whether what is overdue can be collected now; asking in vain changes nothing.
pub fn collect(id: CertificateId) -> Result<(), ReceivableError> {
    let certificate = load(id)?;
    let (state, needed) = (certificate.state, CertificateState::Overdue);
    ensure!(state == needed, ReceivableError::CertificateState { state, needed });
    run::ensure_none(id)?;
    let found = begin(certificate, None)?;
    ensure!(found, ReceivableError::NothingToCollect);
    Ok(())
}

/// Asks the deposit and starts paying; answers whether it gave anything.
fn begin(mut certificate: Certificate, next_attempt: Option<u8>) -> Result<bool, ReceivableError> {
    let id = certificate.id;
    let client = settlement::api::Client::new();
    let disputed = Money::new(binding::disputed(id), certificate.terms.face.currency);
    if certificate.state == CertificateState::Live && disputed.is_positive() {
        client.reduce(id, disputed).map_err(ReceivableError::Settlement)?;
    }
    let owed = certificate.totals.outstanding.checked_sub(disputed).map_err(ReceivableError::Terms)?;
    // Where all of it is in dispute, there is no claim to collect.
    let available = if owed.is_positive() { client.collect(id).map_err(ReceivableError::Settlement)? } else { owed };
    if certificate.state == CertificateState::Live {
        emit(&ReceivableEvent::Matured { certificate: id, debtor: certificate.debtor, owed, available });
    }
    if !available.is_positive() {
        rest(certificate, next_attempt)?;
        return Ok(false);
    }
    certificate.state = CertificateState::Settling;
    run::advance(certificate, Run::new(owed, available, Purpose::Payment { next_attempt }))?;
    Ok(true)
}

/// Pays leaves their shares.
pub fn pay(certificate: &mut Certificate, shares: Vec<LeafShare>) -> Result<(), ReceivableError> {
    let mut payments = Vec::new();
    let mut paid = 0;
    for LeafShare { part, mut record, minor } in shares {
        paid = run::add(paid, minor)?;
        payments.push(settle_leaf(part, &mut record, minor)?);
    }
    if !payments.is_empty() {
        settlement::api::Client::new().pay(certificate.id, payments).map_err(ReceivableError::Settlement)?;
    }
    take(certificate, Sum::Settled, paid)
}

/// Notes what is paid on a leaf. An offer that was open on the due date ends: the money is the holder's.
fn settle_leaf(
    part: portolan_interface::PartId,
    record: &mut PartRecord,
    minor: i128,
) -> Result<Payment, ReceivableError> {
    let paid = u128::try_from(minor).map_err(|_| ReceivableError::Terms(TermsError::Negative))?;
    record.settled = record.settled.checked_add(paid).ok_or(ReceivableError::Terms(TermsError::Overflow))?;
    if let Some(offer) = record.offer() {
        env::cancel_schedule(offer.entry);
        record.status = Status::Live;
    }
    if matches!(record.status, Status::Consenting(_)) {
        record.status = Status::Live;
    }
    PARTS.set(&part, record);
    let (certificate, holder) = (record.certificate, record.holder);
    let amount = Money::new(minor, record.currency);
    let outstanding = record.money(record.outstanding())?;
    emit(&ReceivableEvent::Paid { certificate, part, holder, amount, outstanding });
    Ok(Payment { part, holder, minor, financed: record.financing().is_some() })
}

/// What becomes of a certificate that is due, given what is left of it.
pub fn rest(mut certificate: Certificate, next_attempt: Option<u8>) -> Result<(), ReceivableError> {
    let (id, owed) = (certificate.id, certificate.totals.outstanding.minor);
    if owed == 0 {
        return close_empty(certificate);
    }
    if owed > binding::disputed(id) {
        return fall_overdue(certificate, next_attempt);
    }
    take_off_agenda(id, |_| true);
    certificate.state = CertificateState::Disputed;
    CERTIFICATES.set(&id, &certificate);
    Ok(())
}

/// Ends a certificate on which nothing is owed any more.
fn close_empty(certificate: Certificate) -> Result<(), ReceivableError> {
    let paid = certificate.totals.settled.is_positive();
    close(certificate, if paid { CertificateState::Settled } else { CertificateState::Diluted })
}

/// Less is owed on a certificate, or less is in dispute: it may have come to its end, or to be overdue.
pub fn changed(certificate: Certificate) -> Result<(), ReceivableError> {
    match certificate.state {
        CertificateState::Overdue => {
            let tried = AGENDA.get(&certificate.id).is_some_and(|entries| !entries.is_empty());
            rest(certificate, if tried { None } else { Some(1) })
        }
        CertificateState::Disputed => rest(certificate, Some(1)),
        _ if certificate.totals.outstanding.minor == 0 => close_empty(certificate),
        _ => {
            CERTIFICATES.set(&certificate.id, &certificate);
            Ok(())
        }
    }
}

/// What is not paid is overdue, for every leaf at once, and is tried again on the next business day.
fn fall_overdue(mut certificate: Certificate, next_attempt: Option<u8>) -> Result<(), ReceivableError> {
    schedule_attempt(&certificate, next_attempt)?;
    if certificate.state == CertificateState::Overdue {
        CERTIFICATES.set(&certificate.id, &certificate);
        return Ok(());
    }
    certificate.state = CertificateState::Overdue;
    CERTIFICATES.set(&certificate.id, &certificate);
    let mut rest = certificate.totals.outstanding;
    rest.minor -= binding::disputed(certificate.id);
    emit(&ReceivableEvent::Overdue { certificate: certificate.id, debtor: certificate.debtor, rest });
    Ok(())
}

fn schedule_attempt(certificate: &Certificate, attempt: Option<u8>) -> Result<(), ReceivableError> {
    match attempt {
        Some(attempt) if attempt <= COLLECTION_ATTEMPTS => put_on_agenda(
            certificate.id,
            next_business_day(&certificate.terms.calendar),
            DuePurpose::Collection(attempt),
        ),
        _ => Ok(()),
    }
}

/// The next business day; where the calendar says nothing, the next day, since waiting for ever would be worse.
fn next_business_day(calendar: &str) -> i32 {
    let tomorrow = env::business_date() + 1;
    let status = |day: BusinessDate| match env::is_business_day(calendar, day.0) {
        Ok(true) => DayStatus::Open,
        Ok(false) => DayStatus::Closed,
        Err(_) => DayStatus::NotCovered,
    };
    adjust(BusinessDate(tomorrow), Convention::Following, status).map_or(tomorrow, |day| day.0)
}
