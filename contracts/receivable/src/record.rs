//! The stored form of a part: small, and whole enough that splitting or offering it needs no other read.

use codec::{Decode, Encode};
use portolan_interface::{
    AccountId, BusinessDate, CertificateId, Currency, FinancingId, Hash, Money, PartId, TermsError,
    receivable::{CertificateState, PartState, ReceivableError, TransferOffer},
};
use portolan_sdk::{ensure, env};

use crate::PARTS;

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
        if self.children > 0 || self.status == Status::Cancelled { 0 } else { self.amount.saturating_sub(self.settled) }
    }

    /// Where it stands before its due date; what payment made of it needs the certificate, see [`Self::state_under`].
    pub fn state(&self) -> PartState {
        match &self.status {
            Status::Cancelled => PartState::Cancelled,
            _ if self.children > 0 => PartState::Closed,
            _ if self.outstanding() == 0 => PartState::Settled,
            Status::Unaccepted | Status::Offered(_) => PartState::Offered,
            Status::Live | Status::Lapsed(_) => PartState::Live,
            Status::Financed(_) => PartState::Financed,
        }
    }

    /// Where it stands, given where its certificate stands.
    pub fn state_under(&self, certificate: CertificateState) -> PartState {
        match self.state() {
            state @ (PartState::Cancelled | PartState::Closed | PartState::Settled) => state,
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

    /// The open offer, if there is one.
    pub fn offer(&self) -> Option<&OpenOffer> {
        match &self.status {
            Status::Offered(offer) => Some(offer),
            _ => None,
        }
    }
}
