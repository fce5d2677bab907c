//! A contract that is deployed while the node runs brings its questions, errors, events and documents along.

use std::sync::Arc;

use axum::http::StatusCode;
use codec::Encode;
use portolan_primitives::{Call, Caller, ContractId, TransactionId};
use portolan_proof::{Anchor, ProvedState};
use portolan_runtime::native::Native;
use portolan_runtime::native::governance::Action;
use portolan_runtime::native::members::messages;
use portolan_sdk::metadata::ContractMetadata;
use serde_json::{Value, json};

use super::chain::stream;
use super::contract;
use super::world::{BANK, World, from};
use portolan_primitives::hex;

async fn deployed() -> World {
    let world = World::start().await;
    let deployment = world.transaction(BANK, Native::Governance.id(), contract::deployment());
    let settled = world.settle(&deployment).await;
    assert_eq!(settled["receipt"]["outcome"], "ok", "{settled}");
    world
}

fn notes() -> ContractId {
    ContractId::from_name(contract::NAME)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contracts_questions_are_there_after_the_block_that_deployed_it() {
    let world = World::start().await;
    assert_eq!(world.get("/v1/notes/7/echo").await.problem(), (404, "unknown_path".into()));
    let before = world.json("/openapi.json").await;
    assert!(before["paths"]["/v1/notes"].is_null());
    world.settle(&world.transaction(BANK, Native::Governance.id(), contract::deployment())).await;
    assert_eq!(world.json("/v1/notes/7/echo").await, json!([7, null]));
    assert_eq!(world.json("/v1/notes/7/echo?text=a%20b").await, json!([7, "a b"]));
    // Another's path is not taken over.
    assert_eq!(world.json("/v1/members/harbour-bank").await["member"]["name"], BANK);
    assert!(world.json("/openapi.json").await["paths"]["/v1/notes"]["get"].is_object());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contracts_outcomes_and_events_are_in_its_own_words() {
    let world = deployed().await;
    let settled = world.settle(&world.transaction(BANK, notes(), contract::take(77))).await;
    assert_eq!(settled["calls"], json!([{ "contract": "notes", "message": { "take": { "value": 77 } } }]));
    assert_eq!(
        settled["receipt"]["events"],
        json!([{ "contract": "notes", "event": { "note_taken": { "value": 77 } } }])
    );
    assert_eq!(world.json("/v1/notes").await, json!(77));
    // A call that its description does not fit may hold what nobody is to see.
    let short = world.settle(&world.transaction(BANK, notes(), vec![4, 77])).await;
    assert_eq!(short["calls"], json!([{ "contract": "notes", "message": { "undescribed_bytes": 2 } }]));
    assert_eq!(short["receipt"]["events"][0]["event"], json!({ "undescribed": "044d" }));
    let failed = world.settle(&world.transaction(BANK, notes(), contract::fail(2, 5))).await;
    let error = &failed["receipt"]["error"];
    assert_eq!((&error["code"], &error["message"]), (&json!("notes::TooMany"), &json!("Only 5 notes are left.")));
    assert_eq!(error["error"], json!({ "contract": { "too_many": { "left": 5 } } }));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contracts_refusals_have_a_status_by_their_names() {
    let world = deployed().await;
    let refused = |variant| {
        let path = format!("/v1/notes/refusals/{}", contract::refusal(variant, 3));
        let world = &world;
        async move { world.get(&path).await }
    };
    let many = refused(2).await;
    assert_eq!(many.problem(), (422, "notes::TooMany".into()));
    assert_eq!(
        (&many.json()["detail"], &many.json()["error_scale"]),
        (&json!("Only 3 notes are left."), &json!("000203"))
    );
    // The input has a byte more than these errors: what a contract gives back that its description does not fit, is no crash.
    assert_eq!(refused(0).await.problem(), (422, "notes::Undescribed".into()));
    let ask = |input: &'static [u8]| {
        let world = &world;
        async move { world.post("/v1/contracts/notes/query", input.to_vec()).await.problem() }
    };
    assert_eq!(ask(&[2, 0, 0]).await, (404, "notes::UnknownNote".into()));
    assert_eq!(ask(&[2, 0, 1]).await, (403, "notes::NotParty".into()));
    assert_eq!(ask(&[3]).await, (422, "out_of_gas".into()));
    assert_eq!(world.get("/v1/notes/endless").await.problem(), (422, "out_of_gas".into()));
    // There is no note yet: the contract takes the answer for a length, and its price is charged before the range is looked at.
    assert_eq!(world.get("/v1/notes").await.problem(), (422, "out_of_gas".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_asked_in_scale_too() {
    let world = deployed().await;
    let input = [&[1], &7u32.to_le_bytes()[..], &[0]].concat();
    let bytes = world.post("/v1/contracts/notes/query", input.clone()).await;
    assert_eq!(bytes.headers["content-type"], "application/octet-stream");
    assert_eq!(bytes.body, input[1..]);
    let mut request = from("127.0.0.1:5000", "POST", &format!("/v1/contracts/{}/query", notes())).map(|_| input.into());
    request.headers_mut().insert("accept", "application/json".parse().unwrap());
    let answer = world.send(request).await.json();
    assert_eq!((&answer["output"], &answer["output_scale"]), (&json!([7, null]), &json!("0700000000")));
    assert_eq!(answer["height"], world.json("/v1/status").await["height"]);
    // A byte is not what the description says that this question answers; who asks for the bytes gets them.
    assert_eq!(world.post("/v1/contracts/notes/query", vec![1, 9]).await.body, [9][..]);
    let mut request = from("127.0.0.1:5000", "POST", "/v1/contracts/notes/query").map(|_| vec![1, 9].into());
    request.headers_mut().insert("accept", "application/json".parse().unwrap());
    assert_eq!(world.send(request).await.problem(), (500, "undescribed_answer".into()));
    assert_eq!(world.post("/v1/contracts/nobody/query", vec![0]).await.problem(), (404, "unknown_contract".into()));
    assert_eq!(world.post("/v1/contracts/notes/query", vec![0; 70_000]).await.problem(), (413, "too_large".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_keeps_its_number_where_only_one_contracts_are_streamed() {
    let world = deployed().await;
    let person = messages::Call::AddPerson { name: "bob".into(), maker: true, checker: true }.encode();
    let calls = [(notes(), contract::take(1)), (Native::Members.id(), person), (notes(), contract::take(2))];
    let calls = calls.into_iter().map(|(contract, input)| Call { contract, input }).collect();
    let settled = world.settle(&world.transaction_of(BANK, calls)).await;
    assert_eq!(settled["receipt"]["outcome"], "ok", "{settled}");
    let from = format!("/v1/events?from_height={}", settled["height"]);
    let all = stream(&world, &from, None, 3).await;
    assert_eq!(all.iter().map(|event| event.1.as_str()).collect::<Vec<_>>(), ["notes", "members", "notes"]);
    assert_eq!(stream(&world, &format!("{from}&contract=members"), None, 1).await, all[1..2]);
    assert_eq!(stream(&world, &format!("{from}&contract=notes"), None, 2).await, [all[0].clone(), all[2].clone()]);
    let resumed = stream(&world, "/v1/events?contract=notes", Some(&all[1].0), 1).await;
    assert_eq!(resumed, all[2..]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_description_is_read_once_for_each_code() {
    let world = deployed().await;
    let before = world.api.catalog(&world.handle.tip()).await.unwrap();
    world.settle(&world.transaction(BANK, notes(), contract::take(1))).await;
    let after = world.api.catalog(&world.handle.tip()).await.unwrap();
    assert!(Arc::ptr_eq(&before, &after), "a block that deploys nothing changes no description");
    let (name, code) = (contract::NAME.to_owned(), contract::code());
    let upgrade = Action::UpgradeContract { name, code, migrate: vec![] };
    let settled = world.settle(&world.governed("Again", upgrade)).await;
    assert_eq!(settled["receipt"]["outcome"], "ok", "{settled}");
    let upgraded = world.api.catalog(&world.handle.tip()).await.unwrap();
    let (old, new) = (before.find(contract::NAME).unwrap(), upgraded.find(contract::NAME).unwrap());
    assert_eq!((old.version, new.version), (1, 2));
    assert!(Arc::ptr_eq(old.metadata.as_ref().unwrap(), new.metadata.as_ref().unwrap()), "the same code says the same");
    world.stop().await;
}

async fn anchor(world: &World) -> Anchor {
    let reader = world.handle.read(|reader| Ok(reader.chain.header(portolan_primitives::Height(1))?)).await;
    Anchor::Validators { chain: world.chain(), validators_hash: reader.unwrap().unwrap().validators_hash }
}

fn proved(answer: &Value) -> ProvedState {
    assert_eq!(answer["proof"]["format"], "portolan-proved-state/1");
    ProvedState::decode_checked(&hex::decode(answer["proof"]["scale"].as_str().unwrap()).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_proved_to_who_trusts_the_genesis_validators_only() {
    let world = deployed().await;
    world.settle(&world.transaction(BANK, notes(), contract::take(77))).await;
    let answer = world.json("/v1/notes?proof=true").await;
    assert_eq!(answer["result"], 77);
    let anchor = anchor(&world).await;
    let mut proof = proved(&answer);
    let verified = proof.verify(&anchor).unwrap();
    assert_eq!(json!(verified.header().state_root), answer["state_root"]);
    let key = portolan_state::keys::contract_storage(&notes(), b"note");
    assert_eq!(verified.get(key.as_bytes()), Some(Some(&77u64.to_le_bytes()[..])));
    // The same value under its key, and that nothing lies under another.
    // Every key that the question read is there, so that who has the code can ask again: the contract's record and code too.
    let asked = world.handle.query(world.handle.tip(), notes(), vec![0], Caller::Operator, 500_000_000).await.unwrap();
    let mut read: Vec<Vec<u8>> = asked.reads.keys.iter().map(|key| key.as_bytes().to_vec()).collect();
    let mut shown: Vec<Vec<u8>> = verified.entries().iter().map(|entry| entry.key.clone()).collect();
    read.sort_unstable();
    shown.sort_unstable();
    assert_eq!(shown, read);
    assert!(read.len() > 1 && read.contains(&key.as_bytes().to_vec()));
    // A question about an earlier block is proved at that block.
    let height = answer["height"].as_u64().unwrap();
    world.settle(&world.transaction(BANK, notes(), contract::take(78))).await;
    let then = world.json(&format!("/v1/notes?proof=true&height={height}")).await;
    let verified = proved(&then).verify(&anchor).unwrap();
    assert_eq!((&then["result"], then["height"].as_u64()), (&json!(77), Some(verified.header().height.0)));
    assert_eq!(
        (json!(verified.header().state_root), &then["height"]),
        (answer["state_root"].clone(), &answer["height"])
    );
    assert_eq!(verified.get(key.as_bytes()), Some(Some(&77u64.to_le_bytes()[..])));
    let in_scale = world.post(&format!("/v1/contracts/notes/query?proof=true&height={height}"), vec![0]).await.json();
    assert_eq!(in_scale["output"], 77);
    assert_eq!(proved(&in_scale).verify(&anchor).unwrap().header().height.0, height);
    world.settle(&world.transaction(BANK, notes(), contract::take(77))).await;
    let value = world.json("/v1/state/notes/6e6f7465?proof=true").await;
    assert_eq!(value["value"], "4d00000000000000");
    assert!(proved(&value).verify(&anchor).is_ok());
    let absent = world.json("/v1/state/notes/00?proof=true").await;
    assert!(absent["value"].is_null() && proved(&absent).verify(&anchor).is_ok());
    for entry in &mut proof.entries {
        if entry.key == key.as_bytes() {
            entry.value = Some(78u64.to_le_bytes().to_vec());
        }
    }
    assert!(proof.verify(&anchor).is_err());
    assert_eq!(world.get("/v1/notes/7/echo?height=0&proof=true").await.problem(), (404, "unknown_contract".into()));
    assert_eq!(world.get("/v1/members?height=0&proof=true").await.problem(), (409, "not_certified".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_is_proved() {
    use codec::Decode;
    let world = deployed().await;
    let settled = world.settle(&world.transaction(BANK, notes(), contract::take(77))).await;
    let id: TransactionId = settled["id"].as_str().unwrap().parse().unwrap();
    let answer = world.json(&format!("/v1/transactions/{id}?proof=true")).await;
    assert_eq!(answer["proof"]["format"], "portolan-proved-receipt/1");
    let bytes = hex::decode(answer["proof"]["scale"].as_str().unwrap()).unwrap();
    let (header, receipt) =
        <(portolan_proof::HeaderProof, portolan_proof::ReceiptProof)>::decode(&mut &bytes[1..]).unwrap();
    let header = header.verify(&anchor(&world).await).unwrap();
    assert_eq!(receipt.verify(&header), Ok(()));
    assert_eq!(receipt.receipt.origin, portolan_primitives::Origin::Transaction(id));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contract_is_described_for_people_and_programs() {
    let world = deployed().await;
    let contracts = world.json("/v1/contracts").await["contracts"].clone();
    let named: Vec<&str> =
        contracts.as_array().unwrap().iter().filter_map(|contract| contract["name"].as_str()).collect();
    assert_eq!(named.last(), Some(&"notes"));
    assert!(named.contains(&"members"));
    let shown = world.json("/v1/contracts/notes").await;
    assert_eq!(
        (&shown["version"], &shown["native"], &shown["doc"]),
        (&json!(1), &json!(false), &json!("Keeps a note."))
    );
    assert_eq!(shown["calls"][0]["name"], "take");
    assert_eq!(shown["queries"][1]["path"], "/v1/notes/{value}/echo");
    assert_eq!(
        shown["errors"][2],
        json!({ "name": "TooMany", "in_json": "too_many", "doc": "Only {left} notes are left." })
    );
    let bytes = world.get("/v1/contracts/notes/metadata").await;
    assert_eq!(ContractMetadata::from_bytes(&bytes.body), Ok(contract::metadata()));
    world.stop().await;
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_openapi_document_holds_together() {
    let world = deployed().await;
    let document = world.json("/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
    }
    let mut operations = std::collections::BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operations.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
            let in_path: Vec<&str> =
                path.split('/').filter_map(|word| word.strip_prefix('{')?.strip_suffix('}')).collect();
            let parameters = operation["parameters"].as_array().unwrap().iter();
            let named: Vec<&str> =
                parameters.filter(|one| one["in"] == "path").filter_map(|one| one["name"].as_str()).collect();
            assert_eq!(named, in_path, "{method} {path}");
            assert!(operation["responses"]["200"]["content"].is_object());
        }
    }
    let echo = &document["paths"]["/v1/notes/{value}/echo"]["get"];
    assert_eq!(echo["parameters"][1]["required"], false);
    assert_eq!(echo["summary"], "What was asked.");
    assert_eq!(world.send(from("10.0.0.1:1", "GET", "/openapi.json")).await.status, StatusCode::OK);
    world.stop().await;
}
