//! The consortium of a run: its members and keys, the runtime that all nodes share, and the store at genesis, made once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use portolan_chain_spec::{
    AccountSpec, ChainSpec, ClockSpec, CodeSource, ContractSpec, KeySpec, KindSpec, MemberSpec, ParameterSpec,
    PersonSpec, PolicySpec, SPEC_VERSION, TierSpec, ValidatorSpec, built_in_contracts, code_hash, demo_calendar,
};
use portolan_chain_spec::{CheckedSpec, Genesis};
use portolan_node::recovery::{Recovery, recover};
use portolan_node::store::check_identity;
use portolan_primitives::{
    AccountId, BusinessDate, Call, Domain, Hash, KeyId, MemberId, Role, SigningKey, Timestamp, Transaction, hash,
};
use portolan_primitives::{Body, Validator};
use portolan_runtime::{ChainSecret, Runtime};
use portolan_state::{KeyValue, Options, SaltKey};
use portolan_vm::{Vm, VmConfig};

use crate::random::Random;
use crate::store::SimStore;

/// Where the wall clock stands when a run begins, ms.
pub const EPOCH_MS: u64 = 1_800_000_000_000;
/// Length of a business day while the date moves, ms.
const DAY_MS: u64 = 20;
/// Without a reason for a block, one comes after so long.
pub const HEARTBEAT_MS: u64 = 1_500;
/// Gas of a client's transaction.
const GAS: u64 = 100_000_000;
/// For how long a client's transaction is valid, ms.
const LIFE_MS: u64 = 240_000;
const SECRET: [u8; 32] = [42; 32];

/// How a node keeps its state.
fn state_options() -> Options {
    Options::new(SaltKey::derive(&SECRET))
}

/// Who does business, each with a node of nobody: name and role.
pub const TRADERS: [(&str, Role); 6] = [
    ("bank", Role::Bank),
    ("buyer", Role::CoreEnterprise),
    ("seller", Role::Supplier),
    ("tier-2", Role::Supplier),
    ("tier-3", Role::Supplier),
    ("platform", Role::Platform),
];

/// By numbers of validators and of followers.
type Made = BTreeMap<(usize, usize), Arc<Consortium>>;

/// A consortium.
pub struct Consortium {
    /// The chain's id.
    pub chain: Hash,
    /// Members with a validator.
    pub validators: usize,
    /// Members whose nodes only follow.
    pub followers: usize,
    /// The runtime of all nodes.
    pub runtime: Arc<Runtime>,
    genesis: Genesis,
    store: SimStore,
}

impl Consortium {
    /// The one of this size; made once in a process.
    pub fn of(validators: usize, followers: usize) -> Arc<Self> {
        static MADE: OnceLock<Mutex<Made>> = OnceLock::new();
        let mut made = MADE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        made.entry((validators, followers)).or_insert_with(|| Arc::new(Self::make(validators, followers))).clone()
    }

    fn make(validators: usize, followers: usize) -> Self {
        let spec = spec(validators, followers);
        let CheckedSpec { genesis, .. } = spec.check(&CodeSource::beside(Path::new("."))).expect("the spec is good");
        let vm = Vm::new(VmConfig::default()).expect("the contract machine starts");
        let runtime = Runtime::new(Arc::new(vm), ChainSecret::new(&SECRET));
        let store = Arc::new(SimStore::new(true));
        check_identity(&*store, Path::new("store"), &genesis.chain()).expect("an empty store becomes the chain's");
        drop(recover(store.clone(), &runtime, &genesis, state_options()).expect("genesis runs"));
        let store = store.copy(true);
        Self { chain: genesis.chain(), validators, followers, runtime, genesis, store }
    }

    /// A disk's store at genesis.
    pub fn store(&self, synced: bool) -> Arc<SimStore> {
        Arc::new(self.store.copy(synced))
    }

    /// What a node finds in its store when it starts.
    pub fn recover<S: KeyValue>(&self, store: Arc<S>) -> Recovery<S> {
        recover(store, &self.runtime, &self.genesis, state_options())
            .expect("a store that lost no half of a batch can be opened")
    }

    /// Nodes' identities: validators first.
    pub fn identities(&self) -> usize {
        self.validators + self.followers
    }

    /// The member whose node it is.
    pub fn member(&self, identity: usize) -> MemberId {
        MemberId::from_name(&member_name(identity, self.validators))
    }

    /// The node's key in the network, by its id.
    pub fn peer(&self, identity: usize) -> KeyId {
        node_key(&member_name(identity, self.validators)).public().id()
    }

    /// Its consensus key.
    pub fn validator_key(&self, identity: usize) -> Option<SigningKey> {
        (identity < self.validators).then(|| validator_key(&member_name(identity, self.validators)))
    }

    /// The validator of an identity with another weight.
    pub fn validator(&self, identity: usize, power: u64) -> Validator {
        let name = member_name(identity, self.validators);
        Validator { member: MemberId::from_name(&name), key: validator_key(&name).public(), power }
    }

    /// A transaction of an account, approved by its member's person.
    pub fn transaction(
        &self,
        random: &mut Random,
        now_ms: u64,
        member: &str,
        account: &str,
        calls: Vec<Call>,
    ) -> Transaction {
        self.transaction_with(random, now_ms, member, account, calls, GAS)
    }

    /// [`Self::transaction`] that declares so much gas.
    pub fn transaction_with(
        &self,
        random: &mut Random,
        now_ms: u64,
        member: &str,
        account: &str,
        calls: Vec<Call>,
        gas_limit: u64,
    ) -> Transaction {
        let person = person_key(member);
        let mut salt = [0; 16];
        salt.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&random.draw().to_le_bytes()));
        let body = Body {
            version: 1,
            chain: self.chain,
            sender: AccountId::from_name(member, account),
            salt,
            expires_at: Timestamp(now_ms + LIFE_MS),
            gas_limit,
            approvers: vec![person.public().id()],
            calls,
        };
        let approvals = vec![body.approve(&person)];
        Transaction { body, approvals }
    }
}

/// The name of the member that runs a node.
pub fn member_name(identity: usize, validators: usize) -> String {
    match identity.checked_sub(validators) {
        None => format!("validator-{identity:02}"),
        Some(follower) => format!("follower-{follower:02}"),
    }
}

/// The business date of genesis.
pub fn first_day() -> BusinessDate {
    BusinessDate::from_civil(2026, 3, 2).expect("it is a date")
}

fn key(name: &str) -> SigningKey {
    SigningKey::from_secret(&hash(Domain::Key, name.as_bytes()).0).expect("32 bytes are a secret")
}

fn person_key(member: &str) -> SigningKey {
    key(&format!("person of {member}"))
}

fn node_key(member: &str) -> SigningKey {
    key(&format!("node of {member}"))
}

fn validator_key(member: &str) -> SigningKey {
    key(&format!("validator of {member}"))
}

fn spec(validators: usize, followers: usize) -> ChainSpec {
    let nodes = (0..validators + followers).map(|identity| {
        let name = member_name(identity, validators);
        let validator = (identity < validators).then(|| ValidatorSpec { key: validator_key(&name).public(), power: 1 });
        member(name, Role::Logistics, validator, true)
    });
    let traders = TRADERS.iter().map(|(name, role)| member((*name).into(), *role, None, false));
    let contract = |artifact: &portolan_chain_spec::Artifact| ContractSpec {
        name: artifact.name.into(),
        code_hash: code_hash(artifact.code),
        instantiate: String::new(),
    };
    ChainSpec {
        version: SPEC_VERSION,
        network: "simulation".into(),
        kind: KindSpec::Devnet,
        time: Timestamp(EPOCH_MS),
        clock: ClockSpec::Steered { start: first_day(), day_length_ms: DAY_MS },
        secret: Hash(SECRET),
        members: nodes.chain(traders).collect(),
        parameters: [("block.heartbeat-ms".to_owned(), ParameterSpec::U64(HEARTBEAT_MS))].into(),
        calendars: vec![demo_calendar().expect("the demo calendar is good")],
        contracts: built_in_contracts().iter().map(contract).collect(),
    }
}

fn member(name: String, role: Role, validator: Option<ValidatorSpec>, node: bool) -> MemberSpec {
    let tier = TierSpec { currency: None, up_to: None, persons: 1, maker_checker: false };
    let account =
        |name: &str| AccountSpec { name: name.into(), policy: PolicySpec { persons: vec![], tiers: vec![tier] } };
    MemberSpec {
        title: name.clone(),
        roles: vec![role],
        validator,
        node_keys: if node { vec![node_key(&name).public()] } else { vec![] },
        persons: vec![PersonSpec {
            name: "ann".into(),
            maker: true,
            checker: true,
            keys: vec![KeySpec { key: person_key(&name).public(), valid_until: None }],
        }],
        accounts: vec![account("admin"), account("main")],
        name,
    }
}
