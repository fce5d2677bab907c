//! A little consortium in one process: a bank, a supplier, a platform; contracts that run programs; blocks at a word.
#![allow(dead_code)]

pub mod program;

use std::sync::Arc;

use portolan_primitives::transaction::Body;
use portolan_primitives::{
    AccountId, BusinessDate, Call, Caller, ContractId, Currency, FailureReason, Hash, MemberId, Outcome, Role, Round,
    SigningKey, Timestamp, Transaction,
};
use portolan_runtime::genesis::*;
use portolan_runtime::native::Native;
use portolan_runtime::native::records::{Policy, Tier, YearDays};
use portolan_runtime::{
    ApplyError, BlockContext, BlockExecution, ChainHead, ChainSecret, ExecutedBlock, Ledger, QueryOutcome,
    ReceiptSummary, Refusal, Runtime, SeenWindow, VerifyEach,
};
use portolan_state::{Batch, MemoryStore, Options, SaltKey, State, StateView, keys};
use portolan_vm::{Vm, VmConfig};

pub const SECRET: [u8; 32] = [42; 32];
pub const CNY: Currency = Currency(*b"CNY");
pub const START: u64 = 1_764_000_000_000;
/// Gas that a transaction of these tests declares.
pub const GAS: u64 = 50_000_000;
/// Block time of a steered day.
pub const DAY_MS: u64 = 1_000;

/// Contracts of the world; all run programs.
pub const NAMES: [&str; 3] = ["ledger", "helper", "third"];

pub fn id(name: &str) -> ContractId {
    ContractId::from_name(name)
}

pub fn account(name: &str) -> AccountId {
    let (member, account) = name.split_once('/').unwrap();
    AccountId::from_name(member, account)
}

pub fn date(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

pub const OPENING: &str = "2026-03-02";

/// Keys by the name of the person, `ann`, or `ann-2` for a second key.
pub fn key(name: &str) -> SigningKey {
    let mut secret = [7; 32];
    secret[..name.len()].copy_from_slice(name.as_bytes());
    SigningKey::from_secret(&secret).unwrap()
}

fn person(member: &str, person: &str, maker: bool, checker: bool) -> GenesisPerson {
    GenesisPerson { member: member.into(), person: person.into(), maker, checker }
}

fn user_key(member: &str, person: &str, name: &str) -> GenesisUserKey {
    GenesisUserKey { member: member.into(), person: person.into(), key: key(name).public(), valid_until: None }
}

fn tier(up_to: Option<i128>, persons: u8, maker_checker: bool) -> Tier {
    Tier { currency: up_to.map(|_| CNY), up_to, persons, maker_checker }
}

/// Up to 1,000.00 CNY a day one person, up to 10,000.00 two of which one makes and one checks, above that three.
pub fn treasury_policy() -> Policy {
    Policy {
        persons: vec![],
        tiers: vec![tier(Some(100_000), 1, false), tier(Some(1_000_000), 2, true), tier(None, 3, false)],
    }
}

pub fn weekdays(year: u16, provisional: bool) -> YearDays {
    let mut days = YearDays { provisional, ..YearDays::closed(year) };
    let first = BusinessDate::from_civil(i32::from(year), 1, 1).unwrap();
    for number in 0..366 {
        let day = first.plus_days(number);
        days.set(day, day.weekday() < 5);
    }
    days
}

pub fn code() -> Vec<u8> {
    wat::parse_str(program::CONTRACT).unwrap()
}

/// The genesis that tests change.
pub fn genesis() -> Genesis {
    let member = |name: &str, role| GenesisMember { name: name.into(), title: name.to_uppercase(), roles: vec![role] };
    let accounts = [
        ("bank", "treasury", treasury_policy()),
        ("supplier", "main", Policy::any(1)),
        ("platform", "main", Policy::any(1)),
    ];
    Genesis {
        version: 1,
        network: "test".into(),
        kind: NetworkKind::Devnet,
        time: Timestamp(START),
        clock: BusinessClock::Steered { start: date(OPENING), day_length_ms: DAY_MS },
        members: vec![
            member("bank", Role::Bank),
            member("supplier", Role::Supplier),
            member("platform", Role::Platform),
        ],
        validators: vec![GenesisValidator { member: "platform".into(), key: key("validator").public(), power: 1 }],
        node_keys: vec![GenesisNodeKey { member: "platform".into(), key: key("node").public() }],
        persons: vec![
            person("bank", "ann", true, false),
            person("bank", "bob", false, true),
            person("bank", "cat", true, true),
            person("supplier", "dan", true, true),
            person("platform", "eve", true, true),
        ],
        user_keys: vec![
            user_key("bank", "ann", "ann"),
            user_key("bank", "ann", "ann-2"),
            user_key("bank", "bob", "bob"),
            user_key("bank", "cat", "cat"),
            user_key("supplier", "dan", "dan"),
            user_key("platform", "eve", "eve"),
        ],
        accounts: accounts
            .map(|(member, name, policy)| GenesisAccount { member: member.into(), name: name.into(), policy })
            .to_vec(),
        parameters: vec![],
        calendars: vec![
            GenesisCalendar { name: "cn".into(), years: vec![weekdays(2026, false)] },
            GenesisCalendar { name: "demo".into(), years: vec![weekdays(2026, false), weekdays(2027, true)] },
        ],
        contracts: NAMES.map(|name| GenesisContract { name: name.into(), code: code(), instantiate: vec![] }).to_vec(),
        secret_commitment: ChainSecret::new(&SECRET).commitment(),
    }
}

pub fn set(genesis: &mut Genesis, parameter: &portolan_runtime::parameters::ChainParameter, value: u64) {
    use codec::Encode;
    genesis.parameters.push(GenesisParameter { name: parameter.name.into(), value: value.encode() });
}

pub fn new_runtime() -> Arc<Runtime> {
    Runtime::new(Arc::new(Vm::new(VmConfig::default()).unwrap()), ChainSecret::new(&SECRET))
}

pub fn empty_state() -> State<MemoryStore> {
    State::open(Arc::new(MemoryStore::default()), Options::new(SaltKey::derive(&SECRET)), None).unwrap()
}

/// A chain and how to drive it.
pub struct World {
    pub runtime: Arc<Runtime>,
    pub state: State<MemoryStore>,
    pub head: ChainHead,
    pub seen: Arc<SeenWindow>,
    /// Time of the next block.
    pub time: u64,
    pub salts: u64,
    pub blocks: Vec<(BlockContext, Vec<Transaction>, Hash)>,
}

impl World {
    pub fn new() -> Self {
        Self::of(&genesis())
    }

    pub fn with(change: impl FnOnce(&mut Genesis)) -> Self {
        let mut genesis = genesis();
        change(&mut genesis);
        Self::of(&genesis)
    }

    pub fn of(genesis: &Genesis) -> Self {
        Self::on(new_runtime(), genesis)
    }

    pub fn on(runtime: Arc<Runtime>, genesis: &Genesis) -> Self {
        let state = empty_state();
        let made = runtime.genesis(genesis, Arc::new(state.view()), |changes| state.update(changes)).unwrap();
        state.commit(made.header.height, made.update, Batch::new()).unwrap();
        let time = genesis.time.0 + 100;
        Self { runtime, state, head: made.head, seen: Arc::default(), time, salts: 0, blocks: vec![] }
    }

    pub fn context(&self) -> BlockContext {
        BlockContext { round: Round(0), time: Timestamp(self.time), proposer: MemberId::from_name("platform") }
    }

    pub fn begin(&self) -> BlockExecution {
        self.begin_in(self.context())
    }

    pub fn begin_in(&self, context: BlockContext) -> BlockExecution {
        let view = Arc::new(self.state.view());
        self.runtime.begin(self.head.clone(), view, context, Arc::clone(&self.seen), Arc::new(VerifyEach)).unwrap()
    }

    /// Decides an executed block.
    pub fn commit(&mut self, executed: ExecutedBlock, transactions: &[Transaction]) -> ExecutedBlockParts {
        let ExecutedBlock { header, head, transactions: ran, receipts, update, .. } = executed;
        self.state.commit(header.height, update, Batch::new()).unwrap();
        let given = transactions.iter().map(|transaction| (transaction.body.id(), transaction.body.expires_at));
        assert_eq!(ran, given.collect::<Vec<_>>(), "a block lists what ran in it, in its order");
        Arc::make_mut(&mut self.seen).push_block(header.time, ran);
        let context = BlockContext { round: header.round, time: header.time, proposer: header.proposer };
        self.blocks.push((context, transactions.to_vec(), header.hash()));
        self.head = head;
        self.time = header.time.0 + 100;
        ExecutedBlockParts { header, receipts }
    }

    /// A block of these transactions, all of which must be taken.
    pub fn block(&mut self, transactions: &[Transaction]) -> ExecutedBlockParts {
        let mut execution = self.begin();
        for transaction in transactions {
            execution.apply(transaction).unwrap();
        }
        let executed = execution.finish(|changes| self.state.update(changes)).unwrap();
        self.commit(executed, transactions)
    }

    /// A block at this time, without transactions.
    pub fn block_at(&mut self, time: u64) -> ExecutedBlockParts {
        self.time = time;
        self.block(&[])
    }

    pub fn body(&mut self, sender: &str, approvers: &[&str], calls: Vec<Call>) -> Body {
        self.salts += 1;
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.salts.to_le_bytes());
        let mut approvers: Vec<_> = approvers.iter().map(|name| key(name).public().id()).collect();
        approvers.sort();
        Body {
            version: 1,
            chain: self.head.header.chain,
            sender: account(sender),
            salt,
            expires_at: Timestamp(self.time + 60_000),
            gas_limit: GAS,
            approvers,
            calls,
        }
    }

    pub fn transaction(&mut self, sender: &str, approvers: &[&str], calls: Vec<Call>) -> Transaction {
        let body = self.body(sender, approvers, calls);
        sign(body, approvers)
    }

    /// The supplier calls the contract `ledger`.
    pub fn supplier(&mut self, steps: &[Vec<u8>]) -> Transaction {
        self.transaction("supplier/main", &["dan"], vec![run("ledger", steps)])
    }

    pub fn outcome(&mut self, transaction: &Transaction) -> Outcome {
        self.block(std::slice::from_ref(transaction)).receipts.pop().unwrap().receipt.outcome
    }

    pub fn refusal(&mut self, transaction: &Transaction) -> Refusal {
        match self.begin().apply(transaction) {
            Err(ApplyError::Refused(refusal)) => refusal,
            other => panic!("expected a refusal, not {other:?}"),
        }
    }

    pub fn accepts(&mut self, transaction: &Transaction) -> ReceiptSummary {
        self.begin().apply(transaction).unwrap()
    }

    /// Changes records behind the chain's back, as a block of governance would.
    pub fn edit(&mut self, change: impl FnOnce(&mut Ledger)) {
        let mut ledger = Ledger::new(Arc::new(self.state.view()));
        change(&mut ledger);
        let update = self.state.update(ledger.into_changes().unwrap()).unwrap();
        let height = self.head.header.height.next();
        self.state.commit(height, update, Batch::new()).unwrap();
        self.head.header.height = height;
    }

    /// Value in the storage of a contract.
    pub fn value(&self, contract: &str, name: &str) -> Option<Vec<u8>> {
        let key = keys::contract_storage(&id(contract), &program::storage_key(name));
        self.state.view().get(&key).unwrap().map(|value| value.to_vec())
    }

    /// Marks with the dates that were seen, as `note` wrote them.
    pub fn notes(&self, name: &str) -> Vec<(u8, BusinessDate)> {
        let value = self.value("ledger", name).unwrap_or_default();
        value.chunks(5).map(|note| (note[0], BusinessDate(i32::from_le_bytes(note[1..].try_into().unwrap())))).collect()
    }

    pub fn query(&self, contract: &str, input: &[u8]) -> QueryOutcome {
        self.query_with(contract, input, GAS)
    }

    pub fn query_with(&self, contract: &str, input: &[u8], gas: u64) -> QueryOutcome {
        let view = Arc::new(self.state.view());
        self.runtime.query(view, &self.head, id(contract), input, Caller::Operator, gas).unwrap()
    }

    /// The business date.
    pub fn date(&self) -> BusinessDate {
        let mut ledger = portolan_runtime::Ledger::new(Arc::new(self.state.view()));
        portolan_runtime::facts::cursor(&mut ledger).unwrap().date
    }

    /// Lets a steered clock run up to a date.
    pub fn advance_to(&mut self, to: BusinessDate) {
        use codec::Encode;
        let input = portolan_runtime::native::clock::messages::Call::AdvanceTo { date: to }.encode();
        let call = Call { contract: Native::Clock.id(), input };
        let transaction = self.transaction("platform/main", &["eve"], vec![call]);
        assert!(matches!(self.outcome(&transaction), Outcome::Ok(_)));
    }
}

/// What tests look at of a decided block.
pub struct ExecutedBlockParts {
    pub header: portolan_primitives::Header,
    pub receipts: Vec<portolan_runtime::ExecutedReceipt>,
}

pub fn sign(body: Body, approvers: &[&str]) -> Transaction {
    let mut signers: Vec<SigningKey> = approvers.iter().map(|name| key(name)).collect();
    signers.sort_by_key(|key| key.public().id());
    let approvals = signers.iter().map(|key| body.approve(key)).collect();
    Transaction { body, approvals }
}

/// A call that runs a program.
pub fn run(contract: &str, steps: &[Vec<u8>]) -> Call {
    Call { contract: id(contract), input: program::program(steps) }
}

pub fn reverted(code: i32) -> FailureReason {
    FailureReason::Reverted(code.to_le_bytes().to_vec())
}

pub fn reason(outcome: &Outcome) -> &FailureReason {
    match outcome {
        Outcome::Failed { reason, .. } => reason,
        Outcome::Ok(_) => panic!("it succeeded"),
    }
}
