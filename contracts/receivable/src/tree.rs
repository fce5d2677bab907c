//! Walking a split tree depth first. Holds only a path, so a walk can stop anywhere and go on in another call.

use alloc::vec::Vec;

use portolan_interface::{PartId, receivable::ReceivableError};
use portolan_sdk::ensure;

use crate::record::PartRecord;

/// A place in the tree below `root`.
pub struct Walk {
    /// Ids from the root to the present node; empty at the end.
    ids: Vec<PartId>,
    /// Place of each node but the root among its siblings.
    path: Vec<u16>,
    /// How many siblings each node but the root has, itself included.
    counts: Vec<u16>,
}

impl Walk {
    /// At the root.
    pub fn from_root(root: PartId) -> Self {
        Self { ids: alloc::vec![root], path: Vec::new(), counts: Vec::new() }
    }

    /// At the node that the path leads to.
    pub fn from_path(root: PartId, path: &[u16]) -> Result<Self, ReceivableError> {
        let mut walk = Self::from_root(root);
        for index in path {
            let node = walk.ids.last().copied().unwrap_or(root);
            let children = PartRecord::load(node)?.children;
            ensure!(*index < children, ReceivableError::UnknownPart);
            walk.push(node, *index, children);
        }
        Ok(walk)
    }

    /// At the node that `part` is, which lies below `root`.
    pub fn from_part(root: PartId, part: PartId) -> Result<Self, ReceivableError> {
        let mut path = Vec::new();
        let mut node = part;
        while node != root {
            let record = PartRecord::load(node)?;
            path.push(record.index);
            node = record.parent.ok_or(ReceivableError::OtherPage)?;
        }
        path.reverse();
        Self::from_path(root, &path)
    }

    /// The present node; none at the end.
    pub fn current(&self) -> Option<PartId> {
        self.ids.last().copied()
    }

    /// How to come back here by [`Self::from_path`].
    pub fn path(&self) -> &[u16] {
        &self.path
    }

    /// Goes on to the first of `children`, or without any to what follows this node's subtree.
    pub fn step(&mut self, children: u16) {
        let Some(node) = self.current() else { return };
        if children > 0 {
            self.push(node, 0, children);
            return;
        }
        while let (Some(index), Some(count)) = (self.path.pop(), self.counts.pop()) {
            self.ids.pop();
            if let (Some(parent), true) = (self.current(), index + 1 < count) {
                self.push(parent, index + 1, count);
                return;
            }
        }
        self.ids.clear();
    }

    fn push(&mut self, parent: PartId, index: u16, count: u16) {
        self.ids.push(parent.child(index));
        self.path.push(index);
        self.counts.push(count);
    }
}
