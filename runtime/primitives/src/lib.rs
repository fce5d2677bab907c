//! The types that everybody agrees on, byte for byte: hashes, ids, keys, transactions, blocks, receipts, certificates.
//!
//! Everything hashed, signed, stored or sent is SCALE with explicit variant indices; a change here is a protocol change
//! and shows in the frozen vectors of `tests/conformance`. Must never do I/O, read a clock, or know of wasm or of a store.

#![forbid(unsafe_code)]

pub mod block;
pub mod bounded;
pub mod hash;
pub mod hex;
pub mod history;
pub mod id;
pub mod key;
pub mod limits;
pub mod list;
pub mod member;
pub mod money;
pub mod receipt;
pub mod time;
pub mod transaction;
pub mod vote;

pub use block::{Block, Header};
pub use bounded::{DecodeError, decode_whole};
pub use hash::{Domain, Hash, hash, hash_parts};
pub use history::History;
pub use id::{AccountId, AgendaId, ContractId, IdError, KeyId, MemberId, TransactionId};
pub use key::{KeyError, PublicKey, Signature, SigningKey};
pub use list::{ListProof, list_root};
pub use member::{Caller, MemberStatus, Role};
pub use money::Currency;
pub use receipt::{Event, FailureReason, Origin, Outcome, Receipt};
pub use time::{BusinessDate, Height, Round, Timestamp};
pub use transaction::{Body, Call, Transaction};
pub use vote::{CommitCertificate, Validator, ValidatorSet, VoteKind};
