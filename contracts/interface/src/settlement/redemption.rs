//! Redemptions: what an owner asks a bank to pay out outside the chain, and what the bank answers.

use alloc::vec::Vec;

use crate::{AccountId, BusinessDate, Hash, MemberId, Money, data, small};

data! {
    /// A payment order that an owner gave to its bank. From the request to the answer its amount is no longer in the deposit: it is pending.
    pub struct Redemption {
        /// The bank.
        pub bank: MemberId,
        /// Its number in the bank's list, from 0.
        pub number: u32,
        /// Whose money.
        pub account: AccountId,
        /// How much.
        pub amount: Money,
        /// Commitment to the order: where the money is to go.
        pub order: Hash,
        /// Business date of the request.
        pub requested: BusinessDate,
        /// Where it stands.
        pub state: RedemptionState,
        /// Once it is answered.
        pub reply: Option<RedemptionReply>,
    }

    /// How the bank answered.
    pub struct RedemptionReply {
        /// Business date of the answer.
        pub on: BusinessDate,
        /// Commitment to the bank's own record: of the payment, or of why there is none.
        pub reference: Hash,
    }

    /// Part of a numbered list of redemptions.
    pub struct RedemptionPage {
        /// Entries of the whole list.
        pub count: u32,
        /// Redemptions from entry `from` of the list on.
        pub redemptions: Vec<Redemption>,
    }
}

small! {
    /// Where a redemption stands.
    pub enum RedemptionState {
        /// The bank has not answered.
        #[codec(index = 0)]
        Pending,
        /// The bank paid it out.
        #[codec(index = 1)]
        Executed,
        /// The bank did not, and the money is back in the deposit.
        #[codec(index = 2)]
        Refused,
    }

    /// What the bank answers.
    pub enum RedemptionAnswer {
        /// It was paid out.
        #[codec(index = 0)]
        Executed,
        /// It was not, and will not be.
        #[codec(index = 1)]
        Refused,
    }

    /// A kind of record, as errors name it.
    pub enum RecordKind {
        /// A redemption of a bank's list.
        #[codec(index = 0)]
        Redemption,
        /// A quote of a dealer's list.
        #[codec(index = 1)]
        Quote,
        /// A forward of a dealer's list.
        #[codec(index = 2)]
        Forward,
        /// A promise to pay later, of a payer's list.
        #[codec(index = 3)]
        Payable,
        /// A netting.
        #[codec(index = 4)]
        Netting,
        /// A rule for the proceeds of a sales account.
        #[codec(index = 5)]
        SalesRule,
    }
}
