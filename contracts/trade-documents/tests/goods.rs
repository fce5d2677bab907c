//! Stored and insured goods: warehouse receipts are split, pledged, valued and given back; cargo policies are claimed on.

mod titles;
#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use portolan_interface::{
    AccountId, Currency, DocumentId, MemberStatus, Money, Role, TermsError, Unauthorized,
    trade::{
        ClaimState, Document, DocumentKind, Policy, PolicyTerms, ReceiptState, ReceiptTerms, TradeError, UnitPrice,
        WarehouseReceipt,
    },
};
use portolan_sdk::CallError;
use titles::{Outcome, endorse, refuses};
use world::{Firm, Trade, World, cny, commitment, refusal};

/// A world with a price source and an insurer.
struct Goods {
    world: World,
    source: Firm,
    insurer: Firm,
}

fn goods() -> Goods {
    let world = World::new();
    let firm = |name, role| {
        let member = world.chain.member(name, &[role]);
        Firm { member, account: world.chain.account(member, "main") }
    };
    let (source, insurer) = (firm("metal-prices", Role::RiskProvider), firm("sea-insurance", Role::Insurer));
    Goods { source, insurer, world }
}

impl Goods {
    fn terms(&self, seed: u64) -> ReceiptTerms {
        ReceiptTerms {
            owner: self.world.tier_1.account,
            goods: commitment(70),
            quantity: 10_000,
            unit: "TNE".into(),
            price_source: self.source.account,
            currency: Currency::CNY,
            stored: self.world.today(),
            commitment: commitment(seed),
        }
    }

    /// The carrier stores too.
    fn issue(&self, terms: ReceiptTerms) -> Result<DocumentId, CallError<TradeError>> {
        let warehouse = self.world.carrier;
        self.world.trade(warehouse).issue_receipt(warehouse.account, terms)
    }

    fn stored(&self) -> DocumentId {
        self.issue(self.terms(71)).unwrap()
    }

    fn receipt(&self, id: DocumentId) -> WarehouseReceipt {
        Trade::over(self.world.chain.as_operator()).receipt(id).unwrap().receipt
    }

    fn worth(&self, id: DocumentId) -> Option<Money> {
        Trade::over(self.world.chain.as_operator()).receipt(id).unwrap().value
    }

    fn split(&self, by: Firm, id: DocumentId, units: &[u64]) -> Result<Vec<DocumentId>, CallError<TradeError>> {
        self.world.trade(by).split_receipt(by.account, id, units.to_vec())
    }

    fn pledge(&self, by: Firm, id: DocumentId, bank: Firm) -> Outcome {
        self.world.trade(by).pledge_receipt(by.account, id, bank.account)
    }

    fn price(&self, minor: i128) -> UnitPrice {
        UnitPrice {
            price: cny(minor),
            of: self.world.today(),
            valid_until: self.world.in_days(5),
            attestation: commitment(72),
        }
    }

    fn value(&self, by: Firm, id: DocumentId, price: UnitPrice) -> Outcome {
        self.world.trade(by).value_receipt(by.account, id, price)
    }

    fn surrender(&self, by: Firm, id: DocumentId) -> Outcome {
        self.world.trade(by).surrender_receipt(by.account, id)
    }

    fn answer(&self, by: Firm, id: DocumentId, deliver: bool) -> Outcome {
        self.world.trade(by).answer_receipt(by.account, id, deliver)
    }
}

#[test]
fn a_warehouse_receipt_is_checked() {
    let goods = goods();
    let world = &goods.world;
    let with = |change: &dyn Fn(&mut ReceiptTerms)| {
        let mut terms = goods.terms(71);
        change(&mut terms);
        goods.issue(terms)
    };
    refuses(world, || with(&|terms| terms.quantity = 0), TradeError::NoUnits);
    let gold = Currency(*b"XAU");
    refuses(world, || with(&|terms| terms.currency = gold), TradeError::Terms(TermsError::UnknownCurrency(gold)));
    for unit in ["", "T", "tne", "TNEX", "T-"] {
        refuses(world, || with(&|terms| terms.unit = unit.into()), TradeError::Unit);
    }
    refuses(world, || with(&|terms| terms.price_source = terms.owner), TradeError::SameParty);
    refuses(world, || with(&|terms| terms.owner = AccountId([0xEE; 16])), TradeError::UnknownAccount);
    let date = world.in_days(1);
    refuses(world, || with(&|terms| terms.stored = date), TradeError::DateInFuture { date });
    let supplier = || world.trade(world.tier_1).issue_receipt(world.tier_1.account, goods.terms(71));
    refuses(world, supplier, TradeError::WrongRole);
    let id = with(&|_| {}).unwrap();
    assert_eq!(id, DocumentId::warehouse_receipt(world.carrier.account, commitment(71)));
    refuses(world, || with(&|_| {}), TradeError::DuplicateDocument);
}

#[test]
fn a_receipt_splits_into_parts_that_are_the_whole() {
    let goods = goods();
    let world = &goods.world;
    let id = goods.stored();
    goods.value(goods.source, id, goods.price(3_650)).unwrap();
    let by = world.tier_1;
    for units in [&[10_000][..], &[], &[1; 65]] {
        refuses(world, || goods.split(by, id, units), TradeError::PartCount);
    }
    refuses(world, || goods.split(by, id, &[10_000, 0]), TradeError::NoUnits);
    for (units, parts) in [([9_999, 2], 10_001), ([1, 9_998], 9_999), ([u64::MAX, 10_001], u64::MAX)] {
        refuses(world, || goods.split(by, id, &units), TradeError::PartsDiffer { parts, whole: 10_000 });
    }
    refuses(world, || goods.split(world.tier_2, id, &[5_000, 5_000]), TradeError::NotGoodsOwner);
    let parts = goods.split(by, id, &[6_000, 3_999, 1]).unwrap();
    assert_eq!(parts, [0, 1, 2].map(|index| id.receipt_part(index)));
    let whole = goods.receipt(id);
    assert_eq!((whole.state, whole.parts, whole.quantity), (ReceiptState::Split, 3, 10_000));
    let of_parts: Vec<_> = parts.iter().map(|part| goods.receipt(*part)).collect();
    assert_eq!(of_parts.iter().map(|part| part.quantity).collect::<Vec<_>>(), [6_000, 3_999, 1]);
    for part in &of_parts {
        assert_eq!((part.parent, part.owner, part.state), (Some(id), by.account, ReceiptState::Live));
        assert_eq!((part.price.clone(), part.goods, part.stored), (whole.price.clone(), whole.goods, whole.stored));
    }
    let split = TradeError::ReceiptState { state: ReceiptState::Split, needed: ReceiptState::Live };
    refuses(world, || goods.split(by, id, &[5_000, 5_000]), split.clone());
    refuses(world, || goods.pledge(by, id, world.bank), split.clone());
    refuses(world, || goods.surrender(by, id), split.clone());
    refuses(world, || goods.value(goods.source, id, goods.price(1)), split);
    // A part is a receipt of its own.
    goods.split(by, parts[0], &[1_000, 5_000]).unwrap();
}

#[test]
fn a_pledged_receipt_neither_splits_nor_leaves_without_the_bank() {
    let goods = goods();
    let world = &goods.world;
    let (id, by) = (goods.stored(), world.tier_1);
    refuses(world, || goods.pledge(world.tier_2, id, world.bank), TradeError::NotGoodsOwner);
    refuses(world, || goods.pledge(by, id, world.tier_2), TradeError::WrongRole);
    goods.pledge(by, id, world.bank).unwrap();
    let pledged = TradeError::Pledged { to: world.bank.account };
    refuses(world, || goods.pledge(by, id, world.other_bank), pledged.clone());
    refuses(world, || goods.split(by, id, &[5_000, 5_000]), pledged.clone());
    refuses(world, || goods.surrender(by, id), pledged.clone());
    // With the bank's approval it splits, and every part stays pledged; but no other bank has it in pledge too.
    let both = || Trade::over(world.chain.as_account(by.account).approved_by(world.bank.account, 1));
    let second = || both().pledge_receipt(by.account, id, world.other_bank.account);
    refuses(world, second, pledged.clone());
    let parts = both().split_receipt(by.account, id, vec![4_000, 6_000]).unwrap();
    for part in &parts {
        assert_eq!(goods.receipt(*part).pledgee, Some(world.bank.account));
        refuses(world, || goods.surrender(by, *part), pledged.clone());
    }
    assert_eq!(goods.receipt(id).pledgee, None, "the parts stand for the goods");
    let listed = world.trade(world.bank).documents(world.bank.account, None).unwrap().documents;
    let expected = [id, parts[0], parts[1]].map(|id| (DocumentKind::WarehouseReceipt, id));
    assert_eq!(listed, expected);
    // One part comes back, the other stays.
    let release = |bank: Firm, id| world.trade(bank).release_receipt(bank.account, id);
    refuses(world, || release(world.other_bank, parts[0]), TradeError::NotPledgee);
    let forged = || world.trade(by).release_receipt(world.bank.account, parts[0]);
    refuses(world, forged, TradeError::Unauthorized(Unauthorized::TooFewPersons));
    release(world.bank, parts[0]).unwrap();
    goods.surrender(by, parts[0]).unwrap();
    refuses(world, || goods.surrender(by, parts[1]), pledged);
    both().surrender_receipt(by.account, parts[1]).unwrap();
    goods.answer(world.carrier, parts[1], false).unwrap();
    assert_eq!(goods.receipt(parts[1]).pledgee, Some(world.bank.account));
}

#[test]
fn goods_leave_against_the_receipt() {
    let goods = goods();
    let world = &goods.world;
    let (id, by) = (goods.stored(), world.tier_1);
    let not_given = TradeError::ReceiptState { state: ReceiptState::Live, needed: ReceiptState::Surrendered };
    refuses(world, || goods.answer(world.carrier, id, true), not_given);
    refuses(world, || goods.surrender(world.tier_2, id), TradeError::NotGoodsOwner);
    goods.surrender(by, id).unwrap();
    let given = TradeError::ReceiptState { state: ReceiptState::Surrendered, needed: ReceiptState::Live };
    refuses(world, || goods.pledge(by, id, world.bank), given);
    refuses(world, || goods.answer(by, id, true), TradeError::NotParty);
    goods.answer(world.carrier, id, false).unwrap();
    assert_eq!(goods.receipt(id).state, ReceiptState::Live);
    goods.surrender(by, id).unwrap();
    goods.answer(world.carrier, id, true).unwrap();
    assert_eq!(goods.receipt(id).state, ReceiptState::Delivered);
    let gone = TradeError::ReceiptState { state: ReceiptState::Delivered, needed: ReceiptState::Live };
    refuses(world, || goods.surrender(by, id), gone);
}

#[test]
fn the_named_source_values_the_goods() {
    let goods = goods();
    let world = &goods.world;
    let id = goods.stored();
    assert_eq!(goods.worth(id), None, "nothing is known without a price");
    for firm in [world.tier_1, world.carrier, world.bank] {
        refuses(world, || goods.value(firm, id, goods.price(3_650)), TradeError::NotPriceSource);
    }
    let source = goods.source;
    let with = |change: &dyn Fn(&mut UnitPrice)| {
        let mut price = goods.price(3_650);
        change(&mut price);
        goods.value(source, id, price)
    };
    refuses(world, || with(&|price| price.price = cny(0)), TradeError::AmountNotPositive);
    let dollars = TradeError::WrongCurrency { expected: Currency::CNY, found: Currency::USD };
    refuses(world, || with(&|price| price.price.currency = Currency::USD), dollars);
    let date = world.in_days(1);
    refuses(world, || with(&|price| price.of = date), TradeError::DateInFuture { date });
    let (date, earliest) = (world.in_days(-1), world.today());
    refuses(world, || with(&|price| price.valid_until = date), TradeError::DateTooEarly { date, earliest });
    let overflow = TradeError::Terms(TermsError::Overflow);
    refuses(world, || with(&|price| price.price = cny(i128::MAX / 9_999)), overflow);
    with(&|_| {}).unwrap();
    // W18: 10,000 units at 36.50.
    assert_eq!(goods.worth(id), Some(cny(36_500_000)));
    refuses(world, || with(&|price| price.of = date), TradeError::DateTooEarly { date, earliest });
    with(&|price| price.price = cny(3_120)).unwrap();
    assert_eq!(goods.worth(id), Some(cny(31_200_000)));
    world.advance_to(world.in_days(5));
    assert_eq!(goods.worth(id), Some(cny(31_200_000)), "the last day of the price");
    world.advance_to(world.in_days(1));
    assert_eq!(goods.worth(id), None, "a stale price values nothing");
}

#[test]
fn a_receipt_is_for_its_parties() {
    let goods = goods();
    let world = &goods.world;
    let id = goods.stored();
    for firm in [world.carrier, world.tier_1, goods.source] {
        assert!(world.trade(firm).receipt(id).is_ok() && world.trade(firm).document(id).is_ok());
        let listed = world.trade(firm).documents(firm.account, None).unwrap().documents;
        assert_eq!(listed, [(DocumentKind::WarehouseReceipt, id)]);
    }
    assert_eq!(refusal(world.trade(world.bank).receipt(id)), TradeError::NotParty);
    assert_eq!(refusal(world.trade(world.bank).document(id)), TradeError::NotParty);
    goods.pledge(world.tier_1, id, world.bank).unwrap();
    assert!(world.trade(world.bank).receipt(id).is_ok());
}

#[test]
fn nobody_acts_on_stored_goods_in_anothers_name_and_a_restricted_owner_only_takes_them_out() {
    let goods = goods();
    let world = &goods.world;
    let id = goods.stored();
    let stranger = world.trade(world.tier_3);
    let forged = TradeError::Unauthorized(Unauthorized::TooFewPersons);
    let (owner, bank) = (world.tier_1.account, world.bank.account);
    refuses(world, || stranger.issue_receipt(world.carrier.account, goods.terms(73)), forged.clone());
    refuses(world, || stranger.split_receipt(owner, id, vec![1, 9_999]), forged.clone());
    refuses(world, || stranger.pledge_receipt(owner, id, bank), forged.clone());
    refuses(world, || stranger.value_receipt(goods.source.account, id, goods.price(1)), forged.clone());
    refuses(world, || stranger.surrender_receipt(owner, id), forged.clone());
    world.chain.set_status(world.tier_1.member, MemberStatus::Restricted);
    let restricted = TradeError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(world, || goods.pledge(world.tier_1, id, world.bank), restricted.clone());
    refuses(world, || goods.split(world.tier_1, id, &[1, 9_999]), restricted);
    goods.surrender(world.tier_1, id).unwrap();
    refuses(world, || stranger.answer_receipt(world.carrier.account, id, true), forged);
}

// Policies.

impl Goods {
    fn shipped(&self) -> DocumentId {
        let order = self.world.order(1, cny(1_000));
        self.world.bill(1, order)
    }

    fn policy_terms(&self, bill: DocumentId) -> PolicyTerms {
        PolicyTerms {
            insured: self.world.tier_1.account,
            bill,
            sum: cny(110_000),
            from: self.world.today(),
            until: self.world.in_days(40),
            commitment: commitment(80),
        }
    }

    fn insure(&self, by: Firm, terms: PolicyTerms) -> Result<DocumentId, CallError<TradeError>> {
        self.world.trade(by).insure_cargo(by.account, terms)
    }

    fn insured(&self) -> (DocumentId, DocumentId) {
        let bill = self.shipped();
        (self.insure(self.insurer, self.policy_terms(bill)).unwrap(), bill)
    }

    fn claim(&self, by: Firm, policy: DocumentId, minor: i128, days: i32) -> Result<u32, CallError<TradeError>> {
        self.world.trade(by).claim_loss(by.account, policy, cny(minor), self.world.in_days(days), commitment(81))
    }

    fn settle(&self, by: Firm, policy: DocumentId, number: u32, accepted: Option<i128>) -> Outcome {
        self.world.trade(by).answer_claim(by.account, policy, number, accepted.map(cny))
    }

    fn policy(&self, id: DocumentId) -> Policy {
        match Trade::over(self.world.chain.as_operator()).document(id).unwrap() {
            Document::Policy(policy) => policy,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_policy_is_checked() {
    let goods = goods();
    let world = &goods.world;
    let bill = goods.shipped();
    let with = |change: &dyn Fn(&mut PolicyTerms)| {
        let mut terms = goods.policy_terms(bill);
        change(&mut terms);
        goods.insure(goods.insurer, terms)
    };
    refuses(world, || goods.insure(world.bank, goods.policy_terms(bill)), TradeError::WrongRole);
    refuses(world, || with(&|terms| terms.insured = world.tier_2.account), TradeError::NotParty);
    refuses(world, || with(&|terms| terms.insured = goods.insurer.account), TradeError::SameParty);
    refuses(world, || with(&|terms| terms.sum = cny(0)), TradeError::AmountNotPositive);
    refuses(world, || with(&|terms| terms.until = world.in_days(-1)), TradeError::CoverWindow);
    with(&|_| {}).unwrap();
}

#[test]
fn f26_cover_starts_no_later_than_the_shipment() {
    let goods = goods();
    let world = &goods.world;
    let bill = goods.shipped();
    let on_board = world.today();
    let late = PolicyTerms { from: world.in_days(1), ..goods.policy_terms(bill) };
    refuses(world, || goods.insure(goods.insurer, late), TradeError::CoverTooLate { on_board });
    let early = PolicyTerms { from: world.in_days(-9), ..goods.policy_terms(bill) };
    goods.insure(goods.insurer, early).unwrap();
}

#[test]
fn a_loss_is_claimed_and_answered_once_and_never_beyond_the_sum() {
    let goods = goods();
    let world = &goods.world;
    let (policy, _) = goods.insured();
    let (by, insurer) = (world.tier_1, goods.insurer);
    refuses(world, || goods.claim(world.core, policy, 1, 0), TradeError::NotParty);
    refuses(world, || goods.claim(by, policy, 0, 0), TradeError::AmountNotPositive);
    refuses(world, || goods.claim(by, policy, 110_001, 0), TradeError::CoverExceeded { excess: cny(1) });
    let date = world.in_days(1);
    refuses(world, || goods.claim(by, policy, 1, 1), TradeError::DateInFuture { date });
    let occurred = world.in_days(-1);
    refuses(world, || goods.claim(by, policy, 1, -1), TradeError::OutsideCover { occurred });
    assert_eq!(goods.claim(by, policy, 100_000, 0).unwrap(), 0);
    assert_eq!(goods.claim(by, policy, 50_000, 0).unwrap(), 1);
    assert_eq!(goods.claim(by, policy, 10_000, 0).unwrap(), 2);
    refuses(world, || goods.settle(by, policy, 0, Some(1)), TradeError::NotParty);
    refuses(world, || goods.settle(insurer, policy, 3, None), TradeError::UnknownClaim);
    refuses(world, || goods.settle(insurer, policy, 0, Some(0)), TradeError::AmountNotPositive);
    refuses(world, || goods.settle(insurer, policy, 0, Some(100_001)), TradeError::CoverExceeded { excess: cny(1) });
    goods.settle(insurer, policy, 0, Some(90_000)).unwrap();
    refuses(world, || goods.settle(insurer, policy, 1, Some(20_001)), TradeError::CoverExceeded { excess: cny(1) });
    goods.settle(insurer, policy, 1, Some(20_000)).unwrap();
    goods.settle(insurer, policy, 2, None).unwrap();
    let answered = |state| TradeError::ClaimState { state };
    refuses(world, || goods.settle(insurer, policy, 0, None), answered(ClaimState::Accepted));
    refuses(world, || goods.settle(insurer, policy, 2, Some(1)), answered(ClaimState::Refused));
    let record = goods.policy(policy);
    assert_eq!(record.accepted, cny(110_000));
    let claims: Vec<_> = record.claims.iter().map(|claim| (claim.accepted.minor, claim.state)).collect();
    assert_eq!(claims, [(90_000, ClaimState::Accepted), (20_000, ClaimState::Accepted), (0, ClaimState::Refused)]);
}

#[test]
fn the_policy_goes_with_the_title() {
    let goods = goods();
    let world = &goods.world;
    let (policy, bill) = goods.insured();
    refuses(world, || goods.claim(world.tier_2, policy, 1, 0), TradeError::NotParty);
    endorse(world, world.tier_1, bill, world.tier_2).unwrap();
    goods.claim(world.tier_2, policy, 1, 0).unwrap();
    assert_eq!(goods.policy(policy).claims[0].claimant, world.tier_2.account);
    let listed = world.trade(world.tier_2).documents(world.tier_2.account, None).unwrap().documents;
    assert_eq!(listed.iter().filter(|entry| **entry == (DocumentKind::Policy, policy)).count(), 1);
    goods.claim(world.tier_2, policy, 2, 0).unwrap();
    let again = world.trade(world.tier_2).documents(world.tier_2.account, None).unwrap().documents;
    assert_eq!(again, listed, "once");
}

#[test]
fn claims_are_limited_and_a_policy_is_for_its_parties() {
    let goods = goods();
    let world = &goods.world;
    let (policy, _) = goods.insured();
    for _ in 0..32 {
        goods.claim(world.tier_1, policy, 1, 0).unwrap();
    }
    refuses(world, || goods.claim(world.tier_1, policy, 1, 0), TradeError::TooMany { limit: 32 });
    for firm in [goods.insurer, world.tier_1] {
        assert!(world.trade(firm).document(policy).is_ok());
        let listed = world.trade(firm).documents(firm.account, None).unwrap().documents;
        assert!(listed.contains(&(DocumentKind::Policy, policy)));
    }
    assert_eq!(refusal(world.trade(world.bank).document(policy)), TradeError::NotParty);
}

#[test]
fn nobody_insures_claims_or_answers_in_anothers_name() {
    let goods = goods();
    let world = &goods.world;
    let (policy, bill) = goods.insured();
    let stranger = world.trade(world.tier_3);
    let forged = TradeError::Unauthorized(Unauthorized::TooFewPersons);
    let insurer = goods.insurer.account;
    let other = PolicyTerms { commitment: commitment(82), ..goods.policy_terms(bill) };
    refuses(world, || stranger.insure_cargo(insurer, other), forged.clone());
    let (by, day) = (world.tier_1.account, world.today());
    refuses(world, || stranger.claim_loss(by, policy, cny(1), day, commitment(1)), forged.clone());
    goods.claim(world.tier_1, policy, 1, 0).unwrap();
    refuses(world, || stranger.answer_claim(insurer, policy, 0, None), forged);
}

#[test]
fn who_is_restricted_stores_values_and_insures_nothing_new_and_nothing_comes_to_the_frozen() {
    let goods = goods();
    let world = &goods.world;
    let (id, bill) = (goods.stored(), goods.shipped());
    world.chain.set_status(world.tier_1.member, MemberStatus::Frozen);
    world.chain.set_status(world.bank.member, MemberStatus::Frozen);
    let frozen = TradeError::MemberNotActive { status: MemberStatus::Frozen };
    refuses(world, || goods.issue(goods.terms(73)), frozen.clone());
    refuses(world, || goods.insure(goods.insurer, goods.policy_terms(bill)), frozen.clone());
    world.chain.set_status(world.tier_1.member, MemberStatus::Active);
    refuses(world, || goods.pledge(world.tier_1, id, world.bank), frozen.clone());
    world.chain.set_status(goods.source.member, MemberStatus::Frozen);
    refuses(world, || goods.issue(goods.terms(73)), frozen);
    for firm in [world.carrier, goods.source, goods.insurer] {
        world.chain.set_status(firm.member, MemberStatus::Restricted);
    }
    let restricted = TradeError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(world, || goods.issue(goods.terms(73)), restricted.clone());
    refuses(world, || goods.value(goods.source, id, goods.price(1)), restricted.clone());
    refuses(world, || goods.insure(goods.insurer, goods.policy_terms(bill)), restricted);
}

#[test]
fn a_bank_takes_no_goods_of_its_own_in_pledge() {
    let goods = goods();
    let world = &goods.world;
    let id = goods.issue(ReceiptTerms { owner: world.bank.account, ..goods.terms(71) }).unwrap();
    refuses(world, || goods.pledge(world.bank, id, world.bank), TradeError::SameParty);
    goods.pledge(world.bank, id, world.other_bank).unwrap();
}

#[test]
fn a_claim_is_made_and_accepted_in_the_currency_of_the_cover() {
    let goods = goods();
    let world = &goods.world;
    let (policy, _) = goods.insured();
    let (by, insurer, usd) = (world.tier_1, goods.insurer, Money::new(1, Currency::USD));
    let dollars = TradeError::WrongCurrency { expected: Currency::CNY, found: Currency::USD };
    let (day, papers) = (world.today(), commitment(81));
    let claim = || world.trade(by).claim_loss(by.account, policy, usd, day, papers);
    refuses(world, claim, dollars.clone());
    goods.claim(by, policy, 1, 0).unwrap();
    let accept = || world.trade(insurer).answer_claim(insurer.account, policy, 0, Some(usd));
    refuses(world, accept, dollars);
}
