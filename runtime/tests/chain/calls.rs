//! Contracts that call one another: what is undone with whom, and what can't be.

use crate::world::program::*;
use crate::world::*;
use codec::{Decode, Encode};
use portolan_primitives::{Call, Caller, ContractId, FailureReason, Outcome};
use portolan_runtime::genesis::NetworkKind;
use portolan_runtime::native::contracts::{self, ContractView};
use portolan_runtime::native::{Native, clock};
use portolan_sdk::ContractError;
use portolan_vm::abi::CallRefusal;
use proptest::prelude::*;

fn answer(outcome: &Outcome) -> i32 {
    match outcome {
        Outcome::Ok(outputs) => i32::from_le_bytes(outputs[0].clone().try_into().unwrap()),
        failed => panic!("{failed:?}"),
    }
}

#[test]
fn a_reverted_cross_call_leaves_the_callers_writes() {
    let mut world = World::new();
    let inner = program(&[put("in", b"1"), emit(b"lost"), revert(b"no")]);
    let transaction =
        world.supplier(&[put("before", b"1"), emit(b"kept"), call(id("helper"), &inner), put("after", b"1")]);
    let mut parts = world.block(&[transaction]);
    let executed = parts.receipts.pop().unwrap();
    assert_eq!(answer(&executed.receipt.outcome), CallRefusal::Reverted as i32);
    assert_eq!(executed.events.iter().map(|event| event.payload.as_slice()).collect::<Vec<_>>(), [b"kept"]);
    assert_eq!(world.value("ledger", "before"), Some(b"1".to_vec()));
    assert_eq!(world.value("ledger", "after"), Some(b"1".to_vec()));
    assert_eq!(world.value("helper", "in"), None);
}

#[test]
fn what_a_callee_did_falls_with_its_caller() {
    let mut world = World::new();
    let deep = program(&[put("deep", b"1")]);
    let inner = program(&[call(id("third"), &deep), revert(b"no")]);
    let transaction = world.supplier(&[call(id("helper"), &inner)]);
    assert_eq!(answer(&world.outcome(&transaction)), CallRefusal::Reverted as i32);
    assert_eq!(world.value("third", "deep"), None);
}

#[test]
fn f44_a_contract_on_the_stack_is_not_entered_again() {
    let mut world = World::new();
    let back = program(&[call(id("ledger"), &program(&[put("again", b"1")])), get("none")]);
    let transaction = world.supplier(&[call(id("ledger"), &[])]);
    assert_eq!(answer(&world.outcome(&transaction)), CallRefusal::Reentrant as i32);
    let transaction = world.supplier(&[call(id("helper"), &back)]);
    world.outcome(&transaction);
    assert_eq!(world.value("ledger", "again"), None);
}

#[test]
fn a_callee_that_loops_or_traps_uses_no_more_than_it_was_given() {
    let mut world = World::new();
    for steps in [loop_forever(), trap()] {
        let transaction = world.supplier(&[call_with(id("helper"), 1_000_000, &program(&[steps])), put("on", b"1")]);
        let mut parts = world.block(&[transaction]);
        let receipt = parts.receipts.pop().unwrap().receipt;
        assert!(receipt.succeeded() && receipt.gas < 2_000_000, "{receipt:?}");
        assert_eq!(world.value("ledger", "on"), Some(b"1".to_vec()));
    }
}

#[test]
fn calls_go_eight_deep_and_no_deeper() {
    let names: Vec<String> = (0..9).map(|number| format!("deep-{number}")).collect();
    let mut world = World::with(|genesis| {
        for name in &names {
            let contract =
                portolan_runtime::genesis::GenesisContract { name: name.clone(), code: code(), instantiate: vec![] };
            genesis.contracts.push(contract);
        }
    });
    let mut nested = program(&[put("here", b"1")]);
    for name in names.iter().skip(1).rev() {
        nested = program(&[put("here", b"1"), call(id(name), &nested)]);
    }
    let first = Call { contract: id(&names[0]), input: nested };
    let transaction = world.transaction("supplier/main", &["dan"], vec![first]);
    assert!(matches!(world.outcome(&transaction), Outcome::Ok(_)));
    let reached: Vec<bool> = names.iter().map(|name| world.value(name, "here").is_some()).collect();
    assert_eq!(reached, [true, true, true, true, true, true, true, true, false]);
}

#[test]
fn a_callee_sees_the_contract_that_calls() {
    let mut world = World::new();
    let message = clock::messages::Call::AdvanceTo { date: date(OPENING).plus_days(3) };
    let transaction = world.supplier(&[call(Native::Clock.id(), &message.encode())]);
    assert_eq!(answer(&world.outcome(&transaction)), CallRefusal::Reverted as i32);
    let direct = world.transaction(
        "supplier/main",
        &["dan"],
        vec![Call { contract: Native::Clock.id(), input: message.encode() }],
    );
    assert!(matches!(world.outcome(&direct), Outcome::Ok(_)));
}

#[test]
fn more_events_than_a_call_may_make_fail_it_however_they_are_spread() {
    let mut world = World::new();
    let flood: Vec<Vec<u8>> = (0..600).map(|_| emit(b"x")).collect();
    let both = [program(&flood), call(id("helper"), &program(&flood))];
    let before = world.state.root();
    let transaction = world.supplier(&both);
    assert_eq!(reason(&world.outcome(&transaction)), &FailureReason::Trapped);
    assert_eq!(world.state.root(), before);
    let transaction = world.supplier(&flood);
    assert!(matches!(world.outcome(&transaction), Outcome::Ok(_)));
}

#[test]
fn the_consortium_hash_is_the_secrets() {
    let mut world = World::new();
    let transaction = world.supplier(&[consortium_hash(b"invoice")]);
    let Outcome::Ok(outputs) = world.outcome(&transaction) else { panic!() };
    assert_ne!(outputs[0], portolan_primitives::hash::keyed_hash(&SECRET, &[b"invoice"]).0.to_vec());
    assert_eq!(world.query("helper", &program(&[consortium_hash(b"invoice")])).result, Ok(outputs[0].clone()));
}

#[test]
fn provisional_days_are_covered_on_a_devnet_only() {
    let ask = |world: &World, calendar: &str, day: &str| {
        let output = world.query("ledger", &program(&[is_business_day(calendar, date(day).0)])).result.unwrap();
        i32::from_le_bytes(output.try_into().unwrap())
    };
    let devnet = World::new();
    assert_eq!(ask(&devnet, "cn", "2026-03-02"), 1);
    assert_eq!(ask(&devnet, "cn", "2026-03-07"), 0);
    assert_eq!(ask(&devnet, "cn", "2027-03-01"), portolan_vm::abi::NOT_COVERED);
    assert_eq!(ask(&devnet, "demo", "2027-03-01"), 1);
    assert_eq!(ask(&devnet, "xx", "2026-03-02"), portolan_vm::abi::UNKNOWN_CALENDAR);
    let mut production = World::with(|genesis| {
        genesis.kind = NetworkKind::Production;
        genesis.clock = real_days();
        genesis.calendars[1].years.pop();
    });
    production.edit(|ledger| ledger.put(&("demo".into(), 2027), &weekdays(2027, true)).unwrap());
    assert_eq!(ask(&production, "demo", "2026-03-02"), 1);
    assert_eq!(ask(&production, "demo", "2027-03-01"), portolan_vm::abi::NOT_COVERED);
}

fn real_days() -> portolan_runtime::genesis::BusinessClock {
    use portolan_runtime::genesis::{BusinessClock, Zone, ZoneOffset};
    let offsets = vec![ZoneOffset { from: portolan_primitives::Timestamp(0), seconds: 8 * 3600 }];
    BusinessClock::Real(Zone { name: "Asia/Shanghai".into(), offsets })
}

#[test]
fn a_question_reads_and_says_what_it_read_and_writes_nothing() {
    let mut world = World::new();
    let transaction = world.supplier(&[put("a", b"value")]);
    world.block(&[transaction]);
    let asked = world.query("ledger", &program(&[get("a")]));
    assert_eq!(asked.result, Ok(b"value".to_vec()));
    let read = portolan_state::keys::contract_storage(&id("ledger"), &storage_key("a"));
    assert!(asked.reads.keys.contains(&read));
    assert_eq!(world.query("ledger", &program(&[put("a", b"x")])).result, Err(FailureReason::Trapped));
    let through = program(&[call_with(id("helper"), 1_000_000, &program(&[put("a", b"x")]))]);
    let failed = CallRefusal::Failed as i32;
    assert_eq!(world.query("ledger", &through).result, Ok(failed.to_le_bytes().to_vec()));
    assert_eq!(world.query_with("ledger", &program(&[loop_forever()]), 1_000_000).result, Err(FailureReason::OutOfGas));
    assert_eq!(world.query("nowhere", &[]).result, Err(FailureReason::UnknownContract));
    assert_eq!(world.value("ledger", "a"), Some(b"value".to_vec()));
}

#[test]
fn the_keys_of_a_question_prove_its_answer() {
    let mut world = World::new();
    let transaction = world.supplier(&[put("a", b"value")]);
    let root = world.block(&[transaction]).header.state_root;
    let asked = world.query("ledger", &program(&[get("a"), get("none")]));
    let (entries, proof) = world.state.prove_with_values(world.head.header.height, &asked.reads.keys).unwrap();
    let claimed: Vec<(&[u8], Option<&[u8]>)> =
        entries.iter().map(|entry| (entry.key.as_slice(), entry.value.as_deref())).collect();
    assert!(claimed.len() >= 2 && proof.verify(&root, &claimed).is_ok());
}

/// Calls the registry as governance would.
fn registry(world: &mut World, call: &contracts::messages::Call) -> Outcome {
    let transaction = world.transaction(
        "supplier/main",
        &["dan"],
        vec![Call { contract: Native::Contracts.id(), input: call.encode() }],
    );
    world.outcome(&transaction)
}

fn refused(outcome: &Outcome) -> contracts::ContractsError {
    let FailureReason::Reverted(error) = reason(outcome) else { panic!("{outcome:?}") };
    match ContractError::decode(&mut error.as_slice()).unwrap() {
        ContractError::Contract(error) => error,
        ContractError::BadMessage => panic!("bad message"),
    }
}

#[test]
fn nobody_deploys_past_governance() {
    let mut world = World::new();
    let call = contracts::messages::Call::Deploy { name: "mine".into(), code: code(), instantiate: vec![] };
    assert_eq!(refused(&registry(&mut world, &call)), contracts::ContractsError::NotGoverned);
    let through = world.supplier(&[call_registry(&call)]);
    assert_eq!(answer(&world.outcome(&through)), CallRefusal::Reverted as i32);
}

fn call_registry(message: &contracts::messages::Call) -> Vec<u8> {
    call(Native::Contracts.id(), &message.encode())
}

/// The platform, which alone has a validator, decides on an upgrade of `ledger`.
fn upgrade(world: &mut World, code: Vec<u8>, migrate: &[Vec<u8>]) -> Outcome {
    use portolan_runtime::native::governance::{Action, messages};
    let action = Action::UpgradeContract { name: "ledger".into(), code, migrate: program(migrate) };
    let input = messages::Call::Propose { title: "upgrade".into(), action, days: None }.encode();
    let mut body = world.body("platform/admin", &["eve"], vec![Call { contract: Native::Governance.id(), input }]);
    body.gas_limit = 500_000_000;
    let transaction = sign(body, &["eve"]);
    world.outcome(&transaction)
}

fn instance(world: &World) -> ContractView {
    let query = contracts::messages::Query::Contract { name: "ledger".into() };
    ContractView::decode(&mut world.query("contracts", &query.encode()).result.unwrap().as_slice()).unwrap()
}

#[test]
fn a_migration_that_fails_half_way_leaves_the_old_code_and_state() {
    let mut world = World::new();
    let before = instance(&world);
    let new_code = wat::parse_str(CONTRACT.replace("(export \"memory\") 3", "(export \"memory\") 4")).unwrap();
    for failure in [revert(b"no"), trap()] {
        let outcome = upgrade(&mut world, new_code.clone(), &[put("new", b"1"), failure]);
        assert!(matches!(outcome, Outcome::Ok(_) | Outcome::Failed { .. }));
        assert_eq!(instance(&world), before);
        assert_eq!(world.value("ledger", "new"), None);
    }
    let outcome = upgrade(&mut world, b"no module".to_vec(), &[]);
    assert!(matches!(outcome, Outcome::Ok(_)), "{outcome:?}");
    assert_eq!(instance(&world), before);
    let outcome = upgrade(&mut world, new_code, &[put("new", b"1")]);
    assert!(matches!(outcome, Outcome::Ok(_)), "{outcome:?}");
    let after = instance(&world);
    assert_eq!((after.version, after.code == before.code), (2, false));
    assert_eq!(world.value("ledger", "new"), Some(b"1".to_vec()));
    let transaction = world.supplier(&[put("still", b"runs")]);
    assert!(matches!(world.outcome(&transaction), Outcome::Ok(_)));
}

#[test]
fn an_entry_planned_before_an_upgrade_runs_in_the_new_code() {
    let mut world = World::new();
    let due = date(OPENING).plus_days(1);
    let planned = world.supplier(&[schedule(due.0, 1_000_000, &program(&[note("log", 1)]))]);
    world.block(&[planned]);
    let new_code = wat::parse_str(CONTRACT.replace("(export \"memory\") 3", "(export \"memory\") 5")).unwrap();
    upgrade(&mut world, new_code, &[]);
    assert_eq!(instance(&world).version, 2);
    world.advance_to(due);
    let time = world.time + DAY_MS;
    world.block_at(time);
    assert_eq!(world.notes("log"), [(1, due)]);
}

#[test]
fn the_registry_lists_contracts_and_modules() {
    let world = World::new();
    let asked = world.query("contracts", &contracts::messages::Query::List.encode()).result.unwrap();
    let views = Vec::<ContractView>::decode(&mut asked.as_slice()).unwrap();
    for name in NAMES {
        assert!(views.iter().any(|view| view.name == name && !view.native && view.version == 1));
    }
    assert_eq!(views.iter().filter(|view| view.native).count(), Native::ALL.len());
}

#[test]
fn every_module_describes_itself_under_its_name() {
    let world = World::new();
    for native in Native::ALL {
        let view = std::sync::Arc::new(world.state.view());
        let metadata = world.runtime.metadata(view, native.id()).unwrap().unwrap();
        assert_eq!(metadata.name, native.name());
        let bytes = metadata.to_bytes();
        assert_eq!(
            portolan_sdk::metadata::ContractMetadata::from_bytes(&bytes).unwrap(),
            metadata,
            "{}",
            native.name()
        );
    }
}

#[test]
fn a_contract_sees_its_own_account_of_callers() {
    let world = World::new();
    let view = std::sync::Arc::new(world.state.view());
    let reader = Caller::Account(account("supplier/main"));
    let asked = world.runtime.query(view, &world.head, ContractId::from_name("clock"), &[0], reader, GAS).unwrap();
    let now = clock::ClockView::decode(&mut asked.result.unwrap().as_slice()).unwrap();
    assert_eq!((now.date, now.target), (date(OPENING), Some(date(OPENING))));
}

/// A random step, the same for the chain and for the model.
#[derive(Clone, Debug)]
enum Step {
    Put(u8, u8),
    Delete(u8),
    Emit(u8),
    Call(u8, Vec<Step>),
    Revert,
    Trap,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let leaf = prop_oneof![
        4 => (0..4u8, any::<u8>()).prop_map(|(key, value)| Step::Put(key, value)),
        2 => (0..4u8).prop_map(Step::Delete),
        1 => any::<u8>().prop_map(Step::Emit),
        1 => Just(Step::Revert),
        1 => Just(Step::Trap),
    ];
    let step = leaf.prop_recursive(3, 24, 5, |inner| {
        (0..3u8, prop::collection::vec(inner, 0..5)).prop_map(|(to, steps)| Step::Call(to, steps))
    });
    prop::collection::vec(step, 0..6)
}

/// Gas of calls by depth: whatever traps or loops inside leaves its caller enough.
const CALL_GAS: [u64; 3] = [7_000_000, 1_200_000, 200_000];

fn encode(steps: &[Step], depth: usize) -> Vec<u8> {
    let one = |step: &Step| match step {
        Step::Put(key, value) => put(&key.to_string(), &[*value]),
        Step::Delete(key) => delete(&key.to_string()),
        Step::Emit(payload) => emit(&[*payload]),
        Step::Call(to, inner) => call_with(id(NAMES[usize::from(*to)]), CALL_GAS[depth], &encode(inner, depth + 1)),
        Step::Revert => revert(b""),
        Step::Trap => trap(),
    };
    steps.iter().flat_map(one).collect()
}

type Values = std::collections::BTreeMap<(u8, u8), u8>;

/// What must come of it: whether it succeeds, values and events.
fn model(contract: u8, steps: &[Step], stack: &mut Vec<u8>, values: &mut Values, events: &mut Vec<u8>) -> bool {
    let (before, events_before) = (values.clone(), events.len());
    stack.push(contract);
    let mut good = true;
    for step in steps {
        match step {
            Step::Put(key, value) => drop(values.insert((contract, *key), *value)),
            Step::Delete(key) => drop(values.remove(&(contract, *key))),
            Step::Emit(payload) => events.push(*payload),
            Step::Call(to, inner) if !stack.contains(to) => drop(model(*to, inner, stack, values, events)),
            Step::Call(..) => {}
            Step::Revert | Step::Trap => good = false,
        }
        if !good {
            *values = before;
            events.truncate(events_before);
            break;
        }
    }
    stack.pop();
    good
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Invariant 6: a call that fails changes nothing but its receipt and the gas, at whatever depth.
    #[test]
    fn what_fails_changes_nothing_and_what_succeeds_everything(batch in prop::collection::vec((0..3u8, steps()), 1..5)) {
        let mut world = World::on(shared(), &genesis());
        let mut values = Values::new();
        for (contract, steps) in batch {
            let call = Call { contract: id(NAMES[usize::from(contract)]), input: encode(&steps, 0) };
            let transaction = world.transaction("supplier/main", &["dan"], vec![call]);
            let mut events = vec![];
            let good = model(contract, &steps, &mut vec![], &mut values, &mut events);
            let parts = world.block(&[transaction]);
            prop_assert_eq!(parts.receipts[0].receipt.succeeded(), good);
            let seen: Vec<u8> = parts.receipts[0].events.iter().map(|event| event.payload[0]).collect();
            prop_assert_eq!(seen, events);
        }
        for (contract, name) in NAMES.iter().enumerate() {
            for key in 0..4u8 {
                let expected = values.get(&(contract as u8, key)).map(|value| vec![*value]);
                prop_assert_eq!(world.value(name, &key.to_string()), expected);
            }
        }
    }
}

/// One runtime for all cases: modules compile once.
fn shared() -> std::sync::Arc<portolan_runtime::Runtime> {
    static RUNTIME: std::sync::OnceLock<std::sync::Arc<portolan_runtime::Runtime>> = std::sync::OnceLock::new();
    std::sync::Arc::clone(RUNTIME.get_or_init(new_runtime))
}
