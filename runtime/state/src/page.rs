//! A page of the tree: the 16 nodes four binary levels below its place, packed; and the address of a page, its path.
//!
//! Stored: 2 bytes that say which children are there, 2 that say which of them are leaves, then for each child in order its
//! hash, or for a leaf its path and value hash. A page exists exactly where at least two leaves are below.

use std::sync::Arc;

use portolan_primitives::hash::Hash;
use portolan_proof::{EMPTY, inner_hash, leaf_hash};

/// Children of a page.
pub(crate) const CHILDREN: usize = 16;
/// Levels of pages until a path is used up.
pub(crate) const LEVELS: u8 = 64;
/// First byte of a stored page's key.
const FORMAT: u8 = 1;
/// Nodes between a page's top and its children.
const BETWEEN: usize = 14;

/// A leaf with its hash worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) path: Hash,
    pub(crate) value_hash: Hash,
    hash: Hash,
}

impl Leaf {
    pub(crate) fn new(path: Hash, value_hash: Hash) -> Self {
        Self { path, value_hash, hash: leaf_hash(&path, &value_hash) }
    }
}

/// A node as a page holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Child {
    /// No leaf is below.
    Empty,
    /// Exactly one leaf is below.
    Leaf(Leaf),
    /// More: the node's hash.
    Deep(Hash),
}

impl Child {
    pub(crate) fn hash(&self) -> Hash {
        match self {
            Self::Empty => EMPTY,
            Self::Leaf(leaf) => leaf.hash,
            Self::Deep(hash) => *hash,
        }
    }

    /// The node over two others.
    fn over(left: &Child, right: &Child) -> Child {
        match (left, right) {
            (Self::Empty, lone @ (Self::Empty | Self::Leaf(_))) | (lone @ Self::Leaf(_), Self::Empty) => *lone,
            _ => Self::Deep(inner_hash(&left.hash(), &right.hash())),
        }
    }

    /// The node over 1, 2, 4, 8 or 16 others.
    pub(crate) fn fold(children: &[Child]) -> Child {
        match children {
            [] => Self::Empty,
            [only] => *only,
            _ => {
                let (left, right) = children.split_at(children.len() / 2);
                Self::over(&Self::fold(left), &Self::fold(right))
            }
        }
    }
}

/// The address of a page: the first `level` half bytes of the paths below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PageId {
    prefix: Hash,
    level: u8,
}

impl PageId {
    pub(crate) const TOP: PageId = PageId { prefix: Hash::ZERO, level: 0 };

    pub(crate) fn level(&self) -> u8 {
        self.level
    }

    /// Bits of a path above the page's top.
    pub(crate) fn depth(&self) -> usize {
        usize::from(self.level) * 4
    }

    /// Which child of this page `path` goes through. The level must be below [`LEVELS`].
    pub(crate) fn slot(&self, path: &Hash) -> usize {
        nibble(path, self.level)
    }

    /// The address of the page below the child at `slot`.
    pub(crate) fn below(&self, slot: usize) -> PageId {
        let mut prefix = self.prefix;
        let shift = if self.level % 2 == 0 { 4 } else { 0 };
        prefix.0[usize::from(self.level / 2)] |= (slot as u8 & 0xf) << shift;
        PageId { prefix, level: self.level + 1 }
    }

    /// The key in the store: one byte for each half byte, so that a subtree is a prefix.
    pub(crate) fn stored(&self) -> Vec<u8> {
        let nibbles = (0..self.level).map(|level| nibble(&self.prefix, level) as u8);
        std::iter::once(FORMAT).chain(nibbles).collect()
    }
}

fn nibble(path: &Hash, level: u8) -> usize {
    let byte = path.0[usize::from(level / 2)];
    usize::from(if level % 2 == 0 { byte >> 4 } else { byte & 0xf })
}

/// See the module. One piece of shared memory, since allocations would cost more than the hashes: a header, the nodes
/// between if they are kept (where all children are inner nodes and the page is near the top), then for each child in
/// order its hash, or for a leaf its path, value hash and hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page(Arc<[Hash]>);

/// The first 5 bytes of a page in memory.
#[derive(Clone, Copy)]
struct Head {
    /// Bit `n`: child `n` is not empty.
    occupied: u16,
    /// Bit `n`: child `n` is a leaf.
    leaves: u16,
    /// Whether the nodes between are kept.
    keeps: bool,
}

impl Head {
    fn of(children: &Children) -> Self {
        let mut head = Self { occupied: 0, leaves: 0, keeps: false };
        for (slot, child) in children.iter().enumerate() {
            head.occupied |= u16::from(*child != Child::Empty) << slot;
            head.leaves |= u16::from(matches!(child, Child::Leaf(_))) << slot;
        }
        head
    }

    fn pack(self) -> Hash {
        let mut packed = Hash::ZERO;
        packed.0[..2].copy_from_slice(&self.occupied.to_le_bytes());
        packed.0[2..4].copy_from_slice(&self.leaves.to_le_bytes());
        packed.0[4] = self.keeps.into();
        packed
    }

    fn unpack(packed: &Hash) -> Self {
        let [o, p, l, m, keeps, ..] = packed.0;
        Self { occupied: u16::from_le_bytes([o, p]), leaves: u16::from_le_bytes([l, m]), keeps: keeps != 0 }
    }
}

/// The children of a page, unpacked.
pub(crate) type Children = [Child; CHILDREN];

impl Page {
    fn head(&self) -> Head {
        self.0.first().map_or(Head { occupied: 0, leaves: 0, keeps: false }, Head::unpack)
    }

    /// The nodes between, if they are kept.
    fn between(&self) -> Option<&[Hash; BETWEEN]> {
        let kept = self.0.get(1..=BETWEEN).filter(|_| self.head().keeps)?;
        kept.try_into().ok()
    }

    /// What is packed of the children.
    fn data(&self) -> &[Hash] {
        let begin = if self.head().keeps { 1 + BETWEEN } else { 1 };
        self.0.get(begin..).unwrap_or_default()
    }

    /// The children.
    pub(crate) fn children(&self) -> Children {
        let Head { occupied, leaves, .. } = self.head();
        let mut data = self.data().iter().copied();
        let mut next = || data.next().unwrap_or(EMPTY);
        std::array::from_fn(|slot| match (occupied >> slot & 1, leaves >> slot & 1) {
            (0, _) => Child::Empty,
            (_, 0) => Child::Deep(next()),
            _ => Child::Leaf(Leaf { path: next(), value_hash: next(), hash: next() }),
        })
    }

    /// Packs `children`, and works out the node over them. `before` is the page that this one replaces, of which the
    /// children in the bits of `touched` differ. `keep` says to keep the nodes between.
    pub(crate) fn pack(children: &Children, before: Option<&Page>, touched: u16, keep: bool) -> (Page, Child) {
        let mut head = Head::of(children);
        let mut packed = Packer { hashes: [EMPTY; LARGEST], count: 0 };
        head.keeps = keep && head.occupied == u16::MAX && head.leaves == 0;
        packed.push(&[head.pack()]);
        let top = if head.keeps {
            let (between, top) = full_fold(children, before.and_then(Page::between), touched);
            packed.push(&between);
            Child::Deep(top)
        } else {
            sparse_fold(children, head.occupied, head.leaves)
        };
        for child in children {
            match child {
                Child::Empty => {}
                Child::Deep(hash) => packed.push(&[*hash]),
                Child::Leaf(leaf) => packed.push(&[leaf.path, leaf.value_hash, leaf.hash]),
            }
        }
        (Page(packed.hashes[..packed.count].into()), top)
    }

    /// Memory beyond the size of the handle.
    pub(crate) fn bytes(&self) -> usize {
        // What it holds, two counts, and what the allocator adds.
        size_of_val(&*self.0) + 32
    }

    /// The stored form.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let head = self.head();
        let mut bytes = Vec::with_capacity(size_of_val(&*self.0));
        bytes.extend(head.occupied.to_le_bytes());
        bytes.extend(head.leaves.to_le_bytes());
        // The packed form, but for the leaves' own hashes.
        let mut rest = self.data();
        for slot in (0..CHILDREN).filter(|slot| head.occupied >> slot & 1 != 0) {
            let (taken, kept) = if head.leaves >> slot & 1 != 0 { (3, 2) } else { (1, 1) };
            let (child, after) = rest.split_at(taken.min(rest.len()));
            child.iter().take(kept).for_each(|hash| bytes.extend_from_slice(&hash.0));
            rest = after;
        }
        bytes
    }

    /// The children of the stored form, if it is one.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Children> {
        let (bitmaps, mut rest) = bytes.split_first_chunk::<4>()?;
        let occupied = u16::from_le_bytes([bitmaps[0], bitmaps[1]]);
        let leaves = u16::from_le_bytes([bitmaps[2], bitmaps[3]]);
        let hashes = occupied.count_ones() + leaves.count_ones();
        if leaves & !occupied != 0 || rest.len() != hashes as usize * 32 {
            return None;
        }
        let mut next = || {
            let (hash, after) = rest.split_first_chunk::<32>()?;
            rest = after;
            Some(Hash(*hash))
        };
        let mut children = [Child::Empty; CHILDREN];
        for (slot, child) in children.iter_mut().enumerate() {
            match (occupied >> slot & 1, leaves >> slot & 1) {
                (0, _) => {}
                (_, 0) => *child = Child::Deep(next()?),
                _ => *child = Child::Leaf(Leaf::new(next()?, next()?)),
            }
        }
        Some(children)
    }
}

/// Hashes of the largest page in memory: a header and 16 leaves.
const LARGEST: usize = 1 + 3 * CHILDREN;

/// Collects the hashes of a page.
struct Packer {
    hashes: [Hash; LARGEST],
    count: usize,
}

impl Packer {
    fn push(&mut self, hashes: &[Hash]) {
        let end = self.count + hashes.len();
        self.hashes[self.count..end].copy_from_slice(hashes);
        self.count = end;
    }
}

/// [`Child::fold`] of a page, level by level in place. Bit `n` of `occupied`: node `n` is not empty; of `leaves`: one leaf.
fn sparse_fold(children: &Children, occupied: u16, leaves: u16) -> Child {
    if occupied.count_ones() < 2 {
        return Child::fold(children);
    }
    let mut nodes = children.each_ref().map(Child::hash);
    let (mut occupied, mut leaves, mut width) = (occupied, leaves, CHILDREN);
    while width > 1 {
        width /= 2;
        let (mut there, mut lone) = (0u16, 0u16);
        for node in 0..width {
            let (left, right) = (2 * node, 2 * node + 1);
            let pair = occupied >> left & 0b11;
            let leaf = leaves >> left & 0b11;
            there |= u16::from(pair != 0) << node;
            // A leaf without a neighbour moves up as it is; so does nothing.
            let moves_up = pair == leaf && pair != 0b11;
            lone |= u16::from(moves_up && pair != 0) << node;
            nodes[node] = match (moves_up, pair) {
                (true, 0b10) => nodes[right],
                (true, _) => nodes[left],
                (false, _) => inner_hash(&nodes[left], &nodes[right]),
            };
        }
        (occupied, leaves) = (there, lone);
    }
    Child::Deep(nodes[0])
}

/// Folds 16 inner nodes, taking from `known` what no touched child changes.
fn full_fold(children: &Children, known: Option<&[Hash; BETWEEN]>, touched: u16) -> ([Hash; BETWEEN], Hash) {
    // Node n has the children 2n and 2n + 1; 1 is the top, 16 to 31 are the page's children.
    let mut nodes = [EMPTY; 32];
    for (node, child) in nodes[CHILDREN..].iter_mut().zip(children) {
        *node = child.hash();
    }
    if let Some(known) = known {
        nodes[2..CHILDREN].copy_from_slice(known);
    }
    let mut changed = if known.is_some() { u32::from(touched) << CHILDREN } else { u32::MAX };
    for node in (1..CHILDREN).rev() {
        if changed >> (2 * node) & 0b11 != 0 {
            nodes[node] = inner_hash(&nodes[2 * node], &nodes[2 * node + 1]);
            changed |= 1 << node;
        }
    }
    let mut between = [EMPTY; BETWEEN];
    between.copy_from_slice(&nodes[2..CHILDREN]);
    (between, nodes[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(seed: u8) -> Hash {
        Hash([seed; 32])
    }

    fn full() -> Children {
        std::array::from_fn(|slot| Child::Deep(hash(slot as u8 + 1)))
    }

    fn mixed() -> Children {
        let mut children = [Child::Empty; CHILDREN];
        children[2] = Child::Leaf(Leaf::new(hash(0x2a), hash(7)));
        children[3] = Child::Deep(hash(9));
        children[15] = Child::Leaf(Leaf::new(hash(0xf1), hash(8)));
        children
    }

    #[test]
    fn a_page_comes_back_from_its_stored_form() {
        for children in [full(), mixed()] {
            let (page, top) = Page::pack(&children, None, u16::MAX, false);
            assert_eq!(page.children(), children);
            assert_eq!(Page::decode(&page.encode()), Some(children));
            assert_eq!(top, Child::fold(&children));
        }
    }

    #[test]
    fn the_fold_in_place_is_the_fold_by_the_rules() {
        for pattern in 0..20_000u32 {
            // Three kinds of child in many patterns, ever other ones.
            let seed = pattern.wrapping_mul(2_654_435_761);
            let child = |slot: u32| match seed.rotate_left(slot * 5 + pattern % 7) % 4 {
                0 => Child::Deep(hash(slot as u8 + 1)),
                1 => Child::Leaf(Leaf::new(hash(slot as u8 + 100), hash(7))),
                _ => Child::Empty,
            };
            let children: Children = std::array::from_fn(|slot| child(slot as u32));
            assert_eq!(Page::pack(&children, None, u16::MAX, false).1, Child::fold(&children), "{children:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_page_are_refused() {
        let bytes = Page::pack(&mixed(), None, u16::MAX, false).0.encode();
        for length in 0..bytes.len() {
            assert_eq!(Page::decode(&bytes[..length]), None);
        }
        assert_eq!(Page::decode(&[bytes.clone(), vec![0]].concat()), None);
        assert_eq!(Page::decode(&[0, 0, 1, 0]), None);
    }

    #[test]
    fn kept_nodes_give_the_same_top_as_a_full_fold() {
        let (mut page, _) = Page::pack(&full(), None, u16::MAX, true);
        let mut children = full();
        for slot in [0usize, 5, 15, 7, 0] {
            children[slot] = Child::Deep(hash(100 + slot as u8));
            children[slot ^ 1] = Child::Deep(hash(200 + slot as u8));
            let touched = 1 << slot | 1 << (slot ^ 1);
            let (next, top) = Page::pack(&children, Some(&page), touched, true);
            assert!(next.between().is_some());
            assert_eq!(top, Child::fold(&children));
            page = next;
        }
    }

    #[test]
    fn an_address_follows_the_path() {
        let path = Hash(std::array::from_fn(|place| place as u8 * 7 + 3));
        let mut id = PageId::TOP;
        for level in 0..LEVELS {
            assert_eq!(id.stored().len(), 1 + usize::from(level));
            id = id.below(id.slot(&path));
        }
        assert_eq!((id.level(), id.prefix), (LEVELS, path));
    }
}
