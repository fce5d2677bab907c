//! A network of one validator, a member without a node, and a regulator; and requests to the router of its API.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode};
use codec::Encode;
use portolan_chain_spec::{
    AccountSpec, CalendarSpec, ChainSpec, ClockSpec, CodeSource, KeySpec, KindSpec, MemberSpec, ParameterSpec,
    PersonSpec, PolicySpec, SPEC_VERSION, TierSpec, ValidatorSpec, YearSpec,
};
use portolan_primitives::{
    AccountId, Body as TransactionBody, BusinessDate, Call, ContractId, Domain, Hash, Role, SigningKey, Timestamp,
    Transaction, hash,
};
use portolan_runtime::native::Native;
use portolan_runtime::native::governance::{self, Action};
use portolan_runtime::native::members::messages;
use serde_json::Value;
use tokio::sync::{oneshot, watch};
use tower::ServiceExt;

use crate::api::identity::Peer;
use crate::api::problem::CODES;
use crate::api::{Api, Shared, router};
use crate::config::{self, Config};
use crate::handle::NodeHandle;
use crate::host::wall_clock;
use crate::node::{Node, NodeKeys};

pub const BANK: &str = "harbour-bank";
pub const CARRIER: &str = "cargo-line";
pub const REGULATOR: &str = "regulator";

const GENESIS: u64 = 1_764_000_000_000;

pub fn key(name: &str) -> SigningKey {
    SigningKey::from_secret(&hash(Domain::Key, name.as_bytes()).0).unwrap()
}

fn member(name: &str, role: Role) -> MemberSpec {
    let tier = TierSpec { currency: None, up_to: None, persons: 1, maker_checker: false };
    let runs_node = name == BANK;
    MemberSpec {
        name: name.into(),
        title: name.to_uppercase(),
        roles: vec![role],
        validator: runs_node.then(|| ValidatorSpec { key: key("validator").public(), power: 1 }),
        node_keys: if runs_node { vec![key("node").public()] } else { vec![] },
        persons: vec![PersonSpec {
            name: "ann".into(),
            maker: true,
            checker: true,
            keys: vec![
                KeySpec { key: key(name).public(), valid_until: None },
                KeySpec { key: key(&format!("{name} long ago")).public(), valid_until: Some(Timestamp(GENESIS + 1)) },
            ],
        }],
        accounts: vec![AccountSpec { name: "admin".into(), policy: PolicySpec { persons: vec![], tiers: vec![tier] } }],
    }
}

fn spec() -> ChainSpec {
    ChainSpec {
        version: SPEC_VERSION,
        network: "test".into(),
        kind: KindSpec::Devnet,
        time: Timestamp(GENESIS),
        clock: ClockSpec::Steered { start: BusinessDate::from_civil(2026, 3, 2).unwrap(), day_length_ms: 20 },
        secret: Hash([42; 32]),
        members: vec![member(BANK, Role::Bank), member(CARRIER, Role::Logistics), member(REGULATOR, Role::Regulator)],
        parameters: [("block.heartbeat-ms".to_owned(), ParameterSpec::U64(3_600_000))].into(),
        calendars: vec![CalendarSpec {
            name: "demo".into(),
            years: vec![YearSpec { year: 2026, provisional: true, closed: vec![], open: vec![] }],
        }],
        contracts: vec![],
    }
}

/// A running node and its API.
pub struct World {
    pub handle: NodeHandle,
    pub router: Router,
    pub api: Shared,
    pub stop_api: watch::Sender<bool>,
    salt: AtomicU64,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), crate::host::halt::Halt>>,
    _home: tempfile::TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Status and code of a problem.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{:?}", self.body);
        let document = self.json();
        assert_eq!(document["status"], self.status.as_u16());
        let code = document["code"].as_str().unwrap();
        let is_known = CODES.iter().any(|(known, _)| *known == code) || code.contains("::");
        assert!(is_known, "`{code}` is in no list of codes");
        (self.status.as_u16(), code.to_owned())
    }
}

impl World {
    pub async fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let checked = spec().check(&CodeSource::beside(Path::new("none"))).unwrap();
        let config = Config {
            home: home.path().into(),
            spec: home.path().join("chain-spec.json"),
            member: BANK.into(),
            api: config::Api { listen: "127.0.0.1:0".parse().unwrap(), ..Default::default() },
            p2p: config::P2p { listen: "127.0.0.1:0".parse().unwrap(), peers: vec![] },
            keys: Default::default(),
            store: config::Store { cache_mib: 8, disk_reserve_mib: 16, ..Default::default() },
            log: Default::default(),
        };
        let keys = NodeKeys { node: key("node"), validator: Some(key("validator")) };
        let node = Node::start(&config, checked, keys).await.unwrap();
        let handle = node.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(node.run(async { drop(stopped.await) }));
        handle.wait_ready().await;
        let (stop_api, stopping) = watch::channel(false);
        let api = Api::new(handle.clone(), stopping);
        let router = router(api.clone());
        Self { handle, router, api, stop_api, salt: AtomicU64::new(0), stop, ended, _home: home }
    }

    pub async fn stop(self) {
        let Self { handle, router, api, stop, ended, .. } = self;
        drop((handle, router, api));
        stop.send(()).unwrap();
        ended.await.unwrap().unwrap();
    }

    pub fn chain(&self) -> Hash {
        self.handle.identity().chain
    }

    pub async fn send(&self, request: Request<Body>) -> Answered {
        read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// As the operator.
    pub async fn get(&self, path: &str) -> Answered {
        self.send(from("127.0.0.1:5000", "GET", path)).await
    }

    pub async fn json(&self, path: &str) -> Value {
        let answered = self.get(path).await;
        assert_eq!(answered.status, StatusCode::OK, "{path}: {:?}", answered.body);
        answered.json()
    }

    pub async fn post(&self, path: &str, body: Vec<u8>) -> Answered {
        self.send(from("127.0.0.1:5000", "POST", path).map(|_| Body::from(body))).await
    }

    /// Signed by the person of a member for the member's account, from another machine.
    pub async fn get_as(&self, member: &str, path: &str) -> Answered {
        self.send(Signed::by(self, member, path).request()).await
    }

    /// A transaction of a member's account with one call.
    pub fn transaction(&self, member: &str, contract: ContractId, input: Vec<u8>) -> Transaction {
        self.transaction_of(member, vec![Call { contract, input }])
    }

    /// A transaction of a member's account.
    pub fn transaction_of(&self, member: &str, calls: Vec<Call>) -> Transaction {
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.salt.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        let body = TransactionBody {
            version: 1,
            chain: self.chain(),
            sender: AccountId::from_name(member, "admin"),
            salt,
            expires_at: Timestamp(wall_clock().0 + 120_000),
            gas_limit: 200_000_000,
            approvers: vec![key(member).public().id()],
            calls,
        };
        let approvals = vec![body.approve(&key(member))];
        Transaction { body, approvals }
    }

    /// The member gets one more person.
    pub fn add_person(&self, member: &str, name: &str) -> Transaction {
        self.add_persons(member, &[name])
    }

    /// The member gets more persons at once.
    pub fn add_persons(&self, member: &str, names: &[&str]) -> Transaction {
        let call = |name: &&str| {
            let call = messages::Call::AddPerson { name: (*name).into(), maker: true, checker: false };
            Call { contract: Native::Members.id(), input: call.encode() }
        };
        self.transaction_of(member, names.iter().map(call).collect())
    }

    /// What the only validator proposes and thereby decides.
    pub fn governed(&self, title: &str, action: Action) -> Transaction {
        let call = governance::messages::Call::Propose { title: title.into(), action, days: None };
        self.transaction(BANK, Native::Governance.id(), call.encode())
    }

    /// Sends a transaction and waits for its outcome.
    pub async fn settle(&self, transaction: &Transaction) -> Value {
        let sent = self.post("/v1/transactions", transaction.encode()).await;
        assert_eq!(sent.status, StatusCode::ACCEPTED, "{:?}", sent.body);
        let settled = self.json(&format!("/v1/transactions/{}?wait_ms=30000", transaction.body.id())).await;
        assert_eq!(settled["status"], "final");
        settled
    }
}

/// A request from an address.
pub fn from(address: &str, method: &str, path: &str) -> Request<Body> {
    let address: SocketAddr = address.parse().unwrap();
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:8080")
        .extension(Peer(address))
        .body(Body::empty())
        .unwrap()
}

pub async fn read(response: Response<Body>) -> Answered {
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answered { status: parts.status, headers: parts.headers, body }
}

/// A signed request, each part of which a test may make wrong.
pub struct Signed {
    pub chain: Hash,
    pub method: String,
    pub signed_method: String,
    pub signed_path: String,
    pub path: String,
    pub time: u64,
    pub account: AccountId,
    pub signer: SigningKey,
    pub key: SigningKey,
    /// What the signature covers, and what is sent.
    pub signed_body: Vec<u8>,
    pub body: Vec<u8>,
}

impl Signed {
    pub fn by(world: &World, member: &str, path: &str) -> Self {
        Self {
            chain: world.chain(),
            method: "GET".into(),
            signed_method: "GET".into(),
            signed_path: path.into(),
            path: path.into(),
            time: wall_clock().0,
            account: AccountId::from_name(member, "admin"),
            signer: key(member),
            key: key(member),
            signed_body: vec![],
            body: vec![],
        }
    }

    pub fn posting(world: &World, member: &str, path: &str, body: Vec<u8>) -> Self {
        let signed_method = "POST".into();
        Self { method: "POST".into(), signed_method, signed_body: body.clone(), body, ..Self::by(world, member, path) }
    }

    pub fn request(&self) -> Request<Body> {
        let body = Hash(*blake3::hash(&self.signed_body).as_bytes());
        let mut message = b"portolan 2026 signed request v1\0".to_vec();
        let claimed = (self.chain, &self.signed_method, &self.signed_path, Timestamp(self.time), self.account, body);
        claimed.encode_to(&mut message);
        let mut request = from("10.1.2.3:5000", &self.method, &self.path).map(|_| self.body.clone().into());
        let fields = [
            ("portolan-account", self.account.to_string()),
            ("portolan-key", self.key.public().id().to_string()),
            ("portolan-time", self.time.to_string()),
            ("portolan-signature", self.signer.sign(&message).to_string()),
        ];
        for (name, value) in fields {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        // A request without a body says nothing of it.
        if !self.signed_body.is_empty() {
            request.headers_mut().insert("portolan-body", body.to_string().parse().unwrap());
        }
        request
    }
}
