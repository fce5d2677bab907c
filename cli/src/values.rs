//! Messages of any contract from JSON, by its own description.

use portolan_node::values;
use portolan_sdk::metadata::{ContractMetadata, Message};
use serde_json::{Value, json};

use crate::error::{CliError, CliResult};

/// SCALE of the message `wanted` of the enum type `ty`, from a JSON object of its arguments.
pub fn encode_message(
    metadata: &ContractMetadata,
    ty: u32,
    messages: &[Message],
    wanted: &str,
    arguments: &Value,
) -> CliResult<Vec<u8>> {
    if !messages.iter().any(|message| message.name == wanted) {
        let names: Vec<&str> = messages.iter().map(|message| message.name.as_str()).collect();
        let text = format!("`{}` has no `{wanted}`; it has {}", metadata.name, names.join(", "));
        return Err(CliError::refused("unknown_message", text));
    }
    // A message without arguments is a variant without fields.
    let value = json!({ wanted: arguments });
    values::encode(&metadata.types, ty, &value).map_err(|error| CliError::refused("bad_arguments", error.to_string()))
}
