//! `portolan doctor`: what is wrong with the network, in words, from what its nodes say. Exit 1 if something is.

use serde_json::{Value, json};

use crate::client::Client;
use crate::clock;
use crate::context::Context;
use crate::error::{CliError, CliResult};

/// Difference of a node's clock from this machine's from which on it is told, ms.
const CLOCK_SKEW: u64 = 2_000;
/// Heights behind from which on a node is told.
const BEHIND: u64 = 3;

/// One finding.
struct Finding {
    node: String,
    what: String,
    next: String,
}

/// Asks all nodes and tells what is wrong.
pub fn run(context: &Context) -> CliResult<()> {
    let nodes = context.nodes()?;
    let statuses: Vec<(String, Option<Value>)> =
        nodes.iter().map(|node| (node.clone(), Client::new(vec![node.clone()]).get("/v1/status").ok())).collect();
    if statuses.iter().all(|(_, status)| status.is_none()) {
        // Says it with what was tried, and the exit code for it.
        Client::new(nodes).get("/v1/status")?;
    }
    let findings = examine(&statuses);
    let rows =
        findings.iter().map(|finding| vec![finding.node.clone(), finding.what.clone(), finding.next.clone()]).collect();
    let as_json = |finding: &Finding| json!({ "node": finding.node, "finding": finding.what, "next": finding.next });
    let answer = json!({
        "healthy": findings.is_empty(),
        "findings": findings.iter().map(as_json).collect::<Vec<_>>(),
        "nodes": statuses.iter().map(|(node, status)| json!({ "api": node, "status": status })).collect::<Vec<_>>(),
    });
    if findings.is_empty() {
        let height = height(&statuses);
        return context
            .output
            .done(&format!("Nothing is wrong: {} nodes answer, height {height}.", statuses.len()), || answer);
    }
    context.output.table(&["node", "finding", "what to do"], rows, "", &answer)?;
    Err(CliError::refused("unhealthy", format!("{} findings", findings.len())))
}

fn height(statuses: &[(String, Option<Value>)]) -> u64 {
    statuses
        .iter()
        .flat_map(|(_, status)| status)
        .filter_map(|status| status["height"].as_u64())
        .max()
        .unwrap_or_default()
}

fn examine(statuses: &[(String, Option<Value>)]) -> Vec<Finding> {
    let top = height(statuses);
    let mut findings = Vec::new();
    for (node, status) in statuses {
        let mut tell = |what: String, next: &str| {
            findings.push(Finding { node: node.clone(), what, next: next.into() });
        };
        let Some(status) = status else {
            tell("does not answer".into(), "start it, or see its log");
            continue;
        };
        if let Some(halted) = status["halted"].as_str() {
            tell(format!("halted: {halted}"), "read halt.json in its home before starting it again");
        }
        let height = status["height"].as_u64().unwrap_or_default();
        if height + BEHIND < top {
            tell(format!("is at height {height} of {top}"), "it catches up by itself while it has peers");
        }
        if let Some(time) = status["node_time"].as_u64() {
            let skew = clock::now().0.abs_diff(time);
            if skew > CLOCK_SKEW {
                tell(format!("its clock differs by {skew} ms"), "run a time service on it");
            }
        }
        for peer in status["peers"].as_array().into_iter().flatten().filter(|peer| peer["connected"] == false) {
            tell(
                format!("has no connection to {}", peer["member"].as_str().unwrap_or("a peer")),
                "is that node up and reachable?",
            );
        }
        if status["disk_free_mib"]
            .as_u64()
            .zip(status["disk_reserve_mib"].as_u64())
            .is_some_and(|(free, reserve)| free < 2 * reserve)
        {
            tell("its disk is nearly full".into(), "make room; it stops by itself before the disk is full");
        }
        if let Some(reason) = status["why_no_block"].as_str() {
            if status["mempool"]["transactions"].as_u64().unwrap_or_default() > 0 {
                tell(format!("transactions wait: {reason}"), "see the findings of the other nodes");
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(height: u64) -> Value {
        json!({ "height": height, "peers": [], "mempool": { "transactions": 0 } })
    }

    #[test]
    fn a_silent_node_one_that_is_behind_and_a_lost_peer_are_named() {
        let mut alone = status(10);
        alone["peers"] = json!([{ "member": "port-customs", "connected": false }]);
        let statuses = [("a".to_owned(), Some(alone)), ("b".to_owned(), None), ("c".to_owned(), Some(status(3)))];
        let findings: Vec<(String, String)> =
            examine(&statuses).into_iter().map(|finding| (finding.node, finding.what)).collect();
        assert_eq!(
            findings,
            [
                ("a".to_owned(), "has no connection to port-customs".to_owned()),
                ("b".to_owned(), "does not answer".to_owned()),
                ("c".to_owned(), "is at height 3 of 10".to_owned()),
            ]
        );
    }

    #[test]
    fn a_healthy_network_has_no_findings() {
        assert!(examine(&[("a".to_owned(), Some(status(10))), ("b".to_owned(), Some(status(9)))]).is_empty());
    }
}
