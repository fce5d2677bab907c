//! A holder gets money for a part before it is due: request, offers of banks, acceptance, and the draw, in which the part goes one way and the
//! money the other in one transaction or not at all.
//!
//! An invoice backs at most one live financing: the register here is asked at the request and again at the draw. Must never pay anybody but the
//! borrower, nor draw without a registration at the central registry.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod draw;
mod offer;
mod request;

use alloc::{string::String, vec::Vec};

use portolan_interface::{
    AccountId, DocumentId, FinancingId, PAGE, PartId, access,
    financing::{
        Encumbrance, Financing, FinancingError, FinancingPage, FinancingState, FinancingView, Financings, Offer,
        OfferTerms,
    },
};
use portolan_sdk::ensure;

portolan_sdk::storage! {
    /// Requests and what came of them.
    0 => FINANCINGS: Map<FinancingId, Financing>;
    /// Offers, numbered from 0 within a financing.
    1 => OFFERS: Map<(FinancingId, u32), Offer>;
    /// Financings that an account asked for or offered on.
    2 => FINANCINGS_OF: List<AccountId, FinancingId>;
    /// The last financing drawn on an invoice.
    3 => DRAWN_ON: Map<DocumentId, FinancingId>;
}

struct Contract;

portolan_sdk::export!(Contract, portolan_interface::financing::api);

impl Financings for Contract {
    fn request(&mut self, borrower: AccountId, part: PartId) -> Result<FinancingId, FinancingError> {
        request::request(borrower, part)
    }

    fn offer(&mut self, funder: AccountId, financing: FinancingId, terms: OfferTerms) -> Result<u32, FinancingError> {
        offer::offer(funder, financing, terms)
    }

    fn accept(&mut self, borrower: AccountId, financing: FinancingId, offer: u32) -> Result<(), FinancingError> {
        offer::accept(borrower, financing, offer)
    }

    fn draw(
        &mut self,
        funder: AccountId,
        financing: FinancingId,
        registry_reference: String,
    ) -> Result<(), FinancingError> {
        draw::register(funder, financing, registry_reference)
    }

    fn withdraw(&mut self, borrower: AccountId, financing: FinancingId) -> Result<(), FinancingError> {
        request::withdraw(borrower, financing)
    }

    fn withdraw_offer(&mut self, funder: AccountId, financing: FinancingId, offer: u32) -> Result<(), FinancingError> {
        offer::withdraw(funder, financing, offer)
    }

    fn financing(&self, id: FinancingId) -> Result<FinancingView, FinancingError> {
        let financing = load(id)?;
        let all: Vec<Offer> = (0..financing.offers).filter_map(|number| OFFERS.get(&(id, number))).collect();
        let sees_all = access::may_read(&[financing.borrower]);
        let offers: Vec<Offer> =
            all.into_iter().filter(|offer| sees_all || access::may_read(&[offer.funder])).collect();
        ensure!(sees_all || !offers.is_empty(), FinancingError::NotParty);
        Ok(FinancingView { financing: if sees_all { financing } else { for_funder(financing, &offers) }, offers })
    }

    fn financings(&self, account: AccountId, from: Option<u32>) -> Result<FinancingPage, FinancingError> {
        ensure!(access::may_read(&[account]), FinancingError::NotParty);
        let ids = FINANCINGS_OF.page(&account, from.unwrap_or(0), PAGE);
        let mut financings = Vec::new();
        for id in ids {
            let financing = load(id)?;
            let own = |offer: &Offer| offer.funder == account;
            let offers: Vec<Offer> =
                (0..financing.offers).filter_map(|number| OFFERS.get(&(id, number))).filter(own).collect();
            financings.push(if financing.borrower == account { financing } else { for_funder(financing, &offers) });
        }
        Ok(FinancingPage { count: FINANCINGS_OF.len(&account), financings })
    }

    fn encumbrance(&self, invoice: DocumentId) -> Result<Encumbrance, FinancingError> {
        Ok(Encumbrance { invoice, financed: DRAWN_ON.contains(&invoice) })
    }
}

/// What a funder may know of a financing that another one drew: that it was drawn, not on which terms.
fn for_funder(mut financing: Financing, own: &[Offer]) -> Financing {
    let is_own = financing.accepted.is_some_and(|accepted| own.iter().any(|offer| offer.number == accepted));
    if !is_own {
        financing.draw = None;
        financing.accepted = None;
    }
    financing
}

fn load(id: FinancingId) -> Result<Financing, FinancingError> {
    FINANCINGS.get(&id).ok_or(FinancingError::UnknownFinancing)
}

fn ensure_state(financing: &Financing, needed: FinancingState) -> Result<(), FinancingError> {
    ensure!(financing.state == needed, FinancingError::FinancingState { state: financing.state, needed });
    Ok(())
}
