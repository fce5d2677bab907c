//! Certificates of core enterprises: issue, acceptance, split and merge, transfer, what binds and lowers a part, payment, and who answers when the
//! debtor does not pay.
//!
//! A certificate is a tree of parts; its leaves carry the value. Conservation holds by construction: a split gives away exactly what it closes, a merge
//! takes back exactly that, and whatever else changes a certificate's sums goes through one function, `certificate::take`. A part's record holds all
//! that a split needs, so a split reads one value and writes one for the parent and one for each child. Must never move money (that is `settlement`'s)
//! nor judge documents (`trade-documents`'), and must never be called back by a contract that it calls.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod binding;
mod cancellation;
mod certificate;
mod claims;
mod debt;
mod dilution;
mod early;
mod merge;
mod payment;
mod record;
mod recourse;
mod run;
mod split;
mod transfer;
mod tree;
mod view;

use alloc::vec::Vec;

use portolan_interface::{
    AccountId, BusinessDate, CertificateId, Currency, DayCount, DocumentId, FinancingId, Hash, Money, PartId, Ppm,
    receivable::{
        Certificate, CertificatePage, CertificateTerms, Claim, ClaimPage, Debt, DueEntry, HoldingPage, Hop, Lineage,
        Part, PartAct, PartFacts, PartPage, Receivable, ReceivableError, Recourse,
    },
};

use cancellation::Cancellation;
use record::{Notes, PartRecord};
use run::Run;

portolan_sdk::storage! {
    /// Certificates; written at issue, acceptance and payment.
    0 => CERTIFICATES: Map<CertificateId, Certificate>;
    /// Nodes of the split trees.
    1 => PARTS: Map<PartId, PartRecord>;
    /// Changes of holder, numbered from 0 within a part.
    2 => HOPS: Map<(PartId, u16), Hop>;
    /// What ever came to an account, by issue, offer or discount. A part names the entry that counts.
    3 => ARRIVALS: List<AccountId, PartId>;
    /// Certificates that an account issued or was first offered.
    4 => CERTIFICATES_OF: List<AccountId, CertificateId>;
    /// What a certificate has on the agenda.
    5 => AGENDA: Map<CertificateId, Vec<DueEntry>>;
    /// A payment or credit note that goes over several agenda entries.
    6 => RUNS: Map<CertificateId, Run>;
    /// Remainders of what is being weighed, in pages.
    7 => REMAINDERS: Map<(CertificateId, u16), Vec<u128>>;
    /// What stands open beside a part's record.
    8 => NOTES: Map<PartId, Notes>;
    /// Minor units in dispute.
    9 => DISPUTED: Map<CertificateId, i128>;
    /// The last proposal to cancel.
    10 => CANCELLATIONS: Map<CertificateId, Cancellation>;
    /// All claims of holders on each other.
    11 => CLAIMS: List<(), Claim>;
    /// Numbers of what is owed to or by an account.
    12 => CLAIMS_OF: List<AccountId, u32>;
    /// Minor units that a debtor owes on its certificates in a currency.
    13 => DEBTS: Map<(AccountId, [u8; 3]), i128>;
}

// Every message is a function of its own: put together in the dispatcher they would exceed what the VM takes as one function (64 KiB).
struct Contract;

portolan_sdk::export!(Contract, portolan_interface::receivable::api);

impl Receivable for Contract {
    #[inline(never)]
    fn issue(&mut self, debtor: AccountId, terms: CertificateTerms) -> Result<CertificateId, ReceivableError> {
        certificate::issue(debtor, terms)
    }

    #[inline(never)]
    fn accept(&mut self, creditor: AccountId, certificate: CertificateId) -> Result<(), ReceivableError> {
        certificate::accept(creditor, certificate)
    }

    #[inline(never)]
    fn refuse(&mut self, creditor: AccountId, certificate: CertificateId) -> Result<(), ReceivableError> {
        certificate::refuse(creditor, certificate)
    }

    #[inline(never)]
    fn split(&mut self, holder: AccountId, part: PartId, amounts: Vec<Money>) -> Result<(), ReceivableError> {
        split::split(holder, part, &amounts)
    }

    #[inline(never)]
    fn offer_transfer(
        &mut self,
        holder: AccountId,
        part: PartId,
        to: AccountId,
        recourse: Recourse,
        expires: BusinessDate,
    ) -> Result<(), ReceivableError> {
        transfer::offer(holder, part, to, recourse, expires)
    }

    #[inline(never)]
    fn accept_transfer(&mut self, receiver: AccountId, part: PartId) -> Result<(), ReceivableError> {
        transfer::accept(receiver, part)
    }

    #[inline(never)]
    fn reject_transfer(&mut self, receiver: AccountId, part: PartId) -> Result<(), ReceivableError> {
        transfer::reject(receiver, part)
    }

    #[inline(never)]
    fn withdraw_transfer(&mut self, holder: AccountId, part: PartId) -> Result<(), ReceivableError> {
        transfer::withdraw(holder, part)
    }

    #[inline(never)]
    fn collect(&mut self, certificate: CertificateId) -> Result<(), ReceivableError> {
        payment::collect(certificate)
    }

    #[inline(never)]
    fn expire_certificate(&mut self, certificate: CertificateId) -> Result<(), ReceivableError> {
        certificate::expire(certificate)
    }

    #[inline(never)]
    fn expire_offer(&mut self, part: PartId, expires: BusinessDate) -> Result<(), ReceivableError> {
        transfer::lapse(part, expires)
    }

    #[inline(never)]
    fn mature(&mut self, certificate: CertificateId) -> Result<(), ReceivableError> {
        payment::mature(certificate)
    }

    #[inline(never)]
    fn continue_payment(&mut self, certificate: CertificateId) -> Result<(), ReceivableError> {
        run::go_on(certificate)
    }

    #[inline(never)]
    fn retry_collection(&mut self, certificate: CertificateId, attempt: u8) -> Result<(), ReceivableError> {
        payment::retry(certificate, attempt)
    }

    #[inline(never)]
    fn facts(&self, part: PartId) -> Result<PartFacts, ReceivableError> {
        transfer::facts(part)
    }

    #[inline(never)]
    fn discount(
        &mut self,
        part: PartId,
        borrower: AccountId,
        funder: AccountId,
        recourse: Recourse,
        financing: FinancingId,
    ) -> Result<(), ReceivableError> {
        transfer::discount(part, borrower, funder, recourse, financing)
    }

    #[inline(never)]
    fn merge(&mut self, holder: AccountId, part: PartId) -> Result<(), ReceivableError> {
        merge::merge(holder, part)
    }

    #[inline(never)]
    fn order(
        &mut self,
        regulator: AccountId,
        part: PartId,
        act: PartAct,
        reference: Hash,
    ) -> Result<(), ReceivableError> {
        binding::order(regulator, part, act, reference)
    }

    #[inline(never)]
    fn agree(&mut self, party: AccountId, part: PartId, act: PartAct, reference: Hash) -> Result<(), ReceivableError> {
        binding::agree(party, part, act, reference)
    }

    #[inline(never)]
    fn dispute(&mut self, debtor: AccountId, part: PartId, reason: Hash, fraud: bool) -> Result<(), ReceivableError> {
        binding::dispute(debtor, part, reason, fraud)
    }

    #[inline(never)]
    fn propose_cancellation(&mut self, debtor: AccountId, certificate: CertificateId) -> Result<(), ReceivableError> {
        cancellation::propose(debtor, certificate)
    }

    #[inline(never)]
    fn withdraw_cancellation(&mut self, debtor: AccountId, certificate: CertificateId) -> Result<(), ReceivableError> {
        cancellation::withdraw(debtor, certificate)
    }

    #[inline(never)]
    fn consent_to_cancellation(&mut self, holder: AccountId, part: PartId) -> Result<(), ReceivableError> {
        cancellation::consent(holder, part)
    }

    #[inline(never)]
    fn withdraw_consent(&mut self, holder: AccountId, part: PartId) -> Result<(), ReceivableError> {
        cancellation::take_back(holder, part)
    }

    #[inline(never)]
    fn dilute(
        &mut self,
        party: AccountId,
        certificate: CertificateId,
        credit: DocumentId,
    ) -> Result<(), ReceivableError> {
        dilution::dilute(party, certificate, credit)
    }

    #[inline(never)]
    fn discharge(&mut self, claimant: AccountId, number: u32, reference: Hash) -> Result<(), ReceivableError> {
        claims::discharge(claimant, number, reference)
    }

    #[inline(never)]
    fn claims(&self, account: AccountId, from: Option<u32>) -> Result<ClaimPage, ReceivableError> {
        claims::page(account, from.unwrap_or(0))
    }

    #[inline(never)]
    fn offer_early_payment(
        &mut self,
        debtor: AccountId,
        part: PartId,
        rate: Ppm,
        day_count: DayCount,
        expires: BusinessDate,
    ) -> Result<(), ReceivableError> {
        early::offer(debtor, part, rate, day_count, expires)
    }

    #[inline(never)]
    fn withdraw_early_payment(&mut self, debtor: AccountId, part: PartId) -> Result<(), ReceivableError> {
        early::withdraw(debtor, part)
    }

    #[inline(never)]
    fn accept_early_payment(&mut self, holder: AccountId, part: PartId) -> Result<(), ReceivableError> {
        early::accept(holder, part)
    }

    #[inline(never)]
    fn acknowledge(&mut self, debtor: AccountId, part: PartId) -> Result<(), ReceivableError> {
        binding::acknowledge(debtor, part)
    }

    #[inline(never)]
    fn claim_recourse(&mut self, holder: AccountId, part: PartId) -> Result<u32, ReceivableError> {
        recourse::claim(holder, part)
    }

    #[inline(never)]
    fn debt(&self, account: AccountId, currency: Currency) -> Result<Debt, ReceivableError> {
        debt::view(account, currency)
    }

    #[inline(never)]
    fn certificate(&self, id: CertificateId) -> Result<Certificate, ReceivableError> {
        view::certificate(id)
    }

    #[inline(never)]
    fn parts(&self, id: CertificateId, from: Option<PartId>) -> Result<PartPage, ReceivableError> {
        view::parts(id, from)
    }

    #[inline(never)]
    fn agenda(&self, id: CertificateId) -> Result<Vec<DueEntry>, ReceivableError> {
        view::certificate(id)?;
        Ok(AGENDA.get(&id).unwrap_or_default())
    }

    #[inline(never)]
    fn lineage(&self, id: PartId) -> Result<Lineage, ReceivableError> {
        view::lineage(id)
    }

    #[inline(never)]
    fn part(&self, id: PartId) -> Result<Part, ReceivableError> {
        view::part(id)
    }

    #[inline(never)]
    fn holdings(
        &self,
        account: AccountId,
        from: Option<u32>,
        at: Option<PartId>,
    ) -> Result<HoldingPage, ReceivableError> {
        view::holdings(account, from.unwrap_or(0), at)
    }

    #[inline(never)]
    fn certificates(&self, account: AccountId, from: Option<u32>) -> Result<CertificatePage, ReceivableError> {
        view::certificates(account, from.unwrap_or(0))
    }
}
