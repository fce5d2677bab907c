//! What a workload needs before it starts: certificates, parts, and transactions signed beforehand.

#![allow(clippy::disallowed_methods)] // A benchmark reads the clock; nothing else depends on what it reads.

use std::time::{Duration, Instant};

use codec::Encode;
use portolan_interface::receivable::api::{Call, NAME};
use portolan_interface::receivable::{CertificateTerms, MAX_PARTS, Recourse};
use portolan_interface::settlement;
use portolan_interface::trade::{self, Incoterm, InvoiceTerms, OrderAnswer, OrderTerms};
use portolan_interface::{CertificateId, Convention, DocumentId, Hash, Money, PartId};
use portolan_primitives::{BusinessDate, Hash as ChainHash, Timestamp};
use serde_json::{Value, json};

use crate::client::Client;
use crate::clock;
use crate::contracts::{account, date, member, message};
use crate::devnet::cast::{BANK, BUYER, Party, TIER_1, TIER_2};
use crate::devnet::layout::Layout;
use crate::error::{CliError, CliResult};
use crate::keystore::Keystore;
use crate::submit::{self, DEFAULT_GAS, Done, Signer};

/// Parts of a certificate that are split once more by the workload; the tree then has twice as many leaves.
const PARTS_A_CERTIFICATE: usize = 4_096;
/// Minor units of a part.
const PART_MINOR: i128 = 1_000_000;
/// How long a signed transaction may wait: signing thousands takes a while.
const LIFE: Duration = Duration::from_secs(290);
/// Blocks of one transaction each, for the idle latency.
const IDLE_SAMPLES: usize = 50;

/// The network, and whom it is used for.
pub struct World {
    client: Client,
    chain: ChainHash,
    seller: Signer,
    buyer: Signer,
    bank: Signer,
    receiver: Signer,
    today: BusinessDate,
    certificates: u32,
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
            client,
            certificates: 0,
        })
    }

    /// The nodes' addresses.
    pub fn nodes(&self) -> Vec<String> {
        self.client.nodes().to_vec()
    }

    fn send(&self, signer: &Signer, contract: &'static str, call: &impl Encode) -> CliResult<Done> {
        let calls = vec![message(contract, call)];
        submit::run(&self.client, &submit::build(self.chain, signer, calls, DEFAULT_GAS)?)
    }

    /// Latency of single transactions on an idle chain, from posting to the answer that it is final.
    pub fn idle_latency(&mut self) -> CliResult<Value> {
        let failed = |error: hdrhistogram::CreationError| CliError::refused("bench", error.to_string());
        let mut latencies =
            hdrhistogram::Histogram::<u64>::new_with_bounds(1, crate::bench::LONGEST_US, 3).map_err(failed)?;
        for sample in 0..IDLE_SAMPLES {
            let cap = Money { minor: i128::MAX / 4 - sample as i128, currency: currency()? };
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

    /// `count` signed splits of parts that are there.
    pub fn prepare_splits(&mut self, count: usize) -> CliResult<Vec<Vec<u8>>> {
        let parts = self.parts(count + 1)?;
        let half = Money { minor: PART_MINOR / 2, currency: currency()? };
        let split = |part: &PartId| {
            let holder = account(self.seller.account);
            Call::Split { holder, part: *part, amounts: vec![half, half] }
        };
        let gas = self.gas_of(&self.seller, &split(&parts[count]))?;
        parts[..count].iter().map(|part| self.signed(&self.seller, &split(part), gas)).collect()
    }

    /// `count` signed transfers: offers in the first half, their acceptances in the second.
    pub fn prepare_transfers(&mut self, count: usize) -> CliResult<Vec<Vec<u8>>> {
        let pairs = count / 2;
        let parts = self.parts(pairs + 1)?;
        let to = account(self.receiver.account);
        let expires = date(self.today.plus_days(1));
        let offer = |part: &PartId| {
            let holder = account(self.seller.account);
            Call::OfferTransfer { holder, part: *part, to, recourse: Recourse::Without, expires }
        };
        let accept = |part: &PartId| Call::AcceptTransfer { receiver: to, part: *part };
        let offer_gas = self.gas_of(&self.seller, &offer(&parts[pairs]))?;
        let accept_gas = self.gas_of(&self.receiver, &accept(&parts[pairs]))?;
        let offers = parts[..pairs].iter().map(|part| self.signed(&self.seller, &offer(part), offer_gas));
        let acceptances = parts[..pairs].iter().map(|part| self.signed(&self.receiver, &accept(part), accept_gas));
        offers.chain(acceptances).collect()
    }

    /// Runs one, and answers the gas to declare for others like it: what it used and a third.
    fn gas_of(&self, signer: &Signer, call: &Call) -> CliResult<u64> {
        let done = self.send(signer, NAME, call)?;
        let used = done.answer["receipt"]["gas"].as_u64().unwrap_or(DEFAULT_GAS);
        Ok(used + used / 3)
    }

    fn signed(&self, signer: &Signer, call: &Call, gas: u64) -> CliResult<Vec<u8>> {
        let salt = clock::random().map_err(|error| CliError::refused("no_randomness", error.to_string()))?;
        let expires: Timestamp = clock::after(LIFE);
        let calls = vec![message(NAME, call)];
        Ok(submit::build_with(self.chain, signer, calls, gas, salt, expires)?.encode())
    }

    /// At least `count` live parts of the seller.
    fn parts(&mut self, count: usize) -> CliResult<Vec<PartId>> {
        let mut parts = Vec::new();
        while parts.len() < count {
            let wanted = (count - parts.len()).clamp(2, PARTS_A_CERTIFICATE);
            let root = self.certificate(wanted)?;
            parts.extend(self.grow(root, wanted)?);
        }
        parts.truncate(count);
        Ok(parts)
    }

    /// Splits a root of `leaves` equal parts down to them, in two levels.
    fn grow(&self, root: PartId, leaves: usize) -> CliResult<Vec<PartId>> {
        let amount = |leaves: usize| -> CliResult<Money> {
            Ok(Money { minor: PART_MINOR * leaves as i128, currency: currency()? })
        };
        let split = |part: PartId, amounts: Vec<Money>| {
            self.send(&self.seller, NAME, &Call::Split { holder: account(self.seller.account), part, amounts })
        };
        if leaves <= MAX_PARTS {
            split(root, (0..leaves).map(|_| amount(1)).collect::<CliResult<_>>()?)?;
            return Ok((0..leaves as u16).map(|index| root.child(index)).collect());
        }
        // Branches of at most 256 leaves, none of one alone.
        let branches = leaves.div_ceil(MAX_PARTS);
        let sizes: Vec<usize> =
            (0..branches).map(|branch| leaves / branches + usize::from(branch < leaves % branches)).collect();
        split(root, sizes.iter().map(|size| amount(*size)).collect::<CliResult<_>>()?)?;
        let mut parts = Vec::with_capacity(leaves);
        for (branch, size) in (0u16..).zip(&sizes) {
            parts.extend(self.grow(root.child(branch), *size)?);
        }
        Ok(parts)
    }

    /// A live certificate for so many parts, with an order and an invoice of its own.
    fn certificate(&mut self, leaves: usize) -> CliResult<PartId> {
        self.certificates += 1;
        let face = Money { minor: PART_MINOR * leaves as i128, currency: currency()? };
        let (buyer, seller) = (account(self.buyer.account), account(self.seller.account));
        let random = || -> CliResult<Hash> {
            Ok(Hash(clock::random().map_err(|error| CliError::refused("no_randomness", error.to_string()))?))
        };
        let (today, due) = (date(self.today), date(self.today.plus_days(90)));
        let terms = OrderTerms {
            seller,
            lines: random()?,
            total: face,
            deliver_from: today,
            deliver_until: due,
            incoterm: Incoterm::Exw,
            cross_border: false,
            quantity: None,
            tolerance_class: 0,
        };
        let offer = trade::api::Call::OfferOrder { buyer, terms };
        let order: DocumentId = self.send(&self.buyer, trade::api::NAME, &offer)?.output()?;
        let answer = trade::api::Call::AnswerOrder { seller, order, answer: OrderAnswer::Accept };
        self.send(&self.seller, trade::api::NAME, &answer)?;
        let terms = InvoiceTerms {
            issued: today,
            due: Some(due),
            payable: face,
            tax_minor: 0,
            seller,
            buyer,
            order,
            quantity: None,
            bill: None,
            declaration: None,
            fingerprint: random()?,
            near: random()?,
            commitment: random()?,
        };
        let register = trade::api::Call::RegisterInvoice { registrant: seller, terms };
        let invoice: DocumentId = self.send(&self.seller, trade::api::NAME, &register)?.output()?;
        self.send(&self.seller, trade::api::NAME, &trade::api::Call::MatchInvoice { party: seller, invoice })?;
        let terms = CertificateTerms {
            creditor: seller,
            face,
            maturity: due,
            convention: Convention::Following,
            calendar: "demo".into(),
            grace_days: 0,
            recourse_default: Recourse::Without,
            transferable: true,
            splittable: true,
            bank: member(BANK.name),
            invoice,
            accept_until: today,
        };
        let certificate: CertificateId =
            self.send(&self.buyer, NAME, &Call::Issue { debtor: buyer, terms })?.output()?;
        self.send(&self.seller, NAME, &Call::Accept { creditor: seller, certificate })?;
        Ok(PartId::root(certificate))
    }
}

fn currency() -> CliResult<portolan_terms::Currency> {
    "CNY".parse().map_err(|error: portolan_terms::TermsError| CliError::refused("bench", error.to_string()))
}
