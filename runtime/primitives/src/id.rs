//! Ids. Bytes inside, bech32m with the kind in front for people, so that a wrong kind or a typo is caught at once.
//!
//! Ids of named things (member, account, contract) are 16 bytes, the front of a hash of the name: registration refuses a
//! second thing with the same id. Ids of content are 32 bytes.

use bech32::{Bech32m, Hrp};
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::hash::{Domain, Hash, hash, hash_parts};

/// Why a text is not the id that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not bech32m, or a typo.
    #[error("`{0}` is not an id: its checksum does not fit; copy it again")]
    Malformed(String),
    /// Another kind of id.
    #[error("this is an id of kind `{found}`, where one of kind `{expected}` is needed")]
    WrongKind {
        /// The kind that is needed.
        expected: String,
        /// The kind that was given.
        found: String,
    },
    /// Right kind, wrong length.
    #[error("an id of kind `{kind}` has {expected} bytes, this one {found}")]
    WrongLength {
        /// The kind.
        kind: String,
        /// Bytes that it should have.
        expected: usize,
        /// Bytes that it has.
        found: usize,
    },
}

/// `bytes` as bech32m under the kind `kind` (lowercase letters).
pub fn to_text(kind: &str, bytes: &[u8]) -> String {
    // A kind that is no valid prefix can only come from a contract's metadata: show the bytes all the same.
    let fallback = || bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Hrp::parse(kind).ok().and_then(|hrp| bech32::encode::<Bech32m>(hrp, bytes).ok()).unwrap_or_else(fallback)
}

/// The `N` bytes of an id of kind `kind`.
pub fn from_text<const N: usize>(kind: &str, text: &str) -> Result<[u8; N], IdError> {
    let malformed = || IdError::Malformed(text.chars().take(100).collect());
    let checked = bech32::primitives::decode::CheckedHrpstring::new::<Bech32m>(text).map_err(|_| malformed())?;
    let found = checked.hrp().to_lowercase();
    if found != kind {
        return Err(IdError::WrongKind { expected: kind.into(), found });
    }
    let bytes: Vec<u8> = checked.byte_iter().collect();
    let found = bytes.len();
    bytes.try_into().map_err(|_| IdError::WrongLength { kind: kind.into(), expected: N, found })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, TypeInfo)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// The prefix of the text form.
            pub const KIND: &'static str = $kind;
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&to_text($kind, &self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                from_text($kind, text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
id!(
    /// An organisation of the consortium.
    MemberId, 16, "org"
);
id!(
    /// An account of a member: what holds claims and deposits, with a policy of approvals.
    AccountId, 16, "acct"
);
id!(
    /// A contract instance or a native module.
    ContractId, 16, "ctr"
);
id!(
    /// A public key with its scheme.
    KeyId, 32, "key"
);
id!(
    /// A transaction: the hash of its body, and its idempotency key.
    TransactionId, 32, "tx"
);
id!(
    /// An entry of the agenda.
    AgendaId, 32, "due"
);

fn front(hash: Hash) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.0[..16]);
    bytes
}

impl MemberId {
    /// The id of the member named `name`.
    pub fn from_name(name: &str) -> Self {
        Self(front(hash(Domain::Member, name.as_bytes())))
    }
}

impl AccountId {
    /// The id of the account `account` of the member `member`; people write `member/account`.
    pub fn from_name(member: &str, account: &str) -> Self {
        Self(front(hash_parts(Domain::Account, &[member.as_bytes(), b"/", account.as_bytes()])))
    }
}

impl ContractId {
    /// The id of the contract instance or native module named `name`.
    pub fn from_name(name: &str) -> Self {
        Self(front(hash(Domain::Contract, name.as_bytes())))
    }
}

/// Whether `name` may name a member, account, contract, calendar or parameter: 1 to 48 characters of `a-z 0-9 -`
/// (and `.` for parameters), beginning with a letter or digit.
pub fn is_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    (1..=48).contains(&name.len())
        && name.bytes().all(good)
        && name.as_bytes().first().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_names_the_kind_and_round_trips() {
        let id = MemberId::from_name("harbour-bank");
        assert!(id.to_string().starts_with("org1"));
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn another_kind_is_refused_by_name() {
        let text = MemberId::from_name("harbour-bank").to_string();
        assert_eq!(text.parse::<AccountId>(), Err(IdError::WrongKind { expected: "acct".into(), found: "org".into() }));
    }

    #[test]
    fn every_single_typo_is_caught() {
        let text = TransactionId([7; 32]).to_string();
        for position in 3..text.len() {
            let mut typo = text.clone().into_bytes();
            typo[position] = if typo[position] == b'q' { b'p' } else { b'q' };
            assert!(String::from_utf8(typo).unwrap().parse::<TransactionId>().is_err(), "position {position}");
        }
    }

    #[test]
    fn a_wrong_length_is_refused_by_name() {
        let text = to_text("org", &[1; 15]);
        assert_eq!(text.parse::<MemberId>(), Err(IdError::WrongLength { kind: "org".into(), expected: 16, found: 15 }));
    }

    #[test]
    fn names_are_plain() {
        for good in ["a", "harbour-bank", "tier-2", "9", "gas.block"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-a", "A", "a/b", "ä", "a b", &"a".repeat(49)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
