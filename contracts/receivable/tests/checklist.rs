//! Cases of the business's own lists that need more than one act: which comes first, what a calendar makes of a day, and a wide tree to its end.

mod world;

use portolan_interface::{
    BusinessDate, Convention, PartId,
    receivable::{CertificateState, CertificateTerms, PartState, ReceivableError, Recourse},
};
use portolan_terms::{equal_parts, pro_rata};
use world::{World, cny, date, refuses};

const FACE: i128 = 120_000_000;

#[test]
fn w06_a_thousand_in_three_equal_parts() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(100_000));
    let parts = world.split(world.tier_1, root, &equal_parts(100_000, 3).unwrap());
    let amounts: Vec<i128> = parts.iter().map(|part| world.part(*part).amount.minor).collect();
    assert_eq!(amounts, [33_334, 33_333, 33_333]);
    world.assert_conserved(certificate);
}

#[test]
fn f10_of_acceptance_and_withdrawal_the_first_in_order_wins() {
    let offered = || {
        let world = World::new();
        let (_, root) = world.live(1, cny(FACE));
        let until = world.in_days(3);
        let holder = world.receivable(world.tier_1);
        holder.offer_transfer(world.tier_1.account, root, world.tier_2.account, Recourse::Without, until).unwrap();
        (world, root)
    };
    let (world, root) = offered();
    let accept = |world: &World| world.receivable(world.tier_2).accept_transfer(world.tier_2.account, root);
    let withdraw = |world: &World| world.receivable(world.tier_1).withdraw_transfer(world.tier_1.account, root);
    withdraw(&world).unwrap();
    let live = ReceivableError::PartState { state: PartState::Live, needed: PartState::Offered };
    refuses(&world, || accept(&world), live);
    let (world, _) = offered();
    accept(&world).unwrap();
    refuses(&world, || withdraw(&world), ReceivableError::NotHolder);
    assert_eq!(world.part(root).holder, world.tier_2.account);
}

/// What of China's calendar for 2026 the worked figure touches.
fn china_2026(world: &World) {
    let days = |from: &str, to: &str| date(from).0..=date(to).0;
    for day in days("2026-02-15", "2026-02-23").chain(days("2026-10-01", "2026-10-07")) {
        world.chain.set_business_day("demo", day, false);
    }
    world.chain.set_business_day("demo", date("2026-02-14").0, true);
}

#[test]
fn w13_f13_a_certificate_is_due_on_the_day_that_convention_and_calendar_give() {
    let world = World::new();
    china_2026(&world);
    world.chain.start_at(date("2026-01-05").0);
    let maturities = ["2026-02-14", "2026-02-15", "2026-10-01", "2026-01-31", "2026-05-31"];
    let expected = [
        (Convention::Following, ["2026-02-14", "2026-02-24", "2026-10-08", "2026-02-02", "2026-06-01"]),
        (Convention::ModifiedFollowing, ["2026-02-14", "2026-02-24", "2026-10-08", "2026-01-30", "2026-05-29"]),
        (Convention::Preceding, ["2026-02-14", "2026-02-14", "2026-09-30", "2026-01-30", "2026-05-29"]),
    ];
    let mut seed = 0;
    for (convention, dues) in expected {
        for (maturity, due) in maturities.iter().zip(dues) {
            seed += 1;
            let invoice = world.matched(seed, cny(FACE));
            let terms = world.certificate_terms(invoice, cny(FACE));
            let terms = CertificateTerms { maturity: date(maturity), convention, ..terms };
            let certificate = world.receivable(world.core).issue(world.core.account, terms).unwrap();
            assert_eq!(world.books().certificate(certificate).unwrap().due, date(due), "{maturity} {convention:?}");
        }
    }
}

#[test]
fn f13_what_is_due_on_a_holiday_is_paid_on_the_business_day_and_not_before() {
    let world = World::new();
    china_2026(&world);
    let invoice = world.matched(1, cny(FACE));
    let terms = CertificateTerms { maturity: date("2026-10-01"), ..world.certificate_terms(invoice, cny(FACE)) };
    let certificate = world.receivable(world.core).issue(world.core.account, terms).unwrap();
    world.receivable(world.tier_1).accept(world.tier_1.account, certificate).unwrap();
    world.deposit(cny(FACE));
    world.advance_to(date("2026-10-05"));
    // In the holidays the part still moves.
    world.transfer(world.tier_1, world.tier_2, PartId::root(certificate));
    world.advance_to(date("2026-10-07"));
    assert_eq!(world.balance(world.tier_1, world.bank) + world.balance(world.tier_2, world.bank), 0);
    world.advance_to(date("2026-10-08"));
    assert_eq!(world.balance(world.tier_2, world.bank), FACE);
}

#[test]
fn a_split_of_256_parts_transferred_part_financed_and_partly_paid_settles_exactly() {
    let world = World::new();
    let face = 123_456_789;
    let (certificate, root) = world.live(1, cny(face));
    let amounts = equal_parts(face, 256).unwrap();
    let parts = world.split(world.tier_1, root, &amounts);
    let holders = [world.tier_1, world.tier_2, world.other_tier_2, world.tier_3];
    for (place, part) in parts.iter().enumerate() {
        if place % 4 > 0 {
            world.transfer(world.tier_1, holders[place % 4], *part);
        }
    }
    world.discount(world.tier_2, parts[1], world.bank);
    let before = [holders.as_slice(), &[world.bank]].concat();
    let before: Vec<i128> = before.iter().map(|firm| world.balance(*firm, world.bank)).collect();
    world.deposit(cny(77_777_777));
    world.advance_to(date("2026-06-01"));
    let settled: Vec<i128> = parts.iter().map(|part| world.part(*part).settled.minor).collect();
    assert_eq!(settled, pro_rata(77_777_777, &amounts).unwrap());
    assert_eq!(world.books().certificate(certificate).unwrap().state, CertificateState::Overdue);
    world.assert_conserved(certificate);
    world.deposit(cny(face - 77_777_777));
    world.advance_to(BusinessDate(date("2026-06-01").0 + 1));
    assert_eq!(world.balance(world.core, world.bank), 0);
    let of = |holder: usize| -> i128 { amounts.iter().skip(holder).step_by(4).sum() };
    let mut paid: Vec<i128> = (0..4).map(of).collect();
    paid[1] -= amounts[1];
    paid.push(amounts[1]);
    let after = [holders.as_slice(), &[world.bank]].concat();
    let received: Vec<i128> =
        after.iter().zip(before).map(|(firm, before)| world.balance(*firm, world.bank) - before).collect();
    assert_eq!(received, paid);
    assert_eq!(world.books().certificate(certificate).unwrap().state, CertificateState::Settled);
    world.assert_conserved(certificate);
    world.assert_deposits(world.bank);
}
