//! What `receivable` refuses: each rule its own error, and nothing is changed by what is refused.

mod world;

use portolan_interface::{
    Currency, MemberStatus, Money, PartId, Unauthorized,
    receivable::{
        self, CertificateState, CertificateTerms, MAX_DEPTH, PartState, ReceivableError, Recourse,
        api::CONTRACT as RECEIVABLE,
    },
    trade::{InvoiceState, TradeError},
};
use portolan_sdk::{AccountId, CallError};
use world::{Firm, Receivable, World, cny, date, refusal, refuses};

const FACE: i128 = 120_000_000;

/// Refused with this error, and the chain is as it was.
fn split(world: &World, holder: Firm, part: PartId, amounts: Vec<Money>) -> Result<(), CallError<ReceivableError>> {
    world.receivable(holder).split(holder.account, part, amounts)
}

fn offer(world: &World, from: Firm, part: PartId, to: AccountId) -> Result<(), CallError<ReceivableError>> {
    world.receivable(from).offer_transfer(from.account, part, to, Recourse::Without, world.in_days(3))
}

fn accept(world: &World, receiver: Firm, part: PartId) -> Result<(), CallError<ReceivableError>> {
    world.receivable(receiver).accept_transfer(receiver.account, part)
}

// Split (F05, F06, F07).

#[test]
fn f05_an_over_split_says_by_how_much() {
    let world = World::new();
    let (_, root) = world.live(1, cny(12_000_000));
    let error = ReceivableError::OverSplit { amount: cny(12_000_000), excess: cny(100) };
    refuses(&world, || split(&world, world.tier_1, root, vec![cny(6_000_000), cny(6_000_100)]), error);
}

#[test]
fn f05_a_split_that_forgets_a_unit_is_refused() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let error = ReceivableError::UnderSplit { amount: cny(FACE), missing: cny(1) };
    refuses(&world, || split(&world, world.tier_1, root, vec![cny(60_000_000), cny(59_999_999)]), error);
}

#[test]
fn f05_a_zero_or_negative_part_is_refused() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    refuses(
        &world,
        || split(&world, world.tier_1, root, vec![cny(FACE), cny(0)]),
        ReceivableError::ZeroPart { position: 1 },
    );
    refuses(
        &world,
        || split(&world, world.tier_1, root, vec![cny(-1), cny(FACE + 1)]),
        ReceivableError::ZeroPart { position: 0 },
    );
}

#[test]
fn f05_amounts_whose_sum_does_not_fit_are_refused() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let error = ReceivableError::Terms(portolan_interface::TermsError::Overflow);
    refuses(&world, || split(&world, world.tier_1, root, vec![cny(i128::MAX), cny(i128::MAX)]), error);
}

#[test]
fn f05_a_split_has_2_to_256_parts() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(257_000_000));
    refuses(
        &world,
        || split(&world, world.tier_1, root, vec![cny(1_000_000); 257]),
        ReceivableError::PartCount { count: 257 },
    );
    refuses(
        &world,
        || split(&world, world.tier_1, root, vec![cny(257_000_000)]),
        ReceivableError::PartCount { count: 1 },
    );
    refuses(&world, || split(&world, world.tier_1, root, vec![]), ReceivableError::PartCount { count: 0 });
    let mut amounts = vec![cny(1_000_000); 255];
    amounts.push(cny(2_000_000));
    split(&world, world.tier_1, root, amounts).unwrap();
    world.assert_conserved(certificate);
}

#[test]
fn f05_a_part_below_dust_is_refused() {
    let world = World::new();
    world.chain.set_parameter(receivable::DUST_PARAMETER, &50_000i128);
    let (_, root) = world.live(1, cny(FACE));
    let error = ReceivableError::Dust { position: 1, minimum: cny(50_000) };
    refuses(&world, || split(&world, world.tier_1, root, vec![cny(FACE - 49_999), cny(49_999)]), error);
    split(&world, world.tier_1, root, vec![cny(FACE - 50_000), cny(50_000)]).unwrap();
}

#[test]
fn f06_dust_grows_with_the_face_so_that_leaves_stay_bounded() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE + 1));
    assert_eq!(world.books().certificate(certificate).unwrap().dust_minor, 12_001);
    let error = ReceivableError::Dust { position: 0, minimum: cny(12_001) };
    refuses(&world, || split(&world, world.tier_1, root, vec![cny(12_000), cny(FACE - 11_999)]), error);
}

#[test]
fn f05_a_part_in_another_currency_is_refused() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let dollars = Money::new(60_000_000, Currency::USD);
    let error = ReceivableError::WrongCurrency { expected: Currency::CNY, found: Currency::USD };
    refuses(&world, || split(&world, world.tier_1, root, vec![cny(60_000_000), dollars]), error);
}

#[test]
fn f06_the_thirty_third_split_in_a_line_is_refused() {
    let world = World::new();
    let (certificate, mut part) = world.live(1, cny(FACE));
    let mut left = FACE;
    for _ in 0..MAX_DEPTH {
        part = world.split(world.tier_1, part, &[left - 20_000, 20_000])[0];
        left -= 20_000;
    }
    assert_eq!(world.part(part).depth, 32);
    refuses(
        &world,
        || split(&world, world.tier_1, part, vec![cny(left - 20_000), cny(20_000)]),
        ReceivableError::TooDeep,
    );
    world.assert_conserved(certificate);
}

#[test]
fn a_part_is_split_once() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    world.split(world.tier_1, root, &[60_000_000, 60_000_000]);
    let error = ReceivableError::PartState { state: PartState::Closed, needed: PartState::Live };
    refuses(&world, || split(&world, world.tier_1, root, vec![cny(60_000_000), cny(60_000_000)]), error);
}

#[test]
fn a_certificate_may_forbid_splits_and_transfers() {
    let world = World::new();
    let invoice = world.matched(1, cny(FACE));
    let terms =
        CertificateTerms { splittable: false, transferable: false, ..world.certificate_terms(invoice, cny(FACE)) };
    let certificate = world.receivable(world.core).issue(world.core.account, terms).unwrap();
    world.receivable(world.tier_1).accept(world.tier_1.account, certificate).unwrap();
    let root = PartId::root(certificate);
    refuses(&world, || split(&world, world.tier_1, root, vec![cny(60_000_000); 2]), ReceivableError::NotSplittable);
    refuses(&world, || offer(&world, world.tier_1, root, world.tier_2.account), ReceivableError::NotTransferable);
}

#[test]
fn f07_who_no_longer_holds_a_part_can_do_nothing_with_it() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    world.transfer(world.tier_1, world.tier_2, root);
    refuses(&world, || offer(&world, world.tier_1, root, world.tier_3.account), ReceivableError::NotHolder);
    refuses(&world, || split(&world, world.tier_1, root, vec![cny(60_000_000); 2]), ReceivableError::NotHolder);
    refuses(
        &world,
        || world.receivable(world.tier_1).withdraw_transfer(world.tier_1.account, root),
        ReceivableError::NotHolder,
    );
}

#[test]
fn naming_the_holder_is_not_being_the_holder() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    // Tier 2 sends the transaction in tier 1's name, without tier 1's approval.
    let forged = Receivable::over(world.chain.as_account(world.tier_2.account));
    let error = ReceivableError::Unauthorized(Unauthorized::TooFewPersons);
    refuses(
        &world,
        || forged.offer_transfer(world.tier_1.account, root, world.tier_2.account, Recourse::Without, world.in_days(3)),
        error.clone(),
    );
    refuses(&world, || forged.split(world.tier_1.account, root, vec![cny(60_000_000); 2]), error);
}

#[test]
fn nobody_answers_an_offer_in_anothers_name() {
    let world = World::new();
    let stranger = world.receivable(world.tier_3);
    let (holder, receiver) = (world.tier_1.account, world.tier_2.account);
    let forged = ReceivableError::Unauthorized(Unauthorized::TooFewPersons);
    let certificate = world.offered(1, cny(FACE));
    refuses(&world, || stranger.accept(holder, certificate), forged.clone());
    refuses(&world, || stranger.refuse(holder, certificate), forged.clone());
    world.receivable(world.tier_1).accept(holder, certificate).unwrap();
    let root = PartId::root(certificate);
    offer(&world, world.tier_1, root, receiver).unwrap();
    refuses(&world, || stranger.accept_transfer(receiver, root), forged.clone());
    refuses(&world, || stranger.reject_transfer(receiver, root), forged.clone());
    refuses(&world, || stranger.withdraw_transfer(holder, root), forged);
}

#[test]
fn an_unknown_part_and_certificate_are_named_as_such() {
    let world = World::new();
    refuses(&world, || split(&world, world.tier_1, PartId([9; 32]), vec![cny(1); 2]), ReceivableError::UnknownPart);
    let unknown = portolan_interface::CertificateId([9; 32]);
    refuses(
        &world,
        || world.receivable(world.tier_1).accept(world.tier_1.account, unknown),
        ReceivableError::UnknownCertificate,
    );
}

// Transfer (F09, F10).

#[test]
fn f09_a_receiver_that_is_unknown_frozen_or_gone_is_refused_at_the_offer() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    refuses(&world, || offer(&world, world.tier_1, root, AccountId([0xEE; 16])), ReceivableError::UnknownAccount);
    for status in [MemberStatus::Frozen, MemberStatus::Left] {
        world.chain.set_status(world.tier_2.member, status);
        refuses(
            &world,
            || offer(&world, world.tier_1, root, world.tier_2.account),
            ReceivableError::MemberNotActive { status },
        );
    }
    world.chain.set_status(world.tier_2.member, MemberStatus::Restricted);
    offer(&world, world.tier_1, root, world.tier_2.account).unwrap();
}

#[test]
fn f09_a_receiver_that_was_frozen_since_is_refused_at_acceptance() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    offer(&world, world.tier_1, root, world.tier_2.account).unwrap();
    world.chain.set_status(world.tier_2.member, MemberStatus::Frozen);
    let error = ReceivableError::Unauthorized(Unauthorized::MemberNotActive);
    refuses(&world, || accept(&world, world.tier_2, root), error);
}

#[test]
fn f09_a_giver_that_was_frozen_since_cannot_give() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    offer(&world, world.tier_1, root, world.tier_2.account).unwrap();
    world.chain.set_status(world.tier_1.member, MemberStatus::Frozen);
    refuses(
        &world,
        || accept(&world, world.tier_2, root),
        ReceivableError::MemberNotActive { status: MemberStatus::Frozen },
    );
}

#[test]
fn a_restricted_holder_may_receive_but_not_transfer() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    world.chain.set_status(world.tier_1.member, MemberStatus::Restricted);
    let error = ReceivableError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || offer(&world, world.tier_1, root, world.tier_2.account), error);
}

#[test]
fn f10_an_offer_lapses_by_itself_and_coming_too_late_is_told_so() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    offer(&world, world.tier_1, root, world.tier_2.account).unwrap();
    world.advance_to(world.in_days(3));
    assert_eq!(world.part(root).state, PartState::Offered, "the last day counts");
    world.advance_to(world.in_days(1));
    assert_eq!((world.part(root).state, world.part(root).offer), (PartState::Live, None));
    refuses(
        &world,
        || accept(&world, world.tier_2, root),
        ReceivableError::OfferExpired { expired: date("2026-03-05") },
    );
    world.split(world.tier_1, root, &[60_000_000, 60_000_000]);
}

#[test]
fn f10_an_offers_last_day_counts_while_the_agenda_lags_and_the_day_after_does_not() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    offer(&world, world.tier_1, root, world.tier_2.account).unwrap();
    let expired = world.in_days(3);
    // The day has come and the agenda has not run.
    world.chain.start_at(expired.0 + 1);
    refuses(&world, || accept(&world, world.tier_2, root), ReceivableError::OfferExpired { expired });
    world.chain.start_at(expired.0);
    accept(&world, world.tier_2, root).unwrap();
}

#[test]
fn an_accepted_or_withdrawn_offer_leaves_no_agenda_entry() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let pending = world.chain.agenda().len();
    world.transfer(world.tier_1, world.tier_2, root);
    assert_eq!(world.chain.agenda().len(), pending);
    offer(&world, world.tier_2, root, world.tier_3.account).unwrap();
    assert_eq!(world.chain.agenda().len(), pending + 1);
    world.receivable(world.tier_2).withdraw_transfer(world.tier_2.account, root).unwrap();
    assert_eq!(world.chain.agenda().len(), pending);
}

#[test]
fn on_a_part_that_was_split_nothing_is_owed_any_more() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let pieces = world.split(world.tier_1, root, &[60_000_000, 60_000_000]);
    assert_eq!((world.part(root).state, world.part(root).outstanding), (PartState::Closed, cny(0)));
    assert_eq!(world.part(pieces[0]).outstanding, cny(60_000_000));
    let all: i128 = world.tree(certificate).iter().map(|part| part.outstanding.minor).sum();
    assert_eq!(all, FACE, "whoever adds up the whole tree counts nothing twice");
}

#[test]
fn an_offer_is_locked_until_it_ends() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    offer(&world, world.tier_1, root, world.tier_2.account).unwrap();
    let locked = ReceivableError::PartState { state: PartState::Offered, needed: PartState::Live };
    refuses(&world, || offer(&world, world.tier_1, root, world.tier_3.account), locked.clone());
    refuses(&world, || split(&world, world.tier_1, root, vec![cny(60_000_000); 2]), locked);
    refuses(&world, || accept(&world, world.tier_3, root), ReceivableError::NotReceiver);
    refuses(
        &world,
        || world.receivable(world.tier_3).reject_transfer(world.tier_3.account, root),
        ReceivableError::NotReceiver,
    );
}

#[test]
fn a_rejected_offer_gives_the_part_back_and_leaves_no_agenda_entry() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let pending = world.chain.agenda().len();
    offer(&world, world.tier_1, root, world.tier_2.account).unwrap();
    world.receivable(world.tier_2).reject_transfer(world.tier_2.account, root).unwrap();
    assert_eq!((world.part(root).state, world.part(root).holder), (PartState::Live, world.tier_1.account));
    assert_eq!(world.chain.agenda().len(), pending);
    let error = ReceivableError::PartState { state: PartState::Live, needed: PartState::Offered };
    refuses(&world, || accept(&world, world.tier_2, root), error);
    assert!(world.holdings(world.tier_2).is_empty());
}

#[test]
fn f10_an_offer_that_was_withdrawn_cannot_be_accepted() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    offer(&world, world.tier_1, root, world.tier_2.account).unwrap();
    world.receivable(world.tier_1).withdraw_transfer(world.tier_1.account, root).unwrap();
    let error = ReceivableError::PartState { state: PartState::Live, needed: PartState::Offered };
    refuses(&world, || accept(&world, world.tier_2, root), error.clone());
    refuses(&world, || world.receivable(world.tier_1).withdraw_transfer(world.tier_1.account, root), error);
}

#[test]
fn a_part_cannot_be_offered_to_its_holder_nor_beyond_the_due_date_nor_into_the_past() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    refuses(&world, || offer(&world, world.tier_1, root, world.tier_1.account), ReceivableError::SameHolder);
    let until = |day| {
        world.receivable(world.tier_1).offer_transfer(
            world.tier_1.account,
            root,
            world.tier_2.account,
            Recourse::With,
            day,
        )
    };
    let window = ReceivableError::OfferWindow { latest: date("2026-06-01") };
    refuses(&world, || until(date("2026-06-02")), window.clone());
    refuses(&world, || until(world.in_days(-1)), window);
    until(date("2026-06-01")).unwrap();
}

#[test]
fn a_part_that_went_away_and_came_back_is_held_once() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[50_000_000, 70_000_000]);
    world.transfer(world.tier_1, world.tier_2, parts[0]);
    world.transfer(world.tier_2, world.tier_1, parts[0]);
    world.transfer(world.tier_1, world.tier_2, parts[0]);
    world.transfer(world.tier_2, world.tier_1, parts[0]);
    let pieces = world.split(world.tier_1, parts[0], &[20_000_000, 30_000_000]);
    let mut held: Vec<_> = world.holdings(world.tier_1).iter().map(|part| part.id).collect();
    held.sort_unstable();
    let mut expected = vec![parts[1], pieces[0], pieces[1]];
    expected.sort_unstable();
    assert_eq!(held, expected);
    assert!(world.holdings(world.tier_2).is_empty());
}

#[test]
fn a_claim_changes_hands_at_most_256_times() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let mut pair = (world.tier_1, world.tier_2);
    // The issue was the first hop.
    for _ in 0..255 {
        world.transfer(pair.0, pair.1, root);
        pair = (pair.1, pair.0);
    }
    refuses(&world, || offer(&world, pair.0, root, pair.1.account), ReceivableError::TooManyHops);
    let pieces = world.split(pair.0, root, &[60_000_000, 60_000_000]);
    refuses(&world, || offer(&world, pair.0, pieces[0], pair.1.account), ReceivableError::TooManyHops);
    let financing = Receivable::over(world.chain.as_contract(portolan_interface::financing::api::CONTRACT));
    let sell = || {
        let id = portolan_interface::FinancingId([1; 32]);
        financing.discount(pieces[0], pair.0.account, world.bank.account, Recourse::Without, id)
    };
    refuses(&world, sell, ReceivableError::TooManyHops);
}

#[test]
fn on_the_due_date_nothing_but_payment_moves_a_part() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    offer(&world, world.tier_1, root, world.tier_2.account).unwrap();
    let (_, other) = world.live(2, cny(FACE));
    // The chain stood still: the day has come and the agenda has not run.
    world.chain.start_at(date("2026-06-01").0);
    let past = ReceivableError::PastDue { due: date("2026-06-01") };
    refuses(&world, || accept(&world, world.tier_2, root), past.clone());
    refuses(&world, || split(&world, world.tier_1, other, vec![cny(60_000_000); 2]), past.clone());
    refuses(&world, || offer(&world, world.tier_1, other, world.tier_2.account), past);
}

// Issue, acceptance, refusal, expiry.

fn issue(
    world: &World,
    change: impl FnOnce(&mut CertificateTerms),
) -> Result<portolan_interface::CertificateId, CallError<ReceivableError>> {
    let invoice = world.matched(1, cny(FACE));
    issue_against(world, invoice, change)
}

fn issue_against(
    world: &World,
    invoice: portolan_interface::DocumentId,
    change: impl FnOnce(&mut CertificateTerms),
) -> Result<portolan_interface::CertificateId, CallError<ReceivableError>> {
    let mut terms = world.certificate_terms(invoice, cny(FACE));
    change(&mut terms);
    world.receivable(world.core).issue(world.core.account, terms)
}

#[test]
fn a_certificate_needs_a_matched_invoice_between_the_same_parties() {
    let world = World::new();
    let registered = world.registered(1, cny(FACE));
    let unmatched = TradeError::InvoiceState { state: InvoiceState::Registered, needed: InvoiceState::Matched };
    refuses(
        &world,
        || issue_against(&world, registered, |_| {}),
        ReceivableError::Documents(CallError::Contract(unmatched)),
    );
    let matched = world.matched(2, cny(FACE));
    let other_creditor = |terms: &mut CertificateTerms| terms.creditor = world.tier_2.account;
    let not_party = ReceivableError::Documents(CallError::Contract(TradeError::NotParty));
    refuses(&world, || issue_against(&world, matched, other_creditor), not_party);
    let unknown = portolan_interface::DocumentId([3; 32]);
    let error = ReceivableError::Documents(CallError::Contract(TradeError::UnknownDocument));
    refuses(&world, || issue_against(&world, unknown, |_| {}), error);
}

#[test]
fn certificates_never_exceed_what_is_payable() {
    let world = World::new();
    let invoice = world.matched(1, cny(FACE));
    issue_against(&world, invoice, |terms| terms.face = cny(100_000_000)).unwrap();
    let over = TradeError::Overcertified { excess: cny(1) };
    refuses(
        &world,
        || issue_against(&world, invoice, |terms| terms.face = cny(20_000_001)),
        ReceivableError::Documents(CallError::Contract(over)),
    );
    let second = issue_against(&world, invoice, |terms| terms.face = cny(20_000_000)).unwrap();
    assert_eq!(second, portolan_interface::CertificateId::against(invoice, 1));
}

#[test]
fn only_a_core_enterprise_in_good_standing_issues() {
    let world = World::new();
    let invoice = world.matched(1, cny(FACE));
    let terms = CertificateTerms { creditor: world.core.account, ..world.certificate_terms(invoice, cny(FACE)) };
    let by_supplier = || world.receivable(world.tier_1).issue(world.tier_1.account, terms);
    refuses(&world, by_supplier, ReceivableError::NotCoreEnterprise);
    world.chain.set_status(world.core.member, MemberStatus::Restricted);
    let error = ReceivableError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || issue_against(&world, invoice, |_| {}), error);
}

#[test]
fn a_certificate_is_not_issued_to_a_frozen_member_nor_accepted_from_one() {
    let world = World::new();
    let frozen = ReceivableError::MemberNotActive { status: MemberStatus::Frozen };
    let invoice = world.matched(1, cny(FACE));
    world.chain.set_status(world.tier_1.member, MemberStatus::Frozen);
    refuses(&world, || issue_against(&world, invoice, |_| {}), frozen.clone());
    world.chain.set_status(world.tier_1.member, MemberStatus::Active);
    let certificate = issue_against(&world, invoice, |_| {}).unwrap();
    world.chain.set_status(world.core.member, MemberStatus::Frozen);
    refuses(&world, || world.receivable(world.tier_1).accept(world.tier_1.account, certificate), frozen);
}

#[test]
fn nobody_owes_itself() {
    let world = World::new();
    let error = issue(&world, |terms| terms.creditor = world.core.account);
    assert_eq!(refusal(error), ReceivableError::SameParty);
}

#[test]
fn the_tenor_is_a_day_to_a_year() {
    let world = World::new();
    let invoice = world.matched(1, cny(FACE));
    let tenor = ReceivableError::Tenor { latest: date("2027-03-02") };
    refuses(&world, || issue_against(&world, invoice, |terms| terms.maturity = date("2027-03-03")), tenor.clone());
    refuses(&world, || issue_against(&world, invoice, |terms| terms.maturity = world.today()), tenor);
    issue_against(&world, invoice, |terms| terms.maturity = date("2027-03-02")).unwrap();
}

#[test]
fn a_maturity_that_the_convention_moves_to_today_is_refused() {
    let world = World::new();
    world.chain.start_at(date("2026-03-06").0);
    let invoice = world.matched(1, cny(FACE));
    // Friday; Sunday goes back to Friday.
    let error = ReceivableError::Tenor { latest: date("2027-03-06") };
    let back = |terms: &mut CertificateTerms| {
        terms.maturity = date("2026-03-08");
        terms.convention = portolan_interface::Convention::Preceding;
    };
    refuses(&world, || issue_against(&world, invoice, back), error);
}

#[test]
fn f13_a_day_that_the_calendar_does_not_cover_is_refused() {
    let world = World::new();
    world.chain.calendar("short", date("2026-01-01").0, date("2026-05-30").0);
    let invoice = world.matched(1, cny(FACE));
    let error = ReceivableError::CalendarNotCovered { day: date("2026-05-31") };
    refuses(&world, || issue_against(&world, invoice, |terms| terms.calendar = "short".into()), error);
    refuses(
        &world,
        || issue_against(&world, invoice, |terms| terms.calendar = "nowhere".into()),
        ReceivableError::UnknownCalendar,
    );
    refuses(
        &world,
        || issue_against(&world, invoice, |terms| terms.calendar = "x".repeat(49)),
        ReceivableError::UnknownCalendar,
    );
}

#[test]
fn f13_a_make_up_saturday_is_a_business_day() {
    let world = World::new();
    world.chain.set_business_day("demo", date("2026-05-30").0, true);
    let invoice = world.matched(1, cny(FACE));
    let certificate = issue_against(&world, invoice, |terms| terms.maturity = date("2026-05-30")).unwrap();
    assert_eq!(world.books().certificate(certificate).unwrap().due, date("2026-05-30"));
}

#[test]
fn amount_grace_bank_and_window_are_checked() {
    let world = World::new();
    let invoice = world.matched(1, cny(FACE));
    refuses(&world, || issue_against(&world, invoice, |terms| terms.face = cny(0)), ReceivableError::AmountNotPositive);
    refuses(&world, || issue_against(&world, invoice, |terms| terms.grace_days = 91), ReceivableError::Grace);
    refuses(
        &world,
        || issue_against(&world, invoice, |terms| terms.bank = world.carrier.member),
        ReceivableError::BankDoesNotServe,
    );
    let window = ReceivableError::OfferWindow { latest: date("2026-05-31") };
    refuses(&world, || issue_against(&world, invoice, |terms| terms.accept_until = date("2026-06-01")), window.clone());
    refuses(&world, || issue_against(&world, invoice, |terms| terms.accept_until = date("2026-03-01")), window);
    let gold = portolan_interface::TermsError::UnknownCurrency(Currency(*b"XAU"));
    refuses(
        &world,
        || issue_against(&world, invoice, |terms| terms.face = Money::new(1, Currency(*b"XAU"))),
        ReceivableError::Terms(gold),
    );
}

#[test]
fn only_the_creditor_accepts_and_only_once() {
    let world = World::new();
    let certificate = world.offered(1, cny(FACE));
    refuses(
        &world,
        || world.receivable(world.tier_2).accept(world.tier_2.account, certificate),
        ReceivableError::NotCreditor,
    );
    world.receivable(world.tier_1).accept(world.tier_1.account, certificate).unwrap();
    let live = ReceivableError::CertificateState { state: CertificateState::Live, needed: CertificateState::Offered };
    refuses(&world, || world.receivable(world.tier_1).accept(world.tier_1.account, certificate), live.clone());
    refuses(&world, || world.receivable(world.tier_1).refuse(world.tier_1.account, certificate), live);
}

#[test]
fn before_acceptance_nothing_can_be_done_with_the_root() {
    let world = World::new();
    let root = PartId::root(world.offered(1, cny(FACE)));
    let error = ReceivableError::PartState { state: PartState::Offered, needed: PartState::Live };
    refuses(&world, || split(&world, world.tier_1, root, vec![cny(60_000_000); 2]), error.clone());
    refuses(&world, || offer(&world, world.tier_1, root, world.tier_2.account), error);
    refuses(&world, || accept(&world, world.tier_1, root), ReceivableError::NotReceiver);
}

#[test]
fn a_refused_certificate_is_void_and_its_invoice_free_again() {
    let world = World::new();
    let certificate = world.offered(1, cny(FACE));
    world.receivable(world.tier_1).refuse(world.tier_1.account, certificate).unwrap();
    let totals = world.assert_conserved_void(certificate);
    assert_eq!(totals.cancelled, cny(FACE));
    assert!(world.chain.agenda().is_empty());
    assert!(world.holdings(world.tier_1).is_empty());
    let invoice = world.books().certificate(certificate).unwrap().terms.invoice;
    let again = issue_against(&world, invoice, |_| {}).unwrap();
    assert_ne!(again, certificate);
}

#[test]
fn a_certificate_expires_by_itself_and_coming_too_late_is_told_so() {
    let world = World::new();
    let certificate = world.offered(1, cny(FACE));
    world.advance_to(world.in_days(7));
    assert_eq!(world.books().certificate(certificate).unwrap().state, CertificateState::Offered, "the last day counts");
    world.advance_to(world.in_days(1));
    assert_eq!(world.books().certificate(certificate).unwrap().state, CertificateState::Expired);
    let error = ReceivableError::OfferExpired { expired: date("2026-03-09") };
    refuses(&world, || world.receivable(world.tier_1).accept(world.tier_1.account, certificate), error);
    world.assert_conserved_void(certificate);
    assert!(world.chain.agenda().is_empty());
}

#[test]
fn acceptance_on_the_last_day_counts_even_while_the_agenda_lags_and_later_not() {
    let world = World::new();
    let certificate = world.offered(1, cny(FACE));
    world.chain.start_at(date("2026-03-10").0);
    let error = ReceivableError::OfferExpired { expired: date("2026-03-09") };
    refuses(&world, || world.receivable(world.tier_1).accept(world.tier_1.account, certificate), error);
}

#[test]
fn when_the_agenda_is_full_nothing_is_issued() {
    let world = World::new();
    let invoice = world.matched(1, cny(FACE));
    world.chain.set_agenda_quota(1);
    let error = ReceivableError::Agenda(portolan_sdk::ScheduleRefusal::Quota);
    refuses(&world, || issue_against(&world, invoice, |_| {}), error);
}

// Who may call and who may read.

#[test]
fn what_the_agenda_does_nobody_else_can_do() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let core = world.receivable(world.core);
    refuses(&world, || core.mature(certificate), ReceivableError::NotAgenda);
    refuses(&world, || core.continue_payment(certificate), ReceivableError::NotAgenda);
    refuses(&world, || core.retry_collection(certificate, 1), ReceivableError::NotAgenda);
    refuses(&world, || core.expire_certificate(certificate), ReceivableError::NotAgenda);
    refuses(&world, || core.expire_offer(root, world.today()), ReceivableError::NotAgenda);
}

#[test]
fn what_financing_does_nobody_else_can_do() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let thief = world.receivable(world.other_bank);
    refuses(&world, || thief.facts(root), ReceivableError::NotTrusted);
    let take = || {
        let financing = portolan_interface::FinancingId([1; 32]);
        thief.discount(root, world.tier_1.account, world.other_bank.account, Recourse::Without, financing)
    };
    refuses(&world, take, ReceivableError::NotTrusted);
    let settlement = Receivable::over(world.chain.as_contract(portolan_interface::settlement::api::CONTRACT));
    refuses(&world, || settlement.facts(root), ReceivableError::NotTrusted);
}

#[test]
fn a_sale_is_of_a_live_part_by_its_holder_between_members_in_standing() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let financing = Receivable::over(world.chain.as_contract(portolan_interface::financing::api::CONTRACT));
    let sell = |borrower: Firm| {
        let id = portolan_interface::FinancingId([1; 32]);
        financing.discount(root, borrower.account, world.bank.account, Recourse::Without, id)
    };
    refuses(&world, || sell(world.tier_2), ReceivableError::NotHolder);
    world.chain.set_status(world.tier_1.member, MemberStatus::Restricted);
    let restricted = ReceivableError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || sell(world.tier_1), restricted);
    world.chain.set_status(world.tier_1.member, MemberStatus::Active);
    world.chain.set_status(world.bank.member, MemberStatus::Frozen);
    let frozen = ReceivableError::MemberNotActive { status: MemberStatus::Frozen };
    refuses(&world, || sell(world.tier_1), frozen);
    world.chain.set_status(world.bank.member, MemberStatus::Active);
    offer(&world, world.tier_1, root, world.tier_2.account).unwrap();
    let offered = ReceivableError::PartState { state: PartState::Offered, needed: PartState::Live };
    refuses(&world, || sell(world.tier_1), offered);
}

#[test]
fn a_certificate_cannot_mature_before_acceptance_or_twice() {
    let world = World::new();
    let (certificate, _) = world.live(1, cny(FACE));
    world.deposit(cny(FACE));
    world.advance_to(date("2026-06-01"));
    let agenda = Receivable::over(world.chain.as_contract(RECEIVABLE));
    let settled =
        ReceivableError::CertificateState { state: CertificateState::Settled, needed: CertificateState::Live };
    refuses(&world, || agenda.mature(certificate), settled);
    let not_overdue =
        ReceivableError::CertificateState { state: CertificateState::Settled, needed: CertificateState::Overdue };
    refuses(&world, || world.receivable(world.tier_1).collect(certificate), not_overdue);
}

#[test]
fn strangers_see_nothing_and_a_regulator_sees_all() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let stranger = world.receivable(world.tier_3);
    assert_eq!(refusal(stranger.certificate(certificate)), ReceivableError::NotParty);
    assert_eq!(refusal(stranger.agenda(certificate)), ReceivableError::NotParty);
    assert_eq!(refusal(stranger.parts(certificate, None)), ReceivableError::NotParty);
    assert_eq!(refusal(stranger.part(root)), ReceivableError::NotParty);
    assert_eq!(refusal(stranger.lineage(root)), ReceivableError::NotParty);
    assert_eq!(refusal(stranger.holdings(world.tier_1.account, None, None)), ReceivableError::NotParty);
    assert_eq!(refusal(stranger.certificates(world.core.account, None)), ReceivableError::NotParty);
    let regulator = world.receivable(world.regulator);
    assert_eq!(regulator.certificate(certificate).unwrap().debtor, world.core.account);
    assert_eq!(regulator.part(root).unwrap().holder, world.tier_1.account);
    // The platform holds no claim and sees no price.
    assert_eq!(refusal(world.receivable(world.platform).certificate(certificate)), ReceivableError::NotParty);
}

#[test]
fn who_is_offered_a_part_may_look_at_it_before_accepting() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    assert_eq!(refusal(world.receivable(world.tier_2).lineage(root)), ReceivableError::NotParty);
    offer(&world, world.tier_1, root, world.tier_2.account).unwrap();
    assert_eq!(world.receivable(world.tier_2).lineage(root).unwrap().path.len(), 1);
    let offered = world.holdings(world.tier_2);
    assert_eq!((offered.len(), offered[0].state), (1, PartState::Offered));
}

#[test]
fn a_page_of_another_tree_is_refused() {
    let world = World::new();
    let (certificate, _) = world.live(1, cny(FACE));
    let (_, other) = world.live(2, cny(FACE));
    assert_eq!(refusal(world.books().parts(certificate, Some(other))), ReceivableError::OtherPage);
}
