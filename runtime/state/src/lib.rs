//! The key-value state: read views, change sets, and the paged Merkle tree that gives each block its state root.
//!
//! A block is executed in a [`ChangeSet`] over a [`View`]; [`State::update`] turns the changes into a root without applying
//! them; [`State::commit`] writes the decided block in one synced batch. Storage keys are made in [`keys`] and nowhere
//! else. It stores through the small trait [`KeyValue`]. Must never know what a contract or consensus is, read a clock, or
//! iterate a hash map: the same changes give the same root on every machine.

#![forbid(unsafe_code)]

mod cache;
mod changes;
mod error;
mod front;
pub mod keys;
pub mod limits;
mod memory;
mod page;
mod record;
mod salt;
mod state;
mod store;
mod tree;
mod view;

pub use changes::{Change, ChangeSet, Changes, ReadSet, ScanRange};
pub use error::StateError;
pub use keys::StateKey;
pub use memory::MemoryStore;
pub use salt::SaltKey;
pub use state::{Memory, Options, State, StateUpdate, View};
pub use store::{Batch, Column, KeyValue, Operation, StoreError};
pub use view::{Overlay, StateView};

/// A value of the state; cheap to clone.
pub type Value = std::sync::Arc<[u8]>;
