//! What must hold of the business after every block: sums are kept, each due date runs once, an invoice is financed once.

use std::collections::{BTreeMap, BTreeSet};

use portolan_interface::receivable::{self, Certificate, PartPage, PartState};
use portolan_interface::settlement::{self, BookPage};
use portolan_interface::{CertificateId, DocumentId, MemberId};
use portolan_primitives::receipt::Origin;
use portolan_primitives::{self as chain, AgendaId};
use portolan_runtime::ExecutedReceipt;

use crate::tally;
use crate::traffic::{Reference, money};

/// Entries of a due date's history.
#[derive(Clone, Copy, Debug, Default)]
struct Ran {
    attempts: u32,
    succeeded: bool,
}

/// What was seen of due dates.
#[derive(Debug, Default)]
pub struct Agenda(BTreeMap<AgendaId, Ran>);

impl Agenda {
    /// Takes a block's receipts in.
    ///
    /// # Errors
    /// An entry ran after it had succeeded, or an attempt is missing.
    pub fn take(&mut self, receipts: &[ExecutedReceipt]) -> Result<(), String> {
        for executed in receipts {
            let Origin::Agenda(id, attempt) = executed.receipt.origin else { continue };
            let ran = self.0.entry(id).or_default();
            if ran.succeeded {
                return Err(format!("{id} ran again after it had succeeded"));
            }
            if attempt != ran.attempts + 1 {
                return Err(format!("{id} ran as attempt {attempt} after {} attempts", ran.attempts));
            }
            *ran = Ran { attempts: attempt, succeeded: executed.receipt.succeeded() };
        }
        Ok(())
    }

    /// Entries that succeeded.
    pub fn succeeded(&self) -> u64 {
        self.0.values().filter(|ran| ran.succeeded).count() as u64
    }
}

/// Each certificate's sums, and the bank's.
///
/// # Errors
/// What does not add up.
pub fn sums(state: &Reference, certificates: &[(DocumentId, CertificateId)]) -> Result<(), String> {
    for (_, id) in certificates {
        let question = receivable::api::Query::Certificate { id: *id };
        let Some(certificate) = state.ask::<Certificate>(receivable::api::NAME, &question) else { continue };
        let totals = &certificate.totals;
        let parts = [&totals.outstanding, &totals.settled, &totals.diluted, &totals.cancelled, &totals.written_off];
        if parts.iter().map(|sum| sum.minor).sum::<i128>() != totals.face.minor {
            return Err(format!("the sums of {id:?} do not come to its face: {totals:?}"));
        }
    }
    Ok(())
}

/// The contract that is upgraded has counted every call that succeeded, once.
///
/// # Errors
/// What it counted instead.
pub fn tally(state: &Reference, calls: u64) -> Result<(), String> {
    match state.ask::<u64>(tally::NAME, &()) {
        Some(counted) if counted != calls => Err(format!("{calls} calls were counted as {counted}")),
        None if calls > 0 => Err(format!("{calls} calls were counted, and the contract says nothing")),
        _ => Ok(()),
    }
}

/// Each certificate's tree against its sums, one financing of an invoice, and deposits against what the bank issued.
///
/// # Errors
/// What does not add up.
pub fn whole(state: &Reference, certificates: &[(DocumentId, CertificateId)]) -> Result<(), String> {
    sums(state, certificates)?;
    for (invoice, id) in certificates {
        let question = receivable::api::Query::Certificate { id: *id };
        let Some(certificate) = state.ask::<Certificate>(receivable::api::NAME, &question) else { continue };
        let (mut outstanding, mut settled, mut financings) = (0, 0, BTreeSet::new());
        let mut from = None;
        loop {
            let question = receivable::api::Query::Parts { id: *id, from };
            let page: Option<PartPage> = state.ask(receivable::api::NAME, &question);
            let page = page.ok_or_else(|| format!("{id:?} has no tree"))?;
            for part in page.parts {
                outstanding += part.outstanding.minor;
                settled += part.settled.minor;
                if matches!(part.state, PartState::Financed | PartState::Pledged) {
                    financings.extend(part.financing.map(|financing| financing.0));
                }
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        let totals = &certificate.totals;
        if (outstanding, settled) != (totals.outstanding.minor, totals.settled.minor) {
            return Err(format!("the leaves of {id:?} come to {outstanding} and {settled}, its sums are {totals:?}"));
        }
        if financings.len() > 1 {
            return Err(format!("the invoice {invoice:?} is financed {} times", financings.len()));
        }
    }
    deposits(state)
}

fn deposits(state: &Reference) -> Result<(), String> {
    let (bank, currency) = (MemberId(chain::MemberId::from_name("bank").0), money(0).currency);
    let (mut sum, mut from) = (0, 0);
    loop {
        let question = settlement::api::Query::Book { bank, currency, from: Some(from) };
        let Some(page) = state.ask::<BookPage>(settlement::api::NAME, &question) else { return Ok(()) };
        sum += page.deposits.iter().map(|deposit| deposit.balance.minor + deposit.pending.minor).sum::<i128>();
        from += page.deposits.len() as u32;
        let book = &page.book;
        if from < book.depositors && !page.deposits.is_empty() {
            continue;
        }
        return match (book.issued.minor - book.redeemed.minor == book.outstanding.minor, sum == book.outstanding.minor)
        {
            (true, true) => Ok(()),
            _ => Err(format!("the deposits come to {sum}, the bank's book is {book:?}")),
        };
    }
}

#[cfg(test)]
mod tests {
    use portolan_primitives::receipt::{Outcome, Receipt};
    use portolan_primitives::{ContractId, Hash};

    use super::*;

    fn ran(attempt: u32, succeeded: bool) -> ExecutedReceipt {
        let outcome = if succeeded {
            Outcome::Ok(vec![])
        } else {
            let reason = portolan_primitives::FailureReason::OutOfGas;
            Outcome::Failed { call: 0, contract: ContractId([1; 16]), reason }
        };
        let origin = Origin::Agenda(AgendaId([1; 32]), attempt);
        ExecutedReceipt {
            receipt: Receipt { origin, outcome, gas: 1, events_root: Hash::ZERO },
            events: vec![],
            salt: vec![],
        }
    }

    #[test]
    fn a_due_date_that_runs_twice_is_seen() {
        let mut agenda = Agenda::default();
        agenda.take(&[ran(1, false), ran(2, true)]).unwrap();
        assert_eq!(agenda.succeeded(), 1);
        assert!(agenda.take(&[ran(3, true)]).unwrap_err().contains("again"));
        assert!(Agenda::default().take(&[ran(2, true)]).unwrap_err().contains("after 0 attempts"));
    }
}
