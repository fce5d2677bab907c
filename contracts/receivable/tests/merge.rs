//! Putting children together again: what was split and merged is what it was, and different claims never become one.

mod world;

use portolan_interface::{
    PartId,
    receivable::{self, HopKind, MAX_DEPTH, PartState, ReceivableError, ReceivableEvent, Recourse},
};
use portolan_sdk::CallError;
use world::{Firm, Receivable, World, cny, date, refusal, refuses};

const FACE: i128 = 120_000_000;

fn merge(world: &World, holder: Firm, part: PartId) -> Result<(), CallError<ReceivableError>> {
    world.receivable(holder).merge(holder.account, part)
}

fn pass(world: &World, from: Firm, to: Firm, part: PartId, recourse: Recourse) {
    world.receivable(from).offer_transfer(from.account, part, to.account, recourse, world.in_days(3)).unwrap();
    world.receivable(to).accept_transfer(to.account, part).unwrap();
}

#[test]
fn split_then_merge_is_the_identity() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let before = world.chain.snapshot();
    world.split(world.tier_1, root, &[40_000_000, 50_000_000, 30_000_000]);
    merge(&world, world.tier_1, root).unwrap();
    assert_eq!(world.chain.snapshot().storage, before.storage, "no child leaves a trace");
    let events = world.chain.events::<ReceivableEvent>(receivable::api::CONTRACT);
    let merged = ReceivableEvent::Merged { part: root, holder: world.tier_1.account, amount: cny(FACE), children: 3 };
    assert_eq!(events.last(), Some(&merged));
    world.assert_conserved(certificate);
}

#[test]
fn a_tree_is_merged_from_below_and_split_anew() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    world.split(world.tier_1, parts[1], &[30_000_000, 50_000_000]);
    let closed = ReceivableError::SiblingState { position: 1, state: PartState::Closed };
    refuses(&world, || merge(&world, world.tier_1, root), closed);
    merge(&world, world.tier_1, parts[1]).unwrap();
    merge(&world, world.tier_1, root).unwrap();
    refuses(&world, || merge(&world, world.tier_1, root), ReceivableError::NotSplit);
    refuses(&world, || merge(&world, world.tier_1, parts[0]), ReceivableError::UnknownPart);
    let again = world.split(world.tier_1, root, &[10_000_000, 20_000_000, 90_000_000]);
    world.transfer(world.tier_1, world.tier_2, again[1]);
    assert_eq!(world.holdings(world.tier_2).iter().map(|part| part.amount.minor).collect::<Vec<_>>(), [20_000_000]);
    world.assert_conserved(certificate);
}

#[test]
fn who_does_not_hold_all_children_cannot_merge_them() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    world.transfer(world.tier_1, world.tier_2, parts[1]);
    refuses(&world, || merge(&world, world.tier_1, root), ReceivableError::SiblingHolder { position: 1 });
    refuses(&world, || merge(&world, world.tier_2, root), ReceivableError::SiblingHolder { position: 0 });
    let forged = Receivable::over(world.chain.as_account(world.tier_2.account));
    world.transfer(world.tier_2, world.tier_1, parts[1]);
    let error = ReceivableError::Unauthorized(portolan_interface::Unauthorized::TooFewPersons);
    refuses(&world, || forged.merge(world.tier_1.account, root), error);
    world.assert_conserved(certificate);
}

#[test]
fn offered_and_financed_children_are_not_merged() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    world
        .receivable(world.tier_1)
        .offer_transfer(world.tier_1.account, parts[1], world.tier_2.account, Recourse::With, world.in_days(3))
        .unwrap();
    let state = |state| ReceivableError::SiblingState { position: 1, state };
    refuses(&world, || merge(&world, world.tier_1, root), state(PartState::Offered));
    world.receivable(world.tier_1).withdraw_transfer(world.tier_1.account, parts[1]).unwrap();
    // The bank buys both, one as a claim and one as a financing.
    world.transfer(world.tier_1, world.bank, parts[0]);
    world.discount(world.tier_1, parts[1], world.bank);
    refuses(&world, || merge(&world, world.bank, root), state(PartState::Financed));
}

#[test]
fn children_that_came_another_way_or_with_other_recourse_stay_apart() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    pass(&world, world.tier_1, world.tier_2, parts[0], Recourse::With);
    pass(&world, world.tier_1, world.tier_2, parts[1], Recourse::Without);
    refuses(&world, || merge(&world, world.tier_2, root), ReceivableError::SiblingPath { position: 1 });
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    pass(&world, world.tier_1, world.tier_2, parts[0], Recourse::With);
    pass(&world, world.tier_1, world.tier_3, parts[1], Recourse::With);
    pass(&world, world.tier_3, world.tier_2, parts[1], Recourse::With);
    refuses(&world, || merge(&world, world.tier_2, root), ReceivableError::SiblingPath { position: 1 });
}

#[test]
fn children_that_came_alike_are_merged_with_their_history() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    pass(&world, world.tier_1, world.tier_2, parts[0], Recourse::With);
    world.advance_to(world.in_days(1));
    pass(&world, world.tier_1, world.tier_2, parts[1], Recourse::With);
    merge(&world, world.tier_2, root).unwrap();
    let part = world.part(root);
    assert_eq!((part.holder, part.state, part.outstanding), (world.tier_2.account, PartState::Live, cny(FACE)));
    let hops: Vec<_> = part.hops.iter().map(|hop| (hop.kind, hop.from, hop.to, hop.recourse)).collect();
    assert_eq!(
        hops,
        [
            (HopKind::Issue, world.core.account, world.tier_1.account, Recourse::Without),
            (HopKind::Assignment, world.tier_1.account, world.tier_2.account, Recourse::With),
        ]
    );
    assert_eq!(world.holdings(world.tier_2).iter().map(|part| part.id).collect::<Vec<_>>(), [root]);
    assert!(world.holdings(world.tier_1).is_empty());
    // The whole goes on, and is paid to who holds it.
    world.transfer(world.tier_2, world.tier_3, root);
    world.deposit(cny(FACE));
    world.advance_to(date("2026-06-01"));
    assert_eq!(world.balance(world.tier_3, world.bank), FACE);
    world.assert_conserved(certificate);
}

#[test]
fn merging_does_not_give_back_hops() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    let mut pair = (world.tier_1, world.tier_2);
    for _ in 0..255 {
        for part in &parts {
            world.transfer(pair.0, pair.1, *part);
        }
        pair = (pair.1, pair.0);
    }
    merge(&world, pair.0, root).unwrap();
    let offer = world.receivable(pair.0).offer_transfer(
        pair.0.account,
        root,
        pair.1.account,
        Recourse::Without,
        world.in_days(3),
    );
    assert_eq!(refusal(offer), ReceivableError::TooManyHops);
}

#[test]
fn nothing_is_merged_on_the_due_date() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    world.chain.start_at(date("2026-06-01").0);
    refuses(&world, || merge(&world, world.tier_1, root), ReceivableError::PastDue { due: date("2026-06-01") });
}

#[test]
fn f06_merging_makes_room_for_splits_in_depth() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    let (mut part, mut left, mut line) = (root, FACE, Vec::new());
    for _ in 0..MAX_DEPTH {
        line.push(part);
        part = world.split(world.tier_1, part, &[left - 20_000, 20_000])[0];
        left -= 20_000;
    }
    for parent in line.into_iter().rev() {
        merge(&world, world.tier_1, parent).unwrap();
    }
    assert_eq!(world.part(root).outstanding, cny(FACE));
    assert_eq!(world.tree(certificate).len(), 1);
}

#[test]
fn f05_256_children_are_merged_in_one_call() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(256_000_000));
    let parts = world.split(world.tier_1, root, &[1_000_000; 256]);
    for part in &parts {
        pass(&world, world.tier_1, world.tier_2, *part, Recourse::With);
    }
    merge(&world, world.tier_2, root).unwrap();
    assert_eq!((world.part(root).outstanding, world.tree(certificate).len()), (cny(256_000_000), 1));
    world.assert_conserved(certificate);
}
