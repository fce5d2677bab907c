//! A consortium of four, its keys and its homes, made in one line.

use std::path::{Path, PathBuf};

use codec::Encode;
use portolan_chain_spec::{
    AccountSpec, CalendarSpec, ChainSpec, ClockSpec, KeySpec, KindSpec, MemberSpec, ParameterSpec, PersonSpec,
    PolicySpec, SPEC_VERSION, TierSpec, ValidatorSpec, YearSpec,
};
use portolan_node::keys::{self, Passphrase};
use portolan_primitives::transaction::Body;
use portolan_primitives::{AccountId, BusinessDate, Call, Hash, Role, SigningKey, Timestamp, Transaction};
use portolan_runtime::native::Native;
use portolan_runtime::native::members::messages;

pub const MEMBERS: [&str; 4] = ["harbour-bank", "cargo-line", "customs", "platform"];
pub const PASSPHRASE: &str = "correct horse";
/// Milliseconds after which a block comes without a reason; long, so that tests see blocks of their own only.
pub const HEARTBEAT_MS: u64 = 3_600_000;

pub fn key(name: &str) -> SigningKey {
    let secret = portolan_primitives::hash(portolan_primitives::Domain::Key, name.as_bytes());
    SigningKey::from_secret(&secret.0).unwrap()
}

pub fn node_key(member: &str) -> SigningKey {
    key(&format!("node of {member}"))
}

pub fn validator_key(member: &str) -> SigningKey {
    key(&format!("validator of {member}"))
}

fn member(name: &str) -> MemberSpec {
    let tier = TierSpec { currency: None, up_to: None, persons: 1, maker_checker: false };
    MemberSpec {
        name: name.into(),
        title: name.to_uppercase(),
        roles: vec![Role::Bank],
        validator: Some(ValidatorSpec { key: validator_key(name).public(), power: 1 }),
        node_keys: vec![node_key(name).public()],
        persons: vec![PersonSpec {
            name: "ann".into(),
            maker: true,
            checker: true,
            keys: vec![KeySpec { key: key(name).public(), valid_until: None }],
        }],
        accounts: vec![AccountSpec { name: "admin".into(), policy: PolicySpec { persons: vec![], tiers: vec![tier] } }],
    }
}

/// A devnet of the four, without contracts.
pub fn spec() -> ChainSpec {
    ChainSpec {
        version: SPEC_VERSION,
        network: "test".into(),
        kind: KindSpec::Devnet,
        time: Timestamp(1_764_000_000_000),
        clock: ClockSpec::Steered { start: BusinessDate::from_civil(2026, 3, 2).unwrap(), day_length_ms: 50 },
        secret: Hash([42; 32]),
        members: MEMBERS.map(member).to_vec(),
        parameters: [("block.heartbeat-ms".to_owned(), ParameterSpec::U64(HEARTBEAT_MS))].into(),
        calendars: vec![CalendarSpec {
            name: "demo".into(),
            years: vec![YearSpec { year: 2026, provisional: true, closed: vec![], open: vec![] }],
        }],
        contracts: vec![],
    }
}

pub fn chain() -> Hash {
    spec().check(&portolan_chain_spec::CodeSource::beside(Path::new("."))).unwrap().genesis.chain()
}

/// A transaction of a member's account with one call; `name` makes its salt.
pub fn transaction(chain: Hash, member: &str, name: &str, call: Call) -> Transaction {
    let salt = portolan_primitives::hash(portolan_primitives::Domain::Salt, format!("{member}/{name}").as_bytes());
    let body = Body {
        version: 1,
        chain,
        sender: AccountId::from_name(member, "admin"),
        salt: salt.0[..16].try_into().unwrap(),
        expires_at: Timestamp(portolan_node::host::wall_clock().0 + 120_000),
        gas_limit: 50_000_000,
        approvers: vec![key(member).public().id()],
        calls: vec![call],
    };
    let approvals = vec![body.approve(&key(member))];
    Transaction { body, approvals }
}

/// The member's first person adds another person; each has its own salt.
pub fn add_person(member: &str, name: &str) -> Transaction {
    let call = messages::Call::AddPerson { name: name.into(), maker: true, checker: false };
    transaction(chain(), member, name, Call { contract: Native::Members.id(), input: call.encode() })
}

/// Writes the home of a member's node: keys, spec and configuration; gives the configuration's path.
pub fn make_home(home: &Path, member: &str, p2p: &str, peers: &[String]) -> PathBuf {
    let passphrase = Passphrase::new(PASSPHRASE.into()).unwrap();
    keys::write(&home.join("keys/node.pem"), &node_key(member), &passphrase).unwrap();
    keys::write(&home.join("keys/validator.pem"), &validator_key(member), &passphrase).unwrap();
    let path = home.join("passphrase");
    std::fs::write(&path, PASSPHRASE).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(home.join("chain-spec.json"), spec().render()).unwrap();
    let peers: Vec<String> = peers.iter().map(|peer| format!("\"{peer}\"")).collect();
    let text = format!(
        "spec = \"chain-spec.json\"\nmember = \"{member}\"\n\n[api]\nlisten = \"127.0.0.1:0\"\n\n[p2p]\nlisten = \"{p2p}\"\npeers = [{}]\n\n\
         [keys]\nvalidator = \"keys/validator.pem\"\npassphrase_file = \"passphrase\"\n\n[store]\ncache_mib = 16\ndisk_reserve_mib = 64\n\n\
         [log]\nlevel = \"info\"\n",
        peers.join(", ")
    );
    let config = home.join("node.toml");
    std::fs::write(&config, text).unwrap();
    config
}

/// Four ports that were free a moment ago.
pub fn free_ports() -> [u16; 4] {
    let listeners = [0; 4].map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
