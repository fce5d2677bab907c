//! What happens on the due date: the deposit is asked, the leaves are paid, in full or pro rata, in batches that each fit one agenda entry.
//!
//! A payment that does not suffice goes over the leaves twice: first to weigh them (floors and remainders of their shares), then to pay, so that
//! the leftover units go to the largest remainders over all leaves, however many entries it takes. Nothing else can move meanwhile, since no
//! part of a certificate that is due moves.

use alloc::vec::Vec;

use codec::{Decode, Encode};
use portolan_interface::{
    BusinessDate, CertificateId, Money, TermsError,
    receivable::{
        COLLECTION_ATTEMPTS, Certificate, CertificateState, DuePurpose, ReceivableError, ReceivableEvent, api::emit,
    },
    settlement::{self, MAX_PAYMENTS, Payment},
};
use portolan_sdk::{ensure, env};
use portolan_terms::{
    Convention, DayStatus, adjust,
    spread::{Share, share},
};

use crate::{
    AGENDA, CERTIFICATES, PARTS, REMAINDERS, RUNS, binding,
    certificate::{Sum, close, ensure_agenda, forget_running, load, put_on_agenda, take, take_off_agenda},
    record::{PartRecord, Status},
    tree::Walk,
};

/// Leaves that one agenda entry weighs.
const WEIGHED_AT_ONCE: usize = 256;
/// Leaves that one agenda entry pays.
const PAID_AT_ONCE: usize = MAX_PAYMENTS;

/// A payment under way.
#[derive(Clone, Encode, Decode)]
pub struct Run {
    /// Minor units owed on all leaves when it began.
    owed: i128,
    /// Minor units set aside for it.
    available: i128,
    /// The next attempt of the agenda's if this does not suffice.
    next_attempt: Option<u8>,
    phase: Phase,
    /// Path to the leaf that comes next.
    path: Vec<u16>,
}

/// What is being done to the leaves.
#[derive(Clone, Encode, Decode)]
enum Phase {
    /// Adding up the shares.
    #[codec(index = 0)]
    Weighing {
        /// Sum of the floors so far.
        floors: i128,
        /// Pages of remainders so far.
        pages: u16,
    },
    /// Paying everybody in full.
    #[codec(index = 1)]
    PayingAll,
    /// Paying shares.
    #[codec(index = 2)]
    PayingShares(Leftover),
}

/// Who gets one of the units that the floors leave over.
#[derive(Clone, Copy, Encode, Decode)]
struct Leftover {
    /// Every remainder above this does.
    above: u128,
    /// And the first so many that equal it.
    equal: u32,
}

/// The due date has come.
pub fn mature(id: CertificateId) -> Result<(), ReceivableError> {
    ensure_agenda()?;
    forget_running(id);
    let certificate = load(id)?;
    let (state, needed) = (certificate.state, CertificateState::Live);
    ensure!(state == needed, ReceivableError::CertificateState { state, needed });
    begin(certificate, Some(1)).map(|_| ())
}

/// Payment goes on with the next leaves.
pub fn go_on(id: CertificateId) -> Result<(), ReceivableError> {
    ensure_agenda()?;
    forget_running(id);
    let certificate = load(id)?;
    match RUNS.get(&id) {
        Some(run) => advance(certificate, run),
        None => Ok(()),
    }
}

/// The agenda tries again what is overdue.
pub fn retry(id: CertificateId, attempt: u8) -> Result<(), ReceivableError> {
    ensure_agenda()?;
    forget_running(id);
    let certificate = load(id)?;
    match certificate.state {
        CertificateState::Overdue => begin(certificate, Some(attempt.saturating_add(1))).map(|_| ()),
        // Somebody collected in between, and that is still being paid out: the next day sees what is left.
        CertificateState::Settling => schedule_attempt(&certificate, Some(attempt.saturating_add(1))),
        _ => Ok(()),
    }
}

/// Anybody may ask whether what is overdue can be collected now; asking in vain changes nothing.
pub fn collect(id: CertificateId) -> Result<(), ReceivableError> {
    let certificate = load(id)?;
    let (state, needed) = (certificate.state, CertificateState::Overdue);
    ensure!(state == needed, ReceivableError::CertificateState { state, needed });
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
    let phase = if available == owed { Phase::PayingAll } else { Phase::Weighing { floors: 0, pages: 0 } };
    advance(certificate, Run { owed: owed.minor, available: available.minor, next_attempt, phase, path: Vec::new() })?;
    Ok(true)
}

/// Does one entry's worth of work, and puts the rest on the agenda.
fn advance(mut certificate: Certificate, mut run: Run) -> Result<(), ReceivableError> {
    if let Phase::Weighing { floors, pages } = run.phase {
        weigh(&certificate, &mut run, floors, pages)?;
    }
    let done = match run.phase {
        Phase::Weighing { .. } => false,
        Phase::PayingAll => pay(&mut certificate, &mut run, None)?,
        Phase::PayingShares(leftover) => pay(&mut certificate, &mut run, Some(leftover))?,
    };
    if done {
        return finish(certificate, &run);
    }
    CERTIFICATES.set(&certificate.id, &certificate);
    RUNS.set(&certificate.id, &run);
    put_on_agenda(certificate.id, env::business_date(), DuePurpose::Continuation)
}

/// Visits up to `limit` leaves from the run's place on, and moves the place; answers whether the tree has come to its end.
fn visit(
    certificate: &Certificate,
    run: &mut Run,
    limit: usize,
    mut leaf: impl FnMut(portolan_interface::PartId, PartRecord) -> Result<(), ReceivableError>,
) -> Result<bool, ReceivableError> {
    let mut walk = Walk::from_path(certificate.root, &run.path)?;
    let mut visited = 0;
    while let Some(id) = walk.current() {
        if visited == limit {
            run.path = walk.path().to_vec();
            return Ok(false);
        }
        let record = PartRecord::load(id)?;
        walk.step(record.children);
        if record.children == 0 {
            visited += 1;
            leaf(id, record)?;
        }
    }
    run.path.clear();
    Ok(true)
}

/// What a leaf is owed of what is paid now: nothing while it is in dispute.
fn owed_on(record: &PartRecord) -> Result<i128, ReceivableError> {
    let disputed = matches!(record.status, Status::Disputed(_));
    record.money(if disputed { 0 } else { record.outstanding() }).map(|money| money.minor)
}

/// A leaf's share of what is available.
fn share_of(run: &Run, record: &PartRecord) -> Result<Share, ReceivableError> {
    let outstanding = owed_on(record)?;
    share(run.available, outstanding, run.owed).map_err(ReceivableError::Terms)
}

fn weigh(certificate: &Certificate, run: &mut Run, mut floors: i128, pages: u16) -> Result<(), ReceivableError> {
    let mut remainders = Vec::new();
    let fixed = run.clone();
    let done = visit(certificate, run, WEIGHED_AT_ONCE, |_, record| {
        let share = share_of(&fixed, &record)?;
        floors = add(floors, share.floor)?;
        remainders.push(share.remainder);
        Ok(())
    })?;
    if done {
        run.phase = Phase::PayingShares(leftover(certificate.id, run.available - floors, pages, remainders));
    } else {
        REMAINDERS.set(&(certificate.id, pages), &remainders);
        run.phase = Phase::Weighing { floors, pages: pages + 1 };
    }
    Ok(())
}

/// Finds the smallest remainder that still gets a unit, from the stored pages and the last one.
fn leftover(id: CertificateId, units: i128, pages: u16, last: Vec<u128>) -> Leftover {
    let mut remainders = last;
    for page in 0..pages {
        remainders.extend(REMAINDERS.get(&(id, page)).unwrap_or_default());
        REMAINDERS.remove(&(id, page));
    }
    remainders.sort_unstable_by(|left, right| right.cmp(left));
    let units = usize::try_from(units).unwrap_or(0);
    match units.checked_sub(1).and_then(|position| remainders.get(position)) {
        None => Leftover { above: u128::MAX, equal: 0 },
        Some(smallest) => {
            let greater = remainders.iter().take_while(|remainder| *remainder > smallest).count();
            // At most as many as there are leaves, which are far fewer than 2^32.
            Leftover { above: *smallest, equal: u32::try_from(units - greater).unwrap_or(u32::MAX) }
        }
    }
}

/// Pays the next leaves; answers whether all are done.
fn pay(certificate: &mut Certificate, run: &mut Run, leftover: Option<Leftover>) -> Result<bool, ReceivableError> {
    let mut leftover = leftover;
    let mut payments = Vec::new();
    let mut paid = 0;
    let fixed = run.clone();
    let done = visit(certificate, run, PAID_AT_ONCE, |id, mut record| {
        let minor = match &mut leftover {
            None => owed_on(&record)?,
            Some(leftover) => with_leftover(share_of(&fixed, &record)?, leftover),
        };
        if minor == 0 {
            return Ok(());
        }
        paid = add(paid, minor)?;
        payments.push(settle_leaf(id, &mut record, minor)?);
        Ok(())
    })?;
    if let Some(leftover) = leftover {
        run.phase = Phase::PayingShares(leftover);
    }
    if !payments.is_empty() {
        settlement::api::Client::new().pay(certificate.id, payments).map_err(ReceivableError::Settlement)?;
    }
    take(certificate, Sum::Settled, paid)?;
    Ok(done)
}

/// The floor, and a unit more for the largest remainders, ties by position.
fn with_leftover(share: Share, leftover: &mut Leftover) -> i128 {
    let tie = share.remainder == leftover.above && leftover.equal > 0;
    if tie {
        leftover.equal -= 1;
    }
    share.floor + i128::from(tie || share.remainder > leftover.above)
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

/// All leaves had their turn.
fn finish(certificate: Certificate, run: &Run) -> Result<(), ReceivableError> {
    RUNS.remove(&certificate.id);
    rest(certificate, run.next_attempt)
}

/// What becomes of a certificate that is due, given what is left of it.
fn rest(mut certificate: Certificate, next_attempt: Option<u8>) -> Result<(), ReceivableError> {
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

fn add(left: i128, right: i128) -> Result<i128, ReceivableError> {
    left.checked_add(right).ok_or(ReceivableError::Terms(TermsError::Overflow))
}
