//! The whole thread, from issue to payment, in the words of the business (stories S01 to S05).

mod world;

use portolan_interface::{
    PartId, Unauthorized,
    receivable::{self, CertificateState, HopKind, PartState, ReceivableError, ReceivableEvent, Recourse},
    settlement,
    trade::{Document, InvoiceState},
};
use world::{World, cny, date, refusal};

const FACE: i128 = 120_000_000;

#[test]
fn s01_the_core_enterprise_issues_with_two_approvals_and_the_supplier_sees_it_offered() {
    let world = World::new();
    let invoice = world.matched(1, cny(FACE));
    world.chain.policy(world.core.account, &[(50_000_000, 1), (i128::MAX, 2)]);
    let terms = world.certificate_terms(invoice, cny(FACE));
    let alone = world.receivable(world.core).issue(world.core.account, terms.clone());
    assert_eq!(refusal(alone), ReceivableError::Unauthorized(Unauthorized::TooFewPersons));

    let together = world.chain.as_account(world.core.account).approved_by(world.core.account, 2);
    let certificate = world::Receivable::over(together).issue(world.core.account, terms).unwrap();
    let seen = world.receivable(world.tier_1).certificate(certificate).unwrap();
    assert_eq!((seen.state, seen.totals.outstanding), (CertificateState::Offered, cny(FACE)));
    assert_eq!(seen.due, date("2026-06-01"), "Sunday 31 May falls on the following Monday");
    let offered = world.holdings(world.tier_1);
    assert_eq!(
        offered.iter().map(|part| (part.id, part.state)).collect::<Vec<_>>(),
        [(PartId::root(certificate), PartState::Offered)]
    );
    world.assert_conserved(certificate);
}

#[test]
fn s02_tier_1_accepts_splits_in_three_and_pays_two_suppliers_with_parts() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 50_000_000, 30_000_000]);
    world.transfer(world.tier_1, world.tier_2, parts[0]);
    world.transfer(world.tier_1, world.other_tier_2, parts[1]);
    let held = |firm| world.holdings(firm).iter().map(|part| (part.id, part.amount.minor)).collect::<Vec<_>>();
    assert_eq!(held(world.tier_2), [(parts[0], 40_000_000)]);
    assert_eq!(held(world.other_tier_2), [(parts[1], 50_000_000)]);
    assert_eq!(held(world.tier_1), [(parts[2], 30_000_000)]);
    assert_eq!(world.part(root).state, PartState::Closed);
    world.assert_conserved(certificate);
}

#[test]
fn s03_a_path_of_three_hops_leads_from_tier_3_to_the_debtor_and_shows_no_sibling() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    world.transfer(world.tier_1, world.tier_2, parts[0]);
    let pieces = world.split(world.tier_2, parts[0], &[15_000_000, 25_000_000]);
    world.transfer(world.tier_2, world.tier_3, pieces[1]);

    let lineage = world.receivable(world.tier_3).lineage(pieces[1]).unwrap();
    assert_eq!((lineage.certificate, lineage.debtor, lineage.face), (certificate, world.core.account, cny(FACE)));
    let path: Vec<_> = lineage.path.iter().map(|step| (step.part, step.amount.minor)).collect();
    assert_eq!(path, [(root, FACE), (parts[0], 40_000_000), (pieces[1], 25_000_000)]);
    let hops: Vec<_> =
        lineage.path.iter().flat_map(|step| &step.hops).map(|hop| (hop.kind, hop.from, hop.to)).collect();
    let accounts = [world.core, world.tier_1, world.tier_2, world.tier_3].map(|firm| firm.account);
    assert_eq!(
        hops,
        [
            (HopKind::Issue, accounts[0], accounts[1]),
            (HopKind::Assignment, accounts[1], accounts[2]),
            (HopKind::Assignment, accounts[2], accounts[3]),
        ]
    );
    assert_eq!(refusal(world.receivable(world.tier_3).part(parts[1])), ReceivableError::NotParty);
    assert_eq!(refusal(world.receivable(world.tier_3).parts(certificate, None)), ReceivableError::NotParty);
}

#[test]
fn s04_tier_2_gets_cash_for_a_part_the_same_day() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    world.transfer(world.tier_1, world.tier_2, parts[0]);
    world.discount(world.tier_2, parts[0], world.bank);
    // W01 over 91 days: 400,000.00 at 4.35 % comes to 4,398.33.
    assert_eq!(world.balance(world.tier_2, world.bank), 40_000_000 - 439_833);
    let part = world.part(parts[0]);
    assert_eq!((part.state, part.holder), (PartState::Financed, world.bank.account));
    let hop = part.hops.last().unwrap();
    assert_eq!((hop.kind, hop.from, hop.recourse), (HopKind::Discount, world.tier_2.account, Recourse::With));
    world.assert_conserved(certificate);
    world.assert_deposits(world.bank);
}

#[test]
fn s05_on_the_due_date_everybody_is_paid_without_anybody_acting() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    world.deposit(cny(FACE + 500));
    let parts = world.split(world.tier_1, root, &[40_000_000, 50_000_000, 30_000_000]);
    world.transfer(world.tier_1, world.tier_2, parts[0]);
    world.transfer(world.tier_1, world.other_tier_2, parts[1]);
    world.transfer(world.other_tier_2, world.tier_3, parts[1]);
    world.discount(world.tier_2, parts[0], world.bank);
    let proceeds = world.balance(world.tier_2, world.bank);

    world.advance_to(date("2026-05-31"));
    assert_eq!(world.balance(world.tier_3, world.bank), 0, "nothing moves before the due date");
    world.advance_to(date("2026-06-01"));
    assert_eq!(world.balance(world.core, world.bank), 500);
    assert_eq!(world.balance(world.tier_1, world.bank), 30_000_000);
    assert_eq!(world.balance(world.tier_2, world.bank), proceeds, "the discounted part is the bank's");
    assert_eq!(world.balance(world.tier_3, world.bank), 50_000_000);
    assert_eq!(world.balance(world.bank, world.bank), 40_000_000);
    let totals = world.assert_conserved(certificate);
    assert_eq!((totals.settled, totals.outstanding), (cny(FACE), cny(0)));
    world.assert_deposits(world.bank);

    let seen = world.receivable(world.core).certificate(certificate).unwrap();
    assert_eq!(seen.state, CertificateState::Settled);
    let Document::Invoice(invoice) = world.trade(world.core).document(seen.terms.invoice).unwrap() else {
        panic!("an invoice")
    };
    assert_eq!(invoice.state, InvoiceState::Settled);
    assert!(world.chain.agenda().is_empty());
    let events = world.chain.events::<ReceivableEvent>(receivable::api::CONTRACT);
    assert_eq!(events.iter().filter(|event| matches!(event, ReceivableEvent::Paid { .. })).count(), 3);
    let waterfall = world.settlement(world.bank).waterfall(parts[0]).unwrap();
    assert!(waterfall.tranches.iter().all(|tranche| tranche.paid_minor == tranche.due_minor));
    assert_eq!(waterfall.tranches.iter().map(|tranche| tranche.paid_minor).sum::<i128>(), 40_000_000);
    assert_eq!(world.settlement(world.core).obligation(certificate).unwrap().state, settlement::ObligationState::Paid);
}
