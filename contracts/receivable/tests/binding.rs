//! Holds by order of a court or word of both sides, and disputes: nobody binds or frees a part alone, and what is in dispute is not paid.

mod world;

use portolan_interface::{
    CertificateId, Currency, Hash, Money, PartId, TermsError, Unauthorized,
    receivable::{
        self, CertificateState, DISPUTE_PARAMETER, OfferEnd, PartAct, PartState, ReceivableError, ReceivableEvent,
        Recourse,
    },
    settlement::{ObligationState, SettlementError},
    trade::{Document, InvoiceState},
};
use portolan_sdk::CallError;
use world::{Firm, Settlement, World, cny, commitment, date, refusal, refuses};

const FACE: i128 = 120_000_000;

fn reference() -> Hash {
    commitment(77)
}

fn order(world: &World, part: PartId, act: PartAct) -> Result<(), CallError<ReceivableError>> {
    world.receivable(world.regulator).order(world.regulator.account, part, act, reference())
}

fn agree(world: &World, party: Firm, part: PartId, act: PartAct) -> Result<(), CallError<ReceivableError>> {
    world.receivable(party).agree(party.account, part, act, reference())
}

fn dispute(world: &World, part: PartId) -> Result<(), CallError<ReceivableError>> {
    world.receivable(world.core).dispute(world.core.account, part, reference(), false)
}

fn resolved(lost: i128) -> PartAct {
    PartAct::Resolve { lost: cny(lost) }
}

fn offer(world: &World, from: Firm, to: Firm, part: PartId) -> Result<(), CallError<ReceivableError>> {
    world.receivable(from).offer_transfer(from.account, part, to.account, Recourse::Without, world.in_days(3))
}

fn state(world: &World, certificate: CertificateId) -> CertificateState {
    world.books().certificate(certificate).unwrap().state
}

fn needs(state: PartState, needed: PartState) -> ReceivableError {
    ReceivableError::PartState { state, needed }
}

#[test]
fn a_court_holds_a_part_and_nothing_moves_it_but_maturity() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    order(&world, parts[0], PartAct::Hold).unwrap();
    assert_eq!((world.part(parts[0]).state, world.part(parts[0]).bound_by), (PartState::Held, Some(reference())));
    let held = needs(PartState::Held, PartState::Live);
    refuses(&world, || offer(&world, world.tier_1, world.tier_2, parts[0]), held.clone());
    let split = || world.receivable(world.tier_1).split(world.tier_1.account, parts[0], vec![cny(20_000_000); 2]);
    refuses(&world, split, held.clone());
    let merge = || world.receivable(world.tier_1).merge(world.tier_1.account, root);
    refuses(&world, merge, ReceivableError::SiblingState { position: 0, state: PartState::Held });
    refuses(&world, || dispute(&world, parts[0]), held.clone());
    refuses(&world, || order(&world, parts[0], PartAct::Hold), held);
    world.transfer(world.tier_1, world.tier_2, parts[1]);
    world.deposit(cny(FACE));
    world.advance_to(date("2026-06-01"));
    assert_eq!(world.balance(world.tier_1, world.bank), 40_000_000, "a held part is paid on its day");
    assert_eq!(state(&world, certificate), CertificateState::Settled);
    world.assert_conserved(certificate);
}

#[test]
fn only_a_regulator_gives_orders() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    for firm in [world.core, world.tier_1, world.bank, world.platform] {
        let order = || world.receivable(firm).order(firm.account, root, PartAct::Hold, reference());
        refuses(&world, order, ReceivableError::NotRegulator);
    }
    let forged = || world.receivable(world.core).order(world.regulator.account, root, PartAct::Hold, reference());
    refuses(&world, forged, ReceivableError::Unauthorized(Unauthorized::TooFewPersons));
}

#[test]
fn an_order_releases_what_a_court_holds_and_both_sides_do_not() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    refuses(&world, || order(&world, root, PartAct::Release), needs(PartState::Live, PartState::Held));
    order(&world, root, PartAct::Hold).unwrap();
    agree(&world, world.core, root, PartAct::Release).unwrap();
    refuses(&world, || agree(&world, world.tier_1, root, PartAct::Release), ReceivableError::HeldByCourt);
    order(&world, root, PartAct::Release).unwrap();
    assert_eq!((world.part(root).state, world.part(root).bound_by), (PartState::Live, None));
    world.transfer(world.tier_1, world.tier_2, root);
}

#[test]
fn both_sides_hold_and_release_and_one_alone_does_not() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    agree(&world, world.tier_1, root, PartAct::Hold).unwrap();
    assert_eq!(world.part(root).state, PartState::Live, "the debtor has not said so");
    refuses(&world, || agree(&world, world.tier_1, root, PartAct::Hold), ReceivableError::AlreadyAgreed);
    refuses(&world, || agree(&world, world.tier_2, root, PartAct::Hold), ReceivableError::NotParty);
    // Another reference is another agreement.
    world.receivable(world.core).agree(world.core.account, root, PartAct::Hold, commitment(1)).unwrap();
    assert_eq!(world.part(root).state, PartState::Live);
    agree(&world, world.core, root, PartAct::Hold).unwrap();
    agree(&world, world.tier_1, root, PartAct::Hold).unwrap();
    assert_eq!(world.part(root).state, PartState::Held);
    agree(&world, world.core, root, PartAct::Release).unwrap();
    agree(&world, world.tier_1, root, PartAct::Release).unwrap();
    assert_eq!(world.part(root).state, PartState::Live);
}

#[test]
fn the_word_of_a_former_holder_counts_no_more() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    agree(&world, world.tier_1, root, PartAct::Hold).unwrap();
    world.transfer(world.tier_1, world.tier_2, root);
    agree(&world, world.core, root, PartAct::Hold).unwrap();
    assert_eq!(world.part(root).state, PartState::Live);
    agree(&world, world.tier_2, root, PartAct::Hold).unwrap();
    assert_eq!(world.part(root).state, PartState::Held);
}

#[test]
fn a_word_on_a_child_does_not_outlive_it() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    agree(&world, world.tier_1, parts[0], PartAct::Hold).unwrap();
    world.receivable(world.tier_1).merge(world.tier_1.account, root).unwrap();
    world.split(world.tier_1, root, &[100_000_000, 20_000_000]);
    agree(&world, world.core, parts[0], PartAct::Hold).unwrap();
    assert_eq!(world.part(parts[0]).state, PartState::Live, "that word was on 400,000.00");
}

#[test]
fn a_hold_ends_an_open_offer() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let pending = world.chain.agenda().len();
    offer(&world, world.tier_1, world.tier_2, root).unwrap();
    order(&world, root, PartAct::Hold).unwrap();
    assert_eq!(world.chain.agenda().len(), pending);
    let events = world.chain.events::<ReceivableEvent>(receivable::api::CONTRACT);
    let (from, to) = (world.tier_1.account, world.tier_2.account);
    assert!(events.contains(&ReceivableEvent::OfferEnded { part: root, from, to, how: OfferEnd::Overtaken }));
    let accept = || world.receivable(world.tier_2).accept_transfer(world.tier_2.account, root);
    refuses(&world, accept, needs(PartState::Held, PartState::Offered));
}

#[test]
fn a_financed_part_is_held_and_goes_back_to_its_financing() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let financing = world.discount(world.tier_1, root, world.bank);
    order(&world, root, PartAct::Hold).unwrap();
    assert_eq!((world.part(root).state, world.part(root).financing), (PartState::Held, Some(financing)));
    order(&world, root, PartAct::Release).unwrap();
    assert_eq!((world.part(root).state, world.part(root).financing), (PartState::Financed, Some(financing)));
    order(&world, root, PartAct::Hold).unwrap();
    world.deposit(cny(FACE));
    world.advance_to(date("2026-06-01"));
    let waterfall = world.settlement(world.bank).waterfall(root).unwrap();
    assert_eq!(waterfall.tranches.iter().map(|tranche| tranche.paid_minor).sum::<i128>(), FACE);
}

#[test]
fn f18_a_dispute_at_the_last_moment_keeps_the_disputed_amount_back_and_the_rest_is_paid() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 50_000_000, 30_000_000]);
    world.transfer(world.tier_1, world.tier_2, parts[1]);
    world.deposit(cny(FACE));
    world.advance_to(date("2026-05-31"));
    dispute(&world, parts[1]).unwrap();
    world.advance_to(date("2026-06-01"));
    assert_eq!((world.balance(world.tier_1, world.bank), world.balance(world.tier_2, world.bank)), (70_000_000, 0));
    assert_eq!(world.balance(world.core, world.bank), 50_000_000, "kept back");
    assert_eq!(
        (state(&world, certificate), world.part(parts[1]).state),
        (CertificateState::Disputed, PartState::Disputed)
    );
    assert!(world.chain.agenda().is_empty());
    world.assert_conserved(certificate);
    // The award: a tenth is lost, the rest is owed, and overdue.
    order(&world, parts[1], resolved(5_000_000)).unwrap();
    assert_eq!(
        (state(&world, certificate), world.part(parts[1]).state),
        (CertificateState::Overdue, PartState::Overdue)
    );
    assert_eq!(world.part(parts[1]).outstanding, cny(45_000_000));
    let redeem =
        world.settlement(world.core).redeem(world.core.account, world.bank.member, cny(5_000_001), commitment(1));
    assert_eq!(refusal(redeem), SettlementError::InsufficientDeposit { missing: cny(1) }, "it binds the deposit again");
    world.advance_to(date("2026-06-02"));
    assert_eq!(world.balance(world.tier_2, world.bank), 45_000_000);
    let totals = world.assert_conserved(certificate);
    assert_eq!((totals.settled, totals.diluted, totals.outstanding), (cny(115_000_000), cny(5_000_000), cny(0)));
    assert_eq!(state(&world, certificate), CertificateState::Settled);
    world.assert_deposits(world.bank);
}

#[test]
fn a_dispute_of_everything_leaves_nothing_to_collect_on_the_due_date() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    world.deposit(cny(FACE));
    dispute(&world, root).unwrap();
    world.advance_to(date("2026-06-01"));
    assert_eq!((state(&world, certificate), world.balance(world.core, world.bank)), (CertificateState::Disputed, FACE));
    let collect = || world.receivable(world.tier_1).collect(certificate);
    let error =
        ReceivableError::CertificateState { state: CertificateState::Disputed, needed: CertificateState::Overdue };
    refuses(&world, collect, error);
    // Both sides agree that all of it is lost.
    agree(&world, world.core, root, resolved(FACE)).unwrap();
    agree(&world, world.tier_1, root, resolved(FACE)).unwrap();
    assert_eq!((state(&world, certificate), world.part(root).state), (CertificateState::Diluted, PartState::Diluted));
    assert_eq!(world.assert_conserved(certificate).diluted, cny(FACE));
    let invoice = world.books().certificate(certificate).unwrap().terms.invoice;
    let Document::Invoice(invoice) = world.trade(world.core).document(invoice).unwrap() else { panic!("an invoice") };
    assert_eq!((invoice.state, invoice.certified), (InvoiceState::Matched, cny(0)));
}

#[test]
fn a_dispute_resolved_before_the_due_date_is_paid_on_it() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    dispute(&world, parts[0]).unwrap();
    dispute(&world, parts[1]).unwrap();
    order(&world, parts[0], resolved(0)).unwrap();
    order(&world, parts[1], resolved(30_000_000)).unwrap();
    assert_eq!((world.part(parts[1]).state, world.part(parts[1]).diluted), (PartState::Live, cny(30_000_000)));
    // What was lost before a split stays with the parent.
    world.split(world.tier_1, parts[1], &[10_000_000, 40_000_000]);
    world.assert_conserved(certificate);
    world.receivable(world.tier_1).merge(world.tier_1.account, parts[1]).unwrap();
    assert_eq!((world.part(parts[1]).outstanding, world.part(parts[1]).diluted), (cny(50_000_000), cny(30_000_000)));
    world.deposit(cny(FACE));
    world.advance_to(date("2026-06-01"));
    assert_eq!(
        (world.balance(world.tier_1, world.bank), world.balance(world.core, world.bank)),
        (90_000_000, 30_000_000)
    );
    assert_eq!(world.assert_conserved(certificate).diluted, cny(30_000_000));
    assert_eq!(state(&world, certificate), CertificateState::Settled);
}

#[test]
fn a_dispute_resolved_to_nothing_before_the_due_date_ends_the_certificate() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    dispute(&world, root).unwrap();
    order(&world, root, resolved(FACE)).unwrap();
    assert_eq!(state(&world, certificate), CertificateState::Diluted);
    assert!(world.chain.agenda().is_empty(), "no maturity waits");
    assert_eq!(world.settlement(world.core).obligation(certificate).unwrap().state, ObligationState::Paid);
}

#[test]
fn a_disputed_leaf_does_not_share_in_what_does_not_suffice() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 50_000_000, 30_000_000]);
    dispute(&world, parts[1]).unwrap();
    world.deposit(cny(35_000_000));
    world.advance_to(date("2026-06-01"));
    let settled: Vec<i128> = parts.iter().map(|part| world.part(*part).settled.minor).collect();
    assert_eq!(settled, [20_000_000, 0, 15_000_000]);
    assert_eq!(
        (state(&world, certificate), world.part(parts[1]).state),
        (CertificateState::Overdue, PartState::Disputed)
    );
    let overdue =
        world.chain.events::<ReceivableEvent>(receivable::api::CONTRACT).into_iter().find_map(|event| match event {
            ReceivableEvent::Overdue { rest, .. } => Some(rest),
            _ => None,
        });
    assert_eq!(overdue, Some(cny(35_000_000)));
    world.deposit(cny(35_000_000));
    world.advance_to(date("2026-06-02"));
    assert_eq!(state(&world, certificate), CertificateState::Disputed);
    order(&world, parts[1], resolved(0)).unwrap();
    world.deposit(cny(50_000_000));
    world.receivable(world.tier_1).collect(certificate).unwrap();
    assert_eq!((state(&world, certificate), world.balance(world.core, world.bank)), (CertificateState::Settled, 0));
    world.assert_conserved(certificate);
    world.assert_deposits(world.bank);
}

#[test]
fn who_may_dispute_and_when() {
    let world = World::new();
    world.chain.set_parameter(DISPUTE_PARAMETER, &10u16);
    let offered = world.offered(2, cny(FACE));
    let (state, needed) = (CertificateState::Offered, CertificateState::Live);
    let error = ReceivableError::CertificateState { state, needed };
    refuses(&world, || dispute(&world, PartId::root(offered)), error);
    let (_, root) = world.live(1, cny(FACE));
    let other = || world.receivable(world.tier_1).dispute(world.tier_1.account, root, reference(), false);
    refuses(&world, other, ReceivableError::NotDebtor);
    let forged = || world.receivable(world.tier_1).dispute(world.core.account, root, reference(), false);
    refuses(&world, forged, ReceivableError::Unauthorized(Unauthorized::TooFewPersons));
    refuses(&world, || order(&world, root, resolved(0)), needs(PartState::Live, PartState::Disputed));
    let until = world.in_days(10);
    world.advance_to(until);
    dispute(&world, root).unwrap();
    refuses(&world, || dispute(&world, root), needs(PartState::Disputed, PartState::Live));
    refuses(&world, || order(&world, root, resolved(FACE + 1)), ReceivableError::LossRange { outstanding: cny(FACE) });
    refuses(&world, || order(&world, root, resolved(-1)), ReceivableError::LossRange { outstanding: cny(FACE) });
    let dollars = PartAct::Resolve { lost: Money::new(1, Currency::USD) };
    let mismatch = TermsError::CurrencyMismatch { expected: Currency::CNY, found: Currency::USD };
    refuses(&world, || order(&world, root, dollars), ReceivableError::Terms(mismatch));
    order(&world, root, resolved(0)).unwrap();
    world.advance_to(world.in_days(1));
    refuses(&world, || dispute(&world, root), ReceivableError::DisputeWindow { until });
}

#[test]
fn nothing_is_disputed_or_held_on_the_due_date() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    world.chain.start_at(date("2026-06-01").0);
    let due = ReceivableError::PastDue { due: date("2026-06-01") };
    refuses(&world, || dispute(&world, root), due.clone());
    refuses(&world, || order(&world, root, PartAct::Hold), due);
}

#[test]
fn only_receivable_restores_a_claim_and_only_one_that_is_due() {
    let world = World::new();
    let (certificate, _) = world.live(1, cny(FACE));
    let own = world.settlement(world.core).restore(certificate, cny(1));
    assert_eq!(refusal(own), SettlementError::NotTrusted);
    let receivable = Settlement::over(world.chain.as_contract(receivable::api::CONTRACT));
    let error = SettlementError::ObligationState { state: ObligationState::Pending, needed: ObligationState::Overdue };
    assert_eq!(refusal(receivable.restore(certificate, cny(1))), error);
    assert_eq!(refusal(receivable.restore(certificate, cny(0))), SettlementError::AmountNotPositive);
}
