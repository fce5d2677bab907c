//! The draw: evidence is looked at again, the part goes to the funder, the money to the borrower, and the receipts at maturity are laid out.

use alloc::{string::String, vec::Vec};

use portolan_interface::{
    AccountId, BusinessDate, FinancingId, Money,
    financing::{Draw, Financing, FinancingError, FinancingEvent, FinancingState, Offer, OfferTerms, api::emit},
    receivable,
    settlement::{self, Tranche, TrancheKind, Waterfall},
};
use portolan_sdk::{ensure, env};
use portolan_terms::Interest;

use crate::{DRAWN_ON, FINANCINGS, OFFERS, ensure_state, load, offer::ensure_reference, request::financeable};

/// What a discount comes to.
pub struct Price {
    pub discount: Money,
    pub proceeds: Money,
}

/// The discount from `today` to the due date, and what it and the fee leave.
pub fn price(financing: &Financing, terms: &OfferTerms, today: BusinessDate) -> Result<Price, FinancingError> {
    let interest = Interest::new(financing.face, terms.rate, terms.day_count, today, financing.due)
        .map_err(FinancingError::Terms)?;
    let discount = interest.amount().map_err(FinancingError::Terms)?;
    let net = financing.face.checked_sub(discount).map_err(FinancingError::Terms)?;
    let proceeds = net.checked_sub(terms.fee).map_err(FinancingError::Terms)?;
    ensure!(proceeds.is_positive(), FinancingError::NothingLeft { face: financing.face });
    Ok(Price { discount, proceeds })
}

/// The funder names the registration of an accepted offer.
pub fn register(funder: AccountId, id: FinancingId, reference: String) -> Result<(), FinancingError> {
    let financing = load(id)?;
    ensure_state(&financing, FinancingState::Accepted)?;
    let number = financing.accepted.ok_or(FinancingError::UnknownOffer)?;
    let offer = OFFERS.get(&(id, number)).ok_or(FinancingError::UnknownOffer)?;
    ensure!(offer.funder == funder, FinancingError::NotFunder);
    env::authorize(funder, "financing.draw", financing.face.currency, 0).map_err(FinancingError::Unauthorized)?;
    ensure_reference(&reference)?;
    draw(financing, &offer, reference)
}

/// Part against money, in one instruction.
pub fn draw(mut financing: Financing, offer: &Offer, registry_reference: String) -> Result<(), FinancingError> {
    let (id, borrower, funder) = (financing.id, financing.borrower, offer.funder);
    let facts = financeable(borrower, financing.part)?;
    ensure!(facts.outstanding == financing.face && facts.due == financing.due, FinancingError::EvidenceChanged);
    let today = BusinessDate(env::business_date());
    let price = price(&financing, &offer.terms, today)?;
    DRAWN_ON.set(&financing.invoice, &id);
    receivable::api::Client::new()
        .discount(financing.part, borrower, funder, offer.terms.recourse, id)
        .map_err(FinancingError::Receivable)?;
    let settlement = settlement::api::Client::new();
    settlement
        .register_waterfall(financing.part, receipts(&financing, offer, &price))
        .map_err(FinancingError::Settlement)?;
    settlement.fund(funder, borrower, price.proceeds).map_err(FinancingError::Settlement)?;
    financing.draw = Some(Draw {
        funder,
        face: financing.face,
        discount: price.discount,
        fee: offer.terms.fee,
        proceeds: price.proceeds,
        registry_reference,
        date: today,
    });
    financing.state = FinancingState::Drawn;
    FINANCINGS.set(&id, &financing);
    emit(&FinancingEvent::Drawn { financing: id, borrower, funder, proceeds: price.proceeds });
    Ok(())
}

/// Who gets what of the part's receipts: the funder its fee, discount and outlay, which are the face; anything beyond is the borrower's.
fn receipts(financing: &Financing, offer: &Offer, price: &Price) -> Waterfall {
    let due = [
        (TrancheKind::Fee, offer.terms.fee),
        (TrancheKind::Interest, price.discount),
        (TrancheKind::Principal, price.proceeds),
    ];
    let tranche =
        |(kind, due): (TrancheKind, Money)| Tranche { kind, payee: offer.funder, due_minor: due.minor, paid_minor: 0 };
    let tranches: Vec<Tranche> = due.into_iter().filter(|(_, due)| due.is_positive()).map(tranche).collect();
    Waterfall { financing: financing.id, currency: financing.face.currency, tranches, residual: financing.borrower }
}
