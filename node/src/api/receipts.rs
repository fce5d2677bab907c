//! Outcomes, events and calls as JSON, by the descriptions of the contracts that made them. What a description does not fit (it
//! may be newer than the block) is shown as bytes, and of a call as their number.

use portolan_primitives::{Call, Event, FailureReason, Header, Origin, Outcome, Transaction, hex};
use portolan_runtime::ExecutedReceipt;
use portolan_sdk::metadata::{ContractMetadata, Message};
use serde_json::{Map, Value, json};

use super::catalog::{Catalog, Contract};
use crate::values;

/// A receipt with its events. `transaction` is what it is of, if it is of one: it tells the types of the outputs.
pub fn receipt(catalog: &Catalog, executed: &ExecutedReceipt, transaction: Option<&Transaction>) -> Value {
    let receipt = &executed.receipt;
    let mut document = Map::new();
    document.insert("origin".into(), origin(&receipt.origin));
    match &receipt.outcome {
        Outcome::Ok(outputs) => {
            let call = |place: usize| transaction.and_then(|transaction| transaction.body.calls.get(place));
            let shown = outputs
                .iter()
                .enumerate()
                .map(|(place, bytes)| call(place).map_or(Value::Null, |call| output(catalog, call, bytes)));
            document.insert("outcome".into(), json!("ok"));
            document.insert("outputs".into(), shown.collect());
            document.insert("outputs_scale".into(), outputs.iter().map(|output| json!(hex::encode(output))).collect());
        }
        Outcome::Failed { call, contract, reason } => {
            document.insert("outcome".into(), json!("failed"));
            document.insert("call".into(), json!(call));
            document.insert("contract".into(), json!(catalog.name(contract)));
            document.insert("error".into(), failure(catalog.by_id(contract).map(AsRef::as_ref), reason));
        }
    }
    document.insert("gas".into(), json!(receipt.gas));
    document.insert("events".into(), executed.events.iter().map(|shown| event(catalog, shown)).collect());
    Value::Object(document)
}

fn origin(origin: &Origin) -> Value {
    match origin {
        Origin::Transaction(id) => json!({ "transaction": id }),
        Origin::Agenda(id, attempt) => json!({ "agenda": id, "attempt": attempt }),
        Origin::System => json!("system"),
    }
}

/// Why a call or question failed: a word, or a contract's own error as `{code, message, error, scale}`.
pub fn failure(contract: Option<&Contract>, reason: &FailureReason) -> Value {
    let bytes = match reason {
        FailureReason::OutOfGas => return json!("out_of_gas"),
        FailureReason::Trapped => return json!("trapped"),
        FailureReason::UnknownContract => return json!("unknown_contract"),
        FailureReason::Reverted(bytes) => bytes,
    };
    let described = contract.and_then(|contract| {
        let metadata = contract.metadata.as_ref()?;
        values::refusal(&contract.name, &metadata.types, metadata.error, bytes).ok()
    });
    match described {
        Some(refusal) => {
            json!({ "code": refusal.code, "message": refusal.message, "error": refusal.error, "scale": hex::encode(bytes) })
        }
        None => {
            let name = contract.map_or("unknown", |contract| contract.name.as_str());
            let message = "the contract's description does not say what this error is";
            json!({ "code": format!("{name}::Undescribed"), "message": message, "error": null, "scale": hex::encode(bytes) })
        }
    }
}

/// An event under the name of the contract that made it.
pub fn event(catalog: &Catalog, event: &Event) -> Value {
    let contract = catalog.by_id(&event.contract).and_then(|contract| contract.metadata.as_ref());
    let shown = contract.and_then(|metadata| variant(metadata, metadata.event, &event.payload));
    json!({ "contract": catalog.name(&event.contract), "event": shown.unwrap_or_else(|| undescribed(&event.payload)) })
}

/// A call under the name of the contract that it goes to.
pub fn call(catalog: &Catalog, call: &Call) -> Value {
    json!({ "contract": catalog.name(&call.contract), "message": message(catalog, call) })
}

/// The message of a call.
pub fn message(catalog: &Catalog, call: &Call) -> Value {
    let contract = catalog.by_id(&call.contract).and_then(|contract| contract.metadata.as_ref());
    let shown = contract.and_then(|metadata| variant(metadata, metadata.call, &call.input));
    // What a description does not fit is not shown here: it may hold what is for the chain alone.
    shown.unwrap_or_else(|| json!({ "undescribed_bytes": call.input.len() }))
}

/// The value of an enum; always an object with the variant's name as its key, as programs like it.
fn variant(metadata: &ContractMetadata, ty: u32, bytes: &[u8]) -> Option<Value> {
    match values::decode(&metadata.types, ty, bytes).ok()? {
        Value::String(name) => Some(json!({ name: {} })),
        value => Some(value),
    }
}

fn output(catalog: &Catalog, call: &Call, bytes: &[u8]) -> Value {
    let shown = || {
        let metadata = catalog.by_id(&call.contract)?.metadata.as_ref()?;
        let called = of_index(&metadata.calls, *call.input.first()?)?;
        values::decode(&metadata.types, called.output, bytes).ok()
    };
    shown().unwrap_or(Value::Null)
}

fn of_index(messages: &[Message], index: u8) -> Option<&Message> {
    messages.iter().find(|message| message.index == index)
}

fn undescribed(bytes: &[u8]) -> Value {
    json!({ "undescribed": hex::encode(bytes) })
}

/// A header as JSON; `height` and `hash` stand beside it.
pub fn header(header: &Header) -> Value {
    serde_json::to_value(header).unwrap_or(Value::Null)
}
