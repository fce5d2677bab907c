//! The salts of state leaves: without the chain's secret nobody can guess a value from its leaf.

use portolan_primitives::hash::{Domain, Hash, hash, keyed_hash};
use zeroize::ZeroizeOnDrop;

/// The key under which salts are made; wiped when dropped, never printed.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SaltKey([u8; 32]);

impl SaltKey {
    /// The salt key of a chain.
    pub fn derive(chain_secret: &[u8]) -> Self {
        Self(hash(Domain::SecretStateSalt, chain_secret).0)
    }

    /// The salt of `value` under `key`: `length of key (u32, little endian) ‖ key ‖ value`, hashed under this key.
    pub fn salt(&self, key: &[u8], value: &[u8]) -> Hash {
        keyed_hash(&self.0, &[&(key.len() as u32).to_le_bytes(), key, value])
    }

    /// Tells one salt key from another without giving it away.
    pub(crate) fn fingerprint(&self) -> Hash {
        keyed_hash(&self.0, &[b"fingerprint of the salt key"])
    }
}

impl std::fmt::Debug for SaltKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SaltKey(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_is_of_its_secret_key_and_value() {
        let salts = SaltKey::derive(b"secret");
        assert_eq!(salts.salt(b"k", b"v"), SaltKey::derive(b"secret").salt(b"k", b"v"));
        assert_ne!(salts.salt(b"k", b"v"), SaltKey::derive(b"other").salt(b"k", b"v"));
        assert_ne!(salts.salt(b"k", b"v"), salts.salt(b"kv", b""));
    }

    #[test]
    fn the_secret_never_prints() {
        assert_eq!(format!("{:?}", SaltKey::derive(b"secret")), "SaltKey(secret)");
    }
}
