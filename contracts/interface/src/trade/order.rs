//! Orders: what a buyer orders and a seller accepts.

use crate::{AccountId, BusinessDate, DocumentId, Hash, Money, data, small};

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
        /// Business date of the block that brought it.
        pub ordered: BusinessDate,
        /// Height of the block that brought it.
        pub height: u64,
        /// Where it stands.
        pub state: OrderState,
    }
}
