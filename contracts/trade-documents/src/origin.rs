//! Certificates of origin: issued and revoked by a customs authority. Must never be amended: a wrong one is revoked, and another issued.

use alloc::vec::Vec;

use portolan_interface::{
    AccountId, DocumentId, Role,
    trade::{DateFlag, Document, DocumentKind, Origin, OriginState, OriginTerms, TradeError, TradeEvent, api::emit},
};
use portolan_sdk::{ensure, env};

use crate::{
    DOCUMENTS, authorise, bill, bring, committing, dates, declaration::check_hs_codes, load as load_document, order,
    wrong_kind,
};

/// An authority certifies where the goods of an order come from.
pub fn certify(issuer: AccountId, terms: OriginTerms) -> Result<DocumentId, TradeError> {
    authorise(issuer, "trade-documents.certify-origin")?;
    let member = committing(issuer)?;
    ensure!(env::has_role(member, Role::Customs), TradeError::WrongRole);
    let order = order::load(terms.order)?;
    order::ensure_running(&order)?;
    check_hs_codes(&terms.hs_codes)?;
    let country = terms.country.0.as_bytes();
    ensure!(country.len() == 2 && country.iter().all(u8::is_ascii_uppercase), TradeError::Country);
    let issued = terms.issued.checked().map_err(TradeError::Terms)?;
    let mut flags = dates::issued(issued, order.ordered)?;
    if let Some(bill) = terms.bill {
        let bill = bill::load(bill)?;
        ensure!(bill.order == terms.order, TradeError::OtherOrder);
        dates::join(&mut flags, &Vec::from_iter((bill.on_board < issued).then_some(DateFlag::AfterShipment)));
    }
    let id = DocumentId::origin(issuer, terms.commitment);
    let (exporter, importer) = (order.terms.seller, order.buyer);
    let state = OriginState::Valid;
    let origin = Origin { id, issuer, exporter, importer, terms, flags, height: env::block_height(), state };
    bring(issuer, id, &Document::Origin(origin), &[issuer, exporter, importer])?;
    emit(&TradeEvent::OriginChanged { origin: id, issuer, exporter, state });
    Ok(id)
}

/// The issuer takes it back, for good.
pub fn revoke(issuer: AccountId, id: DocumentId) -> Result<(), TradeError> {
    let mut origin = match load_document(id)? {
        Document::Origin(origin) => origin,
        other => return Err(wrong_kind(&other, DocumentKind::Origin)),
    };
    ensure!(origin.issuer == issuer, TradeError::NotParty);
    authorise(issuer, "trade-documents.revoke-origin")?;
    ensure!(origin.state == OriginState::Valid, TradeError::OriginRevoked);
    origin.state = OriginState::Revoked;
    let (exporter, state) = (origin.exporter, origin.state);
    DOCUMENTS.set(&id, &Document::Origin(origin));
    emit(&TradeEvent::OriginChanged { origin: id, issuer, exporter, state });
    Ok(())
}
