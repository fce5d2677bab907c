//! Transfers of a bill of lading between platforms (PINT): the envelope with its signed contents, what platforms answer,
//! and the transfer block of the draft before it.
//!
//! A signed content is a compact JWS (RFC 7515): its payload is shown and stays among what is kept by hash, its
//! signature is not checked, since the keys of platforms are not in the file. What the contents say of one another is
//! checked: the checksum of the transport document that all must share, and the SHA-256 by which each entry of the chain
//! names the one before it and the manifest names the last.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};

use super::super::envelope::{Envelope, Record};
use super::super::error::{DocumentError, Excerpt};
use super::super::fields::{
    code, moment, needed, object, objects, required, required_object, set, set_list, text, texts, wrong,
};
use super::super::json::{Json, Shape};
use super::transport::document;
use super::{chain, contradiction};

/// Most entries of a chain.
const MAX_ENTRIES: usize = 1_000;

/// The payload of a signed content, with what its header says.
struct Signed {
    payload: Json,
    algorithm: Option<String>,
    key: Option<String>,
    /// SHA-256 of the whole content, in hex.
    checksum: String,
}

/// Reads a compact JWS without checking its signature.
fn signed(json: &Json, field: &'static str) -> Result<Signed, DocumentError> {
    let invalid = || wrong(json, field, "it is a signed content (a compact JWS with a JSON object inside)");
    let Shape::Text(content) = &json.shape else { return Err(invalid()) };
    super::super::fields::filled_in("", content, field)?;
    let mut parts = content.trim().split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(invalid());
    };
    let part = |part: &str| {
        let text = String::from_utf8(BASE64URL_NOPAD.decode(part.as_bytes()).ok()?).ok()?;
        Json::read(&text).ok().filter(|json| matches!(json.shape, Shape::Object(_)))
    };
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes());
    let (Some(header), Some(payload), Ok(_)) = (part(header), part(payload), signature) else {
        return Err(invalid());
    };
    Ok(Signed {
        algorithm: text(&header, &["alg"], field)?,
        key: text(&header, &["kid"], field)?,
        payload,
        checksum: HEXLOWER.encode(&Sha256::digest(content.trim().as_bytes())),
    })
}

/// A SHA-256 in hex that the kind requires.
fn checksum(json: &Json, name: &str, field: &'static str) -> Result<Option<String>, DocumentError> {
    let Some(found) = needed(json, &[name], field)? else { return Ok(None) };
    if found.len() == 64 && found.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Some(found.to_ascii_lowercase()));
    }
    let reason = "it is a SHA-256 in 64 hex digits";
    Err(DocumentError::InvalidField { field: super::super::Field::Named(field), value: Excerpt::of(&found), reason })
}

fn required_checksum(json: &Json, name: &str, field: &'static str) -> Result<String, DocumentError> {
    checksum(json, name, field)?.ok_or_else(|| super::super::fields::missing(field))
}

const DOCUMENT: &str = "checksum of the transport document";
const LAST: &str = "checksum of the last entry of the transfer chain";
const PREVIOUS: &str = "checksum of the entry before in the transfer chain";

/// Reads a transfer of a transport document with its manifest and its chain of platforms.
///
/// # Errors
/// `MissingField` without the document, the manifest or the chain; `InvalidField` for a content that is no JWS;
/// `ContradictoryField` for checksums that do not fit; as the kinds inside.
pub fn transfer(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    document(required_object(json, "transportDocument", "transport document")?, envelope)?;
    let manifest = json.get("envelopeManifestSignedContent");
    let manifest =
        signed(manifest.ok_or_else(|| super::super::fields::missing("envelope manifest"))?, "envelope manifest")?;
    let mut facts = Record::default();
    let of = required_checksum(&manifest.payload, "transportDocumentChecksum", DOCUMENT)?;
    let name = "lastEnvelopeTransferChainEntrySignedContentChecksum";
    let last = required_checksum(&manifest.payload, name, LAST)?;
    facts.set("transport_document", of.clone());
    facts.set("last_entry", last.clone());
    supporting(&manifest.payload, &mut facts)?;
    envelope.facts.set("checksums", facts);
    envelope.facts.set("signed_with", manifest.algorithm);
    envelope.facts.set("signed_by", manifest.key);
    let entries = match json.get("envelopeTransferChain").map(|list| &list.shape) {
        Some(Shape::List(items)) if !items.is_empty() => items,
        _ => return Err(super::super::fields::missing("transfer chain")),
    };
    if entries.len() > MAX_ENTRIES {
        return Err(DocumentError::LimitExceeded { what: "entries of a transfer chain", limit: MAX_ENTRIES });
    }
    let read: Vec<Signed> =
        entries.iter().map(|one| signed(one, "entry of the transfer chain")).collect::<Result<_, _>>()?;
    walk(&read, &of, &last, envelope)
}

/// Checks the entries against one another, and reads the acts of all of them as one chain.
fn walk(entries: &[Signed], of: &str, last: &str, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut shown = Vec::with_capacity(entries.len());
    let mut acts = Vec::new();
    let mut before: Option<&str> = None;
    let mut linked = true;
    for one in entries {
        shown.push(entry(&one.payload, Some(one), envelope)?);
        let named = required_checksum(&one.payload, "transportDocumentChecksum", DOCUMENT)?;
        if named != of {
            return Err(contradiction(DOCUMENT, of, &named));
        }
        let previous = checksum(&one.payload, "previousEnvelopeTransferChainEntrySignedContentChecksum", PREVIOUS)?;
        linked &= previous.as_deref() == before;
        before = Some(&one.checksum);
        acts.extend(objects(&one.payload, "transactions", "transactions")?);
    }
    if !linked {
        let reason =
            "the entries of the transfer chain do not name one another by their checksums; ask for the whole chain";
        envelope.warn("transfer_chain_not_linked", reason);
    }
    if before != Some(last) {
        let reason =
            "the manifest names another last entry of the transfer chain than there is; ask for the whole chain";
        envelope.warn("last_entry_mismatch", reason);
    }
    envelope.facts.set("transfer_chain_linked", linked && before == Some(last));
    envelope.facts.set("transfer_chain", shown);
    chain::read(acts, envelope)
}

fn entry(payload: &Json, signed: Option<&Signed>, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let platform = needed(payload, &["eblPlatform"], "platform of an entry")?;
    envelope.party("platform", platform.clone(), None);
    let mut facts = Record::default().with("platform", platform);
    facts.set("checksum", signed.map(|signed| signed.checksum.clone()));
    facts.set(
        "previous_checksum",
        checksum(payload, "previousEnvelopeTransferChainEntrySignedContentChecksum", PREVIOUS)?,
    );
    if let Some(signed) = signed {
        facts.set("signed_with", signed.algorithm.clone());
        facts.set("signed_by", signed.key.clone());
    }
    set(payload, &[("control_tracking_registry", &["controlTrackingRegistry"])], &mut facts)?;
    facts.set("transaction_count", objects(payload, "transactions", "transactions")?.len());
    Ok(facts)
}

/// Documents that go along, by their checksums.
fn supporting(json: &Json, facts: &mut Record) -> Result<(), DocumentError> {
    let mut shown = Vec::new();
    let visual = object(json, "eBLVisualisationByCarrier", "visualisation")?;
    for one in visual.into_iter().chain(objects(json, "supportingDocuments", "supporting documents")?) {
        let mut document = Record::default();
        set(
            one,
            &[("name", &["name"]), ("type", &["mediaType"]), ("size", &["size"]), ("checksum", &["documentChecksum"])],
            &mut document,
        )?;
        shown.push(document);
    }
    set_list(facts, "documents", shown);
    Ok(())
}

/// Sets what the signed manifest of an issuance says; nothing where there is none, as in versions before 3.0.
///
/// # Errors
/// `InvalidField` for a content that is no JWS.
pub fn issuance_manifest(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Some(content) = json.get("issuanceManifestSignedContent") else { return Ok(()) };
    let manifest = signed(content, "issuance manifest")?;
    manifest_checksums(&manifest.payload, envelope)?;
    envelope.facts.set("signed_with", manifest.algorithm);
    envelope.facts.set("signed_by", manifest.key);
    Ok(())
}

fn manifest_checksums(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut facts = Record::default();
    facts.set("document", required_checksum(json, "documentChecksum", "checksum of the document")?);
    facts.set("issue_to", required_checksum(json, "issueToChecksum", "checksum of the party it is issued to")?);
    let visual = checksum(json, "eBLVisualisationByCarrierChecksum", "checksum of the visualisation")?;
    facts.set("visualisation", visual);
    envelope.facts.set("checksums", facts);
    Ok(())
}

/// Reads the payload of an issuance manifest by itself.
///
/// # Errors
/// `MissingField`, `InvalidField`.
pub fn manifest_of_issuance(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    manifest_checksums(json, envelope)
}

/// Reads the payload of an envelope manifest by itself.
///
/// # Errors
/// `MissingField`, `InvalidField`.
pub fn manifest(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut facts = Record::default();
    facts.set("transport_document", required_checksum(json, "transportDocumentChecksum", DOCUMENT)?);
    facts.set("last_entry", required_checksum(json, "lastEnvelopeTransferChainEntrySignedContentChecksum", LAST)?);
    supporting(json, &mut facts)?;
    envelope.facts.set("checksums", facts);
    Ok(())
}

/// Reads the payload of one entry of a transfer chain by itself.
///
/// # Errors
/// `MissingField`, `InvalidField`; whatever is wrong with its acts.
pub fn chain_entry(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut checksums = Record::default();
    checksums.set("transport_document", required_checksum(json, "transportDocumentChecksum", DOCUMENT)?);
    envelope.facts.set("checksums", checksums);
    let shown = entry(json, None, envelope)?;
    envelope.facts.set("entry", shown);
    chain::read(super::super::fields::required_objects(json, "transactions", "transaction")?, envelope)
}

/// Reads a platform's answer to the start of a transfer.
///
/// # Errors
/// `MissingField`, `InvalidField`, `Template`.
pub fn started(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    envelope.number = Some(required(json, &["envelopeReference"], "envelope reference")?);
    answer_checksums(json, envelope)
}

/// The answers of a platform that finishes a transfer.
const ANSWERS: [&str; 8] = ["RECE", "DUPE", "BSIG", "BENV", "INCD", "MDOC", "DISE", "REJE"];

/// Reads a platform's answer to the end of a transfer.
///
/// # Errors
/// `MissingField`, `InvalidField` for another code.
pub fn finished(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let reason = "it is RECE, DUPE, BSIG, BENV, INCD, MDOC, DISE or REJE";
    let answer = code(json, &["responseCode"], "response code of the transfer", &ANSWERS, reason)?;
    envelope.facts.set("accepted", matches!(answer.as_str(), "RECE" | "DUPE"));
    envelope.facts.set("code", answer);
    set(json, &[("reason", &["reason"])], &mut envelope.facts)?;
    answer_checksums(json, envelope)
}

fn answer_checksums(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut facts = Record::default();
    if let Some(of) = checksum(json, "transportDocumentChecksum", DOCUMENT)? {
        facts.set("transport_document", of);
    }
    facts.set("last_entry", checksum(json, "lastEnvelopeTransferChainEntrySignedContentChecksum", LAST)?);
    for (name, member) in
        [("missing", "missingAdditionalDocumentChecksums"), ("received", "receivedAdditionalDocumentChecksums")]
    {
        set_list(&mut facts, name, texts(json, member, "checksum of a document")?);
    }
    envelope.facts.set("checksums", facts);
    Ok(())
}

/// Reads a transfer block of the draft: a document's hash, and the acts that are signed over it.
///
/// # Errors
/// `MissingField` without the hash or an act; `ContradictoryField` if the block is about another document.
pub fn transfer_block(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let of = required(json, &["transferDocument"], "hash of the transferred document")?;
    let field = "endorsement chain";
    let chain = match object(json, "endorcementChain", field)? {
        None => required_object(json, "endorsementChain", field)?,
        Some(found) => found,
    };
    let block = required_object(chain, "eblEnvelope", "envelope of the transfer")?;
    let inside = required(block, &["documentHash"], "hash of the transferred document")?;
    if inside != of {
        return Err(contradiction("hash of the transferred document", &of, &inside));
    }
    let mut checksums = Record::default().with("transport_document", of);
    checksums.set("envelope", needed(chain, &["eblEnvelopeHash"], "hash of the envelope")?);
    checksums.set("previous_envelope", text(block, &["previousEblEnvelopeHash"], "hash of the envelope before")?);
    envelope.facts.set("checksums", checksums);
    envelope.facts.set("signed", chain.get("signature").or_else(|| json.get("signature")).is_some());
    let acts = super::super::fields::required_objects(block, "transactions", "transaction")?;
    let first = acts.first().map_or(Ok(None), |act| moment(act, &["timestamp"], "time of an endorsement"))?;
    chain::read(acts, envelope)?;
    envelope.issue_date = match first {
        Some(first) if envelope.facts.get("chain_order") == Some(&"oldest_first".into()) => {
            super::super::date::iso(super::super::Field::IssueDate, &first.written).map(Some)?
        }
        _ => None,
    };
    Ok(())
}
