//! What falls due: in order, under its own date, exactly once, in bounded blocks, and never lost.

use crate::world::program::*;
use crate::world::*;
use codec::{Decode, Encode};
use portolan_primitives::{AgendaId, BusinessDate, FailureReason, Origin, Outcome, Timestamp};
use portolan_runtime::genesis::{BusinessClock, NetworkKind, Zone, ZoneOffset};
use portolan_runtime::native::agenda::messages::Query;
use portolan_runtime::native::agenda::{EntryView, FailedView, entry_id};
use portolan_runtime::{ApplyError, ExecutedReceipt, GenesisError, Reason, Wakeup, parameters};
use proptest::prelude::*;

const ENTRY_GAS: u64 = 1_000_000;

fn opening() -> BusinessDate {
    date(OPENING)
}

/// The contract `ledger` notes `mark` on the day.
fn plan(world: &mut World, due: BusinessDate, mark: u8) -> AgendaId {
    plan_steps(world, due, &[note("log", mark)])
}

fn plan_steps(world: &mut World, due: BusinessDate, steps: &[Vec<u8>]) -> AgendaId {
    let transaction = world.supplier(&[schedule(due.0, ENTRY_GAS, &program(steps))]);
    let Outcome::Ok(outputs) = world.outcome(&transaction) else { panic!("not scheduled") };
    AgendaId(outputs[0].clone().try_into().unwrap())
}

fn marks(world: &World) -> Vec<u8> {
    world.notes("log").iter().map(|(mark, _)| *mark).collect()
}

fn entries(receipts: &[ExecutedReceipt]) -> Vec<(AgendaId, u32, bool)> {
    let entry = |executed: &ExecutedReceipt| match executed.receipt.origin {
        Origin::Agenda(id, attempt) => Some((id, attempt, executed.receipt.succeeded())),
        _ => None,
    };
    receipts.iter().filter_map(entry).collect()
}

fn waiting(world: &World) -> Vec<EntryView> {
    let query = Query::Waiting { from: None, after: None, limit: 256 };
    Vec::decode(&mut world.query("agenda", &query.encode()).result.unwrap().as_slice()).unwrap()
}

fn failed(world: &World) -> Vec<FailedView> {
    let query = Query::Failed { after: None, limit: 256 };
    Vec::decode(&mut world.query("agenda", &query.encode()).result.unwrap().as_slice()).unwrap()
}

fn wakeup(world: &World) -> Option<Wakeup> {
    world.runtime.next_wakeup(std::sync::Arc::new(world.state.view())).unwrap()
}

/// Runs blocks until the clock stands and nothing waits for a day that has come.
fn settle(world: &mut World, blocks: usize) {
    for _ in 0..blocks {
        match wakeup(world) {
            None => return,
            Some(Wakeup { at, .. }) => {
                let time = world.time.max(at.0);
                world.block_at(time);
            }
        }
    }
    panic!("still not settled after {blocks} blocks: {:?}", wakeup(world));
}

#[test]
fn a_due_entry_runs_first_in_the_block_of_its_day_and_before_transactions() {
    let mut world = World::new();
    let due = opening().plus_days(1);
    let entry = plan(&mut world, due, 1);
    world.advance_to(due);
    assert_eq!(marks(&world), Vec::<u8>::new());
    world.time += DAY_MS;
    let transaction = world.supplier(&[note("log", 2)]);
    let parts = world.block(&[transaction]);
    assert_eq!(world.notes("log"), [(1, due), (2, due)]);
    assert_eq!(entries(&parts.receipts), [(entry, 1, true)]);
    assert_eq!(parts.receipts.last().map(|last| matches!(last.receipt.origin, Origin::Transaction(_))), Some(true));
    assert!(waiting(&world).is_empty());
}

#[test]
fn days_that_passed_at_once_run_in_order_under_their_own_dates() {
    let mut world = World::with(|genesis| {
        let offsets = vec![ZoneOffset { from: Timestamp(0), seconds: 8 * 3600 }];
        genesis.clock = BusinessClock::Real(Zone { name: "Asia/Shanghai".into(), offsets });
    });
    let friday = world.date();
    for (days, mark) in [(3, 30), (1, 10), (2, 20), (1, 11), (5, 50)] {
        plan(&mut world, friday.plus_days(days), mark);
    }
    // The chain halts and comes back three days later.
    let time = world.time + 3 * 86_400_000;
    let parts = world.block_at(time);
    let notes = world.notes("log");
    let dates: Vec<i32> = notes.iter().map(|(_, date)| date.0 - friday.0).collect();
    assert_eq!(dates, [1, 1, 2, 3]);
    assert!(notes.iter().all(|(mark, date)| i32::from(*mark) / 10 == date.0 - friday.0), "{notes:?}");
    assert_eq!(world.date(), friday.plus_days(3));
    assert_eq!(parts.receipts.iter().filter(|executed| executed.receipt.origin == Origin::System).count(), 1);
    assert_eq!(waiting(&world).len(), 1);
}

#[test]
fn the_date_waits_while_its_day_is_not_done_and_transactions_keep_their_share() {
    let mut world = World::with(|genesis| {
        set(genesis, &parameters::BLOCK_GAS, 60 * ENTRY_GAS + GAS);
        set(genesis, &parameters::BLOCK_AGENDA_GAS, 4 * ENTRY_GAS);
    });
    let due = opening().plus_days(1);
    let flood: Vec<Vec<u8>> = (0..100).map(|mark| schedule(due.0, ENTRY_GAS, &program(&[note("log", mark)]))).collect();
    let later = due.plus_days(1);
    let transaction = world.supplier(&flood);
    assert!(matches!(world.outcome(&transaction), Outcome::Ok(_)));
    plan(&mut world, later, 200);
    world.advance_to(later);
    let mut blocks = 0;
    while marks(&world).len() < 101 {
        world.time += 10 * DAY_MS;
        let transaction = world.supplier(&[put("live", b"1")]);
        let before = world.notes("log").len();
        world.block(&[transaction]);
        let ran = world.notes("log").len() - before;
        assert!((1..=100).contains(&ran), "{ran}");
        let undone = 101 - world.notes("log").len();
        if undone > 1 {
            assert_eq!(world.date(), due, "the date moved past {undone} undone entries");
        }
        blocks += 1;
        assert!(blocks <= 101);
    }
    assert!(blocks > 2, "a flood is spread over blocks");
    let notes = world.notes("log");
    assert_eq!(notes[100], (200, later));
    assert!(notes[..100].iter().all(|(_, date)| *date == due));
    let mut marks: Vec<u8> = notes[..100].iter().map(|(mark, _)| *mark).collect();
    marks.sort_unstable();
    assert_eq!(marks, (0..100).collect::<Vec<u8>>());
}

#[test]
fn entries_of_a_day_run_in_the_order_of_their_ids() {
    let mut world = World::new();
    let due = opening().plus_days(1);
    let mut planned: Vec<(AgendaId, u8)> = (0..20).map(|mark| (plan(&mut world, due, mark), mark)).collect();
    world.advance_to(due);
    settle(&mut world, 10);
    planned.sort();
    assert_eq!(marks(&world), planned.iter().map(|(_, mark)| *mark).collect::<Vec<u8>>());
}

#[test]
fn one_due_entry_runs_whatever_it_asks_for() {
    let mut world = World::with(|genesis| {
        set(genesis, &parameters::BLOCK_GAS, 2 * GAS);
        set(genesis, &parameters::BLOCK_AGENDA_GAS, 2 * ENTRY_GAS);
    });
    let due = opening().plus_days(1);
    plan(&mut world, due, 1);
    plan(&mut world, due, 2);
    world.advance_to(due);
    world.time += DAY_MS;
    let mut context = world.context();
    context.round.0 = 12;
    let executed = world.begin_in(context).finish(|changes| world.state.update(changes)).unwrap();
    assert_eq!(entries(&executed.receipts).len(), 1);
}

#[test]
fn what_entries_ask_for_beyond_what_they_use_does_not_thin_the_blocks() {
    let mut world = World::with(|genesis| set(genesis, &parameters::BLOCK_AGENDA_GAS, 2 * ENTRY_GAS));
    let due = opening().plus_days(1);
    let greedy: Vec<Vec<u8>> =
        (0..5).map(|mark| schedule(due.0, 300 * ENTRY_GAS, &program(&[note("log", mark)]))).collect();
    let transaction = world.supplier(&greedy);
    assert!(matches!(world.outcome(&transaction), Outcome::Ok(_)));
    world.advance_to(due);
    let time = world.time + DAY_MS;
    let executed = world.block_at(time);
    assert_eq!(entries(&executed.receipts).len(), 5);
}

#[test]
fn an_entry_that_takes_more_than_its_share_leaves_transactions_theirs() {
    let mut world = World::with(|genesis| {
        set(genesis, &parameters::BLOCK_GAS, 4 * GAS);
        set(genesis, &parameters::BLOCK_AGENDA_GAS, 2 * GAS);
    });
    let greedy = world.supplier(&[schedule(opening().0, 2 * GAS, &program(&[loop_forever()]))]);
    assert!(matches!(world.outcome(&greedy), Outcome::Ok(_)));
    let mut context = world.context();
    context.round.0 = 1;
    let payments: Vec<_> = (0..2).map(|_| world.supplier(&[])).collect();
    let mut execution = world.begin_in(context);
    assert!(execution.apply(&payments[0]).is_ok());
    assert!(execution.apply(&payments[1]).is_err());
}

#[test]
fn more_gas_than_a_block_gives_is_refused_when_scheduling() {
    let mut world = World::new();
    let most = parameters::AGENDA_ENTRY_GAS.default;
    let transaction = world.supplier(&[schedule(0, most + 1, &[])]);
    let code = portolan_vm::abi::ScheduleRefusal::GasAboveBlock as i32;
    assert_eq!(reason(&world.outcome(&transaction)), &reverted(code));
}

#[test]
fn a_member_makes_no_more_entries_in_a_block_than_its_quota() {
    let mut world = World::with(|genesis| set(genesis, &parameters::QUOTA_AGENDA, 3));
    let far = opening().plus_days(50).0;
    let two = world.supplier(&[schedule(far, 1, b""), schedule(far, 1, b"")]);
    let more = world.supplier(&[schedule(far, 1, b""), schedule(far, 1, b"")]);
    let other = world.transaction("bank/treasury", &["ann"], vec![run("ledger", &[schedule(far, 1, b"")])]);
    let parts = world.block(&[two, more, other]);
    let good: Vec<bool> = parts.receipts.iter().map(|executed| executed.receipt.succeeded()).collect();
    assert_eq!(good, [true, false, true]);
    let code = portolan_vm::abi::ScheduleRefusal::Quota as i32;
    assert_eq!(reason(&parts.receipts[1].receipt.outcome), &reverted(code));
    assert_eq!(waiting(&world).len(), 3);
}

#[test]
fn what_one_member_put_on_the_agenda_leaves_the_next_its_whole_quota() {
    let mut world = World::with(|genesis| set(genesis, &parameters::QUOTA_AGENDA, 3));
    let far = opening().plus_days(50).0;
    let entries = |count: usize| vec![schedule(far, 1, b""); count];
    let own = world.supplier(&entries(2));
    let other = world.transaction("bank/treasury", &["ann"], vec![run("ledger", &entries(3))]);
    let parts = world.block(&[own, other]);
    assert!(parts.receipts.iter().all(|executed| executed.receipt.succeeded()));
    let id = |executed: &ExecutedReceipt, index| match executed.receipt.origin {
        Origin::Transaction(id) => entry_id(&portolan_primitives::Hash(id.0), index),
        _ => panic!("a transaction"),
    };
    let mut ids: Vec<AgendaId> = (0..2).map(|index| id(&parts.receipts[0], index)).collect();
    ids.extend((0..3).map(|index| id(&parts.receipts[1], index)));
    ids.sort();
    assert_eq!(waiting(&world).iter().map(|view| view.id).collect::<Vec<_>>(), ids, "known from the transaction's id");
}

#[test]
fn what_an_entry_puts_on_the_agenda_for_today_waits_for_the_next_block() {
    let mut world = World::new();
    let today = opening().0;
    let notes = vec![schedule(today, ENTRY_GAS, &program(&[note("log", 1)])); 40];
    let transaction = world.supplier(&[schedule(today, GAS, &program(&notes))]);
    world.block(&[transaction]);
    assert_eq!(entries(&world.block(&[]).receipts).len(), 1);
    assert!(marks(&world).is_empty());
    assert_eq!(entries(&world.block(&[]).receipts).len(), 40);
    assert_eq!(marks(&world), [1; 40]);
}

#[test]
fn an_entry_that_was_undone_does_not_count_in_the_quota() {
    let mut world = World::with(|genesis| set(genesis, &parameters::QUOTA_AGENDA, 1));
    let far = opening().plus_days(50).0;
    let undone = program(&[schedule(far, 1, b""), revert(b"")]);
    let transaction = world.supplier(&[call(id("helper"), &undone), schedule(far, 1, b"")]);
    assert!(matches!(world.outcome(&transaction), Outcome::Ok(_)));
    assert_eq!(waiting(&world).len(), 1);
}

#[test]
fn an_entry_for_a_past_day_runs_in_the_next_block_and_sees_that_day() {
    let mut world = World::new();
    let past = opening().plus_days(-5);
    plan(&mut world, past, 1);
    assert!(marks(&world).is_empty());
    assert_eq!(wakeup(&world).map(|wakeup| wakeup.reason), Some(Reason::AgendaDue));
    world.block(&[]);
    assert_eq!(world.notes("log"), [(1, past)]);
    assert_eq!(wakeup(&world), None);
}

#[test]
fn a_failing_entry_is_tried_again_day_by_day_then_recorded_and_never_lost() {
    let mut world = World::new();
    let due = opening().plus_days(1);
    let entry = plan_steps(&mut world, due, &[put("half", b"1"), require("money")]);
    world.advance_to(due.plus_days(5));
    let mut attempts = vec![];
    let begun = world.head.header.time.0;
    for day in 1..7 {
        // Two blocks a day: the second finds nothing to do.
        let parts = world.block_at(begun + day * DAY_MS);
        attempts.extend(entries(&parts.receipts));
        assert_eq!(world.value("ledger", "half"), None);
        assert!(entries(&world.block(&[]).receipts).is_empty(), "tried again on the same day");
    }
    assert_eq!(attempts, [(entry, 1, false), (entry, 2, false), (entry, 3, false)]);
    assert!(waiting(&world).is_empty());
    let recorded = failed(&world);
    assert_eq!(recorded.len(), 1);
    assert_eq!((recorded[0].id, recorded[0].failed.entry.due), (entry, due));
    assert!(matches!(recorded[0].failed.reason, FailureReason::Reverted(_)));
}

#[test]
fn a_retried_entry_succeeds_once_under_its_own_date() {
    let mut world = World::new();
    let due = opening().plus_days(1);
    plan_steps(&mut world, due, &[require("money"), note("log", 1)]);
    world.advance_to(due.plus_days(3));
    let time = world.time + DAY_MS;
    world.block_at(time);
    let paid = world.supplier(&[put("money", b"1")]);
    world.time += 10;
    world.block(&[paid]);
    settle(&mut world, 20);
    assert_eq!(world.notes("log"), [(1, due)]);
    assert!(failed(&world).is_empty() && waiting(&world).is_empty());
}

#[test]
fn an_entry_that_loops_or_traps_harms_nobody_else() {
    let mut world = World::new();
    let due = opening().plus_days(1);
    plan_steps(&mut world, due, &[loop_forever()]);
    plan_steps(&mut world, due, &[trap()]);
    plan(&mut world, due, 7);
    world.advance_to(due);
    let time = world.time + DAY_MS;
    world.block_at(time);
    assert_eq!(marks(&world), [7]);
}

#[test]
fn only_its_contract_cancels_an_entry() {
    let mut world = World::new();
    let due = opening().plus_days(1);
    let entry = plan(&mut world, due, 1);
    let answer = |outcome: Outcome| match outcome {
        Outcome::Ok(outputs) => i32::from_le_bytes(outputs[0].clone().try_into().unwrap()),
        failed => panic!("{failed:?}"),
    };
    let stranger = world.transaction("supplier/main", &["dan"], vec![run("helper", &[cancel(&entry.0)])]);
    assert_eq!(answer(world.outcome(&stranger)), 0);
    let own = world.supplier(&[cancel(&entry.0)]);
    assert_eq!(answer(world.outcome(&own)), 1);
    let again = world.supplier(&[cancel(&entry.0)]);
    assert_eq!(answer(world.outcome(&again)), 0);
    world.advance_to(due);
    settle(&mut world, 10);
    assert!(marks(&world).is_empty());
}

#[test]
fn an_entry_cancelled_by_one_that_runs_before_it_does_not_run() {
    let mut world = World::new();
    let due = opening().plus_days(1);
    let victims: Vec<AgendaId> = (0..4).map(|mark| plan(&mut world, due, mark)).collect();
    let cancels: Vec<Vec<u8>> = victims.iter().map(|id| cancel(&id.0)).collect();
    let day_before = opening();
    plan_steps(&mut world, day_before, &cancels);
    world.advance_to(due);
    settle(&mut world, 10);
    assert!(marks(&world).is_empty() && waiting(&world).is_empty());
}

#[test]
fn a_contract_that_schedules_itself_for_today_for_ever_does_not_hold_the_date() {
    // The message schedules an entry that notes; each of those is scheduled by the one before, fifty deep.
    let mut world = World::new();
    let today = opening();
    let mut steps = vec![note("log", 0)];
    for mark in 1..50u8 {
        steps = vec![note("log", mark), schedule(today.0, 60 * ENTRY_GAS, &program(&steps))];
    }
    let transaction = world.supplier(&[schedule(today.0, 60 * ENTRY_GAS, &program(&steps))]);
    world.block(&[transaction]);
    world.advance_to(today.plus_days(2));
    let mut blocks = 0;
    while world.date() < today.plus_days(2) {
        let time = world.time + DAY_MS;
        world.block_at(time);
        blocks += 1;
        assert!(blocks <= 40, "the date is held");
    }
    assert!(marks(&world).len() < 50);
    world.advance_to(today.plus_days(4));
    settle(&mut world, 60);
    assert_eq!(marks(&world).len(), 50);
}

#[test]
fn a_devnet_clock_stands_until_it_is_told() {
    let mut world = World::new();
    let time = world.time + 100 * DAY_MS;
    world.block_at(time);
    assert_eq!((world.date(), wakeup(&world)), (opening(), None));
    world.advance_to(opening().plus_days(2));
    let at = world.head.header.time.0 + DAY_MS;
    assert_eq!(wakeup(&world), Some(Wakeup { at: Timestamp(at), reason: Reason::DateMoves }));
    world.block_at(at - 1);
    assert_eq!(world.date(), opening());
    world.block_at(at);
    assert_eq!(world.date(), opening().plus_days(1));
}

#[test]
fn a_production_network_is_neither_steered_nor_fed_with_guesses() {
    let runtime = new_runtime();
    let refuse = |change: fn(&mut portolan_runtime::genesis::Genesis)| {
        let mut genesis = genesis();
        genesis.kind = NetworkKind::Production;
        change(&mut genesis);
        let state = empty_state();
        runtime.genesis(&genesis, std::sync::Arc::new(state.view()), |changes| state.update(changes)).err().unwrap()
    };
    assert!(matches!(refuse(|_| {}), GenesisError::SteeredProduction));
    let provisional = refuse(|genesis| {
        let offsets = vec![ZoneOffset { from: Timestamp(0), seconds: 0 }];
        genesis.clock = BusinessClock::Real(Zone { name: "UTC".into(), offsets });
    });
    assert!(matches!(provisional, GenesisError::ProvisionalProduction(name) if name == "demo"));
}

#[test]
fn a_block_whose_time_does_not_move_is_invalid() {
    let world = World::new();
    let mut context = world.context();
    context.time = world.head.header.time;
    let view = std::sync::Arc::new(world.state.view());
    let verifier = std::sync::Arc::new(portolan_runtime::VerifyEach);
    let refused = world.runtime.begin(world.head.clone(), view, context, Default::default(), verifier).err().unwrap();
    assert!(refused.is_invalid_block());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Invariant 7: each entry ends exactly once, in order of (day, id), under its own date, however time jumps.
    #[test]
    fn every_entry_ends_once_in_order_under_its_date(
        plans in prop::collection::vec((0..6i32, any::<bool>()), 1..25),
        jumps in prop::collection::vec(1..4u64, 4..8),
        share in 1..5u64,
    ) {
        let mut world = World::with(|genesis| {
            set(genesis, &parameters::BLOCK_AGENDA_GAS, share * 2 * ENTRY_GAS);
            set(genesis, &parameters::AGENDA_ATTEMPTS, 2);
        });
        let mut expected = vec![];
        for (mark, (days, good)) in (0u8..).zip(&plans) {
            let due = opening().plus_days(*days);
            let steps = if *good { vec![note("log", mark)] } else { vec![note("log", mark), revert(b"")] };
            let id = plan_steps(&mut world, due, &steps);
            expected.push((due, id, *good, mark));
        }
        world.advance_to(opening().plus_days(12));
        let mut ended: Vec<(AgendaId, u32, bool)> = vec![];
        let mut jumps = jumps.iter().cycle();
        for _ in 0..200 {
            let time = world.time + DAY_MS * jumps.next().unwrap();
            ended.extend(entries(&world.block_at(time).receipts));
        }
        prop_assert_eq!(world.date(), opening().plus_days(12));
        prop_assert!(waiting(&world).is_empty());
        // What was due before `advance_to` ran in its block and the planning ones; their receipts are not in `ended`.
        for (due, id, good, mark) in &expected {
            let noted: Vec<BusinessDate> =
                world.notes("log").iter().filter(|note| note.0 == *mark).map(|note| note.1).collect();
            prop_assert_eq!(noted, if *good { vec![*due] } else { vec![] });
            let finals = ended.iter().filter(|(ran, _, succeeded)| ran == id && *succeeded).count();
            prop_assert!(finals <= 1);
            prop_assert_eq!(failed(&world).iter().any(|failed| failed.id == *id), !good);
        }
        let later: Vec<(BusinessDate, AgendaId)> = ended.iter().filter(|(_, attempt, _)| *attempt == 1)
            .map(|(id, ..)| { let entry = expected.iter().find(|entry| entry.1 == *id).unwrap(); (entry.0, *id) }).collect();
        prop_assert!(later.windows(2).all(|pair| pair[0] < pair[1]), "{later:?}");
    }
}

#[test]
fn a_refusal_is_no_halt() {
    let mut world = World::new();
    let transaction = world.transaction("supplier/none", &["dan"], vec![]);
    assert!(matches!(world.begin().apply(&transaction), Err(ApplyError::Refused(_))));
}
