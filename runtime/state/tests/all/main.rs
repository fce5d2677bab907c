//! The state against models: a naive tree, a naive change set, a history that is written down beside it, a disk that loses
//! power.

mod change_sets;
mod history;
mod proofs;
mod queue;
mod recovery;
mod support;
mod tree;
mod vectors;
