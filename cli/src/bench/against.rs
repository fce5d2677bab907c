//! Two programs in turn on the same machine in the same minutes, so that what the machine does meanwhile meets both: ratios are
//! figures, what was measured on another day is not.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::BenchArgs;
use crate::error::{CliError, CliResult};

/// What is compared.
pub const COMPARED: [&str; 7] = [
    "throughput",
    "p50_ms",
    "p99_ms",
    "cpu_s_per_1000",
    "disk_bytes_per_1000",
    "wire_bytes_per_1000",
    "memory_mib_per_node",
];

/// The figures of both in each round, and the ratios of their means: this over the other.
pub fn measure_both(
    rounds: u32,
    mut this: impl FnMut() -> CliResult<Value>,
    mut other: impl FnMut() -> CliResult<Value>,
) -> CliResult<Value> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        eprintln!("Round {round} of {rounds}: this program …");
        ours.push(this()?);
        eprintln!("Round {round} of {rounds}: the other …");
        theirs.push(other()?);
    }
    Ok(json!({ "machine": ours[0]["machine"], "ratios": ratios(&ours, &theirs), "this": ours, "other": theirs }))
}

/// Runs the own node and `other` in turn.
pub fn measure(args: &BenchArgs, other: &Path) -> CliResult<Value> {
    let other = std::path::absolute(other).map_err(CliError::file(other))?;
    measure_both(args.rounds, || super::measure(args, None), || super::measure(args, Some(&other)))
}

/// By workload, the ratio of each figure's means; nothing where one side has none.
pub fn ratios(ours: &[Value], theirs: &[Value]) -> Value {
    let mut ratios = Map::new();
    for name in ours.iter().flat_map(|run| run["workloads"].as_object()).flat_map(Map::keys) {
        let mean = |runs: &[Value], field: &str| {
            let values: Vec<f64> = runs.iter().filter_map(|run| run["workloads"][name][field].as_f64()).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let ratio = |field: &&str| {
            let (ours, theirs) = (mean(ours, field)?, mean(theirs, field).filter(|value| *value != 0.0)?);
            Some(((*field).to_owned(), json!(ours / theirs)))
        };
        ratios.insert(name.clone(), Value::Object(COMPARED.iter().filter_map(ratio).collect()));
    }
    Value::Object(ratios)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn run(throughput: f64) -> Value {
        json!({ "machine": {}, "workloads": { "split": { "throughput": throughput, "p99_ms": 0.0, "p50_ms": "fast" } } })
    }

    #[test]
    fn they_run_in_turn_and_their_means_are_compared() {
        let order = RefCell::new(String::new());
        let mut values = [10.0, 30.0].into_iter();
        let this = || {
            order.borrow_mut().push('A');
            Ok(run(values.next().unwrap_or_default()))
        };
        let other = || {
            order.borrow_mut().push('B');
            Ok(run(10.0))
        };
        let both = measure_both(2, this, other).unwrap();
        assert_eq!(*order.borrow(), "ABAB");
        assert_eq!(both["ratios"], json!({ "split": { "throughput": 2.0 } }));
    }
}
