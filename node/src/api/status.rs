//! How the network and this node are.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use portolan_primitives::MemberId;
use portolan_replica::{Fence, Status, WhyNoBlock};
use portolan_runtime::genesis::{BusinessClock, NetworkKind};
use portolan_runtime::{Ledger, facts};
use serde_json::{Value, json};

use super::blocks::names;
use super::identity::Identity;
use super::policy::Resource;
use super::problem::Answer;
use super::{Shared, from_host, only, pairs};
use crate::handle::{NodeStatus, ReadError, Tip};
use crate::host::wall_clock;

const MIB: u64 = 1 << 20;

/// Names of members, and what the state says of date and validators.
struct Facts {
    date: Value,
    target: Value,
    validators: Vec<(MemberId, u64)>,
    quorum: u128,
    names: Vec<(MemberId, Option<String>)>,
}

impl Facts {
    fn read(tip: &Tip, status: &NodeStatus) -> Result<Self, ReadError> {
        let mut ledger = Ledger::new(tip.view.clone());
        let cursor = facts::cursor(&mut ledger).map_err(from_host)?;
        let steered = matches!(facts::network(&mut ledger).map_err(from_host)?.clock, BusinessClock::Steered { .. });
        let set = facts::validators(&mut ledger, tip.head.header.height.next()).map_err(from_host)?;
        let validators: Vec<_> = set.validators().iter().map(|validator| (validator.member, validator.power)).collect();
        let members =
            validators.iter().map(|(member, _)| *member).chain(status.peers.iter().filter_map(|peer| peer.member));
        let mut members: Vec<MemberId> = members.chain(concerned(&status.replica)).collect();
        members.sort_unstable();
        members.dedup();
        Ok(Self {
            date: json!(cursor.date),
            target: if steered { json!(cursor.target) } else { Value::Null },
            validators,
            quorum: set.total_power() * 2 / 3 + 1,
            names: names(tip, members.into_iter())?,
        })
    }

    fn name(&self, member: &MemberId) -> String {
        let known = self.names.iter().find(|(id, _)| id == member).and_then(|(_, name)| name.clone());
        known.unwrap_or_else(|| member.to_string())
    }
}

/// Members whom consensus waits for.
fn concerned(status: &Status) -> Vec<MemberId> {
    let mut members = status.absent.clone();
    match &status.why_no_block {
        WhyNoBlock::WaitingForProposal { proposer } => members.push(*proposer),
        WhyNoBlock::WaitingForVotes { missing } => members.extend(missing),
        _ => {}
    }
    members
}

/// GET /v1/status.
pub async fn status(State(api): State<Shared>, identity: Identity, uri: Uri) -> Answer<Json<Value>> {
    identity.may_see(&Resource::Status)?;
    only(&pairs(&uri)?, &[])?;
    let status = Arc::new(api.handle.status().await?);
    let tip = api.handle.tip();
    let (at, of) = (tip.clone(), status.clone());
    let facts = api.handle.read(move |_| Facts::read(&at, &of)).await?;
    let (node, header, replica) = (api.handle.identity(), &tip.head.header, &status.replica);
    let validators = facts.validators.iter();
    let validators: Vec<Value> = validators
        .map(|(member, power)| json!({ "member": facts.name(member), "id": member, "power": power }))
        .collect();
    Ok(Json(json!({
        "network": node.network,
        "kind": match node.kind { NetworkKind::Devnet => "devnet", NetworkKind::Production => "production" },
        "chain": node.chain,
        "version": env!("CARGO_PKG_VERSION"),
        "height": header.height,
        "state_root": header.state_root,
        "header_hash": tip.head.hash,
        "time": header.time,
        "business_date": facts.date,
        "business_target": facts.target,
        "member": node.member_name,
        "node_key": node.node_key,
        "node_time": wall_clock(),
        "uptime_s": status.uptime_s,
        "role": if node.validator_key.is_some() && replica.votes { "validator" } else { "follower" },
        "ready": status.readiness.ready,
        "validators": validators,
        "quorum": number(facts.quorum),
        "peers": peers(&status, &facts),
        "syncing": matches!(replica.why_no_block, WhyNoBlock::CatchingUp { .. }),
        "mempool": { "transactions": replica.pending, "bytes": replica.pending_bytes },
        "round": replica.round,
        "why_no_block": why(replica, &facts),
        "absent": replica.absent.iter().map(|member| facts.name(member)).collect::<Vec<_>>(),
        "last_refused": replica.last_refused.as_ref().map(|(block, reason)| json!({ "block": block, "reason": reason })),
        "halted": halted(replica),
        "disk_free_mib": status.disk_free / MIB,
        "disk_reserve_mib": status.bounds.reserve_mib,
        "disk_used_mib": status.disk_used / MIB,
        "max_disk_mib": status.bounds.max_mib,
        "disk_short": status.disk_short,
        "archive": status.archive,
        "blocks_from": status.blocks_from,
        "p2p": status.p2p.to_string(),
    })))
}

/// Power as a number where JSON keeps it exactly.
fn number(power: u128) -> Value {
    u64::try_from(power)
        .ok()
        .filter(|power| *power <= 1 << 53)
        .map_or_else(|| json!(power.to_string()), |power| json!(power))
}

fn peers(status: &NodeStatus, facts: &Facts) -> Vec<Value> {
    let heights: BTreeMap<_, _> = status.replica.peers.iter().map(|seen| (seen.peer, seen.height)).collect();
    let connected = status.peers.iter().map(|peer| {
        let (ahead, there_and_back) = peer.clock.unzip();
        json!({
            "member": peer.member.map(|member| facts.name(&member)),
            "id": peer.id,
            "connected": true,
            "height": heights.get(&peer.id).copied().flatten(),
            "address": peer.address,
            "connected_s": peer.connected_for.as_secs(),
            "clock_ahead_ms": ahead,
            "round_trip_ms": there_and_back.map(|time| time.as_millis() as u64),
        })
    });
    let unreached = status.unreached.iter().map(|unreached| {
        json!({
            "member": unreached.address.member,
            "id": null,
            "connected": false,
            "address": unreached.address.to_string(),
            "last_error": unreached.last_error,
        })
    });
    connected.chain(unreached).collect()
}

fn halted(status: &Status) -> Option<String> {
    match &status.why_no_block {
        WhyNoBlock::Halted(reason) => Some(reason.to_string()),
        _ => None,
    }
}

/// Why there is no block at this moment, in words; nothing where there is nothing to do.
fn why(status: &Status, facts: &Facts) -> Option<String> {
    Some(match &status.why_no_block {
        WhyNoBlock::NothingToDo { .. } => return None,
        WhyNoBlock::Committing => "a decided block is being committed".into(),
        WhyNoBlock::WaitingForProposal { proposer } => format!("it is the turn of {} to propose", facts.name(proposer)),
        WhyNoBlock::WaitingForVotes { missing } => {
            let missing: Vec<String> = missing.iter().map(|member| facts.name(member)).collect();
            format!("votes are missing of {}", missing.join(", "))
        }
        WhyNoBlock::CatchingUp { best } => format!("this node is behind and fetches blocks up to {best}"),
        WhyNoBlock::OutOfReach { next, lowest } => format!(
            "this node needs block {next}, and the peers that are connected keep blocks from {lowest} on; connect a node with `store.archive = true`, or restore this one from a backup"
        ),
        WhyNoBlock::Fenced { fence } => match fence {
            Fence::After(time) => format!(
                "this validator was restored and may have voted before; it votes again after the first block whose time is later than {} (ms since 1970)",
                time.0
            ),
            Fence::Above(height) => {
                format!("this validator was restored and may have voted before; it votes again after block {height}")
            }
        },
        WhyNoBlock::Following => "this node does not vote; it waits for blocks of others".into(),
        WhyNoBlock::Halted(reason) => format!("this node stopped: {reason}"),
    })
}
