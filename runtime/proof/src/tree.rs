//! The hash rules of the state tree. Frozen: a change here is a change of the protocol.
//!
//! - The **path** of a key is `H(StateKey, key)`, 256 bits, read from the highest bit of the first byte.
//! - The **value hash** is `H(StateValue, salt ‖ value)`. The salt is 32 bytes; the nodes make it as the keyed BLAKE3 of
//!   `length of key (u32, little endian) ‖ key ‖ value` under a key derived from the chain's secret, so that nobody
//!   outside can guess the value behind a neighbour's leaf. A verifier is handed the salt and need not know that rule.
//! - A **leaf** is `H(StateLeaf, path ‖ value hash)`.
//! - An **inner** node is `H(StateInner, left ‖ right)`, where an empty child is 32 zero bytes ([`EMPTY`]).
//! - The **node of a set of leaves** at depth `d`: of no leaf, [`EMPTY`]; of one leaf, *that leaf* (the shortcut, which
//!   keeps paths near the logarithm of the number of keys); of more, the inner node over the leaves whose bit `d` is 0 and
//!   those whose bit `d` is 1, both at depth `d + 1`. The root is the node of all leaves at depth 0.
//!
//! Why two different states never share a root: leaves, inner nodes and the empty child live in different hash domains, so
//! a root can be opened in one way only; a leaf carries its whole path, so it can't be moved; and the shortcut is
//! taken exactly when one leaf is left, so a set of leaves has one tree.
//!
//! [`MultiProof`](crate::MultiProof) opens the part of that tree which leads to the keys asked for. A key is absent if its
//! path ends in an empty child, or in the leaf of another key.

use portolan_primitives::hash::{Domain, Hash, hash, hash_parts};

/// The hash of an empty child and of the empty state.
pub const EMPTY: Hash = Hash::ZERO;

/// Bits of a path: no tree is deeper.
pub const PATH_BITS: usize = 256;

/// Where a key stands in the tree.
pub fn key_path(key: &[u8]) -> Hash {
    hash(Domain::StateKey, key)
}

/// The salted hash of a value.
pub fn value_hash(salt: &Hash, value: &[u8]) -> Hash {
    hash_parts(Domain::StateValue, &[&salt.0, value])
}

/// The leaf of a key with the path `path`.
pub fn leaf_hash(path: &Hash, value_hash: &Hash) -> Hash {
    pair(Domain::StateLeaf, path, value_hash)
}

/// The node over two others, of which at least one is not empty.
pub fn inner_hash(left: &Hash, right: &Hash) -> Hash {
    pair(Domain::StateInner, left, right)
}

fn pair(domain: Domain, first: &Hash, second: &Hash) -> Hash {
    let mut both = [0; 64];
    both[..32].copy_from_slice(&first.0);
    both[32..].copy_from_slice(&second.0);
    hash(domain, &both)
}

/// The bit of `path` at `depth` (below [`PATH_BITS`]): `false` goes left, `true` right.
pub fn bit(path: &Hash, depth: usize) -> bool {
    path.0[depth / 8] >> (7 - depth % 8) & 1 == 1
}

/// Whether two paths agree in their first `depth` bits.
pub(crate) fn share_prefix(one: &Hash, other: &Hash, depth: usize) -> bool {
    (0..depth).all(|depth| bit(one, depth) == bit(other, depth))
}
