//! `document check`: whether an invoice is in the register of fingerprints, or that it is not, with a proof that a third party checks offline.
//! What is registered comes first by height; what is proved absent was in no block up to the proof's.

use std::path::{Path, PathBuf};

use codec::{DecodeAll, Encode};
use portolan_interface::trade::api::{NAME, Query};
use portolan_interface::trade::{Registration, registration_key};
use portolan_primitives::{ContractId, Hash};
use portolan_proof::{Anchor, VerifiedState};
use portolan_runtime::ChainSecret;
use portolan_state::keys;
use serde_json::{Value, json};

use crate::args::RecordId;
use crate::client::Client;
use crate::context::Context;
use crate::contracts::{ask, chain_date, hash};
use crate::document;
use crate::error::{CliError, CliResult};
use crate::proof;

/// Name of the form of a proof about the register.
pub const REGISTER_FORMAT: &str = "portolan-register/1";

/// What the register has of an invoice.
struct Found {
    fingerprint: Hash,
    registered: Option<Registration>,
    /// The first with the same number and parties.
    near: Option<Registration>,
}

impl Found {
    fn of(client: &Client, file: &Path) -> CliResult<Self> {
        let inspection = document::invoice(&super::bytes(file)?)?;
        let refused = |why: &dyn std::fmt::Display| CliError::refused("no_fingerprint", why.to_string());
        let fingerprint = inspection.fingerprint.as_ref().map_err(|why| refused(why))?.0;
        let near = inspection.facts.near_key().map_err(|why| refused(&why))?;
        Ok(Self {
            fingerprint,
            registered: ask(client, NAME, &Query::Registered { fingerprint: hash(fingerprint) })?,
            near: ask(client, NAME, &Query::Near { near: hash(near) })?,
        })
    }

    /// `registered`, `near` or `free`.
    fn standing(&self) -> &'static str {
        match (&self.registered, &self.near) {
            (Some(_), _) => "registered",
            (None, Some(_)) => "near",
            (None, None) => "free",
        }
    }

    fn in_words(&self) -> String {
        let at = |place: &Registration| {
            format!("{} on {}, in block {}", place.invoice.text(), chain_date(place.date), place.height)
        };
        match (&self.registered, &self.near) {
            (Some(place), _) => {
                format!("The invoice is registered as {}: whoever came first by height has the claim", at(place))
            }
            (None, Some(place)) => format!(
                "The invoice is not registered. One with its number and parties is, as {}: registered too, this one waits until the buyer and \
                 the platform have released it",
                at(place)
            ),
            (None, None) => "The invoice is not registered, and none with its number and parties is".into(),
        }
    }
}

fn place(place: &Registration) -> Value {
    json!({
        "invoice": place.invoice.text(), "date": chain_date(place.date), "time": place.time, "height": place.height,
    })
}

/// Asks the register for an invoice, and writes the proof where it is wanted.
pub fn check(context: &Context, file: &Path, out: Option<&PathBuf>) -> CliResult<()> {
    let client = context.client()?;
    let found = Found::of(&client, file)?;
    let mut shown = json!({
        "standing": found.standing(),
        "fingerprint": found.fingerprint,
        "registered": found.registered.as_ref().map(place),
        "near": found.near.as_ref().map(place),
    });
    let mut text = found.in_words();
    if let Some(out) = out {
        let question = Query::Registered { fingerprint: hash(found.fingerprint) }.encode();
        let answer = context.operator()?.post(&format!("/v1/contracts/{NAME}/query?proof=true"), &question)?;
        let proof = json!({
            "format": REGISTER_FORMAT,
            "fingerprint": found.fingerprint,
            "registered": shown["registered"],
            "proof": answer["proof"],
        });
        std::fs::write(out, format!("{proof}\n")).map_err(CliError::file(out))?;
        shown["file"] = json!(out);
        text = format!("{text}. The proof is in {}: it is checked with `portolan document verify`", out.display());
    }
    context.output.done(&text, || shown)
}

/// Checks a proof about the register: only who has the consortium's secret, which is in the chain-spec, can say which key of the state a
/// fingerprint has.
pub fn verify(context: &Context, file: &Value, anchor: &Anchor, secret: Option<&ChainSecret>) -> CliResult<()> {
    let (text, shown) = proven(file, anchor, secret)?;
    context.output.done(&text, || shown)
}

fn proven(file: &Value, anchor: &Anchor, secret: Option<&ChainSecret>) -> CliResult<(String, Value)> {
    let secret = secret.ok_or_else(|| {
        let message = "which key of the state a fingerprint has, only the consortium's chain-spec tells: verify with --spec, or ask a member to";
        CliError::refused("no_chain_secret", message)
    })?;
    let fingerprint: Option<Hash> = file["fingerprint"].as_str().and_then(|text| text.parse().ok());
    let fingerprint = fingerprint.ok_or_else(|| {
        CliError::refused("malformed_proof", "the file names no fingerprint; make it again with `document check`")
    })?;
    let state = proof::from_json(file)?.verify(anchor);
    let state = state.map_err(crate::commitment::DisclosureError::from)?;
    let registered = registered(&state, secret.consortium_hash(&fingerprint.0))?;
    if file["registered"] != registered.as_ref().map_or(Value::Null, place) {
        let message =
            "the proof holds, but the file says something else of the registration than it proves; trust neither";
        return Err(CliError::refused("answer_differs", message));
    }
    let height = state.header().height;
    let text = match &registered {
        Some(place) => format!(
            "The proof holds: the invoice is registered as {} on {}, in block {}. As of block {height}",
            place.invoice.text(),
            chain_date(place.date),
            place.height
        ),
        None => format!("The proof holds: no invoice with this fingerprint was registered up to block {height}"),
    };
    let shown = json!({
        "verified": true,
        "standing": if registered.is_some() { "registered" } else { "absent" },
        "fingerprint": fingerprint,
        "registered": registered.as_ref().map(place),
        "height": height,
        "state_root": state.header().state_root,
        "trusted": state.trusted().to_string(),
    });
    Ok((text, shown))
}

fn registered(state: &VerifiedState, keyed: Hash) -> CliResult<Option<Registration>> {
    let contract = ContractId::from_name(NAME);
    let key = keys::contract_storage(&contract, &registration_key(hash(keyed)));
    let other = || {
        CliError::refused(
            "other_fingerprint",
            "the proof is of another fingerprint; make it again with `document check`",
        )
    };
    let value = state.get(key.as_bytes()).ok_or_else(other)?;
    value.map(|value| Registration::decode_all(&mut &*value).map_err(|_| other())).transpose()
}
