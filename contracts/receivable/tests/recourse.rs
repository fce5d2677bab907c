//! Notice, recourse and the debtor's limit: who knows of an assignment, who answers when the debtor does not pay, and how much may be owed.

mod world;

use portolan_interface::{
    CertificateId, Currency, PartId, Unauthorized,
    receivable::{
        CertificateState, ClaimKind, HopKind, PartAct, PartState, ReceivableError, Recourse, Recourse::With,
        Recourse::Without,
    },
};
use portolan_sdk::CallError;
use world::{Firm, World, cny, commitment, date, refusal, refuses};

const FACE: i128 = 120_000_000;

fn pass(world: &World, from: Firm, to: Firm, part: PartId, recourse: Recourse) {
    world.receivable(from).offer_transfer(from.account, part, to.account, recourse, world.in_days(3)).unwrap();
    world.receivable(to).accept_transfer(to.account, part).unwrap();
}

fn claim(world: &World, holder: Firm, part: PartId) -> Result<u32, CallError<ReceivableError>> {
    world.receivable(holder).claim_recourse(holder.account, part)
}

fn discharge(world: &World, claimant: Firm, number: u32) {
    world.receivable(claimant).discharge(claimant.account, number, commitment(9)).unwrap();
}

fn acknowledge(world: &World, part: PartId) -> Result<(), CallError<ReceivableError>> {
    world.receivable(world.core).acknowledge(world.core.account, part)
}

fn dispute(world: &World, part: PartId, fraud: bool) -> Result<(), CallError<ReceivableError>> {
    world.receivable(world.core).dispute(world.core.account, part, commitment(1), fraud)
}

/// The grace of five days from 2026-06-01 has ended.
fn after_grace(world: &World) {
    world.advance_to(date("2026-06-07"));
}

#[test]
fn recourse_goes_back_hop_by_hop_and_each_hop_once() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    pass(&world, world.tier_1, world.tier_2, parts[0], With);
    pass(&world, world.tier_2, world.tier_3, parts[0], With);
    after_grace(&world);
    let number = claim(&world, world.tier_3, parts[0]).unwrap();
    let page = world.receivable(world.tier_2).claims(world.tier_2.account, None).unwrap();
    assert_eq!((page.count, page.claims[0].kind, page.claims[0].amount), (1, ClaimKind::Recourse, cny(40_000_000)));
    assert_eq!((page.claims[0].claimant, page.claims[0].against), (world.tier_3.account, world.tier_2.account));
    refuses(&world, || claim(&world, world.tier_3, parts[0]), ReceivableError::AlreadyClaimed { number });
    refuses(&world, || claim(&world, world.tier_2, parts[0]), ReceivableError::NotHolder);
    discharge(&world, world.tier_3, number);
    let part = world.part(parts[0]);
    assert_eq!((part.holder, part.state), (world.tier_2.account, PartState::Overdue));
    assert_eq!(part.hops.last().map(|hop| (hop.kind, hop.to)), Some((HopKind::Recourse, world.tier_2.account)));
    assert_eq!(world.holdings(world.tier_2).len(), 1);
    assert!(world.holdings(world.tier_3).is_empty());
    // Tier 2 goes on to tier 1, who had it from the debtor and has nobody.
    let number = claim(&world, world.tier_2, parts[0]).unwrap();
    discharge(&world, world.tier_2, number);
    assert_eq!(world.part(parts[0]).holder, world.tier_1.account);
    refuses(&world, || claim(&world, world.tier_1, parts[0]), ReceivableError::NoRecourse);
    // What comes late is paid to who holds it now.
    world.deposit(cny(FACE));
    world.receivable(world.tier_1).collect(certificate).unwrap();
    assert_eq!(world.balance(world.tier_1, world.bank), FACE);
    world.assert_conserved(certificate);
}

#[test]
fn a_hop_without_recourse_ends_it() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    pass(&world, world.tier_1, world.tier_2, root, Without);
    pass(&world, world.tier_2, world.tier_3, root, With);
    after_grace(&world);
    let number = claim(&world, world.tier_3, root).unwrap();
    discharge(&world, world.tier_3, number);
    refuses(&world, || claim(&world, world.tier_2, root), ReceivableError::NoRecourse);
}

#[test]
fn recourse_follows_the_part_through_splits_and_merges() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    pass(&world, world.tier_1, world.tier_2, root, With);
    let parts = world.split(world.tier_2, root, &[40_000_000, 80_000_000]);
    let pieces = world.split(world.tier_2, parts[1], &[30_000_000, 50_000_000]);
    for piece in &pieces {
        pass(&world, world.tier_2, world.tier_3, *piece, With);
    }
    world.receivable(world.tier_3).merge(world.tier_3.account, parts[1]).unwrap();
    after_grace(&world);
    let against = |part, holder: Firm| {
        let number = claim(&world, holder, part).unwrap();
        let claims = world.receivable(holder).claims(holder.account, None).unwrap().claims;
        claims.into_iter().find(|claim| claim.number == number).unwrap().against
    };
    assert_eq!(against(parts[0], world.tier_2), world.tier_1.account, "by the hop of the whole");
    assert_eq!(against(parts[1], world.tier_3), world.tier_2.account, "by the hop of the pieces");
}

#[test]
fn the_funder_goes_back_to_the_borrower_and_the_financing_ends() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    world.discount(world.tier_1, parts[0], world.bank);
    after_grace(&world);
    let before = world.balance(world.tier_1, world.bank);
    let number = claim(&world, world.bank, parts[0]).unwrap();
    discharge(&world, world.bank, number);
    let part = world.part(parts[0]);
    assert_eq!((part.holder, part.financing), (world.tier_1.account, None));
    world.deposit(cny(FACE));
    world.receivable(world.tier_1).collect(certificate).unwrap();
    assert_eq!(world.balance(world.tier_1, world.bank), before + FACE, "no waterfall stands between any more");
    world.assert_deposits(world.bank);
}

#[test]
fn what_the_debtor_pays_comes_off_the_claim() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    pass(&world, world.tier_1, world.tier_2, root, With);
    after_grace(&world);
    let number = claim(&world, world.tier_2, root).unwrap();
    let open = || world.receivable(world.tier_1).claims(world.tier_1.account, None).unwrap().claims[0].amount;
    world.deposit(cny(50_000_000));
    world.receivable(world.tier_2).collect(certificate).unwrap();
    assert_eq!(open(), cny(70_000_000));
    world.deposit(cny(70_000_000));
    world.receivable(world.tier_2).collect(certificate).unwrap();
    assert_eq!(open(), cny(0));
    discharge(&world, world.tier_2, number);
    assert_eq!(world.part(root).holder, world.tier_2.account, "nothing is left to go back");
}

#[test]
fn recourse_begins_after_grace_and_only_for_what_is_overdue() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    for part in &parts {
        pass(&world, world.tier_1, world.tier_2, *part, With);
    }
    let (state, needed) = (CertificateState::Live, CertificateState::Overdue);
    let early = ReceivableError::CertificateState { state, needed };
    refuses(&world, || claim(&world, world.tier_2, parts[0]), early);
    dispute(&world, parts[1], false).unwrap();
    world.advance_to(date("2026-06-06"));
    let until = date("2026-06-06");
    refuses(&world, || claim(&world, world.tier_2, parts[0]), ReceivableError::InGrace { until });
    after_grace(&world);
    let forged = || world.receivable(world.tier_3).claim_recourse(world.tier_2.account, parts[0]);
    refuses(&world, forged, ReceivableError::Unauthorized(Unauthorized::TooFewPersons));
    let disputed = ReceivableError::PartState { state: PartState::Disputed, needed: PartState::Overdue };
    refuses(&world, || claim(&world, world.tier_2, parts[1]), disputed);
    claim(&world, world.tier_2, parts[0]).unwrap();
    world.assert_conserved(certificate);
}

#[test]
fn what_a_court_holds_does_not_go_back() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    pass(&world, world.tier_1, world.tier_2, root, With);
    let order =
        |act| world.receivable(world.regulator).order(world.regulator.account, root, act, commitment(3)).unwrap();
    order(PartAct::Hold);
    after_grace(&world);
    let held = ReceivableError::PartState { state: PartState::Held, needed: PartState::Overdue };
    refuses(&world, || claim(&world, world.tier_2, root), held);
    order(PartAct::Release);
    claim(&world, world.tier_2, root).unwrap();
}

#[test]
fn what_the_debtor_acknowledged_it_disputes_for_fraud_only() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    pass(&world, world.tier_1, world.tier_2, parts[0], Without);
    let other = || world.receivable(world.tier_2).acknowledge(world.tier_2.account, parts[0]);
    refuses(&world, other, ReceivableError::NotDebtor);
    let forged = || world.receivable(world.tier_2).acknowledge(world.core.account, parts[0]);
    refuses(&world, forged, ReceivableError::Unauthorized(Unauthorized::TooFewPersons));
    acknowledge(&world, parts[0]).unwrap();
    let pieces = world.split(world.tier_2, parts[0], &[10_000_000, 30_000_000]);
    refuses(&world, || dispute(&world, pieces[0], false), ReceivableError::Acknowledged);
    dispute(&world, pieces[0], true).unwrap();
    dispute(&world, parts[1], false).unwrap();
    let disputed = ReceivableError::PartState { state: PartState::Disputed, needed: PartState::Live };
    refuses(&world, || acknowledge(&world, parts[1]), disputed);
}

#[test]
fn s06_before_accepting_a_receiver_sees_who_owes_since_when_with_which_recourse_and_what_binds_it() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    pass(&world, world.tier_1, world.tier_2, parts[0], With);
    acknowledge(&world, parts[0]).unwrap();
    let pieces = world.split(world.tier_2, parts[0], &[15_000_000, 25_000_000]);
    assert_eq!(refusal(world.receivable(world.tier_3).lineage(pieces[0])), ReceivableError::NotParty);
    let until = world.in_days(3);
    world
        .receivable(world.tier_2)
        .offer_transfer(world.tier_2.account, pieces[0], world.tier_3.account, Without, until)
        .unwrap();
    let seen = world.receivable(world.tier_3).lineage(pieces[0]).unwrap();
    assert_eq!((seen.certificate, seen.debtor), (certificate, world.core.account));
    assert_eq!((seen.issued, seen.due, seen.face), (world.today(), date("2026-06-01"), cny(FACE)));
    assert_eq!((seen.outstanding, seen.part_state, seen.acknowledged), (cny(15_000_000), PartState::Offered, true));
    assert_eq!((seen.financing, seen.bound_by), (None, None));
    let recourse: Vec<_> = seen.path.iter().flat_map(|step| &step.hops).map(|hop| hop.recourse).collect();
    assert_eq!(recourse, [Without, With]);
    assert_eq!(seen.path.iter().map(|step| step.part).collect::<Vec<_>>(), [root, parts[0], pieces[0]]);
    world.receivable(world.regulator).order(world.regulator.account, pieces[0], PartAct::Hold, commitment(3)).unwrap();
    let held = world.receivable(world.tier_2).lineage(pieces[0]).unwrap();
    assert_eq!((held.part_state, held.bound_by), (PartState::Held, Some(commitment(3))));
}

#[test]
fn f08_a_part_that_goes_in_a_circle_is_one_part_still() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    for _ in 0..3 {
        pass(&world, world.tier_1, world.tier_2, root, Without);
        pass(&world, world.tier_2, world.tier_3, root, Without);
        pass(&world, world.tier_3, world.tier_1, root, Without);
    }
    assert_eq!((world.tree(certificate).len(), world.part(root).hops.len()), (1, 10));
    assert_eq!((world.holdings(world.tier_1).len(), world.holdings(world.tier_3).len()), (1, 0));
    world.assert_conserved(certificate);
}

fn limit_name(world: &World) -> String {
    let hex: String = world.core.account.0.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("debt-limit.{hex}.cny")
}

fn used(world: &World) -> i128 {
    world.receivable(world.core).debt(world.core.account, Currency::CNY).unwrap().used.minor
}

fn issue(world: &World, seed: u64, face: i128) -> Result<CertificateId, CallError<ReceivableError>> {
    let invoice = world.matched(seed, cny(face));
    world.receivable(world.core).issue(world.core.account, world.certificate_terms(invoice, cny(face)))
}

#[test]
fn a_debtor_issues_within_its_limit_and_what_ends_gives_it_back() {
    let world = World::new();
    world.chain.set_parameter(&limit_name(&world), &200_000_000i128);
    let one = issue(&world, 1, FACE).unwrap();
    let room = cny(80_000_000);
    let invoice = world.matched(2, cny(80_000_001));
    let terms = world.certificate_terms(invoice, cny(80_000_001));
    let over = || world.receivable(world.core).issue(world.core.account, terms.clone());
    refuses(&world, over, ReceivableError::DebtLimit { room });
    issue(&world, 3, 80_000_000).unwrap();
    let debt = world.receivable(world.core).debt(world.core.account, Currency::CNY).unwrap();
    assert_eq!((debt.used, debt.limit), (cny(200_000_000), Some(cny(200_000_000))));
    let stranger = world.receivable(world.tier_1).debt(world.core.account, Currency::CNY);
    assert_eq!(refusal(stranger), ReceivableError::NotParty);
    world.receivable(world.tier_1).refuse(world.tier_1.account, one).unwrap();
    assert_eq!(used(&world), 80_000_000);
    // The other one lapses.
    world.advance_to(world.in_days(8));
    assert_eq!(used(&world), 0);
    let terms = world.certificate_terms(invoice, cny(80_000_001));
    world.receivable(world.core).issue(world.core.account, terms).unwrap();
}

#[test]
fn payment_loss_and_cancellation_give_the_limit_back() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let (second, other) = world.live(2, cny(FACE));
    assert_eq!(used(&world), 2 * FACE);
    dispute(&world, root, false).unwrap();
    let act = PartAct::Resolve { lost: cny(20_000_000) };
    world.receivable(world.regulator).order(world.regulator.account, root, act, commitment(2)).unwrap();
    assert_eq!(used(&world), 2 * FACE - 20_000_000);
    world.receivable(world.core).propose_cancellation(world.core.account, second).unwrap();
    world.receivable(world.tier_1).consent_to_cancellation(world.tier_1.account, other).unwrap();
    assert_eq!(used(&world), FACE - 20_000_000);
    world.deposit(cny(30_000_000));
    world.advance_to(date("2026-06-01"));
    assert_eq!(used(&world), FACE - 50_000_000);
}

#[test]
fn a_limit_below_what_is_owed_stops_issues_and_nothing_else() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    world.chain.set_parameter(&limit_name(&world), &1i128);
    let invoice = world.matched(2, cny(FACE));
    let terms = world.certificate_terms(invoice, cny(FACE));
    let issue = || world.receivable(world.core).issue(world.core.account, terms.clone());
    refuses(&world, issue, ReceivableError::DebtLimit { room: cny(0) });
    world.transfer(world.tier_1, world.tier_2, root);
    world.deposit(cny(FACE));
    world.advance_to(date("2026-06-01"));
    assert_eq!((used(&world), world.balance(world.tier_2, world.bank)), (0, FACE));
}
