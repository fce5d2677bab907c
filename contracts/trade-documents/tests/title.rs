//! Titles: who reads and lists them, who acts on them, and random acts against a reference. The checklist is in `title_checklist`.

mod titles;
#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use portolan_interface::{
    AccountId, DocumentId, Unauthorized,
    trade::{
        Amendment, BearerKey, BillTerms, DeliveryBasis, DocumentKind, EndorsementForm, SurrenderPurpose, TitleAct,
        TitleState, TradeError, TradeEvent,
        api::{CONTRACT, Call},
        presentation,
    },
};
use portolan_sdk::{
    ContractError,
    codec::Encode,
    testing::{Failure, TestChain},
};
use proptest::prelude::*;
use titles::*;
use world::{Firm, World, cny, commitment, refusal};

#[test]
fn nobody_disposes_of_a_title_in_anothers_name() {
    let (world, bill) = bill();
    let stranger = world.trade(world.tier_3);
    let (owner, next) = (world.tier_1.account, world.tier_2.account);
    let forged = TradeError::Unauthorized(Unauthorized::TooFewPersons);
    let step = || now(&world, bill);
    let form = EndorsementForm::ToOrder(next);
    refuses(&world, || stranger.nominate(owner, bill, Some(next), step()), forged.clone());
    refuses(&world, || stranger.transfer_holder(owner, bill, next, step()), forged.clone());
    refuses(&world, || stranger.endorse(owner, bill, form, step()), forged.clone());
    refuses(&world, || stranger.surrender(owner, bill, SurrenderPurpose::Delivery, step()), forged.clone());
    refuses(&world, || stranger.pledge_title(owner, bill, world.bank.account, step()), forged.clone());
    let amendment = Amendment {
        containers: vec![],
        loading: "CNSHA".into(),
        discharge: "DEHAM".into(),
        on_board: world.today(),
        commitment: commitment(9),
    };
    let carrier = world.carrier.account;
    refuses(&world, || stranger.propose_amendment(carrier, bill, amendment.clone(), step()), forged.clone());
    world.trade(world.carrier).propose_amendment(carrier, bill, amendment.clone(), step()).unwrap();
    refuses(&world, || stranger.answer_amendment(owner, bill, true, step()), forged.clone());
    refuses(&world, || stranger.answer_amendment(carrier, bill, false, step()), forged.clone());
    pledge(&world, world.tier_1, bill, world.bank).unwrap();
    refuses(&world, || stranger.release_title(world.bank.account, bill, step()), forged.clone());
    release(&world, world.bank, bill).unwrap();
    nominate(&world, world.tier_1, bill, Some(world.tier_2)).unwrap();
    refuses(&world, || stranger.transfer_beneficiary(owner, bill, step()), forged.clone());
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    refuses(&world, || stranger.reject_title(next, bill, step()), forged.clone());
    let key = BearerKey([7; 33]);
    endorse_as(&world, world.tier_2, bill, EndorsementForm::Blank(key)).unwrap();
    let signature = TestChain::sign(&key.0, &presentation(bill, next));
    refuses(&world, || stranger.present_title(next, bill, signature, step()), forged.clone());
    world.trade(world.tier_2).present_title(next, bill, signature, step()).unwrap();
    surrender(&world, world.tier_2, bill).unwrap();
    refuses(&world, || stranger.answer_surrender(carrier, bill, true, step()), forged.clone());
    answer(&world, world.carrier, bill, true).unwrap();
    refuses(&world, || stranger.deliver(carrier, bill, next, step()), forged);
}

fn lists(world: &World, firm: Firm, bill: DocumentId) -> bool {
    let listed = world.trade(firm).documents(firm.account, None).unwrap().documents;
    listed.contains(&(DocumentKind::BillOfLading, bill))
}

type TitleChange = fn(&World, DocumentId) -> Outcome;

/// One act makes one party more; everybody else's list stays as it was.
#[test]
fn each_act_brings_the_bill_into_the_list_of_whom_it_concerns() {
    let acts: [(&str, TitleChange); 6] = [
        ("holder", |world, bill| transfer_holder(world, world.tier_1, bill, world.tier_2)),
        ("nominee", |world, bill| {
            nominate(world, world.tier_1, bill, Some(world.tier_2))?;
            assert!(!lists(world, world.tier_2, bill), "a nominee is told, and owns nothing yet");
            transfer_beneficiary(world, world.tier_1, bill)
        }),
        ("owner", |world, bill| endorse(world, world.tier_1, bill, world.tier_2)),
        ("bearer", |world, bill| {
            let key = BearerKey([7; 33]);
            endorse_as(world, world.tier_1, bill, EndorsementForm::Blank(key))?;
            let signature = TestChain::sign(&key.0, &presentation(bill, world.tier_2.account));
            world.trade(world.tier_2).present_title(world.tier_2.account, bill, signature, now(world, bill))
        }),
        ("pledgee", |world, bill| pledge(world, world.tier_1, bill, world.bank)),
        ("guarantor", |world, bill| {
            nominate(world, world.tier_1, bill, Some(world.tier_2))?;
            indemnify(world, world.tier_2, bill, commitment(7))?;
            nominate(world, world.tier_1, bill, None)
        }),
    ];
    for (who, act) in acts {
        let (world, bill) = bill();
        let concerned = if who == "pledgee" { world.bank } else { world.tier_2 };
        assert!(!lists(&world, concerned, bill), "{who}");
        act(&world, bill).unwrap();
        assert!(lists(&world, concerned, bill), "{who}");
        assert!(!lists(&world, world.tier_3, bill), "{who}");
    }
}

#[test]
fn the_consignee_lists_and_reads_the_bill_from_its_issue_on() {
    let world = World::new();
    let order = world.order(1, cny(1_000));
    let bill = issue(&world, 1, order, |terms| terms.consignee = Some(world.other_tier_2.account)).unwrap();
    assert!(lists(&world, world.other_tier_2, bill) && !lists(&world, world.tier_3, bill));
    let read = world.trade(world.other_tier_2).title(bill, None).unwrap();
    assert_eq!(read.bill.consignee, Some(world.other_tier_2.account));
    for firm in [world.carrier, world.tier_1] {
        assert!(lists(&world, firm, bill));
    }
}

#[test]
fn f25_a_bill_is_checked_by_name() {
    let world = World::new();
    let order = world.order(1, cny(1_000));
    let with = |change: &dyn Fn(&mut BillTerms)| {
        let mut terms = world.bill_terms(1, order);
        change(&mut terms);
        world.trade(world.carrier).issue_bill(world.carrier.account, terms)
    };
    refuses(
        &world,
        || with(&|terms| terms.containers[1] = "MSKU6011673".into()),
        TradeError::Container { position: 1 },
    );
    refuses(&world, || with(&|terms| terms.discharge = "DE1AM".into()), TradeError::Port);
    refuses(
        &world,
        || with(&|terms| terms.containers = vec!["CSQU3054383".into(); 257]),
        TradeError::TooMany { limit: 256 },
    );
    refuses(&world, || with(&|terms| terms.holder = AccountId([0xEE; 16])), TradeError::UnknownAccount);
    for number in ["", "TIDE 1", "船1", &"1".repeat(36)] {
        refuses(&world, || with(&|terms| terms.number = number.into()), TradeError::BillNumber);
    }
    with(&|terms| terms.commitment = commitment(3)).unwrap();
}

#[test]
fn a_title_is_for_its_parties() {
    let (world, bill) = bill();
    assert_eq!(refusal(world.trade(world.tier_2).title(bill, None)), TradeError::NotParty);
    nominate(&world, world.tier_1, bill, Some(world.tier_2)).unwrap();
    assert_eq!(world.trade(world.tier_2).title(bill, None).unwrap().bill.nominee, Some(world.tier_2.account));
}

// Failure modes and stories.

#[test]
fn f20_a_former_holder_endorses_nothing_and_two_endorsements_in_one_block_are_one() {
    let (world, bill) = bill();
    let step = now(&world, bill);
    let to = |firm: Firm| Call::Endorse {
        owner: world.tier_1.account,
        bill,
        form: EndorsementForm::ToOrder(firm.account),
        step,
    };
    // Both in one transaction: the second is stale, so nothing happened.
    let calls = [to(world.tier_2), to(world.tier_3)].map(|call| (CONTRACT, call.encode()));
    let before = world.chain.snapshot();
    let (failed, why) = world.chain.as_account(world.tier_1.account).transaction(&calls).unwrap_err();
    let stale = ContractError::Contract(TradeError::StaleTitle { seen: 1, now: 2 });
    assert_eq!((failed, why), (1, Some(Failure::Reverted(stale.encode()))));
    assert_eq!(world.chain.snapshot(), before);
    // One after the other: the first wins.
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    refuses(&world, || endorse(&world, world.tier_1, bill, world.tier_3), TradeError::NotOwner);
    assert_eq!(owners(&world, bill), (world.tier_2.account, world.tier_2.account));
}

#[test]
fn f21_surrender_by_a_holder_who_is_not_beneficiary_is_refused_for_every_purpose() {
    let (world, bill) = bill();
    transfer_holder(&world, world.tier_1, bill, world.tier_2).unwrap();
    for purpose in [SurrenderPurpose::Delivery, SurrenderPurpose::Paper, SurrenderPurpose::Reissue] {
        refuses(&world, || surrender_for(&world, world.tier_2, bill, purpose), TradeError::NotOwner);
        refuses(&world, || surrender_for(&world, world.tier_1, bill, purpose), TradeError::NotOwner);
    }
}

#[test]
fn f22_of_an_electronic_title_and_its_paper_one_alone_is_in_force() {
    let (world, first) = bill();
    let order = record(&world, first).order;
    let mut present = first;
    for seed in 2..5 {
        let anew = |seed| issue(&world, seed, order, |terms| terms.replaces = Some(present));
        let in_force = TradeError::NotReplaceable { state: TitleState::Issued };
        refuses(&world, || anew(seed), in_force);
        surrender_for(&world, world.tier_1, present, SurrenderPurpose::Paper).unwrap();
        answer(&world, world.carrier, present, true).unwrap();
        let on_paper = TradeError::TitleState { state: TitleState::OnPaper, needed: TitleState::Issued };
        refuses(&world, || endorse(&world, world.tier_1, present, world.tier_2), on_paper);
        let by = anew(seed).unwrap();
        refuses(&world, || anew(seed + 100), TradeError::ReplacedAlready { by });
        present = by;
    }
    assert_eq!(record(&world, present).state, TitleState::Issued);
}

#[test]
fn f23_goods_that_left_without_the_title_are_on_record_for_the_bank_that_has_it_in_pledge() {
    let (world, bill) = bill();
    pledge(&world, world.tier_1, bill, world.bank).unwrap();
    refuses(&world, || deliver(&world, world.carrier, bill, world.core), TradeError::NothingToDeliverOn);
    indemnify(&world, world.core, bill, commitment(77)).unwrap();
    deliver(&world, world.carrier, bill, world.core).unwrap();
    let seen = world.trade(world.bank).title(bill, None).unwrap();
    let delivery = seen.bill.delivery.unwrap();
    assert_eq!((delivery.basis, delivery.to), (DeliveryBasis::Indemnity, world.core.account));
    assert_eq!(seen.bill.indemnity.unwrap().giver, world.core.account);
    assert_eq!(seen.bill.pledgee, Some(world.bank.account), "its pledge stands");
    let told = world.chain.events::<TradeEvent>(CONTRACT);
    let Some(TradeEvent::TitleChanged { endorsement, .. }) = told.last() else { panic!("{told:?}") };
    assert_eq!((endorsement.act, endorsement.named), (TitleAct::Delivered, Some(world.core.account)));
}

#[test]
fn s10_the_title_goes_to_the_bank_in_pledge_comes_back_and_is_surrendered_at_the_port() {
    let (world, bill) = bill();
    // The carrier issued it to the shipper, who endorses it to the trader.
    endorse(&world, world.tier_1, bill, world.core).unwrap();
    // The trader finances the goods in transit: the title is the bank's security.
    pledge(&world, world.core, bill, world.bank).unwrap();
    let pledged = TradeError::Pledged { to: world.bank.account };
    refuses(&world, || surrender(&world, world.core, bill), pledged.clone());
    refuses(&world, || endorse(&world, world.core, bill, world.tier_2), pledged);
    // Repaid.
    release(&world, world.bank, bill).unwrap();
    // At the port.
    surrender(&world, world.core, bill).unwrap();
    answer(&world, world.carrier, bill, true).unwrap();
    deliver(&world, world.carrier, bill, world.core).unwrap();
    let (shipper, trader, bank, carrier) =
        (world.tier_1.account, world.core.account, world.bank.account, world.carrier.account);
    assert_eq!(
        acts(&world, bill),
        [
            (TitleAct::Issue, carrier),
            (TitleAct::Both, shipper),
            (TitleAct::Pledge, trader),
            (TitleAct::PledgeReleased, bank),
            (TitleAct::Surrender, trader),
            (TitleAct::SurrenderAccepted, carrier),
            (TitleAct::Delivered, carrier),
        ]
    );
}

// Random acts.

const KEY: [u8; 33] = [7; 33];

#[derive(Clone, Debug)]
enum Act {
    Nominate(usize, Option<usize>),
    Holder(usize, usize),
    Beneficiary(usize),
    Endorse(usize, usize),
    Named(usize, usize),
    Blank(usize),
    Present(usize),
    Pledge(usize),
    Release,
    Reject(usize),
    Surrender(usize),
    Answer(bool),
}

fn act() -> impl Strategy<Value = Act> {
    let who = 0usize..3;
    prop_oneof![
        4 => (who.clone(), proptest::option::weighted(0.8, who.clone())).prop_map(|(by, nominee)| Act::Nominate(by, nominee)),
        4 => (who.clone(), who.clone()).prop_map(|(by, to)| Act::Holder(by, to)),
        4 => who.clone().prop_map(Act::Beneficiary),
        4 => (who.clone(), who.clone()).prop_map(|(by, to)| Act::Endorse(by, to)),
        1 => (who.clone(), who.clone()).prop_map(|(by, to)| Act::Named(by, to)),
        1 => who.clone().prop_map(Act::Blank),
        2 => who.clone().prop_map(Act::Present),
        1 => who.clone().prop_map(Act::Pledge),
        2 => Just(Act::Release),
        3 => who.clone().prop_map(Act::Reject),
        1 => who.prop_map(Act::Surrender),
        2 => proptest::bool::weighted(0.2).prop_map(Act::Answer),
    ]
}

/// The title as the checklist tells it.
#[derive(Clone, Debug, PartialEq)]
struct Model {
    holder: usize,
    beneficiary: usize,
    nominee: Option<usize>,
    holder_back_to: Option<usize>,
    beneficiary_back_to: Option<usize>,
    named: bool,
    blank: bool,
    pledged: bool,
    state: TitleState,
}

impl Model {
    fn acted(&mut self, who: usize) {
        if self.holder == who {
            self.holder_back_to = None;
        }
        if self.beneficiary == who {
            self.beneficiary_back_to = None;
        }
    }

    /// The title afterwards, or none if the act is refused.
    fn after(&self, act: &Act) -> Option<Self> {
        let mut next = self.clone();
        let in_force = self.state == TitleState::Issued;
        let both = |who: usize| self.holder == who && self.beneficiary == who;
        let disposable = in_force && !self.blank && !self.pledged;
        let endorsable = disposable && !self.named;
        let allowed = match *act {
            Act::Nominate(by, nominee) => {
                next.acted(by);
                next.nominee = nominee;
                endorsable
                    && self.beneficiary == by
                    && nominee != Some(by)
                    && (nominee.is_some() || self.nominee.is_some())
            }
            Act::Holder(by, to) => {
                next.acted(by);
                (next.holder, next.holder_back_to) = (to, Some(by));
                endorsable && self.holder == by && to != by
            }
            Act::Beneficiary(by) => {
                next.acted(by);
                next.beneficiary_back_to = Some(self.beneficiary);
                next.beneficiary = self.nominee.unwrap_or(self.beneficiary);
                next.nominee = None;
                endorsable && self.holder == by && self.nominee.is_some()
            }
            Act::Endorse(by, to) | Act::Named(by, to) => {
                (next.holder, next.beneficiary, next.nominee) = (to, to, None);
                (next.holder_back_to, next.beneficiary_back_to) = (Some(by), Some(by));
                next.named = matches!(act, Act::Named(..));
                endorsable && both(by) && to != by
            }
            Act::Blank(by) => {
                next.acted(by);
                (next.nominee, next.blank) = (None, true);
                endorsable && both(by)
            }
            Act::Present(by) => {
                (next.holder, next.beneficiary, next.blank) = (by, by, false);
                in_force && self.blank
            }
            Act::Pledge(by) => {
                next.acted(by);
                next.pledged = true;
                disposable && both(by)
            }
            Act::Release => {
                next.pledged = false;
                self.pledged
            }
            Act::Reject(by) => {
                let holder = self.holder_back_to.filter(|_| self.holder == by);
                let beneficiary = self.beneficiary_back_to.filter(|_| self.beneficiary == by);
                if let Some(former) = holder {
                    (next.holder, next.holder_back_to) = (former, None);
                }
                if let Some(former) = beneficiary {
                    (next.beneficiary, next.beneficiary_back_to, next.nominee) = (former, None, None);
                }
                next.named = false;
                in_force && (holder.is_some() || beneficiary.is_some())
            }
            Act::Surrender(by) => {
                next.acted(by);
                (next.nominee, next.state) = (None, TitleState::Surrendered);
                disposable && both(by)
            }
            Act::Answer(accept) => {
                next.state = if accept { TitleState::Accomplished } else { TitleState::Issued };
                self.state == TitleState::Surrendered
            }
        };
        allowed.then_some(next)
    }
}

fn perform(world: &World, bill: DocumentId, firms: [Firm; 3], act: &Act) -> bool {
    match *act {
        Act::Nominate(by, nominee) => nominate(world, firms[by], bill, nominee.map(|who| firms[who])).is_ok(),
        Act::Holder(by, to) => transfer_holder(world, firms[by], bill, firms[to]).is_ok(),
        Act::Beneficiary(by) => transfer_beneficiary(world, firms[by], bill).is_ok(),
        Act::Endorse(by, to) => endorse(world, firms[by], bill, firms[to]).is_ok(),
        Act::Named(by, to) => endorse_as(world, firms[by], bill, EndorsementForm::Named(firms[to].account)).is_ok(),
        Act::Blank(by) => endorse_as(world, firms[by], bill, EndorsementForm::Blank(BearerKey(KEY))).is_ok(),
        Act::Present(by) => {
            let signature = TestChain::sign(&KEY, &presentation(bill, firms[by].account));
            world.trade(firms[by]).present_title(firms[by].account, bill, signature, now(world, bill)).is_ok()
        }
        Act::Pledge(by) => pledge(world, firms[by], bill, world.bank).is_ok(),
        Act::Release => release(world, world.bank, bill).is_ok(),
        Act::Reject(by) => reject(world, firms[by], bill).is_ok(),
        Act::Surrender(by) => surrender(world, firms[by], bill).is_ok(),
        Act::Answer(accept) => answer(world, world.carrier, bill, accept).is_ok(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_title_follows_the_checklist(acts in proptest::collection::vec(act(), 1..40)) {
        let (world, id) = bill();
        let firms = [world.tier_1, world.tier_2, world.tier_3];
        let place = |account: AccountId| firms.iter().position(|firm| firm.account == account).unwrap();
        let mut model = Model { holder: 0, beneficiary: 0, nominee: None, holder_back_to: None, beneficiary_back_to: None, named: false, blank: false, pledged: false, state: TitleState::Issued };
        for act in &acts {
            let expected = model.after(act);
            prop_assert_eq!(perform(&world, id, firms, act), expected.is_some(), "{:?} on {:?}", act, model);
            model = expected.unwrap_or(model);
            let title = title(&world, id);
            let seen = Model {
                holder: place(title.bill.holder),
                beneficiary: place(title.bill.beneficiary),
                nominee: title.bill.nominee.map(place),
                holder_back_to: title.bill.former_holder.map(place),
                beneficiary_back_to: title.bill.former_beneficiary.map(place),
                named: title.bill.named_only,
                blank: title.bill.bearer.is_some(),
                pledged: title.bill.pledgee.is_some(),
                state: title.bill.state,
            };
            prop_assert_eq!(&seen, &model);
            // The last entry of the chain is the present state: exactly one holder and one beneficiary.
            let last = title.endorsements.last().unwrap();
            prop_assert_eq!((last.holder, last.beneficiary), (title.bill.holder, title.bill.beneficiary));
        }
    }
}
