//! Any document, and the list of an account's documents.

use alloc::vec::Vec;

use super::{Bill, CreditNote, Declaration, Invoice, Order, Origin, Policy, WarehouseReceipt};
use crate::{DocumentId, data, small};

small! {
    /// What is odd about a document's date without being impossible. A document that is flagged goes on; what is impossible is refused:
    ///
    /// | document | its date | before the order | after the shipment | in the future |
    /// |---|---|---|---|---|
    /// | order | last day of delivery | | | past: refused |
    /// | bill of lading | on board | flagged | | refused |
    /// | invoice | issue | flagged | usual | refused |
    /// | export declaration | lodging | | flagged | |
    /// | certificate of origin | issue | flagged | flagged: issued retrospectively | refused |
    /// | cargo policy | first day of cover | | refused (UCP 600, article 28 e) | allowed |
    /// | warehouse receipt, attested price | storage, price | | | refused |
    /// | shipment | dispatch | | | refused |
    /// | receipt of goods, inspection | arrival, inspection | | before it: refused | refused |
    /// | credit note | issue | before its invoice: refused | usual | refused |
    ///
    /// "The order" is the business date on which the chain recorded it: papers may be older than their record, so an earlier date is flagged.
    pub enum DateFlag {
        /// The document's date lies before the day on which its order was recorded.
        #[codec(index = 0)]
        BeforeOrder,
        /// The document came after the goods were on board, and should not have.
        #[codec(index = 1)]
        AfterShipment,
    }

    /// Kind of a document.
    pub enum DocumentKind {
        /// An order.
        #[codec(index = 0)]
        Order,
        /// A bill of lading.
        #[codec(index = 1)]
        BillOfLading,
        /// A customs declaration.
        #[codec(index = 2)]
        Declaration,
        /// An invoice.
        #[codec(index = 3)]
        Invoice,
        /// A credit note.
        #[codec(index = 4)]
        CreditNote,
        /// A certificate of origin.
        #[codec(index = 5)]
        Origin,
        /// A warehouse receipt.
        #[codec(index = 6)]
        WarehouseReceipt,
        /// A cargo insurance policy.
        #[codec(index = 7)]
        Policy,
    }
}

data! {
    /// Any document.
    pub enum Document {
        /// An order.
        #[codec(index = 0)]
        Order(Order),
        /// A bill of lading.
        #[codec(index = 1)]
        BillOfLading(Bill),
        /// A customs declaration.
        #[codec(index = 2)]
        Declaration(Declaration),
        /// An invoice.
        #[codec(index = 3)]
        Invoice(Invoice),
        /// A credit note.
        #[codec(index = 4)]
        CreditNote(CreditNote),
        /// A certificate of origin.
        #[codec(index = 5)]
        Origin(Origin),
        /// A warehouse receipt.
        #[codec(index = 6)]
        WarehouseReceipt(WarehouseReceipt),
        /// A cargo insurance policy.
        #[codec(index = 7)]
        Policy(Policy),
    }

    /// Part of the numbered list of an account's documents.
    pub struct DocumentPage {
        /// Entries of the whole list.
        pub count: u32,
        /// Kind and id, from number `from` on.
        pub documents: Vec<(DocumentKind, DocumentId)>,
    }
}
