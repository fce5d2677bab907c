//! Cancellation: the debtor proposes, all holders consent, and until the last has, nothing is lost.

mod world;

use portolan_interface::{
    CertificateId, PartId, Unauthorized,
    receivable::{self, CertificateState, PartState, ReceivableError, ReceivableEvent, Recourse},
    settlement::ObligationState,
    trade::{Document, InvoiceState},
};
use portolan_sdk::CallError;
use world::{Firm, World, cny, date, refuses};

const FACE: i128 = 120_000_000;

fn propose(world: &World, certificate: CertificateId) -> Result<(), CallError<ReceivableError>> {
    world.receivable(world.core).propose_cancellation(world.core.account, certificate)
}

fn consent(world: &World, holder: Firm, part: PartId) -> Result<(), CallError<ReceivableError>> {
    world.receivable(holder).consent_to_cancellation(holder.account, part)
}

fn take_back(world: &World, holder: Firm, part: PartId) -> Result<(), CallError<ReceivableError>> {
    world.receivable(holder).withdraw_consent(holder.account, part)
}

fn state(world: &World, certificate: CertificateId) -> CertificateState {
    world.books().certificate(certificate).unwrap().state
}

fn locked(state: PartState) -> ReceivableError {
    ReceivableError::PartState { state, needed: PartState::Live }
}

/// Split in two; the second part is tier 2's.
fn two_holders(world: &World) -> (CertificateId, Vec<PartId>) {
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    world.transfer(world.tier_1, world.tier_2, parts[1]);
    (certificate, parts)
}

#[test]
fn when_all_have_consented_the_certificate_is_cancelled_and_the_invoice_free() {
    let world = World::new();
    let (certificate, parts) = two_holders(&world);
    propose(&world, certificate).unwrap();
    consent(&world, world.tier_1, parts[0]).unwrap();
    assert_eq!(
        (state(&world, certificate), world.part(parts[0]).state),
        (CertificateState::Live, PartState::Consenting)
    );
    consent(&world, world.tier_2, parts[1]).unwrap();
    assert_eq!(state(&world, certificate), CertificateState::Cancelled);
    assert!(parts.iter().all(|part| world.part(*part).state == PartState::Cancelled));
    let totals = world.assert_conserved(certificate);
    assert_eq!((totals.cancelled, totals.outstanding), (cny(FACE), cny(0)));
    assert_eq!(world.settlement(world.core).obligation(certificate).unwrap().state, ObligationState::Paid);
    assert!(world.chain.agenda().is_empty() && world.holdings(world.tier_2).is_empty());
    let invoice = world.books().certificate(certificate).unwrap().terms.invoice;
    let Document::Invoice(found) = world.trade(world.core).document(invoice).unwrap() else { panic!("an invoice") };
    assert_eq!((found.state, found.certified), (InvoiceState::Matched, cny(0)));
    // The invoice carries another certificate.
    world.receivable(world.core).issue(world.core.account, world.certificate_terms(invoice, cny(FACE))).unwrap();
    let events = world.chain.events::<ReceivableEvent>(receivable::api::CONTRACT);
    let (debtor, state) = (world.core.account, CertificateState::Cancelled);
    assert!(events.contains(&ReceivableEvent::Voided { certificate, debtor, state }));
    world.deposit(cny(FACE));
    world.advance_to(date("2026-06-02"));
    assert_eq!(world.balance(world.tier_1, world.bank), 0);
}

#[test]
fn on_a_cancelled_certificate_nothing_can_be_done() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    propose(&world, certificate).unwrap();
    consent(&world, world.tier_1, root).unwrap();
    let gone = ReceivableError::PartState { state: PartState::Cancelled, needed: PartState::Consenting };
    refuses(&world, || take_back(&world, world.tier_1, root), gone);
    let over = ReceivableError::CertificateState { state: CertificateState::Cancelled, needed: CertificateState::Live };
    refuses(&world, || propose(&world, certificate), over);
    // Held and released, or disputed and resolved, it would be live again.
    let over = ReceivableError::CertificateState { state: CertificateState::Cancelled, needed: CertificateState::Live };
    let regulator = world.receivable(world.regulator);
    let hold = || regulator.order(world.regulator.account, root, receivable::PartAct::Hold, world::commitment(1));
    refuses(&world, hold, over.clone());
    let dispute = || world.receivable(world.core).dispute(world.core.account, root, world::commitment(1), true);
    refuses(&world, dispute, over);
    let offer = || {
        world.receivable(world.tier_1).offer_transfer(
            world.tier_1.account,
            root,
            world.tier_2.account,
            Recourse::Without,
            world.in_days(1),
        )
    };
    refuses(&world, offer, locked(PartState::Consenting));
}

#[test]
fn f19_nobody_consents_while_an_offer_is_open_or_the_part_is_financed_held_or_disputed() {
    let world = World::new();
    let (certificate, parts) = two_holders(&world);
    let tier_1 = world.receivable(world.tier_1);
    tier_1
        .offer_transfer(world.tier_1.account, parts[0], world.tier_3.account, Recourse::Without, world.in_days(3))
        .unwrap();
    propose(&world, certificate).unwrap();
    refuses(&world, || consent(&world, world.tier_1, parts[0]), locked(PartState::Offered));
    tier_1.withdraw_transfer(world.tier_1.account, parts[0]).unwrap();
    world.discount(world.tier_2, parts[1], world.bank);
    refuses(&world, || consent(&world, world.bank, parts[1]), locked(PartState::Financed));
    refuses(&world, || consent(&world, world.tier_2, parts[1]), ReceivableError::NotHolder);
    let act = receivable::PartAct::Hold;
    world.receivable(world.regulator).order(world.regulator.account, parts[0], act, world::commitment(1)).unwrap();
    refuses(&world, || consent(&world, world.tier_1, parts[0]), locked(PartState::Held));
    let act = receivable::PartAct::Release;
    world.receivable(world.regulator).order(world.regulator.account, parts[0], act, world::commitment(1)).unwrap();
    world.receivable(world.core).dispute(world.core.account, parts[0], world::commitment(1), false).unwrap();
    refuses(&world, || consent(&world, world.tier_1, parts[0]), locked(PartState::Disputed));
}

#[test]
fn without_a_proposal_there_is_nothing_to_consent_to() {
    let world = World::new();
    let (certificate, parts) = two_holders(&world);
    refuses(&world, || consent(&world, world.tier_1, parts[0]), ReceivableError::NoCancellation);
    let withdraw = || world.receivable(world.core).withdraw_cancellation(world.core.account, certificate);
    refuses(&world, withdraw, ReceivableError::NoCancellation);
    let other = || world.receivable(world.tier_1).propose_cancellation(world.tier_1.account, certificate);
    refuses(&world, other, ReceivableError::NotDebtor);
    let forged = || world.receivable(world.tier_1).propose_cancellation(world.core.account, certificate);
    refuses(&world, forged, ReceivableError::Unauthorized(Unauthorized::TooFewPersons));
    propose(&world, certificate).unwrap();
    refuses(&world, || propose(&world, certificate), ReceivableError::DuplicateCancellation);
    let forged = || world.receivable(world.core).consent_to_cancellation(world.tier_1.account, parts[0]);
    refuses(&world, forged, ReceivableError::Unauthorized(Unauthorized::TooFewPersons));
    world.chain.start_at(date("2026-06-01").0);
    let due = ReceivableError::PastDue { due: date("2026-06-01") };
    refuses(&world, || consent(&world, world.tier_1, parts[0]), due.clone());
    withdraw().unwrap();
    refuses(&world, || propose(&world, certificate), due);
}

#[test]
fn a_consent_locks_the_part_and_is_taken_back() {
    let world = World::new();
    let (certificate, parts) = two_holders(&world);
    propose(&world, certificate).unwrap();
    consent(&world, world.tier_1, parts[0]).unwrap();
    refuses(&world, || consent(&world, world.tier_1, parts[0]), locked(PartState::Consenting));
    let split = || world.receivable(world.tier_1).split(world.tier_1.account, parts[0], vec![cny(20_000_000); 2]);
    refuses(&world, split, locked(PartState::Consenting));
    refuses(&world, || take_back(&world, world.tier_2, parts[0]), ReceivableError::NotHolder);
    take_back(&world, world.tier_1, parts[0]).unwrap();
    let again = ReceivableError::PartState { state: PartState::Live, needed: PartState::Consenting };
    refuses(&world, || take_back(&world, world.tier_1, parts[0]), again);
    consent(&world, world.tier_2, parts[1]).unwrap();
    assert_eq!(state(&world, certificate), CertificateState::Live, "one of two is not all");
    consent(&world, world.tier_1, parts[0]).unwrap();
    assert_eq!(state(&world, certificate), CertificateState::Cancelled);
}

#[test]
fn a_consent_to_an_earlier_proposal_does_not_count_for_a_later_one() {
    let world = World::new();
    let (certificate, parts) = two_holders(&world);
    propose(&world, certificate).unwrap();
    consent(&world, world.tier_1, parts[0]).unwrap();
    world.receivable(world.core).withdraw_cancellation(world.core.account, certificate).unwrap();
    propose(&world, certificate).unwrap();
    consent(&world, world.tier_2, parts[1]).unwrap();
    assert_eq!(state(&world, certificate), CertificateState::Live);
    // Taken back and given anew, it does.
    take_back(&world, world.tier_1, parts[0]).unwrap();
    consent(&world, world.tier_1, parts[0]).unwrap();
    assert_eq!(state(&world, certificate), CertificateState::Cancelled);
}

#[test]
fn who_has_consented_is_paid_when_others_have_not() {
    let world = World::new();
    let (certificate, parts) = two_holders(&world);
    propose(&world, certificate).unwrap();
    consent(&world, world.tier_1, parts[0]).unwrap();
    world.deposit(cny(FACE));
    world.advance_to(date("2026-06-01"));
    assert_eq!(world.balance(world.tier_1, world.bank), 40_000_000);
    assert_eq!(
        (state(&world, certificate), world.part(parts[0]).state),
        (CertificateState::Settled, PartState::Settled)
    );
}

#[test]
fn a_hold_ends_a_consent() {
    let world = World::new();
    let (certificate, parts) = two_holders(&world);
    propose(&world, certificate).unwrap();
    consent(&world, world.tier_1, parts[0]).unwrap();
    let order = |act| {
        world.receivable(world.regulator).order(world.regulator.account, parts[0], act, world::commitment(1)).unwrap();
    };
    order(receivable::PartAct::Hold);
    consent(&world, world.tier_2, parts[1]).unwrap();
    assert_eq!(state(&world, certificate), CertificateState::Live);
    order(receivable::PartAct::Release);
    assert_eq!(world.part(parts[0]).state, PartState::Live);
    consent(&world, world.tier_1, parts[0]).unwrap();
    assert_eq!(state(&world, certificate), CertificateState::Cancelled);
}
