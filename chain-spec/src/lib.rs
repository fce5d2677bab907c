//! The genesis file: what a consortium agrees on before its first block, as JSON, checked and turned into the runtime's
//! [`Genesis`].
//!
//! The file holds the chain secret, so it goes to the members' nodes and to nobody else. Must never fill in what the file
//! leaves open with something of its own: two readers of one file get one chain.

#![forbid(unsafe_code)]

mod calendar;
mod check;
mod code;
mod file;

pub use calendar::{CalendarFileError, demo_calendar, year_from_exceptions};
pub use check::{CheckedSpec, SpecError};
pub use code::{Artifact, CodeSource, built_in_contracts, code_hash};
pub use file::{
    AccountSpec, CalendarSpec, ChainSpec, ClockSpec, ContractSpec, KeySpec, KindSpec, MemberSpec, OffsetSpec,
    ParameterSpec, PersonSpec, PolicySpec, SPEC_VERSION, SpecReadError, TierSpec, ValidatorSpec, YearSpec,
};
pub use portolan_runtime::genesis::{Genesis, NetworkKind};
