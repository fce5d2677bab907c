//! `trade-documents`: what proves that there is a trade behind a claim.

use alloc::{string::String, vec::Vec};

use crate::{
    AccountId, BusinessDate, Currency, DocumentId, Hash, MemberId, MemberStatus, Money, TermsError, Unauthorized, data,
    small,
};

/// Most containers of one bill of lading.
pub const MAX_CONTAINERS: usize = 256;
/// Most HS codes of one declaration.
pub const MAX_HS_CODES: usize = 99;
/// Longest number of a bill of lading, in bytes (DCSA: 20; 35 in older messages).
pub const MAX_BILL_NUMBER: usize = 35;

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

    /// Where the title of a bill of lading stands.
    pub enum TitleState {
        /// In force.
        #[codec(index = 0)]
        Issued,
        /// Given back to the carrier, who has not answered.
        #[codec(index = 1)]
        Surrendered,
        /// The carrier took it: the title has ended, nothing moves any more.
        #[codec(index = 2)]
        Accomplished,
    }

    /// What an act on a title changed.
    pub enum TitleAct {
        /// The carrier issued it.
        #[codec(index = 0)]
        Issue,
        /// Holdership went on.
        #[codec(index = 1)]
        Holder,
        /// The beneficial right went to the nominee.
        #[codec(index = 2)]
        Beneficiary,
        /// Both went on together.
        #[codec(index = 3)]
        Both,
        /// The receiver gave it back.
        #[codec(index = 4)]
        Reject,
        /// Given to the carrier.
        #[codec(index = 5)]
        Surrender,
        /// The carrier accepted: the end.
        #[codec(index = 6)]
        SurrenderAccepted,
        /// The carrier rejected: the title returned.
        #[codec(index = 7)]
        SurrenderRejected,
    }

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
        /// Height of the block that brought it.
        pub height: u64,
        /// Where it stands.
        pub state: OrderState,
    }

    /// What a carrier issues.
    pub struct BillTerms {
        /// The carrier's own number, 1 to 35 bytes of ASCII letters, digits, `-` and `/`. Only its keyed hash is stored.
        pub number: String,
        /// Who gave the goods.
        pub shipper: AccountId,
        /// To whom they go; none: to order.
        pub consignee: Option<AccountId>,
        /// The order that they belong to.
        pub order: DocumentId,
        /// Container numbers by ISO 6346, such as `MSKU6011672`.
        pub containers: Vec<[u8; 11]>,
        /// Port of loading, UN/LOCODE.
        pub loading: [u8; 5],
        /// Port of discharge, UN/LOCODE.
        pub discharge: [u8; 5],
        /// Day on board.
        pub on_board: BusinessDate,
        /// Whether the title can be endorsed; a straight bill cannot.
        pub negotiable: bool,
        /// First holder.
        pub holder: AccountId,
        /// First beneficiary.
        pub beneficiary: AccountId,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
    }

    /// A bill of lading and its title.
    pub struct Bill {
        /// Its id.
        pub id: DocumentId,
        /// Who carries.
        pub carrier: AccountId,
        /// Who gave the goods.
        pub shipper: AccountId,
        /// To whom they go; none: to order.
        pub consignee: Option<AccountId>,
        /// The order that they belong to.
        pub order: DocumentId,
        /// Container numbers.
        pub containers: Vec<[u8; 11]>,
        /// Port of loading.
        pub loading: [u8; 5],
        /// Port of discharge.
        pub discharge: [u8; 5],
        /// Day on board.
        pub on_board: BusinessDate,
        /// Whether the title can be endorsed.
        pub negotiable: bool,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
        /// Who controls the title; exactly one.
        pub holder: AccountId,
        /// Who owns the right; exactly one.
        pub beneficiary: AccountId,
        /// Whom the beneficiary named as the next.
        pub nominee: Option<AccountId>,
        /// From whom holdership came and who may have it back, while the receiver has not acted.
        pub former_holder: Option<AccountId>,
        /// From whom the right came and who may have it back, while the receiver has not acted.
        pub former_beneficiary: Option<AccountId>,
        /// Number of entries of the endorsement chain.
        pub endorsements: u32,
        /// Height of the block that brought it.
        pub height: u64,
        /// Where the title stands.
        pub state: TitleState,
    }

    /// One entry of the endorsement chain.
    pub struct Endorsement {
        /// What happened.
        pub act: TitleAct,
        /// Who acted.
        pub by: AccountId,
        /// Holder afterwards.
        pub holder: AccountId,
        /// Beneficiary afterwards.
        pub beneficiary: AccountId,
        /// The business date.
        pub date: BusinessDate,
        /// The block's height.
        pub height: u64,
    }

    /// A title with its whole endorsement chain.
    pub struct TitleView {
        /// The bill.
        pub bill: Bill,
        /// The endorsements from number `from` on, oldest first.
        pub endorsements: Vec<Endorsement>,
    }

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
        /// The bill of lading of the goods.
        pub bill: Option<DocumentId>,
        /// The customs declaration of the goods.
        pub declaration: Option<DocumentId>,
        /// The plain fingerprint. Only its keyed hash is stored.
        pub fingerprint: Hash,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
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
        /// The bill of lading of the goods.
        pub bill: Option<DocumentId>,
        /// The customs declaration of the goods.
        pub declaration: Option<DocumentId>,
        /// The fingerprint, hashed with the consortium's key.
        pub fingerprint: Hash,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
        /// The amount of the certificates against it that stand.
        pub certified: Money,
        /// The amount of those that are paid.
        pub settled: Money,
        /// Certificates ever issued against it.
        pub certificates: u32,
        /// Height of the block that brought it.
        pub height: u64,
        /// Where it stands.
        pub state: InvoiceState,
    }

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
    }

    /// Part of the numbered list of an account's documents.
    pub struct DocumentPage {
        /// Entries of the whole list.
        pub count: u32,
        /// Kind and id, from number `from` on.
        pub documents: Vec<(DocumentKind, DocumentId)>,
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
    }

    /// Why `trade-documents` refuses.
    pub enum TradeError {
        /// the approvals do not suffice: {0}
        #[codec(index = 0)]
        Unauthorized(Unauthorized),
        /// no such document: check the id
        #[codec(index = 1)]
        UnknownDocument,
        /// the document is a {found}, not a {needed}
        #[codec(index = 2)]
        WrongKind {
            /// What it is.
            found: DocumentKind,
            /// What the act needs.
            needed: DocumentKind,
        },
        /// this very document is registered already
        #[codec(index = 3)]
        DuplicateDocument,
        /// the invoice is registered already as {first}: one invoice backs one claim, whatever its file format
        #[codec(index = 4)]
        DuplicateInvoice {
            /// The registration that holds.
            first: DocumentId,
        },
        /// the carrier has issued a bill with this number already: {first}
        #[codec(index = 5)]
        DuplicateBillNumber {
            /// The bill that holds.
            first: DocumentId,
        },
        /// this account is not party to the document
        #[codec(index = 6)]
        NotParty,
        /// the member does not have the role for this act
        #[codec(index = 7)]
        WrongRole,
        /// the account is unknown
        #[codec(index = 8)]
        UnknownAccount,
        /// the member is {status} and may not take part
        #[codec(index = 9)]
        MemberNotActive {
            /// Where it stands.
            status: MemberStatus,
        },
        /// seller and buyer are the same organisation
        #[codec(index = 10)]
        SameParty,
        /// the amount must be above zero
        #[codec(index = 11)]
        AmountNotPositive,
        /// the amount is in {found}, the document in {expected}
        #[codec(index = 12)]
        WrongCurrency {
            /// Of the document.
            expected: Currency,
            /// Of the amount.
            found: Currency,
        },
        /// the accepted amount exceeds the order by {excess}
        #[codec(index = 13)]
        AcceptedTooMuch {
            /// By how much.
            excess: Money,
        },
        /// the order is {state}; only an offered order can be answered
        #[codec(index = 14)]
        OrderState {
            /// Where it stands.
            state: OrderState,
        },
        /// the delivery window ends before it starts
        #[codec(index = 15)]
        DeliveryWindow,
        /// a bill's number has 1 to 35 letters, digits, - or /
        #[codec(index = 16)]
        BillNumber,
        /// container {position} (from 0) fails ISO 6346: check its letters, digits and check digit
        #[codec(index = 17)]
        Container {
            /// Its place in the list.
            position: u32,
        },
        /// a port is written as UN/LOCODE: two letters, then three letters or digits 2 to 9
        #[codec(index = 18)]
        Port,
        /// the list is too long: at most {limit} entries
        #[codec(index = 19)]
        TooMany {
            /// Most entries.
            limit: u32,
        },
        /// only the holder of the title may do this
        #[codec(index = 20)]
        NotHolder,
        /// only the beneficiary of the title may do this
        #[codec(index = 21)]
        NotBeneficiary,
        /// only one who is both holder and beneficiary may do this
        #[codec(index = 22)]
        NotOwner,
        /// only the carrier may do this
        #[codec(index = 23)]
        NotCarrier,
        /// the bill is not negotiable: its title cannot be endorsed
        #[codec(index = 24)]
        NotNegotiable,
        /// the title is {state}; the act needs it {needed}
        #[codec(index = 25)]
        TitleState {
            /// Where it stands.
            state: TitleState,
            /// What the act needs.
            needed: TitleState,
        },
        /// nobody nominates themselves or the present beneficiary
        #[codec(index = 26)]
        NominatesPresent,
        /// no beneficiary is nominated
        #[codec(index = 27)]
        NoNominee,
        /// the title is with this account already
        #[codec(index = 28)]
        SameHolder,
        /// there is nothing to reject: the title came to nobody, or the receiver has acted on it
        #[codec(index = 29)]
        NothingToReject,
        /// an HS code has 4 to 10 digits
        #[codec(index = 30)]
        HsCode,
        /// the declaration is {state}: {decision} does not follow
        #[codec(index = 31)]
        DeclarationState {
            /// Where it stands.
            state: DeclarationState,
            /// What was asked.
            decision: CustomsDecision,
        },
        /// the due date lies before the issue date
        #[codec(index = 32)]
        DueBeforeIssue,
        /// the issue date {issued} lies in the future
        #[codec(index = 33)]
        IssuedInFuture {
            /// The invoice's date.
            issued: BusinessDate,
        },
        /// the tax lies outside zero to the payable amount
        #[codec(index = 34)]
        TaxRange,
        /// the invoice does not match: {fields}
        #[codec(index = 35)]
        Mismatch {
            /// Each point of difference.
            fields: Vec<Mismatch>,
        },
        /// the invoice is {state}; the act needs it {needed}
        #[codec(index = 36)]
        InvoiceState {
            /// Where it stands.
            state: InvoiceState,
            /// What the act needs.
            needed: InvoiceState,
        },
        /// the certificate exceeds what is left of the invoice by {excess}
        #[codec(index = 37)]
        Overcertified {
            /// By how much.
            excess: Money,
        },
        /// only the receivable contract may call this
        #[codec(index = 38)]
        NotTrusted,
        /// {0}
        #[codec(index = 39)]
        Terms(TermsError),
        /// the declaration belongs to another order than the bill of lading
        #[codec(index = 40)]
        OtherOrder,
        /// the order is {state}: goods are shipped on an accepted order
        #[codec(index = 41)]
        OrderNotAccepted {
            /// Where it stands.
            state: OrderState,
        },
    }

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
    }
}

/// Orders, bills of lading with title, customs declarations and invoices.
#[portolan_sdk::interface(name = "trade-documents", module = api, error = TradeError, event = TradeEvent)]
pub trait TradeDocuments {
    /// The buyer gives an order; the id is [`DocumentId::order`].
    #[call(index = 0)]
    fn offer_order(&mut self, buyer: AccountId, terms: OrderTerms) -> Result<DocumentId, TradeError>;

    /// The seller answers an offered order.
    #[call(index = 1)]
    fn answer_order(&mut self, seller: AccountId, order: DocumentId, answer: OrderAnswer) -> Result<(), TradeError>;

    /// A carrier issues a bill of lading; the id is [`DocumentId::bill`].
    #[call(index = 2)]
    fn issue_bill(&mut self, carrier: AccountId, terms: BillTerms) -> Result<DocumentId, TradeError>;

    /// The beneficiary names the next beneficiary, another one, or nobody any more.
    #[call(index = 3)]
    fn nominate(
        &mut self,
        beneficiary: AccountId,
        bill: DocumentId,
        nominee: Option<AccountId>,
    ) -> Result<(), TradeError>;

    /// The holder passes holdership on.
    #[call(index = 4)]
    fn transfer_holder(&mut self, holder: AccountId, bill: DocumentId, to: AccountId) -> Result<(), TradeError>;

    /// The holder lets the beneficial right go to the nominee.
    #[call(index = 5)]
    fn transfer_beneficiary(&mut self, holder: AccountId, bill: DocumentId) -> Result<(), TradeError>;

    /// One who is both holder and beneficiary passes both on in one act.
    #[call(index = 6)]
    fn endorse(&mut self, owner: AccountId, bill: DocumentId, to: AccountId) -> Result<(), TradeError>;

    /// Who received the title gives it back, once, before acting.
    #[call(index = 7)]
    fn reject_title(&mut self, receiver: AccountId, bill: DocumentId) -> Result<(), TradeError>;

    /// One who is both gives the title to the carrier.
    #[call(index = 8)]
    fn surrender(&mut self, owner: AccountId, bill: DocumentId) -> Result<(), TradeError>;

    /// The carrier accepts a surrender, which ends the title, or rejects it, which returns it.
    #[call(index = 9)]
    fn answer_surrender(&mut self, carrier: AccountId, bill: DocumentId, accept: bool) -> Result<(), TradeError>;

    /// A party lodges a customs declaration; the id is [`DocumentId::declaration`].
    #[call(index = 10)]
    fn lodge_declaration(&mut self, declarant: AccountId, terms: DeclarationTerms) -> Result<DocumentId, TradeError>;

    /// An account of the named customs authority decides.
    #[call(index = 11)]
    fn decide_declaration(
        &mut self,
        customs: AccountId,
        declaration: DocumentId,
        decision: CustomsDecision,
    ) -> Result<(), TradeError>;

    /// Seller or buyer registers an invoice; the id is [`DocumentId::invoice`].
    #[call(index = 12)]
    fn register_invoice(&mut self, registrant: AccountId, terms: InvoiceTerms) -> Result<DocumentId, TradeError>;

    /// Seller or buyer has a registered invoice matched with its order, bill of lading and customs declaration.
    #[call(index = 13)]
    fn match_invoice(&mut self, party: AccountId, invoice: DocumentId) -> Result<(), TradeError>;

    /// `receivable` only: a certificate is issued against the invoice. Answers the certificate's ordinal and the evidence.
    #[call(index = 14)]
    fn certify(
        &mut self,
        invoice: DocumentId,
        debtor: AccountId,
        creditor: AccountId,
        face: Money,
    ) -> Result<(u32, Evidence), TradeError>;

    /// `receivable` only: a certificate was refused or expired, its amount is free again.
    #[call(index = 15)]
    fn release(&mut self, invoice: DocumentId, face: Money) -> Result<(), TradeError>;

    /// `receivable` only: a certificate is paid in full.
    #[call(index = 16)]
    fn settle(&mut self, invoice: DocumentId, face: Money) -> Result<(), TradeError>;

    /// One document. For its parties.
    #[query(index = 0, path = "/documents/{id}")]
    fn document(&self, id: DocumentId) -> Result<Document, TradeError>;

    /// A bill's title with its endorsements from number `from` on. For its parties.
    #[query(index = 1, path = "/titles/{id}")]
    fn title(&self, id: DocumentId, from: Option<u32>) -> Result<TitleView, TradeError>;

    /// The registration of an invoice with this plain fingerprint, or none. For everybody who can compute the fingerprint.
    #[query(index = 2, path = "/fingerprints/{fingerprint}")]
    fn registered(&self, fingerprint: Hash) -> Result<Option<DocumentId>, TradeError>;

    /// The documents that an account is party to, in order of arrival, from number `from` on. For its member.
    #[query(index = 3, path = "/documents")]
    fn documents(&self, account: AccountId, from: Option<u32>) -> Result<DocumentPage, TradeError>;
}
