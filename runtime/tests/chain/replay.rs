//! The same blocks give the same roots: executed again, in parts, with cold or warm caches, after attempts that were dropped.

use crate::world::program::*;
use crate::world::*;
use portolan_primitives::{Outcome, Transaction};
use portolan_runtime::{ChainHead, SeenWindow};

/// A chain with a bit of everything: payments, refusals, cross-calls, agenda, failing entries.
fn lived() -> World {
    let mut world = World::new();
    let due = date(OPENING).plus_days(1).0;
    for number in 0..8u8 {
        let inner = program(&[put("in", &[number]), emit(b"inner")]);
        let transactions = [
            world.supplier(&[put("a", &[number]), emit(b"paid"), call(id("helper"), &inner)]),
            world.supplier(&[put("a", &[number, 1]), revert(b"no")]),
            world.supplier(&[schedule(due + i32::from(number) / 3, 1_000_000, &program(&[note("log", number)]))]),
            world.supplier(&[schedule(due, 1_000_000, &program(&[put("x", b"1"), trap()]))]),
            world.transaction(
                "bank/treasury",
                &["ann"],
                vec![run("ledger", &[authorize(account("bank/treasury"), CNY, 900)])],
            ),
        ];
        world.block(&transactions);
    }
    world.advance_to(date(OPENING).plus_days(6));
    for _ in 0..8 {
        world.time += DAY_MS;
        world.block(&[]);
    }
    world
}

/// Runs the same blocks again on another runtime.
fn replayed(lived: &World) -> Vec<portolan_primitives::Hash> {
    let mut world = World::on(new_runtime(), &genesis());
    let mut hashes = vec![];
    for (context, transactions, _) in &lived.blocks {
        let mut execution = world.begin_in(*context);
        for transaction in transactions {
            execution.apply(transaction).unwrap();
        }
        let executed = execution.finish(|changes| world.state.update(changes)).unwrap();
        hashes.push(executed.header.hash());
        world.commit(executed, transactions);
    }
    hashes
}

#[test]
fn execution_from_genesis_gives_the_same_headers() {
    let lived = lived();
    let hashes: Vec<_> = lived.blocks.iter().map(|(.., hash)| *hash).collect();
    assert_eq!(replayed(&lived), hashes);
    assert!(lived.value("ledger", "log").is_some_and(|log| log.len() == 8 * 5));
}

#[test]
fn a_dropped_attempt_leaves_no_trace_in_the_next() {
    let mut world = World::new();
    let transactions: Vec<Transaction> =
        (0..4).map(|number| world.supplier(&[put(&number.to_string(), b"1")])).collect();
    let header = |taken: &[&Transaction]| {
        let mut execution = world.begin();
        for transaction in taken {
            execution.apply(transaction).unwrap();
        }
        execution.finish(|changes| world.state.update(changes)).unwrap().header
    };
    let alone = header(&[&transactions[0]]);
    let both = header(&[&transactions[0], &transactions[1]]);
    assert_ne!(alone.state_root, both.state_root);
    assert_eq!(header(&[&transactions[0]]), alone);
    // A refused one in between changes nothing either.
    let mut execution = world.begin();
    execution.apply(&transactions[0]).unwrap();
    assert!(execution.apply(&transactions[0]).is_err());
    assert_eq!(execution.finish(|changes| world.state.update(changes)).unwrap().header, alone);
}

#[test]
fn the_order_of_transactions_is_part_of_the_block() {
    let mut world = World::new();
    let (one, two) = (world.supplier(&[put("a", b"1")]), world.supplier(&[put("a", b"2")]));
    let header = |taken: [&Transaction; 2]| {
        let mut execution = world.begin();
        for transaction in taken {
            execution.apply(transaction).unwrap();
        }
        execution.finish(|changes| world.state.update(changes)).unwrap().header
    };
    let (forward, backward) = (header([&one, &two]), header([&two, &one]));
    assert_ne!(forward.transactions_root, backward.transactions_root);
    assert_ne!(forward.state_root, backward.state_root);
}

#[test]
fn what_a_question_read_does_not_depend_on_the_cache() {
    let mut world = World::new();
    let reads = |world: &World| world.query("ledger", &program(&[get("b"), get("a"), get("b")])).reads;
    // At genesis this runtime has compiled the contracts; another one has yet to read their code.
    let warm = reads(&world);
    world.runtime = new_runtime();
    assert_eq!(reads(&world), warm);
    let of_storage = |name| portolan_state::keys::contract_storage(&id("ledger"), &storage_key(name));
    let asked: Vec<_> = ["a", "b"].map(of_storage).into();
    assert_eq!(warm.keys.iter().filter(|key| asked.contains(key)).cloned().collect::<Vec<_>>(), asked);
}

#[test]
fn a_head_survives_its_bytes_and_a_restarted_node_goes_on() {
    use codec::{Decode, Encode};
    let mut world = lived();
    let head = ChainHead::decode(&mut world.head.encode().as_slice()).unwrap();
    assert_eq!(head, world.head);
    assert_eq!(head.history.count(), head.header.height.0 + 1);
    let mut seen = SeenWindow::default();
    for (context, transactions, _) in &world.blocks {
        if SeenWindow::covers(context.time, head.header.time) {
            seen.push_block(context.time, transactions.iter().map(|tx| (tx.body.id(), tx.body.expires_at)));
        }
    }
    let next = world.supplier(&[put("z", b"1")]);
    let going_on = world.begin().finish(|changes| world.state.update(changes)).unwrap().header;
    let view = std::sync::Arc::new(world.state.view());
    let verifier = std::sync::Arc::new(portolan_runtime::VerifyEach);
    let runtime = new_runtime();
    let mut restarted = runtime.begin(head, view, world.context(), std::sync::Arc::new(seen), verifier).unwrap();
    let seen_before = world.blocks.iter().flat_map(|(_, transactions, _)| transactions).next_back().unwrap();
    assert!(restarted.apply(seen_before).is_err());
    assert_eq!(restarted.finish(|changes| world.state.update(changes)).unwrap().header, going_on);
    assert!(matches!(world.outcome(&next), Outcome::Ok(_)));
}

#[test]
fn genesis_is_the_same_on_every_node_and_binds_the_secret() {
    let header = || World::on(new_runtime(), &genesis()).head.header;
    assert_eq!(header(), header());
    assert_eq!(header().chain, genesis().chain());
    let mut other = genesis();
    other.secret_commitment = portolan_primitives::Hash::ZERO;
    let state = empty_state();
    let refused = new_runtime().genesis(&other, std::sync::Arc::new(state.view()), |changes| state.update(changes));
    assert!(matches!(refused.err(), Some(portolan_runtime::GenesisError::OtherSecret)));
}

#[test]
fn a_genesis_that_contradicts_itself_is_refused_by_name() {
    use portolan_runtime::genesis::Genesis;
    let runtime = new_runtime();
    let refused = |change: fn(&mut Genesis)| {
        let mut genesis = genesis();
        change(&mut genesis);
        let state = empty_state();
        let made = runtime.genesis(&genesis, std::sync::Arc::new(state.view()), |changes| state.update(changes));
        made.err().unwrap().to_string()
    };
    type Change = (fn(&mut Genesis), &'static str);
    let changes: [Change; 14] = [
        (|g| g.version = 2, "version 2"),
        (|g| g.members[1].name = "bank".into(), "member `bank` stands there twice"),
        (|g| g.members[0].name = "Bank".into(), "`Bank` is no name"),
        (|g| g.members[0].roles.clear(), "member `bank` needs"),
        (|g| g.persons[0].member = "nobody".into(), "member `nobody`"),
        (|g| g.user_keys[0].person = "zoe".into(), "person `zoe`"),
        (|g| g.user_keys[1].key = g.user_keys[0].key, "stands there twice"),
        (|g| g.validators.clear(), "1 to 128 validators"),
        (|g| g.validators[0].power = 0, "1 to 128 validators"),
        (|g| g.accounts[0].policy.tiers.clear(), "account `bank/treasury`"),
        (|g| g.accounts[0].policy.persons = vec!["zoe".into()], "bank/treasury"),
        (|g| set(g, &portolan_runtime::parameters::WINDOW, 1), "parameter `transaction.window-ms`"),
        (|g| g.contracts[0].code = b"no wasm".to_vec(), "contract `ledger`"),
        (|g| g.contracts[1].instantiate = program(&[revert(b"no")]), "contract `helper`"),
    ];
    for (change, expected) in changes {
        let message = refused(change);
        assert!(message.contains(expected), "expected `{expected}` in `{message}`");
    }
}

#[test]
fn a_state_that_is_not_the_heads_is_found_out() {
    let world = World::new();
    let mut head = world.head.clone();
    head.header.next_validators_hash = portolan_primitives::Hash::ZERO;
    let view = std::sync::Arc::new(world.state.view());
    let verifier = std::sync::Arc::new(portolan_runtime::VerifyEach);
    let refused = world.runtime.begin(head, view, world.context(), Default::default(), verifier).err().unwrap();
    assert!(!refused.is_invalid_block(), "{refused}");
}
