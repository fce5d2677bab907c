//! What people may see of certificates and parts: the debtor the whole tree, a holder its parts and their way from the root, nobody else's.

use alloc::vec::Vec;

use portolan_interface::{
    AccountId, CertificateId, PAGE, PartId, access,
    receivable::{
        Certificate, CertificatePage, HoldingCursor, HoldingPage, Hop, Lineage, LineageStep, Part, PartPage, PartState,
        ReceivableError,
    },
};
use portolan_sdk::ensure;

use crate::{
    ARRIVALS, CERTIFICATES_OF, HOPS, PARTS, certificate,
    record::{BY_SPLIT, Notes, PartRecord},
    tree::Walk,
};

/// Entries of an account's list that one page looks at, and tree nodes that it visits.
const LOOKED_AT: u32 = 200;

pub fn certificate(id: CertificateId) -> Result<Certificate, ReceivableError> {
    let certificate = certificate::load(id)?;
    ensure!(access::may_read(&[certificate.debtor, certificate.terms.creditor]), ReceivableError::NotParty);
    Ok(certificate)
}

pub fn certificates(account: AccountId, from: u32) -> Result<CertificatePage, ReceivableError> {
    ensure!(access::may_read(&[account]), ReceivableError::NotParty);
    let ids = CERTIFICATES_OF.page(&account, from, PAGE);
    let certificates = ids.into_iter().map(certificate::load).collect::<Result<_, _>>()?;
    Ok(CertificatePage { count: CERTIFICATES_OF.len(&account), certificates })
}

pub fn parts(id: CertificateId, from: Option<PartId>) -> Result<PartPage, ReceivableError> {
    let certificate = certificate::load(id)?;
    ensure!(access::may_read(&[certificate.debtor]), ReceivableError::NotParty);
    let mut walk = walk_at(certificate.root, from)?;
    let mut parts = Vec::new();
    while let Some(node) = walk.current() {
        if parts.len() == PAGE as usize {
            return Ok(PartPage { parts, next: Some(node) });
        }
        let record = PartRecord::load(node)?;
        walk.step(record.children);
        parts.push(show(node, &record, &certificate, last_hop(node, &record))?);
    }
    Ok(PartPage { parts, next: None })
}

/// A walk below `root` that begins at a node.
fn walk_at(root: PartId, node: Option<PartId>) -> Result<Walk, ReceivableError> {
    node.map_or_else(|| Ok(Walk::from_root(root)), |node| Walk::from_part(root, node))
}

pub fn part(id: PartId) -> Result<Part, ReceivableError> {
    let record = PartRecord::load(id)?;
    let certificate = readable(&record)?;
    show(id, &record, &certificate, hops(id, record.hops))
}

pub fn lineage(id: PartId) -> Result<Lineage, ReceivableError> {
    let mut record = PartRecord::load(id)?;
    let certificate = readable(&record)?;
    let (outstanding, part_state) =
        (record.money(record.outstanding_under(certificate.state))?, record.state_under(certificate.state));
    let (financing, bound_by) = (record.financing(), record.binding().map(|binding| binding.reference));
    let mut path = Vec::new();
    let mut part = id;
    loop {
        path.push(LineageStep {
            part,
            amount: record.money(record.amount)?,
            depth: record.depth,
            hops: hops(part, record.hops),
        });
        let Some(parent) = record.parent else { break };
        part = parent;
        record = PartRecord::load(parent)?;
    }
    path.reverse();
    Ok(Lineage {
        certificate: certificate.id,
        debtor: certificate.debtor,
        face: certificate.terms.face,
        issued: certificate.issued,
        due: certificate.due,
        state: certificate.state,
        evidence: certificate.evidence,
        acknowledged: path.iter().any(|step| Notes::of(step.part).acknowledged),
        path,
        outstanding,
        part_state,
        financing,
        bound_by,
    })
}

/// The part's certificate, when the reader may see the part.
fn readable(record: &PartRecord) -> Result<Certificate, ReceivableError> {
    let certificate = certificate::load(record.certificate)?;
    let mut parties = alloc::vec![record.holder, certificate.debtor];
    parties.extend(record.offer().map(|offer| offer.terms.to));
    ensure!(access::may_read(&parties), ReceivableError::NotParty);
    Ok(certificate)
}

fn hops(part: PartId, count: u16) -> Vec<Hop> {
    (0..count).filter_map(|number| HOPS.get(&(part, number))).collect()
}

fn last_hop(part: PartId, record: &PartRecord) -> Vec<Hop> {
    record.hops.checked_sub(1).and_then(|number| HOPS.get(&(part, number))).into_iter().collect()
}

fn show(id: PartId, record: &PartRecord, certificate: &Certificate, hops: Vec<Hop>) -> Result<Part, ReceivableError> {
    Ok(Part {
        id,
        certificate: record.certificate,
        parent: record.parent,
        index: record.index,
        depth: record.depth,
        holder: record.holder,
        amount: record.money(record.amount)?,
        outstanding: record.money(record.outstanding_under(certificate.state))?,
        settled: record.money(record.settled)?,
        due: record.due,
        state: record.state_under(certificate.state),
        offer: record.offer().map(|offer| offer.terms.clone()),
        financing: record.financing(),
        children: record.children,
        hops,
        diluted: record.money(record.diluted)?,
        bound_by: record.binding().map(|binding| binding.reference),
        early: Notes::of(id).early,
    })
}

/// The leaves that an account holds or is offered. Each entry of its list stands for a part that came to it; what it split of that part is
/// found below it, up to parts that went on to others and came back, which have entries of their own.
pub fn holdings(account: AccountId, from: u32, at: Option<PartId>) -> Result<HoldingPage, ReceivableError> {
    ensure!(access::may_read(&[account]), ReceivableError::NotParty);
    let count = ARRIVALS.len(&account);
    let mut parts = Vec::new();
    let mut looked_at = 0;
    let mut at = at;
    for entry in from..count {
        let Some(came) = ARRIVALS.get(&account, entry) else { break };
        let mut walk = walk_at(came, at.take())?;
        while let Some(node) = walk.current() {
            if looked_at == LOOKED_AT || parts.len() == PAGE as usize {
                return Ok(HoldingPage { count, parts, next: Some(HoldingCursor { from: entry, at: node }) });
            }
            looked_at += 1;
            let Some(record) = PARTS.get(&node) else {
                // It came, and was merged since.
                walk.step(0);
                continue;
            };
            let held = if node == came { came_by(&record, account, entry) } else { record.arrival == BY_SPLIT };
            walk.step(if held { record.children } else { 0 });
            if !held || record.children > 0 {
                continue;
            }
            let certificate = certificate::load(record.certificate)?;
            if record.state_under(certificate.state) != PartState::Cancelled {
                parts.push(show(node, &record, &certificate, last_hop(node, &record))?);
            }
        }
    }
    Ok(HoldingPage { count, parts, next: None })
}

/// Whether this entry is the one by which the account holds the part, or is offered it.
fn came_by(record: &PartRecord, account: AccountId, entry: u32) -> bool {
    let held = record.holder == account && record.arrival == entry;
    held || record.offer().is_some_and(|offer| offer.terms.to == account && offer.arrival == entry)
}
