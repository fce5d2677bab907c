//! Early payment for a discount: the debtor offers, the holder chooses, and the debtor's deposit pays at once.
//!
//! The claim falls by the whole part: what is paid and what is given up. Must never pay a holder who has not chosen it, nor by an offer that was for
//! another holder or amount.

use portolan_interface::{
    AccountId, BusinessDate, DayCount, Money, PartId, Ppm, TermsError,
    receivable::{Certificate, EarlyOffer, ReceivableError, ReceivableEvent, api::emit},
    settlement::{self, Payment},
};
use portolan_sdk::{ensure, env};
use portolan_terms::Interest;

use crate::{
    PARTS,
    certificate::{self, Sum, take},
    payment,
    record::{Notes, PartRecord},
    run,
    transfer::{ensure_may_commit, ensure_may_receive},
};

/// One whole.
const MILLION: Ppm = Ppm(1_000_000);

/// The debtor offers to pay a live part early.
pub fn offer(
    debtor: AccountId,
    part: PartId,
    rate: Ppm,
    day_count: DayCount,
    expires: BusinessDate,
) -> Result<(), ReceivableError> {
    let record = PartRecord::load(part)?;
    of_debtor(debtor, &record)?;
    let amount = record.money(record.outstanding())?;
    env::authorize(debtor, "receivable.offer-early-payment", amount.currency, amount.minor)
        .map_err(ReceivableError::Unauthorized)?;
    record.ensure_live()?;
    ensure_may_commit(debtor)?;
    ensure!(rate <= MILLION, ReceivableError::UnsoundDiscount);
    let latest = BusinessDate(record.due.0 - 1);
    ensure!(env::business_date() <= expires.0 && expires <= latest, ReceivableError::OfferWindow { latest });
    let offer = EarlyOffer { to: record.holder, amount, rate, day_count, expires };
    note(part, debtor, record.holder, Some(offer));
    Ok(())
}

/// The debtor takes it back.
pub fn withdraw(debtor: AccountId, part: PartId) -> Result<(), ReceivableError> {
    let record = PartRecord::load(part)?;
    of_debtor(debtor, &record)?;
    env::authorize(debtor, "receivable.withdraw-early-payment", record.currency, 0)
        .map_err(ReceivableError::Unauthorized)?;
    let offer = Notes::of(part).early.ok_or(ReceivableError::NoEarlyOffer)?;
    note(part, debtor, offer.to, None);
    Ok(())
}

fn of_debtor(debtor: AccountId, record: &PartRecord) -> Result<(), ReceivableError> {
    ensure!(certificate::load(record.certificate)?.debtor == debtor, ReceivableError::NotDebtor);
    Ok(())
}

fn note(part: PartId, debtor: AccountId, holder: AccountId, offer: Option<EarlyOffer>) {
    let mut notes = Notes::of(part);
    notes.early.clone_from(&offer);
    notes.keep(part);
    emit(&ReceivableEvent::EarlyPaymentOffered { part, debtor, holder, offer });
}

/// The holder takes early payment.
pub fn accept(holder: AccountId, part: PartId) -> Result<(), ReceivableError> {
    let mut record = PartRecord::load(part)?;
    record.held_by(holder)?;
    let amount = record.money(record.outstanding())?;
    env::authorize(holder, "receivable.accept-early-payment", amount.currency, amount.minor)
        .map_err(ReceivableError::Unauthorized)?;
    record.ensure_live()?;
    let mut notes = Notes::of(part);
    let offer = notes.early.take().filter(|offer| offer.to == holder).ok_or(ReceivableError::NoEarlyOffer)?;
    ensure!(env::business_date() <= offer.expires.0, ReceivableError::OfferExpired { expired: offer.expires });
    ensure!(offer.amount == amount, ReceivableError::EarlyOfferStale { offered: offer.amount });
    let mut certificate = certificate::load(record.certificate)?;
    run::ensure_none(certificate.id)?;
    ensure_may_receive(holder)?;
    ensure_may_receive(certificate.debtor)?;
    let discount = discount(&offer, amount, record.due)?;
    let paid = amount.checked_sub(discount).map_err(ReceivableError::Terms)?;
    pay(&certificate, part, holder, paid, discount)?;
    let minor = u128::try_from(amount.minor).map_err(|_| ReceivableError::Terms(TermsError::Negative))?;
    record.settled = record.settled.checked_add(minor).ok_or(ReceivableError::Terms(TermsError::Overflow))?;
    PARTS.set(&part, &record);
    notes.keep(part);
    take(&mut certificate, Sum::Settled, amount.minor)?;
    emit(&ReceivableEvent::PaidEarly { certificate: certificate.id, part, holder, amount, discount, paid });
    payment::changed(certificate)
}

/// Interest on the amount from today to the due date, rounded once, half up.
fn discount(offer: &EarlyOffer, amount: Money, due: BusinessDate) -> Result<Money, ReceivableError> {
    let today = BusinessDate(env::business_date());
    Interest::new(amount, offer.rate, offer.day_count, today, due)
        .and_then(Interest::amount)
        .map_err(ReceivableError::Terms)
}

fn pay(
    certificate: &Certificate,
    part: PartId,
    holder: AccountId,
    paid: Money,
    discount: Money,
) -> Result<(), ReceivableError> {
    let payment = Payment { part, holder, minor: paid.minor, financed: false };
    settlement::api::Client::new()
        .pay_early(certificate.id, alloc::vec![payment], discount)
        .map_err(ReceivableError::Settlement)
}
