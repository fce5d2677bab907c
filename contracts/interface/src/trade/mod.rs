//! `trade-documents`: what proves that there is a trade behind a claim.
//!
//! Records, messages and errors lie by noun. Texts, names and numbers of documents never appear: what the chain must compare but nobody may
//! guess (a fingerprint, a carrier's number) arrives plain in a call and is kept under the consortium's key alone.

mod bill;
mod commitment;
mod credit;
mod declaration;
mod document;
mod error;
mod event;
mod invoice;
mod order;
mod policy;
mod warehouse;

use alloc::vec::Vec;

use crate::{AccountId, BusinessDate, DocumentId, Hash, Money};

pub use bill::*;
pub use commitment::*;
pub use credit::*;
pub use declaration::*;
pub use document::*;
pub use error::*;
pub use event::*;
pub use invoice::*;
pub use order::*;
pub use policy::*;
pub use warehouse::*;

/// Orders, bills of lading with title, customs declarations, invoices and credit notes, certificates of origin, warehouse receipts, policies.
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
        step: TitleStep,
    ) -> Result<(), TradeError>;

    /// The holder passes holdership on.
    #[call(index = 4)]
    fn transfer_holder(
        &mut self,
        holder: AccountId,
        bill: DocumentId,
        to: AccountId,
        step: TitleStep,
    ) -> Result<(), TradeError>;

    /// The holder lets the beneficial right go to the nominee.
    #[call(index = 5)]
    fn transfer_beneficiary(&mut self, holder: AccountId, bill: DocumentId, step: TitleStep) -> Result<(), TradeError>;

    /// One who is both holder and beneficiary passes both on in one act: to order, to one alone, or in blank.
    #[call(index = 6)]
    fn endorse(
        &mut self,
        owner: AccountId,
        bill: DocumentId,
        form: EndorsementForm,
        step: TitleStep,
    ) -> Result<(), TradeError>;

    /// Who received the title gives it back, once, before acting.
    #[call(index = 7)]
    fn reject_title(&mut self, receiver: AccountId, bill: DocumentId, step: TitleStep) -> Result<(), TradeError>;

    /// One who is both gives the title to the carrier, and consents to what follows from the purpose.
    #[call(index = 8)]
    fn surrender(
        &mut self,
        owner: AccountId,
        bill: DocumentId,
        purpose: SurrenderPurpose,
        step: TitleStep,
    ) -> Result<(), TradeError>;

    /// The carrier accepts a surrender, which ends the title, or rejects it, which returns it.
    #[call(index = 9)]
    fn answer_surrender(
        &mut self,
        carrier: AccountId,
        bill: DocumentId,
        accept: bool,
        step: TitleStep,
    ) -> Result<(), TradeError>;

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

    /// The buyer, or an account of a member with the platform's role, releases a held invoice or rejects it. It goes on when both have released
    /// it; one rejection is final.
    #[call(index = 17)]
    fn review_invoice(&mut self, reviewer: AccountId, invoice: DocumentId, release: bool) -> Result<(), TradeError>;

    /// A bearer takes a title that is endorsed in blank, by a signature of [`presentation`] with the bearer's key.
    #[call(index = 18)]
    fn present_title(
        &mut self,
        presenter: AccountId,
        bill: DocumentId,
        signature: [u8; 65],
        step: TitleStep,
    ) -> Result<(), TradeError>;

    /// One who is both pledges the title to a bank. From then on nothing of it moves without the bank's approval in the same transaction.
    #[call(index = 19)]
    fn pledge_title(
        &mut self,
        owner: AccountId,
        bill: DocumentId,
        bank: AccountId,
        step: TitleStep,
    ) -> Result<(), TradeError>;

    /// The bank gives its pledge up.
    #[call(index = 20)]
    fn release_title(&mut self, bank: AccountId, bill: DocumentId, step: TitleStep) -> Result<(), TradeError>;

    /// The carrier proposes to amend a bill in force; a later proposal takes the place of an earlier one.
    #[call(index = 21)]
    fn propose_amendment(
        &mut self,
        carrier: AccountId,
        bill: DocumentId,
        amendment: Amendment,
        step: TitleStep,
    ) -> Result<(), TradeError>;

    /// One who is both consents to the amendment or refuses it; the carrier may take it back.
    #[call(index = 22)]
    fn answer_amendment(
        &mut self,
        party: AccountId,
        bill: DocumentId,
        consent: bool,
        step: TitleStep,
    ) -> Result<(), TradeError>;

    /// A party to the bill or its order, other than the carrier, promises to hold the carrier harmless for delivery without the title.
    #[call(index = 23)]
    fn give_indemnity(
        &mut self,
        giver: AccountId,
        bill: DocumentId,
        letter: Hash,
        step: TitleStep,
    ) -> Result<(), TradeError>;

    /// The carrier records that the goods were delivered: after an accepted surrender, or against a recorded letter of indemnity.
    #[call(index = 24)]
    fn deliver(
        &mut self,
        carrier: AccountId,
        bill: DocumentId,
        to: AccountId,
        step: TitleStep,
    ) -> Result<(), TradeError>;

    /// Buyer or seller proposes a change of an accepted order, its cancellation or its close.
    #[call(index = 25)]
    fn propose_order(&mut self, party: AccountId, order: DocumentId, proposal: OrderProposal)
    -> Result<(), TradeError>;

    /// The other side consents or refuses; who proposed may take it back.
    #[call(index = 26)]
    fn answer_proposal(&mut self, party: AccountId, order: DocumentId, consent: bool) -> Result<(), TradeError>;

    /// The seller records goods sent.
    #[call(index = 27)]
    fn ship_goods(&mut self, seller: AccountId, order: DocumentId, shipment: Shipment) -> Result<(), TradeError>;

    /// The buyer records goods received, taken or not.
    #[call(index = 28)]
    fn receive_goods(&mut self, buyer: AccountId, order: DocumentId, receipt: GoodsReceipt) -> Result<(), TradeError>;

    /// The buyer records an inspection, or an inspector does with the buyer's approval in the same transaction.
    #[call(index = 29)]
    fn inspect_goods(
        &mut self,
        inspector: AccountId,
        order: DocumentId,
        inspection: Inspection,
    ) -> Result<(), TradeError>;

    /// The buyer records goods sent back.
    #[call(index = 30)]
    fn return_goods(&mut self, buyer: AccountId, order: DocumentId, goods: GoodsReturn) -> Result<(), TradeError>;

    /// Seller or buyer proposes a credit note; the id is [`DocumentId::credit_note`].
    #[call(index = 31)]
    fn propose_credit(&mut self, party: AccountId, terms: CreditTerms) -> Result<DocumentId, TradeError>;

    /// The other side agrees or refuses; who proposed may take it back. Agreed, it lowers the invoice at once.
    #[call(index = 32)]
    fn answer_credit(&mut self, party: AccountId, credit: DocumentId, agree: bool) -> Result<(), TradeError>;

    /// `receivable` only: takes from an agreed credit note what the invoice's certificates must lose, at most `live`, which is what of them can
    /// still lose something. Each minor unit is taken once, whichever certificate loses it, and counts as certified no more: what is settled or
    /// released later is what is left of the face.
    #[call(index = 33)]
    fn credit(&mut self, credit: DocumentId, live: Money) -> Result<Dilution, TradeError>;

    /// The declarant amends a declaration before release; one that customs accepted waits for their acceptance again.
    #[call(index = 34)]
    fn amend_declaration(
        &mut self,
        declarant: AccountId,
        declaration: DocumentId,
        amendment: DeclarationAmendment,
    ) -> Result<(), TradeError>;

    /// A customs authority certifies where goods come from; the id is [`DocumentId::origin`].
    #[call(index = 35)]
    fn certify_origin(&mut self, issuer: AccountId, terms: OriginTerms) -> Result<DocumentId, TradeError>;

    /// The issuer takes a certificate of origin back.
    #[call(index = 36)]
    fn revoke_origin(&mut self, issuer: AccountId, origin: DocumentId) -> Result<(), TradeError>;

    /// A warehouse issues a receipt for stored goods; the id is [`DocumentId::warehouse_receipt`].
    #[call(index = 37)]
    fn issue_receipt(&mut self, warehouse: AccountId, terms: ReceiptTerms) -> Result<DocumentId, TradeError>;

    /// The owner splits a receipt into parts of these units, which together are the whole.
    #[call(index = 38)]
    fn split_receipt(
        &mut self,
        owner: AccountId,
        receipt: DocumentId,
        units: Vec<u64>,
    ) -> Result<Vec<DocumentId>, TradeError>;

    /// The owner pledges a receipt to a bank, whose approval in the same transaction every act of the owner then needs.
    #[call(index = 39)]
    fn pledge_receipt(&mut self, owner: AccountId, receipt: DocumentId, bank: AccountId) -> Result<(), TradeError>;

    /// The bank gives its pledge up.
    #[call(index = 40)]
    fn release_receipt(&mut self, bank: AccountId, receipt: DocumentId) -> Result<(), TradeError>;

    /// The price source that the receipt names attests the price of a unit.
    #[call(index = 41)]
    fn value_receipt(&mut self, source: AccountId, receipt: DocumentId, price: UnitPrice) -> Result<(), TradeError>;

    /// The owner gives the receipt back for the goods.
    #[call(index = 42)]
    fn surrender_receipt(&mut self, owner: AccountId, receipt: DocumentId) -> Result<(), TradeError>;

    /// The warehouse hands the goods out, which ends the receipt, or returns it.
    #[call(index = 43)]
    fn answer_receipt(&mut self, warehouse: AccountId, receipt: DocumentId, deliver: bool) -> Result<(), TradeError>;

    /// An insurer covers a shipment; the id is [`DocumentId::policy`].
    #[call(index = 44)]
    fn insure_cargo(&mut self, insurer: AccountId, terms: PolicyTerms) -> Result<DocumentId, TradeError>;

    /// The insured, or who owns the goods by the bill of lading now, claims a loss. Answers the claim's number.
    #[call(index = 45)]
    fn claim_loss(
        &mut self,
        claimant: AccountId,
        policy: DocumentId,
        amount: Money,
        occurred: BusinessDate,
        commitment: Hash,
    ) -> Result<u32, TradeError>;

    /// The insurer accepts so much of a claim; nothing refuses it.
    #[call(index = 46)]
    fn answer_claim(
        &mut self,
        insurer: AccountId,
        policy: DocumentId,
        number: u32,
        accepted: Option<Money>,
    ) -> Result<(), TradeError>;

    /// The buyer disputes an invoice against which nothing is certified: it is neither matched nor certified meanwhile. Of a certified one the
    /// certificates are disputed.
    #[call(index = 47)]
    fn dispute_invoice(&mut self, buyer: AccountId, invoice: DocumentId, reason: Hash) -> Result<(), TradeError>;

    /// The buyer ends its dispute: the invoice stands where it stood.
    #[call(index = 48)]
    fn end_dispute(&mut self, buyer: AccountId, invoice: DocumentId) -> Result<(), TradeError>;

    /// The seller withdraws an invoice that is not matched. Its fingerprint stays taken; a matched one is lowered by a credit note.
    #[call(index = 49)]
    fn cancel_invoice(&mut self, seller: AccountId, invoice: DocumentId) -> Result<(), TradeError>;

    /// The owner of a document's salts says that those of this root are destroyed: no field can be shown under it any more. Answers the receipt;
    /// said again, the first one.
    #[call(index = 50)]
    fn erase_salts(&mut self, owner: AccountId, document: DocumentId, commitment: Hash) -> Result<Erasure, TradeError>;

    /// One document. For its parties.
    #[query(index = 0, path = "/documents/{id}")]
    fn document(&self, id: DocumentId) -> Result<Document, TradeError>;

    /// A bill's title with its endorsements from number `from` on. For its parties.
    #[query(index = 1, path = "/titles/{id}")]
    fn title(&self, id: DocumentId, from: Option<u32>) -> Result<TitleView, TradeError>;

    /// The registration of an invoice with this plain fingerprint, or none. For everybody who can compute the fingerprint. It reads one key of
    /// the state, that of the fingerprint under the consortium's key, so that its proof shows the registration, or that there is none; which key
    /// that is, only a holder of the consortium's key can say.
    #[query(index = 2, path = "/fingerprints/{fingerprint}")]
    fn registered(&self, fingerprint: Hash) -> Result<Option<Registration>, TradeError>;

    /// The documents that an account is party to, in order of arrival, from number `from` on. For its member.
    #[query(index = 3, path = "/documents")]
    fn documents(&self, account: AccountId, from: Option<u32>) -> Result<DocumentPage, TradeError>;

    /// The first registration of an invoice with this plain near key (number, seller, buyer), or none; read and provable as a fingerprint is.
    #[query(index = 4, path = "/near-fingerprints/{near}")]
    fn near(&self, near: Hash) -> Result<Option<Registration>, TradeError>;

    /// The review of an invoice that is or was held. For its parties and the platform.
    #[query(index = 5, path = "/reviews/{invoice}")]
    fn review(&self, invoice: DocumentId) -> Result<ReviewView, TradeError>;

    /// All reviews, in order of arrival, from number `from` on. For the platform.
    #[query(index = 6, path = "/reviews")]
    fn reviews(&self, from: Option<u32>) -> Result<ReviewPage, TradeError>;

    /// An order with its history from number `from` on. For its parties.
    #[query(index = 7, path = "/orders/{id}")]
    fn order(&self, id: DocumentId, from: Option<u32>) -> Result<OrderView, TradeError>;

    /// A warehouse receipt with what it is worth today. For its parties.
    #[query(index = 8, path = "/warehouse-receipts/{id}")]
    fn receipt(&self, id: DocumentId) -> Result<ReceiptView, TradeError>;

    /// The salted root of a document's fields, with the receipt that its salts are destroyed. For its owner. It reads one key of the state, so
    /// that its proof shows this record and nothing of the document.
    #[query(index = 9, path = "/commitments/{id}")]
    fn commitment(&self, id: DocumentId) -> Result<Commitment, TradeError>;
}
