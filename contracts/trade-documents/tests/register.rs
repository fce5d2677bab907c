//! The register of invoices: exact and near duplicates (F01 and F02 are in `documents`), proof of absence, priority; and what dates a document
//! may have (F26).

#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use portolan_interface::{
    AccountId, DocumentId, MemberStatus, Role, Unauthorized,
    receivable::api::CONTRACT as RECEIVABLE,
    trade::{
        DateFlag, Dispute, Document, Invoice, InvoiceState, InvoiceTerms, Registration, Review, TradeError, TradeEvent,
        api,
    },
};
use portolan_sdk::CallError;
use world::{Firm, Trade, World, cny, commitment, refusal, refuses};

const TOTAL: i128 = 120_000_000;

fn invoice(world: &World, id: DocumentId) -> Invoice {
    match Trade::over(world.chain.as_operator()).document(id).unwrap() {
        Document::Invoice(invoice) => invoice,
        other => panic!("no invoice: {other:?}"),
    }
}

fn register(world: &World, firm: Firm, terms: InvoiceTerms) -> DocumentId {
    world.trade(firm).register_invoice(firm.account, terms).unwrap()
}

fn judge(world: &World, firm: Firm, id: DocumentId, release: bool) -> Result<(), CallError<TradeError>> {
    world.trade(firm).review_invoice(firm.account, id, release)
}

/// A registered invoice, and one with the same number and parties over half the amount.
fn near_duplicate(world: &World) -> (DocumentId, DocumentId) {
    let terms = world.invoice_terms(1, cny(TOTAL));
    let first = register(world, world.tier_1, terms.clone());
    let near = InvoiceTerms {
        payable: cny(TOTAL / 2),
        tax_minor: 0,
        fingerprint: commitment(71),
        commitment: commitment(71),
        ..terms
    };
    (first, register(world, world.tier_1, near))
}

#[test]
fn f03_a_near_duplicate_is_held_and_names_the_earlier_one() {
    let world = World::new();
    let (first, second) = near_duplicate(&world);
    let held = invoice(&world, second);
    assert_eq!(held.state, InvoiceState::UnderReview);
    assert_eq!(held.review, Some(Review { earlier: first, by_buyer: false, by_platform: None }));
    assert_eq!(invoice(&world, first).state, InvoiceState::Registered, "the earlier one goes on");
    let told = world.chain.events::<TradeEvent>(api::CONTRACT);
    let (seller, buyer) = (world.tier_1.account, world.core.account);
    assert_eq!(told.last(), Some(&TradeEvent::InvoiceHeld { invoice: second, earlier: first, seller, buyer }));
}

#[test]
fn f03_another_date_is_as_near_as_another_amount() {
    let world = World::new();
    let terms = world.invoice_terms(1, cny(TOTAL));
    let first = register(&world, world.tier_1, terms.clone());
    let issued = world.in_days(-1);
    let later = InvoiceTerms { issued, fingerprint: commitment(71), commitment: commitment(71), ..terms };
    let second = register(&world, world.core, later);
    let view = world.trade(world.core).review(second).unwrap();
    assert_eq!((view.review.earlier, view.other_amount, view.other_date), (first, false, true));
}

#[test]
fn f03_what_is_held_is_neither_matched_nor_certified() {
    let world = World::new();
    let (_, second) = near_duplicate(&world);
    let held = |needed| TradeError::InvoiceState { state: InvoiceState::UnderReview, needed };
    let matching = || world.trade(world.core).match_invoice(world.core.account, second);
    refuses(&world, matching, held(InvoiceState::Registered));
    let receivable = Trade::over(world.chain.as_contract(RECEIVABLE));
    let certify = || receivable.certify(second, world.core.account, world.tier_1.account, cny(1));
    refuses(&world, certify, held(InvoiceState::Matched));
}

#[test]
fn f03_the_buyer_and_the_platform_together_release_it() {
    let world = World::new();
    for order in [[world.core, world.platform], [world.platform, world.core]] {
        let world = World::new();
        let (_, second) = near_duplicate(&world);
        judge(&world, order[0], second, true).unwrap();
        assert_eq!(invoice(&world, second).state, InvoiceState::UnderReview, "one is not enough");
        refuses(&world, || judge(&world, order[0], second, true), TradeError::ReleasedAlready);
        judge(&world, order[1], second, true).unwrap();
        assert_eq!(invoice(&world, second).state, InvoiceState::Registered);
        world.trade(world.core).match_invoice(world.core.account, second).unwrap();
        let review = invoice(&world, second).review.unwrap();
        assert_eq!((review.by_buyer, review.by_platform), (true, Some(world.platform.account)));
    }
}

#[test]
fn f03_each_of_the_two_can_reject_it_for_good() {
    for rejecting in [|world: &World| world.core, |world: &World| world.platform] {
        let world = World::new();
        let (_, second) = near_duplicate(&world);
        judge(&world, rejecting(&world), second, false).unwrap();
        assert_eq!(invoice(&world, second).state, InvoiceState::Rejected);
        let ended = TradeError::InvoiceState { state: InvoiceState::Rejected, needed: InvoiceState::UnderReview };
        refuses(&world, || judge(&world, world.core, second, true), ended);
        // Its place in the register stays taken.
        let again = InvoiceTerms { fingerprint: commitment(71), ..world.invoice_terms(2, cny(TOTAL)) };
        let register = || world.trade(world.tier_1).register_invoice(world.tier_1.account, again);
        refuses(&world, register, TradeError::DuplicateInvoice { first: second });
    }
}

#[test]
fn f03_a_release_is_not_undone_by_silence_but_by_a_rejection_of_the_other() {
    let world = World::new();
    let (_, second) = near_duplicate(&world);
    judge(&world, world.core, second, true).unwrap();
    judge(&world, world.platform, second, false).unwrap();
    let rejected = invoice(&world, second);
    assert_eq!(rejected.state, InvoiceState::Rejected);
    assert_eq!(rejected.review.unwrap().by_platform, None, "a rejection is no release");
}

#[test]
fn f03_nobody_else_releases_it() {
    let world = World::new();
    let (first, second) = near_duplicate(&world);
    for firm in [world.tier_1, world.tier_2, world.bank, world.regulator] {
        refuses(&world, || judge(&world, firm, second, true), TradeError::NotParty);
    }
    let unknown = AccountId([0xEE; 16]);
    let stranger = || world.trade(world.core).review_invoice(unknown, second, true);
    refuses(&world, stranger, TradeError::UnknownAccount);
    let not_held = TradeError::InvoiceState { state: InvoiceState::Registered, needed: InvoiceState::UnderReview };
    refuses(&world, || judge(&world, world.core, first, true), not_held);
    let forged = || world.trade(world.tier_3).review_invoice(world.core.account, second, true);
    refuses(&world, forged, TradeError::Unauthorized(Unauthorized::TooFewPersons));
    world.chain.set_status(world.core.member, MemberStatus::Restricted);
    let restricted = TradeError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || judge(&world, world.core, second, true), restricted);
}

#[test]
fn f03_a_platform_of_the_buyers_or_the_sellers_organisation_is_no_second_one() {
    let world = World::new();
    let both = world.chain.member("own-platform", &[Role::Platform, Role::Supplier]);
    let (seller, desk) = (world.chain.account(both, "main"), world.chain.account(both, "desk"));
    let terms = InvoiceTerms { seller, ..world.invoice_terms(1, cny(TOTAL)) };
    register(&world, world.core, terms.clone());
    let near =
        InvoiceTerms { fingerprint: commitment(71), commitment: commitment(71), payable: cny(TOTAL - 1), ..terms };
    let second = register(&world, world.core, near);
    let judged = || Trade::over(world.chain.as_account(desk)).review_invoice(desk, second, true);
    refuses(&world, judged, TradeError::SameReviewer);
}

#[test]
fn f03_the_platform_sees_what_to_review_and_no_amount() {
    let world = World::new();
    let (first, second) = near_duplicate(&world);
    let page = world.trade(world.platform).reviews(None).unwrap();
    assert_eq!((page.count, page.reviews.len()), (1, 1));
    let view = &page.reviews[0];
    assert_eq!((view.invoice, view.review.earlier, view.state), (second, first, InvoiceState::UnderReview));
    assert_eq!((view.other_amount, view.other_date), (true, false));
    assert_eq!(world.trade(world.platform).review(second).unwrap(), *view);
    assert_eq!(world.trade(world.tier_1).review(second).unwrap(), *view);
    assert_eq!(world.trade(world.regulator).reviews(None).unwrap(), page);
    assert_eq!(refusal(world.trade(world.platform).document(second)), TradeError::NotParty);
    assert_eq!(refusal(world.trade(world.core).reviews(None)), TradeError::NotParty);
    assert_eq!(refusal(world.trade(world.tier_3).review(second)), TradeError::NotParty);
    assert_eq!(refusal(world.trade(world.platform).review(first)), TradeError::NoReview);
    assert_eq!(world.trade(world.platform).reviews(Some(1)).unwrap().reviews, []);
}

#[test]
fn f03_a_third_one_names_the_first_whatever_became_of_the_second() {
    let world = World::new();
    let (first, second) = near_duplicate(&world);
    judge(&world, world.core, second, false).unwrap();
    let near = commitment(2_000_001);
    let third = InvoiceTerms { near, ..world.invoice_terms(3, cny(TOTAL)) };
    let third = register(&world, world.tier_1, third);
    assert_eq!(invoice(&world, third).review.unwrap().earlier, first);
}

#[test]
fn the_register_answers_with_the_claim_of_priority_or_that_there_is_none() {
    let world = World::new();
    let terms = world.invoice_terms(1, cny(TOTAL));
    let (plain, near) = (terms.fingerprint, terms.near);
    let bank = world.trade(world.bank);
    assert_eq!((bank.registered(plain).unwrap(), bank.near(near).unwrap()), (None, None));
    let id = register(&world, world.tier_1, terms);
    let height = invoice(&world, id).height;
    let found = bank.registered(plain).unwrap().unwrap();
    assert_eq!((found.invoice, found.date, found.height), (id, world.today(), height));
    assert!(found.time > 0);
    assert_eq!(bank.near(near).unwrap(), Some(found));
    assert_eq!(bank.registered(near).unwrap(), None, "a near key is no fingerprint");
}

#[test]
fn priority_is_by_height() {
    let world = World::new();
    let place = |seed| -> Registration {
        let terms = world.invoice_terms(seed, cny(TOTAL));
        let plain = terms.fingerprint;
        register(&world, world.tier_1, terms);
        world.trade(world.bank).registered(plain).unwrap().unwrap()
    };
    let (one, other) = (place(1), place(2));
    assert!(one.height < other.height, "{one:?} {other:?}");
}

#[test]
fn the_plain_near_key_is_not_in_the_state() {
    let world = World::new();
    let terms = world.invoice_terms(1, cny(TOTAL));
    let plain = format!("{:?}", terms.near.0);
    register(&world, world.tier_1, terms);
    assert!(!format!("{:?}", world.chain.snapshot()).contains(plain.trim_matches(['[', ']'])));
}

// Disputes and cancellation.

fn dispute(world: &World, firm: Firm, id: DocumentId) -> Result<(), CallError<TradeError>> {
    world.trade(firm).dispute_invoice(firm.account, id, commitment(91))
}

#[test]
fn a_disputed_invoice_is_neither_matched_nor_certified_until_the_buyer_ends_it() {
    for matched in [false, true] {
        let world = World::new();
        let id = if matched { world.matched(1, cny(TOTAL)) } else { world.registered(1, cny(TOTAL)) };
        let before = invoice(&world, id).state;
        refuses(&world, || dispute(&world, world.tier_1, id), TradeError::NotParty);
        let (core, tier_1) = (world.trade(world.core), world.trade(world.tier_1));
        let none = TradeError::InvoiceState { state: before, needed: InvoiceState::Disputed };
        refuses(&world, || core.end_dispute(world.core.account, id), none);
        dispute(&world, world.core, id).unwrap();
        assert_eq!(invoice(&world, id).dispute, Some(Dispute { reason: commitment(91), before }));
        let disputed = |needed| TradeError::InvoiceState { state: InvoiceState::Disputed, needed };
        refuses(&world, || dispute(&world, world.core, id), disputed(InvoiceState::Matched));
        refuses(&world, || core.match_invoice(world.core.account, id), disputed(InvoiceState::Registered));
        let receivable = Trade::over(world.chain.as_contract(RECEIVABLE));
        let certify = || receivable.certify(id, world.core.account, world.tier_1.account, cny(1));
        refuses(&world, certify, disputed(InvoiceState::Matched));
        refuses(&world, || tier_1.end_dispute(world.tier_1.account, id), TradeError::NotParty);
        let forged = TradeError::Unauthorized(Unauthorized::TooFewPersons);
        refuses(&world, || tier_1.end_dispute(world.core.account, id), forged.clone());
        core.end_dispute(world.core.account, id).unwrap();
        assert_eq!((invoice(&world, id).state, invoice(&world, id).dispute), (before, None));
        refuses(&world, || tier_1.dispute_invoice(world.core.account, id, commitment(91)), forged);
    }
}

#[test]
fn what_is_certified_or_under_review_is_not_disputed_here() {
    let world = World::new();
    let (first, held) = near_duplicate(&world);
    let wrong = |state| TradeError::InvoiceState { state, needed: InvoiceState::Matched };
    refuses(&world, || dispute(&world, world.core, held), wrong(InvoiceState::UnderReview));
    world.trade(world.core).match_invoice(world.core.account, first).unwrap();
    let receivable = Trade::over(world.chain.as_contract(RECEIVABLE));
    receivable.certify(first, world.core.account, world.tier_1.account, cny(1)).unwrap();
    refuses(&world, || dispute(&world, world.core, first), wrong(InvoiceState::Certified));
}

#[test]
fn the_seller_withdraws_an_unmatched_invoice_and_its_fingerprint_stays_taken() {
    let world = World::new();
    let cancel = |firm: Firm, id| world.trade(firm).cancel_invoice(firm.account, id);
    let (first, held) = near_duplicate(&world);
    refuses(&world, || cancel(world.core, first), TradeError::NotParty);
    let forged = || world.trade(world.core).cancel_invoice(world.tier_1.account, first);
    refuses(&world, forged, TradeError::Unauthorized(Unauthorized::TooFewPersons));
    cancel(world.tier_1, held).unwrap();
    dispute(&world, world.core, first).unwrap();
    cancel(world.tier_1, first).unwrap();
    for (id, fingerprint) in [(first, commitment(1_000_001)), (held, commitment(71))] {
        assert_eq!((invoice(&world, id).state, invoice(&world, id).dispute), (InvoiceState::Cancelled, None));
        let again = InvoiceTerms { fingerprint, ..world.invoice_terms(u64::from(id.0[0]) + 9, cny(TOTAL)) };
        let register = || world.trade(world.tier_1).register_invoice(world.tier_1.account, again);
        refuses(&world, register, TradeError::DuplicateInvoice { first: id });
    }
    for disputed in [false, true] {
        let matched = world.matched(300 + u64::from(disputed), cny(TOTAL));
        if disputed {
            dispute(&world, world.core, matched).unwrap();
        }
        let (state, needed) = (invoice(&world, matched).state, InvoiceState::Registered);
        refuses(&world, || cancel(world.tier_1, matched), TradeError::InvoiceState { state, needed });
    }
}

// Dates.

#[test]
fn f26_an_order_whose_window_is_over_is_refused() {
    let world = World::new();
    let mut terms = world.order_terms(1, cny(TOTAL));
    (terms.deliver_from, terms.deliver_until) = (world.in_days(-9), world.in_days(-1));
    let offer = |terms| world.trade(world.core).offer_order(world.core.account, terms);
    let until = world.in_days(-1);
    refuses(&world, || offer(terms.clone()), TradeError::DeliveryOver { until });
    terms.deliver_until = world.today();
    offer(terms).unwrap();
}

#[test]
fn f26_goods_are_not_on_board_tomorrow_and_those_on_board_before_the_order_are_flagged() {
    let world = World::new();
    let order = world.order(1, cny(TOTAL));
    let issue = |seed, days| {
        let mut terms = world.bill_terms(seed, order);
        terms.on_board = world.in_days(days);
        world.trade(world.carrier).issue_bill(world.carrier.account, terms)
    };
    let on_board = world.in_days(1);
    refuses(&world, || issue(1, 1), TradeError::OnBoardInFuture { on_board });
    for (seed, days, flags) in [(2, 0, vec![]), (3, -1, vec![DateFlag::BeforeOrder])] {
        let bill = issue(seed, days).unwrap();
        assert_eq!(Trade::over(world.chain.as_operator()).title(bill, None).unwrap().bill.flags, flags);
    }
}

#[test]
fn f26_an_invoice_older_than_its_order_is_flagged_and_the_certificate_carries_the_flags() {
    let world = World::new();
    let terms = world.invoice_terms(1, cny(TOTAL));
    let id = register(&world, world.tier_1, InvoiceTerms { issued: world.in_days(-1), ..terms });
    assert_eq!(invoice(&world, id).flags, [DateFlag::BeforeOrder]);
    world.trade(world.core).match_invoice(world.core.account, id).unwrap();
    let receivable = Trade::over(world.chain.as_contract(RECEIVABLE));
    let (_, evidence) = receivable.certify(id, world.core.account, world.tier_1.account, cny(1)).unwrap();
    assert_eq!(evidence.flags, [DateFlag::BeforeOrder]);
}

#[test]
fn f26_a_matched_invoice_takes_over_what_is_odd_about_its_bill_and_its_declaration() {
    let world = World::new();
    let order = world.order(7, cny(TOTAL));
    let mut bill = world.bill_terms(7, order);
    bill.on_board = world.in_days(-3);
    let bill = world.trade(world.carrier).issue_bill(world.carrier.account, bill).unwrap();
    let declaration = Some(world.cleared(7, order, bill, cny(TOTAL)));
    let terms = InvoiceTerms { order, bill: Some(bill), declaration, ..world.invoice_terms(8, cny(TOTAL)) };
    let id = register(&world, world.tier_1, terms);
    assert_eq!(invoice(&world, id).flags, []);
    world.trade(world.core).match_invoice(world.core.account, id).unwrap();
    assert_eq!(invoice(&world, id).flags, [DateFlag::BeforeOrder, DateFlag::AfterShipment]);
}
