//! The review of an invoice that has number and parties in common with an earlier one: the same claim with another amount or date, or a
//! second one? Two organisations must say that it is a second one: the buyer, who would pay twice, and the platform, which gains from neither.
//! The seller is not asked: it claims that by registering. Must never show an amount to the platform.

use portolan_interface::{
    AccountId, DocumentId, PAGE, Role, access,
    trade::{Invoice, InvoiceState, Review, ReviewPage, ReviewView, TradeError, TradeEvent, api::emit},
};
use portolan_sdk::{Caller, ensure, env};

use crate::{
    REVIEWS, authorise, committing,
    invoice::{changed, ensure_state, load, store},
};

/// Holds a new invoice, because `earlier` has the same number and parties.
pub fn hold(invoice: &mut Invoice, earlier: DocumentId) {
    invoice.state = InvoiceState::UnderReview;
    invoice.review = Some(Review { earlier, by_buyer: false, by_platform: None });
    REVIEWS.push(&(), &invoice.id);
    emit(&TradeEvent::InvoiceHeld { invoice: invoice.id, earlier, seller: invoice.seller, buyer: invoice.buyer });
}

/// The buyer or the platform judges.
pub fn judge(reviewer: AccountId, id: DocumentId, release: bool) -> Result<(), TradeError> {
    let mut invoice = load(id)?;
    ensure_state(&invoice, InvoiceState::UnderReview)?;
    let mut review = invoice.review.clone().ok_or(TradeError::NoReview)?;
    if reviewer == invoice.buyer {
        ensure!(!review.by_buyer, TradeError::ReleasedAlready);
        review.by_buyer = true;
    } else {
        ensure_independent_platform(reviewer, &invoice)?;
        ensure!(review.by_platform.is_none(), TradeError::ReleasedAlready);
        review.by_platform = Some(reviewer);
    }
    authorise(reviewer, "trade-documents.review-invoice")?;
    committing(reviewer)?;
    emit(&TradeEvent::InvoiceReviewed { invoice: id, reviewer, release });
    let settled = match (release, review.by_buyer && review.by_platform.is_some()) {
        (false, _) => Some(InvoiceState::Rejected),
        (true, true) => Some(InvoiceState::Registered),
        (true, false) => None,
    };
    if release {
        invoice.review = Some(review);
    }
    match settled {
        Some(state) => {
            invoice.state = state;
            changed(invoice);
        }
        None => store(invoice),
    }
    Ok(())
}

/// The platform's account, of neither the buyer's nor the seller's organisation.
fn ensure_independent_platform(reviewer: AccountId, invoice: &Invoice) -> Result<(), TradeError> {
    let member = env::member_of(reviewer).ok_or(TradeError::UnknownAccount)?;
    ensure!(env::has_role(member, Role::Platform), TradeError::NotParty);
    let party = [invoice.buyer, invoice.seller].iter().any(|party| env::member_of(*party) == Some(member));
    ensure!(!party, TradeError::SameReviewer);
    Ok(())
}

/// One review, for the parties and the platform.
pub fn view(id: DocumentId) -> Result<ReviewView, TradeError> {
    let invoice = load(id)?;
    ensure!(access::may_read(&[invoice.seller, invoice.buyer]) || platform_reads(), TradeError::NotParty);
    show(invoice)
}

/// All reviews from number `from` on, for the platform.
pub fn page(from: u32) -> Result<ReviewPage, TradeError> {
    ensure!(platform_reads() || access::may_read(&[]), TradeError::NotParty);
    let ids = REVIEWS.page(&(), from, PAGE);
    let reviews = ids.into_iter().map(|id| show(load(id)?)).collect::<Result<_, _>>()?;
    Ok(ReviewPage { count: REVIEWS.len(&()), reviews })
}

fn platform_reads() -> bool {
    match env::caller() {
        Caller::Account(reader) => env::member_of(reader).is_some_and(|member| env::has_role(member, Role::Platform)),
        Caller::Operator | Caller::Contract(_) => false,
    }
}

fn show(invoice: Invoice) -> Result<ReviewView, TradeError> {
    let review = invoice.review.clone().ok_or(TradeError::NoReview)?;
    let earlier = load(review.earlier)?;
    Ok(ReviewView {
        invoice: invoice.id,
        seller: invoice.seller,
        buyer: invoice.buyer,
        other_amount: invoice.payable != earlier.payable,
        other_date: invoice.issued != earlier.issued,
        review,
        state: invoice.state,
    })
}
