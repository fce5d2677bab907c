//! Proofs of state: which of some keys are present under a root, with which values, and which are absent.
//!
//! A proof is the tree from the root down in pre-order, opened only where a key asked for leads: [`Step`]. The verifier
//! walks it with the paths of its own keys, so nothing in a proof says which key it is about.

use codec::{Decode, Encode};
use portolan_primitives::bounded::{DecodeError, decode_whole};
use portolan_primitives::hash::Hash;

use crate::error::ProofError;
use crate::limits::{MAX_PROOF_BYTES, MAX_PROOF_KEYS};
use crate::tree::{EMPTY, PATH_BITS, bit, inner_hash, key_path, leaf_hash, share_prefix, value_hash};

/// One node of the opened part of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// An inner node; its left and then its right child follow.
    Inner,
    /// No leaf is below.
    Empty,
    /// The leaf of a key asked for, whose value was salted so.
    Present {
        /// Salt of the value.
        salt: Hash,
    },
    /// The only leaf below is of another key, so the keys asked for are absent.
    Other {
        /// Path of that key.
        path: Hash,
        /// Salted hash of its value.
        value_hash: Hash,
    },
    /// A node that leads to no key asked for.
    Pruned(Hash),
}

const INNER: u8 = 0;
const EMPTY_STEP: u8 = 1;
const PRESENT: u8 = 2;
const OTHER: u8 = 3;
const PRUNED: u8 = 4;

/// What is present and absent among many keys under one root.
///
/// SCALE form: the kinds of the steps (0 inner, 1 empty, 2 present, 3 other, 4 pruned), one byte each; then the hashes that
/// they carry, in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct MultiProof {
    shape: Vec<u8>,
    hashes: Vec<Hash>,
}

impl MultiProof {
    /// The proof of these steps, which the state tree makes in pre-order.
    pub fn from_steps(steps: impl IntoIterator<Item = Step>) -> Self {
        let mut proof = Self { shape: Vec::new(), hashes: Vec::new() };
        for step in steps {
            proof.push(step);
        }
        proof
    }

    fn push(&mut self, step: Step) {
        let (kind, hashes): (u8, &[Hash]) = match &step {
            Step::Inner => (INNER, &[]),
            Step::Empty => (EMPTY_STEP, &[]),
            Step::Present { salt } => (PRESENT, &[*salt]),
            Step::Other { path, value_hash } => (OTHER, &[*path, *value_hash]),
            Step::Pruned(hash) => (PRUNED, &[*hash]),
        };
        self.shape.push(kind);
        self.hashes.extend_from_slice(hashes);
    }

    /// Decodes whole, within [`MAX_PROOF_BYTES`]. What it shows only [`Self::verify`] says.
    pub fn decode_checked(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_whole("MultiProof", bytes, MAX_PROOF_BYTES)
    }

    /// Checks that under `root` each key has the value given, or is absent where `None` is given.
    ///
    /// The keys may come in any order, each once, at most [`MAX_PROOF_KEYS`].
    pub fn verify(&self, root: &Hash, entries: &[(&[u8], Option<&[u8]>)]) -> Result<(), ProofError> {
        if entries.len() > MAX_PROOF_KEYS {
            return Err(ProofError::TooManyKeys { found: entries.len(), most: MAX_PROOF_KEYS });
        }
        let mut wanted: Vec<Wanted<'_>> =
            entries.iter().map(|(key, value)| Wanted { path: key_path(key), value: *value }).collect();
        wanted.sort_unstable_by_key(|wanted| wanted.path);
        if wanted.windows(2).any(|pair| pair[0].path == pair[1].path) {
            return Err(ProofError::RepeatedKey);
        }
        let mut walk = Walk { shape: self.shape.iter(), hashes: self.hashes.iter() };
        let found = walk.node(0, &wanted)?.hash();
        if !walk.is_over() {
            return Err(ProofError::Malformed);
        }
        if found == *root { Ok(()) } else { Err(ProofError::OtherRoot) }
    }
}

/// What is claimed of one key.
struct Wanted<'a> {
    path: Hash,
    value: Option<&'a [u8]>,
}

/// A node whose hash the walk has worked out.
enum Node {
    Empty,
    Leaf(Hash),
    /// Inner, or pruned and so of unknown kind.
    Deep(Hash),
}

impl Node {
    fn hash(&self) -> Hash {
        match self {
            Self::Empty => EMPTY,
            Self::Leaf(hash) | Self::Deep(hash) => *hash,
        }
    }
}

struct Walk<'a> {
    shape: std::slice::Iter<'a, u8>,
    hashes: std::slice::Iter<'a, Hash>,
}

impl Walk<'_> {
    fn is_over(&self) -> bool {
        self.shape.len() == 0 && self.hashes.len() == 0
    }

    fn hash(&mut self) -> Result<Hash, ProofError> {
        self.hashes.next().copied().ok_or(ProofError::Malformed)
    }

    fn step(&mut self) -> Result<Step, ProofError> {
        Ok(match self.shape.next().copied() {
            Some(INNER) => Step::Inner,
            Some(EMPTY_STEP) => Step::Empty,
            Some(PRESENT) => Step::Present { salt: self.hash()? },
            Some(OTHER) => Step::Other { path: self.hash()?, value_hash: self.hash()? },
            Some(PRUNED) => Step::Pruned(self.hash()?),
            _ => return Err(ProofError::Malformed),
        })
    }

    /// The node at `depth` above the keys `wanted`, which share their first `depth` bits.
    fn node(&mut self, depth: usize, wanted: &[Wanted<'_>]) -> Result<Node, ProofError> {
        match self.step()? {
            Step::Pruned(hash) if wanted.is_empty() && hash != EMPTY => Ok(Node::Deep(hash)),
            Step::Empty => all_absent(wanted).map(|()| Node::Empty),
            Step::Inner if !wanted.is_empty() && depth < PATH_BITS => self.inner(depth, wanted),
            Step::Present { salt } => present(wanted, &salt),
            Step::Other { path, value_hash } => other(depth, wanted, &path, &value_hash),
            _ => Err(ProofError::Malformed),
        }
    }

    fn inner(&mut self, depth: usize, wanted: &[Wanted<'_>]) -> Result<Node, ProofError> {
        let (left, right) = wanted.split_at(wanted.partition_point(|wanted| !bit(&wanted.path, depth)));
        let left = self.node(depth + 1, left)?;
        let right = self.node(depth + 1, right)?;
        match (&left, &right) {
            // Such a node would be the empty child or the leaf itself: no state has it.
            (Node::Empty, Node::Empty | Node::Leaf(_)) | (Node::Leaf(_), Node::Empty) => Err(ProofError::Malformed),
            _ => Ok(Node::Deep(inner_hash(&left.hash(), &right.hash()))),
        }
    }
}

fn all_absent(wanted: &[Wanted<'_>]) -> Result<(), ProofError> {
    if wanted.iter().all(|wanted| wanted.value.is_none()) { Ok(()) } else { Err(ProofError::OtherContent) }
}

/// The leaf is of the one key that is claimed present; the others that lead here are absent by it.
fn present(wanted: &[Wanted<'_>], salt: &Hash) -> Result<Node, ProofError> {
    let mut claims = wanted.iter().filter_map(|wanted| wanted.value.map(|value| (wanted.path, value)));
    match (claims.next(), claims.next()) {
        (Some((path, value)), None) => Ok(Node::Leaf(leaf_hash(&path, &value_hash(salt, value)))),
        (None, _) if wanted.is_empty() => Err(ProofError::Malformed),
        _ => Err(ProofError::OtherContent),
    }
}

/// The leaf is of none of the keys, and stands where it must.
fn other(depth: usize, wanted: &[Wanted<'_>], path: &Hash, value_hash: &Hash) -> Result<Node, ProofError> {
    let first = wanted.first().ok_or(ProofError::Malformed)?;
    all_absent(wanted)?;
    if wanted.iter().any(|wanted| wanted.path == *path) {
        return Err(ProofError::OtherContent);
    }
    if !share_prefix(&first.path, path, depth) {
        return Err(ProofError::Malformed);
    }
    Ok(Node::Leaf(leaf_hash(path, value_hash)))
}

/// The presence or absence of one key: a [`MultiProof`] of that key alone, by the same rules.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StateProof(MultiProof);

impl StateProof {
    /// A proof that was made for one key.
    pub fn new(proof: MultiProof) -> Self {
        Self(proof)
    }

    /// Decodes whole, within [`MAX_PROOF_BYTES`].
    pub fn decode_checked(bytes: &[u8]) -> Result<Self, DecodeError> {
        MultiProof::decode_checked(bytes).map(Self)
    }

    /// Checks that under `root` the key has the value `expected`, or is absent if that is `None`.
    pub fn verify(&self, root: &Hash, key: &[u8], expected: Option<&[u8]>) -> Result<(), ProofError> {
        self.0.verify(root, &[(key, expected)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: Hash = Hash([5; 32]);

    fn leaf(key: &[u8], value: &[u8]) -> Hash {
        leaf_hash(&key_path(key), &value_hash(&SALT, value))
    }

    /// Two keys whose paths part at the first bit, the one that goes left first.
    fn two_keys() -> (&'static [u8], &'static [u8]) {
        let left: &[u8] = [b"a", b"b", b"c", b"d"].into_iter().find(|key| !bit(&key_path(*key), 0)).unwrap();
        let right: &[u8] = [b"e", b"f", b"g", b"h"].into_iter().find(|key| bit(&key_path(*key), 0)).unwrap();
        (left, right)
    }

    #[test]
    fn a_lone_key_is_the_root_itself() {
        let proof = StateProof::new(MultiProof::from_steps([Step::Present { salt: SALT }]));
        let root = leaf(b"key", b"value");
        assert_eq!(proof.verify(&root, b"key", Some(b"value")), Ok(()));
        assert_eq!(proof.verify(&root, b"key", Some(b"valuf")), Err(ProofError::OtherRoot));
        assert_eq!(proof.verify(&root, b"kez", Some(b"value")), Err(ProofError::OtherRoot));
        assert_eq!(proof.verify(&root, b"key", None), Err(ProofError::OtherContent));
    }

    #[test]
    fn the_empty_state_proves_every_absence_and_no_presence() {
        let proof = StateProof::new(MultiProof::from_steps([Step::Empty]));
        assert_eq!(proof.verify(&EMPTY, b"key", None), Ok(()));
        assert_eq!(proof.verify(&EMPTY, b"key", Some(b"")), Err(ProofError::OtherContent));
    }

    #[test]
    fn another_leaf_proves_absence_only_of_keys_that_lead_to_it() {
        let (left, right) = two_keys();
        let root = inner_hash(&leaf(left, b"1"), &leaf(right, b"2"));
        let other = Step::Other { path: key_path(right), value_hash: value_hash(&SALT, b"2") };
        let proof = MultiProof::from_steps([Step::Inner, Step::Pruned(leaf(left, b"1")), other]);
        let absent = (0u8..64).map(|n| vec![n; 9]).find(|key| bit(&key_path(key), 0)).unwrap();
        let elsewhere = (0u8..64).map(|n| vec![n; 9]).find(|key| !bit(&key_path(key), 0)).unwrap();
        assert_eq!(proof.verify(&root, &[(&absent, None)]), Ok(()));
        assert_eq!(proof.verify(&root, &[(&elsewhere, None)]), Err(ProofError::Malformed));
        assert_eq!(proof.verify(&root, &[(right, None)]), Err(ProofError::OtherContent));
    }

    #[test]
    fn a_leaf_of_another_side_is_no_proof_of_absence() {
        let (left, right) = two_keys();
        // A forged tree in which the leaf of `right` stands on the left.
        let forged = inner_hash(&leaf(right, b"2"), &leaf(left, b"1"));
        let other = Step::Other { path: key_path(right), value_hash: value_hash(&SALT, b"2") };
        let proof = MultiProof::from_steps([Step::Inner, other, Step::Pruned(leaf(left, b"1"))]);
        assert_eq!(proof.verify(&forged, &[(left, None)]), Err(ProofError::Malformed));
    }

    #[test]
    fn trees_that_no_state_has_are_refused() {
        let (left, right) = two_keys();
        let lone = [Step::Inner, Step::Present { salt: SALT }, Step::Empty];
        let root = inner_hash(&leaf(left, b"1"), &EMPTY);
        assert_eq!(MultiProof::from_steps(lone).verify(&root, &[(left, Some(b"1"))]), Err(ProofError::Malformed));
        let hollow = [Step::Inner, Step::Empty, Step::Empty];
        let root = inner_hash(&EMPTY, &EMPTY);
        assert_eq!(MultiProof::from_steps(hollow).verify(&root, &[(right, None)]), Err(ProofError::Malformed));
        let zero = [Step::Inner, Step::Present { salt: SALT }, Step::Pruned(EMPTY)];
        assert_eq!(MultiProof::from_steps(zero).verify(&root, &[(left, Some(b"1"))]), Err(ProofError::Malformed));
    }

    #[test]
    fn what_is_missing_left_over_or_too_deep_is_malformed() {
        let root = leaf(b"key", b"value");
        let claim: &[(&[u8], Option<&[u8]>)] = &[(b"key", Some(b"value"))];
        let present = Step::Present { salt: SALT };
        let malformed = Err(ProofError::Malformed);
        assert_eq!(MultiProof::from_steps([]).verify(&root, claim), malformed);
        assert_eq!(MultiProof::from_steps([present, Step::Empty]).verify(&root, claim), malformed);
        assert_eq!(MultiProof { shape: vec![PRESENT], hashes: vec![] }.verify(&root, claim), malformed);
        assert_eq!(MultiProof { shape: vec![PRESENT], hashes: vec![SALT, SALT] }.verify(&root, claim), malformed);
        assert_eq!(MultiProof { shape: vec![9], hashes: vec![] }.verify(&root, claim), malformed);
        assert_eq!(MultiProof { shape: vec![INNER; 100_000], hashes: vec![] }.verify(&root, claim), malformed);
    }

    #[test]
    fn a_key_is_asked_for_once_and_keys_are_bounded() {
        let proof = MultiProof::from_steps([Step::Empty]);
        assert_eq!(proof.verify(&EMPTY, &[(b"key", None), (b"key", None)]), Err(ProofError::RepeatedKey));
        let many: Vec<(&[u8], Option<&[u8]>)> = vec![(b"key", None); MAX_PROOF_KEYS + 1];
        let expected = ProofError::TooManyKeys { found: MAX_PROOF_KEYS + 1, most: MAX_PROOF_KEYS };
        assert_eq!(proof.verify(&EMPTY, &many), Err(expected));
    }

    #[test]
    fn too_long_a_proof_is_refused_before_it_is_decoded() {
        let bytes = vec![0; MAX_PROOF_BYTES + 1];
        let expected = DecodeError::TooLong { found: MAX_PROOF_BYTES + 1, limit: MAX_PROOF_BYTES };
        assert_eq!(MultiProof::decode_checked(&bytes), Err(expected));
    }
}
