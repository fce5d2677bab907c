//! The test chain as a test sees it.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use codec::{Decode, Encode};

use super::{
    ContractCode, Failure, NativeContract,
    frame::{self, Frame},
    world::{Account, AgendaEntry, AgendaRun, Calendar, Member, Origin, Snapshot, World},
};
use crate::{
    AccountId, CallRefusal, Caller, ContractError, ContractId, Day, Entry, Hash, MemberId, MemberStatus,
    QueryTransport, Role, Transport, message::decode_whole,
};

/// Context of the ids of the test chain's members, accounts and transactions.
const ID_CONTEXT: &str = "portolan test chain id";
/// Most entries that one day may run: a contract that schedules for today for ever is an error of the test's.
const MAX_RUNS_A_DAY: usize = 10_000;

/// Chooses the code that stands for a contract: itself natively, or its wasm in a VM.
pub type Loader = Rc<dyn Fn(&NativeContract) -> Rc<dyn ContractCode>>;
/// What an advance ran, in order.
pub type Agenda = Vec<AgendaRun>;

/// A chain in memory. A clone is the same chain.
#[derive(Clone)]
pub struct TestChain {
    world: Rc<RefCell<World>>,
    loader: Loader,
}

impl Default for TestChain {
    fn default() -> Self {
        Self::new()
    }
}

impl TestChain {
    /// An empty chain on 1970-01-01, on which contracts run natively.
    #[must_use]
    pub fn new() -> Self {
        Self::with_loader(Rc::new(|contract: &NativeContract| Rc::new(*contract) as Rc<dyn ContractCode>))
    }

    /// The same, with the code that `loader` chooses.
    #[must_use]
    pub fn with_loader(loader: Loader) -> Self {
        Self { world: Rc::new(RefCell::new(World::new())), loader }
    }

    /// Adds an active member.
    pub fn member(&self, name: &str, roles: &[Role]) -> MemberId {
        let id = MemberId(id_of("member", name.as_bytes()));
        let member = Member { roles: roles.iter().copied().collect(), status: MemberStatus::Active };
        self.world.borrow_mut().members.insert(id, member);
        id
    }

    /// Adds an account of the member's; one person suffices for any amount, until [`policy`](Self::policy) says otherwise.
    pub fn account(&self, member: MemberId, name: &str) -> AccountId {
        let id = AccountId(id_of("account", &(member, name).encode()));
        self.world.borrow_mut().accounts.insert(id, Account { member, tiers: vec![(i128::MAX, 1)] });
        id
    }

    /// Sets the account's tiers, ascending: up to so many minor units a day and currency, so many persons.
    pub fn policy(&self, account: AccountId, tiers: &[(i128, u32)]) {
        if let Some(account) = self.world.borrow_mut().accounts.get_mut(&account) {
            account.tiers = tiers.to_vec();
        }
    }

    /// Freezes a member, lets it leave, and so on.
    pub fn set_status(&self, member: MemberId, status: MemberStatus) {
        if let Some(member) = self.world.borrow_mut().members.get_mut(&member) {
            member.status = status;
        }
    }

    /// Sets a governed parameter.
    pub fn set_parameter<T: Encode>(&self, name: &str, value: &T) {
        self.world.borrow_mut().parameters.insert(name.into(), value.encode());
    }

    /// Adds a calendar that covers `first` to `last` and is open from Monday to Friday.
    pub fn calendar(&self, name: &str, first: Day, last: Day) {
        self.world.borrow_mut().calendars.insert(name.into(), Calendar { first, last, exceptions: BTreeMap::new() });
    }

    /// Makes a day a business day or none, whatever its weekday.
    pub fn set_business_day(&self, calendar: &str, day: Day, open: bool) {
        if let Some(calendar) = self.world.borrow_mut().calendars.get_mut(calendar) {
            calendar.exceptions.insert(day, open);
        }
    }

    /// Lets the agenda hold at most so many pending entries.
    pub fn set_agenda_quota(&self, entries: usize) {
        self.world.borrow_mut().agenda_quota = entries;
    }

    /// Puts the business date without running anything: for the start of a story. See [`advance_to`](Self::advance_to).
    pub fn start_at(&self, day: Day) {
        let mut world = self.world.borrow_mut();
        world.date = day;
        world.spent.clear();
    }

    /// The business date.
    #[must_use]
    pub fn date(&self) -> Day {
        self.world.borrow().date
    }

    /// Creates a contract's instance which takes no arguments.
    ///
    /// # Panics
    /// If the contract refuses: a story can't begin without it.
    pub fn deploy(&self, contract: NativeContract) {
        self.enter(contract, Entry::Instantiate, &[]).expect("the contract refused to be instantiated");
    }

    /// Creates a contract's instance with an interface's `Instantiate`.
    ///
    /// # Errors
    /// The contract's refusal, or its trap; then the instance does not exist.
    pub fn deploy_with<A: Encode>(&self, contract: NativeContract, arguments: &A) -> Result<(), Failure> {
        self.enter(contract, Entry::Instantiate, &arguments.encode())
    }

    /// Replaces the contract's code and runs its migration with an interface's `Migrate`, or `()` if it declares none.
    ///
    /// # Errors
    /// The contract's refusal, or its trap; then the code is as before.
    pub fn upgrade<A: Encode>(&self, contract: NativeContract, arguments: &A) -> Result<(), Failure> {
        self.enter(contract, Entry::Migrate, &arguments.encode())
    }

    fn enter(&self, contract: NativeContract, entry: Entry, input: &[u8]) -> Result<(), Failure> {
        let code = (self.loader)(&contract);
        let before = self.world.borrow_mut().code.insert(contract.id, code);
        let result = self.transaction(
            Caller::Contract(contract.id),
            BTreeMap::new(),
            &[(contract.id, input.to_vec())],
            entry,
            0,
        );
        result
            .map(drop)
            .inspect_err(|_| {
                let mut world = self.world.borrow_mut();
                match before {
                    Some(code) => world.code.insert(contract.id, code),
                    None => world.code.remove(&contract.id),
                };
            })
            .map_err(|(_, failure)| failure.unwrap_or_else(|| Failure::Trapped("no such contract".into())))
    }

    /// Transactions that this account sends, approved by one person of it.
    #[must_use]
    pub fn as_account(&self, account: AccountId) -> Sender {
        Sender { chain: self.clone(), caller: Caller::Account(account), approvals: BTreeMap::from([(account, 1)]) }
    }

    /// Calls as another contract would make them, for methods that only a contract may call.
    #[must_use]
    pub fn as_contract(&self, contract: ContractId) -> Sender {
        Sender { chain: self.clone(), caller: Caller::Contract(contract), approvals: BTreeMap::new() }
    }

    /// Questions of the node's operator.
    #[must_use]
    pub fn as_operator(&self) -> Sender {
        Sender { chain: self.clone(), caller: Caller::Operator, approvals: BTreeMap::new() }
    }

    /// Moves the business date on, day by day, and runs what falls due: in the order of (due, id), each entry under its own
    /// date and with the contract itself as caller. A failing one leaves no trace but its result.
    ///
    /// # Panics
    /// If a day never ends, because its entries schedule new ones for it.
    pub fn advance_to(&self, day: Day) -> Agenda {
        let mut runs = Vec::new();
        while self.date() < day {
            let next = self.date() + 1;
            self.start_at(next);
            self.run_due(&mut runs);
        }
        runs
    }

    /// Runs what is due on the business date, such as entries that were made for a day already past.
    ///
    /// # Panics
    /// See [`advance_to`](Self::advance_to).
    pub fn run_agenda(&self) -> Agenda {
        let mut runs = Vec::new();
        self.run_due(&mut runs);
        runs
    }

    fn run_due(&self, runs: &mut Agenda) {
        for _ in 0..MAX_RUNS_A_DAY {
            let Some(entry) = self.take_due() else { return };
            let origin = Origin { id: entry.id.0, date: Some(entry.due), ..Origin::default() };
            self.begin(origin);
            let frame = self.frame(Caller::Contract(entry.contract), entry.contract, false, false);
            let result = frame::run(frame, Entry::Call, &entry.message, entry.gas);
            runs.push(AgendaRun { entry, result });
        }
        panic!("day {} does not end: its entries schedule new ones for it", self.date());
    }

    fn take_due(&self) -> Option<AgendaEntry> {
        let mut world = self.world.borrow_mut();
        let date = world.date;
        let first = world.agenda.first_entry().filter(|first| first.key().0 <= date)?;
        Some(first.remove())
    }

    /// What is pending, in the order in which it will run.
    #[must_use]
    pub fn agenda(&self) -> Vec<AgendaEntry> {
        self.world.borrow().agenda.values().cloned().collect()
    }

    /// All events of the contract so far.
    ///
    /// # Panics
    /// If one is no `E`.
    #[must_use]
    pub fn events<E: Decode>(&self, contract: ContractId) -> Vec<E> {
        let world = self.world.borrow();
        let own = world.events.iter().filter(|(emitter, _)| *emitter == contract);
        own.map(|(_, event)| decode_whole(event).expect("an event is not of the type asked for")).collect()
    }

    /// Lines that contracts logged.
    #[must_use]
    pub fn logged(&self) -> Vec<String> {
        self.world.borrow().log.clone()
    }

    /// Everything that a refused call must leave as it was: compare before and after.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.world.borrow().snapshot()
    }

    /// Runs `body` as the contract's own code, so that a test can look at its storage, or damage it.
    pub fn inside<T>(&self, contract: ContractId, body: impl FnOnce() -> T) -> T {
        let frame = self.frame(Caller::Contract(contract), contract, false, false);
        super::with_host(Rc::new(frame), body)
    }

    /// A signature of the message by the key, which the test chain (not the real one) accepts.
    #[must_use]
    pub fn sign(key: &[u8; 33], message: &[u8]) -> [u8; 65] {
        sign(key, message)
    }

    fn frame(&self, caller: Caller, contract: ContractId, read_only: bool, top_level: bool) -> Frame {
        Frame { world: Rc::clone(&self.world), contract, caller, read_only, top_level }
    }

    fn begin(&self, origin: Origin) {
        let mut world = self.world.borrow_mut();
        assert!(world.stack.is_empty(), "a transaction can't begin inside a contract");
        world.height += 1;
        world.journal.clear();
        world.origin = origin;
    }

    /// Runs calls one after the other, all or nothing; the failure says which one, and none if there is no such contract.
    fn transaction(
        &self,
        caller: Caller,
        approvals: BTreeMap<AccountId, u32>,
        calls: &[(ContractId, Vec<u8>)],
        entry: Entry,
        gas: u64,
    ) -> Result<Vec<Vec<u8>>, (usize, Option<Failure>)> {
        let top_level = matches!(caller, Caller::Account(_)) && entry == Entry::Call;
        let height = self.world.borrow().height;
        self.begin(Origin {
            id: blake3::derive_key(ID_CONTEXT, &height.to_le_bytes()),
            approvals,
            ..Origin::default()
        });
        let mut outputs = Vec::new();
        for (index, (contract, input)) in calls.iter().enumerate() {
            let known = self.world.borrow().code.contains_key(contract);
            let frame = self.frame(caller, *contract, entry == Entry::Query, top_level);
            let result = if known { frame::run(frame, entry, input, gas).map_err(Some) } else { Err(None) };
            match result {
                Ok(output) => outputs.push(output),
                Err(failure) => {
                    self.world.borrow_mut().undo_to(0);
                    return Err((index, failure));
                }
            }
        }
        Ok(outputs)
    }
}

/// Sends transactions and asks questions; give it to an interface's `Client::over`.
#[derive(Clone)]
pub struct Sender {
    chain: TestChain,
    caller: Caller,
    approvals: BTreeMap<AccountId, u32>,
}

impl Sender {
    /// The same, approved by so many different persons of `account` (0: by none).
    #[must_use]
    pub fn approved_by(mut self, account: AccountId, persons: u32) -> Self {
        self.approvals.insert(account, persons);
        self
    }

    /// One transaction of several calls (an interface's `CONTRACT` and encoded `Call`), all or nothing.
    ///
    /// # Errors
    /// The call that failed, and why; none if there is no such contract.
    pub fn transaction(&self, calls: &[(ContractId, Vec<u8>)]) -> Result<Vec<Vec<u8>>, (usize, Option<Failure>)> {
        self.chain.transaction(self.caller, self.approvals.clone(), calls, Entry::Call, 0)
    }

    fn one(
        &self,
        contract: ContractId,
        input: &[u8],
        entry: Entry,
        gas: u64,
    ) -> Result<Vec<u8>, (CallRefusal, Vec<u8>)> {
        let calls = [(contract, input.to_vec())];
        match self.chain.transaction(self.caller, self.approvals.clone(), &calls, entry, gas) {
            Ok(mut outputs) => Ok(outputs.pop().unwrap_or_default()),
            Err((_, Some(Failure::Reverted(error)))) => Err((CallRefusal::Reverted, error)),
            Err((_, Some(Failure::Trapped(_)))) => Err((CallRefusal::Failed, Vec::new())),
            Err((_, None)) => Err((CallRefusal::UnknownContract, Vec::new())),
        }
    }
}

impl Transport for Sender {
    fn call(&self, contract: ContractId, input: &[u8], gas: u64) -> Result<Vec<u8>, (CallRefusal, Vec<u8>)> {
        self.one(contract, input, Entry::Call, gas)
    }
}

impl QueryTransport for Sender {
    fn query(&self, contract: ContractId, input: &[u8]) -> Result<Vec<u8>, (CallRefusal, Vec<u8>)> {
        self.one(contract, input, Entry::Query, 0)
    }
}

impl AgendaRun {
    /// The contract's own error, if the entry was refused with one.
    #[must_use]
    pub fn error<E: Decode>(&self) -> Option<E> {
        match &self.result {
            Err(Failure::Reverted(error)) => match decode_whole(error) {
                Some(ContractError::Contract(error)) => Some(error),
                _ => None,
            },
            _ => None,
        }
    }
}

fn id_of(kind: &str, name: &[u8]) -> [u8; 16] {
    let hash = blake3::derive_key(ID_CONTEXT, &(kind, name).encode());
    hash.first_chunk().copied().unwrap_or_default()
}

pub(super) fn sign(key: &[u8; 33], message: &[u8]) -> [u8; 65] {
    let mut signature = [0; 65];
    let mut hasher = blake3::Hasher::new_derive_key(ID_CONTEXT);
    hasher.update(key).update(message).finalize_xof().fill(&mut signature);
    signature
}

/// An agenda entry's id as a contract got it from `schedule`.
impl From<&AgendaEntry> for Hash {
    fn from(entry: &AgendaEntry) -> Self {
        entry.id
    }
}
