//! The file's form. Unknown fields are refused: a misspelt one must not silently mean its default.

use std::collections::BTreeMap;
use std::path::Path;

use portolan_primitives::{BusinessDate, Currency, Hash, PublicKey, Role, Timestamp};
use serde::{Deserialize, Serialize};

/// Version of this format.
pub const SPEC_VERSION: u8 = 1;
/// Largest file, bytes.
pub const MAX_SPEC_BYTES: u64 = 16 * 1024 * 1024;

/// Why a file is no chain-spec.
#[derive(Debug, thiserror::Error)]
pub enum SpecReadError {
    /// Not readable.
    #[error("can't read the chain-spec `{path}`: {source}; name another with --spec")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Larger than any chain-spec.
    #[error("the chain-spec has {0} bytes; at most 16 MiB are read")]
    TooLarge(u64),
    /// Not of the form.
    #[error("the chain-spec is not of the form that this version reads: {0}")]
    Form(#[from] serde_json::Error),
    /// Of another version.
    #[error("the chain-spec has version {0}; this program reads version 1")]
    Version(u8),
}

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainSpec {
    /// [`SPEC_VERSION`].
    pub version: u8,
    /// Name of the network.
    pub network: String,
    /// `production` or `devnet`.
    pub kind: KindSpec,
    /// Time of the genesis header, ms since 1970.
    pub time: Timestamp,
    /// How the business date moves.
    pub clock: ClockSpec,
    /// 32 random bytes in hex, which only the members' nodes may know.
    pub secret: Hash,
    /// The organisations.
    pub members: Vec<MemberSpec>,
    /// Governed parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, ParameterSpec>,
    /// Business calendars.
    pub calendars: Vec<CalendarSpec>,
    /// Contracts, in the order of their instantiation.
    pub contracts: Vec<ContractSpec>,
}

/// Whether money and claims are real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KindSpec {
    /// Real business.
    Production,
    /// To try things on.
    Devnet,
}

/// How the business date moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClockSpec {
    /// Real days in a zone.
    Real {
        /// Its name, for people.
        zone: String,
        /// Its offsets from UTC, ascending.
        offsets: Vec<OffsetSpec>,
    },
    /// Devnet only: stands at a date and moves by command.
    Steered {
        /// The first business date.
        start: BusinessDate,
        /// How long a day takes while it moves, ms.
        day_length_ms: u64,
    },
}

/// From when on a zone is how far from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OffsetSpec {
    /// First moment, ms since 1970.
    pub from: Timestamp,
    /// Seconds east of UTC.
    pub seconds: i32,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberSpec {
    /// Its name on the chain.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Its validator, if it runs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator: Option<ValidatorSpec>,
    /// Keys by which its nodes are known on the network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub node_keys: Vec<PublicKey>,
    /// Its persons, by pseudonym.
    pub persons: Vec<PersonSpec>,
    /// Its accounts; one must be `admin`.
    pub accounts: Vec<AccountSpec>,
}

/// A validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorSpec {
    /// Consensus key.
    pub key: PublicKey,
    /// Voting power.
    pub power: u64,
}

/// A person, by pseudonym.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonSpec {
    /// The pseudonym.
    pub name: String,
    /// May prepare.
    pub maker: bool,
    /// May check.
    pub checker: bool,
    /// The person's keys.
    pub keys: Vec<KeySpec>,
}

/// A person's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    /// The key.
    pub key: PublicKey,
    /// Not valid from here on, ms since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSpec {
    /// Its name within the member.
    pub name: String,
    /// Who must approve what.
    pub policy: PolicySpec,
}

/// Who must approve what an account does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySpec {
    /// Pseudonyms of those who count; all of the member if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub persons: Vec<String>,
    /// The first tier that fits decides.
    pub tiers: Vec<TierSpec>,
}

/// How many persons for how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierSpec {
    /// The currency; any if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Largest sum of a business day in minor units, as text; any if left out.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "minor_text")]
    pub up_to: Option<i128>,
    /// Different persons that must approve.
    pub persons: u8,
    /// Whether a maker and another person who is a checker must be among them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub maker_checker: bool,
}

/// A parameter's value: a number for the chain's own and for those that contracts read as `i128`, or SCALE bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ParameterSpec {
    /// A whole number of 8 bytes.
    U64(u64),
    /// A whole number of 16 bytes with sign, as text.
    I128(String),
    /// SCALE in hex.
    Scale(String),
}

/// A calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarSpec {
    /// Its name.
    pub name: String,
    /// The years that it covers.
    pub years: Vec<YearSpec>,
}

/// A year: Monday to Friday open, weekends closed, but for these days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YearSpec {
    /// The year.
    pub year: u16,
    /// A guess that counts on a devnet only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub provisional: bool,
    /// Weekdays without business.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<BusinessDate>,
    /// Weekend days with business.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<BusinessDate>,
}

/// A contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractSpec {
    /// Name of the instance.
    pub name: String,
    /// [`crate::code_hash`] of the module, which lies in `contracts/` beside the file or is one that this program brings.
    pub code_hash: Hash,
    /// SCALE of its instantiate message in hex; empty if it takes none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instantiate: String,
}

impl ChainSpec {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, SpecReadError> {
        let io = |source| SpecReadError::Io { path: path.display().to_string(), source };
        let size = std::fs::metadata(path).map_err(io)?.len();
        if size > MAX_SPEC_BYTES {
            return Err(SpecReadError::TooLarge(size));
        }
        Self::parse(&std::fs::read_to_string(path).map_err(io)?)
    }

    /// Reads the file's text.
    pub fn parse(text: &str) -> Result<Self, SpecReadError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u8,
        }
        if text.len() as u64 > MAX_SPEC_BYTES {
            return Err(SpecReadError::TooLarge(text.len() as u64));
        }
        let Versioned { version } = serde_json::from_str(text)?;
        if version != SPEC_VERSION {
            return Err(SpecReadError::Version(version));
        }
        Ok(serde_json::from_str(text)?)
    }

    /// The file's text.
    pub fn render(&self) -> String {
        // No map with keys other than text and no number that JSON lacks: serialising can't fail.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{text}\n")
    }
}

/// `i128` as text: it does not fit a JSON number.
mod minor_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &Option<i128>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(minor) => serializer.collect_str(minor),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i128>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(|_| D::Error::custom(format!("`{text}` is no whole number")))).transpose()
    }
}
