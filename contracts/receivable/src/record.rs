//! The stored form of a part: small, and whole enough that splitting or offering it needs no other read.

use codec::{Decode, Encode};
use portolan_interface::{
    AccountId, BusinessDate, CertificateId, Currency, FinancingId, Hash, Money, PartId, TermsError,
    receivable::{CertificateState, EarlyOffer, PartAct, PartState, ReceivableError, TransferOffer},
};
use portolan_sdk::{ensure, env};

use crate::{NOTES, PARTS};

/// An [`PartRecord::arrival`] of a part that came to its holder by a split of its own.
pub const BY_SPLIT: u32 = u32::MAX;

/// A node of a split tree.
#[derive(Clone, Encode, Decode)]
pub struct PartRecord {
    pub certificate: CertificateId,
    /// None for the root.
    pub parent: Option<PartId>,
    /// Place among its siblings.
    pub index: u16,
    pub depth: u8,
    pub holder: AccountId,
    pub currency: Currency,
    /// Minor units when it came to be.
    #[codec(compact)]
    pub amount: u128,
    /// Minor units paid on it.
    #[codec(compact)]
    pub settled: u128,
    /// Minor units that credit notes and awards took off it while it was whole.
    #[codec(compact)]
    pub diluted: u128,
    /// Whether a credit note counts on its amount: it is not split or merged until its share is taken.
    pub weighed: bool,
    /// Smallest child, minor units.
    #[codec(compact)]
    pub dust: u128,
    pub due: BusinessDate,
    pub splittable: bool,
    pub transferable: bool,
    /// Children that it was split into; with any, it is closed.
    pub children: u16,
    /// Changes of holder while it was whole.
    pub hops: u16,
    /// Changes of holder on the whole path from the root.
    pub chain: u16,
    /// Number of the entry in the holder's list of arrivals, or [`BY_SPLIT`].
    pub arrival: u32,
    pub status: Status,
}

/// What binds a part, apart from being closed, due or paid.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum Status {
    /// Its certificate is offered to the first creditor.
    #[codec(index = 0)]
    Unaccepted,
    #[codec(index = 1)]
    Live,
    /// Offered to a receiver.
    #[codec(index = 2)]
    Offered(OpenOffer),
    /// Sold to a funder.
    #[codec(index = 3)]
    Financed(FinancingId),
    /// Its certificate was refused or expired.
    #[codec(index = 4)]
    Cancelled,
    /// Live again after an offer's last day: whoever comes too late is told so.
    #[codec(index = 5)]
    Lapsed(TransferOffer),
    /// Nothing moves it but maturity.
    #[codec(index = 6)]
    Held(Binding),
    /// Not paid until the dispute is resolved.
    #[codec(index = 7)]
    Disputed(Binding),
    /// Its holder consented to the cancellation of this number.
    #[codec(index = 8)]
    Consenting(u32),
}

/// What holds a part, or why it is disputed.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Binding {
    /// Commitment to the order, agreement or reason.
    pub reference: Hash,
    /// Whether a court ordered it.
    pub by_court: bool,
    /// The financing that the part goes back to.
    pub financing: Option<FinancingId>,
}

/// An offer with what is needed to end it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpenOffer {
    pub terms: TransferOffer,
    /// Number of the entry in the receiver's list of arrivals.
    pub arrival: u32,
    /// The agenda's entry on which it lapses.
    pub entry: Hash,
}

/// What stands open beside a part's record: few parts have any of it, so the record that every split reads is spared it.
#[derive(Default, PartialEq, Eq, Encode, Decode)]
pub struct Notes {
    /// What one side has agreed to.
    pub agreement: Option<Agreement>,
    /// The debtor's offer to pay early.
    pub early: Option<EarlyOffer>,
    /// Whether the debtor objects to nothing.
    pub acknowledged: bool,
    /// Number of the open claim of recourse.
    pub recourse: Option<u32>,
}

impl Notes {
    pub fn of(part: PartId) -> Self {
        NOTES.get(&part).unwrap_or_default()
    }

    /// Stores them, where there is anything to note.
    pub fn keep(&self, part: PartId) {
        if *self == Self::default() { NOTES.remove(&part) } else { NOTES.set(&part, self) }
    }
}

/// An act that waits for the other side's word.
#[derive(PartialEq, Eq, Encode, Decode)]
pub struct Agreement {
    pub by: AccountId,
    pub act: PartAct,
    /// Commitment to what was agreed.
    pub reference: Hash,
}

impl PartRecord {
    pub fn load(part: PartId) -> Result<Self, ReceivableError> {
        PARTS.get(&part).ok_or(ReceivableError::UnknownPart)
    }

    pub fn money(&self, minor: u128) -> Result<Money, ReceivableError> {
        let minor = i128::try_from(minor).map_err(|_| ReceivableError::Terms(TermsError::Overflow))?;
        Ok(Money::new(minor, self.currency))
    }

    /// Minor units still owed on it; nothing on a closed or void part.
    pub fn outstanding(&self) -> u128 {
        if self.children > 0 || self.status == Status::Cancelled {
            return 0;
        }
        self.amount.saturating_sub(self.settled).saturating_sub(self.diluted)
    }

    /// The same, given where its certificate stands: nothing is owed on one that was cancelled.
    pub fn outstanding_under(&self, certificate: CertificateState) -> u128 {
        if certificate == CertificateState::Cancelled { 0 } else { self.outstanding() }
    }

    /// Where it stands before its due date; what payment made of it needs the certificate, see [`Self::state_under`].
    pub fn state(&self) -> PartState {
        match &self.status {
            Status::Cancelled => PartState::Cancelled,
            _ if self.children > 0 => PartState::Closed,
            _ if self.outstanding() == 0 && self.settled == 0 => PartState::Diluted,
            _ if self.outstanding() == 0 => PartState::Settled,
            Status::Unaccepted | Status::Offered(_) => PartState::Offered,
            Status::Live | Status::Lapsed(_) => PartState::Live,
            Status::Financed(_) => PartState::Financed,
            Status::Held(_) => PartState::Held,
            Status::Disputed(_) => PartState::Disputed,
            Status::Consenting(_) => PartState::Consenting,
        }
    }

    /// Where it stands, given where its certificate stands.
    pub fn state_under(&self, certificate: CertificateState) -> PartState {
        match self.state() {
            state @ (PartState::Cancelled | PartState::Closed | PartState::Settled | PartState::Diluted) => state,
            _ if certificate == CertificateState::Cancelled => PartState::Cancelled,
            PartState::Disputed => PartState::Disputed,
            _ if certificate == CertificateState::Overdue => PartState::Overdue,
            state => state,
        }
    }

    /// Passes when the account holds it.
    pub fn held_by(&self, account: AccountId) -> Result<(), ReceivableError> {
        ensure!(self.holder == account, ReceivableError::NotHolder);
        Ok(())
    }

    /// Passes while nothing but time has happened to it: before its due date and live.
    pub fn ensure_live(&self) -> Result<(), ReceivableError> {
        self.ensure_not_due()?;
        let state = self.state();
        ensure!(state == PartState::Live, ReceivableError::PartState { state, needed: PartState::Live });
        Ok(())
    }

    /// Passes before the due date. On it the agenda pays first, so whatever comes on that day comes too late.
    pub fn ensure_not_due(&self) -> Result<(), ReceivableError> {
        ensure!(env::business_date() < self.due.0, ReceivableError::PastDue { due: self.due });
        Ok(())
    }

    /// Passes while nothing binds it but what its own holder can take back, and before its due date.
    pub fn ensure_unbound(&self) -> Result<(), ReceivableError> {
        self.ensure_not_due()?;
        let (state, needed) = (self.state(), PartState::Live);
        let unbound = match &self.status {
            Status::Live | Status::Lapsed(_) | Status::Offered(_) | Status::Consenting(_) | Status::Financed(_) => true,
            Status::Unaccepted | Status::Cancelled | Status::Held(_) | Status::Disputed(_) => false,
        };
        ensure!(unbound && self.outstanding() > 0, ReceivableError::PartState { state, needed });
        Ok(())
    }

    /// The financing that encumbers it.
    pub fn financing(&self) -> Option<FinancingId> {
        match &self.status {
            Status::Financed(financing) => Some(*financing),
            Status::Held(binding) | Status::Disputed(binding) => binding.financing,
            _ => None,
        }
    }

    /// What holds it, or the reason of the dispute.
    pub fn binding(&self) -> Option<&Binding> {
        match &self.status {
            Status::Held(binding) | Status::Disputed(binding) => Some(binding),
            _ => None,
        }
    }

    /// Nothing binds it any more but the financing.
    pub fn unbind(&mut self) {
        self.status = self.financing().map_or(Status::Live, Status::Financed);
    }

    /// The open offer, if there is one.
    pub fn offer(&self) -> Option<&OpenOffer> {
        match &self.status {
            Status::Offered(offer) => Some(offer),
            _ => None,
        }
    }
}
