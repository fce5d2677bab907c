//! Invoices, and what a certificate rests on.

use alloc::vec::Vec;

use super::DateFlag;
use crate::{AccountId, BusinessDate, DocumentId, Hash, Money, data, small};

small! {
    /// Where an invoice stands.
    pub enum InvoiceState {
        /// Its fingerprint is taken.
        #[codec(index = 0)]
        Registered,
        /// Order, goods and customs agree with it.
        #[codec(index = 1)]
        Matched,
        /// The buyer disputes it.
        #[codec(index = 2)]
        Disputed,
        /// A certificate was issued against it.
        #[codec(index = 3)]
        Certified,
        /// Its certificates are paid.
        #[codec(index = 4)]
        Settled,
        /// Withdrawn.
        #[codec(index = 5)]
        Cancelled,
        /// Nearly the same as an earlier one: held until two organisations release it.
        #[codec(index = 6)]
        UnderReview,
        /// A review found it to be the earlier one again; nothing follows.
        #[codec(index = 7)]
        Rejected,
    }

    /// A point in which an invoice and the other documents differ.
    pub enum Mismatch {
        /// The order is not accepted.
        #[codec(index = 0)]
        OrderState,
        /// Seller and buyer are not those of the order.
        #[codec(index = 1)]
        Parties,
        /// Another currency than the order's.
        #[codec(index = 2)]
        Currency,
        /// More than is left of the order.
        #[codec(index = 3)]
        Amount,
        /// Goods cross a border and there is no bill of lading for this order.
        #[codec(index = 4)]
        BillOfLading,
        /// Goods cross a border and there is no cleared declaration for this order.
        #[codec(index = 5)]
        Customs,
        /// More units than were received, or ordered where no receipt is needed; or none, where the order counts them.
        #[codec(index = 6)]
        Quantity,
        /// Another price a unit than the order's.
        #[codec(index = 7)]
        Price,
        /// Nothing is received yet, and the order's class needs it.
        #[codec(index = 8)]
        Receipt,
    }
}

/// Where the contract keeps what is registered under a fingerprint, by its hash under the consortium's key: whoever has that key and checks a
/// proof offline looks there.
#[must_use]
pub fn registration_key(keyed: Hash) -> Vec<u8> {
    [&[FINGERPRINT_PREFIX][..], &keyed.0].concat()
}

/// First byte of the keys of fingerprints.
pub const FINGERPRINT_PREFIX: u8 = 2;

data! {
    /// A point of difference, with the salted commitments to the two documents that hold the values: who owns them can show the one field.
    pub struct Difference {
        /// What differs.
        pub field: Mismatch,
        /// Commitment to the document that says what the invoice should be.
        pub expected: Hash,
        /// Commitment to the invoice.
        pub found: Hash,
    }

    /// What is registered of an invoice.
    pub struct InvoiceTerms {
        /// Day of issue.
        pub issued: BusinessDate,
        /// Due date, if the document has one.
        pub due: Option<BusinessDate>,
        /// Amount payable.
        pub payable: Money,
        /// Tax in it, minor units.
        pub tax_minor: i128,
        /// Who sells.
        pub seller: AccountId,
        /// Who buys.
        pub buyer: AccountId,
        /// The order that it bills.
        pub order: DocumentId,
        /// Units billed, where the order counts them.
        pub quantity: Option<u64>,
        /// The bill of lading of the goods.
        pub bill: Option<DocumentId>,
        /// The customs declaration of the goods.
        pub declaration: Option<DocumentId>,
        /// The plain fingerprint. Only its keyed hash is stored.
        pub fingerprint: Hash,
        /// The plain near key: a hash of number, seller and buyer alone, normalised as the fingerprint's are. An invoice whose near key is taken
        /// is held for review. Who registers vouches for it, and whoever has the document can check it. Only its keyed hash is stored.
        pub near: Hash,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
    }

    /// A place in the register of invoices, and the claim of priority that goes with it: whoever came first by height has it.
    pub struct Registration {
        /// The invoice that took the place.
        pub invoice: DocumentId,
        /// Business date of its registration.
        pub date: BusinessDate,
        /// The block's time, ms since 1970.
        pub time: u64,
        /// The block's height.
        pub height: u64,
    }

    /// Why an invoice is or was held, and who released it.
    pub struct Review {
        /// The first invoice with the same number and parties.
        pub earlier: DocumentId,
        /// Whether the buyer, who would pay twice, has released it.
        pub by_buyer: bool,
        /// The account of the platform that has released it.
        pub by_platform: Option<AccountId>,
    }

    /// Why the buyer does not owe an invoice, while nothing is certified against it.
    pub struct Dispute {
        /// Salted commitment to the reason.
        pub reason: Hash,
        /// Where the invoice stood, and stands again when the dispute ends.
        pub before: InvoiceState,
    }

    /// A review without the amounts, for those who judge it: the platform sees no prices.
    pub struct ReviewView {
        /// The invoice that is or was held.
        pub invoice: DocumentId,
        /// Who sells.
        pub seller: AccountId,
        /// Who buys.
        pub buyer: AccountId,
        /// Whether it is payable to another amount or currency than the earlier one.
        pub other_amount: bool,
        /// Whether it was issued on another day than the earlier one.
        pub other_date: bool,
        /// The earlier one, and who has released this one.
        pub review: Review,
        /// Where the invoice stands.
        pub state: InvoiceState,
    }

    /// Part of the numbered list of all reviews.
    pub struct ReviewPage {
        /// Entries of the whole list.
        pub count: u32,
        /// The reviews from number `from` on, in order of arrival.
        pub reviews: Vec<ReviewView>,
    }

    /// An invoice.
    pub struct Invoice {
        /// Its id.
        pub id: DocumentId,
        /// Day of issue.
        pub issued: BusinessDate,
        /// Due date, if the document has one.
        pub due: Option<BusinessDate>,
        /// Amount payable.
        pub payable: Money,
        /// Tax in it, minor units.
        pub tax_minor: i128,
        /// Who sells.
        pub seller: AccountId,
        /// Who buys.
        pub buyer: AccountId,
        /// The order that it bills.
        pub order: DocumentId,
        /// Units billed, where the order counts them.
        pub quantity: Option<u64>,
        /// The bill of lading of the goods.
        pub bill: Option<DocumentId>,
        /// The customs declaration of the goods.
        pub declaration: Option<DocumentId>,
        /// The fingerprint, hashed with the consortium's key.
        pub fingerprint: Hash,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
        /// The amount of credit notes that both sides agreed on: certificates stand for at most the rest.
        pub credited: Money,
        /// The amount of the certificates against it that stand.
        pub certified: Money,
        /// The amount of those that are paid.
        pub settled: Money,
        /// Certificates ever issued against it.
        pub certificates: u32,
        /// Set once it was found to be nearly the same as an earlier one.
        pub review: Option<Review>,
        /// While the buyer disputes it.
        pub dispute: Option<Dispute>,
        /// What is odd about the dates of the invoice and, once matched, of its bill and declaration.
        pub flags: Vec<DateFlag>,
        /// Height of the block that brought it.
        pub height: u64,
        /// Where it stands.
        pub state: InvoiceState,
    }

    /// What a certificate rests on.
    pub struct Evidence {
        /// The invoice.
        pub invoice: DocumentId,
        /// Its order.
        pub order: DocumentId,
        /// Its bill of lading.
        pub bill: Option<DocumentId>,
        /// Its customs declaration.
        pub declaration: Option<DocumentId>,
        /// What is odd about the dates of these documents: for whoever finances to weigh.
        pub flags: Vec<DateFlag>,
    }
}
