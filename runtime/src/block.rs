//! One block: first what falls due, then transactions as they come in, then the header with the roots.
//!
//! The same parent, state, context and transactions give the same header on every node. A transaction that may not run at its
//! place is refused and leaves no trace; a host fault ends the execution without an outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use codec::{Decode, Encode};
use portolan_primitives::block::HEADER_VERSION;
use portolan_primitives::receipt::events_root;
use portolan_primitives::{
    AgendaId, BusinessDate, Caller, Event, Hash, Header, Height, History, MemberId, Origin, Outcome, Receipt, Round,
    Timestamp, Transaction, TransactionId, ValidatorSet, list_root,
};
use portolan_state::{Changes, StateError, StateUpdate};
use portolan_vm::abi::Entry as EntryPoint;
use portolan_vm::{HostFault, HostResult};

use crate::check::{self, Admission, ApplyError, Bound, Place, Refusal, SignatureVerifier};
use crate::genesis::NetworkKind;
use crate::ledger::{BaseView, Ledger};
use crate::native::Native;
use crate::native::agenda::{self, Entry, Walk};
use crate::native::clock::{self, ClockEvent, Cursor, Network};
use crate::rules::BlockRules;
use crate::runtime::Runtime;
use crate::seen::SeenWindow;
use crate::session::{Ended, Run, Session, SessionRules};
use crate::{facts, gas};

/// The last block, as the next one sees it. Kept beside the block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ChainHead {
    /// Its header.
    pub header: Header,
    /// The header's hash.
    pub hash: Hash,
    /// All headers up to and with it.
    pub history: History,
}

impl ChainHead {
    /// The head after `header`, whose parent is the last of `history`.
    pub fn after(mut history: History, header: Header) -> Self {
        let hash = header.hash();
        history.append(&hash);
        Self { header, hash, history }
    }
}

/// What consensus says of a block before its transactions are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockContext {
    /// The round in which it is built.
    pub round: Round,
    /// Its time, after its parent's.
    pub time: Timestamp,
    /// Whose validator builds it.
    pub proposer: MemberId,
}

/// What everything in a block sees alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockFacts {
    /// The block's height.
    pub height: Height,
    /// Its time.
    pub time: Timestamp,
    /// The business date.
    pub business_date: BusinessDate,
    /// Whether money and claims are real.
    pub kind: NetworkKind,
}

/// Why a block can't be executed to its end.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// The host failed: the block has no outcome; retry it or halt.
    #[error(transparent)]
    Host(#[from] HostFault),
    /// The state failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The proposed time is not after the parent's: the block is invalid.
    #[error("the block's time {time:?} is not after its parent's {parent:?}")]
    TimeNotAfterParent {
        /// The parent's.
        parent: Timestamp,
        /// The block's.
        time: Timestamp,
    },
    /// The proposer has no validator at this height: the block is invalid.
    #[error("{0} has no validator in the set of this height")]
    UnknownProposer(MemberId),
    /// The state's validators are not those that the parent named.
    #[error("the state's validators are not those that the parent's header names: the state is not the parent's")]
    OtherValidators,
    /// The execution ended by a fault before.
    #[error("this execution ended by a fault; begin the block again")]
    Ended,
}

impl ExecutionError {
    /// Whether the block is at fault, not this host: voting refuses it.
    pub fn is_invalid_block(&self) -> bool {
        matches!(self, Self::TimeNotAfterParent { .. } | Self::UnknownProposer(_))
    }
}

/// A receipt with what its events root covers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ExecutedReceipt {
    /// The receipt.
    pub receipt: Receipt,
    /// Its events in order.
    pub events: Vec<Event>,
    /// What the events' leaves are salted from: a transaction's salt, or a hash under the chain secret.
    pub salt: Vec<u8>,
}

/// What came of a transaction, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptSummary {
    /// The transaction.
    pub id: TransactionId,
    /// Its wire hash.
    pub wire_hash: Hash,
    /// Whether everything ran.
    pub succeeded: bool,
    /// Gas used.
    pub gas: u64,
}

/// An executed block that nothing was written of yet.
pub struct ExecutedBlock {
    /// The header, with the roots.
    pub header: Header,
    /// The head that it makes.
    pub head: ChainHead,
    /// Id and `expires_at` of its transactions, in order.
    pub transactions: Vec<(TransactionId, Timestamp)>,
    /// Receipts: agenda entries, the chain's own, transactions.
    pub receipts: Vec<ExecutedReceipt>,
    /// State and tree: give it to `State::commit` when the block is decided.
    pub update: StateUpdate,
    /// The set that certifies the next block.
    pub next_validators: ValidatorSet,
}

/// What a member used of its quotas in this block.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    gas: u64,
    bytes: u64,
    entries: u64,
    stored: i64,
}

/// A block under execution. Owns all it needs, so that it can wait for parts on any thread.
pub struct BlockExecution {
    session: Session,
    head: ChainHead,
    context: BlockContext,
    rules: BlockRules,
    network: Network,
    validators: ValidatorSet,
    seen: Arc<SeenWindow>,
    verifier: Arc<dyn SignatureVerifier>,
    ids: BTreeSet<TransactionId>,
    transactions: Vec<(TransactionId, Timestamp)>,
    wires: Vec<Hash>,
    receipts: Vec<ExecutedReceipt>,
    /// Gas that the agenda used; gas that transactions declared; gas that they used.
    agenda_gas: u64,
    declared_gas: u64,
    used_gas: u64,
    bytes: u64,
    by_member: BTreeMap<MemberId, Used>,
    ended: bool,
}

impl BlockExecution {
    /// Checks the context and runs the agenda.
    pub(crate) fn begin(
        runtime: Arc<Runtime>,
        head: ChainHead,
        view: BaseView,
        context: BlockContext,
        seen: Arc<SeenWindow>,
        verifier: Arc<dyn SignatureVerifier>,
    ) -> Result<Self, ExecutionError> {
        let parent = head.header.time;
        if context.time <= parent {
            return Err(ExecutionError::TimeNotAfterParent { parent, time: context.time });
        }
        let mut ledger = Ledger::new(view);
        let height = head.header.height.next();
        let validators = facts::validators(&mut ledger, height)?;
        if validators.hash() != head.header.next_validators_hash {
            return Err(ExecutionError::OtherValidators);
        }
        if !validators.validators().iter().any(|validator| validator.member == context.proposer) {
            return Err(ExecutionError::UnknownProposer(context.proposer));
        }
        let mut execution = Self::new(runtime, head, ledger, context, validators, seen, verifier)?;
        execution.run_agenda()?;
        Ok(execution)
    }

    fn new(
        runtime: Arc<Runtime>,
        head: ChainHead,
        mut ledger: Ledger,
        context: BlockContext,
        validators: ValidatorSet,
        seen: Arc<SeenWindow>,
        verifier: Arc<dyn SignatureVerifier>,
    ) -> HostResult<Self> {
        let rules = BlockRules::read(&mut ledger)?;
        let network = clock::network(&mut ledger)?;
        let facts = BlockFacts {
            height: head.header.height.next(),
            time: context.time,
            business_date: clock::cursor(&mut ledger)?.date,
            kind: network.kind,
        };
        let session =
            Session::new(runtime, ledger, SessionRules { facts, entry_gas: rules.entry_gas, read_only: false });
        Ok(Self {
            session,
            head,
            context,
            rules,
            network,
            validators,
            seen,
            verifier,
            ids: BTreeSet::new(),
            transactions: vec![],
            wires: vec![],
            receipts: vec![],
            agenda_gas: 0,
            declared_gas: 0,
            used_gas: 0,
            bytes: 0,
            by_member: BTreeMap::new(),
            ended: false,
        })
    }

    /// The rules of this block.
    pub fn rules(&self) -> &BlockRules {
        &self.rules
    }

    /// Height, time, business date and kind of network.
    pub fn facts(&self) -> BlockFacts {
        self.session.block_facts()
    }

    /// Runs due entries in order and moves the business date, until nothing is due or the agenda's share is used. What entries
    /// ask for does not count, since most use a small part of it; the last one may go beyond the share by what one entry may
    /// ask for. One due entry always runs, so that the agenda never stands still.
    fn run_agenda(&mut self) -> HostResult<()> {
        let share = self.rules.agenda_gas_in(self.context.round);
        let before = self.facts().business_date;
        let mut walk = Walk::new(self.facts().height);
        while let Some((id, entry)) = self.next_due(&mut walk)? {
            if self.agenda_gas > 0 && self.agenda_gas >= share {
                break;
            }
            self.agenda_gas += self.run_entry(id, entry)?;
        }
        self.record_date(before);
        Ok(())
    }

    /// The next due entry; the date moves on where a day is done.
    fn next_due(&mut self, walk: &mut Walk) -> HostResult<Option<(AgendaId, Entry)>> {
        loop {
            let date = self.facts().business_date;
            if let Some(due) = walk.next(&mut self.session.ledger, date)? {
                return Ok(Some(due));
            }
            if !self.move_date()? {
                return Ok(None);
            }
        }
    }

    /// Moves the date as far as the clock allows and no undone day is left behind; whether it moved.
    fn move_date(&mut self) -> HostResult<bool> {
        let first = agenda::first(&mut self.session.ledger)?.map(|(day, _)| day);
        let mut cursor = clock::cursor(&mut self.session.ledger)?;
        let before = cursor.date;
        let done = |cursor: &Cursor| first.is_none_or(|day| day > cursor.date);
        while done(&cursor) && cursor.advance(&self.network.clock, self.context.time) {}
        if cursor.date == before {
            return Ok(false);
        }
        self.session.ledger.put(&(), &cursor)?;
        self.session.set_business_date(cursor.date);
        Ok(true)
    }

    /// One receipt of the chain itself for a date that moved.
    fn record_date(&mut self, from: BusinessDate) {
        let to = self.facts().business_date;
        if from != to {
            let payload = ClockEvent::DateMoved { from, to }.encode();
            let events = vec![Event { contract: Native::Clock.id(), payload }];
            self.receipts.push(receipt(Origin::System, Outcome::Ok(vec![]), 0, events, vec![]));
        }
    }

    /// Runs an entry; answers the gas that it used.
    fn run_entry(&mut self, id: AgendaId, entry: Entry) -> HostResult<u64> {
        let run = Run { agenda_depth: entry.depth.saturating_add(1), ..Run::of_nobody(Hash(id.0), entry.due) };
        self.session.start(run);
        let caller = Caller::Contract(entry.contract);
        let Ended { gas, result } =
            self.session.enter_top(entry.contract, caller, EntryPoint::Call, &entry.message, entry.gas)?;
        let facts = self.facts();
        let failure = result.as_ref().err().cloned();
        agenda::settle(&mut self.session.ledger, id, failure, self.rules.agenda_attempts, facts)?;
        let outcome = match result {
            Ok(output) => Outcome::Ok(vec![output]),
            Err(reason) => Outcome::Failed { call: 0, contract: entry.contract, reason },
        };
        let gas = gas::ENTRY.saturating_add(gas);
        let salt = self.session.runtime.secret.agenda_salt(&id, entry.attempt);
        let events = self.session.take_events();
        self.receipts.push(receipt(Origin::Agenda(id, entry.attempt), outcome, gas, events, salt.0.to_vec()));
        Ok(gas)
    }

    /// Runs a transaction at the next place.
    ///
    /// # Errors
    /// [`ApplyError::Refused`]: it may not run here and left no trace. [`ApplyError::Halt`]: the host failed, and this
    /// execution is over.
    pub fn apply(&mut self, transaction: &Transaction) -> Result<ReceiptSummary, ApplyError> {
        if self.ended {
            return Err(HostFault(ExecutionError::Ended.to_string()).into());
        }
        let applied = self.apply_here(transaction);
        self.ended |= matches!(applied, Err(ApplyError::Halt(_)));
        applied
    }

    fn apply_here(&mut self, transaction: &Transaction) -> Result<ReceiptSummary, ApplyError> {
        let place = self.place();
        let admission = check::admit(&mut self.session.ledger, &self.rules, place, transaction)?;
        if self.ids.contains(&admission.id) || self.seen.contains(&admission.id) {
            return Err(Refusal::Replayed(admission.id).into());
        }
        self.check_room(&admission)?;
        if !self.verifier.verify(&admission.wire_hash, &admission.signatures) {
            return Err(Refusal::BadSignature.into());
        }
        self.run_transaction(transaction, admission)
    }

    fn place(&self) -> Place {
        let BlockFacts { height, time, .. } = self.facts();
        Place { chain: self.head.header.chain, parent_time: self.head.header.time, height, time }
    }

    /// Room in the block, then in the member's quotas.
    fn check_room(&self, admission: &Admission) -> Result<(), Refusal> {
        let full = |bound| Err(Refusal::BlockFull(bound));
        let gas = self.rules.transaction_gas_in(self.context.round, self.agenda_gas);
        if self.declared_gas.saturating_add(admission.gas) > gas {
            return full(Bound::Gas);
        }
        if self.bytes + admission.bytes > self.rules.bytes {
            return full(Bound::Bytes);
        }
        if self.wires.len() as u64 >= self.rules.transactions {
            return full(Bound::Transactions);
        }
        let used = self.by_member.get(&admission.sender.member).copied().unwrap_or_default();
        if used.gas.saturating_add(admission.gas) > self.rules.quota_gas {
            return Err(Refusal::Quota(Bound::Gas));
        }
        if used.bytes + admission.bytes > self.rules.quota_bytes {
            return Err(Refusal::Quota(Bound::Bytes));
        }
        Ok(())
    }

    fn run_transaction(
        &mut self,
        transaction: &Transaction,
        admission: Admission,
    ) -> Result<ReceiptSummary, ApplyError> {
        let Admission { id, wire_hash, sender, approvers, bytes, gas: declared, .. } = admission;
        let mut used = self.by_member.get(&sender.member).copied().unwrap_or_default();
        self.session.start(Run {
            sender: Some(sender),
            agenda_quota: self.rules.quota_agenda.saturating_sub(used.entries),
            approvers,
            ..Run::of_nobody(Hash(id.0), self.facts().business_date)
        });
        self.session.ledger.begin();
        let (outcome, gas) = self.run_calls(transaction, bytes as usize)?;
        let stored = used.stored.saturating_add(self.session.ledger.stored_bytes());
        let over_quota = stored > i64::try_from(self.rules.quota_stored).unwrap_or(i64::MAX);
        if matches!(outcome, Outcome::Ok(_)) && !over_quota {
            self.session.ledger.commit();
            used.stored = stored;
            used.entries += self.session.scheduled();
        } else {
            self.session.ledger.revert();
            drop(self.session.take_events());
            if matches!(outcome, Outcome::Ok(_)) {
                return Err(Refusal::Quota(Bound::StoredBytes).into());
            }
        }
        used.gas += declared;
        used.bytes += bytes;
        self.by_member.insert(sender.member, used);
        self.declared_gas += declared;
        self.used_gas += gas;
        self.bytes += bytes;
        self.ids.insert(id);
        self.transactions.push((id, transaction.body.expires_at));
        self.wires.push(wire_hash);
        let succeeded = matches!(outcome, Outcome::Ok(_));
        let events = self.session.take_events();
        let receipt = receipt(Origin::Transaction(id), outcome, gas, events, transaction.body.salt.to_vec());
        self.receipts.push(receipt);
        Ok(ReceiptSummary { id, wire_hash, succeeded, gas })
    }

    /// The calls in order, up to the first that fails; what they did is not yet undone then.
    fn run_calls(&mut self, transaction: &Transaction, bytes: usize) -> HostResult<(Outcome, u64)> {
        let body = &transaction.body;
        let mut gas = gas::transaction(bytes, body.approvers.len());
        let mut outputs = Vec::with_capacity(body.calls.len());
        for (index, call) in (0u16..).zip(&body.calls) {
            let left = body.gas_limit.saturating_sub(gas);
            let caller = Caller::Account(body.sender);
            let ended = self.session.enter_top(call.contract, caller, EntryPoint::Call, &call.input, left)?;
            gas += ended.gas;
            match ended.result {
                Ok(output) => outputs.push(output),
                Err(reason) => return Ok((Outcome::Failed { call: index, contract: call.contract, reason }, gas)),
            }
        }
        Ok((Outcome::Ok(outputs), gas))
    }

    /// The header and all that belongs to it. `update` is the committed state's: it turns changes into a root.
    pub fn finish(
        mut self,
        update: impl FnOnce(Changes) -> Result<StateUpdate, StateError>,
    ) -> Result<ExecutedBlock, ExecutionError> {
        if self.ended {
            return Err(ExecutionError::Ended);
        }
        let BlockFacts { height, time, .. } = self.facts();
        let next_validators = facts::validators(&mut self.session.ledger, height.next())?;
        let update = update(self.session.into_ledger().into_changes()?)?;
        let leaves: Vec<Hash> = self.receipts.iter().map(|executed| executed.receipt.leaf()).collect();
        let header = Header {
            version: HEADER_VERSION,
            chain: self.head.header.chain,
            height,
            round: self.context.round,
            time,
            parent: self.head.hash,
            history_root: self.head.history.root(),
            proposer: self.context.proposer,
            transactions_root: list_root(&self.wires),
            receipts_root: list_root(&leaves),
            state_root: update.root(),
            validators_hash: self.validators.hash(),
            next_validators_hash: next_validators.hash(),
            gas_used: self.agenda_gas.saturating_add(self.used_gas),
        };
        let head = ChainHead::after(self.head.history, header.clone());
        let Self { transactions, receipts, .. } = self;
        Ok(ExecutedBlock { header, head, transactions, receipts, update, next_validators })
    }
}

/// The receipt of something that ran.
pub(crate) fn receipt(
    origin: Origin,
    outcome: Outcome,
    gas: u64,
    events: Vec<Event>,
    salt: Vec<u8>,
) -> ExecutedReceipt {
    let events_root = events_root(&salt, &events);
    ExecutedReceipt { receipt: Receipt { origin, outcome, gas, events_root }, events, salt }
}
