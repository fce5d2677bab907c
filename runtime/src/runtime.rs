//! The way in: one value that a node makes at start and shares. Has no state of its own; everything is asked on a view.

use std::sync::Arc;

use portolan_primitives::{Caller, ContractId, Timestamp, Transaction};
use portolan_sdk::metadata::ContractMetadata;
use portolan_state::{Changes, StateError, StateUpdate};
use portolan_vm::{HostResult, ModuleLimits, Vm};

use crate::block::{BlockContext, BlockExecution, ChainHead, ExecutedBlock, ExecutionError};
use crate::check::{self, Admission, ApplyError, Place, SignatureVerifier};
use crate::genesis::Genesis;
use crate::genesis_state::{self, GenesisError};
use crate::ledger::{BaseView, Ledger, fault};
use crate::native::clock::{self, Moves};
use crate::native::records::Instance;
use crate::native::{Native, agenda};
use crate::query::{self, QueryOutcome};
use crate::rules::BlockRules;
use crate::secret::ChainSecret;
use crate::seen::SeenWindow;

/// Runs blocks and answers questions.
pub struct Runtime {
    pub(crate) vm: Arc<Vm>,
    pub(crate) secret: ChainSecret,
}

/// Why a block is due by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// An agenda entry is due.
    AgendaDue,
    /// The business date may move on.
    DateMoves,
}

/// When a block is due by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wakeup {
    /// From this block time on; now, if it is past.
    pub at: Timestamp,
    /// Why.
    pub reason: Reason,
}

impl Runtime {
    /// With a vm and the chain's secret.
    pub fn new(vm: Arc<Vm>, secret: ChainSecret) -> Arc<Self> {
        Arc::new(Self { vm, secret })
    }

    /// Makes the first state and header 0. `view` is an empty state's.
    ///
    /// # Errors
    /// What is wrong with the genesis, by name; or the host's fault.
    pub fn genesis(
        self: &Arc<Self>,
        genesis: &Genesis,
        view: BaseView,
        update: impl FnOnce(Changes) -> Result<StateUpdate, StateError>,
    ) -> Result<ExecutedBlock, GenesisError> {
        genesis_state::execute(Arc::clone(self), genesis, view, update)
    }

    /// Begins the block after `head`, on the state after `head`, and runs its agenda.
    ///
    /// # Errors
    /// [`ExecutionError::is_invalid_block`] tells a block that may not be from a host that failed.
    pub fn begin(
        self: &Arc<Self>,
        head: ChainHead,
        view: BaseView,
        context: BlockContext,
        seen: Arc<SeenWindow>,
        verifier: Arc<dyn SignatureVerifier>,
    ) -> Result<BlockExecution, ExecutionError> {
        BlockExecution::begin(Arc::clone(self), head, view, context, seen, verifier)
    }

    /// Whether a block at time `now` after `head` could take the transaction, as far as chain, shape, time, gas, sender and
    /// approvers go. Verify [`Admission::signatures`] (in batches), ask the [`SeenWindow`] for a replay, and keep the quotas
    /// of members in view; the block judges again.
    ///
    /// # Errors
    /// The refusal, or the host's fault.
    pub fn check(
        &self,
        view: BaseView,
        head: &ChainHead,
        now: Timestamp,
        transaction: &Transaction,
    ) -> Result<Admission, ApplyError> {
        let mut ledger = Ledger::new(view);
        let rules = BlockRules::read(&mut ledger)?;
        self.check_in(&mut ledger, &rules, head, now, transaction)
    }

    /// [`Runtime::check`] of many on one ledger, whose records are then read once.
    ///
    /// # Errors
    /// As for one.
    pub fn check_in(
        &self,
        ledger: &mut Ledger,
        rules: &BlockRules,
        head: &ChainHead,
        now: Timestamp,
        transaction: &Transaction,
    ) -> Result<Admission, ApplyError> {
        let after = head.header.time.max(now);
        let time = now.max(Timestamp(head.header.time.0.saturating_add(1)));
        let place = Place { chain: head.header.chain, parent_time: after, height: head.header.height.next(), time };
        check::admit(ledger, rules, place, transaction)
    }

    /// When a block is due by itself on this state: an agenda entry waits, or the business date may move.
    ///
    /// # Errors
    /// The host's fault.
    pub fn next_wakeup(&self, view: BaseView) -> HostResult<Option<Wakeup>> {
        let mut ledger = Ledger::new(view);
        let cursor = clock::cursor(&mut ledger)?;
        let first = agenda::first(&mut ledger)?;
        if first.is_some_and(|(day, _)| day <= cursor.date) {
            return Ok(Some(Wakeup { at: Timestamp(0), reason: Reason::AgendaDue }));
        }
        let network = clock::network(&mut ledger)?;
        Ok(match cursor.moves(&network.clock) {
            Moves::From(at) => Some(Wakeup { at, reason: Reason::DateMoves }),
            Moves::Stands => None,
        })
    }

    /// Asks a contract or native module, as `reader`, on the state after `head`, with at most `gas`.
    ///
    /// # Errors
    /// The host's fault, an empty pool included; everything else is in the outcome.
    pub fn query(
        self: &Arc<Self>,
        view: BaseView,
        head: &ChainHead,
        contract: ContractId,
        input: &[u8],
        reader: Caller,
        gas: u64,
    ) -> HostResult<QueryOutcome> {
        query::query(Arc::clone(self), head, view, contract, input, reader, gas)
    }

    /// What a contract or native module says about itself; `None` for an unknown one, or one that says nothing. Reads and
    /// checks the whole code: keep the answer by the instance's code hash.
    ///
    /// # Errors
    /// The host's fault.
    pub fn metadata(&self, view: BaseView, contract: ContractId) -> HostResult<Option<ContractMetadata>> {
        if let Some(native) = Native::from_id(contract) {
            return Ok(Some(native.module().metadata()));
        }
        let mut ledger = Ledger::new(view);
        let Some(instance) = ledger.get::<Instance>(&contract)? else { return Ok(None) };
        let code = ledger.code(&instance.code)?;
        let module = portolan_vm::validate(&code, &ModuleLimits::V1).map_err(fault)?;
        Ok(module.metadata.and_then(|bytes| ContractMetadata::from_bytes(&bytes).ok()))
    }
}
