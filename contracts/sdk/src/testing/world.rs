//! What the test chain holds, and how a failed call is undone.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{ContractCode, Failure};
use crate::{AccountId, ContractId, Day, Hash, MemberId, MemberStatus, Role};

/// A pending call of the agenda.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgendaEntry {
    /// When it runs.
    pub due: Day,
    /// Its id: entries of one day run in its order.
    pub id: Hash,
    /// Which contract it calls.
    pub contract: ContractId,
    /// With which message.
    pub message: Vec<u8>,
    /// With how much gas.
    pub gas: u64,
}

/// An entry that has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgendaRun {
    /// The entry.
    pub entry: AgendaEntry,
    /// Its output, or why there is none. The chain retries a failed entry by rule; a test chain only records it.
    pub result: Result<Vec<u8>, Failure>,
}

/// Everything that a refused call must leave as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// All contracts' storage.
    pub storage: BTreeMap<(ContractId, Vec<u8>), Vec<u8>>,
    /// All events so far.
    pub events: Vec<(ContractId, Vec<u8>)>,
    /// What is pending.
    pub agenda: Vec<AgendaEntry>,
}

pub(super) struct Member {
    pub roles: BTreeSet<Role>,
    pub status: MemberStatus,
}

pub(super) struct Account {
    pub member: MemberId,
    /// Up to this many minor units, so many persons; ascending, the last one for all above.
    pub tiers: Vec<(i128, u32)>,
}

pub(super) struct Calendar {
    pub first: Day,
    pub last: Day,
    /// Days that are other than their weekday.
    pub exceptions: BTreeMap<Day, bool>,
}

impl Calendar {
    pub fn is_open(&self, day: Day) -> Option<bool> {
        // 1970-01-01 was a Thursday: 0 is Monday.
        let weekday = (day + 3).rem_euclid(7);
        (self.first..=self.last).contains(&day).then(|| self.exceptions.get(&day).copied().unwrap_or(weekday < 5))
    }
}

/// How to take back one write.
pub(super) enum Undo {
    Storage((ContractId, Vec<u8>), Option<Vec<u8>>),
    Event,
    Scheduled((Day, Hash)),
    Cancelled(AgendaEntry),
    Spent((AccountId, [u8; 3]), Option<i128>),
}

/// Of the transaction or agenda entry that runs.
#[derive(Default)]
pub(super) struct Origin {
    pub id: [u8; 32],
    pub scheduled: u32,
    pub approvals: BTreeMap<AccountId, u32>,
    pub date: Option<Day>,
}

pub(super) struct World {
    pub code: BTreeMap<ContractId, Rc<dyn ContractCode>>,
    pub storage: BTreeMap<(ContractId, Vec<u8>), Vec<u8>>,
    pub events: Vec<(ContractId, Vec<u8>)>,
    pub agenda: BTreeMap<(Day, Hash), AgendaEntry>,
    pub members: BTreeMap<MemberId, Member>,
    pub accounts: BTreeMap<AccountId, Account>,
    pub calendars: BTreeMap<String, Calendar>,
    pub parameters: BTreeMap<String, Vec<u8>>,
    /// What an account moved today, which its policy's tiers count.
    pub spent: BTreeMap<(AccountId, [u8; 3]), i128>,
    pub date: Day,
    pub height: u64,
    pub agenda_quota: usize,
    pub origin: Origin,
    pub stack: Vec<ContractId>,
    pub journal: Vec<Undo>,
    pub log: Vec<String>,
}

impl World {
    pub fn new() -> Self {
        Self {
            code: BTreeMap::new(),
            storage: BTreeMap::new(),
            events: Vec::new(),
            agenda: BTreeMap::new(),
            members: BTreeMap::new(),
            accounts: BTreeMap::new(),
            calendars: BTreeMap::new(),
            parameters: BTreeMap::new(),
            spent: BTreeMap::new(),
            date: 0,
            height: 1,
            agenda_quota: usize::MAX,
            origin: Origin::default(),
            stack: Vec::new(),
            journal: Vec::new(),
            log: Vec::new(),
        }
    }

    pub fn put(&mut self, key: (ContractId, Vec<u8>), value: Option<Vec<u8>>) {
        let previous = match value {
            Some(value) => self.storage.insert(key.clone(), value),
            None => self.storage.remove(&key),
        };
        self.journal.push(Undo::Storage(key, previous));
    }

    pub fn schedule(&mut self, entry: AgendaEntry) {
        let at = (entry.due, entry.id);
        self.agenda.insert(at, entry);
        self.journal.push(Undo::Scheduled(at));
    }

    pub fn cancel(&mut self, contract: ContractId, id: Hash) -> bool {
        let own = self.agenda.values().find(|entry| entry.id == id && entry.contract == contract).cloned();
        let Some(entry) = own else { return false };
        self.agenda.remove(&(entry.due, entry.id));
        self.journal.push(Undo::Cancelled(entry));
        true
    }

    /// Adds to what the account moved today; answers the sum.
    pub fn spend(&mut self, account: AccountId, currency: [u8; 3], minor: i128) -> i128 {
        let key = (account, currency);
        let before = self.spent.get(&key).copied();
        let sum = before.unwrap_or_default().saturating_add(minor.max(0));
        self.spent.insert(key, sum);
        self.journal.push(Undo::Spent(key, before));
        sum
    }

    /// Takes back everything since the journal had `mark` lines, the newest first.
    pub fn undo_to(&mut self, mark: usize) {
        while self.journal.len() > mark {
            match self.journal.pop() {
                Some(Undo::Storage(key, Some(value))) => drop(self.storage.insert(key, value)),
                Some(Undo::Storage(key, None)) => drop(self.storage.remove(&key)),
                Some(Undo::Event) => drop(self.events.pop()),
                Some(Undo::Scheduled(at)) => drop(self.agenda.remove(&at)),
                Some(Undo::Cancelled(entry)) => drop(self.agenda.insert((entry.due, entry.id), entry)),
                Some(Undo::Spent(key, Some(sum))) => drop(self.spent.insert(key, sum)),
                Some(Undo::Spent(key, None)) => drop(self.spent.remove(&key)),
                None => {}
            }
        }
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            storage: self.storage.clone(),
            events: self.events.clone(),
            agenda: self.agenda.values().cloned().collect(),
        }
    }
}
