//! Exchange of currencies by a dealer's quote: a bank posts a price under its own approvals, a customer takes it in one act, now or for a day.
//!
//! Both legs are deposits at the dealer, and move together or not at all: the customer's to the dealer's account, the dealer's to the customer's.
//! So no currency's sum of deposits changes, and a dealer can give no more than it has issued to itself. Must never invert a pair.

use portolan_interface::{
    AccountId, BusinessDate, Currency, MemberId, Money, access,
    settlement::{
        Forward, ForwardState, FxQuote, MAX_CALENDAR_BYTES, MAX_QUOTE_DAYS, Proceeds, QuoteFault, QuoteTerms,
        RecordKind, SettlementError, SettlementEvent, Side,
        api::{Call, emit, schedule},
    },
};
use portolan_sdk::{ensure, env};

use crate::{
    FORWARDS, FORWARDS_OF, QUOTES, committing,
    deposits::{self, Place},
};

/// Gas of a forward's day: two legs.
const FORWARD_GAS: u64 = 10_000_000;

/// A dealer posts a quote; answers its number.
pub fn post(dealer: MemberId, account: AccountId, terms: QuoteTerms) -> Result<u32, SettlementError> {
    deposits::ensure_served(dealer, terms.price.from)?;
    deposits::ensure_served(dealer, terms.price.to)?;
    let number = QUOTES.len(&dealer);
    let left = terms.most;
    QUOTES.push(&dealer, &FxQuote { dealer, number, account, terms, left, withdrawn: false });
    emit(&SettlementEvent::QuoteGiven { dealer, number });
    Ok(number)
}

/// What leaves the dealer at most, when the terms are sound.
pub fn sound(terms: &QuoteTerms) -> Result<Money, SettlementError> {
    let fault = |fault| SettlementError::UnsoundQuote { fault };
    let price = terms.price;
    ensure!(price.from != price.to, fault(QuoteFault::OnePair));
    ensure!(price.is_possible(), fault(QuoteFault::Price));
    ensure!(terms.fee.currency == price.to && terms.fee.minor >= 0, fault(QuoteFault::Fee));
    ensure!(terms.most.currency == price.from && terms.most.is_positive(), fault(QuoteFault::Most));
    let today = env::business_date();
    let holds = (today..=today.saturating_add(MAX_QUOTE_DAYS)).contains(&terms.until.0);
    ensure!(holds && terms.until_ms >= env::block_time(), fault(QuoteFault::Validity));
    sound_value_day(terms)?;
    Ok(price.convert(terms.most).map_err(SettlementError::Terms)?.net)
}

fn sound_value_day(terms: &QuoteTerms) -> Result<(), SettlementError> {
    let Some(value) = &terms.value else { return Ok(()) };
    let within = terms.until.tenor_within_a_year(value.date).map_err(SettlementError::Terms)?;
    let open = value.calendar.len() <= MAX_CALENDAR_BYTES
        && env::is_business_day(&value.calendar, value.date.0).unwrap_or(false);
    ensure!(within && open, SettlementError::UnsoundQuote { fault: QuoteFault::ValueDay });
    Ok(())
}

/// The dealer takes a quote back; what was agreed at it stands.
pub fn withdraw(dealer: MemberId, number: u32) -> Result<(), SettlementError> {
    let mut quote = load(dealer, number)?;
    ensure_open(&quote)?;
    quote.withdrawn = true;
    QUOTES.set(&dealer, number, &quote);
    emit(&SettlementEvent::QuoteWithdrawn { dealer, number });
    Ok(())
}

/// The customer exchanges at once.
pub fn exchange(
    customer: AccountId,
    dealer: MemberId,
    number: u32,
    sold: Money,
    bought: Currency,
) -> Result<Proceeds, SettlementError> {
    let (quote, proceeds) = take(customer, dealer, number, sold, bought)?;
    let fault = QuoteFault::ForForward;
    ensure!(quote.terms.value.is_none(), SettlementError::UnsoundQuote { fault });
    ensure_deliverable(dealer, customer, sold)?;
    ensure_deliverable(dealer, quote.account, proceeds.credited).map_err(|_| SettlementError::DealerCannotDeliver)?;
    swap(dealer, quote.account, customer, &proceeds)?;
    emit(&SettlementEvent::Exchanged { dealer, number, account: customer, proceeds: proceeds.clone() });
    Ok(proceeds)
}

/// The customer locks the rate for the quote's day; answers the forward's number.
pub fn lock(
    customer: AccountId,
    dealer: MemberId,
    number: u32,
    sold: Money,
    bought: Currency,
) -> Result<u32, SettlementError> {
    let (quote, proceeds) = take(customer, dealer, number, sold, bought)?;
    let fault = QuoteFault::ForSpot;
    let value = quote.terms.value.ok_or(SettlementError::UnsoundQuote { fault })?.date;
    let number = FORWARDS.len(&dealer);
    let run = Call::RunForward { dealer, number };
    schedule(value.0, &run, FORWARD_GAS).map_err(SettlementError::Agenda)?;
    emit(&SettlementEvent::ForwardLocked { dealer, number, account: customer, proceeds: proceeds.clone(), value });
    let state = ForwardState::Locked;
    let forward = Forward { dealer, number, dealer_account: quote.account, customer, proceeds, value, state };
    FORWARDS.push(&dealer, &forward);
    FORWARDS_OF.push(&customer, &(dealer, number));
    Ok(number)
}

/// A forward's day has come: both legs move, or none and both sides are told who could not deliver.
pub fn run_forward(dealer: MemberId, number: u32) -> Result<(), SettlementError> {
    let unknown = SettlementError::Unknown { what: RecordKind::Forward };
    let mut forward = FORWARDS.get(&dealer, number).ok_or(unknown)?;
    if forward.state != ForwardState::Locked {
        return Ok(());
    }
    let fails = |account, gives| committing(account).is_err() || ensure_deliverable(dealer, account, gives).is_err();
    let customer = fails(forward.customer, forward.proceeds.sold);
    let by_dealer = fails(forward.dealer_account, forward.proceeds.credited);
    let account = forward.customer;
    forward.state = match (customer, by_dealer) {
        (false, false) => {
            swap(dealer, forward.dealer_account, account, &forward.proceeds)?;
            emit(&SettlementEvent::ForwardExecuted { dealer, number, account, proceeds: forward.proceeds.clone() });
            ForwardState::Executed
        }
        (true, false) => ForwardState::Defaulted(Side::Customer),
        (false, true) => ForwardState::Defaulted(Side::Dealer),
        (true, true) => ForwardState::Defaulted(Side::Both),
    };
    if let ForwardState::Defaulted(by) = forward.state {
        emit(&SettlementEvent::ForwardDefaulted { dealer, number, account, by });
    }
    FORWARDS.set(&dealer, number, &forward);
    Ok(())
}

/// Takes an amount off a quote that holds for this customer and pair; no money moves yet.
fn take(
    customer: AccountId,
    dealer: MemberId,
    number: u32,
    sold: Money,
    bought: Currency,
) -> Result<(FxQuote, Proceeds), SettlementError> {
    let mut quote = load(dealer, number)?;
    ensure_open(&quote)?;
    let terms = &quote.terms;
    ensure!(terms.customer.is_none_or(|only| only == customer), SettlementError::QuoteForAnother);
    committing(customer)?;
    ensure_pair(terms, sold.currency, bought)?;
    let (today, now) = (BusinessDate(env::business_date()), env::block_time());
    ensure!(today <= terms.until && now <= terms.until_ms, SettlementError::QuoteExpired { until: terms.until });
    ensure!(customer != quote.account, SettlementError::SameAccount);
    ensure!(sold.minor <= quote.left.minor, SettlementError::AboveQuote { left: quote.left });
    dealing(dealer, quote.account)?;
    let proceeds = proceeds(terms, sold)?;
    quote.left.minor -= sold.minor;
    QUOTES.set(&dealer, number, &quote);
    Ok((quote, proceeds))
}

/// The quote's dealer is a bank in good standing still.
fn dealing(dealer: MemberId, account: AccountId) -> Result<(), SettlementError> {
    ensure!(crate::bank_of(account)? == dealer, SettlementError::NotBank);
    Ok(())
}

fn ensure_open(quote: &FxQuote) -> Result<(), SettlementError> {
    ensure!(!quote.withdrawn && quote.left.is_positive(), SettlementError::QuoteClosed);
    Ok(())
}

fn ensure_pair(terms: &QuoteTerms, sold: Currency, bought: Currency) -> Result<(), SettlementError> {
    let (sells, buys) = (terms.price.from, terms.price.to);
    if (sold, bought) == (sells, buys) {
        return Ok(());
    }
    let inverse = (sold, bought) == (buys, sells);
    let (sold, bought) = (sells, buys);
    Err(if inverse {
        SettlementError::InversePair { sold, bought }
    } else {
        SettlementError::WrongPair { sold, bought }
    })
}

fn proceeds(terms: &QuoteTerms, sold: Money) -> Result<Proceeds, SettlementError> {
    let conversion = terms.price.convert(sold).map_err(SettlementError::Terms)?;
    let credited = conversion.after_fee(terms.fee).map_err(SettlementError::Terms)?;
    ensure!(credited.is_positive(), SettlementError::AmountNotPositive);
    Ok(Proceeds { sold, gross: conversion.gross, net: conversion.net, fee: terms.fee, credited })
}

fn ensure_deliverable(dealer: MemberId, account: AccountId, amount: Money) -> Result<(), SettlementError> {
    deposits::ensure_free(Place::new(account, dealer, amount.currency), amount.minor)
}

fn swap(dealer: MemberId, own: AccountId, customer: AccountId, proceeds: &Proceeds) -> Result<(), SettlementError> {
    let place = |account, amount: Money| Place::new(account, dealer, amount.currency);
    deposits::pay(place(customer, proceeds.sold), own, proceeds.sold.minor)?;
    deposits::pay(place(own, proceeds.credited), customer, proceeds.credited.minor)
}

fn load(dealer: MemberId, number: u32) -> Result<FxQuote, SettlementError> {
    QUOTES.get(&dealer, number).ok_or(SettlementError::Unknown { what: RecordKind::Quote })
}

/// A quote, for whom it is meant.
pub fn view(dealer: MemberId, number: u32) -> Result<FxQuote, SettlementError> {
    let quote = load(dealer, number)?;
    let open = match quote.terms.customer {
        None => true,
        Some(customer) => access::may_read(&[customer]) || access::may_read_of(dealer),
    };
    ensure!(open, SettlementError::NotParty);
    Ok(quote)
}

/// A forward, for its sides.
pub fn view_forward(dealer: MemberId, number: u32) -> Result<Forward, SettlementError> {
    let unknown = SettlementError::Unknown { what: RecordKind::Forward };
    let forward = FORWARDS.get(&dealer, number).ok_or(unknown)?;
    let may = access::may_read(&[forward.customer]) || access::may_read_of(dealer);
    ensure!(may, SettlementError::NotParty);
    Ok(forward)
}
