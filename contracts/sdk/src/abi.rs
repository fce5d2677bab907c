//! The contract's side of host ABI v1. The table itself is `portolan-vm`'s `abi` module; a conformance test holds the codes
//! and limits of both together. Must never hold logic beyond reading a code.

use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// No value under that key or name.
#[cfg(target_arch = "wasm32")]
pub(crate) const ABSENT: i32 = -1;
/// SCALE length of the longest [`Caller`](crate::Caller).
#[cfg(any(target_arch = "wasm32", test))]
pub(crate) const CALLER_BYTES: usize = 17;

/// Custom section of a contract's module with its SCALE-encoded metadata.
pub const METADATA_SECTION: &str = "portolan_metadata";
/// Deepest chain of cross-contract calls, the top-level call being depth 1.
pub const MAX_CALL_DEPTH: u32 = 8;
/// Longest storage key within a contract, its prefix byte included.
pub const MAX_KEY_BYTES: usize = 128;
/// Longest storage value.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;
/// Longest input, output, error, event or agenda message.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Most events of one top-level call.
pub const MAX_EVENTS: u32 = 1_024;
/// Most bytes of all events of one top-level call.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;
/// Most entries of one storage scan.
pub const MAX_SCAN_ENTRIES: u32 = 256;

/// Why a contract is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Entry {
    /// A message of a transaction, of another contract, or of the agenda (then the caller is the contract itself).
    Call = 0,
    /// A question; nothing can be written.
    Query = 1,
    /// Once, when the instance is created.
    Instantiate = 2,
    /// Once after an upgrade, in the new code.
    Migrate = 3,
}

impl Entry {
    /// The entry with that code.
    #[must_use]
    pub const fn from_code(code: i32) -> Option<Self> {
        match code {
            0 => Some(Self::Call),
            1 => Some(Self::Query),
            2 => Some(Self::Instantiate),
            3 => Some(Self::Migrate),
            _ => None,
        }
    }
}

/// Why `authorize` was refused. The account's policy and the transaction's approvers decide, never the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[repr(i32)]
pub enum Unauthorized {
    /// Asked below a top-level call, by the agenda or in a query: nobody's signature leaks into a contract they happened to call.
    #[codec(index = 1)]
    NotTopLevel = 1,
    /// No such account.
    #[codec(index = 2)]
    UnknownAccount = 2,
    /// The account's member is frozen, or has left.
    #[codec(index = 3)]
    MemberNotActive = 3,
    /// Fewer different persons approved than the policy asks for this amount.
    #[codec(index = 4)]
    TooFewPersons = 4,
}

impl Unauthorized {
    /// Reads the host's code; one that this code does not know counts as refused.
    pub(crate) const fn from_code(code: i32) -> Result<(), Self> {
        match code {
            0 => Ok(()),
            2 => Err(Self::UnknownAccount),
            3 => Err(Self::MemberNotActive),
            4 => Err(Self::TooFewPersons),
            _ => Err(Self::NotTopLevel),
        }
    }
}

/// Why a cross-contract call did not return an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum CallRefusal {
    /// The callee reverted; its error comes with this.
    Reverted = -1,
    /// The callee trapped or ran out of the gas given to it.
    Failed = -2,
    /// No contract under that id.
    UnknownContract = -3,
    /// Deeper than [`MAX_CALL_DEPTH`].
    TooDeep = -4,
    /// The callee is already on the call stack.
    Reentrant = -5,
}

impl CallRefusal {
    /// Reads the host's negative code.
    #[cfg(any(target_arch = "wasm32", test))]
    pub(crate) const fn from_code(code: i32) -> Self {
        match code {
            -1 => Self::Reverted,
            -3 => Self::UnknownContract,
            -4 => Self::TooDeep,
            -5 => Self::Reentrant,
            _ => Self::Failed,
        }
    }
}

/// Why the agenda refused an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[repr(i32)]
pub enum ScheduleRefusal {
    /// `gas` is above what one block may use for the agenda.
    #[codec(index = 1)]
    GasAboveBlock = 1,
    /// The member's agenda quota is used up.
    #[codec(index = 2)]
    Quota = 2,
    /// The message is longer than [`MAX_MESSAGE_BYTES`].
    #[codec(index = 3)]
    TooLong = 3,
}

impl ScheduleRefusal {
    /// Reads the host's code; one that this code does not know counts as a refusal for want of quota.
    #[cfg(any(target_arch = "wasm32", test))]
    pub(crate) const fn from_code(code: i32) -> Result<(), Self> {
        match code {
            0 => Ok(()),
            1 => Err(Self::GasAboveBlock),
            3 => Err(Self::TooLong),
            _ => Err(Self::Quota),
        }
    }
}

/// Why a calendar gives no answer: asking about such a day is an error, never a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[repr(i32)]
pub enum CalendarRefusal {
    /// The day lies outside what the calendar covers (provisional days count as covered on a devnet only).
    #[codec(index = 1)]
    NotCovered = -1,
    /// No calendar of that name.
    #[codec(index = 2)]
    UnknownCalendar = -2,
}

impl CalendarRefusal {
    /// Reads the host's code: 1 open, 0 closed.
    pub(crate) const fn from_code(code: i32) -> Result<bool, Self> {
        match code {
            1 => Ok(true),
            0 => Ok(false),
            -2 => Err(Self::UnknownCalendar),
            _ => Err(Self::NotCovered),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_back_and_an_unknown_one_is_a_refusal() {
        use {CallRefusal as C, ScheduleRefusal as S, Unauthorized as U};
        for refusal in [U::NotTopLevel, U::UnknownAccount, U::MemberNotActive, U::TooFewPersons] {
            assert_eq!(U::from_code(refusal as i32), Err(refusal));
        }
        for refusal in [C::Reverted, C::Failed, C::UnknownContract, C::TooDeep, C::Reentrant] {
            assert_eq!(C::from_code(refusal as i32), refusal);
        }
        for refusal in [S::GasAboveBlock, S::Quota, S::TooLong] {
            assert_eq!(S::from_code(refusal as i32), Err(refusal));
        }
        for refusal in [CalendarRefusal::NotCovered, CalendarRefusal::UnknownCalendar] {
            assert_eq!(CalendarRefusal::from_code(refusal as i32), Err(refusal));
        }
        assert_eq!((U::from_code(0), S::from_code(0)), (Ok(()), Ok(())));
        assert_eq!((CalendarRefusal::from_code(1), CalendarRefusal::from_code(0)), (Ok(true), Ok(false)));
        assert!([-1, 5, i32::MAX].iter().all(|code| U::from_code(*code).is_err() && S::from_code(*code).is_err()));
        assert!([-3, 2, i32::MIN].iter().all(|code| CalendarRefusal::from_code(*code).is_err()));
        assert_eq!(C::from_code(i32::MIN), C::Failed);
    }
}
