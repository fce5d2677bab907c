//! The agenda: calls that fall due on a business date. A due date is a consensus event: the block that reaches it runs the
//! entry first, on every validator.
//!
//! An entry waits in a queue ordered by (day to run on, id) and has exactly one final outcome: it ran, it was cancelled by its
//! contract, or its attempts are used up and it lies among the failures, where governance may retry or drop it. Must never
//! lose one. Running is the block's work; this is the queue.

use std::collections::VecDeque;

use codec::{Decode, Encode};
use portolan_primitives::{AgendaId, BusinessDate, ContractId, Domain, FailureReason, Hash, Height, hash_parts};
use portolan_sdk::metadata::ContractMetadata;
use portolan_state::{StateKey, keys};
use portolan_vm::HostResult;
use scale_info::TypeInfo;

use super::records::Record;
use super::{Context, Native, NativeError, NativeModule, NativeResult, decode_message};
use crate::block::BlockFacts;
use crate::ledger::{Ledger, fault};

/// An entry made by an entry for a date already reached runs in the next block; after this many in a row it waits for the
/// next day, so that no contract can hold the business date.
pub const MAX_DEPTH: u8 = 16;
/// Most entries that one question answers.
pub const MAX_PAGE: u32 = 256;
/// Queue keys that are read at once.
const PAGE: usize = 64;

/// A call that is to be made.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Entry {
    /// The date that it sees.
    pub due: BusinessDate,
    /// The day that it waits for in the queue: its due date, or a later one after a failure.
    pub run_on: BusinessDate,
    /// Who scheduled it, and is called.
    pub contract: ContractId,
    /// The message.
    pub message: Vec<u8>,
    /// Gas of each attempt.
    pub gas: u64,
    /// The next attempt, from 1.
    pub attempt: u32,
    /// The block that put it into the queue: it runs in a later one.
    pub queued: Height,
    /// How many entries in a row made one another for a date already reached.
    pub depth: u8,
}

/// An entry whose attempts are used up.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct FailedEntry {
    /// The entry; `attempt` is the one that failed last.
    pub entry: Entry,
    /// The block of that attempt.
    pub height: Height,
    /// Why it failed.
    pub reason: FailureReason,
}

impl Record for FailedEntry {
    const MODULE: Native = Native::Agenda;
    const PREFIX: u8 = 1;
    type Id = AgendaId;
}

/// What a contract asks to be put on the agenda.
pub(crate) struct NewEntry {
    pub id: AgendaId,
    pub due: BusinessDate,
    pub contract: ContractId,
    pub message: Vec<u8>,
    pub gas: u64,
}

/// Id of the entry at `index` of those that a transaction or entry makes.
pub fn entry_id(origin: &Hash, index: u32) -> AgendaId {
    AgendaId(hash_parts(Domain::Agenda, &[&origin.0, &index.to_le_bytes()]).0)
}

/// Puts a new entry into the queue. `depth` is that of what makes it: 0 for a transaction.
pub(crate) fn insert(ledger: &mut Ledger, new: NewEntry, depth: u8, facts: BlockFacts) -> HostResult<()> {
    let depth = if new.due <= facts.business_date { depth } else { 0 };
    let run_on = if depth > MAX_DEPTH { facts.business_date.plus_days(1) } else { new.due };
    let NewEntry { id, due, contract, message, gas } = new;
    let depth = if depth > MAX_DEPTH { 0 } else { depth };
    put(ledger, &id, &Entry { due, run_on, contract, message, gas, attempt: 1, queued: facts.height, depth })
}

/// Writes an entry and its place in the queue.
fn put(ledger: &mut Ledger, id: &AgendaId, entry: &Entry) -> HostResult<()> {
    ledger.put_raw(&keys::agenda_due(entry.run_on, id), entry.queued.encode())?;
    ledger.put_raw(&keys::agenda_entry(id), entry.encode())
}

/// The entry under `id`, if it waits.
pub(crate) fn get(ledger: &mut Ledger, id: &AgendaId) -> HostResult<Option<Entry>> {
    let value = ledger.get_raw(&keys::agenda_entry(id))?;
    value
        .map(|value| Entry::decode(&mut &*value).map_err(|_| fault(format!("agenda entry {id} does not decode"))))
        .transpose()
}

/// Takes an entry out of the queue.
fn remove(ledger: &mut Ledger, id: &AgendaId, entry: &Entry) -> HostResult<()> {
    ledger.delete_raw(&keys::agenda_due(entry.run_on, id))?;
    ledger.delete_raw(&keys::agenda_entry(id))
}

/// Removes a pending entry of `contract`; whether there was one.
pub(crate) fn cancel(ledger: &mut Ledger, contract: ContractId, id: AgendaId) -> HostResult<bool> {
    match get(ledger, &id)? {
        Some(entry) if entry.contract == contract => remove(ledger, &id, &entry).map(|()| true),
        _ => Ok(false),
    }
}

/// First of the queue: the day that it waits for and its id, whatever the day.
pub(crate) fn first(ledger: &mut Ledger) -> HostResult<Option<(BusinessDate, AgendaId)>> {
    Ok(ledger.scan_raw(&keys::agenda_due_area(), None, 1)?.first().and_then(|(key, _)| keys::agenda_due_parts(key)))
}

/// Walks the queue in order while entries run and change it. What is put into the queue meanwhile waits for a later block.
pub(crate) struct Walk {
    height: Height,
    after: Option<StateKey>,
    page: VecDeque<(BusinessDate, AgendaId)>,
}

impl Walk {
    /// From the queue's beginning, for the block at `height`.
    pub(crate) fn new(height: Height) -> Self {
        Self { height, after: None, page: VecDeque::new() }
    }

    /// The next entry that waits for `date` or an earlier day.
    pub(crate) fn next(&mut self, ledger: &mut Ledger, date: BusinessDate) -> HostResult<Option<(AgendaId, Entry)>> {
        while let Some((day, id)) = self.peek(ledger)? {
            if day > date {
                return Ok(None);
            }
            self.page.pop_front();
            // An entry of the page may have been cancelled by one that ran since.
            if let Some(entry) = get(ledger, &id)?.filter(|entry| entry.queued < self.height) {
                return Ok(Some((id, entry)));
            }
        }
        Ok(None)
    }

    fn peek(&mut self, ledger: &mut Ledger) -> HostResult<Option<(BusinessDate, AgendaId)>> {
        if self.page.is_empty() {
            let page = ledger.scan_raw(&keys::agenda_due_area(), self.after.as_ref(), PAGE)?;
            self.after = page.last().map(|(key, _)| key.clone()).or(self.after.take());
            self.page.extend(page.iter().filter_map(|(key, _)| keys::agenda_due_parts(key)));
        }
        Ok(self.page.front().copied())
    }
}

/// Settles an attempt: gone if it succeeded, queued again for the next day, or recorded as failed.
pub(crate) fn settle(
    ledger: &mut Ledger,
    id: AgendaId,
    failure: Option<FailureReason>,
    attempts: u64,
    facts: BlockFacts,
) -> HostResult<()> {
    // An entry that cancelled itself while it ran has left the queue; that it ran is its outcome.
    let Some(entry) = get(ledger, &id)? else { return Ok(()) };
    remove(ledger, &id, &entry)?;
    match failure {
        None => Ok(()),
        Some(_) if u64::from(entry.attempt) < attempts => {
            let run_on = facts.business_date.plus_days(1);
            put(ledger, &id, &Entry { run_on, attempt: entry.attempt + 1, queued: facts.height, ..entry })
        }
        Some(reason) => ledger.put(&id, &FailedEntry { entry, height: facts.height, reason }),
    }
}

/// Why a message about the agenda was refused.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum AgendaError {
    /// Only governance may do this; make a proposal with `portolan governance propose`.
    #[codec(index = 0)]
    NotGoverned,
    /// No entry failed under that id.
    #[codec(index = 1)]
    NotFailed,
    /// No entry waits under that id.
    #[codec(index = 2)]
    UnknownEntry,
}

/// What happened on the agenda, beside the entries' own receipts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum AgendaEvent {
    /// A failed entry is queued again.
    #[codec(index = 0)]
    Retried {
        /// The entry.
        id: AgendaId,
    },
    /// A failed entry was given up.
    #[codec(index = 1)]
    Dropped {
        /// The entry.
        id: AgendaId,
    },
}

/// An entry as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct EntryView {
    /// Its id.
    pub id: AgendaId,
    /// The entry.
    pub entry: Entry,
}

/// A failed entry as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct FailedView {
    /// Its id.
    pub id: AgendaId,
    /// What failed.
    pub failed: FailedEntry,
}

/// What falls due by itself.
#[portolan_sdk::interface(name = "agenda", error = AgendaError, event = AgendaEvent, module = messages)]
pub trait Messages {
    /// Governance: queues a failed entry again, with all its attempts, for the next block.
    #[call(index = 0)]
    fn retry(&mut self, id: AgendaId) -> Result<(), AgendaError>;
    /// Governance: gives a failed entry up.
    #[call(index = 1)]
    fn give_up(&mut self, id: AgendaId) -> Result<(), AgendaError>;
    /// Entries in the order in which they run, from a day of the queue (`run_on`) on, after an entry of that day if one is
    /// given; at most `limit` (256).
    #[query(index = 0, path = "/agenda")]
    fn waiting(
        &self,
        from: Option<BusinessDate>,
        after: Option<AgendaId>,
        limit: u32,
    ) -> Result<Vec<EntryView>, AgendaError>;
    /// One waiting entry.
    #[query(index = 1, path = "/agenda/{id}")]
    fn entry(&self, id: AgendaId) -> Result<EntryView, AgendaError>;
    /// Entries whose attempts are used up.
    #[query(index = 2, path = "/agenda-failures")]
    fn failed(&self, after: Option<AgendaId>, limit: u32) -> Result<Vec<FailedView>, AgendaError>;
}

/// The module.
pub struct Agenda;

impl NativeModule for Agenda {
    fn metadata(&self) -> ContractMetadata {
        messages::metadata()
    }

    fn call(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>> {
        let message: messages::Call = decode_message(input)?;
        if !context.is_governance() {
            return Err(NativeError::refused(AgendaError::NotGoverned));
        }
        match message {
            messages::Call::Retry { id } => retry(context, id)?,
            messages::Call::GiveUp { id } => give_up(context, id)?,
        }
        Ok(().encode())
    }

    fn query(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>> {
        match decode_message(input)? {
            messages::Query::Waiting { from, after, limit } => Ok(waiting(context, from, after, limit)?.encode()),
            messages::Query::Entry { id } => {
                context.charge(crate::gas::NATIVE_READ)?;
                let entry = get(&mut context.session().ledger, &id)?;
                Ok(EntryView { id, entry: entry.ok_or_else(|| NativeError::refused(AgendaError::UnknownEntry))? }
                    .encode())
            }
            messages::Query::Failed { after, limit } => {
                let found = context.list::<FailedEntry>(&[], after.as_ref(), limit)?;
                Ok(found.into_iter().map(|(id, failed)| FailedView { id, failed }).collect::<Vec<_>>().encode())
            }
        }
    }
}

fn take_failed(context: &mut Context<'_>, id: AgendaId) -> NativeResult<Entry> {
    let failed = context.get::<FailedEntry>(&id)?.ok_or_else(|| NativeError::refused(AgendaError::NotFailed))?;
    context.delete::<FailedEntry>(&id)?;
    Ok(failed.entry)
}

fn retry(context: &mut Context<'_>, id: AgendaId) -> NativeResult<()> {
    let entry = take_failed(context, id)?;
    context.charge(crate::gas::NATIVE_SCHEDULE)?;
    let facts = context.session().block_facts();
    let again = Entry { run_on: facts.business_date, attempt: 1, queued: facts.height, depth: 0, ..entry };
    put(&mut context.session().ledger, &id, &again)?;
    context.emit(&AgendaEvent::Retried { id })
}

fn give_up(context: &mut Context<'_>, id: AgendaId) -> NativeResult<()> {
    take_failed(context, id)?;
    context.emit(&AgendaEvent::Dropped { id })
}

fn waiting(
    context: &mut Context<'_>,
    from: Option<BusinessDate>,
    after: Option<AgendaId>,
    limit: u32,
) -> NativeResult<Vec<EntryView>> {
    let limit = limit.min(MAX_PAGE);
    context.charge(crate::gas::NATIVE_READ * 2 * u64::from(limit))?;
    let area = keys::agenda_due_area();
    // Just before the first entry of the day: nothing sorts before an all-zero id.
    let start = from.map(|day| keys::agenda_due(day, &after.unwrap_or_default()));
    let page = context.session().ledger.scan_raw(&area, start.as_ref(), limit as usize)?;
    let ids = page.iter().filter_map(|(key, _)| keys::agenda_due_parts(key)).map(|(_, id)| id);
    let mut entries = vec![];
    for id in ids {
        let entry = get(&mut context.session().ledger, &id)?;
        let bytes = entry.as_ref().map_or(0, |entry| entry.message.len() as u64);
        context.charge(crate::gas::NATIVE_READ_BYTE * bytes)?;
        entries.extend(entry.map(|entry| EntryView { id, entry }));
    }
    Ok(entries)
}
