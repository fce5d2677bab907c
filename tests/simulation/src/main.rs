//! `./scripts/simulate`: many seeds, each a mixture of faults; what they came to, and for a failure the command that repeats it.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;

use clap::{Parser, ValueEnum};
use portolan_simulation::{Broken, Report, Settings, run};
use serde_json::json;

/// Runs the chain under seeded disasters. Prints a line for each failure and, last, one JSON object with what was run.
/// Exit code 1: a seed failed, which with --break is what must happen.
#[derive(Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    start: u64,
    /// Breaks one thing on which safety rests; the checks must see the harm, and the exit code is 1 when they do.
    #[arg(long = "break", value_name = "WHAT")]
    broken: Option<What>,
    /// Seeds at a time; as many as there are cores if not given.
    #[arg(long)]
    jobs: Option<usize>,
    /// Prints what each seed came to.
    #[arg(long)]
    verbose: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// More validators than a third run twice.
    Twins,
    /// The consensus log is thrown away.
    Log,
    /// The disks forget what was synced.
    Sync,
    /// No validator keeps its lock.
    Lock,
}

impl From<What> for Broken {
    fn from(what: What) -> Self {
        match what {
            What::Twins => Self::Twins,
            What::Log => Self::Log,
            What::Sync => Self::Sync,
            What::Lock => Self::Lock,
        }
    }
}

fn settings(arguments: &Arguments, seed: u64) -> Settings {
    match arguments.broken {
        None => Settings::drawn(seed),
        Some(what) => Settings::broken(what.into(), seed),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let jobs = arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let end = arguments.start.saturating_add(arguments.seeds);
    let (next, harmed) = (AtomicU64::new(arguments.start), AtomicBool::new(false));
    let (sender, reports) = channel();
    let mut total = Total::default();
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (sender, arguments, next, harmed) = (sender.clone(), &arguments, &next, &harmed);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    // A control needs one harm only.
                    let enough = arguments.broken.is_some() && harmed.load(Ordering::Relaxed);
                    if seed >= end || enough {
                        return;
                    }
                    let report = run(settings(arguments, seed));
                    harmed.fetch_or(report.violation.is_some(), Ordering::Relaxed);
                    if sender.send((seed, report)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (seed, report) in reports {
            total.take(&arguments, seed, &report);
        }
    });
    println!("{}", total.json(arguments.start));
    if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[derive(Default)]
struct Total {
    seeds: u64,
    failed: u64,
    heights: u64,
    transactions: u64,
    succeeded: u64,
    due: u64,
    highest_round: u32,
    faults: BTreeMap<&'static str, u64>,
}

impl Total {
    fn take(&mut self, arguments: &Arguments, seed: u64, report: &Report) {
        self.seeds += 1;
        self.heights += report.heights;
        self.transactions += report.transactions;
        self.succeeded += report.succeeded;
        self.due += report.due;
        self.highest_round = self.highest_round.max(report.highest_round);
        for (kind, count) in &report.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        if arguments.verbose {
            println!("seed {seed}: {report:?}");
        }
        if let Some(violation) = &report.violation {
            self.failed += 1;
            let broken = arguments.broken.and_then(|what| what.to_possible_value());
            let option = broken.map_or_else(String::new, |value| format!(" --break {}", value.get_name()));
            println!("seed {seed} failed: {violation:?}");
            println!("repeat it with: ./scripts/simulate --seeds 1 --start {seed} --verbose{option}");
        }
        if self.seeds % 50 == 0 {
            eprintln!("{} of {} seeds, {} failed", self.seeds, arguments.seeds, self.failed);
        }
    }

    fn json(&self, start: u64) -> serde_json::Value {
        json!({
            "seeds": self.seeds,
            "start": start,
            "failed": self.failed,
            "heights": self.heights,
            "faults": self.faults,
            "transactions": self.transactions,
            "succeeded": self.succeeded,
            "due_dates": self.due,
            "highest_round": self.highest_round,
        })
    }
}
