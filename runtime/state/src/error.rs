//! What can go wrong with the state. Most of it means: halt with this message, never go on.

use portolan_primitives::hash::Hash;
use portolan_primitives::time::Height;

use crate::store::StoreError;

/// What can go wrong with the state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The store failed. The node halts.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored contradicts itself. The node halts.
    #[error("the stored state is damaged ({0}); restore this node from a snapshot or a backup")]
    Corrupt(&'static str),
    /// The state has not the root that the chain decided. The node halts.
    #[error(
        "the state of height {height} has the root {found}, but its block says {expected}; restore this node from a snapshot"
    )]
    RootMismatch {
        /// Height of the block.
        height: Height,
        /// Root in the block's header.
        expected: Hash,
        /// Root of the stored state.
        found: Hash,
    },
    /// The state is of another height than the last stored block. The node halts.
    #[error("the stored state is of height {}, and the last block of height {}; the data folder was put together from two", text(.state), text(.block))]
    OtherHeight {
        /// Height of the state; `None` if there is none.
        state: Option<Height>,
        /// Height of the last block; `None` if there is none.
        block: Option<Height>,
    },
    /// The data folder was written under another chain secret.
    #[error("the stored state was written under another chain secret; check the secret in this node's chain-spec")]
    OtherSecret,
    /// A commit of another height than the next.
    #[error("a block of height {found} was to be committed where {expected} is next")]
    NotNext {
        /// The next height.
        expected: Height,
        /// The height given.
        found: Height,
    },
    /// Changes or an update made on a state that is no longer the committed one.
    #[error("another block was committed meanwhile; execute again on the committed state")]
    Superseded,
    /// The node's batch writes to a column of the state.
    #[error("the block's batch writes to the state's own column {0}")]
    ReservedColumn(u8),
    /// An earlier commit failed.
    #[error("an earlier block could not be written; restart the node, which comes back to the last whole block")]
    Halted,
    /// A height whose previous values are gone.
    #[error("the state of height {height} is pruned; the oldest at hand is {oldest}, or ask an archive node")]
    HeightPruned {
        /// The height asked for.
        height: Height,
        /// The oldest that can be asked for.
        oldest: Height,
    },
    /// A height that is not there yet.
    #[error("the state of height {height} is not there yet; the last block is {tip}")]
    HeightUnknown {
        /// The height asked for.
        height: Height,
        /// The last height.
        tip: Height,
    },
    /// A key above [`crate::limits::MAX_KEY_BYTES`].
    #[error("a storage key of {0} bytes is too long; at most 1,024 are allowed")]
    KeyTooLong(usize),
    /// A value above [`crate::limits::MAX_VALUE_BYTES`].
    #[error("a value of {0} bytes is too large; at most 262,144 are allowed, store more in chunks")]
    ValueTooLong(usize),
    /// More keys than one proof holds.
    #[error("a proof of {0} keys was asked for; one holds at most 4,096, ask in parts")]
    TooManyKeys(usize),
}

fn text(height: &Option<Height>) -> String {
    height.map_or_else(|| "none".into(), |height| height.to_string())
}
