//! Offers of banks, and the borrower's choice.

use portolan_interface::{
    AccountId, BusinessDate, FinancingId, Role, access,
    financing::{
        Financing, FinancingError, FinancingEvent, FinancingState, MAX_OFFERS, MAX_REFERENCE, Offer, OfferState,
        OfferTerms, api::emit,
    },
};
use portolan_sdk::{ensure, env};

use crate::{FINANCINGS, FINANCINGS_OF, OFFERS, draw, ensure_state, load};

/// A bank offers. The offer binds it: the borrower's acceptance may draw without the bank's acting again.
pub fn offer(funder: AccountId, id: FinancingId, terms: OfferTerms) -> Result<u32, FinancingError> {
    let mut financing = load(id)?;
    env::authorize(funder, "financing.offer", financing.face.currency, financing.face.minor)
        .map_err(FinancingError::Unauthorized)?;
    ensure_bank(funder)?;
    ensure!(env::member_of(funder) != env::member_of(financing.borrower), FinancingError::SameParty);
    ensure_state(&financing, FinancingState::Requested)?;
    check(&financing, &terms)?;
    let number = financing.offers;
    ensure!(number < MAX_OFFERS, FinancingError::TooManyOffers);
    financing.offers += 1;
    OFFERS.set(&(id, number), &Offer { number, funder, terms, state: OfferState::Open });
    FINANCINGS.set(&id, &financing);
    FINANCINGS_OF.push(&funder, &id);
    emit(&FinancingEvent::Offered { financing: id, number, borrower: financing.borrower, funder });
    Ok(number)
}

fn ensure_bank(funder: AccountId) -> Result<(), FinancingError> {
    let (member, status) = access::standing(funder).ok_or(FinancingError::UnknownAccount)?;
    ensure!(access::may_commit(status), FinancingError::MemberNotActive { status });
    ensure!(env::has_role(member, Role::Bank), FinancingError::NotBank);
    Ok(())
}

fn check(financing: &Financing, terms: &OfferTerms) -> Result<(), FinancingError> {
    let today = BusinessDate(env::business_date());
    ensure!(
        today <= terms.expires && terms.expires < financing.due,
        FinancingError::OfferWindow { due: financing.due }
    );
    ensure!(terms.fee.minor >= 0, FinancingError::NegativeFee);
    if let Some(reference) = &terms.registry_reference {
        ensure_reference(reference)?;
    }
    // An offer that leaves nothing today leaves nothing to accept.
    draw::price(financing, terms, today).map(|_| ())
}

/// Passes for the number of a registration with the central registry.
pub fn ensure_reference(reference: &str) -> Result<(), FinancingError> {
    let printable = reference.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    ensure!((1..=MAX_REFERENCE).contains(&reference.len()) && printable, FinancingError::RegistryReference);
    Ok(())
}

/// The borrower takes an offer. With the registration in it the money is drawn at once.
pub fn accept(borrower: AccountId, id: FinancingId, number: u32) -> Result<(), FinancingError> {
    let mut financing = load(id)?;
    ensure!(financing.borrower == borrower, FinancingError::NotBorrower);
    env::authorize(borrower, "financing.accept", financing.face.currency, financing.face.minor)
        .map_err(FinancingError::Unauthorized)?;
    ensure_state(&financing, FinancingState::Requested)?;
    let mut offer = load_open(id, number)?;
    let expired = offer.terms.expires;
    ensure!(env::business_date() <= expired.0, FinancingError::OfferExpired { expired });
    offer.state = OfferState::Accepted;
    OFFERS.set(&(id, number), &offer);
    financing.accepted = Some(number);
    financing.state = FinancingState::Accepted;
    emit(&FinancingEvent::Accepted { financing: id, number, borrower, funder: offer.funder });
    match offer.terms.registry_reference.clone() {
        Some(reference) => draw::draw(financing, &offer, reference),
        None => {
            FINANCINGS.set(&id, &financing);
            Ok(())
        }
    }
}

/// The funder takes back an offer that nobody took.
pub fn withdraw(funder: AccountId, id: FinancingId, number: u32) -> Result<(), FinancingError> {
    let financing = load(id)?;
    let mut offer = load_open(id, number)?;
    ensure!(offer.funder == funder, FinancingError::NotFunder);
    env::authorize(funder, "financing.withdraw-offer", financing.face.currency, 0)
        .map_err(FinancingError::Unauthorized)?;
    offer.state = OfferState::Withdrawn;
    OFFERS.set(&(id, number), &offer);
    emit(&FinancingEvent::OfferWithdrawn { financing: id, number, funder });
    Ok(())
}

fn load_open(id: FinancingId, number: u32) -> Result<Offer, FinancingError> {
    let offer = OFFERS.get(&(id, number)).ok_or(FinancingError::UnknownOffer)?;
    ensure!(offer.state == OfferState::Open, FinancingError::OfferState { state: offer.state });
    Ok(offer)
}
