//! The smallest whole contract: a counter for every account, with a limit that its instance is created with.
#![cfg_attr(target_arch = "wasm32", no_std)]

use codec::{Decode, Encode};
use portolan_sdk::{AccountId, Unauthorized, ensure, env, storage};
use scale_info::TypeInfo;

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum CounterError {
    /// The sender's policy does not allow it.
    #[codec(index = 0)]
    Unauthorized(Unauthorized),
    /// The count would exceed the limit.
    #[codec(index = 1)]
    AboveLimit { limit: u64 },
    /// Only accounts count.
    #[codec(index = 2)]
    NoAccount,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum CounterEvent {
    /// An account counted.
    #[codec(index = 0)]
    Counted { account: AccountId, count: u64 },
}

/// Counts, for each account, up to a limit.
#[portolan_sdk::interface(name = "counter", error = CounterError, event = CounterEvent)]
pub trait Counter {
    /// Sets the limit.
    #[instantiate]
    fn instantiate(&mut self, limit: u64) -> Result<(), CounterError>;

    /// Adds to the sender's count; answers the new count.
    #[call(index = 0)]
    fn add(&mut self, by: u64) -> Result<u64, CounterError>;

    /// An account's count.
    #[query(index = 0, path = "/counters/{account}")]
    fn count(&self, account: AccountId) -> Result<u64, CounterError>;
}

storage! {
    0 => LIMIT: Item<u64>;
    1 => COUNTS: Map<AccountId, u64>;
}

struct Counting;

impl Counter for Counting {
    fn instantiate(&mut self, limit: u64) -> Result<(), CounterError> {
        LIMIT.set(&limit);
        Ok(())
    }

    fn add(&mut self, by: u64) -> Result<u64, CounterError> {
        let account = env::caller().account().ok_or(CounterError::NoAccount)?;
        env::authorize(account, "count", *b"XXX", 0).map_err(CounterError::Unauthorized)?;
        let limit = LIMIT.get().unwrap_or_default();
        let count = COUNTS.get(&account).unwrap_or_default().saturating_add(by);
        ensure!(count <= limit, CounterError::AboveLimit { limit });
        COUNTS.set(&account, &count);
        counter::emit(&CounterEvent::Counted { account, count });
        Ok(count)
    }

    fn count(&self, account: AccountId) -> Result<u64, CounterError> {
        Ok(COUNTS.get(&account).unwrap_or_default())
    }
}

portolan_sdk::export!(Counting, counter);
