//! From order to credit note: change, cancellation and close by consent; goods sent, received, inspected, sent back; the three-way match within
//! governed tolerances; credits by both sides, and what certificates lose by them (F16, F17, S07 on the side of the documents).

#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use portolan_interface::{
    Currency, DocumentId, MemberStatus, Money, Unauthorized,
    receivable::api::CONTRACT as RECEIVABLE,
    trade::{
        CreditNote, CreditReason, CreditState, CreditTerms, Difference, Dilution, Document, DocumentKind, GoodsReceipt,
        GoodsReturn, Inspection, Invoice, InvoiceState, InvoiceTerms, MAX_ORDER_STEPS, Mismatch, OrderAnswer,
        OrderChange, OrderProposal, OrderState, OrderStep, OrderTerms, OrderView, Shipment, TOLERANCE_PARAMETER,
        Tolerance, TradeError,
    },
};
use portolan_sdk::CallError;
use proptest::prelude::*;
use world::{Firm, Trade, World, cny, commitment, refusal, refuses};

type Outcome = Result<(), CallError<TradeError>>;

/// 1,000 units at 12.00.
const UNITS: u64 = 1_000;
const TOTAL: i128 = 1_200_000;

/// A domestic order over [`UNITS`], accepted.
fn counted(world: &World, seed: u64, tolerance_class: u8) -> DocumentId {
    let terms = OrderTerms {
        cross_border: false,
        quantity: Some(UNITS),
        tolerance_class,
        ..world.order_terms(seed, cny(TOTAL))
    };
    let order = world.trade(world.core).offer_order(world.core.account, terms).unwrap();
    world.trade(world.tier_1).answer_order(world.tier_1.account, order, OrderAnswer::Accept).unwrap();
    order
}

fn view(world: &World, id: DocumentId) -> OrderView {
    Trade::over(world.chain.as_operator()).order(id, None).unwrap()
}

fn state(world: &World, id: DocumentId) -> OrderState {
    view(world, id).order.state
}

fn propose(world: &World, by: Firm, order: DocumentId, proposal: OrderProposal) -> Outcome {
    world.trade(by).propose_order(by.account, order, proposal)
}

fn answer(world: &World, by: Firm, order: DocumentId, consent: bool) -> Outcome {
    world.trade(by).answer_proposal(by.account, order, consent)
}

fn agreed(world: &World, order: DocumentId, proposal: OrderProposal) {
    propose(world, world.core, order, proposal).unwrap();
    answer(world, world.tier_1, order, true).unwrap();
}

fn ship(world: &World, order: DocumentId, quantity: u64) -> Outcome {
    ship_on(world, order, quantity, 0)
}

fn ship_on(world: &World, order: DocumentId, quantity: u64, days: i32) -> Outcome {
    let shipment = Shipment { quantity, bill: None, shipped: world.in_days(days), commitment: commitment(31) };
    world.trade(world.tier_1).ship_goods(world.tier_1.account, order, shipment)
}

fn receive(world: &World, order: DocumentId, accepted: u64, rejected: u64) -> Outcome {
    let receipt = GoodsReceipt { accepted, rejected, received: world.today(), commitment: commitment(32) };
    world.trade(world.core).receive_goods(world.core.account, order, receipt)
}

fn send_back(world: &World, order: DocumentId, quantity: u64, amount: Money) -> Outcome {
    let goods = GoodsReturn { quantity, amount, commitment: commitment(33) };
    world.trade(world.core).return_goods(world.core.account, order, goods)
}

fn change(world: &World, total: i128, quantity: u64) -> OrderChange {
    OrderChange {
        lines: commitment(88),
        total: cny(total),
        quantity: Some(quantity),
        deliver_from: world.today(),
        deliver_until: world.in_days(60),
    }
}

fn bill_for(world: &World, order: DocumentId, seed: u64, payable: i128, quantity: Option<u64>) -> DocumentId {
    let terms = InvoiceTerms {
        issued: world.today(),
        due: None,
        payable: cny(payable),
        tax_minor: payable / 10,
        seller: world.tier_1.account,
        buyer: world.core.account,
        order,
        quantity,
        bill: None,
        declaration: None,
        fingerprint: commitment(seed),
        near: commitment(seed),
        commitment: commitment(seed),
    };
    world.trade(world.tier_1).register_invoice(world.tier_1.account, terms).unwrap()
}

fn matching(world: &World, invoice: DocumentId) -> Outcome {
    world.trade(world.tier_1).match_invoice(world.tier_1.account, invoice)
}

/// The points of difference, each with the commitment that says what should be.
fn differs(world: &World, invoice: DocumentId) -> Vec<(Mismatch, portolan_interface::Hash)> {
    let before = world.chain.snapshot();
    let error = refusal(matching(world, invoice));
    assert_eq!(world.chain.snapshot(), before);
    let TradeError::Mismatch { fields } = error else { panic!("{error:?}") };
    fields.into_iter().map(|Difference { field, expected, .. }| (field, expected)).collect()
}

fn invoice(world: &World, id: DocumentId) -> Invoice {
    match Trade::over(world.chain.as_operator()).document(id).unwrap() {
        Document::Invoice(invoice) => invoice,
        other => panic!("no invoice: {other:?}"),
    }
}

fn govern(world: &World, class: u8, tolerance: Tolerance) {
    world.chain.set_parameter(&format!("{TOLERANCE_PARAMETER}{class}"), &tolerance);
}

const EXACT: Tolerance = Tolerance { quantity_ppm: 0, price_ppm: 0, absolute_minor: 0, needs_receipt: false };

// Proposals.

#[test]
fn an_order_changes_by_both_sides_consent() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    let proposal = OrderProposal::Change(change(&world, 600_000, 500));
    refuses(&world, || answer(&world, world.core, order, true), TradeError::NoProposal);
    refuses(&world, || propose(&world, world.tier_2, order, proposal.clone()), TradeError::NotParty);
    propose(&world, world.tier_1, order, proposal.clone()).unwrap();
    assert_eq!(view(&world, order).order.terms.total, cny(TOTAL), "one side changes nothing");
    refuses(&world, || answer(&world, world.tier_1, order, true), TradeError::OwnProposal);
    refuses(&world, || answer(&world, world.tier_2, order, true), TradeError::NotParty);
    refuses(&world, || propose(&world, world.core, order, OrderProposal::Cancel), TradeError::ProposalOpen);
    answer(&world, world.core, order, true).unwrap();
    let changed = view(&world, order);
    assert_eq!((changed.order.terms.total, changed.order.accepted), (cny(600_000), cny(600_000)));
    assert_eq!((changed.order.terms.quantity, changed.order.terms.lines), (Some(500), commitment(88)));
    assert_eq!(changed.order.terms.deliver_until, world.in_days(60));
    assert_eq!((changed.order.changes, changed.order.pending), (1, None));
    assert_eq!(changed.steps.len(), 1);
    assert_eq!(changed.steps[0].step, OrderStep::Changed(change(&world, 600_000, 500)));
    assert_eq!(changed.steps[0].by, world.core.account, "who consented");
}

#[test]
fn a_proposal_is_refused_or_taken_back() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    for by in [world.core, world.tier_1] {
        propose(&world, world.core, order, OrderProposal::Cancel).unwrap();
        answer(&world, by, order, false).unwrap();
        assert_eq!((view(&world, order).order.pending, state(&world, order)), (None, OrderState::Accepted));
    }
}

#[test]
fn a_change_is_held_to_the_rules_of_an_order() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    let with = |alter: fn(&mut OrderChange)| {
        let mut change = change(&world, 600_000, 500);
        alter(&mut change);
        propose(&world, world.core, order, OrderProposal::Change(change))
    };
    refuses(&world, || with(|change| change.total = cny(0)), TradeError::AmountNotPositive);
    refuses(&world, || with(|change| change.quantity = Some(0)), TradeError::NoUnits);
    refuses(&world, || with(|change| change.deliver_until.0 -= 99), TradeError::DeliveryWindow);
    let dollars = TradeError::WrongCurrency { expected: Currency::CNY, found: Currency::USD };
    refuses(&world, || with(|change| change.total.currency = Currency::USD), dollars);
    let mut nothing = world.order_terms(7, cny(TOTAL));
    nothing.quantity = Some(0);
    refuses(&world, || world.trade(world.core).offer_order(world.core.account, nothing), TradeError::NoUnits);
}

#[test]
fn an_order_that_is_invoiced_is_neither_cancelled_nor_made_less() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    propose(&world, world.core, order, OrderProposal::Cancel).unwrap();
    let invoice = bill_for(&world, order, 40, TOTAL / 2, Some(UNITS / 2));
    matching(&world, invoice).unwrap();
    // The proposal was made before; consent is judged by what the order is now.
    let invoiced = TradeError::InvoicedAlready { invoiced: cny(TOTAL / 2) };
    refuses(&world, || answer(&world, world.tier_1, order, true), invoiced.clone());
    answer(&world, world.core, order, false).unwrap();
    let less = OrderProposal::Change(change(&world, TOTAL / 2 - 1, UNITS));
    refuses(&world, || propose(&world, world.core, order, less), invoiced);
    agreed(&world, order, OrderProposal::Change(change(&world, TOTAL / 2, UNITS)));
}

#[test]
fn an_order_is_cancelled_by_consent_until_it_is_shipped() {
    let world = World::new();
    let cancelled = counted(&world, 1, 0);
    agreed(&world, cancelled, OrderProposal::Cancel);
    assert_eq!(state(&world, cancelled), OrderState::Cancelled);
    assert_eq!(view(&world, cancelled).steps[0].step, OrderStep::Cancelled);
    let over = TradeError::OrderNotAccepted { state: OrderState::Cancelled };
    refuses(&world, || ship(&world, cancelled, 1), over.clone());
    let bill = || world.trade(world.carrier).issue_bill(world.carrier.account, world.bill_terms(1, cancelled));
    refuses(&world, bill, over);
    let invoice = bill_for(&world, cancelled, 40, TOTAL, Some(UNITS));
    assert_eq!(differs(&world, invoice), [(Mismatch::OrderState, commitment(1))]);

    let shipped = counted(&world, 2, 0);
    ship(&world, shipped, 1).unwrap();
    let under_way = TradeError::OrderNotAccepted { state: OrderState::Shipped };
    refuses(&world, || propose(&world, world.core, shipped, OrderProposal::Cancel), under_way.clone());
    let change = OrderProposal::Change(change(&world, TOTAL, UNITS));
    refuses(&world, || propose(&world, world.core, shipped, change), under_way.clone());
    refuses(&world, || propose(&world, world.core, shipped, OrderProposal::Close), under_way);
}

#[test]
fn nothing_is_shipped_while_a_proposal_waits() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    propose(&world, world.core, order, OrderProposal::Cancel).unwrap();
    refuses(&world, || ship(&world, order, 1), TradeError::ProposalOpen);
}

// Goods.

#[test]
fn an_order_goes_from_shipment_to_close() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    ship(&world, order, 600).unwrap();
    ship(&world, order, 400).unwrap();
    receive(&world, order, 590, 10).unwrap();
    assert_eq!(state(&world, order), OrderState::Shipped, "400 are still on their way");
    receive(&world, order, 400, 0).unwrap();
    assert_eq!(state(&world, order), OrderState::Received);
    let invoice = bill_for(&world, order, 40, 1_188_000, Some(990));
    matching(&world, invoice).unwrap();
    assert_eq!(state(&world, order), OrderState::Received, "12,000 were never delivered, so never billed");
    agreed(&world, order, OrderProposal::Close);
    let done = view(&world, order);
    assert_eq!(done.order.state, OrderState::Closed);
    assert_eq!(
        (done.order.shipped, done.order.received, done.order.rejected, done.order.billed),
        (1_000, 990, 10, 990)
    );
    assert_eq!(done.steps.len(), 5);
    assert!(done.steps.is_sorted_by_key(|entry| entry.height));
    let over = TradeError::OrderNotAccepted { state: OrderState::Closed };
    refuses(&world, || receive(&world, order, 1, 0), over.clone());
    refuses(&world, || send_back(&world, order, 1, cny(1_200)), over);
}

#[test]
fn an_order_that_is_received_and_billed_in_full_is_invoiced() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    ship(&world, order, UNITS).unwrap();
    receive(&world, order, UNITS, 0).unwrap();
    let invoice = bill_for(&world, order, 40, TOTAL, Some(UNITS));
    matching(&world, invoice).unwrap();
    assert_eq!(state(&world, order), OrderState::Invoiced);
}

#[test]
fn no_more_units_than_there_can_be() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    let excess = |excess| TradeError::TooManyUnits { excess };
    refuses(&world, || ship(&world, order, 0), TradeError::NoUnits);
    refuses(&world, || ship(&world, order, UNITS + 1), excess(1));
    ship(&world, order, 900).unwrap();
    refuses(&world, || ship(&world, order, 101), excess(1));
    refuses(&world, || receive(&world, order, 0, 0), TradeError::NoUnits);
    refuses(&world, || receive(&world, order, 900, 1), excess(1));
    refuses(&world, || receive(&world, order, u64::MAX, u64::MAX), excess(u64::MAX - 900));
    receive(&world, order, 800, 50).unwrap();
    refuses(&world, || receive(&world, order, 51, 0), excess(1));
    refuses(&world, || send_back(&world, order, 801, cny(1)), excess(1));
    send_back(&world, order, 700, cny(840_000)).unwrap();
    refuses(&world, || send_back(&world, order, 101, cny(1)), excess(1));
    refuses(&world, || send_back(&world, order, 0, cny(1)), TradeError::NoUnits);
    let value = TradeError::CreditTooMuch { excess: cny(1) };
    refuses(&world, || send_back(&world, order, 1, cny(TOTAL - 840_000 + 1)), value);
    refuses(&world, || send_back(&world, order, 1, cny(0)), TradeError::AmountNotPositive);
}

#[test]
fn only_the_seller_ships_and_only_the_buyer_receives_and_returns() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    let shipment = Shipment { quantity: 1, bill: None, shipped: world.today(), commitment: commitment(31) };
    let by = |firm: Firm| world.trade(firm).ship_goods(firm.account, order, shipment.clone());
    refuses(&world, || by(world.core), TradeError::NotParty);
    let forged = || world.trade(world.core).ship_goods(world.tier_1.account, order, shipment.clone());
    refuses(&world, forged, TradeError::Unauthorized(Unauthorized::TooFewPersons));
    ship(&world, order, 10).unwrap();
    let receipt = GoodsReceipt { accepted: 1, rejected: 0, received: world.today(), commitment: commitment(32) };
    let seller = || world.trade(world.tier_1).receive_goods(world.tier_1.account, order, receipt.clone());
    refuses(&world, seller, TradeError::NotParty);
    receive(&world, order, 10, 0).unwrap();
    let goods = GoodsReturn { quantity: 1, amount: cny(1), commitment: commitment(33) };
    let seller = || world.trade(world.tier_1).return_goods(world.tier_1.account, order, goods.clone());
    refuses(&world, seller, TradeError::NotParty);
    world.chain.set_status(world.tier_1.member, MemberStatus::Restricted);
    refuses(&world, || ship(&world, order, 1), TradeError::MemberNotActive { status: MemberStatus::Restricted });
}

#[test]
fn a_shipment_names_a_bill_of_its_order() {
    let world = World::new();
    let (order, other) = (counted(&world, 1, 0), counted(&world, 2, 0));
    let bill = world.bill(1, other);
    let with = |order| {
        let shipment = Shipment { quantity: 1, bill: Some(bill), shipped: world.today(), commitment: commitment(31) };
        world.trade(world.tier_1).ship_goods(world.tier_1.account, order, shipment)
    };
    refuses(&world, || with(order), TradeError::OtherOrder);
    with(other).unwrap();
}

#[test]
fn f26_goods_are_not_sent_tomorrow_nor_received_before_they_were_sent() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    let date = world.in_days(1);
    refuses(&world, || ship_on(&world, order, 1, 1), TradeError::DateInFuture { date });
    ship_on(&world, order, 5, -2).unwrap();
    ship_on(&world, order, 5, -1).unwrap();
    let on = |days| {
        let receipt =
            GoodsReceipt { accepted: 1, rejected: 0, received: world.in_days(days), commitment: commitment(32) };
        world.trade(world.core).receive_goods(world.core.account, order, receipt)
    };
    let (date, earliest) = (world.in_days(-3), world.in_days(-2));
    refuses(&world, || on(-3), TradeError::DateTooEarly { date, earliest });
    let date = world.in_days(1);
    refuses(&world, || on(1), TradeError::DateInFuture { date });
    on(-2).unwrap();
}

#[test]
fn the_buyer_or_whom_the_buyer_admits_inspects_what_was_shipped() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    ship(&world, order, 100).unwrap();
    let inspect = |firm: Firm, quantity, passed, days| {
        let inspected = world.in_days(days);
        let inspection = Inspection { quantity, passed, inspected, report: commitment(34) };
        world.trade(firm).inspect_goods(firm.account, order, inspection)
    };
    for firm in [world.tier_1, world.carrier] {
        refuses(&world, || inspect(firm, 10, 10, 0), TradeError::NotParty);
    }
    refuses(&world, || inspect(world.core, 101, 10, 0), TradeError::TooManyUnits { excess: 1 });
    refuses(&world, || inspect(world.core, 10, 11, 0), TradeError::TooManyUnits { excess: 1 });
    refuses(&world, || inspect(world.core, 0, 0, 0), TradeError::NoUnits);
    let (date, earliest) = (world.in_days(-1), world.today());
    refuses(&world, || inspect(world.core, 10, 10, -1), TradeError::DateTooEarly { date, earliest });
    inspect(world.core, 100, 98, 0).unwrap();
    let both = world.chain.as_account(world.carrier.account).approved_by(world.core.account, 1);
    let inspection = Inspection { quantity: 10, passed: 10, inspected: world.today(), report: commitment(34) };
    Trade::over(both).inspect_goods(world.carrier.account, order, inspection).unwrap();
    assert_eq!(view(&world, order).steps[2].by, world.carrier.account);
}

#[test]
fn an_orders_history_is_for_its_parties_and_in_pages() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    for _ in 0..60 {
        ship(&world, order, 1).unwrap();
    }
    let seller = world.trade(world.tier_1);
    let first = seller.order(order, None).unwrap();
    let rest = seller.order(order, Some(50)).unwrap();
    assert_eq!((first.order.steps, first.steps.len(), rest.steps.len()), (60, 50, 10));
    assert_eq!(refusal(world.trade(world.tier_2).order(order, None)), TradeError::NotParty);
    let bill = world.bill(1, order);
    let found = TradeError::WrongKind { found: DocumentKind::BillOfLading, needed: DocumentKind::Order };
    assert_eq!(refusal(seller.order(bill, None)), found);
}

// The match.

#[test]
fn a_counted_order_is_matched_by_units_and_price() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    let lines = commitment(1);
    for (seed, payable, units, expected) in [
        (40, TOTAL, None, vec![Mismatch::Quantity]),
        (41, TOTAL, Some(0), vec![Mismatch::Quantity]),
        (42, TOTAL, Some(UNITS + 1), vec![Mismatch::Quantity, Mismatch::Price]),
        (43, TOTAL, Some(UNITS - 1), vec![Mismatch::Price]),
        (44, TOTAL + 1, Some(UNITS), vec![Mismatch::Amount, Mismatch::Price]),
        (45, TOTAL - 1, Some(UNITS), vec![Mismatch::Price]),
    ] {
        let id = bill_for(&world, order, seed, payable, units);
        let found: Vec<_> = expected.into_iter().map(|field| (field, lines)).collect();
        assert_eq!(differs(&world, id), found, "{seed}");
    }
    let half = bill_for(&world, order, 46, TOTAL / 2, Some(UNITS / 2));
    matching(&world, half).unwrap();
    let rest = bill_for(&world, order, 47, TOTAL / 2, Some(UNITS / 2));
    matching(&world, rest).unwrap();
    assert_eq!(view(&world, order).order.billed, UNITS);
}

#[test]
fn what_was_received_and_kept_counts_not_what_was_ordered() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    ship(&world, order, 800).unwrap();
    receive(&world, order, 700, 100).unwrap();
    send_back(&world, order, 50, cny(60_000)).unwrap();
    let receipt = commitment(32);
    let too_many = bill_for(&world, order, 40, 651 * 1_200, Some(651));
    assert_eq!(differs(&world, too_many), [(Mismatch::Quantity, receipt)], "the receipt says how many it should be");
    let right = bill_for(&world, order, 41, 650 * 1_200, Some(650));
    matching(&world, right).unwrap();
    let again = bill_for(&world, order, 42, 1_200, Some(1));
    assert_eq!(differs(&world, again), [(Mismatch::Quantity, receipt)], "units are billed once");
}

#[test]
fn a_class_may_need_the_receipt_first() {
    let world = World::new();
    govern(&world, 1, Tolerance { needs_receipt: true, ..EXACT });
    let order = counted(&world, 1, 1);
    let id = bill_for(&world, order, 40, TOTAL, Some(UNITS));
    assert_eq!(differs(&world, id), [(Mismatch::Receipt, commitment(1))]);
    ship(&world, order, UNITS).unwrap();
    receive(&world, order, UNITS, 0).unwrap();
    matching(&world, id).unwrap();
}

#[test]
fn tolerances_are_governed_by_class() {
    let world = World::new();
    govern(&world, 1, Tolerance { quantity_ppm: 10_000, price_ppm: 5_000, ..EXACT });
    govern(&world, 2, Tolerance { absolute_minor: 500, ..EXACT });
    // 1 % more units, 0.5 % off the price.
    let order = counted(&world, 1, 1);
    for (seed, payable, units, matches) in [
        (40, 1_206_000, 1_000, true),
        (41, 1_194_000, 1_000, true),
        (42, 1_193_999, 1_000, false),
        (43, 1_206_001, 1_000, false),
        (44, 1_206_000, 1_010, true),
        (45, 1_205_000, 1_010, false),
    ] {
        let world = World::new();
        govern(&world, 1, Tolerance { quantity_ppm: 10_000, price_ppm: 5_000, ..EXACT });
        let order = counted(&world, 1, 1);
        let id = bill_for(&world, order, seed, payable, Some(units));
        assert_eq!(matching(&world, id).is_ok(), matches, "{payable} for {units}");
    }
    let one_over = bill_for(&world, order, 50, 1_011 * 1_193, Some(1_011));
    assert_eq!(differs(&world, one_over)[..1], [(Mismatch::Amount, commitment(1))]);
    let units = bill_for(&world, order, 51, 1_010 * 1_194, Some(1_010));
    matching(&world, units).unwrap();
    // More is shipped within the tolerance too.
    ship(&world, order, 1_010).unwrap();
    refuses(&world, || ship(&world, order, 1), TradeError::TooManyUnits { excess: 1 });

    let order = counted(&world, 2, 2);
    let over = bill_for(&world, order, 60, TOTAL + 501, Some(UNITS));
    assert_eq!(differs(&world, over), [(Mismatch::Amount, commitment(2)), (Mismatch::Price, commitment(2))]);
    let within = bill_for(&world, order, 61, TOTAL + 500, Some(UNITS));
    matching(&world, within).unwrap();
}

#[test]
fn a_class_that_nobody_governs_is_none() {
    let world = World::new();
    let mut terms = world.order_terms(1, cny(TOTAL));
    terms.tolerance_class = 9;
    let offer = || world.trade(world.core).offer_order(world.core.account, terms);
    refuses(&world, offer, TradeError::UnknownTolerance { class: 9 });
    govern(&world, 0, Tolerance { absolute_minor: 1, ..EXACT });
    let order = counted(&world, 1, 0);
    let id = bill_for(&world, order, 40, TOTAL + 1, Some(UNITS));
    matching(&world, id).unwrap();
}

// Credit notes.

fn credit_terms(world: &World, invoice: DocumentId, seed: u64, minor: i128, reason: CreditReason) -> CreditTerms {
    CreditTerms {
        invoice,
        amount: cny(minor),
        tax_minor: minor / 10,
        reason,
        issued: world.today(),
        fingerprint: commitment(seed),
        commitment: commitment(seed),
    }
}

fn propose_credit(world: &World, by: Firm, terms: CreditTerms) -> Result<DocumentId, CallError<TradeError>> {
    world.trade(by).propose_credit(by.account, terms)
}

fn answer_credit(world: &World, by: Firm, credit: DocumentId, agree: bool) -> Outcome {
    world.trade(by).answer_credit(by.account, credit, agree)
}

fn credited(world: &World, invoice: DocumentId, seed: u64, minor: i128, reason: CreditReason) -> DocumentId {
    let credit = propose_credit(world, world.tier_1, credit_terms(world, invoice, seed, minor, reason)).unwrap();
    answer_credit(world, world.core, credit, true).unwrap();
    credit
}

fn note(world: &World, id: DocumentId) -> CreditNote {
    match Trade::over(world.chain.as_operator()).document(id).unwrap() {
        Document::CreditNote(note) => note,
        other => panic!("no credit note: {other:?}"),
    }
}

/// A matched invoice over [`TOTAL`] against which certificates over `certified` stand.
fn certified(world: &World, certified: i128) -> DocumentId {
    let order = counted(world, 1, 0);
    let id = bill_for(world, order, 40, TOTAL, Some(UNITS));
    matching(world, id).unwrap();
    if certified > 0 {
        certify(world, id, certified).unwrap();
    }
    id
}

fn certify(world: &World, invoice: DocumentId, face: i128) -> Outcome {
    let receivable = Trade::over(world.chain.as_contract(RECEIVABLE));
    receivable.certify(invoice, world.core.account, world.tier_1.account, cny(face)).map(drop)
}

fn dilute(world: &World, credit: DocumentId, live: i128) -> Result<Dilution, CallError<TradeError>> {
    Trade::over(world.chain.as_contract(RECEIVABLE)).credit(credit, cny(live))
}

#[test]
fn a_credit_lowers_the_invoice_by_both_sides_consent() {
    let world = World::new();
    let id = certified(&world, 0);
    for (by, other) in [(world.tier_1, world.core), (world.core, world.tier_1)] {
        let seed = 60 + u64::from(by.account.0[0]);
        let before = invoice(&world, id).credited;
        let credit =
            propose_credit(&world, by, credit_terms(&world, id, seed, 100_000, CreditReason::Quality)).unwrap();
        assert_eq!(invoice(&world, id).credited, before, "one side lowers nothing");
        refuses(&world, || answer_credit(&world, by, credit, true), TradeError::OwnProposal);
        refuses(&world, || answer_credit(&world, world.tier_2, credit, true), TradeError::NotParty);
        answer_credit(&world, other, credit, true).unwrap();
        assert_eq!(invoice(&world, id).credited.minor, before.minor + 100_000);
        let note = note(&world, credit);
        assert_eq!((note.state, note.by, note.dilution, note.open), (CreditState::Agreed, by.account, cny(0), cny(0)));
        let done = TradeError::CreditState { state: CreditState::Agreed, needed: CreditState::Proposed };
        refuses(&world, || answer_credit(&world, other, credit, false), done);
    }
    // What is credited is certified no more.
    let over = TradeError::Overcertified { excess: cny(1) };
    assert_eq!(refusal(certify(&world, id, TOTAL - 200_000 + 1)), over);
    certify(&world, id, TOTAL - 200_000).unwrap();
}

#[test]
fn a_credit_is_refused_or_taken_back_and_lowers_nothing() {
    let world = World::new();
    let id = certified(&world, 0);
    for (seed, by) in [(60, world.core), (61, world.tier_1)] {
        let terms = credit_terms(&world, id, seed, 100, CreditReason::Quality);
        let credit = propose_credit(&world, world.tier_1, terms).unwrap();
        answer_credit(&world, by, credit, false).unwrap();
        assert_eq!((note(&world, credit).state, invoice(&world, id).credited), (CreditState::Refused, cny(0)));
    }
}

#[test]
fn a_credit_is_checked() {
    let world = World::new();
    let id = certified(&world, 0);
    let with = |by: Firm, change: &dyn Fn(&mut CreditTerms)| {
        let mut terms = credit_terms(&world, id, 60, 1_000, CreditReason::Discount);
        change(&mut terms);
        propose_credit(&world, by, terms)
    };
    let seller = world.tier_1;
    refuses(&world, || with(world.tier_2, &|_| {}), TradeError::NotParty);
    refuses(&world, || with(seller, &|terms| terms.amount = cny(0)), TradeError::AmountNotPositive);
    refuses(&world, || with(seller, &|terms| terms.tax_minor = 1_001), TradeError::TaxRange);
    refuses(&world, || with(seller, &|terms| terms.tax_minor = -1), TradeError::TaxRange);
    refuses(
        &world,
        || with(seller, &|terms| terms.amount = Money::new(1, Currency::USD)),
        TradeError::WrongCurrency { expected: Currency::CNY, found: Currency::USD },
    );
    let (date, earliest) = (world.in_days(-1), world.today());
    refuses(&world, || with(seller, &|terms| terms.issued = date), TradeError::DateTooEarly { date, earliest });
    let date = world.in_days(1);
    refuses(&world, || with(seller, &|terms| terms.issued = date), TradeError::DateInFuture { date });
    // One register for invoices and credit notes.
    let taken = || with(seller, &|terms| terms.fingerprint = commitment(40));
    refuses(&world, taken, TradeError::DuplicateInvoice { first: id });
    let first = with(seller, &|_| {}).unwrap();
    assert_eq!(world.trade(world.bank).registered(commitment(60)).unwrap().unwrap().invoice, first);
    let again = || with(world.core, &|terms| terms.commitment = commitment(61));
    refuses(&world, again, TradeError::DuplicateInvoice { first });
    let forged =
        || world.trade(world.core).propose_credit(seller.account, credit_terms(&world, id, 62, 1, CreditReason::Price));
    refuses(&world, forged, TradeError::Unauthorized(Unauthorized::TooFewPersons));
}

#[test]
fn only_a_matched_invoice_is_credited() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    let id = bill_for(&world, order, 40, TOTAL, Some(UNITS));
    let propose = || propose_credit(&world, world.tier_1, credit_terms(&world, id, 60, 1, CreditReason::Price));
    let registered = TradeError::InvoiceState { state: InvoiceState::Registered, needed: InvoiceState::Matched };
    refuses(&world, propose, registered);
}

#[test]
fn f17_credits_together_never_exceed_the_invoice() {
    let world = World::new();
    let id = certified(&world, 0);
    let over = TradeError::CreditTooMuch { excess: cny(1) };
    let propose =
        |seed, minor| propose_credit(&world, world.core, credit_terms(&world, id, seed, minor, CreditReason::Return));
    refuses(&world, || propose(60, TOTAL + 1), over.clone());
    let one = propose(61, TOTAL).unwrap();
    let other = propose(62, 1).unwrap();
    answer_credit(&world, world.tier_1, one, true).unwrap();
    refuses(&world, || answer_credit(&world, world.tier_1, other, true), over);
    assert_eq!(invoice(&world, id).credited, cny(TOTAL));
}

#[test]
fn f16_certificates_lose_only_what_they_exceed_the_lowered_invoice_by() {
    let world = World::new();
    let id = certified(&world, 1_000_000);
    let within = credited(&world, id, 60, 200_000, CreditReason::Return);
    assert_eq!(note(&world, within).dilution, cny(0), "200,000 were never certified");
    assert_eq!(refusal(dilute(&world, within, TOTAL)), TradeError::NothingToDilute);
    let beyond = credited(&world, id, 61, 36_000, CreditReason::Return);
    assert_eq!((note(&world, beyond).dilution, note(&world, beyond).open), (cny(36_000), cny(36_000)));
    assert_eq!(invoice(&world, id).certified, cny(1_000_000), "until receivable takes it");
    let (debtor, creditor) = (world.core.account, world.tier_1.account);
    let taken = dilute(&world, beyond, 1_000_000).unwrap();
    assert_eq!(taken, Dilution { invoice: id, debtor, creditor, amount: cny(36_000), open: cny(0) });
    assert_eq!((invoice(&world, id).certified, note(&world, beyond).open), (cny(964_000), cny(0)));
    refuses(&world, || dilute(&world, beyond, 1_000_000), TradeError::NothingToDilute);
    assert_eq!(refusal(certify(&world, id, 1)), TradeError::Overcertified { excess: cny(1) });
    let receivable = Trade::over(world.chain.as_contract(RECEIVABLE));
    receivable.settle(id, cny(964_000)).unwrap();
    assert_eq!(invoice(&world, id).state, InvoiceState::Settled);
}

#[test]
fn f17_what_no_certificate_can_lose_stays_open_as_a_claim_on_the_seller() {
    let world = World::new();
    let id = certified(&world, TOTAL);
    let credit = credited(&world, id, 60, 500_000, CreditReason::Return);
    let taken = dilute(&world, credit, 300_000).unwrap();
    assert_eq!((taken.amount, taken.open, taken.creditor), (cny(300_000), cny(200_000), world.tier_1.account));
    refuses(&world, || dilute(&world, credit, 0), TradeError::NothingToDilute);
    refuses(&world, || dilute(&world, credit, -1), TradeError::NothingToDilute);
    assert_eq!(note(&world, credit).open, cny(200_000));
    // Another certificate of the invoice may lose it later, each unit once; and a later credit counts only its own.
    let later = credited(&world, id, 61, 100_000, CreditReason::Return);
    assert_eq!(note(&world, later).dilution, cny(100_000));
    assert_eq!(dilute(&world, credit, TOTAL).unwrap().amount, cny(200_000));
    assert_eq!(invoice(&world, id).certified, cny(TOTAL - 500_000));
}

#[test]
fn a_whole_dilution_leaves_a_matched_invoice() {
    let world = World::new();
    let id = certified(&world, 1_000_000);
    let credit = credited(&world, id, 60, TOTAL, CreditReason::Cancellation);
    dilute(&world, credit, 1_000_000).unwrap();
    assert_eq!((invoice(&world, id).certified, invoice(&world, id).state), (cny(0), InvoiceState::Matched));
    assert_eq!(refusal(certify(&world, id, 1)), TradeError::Overcertified { excess: cny(1) });
}

#[test]
fn only_receivable_takes_a_credit_and_only_an_agreed_one() {
    let world = World::new();
    let id = certified(&world, TOTAL);
    let credit = propose_credit(&world, world.tier_1, credit_terms(&world, id, 60, 1, CreditReason::Return)).unwrap();
    refuses(&world, || world.trade(world.core).credit(credit, cny(1)), TradeError::NotTrusted);
    let proposed = TradeError::CreditState { state: CreditState::Proposed, needed: CreditState::Agreed };
    refuses(&world, || dilute(&world, credit, 1), proposed);
    answer_credit(&world, world.core, credit, true).unwrap();
    let dollars = Trade::over(world.chain.as_contract(RECEIVABLE));
    let wrong = TradeError::WrongCurrency { expected: Currency::CNY, found: Currency::USD };
    refuses(&world, || dollars.credit(credit, Money::new(1, Currency::USD)), wrong);
    let needed = DocumentKind::CreditNote;
    refuses(&world, || dilute(&world, id, 1), TradeError::WrongKind { found: DocumentKind::Invoice, needed });
}

#[test]
fn a_wrong_invoice_that_is_credited_leaves_its_order_room_for_the_right_one() {
    for (reason, room) in [
        (CreditReason::Price, true),
        (CreditReason::Quantity, true),
        (CreditReason::Cancellation, true),
        (CreditReason::Return, false),
        (CreditReason::Quality, false),
        (CreditReason::Discount, false),
    ] {
        let world = World::new();
        let id = certified(&world, 0);
        let order = invoice(&world, id).order;
        credited(&world, id, 60, TOTAL, reason);
        let again = bill_for(&world, order, 41, TOTAL, Some(UNITS));
        assert_eq!(matching(&world, again).is_ok(), room, "{reason:?}");
        assert_eq!(view(&world, order).order.invoiced, cny(TOTAL), "{reason:?}");
    }
}

#[test]
fn a_credit_note_is_for_its_parties() {
    let world = World::new();
    let id = certified(&world, 0);
    let credit = credited(&world, id, 60, 1, CreditReason::Price);
    assert_eq!(refusal(world.trade(world.tier_2).document(credit)), TradeError::NotParty);
    for firm in [world.core, world.tier_1] {
        assert!(world.trade(firm).document(credit).is_ok());
        let listed = world.trade(firm).documents(firm.account, None).unwrap().documents;
        assert!(listed.contains(&(DocumentKind::CreditNote, credit)));
    }
}

#[test]
fn nobody_proposes_consents_or_moves_goods_in_anothers_name() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    let stranger = world.trade(world.tier_3);
    let forged = TradeError::Unauthorized(Unauthorized::TooFewPersons);
    let (buyer, seller) = (world.core.account, world.tier_1.account);
    refuses(&world, || stranger.propose_order(buyer, order, OrderProposal::Cancel), forged.clone());
    propose(&world, world.core, order, OrderProposal::Cancel).unwrap();
    refuses(&world, || stranger.answer_proposal(seller, order, true), forged.clone());
    refuses(&world, || stranger.answer_proposal(buyer, order, false), forged.clone());
    answer(&world, world.core, order, false).unwrap();
    ship(&world, order, 10).unwrap();
    let receipt = GoodsReceipt { accepted: 10, rejected: 0, received: world.today(), commitment: commitment(32) };
    refuses(&world, || stranger.receive_goods(buyer, order, receipt), forged.clone());
    receive(&world, order, 10, 0).unwrap();
    let goods = GoodsReturn { quantity: 1, amount: cny(1), commitment: commitment(33) };
    refuses(&world, || stranger.return_goods(buyer, order, goods), forged.clone());
    let inspection = Inspection { quantity: 1, passed: 1, inspected: world.today(), report: commitment(34) };
    refuses(&world, || stranger.inspect_goods(buyer, order, inspection), forged.clone());
    let invoice = bill_for(&world, order, 40, 12_000, Some(10));
    matching(&world, invoice).unwrap();
    let terms = credit_terms(&world, invoice, 60, 1, CreditReason::Price);
    let credit = propose_credit(&world, world.tier_1, terms).unwrap();
    refuses(&world, || stranger.answer_credit(buyer, credit, true), forged.clone());
    refuses(&world, || stranger.answer_credit(seller, credit, false), forged);
}

#[test]
fn a_restricted_side_begins_nothing_and_consents_to_nothing_but_takes_back_and_receives() {
    let world = World::new();
    let (order, other) = (counted(&world, 1, 0), counted(&world, 2, 0));
    ship(&world, order, 10).unwrap();
    let invoice = bill_for(&world, order, 40, 12_000, Some(10));
    matching(&world, invoice).unwrap();
    let by_seller =
        propose_credit(&world, world.tier_1, credit_terms(&world, invoice, 60, 1, CreditReason::Price)).unwrap();
    propose(&world, world.tier_1, other, OrderProposal::Cancel).unwrap();
    world.chain.set_status(world.core.member, MemberStatus::Restricted);
    let restricted = TradeError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || answer(&world, world.core, other, true), restricted.clone());
    answer(&world, world.core, other, false).unwrap();
    refuses(&world, || propose(&world, world.core, other, OrderProposal::Cancel), restricted.clone());
    refuses(&world, || answer_credit(&world, world.core, by_seller, true), restricted.clone());
    answer_credit(&world, world.core, by_seller, false).unwrap();
    let terms = credit_terms(&world, invoice, 61, 1, CreditReason::Price);
    refuses(&world, || propose_credit(&world, world.core, terms), restricted.clone());
    let inspection = Inspection { quantity: 1, passed: 1, inspected: world.today(), report: commitment(34) };
    let inspect = || world.trade(world.core).inspect_goods(world.core.account, order, inspection);
    refuses(&world, inspect, restricted);
    receive(&world, order, 10, 0).unwrap();
}

#[test]
fn goods_of_an_order_that_does_not_run_are_not_inspected() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    ship(&world, order, 10).unwrap();
    receive(&world, order, 10, 0).unwrap();
    agreed(&world, order, OrderProposal::Close);
    let inspection = Inspection { quantity: 1, passed: 1, inspected: world.today(), report: commitment(34) };
    let inspect = || world.trade(world.core).inspect_goods(world.core.account, order, inspection);
    refuses(&world, inspect, TradeError::OrderNotAccepted { state: OrderState::Closed });
}

#[test]
fn a_return_is_in_the_orders_currency() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    ship(&world, order, 10).unwrap();
    receive(&world, order, 10, 0).unwrap();
    let dollars = TradeError::WrongCurrency { expected: Currency::CNY, found: Currency::USD };
    refuses(&world, || send_back(&world, order, 1, Money::new(1, Currency::USD)), dollars);
}

#[test]
fn an_order_that_was_invoiced_wrongly_is_not_invoiced_any_more() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    ship(&world, order, UNITS).unwrap();
    receive(&world, order, UNITS, 0).unwrap();
    let invoice = bill_for(&world, order, 40, TOTAL, Some(UNITS));
    matching(&world, invoice).unwrap();
    assert_eq!(state(&world, order), OrderState::Invoiced);
    credited(&world, invoice, 60, 1, CreditReason::Price);
    assert_eq!(state(&world, order), OrderState::Received);
}

/// So many entries are dear to make one by one: the count is put where the next one is the last.
#[test]
fn an_orders_history_is_limited() {
    let world = World::new();
    let order = counted(&world, 1, 0);
    ship(&world, order, 1).unwrap();
    world.chain.inside(portolan_interface::trade::api::CONTRACT, || {
        let documents = portolan_sdk::storage::Map::<DocumentId, Document>::new(0);
        let Some(Document::Order(mut record)) = documents.get(&order) else { panic!("no order") };
        record.steps = MAX_ORDER_STEPS - 1;
        documents.set(&order, &Document::Order(record));
    });
    ship(&world, order, 1).unwrap();
    refuses(&world, || ship(&world, order, 1), TradeError::TooMany { limit: MAX_ORDER_STEPS });
}

#[test]
fn certificates_that_came_to_nothing_leave_the_others_less_to_lose() {
    let world = World::new();
    let id = certified(&world, 700_000);
    certify(&world, id, 500_000).unwrap();
    let credit = credited(&world, id, 60, 400_000, CreditReason::Return);
    assert_eq!(note(&world, credit).open, cny(400_000));
    Trade::over(world.chain.as_contract(RECEIVABLE)).release(id, cny(500_000)).unwrap();
    refuses(&world, || dilute(&world, credit, 700_000), TradeError::NothingToDilute);
    // Room that is certified again is certified within what is left.
    certify(&world, id, 100_000).unwrap();
    assert_eq!(refusal(certify(&world, id, 1)), TradeError::Overcertified { excess: cny(1) });
}

/// What happens to an invoice and its certificates.
#[derive(Clone, Debug)]
enum Event {
    Certify(i128),
    Release(usize),
    Pay(usize),
    Credit(i128),
    Dilute(usize, usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (1..=TOTAL / 2).prop_map(Event::Certify),
        1 => any::<usize>().prop_map(Event::Release),
        1 => any::<usize>().prop_map(Event::Pay),
        3 => (1..=TOTAL / 3).prop_map(Event::Credit),
        4 => (any::<usize>(), any::<usize>()).prop_map(|(credit, certificate)| Event::Dilute(credit, certificate)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_certificates_promise_never_exceeds_the_invoice_but_by_what_credits_still_take(
        events in proptest::collection::vec(event(), 1..30),
    ) {
        let world = World::new();
        let id = certified(&world, 0);
        let receivable = Trade::over(world.chain.as_contract(RECEIVABLE));
        // What is left of each live certificate, what paid ones were paid, and the agreed credit notes.
        let (mut live, mut paid, mut credits) = (Vec::<i128>::new(), 0i128, Vec::new());
        for (seed, event) in (1_000u64..).zip(&events) {
            match *event {
                Event::Certify(face) if certify(&world, id, face).is_ok() => live.push(face),
                Event::Release(which) if !live.is_empty() => {
                    let face = live.swap_remove(which % live.len());
                    receivable.release(id, cny(face)).unwrap();
                }
                Event::Pay(which) if !live.is_empty() => {
                    let face = live.swap_remove(which % live.len());
                    receivable.settle(id, cny(face)).unwrap();
                    paid += face;
                }
                Event::Credit(minor) => {
                    let terms = credit_terms(&world, id, seed, minor, CreditReason::Return);
                    if let Ok(credit) = propose_credit(&world, world.core, terms) {
                        answer_credit(&world, world.tier_1, credit, true).unwrap();
                        credits.push(credit);
                    }
                }
                Event::Dilute(credit, which) if !credits.is_empty() && !live.is_empty() => {
                    let place = which % live.len();
                    if let Ok(taken) = dilute(&world, credits[credit % credits.len()], live[place]) {
                        prop_assert!(taken.amount.minor <= live[place]);
                        live[place] -= taken.amount.minor;
                        if live[place] == 0 {
                            live.swap_remove(place);
                        }
                    }
                }
                _ => {}
            }
            let record = invoice(&world, id);
            prop_assert_eq!(record.certified.minor, live.iter().sum::<i128>() + paid);
            prop_assert_eq!(record.settled.minor, paid);
            prop_assert!(record.credited.minor <= record.payable.minor);
            let open: i128 = credits.iter().map(|credit| note(&world, *credit).open.minor).sum();
            prop_assert!(record.certified.minor - (record.payable.minor - record.credited.minor) <= open);
        }
    }
}
