//! Customs declarations.

use alloc::{string::String, vec::Vec};

use super::DateFlag;
use crate::{AccountId, BusinessDate, DocumentId, Hash, MemberId, Money, data, small};

/// Most HS codes of one declaration.
pub const MAX_HS_CODES: usize = 99;
/// Most holds of one declaration, lifted ones included.
pub const MAX_HOLDS: usize = 32;

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
        /// Invalidated before release; a new one is needed.
        #[codec(index = 7)]
        Invalidated,
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
        /// From accepted, under control or held, under a reference of its own.
        #[codec(index = 3)]
        Hold {
            /// Hash of the authority's reference.
            reference: Hash,
        },
        /// From accepted or under control: while a hold is open nothing is released.
        #[codec(index = 4)]
        Release,
        /// From released.
        #[codec(index = 5)]
        Clear,
        /// From held: ends the open hold of that reference. With the last one the declaration stands where it stood before.
        #[codec(index = 6)]
        Lift {
            /// Hash of the authority's reference.
            reference: Hash,
        },
        /// From lodged, accepted, under control or held.
        #[codec(index = 7)]
        Invalidate,
    }

    /// Where a certificate of origin stands.
    pub enum OriginState {
        /// It holds.
        #[codec(index = 0)]
        Valid,
        /// Its issuer took it back.
        #[codec(index = 1)]
        Revoked,
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

    /// What a declarant changes before release.
    pub struct DeclarationAmendment {
        /// Harmonised System codes, 4 to 10 digits.
        pub hs_codes: Vec<String>,
        /// Customs value.
        pub value: Money,
        /// Salted commitment to the whole document as amended.
        pub commitment: Hash,
    }

    /// A hold on declared goods.
    pub struct CustomsHold {
        /// Hash of the authority's reference.
        pub reference: Hash,
        /// Business date on which it was placed.
        pub placed: BusinessDate,
        /// Business date on which it was lifted; none while it is open.
        pub lifted: Option<BusinessDate>,
    }

    /// A customs declaration.
    pub struct Declaration {
        /// Its id.
        pub id: DocumentId,
        /// Who declares.
        pub declarant: AccountId,
        /// What was declared, as last amended.
        pub terms: DeclarationTerms,
        /// How often it was amended.
        pub amendments: u32,
        /// Every hold, oldest first.
        pub holds: Vec<CustomsHold>,
        /// Whether it was put under control, which goes on after a hold.
        pub controlled: bool,
        /// What is odd about its date.
        pub flags: Vec<DateFlag>,
        /// Height of the block that brought it.
        pub height: u64,
        /// Where it stands.
        pub state: DeclarationState,
    }

    /// A country by ISO 3166, two letters, such as `CN`.
    pub struct Country(pub String);

    /// What an authority certifies of the goods' origin.
    pub struct OriginTerms {
        /// The order that the goods belong to; its seller is the exporter.
        pub order: DocumentId,
        /// The bill of lading that carries them.
        pub bill: Option<DocumentId>,
        /// Where they come from.
        pub country: Country,
        /// Harmonised System codes, 4 to 10 digits.
        pub hs_codes: Vec<String>,
        /// Day of issue.
        pub issued: BusinessDate,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
    }

    /// A certificate of origin.
    pub struct Origin {
        /// Its id.
        pub id: DocumentId,
        /// Who certifies.
        pub issuer: AccountId,
        /// Who sells the goods.
        pub exporter: AccountId,
        /// Who buys them.
        pub importer: AccountId,
        /// What is certified.
        pub terms: OriginTerms,
        /// What is odd about its date; one from after the shipment counts as issued retrospectively.
        pub flags: Vec<DateFlag>,
        /// Height of the block that brought it.
        pub height: u64,
        /// Where it stands.
        pub state: OriginState,
    }
}

impl From<&str> for Country {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}
