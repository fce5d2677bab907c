//! Asking for finance, and what must be true of a part at the request and still at the draw.

use portolan_interface::{
    AccountId, DocumentId, FinancingId, PartId, access,
    financing::{Financing, FinancingError, FinancingEvent, FinancingState, api::emit},
    receivable::{self, PartFacts, PartState},
};
use portolan_sdk::{ensure, env};

use crate::{DRAWN_ON, FINANCINGS, FINANCINGS_OF, load};

/// The holder of a live part asks.
pub fn request(borrower: AccountId, part: PartId) -> Result<FinancingId, FinancingError> {
    let facts = financeable(borrower, part)?;
    env::authorize(borrower, "financing.request", facts.outstanding.currency, 0)
        .map_err(FinancingError::Unauthorized)?;
    let (_, status) = access::standing(borrower).ok_or(FinancingError::UnknownAccount)?;
    ensure!(access::may_commit(status), FinancingError::MemberNotActive { status });
    let id = FinancingId::requested(env::transaction_id(), part);
    ensure!(!FINANCINGS.contains(&id), FinancingError::DuplicateRequest);
    let financing = Financing {
        id,
        borrower,
        part,
        certificate: facts.certificate,
        invoice: facts.invoice,
        face: facts.outstanding,
        due: facts.due,
        offers: 0,
        accepted: None,
        draw: None,
        height: env::block_height(),
        state: FinancingState::Requested,
    };
    FINANCINGS.set(&id, &financing);
    FINANCINGS_OF.push(&borrower, &id);
    emit(&FinancingEvent::Requested { financing: id, borrower, part });
    Ok(id)
}

/// The facts of a part that this borrower may have financed: its invoice backs no live financing, and the borrower holds it live.
pub fn financeable(borrower: AccountId, part: PartId) -> Result<PartFacts, FinancingError> {
    let facts = facts_of(part)?;
    ensure!(!is_financed(facts.invoice)?, FinancingError::AlreadyFinanced { invoice: facts.invoice });
    ensure!(facts.holder == borrower, FinancingError::NotHolder);
    ensure!(facts.state == PartState::Live, FinancingError::PartState { state: facts.state });
    Ok(facts)
}

fn facts_of(part: PartId) -> Result<PartFacts, FinancingError> {
    receivable::api::Client::new().facts(part).map_err(FinancingError::Receivable)
}

/// Whether what was last drawn on the invoice is still owed to the funder: a part that went back by recourse is financed no more.
fn is_financed(invoice: DocumentId) -> Result<bool, FinancingError> {
    match DRAWN_ON.get(&invoice) {
        None => Ok(false),
        Some(drawn) => {
            let facts = facts_of(load(drawn)?.part)?;
            Ok(facts.financing == Some(drawn) && facts.outstanding.is_positive())
        }
    }
}

/// The borrower takes back what is not drawn.
pub fn withdraw(borrower: AccountId, id: FinancingId) -> Result<(), FinancingError> {
    let mut financing = load(id)?;
    ensure!(financing.borrower == borrower, FinancingError::NotBorrower);
    env::authorize(borrower, "financing.withdraw", financing.face.currency, 0).map_err(FinancingError::Unauthorized)?;
    let (state, needed) = (financing.state, FinancingState::Requested);
    ensure!(
        matches!(state, FinancingState::Requested | FinancingState::Accepted),
        FinancingError::FinancingState { state, needed }
    );
    financing.state = FinancingState::Withdrawn;
    FINANCINGS.set(&id, &financing);
    emit(&FinancingEvent::Withdrawn { financing: id, borrower });
    Ok(())
}
