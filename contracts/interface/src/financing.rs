//! `financing`: a holder gets money for a part before it is due.

use alloc::{string::String, vec::Vec};

use portolan_sdk::CallError;

use crate::{
    AccountId, BusinessDate, CertificateId, DayCount, DocumentId, FinancingId, MemberStatus, Money, PartId, Ppm,
    TermsError, Unauthorized, data,
    receivable::{PartState, ReceivableError, Recourse},
    settlement::SettlementError,
    small,
};

/// Most offers for one request.
pub const MAX_OFFERS: u32 = 32;
/// Longest registry reference, bytes.
pub const MAX_REFERENCE: usize = 64;

small! {
    /// Where a financing stands.
    pub enum FinancingState {
        /// Open for offers.
        #[codec(index = 0)]
        Requested,
        /// An offer was accepted; the funder has yet to name the registration.
        #[codec(index = 1)]
        Accepted,
        /// The money was paid.
        #[codec(index = 2)]
        Drawn,
        /// The borrower took the request back.
        #[codec(index = 3)]
        Withdrawn,
    }

    /// Where an offer stands.
    pub enum OfferState {
        /// Open.
        #[codec(index = 0)]
        Open,
        /// Taken.
        #[codec(index = 1)]
        Accepted,
        /// Taken back by the funder.
        #[codec(index = 2)]
        Withdrawn,
    }
}

data! {
    /// What a funder offers: to buy the part at a discount.
    pub struct OfferTerms {
        /// Discount a year.
        pub rate: Ppm,
        /// How days are counted, from the day of the draw to the due date.
        pub day_count: DayCount,
        /// Fee, kept from the proceeds.
        pub fee: Money,
        /// Whether the funder may go back to the borrower.
        pub recourse: Recourse,
        /// Last day on which it can be accepted.
        pub expires: BusinessDate,
        /// Number of the registration with the central registry, 1 to 64 printable ASCII bytes. With it, acceptance draws at once.
        pub registry_reference: Option<String>,
    }

    /// An offer.
    pub struct Offer {
        /// Its number within the financing, from 0.
        pub number: u32,
        /// Who offers.
        pub funder: AccountId,
        /// What.
        pub terms: OfferTerms,
        /// Where it stands.
        pub state: OfferState,
    }

    /// What was paid.
    pub struct Draw {
        /// Who paid.
        pub funder: AccountId,
        /// The part's face.
        pub face: Money,
        /// The discount.
        pub discount: Money,
        /// The fee.
        pub fee: Money,
        /// Paid to the borrower: face − discount − fee.
        pub proceeds: Money,
        /// The registration.
        pub registry_reference: String,
        /// The business date.
        pub date: BusinessDate,
    }

    /// A request for finance and what came of it.
    pub struct Financing {
        /// Its id.
        pub id: FinancingId,
        /// Who asks.
        pub borrower: AccountId,
        /// For which part.
        pub part: PartId,
        /// The part's certificate.
        pub certificate: CertificateId,
        /// The certificate's invoice.
        pub invoice: DocumentId,
        /// What the part comes to.
        pub face: Money,
        /// When it is due.
        pub due: BusinessDate,
        /// Offers made.
        pub offers: u32,
        /// Number of the accepted offer.
        pub accepted: Option<u32>,
        /// What was paid.
        pub draw: Option<Draw>,
        /// Height of the block that brought it.
        pub height: u64,
        /// Where it stands.
        pub state: FinancingState,
    }

    /// A financing with the offers that the reader may see: the borrower all, a funder its own.
    pub struct FinancingView {
        /// The financing.
        pub financing: Financing,
        /// Offers.
        pub offers: Vec<Offer>,
    }

    /// Part of the numbered list of an account's financings.
    pub struct FinancingPage {
        /// Entries of the whole list.
        pub count: u32,
        /// Financings that the account asked for or offered on, from number `from` on.
        pub financings: Vec<Financing>,
    }

    /// Whether an invoice backs a live financing; its terms are the parties'.
    pub struct Encumbrance {
        /// The invoice.
        pub invoice: DocumentId,
        /// Whether it does.
        pub financed: bool,
    }

    /// Why `financing` refuses.
    pub enum FinancingError {
        /// the approvals do not suffice: {0}
        #[codec(index = 0)]
        Unauthorized(Unauthorized),
        /// no such financing: check the id
        #[codec(index = 1)]
        UnknownFinancing,
        /// no such offer
        #[codec(index = 2)]
        UnknownOffer,
        /// the invoice {invoice} backs a live financing already
        #[codec(index = 3)]
        AlreadyFinanced {
            /// The invoice.
            invoice: DocumentId,
        },
        /// this account does not hold the part
        #[codec(index = 4)]
        NotHolder,
        /// the part is {state}; it must be live
        #[codec(index = 5)]
        PartState {
            /// Where it stands.
            state: PartState,
        },
        /// only the borrower may do this
        #[codec(index = 6)]
        NotBorrower,
        /// only the funder of the offer may do this
        #[codec(index = 7)]
        NotFunder,
        /// the funder must be a bank
        #[codec(index = 8)]
        NotBank,
        /// the account is unknown
        #[codec(index = 9)]
        UnknownAccount,
        /// the member is {status} and may not take part
        #[codec(index = 10)]
        MemberNotActive {
            /// Where it stands.
            status: MemberStatus,
        },
        /// the financing is {state}; the act needs it {needed}
        #[codec(index = 11)]
        FinancingState {
            /// Where it stands.
            state: FinancingState,
            /// What the act needs.
            needed: FinancingState,
        },
        /// the offer is {state}: only an open one can be accepted or withdrawn
        #[codec(index = 12)]
        OfferState {
            /// Where it stands.
            state: OfferState,
        },
        /// the offer lapsed on {expired}
        #[codec(index = 13)]
        OfferExpired {
            /// Its last day.
            expired: BusinessDate,
        },
        /// the offer's last day must lie between today and the day before {due}
        #[codec(index = 14)]
        OfferWindow {
            /// The due date.
            due: BusinessDate,
        },
        /// discount and fee leave nothing of {face}
        #[codec(index = 15)]
        NothingLeft {
            /// The part's face.
            face: Money,
        },
        /// there are 32 offers already
        #[codec(index = 16)]
        TooManyOffers,
        /// a registry reference has 1 to 64 printable ASCII characters
        #[codec(index = 17)]
        RegistryReference,
        /// the part changed since the request: ask anew
        #[codec(index = 18)]
        EvidenceChanged,
        /// the receivable contract refused: {0}
        #[codec(index = 19)]
        Receivable(CallError<ReceivableError>),
        /// the settlement contract refused: {0}
        #[codec(index = 20)]
        Settlement(CallError<SettlementError>),
        /// this reader is not party to the financing
        #[codec(index = 21)]
        NotParty,
        /// {0}
        #[codec(index = 22)]
        Terms(TermsError),
        /// borrower and funder are the same organisation
        #[codec(index = 23)]
        SameParty,
        /// the fee must not be negative
        #[codec(index = 24)]
        NegativeFee,
        /// this transaction has asked for finance on this part already
        #[codec(index = 25)]
        DuplicateRequest,
    }

    /// What `financing` tells.
    pub enum FinancingEvent {
        /// Finance was asked for.
        #[codec(index = 0)]
        Requested {
            /// Its id.
            financing: FinancingId,
            /// Who asks.
            borrower: AccountId,
            /// For which part.
            part: PartId,
        },
        /// A funder offered.
        #[codec(index = 1)]
        Offered {
            /// The financing.
            financing: FinancingId,
            /// The offer's number.
            number: u32,
            /// To whom.
            borrower: AccountId,
            /// Who offers.
            funder: AccountId,
        },
        /// An offer was accepted.
        #[codec(index = 2)]
        Accepted {
            /// The financing.
            financing: FinancingId,
            /// The offer's number.
            number: u32,
            /// Who accepted.
            borrower: AccountId,
            /// Whose offer.
            funder: AccountId,
        },
        /// The money was paid.
        #[codec(index = 3)]
        Drawn {
            /// The financing.
            financing: FinancingId,
            /// Who was paid.
            borrower: AccountId,
            /// Who paid.
            funder: AccountId,
            /// How much.
            proceeds: Money,
        },
        /// The borrower took the request back.
        #[codec(index = 4)]
        Withdrawn {
            /// The financing.
            financing: FinancingId,
            /// Who.
            borrower: AccountId,
        },
        /// A funder took an offer back.
        #[codec(index = 5)]
        OfferWithdrawn {
            /// The financing.
            financing: FinancingId,
            /// The offer's number.
            number: u32,
            /// Who.
            funder: AccountId,
        },
    }
}

/// Requests, offers and draws on parts of certificates.
#[portolan_sdk::interface(name = "financing", module = api, error = FinancingError, event = FinancingEvent)]
pub trait Financings {
    /// The holder of a live part asks for finance on it; the id is [`FinancingId::requested`] by the transaction.
    #[call(index = 0)]
    fn request(&mut self, borrower: AccountId, part: PartId) -> Result<FinancingId, FinancingError>;

    /// A bank offers; answers the offer's number.
    #[call(index = 1)]
    fn offer(&mut self, funder: AccountId, financing: FinancingId, terms: OfferTerms) -> Result<u32, FinancingError>;

    /// The borrower accepts. Draws at once when the offer names the registration: the part goes to the funder, and the borrower gets a deposit
    /// at the funder's bank.
    #[call(index = 2)]
    fn accept(&mut self, borrower: AccountId, financing: FinancingId, offer: u32) -> Result<(), FinancingError>;

    /// The funder names the registration of an accepted offer, which draws.
    #[call(index = 3)]
    fn draw(
        &mut self,
        funder: AccountId,
        financing: FinancingId,
        registry_reference: String,
    ) -> Result<(), FinancingError>;

    /// The borrower takes back a request that is not drawn.
    #[call(index = 4)]
    fn withdraw(&mut self, borrower: AccountId, financing: FinancingId) -> Result<(), FinancingError>;

    /// The funder takes back an open offer.
    #[call(index = 5)]
    fn withdraw_offer(&mut self, funder: AccountId, financing: FinancingId, offer: u32) -> Result<(), FinancingError>;

    /// One financing. For its borrower, and for its funders without each other's offers.
    #[query(index = 0, path = "/financings/{id}")]
    fn financing(&self, id: FinancingId) -> Result<FinancingView, FinancingError>;

    /// The financings that an account asked for or offered on, from number `from` on. For its member.
    #[query(index = 1, path = "/financings")]
    fn financings(&self, account: AccountId, from: Option<u32>) -> Result<FinancingPage, FinancingError>;

    /// Whether an invoice was drawn on, without terms. For everybody.
    #[query(index = 2, path = "/encumbrances/{invoice}")]
    fn encumbrance(&self, invoice: DocumentId) -> Result<Encumbrance, FinancingError>;
}
