//! One thing that runs on the state: a transaction, an agenda entry, a question. Enters contracts and modules, keeps the call
//! stack, undoes what fails, collects events.
//!
//! Must never turn the host's trouble into an outcome: that is a [`HostFault`](portolan_vm::HostFault), and the block has none.

use std::sync::Arc;

use portolan_primitives::{AccountId, BusinessDate, Caller, ContractId, Currency, Event, FailureReason, Hash};
use portolan_vm::abi::{
    Authorization, CallRefusal, Entry, MAX_CALL_DEPTH, MAX_EVENT_BYTES, MAX_EVENTS, MAX_MESSAGE_BYTES, NOT_COVERED,
    ScheduleRefusal, UNKNOWN_CALENDAR,
};
use portolan_vm::{CallResult, CallReturn, HostResult, Pool};

use crate::block::BlockFacts;
use crate::frame::Frame;
use crate::genesis::NetworkKind;
use crate::ledger::{Ledger, fault};
use crate::native::records::{Calendar, Instance, YearDays};
use crate::native::{Approver, Context, Native, NativeError, Sender, agenda};
use crate::runtime::Runtime;
use crate::{authority, gas};

/// What runs.
pub(crate) struct Run {
    /// Id of the transaction or entry.
    pub id: Hash,
    /// On whose behalf; none for the agenda, genesis and questions.
    pub sender: Option<Sender>,
    /// Who approved.
    pub approvers: Vec<Approver>,
    /// The date it sees.
    pub date: BusinessDate,
    /// Makes its agenda entries: how deep in entries made by entries for a date already reached.
    pub agenda_depth: u8,
    /// Whose quota its agenda entries count in.
    pub agenda_quota: u64,
}

impl Run {
    /// Of nobody: genesis, questions, the agenda.
    pub(crate) fn of_nobody(id: Hash, date: BusinessDate) -> Self {
        Self { id, sender: None, approvers: vec![], date, agenda_depth: 0, agenda_quota: u64::MAX }
    }
}

/// How one call ended.
pub(crate) struct Ended {
    /// Gas used, at most what was given.
    pub gas: u64,
    /// Output, or why there is none.
    pub result: Result<Vec<u8>, FailureReason>,
}

/// The rules of the block that the session must know.
pub(crate) struct SessionRules {
    /// Height, time, date and kind.
    pub facts: BlockFacts,
    /// Most gas that an entry may ask for.
    pub entry_gas: u64,
    /// Whether nothing may be written.
    pub read_only: bool,
}

/// See the module.
pub struct Session {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) ledger: Ledger,
    rules: SessionRules,
    run: Run,
    stack: Vec<ContractId>,
    events: Vec<Event>,
    /// Events of the top-level call under way, undone ones included, and their bytes.
    emitted: (u32, usize),
    /// Entries made by this run, to give each its own id.
    made: u32,
    /// Entries that count in the quota.
    scheduled: u64,
}

/// What to go back to.
struct Mark {
    events: usize,
    scheduled: u64,
}

impl Session {
    pub(crate) fn new(runtime: Arc<Runtime>, ledger: Ledger, rules: SessionRules) -> Self {
        let run = Run::of_nobody(Hash::ZERO, rules.facts.business_date);
        Self { runtime, ledger, rules, run, stack: vec![], events: vec![], emitted: (0, 0), made: 0, scheduled: 0 }
    }

    /// Begins something new; what the last one left is dropped.
    pub(crate) fn start(&mut self, run: Run) {
        self.run = run;
        self.stack.clear();
        self.events.clear();
        self.made = 0;
        self.scheduled = 0;
    }

    /// The ledger, when nothing runs any more.
    pub(crate) fn into_ledger(self) -> Ledger {
        self.ledger
    }

    /// Events so far.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Agenda entries made so far that count in the quota.
    pub(crate) fn scheduled(&self) -> u64 {
        self.scheduled
    }

    pub(crate) fn set_business_date(&mut self, date: BusinessDate) {
        self.rules.facts.business_date = date;
    }

    /// The block's facts under the date that the running thing sees.
    pub(crate) fn facts(&self) -> BlockFacts {
        BlockFacts { business_date: self.run.date, ..self.rules.facts }
    }

    /// The block's facts as the chain sees them.
    pub(crate) fn block_facts(&self) -> BlockFacts {
        self.rules.facts
    }

    pub(crate) fn read_only(&self) -> bool {
        self.rules.read_only
    }

    pub(crate) fn transaction_id(&self) -> Hash {
        self.run.id
    }

    fn is_top_level(&self) -> bool {
        self.stack.len() == 1
    }

    pub(crate) fn sender_if_top_level(&self) -> Option<Sender> {
        self.run.sender.filter(|_| self.is_top_level())
    }

    pub(crate) fn approvers_if_top_level(&self) -> &[Approver] {
        if self.is_top_level() { &self.run.approvers } else { &[] }
    }

    /// Makes a top-level call, undoing all that it did if it fails.
    pub(crate) fn enter_top(
        &mut self,
        contract: ContractId,
        caller: Caller,
        entry: Entry,
        input: &[u8],
        gas: u64,
    ) -> HostResult<Ended> {
        self.stack.clear();
        self.emitted = (0, 0);
        let mark = self.mark();
        let mut ended = self.dispatch(contract, caller, entry, input, gas);
        if self.emitted.0 > MAX_EVENTS || self.emitted.1 > MAX_EVENT_BYTES {
            ended = ended.map(|_| Ended { gas, result: Err(FailureReason::Trapped) });
        }
        self.settle(mark, ended)
    }

    fn dispatch(
        &mut self,
        contract: ContractId,
        caller: Caller,
        entry: Entry,
        input: &[u8],
        gas: u64,
    ) -> HostResult<Ended> {
        self.stack.push(contract);
        let ended = match Native::from_id(contract) {
            Some(native) => self.enter_native(native, caller, entry, input, gas),
            None => self.enter_wasm(contract, caller, entry, input, gas),
        };
        self.stack.pop();
        ended
    }

    fn settle(&mut self, mark: Mark, ended: HostResult<Ended>) -> HostResult<Ended> {
        if ended.as_ref().is_ok_and(|ended| ended.result.is_ok()) {
            self.ledger.commit();
        } else {
            self.undo(mark);
        }
        ended
    }

    fn mark(&mut self) -> Mark {
        self.ledger.begin();
        Mark { events: self.events.len(), scheduled: self.scheduled }
    }

    fn undo(&mut self, mark: Mark) {
        self.ledger.revert();
        self.events.truncate(mark.events);
        self.scheduled = mark.scheduled;
    }

    fn enter_native(
        &mut self,
        native: Native,
        caller: Caller,
        entry: Entry,
        input: &[u8],
        gas: u64,
    ) -> HostResult<Ended> {
        let mut context = Context::new(self, native, caller, gas);
        let result = context.charge(gas::CALL).and_then(|()| match entry {
            Entry::Call => native.module().call(&mut context, input),
            Entry::Query => native.module().query(&mut context, input),
            Entry::Instantiate | Entry::Migrate => Err(NativeError::bad_message()),
        });
        let used = gas - context.gas_left();
        match result {
            Ok(output) => Ok(Ended { gas: used, result: Ok(output) }),
            Err(NativeError::Refused(error)) => Ok(Ended { gas: used, result: Err(FailureReason::Reverted(error)) }),
            Err(NativeError::OutOfGas) => Ok(Ended { gas, result: Err(FailureReason::OutOfGas) }),
            Err(NativeError::TooLarge) => Ok(Ended { gas, result: Err(FailureReason::Trapped) }),
            Err(NativeError::Fault(fault)) => Err(fault),
        }
    }

    fn enter_wasm(
        &mut self,
        contract: ContractId,
        caller: Caller,
        entry: Entry,
        input: &[u8],
        gas: u64,
    ) -> HostResult<Ended> {
        let Some(left) = gas.checked_sub(gas::CALL) else {
            return Ok(Ended { gas, result: Err(FailureReason::OutOfGas) });
        };
        let Some(instance) = self.ledger.get_kept::<Instance>(&contract)? else {
            return Ok(Ended { gas: gas::CALL, result: Err(FailureReason::UnknownContract) });
        };
        let runtime = Arc::clone(&self.runtime);
        let module = runtime.vm.load(&instance.code, || self.ledger.code(&instance.code)).map_err(fault)?;
        let pool = if self.read_only() { Pool::Query } else { Pool::Block };
        let mut frame = Frame { session: self, contract, caller };
        let outcome = runtime.vm.run(&module, entry, input, left, pool, &mut frame).map_err(fault)?;
        let result = match outcome.result {
            CallResult::Ok(output) => Ok(output),
            CallResult::Reverted(error) => Err(FailureReason::Reverted(error)),
            CallResult::OutOfGas => Err(FailureReason::OutOfGas),
            CallResult::Trapped(_) => Err(FailureReason::Trapped),
        };
        Ok(Ended { gas: gas::CALL + outcome.gas_used, result })
    }

    /// A call from a contract or module to another.
    pub(crate) fn call_nested(
        &mut self,
        contract: ContractId,
        caller: Caller,
        entry: Entry,
        input: &[u8],
        gas: u64,
    ) -> HostResult<CallReturn> {
        let refused = |refusal| Ok(CallReturn { result: Err((refusal, vec![])), gas_used: 0 });
        if self.stack.len() >= MAX_CALL_DEPTH as usize {
            return refused(CallRefusal::TooDeep);
        }
        if self.stack.contains(&contract) {
            return refused(CallRefusal::Reentrant);
        }
        let mark = self.mark();
        let ended = self.dispatch(contract, caller, entry, input, gas);
        let ended = self.settle(mark, ended)?;
        let result = ended.result.map_err(|reason| match reason {
            FailureReason::Reverted(error) => (CallRefusal::Reverted, error),
            FailureReason::OutOfGas | FailureReason::Trapped => (CallRefusal::Failed, vec![]),
            FailureReason::UnknownContract => (CallRefusal::UnknownContract, vec![]),
        });
        Ok(CallReturn { result, gas_used: ended.gas })
    }

    /// Asks an account's policy; only in a transaction's top-level call.
    pub(crate) fn authorize(
        &mut self,
        account: AccountId,
        _action: &str,
        currency: Currency,
        minor: i128,
    ) -> HostResult<Authorization> {
        if self.read_only() || self.sender_if_top_level().is_none() {
            return Ok(Authorization::NotTopLevel);
        }
        let date = self.rules.facts.business_date;
        authority::authorize(&mut self.ledger, &self.run.approvers, date, account, currency, minor)
    }

    /// Records an event of `contract`. One beyond the bounds of a top-level call is dropped, and the call fails at its end.
    pub(crate) fn emit(&mut self, contract: ContractId, payload: Vec<u8>) {
        self.emitted = (self.emitted.0.saturating_add(1), self.emitted.1.saturating_add(payload.len()));
        if self.emitted.0 <= MAX_EVENTS && self.emitted.1 <= MAX_EVENT_BYTES {
            self.events.push(Event { contract, payload });
        }
    }

    /// Puts a message of `contract` to itself on the agenda.
    pub(crate) fn schedule(
        &mut self,
        contract: ContractId,
        due: BusinessDate,
        message: &[u8],
        gas: u64,
    ) -> HostResult<Result<Hash, ScheduleRefusal>> {
        if gas > self.rules.entry_gas {
            return Ok(Err(ScheduleRefusal::GasAboveBlock));
        }
        if message.len() > MAX_MESSAGE_BYTES {
            return Ok(Err(ScheduleRefusal::TooLong));
        }
        if self.scheduled >= self.run.agenda_quota {
            return Ok(Err(ScheduleRefusal::Quota));
        }
        self.scheduled += 1;
        let id = agenda::entry_id(&self.run.id, self.made);
        self.made += 1;
        let new = agenda::NewEntry { id, due, contract, message: message.to_vec(), gas };
        agenda::insert(&mut self.ledger, new, self.run.agenda_depth, self.rules.facts)?;
        Ok(Ok(Hash(id.0)))
    }

    /// Removes a pending entry of `contract`.
    pub(crate) fn cancel_schedule(&mut self, contract: ContractId, id: Hash) -> HostResult<bool> {
        agenda::cancel(&mut self.ledger, contract, portolan_primitives::AgendaId(id.0))
    }

    /// Answers as the table of the ABI says.
    pub(crate) fn is_business_day(&mut self, calendar: &str, day: i32) -> HostResult<i32> {
        let kind = self.rules.facts.kind;
        business_day(&mut self.ledger, kind, calendar, BusinessDate(day))
    }

    /// Keyed by the chain secret.
    pub(crate) fn consortium_hash(&self, data: &[u8]) -> Hash {
        self.runtime.secret.consortium_hash(data)
    }

    /// A line of a contract, for its developer.
    pub(crate) fn log(&mut self, contract: ContractId, line: &[u8]) {
        if self.rules.facts.kind == NetworkKind::Devnet {
            let line = String::from_utf8_lossy(line);
            tracing::debug!(target: "contract", %contract, height = self.rules.facts.height.0, "{line}");
        }
    }
}

/// Whether `date` is open in a calendar: 1, 0, or a negative code of the ABI.
pub(crate) fn business_day(
    ledger: &mut Ledger,
    kind: NetworkKind,
    calendar: &str,
    date: BusinessDate,
) -> HostResult<i32> {
    let year = u16::try_from(date.civil().0).unwrap_or(0);
    let name = calendar.to_owned();
    if let Some(days) = ledger.get::<YearDays>(&(name.clone(), year))? {
        let counts = !days.provisional || kind == NetworkKind::Devnet;
        let open = days.is_open(date).filter(|_| counts);
        return Ok(open.map_or(NOT_COVERED, i32::from));
    }
    let known = ledger.get::<Calendar>(&name)?.is_some();
    Ok(if known { NOT_COVERED } else { UNKNOWN_CALENDAR })
}
