//! What a chain begins with, as plain data: chain-spec reads it from a file and checks it, the runtime turns it into state.
//!
//! The hash of its SCALE form is the chain's identity (`chain` in headers and transactions). Must never know of files.

use codec::{Decode, Encode};
use portolan_primitives::hash::hash_encoded;
use portolan_primitives::{BusinessDate, Domain, Hash, PublicKey, Role, Timestamp};

use crate::native::records::{Policy, YearDays};

/// Version of this format.
pub const GENESIS_VERSION: u8 = 1;

/// The beginning of a chain. Lists are in the order of the file; every name is a [`portolan_primitives::id::is_name`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Genesis {
    /// [`GENESIS_VERSION`].
    pub version: u8,
    /// Name of the network.
    pub network: String,
    /// Whether money and claims on it are real.
    pub kind: NetworkKind,
    /// Time of header 0.
    pub time: Timestamp,
    /// How the business date moves.
    pub clock: BusinessClock,
    /// The organisations.
    pub members: Vec<GenesisMember>,
    /// The first validators, one a member at most.
    pub validators: Vec<GenesisValidator>,
    /// Keys by which nodes know each other on the network.
    pub node_keys: Vec<GenesisNodeKey>,
    /// Natural persons of the members, by pseudonym.
    pub persons: Vec<GenesisPerson>,
    /// Keys that approve transactions.
    pub user_keys: Vec<GenesisUserKey>,
    /// The accounts.
    pub accounts: Vec<GenesisAccount>,
    /// Parameters that differ from their defaults, and those that contracts read.
    pub parameters: Vec<GenesisParameter>,
    /// Business calendars.
    pub calendars: Vec<GenesisCalendar>,
    /// Contracts, instantiated in this order.
    pub contracts: Vec<GenesisContract>,
    /// [`crate::ChainSecret::commitment`] of the secret that the members' nodes hold.
    pub secret_commitment: Hash,
}

impl Genesis {
    /// The chain's identity.
    pub fn chain(&self) -> Hash {
        hash_encoded(Domain::Genesis, self)
    }
}

/// Whether money and claims are real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, scale_info::TypeInfo)]
pub enum NetworkKind {
    /// Real business: real days, official calendars.
    #[codec(index = 0)]
    Production,
    /// A network to try things on: its days may be short and steered, provisional calendar days count.
    #[codec(index = 1)]
    Devnet,
}

/// How the business date moves.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, scale_info::TypeInfo)]
pub enum BusinessClock {
    /// The day of the block's time in a zone.
    #[codec(index = 0)]
    Real(Zone),
    /// Devnet only: stands at a date, and moves by call `AdvanceTo` of the native module `clock`.
    #[codec(index = 1)]
    Steered {
        /// The first business date.
        start: BusinessDate,
        /// Block time that one day takes while the clock moves, ms, at least 1.
        day_length_ms: u64,
    },
}

/// A zone as explicit data, so that no node asks its own machine.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, scale_info::TypeInfo)]
pub struct Zone {
    /// Its name, such as `Asia/Shanghai`; for people.
    pub name: String,
    /// Offsets, ascending by `from`; the first is at or before the genesis time.
    pub offsets: Vec<ZoneOffset>,
}

/// From when on a zone is how far from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, scale_info::TypeInfo)]
pub struct ZoneOffset {
    /// First moment.
    pub from: Timestamp,
    /// Seconds east of UTC, at most 18 hours either way.
    pub seconds: i32,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GenesisMember {
    /// Its name on the chain, which its id comes from.
    pub name: String,
    /// Its name for people, 1 to 128 bytes.
    pub title: String,
    /// What it may do.
    pub roles: Vec<Role>,
}

/// A validator.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GenesisValidator {
    /// Name of the member.
    pub member: String,
    /// Consensus key.
    pub key: PublicKey,
    /// Voting power, at least 1.
    pub power: u64,
}

/// A node's network key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GenesisNodeKey {
    /// Name of the member.
    pub member: String,
    /// The key of the node's network identity.
    pub key: PublicKey,
}

/// A natural person, by a pseudonym: no personal data reaches the chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GenesisPerson {
    /// Name of the member.
    pub member: String,
    /// The pseudonym, unique within the member.
    pub person: String,
    /// May prepare what another checks.
    pub maker: bool,
    /// May check what another prepared.
    pub checker: bool,
}

/// A person's key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GenesisUserKey {
    /// Name of the member.
    pub member: String,
    /// Pseudonym of the person.
    pub person: String,
    /// The key.
    pub key: PublicKey,
    /// Not valid from here on.
    pub valid_until: Option<Timestamp>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GenesisAccount {
    /// Name of the member.
    pub member: String,
    /// Name of the account within the member.
    pub name: String,
    /// Who must approve what.
    pub policy: Policy,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GenesisParameter {
    /// Its name.
    pub name: String,
    /// SCALE of its value.
    pub value: Vec<u8>,
}

/// A calendar.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GenesisCalendar {
    /// Its name, such as `cn`.
    pub name: String,
    /// The years that it covers, each whole.
    pub years: Vec<YearDays>,
}

/// A contract.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GenesisContract {
    /// Name of the instance, which its id comes from.
    pub name: String,
    /// The wasm module.
    pub code: Vec<u8>,
    /// SCALE of its instantiate message; empty if it takes none.
    pub instantiate: Vec<u8>,
}
