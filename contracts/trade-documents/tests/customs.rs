//! What customs decide of declared goods, amendments, holds, and certificates of origin.

#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use portolan_interface::{
    DocumentId, Hash, MemberStatus, Unauthorized,
    trade::{
        CustomsDecision, CustomsHold, DateFlag, Declaration, DeclarationAmendment, DeclarationState, Direction,
        Document, DocumentKind, InvoiceTerms, Mismatch, Origin, OriginState, OriginTerms, TradeError, TradeEvent, api,
    },
};
use portolan_sdk::CallError;
use world::{Firm, Trade, World, cny, commitment, refusal, refuses};

use CustomsDecision as D;
use DeclarationState as S;

type Outcome = Result<(), CallError<TradeError>>;

const TOTAL: i128 = 120_000_000;
const ONE: Hash = Hash([1; 32]);
const OTHER: Hash = Hash([2; 32]);

/// A world with a lodged declaration.
fn lodged() -> (World, DocumentId) {
    let world = World::new();
    let order = world.order(1, cny(TOTAL));
    let bill = world.bill(1, order);
    let id = world.lodged(1, order, bill, cny(TOTAL));
    (world, id)
}

fn decide(world: &World, id: DocumentId, decision: D) -> Outcome {
    world.trade(world.customs).decide_declaration(world.customs.account, id, decision)
}

fn record(world: &World, id: DocumentId) -> Declaration {
    match Trade::over(world.chain.as_operator()).document(id).unwrap() {
        Document::Declaration(declaration) => declaration,
        other => panic!("{other:?}"),
    }
}

fn amendment(value: i128) -> DeclarationAmendment {
    DeclarationAmendment { hs_codes: vec!["870899".into()], value: cny(value), commitment: commitment(50) }
}

fn amend(world: &World, by: Firm, id: DocumentId, amendment: DeclarationAmendment) -> Outcome {
    world.trade(by).amend_declaration(by.account, id, amendment)
}

/// A declaration brought to a state, by the shortest way.
fn brought_to(state: S) -> (World, DocumentId) {
    let way: &[D] = match state {
        S::Lodged => &[],
        S::Accepted => &[D::Accept],
        S::Rejected => &[D::Reject],
        S::UnderControl => &[D::Accept, D::Control],
        S::Held => &[D::Accept, D::Hold { reference: ONE }],
        S::Released => &[D::Accept, D::Release],
        S::Cleared => &[D::Accept, D::Release, D::Clear],
        S::Invalidated => &[D::Invalidate],
    };
    let (world, id) = lodged();
    for decision in way {
        decide(&world, id, *decision).unwrap();
    }
    assert_eq!(record(&world, id).state, state);
    (world, id)
}

const STATES: [S; 8] =
    [S::Lodged, S::Accepted, S::Rejected, S::UnderControl, S::Held, S::Released, S::Cleared, S::Invalidated];

#[test]
fn each_decision_follows_from_its_states_and_from_no_other() {
    let decisions = [
        (D::Accept, vec![(S::Lodged, S::Accepted)]),
        (D::Reject, vec![(S::Lodged, S::Rejected)]),
        (D::Control, vec![(S::Accepted, S::UnderControl)]),
        (D::Hold { reference: OTHER }, vec![(S::Accepted, S::Held), (S::UnderControl, S::Held), (S::Held, S::Held)]),
        (D::Lift { reference: ONE }, vec![(S::Held, S::Accepted)]),
        (D::Release, vec![(S::Accepted, S::Released), (S::UnderControl, S::Released)]),
        (D::Clear, vec![(S::Released, S::Cleared)]),
        (
            D::Invalidate,
            vec![
                (S::Lodged, S::Invalidated),
                (S::Accepted, S::Invalidated),
                (S::UnderControl, S::Invalidated),
                (S::Held, S::Invalidated),
            ],
        ),
    ];
    for (decision, follows) in decisions {
        for state in STATES {
            let (world, id) = brought_to(state);
            match follows.iter().find(|(from, _)| *from == state) {
                Some((_, after)) => {
                    decide(&world, id, decision).unwrap();
                    assert_eq!(record(&world, id).state, *after, "{decision:?} from {state:?}");
                }
                None => {
                    refuses(&world, || decide(&world, id, decision), TradeError::DeclarationState { state, decision })
                }
            }
        }
    }
}

#[test]
fn s11_customs_hold_and_lift_and_the_trade_goes_on() {
    let world = World::new();
    let order = world.order(50, cny(TOTAL));
    let bill = world.bill(50, order);
    let id = world.lodged(50, order, bill, cny(TOTAL));
    let terms = InvoiceTerms { order, bill: Some(bill), declaration: Some(id), ..world.invoice_terms(1, cny(TOTAL)) };
    let invoice = world.trade(world.tier_1).register_invoice(world.tier_1.account, terms).unwrap();
    let matching = || world.trade(world.core).match_invoice(world.core.account, invoice);
    let stops = || match refusal(matching()) {
        TradeError::Mismatch { fields } => fields.into_iter().map(|difference| difference.field).collect(),
        other => panic!("{other:?}"),
    };
    decide(&world, id, D::Accept).unwrap();
    decide(&world, id, D::Control).unwrap();
    decide(&world, id, D::Hold { reference: ONE }).unwrap();
    let told = world.chain.events::<TradeEvent>(api::CONTRACT);
    let declarant = world.tier_1.account;
    assert_eq!(told.last(), Some(&TradeEvent::DeclarationDecided { declaration: id, declarant, state: S::Held }));
    let held: Vec<Mismatch> = stops();
    assert_eq!(held, [Mismatch::Customs]);
    // No release while a hold is open.
    let error = TradeError::DeclarationState { state: S::Held, decision: D::Release };
    refuses(&world, || decide(&world, id, D::Release), error);
    decide(&world, id, D::Lift { reference: ONE }).unwrap();
    assert_eq!(record(&world, id).state, S::UnderControl, "the control goes on");
    decide(&world, id, D::Release).unwrap();
    decide(&world, id, D::Clear).unwrap();
    matching().unwrap();
}

#[test]
fn f24_a_hold_on_goods_that_are_invoiced_already_is_told_and_seen() {
    let world = World::new();
    let invoice = world.matched(1, cny(TOTAL));
    let Document::Invoice(invoice) = world.trade(world.core).document(invoice).unwrap() else { panic!() };
    // Cleared for export and invoiced, the goods are held on the other side of the sea.
    let mut terms = world.declaration_terms(60, invoice.order, invoice.bill.unwrap(), cny(TOTAL));
    terms.direction = Direction::Import;
    let id = world.trade(world.core).lodge_declaration(world.core.account, terms).unwrap();
    decide(&world, id, D::Accept).unwrap();
    decide(&world, id, D::Hold { reference: ONE }).unwrap();
    let told = world.chain.events::<TradeEvent>(api::CONTRACT);
    let held = TradeEvent::DeclarationDecided { declaration: id, declarant: world.core.account, state: S::Held };
    assert_eq!(told.last(), Some(&held));
    let open: Vec<_> = record(&world, id).holds.iter().map(|hold| (hold.reference, hold.lifted)).collect();
    assert_eq!(open, [(ONE, None)]);
}

#[test]
fn holds_have_references_and_end_one_by_one() {
    let (world, id) = brought_to(S::Accepted);
    let today = world.today();
    decide(&world, id, D::Hold { reference: ONE }).unwrap();
    refuses(&world, || decide(&world, id, D::Hold { reference: ONE }), TradeError::HoldOpen);
    decide(&world, id, D::Hold { reference: OTHER }).unwrap();
    let third = Hash([3; 32]);
    refuses(&world, || decide(&world, id, D::Lift { reference: third }), TradeError::NoHold);
    world.advance_to(world.in_days(2));
    decide(&world, id, D::Lift { reference: OTHER }).unwrap();
    assert_eq!(record(&world, id).state, S::Held, "the first one is open");
    refuses(&world, || decide(&world, id, D::Lift { reference: OTHER }), TradeError::NoHold);
    decide(&world, id, D::Lift { reference: ONE }).unwrap();
    let lifted = Some(world.today());
    let hold = |reference| CustomsHold { reference, placed: today, lifted };
    assert_eq!((record(&world, id).state, record(&world, id).holds), (S::Accepted, vec![hold(ONE), hold(OTHER)]));
    // The same matter may come up again.
    decide(&world, id, D::Hold { reference: ONE }).unwrap();
    assert_eq!(record(&world, id).holds.len(), 3);
}

#[test]
fn holds_are_limited() {
    let (world, id) = brought_to(S::Accepted);
    for number in 0..32 {
        decide(&world, id, D::Hold { reference: Hash([number; 32]) }).unwrap();
    }
    refuses(&world, || decide(&world, id, D::Hold { reference: Hash([99; 32]) }), TradeError::TooMany { limit: 32 });
}

#[test]
fn a_declaration_is_amended_before_release_and_accepted_again() {
    for (state, after) in
        [(S::Lodged, S::Lodged), (S::Accepted, S::Lodged), (S::UnderControl, S::UnderControl), (S::Held, S::Held)]
    {
        let (world, id) = brought_to(state);
        amend(&world, world.tier_1, id, amendment(5)).unwrap();
        let amended = record(&world, id);
        assert_eq!((amended.state, amended.amendments, amended.id), (after, 1, id), "{state:?}");
        assert_eq!((amended.terms.value, amended.terms.commitment), (cny(5), commitment(50)));
        assert_eq!(amended.terms.hs_codes, ["870899"]);
    }
    for state in [S::Rejected, S::Released, S::Cleared, S::Invalidated] {
        let (world, id) = brought_to(state);
        refuses(&world, || amend(&world, world.tier_1, id, amendment(5)), TradeError::NotAmendable { state });
    }
}

#[test]
fn an_amendment_is_the_declarants_and_checked() {
    let (world, id) = lodged();
    refuses(&world, || amend(&world, world.core, id, amendment(5)), TradeError::NotParty);
    refuses(&world, || amend(&world, world.tier_1, id, amendment(0)), TradeError::AmountNotPositive);
    let none = DeclarationAmendment { hs_codes: vec![], ..amendment(5) };
    refuses(&world, || amend(&world, world.tier_1, id, none), TradeError::HsCode);
    let forged = || world.trade(world.core).amend_declaration(world.tier_1.account, id, amendment(5));
    refuses(&world, forged, TradeError::Unauthorized(Unauthorized::TooFewPersons));
    world.chain.set_status(world.tier_1.member, MemberStatus::Restricted);
    let restricted = TradeError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || amend(&world, world.tier_1, id, amendment(5)), restricted);
}

#[test]
fn a_restricted_member_neither_lodges_nor_certifies() {
    let world = World::new();
    let order = world.order(1, cny(TOTAL));
    let bill = world.bill(1, order);
    let terms = world.declaration_terms(1, order, bill, cny(TOTAL));
    let restricted = TradeError::MemberNotActive { status: MemberStatus::Restricted };
    for firm in [world.tier_1, world.customs] {
        world.chain.set_status(firm.member, MemberStatus::Restricted);
    }
    let lodge = || world.trade(world.tier_1).lodge_declaration(world.tier_1.account, terms);
    refuses(&world, lodge, restricted.clone());
    let origin = origin_terms(&world, order);
    refuses(&world, || world.trade(world.customs).certify_origin(world.customs.account, origin.clone()), restricted);
    let forged = || world.trade(world.tier_2).certify_origin(world.customs.account, origin.clone());
    refuses(&world, forged, TradeError::Unauthorized(Unauthorized::TooFewPersons));
}

#[test]
fn f26_an_export_declared_after_the_shipment_is_flagged() {
    for (direction, days, flags) in [
        (Direction::Export, 0, vec![]),
        (Direction::Export, -1, vec![DateFlag::AfterShipment]),
        (Direction::Import, -1, vec![]),
    ] {
        let world = World::new();
        let order = world.order(1, cny(TOTAL));
        let mut terms = world.bill_terms(1, order);
        terms.on_board = world.in_days(days);
        let bill = world.trade(world.carrier).issue_bill(world.carrier.account, terms).unwrap();
        let mut terms = world.declaration_terms(1, order, bill, cny(TOTAL));
        terms.direction = direction;
        let id = world.trade(world.tier_1).lodge_declaration(world.tier_1.account, terms).unwrap();
        assert_eq!(record(&world, id).flags, flags);
    }
}

// Origin.

fn origin_terms(world: &World, order: DocumentId) -> OriginTerms {
    OriginTerms {
        order,
        bill: None,
        country: "CN".into(),
        hs_codes: vec!["870899".into()],
        issued: world.today(),
        commitment: commitment(51),
    }
}

fn origin(world: &World, id: DocumentId) -> Origin {
    match Trade::over(world.chain.as_operator()).document(id).unwrap() {
        Document::Origin(origin) => origin,
        other => panic!("{other:?}"),
    }
}

#[test]
fn customs_certify_an_origin_and_take_it_back_for_good() {
    let world = World::new();
    let order = world.order(1, cny(TOTAL));
    let customs = world.trade(world.customs);
    let (by, terms) = (world.customs.account, origin_terms(&world, order));
    let id = customs.certify_origin(by, terms.clone()).unwrap();
    assert_eq!(id, DocumentId::origin(by, commitment(51)));
    let certified = origin(&world, id);
    assert_eq!((certified.exporter, certified.importer), (world.tier_1.account, world.core.account));
    assert_eq!((certified.state, &certified.terms), (OriginState::Valid, &terms));
    refuses(&world, || customs.certify_origin(by, terms), TradeError::DuplicateDocument);
    refuses(&world, || world.trade(world.tier_1).revoke_origin(world.tier_1.account, id), TradeError::NotParty);
    let forged = || world.trade(world.tier_1).revoke_origin(by, id);
    refuses(&world, forged, TradeError::Unauthorized(Unauthorized::TooFewPersons));
    customs.revoke_origin(by, id).unwrap();
    assert_eq!(origin(&world, id).state, OriginState::Revoked);
    refuses(&world, || customs.revoke_origin(by, id), TradeError::OriginRevoked);
    for firm in [world.customs, world.tier_1, world.core] {
        assert!(world.trade(firm).document(id).is_ok());
        let listed = world.trade(firm).documents(firm.account, None).unwrap().documents;
        assert!(listed.contains(&(DocumentKind::Origin, id)));
    }
    assert_eq!(refusal(world.trade(world.bank).document(id)), TradeError::NotParty);
    let order_revoked = || customs.revoke_origin(by, order);
    let needed = DocumentKind::Origin;
    refuses(&world, order_revoked, TradeError::WrongKind { found: DocumentKind::Order, needed });
}

#[test]
fn a_certificate_of_origin_is_checked() {
    let world = World::new();
    let (order, other) = (world.order(1, cny(TOTAL)), world.order(2, cny(TOTAL)));
    let bill = world.bill(1, other);
    let with = |firm: Firm, change: &dyn Fn(&mut OriginTerms)| {
        let mut terms = origin_terms(&world, order);
        change(&mut terms);
        world.trade(firm).certify_origin(firm.account, terms)
    };
    refuses(&world, || with(world.tier_1, &|_| {}), TradeError::WrongRole);
    for country in ["C", "CHN", "cn", "C1", "中"] {
        refuses(&world, || with(world.customs, &|terms| terms.country = country.into()), TradeError::Country);
    }
    refuses(&world, || with(world.customs, &|terms| terms.hs_codes.clear()), TradeError::HsCode);
    refuses(&world, || with(world.customs, &|terms| terms.bill = Some(bill)), TradeError::OtherOrder);
    let issued = world.in_days(1);
    refuses(&world, || with(world.customs, &|terms| terms.issued = issued), TradeError::IssuedInFuture { issued });
    let offered = world.trade(world.core).offer_order(world.core.account, world.order_terms(3, cny(TOTAL))).unwrap();
    let state = portolan_interface::trade::OrderState::Offered;
    refuses(&world, || with(world.customs, &|terms| terms.order = offered), TradeError::OrderNotAccepted { state });
}

#[test]
fn f26_an_origin_certified_after_the_shipment_is_flagged_as_retrospective() {
    for (on_board, issued, flags) in [
        (0, 0, vec![]),
        (-3, -2, vec![DateFlag::BeforeOrder, DateFlag::AfterShipment]),
        (-3, 0, vec![DateFlag::AfterShipment]),
        (-3, -3, vec![DateFlag::BeforeOrder]),
    ] {
        let world = World::new();
        let order = world.order(1, cny(TOTAL));
        let mut terms = world.bill_terms(1, order);
        terms.on_board = world.in_days(on_board);
        let bill = world.trade(world.carrier).issue_bill(world.carrier.account, terms).unwrap();
        let terms = OriginTerms { bill: Some(bill), issued: world.in_days(issued), ..origin_terms(&world, order) };
        let id = world.trade(world.customs).certify_origin(world.customs.account, terms).unwrap();
        assert_eq!(origin(&world, id).flags, flags, "{on_board} {issued}");
    }
}
