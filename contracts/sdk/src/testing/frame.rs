//! One contract call in the test chain: the host that the running code sees, under the rules of host ABI v1.

use std::{cell::RefCell, rc::Rc};

use super::{
    ContractCode, Failure, Host,
    world::{AgendaEntry, Undo, World},
};
use crate::{
    AccountId, CallRefusal, Caller, ContractId, Day, Entry, Hash, MemberId, MemberStatus, ScheduleRefusal,
    Unauthorized, abi,
};

/// Key of the test chain's `consortium_hash`.
const CONSORTIUM_KEY_CONTEXT: &str = "portolan test chain consortium key";
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

pub(super) struct Frame {
    pub world: Rc<RefCell<World>>,
    pub contract: ContractId,
    pub caller: Caller,
    pub read_only: bool,
    /// Whether the transaction itself calls, so that its approvers count.
    pub top_level: bool,
}

/// Runs an entry of `frame`'s contract; whatever it wrote before it failed is undone.
pub(super) fn run(frame: Frame, entry: Entry, input: &[u8], gas: u64) -> Result<Vec<u8>, Failure> {
    let world = Rc::clone(&frame.world);
    let (code, mark) = {
        let mut world = world.borrow_mut();
        let code: Rc<dyn ContractCode> =
            Rc::clone(world.code.get(&frame.contract).expect("the callers of this function looked"));
        world.stack.push(frame.contract);
        (code, world.journal.len())
    };
    let result = check_length("input", input).and_then(|()| code.run(entry, input, gas, Rc::new(frame)));
    let result = result.and_then(|output| check_length("output", &output).map(|()| output));
    let mut world = world.borrow_mut();
    world.stack.pop();
    if result.is_err() {
        world.undo_to(mark);
    }
    result
}

fn check_length(what: &str, bytes: &[u8]) -> Result<(), Failure> {
    let trap =
        || Failure::Trapped(format!("the {what} of {} bytes is longer than {}", bytes.len(), abi::MAX_MESSAGE_BYTES));
    (bytes.len() <= abi::MAX_MESSAGE_BYTES).then_some(()).ok_or_else(trap)
}

impl Frame {
    /// The VM traps on a write of a query; so does this.
    fn assert_may_write(&self) {
        assert!(!self.read_only, "a query must not write");
    }

    fn key(&self, key: &[u8]) -> (ContractId, Vec<u8>) {
        assert!(
            key.len() <= abi::MAX_KEY_BYTES,
            "the storage key of {} bytes is longer than {}",
            key.len(),
            abi::MAX_KEY_BYTES
        );
        (self.contract, key.to_vec())
    }

    fn refusal_to_call(&self, world: &World, contract: ContractId) -> Option<CallRefusal> {
        if !world.code.contains_key(&contract) {
            Some(CallRefusal::UnknownContract)
        } else if world.stack.len() >= abi::MAX_CALL_DEPTH as usize {
            Some(CallRefusal::TooDeep)
        } else if world.stack.contains(&contract) {
            Some(CallRefusal::Reentrant)
        } else {
            None
        }
    }

    fn judge(&self, account: AccountId, currency: [u8; 3], minor: i128) -> Result<(), Unauthorized> {
        let mut world = self.world.borrow_mut();
        if !self.top_level {
            return Err(Unauthorized::NotTopLevel);
        }
        let member = world.accounts.get(&account).ok_or(Unauthorized::UnknownAccount)?.member;
        let status = world.members.get(&member).map(|member| member.status);
        if !matches!(status, Some(MemberStatus::Active | MemberStatus::Restricted)) {
            return Err(Unauthorized::MemberNotActive);
        }
        let sum = world.spend(account, currency, minor);
        let tiers = &world.accounts[&account].tiers;
        let tier = tiers.iter().find(|(up_to, _)| sum <= *up_to).or(tiers.last());
        let wanted = tier.map_or(1, |(_, persons)| *persons);
        let approved = world.origin.approvals.get(&account).copied().unwrap_or_default();
        if approved < wanted { Err(Unauthorized::TooFewPersons) } else { Ok(()) }
    }
}

impl Host for Frame {
    fn read_only(&self) -> bool {
        self.read_only
    }

    fn storage_get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.world.borrow().storage.get(&self.key(key)).cloned()
    }

    fn storage_put(&self, key: &[u8], value: &[u8]) {
        self.assert_may_write();
        assert!(
            value.len() <= abi::MAX_VALUE_BYTES,
            "the value of {} bytes is longer than {}",
            value.len(),
            abi::MAX_VALUE_BYTES
        );
        self.world.borrow_mut().put(self.key(key), Some(value.to_vec()));
    }

    fn storage_delete(&self, key: &[u8]) {
        self.assert_may_write();
        self.world.borrow_mut().put(self.key(key), None);
    }

    fn storage_scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
        let start = (self.contract, prefix.max(after.unwrap_or_default()).to_vec());
        let world = self.world.borrow();
        let own = world.storage.range(start..).map_while(|((contract, key), value)| {
            (*contract == self.contract && key.starts_with(prefix)).then_some((key, value))
        });
        own.filter(|(key, _)| after.is_none_or(|after| key.as_slice() > after))
            .take(limit.min(abi::MAX_SCAN_ENTRIES) as usize)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    fn caller(&self) -> Caller {
        self.caller
    }

    fn authorize(&self, account: AccountId, _action: &str, currency: &[u8; 3], minor: i128) -> i32 {
        self.judge(account, *currency, minor).map_or_else(|refusal| refusal as i32, |()| 0)
    }

    fn member_of(&self, account: AccountId) -> Option<MemberId> {
        self.world.borrow().accounts.get(&account).map(|account| account.member)
    }

    fn member_status(&self, member: MemberId) -> i32 {
        self.world.borrow().members.get(&member).map_or(0, |member| i32::from(member.status.code()))
    }

    fn has_role(&self, member: MemberId, role: u8) -> bool {
        self.world
            .borrow()
            .members
            .get(&member)
            .is_some_and(|member| member.roles.iter().any(|held| held.code() == role))
    }

    fn self_id(&self) -> ContractId {
        self.contract
    }

    fn transaction_id(&self) -> Hash {
        Hash(self.world.borrow().origin.id)
    }

    fn parameter(&self, name: &str) -> Option<Vec<u8>> {
        self.world.borrow().parameters.get(name).cloned()
    }

    fn consortium_hash(&self, data: &[u8]) -> Hash {
        Hash(blake3::keyed_hash(&blake3::derive_key(CONSORTIUM_KEY_CONTEXT, b""), data).into())
    }

    fn block_height(&self) -> u64 {
        self.world.borrow().height
    }

    fn block_time(&self) -> u64 {
        let world = self.world.borrow();
        u64::try_from(world.date).unwrap_or_default() * DAY_MS + world.height
    }

    fn business_date(&self) -> Day {
        let world = self.world.borrow();
        world.origin.date.unwrap_or(world.date)
    }

    fn is_business_day(&self, calendar: &str, day: Day) -> i32 {
        match self.world.borrow().calendars.get(calendar).map(|calendar| calendar.is_open(day)) {
            Some(Some(open)) => i32::from(open),
            Some(None) => -1,
            None => -2,
        }
    }

    fn emit_event(&self, event: &[u8]) {
        self.assert_may_write();
        assert!(
            event.len() <= abi::MAX_MESSAGE_BYTES,
            "the event of {} bytes is longer than {}",
            event.len(),
            abi::MAX_MESSAGE_BYTES
        );
        let mut world = self.world.borrow_mut();
        world.events.push((self.contract, event.to_vec()));
        world.journal.push(Undo::Event);
    }

    fn call(&self, contract: ContractId, input: &[u8], gas: u64) -> Result<Vec<u8>, (CallRefusal, Vec<u8>)> {
        if let Some(refusal) = self.refusal_to_call(&self.world.borrow(), contract) {
            return Err((refusal, Vec::new()));
        }
        let caller = Caller::Contract(self.contract);
        let callee =
            Self { world: Rc::clone(&self.world), contract, caller, read_only: self.read_only, top_level: false };
        run(callee, Entry::Call, input, gas).map_err(|failure| match failure {
            Failure::Reverted(error) => (CallRefusal::Reverted, error),
            Failure::Trapped(_) => (CallRefusal::Failed, Vec::new()),
        })
    }

    fn schedule(&self, due: Day, message: &[u8], gas: u64) -> Result<Hash, ScheduleRefusal> {
        self.assert_may_write();
        if message.len() > abi::MAX_MESSAGE_BYTES {
            return Err(ScheduleRefusal::TooLong);
        }
        let mut world = self.world.borrow_mut();
        if world.agenda.len() >= world.agenda_quota {
            return Err(ScheduleRefusal::Quota);
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&world.origin.id).update(&world.origin.scheduled.to_le_bytes());
        world.origin.scheduled += 1;
        let id = Hash(hasher.finalize().into());
        world.schedule(AgendaEntry { due, id, contract: self.contract, message: message.to_vec(), gas });
        Ok(id)
    }

    fn cancel_schedule(&self, entry: Hash) -> bool {
        self.assert_may_write();
        self.world.borrow_mut().cancel(self.contract, entry)
    }

    /// The test chain knows no curve. A signature is good if it is [`TestChain::sign`](super::TestChain::sign)'s.
    fn verify_signature(&self, key: &[u8; 33], message: &[u8], signature: &[u8; 65]) -> bool {
        *signature == super::chain::sign(key, message)
    }

    fn log(&self, line: &[u8]) {
        self.world.borrow_mut().log.push(String::from_utf8_lossy(line).into_owned());
    }
}
