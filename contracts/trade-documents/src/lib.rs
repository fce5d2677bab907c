//! What proves that there is a trade behind a claim: orders and what follows from them, bills of lading with their title, customs declarations,
//! certificates of origin, invoices and credit notes, warehouse receipts, cargo policies.
//!
//! Documents stay with their owners; here lie salted commitments, the few fields that rules need, and a register of invoices' fingerprints under
//! the consortium's key, in which each invoice has one place. Must never store a plain fingerprint, a carrier's number, a name or an address.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod bill;
mod carriage;
mod chain;
mod commitment;
mod credit;
mod dates;
mod declaration;
mod invoice;
mod matching;
mod order;
mod origin;
mod policy;
mod review;
mod supply;
mod title;
mod warehouse;

use alloc::vec::Vec;

use portolan_interface::{
    AccountId, BusinessDate, DocumentId, Hash, MemberId, MemberStatus, Money, PAGE, access,
    receivable::api::CONTRACT as RECEIVABLE,
    trade::{
        Amendment, BillTerms, Commitment, CreditTerms, CustomsDecision, DeclarationAmendment, DeclarationTerms,
        Dilution, Document, DocumentKind, DocumentPage, EarlierEndorsement, Endorsement, EndorsementForm, Erasure,
        Evidence, GoodsReceipt, GoodsReturn, Inspection, InvoiceTerms, OrderAnswer, OrderEntry, OrderProposal,
        OrderTerms, OrderView, OriginTerms, PolicyTerms, ReceiptTerms, ReceiptView, Registration, ReviewPage,
        ReviewView, Shipment, SurrenderPurpose, TitleStep, TitleView, TradeDocuments, TradeError, UnitPrice,
    },
};
use portolan_sdk::{ensure, env};

portolan_sdk::storage! {
    /// Every document.
    0 => DOCUMENTS: Map<DocumentId, Document>;
    /// What an account is party to.
    1 => DOCUMENTS_OF: List<AccountId, (DocumentKind, DocumentId)>;
    /// Invoices by their fingerprint, hashed with the consortium's key.
    2 => FINGERPRINTS: Map<Hash, Registration>;
    /// Bills by carrier and number, hashed with the consortium's key.
    3 => BILL_NUMBERS: Map<Hash, DocumentId>;
    /// Endorsement chains, numbered from 0.
    4 => ENDORSEMENTS: Map<(DocumentId, u32), Endorsement>;
    /// The first invoice of each near key, hashed with the consortium's key.
    5 => NEAR: Map<Hash, Registration>;
    /// Every invoice that was ever held for review.
    6 => REVIEWS: List<(), DocumentId>;
    /// Endorsements that a bill brought along from another platform, oldest first.
    7 => EARLIER: Map<DocumentId, Vec<EarlierEndorsement>>;
    /// Histories of orders, numbered from 0.
    8 => STEPS: Map<(DocumentId, u32), OrderEntry>;
    /// Salted roots of documents' fields, with who keeps the salts.
    9 => COMMITMENTS: Map<DocumentId, Commitment>;
}

// Every message is a function of its own: put together in the dispatcher they would exceed what the VM takes as one function (64 KiB).
struct Contract;

portolan_sdk::export!(Contract, portolan_interface::trade::api);

impl TradeDocuments for Contract {
    #[inline(never)]
    fn offer_order(&mut self, buyer: AccountId, terms: OrderTerms) -> Result<DocumentId, TradeError> {
        order::offer(buyer, terms)
    }

    #[inline(never)]
    fn answer_order(&mut self, seller: AccountId, order: DocumentId, answer: OrderAnswer) -> Result<(), TradeError> {
        order::answer(seller, order, answer)
    }

    #[inline(never)]
    fn issue_bill(&mut self, carrier: AccountId, terms: BillTerms) -> Result<DocumentId, TradeError> {
        bill::issue(carrier, terms)
    }

    #[inline(never)]
    fn nominate(
        &mut self,
        beneficiary: AccountId,
        bill: DocumentId,
        nominee: Option<AccountId>,
        step: TitleStep,
    ) -> Result<(), TradeError> {
        title::nominate(beneficiary, bill, nominee, step)
    }

    #[inline(never)]
    fn transfer_holder(
        &mut self,
        holder: AccountId,
        bill: DocumentId,
        to: AccountId,
        step: TitleStep,
    ) -> Result<(), TradeError> {
        title::transfer_holder(holder, bill, to, step)
    }

    #[inline(never)]
    fn transfer_beneficiary(&mut self, holder: AccountId, bill: DocumentId, step: TitleStep) -> Result<(), TradeError> {
        title::transfer_beneficiary(holder, bill, step)
    }

    #[inline(never)]
    fn endorse(
        &mut self,
        owner: AccountId,
        bill: DocumentId,
        form: EndorsementForm,
        step: TitleStep,
    ) -> Result<(), TradeError> {
        title::endorse(owner, bill, form, step)
    }

    #[inline(never)]
    fn reject_title(&mut self, receiver: AccountId, bill: DocumentId, step: TitleStep) -> Result<(), TradeError> {
        title::reject(receiver, bill, step)
    }

    #[inline(never)]
    fn surrender(
        &mut self,
        owner: AccountId,
        bill: DocumentId,
        purpose: SurrenderPurpose,
        step: TitleStep,
    ) -> Result<(), TradeError> {
        carriage::surrender(owner, bill, purpose, step)
    }

    #[inline(never)]
    fn answer_surrender(
        &mut self,
        carrier: AccountId,
        bill: DocumentId,
        accept: bool,
        step: TitleStep,
    ) -> Result<(), TradeError> {
        carriage::answer_surrender(carrier, bill, accept, step)
    }

    #[inline(never)]
    fn lodge_declaration(&mut self, declarant: AccountId, terms: DeclarationTerms) -> Result<DocumentId, TradeError> {
        declaration::lodge(declarant, terms)
    }

    #[inline(never)]
    fn decide_declaration(
        &mut self,
        customs: AccountId,
        declaration: DocumentId,
        decision: CustomsDecision,
    ) -> Result<(), TradeError> {
        declaration::decide(customs, declaration, decision)
    }

    #[inline(never)]
    fn register_invoice(&mut self, registrant: AccountId, terms: InvoiceTerms) -> Result<DocumentId, TradeError> {
        invoice::register(registrant, terms)
    }

    #[inline(never)]
    fn match_invoice(&mut self, party: AccountId, invoice: DocumentId) -> Result<(), TradeError> {
        matching::match_documents(party, invoice)
    }

    #[inline(never)]
    fn certify(
        &mut self,
        invoice: DocumentId,
        debtor: AccountId,
        creditor: AccountId,
        face: Money,
    ) -> Result<(u32, Evidence), TradeError> {
        ensure!(access::called_by(RECEIVABLE), TradeError::NotTrusted);
        invoice::certify(invoice, debtor, creditor, face)
    }

    #[inline(never)]
    fn release(&mut self, invoice: DocumentId, face: Money) -> Result<(), TradeError> {
        ensure!(access::called_by(RECEIVABLE), TradeError::NotTrusted);
        invoice::release(invoice, face)
    }

    #[inline(never)]
    fn settle(&mut self, invoice: DocumentId, face: Money) -> Result<(), TradeError> {
        ensure!(access::called_by(RECEIVABLE), TradeError::NotTrusted);
        invoice::settle(invoice, face)
    }

    #[inline(never)]
    fn review_invoice(&mut self, reviewer: AccountId, invoice: DocumentId, release: bool) -> Result<(), TradeError> {
        review::judge(reviewer, invoice, release)
    }

    #[inline(never)]
    fn present_title(
        &mut self,
        presenter: AccountId,
        bill: DocumentId,
        signature: [u8; 65],
        step: TitleStep,
    ) -> Result<(), TradeError> {
        title::present(presenter, bill, &signature, step)
    }

    #[inline(never)]
    fn pledge_title(
        &mut self,
        owner: AccountId,
        bill: DocumentId,
        bank: AccountId,
        step: TitleStep,
    ) -> Result<(), TradeError> {
        title::pledge(owner, bill, bank, step)
    }

    #[inline(never)]
    fn release_title(&mut self, bank: AccountId, bill: DocumentId, step: TitleStep) -> Result<(), TradeError> {
        title::release(bank, bill, step)
    }

    #[inline(never)]
    fn propose_amendment(
        &mut self,
        carrier: AccountId,
        bill: DocumentId,
        amendment: Amendment,
        step: TitleStep,
    ) -> Result<(), TradeError> {
        carriage::propose_amendment(carrier, bill, amendment, step)
    }

    #[inline(never)]
    fn answer_amendment(
        &mut self,
        party: AccountId,
        bill: DocumentId,
        consent: bool,
        step: TitleStep,
    ) -> Result<(), TradeError> {
        carriage::answer_amendment(party, bill, consent, step)
    }

    #[inline(never)]
    fn give_indemnity(
        &mut self,
        giver: AccountId,
        bill: DocumentId,
        letter: Hash,
        step: TitleStep,
    ) -> Result<(), TradeError> {
        carriage::give_indemnity(giver, bill, letter, step)
    }

    #[inline(never)]
    fn deliver(
        &mut self,
        carrier: AccountId,
        bill: DocumentId,
        to: AccountId,
        step: TitleStep,
    ) -> Result<(), TradeError> {
        carriage::deliver(carrier, bill, to, step)
    }

    #[inline(never)]
    fn propose_order(
        &mut self,
        party: AccountId,
        order: DocumentId,
        proposal: OrderProposal,
    ) -> Result<(), TradeError> {
        order::propose(party, order, proposal)
    }

    #[inline(never)]
    fn answer_proposal(&mut self, party: AccountId, order: DocumentId, consent: bool) -> Result<(), TradeError> {
        order::answer_proposal(party, order, consent)
    }

    #[inline(never)]
    fn ship_goods(&mut self, seller: AccountId, order: DocumentId, shipment: Shipment) -> Result<(), TradeError> {
        supply::ship(seller, order, shipment)
    }

    #[inline(never)]
    fn receive_goods(&mut self, buyer: AccountId, order: DocumentId, receipt: GoodsReceipt) -> Result<(), TradeError> {
        supply::receive(buyer, order, receipt)
    }

    #[inline(never)]
    fn inspect_goods(
        &mut self,
        inspector: AccountId,
        order: DocumentId,
        inspection: Inspection,
    ) -> Result<(), TradeError> {
        supply::inspect(inspector, order, inspection)
    }

    #[inline(never)]
    fn return_goods(&mut self, buyer: AccountId, order: DocumentId, goods: GoodsReturn) -> Result<(), TradeError> {
        supply::send_back(buyer, order, goods)
    }

    #[inline(never)]
    fn propose_credit(&mut self, party: AccountId, terms: CreditTerms) -> Result<DocumentId, TradeError> {
        credit::propose(party, terms)
    }

    #[inline(never)]
    fn answer_credit(&mut self, party: AccountId, credit: DocumentId, agree: bool) -> Result<(), TradeError> {
        credit::answer(party, credit, agree)
    }

    #[inline(never)]
    fn credit(&mut self, credit: DocumentId, live: Money) -> Result<Dilution, TradeError> {
        ensure!(access::called_by(RECEIVABLE), TradeError::NotTrusted);
        credit::dilute(credit, live)
    }

    #[inline(never)]
    fn amend_declaration(
        &mut self,
        declarant: AccountId,
        declaration: DocumentId,
        amendment: DeclarationAmendment,
    ) -> Result<(), TradeError> {
        declaration::amend(declarant, declaration, amendment)
    }

    #[inline(never)]
    fn certify_origin(&mut self, issuer: AccountId, terms: OriginTerms) -> Result<DocumentId, TradeError> {
        origin::certify(issuer, terms)
    }

    #[inline(never)]
    fn revoke_origin(&mut self, issuer: AccountId, origin: DocumentId) -> Result<(), TradeError> {
        origin::revoke(issuer, origin)
    }

    #[inline(never)]
    fn issue_receipt(&mut self, warehouse: AccountId, terms: ReceiptTerms) -> Result<DocumentId, TradeError> {
        warehouse::issue(warehouse, terms)
    }

    #[inline(never)]
    fn split_receipt(
        &mut self,
        owner: AccountId,
        receipt: DocumentId,
        units: Vec<u64>,
    ) -> Result<Vec<DocumentId>, TradeError> {
        warehouse::split(owner, receipt, &units)
    }

    #[inline(never)]
    fn pledge_receipt(&mut self, owner: AccountId, receipt: DocumentId, bank: AccountId) -> Result<(), TradeError> {
        warehouse::pledge(owner, receipt, bank)
    }

    #[inline(never)]
    fn release_receipt(&mut self, bank: AccountId, receipt: DocumentId) -> Result<(), TradeError> {
        warehouse::release(bank, receipt)
    }

    #[inline(never)]
    fn value_receipt(&mut self, source: AccountId, receipt: DocumentId, price: UnitPrice) -> Result<(), TradeError> {
        warehouse::value(source, receipt, price)
    }

    #[inline(never)]
    fn surrender_receipt(&mut self, owner: AccountId, receipt: DocumentId) -> Result<(), TradeError> {
        warehouse::surrender(owner, receipt)
    }

    #[inline(never)]
    fn answer_receipt(&mut self, warehouse: AccountId, receipt: DocumentId, deliver: bool) -> Result<(), TradeError> {
        warehouse::answer(warehouse, receipt, deliver)
    }

    #[inline(never)]
    fn insure_cargo(&mut self, insurer: AccountId, terms: PolicyTerms) -> Result<DocumentId, TradeError> {
        policy::insure(insurer, terms)
    }

    #[inline(never)]
    fn claim_loss(
        &mut self,
        claimant: AccountId,
        policy: DocumentId,
        amount: Money,
        occurred: BusinessDate,
        commitment: Hash,
    ) -> Result<u32, TradeError> {
        policy::claim(claimant, policy, amount, occurred, commitment)
    }

    #[inline(never)]
    fn answer_claim(
        &mut self,
        insurer: AccountId,
        policy: DocumentId,
        number: u32,
        accepted: Option<Money>,
    ) -> Result<(), TradeError> {
        policy::answer(insurer, policy, number, accepted)
    }

    #[inline(never)]
    fn dispute_invoice(&mut self, buyer: AccountId, invoice: DocumentId, reason: Hash) -> Result<(), TradeError> {
        invoice::dispute(buyer, invoice, reason)
    }

    #[inline(never)]
    fn end_dispute(&mut self, buyer: AccountId, invoice: DocumentId) -> Result<(), TradeError> {
        invoice::end_dispute(buyer, invoice)
    }

    #[inline(never)]
    fn cancel_invoice(&mut self, seller: AccountId, invoice: DocumentId) -> Result<(), TradeError> {
        invoice::cancel(seller, invoice)
    }

    #[inline(never)]
    fn erase_salts(&mut self, owner: AccountId, document: DocumentId, commitment: Hash) -> Result<Erasure, TradeError> {
        commitment::erase(owner, document, commitment)
    }

    fn document(&self, id: DocumentId) -> Result<Document, TradeError> {
        let document = DOCUMENTS.get(&id).ok_or(TradeError::UnknownDocument)?;
        ensure!(may_read(&document), TradeError::NotParty);
        Ok(document)
    }

    fn title(&self, id: DocumentId, from: Option<u32>) -> Result<TitleView, TradeError> {
        let bill = bill::load(id)?;
        ensure!(access::may_read(&bill::parties(&bill)), TradeError::NotParty);
        let from = from.unwrap_or(0);
        let end = bill.endorsements.min(from.saturating_add(PAGE));
        let endorsements = (from..end).filter_map(|number| ENDORSEMENTS.get(&(id, number))).collect();
        Ok(TitleView { bill, earlier: EARLIER.get(&id).unwrap_or_default(), endorsements })
    }

    fn order(&self, id: DocumentId, from: Option<u32>) -> Result<OrderView, TradeError> {
        let order = order::load(id)?;
        ensure!(access::may_read(&[order.buyer, order.terms.seller]), TradeError::NotParty);
        let from = from.unwrap_or(0);
        let end = order.steps.min(from.saturating_add(PAGE));
        let steps = (from..end).filter_map(|number| STEPS.get(&(id, number))).collect();
        Ok(OrderView { order, steps })
    }

    fn receipt(&self, id: DocumentId) -> Result<ReceiptView, TradeError> {
        let receipt = warehouse::load(id)?;
        ensure!(access::may_read(&warehouse::parties(&receipt)), TradeError::NotParty);
        warehouse::view(receipt)
    }

    fn commitment(&self, id: DocumentId) -> Result<Commitment, TradeError> {
        commitment::view(id)
    }

    fn registered(&self, fingerprint: Hash) -> Result<Option<Registration>, TradeError> {
        Ok(FINGERPRINTS.get(&invoice::fingerprint_key(fingerprint)))
    }

    fn near(&self, near: Hash) -> Result<Option<Registration>, TradeError> {
        Ok(NEAR.get(&invoice::near_key(near)))
    }

    fn review(&self, invoice: DocumentId) -> Result<ReviewView, TradeError> {
        review::view(invoice)
    }

    fn reviews(&self, from: Option<u32>) -> Result<ReviewPage, TradeError> {
        review::page(from.unwrap_or(0))
    }

    fn documents(&self, account: AccountId, from: Option<u32>) -> Result<DocumentPage, TradeError> {
        ensure!(access::may_read(&[account]), TradeError::NotParty);
        Ok(DocumentPage {
            count: DOCUMENTS_OF.len(&account),
            documents: DOCUMENTS_OF.page(&account, from.unwrap_or(0), PAGE),
        })
    }
}

fn may_read(document: &Document) -> bool {
    match document {
        Document::Order(order) => access::may_read(&[order.buyer, order.terms.seller]),
        Document::BillOfLading(bill) => access::may_read(&bill::parties(bill)),
        Document::Declaration(declaration) => {
            access::may_read(&[declaration.declarant]) || access::may_read_of(declaration.terms.customs)
        }
        Document::Invoice(invoice) => access::may_read(&[invoice.seller, invoice.buyer]),
        Document::CreditNote(note) => access::may_read(&[note.seller, note.buyer]),
        Document::Origin(origin) => access::may_read(&[origin.issuer, origin.exporter, origin.importer]),
        Document::WarehouseReceipt(receipt) => access::may_read(&warehouse::parties(receipt)),
        Document::Policy(policy) => access::may_read(&policy::parties(policy)),
    }
}

/// Brings a new document, whose salts `owner` keeps.
fn bring(owner: AccountId, id: DocumentId, document: &Document, parties: &[AccountId]) -> Result<(), TradeError> {
    enter(id, document, parties)?;
    commitment::record(id, kind_of(document), owner, commitment::of(document))
}

/// Stores a new document and enters it in the lists of its parties.
fn enter(id: DocumentId, document: &Document, parties: &[AccountId]) -> Result<(), TradeError> {
    ensure!(!DOCUMENTS.contains(&id), TradeError::DuplicateDocument);
    DOCUMENTS.set(&id, document);
    let kind = kind_of(document);
    for (position, party) in parties.iter().enumerate() {
        if !parties.iter().take(position).any(|earlier| earlier == party) {
            DOCUMENTS_OF.push(party, &(kind, id));
        }
    }
    Ok(())
}

fn kind_of(document: &Document) -> DocumentKind {
    match document {
        Document::Order(_) => DocumentKind::Order,
        Document::BillOfLading(_) => DocumentKind::BillOfLading,
        Document::Declaration(_) => DocumentKind::Declaration,
        Document::Invoice(_) => DocumentKind::Invoice,
        Document::CreditNote(_) => DocumentKind::CreditNote,
        Document::Origin(_) => DocumentKind::Origin,
        Document::WarehouseReceipt(_) => DocumentKind::WarehouseReceipt,
        Document::Policy(_) => DocumentKind::Policy,
    }
}

fn load(id: DocumentId) -> Result<Document, TradeError> {
    DOCUMENTS.get(&id).ok_or(TradeError::UnknownDocument)
}

fn wrong_kind(found: &Document, needed: DocumentKind) -> TradeError {
    TradeError::WrongKind { found: kind_of(found), needed }
}

fn authorise(account: AccountId, action: &str) -> Result<(), TradeError> {
    env::authorize(account, action, *b"XXX", 0).map_err(TradeError::Unauthorized)
}

fn standing(account: AccountId) -> Result<(MemberId, MemberStatus), TradeError> {
    access::standing(account).ok_or(TradeError::UnknownAccount)
}

/// The member of an account that begins something.
fn committing(account: AccountId) -> Result<MemberId, TradeError> {
    let (member, status) = standing(account)?;
    ensure!(access::may_commit(status), TradeError::MemberNotActive { status });
    Ok(member)
}

/// The member of an account to which something comes.
fn receiving(account: AccountId) -> Result<MemberId, TradeError> {
    let (member, status) = standing(account)?;
    ensure!(access::may_receive(status), TradeError::MemberNotActive { status });
    Ok(member)
}

fn positive(amount: Money) -> Result<(), TradeError> {
    amount.currency.exponent().map_err(TradeError::Terms)?;
    ensure!(amount.is_positive(), TradeError::AmountNotPositive);
    Ok(())
}
