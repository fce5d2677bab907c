//! What `trade-documents` tells.

use super::{
    Claim, CreditState, DeclarationState, Endorsement, InvoiceState, OrderEntry, OrderState, OriginState, ReceiptState,
    UnitPrice,
};
use crate::{AccountId, DocumentId, Hash, MemberId, Money, data};

data! {
    /// What `trade-documents` tells.
    pub enum TradeEvent {
        /// An order was given.
        #[codec(index = 0)]
        OrderOffered {
            /// Its id.
            order: DocumentId,
            /// Who ordered.
            buyer: AccountId,
            /// Who is to deliver.
            seller: AccountId,
            /// What it comes to.
            total: Money,
        },
        /// An order was answered.
        #[codec(index = 1)]
        OrderAnswered {
            /// Its id.
            order: DocumentId,
            /// Who ordered.
            buyer: AccountId,
            /// Who answered.
            seller: AccountId,
            /// Where it stands.
            state: OrderState,
            /// The accepted amount.
            accepted: Money,
        },
        /// A bill of lading was issued.
        #[codec(index = 2)]
        BillIssued {
            /// Its id.
            bill: DocumentId,
            /// Who carries.
            carrier: AccountId,
            /// First holder.
            holder: AccountId,
            /// First beneficiary.
            beneficiary: AccountId,
        },
        /// A title moved or ended.
        #[codec(index = 3)]
        TitleChanged {
            /// Its bill.
            bill: DocumentId,
            /// Number of the endorsement.
            number: u32,
            /// The endorsement.
            endorsement: Endorsement,
        },
        /// A next beneficiary was named, or no more.
        #[codec(index = 4)]
        Nominated {
            /// The bill.
            bill: DocumentId,
            /// Who named.
            beneficiary: AccountId,
            /// Who was named.
            nominee: Option<AccountId>,
        },
        /// A declaration was lodged.
        #[codec(index = 5)]
        DeclarationLodged {
            /// Its id.
            declaration: DocumentId,
            /// Who declares.
            declarant: AccountId,
            /// To which authority.
            customs: MemberId,
        },
        /// Customs decided.
        #[codec(index = 6)]
        DeclarationDecided {
            /// Its id.
            declaration: DocumentId,
            /// Who declared.
            declarant: AccountId,
            /// Where it stands.
            state: DeclarationState,
        },
        /// An invoice was registered.
        #[codec(index = 7)]
        InvoiceRegistered {
            /// Its id.
            invoice: DocumentId,
            /// Who sells.
            seller: AccountId,
            /// Who buys.
            buyer: AccountId,
            /// Amount payable.
            payable: Money,
        },
        /// An invoice changed its state.
        #[codec(index = 8)]
        InvoiceChanged {
            /// Its id.
            invoice: DocumentId,
            /// Who sells.
            seller: AccountId,
            /// Who buys.
            buyer: AccountId,
            /// Where it stands.
            state: InvoiceState,
        },
        /// An invoice is nearly the same as an earlier one, and held until the buyer and the platform release it.
        #[codec(index = 9)]
        InvoiceHeld {
            /// Its id.
            invoice: DocumentId,
            /// The first with the same number and parties.
            earlier: DocumentId,
            /// Who sells.
            seller: AccountId,
            /// Who buys.
            buyer: AccountId,
        },
        /// One of the two released a held invoice, or rejected it.
        #[codec(index = 10)]
        InvoiceReviewed {
            /// Its id.
            invoice: DocumentId,
            /// Who judged.
            reviewer: AccountId,
            /// Whether for it.
            release: bool,
        },
        /// One side of an order proposed something to the other.
        #[codec(index = 11)]
        OrderProposed {
            /// The order.
            order: DocumentId,
            /// Who proposed.
            by: AccountId,
            /// Who is to answer.
            to: AccountId,
        },
        /// A proposal was refused or taken back.
        #[codec(index = 12)]
        ProposalEnded {
            /// The order.
            order: DocumentId,
            /// Who ended it.
            by: AccountId,
            /// The other side.
            to: AccountId,
        },
        /// Something happened to an order.
        #[codec(index = 13)]
        OrderMoved {
            /// The order.
            order: DocumentId,
            /// Who ordered.
            buyer: AccountId,
            /// Who delivers.
            seller: AccountId,
            /// Number of the entry in the order's history.
            number: u32,
            /// The entry.
            entry: OrderEntry,
            /// Where the order stands.
            state: OrderState,
        },
        /// A credit note was proposed, agreed on or refused.
        #[codec(index = 14)]
        CreditChanged {
            /// Its id.
            credit: DocumentId,
            /// The invoice that it lowers.
            invoice: DocumentId,
            /// Who sells.
            seller: AccountId,
            /// Who buys.
            buyer: AccountId,
            /// By how much.
            amount: Money,
            /// Where it stands.
            state: CreditState,
        },
        /// Certificates lost what a credit note takes from them.
        #[codec(index = 15)]
        Diluted {
            /// The credit note.
            credit: DocumentId,
            /// The invoice.
            invoice: DocumentId,
            /// By how much.
            amount: Money,
        },
        /// A declaration was amended.
        #[codec(index = 16)]
        DeclarationAmended {
            /// Its id.
            declaration: DocumentId,
            /// Who declares.
            declarant: AccountId,
            /// How often by now.
            amendments: u32,
        },
        /// A certificate of origin was issued or revoked.
        #[codec(index = 17)]
        OriginChanged {
            /// Its id.
            origin: DocumentId,
            /// Who certifies.
            issuer: AccountId,
            /// Who sells the goods.
            exporter: AccountId,
            /// Where it stands.
            state: OriginState,
        },
        /// A warehouse receipt was issued, split, pledged, released, surrendered or delivered on.
        #[codec(index = 18)]
        ReceiptChanged {
            /// Its id.
            receipt: DocumentId,
            /// Who stores.
            warehouse: AccountId,
            /// Whose the goods are.
            owner: AccountId,
            /// Units.
            quantity: u64,
            /// To whom it is pledged.
            pledgee: Option<AccountId>,
            /// Where it stands.
            state: ReceiptState,
        },
        /// A price of stored goods was attested.
        #[codec(index = 19)]
        ReceiptValued {
            /// The receipt.
            receipt: DocumentId,
            /// Whose the goods are.
            owner: AccountId,
            /// To whom it is pledged.
            pledgee: Option<AccountId>,
            /// The price.
            price: UnitPrice,
        },
        /// Cargo was insured.
        #[codec(index = 20)]
        CargoInsured {
            /// The policy.
            policy: DocumentId,
            /// Who insures.
            insurer: AccountId,
            /// Who is insured.
            insured: AccountId,
            /// The shipment.
            bill: DocumentId,
            /// The sum insured.
            sum: Money,
        },
        /// A loss was claimed, or the claim answered.
        #[codec(index = 21)]
        ClaimChanged {
            /// The policy.
            policy: DocumentId,
            /// Who insures.
            insurer: AccountId,
            /// Number of the claim.
            number: u32,
            /// The claim.
            claim: Claim,
        },
        /// The owner destroyed the salts of a document's fields.
        #[codec(index = 22)]
        SaltsErased {
            /// The document.
            document: DocumentId,
            /// Who kept them.
            owner: AccountId,
            /// The root that no field can be shown under any more.
            commitment: Hash,
        },
    }
}
