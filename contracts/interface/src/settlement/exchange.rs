//! Exchange of currencies: quotes that a bank posts, spot exchanges and forwards made from them.

use alloc::{string::String, vec::Vec};

use portolan_terms::Quote;

use crate::{AccountId, BusinessDate, MemberId, Money, data, small};

/// Longest time that a quote may hold, in days.
pub const MAX_QUOTE_DAYS: i32 = 7;
/// Longest name of a calendar.
pub const MAX_CALENDAR_BYTES: usize = 32;

data! {
    /// A price at which a dealer exchanges. The customer sells `price.from` and buys `price.to`, both as deposits at the dealer.
    pub struct QuoteTerms {
        /// Pair, price and spread.
        pub price: Quote,
        /// Taken off the proceeds of each exchange; of the bought currency.
        pub fee: Money,
        /// Most that may be sold at it in all; of the sold currency.
        pub most: Money,
        /// Who may take it; none: every account.
        pub customer: Option<AccountId>,
        /// Last business date on which it may be taken.
        pub until: BusinessDate,
        /// Last block time at which it may be taken, ms since 1970.
        pub until_ms: u64,
        /// For a forward: the day on which both legs move. None: at once.
        pub value: Option<ValueDay>,
    }

    /// A future day of a named calendar.
    pub struct ValueDay {
        /// A business day, at most a year off.
        pub date: BusinessDate,
        /// The calendar that says so.
        pub calendar: String,
    }

    /// A quote in its dealer's list.
    pub struct FxQuote {
        /// The bank.
        pub dealer: MemberId,
        /// Its number in the dealer's list, from 0.
        pub number: u32,
        /// The dealer's account, which pays and is paid.
        pub account: AccountId,
        /// What it offers.
        pub terms: QuoteTerms,
        /// What may still be sold at it.
        pub left: Money,
        /// Withdrawn by the dealer.
        pub withdrawn: bool,
    }

    /// Part of the numbered list of a dealer's quotes.
    pub struct QuotePage {
        /// Entries of the whole list.
        pub count: u32,
        /// Quotes from number `from` on.
        pub quotes: Vec<FxQuote>,
    }

    /// What an exchange comes to.
    pub struct Proceeds {
        /// What the customer gives.
        pub sold: Money,
        /// At the quoted price, rounded down.
        pub gross: Money,
        /// After the dealer's spread, rounded down.
        pub net: Money,
        /// The dealer's fee.
        pub fee: Money,
        /// What the customer gets: net less fee.
        pub credited: Money,
    }

    /// An exchange that was agreed for a later day.
    pub struct Forward {
        /// The bank.
        pub dealer: MemberId,
        /// Its number in the dealer's list, from 0.
        pub number: u32,
        /// The dealer's account.
        pub dealer_account: AccountId,
        /// The customer's account.
        pub customer: AccountId,
        /// What moves.
        pub proceeds: Proceeds,
        /// When.
        pub value: BusinessDate,
        /// Where it stands.
        pub state: ForwardState,
    }

    /// Part of a numbered list of forwards.
    pub struct ForwardPage {
        /// Entries of the whole list.
        pub count: u32,
        /// Forwards from entry `from` on.
        pub forwards: Vec<Forward>,
    }
}

small! {
    /// Where a forward stands.
    pub enum ForwardState {
        /// Its day has not come, or has not run.
        #[codec(index = 0)]
        Locked,
        /// Both legs moved.
        #[codec(index = 1)]
        Executed,
        /// A side could not deliver, and nothing moved.
        #[codec(index = 2)]
        Defaulted(Side),
    }

    /// A side of a forward.
    pub enum Side {
        /// The customer.
        #[codec(index = 0)]
        Customer,
        /// The dealer.
        #[codec(index = 1)]
        Dealer,
        /// Both.
        #[codec(index = 2)]
        Both,
    }

    /// What is wrong with the terms of a quote.
    pub enum QuoteFault {
        /// sold and bought currency are the same
        #[codec(index = 0)]
        OnePair,
        /// the price is zero, has more than 12 decimals, or the spread is above one whole
        #[codec(index = 1)]
        Price,
        /// the fee is negative or not of the bought currency
        #[codec(index = 2)]
        Fee,
        /// the most that may be sold is not positive, or not of the sold currency
        #[codec(index = 3)]
        Most,
        /// it must hold from now on, and at most seven days
        #[codec(index = 4)]
        Validity,
        /// a forward's day must be a later business day of a calendar that covers it, at most a year off
        #[codec(index = 5)]
        ValueDay,
        /// this quote is for a forward: lock it, instead of exchanging at once
        #[codec(index = 6)]
        ForForward,
        /// this quote is for an exchange at once: it locks no later day
        #[codec(index = 7)]
        ForSpot,
    }
}
