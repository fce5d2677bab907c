//! What the story acts through: the live nodes, the parties' keys, and the record of what was done. Everything it says was
//! read back from the chain.

use std::collections::BTreeMap;

use codec::{DecodeAll, Encode};
use portolan_interface::Money;
use portolan_primitives::{BusinessDate, Call, Hash};
use serde::Serialize;
use serde_json::Value;

use crate::client::Client;
use crate::contracts;
use crate::devnet::cast::Party;
use crate::devnet::layout::Layout;
use crate::devnet::network;
use crate::error::{CliError, CliResult};
use crate::keystore::Keystore;
use crate::submit::{self, DEFAULT_GAS, Done, Signer};

/// A step of the story, as the JSON names it.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Its name.
    pub name: &'static str,
    /// Id of the transaction (of the agenda entry, where the chain acted by itself).
    pub transaction: String,
    /// Height of its block.
    pub height: u64,
    /// `ok`, or the code of the refusal.
    pub outcome: String,
}

/// A check of the story.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// Whether it held.
    pub ok: bool,
    /// What was compared.
    pub detail: String,
}

/// The world of the story.
pub struct World {
    /// Over all live nodes.
    pub client: Client,
    /// The chain.
    pub chain: Hash,
    /// The devnet's folder.
    pub layout: Layout,
    /// Steps so far.
    pub steps: Vec<Step>,
    /// Checks so far.
    pub checks: Vec<Check>,
    signers: BTreeMap<&'static str, Signer>,
    quiet: bool,
}

impl World {
    /// The world of a running devnet; tells the story on standard error if `quiet`.
    pub fn new(layout: &Layout, quiet: bool) -> CliResult<Self> {
        let (_, client) = network::live_clients(layout)?;
        let status = client.get("/v1/status")?;
        let chain = text(&status, "chain")?.parse().map_err(|_| foreign("a status without a chain"))?;
        Ok(Self {
            client,
            chain,
            layout: layout.clone(),
            steps: vec![],
            checks: vec![],
            signers: BTreeMap::new(),
            quiet,
        })
    }

    /// Tells a line of the story.
    pub fn say(&self, line: impl AsRef<str>) {
        if self.quiet { eprintln!("{}", line.as_ref()) } else { println!("{}", line.as_ref()) }
    }

    /// The business date.
    pub fn today(&self) -> CliResult<BusinessDate> {
        let status = self.client.get("/v1/status")?;
        text(&status, "business_date")?.parse().map_err(|_| foreign("a status without a business date"))
    }

    /// Has a party send calls, all or nothing.
    pub fn send(&mut self, party: &Party, calls: Vec<Call>) -> CliResult<Done> {
        let chain = self.chain;
        let signer = self.signer(party)?;
        let transaction = submit::build(chain, signer, calls, DEFAULT_GAS)?;
        submit::run(&self.client, &transaction)
    }

    /// Has a party do a step of the story.
    pub fn step(
        &mut self,
        name: &'static str,
        party: &Party,
        contract: contracts::Name,
        call: &impl Encode,
    ) -> CliResult<Done> {
        self.step_of(name, party, vec![contracts::message(contract, call)])
    }

    /// Has a party do a step of several calls.
    pub fn step_of(&mut self, name: &'static str, party: &Party, calls: Vec<Call>) -> CliResult<Done> {
        let done = self.send(party, calls)?;
        self.record(name, done.id.to_string(), done.height, "ok");
        Ok(done)
    }

    /// Has a party try what must be refused on-chain, and records the refusal.
    pub fn refused_step(
        &mut self,
        name: &'static str,
        party: &Party,
        contract: contracts::Name,
        call: &impl Encode,
    ) -> CliResult<String> {
        let chain = self.chain;
        let signer = self.signer(party)?;
        let transaction = submit::build(chain, signer, vec![contracts::message(contract, call)], DEFAULT_GAS)?;
        let id = transaction.body.id();
        self.client.submit(&transaction)?;
        let answer = self.client.wait(&id, transaction.body.expires_at, crate::clock::now)?;
        let height = answer["height"].as_u64().unwrap_or_default();
        let code = match submit::finished(id, answer) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.code(),
        };
        self.record(name, id.to_string(), height, &code);
        Ok(code)
    }

    /// Notes a step.
    pub fn record(&mut self, name: &'static str, transaction: String, height: u64, outcome: &str) {
        self.steps.push(Step { name, transaction, height, outcome: outcome.into() });
    }

    /// Notes a check and says how it went.
    pub fn check(&mut self, name: &'static str, ok: bool, detail: String) {
        self.say(format!("  {} {name}: {detail}", if ok { "✓" } else { "✗" }));
        self.checks.push(Check { name, ok, detail });
    }

    /// Asks a contract.
    pub fn ask<T: DecodeAll>(&self, contract: contracts::Name, question: &impl Encode) -> CliResult<T> {
        contracts::ask(&self.client, contract, question)
    }

    fn signer(&mut self, party: &Party) -> CliResult<&Signer> {
        if !self.signers.contains_key(party.name) {
            let keystore = Keystore::new(self.layout.keystore(), Some(self.layout.passphrase()));
            let names = keystore.keys_of(&party.account_name())?;
            let keys: Result<Vec<_>, _> = names.iter().map(|name| keystore.open(name)).collect();
            self.signers.insert(party.name, Signer { account: party.account(), keys: keys? });
        }
        self.signers.get(party.name).ok_or_else(|| foreign("no signer"))
    }
}

/// A text field of a node's answer.
pub fn text<'a>(value: &'a Value, field: &str) -> CliResult<&'a str> {
    value[field].as_str().ok_or_else(|| foreign(&format!("no text `{field}`")))
}

/// A node's answer of another form than this version knows.
pub fn foreign(what: &str) -> CliError {
    CliError::refused("foreign_answer", format!("a node answered {what}; do the versions of tool and network differ?"))
}

/// An amount for people.
pub fn amount(money: &Money) -> String {
    format!("{} {}", money.to_decimal(), money.currency)
}
