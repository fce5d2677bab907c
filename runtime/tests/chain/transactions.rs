//! Who may send what, when, and once; what of a failing transaction remains.

use crate::world::program::*;
use crate::world::*;
use portolan_primitives::{FailureReason, Outcome, Signature, Timestamp, limits::MAX_WINDOW_MS};
use portolan_runtime::native::records::{Account, Key, Member, Person, PersonId};
use portolan_runtime::{Bound, Refusal, parameters};

#[test]
fn f11_a_transaction_runs_once_in_its_window_whatever_its_approvals() {
    let mut world = World::new();
    let payment = world.supplier(&[put("paid", b"1")]);
    assert!(matches!(world.outcome(&payment), Outcome::Ok(_)));
    assert_eq!(world.refusal(&payment), Refusal::Replayed(payment.body.id()));
    let mut other = payment.clone();
    other.approvals = vec![Signature::Ed25519([1; 64])];
    assert_eq!(other.body.id(), payment.body.id());
    assert_eq!(world.refusal(&other), Refusal::Replayed(payment.body.id()));
}

#[test]
fn a_transaction_runs_once_in_one_block() {
    let mut world = World::new();
    let payment = world.supplier(&[put("paid", b"1")]);
    let mut execution = world.begin();
    execution.apply(&payment).unwrap();
    assert!(execution.apply(&payment).is_err_and(|error| error.to_string().contains("ran already")));
}

#[test]
fn f12_expired_and_far_future_transactions_are_refused_to_the_millisecond() {
    let mut world = World::new();
    let parent = world.head.header.time.0;
    let mut expires = |at: u64| {
        let mut body = world.body("supplier/main", &["dan"], vec![run("ledger", &[])]);
        body.expires_at = Timestamp(at);
        sign(body, &["dan"])
    };
    let (gone, last) = (expires(parent), expires(parent + 1));
    let (far, farthest) = (expires(parent + 100 + MAX_WINDOW_MS + 1), expires(parent + 100 + MAX_WINDOW_MS));
    assert_eq!(world.refusal(&gone), Refusal::Expired);
    assert_eq!(world.refusal(&far), Refusal::TooFarInFuture { window_ms: MAX_WINDOW_MS });
    world.accepts(&last);
    world.accepts(&farthest);
}

#[test]
fn f11_a_transaction_of_another_chain_is_refused() {
    let mut world = World::new();
    let mut other = World::with(|genesis| genesis.network = "other".into());
    let foreign = other.supplier(&[]);
    assert!(matches!(world.refusal(&foreign), Refusal::OtherChain { .. }));
    let mut forged = foreign.clone();
    forged.body.chain = world.head.header.chain;
    assert_eq!(world.refusal(&forged), Refusal::BadSignature);
}

#[test]
fn only_the_named_approvers_signatures_count() {
    let mut world = World::new();
    let mut body = world.body("supplier/main", &["dan"], vec![run("ledger", &[])]);
    body.approvers = vec![key("dan").public().id()];
    assert_eq!(world.refusal(&sign(body, &["ann"])), Refusal::BadSignature);
    let strangers = world.transaction("supplier/main", &["ann"], vec![run("ledger", &[])]);
    assert_eq!(world.refusal(&strangers), Refusal::NoApproverOfSender);
    let unknown = world.transaction("supplier/main", &["nobody"], vec![run("ledger", &[])]);
    assert_eq!(world.refusal(&unknown), Refusal::UnknownKey(key("nobody").public().id()));
    let node = world.transaction("platform/main", &["node"], vec![run("ledger", &[])]);
    assert_eq!(world.refusal(&node), Refusal::WrongPurpose(key("node").public().id()));
    let nowhere = world.transaction("supplier/none", &["dan"], vec![run("ledger", &[])]);
    assert_eq!(world.refusal(&nowhere), Refusal::UnknownAccount);
}

#[test]
fn a_frozen_member_acts_no_more_and_a_restricted_one_still_repays() {
    use portolan_primitives::{MemberId, MemberStatus};
    let mut world = World::new();
    let supplier = MemberId::from_name("supplier");
    for (status, refused) in [
        (MemberStatus::Restricted, false),
        (MemberStatus::Frozen, true),
        (MemberStatus::Left, true),
        (MemberStatus::Active, false),
    ] {
        world.edit(|ledger| {
            let member = ledger.get::<Member>(&supplier).unwrap().unwrap();
            ledger.put(&supplier, &Member { status, ..member }).unwrap();
        });
        let transaction = world.supplier(&[]);
        if refused {
            assert_eq!(world.refusal(&transaction), Refusal::MemberNotActive(status));
        } else {
            world.accepts(&transaction);
        }
    }
}

#[test]
fn a_revoked_key_counts_to_the_end_of_its_block_and_no_later() {
    let mut world = World::new();
    let id = key("dan").public().id();
    let next = world.head.header.height.next();
    world.edit(|ledger| {
        let record = ledger.get::<Key>(&id).unwrap().unwrap();
        ledger.put(&id, &Key { revoked: Some(next.next()), ..record }).unwrap();
    });
    let stale = world.supplier(&[]);
    world.accepts(&stale);
    world.edit(|_| {});
    let stale = world.supplier(&[]);
    assert_eq!(world.refusal(&stale), Refusal::KeyNotValid(id));
}

#[test]
fn an_expired_key_a_dismissed_person_and_a_closed_account_are_refused() {
    let mut world = World::with(|genesis| genesis.user_keys[4].valid_until = Some(Timestamp(START + 5_000)));
    let dan = key("dan").public().id();
    let transaction = world.supplier(&[]);
    world.accepts(&transaction);
    world.time = START + 5_000;
    assert_eq!(world.refusal(&transaction), Refusal::KeyNotValid(dan));
    world.time = START + 4_999;
    let person = PersonId { member: portolan_primitives::MemberId::from_name("supplier"), name: "dan".into() };
    world.edit(|ledger| ledger.put(&person, &Person { maker: true, checker: true, active: false }).unwrap());
    assert_eq!(world.refusal(&transaction), Refusal::PersonNotActive(dan));
    world.edit(|ledger| {
        let main = account("supplier/main");
        let record = ledger.get::<Account>(&main).unwrap().unwrap();
        ledger.put(&main, &Account { closed: true, ..record }).unwrap();
    });
    assert_eq!(world.refusal(&transaction), Refusal::AccountClosed);
}

#[test]
fn a_batch_is_all_or_nothing() {
    let mut world = World::new();
    let before = world.state.root();
    let calls = vec![
        run("ledger", &[put("a", b"1"), emit(b"first")]),
        run("helper", &[put("b", b"1")]),
        run("ledger", &[put("c", b"1"), revert(b"no")]),
    ];
    let batch = world.transaction("supplier/main", &["dan"], calls);
    let parts = world.block(&[batch]);
    let executed = &parts.receipts[0];
    let expected = Outcome::Failed { call: 2, contract: id("ledger"), reason: FailureReason::Reverted(b"no".to_vec()) };
    assert_eq!(executed.receipt.outcome, expected);
    assert!(executed.events.is_empty());
    assert_eq!(world.state.root(), before);
    let good = world.transaction(
        "supplier/main",
        &["dan"],
        vec![run("ledger", &[put("a", b"1"), emit(b"first")]), run("helper", &[put("b", b"2"), get("b")])],
    );
    let parts = world.block(&[good]);
    assert_eq!(parts.receipts[0].receipt.outcome, Outcome::Ok(vec![vec![], b"2".to_vec()]));
    assert_eq!(parts.receipts[0].events.len(), 1);
}

#[test]
fn f44_a_trap_and_an_endless_loop_charge_the_whole_limit_and_change_nothing() {
    let mut world = World::new();
    let before = world.state.root();
    for (steps, expected) in [(trap(), FailureReason::Trapped), (loop_forever(), FailureReason::OutOfGas)] {
        let transaction = world.supplier(&[put("a", b"1"), steps]);
        let parts = world.block(&[transaction]);
        assert_eq!(reason(&parts.receipts[0].receipt.outcome), &expected);
        assert_eq!(parts.receipts[0].receipt.gas, GAS);
        assert_eq!(world.state.root(), before);
    }
}

#[test]
fn an_unknown_contract_is_an_outcome() {
    let mut world = World::new();
    let transaction = world.transaction("supplier/main", &["dan"], vec![run("nowhere", &[])]);
    assert_eq!(reason(&world.outcome(&transaction)), &FailureReason::UnknownContract);
}

#[test]
fn gas_limits_are_bounded_below_and_above() {
    let mut world = World::new();
    let mut with = |gas| {
        let mut body = world.body("supplier/main", &["dan"], vec![run("ledger", &[])]);
        body.gas_limit = gas;
        sign(body, &["dan"])
    };
    let (poor, rich) = (with(1_000), with(parameters::TRANSACTION_GAS.default + 1));
    assert!(matches!(world.refusal(&poor), Refusal::GasBelowBase { .. }));
    assert_eq!(world.refusal(&rich), Refusal::GasAboveLimit { most: parameters::TRANSACTION_GAS.default });
}

#[test]
fn a_member_that_used_up_its_quota_leaves_room_for_others() {
    let mut world = World::with(|genesis| set(genesis, &parameters::QUOTA_GAS, 2 * GAS));
    let own: Vec<_> = (0..3).map(|_| world.supplier(&[])).collect();
    let others = world.transaction("bank/treasury", &["ann"], vec![run("ledger", &[])]);
    let mut execution = world.begin();
    execution.apply(&own[0]).unwrap();
    execution.apply(&own[1]).unwrap();
    let third = execution.apply(&own[2]).unwrap_err();
    assert_eq!(third.to_string(), Refusal::Quota(Bound::Gas).to_string());
    execution.apply(&others).unwrap();
}

#[test]
fn stored_bytes_count_net_and_by_member() {
    let mut world = World::with(|genesis| set(genesis, &parameters::QUOTA_STORED, 5_000));
    let large = world.supplier(&[put("a", &[1; 4_000])]);
    let gone = world.supplier(&[delete("a")]);
    let again = world.supplier(&[put("a", &[2; 4_000])]);
    let more = world.supplier(&[put("b", &[2; 4_000])]);
    let mut execution = world.begin();
    for transaction in [&large, &gone, &again] {
        assert!(execution.apply(transaction).unwrap().succeeded);
    }
    let refused = execution.apply(&more).unwrap_err();
    assert_eq!(refused.to_string(), Refusal::Quota(Bound::StoredBytes).to_string());
    let executed = execution.finish(|changes| world.state.update(changes)).unwrap();
    world.commit(executed, &[large, gone, again]);
    assert_eq!(world.value("ledger", "b"), None);
    assert_eq!(world.value("ledger", "a"), Some(vec![2; 4_000]));
}

#[test]
fn a_full_block_takes_no_more_and_says_it_can_come_later() {
    let mut world = World::with(|genesis| set(genesis, &parameters::BLOCK_TRANSACTIONS, 1));
    let (one, two) = (world.supplier(&[]), world.supplier(&[]));
    let mut execution = world.begin();
    execution.apply(&one).unwrap();
    let Err(portolan_runtime::ApplyError::Refused(refusal)) = execution.apply(&two) else { panic!() };
    assert_eq!(refusal, Refusal::BlockFull(Bound::Transactions));
    assert!(!refusal.is_final());
}

#[test]
fn each_failed_round_halves_the_gas_of_a_block() {
    let mut world = World::with(|genesis| {
        set(genesis, &parameters::BLOCK_GAS, 4 * GAS);
        set(genesis, &parameters::BLOCK_AGENDA_GAS, GAS);
    });
    let transactions: Vec<_> = (0..6).map(|_| world.supplier(&[])).collect();
    let taken = |round: u32| {
        let mut context = world.context();
        context.round.0 = round;
        let mut execution = world.begin_in(context);
        transactions.iter().filter(|transaction| execution.apply(transaction).is_ok()).count()
    };
    assert_eq!([taken(0), taken(1), taken(2), taken(3)], [4, 2, 1, 0]);
}

#[test]
fn the_mempool_is_told_the_same_before_a_block_is() {
    let mut world = World::new();
    let good = world.supplier(&[]);
    let view = || std::sync::Arc::new(world.state.view());
    let now = Timestamp(world.time);
    let admission = world.runtime.check(view(), &world.head, now, &good).unwrap();
    assert_eq!(admission.id, good.body.id());
    assert_eq!(admission.signatures.len(), 1);
    assert!(admission.signatures[0].key.verify(&admission.signatures[0].message, &admission.signatures[0].signature));
    let late = Timestamp(good.body.expires_at.0);
    assert!(world.runtime.check(view(), &world.head, late, &good).is_err());
}

#[test]
fn a_transaction_of_another_shape_is_malformed_wherever_it_comes_from() {
    let mut world = World::new();
    let mut with = |change: &dyn Fn(&mut portolan_primitives::transaction::Body)| {
        let mut body = world.body("supplier/main", &["dan"], vec![run("ledger", &[])]);
        change(&mut body);
        let transaction = sign(body, &["dan"]);
        matches!(world.refusal(&transaction), Refusal::Malformed(_))
    };
    assert!(with(&|body| body.version = 2));
    assert!(with(&|body| body.calls.clear()));
    assert!(with(&|body| body.calls = vec![run("ledger", &[]); 65]));
    assert!(with(&|body| body.approvers.push(body.approvers[0])));
    let mut unsigned = world.supplier(&[]);
    unsigned.approvals.clear();
    assert!(matches!(world.refusal(&unsigned), Refusal::Malformed(_)));
}

#[test]
fn what_fails_still_counts_in_its_members_quota() {
    let mut world = World::with(|genesis| set(genesis, &parameters::QUOTA_GAS, 2 * GAS));
    let failing: Vec<_> = (0..3).map(|_| world.supplier(&[revert(b"no")])).collect();
    let mut execution = world.begin();
    assert!(!execution.apply(&failing[0]).unwrap().succeeded);
    assert!(!execution.apply(&failing[1]).unwrap().succeeded);
    let third = execution.apply(&failing[2]).unwrap_err();
    assert_eq!(third.to_string(), Refusal::Quota(Bound::Gas).to_string());
}

#[test]
fn bytes_that_a_failing_callee_stored_do_not_count() {
    let mut world = World::with(|genesis| set(genesis, &parameters::QUOTA_STORED, 5_000));
    let undone = program(&[put("a", &[1; 4_000]), revert(b"no")]);
    let transaction = world.supplier(&[call(id("helper"), &undone), put("b", &[2; 4_000])]);
    assert!(world.accepts(&transaction).succeeded);
}

#[test]
fn an_account_without_bounds_keeps_no_sums() {
    let mut world = World::new();
    let before = world.state.root();
    let payment = world.supplier(&[authorize(account("supplier/main"), CNY, 1_000)]);
    assert!(matches!(world.outcome(&payment), Outcome::Ok(_)));
    assert_eq!(world.state.root(), before);
}

/// A message of so many bytes that no module knows: it fails, and its bytes count.
fn heavy(world: &mut World, sender: &str, approver: &str, bytes: usize) -> portolan_primitives::Transaction {
    let contract = portolan_runtime::native::Native::Clock.id();
    let call = portolan_primitives::Call { contract, input: vec![0xFF; bytes] };
    let mut body = world.body(sender, &[approver], vec![call]);
    body.gas_limit = parameters::TRANSACTION_GAS.default;
    sign(body, &[approver])
}

#[test]
fn bytes_are_bounded_by_member_and_by_block() {
    let mut world = World::with(|genesis| {
        set(genesis, &parameters::QUOTA_BYTES, 700 * 1024);
        set(genesis, &parameters::BLOCK_BYTES, 1024 * 1024);
    });
    let [one, two] = [500_000, 300_000].map(|bytes| heavy(&mut world, "supplier/main", "dan", bytes));
    let [three, four] = [400_000, 200_000].map(|bytes| heavy(&mut world, "bank/treasury", "ann", bytes));
    let small = world.supplier(&[]);
    let mut execution = world.begin();
    execution.apply(&one).unwrap();
    let over_quota = execution.apply(&two).unwrap_err();
    assert_eq!(over_quota.to_string(), Refusal::Quota(Bound::Bytes).to_string());
    execution.apply(&three).unwrap();
    let full = execution.apply(&four).unwrap_err();
    assert_eq!(full.to_string(), Refusal::BlockFull(Bound::Bytes).to_string());
    execution.apply(&small).unwrap();
}

#[test]
fn a_header_says_how_much_gas_the_block_used() {
    let mut world = World::new();
    let due = world.date().0;
    let plan = world.supplier(&[schedule(due, 1_000_000, &program(&[put("a", b"1")]))]);
    world.block(&[plan]);
    let (good, bad) = (world.supplier(&[put("b", b"1")]), world.supplier(&[revert(b"no")]));
    let parts = world.block(&[good, bad]);
    assert_eq!(parts.receipts.len(), 3);
    let sum: u64 = parts.receipts.iter().map(|executed| executed.receipt.gas).sum();
    assert_eq!(parts.header.gas_used, sum);
}

#[test]
fn events_are_bounded_in_each_call_and_not_over_a_batch() {
    let mut world = World::new();
    let call = |events: usize| run("ledger", &vec![emit(b"x"); events]);
    let batch = world.transaction("supplier/main", &["dan"], vec![call(600), call(600)]);
    let parts = world.block(&[batch]);
    assert!(parts.receipts[0].receipt.succeeded());
    assert_eq!(parts.receipts[0].events.len(), 1_200);
    let flood = world.transaction("supplier/main", &["dan"], vec![call(1_025)]);
    assert_eq!(reason(&world.outcome(&flood)), &FailureReason::Trapped);
}
