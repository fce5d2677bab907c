//! Native modules: what contracts depend on and the chain itself must understand. They are addressed like contracts, answer
//! with the same kinds of errors and describe themselves with the same metadata.
//!
//! A module sees the world through [`Context`]: typed records, who acts, the block's facts, events, calls of others. Must never
//! read anything else: no clock, no disk, no other module's writes.

pub mod agenda;
pub mod calendar;
pub mod clock;
pub mod contracts;
pub mod governance;
pub mod members;
pub mod parameters;
pub mod records;

mod context;

use std::sync::LazyLock;

use codec::Encode;
pub use context::{Approver, CallAnswer, Context, Sender};
use portolan_primitives::{ContractId, DecodeError, decode_whole};
use portolan_sdk::ContractError;
use portolan_sdk::metadata::ContractMetadata;
use portolan_vm::HostFault;

macro_rules! natives {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The native modules.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Native { $($(#[$doc])* $variant,)* }

        impl Native {
            /// All of them.
            pub const ALL: &'static [Native] = &[$(Native::$variant,)*];

            /// The name, which the id comes from.
            pub fn name(self) -> &'static str {
                match self { $(Native::$variant => $name,)* }
            }
        }
    };
}

natives! {
    /// Organisations, persons, keys, accounts.
    Members = "members",
    /// Proposals and validator sets.
    Governance = "governance",
    /// Business days.
    Calendar = "calendar",
    /// What falls due.
    Agenda = "agenda",
    /// Code and instances.
    Contracts = "contracts",
    /// The business date.
    Clock = "clock",
    /// Governed parameters.
    Parameters = "parameters",
}

static IDS: LazyLock<Vec<ContractId>> =
    LazyLock::new(|| Native::ALL.iter().map(|native| ContractId::from_name(native.name())).collect());

impl Native {
    /// The id that calls name.
    pub fn id(self) -> ContractId {
        // `ALL` is in the order of declaration, so a variant's number is its place.
        IDS[self as usize]
    }

    /// The module under `id`.
    pub fn from_id(id: ContractId) -> Option<Self> {
        IDS.iter().zip(Self::ALL).find(|(known, _)| **known == id).map(|(_, native)| *native)
    }

    /// Its code.
    pub fn module(self) -> &'static dyn NativeModule {
        match self {
            Self::Members => &members::Members,
            Self::Governance => &governance::Governance,
            Self::Calendar => &calendar::Calendar,
            Self::Agenda => &agenda::Agenda,
            Self::Contracts => &contracts::Contracts,
            Self::Clock => &clock::Clock,
            Self::Parameters => &parameters::Parameters,
        }
    }
}

/// Why a native module gave no output.
#[derive(Debug)]
pub enum NativeError {
    /// It refused: SCALE of [`ContractError`] of its own error, as a contract's.
    Refused(Vec<u8>),
    /// The gas does not suffice.
    OutOfGas,
    /// A record would be longer than a value of the state may be: the call ends like a trap. Modules bound their records, so
    /// that nobody meets this.
    TooLarge,
    /// The host itself failed: the block halts.
    Fault(HostFault),
}

impl NativeError {
    /// A refusal with the module's typed error.
    pub fn refused<E: Encode>(error: E) -> Self {
        Self::Refused(ContractError::Contract(error).encode())
    }

    /// The input is no message of the module.
    pub fn bad_message() -> Self {
        Self::Refused(ContractError::<()>::BadMessage.encode())
    }
}

impl From<HostFault> for NativeError {
    fn from(fault: HostFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<DecodeError> for NativeError {
    fn from(_: DecodeError) -> Self {
        Self::bad_message()
    }
}

/// Output of a native module, or why there is none.
pub type NativeResult<T> = Result<T, NativeError>;

/// One native module. Calls are undone by the caller when they fail, so an error may be returned at any place.
pub trait NativeModule: Send + Sync {
    /// Its messages, questions, errors and events.
    fn metadata(&self) -> ContractMetadata;
    /// Runs the message in `input`; the output is SCALE of its value.
    fn call(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>>;
    /// Answers the question in `input`; writing through `context` is a fault.
    fn query(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>>;
}

/// The message or question in `input`, whole.
pub fn decode_message<T: codec::Decode>(input: &[u8]) -> NativeResult<T> {
    Ok(decode_whole("message", input, portolan_primitives::limits::MAX_NATIVE_INPUT)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_is_found_by_the_id_of_its_name() {
        for native in Native::ALL {
            assert_eq!(native.id(), ContractId::from_name(native.name()));
            assert_eq!(Native::from_id(native.id()), Some(*native));
        }
        assert_eq!(Native::from_id(ContractId::from_name("receivable")), None);
    }
}
