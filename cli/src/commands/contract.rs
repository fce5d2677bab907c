//! `portolan contract`: any contract by its own metadata, as JSON.

use clap::Subcommand;
use portolan_primitives::ContractId;
use serde_json::Value;

use crate::context::Context;
use crate::error::{CliError, CliResult};
use portolan_sdk::metadata::ContractMetadata;

use crate::values;

/// Contracts.
#[derive(Debug, Subcommand)]
pub enum ContractCommand {
    /// List the contracts and native modules.
    List,
    /// Show a contract's messages and questions.
    Info {
        /// Its name.
        name: String,
    },
    /// Send a message.
    Call {
        /// The contract's name.
        name: String,
        /// The message's name, as split.
        message: String,
        /// Its arguments as a JSON object.
        #[arg(default_value = "{}")]
        arguments: String,
    },
    /// Ask a question.
    Query {
        /// The contract's name.
        name: String,
        /// The question's name, as certificate.
        question: String,
        /// Its arguments as a JSON object.
        #[arg(default_value = "{}")]
        arguments: String,
        /// With the proof of every key that it read.
        #[arg(long)]
        proof: bool,
    },
}

/// Runs the command.
pub fn run(context: &Context, command: &ContractCommand) -> CliResult<()> {
    match command {
        ContractCommand::List => list(context),
        ContractCommand::Info { name } => context.show(&format!("/v1/contracts/{name}")),
        ContractCommand::Call { name, message, arguments } => {
            let metadata = metadata(context, name)?;
            let input =
                values::encode_message(&metadata, metadata.call, &metadata.calls, message, &object(arguments)?)?;
            let call = portolan_primitives::Call { contract: ContractId::from_name(name), input };
            let done = context.send(vec![call])?;
            let outputs = done.answer["receipt"]["outputs"].clone();
            context.report(
                &done,
                &format!("{name}.{message} ran: {outputs}"),
                serde_json::json!({ "outputs": outputs }),
            )
        }
        ContractCommand::Query { name, question, arguments, proof } => {
            let metadata = metadata(context, name)?;
            let questions: Vec<_> = metadata.queries.iter().map(|query| query.message.clone()).collect();
            let input = values::encode_message(&metadata, metadata.query, &questions, question, &object(arguments)?)?;
            let suffix = if *proof { "?proof=true" } else { "" };
            let client = context.client()?;
            let answer = client.post(&format!("/v1/contracts/{name}/query{suffix}"), &input)?;
            context.show_value(&client, &answer)
        }
    }
}

fn object(text: &str) -> CliResult<Value> {
    let usage = |reason: String| CliError::Usage(format!("the arguments are no JSON object: {reason}"));
    let value: Value = serde_json::from_str(text).map_err(|error| usage(error.to_string()))?;
    if value.is_object() { Ok(value) } else { Err(usage("it begins with no `{`".into())) }
}

fn metadata(context: &Context, name: &str) -> CliResult<ContractMetadata> {
    let bytes = context.client()?.get_binary(&format!("/v1/contracts/{name}/metadata"))?;
    ContractMetadata::from_bytes(&bytes).map_err(|error| CliError::refused("bad_metadata", format!("{error:?}")))
}

fn list(context: &Context) -> CliResult<()> {
    let columns = [("name", "/name"), ("version", "/version"), ("native", "/native"), ("id", "/id")];
    context.list("/v1/contracts", "contracts", &columns, "The chain has no contracts.")
}
