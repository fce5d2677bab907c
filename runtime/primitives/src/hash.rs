//! BLAKE3-256 with one domain-separation context per use. The list of contexts is here and nowhere else.

use std::sync::LazyLock;

use blake3::hazmat::{HasherExt, hash_derive_key_context};
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// A BLAKE3-256 hash. People see lowercase hex.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, TypeInfo)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// All zero: the parent of the first block, and "nothing" where a format says so.
    pub const ZERO: Hash = Hash([0; 32]);

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

macro_rules! domains {
    ($($(#[$doc:meta])* $name:ident = $context:literal,)*) => {
        /// What a hash is of. Two uses never share a context, so no value of one can pass for one of another.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Domain { $($(#[$doc])* $name,)* }

        impl Domain {
            /// Every domain, in the order of declaration.
            pub const ALL: &'static [Domain] = &[$(Domain::$name,)*];

            /// The context string of BLAKE3's key derivation mode.
            pub fn context(self) -> &'static str {
                match self { $(Domain::$name => $context,)* }
            }
        }
    };
}

domains! {
    /// Genesis: the chain's identity.
    Genesis = "portolan 2026 genesis v1",
    /// Block header: the block's identity, and what validators sign.
    Header = "portolan 2026 header v1",
    /// Transaction body: the transaction's identity.
    Transaction = "portolan 2026 transaction v1",
    /// Transaction with its approvals: what a block lists.
    Wire = "portolan 2026 wire v1",
    /// Commitment to a body's salt.
    Salt = "portolan 2026 salt v1",
    /// Salt of one call or event, from the body's salt.
    LeafSalt = "portolan 2026 leaf salt v1",
    /// One salted call.
    CallLeaf = "portolan 2026 call leaf v1",
    /// One salted event.
    EventLeaf = "portolan 2026 event leaf v1",
    /// One receipt.
    ReceiptLeaf = "portolan 2026 receipt leaf v1",
    /// Leaf of a list tree.
    ListLeaf = "portolan 2026 list leaf v1",
    /// Inner node of a list tree.
    ListInner = "portolan 2026 list inner v1",
    /// Root of a list tree with its count.
    ListRoot = "portolan 2026 list root v1",
    /// Validator set.
    Validators = "portolan 2026 validators v1",
    /// Public key: its id.
    Key = "portolan 2026 key v1",
    /// Member id from its name.
    Member = "portolan 2026 member id v1",
    /// Account id from its full name.
    Account = "portolan 2026 account id v1",
    /// Contract id from its name.
    Contract = "portolan 2026 contract id v1",
    /// Contract code.
    Code = "portolan 2026 contract code v1",
    /// Agenda entry id.
    Agenda = "portolan 2026 agenda entry v1",
    /// Governance proposal id.
    Proposal = "portolan 2026 governance proposal v1",
    /// State tree: the hash of a key.
    StateKey = "portolan 2026 state key v1",
    /// State tree: the salted hash of a value.
    StateValue = "portolan 2026 state value v1",
    /// State tree: a leaf.
    StateLeaf = "portolan 2026 state leaf v1",
    /// State tree: an inner node.
    StateInner = "portolan 2026 state inner v1",
    /// Plain fingerprint of an invoice.
    InvoiceFingerprint = "portolan 2026 invoice fingerprint v1",
    /// Derives the key that salts state leaves from the chain secret.
    SecretStateSalt = "portolan 2026 secret: state salt v1",
    /// Derives the key of `consortium_hash` from the chain secret.
    SecretConsortium = "portolan 2026 secret: consortium hash v1",
    /// Derives the key that salts the events of agenda entries from the chain secret.
    SecretAgendaSalt = "portolan 2026 secret: agenda event salt v1",
    /// A field commitment of a document.
    DocumentField = "portolan 2026 document field v1",
    /// A record in the consensus log or another file of the node: its checksum.
    Record = "portolan 2026 record checksum v1",
}

static CONTEXT_KEYS: LazyLock<Vec<[u8; 32]>> =
    LazyLock::new(|| Domain::ALL.iter().map(|domain| hash_derive_key_context(domain.context())).collect());

/// A hasher for `domain`, to be fed piecewise.
pub fn hasher(domain: Domain) -> blake3::Hasher {
    blake3::Hasher::new_from_context_key(&CONTEXT_KEYS[domain as usize])
}

/// Hash of `data` in `domain`.
pub fn hash(domain: Domain, data: &[u8]) -> Hash {
    hash_parts(domain, &[data])
}

/// Hash of the concatenation of `parts`; the caller makes sure that the concatenation is unambiguous.
pub fn hash_parts(domain: Domain, parts: &[&[u8]]) -> Hash {
    let mut hasher = hasher(domain);
    for part in parts {
        hasher.update(part);
    }
    Hash(*hasher.finalize().as_bytes())
}

/// Hash of the SCALE form of `value`.
pub fn hash_encoded<T: Encode + ?Sized>(domain: Domain, value: &T) -> Hash {
    value.using_encoded(|bytes| hash(domain, bytes))
}

/// Keyed BLAKE3, for what only the holders of `key` may be able to compute.
pub fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> Hash {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in parts {
        hasher.update(part);
    }
    Hash(*hasher.finalize().as_bytes())
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// A hash in text that is not 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 hexadecimal digits; this has {0} characters or another sign in it")]
pub struct HashTextError(usize);

impl std::str::FromStr for Hash {
    type Err = HashTextError;

    fn from_str(text: &str) -> Result<Self, HashTextError> {
        let error = || HashTextError(text.chars().count());
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(error());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_| error())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| error())?;
        }
        Ok(Hash(bytes))
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_hash_is_blake3_key_derivation() {
        for domain in Domain::ALL {
            assert_eq!(hash(*domain, b"x").0, blake3::derive_key(domain.context(), b"x"));
        }
    }

    #[test]
    fn no_two_domains_share_a_context() {
        let mut contexts: Vec<_> = Domain::ALL.iter().map(|domain| domain.context()).collect();
        contexts.sort_unstable();
        contexts.dedup();
        assert_eq!(contexts.len(), Domain::ALL.len());
    }

    #[test]
    fn text_form_round_trips_and_refuses_other_text() {
        let value = hash(Domain::Header, b"x");
        assert_eq!(value.to_string().parse(), Ok(value));
        assert!("".parse::<Hash>().is_err());
        assert!("+1".repeat(32).parse::<Hash>().is_err());
        assert!("zz".repeat(32).parse::<Hash>().is_err());
        assert!("é".repeat(32).parse::<Hash>().is_err());
    }
}
