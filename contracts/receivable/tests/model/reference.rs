//! One certificate in plain Rust: what each call answers, tells and pays, written from the rules and not from the contract.
//!
//! It keeps the tree as a map, spreads amounts on one sheet, and knows neither storage, agenda entries nor batches.

use std::collections::BTreeMap;

use portolan_interface::{
    AccountId, BusinessDate, CertificateId, Currency, DayCount, DocumentId, Hash, Money, PartId, Ppm,
    receivable::{
        COLLECTION_ATTEMPTS, CertificateState, ClaimKind, EarlyOffer, HopKind, OfferEnd, PartAct, PartState,
        ReceivableError, ReceivableEvent, Recourse,
    },
    settlement::SettlementError,
    trade::TradeError,
};
use portolan_sdk::CallError;
use portolan_terms::{Interest, pro_rata};

pub type Outcome = Result<(), ReceivableError>;

pub fn cny(minor: i128) -> Money {
    Money::new(minor, Currency::CNY)
}

#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    Free,
    Lapsed { to: AccountId, expires: BusinessDate },
    Offered { to: AccountId, recourse: Recourse, expires: BusinessDate },
    Financed,
    Held { court: bool, financed: bool },
    Disputed { financed: bool },
    Consenting(u32),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Hop {
    kind: HopKind,
    from: AccountId,
    to: AccountId,
    recourse: Recourse,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub parent: Option<PartId>,
    pub children: u16,
    pub holder: AccountId,
    pub amount: i128,
    pub settled: i128,
    pub diluted: i128,
    pub depth: u8,
    pub hops: Vec<Hop>,
    pub bound: Bound,
    agreement: Option<(AccountId, PartAct)>,
    pub early: Option<EarlyOffer>,
    acknowledged: bool,
    claim: Option<u32>,
}

impl Node {
    pub fn outstanding(&self) -> i128 {
        if self.children > 0 { 0 } else { self.amount - self.settled - self.diluted }
    }

    pub fn financed(&self) -> bool {
        matches!(self.bound, Bound::Financed | Bound::Held { financed: true, .. } | Bound::Disputed { financed: true })
    }

    fn state(&self) -> PartState {
        match &self.bound {
            _ if self.children > 0 => PartState::Closed,
            _ if self.outstanding() == 0 && self.settled == 0 => PartState::Diluted,
            _ if self.outstanding() == 0 => PartState::Settled,
            Bound::Free | Bound::Lapsed { .. } => PartState::Live,
            Bound::Offered { .. } => PartState::Offered,
            Bound::Financed => PartState::Financed,
            Bound::Held { .. } => PartState::Held,
            Bound::Disputed { .. } => PartState::Disputed,
            Bound::Consenting(_) => PartState::Consenting,
        }
    }
}

#[derive(Clone)]
struct Claim {
    kind: ClaimKind,
    part: PartId,
    claimant: AccountId,
    against: AccountId,
    discharged: bool,
}

#[derive(Clone)]
pub struct Reference {
    pub certificate: CertificateId,
    pub root: PartId,
    pub debtor: AccountId,
    pub creditor: AccountId,
    pub regulator: AccountId,
    pub face: i128,
    pub dust: i128,
    pub due: BusinessDate,
    pub grace: i32,
    pub today: BusinessDate,
    pub nodes: BTreeMap<PartId, Node>,
    pub state: CertificateState,
    pub balances: BTreeMap<AccountId, i128>,
    pub events: Vec<ReceivableEvent>,
    round: u32,
    standing: bool,
    consented: i128,
    next_try: Option<(BusinessDate, u8)>,
    claims: Vec<Claim>,
    /// Of the invoice: certified, and lowered by agreed credit notes.
    certified: i128,
    pub credited: i128,
    /// Left of each credit note.
    notes: BTreeMap<DocumentId, i128>,
}

fn ensure(holds: bool, error: ReceivableError) -> Outcome {
    if holds { Ok(()) } else { Err(error) }
}

fn need(state: PartState, needed: PartState) -> Outcome {
    ensure(state == needed, ReceivableError::PartState { state, needed })
}

impl Reference {
    /// Accepted by its creditor.
    pub fn new(
        certificate: CertificateId,
        [debtor, creditor, regulator]: [AccountId; 3],
        (face, dust): (i128, i128),
        (today, due): (BusinessDate, BusinessDate),
    ) -> Self {
        let root = PartId::root(certificate);
        let hop = Hop { kind: HopKind::Issue, from: debtor, to: creditor, recourse: Recourse::Without };
        let whole = Node {
            parent: None,
            children: 0,
            holder: creditor,
            amount: face,
            settled: 0,
            diluted: 0,
            depth: 0,
            hops: vec![hop],
            bound: Bound::Free,
            agreement: None,
            early: None,
            acknowledged: false,
            claim: None,
        };
        Self {
            certificate,
            root,
            debtor,
            creditor,
            regulator,
            face,
            dust,
            due,
            grace: 5,
            today,
            nodes: BTreeMap::from([(root, whole)]),
            state: CertificateState::Live,
            balances: BTreeMap::new(),
            events: Vec::new(),
            round: 0,
            standing: false,
            consented: 0,
            next_try: None,
            claims: Vec::new(),
            certified: face,
            credited: 0,
            notes: BTreeMap::new(),
        }
    }

    /// Runs a call; what is refused leaves no trace.
    pub fn call(&mut self, act: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        let before = self.clone();
        let outcome = act(self);
        if outcome.is_err() {
            *self = before;
        }
        outcome
    }

    /// Leaves, depth first.
    pub fn leaves(&self) -> Vec<PartId> {
        let mut leaves = Vec::new();
        let mut open = vec![self.root];
        while let Some(part) = open.pop() {
            let children = self.nodes[&part].children;
            if children == 0 {
                leaves.push(part);
            }
            open.extend((0..children).rev().map(|index| part.child(index)));
        }
        leaves
    }

    fn node(&self, part: PartId) -> Result<&Node, ReceivableError> {
        self.nodes.get(&part).ok_or(ReceivableError::UnknownPart)
    }

    fn change(&mut self, part: PartId) -> &mut Node {
        self.nodes.get_mut(&part).expect("it was looked up")
    }

    pub fn outstanding(&self) -> i128 {
        self.nodes.values().map(Node::outstanding).sum()
    }

    pub fn disputed(&self) -> i128 {
        let disputed = |node: &&Node| matches!(node.bound, Bound::Disputed { .. });
        self.nodes.values().filter(disputed).map(Node::outstanding).sum()
    }

    /// Where people see a part stand.
    pub fn shown(&self, node: &Node) -> PartState {
        match (node.state(), self.state) {
            (state @ (PartState::Closed | PartState::Settled | PartState::Diluted), _) => state,
            (_, CertificateState::Cancelled) => PartState::Cancelled,
            (PartState::Disputed, _) => PartState::Disputed,
            (_, CertificateState::Overdue) => PartState::Overdue,
            (state, _) => state,
        }
    }

    fn tell(&mut self, event: ReceivableEvent) {
        self.events.push(event);
    }

    fn not_due(&self) -> Outcome {
        ensure(self.today < self.due, ReceivableError::PastDue { due: self.due })
    }

    fn in_state(&self, needed: CertificateState) -> Outcome {
        ensure(self.state == needed, ReceivableError::CertificateState { state: self.state, needed })
    }

    fn live(&self, part: PartId) -> Outcome {
        self.not_due()?;
        need(self.node(part)?.state(), PartState::Live)
    }

    fn held_by(&self, part: PartId, by: AccountId) -> Outcome {
        ensure(self.node(part)?.holder == by, ReceivableError::NotHolder)
    }

    fn by_debtor(&self, by: AccountId) -> Outcome {
        ensure(by == self.debtor, ReceivableError::NotDebtor)
    }

    pub fn split(&mut self, by: AccountId, part: PartId, amounts: &[i128]) -> Outcome {
        self.held_by(part, by)?;
        self.live(part)?;
        let node = self.node(part)?.clone();
        ensure(node.depth < 32, ReceivableError::TooDeep)?;
        ensure((2..=256).contains(&amounts.len()), ReceivableError::PartCount { count: amounts.len() as u32 })?;
        for (position, minor) in (0u32..).zip(amounts) {
            ensure(*minor > 0, ReceivableError::ZeroPart { position })?;
            ensure(*minor >= self.dust, ReceivableError::Dust { position, minimum: cny(self.dust) })?;
        }
        let (whole, sum) = (node.outstanding(), amounts.iter().sum::<i128>());
        ensure(sum <= whole, ReceivableError::OverSplit { amount: cny(whole), excess: cny(sum - whole) })?;
        ensure(sum >= whole, ReceivableError::UnderSplit { amount: cny(whole), missing: cny(whole - sum) })?;
        for (index, amount) in (0u16..).zip(amounts) {
            let child = Node {
                parent: Some(part),
                amount: *amount,
                settled: 0,
                diluted: 0,
                depth: node.depth + 1,
                hops: Vec::new(),
                bound: Bound::Free,
                agreement: None,
                early: None,
                acknowledged: false,
                ..node.clone()
            };
            self.nodes.insert(part.child(index), child);
        }
        self.change(part).children = amounts.len() as u16;
        self.tell(ReceivableEvent::Split { part, holder: by, amounts_minor: amounts.to_vec() });
        Ok(())
    }

    pub fn merge(&mut self, by: AccountId, part: PartId) -> Outcome {
        let count = self.node(part)?.children;
        ensure(count > 0, ReceivableError::NotSplit)?;
        self.not_due()?;
        let path = self.node(part.child(0))?.hops.clone();
        let (mut diluted, mut holder) = (0, self.node(part)?.holder);
        for position in 0..count {
            let child = self.node(part.child(position))?.clone();
            ensure(child.holder == by, ReceivableError::SiblingHolder { position })?;
            let state = child.state();
            ensure(state == PartState::Live, ReceivableError::SiblingState { position, state })?;
            ensure(child.hops == path, ReceivableError::SiblingPath { position })?;
            (diluted, holder) = (diluted + child.diluted, child.holder);
            self.nodes.remove(&part.child(position));
        }
        let node = self.change(part);
        node.children = 0;
        node.bound = Bound::Free;
        node.holder = holder;
        node.diluted += diluted;
        node.hops.extend(path);
        let amount = cny(node.outstanding());
        self.tell(ReceivableEvent::Merged { part, holder: by, amount, children: count });
        Ok(())
    }

    pub fn offer(
        &mut self,
        by: AccountId,
        part: PartId,
        to: AccountId,
        recourse: Recourse,
        expires: BusinessDate,
    ) -> Outcome {
        self.held_by(part, by)?;
        self.live(part)?;
        ensure(to != by, ReceivableError::SameHolder)?;
        let in_window = self.today <= expires && expires <= self.due;
        ensure(in_window, ReceivableError::OfferWindow { latest: self.due })?;
        self.change(part).bound = Bound::Offered { to, recourse, expires };
        self.tell(ReceivableEvent::TransferOffered { part, from: by, to, recourse, expires });
        Ok(())
    }

    fn offered_to(&self, part: PartId, by: AccountId) -> Result<Recourse, ReceivableError> {
        let node = self.node(part)?;
        match &node.bound {
            Bound::Offered { to, recourse, .. } => ensure(*to == by, ReceivableError::NotReceiver).map(|()| *recourse),
            Bound::Lapsed { to, expires } if *to == by => Err(ReceivableError::OfferExpired { expired: *expires }),
            _ => need(node.state(), PartState::Offered).map(|()| Recourse::Without),
        }
    }

    pub fn accept(&mut self, by: AccountId, part: PartId) -> Outcome {
        let recourse = self.offered_to(part, by)?;
        self.not_due()?;
        self.change(part).bound = Bound::Free;
        self.hand_over(part, by, HopKind::Assignment, recourse);
        Ok(())
    }

    fn hand_over(&mut self, part: PartId, to: AccountId, kind: HopKind, recourse: Recourse) {
        let node = self.change(part);
        let (from, amount) = (node.holder, cny(node.outstanding()));
        node.hops.push(Hop { kind, from, to, recourse });
        node.holder = to;
        let debtor = self.debtor;
        self.tell(ReceivableEvent::Transferred { part, debtor, from, to, amount, recourse, kind });
    }

    fn end_offer(&mut self, part: PartId, how: OfferEnd) {
        let node = self.change(part);
        let Bound::Offered { to, expires, .. } = node.bound else { return };
        node.bound = if how == OfferEnd::Lapsed { Bound::Lapsed { to, expires } } else { Bound::Free };
        let from = node.holder;
        self.tell(ReceivableEvent::OfferEnded { part, from, to, how });
    }

    pub fn reject(&mut self, by: AccountId, part: PartId) -> Outcome {
        self.offered_to(part, by)?;
        self.end_offer(part, OfferEnd::Rejected);
        Ok(())
    }

    pub fn withdraw(&mut self, by: AccountId, part: PartId) -> Outcome {
        self.held_by(part, by)?;
        let node = self.node(part)?;
        let state = node.state();
        let open = matches!(node.bound, Bound::Offered { .. });
        ensure(open, ReceivableError::PartState { state, needed: PartState::Offered })?;
        self.end_offer(part, OfferEnd::Withdrawn);
        Ok(())
    }

    /// Whether the invoice backs a financing now.
    pub fn is_financed(&self) -> bool {
        self.nodes.values().any(|node| node.financed() && node.outstanding() > 0)
    }

    /// The bank buys a live part at 4.35 % a year, with recourse.
    pub fn discount(&mut self, part: PartId, bank: AccountId) {
        let (outstanding, borrower) = (self.nodes[&part].outstanding(), self.nodes[&part].holder);
        let discount =
            Interest::new(cny(outstanding), Ppm(43_500), DayCount::Act360, self.today, self.due).unwrap().amount();
        self.credit(borrower, outstanding - discount.unwrap().minor);
        self.change(part).bound = Bound::Financed;
        self.hand_over(part, bank, HopKind::Discount, Recourse::With);
    }

    pub fn credit(&mut self, account: AccountId, minor: i128) {
        *self.balances.entry(account).or_default() += minor;
    }

    pub fn balance(&self, account: AccountId) -> i128 {
        self.balances.get(&account).copied().unwrap_or_default()
    }

    // What binds a part.

    fn unbound(&self, part: PartId) -> Outcome {
        self.in_state(CertificateState::Live)?;
        self.not_due()?;
        let node = self.node(part)?;
        let (state, needed) = (node.state(), PartState::Live);
        let bound = matches!(node.bound, Bound::Held { .. } | Bound::Disputed { .. }) || node.outstanding() == 0;
        ensure(!bound, ReceivableError::PartState { state, needed })
    }

    fn end_open(&mut self, part: PartId) {
        self.end_offer(part, OfferEnd::Overtaken);
        self.end_consent(part);
    }

    fn end_consent(&mut self, part: PartId) {
        let node = self.change(part);
        let Bound::Consenting(round) = node.bound else { return };
        node.bound = Bound::Free;
        let (holder, outstanding) = (node.holder, node.outstanding());
        if self.standing && self.round == round {
            self.consented -= outstanding;
        }
        self.tell(ReceivableEvent::Consent { part, holder, standing: false });
    }

    pub fn order(&mut self, by: AccountId, part: PartId, act: &PartAct, reference: Hash) -> Outcome {
        self.node(part)?;
        ensure(by == self.regulator, ReceivableError::NotRegulator)?;
        self.carry_out(part, act, reference, true)
    }

    pub fn agree(&mut self, by: AccountId, part: PartId, act: &PartAct, reference: Hash) -> Outcome {
        let node = self.node(part)?;
        let (debtor, holder) = (self.debtor, node.holder);
        ensure(by == debtor || by == holder, ReceivableError::NotParty)?;
        let other = if by == debtor { holder } else { debtor };
        match node.agreement.as_ref().filter(|(_, said)| said == act).map(|(said_by, _)| *said_by) {
            Some(said_by) if said_by == by => Err(ReceivableError::AlreadyAgreed),
            Some(said_by) if said_by == other => {
                self.change(part).agreement = None;
                self.carry_out(part, act, reference, false)
            }
            _ => {
                self.change(part).agreement = Some((by, act.clone()));
                self.tell(ReceivableEvent::ActProposed { part, by, other, act: act.clone(), reference });
                Ok(())
            }
        }
    }

    fn carry_out(&mut self, part: PartId, act: &PartAct, reference: Hash, court: bool) -> Outcome {
        let node = self.node(part)?;
        let holder = node.holder;
        match act {
            PartAct::Hold => {
                self.unbound(part)?;
                self.end_open(part);
                let financed = self.node(part)?.financed();
                self.change(part).bound = Bound::Held { court, financed };
                self.tell(ReceivableEvent::Held { part, holder, reference });
                Ok(())
            }
            PartAct::Release => {
                need(node.state(), PartState::Held)?;
                let court_holds = matches!(node.bound, Bound::Held { court: true, .. });
                ensure(court || !court_holds, ReceivableError::HeldByCourt)?;
                self.unbind(part);
                self.tell(ReceivableEvent::Released { part, holder, reference });
                Ok(())
            }
            PartAct::Resolve { lost } => self.resolve(part, *lost, reference),
        }
    }

    fn unbind(&mut self, part: PartId) {
        let node = self.change(part);
        node.bound = if node.financed() { Bound::Financed } else { Bound::Free };
    }

    fn at_rest(&self) -> Outcome {
        let rests =
            matches!(self.state, CertificateState::Live | CertificateState::Overdue | CertificateState::Disputed);
        ensure(rests, ReceivableError::CertificateState { state: self.state, needed: CertificateState::Live })
    }

    fn resolve(&mut self, part: PartId, lost: Money, reference: Hash) -> Outcome {
        let node = self.node(part)?;
        need(node.state(), PartState::Disputed)?;
        let (holder, outstanding) = (node.holder, node.outstanding());
        self.at_rest()?;
        ensure((0..=outstanding).contains(&lost.minor), ReceivableError::LossRange { outstanding: cny(outstanding) })?;
        self.unbind(part);
        if lost.minor > 0 {
            self.lower(part, lost.minor);
            self.certified -= lost.minor;
        }
        let outstanding = cny(outstanding - lost.minor);
        self.tell(ReceivableEvent::DisputeResolved { part, holder, lost, outstanding, reference });
        self.changed();
        Ok(())
    }

    fn lower(&mut self, part: PartId, minor: i128) {
        let node = self.change(part);
        node.diluted += minor;
        if node.financed() {
            let (claimant, against) = (node.holder, node.hops.last().expect("it was sold").from);
            self.claim(ClaimKind::Shortfall, part, claimant, against, minor);
        }
    }

    fn claim(&mut self, kind: ClaimKind, part: PartId, claimant: AccountId, against: AccountId, minor: i128) -> u32 {
        let number = self.claims.len() as u32;
        self.claims.push(Claim { kind, part, claimant, against, discharged: false });
        self.tell(ReceivableEvent::ClaimMade { number, kind, part, claimant, against, amount: cny(minor) });
        number
    }

    pub fn dispute(&mut self, by: AccountId, part: PartId, reason: Hash, fraud: bool) -> Outcome {
        self.node(part)?;
        self.by_debtor(by)?;
        self.unbound(part)?;
        let mut above = Some(part);
        while let Some(node) = above {
            let node = self.node(node)?;
            ensure(fraud || !node.acknowledged, ReceivableError::Acknowledged)?;
            above = node.parent;
        }
        self.end_open(part);
        let node = self.change(part);
        node.bound = Bound::Disputed { financed: node.financed() };
        let (holder, amount) = (node.holder, cny(node.outstanding()));
        self.tell(ReceivableEvent::DisputeOpened { part, debtor: by, holder, amount, reason, fraud });
        Ok(())
    }

    pub fn acknowledge(&mut self, by: AccountId, part: PartId) -> Outcome {
        let holder = self.node(part)?.holder;
        self.by_debtor(by)?;
        self.unbound(part)?;
        self.change(part).acknowledged = true;
        self.tell(ReceivableEvent::AssignmentAcknowledged { part, debtor: by, holder });
        Ok(())
    }

    // Cancellation.

    pub fn propose_cancellation(&mut self, by: AccountId) -> Outcome {
        self.by_debtor(by)?;
        self.in_state(CertificateState::Live)?;
        self.not_due()?;
        ensure(!self.standing, ReceivableError::DuplicateCancellation)?;
        (self.round, self.standing, self.consented) = (self.round + 1, true, 0);
        let certificate = self.certificate;
        self.tell(ReceivableEvent::CancellationProposed { certificate, debtor: by, standing: true });
        Ok(())
    }

    pub fn withdraw_cancellation(&mut self, by: AccountId) -> Outcome {
        self.by_debtor(by)?;
        ensure(self.standing, ReceivableError::NoCancellation)?;
        self.standing = false;
        let certificate = self.certificate;
        self.tell(ReceivableEvent::CancellationProposed { certificate, debtor: by, standing: false });
        Ok(())
    }

    pub fn consent(&mut self, by: AccountId, part: PartId) -> Outcome {
        self.held_by(part, by)?;
        self.live(part)?;
        ensure(self.standing, ReceivableError::NoCancellation)?;
        let round = self.round;
        self.change(part).bound = Bound::Consenting(round);
        self.consented += self.node(part)?.outstanding();
        self.tell(ReceivableEvent::Consent { part, holder: by, standing: true });
        let everybody = self.leaves().into_iter().all(|leaf| {
            let node = &self.nodes[&leaf];
            node.outstanding() == 0 || node.bound == Bound::Consenting(round)
        });
        if everybody {
            self.standing = false;
            self.certified -= self.outstanding();
            self.close(CertificateState::Cancelled);
        }
        Ok(())
    }

    pub fn take_back(&mut self, by: AccountId, part: PartId) -> Outcome {
        self.held_by(part, by)?;
        need(self.shown(self.node(part)?), PartState::Consenting)?;
        self.end_consent(part);
        Ok(())
    }

    // Credit notes.

    fn excess(&self) -> i128 {
        (self.certified - (self.face - self.credited)).max(0)
    }

    /// Debtor and creditor agreed to a credit note.
    pub fn note(&mut self, note: DocumentId, minor: i128) {
        let before = self.excess();
        self.credited += minor;
        self.notes.insert(note, self.excess() - before);
    }

    pub fn dilute(&mut self, by: AccountId, note: DocumentId) -> Outcome {
        ensure(by == self.debtor || by == self.creditor, ReceivableError::NotParty)?;
        self.at_rest()?;
        if self.state == CertificateState::Live {
            self.not_due()?;
        }
        let amount = self.notes[&note].min(self.excess()).min(self.outstanding());
        let nothing = ReceivableError::Documents(CallError::Contract(TradeError::NothingToDilute));
        ensure(amount > 0, nothing)?;
        self.certified -= amount;
        let open = self.notes[&note] - amount;
        self.notes.insert(note, open);
        self.tell(ReceivableEvent::Diluted {
            certificate: self.certificate,
            debtor: self.debtor,
            creditor: self.creditor,
            credit: note,
            amount: cny(amount),
            open: cny(open),
        });
        let leaves = self.leaves();
        let weights: Vec<i128> = leaves.iter().map(|leaf| self.nodes[leaf].outstanding()).collect();
        for (part, minor) in leaves.into_iter().zip(pro_rata(amount, &weights).unwrap()) {
            if minor > 0 {
                self.end_open(part);
                self.lower(part, minor);
                let (holder, outstanding) = (self.nodes[&part].holder, cny(self.nodes[&part].outstanding()));
                let (certificate, by) = (self.certificate, cny(minor));
                self.tell(ReceivableEvent::Lowered { certificate, part, holder, credit: note, by, outstanding });
            }
        }
        self.changed();
        Ok(())
    }

    // Early payment.

    pub fn offer_early(&mut self, by: AccountId, part: PartId, rate: Ppm, expires: BusinessDate) -> Outcome {
        self.node(part)?;
        self.by_debtor(by)?;
        self.live(part)?;
        ensure(rate.0 <= 1_000_000, ReceivableError::UnsoundDiscount)?;
        let latest = BusinessDate(self.due.0 - 1);
        ensure(self.today <= expires && expires <= latest, ReceivableError::OfferWindow { latest })?;
        let node = self.change(part);
        let (to, amount) = (node.holder, cny(node.outstanding()));
        let offer = Some(EarlyOffer { to, amount, rate, day_count: DayCount::Act360, expires });
        node.early.clone_from(&offer);
        self.tell(ReceivableEvent::EarlyPaymentOffered { part, debtor: by, holder: to, offer });
        Ok(())
    }

    pub fn withdraw_early(&mut self, by: AccountId, part: PartId) -> Outcome {
        self.node(part)?;
        self.by_debtor(by)?;
        let offer = self.change(part).early.take().ok_or(ReceivableError::NoEarlyOffer)?;
        self.tell(ReceivableEvent::EarlyPaymentOffered { part, debtor: by, holder: offer.to, offer: None });
        Ok(())
    }

    pub fn accept_early(&mut self, by: AccountId, part: PartId) -> Outcome {
        self.held_by(part, by)?;
        self.live(part)?;
        let amount = cny(self.node(part)?.outstanding());
        let offer = self.change(part).early.take().filter(|offer| offer.to == by);
        let offer = offer.ok_or(ReceivableError::NoEarlyOffer)?;
        ensure(self.today <= offer.expires, ReceivableError::OfferExpired { expired: offer.expires })?;
        ensure(offer.amount == amount, ReceivableError::EarlyOfferStale { offered: offer.amount })?;
        let discount = Interest::new(amount, offer.rate, offer.day_count, self.today, self.due).unwrap().amount();
        let discount = discount.unwrap();
        let paid = amount.minor - discount.minor;
        let missing = cny(paid - self.balance(self.debtor));
        let short = SettlementError::InsufficientDeposit { missing };
        ensure(missing.minor <= 0, ReceivableError::Settlement(CallError::Contract(short)))?;
        self.credit(self.debtor, -paid);
        self.credit(by, paid);
        self.change(part).settled += amount.minor;
        let (certificate, paid) = (self.certificate, cny(paid));
        self.tell(ReceivableEvent::PaidEarly { certificate, part, holder: by, amount, discount, paid });
        self.changed();
        Ok(())
    }

    // The due date and after.

    fn close(&mut self, state: CertificateState) {
        self.state = state;
        self.next_try = None;
        let (certificate, debtor) = (self.certificate, self.debtor);
        self.tell(match state {
            CertificateState::Settled => ReceivableEvent::Settled { certificate, debtor },
            _ => ReceivableEvent::Voided { certificate, debtor, state },
        });
    }

    fn changed(&mut self) {
        match self.state {
            CertificateState::Overdue => {
                let attempt = if self.next_try.is_some() { None } else { Some(1) };
                self.rest(attempt);
            }
            CertificateState::Disputed => self.rest(Some(1)),
            _ if self.outstanding() == 0 => self.close_empty(),
            _ => {}
        }
    }

    fn close_empty(&mut self) {
        let paid = self.nodes.values().any(|node| node.settled > 0);
        self.close(if paid { CertificateState::Settled } else { CertificateState::Diluted });
    }

    fn rest(&mut self, attempt: Option<u8>) {
        let owed = self.outstanding();
        if owed == 0 {
            return self.close_empty();
        }
        let rest = owed - self.disputed();
        if rest == 0 {
            self.state = CertificateState::Disputed;
            self.next_try = None;
            return;
        }
        if let Some(attempt) = attempt.filter(|attempt| *attempt <= COLLECTION_ATTEMPTS) {
            self.next_try = Some((self.next_business_day(), attempt));
        }
        if self.state != CertificateState::Overdue {
            self.state = CertificateState::Overdue;
            let (certificate, debtor) = (self.certificate, self.debtor);
            self.tell(ReceivableEvent::Overdue { certificate, debtor, rest: cny(rest) });
        }
    }

    /// Mondays to Fridays.
    fn next_business_day(&self) -> BusinessDate {
        let open = |day: &i32| (day + 3).rem_euclid(7) < 5;
        BusinessDate((self.today.0 + 1..).find(open).expect("a week has one"))
    }

    /// Asks the deposit and pays; answers whether it gave anything.
    fn pay(&mut self, attempt: Option<u8>) -> bool {
        let leaves = self.leaves();
        let owed_on = |node: &Node| match node.bound {
            Bound::Disputed { .. } => 0,
            _ => node.outstanding(),
        };
        let weights: Vec<i128> = leaves.iter().map(|leaf| owed_on(&self.nodes[leaf])).collect();
        let owed: i128 = weights.iter().sum();
        let available = owed.min(self.balance(self.debtor));
        let certificate = self.certificate;
        if self.state == CertificateState::Live {
            let (debtor, owed, available) = (self.debtor, cny(owed), cny(available));
            self.tell(ReceivableEvent::Matured { certificate, debtor, owed, available });
        }
        if available == 0 {
            self.rest(attempt);
            return false;
        }
        self.state = CertificateState::Settling;
        for (part, minor) in leaves.into_iter().zip(pro_rata(available, &weights).unwrap()) {
            if minor == 0 {
                continue;
            }
            let node = self.change(part);
            node.settled += minor;
            if matches!(node.bound, Bound::Offered { .. } | Bound::Consenting(_)) {
                node.bound = Bound::Free;
            }
            let (holder, amount, outstanding) = (node.holder, cny(minor), cny(node.outstanding()));
            self.credit(holder, minor);
            self.credit(self.debtor, -minor);
            self.tell(ReceivableEvent::Paid { certificate, part, holder, amount, outstanding });
        }
        self.rest(attempt);
        true
    }

    pub fn collect(&mut self) -> Outcome {
        self.in_state(CertificateState::Overdue)?;
        ensure(self.pay(None), ReceivableError::NothingToCollect)
    }

    /// The next day comes, with what is due on it.
    pub fn next_day(&mut self) {
        self.today.0 += 1;
        for part in self.nodes.keys().copied().collect::<Vec<_>>() {
            let past = |expires: BusinessDate| expires < self.today;
            if matches!(self.nodes[&part].bound, Bound::Offered { expires, .. } if past(expires)) {
                self.end_offer(part, OfferEnd::Lapsed);
            }
        }
        if self.today == self.due && self.state == CertificateState::Live {
            self.pay(Some(1));
        } else if let Some((_, attempt)) = self.next_try.filter(|(day, _)| *day == self.today) {
            self.next_try = None;
            self.pay(Some(attempt + 1));
        }
    }

    // Recourse.

    fn standing_hop(&self, part: PartId) -> Option<Hop> {
        let mut line = vec![part];
        while let Some(parent) = self.nodes[line.last().expect("not empty")].parent {
            line.push(parent);
        }
        let mut standing = Vec::new();
        for hop in line.into_iter().rev().flat_map(|part| self.nodes[&part].hops.clone()) {
            match hop.kind {
                HopKind::Issue => {}
                HopKind::Recourse => drop(standing.pop()),
                HopKind::Assignment | HopKind::Discount => standing.push(hop),
            }
        }
        standing.pop()
    }

    pub fn claim_recourse(&mut self, by: AccountId, part: PartId) -> Outcome {
        self.held_by(part, by)?;
        self.in_state(CertificateState::Overdue)?;
        let node = self.node(part)?;
        let held = matches!(node.bound, Bound::Held { .. }) && node.outstanding() > 0;
        need(if held { PartState::Held } else { self.shown(node) }, PartState::Overdue)?;
        let until = BusinessDate(self.due.0 + self.grace);
        ensure(self.today > until, ReceivableError::InGrace { until })?;
        let node = self.node(part)?;
        if let Some(number) = node.claim {
            return Err(ReceivableError::AlreadyClaimed { number });
        }
        let outstanding = node.outstanding();
        let hop = self.standing_hop(part).filter(|hop| hop.recourse == Recourse::With);
        let against = hop.ok_or(ReceivableError::NoRecourse)?.from;
        let number = self.claim(ClaimKind::Recourse, part, by, against, outstanding);
        self.change(part).claim = Some(number);
        Ok(())
    }

    pub fn discharge(&mut self, by: AccountId, number: u32, reference: Hash) -> Outcome {
        let claim = self.claims.get(number as usize).cloned().ok_or(ReceivableError::UnknownClaim)?;
        ensure(claim.claimant == by, ReceivableError::NotClaimant)?;
        ensure(!claim.discharged, ReceivableError::ClaimDischarged)?;
        self.claims[number as usize].discharged = true;
        let against = claim.against;
        self.tell(ReceivableEvent::ClaimDischarged { number, claimant: by, against, reference });
        if claim.kind == ClaimKind::Recourse {
            let node = self.change(claim.part);
            node.claim = None;
            if node.outstanding() > 0 {
                node.bound = Bound::Free;
                self.hand_over(claim.part, against, HopKind::Recourse, Recourse::Without);
            }
        }
        Ok(())
    }
}
