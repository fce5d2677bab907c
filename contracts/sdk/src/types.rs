//! The words that contracts share with the chain: ids, callers, roles. Their SCALE form equals `portolan_primitives`'
//! (a conformance test holds the two together); they live here so that no signature library is linked into a contract.

use codec::{Decode, Encode};
use scale_info::TypeInfo;

macro_rules! bytes_type {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
        pub struct $name(pub [u8; $len]);

        impl From<[u8; $len]> for $name {
            fn from(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }
        }

        impl From<$name> for [u8; $len] {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
    };
}

bytes_type!(
    /// An account of a member.
    AccountId, 16
);
bytes_type!(
    /// An organisation on the chain.
    MemberId, 16
);
bytes_type!(
    /// A contract's instance.
    ContractId, 16
);
bytes_type!(
    /// A BLAKE3-256 hash.
    Hash, 32
);
bytes_type!(
    /// An ISO 4217 code in capital letters, such as `CNY`.
    Currency, 3
);

/// Days since 1970-01-01 in the zone that the calendar names.
pub type Day = i32;

/// Context of the contract ids, which the interface macro knows too.
#[cfg(not(target_arch = "wasm32"))]
const CONTRACT_ID_CONTEXT: &str = "portolan 2026 contract id v1";

#[cfg(not(target_arch = "wasm32"))]
impl ContractId {
    /// The id of the instance with this name; an interface's `CONTRACT` is the same, computed when it is compiled.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let hash = blake3::derive_key(CONTRACT_ID_CONTEXT, name.as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        Self(id)
    }
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
pub enum Caller {
    /// The sender of the transaction; in a query, the reader.
    #[codec(index = 0)]
    Account(AccountId),
    /// Another contract; the contract itself when the agenda calls.
    #[codec(index = 1)]
    Contract(ContractId),
    /// The node's operator, in queries only.
    #[codec(index = 2)]
    Operator,
}

impl Caller {
    /// The account, if one calls.
    #[must_use]
    pub const fn account(self) -> Option<AccountId> {
        match self {
            Self::Account(account) => Some(account),
            Self::Contract(_) | Self::Operator => None,
        }
    }

    /// The contract, if one calls.
    #[must_use]
    pub const fn contract(self) -> Option<ContractId> {
        match self {
            Self::Contract(contract) => Some(contract),
            Self::Account(_) | Self::Operator => None,
        }
    }
}

/// What a member does on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
#[allow(missing_docs)]
pub enum Role {
    #[codec(index = 0)]
    Bank,
    #[codec(index = 1)]
    CoreEnterprise,
    #[codec(index = 2)]
    Supplier,
    #[codec(index = 3)]
    Logistics,
    #[codec(index = 4)]
    Customs,
    #[codec(index = 5)]
    Platform,
    #[codec(index = 6)]
    Auditor,
    #[codec(index = 7)]
    Regulator,
    #[codec(index = 8)]
    Insurer,
    #[codec(index = 9)]
    RiskProvider,
}

impl Role {
    /// The codec index, which the host knows the role by.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Bank => 0,
            Self::CoreEnterprise => 1,
            Self::Supplier => 2,
            Self::Logistics => 3,
            Self::Customs => 4,
            Self::Platform => 5,
            Self::Auditor => 6,
            Self::Regulator => 7,
            Self::Insurer => 8,
            Self::RiskProvider => 9,
        }
    }
}

/// Where a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
pub enum MemberStatus {
    /// In good standing.
    #[codec(index = 1)]
    Active,
    /// May finish what it began, and begin nothing new.
    #[codec(index = 2)]
    Restricted,
    /// May do nothing.
    #[codec(index = 3)]
    Frozen,
    /// No longer a member.
    #[codec(index = 4)]
    Left,
}

impl MemberStatus {
    /// The codec index, which the host gives; 0 there means that no such member exists.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Active => 1,
            Self::Restricted => 2,
            Self::Frozen => 3,
            Self::Left => 4,
        }
    }

    /// The status with that code; none for 0 and for codes that a later chain may know.
    #[must_use]
    pub const fn from_code(code: i32) -> Option<Self> {
        match code {
            1 => Some(Self::Active),
            2 => Some(Self::Restricted),
            3 => Some(Self::Frozen),
            4 => Some(Self::Left),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_codec_indices() {
        const ROLES: [Role; 10] = [
            Role::Bank,
            Role::CoreEnterprise,
            Role::Supplier,
            Role::Logistics,
            Role::Customs,
            Role::Platform,
            Role::Auditor,
            Role::Regulator,
            Role::Insurer,
            Role::RiskProvider,
        ];
        for (index, role) in ROLES.into_iter().enumerate() {
            assert_eq!(role.encode(), [role.code()]);
            assert_eq!(usize::from(role.code()), index);
        }
        for status in [MemberStatus::Active, MemberStatus::Restricted, MemberStatus::Frozen, MemberStatus::Left] {
            assert_eq!(status.encode(), [status.code()]);
            assert_eq!(MemberStatus::from_code(i32::from(status.code())), Some(status));
        }
        assert_eq!(MemberStatus::from_code(0), None);
    }

    #[test]
    fn the_longest_caller_has_seventeen_bytes() {
        let callers = [Caller::Account(AccountId([1; 16])), Caller::Contract(ContractId([2; 16])), Caller::Operator];
        assert_eq!(callers.iter().map(|caller| caller.encode().len()).max(), Some(crate::abi::CALLER_BYTES));
    }
}
