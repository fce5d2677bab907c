//! Customs declarations.

use alloc::{string::String, vec::Vec};

use crate::{AccountId, DocumentId, Hash, MemberId, Money, data, small};

/// Most HS codes of one declaration.
pub const MAX_HS_CODES: usize = 99;

small! {
    /// Which way goods cross the border.
    pub enum Direction {
        /// Out.
        #[codec(index = 0)]
        Export,
        /// In.
        #[codec(index = 1)]
        Import,
    }

    /// Where a customs declaration stands.
    pub enum DeclarationState {
        /// Lodged by the declarant.
        #[codec(index = 0)]
        Lodged,
        /// Accepted by customs.
        #[codec(index = 1)]
        Accepted,
        /// Rejected; a new one is needed.
        #[codec(index = 2)]
        Rejected,
        /// Under documentary or physical control.
        #[codec(index = 3)]
        UnderControl,
        /// Held.
        #[codec(index = 4)]
        Held,
        /// Goods released.
        #[codec(index = 5)]
        Released,
        /// Everything paid and done.
        #[codec(index = 6)]
        Cleared,
    }

    /// What customs decide.
    pub enum CustomsDecision {
        /// From lodged.
        #[codec(index = 0)]
        Accept,
        /// From lodged.
        #[codec(index = 1)]
        Reject,
        /// From accepted.
        #[codec(index = 2)]
        Control,
        /// From accepted or under control.
        #[codec(index = 3)]
        Hold,
        /// From accepted, under control or held.
        #[codec(index = 4)]
        Release,
        /// From released.
        #[codec(index = 5)]
        Clear,
    }
}

data! {
    /// What a declarant lodges.
    pub struct DeclarationTerms {
        /// The customs authority.
        pub customs: MemberId,
        /// Out or in.
        pub direction: Direction,
        /// The order that the goods belong to.
        pub order: DocumentId,
        /// The bill of lading that carries them.
        pub bill: DocumentId,
        /// Harmonised System codes, 4 to 10 digits.
        pub hs_codes: Vec<String>,
        /// Customs value.
        pub value: Money,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
    }

    /// A customs declaration.
    pub struct Declaration {
        /// Its id.
        pub id: DocumentId,
        /// Who declares.
        pub declarant: AccountId,
        /// What was declared.
        pub terms: DeclarationTerms,
        /// Height of the block that brought it.
        pub height: u64,
        /// Where it stands.
        pub state: DeclarationState,
    }
}
