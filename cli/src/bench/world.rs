//! What a workload needs before it starts: certificates, parts, and transactions signed beforehand.

#![allow(clippy::disallowed_methods)] // A benchmark reads the clock; nothing else depends on what it reads.

use std::time::{Duration, Instant};

use codec::Encode;
use portolan_interface::financing::{self, OfferTerms};
use portolan_interface::receivable::api::{Call, NAME};
use portolan_interface::receivable::{CertificateTerms, MAX_PARTS, Recourse};
use portolan_interface::settlement::{self, DepositPage};
use portolan_interface::trade::{self, Incoterm, InvoiceTerms, OrderAnswer, OrderTerms};
use portolan_interface::{CertificateId, Convention, DayCount, DocumentId, FinancingId, Hash, Money, PartId, Ppm};
use portolan_primitives::limits::MAX_CALLS;
use portolan_primitives::{self as chain, BusinessDate, Hash as ChainHash, Timestamp, Transaction};
use serde_json::{Value, json};

use super::new_histogram;
use crate::client::Client;
use crate::clock;
use crate::contracts::{account, ask, date, member, message};
use crate::devnet::cast::{BANK, BUYER, OTHER_BANK, Party, TIER_1, TIER_2, TIER_2_OTHER, TIER_3};
use crate::devnet::layout::Layout;
use crate::error::{CliError, CliResult};
use crate::keystore::Keystore;
use crate::submit::{self, DEFAULT_GAS, Done, Signer};

/// Parts of a certificate that are split once more by the workload; the tree then has twice as many leaves.
const PARTS_A_CERTIFICATE: usize = 4_096;
/// Days to the maturity of what is not to fall due.
const TENOR_DAYS: i32 = 90;
/// Minor units of a part.
const PART_MINOR: i128 = 1_000_000;
/// How long a signed transaction may wait: signing thousands takes a while.
const LIFE: Duration = Duration::from_secs(290);
/// Blocks of one transaction each, for the idle latency.
const IDLE_SAMPLES: usize = 50;
/// Transactions that prepare something and are under way at once.
const UNDER_WAY: usize = 32;
/// Gas that a transaction which prepares something declares at most: below what one may declare, and what a member may in a block.
const MOST_GAS: u64 = 900_000_000;
/// Minor units on the deposit of each who pays into one account.
const PAYER_MINOR: i128 = 1_000_000_000;
/// The bank's price for financing, ppm a year.
const RATE: Ppm = Ppm(43_500);

/// The network, and whom it is used for.
pub struct World {
    client: Client,
    chain: ChainHash,
    seller: Signer,
    buyer: Signer,
    bank: Signer,
    receiver: Signer,
    payers: Vec<Signer>,
    today: BusinessDate,
}

impl World {
    /// Of a running devnet.
    pub fn new(layout: &Layout) -> CliResult<Self> {
        let nodes = layout.nodes()?.into_iter().map(|node| node.api).collect();
        let client = Client::new(nodes);
        let keystore = Keystore::new(layout.keystore(), Some(layout.passphrase()));
        let signer = |party: &Party| -> CliResult<Signer> {
            let names = keystore.keys_of(&party.account_name())?;
            let keys: Result<Vec<_>, _> = names.iter().map(|name| keystore.open(name)).collect();
            Ok(Signer { account: party.account(), keys: keys? })
        };
        Ok(Self {
            chain: crate::context::chain_of(&client)?,
            today: crate::devnet::clock::date_of(&client.get("/v1/status")?)?,
            seller: signer(&TIER_1)?,
            buyer: signer(&BUYER)?,
            bank: signer(&BANK)?,
            receiver: signer(&TIER_2)?,
            payers: [TIER_1, TIER_2, TIER_2_OTHER, TIER_3, OTHER_BANK].iter().map(signer).collect::<CliResult<_>>()?,
            client,
        })
    }

    /// The nodes' addresses.
    pub fn nodes(&self) -> Vec<String> {
        self.client.nodes().to_vec()
    }

    /// The business date when the world was made.
    pub fn today(&self) -> BusinessDate {
        self.today
    }

    /// Latency of single transactions on an idle chain, from posting to the answer that it is final.
    pub fn idle_latency(&mut self) -> CliResult<Value> {
        let mut latencies = new_histogram()?;
        for sample in 0..IDLE_SAMPLES {
            let cap = money(i128::MAX / 4 - sample as i128)?;
            let call = settlement::api::Call::Serve { bank_account: account(self.bank.account), cap };
            let calls = vec![message(settlement::api::NAME, &call)];
            let transaction = submit::build(self.chain, &self.bank, calls, DEFAULT_GAS)?;
            let begun = Instant::now();
            submit::run(&self.client, &transaction)?;
            latencies.saturating_record(begun.elapsed().as_micros() as u64);
        }
        let quantile = |share: f64| latencies.value_at_quantile(share) as f64 / 1000.0;
        Ok(json!({ "samples": IDLE_SAMPLES, "p50_ms": quantile(0.5), "p99_ms": quantile(0.99) }))
    }

    // ---- workloads ----

    /// `count` signed splits of parts that are there.
    pub fn splits(&mut self, count: usize) -> CliResult<Vec<Vec<u8>>> {
        let parts = self.parts(count + 1)?;
        let half = money(PART_MINOR / 2)?;
        let split = |part: &PartId| {
            let holder = account(self.seller.account);
            message(NAME, &Call::Split { holder, part: *part, amounts: vec![half, half] })
        };
        let gas = self.gas_of(&self.seller, split(&parts[count]))?;
        parts[..count].iter().map(|part| self.signed(&self.seller, split(part), gas)).collect()
    }

    /// `pairs` signed offers of parts, and their acceptances in the same order.
    pub fn transfers(&mut self, pairs: usize) -> CliResult<[Vec<Vec<u8>>; 2]> {
        let parts = self.parts(pairs + 1)?;
        let to = account(self.receiver.account);
        let expires = date(self.today.plus_days(1));
        let offer = |part: &PartId| {
            let holder = account(self.seller.account);
            message(NAME, &Call::OfferTransfer { holder, part: *part, to, recourse: Recourse::Without, expires })
        };
        let accept = |part: &PartId| message(NAME, &Call::AcceptTransfer { receiver: to, part: *part });
        let offer_gas = self.gas_of(&self.seller, offer(&parts[pairs]))?;
        let accept_gas = self.gas_of(&self.receiver, accept(&parts[pairs]))?;
        let offers = parts[..pairs].iter().map(|part| self.signed(&self.seller, offer(part), offer_gas));
        let acceptances = parts[..pairs].iter().map(|part| self.signed(&self.receiver, accept(part), accept_gas));
        Ok([offers.collect::<CliResult<_>>()?, acceptances.collect::<CliResult<_>>()?])
    }

    /// `count` financings, each of an invoice of its own: signed requests, the bank's offers, and the acceptances that draw.
    pub fn financings(&mut self, count: usize) -> CliResult<[Vec<Vec<u8>>; 3]> {
        self.serve()?;
        let due = self.today.plus_days(TENOR_DAYS);
        let certificates = self.certificates(count + 1, PART_MINOR, due, Backing::InvoiceEach)?;
        let parts: Vec<PartId> = certificates.into_iter().map(PartId::root).collect();
        let borrower = account(self.seller.account);
        let request = |part: PartId| message(financing::api::NAME, &financing::api::Call::Request { borrower, part });
        let offer = |financing: FinancingId| -> CliResult<chain::Call> {
            let terms = OfferTerms {
                rate: RATE,
                day_count: DayCount::Act360,
                fee: money(0)?,
                recourse: Recourse::With,
                expires: date(self.today),
                registry_reference: Some("BENCH".into()),
            };
            let call = financing::api::Call::Offer { funder: account(self.bank.account), financing, terms };
            Ok(message(financing::api::NAME, &call))
        };
        // The first offer of a financing has the number 0.
        let accept = |financing: FinancingId| {
            message(financing::api::NAME, &financing::api::Call::Accept { borrower, financing, offer: 0 })
        };
        let sample = self.run(&self.seller, vec![request(parts[count])], DEFAULT_GAS)?;
        let financing: FinancingId = sample.output()?;
        let offer_gas = self.gas_of(&self.bank, offer(financing)?)?;
        let accept_gas = self.gas_of(&self.seller, accept(financing))?;
        let request_gas = with_room(&sample);
        let mut signed = [const { Vec::new() }; 3];
        for part in &parts[..count] {
            let asked = self.transaction(&self.seller, vec![request(*part)], request_gas)?;
            let financing = FinancingId::requested(Hash(asked.body.id().0), *part);
            signed[0].push(asked.encode());
            signed[1].push(self.signed(&self.bank, offer(financing)?, offer_gas)?);
            signed[2].push(self.signed(&self.seller, accept(financing), accept_gas)?);
        }
        Ok(signed)
    }

    /// `count` signed payments of five accounts in turn into the debtor's one deposit.
    pub fn payments(&mut self, count: usize) -> CliResult<Vec<Vec<u8>>> {
        self.serve()?;
        let (to, bank) = (account(self.buyer.account), member(BANK.name));
        for payer in &self.payers {
            self.deposit(payer.account, PAYER_MINOR)?;
        }
        let amount = money(1)?;
        let pay = |payer: &Signer| -> CliResult<chain::Call> {
            let (from, reference) = (account(payer.account), random()?);
            let call = settlement::api::Call::Transfer { from, to, bank, amount, reference };
            Ok(message(settlement::api::NAME, &call))
        };
        let gas = self.gas_of(&self.payers[0], pay(&self.payers[0])?)?;
        let payers = self.payers.iter().cycle().take(count);
        payers.map(|payer| self.signed(payer, pay(payer)?, gas)).collect()
    }

    /// `count` signed calls that ask whether a bank serves a currency: the least that a contract can be called for, one
    /// storage access and no write.
    pub fn blanks(&mut self, count: usize) -> CliResult<Vec<Vec<u8>>> {
        let call = settlement::api::Call::Serves { bank: member(BANK.name), currency: currency()? };
        let call = message(settlement::api::NAME, &call);
        let gas = self.gas_of(&self.seller, call.clone())?;
        (0..count).map(|_| self.signed(&self.seller, call.clone(), gas)).collect()
    }

    /// Live parts of the seller, at least `count`.
    pub fn parts(&mut self, count: usize) -> CliResult<Vec<PartId>> {
        let mut parts = Vec::new();
        while parts.len() < count {
            let wanted = (count - parts.len()).clamp(2, PARTS_A_CERTIFICATE);
            let due = self.today.plus_days(TENOR_DAYS);
            let face = PART_MINOR * wanted as i128;
            for certificate in self.certificates(1, face, due, Backing::OneInvoice)? {
                parts.extend(self.grow(PartId::root(certificate), wanted)?);
            }
        }
        parts.truncate(count);
        Ok(parts)
    }

    /// Splits a root of `leaves` equal parts down to them, in two levels.
    fn grow(&self, root: PartId, leaves: usize) -> CliResult<Vec<PartId>> {
        let split = |part: PartId, sizes: &[usize]| -> CliResult<Transaction> {
            let amounts = sizes.iter().map(|size| money(PART_MINOR * *size as i128)).collect::<CliResult<_>>()?;
            let call = Call::Split { holder: account(self.seller.account), part, amounts };
            self.transaction(&self.seller, vec![message(NAME, &call)], DEFAULT_GAS)
        };
        let children = |part: PartId, count: usize| (0..count as u16).map(move |index| part.child(index));
        if leaves <= MAX_PARTS {
            self.run_all(vec![split(root, &vec![1; leaves])?])?;
            return Ok(children(root, leaves).collect());
        }
        // Branches of at most 256 leaves, none of one alone.
        let branches = leaves.div_ceil(MAX_PARTS);
        let sizes: Vec<usize> =
            (0..branches).map(|branch| leaves / branches + usize::from(branch < leaves % branches)).collect();
        self.run_all(vec![split(root, &sizes)?])?;
        let grown = children(root, branches).zip(&sizes);
        self.run_all(grown.clone().map(|(branch, size)| split(branch, &vec![1; *size])).collect::<CliResult<_>>()?)?;
        Ok(grown.flat_map(|(branch, size)| children(branch, *size)).collect())
    }

    // ---- claims ----

    /// `count` live certificates of so many minor units each, from the buyer to the seller, due on a day.
    pub fn certificates(
        &self,
        count: usize,
        face: i128,
        due: BusinessDate,
        backing: Backing,
    ) -> CliResult<Vec<CertificateId>> {
        self.serve()?;
        let invoices = match backing {
            Backing::OneInvoice => self.invoices(1, face * count as i128, due)?,
            Backing::InvoiceEach => self.invoices(count, face, due)?,
        };
        let against = invoices.iter().cycle().take(count);
        let issue = |invoice: &DocumentId| -> CliResult<chain::Call> {
            let terms = CertificateTerms {
                creditor: account(self.seller.account),
                face: money(face)?,
                maturity: date(due),
                convention: Convention::Following,
                calendar: "demo".into(),
                grace_days: 0,
                recourse_default: Recourse::Without,
                transferable: true,
                splittable: true,
                bank: member(BANK.name),
                invoice: *invoice,
                accept_until: date(self.today),
            };
            Ok(message(NAME, &Call::Issue { debtor: account(self.buyer.account), terms }))
        };
        self.run_calls(&self.buyer, against.map(issue).collect::<CliResult<_>>()?)?;
        let certificates: Vec<CertificateId> = (0u32..)
            .zip(invoices.iter().cycle().take(count))
            .map(|(number, invoice)| {
                CertificateId::against(*invoice, if backing == Backing::OneInvoice { number } else { 0 })
            })
            .collect();
        let creditor = account(self.seller.account);
        let accept = |certificate: &CertificateId| message(NAME, &Call::Accept { creditor, certificate: *certificate });
        self.run_calls(&self.seller, certificates.iter().map(accept).collect())?;
        Ok(certificates)
    }

    /// `count` matched invoices of so many minor units each, on an order of their own.
    fn invoices(&self, count: usize, payable: i128, due: BusinessDate) -> CliResult<Vec<DocumentId>> {
        let (buyer, seller) = (account(self.buyer.account), account(self.seller.account));
        let order = self.order(payable * count as i128, due)?;
        let register = |commitment: Hash| -> CliResult<chain::Call> {
            let terms = InvoiceTerms {
                issued: date(self.today),
                due: Some(date(due)),
                payable: money(payable)?,
                tax_minor: 0,
                seller,
                buyer,
                order,
                quantity: None,
                bill: None,
                declaration: None,
                fingerprint: random()?,
                near: random()?,
                commitment,
            };
            Ok(message(trade::api::NAME, &trade::api::Call::RegisterInvoice { registrant: seller, terms }))
        };
        let commitments = (0..count).map(|_| random()).collect::<CliResult<Vec<Hash>>>()?;
        self.run_calls(&self.seller, commitments.iter().map(|one| register(*one)).collect::<CliResult<_>>()?)?;
        let invoices: Vec<DocumentId> = commitments.iter().map(|one| DocumentId::invoice(seller, *one)).collect();
        let matched = |invoice: &DocumentId| {
            message(trade::api::NAME, &trade::api::Call::MatchInvoice { party: seller, invoice: *invoice })
        };
        self.run_calls(&self.seller, invoices.iter().map(matched).collect())?;
        Ok(invoices)
    }

    /// An accepted order.
    fn order(&self, total: i128, until: BusinessDate) -> CliResult<DocumentId> {
        let (buyer, seller) = (account(self.buyer.account), account(self.seller.account));
        let terms = OrderTerms {
            seller,
            lines: random()?,
            total: money(total)?,
            deliver_from: date(self.today),
            deliver_until: date(until),
            incoterm: Incoterm::Exw,
            cross_border: false,
            quantity: None,
            tolerance_class: 0,
        };
        let offer = message(trade::api::NAME, &trade::api::Call::OfferOrder { buyer, terms });
        let order: DocumentId = self.run(&self.buyer, vec![offer], DEFAULT_GAS)?.output()?;
        let answer = trade::api::Call::AnswerOrder { seller, order, answer: OrderAnswer::Accept };
        self.run(&self.seller, vec![message(trade::api::NAME, &answer)], DEFAULT_GAS)?;
        Ok(order)
    }

    // ---- money ----

    /// The bank serves the currency without a bound that is met.
    fn serve(&self) -> CliResult<()> {
        let call =
            settlement::api::Call::Serve { bank_account: account(self.bank.account), cap: money(i128::MAX / 4)? };
        self.run(&self.bank, vec![message(settlement::api::NAME, &call)], DEFAULT_GAS).map(drop)
    }

    /// The bank owes an account so much more.
    fn deposit(&self, to: chain::AccountId, minor: i128) -> CliResult<()> {
        let (bank_account, reference) = (account(self.bank.account), random()?);
        let call = settlement::api::Call::Issue { bank_account, to: account(to), amount: money(minor)?, reference };
        self.run(&self.bank, vec![message(settlement::api::NAME, &call)], DEFAULT_GAS).map(drop)
    }

    /// The debtor gets what its certificates will cost.
    pub fn fund_debtor(&self, minor: i128) -> CliResult<()> {
        self.deposit(self.buyer.account, minor)
    }

    /// What the debtor has at the bank, minor units.
    pub fn debtor_has(&self) -> CliResult<i128> {
        let question = settlement::api::Query::Deposits { account: account(self.buyer.account), from: Some(0) };
        let page: DepositPage = ask(&self.client, settlement::api::NAME, &question)?;
        Ok(page.deposits.iter().map(|deposit| deposit.balance.minor).sum())
    }

    /// The day on which a certificate is paid.
    pub fn due_of(&self, id: CertificateId) -> CliResult<BusinessDate> {
        let question = portolan_interface::receivable::api::Query::Certificate { id };
        let certificate: portolan_interface::receivable::Certificate = ask(&self.client, NAME, &question)?;
        Ok(crate::contracts::chain_date(certificate.due))
    }

    // ---- sending ----

    fn transaction(&self, signer: &Signer, calls: Vec<chain::Call>, gas: u64) -> CliResult<Transaction> {
        let salt = clock::random().map_err(|error| CliError::refused("no_randomness", error.to_string()))?;
        let expires: Timestamp = clock::after(LIFE);
        submit::build_with(self.chain, signer, calls, gas, salt, expires)
    }

    fn signed(&self, signer: &Signer, call: chain::Call, gas: u64) -> CliResult<Vec<u8>> {
        Ok(self.transaction(signer, vec![call], gas)?.encode())
    }

    fn run(&self, signer: &Signer, calls: Vec<chain::Call>, gas: u64) -> CliResult<Done> {
        submit::run(&self.client, &self.transaction(signer, calls, gas)?)
    }

    /// Runs one call, and answers the gas to declare for others like it.
    fn gas_of(&self, signer: &Signer, call: chain::Call) -> CliResult<u64> {
        Ok(with_room(&self.run(signer, vec![call], DEFAULT_GAS)?))
    }

    /// Runs calls of one kind, as many in a transaction as it takes, none of them needing another.
    fn run_calls(&self, signer: &Signer, calls: Vec<chain::Call>) -> CliResult<()> {
        let mut calls = calls.into_iter();
        let Some(first) = calls.next() else { return Ok(()) };
        let gas = self.gas_of(signer, first)?;
        let together = usize::try_from(MOST_GAS / gas.max(1)).unwrap_or(MAX_CALLS).clamp(1, MAX_CALLS);
        let calls: Vec<chain::Call> = calls.collect();
        let transaction = |calls: &[chain::Call]| self.transaction(signer, calls.to_vec(), gas * calls.len() as u64);
        let transactions: Vec<&[chain::Call]> = calls.chunks(together).collect();
        // Signed shortly before they are sent: none lives longer than some minutes.
        transactions
            .chunks(UNDER_WAY)
            .try_for_each(|some| self.run_all(some.iter().map(|calls| transaction(calls)).collect::<CliResult<_>>()?))
    }

    /// Runs transactions of which none needs another, many at once.
    fn run_all(&self, transactions: Vec<Transaction>) -> CliResult<()> {
        for some in transactions.chunks(UNDER_WAY) {
            for transaction in some {
                self.client.submit(transaction)?;
            }
            for transaction in some {
                let id = transaction.body.id();
                submit::finished(id, self.client.wait(&id, transaction.body.expires_at, clock::now)?)?;
            }
        }
        Ok(())
    }
}

/// What certificates rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// All on one invoice.
    OneInvoice,
    /// Each on its own: an invoice backs one live financing.
    InvoiceEach,
}

/// Gas to declare for what is like this: what it used and a third.
fn with_room(done: &Done) -> u64 {
    let used = done.answer["receipt"]["gas"].as_u64().unwrap_or(DEFAULT_GAS);
    used + used / 3
}

fn random() -> CliResult<Hash> {
    Ok(Hash(clock::random().map_err(|error| CliError::refused("no_randomness", error.to_string()))?))
}

fn money(minor: i128) -> CliResult<Money> {
    Ok(Money { minor, currency: currency()? })
}

fn currency() -> CliResult<portolan_terms::Currency> {
    "CNY".parse().map_err(|error: portolan_terms::TermsError| CliError::refused("bench", error.to_string()))
}
