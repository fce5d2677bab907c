//! Early payment: the debtor offers a price, the holder chooses, and the claim falls by the whole part.

mod world;

use portolan_interface::{
    BusinessDate, DayCount, MemberStatus, PartId, Ppm, Unauthorized,
    receivable::{self, CertificateState, PartAct, PartState, ReceivableError, ReceivableEvent},
    settlement::{ObligationState, SettlementError},
    trade::{Document, InvoiceState},
};
use portolan_sdk::CallError;
use world::{Firm, World, cny, commitment, date, refuses};

const FACE: i128 = 120_000_000;
const TWELVE_PER_CENT: Ppm = Ppm(120_000);

fn offer_until(
    world: &World,
    part: PartId,
    rate: Ppm,
    expires: BusinessDate,
) -> Result<(), CallError<ReceivableError>> {
    world.receivable(world.core).offer_early_payment(world.core.account, part, rate, DayCount::Act360, expires)
}

fn offer(world: &World, part: PartId) -> Result<(), CallError<ReceivableError>> {
    offer_until(world, part, TWELVE_PER_CENT, world.in_days(5))
}

fn accept(world: &World, holder: Firm, part: PartId) -> Result<(), CallError<ReceivableError>> {
    world.receivable(holder).accept_early_payment(holder.account, part)
}

#[test]
fn s08_w12_the_debtor_pays_800_000_sixty_days_early_for_16_000() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[80_000_000, 40_000_000]);
    world.transfer(world.tier_1, world.tier_2, parts[0]);
    world.deposit(cny(FACE));
    // Sixty days before 2026-06-01.
    world.advance_to(date("2026-04-02"));
    offer(&world, parts[0]).unwrap();
    let seen = world.receivable(world.tier_2).part(parts[0]).unwrap().early.unwrap();
    assert_eq!((seen.to, seen.amount, seen.rate), (world.tier_2.account, cny(80_000_000), TWELVE_PER_CENT));
    accept(&world, world.tier_2, parts[0]).unwrap();
    assert_eq!(world.balance(world.tier_2, world.bank), 78_400_000);
    assert_eq!(world.balance(world.core, world.bank), FACE - 78_400_000);
    let part = world.part(parts[0]);
    assert_eq!(
        (part.state, part.settled, part.outstanding, part.early),
        (PartState::Settled, cny(80_000_000), cny(0), None)
    );
    let holder = world.tier_2.account;
    let (amount, discount, paid) = (cny(80_000_000), cny(1_600_000), cny(78_400_000));
    let event = ReceivableEvent::PaidEarly { certificate, part: parts[0], holder, amount, discount, paid };
    assert!(world.chain.events::<ReceivableEvent>(receivable::api::CONTRACT).contains(&event));
    world.assert_conserved(certificate);
    // The rest is paid on its day.
    world.advance_to(date("2026-06-01"));
    assert_eq!(world.balance(world.tier_1, world.bank), 40_000_000);
    assert_eq!(world.balance(world.core, world.bank), 1_600_000);
    let totals = world.assert_conserved(certificate);
    assert_eq!((totals.settled, totals.outstanding), (cny(FACE), cny(0)));
    world.assert_deposits(world.bank);
}

#[test]
fn a_certificate_that_is_paid_early_in_whole_is_settled_and_not_collected_again() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    world.deposit(cny(FACE));
    offer(&world, root).unwrap();
    accept(&world, world.tier_1, root).unwrap();
    let certificate = world.books().certificate(certificate).unwrap();
    assert_eq!(certificate.state, CertificateState::Settled);
    assert!(world.chain.agenda().is_empty(), "no maturity waits");
    assert_eq!(world.settlement(world.core).obligation(certificate.id).unwrap().state, ObligationState::Paid);
    let Document::Invoice(invoice) = world.trade(world.core).document(certificate.terms.invoice).unwrap() else {
        panic!("an invoice")
    };
    assert_eq!((invoice.state, invoice.settled), (InvoiceState::Settled, cny(FACE)));
    let before = world.balance(world.core, world.bank);
    world.advance_to(date("2026-06-02"));
    assert_eq!(world.balance(world.core, world.bank), before);
}

#[test]
fn the_holder_chooses_and_nobody_else() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    world.deposit(cny(FACE));
    refuses(&world, || accept(&world, world.tier_1, root), ReceivableError::NoEarlyOffer);
    let other = || {
        let day = world.in_days(5);
        world.receivable(world.tier_1).offer_early_payment(world.tier_1.account, root, Ppm(1), DayCount::Act360, day)
    };
    refuses(&world, other, ReceivableError::NotDebtor);
    offer(&world, root).unwrap();
    refuses(&world, || accept(&world, world.tier_2, root), ReceivableError::NotHolder);
    let forged = ReceivableError::Unauthorized(Unauthorized::TooFewPersons);
    refuses(&world, || world.receivable(world.core).accept_early_payment(world.tier_1.account, root), forged.clone());
    let day = world.in_days(5);
    let offered =
        || world.receivable(world.tier_1).offer_early_payment(world.core.account, root, Ppm(1), DayCount::Act360, day);
    refuses(&world, offered, forged.clone());
    refuses(&world, || world.receivable(world.tier_1).withdraw_early_payment(world.core.account, root), forged);
    let withdraw = |firm: Firm| world.receivable(firm).withdraw_early_payment(firm.account, root);
    refuses(&world, || withdraw(world.tier_1), ReceivableError::NotDebtor);
    withdraw(world.core).unwrap();
    refuses(&world, || withdraw(world.core), ReceivableError::NoEarlyOffer);
    refuses(&world, || accept(&world, world.tier_1, root), ReceivableError::NoEarlyOffer);
}

#[test]
fn an_offer_of_early_payment_is_for_one_holder_one_amount_and_some_days() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[80_000_000, 40_000_000]);
    world.deposit(cny(FACE));
    offer(&world, parts[0]).unwrap();
    world.transfer(world.tier_1, world.tier_2, parts[0]);
    refuses(&world, || accept(&world, world.tier_2, parts[0]), ReceivableError::NoEarlyOffer);
    // A smaller part than the one that the price was for.
    offer(&world, parts[1]).unwrap();
    world.receivable(world.core).dispute(world.core.account, parts[1], commitment(1), false).unwrap();
    let act = PartAct::Resolve { lost: cny(1) };
    world.receivable(world.regulator).order(world.regulator.account, parts[1], act, commitment(1)).unwrap();
    let stale = ReceivableError::EarlyOfferStale { offered: cny(40_000_000) };
    refuses(&world, || accept(&world, world.tier_1, parts[1]), stale);
    offer(&world, parts[1]).unwrap();
    let expired = world.in_days(5);
    world.advance_to(world.in_days(6));
    refuses(&world, || accept(&world, world.tier_1, parts[1]), ReceivableError::OfferExpired { expired });
}

#[test]
fn an_offer_on_a_child_does_not_outlive_it() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    world.deposit(cny(FACE));
    let parts = world.split(world.tier_1, root, &[80_000_000, 40_000_000]);
    offer(&world, parts[0]).unwrap();
    world.receivable(world.tier_1).merge(world.tier_1.account, root).unwrap();
    world.split(world.tier_1, root, &[80_000_000, 40_000_000]);
    refuses(&world, || accept(&world, world.tier_1, parts[0]), ReceivableError::NoEarlyOffer);
}

#[test]
fn only_a_live_part_is_paid_early_and_only_before_its_day() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[80_000_000, 40_000_000]);
    world.deposit(cny(FACE));
    offer(&world, parts[0]).unwrap();
    world.discount(world.tier_1, parts[0], world.bank);
    let financed = ReceivableError::PartState { state: PartState::Financed, needed: PartState::Live };
    refuses(&world, || offer(&world, parts[0]), financed.clone());
    refuses(&world, || accept(&world, world.bank, parts[0]), financed);
    refuses(
        &world,
        || offer_until(&world, parts[1], Ppm(1_000_001), world.in_days(1)),
        ReceivableError::UnsoundDiscount,
    );
    let window = ReceivableError::OfferWindow { latest: date("2026-05-31") };
    refuses(&world, || offer_until(&world, parts[1], Ppm(1), date("2026-06-01")), window.clone());
    refuses(&world, || offer_until(&world, parts[1], Ppm(1), world.in_days(-1)), window);
    offer_until(&world, parts[1], Ppm(1), date("2026-05-31")).unwrap();
    world.chain.start_at(date("2026-06-01").0);
    let due = ReceivableError::PastDue { due: date("2026-06-01") };
    refuses(&world, || accept(&world, world.tier_1, parts[1]), due);
}

#[test]
fn without_money_nothing_is_paid_early_and_a_frozen_debtor_pays_nothing() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    world.deposit(cny(1_000_000));
    offer(&world, root).unwrap();
    // 91 days at 12 % on 1,200,000.00: 36,400.00.
    let missing = cny(FACE - 3_640_000 - 1_000_000);
    let short = SettlementError::InsufficientDeposit { missing };
    refuses(&world, || accept(&world, world.tier_1, root), ReceivableError::Settlement(CallError::Contract(short)));
    world.deposit(cny(FACE));
    world.chain.set_status(world.core.member, MemberStatus::Frozen);
    let frozen = ReceivableError::MemberNotActive { status: MemberStatus::Frozen };
    refuses(&world, || accept(&world, world.tier_1, root), frozen);
    world.chain.set_status(world.core.member, MemberStatus::Active);
    accept(&world, world.tier_1, root).unwrap();
}

#[test]
fn a_cancellation_after_early_payment_is_of_the_rest() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[80_000_000, 40_000_000]);
    world.deposit(cny(FACE));
    offer(&world, parts[0]).unwrap();
    accept(&world, world.tier_1, parts[0]).unwrap();
    world.receivable(world.core).propose_cancellation(world.core.account, certificate).unwrap();
    world.receivable(world.tier_1).consent_to_cancellation(world.tier_1.account, parts[1]).unwrap();
    let found = world.books().certificate(certificate).unwrap();
    assert_eq!(
        (found.state, found.totals.settled, found.totals.cancelled),
        (CertificateState::Cancelled, cny(80_000_000), cny(40_000_000))
    );
    assert_eq!(world.part(parts[0]).state, PartState::Settled);
    let Document::Invoice(invoice) = world.trade(world.core).document(found.terms.invoice).unwrap() else {
        panic!("an invoice")
    };
    assert_eq!(
        (invoice.state, invoice.certified, invoice.settled),
        (InvoiceState::Settled, cny(80_000_000), cny(80_000_000))
    );
    world.assert_conserved(certificate);
}
