//! The story: goods that go back, a quarrel that is settled, a buyer who can't pay, and who bears what.

use portolan_interface::financing::{self, OfferTerms};
use portolan_interface::receivable::{self, Certificate, CertificateTerms, ClaimPage, Part, PartAct, Recourse};
use portolan_interface::trade::{
    self, CreditReason, CreditTerms, GoodsReceipt, GoodsReturn, Incoterm, InvoiceTerms, OrderAnswer, OrderTerms,
    Shipment,
};
use portolan_interface::{
    CertificateId, Convention, Currency, DayCount, DocumentId, FinancingId, Hash, Money, PartId, Ppm, settlement,
};
use portolan_primitives::BusinessDate;
use serde_json::{Value, json};

use super::cast::{COMPANIES, FERRO, GULF, HILLTOP, IRIS, JUNIPER};
use super::ledger::{self, Moves};
use crate::contracts::{account, date, hash, member, message};
use crate::devnet::cast::{BANK, BUYER, OTHER_BANK, Party, TIER_1, TIER_2, TIER_2_OTHER, TIER_3};
use crate::devnet::layout::Layout;
use crate::devnet::story::acts::{advance, commitment, random_hash};
use crate::devnet::story::checks::equal_roots;
use crate::devnet::story::world::{World, amount, foreign};
use crate::document::{Facts, Kind};
use crate::error::{CliError, CliResult};

/// Harbour Bank's price: 4.35 % a year.
const RATE: Ppm = Ppm(43_500);
/// Days from issue to the due date.
const TENOR_DAYS: i32 = 60;
/// Days after the due date in which nobody has recourse yet.
const GRACE_DAYS: u8 = 5;

fn eur(minor: i128) -> Money {
    Money::new(minor, Currency::EUR)
}

fn usd(minor: i128) -> Money {
    Money::new(minor, Currency::USD)
}

/// The story on a running network; answers what `--json` prints.
pub fn tell(layout: &Layout, quiet: bool) -> CliResult<Value> {
    let mut world = World::new(layout, quiet)?;
    let mut story = Story { world: &mut world, moves: Moves::default() };
    story.fund()?;
    let opening = ledger::deposits(story.world)?;
    let castings = story.castings()?;
    let resin = story.resin()?;
    story.due_day(&castings, &resin)?;
    story.recourse(&resin)?;
    let moves = story.moves;
    world.say("\nThe books:");
    let books = ledger::close(&mut world, &opening, &moves, &[castings.id, resin.id])?;
    let state_roots = equal_roots(&mut world)?;
    let balanced = world.checks.iter().all(|check| check.ok);
    world.say(if balanced { "\nThe books balance to the last minor unit." } else { "\nThe books do not balance." });
    Ok(json!({
        "balanced": balanced,
        "companies": COMPANIES.iter().map(|company| company.account_name()).collect::<Vec<_>>(),
        "tiers": 3,
        "currencies": ["EUR", "USD"],
        "height": world.client.get("/v1/status")?["height"],
        "state_roots": state_roots,
        "steps": world.steps,
        "checks": world.checks,
        "ledger": books.deposits,
        "certificates": books.certificates,
        "claims": books.claims,
    }))
}

/// What is sold in the story.
struct Goods {
    number: &'static str,
    seller: Party,
    buyer: Party,
    units: u64,
    price: Money,
    bank: Party,
}

struct Story<'a> {
    world: &'a mut World,
    moves: Moves,
}

impl Story<'_> {
    fn fund(&mut self) -> CliResult<()> {
        self.deposit(&BANK, &BUYER, eur(25_000_000))?;
        self.deposit(&BANK, &TIER_2_OTHER, eur(500_000))?;
        self.deposit(&OTHER_BANK, &FERRO, usd(3_000_000))?;
        self.deposit(&OTHER_BANK, &GULF, usd(5_000_000))?;
        self.deposit(&OTHER_BANK, &HILLTOP, usd(2_500_000))
    }

    /// A bank owes a company a deposit.
    fn deposit(&mut self, bank: &Party, to: &Party, money: Money) -> CliResult<()> {
        let bank_account = account(bank.account());
        let serve = settlement::api::Call::Serve { bank_account, cap: Money { minor: 1_000_000_000, ..money } };
        let to_account = account(to.account());
        let reference = random_hash()?;
        let issue = settlement::api::Call::Issue { bank_account, to: to_account, amount: money, reference };
        let calls = vec![message(settlement::api::NAME, &serve), message(settlement::api::NAME, &issue)];
        self.world.step_of("deposit", bank, calls)?;
        self.world.say(format!("{} owes {} a deposit of {}.", bank.title, to.title, amount(&money)));
        Ok(())
    }

    /// Castings for Atlas Motors, in euro: a return after the split, a financing, and a dispute.
    fn castings(&mut self) -> CliResult<Certificate> {
        self.world.say("\nCastings, in euro:");
        let goods = Goods {
            number: "BC-2026-118",
            seller: TIER_1,
            buyer: BUYER,
            units: 1_800,
            price: eur(18_000_000),
            bank: BANK,
        };
        let (order, invoice) = self.sell(&goods)?;
        let certificate = self.promise(&goods, invoice)?;
        let parts = self.split(&TIER_1, certificate.root, &[8_000_000, 6_000_000, 3_000_000, 1_000_000])?;
        self.pass(&TIER_1, &TIER_2, parts[1], Recourse::Without)?;
        self.pass(&TIER_1, &TIER_2_OTHER, parts[2], Recourse::With)?;
        self.pass(&TIER_1, &JUNIPER, parts[3], Recourse::Without)?;
        let smaller = self.split(&TIER_2, parts[1], &[3_500_000, 2_500_000])?;
        self.pass(&TIER_2, &TIER_3, smaller[1], Recourse::Without)?;
        self.finance(&TIER_2_OTHER, parts[2])?;
        self.send_back(&goods, order, invoice, certificate.id)?;
        self.quarrel(&goods, parts[0])?;
        Ok(certificate)
    }

    /// Resin for Ferro Appliances, in dollars: passed on with recourse.
    fn resin(&mut self) -> CliResult<Certificate> {
        self.world.say("\nResin, in dollars:");
        let goods =
            Goods { number: "GP-77", seller: GULF, buyer: FERRO, units: 900, price: usd(9_000_000), bank: OTHER_BANK };
        let (_, invoice) = self.sell(&goods)?;
        let certificate = self.promise(&goods, invoice)?;
        let parts = self.split(&GULF, certificate.root, &[5_000_000, 4_000_000])?;
        self.pass(&GULF, &HILLTOP, parts[0], Recourse::With)?;
        let smaller = self.split(&HILLTOP, parts[0], &[2_999_999, 2_000_001])?;
        self.pass(&HILLTOP, &IRIS, smaller[1], Recourse::With)?;
        Ok(certificate)
    }

    /// Ordered, shipped, received, invoiced, matched.
    fn sell(&mut self, goods: &Goods) -> CliResult<(DocumentId, DocumentId)> {
        let today = self.world.today()?;
        let (seller, buyer) = (account(goods.seller.account()), account(goods.buyer.account()));
        let terms = OrderTerms {
            seller,
            lines: commitment(&[("invoice", goods.number.into()), ("total", goods.price.to_decimal())])?,
            total: goods.price,
            deliver_from: date(today),
            deliver_until: date(today.plus_days(30)),
            incoterm: Incoterm::Dap,
            cross_border: false,
            quantity: Some(goods.units),
            tolerance_class: 0,
        };
        let offer = trade::api::Call::OfferOrder { buyer, terms };
        let order: DocumentId = self.world.step("order", &goods.buyer, trade::api::NAME, &offer)?.output()?;
        let shipment = Shipment {
            quantity: goods.units,
            bill: None,
            shipped: date(today),
            commitment: commitment(&[("despatch advice", goods.number.into())])?,
        };
        let calls = [
            trade::api::Call::AnswerOrder { seller, order, answer: OrderAnswer::Accept },
            trade::api::Call::ShipGoods { seller, order, shipment },
        ];
        self.world.step_of(
            "shipment",
            &goods.seller,
            calls.iter().map(|call| message(trade::api::NAME, call)).collect(),
        )?;
        let receipt = GoodsReceipt {
            accepted: goods.units,
            rejected: 0,
            received: date(today),
            commitment: commitment(&[("receipt advice", goods.number.into())])?,
        };
        let receive = trade::api::Call::ReceiveGoods { buyer, order, receipt };
        self.world.step("goods-receipt", &goods.buyer, trade::api::NAME, &receive)?;
        let invoice = self.invoice(goods, order, today)?;
        self.world.say(format!(
            "{} orders {} units from {} for {}; they are shipped, received, invoiced as {} and matched.",
            goods.buyer.title,
            goods.units,
            goods.seller.title,
            amount(&goods.price),
            goods.number,
        ));
        Ok((order, invoice))
    }

    fn invoice(&mut self, goods: &Goods, order: DocumentId, today: BusinessDate) -> CliResult<DocumentId> {
        let (seller, buyer) = (account(goods.seller.account()), account(goods.buyer.account()));
        let facts = facts(goods, Kind::Invoice, goods.number, goods.price, today)?;
        let terms = InvoiceTerms {
            issued: date(today),
            due: Some(date(today.plus_days(TENOR_DAYS))),
            payable: goods.price,
            tax_minor: 0,
            seller,
            buyer,
            order,
            quantity: Some(goods.units),
            bill: None,
            declaration: None,
            fingerprint: fingerprint(&facts)?,
            near: hash(facts.near_key().map_err(incomplete)?),
            commitment: commitment(&[("number", goods.number.into()), ("payable", goods.price.to_decimal())])?,
        };
        let invoice = DocumentId::invoice(seller, terms.commitment);
        let calls = [
            trade::api::Call::RegisterInvoice { registrant: seller, terms },
            trade::api::Call::MatchInvoice { party: seller, invoice },
        ];
        self.world.step_of(
            "invoice",
            &goods.seller,
            calls.iter().map(|call| message(trade::api::NAME, call)).collect(),
        )?;
        Ok(invoice)
    }

    /// The buyer issues a certificate, the seller accepts it.
    fn promise(&mut self, goods: &Goods, invoice: DocumentId) -> CliResult<Certificate> {
        let today = self.world.today()?;
        let creditor = account(goods.seller.account());
        let terms = CertificateTerms {
            creditor,
            face: goods.price,
            maturity: date(today.plus_days(TENOR_DAYS)),
            convention: Convention::Following,
            calendar: "demo".into(),
            grace_days: GRACE_DAYS,
            recourse_default: Recourse::Without,
            transferable: true,
            splittable: true,
            bank: member(goods.bank.name),
            invoice,
            accept_until: date(today),
        };
        let issue = receivable::api::Call::Issue { debtor: account(goods.buyer.account()), terms };
        let id: CertificateId =
            self.world.step("certificate-issue", &goods.buyer, receivable::api::NAME, &issue)?.output()?;
        let accept = receivable::api::Call::Accept { creditor, certificate: id };
        self.world.step("certificate-acceptance", &goods.seller, receivable::api::NAME, &accept)?;
        let certificate = self.certificate(id)?;
        let due = crate::contracts::chain_date(certificate.due);
        self.world.say(format!(
            "{} promises {} in a certificate, payable {due}; {} accepts it.",
            goods.buyer.title,
            amount(&certificate.totals.face),
            goods.seller.title
        ));
        Ok(certificate)
    }

    fn certificate(&self, id: CertificateId) -> CliResult<Certificate> {
        self.world.ask(receivable::api::NAME, &receivable::api::Query::Certificate { id })
    }

    fn part(&self, id: PartId) -> CliResult<Part> {
        self.world.ask(receivable::api::NAME, &receivable::api::Query::Part { id })
    }

    fn split(&mut self, holder: &Party, part: PartId, minor: &[i128]) -> CliResult<Vec<PartId>> {
        let currency = self.part(part)?.amount.currency;
        let amounts: Vec<Money> = minor.iter().map(|minor| Money::new(*minor, currency)).collect();
        let told: Vec<String> = amounts.iter().map(amount).collect();
        let split = receivable::api::Call::Split { holder: account(holder.account()), part, amounts };
        self.world.step("split", holder, receivable::api::NAME, &split)?;
        self.world.say(format!("{} splits: {}.", holder.title, told.join(", ")));
        Ok((0u16..).take(minor.len()).map(|index| part.child(index)).collect())
    }

    fn pass(&mut self, from: &Party, to: &Party, part: PartId, recourse: Recourse) -> CliResult<()> {
        let expires = date(self.world.today()?);
        let (holder, receiver) = (account(from.account()), account(to.account()));
        let offer = receivable::api::Call::OfferTransfer { holder, part, to: receiver, recourse, expires };
        self.world.step("offer", from, receivable::api::NAME, &offer)?;
        let accept = receivable::api::Call::AcceptTransfer { receiver, part };
        self.world.step("transfer", to, receivable::api::NAME, &accept)?;
        let (with, money) = (with(recourse), amount(&self.part(part)?.outstanding));
        self.world.say(format!("{} passes {money} to {}, {with} recourse.", from.title, to.title));
        Ok(())
    }

    /// Harbour Bank buys a part at a discount.
    fn finance(&mut self, borrower: &Party, part: PartId) -> CliResult<()> {
        let request = financing::api::Call::Request { borrower: account(borrower.account()), part };
        let id: FinancingId =
            self.world.step("financing-request", borrower, financing::api::NAME, &request)?.output()?;
        let terms = OfferTerms {
            rate: RATE,
            day_count: DayCount::Act360,
            fee: eur(0),
            recourse: Recourse::With,
            expires: date(self.world.today()?),
            registry_reference: Some("REGTRADE1".into()),
        };
        let offer = financing::api::Call::Offer { funder: account(BANK.account()), financing: id, terms };
        let number: u32 = self.world.step("financing-offer", &BANK, financing::api::NAME, &offer)?.output()?;
        let accept =
            financing::api::Call::Accept { borrower: account(borrower.account()), financing: id, offer: number };
        self.world.step("financing-draw", borrower, financing::api::NAME, &accept)?;
        let view: financing::FinancingView =
            self.world.ask(financing::api::NAME, &financing::api::Query::Financing { id })?;
        let draw = view.financing.draw.ok_or_else(|| foreign("a drawn financing without its draw"))?;
        // The bank pays by owing more: its book grows by the proceeds.
        self.moves.get(account(borrower.account()), draw.proceeds);
        self.world.say(format!(
            "Harbour Bank buys {} from {} at 4.35 % with recourse and pays {} at once.",
            amount(&draw.face),
            borrower.title,
            amount(&draw.proceeds)
        ));
        Ok(())
    }

    /// Goods go back after the certificate was split: every holder bears its share.
    fn send_back(
        &mut self,
        goods: &Goods,
        order: DocumentId,
        invoice: DocumentId,
        certificate: CertificateId,
    ) -> CliResult<()> {
        let today = self.world.today()?;
        let (seller, buyer) = (account(goods.seller.account()), account(goods.buyer.account()));
        let (units, credit) = (54, eur(540_001));
        let returned = GoodsReturn {
            quantity: units,
            amount: credit,
            commitment: commitment(&[("return", format!("{units} units"))])?,
        };
        let facts = facts(goods, Kind::CreditNote, "BC-2026-118-C1", credit, today)?;
        let terms = CreditTerms {
            invoice,
            amount: credit,
            tax_minor: 0,
            reason: CreditReason::Return,
            issued: date(today),
            fingerprint: fingerprint(&facts)?,
            commitment: commitment(&[("credit note", credit.to_decimal())])?,
        };
        let send = trade::api::Call::ReturnGoods { buyer, order, goods: returned };
        self.world.step("return", &goods.buyer, trade::api::NAME, &send)?;
        let propose = trade::api::Call::ProposeCredit { party: seller, terms };
        let note: DocumentId = self.world.step("credit-note", &goods.seller, trade::api::NAME, &propose)?.output()?;
        let agree = trade::api::Call::AnswerCredit { party: buyer, credit: note, agree: true };
        self.world.step("credit-note-agreed", &goods.buyer, trade::api::NAME, &agree)?;
        let dilute = receivable::api::Call::Dilute { party: buyer, certificate, credit: note };
        self.world.step("dilution", &goods.buyer, receivable::api::NAME, &dilute)?;
        self.world.say(format!(
            "{} sends {units} units back; the credit note of {} takes from all holders in proportion.",
            goods.buyer.title,
            amount(&credit)
        ));
        self.make_good(&TIER_2_OTHER, &BANK, &BANK)
    }

    /// A claim between holders is paid from deposit to deposit, and discharged by who has it.
    fn make_good(&mut self, debtor: &Party, claimant: &Party, bank: &Party) -> CliResult<()> {
        let question = receivable::api::Query::Claims { account: account(claimant.account()), from: None };
        let page: ClaimPage = self.world.ask(receivable::api::NAME, &question)?;
        let against = account(debtor.account());
        let open = page.claims.into_iter().find(|claim| claim.discharged.is_none() && claim.against == against);
        let claim = open.ok_or_else(|| {
            CliError::refused("no_claim", format!("{} has no open claim on {}", claimant.title, debtor.title))
        })?;
        let reference = random_hash()?;
        let pay = settlement::api::Call::Transfer {
            from: against,
            to: claim.claimant,
            bank: member(bank.name),
            amount: claim.amount,
            reference,
        };
        self.world.step("made-good", debtor, settlement::api::NAME, &pay)?;
        let done = receivable::api::Call::Discharge { claimant: claim.claimant, number: claim.number, reference };
        self.world.step("discharge", claimant, receivable::api::NAME, &done)?;
        self.moves.pass(against, claim.claimant, claim.amount);
        self.world.say(format!("{} makes {} good to {}.", debtor.title, amount(&claim.amount), claimant.title));
        Ok(())
    }

    /// The buyer disputes a part; both agree on what it loses.
    fn quarrel(&mut self, goods: &Goods, part: PartId) -> CliResult<()> {
        let (debtor, holder) = (account(goods.buyer.account()), account(goods.seller.account()));
        let reason = commitment(&[("complaint", "porous castings in lot 3".into())])?;
        let dispute = receivable::api::Call::Dispute { debtor, part, reason, fraud: false };
        self.world.step("dispute", &goods.buyer, receivable::api::NAME, &dispute)?;
        let lost = eur(400_000);
        let reference = commitment(&[("settlement of the dispute", lost.to_decimal())])?;
        for (party, side) in [(debtor, &goods.buyer), (holder, &goods.seller)] {
            let act = PartAct::Resolve { lost };
            let agree = receivable::api::Call::Agree { party, part, act, reference };
            self.world.step("resolution", side, receivable::api::NAME, &agree)?;
        }
        self.world.say(format!(
            "{} disputes the part of {}; both agree that it loses {}.",
            goods.buyer.title,
            goods.seller.title,
            amount(&lost)
        ));
        Ok(())
    }

    /// The chain pays by itself what there is: all of the first certificate, a third of the second.
    fn due_day(&mut self, castings: &Certificate, resin: &Certificate) -> CliResult<()> {
        let due = crate::contracts::chain_date(castings.due.max(resin.due));
        self.world.say(format!("\nThe business date moves on to {due}; nobody does anything else."));
        advance(self.world, due)?;
        for certificate in [castings, resin] {
            let paid = self.certificate(certificate.id)?;
            let totals = &paid.totals;
            self.world.say(format!(
                "Of {} the chain paid {}; {} is overdue.",
                amount(&totals.face),
                amount(&totals.settled),
                amount(&totals.outstanding)
            ));
            self.moves.give(paid.debtor, totals.settled);
            for leaf in ledger::leaves(self.world, certificate.id)? {
                self.moves.get(leaf.holder, leaf.settled);
            }
        }
        Ok(())
    }

    /// Who did not get its money turns to who passed the part on, hop by hop.
    fn recourse(&mut self, resin: &Certificate) -> CliResult<()> {
        let over = crate::contracts::chain_date(resin.due).plus_days(i32::from(GRACE_DAYS) + 1);
        advance(self.world, over)?;
        self.world.say(format!("\n{over}: grace is over, and Ferro Appliances has not paid."));
        let of_gulf = resin.root.child(0);
        self.claim_back(&IRIS, &HILLTOP, of_gulf.child(1))?;
        for part in [of_gulf.child(0), of_gulf.child(1)] {
            self.claim_back(&HILLTOP, &GULF, part)?;
        }
        self.world.say("What Ferro Appliances still owes is Gulf Plastics' loss.");
        Ok(())
    }

    fn claim_back(&mut self, holder: &Party, from: &Party, part: PartId) -> CliResult<()> {
        let claim = receivable::api::Call::ClaimRecourse { holder: account(holder.account()), part };
        self.world.step("recourse", holder, receivable::api::NAME, &claim)?;
        self.make_good(from, holder, &OTHER_BANK)
    }
}

fn with(recourse: Recourse) -> &'static str {
    match recourse {
        Recourse::With => "with",
        Recourse::Without => "without",
    }
}

fn facts(goods: &Goods, kind: Kind, number: &str, payable: Money, today: BusinessDate) -> CliResult<Facts> {
    let currency = payable.currency.to_string().parse().map_err(|_| foreign("a currency of another form"))?;
    Ok(Facts {
        kind,
        type_code: None,
        number: number.into(),
        issue_date: Some(today),
        due_date: None,
        currency,
        exponent: 2,
        payable_minor: Some(payable.minor),
        tax_minor: None,
        seller: Some(goods.seller.title.into()),
        buyer: Some(goods.buyer.title.into()),
    })
}

fn fingerprint(facts: &Facts) -> CliResult<Hash> {
    Ok(Hash(facts.fingerprint().map_err(incomplete)?.0.0))
}

fn incomplete(missing: impl std::fmt::Display) -> CliError {
    CliError::refused("no_fingerprint", missing.to_string())
}
