//! A node's key as libp2p sees it, and back. The Noise handshake proves the key; what it may do is judged elsewhere.

use libp2p::identity::{self, PeerId};
use portolan_primitives::{PublicKey, SigningKey};
use zeroize::Zeroizing;

/// A key that libp2p does not take, or a peer id that is no Ed25519 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 key that the network can use")]
pub struct IdentityError;

/// The libp2p identity of a node's secret key.
pub fn keypair(key: &SigningKey) -> Result<identity::Keypair, IdentityError> {
    let mut secret = Zeroizing::new(key.dalek().to_bytes());
    identity::Keypair::ed25519_from_bytes(secret.as_mut()).map_err(|_| IdentityError)
}

/// The peer id of a node's key.
pub fn peer_id(key: &PublicKey) -> Result<PeerId, IdentityError> {
    let PublicKey::Ed25519(bytes) = key;
    let key = identity::ed25519::PublicKey::try_from_bytes(bytes).map_err(|_| IdentityError)?;
    Ok(identity::PublicKey::from(key).to_peer_id())
}

/// The key that a peer id stands for: an Ed25519 peer id holds the whole key.
pub fn public_key(peer: &PeerId) -> Result<PublicKey, IdentityError> {
    let key = identity::PublicKey::try_decode_protobuf(peer.as_ref().digest()).map_err(|_| IdentityError)?;
    let key = key.try_into_ed25519().map_err(|_| IdentityError)?;
    Ok(PublicKey::Ed25519(key.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_id_is_its_key() {
        let key = SigningKey::from_secret(&[3; 32]).unwrap();
        let peer = peer_id(&key.public()).unwrap();
        assert_eq!(keypair(&key).unwrap().public().to_peer_id(), peer);
        assert_eq!(public_key(&peer), Ok(key.public()));
    }

    #[test]
    fn a_peer_id_that_is_a_mere_hash_is_no_key() {
        // The SHA-256 form, which large keys of other schemes have.
        let hashed: PeerId = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N".parse().unwrap();
        assert_eq!(public_key(&hashed), Err(IdentityError));
    }
}
