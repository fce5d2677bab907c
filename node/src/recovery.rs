//! What a start finds on the disk, or makes where there is nothing yet: state, last block, the window of seen transactions,
//! the consensus log. Must never go on with a store and a log that do not fit together.

use std::sync::Arc;

use portolan_chain_spec::Genesis;
use portolan_primitives::Height;
use portolan_replica::log::LogFrame;
use portolan_runtime::{BaseView, ChainHead, Runtime, SeenWindow};
use portolan_state::{Batch, KeyValue, Options, State};
use portolan_vm::stack::THREAD_STACK_BYTES;

use crate::log_file::{Folder, LogFile, Record};
use crate::node::StartError;
use crate::store::Chain;
use crate::store::chain::{BlockRecord, add_block};

/// What was found.
pub struct Recovery<S> {
    /// The state after the last block.
    pub state: State<S>,
    /// The blocks.
    pub chain: Chain<S>,
    /// The last block.
    pub head: ChainHead,
    /// Transactions that could run again.
    pub seen: SeenWindow,
}

/// Reads a store, whose state is kept as `options` say, and begins the chain in an empty one.
///
/// # Errors
/// What does not fit.
pub fn recover<S: KeyValue>(
    store: Arc<S>,
    runtime: &Arc<Runtime>,
    genesis: &Genesis,
    options: Options,
) -> Result<Recovery<S>, StartError> {
    let chain = Chain::new(store.clone());
    let wrong = |error: &dyn std::fmt::Display| StartError::State(error.to_string());
    let stored = chain.head()?;
    let last = stored.as_ref().map(|head| (head.header.height, head.header.state_root));
    let state = State::open(store, options, last).map_err(|error| wrong(&error))?;
    let head = match stored {
        Some(head) => head,
        None => begin_chain(runtime, &state, genesis)?,
    };
    let seen = rebuild_window(&chain, &head)?;
    Ok(Recovery { state, chain, head, seen })
}

/// Executes and commits genesis, on a thread with the stack that contracts may need.
fn begin_chain<S: KeyValue>(
    runtime: &Arc<Runtime>,
    state: &State<S>,
    genesis: &Genesis,
) -> Result<ChainHead, StartError> {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("genesis".into()).stack_size(THREAD_STACK_BYTES);
        let work = builder.spawn_scoped(scope, || commit_genesis(runtime, state, genesis));
        let ended = work.map_err(StartError::Thread)?.join();
        ended.unwrap_or_else(|_| Err(StartError::Genesis("its thread failed; keep the log and report this".into())))
    })
}

fn commit_genesis<S: KeyValue>(
    runtime: &Arc<Runtime>,
    state: &State<S>,
    genesis: &Genesis,
) -> Result<ChainHead, StartError> {
    let view: BaseView = Arc::new(state.view());
    let executed = runtime.genesis(genesis, view, |changes| state.update(changes));
    let block = executed.map_err(|error| StartError::Genesis(error.to_string()))?;
    let mut batch = Batch::new();
    let record = BlockRecord {
        head: &block.head,
        transactions: &[],
        certificate: None,
        receipts: &block.receipts,
        next_validators: &block.next_validators,
    };
    add_block(&mut batch, &record);
    state.commit(Height(0), block.update, batch).map_err(|error| StartError::State(error.to_string()))?;
    Ok(block.head)
}

/// The transactions that could run again, from the blocks of the window.
fn rebuild_window<S: KeyValue>(chain: &Chain<S>, head: &ChainHead) -> Result<SeenWindow, StartError> {
    let mut heights = Vec::new();
    let mut height = head.header.height;
    // What is pruned could not run again.
    let lowest = chain.lowest()?.max(Height(1));
    while height >= lowest {
        let Some(header) = chain.header(height)? else { break };
        if !SeenWindow::covers(header.time, head.header.time) {
            break;
        }
        heights.push((height, header.time));
        height = Height(height.0 - 1);
    }
    let mut seen = SeenWindow::default();
    for (height, time) in heights.into_iter().rev() {
        let transactions = chain.transactions(height)?.unwrap_or_default();
        seen.push_block(
            time,
            transactions.iter().map(|transaction| (transaction.body.id(), transaction.body.expires_at)),
        );
    }
    Ok(seen)
}

/// The opened log, and the replica's frames of the height that was being decided.
///
/// # Errors
/// The frames can't be read, or the log knows of blocks that the store has lost.
pub fn open_log<F: Folder>(
    opened: (LogFile<F>, Vec<Record>),
    decided: Height,
) -> Result<(LogFile<F>, Vec<LogFrame>), StartError> {
    let (log, records) = opened;
    let bytes: Vec<u8> = records.into_iter().flat_map(|record| record.bytes).collect();
    let frames = portolan_replica::log::read(&bytes)?.frames;
    match frames.iter().map(|frame| frame.height).max() {
        Some(highest) if highest > decided.next() => Err(StartError::StoreBehindLog { log: highest, head: decided }),
        _ => Ok((log, frames)),
    }
}
