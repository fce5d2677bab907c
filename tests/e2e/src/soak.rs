//! Real nodes under load that are killed (SIGKILL) again and again, each time at another moment: in a block, between two, in
//! pairs, and while they start. After each: the node starts again, has everything that clients were told is final, and comes to
//! the same roots as the others.
//!
//! Only processes that this module started are ended, each by its own handle. Must never wait for time to pass where there is an
//! event to wait for.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use codec::Encode;
use portolan_interface::{AccountId, Hash, Money, settlement};
use portolan_node::keys::{self, Passphrase};
use portolan_primitives::{self as chain, Body, Call, ContractId, SigningKey, Timestamp, Transaction};
use portolan_simulation::random::Random;
use serde_json::Value;

use crate::binary;
use crate::hand::{Consortium, FOUNDERS, PASSPHRASE};

/// Clients that pay at the same time, each one payment after the other.
const CLIENTS: u64 = 4;
/// Most payments between two kills.
const MOST_BETWEEN: u64 = 12;
/// After the last of these a node is killed within so many ms.
const MOMENT_MS: u64 = 40;
/// A node that is killed while it starts has run for at most so many ms.
const START_MS: u64 = 400;
/// Longest wait for what has to come: a payment that becomes final, a node that starts.
const PATIENCE: Duration = Duration::from_secs(300);
/// For how long one question to a node waits, ms.
const WAIT_MS: u64 = 10_000;
/// For how long a payment is valid, ms.
const LIFE_MS: u64 = 240_000;
/// Gas of a payment.
const GAS: u64 = 50_000_000;
/// What a node's log says when a validator contradicted itself.
const DOUBLE_SIGN: &str = "signed two different things";

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Processes to kill.
    pub kills: u64,
    /// Of everything that is chance, but for the machine's own.
    pub seed: u64,
}

/// What it came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Processes that were killed; of them while they started.
    pub kills: u64,
    /// Kills of a node that had not yet said that it takes part.
    pub in_start: u64,
    /// Kills of two nodes at once, so that there was no quorum.
    pub in_pairs: u64,
    /// The chain's height at the end.
    pub heights: u64,
    /// Transactions that clients were told are final.
    pub transactions: u64,
    /// Of them on some node not there, or at another height.
    pub lost: u64,
    /// Whether all nodes had the same roots at every look.
    pub roots_equal: bool,
    /// Proofs of a validator that signed two things.
    pub double_signs: u64,
}

impl Outcome {
    /// As programs read it.
    pub fn json(&self, plan: Plan) -> Value {
        serde_json::json!({
            "kills": self.kills,
            "in_start": self.in_start,
            "in_pairs": self.in_pairs,
            "seed": plan.seed,
            "heights": self.heights,
            "transactions": self.transactions,
            "lost": self.lost,
            "roots_equal": self.roots_equal,
            "double_signs": self.double_signs,
        })
    }

    /// Whether nothing went wrong.
    pub fn is_good(&self) -> bool {
        self.lost == 0 && self.roots_equal && self.double_signs == 0
    }
}

/// What a client was told.
#[derive(Clone, Debug)]
struct Final {
    id: String,
    height: u64,
}

/// A started node: its process, and the line that it says when it takes part.
struct Process {
    child: Child,
    ready: Receiver<String>,
}

/// Runs the plan.
///
/// # Panics
/// When a node does not start again, or nothing becomes final any more.
pub fn soak(plan: Plan, say: &mut dyn FnMut(u64)) -> Outcome {
    let network = Consortium::founded();
    let mut soak = Soak::begin(&network, plan.seed);
    let (payer, over) = (Payer::of(&network), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let (told, finals) = channel();
        let ending = Ending(&over);
        for client in 0..CLIENTS {
            let (told, over, payer, random) = (told.clone(), &over, &payer, Random::new(plan.seed ^ (client + 1)));
            scope.spawn(move || payer.pay_on(random, over, &told));
        }
        drop(told);
        while soak.outcome.kills < plan.kills {
            soak.load(&finals);
            let left = plan.kills - soak.outcome.kills;
            soak.strike(left);
            soak.take(&finals);
            soak.check();
            say(soak.outcome.kills);
        }
        drop(ending);
        soak.all.extend(finals.iter());
    });
    soak.end()
}

/// Ends the clients, also when the soak fails: they would else go on without end.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Soak<'a> {
    network: &'a Consortium,
    random: Random,
    running: BTreeMap<&'static str, Process>,
    /// Told since the last look, and before.
    fresh: Vec<Final>,
    all: Vec<Final>,
    /// Who was killed last.
    victims: Vec<&'static str>,
    outcome: Outcome,
}

impl<'a> Soak<'a> {
    fn begin(network: &'a Consortium, seed: u64) -> Self {
        let outcome = Outcome { roots_equal: true, ..Outcome::default() };
        let (fresh, all) = (Vec::new(), Vec::new());
        let mut soak = Self {
            network,
            random: Random::new(seed),
            running: BTreeMap::new(),
            fresh,
            all,
            victims: Vec::new(),
            outcome,
        };
        for (name, _) in FOUNDERS {
            soak.running.insert(name, started(network, name));
        }
        for (name, _) in FOUNDERS {
            soak.hear(name);
        }
        let keystore = network.path("harbour-bank/keystore");
        let bank = ["--node", &network.apis["harbour-bank"], "--keystore", &keystore, "--as", "harbour-bank/main"];
        network.portolan(&[&bank[..], &["settlement", "serve", "1000000.00CNY"]].concat()).done();
        soak
    }

    /// Lets some payments become final, then a moment pass: that moment is what the kill is for.
    fn load(&mut self, finals: &Receiver<Final>) {
        for _ in 0..=self.random.below(MOST_BETWEEN) {
            let told = finals.recv_timeout(PATIENCE);
            self.fresh.push(told.unwrap_or_else(|_| panic!("nothing becomes final any more: {}", self.logs())));
        }
        let moment = Duration::from_micros(self.random.below(MOMENT_MS * 1_000));
        if let Ok(told) = finals.recv_timeout(moment) {
            self.fresh.push(told);
        }
    }

    fn take(&mut self, finals: &Receiver<Final>) {
        self.fresh.extend(finals.try_iter());
    }

    /// Kills one node, or two at once, and has them start again; now and then one is killed while it starts.
    fn strike(&mut self, left: u64) {
        let first = self.random.below(FOUNDERS.len() as u64) as usize;
        let mut victims = vec![FOUNDERS[first].0];
        if left > 1 && self.random.chance(200_000) {
            let step = 1 + self.random.below(FOUNDERS.len() as u64 - 1) as usize;
            victims.push(FOUNDERS[(first + step) % FOUNDERS.len()].0);
            self.outcome.in_pairs += 1;
        }
        victims.iter().for_each(|name| self.kill(name));
        for name in &victims {
            let process = started(self.network, name);
            self.running.insert(name, process);
        }
        if victims.len() == 1 && left > 1 && self.random.chance(250_000) {
            self.kill_in_start(victims[0]);
        }
        victims.iter().for_each(|name| self.hear(name));
        self.victims = victims;
    }

    fn kill(&mut self, name: &str) {
        let Some(mut process) = self.running.remove(name) else { return };
        end(&mut process.child);
        self.outcome.kills += 1;
    }

    fn kill_in_start(&mut self, name: &'static str) {
        let moment = Duration::from_micros(self.random.below(START_MS * 1_000));
        let Some(process) = self.running.get(name) else { return };
        match process.ready.recv_timeout(moment) {
            Err(RecvTimeoutError::Timeout) => self.outcome.in_start += 1,
            Ok(line) => assert!(line.contains("\"api\""), "{name} says {line:?}: {}", self.logs()),
            Err(RecvTimeoutError::Disconnected) => panic!("{name} does not start again: {}", self.logs()),
        }
        self.kill(name);
        self.running.insert(name, started(self.network, name));
    }

    /// Waits until a node says that it takes part.
    fn hear(&self, name: &str) {
        let line = self.running.get(name).and_then(|process| process.ready.recv_timeout(PATIENCE).ok());
        let takes_part = line.as_ref().is_some_and(|line| line.contains("\"api\""));
        assert!(takes_part, "{name} does not start again ({line:?}): {}", self.logs());
    }

    /// Who was killed has what clients were told meanwhile; all have the same roots.
    fn check(&mut self) {
        for name in self.victims.clone() {
            self.outcome.lost += self.missing(name, &self.fresh);
        }
        let highest = self.fresh.iter().map(|told| told.height).max();
        if let Some(height) = highest {
            self.outcome.roots_equal &= self.same_roots(height);
        }
        self.all.append(&mut self.fresh);
    }

    /// How many of these a node does not have where clients were told they are.
    fn missing(&self, name: &str, told: &[Final]) -> u64 {
        let api = &self.network.apis[name];
        let lost = told.iter().filter(|told| {
            let found = ask(&format!("{api}/v1/transactions/{}?wait_ms={WAIT_MS}", told.id));
            let there = found
                .as_ref()
                .is_some_and(|found| found["status"] == "final" && found["height"].as_u64() == Some(told.height));
            if !there {
                eprintln!("{name} has not {told:?}, but {found:?}");
            }
            !there
        });
        lost.count() as u64
    }

    fn same_roots(&self, height: u64) -> bool {
        let root = |name: &str| {
            let api = &self.network.apis[name];
            let block = ask(&format!("{api}/v1/blocks/{height}/outcomes?wait_ms={WAIT_MS}"));
            block.map(|block| (block["hash"].clone(), block["state_root"].clone()))
        };
        let roots: Vec<_> = FOUNDERS.iter().map(|(name, _)| root(name)).collect();
        let equal = roots.iter().all(|other| other.is_some() && *other == roots[0]);
        if !equal {
            eprintln!("roots at {height}: {roots:?}");
        }
        equal
    }

    /// Everything that any client was ever told is everywhere.
    fn end(mut self) -> Outcome {
        for (name, _) in FOUNDERS {
            self.outcome.lost += self.missing(name, &self.all);
        }
        let height = |name: &str| {
            let status = ask(&format!("{}/v1/status", self.network.apis[name]));
            status.and_then(|status| status["height"].as_u64()).unwrap_or_default()
        };
        self.outcome.heights = FOUNDERS.iter().map(|(name, _)| height(name)).max().unwrap_or_default();
        self.outcome.roots_equal &= self.same_roots(self.outcome.heights);
        self.outcome.transactions = self.all.len() as u64;
        let logs = FOUNDERS.iter().map(|(name, _)| log_of(self.network, name));
        self.outcome.double_signs = logs.map(|log| log.matches(DOUBLE_SIGN).count() as u64).sum();
        self.outcome.clone()
    }

    /// The ends of all logs.
    fn logs(&self) -> String {
        let last = |name: &str| {
            let log = log_of(self.network, name);
            let lines: Vec<&str> = log.lines().rev().take(5).collect();
            format!("{name}: {lines:?}")
        };
        FOUNDERS.iter().map(|(name, _)| last(name)).collect::<Vec<_>>().join("; ")
    }
}

impl Drop for Soak<'_> {
    fn drop(&mut self) {
        self.running.values_mut().for_each(|process| end(&mut process.child));
    }
}

/// Ends a process of ours (SIGKILL), and waits until it is gone.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn log_of(network: &Consortium, name: &str) -> String {
    std::fs::read_to_string(network.path(&format!("{name}.log"))).unwrap_or_default()
}

/// Starts a node; its log goes on where the one before ended.
fn started(network: &Consortium, name: &str) -> Process {
    let log = OpenOptions::new().create(true).append(true).open(network.path(&format!("{name}.log")));
    let child = Command::new(binary("portolan-node"))
        .args(["run", "--config", &network.path(&format!("{name}/node/node.toml"))])
        .env("PORTOLAN_PASSPHRASE", PASSPHRASE)
        .stdout(Stdio::piped())
        .stderr(log.unwrap_or_else(|error| panic!("the log of {name}: {error}")))
        .spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{name} can't be started: {error}"));
    let (says, ready) = channel();
    if let Some(output) = child.stdout.take() {
        // Ends with the process, whose output it reads.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = says.send(line);
            }
        });
    }
    Process { child, ready }
}

/// Who pays: the bank, in process, so that the load is the nodes' and not the tool's.
struct Payer {
    chain: chain::Hash,
    key: SigningKey,
    apis: Vec<String>,
}

impl Payer {
    fn of(network: &Consortium) -> Self {
        let status = ask(&format!("{}/v1/status", network.apis["harbour-bank"])).unwrap_or_default();
        let chain = status["chain"].as_str().and_then(|text| text.parse().ok());
        let passphrase = Passphrase::new(PASSPHRASE.into()).unwrap_or_else(|error| panic!("{error}"));
        let file = network.path("harbour-bank/keystore/admin.pem");
        Self {
            chain: chain.unwrap_or_else(|| panic!("no chain in {status}")),
            key: keys::read(Path::new(&file), &passphrase).unwrap_or_else(|error| panic!("{error}")),
            apis: FOUNDERS.iter().map(|(name, _)| network.apis[name].clone()).collect(),
        }
    }

    fn payment(&self, random: &mut Random) -> Transaction {
        let account = |member: &str| chain::AccountId::from_name(member, "main");
        let mut drawn = [0; 32];
        drawn.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&random.draw().to_le_bytes()));
        let call = settlement::api::Call::Issue {
            bank_account: AccountId(account("harbour-bank").0),
            to: AccountId(account("blue-line").0),
            amount: Money { minor: 1, currency: "CNY".parse().unwrap_or_else(|_| unreachable!("it is a currency")) },
            reference: Hash(drawn),
        };
        let mut salt = [0; 16];
        salt.copy_from_slice(&drawn[..16]);
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis() as u64;
        let body = Body {
            version: 1,
            chain: self.chain,
            sender: account("harbour-bank"),
            salt,
            expires_at: Timestamp(now + LIFE_MS),
            gas_limit: GAS,
            approvers: vec![self.key.public().id()],
            calls: vec![Call { contract: ContractId::from_name(settlement::api::NAME), input: call.encode() }],
        };
        let approvals = vec![body.approve(&self.key)];
        Transaction { body, approvals }
    }

    /// Pays, one payment after the other, until the soak is over.
    fn pay_on(&self, mut random: Random, over: &AtomicBool, told: &Sender<Final>) {
        while !over.load(Ordering::Relaxed) {
            let payment = self.payment(&mut random);
            // Over, or not final within its life: the main thread misses it and says so.
            let Some(done) = self.settle(&payment, &mut random, over) else { return };
            if told.send(done).is_err() {
                return;
            }
        }
    }

    /// Hands a payment in at some node, and again at others as long as those die, until one says that it is final.
    fn settle(&self, payment: &Transaction, random: &mut Random, over: &AtomicBool) -> Option<Final> {
        let (id, bytes) = (payment.body.id().to_string(), payment.encode());
        while !over.load(Ordering::Relaxed) {
            let api = random.pick(&self.apis)?;
            // A node that is down, or says no because it is not ready, is not asked twice.
            let Some(handed) = give(&format!("{api}/v1/transactions"), &bytes) else { continue };
            if handed["code"] == "expired" {
                return None;
            }
            let found = ask(&format!("{api}/v1/transactions/{id}?wait_ms={WAIT_MS}"));
            if let Some(found) = found.filter(|found| found["status"] == "final") {
                return Some(Final { id, height: found["height"].as_u64()? });
            }
        }
        None
    }
}

/// The JSON that a GET answers with, if anybody answers.
fn ask(url: &str) -> Option<Value> {
    body(agent().get(url).call())
}

fn give(url: &str, bytes: &[u8]) -> Option<Value> {
    body(agent().post(url).header("content-type", "application/octet-stream").send(bytes))
}

fn agent() -> ureq::Agent {
    let patience = Some(Duration::from_millis(2 * WAIT_MS));
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(patience).build().into()
}

fn body(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Option<Value> {
    serde_json::from_str(&answer.ok()?.body_mut().read_to_string().ok()?).ok()
}
