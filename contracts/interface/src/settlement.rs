//! `settlement`: deposits that banks issue, obligations that fall due, and the order in which a receipt is spread.
//!
//! A deposit is a bank's liability to an account. The chain holds no pool: whatever is paid moves from one deposit at a bank to another at
//! the same bank.

mod exchange;
mod payable;
mod proceeds;
mod redemption;

use alloc::vec::Vec;

pub use exchange::{
    Forward, ForwardPage, ForwardState, FxQuote, MAX_CALENDAR_BYTES, MAX_QUOTE_DAYS, Proceeds, QuoteFault, QuotePage,
    QuoteTerms, Side, ValueDay,
};
pub use payable::{
    CollectionStep, LateCharges, LateTerms, MAX_GRACE_DAYS, MAX_NETTING_DAYS, MAX_NETTING_ENTRIES, MAX_NETTING_PARTIES,
    MAX_PAYABLES_A_DAY, Netting, NettingEntry, NettingFault, NettingPage, NettingParty, NettingState, NettingTerms,
    PAYABLE_ATTEMPTS, Payable, PayablePage, PayableState, PayableTerms, PriorityClass,
};
pub use proceeds::{MAX_COLLECTION_DAYS, MAX_SALES_LINES, Payout, RuleFault, SalesLine, SalesRule};
pub use redemption::{RecordKind, Redemption, RedemptionAnswer, RedemptionPage, RedemptionReply, RedemptionState};

use portolan_sdk::ScheduleRefusal;

use crate::{
    AccountId, BusinessDate, CertificateId, Currency, FinancingId, Hash, MemberId, MemberStatus, Money, PartId,
    TermsError, Unauthorized, data, small,
};

/// Most payments of one `pay`.
pub const MAX_PAYMENTS: usize = 64;
/// Most tranches of a waterfall.
pub const MAX_TRANCHES: usize = 6;

small! {
    /// What a tranche is for, which is also its [rank](TrancheKind::rank).
    pub enum TrancheKind {
        /// Fees.
        #[codec(index = 0)]
        Fee,
        /// Value-added tax, on interest or on sales.
        #[codec(index = 1)]
        Tax,
        /// Default interest.
        #[codec(index = 2)]
        Penalty,
        /// Interest.
        #[codec(index = 3)]
        Interest,
        /// Principal.
        #[codec(index = 4)]
        Principal,
        /// Stamp duty on the contract.
        #[codec(index = 5)]
        StampDuty,
    }
}

impl TrancheKind {
    /// Who is paid first: fees, value-added tax, stamp duty, default interest, interest, principal.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Fee => 0,
            Self::Tax => 1,
            Self::StampDuty => 2,
            Self::Penalty => 3,
            Self::Interest => 4,
            Self::Principal => 5,
        }
    }
}

data! {
    /// An amount due to somebody out of the receipts of a part.
    pub struct Tranche {
        /// Its rank.
        pub kind: TrancheKind,
        /// To whom.
        pub payee: AccountId,
        /// How much in all, minor units.
        pub due_minor: i128,
        /// How much of it was paid, minor units.
        pub paid_minor: i128,
    }

    /// How the receipts of a financed part are spread: down the tranches, and what is left to the residual payee.
    pub struct Waterfall {
        /// The financing that it serves.
        pub financing: FinancingId,
        /// Currency of the tranches.
        pub currency: Currency,
        /// Tranches by rank.
        pub tranches: Vec<Tranche>,
        /// Who gets what is left.
        pub residual: AccountId,
    }

    /// A deposit of an account at a bank.
    pub struct Deposit {
        /// Whose money.
        pub account: AccountId,
        /// Whose liability.
        pub bank: MemberId,
        /// The whole deposit.
        pub balance: Money,
        /// Of it set aside: for claims that are being paid, and of proceeds that are collected and not yet shared.
        pub held: Money,
        /// Of it bound by claims that are due and not yet paid.
        pub bound: Money,
        /// No longer part of the deposit: asked to be paid out, and the bank has not answered.
        pub pending: Money,
    }

    /// Part of the numbered list of an account's deposits.
    pub struct DepositPage {
        /// Entries of the whole list.
        pub count: u32,
        /// Deposits from number `from` on.
        pub deposits: Vec<Deposit>,
    }

    /// What a bank owes its depositors in one currency.
    pub struct Book {
        /// The bank.
        pub bank: MemberId,
        /// Ever issued.
        pub issued: Money,
        /// Ever redeemed.
        pub redeemed: Money,
        /// What the bank owes: issued − redeemed. It is the sum of deposits and of what is pending.
        pub outstanding: Money,
        /// Asked to be paid out, and not yet answered.
        pub pending: Money,
        /// Most that may be outstanding.
        pub cap: Money,
        /// Accounts that ever had a deposit.
        pub depositors: u32,
    }

    /// A bank's book with part of its depositors.
    pub struct BookPage {
        /// The sums.
        pub book: Book,
        /// Deposits from depositor number `from` on.
        pub deposits: Vec<Deposit>,
    }

    /// What is owed to the leaves of a certificate.
    pub struct Obligation {
        /// The certificate.
        pub certificate: CertificateId,
        /// Who pays.
        pub payer: AccountId,
        /// From the deposit at this bank.
        pub bank: MemberId,
        /// The promised amount, less what was diluted, cancelled, written off or given as discount.
        pub amount: Money,
        /// Paid so far.
        pub paid: Money,
        /// Set aside and not yet paid out.
        pub reserved: Money,
        /// When.
        pub due: BusinessDate,
        /// Last day on which the deposit was asked for it.
        pub tried: Option<BusinessDate>,
        /// Where it stands.
        pub state: ObligationState,
    }

    /// Part of the numbered list of an account's obligations.
    pub struct ObligationPage {
        /// Entries of the whole list.
        pub count: u32,
        /// Obligations from number `from` on.
        pub obligations: Vec<Obligation>,
    }

    /// One leaf's payment.
    pub struct Payment {
        /// The leaf.
        pub part: PartId,
        /// Its holder.
        pub holder: AccountId,
        /// Minor units.
        pub minor: i128,
        /// Whether a waterfall spreads it.
        pub financed: bool,
    }
}

small! {
    /// Where an obligation stands.
    pub enum ObligationState {
        /// Not due, or due and not yet run.
        #[codec(index = 0)]
        Pending,
        /// Money is set aside and being paid out.
        #[codec(index = 1)]
        Paying,
        /// Nothing is owed any more.
        #[codec(index = 2)]
        Paid,
        /// Due, run, and not paid in full.
        #[codec(index = 3)]
        Overdue,
    }
}

data! {
    /// Why `settlement` refuses.
    pub enum SettlementError {
        /// the approvals do not suffice: {0}
        #[codec(index = 0)]
        Unauthorized(Unauthorized),
        /// the account is unknown
        #[codec(index = 1)]
        UnknownAccount,
        /// the member is {status} and may not take part
        #[codec(index = 2)]
        MemberNotActive {
            /// Where it stands.
            status: MemberStatus,
        },
        /// only a bank issues deposits
        #[codec(index = 3)]
        NotBank,
        /// the bank does not serve {currency}
        #[codec(index = 4)]
        BankDoesNotServe {
            /// What was asked for.
            currency: Currency,
        },
        /// the amount must be above zero
        #[codec(index = 5)]
        AmountNotPositive,
        /// the bank's cap is exceeded by {excess}
        #[codec(index = 6)]
        CapExceeded {
            /// By how much.
            excess: Money,
        },
        /// the cap lies below what is outstanding, {outstanding}
        #[codec(index = 7)]
        CapBelowOutstanding {
            /// What is outstanding.
            outstanding: Money,
        },
        /// the free part of the deposit falls short by {missing}: claims that are due bind the rest
        #[codec(index = 8)]
        InsufficientDeposit {
            /// By how much.
            missing: Money,
        },
        /// payer and payee are the same account
        #[codec(index = 9)]
        SameAccount,
        /// only the receivable or financing contract may call this
        #[codec(index = 10)]
        NotTrusted,
        /// no such obligation
        #[codec(index = 11)]
        UnknownObligation,
        /// the obligation is registered already
        #[codec(index = 12)]
        DuplicateObligation,
        /// the obligation is {state}; the act needs it {needed}
        #[codec(index = 13)]
        ObligationState {
            /// Where it stands.
            state: ObligationState,
            /// What the act needs.
            needed: ObligationState,
        },
        /// the payments exceed what was set aside by {excess}
        #[codec(index = 14)]
        Overpaid {
            /// By how much.
            excess: Money,
        },
        /// the list is too long: at most {limit} entries
        #[codec(index = 15)]
        TooMany {
            /// Most entries.
            limit: u32,
        },
        /// the part has a waterfall already
        #[codec(index = 16)]
        DuplicateWaterfall,
        /// the part has no waterfall
        #[codec(index = 17)]
        UnknownWaterfall,
        /// this reader is not party to it
        #[codec(index = 18)]
        NotParty,
        /// {0}
        #[codec(index = 19)]
        Terms(TermsError),
        /// the currency is {found}, not {expected}
        #[codec(index = 20)]
        WrongCurrency {
            /// Of the obligation or waterfall.
            expected: Currency,
            /// Of the amount.
            found: Currency,
        },
        /// there is no such {what}: look its number up in the list
        #[codec(index = 21)]
        Unknown {
            /// What was looked for.
            what: RecordKind,
        },
        /// the redemption is {state} already: an order is answered once
        #[codec(index = 22)]
        RedemptionAnswered {
            /// How it was answered.
            state: RedemptionState,
        },
        /// the order is for {requested}: answer for exactly that amount
        #[codec(index = 23)]
        RedemptionAmount {
            /// What was asked for.
            requested: Money,
        },
        /// the reference stands for redemption {number} already: each payment is reconciled once
        #[codec(index = 24)]
        ReferenceUsed {
            /// The other redemption in the bank's list.
            number: u32,
        },
        /// the quote was withdrawn or is used up: ask the dealer for another
        #[codec(index = 25)]
        QuoteClosed,
        /// the quote held until {until} at the latest: ask the dealer for another
        #[codec(index = 26)]
        QuoteExpired {
            /// Its last business date; its last block time may have come first.
            until: BusinessDate,
        },
        /// the quote is for another account
        #[codec(index = 27)]
        QuoteForAnother,
        /// the quote sells {sold} and buys {bought}, and no other pair
        #[codec(index = 28)]
        WrongPair {
            /// What the customer sells by the quote.
            sold: Currency,
            /// What the customer buys by it.
            bought: Currency,
        },
        /// the quote sells {sold} and buys {bought}, and not the other way round
        #[codec(index = 29)]
        InversePair {
            /// What the customer sells by the quote.
            sold: Currency,
            /// What the customer buys by it.
            bought: Currency,
        },
        /// the quote covers {left} and no more: exchange less, or ask for another
        #[codec(index = 30)]
        AboveQuote {
            /// What may still be sold at it.
            left: Money,
        },
        /// the dealer's own deposit does not suffice now: nothing moved
        #[codec(index = 31)]
        DealerCannotDeliver,
        /// the quote does not fit: {fault}
        #[codec(index = 32)]
        UnsoundQuote {
            /// What is wrong.
            fault: QuoteFault,
        },
        /// only the agenda may call this
        #[codec(index = 33)]
        NotAgenda,
        /// the agenda refuses: {0}
        #[codec(index = 34)]
        Agenda(ScheduleRefusal),
        /// a promise is due after today and by {latest}
        #[codec(index = 35)]
        DueDate {
            /// The last day that is possible.
            latest: BusinessDate,
        },
        /// the netting is {state}: propose it anew
        #[codec(index = 36)]
        NettingClosed {
            /// Where it stands.
            state: NettingState,
        },
        /// the netting does not fit: {fault}
        #[codec(index = 37)]
        UnsoundNetting {
            /// What is wrong.
            fault: NettingFault,
        },
        /// this party has consented already: wait for the others
        #[codec(index = 38)]
        AlreadyConsented,
        /// the sales rule does not fit: {fault}
        #[codec(index = 39)]
        UnsoundRule {
            /// What is wrong.
            fault: RuleFault,
        },
        /// only {open} is still owed: ask for no more than that
        #[codec(index = 40)]
        AboveOwed {
            /// What is owed.
            open: Money,
        },
        /// it is due since {due}: the agenda collects it
        #[codec(index = 41)]
        NotEarly {
            /// The due date.
            due: BusinessDate,
        },
        /// the discount is negative
        #[codec(index = 42)]
        NegativeDiscount,
        /// the terms for late payment do not fit: grace is at most 30 days, rate and tax at most one whole, the fee not negative
        #[codec(index = 43)]
        UnsoundLateTerms,
        /// the promise is {state}; the act needs it {needed}
        #[codec(index = 44)]
        PayableState {
            /// Where it stands.
            state: PayableState,
            /// What the act needs.
            needed: PayableState,
        },
        /// collection has come to {step}: write off once it is ripe for arbitration
        #[codec(index = 45)]
        CollectionNotDone {
            /// How far it has gone.
            step: CollectionStep,
        },
    }

    /// What `settlement` tells.
    pub enum SettlementEvent {
        /// A bank serves a currency up to a cap.
        #[codec(index = 0)]
        Serving {
            /// The bank.
            bank: MemberId,
            /// The cap.
            cap: Money,
        },
        /// A bank issued a deposit.
        #[codec(index = 1)]
        Issued {
            /// The bank.
            bank: MemberId,
            /// To whom.
            account: AccountId,
            /// How much.
            amount: Money,
            /// Commitment to the bank's own record of it; zeros for the proceeds of a financing.
            reference: Hash,
        },
        /// The bank paid out a redemption outside the chain, and owes that much less.
        #[codec(index = 2)]
        Redeemed {
            /// The bank.
            bank: MemberId,
            /// The redemption in its list.
            number: u32,
            /// Whose.
            account: AccountId,
            /// How much.
            amount: Money,
            /// Commitment to the bank's own record of the payment.
            reference: Hash,
        },
        /// Money moved from one deposit to another at the same bank.
        #[codec(index = 3)]
        Transferred {
            /// The bank.
            bank: MemberId,
            /// Who paid.
            from: AccountId,
            /// Who was paid.
            to: AccountId,
            /// How much.
            amount: Money,
            /// Commitment to the purpose.
            reference: Hash,
        },
        /// Money was set aside for a certificate that is due.
        #[codec(index = 4)]
        Collected {
            /// The certificate.
            certificate: CertificateId,
            /// Who pays.
            payer: AccountId,
            /// How much.
            amount: Money,
            /// What stays overdue.
            rest: Money,
        },
        /// A payee of a financed part was paid by its waterfall.
        #[codec(index = 5)]
        Spread {
            /// The part.
            part: PartId,
            /// To whom.
            payee: AccountId,
            /// Of which rank; none: the residual.
            kind: Option<TrancheKind>,
            /// How much.
            amount: Money,
        },
        /// An owner asked its bank to pay out part of a deposit; the amount is pending.
        #[codec(index = 6)]
        RedemptionRequested {
            /// The bank.
            bank: MemberId,
            /// The redemption in its list.
            number: u32,
            /// Whose.
            account: AccountId,
            /// How much.
            amount: Money,
            /// Commitment to the order: where the money is to go.
            order: Hash,
        },
        /// The bank did not pay out a redemption; the amount is back in the deposit.
        #[codec(index = 7)]
        RedemptionRefused {
            /// The bank.
            bank: MemberId,
            /// The redemption in its list.
            number: u32,
            /// Whose.
            account: AccountId,
            /// How much.
            amount: Money,
            /// Commitment to the bank's own record of why.
            reference: Hash,
        },
        /// A dealer posted a quote.
        #[codec(index = 8)]
        QuoteGiven {
            /// The bank.
            dealer: MemberId,
            /// The quote in its list.
            number: u32,
        },
        /// A dealer withdrew a quote.
        #[codec(index = 9)]
        QuoteWithdrawn {
            /// The bank.
            dealer: MemberId,
            /// The quote in its list.
            number: u32,
        },
        /// A customer exchanged at a quote, and both legs moved.
        #[codec(index = 10)]
        Exchanged {
            /// The bank.
            dealer: MemberId,
            /// The quote in its list.
            number: u32,
            /// The customer.
            account: AccountId,
            /// What moved.
            proceeds: Proceeds,
        },
        /// A customer locked a rate for a day.
        #[codec(index = 11)]
        ForwardLocked {
            /// The bank.
            dealer: MemberId,
            /// The forward in its list.
            number: u32,
            /// The customer.
            account: AccountId,
            /// What will move.
            proceeds: Proceeds,
            /// When.
            value: BusinessDate,
        },
        /// A forward's day came, and both legs moved.
        #[codec(index = 12)]
        ForwardExecuted {
            /// The bank.
            dealer: MemberId,
            /// The forward in its list.
            number: u32,
            /// The customer.
            account: AccountId,
            /// What moved.
            proceeds: Proceeds,
        },
        /// A forward's day came, a side could not deliver, and nothing moved.
        #[codec(index = 13)]
        ForwardDefaulted {
            /// The bank.
            dealer: MemberId,
            /// The forward in its list.
            number: u32,
            /// The customer.
            account: AccountId,
            /// Who could not deliver.
            by: Side,
        },
        /// An account promised to pay another later.
        #[codec(index = 14)]
        Promised {
            /// Who pays.
            payer: AccountId,
            /// The promise in the payer's list.
            number: u32,
            /// To whom.
            payee: AccountId,
            /// How much.
            amount: Money,
            /// When.
            due: BusinessDate,
        },
        /// A promise was paid, in full or in part; told of each on its day, even when nothing could be paid.
        #[codec(index = 15)]
        PromisePaid {
            /// Who paid.
            payer: AccountId,
            /// The promise in the payer's list.
            number: u32,
            /// To whom.
            payee: AccountId,
            /// How much.
            amount: Money,
            /// Of it charges for being late.
            charges: Money,
            /// What stays overdue, with charges.
            rest: Money,
        },
        /// A party proposed a netting.
        #[codec(index = 16)]
        NettingProposed {
            /// The netting.
            number: u32,
            /// Who proposed it.
            by: AccountId,
        },
        /// A party consented to a netting.
        #[codec(index = 17)]
        NettingConsented {
            /// The netting.
            number: u32,
            /// Who consented.
            by: AccountId,
        },
        /// A party refused a netting: it is off.
        #[codec(index = 18)]
        NettingRefused {
            /// The netting.
            number: u32,
            /// Who refused.
            by: AccountId,
        },
        /// A netting was carried out; told of each party.
        #[codec(index = 19)]
        Netted {
            /// The netting.
            number: u32,
            /// The party.
            account: AccountId,
            /// What it was owed, and gave up.
            owed: Money,
            /// What it owed, and was freed of. The difference to `owed` was paid to it, or by it.
            owes: Money,
        },
        /// A seller set or ended the rule for a sales account.
        #[codec(index = 20)]
        SalesRuleSet {
            /// The sales account.
            account: AccountId,
            /// At which bank.
            bank: MemberId,
            /// In which currency.
            currency: Currency,
        },
        /// A payee gave up what it was still due by a rule.
        #[codec(index = 21)]
        SalesRuleReleased {
            /// The sales account.
            account: AccountId,
            /// At which bank.
            bank: MemberId,
            /// In which currency.
            currency: Currency,
            /// Who gave it up.
            payee: AccountId,
        },
        /// Proceeds of a sales account were shared; told of each share.
        #[codec(index = 22)]
        ProceedsShared {
            /// The sales account.
            account: AccountId,
            /// At which bank.
            bank: MemberId,
            /// To whom; the sales account itself for what is left.
            payee: AccountId,
            /// What for; none: what is left.
            kind: Option<TrancheKind>,
            /// How much.
            amount: Money,
        },
        /// Less is owed on a certificate: it was diluted, cancelled or written off.
        #[codec(index = 23)]
        Reduced {
            /// The certificate.
            certificate: CertificateId,
            /// Who owes.
            payer: AccountId,
            /// By how much less.
            by: Money,
            /// What is still owed.
            rest: Money,
        },
        /// Leaves of a certificate were paid before its due date.
        #[codec(index = 24)]
        PaidEarly {
            /// The certificate.
            certificate: CertificateId,
            /// Who paid.
            payer: AccountId,
            /// How much was paid.
            paid: Money,
            /// How much less than the face that is.
            discount: Money,
            /// What is still owed.
            rest: Money,
        },
        /// The agenda took a step of collection.
        #[codec(index = 25)]
        CollectionStepTaken {
            /// Who owes.
            payer: AccountId,
            /// The promise in the payer's list.
            number: u32,
            /// To whom.
            payee: AccountId,
            /// Which.
            step: CollectionStep,
            /// What is owed, with charges.
            open: Money,
        },
        /// A payee took the loss of a promise.
        #[codec(index = 26)]
        WrittenOff {
            /// Who owes.
            payer: AccountId,
            /// The promise in the payer's list.
            number: u32,
            /// Who took the loss.
            payee: AccountId,
            /// What is owed, with charges.
            amount: Money,
            /// Commitment to the decision.
            reference: Hash,
        },
        /// Something was paid on what had been written off.
        #[codec(index = 27)]
        Recovered {
            /// Who paid.
            payer: AccountId,
            /// The promise in the payer's list.
            number: u32,
            /// To whom.
            payee: AccountId,
            /// How much.
            amount: Money,
            /// What is still owed, with charges.
            rest: Money,
        },
        /// What was taken off a certificate is owed again.
        #[codec(index = 28)]
        Restored {
            /// The certificate.
            certificate: CertificateId,
            /// Who owes.
            payer: AccountId,
            /// How much more.
            by: Money,
            /// What is owed.
            rest: Money,
        },
    }
}

/// Bank-issued deposits, obligations and waterfalls.
#[portolan_sdk::interface(name = "settlement", module = api, error = SettlementError, event = SettlementEvent)]
pub trait Settlement {
    /// A bank serves the cap's currency, up to that sum of deposits; also to change the cap.
    #[call(index = 0)]
    fn serve(&mut self, bank_account: AccountId, cap: Money) -> Result<(), SettlementError>;

    /// A bank issues a deposit at itself to an account.
    #[call(index = 1)]
    fn issue(
        &mut self,
        bank_account: AccountId,
        to: AccountId,
        amount: Money,
        reference: Hash,
    ) -> Result<(), SettlementError>;

    /// The owner orders the bank to pay out part of a deposit outside the chain; the amount is pending until the bank answers. `order`
    /// commits to where it is to go. Answers the redemption's number in the bank's list.
    #[call(index = 2)]
    fn redeem(
        &mut self,
        account: AccountId,
        bank: MemberId,
        amount: Money,
        order: Hash,
    ) -> Result<u32, SettlementError>;

    /// The owner pays another account at the same bank.
    #[call(index = 3)]
    fn transfer(
        &mut self,
        from: AccountId,
        to: AccountId,
        bank: MemberId,
        amount: Money,
        reference: Hash,
    ) -> Result<(), SettlementError>;

    /// `receivable` only: a certificate was accepted and will be due.
    #[call(index = 4)]
    fn register(
        &mut self,
        certificate: CertificateId,
        payer: AccountId,
        bank: MemberId,
        amount: Money,
        due: BusinessDate,
    ) -> Result<(), SettlementError>;

    /// `receivable` only: sets aside what the payer's deposit gives for a certificate that is due, or overdue. Answers the amount.
    #[call(index = 5)]
    fn collect(&mut self, certificate: CertificateId) -> Result<Money, SettlementError>;

    /// `receivable` only: pays leaves out of what was set aside.
    #[call(index = 6)]
    fn pay(&mut self, certificate: CertificateId, payments: Vec<Payment>) -> Result<(), SettlementError>;

    /// `financing` only: a bank issues the proceeds of a financing to the borrower.
    #[call(index = 7)]
    fn fund(&mut self, bank_account: AccountId, to: AccountId, amount: Money) -> Result<(), SettlementError>;

    /// `financing` only: how the receipts of a part are to be spread.
    #[call(index = 8)]
    fn register_waterfall(&mut self, part: PartId, waterfall: Waterfall) -> Result<(), SettlementError>;

    /// Any contract: whether a bank serves a currency.
    #[call(index = 9)]
    fn serves(&self, bank: MemberId, currency: Currency) -> Result<bool, SettlementError>;

    /// The bank answers a redemption, once and for exactly its amount: executed, or refused, which returns the money. `reference` commits to
    /// the bank's own record; that of a payment stands for one redemption only.
    #[call(index = 10)]
    fn answer_redemption(
        &mut self,
        bank_account: AccountId,
        number: u32,
        amount: Money,
        answer: RedemptionAnswer,
        reference: Hash,
    ) -> Result<(), SettlementError>;

    /// A bank posts a quote: at which price, for whom, how much and until when it exchanges. The account is the one that pays and is paid.
    /// Answers the quote's number in the dealer's list.
    #[call(index = 11)]
    fn quote(&mut self, dealer_account: AccountId, terms: QuoteTerms) -> Result<u32, SettlementError>;

    /// A dealer withdraws a quote; what was agreed at it stands.
    #[call(index = 12)]
    fn withdraw_quote(&mut self, dealer_account: AccountId, number: u32) -> Result<(), SettlementError>;

    /// A customer sells `sold` for `bought` at a quote, at once: both legs move at the dealer, or none.
    #[call(index = 13)]
    fn exchange(
        &mut self,
        account: AccountId,
        dealer: MemberId,
        number: u32,
        sold: Money,
        bought: Currency,
    ) -> Result<Proceeds, SettlementError>;

    /// A customer locks a forward quote's rate for its day, on which the agenda moves both legs, or none. Answers the forward's number in the
    /// dealer's list.
    #[call(index = 14)]
    fn lock_rate(
        &mut self,
        account: AccountId,
        dealer: MemberId,
        number: u32,
        sold: Money,
        bought: Currency,
    ) -> Result<u32, SettlementError>;

    /// Agenda only: a forward's day.
    #[call(index = 15)]
    fn run_forward(&mut self, dealer: MemberId, number: u32) -> Result<(), SettlementError>;

    /// An account promises to pay another on a later day, from its deposit at a bank; the agenda pays. Answers the promise's number in the
    /// payer's list.
    #[call(index = 16)]
    fn promise(&mut self, payer: AccountId, terms: PayableTerms) -> Result<u32, SettlementError>;

    /// Agenda only: what a payer promised for a day, from one deposit.
    #[call(index = 17)]
    fn run_payables(
        &mut self,
        payer: AccountId,
        bank: MemberId,
        currency: Currency,
        due: BusinessDate,
    ) -> Result<(), SettlementError>;

    /// The payer, or an account that is owed something of it, asks that what was promised and is overdue is paid now, oldest first, as far as the
    /// deposit goes. Answers how much was.
    #[call(index = 18)]
    fn collect_payables(
        &mut self,
        account: AccountId,
        payer: AccountId,
        bank: MemberId,
        currency: Currency,
    ) -> Result<Money, SettlementError>;

    /// A party proposes to set off promises among several accounts. Answers the netting's number; the proposer consents as the others do.
    #[call(index = 19)]
    fn propose_netting(&mut self, account: AccountId, terms: NettingTerms) -> Result<u32, SettlementError>;

    /// A party consents to a netting. With the last consent it is carried out as a whole; where that is not possible, the consent is refused.
    #[call(index = 20)]
    fn consent_to_netting(&mut self, account: AccountId, number: u32) -> Result<(), SettlementError>;

    /// A party refuses a netting, which ends it.
    #[call(index = 21)]
    fn refuse_netting(&mut self, account: AccountId, number: u32) -> Result<(), SettlementError>;

    /// A seller sets the standing rule by which what comes to its account at a bank is shared, or, with no lines, ends it. Not while a payee is due
    /// something by the rule that stands.
    #[call(index = 22)]
    fn set_sales_rule(
        &mut self,
        account: AccountId,
        bank: MemberId,
        currency: Currency,
        lines: Vec<SalesLine>,
        payout: Payout,
    ) -> Result<(), SettlementError>;

    /// A payee gives up what it is still due by the rule of a sales account.
    #[call(index = 23)]
    fn release_sales_rule(
        &mut self,
        payee: AccountId,
        account: AccountId,
        bank: MemberId,
        currency: Currency,
    ) -> Result<(), SettlementError>;

    /// Agenda only: what was collected in a sales account is shared.
    #[call(index = 24)]
    fn share_collected(
        &mut self,
        account: AccountId,
        bank: MemberId,
        currency: Currency,
    ) -> Result<(), SettlementError>;

    /// `receivable` only: less is owed on a certificate, as it was diluted, cancelled or written off. Not while money is set aside for it.
    #[call(index = 25)]
    fn reduce(&mut self, certificate: CertificateId, by: Money) -> Result<(), SettlementError>;

    /// `receivable` only: pays leaves before the due date out of the free part of the payer's deposit. The payments and the discount together are
    /// no longer owed.
    #[call(index = 26)]
    fn pay_early(
        &mut self,
        certificate: CertificateId,
        payments: Vec<Payment>,
        discount: Money,
    ) -> Result<(), SettlementError>;

    /// Agenda only: a step in the collection of a promise that is overdue.
    #[call(index = 27)]
    fn run_collection(&mut self, payer: AccountId, number: u32, step: CollectionStep) -> Result<(), SettlementError>;

    /// A payee takes the loss of a promise whose collection has gone all its steps; it binds the payer's deposit no more, and is charged no more.
    /// `reference` commits to the decision.
    #[call(index = 28)]
    fn write_off(
        &mut self,
        payee: AccountId,
        payer: AccountId,
        number: u32,
        reference: Hash,
    ) -> Result<(), SettlementError>;

    /// A payer pays on a promise that was written off: fee, tax, default interest and principal, in this order. Answers how much it was; what is
    /// too much stays with the payer.
    #[call(index = 29)]
    fn recover(&mut self, payer: AccountId, number: u32, amount: Money) -> Result<Money, SettlementError>;

    /// `receivable` only: what was taken off a certificate that is due is owed again, as a dispute was resolved. Not while money is set aside for it.
    #[call(index = 30)]
    fn restore(&mut self, certificate: CertificateId, by: Money) -> Result<(), SettlementError>;

    /// The deposits of an account, from number `from` on. For its member.
    #[query(index = 0, path = "/deposits")]
    fn deposits(&self, account: AccountId, from: Option<u32>) -> Result<DepositPage, SettlementError>;

    /// A bank's sums in a currency, with the deposits from depositor number `from` on. The deposits are for the bank; the sums for everybody.
    #[query(index = 1, path = "/banks/{bank}/book/{currency}")]
    fn book(&self, bank: MemberId, currency: Currency, from: Option<u32>) -> Result<BookPage, SettlementError>;

    /// What a payer owes, from number `from` on. For its member.
    #[query(index = 2, path = "/obligations")]
    fn obligations(&self, account: AccountId, from: Option<u32>) -> Result<ObligationPage, SettlementError>;

    /// What is owed on a certificate. For its payer.
    #[query(index = 3, path = "/obligations/{certificate}")]
    fn obligation(&self, certificate: CertificateId) -> Result<Obligation, SettlementError>;

    /// How the receipts of a financed part are spread, and what was paid so far. For its payees.
    #[query(index = 4, path = "/waterfalls/{part}")]
    fn waterfall(&self, part: PartId) -> Result<Waterfall, SettlementError>;

    /// All redemptions of a bank, from number `from` on. For the bank.
    #[query(index = 5, path = "/banks/{bank}/redemptions")]
    fn redemptions_at(&self, bank: MemberId, from: Option<u32>) -> Result<RedemptionPage, SettlementError>;

    /// The redemptions that a bank has not answered, in no order of time, from entry `from` on. For the bank.
    #[query(index = 6, path = "/banks/{bank}/pending-redemptions")]
    fn pending_at(&self, bank: MemberId, from: Option<u32>) -> Result<RedemptionPage, SettlementError>;

    /// All redemptions that an account asked for, from entry `from` on. For its member.
    #[query(index = 7, path = "/redemptions")]
    fn redemptions_of(&self, account: AccountId, from: Option<u32>) -> Result<RedemptionPage, SettlementError>;

    /// The redemptions of an account that are not answered, in no order of time, from entry `from` on. For its member.
    #[query(index = 8, path = "/pending-redemptions")]
    fn pending_of(&self, account: AccountId, from: Option<u32>) -> Result<RedemptionPage, SettlementError>;

    /// All quotes of a dealer, from number `from` on. For the dealer.
    #[query(index = 9, path = "/banks/{bank}/quotes")]
    fn quotes(&self, bank: MemberId, from: Option<u32>) -> Result<QuotePage, SettlementError>;

    /// A quote. One for a single account is for it and the dealer; others are for everybody.
    #[query(index = 10, path = "/banks/{bank}/quotes/{number}")]
    fn quote_of(&self, bank: MemberId, number: u32) -> Result<FxQuote, SettlementError>;

    /// All forwards of a dealer, from number `from` on. For the dealer.
    #[query(index = 11, path = "/banks/{bank}/forwards")]
    fn forwards_at(&self, bank: MemberId, from: Option<u32>) -> Result<ForwardPage, SettlementError>;

    /// A forward. For its customer and dealer.
    #[query(index = 12, path = "/banks/{bank}/forwards/{number}")]
    fn forward(&self, bank: MemberId, number: u32) -> Result<Forward, SettlementError>;

    /// The forwards of an account, from entry `from` on. For its member.
    #[query(index = 13, path = "/forwards")]
    fn forwards_of(&self, account: AccountId, from: Option<u32>) -> Result<ForwardPage, SettlementError>;

    /// What a payer promised, from number `from` on. For its member.
    #[query(index = 14, path = "/payables")]
    fn payables(&self, account: AccountId, from: Option<u32>) -> Result<PayablePage, SettlementError>;

    /// What was promised to an account, from entry `from` on. For its member.
    #[query(index = 15, path = "/promised")]
    fn promised_to(&self, account: AccountId, from: Option<u32>) -> Result<PayablePage, SettlementError>;

    /// A promise. For its payer and payee.
    #[query(index = 16, path = "/payables/{payer}/{number}")]
    fn payable(&self, payer: AccountId, number: u32) -> Result<Payable, SettlementError>;

    /// The nettings that touch an account, from entry `from` on. For its member.
    #[query(index = 17, path = "/nettings")]
    fn nettings(&self, account: AccountId, from: Option<u32>) -> Result<NettingPage, SettlementError>;

    /// A netting. For its parties.
    #[query(index = 18, path = "/nettings/{number}")]
    fn netting(&self, number: u32) -> Result<Netting, SettlementError>;

    /// The rule of a sales account, with what each payee got. For the seller and the payees.
    #[query(index = 19, path = "/banks/{bank}/sales-rules/{currency}/{account}")]
    fn sales_rule(&self, account: AccountId, bank: MemberId, currency: Currency) -> Result<SalesRule, SettlementError>;
}
