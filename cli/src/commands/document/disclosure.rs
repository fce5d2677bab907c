//! `document commit`, `disclose`, `verify`, `erase`: the life of a document's salts, from the root that the chain has to the receipt that they
//! are gone. Must never send a field or a salt to a node.

use std::path::{Path, PathBuf};

use codec::DecodeAll;
use portolan_interface::DocumentId;
use portolan_interface::trade::api::{Call, NAME, Query};
use portolan_interface::trade::{Commitment, Erasure};
use portolan_primitives::{AccountId, Hash};
use portolan_runtime::native::members;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};

use crate::args::{self, AccountArg, RecordId};
use crate::client::Client;
use crate::commitment::{
    self, Disclosure, DisclosureError, Proven, SaltedDocument, SaltsFile, Tombstone, destroy, write_new,
};
use crate::context::{Context, chain_of};
use crate::contracts::{ask, hash, message};
use crate::error::{CliError, CliResult};
use crate::proof;
use crate::view::{self, Names};

/// Longest disclosure that is read, bytes.
pub const MAX_DISCLOSURE_BYTES: u64 = 64 * 1024 * 1024;

/// Salts a document's fields, which stay here, and says their root.
pub fn commit(context: &Context, fields: &Path, salts: Option<&Path>) -> CliResult<()> {
    let text = std::fs::read_to_string(fields).map_err(CliError::file(fields))?;
    let fields_of: Fields = serde_json::from_str(&text)
        .map_err(|error| CliError::refused("malformed_fields", format!("{}: {error}", fields.display())))?;
    let salted = salted(&fields_of.0)?;
    let kept = salts.map_or_else(|| fields.with_extension("salts.json"), Path::to_path_buf);
    write_new(&kept, &salted)?;
    let commitment = salted.commitment();
    let text = format!(
        "The root is {commitment}: name it as --commitment (an order's as --lines). The salts are in {}: keep them, \
         without them no field can be shown",
        kept.display()
    );
    context.output.done(&text, || json!({ "commitment": commitment, "fields": salted.fields.len(), "salts": kept }))
}

/// The fields with fresh salts, checked to be a document's.
pub fn salted<N: AsRef<str>>(fields: &[(N, String)]) -> CliResult<SaltedDocument> {
    let salted = SaltedDocument::new(fields).map_err(|error| CliError::refused("no_randomness", error.to_string()))?;
    salted.check()?;
    Ok(salted)
}

/// Makes a file that shows chosen fields.
pub fn disclose(
    context: &Context,
    file: &Path,
    document: Option<DocumentId>,
    names: &[String],
    recipient: Option<&AccountArg>,
    out: &Path,
) -> CliResult<()> {
    let salts = match commitment::read(file)? {
        SaltsFile::Salts(salts) => salts,
        SaltsFile::Erased(_) => return Err(DisclosureError::SaltsErased.into()),
    };
    let document = document_of(salts.document.as_deref(), document)?;
    let client = context.operator()?;
    let (record, proof) = proved_record(&client, document)?;
    if record.erasure().is_some() {
        return Err(DisclosureError::SaltsErased.into());
    }
    ensure_same(&record, &salts)?;
    let mut disclosure = Disclosure::of(&salts, document, names, proof)?;
    if let Some(recipient) = recipient {
        ensure_owner(&record, context.account()?)?;
        disclosure = signed(context, &client, disclosure, recipient.id)?;
    }
    let text =
        serde_json::to_string_pretty(&disclosure).map_err(|error| CliError::refused("json", error.to_string()))?;
    std::fs::write(out, format!("{text}\n")).map_err(CliError::file(out))?;
    let shown: Vec<&str> = disclosure.fields.iter().map(|field| field.name.as_str()).collect();
    let whom = recipient.map_or_else(|| "whoever has it".to_owned(), AccountArg::text);
    let text = format!(
        "{} shows {} of {} to {whom}; it is checked with `portolan document verify`",
        out.display(),
        shown.join(", "),
        document.text()
    );
    context.output.done(
        &text,
        || json!({ "document": document.text(), "fields": shown, "recipient": disclosure.recipient, "file": out }),
    )
}

/// The document that the salts name, or the option, which must not contradict.
fn document_of(named: Option<&str>, option: Option<DocumentId>) -> CliResult<DocumentId> {
    let named = named.map(args::document).transpose().map_err(|reason| DisclosureError::MalformedSalts { reason })?;
    match (named, option) {
        (Some(named), Some(option)) if named != option => {
            Err(DisclosureError::OtherDocument { told: named.text(), proved: option.text() }.into())
        }
        (Some(document), _) | (None, Some(document)) => Ok(document),
        (None, None) => Err(CliError::Usage(
            "the salts do not say of which document they are: name it with --document doc1…".into(),
        )),
    }
}

/// The chain's record of a document's root, with its proof as a node gives it to its operator.
fn proved_record(client: &Client, document: DocumentId) -> CliResult<(Commitment, Value)> {
    let question = codec::Encode::encode(&Query::Commitment { id: document });
    let answer = client.post(&format!("/v1/contracts/{NAME}/query?proof=true"), &question)?;
    let none = || CliError::from(DisclosureError::NoCommitment { document: document.text() });
    let proved = proof::from_json(&answer)?;
    let found = proved.entries.iter().filter_map(|entry| entry.value.as_deref());
    let record = found.filter_map(|value| Commitment::decode_all(&mut &*value).ok()).next().ok_or_else(none)?;
    Ok((record, answer["proof"].clone()))
}

fn ensure_same(record: &Commitment, salts: &SaltedDocument) -> CliResult<()> {
    let (expected, found) = (Hash(record.commitment.0), salts.commitment());
    if expected == found { Ok(()) } else { Err(DisclosureError::OtherCommitment { expected, found }.into()) }
}

fn ensure_owner(record: &Commitment, account: &AccountArg) -> CliResult<()> {
    if record.owner == account.contract_id() {
        return Ok(());
    }
    let owner = AccountId(record.owner.0);
    let message =
        format!("the salts of this document are {owner}'s: only that account signs for them, or destroys them");
    Err(CliError::refused("not_salt_owner", message))
}

/// Signed by the first key of the account that acts, which must be the owner's.
fn signed(context: &Context, client: &Client, disclosure: Disclosure, to: AccountId) -> CliResult<Disclosure> {
    let signer = context.signer()?;
    let no_keys = || crate::keystore::KeystoreError::NoKeys(signer.account.to_string());
    let key = signer.keys.first().ok_or_else(no_keys)?;
    let question = codec::Encode::encode(&members::messages::Query::Key { key: key.public().id() });
    let answer = client.post("/v1/contracts/members/query?proof=true", &question)?;
    Ok(disclosure.signed_for(to, chain_of(client)?, key, answer["proof"].clone()))
}

/// Says in words and as JSON what a disclosure proves.
pub fn show(context: &Context, proven: &Proven) -> CliResult<()> {
    let erasure =
        |erasure: &Erasure| json!({ "date": crate::contracts::chain_date(erasure.date), "height": erasure.height });
    let record = &proven.record;
    let fields: Vec<Value> =
        proven.fields.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let shown = json!({
        "verified": true,
        "document": record.document.text(),
        "kind": kind(record),
        "fields": fields,
        "of_fields": proven.count,
        "owner": AccountId(record.owner.0),
        "registered": { "date": crate::contracts::chain_date(record.date), "height": record.height },
        "commitment": Hash(record.commitment.0),
        "salts_erased": record.erasure().map(erasure),
        "recipient": proven.recipient.map(|(account, _)| account),
        "signed_by": proven.recipient.map(|(_, key)| key),
        "height": proven.header.height,
        "state_root": proven.header.state_root,
        "trusted": proven.trusted,
    });
    context.output.text(|| in_words(proven, &context.known_names(), &shown), &shown)
}

fn kind(record: &Commitment) -> String {
    portolan_node::values::snake(&format!("{:?}", record.kind))
}

fn in_words(proven: &Proven, names: &Names, shown: &Value) -> String {
    let mut lines = vec![format!(
        "The disclosure holds: {} of {} fields of the {} {}",
        proven.fields.len(),
        proven.count,
        kind(&proven.record).replace('_', " "),
        proven.record.document.text()
    )];
    let plain = |text: &str| super::plain(text);
    lines.extend(proven.fields.iter().map(|(name, value)| format!("  {} = {}", plain(name), plain(value))));
    let text = |at: &str| view::cell(&shown[at], names);
    lines.push(view::field("registered by", &text("owner")));
    let registered = &shown["registered"];
    lines.push(view::field(
        "registered",
        &format!("{} in block {}", view::cell(&registered["date"], names), registered["height"]),
    ));
    lines.push(view::field("root", &text("commitment")));
    if let Some(date) = shown["salts_erased"]["date"].as_str() {
        lines.push(view::field("salts erased", &format!("{date}: the owner can show no further field")));
    }
    if proven.recipient.is_some() {
        lines.push(view::field("made for", &text("recipient")));
    }
    lines.push(view::field(
        "as of block",
        &format!("{} with the state root {}", proven.header.height, text("state_root")),
    ));
    lines.push(view::field("trusted", &proven.trusted));
    lines.join("\n")
}

/// Destroys the salts here, and leaves the receipt on the chain.
pub fn erase(context: &Context, file: &Path, document: Option<DocumentId>, yes: bool) -> CliResult<()> {
    let owner = context.account()?;
    let found = commitment::read(file)?;
    let named = match &found {
        SaltsFile::Salts(salts) => salts.document.as_deref(),
        SaltsFile::Erased(tombstone) => tombstone.as_ref().map(|tombstone| tombstone.document.as_str()),
    };
    let document = document_of(named, document)?;
    let record: Commitment = ask(&context.client()?, NAME, &Query::Commitment { id: document })?;
    ensure_owner(&record, owner)?;
    let commitment = match &found {
        SaltsFile::Salts(salts) => {
            ensure_same(&record, salts)?;
            salts.commitment()
        }
        SaltsFile::Erased(Some(tombstone)) => tombstone.commitment,
        SaltsFile::Erased(None) => Hash(record.commitment.0),
    };
    if !yes {
        let message = format!(
            "this destroys the salts in {} for good: no field of {} can be shown afterwards. Say --yes to do it; copies and backups of \
             the file are yours to destroy",
            file.display(),
            document.text()
        );
        return Err(CliError::refused("not_confirmed", message));
    }
    destroy(file, &Tombstone { document: document.text(), commitment })?;
    let call = Call::EraseSalts { owner: owner.contract_id(), document, commitment: hash(commitment) };
    let done = context.send(vec![message(NAME, &call)]).map_err(|error| {
        let message = format!(
            "the salts are destroyed, and the chain has no receipt yet ({error}); run the command again to leave it"
        );
        CliError::refused("no_receipt", message)
    })?;
    let receipt: Erasure = done.output()?;
    let text = format!("The salts of {} are destroyed, and the chain has the receipt", document.text());
    let (date, height) = (crate::contracts::chain_date(receipt.date), receipt.height);
    context.report(&done, &text, json!({ "document": document.text(), "erased": { "date": date, "height": height } }))
}

/// A JSON object of texts and numbers in its own order, in which a name may stand twice, so that it can be refused.
struct Fields(Vec<(String, String)>);

impl<'de> serde::Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of field names and texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    let value = match value {
                        Value::String(text) => text,
                        Value::Number(number) if !number.is_f64() => number.to_string(),
                        Value::Bool(flag) => flag.to_string(),
                        _ => return Err(serde::de::Error::custom(format!("write `{name}` as text"))),
                    };
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Reads a file of at most [`MAX_DISCLOSURE_BYTES`] as JSON.
pub fn read_json(file: &Path) -> CliResult<Value> {
    let malformed = |reason: String| CliError::from(DisclosureError::Malformed { reason });
    let length = std::fs::metadata(file).map_err(CliError::file(file))?.len();
    if length > MAX_DISCLOSURE_BYTES {
        return Err(malformed(format!("it has {length} bytes")));
    }
    let bytes = std::fs::read(file).map_err(CliError::file(file))?;
    serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))
}

/// Where a disclosure goes when nothing is said.
pub fn default_out(salts: &Path) -> PathBuf {
    let name = salts.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.strip_suffix(".salts.json").unwrap_or(&name);
    salts.with_file_name(format!("{stem}.disclosure.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Result<Vec<(String, String)>, String> {
        serde_json::from_str::<Fields>(text).map(|fields| fields.0).map_err(|error| error.to_string())
    }

    #[test]
    fn fields_keep_their_order_and_a_name_that_stands_twice() {
        let text = r#"{ "total": 100, "number": "17", "paid": false, "total": "x" }"#;
        let pairs = [("total", "100"), ("number", "17"), ("paid", "false"), ("total", "x")];
        let expected: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(fields(text), Ok(expected.clone()));
        assert_eq!(salted(&expected).unwrap_err().code(), "duplicate_field");
    }

    #[test]
    fn a_field_is_a_text_a_whole_number_or_a_flag_and_never_rounded() {
        for text in
            [r#"{ "total": 100.50 }"#, r#"{ "total": 340282366920938463463374607431768211455 }"#, r#"{ "total": [1] }"#]
        {
            assert!(fields(text).unwrap_err().contains("write `total` as text"), "{text}");
        }
        assert!(fields("[]").unwrap_err().contains("an object of field names and texts"));
    }

    #[test]
    fn a_disclosure_lies_beside_its_salts() {
        assert_eq!(default_out(Path::new("a/inv.salts.json")), Path::new("a/inv.disclosure.json"));
        assert_eq!(default_out(Path::new("other")), Path::new("other.disclosure.json"));
    }

    #[test]
    fn the_document_is_named_once_and_not_contradicted() {
        let (one, other) = (DocumentId([1; 32]), DocumentId([2; 32]));
        assert_eq!(document_of(Some(&one.text()), None).unwrap(), one);
        assert_eq!(document_of(None, Some(other)).unwrap(), other);
        assert_eq!(document_of(Some(&one.text()), Some(one)).unwrap(), one);
        assert_eq!(document_of(Some(&one.text()), Some(other)).unwrap_err().code(), "other_document");
        assert_eq!(document_of(None, None).unwrap_err().code(), "usage");
        assert_eq!(document_of(Some("cert1x"), None).unwrap_err().code(), "malformed_salts");
    }
}
