//! Promises to pay later from one account to another, and their netting.

use alloc::vec::Vec;

use crate::{AccountId, BusinessDate, Currency, DayCount, Hash, MemberId, Money, Ppm, data, small};

/// Most promises that fall due on one day from one deposit.
pub const MAX_PAYABLES_A_DAY: usize = 64;
/// How many days the agenda goes on trying what is overdue; then [`collect_payables`](super::Settlement::collect_payables) does.
pub const PAYABLE_ATTEMPTS: u8 = 10;
/// Longest grace of a promise, in days.
pub const MAX_GRACE_DAYS: u8 = 30;
/// Most promises of a netting.
pub const MAX_NETTING_ENTRIES: usize = 32;
/// Most accounts that net with one another.
pub const MAX_NETTING_PARTIES: usize = 16;
/// Longest time that a netting waits for consent, in days.
pub const MAX_NETTING_DAYS: i32 = 30;

small! {
    /// Who is paid first among what falls due on one day from one deposit; one class shares in proportion.
    pub enum PriorityClass {
        /// Taxes and duties.
        #[codec(index = 0)]
        Statutory,
        /// What is secured.
        #[codec(index = 1)]
        Secured,
        /// All else.
        #[codec(index = 2)]
        Ordinary,
        /// What stands behind the others by agreement.
        #[codec(index = 3)]
        Subordinated,
    }
}

small! {
    /// How far the collection of what is overdue has gone. The days are governed; the agenda takes the steps.
    pub enum CollectionStep {
        /// No step was taken.
        #[codec(index = 0)]
        NotBegun,
        /// The payer was given notice; a day after grace, unless it is governed otherwise.
        #[codec(index = 1)]
        Notice,
        /// Payment was demanded; 7 days after grace.
        #[codec(index = 2)]
        Demand,
        /// It is ripe for arbitration, and may be written off; 30 days after grace.
        #[codec(index = 3)]
        Arbitration,
    }
}

data! {
    /// What is charged when a promise is paid after its day and the days of grace.
    pub struct LateTerms {
        /// Days after the due date without charges, at most 30.
        pub grace_days: u8,
        /// Default interest per year, from the due date on, at most one whole.
        pub rate: Ppm,
        /// How its days are counted.
        pub day_count: DayCount,
        /// Value-added tax on that interest, at most one whole.
        pub tax: Ppm,
        /// A fee, once; minor units.
        pub fee_minor: i128,
    }

    /// What a promise was charged for being late and has not paid, minor units.
    pub struct LateCharges {
        /// The fee.
        pub fee_minor: i128,
        /// Value-added tax on the interest.
        pub tax_minor: i128,
        /// Default interest.
        pub interest_minor: i128,
    }

    /// What a payer promises.
    pub struct PayableTerms {
        /// To whom.
        pub payee: AccountId,
        /// From the payer's deposit at this bank, to the payee's.
        pub bank: MemberId,
        /// How much.
        pub amount: Money,
        /// When: after today, at most a year off.
        pub due: BusinessDate,
        /// Its rank on that day.
        pub class: PriorityClass,
        /// Commitment to what it is for.
        pub reference: Hash,
        /// What is charged when it is paid late; none: nothing.
        pub late: Option<LateTerms>,
    }

    /// A promise to pay later.
    pub struct Payable {
        /// Who pays.
        pub payer: AccountId,
        /// Its number in the payer's list, from 0.
        pub number: u32,
        /// What was promised.
        pub terms: PayableTerms,
        /// Paid so far.
        pub paid: Money,
        /// Set off against claims of the payer's by netting.
        pub netted: Money,
        /// Where it stands.
        pub state: PayableState,
        /// Owed for being late, as of today.
        pub charges: LateCharges,
        /// How far its collection has gone.
        pub step: CollectionStep,
    }

    /// Part of a numbered list of promises.
    pub struct PayablePage {
        /// Entries of the whole list.
        pub count: u32,
        /// Promises from entry `from` on.
        pub payables: Vec<Payable>,
    }

    /// So much of a promise is set off.
    pub struct NettingEntry {
        /// Who owes.
        pub payer: AccountId,
        /// The promise in the payer's list.
        pub number: u32,
        /// Who is owed.
        pub payee: AccountId,
        /// How much of it, minor units.
        pub minor: i128,
    }

    /// What is to be set off. Each party gives up what it is owed and is freed of what it owes; the difference is paid at once, at the bank.
    pub struct NettingTerms {
        /// Where the differences are paid.
        pub bank: MemberId,
        /// Of all the promises.
        pub currency: Currency,
        /// Promises, each once.
        pub entries: Vec<NettingEntry>,
        /// Last business date for consent.
        pub until: BusinessDate,
    }

    /// A party of a netting.
    pub struct NettingParty {
        /// Whose.
        pub account: AccountId,
        /// What it owes of what is set off, minor units.
        pub owes_minor: i128,
        /// What it is owed of it, minor units.
        pub owed_minor: i128,
        /// Whether it agreed.
        pub consented: bool,
    }

    /// A netting that was proposed.
    pub struct Netting {
        /// Its number.
        pub number: u32,
        /// What is set off.
        pub terms: NettingTerms,
        /// All whose promises or claims it touches.
        pub parties: Vec<NettingParty>,
        /// Where it stands.
        pub state: NettingState,
    }

    /// Part of the numbered list of an account's nettings.
    pub struct NettingPage {
        /// Entries of the whole list.
        pub count: u32,
        /// Nettings from entry `from` on.
        pub nettings: Vec<Netting>,
    }
}

small! {
    /// Where a promise stands.
    pub enum PayableState {
        /// Not due, or due and not yet run.
        #[codec(index = 0)]
        Open,
        /// Due, run, and not paid in full.
        #[codec(index = 1)]
        Overdue,
        /// Paid or set off in full.
        #[codec(index = 2)]
        Settled,
        /// The payee took the loss; the payer still owes it, and may pay.
        #[codec(index = 3)]
        WrittenOff,
    }

    /// Where a netting stands.
    pub enum NettingState {
        /// Not all have agreed.
        #[codec(index = 0)]
        Proposed,
        /// All have, and it is done.
        #[codec(index = 1)]
        Executed,
        /// A party refused.
        #[codec(index = 2)]
        Refused,
        /// Not all agreed in time.
        #[codec(index = 3)]
        Expired,
    }

    /// What is wrong with a netting.
    pub enum NettingFault {
        /// it needs 1 to 32 promises of at most 16 accounts, each promise once
        #[codec(index = 0)]
        Extent,
        /// an amount is not positive
        #[codec(index = 1)]
        Amount,
        /// a promise is not as the netting says: payer, number, payee, currency, and at least that much still owed
        #[codec(index = 2)]
        Promise,
        /// consent must be possible today and within 30 days
        #[codec(index = 3)]
        Validity,
        /// the deposit of a party does not cover what it has to pay on top
        #[codec(index = 4)]
        Cover,
    }
}
