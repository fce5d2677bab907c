//! The executing thread alone: a verdict is what this node computed itself, and only what was executed is committed.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use codec::Encode;
use portolan_chain_spec::CodeSource;
use portolan_node::host::executor::{Executor, Parts, ToExecutor};
use portolan_node::host::halt::Halt;
use portolan_node::host::{ToReplica, wall_clock};
use portolan_node::recovery::recover;
use portolan_node::store::{Chain, Store};
use portolan_primitives::{
    CommitCertificate, Hash, Header, Height, MemberId, Round, Signature, Timestamp, Transaction, TransactionId,
};
use portolan_replica::{BlockStart, ExecutionId, Input, Purpose, Verdict, Wire};
use portolan_runtime::{ChainSecret, Runtime};
use portolan_state::{Options, SaltKey};
use portolan_vm::{Vm, VmConfig};

use crate::world::{add_person, spec};

struct Executing {
    jobs: Sender<ToExecutor>,
    told: Receiver<ToReplica>,
    chain: Chain<Store>,
    genesis: Header,
    executions: u64,
    store: Arc<Store>,
    _folder: tempfile::TempDir,
}

impl Executing {
    /// On the genesis of the four.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let genesis = spec().check(&CodeSource::beside(Path::new("."))).unwrap().genesis;
        let runtime = Runtime::new(Arc::new(Vm::new(VmConfig::default()).unwrap()), ChainSecret::new(&[42; 32]));
        let store = Arc::new(Store::open(&folder.path().join("store"), &genesis.chain(), 8 << 20).unwrap());
        let found = recover(store.clone(), &runtime, &genesis, Options::new(SaltKey::derive(&[42; 32]))).unwrap();
        let (replica, told) = channel();
        let executor = Executor::new(Parts {
            runtime,
            state: found.state,
            room: Box::new(|| Ok(())),
            verified: Arc::default(),
            seen: found.seen,
            head: found.head.clone(),
            replica,
            committed: tokio::sync::broadcast::channel(16).0,
        });
        let (jobs, receiver) = channel();
        let executor = executor.unwrap();
        std::thread::spawn(move || executor.run(&receiver));
        Self { jobs, told, chain: found.chain, genesis: found.head.header, executions: 0, store, _folder: folder }
    }

    fn ask(&self, job: ToExecutor) {
        self.jobs.send(job).unwrap();
    }

    fn input(&self) -> Input {
        match self.told.recv().unwrap() {
            ToReplica::Input(input) => input,
            ToReplica::Halt(halt) => panic!("{halt}"),
            _ => self.input(),
        }
    }

    fn halt(&self) -> Halt {
        match self.told.recv().unwrap() {
            ToReplica::Halt(halt) => halt,
            _ => self.halt(),
        }
    }

    fn begin(&mut self, purpose: Purpose, time: Timestamp) -> ExecutionId {
        self.executions += 1;
        let id = ExecutionId(self.executions);
        let (parent, proposer) = (self.genesis.hash(), MemberId::from_name("customs"));
        self.ask(ToExecutor::Begin(
            id,
            purpose,
            BlockStart { height: Height(1), round: Round(0), parent, time, proposer },
        ));
        id
    }

    /// Builds a block of this transaction.
    fn built(&mut self, time: Timestamp, transaction: &Transaction) -> (ExecutionId, Header) {
        let id = self.begin(Purpose::Build, time);
        self.ask(ToExecutor::Part(id, vec![wire(transaction)]));
        self.ask(ToExecutor::Finish(id, None));
        assert!(matches!(self.input(), Input::PartExecuted { left_out, .. } if left_out.is_empty()));
        let Input::Built { header, .. } = self.input() else { panic!("the block is built") };
        (id, header)
    }

    /// What this node says of a header for this transaction.
    fn verdict(&mut self, purpose: Purpose, header: &Header, transaction: &Transaction) -> Verdict {
        let id = self.begin(purpose, header.time);
        self.ask(ToExecutor::Part(id, vec![wire(transaction)]));
        self.ask(ToExecutor::Finish(id, Some(Box::new(header.clone()))));
        let Input::Verdict { execution, verdict } = self.input() else { panic!("a verdict comes") };
        assert_eq!(execution, id);
        verdict
    }

    fn commit(&self, id: ExecutionId, header: &Header, transaction: &Transaction) {
        let (chain, height, round, signatures) = (self.genesis.chain, Height(1), Round(0), vec![]);
        let certificate = CommitCertificate { chain, height, round, header: header.hash(), signatures };
        self.ask(ToExecutor::Commit(id, Box::new(header.clone()), vec![wire(transaction)], certificate));
    }
}

fn wire(transaction: &Transaction) -> Wire {
    Wire { hash: transaction.wire_hash(), bytes: transaction.encode().into() }
}

#[test]
fn a_verdict_is_what_this_node_computed_whatever_the_header_says() {
    let (mut node, transaction) = (Executing::start(), add_person("customs", "bob"));
    let (_, header) = node.built(wall_clock(), &transaction);
    for purpose in [Purpose::Validate, Purpose::Certified] {
        assert_eq!(node.verdict(purpose, &header, &transaction), Verdict::Valid);
        let wrong = Hash([0xee; 32]);
        for other in [
            Header { state_root: wrong, ..header.clone() },
            Header { receipts_root: wrong, ..header.clone() },
            Header { transactions_root: wrong, ..header.clone() },
            Header { history_root: wrong, ..header.clone() },
            Header { next_validators_hash: wrong, ..header.clone() },
            Header { gas_used: header.gas_used + 1, ..header.clone() },
        ] {
            let Verdict::RootsDiffer { ours } = node.verdict(purpose, &other, &transaction) else {
                panic!("{other:?} was accepted");
            };
            assert_eq!(*ours, header);
        }
        let mut forged = transaction.clone();
        forged.approvals = vec![Signature::Ed25519([0; 64])];
        assert!(matches!(node.verdict(purpose, &header, &forged), Verdict::Invalid { .. }));
    }
    assert_eq!(node.chain.head().unwrap().unwrap().header, node.genesis, "nothing undecided is written");
}

#[test]
fn what_is_committed_is_in_the_store_before_anybody_is_told() {
    let (mut node, transaction) = (Executing::start(), add_person("customs", "bob"));
    let (id, header) = node.built(wall_clock(), &transaction);
    node.commit(id, &header, &transaction);
    let Input::Committed { header: committed, transactions, .. } = node.input() else { panic!("it is committed") };
    let expected: Vec<TransactionId> = vec![transaction.body.id()];
    assert_eq!((&committed, transactions), (&header, expected));
    assert_eq!(node.chain.head().unwrap().unwrap().header, header);
    assert_eq!(node.chain.place(&transaction.body.id()).unwrap().map(|place| place.height), Some(Height(1)));
}

#[test]
fn a_start_finds_the_last_block_and_what_ran_in_the_window() {
    let (mut node, transaction) = (Executing::start(), add_person("customs", "bob"));
    let (id, header) = node.built(wall_clock(), &transaction);
    node.commit(id, &header, &transaction);
    assert!(matches!(node.input(), Input::Committed { .. }));
    let genesis = spec().check(&CodeSource::beside(Path::new("."))).unwrap().genesis;
    let runtime = Runtime::new(Arc::new(Vm::new(VmConfig::default()).unwrap()), ChainSecret::new(&[42; 32]));
    let found = recover(node.store.clone(), &runtime, &genesis, Options::new(SaltKey::derive(&[42; 32]))).unwrap();
    assert_eq!(found.head.header, header);
    assert_eq!(found.state.root(), header.state_root);
    assert!(found.seen.contains(&transaction.body.id()) && found.seen.len() == 1, "it would run twice");
}

#[test]
fn a_decided_block_that_this_node_did_not_execute_so_is_not_committed() {
    let (mut node, transaction) = (Executing::start(), add_person("customs", "bob"));
    let (id, header) = node.built(wall_clock(), &transaction);
    node.commit(id, &Header { state_root: Hash([0xee; 32]), ..header }, &transaction);
    assert!(matches!(node.halt(), Halt::Execution { height: 1, .. }));
    assert_eq!(node.chain.head().unwrap().unwrap().header, node.genesis);
    let (mut node, transaction) = (Executing::start(), add_person("customs", "bob"));
    let (_, header) = node.built(wall_clock(), &transaction);
    node.commit(ExecutionId(99), &header, &transaction);
    assert!(matches!(node.halt(), Halt::Execution { height: 1, .. }));
    assert_eq!(node.chain.head().unwrap().unwrap().header, node.genesis);
}
