//! `portolan-layers`: what a transaction costs one node, layer by layer, without a network: blocks of splits are checked,
//! executed and committed on a real store by the node's own judge and executor, on one thread.
//!
//! CPU time is the thread's own, so that other work on the machine disturbs it little. Must never assert on time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use arc_swap::ArcSwap;
use clap::Parser;
use codec::Encode;
use portolan_interface::receivable::api::{Call, NAME};
use portolan_interface::settlement;
use portolan_interface::{BusinessDate, PartId};
use portolan_node::host::checker::Judge;
use portolan_node::host::executor::{Executor, Parts, ToExecutor};
use portolan_node::host::verified::Verified;
use portolan_node::host::{CommittedBlock, Tip, ToReplica};
use portolan_node::store::Store;
use portolan_primitives::{self as chain, CommitCertificate, Header, Outcome, Round, Timestamp, Transaction};
use portolan_replica::{BlockStart, ExecutionId, Input, Purpose, Wire};
use portolan_simulation::consortium::{Consortium, EPOCH_MS, first_day};
use portolan_simulation::random::Random;
use portolan_simulation::traffic::{Case, Stage, account, message, money};
use portolan_vm::stack::THREAD_STACK_BYTES;
use serde_json::json;
use tokio::sync::broadcast;

/// Minor units of a part before it is split.
const PART: i128 = 1_000_000;
/// Parts into which a certificate is split, and each of those once more. Half of the last is still above dust.
const BRANCHES: usize = 16;
const LEAVES: usize = 256;
/// Gas that a split declares: what it uses and a third.
const SPLIT_GAS: u64 = 1_000_000;
/// Transactions that the executor gets at once.
const PIECE: usize = 64;

/// Executes splits in blocks on one thread and prints the CPU time of each layer, microseconds a transaction.
#[derive(Parser)]
struct Arguments {
    /// Splits to measure.
    #[arg(long, default_value_t = 20_000)]
    splits: usize,
    /// Transactions a block.
    #[arg(long, default_value_t = 200)]
    block: usize,
    /// Parts on the chain beforehand, beside those that are split.
    #[arg(long, default_value_t = 0)]
    grow: usize,
    /// Folder of the store, which is made anew and removed.
    #[arg(long, default_value = ".layers")]
    dir: PathBuf,
}

fn main() {
    let arguments = Arguments::parse();
    // Contracts need more stack than a program's first thread has.
    let builder = std::thread::Builder::new().name("layers".into()).stack_size(THREAD_STACK_BYTES);
    let thread = builder.spawn(move || measure(&arguments)).expect("a thread can be started");
    if thread.join().is_err() {
        std::process::exit(1);
    }
}

fn measure(arguments: &Arguments) {
    let _ = std::fs::remove_dir_all(&arguments.dir);
    let mut node = Node::new(&arguments.dir);
    let mut random = Random::new(1);
    node.grow(&mut random, arguments.grow);
    let parts = node.grow(&mut random, arguments.splits);
    let half = money(PART / 2);
    let splits: Vec<Transaction> = parts
        .iter()
        .take(arguments.splits)
        .map(|part| {
            let calls = vec![split(*part, vec![half, half])];
            node.consortium.transaction_with(&mut random, node.now(), "seller", "main", calls, SPLIT_GAS)
        })
        .collect();
    let mut spent = Spent::default();
    eprintln!("Measuring in process {} …", std::process::id());
    let begun = Cpu::now();
    for block in splits.chunks(arguments.block.max(1)) {
        node.block(block, &mut spent);
    }
    let process = Cpu::now().process_us - begun.process_us;
    let each = |us: f64| (us / splits.len() as f64 * 10.0).round() / 10.0;
    let row = json!({
        "splits": splits.len(),
        "block": arguments.block,
        "grown": arguments.grow,
        "judge_us": each(spent.judge),
        "begin_us": each(spent.begin),
        "part_us": each(spent.part),
        "finish_us": each(spent.finish),
        "commit_us": each(spent.commit),
        "thread_us": each(spent.judge + spent.begin + spent.part + spent.finish + spent.commit),
        "process_us": each(process),
    });
    println!("{row}");
    drop(node);
    std::fs::remove_dir_all(&arguments.dir).expect("the folder is this program's own");
}

fn split(part: PartId, amounts: Vec<portolan_interface::Money>) -> chain::Call {
    message(NAME, &Call::Split { holder: account("seller"), part, amounts })
}

/// CPU time of each layer, µs.
#[derive(Default)]
struct Spent {
    judge: f64,
    begin: f64,
    part: f64,
    finish: f64,
    commit: f64,
}

/// What of a node handles transactions.
struct Node {
    consortium: Arc<Consortium>,
    judge: Judge<Store>,
    executor: Executor<Store>,
    tip: Arc<ArcSwap<Tip>>,
    told: Receiver<ToReplica>,
    committed: broadcast::Receiver<Arc<CommittedBlock>>,
    executions: u64,
}

impl Node {
    fn new(dir: &Path) -> Self {
        let consortium = Consortium::of(4, 0);
        let store = Store::open(dir, &consortium.chain, 64 << 20).expect("the store can be made");
        let recovery = consortium.recover(Arc::new(store));
        let (replica, told) = channel();
        let (committed, blocks) = broadcast::channel(16);
        let verified = Arc::new(Verified::default());
        let judge = Judge { runtime: consortium.runtime.clone(), chain: recovery.chain, verified: verified.clone() };
        let executor = Executor::new(Parts {
            runtime: consortium.runtime.clone(),
            state: recovery.state,
            room: Box::new(|| Ok(())),
            verified,
            seen: recovery.seen,
            head: recovery.head,
            replica,
            committed,
        });
        let executor = executor.expect("the state can be read");
        let mut node =
            Self { consortium, judge, tip: executor.tip(), executor, told, committed: blocks, executions: 0 };
        let serve = settlement::api::Call::Serve { bank_account: account("bank"), cap: money(i128::MAX / 4) };
        let call = message(settlement::api::NAME, &serve);
        let transaction = node.signed(&mut Random::new(0), "bank", call);
        node.block(&[transaction], &mut Spent::default());
        node
    }

    fn now(&self) -> u64 {
        self.tip.load().head.header.time.0.max(EPOCH_MS) + 1
    }

    fn signed(&self, random: &mut Random, member: &str, call: chain::Call) -> Transaction {
        self.consortium.transaction(random, self.now(), member, "main", vec![call])
    }

    /// So many live parts of the seller, [`PART`] each.
    fn grow(&mut self, random: &mut Random, count: usize) -> Vec<PartId> {
        let mut parts = Vec::new();
        while parts.len() < count {
            let today = BusinessDate(first_day().0);
            let mut case = Case::new(random, PART * (BRANCHES * LEAVES) as i128);
            while case.stage() != Stage::Live {
                let (member, calls) = case.step(today, random);
                let transaction = self.consortium.transaction(random, self.now(), member, "main", calls);
                self.block(&[transaction], &mut Spent::default());
                case.pass();
            }
            let root = PartId::root(case.certificate());
            let branch = vec![money(PART * LEAVES as i128); BRANCHES];
            let transaction = self.signed(random, "seller", split(root, branch));
            self.block(&[transaction], &mut Spent::default());
            for index in 0..BRANCHES as u16 {
                if parts.len() >= count {
                    break;
                }
                let branch = root.child(index);
                let transaction = self.signed(random, "seller", split(branch, vec![money(PART); LEAVES]));
                self.block(&[transaction], &mut Spent::default());
                parts.extend((0..LEAVES as u16).map(|index| branch.child(index)));
            }
        }
        parts
    }

    /// Checks, builds and commits a block of exactly these, all of which must succeed.
    fn block(&mut self, transactions: &[Transaction], spent: &mut Spent) {
        let bytes: Vec<Vec<u8>> = transactions.iter().map(Encode::encode).collect();
        let tip = self.tip.load_full();
        let time = Timestamp(self.now());
        let mut clock = Cpu::now();
        let judged = self.judge.judge(&tip, time, bytes.iter().map(Vec::as_slice));
        let wires: Vec<Wire> = judged
            .into_iter()
            .map(|pooled| pooled.expect("the transaction is good"))
            .map(|pooled| Wire { hash: pooled.wire_hash, bytes: pooled.bytes })
            .collect();
        spent.judge += clock.lap();
        self.executions += 1;
        let id = ExecutionId(self.executions);
        let header = &tip.head.header;
        let proposer = self.consortium.member(0);
        let start = BlockStart { height: header.height.next(), round: Round(0), parent: tip.head.hash, time, proposer };
        self.handle(ToExecutor::Begin(id, Purpose::Build, start));
        spent.begin += clock.lap();
        for piece in wires.chunks(PIECE) {
            self.handle(ToExecutor::Part(id, piece.to_vec()));
        }
        spent.part += clock.lap();
        self.handle(ToExecutor::Finish(id, None));
        let header = self.built();
        spent.finish += clock.lap();
        let certificate = CommitCertificate {
            chain: self.consortium.chain,
            height: header.height,
            round: Round(0),
            header: header.hash(),
            signatures: vec![],
        };
        clock.lap();
        self.handle(ToExecutor::Commit(id, Box::new(header), wires, certificate));
        spent.commit += clock.lap();
        let block = self.committed.try_recv().expect("the block was committed");
        let succeeded = block.receipts.iter().filter(|one| matches!(one.receipt.outcome, Outcome::Ok(_))).count();
        assert_eq!(succeeded, transactions.len(), "{:?}", block.receipts.last());
    }

    fn handle(&mut self, job: ToExecutor) {
        self.executor.handle(job).expect("the machine executes");
    }

    /// The header of the block that was built, from which nothing was left out.
    fn built(&self) -> Header {
        let mut header = None;
        for told in self.told.try_iter() {
            match told {
                ToReplica::Input(Input::Built { header: built, .. }) => header = Some(built),
                ToReplica::Input(Input::PartExecuted { left_out, .. }) => assert_eq!(left_out.len(), 0),
                ToReplica::Input(Input::BuildFailed { reason, .. }) => panic!("{reason}"),
                _ => {}
            }
        }
        header.expect("a header was built")
    }
}

/// CPU time, µs.
struct Cpu {
    thread_us: f64,
    process_us: f64,
}

impl Cpu {
    fn now() -> Self {
        let first = |path: &str, place: usize| -> f64 {
            let text = std::fs::read_to_string(path).expect("Linux tells CPU times");
            text.split_whitespace().nth(place).and_then(|word| word.parse().ok()).expect("it is a number")
        };
        // Nanoseconds on a CPU; ticks of 10 ms in user and kernel mode of all threads.
        let ticks = first("/proc/self/stat", 13) + first("/proc/self/stat", 14);
        Self { thread_us: first("/proc/thread-self/schedstat", 0) / 1_000.0, process_us: ticks * 10_000.0 }
    }

    /// µs of this thread since the last lap.
    fn lap(&mut self) -> f64 {
        let before = std::mem::replace(self, Self::now());
        self.thread_us - before.thread_us
    }
}
