//! Typed storage: [`Item`], [`Map`] and [`List`], declared together by [`storage!`](crate::storage!).
//!
//! A collection owns one prefix byte, and its keys have a fixed length, so no two keys of a contract can be confused, and keys
//! sort as their values do (integers are big-endian). A value that does not decode traps the call: the contract wrote it
//! itself, so code and state don't belong together.
//!
//! Whoever pays for storage wants few, packed values: put into one value what changes together.

use alloc::vec::Vec;
use core::marker::PhantomData;

use codec::{Decode, Encode};

use crate::{
    AccountId, ContractId, Currency, Hash, MemberId, abi,
    env::{corrupt, decode_own},
    host,
    message::Marker,
};

/// A value that can be (part of) a storage key: of fixed length, and sorted as its bytes are. Derive it for structs of keys and
/// for enums without fields (one byte, the codec index). Strings are no keys: use their [hash](crate::env::blake3).
pub trait Key: Sized {
    /// Bytes of the key.
    const LEN: usize;
    /// Appends exactly [`Self::LEN`] bytes.
    fn write(&self, out: &mut Vec<u8>);
    /// Takes [`Self::LEN`] bytes; none if they are no such key.
    fn read(input: &mut &[u8]) -> Option<Self>;
}

/// A key whose first fields are a `P`, so that all keys with the same `P` lie together.
pub trait StartsWith<P: Key>: Key {}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = input.split_first_chunk()?;
    *input = rest;
    Some(*head)
}

macro_rules! integer_keys {
    ($($unsigned:ty)*) => {
        $(impl Key for $unsigned {
            const LEN: usize = size_of::<Self>();
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
            fn read(input: &mut &[u8]) -> Option<Self> {
                take(input).map(Self::from_be_bytes)
            }
        })*
    };
    ($($signed:ty as $unsigned:ty),*) => {
        $(impl Key for $signed {
            const LEN: usize = size_of::<Self>();
            // The sign bit is flipped, so that negative numbers sort below the others.
            fn write(&self, out: &mut Vec<u8>) {
                ((*self as $unsigned) ^ (1 << (<$unsigned>::BITS - 1))).write(out);
            }
            fn read(input: &mut &[u8]) -> Option<Self> {
                <$unsigned>::read(input).map(|bits| (bits ^ (1 << (<$unsigned>::BITS - 1))) as Self)
            }
        })*
    };
}

integer_keys!(u8 u16 u32 u64 u128);
integer_keys!(i8 as u8, i16 as u16, i32 as u32, i64 as u64, i128 as u128);

impl<const N: usize> Key for [u8; N] {
    const LEN: usize = N;
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn read(input: &mut &[u8]) -> Option<Self> {
        take(input)
    }
}

macro_rules! bytes_keys {
    ($($name:ident)*) => {
        $(impl Key for $name {
            const LEN: usize = size_of::<Self>();
            fn write(&self, out: &mut Vec<u8>) {
                self.0.write(out);
            }
            fn read(input: &mut &[u8]) -> Option<Self> {
                Key::read(input).map(Self)
            }
        })*
    };
}

bytes_keys!(AccountId MemberId ContractId Hash Currency);

impl Key for bool {
    const LEN: usize = 1;
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn read(input: &mut &[u8]) -> Option<Self> {
        match u8::read(input)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

macro_rules! tuple_keys {
    ($($name:ident),*) => {
        #[allow(non_snake_case, unused_variables)]
        impl<$($name: Key),*> Key for ($($name,)*) {
            const LEN: usize = 0 $(+ $name::LEN)*;
            fn write(&self, out: &mut Vec<u8>) {
                let ($($name,)*) = self;
                $($name.write(out);)*
            }
            fn read(input: &mut &[u8]) -> Option<Self> {
                Some(($($name::read(input)?,)*))
            }
        }
    };
}

tuple_keys!();
tuple_keys!(A);
tuple_keys!(A, B);
tuple_keys!(A, B, C);
tuple_keys!(A, B, C, D);

impl<A: Key, B: Key> StartsWith<A> for (A, B) {}
impl<A: Key, B: Key, C: Key> StartsWith<A> for (A, B, C) {}
impl<A: Key, B: Key, C: Key> StartsWith<(A, B)> for (A, B, C) {}
impl<A: Key, B: Key, C: Key, D: Key> StartsWith<A> for (A, B, C, D) {}
impl<A: Key, B: Key, C: Key, D: Key> StartsWith<(A, B)> for (A, B, C, D) {}
impl<A: Key, B: Key, C: Key, D: Key> StartsWith<(A, B, C)> for (A, B, C, D) {}

fn storage_key(prefix: u8, parts: &[&dyn ErasedKey], length: usize) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + length);
    key.push(prefix);
    for part in parts {
        part.append(&mut key);
    }
    key
}

/// Keys of any type by one pointer, so that `storage_key` exists once in a contract's code.
trait ErasedKey {
    fn append(&self, out: &mut Vec<u8>);
}

impl<K: Key> ErasedKey for K {
    fn append(&self, out: &mut Vec<u8>) {
        self.write(out);
    }
}

fn read_value<V: Decode>(key: &[u8]) -> Option<V> {
    host::storage_get(key).map(|bytes| decode_own(&bytes))
}

fn write_value<V: Encode>(key: &[u8], value: &V) {
    host::storage_put(key, &value.encode());
}

/// One value.
pub struct Item<V> {
    prefix: u8,
    value: Marker<V>,
}

impl<V: Encode + Decode> Item<V> {
    /// Under a prefix byte of its own; declare it by [`storage!`](crate::storage!).
    #[must_use]
    pub const fn new(prefix: u8) -> Self {
        Self { prefix, value: PhantomData }
    }

    /// The value, if one was set.
    #[must_use]
    pub fn get(&self) -> Option<V> {
        read_value(&[self.prefix])
    }

    /// Sets the value.
    pub fn set(&self, value: &V) {
        write_value(&[self.prefix], value);
    }

    /// Removes the value, present or not.
    pub fn remove(&self) {
        host::storage_delete(&[self.prefix]);
    }
}

/// Values by key.
pub struct Map<K, V> {
    prefix: u8,
    entry: Marker<(K, V)>,
}

impl<K: Key, V: Encode + Decode> Map<K, V> {
    /// Under a prefix byte of its own; declare it by [`storage!`](crate::storage!).
    #[must_use]
    pub const fn new(prefix: u8) -> Self {
        const { assert!(K::LEN < abi::MAX_KEY_BYTES, "the key is longer than the host takes") };
        Self { prefix, entry: PhantomData }
    }

    fn at(&self, key: &K) -> Vec<u8> {
        storage_key(self.prefix, &[key], K::LEN)
    }

    /// The value, if there is one.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<V> {
        read_value(&self.at(key))
    }

    /// Whether there is a value.
    #[must_use]
    pub fn contains(&self, key: &K) -> bool {
        host::storage_get(&self.at(key)).is_some()
    }

    /// Sets the value.
    pub fn set(&self, key: &K, value: &V) {
        write_value(&self.at(key), value);
    }

    /// Removes the value, present or not.
    pub fn remove(&self, key: &K) {
        host::storage_delete(&self.at(key));
    }

    /// Lets `change` alter the value, or refuse with `missing`'s error or its own; a refusal leaves the value as it was.
    ///
    /// # Errors
    /// What `missing` or `change` give.
    pub fn update<T, E>(
        &self,
        key: &K,
        missing: impl FnOnce() -> E,
        change: impl FnOnce(&mut V) -> Result<T, E>,
    ) -> Result<T, E> {
        let at = self.at(key);
        let mut value = read_value(&at).ok_or_else(missing)?;
        let result = change(&mut value)?;
        write_value(&at, &value);
        Ok(result)
    }

    /// The entries after `after`, by ascending key, at most `limit` and [`MAX_SCAN_ENTRIES`](abi::MAX_SCAN_ENTRIES).
    #[must_use]
    pub fn page(&self, after: Option<&K>, limit: u32) -> Vec<(K, V)> {
        self.scan(&[self.prefix], after, limit)
    }

    /// The same, of the keys which start with `start`.
    #[must_use]
    pub fn page_of<P: Key>(&self, start: &P, after: Option<&K>, limit: u32) -> Vec<(K, V)>
    where
        K: StartsWith<P>,
    {
        self.scan(&storage_key(self.prefix, &[start], P::LEN), after, limit)
    }

    fn scan(&self, prefix: &[u8], after: Option<&K>, limit: u32) -> Vec<(K, V)> {
        let after = after.map(|key| self.at(key));
        let entries = host::storage_scan(prefix, after.as_deref(), limit.min(abi::MAX_SCAN_ENTRIES));
        entries.into_iter().map(|(key, value)| (Self::read_key(&key), decode_own(&value))).collect()
    }

    fn read_key(stored: &[u8]) -> K {
        let mut key = stored.get(1..).unwrap_or_default();
        match K::read(&mut key) {
            Some(value) if key.is_empty() => value,
            _ => corrupt(),
        }
    }
}

/// For each key, a numbered list: a count, and entries 0, 1, 2, …, so that point reads alone show that a list is complete.
/// Use `()` as key for the contract's only such list.
pub struct List<K, V> {
    prefix: u8,
    entry: Marker<(K, V)>,
}

impl<K: Key, V: Encode + Decode> List<K, V> {
    /// Under a prefix byte of its own; declare it by [`storage!`](crate::storage!).
    #[must_use]
    pub const fn new(prefix: u8) -> Self {
        const { assert!(K::LEN + 4 < abi::MAX_KEY_BYTES, "the key is longer than the host takes") };
        Self { prefix, entry: PhantomData }
    }

    fn count_at(&self, key: &K) -> Vec<u8> {
        storage_key(self.prefix, &[key], K::LEN)
    }

    fn entry_at(&self, key: &K, index: u32) -> Vec<u8> {
        storage_key(self.prefix, &[key, &index], K::LEN + 4)
    }

    /// How many entries the list has.
    #[must_use]
    pub fn len(&self, key: &K) -> u32 {
        read_value(&self.count_at(key)).unwrap_or_default()
    }

    /// Whether the list has no entry.
    #[must_use]
    pub fn is_empty(&self, key: &K) -> bool {
        self.len(key) == 0
    }

    /// The entry with that number.
    #[must_use]
    pub fn get(&self, key: &K, index: u32) -> Option<V> {
        read_value(&self.entry_at(key, index))
    }

    /// Appends an entry; answers its number.
    pub fn push(&self, key: &K, value: &V) -> u32 {
        let index = self.len(key);
        write_value(&self.entry_at(key, index), value);
        write_value(&self.count_at(key), &(index + 1));
        index
    }

    /// Replaces an entry; whether there was one with that number.
    pub fn set(&self, key: &K, index: u32, value: &V) -> bool {
        let present = index < self.len(key);
        if present {
            write_value(&self.entry_at(key, index), value);
        }
        present
    }

    /// Removes an entry and puts the last one in its place, so that the numbers stay without gaps; answers the removed one.
    pub fn swap_remove(&self, key: &K, index: u32) -> Option<V> {
        let last = self.len(key).checked_sub(1)?;
        let removed = self.get(key, index)?;
        if index < last {
            let moved: V = self.get(key, last).unwrap_or_else(|| corrupt());
            write_value(&self.entry_at(key, index), &moved);
        }
        host::storage_delete(&self.entry_at(key, last));
        if last == 0 {
            host::storage_delete(&self.count_at(key))
        } else {
            write_value(&self.count_at(key), &last)
        }
        Some(removed)
    }

    /// The entries from number `from` on, at most `limit`.
    #[must_use]
    pub fn page(&self, key: &K, from: u32, limit: u32) -> Vec<V> {
        let end = self.len(key).min(from.saturating_add(limit));
        (from..end).map(|index| self.get(key, index).unwrap_or_else(|| corrupt())).collect()
    }
}

/// Whether no prefix is declared twice; [`storage!`](crate::storage!) asks when the contract is compiled.
#[must_use]
pub const fn distinct(prefixes: &[u8]) -> bool {
    let mut one = 0;
    while one < prefixes.len() {
        let mut other = one + 1;
        while other < prefixes.len() {
            if prefixes[one] == prefixes[other] {
                return false;
            }
            other += 1;
        }
        one += 1;
    }
    true
}

/// Declares a contract's whole storage in one place; two collections under one prefix don't compile.
///
/// ```
/// # use portolan_sdk::{AccountId, MemberId};
/// portolan_sdk::storage! {
///     /// Balances in minor units.
///     0 => pub(crate) BALANCES: Map<AccountId, i128>;
///     /// Accounts that a member opened, in order.
///     1 => ACCOUNTS: List<MemberId, AccountId>;
///     2 => PAUSED: Item<bool>;
/// }
/// ```
///
/// ```compile_fail
/// portolan_sdk::storage! {
///     0 => ONE: Item<bool>;
///     0 => OTHER: Item<bool>;
/// }
/// ```
#[macro_export]
macro_rules! storage {
    ($($(#[$meta:meta])* $prefix:literal => $visibility:vis $name:ident: $kind:ident<$($type:ty),+>;)*) => {
        $(
            $(#[$meta])*
            $visibility const $name: $crate::storage::$kind<$($type),+> = $crate::storage::$kind::new($prefix);
        )*
        const _: () = assert!($crate::storage::distinct(&[$($prefix),*]), "two collections of the contract share a prefix");
    };
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use alloc::{collections::BTreeSet, vec};

    use super::*;
    use crate::testing::TestChain;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, crate::Key)]
    enum Kind {
        #[codec(index = 3)]
        Order,
        #[codec(index = 7)]
        Invoice,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, crate::Key)]
    struct Place {
        owner: MemberId,
        kind: Kind,
        number: u32,
    }

    crate::storage! {
        0 => FLAG: Item<bool>;
        1 => DUE: Map<(MemberId, i32), u64>;
        2 => HELD: List<MemberId, u16>;
        3 => ALL: List<(), u16>;
        4 => PLACES: Map<Place, u8>;
    }

    const MILL: MemberId = MemberId([1; 16]);
    const BANK: MemberId = MemberId([2; 16]);

    fn inside<T>(body: impl FnOnce() -> T) -> T {
        TestChain::new().inside(ContractId([0; 16]), body)
    }

    fn key_bytes<K: Key>(key: &K) -> Vec<u8> {
        let mut bytes = Vec::new();
        key.write(&mut bytes);
        assert_eq!(bytes.len(), K::LEN);
        bytes
    }

    fn assert_sorts_and_returns<K: Key + Ord + Copy + core::fmt::Debug>(ascending: &[K]) {
        let written: Vec<_> = ascending.iter().map(key_bytes).collect();
        assert!(written.is_sorted_by(|one, other| one < other), "{ascending:?} {written:?}");
        for (key, bytes) in ascending.iter().zip(&written) {
            assert_eq!(K::read(&mut bytes.as_slice()), Some(*key));
        }
    }

    #[test]
    fn keys_sort_as_their_values_do() {
        assert_sorts_and_returns(&[0u32, 1, 255, 256, u32::MAX]);
        assert_sorts_and_returns(&[i32::MIN, -256, -1, 0, 1, 256, i32::MAX]);
        assert_sorts_and_returns(&[i128::MIN, -1, 0, 1, i128::MAX]);
        assert_sorts_and_returns(&[(MILL, -1), (MILL, 0), (MILL, 300), (BANK, -5)]);
        assert_sorts_and_returns(&[Kind::Order, Kind::Invoice]);
        assert_sorts_and_returns(&[false, true]);
        let place = |owner, kind, number| Place { owner, kind, number };
        assert_sorts_and_returns(&[
            place(MILL, Kind::Order, 9),
            place(MILL, Kind::Invoice, 1),
            place(BANK, Kind::Order, 0),
        ]);
    }

    #[test]
    fn a_key_enums_byte_is_its_codec_index() {
        assert_eq!(key_bytes(&Kind::Invoice), [7]);
        assert_eq!(Kind::read(&mut &[0u8][..]), None);
    }

    #[test]
    fn an_item_is_there_after_it_is_set_and_gone_after_it_is_removed() {
        inside(|| {
            assert_eq!(FLAG.get(), None);
            FLAG.set(&true);
            assert_eq!(FLAG.get(), Some(true));
            FLAG.remove();
            assert_eq!(FLAG.get(), None);
        });
    }

    #[test]
    fn a_map_keeps_its_entries_apart() {
        inside(|| {
            DUE.set(&(MILL, 3), &30);
            DUE.set(&(BANK, 3), &31);
            DUE.remove(&(BANK, 3));
            assert_eq!(
                (DUE.get(&(MILL, 3)), DUE.contains(&(MILL, 3)), DUE.contains(&(BANK, 3))),
                (Some(30), true, false)
            );
        });
    }

    #[test]
    fn a_refused_update_leaves_the_value_as_it_was() {
        inside(|| {
            let key = (MILL, 3);
            assert_eq!(DUE.update(&key, || "missing", |_| Ok(())), Err("missing"));
            DUE.set(&key, &30);
            let refused: Result<(), _> = DUE.update(
                &key,
                || "missing",
                |value| {
                    *value = 99;
                    Err("no")
                },
            );
            assert_eq!((refused, DUE.get(&key)), (Err("no"), Some(30)));
            let grown = DUE.update(
                &key,
                || "missing",
                |value| {
                    *value += 1;
                    Ok(*value)
                },
            );
            assert_eq!((grown, DUE.get(&key)), (Ok(31), Some(31)));
        });
    }

    #[test]
    fn pages_go_through_a_map_in_order_and_stay_within_it() {
        inside(|| {
            FLAG.set(&true);
            HELD.push(&MILL, &1);
            for day in [5, -2, 9, 0] {
                DUE.set(&(MILL, day), &u64::from(day.unsigned_abs()));
                DUE.set(&(BANK, day), &0);
            }
            let days =
                |page: Vec<((MemberId, i32), u64)>| page.into_iter().map(|((_, day), _)| day).collect::<Vec<_>>();
            assert_eq!(days(DUE.page_of(&MILL, None, 100)), [-2, 0, 5, 9]);
            assert_eq!(days(DUE.page_of(&MILL, None, 2)), [-2, 0]);
            assert_eq!(days(DUE.page_of(&MILL, Some(&(MILL, 0)), 2)), [5, 9]);
            assert_eq!(days(DUE.page_of(&MILL, Some(&(MILL, 9)), 2)), []);
            assert_eq!(DUE.page(None, 100).len(), 8);
            assert_eq!(days(DUE.page(Some(&(MILL, 9)), 1)), [-2], "the next member's first");
        });
    }

    #[test]
    fn a_page_has_at_most_what_the_host_gives() {
        inside(|| {
            for day in 0..300 {
                DUE.set(&(MILL, day), &0);
            }
            assert_eq!(DUE.page(None, u32::MAX).len(), abi::MAX_SCAN_ENTRIES as usize);
        });
    }

    #[test]
    fn a_list_is_numbered_without_gaps() {
        inside(|| {
            assert_eq!([10, 11, 12].map(|value| HELD.push(&MILL, &value)), [0, 1, 2]);
            assert_eq!(HELD.push(&BANK, &20), 0);
            assert_eq!((HELD.len(&MILL), HELD.get(&MILL, 1), HELD.get(&MILL, 3)), (3, Some(11), None));
            assert_eq!(
                (HELD.page(&MILL, 1, 5), HELD.page(&MILL, 0, 2), HELD.page(&MILL, 7, 2)),
                (vec![11, 12], vec![10, 11], vec![])
            );
            assert!(HELD.set(&MILL, 1, &21) && !HELD.set(&MILL, 3, &0));
            assert_eq!(HELD.page(&MILL, 0, u32::MAX), [10, 21, 12]);
            assert!(ALL.is_empty(&()));
        });
    }

    #[test]
    fn removing_from_a_list_moves_the_last_entry_into_the_gap() {
        inside(|| {
            assert_eq!([10, 11, 12].map(|value| HELD.push(&MILL, &value)), [0, 1, 2]);
            assert_eq!((HELD.swap_remove(&MILL, 0), HELD.page(&MILL, 0, 9)), (Some(10), vec![12, 11]));
            assert_eq!((HELD.swap_remove(&MILL, 1), HELD.swap_remove(&MILL, 1)), (Some(11), None));
            assert_eq!((HELD.swap_remove(&MILL, 0), HELD.len(&MILL), HELD.swap_remove(&MILL, 0)), (Some(12), 0, None));
        });
    }

    #[test]
    fn an_emptied_list_leaves_nothing_in_storage() {
        let chain = TestChain::new();
        chain.inside(ContractId([0; 16]), || {
            HELD.push(&MILL, &10);
            HELD.swap_remove(&MILL, 0);
        });
        assert!(chain.snapshot().storage.is_empty());
    }

    #[test]
    fn no_two_collections_can_write_one_key() {
        let chain = TestChain::new();
        chain.inside(ContractId([0; 16]), || {
            FLAG.set(&true);
            DUE.set(&(MILL, 0), &0);
            HELD.push(&MILL, &0);
            ALL.push(&(), &0);
            PLACES.set(&Place { owner: MILL, kind: Kind::Order, number: 0 }, &0);
        });
        let keys: BTreeSet<_> = chain.snapshot().storage.into_keys().collect();
        assert_eq!(keys.len(), 7, "a list writes its entry and its count");
        assert!(distinct(&[0, 1, 2]) && !distinct(&[0, 1, 0]));
    }
}
