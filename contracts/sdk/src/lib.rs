//! Write a Portolan contract: an interface, typed storage, what may be asked of the chain, and a chain in memory to test on.
//!
//! A contract is a few plain functions. The [`interface`] trait, shared with other contracts, tests and tools, fixes its
//! messages; [`storage!`] declares its whole state in one place; [`env`] asks the chain; [`export!`] makes it a module. The
//! same code runs natively in [`testing::TestChain`] and as WebAssembly under host ABI v1.
//!
//! Must never: know a domain, hold state outside storage, use floats, threads, clocks or randomness, or pull a signature
//! library or `std` into a module.
//!
//! # A whole contract
//! ```
//! use codec::{Decode, Encode};
//! use portolan_sdk::{AccountId, CallError, Role, Unauthorized, ensure, env, storage, testing::TestChain};
//! use scale_info::TypeInfo;
//!
//! #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
//! pub enum TillError {
//!     /// The account's policy does not allow it.
//!     #[codec(index = 0)]
//!     Unauthorized(Unauthorized),
//!     /// More was asked for than there is.
//!     #[codec(index = 1)]
//!     Short { missing: i128 },
//! }
//!
//! #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
//! pub enum TillEvent {
//!     #[codec(index = 0)]
//!     Moved { account: AccountId, minor: i128 },
//! }
//!
//! /// Keeps a balance for each account.
//! #[portolan_sdk::interface(name = "till", error = TillError, event = TillEvent)]
//! pub trait Till {
//!     /// Adds to (or, negative, takes from) an account's balance; answers the new one.
//!     #[call(index = 0)]
//!     fn add(&mut self, account: AccountId, minor: i128) -> Result<i128, TillError>;
//!     /// An account's balance in minor units.
//!     #[query(index = 0, path = "/tills/{account}")]
//!     fn balance(&self, account: AccountId) -> Result<i128, TillError>;
//! }
//!
//! storage! {
//!     0 => BALANCES: Map<AccountId, i128>;
//! }
//!
//! struct Keeper;
//!
//! impl Till for Keeper {
//!     fn add(&mut self, account: AccountId, minor: i128) -> Result<i128, TillError> {
//!         env::authorize(account, "move", *b"CNY", minor).map_err(TillError::Unauthorized)?;
//!         let balance = BALANCES.get(&account).unwrap_or_default() + minor;
//!         ensure!(balance >= 0, TillError::Short { missing: -balance });
//!         BALANCES.set(&account, &balance);
//!         till::emit(&TillEvent::Moved { account, minor });
//!         Ok(balance)
//!     }
//!
//!     fn balance(&self, account: AccountId) -> Result<i128, TillError> {
//!         Ok(BALANCES.get(&account).unwrap_or_default())
//!     }
//! }
//!
//! portolan_sdk::export!(Keeper, till);
//!
//! # fn main() {
//! let chain = TestChain::new();
//! let account = chain.account(chain.member("harbour-bank", &[Role::Bank]), "treasury");
//! chain.deploy(NATIVE);
//! let treasury = till::Client::over(chain.as_account(account));
//! assert_eq!(treasury.add(account, 500), Ok(500));
//! assert_eq!(treasury.add(account, -700), Err(CallError::Contract(TillError::Short { missing: 200 })));
//! assert_eq!(treasury.balance(account), Ok(500));
//! assert_eq!(chain.events::<TillEvent>(till::CONTRACT).len(), 1);
//! # }
//! ```
//!
//! # The crate of a contract
//! - `src/lib.rs` begins with `#![cfg_attr(target_arch = "wasm32", no_std)]` and `extern crate alloc;`, and compiles on
//!   Rust 1.85, which Debian's WebAssembly toolchain may be.
//! - `examples/package-NAME.rs` is one line, [`packaging::main`]; `scripts/build-contracts` finds the contract by it, builds it, and
//!   puts its [`metadata`] into the module.
//! - Indices of messages, errors and events, prefixes of storage and paths of queries are protocol: add, never reuse.
//!
//! # What a caller gets
//! A call ends in the encoded value, or reverts with a [`ContractError`]: the contract's own typed error, or that the bytes were
//! no message of it. Input is decoded whole, within [`MAX_MESSAGE_DEPTH`]. A panic traps: all is undone and all gas charged, so a
//! refusal is an error value, and a panic only what can't happen.
//!
//! # Authority
//! [`env::authorize`] is answered from an account's policy and the transaction's approvers, in a top-level call alone. Below
//! one, trust [`env::caller`]: a named contract, never a signature that somebody gave for something else.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;
#[doc(hidden)]
pub extern crate codec;
#[doc(hidden)]
pub extern crate scale_info;
// Generated code names this crate; within it (unit tests) the name must resolve too.
extern crate self as portolan_sdk;

pub mod abi;
pub mod env;
mod export;
mod host;
mod message;
pub mod metadata;
#[cfg(not(target_arch = "wasm32"))]
pub mod packaging;
pub mod storage;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod types;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod wasm;

pub use abi::{CalendarRefusal, CallRefusal, Entry, ScheduleRefusal, Unauthorized};
pub use message::{CallError, Channel, ContractError, CrossContract, MAX_MESSAGE_DEPTH, QueryTransport, Transport};
pub use portolan_sdk_macros::{Key, interface};
pub use types::{AccountId, Caller, ContractId, Currency, Day, Hash, MemberId, MemberStatus, Role};

/// What macros expand to; no part of the API.
#[doc(hidden)]
pub mod __private {
    pub use alloc::{format, vec::Vec};

    pub use crate::message::{decode, nothing, reply};
}
