//! Passing a part on: offer, acceptance, and the ways an offer ends; and the sale to a funder, which `financing` brings.

use portolan_interface::{
    AccountId, BusinessDate, FinancingId, PartId, access,
    financing::api::CONTRACT as FINANCING,
    receivable::{
        Hop, HopKind, MAX_HOPS, OfferEnd, PartFacts, PartState, ReceivableError, ReceivableEvent, Recourse,
        TransferOffer,
        api::{Call, emit, schedule},
    },
};
use portolan_sdk::{ensure, env};

use crate::{
    ARRIVALS, HOPS, PARTS, certificate,
    record::{OpenOffer, PartRecord, Status},
};

/// Gas of the agenda's entry on which an offer lapses.
const LAPSE_GAS: u64 = 2_000_000;

/// Offers a live part; it is locked until the offer ends.
pub fn offer(
    holder: AccountId,
    part: PartId,
    to: AccountId,
    recourse: Recourse,
    expires: BusinessDate,
) -> Result<(), ReceivableError> {
    let mut record = PartRecord::load(part)?;
    record.held_by(holder)?;
    let amount = record.money(record.outstanding())?;
    env::authorize(holder, "receivable.transfer", amount.currency, amount.minor)
        .map_err(ReceivableError::Unauthorized)?;
    record.ensure_live()?;
    ensure!(record.transferable, ReceivableError::NotTransferable);
    ensure!(record.chain < MAX_HOPS, ReceivableError::TooManyHops);
    ensure!(to != holder, ReceivableError::SameHolder);
    ensure_may_commit(holder)?;
    ensure_may_receive(to)?;
    let in_window = env::business_date() <= expires.0 && expires <= record.due;
    ensure!(in_window, ReceivableError::OfferWindow { latest: record.due });
    let lapse = Call::ExpireOffer { part, expires };
    let entry = schedule(expires.0 + 1, &lapse, LAPSE_GAS).map_err(ReceivableError::Agenda)?;
    let arrival = ARRIVALS.push(&to, &part);
    record.status = Status::Offered(OpenOffer { terms: TransferOffer { to, recourse, expires }, arrival, entry });
    PARTS.set(&part, &record);
    emit(&ReceivableEvent::TransferOffered { part, from: holder, to, recourse, expires });
    Ok(())
}

/// The receiver becomes the holder. Giver and receiver must be in standing now, not only when it was offered.
pub fn accept(receiver: AccountId, part: PartId) -> Result<(), ReceivableError> {
    let mut record = PartRecord::load(part)?;
    let offer = open_offer(&record, receiver)?;
    env::authorize(receiver, "receivable.accept-transfer", record.currency, 0)
        .map_err(ReceivableError::Unauthorized)?;
    record.ensure_not_due()?;
    let expired = offer.terms.expires;
    ensure!(env::business_date() <= expired.0, ReceivableError::OfferExpired { expired });
    ensure_may_receive(receiver)?;
    ensure_may_receive(record.holder)?;
    env::cancel_schedule(offer.entry);
    record.status = Status::Live;
    hand_over(part, &mut record, receiver, offer.arrival, HopKind::Assignment, offer.terms.recourse)
}

/// The receiver does not want it.
pub fn reject(receiver: AccountId, part: PartId) -> Result<(), ReceivableError> {
    let record = PartRecord::load(part)?;
    let offer = open_offer(&record, receiver)?;
    env::authorize(receiver, "receivable.reject-transfer", record.currency, 0)
        .map_err(ReceivableError::Unauthorized)?;
    env::cancel_schedule(offer.entry);
    end_offer(part, record, offer.terms, OfferEnd::Rejected);
    Ok(())
}

/// The holder takes the offer back.
pub fn withdraw(holder: AccountId, part: PartId) -> Result<(), ReceivableError> {
    let record = PartRecord::load(part)?;
    record.held_by(holder)?;
    env::authorize(holder, "receivable.withdraw-transfer", record.currency, 0)
        .map_err(ReceivableError::Unauthorized)?;
    let (state, needed) = (record.state(), PartState::Offered);
    let offer = record.offer().cloned().ok_or(ReceivableError::PartState { state, needed })?;
    env::cancel_schedule(offer.entry);
    end_offer(part, record, offer.terms, OfferEnd::Withdrawn);
    Ok(())
}

/// The agenda comes to the day after an offer's last day. An offer that ended before left no entry, and one that payment ended needs none.
pub fn lapse(part: PartId, expires: BusinessDate) -> Result<(), ReceivableError> {
    certificate::ensure_agenda()?;
    let record = PartRecord::load(part)?;
    let lapsed = record.offer().filter(|offer| offer.terms.expires == expires).map(|offer| offer.terms.clone());
    if let Some(terms) = lapsed {
        end_offer(part, record, terms, OfferEnd::Lapsed);
    }
    Ok(())
}

fn end_offer(part: PartId, mut record: PartRecord, terms: TransferOffer, how: OfferEnd) {
    let (from, to) = (record.holder, terms.to);
    record.status = if how == OfferEnd::Lapsed { Status::Lapsed(terms) } else { Status::Live };
    PARTS.set(&part, &record);
    emit(&ReceivableEvent::OfferEnded { part, from, to, how });
}

/// Something bound or lowered the part: an open offer is for what the part is no more.
pub fn overtake(part: PartId, record: &mut PartRecord) {
    let Some(offer) = record.offer() else { return };
    env::cancel_schedule(offer.entry);
    let (from, to) = (record.holder, offer.terms.to);
    record.status = Status::Live;
    emit(&ReceivableEvent::OfferEnded { part, from, to, how: OfferEnd::Overtaken });
}

/// The offer to this receiver.
fn open_offer(record: &PartRecord, receiver: AccountId) -> Result<OpenOffer, ReceivableError> {
    match &record.status {
        Status::Offered(offer) => {
            ensure!(offer.terms.to == receiver, ReceivableError::NotReceiver);
            Ok(offer.clone())
        }
        Status::Unaccepted => Err(ReceivableError::NotReceiver),
        Status::Lapsed(terms) if terms.to == receiver => Err(ReceivableError::OfferExpired { expired: terms.expires }),
        _ => Err(ReceivableError::PartState { state: record.state(), needed: PartState::Offered }),
    }
}

/// Records the change of holder and gives the debtor notice of it by the event.
pub fn hand_over(
    part: PartId,
    record: &mut PartRecord,
    to: AccountId,
    arrival: u32,
    kind: HopKind,
    recourse: Recourse,
) -> Result<(), ReceivableError> {
    let from = record.holder;
    let hop = Hop { kind, from, to, recourse, date: BusinessDate(env::business_date()), height: env::block_height() };
    HOPS.set(&(part, record.hops), &hop);
    record.holder = to;
    record.arrival = arrival;
    record.hops += 1;
    record.chain += 1;
    PARTS.set(&part, record);
    let debtor = certificate::load(record.certificate)?.debtor;
    emit(&ReceivableEvent::Transferred {
        part,
        debtor,
        from,
        to,
        amount: record.money(record.outstanding())?,
        recourse,
        kind,
    });
    Ok(())
}

/// What `financing` must know of a part.
pub fn facts(part: PartId) -> Result<PartFacts, ReceivableError> {
    ensure!(access::called_by(FINANCING), ReceivableError::NotTrusted);
    let record = PartRecord::load(part)?;
    let certificate = certificate::load(record.certificate)?;
    Ok(PartFacts {
        certificate: certificate.id,
        invoice: certificate.terms.invoice,
        debtor: certificate.debtor,
        holder: record.holder,
        outstanding: record.money(record.outstanding_under(certificate.state))?,
        due: record.due,
        state: record.state_under(certificate.state),
        financing: record.financing(),
    })
}

/// A funder has bought a live part: it holds it until it is due.
pub fn discount(
    part: PartId,
    borrower: AccountId,
    funder: AccountId,
    recourse: Recourse,
    financing: FinancingId,
) -> Result<(), ReceivableError> {
    ensure!(access::called_by(FINANCING), ReceivableError::NotTrusted);
    let mut record = PartRecord::load(part)?;
    record.held_by(borrower)?;
    record.ensure_live()?;
    ensure!(record.transferable, ReceivableError::NotTransferable);
    ensure!(record.chain < MAX_HOPS, ReceivableError::TooManyHops);
    ensure_may_commit(borrower)?;
    ensure_may_receive(funder)?;
    let arrival = ARRIVALS.push(&funder, &part);
    record.status = Status::Financed(financing);
    hand_over(part, &mut record, funder, arrival, HopKind::Discount, recourse)
}

/// Passes when claims may come to the account's member.
pub fn ensure_may_receive(account: AccountId) -> Result<(), ReceivableError> {
    let (_, status) = access::standing(account).ok_or(ReceivableError::UnknownAccount)?;
    ensure!(access::may_receive(status), ReceivableError::MemberNotActive { status });
    Ok(())
}

/// Passes when the account's member may give claims away.
pub fn ensure_may_commit(account: AccountId) -> Result<(), ReceivableError> {
    let (_, status) = access::standing(account).ok_or(ReceivableError::UnknownAccount)?;
    ensure!(access::may_commit(status), ReceivableError::MemberNotActive { status });
    Ok(())
}
