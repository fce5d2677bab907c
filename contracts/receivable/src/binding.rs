//! What binds a part without moving it: holds and disputes, by order of a court or by word of both sides.
//!
//! A held part is paid on its day like all others; a disputed one is not, until both sides or an award resolve it. What it then loses is owed no
//! more; the rest is owed as before, and where the due date has passed it is collected as overdue. Must never let one side alone end what binds the
//! other.

use portolan_interface::{
    AccountId, CertificateId, Hash, Money, PartId, Role, TermsError,
    receivable::{
        Certificate, CertificateState, ClaimKind, DEFAULT_DISPUTE_DAYS, DISPUTE_PARAMETER, PartAct, PartState,
        ReceivableError, ReceivableEvent, api::emit,
    },
    settlement, trade,
};
use portolan_sdk::{ensure, env};

use crate::{
    DISPUTED, HOPS, PARTS, cancellation,
    certificate::{self, Sum, take},
    claims, payment,
    record::{Agreement, Binding, Notes, PartRecord, Status},
    run, transfer,
};

/// Minor units of a certificate that are in dispute.
pub fn disputed(id: CertificateId) -> i128 {
    DISPUTED.get(&id).unwrap_or(0)
}

pub fn set_disputed(id: CertificateId, minor: i128) {
    if minor == 0 { DISPUTED.remove(&id) } else { DISPUTED.set(&id, &minor) }
}

/// A regulator carries out an order of a court, or an award.
pub fn order(regulator: AccountId, part: PartId, act: PartAct, reference: Hash) -> Result<(), ReceivableError> {
    let record = PartRecord::load(part)?;
    env::authorize(regulator, "receivable.order", record.currency, 0).map_err(ReceivableError::Unauthorized)?;
    let member = env::member_of(regulator).ok_or(ReceivableError::UnknownAccount)?;
    ensure!(env::has_role(member, Role::Regulator), ReceivableError::NotRegulator);
    carry_out(part, record, act, reference, true)
}

/// One side names an act; when the other has named the same, it is carried out.
pub fn agree(party: AccountId, part: PartId, act: PartAct, reference: Hash) -> Result<(), ReceivableError> {
    let record = PartRecord::load(part)?;
    let (debtor, holder) = (certificate::load(record.certificate)?.debtor, record.holder);
    ensure!(party == debtor || party == holder, ReceivableError::NotParty);
    env::authorize(party, "receivable.agree", record.currency, 0).map_err(ReceivableError::Unauthorized)?;
    let other = if party == debtor { holder } else { debtor };
    let mut notes = Notes::of(part);
    let same = notes.agreement.as_ref().filter(|said| said.act == act && said.reference == reference);
    match same.map(|said| said.by) {
        Some(by) if by == party => Err(ReceivableError::AlreadyAgreed),
        Some(by) if by == other => {
            notes.agreement = None;
            notes.keep(part);
            carry_out(part, record, act, reference, false)
        }
        // The first word, or one that a former holder left.
        _ => {
            notes.agreement = Some(Agreement { by: party, act: act.clone(), reference });
            notes.keep(part);
            emit(&ReceivableEvent::ActProposed { part, by: party, other, act, reference });
            Ok(())
        }
    }
}

fn carry_out(
    part: PartId,
    record: PartRecord,
    act: PartAct,
    reference: Hash,
    by_court: bool,
) -> Result<(), ReceivableError> {
    match act {
        PartAct::Hold => hold(part, record, reference, by_court),
        PartAct::Release => release(part, record, reference, by_court),
        PartAct::Resolve { lost } => resolve(part, record, lost, reference),
    }
}

/// Passes for a part that can be bound: of a live certificate, and bound by nothing but what its own holder can take back. The parts of a cancelled
/// one would come back to life by a hold and its release.
fn ensure_unbound(certificate: &Certificate, record: &PartRecord) -> Result<(), ReceivableError> {
    let (state, needed) = (certificate.state, CertificateState::Live);
    ensure!(state == needed, ReceivableError::CertificateState { state, needed });
    record.ensure_unbound()
}

fn hold(part: PartId, mut record: PartRecord, reference: Hash, by_court: bool) -> Result<(), ReceivableError> {
    ensure_unbound(&certificate::load(record.certificate)?, &record)?;
    end_open(part, &mut record)?;
    record.status = Status::Held(Binding { reference, by_court, financing: record.financing() });
    PARTS.set(&part, &record);
    emit(&ReceivableEvent::Held { part, holder: record.holder, reference });
    Ok(())
}

fn release(part: PartId, mut record: PartRecord, reference: Hash, by_court: bool) -> Result<(), ReceivableError> {
    let (state, needed) = (record.state(), PartState::Held);
    ensure!(state == needed, ReceivableError::PartState { state, needed });
    let court_holds = record.binding().is_some_and(|binding| binding.by_court);
    ensure!(by_court || !court_holds, ReceivableError::HeldByCourt);
    record.unbind();
    PARTS.set(&part, &record);
    emit(&ReceivableEvent::Released { part, holder: record.holder, reference });
    Ok(())
}

/// What its holder had begun on a part ends when something binds or lowers it.
pub fn end_open(part: PartId, record: &mut PartRecord) -> Result<(), ReceivableError> {
    transfer::overtake(part, record);
    cancellation::overtake(part, record)
}

/// The debtor disputes a leaf before it is due.
pub fn dispute(debtor: AccountId, part: PartId, reason: Hash, fraud: bool) -> Result<(), ReceivableError> {
    let mut record = PartRecord::load(part)?;
    let certificate = certificate::load(record.certificate)?;
    ensure!(certificate.debtor == debtor, ReceivableError::NotDebtor);
    env::authorize(debtor, "receivable.dispute", record.currency, 0).map_err(ReceivableError::Unauthorized)?;
    ensure_unbound(&certificate, &record)?;
    let days = env::parameter::<u16>(DISPUTE_PARAMETER).unwrap_or(DEFAULT_DISPUTE_DAYS);
    let until = certificate.issued.add_days(i32::from(days)).map_err(ReceivableError::Terms)?;
    ensure!(env::business_date() <= until.0, ReceivableError::DisputeWindow { until });
    ensure!(fraud || !is_acknowledged(part, &record)?, ReceivableError::Acknowledged);
    end_open(part, &mut record)?;
    record.status = Status::Disputed(Binding { reference: reason, by_court: false, financing: record.financing() });
    PARTS.set(&part, &record);
    let amount = record.money(record.outstanding())?;
    let sum = disputed(certificate.id).checked_add(amount.minor).ok_or(ReceivableError::Terms(TermsError::Overflow))?;
    set_disputed(certificate.id, sum);
    emit(&ReceivableEvent::DisputeOpened { part, debtor, holder: record.holder, amount, reason, fraud });
    Ok(())
}

/// The debtor takes notice of who holds a part, and objects to nothing.
pub fn acknowledge(debtor: AccountId, part: PartId) -> Result<(), ReceivableError> {
    let record = PartRecord::load(part)?;
    let certificate = certificate::load(record.certificate)?;
    ensure!(certificate.debtor == debtor, ReceivableError::NotDebtor);
    env::authorize(debtor, "receivable.acknowledge", record.currency, 0).map_err(ReceivableError::Unauthorized)?;
    ensure_unbound(&certificate, &record)?;
    let mut notes = Notes::of(part);
    notes.acknowledged = true;
    notes.keep(part);
    emit(&ReceivableEvent::AssignmentAcknowledged { part, debtor, holder: record.holder });
    Ok(())
}

/// Whether the debtor has acknowledged the part, or one that it was split from.
fn is_acknowledged(part: PartId, record: &PartRecord) -> Result<bool, ReceivableError> {
    let (mut part, mut parent) = (part, record.parent);
    loop {
        if Notes::of(part).acknowledged {
            return Ok(true);
        }
        let Some(above) = parent else { return Ok(false) };
        (part, parent) = (above, PartRecord::load(above)?.parent);
    }
}

/// A dispute ends: the part loses something, or nothing, and the rest is owed.
fn resolve(part: PartId, mut record: PartRecord, lost: Money, reference: Hash) -> Result<(), ReceivableError> {
    let (state, needed) = (record.state(), PartState::Disputed);
    ensure!(state == needed, ReceivableError::PartState { state, needed });
    let mut certificate = certificate::load(record.certificate)?;
    let due = ensure_at_rest(&certificate)?;
    let outstanding = record.money(record.outstanding())?;
    let left = outstanding.checked_sub(lost).map_err(ReceivableError::Terms)?;
    ensure!(lost.minor >= 0 && left.minor >= 0, ReceivableError::LossRange { outstanding });
    set_disputed(certificate.id, disputed(certificate.id) - outstanding.minor);
    record.unbind();
    if lost.is_positive() {
        lower(&mut certificate, part, &mut record, lost)?;
        trade::api::Client::new().release(certificate.terms.invoice, lost).map_err(ReceivableError::Documents)?;
    }
    PARTS.set(&part, &record);
    owe(&certificate, due, lost, left)?;
    emit(&ReceivableEvent::DisputeResolved { part, holder: record.holder, lost, outstanding: left, reference });
    payment::changed(certificate)
}

/// Passes while nothing is being paid out or taken off; answers whether the due date has run.
pub fn ensure_at_rest(certificate: &Certificate) -> Result<bool, ReceivableError> {
    run::ensure_none(certificate.id)?;
    match certificate.state {
        CertificateState::Live => Ok(false),
        CertificateState::Overdue | CertificateState::Disputed => Ok(true),
        state => Err(ReceivableError::CertificateState { state, needed: CertificateState::Live }),
    }
}

/// What is in dispute was taken off the claim on the due date, and before that it is part of it.
fn owe(certificate: &Certificate, due: bool, lost: Money, left: Money) -> Result<(), ReceivableError> {
    let client = settlement::api::Client::new();
    let told = match due {
        false if lost.is_positive() => client.reduce(certificate.id, lost),
        true if left.is_positive() => client.restore(certificate.id, left),
        _ => Ok(()),
    };
    told.map_err(ReceivableError::Settlement)
}

/// A leaf loses something; who sold it to a funder owes the funder the difference.
pub fn lower(
    certificate: &mut Certificate,
    part: PartId,
    record: &mut PartRecord,
    lost: Money,
) -> Result<(), ReceivableError> {
    let minor = u128::try_from(lost.minor).map_err(|_| ReceivableError::Terms(TermsError::Negative))?;
    record.diluted = record.diluted.checked_add(minor).ok_or(ReceivableError::Terms(TermsError::Overflow))?;
    if record.financing().is_some() {
        // A financed part is not split or passed on: its last change of holder is the sale.
        let sale = record.hops.checked_sub(1).and_then(|number| HOPS.get(&(part, number)));
        if let Some(sale) = sale {
            claims::make(ClaimKind::Shortfall, part, record.holder, sale.from, lost);
        }
    }
    take(certificate, Sum::Diluted, lost.minor)
}
