//! The devnet as its users command it: up, status, stop, kill, start, down, reset.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::layout::{Layout, NodeEntry};
use super::make::{Plan, make};
use super::supervisor::{self, Order};
use crate::client::Client;
use crate::clock;
use crate::error::{CliError, CliResult};

/// Longest that nodes may take until they are ready.
const READY: Duration = Duration::from_secs(120);
/// How often a node that ends while it starts is started again.
const MOST_STARTS: u32 = 3;
/// Between two questions whether a node is ready.
const READY_PAUSE: Duration = Duration::from_millis(50);

/// Brings the devnet up, making it first if there is none, and returns when all nodes are ready.
pub fn up(layout: &Layout, plan: &Plan) -> CliResult<Vec<NodeEntry>> {
    up_with(layout, plan, None)
}

/// The same with another program for its nodes than the one beside this.
pub fn up_with(layout: &Layout, plan: &Plan, program: Option<&Path>) -> CliResult<Vec<NodeEntry>> {
    if !layout.exists() {
        clear(layout.root())?;
        let entries = make(layout, plan)?;
        supervisor::write_stopped(layout, &entries)?;
    }
    if !supervisor::runs(layout) {
        supervisor::launch(layout, program)?;
    }
    start_until_ready(layout)?;
    layout.nodes()
}

/// Starts what is stopped until all nodes are ready. One that was just killed may still be listed as running, so this looks
/// again and again; one that keeps ending while it starts is told.
fn start_until_ready(layout: &Layout) -> CliResult<()> {
    let deadline = clock::after(READY);
    let mut starts: BTreeMap<String, u32> = BTreeMap::new();
    loop {
        let nodes = layout.nodes()?;
        for node in nodes.iter().filter(|node| node.pid.is_none()) {
            let count = starts.entry(node.name.clone()).or_default();
            *count += 1;
            if *count > MOST_STARTS {
                return Err(not_ready(layout, node, "keeps ending while starting"));
            }
            supervisor::order(layout, Order::Start(node.name.clone()))?;
        }
        let waiting = nodes.iter().find(|node| Client::new(vec![node.api.clone()]).get("/readyz").is_err());
        let Some(waiting) = waiting else { return same_height(layout) };
        if clock::now() > deadline {
            return Err(not_ready(layout, waiting, "is not ready after two minutes"));
        }
        clock::pause(READY_PAUSE);
    }
}

/// Waits until every running node has what the foremost had: a node that was away is ready before it has caught up.
fn same_height(layout: &Layout) -> CliResult<()> {
    let (live, _) = live_clients(layout)?;
    let height = |client: &Client| client.get("/v1/status").ok().and_then(|status| status["height"].as_u64());
    let top = live.iter().filter_map(|(_, client)| height(client)).max().unwrap_or_default();
    live.iter().try_for_each(|(_, client)| super::clock::wait_for_height(client, top))
}

fn not_ready(layout: &Layout, node: &NodeEntry, what: &str) -> CliError {
    let message = format!("{} {what}; its last words: {}", node.name, last_lines(&layout.log(&node.name)));
    CliError::refused("node_not_ready", message)
}

/// Waits until a node that was started says that it is ready.
pub fn wait_ready(layout: &Layout, node: &NodeEntry) -> CliResult<()> {
    let client = Client::new(vec![node.api.clone()]);
    let deadline = clock::after(READY);
    loop {
        if client.get("/readyz").is_ok() {
            return Ok(());
        }
        let now = layout.nodes()?;
        let runs = now.iter().any(|entry| entry.name == node.name && entry.pid.is_some());
        if !runs || clock::now() > deadline {
            let what = if runs { "is not ready after two minutes" } else { "ended while starting" };
            return Err(not_ready(layout, node, what));
        }
        clock::pause(READY_PAUSE);
    }
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(3).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}

/// Starts one node and waits until it is ready.
pub fn start(layout: &Layout, name: &str) -> CliResult<()> {
    supervisor::order(layout, Order::Start(name.into()))?;
    let nodes = layout.nodes()?;
    nodes.iter().filter(|entry| entry.name == name).try_for_each(|entry| wait_ready(layout, entry))?;
    same_height(layout)
}

/// Ends the network; its state stays.
pub fn down(layout: &Layout) -> CliResult<()> {
    if supervisor::runs(layout) { supervisor::order(layout, Order::Down) } else { Ok(()) }
}

/// Ends the network and forgets its state.
pub fn reset(layout: &Layout) -> CliResult<()> {
    down(layout)?;
    clear(layout.root())
}

/// Removes a devnet's folder, and nothing that is not one.
fn clear(root: &Path) -> CliResult<()> {
    if !root.exists() {
        return Ok(());
    }
    let known = [
        "chain-spec.json",
        "keystore",
        "nodes",
        "nodes.json",
        "story.json",
        "supervisor.json",
        "supervisor.log",
        "bench",
    ];
    for entry in std::fs::read_dir(root).map_err(CliError::file(root))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !known.contains(&name.trim_end_matches(".new")) {
            let message =
                format!("{} holds `{name}`, which is no devnet's; name another folder with --dir", root.display());
            return Err(CliError::refused("not_a_devnet", message));
        }
    }
    std::fs::remove_dir_all(root).map_err(CliError::file(root))
}

/// Clients of the live nodes, each alone, and one over all live nodes.
pub fn live_clients(layout: &Layout) -> CliResult<(Vec<(NodeEntry, Client)>, Client)> {
    let live: Vec<NodeEntry> = layout.nodes()?.into_iter().filter(|entry| entry.pid.is_some()).collect();
    if live.is_empty() {
        return Err(CliError::refused(
            "devnet_not_running",
            "no node is running; start them with `./scripts/devnet up`",
        ));
    }
    let all = Client::new(live.iter().map(|entry| entry.api.clone()).collect());
    Ok((
        live.into_iter()
            .map(|entry| {
                let client = Client::new(vec![entry.api.clone()]);
                (entry, client)
            })
            .collect(),
        all,
    ))
}

/// What each node says of itself.
pub fn status(layout: &Layout) -> CliResult<Value> {
    let mut rows = Vec::new();
    for node in layout.nodes()? {
        let status = match node.pid {
            Some(_) => Client::new(vec![node.api.clone()]).get("/v1/status").ok(),
            None => None,
        };
        let field = |name: &str| status.as_ref().map_or(Value::Null, |status| status[name].clone());
        rows.push(json!({
            "name": node.name, "role": node.role, "pid": node.pid, "api": node.api, "p2p": node.p2p,
            "running": node.pid.is_some(), "height": field("height"), "state_root": field("state_root"),
            "business_date": field("business_date"), "business_target": field("business_target"),
        }));
    }
    Ok(json!({ "running": supervisor::runs(layout), "nodes": rows }))
}
