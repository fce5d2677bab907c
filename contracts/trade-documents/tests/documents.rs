//! Orders, customs declarations, invoices and who may read them.

#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use portolan_interface::{
    AccountId, Currency, DocumentId, MemberStatus, Money, TermsError, Unauthorized,
    receivable::api::CONTRACT as RECEIVABLE,
    trade::{
        CustomsDecision, DeclarationState, Difference, Document, DocumentKind, Invoice, InvoiceState, InvoiceTerms,
        MAX_HS_CODES, Mismatch, Order, OrderAnswer, OrderState, TradeError,
    },
};
use portolan_sdk::CallError;
use world::{Firm, Trade, World, cny, commitment, date, refusal, refuses};

const TOTAL: i128 = 120_000_000;

fn order(world: &World, id: DocumentId) -> Order {
    match Trade::over(world.chain.as_operator()).document(id).unwrap() {
        Document::Order(order) => order,
        other => panic!("no order: {other:?}"),
    }
}

fn invoice(world: &World, id: DocumentId) -> Invoice {
    match Trade::over(world.chain.as_operator()).document(id).unwrap() {
        Document::Invoice(invoice) => invoice,
        other => panic!("no invoice: {other:?}"),
    }
}

// Orders.

#[test]
fn an_order_has_an_id_that_its_buyer_knows_beforehand() {
    let world = World::new();
    let id = world.order(1, cny(TOTAL));
    assert_eq!(id, DocumentId::order(world.core.account, world.tier_1.account, commitment(1)));
    assert_eq!((order(&world, id).state, order(&world, id).accepted), (OrderState::Accepted, cny(TOTAL)));
}

#[test]
fn an_order_is_checked() {
    let world = World::new();
    let offer = |change: fn(&World, &mut portolan_interface::trade::OrderTerms)| {
        let mut terms = world.order_terms(1, cny(TOTAL));
        change(&world, &mut terms);
        world.trade(world.core).offer_order(world.core.account, terms)
    };
    refuses(&world, || offer(|_, terms| terms.total = cny(0)), TradeError::AmountNotPositive);
    let gold = Currency(*b"XAU");
    refuses(
        &world,
        || offer(|_, terms| terms.total.currency = Currency(*b"XAU")),
        TradeError::Terms(TermsError::UnknownCurrency(gold)),
    );
    refuses(&world, || offer(|world, terms| terms.deliver_until = world.in_days(-1)), TradeError::DeliveryWindow);
    refuses(&world, || offer(|world, terms| terms.seller = world.core.account), TradeError::SameParty);
    refuses(&world, || offer(|_, terms| terms.seller = AccountId([0xEE; 16])), TradeError::UnknownAccount);
    offer(|_, _| {}).unwrap();
    refuses(&world, || offer(|_, _| {}), TradeError::DuplicateDocument);
    world.chain.set_status(world.tier_1.member, MemberStatus::Frozen);
    refuses(
        &world,
        || offer(|_, terms| terms.lines = commitment(2)),
        TradeError::MemberNotActive { status: MemberStatus::Frozen },
    );
}

#[test]
fn an_order_is_answered_once_by_its_seller() {
    let world = World::new();
    let id = world.trade(world.core).offer_order(world.core.account, world.order_terms(1, cny(TOTAL))).unwrap();
    let answer = |firm: Firm, answer| world.trade(firm).answer_order(firm.account, id, answer);
    refuses(&world, || answer(world.tier_2, OrderAnswer::Accept), TradeError::NotParty);
    refuses(&world, || answer(world.core, OrderAnswer::Accept), TradeError::NotParty);
    refuses(
        &world,
        || answer(world.tier_1, OrderAnswer::AcceptPart(cny(TOTAL + 1))),
        TradeError::AcceptedTooMuch { excess: cny(1) },
    );
    refuses(&world, || answer(world.tier_1, OrderAnswer::AcceptPart(cny(0))), TradeError::AmountNotPositive);
    let dollars = OrderAnswer::AcceptPart(Money::new(1, Currency::USD));
    refuses(
        &world,
        || answer(world.tier_1, dollars),
        TradeError::WrongCurrency { expected: Currency::CNY, found: Currency::USD },
    );
    answer(world.tier_1, OrderAnswer::AcceptPart(cny(500))).unwrap();
    assert_eq!((order(&world, id).state, order(&world, id).accepted), (OrderState::PartlyAccepted, cny(500)));
    refuses(
        &world,
        || answer(world.tier_1, OrderAnswer::Accept),
        TradeError::OrderState { state: OrderState::PartlyAccepted },
    );
}

#[test]
fn a_refused_order_is_followed_by_nothing() {
    let world = World::new();
    let id = world.trade(world.core).offer_order(world.core.account, world.order_terms(1, cny(TOTAL))).unwrap();
    world.trade(world.tier_1).answer_order(world.tier_1.account, id, OrderAnswer::Refuse).unwrap();
    let bill = || world.trade(world.carrier).issue_bill(world.carrier.account, world.bill_terms(1, id));
    refuses(&world, bill, TradeError::OrderNotAccepted { state: OrderState::Refused });
}

#[test]
fn nobody_orders_in_anothers_name() {
    let world = World::new();
    let forged = || world.trade(world.tier_1).offer_order(world.core.account, world.order_terms(1, cny(TOTAL)));
    refuses(&world, forged, TradeError::Unauthorized(Unauthorized::TooFewPersons));
}

// Customs.

#[test]
fn a_rejected_declaration_stays_rejected() {
    let world = World::new();
    let order = world.order(1, cny(TOTAL));
    let bill = world.bill(1, order);
    let id = world.lodged(1, order, bill, cny(TOTAL));
    let decide = |decision| world.trade(world.customs).decide_declaration(world.customs.account, id, decision);
    decide(CustomsDecision::Reject).unwrap();
    let error = TradeError::DeclarationState { state: DeclarationState::Rejected, decision: CustomsDecision::Accept };
    refuses(&world, || decide(CustomsDecision::Accept), error);
}

#[test]
fn only_the_named_authority_decides() {
    let world = World::new();
    let order = world.order(1, cny(TOTAL));
    let bill = world.bill(1, order);
    let id = world.lodged(1, order, bill, cny(TOTAL));
    for firm in [world.tier_1, world.core, world.regulator] {
        let decide = || world.trade(firm).decide_declaration(firm.account, id, CustomsDecision::Accept);
        refuses(&world, decide, TradeError::NotParty);
    }
}

#[test]
fn a_declaration_is_checked() {
    let world = World::new();
    let order = world.order(1, cny(TOTAL));
    let bill = world.bill(1, order);
    let other_order = world.order(2, cny(TOTAL));
    let lodge = |firm: Firm, change: &dyn Fn(&mut portolan_interface::trade::DeclarationTerms)| {
        let mut terms = world.declaration_terms(1, order, bill, cny(TOTAL));
        change(&mut terms);
        world.trade(firm).lodge_declaration(firm.account, terms)
    };
    refuses(&world, || lodge(world.tier_2, &|_| {}), TradeError::NotParty);
    refuses(&world, || lodge(world.tier_1, &|terms| terms.order = other_order), TradeError::OtherOrder);
    refuses(&world, || lodge(world.tier_1, &|terms| terms.customs = world.bank.member), TradeError::WrongRole);
    refuses(&world, || lodge(world.tier_1, &|terms| terms.value = cny(-1)), TradeError::AmountNotPositive);
    for codes in [vec![], vec!["870"], vec!["87089997901"], vec!["8708", "87O8"]] {
        let codes: Vec<String> = codes.into_iter().map(String::from).collect();
        refuses(&world, || lodge(world.tier_1, &|terms| terms.hs_codes = codes.clone()), TradeError::HsCode);
    }
    let many = vec![String::from("8708"); MAX_HS_CODES + 1];
    refuses(&world, || lodge(world.tier_1, &|terms| terms.hs_codes = many.clone()), TradeError::TooMany { limit: 99 });
    let needed = DocumentKind::BillOfLading;
    refuses(
        &world,
        || lodge(world.tier_1, &|terms| terms.bill = order),
        TradeError::WrongKind { found: DocumentKind::Order, needed },
    );
    lodge(world.carrier, &|_| {}).unwrap();
}

// Invoices (F01, F02).

fn register(world: &World, firm: Firm, terms: InvoiceTerms) -> Result<DocumentId, CallError<TradeError>> {
    world.trade(firm).register_invoice(firm.account, terms)
}

#[test]
fn f01_an_invoice_is_registered_once_and_the_refusal_names_the_first() {
    let world = World::new();
    let terms = world.invoice_terms(1, cny(TOTAL));
    let first = register(&world, world.tier_1, terms.clone()).unwrap();
    refuses(&world, || register(&world, world.tier_1, terms.clone()), TradeError::DuplicateInvoice { first });
    // The buyer's copy too.
    refuses(&world, || register(&world, world.core, terms.clone()), TradeError::DuplicateInvoice { first });
}

#[test]
fn f02_the_same_invoice_in_another_syntax_has_the_same_fingerprint_and_is_refused() {
    let world = World::new();
    let terms = world.invoice_terms(1, cny(TOTAL));
    let first = register(&world, world.tier_1, terms.clone()).unwrap();
    let other_syntax = InvoiceTerms { commitment: commitment(99), tax_minor: 0, due: None, ..terms };
    refuses(&world, || register(&world, world.tier_1, other_syntax), TradeError::DuplicateInvoice { first });
}

#[test]
fn the_register_answers_who_knows_the_fingerprint_and_stores_only_its_keyed_hash() {
    let world = World::new();
    let terms = world.invoice_terms(1, cny(TOTAL));
    let plain = terms.fingerprint;
    let id = register(&world, world.tier_1, terms).unwrap();
    let found = world.trade(world.other_bank).registered(plain).unwrap().unwrap();
    assert_eq!(found.invoice, id);
    assert_eq!(world.trade(world.other_bank).registered(commitment(5)).unwrap(), None);
    let stored = invoice(&world, id);
    assert_ne!(stored.fingerprint, plain);
    let everything = format!("{:?}{:?}", world.chain.snapshot(), stored);
    let plain_bytes = format!("{:?}", plain.0);
    assert!(!everything.contains(plain_bytes.trim_matches(['[', ']'])), "the plain fingerprint is in the state");
}

#[test]
fn an_invoice_is_checked() {
    let world = World::new();
    let terms = world.invoice_terms(1, cny(TOTAL));
    let with = |change: &dyn Fn(&mut InvoiceTerms)| {
        let mut terms = terms.clone();
        change(&mut terms);
        register(&world, world.tier_1, terms)
    };
    refuses(&world, || with(&|terms| terms.payable = cny(0)), TradeError::AmountNotPositive);
    refuses(&world, || with(&|terms| terms.tax_minor = -1), TradeError::TaxRange);
    refuses(&world, || with(&|terms| terms.tax_minor = TOTAL + 1), TradeError::TaxRange);
    refuses(&world, || with(&|terms| terms.buyer = terms.seller), TradeError::SameParty);
    refuses(&world, || with(&|terms| terms.due = Some(date("2026-03-01"))), TradeError::DueBeforeIssue);
    let tomorrow = world.in_days(1);
    refuses(&world, || with(&|terms| terms.issued = tomorrow), TradeError::IssuedInFuture { issued: tomorrow });
    refuses(&world, || register(&world, world.tier_2, terms.clone()), TradeError::NotParty);
    refuses(
        &world,
        || with(&|terms| terms.issued = portolan_interface::BusinessDate(i32::MIN)),
        TradeError::Terms(TermsError::MalformedDate),
    );
}

#[test]
fn a_matched_invoice_counts_against_its_order() {
    let world = World::new();
    let id = world.matched(1, cny(TOTAL));
    let stored = invoice(&world, id);
    assert_eq!(stored.state, InvoiceState::Matched);
    assert_eq!(order(&world, stored.order).invoiced, cny(TOTAL));
    let again = || world.trade(world.core).match_invoice(world.core.account, id);
    refuses(&world, again, TradeError::InvoiceState { state: InvoiceState::Matched, needed: InvoiceState::Registered });
}

/// The points in which the invoice differs; each names the invoice's own commitment.
fn match_with(world: &World, change: impl FnOnce(&mut InvoiceTerms)) -> Vec<Mismatch> {
    let mut terms = world.invoice_terms(1, cny(TOTAL));
    change(&mut terms);
    let id = register(world, world.tier_1, terms).unwrap();
    let before = world.chain.snapshot();
    let error = refusal(world.trade(world.tier_1).match_invoice(world.tier_1.account, id));
    assert_eq!(world.chain.snapshot(), before);
    let TradeError::Mismatch { fields } = error else { panic!("{error:?}") };
    assert!(fields.iter().all(|difference| difference.found == commitment(1)));
    fields.into_iter().map(|difference| difference.field).collect()
}

#[test]
fn each_point_of_a_mismatch_is_named() {
    let world = World::new();
    assert_eq!(match_with(&world, |terms| terms.payable = cny(TOTAL + 1)), [Mismatch::Amount]);
    let world = World::new();
    assert_eq!(match_with(&world, |terms| terms.payable.currency = Currency::USD), [Mismatch::Currency]);
    let world = World::new();
    assert_eq!(match_with(&world, |terms| terms.buyer = world.tier_3.account), [Mismatch::Parties]);
    let world = World::new();
    let without = |terms: &mut InvoiceTerms| (terms.bill, terms.declaration) = (None, None);
    assert_eq!(match_with(&world, without), [Mismatch::BillOfLading, Mismatch::Customs]);
}

#[test]
fn a_mismatch_names_an_order_that_nobody_accepted() {
    let world = World::new();
    let offered = world.trade(world.core).offer_order(world.core.account, world.order_terms(50, cny(TOTAL))).unwrap();
    let fields = match_with(&world, |terms| terms.order = offered);
    let all = [Mismatch::OrderState, Mismatch::Amount, Mismatch::BillOfLading, Mismatch::Customs];
    assert_eq!(fields, all);
}

#[test]
fn goods_that_customs_have_not_cleared_do_not_match() {
    let world = World::new();
    let order = world.order(50, cny(TOTAL));
    let bill = world.bill(50, order);
    let lodged = world.lodged(50, order, bill, cny(TOTAL));
    let fields =
        match_with(&world, |terms| (terms.order, terms.bill, terms.declaration) = (order, Some(bill), Some(lodged)));
    assert_eq!(fields, [Mismatch::Customs]);
}

#[test]
fn a_domestic_order_needs_neither_bill_nor_customs() {
    let world = World::new();
    let mut terms = world.order_terms(9, cny(TOTAL));
    terms.cross_border = false;
    let order = world.trade(world.core).offer_order(world.core.account, terms).unwrap();
    world.trade(world.tier_1).answer_order(world.tier_1.account, order, OrderAnswer::Accept).unwrap();
    let invoice = InvoiceTerms { order, bill: None, declaration: None, ..world.invoice_terms(1, cny(TOTAL)) };
    let id = register(&world, world.tier_1, invoice).unwrap();
    world.trade(world.core).match_invoice(world.core.account, id).unwrap();
}

#[test]
fn invoices_together_never_exceed_their_order() {
    let world = World::new();
    let terms = world.invoice_terms(1, cny(TOTAL));
    for (seed, payable) in [(70, TOTAL - 100), (71, 100)] {
        let fingerprint = commitment(seed);
        let part = InvoiceTerms {
            payable: cny(payable),
            tax_minor: 0,
            fingerprint,
            near: fingerprint,
            commitment: fingerprint,
            ..terms.clone()
        };
        let id = register(&world, world.tier_1, part).unwrap();
        world.trade(world.tier_1).match_invoice(world.tier_1.account, id).unwrap();
    }
    let id = register(&world, world.tier_1, InvoiceTerms { payable: cny(1), tax_minor: 0, ..terms }).unwrap();
    let matching = || world.trade(world.tier_1).match_invoice(world.tier_1.account, id);
    let (expected, found) = (commitment(1), commitment(1));
    let fields = vec![Difference { field: Mismatch::Amount, expected, found }];
    refuses(&world, matching, TradeError::Mismatch { fields });
}

#[test]
fn only_receivable_certifies_releases_and_settles() {
    let world = World::new();
    let id = world.matched(1, cny(TOTAL));
    let core = world.trade(world.core);
    refuses(&world, || core.certify(id, world.core.account, world.tier_1.account, cny(1)), TradeError::NotTrusted);
    refuses(&world, || core.release(id, cny(1)), TradeError::NotTrusted);
    refuses(&world, || core.settle(id, cny(1)), TradeError::NotTrusted);
}

#[test]
fn an_invoice_follows_its_certificates() {
    let world = World::new();
    let id = world.matched(1, cny(TOTAL));
    let receivable = Trade::over(world.chain.as_contract(RECEIVABLE));
    let certify = |minor| receivable.certify(id, world.core.account, world.tier_1.account, cny(minor));
    assert_eq!(certify(100).unwrap().0, 0);
    assert_eq!(certify(TOTAL - 100).unwrap().0, 1);
    refuses(&world, || certify(1), TradeError::Overcertified { excess: cny(1) });
    receivable.release(id, cny(TOTAL - 100)).unwrap();
    receivable.settle(id, cny(100)).unwrap();
    assert_eq!((invoice(&world, id).state, invoice(&world, id).certified), (InvoiceState::Settled, cny(100)));
    assert_eq!(certify(TOTAL - 100).unwrap().0, 2, "what was never certified still can be");
    receivable.release(id, cny(TOTAL - 100)).unwrap();
    assert_eq!(invoice(&world, id).state, InvoiceState::Settled);
    refuses(&world, || certify(0), TradeError::AmountNotPositive);
}

#[test]
fn only_what_is_certified_is_released_or_settled() {
    let world = World::new();
    let id = world.matched(1, cny(TOTAL));
    let receivable = Trade::over(world.chain.as_contract(RECEIVABLE));
    let error = TradeError::InvoiceState { state: InvoiceState::Matched, needed: InvoiceState::Certified };
    refuses(&world, || receivable.release(id, cny(1)), error.clone());
    refuses(&world, || receivable.settle(id, cny(1)), error);
}

#[test]
fn dates_outside_the_calendar_are_refused() {
    let world = World::new();
    let never = portolan_interface::BusinessDate(i32::MAX);
    let mut terms = world.order_terms(1, cny(TOTAL));
    terms.deliver_until = never;
    let ordered = refusal(world.trade(world.core).offer_order(world.core.account, terms));
    assert!(matches!(ordered, TradeError::Terms(_)), "{ordered:?}");
    let order = world.order(1, cny(TOTAL));
    let mut terms = world.bill_terms(1, order);
    terms.on_board = never;
    let shipped = refusal(world.trade(world.carrier).issue_bill(world.carrier.account, terms));
    assert!(matches!(shipped, TradeError::Terms(_)), "{shipped:?}");
}

#[test]
fn an_invoice_is_certified_in_its_own_currency() {
    let world = World::new();
    let id = world.matched(1, cny(TOTAL));
    let receivable = Trade::over(world.chain.as_contract(RECEIVABLE));
    let dollars = || receivable.certify(id, world.core.account, world.tier_1.account, Money::new(1, Currency::USD));
    refuses(&world, dollars, TradeError::WrongCurrency { expected: Currency::CNY, found: Currency::USD });
}

#[test]
fn an_invoice_is_certified_from_its_buyer_to_its_seller() {
    let world = World::new();
    let id = world.matched(1, cny(TOTAL));
    let receivable = Trade::over(world.chain.as_contract(RECEIVABLE));
    let (buyer, seller, other) = (world.core.account, world.tier_1.account, world.tier_2.account);
    refuses(&world, || receivable.certify(id, other, seller, cny(1)), TradeError::NotParty);
    refuses(&world, || receivable.certify(id, buyer, other, cny(1)), TradeError::NotParty);
    refuses(&world, || receivable.certify(id, seller, buyer, cny(1)), TradeError::NotParty);
    receivable.certify(id, buyer, seller, cny(1)).unwrap();
}

#[test]
fn only_a_party_matches_an_invoice() {
    let world = World::new();
    let id = world.registered(1, cny(TOTAL));
    let matches = |firm: Firm| world.trade(firm).match_invoice(firm.account, id);
    refuses(&world, || matches(world.tier_2), TradeError::NotParty);
    matches(world.core).unwrap();
}

#[test]
fn nobody_acts_on_documents_in_anothers_name() {
    let world = World::new();
    let stranger = world.trade(world.tier_3);
    let forged = TradeError::Unauthorized(Unauthorized::TooFewPersons);
    let (seller, carrier, customs) = (world.tier_1.account, world.carrier.account, world.customs.account);
    let offered = world.trade(world.core).offer_order(world.core.account, world.order_terms(9, cny(TOTAL))).unwrap();
    refuses(&world, || stranger.answer_order(seller, offered, OrderAnswer::Accept), forged.clone());
    let order = world.order(1, cny(TOTAL));
    refuses(&world, || stranger.issue_bill(carrier, world.bill_terms(1, order)), forged.clone());
    let bill = world.bill(1, order);
    let declare = || stranger.lodge_declaration(seller, world.declaration_terms(1, order, bill, cny(TOTAL)));
    refuses(&world, declare, forged.clone());
    let declaration = world.lodged(1, order, bill, cny(TOTAL));
    let decide = || stranger.decide_declaration(customs, declaration, CustomsDecision::Accept);
    refuses(&world, decide, forged.clone());
    let terms = world.invoice_terms(2, cny(TOTAL));
    refuses(&world, || stranger.register_invoice(seller, terms), forged.clone());
    let invoice = world.registered(3, cny(TOTAL));
    refuses(&world, || stranger.match_invoice(seller, invoice), forged);
}

#[test]
fn a_restricted_member_begins_nothing_new() {
    let world = World::new();
    let order = world.order(1, cny(TOTAL));
    world.chain.set_status(world.core.member, MemberStatus::Restricted);
    world.chain.set_status(world.carrier.member, MemberStatus::Restricted);
    let restricted = TradeError::MemberNotActive { status: MemberStatus::Restricted };
    let another = || world.trade(world.core).offer_order(world.core.account, world.order_terms(2, cny(TOTAL)));
    refuses(&world, another, restricted.clone());
    let bill = || world.trade(world.carrier).issue_bill(world.carrier.account, world.bill_terms(1, order));
    refuses(&world, bill, restricted.clone());
    world.chain.set_status(world.core.member, MemberStatus::Active);
    world.chain.set_status(world.carrier.member, MemberStatus::Active);
    let offered = world.trade(world.core).offer_order(world.core.account, world.order_terms(3, cny(TOTAL))).unwrap();
    let bill = world.bill(2, order);
    let declaration = world.lodged(2, order, bill, cny(TOTAL));
    let terms = world.invoice_terms(4, cny(TOTAL));
    world.chain.set_status(world.tier_1.member, MemberStatus::Restricted);
    world.chain.set_status(world.customs.member, MemberStatus::Restricted);
    let answer = || world.trade(world.tier_1).answer_order(world.tier_1.account, offered, OrderAnswer::Accept);
    refuses(&world, answer, restricted.clone());
    let decide =
        || world.trade(world.customs).decide_declaration(world.customs.account, declaration, CustomsDecision::Accept);
    refuses(&world, decide, restricted.clone());
    refuses(&world, || register(&world, world.tier_1, terms), restricted);
}

// Readers.

#[test]
fn documents_are_for_their_parties() {
    let world = World::new();
    let id = world.matched(1, cny(TOTAL));
    let stored = invoice(&world, id);
    let documents = [id, stored.order, stored.bill.unwrap(), stored.declaration.unwrap()];
    for document in documents {
        assert_eq!(refusal(world.trade(world.tier_3).document(document)), TradeError::NotParty);
        assert!(world.trade(world.tier_1).document(document).is_ok());
        assert!(world.trade(world.regulator).document(document).is_ok());
    }
    assert!(world.trade(world.customs).document(documents[3]).is_ok());
    assert_eq!(refusal(world.trade(world.customs).document(documents[0])), TradeError::NotParty);
    let unknown = world.trade(world.core).document(DocumentId([9; 32]));
    assert_eq!(refusal(unknown), TradeError::UnknownDocument);
}

#[test]
fn an_account_has_the_whole_list_of_its_documents() {
    let world = World::new();
    for seed in 1..=20 {
        world.matched(seed, cny(TOTAL));
    }
    let mut seen = Vec::new();
    loop {
        let page = world.trade(world.tier_1).documents(world.tier_1.account, Some(seen.len() as u32)).unwrap();
        assert_eq!(page.count, 80);
        seen.extend(page.documents);
        if seen.len() == 80 {
            break;
        }
    }
    assert_eq!(seen.iter().filter(|(kind, _)| *kind == DocumentKind::Invoice).count(), 20);
    assert_eq!(refusal(world.trade(world.core).documents(world.tier_1.account, None)), TradeError::NotParty);
}
