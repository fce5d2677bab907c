//! Orders: what a buyer orders and a seller accepts.

use alloc::vec::Vec;

use crate::{AccountId, BusinessDate, DocumentId, Hash, Money, data, small};

/// Most entries of one order's history.
pub const MAX_ORDER_STEPS: u32 = 4_096;
/// Name of the governed parameter of a class of [`Tolerance`], before the class's number.
pub const TOLERANCE_PARAMETER: &str = "trade-documents.tolerance.";

small! {
    /// Terms of delivery, Incoterms 2020.
    pub enum Incoterm {
        /// Ex works.
        #[codec(index = 0)]
        Exw,
        /// Free carrier.
        #[codec(index = 1)]
        Fca,
        /// Carriage paid to.
        #[codec(index = 2)]
        Cpt,
        /// Carriage and insurance paid to.
        #[codec(index = 3)]
        Cip,
        /// Delivered at place.
        #[codec(index = 4)]
        Dap,
        /// Delivered at place unloaded.
        #[codec(index = 5)]
        Dpu,
        /// Delivered duty paid.
        #[codec(index = 6)]
        Ddp,
        /// Free alongside ship.
        #[codec(index = 7)]
        Fas,
        /// Free on board.
        #[codec(index = 8)]
        Fob,
        /// Cost and freight.
        #[codec(index = 9)]
        Cfr,
        /// Cost, insurance and freight.
        #[codec(index = 10)]
        Cif,
    }

    /// Where an order stands.
    pub enum OrderState {
        /// The seller has not answered.
        #[codec(index = 0)]
        Offered,
        /// Accepted in full.
        #[codec(index = 1)]
        Accepted,
        /// Accepted up to an amount.
        #[codec(index = 2)]
        PartlyAccepted,
        /// Refused; nothing follows.
        #[codec(index = 3)]
        Refused,
        /// Goods are on their way.
        #[codec(index = 4)]
        Shipped,
        /// All that was shipped is received.
        #[codec(index = 5)]
        Received,
        /// Received, and invoiced to the accepted amount.
        #[codec(index = 6)]
        Invoiced,
        /// Done, by both sides' consent.
        #[codec(index = 7)]
        Closed,
        /// Called off before anything was shipped, by both sides' consent.
        #[codec(index = 8)]
        Cancelled,
    }
}

data! {
    /// The seller's answer to an order.
    pub enum OrderAnswer {
        /// All of it.
        #[codec(index = 0)]
        Accept,
        /// Up to this amount.
        #[codec(index = 1)]
        AcceptPart(Money),
        /// None of it.
        #[codec(index = 2)]
        Refuse,
    }

    /// What a buyer orders.
    pub struct OrderTerms {
        /// Who is to deliver.
        pub seller: AccountId,
        /// Salted commitment to the lines.
        pub lines: Hash,
        /// What it comes to.
        pub total: Money,
        /// First day of delivery.
        pub deliver_from: BusinessDate,
        /// Last day of delivery.
        pub deliver_until: BusinessDate,
        /// Terms of delivery.
        pub incoterm: Incoterm,
        /// Whether the goods cross a border, so that an invoice needs a bill of lading and cleared customs.
        pub cross_border: bool,
        /// Units ordered, when the goods are of one kind and price; none: invoices are matched by amount alone.
        pub quantity: Option<u64>,
        /// The class of [`Tolerance`] by which invoices are matched; 0 is exact until governance says otherwise.
        pub tolerance_class: u8,
    }

    /// What both sides change of an accepted order; parties, currency, terms of delivery and tolerance class stay.
    pub struct OrderChange {
        /// Salted commitment to the lines.
        pub lines: Hash,
        /// What it comes to.
        pub total: Money,
        /// Units ordered.
        pub quantity: Option<u64>,
        /// First day of delivery.
        pub deliver_from: BusinessDate,
        /// Last day of delivery.
        pub deliver_until: BusinessDate,
    }

    /// What one side proposes and takes the other's consent.
    pub enum OrderProposal {
        /// Other terms, accepted in full; before anything is shipped.
        #[codec(index = 0)]
        Change(OrderChange),
        /// An end, before anything is shipped or invoiced.
        #[codec(index = 1)]
        Cancel,
        /// That it is done, once what was shipped is received.
        #[codec(index = 2)]
        Close,
    }

    /// A proposal that waits for the other side.
    pub struct PendingProposal {
        /// Who made it.
        pub by: AccountId,
        /// What it is.
        pub proposal: OrderProposal,
    }

    /// Goods that the seller sent.
    pub struct Shipment {
        /// Units.
        pub quantity: u64,
        /// The bill of lading that carries them.
        pub bill: Option<DocumentId>,
        /// Day of dispatch.
        pub shipped: BusinessDate,
        /// Salted commitment to the despatch advice.
        pub commitment: Hash,
    }

    /// Goods that the buyer received. Rejected goods stay the seller's and go back with the receipt.
    pub struct GoodsReceipt {
        /// Units taken.
        pub accepted: u64,
        /// Units not taken.
        pub rejected: u64,
        /// Day of arrival.
        pub received: BusinessDate,
        /// Salted commitment to the receipt advice.
        pub commitment: Hash,
    }

    /// What an inspector found, for the parties to weigh; it moves nothing by itself.
    pub struct Inspection {
        /// Units looked at.
        pub quantity: u64,
        /// Units found good.
        pub passed: u64,
        /// Day of inspection.
        pub inspected: BusinessDate,
        /// Salted commitment to the report.
        pub report: Hash,
    }

    /// Goods that the buyer had taken and sends back. The money follows by a credit note.
    pub struct GoodsReturn {
        /// Units.
        pub quantity: u64,
        /// What they cost.
        pub amount: Money,
        /// Salted commitment to the return's papers.
        pub commitment: Hash,
    }

    /// What happened to an accepted order.
    pub enum OrderStep {
        /// Its terms were changed.
        #[codec(index = 0)]
        Changed(OrderChange),
        /// Goods were sent.
        #[codec(index = 1)]
        Shipped(Shipment),
        /// Goods were received.
        #[codec(index = 2)]
        Received(GoodsReceipt),
        /// Goods were inspected.
        #[codec(index = 3)]
        Inspected(Inspection),
        /// Goods were sent back.
        #[codec(index = 4)]
        Returned(GoodsReturn),
        /// It was called off.
        #[codec(index = 5)]
        Cancelled,
        /// It was closed.
        #[codec(index = 6)]
        Closed,
    }

    /// One entry of an order's history.
    pub struct OrderEntry {
        /// What happened.
        pub step: OrderStep,
        /// Who did it; of a proposal, who consented.
        pub by: AccountId,
        /// The business date.
        pub date: BusinessDate,
        /// The block's height.
        pub height: u64,
    }

    /// How far an invoice may be off and still match, governed by class: the parameter is [`TOLERANCE_PARAMETER`] and the class's number.
    pub struct Tolerance {
        /// Units above those received, in parts per million of them.
        pub quantity_ppm: u32,
        /// Price a unit, and the whole amount, off the order's in parts per million.
        pub price_ppm: u32,
        /// Or off by so many minor units of the order's currency, whichever is more.
        pub absolute_minor: i128,
        /// Whether goods must be received before their invoice matches.
        pub needs_receipt: bool,
    }

    /// An order.
    pub struct Order {
        /// Its id.
        pub id: DocumentId,
        /// Who ordered.
        pub buyer: AccountId,
        /// What was ordered.
        pub terms: OrderTerms,
        /// The amount that the seller accepted.
        pub accepted: Money,
        /// The amount of matched invoices.
        pub invoiced: Money,
        /// Units of matched invoices.
        pub billed: u64,
        /// Units sent.
        pub shipped: u64,
        /// Units taken.
        pub received: u64,
        /// Units not taken.
        pub rejected: u64,
        /// Units taken and sent back.
        pub returned: u64,
        /// What the units sent back cost.
        pub returned_amount: Money,
        /// Day of the first dispatch.
        pub shipped_on: Option<BusinessDate>,
        /// Commitment to the last receipt of goods.
        pub receipt: Option<Hash>,
        /// What waits for the other side.
        pub pending: Option<PendingProposal>,
        /// How often its terms were changed.
        pub changes: u32,
        /// Entries of its history.
        pub steps: u32,
        /// Business date of the block that brought it.
        pub ordered: BusinessDate,
        /// Height of the block that brought it.
        pub height: u64,
        /// Where it stands.
        pub state: OrderState,
    }

    /// An order with its history.
    pub struct OrderView {
        /// The order.
        pub order: Order,
        /// Its history from number `from` on, oldest first.
        pub steps: Vec<OrderEntry>,
    }
}
