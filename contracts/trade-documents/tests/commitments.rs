//! Salted roots of documents: recorded for whoever keeps the salts, followed through amendments, and the receipt that the salts are gone.

#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use codec::Encode;
use portolan_interface::{
    Currency, DocumentId, Hash, MemberStatus, Role, Unauthorized,
    trade::{
        Amendment, Commitment, Country, CreditReason, CreditTerms, DeclarationAmendment, DocumentKind, Erasure,
        InvoiceTerms, OrderChange, OrderProposal, OriginTerms, PolicyTerms, ReceiptTerms, TitleStep, TradeError,
        TradeEvent, api, commitment_key, registration_key,
    },
};
use world::{Firm, Trade, World, cny, commitment, refuses};

const TOTAL: i128 = 120_000_000;

fn of(world: &World, id: DocumentId) -> Commitment {
    Trade::over(world.chain.as_operator()).commitment(id).unwrap()
}

fn erase(world: &World, firm: Firm, id: DocumentId) -> Result<Erasure, portolan_sdk::CallError<TradeError>> {
    let commitment =
        Trade::over(world.chain.as_operator()).commitment(id).map_or(Hash([0; 32]), |record| record.commitment);
    world.trade(firm).erase_salts(firm.account, id, commitment)
}

fn invoice(world: &World) -> DocumentId {
    let terms = world.invoice_terms(1, cny(TOTAL));
    world.trade(world.tier_1).register_invoice(world.tier_1.account, terms).unwrap()
}

fn erasures(world: &World) -> usize {
    let told = world.chain.events::<TradeEvent>(api::CONTRACT);
    told.iter().filter(|event| matches!(event, TradeEvent::SaltsErased { .. })).count()
}

/// One document of each kind, with its owner and root.
fn one_of_each(world: &World) -> Vec<(DocumentId, DocumentKind, Firm, Hash)> {
    let (core, seller, carrier, customs) = (world.core, world.tier_1, world.carrier, world.customs);
    let insurer = insurer(world);
    let order = world.order(1, cny(TOTAL));
    let bill = world.bill(2, order);
    let declaration = world.cleared(3, order, bill, cny(TOTAL));
    let terms =
        InvoiceTerms { order, bill: Some(bill), declaration: Some(declaration), ..world.invoice_terms(4, cny(TOTAL)) };
    // The buyer brings it, so the buyer has the salts.
    let invoice = world.trade(core).register_invoice(core.account, terms).unwrap();
    world.trade(core).match_invoice(core.account, invoice).unwrap();
    let credit = CreditTerms {
        invoice,
        amount: cny(100),
        tax_minor: 0,
        reason: CreditReason::Quality,
        issued: world.today(),
        fingerprint: commitment(900),
        commitment: commitment(5),
    };
    let credit = world.trade(seller).propose_credit(seller.account, credit).unwrap();
    let origin = OriginTerms {
        order,
        bill: None,
        country: Country::from("CN"),
        hs_codes: vec!["870899".into()],
        issued: world.today(),
        commitment: commitment(6),
    };
    let origin = world.trade(customs).certify_origin(customs.account, origin).unwrap();
    let receipt = ReceiptTerms {
        owner: seller.account,
        goods: commitment(901),
        quantity: 10,
        unit: "TNE".into(),
        price_source: world.bank.account,
        currency: Currency::CNY,
        stored: world.today(),
        commitment: commitment(7),
    };
    let receipt = world.trade(carrier).issue_receipt(carrier.account, receipt).unwrap();
    let policy = PolicyTerms {
        insured: seller.account,
        bill,
        sum: cny(100),
        from: world.today(),
        until: world.in_days(30),
        commitment: commitment(8),
    };
    let policy = world.trade(insurer).insure_cargo(insurer.account, policy).unwrap();
    vec![
        (order, DocumentKind::Order, core, commitment(1)),
        (bill, DocumentKind::BillOfLading, carrier, commitment(2)),
        (declaration, DocumentKind::Declaration, seller, commitment(3)),
        (invoice, DocumentKind::Invoice, core, commitment(4)),
        (credit, DocumentKind::CreditNote, seller, commitment(5)),
        (origin, DocumentKind::Origin, customs, commitment(6)),
        (receipt, DocumentKind::WarehouseReceipt, carrier, commitment(7)),
        (policy, DocumentKind::Policy, insurer, commitment(8)),
    ]
}

fn insurer(world: &World) -> Firm {
    let member = world.chain.member("lantern-insurance", &[Role::Insurer]);
    Firm { member, account: world.chain.account(member, "main") }
}

#[test]
fn every_document_has_a_root_that_names_who_keeps_its_salts() {
    let world = World::new();
    for (id, kind, owner, root) in one_of_each(&world) {
        let record = of(&world, id);
        let expected = Commitment {
            document: id,
            kind,
            owner: owner.account,
            member: owner.member,
            commitment: root,
            date: world.today(),
            height: record.height,
            erased: None,
        };
        assert_eq!(record, expected);
        assert!(record.height > 0 && erase(&world, owner, id).is_ok(), "{kind:?}");
    }
}

#[test]
fn the_root_is_shown_to_its_owner_and_to_no_other_party() {
    let world = World::new();
    let invoice = invoice(&world);
    assert_eq!(world.trade(world.tier_1).commitment(invoice), Ok(of(&world, invoice)));
    refuses(&world, || world.trade(world.core).commitment(invoice), TradeError::NotParty);
    let unknown = DocumentId([9; 32]);
    refuses(&world, || world.trade(world.tier_1).commitment(unknown), TradeError::UnknownCommitment);
}

#[test]
fn the_owner_leaves_one_receipt_that_the_salts_are_destroyed() {
    let world = World::new();
    let invoice = invoice(&world);
    let receipt = erase(&world, world.tier_1, invoice).unwrap();
    assert_eq!((receipt.commitment, receipt.date), (commitment(1), world.today()));
    assert_eq!(of(&world, invoice).erasure(), Some(&receipt));
    let told = world.chain.events::<TradeEvent>(api::CONTRACT);
    let owner = world.tier_1.account;
    let event = TradeEvent::SaltsErased { document: invoice, owner, commitment: commitment(1) };
    assert_eq!(told.last(), Some(&event));
    // Said again, on another day, it answers the same receipt and tells nothing.
    world.advance_to(world.in_days(2));
    let before = world.chain.snapshot();
    assert_eq!(erase(&world, world.tier_1, invoice), Ok(receipt));
    assert_eq!(world.chain.snapshot(), before);
    assert_eq!(erasures(&world), 1);
}

#[test]
fn nobody_but_the_owner_says_that_salts_are_destroyed() {
    let world = World::new();
    let invoice = invoice(&world);
    // The buyer is a party, and keeps no salts.
    refuses(&world, || erase(&world, world.core, invoice), TradeError::NotSaltOwner);
    refuses(&world, || erase(&world, world.bank, invoice), TradeError::NotSaltOwner);
    let foreign = || world.trade(world.core).erase_salts(world.tier_1.account, invoice, commitment(1));
    refuses(&world, foreign, TradeError::Unauthorized(Unauthorized::TooFewPersons));
    refuses(&world, || erase(&world, world.tier_1, DocumentId([9; 32])), TradeError::UnknownCommitment);
    assert_eq!(erasures(&world), 0);
}

#[test]
fn a_restricted_owner_still_erases() {
    let world = World::new();
    let invoice = invoice(&world);
    world.chain.set_status(world.tier_1.member, MemberStatus::Restricted);
    let receipt = erase(&world, world.tier_1, invoice).unwrap();
    assert_eq!(of(&world, invoice).erased, Some(receipt));
}

#[test]
fn erased_salts_leave_the_invoice_as_it_was() {
    let world = World::new();
    let invoice = invoice(&world);
    let document = || Trade::over(world.chain.as_operator()).document(invoice).unwrap();
    let before = document();
    erase(&world, world.tier_1, invoice).unwrap();
    assert_eq!(document(), before);
    world.trade(world.tier_1).match_invoice(world.tier_1.account, invoice).unwrap();
}

#[test]
fn an_amended_declaration_has_another_root_and_the_old_receipt_is_not_its_own() {
    let world = World::new();
    let order = world.order(1, cny(TOTAL));
    let id = world.lodged(3, order, world.bill(2, order), cny(TOTAL));
    let receipt = erase(&world, world.tier_1, id).unwrap();
    let amend = |root| {
        let amendment = DeclarationAmendment { hs_codes: vec!["870899".into()], value: cny(5), commitment: root };
        world.trade(world.tier_1).amend_declaration(world.tier_1.account, id, amendment).unwrap();
    };
    amend(commitment(3));
    assert_eq!(of(&world, id).erasure(), Some(&receipt), "the same fields with the same salts");
    amend(commitment(50));
    let record = of(&world, id);
    assert_eq!(
        (record.commitment, record.erasure(), record.erased.clone()),
        (commitment(50), None, Some(receipt)),
        "{record:?}"
    );
    // What was erased before is answered with its own receipt; of a root that neither is nor was erased nothing is said.
    let said = |root| world.trade(world.tier_1).erase_salts(world.tier_1.account, id, root);
    assert_eq!(said(commitment(3)), Ok(record.erased.unwrap()));
    refuses(&world, || said(commitment(51)), TradeError::StaleCommitment);
    let second = erase(&world, world.tier_1, id).unwrap();
    assert_eq!(second.commitment, commitment(50));
    assert_eq!(of(&world, id).erasure(), Some(&second));
    assert_eq!(erasures(&world), 2);
}

#[test]
fn who_wrote_the_changed_lines_of_an_order_keeps_their_salts() {
    let world = World::new();
    let order = world.order(1, cny(TOTAL));
    let (buyer, seller) = (world.core, world.tier_1);
    let change = OrderChange {
        lines: commitment(60),
        total: cny(TOTAL),
        quantity: None,
        deliver_from: world.today(),
        deliver_until: world.in_days(30),
    };
    world.trade(seller).propose_order(seller.account, order, OrderProposal::Change(change)).unwrap();
    assert_eq!(of(&world, order).owner, buyer.account, "nothing is changed before the other side consents");
    world.trade(buyer).answer_proposal(buyer.account, order, true).unwrap();
    let record = of(&world, order);
    assert_eq!((record.owner, record.member, record.commitment), (seller.account, seller.member, commitment(60)));
    refuses(&world, || erase(&world, buyer, order), TradeError::NotSaltOwner);
}

#[test]
fn a_change_that_keeps_the_lines_leaves_them_to_who_wrote_them() {
    let world = World::new();
    let order = world.order(1, cny(TOTAL));
    let (buyer, seller) = (world.core, world.tier_1);
    let before = of(&world, order);
    world.advance_to(world.in_days(1));
    let change = OrderChange {
        lines: commitment(1),
        total: cny(TOTAL + 1),
        quantity: None,
        deliver_from: world.today(),
        deliver_until: world.in_days(30),
    };
    world.trade(seller).propose_order(seller.account, order, OrderProposal::Change(change)).unwrap();
    world.trade(buyer).answer_proposal(buyer.account, order, true).unwrap();
    assert_eq!(of(&world, order), before);
}

#[test]
fn an_amended_bill_has_the_root_of_the_amendment() {
    let world = World::new();
    let order = world.order(1, cny(TOTAL));
    let bill = world.bill(2, order);
    let amendment = Amendment {
        containers: vec!["CSQU3054383".into()],
        loading: "CNSHA".into(),
        discharge: "DEHAM".into(),
        on_board: world.today(),
        commitment: commitment(61),
    };
    let carrier = world.carrier;
    let step = |seen| TitleStep { seen, remark: None };
    world.trade(carrier).propose_amendment(carrier.account, bill, amendment, step(1)).unwrap();
    assert_eq!(of(&world, bill).commitment, commitment(2));
    let owner = world.tier_1;
    let seen = world.trade(owner).title(bill, None).unwrap().bill.endorsements;
    world.trade(owner).answer_amendment(owner.account, bill, true, step(seen)).unwrap();
    let record = of(&world, bill);
    assert_eq!((record.owner, record.commitment), (carrier.account, commitment(61)));
}

#[test]
fn a_part_of_a_warehouse_receipt_rests_on_the_root_of_the_whole() {
    let world = World::new();
    let (id, ..) = one_of_each(&world)[6];
    let owner = world.tier_1;
    let parts = world.trade(owner).split_receipt(owner.account, id, vec![4, 6]).unwrap();
    let operator = Trade::over(world.chain.as_operator());
    refuses(&world, || operator.commitment(parts[0]), TradeError::UnknownCommitment);
    assert_eq!(of(&world, id).commitment, commitment(7));
}

#[test]
fn records_lie_where_whoever_checks_a_proof_looks_for_them() {
    let world = World::new();
    let terms = world.invoice_terms(1, cny(TOTAL));
    let plain = terms.fingerprint;
    let id = world.trade(world.tier_1).register_invoice(world.tier_1.account, terms).unwrap();
    let storage = world.chain.snapshot().storage;
    let kept = |key: Vec<u8>| storage.get(&(api::CONTRACT, key)).cloned();
    assert_eq!(kept(commitment_key(id)), Some(of(&world, id).encode()));
    let keyed = world.chain.inside(api::CONTRACT, || portolan_sdk::env::consortium_hash(&plain.0));
    let registration = Trade::over(world.chain.as_operator()).registered(plain).unwrap().unwrap();
    assert_eq!(kept(registration_key(keyed)), Some(registration.encode()));
}
