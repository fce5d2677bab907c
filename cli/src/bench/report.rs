//! The figures as tables for people; programs get the JSON.

use serde_json::Value;

use super::profile::Profile;
use crate::error::CliResult;
use crate::output::{Output, columns};

/// Columns of the table of workloads: title and field.
const FIELDS: [(&str, &str); 12] = [
    ("rate", "rate"),
    ("tx/s", "throughput"),
    ("p50 ms", "p50_ms"),
    ("p99 ms", "p99_ms"),
    ("offered", "offered"),
    ("committed", "committed"),
    ("dropped", "dropped"),
    ("CPU s/1000", "cpu_s_per_1000"),
    ("disk bytes/1000", "disk_bytes_per_1000"),
    ("wire bytes/1000", "wire_bytes_per_1000"),
    ("fsyncs/1000", "fsyncs_per_1000"),
    ("MiB/node", "memory_mib_per_node"),
];
/// Columns of the table of nodes.
const NODE_FIELDS: [(&str, &str); 6] = [
    ("CPU s/1000", "cpu_s_per_1000"),
    ("disk bytes/1000", "disk_bytes_per_1000"),
    ("sent bytes/1000", "sent_bytes_per_1000"),
    ("received bytes/1000", "received_bytes_per_1000"),
    ("fsyncs/1000", "fsyncs_per_1000"),
    ("MiB", "memory_mib"),
];

/// All figures of a run.
pub fn figures(figures: &Value, output: &Output) -> CliResult<()> {
    output.text(|| text(figures), figures)
}

fn text(figures: &Value) -> String {
    let mut tables = vec![table("workload", &FIELDS, workloads(figures).map(|(name, row)| (name.clone(), row)))];
    let nodes = workloads(figures).flat_map(|(name, row)| {
        let nodes = row["nodes"].as_array().into_iter().flatten();
        nodes.map(move |node| (format!("{name} {}", node["name"].as_str().unwrap_or_default()), node))
    });
    let nodes: Vec<_> = nodes.collect();
    if !nodes.is_empty() {
        tables.push(table("node", &NODE_FIELDS, nodes.into_iter()));
    }
    let profiled: Vec<_> = workloads(figures).filter(|(_, row)| row["profile"].is_object()).collect();
    if !profiled.is_empty() {
        tables.push(profile(&profiled));
    }
    for (name, row) in workloads(figures) {
        if row["alone"].is_object() {
            tables.push(reads(row));
        }
        if row["settle_seconds"].is_number() {
            tables.push(settle_day(row));
        }
        if row["reads"].is_object() {
            tables.push(format!(
                "{name}, reads: p50 {} ms, p99 {} ms",
                cell(&row["reads"]["p50_ms"]),
                cell(&row["reads"]["p99_ms"])
            ));
        }
    }
    if let Some(before) = figures["before"].as_object() {
        tables.push(format!(
            "Beside the last line of the history, not interleaved:\n{}",
            ratio_table(&Value::Object(before.clone()))
        ));
    }
    tables.join("\n\n")
}

fn workloads(figures: &Value) -> impl Iterator<Item = (&String, &Value)> {
    figures["workloads"].as_object().into_iter().flatten()
}

/// Figures to one decimal.
fn cell(value: &Value) -> String {
    value.as_f64().map_or("–".into(), |value| format!("{value:.1}"))
}

fn table<'a>(first: &str, fields: &[(&str, &str)], rows: impl Iterator<Item = (String, &'a Value)>) -> String {
    let head: Vec<&str> = [first].into_iter().chain(fields.iter().map(|(title, _)| *title)).collect();
    let row = |(name, row): (String, &Value)| {
        [name].into_iter().chain(fields.iter().map(|(_, field)| cell(&row[*field]))).collect()
    };
    columns(&head, rows.map(row).collect())
}

/// Microseconds of a node's CPU for each transaction and each height, by part.
fn profile(workloads: &[(&String, &Value)]) -> String {
    let titles: Vec<String> =
        workloads.iter().flat_map(|(name, _)| [format!("{name} µs/tx"), format!("{name} µs/height")]).collect();
    let head: Vec<&str> = ["part"].into_iter().chain(titles.iter().map(String::as_str)).collect();
    let figure = |part: &str, row: &Value| {
        let profile = &row["profile"];
        [cell(&profile["us_per_transaction"][part]), cell(&profile["us_per_height"][part])]
    };
    let row = |part: &str| {
        [part.to_owned()].into_iter().chain(workloads.iter().flat_map(|(_, row)| figure(part, row))).collect()
    };
    columns(&head, Profile::parts().map(row).collect())
}

fn reads(row: &Value) -> String {
    let head = ["read", "alone /s", "p50 ms", "p99 ms", "beside load /s", "p50 ms", "p99 ms", "load's p99 ms"];
    let kinds = row["alone"].as_object().into_iter().flatten();
    let line = |(kind, alone): (&String, &Value)| {
        let beside = &row["beside"][kind];
        let figures = [
            &alone["per_second"],
            &alone["p50_ms"],
            &alone["p99_ms"],
            &beside["per_second"],
            &beside["p50_ms"],
            &beside["p99_ms"],
            &beside["transactions"]["p99_ms"],
        ];
        [kind.clone()].into_iter().chain(figures.into_iter().map(cell)).collect()
    };
    columns(&head, kinds.map(line).collect())
}

fn settle_day(row: &Value) -> String {
    format!(
        "settlement day: {} certificates in {} s, {} blocks of at most {} gas, at most {} ms apart; new transactions p99 {} ms before, {} ms during; {} minor units unpaid",
        row["certificates"],
        cell(&row["settle_seconds"]),
        row["blocks"]["count"],
        row["blocks"]["most_gas"],
        row["blocks"]["longest_interval_ms"],
        cell(&row["before"]["p99_ms"]),
        cell(&row["during"]["p99_ms"]),
        row["unpaid_minor"].as_str().unwrap_or("–"),
    )
}

/// The ratios of two programs.
pub fn ratios(figures: &Value, output: &Output) -> CliResult<()> {
    output.text(|| ratio_table(&figures["ratios"]), figures)
}

/// One line a workload; 1 is no difference.
fn ratio_table(ratios: &Value) -> String {
    let fields = super::against::COMPARED;
    let head: Vec<&str> = ["this / other"].into_iter().chain(fields).collect();
    let line = |(name, row): (&String, &Value)| {
        let figure = |field: &&str| row[*field].as_f64().map_or("–".into(), |ratio| format!("{ratio:.3}"));
        [name.clone()].into_iter().chain(fields.iter().map(figure)).collect()
    };
    columns(&head, ratios.as_object().into_iter().flatten().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_table_is_there_for_what_was_measured() {
        let shown = text(&json!({ "workloads": {
            "split": { "throughput": 812.25, "dropped": 0, "nodes": [{ "name": "harbour-bank", "memory_mib": 91 }],
                "profile": { "us_per_transaction": { "tree": 7.5 }, "us_per_height": { "tree": 150.0 } } },
            "read": { "alone": { "by_id": { "per_second": 4000.0 } }, "beside": { "by_id": { "per_second": 3000.0 } } },
            "settle-day": { "settle_seconds": 12.5, "certificates": 10_000, "unpaid_minor": "0" },
        }}));
        for words in
            ["812.2", "split harbour-bank", "91.0", "tree", "150.0", "4000.0", "3000.0", "10000 certificates in 12.5 s"]
        {
            assert!(shown.contains(words), "{words} in\n{shown}");
        }
        assert!(!shown.contains("history"));
    }
}
