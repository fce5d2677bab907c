//! Transactions that wait for a block: bounded, fair among members, in the order of arrival within one.
//!
//! Knows of a transaction only what the host says of it. Must never let one member crowd out the others.

use std::collections::{BTreeMap, BTreeSet};

use portolan_primitives::{Hash, MemberId, Timestamp, TransactionId};

use crate::config::MempoolLimits;
use crate::input::PooledTransaction;
use crate::limits::MAX_VARIANTS;
use crate::output::{Refusal, Wire};

/// Misfits of one member that a selection steps over before it leaves the member's rest for the next block.
const MAX_MISFITS: usize = 16;

/// What a block has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Declared gas.
    pub gas: u64,
    /// Bytes.
    pub bytes: usize,
    /// Transactions.
    pub transactions: usize,
}

#[derive(Debug)]
struct Entry {
    transaction: PooledTransaction,
    arrival: u64,
    arrived_ms: u64,
    /// From a client of this node, or from a node that is no validator: ours to pass on.
    local: bool,
    parked_until: Option<u64>,
}

#[derive(Debug, Default)]
struct Share {
    order: BTreeMap<u64, Hash>,
    bytes: usize,
}

/// The mempool.
#[derive(Debug)]
pub struct Mempool {
    limits: MempoolLimits,
    entries: BTreeMap<Hash, Entry>,
    variants: BTreeMap<TransactionId, Vec<Hash>>,
    members: BTreeMap<MemberId, Share>,
    expiry: BTreeSet<(Timestamp, Hash)>,
    parked: BTreeSet<(u64, Hash)>,
    bytes: usize,
    arrivals: u64,
    last_served: Option<MemberId>,
}

impl Mempool {
    /// An empty one.
    pub fn new(limits: MempoolLimits) -> Self {
        Self {
            limits,
            entries: BTreeMap::new(),
            variants: BTreeMap::new(),
            members: BTreeMap::new(),
            expiry: BTreeSet::new(),
            parked: BTreeSet::new(),
            bytes: 0,
            arrivals: 0,
            last_served: None,
        }
    }

    /// Takes a transaction in. `head_time`: the last block's time, at or before which none may expire.
    pub fn insert(
        &mut self,
        transaction: PooledTransaction,
        local: bool,
        head_time: Timestamp,
        block: &Room,
        now_ms: u64,
    ) -> Result<(), Refusal> {
        self.check(&transaction, head_time, block)?;
        self.make_room(&transaction)?;
        let arrival = self.arrivals;
        self.arrivals += 1;
        let hash = transaction.wire_hash;
        let share = self.members.entry(transaction.member).or_default();
        share.order.insert(arrival, hash);
        share.bytes += transaction.bytes.len();
        self.bytes += transaction.bytes.len();
        self.variants.entry(transaction.id).or_default().push(hash);
        self.expiry.insert((transaction.expires_at, hash));
        self.entries.insert(hash, Entry { transaction, arrival, arrived_ms: now_ms, local, parked_until: None });
        Ok(())
    }

    fn check(&self, transaction: &PooledTransaction, head_time: Timestamp, block: &Room) -> Result<(), Refusal> {
        if self.entries.contains_key(&transaction.wire_hash) {
            return Err(Refusal::AlreadyPending);
        }
        if transaction.expires_at <= head_time {
            return Err(Refusal::Expired);
        }
        if transaction.gas > block.gas || transaction.bytes.len() > block.bytes {
            return Err(Refusal::TooLarge);
        }
        if self.variants.get(&transaction.id).is_some_and(|variants| variants.len() >= MAX_VARIANTS) {
            return Err(Refusal::TooManyVariants);
        }
        let share = self.members.get(&transaction.member);
        let (count, bytes) = share.map_or((0, 0), |share| (share.order.len(), share.bytes));
        if count >= self.limits.member_transactions || bytes + transaction.bytes.len() > self.limits.member_bytes {
            return Err(Refusal::MemberQuota);
        }
        Ok(())
    }

    /// When all is full, the newest of the member with the largest share gives way to a member with a smaller one.
    fn make_room(&mut self, transaction: &PooledTransaction) -> Result<(), Refusal> {
        let size = transaction.bytes.len();
        while self.entries.len() >= self.limits.transactions || self.bytes + size > self.limits.bytes {
            let by_bytes = self.entries.len() < self.limits.transactions;
            let weight = |share: &Share| if by_bytes { share.bytes } else { share.order.len() };
            let own = self.members.get(&transaction.member).map_or(0, weight);
            let added = if by_bytes { size } else { 1 };
            let largest = self.members.iter().max_by_key(|(_, share)| weight(share));
            let Some((_, share)) = largest.filter(|(_, share)| weight(share) > own + added) else {
                return Err(Refusal::Full);
            };
            let Some(newest) = share.order.values().next_back().copied() else { return Err(Refusal::Full) };
            self.remove(&newest);
        }
        Ok(())
    }

    /// A waiting transaction by its wire hash.
    pub fn get(&self, hash: &Hash) -> Option<&PooledTransaction> {
        self.entries.get(hash).map(|entry| &entry.transaction)
    }

    /// Picks for a block: one of each member in turn, each member's in the order of arrival, one variant of an id. Takes at
    /// least one when any is ready, however small the room.
    pub fn select(&mut self, room: Room) -> Vec<Wire> {
        let mut picking = Picking::new(room);
        let mut queues = self.queues_in_turn(room.transactions.saturating_add(MAX_MISFITS));
        while !queues.is_empty() {
            queues.retain_mut(|(member, queue)| {
                let picked = self.pick(queue, &mut picking);
                if picked {
                    self.last_served = Some(*member);
                }
                picked
            });
        }
        picking.picked
    }

    /// Each member's ready transactions, beginning with the member after the one that was served last.
    /// At most `most` of each: no more than a block holds can be picked of one member, misfits apart.
    fn queues_in_turn(&self, most: usize) -> Vec<(MemberId, std::vec::IntoIter<Hash>)> {
        let queue = |(member, share): (&MemberId, &Share)| {
            let ready = share.order.values().filter(|hash| self.is_ready(hash)).take(most).copied();
            (*member, ready.collect::<Vec<_>>().into_iter())
        };
        let first = self.last_served;
        let after = self.members.iter().filter(|(member, _)| first.is_none_or(|first| **member > first));
        let rest = self.members.iter().filter(|(member, _)| first.is_some_and(|first| **member <= first));
        after.chain(rest).map(queue).collect()
    }

    /// Picks the next of one member that fits; `false` when the member has none.
    fn pick(&self, queue: &mut std::vec::IntoIter<Hash>, picking: &mut Picking) -> bool {
        for hash in queue.by_ref().take(MAX_MISFITS) {
            if let Some(entry) = self.entries.get(&hash)
                && picking.take(&entry.transaction)
            {
                return true;
            }
        }
        false
    }

    fn is_ready(&self, hash: &Hash) -> bool {
        self.entries.get(hash).is_some_and(|entry| entry.parked_until.is_none())
    }

    /// Whether any transaction could go into a block now.
    pub fn has_ready(&self) -> bool {
        self.entries.len() > self.parked.len()
    }

    /// Keeps a transaction out of blocks until `until` (elapsed ms): the host had no room for it.
    pub fn park(&mut self, hash: &Hash, until: u64) {
        if let Some(entry) = self.entries.get_mut(hash) {
            if let Some(before) = entry.parked_until.replace(until) {
                self.parked.remove(&(before, *hash));
            }
            self.parked.insert((until, *hash));
        }
    }

    /// Lets parked transactions back in whose time has come.
    pub fn unpark(&mut self, now_ms: u64) {
        while let Some((until, hash)) = self.parked.first().copied().filter(|(until, _)| *until <= now_ms) {
            self.parked.remove(&(until, hash));
            if let Some(entry) = self.entries.get_mut(&hash) {
                entry.parked_until = None;
            }
        }
    }

    /// When the next parked transaction may come back.
    pub fn next_unpark(&self) -> Option<u64> {
        self.parked.first().map(|(until, _)| *until)
    }

    /// Removes one.
    pub fn remove(&mut self, hash: &Hash) {
        let Some(entry) = self.entries.remove(hash) else { return };
        let transaction = entry.transaction;
        self.bytes -= transaction.bytes.len();
        self.expiry.remove(&(transaction.expires_at, *hash));
        if let Some(until) = entry.parked_until {
            self.parked.remove(&(until, *hash));
        }
        if let Some(variants) = self.variants.get_mut(&transaction.id) {
            variants.retain(|variant| variant != hash);
            if variants.is_empty() {
                self.variants.remove(&transaction.id);
            }
        }
        if let Some(share) = self.members.get_mut(&transaction.member) {
            share.order.remove(&entry.arrival);
            share.bytes -= transaction.bytes.len();
            if share.order.is_empty() {
                self.members.remove(&transaction.member);
            }
        }
    }

    /// A block holds these ids: every variant of them goes, and everything that has expired at the block's time.
    pub fn committed(&mut self, ids: &[TransactionId], time: Timestamp) {
        for id in ids {
            for hash in self.variants.get(id).cloned().unwrap_or_default() {
                self.remove(&hash);
            }
        }
        while let Some((_, hash)) = self.expiry.first().copied().filter(|(expires_at, _)| *expires_at <= time) {
            self.remove(&hash);
        }
    }

    /// Transactions that are this node's to pass on and arrived at or before `before_ms`, oldest first.
    pub fn to_pass_on(&self, before_ms: u64, most: usize) -> Vec<Hash> {
        let local = self.entries.iter().filter(|(_, entry)| entry.local && entry.arrived_ms <= before_ms);
        let mut found: Vec<_> = local.map(|(hash, entry)| (entry.arrival, *hash)).collect();
        found.sort_unstable();
        found.into_iter().take(most).map(|(_, hash)| hash).collect()
    }

    /// Whether any is this node's to pass on.
    pub fn has_local(&self) -> bool {
        self.entries.values().any(|entry| entry.local)
    }

    /// Its bounds.
    pub fn limits(&self) -> &MempoolLimits {
        &self.limits
    }

    /// Transactions that wait.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Their bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// A selection under way.
struct Picking {
    room: Room,
    ids: BTreeSet<TransactionId>,
    picked: Vec<Wire>,
}

impl Picking {
    fn new(room: Room) -> Self {
        Self { room, ids: BTreeSet::new(), picked: Vec::new() }
    }

    fn take(&mut self, transaction: &PooledTransaction) -> bool {
        let size = transaction.bytes.len();
        let fits = self.room.transactions > 0 && transaction.gas <= self.room.gas && size <= self.room.bytes;
        if !(fits || self.picked.is_empty()) || !self.ids.insert(transaction.id) {
            return false;
        }
        self.room.gas = self.room.gas.saturating_sub(transaction.gas);
        self.room.bytes = self.room.bytes.saturating_sub(size);
        self.room.transactions = self.room.transactions.saturating_sub(1);
        self.picked.push(Wire { hash: transaction.wire_hash, bytes: transaction.bytes.clone() });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: Room = Room { gas: 1_000, bytes: 10_000, transactions: 100 };

    fn pool() -> Mempool {
        Mempool::new(MempoolLimits { transactions: 10, bytes: 1_000, member_transactions: 8, member_bytes: 800 })
    }

    fn transaction(member: u8, number: u8) -> PooledTransaction {
        PooledTransaction {
            id: TransactionId([number; 32]),
            wire_hash: Hash([number; 32]),
            bytes: vec![number; 10].into(),
            gas: 100,
            member: MemberId([member; 16]),
            expires_at: Timestamp(1_000),
        }
    }

    fn insert(pool: &mut Mempool, transaction: PooledTransaction) -> Result<(), Refusal> {
        pool.insert(transaction, false, Timestamp(500), &BLOCK, 0)
    }

    fn numbers(picked: &[Wire]) -> Vec<u8> {
        picked.iter().map(|wire| wire.hash.0[0]).collect()
    }

    #[test]
    fn members_take_turns_however_much_one_of_them_sends() {
        let mut pool = pool();
        for number in 1..=6 {
            insert(&mut pool, transaction(1, number)).unwrap();
        }
        insert(&mut pool, transaction(2, 7)).unwrap();
        insert(&mut pool, transaction(3, 8)).unwrap();
        let room = Room { transactions: 4, ..BLOCK };
        assert_eq!(numbers(&pool.select(room)), [1, 7, 8, 2]);
        // The next block begins with the member after the one that was served last.
        assert_eq!(numbers(&pool.select(room))[..2], [7, 8]);
    }

    #[test]
    fn a_block_holds_one_variant_of_an_id_and_the_others_go_when_it_ran() {
        let mut pool = pool();
        for number in 1..=4 {
            let variant = PooledTransaction { id: TransactionId([9; 32]), ..transaction(1, number) };
            insert(&mut pool, variant).unwrap();
        }
        let fifth = PooledTransaction { id: TransactionId([9; 32]), ..transaction(1, 5) };
        assert_eq!(insert(&mut pool, fifth), Err(Refusal::TooManyVariants));
        assert_eq!(numbers(&pool.select(BLOCK)), [1]);
        pool.committed(&[TransactionId([9; 32])], Timestamp(600));
        assert_eq!((pool.len(), pool.bytes()), (0, 0));
    }

    #[test]
    fn gas_and_bytes_bound_a_selection_but_one_always_goes() {
        let mut pool = pool();
        for number in 1..=5 {
            insert(&mut pool, transaction(1, number)).unwrap();
        }
        assert_eq!(pool.select(Room { gas: 250, ..BLOCK }).len(), 2);
        assert_eq!(pool.select(Room { bytes: 35, ..BLOCK }).len(), 3);
        assert_eq!(pool.select(Room { gas: 1, ..BLOCK }).len(), 1);
    }

    #[test]
    fn bytes_are_bounded_for_one_member_and_for_all() {
        let sized = |member, number, bytes| PooledTransaction {
            bytes: vec![number; bytes].into(),
            ..transaction(member, number)
        };
        let mut pool = pool();
        assert_eq!(insert(&mut pool, sized(1, 1, 801)), Err(Refusal::MemberQuota));
        insert(&mut pool, sized(1, 1, 800)).unwrap();
        assert_eq!(insert(&mut pool, sized(1, 2, 1)), Err(Refusal::MemberQuota));
        insert(&mut pool, sized(2, 3, 200)).unwrap();
        assert_eq!(pool.bytes(), 1_000);
        // Full: who has least gets room from who has most, and never more than there is.
        insert(&mut pool, sized(3, 4, 100)).unwrap();
        assert_eq!((pool.bytes(), pool.len()), (300, 2));
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let mut pool = pool();
        insert(&mut pool, transaction(1, 1)).unwrap();
        assert_eq!(insert(&mut pool, transaction(1, 1)), Err(Refusal::AlreadyPending));
        let expired = PooledTransaction { expires_at: Timestamp(500), ..transaction(1, 2) };
        assert_eq!(insert(&mut pool, expired), Err(Refusal::Expired));
        let costly = PooledTransaction { gas: 1_001, ..transaction(1, 2) };
        assert_eq!(insert(&mut pool, costly), Err(Refusal::TooLarge));
        for number in 2..=8 {
            insert(&mut pool, transaction(1, number)).unwrap();
        }
        assert_eq!(insert(&mut pool, transaction(1, 9)), Err(Refusal::MemberQuota));
    }

    #[test]
    fn a_flood_gives_way_to_other_members_but_not_to_itself() {
        let mut pool = pool();
        for number in 1..=8 {
            insert(&mut pool, transaction(1, number)).unwrap();
        }
        for number in 9..=11 {
            insert(&mut pool, transaction(2, number)).unwrap();
        }
        assert_eq!(pool.len(), 10);
        assert!(pool.get(&Hash([8; 32])).is_none(), "the newest of the flood went");
        assert_eq!(insert(&mut pool, transaction(1, 12)), Err(Refusal::Full));
    }

    fn long(member: u8, number: u8, bytes: usize) -> PooledTransaction {
        PooledTransaction { bytes: vec![number; bytes].into(), ..transaction(member, number) }
    }

    #[test]
    fn bytes_are_bounded_as_numbers_are_for_a_member_and_for_all() {
        let mut pool = pool();
        for (number, bytes) in [(1, 300), (2, 300), (3, 200)] {
            insert(&mut pool, long(1, number, bytes)).unwrap();
        }
        assert_eq!(insert(&mut pool, long(1, 4, 1)), Err(Refusal::MemberQuota));
        insert(&mut pool, long(2, 5, 200)).unwrap();
        assert_eq!(pool.bytes(), 1_000);
        // The member with the most bytes gives way, not the one with the most transactions.
        for number in 6..=9 {
            insert(&mut pool, long(3, number, 1)).unwrap();
        }
        assert_eq!((pool.bytes(), pool.len()), (804, 7));
        assert!(pool.get(&Hash([3; 32])).is_none(), "the newest of the member with the most bytes went");
        assert_eq!(
            insert(&mut pool, long(2, 10, 500)),
            Err(Refusal::Full),
            "whoever has less does not make room for more"
        );
        assert_eq!((pool.bytes(), pool.len()), (804, 7));
    }

    #[test]
    fn what_expired_leaves_with_the_block() {
        let mut pool = pool();
        insert(&mut pool, transaction(1, 1)).unwrap();
        insert(&mut pool, PooledTransaction { expires_at: Timestamp(2_000), ..transaction(1, 2) }).unwrap();
        pool.committed(&[], Timestamp(1_000));
        assert_eq!(numbers(&pool.select(BLOCK)), [2]);
    }

    #[test]
    fn a_parked_transaction_waits_for_its_time() {
        let mut pool = pool();
        insert(&mut pool, transaction(1, 1)).unwrap();
        pool.park(&Hash([1; 32]), 50);
        assert!(!pool.has_ready());
        assert!(pool.select(BLOCK).is_empty());
        assert_eq!(pool.next_unpark(), Some(50));
        pool.unpark(50);
        assert_eq!(numbers(&pool.select(BLOCK)), [1]);
        pool.remove(&Hash([1; 32]));
        assert_eq!((pool.next_unpark(), pool.has_ready()), (None, false));
    }

    #[test]
    fn only_what_is_ours_is_passed_on_again() {
        let mut pool = pool();
        pool.insert(transaction(1, 1), true, Timestamp(0), &BLOCK, 5).unwrap();
        pool.insert(transaction(1, 2), false, Timestamp(0), &BLOCK, 5).unwrap();
        assert_eq!(pool.to_pass_on(4, 10), []);
        assert_eq!(pool.to_pass_on(5, 10), [Hash([1; 32])]);
    }
}
