//! The title of a bill of lading, by the numbers of the checklist, and random acts against a reference.

#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use portolan_interface::{
    AccountId, DocumentId, MemberStatus, Unauthorized,
    trade::{BillTerms, TitleAct, TitleState, TitleView, TradeError},
};
use portolan_sdk::CallError;
use proptest::prelude::*;
use world::{Firm, Trade, World, cny, commitment, refusal};

#[track_caller]
fn refuses<T: std::fmt::Debug>(
    world: &World,
    act: impl FnOnce() -> Result<T, CallError<TradeError>>,
    error: TradeError,
) {
    let before = world.chain.snapshot();
    assert_eq!(refusal(act()), error);
    assert_eq!(world.chain.snapshot(), before, "a refusal changes nothing");
}

/// A world with a bill whose title tier 1 owns.
fn bill() -> (World, DocumentId) {
    let world = World::new();
    let order = world.order(1, cny(1_000));
    let bill = world.bill(1, order);
    (world, bill)
}

fn title(world: &World, bill: DocumentId) -> TitleView {
    Trade::over(world.chain.as_operator()).title(bill, None).unwrap()
}

fn owners(world: &World, bill: DocumentId) -> (AccountId, AccountId) {
    let title = title(world, bill);
    (title.bill.holder, title.bill.beneficiary)
}

fn nominate(world: &World, by: Firm, bill: DocumentId, nominee: Option<Firm>) -> Result<(), CallError<TradeError>> {
    world.trade(by).nominate(by.account, bill, nominee.map(|firm| firm.account))
}

fn transfer_holder(world: &World, by: Firm, bill: DocumentId, to: Firm) -> Result<(), CallError<TradeError>> {
    world.trade(by).transfer_holder(by.account, bill, to.account)
}

fn transfer_beneficiary(world: &World, by: Firm, bill: DocumentId) -> Result<(), CallError<TradeError>> {
    world.trade(by).transfer_beneficiary(by.account, bill)
}

fn endorse(world: &World, by: Firm, bill: DocumentId, to: Firm) -> Result<(), CallError<TradeError>> {
    world.trade(by).endorse(by.account, bill, to.account)
}

fn reject(world: &World, by: Firm, bill: DocumentId) -> Result<(), CallError<TradeError>> {
    world.trade(by).reject_title(by.account, bill)
}

fn surrender(world: &World, by: Firm, bill: DocumentId) -> Result<(), CallError<TradeError>> {
    world.trade(by).surrender(by.account, bill)
}

fn answer(world: &World, by: Firm, bill: DocumentId, accept: bool) -> Result<(), CallError<TradeError>> {
    world.trade(by).answer_surrender(by.account, bill, accept)
}

fn issue(world: &World, by: Firm, change: impl FnOnce(&mut BillTerms)) -> Result<DocumentId, CallError<TradeError>> {
    let order = world.order(1, cny(1_000));
    let mut terms = world.bill_terms(1, order);
    change(&mut terms);
    world.trade(by).issue_bill(by.account, terms)
}

#[test]
fn item_1_a_carrier_issues_to_a_holder_and_a_beneficiary() {
    let world = World::new();
    let id = issue(&world, world.carrier, |terms| terms.beneficiary = world.tier_2.account).unwrap();
    assert_eq!(owners(&world, id), (world.tier_1.account, world.tier_2.account));
    let title = title(&world, id);
    assert_eq!(
        (title.endorsements.len(), title.endorsements[0].act, title.endorsements[0].by),
        (1, TitleAct::Issue, world.carrier.account)
    );
}

#[test]
fn only_a_carrier_issues_bills() {
    let world = World::new();
    assert_eq!(refusal(issue(&world, world.tier_1, |_| {})), TradeError::WrongRole);
}

#[test]
fn nobody_disposes_of_a_title_in_anothers_name() {
    let (world, bill) = bill();
    let stranger = world.trade(world.tier_3);
    let (owner, next) = (world.tier_1.account, world.tier_2.account);
    let forged = TradeError::Unauthorized(Unauthorized::TooFewPersons);
    refuses(&world, || stranger.nominate(owner, bill, Some(next)), forged.clone());
    refuses(&world, || stranger.transfer_holder(owner, bill, next), forged.clone());
    refuses(&world, || stranger.endorse(owner, bill, next), forged.clone());
    refuses(&world, || stranger.surrender(owner, bill), forged.clone());
    nominate(&world, world.tier_1, bill, Some(world.tier_2)).unwrap();
    refuses(&world, || stranger.transfer_beneficiary(owner, bill), forged.clone());
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    refuses(&world, || stranger.reject_title(next, bill), forged.clone());
    surrender(&world, world.tier_2, bill).unwrap();
    refuses(&world, || stranger.answer_surrender(world.carrier.account, bill, true), forged);
}

#[test]
fn item_2_only_the_beneficiary_nominates() {
    let (world, bill) = bill();
    transfer_holder(&world, world.tier_1, bill, world.tier_2).unwrap();
    refuses(&world, || nominate(&world, world.tier_2, bill, Some(world.tier_3)), TradeError::NotBeneficiary);
    nominate(&world, world.tier_1, bill, Some(world.tier_3)).unwrap();
}

#[test]
fn item_3_only_the_holder_passes_holdership_on() {
    let (world, bill) = bill();
    refuses(&world, || transfer_holder(&world, world.tier_2, bill, world.tier_3), TradeError::NotHolder);
    transfer_holder(&world, world.tier_1, bill, world.tier_2).unwrap();
    refuses(&world, || transfer_holder(&world, world.tier_1, bill, world.tier_3), TradeError::NotHolder);
    refuses(&world, || transfer_holder(&world, world.tier_2, bill, world.tier_2), TradeError::SameHolder);
    assert_eq!(owners(&world, bill), (world.tier_2.account, world.tier_1.account));
}

#[test]
fn item_4_the_right_goes_to_the_nominee_by_the_holders_act() {
    let (world, bill) = bill();
    transfer_holder(&world, world.tier_1, bill, world.tier_2).unwrap();
    refuses(&world, || transfer_beneficiary(&world, world.tier_2, bill), TradeError::NoNominee);
    nominate(&world, world.tier_1, bill, Some(world.tier_3)).unwrap();
    refuses(&world, || transfer_beneficiary(&world, world.tier_1, bill), TradeError::NotHolder);
    transfer_beneficiary(&world, world.tier_2, bill).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_2.account, world.tier_3.account));
}

#[test]
fn item_5_one_who_is_both_passes_both_on_in_one_act() {
    let (world, bill) = bill();
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_2.account, world.tier_2.account));
    transfer_holder(&world, world.tier_2, bill, world.tier_3).unwrap();
    refuses(&world, || endorse(&world, world.tier_2, bill, world.tier_1), TradeError::NotOwner);
    refuses(&world, || endorse(&world, world.tier_3, bill, world.tier_1), TradeError::NotOwner);
}

#[test]
fn item_6_a_nominee_owns_nothing() {
    let (world, bill) = bill();
    nominate(&world, world.tier_1, bill, Some(world.tier_3)).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_1.account, world.tier_1.account));
    refuses(&world, || nominate(&world, world.tier_3, bill, Some(world.tier_2)), TradeError::NotBeneficiary);
    refuses(&world, || endorse(&world, world.tier_3, bill, world.tier_2), TradeError::NotOwner);
    refuses(&world, || surrender(&world, world.tier_3, bill), TradeError::NotOwner);
}

#[test]
fn item_7_a_nomination_is_changed_or_withdrawn_before_the_holders_act() {
    let (world, bill) = bill();
    refuses(&world, || nominate(&world, world.tier_1, bill, None), TradeError::NoNominee);
    nominate(&world, world.tier_1, bill, Some(world.tier_2)).unwrap();
    nominate(&world, world.tier_1, bill, Some(world.tier_3)).unwrap();
    nominate(&world, world.tier_1, bill, None).unwrap();
    refuses(&world, || transfer_beneficiary(&world, world.tier_1, bill), TradeError::NoNominee);
}

#[test]
fn item_8_nobody_nominates_the_present_beneficiary() {
    let (world, bill) = bill();
    refuses(&world, || nominate(&world, world.tier_1, bill, Some(world.tier_1)), TradeError::NominatesPresent);
}

#[test]
fn items_9_to_12_a_receiver_gives_back_once_and_only_before_acting() {
    let (world, bill) = bill();
    refuses(&world, || reject(&world, world.tier_1, bill), TradeError::NothingToReject);
    transfer_holder(&world, world.tier_1, bill, world.tier_2).unwrap();
    reject(&world, world.tier_2, bill).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_1.account, world.tier_1.account));
    refuses(&world, || reject(&world, world.tier_1, bill), TradeError::NothingToReject);
    // Both at once.
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    reject(&world, world.tier_2, bill).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_1.account, world.tier_1.account));
    // After an act there is no way back, and never over a party.
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    nominate(&world, world.tier_2, bill, Some(world.tier_3)).unwrap();
    refuses(&world, || reject(&world, world.tier_2, bill), TradeError::NothingToReject);
    endorse(&world, world.tier_2, bill, world.tier_3).unwrap();
    reject(&world, world.tier_3, bill).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_2.account, world.tier_2.account));
}

#[test]
fn item_10_a_new_beneficiary_rejects_the_right_alone() {
    let (world, bill) = bill();
    transfer_holder(&world, world.tier_1, bill, world.tier_2).unwrap();
    nominate(&world, world.tier_1, bill, Some(world.tier_3)).unwrap();
    transfer_beneficiary(&world, world.tier_2, bill).unwrap();
    reject(&world, world.tier_3, bill).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_2.account, world.tier_1.account));
    refuses(&world, || reject(&world, world.tier_2, bill), TradeError::NothingToReject);
}

#[test]
fn item_13_f21_only_one_who_is_both_surrenders() {
    let (world, bill) = bill();
    transfer_holder(&world, world.tier_1, bill, world.tier_2).unwrap();
    refuses(&world, || surrender(&world, world.tier_2, bill), TradeError::NotOwner);
    refuses(&world, || surrender(&world, world.tier_1, bill), TradeError::NotOwner);
}

#[test]
fn item_14_the_carrier_accepts_or_rejects_a_surrender() {
    let (world, bill) = bill();
    let not_surrendered = TradeError::TitleState { state: TitleState::Issued, needed: TitleState::Surrendered };
    refuses(&world, || answer(&world, world.carrier, bill, true), not_surrendered);
    surrender(&world, world.tier_1, bill).unwrap();
    refuses(&world, || answer(&world, world.tier_1, bill, true), TradeError::NotCarrier);
    answer(&world, world.carrier, bill, false).unwrap();
    assert_eq!(title(&world, bill).bill.state, TitleState::Issued);
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    surrender(&world, world.tier_2, bill).unwrap();
    answer(&world, world.carrier, bill, true).unwrap();
    assert_eq!(title(&world, bill).bill.state, TitleState::Accomplished);
}

#[test]
fn item_15_after_surrender_nothing_moves() {
    let (world, bill) = bill();
    surrender(&world, world.tier_1, bill).unwrap();
    for state in [TitleState::Surrendered, TitleState::Accomplished] {
        let ended = TradeError::TitleState { state, needed: TitleState::Issued };
        refuses(&world, || endorse(&world, world.tier_1, bill, world.tier_2), ended.clone());
        refuses(&world, || transfer_holder(&world, world.tier_1, bill, world.tier_2), ended.clone());
        refuses(&world, || nominate(&world, world.tier_1, bill, Some(world.tier_2)), ended.clone());
        refuses(&world, || reject(&world, world.tier_1, bill), ended.clone());
        refuses(&world, || surrender(&world, world.tier_1, bill), ended);
        if state == TitleState::Surrendered {
            answer(&world, world.carrier, bill, true).unwrap();
        }
    }
}

#[test]
fn item_19_a_straight_bill_is_not_endorsed_but_surrendered() {
    let world = World::new();
    let bill = issue(&world, world.carrier, |terms| terms.negotiable = false).unwrap();
    refuses(&world, || endorse(&world, world.tier_1, bill, world.tier_2), TradeError::NotNegotiable);
    refuses(&world, || transfer_holder(&world, world.tier_1, bill, world.tier_2), TradeError::NotNegotiable);
    refuses(&world, || nominate(&world, world.tier_1, bill, Some(world.tier_2)), TradeError::NotNegotiable);
    surrender(&world, world.tier_1, bill).unwrap();
}

#[test]
fn item_21_the_endorsement_chain_is_whole_and_ordered() {
    let (world, bill) = bill();
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    transfer_holder(&world, world.tier_2, bill, world.bank).unwrap();
    reject(&world, world.bank, bill).unwrap();
    surrender(&world, world.tier_2, bill).unwrap();
    answer(&world, world.carrier, bill, true).unwrap();
    let chain: Vec<_> = title(&world, bill).endorsements.iter().map(|entry| (entry.act, entry.by)).collect();
    assert_eq!(
        chain,
        [
            (TitleAct::Issue, world.carrier.account),
            (TitleAct::Both, world.tier_1.account),
            (TitleAct::Holder, world.tier_2.account),
            (TitleAct::Reject, world.bank.account),
            (TitleAct::Surrender, world.tier_2.account),
            (TitleAct::SurrenderAccepted, world.carrier.account),
        ]
    );
}

#[test]
fn item_23_a_frozen_party_neither_gives_nor_takes() {
    let (world, bill) = bill();
    world.chain.set_status(world.tier_2.member, MemberStatus::Frozen);
    let frozen = TradeError::MemberNotActive { status: MemberStatus::Frozen };
    refuses(&world, || endorse(&world, world.tier_1, bill, world.tier_2), frozen.clone());
    refuses(&world, || nominate(&world, world.tier_1, bill, Some(world.tier_2)), frozen);
    world.chain.set_status(world.tier_1.member, MemberStatus::Frozen);
    let cannot_give = TradeError::Unauthorized(Unauthorized::MemberNotActive);
    refuses(&world, || endorse(&world, world.tier_1, bill, world.tier_3), cannot_give);
}

#[test]
fn a_title_comes_to_nobody_who_was_frozen_since_or_is() {
    let (world, bill) = bill();
    let frozen = TradeError::MemberNotActive { status: MemberStatus::Frozen };
    nominate(&world, world.tier_1, bill, Some(world.tier_2)).unwrap();
    world.chain.set_status(world.tier_2.member, MemberStatus::Frozen);
    refuses(&world, || transfer_beneficiary(&world, world.tier_1, bill), frozen.clone());
    refuses(&world, || transfer_holder(&world, world.tier_1, bill, world.tier_2), frozen.clone());
    refuses(&world, || endorse(&world, world.tier_1, bill, world.tier_2), frozen.clone());
    refuses(&world, || nominate(&world, world.tier_1, bill, Some(world.tier_2)), frozen);
}

#[test]
fn a_right_that_is_given_back_takes_its_nomination_along() {
    let (world, bill) = bill();
    nominate(&world, world.tier_1, bill, Some(world.tier_2)).unwrap();
    transfer_beneficiary(&world, world.tier_1, bill).unwrap();
    reject(&world, world.tier_2, bill).unwrap();
    assert_eq!(title(&world, bill).bill.nominee, None);
    refuses(&world, || transfer_beneficiary(&world, world.tier_1, bill), TradeError::NoNominee);
}

#[test]
fn a_bill_enters_the_list_of_everybody_to_whom_its_title_comes() {
    let (world, bill) = bill();
    transfer_holder(&world, world.tier_1, bill, world.tier_2).unwrap();
    nominate(&world, world.tier_1, bill, Some(world.other_tier_2)).unwrap();
    transfer_beneficiary(&world, world.tier_2, bill).unwrap();
    transfer_holder(&world, world.tier_2, bill, world.other_tier_2).unwrap();
    endorse(&world, world.other_tier_2, bill, world.tier_3).unwrap();
    for firm in [world.tier_2, world.other_tier_2, world.tier_3] {
        let listed = world.trade(firm).documents(firm.account, None).unwrap().documents;
        assert!(listed.iter().any(|(_, id)| *id == bill), "{listed:?}");
    }
}

#[test]
fn f20_a_former_holder_endorses_nothing() {
    let (world, bill) = bill();
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    refuses(&world, || endorse(&world, world.tier_1, bill, world.tier_3), TradeError::NotOwner);
}

#[test]
fn item_27_a_carriers_number_is_used_once_whatever_its_case() {
    let (world, first) = bill();
    let order = world.order(2, cny(1_000));
    let again = |number: &str| {
        let terms = BillTerms { number: number.into(), ..world.bill_terms(2, order) };
        world.trade(world.carrier).issue_bill(world.carrier.account, terms)
    };
    refuses(&world, || again("TIDE1"), TradeError::DuplicateBillNumber { first });
    refuses(&world, || again("tide1"), TradeError::DuplicateBillNumber { first });
    again("TIDE-1").unwrap();
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
    refuses(&world, || with(&|terms| terms.containers[1][10] = b'3'), TradeError::Container { position: 1 });
    refuses(&world, || with(&|terms| terms.discharge = *b"DE1AM"), TradeError::Port);
    refuses(
        &world,
        || with(&|terms| terms.containers = vec![*b"CSQU3054383"; 257]),
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

// Random acts.

#[derive(Clone, Debug)]
enum Act {
    Nominate(usize, Option<usize>),
    Holder(usize, usize),
    Beneficiary(usize),
    Endorse(usize, usize),
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
        let allowed = match *act {
            Act::Nominate(by, nominee) => {
                next.acted(by);
                next.nominee = nominee;
                in_force
                    && self.beneficiary == by
                    && nominee != Some(by)
                    && (nominee.is_some() || self.nominee.is_some())
            }
            Act::Holder(by, to) => {
                next.acted(by);
                (next.holder, next.holder_back_to) = (to, Some(by));
                in_force && self.holder == by && to != by
            }
            Act::Beneficiary(by) => {
                next.acted(by);
                next.beneficiary_back_to = Some(self.beneficiary);
                next.beneficiary = self.nominee.unwrap_or(self.beneficiary);
                next.nominee = None;
                in_force && self.holder == by && self.nominee.is_some()
            }
            Act::Endorse(by, to) => {
                next = Self {
                    holder: to,
                    beneficiary: to,
                    nominee: None,
                    holder_back_to: Some(by),
                    beneficiary_back_to: Some(by),
                    state: self.state,
                };
                in_force && both(by) && to != by
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
                in_force && (holder.is_some() || beneficiary.is_some())
            }
            Act::Surrender(by) => {
                next.acted(by);
                (next.nominee, next.state) = (None, TitleState::Surrendered);
                in_force && both(by)
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
        Act::Reject(by) => reject(world, firms[by], bill).is_ok(),
        Act::Surrender(by) => surrender(world, firms[by], bill).is_ok(),
        Act::Answer(accept) => answer(world, world.carrier, bill, accept).is_ok(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_title_follows_the_checklist(acts in proptest::collection::vec(act(), 1..40)) {
        let (world, id) = bill();
        let firms = [world.tier_1, world.tier_2, world.tier_3];
        let place = |account: AccountId| firms.iter().position(|firm| firm.account == account).unwrap();
        let mut model = Model { holder: 0, beneficiary: 0, nominee: None, holder_back_to: None, beneficiary_back_to: None, state: TitleState::Issued };
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
                state: title.bill.state,
            };
            prop_assert_eq!(&seen, &model);
            // The last entry of the chain is the present state: exactly one holder and one beneficiary.
            let last = title.endorsements.last().unwrap();
            prop_assert_eq!((last.holder, last.beneficiary), (title.bill.holder, title.bill.beneficiary));
        }
    }
}
