//! The rules of the host, as the test chain keeps them: two contracts which call each other, and the agenda.

use codec::{Decode, Encode};
use portolan_sdk::{
    AccountId, CalendarRefusal, CallError, Caller, ContractId, Currency, Hash, MemberStatus, QueryTransport, Role,
    ScheduleRefusal, Transport, Unauthorized, ensure, env, storage,
    testing::{Failure, NativeContract, TestChain},
};
use scale_info::TypeInfo;

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum LedgerError {
    #[codec(index = 0)]
    Negative,
    #[codec(index = 1)]
    Unauthorized(Unauthorized),
    #[codec(index = 2)]
    Agenda(ScheduleRefusal),
    #[codec(index = 3)]
    Calendar(CalendarRefusal),
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum LedgerEvent {
    #[codec(index = 0)]
    Booked { by: Caller, minor: i128 },
    #[codec(index = 1)]
    Reminded { date: i32, by: Caller, id: Hash },
}

/// Keeps one balance.
#[portolan_sdk::interface(name = "ledger", error = LedgerError, event = LedgerEvent)]
pub trait Ledger {
    /// Adds to the balance.
    #[call(index = 0)]
    fn book(&mut self, minor: i128) -> Result<i128, LedgerError>;
    /// Asks the account's policy.
    #[call(index = 1)]
    fn authorize(&self, account: AccountId, minor: i128) -> Result<(), LedgerError>;
    /// Runs `remind` on a day.
    #[call(index = 2)]
    fn remind_on(&mut self, day: i32) -> Result<Hash, LedgerError>;
    /// Runs from the agenda.
    #[call(index = 3)]
    fn remind(&mut self, fails: bool) -> Result<(), LedgerError>;
    /// Takes a reminder back.
    #[call(index = 4)]
    fn forget(&mut self, entry: Hash) -> Result<bool, LedgerError>;
    /// Runs a failing `remind` on a day.
    #[call(index = 5)]
    fn fail_on(&mut self, day: i32) -> Result<Hash, LedgerError>;
    /// Asks the calendar.
    #[call(index = 6)]
    fn is_open(&self, day: i32) -> Result<bool, LedgerError>;
    /// The balance.
    #[query(index = 0, path = "/ledger")]
    fn balance(&self) -> Result<i128, LedgerError>;
    /// Wrongly writes.
    #[query(index = 1, path = "/ledger/wrong")]
    fn wrong(&self) -> Result<(), LedgerError>;
}

/// What the broker does with the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Step {
    #[codec(index = 0)]
    Book(i128),
    #[codec(index = 1)]
    Authorize(AccountId),
    #[codec(index = 2)]
    Myself,
    #[codec(index = 3)]
    Nobody,
    #[codec(index = 4)]
    Trap,
    #[codec(index = 5)]
    Nonsense,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum BrokerError {
    #[codec(index = 0)]
    Ledger(CallError<LedgerError>),
    #[codec(index = 1)]
    Broker(CallError<()>),
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum BrokerEvent {}

/// Calls the ledger.
#[portolan_sdk::interface(name = "broker", error = BrokerError, event = BrokerEvent)]
pub trait Broker {
    /// Takes the steps; the first refusal ends them.
    #[call(index = 0)]
    fn take(&mut self, steps: Vec<Step>) -> Result<(), BrokerError>;
    /// Takes one step, and goes on whatever comes of it.
    #[call(index = 1)]
    fn attempt(&mut self, step: Step) -> Result<bool, BrokerError>;
}

storage! {
    0 => BALANCE: Item<i128>;
    1 => STEPS: Item<u32>;
}

struct Books;

impl Ledger for Books {
    fn book(&mut self, minor: i128) -> Result<i128, LedgerError> {
        let balance = BALANCE.get().unwrap_or_default() + minor;
        BALANCE.set(&balance);
        ledger::emit(&LedgerEvent::Booked { by: env::caller(), minor });
        ensure!(balance >= 0, LedgerError::Negative);
        Ok(balance)
    }

    fn authorize(&self, account: AccountId, minor: i128) -> Result<(), LedgerError> {
        env::authorize(account, "pay", Currency(*b"CNY"), minor).map_err(LedgerError::Unauthorized)
    }

    fn remind_on(&mut self, day: i32) -> Result<Hash, LedgerError> {
        ledger::schedule(day, &ledger::Call::Remind { fails: false }, 1_000).map_err(LedgerError::Agenda)
    }

    fn remind(&mut self, fails: bool) -> Result<(), LedgerError> {
        ledger::emit(&LedgerEvent::Reminded {
            date: env::business_date(),
            by: env::caller(),
            id: env::transaction_id(),
        });
        ensure!(!fails, LedgerError::Negative);
        Ok(())
    }

    fn forget(&mut self, entry: Hash) -> Result<bool, LedgerError> {
        Ok(env::cancel_schedule(entry))
    }

    fn fail_on(&mut self, day: i32) -> Result<Hash, LedgerError> {
        ledger::schedule(day, &ledger::Call::Remind { fails: true }, 1_000).map_err(LedgerError::Agenda)
    }

    fn is_open(&self, day: i32) -> Result<bool, LedgerError> {
        env::is_business_day("demo", day).map_err(LedgerError::Calendar)
    }

    fn balance(&self) -> Result<i128, LedgerError> {
        Ok(BALANCE.get().unwrap_or_default())
    }

    fn wrong(&self) -> Result<(), LedgerError> {
        BALANCE.set(&7);
        Ok(())
    }
}

struct Broking;

impl Broking {
    fn step(step: Step) -> Result<(), BrokerError> {
        let books = ledger::Client::new().with_gas(5_000);
        match step {
            Step::Book(minor) => books.book(minor).map(drop).map_err(BrokerError::Ledger),
            Step::Authorize(account) => books.authorize(account, 1).map_err(BrokerError::Ledger),
            Step::Myself => broker::Client::new().attempt(Step::Trap).map(drop).map_err(|refusal| {
                BrokerError::Broker(if refusal == CallError::Reentrant {
                    CallError::Reentrant
                } else {
                    CallError::BadReply
                })
            }),
            Step::Nobody => env::call(ContractId([9; 16]), &[], 0)
                .map(drop)
                .map_err(|_| BrokerError::Broker(CallError::UnknownContract)),
            Step::Trap => panic!("a trap"),
            Step::Nonsense => env::call(ledger::CONTRACT, &[77], 0).map(drop).map_err(|(_, error)| {
                assert_eq!(error, [1], "ContractError::BadMessage");
                BrokerError::Ledger(CallError::BadMessage)
            }),
        }
    }
}

impl Broker for Broking {
    fn take(&mut self, steps: Vec<Step>) -> Result<(), BrokerError> {
        STEPS.set(&u32::try_from(steps.len()).unwrap_or(u32::MAX));
        steps.into_iter().try_for_each(Self::step)
    }

    fn attempt(&mut self, step: Step) -> Result<bool, BrokerError> {
        Ok(Self::step(step).is_ok())
    }
}

mod books {
    portolan_sdk::export!(super::Books, super::ledger);
}

mod broking {
    portolan_sdk::export!(super::Broking, super::broker);
}

fn world() -> (TestChain, AccountId) {
    let chain = TestChain::new();
    let account = chain.account(chain.member("mill", &[Role::Supplier]), "main");
    chain.deploy(books::NATIVE);
    chain.deploy(broking::NATIVE);
    (chain, account)
}

fn ledger_of(chain: &TestChain, account: AccountId) -> ledger::Client<portolan_sdk::testing::Sender> {
    ledger::Client::over(chain.as_account(account))
}

fn broker_of(chain: &TestChain, account: AccountId) -> broker::Client<portolan_sdk::testing::Sender> {
    broker::Client::over(chain.as_account(account))
}

#[test]
fn a_contract_calls_another_as_itself() {
    let (chain, account) = world();
    assert_eq!(broker_of(&chain, account).take(vec![Step::Book(5), Step::Book(6)]), Ok(()));
    assert_eq!(ledger_of(&chain, account).balance(), Ok(11));
    let by = Caller::Contract(broker::CONTRACT);
    assert_eq!(
        chain.events::<LedgerEvent>(ledger::CONTRACT),
        [LedgerEvent::Booked { by, minor: 5 }, LedgerEvent::Booked { by, minor: 6 }]
    );
}

#[test]
fn the_callees_own_error_reaches_the_caller_and_all_is_undone() {
    let (chain, account) = world();
    let before = chain.snapshot();
    let refusal = broker_of(&chain, account).take(vec![Step::Book(5), Step::Book(-9)]);
    assert_eq!(refusal, Err(CallError::Contract(BrokerError::Ledger(CallError::Contract(LedgerError::Negative)))));
    assert_eq!(chain.snapshot(), before);
}

#[test]
fn a_refused_callee_leaves_no_trace_when_its_caller_goes_on() {
    let (chain, account) = world();
    let before = chain.snapshot();
    assert_eq!(broker_of(&chain, account).attempt(Step::Book(-9)), Ok(false));
    assert_eq!(chain.snapshot(), before, "neither the balance nor the event of the refused booking");
}

#[test]
fn a_trap_undoes_all_and_reaches_the_sender_as_a_failure() {
    let (chain, account) = world();
    let before = chain.snapshot();
    assert_eq!(broker_of(&chain, account).take(vec![Step::Book(5), Step::Trap]), Err(CallError::Failed));
    assert_eq!(chain.snapshot(), before);
}

#[test]
fn a_contract_on_the_call_stack_is_not_entered_again() {
    let (chain, account) = world();
    let refusal = broker_of(&chain, account).take(vec![Step::Myself]);
    assert_eq!(refusal, Err(CallError::Contract(BrokerError::Broker(CallError::Reentrant))));
}

#[test]
fn an_unknown_contract_and_a_message_of_no_contract_are_refused() {
    let (chain, account) = world();
    let unknown = broker_of(&chain, account).take(vec![Step::Nobody]);
    assert_eq!(unknown, Err(CallError::Contract(BrokerError::Broker(CallError::UnknownContract))));
    let nonsense = broker_of(&chain, account).take(vec![Step::Nonsense]);
    assert_eq!(nonsense, Err(CallError::Contract(BrokerError::Ledger(CallError::BadMessage))));
    let empty = TestChain::new();
    assert_eq!(ledger_of(&empty, account).book(1), Err(CallError::UnknownContract));
}

#[test]
fn nobodys_signature_leaks_into_a_contract_called_below() {
    let (chain, account) = world();
    assert_eq!(ledger_of(&chain, account).authorize(account, 1), Ok(()));
    let below = broker_of(&chain, account).take(vec![Step::Authorize(account)]);
    let refusal = LedgerError::Unauthorized(Unauthorized::NotTopLevel);
    assert_eq!(below, Err(CallError::Contract(BrokerError::Ledger(CallError::Contract(refusal)))));
}

#[test]
fn a_policy_counts_persons_and_the_sum_of_the_day() {
    let (chain, account) = world();
    chain.policy(account, &[(100, 1), (i128::MAX, 2)]);
    let too_few = Err(CallError::Contract(LedgerError::Unauthorized(Unauthorized::TooFewPersons)));
    let alone = ledger_of(&chain, account);
    assert_eq!(alone.authorize(account, 101), too_few);
    assert_eq!(alone.authorize(account, 60), Ok(()), "what was refused does not count");
    assert_eq!(alone.authorize(account, 41), too_few, "60 + 41 is above the tier");
    let together = ledger::Client::over(chain.as_account(account).approved_by(account, 2));
    assert_eq!(together.authorize(account, 41), Ok(()));
    chain.advance_to(chain.date() + 1);
    assert_eq!(alone.authorize(account, 100), Ok(()), "a new day, a new sum");
}

#[test]
fn a_payment_cut_into_calls_of_one_transaction_is_one_payment() {
    let (chain, account) = world();
    chain.policy(account, &[(100, 1), (i128::MAX, 2)]);
    let call = (ledger::CONTRACT, ledger::Call::Authorize { account, minor: 60 }.encode());
    let book = (ledger::CONTRACT, ledger::Call::Book { minor: 1 }.encode());
    let before = chain.snapshot();
    let refusal = chain.as_account(account).transaction(&[book, call.clone(), call]);
    assert!(matches!(refusal, Err((2, Some(Failure::Reverted(_))))), "{refusal:?}");
    assert_eq!(chain.snapshot(), before, "all or nothing");
}

#[test]
fn an_account_of_a_frozen_or_unknown_member_authorizes_nothing() {
    let (chain, account) = world();
    let mill = chain.member("mill", &[Role::Supplier]);
    let ledger = ledger_of(&chain, account);
    for status in [MemberStatus::Frozen, MemberStatus::Left] {
        chain.set_status(mill, status);
        assert_eq!(
            ledger.authorize(account, 1),
            Err(CallError::Contract(LedgerError::Unauthorized(Unauthorized::MemberNotActive)))
        );
    }
    chain.set_status(mill, MemberStatus::Restricted);
    assert_eq!(ledger.authorize(account, 1), Ok(()));
    let unknown = AccountId([7; 16]);
    assert_eq!(
        ledger.authorize(unknown, 1),
        Err(CallError::Contract(LedgerError::Unauthorized(Unauthorized::UnknownAccount)))
    );
}

#[test]
fn a_query_that_writes_traps() {
    let (chain, account) = world();
    let before = chain.snapshot();
    assert_eq!(ledger_of(&chain, account).wrong(), Err(CallError::Failed));
    assert_eq!(chain.snapshot(), before);
}

#[test]
fn the_agenda_runs_by_due_date_under_each_entrys_own_date_as_the_contract_itself() {
    let (chain, account) = world();
    chain.start_at(100);
    let ledger = ledger_of(&chain, account);
    let later = ledger.remind_on(105).expect("scheduled");
    let sooner = ledger.remind_on(102).expect("scheduled");
    assert!(chain.advance_to(101).is_empty());
    let runs = chain.advance_to(110);
    assert_eq!(runs.iter().map(|run| run.entry.id).collect::<Vec<_>>(), [sooner, later]);
    let by = Caller::Contract(ledger::CONTRACT);
    let reminded =
        [LedgerEvent::Reminded { date: 102, by, id: sooner }, LedgerEvent::Reminded { date: 105, by, id: later }];
    assert_eq!(chain.events::<LedgerEvent>(ledger::CONTRACT), reminded);
    assert_eq!((chain.date(), chain.agenda()), (110, vec![]));
}

#[test]
fn entries_of_one_day_run_in_the_order_of_their_ids() {
    let (chain, account) = world();
    let ledger = ledger_of(&chain, account);
    let mut ids: Vec<Hash> = (0..5).map(|_| ledger.remind_on(3).expect("scheduled")).collect();
    ids.sort();
    let runs = chain.advance_to(3);
    assert_eq!(runs.iter().map(|run| run.entry.id).collect::<Vec<_>>(), ids);
}

#[test]
fn an_entry_for_a_day_already_past_runs_next_under_that_day() {
    let (chain, account) = world();
    chain.start_at(100);
    let entry = ledger_of(&chain, account).remind_on(90).expect("scheduled");
    assert_eq!(chain.run_agenda().len(), 1);
    let by = Caller::Contract(ledger::CONTRACT);
    assert_eq!(chain.events::<LedgerEvent>(ledger::CONTRACT), [LedgerEvent::Reminded { date: 90, by, id: entry }]);
    assert!(chain.run_agenda().is_empty(), "an entry runs once");
}

#[test]
fn a_failing_entry_is_recorded_and_leaves_no_trace() {
    let (chain, account) = world();
    ledger_of(&chain, account).fail_on(3).expect("scheduled");
    let runs = chain.advance_to(3);
    assert_eq!(runs.iter().map(|run| run.error::<LedgerError>()).collect::<Vec<_>>(), [Some(LedgerError::Negative)]);
    assert_eq!(chain.events::<LedgerEvent>(ledger::CONTRACT), []);
}

#[test]
fn only_the_contract_that_scheduled_takes_an_entry_back() {
    let (chain, account) = world();
    let ledger = ledger_of(&chain, account);
    let entry = ledger.remind_on(3).expect("scheduled");
    assert!(!chain.inside(broker::CONTRACT, || env::cancel_schedule(entry)));
    assert_eq!(ledger.forget(entry), Ok(true));
    assert_eq!(ledger.forget(entry), Ok(false));
    assert!(chain.advance_to(5).is_empty());
}

#[test]
fn a_full_agenda_refuses() {
    let (chain, account) = world();
    chain.set_agenda_quota(1);
    let ledger = ledger_of(&chain, account);
    assert!(ledger.remind_on(3).is_ok());
    assert_eq!(ledger.remind_on(4), Err(CallError::Contract(LedgerError::Agenda(ScheduleRefusal::Quota))));
}

#[test]
fn a_calendar_answers_only_for_days_that_it_covers() {
    let (chain, account) = world();
    let ledger = ledger_of(&chain, account);
    let refused = |refusal| Err(CallError::Contract(LedgerError::Calendar(refusal)));
    assert_eq!(ledger.is_open(4), refused(CalendarRefusal::UnknownCalendar));
    chain.calendar("demo", 0, 10);
    // 1970-01-01 was a Thursday: day 1 is a Friday, day 2 a Saturday.
    assert_eq!((ledger.is_open(1), ledger.is_open(2)), (Ok(true), Ok(false)));
    chain.set_business_day("demo", 2, true);
    assert_eq!(ledger.is_open(2), Ok(true), "a make-up working Saturday");
    assert_eq!(
        (ledger.is_open(11), ledger.is_open(-1)),
        (refused(CalendarRefusal::NotCovered), refused(CalendarRefusal::NotCovered))
    );
}

#[test]
fn a_parameter_is_read_with_its_type() {
    let (chain, _) = world();
    chain.set_parameter("dust", &100i128);
    assert_eq!(chain.inside(ledger::CONTRACT, || env::parameter::<i128>("dust")), Some(100));
    assert_eq!(chain.inside(ledger::CONTRACT, || env::parameter::<i128>("unknown")), None);
}

#[test]
fn a_consortium_hash_is_not_the_plain_one() {
    let (chain, _) = world();
    let (keyed, plain) = chain.inside(ledger::CONTRACT, || (env::consortium_hash(b"invoice"), env::blake3(b"invoice")));
    assert_ne!(keyed, plain);
    assert_eq!(
        chain.inside(broker::CONTRACT, || env::consortium_hash(b"invoice")),
        keyed,
        "one secret for the whole chain"
    );
}

#[test]
fn a_signature_is_judged_with_its_key_and_message() {
    let (chain, _) = world();
    let signature = TestChain::sign(&[1; 33], b"order");
    let verify = |key: [u8; 33], message: &[u8]| {
        chain.inside(ledger::CONTRACT, || env::verify_signature(&key, message, &signature))
    };
    assert!(verify([1; 33], b"order"));
    assert!(!verify([2; 33], b"order"));
    assert!(!verify([1; 33], b"offer"));
}

#[test]
fn members_are_known_by_account_role_and_status() {
    let (chain, account) = world();
    let mill = chain.member("mill", &[Role::Supplier]);
    chain.inside(ledger::CONTRACT, || {
        assert_eq!(env::member_of(account), Some(mill));
        assert_eq!(env::member_of(AccountId([7; 16])), None);
        assert_eq!(env::member_status(mill), Some(MemberStatus::Active));
        assert_eq!(env::member_status([7; 16].into()), None);
        assert!(env::has_role(mill, Role::Supplier) && !env::has_role(mill, Role::Bank));
        assert_eq!(env::self_id(), ledger::CONTRACT);
    });
}

#[test]
fn oversized_messages_keys_and_values_are_refused() {
    let (chain, account) = world();
    let sender = chain.as_account(account);
    let long = vec![0; portolan_sdk::abi::MAX_MESSAGE_BYTES + 1];
    let trapped = (portolan_sdk::CallRefusal::Failed, vec![]);
    assert_eq!(sender.call(ledger::CONTRACT, &long, 0), Err(trapped), "it does not even reach the contract");
    let too_long = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        chain.inside(ledger::CONTRACT, || portolan_sdk::storage::Item::<Vec<u8>>::new(9).set(&long));
    }));
    assert!(too_long.is_err());
    assert!(sender.query(ledger::CONTRACT, &ledger::Query::Balance.encode()).is_ok(), "the chain goes on");
}

#[test]
fn hostile_bytes_are_a_bad_message_and_change_nothing() {
    let (chain, account) = world();
    let before = chain.snapshot();
    let sender = chain.as_account(account);
    let good = broker::Call::Take { steps: vec![Step::Book(1)] }.encode();
    let cut = good[..good.len() - 1].to_vec();
    let longer = [&good[..], &[0]].concat();
    // A list that claims 2^30 - 1 steps in five bytes.
    let boastful = vec![0, 0xfe, 0xff, 0xff, 0xff];
    for bytes in [vec![], vec![9], cut, longer, boastful] {
        assert_eq!(
            sender.call(broker::CONTRACT, &bytes, 0),
            Err((portolan_sdk::CallRefusal::Reverted, vec![1])),
            "{bytes:?}"
        );
    }
    assert_eq!(chain.snapshot(), before);
}

/// A contract under any id: it calls the contract with the next id, and tells how that went.
fn relay(entry: portolan_sdk::Entry, input: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
    if entry != portolan_sdk::Entry::Call {
        return Ok(vec![]);
    }
    let next = input[0] + 1;
    match env::call(ContractId([next; 16]), &[next], 0) {
        Ok(deepest) => Ok(deepest),
        Err((refusal, _)) => Ok(vec![input[0], refusal as i32 as u8]),
    }
}

#[test]
fn calls_go_eight_deep_and_no_deeper() {
    let chain = TestChain::new();
    for number in 1..=9 {
        chain.deploy(NativeContract { id: ContractId([number; 16]), run: relay, metadata: ledger::metadata });
    }
    let reached = chain.as_operator().call(ContractId([1; 16]), &[1], 0);
    assert_eq!(reached, Ok(vec![8, portolan_sdk::CallRefusal::TooDeep as i32 as u8]));
    let last = chain.as_operator().call(ContractId([2; 16]), &[2], 0);
    assert_eq!(
        last,
        Ok(vec![9, portolan_sdk::CallRefusal::UnknownContract as i32 as u8]),
        "the ninth is there, from the second on"
    );
}
