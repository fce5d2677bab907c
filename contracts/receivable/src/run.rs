//! Spreading an amount over the leaves of a tree: a payment, or what a credit note takes, in batches that each fit one agenda entry.
//!
//! An amount below what is owed goes over the leaves twice: first to weigh them (floors and remainders of their shares), then to share out, so that
//! the leftover units go to the largest remainders over all leaves, however many entries it takes. What is weighed must not change meanwhile: of a
//! certificate that is due no part moves, and before that the leaves that one entry could not finish are marked. A marked leaf also keeps its parent
//! from being merged, so the place where the next entry begins, the first node after a marked leaf, is there still. Must never share out a unit more or
//! less than the amount.

use alloc::vec::Vec;

use codec::{Decode, Encode};
use portolan_interface::{
    CertificateId, DocumentId, Money, PartId, TermsError,
    receivable::{Certificate, DuePurpose, ReceivableError},
    settlement::MAX_PAYMENTS,
};
use portolan_sdk::{ensure, env};
use portolan_terms::spread::{Share, share};

use crate::{
    CERTIFICATES, PARTS, REMAINDERS, RUNS,
    certificate::{ensure_agenda, forget_running, load, put_on_agenda},
    dilution, payment,
    record::{PartRecord, Status},
    tree::Walk,
};

/// Leaves that one agenda entry weighs.
const WEIGHED_AT_ONCE: usize = 256;
/// Leaves that one agenda entry gives their shares.
const SHARED_AT_ONCE: usize = MAX_PAYMENTS;

/// A spread under way.
#[derive(Clone, Encode, Decode)]
pub struct Run {
    /// Minor units owed on all leaves when it began.
    owed: i128,
    /// Minor units to spread.
    available: i128,
    purpose: Purpose,
    phase: Phase,
    /// Path to the leaf that comes next.
    path: Vec<u16>,
}

/// What is spread.
#[derive(Clone, Copy, Encode, Decode)]
pub enum Purpose {
    /// Money that was set aside.
    #[codec(index = 0)]
    Payment {
        /// The next attempt of the agenda's if this does not suffice.
        next_attempt: Option<u8>,
    },
    /// What a credit note takes.
    #[codec(index = 1)]
    Dilution {
        /// The credit note.
        credit: DocumentId,
    },
}

/// What is being done to the leaves.
#[derive(Clone, Encode, Decode)]
enum Phase {
    /// Adding up the shares.
    #[codec(index = 0)]
    Weighing {
        /// Sum of the floors so far.
        floors: i128,
        /// Pages of remainders so far.
        pages: u16,
    },
    /// Giving every leaf all that it is owed.
    #[codec(index = 1)]
    Whole,
    /// Giving shares.
    #[codec(index = 2)]
    Shares(Leftover),
}

/// Who gets one of the units that the floors leave over.
#[derive(Clone, Copy, Encode, Decode)]
struct Leftover {
    /// Every remainder above this does.
    above: u128,
    /// And the first so many that equal it.
    equal: u32,
}

/// A leaf and its share of a batch.
pub struct LeafShare {
    pub part: PartId,
    pub record: PartRecord,
    /// Minor units.
    pub minor: i128,
}

impl Run {
    /// Spreads `available` over leaves on which `owed` is owed in all.
    pub fn new(owed: Money, available: Money, purpose: Purpose) -> Self {
        let phase = if available == owed { Phase::Whole } else { Phase::Weighing { floors: 0, pages: 0 } };
        Self { owed: owed.minor, available: available.minor, purpose, phase, path: Vec::new() }
    }

    /// What counts on a leaf, minor units: what is in dispute is not paid, but loses to a credit note.
    fn owed_on(&self, record: &PartRecord) -> Result<i128, ReceivableError> {
        let unpaid = matches!((self.purpose, &record.status), (Purpose::Payment { .. }, Status::Disputed(_)));
        record.money(if unpaid { 0 } else { record.outstanding() }).map(|money| money.minor)
    }

    fn share_of(&self, record: &PartRecord) -> Result<Share, ReceivableError> {
        share(self.available, self.owed_on(record)?, self.owed).map_err(ReceivableError::Terms)
    }
}

/// Passes while nothing is being spread over the certificate.
pub fn ensure_none(id: CertificateId) -> Result<(), ReceivableError> {
    ensure!(!RUNS.contains(&id), ReceivableError::BeingLowered);
    Ok(())
}

/// The agenda goes on with the next leaves.
pub fn go_on(id: CertificateId) -> Result<(), ReceivableError> {
    ensure_agenda()?;
    forget_running(id);
    let certificate = load(id)?;
    match RUNS.get(&id) {
        Some(run) => advance(certificate, run),
        None => Ok(()),
    }
}

/// Does one entry's worth of work, and puts the rest on the agenda.
pub fn advance(mut certificate: Certificate, mut run: Run) -> Result<(), ReceivableError> {
    let id = certificate.id;
    if let Phase::Weighing { floors, pages } = run.phase {
        weigh(&certificate, &mut run, floors, pages)?;
    }
    let done = match run.phase {
        Phase::Weighing { .. } => false,
        Phase::Whole => share_out(&mut certificate, &mut run, None)?,
        Phase::Shares(leftover) => share_out(&mut certificate, &mut run, Some(leftover))?,
    };
    if !done {
        CERTIFICATES.set(&id, &certificate);
        RUNS.set(&id, &run);
        return put_on_agenda(id, env::business_date(), DuePurpose::Continuation);
    }
    RUNS.remove(&id);
    match run.purpose {
        Purpose::Payment { next_attempt } => payment::rest(certificate, next_attempt),
        Purpose::Dilution { .. } => payment::changed(certificate),
    }
}

/// Visits up to `limit` leaves from the run's place on, and moves the place; answers whether the tree has come to its end.
fn visit(
    certificate: &Certificate,
    run: &mut Run,
    limit: usize,
    mut leaf: impl FnMut(PartId, PartRecord) -> Result<(), ReceivableError>,
) -> Result<bool, ReceivableError> {
    let mut walk = Walk::from_path(certificate.root, &run.path)?;
    let mut visited = 0;
    while let Some(id) = walk.current() {
        if visited == limit {
            run.path = walk.path().to_vec();
            return Ok(false);
        }
        let record = PartRecord::load(id)?;
        walk.step(record.children);
        if record.children == 0 {
            visited += 1;
            leaf(id, record)?;
        }
    }
    run.path.clear();
    Ok(true)
}

fn weigh(certificate: &Certificate, run: &mut Run, mut floors: i128, pages: u16) -> Result<(), ReceivableError> {
    let mut leaves = Vec::new();
    let mut remainders = Vec::new();
    let fixed = run.clone();
    let done = visit(certificate, run, WEIGHED_AT_ONCE, |id, record| {
        let share = fixed.share_of(&record)?;
        floors = add(floors, share.floor)?;
        remainders.push(share.remainder);
        leaves.push((id, record));
        Ok(())
    })?;
    let finished_at_once = done && pages == 0 && leaves.len() <= SHARED_AT_ONCE;
    if matches!(run.purpose, Purpose::Dilution { .. }) && !finished_at_once {
        for (id, mut record) in leaves {
            record.weighed = true;
            PARTS.set(&id, &record);
        }
    }
    if done {
        run.phase = Phase::Shares(leftover(certificate.id, run.available - floors, pages, remainders));
    } else {
        REMAINDERS.set(&(certificate.id, pages), &remainders);
        run.phase = Phase::Weighing { floors, pages: pages + 1 };
    }
    Ok(())
}

/// Finds the smallest remainder that still gets a unit, from the stored pages and the last one.
fn leftover(id: CertificateId, units: i128, pages: u16, last: Vec<u128>) -> Leftover {
    let mut remainders = last;
    for page in 0..pages {
        remainders.extend(REMAINDERS.get(&(id, page)).unwrap_or_default());
        REMAINDERS.remove(&(id, page));
    }
    remainders.sort_unstable_by(|left, right| right.cmp(left));
    let units = usize::try_from(units).unwrap_or(0);
    match units.checked_sub(1).and_then(|position| remainders.get(position)) {
        None => Leftover { above: u128::MAX, equal: 0 },
        Some(smallest) => {
            let greater = remainders.iter().take_while(|remainder| *remainder > smallest).count();
            // At most as many as there are leaves, which are far fewer than 2^32.
            Leftover { above: *smallest, equal: u32::try_from(units - greater).unwrap_or(u32::MAX) }
        }
    }
}

/// Gives the next leaves their shares; answers whether all are done.
fn share_out(
    certificate: &mut Certificate,
    run: &mut Run,
    mut leftover: Option<Leftover>,
) -> Result<bool, ReceivableError> {
    let mut shares = Vec::new();
    let fixed = run.clone();
    let done = visit(certificate, run, SHARED_AT_ONCE, |part, record| {
        let minor = match &mut leftover {
            None => fixed.owed_on(&record)?,
            Some(leftover) => with_leftover(fixed.share_of(&record)?, leftover),
        };
        if minor > 0 || record.weighed {
            shares.push(LeafShare { part, record, minor });
        }
        Ok(())
    })?;
    if let Some(leftover) = leftover {
        run.phase = Phase::Shares(leftover);
    }
    match run.purpose {
        Purpose::Payment { .. } => payment::pay(certificate, shares)?,
        Purpose::Dilution { credit } => dilution::lower_leaves(certificate, credit, shares)?,
    }
    Ok(done)
}

/// The floor, and a unit more for the largest remainders, ties by position.
fn with_leftover(share: Share, leftover: &mut Leftover) -> i128 {
    let tie = share.remainder == leftover.above && leftover.equal > 0;
    if tie {
        leftover.equal -= 1;
    }
    share.floor + i128::from(tie || share.remainder > leftover.above)
}

/// A sum that fits.
pub fn add(left: i128, right: i128) -> Result<i128, ReceivableError> {
    left.checked_add(right).ok_or(ReceivableError::Terms(TermsError::Overflow))
}
