//! Putting the children of a split part together again: split, then merged, a part is what it was.
//!
//! What the children went through while they were apart must be the same for all, and becomes the part's own history; else merging would make
//! one claim out of claims with different recourse. Must never leave a trace of a child: the next split uses its id again.

use alloc::vec::Vec;

use portolan_interface::{
    AccountId, PartId,
    receivable::{Hop, PartState, ReceivableError, ReceivableEvent, api::emit},
};
use portolan_sdk::{ensure, env};

use crate::{
    ARRIVALS, HOPS, NOTES, PARTS,
    record::{PartRecord, Status},
};

/// Gives what is owed on the children back to their parent.
pub fn merge(holder: AccountId, part: PartId) -> Result<(), ReceivableError> {
    let mut parent = PartRecord::load(part)?;
    ensure!(parent.children > 0, ReceivableError::NotSplit);
    env::authorize(holder, "receivable.merge", parent.currency, 0).map_err(ReceivableError::Unauthorized)?;
    parent.ensure_not_due()?;
    let first = child(holder, part, 0)?;
    let path = hops(part.child(0), first.hops);
    let mut diluted = 0u128;
    for position in 0..parent.children {
        let sibling = child(holder, part, position)?;
        let alike = sibling.hops == first.hops && came_by(part.child(position), &path);
        ensure!(alike, ReceivableError::SiblingPath { position });
        diluted = diluted.saturating_add(sibling.diluted);
        forget(part.child(position), sibling.hops);
    }
    let children = parent.children;
    parent.diluted = parent.diluted.saturating_add(diluted);
    parent.children = 0;
    parent.status = Status::Live;
    inherit(part, &mut parent, &first, &path);
    PARTS.set(&part, &parent);
    let amount = parent.money(parent.outstanding())?;
    emit(&ReceivableEvent::Merged { part, holder, amount, children });
    Ok(())
}

/// A child that may be merged: live, and with this holder.
fn child(holder: AccountId, parent: PartId, position: u16) -> Result<PartRecord, ReceivableError> {
    let child = PartRecord::load(parent.child(position))?;
    ensure!(child.holder == holder, ReceivableError::SiblingHolder { position });
    let state = child.state();
    ensure!(state == PartState::Live, ReceivableError::SiblingState { position, state });
    ensure!(!child.weighed, ReceivableError::BeingLowered);
    Ok(child)
}

fn hops(part: PartId, count: u16) -> Vec<Hop> {
    (0..count).filter_map(|number| HOPS.get(&(part, number))).collect()
}

/// Whether the part went through the same hands on the same terms, on whatever days.
fn came_by(part: PartId, path: &[Hop]) -> bool {
    let alike = |hop: &Hop, other: &Hop| {
        (hop.kind, hop.from, hop.to, hop.recourse) == (other.kind, other.from, other.to, other.recourse)
    };
    (0u16..).zip(path).all(|(number, hop)| HOPS.get(&(part, number)).is_some_and(|other| alike(hop, &other)))
}

fn forget(part: PartId, hops: u16) {
    PARTS.remove(&part);
    NOTES.remove(&part);
    for number in 0..hops {
        HOPS.remove(&(part, number));
    }
}

/// The part went where its children went.
fn inherit(part: PartId, parent: &mut PartRecord, child: &PartRecord, path: &[Hop]) {
    if path.is_empty() {
        return;
    }
    for hop in path {
        HOPS.set(&(part, parent.hops), hop);
        parent.hops += 1;
    }
    parent.chain = child.chain;
    parent.holder = child.holder;
    parent.arrival = ARRIVALS.push(&child.holder, &part);
}
