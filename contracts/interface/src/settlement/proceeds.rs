//! Standing rules by which the proceeds that come to a sales account are shared.

use alloc::vec::Vec;

use super::TrancheKind;
use crate::{AccountId, Currency, MemberId, Ppm, data, small};

/// Most lines of a sales rule.
pub const MAX_SALES_LINES: usize = 6;
/// Longest time over which proceeds are collected before they are shared, in days.
pub const MAX_COLLECTION_DAYS: u16 = 92;

data! {
    /// A share of the proceeds.
    pub struct SalesLine {
        /// What it is for, which is also its rank: platform fee, value-added tax, stamp duty, the funder's interest or principal.
        pub kind: TrancheKind,
        /// To whom.
        pub payee: AccountId,
        /// Of the proceeds, at most one whole; rounded half up.
        pub rate: Ppm,
        /// At most so much in all, minor units, as a funder gets back; none: for as long as the rule stands.
        pub due_minor: Option<i128>,
        /// How much it got, minor units.
        pub paid_minor: i128,
    }

    /// How what comes to a sales account is shared: down the lines by rank, and what is left stays with the seller.
    pub struct SalesRule {
        /// The sales account.
        pub account: AccountId,
        /// At which bank.
        pub bank: MemberId,
        /// In which currency.
        pub currency: Currency,
        /// The shares.
        pub lines: Vec<SalesLine>,
        /// When.
        pub payout: Payout,
        /// Received and not yet shared, minor units; set aside in the deposit.
        pub collected_minor: i128,
    }
}

small! {
    /// When proceeds are shared.
    pub enum Payout {
        /// Each receipt as it comes: by the agenda of the next block.
        #[codec(index = 0)]
        AsReceived,
        /// All that came in so many days, from the first receipt on, by the agenda.
        #[codec(index = 1)]
        Collected(u16),
    }

    /// What is wrong with a sales rule.
    pub enum RuleFault {
        /// it has more than 6 lines
        #[codec(index = 0)]
        Extent,
        /// the rates of the lines without an end come to more than one whole, or one is above it or zero
        #[codec(index = 1)]
        Rates,
        /// an amount that is due must be positive, and nothing is paid yet
        #[codec(index = 2)]
        Due,
        /// proceeds are collected over 1 to 92 days
        #[codec(index = 3)]
        Days,
        /// a payee has not got all that is due by the standing rule: that payee may release it
        #[codec(index = 4)]
        PayeeOpen,
        /// proceeds have come and are not yet shared: wait for that
        #[codec(index = 5)]
        Collecting,
        /// the seller's own account is no payee: what is left stays there
        #[codec(index = 6)]
        OwnAccount,
    }
}
