//! The due date when things go wrong: deposits that do not suffice, money that comes later, many leaves, claims that compete.

mod world;

use portolan_interface::{
    CertificateId, PartId,
    receivable::{self, CertificateState, DuePurpose, OfferEnd, PartState, ReceivableError, ReceivableEvent},
    settlement::{ObligationState, SettlementError},
};
use portolan_terms::pro_rata;
use world::{Firm, World, cny, commitment, date, refusal};

fn due() -> portolan_interface::BusinessDate {
    date("2026-06-01")
}

fn state(world: &World, certificate: CertificateId) -> CertificateState {
    world.books().certificate(certificate).unwrap().state
}

fn settled(world: &World, parts: &[PartId]) -> Vec<i128> {
    parts.iter().map(|part| world.part(*part).settled.minor).collect()
}

#[test]
fn f14_w14_a_deposit_too_small_pays_pro_rata_and_the_rest_is_overdue() {
    let world = World::new();
    let leaves = [50_000_000, 15_000_001, 24_999_999, 30_000_000];
    let (certificate, root) = world.live(1, cny(120_000_000));
    let parts = world.split(world.tier_1, root, &leaves);
    world.transfer(world.tier_1, world.tier_2, parts[1]);
    world.deposit(cny(100_000_000));
    world.advance_to(due());
    assert_eq!(settled(&world, &parts), [41_666_667, 12_500_001, 20_833_332, 25_000_000]);
    assert_eq!(world.balance(world.core, world.bank), 0);
    assert_eq!(world.balance(world.tier_2, world.bank), 12_500_001);
    assert_eq!(state(&world, certificate), CertificateState::Overdue);
    assert!(parts.iter().all(|part| world.part(*part).state == PartState::Overdue));
    let totals = world.assert_conserved(certificate);
    assert_eq!((totals.settled, totals.outstanding), (cny(100_000_000), cny(20_000_000)));
    world.assert_deposits(world.bank);
}

#[test]
fn s09_the_debtor_pays_two_thirds() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(90_000_000));
    let parts = world.split(world.tier_1, root, &[30_000_000, 60_000_000]);
    world.deposit(cny(60_000_000));
    world.advance_to(due());
    assert_eq!(settled(&world, &parts), [20_000_000, 40_000_000]);
    assert_eq!(world.books().certificate(certificate).unwrap().totals.outstanding, cny(30_000_000));
}

#[test]
fn without_any_deposit_everything_is_overdue_and_nothing_is_paid() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(90_000_000));
    world.advance_to(due());
    assert_eq!((state(&world, certificate), world.part(root).state), (CertificateState::Overdue, PartState::Overdue));
    assert_eq!(world.assert_conserved(certificate).outstanding, cny(90_000_000));
    let agenda = world.books().agenda(certificate).unwrap();
    assert_eq!(
        agenda.iter().map(|entry| (entry.purpose, entry.due)).collect::<Vec<_>>(),
        [(DuePurpose::Collection(1), date("2026-06-02"))]
    );
    let events = world.chain.events::<ReceivableEvent>(receivable::api::CONTRACT);
    let overdue = events
        .iter()
        .filter(|event| matches!(event, ReceivableEvent::Overdue { rest, .. } if *rest == cny(90_000_000)));
    assert_eq!(overdue.count(), 1);
}

#[test]
fn f15_money_that_comes_later_is_collected_on_the_next_business_day() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(90_000_000));
    let parts = world.split(world.tier_1, root, &[30_000_001, 59_999_999]);
    world.deposit(cny(10_000_000));
    world.advance_to(due());
    world.deposit(cny(10_000_000));
    world.advance_to(date("2026-06-02"));
    assert_eq!(world.books().certificate(certificate).unwrap().totals.settled, cny(20_000_000));
    // Friday's money is collected on Monday, and what is too much stays with the payer.
    world.advance_to(date("2026-06-05"));
    world.deposit(cny(75_000_000));
    world.advance_to(date("2026-06-08"));
    assert_eq!(settled(&world, &parts), [30_000_001, 59_999_999]);
    assert_eq!(state(&world, certificate), CertificateState::Settled);
    assert_eq!(world.balance(world.core, world.bank), 5_000_000);
    world.advance_to(date("2026-08-01"));
    assert!(world.chain.agenda().is_empty());
    world.assert_deposits(world.bank);
}

#[test]
fn anybody_may_have_what_is_overdue_collected_at_once_but_not_in_vain() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(90_000_000));
    world.advance_to(due());
    let before = world.chain.snapshot();
    assert_eq!(refusal(world.receivable(world.tier_3).collect(certificate)), ReceivableError::NothingToCollect);
    assert_eq!(world.chain.snapshot(), before);
    world.deposit(cny(100_000_000));
    world.receivable(world.tier_3).collect(certificate).unwrap();
    assert_eq!((state(&world, certificate), world.part(root).state), (CertificateState::Settled, PartState::Settled));
    assert_eq!(world.balance(world.tier_1, world.bank), 90_000_000);
    // The retry that was planned finds nothing to do.
    world.advance_to(date("2026-06-03"));
    assert!(world.chain.agenda().is_empty());
}

#[test]
fn a_live_certificate_cannot_be_collected_early() {
    let world = World::new();
    let (certificate, _) = world.live(1, cny(90_000_000));
    world.deposit(cny(90_000_000));
    let error = ReceivableError::CertificateState { state: CertificateState::Live, needed: CertificateState::Overdue };
    assert_eq!(refusal(world.receivable(world.tier_1).collect(certificate)), error);
}

#[test]
fn the_agenda_gives_up_after_thirty_business_days() {
    let world = World::new();
    let (certificate, _) = world.live(1, cny(90_000_000));
    world.advance_to(date("2026-07-13"));
    assert_eq!(world.books().agenda(certificate).unwrap(), []);
    assert_eq!(state(&world, certificate), CertificateState::Overdue);
    world.deposit(cny(90_000_000));
    world.receivable(world.tier_1).collect(certificate).unwrap();
    assert_eq!(state(&world, certificate), CertificateState::Settled);
}

#[test]
fn claims_of_one_day_share_what_does_not_suffice_and_none_is_first() {
    let world = World::new();
    let (one, _) = world.live(1, cny(90_000_000));
    let (other, _) = world.live(2, cny(30_000_000));
    world.deposit(cny(60_000_000));
    world.advance_to(due());
    let paid = |certificate| world.assert_conserved(certificate).settled;
    assert_eq!((paid(one), paid(other)), (cny(45_000_000), cny(15_000_000)));
    world.deposit(cny(20_000_000));
    world.advance_to(date("2026-06-02"));
    assert_eq!((paid(one), paid(other)), (cny(60_000_000), cny(20_000_000)));
    world.assert_deposits(world.bank);
}

#[test]
fn what_is_overdue_comes_before_what_falls_due_later() {
    let world = World::new();
    let (earlier, _) = world.live(1, cny(50_000_000));
    world.advance_to(world.in_days(1));
    let (later, _) = world.live(2, cny(50_000_000));
    assert_eq!(world.books().certificate(later).unwrap().due, date("2026-06-01"), "Monday 1 June by itself");
    world.advance_to(world.in_days(1));
    let (last, _) = world.live(3, cny(50_000_000));
    assert_eq!(world.books().certificate(last).unwrap().due, date("2026-06-02"));
    world.advance_to(due());
    world.deposit(cny(120_000_000));
    world.advance_to(date("2026-06-02"));
    let paid = |certificate| world.assert_conserved(certificate).settled;
    assert_eq!((paid(earlier), paid(later), paid(last)), (cny(50_000_000), cny(50_000_000), cny(20_000_000)));
}

#[test]
fn a_claim_that_is_due_binds_the_deposit_before_the_agenda_has_run() {
    let world = World::new();
    let (certificate, _) = world.live(1, cny(90_000_000));
    world.deposit(cny(100_000_000));
    let redeem =
        |minor| world.settlement(world.core).redeem(world.core.account, world.bank.member, cny(minor), commitment(1));
    redeem(1_000_000).unwrap();
    // The chain stood still over the weekend: it is Monday, and Monday's entries have not run.
    world.chain.start_at(due().0);
    assert_eq!(refusal(redeem(9_000_001)), SettlementError::InsufficientDeposit { missing: cny(1) });
    let pay = |minor| {
        world.settlement(world.core).transfer(
            world.core.account,
            world.tier_3.account,
            world.bank.member,
            cny(minor),
            commitment(1),
        )
    };
    assert_eq!(refusal(pay(9_000_001)), SettlementError::InsufficientDeposit { missing: cny(1) });
    let deposit = &world.settlement(world.core).deposits(world.core.account, None).unwrap().deposits[0];
    assert_eq!((deposit.balance, deposit.bound), (cny(99_000_000), cny(90_000_000)));
    redeem(9_000_000).unwrap();
    world.chain.run_agenda();
    assert_eq!(state(&world, certificate), CertificateState::Settled);
    assert_eq!(world.balance(world.core, world.bank), 0);
}

#[test]
fn an_overdue_claim_binds_what_comes_in() {
    let world = World::new();
    world.live(1, cny(90_000_000));
    world.advance_to(due());
    world.deposit(cny(50_000_000));
    let redeem = world.settlement(world.core).redeem(world.core.account, world.bank.member, cny(1), commitment(1));
    assert_eq!(refusal(redeem), SettlementError::InsufficientDeposit { missing: cny(1) });
}

#[test]
fn an_offer_that_is_open_on_the_due_date_ends_and_the_holder_is_paid() {
    let world = World::new();
    let (_, root) = world.live(1, cny(90_000_000));
    world.deposit(cny(90_000_000));
    let offer = |day| {
        world.receivable(world.tier_1).offer_transfer(
            world.tier_1.account,
            root,
            world.tier_2.account,
            receivable::Recourse::With,
            day,
        )
    };
    offer(due()).unwrap();
    world.advance_to(due());
    assert_eq!((world.part(root).state, world.part(root).offer), (PartState::Settled, None));
    assert_eq!(world.balance(world.tier_1, world.bank), 90_000_000);
    world.advance_to(date("2026-06-05"));
    let events = world.chain.events::<ReceivableEvent>(receivable::api::CONTRACT);
    assert!(!events.iter().any(|event| matches!(event, ReceivableEvent::OfferEnded { how: OfferEnd::Lapsed, .. })));
}

#[test]
fn a_financed_part_that_is_paid_in_pieces_goes_down_its_waterfall_where_it_stopped() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(40_000_000));
    world.discount(world.tier_1, root, world.bank);
    let paid = || {
        let waterfall = world.settlement(world.bank).waterfall(root).unwrap();
        waterfall.tranches.iter().map(|tranche| tranche.paid_minor).collect::<Vec<_>>()
    };
    // Interest 4,398.33 first, then principal.
    world.deposit(cny(400_000));
    world.advance_to(due());
    assert_eq!(paid(), [400_000, 0]);
    world.deposit(cny(100_000));
    world.advance_to(date("2026-06-02"));
    assert_eq!(paid(), [439_833, 60_167]);
    assert_eq!(world.part(root).state, PartState::Overdue);
    world.deposit(cny(39_500_000));
    world.advance_to(date("2026-06-03"));
    assert_eq!(paid(), [439_833, 39_560_167]);
    assert_eq!(
        (state(&world, certificate), world.balance(world.bank, world.bank)),
        (CertificateState::Settled, 40_000_000)
    );
    world.assert_deposits(world.bank);
}

/// 1,030 leaves of tier 1 in two levels, a tenth of them passed on, with amounts that all differ.
fn wide(world: &World) -> (CertificateId, Vec<i128>) {
    const FACE: i128 = 1_000_000_000;
    let (certificate, root) = world.live(1, cny(FACE));
    let shares = |amount: i128, count: i128| -> Vec<i128> {
        let mut shares: Vec<i128> = (0..count).map(|place| amount / count - count * 7 + place * 13).collect();
        let rest = amount - shares.iter().sum::<i128>();
        *shares.last_mut().unwrap() += rest;
        shares
    };
    let mut leaves = Vec::new();
    let branches = world.split(world.tier_1, root, &shares(FACE, 5));
    for (branch, amount) in branches.iter().zip(shares(FACE, 5)) {
        let amounts = shares(amount, 206);
        let twigs = world.split(world.tier_1, *branch, &amounts);
        for twig in twigs.iter().step_by(10) {
            world.transfer(world.tier_1, world.tier_2, *twig);
        }
        leaves.extend(amounts);
    }
    (certificate, leaves)
}

fn leaves_settled(world: &World, certificate: CertificateId) -> Vec<i128> {
    world.tree(certificate).iter().filter(|part| part.children == 0).map(|part| part.settled.minor).collect()
}

#[test]
fn a_thousand_leaves_are_paid_in_bounded_batches() {
    let world = World::new();
    let (certificate, leaves) = wide(&world);
    world.deposit(cny(1_000_000_000));
    let runs = world.chain.advance_to(due().0);
    assert!(runs.iter().all(|run| run.result.is_ok()), "{runs:?}");
    assert_eq!(runs.iter().filter(|run| run.entry.due == due().0).count(), 1_030usize.div_ceil(64));
    assert_eq!(leaves_settled(&world, certificate), leaves);
    assert_eq!(world.balance(world.core, world.bank), 0);
    assert_eq!(state(&world, certificate), CertificateState::Settled);
    world.assert_deposits(world.bank);
}

#[test]
fn a_thousand_leaves_share_what_does_not_suffice_as_one_sheet_would() {
    let world = World::new();
    let (certificate, leaves) = wide(&world);
    world.deposit(cny(654_321_987));
    world.advance_to(due());
    assert_eq!(leaves_settled(&world, certificate), pro_rata(654_321_987, &leaves).unwrap());
    assert_eq!(world.balance(world.core, world.bank), 0);
    assert_eq!(state(&world, certificate), CertificateState::Overdue);
    world.assert_conserved(certificate);
    world.assert_deposits(world.bank);
    world.deposit(cny(1));
    world.advance_to(date("2026-06-02"));
    assert_eq!(leaves_settled(&world, certificate).iter().sum::<i128>(), 654_321_988);
    world.deposit(cny(345_678_012));
    world.advance_to(date("2026-06-03"));
    assert_eq!(leaves_settled(&world, certificate), leaves);
}

#[test]
fn while_batches_are_being_paid_the_money_is_set_aside() {
    let world = World::new();
    let (certificate, _) = wide(&world);
    world.deposit(cny(1_000_000_000));
    world.chain.start_at(due().0);
    // Only the first entry of the day runs.
    let agenda = world::Receivable::over(world.chain.as_contract(receivable::api::CONTRACT));
    agenda.mature(certificate).unwrap();
    assert_eq!(state(&world, certificate), CertificateState::Settling);
    let obligation = world.settlement(world.core).obligation(certificate).unwrap();
    assert_eq!(obligation.state, ObligationState::Paying);
    let deposit = &world.settlement(world.core).deposits(world.core.account, None).unwrap().deposits[0];
    assert_eq!(deposit.held, obligation.reserved);
    assert_eq!(deposit.balance, obligation.reserved, "what is not paid yet is all set aside");
    let redeem = world.settlement(world.core).redeem(world.core.account, world.bank.member, cny(1), commitment(1));
    assert_eq!(refusal(redeem), SettlementError::InsufficientDeposit { missing: cny(1) });
    let collect = world.receivable(world.tier_1).collect(certificate);
    let error =
        ReceivableError::CertificateState { state: CertificateState::Settling, needed: CertificateState::Overdue };
    assert_eq!(refusal(collect), error);
    world.assert_conserved(certificate);
    world.assert_deposits(world.bank);
}

#[test]
fn a_frozen_debtor_still_pays_what_it_owes() {
    let world = World::new();
    let (certificate, _) = world.live(1, cny(90_000_000));
    world.deposit(cny(90_000_000));
    world.chain.set_status(world.core.member, portolan_interface::MemberStatus::Frozen);
    world.advance_to(due());
    assert_eq!(state(&world, certificate), CertificateState::Settled);
}

#[test]
fn a_holder_that_holds_many_leaves_is_paid_their_sum() {
    let world = World::new();
    let (_, root) = world.live(1, cny(90_000_000));
    let parts = world.split(world.tier_1, root, &[10_000_000, 20_000_000, 60_000_000]);
    let firms: [Firm; 2] = [world.tier_2, world.tier_3];
    world.transfer(world.tier_1, firms[0], parts[0]);
    world.transfer(world.tier_1, firms[0], parts[2]);
    world.transfer(world.tier_1, firms[1], parts[1]);
    world.deposit(cny(90_000_000));
    world.advance_to(due());
    assert_eq!(firms.map(|firm| world.balance(firm, world.bank)), [70_000_000, 20_000_000]);
}

#[test]
fn a_debtor_that_holds_its_own_claim_pays_itself_and_no_money_is_made() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(90_000_000));
    world.transfer(world.tier_1, world.core, root);
    world.deposit(cny(90_000_000));
    world.advance_to(due());
    assert_eq!(
        (world.balance(world.core, world.bank), state(&world, certificate)),
        (90_000_000, CertificateState::Settled)
    );
    world.assert_deposits(world.bank);
}
