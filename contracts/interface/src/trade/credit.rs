//! Credit notes: what lowers an invoice after the fact, by both sides' consent.

use crate::{AccountId, BusinessDate, DocumentId, Hash, Money, data, small};

small! {
    /// Why a credit is given.
    pub enum CreditReason {
        /// Goods went back.
        #[codec(index = 0)]
        Return,
        /// Goods are kept, and worth less.
        #[codec(index = 1)]
        Quality,
        /// The invoice had a wrong price: the order can be invoiced again.
        #[codec(index = 2)]
        Price,
        /// The invoice had a wrong quantity: the order can be invoiced again.
        #[codec(index = 3)]
        Quantity,
        /// The invoice should not have been: the order can be invoiced again.
        #[codec(index = 4)]
        Cancellation,
        /// A discount after the fact.
        #[codec(index = 5)]
        Discount,
    }

    /// Where a credit note stands.
    pub enum CreditState {
        /// One side proposed it.
        #[codec(index = 0)]
        Proposed,
        /// Both sides agreed: the invoice is lowered.
        #[codec(index = 1)]
        Agreed,
        /// The other side refused, or the proposer took it back.
        #[codec(index = 2)]
        Refused,
    }
}

data! {
    /// What one side proposes.
    pub struct CreditTerms {
        /// The invoice that it lowers.
        pub invoice: DocumentId,
        /// By how much, tax included.
        pub amount: Money,
        /// Tax in it, minor units.
        pub tax_minor: i128,
        /// Why.
        pub reason: CreditReason,
        /// Day of issue.
        pub issued: BusinessDate,
        /// The plain fingerprint of the credit note, in the same register as the invoices'. Only its keyed hash is stored.
        pub fingerprint: Hash,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
    }

    /// A credit note.
    pub struct CreditNote {
        /// Its id.
        pub id: DocumentId,
        /// The invoice that it lowers.
        pub invoice: DocumentId,
        /// Who sells.
        pub seller: AccountId,
        /// Who buys.
        pub buyer: AccountId,
        /// Who proposed it: the seller or the buyer.
        pub by: AccountId,
        /// By how much, tax included.
        pub amount: Money,
        /// Tax in it, minor units.
        pub tax_minor: i128,
        /// Why.
        pub reason: CreditReason,
        /// Day of issue.
        pub issued: BusinessDate,
        /// The fingerprint, hashed with the consortium's key.
        pub fingerprint: Hash,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
        /// What the invoice's certificates exceed the lowered invoice by, and so lose.
        pub dilution: Money,
        /// What of it they have not lost yet; less where one of them was refused or expired since. Where nothing of them is live any more, it is
        /// the buyer's claim on the seller.
        pub open: Money,
        /// Height of the block that brought it.
        pub height: u64,
        /// Where it stands.
        pub state: CreditState,
    }

    /// What `receivable` dilutes certificates by.
    pub struct Dilution {
        /// The invoice.
        pub invoice: DocumentId,
        /// Who owes the certificates.
        pub debtor: AccountId,
        /// Their first creditor, who answers for what they cannot lose.
        pub creditor: AccountId,
        /// How much they lose by this call.
        pub amount: Money,
        /// What is left for another certificate of the invoice, or the creditor.
        pub open: Money,
    }
}
