//! Requests, offers and draws: the straight way, what is refused, and that an invoice backs one live financing.

#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use portolan_interface::{
    DayCount, FinancingId, Hash, MemberStatus, Money, PartId, Ppm, Unauthorized,
    financing::{FinancingError, FinancingState, MAX_OFFERS, OfferState, OfferTerms, api},
    receivable::{CertificateTerms, PartState, ReceivableError, Recourse},
    settlement::SettlementError,
};
use portolan_sdk::{CallError, codec::Encode};
use portolan_terms::Currency;
use proptest::prelude::*;
use world::{Financing, Firm, World, cny, date, refusal, refuses};

const FACE: i128 = 120_000_000;

/// Three parts of one certificate: tier 2's 400,000.00, the other tier 2's 500,000.00, and tier 1's rest; 90 days before it is due.
fn parts(world: &World) -> Vec<PartId> {
    let (_, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 50_000_000, 30_000_000]);
    world.transfer(world.tier_1, world.tier_2, parts[0]);
    world.transfer(world.tier_1, world.other_tier_2, parts[1]);
    world.advance_to(date("2026-03-03"));
    parts
}

fn request(world: &World, borrower: Firm, part: PartId) -> Result<FinancingId, CallError<FinancingError>> {
    world.financing(borrower).request(borrower.account, part)
}

fn offer(world: &World, bank: Firm, id: FinancingId, terms: OfferTerms) -> Result<u32, CallError<FinancingError>> {
    world.financing(bank).offer(bank.account, id, terms)
}

fn accept(world: &World, borrower: Firm, id: FinancingId, number: u32) -> Result<(), CallError<FinancingError>> {
    world.financing(borrower).accept(borrower.account, id, number)
}

fn books(world: &World) -> Financing {
    Financing::over(world.chain.as_operator())
}

#[test]
fn w01_a_discount_of_ninety_days() {
    let world = World::new();
    let parts = parts(&world);
    let id = world.discount(world.tier_2, parts[0], world.bank);
    let financing = books(&world).financing(id).unwrap().financing;
    let draw = financing.draw.unwrap();
    assert_eq!((draw.discount, draw.proceeds), (cny(435_000), cny(39_565_000)));
    assert_eq!((financing.state, draw.registry_reference.as_str()), (FinancingState::Drawn, "ZD-2026-000123"));
    assert_eq!(world.balance(world.tier_2, world.bank), 39_565_000);
    world.assert_deposits(world.bank);
}

#[test]
fn a_fee_comes_off_the_proceeds_and_back_first() {
    let world = World::new();
    let parts = parts(&world);
    let id = request(&world, world.tier_2, parts[0]).unwrap();
    let number = offer(&world, world.bank, id, OfferTerms { fee: cny(10_000), ..world.offer_terms() }).unwrap();
    accept(&world, world.tier_2, id, number).unwrap();
    assert_eq!(world.balance(world.tier_2, world.bank), 39_555_000);
    let waterfall = world.settlement(world.bank).waterfall(parts[0]).unwrap();
    assert_eq!(
        waterfall.tranches.iter().map(|tranche| tranche.due_minor).collect::<Vec<_>>(),
        [10_000, 435_000, 39_555_000]
    );
}

#[test]
fn without_a_registration_nothing_is_drawn_until_the_funder_names_it() {
    let world = World::new();
    let parts = parts(&world);
    let id = request(&world, world.tier_2, parts[0]).unwrap();
    offer(&world, world.bank, id, OfferTerms { registry_reference: None, ..world.offer_terms() }).unwrap();
    accept(&world, world.tier_2, id, 0).unwrap();
    assert_eq!(
        (books(&world).financing(id).unwrap().financing.state, world.balance(world.tier_2, world.bank)),
        (FinancingState::Accepted, 0)
    );
    let draw = |bank: Firm, reference: &str| world.financing(bank).draw(bank.account, id, reference.into());
    refuses(&world, || draw(world.other_bank, "ZD-1"), FinancingError::NotFunder);
    for reference in ["", "登记", &"1".repeat(65)] {
        refuses(&world, || draw(world.bank, reference), FinancingError::RegistryReference);
    }
    draw(world.bank, "ZD-1").unwrap();
    assert_eq!(world.balance(world.tier_2, world.bank), 39_565_000);
    refuses(
        &world,
        || draw(world.bank, "ZD-1"),
        FinancingError::FinancingState { state: FinancingState::Drawn, needed: FinancingState::Accepted },
    );
}

#[test]
fn f04_financed_twice_at_two_banks_the_first_wins_and_no_money_moves_for_the_second() {
    let world = World::new();
    let parts = parts(&world);
    let one = request(&world, world.tier_2, parts[0]).unwrap();
    let other = request(&world, world.tier_2, parts[0]).unwrap();
    offer(&world, world.bank, one, world.offer_terms()).unwrap();
    offer(&world, world.other_bank, other, world.offer_terms()).unwrap();
    accept(&world, world.tier_2, one, 0).unwrap();
    let invoice = books(&world).financing(one).unwrap().financing.invoice;
    refuses(&world, || accept(&world, world.tier_2, other, 0), FinancingError::AlreadyFinanced { invoice });
    assert_eq!((world.balance(world.tier_2, world.other_bank), world.assert_deposits(world.other_bank)), (0, 0));
}

#[test]
fn f04_both_in_one_transaction_is_neither() {
    let world = World::new();
    let parts = parts(&world);
    let one = request(&world, world.tier_2, parts[0]).unwrap();
    let other = request(&world, world.tier_2, parts[0]).unwrap();
    offer(&world, world.bank, one, world.offer_terms()).unwrap();
    offer(&world, world.other_bank, other, world.offer_terms()).unwrap();
    let call =
        |financing| (api::CONTRACT, api::Call::Accept { borrower: world.tier_2.account, financing, offer: 0 }.encode());
    let before = world.chain.snapshot();
    let result = world.chain.as_account(world.tier_2.account).transaction(&[call(one), call(other)]);
    assert_eq!(result.map_err(|(index, _)| index), Err(1));
    assert_eq!(world.chain.snapshot(), before, "a batch is all or nothing");
}

#[test]
fn an_invoice_that_backs_a_live_financing_backs_no_second() {
    let world = World::new();
    let parts = parts(&world);
    let id = world.discount(world.tier_2, parts[0], world.bank);
    let invoice = books(&world).financing(id).unwrap().financing.invoice;
    let already = FinancingError::AlreadyFinanced { invoice };
    refuses(&world, || request(&world, world.tier_2, parts[0]), already.clone());
    refuses(&world, || request(&world, world.other_tier_2, parts[1]), already);
    assert!(world.financing(world.other_bank).encumbrance(invoice).unwrap().financed);
    let (_, free) = world.live(2, cny(FACE));
    request(&world, world.tier_1, free).unwrap();
}

#[test]
fn only_the_holder_of_a_live_part_asks() {
    let world = World::new();
    let parts = parts(&world);
    refuses(&world, || request(&world, world.tier_1, parts[0]), FinancingError::NotHolder);
    world
        .receivable(world.tier_2)
        .offer_transfer(world.tier_2.account, parts[0], world.tier_3.account, Recourse::Without, world.in_days(1))
        .unwrap();
    refuses(
        &world,
        || request(&world, world.tier_2, parts[0]),
        FinancingError::PartState { state: PartState::Offered },
    );
    world.chain.set_status(world.other_tier_2.member, MemberStatus::Restricted);
    let restricted = FinancingError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || request(&world, world.other_tier_2, parts[1]), restricted);
    let unknown = refusal(request(&world, world.tier_2, PartId([9; 32])));
    assert!(matches!(unknown, FinancingError::Receivable(CallError::Contract(_))), "{unknown:?}");
}

#[test]
fn one_transaction_asks_once_for_a_part() {
    let world = World::new();
    let parts = parts(&world);
    let call = (api::CONTRACT, api::Call::Request { borrower: world.tier_2.account, part: parts[0] }.encode());
    let result = world.chain.as_account(world.tier_2.account).transaction(&[call.clone(), call]);
    assert_eq!(result.map_err(|(index, _)| index), Err(1));
}

#[test]
fn only_a_bank_of_another_organisation_offers() {
    let world = World::new();
    let parts = parts(&world);
    let id = request(&world, world.tier_2, parts[0]).unwrap();
    refuses(&world, || offer(&world, world.tier_1, id, world.offer_terms()), FinancingError::NotBank);
    let forged = || world.financing(world.tier_2).offer(world.bank.account, id, world.offer_terms());
    refuses(&world, forged, FinancingError::Unauthorized(Unauthorized::TooFewPersons));
    world.transfer(world.other_tier_2, world.bank, parts[1]);
    let own = request(&world, world.bank, parts[1]).unwrap();
    refuses(&world, || offer(&world, world.bank, own, world.offer_terms()), FinancingError::SameParty);
}

#[test]
fn a_restricted_bank_offers_nothing() {
    let world = World::new();
    let parts = parts(&world);
    let id = request(&world, world.tier_2, parts[0]).unwrap();
    world.chain.set_status(world.bank.member, MemberStatus::Restricted);
    let restricted = FinancingError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || offer(&world, world.bank, id, world.offer_terms()), restricted);
}

#[test]
fn nobody_asks_accepts_draws_or_withdraws_in_anothers_name() {
    let world = World::new();
    let parts = parts(&world);
    let stranger = world.financing(world.tier_3);
    let (borrower, bank) = (world.tier_2.account, world.bank.account);
    let forged = FinancingError::Unauthorized(Unauthorized::TooFewPersons);
    refuses(&world, || stranger.request(borrower, parts[0]), forged.clone());
    let id = request(&world, world.tier_2, parts[0]).unwrap();
    let unregistered = OfferTerms { registry_reference: None, ..world.offer_terms() };
    offer(&world, world.bank, id, unregistered).unwrap();
    refuses(&world, || stranger.accept(borrower, id, 0), forged.clone());
    refuses(&world, || stranger.withdraw_offer(bank, id, 0), forged.clone());
    refuses(&world, || stranger.withdraw(borrower, id), forged.clone());
    accept(&world, world.tier_2, id, 0).unwrap();
    refuses(&world, || stranger.draw(bank, id, "ZD-1".into()), forged);
}

/// Two certificates of one invoice, the second due a month after the first.
fn two_of_one_invoice(world: &World) -> [PartId; 2] {
    let invoice = world.matched(1, cny(FACE));
    [90, 120].map(|days| {
        let half = world.certificate_terms(invoice, cny(FACE / 2));
        let terms = CertificateTerms { maturity: world.in_days(days), ..half };
        let certificate = world.receivable(world.core).issue(world.core.account, terms).unwrap();
        world.receivable(world.tier_1).accept(world.tier_1.account, certificate).unwrap();
        PartId::root(certificate)
    })
}

#[test]
fn two_certificates_of_one_invoice_back_one_live_financing() {
    let world = World::new();
    let [first, second] = two_of_one_invoice(&world);
    let id = world.discount(world.tier_1, first, world.bank);
    let invoice = books(&world).financing(id).unwrap().financing.invoice;
    refuses(&world, || request(&world, world.tier_1, second), FinancingError::AlreadyFinanced { invoice });
}

#[test]
fn a_financing_that_is_overdue_is_live_until_it_is_paid_whole() {
    let world = World::new();
    let [first, second] = two_of_one_invoice(&world);
    let id = world.discount(world.tier_1, first, world.bank);
    let invoice = books(&world).financing(id).unwrap().financing.invoice;
    world.deposit(cny(FACE / 2 - 1));
    world.advance_to(date("2026-06-01"));
    assert_eq!((world.part(first).state, world.part(first).outstanding), (PartState::Overdue, cny(1)));
    refuses(&world, || request(&world, world.tier_1, second), FinancingError::AlreadyFinanced { invoice });
    world.deposit(cny(1));
    world.advance_to(date("2026-06-02"));
    assert_eq!(world.part(first).state, PartState::Settled);
    request(&world, world.tier_1, second).unwrap();
}

#[test]
fn a_part_that_may_not_be_passed_on_is_not_sold_either() {
    let world = World::new();
    let invoice = world.matched(1, cny(FACE));
    let terms = CertificateTerms { transferable: false, ..world.certificate_terms(invoice, cny(FACE)) };
    let certificate = world.receivable(world.core).issue(world.core.account, terms).unwrap();
    world.receivable(world.tier_1).accept(world.tier_1.account, certificate).unwrap();
    let id = request(&world, world.tier_1, PartId::root(certificate)).unwrap();
    offer(&world, world.bank, id, world.offer_terms()).unwrap();
    let bound = FinancingError::Receivable(CallError::Contract(ReceivableError::NotTransferable));
    refuses(&world, || accept(&world, world.tier_1, id, 0), bound);
}

#[test]
fn an_offer_is_checked() {
    let world = World::new();
    let parts = parts(&world);
    let id = request(&world, world.tier_2, parts[0]).unwrap();
    let with = |change: &dyn Fn(&mut OfferTerms)| {
        let mut terms = world.offer_terms();
        change(&mut terms);
        offer(&world, world.bank, id, terms)
    };
    let due = date("2026-06-01");
    refuses(&world, || with(&|terms| terms.expires = due), FinancingError::OfferWindow { due });
    refuses(&world, || with(&|terms| terms.expires = world.in_days(-1)), FinancingError::OfferWindow { due });
    refuses(&world, || with(&|terms| terms.fee = cny(-1)), FinancingError::NegativeFee);
    let dollars = portolan_interface::TermsError::CurrencyMismatch { expected: Currency::CNY, found: Currency::USD };
    refuses(&world, || with(&|terms| terms.fee = Money::new(1, Currency::USD)), FinancingError::Terms(dollars));
    refuses(
        &world,
        || with(&|terms| terms.fee = cny(40_000_000)),
        FinancingError::NothingLeft { face: cny(40_000_000) },
    );
    refuses(
        &world,
        || with(&|terms| terms.rate = Ppm(4_000_000)),
        FinancingError::NothingLeft { face: cny(40_000_000) },
    );
    refuses(
        &world,
        || with(&|terms| terms.registry_reference = Some(String::new())),
        FinancingError::RegistryReference,
    );
    let thirty = with(&|terms| terms.day_count = DayCount::Thirty360Us);
    assert_eq!(thirty.unwrap(), 0);
}

#[test]
fn offers_of_one_request_are_bounded() {
    let world = World::new();
    let parts = parts(&world);
    let id = request(&world, world.tier_2, parts[0]).unwrap();
    for number in 0..MAX_OFFERS {
        assert_eq!(offer(&world, world.bank, id, world.offer_terms()).unwrap(), number);
    }
    refuses(&world, || offer(&world, world.bank, id, world.offer_terms()), FinancingError::TooManyOffers);
}

#[test]
fn acceptance_is_the_borrowers_in_time_of_an_open_offer() {
    let world = World::new();
    let parts = parts(&world);
    let id = request(&world, world.tier_2, parts[0]).unwrap();
    offer(&world, world.bank, id, world.offer_terms()).unwrap();
    offer(&world, world.other_bank, id, world.offer_terms()).unwrap();
    refuses(&world, || accept(&world, world.tier_1, id, 0), FinancingError::NotBorrower);
    refuses(&world, || accept(&world, world.tier_2, id, 2), FinancingError::UnknownOffer);
    refuses(
        &world,
        || world.financing(world.other_bank).withdraw_offer(world.other_bank.account, id, 0),
        FinancingError::NotFunder,
    );
    world.financing(world.bank).withdraw_offer(world.bank.account, id, 0).unwrap();
    refuses(
        &world,
        || accept(&world, world.tier_2, id, 0),
        FinancingError::OfferState { state: OfferState::Withdrawn },
    );
    let expired = world.in_days(5);
    world.advance_to(world.in_days(6));
    refuses(&world, || accept(&world, world.tier_2, id, 1), FinancingError::OfferExpired { expired });
    refuses(&world, || accept(&world, world.tier_2, FinancingId([1; 32]), 0), FinancingError::UnknownFinancing);
}

#[test]
fn f30_what_changed_since_the_offer_is_seen_at_the_draw() {
    let world = World::new();
    let parts = parts(&world);
    let id = request(&world, world.tier_2, parts[0]).unwrap();
    offer(&world, world.bank, id, world.offer_terms()).unwrap();
    world.split(world.tier_2, parts[0], &[20_000_000, 20_000_000]);
    refuses(&world, || accept(&world, world.tier_2, id, 0), FinancingError::PartState { state: PartState::Closed });
    let other = request(&world, world.other_tier_2, parts[1]).unwrap();
    offer(&world, world.bank, other, world.offer_terms()).unwrap();
    world.transfer(world.other_tier_2, world.tier_3, parts[1]);
    refuses(&world, || accept(&world, world.other_tier_2, other, 0), FinancingError::NotHolder);
}

#[test]
fn a_draw_that_the_banks_cap_forbids_leaves_the_part_with_its_holder() {
    let world = World::new();
    let parts = parts(&world);
    world.settlement(world.bank).serve(world.bank.account, cny(39_564_999)).unwrap();
    let id = request(&world, world.tier_2, parts[0]).unwrap();
    offer(&world, world.bank, id, world.offer_terms()).unwrap();
    let error = FinancingError::Settlement(CallError::Contract(SettlementError::CapExceeded { excess: cny(1) }));
    refuses(&world, || accept(&world, world.tier_2, id, 0), error);
    assert_eq!((world.part(parts[0]).state, world.part(parts[0]).holder), (PartState::Live, world.tier_2.account));
}

#[test]
fn a_withdrawn_request_is_over() {
    let world = World::new();
    let parts = parts(&world);
    let id = request(&world, world.tier_2, parts[0]).unwrap();
    refuses(&world, || world.financing(world.tier_1).withdraw(world.tier_1.account, id), FinancingError::NotBorrower);
    world.financing(world.tier_2).withdraw(world.tier_2.account, id).unwrap();
    let over = FinancingError::FinancingState { state: FinancingState::Withdrawn, needed: FinancingState::Requested };
    refuses(&world, || offer(&world, world.bank, id, world.offer_terms()), over.clone());
    refuses(&world, || world.financing(world.tier_2).withdraw(world.tier_2.account, id), over);
}

#[test]
fn funders_see_their_own_offers_and_nobody_elses_terms() {
    let world = World::new();
    let parts = parts(&world);
    let id = request(&world, world.tier_2, parts[0]).unwrap();
    offer(&world, world.bank, id, world.offer_terms()).unwrap();
    offer(&world, world.other_bank, id, world.offer_terms()).unwrap();
    accept(&world, world.tier_2, id, 0).unwrap();
    let seen = |firm: Firm| world.financing(firm).financing(id).unwrap();
    assert_eq!((seen(world.tier_2).offers.len(), seen(world.bank).offers.len()), (2, 1));
    assert!(seen(world.bank).financing.draw.is_some());
    let loser = seen(world.other_bank);
    assert_eq!((seen(world.bank).offers[0].state, loser.offers[0].state), (OfferState::Accepted, OfferState::Open));
    assert_eq!((seen(world.bank).financing.accepted, loser.financing.accepted), (Some(0), None));
    assert_eq!((loser.offers.len(), loser.financing.draw, loser.financing.state), (1, None, FinancingState::Drawn));
    assert_eq!(refusal(world.financing(world.tier_1).financing(id)), FinancingError::NotParty);
    assert_eq!(refusal(world.financing(world.tier_1).financings(world.tier_2.account, None)), FinancingError::NotParty);
    let listed = world.financing(world.other_bank).financings(world.other_bank.account, None).unwrap();
    assert_eq!((listed.count, listed.financings[0].draw.clone()), (1, None));
}

#[test]
fn an_id_is_known_beforehand() {
    let world = World::new();
    let parts = parts(&world);
    let id = request(&world, world.tier_2, parts[0]).unwrap();
    assert_ne!(id, FinancingId::requested(Hash([0; 32]), parts[0]));
    assert_eq!(books(&world).financings(world.tier_2.account, None).unwrap().financings[0].id, id);
}

// Invariant 5 under random sequences.

#[derive(Clone, Debug)]
enum Act {
    Request { part: usize },
    Offer { financing: usize, bank: usize, registered: bool },
    Accept { financing: usize, offer: u32 },
    Register { financing: usize, bank: usize },
    Withdraw { financing: usize },
    WithdrawOffer { financing: usize, bank: usize, offer: u32 },
}

fn act() -> impl Strategy<Value = Act> {
    let (financing, bank, offer) = (0usize..6, 0usize..2, 0u32..3);
    prop_oneof![
        4 => (0usize..4).prop_map(|part| Act::Request { part }),
        5 => (financing.clone(), bank.clone(), proptest::bool::ANY).prop_map(|(financing, bank, registered)| Act::Offer { financing, bank, registered }),
        5 => (financing.clone(), offer.clone()).prop_map(|(financing, offer)| Act::Accept { financing, offer }),
        3 => (financing.clone(), bank.clone()).prop_map(|(financing, bank)| Act::Register { financing, bank }),
        1 => financing.clone().prop_map(|financing| Act::Withdraw { financing }),
        1 => (financing, bank, offer).prop_map(|(financing, bank, offer)| Act::WithdrawOffer { financing, bank, offer }),
    ]
}

#[derive(Clone)]
struct Asked {
    id: FinancingId,
    part: usize,
    state: FinancingState,
    accepted: usize,
    /// Bank, whether with a registration, state.
    offers: Vec<(usize, bool, OfferState)>,
}

struct Model {
    asked: Vec<Asked>,
    /// Two parts of the first invoice, two of the second: who drew on each invoice.
    drawn: [Option<usize>; 2],
}

impl Model {
    fn may_draw(&self, financing: usize) -> bool {
        self.drawn[self.asked[financing].part / 2].is_none()
    }

    fn draw(&mut self, financing: usize) {
        self.asked[financing].state = FinancingState::Drawn;
        self.drawn[self.asked[financing].part / 2] = Some(financing);
    }
}

fn perform(world: &World, model: &mut Model, parts: &[PartId], act: &Act) {
    let banks = [world.bank, world.other_bank];
    let known = |financing: usize| model.asked.get(financing).cloned();
    match *act {
        Act::Request { part } => {
            let asked = request(world, world.tier_1, parts[part]);
            assert_eq!(asked.is_ok(), model.drawn[part / 2].is_none());
            if let Ok(id) = asked {
                model.asked.push(Asked { id, part, state: FinancingState::Requested, accepted: 0, offers: vec![] });
            }
        }
        Act::Offer { financing, bank, registered } => {
            let Some(asked) = known(financing) else { return };
            let reference = registered.then(|| "ZD-1".to_owned());
            let done = offer(
                world,
                banks[bank],
                asked.id,
                OfferTerms { registry_reference: reference, ..world.offer_terms() },
            )
            .is_ok();
            assert_eq!(done, asked.state == FinancingState::Requested);
            if done {
                model.asked[financing].offers.push((bank, registered, OfferState::Open));
            }
        }
        Act::Accept { financing, offer } => {
            let Some(asked) = known(financing) else { return };
            let done = accept(world, world.tier_1, asked.id, offer).is_ok();
            let open = asked.offers.get(offer as usize).filter(|(_, _, state)| *state == OfferState::Open);
            let allowed = asked.state == FinancingState::Requested
                && open.is_some_and(|(_, registered, _)| !registered || model.may_draw(financing));
            assert_eq!(done, allowed);
            if done {
                let asked = &mut model.asked[financing];
                (asked.state, asked.accepted) = (FinancingState::Accepted, offer as usize);
                asked.offers[offer as usize].2 = OfferState::Accepted;
                if asked.offers[offer as usize].1 {
                    model.draw(financing);
                }
            }
        }
        Act::Register { financing, bank } => {
            let Some(asked) = known(financing) else { return };
            let done = world.financing(banks[bank]).draw(banks[bank].account, asked.id, "ZD-2".into()).is_ok();
            let is_its = asked.offers.get(asked.accepted).is_some_and(|(by, _, _)| *by == bank);
            assert_eq!(done, asked.state == FinancingState::Accepted && is_its && model.may_draw(financing));
            if done {
                model.draw(financing);
            }
        }
        Act::Withdraw { financing } => {
            let Some(asked) = known(financing) else { return };
            let done = world.financing(world.tier_1).withdraw(world.tier_1.account, asked.id).is_ok();
            assert_eq!(done, matches!(asked.state, FinancingState::Requested | FinancingState::Accepted));
            if done {
                model.asked[financing].state = FinancingState::Withdrawn;
            }
        }
        Act::WithdrawOffer { financing, bank, offer } => {
            let Some(asked) = known(financing) else { return };
            let done = world.financing(banks[bank]).withdraw_offer(banks[bank].account, asked.id, offer).is_ok();
            let is_its = asked
                .offers
                .get(offer as usize)
                .is_some_and(|(by, _, state)| *by == bank && *state == OfferState::Open);
            assert_eq!(done, is_its);
            if done {
                model.asked[financing].offers[offer as usize].2 = OfferState::Withdrawn;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_invoice_backs_at_most_one_live_financing(acts in proptest::collection::vec(act(), 1..50)) {
        let world = World::new();
        let mut parts = Vec::new();
        for seed in [1, 2] {
            let (_, root) = world.live(seed, cny(FACE));
            parts.extend(world.split(world.tier_1, root, &[40_000_000, 80_000_000]));
        }
        let mut model = Model { asked: vec![], drawn: [None, None] };
        for act in &acts {
            perform(&world, &mut model, &parts, act);
            for asked in &model.asked {
                prop_assert_eq!(books(&world).financing(asked.id).unwrap().financing.state, asked.state);
            }
            // 91 days at 4.35 %.
            let proceeds = [40_000_000 - 439_833, 80_000_000 - 879_667];
            let mut expected = [0, 0];
            for drawn in model.drawn.iter().flatten() {
                let asked = &model.asked[*drawn];
                expected[asked.offers[asked.accepted].0] += proceeds[asked.part % 2];
            }
            prop_assert_eq!([world.bank, world.other_bank].map(|bank| world.balance(world.tier_1, bank)), expected);
            for invoice in 0..2 {
                let financed = parts[invoice * 2..][..2].iter().filter(|part| world.part(**part).state == PartState::Financed).count();
                prop_assert_eq!(financed, usize::from(model.drawn[invoice].is_some()));
            }
        }
        world.assert_deposits(world.bank);
        world.assert_deposits(world.other_bank);
    }
}
