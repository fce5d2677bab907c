//! Issue, acceptance, refusal and expiry of a certificate, and what it has on the agenda.

use alloc::vec::Vec;

use portolan_interface::{
    AccountId, BusinessDate, CertificateId, Money, PartId, Role, access,
    receivable::{
        Certificate, CertificateState, CertificateTerms, DEFAULT_DUST_MINOR, DUST_PARAMETER, DueEntry, DuePurpose, Hop,
        HopKind, MAX_CALENDAR_NAME, MAX_GRACE_DAYS, MAX_LEAVES, ReceivableError, ReceivableEvent, Totals,
        api::{Call, emit, schedule},
    },
    settlement, trade,
};
use portolan_sdk::{CalendarRefusal, ensure, env};
use portolan_terms::{DayStatus, TermsError, adjust};

use crate::{
    AGENDA, ARRIVALS, CERTIFICATES, CERTIFICATES_OF, HOPS, PARTS, debt,
    record::{PartRecord, Status},
    transfer::{ensure_may_commit, ensure_may_receive},
};

/// Gas of an agenda entry that pays: a whole batch of leaves with room to spare.
const PAYMENT_GAS: u64 = 300_000_000;
/// Gas of an agenda entry that only changes states.
const EXPIRY_GAS: u64 = 5_000_000;

pub fn load(id: CertificateId) -> Result<Certificate, ReceivableError> {
    CERTIFICATES.get(&id).ok_or(ReceivableError::UnknownCertificate)
}

/// Passes when the agenda calls: then the caller is this contract.
pub fn ensure_agenda() -> Result<(), ReceivableError> {
    ensure!(access::called_by(env::self_id()), ReceivableError::NotAgenda);
    Ok(())
}

/// Issues a certificate against a matched invoice and offers it to the invoice's seller.
pub fn issue(debtor: AccountId, terms: CertificateTerms) -> Result<CertificateId, ReceivableError> {
    let face = terms.face;
    env::authorize(debtor, "receivable.issue", face.currency, face.minor.max(0))
        .map_err(ReceivableError::Unauthorized)?;
    check_parties(debtor, terms.creditor)?;
    check_amount(face)?;
    ensure!(terms.grace_days <= MAX_GRACE_DAYS, ReceivableError::Grace);
    let today = BusinessDate(env::business_date());
    let due = due_date(today, &terms)?;
    let in_window = today <= terms.accept_until && terms.accept_until < due;
    ensure!(in_window, ReceivableError::OfferWindow { latest: BusinessDate(due.0 - 1) });
    let serves =
        settlement::api::Client::new().serves(terms.bank, face.currency).map_err(ReceivableError::Settlement)?;
    ensure!(serves, ReceivableError::BankDoesNotServe);
    debt::add(debtor, face)?;
    let documents = trade::api::Client::new();
    let (ordinal, evidence) =
        documents.certify(terms.invoice, debtor, terms.creditor, face).map_err(ReceivableError::Documents)?;
    let id = CertificateId::against(terms.invoice, ordinal);
    let certificate = Certificate {
        id,
        debtor,
        issued: today,
        due,
        evidence,
        root: PartId::root(id),
        state: CertificateState::Offered,
        totals: totals(face),
        dust_minor: dust(face),
        height: env::block_height(),
        terms,
    };
    record_issue(&certificate)?;
    Ok(id)
}

fn check_parties(debtor: AccountId, creditor: AccountId) -> Result<(), ReceivableError> {
    ensure_may_commit(debtor)?;
    ensure_may_receive(creditor)?;
    let (from, to) = (env::member_of(debtor), env::member_of(creditor));
    ensure!(from != to, ReceivableError::SameParty);
    ensure!(from.is_some_and(|member| env::has_role(member, Role::CoreEnterprise)), ReceivableError::NotCoreEnterprise);
    Ok(())
}

fn check_amount(face: Money) -> Result<(), ReceivableError> {
    face.currency.exponent().map_err(ReceivableError::Terms)?;
    ensure!(face.is_positive(), ReceivableError::AmountNotPositive);
    Ok(())
}

/// The business day of payment: at most a year off, on a day that the calendar covers, and after today.
fn due_date(today: BusinessDate, terms: &CertificateTerms) -> Result<BusinessDate, ReceivableError> {
    let latest = today.add_months(12).map_err(ReceivableError::Terms)?;
    let tenor = ReceivableError::Tenor { latest };
    ensure!(today.tenor_within_a_year(terms.maturity).map_err(ReceivableError::Terms)?, tenor);
    ensure!(terms.calendar.len() <= MAX_CALENDAR_NAME, ReceivableError::UnknownCalendar);
    let mut unknown = false;
    let adjusted = adjust(terms.maturity, terms.convention, |day| match env::is_business_day(&terms.calendar, day.0) {
        Ok(true) => DayStatus::Open,
        Ok(false) => DayStatus::Closed,
        Err(refusal) => {
            unknown |= refusal == CalendarRefusal::UnknownCalendar;
            DayStatus::NotCovered
        }
    });
    ensure!(!unknown, ReceivableError::UnknownCalendar);
    let due = adjusted.map_err(|error| match error {
        TermsError::NotCovered(day) => ReceivableError::CalendarNotCovered { day },
        other => ReceivableError::Terms(other),
    })?;
    ensure!(due > today, tenor);
    Ok(due)
}

fn totals(face: Money) -> Totals {
    let nothing = Money::zero(face.currency);
    Totals { face, outstanding: face, settled: nothing, diluted: nothing, cancelled: nothing, written_off: nothing }
}

/// The smallest part: the governed one, or as much as keeps the number of leaves bounded.
fn dust(face: Money) -> i128 {
    let governed = env::parameter::<i128>(DUST_PARAMETER).unwrap_or(DEFAULT_DUST_MINOR);
    let bounding = face.minor / MAX_LEAVES + i128::from(face.minor % MAX_LEAVES != 0);
    governed.max(bounding)
}

fn record_issue(certificate: &Certificate) -> Result<(), ReceivableError> {
    let (id, terms) = (certificate.id, &certificate.terms);
    let (debtor, creditor) = (certificate.debtor, terms.creditor);
    CERTIFICATES.set(&id, certificate);
    CERTIFICATES_OF.push(&debtor, &id);
    CERTIFICATES_OF.push(&creditor, &id);
    let arrival = ARRIVALS.push(&creditor, &certificate.root);
    PARTS.set(&certificate.root, &root_part(certificate, arrival)?);
    let hop = Hop {
        kind: HopKind::Issue,
        from: debtor,
        to: creditor,
        recourse: terms.recourse_default,
        date: certificate.issued,
        height: certificate.height,
    };
    HOPS.set(&(certificate.root, 0), &hop);
    put_on_agenda(id, terms.accept_until.0 + 1, DuePurpose::Expiry)?;
    put_on_agenda(id, certificate.due.0, DuePurpose::Maturity)?;
    emit(&ReceivableEvent::Issued { certificate: id, debtor, creditor, face: terms.face, due: certificate.due });
    Ok(())
}

fn root_part(certificate: &Certificate, arrival: u32) -> Result<PartRecord, ReceivableError> {
    let terms = &certificate.terms;
    let unsigned = |minor: i128| u128::try_from(minor).map_err(|_| ReceivableError::Terms(TermsError::Negative));
    Ok(PartRecord {
        certificate: certificate.id,
        parent: None,
        index: 0,
        depth: 0,
        holder: terms.creditor,
        currency: terms.face.currency,
        amount: unsigned(terms.face.minor)?,
        settled: 0,
        diluted: 0,
        weighed: false,
        dust: unsigned(certificate.dust_minor)?,
        due: certificate.due,
        splittable: terms.splittable,
        transferable: terms.transferable,
        children: 0,
        hops: 1,
        chain: 1,
        arrival,
        status: Status::Unaccepted,
    })
}

/// The first creditor takes it: from now on it is owed.
pub fn accept(creditor: AccountId, id: CertificateId) -> Result<(), ReceivableError> {
    let mut certificate = offered_to(creditor, id)?;
    env::authorize(creditor, "receivable.accept", certificate.terms.face.currency, 0)
        .map_err(ReceivableError::Unauthorized)?;
    let expired = certificate.terms.accept_until;
    ensure!(env::business_date() <= expired.0, ReceivableError::OfferExpired { expired });
    ensure_may_receive(creditor)?;
    ensure_may_receive(certificate.debtor)?;
    certificate.state = CertificateState::Live;
    CERTIFICATES.set(&id, &certificate);
    let mut root = PartRecord::load(certificate.root)?;
    root.status = Status::Live;
    PARTS.set(&certificate.root, &root);
    take_off_agenda(id, |entry| entry.purpose == DuePurpose::Expiry);
    let terms = &certificate.terms;
    settlement::api::Client::new()
        .register(id, certificate.debtor, terms.bank, terms.face, certificate.due)
        .map_err(ReceivableError::Settlement)?;
    emit(&ReceivableEvent::Accepted { certificate: id, creditor });
    Ok(())
}

/// The first creditor does not want it. Nobody can be made to take a certificate for an invoice.
pub fn refuse(creditor: AccountId, id: CertificateId) -> Result<(), ReceivableError> {
    let certificate = offered_to(creditor, id)?;
    env::authorize(creditor, "receivable.refuse", certificate.terms.face.currency, 0)
        .map_err(ReceivableError::Unauthorized)?;
    void(certificate, CertificateState::Refused)?;
    emit(&ReceivableEvent::Refused { certificate: id, creditor });
    Ok(())
}

/// The agenda comes to the day after the last day of acceptance.
pub fn expire(id: CertificateId) -> Result<(), ReceivableError> {
    ensure_agenda()?;
    let certificate = load(id)?;
    if certificate.state != CertificateState::Offered {
        return Ok(());
    }
    let creditor = certificate.terms.creditor;
    void(certificate, CertificateState::Expired)?;
    emit(&ReceivableEvent::Expired { certificate: id, creditor });
    Ok(())
}

fn offered_to(creditor: AccountId, id: CertificateId) -> Result<Certificate, ReceivableError> {
    let certificate = load(id)?;
    ensure!(certificate.terms.creditor == creditor, ReceivableError::NotCreditor);
    let (state, needed) = (certificate.state, CertificateState::Offered);
    ensure!(
        state != CertificateState::Expired,
        ReceivableError::OfferExpired { expired: certificate.terms.accept_until }
    );
    ensure!(state == needed, ReceivableError::CertificateState { state, needed });
    Ok(certificate)
}

/// Ends an unaccepted certificate and frees its invoice.
fn void(mut certificate: Certificate, state: CertificateState) -> Result<(), ReceivableError> {
    let (id, face) = (certificate.id, certificate.terms.face);
    certificate.state = state;
    take(&mut certificate, Sum::Cancelled, face.minor)?;
    CERTIFICATES.set(&id, &certificate);
    let mut root = PartRecord::load(certificate.root)?;
    root.status = Status::Cancelled;
    PARTS.set(&certificate.root, &root);
    take_off_agenda(id, |_| true);
    trade::api::Client::new().release(certificate.terms.invoice, face).map_err(ReceivableError::Documents)
}

/// Where what is owed no more goes.
#[derive(Clone, Copy)]
pub enum Sum {
    Settled,
    Diluted,
    Cancelled,
}

/// So much is owed no more.
pub fn take(certificate: &mut Certificate, sum: Sum, minor: i128) -> Result<(), ReceivableError> {
    let totals = &mut certificate.totals;
    let amount = Money::new(minor, totals.face.currency);
    totals.outstanding = totals.outstanding.checked_sub(amount).map_err(ReceivableError::Terms)?;
    let sum = match sum {
        Sum::Settled => &mut totals.settled,
        Sum::Diluted => &mut totals.diluted,
        Sum::Cancelled => &mut totals.cancelled,
    };
    *sum = sum.checked_add(amount).map_err(ReceivableError::Terms)?;
    debt::take_off(certificate.debtor, amount)
}

/// Nothing is owed any more: the invoice learns what was paid on it.
pub fn close(mut certificate: Certificate, state: CertificateState) -> Result<(), ReceivableError> {
    let (id, debtor, settled) = (certificate.id, certificate.debtor, certificate.totals.settled);
    take_off_agenda(id, |_| true);
    certificate.state = state;
    CERTIFICATES.set(&id, &certificate);
    if settled.is_positive() {
        trade::api::Client::new().settle(certificate.terms.invoice, settled).map_err(ReceivableError::Documents)?;
    }
    emit(&match state {
        CertificateState::Settled => ReceivableEvent::Settled { certificate: id, debtor },
        _ => ReceivableEvent::Voided { certificate: id, debtor, state },
    });
    Ok(())
}

/// Puts a step of the certificate on the agenda and keeps note of it.
pub fn put_on_agenda(id: CertificateId, due: i32, purpose: DuePurpose) -> Result<(), ReceivableError> {
    let (message, gas) = match purpose {
        DuePurpose::Expiry => (Call::ExpireCertificate { certificate: id }, EXPIRY_GAS),
        DuePurpose::Maturity => (Call::Mature { certificate: id }, PAYMENT_GAS),
        DuePurpose::Continuation => (Call::ContinuePayment { certificate: id }, PAYMENT_GAS),
        DuePurpose::Collection(attempt) => (Call::RetryCollection { certificate: id, attempt }, PAYMENT_GAS),
    };
    let entry = schedule(due, &message, gas).map_err(ReceivableError::Agenda)?;
    let mut entries = AGENDA.get(&id).unwrap_or_default();
    entries.push(DueEntry { entry, due: BusinessDate(due), purpose });
    AGENDA.set(&id, &entries);
    Ok(())
}

/// Removes the steps that are meant from the agenda; the one that is just running is only forgotten.
pub fn take_off_agenda(id: CertificateId, meant: impl Fn(&DueEntry) -> bool) {
    let running = env::transaction_id();
    let (gone, kept): (Vec<DueEntry>, Vec<DueEntry>) = AGENDA.get(&id).unwrap_or_default().into_iter().partition(meant);
    for due in gone.iter().filter(|due| due.entry != running) {
        env::cancel_schedule(due.entry);
    }
    if kept.is_empty() { AGENDA.remove(&id) } else { AGENDA.set(&id, &kept) }
}

/// Notes that the running agenda entry is done with.
pub fn forget_running(id: CertificateId) {
    let running = env::transaction_id();
    take_off_agenda(id, |due| due.entry == running);
}
