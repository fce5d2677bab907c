//! Cargo insurance: policies on shipments, and claims on them.

use alloc::vec::Vec;

use crate::{AccountId, BusinessDate, DocumentId, Hash, Money, data, small};

/// Most claims on one policy.
pub const MAX_CLAIMS: usize = 32;

small! {
    /// Where a claim on a policy stands.
    pub enum ClaimState {
        /// The insurer has not answered.
        #[codec(index = 0)]
        Open,
        /// The insurer owes what it accepted.
        #[codec(index = 1)]
        Accepted,
        /// The insurer owes nothing.
        #[codec(index = 2)]
        Refused,
    }
}

data! {
    /// What an insurer covers.
    pub struct PolicyTerms {
        /// Who is insured: a party to the bill of lading.
        pub insured: AccountId,
        /// The shipment.
        pub bill: DocumentId,
        /// The sum insured.
        pub sum: Money,
        /// First day of cover, no later than the day on board.
        pub from: BusinessDate,
        /// Last day of cover.
        pub until: BusinessDate,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
    }

    /// A claim on a policy.
    pub struct Claim {
        /// Who claims.
        pub claimant: AccountId,
        /// What is claimed.
        pub amount: Money,
        /// Day of the loss.
        pub occurred: BusinessDate,
        /// Salted commitment to its papers.
        pub commitment: Hash,
        /// What the insurer accepted.
        pub accepted: Money,
        /// Where it stands.
        pub state: ClaimState,
    }

    /// A cargo insurance policy.
    pub struct Policy {
        /// Its id.
        pub id: DocumentId,
        /// Who insures.
        pub insurer: AccountId,
        /// What is covered.
        pub terms: PolicyTerms,
        /// What the insurer accepted of all claims; never above the sum insured.
        pub accepted: Money,
        /// Every claim, oldest first; its number is its place from 0.
        pub claims: Vec<Claim>,
        /// Height of the block that brought it.
        pub height: u64,
    }
}
