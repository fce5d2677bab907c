//! Why `trade-documents` refuses.

use alloc::vec::Vec;

use super::{
    ClaimState, CreditState, CustomsDecision, DeclarationState, Difference, DocumentKind, InvoiceState, OrderState,
    ReceiptState, TitleState,
};
use crate::{AccountId, BusinessDate, Currency, DocumentId, MemberStatus, Money, TermsError, Unauthorized, data};

data! {
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
            fields: Vec<Difference>,
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
        /// this side of the review has released the invoice already; the other side has not
        #[codec(index = 42)]
        ReleasedAlready,
        /// the buyer and the platform that release an invoice must be two organisations, and the platform not the seller's
        #[codec(index = 43)]
        SameReviewer,
        /// no such review: the invoice was never held
        #[codec(index = 44)]
        NoReview,
        /// the last day of delivery, {until}, has passed: agree on another window
        #[codec(index = 45)]
        DeliveryOver {
            /// The order's last day.
            until: BusinessDate,
        },
        /// the goods cannot be on board on {on_board}, which lies in the future: issue the bill on that day
        #[codec(index = 46)]
        OnBoardInFuture {
            /// The bill's date.
            on_board: BusinessDate,
        },
        /// the title has {now} entries, the act was made on {seen}: look at it again, and act on what it is now
        #[codec(index = 47)]
        StaleTitle {
            /// What the actor saw.
            seen: u32,
            /// What there is.
            now: u32,
        },
        /// a straight bill names its consignee
        #[codec(index = 48)]
        StraightToNobody,
        /// the title was endorsed to this owner alone and goes no further: surrender it, or reject it
        #[codec(index = 49)]
        NamedOnly,
        /// the title is endorsed in blank: only a bearer who presents it moves it
        #[codec(index = 50)]
        InBlank,
        /// the title is not endorsed in blank: there is nothing to present
        #[codec(index = 51)]
        NotInBlank,
        /// the presentation is not signed by the bearer's key for this account
        #[codec(index = 52)]
        NotBearer,
        /// the title is pledged to {to}: it moves only with that bank's approval, or once it is released
        #[codec(index = 53)]
        Pledged {
            /// The pledgee.
            to: AccountId,
        },
        /// the title is not pledged to this bank
        #[codec(index = 54)]
        NotPledgee,
        /// no amendment is proposed
        #[codec(index = 55)]
        NoAmendment,
        /// goods are delivered against a surrendered title, or a recorded letter of indemnity: there is neither
        #[codec(index = 56)]
        NothingToDeliverOn,
        /// the goods are delivered already: the title can only be surrendered
        #[codec(index = 57)]
        DeliveredAlready,
        /// the bill is {state}: only a void one or one on paper is replaced
        #[codec(index = 58)]
        NotReplaceable {
            /// Where its title stands.
            state: TitleState,
        },
        /// the bill is replaced already, by {by}
        #[codec(index = 59)]
        ReplacedAlready {
            /// The bill that stands in its place.
            by: DocumentId,
        },
        /// a bill in the place of a void one is issued to the owner that consented
        #[codec(index = 60)]
        NotToItsOwner,
        /// the endorsement at {position} (from 0) does not follow from the one before it: the chain has a gap
        #[codec(index = 61)]
        ChainGap {
            /// Its place in the list, oldest first.
            position: u32,
        },
        /// a proposal waits for an answer already: it must be answered or taken back first
        #[codec(index = 62)]
        ProposalOpen,
        /// nothing is proposed
        #[codec(index = 63)]
        NoProposal,
        /// the other side consents: who proposed can only take it back
        #[codec(index = 64)]
        OwnProposal,
        /// invoices of {invoiced} match the order already: it can neither be cancelled nor come to less
        #[codec(index = 65)]
        InvoicedAlready {
            /// The amount of matched invoices.
            invoiced: Money,
        },
        /// {excess} units more than there can be: shipped of the order, received of the shipped, returned of the received
        #[codec(index = 66)]
        TooManyUnits {
            /// By how much.
            excess: u64,
        },
        /// at least one unit
        #[codec(index = 67)]
        NoUnits,
        /// {date} lies in the future
        #[codec(index = 68)]
        DateInFuture {
            /// The document's date.
            date: BusinessDate,
        },
        /// {date} lies before {earliest}, on which it can have happened at the earliest
        #[codec(index = 69)]
        DateTooEarly {
            /// The document's date.
            date: BusinessDate,
            /// The date of what it follows.
            earliest: BusinessDate,
        },
        /// no tolerance class {class} is governed; 0 always is
        #[codec(index = 70)]
        UnknownTolerance {
            /// The class.
            class: u8,
        },
        /// the credits or returns together exceed the document by {excess}
        #[codec(index = 71)]
        CreditTooMuch {
            /// By how much.
            excess: Money,
        },
        /// the credit note is {state}; the act needs it {needed}
        #[codec(index = 72)]
        CreditState {
            /// Where it stands.
            state: CreditState,
            /// What the act needs.
            needed: CreditState,
        },
        /// no certificate has to lose anything by this credit note any more
        #[codec(index = 73)]
        NothingToDilute,
        /// a hold of this reference is open already
        #[codec(index = 74)]
        HoldOpen,
        /// no hold of this reference is open
        #[codec(index = 75)]
        NoHold,
        /// the declaration is {state}: it is amended before release only
        #[codec(index = 76)]
        NotAmendable {
            /// Where it stands.
            state: DeclarationState,
        },
        /// a country has two capital letters, by ISO 3166
        #[codec(index = 77)]
        Country,
        /// the certificate of origin is revoked
        #[codec(index = 78)]
        OriginRevoked,
        /// the warehouse receipt is {state}; the act needs it {needed}
        #[codec(index = 79)]
        ReceiptState {
            /// Where it stands.
            state: ReceiptState,
            /// What the act needs.
            needed: ReceiptState,
        },
        /// only the owner of the stored goods may do this
        #[codec(index = 80)]
        NotGoodsOwner,
        /// a split has 2 to 64 parts
        #[codec(index = 81)]
        PartCount,
        /// the parts come to {parts} units, the receipt to {whole}
        #[codec(index = 82)]
        PartsDiffer {
            /// Of the parts together.
            parts: u64,
            /// Of the receipt.
            whole: u64,
        },
        /// only the price source that the receipt names attests a price
        #[codec(index = 83)]
        NotPriceSource,
        /// a unit is written by UN/ECE Recommendation 20: 2 or 3 capital letters or digits
        #[codec(index = 84)]
        Unit,
        /// the cover ends before it starts
        #[codec(index = 85)]
        CoverWindow,
        /// the cover starts after the goods were on board, on {on_board}
        #[codec(index = 86)]
        CoverTooLate {
            /// The bill's date.
            on_board: BusinessDate,
        },
        /// the loss on {occurred} lies outside the cover
        #[codec(index = 87)]
        OutsideCover {
            /// Day of the loss.
            occurred: BusinessDate,
        },
        /// {excess} more than is claimed, or insured
        #[codec(index = 88)]
        CoverExceeded {
            /// By how much.
            excess: Money,
        },
        /// no such claim on this policy
        #[codec(index = 89)]
        UnknownClaim,
        /// the claim is {state}: it is answered once
        #[codec(index = 90)]
        ClaimState {
            /// Where it stands.
            state: ClaimState,
        },
        /// no commitment of this document: check the id; of a part of a split warehouse receipt ask for the whole's
        #[codec(index = 91)]
        UnknownCommitment,
        /// only who registered the document, or amended it last, keeps its salts and says that they are destroyed
        #[codec(index = 92)]
        NotSaltOwner,
        /// the document has another root by now: look at it again, and destroy the salts that it has now
        #[codec(index = 93)]
        StaleCommitment,
    }
}
