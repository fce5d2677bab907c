//! The Merkle tree of a list, as in RFC 6962 section 2.1 with BLAKE3 domains: `transactions_root`, `receipts_root`, calls,
//! events, and the header history. Split at the largest power of two below the count, so that a longer list keeps the
//! whole subtrees of a shorter one. The root binds the count.

use codec::{Decode, Encode};
use scale_info::TypeInfo;

use crate::hash::{Domain, Hash, hash, hash_parts};

/// The leaf for an item's hash.
pub(crate) fn leaf(item: &Hash) -> Hash {
    hash(Domain::ListLeaf, &item.0)
}

/// The node over two others.
pub(crate) fn inner(left: &Hash, right: &Hash) -> Hash {
    hash_parts(Domain::ListInner, &[&left.0, &right.0])
}

/// The root that binds the count.
pub(crate) fn bind(count: u64, top: &Hash) -> Hash {
    hash_parts(Domain::ListRoot, &[&count.to_le_bytes(), &top.0])
}

/// Largest power of two below `count` (which is at least 2).
fn split(count: usize) -> usize {
    1 << (usize::BITS - 1 - (count - 1).leading_zeros())
}

fn top(items: &[Hash]) -> Hash {
    match items {
        [] => Hash::ZERO,
        [only] => leaf(only),
        _ => {
            let (left, right) = items.split_at(split(items.len()));
            inner(&top(left), &top(right))
        }
    }
}

/// Root of the list of `items`.
pub fn list_root(items: &[Hash]) -> Hash {
    bind(items.len() as u64, &top(items))
}

/// That an item stands at a place of a list with a known root.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ListProof {
    /// Place of the item, from 0.
    pub index: u64,
    /// Items in the list.
    pub count: u64,
    /// Neighbouring nodes from the leaf upwards, at most 64.
    pub siblings: Vec<Hash>,
}

impl ListProof {
    /// The proof for the item at `index`, if there is one.
    pub fn build(items: &[Hash], index: usize) -> Option<Self> {
        if index >= items.len() {
            return None;
        }
        let mut siblings = Vec::new();
        descend(items, index, &mut siblings);
        siblings.reverse();
        Some(Self { index: index as u64, count: items.len() as u64, siblings })
    }

    /// The list's root if `item` stands where the proof says, or `None` if the proof has not the shape for its count.
    pub fn root(&self, item: &Hash) -> Option<Hash> {
        let sides = sides(self.index, self.count)?;
        if sides.len() != self.siblings.len() {
            return None;
        }
        let fold = |node, (side, sibling): (&Side, &Hash)| match side {
            Side::Left => inner(&node, sibling),
            Side::Right => inner(sibling, &node),
        };
        let top = sides.iter().rev().zip(&self.siblings).fold(leaf(item), fold);
        Some(bind(self.count, &top))
    }

    /// Whether `item` stands at the place in the list with `root`.
    pub fn verify(&self, item: &Hash, root: &Hash) -> bool {
        self.root(item).as_ref() == Some(root)
    }
}

fn descend(items: &[Hash], index: usize, siblings: &mut Vec<Hash>) {
    if items.len() < 2 {
        return;
    }
    let (left, right) = items.split_at(split(items.len()));
    if index < left.len() {
        siblings.push(top(right));
        descend(left, index, siblings);
    } else {
        siblings.push(top(left));
        descend(right, index - left.len(), siblings);
    }
}

enum Side {
    Left,
    Right,
}

/// On which side the path goes at each level, from the root down.
fn sides(mut index: u64, mut count: u64) -> Option<Vec<Side>> {
    if index >= count {
        return None;
    }
    let mut sides = Vec::new();
    while count > 1 {
        let left = 1 << (63 - (count - 1).leading_zeros());
        if index < left {
            sides.push(Side::Left);
            count = left;
        } else {
            sides.push(Side::Right);
            index -= left;
            count -= left;
        }
    }
    Some(sides)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(count: usize) -> Vec<Hash> {
        (0..count).map(|number| hash(Domain::Wire, &number.to_le_bytes())).collect()
    }

    #[test]
    fn each_item_of_each_list_is_proved_at_its_place_only() {
        for count in 1..40 {
            let items = items(count);
            let root = list_root(&items);
            for index in 0..count {
                let proof = ListProof::build(&items, index).unwrap();
                assert!(proof.verify(&items[index], &root));
                for other in (0..count).filter(|other| *other != index) {
                    assert!(!proof.verify(&items[other], &root));
                    let moved = ListProof { index: other as u64, ..proof.clone() };
                    assert!(!moved.verify(&items[index], &root));
                }
            }
        }
    }

    #[test]
    fn lists_that_differ_in_length_differ_in_root() {
        let roots: std::collections::BTreeSet<_> = (0..40).map(|count| list_root(&items(count))).collect();
        assert_eq!(roots.len(), 40);
    }

    #[test]
    fn a_proof_with_another_count_or_a_lost_sibling_fails() {
        let items = items(7);
        let root = list_root(&items);
        let proof = ListProof::build(&items, 3).unwrap();
        assert!(!ListProof { count: 8, ..proof.clone() }.verify(&items[3], &root));
        let mut short = proof.clone();
        short.siblings.pop();
        assert!(!short.verify(&items[3], &root));
        assert!(!ListProof { index: u64::MAX, count: u64::MAX, siblings: vec![] }.verify(&items[3], &root));
    }
}
