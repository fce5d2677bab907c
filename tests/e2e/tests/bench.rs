//! The benchmark as a smoke test: what it says has its shape, nothing is lost, all nodes agree. Never how fast.

use portolan_e2e::portolan;
use serde_json::Value;

/// Fields of whatever has a latency.
const ALWAYS: [&str; 3] = ["throughput", "p50_ms", "p99_ms"];
/// Fields of a load at a rate.
const OF_A_LOAD: [&str; 8] = [
    "rate",
    "max_ms",
    "seconds",
    "cpu_s_per_1000",
    "disk_bytes_per_1000",
    "wire_bytes_per_1000",
    "fsyncs_per_1000",
    "memory_mib_per_node",
];

/// What the bench says of tiny loads.
fn measured(words: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("net").display().to_string();
    let said =
        portolan(&[&["--json", "bench", "--dir", &dir, "--quick", "--rate", "20", "--seconds", "2"], words].concat());
    let figures = said.done().json();
    assert!(!folder.path().join("net").exists(), "the devnet is removed");
    figures
}

fn is_whole(name: &str, figures: &Value, offered: u64) {
    let row = &figures["workloads"][name];
    assert_eq!(row["offered"], offered, "{name}: {row}");
    assert_eq!((&row["committed"], &row["dropped"]), (&row["offered"], &Value::from(0)), "{name}: {row}");
    assert_eq!(row["state_roots_equal"], true, "{name}: {row}");
    assert_eq!(row["p99_bound_ms"], 1_000.0, "{name}: {row}");
    assert!(ALWAYS.iter().all(|field| row[*field].as_f64().is_some_and(|value| value > 0.0)), "{name}: {row}");
}

fn is_a_load(name: &str, figures: &Value, offered: u64) {
    is_whole(name, figures, offered);
    let row = &figures["workloads"][name];
    assert_eq!((&row["done"], &row["failed"]), (&row["offered"], &Value::from(0)), "{name}: {row}");
    assert!(OF_A_LOAD.iter().all(|field| row[*field].as_f64().is_some_and(|value| value > 0.0)), "{name}: {row}");
    let nodes = row["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 4);
    // A tiny load is near the resolution of the system's clock; the nodes' own is finer.
    for part in ["decode", "verify", "consensus", "execute", "store", "network"] {
        let micros = row["profile"]["us_per_transaction"][part].as_f64();
        assert!(micros.is_some_and(|micros| micros > 0.0), "{name}, {part}: {row}");
    }
}

#[test]
fn a_bench_says_what_was_offered_and_loses_nothing() {
    let figures = measured(&[]);
    assert_eq!((&figures["rate"], &figures["seconds"]), (&Value::from(20), &Value::from(2)));
    assert!(figures["machine"]["cores"].as_u64().is_some_and(|cores| cores > 0), "{figures}");
    assert!(figures["idle"]["p50_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{figures}");
    let workloads = figures["workloads"].as_object().unwrap();
    assert_eq!(workloads.keys().collect::<Vec<_>>(), ["split", "transfer"]);
    is_a_load("split", &figures, 40);
    is_a_load("transfer", &figures, 40);
}

#[test]
fn every_workload_of_the_bench_runs_whole() {
    let figures = measured(&["--workload", "mixed,hot,blank,read,settle-day", "--certificates", "130"]);
    // Of forty in the mixed load, four are reads.
    is_a_load("mixed", &figures, 36);
    let reads = &figures["workloads"]["mixed"]["reads"];
    assert_eq!((&reads["done"], &reads["failed"]), (&Value::from(4), &Value::from(0)));
    is_a_load("hot", &figures, 40);
    is_a_load("blank", &figures, 40);

    is_whole("read", &figures, 3 * 40);
    for kind in ["by_id", "lineage", "with_proof"] {
        for side in ["alone", "beside"] {
            let read = &figures["workloads"]["read"][side][kind];
            assert!(read["per_second"].as_f64().is_some_and(|reads| reads > 0.0) && read["failed"] == 0, "{read}");
        }
    }

    let day = &figures["workloads"]["settle-day"];
    is_whole("settle-day", &figures, day["offered"].as_u64().unwrap());
    assert_eq!((&day["certificates"], &day["unpaid_minor"]), (&Value::from(130), &Value::from("0")));
    assert_eq!((&day["before"]["failed"], &day["during"]["failed"]), (&Value::from(0), &Value::from(0)));
    let gas = day["blocks"]["most_gas"].as_u64().unwrap();
    assert!((1..=4_000_000_000).contains(&gas), "no block is above the chain's bound: {gas}");
}
