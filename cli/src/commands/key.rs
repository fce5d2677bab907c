//! `portolan key`: the user's own keys, and registering one on the chain.

use std::path::PathBuf;

use clap::Subcommand;
use portolan_node::config::Keys;
use portolan_node::keys::Passphrase;
use portolan_primitives::{KeyId, Timestamp};
use portolan_runtime::native::members::messages::Call;
use portolan_runtime::native::records::KeyPurpose;
use serde_json::json;

use crate::context::Context;
use crate::error::CliResult;
use crate::keystore::{KeystoreError, PublicFacts};

/// Own keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a new key in the keystore.
    Generate {
        /// Its name in the keystore.
        name: String,
    },
    /// List the keys, or show one.
    Show {
        /// One key's name.
        name: Option<String>,
    },
    /// Take in a key from an encrypted PKCS#8 PEM file, as OpenSSL writes them.
    Import {
        /// Its name in the keystore.
        name: String,
        /// The file.
        file: PathBuf,
        /// File with that file's passphrase.
        #[arg(long)]
        file_passphrase: PathBuf,
    },
    /// Note with which keys an account signs.
    Use {
        /// The account, as harbour-bank/main.
        account: String,
        /// Names of keys.
        #[arg(required = true)]
        keys: Vec<String>,
    },
    /// Register a key of a person or node on the chain; the member's account `admin` acts.
    Register {
        /// A key of the keystore, by name.
        name: String,
        /// The person's pseudonym; a node's key without it.
        #[arg(long)]
        person: Option<String>,
        /// Not valid from here on, ms since 1970.
        #[arg(long)]
        valid_until: Option<u64>,
    },
    /// Revoke a key on the chain; it counts in no later block.
    Revoke {
        /// The key's id, as key1….
        id: KeyId,
    },
}

/// Runs the command.
pub fn run(context: &Context, command: &KeyCommand) -> CliResult<()> {
    match command {
        KeyCommand::Generate { name } => said(context, "made", &context.keystore()?.generate(name)?),
        KeyCommand::Show { name } => show(context, name.as_deref()),
        KeyCommand::Import { name, file, file_passphrase } => {
            let source = Keys { passphrase_file: Some(file_passphrase.clone()), ..Keys::default() };
            let passphrase = Passphrase::find(&source).map_err(KeystoreError::from)?;
            said(context, "taken in", &context.keystore()?.import(name, file, &passphrase)?)
        }
        KeyCommand::Use { account, keys } => {
            let keystore = context.keystore()?;
            keystore.note(account, keys.clone())?;
            let text = format!("{account} signs with {}", keys.join(", "));
            context.output.done(&text, || json!({ "account": account, "keys": keys }))
        }
        KeyCommand::Register { name, person, valid_until } => register(context, name, person.clone(), *valid_until),
        KeyCommand::Revoke { id } => {
            context.act("members", &Call::RevokeKey { key: *id }, &format!("{id} is revoked")).map(drop)
        }
    }
}

fn register(context: &Context, name: &str, person: Option<String>, valid_until: Option<u64>) -> CliResult<()> {
    let facts = facts(context, name)?;
    let purpose = person.map_or(KeyPurpose::Node, KeyPurpose::User);
    let call = Call::RegisterKey { key: facts.public, purpose, valid_until: valid_until.map(Timestamp) };
    context.act("members", &call, &format!("{} is registered", facts.id)).map(drop)
}

fn facts(context: &Context, name: &str) -> CliResult<PublicFacts> {
    let keystore = context.keystore()?;
    let found = keystore.list()?.into_iter().find(|facts| facts.name == name);
    let unknown = || KeystoreError::UnknownKey { name: name.into(), folder: "the keystore".into() };
    Ok(found.ok_or_else(unknown)?)
}

fn said(context: &Context, what: &str, facts: &PublicFacts) -> CliResult<()> {
    let text = format!("Key {} is {what}.\n  public {}\n  id     {}", facts.name, facts.public, facts.id);
    context.output.done(&text, || json!(facts))
}

fn show(context: &Context, name: Option<&str>) -> CliResult<()> {
    if let Some(name) = name {
        return said(context, "here", &facts(context, name)?);
    }
    let keys = context.keystore()?.list()?;
    let rows = keys.iter().map(|key| vec![key.name.clone(), key.public.to_string(), key.id.to_string()]).collect();
    context.output.table(&["name", "public", "id"], rows, "The keystore has no keys.", &json!({ "keys": keys }))
}
