//! What the members do while the faults go on: trade, certificates, splits, transfers, financing, the date that moves on, and
//! changes of the validator set and of contracts. Some of it contradicts itself on purpose: two splits of one part, two financings of one invoice.
//!
//! What comes next is read from the chain, never from a memory of what should be there. Must never decide whether what the
//! chain answers is right; that is `checks`.

use std::collections::BTreeMap;
use std::sync::Arc;

use codec::{DecodeAll, Encode};
use portolan_interface::financing::{self, OfferTerms};
use portolan_interface::receivable::{
    self, Certificate, CertificateState, CertificateTerms, Part, PartPage, PartState, Recourse,
};
use portolan_interface::settlement;
use portolan_interface::trade::{self, Incoterm, InvoiceTerms, OrderAnswer, OrderTerms};
use portolan_interface::{
    AccountId, BusinessDate, CertificateId, Convention, DayCount, DocumentId, FinancingId, Hash, MemberId, Money, Ppm,
};
use portolan_primitives as chain;
use portolan_primitives::hash::hash_encoded;
use portolan_primitives::{Call, Caller, ContractId, Domain, Transaction, TransactionId, Validator};
use portolan_runtime::native::Native;
use portolan_runtime::native::clock::messages::Call as ClockCall;
use portolan_runtime::native::contracts::ContractView;
use portolan_runtime::native::contracts::messages::Query as ContractsQuery;
use portolan_runtime::native::governance::Action;
use portolan_runtime::native::governance::messages::Call as Govern;
use portolan_runtime::{BaseView, ChainHead, Ledger, facts};

use crate::consortium::{Consortium, TRADERS, member_name};
use crate::random::Random;
use crate::tally;

/// Cases under way at a time.
const MAX_CASES: usize = 6;
/// Gas of a question.
const ASK_GAS: u64 = 2_000_000_000;
/// Gas of what governance does: it carries and judges contracts' code.
const GOVERN_GAS: u64 = 900_000_000;
/// Smallest part that is split, minor units.
const SPLITTABLE: i128 = 1_000;
/// A step whose transaction is not final after so long is taken once more, µs.
const PATIENCE_US: u64 = 3_000_000;
/// Which of the domain's contracts gets other code.
pub const UPGRADED: &str = "receivable";
const CURRENCY: &str = "CNY";

/// A state that a node committed, to be asked.
pub struct Reference {
    /// Of which chain.
    pub consortium: Arc<Consortium>,
    /// The last block.
    pub head: ChainHead,
    /// The state after it.
    pub view: BaseView,
}

impl Reference {
    /// What a contract answers, if it does.
    pub fn ask<T: DecodeAll>(&self, contract: &str, question: &impl Encode) -> Option<T> {
        let (view, contract) = (self.view.clone(), ContractId::from_name(contract));
        let runtime = &self.consortium.runtime;
        let answer = runtime.query(view, &self.head, contract, &question.encode(), Caller::Operator, ASK_GAS);
        let bytes = answer.expect("the machine answers questions").result.ok()?;
        Some(T::decode_all(&mut &bytes[..]).expect("an answer is of its question's type"))
    }

    /// The version of a contract; 0 before it is deployed.
    pub fn version(&self, contract: &str) -> u32 {
        let question = ContractsQuery::Contract { name: contract.into() };
        self.ask(Native::Contracts.name(), &question).map_or(0, |view: ContractView| view.version)
    }

    /// The business date.
    pub fn today(&self) -> chain::BusinessDate {
        facts::cursor(&mut Ledger::new(self.view.clone())).expect("the state has a date").date
    }

    /// Who certifies the next block.
    pub fn validators(&self) -> Vec<Validator> {
        let set = facts::validators(&mut Ledger::new(self.view.clone()), self.head.header.height.next());
        set.expect("the state has validators").validators().to_vec()
    }
}

/// An invoice and what is made of it.
pub struct Case {
    lines: Hash,
    commitment: Hash,
    face: i128,
    stage: Stage,
    waits: Option<(TransactionId, u64)>,
}

/// What comes next for an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The buyer offers the order.
    Order,
    /// The seller answers.
    Answer,
    /// The seller registers and matches the invoice.
    Invoice,
    /// The buyer issues the certificate.
    Issue,
    /// The seller accepts it.
    Accept,
    /// The certificate is in force.
    Live,
}

impl Stage {
    fn next(self) -> Self {
        match self {
            Self::Order => Self::Answer,
            Self::Answer => Self::Invoice,
            Self::Invoice => Self::Issue,
            Self::Issue => Self::Accept,
            Self::Accept | Self::Live => Self::Live,
        }
    }
}

impl Case {
    /// Before its order.
    pub fn new(random: &mut Random, face: i128) -> Self {
        let (lines, commitment) = (drawn(random), drawn(random));
        Self { lines, commitment, face, stage: Stage::Order, waits: None }
    }

    fn order(&self) -> DocumentId {
        DocumentId::order(account("buyer"), account("seller"), self.lines)
    }

    fn invoice(&self) -> DocumentId {
        DocumentId::invoice(account("seller"), self.commitment)
    }

    /// The certificate's id, from the stage on in which it is issued.
    pub fn certificate(&self) -> CertificateId {
        CertificateId::against(self.invoice(), 0)
    }

    /// What comes next.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The last step was done.
    pub fn pass(&mut self) {
        self.stage = self.stage.next();
    }

    /// Who makes the next step, and its calls.
    pub fn step(&self, today: BusinessDate, random: &mut Random) -> (&'static str, Vec<Call>) {
        let (buyer, seller) = (account("buyer"), account("seller"));
        let later = |days: i32| BusinessDate(today.0 + days);
        match self.stage {
            Stage::Order => {
                let terms = OrderTerms {
                    seller,
                    lines: self.lines,
                    total: money(self.face),
                    deliver_from: today,
                    deliver_until: later(60),
                    incoterm: Incoterm::Exw,
                    cross_border: false,
                    quantity: None,
                    tolerance_class: 0,
                };
                ("buyer", vec![message(trade::api::NAME, &trade::api::Call::OfferOrder { buyer, terms })])
            }
            Stage::Answer => {
                let answer = OrderAnswer::Accept;
                let call = trade::api::Call::AnswerOrder { seller, order: self.order(), answer };
                ("seller", vec![message(trade::api::NAME, &call)])
            }
            Stage::Invoice => {
                let terms = InvoiceTerms {
                    issued: today,
                    due: Some(later(30)),
                    payable: money(self.face),
                    tax_minor: 0,
                    seller,
                    buyer,
                    order: self.order(),
                    quantity: None,
                    bill: None,
                    declaration: None,
                    fingerprint: self.lines,
                    near: self.lines,
                    commitment: self.commitment,
                };
                let register = trade::api::Call::RegisterInvoice { registrant: seller, terms };
                let matching = trade::api::Call::MatchInvoice { party: seller, invoice: self.invoice() };
                ("seller", vec![message(trade::api::NAME, &register), message(trade::api::NAME, &matching)])
            }
            Stage::Issue => {
                let terms = CertificateTerms {
                    creditor: seller,
                    face: money(self.face),
                    maturity: later(random.between(8, 25) as i32),
                    convention: Convention::Following,
                    calendar: "demo".into(),
                    grace_days: 0,
                    recourse_default: Recourse::Without,
                    transferable: true,
                    splittable: true,
                    bank: MemberId(chain::MemberId::from_name("bank").0),
                    invoice: self.invoice(),
                    accept_until: later(6),
                };
                ("buyer", vec![message(receivable::api::NAME, &receivable::api::Call::Issue { debtor: buyer, terms })])
            }
            Stage::Accept | Stage::Live => {
                let call = receivable::api::Call::Accept { creditor: seller, certificate: self.certificate() };
                ("seller", vec![message(receivable::api::NAME, &call)])
            }
        }
    }
}

/// A request for finance on its way.
#[derive(Clone, Copy)]
struct Request {
    id: FinancingId,
    borrower: &'static str,
    offered: bool,
}

/// A proposal on its way.
struct Proposal {
    id: chain::Hash,
    action_hash: chain::Hash,
    left: Vec<usize>,
}

/// What a final transaction leads to.
enum Follow {
    Serve,
    Case(u64),
    Requested(Request),
    Offered(FinancingId),
    Proposed(Proposal),
    Tallied,
    Nothing,
}

/// The members' doings.
pub struct Traffic {
    consortium: Arc<Consortium>,
    governance: Governance,
    upgrades: bool,
    tallied: u64,
    served: bool,
    cases: BTreeMap<u64, Case>,
    begun: u64,
    certificates: Vec<(DocumentId, CertificateId)>,
    requests: Vec<Request>,
    proposal: Option<Proposal>,
    follow: BTreeMap<TransactionId, Follow>,
}

/// What the members may change about their validators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Governance {
    /// Nothing.
    Nothing,
    /// Weights of those before this one, so that the faulty never have a third.
    Weights(usize),
    /// Weights, and who takes part.
    Everything,
}

impl Traffic {
    /// Before the first transaction.
    pub fn new(consortium: Arc<Consortium>, governance: Governance, upgrades: bool) -> Self {
        Self {
            consortium,
            governance,
            upgrades,
            tallied: 0,
            served: false,
            cases: BTreeMap::new(),
            begun: 0,
            certificates: Vec::new(),
            requests: Vec::new(),
            proposal: None,
            follow: BTreeMap::new(),
        }
    }

    /// Certificates that may be on the chain, with their invoices.
    pub fn certificates(&self) -> &[(DocumentId, CertificateId)] {
        &self.certificates
    }

    /// Calls that the contract which is upgraded should have counted.
    pub fn tallied(&self) -> u64 {
        self.tallied
    }

    /// A block is final: what came of its transactions.
    pub fn done(&mut self, outcomes: impl Iterator<Item = (TransactionId, bool)>) {
        for (id, succeeded) in outcomes {
            match self.follow.remove(&id) {
                Some(Follow::Case(number)) => self.case_done(number, &id, succeeded),
                Some(Follow::Serve) => self.served |= succeeded,
                Some(Follow::Requested(request)) if succeeded => self.requests.push(request),
                Some(Follow::Offered(financing)) if succeeded => {
                    self.requests
                        .iter_mut()
                        .filter(|request| request.id == financing)
                        .for_each(|one| one.offered = true);
                }
                Some(Follow::Proposed(proposal)) if succeeded => self.proposal = Some(proposal),
                Some(Follow::Tallied) if succeeded => self.tallied += 1,
                _ => {}
            }
        }
    }

    fn case_done(&mut self, number: u64, id: &TransactionId, succeeded: bool) {
        let Some(case) = self.cases.get_mut(&number).filter(|case| case.waits.is_some_and(|(waits, _)| waits == *id))
        else {
            return;
        };
        case.waits = None;
        case.pass();
        // The date went on meanwhile, or the like: another one is begun.
        if !succeeded {
            self.cases.remove(&number);
        }
    }

    /// A transaction that the chain takes at any time.
    pub fn harmless(&self, random: &mut Random, now_us: u64) -> Transaction {
        let cap = money(i128::MAX / 4 - i128::from(random.below(1 << 40)));
        let call = settlement::api::Call::Serve { bank_account: account("bank"), cap };
        self.signed(random, now_us, "bank", "main", vec![message(settlement::api::NAME, &call)])
    }

    /// The next transaction, if anybody has anything to do.
    pub fn next(&mut self, random: &mut Random, now_us: u64, chain: &Reference) -> Option<Transaction> {
        if !self.served {
            let transaction = self.harmless(random, now_us);
            self.follow.insert(transaction.body.id(), Follow::Serve);
            return Some(transaction);
        }
        match random.below(100) {
            0..5 => Some(self.advance(random, now_us, chain)),
            5..12 => Some(self.fund(random, now_us)),
            12..16 if self.governance != Governance::Nothing => self.govern(random, now_us, chain),
            16..26 => self.finance(random, now_us, chain),
            26..40 if self.upgrades => self.govern(random, now_us, chain),
            40..50 if self.upgrades => Some(self.tally(random, now_us)),
            _ => self.trade(random, now_us, chain),
        }
    }

    fn signed(&self, random: &mut Random, now_us: u64, member: &str, account: &str, calls: Vec<Call>) -> Transaction {
        self.consortium.transaction(random, crate::consortium::EPOCH_MS + now_us / 1_000, member, account, calls)
    }

    fn send(&mut self, random: &mut Random, now_us: u64, member: &str, call: Call, follow: Follow) -> Transaction {
        let transaction = self.signed(random, now_us, member, "main", vec![call]);
        self.follow.insert(transaction.body.id(), follow);
        transaction
    }

    fn advance(&mut self, random: &mut Random, now_us: u64, chain: &Reference) -> Transaction {
        let date = chain.today().plus_days(random.between(1, 6) as i32);
        let call = Call { contract: Native::Clock.id(), input: ClockCall::AdvanceTo { date }.encode() };
        self.send(random, now_us, "platform", call, Follow::Nothing)
    }

    /// The buyer's money; now and then too little, so that certificates fall overdue.
    fn fund(&mut self, random: &mut Random, now_us: u64) -> Transaction {
        let call = settlement::api::Call::Issue {
            bank_account: account("bank"),
            to: account("buyer"),
            amount: money(i128::from(random.between(1_000, 400_000))),
            reference: drawn(random),
        };
        self.send(random, now_us, "bank", message(settlement::api::NAME, &call), Follow::Nothing)
    }

    // ---- invoices and certificates ----

    fn trade(&mut self, random: &mut Random, now_us: u64, chain: &Reference) -> Option<Transaction> {
        if self.cases.len() < MAX_CASES && (self.cases.is_empty() || random.chance(150_000)) {
            self.begun += 1;
            let face = i128::from(random.between(10_000, 500_000));
            self.cases.insert(self.begun, Case::new(random, face));
        }
        let numbers: Vec<u64> = self.cases.keys().copied().collect();
        let number = *random.pick(&numbers)?;
        let case = &self.cases[&number];
        if case.stage == Stage::Live {
            return self.live(random, now_us, chain, number);
        }
        if case.waits.is_some_and(|(_, since)| now_us < since + PATIENCE_US) {
            return None;
        }
        let today = BusinessDate(chain.today().0);
        let (member, calls) = case.step(today, random);
        if case.stage == Stage::Issue {
            self.certificates.push((case.invoice(), case.certificate()));
        }
        let transaction = self.signed(random, now_us, member, "main", calls);
        let id = transaction.body.id();
        if let Some(case) = self.cases.get_mut(&number) {
            case.waits = Some((id, now_us));
        }
        self.follow.insert(id, Follow::Case(number));
        Some(transaction)
    }

    /// Something with a leaf of a certificate that is in force.
    fn live(&mut self, random: &mut Random, now_us: u64, chain: &Reference, number: u64) -> Option<Transaction> {
        let certificate = self.cases[&number].certificate();
        let found: Certificate =
            chain.ask(receivable::api::NAME, &receivable::api::Query::Certificate { id: certificate })?;
        if matches!(found.state, CertificateState::Settled | CertificateState::Refused | CertificateState::Expired) {
            self.cases.remove(&number);
            return None;
        }
        let page: PartPage =
            chain.ask(receivable::api::NAME, &receivable::api::Query::Parts { id: certificate, from: None })?;
        let leaves: Vec<Part> =
            page.parts.into_iter().filter(|part| matches!(part.state, PartState::Live | PartState::Offered)).collect();
        let Some(part) = random.pick(&leaves) else {
            let call = receivable::api::Call::Collect { certificate };
            return Some(self.send(random, now_us, "tier-3", message(receivable::api::NAME, &call), Follow::Nothing));
        };
        let (member, call) = match part.state {
            PartState::Offered => answer_offer(part, random)?,
            _ if random.chance(250_000) => return self.request(random, now_us, part),
            _ => part_of(part, BusinessDate(chain.today().0), random)?,
        };
        Some(self.send(random, now_us, member, message(receivable::api::NAME, &call), Follow::Nothing))
    }

    // ---- financing ----

    fn request(&mut self, random: &mut Random, now_us: u64, part: &Part) -> Option<Transaction> {
        let borrower = trader(part.holder)?;
        let call = financing::api::Call::Request { borrower: part.holder, part: part.id };
        let call = message(financing::api::NAME, &call);
        let transaction = self.signed(random, now_us, borrower, "main", vec![call]);
        let id = FinancingId::requested(Hash(transaction.body.id().0), part.id);
        self.follow.insert(transaction.body.id(), Follow::Requested(Request { id, borrower, offered: false }));
        Some(transaction)
    }

    fn finance(&mut self, random: &mut Random, now_us: u64, chain: &Reference) -> Option<Transaction> {
        let place = random.below(self.requests.len() as u64) as usize;
        let Request { id, borrower, offered } = *self.requests.get(place)?;
        if offered {
            self.requests.remove(place);
            let call = financing::api::Call::Accept { borrower: account(borrower), financing: id, offer: 0 };
            let follow = Follow::Nothing;
            return Some(self.send(random, now_us, borrower, message(financing::api::NAME, &call), follow));
        }
        let terms = OfferTerms {
            rate: Ppm(43_500),
            day_count: DayCount::Act360,
            fee: money(0),
            recourse: Recourse::With,
            expires: BusinessDate(chain.today().plus_days(3).0),
            registry_reference: Some(format!("REG{now_us}")),
        };
        let call = financing::api::Call::Offer { funder: account("bank"), financing: id, terms };
        Some(self.send(random, now_us, "bank", message(financing::api::NAME, &call), Follow::Offered(id)))
    }

    // ---- validators and contracts ----

    fn govern(&mut self, random: &mut Random, now_us: u64, chain: &Reference) -> Option<Transaction> {
        if let Some(proposal) = &mut self.proposal {
            let place = random.below(proposal.left.len() as u64) as usize;
            let identity = proposal.left.swap_remove(place);
            let approve = Govern::Approve { proposal: proposal.id, action_hash: proposal.action_hash };
            if proposal.left.is_empty() {
                self.proposal = None;
            }
            return Some(self.governed(random, now_us, identity, &approve));
        }
        let action = self.action(random, chain)?;
        let action_hash = hash_encoded(Domain::Proposal, &action);
        let propose = Govern::Propose { title: "a change".into(), action, days: None };
        let transaction = self.governed(random, now_us, 0, &propose);
        let proposer = self.consortium.member(0);
        let id = hash_encoded(Domain::Proposal, &(transaction.body.id(), proposer, action_hash));
        let left = (1..self.consortium.validators).collect();
        self.follow.insert(transaction.body.id(), Follow::Proposed(Proposal { id, action_hash, left }));
        Some(transaction)
    }

    fn governed(&self, random: &mut Random, now_us: u64, identity: usize, message: &Govern) -> Transaction {
        let call = Call { contract: Native::Governance.id(), input: message.encode() };
        let member = member_name(identity, self.consortium.validators);
        let now_ms = crate::consortium::EPOCH_MS + now_us / 1_000;
        self.consortium.transaction_with(random, now_ms, &member, "admin", vec![call], GOVERN_GAS)
    }

    fn tally(&mut self, random: &mut Random, now_us: u64) -> Transaction {
        let call = Call { contract: ContractId::from_name(tally::NAME), input: vec![] };
        self.send(random, now_us, "platform", call, Follow::Tallied)
    }

    /// What is proposed next.
    fn action(&self, random: &mut Random, chain: &Reference) -> Option<Action> {
        if self.upgrades && (self.governance == Governance::Nothing || random.chance(500_000)) {
            return self.other_code(random, chain);
        }
        let validators = self.other_set(random, &chain.validators())?;
        Some(Action::SetValidators { validators })
    }

    /// A contract's next version: of the one that counts, which migrates, or of one of the domain's.
    fn other_code(&self, random: &mut Random, chain: &Reference) -> Option<Action> {
        let name = if random.chance(700_000) { tally::NAME } else { UPGRADED };
        let version = chain.version(name);
        if name != tally::NAME {
            let code = tally::rebuilt(name, version + 1)?;
            return Some(Action::UpgradeContract { name: name.into(), code, migrate: vec![] });
        }
        if version == 0 {
            return Some(Action::DeployContract { name: name.into(), code: tally::code(1), instantiate: vec![] });
        }
        // Now and then a form that can't be made of the present one: its migration fails, and nothing may change.
        let next = if random.chance(200_000) { version + 2 } else { version + 1 };
        Some(Action::UpgradeContract { name: name.into(), code: tally::code(next), migrate: vec![] })
    }

    /// One validator more, less, or with another weight.
    fn other_set(&self, random: &mut Random, now: &[Validator]) -> Option<Vec<Validator>> {
        let all = self.consortium.validators;
        let changeable = if let Governance::Weights(before) = self.governance { before } else { all };
        let identity = random.below(changeable as u64) as usize;
        let mut set = now.to_vec();
        let member = self.consortium.member(identity);
        match set.iter().position(|validator| validator.member == member) {
            // The first one makes the proposals.
            Some(place) if self.governance == Governance::Everything && identity > 0 && set.len() == all => {
                set.remove(place);
            }
            Some(place) => set[place].power = if set[place].power == 1 { 2 } else { 1 },
            None => set.push(self.consortium.validator(identity, 1)),
        }
        Some(set)
    }
}

/// What a receiver or holder does about an offer.
fn answer_offer(part: &Part, random: &mut Random) -> Option<(&'static str, receivable::api::Call)> {
    let receiver = part.offer.as_ref()?.to;
    Some(match random.below(100) {
        0..70 => (trader(receiver)?, receivable::api::Call::AcceptTransfer { receiver, part: part.id }),
        70..85 => (trader(receiver)?, receivable::api::Call::RejectTransfer { receiver, part: part.id }),
        _ => {
            let holder = part.holder;
            (trader(holder)?, receivable::api::Call::WithdrawTransfer { holder, part: part.id })
        }
    })
}

/// A holder splits its part, or offers it on.
fn part_of(part: &Part, today: BusinessDate, random: &mut Random) -> Option<(&'static str, receivable::api::Call)> {
    let holder = part.holder;
    let member = trader(holder)?;
    if part.amount.minor >= SPLITTABLE && random.chance(550_000) {
        let children = random.between(2, 4) as i128;
        let each = part.amount.minor / (children + 1);
        let mut amounts: Vec<Money> = (1..children).map(|_| money(each)).collect();
        amounts.push(money(part.amount.minor - each * (children - 1)));
        return Some((member, receivable::api::Call::Split { holder, part: part.id, amounts }));
    }
    let others: Vec<&str> =
        ["seller", "tier-2", "tier-3"].into_iter().filter(|other| account(other) != holder).collect();
    let to = account(random.pick(&others)?);
    let expires = BusinessDate(today.0 + 2);
    let recourse = Recourse::Without;
    Some((member, receivable::api::Call::OfferTransfer { holder, part: part.id, to, recourse, expires }))
}

/// A trader's account.
pub fn account(member: &str) -> AccountId {
    AccountId(chain::AccountId::from_name(member, "main").0)
}

/// Whose account it is.
fn trader(of: AccountId) -> Option<&'static str> {
    TRADERS.iter().map(|(name, _)| *name).find(|name| account(name) == of)
}

/// An amount in the currency of all.
pub fn money(minor: i128) -> Money {
    Money { minor, currency: CURRENCY.parse().expect("it is a currency") }
}

/// A call of a contract by name.
pub fn message(contract: &str, call: &impl Encode) -> Call {
    Call { contract: ContractId::from_name(contract), input: call.encode() }
}

fn drawn(random: &mut Random) -> Hash {
    let mut bytes = [0; 32];
    bytes.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&random.draw().to_le_bytes()));
    Hash(bytes)
}
