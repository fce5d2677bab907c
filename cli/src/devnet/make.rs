//! Makes a devnet: keys, one chain-spec, a configuration a node. Everything but the ports is what a network by hand needs too.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use portolan_chain_spec::{
    AccountSpec, ChainSpec, ClockSpec, CodeSource, ContractSpec, KeySpec, MemberSpec, OffsetSpec, PersonSpec,
    PolicySpec, TierSpec, ValidatorSpec, built_in_contracts, code_hash, demo_calendar,
};
use portolan_chain_spec::{KindSpec, SPEC_VERSION};
use portolan_node::config::{Config, Keys, Log, LogFormat, P2p, PeerAddress, Store};
use portolan_node::keys::{self, Passphrase};
use portolan_primitives::{BusinessDate, Hash, PublicKey};

use super::cast::{CHECKER, MAIN, MAKER, Party, validators};
use super::layout::{Layout, NodeEntry};
use crate::clock;
use crate::error::{CliError, CliResult};
use crate::keystore::Keystore;

/// Offset of the devnet's real days: China has had one zone without summer time since 1991.
const REAL_ZONE: (&str, i32) = ("Asia/Shanghai", 8 * 3600);

/// What a devnet is made with.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How the business date moves.
    pub clock: PlannedClock,
    /// First of eight ports in a row; free ones if none is named.
    pub base_port: Option<u16>,
    /// Who takes part.
    pub parties: &'static [Party],
}

/// How the business date moves.
#[derive(Clone, Copy, Debug)]
pub enum PlannedClock {
    /// Stands at a date, moves by command.
    Steered {
        /// First business date.
        start: BusinessDate,
        /// Length of a day while it moves, ms.
        day_length_ms: u64,
    },
    /// Real days, for benchmarks.
    Real,
}

/// A node's keys and ports.
struct NodePlan {
    party: &'static Party,
    node_key: PublicKey,
    validator_key: PublicKey,
    api: SocketAddr,
    p2p: SocketAddr,
}

/// Makes everything under `layout`, which must not exist yet.
pub fn make(layout: &Layout, plan: &Plan) -> CliResult<Vec<NodeEntry>> {
    std::fs::create_dir_all(layout.keystore()).map_err(CliError::file(&layout.keystore()))?;
    write_passphrase(&layout.passphrase())?;
    let nodes = plan_nodes(layout, plan)?;
    let members: CliResult<Vec<MemberSpec>> = plan.parties.iter().map(|party| member(layout, party, &nodes)).collect();
    let spec = chain_spec(members?, &plan.clock)?;
    check(&spec, layout)?;
    std::fs::write(layout.spec(), spec.render()).map_err(CliError::file(&layout.spec()))?;
    for node in &nodes {
        write_config(layout, node, &nodes)?;
    }
    Ok(nodes.iter().map(|node| entry(layout, node)).collect())
}

fn entry(layout: &Layout, node: &NodePlan) -> NodeEntry {
    let role = serde_json::to_value(node.party.role).ok().and_then(|role| role.as_str().map(str::to_owned));
    NodeEntry {
        name: node.party.name.into(),
        role: role.unwrap_or_default(),
        pid: None,
        api: format!("http://{}", node.api),
        p2p: node.p2p.to_string(),
        home: layout.home(node.party.name),
    }
}

fn write_passphrase(path: &Path) -> CliResult<()> {
    use std::io::Write;
    let random: [u8; 16] = clock::random().map_err(|error| CliError::refused("no_randomness", error.to_string()))?;
    let text: String = portolan_primitives::hex::encode(&random);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).map_err(CliError::file(path))?;
    file.write_all(text.as_bytes()).map_err(CliError::file(path))
}

fn plan_nodes(layout: &Layout, plan: &Plan) -> CliResult<Vec<NodePlan>> {
    let ports = ports(plan.base_port, 2 * validators().count())?;
    let source = Keys { passphrase_file: Some(layout.passphrase()), ..Keys::default() };
    let passphrase = Passphrase::find(&source).map_err(crate::keystore::KeystoreError::from)?;
    let new_key = |path: &Path| -> CliResult<PublicKey> {
        let key = keys::generate().map_err(crate::keystore::KeystoreError::from)?;
        keys::write(path, &key, &passphrase).map_err(crate::keystore::KeystoreError::from)?;
        Ok(key.public())
    };
    let node = |(party, ports): (&'static Party, &[u16])| -> CliResult<NodePlan> {
        let folder = layout.home(party.name).join("keys");
        Ok(NodePlan {
            party,
            node_key: new_key(&folder.join("node.pem"))?,
            validator_key: new_key(&folder.join("validator.pem"))?,
            api: SocketAddr::from((Ipv4Addr::LOCALHOST, ports[0])),
            p2p: SocketAddr::from((Ipv4Addr::LOCALHOST, ports[1])),
        })
    };
    validators().zip(ports.chunks(2)).map(node).collect()
}

/// Ports in a row from `base`, or free ones, all held until the last is found.
fn ports(base: Option<u16>, count: usize) -> CliResult<Vec<u16>> {
    if let Some(base) = base {
        return Ok((base..).take(count).collect());
    }
    let bind = || {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| Ok((listener.local_addr()?.port(), listener)))
    };
    let held: std::io::Result<Vec<(u16, TcpListener)>> = (0..count).map(|_| bind()).collect();
    let held =
        held.map_err(|error| CliError::refused("no_free_port", format!("no free port on 127.0.0.1: {error}")))?;
    Ok(held.iter().map(|(port, _)| *port).collect())
}

fn member(layout: &Layout, party: &'static Party, nodes: &[NodePlan]) -> CliResult<MemberSpec> {
    let keystore = Keystore::new(layout.keystore(), Some(layout.passphrase()));
    let person = |name: &str| -> CliResult<PersonSpec> {
        let facts = keystore.generate(&party.key(name))?;
        let keys = vec![KeySpec { key: facts.public, valid_until: None }];
        Ok(PersonSpec { name: name.into(), maker: name == MAKER, checker: name == CHECKER, keys })
    };
    let persons = vec![person(MAKER)?, person(CHECKER)?];
    let both = vec![party.key(MAKER), party.key(CHECKER)];
    let one = vec![party.key(MAKER)];
    keystore.note(&format!("{}/admin", party.name), one.clone())?;
    keystore.note(&party.account_name(), if party.four_eyes { both } else { one })?;
    let node = nodes.iter().find(|node| node.party.name == party.name);
    Ok(MemberSpec {
        name: party.name.into(),
        title: party.title.into(),
        roles: vec![party.role],
        validator: node.map(|node| ValidatorSpec { key: node.validator_key, power: 1 }),
        node_keys: node.iter().map(|node| node.node_key).collect(),
        persons,
        accounts: vec![account("admin", false), account(MAIN, party.four_eyes)],
    })
}

fn account(name: &str, four_eyes: bool) -> AccountSpec {
    let tier =
        TierSpec { currency: None, up_to: None, persons: if four_eyes { 2 } else { 1 }, maker_checker: four_eyes };
    AccountSpec { name: name.into(), policy: PolicySpec { persons: vec![], tiers: vec![tier] } }
}

fn chain_spec(members: Vec<MemberSpec>, clock: &PlannedClock) -> CliResult<ChainSpec> {
    let secret = clock::random().map_err(|error| CliError::refused("no_randomness", error.to_string()))?;
    let calendar = demo_calendar().map_err(|error| CliError::refused("calendar", error.to_string()))?;
    let contract = |artifact: &portolan_chain_spec::Artifact| ContractSpec {
        name: artifact.name.into(),
        code_hash: code_hash(artifact.code),
        instantiate: String::new(),
    };
    Ok(ChainSpec {
        version: SPEC_VERSION,
        network: "devnet".into(),
        kind: KindSpec::Devnet,
        time: clock::now(),
        clock: match *clock {
            PlannedClock::Steered { start, day_length_ms } => ClockSpec::Steered { start, day_length_ms },
            PlannedClock::Real => {
                let offset = OffsetSpec { from: Default::default(), seconds: REAL_ZONE.1 };
                ClockSpec::Real { zone: REAL_ZONE.0.into(), offsets: vec![offset] }
            }
        },
        secret: Hash(secret),
        members,
        parameters: Default::default(),
        calendars: vec![calendar],
        contracts: built_in_contracts().iter().map(contract).collect(),
    })
}

fn check(spec: &ChainSpec, layout: &Layout) -> CliResult<()> {
    let faults = |faults: Vec<portolan_chain_spec::SpecError>| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        CliError::refused("bad_chain_spec", lines.join("; "))
    };
    spec.check(&CodeSource::beside(&layout.spec())).map(drop).map_err(faults)
}

fn write_config(layout: &Layout, node: &NodePlan, all: &[NodePlan]) -> CliResult<()> {
    let peer = |other: &NodePlan| PeerAddress {
        member: Some(other.party.name.into()),
        host: other.p2p.ip().to_string(),
        port: other.p2p.port(),
    };
    let config = Config {
        home: layout.home(node.party.name),
        spec: layout.spec(),
        member: node.party.name.into(),
        api: portolan_node::config::Api { listen: node.api, tls_certificate: None, tls_key: None },
        p2p: P2p {
            listen: node.p2p,
            peers: all.iter().filter(|other| other.party.name != node.party.name).map(peer).collect(),
        },
        keys: Keys {
            node: "keys/node.pem".into(),
            validator: Some("keys/validator.pem".into()),
            passphrase_file: Some(layout.passphrase()),
            passphrase_env: None,
            passphrase_fd: None,
        },
        store: Store::default(),
        // The consensus core tells each message at `info`.
        log: Log { level: "info,arc_malachitebft_core_consensus=warn".into(), format: LogFormat::Text },
    };
    let text = config.to_toml().map_err(|error| CliError::refused("config", error.to_string()))?;
    let path = layout.config(node.party.name);
    std::fs::write(&path, text).map_err(CliError::file(&path))
}
