//! The one place where the tools read the clock and draw random bytes.

#![allow(clippy::disallowed_methods)] // The tools live outside consensus: their clock and salts come from the system.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portolan_primitives::Timestamp;

/// The system's clock, ms since 1970. A clock before 1970 reads as 0, and every node will refuse what is made with it.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_millis().try_into().unwrap_or(u64::MAX))
}

/// `now` and a span.
pub fn after(span: Duration) -> Timestamp {
    Timestamp(now().0.saturating_add(span.as_millis().try_into().unwrap_or(u64::MAX)))
}

/// Random bytes from the system.
pub fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A pause between two questions to a process that offers no event to wait for.
pub fn pause(span: Duration) {
    std::thread::sleep(span);
}
