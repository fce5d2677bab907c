//! `receivable`: certificates, the tree of their parts, and what falls due.

use alloc::{string::String, vec::Vec};

use portolan_sdk::{CallError, ScheduleRefusal};

use crate::{
    AccountId, BusinessDate, CertificateId, Convention, Currency, DayCount, DocumentId, FinancingId, Hash, MemberId,
    MemberStatus, Money, PartId, Ppm, TermsError, Unauthorized, data,
    settlement::SettlementError,
    small,
    trade::{Evidence, TradeError},
};

/// Fewest parts of a split.
pub const MIN_PARTS: usize = 2;
/// Most parts of a split.
pub const MAX_PARTS: usize = 256;
/// Deepest part below the root, which has depth 0.
pub const MAX_DEPTH: u8 = 32;
/// Most leaves of a certificate: none is smaller than the face divided by this, so the work at maturity is bounded.
pub const MAX_LEAVES: i128 = 10_000;
/// Most changes of holder on the path from the root to a part.
pub const MAX_HOPS: u16 = 256;
/// Longest grace, days.
pub const MAX_GRACE_DAYS: u8 = 90;
/// Longest calendar name, bytes.
pub const MAX_CALENDAR_NAME: usize = 48;
/// Governed parameter (`i128`): smallest part, in minor units of any currency.
pub const DUST_PARAMETER: &str = "receivable.dust-minor";
/// Smallest part when the parameter is not set: one major unit of most currencies.
pub const DEFAULT_DUST_MINOR: i128 = 100;
/// Governed parameter (`u16`): days after issue in which the debtor may dispute a part, before it is due.
pub const DISPUTE_PARAMETER: &str = "receivable.dispute-days";
/// The dispute window when the parameter is not set: until the due date.
pub const DEFAULT_DISPUTE_DAYS: u16 = 366;
/// Front of the governed parameters (`i128`) that limit what a debtor may owe on certificates, in minor units of a currency. The whole name is
/// `debt-limit.`, the 32 hex digits of the debtor's account, `.` and the currency in small letters; without one there is no limit.
pub const DEBT_LIMIT_PARAMETER: &str = "debt-limit.";
/// Business days on which an overdue certificate is tried again by itself; after them anybody may call `collect`.
pub const COLLECTION_ATTEMPTS: u8 = 30;

small! {
    /// Whether who receives a claim may go back to who gave it. Always stated, never implied.
    pub enum Recourse {
        /// No way back.
        #[codec(index = 0)]
        Without,
        /// The giver answers for the debtor.
        #[codec(index = 1)]
        With,
    }

    /// Where a certificate stands.
    pub enum CertificateState {
        /// The first creditor has not answered.
        #[codec(index = 0)]
        Offered,
        /// In force.
        #[codec(index = 1)]
        Live,
        /// Due, and being paid over several agenda entries.
        #[codec(index = 2)]
        Settling,
        /// Paid in full.
        #[codec(index = 3)]
        Settled,
        /// Due, and not paid in full.
        #[codec(index = 4)]
        Overdue,
        /// The creditor refused it.
        #[codec(index = 5)]
        Refused,
        /// The creditor did not answer in time.
        #[codec(index = 6)]
        Expired,
        /// Due, and paid but for what is in dispute.
        #[codec(index = 7)]
        Disputed,
        /// Void by consent of the debtor and all holders.
        #[codec(index = 8)]
        Cancelled,
        /// Nothing of it was paid, and nothing is owed any more: all of it was lost to credit notes and awards.
        #[codec(index = 9)]
        Diluted,
    }

    /// Where a part stands.
    pub enum PartState {
        /// Offered to a receiver, and locked.
        #[codec(index = 0)]
        Offered,
        /// Free to be split, offered, financed.
        #[codec(index = 1)]
        Live,
        /// Split: its children carry the value.
        #[codec(index = 2)]
        Closed,
        /// Secures a loan.
        #[codec(index = 3)]
        Pledged,
        /// Sold to a funder.
        #[codec(index = 4)]
        Financed,
        /// Nothing moves but maturity.
        #[codec(index = 5)]
        Held,
        /// In dispute.
        #[codec(index = 6)]
        Disputed,
        /// Due, and not paid in full.
        #[codec(index = 7)]
        Overdue,
        /// Paid in full.
        #[codec(index = 8)]
        Settled,
        /// Fallen to nothing by credit notes.
        #[codec(index = 9)]
        Diluted,
        /// Void: refused or expired before anybody held it, or cancelled by all.
        #[codec(index = 10)]
        Cancelled,
        /// Closed with loss.
        #[codec(index = 11)]
        WrittenOff,
        /// Its holder agreed to the certificate's cancellation: locked until all have, or the holder takes the consent back.
        #[codec(index = 12)]
        Consenting,
    }

    /// How a part came to its holder.
    pub enum HopKind {
        /// From the debtor to the first creditor.
        #[codec(index = 0)]
        Issue,
        /// By offer and acceptance.
        #[codec(index = 1)]
        Assignment,
        /// Sold to a funder.
        #[codec(index = 2)]
        Discount,
        /// Back to who had given it with recourse, and made good for the debtor.
        #[codec(index = 3)]
        Recourse,
    }
}

data! {
    /// What a debtor promises.
    pub struct CertificateTerms {
        /// The first creditor: the invoice's seller.
        pub creditor: AccountId,
        /// The promised amount.
        pub face: Money,
        /// The nominal maturity, at most one year off. Falls on the business day that the convention gives.
        pub maturity: BusinessDate,
        /// Where a maturity on a closed day goes.
        pub convention: Convention,
        /// Name of the calendar of business days.
        pub calendar: String,
        /// Days after the due date before recourse and default interest start, at most 90.
        pub grace_days: u8,
        /// What the creditor is offered for its own first transfer.
        pub recourse_default: Recourse,
        /// Whether parts may go to others.
        pub transferable: bool,
        /// Whether it may be split.
        pub splittable: bool,
        /// The bank whose deposit pays.
        pub bank: MemberId,
        /// The matched invoice that it rests on.
        pub invoice: DocumentId,
        /// Last day on which the creditor may accept.
        pub accept_until: BusinessDate,
    }

    /// Sums over the leaves, and of what was taken off a part before it was split; they add up to the face after every transaction.
    pub struct Totals {
        /// The promised amount.
        pub face: Money,
        /// Still owed: offered, live, pledged, financed, held, disputed, overdue.
        pub outstanding: Money,
        /// Paid, with what holders gave up of it for being paid early.
        pub settled: Money,
        /// Taken off by credit notes and awards.
        pub diluted: Money,
        /// Void.
        pub cancelled: Money,
        /// Lost.
        pub written_off: Money,
    }

    /// A certificate.
    pub struct Certificate {
        /// Its id.
        pub id: CertificateId,
        /// Who promises.
        pub debtor: AccountId,
        /// What is promised.
        pub terms: CertificateTerms,
        /// Business date of issue.
        pub issued: BusinessDate,
        /// The business day on which it is paid.
        pub due: BusinessDate,
        /// What it rests on.
        pub evidence: Evidence,
        /// The part that it starts with.
        pub root: PartId,
        /// Where it stands.
        pub state: CertificateState,
        /// The sums.
        pub totals: Totals,
        /// Smallest part, minor units.
        pub dust_minor: i128,
        /// Height of the block that brought it.
        pub height: u64,
    }

    /// An offer to a receiver.
    pub struct TransferOffer {
        /// Who may accept.
        pub to: AccountId,
        /// The recourse that comes with it.
        pub recourse: Recourse,
        /// Last day on which it can be accepted.
        pub expires: BusinessDate,
    }

    /// A change of holder.
    pub struct Hop {
        /// How.
        pub kind: HopKind,
        /// Who gave.
        pub from: AccountId,
        /// Who received.
        pub to: AccountId,
        /// The recourse that was agreed.
        pub recourse: Recourse,
        /// The business date.
        pub date: BusinessDate,
        /// The block's height.
        pub height: u64,
    }

    /// A node of a certificate's tree.
    pub struct Part {
        /// Its id.
        pub id: PartId,
        /// Its certificate.
        pub certificate: CertificateId,
        /// The part that it was split from; none for the root.
        pub parent: Option<PartId>,
        /// Its place among its siblings, from 0.
        pub index: u16,
        /// Splits above it.
        pub depth: u8,
        /// Who holds it.
        pub holder: AccountId,
        /// Its amount when it came to be.
        pub amount: Money,
        /// Still owed on it; 0 when its children carry it.
        pub outstanding: Money,
        /// Paid on it.
        pub settled: Money,
        /// Day on which it is due.
        pub due: BusinessDate,
        /// Where it stands.
        pub state: PartState,
        /// The open offer.
        pub offer: Option<TransferOffer>,
        /// The financing that encumbers it.
        pub financing: Option<FinancingId>,
        /// Children that it was split into.
        pub children: u16,
        /// How it went from holder to holder; in pages of several parts only the last change.
        pub hops: Vec<Hop>,
        /// Taken off it by credit notes and awards, while it was whole.
        pub diluted: Money,
        /// Commitment to the order or agreement that holds it, or to the reason of the dispute.
        pub bound_by: Option<Hash>,
        /// The debtor's offer to pay early.
        pub early: Option<EarlyOffer>,
    }

    /// What the debtor offers for paying a part before its day.
    pub struct EarlyOffer {
        /// Who may accept: the holder at the time.
        pub to: AccountId,
        /// What was owed on the part.
        pub amount: Money,
        /// Discount a year, at most one whole.
        pub rate: Ppm,
        /// How days are counted, from the day of acceptance to the due date.
        pub day_count: DayCount,
        /// Last day on which it can be accepted.
        pub expires: BusinessDate,
    }

    /// What a court orders about a part, or debtor and holder agree.
    pub enum PartAct {
        /// From now on nothing moves but maturity.
        #[codec(index = 0)]
        Hold,
        /// The hold ends. What a court holds only an order releases.
        #[codec(index = 1)]
        Release,
        /// The dispute ends.
        #[codec(index = 2)]
        Resolve {
            /// What the part loses; the rest is owed.
            lost: Money,
        },
    }

    /// One step of the path from the root to a part: enough to trust the part, nothing of its siblings.
    pub struct LineageStep {
        /// The part.
        pub part: PartId,
        /// Its amount.
        pub amount: Money,
        /// Splits above it.
        pub depth: u8,
        /// Changes of holder while it was whole.
        pub hops: Vec<Hop>,
    }

    /// Where a part comes from.
    pub struct Lineage {
        /// The certificate.
        pub certificate: CertificateId,
        /// Who owes.
        pub debtor: AccountId,
        /// The promised amount of the whole certificate.
        pub face: Money,
        /// When it was issued.
        pub issued: BusinessDate,
        /// When it is due.
        pub due: BusinessDate,
        /// Where the certificate stands.
        pub state: CertificateState,
        /// What it rests on.
        pub evidence: Evidence,
        /// From the root to the part.
        pub path: Vec<LineageStep>,
        /// Owed on the part.
        pub outstanding: Money,
        /// Where the part stands.
        pub part_state: PartState,
        /// The financing that encumbers it.
        pub financing: Option<FinancingId>,
        /// Commitment to what holds it, or to the reason of the dispute.
        pub bound_by: Option<Hash>,
        /// Whether the debtor has acknowledged it, or a part that it was split from, without objection.
        pub acknowledged: bool,
    }

    /// What a debtor owes on all its certificates in a currency.
    pub struct Debt {
        /// Owed: offered, live and overdue.
        pub used: Money,
        /// Most that may be owed when another is issued; none where governance has set no limit.
        pub limit: Option<Money>,
    }

    /// Part of a certificate's tree, in depth-first order.
    pub struct PartPage {
        /// The parts.
        pub parts: Vec<Part>,
        /// Pass it as `from` for the next page; none at the end.
        pub next: Option<PartId>,
    }

    /// Part of what an account holds or is offered. What came to it stands in a numbered list; what it split of that follows each entry.
    pub struct HoldingPage {
        /// Entries of the whole list, of which some have gone on since.
        pub count: u32,
        /// Leaves that the account holds or is offered.
        pub parts: Vec<Part>,
        /// Where the next page starts; none at the end.
        pub next: Option<HoldingCursor>,
    }

    /// A place in the list of what came to an account.
    pub struct HoldingCursor {
        /// Pass it as `from`.
        pub from: u32,
        /// Pass it as `at`.
        pub at: PartId,
    }

    /// Part of the numbered list of an account's certificates.
    pub struct CertificatePage {
        /// Entries of the whole list.
        pub count: u32,
        /// Certificates that the account issued or was first offered, from number `from` on.
        pub certificates: Vec<Certificate>,
    }

    /// An entry that the certificate has on the agenda.
    pub struct DueEntry {
        /// Its id on the agenda.
        pub entry: Hash,
        /// Its day.
        pub due: BusinessDate,
        /// What it is for.
        pub purpose: DuePurpose,
    }

    /// What `financing` must know of a part before it deals in it.
    pub struct PartFacts {
        /// Its certificate.
        pub certificate: CertificateId,
        /// The certificate's invoice.
        pub invoice: DocumentId,
        /// Who owes.
        pub debtor: AccountId,
        /// Who holds it.
        pub holder: AccountId,
        /// Still owed on it.
        pub outstanding: Money,
        /// Day on which it is due.
        pub due: BusinessDate,
        /// Where it stands.
        pub state: PartState,
        /// The financing that encumbers it.
        pub financing: Option<FinancingId>,
    }
}

small! {
    /// What an agenda entry of a certificate is for.
    pub enum DuePurpose {
        /// The offer to the first creditor lapses.
        #[codec(index = 0)]
        Expiry,
        /// It is paid.
        #[codec(index = 1)]
        Maturity,
        /// Paying goes on with the next leaves.
        #[codec(index = 2)]
        Continuation,
        /// What is overdue is tried again, for the so-manieth time.
        #[codec(index = 3)]
        Collection(u8),
    }
}

data! {
    /// Why `receivable` refuses.
    pub enum ReceivableError {
        /// the approvals do not suffice: {0}
        #[codec(index = 0)]
        Unauthorized(Unauthorized),
        /// no such certificate: check the id
        #[codec(index = 1)]
        UnknownCertificate,
        /// no such part: check the id
        #[codec(index = 2)]
        UnknownPart,
        /// this account does not hold the part
        #[codec(index = 3)]
        NotHolder,
        /// the certificate is not offered to this account
        #[codec(index = 4)]
        NotCreditor,
        /// the part is not offered to this account
        #[codec(index = 5)]
        NotReceiver,
        /// the part is {state}; the act needs it {needed}
        #[codec(index = 6)]
        PartState {
            /// Where it stands.
            state: PartState,
            /// What the act needs.
            needed: PartState,
        },
        /// the certificate is {state}; the act needs it {needed}
        #[codec(index = 7)]
        CertificateState {
            /// Where it stands.
            state: CertificateState,
            /// What the act needs.
            needed: CertificateState,
        },
        /// the parts exceed {amount} by {excess}
        #[codec(index = 8)]
        OverSplit {
            /// Of the part.
            amount: Money,
            /// By how much.
            excess: Money,
        },
        /// the parts fall short of {amount} by {missing}: add a part for the rest
        #[codec(index = 9)]
        UnderSplit {
            /// Of the part.
            amount: Money,
            /// By how much.
            missing: Money,
        },
        /// part {position} (from 0) is not above zero
        #[codec(index = 10)]
        ZeroPart {
            /// Its place in the list.
            position: u32,
        },
        /// part {position} (from 0) is below the smallest part, {minimum}
        #[codec(index = 11)]
        Dust {
            /// Its place in the list.
            position: u32,
            /// The smallest part.
            minimum: Money,
        },
        /// a split has 2 to 256 parts, this one {count}
        #[codec(index = 12)]
        PartCount {
            /// How many there are.
            count: u32,
        },
        /// the amount is in {found}, the claim in {expected}
        #[codec(index = 13)]
        WrongCurrency {
            /// Of the claim.
            expected: Currency,
            /// Of the amount.
            found: Currency,
        },
        /// the part was split 32 times over: it cannot be split again
        #[codec(index = 14)]
        TooDeep,
        /// the certificate may not be split
        #[codec(index = 15)]
        NotSplittable,
        /// the certificate may not be transferred
        #[codec(index = 16)]
        NotTransferable,
        /// the account is unknown
        #[codec(index = 17)]
        UnknownAccount,
        /// the member is {status} and may not take part
        #[codec(index = 18)]
        MemberNotActive {
            /// Where it stands.
            status: MemberStatus,
        },
        /// the part is with this account already
        #[codec(index = 19)]
        SameHolder,
        /// the offer's last day must lie between today and {latest}
        #[codec(index = 20)]
        OfferWindow {
            /// Latest day.
            latest: BusinessDate,
        },
        /// the offer lapsed on {expired}
        #[codec(index = 21)]
        OfferExpired {
            /// Its last day.
            expired: BusinessDate,
        },
        /// the claim fell due on {due}: nothing but payment moves it
        #[codec(index = 22)]
        PastDue {
            /// The due date.
            due: BusinessDate,
        },
        /// the maturity must lie after today and at most one year off, until {latest}
        #[codec(index = 23)]
        Tenor {
            /// Latest maturity.
            latest: BusinessDate,
        },
        /// the calendar does not cover {day}
        #[codec(index = 24)]
        CalendarNotCovered {
            /// The day that was asked about.
            day: BusinessDate,
        },
        /// no calendar of that name
        #[codec(index = 25)]
        UnknownCalendar,
        /// only a core enterprise issues certificates
        #[codec(index = 26)]
        NotCoreEnterprise,
        /// debtor and creditor are the same organisation
        #[codec(index = 27)]
        SameParty,
        /// the amount must be above zero
        #[codec(index = 28)]
        AmountNotPositive,
        /// grace is at most 90 days
        #[codec(index = 29)]
        Grace,
        /// the documents do not carry it: {0}
        #[codec(index = 30)]
        Documents(CallError<TradeError>),
        /// the settlement contract refused: {0}
        #[codec(index = 31)]
        Settlement(CallError<SettlementError>),
        /// the agenda has no room: {0}
        #[codec(index = 32)]
        Agenda(ScheduleRefusal),
        /// only the agenda may call this
        #[codec(index = 33)]
        NotAgenda,
        /// only the financing contract may call this
        #[codec(index = 34)]
        NotTrusted,
        /// this reader is not party to the claim
        #[codec(index = 35)]
        NotParty,
        /// {0}
        #[codec(index = 36)]
        Terms(TermsError),
        /// the bank does not serve this currency
        #[codec(index = 37)]
        BankDoesNotServe,
        /// nothing came in that could be collected
        #[codec(index = 38)]
        NothingToCollect,
        /// the page starts at a part that does not belong to it
        #[codec(index = 39)]
        OtherPage,
        /// the claim has changed hands 256 times: it cannot go on
        #[codec(index = 40)]
        TooManyHops,
        /// the part is whole: there is nothing to merge
        #[codec(index = 41)]
        NotSplit,
        /// child {position} (from 0) is with another account: only who holds all children merges them
        #[codec(index = 42)]
        SiblingHolder {
            /// Its place among the children.
            position: u16,
        },
        /// child {position} (from 0) is {state}: to be merged, all children must be live
        #[codec(index = 43)]
        SiblingState {
            /// Its place among the children.
            position: u16,
            /// Where it stands.
            state: PartState,
        },
        /// child {position} (from 0) came to its holder another way than child 0, or with other recourse: pass them on alike, or keep them apart
        #[codec(index = 44)]
        SiblingPath {
            /// Its place among the children.
            position: u16,
        },
        /// only a member with the regulator's role gives orders
        #[codec(index = 45)]
        NotRegulator,
        /// this side has agreed already: the other side must name the same act and reference
        #[codec(index = 46)]
        AlreadyAgreed,
        /// a court holds the part: only an order releases it
        #[codec(index = 47)]
        HeldByCourt,
        /// the debtor could dispute it until {until}
        #[codec(index = 48)]
        DisputeWindow {
            /// The last day.
            until: BusinessDate,
        },
        /// what a part loses lies between nothing and what is owed on it, {outstanding}
        #[codec(index = 49)]
        LossRange {
            /// Owed on the part.
            outstanding: Money,
        },
        /// only the debtor may do this
        #[codec(index = 50)]
        NotDebtor,
        /// no cancellation stands: the debtor proposes it, then the holders consent
        #[codec(index = 51)]
        NoCancellation,
        /// a cancellation is proposed already: wait for the holders, or take it back
        #[codec(index = 52)]
        DuplicateCancellation,
        /// a credit note is being spread over the certificate: try again in the next block
        #[codec(index = 53)]
        BeingLowered,
        /// the credit note is for another invoice than the certificate: name a certificate of its invoice
        #[codec(index = 54)]
        OtherInvoice,
        /// no such claim: look its number up in the list
        #[codec(index = 55)]
        UnknownClaim,
        /// the claim was discharged already
        #[codec(index = 56)]
        ClaimDischarged,
        /// only who has the claim discharges it
        #[codec(index = 57)]
        NotClaimant,
        /// nothing is offered for early payment of this part to this account: the debtor offers it first
        #[codec(index = 58)]
        NoEarlyOffer,
        /// the offer of early payment was for {offered}: ask for one on what the part is now
        #[codec(index = 59)]
        EarlyOfferStale {
            /// What was owed when it was made.
            offered: Money,
        },
        /// the discount is at most one whole a year
        #[codec(index = 60)]
        UnsoundDiscount,
        /// the debtor acknowledged the assignment without objection: only fraud can be disputed now
        #[codec(index = 61)]
        Acknowledged,
        /// the part came to this account without recourse: only the debtor owes it
        #[codec(index = 62)]
        NoRecourse,
        /// grace runs until {until}: recourse begins on the day after
        #[codec(index = 63)]
        InGrace {
            /// Its last day.
            until: BusinessDate,
        },
        /// recourse was claimed already, as claim {number}
        #[codec(index = 64)]
        AlreadyClaimed {
            /// The claim's number.
            number: u32,
        },
        /// the debtor's limit leaves {room}: issue less, or wait until something is paid
        #[codec(index = 65)]
        DebtLimit {
            /// What may still be issued.
            room: Money,
        },
    }

    /// What `receivable` tells.
    pub enum ReceivableEvent {
        /// A certificate was issued and offered.
        #[codec(index = 0)]
        Issued {
            /// Its id.
            certificate: CertificateId,
            /// Who promises.
            debtor: AccountId,
            /// To whom.
            creditor: AccountId,
            /// How much.
            face: Money,
            /// Day of payment.
            due: BusinessDate,
        },
        /// The creditor accepted.
        #[codec(index = 1)]
        Accepted {
            /// The certificate.
            certificate: CertificateId,
            /// Who accepted.
            creditor: AccountId,
        },
        /// The creditor refused.
        #[codec(index = 2)]
        Refused {
            /// The certificate.
            certificate: CertificateId,
            /// Who refused.
            creditor: AccountId,
        },
        /// The creditor did not answer in time.
        #[codec(index = 3)]
        Expired {
            /// The certificate.
            certificate: CertificateId,
            /// Who did not answer.
            creditor: AccountId,
        },
        /// A part was split; its children are numbered from 0.
        #[codec(index = 4)]
        Split {
            /// The part.
            part: PartId,
            /// Who holds it and its children.
            holder: AccountId,
            /// The children's amounts, minor units, in their order.
            amounts_minor: Vec<i128>,
        },
        /// A part was offered.
        #[codec(index = 5)]
        TransferOffered {
            /// The part.
            part: PartId,
            /// Who offers.
            from: AccountId,
            /// To whom.
            to: AccountId,
            /// With which recourse.
            recourse: Recourse,
            /// Last day.
            expires: BusinessDate,
        },
        /// A part went to another holder.
        #[codec(index = 6)]
        Transferred {
            /// The part.
            part: PartId,
            /// Its debtor, who is given notice by this.
            debtor: AccountId,
            /// Who gave.
            from: AccountId,
            /// Who received.
            to: AccountId,
            /// How much.
            amount: Money,
            /// With which recourse.
            recourse: Recourse,
            /// By assignment or discount.
            kind: HopKind,
        },
        /// An offer ended without a transfer.
        #[codec(index = 7)]
        OfferEnded {
            /// The part, which is live again.
            part: PartId,
            /// Who offered.
            from: AccountId,
            /// To whom.
            to: AccountId,
            /// Whether it was rejected, withdrawn or lapsed.
            how: OfferEnd,
        },
        /// A certificate fell due.
        #[codec(index = 8)]
        Matured {
            /// The certificate.
            certificate: CertificateId,
            /// Who pays.
            debtor: AccountId,
            /// What is owed.
            owed: Money,
            /// What the deposit gives.
            available: Money,
        },
        /// A leaf was paid, in whole or in part.
        #[codec(index = 9)]
        Paid {
            /// The certificate.
            certificate: CertificateId,
            /// The leaf.
            part: PartId,
            /// Who was paid.
            holder: AccountId,
            /// How much.
            amount: Money,
            /// What is still owed on it.
            outstanding: Money,
        },
        /// A certificate is paid in full.
        #[codec(index = 10)]
        Settled {
            /// The certificate.
            certificate: CertificateId,
            /// Who paid.
            debtor: AccountId,
        },
        /// A certificate was not paid in full.
        #[codec(index = 11)]
        Overdue {
            /// The certificate.
            certificate: CertificateId,
            /// Who owes.
            debtor: AccountId,
            /// What is still owed.
            rest: Money,
        },
        /// The children of a part were put together again: it is live, and they are gone.
        #[codec(index = 12)]
        Merged {
            /// The part.
            part: PartId,
            /// Who holds it.
            holder: AccountId,
            /// What is owed on it.
            amount: Money,
            /// Children that it had.
            children: u16,
        },
        /// One side named an act on a part; it waits for the other to name it too.
        #[codec(index = 13)]
        ActProposed {
            /// The part.
            part: PartId,
            /// Who: the debtor or the holder.
            by: AccountId,
            /// Whose word it needs.
            other: AccountId,
            /// What.
            act: PartAct,
            /// Commitment to the agreement.
            reference: Hash,
        },
        /// Nothing moves the part now but maturity.
        #[codec(index = 14)]
        Held {
            /// The part.
            part: PartId,
            /// Who holds it.
            holder: AccountId,
            /// Commitment to the order or agreement.
            reference: Hash,
        },
        /// A hold ended.
        #[codec(index = 15)]
        Released {
            /// The part.
            part: PartId,
            /// Who holds it.
            holder: AccountId,
            /// Commitment to the order or agreement.
            reference: Hash,
        },
        /// The debtor disputes a part: it is not paid until that is resolved.
        #[codec(index = 16)]
        DisputeOpened {
            /// The part.
            part: PartId,
            /// Who disputes.
            debtor: AccountId,
            /// Who holds it.
            holder: AccountId,
            /// In dispute.
            amount: Money,
            /// Commitment to the reason.
            reason: Hash,
            /// Whether fraud is alleged.
            fraud: bool,
        },
        /// A dispute ended.
        #[codec(index = 17)]
        DisputeResolved {
            /// The part.
            part: PartId,
            /// Who holds it.
            holder: AccountId,
            /// What it lost.
            lost: Money,
            /// What is owed on it.
            outstanding: Money,
            /// Commitment to the award or agreement.
            reference: Hash,
        },
        /// The debtor proposes to cancel, or takes that back.
        #[codec(index = 18)]
        CancellationProposed {
            /// The certificate.
            certificate: CertificateId,
            /// Who owes.
            debtor: AccountId,
            /// Whether it stands now.
            standing: bool,
        },
        /// A holder consents to the cancellation, or takes that back.
        #[codec(index = 19)]
        Consent {
            /// The part.
            part: PartId,
            /// Who holds it.
            holder: AccountId,
            /// Whether it stands now.
            standing: bool,
        },
        /// Nothing is owed on a certificate any more, and nothing of it was paid, or all of the rest was cancelled.
        #[codec(index = 20)]
        Voided {
            /// The certificate.
            certificate: CertificateId,
            /// Who owed.
            debtor: AccountId,
            /// Cancelled or diluted.
            state: CertificateState,
        },
        /// A certificate loses to a credit note, all that is owed on it in proportion.
        #[codec(index = 21)]
        Diluted {
            /// The certificate.
            certificate: CertificateId,
            /// Who owes it.
            debtor: AccountId,
            /// Its first creditor.
            creditor: AccountId,
            /// The credit note.
            credit: DocumentId,
            /// What it loses.
            amount: Money,
            /// What of the credit note is left: for another certificate of the invoice, or the debtor's claim on the first creditor.
            open: Money,
        },
        /// A leaf lost its share of that.
        #[codec(index = 22)]
        Lowered {
            /// The certificate.
            certificate: CertificateId,
            /// The leaf.
            part: PartId,
            /// Who holds it.
            holder: AccountId,
            /// The credit note.
            credit: DocumentId,
            /// How much.
            by: Money,
            /// What is still owed on it.
            outstanding: Money,
        },
        /// One holder owes another something because of a part.
        #[codec(index = 23)]
        ClaimMade {
            /// The claim's number.
            number: u32,
            /// Why.
            kind: ClaimKind,
            /// Because of this part.
            part: PartId,
            /// To whom it is owed.
            claimant: AccountId,
            /// Who owes.
            against: AccountId,
            /// How much.
            amount: Money,
        },
        /// The claimant says that a claim was met.
        #[codec(index = 24)]
        ClaimDischarged {
            /// The claim's number.
            number: u32,
            /// To whom it was owed.
            claimant: AccountId,
            /// Who owed.
            against: AccountId,
            /// Commitment to how it was met.
            reference: Hash,
        },
        /// The debtor offers to pay a part early, or takes that back.
        #[codec(index = 25)]
        EarlyPaymentOffered {
            /// The part.
            part: PartId,
            /// Who offers.
            debtor: AccountId,
            /// To whom.
            holder: AccountId,
            /// The offer; none when it is taken back.
            offer: Option<EarlyOffer>,
        },
        /// A part was paid before its day.
        #[codec(index = 26)]
        PaidEarly {
            /// The certificate.
            certificate: CertificateId,
            /// The part.
            part: PartId,
            /// Who was paid.
            holder: AccountId,
            /// What was owed.
            amount: Money,
            /// What was given up of it.
            discount: Money,
            /// What was paid.
            paid: Money,
        },
        /// The debtor took notice of who holds a part, and objects to nothing.
        #[codec(index = 27)]
        AssignmentAcknowledged {
            /// The part.
            part: PartId,
            /// Who owes.
            debtor: AccountId,
            /// Who holds it.
            holder: AccountId,
        },
    }
}

small! {
    /// Why a holder owes another.
    pub enum ClaimKind {
        /// A part that was sold to a funder fell by a credit note or award: the seller owes the difference.
        #[codec(index = 0)]
        Shortfall,
        /// The debtor did not pay, and the part was given with recourse. What the debtor pays meanwhile comes off. Discharged, the part goes back to
        /// who made it good, and with it the recourse to who was before.
        #[codec(index = 1)]
        Recourse,
    }
}

data! {
    /// What one holder owes another because of a part. It is paid outside this contract, and discharged by who has it.
    pub struct Claim {
        /// Its number in the list of all claims.
        pub number: u32,
        /// Why.
        pub kind: ClaimKind,
        /// Because of this part.
        pub part: PartId,
        /// To whom it is owed.
        pub claimant: AccountId,
        /// Who owes.
        pub against: AccountId,
        /// How much.
        pub amount: Money,
        /// Business date on which it arose.
        pub made: BusinessDate,
        /// Commitment to how it was met; none while it is open.
        pub discharged: Option<Hash>,
    }

    /// Part of the numbered list of an account's claims.
    pub struct ClaimPage {
        /// Entries of the whole list.
        pub count: u32,
        /// What is owed to or by the account, from entry `from` on.
        pub claims: Vec<Claim>,
    }
}

small! {
    /// How an offer ends without a transfer.
    pub enum OfferEnd {
        /// By the receiver.
        #[codec(index = 0)]
        Rejected,
        /// By the holder.
        #[codec(index = 1)]
        Withdrawn,
        /// By its last day.
        #[codec(index = 2)]
        Lapsed,
        /// By something that bound or lowered the part.
        #[codec(index = 3)]
        Overtaken,
    }
}

/// Certificates of core enterprises, their split tree, and their payment on the due date.
#[portolan_sdk::interface(name = "receivable", module = api, error = ReceivableError, event = ReceivableEvent)]
pub trait Receivable {
    /// The debtor issues a certificate against a matched invoice; it is offered to the invoice's seller. The id is
    /// [`CertificateId::against`] the invoice.
    #[call(index = 0)]
    fn issue(&mut self, debtor: AccountId, terms: CertificateTerms) -> Result<CertificateId, ReceivableError>;

    /// The first creditor accepts: the root part is live.
    #[call(index = 1)]
    fn accept(&mut self, creditor: AccountId, certificate: CertificateId) -> Result<(), ReceivableError>;

    /// The first creditor refuses: the certificate is void and the invoice free again.
    #[call(index = 2)]
    fn refuse(&mut self, creditor: AccountId, certificate: CertificateId) -> Result<(), ReceivableError>;

    /// The holder splits a live part exactly; children have the ids [`PartId::child`] 0, 1, … in the order of the amounts.
    #[call(index = 3)]
    fn split(&mut self, holder: AccountId, part: PartId, amounts: Vec<Money>) -> Result<(), ReceivableError>;

    /// The holder offers a live part to another account, which has until the end of `expires` to accept.
    #[call(index = 4)]
    fn offer_transfer(
        &mut self,
        holder: AccountId,
        part: PartId,
        to: AccountId,
        recourse: Recourse,
        expires: BusinessDate,
    ) -> Result<(), ReceivableError>;

    /// The receiver accepts and becomes the holder.
    #[call(index = 5)]
    fn accept_transfer(&mut self, receiver: AccountId, part: PartId) -> Result<(), ReceivableError>;

    /// The receiver rejects: the part is live again with its holder.
    #[call(index = 6)]
    fn reject_transfer(&mut self, receiver: AccountId, part: PartId) -> Result<(), ReceivableError>;

    /// The holder withdraws an offer.
    #[call(index = 7)]
    fn withdraw_transfer(&mut self, holder: AccountId, part: PartId) -> Result<(), ReceivableError>;

    /// Anybody: tries again to collect what is overdue on a certificate.
    #[call(index = 8)]
    fn collect(&mut self, certificate: CertificateId) -> Result<(), ReceivableError>;

    /// Agenda only: the offer to the first creditor lapses.
    #[call(index = 9)]
    fn expire_certificate(&mut self, certificate: CertificateId) -> Result<(), ReceivableError>;

    /// Agenda only: an offer of a part lapses.
    #[call(index = 10)]
    fn expire_offer(&mut self, part: PartId, expires: BusinessDate) -> Result<(), ReceivableError>;

    /// Agenda only: the due date.
    #[call(index = 11)]
    fn mature(&mut self, certificate: CertificateId) -> Result<(), ReceivableError>;

    /// Agenda only: paying goes on with the next leaves.
    #[call(index = 12)]
    fn continue_payment(&mut self, certificate: CertificateId) -> Result<(), ReceivableError>;

    /// Agenda only: what is overdue is tried again; `attempt` counts from 1.
    #[call(index = 13)]
    fn retry_collection(&mut self, certificate: CertificateId, attempt: u8) -> Result<(), ReceivableError>;

    /// `financing` only: the facts of a part.
    #[call(index = 14)]
    fn facts(&self, part: PartId) -> Result<PartFacts, ReceivableError>;

    /// `financing` only: a funder has bought a live part from its holder.
    #[call(index = 15)]
    fn discount(
        &mut self,
        part: PartId,
        borrower: AccountId,
        funder: AccountId,
        recourse: Recourse,
        financing: FinancingId,
    ) -> Result<(), ReceivableError>;

    /// The holder of all children of a split part puts them together again. They must all be live, and have come to the holder alike: through
    /// the same hands, with the same recourse. They are gone after that, and the part is as it was before the split.
    #[call(index = 16)]
    fn merge(&mut self, holder: AccountId, part: PartId) -> Result<(), ReceivableError>;

    /// A regulator carries out a court's order on a part, or an award. `reference` commits to it.
    #[call(index = 17)]
    fn order(
        &mut self,
        regulator: AccountId,
        part: PartId,
        act: PartAct,
        reference: Hash,
    ) -> Result<(), ReceivableError>;

    /// The debtor or the holder agrees to an act on a part; when the other has named the same act and reference, it is carried out.
    #[call(index = 18)]
    fn agree(&mut self, party: AccountId, part: PartId, act: PartAct, reference: Hash) -> Result<(), ReceivableError>;

    /// The debtor disputes a whole leaf before it is due, within the dispute window: it is locked and not paid until both sides or an award
    /// resolve that; the others are.
    #[call(index = 19)]
    fn dispute(&mut self, debtor: AccountId, part: PartId, reason: Hash, fraud: bool) -> Result<(), ReceivableError>;

    /// The debtor proposes to cancel a live certificate. It is cancelled when the holders of all that is owed on it have consented.
    #[call(index = 20)]
    fn propose_cancellation(&mut self, debtor: AccountId, certificate: CertificateId) -> Result<(), ReceivableError>;

    /// The debtor takes the proposal back. Holders who consented take their consent back to move their parts.
    #[call(index = 21)]
    fn withdraw_cancellation(&mut self, debtor: AccountId, certificate: CertificateId) -> Result<(), ReceivableError>;

    /// The holder of a live part consents to the certificate's cancellation; the part is locked meanwhile. The last consent cancels.
    #[call(index = 22)]
    fn consent_to_cancellation(&mut self, holder: AccountId, part: PartId) -> Result<(), ReceivableError>;

    /// The holder takes a consent back.
    #[call(index = 23)]
    fn withdraw_consent(&mut self, holder: AccountId, part: PartId) -> Result<(), ReceivableError>;

    /// The debtor or the first creditor has a certificate lose what an agreed credit note on its invoice takes from it: all that is owed on it, in
    /// proportion, leftover units to the largest remainders. Large trees take several agenda entries; meanwhile their leaves are not split.
    #[call(index = 24)]
    fn dilute(
        &mut self,
        party: AccountId,
        certificate: CertificateId,
        credit: DocumentId,
    ) -> Result<(), ReceivableError>;

    /// Who has a claim on another holder says that it was met. `reference` commits to how.
    #[call(index = 25)]
    fn discharge(&mut self, claimant: AccountId, number: u32, reference: Hash) -> Result<(), ReceivableError>;

    /// The debtor offers to pay a live part before its day for a discount, to the end of `expires`; a new offer stands in the place of the last.
    #[call(index = 26)]
    fn offer_early_payment(
        &mut self,
        debtor: AccountId,
        part: PartId,
        rate: Ppm,
        day_count: DayCount,
        expires: BusinessDate,
    ) -> Result<(), ReceivableError>;

    /// The debtor takes the offer of early payment back.
    #[call(index = 27)]
    fn withdraw_early_payment(&mut self, debtor: AccountId, part: PartId) -> Result<(), ReceivableError>;

    /// The holder takes early payment: the discount is reckoned from today to the due date, and the debtor's deposit pays at once or nothing changes.
    #[call(index = 28)]
    fn accept_early_payment(&mut self, holder: AccountId, part: PartId) -> Result<(), ReceivableError>;

    /// The debtor acknowledges who holds a part and objects to nothing: it can dispute the part, and what is split from it, for fraud only.
    #[call(index = 29)]
    fn acknowledge(&mut self, debtor: AccountId, part: PartId) -> Result<(), ReceivableError>;

    /// After grace, the holder of an overdue part claims what is owed on it from who gave it with recourse. One claim at a time; when it is
    /// discharged, the part goes back to who made it good.
    #[call(index = 30)]
    fn claim_recourse(&mut self, holder: AccountId, part: PartId) -> Result<u32, ReceivableError>;

    /// A certificate with its sums. For its debtor, its first creditor and regulators.
    #[query(index = 0, path = "/receivables/{id}")]
    fn certificate(&self, id: CertificateId) -> Result<Certificate, ReceivableError>;

    /// The whole tree, depth first, from part `from` on. For the debtor and regulators.
    #[query(index = 1, path = "/receivables/{id}/parts")]
    fn parts(&self, id: CertificateId, from: Option<PartId>) -> Result<PartPage, ReceivableError>;

    /// What the certificate has on the agenda. For its debtor, its first creditor and regulators.
    #[query(index = 2, path = "/receivables/{id}/agenda")]
    fn agenda(&self, id: CertificateId) -> Result<Vec<DueEntry>, ReceivableError>;

    /// The path from the root to a part (`id` is the part's). For its holder, who it is offered to, the debtor and regulators.
    #[query(index = 3, path = "/receivables/{id}/lineage")]
    fn lineage(&self, id: PartId) -> Result<Lineage, ReceivableError>;

    /// One part. For its holder, who it is offered to, the debtor and regulators.
    #[query(index = 4, path = "/parts/{id}")]
    fn part(&self, id: PartId) -> Result<Part, ReceivableError>;

    /// The parts that an account holds or is offered, from list entry `from` and part `at` on. For its member.
    #[query(index = 5, path = "/parts")]
    fn holdings(
        &self,
        account: AccountId,
        from: Option<u32>,
        at: Option<PartId>,
    ) -> Result<HoldingPage, ReceivableError>;

    /// The certificates that an account issued or was first offered, from number `from` on. For its member.
    #[query(index = 6, path = "/receivables")]
    fn certificates(&self, account: AccountId, from: Option<u32>) -> Result<CertificatePage, ReceivableError>;

    /// What an account owes other holders, or they owe it, from entry `from` on. For its member.
    #[query(index = 7, path = "/claims")]
    fn claims(&self, account: AccountId, from: Option<u32>) -> Result<ClaimPage, ReceivableError>;

    /// What a debtor owes on certificates in a currency, and its limit. For its member.
    #[query(index = 8, path = "/debts/{account}/{currency}")]
    fn debt(&self, account: AccountId, currency: Currency) -> Result<Debt, ReceivableError>;
}
