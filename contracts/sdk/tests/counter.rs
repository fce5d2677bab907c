//! The sample contract, natively: what an interface promises, seen from a test.

#[path = "../examples/counter.rs"]
#[allow(dead_code)]
mod contract;

use codec::{Decode, Encode};
use contract::{CounterError, CounterEvent, NATIVE, counter};
use portolan_sdk::{
    AccountId, CallError, ContractError, ContractId, Entry, Role, Unauthorized,
    metadata::ContractMetadata,
    testing::{Failure, TestChain},
};

fn story() -> (TestChain, AccountId) {
    let chain = TestChain::new();
    let bank = chain.member("harbour-bank", &[Role::Bank]);
    let treasury = chain.account(bank, "treasury");
    chain.deploy_with(NATIVE, &counter::Instantiate { limit: 10 }).expect("the limit is set");
    (chain, treasury)
}

#[test]
fn a_call_writes_and_a_query_reads_it() {
    let (chain, treasury) = story();
    let client = counter::Client::over(chain.as_account(treasury));
    assert_eq!(client.add(3), Ok(3));
    assert_eq!(client.add(4), Ok(7));
    assert_eq!(client.count(treasury), Ok(7));
    let counted = |count| CounterEvent::Counted { account: treasury, count };
    assert_eq!(chain.events::<CounterEvent>(counter::CONTRACT), [counted(3), counted(7)]);
}

#[test]
fn a_refused_call_changes_nothing() {
    let (chain, treasury) = story();
    let before = chain.snapshot();
    let client = counter::Client::over(chain.as_account(treasury));
    assert_eq!(client.add(11), Err(CallError::Contract(CounterError::AboveLimit { limit: 10 })));
    let unapproved = counter::Client::over(chain.as_account(treasury).approved_by(treasury, 0));
    assert_eq!(unapproved.add(1), Err(CallError::Contract(CounterError::Unauthorized(Unauthorized::TooFewPersons))));
    let nobody = counter::Client::over(chain.as_contract(ContractId([1; 16])));
    assert_eq!(nobody.add(1), Err(CallError::Contract(CounterError::NoAccount)));
    assert_eq!(chain.snapshot(), before);
}

#[test]
fn the_id_is_the_names() {
    assert_eq!(counter::CONTRACT, ContractId::from_name(counter::NAME));
    // Frozen: BLAKE3 key derivation under "portolan 2026 contract id v1", first 16 bytes.
    let hash = blake3::derive_key("portolan 2026 contract id v1", b"counter");
    assert_eq!(counter::CONTRACT.0, hash[..16]);
}

#[test]
fn the_wire_form_of_messages_and_errors_is_fixed() {
    assert_eq!(counter::Call::Add { by: 5 }.encode(), [0, 5, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(ContractError::Contract(CounterError::NoAccount).encode(), [0, 2]);
    assert_eq!(ContractError::<CounterError>::BadMessage.encode(), [1]);
}

#[test]
fn an_instance_that_refuses_its_arguments_does_not_exist() {
    let (_, treasury) = story();
    let chain = TestChain::new();
    let refusal = chain.deploy_with(NATIVE, &());
    assert_eq!(refusal, Err(Failure::Reverted(ContractError::<CounterError>::BadMessage.encode())));
    assert_eq!(counter::Client::over(chain.as_account(treasury)).add(1), Err(CallError::UnknownContract));
}

#[test]
fn an_entry_that_the_interface_does_not_declare_takes_nothing_and_does_nothing() {
    assert_eq!((NATIVE.run)(Entry::Migrate, &[]), Ok(vec![]));
    assert_eq!((NATIVE.run)(Entry::Migrate, &[0]), Err(vec![1]));
    let (chain, treasury) = story();
    counter::Client::over(chain.as_account(treasury)).add(2).expect("below the limit");
    let before = chain.snapshot();
    assert_eq!(chain.upgrade(NATIVE, &()), Ok(()));
    assert_eq!(chain.snapshot(), before, "an upgrade keeps the storage");
}

#[test]
fn code_and_state_that_do_not_belong_together_trap() {
    let (chain, treasury) = story();
    chain.inside(counter::CONTRACT, || portolan_sdk::storage::Map::<AccountId, u16>::new(1).set(&treasury, &7));
    let before = chain.snapshot();
    assert_eq!(counter::Client::over(chain.as_account(treasury)).add(1), Err(CallError::Failed));
    assert_eq!(chain.snapshot(), before);
}

#[test]
fn the_metadata_names_every_message_with_its_path_and_words() {
    let metadata = ContractMetadata::from_bytes(&counter::metadata().to_bytes()).expect("of this format");
    assert_eq!(
        (metadata.name.as_str(), metadata.doc.as_str()),
        ("counter", "Counts, for each account, up to a limit.")
    );
    let calls: Vec<_> = metadata.calls.iter().map(|call| (call.index, call.name.as_str(), call.doc.as_str())).collect();
    assert_eq!(calls, [(0, "add", "Adds to the sender's count; answers the new count.")]);
    let queries: Vec<_> =
        metadata.queries.iter().map(|query| (query.path.as_str(), query.message.name.as_str())).collect();
    assert_eq!(queries, [("/counters/{account}", "count")]);
    let instantiate = metadata.instantiate.expect("declared");
    assert_eq!(instantiate.arguments.iter().map(|argument| argument.name.as_str()).collect::<Vec<_>>(), ["limit"]);
    assert_eq!(metadata.migrate, None);
}

/// What the node and the CLI do: they know the metadata alone, not the types.
#[test]
fn tools_read_calls_errors_and_events_from_the_metadata_alone() {
    let metadata = ContractMetadata::from_bytes(&counter::metadata().to_bytes()).expect("of this format");
    let read = |bytes: &[u8], ty: u32| {
        let value = scale_value::scale::decode_as_type(&mut &*bytes, ty, &metadata.types).expect("described");
        value.to_string()
    };
    assert_eq!(read(&counter::Call::Add { by: 5 }.encode(), metadata.call), "Add { by: 5 }");
    let error = ContractError::Contract(CounterError::AboveLimit { limit: 10 });
    assert_eq!(read(&error.encode(), metadata.error), "Contract (AboveLimit { limit: 10 })");
    let event = CounterEvent::Counted { account: AccountId([0; 16]), count: 3 };
    assert!(read(&event.encode(), metadata.event).starts_with("Counted { account: "));
}

/// And back: a tool that knows the metadata alone makes a call that the contract understands.
#[test]
fn tools_make_calls_from_the_metadata_alone() {
    let metadata = counter::metadata();
    let value = scale_value::Value::named_variant("Add", [("by", scale_value::Value::u128(5))]);
    let mut bytes = Vec::new();
    scale_value::scale::encode_as_type(&value, metadata.call, &metadata.types, &mut bytes).expect("described");
    assert_eq!(counter::Call::decode(&mut &*bytes), Ok(counter::Call::Add { by: 5 }));
}
