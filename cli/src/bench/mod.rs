//! `portolan bench`: open-loop load against a fresh devnet.
//!
//! Transactions are signed beforehand and sent at a set rate whatever the network does; a transaction's latency runs from the
//! moment at which it should have been sent to the moment at which its block was seen. Must never send anywhere but to the
//! devnet that it made.
//!
//! Where to look: `workload` what is done · `world` what it needs before · `load` sending and following · `search` the highest rate
//! · `reads`, `settle_day` what is no load at a rate · `machine`, `metrics`, `profile` what it cost the nodes · `report` tables
//! · `plot`, `history`, `against` what becomes of the figures.

mod against;
mod history;
mod load;
mod machine;
mod metrics;
mod plot;
mod profile;
mod reads;
mod report;
mod search;
mod settle_day;
mod workload;
mod world;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use hdrhistogram::Histogram;
use portolan_primitives::BusinessDate;
use serde_json::{Map, Value, json};

use crate::devnet::DAY_LENGTH_MS;
use crate::devnet::cast::CAST;
use crate::devnet::layout::Layout;
use crate::devnet::make::{Plan, PlannedClock};
use crate::devnet::network;
use crate::error::{CliError, CliResult};
use crate::output::Output;
use load::Measured;
use machine::Usage;
use search::Search;
use workload::Workload;
use world::World;

/// Longest latency that is told apart, microseconds: ten minutes.
const LONGEST_US: u64 = 600_000_000;
/// A rate is carried if 99 of 100 transactions are final within this, and none is lost.
const P99_BOUND_MS: f64 = 1_000.0;
/// Seconds of load for each rate of a quick run.
const QUICK_SECONDS: u32 = 6;
/// Certificates of a settlement day, quick and not.
const CERTIFICATES: (usize, usize) = (10_000, 100_000);
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// The bench's options.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Folder of the bench's own devnet, which is made anew and removed.
    #[arg(long, default_value = ".devnet-bench")]
    pub dir: PathBuf,
    /// Transactions a second. Without it, the highest rate is searched whose p99 is below one second with nothing lost.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: Option<u32>,
    /// Seconds of load for each rate that is tried.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub seconds: u32,
    /// A short run: at most 6 seconds for each rate, and a coarser search; under five minutes.
    #[arg(long)]
    pub quick: bool,
    /// What is done; several with commas.
    #[arg(long, visible_alias = "mix", value_enum, value_delimiter = ',', default_values_t = [Workload::Split, Workload::Transfer])]
    pub workload: Vec<Workload>,
    /// Certificates that fall due on the settlement day; 100,000 unless said, 10,000 in a quick run.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub certificates: Option<u32>,
    /// Write the latency over the rates that were tried to this file, as SVG.
    #[arg(long, value_name = "FILE", conflicts_with = "rate")]
    pub plot: Option<PathBuf>,
    /// Append the figures to this file, one JSON object a line, and show how they stand to its last line of this machine.
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    /// Run this other `portolan-node` in turn with the own one, and show the ratios. Needs --rate.
    #[arg(long, value_name = "NODE", requires = "rate")]
    pub against: Option<PathBuf>,
    /// How often each of the two runs with --against.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub rounds: u32,
}

/// Runs all workloads and shows the figures.
pub fn run(args: &BenchArgs, output: &Output) -> CliResult<()> {
    if let Some(other) = &args.against {
        let figures = against::measure(args, other)?;
        return report::ratios(&figures, output);
    }
    let mut figures = measure(args, None)?;
    if let Some(file) = &args.plot {
        std::fs::write(file, plot::svg(&figures)).map_err(CliError::file(file))?;
    }
    if let Some(file) = &args.history {
        history::note(file, &mut figures)?;
    }
    report::figures(&figures, output)
}

/// The figures of all workloads on a network of `program`, or of the node's program beside this one.
fn measure(args: &BenchArgs, program: Option<&Path>) -> CliResult<Value> {
    let seconds = if args.quick { args.seconds.min(QUICK_SECONDS) } else { args.seconds };
    let (mut idle, mut workloads) = (Value::Null, Map::new());
    let (settling, loads): (Vec<Workload>, Vec<Workload>) =
        args.workload.iter().partition(|workload| **workload == Workload::SettleDay);
    if !loads.is_empty() {
        on_devnet(args, program, PlannedClock::Real, |world, layout| {
            idle = world.idle_latency()?;
            for workload in loads {
                workloads.insert(workload.name().into(), one(args, world, layout, workload, seconds)?);
            }
            Ok(())
        })?;
    }
    if !settling.is_empty() {
        on_devnet(args, program, steered_from_today(), |world, layout| {
            let standard = if args.quick { CERTIFICATES.0 } else { CERTIFICATES.1 };
            let count = args.certificates.map_or(standard, |count| count as usize);
            let figures = settle_day::measure(world, layout, count, args.rate)?;
            workloads.insert(Workload::SettleDay.name().into(), figures);
            Ok(())
        })?;
    }
    Ok(json!({
        "machine": machine::facts(),
        "rate": args.rate,
        "seconds": seconds,
        "idle": idle,
        "workloads": workloads,
    }))
}

/// Does the work on a fresh devnet, which is removed afterwards.
fn on_devnet(
    args: &BenchArgs,
    program: Option<&Path>,
    clock: PlannedClock,
    work: impl FnOnce(&mut World, &Layout) -> CliResult<()>,
) -> CliResult<()> {
    let layout = Layout::new(&args.dir)?;
    network::reset(&layout)?;
    eprintln!("Starting four validators …");
    let done = network::up_with(&layout, &Plan { clock, base_port: None, parties: &CAST }, program)
        .and_then(|_| work(&mut World::new(&layout)?, &layout));
    let down = network::reset(&layout);
    done.and(down)
}

/// A clock that stands at today, so that the calendar of the demo covers what falls due.
fn steered_from_today() -> PlannedClock {
    let today = i32::try_from(crate::clock::now().0 / DAY_MS).unwrap_or(i32::MAX);
    PlannedClock::Steered { start: BusinessDate(today), day_length_ms: DAY_LENGTH_MS }
}

fn one(args: &BenchArgs, world: &mut World, layout: &Layout, workload: Workload, seconds: u32) -> CliResult<Value> {
    if workload == Workload::Read {
        return reads::measure(world, args.rate, seconds);
    }
    let mut step = |rate| measured(world, layout, workload, rate, seconds);
    match args.rate {
        Some(rate) => step(rate),
        None => searched(args.quick, &mut step),
    }
}

/// The figures at the highest rate that is carried, with all rates that were tried; at the lowest tried, if none is.
fn searched(quick: bool, step: &mut impl FnMut(u32) -> CliResult<Value>) -> CliResult<Value> {
    let mut search = Search::new(quick);
    let (mut best, mut tried) = (None, Vec::new());
    while let Some(rate) = search.next_rate() {
        let figures = step(rate)?;
        let carried = figures["carried"] == true;
        search.note(rate, carried);
        tried.push(json!({
            "rate": rate, "carried": carried, "throughput": figures["throughput"],
            "p50_ms": figures["p50_ms"], "p99_ms": figures["p99_ms"], "dropped": figures["dropped"],
        }));
        if carried || best.is_none() {
            best = Some(figures);
        }
    }
    let mut best = best.unwrap_or_default();
    best["tried"] = json!(tried);
    Ok(best)
}

/// Sends a workload and sets what was used against what was done.
fn measured(world: &mut World, layout: &Layout, workload: Workload, rate: u32, seconds: u32) -> CliResult<Value> {
    let count = rate as usize * seconds as usize;
    eprintln!("Preparing and signing {count} of {} …", workload.name());
    let items = workload.prepare(world, count)?;
    eprintln!("Sending {rate} a second …");
    let before = Usage::of(layout)?;
    let sent = load::send(&world.nodes(), items, Duration::from_secs(1) / rate.max(1))?;
    let used = Usage::of(layout)?.since(&before);
    let equal = load::same_state(&world.nodes(), sent.height)?;
    let mut figures = outcome(&sent, rate, equal);
    let cost = cost(&used, sent.done as f64);
    if let (Some(figures), Some(cost)) = (figures.as_object_mut(), cost.as_object()) {
        figures.extend(cost.clone());
    }
    Ok(figures)
}

/// What came of a load, and whether it was carried.
fn outcome(sent: &Measured, rate: u32, equal: bool) -> Value {
    let dropped = sent.offered - sent.done - sent.failed;
    let (p50, p99) = (millis(&sent.latencies, 0.5), millis(&sent.latencies, 0.99));
    let whole = dropped == 0 && sent.failed == 0 && sent.reads.failed == 0;
    let mut figures = json!({
        "rate": rate,
        "throughput": sent.done as f64 / sent.seconds,
        "carried": whole && equal && p99 < P99_BOUND_MS,
        "p50_ms": p50,
        "p99_ms": p99,
        "max_ms": sent.latencies.max() as f64 / 1000.0,
        "p99_bound_ms": P99_BOUND_MS,
        "offered": sent.offered,
        "committed": sent.done + sent.failed,
        "dropped": dropped,
        "done": sent.done,
        "failed": sent.failed,
        "refused": sent.refused,
        "state_roots_equal": equal,
        "seconds": sent.seconds,
    });
    let reads = &sent.reads;
    if reads.done + reads.failed > 0 {
        figures["reads"] = json!({
            "done": reads.done, "failed": reads.failed,
            "p50_ms": millis(&reads.latencies, 0.5), "p99_ms": millis(&reads.latencies, 0.99),
        });
    }
    figures
}

/// What `done` transactions cost the nodes: all together, each one, and by part of the work.
fn cost(used: &Usage, done: f64) -> Value {
    let per_thousand = |value: f64| if done == 0.0 { Value::Null } else { json!(value * 1000.0 / done) };
    let node = |node: &machine::NodeUsage| {
        json!({
            "name": node.name,
            "cpu_s_per_1000": per_thousand(node.cpu_seconds),
            "disk_bytes_per_1000": per_thousand(node.disk_bytes as f64),
            "sent_bytes_per_1000": per_thousand(node.sent_bytes()),
            "received_bytes_per_1000": per_thousand(node.received_bytes()),
            "fsyncs_per_1000": per_thousand(node.syncs()),
            "memory_mib": node.memory_mib,
        })
    };
    let nodes: Vec<Value> = used.nodes.iter().map(node).collect();
    let (count, profile) = (nodes.len() as f64, used.profile());
    json!({
        "cpu_s_per_1000": per_thousand(used.sum(|node| node.cpu_seconds)),
        "disk_bytes_per_1000": per_thousand(used.sum(|node| node.disk_bytes as f64)),
        "wire_bytes_per_1000": per_thousand(used.sum(machine::NodeUsage::sent_bytes)),
        "fsyncs_per_1000": per_thousand(used.sum(machine::NodeUsage::syncs)),
        "memory_mib_per_node": used.memory_mib(),
        "heights": used.heights(),
        "nodes": nodes,
        "profile": {
            "us_per_transaction": profile.micros_per(done * count),
            "us_per_height": profile.micros_per(used.heights() * count),
        },
    })
}

fn new_histogram() -> CliResult<Histogram<u64>> {
    Histogram::new_with_bounds(1, LONGEST_US, 3).map_err(|error| CliError::refused("bench", error.to_string()))
}

/// A quantile in milliseconds.
fn millis(latencies: &Histogram<u64>, share: f64) -> f64 {
    latencies.value_at_quantile(share) as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(done: u64, failed: u64, offered: u64, micros: u64) -> Measured {
        let mut latencies = new_histogram().unwrap();
        latencies.record_n(micros, done.max(1)).unwrap();
        let reads = load::Reads::new().unwrap();
        Measured { offered, done, failed, refused: 0, height: 7, seconds: 2.0, latencies, reads }
    }

    #[test]
    fn a_rate_is_carried_only_if_all_ran_in_time_to_one_state() {
        let carried = |sent: &Measured, equal| outcome(sent, 50, equal)["carried"] == true;
        assert!(carried(&sent(100, 0, 100, 900_000), true));
        assert!(!carried(&sent(100, 0, 100, 1_100_000), true), "too slow");
        assert!(!carried(&sent(99, 0, 100, 900_000), true), "one was lost");
        assert!(!carried(&sent(99, 1, 100, 900_000), true), "one failed");
        assert!(!carried(&sent(100, 0, 100, 900_000), false), "two states");
        let mut unread = sent(100, 0, 100, 900_000);
        unread.reads.failed = 1;
        assert!(!carried(&unread, true), "a read failed");
    }

    #[test]
    fn only_what_succeeded_counts_as_throughput() {
        let figures = outcome(&sent(60, 30, 100, 1_000), 50, true);
        assert_eq!(figures["throughput"], 30.0);
        assert_eq!((&figures["committed"], &figures["dropped"]), (&json!(90), &json!(10)));
    }
}
