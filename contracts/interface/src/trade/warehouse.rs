//! Warehouse receipts: title to stored goods, which is split, pledged and valued.

use alloc::string::String;

use crate::{AccountId, BusinessDate, Currency, DocumentId, Hash, Money, data, small};

/// Most parts of one split of a receipt.
pub const MAX_RECEIPT_PARTS: usize = 64;

small! {
    /// Where a warehouse receipt stands.
    pub enum ReceiptState {
        /// In force.
        #[codec(index = 0)]
        Live,
        /// Split: its parts stand for the goods.
        #[codec(index = 1)]
        Split,
        /// Given back to the warehouse for the goods, which has not answered.
        #[codec(index = 2)]
        Surrendered,
        /// The goods went out: the title has ended.
        #[codec(index = 3)]
        Delivered,
    }
}

data! {
    /// A unit by UN/ECE Recommendation 20, such as `TNE` or `C62`.
    pub struct UnitCode(pub String);

    /// What a warehouse issues for goods that it took in.
    pub struct ReceiptTerms {
        /// Whose they are.
        pub owner: AccountId,
        /// Salted commitment to the class of goods.
        pub goods: Hash,
        /// Units.
        pub quantity: u64,
        /// What a unit is.
        pub unit: UnitCode,
        /// Who attests the price of a unit.
        pub price_source: AccountId,
        /// In which currency.
        pub currency: Currency,
        /// Day on which they came in.
        pub stored: BusinessDate,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
    }

    /// An attested price.
    pub struct UnitPrice {
        /// Of one unit.
        pub price: Money,
        /// The day that it is of.
        pub of: BusinessDate,
        /// The last day on which it is used.
        pub valid_until: BusinessDate,
        /// Hash of the attestation with its inputs.
        pub attestation: Hash,
    }

    /// A warehouse receipt.
    pub struct WarehouseReceipt {
        /// Its id.
        pub id: DocumentId,
        /// Who stores.
        pub warehouse: AccountId,
        /// Whose the goods are.
        pub owner: AccountId,
        /// Salted commitment to the class of goods.
        pub goods: Hash,
        /// Units.
        pub quantity: u64,
        /// What a unit is.
        pub unit: UnitCode,
        /// Who attests the price of a unit.
        pub price_source: AccountId,
        /// In which currency.
        pub currency: Currency,
        /// The price last attested.
        pub price: Option<UnitPrice>,
        /// The bank that it is pledged to, without whose approval the goods neither move nor are split.
        pub pledgee: Option<AccountId>,
        /// The receipt that it was split from.
        pub parent: Option<DocumentId>,
        /// Its parts, once split: [`DocumentId::receipt_part`] of 0 and on.
        pub parts: u16,
        /// Day on which the goods came in.
        pub stored: BusinessDate,
        /// Salted commitment to the whole document; of a part, the whole's.
        pub commitment: Hash,
        /// Height of the block that brought it.
        pub height: u64,
        /// Where it stands.
        pub state: ReceiptState,
    }

    /// A receipt with what it is worth today.
    pub struct ReceiptView {
        /// The receipt.
        pub receipt: WarehouseReceipt,
        /// Units at the attested price; none without a price that is valid today.
        pub value: Option<Money>,
    }
}

impl From<&str> for UnitCode {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}
