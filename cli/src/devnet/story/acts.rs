//! The story's steps, in order. Each is a transaction of the party that really would send it.

use portolan_interface::financing::{self, OfferTerms};
use portolan_interface::receivable::{self, Certificate, CertificateState, CertificateTerms, DuePurpose, Recourse};
use portolan_interface::settlement::{self, BookPage, Deposit, DepositPage};
use portolan_interface::trade::{
    self, BillTerms, CustomsDecision, DeclarationTerms, Direction, EndorsementForm, Incoterm, InvoiceTerms,
    OrderAnswer, OrderTerms, TitleStep,
};
use portolan_interface::{CertificateId, Convention, DayCount, DocumentId, FinancingId, Hash, Money, PartId, Ppm};
use portolan_primitives::BusinessDate;
use portolan_runtime::native::clock::messages::Call as ClockCall;

use super::plan::StoryPlan;
use super::world::{World, amount, foreign};
use crate::client::ClientError;
use crate::commitment::SaltedDocument;
use crate::contracts::{account, date, hash, member, message};
use crate::devnet::cast::{
    BANK, BUYER, CARRIER, CUSTOMS, OTHER_BANK, PLATFORM, Party, TIER_1, TIER_2, TIER_2_OTHER, TIER_3,
};
use crate::error::{CliError, CliResult};

/// The bank's price: 4.35 % a year.
const RATE: Ppm = Ppm(43_500);
/// How much more than asked for the demo's bank may owe, in payables.
const CAP_FACTOR: i128 = 20;

/// What the steps left behind, read back from the chain.
pub struct Acts {
    /// The invoice's number.
    pub number: String,
    /// Business date of the steps.
    pub issued: BusinessDate,
    /// The day of payment.
    pub due: BusinessDate,
    /// The order.
    pub order: DocumentId,
    /// The bill of lading.
    pub bill: DocumentId,
    /// The declaration.
    pub declaration: DocumentId,
    /// The certificate.
    pub certificate: CertificateId,
    /// The discounted part's proceeds for the borrower.
    pub proceeds: Money,
    /// Deposits before anybody was paid, by account name.
    pub before: Vec<(String, Deposit)>,
    /// Deposits at the end.
    pub balances: Vec<(String, Deposit)>,
    /// Code of the second financing's refusal.
    pub second_financing: String,
    /// State roots of the live nodes at one height.
    pub roots: Vec<String>,
}

/// Plays the whole story up to the payment.
pub fn play(world: &mut World, plan: &StoryPlan) -> CliResult<Acts> {
    fund_buyer(world, plan)?;
    let before_discount = deposits(world, plan)?;
    let order = trade_order(world, plan)?;
    let bill = ship(world, plan, order)?;
    let declaration = clear_customs(world, plan, order, bill)?;
    let invoice = register_invoice(world, plan, order, bill, declaration)?;
    let certificate = issue(world, plan, invoice)?;
    let parts = split(world, plan, certificate.root)?;
    pass_on(world, plan, &parts)?;
    let proceeds = discount(world, plan, parts[2])?;
    let second_financing = finance_again(world, parts[0])?;
    settle(world, plan, &certificate)?;
    Ok(Acts {
        number: plan.facts.number.clone(),
        issued: plan.issued,
        due: BusinessDate(certificate.due.0),
        order,
        bill,
        declaration,
        certificate: certificate.id,
        proceeds,
        before: before_discount,
        balances: deposits(world, plan)?,
        second_financing,
        roots: vec![],
    })
}

/// The bank owes the buyer what the certificate will cost: the buyer's money, as a deposit.
fn fund_buyer(world: &mut World, plan: &StoryPlan) -> CliResult<()> {
    let bank = account(BANK.account());
    let needed = plan.payable.minor.saturating_mul(CAP_FACTOR);
    let question =
        settlement::api::Query::Book { bank: member(BANK.name), currency: plan.payable.currency, from: None };
    let owed = match world.ask::<BookPage>(settlement::api::NAME, &question) {
        Ok(page) => page.book.outstanding.minor,
        Err(CliError::Client(ClientError::Refused(_))) => 0,
        Err(error) => return Err(error),
    };
    let cap = Money { minor: owed.saturating_add(needed), ..plan.payable };
    let serve = settlement::api::Call::Serve { bank_account: bank, cap };
    let reference = random_hash()?;
    let issue = settlement::api::Call::Issue {
        bank_account: bank,
        to: account(BUYER.account()),
        amount: plan.payable,
        reference,
    };
    let calls = vec![message(settlement::api::NAME, &serve), message(settlement::api::NAME, &issue)];
    world.send(&BANK, calls)?;
    world.say(format!(
        "Harbour Bank serves {} and owes Atlas Motors a deposit of {}.",
        plan.payable.currency,
        amount(&plan.payable)
    ));
    Ok(())
}

pub fn random_hash() -> CliResult<Hash> {
    let bytes = crate::clock::random().map_err(|error| CliError::refused("no_randomness", error.to_string()))?;
    Ok(Hash(bytes))
}

/// Commitment to a document of the story.
pub fn commitment(fields: &[(&str, String)]) -> CliResult<Hash> {
    let salted = SaltedDocument::new(fields).map_err(|error| CliError::refused("no_randomness", error.to_string()))?;
    Ok(hash(salted.commitment()))
}

fn trade_order(world: &mut World, plan: &StoryPlan) -> CliResult<DocumentId> {
    let lines = commitment(&[("invoice", plan.facts.number.clone()), ("total", plan.payable.to_decimal())])?;
    let terms = OrderTerms {
        seller: account(TIER_1.account()),
        lines,
        total: plan.payable,
        deliver_from: date(plan.issued),
        deliver_until: date(plan.due),
        incoterm: Incoterm::Fob,
        cross_border: true,
        quantity: None,
        tolerance_class: 0,
    };
    let offer = trade::api::Call::OfferOrder { buyer: account(BUYER.account()), terms };
    let order: DocumentId = world.step("order", &BUYER, trade::api::NAME, &offer)?.output()?;
    world.say(format!("Order: Atlas Motors orders goods for {} from Bright Castings.", amount(&plan.payable)));
    let seller = account(TIER_1.account());
    let answer = trade::api::Call::AnswerOrder { seller, order, answer: OrderAnswer::Accept };
    world.step("order-acceptance", &TIER_1, trade::api::NAME, &answer)?;
    world.say("Bright Castings accepts it in full.");
    Ok(order)
}

fn ship(world: &mut World, plan: &StoryPlan, order: DocumentId) -> CliResult<DocumentId> {
    let seller = account(TIER_1.account());
    let terms = BillTerms {
        number: bill_number(plan),
        shipper: seller,
        consignee: None,
        order,
        // The worked example of ISO 6346: check digit 3.
        containers: vec!["CSQU3054383".into()],
        loading: "CNSHA".into(),
        discharge: "DEHAM".into(),
        on_board: date(plan.issued),
        negotiable: true,
        holder: seller,
        beneficiary: seller,
        commitment: commitment(&[("goods", "as ordered".into())])?,
        replaces: None,
        earlier: vec![],
    };
    let issue = trade::api::Call::IssueBill { carrier: account(CARRIER.account()), terms };
    let bill: DocumentId = world.step("bill-of-lading", &CARRIER, trade::api::NAME, &issue)?.output()?;
    let form = EndorsementForm::ToOrder(account(BUYER.account()));
    let step = TitleStep { seen: 1, remark: None };
    let endorse = trade::api::Call::Endorse { owner: seller, bill, form, step };
    world.send(&TIER_1, vec![message(trade::api::NAME, &endorse)])?;
    world.say(
        "Meridian Logistics issues a negotiable bill of lading; Bright Castings endorses the title to Atlas Motors.",
    );
    Ok(bill)
}

/// A carrier's number is unique; the fingerprint's first digits make this one so.
fn bill_number(plan: &StoryPlan) -> String {
    format!("MRDN{}", plan.fingerprint.to_string().chars().take(16).collect::<String>().to_ascii_uppercase())
}

fn clear_customs(world: &mut World, plan: &StoryPlan, order: DocumentId, bill: DocumentId) -> CliResult<DocumentId> {
    let terms = DeclarationTerms {
        customs: member(CUSTOMS.name),
        direction: Direction::Export,
        order,
        bill,
        hs_codes: vec!["870899".into()],
        value: plan.payable,
        commitment: commitment(&[("declared", plan.payable.to_decimal())])?,
    };
    let lodge = trade::api::Call::LodgeDeclaration { declarant: account(TIER_1.account()), terms };
    let declaration: DocumentId = world.send(&TIER_1, vec![message(trade::api::NAME, &lodge)])?.output()?;
    let customs = account(CUSTOMS.account());
    let decide =
        |decision| message(trade::api::NAME, &trade::api::Call::DecideDeclaration { customs, declaration, decision });
    let decisions = [CustomsDecision::Accept, CustomsDecision::Release, CustomsDecision::Clear];
    world.step_of("customs-clearance", &CUSTOMS, decisions.into_iter().map(decide).collect())?;
    world.say("Port Customs accepts the export declaration, releases and clears the goods.");
    Ok(declaration)
}

fn invoice_terms(
    plan: &StoryPlan,
    fingerprint: &crate::document::InvoiceFingerprint,
    order: DocumentId,
    bill: DocumentId,
    declaration: DocumentId,
) -> CliResult<InvoiceTerms> {
    let facts = &plan.facts;
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let fields = [
        ("number", facts.number.clone()),
        ("seller", optional(&facts.seller)),
        ("buyer", optional(&facts.buyer)),
        ("payable", plan.payable.to_decimal()),
    ];
    Ok(InvoiceTerms {
        issued: date(plan.issued),
        due: Some(date(plan.due)),
        payable: plan.payable,
        tax_minor: facts.tax_minor.unwrap_or_default(),
        seller: account(TIER_1.account()),
        buyer: account(BUYER.account()),
        order,
        quantity: None,
        bill: Some(bill),
        declaration: Some(declaration),
        fingerprint: Hash(fingerprint.0.0),
        near: hash(facts.near_key().map_err(|missing| CliError::refused("no_fingerprint", missing.to_string()))?),
        commitment: commitment(&fields)?,
    })
}

fn register_invoice(
    world: &mut World,
    plan: &StoryPlan,
    order: DocumentId,
    bill: DocumentId,
    declaration: DocumentId,
) -> CliResult<DocumentId> {
    let terms = invoice_terms(plan, &plan.fingerprint, order, bill, declaration)?;
    let seller = account(TIER_1.account());
    let invoice = DocumentId::invoice(seller, terms.commitment);
    let register = trade::api::Call::RegisterInvoice { registrant: seller, terms };
    let matching = trade::api::Call::MatchInvoice { party: seller, invoice };
    let calls = vec![message(trade::api::NAME, &register), message(trade::api::NAME, &matching)];
    let done = world.step_of("invoice", &TIER_1, calls)?;
    let registered: DocumentId = done.output()?;
    if registered != invoice {
        return Err(foreign("another invoice id than its commitment gives"));
    }
    world.say(format!(
        "Invoice {} is registered by its fingerprint and matched with order, bill and declaration.",
        plan.facts.number
    ));
    Ok(invoice)
}

/// Registers the unchanged file again: it was financed in an earlier run, and the chain knows.
pub fn register_again(world: &mut World, first: &StoryPlan, plan: &StoryPlan, acts: &Acts) -> CliResult<()> {
    let as_filed = StoryPlan { facts: first.facts.clone(), ..plan.clone() };
    let terms = invoice_terms(&as_filed, &first.fingerprint_of_file, acts.order, acts.bill, acts.declaration)?;
    let register = trade::api::Call::RegisterInvoice { registrant: account(TIER_1.account()), terms };
    let code = world.refused_step("duplicate-invoice-refused", &TIER_1, trade::api::NAME, &register)?;
    let held = code.ends_with("DuplicateInvoice");
    world.check("duplicate-invoice-refused", held, format!("the unchanged file again: {code}"));
    Ok(())
}

fn issue(world: &mut World, plan: &StoryPlan, invoice: DocumentId) -> CliResult<Certificate> {
    let creditor = account(TIER_1.account());
    let terms = CertificateTerms {
        creditor,
        face: plan.payable,
        maturity: date(plan.due),
        convention: Convention::Following,
        calendar: "demo".into(),
        grace_days: 0,
        recourse_default: Recourse::Without,
        transferable: true,
        splittable: true,
        bank: member(BANK.name),
        invoice,
        accept_until: date(plan.issued),
    };
    let issue = receivable::api::Call::Issue { debtor: account(BUYER.account()), terms };
    let id: CertificateId = world.step("certificate-issue", &BUYER, receivable::api::NAME, &issue)?.output()?;
    let accept = receivable::api::Call::Accept { creditor, certificate: id };
    world.step("certificate-acceptance", &TIER_1, receivable::api::NAME, &accept)?;
    let certificate: Certificate = world.ask(receivable::api::NAME, &receivable::api::Query::Certificate { id })?;
    world.say(format!(
        "Atlas Motors (maker and checker) issues a certificate for {}, payable {}; Bright Castings accepts it.",
        amount(&certificate.totals.face),
        BusinessDate(certificate.due.0),
    ));
    Ok(certificate)
}

fn split(world: &mut World, plan: &StoryPlan, root: PartId) -> CliResult<Vec<PartId>> {
    let holder = account(TIER_1.account());
    let split = receivable::api::Call::Split { holder, part: root, amounts: plan.parts.clone() };
    world.step("split", &TIER_1, receivable::api::NAME, &split)?;
    let amounts: Vec<String> = plan.parts.iter().map(amount).collect();
    world.say(format!("Bright Castings splits it three ways: {}.", amounts.join(", ")));
    Ok((0..super::plan::PARTS).map(|index| root.child(index)).collect())
}

fn pass_on(world: &mut World, plan: &StoryPlan, parts: &[PartId]) -> CliResult<()> {
    transfer(world, plan, "transfer-1", parts[1], &TIER_1, &TIER_2)?;
    transfer(world, plan, "transfer-2", parts[2], &TIER_1, &TIER_2_OTHER)?;
    transfer(world, plan, "transfer-tier-3", parts[1], &TIER_2, &TIER_3)
}

/// The holder offers without recourse; the step is the receiver's acceptance.
fn transfer(
    world: &mut World,
    plan: &StoryPlan,
    name: &'static str,
    part: PartId,
    from: &Party,
    to: &Party,
) -> CliResult<()> {
    let offer = receivable::api::Call::OfferTransfer {
        holder: account(from.account()),
        part,
        to: account(to.account()),
        recourse: Recourse::Without,
        expires: date(plan.issued),
    };
    world.send(from, vec![message(receivable::api::NAME, &offer)])?;
    let accept = receivable::api::Call::AcceptTransfer { receiver: account(to.account()), part };
    world.step(name, to, receivable::api::NAME, &accept)?;
    world.say(format!("{} passes a part to {}, without recourse.", from.title, to.title));
    Ok(())
}

fn discount(world: &mut World, plan: &StoryPlan, part: PartId) -> CliResult<Money> {
    let borrower = account(TIER_2_OTHER.account());
    let request = financing::api::Call::Request { borrower, part };
    let id: FinancingId = world.send(&TIER_2_OTHER, vec![message(financing::api::NAME, &request)])?.output()?;
    let terms = OfferTerms {
        rate: RATE,
        day_count: DayCount::Act360,
        fee: Money { minor: 0, ..plan.payable },
        recourse: Recourse::With,
        expires: date(plan.issued),
        registry_reference: Some(format!("REG{}", hex_prefix(&id.0))),
    };
    let offer = financing::api::Call::Offer { funder: account(BANK.account()), financing: id, terms };
    let number: u32 = world.send(&BANK, vec![message(financing::api::NAME, &offer)])?.output()?;
    let accept = financing::api::Call::Accept { borrower, financing: id, offer: number };
    world.step("discount", &TIER_2_OTHER, financing::api::NAME, &accept)?;
    let view: financing::FinancingView = world.ask(financing::api::NAME, &financing::api::Query::Financing { id })?;
    let draw = view.financing.draw.ok_or_else(|| foreign("a drawn financing without its draw"))?;
    world.say(format!(
        "Delta Alloys has its part of {} discounted by Harbour Bank at 4.35 % with recourse: {} off, {} on the account at once.",
        amount(&draw.face),
        amount(&draw.discount),
        amount(&draw.proceeds),
    ));
    Ok(draw.proceeds)
}

fn hex_prefix(bytes: &[u8]) -> String {
    bytes.iter().take(8).map(|byte| format!("{byte:02X}")).collect()
}

fn finance_again(world: &mut World, part: PartId) -> CliResult<String> {
    let request = financing::api::Call::Request { borrower: account(TIER_1.account()), part };
    let code = world.refused_step("second-financing-refused", &TIER_1, financing::api::NAME, &request)?;
    world
        .say(format!("Bright Castings asks {} to finance another part of the same invoice: {code}.", OTHER_BANK.title));
    Ok(code)
}

/// Lets the due date come; the chain pays by itself.
fn settle(world: &mut World, _plan: &StoryPlan, certificate: &Certificate) -> CliResult<()> {
    let due = BusinessDate(certificate.due.0);
    let agenda: Vec<receivable::DueEntry> =
        world.ask(receivable::api::NAME, &receivable::api::Query::Agenda { id: certificate.id })?;
    let maturity = agenda.iter().find(|entry| entry.purpose == DuePurpose::Maturity);
    let entry = maturity.ok_or_else(|| foreign("a live certificate without its due date on the agenda"))?.entry;
    world.say(format!("\nThe business date moves on to {due}; nobody does anything else."));
    let from = world.client.get("/v1/status")?["height"].as_u64().unwrap_or_default();
    advance(world, due)?;
    let id = portolan_primitives::AgendaId(entry.0).to_string();
    let height = find_agenda_run(world, &id, from)?;
    world.record("settlement", id, height, "ok");
    let paid: Certificate =
        world.ask(receivable::api::NAME, &receivable::api::Query::Certificate { id: certificate.id })?;
    if paid.state != CertificateState::Settled {
        let message = format!("on {due} the certificate is {:?}, not settled", paid.state);
        return Err(CliError::refused("not_settled", message));
    }
    world.say(format!("In block {height} the chain paid every holder: {} settled.", amount(&paid.totals.settled)));
    Ok(())
}

/// Moves the business date and waits until that day's agenda is done.
pub fn advance(world: &mut World, to: BusinessDate) -> CliResult<()> {
    world.send(&PLATFORM, vec![message("clock", &ClockCall::AdvanceTo { date: to })])?;
    crate::devnet::clock::wait_for_date(&world.client, to)
}

/// The block in which an agenda entry had its outcome.
fn find_agenda_run(world: &World, id: &str, from: u64) -> CliResult<u64> {
    let to = world.client.get("/v1/status")?["height"].as_u64().unwrap_or_default();
    for height in from..=to {
        let block = world.client.get(&format!("/v1/blocks/{height}"))?;
        let receipts = block["receipts"].as_array().into_iter().flatten();
        if receipts.filter(|receipt| receipt["origin"]["agenda"] == id).any(|receipt| receipt["outcome"] == "ok") {
            return Ok(height);
        }
    }
    Err(CliError::refused("not_settled", format!("no block up to {to} holds the outcome of the due date {id}")))
}

/// The parties' deposits in the story's currency.
pub fn deposits(world: &World, plan: &StoryPlan) -> CliResult<Vec<(String, Deposit)>> {
    let mut found = Vec::new();
    for party in [BUYER, TIER_1, TIER_2, TIER_2_OTHER, TIER_3, BANK] {
        let mut from = Some(0);
        while let Some(start) = from {
            let question = settlement::api::Query::Deposits { account: account(party.account()), from: Some(start) };
            let page: DepositPage = world.ask(settlement::api::NAME, &question)?;
            let next = start + page.deposits.len() as u32;
            from = Some(next).filter(|next| *next < page.count && *next > start);
            let wanted = page.deposits.into_iter().filter(|deposit| deposit.balance.currency == plan.payable.currency);
            found.extend(wanted.map(|deposit| (party.account_name(), deposit)));
        }
    }
    Ok(found)
}
