//! What a native module sees of the world while it runs one message.
//!
//! Everything here charges gas by the table in [`crate::gas`], and everything it writes is undone if the message fails. Must
//! never hand out the store itself: gas would be free.

use codec::Encode;
use portolan_primitives::{AccountId, Caller, ContractId, Currency, Hash, KeyId, MemberId};
use portolan_vm::abi::{Authorization, CallRefusal, Entry, MAX_VALUE_BYTES, ScheduleRefusal};

use crate::block::BlockFacts;
use crate::gas;
use crate::ledger::MAX_RECORD_BYTES;
use crate::native::records::{Person, PersonId, Record};
use crate::native::{Native, NativeError, NativeResult};
use crate::session::Session;

/// On whose behalf a transaction runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The account.
    pub account: AccountId,
    /// Its member.
    pub member: MemberId,
}

/// Who approved a transaction: a registered, valid key whose signature was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    /// The key.
    pub key: KeyId,
    /// Whose person; two keys of one person have the same.
    pub person: PersonId,
    /// What the person may do.
    pub duties: Person,
}

/// Output of a callee; or why there is none, with the callee's error if it refused.
pub type CallAnswer = Result<Vec<u8>, (CallRefusal, Vec<u8>)>;

/// The world of one message to one native module.
pub struct Context<'s> {
    session: &'s mut Session,
    native: Native,
    caller: Caller,
    gas_left: u64,
}

impl<'s> Context<'s> {
    pub(crate) fn new(session: &'s mut Session, native: Native, caller: Caller, gas_limit: u64) -> Self {
        Self { session, native, caller, gas_left: gas_limit }
    }

    /// Gas that is left.
    pub fn gas_left(&self) -> u64 {
        self.gas_left
    }

    /// Uses `gas`, beside what the other functions charge; for work that grows with the input.
    pub fn charge(&mut self, gas: u64) -> NativeResult<()> {
        match self.gas_left.checked_sub(gas) {
            Some(left) => self.gas_left = left,
            None => {
                self.gas_left = 0;
                return Err(NativeError::OutOfGas);
            }
        }
        Ok(())
    }

    /// The block's height, time and business date (an agenda entry sees its own due date), and the network's kind.
    pub fn block(&self) -> BlockFacts {
        self.session.facts()
    }

    /// Who calls: the sender's account, another contract or module, the module itself when the agenda calls; in a query the reader.
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// The transaction's sender, only when it calls directly (never through another contract, never from the agenda).
    pub fn sender(&self) -> Option<Sender> {
        self.session.sender_if_top_level()
    }

    /// The transaction's approvers, under the same condition as [`Self::sender`]; else none.
    pub fn approvers(&self) -> &[Approver] {
        self.session.approvers_if_top_level()
    }

    /// Id of the transaction, or of the agenda entry.
    pub fn transaction_id(&self) -> Hash {
        self.session.transaction_id()
    }

    /// Whether governance calls (or genesis): what other modules ask before they change what is governed.
    pub fn is_governance(&self) -> bool {
        self.caller == Caller::Contract(Native::Governance.id())
    }

    /// Asks an account's policy, as contracts do: counts persons, sums the business day.
    pub fn authorize(
        &mut self,
        account: AccountId,
        action: &str,
        currency: Currency,
        minor: i128,
    ) -> NativeResult<Authorization> {
        self.charge(gas::NATIVE_AUTHORIZE)?;
        Ok(self.session.authorize(account, action, currency, minor)?)
    }

    /// A record of any module.
    pub fn get<R: Record>(&mut self, id: &R::Id) -> NativeResult<Option<R>> {
        self.charge(gas::NATIVE_READ)?;
        let (record, bytes) = self.session.ledger.get_sized::<R>(id)?;
        self.charge(gas::NATIVE_READ_BYTE * bytes as u64)?;
        Ok(record)
    }

    /// Writes a record of this module; another module's is a fault.
    pub fn put<R: Record>(&mut self, id: &R::Id, record: &R) -> NativeResult<()> {
        self.check_own::<R>()?;
        let bytes = record.encoded_size();
        let most = if R::LONG { MAX_RECORD_BYTES } else { MAX_VALUE_BYTES };
        if bytes > most {
            return Err(NativeError::TooLarge);
        }
        self.charge(gas::NATIVE_WRITE + gas::NATIVE_WRITE_BYTE * bytes as u64)?;
        Ok(self.session.ledger.put(id, record)?)
    }

    /// Removes a record of this module, present or not.
    pub fn delete<R: Record>(&mut self, id: &R::Id) -> NativeResult<()> {
        self.check_own::<R>()?;
        self.charge(gas::NATIVE_WRITE)?;
        Ok(self.session.ledger.delete::<R>(id)?)
    }

    /// Records whose id's SCALE form starts with `prefix` and comes after `after`, ascending, at most `limit` (and 256).
    pub fn list<R: Record>(
        &mut self,
        prefix: &[u8],
        after: Option<&R::Id>,
        limit: u32,
    ) -> NativeResult<Vec<(R::Id, R)>> {
        let limit = limit.min(portolan_vm::abi::MAX_SCAN_ENTRIES);
        self.charge(gas::NATIVE_READ * (1 + u64::from(limit)))?;
        let found = self.session.ledger.list::<R>(prefix, after, limit)?;
        let bytes: usize = found.iter().map(|(_, record)| record.encoded_size()).sum();
        self.charge(gas::NATIVE_READ_BYTE * bytes as u64)?;
        Ok(found)
    }

    /// Makes something known.
    pub fn emit<E: Encode>(&mut self, event: &E) -> NativeResult<()> {
        let payload = event.encode();
        self.charge(gas::NATIVE_EVENT + gas::NATIVE_WRITE_BYTE * payload.len() as u64)?;
        self.session.emit(self.native.id(), payload);
        Ok(())
    }

    /// Calls a contract or another module as this one, with at most `gas` (all that is left if none). A failing call is
    /// undone whole and leaves this module's own writes.
    pub fn call(&mut self, contract: ContractId, input: &[u8], gas: Option<u64>) -> NativeResult<CallAnswer> {
        self.enter(contract, Entry::Call, input, gas)
    }

    /// Enters a contract otherwise than by a message: the registry's instantiate and migrate.
    pub(crate) fn enter(
        &mut self,
        contract: ContractId,
        entry: Entry,
        input: &[u8],
        gas: Option<u64>,
    ) -> NativeResult<CallAnswer> {
        self.charge(gas::NATIVE_CALL)?;
        let given = gas.unwrap_or(self.gas_left).min(self.gas_left);
        let caller = Caller::Contract(self.native.id());
        let returned = self.session.call_nested(contract, caller, entry, input, given)?;
        self.charge(returned.gas_used)?;
        Ok(returned.result)
    }

    /// Puts a message to this module on the agenda, for the day `due`, with `gas` of its own; answers the entry's id.
    pub fn schedule(
        &mut self,
        due: portolan_primitives::BusinessDate,
        message: &[u8],
        gas: u64,
    ) -> NativeResult<Result<Hash, ScheduleRefusal>> {
        self.charge(gas::NATIVE_SCHEDULE + gas::NATIVE_WRITE_BYTE * message.len() as u64)?;
        Ok(self.session.schedule(self.native.id(), due, message, gas)?)
    }

    /// Removes an own pending entry; whether there was one.
    pub fn cancel_schedule(&mut self, id: Hash) -> NativeResult<bool> {
        self.charge(gas::NATIVE_WRITE)?;
        Ok(self.session.cancel_schedule(self.native.id(), id)?)
    }

    /// The registry's way to the vm and the code store.
    pub(crate) fn session(&mut self) -> &mut Session {
        self.session
    }

    fn check_own<R: Record>(&self) -> NativeResult<()> {
        if R::MODULE != self.native || self.session.read_only() {
            let message = format!("module `{}` wrote what is not its own, or wrote in a query", self.native.name());
            return Err(NativeError::Fault(portolan_vm::HostFault(message)));
        }
        Ok(())
    }
}
