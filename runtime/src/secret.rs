//! The chain secret: what only the nodes of full members hold. From it come the salts of state leaves and of agenda events, and
//! the key of `consortium_hash`. Must never be printed, encoded, or written into state.

use portolan_primitives::hash::keyed_hash;
use portolan_primitives::{AgendaId, Domain, Hash, hash};

/// 32 secret bytes, shared by the members' nodes and wiped when dropped.
pub struct ChainSecret {
    consortium: [u8; 32],
    agenda: [u8; 32],
}

/// What is hashed for the commitment; longer than what the same key hashes otherwise.
const COMMITMENT: &[u8] = b"commitment to the secret of this chain, named by its genesis";

impl ChainSecret {
    /// Of these bytes.
    pub fn new(secret: &[u8; 32]) -> Self {
        let derive = |domain| hash(domain, secret).0;
        Self { consortium: derive(Domain::SecretConsortium), agenda: derive(Domain::SecretAgendaSalt) }
    }

    /// What genesis names, so that a node with another secret is found out before it starts.
    pub fn commitment(&self) -> Hash {
        keyed_hash(&self.agenda, &[COMMITMENT])
    }

    /// The host function `consortium_hash`; a member's tool finds with it under which key the state has a fingerprint.
    pub fn consortium_hash(&self, data: &[u8]) -> Hash {
        keyed_hash(&self.consortium, &[data])
    }

    /// Salt of the events of an attempt at an agenda entry.
    pub(crate) fn agenda_salt(&self, id: &AgendaId, attempt: u32) -> Hash {
        keyed_hash(&self.agenda, &[&id.0, &attempt.to_le_bytes()])
    }
}

impl Drop for ChainSecret {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.consortium);
        zeroize::Zeroize::zeroize(&mut self.agenda);
    }
}

impl std::fmt::Debug for ChainSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChainSecret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_secret_has_another_commitment_and_other_hashes() {
        let (one, other) = (ChainSecret::new(&[1; 32]), ChainSecret::new(&[2; 32]));
        assert_ne!(one.commitment(), other.commitment());
        assert_ne!(one.consortium_hash(b"x"), other.consortium_hash(b"x"));
        assert_eq!(one.consortium_hash(b"x"), ChainSecret::new(&[1; 32]).consortium_hash(b"x"));
    }

    #[test]
    fn a_secret_never_prints() {
        assert_eq!(format!("{:?}", ChainSecret::new(&[7; 32])), "ChainSecret(hidden)");
    }
}
