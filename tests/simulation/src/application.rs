//! What the replica's host executes. The trait is what a host needs of a runtime; the ledger here stands in for the real
//! one: it runs opaque transactions, and its state is the hash of all that ran.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use codec::Encode;
use portolan_primitives::block::HEADER_VERSION;
use portolan_primitives::{
    Domain, Hash, Header, Height, History, MemberId, Round, Timestamp, Transaction, TransactionId, ValidatorSet,
    hash_parts, list_root,
};
use portolan_replica::{
    BlockStart, ChainParameters, Checked, ExecutionId, LeftOut, NextBlock, PooledTransaction, Purpose, Verdict, Wire,
};

/// What a host executes blocks with. Every execution is on the last committed state.
pub trait Application {
    /// Looks at a transaction that came from outside.
    fn check(&self, bytes: &[u8]) -> Checked;
    /// Begins an execution.
    fn begin(&mut self, execution: ExecutionId, purpose: Purpose, start: BlockStart);
    /// Executes the next transactions; answers with those that are not in the block (building only).
    fn execute(&mut self, execution: ExecutionId, transactions: &[Wire]) -> Vec<LeftOut>;
    /// Ends a building execution; `None` when it is void.
    fn build(&mut self, execution: ExecutionId) -> Option<Header>;
    /// Ends a validating execution; `None` when it is void.
    fn validate(&mut self, execution: ExecutionId, expected: &Header) -> Option<Verdict>;
    /// Drops an execution.
    fn abandon(&mut self, execution: ExecutionId);
    /// Makes an execution the state, and voids all others; answers with the ids of its transactions.
    fn commit(&mut self, execution: ExecutionId) -> Vec<TransactionId>;
    /// The last committed header.
    fn head(&self) -> &Header;
    /// What holds for the next block.
    fn next_block(&self) -> NextBlock;
}

#[derive(Clone, Debug)]
struct Overlay {
    purpose: Purpose,
    start: BlockStart,
    state: Hash,
    wires: Vec<Hash>,
    ids: Vec<TransactionId>,
    flaw: Option<&'static str>,
    header: Option<Header>,
}

/// A ledger that only remembers what ran, in a hash.
#[derive(Debug)]
pub struct Ledger {
    chain: Hash,
    validators: ValidatorSet,
    parameters: ChainParameters,
    head: Header,
    history: History,
    seen: BTreeSet<TransactionId>,
    overlays: BTreeMap<ExecutionId, Overlay>,
    /// A ledger with a defect comes to other roots.
    pub defect: bool,
}

impl Ledger {
    /// The ledger at genesis.
    pub fn new(chain: Hash, validators: ValidatorSet, parameters: ChainParameters, time: Timestamp) -> Self {
        let head = Header {
            version: HEADER_VERSION,
            chain,
            height: Height(0),
            round: Round(0),
            time,
            parent: Hash::ZERO,
            history_root: History::default().root(),
            proposer: MemberId([0; 16]),
            transactions_root: list_root(&[]),
            receipts_root: list_root(&[]),
            state_root: chain,
            validators_hash: validators.hash(),
            next_validators_hash: validators.hash(),
            gas_used: 0,
        };
        let mut history = History::default();
        history.append(&head.hash());
        let (seen, overlays) = (BTreeSet::new(), BTreeMap::new());
        Self { chain, validators, parameters, head, history, seen, overlays, defect: false }
    }

    /// The validators, which never change here.
    pub fn validators(&self) -> &ValidatorSet {
        &self.validators
    }

    fn header_of(&self, overlay: &Overlay) -> Header {
        let validators_hash = self.validators.hash();
        let state_root = if self.defect { hash_parts(Domain::StateValue, &[&overlay.state.0]) } else { overlay.state };
        Header {
            version: HEADER_VERSION,
            chain: self.chain,
            height: overlay.start.height,
            round: overlay.start.round,
            time: overlay.start.time,
            parent: overlay.start.parent,
            history_root: self.history.root(),
            proposer: overlay.start.proposer,
            transactions_root: list_root(&overlay.wires),
            receipts_root: list_root(&overlay.wires),
            state_root,
            validators_hash,
            next_validators_hash: validators_hash,
            gas_used: overlay.wires.len() as u64,
        }
    }
}

/// The transaction's facts for the mempool.
pub fn pooled(transaction: &Transaction, bytes: Arc<[u8]>) -> PooledTransaction {
    let id = transaction.body.id();
    let mut member = [0; 16];
    member[0] = transaction.body.sender.0[0];
    PooledTransaction {
        id,
        wire_hash: transaction.wire_hash_of(&id),
        bytes,
        gas: transaction.body.gas_limit,
        member: MemberId(member),
        expires_at: transaction.body.expires_at,
    }
}

impl Application for Ledger {
    fn check(&self, bytes: &[u8]) -> Checked {
        match Transaction::decode_checked(bytes) {
            Err(error) => Checked::Bad { reason: error.to_string() },
            Ok(transaction) if self.seen.contains(&transaction.body.id()) => Checked::Unusable,
            Ok(transaction) => Checked::Good(pooled(&transaction, bytes.into())),
        }
    }

    fn begin(&mut self, execution: ExecutionId, purpose: Purpose, start: BlockStart) {
        let fits = start.height == self.head.height.next() && start.parent == self.head.hash();
        let flaw = (!fits).then_some("the block is not for this head");
        let state = hash_parts(Domain::StateInner, &[&self.head.state_root.0, &start.encode_time()]);
        let (wires, ids) = (Vec::new(), Vec::new());
        self.overlays.insert(execution, Overlay { purpose, start, state, wires, ids, flaw, header: None });
    }

    fn execute(&mut self, execution: ExecutionId, transactions: &[Wire]) -> Vec<LeftOut> {
        let mut left_out = Vec::new();
        let parent_time = self.head.time;
        let Some(overlay) = self.overlays.get_mut(&execution) else { return left_out };
        for wire in transactions {
            let transaction = Transaction::decode_checked(&wire.bytes).expect("the replica passes on well-formed ones");
            let id = transaction.body.id();
            let fresh =
                !self.seen.contains(&id) && !overlay.ids.contains(&id) && parent_time < transaction.body.expires_at;
            if !fresh && overlay.purpose == Purpose::Build {
                left_out.push(LeftOut { wire_hash: wire.hash, later: false });
                continue;
            }
            if !fresh {
                overlay.flaw = Some("a transaction in it ran before, or has expired");
            }
            overlay.state = hash_parts(Domain::StateInner, &[&overlay.state.0, &wire.hash.0]);
            overlay.wires.push(wire.hash);
            overlay.ids.push(id);
        }
        left_out
    }

    fn build(&mut self, execution: ExecutionId) -> Option<Header> {
        let header = self.header_of(self.overlays.get(&execution)?);
        self.overlays.get_mut(&execution)?.header = Some(header.clone());
        Some(header)
    }

    fn validate(&mut self, execution: ExecutionId, expected: &Header) -> Option<Verdict> {
        let overlay = self.overlays.get(&execution)?;
        if let Some(flaw) = overlay.flaw {
            return Some(Verdict::Invalid { reason: flaw.into() });
        }
        let ours = self.header_of(overlay);
        if ours != *expected {
            return Some(Verdict::RootsDiffer { ours: Box::new(ours) });
        }
        self.overlays.get_mut(&execution)?.header = Some(ours);
        Some(Verdict::Valid)
    }

    fn abandon(&mut self, execution: ExecutionId) {
        self.overlays.remove(&execution);
    }

    fn commit(&mut self, execution: ExecutionId) -> Vec<TransactionId> {
        let overlay = self.overlays.remove(&execution).expect("a commit names an execution that is whole");
        let header = overlay.header.expect("a commit names an execution that is finished");
        for id in &overlay.ids {
            assert!(self.seen.insert(*id), "transaction {id} ran twice");
        }
        self.history.append(&header.hash());
        self.head = header;
        self.overlays.clear();
        overlay.ids
    }

    fn head(&self) -> &Header {
        &self.head
    }

    fn next_block(&self) -> NextBlock {
        NextBlock { validators: self.validators.clone(), parameters: self.parameters, next_due: None }
    }
}

/// The part of a start that enters the state.
trait EncodeTime {
    fn encode_time(&self) -> Vec<u8>;
}

impl EncodeTime for BlockStart {
    fn encode_time(&self) -> Vec<u8> {
        self.time.encode()
    }
}
