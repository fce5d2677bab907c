//! The vm's host while one contract runs: translates what a contract asks into the session's terms.
//!
//! Must never decide anything: rules are in the session and what it uses.

use std::sync::Arc;

use portolan_primitives::{
    AccountId, BusinessDate, Caller, ContractId, Currency, Hash, MemberId, PublicKey, Signature, decode_whole,
};
use portolan_vm::abi::{Authorization, Entry, ScheduleRefusal};
use portolan_vm::{CallReturn, Host, HostResult};

use crate::native::records::{Account, Member};
use crate::session::Session;

/// One contract on the stack.
pub(crate) struct Frame<'s> {
    pub session: &'s mut Session,
    pub contract: ContractId,
    pub caller: Caller,
}

impl Host for Frame<'_> {
    fn read_only(&self) -> bool {
        self.session.read_only()
    }

    fn storage_get(&mut self, key: &[u8]) -> HostResult<Option<Arc<[u8]>>> {
        self.session.ledger.storage_get(self.contract, key)
    }

    fn storage_put(&mut self, key: &[u8], value: &[u8]) -> HostResult<()> {
        self.session.ledger.storage_put(self.contract, key, value)
    }

    fn storage_delete(&mut self, key: &[u8]) -> HostResult<()> {
        self.session.ledger.storage_delete(self.contract, key)
    }

    fn storage_scan(&mut self, prefix: &[u8], after: Option<&[u8]>, limit: u32) -> HostResult<Vec<(Vec<u8>, Vec<u8>)>> {
        self.session.ledger.storage_scan(self.contract, prefix, after, limit)
    }

    fn caller(&self) -> Caller {
        self.caller
    }

    fn authorize(
        &mut self,
        account: AccountId,
        action: &str,
        currency: Currency,
        minor: i128,
    ) -> HostResult<Authorization> {
        self.session.authorize(account, action, currency, minor)
    }

    fn member_of(&mut self, account: AccountId) -> HostResult<Option<MemberId>> {
        Ok(self.session.ledger.get_kept::<Account>(&account)?.map(|account| account.member))
    }

    fn member_status(&mut self, member: MemberId) -> HostResult<u8> {
        Ok(self.session.ledger.get_kept::<Member>(&member)?.map_or(0, |member| member.status.index()))
    }

    fn has_role(&mut self, member: MemberId, role: u8) -> HostResult<bool> {
        let member = self.session.ledger.get_kept::<Member>(&member)?;
        Ok(member.is_some_and(|member| member.roles.iter().any(|known| known.index() == role)))
    }

    fn self_id(&self) -> ContractId {
        self.contract
    }

    fn transaction_id(&self) -> Hash {
        self.session.transaction_id()
    }

    fn parameter(&mut self, name: &str) -> HostResult<Option<Vec<u8>>> {
        crate::facts::parameter_bytes(&mut self.session.ledger, name)
    }

    fn consortium_hash(&mut self, data: &[u8]) -> HostResult<Hash> {
        Ok(self.session.consortium_hash(data))
    }

    fn block_height(&self) -> u64 {
        self.session.facts().height.0
    }

    fn block_time(&self) -> u64 {
        self.session.facts().time.0
    }

    fn business_date(&self) -> i32 {
        self.session.facts().business_date.0
    }

    fn is_business_day(&mut self, calendar: &str, day: i32) -> HostResult<i32> {
        self.session.is_business_day(calendar, day)
    }

    fn emit_event(&mut self, event: &[u8]) -> HostResult<()> {
        self.session.emit(self.contract, event.to_vec());
        Ok(())
    }

    fn call(&mut self, contract: ContractId, input: &[u8], gas: u64) -> HostResult<CallReturn> {
        self.session.call_nested(contract, Caller::Contract(self.contract), Entry::Call, input, gas)
    }

    fn schedule(&mut self, due: i32, message: &[u8], gas: u64) -> HostResult<Result<Hash, ScheduleRefusal>> {
        self.session.schedule(self.contract, BusinessDate(due), message, gas)
    }

    fn cancel_schedule(&mut self, id: Hash) -> HostResult<bool> {
        self.session.cancel_schedule(self.contract, id)
    }

    fn verify_signature(&mut self, key: &[u8; 33], message: &[u8], signature: &[u8; 65]) -> HostResult<bool> {
        let key = decode_whole::<PublicKey>("PublicKey", key, 33);
        let signature = decode_whole::<Signature>("Signature", signature, 65);
        Ok(matches!((key, signature), (Ok(key), Ok(signature)) if key.verify(message, &signature)))
    }

    fn log(&mut self, line: &[u8]) {
        self.session.log(self.contract, line);
    }
}
