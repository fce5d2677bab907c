//! Who answers for the debtor: recourse goes back hop by hop, each hop once, and only where it was agreed.
//!
//! The holder of an overdue part claims from who gave it. Made good, the part goes back, and that hop is used up: what stands now is the hop before, by
//! its own terms. Must never reach past a hop without recourse, nor name anybody but the one who gave.

use alloc::vec::Vec;

use portolan_interface::{
    AccountId, PartId,
    receivable::{CertificateState, Claim, ClaimKind, Hop, HopKind, PartState, ReceivableError, Recourse},
};
use portolan_sdk::{ensure, env};

use crate::{
    ARRIVALS, HOPS, certificate, claims,
    record::{Notes, PartRecord, Status},
    transfer,
};

/// The holder claims what the debtor did not pay; answers the claim's number.
pub fn claim(holder: AccountId, part: PartId) -> Result<u32, ReceivableError> {
    let record = PartRecord::load(part)?;
    record.held_by(holder)?;
    env::authorize(holder, "receivable.claim-recourse", record.currency, 0).map_err(ReceivableError::Unauthorized)?;
    let certificate = certificate::load(record.certificate)?;
    let (state, needed) = (certificate.state, CertificateState::Overdue);
    ensure!(state == needed, ReceivableError::CertificateState { state, needed });
    // What a court holds does not go back either.
    let state = if record.state() == PartState::Held { PartState::Held } else { record.state_under(state) };
    let needed = PartState::Overdue;
    ensure!(state == needed, ReceivableError::PartState { state, needed });
    let grace = i32::from(certificate.terms.grace_days);
    let until = certificate.due.add_days(grace).map_err(ReceivableError::Terms)?;
    ensure!(env::business_date() > until.0, ReceivableError::InGrace { until });
    let mut notes = Notes::of(part);
    if let Some(number) = notes.recourse {
        return Err(ReceivableError::AlreadyClaimed { number });
    }
    let from = standing_hop(part, &record)?.filter(|hop| hop.recourse == Recourse::With);
    let from = from.ok_or(ReceivableError::NoRecourse)?.from;
    let number = claims::make(ClaimKind::Recourse, part, holder, from, record.money(record.outstanding())?);
    notes.recourse = Some(number);
    notes.keep(part);
    Ok(number)
}

/// The hop by which the part is with its holder; none where that is the issue.
fn standing_hop(part: PartId, record: &PartRecord) -> Result<Option<Hop>, ReceivableError> {
    let mut line = alloc::vec![(part, record.hops)];
    let mut parent = record.parent;
    while let Some(above) = parent {
        let record = PartRecord::load(above)?;
        line.push((above, record.hops));
        parent = record.parent;
    }
    let hops = line.into_iter().rev().flat_map(|(part, count)| (0..count).map(move |number| (part, number)));
    let mut standing = Vec::new();
    for hop in hops.filter_map(|key| HOPS.get(&key)) {
        match hop.kind {
            HopKind::Issue => {}
            HopKind::Assignment | HopKind::Discount => standing.push(hop),
            // Gone back: the hop before stands again.
            HopKind::Recourse => drop(standing.pop()),
        }
    }
    Ok(standing.pop())
}

/// A claim was made good: what is still owed on the part goes back to who made it good, and a financing of it is at its end.
pub fn give_back(claim: &Claim) -> Result<(), ReceivableError> {
    let part = claim.part;
    let mut record = PartRecord::load(part)?;
    let mut notes = Notes::of(part);
    notes.recourse = None;
    notes.keep(part);
    if record.outstanding() == 0 {
        return Ok(());
    }
    record.status = Status::Live;
    let arrival = ARRIVALS.push(&claim.against, &part);
    transfer::hand_over(part, &mut record, claim.against, arrival, HopKind::Recourse, Recourse::Without)
}

/// What a claim still comes to: what the debtor paid since comes off.
pub fn present(mut claim: Claim) -> Result<Claim, ReceivableError> {
    if claim.kind == ClaimKind::Recourse && claim.discharged.is_none() {
        let record = PartRecord::load(claim.part)?;
        claim.amount = record.money(record.outstanding())?;
    }
    Ok(claim)
}
