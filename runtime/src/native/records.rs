//! The records that native modules keep: their form, and where each lies. Reading and writing goes through
//! [`Ledger`](crate::ledger::Ledger), so that execution, queries and checks share one way.
//!
//! Must never hold a rule: rules are in the modules that write.

use codec::{Decode, Encode};
use portolan_primitives::{
    AccountId, BusinessDate, Currency, Hash, Height, KeyId, MemberId, MemberStatus, PublicKey, Role, Timestamp,
    ValidatorSet,
};
use scale_info::TypeInfo;

use crate::native::Native;

/// Something that a native module keeps under an id.
pub trait Record: Encode + Decode {
    /// Whose record it is; only that module writes it (and genesis).
    const MODULE: Native;
    /// First byte of its keys; unique within the module.
    const PREFIX: u8;
    /// Whether it may be longer than one value of the state: then it lies in pieces, its id must be of fixed length, and
    /// it can't be listed.
    const LONG: bool = false;
    /// What it is found by. Lists are in the order of its SCALE form.
    type Id: Encode + Decode;
}

macro_rules! record {
    ($record:ty, $module:ident, $prefix:literal, $id:ty) => {
        impl Record for $record {
            const MODULE: Native = Native::$module;
            const PREFIX: u8 = $prefix;
            type Id = $id;
        }
    };
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Member {
    /// Its name on the chain, which its id comes from.
    pub name: String,
    /// Its name for people, 1 to 128 bytes.
    pub title: String,
    /// What it may do, ascending, unique.
    pub roles: Vec<Role>,
    /// Where it stands.
    pub status: MemberStatus,
    /// When it joined.
    pub since: Height,
}
record!(Member, Members, 1, MemberId);

/// A person of a member, by pseudonym. Two keys of one person count as one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Person {
    /// May prepare what another checks.
    pub maker: bool,
    /// May check what another prepared.
    pub checker: bool,
    /// Whether the person may act at all.
    pub active: bool,
}
record!(Person, Members, 2, PersonId);

/// A person: the member and the pseudonym in it (a [`portolan_primitives::id::is_name`]).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
pub struct PersonId {
    /// Whose person.
    pub member: MemberId,
    /// The pseudonym.
    pub name: String,
}

/// What a key is for. A key of one purpose is good for no other.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum KeyPurpose {
    /// Approves transactions, as this person (pseudonym).
    #[codec(index = 0)]
    User(String),
    /// Signs votes.
    #[codec(index = 1)]
    Validator,
    /// Identifies a node on the network.
    #[codec(index = 2)]
    Node,
}

/// A registered key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Key {
    /// The key.
    pub key: PublicKey,
    /// Whose.
    pub member: MemberId,
    /// What for.
    pub purpose: KeyPurpose,
    /// Valid from this block time on.
    pub valid_from: Timestamp,
    /// Not valid from this block time on.
    pub valid_until: Option<Timestamp>,
    /// Height of the block that revoked it; it counts in no later block.
    pub revoked: Option<Height>,
}
record!(Key, Members, 3, KeyId);

impl Key {
    /// Whether it counts in a block at this height and time.
    pub fn valid_at(&self, height: Height, time: Timestamp) -> bool {
        self.valid_from <= time
            && self.valid_until.is_none_or(|until| time < until)
            && self.revoked.is_none_or(|revoked| height <= revoked)
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Account {
    /// Whose.
    pub member: MemberId,
    /// Its name within the member.
    pub name: String,
    /// Who must approve what.
    pub policy: Policy,
    /// Counts the changes of the policy, from 1.
    pub policy_version: u32,
    /// Whether it is closed: then it sends and authorises nothing.
    pub closed: bool,
}
record!(Account, Members, 4, AccountId);

/// The same accounts under their member, for lists: `(member, account) -> ()`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AccountOfMember;
record!(AccountOfMember, Members, 5, (MemberId, AccountId));

/// The same keys under their member, for lists.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct KeyOfMember;
record!(KeyOfMember, Members, 6, (MemberId, KeyId));

/// Who must approve what an account does.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Policy {
    /// Pseudonyms of the persons who count; all active persons of the member if empty. Ascending, unique, at most 64.
    pub persons: Vec<String>,
    /// The first tier that fits decides; 1 to 32. An amount that fits none is refused.
    pub tiers: Vec<Tier>,
}

impl Policy {
    /// Any `count` persons of the member, for any amount.
    pub fn any(count: u8) -> Self {
        Self {
            persons: vec![],
            tiers: vec![Tier { currency: None, up_to: None, persons: count, maker_checker: false }],
        }
    }
}

/// How many persons for how much.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Tier {
    /// The currency that it is for; any if none.
    pub currency: Option<Currency>,
    /// Largest sum of the business day in that currency, minor units, this act included; any if none.
    pub up_to: Option<i128>,
    /// Different persons that must approve, 1 to 16.
    pub persons: u8,
    /// Whether a maker and another person who is a checker must be among them.
    pub maker_checker: bool,
}

/// What an account has authorised on a business day, by currency. Kept only where a tier is bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct DaySums {
    /// The business date that the sums are of.
    pub date: BusinessDate,
    /// Sums, ascending by currency.
    pub sums: Vec<(Currency, i128)>,
}
record!(DaySums, Members, 7, AccountId);

/// The validator sets: the one in force, and those that take effect at a named height.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Validators {
    /// In force from here on, until the first of `pending`.
    pub current: ValidatorSet,
    /// Later sets: the first height that each certifies, ascending.
    pub pending: Vec<(Height, ValidatorSet)>,
}
record!(Validators, Governance, 1, ());

impl Validators {
    /// The set that certifies the block at `height`.
    pub fn at(&self, height: Height) -> &ValidatorSet {
        let in_force = self.pending.iter().rev().find(|(from, _)| *from <= height);
        in_force.map_or(&self.current, |(_, set)| set)
    }
}

/// A governed parameter: SCALE of its value. Chain parameters are in [`crate::parameters`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Parameter(pub Vec<u8>);
record!(Parameter, Parameters, 1, String);

/// A calendar: which years it covers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Calendar {
    /// Years, ascending, unique.
    pub years: Vec<u16>,
}
record!(Calendar, Calendar, 1, String);

/// The days of one year of a calendar. Found by (calendar, year).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct YearDays {
    /// The year, 1 to 9999.
    pub year: u16,
    /// Guessed, not official: counts as covered on a devnet only.
    pub provisional: bool,
    /// Bit `day of year` (0 for 1 January; bit `n` is `open[n / 8] >> (n % 8) & 1`) is 1 on an open day. 46 bytes.
    pub open: [u8; 46],
}
record!(YearDays, Calendar, 2, (String, u16));

impl YearDays {
    /// A year without an open day.
    pub fn closed(year: u16) -> Self {
        Self { year, provisional: false, open: [0; 46] }
    }

    /// Whether `date` is open; `None` if it is of another year.
    pub fn is_open(&self, date: BusinessDate) -> Option<bool> {
        let index = self.day_of_year(date)?;
        Some(self.open[index / 8] >> (index % 8) & 1 == 1)
    }

    /// Opens or closes `date`, if it is of this year.
    pub fn set(&mut self, date: BusinessDate, open: bool) {
        let Some(index) = self.day_of_year(date) else { return };
        let bit = 1 << (index % 8);
        if open {
            self.open[index / 8] |= bit;
        } else {
            self.open[index / 8] &= !bit;
        }
    }

    fn day_of_year(&self, date: BusinessDate) -> Option<usize> {
        let first = BusinessDate::from_civil(i32::from(self.year), 1, 1)?;
        let index = date.0.checked_sub(first.0)?;
        (date.civil().0 == i32::from(self.year)).then_some(index as usize)
    }
}

/// A contract instance.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Instance {
    /// Its name, which its id comes from.
    pub name: String,
    /// Hash of its code.
    pub code: Hash,
    /// Counts deployments and upgrades, from 1.
    pub version: u32,
    /// Height of the last one.
    pub since: Height,
}
record!(Instance, Contracts, 1, portolan_primitives::ContractId);

/// The wasm module under its hash.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Code(pub Vec<u8>);
impl Record for Code {
    const MODULE: Native = Native::Contracts;
    const PREFIX: u8 = 2;
    const LONG: bool = true;
    type Id = Hash;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_knows_its_open_days_and_no_others() {
        let date = |text: &str| text.parse::<BusinessDate>().unwrap();
        let mut year = YearDays::closed(2024);
        year.set(date("2024-02-29"), true);
        year.set(date("2024-12-31"), true);
        year.set(date("2025-01-01"), true);
        assert_eq!(year.is_open(date("2024-02-29")), Some(true));
        assert_eq!(year.is_open(date("2024-12-31")), Some(true));
        assert_eq!(year.is_open(date("2024-03-01")), Some(false));
        assert_eq!(year.is_open(date("2025-01-01")), None);
        assert_eq!(year.is_open(date("2023-12-31")), None);
        year.set(date("2024-02-29"), false);
        assert_eq!(year.is_open(date("2024-02-29")), Some(false));
    }

    #[test]
    fn a_key_counts_between_its_dates_and_up_to_the_block_that_revokes_it() {
        let mut key = Key {
            key: PublicKey::Ed25519([1; 32]),
            member: MemberId([1; 16]),
            purpose: KeyPurpose::Node,
            valid_from: Timestamp(10),
            valid_until: Some(Timestamp(20)),
            revoked: None,
        };
        let at = |key: &Key, height, time| key.valid_at(Height(height), Timestamp(time));
        assert!(!at(&key, 1, 9) && at(&key, 1, 10) && at(&key, 1, 19) && !at(&key, 1, 20));
        key.revoked = Some(Height(5));
        assert!(at(&key, 5, 15) && !at(&key, 6, 15));
    }

    #[test]
    fn a_validator_set_is_in_force_from_its_height_on() {
        let set = |power| {
            let member = MemberId([1; 16]);
            ValidatorSet::new(vec![portolan_primitives::Validator { member, key: PublicKey::Ed25519([1; 32]), power }])
        };
        let validators = Validators { current: set(1), pending: vec![(Height(5), set(2)), (Height(9), set(3))] };
        for (height, power) in [(1, 1), (4, 1), (5, 2), (8, 2), (9, 3), (100, 3)] {
            assert_eq!(validators.at(Height(height)), &set(power), "height {height}");
        }
    }
}
