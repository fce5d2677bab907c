//! Where a queue begins: an area of keys that are deleted from its front, of which the store would otherwise step over every
//! deleted one whenever somebody asks for the first.
//!
//! Holds a key up to which the store has nothing. It only ever shortens a search: must never pass a key that is stored.

use std::sync::RwLock;

use crate::changes::Changes;
use crate::error::StateError;
use crate::keys::StateKey;
use crate::state::{read, write};

pub(crate) struct Front {
    area: StateKey,
    /// Nothing in the area is stored up to and with this.
    empty_until: RwLock<StateKey>,
}

impl Front {
    /// Of `area`, of which nothing is known.
    pub(crate) fn new(area: StateKey) -> Self {
        Self { empty_until: RwLock::new(area.clone()), area }
    }

    /// Behind which key a scan of `prefix` behind `after` has to look.
    pub(crate) fn skip(&self, prefix: &StateKey, after: Option<&StateKey>) -> Option<StateKey> {
        if *prefix != self.area {
            return after.cloned();
        }
        let empty_until = read(&self.empty_until).clone();
        Some(after.map_or(empty_until.clone(), |after| after.clone().max(empty_until)))
    }

    /// Before `changes` are stored: what they add is not passed by anybody who may see it.
    pub(crate) fn before(&self, changes: &Changes) {
        let Some(added) = changes.range(&self.area, None).find(|change| change.new.is_some()) else { return };
        let mut empty_until = write(&self.empty_until);
        if added.key <= *empty_until {
            // Shorter, hence smaller than what is added, and greater than all that is smaller by more than its last byte.
            let bytes = added.key.as_bytes();
            *empty_until = StateKey::from_bytes(&bytes[..bytes.len() - 1]);
        }
    }

    /// After `changes` are stored: moves over what they deleted, up to the first key that is stored. `first_after` finds it.
    pub(crate) fn after(
        &self,
        changes: &Changes,
        first_after: impl FnOnce(&StateKey) -> Result<Option<StateKey>, StateError>,
    ) -> Result<(), StateError> {
        let empty_until = read(&self.empty_until).clone();
        let deleted = || changes.range(&self.area, Some(&empty_until)).filter(|change| change.new.is_none());
        if deleted().next().is_none() {
            return Ok(());
        }
        let first = first_after(&empty_until)?;
        let passed = deleted().take_while(|change| first.as_ref().is_none_or(|first| change.key < *first)).last();
        if let Some(passed) = passed {
            *write(&self.empty_until) = passed.key.clone();
        }
        Ok(())
    }
}
