//! Credit notes that come after the certificate: all that is owed falls in proportion, nobody is spared, and not a unit is lost or made.

mod world;

use portolan_interface::{
    CertificateId, DocumentId, PartId, Unauthorized,
    receivable::{
        self, CertificateState, ClaimKind, OfferEnd, PartAct, PartState, ReceivableError, ReceivableEvent, Recourse,
    },
    trade::{CreditReason, CreditTerms, Document, InvoiceState, TradeError},
};
use portolan_sdk::CallError;
use portolan_terms::pro_rata;
use world::{Firm, Receivable, World, cny, commitment, date, refusal, refuses};

const FACE: i128 = 110_000_000;

fn invoice_of(world: &World, certificate: CertificateId) -> DocumentId {
    world.books().certificate(certificate).unwrap().terms.invoice
}

/// A credit note that both sides agreed to.
fn credit(world: &World, invoice: DocumentId, seed: u64, minor: i128) -> DocumentId {
    let terms = CreditTerms {
        invoice,
        amount: cny(minor),
        tax_minor: 0,
        reason: CreditReason::Return,
        issued: world.today(),
        fingerprint: commitment(seed + 5_000_000),
        commitment: commitment(seed + 6_000_000),
    };
    let note = world.trade(world.tier_1).propose_credit(world.tier_1.account, terms).unwrap();
    world.trade(world.core).answer_credit(world.core.account, note, true).unwrap();
    note
}

fn dilute(
    world: &World,
    party: Firm,
    certificate: CertificateId,
    note: DocumentId,
) -> Result<(), CallError<ReceivableError>> {
    world.receivable(party).dilute(party.account, certificate, note)
}

fn state(world: &World, certificate: CertificateId) -> CertificateState {
    world.books().certificate(certificate).unwrap().state
}

fn lost(world: &World, parts: &[PartId]) -> Vec<i128> {
    parts.iter().map(|part| world.part(*part).diluted.minor).collect()
}

#[test]
fn w11_f16_a_credit_note_after_the_split_takes_from_all_leaves_in_proportion_and_tells_their_holders() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[50_000_000, 40_000_000, 20_000_000]);
    world.transfer(world.tier_1, world.tier_2, parts[1]);
    let note = credit(&world, invoice_of(&world, certificate), 1, 3_600_000);
    dilute(&world, world.core, certificate, note).unwrap();
    assert_eq!(lost(&world, &parts), [1_636_364, 1_309_091, 654_545]);
    assert_eq!(world.part(parts[1]).outstanding, cny(38_690_909));
    let totals = world.assert_conserved(certificate);
    assert_eq!((totals.diluted, totals.outstanding), (cny(3_600_000), cny(FACE - 3_600_000)));
    let events = world.chain.events::<ReceivableEvent>(receivable::api::CONTRACT);
    assert!(events.contains(&ReceivableEvent::Lowered {
        certificate,
        part: parts[1],
        holder: world.tier_2.account,
        credit: note,
        by: cny(1_309_091),
        outstanding: cny(38_690_909),
    }));
    let (debtor, creditor) = (world.core.account, world.tier_1.account);
    let (amount, open) = (cny(3_600_000), cny(0));
    assert!(events.contains(&ReceivableEvent::Diluted { certificate, debtor, creditor, credit: note, amount, open }));
    assert_eq!(world.settlement(world.core).obligation(certificate).unwrap().amount, cny(FACE - 3_600_000));
    // Each unit of the note is taken once.
    let again = ReceivableError::Documents(CallError::Contract(TradeError::NothingToDilute));
    refuses(&world, || dilute(&world, world.core, certificate, note), again);
}

#[test]
fn s07_the_buyer_returns_goods_after_the_split_and_what_is_paid_is_the_rest() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[50_000_000, 40_000_000, 20_000_000]);
    world.transfer(world.tier_1, world.tier_2, parts[1]);
    let note = credit(&world, invoice_of(&world, certificate), 1, 3_600_000);
    dilute(&world, world.tier_1, certificate, note).unwrap();
    // What is left is split, passed on and merged as ever.
    let pieces = world.split(world.tier_2, parts[1], &[8_690_909, 30_000_000]);
    world.transfer(world.tier_2, world.tier_3, pieces[0]);
    world.assert_conserved(certificate);
    world.deposit(cny(FACE));
    world.advance_to(date("2026-06-01"));
    assert_eq!(world.balance(world.core, world.bank), 3_600_000);
    assert_eq!(world.balance(world.tier_3, world.bank), 8_690_909);
    assert_eq!(world.balance(world.tier_2, world.bank), 30_000_000);
    assert_eq!(world.balance(world.tier_1, world.bank), 48_363_636 + 19_345_455);
    let totals = world.assert_conserved(certificate);
    assert_eq!((totals.settled, totals.diluted), (cny(FACE - 3_600_000), cny(3_600_000)));
    let Document::Invoice(invoice) = world.trade(world.core).document(invoice_of(&world, certificate)).unwrap() else {
        panic!("an invoice")
    };
    assert_eq!((invoice.state, invoice.settled), (InvoiceState::Settled, cny(FACE - 3_600_000)));
}

#[test]
fn f16_on_a_financed_part_the_borrower_owes_the_difference() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[50_000_000, 60_000_000]);
    world.transfer(world.tier_1, world.tier_2, parts[0]);
    world.discount(world.tier_2, parts[0], world.bank);
    let note = credit(&world, invoice_of(&world, certificate), 1, 11_000_000);
    dilute(&world, world.core, certificate, note).unwrap();
    let claims = world.receivable(world.bank).claims(world.bank.account, None).unwrap();
    assert_eq!(claims.count, 1);
    let claim = &claims.claims[0];
    assert_eq!((claim.kind, claim.part, claim.amount), (ClaimKind::Shortfall, parts[0], cny(5_000_000)));
    assert_eq!((claim.claimant, claim.against), (world.bank.account, world.tier_2.account));
    assert_eq!(world.receivable(world.tier_2).claims(world.tier_2.account, None).unwrap().claims, claims.claims);
    let stranger = world.receivable(world.tier_3).claims(world.tier_2.account, None);
    assert_eq!(refusal(stranger), ReceivableError::NotParty);
    // Only the funder says that it was met, once.
    let by = |firm: Firm| world.receivable(firm).discharge(firm.account, 0, commitment(3));
    refuses(&world, || by(world.tier_2), ReceivableError::NotClaimant);
    let forged = || world.receivable(world.tier_2).discharge(world.bank.account, 0, commitment(3));
    refuses(&world, forged, ReceivableError::Unauthorized(Unauthorized::TooFewPersons));
    by(world.bank).unwrap();
    refuses(&world, || by(world.bank), ReceivableError::ClaimDischarged);
    let unknown = || world.receivable(world.bank).discharge(world.bank.account, 1, commitment(3));
    refuses(&world, unknown, ReceivableError::UnknownClaim);
    world.assert_conserved(certificate);
}

#[test]
fn an_award_on_a_financed_part_leaves_the_borrower_owing_too() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    world.discount(world.tier_1, root, world.bank);
    world.receivable(world.core).dispute(world.core.account, root, commitment(1), false).unwrap();
    let act = PartAct::Resolve { lost: cny(7) };
    world.receivable(world.regulator).order(world.regulator.account, root, act, commitment(2)).unwrap();
    let claim = &world.receivable(world.bank).claims(world.bank.account, None).unwrap().claims[0];
    assert_eq!((claim.against, claim.amount), (world.tier_1.account, cny(7)));
    assert_eq!(world.part(root).state, PartState::Financed);
}

#[test]
fn f17_beyond_what_is_live_the_rest_is_the_buyers_claim_on_the_first_creditor() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[50_000_000, 60_000_000]);
    world.deposit(cny(77_000_000));
    world.advance_to(date("2026-06-01"));
    // 330,000.00 is left; the note is over 500,000.00.
    let note = credit(&world, invoice_of(&world, certificate), 1, 50_000_000);
    dilute(&world, world.core, certificate, note).unwrap();
    assert_eq!(lost(&world, &parts), [15_000_000, 18_000_000]);
    let totals = world.assert_conserved(certificate);
    assert_eq!((totals.settled, totals.diluted, totals.outstanding), (cny(77_000_000), cny(33_000_000), cny(0)));
    assert_eq!(state(&world, certificate), CertificateState::Settled);
    assert!(world.chain.agenda().is_empty(), "nothing is left to collect");
    let Document::CreditNote(note) = world.trade(world.core).document(note).unwrap() else { panic!("a credit note") };
    assert_eq!((note.open, note.seller), (cny(17_000_000), world.tier_1.account));
    let needed = CertificateState::Live;
    let over = ReceivableError::CertificateState { state: CertificateState::Settled, needed };
    refuses(&world, || dilute(&world, world.core, certificate, note.id), over);
}

#[test]
fn a_credit_note_over_everything_ends_the_certificate_and_nothing_is_collected() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let note = credit(&world, invoice_of(&world, certificate), 1, FACE);
    dilute(&world, world.core, certificate, note).unwrap();
    assert_eq!((state(&world, certificate), world.part(root).state), (CertificateState::Diluted, PartState::Diluted));
    assert!(world.chain.agenda().is_empty());
    world.deposit(cny(FACE));
    world.advance_to(date("2026-06-02"));
    assert_eq!(world.balance(world.core, world.bank), FACE);
    world.assert_conserved(certificate);
}

#[test]
fn offers_and_consents_do_not_outlive_what_they_were_for() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[50_000_000, 60_000_000]);
    let tier_1 = world.receivable(world.tier_1);
    let (from, to) = (world.tier_1.account, world.tier_2.account);
    tier_1.offer_transfer(from, parts[0], to, Recourse::Without, world.in_days(3)).unwrap();
    world.receivable(world.core).propose_cancellation(world.core.account, certificate).unwrap();
    tier_1.consent_to_cancellation(from, parts[1]).unwrap();
    let note = credit(&world, invoice_of(&world, certificate), 1, 11_000_000);
    dilute(&world, world.core, certificate, note).unwrap();
    let events = world.chain.events::<ReceivableEvent>(receivable::api::CONTRACT);
    assert!(events.contains(&ReceivableEvent::OfferEnded { part: parts[0], from, to, how: OfferEnd::Overtaken }));
    assert!(parts.iter().all(|part| world.part(*part).state == PartState::Live));
    tier_1.consent_to_cancellation(from, parts[0]).unwrap();
    assert_eq!(state(&world, certificate), CertificateState::Live, "the other consent was for more");
    tier_1.consent_to_cancellation(from, parts[1]).unwrap();
    let totals = world.assert_conserved(certificate);
    assert_eq!((totals.diluted, totals.cancelled), (cny(11_000_000), cny(99_000_000)));
}

#[test]
fn what_is_held_or_in_dispute_loses_as_all_others_do() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[50_000_000, 40_000_000, 20_000_000]);
    world.receivable(world.core).dispute(world.core.account, parts[0], commitment(1), false).unwrap();
    let order = |act| {
        world.receivable(world.regulator).order(world.regulator.account, parts[1], act, commitment(2)).unwrap();
    };
    order(PartAct::Hold);
    let first = credit(&world, invoice_of(&world, certificate), 1, 11_000_000);
    dilute(&world, world.core, certificate, first).unwrap();
    assert_eq!(lost(&world, &parts), [5_000_000, 4_000_000, 2_000_000]);
    assert_eq!((world.part(parts[0]).state, world.part(parts[1]).state), (PartState::Disputed, PartState::Held));
    world.deposit(cny(54_000_000));
    world.advance_to(date("2026-06-01"));
    assert_eq!((state(&world, certificate), world.balance(world.core, world.bank)), (CertificateState::Disputed, 0));
    // After the due date only what is in dispute is left to lose.
    let second = credit(&world, invoice_of(&world, certificate), 2, 9_000_000);
    dilute(&world, world.core, certificate, second).unwrap();
    assert_eq!(world.part(parts[0]).outstanding, cny(36_000_000));
    let act = PartAct::Resolve { lost: cny(0) };
    world.receivable(world.regulator).order(world.regulator.account, parts[0], act, commitment(2)).unwrap();
    world.deposit(cny(40_000_000));
    world.advance_to(date("2026-06-02"));
    assert_eq!(world.balance(world.core, world.bank), 4_000_000);
    assert_eq!(state(&world, certificate), CertificateState::Settled);
    world.assert_conserved(certificate);
    world.assert_deposits(world.bank);
}

#[test]
fn who_may_dilute_and_what() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    world.transfer(world.tier_1, world.tier_2, root);
    let (other, _) = world.live(2, cny(FACE));
    let note = credit(&world, invoice_of(&world, certificate), 1, 1_000_000);
    refuses(&world, || dilute(&world, world.tier_2, certificate, note), ReceivableError::NotParty);
    let forged = Receivable::over(world.chain.as_account(world.tier_2.account));
    let error = ReceivableError::Unauthorized(Unauthorized::TooFewPersons);
    refuses(&world, || forged.dilute(world.core.account, certificate, note), error);
    refuses(&world, || dilute(&world, world.core, other, note), ReceivableError::OtherInvoice);
    world.chain.start_at(date("2026-06-01").0);
    let due = ReceivableError::PastDue { due: date("2026-06-01") };
    refuses(&world, || dilute(&world, world.core, certificate, note), due);
}

#[test]
fn an_unaccepted_certificate_is_refused_or_accepted_first() {
    let world = World::new();
    let certificate = world.offered(1, cny(FACE));
    let note = credit(&world, invoice_of(&world, certificate), 1, 1_000_000);
    let (state, needed) = (CertificateState::Offered, CertificateState::Live);
    let error = ReceivableError::CertificateState { state, needed };
    refuses(&world, || dilute(&world, world.core, certificate, note), error);
}

/// 600 leaves of tier 1 in two levels, with amounts that all differ.
fn wide(world: &World) -> (CertificateId, Vec<i128>, Vec<PartId>) {
    const WIDE: i128 = 900_000_000;
    let shares = |amount: i128, count: i128| -> Vec<i128> {
        let mut shares: Vec<i128> = (0..count).map(|place| amount / count - count * 7 + place * 13).collect();
        let rest = amount - shares.iter().sum::<i128>();
        *shares.last_mut().unwrap() += rest;
        shares
    };
    let (certificate, root) = world.live(1, cny(WIDE));
    let (mut leaves, mut parts) = (Vec::new(), Vec::new());
    let branches = world.split(world.tier_1, root, &shares(WIDE, 3));
    for (branch, amount) in branches.iter().zip(shares(WIDE, 3)) {
        parts.extend(world.split(world.tier_1, *branch, &shares(amount, 200)));
        leaves.extend(shares(amount, 200));
    }
    (certificate, leaves, parts)
}

#[test]
fn a_wide_tree_is_lowered_in_batches_as_one_sheet_would_be() {
    let world = World::new();
    let (certificate, leaves, parts) = wide(&world);
    let note = credit(&world, invoice_of(&world, certificate), 1, 123_456_789);
    dilute(&world, world.core, certificate, note).unwrap();
    let root = PartId::root(certificate);
    // The first 256 leaves are weighed; the others still move, and nothing that is weighed does.
    let tier_1 = world.receivable(world.tier_1);
    let split = |part: PartId, minor: i128| {
        let amounts = vec![cny(500_000), cny(minor - 500_000)];
        tier_1.split(world.tier_1.account, part, amounts)
    };
    refuses(&world, || split(parts[0], leaves[0]), ReceivableError::BeingLowered);
    refuses(&world, || tier_1.merge(world.tier_1.account, root.child(0)), ReceivableError::BeingLowered);
    tier_1.merge(world.tier_1.account, root.child(2)).unwrap();
    refuses(&world, || dilute(&world, world.core, certificate, note), ReceivableError::BeingLowered);
    world.chain.run_agenda();
    let third: i128 = leaves[400..].iter().sum();
    let mut owed = leaves[..400].to_vec();
    owed.push(third);
    let mut expected = pro_rata(123_456_789, &owed).unwrap();
    let mut lowered = lost(&world, &parts[..400]);
    lowered.push(world.part(root.child(2)).diluted.minor);
    assert_eq!(lowered, expected);
    assert_eq!(world.assert_conserved(certificate).diluted, cny(123_456_789));
    // Free again.
    expected.truncate(1);
    split(parts[0], leaves[0] - expected[0]).unwrap();
    world.assert_conserved(certificate);
}

#[test]
fn a_group_that_is_merged_while_it_comes_next_is_found_as_the_whole() {
    let world = World::new();
    const WIDE: i128 = 900_000_000;
    let (certificate, root) = world.live(1, cny(WIDE));
    let parts = world.split(world.tier_1, root, &[300_000_000, 600_000_000]);
    // Exactly as many leaves as are weighed at once, then the group.
    let mut amounts = vec![1_000_000; 255];
    amounts.push(45_000_000);
    world.split(world.tier_1, parts[0], &amounts);
    world.split(world.tier_1, parts[1], &[200_000_000, 400_000_000]);
    let note = credit(&world, invoice_of(&world, certificate), 1, 90_000_001);
    dilute(&world, world.core, certificate, note).unwrap();
    world.receivable(world.tier_1).merge(world.tier_1.account, parts[1]).unwrap();
    world.chain.run_agenda();
    assert_eq!(world.part(parts[1]).diluted, cny(60_000_001), "the largest remainder is the whole's");
    assert_eq!(world.assert_conserved(certificate).diluted, cny(90_000_001));
}

#[test]
fn a_credit_note_on_the_day_before_is_spread_before_the_due_date_runs() {
    let world = World::new();
    let (certificate, leaves, _) = wide(&world);
    let face: i128 = leaves.iter().sum();
    world.deposit(cny(face));
    world.advance_to(date("2026-05-31"));
    let note = credit(&world, invoice_of(&world, certificate), 1, 100_000_000);
    dilute(&world, world.core, certificate, note).unwrap();
    world.advance_to(date("2026-06-01"));
    assert_eq!(world.balance(world.core, world.bank), 100_000_000);
    assert_eq!(state(&world, certificate), CertificateState::Settled);
    world.assert_conserved(certificate);
}

#[test]
fn while_a_credit_note_is_spread_nothing_is_collected_consented_or_resolved() {
    let world = World::new();
    let (certificate, _, parts) = wide(&world);
    world.receivable(world.core).dispute(world.core.account, parts[599], commitment(1), false).unwrap();
    world.receivable(world.core).propose_cancellation(world.core.account, certificate).unwrap();
    let note = credit(&world, invoice_of(&world, certificate), 1, 100_000_000);
    dilute(&world, world.core, certificate, note).unwrap();
    let consent = || world.receivable(world.tier_1).consent_to_cancellation(world.tier_1.account, parts[500]);
    refuses(&world, consent, ReceivableError::BeingLowered);
    let act = PartAct::Resolve { lost: cny(0) };
    let resolve =
        || world.receivable(world.regulator).order(world.regulator.account, parts[599], act.clone(), commitment(2));
    refuses(&world, resolve, ReceivableError::BeingLowered);
    let agenda = Receivable::over(world.chain.as_contract(receivable::api::CONTRACT));
    refuses(&world, || agenda.mature(certificate), ReceivableError::BeingLowered);
    world.chain.run_agenda();
    resolve().unwrap();
    // Overdue, the same holds for collecting.
    world.advance_to(date("2026-06-01"));
    let note = credit(&world, invoice_of(&world, certificate), 2, 100_000_000);
    dilute(&world, world.core, certificate, note).unwrap();
    world.deposit(cny(700_000_000));
    refuses(&world, || world.receivable(world.tier_1).collect(certificate), ReceivableError::BeingLowered);
    world.advance_to(date("2026-06-02"));
    assert_eq!(world.balance(world.core, world.bank), 0);
    assert_eq!(state(&world, certificate), CertificateState::Settled);
    world.assert_conserved(certificate);
}
