//! The checklist of a bill of lading's title, number by number.

mod titles;
#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use portolan_interface::{
    DocumentId, Hash, MemberStatus, Unauthorized,
    trade::{
        Amendment, BearerKey, Delivery, DeliveryBasis, EarlierEndorsement, EndorsementForm, Indemnity,
        SurrenderPurpose, TitleAct, TitleState, TitleStep, TradeError, presentation,
    },
};
use portolan_sdk::testing::TestChain;
use titles::*;
use world::{Firm, Trade, World, cny, commitment, refusal};

const KEY: [u8; 33] = [7; 33];
/// The same for whoever asks: tier 1's order.
const BLANK: EndorsementForm = EndorsementForm::Blank(BearerKey(KEY));

fn wrong_state(state: TitleState) -> TradeError {
    TradeError::TitleState { state, needed: TitleState::Issued }
}

fn present(world: &World, by: Firm, bill: DocumentId, key: &[u8; 33]) -> Outcome {
    let signature = TestChain::sign(key, &presentation(bill, by.account));
    world.trade(by).present_title(by.account, bill, signature, now(world, bill))
}

fn amendment(world: &World) -> Amendment {
    Amendment {
        containers: vec!["TOLU4734787".into()],
        loading: "CNSHA".into(),
        discharge: "NLRTM".into(),
        on_board: world.in_days(-1),
        commitment: commitment(500),
    }
}

fn propose(world: &World, by: Firm, bill: DocumentId, amendment: Amendment) -> Outcome {
    world.trade(by).propose_amendment(by.account, bill, amendment, now(world, bill))
}

fn consent(world: &World, by: Firm, bill: DocumentId, consent: bool) -> Outcome {
    world.trade(by).answer_amendment(by.account, bill, consent, now(world, bill))
}

#[test]
fn c01_a_carrier_issues_to_a_holder_and_a_beneficiary_who_may_be_one() {
    let world = World::new();
    let order = world.order(1, cny(1_000));
    let one = issue(&world, 1, order, |_| {}).unwrap();
    assert_eq!(owners(&world, one), (world.tier_1.account, world.tier_1.account));
    let two = issue(&world, 2, order, |terms| terms.beneficiary = world.tier_2.account).unwrap();
    assert_eq!(owners(&world, two), (world.tier_1.account, world.tier_2.account));
    assert_eq!(acts(&world, two), [(TitleAct::Issue, world.carrier.account)]);
    let by_a_supplier = || world.trade(world.tier_1).issue_bill(world.tier_1.account, world.bill_terms(3, order));
    refuses(&world, by_a_supplier, TradeError::WrongRole);
}

#[test]
fn c02_only_the_beneficiary_nominates() {
    let (world, bill) = bill();
    transfer_holder(&world, world.tier_1, bill, world.tier_2).unwrap();
    refuses(&world, || nominate(&world, world.tier_2, bill, Some(world.tier_3)), TradeError::NotBeneficiary);
    nominate(&world, world.tier_1, bill, Some(world.tier_3)).unwrap();
    assert_eq!(record(&world, bill).nominee, Some(world.tier_3.account));
}

#[test]
fn c03_only_the_holder_passes_holdership_on() {
    let (world, bill) = bill();
    refuses(&world, || transfer_holder(&world, world.tier_2, bill, world.tier_3), TradeError::NotHolder);
    transfer_holder(&world, world.tier_1, bill, world.tier_2).unwrap();
    refuses(&world, || transfer_holder(&world, world.tier_1, bill, world.tier_3), TradeError::NotHolder);
    refuses(&world, || transfer_holder(&world, world.tier_2, bill, world.tier_2), TradeError::SameHolder);
    assert_eq!(owners(&world, bill), (world.tier_2.account, world.tier_1.account));
}

#[test]
fn c04_the_right_goes_to_the_nominee_by_the_holders_act() {
    let (world, bill) = bill();
    transfer_holder(&world, world.tier_1, bill, world.tier_2).unwrap();
    refuses(&world, || transfer_beneficiary(&world, world.tier_2, bill), TradeError::NoNominee);
    nominate(&world, world.tier_1, bill, Some(world.tier_3)).unwrap();
    refuses(&world, || transfer_beneficiary(&world, world.tier_1, bill), TradeError::NotHolder);
    transfer_beneficiary(&world, world.tier_2, bill).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_2.account, world.tier_3.account));
    assert_eq!(record(&world, bill).nominee, None, "the nomination is used up");
}

#[test]
fn c05_one_who_is_both_passes_both_on_in_one_act() {
    let (world, bill) = bill();
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_2.account, world.tier_2.account));
    transfer_holder(&world, world.tier_2, bill, world.tier_3).unwrap();
    refuses(&world, || endorse(&world, world.tier_2, bill, world.tier_1), TradeError::NotOwner);
    refuses(&world, || endorse(&world, world.tier_3, bill, world.tier_1), TradeError::NotOwner);
}

#[test]
fn c06_a_nominee_owns_nothing() {
    let (world, bill) = bill();
    nominate(&world, world.tier_1, bill, Some(world.tier_3)).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_1.account, world.tier_1.account));
    refuses(&world, || nominate(&world, world.tier_3, bill, Some(world.tier_2)), TradeError::NotBeneficiary);
    refuses(&world, || transfer_holder(&world, world.tier_3, bill, world.tier_2), TradeError::NotHolder);
    refuses(&world, || endorse(&world, world.tier_3, bill, world.tier_2), TradeError::NotOwner);
    refuses(&world, || surrender(&world, world.tier_3, bill), TradeError::NotOwner);
    refuses(&world, || pledge(&world, world.tier_3, bill, world.bank), TradeError::NotOwner);
}

#[test]
fn c07_a_nomination_is_changed_or_withdrawn_before_the_holders_act() {
    let (world, bill) = bill();
    refuses(&world, || nominate(&world, world.tier_1, bill, None), TradeError::NoNominee);
    nominate(&world, world.tier_1, bill, Some(world.tier_2)).unwrap();
    nominate(&world, world.tier_1, bill, Some(world.tier_3)).unwrap();
    assert_eq!(record(&world, bill).nominee, Some(world.tier_3.account));
    nominate(&world, world.tier_1, bill, None).unwrap();
    refuses(&world, || transfer_beneficiary(&world, world.tier_1, bill), TradeError::NoNominee);
    // What the owner does otherwise ends it too: the nominee of a former owner gets nothing.
    for moves in [
        (|world: &World, bill| endorse(world, world.tier_1, bill, world.tier_2)) as fn(&World, _) -> Outcome,
        |world, bill| {
            surrender(world, world.tier_1, bill)?;
            answer(world, world.carrier, bill, false)
        },
    ] {
        let (world, bill) = titles::bill();
        nominate(&world, world.tier_1, bill, Some(world.tier_3)).unwrap();
        moves(&world, bill).unwrap();
        let holder =
            [world.tier_1, world.tier_2].into_iter().find(|firm| firm.account == owners(&world, bill).0).unwrap();
        refuses(&world, || transfer_beneficiary(&world, holder, bill), TradeError::NoNominee);
    }
}

#[test]
fn c08_nobody_nominates_themselves_or_the_present_beneficiary() {
    let (world, bill) = bill();
    refuses(&world, || nominate(&world, world.tier_1, bill, Some(world.tier_1)), TradeError::NominatesPresent);
}

#[test]
fn c09_the_receiver_of_holdership_rejects_it_once_before_acting() {
    let (world, bill) = bill();
    refuses(&world, || reject(&world, world.tier_1, bill), TradeError::NothingToReject);
    transfer_holder(&world, world.tier_1, bill, world.tier_2).unwrap();
    refuses(&world, || reject(&world, world.tier_3, bill), TradeError::NothingToReject);
    reject(&world, world.tier_2, bill).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_1.account, world.tier_1.account));
    refuses(&world, || reject(&world, world.tier_1, bill), TradeError::NothingToReject);
    refuses(&world, || reject(&world, world.tier_2, bill), TradeError::NothingToReject);
}

#[test]
fn c10_the_receiver_of_the_right_or_of_both_rejects_what_it_received() {
    let (world, bill) = bill();
    transfer_holder(&world, world.tier_1, bill, world.tier_2).unwrap();
    nominate(&world, world.tier_1, bill, Some(world.tier_3)).unwrap();
    transfer_beneficiary(&world, world.tier_2, bill).unwrap();
    reject(&world, world.tier_3, bill).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_2.account, world.tier_1.account), "the right alone went back");
    refuses(&world, || reject(&world, world.tier_2, bill), TradeError::NothingToReject);

    let (world, bill) = titles::bill();
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    reject(&world, world.tier_2, bill).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_1.account, world.tier_1.account), "both went back");
}

#[test]
fn c11_after_the_receiver_has_acted_rejection_is_gone() {
    let acts: [fn(&World, DocumentId) -> Outcome; 6] = [
        |world, bill| nominate(world, world.tier_2, bill, Some(world.tier_3)),
        |world, bill| {
            surrender(world, world.tier_2, bill)?;
            answer(world, world.carrier, bill, false)
        },
        |world, bill| {
            pledge(world, world.tier_2, bill, world.bank)?;
            release(world, world.bank, bill)
        },
        |world, bill| {
            endorse_as(world, world.tier_2, bill, BLANK)?;
            present(world, world.tier_2, bill, &KEY)
        },
        |world, bill| {
            propose(world, world.carrier, bill, amendment(world))?;
            consent(world, world.tier_2, bill, true)
        },
        |world, bill| {
            transfer_holder(world, world.tier_2, bill, world.tier_3)?;
            reject(world, world.tier_3, bill)
        },
    ];
    for (number, act) in acts.into_iter().enumerate() {
        let (world, bill) = bill();
        endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
        act(&world, bill).unwrap();
        assert_eq!(owners(&world, bill).0, world.tier_2.account, "act {number}");
        let (kept, _) = (record(&world, bill).former_holder, ());
        assert_eq!(kept, None, "act {number}");
    }
    let (world, bill) = bill();
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    nominate(&world, world.tier_2, bill, Some(world.tier_3)).unwrap();
    refuses(&world, || reject(&world, world.tier_2, bill), TradeError::NothingToReject);
}

#[test]
fn c12_a_rejection_chain_never_jumps_over_a_party() {
    let (world, bill) = bill();
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    endorse(&world, world.tier_2, bill, world.tier_3).unwrap();
    reject(&world, world.tier_3, bill).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_2.account, world.tier_2.account));
    // Tier 2 acted by endorsing, so it cannot hand on to tier 1 what came back.
    refuses(&world, || reject(&world, world.tier_2, bill), TradeError::NothingToReject);
}

#[test]
fn c13_f21_only_one_who_is_both_surrenders() {
    let (world, bill) = bill();
    transfer_holder(&world, world.tier_1, bill, world.tier_2).unwrap();
    refuses(&world, || surrender(&world, world.tier_2, bill), TradeError::NotOwner);
    refuses(&world, || surrender(&world, world.tier_1, bill), TradeError::NotOwner);
    reject(&world, world.tier_2, bill).unwrap();
    surrender(&world, world.tier_1, bill).unwrap();
    assert_eq!(record(&world, bill).state, TitleState::Surrendered);
}

#[test]
fn c14_the_carrier_accepts_or_rejects_a_surrender() {
    let (world, bill) = bill();
    let not_surrendered = TradeError::TitleState { state: TitleState::Issued, needed: TitleState::Surrendered };
    refuses(&world, || answer(&world, world.carrier, bill, true), not_surrendered);
    surrender(&world, world.tier_1, bill).unwrap();
    refuses(&world, || answer(&world, world.tier_1, bill, true), TradeError::NotCarrier);
    answer(&world, world.carrier, bill, false).unwrap();
    let returned = record(&world, bill);
    assert_eq!((returned.state, returned.purpose, returned.holder), (TitleState::Issued, None, world.tier_1.account));
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    surrender(&world, world.tier_2, bill).unwrap();
    answer(&world, world.carrier, bill, true).unwrap();
    assert_eq!(record(&world, bill).state, TitleState::Accomplished);
}

#[test]
fn c15_after_surrender_nothing_moves() {
    let (world, bill) = bill();
    surrender(&world, world.tier_1, bill).unwrap();
    for state in [TitleState::Surrendered, TitleState::Accomplished] {
        let ended = wrong_state(state);
        refuses(&world, || endorse(&world, world.tier_1, bill, world.tier_2), ended.clone());
        refuses(&world, || endorse_as(&world, world.tier_1, bill, BLANK), ended.clone());
        refuses(&world, || transfer_holder(&world, world.tier_1, bill, world.tier_2), ended.clone());
        refuses(&world, || transfer_beneficiary(&world, world.tier_1, bill), ended.clone());
        refuses(&world, || nominate(&world, world.tier_1, bill, Some(world.tier_2)), ended.clone());
        refuses(&world, || reject(&world, world.tier_1, bill), ended.clone());
        refuses(&world, || surrender(&world, world.tier_1, bill), ended.clone());
        refuses(&world, || pledge(&world, world.tier_1, bill, world.bank), ended.clone());
        refuses(&world, || present(&world, world.tier_2, bill, &KEY), ended.clone());
        refuses(&world, || propose(&world, world.carrier, bill, amendment(&world)), ended.clone());
        refuses(&world, || consent(&world, world.tier_1, bill, true), ended);
        if state == TitleState::Surrendered {
            answer(&world, world.carrier, bill, true).unwrap();
        }
    }
    let done = TradeError::TitleState { state: TitleState::Accomplished, needed: TitleState::Surrendered };
    refuses(&world, || answer(&world, world.carrier, bill, false), done);
}

#[test]
fn c16_void_and_reissue_only_with_the_present_owners_consent() {
    let (world, old) = bill();
    let order = record(&world, old).order;
    let reissue = |seed, change: &dyn Fn(&mut portolan_interface::trade::BillTerms)| {
        issue(&world, seed, order, |terms| {
            terms.number = "TIDE1".into();
            terms.replaces = Some(old);
            change(terms);
        })
    };
    // The carrier alone can neither void nor replace it.
    refuses(&world, || reissue(2, &|_| {}), TradeError::NotReplaceable { state: TitleState::Issued });
    endorse(&world, world.tier_1, old, world.tier_2).unwrap();
    surrender_for(&world, world.tier_2, old, SurrenderPurpose::Reissue).unwrap();
    refuses(&world, || reissue(2, &|_| {}), TradeError::NotReplaceable { state: TitleState::Surrendered });
    answer(&world, world.carrier, old, true).unwrap();
    assert_eq!(record(&world, old).state, TitleState::Void);
    refuses(&world, || endorse(&world, world.tier_2, old, world.tier_1), wrong_state(TitleState::Void));
    // The new one goes to the owner that consented, from the same carrier, for the same order.
    refuses(&world, || reissue(2, &|_| {}), TradeError::NotToItsOwner);
    let to_owner = |terms: &mut portolan_interface::trade::BillTerms| {
        (terms.holder, terms.beneficiary) = (world.tier_2.account, world.tier_2.account);
    };
    let other_order = world.order(9, cny(1_000));
    refuses(
        &world,
        || {
            reissue(2, &|terms| {
                to_owner(terms);
                terms.order = other_order;
            })
        },
        TradeError::OtherOrder,
    );
    let new = reissue(2, &to_owner).unwrap();
    assert_eq!((record(&world, new).replaces, record(&world, old).replaced_by), (Some(old), Some(new)));
    assert_eq!(acts(&world, old).last(), Some(&(TitleAct::Replaced, world.carrier.account)));
    refuses(
        &world,
        || {
            reissue(3, &|terms| {
                to_owner(terms);
                terms.number = "TIDE3".into();
            })
        },
        TradeError::ReplacedAlready { by: new },
    );
    // The number is the new one's now.
    refuses(
        &world,
        || issue(&world, 4, order, |terms| terms.number = "TIDE1".into()),
        TradeError::DuplicateBillNumber { first: new },
    );
}

#[test]
fn c16_another_carrier_replaces_nothing() {
    let (world, old) = bill();
    let order = record(&world, old).order;
    surrender_for(&world, world.tier_1, old, SurrenderPurpose::Reissue).unwrap();
    answer(&world, world.carrier, old, true).unwrap();
    let other = world.chain.member("other-lines", &[portolan_interface::Role::Logistics]);
    let other = Firm { member: other, account: world.chain.account(other, "main") };
    let terms = portolan_interface::trade::BillTerms { replaces: Some(old), ..world.bill_terms(2, order) };
    refuses(&world, || world.trade(other).issue_bill(other.account, terms), TradeError::NotCarrier);
}

#[test]
fn c17_an_amendment_needs_the_owner_and_keeps_the_chain() {
    let (world, bill) = bill();
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    refuses(&world, || propose(&world, world.tier_2, bill, amendment(&world)), TradeError::NotCarrier);
    refuses(&world, || consent(&world, world.tier_2, bill, true), TradeError::NoAmendment);
    let before = record(&world, bill);
    propose(&world, world.carrier, bill, amendment(&world)).unwrap();
    let proposed = record(&world, bill);
    assert_eq!((&proposed.containers, proposed.amendments), (&before.containers, 0), "nothing yet");
    refuses(&world, || consent(&world, world.carrier, bill, true), TradeError::NotOwner);
    refuses(&world, || consent(&world, world.tier_1, bill, true), TradeError::NotOwner);
    consent(&world, world.tier_2, bill, true).unwrap();
    let after = record(&world, bill);
    let Amendment { containers, loading, discharge, on_board, commitment } = amendment(&world);
    assert_eq!((after.containers, after.loading, after.discharge), (containers, loading, discharge));
    assert_eq!((after.on_board, after.commitment, after.amendments), (on_board, commitment, 1));
    assert_eq!(after.flags, [portolan_interface::trade::DateFlag::BeforeOrder], "its dates are judged again");
    assert_eq!((after.id, after.amendment), (bill, None));
    let (carrier, owner) = (world.carrier.account, world.tier_2.account);
    assert_eq!(
        acts(&world, bill),
        [
            (TitleAct::Issue, carrier),
            (TitleAct::Both, world.tier_1.account),
            (TitleAct::AmendmentProposed, carrier),
            (TitleAct::Amended, owner)
        ]
    );
}

#[test]
fn c17_an_amendment_is_refused_taken_back_or_held_to_the_rules_of_an_issue() {
    let (world, bill) = bill();
    let commitment = record(&world, bill).commitment;
    for by in [world.tier_1, world.carrier] {
        propose(&world, world.carrier, bill, amendment(&world)).unwrap();
        consent(&world, by, bill, false).unwrap();
        assert_eq!((record(&world, bill).amendment, record(&world, bill).commitment), (None, commitment));
        assert_eq!(acts(&world, bill).last(), Some(&(TitleAct::AmendmentRefused, by.account)));
    }
    let wrong = Amendment { containers: vec!["CSQU3054384".into()], ..amendment(&world) };
    refuses(&world, || propose(&world, world.carrier, bill, wrong), TradeError::Container { position: 0 });
    let wrong = Amendment { discharge: "DE1AM".into(), ..amendment(&world) };
    refuses(&world, || propose(&world, world.carrier, bill, wrong), TradeError::Port);
    let on_board = world.in_days(1);
    let wrong = Amendment { on_board, ..amendment(&world) };
    refuses(&world, || propose(&world, world.carrier, bill, wrong), TradeError::OnBoardInFuture { on_board });
}

#[test]
fn c18_f22_a_switch_to_paper_ends_the_electronic_title_for_ever() {
    let (world, old) = bill();
    let order = record(&world, old).order;
    surrender_for(&world, world.tier_1, old, SurrenderPurpose::Paper).unwrap();
    answer(&world, world.carrier, old, true).unwrap();
    let on_paper = record(&world, old);
    assert_eq!(on_paper.state, TitleState::OnPaper);
    assert_eq!(acts(&world, old).last(), Some(&(TitleAct::SwitchedToPaper, world.carrier.account)));
    let ended = wrong_state(TitleState::OnPaper);
    refuses(&world, || endorse(&world, world.tier_1, old, world.tier_2), ended.clone());
    refuses(&world, || surrender(&world, world.tier_1, old), ended);
    let needed = TitleState::Surrendered;
    refuses(
        &world,
        || answer(&world, world.carrier, old, false),
        TradeError::TitleState { state: TitleState::OnPaper, needed },
    );
    // Back only as a new title that names it, for whoever brings the paper.
    refuses(
        &world,
        || issue(&world, 2, order, |terms| terms.number = "TIDE1".into()),
        TradeError::DuplicateBillNumber { first: old },
    );
    let new = issue(&world, 2, order, |terms| {
        terms.replaces = Some(old);
        (terms.holder, terms.beneficiary) = (world.tier_3.account, world.tier_3.account);
    })
    .unwrap();
    assert_eq!(record(&world, new).replaces, Some(old));
    let old = record(&world, old);
    assert_eq!((old.state, old.replaced_by), (TitleState::OnPaper, Some(new)));
}

#[test]
fn c19_a_straight_bill_names_its_consignee_and_is_not_endorsed() {
    let world = World::new();
    let order = world.order(1, cny(1_000));
    let nobody = || issue(&world, 1, order, |terms| terms.negotiable = false);
    refuses(&world, nobody, TradeError::StraightToNobody);
    let bill = issue(&world, 1, order, |terms| {
        terms.negotiable = false;
        terms.consignee = Some(world.core.account);
    })
    .unwrap();
    refuses(&world, || endorse(&world, world.tier_1, bill, world.tier_2), TradeError::NotNegotiable);
    refuses(&world, || endorse_as(&world, world.tier_1, bill, BLANK), TradeError::NotNegotiable);
    refuses(&world, || transfer_holder(&world, world.tier_1, bill, world.tier_2), TradeError::NotNegotiable);
    refuses(&world, || transfer_beneficiary(&world, world.tier_1, bill), TradeError::NotNegotiable);
    refuses(&world, || nominate(&world, world.tier_1, bill, Some(world.tier_2)), TradeError::NotNegotiable);
    surrender(&world, world.tier_1, bill).unwrap();
}

#[test]
fn c20_in_blank_the_presenter_takes_it() {
    let (world, bill) = bill();
    refuses(&world, || present(&world, world.tier_3, bill, &KEY), TradeError::NotInBlank);
    nominate(&world, world.tier_1, bill, Some(world.tier_2)).unwrap();
    endorse_as(&world, world.tier_1, bill, BLANK).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_1.account, world.tier_1.account), "exactly one owner meanwhile");
    // Who endorsed in blank cannot move it past the bearer.
    refuses(&world, || endorse(&world, world.tier_1, bill, world.tier_2), TradeError::InBlank);
    refuses(&world, || transfer_holder(&world, world.tier_1, bill, world.tier_2), TradeError::InBlank);
    refuses(&world, || transfer_beneficiary(&world, world.tier_1, bill), TradeError::InBlank);
    refuses(&world, || nominate(&world, world.tier_1, bill, Some(world.tier_3)), TradeError::InBlank);
    refuses(&world, || surrender(&world, world.tier_1, bill), TradeError::InBlank);
    refuses(&world, || pledge(&world, world.tier_1, bill, world.bank), TradeError::InBlank);
    // Another key, and a signature for another account or another bill, take nothing.
    refuses(&world, || present(&world, world.tier_3, bill, &[8; 33]), TradeError::NotBearer);
    let stolen = TestChain::sign(&KEY, &presentation(bill, world.tier_3.account));
    let (thief, step) = (world.tier_2, now(&world, bill));
    refuses(&world, || world.trade(thief).present_title(thief.account, bill, stolen, step), TradeError::NotBearer);
    let elsewhere = TestChain::sign(&KEY, &presentation(DocumentId([1; 32]), thief.account));
    refuses(&world, || world.trade(thief).present_title(thief.account, bill, elsewhere, step), TradeError::NotBearer);
    present(&world, world.tier_3, bill, &KEY).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_3.account, world.tier_3.account));
    refuses(&world, || present(&world, world.tier_2, bill, &KEY), TradeError::NotInBlank);
    refuses(&world, || reject(&world, world.tier_3, bill), TradeError::NothingToReject);
    endorse(&world, world.tier_3, bill, world.core).unwrap();
}

#[test]
fn c20_to_a_named_one_only_they_have_it_and_it_goes_no_further() {
    let (world, bill) = bill();
    endorse_as(&world, world.tier_1, bill, EndorsementForm::Named(world.tier_2.account)).unwrap();
    assert_eq!(owners(&world, bill), (world.tier_2.account, world.tier_2.account));
    assert_eq!(acts(&world, bill).last(), Some(&(TitleAct::Named, world.tier_1.account)));
    refuses(&world, || endorse(&world, world.tier_2, bill, world.tier_3), TradeError::NamedOnly);
    refuses(&world, || endorse_as(&world, world.tier_2, bill, BLANK), TradeError::NamedOnly);
    refuses(&world, || transfer_holder(&world, world.tier_2, bill, world.tier_3), TradeError::NamedOnly);
    refuses(&world, || nominate(&world, world.tier_2, bill, Some(world.tier_3)), TradeError::NamedOnly);
    refuses(&world, || present(&world, world.tier_3, bill, &KEY), TradeError::NotInBlank);
    // Given back, it can be endorsed again; kept, it is surrendered.
    reject(&world, world.tier_2, bill).unwrap();
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    endorse_as(&world, world.tier_2, bill, EndorsementForm::Named(world.tier_3.account)).unwrap();
    surrender(&world, world.tier_3, bill).unwrap();
}

#[test]
fn c21_the_endorsement_chain_is_whole_and_ordered() {
    let (world, bill) = bill();
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    transfer_holder(&world, world.tier_2, bill, world.bank).unwrap();
    reject(&world, world.bank, bill).unwrap();
    surrender(&world, world.tier_2, bill).unwrap();
    answer(&world, world.carrier, bill, true).unwrap();
    assert_eq!(
        acts(&world, bill),
        [
            (TitleAct::Issue, world.carrier.account),
            (TitleAct::Both, world.tier_1.account),
            (TitleAct::Holder, world.tier_2.account),
            (TitleAct::Reject, world.bank.account),
            (TitleAct::Surrender, world.tier_2.account),
            (TitleAct::SurrenderAccepted, world.carrier.account),
        ]
    );
    let view = title(&world, bill);
    assert!(view.endorsements.is_sorted_by(|one, next| one.height < next.height && one.date <= next.date));
    let rest = Trade::over(world.chain.as_operator()).title(bill, Some(4)).unwrap().endorsements;
    assert_eq!((view.bill.endorsements, rest.as_slice()), (6, &view.endorsements[4..]));
}

#[test]
fn c21_an_imported_chain_is_put_in_order_and_a_gap_is_refused() {
    let world = World::new();
    let order = world.order(1, cny(1_000));
    let step = |from: u8, to: u8, days| EarlierEndorsement {
        from: Hash([from; 32]),
        to: Hash([to; 32]),
        date: world.in_days(days),
    };
    let chain = vec![step(1, 2, -9), step(2, 3, -5), step(3, 4, -5)];
    let newest_first: Vec<_> = chain.iter().rev().cloned().collect();
    for (seed, earlier) in [(1, chain.clone()), (2, newest_first)] {
        let bill = issue(&world, seed, order, |terms| terms.earlier = earlier).unwrap();
        assert_eq!(title(&world, bill).earlier, chain);
    }
    let gap = vec![step(1, 2, -9), step(3, 4, -5)];
    refuses(&world, || issue(&world, 3, order, |terms| terms.earlier = gap), TradeError::ChainGap { position: 1 });
    let long = vec![step(1, 1, 0); 65];
    refuses(&world, || issue(&world, 3, order, |terms| terms.earlier = long), TradeError::TooMany { limit: 64 });
}

#[test]
fn c22_s10_a_pledge_blocks_surrender_and_transfer_without_the_bank() {
    let (world, bill) = bill();
    refuses(&world, || pledge(&world, world.tier_1, bill, world.tier_2), TradeError::WrongRole);
    pledge(&world, world.tier_1, bill, world.bank).unwrap();
    let pledged = TradeError::Pledged { to: world.bank.account };
    assert_eq!(owners(&world, bill), (world.tier_1.account, world.tier_1.account), "it secures, and moves nothing");
    refuses(&world, || surrender(&world, world.tier_1, bill), pledged.clone());
    refuses(&world, || endorse(&world, world.tier_1, bill, world.tier_2), pledged.clone());
    refuses(&world, || endorse_as(&world, world.tier_1, bill, BLANK), pledged.clone());
    refuses(&world, || transfer_holder(&world, world.tier_1, bill, world.tier_2), pledged.clone());
    refuses(&world, || nominate(&world, world.tier_1, bill, Some(world.tier_2)), pledged.clone());
    refuses(&world, || pledge(&world, world.tier_1, bill, world.other_bank), pledged.clone());
    propose(&world, world.carrier, bill, amendment(&world)).unwrap();
    refuses(&world, || consent(&world, world.tier_1, bill, true), pledged);
    // With the bank's approval in the same transaction it moves, and stays pledged.
    let step = now(&world, bill);
    let both = world.chain.as_account(world.tier_1.account).approved_by(world.bank.account, 1);
    let form = EndorsementForm::ToOrder(world.tier_2.account);
    Trade::over(both).endorse(world.tier_1.account, bill, form, step).unwrap();
    assert_eq!(record(&world, bill).pledgee, Some(world.bank.account));
    // Not even with the bank's approval has another bank it in pledge too.
    let step = now(&world, bill);
    let second = || {
        let both = world.chain.as_account(world.tier_2.account).approved_by(world.bank.account, 1);
        Trade::over(both).pledge_title(world.tier_2.account, bill, world.other_bank.account, step)
    };
    refuses(&world, second, TradeError::Pledged { to: world.bank.account });
    let still = TradeError::Pledged { to: world.bank.account };
    refuses(&world, || surrender(&world, world.tier_2, bill), still);
    // Back on repayment, surrendered at the port.
    refuses(&world, || release(&world, world.other_bank, bill), TradeError::NotPledgee);
    release(&world, world.bank, bill).unwrap();
    surrender(&world, world.tier_2, bill).unwrap();
    answer(&world, world.carrier, bill, true).unwrap();
    deliver(&world, world.carrier, bill, world.tier_2).unwrap();
    let (owner, bank) = (world.tier_1.account, world.bank.account);
    let acts: Vec<_> =
        title(&world, bill).endorsements.iter().map(|entry| (entry.act, entry.by, entry.named)).collect();
    assert_eq!(acts[1], (TitleAct::Pledge, owner, Some(bank)));
    assert_eq!(acts[4], (TitleAct::PledgeReleased, bank, Some(bank)));
}

#[test]
fn c22_a_bank_takes_no_pledge_from_itself_and_a_rejected_pledge_of_a_stranger_is_none() {
    let (world, bill) = bill();
    endorse(&world, world.tier_1, bill, world.bank).unwrap();
    refuses(&world, || pledge(&world, world.bank, bill, world.bank), TradeError::SameParty);
    refuses(&world, || pledge(&world, world.tier_1, bill, world.other_bank), TradeError::NotOwner);
    refuses(&world, || release(&world, world.bank, bill), TradeError::NotPledgee);
}

#[test]
fn c22_a_pledge_ends_with_the_title_that_the_bank_let_go() {
    let (world, bill) = bill();
    pledge(&world, world.tier_1, bill, world.bank).unwrap();
    let both = world.chain.as_account(world.tier_1.account).approved_by(world.bank.account, 1);
    let step = now(&world, bill);
    Trade::over(both).surrender(world.tier_1.account, bill, SurrenderPurpose::Delivery, step).unwrap();
    answer(&world, world.carrier, bill, false).unwrap();
    assert_eq!(record(&world, bill).pledgee, Some(world.bank.account), "a returned title is pledged as before");
    let both = world.chain.as_account(world.tier_1.account).approved_by(world.bank.account, 1);
    let step = now(&world, bill);
    Trade::over(both).surrender(world.tier_1.account, bill, SurrenderPurpose::Delivery, step).unwrap();
    answer(&world, world.carrier, bill, true).unwrap();
    assert_eq!(record(&world, bill).pledgee, None);
}

#[test]
fn c23_a_frozen_party_neither_gives_nor_takes() {
    let (world, bill) = bill();
    let frozen = TradeError::MemberNotActive { status: MemberStatus::Frozen };
    nominate(&world, world.tier_1, bill, Some(world.tier_2)).unwrap();
    world.chain.set_status(world.tier_2.member, MemberStatus::Frozen);
    refuses(&world, || transfer_beneficiary(&world, world.tier_1, bill), frozen.clone());
    refuses(&world, || transfer_holder(&world, world.tier_1, bill, world.tier_2), frozen.clone());
    refuses(&world, || endorse(&world, world.tier_1, bill, world.tier_2), frozen.clone());
    let named = EndorsementForm::Named(world.tier_2.account);
    refuses(&world, || endorse_as(&world, world.tier_1, bill, named), frozen.clone());
    refuses(&world, || nominate(&world, world.tier_1, bill, Some(world.tier_2)), frozen.clone());
    world.chain.set_status(world.bank.member, MemberStatus::Frozen);
    refuses(&world, || pledge(&world, world.tier_1, bill, world.bank), frozen.clone());
    // Nor does it get back what somebody rejects.
    endorse(&world, world.tier_1, bill, world.tier_3).unwrap();
    world.chain.set_status(world.tier_1.member, MemberStatus::Frozen);
    refuses(&world, || reject(&world, world.tier_3, bill), frozen);
    world.chain.set_status(world.tier_1.member, MemberStatus::Active);
    reject(&world, world.tier_3, bill).unwrap();
    world.chain.set_status(world.tier_1.member, MemberStatus::Frozen);
    let cannot_give = TradeError::Unauthorized(Unauthorized::MemberNotActive);
    refuses(&world, || endorse(&world, world.tier_1, bill, world.tier_3), cannot_give.clone());
    refuses(&world, || surrender(&world, world.tier_1, bill), cannot_give);
}

#[test]
fn c23_no_bill_is_issued_to_a_frozen_party_and_no_goods_are_delivered_to_one() {
    let (world, bill) = bill();
    let order = record(&world, bill).order;
    surrender(&world, world.tier_1, bill).unwrap();
    answer(&world, world.carrier, bill, true).unwrap();
    world.chain.set_status(world.tier_2.member, MemberStatus::Frozen);
    let frozen = TradeError::MemberNotActive { status: MemberStatus::Frozen };
    let two = world.tier_2.account;
    refuses(&world, || issue(&world, 2, order, |terms| terms.holder = two), frozen.clone());
    refuses(&world, || issue(&world, 2, order, |terms| terms.beneficiary = two), frozen.clone());
    refuses(&world, || issue(&world, 2, order, |terms| terms.consignee = Some(two)), frozen.clone());
    refuses(&world, || issue(&world, 2, order, |terms| terms.shipper = two), frozen.clone());
    refuses(&world, || deliver(&world, world.carrier, bill, world.tier_2), frozen);
}

#[test]
fn c23_a_restricted_carrier_amends_nothing_and_a_restricted_guarantor_promises_nothing() {
    let (world, bill) = bill();
    for firm in [world.carrier, world.core] {
        world.chain.set_status(firm.member, MemberStatus::Restricted);
    }
    let restricted = TradeError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || propose(&world, world.carrier, bill, amendment(&world)), restricted.clone());
    refuses(&world, || indemnify(&world, world.core, bill, commitment(7)), restricted);
}

#[test]
fn c23_a_frozen_bearer_takes_nothing_and_a_restricted_owner_only_gives_back() {
    let (world, bill) = bill();
    endorse(&world, world.tier_1, bill, world.tier_2).unwrap();
    world.chain.set_status(world.tier_2.member, MemberStatus::Restricted);
    let restricted = TradeError::MemberNotActive { status: MemberStatus::Restricted };
    refuses(&world, || endorse(&world, world.tier_2, bill, world.tier_3), restricted.clone());
    refuses(&world, || transfer_holder(&world, world.tier_2, bill, world.tier_3), restricted.clone());
    refuses(&world, || nominate(&world, world.tier_2, bill, Some(world.tier_3)), restricted.clone());
    refuses(&world, || pledge(&world, world.tier_2, bill, world.bank), restricted);
    reject(&world, world.tier_2, bill).unwrap();
    endorse_as(&world, world.tier_1, bill, BLANK).unwrap();
    world.chain.set_status(world.tier_3.member, MemberStatus::Frozen);
    let cannot_take = TradeError::Unauthorized(Unauthorized::MemberNotActive);
    refuses(&world, || present(&world, world.tier_3, bill, &KEY), cannot_take);
}

#[test]
fn c24_goods_are_delivered_against_a_taken_title() {
    let (world, bill) = bill();
    refuses(&world, || deliver(&world, world.carrier, bill, world.core), TradeError::NothingToDeliverOn);
    surrender(&world, world.tier_1, bill).unwrap();
    refuses(&world, || deliver(&world, world.carrier, bill, world.core), TradeError::NothingToDeliverOn);
    answer(&world, world.carrier, bill, true).unwrap();
    refuses(&world, || deliver(&world, world.tier_1, bill, world.core), TradeError::NotCarrier);
    deliver(&world, world.carrier, bill, world.core).unwrap();
    let date = world.today();
    let delivery = Delivery { basis: DeliveryBasis::Surrender, to: world.core.account, date };
    assert_eq!(record(&world, bill).delivery, Some(delivery));
    refuses(&world, || deliver(&world, world.carrier, bill, world.core), TradeError::DeliveredAlready);
}

#[test]
fn c24_f23_without_the_title_a_letter_of_indemnity_is_recorded_with_its_giver() {
    let (world, bill) = bill();
    let letter = commitment(77);
    let forged = || {
        let step = now(&world, bill);
        world.trade(world.carrier).give_indemnity(world.core.account, bill, letter, step)
    };
    refuses(&world, forged, TradeError::Unauthorized(Unauthorized::TooFewPersons));
    // Neither a stranger, who would come to read the title, nor the carrier itself.
    for firm in [world.bank, world.tier_3, world.carrier] {
        refuses(&world, || indemnify(&world, firm, bill, letter), TradeError::NotParty);
    }
    indemnify(&world, world.core, bill, letter).unwrap();
    deliver(&world, world.carrier, bill, world.core).unwrap();
    let spent = record(&world, bill);
    assert_eq!(spent.indemnity, Some(Indemnity { giver: world.core.account, letter }));
    assert_eq!(spent.delivery.unwrap().basis, DeliveryBasis::Indemnity);
    assert_eq!(
        acts(&world, bill)[1..],
        [(TitleAct::Indemnified, world.core.account), (TitleAct::Delivered, world.carrier.account)]
    );
    // The title is spent: nobody buys, takes in pledge or amends goods that are gone; it can only go back to the carrier.
    refuses(&world, || endorse(&world, world.tier_1, bill, world.tier_2), TradeError::DeliveredAlready);
    refuses(&world, || nominate(&world, world.tier_1, bill, Some(world.tier_2)), TradeError::DeliveredAlready);
    refuses(&world, || pledge(&world, world.tier_1, bill, world.bank), TradeError::DeliveredAlready);
    refuses(&world, || propose(&world, world.carrier, bill, amendment(&world)), TradeError::DeliveredAlready);
    refuses(&world, || indemnify(&world, world.core, bill, letter), TradeError::DeliveredAlready);
    for purpose in [SurrenderPurpose::Paper, SurrenderPurpose::Reissue] {
        refuses(&world, || surrender_for(&world, world.tier_1, bill, purpose), TradeError::DeliveredAlready);
    }
    surrender(&world, world.tier_1, bill).unwrap();
    answer(&world, world.carrier, bill, true).unwrap();
}

#[test]
fn c24_no_indemnity_for_a_title_that_has_ended() {
    for purpose in [SurrenderPurpose::Delivery, SurrenderPurpose::Paper, SurrenderPurpose::Reissue] {
        let (world, bill) = bill();
        indemnify(&world, world.core, bill, commitment(77)).unwrap();
        surrender_for(&world, world.tier_1, bill, purpose).unwrap();
        answer(&world, world.carrier, bill, true).unwrap();
        let state = record(&world, bill).state;
        refuses(&world, || indemnify(&world, world.core, bill, commitment(77)), wrong_state(state));
        if purpose != SurrenderPurpose::Delivery {
            refuses(&world, || deliver(&world, world.carrier, bill, world.core), TradeError::NothingToDeliverOn);
        }
    }
}

#[test]
fn c25_every_act_carries_the_hash_of_a_remark_that_stays() {
    let (world, bill) = bill();
    let said = |number: u64| TitleStep { seen: number as u32, remark: Some(commitment(900 + number)) };
    let (owner, carrier, bank) = (world.trade(world.tier_1), world.trade(world.carrier), world.trade(world.bank));
    let one = world.tier_1.account;
    let two = world.tier_2.account;
    owner.nominate(one, bill, Some(two), said(1)).unwrap();
    owner.transfer_beneficiary(one, bill, said(2)).unwrap();
    world.trade(world.tier_2).reject_title(two, bill, said(3)).unwrap();
    owner.transfer_holder(one, bill, two, said(4)).unwrap();
    world.trade(world.tier_2).reject_title(two, bill, said(5)).unwrap();
    owner.pledge_title(one, bill, world.bank.account, said(6)).unwrap();
    bank.release_title(world.bank.account, bill, said(7)).unwrap();
    carrier.propose_amendment(world.carrier.account, bill, amendment(&world), said(8)).unwrap();
    owner.answer_amendment(one, bill, true, said(9)).unwrap();
    owner.endorse(one, bill, BLANK, said(10)).unwrap();
    let signature = TestChain::sign(&KEY, &presentation(bill, two));
    world.trade(world.tier_2).present_title(two, bill, signature, said(11)).unwrap();
    world.trade(world.tier_2).endorse(two, bill, EndorsementForm::ToOrder(one), said(12)).unwrap();
    world.trade(world.core).give_indemnity(world.core.account, bill, commitment(77), said(13)).unwrap();
    owner.surrender(one, bill, SurrenderPurpose::Delivery, said(14)).unwrap();
    carrier.answer_surrender(world.carrier.account, bill, true, said(15)).unwrap();
    carrier.deliver(world.carrier.account, bill, one, said(16)).unwrap();
    let chain = title(&world, bill).endorsements;
    assert_eq!(chain.len(), 17);
    for (number, entry) in (0u64..).zip(&chain).skip(1) {
        assert_eq!(entry.remark, Some(commitment(900 + number)), "{entry:?}");
    }
}

#[test]
fn c26_f20_of_two_acts_on_one_title_the_first_wins_and_the_second_is_stale() {
    let (world, bill) = bill();
    let step = now(&world, bill);
    let to = |firm: Firm| EndorsementForm::ToOrder(firm.account);
    let owner = world.trade(world.tier_1);
    owner.endorse(world.tier_1.account, bill, to(world.tier_2), step).unwrap();
    let stale = TradeError::StaleTitle { seen: 1, now: 2 };
    refuses(&world, || owner.endorse(world.tier_1.account, bill, to(world.tier_3), step), stale.clone());
    // Nor does an act of somebody else slip in on what has changed meanwhile: even one that would still be allowed.
    let next = world.trade(world.tier_2);
    let (two, letter) = (world.tier_2.account, commitment(7));
    refuses(&world, || next.nominate(two, bill, Some(world.tier_3.account), step), stale.clone());
    refuses(&world, || next.transfer_holder(two, bill, world.tier_3.account, step), stale.clone());
    refuses(&world, || next.transfer_beneficiary(two, bill, step), stale.clone());
    refuses(&world, || next.reject_title(two, bill, step), stale.clone());
    refuses(&world, || next.surrender(two, bill, SurrenderPurpose::Delivery, step), stale.clone());
    refuses(&world, || next.present_title(two, bill, [0; 65], step), stale.clone());
    refuses(&world, || next.pledge_title(two, bill, world.bank.account, step), stale.clone());
    refuses(&world, || next.release_title(two, bill, step), stale.clone());
    refuses(&world, || next.answer_amendment(two, bill, true, step), stale.clone());
    refuses(&world, || next.give_indemnity(two, bill, letter, step), stale.clone());
    let carrier = world.trade(world.carrier);
    let line = world.carrier.account;
    refuses(&world, || carrier.answer_surrender(line, bill, true, step), stale.clone());
    refuses(&world, || carrier.propose_amendment(line, bill, amendment(&world), step), stale.clone());
    refuses(&world, || carrier.deliver(line, bill, two, step), stale);
    assert_eq!(owners(&world, bill), (two, two));
}

#[test]
fn c27_a_carriers_number_is_used_once_whatever_its_case() {
    let (world, first) = bill();
    let order = world.order(2, cny(1_000));
    let again = |number: &str| issue(&world, 2, order, |terms| terms.number = number.into());
    refuses(&world, || again("TIDE1"), TradeError::DuplicateBillNumber { first });
    refuses(&world, || again("tide1"), TradeError::DuplicateBillNumber { first });
    again("TIDE-1").unwrap();
    // Another carrier has numbers of its own.
    let member = world.chain.member("other-lines", &[portolan_interface::Role::Logistics]);
    let other = Firm { member, account: world.chain.account(member, "main") };
    let terms = portolan_interface::trade::BillTerms { number: "TIDE1".into(), ..world.bill_terms(3, order) };
    let theirs = world.trade(other).issue_bill(other.account, terms).unwrap();
    assert_ne!(theirs, first);
}

#[test]
fn strangers_see_no_title_and_those_it_concerns_do() {
    let (world, bill) = bill();
    assert_eq!(refusal(world.trade(world.bank).title(bill, None)), TradeError::NotParty);
    pledge(&world, world.tier_1, bill, world.bank).unwrap();
    assert_eq!(world.trade(world.bank).title(bill, None).unwrap().bill.pledgee, Some(world.bank.account));
    assert_eq!(refusal(world.trade(world.core).title(bill, None)), TradeError::NotParty);
    indemnify(&world, world.core, bill, commitment(7)).unwrap();
    assert!(world.trade(world.core).title(bill, None).is_ok());
}
