//! Verifying without a node: state proofs, receipts, certificates, header history. It builds for browsers (wasm32).
//!
//! Start at [`ProvedState`], which is what `?proof=true` answers, or at [`tree`], which writes down the hash rules of the
//! state tree. A verifier begins from an [`Anchor`], and every verified result names what was [`Trusted`].
//! Must never write, read a file or a clock, use the network, or allocate by a length that it has not bounded.

#![forbid(unsafe_code)]

mod bundle;
mod error;
mod header;
pub mod limits;
mod multi;
mod receipt;
pub mod tree;

pub use bundle::{Entry, PROVED_STATE_VERSION, ProvedState, VerifiedState};
pub use error::ProofError;
pub use header::{AncestorProof, Anchor, CertifiedHeader, HeaderProof, Trusted, VerifiedHeader};
pub use multi::{MultiProof, StateProof, Step};
pub use receipt::{EventProof, ReceiptProof};
pub use tree::{EMPTY, bit, inner_hash, key_path, leaf_hash, value_hash};
