//! `portolan bench`: open-loop load against a fresh devnet with real days.
//!
//! Transactions are signed beforehand and sent at a set rate whatever the network does; a transaction's latency runs from the
//! moment at which it should have been sent to the moment at which its block was seen. Must never send anywhere but to the
//! devnet that it made.

mod load;
mod machine;
mod search;
mod world;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::devnet::layout::Layout;
use crate::devnet::make::{Plan, PlannedClock};
use crate::devnet::network;
use crate::error::CliResult;
use crate::output::Output;
use load::Measured;
use machine::Usage;
use search::Search;
use world::World;

/// Longest latency that is told apart, microseconds: ten minutes.
const LONGEST_US: u64 = 600_000_000;
/// A rate is carried if 99 of 100 transactions are final within this, and none is lost.
const P99_BOUND_MS: f64 = 1_000.0;

/// The bench's options.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Folder of the bench's own devnet, which is made anew and removed.
    #[arg(long, default_value = ".devnet-bench")]
    pub dir: PathBuf,
    /// Transactions a second. Without it, the highest rate is searched whose p99 is below one second with nothing lost.
    #[arg(long)]
    pub rate: Option<u32>,
    /// Seconds of load for each rate that is tried.
    #[arg(long, default_value_t = 20)]
    pub seconds: u32,
    /// A short run: 6 seconds for each rate, and a coarser search; under five minutes.
    #[arg(long)]
    pub quick: bool,
    /// What is done; several with commas.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Workload::Split, Workload::Transfer])]
    pub workload: Vec<Workload>,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// One part becomes two.
    Split,
    /// A part is offered, and accepted by its receiver: two transactions.
    Transfer,
}

impl Workload {
    fn name(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Transfer => "transfer",
        }
    }

    fn prepare(self, world: &mut World, count: usize) -> CliResult<Vec<Vec<u8>>> {
        match self {
            Self::Split => world.prepare_splits(count),
            Self::Transfer => world.prepare_transfers(count),
        }
    }
}

/// Runs all workloads and shows the figures.
pub fn run(args: &BenchArgs, output: &Output) -> CliResult<()> {
    let layout = Layout::new(&args.dir)?;
    network::reset(&layout)?;
    let figures = measure(args, &layout);
    let down = network::reset(&layout);
    let figures = figures?;
    down?;
    show(&figures, output)
}

fn measure(args: &BenchArgs, layout: &Layout) -> CliResult<Value> {
    eprintln!("Starting four validators …");
    network::up(layout, &Plan { clock: PlannedClock::Real, base_port: None })?;
    let seconds = if args.quick { 6 } else { args.seconds };
    let mut world = World::new(layout)?;
    let idle = world.idle_latency()?;
    let mut workloads = Map::new();
    for workload in &args.workload {
        let mut step = |rate| measured(&mut world, layout, *workload, rate, seconds);
        let figures = match args.rate {
            Some(rate) => step(rate)?,
            None => searched(args.quick, &mut step)?,
        };
        workloads.insert(workload.name().into(), figures);
    }
    Ok(json!({
        "machine": machine::facts(),
        "rate": args.rate,
        "seconds": seconds,
        "idle": idle,
        "workloads": workloads,
    }))
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
    eprintln!("Preparing {count} parts and signing {count} transactions of {} …", workload.name());
    let transactions = workload.prepare(world, count)?;
    let offered = transactions.len() as u64;
    eprintln!("Sending {rate} a second …");
    let before = Usage::of(layout)?;
    let Measured { done, failed, refused, height, seconds, latencies } =
        load::send(&world.nodes(), transactions, Duration::from_secs(1) / rate.max(1))?;
    let used = Usage::of(layout)?.since(&before);
    let per_thousand = |value: f64| if done == 0 { Value::Null } else { json!(value * 1000.0 / done as f64) };
    let quantile = |share: f64| latencies.value_at_quantile(share) as f64 / 1000.0;
    let dropped = offered - done - failed;
    Ok(json!({
        "rate": rate,
        "throughput": done as f64 / seconds,
        "carried": dropped == 0 && failed == 0 && quantile(0.99) < P99_BOUND_MS,
        "p50_ms": quantile(0.5),
        "p99_ms": quantile(0.99),
        "max_ms": latencies.max() as f64 / 1000.0,
        "p99_bound_ms": P99_BOUND_MS,
        "cpu_s_per_1000": per_thousand(used.cpu_seconds),
        "disk_bytes_per_1000": per_thousand(used.disk_bytes as f64),
        "offered": offered,
        "committed": done + failed,
        "dropped": dropped,
        "done": done,
        "failed": failed,
        "refused": refused,
        "state_roots_equal": load::same_state(&world.nodes(), height)?,
        "seconds": seconds,
        "memory_mib_per_node": used.memory_mib,
    }))
}

fn show(figures: &Value, output: &Output) -> CliResult<()> {
    let fields = [
        ("tx/s", "throughput"),
        ("p50 ms", "p50_ms"),
        ("p99 ms", "p99_ms"),
        ("CPU s/1000", "cpu_s_per_1000"),
        ("disk bytes/1000", "disk_bytes_per_1000"),
        ("offered", "offered"),
        ("done", "done"),
        ("failed", "failed"),
        ("dropped", "dropped"),
    ];
    let head: Vec<&str> = ["workload"].into_iter().chain(fields.iter().map(|(title, _)| *title)).collect();
    let rows = figures["workloads"].as_object().into_iter().flatten().map(|(name, row)| {
        let cells =
            fields.iter().map(|(_, field)| row[*field].as_f64().map_or("–".into(), |value| format!("{value:.1}")));
        [name.clone()].into_iter().chain(cells).collect()
    });
    output.table(&head, rows.collect(), "Nothing was measured.", figures)
}
