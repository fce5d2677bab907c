//! What must be true at the story's end. Each check compares figures that were read from the chain.

use portolan_interface::receivable::{self, Certificate, Part, PartPage, PartState};
use portolan_interface::settlement::{self, BookPage, Deposit};
use portolan_primitives::ValidatorSet;

use super::acts::{Acts, deposits};
use super::plan::StoryPlan;
use super::world::{World, amount, foreign};
use crate::contracts::member;
use crate::devnet::cast::{BANK, BUYER, TIER_1, TIER_2_OTHER, TIER_3};
use crate::devnet::network;
use crate::error::CliResult;
use crate::proof;

/// Runs every check.
pub fn run(world: &mut World, plan: &StoryPlan, acts: &Acts) -> CliResult<Vec<String>> {
    world.say("\nChecks:");
    conservation(world, acts)?;
    bank_book(world, plan)?;
    let refused = acts.second_financing.ends_with("AlreadyFinanced");
    world.check("second-financing-refused", refused, acts.second_financing.clone());
    everybody_paid(world, plan, acts)?;
    let roots = equal_roots(world)?;
    proofs(world, acts)?;
    Ok(roots)
}

/// Invariant 3, from the leaves themselves.
fn conservation(world: &mut World, acts: &Acts) -> CliResult<()> {
    let certificate: Certificate =
        world.ask(receivable::api::NAME, &receivable::api::Query::Certificate { id: acts.certificate })?;
    let leaves: Vec<Part> = parts(world, acts)?.into_iter().filter(|part| part.state != PartState::Closed).collect();
    let outstanding: i128 = leaves.iter().map(|part| part.outstanding.minor).sum();
    let settled: i128 = leaves.iter().map(|part| part.settled.minor).sum();
    let totals = &certificate.totals;
    let of_totals = totals.outstanding.minor
        + totals.settled.minor
        + totals.diluted.minor
        + totals.cancelled.minor
        + totals.written_off.minor;
    let holds =
        of_totals == totals.face.minor && outstanding == totals.outstanding.minor && settled == totals.settled.minor;
    let count = leaves.len();
    world.check(
        "conservation",
        holds,
        format!(
            "{count} leaves: {outstanding} outstanding + {settled} settled = {} of {}",
            outstanding + settled,
            amount(&totals.face)
        ),
    );
    Ok(())
}

fn parts(world: &World, acts: &Acts) -> CliResult<Vec<Part>> {
    let mut found = Vec::new();
    let mut from = None;
    loop {
        let question = receivable::api::Query::Parts { id: acts.certificate, from };
        let page: PartPage = world.ask(receivable::api::NAME, &question)?;
        found.extend(page.parts);
        from = page.next;
        if from.is_none() {
            return Ok(found);
        }
    }
}

/// Invariant 4: what the bank issued less what it redeemed is what the depositors have, with what waits to be paid out.
fn bank_book(world: &mut World, plan: &StoryPlan) -> CliResult<()> {
    let mut sum = 0i128;
    let mut from = 0;
    let book = loop {
        let bank = member(BANK.name);
        let question = settlement::api::Query::Book { bank, currency: plan.payable.currency, from: Some(from) };
        let page: BookPage = world.ask(settlement::api::NAME, &question)?;
        sum += page.deposits.iter().map(|deposit| deposit.balance.minor + deposit.pending.minor).sum::<i128>();
        from += page.deposits.len() as u32;
        if page.deposits.is_empty() || from >= page.book.depositors {
            break page.book;
        }
    };
    let holds = book.issued.minor - book.redeemed.minor == sum && book.outstanding.minor == sum;
    let detail = format!(
        "issued {} − redeemed {} = {sum} minor units in deposits",
        amount(&book.issued),
        amount(&book.redeemed)
    );
    world.check("deposits", holds, detail);
    Ok(())
}

/// Each holder of a part got its amount, the borrower its proceeds, and the debtor paid the whole.
fn everybody_paid(world: &mut World, plan: &StoryPlan, acts: &Acts) -> CliResult<()> {
    let after = deposits(world, plan)?;
    let change = |name: &str| -> i128 {
        let of = |deposits: &[(String, Deposit)]| -> i128 {
            deposits.iter().filter(|(account, _)| account == name).map(|(_, deposit)| deposit.balance.minor).sum()
        };
        of(&after) - of(&acts.before)
    };
    let expected = [
        (BUYER.account_name(), -plan.payable.minor),
        (TIER_1.account_name(), plan.parts[0].minor),
        (TIER_3.account_name(), plan.parts[1].minor),
        (TIER_2_OTHER.account_name(), acts.proceeds.minor),
        (BANK.account_name(), plan.parts[2].minor),
    ];
    let holds = expected.iter().all(|(name, minor)| change(name) == *minor);
    let figures: Vec<String> = expected.iter().map(|(name, _)| format!("{name} {:+}", change(name))).collect();
    world.check("everybody-paid", holds, format!("minor units: {}", figures.join(", ")));
    Ok(())
}

/// All live nodes have one state root at one height.
pub fn equal_roots(world: &mut World) -> CliResult<Vec<String>> {
    let (live, all) = network::live_clients(&world.layout)?;
    let height = all.get("/v1/status")?["height"].as_u64().ok_or_else(|| foreign("a status without a height"))?;
    let mut roots = Vec::new();
    for (node, client) in &live {
        crate::devnet::clock::wait_for_height(client, height)?;
        let block = client.get(&format!("/v1/blocks/{height}"))?;
        let root = block["header"]["state_root"].as_str().unwrap_or_default();
        roots.push((node.name.clone(), root.to_owned()));
    }
    let first = roots.first().map(|(_, root)| root.clone()).unwrap_or_default();
    let equal = !first.is_empty() && roots.iter().all(|(_, root)| *root == first);
    let names: Vec<&str> = roots.iter().map(|(name, _)| name.as_str()).collect();
    let short: String = first.chars().take(16).collect();
    world.check("roots-equal", equal, format!("{short}… at height {height} on {}", names.join(", ")));
    Ok(roots.into_iter().map(|(_, root)| root).collect())
}

/// The settled certificate is proved against a certified header, and an altered one is not.
fn proofs(world: &mut World, acts: &Acts) -> CliResult<()> {
    let question = receivable::api::Query::Certificate { id: acts.certificate };
    let proved = proof::ask_with_proof(&world.client, receivable::api::NAME, &question)?;
    let trusted = world.trusted_validators()?;
    let anchor = proof::anchor(world.chain, &trusted);
    let verified = proved.verify(&anchor);
    let detail = match &verified {
        Ok(verified) => {
            format!("{} keys of the certificate at height {}", verified.entries().len(), verified.header().height)
        }
        Err(error) => error.to_string(),
    };
    world.check("proof-verified", verified.is_ok(), detail);
    let altered = proof::with_one_value_altered(&proved).ok_or_else(|| foreign("a proof without a value"))?;
    let refusal = altered.verify(&anchor);
    let detail = match &refusal {
        Ok(_) => "an altered value was taken for true".to_owned(),
        Err(error) => error.to_string(),
    };
    world.check("proof-of-altered-value-refused", refusal.is_err(), detail);
    Ok(())
}

impl World {
    /// The validator set of the devnet's own chain-spec: what this tool trusts without asking a node.
    fn trusted_validators(&self) -> CliResult<ValidatorSet> {
        proof::validators_of_spec(&self.layout.spec())
    }
}
