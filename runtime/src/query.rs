//! Questions: run in bounded gas on a pinned state, write nothing, and say which keys they read, so that an answer can be
//! proved. Must never use the slots of blocks.

use portolan_primitives::{Caller, ContractId, FailureReason, Hash};
use portolan_state::ReadSet;
use portolan_vm::HostResult;
use portolan_vm::abi::Entry;
use portolan_vm::metering::MAX_GAS;

use crate::block::{BlockFacts, ChainHead};
use crate::ledger::{BaseView, Ledger};
use crate::native::clock;
use crate::runtime::Runtime;
use crate::session::{Run, Session, SessionRules};

use std::sync::Arc;

/// An answered question.
#[derive(Debug)]
pub struct QueryOutcome {
    /// The output, in SCALE of the question's type; or why there is none: `Reverted` holds the contract's typed error.
    pub result: Result<Vec<u8>, FailureReason>,
    /// Gas used.
    pub gas: u64,
    /// Keys and ranges that were read.
    pub reads: ReadSet,
}

/// Asks `contract`; see [`Runtime::query`].
pub(crate) fn query(
    runtime: Arc<Runtime>,
    head: &ChainHead,
    view: BaseView,
    contract: ContractId,
    input: &[u8],
    reader: Caller,
    gas: u64,
) -> HostResult<QueryOutcome> {
    let mut ledger = Ledger::new(view);
    let facts = BlockFacts {
        height: head.header.height,
        time: head.header.time,
        business_date: clock::cursor(&mut ledger)?.date,
        kind: clock::network(&mut ledger)?.kind,
    };
    ledger.record_reads();
    let mut session = Session::new(runtime, ledger, SessionRules { facts, entry_gas: 0, read_only: true });
    session.start(Run::of_nobody(Hash::ZERO, facts.business_date));
    let ended = session.enter_top(contract, reader, Entry::Query, input, gas.min(MAX_GAS))?;
    let reads = session.ledger.take_reads();
    Ok(QueryOutcome { result: ended.result, gas: ended.gas, reads })
}
