//! Commitments: what the chain knows of a document's salted fields, and the receipt that their salts are destroyed.
//!
//! The record stands apart from the document, so that a proof of it shows neither amounts nor the other parties.

use alloc::vec::Vec;

use super::DocumentKind;
use crate::{AccountId, BusinessDate, DocumentId, Hash, MemberId, data};

/// First byte of the keys of commitments.
pub const COMMITMENT_PREFIX: u8 = 9;

data! {
    /// A document's owner destroyed the salts of its fields: none of them can be shown any more.
    pub struct Erasure {
        /// The commitment whose salts are gone. A document that was amended later has another one.
        pub commitment: Hash,
        /// Business date of the receipt.
        pub date: BusinessDate,
        /// The block's time, ms since 1970.
        pub time: u64,
        /// The block's height.
        pub height: u64,
    }

    /// The salted root of a document's fields, and who answers for it. A split warehouse receipt's parts have none of their own: the whole's stands.
    pub struct Commitment {
        /// The document.
        pub document: DocumentId,
        /// What it is.
        pub kind: DocumentKind,
        /// Who registered or last amended it, and keeps the salts: of an order who wrote the lines, of an invoice and a credit note who
        /// brought it, of all others who issued or lodged it.
        pub owner: AccountId,
        /// The owner's member.
        pub member: MemberId,
        /// The root of the salted fields; of an order, of its lines.
        pub commitment: Hash,
        /// Business date on which it was given.
        pub date: BusinessDate,
        /// Height of the block that brought it.
        pub height: u64,
        /// The last receipt that salts are destroyed. They are this commitment's if it names it.
        pub erased: Option<Erasure>,
    }
}

/// Where the contract keeps a document's commitment in its storage: whoever checks a proof of it offline looks there.
#[must_use]
pub fn commitment_key(document: DocumentId) -> Vec<u8> {
    [&[COMMITMENT_PREFIX][..], &document.0].concat()
}

impl Commitment {
    /// The receipt that the salts of this very commitment are destroyed.
    #[must_use]
    pub fn erasure(&self) -> Option<&Erasure> {
        self.erased.as_ref().filter(|erasure| erasure.commitment == self.commitment)
    }
}
