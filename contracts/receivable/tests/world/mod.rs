//! A small trading world for the contracts' tests: a core enterprise, suppliers of three tiers, two banks, a carrier, customs, a regulator.
#![allow(dead_code, clippy::missing_panics_doc)]

use portolan_interface::{
    AccountId, BusinessDate, CertificateId, Convention, Currency, DayCount, DocumentId, FinancingId, Hash, MemberId,
    Money, PartId, Ppm, Role,
    financing::{self, OfferTerms},
    receivable::{self, CertificateTerms, Part, Recourse, Totals},
    settlement,
    trade::{
        self, BillTerms, CustomsDecision, DeclarationTerms, Direction, Incoterm, InvoiceTerms, OrderAnswer, OrderTerms,
    },
};
use portolan_sdk::{
    CallError,
    testing::{Sender, TestChain},
};

pub type Receivable = receivable::api::Client<Sender>;
pub type Settlement = settlement::api::Client<Sender>;
pub type Financing = financing::api::Client<Sender>;
pub type Trade = trade::api::Client<Sender>;

/// An organisation with one account.
#[derive(Clone, Copy)]
pub struct Firm {
    pub member: MemberId,
    pub account: AccountId,
}

pub struct World {
    pub chain: TestChain,
    pub core: Firm,
    pub tier_1: Firm,
    pub tier_2: Firm,
    pub other_tier_2: Firm,
    pub tier_3: Firm,
    pub bank: Firm,
    pub other_bank: Firm,
    pub carrier: Firm,
    pub customs: Firm,
    pub regulator: Firm,
    pub platform: Firm,
}

/// Renminbi, in fen.
pub fn cny(minor: i128) -> Money {
    Money::new(minor, Currency::CNY)
}

pub fn date(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

/// A commitment that nobody else has.
pub fn commitment(seed: u64) -> Hash {
    let mut bytes = [0xC0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    Hash(bytes)
}

/// The contract's own error.
pub fn refusal<T: std::fmt::Debug, E: std::fmt::Debug>(result: Result<T, CallError<E>>) -> E {
    match result {
        Err(CallError::Contract(error)) => error,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// The act is refused with this error, and nothing is changed by it.
#[track_caller]
pub fn refuses<T: std::fmt::Debug, E: std::fmt::Debug + PartialEq>(
    world: &World,
    act: impl FnOnce() -> Result<T, CallError<E>>,
    error: E,
) {
    let before = world.chain.snapshot();
    assert_eq!(refusal(act()), error);
    assert_eq!(world.chain.snapshot(), before, "a refusal changes nothing");
}

impl World {
    /// Monday 2026-03-02. Both banks serve renminbi; the core enterprise has no deposit yet.
    pub fn new() -> Self {
        let chain = TestChain::new();
        let firm = |name: &str, roles: &[Role]| {
            let member = chain.member(name, roles);
            Firm { member, account: chain.account(member, "main") }
        };
        let world = Self {
            core: firm("dawn-motors", &[Role::CoreEnterprise]),
            tier_1: firm("kestrel-castings", &[Role::Supplier]),
            tier_2: firm("blue-river-alloys", &[Role::Supplier]),
            other_tier_2: firm("nine-pines-tooling", &[Role::Supplier]),
            tier_3: firm("lantern-smelting", &[Role::Supplier]),
            bank: firm("harbour-bank", &[Role::Bank]),
            other_bank: firm("river-bank", &[Role::Bank]),
            carrier: firm("tide-lines", &[Role::Logistics]),
            customs: firm("port-customs", &[Role::Customs]),
            regulator: firm("regulator", &[Role::Regulator]),
            platform: firm("platform", &[Role::Platform]),
            chain,
        };
        world.chain.start_at(date("2026-03-02").0);
        world.chain.calendar("demo", date("2000-01-01").0, date("2060-12-31").0);
        world.chain.deploy(::trade_documents::NATIVE);
        world.chain.deploy(::receivable::NATIVE);
        world.chain.deploy(::settlement::NATIVE);
        world.chain.deploy(::financing::NATIVE);
        for bank in [world.bank, world.other_bank] {
            world.settlement(bank).serve(bank.account, cny(1_000_000_000_000)).unwrap();
        }
        world
    }

    pub fn receivable(&self, firm: Firm) -> Receivable {
        Receivable::over(self.chain.as_account(firm.account))
    }

    pub fn settlement(&self, firm: Firm) -> Settlement {
        Settlement::over(self.chain.as_account(firm.account))
    }

    pub fn financing(&self, firm: Firm) -> Financing {
        Financing::over(self.chain.as_account(firm.account))
    }

    pub fn trade(&self, firm: Firm) -> Trade {
        Trade::over(self.chain.as_account(firm.account))
    }

    /// What the node's operator sees.
    pub fn books(&self) -> Receivable {
        Receivable::over(self.chain.as_operator())
    }

    pub fn today(&self) -> BusinessDate {
        BusinessDate(self.chain.date())
    }

    pub fn in_days(&self, days: i32) -> BusinessDate {
        BusinessDate(self.chain.date() + days)
    }

    /// An accepted cross-border order from the core enterprise to tier 1.
    pub fn order(&self, seed: u64, total: Money) -> DocumentId {
        let order = self.trade(self.core).offer_order(self.core.account, self.order_terms(seed, total)).unwrap();
        self.trade(self.tier_1).answer_order(self.tier_1.account, order, OrderAnswer::Accept).unwrap();
        order
    }

    pub fn order_terms(&self, seed: u64, total: Money) -> OrderTerms {
        OrderTerms {
            seller: self.tier_1.account,
            lines: commitment(seed),
            total,
            deliver_from: self.today(),
            deliver_until: self.in_days(30),
            incoterm: Incoterm::Fob,
            cross_border: true,
            quantity: None,
            tolerance_class: 0,
        }
    }

    pub fn bill_terms(&self, seed: u64, order: DocumentId) -> BillTerms {
        BillTerms {
            number: format!("TIDE{seed}"),
            shipper: self.tier_1.account,
            consignee: None,
            order,
            containers: vec!["CSQU3054383".into(), "MSKU6011672".into()],
            loading: "CNSHA".into(),
            discharge: "DEHAM".into(),
            on_board: self.today(),
            negotiable: true,
            holder: self.tier_1.account,
            beneficiary: self.tier_1.account,
            commitment: commitment(seed),
            replaces: None,
            earlier: vec![],
        }
    }

    pub fn bill(&self, seed: u64, order: DocumentId) -> DocumentId {
        self.trade(self.carrier).issue_bill(self.carrier.account, self.bill_terms(seed, order)).unwrap()
    }

    pub fn declaration_terms(&self, seed: u64, order: DocumentId, bill: DocumentId, value: Money) -> DeclarationTerms {
        DeclarationTerms {
            customs: self.customs.member,
            direction: Direction::Export,
            order,
            bill,
            hs_codes: vec!["8708999790".into(), "0901".into()],
            value,
            commitment: commitment(seed),
        }
    }

    pub fn lodged(&self, seed: u64, order: DocumentId, bill: DocumentId, value: Money) -> DocumentId {
        self.trade(self.tier_1)
            .lodge_declaration(self.tier_1.account, self.declaration_terms(seed, order, bill, value))
            .unwrap()
    }

    pub fn cleared(&self, seed: u64, order: DocumentId, bill: DocumentId, value: Money) -> DocumentId {
        let declaration = self.lodged(seed, order, bill, value);
        for decision in [CustomsDecision::Accept, CustomsDecision::Release, CustomsDecision::Clear] {
            self.trade(self.customs).decide_declaration(self.customs.account, declaration, decision).unwrap();
        }
        declaration
    }

    /// An invoice of tier 1 to the core enterprise over the whole order, with shipped and cleared goods.
    pub fn invoice_terms(&self, seed: u64, payable: Money) -> InvoiceTerms {
        let order = self.order(seed, payable);
        let bill = self.bill(seed, order);
        let declaration = self.cleared(seed, order, bill, payable);
        InvoiceTerms {
            issued: self.today(),
            due: Some(self.in_days(90)),
            payable,
            tax_minor: payable.minor / 10,
            seller: self.tier_1.account,
            buyer: self.core.account,
            order,
            quantity: None,
            bill: Some(bill),
            declaration: Some(declaration),
            fingerprint: commitment(seed + 1_000_000),
            near: commitment(seed + 2_000_000),
            commitment: commitment(seed),
        }
    }

    pub fn registered(&self, seed: u64, payable: Money) -> DocumentId {
        self.trade(self.tier_1).register_invoice(self.tier_1.account, self.invoice_terms(seed, payable)).unwrap()
    }

    pub fn matched(&self, seed: u64, payable: Money) -> DocumentId {
        let invoice = self.registered(seed, payable);
        self.trade(self.tier_1).match_invoice(self.tier_1.account, invoice).unwrap();
        invoice
    }

    /// Due in 90 days (Sunday 2026-05-31 from the start, so Monday 06-01 by the following convention).
    pub fn certificate_terms(&self, invoice: DocumentId, face: Money) -> CertificateTerms {
        CertificateTerms {
            creditor: self.tier_1.account,
            face,
            maturity: self.in_days(90),
            convention: Convention::Following,
            calendar: "demo".into(),
            grace_days: 5,
            recourse_default: Recourse::Without,
            transferable: true,
            splittable: true,
            bank: self.bank.member,
            invoice,
            accept_until: self.in_days(7),
        }
    }

    /// Offered to tier 1 and not yet accepted.
    pub fn offered(&self, seed: u64, face: Money) -> CertificateId {
        let invoice = self.matched(seed, face);
        self.receivable(self.core).issue(self.core.account, self.certificate_terms(invoice, face)).unwrap()
    }

    /// Live, with its root part, held by tier 1.
    pub fn live(&self, seed: u64, face: Money) -> (CertificateId, PartId) {
        let certificate = self.offered(seed, face);
        self.receivable(self.tier_1).accept(self.tier_1.account, certificate).unwrap();
        (certificate, PartId::root(certificate))
    }

    /// The core enterprise has this much more at the bank.
    pub fn deposit(&self, amount: Money) {
        self.deposit_to(self.core, amount);
    }

    pub fn deposit_to(&self, firm: Firm, amount: Money) {
        self.settlement(self.bank).issue(self.bank.account, firm.account, amount, commitment(7)).unwrap();
    }

    /// Splits in the core currency and answers the children.
    pub fn split(&self, holder: Firm, part: PartId, minor: &[i128]) -> Vec<PartId> {
        self.receivable(holder).split(holder.account, part, minor.iter().map(|minor| cny(*minor)).collect()).unwrap();
        (0u16..).take(minor.len()).map(|index| part.child(index)).collect()
    }

    /// Offers without recourse, and accepts.
    pub fn transfer(&self, from: Firm, to: Firm, part: PartId) {
        self.receivable(from)
            .offer_transfer(from.account, part, to.account, Recourse::Without, self.in_days(3))
            .unwrap();
        self.receivable(to).accept_transfer(to.account, part).unwrap();
    }

    pub fn offer_terms(&self) -> OfferTerms {
        OfferTerms {
            rate: Ppm(43_500),
            day_count: DayCount::Act360,
            fee: cny(0),
            recourse: Recourse::With,
            expires: self.in_days(5),
            registry_reference: Some("ZD-2026-000123".into()),
        }
    }

    /// The bank buys the part from its holder.
    pub fn discount(&self, borrower: Firm, part: PartId, bank: Firm) -> FinancingId {
        let financing = self.financing(borrower).request(borrower.account, part).unwrap();
        let offer = self.financing(bank).offer(bank.account, financing, self.offer_terms()).unwrap();
        self.financing(borrower).accept(borrower.account, financing, offer).unwrap();
        financing
    }

    /// Runs the agenda up to a date; every entry must go well.
    pub fn advance_to(&self, day: BusinessDate) {
        for run in self.chain.advance_to(day.0) {
            assert!(run.result.is_ok(), "{:?} on {}: {:?}", run.entry, BusinessDate(run.entry.due), run.result);
        }
    }

    /// What an account has at a bank.
    pub fn balance(&self, firm: Firm, bank: Firm) -> i128 {
        let page = Settlement::over(self.chain.as_operator()).deposits(firm.account, None).unwrap();
        page.deposits.iter().filter(|deposit| deposit.bank == bank.member).map(|deposit| deposit.balance.minor).sum()
    }

    pub fn part(&self, part: PartId) -> Part {
        self.books().part(part).unwrap()
    }

    pub fn tree(&self, certificate: CertificateId) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut from = None;
        loop {
            let page = self.books().parts(certificate, from).unwrap();
            parts.extend(page.parts);
            from = page.next;
            if from.is_none() {
                return parts;
            }
        }
    }

    pub fn holdings(&self, firm: Firm) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut cursor = (None, None);
        loop {
            let page = self.receivable(firm).holdings(firm.account, cursor.0, cursor.1).unwrap();
            parts.extend(page.parts);
            match page.next {
                Some(next) => cursor = (Some(next.from), Some(next.at)),
                None => return parts,
            }
        }
    }

    /// Invariant 3: the leaves add up to the sums, and the sums to the face.
    pub fn assert_conserved(&self, certificate: CertificateId) -> Totals {
        let totals = self.books().certificate(certificate).unwrap().totals;
        let tree = self.tree(certificate);
        let leaves: Vec<&Part> = tree.iter().filter(|part| part.children == 0).collect();
        let sum = |of: fn(&Part) -> i128| leaves.iter().map(|part| of(part)).sum::<i128>();
        assert_eq!(sum(|part| part.outstanding.minor), totals.outstanding.minor, "outstanding");
        assert_eq!(sum(|part| part.settled.minor), totals.settled.minor, "settled");
        let diluted: i128 = tree.iter().map(|part| part.diluted.minor).sum();
        assert_eq!(diluted, totals.diluted.minor, "diluted, also before a split");
        // A parent keeps what it lost before it was split; its children carry the rest.
        let above: i128 = tree.iter().filter(|part| part.children > 0).map(|part| part.diluted.minor).sum();
        assert_eq!(sum(|part| part.amount.minor) + above, totals.face.minor, "amounts of the leaves");
        let whole = [totals.outstanding, totals.settled, totals.diluted, totals.cancelled, totals.written_off];
        assert_eq!(whole.iter().map(|money| money.minor).sum::<i128>(), totals.face.minor, "face");
        totals
    }

    /// Invariant 3 for a certificate that came to nothing.
    pub fn assert_conserved_void(&self, certificate: CertificateId) -> Totals {
        let totals = self.books().certificate(certificate).unwrap().totals;
        let tree = self.tree(certificate);
        assert!(tree.iter().all(|part| part.outstanding.minor == 0 && part.settled.minor == 0));
        assert_eq!((totals.cancelled, totals.outstanding.minor, totals.settled.minor), (totals.face, 0, 0));
        totals
    }

    /// Invariant 4: the deposits of a bank, with what waits to be paid out, are what it issued less what was redeemed.
    pub fn assert_deposits(&self, bank: Firm) -> i128 {
        self.assert_deposits_in(bank, Currency::CNY)
    }

    pub fn assert_deposits_in(&self, bank: Firm, currency: Currency) -> i128 {
        let books = Settlement::over(self.chain.as_operator());
        let (mut sum, mut pending, mut from) = (0, 0, 0);
        loop {
            let page = books.book(bank.member, currency, Some(from)).unwrap();
            for deposit in &page.deposits {
                assert!(deposit.balance.minor >= deposit.held.minor && deposit.held.minor >= 0, "{deposit:?}");
                sum += deposit.balance.minor;
                pending += deposit.pending.minor;
            }
            from += page.deposits.len() as u32;
            if from >= page.book.depositors {
                assert_eq!(pending, page.book.pending.minor, "pending");
                assert_eq!(sum + pending, page.book.issued.minor - page.book.redeemed.minor, "deposits");
                assert_eq!(sum + pending, page.book.outstanding.minor, "outstanding");
                return sum;
            }
        }
    }
}
