//! Random sequences against a reference that keeps a plain list of leaves. After each act the sums must hold; at the end the due date comes.

mod world;

use portolan_interface::{
    CertificateId, PartId,
    receivable::{PartState, Recourse},
};
use portolan_terms::pro_rata;
use proptest::{collection, prelude::*};
use world::{Firm, World, cny, date};

const FACE: i128 = 1_000_000;
/// The smallest part of such a certificate.
const DUST: i128 = 100;

#[derive(Clone, Debug)]
enum Act {
    Split { leaf: usize, by: usize, cuts: Vec<i128> },
    Offer { leaf: usize, by: usize, to: usize },
    Accept { leaf: usize, by: usize },
    Reject { leaf: usize, by: usize },
    Withdraw { leaf: usize, by: usize },
    Discount { leaf: usize },
    Days(i32),
}

fn act() -> impl Strategy<Value = Act> {
    let (leaf, firm) = (0usize..1_000, 0usize..4);
    prop_oneof![
        5 => (leaf.clone(), firm.clone(), collection::vec(-20i128..400_000, 0..5)).prop_map(|(leaf, by, cuts)| Act::Split { leaf, by, cuts }),
        6 => (leaf.clone(), firm.clone(), firm.clone()).prop_map(|(leaf, by, to)| Act::Offer { leaf, by, to }),
        6 => (leaf.clone(), firm.clone()).prop_map(|(leaf, by)| Act::Accept { leaf, by }),
        1 => (leaf.clone(), firm.clone()).prop_map(|(leaf, by)| Act::Reject { leaf, by }),
        1 => (leaf.clone(), firm).prop_map(|(leaf, by)| Act::Withdraw { leaf, by }),
        1 => leaf.prop_map(|leaf| Act::Discount { leaf }),
        1 => (1i32..4).prop_map(Act::Days),
    ]
}

#[derive(Clone, Copy, PartialEq)]
enum Bound {
    Free,
    Offered { to: usize, until: i32 },
    Financed,
}

#[derive(Clone)]
struct Leaf {
    id: PartId,
    holder: usize,
    amount: i128,
    depth: u8,
    bound: Bound,
}

/// Leaves in their order in the tree.
struct Model {
    leaves: Vec<Leaf>,
    financed: bool,
}

/// The firms of the model; the last is the bank, which only ever receives by discount.
fn firms(world: &World) -> [Firm; 5] {
    [world.tier_1, world.tier_2, world.other_tier_2, world.tier_3, world.bank]
}

/// Does the act in both and compares whether it was allowed.
fn perform(world: &World, model: &mut Model, act: &Act) {
    let firms = firms(world);
    let today = world.chain.date();
    let count = model.leaves.len();
    let place = |leaf: usize| leaf % count;
    match act {
        Act::Split { leaf, by, cuts } => {
            let place = place(*leaf);
            let leaf = model.leaves[place].clone();
            // The last part takes the rest, so that many of the splits are exact.
            let mut amounts = cuts.clone();
            amounts.push(leaf.amount - cuts.iter().sum::<i128>());
            let done = world
                .receivable(firms[*by])
                .split(firms[*by].account, leaf.id, amounts.iter().map(|minor| cny(*minor)).collect())
                .is_ok();
            let allowed = leaf.holder == *by
                && leaf.bound == Bound::Free
                && leaf.depth < 32
                && amounts.len() >= 2
                && amounts.iter().all(|minor| *minor >= DUST);
            assert_eq!(done, allowed, "{leaf_amount} into {amounts:?}", leaf_amount = leaf.amount);
            if done {
                let children = (0u16..).zip(amounts).map(|(index, amount)| Leaf {
                    id: leaf.id.child(index),
                    amount,
                    depth: leaf.depth + 1,
                    ..leaf.clone()
                });
                model.leaves.splice(place..=place, children);
            }
        }
        Act::Offer { leaf, by, to } => {
            let leaf = &mut model.leaves[place(*leaf)];
            let until = portolan_interface::BusinessDate(today + 2);
            let done = world
                .receivable(firms[*by])
                .offer_transfer(firms[*by].account, leaf.id, firms[*to].account, Recourse::Without, until)
                .is_ok();
            assert_eq!(done, leaf.holder == *by && by != to && leaf.bound == Bound::Free);
            if done {
                leaf.bound = Bound::Offered { to: *to, until: until.0 };
            }
        }
        Act::Accept { leaf, by } => {
            let leaf = &mut model.leaves[place(*leaf)];
            let done = world.receivable(firms[*by]).accept_transfer(firms[*by].account, leaf.id).is_ok();
            assert_eq!(done, matches!(leaf.bound, Bound::Offered { to, .. } if to == *by));
            if done {
                (leaf.holder, leaf.bound) = (*by, Bound::Free);
            }
        }
        Act::Reject { leaf, by } => {
            let leaf = &mut model.leaves[place(*leaf)];
            let done = world.receivable(firms[*by]).reject_transfer(firms[*by].account, leaf.id).is_ok();
            assert_eq!(done, matches!(leaf.bound, Bound::Offered { to, .. } if to == *by));
            if done {
                leaf.bound = Bound::Free;
            }
        }
        Act::Withdraw { leaf, by } => {
            let leaf = &mut model.leaves[place(*leaf)];
            let done = world.receivable(firms[*by]).withdraw_transfer(firms[*by].account, leaf.id).is_ok();
            assert_eq!(done, leaf.holder == *by && matches!(leaf.bound, Bound::Offered { .. }));
            if done {
                leaf.bound = Bound::Free;
            }
        }
        Act::Discount { leaf } => {
            let leaf = &mut model.leaves[place(*leaf)];
            // The bank holds only what it bought; asking for that again is refused as well.
            let borrower = firms[leaf.holder];
            let asked = world.financing(borrower).request(borrower.account, leaf.id);
            assert_eq!(asked.is_ok(), leaf.bound == Bound::Free && !model.financed);
            if let Ok(financing) = asked {
                let offer =
                    world.financing(world.bank).offer(world.bank.account, financing, world.offer_terms()).unwrap();
                world.financing(borrower).accept(borrower.account, financing, offer).unwrap();
                (leaf.holder, leaf.bound) = (4, Bound::Financed);
                model.financed = true;
            }
        }
        Act::Days(days) => {
            world.advance_to(world.in_days(*days));
            for leaf in &mut model.leaves {
                if matches!(leaf.bound, Bound::Offered { until, .. } if until < world.chain.date()) {
                    leaf.bound = Bound::Free;
                }
            }
        }
    }
}

fn compare(world: &World, certificate: CertificateId, model: &Model) {
    let totals = world.assert_conserved(certificate);
    assert_eq!((totals.face, totals.outstanding), (cny(FACE), cny(FACE)));
    let firms = firms(world);
    let leaves: Vec<_> = world.tree(certificate).into_iter().filter(|part| part.children == 0).collect();
    assert_eq!(leaves.len(), model.leaves.len());
    for (part, leaf) in leaves.iter().zip(&model.leaves) {
        let state = match leaf.bound {
            Bound::Free => PartState::Live,
            Bound::Offered { .. } => PartState::Offered,
            Bound::Financed => PartState::Financed,
        };
        assert_eq!(
            (part.id, part.holder, part.amount.minor, part.state),
            (leaf.id, firms[leaf.holder].account, leaf.amount, state)
        );
    }
    for (who, firm) in firms.into_iter().enumerate() {
        let mut seen: Vec<PartId> = world.holdings(firm).iter().map(|part| part.id).collect();
        let concerns =
            |leaf: &&Leaf| leaf.holder == who || matches!(leaf.bound, Bound::Offered { to, .. } if to == who);
        let mut expected: Vec<PartId> = model.leaves.iter().filter(concerns).map(|leaf| leaf.id).collect();
        seen.sort_unstable();
        expected.sort_unstable();
        assert_eq!(seen, expected, "what {who} holds or is offered, each once");
    }
    world.assert_deposits(world.bank);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn claims_are_conserved_and_paid_as_the_reference_says(
        acts in collection::vec(act(), 1..50),
        deposits in collection::vec(0i128..FACE, 1..4),
    ) {
        let world = World::new();
        let (certificate, root) = world.live(1, cny(FACE));
        let whole = Leaf { id: root, holder: 0, amount: FACE, depth: 0, bound: Bound::Free };
        let mut model = Model { leaves: vec![whole], financed: false };
        for act in &acts {
            perform(&world, &mut model, act);
            compare(&world, certificate, &model);
        }
        let firms = firms(&world);
        let mut balances = firms.map(|firm| world.balance(firm, world.bank));
        let mut owed: Vec<i128> = model.leaves.iter().map(|leaf| leaf.amount).collect();
        for (days, minor) in (0i32..).zip(&deposits) {
            if *minor > 0 {
                world.deposit(cny(*minor));
            }
            world.advance_to(portolan_interface::BusinessDate(date("2026-06-01").0 + days));
            let available = (*minor).min(owed.iter().sum());
            let shares = pro_rata(available, &owed).unwrap();
            for ((leaf, owed), paid) in model.leaves.iter().zip(&mut owed).zip(shares) {
                *owed -= paid;
                balances[leaf.holder] += paid;
            }
            let settled: Vec<i128> = world.tree(certificate).iter().filter(|part| part.children == 0).map(|part| part.outstanding.minor).collect();
            prop_assert_eq!(&settled, &owed);
            prop_assert_eq!(firms.map(|firm| world.balance(firm, world.bank)), balances);
            world.assert_conserved(certificate);
            world.assert_deposits(world.bank);
        }
    }
}
