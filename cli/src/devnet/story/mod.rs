//! The demo: one real invoice from order to automatic settlement, told with amounts, every figure read back from the chain.

pub mod acts;
pub mod checks;
mod plan;
pub mod world;

use portolan_interface::settlement::Deposit;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::layout::{Layout, read_json, write_json};
use super::network;
use crate::document::{self, Facts};
use crate::error::{CliError, CliResult};
pub use plan::{StoryPlan, plan};
use world::World;

/// What was told on this network.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Told {
    /// Runs begun, by fingerprint of the invoice's file in hex.
    runs: std::collections::BTreeMap<String, u32>,
}

/// The invoice that the demo tells of unless another is named: a UBL invoice of the EN 16931 examples.
const DEFAULT_INVOICE: &[u8] = include_bytes!("../../../../tests/fixtures/invoices/en16931-ubl/ubl-tc434-example4.xml");

/// Facts of the named invoice, or of the one that comes with the demo.
pub fn invoice(path: Option<&std::path::Path>) -> CliResult<Facts> {
    match path {
        None => Ok(document::invoice(DEFAULT_INVOICE)?.facts),
        Some(path) => Ok(document::invoice(&std::fs::read(path).map_err(CliError::file(path))?)?.facts),
    }
}

/// What the demo ends with.
pub struct Ending {
    /// As `--json` prints it.
    pub json: Value,
    /// Whether every check held.
    pub ok: bool,
}

/// Tells the story on a running devnet.
pub fn tell(layout: &Layout, first: &StoryPlan, quiet: bool) -> CliResult<Ending> {
    let mut world = World::new(layout, quiet)?;
    let today = world.today()?;
    let run = begin(layout, first)?;
    let plan = if run == 1 && today == first.issued { first.clone() } else { first.again(run, today)? };
    introduce(&world, &plan, run);
    let mut acts = acts::play(&mut world, &plan)?;
    if run > 1 {
        acts::register_again(&mut world, first, &plan, &acts)?;
    }
    acts.roots = checks::run(&mut world, &plan, &acts)?;
    finish(layout, &world, &acts)
}

/// Counts the run and answers its number.
fn begin(layout: &Layout, plan: &StoryPlan) -> CliResult<u32> {
    let path = layout.story_file();
    let mut told: Told = if path.exists() { read_json(&path)? } else { Told::default() };
    let run = told.runs.entry(plan.fingerprint_of_file.to_string()).or_default();
    *run += 1;
    let run = *run;
    write_json(&path, &told)?;
    Ok(run)
}

fn introduce(world: &World, plan: &StoryPlan, run: u32) {
    let facts = &plan.facts;
    let (seller, buyer) = (facts.seller.as_deref().unwrap_or("?"), facts.buyer.as_deref().unwrap_or("?"));
    world.say(format!("Invoice {}: {seller} to {buyer}, {}.", facts.number, world::amount(&plan.payable)));
    world.say(format!("Issued {}, due {}.", plan.issued, plan.due));
    if plan.due_is_assumed {
        world.say("(The file names no due date after its issue date: 90 days are taken.)");
    }
    if run > 1 {
        world.say(format!("(Run {run} on this network: number and dates are moved on, the amounts are the file's.)"));
    }
    world.say("On the chain the seller is bright-castings, the buyer atlas-motors.\n");
}

fn finish(layout: &Layout, world: &World, acts: &acts::Acts) -> CliResult<Ending> {
    let (live, _) = network::live_clients(layout)?;
    let ok = world.checks.iter().all(|check| check.ok);
    let status = world.client.get("/v1/status")?;
    let json = json!({
        "validators": layout.nodes()?.len(),
        "live": live.iter().map(|(node, _)| node.name.clone()).collect::<Vec<_>>(),
        "height": status["height"],
        "state_roots": acts.roots,
        "invoice": { "number": acts.number, "issue_date": acts.issued.to_string(), "due_date": acts.due.to_string() },
        "steps": world.steps,
        "checks": world.checks,
        "balances": acts.balances.iter().map(balance).collect::<Vec<_>>(),
    });
    Ok(Ending { json, ok })
}

fn balance((party, deposit): &(String, Deposit)) -> Value {
    json!({
        "account": party,
        "bank": "harbour-bank",
        "currency": deposit.balance.currency.to_string(),
        "minor": deposit.balance.minor.to_string(),
        "decimal": deposit.balance.to_decimal(),
    })
}
