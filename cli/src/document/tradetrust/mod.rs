//! TradeTrust, OpenAttestation and the W3C's verifiable credentials: bills of lading, promissory notes, invoices and
//! certificates whose issuer can be found and whose holder a registry keeps.
//!
//! OpenAttestation 2 is read raw, wrapped (each value with its salt and type before it), or as the data file from which
//! one is made; version 3 and the W3C's form as credentials. What a proof says of itself is shown, and for wrapped
//! documents the hash of their fields is compared with the one that was signed; signatures, registries and revocations
//! are not looked up, since nothing here opens what a file points to.

mod bill;
mod digest;

use super::envelope::{Envelope, Record};
use super::error::{DocumentError, Excerpt, Field};
use super::fields::{
    day, missing, needed, object, objects, required, required_object, set, set_list, snake, text, texts, wrong,
};
use super::json::{Json, Shape};

/// Reads a document of one of these forms; nothing if it is none.
///
/// # Errors
/// `UnsupportedDocument` for a JSON Schema; `MissingField` without what the kind needs; `Template`; `InvalidField` for a
/// value without its salt or a registry that is no address; `ContradictoryField` for a hash that its fields do not have;
/// whatever is wrong with a value.
pub fn read(json: &Json) -> super::Read {
    let Shape::Object(_) = &json.shape else { return Ok(None) };
    if is_schema(json) {
        return Err(super::unsupported("a JSON Schema, which says how documents look and is none,"));
    }
    if is_credential(json) {
        return credential(json).map(Some);
    }
    if is_wrapped(json) {
        return wrapped(json).map(Some);
    }
    if json.get("issuers").is_some() || json.get("$template").is_some() {
        let mut envelope = Envelope::new("tradetrust", "document");
        raw(json, &mut envelope)?;
        return Ok(Some(envelope));
    }
    let body = json.get("data").filter(|data| bill::is_known(data)).unwrap_or(json);
    if !bill::is_known(body) {
        return Ok(None);
    }
    let mut envelope = Envelope::new("tradetrust", "document");
    bill::read(body, &mut envelope)?;
    ownership(json, &mut envelope)?;
    set(json, &[("file_name", &["fileName"])], &mut envelope.facts)?;
    Ok(Some(envelope))
}

fn is_schema(json: &Json) -> bool {
    json.get("$schema").is_some() && (json.get("properties").is_some() || json.get("$id").is_some())
}

/// The words of `type`, which is one or a list.
fn types(json: &Json) -> Result<Vec<String>, DocumentError> {
    texts(json, "type", "type of a credential")
}

fn is_credential(json: &Json) -> bool {
    json.get("@context").is_some() && json.get("credentialSubject").is_some()
        || types(json).is_ok_and(|types| types.iter().any(|one| one == "VerifiableCredential"))
}

fn is_wrapped(json: &Json) -> bool {
    let data = matches!(json.get("data").map(|data| &data.shape), Some(Shape::Object(_)));
    let version = matches!(json.get("version").map(|version| &version.shape), Some(Shape::Text(version)) if version.contains("openattestation"));
    data && (version
        || json.at(&["signature", "merkleRoot"]).is_some()
        || json.at(&["signature", "targetHash"]).is_some())
}

/// A wrapped document of version 2.
fn wrapped(json: &Json) -> Result<Envelope, DocumentError> {
    let data = required_object(json, "data", "data of the document")?;
    let plain = data.with_texts(&|held, salted| {
        unsalted(salted).ok_or_else(|| {
            wrong(held, "value of a wrapped document", "it is a UUID, a type and the value, with colons between")
        })
    })?;
    let mut envelope = Envelope::new("tradetrust", "document");
    raw(&plain, &mut envelope)?;
    set(json, &[("version", &["version"]), ("schema", &["schema"])], &mut envelope.facts)?;
    let signature = required_object(json, "signature", "signature of the document")?;
    let hidden = texts(json.get("privacy").unwrap_or(json), "obfuscatedData", "hash of a hidden field")?;
    let shown = merkle(signature, "proof", hidden.len())?;
    let target = required(signature, &["targetHash"], "hash of the document")?;
    same_hash("hash of the document", &target, &digest::of(data, &hidden))?;
    check_root(signature, "proof", &target)?;
    envelope.facts.set("signature", shown);
    proofs(json, &mut envelope)?;
    data.mark_as(&plain);
    Ok(envelope)
}

/// The value behind a salt: `uuid:string:value`.
fn unsalted(salted: &str) -> Option<Shape> {
    let (salt, rest) = salted.split_at_checked(36)?;
    let is_salt = salt.bytes().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    let (kind, value) = rest.strip_prefix(':')?.split_once(':')?;
    if !is_salt {
        return None;
    }
    match (kind, value) {
        ("string", text) => Some(Shape::Text(text.to_owned())),
        ("number", number) => match Json::read(number).ok()?.shape {
            Shape::Number(number) => Some(Shape::Number(number)),
            _ => None,
        },
        ("boolean", "true") => Some(Shape::Flag(true)),
        ("boolean", "false") => Some(Shape::Flag(false)),
        ("null" | "undefined", _) => Some(Shape::Null),
        _ => None,
    }
}

/// A raw document of version 2, or the data of a wrapped one.
fn raw(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    template(json, "$template", envelope)?;
    let issuers = objects(json, "issuers", "list of issuers")?;
    if issuers.is_empty() {
        envelope.warn("no_issuer", "the document names no issuer, so nobody can check who made it; ask for its issuer");
    }
    let mut transferable = false;
    for one in issuers {
        transferable |= issuer(one, envelope)?;
    }
    envelope.facts.set("transferable", transferable);
    if let Some(recipient) = object(json, "recipient", "recipient")? {
        envelope.party(
            "recipient",
            needed(recipient, &["name"], "name of the recipient")?,
            text(recipient, &["did"], "id")?,
        );
    }
    attachments(json, ["filename", "type"], envelope)?;
    if bill::is_known(json) {
        bill::read(json, envelope)?;
    } else {
        envelope.number = needed(json, &["id"], "number of the document")?;
        bill::others(json, envelope)?;
    }
    kind(envelope, None);
    ownership(json, envelope)
}

/// Names of templates that say nothing of the document.
const PLAIN_TEMPLATES: [&str; 5] = ["main", "custom_template", "default", "test", "certificate"];

/// The kind, unless the contents told it: by the type of a credential, else by the template.
fn kind(envelope: &mut Envelope, of_type: Option<&str>) {
    if envelope.kind != "document" {
        return;
    }
    let of_template = match envelope.facts.get("template") {
        Some(super::Fact::Text(name)) => Some(snake(name)).filter(|name| !PLAIN_TEMPLATES.contains(&name.as_str())),
        _ => None,
    };
    if let Some(name) = of_type.map(snake).or(of_template) {
        envelope.kind = match name.as_str() {
            "coo" | "chafta_coo" | "certificate_of_origin" => "certificate_of_origin".to_owned(),
            _ => name,
        };
    }
}

fn template(json: &Json, name: &str, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Some(found) = json.get(name) else { return Ok(()) };
    let field = "name of the template";
    if let Shape::Text(_) = &found.shape {
        envelope.facts.set("template", needed(json, &[name], field)?);
        return Ok(());
    }
    let found = required_object(json, name, "template")?;
    envelope.facts.set("template", required(found, &["name"], field)?);
    set(found, &[("renderer", &["type"]), ("renderer_url", &["url"])], &mut envelope.facts)
}

/// Adds an issuer, and says whether its documents have a holder whom a registry keeps.
fn issuer(json: &Json, envelope: &mut Envelope) -> Result<bool, DocumentError> {
    let name = required(json, &["name"], "name of the issuer")?;
    let did = needed(json, &["id"], "id of the issuer")?;
    let mut store = None;
    for (member, field) in [
        ("tokenRegistry", "token registry"),
        ("documentStore", "document store"),
        ("certificateStore", "certificate store"),
    ] {
        let Some(address) = needed(json, &[member], field)? else { continue };
        if !is_address(&address) {
            let value = Excerpt::of(&address);
            return Err(DocumentError::InvalidField {
                field: Field::Named(field),
                value,
                reason: "it is 0x and 40 hex digits",
            });
        }
        envelope.facts.set(
            match member {
                "tokenRegistry" => "token_registry",
                "documentStore" => "document_store",
                _ => "certificate_store",
            },
            address.clone(),
        );
        store = Some(address);
    }
    envelope.party("issuer", Some(name), did.or(store));
    if let Some(proof) = object(json, "identityProof", "identity proof")? {
        let mut facts = Record::default();
        facts.set("type", needed(proof, &["type"], "type of the identity proof")?);
        set(proof, &[("location", &["location"]), ("key", &["key"])], &mut facts)?;
        envelope.facts.set("identity_proof", facts);
    }
    if let Some(revocation) = object(json, "revocation", "revocation")? {
        let mut facts = Record::default();
        set(revocation, &[("type", &["type"]), ("location", &["location"])], &mut facts)?;
        envelope.facts.set("revocation", facts);
    }
    Ok(json.get("tokenRegistry").is_some())
}

fn is_address(text: &str) -> bool {
    text.strip_prefix("0x")
        .is_some_and(|digits| digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Sets the names and types of what is attached; the contents stay unread.
fn attachments(json: &Json, [name, kind]: [&str; 2], envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut shown = Vec::new();
    for one in objects(json, "attachments", "list of attachments")? {
        let mut facts = Record::default();
        facts.set("name", text(one, &[name], "name of an attachment")?);
        facts.set("type", text(one, &[kind], "type of an attachment")?);
        shown.push(facts);
    }
    set_list(&mut envelope.facts, "attachments", shown);
    Ok(())
}

/// Sets who a new record belongs to.
fn ownership(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Some(found) = object(json, "ownership", "ownership")? else { return Ok(()) };
    for (role, member) in [("beneficiary", "beneficiaryAddress"), ("holder", "holderAddress")] {
        envelope.party(role, None, needed(found, &[member], "address of an owner")?);
    }
    Ok(())
}

/// What a Merkle proof says of itself.
fn merkle(json: &Json, list: &'static str, hidden: usize) -> Result<Record, DocumentError> {
    let mut facts = Record::default();
    set(
        json,
        &[
            ("type", &["type"]),
            ("created", &["created"]),
            ("target_hash", &["targetHash"]),
            ("merkle_root", &["merkleRoot"]),
            ("key", &["key"]),
            ("method", &["verificationMethod"]),
            ("suite", &["cryptosuite"]),
            ("purpose", &["proofPurpose"]),
        ],
        &mut facts,
    )?;
    if json.get("targetHash").is_some() {
        facts.set("batch_depth", texts(json, list, "hash of a Merkle proof")?.len());
        facts.set("hidden_fields", hidden);
    }
    facts.set(
        "signed",
        json.get("signature").is_some() || json.get("proofValue").is_some() || json.get("jws").is_some(),
    );
    Ok(facts)
}

/// Refuses a root to which the hash and its proof do not lead.
fn check_root(json: &Json, list: &'static str, target: &str) -> Result<(), DocumentError> {
    let root = required(json, &["merkleRoot"], "Merkle root")?;
    let proof = texts(json, list, "hash of a Merkle proof")?;
    match digest::root(target, &proof) {
        Some(found) => same_hash("Merkle root", &root, &found),
        None => Err(DocumentError::InvalidField {
            field: Field::Named("hash of a Merkle proof"),
            value: Excerpt::of(target),
            reason: "hashes are 64 hex digits",
        }),
    }
}

/// Refuses a hash that what it is about does not have.
fn same_hash(field: &'static str, written: &str, found: &str) -> Result<(), DocumentError> {
    if written.eq_ignore_ascii_case(found) {
        return Ok(());
    }
    let (first, second) = (Excerpt::of(written), Excerpt::of(found));
    Err(DocumentError::ContradictoryField { field: Field::Named(field), first, second })
}

/// Compares the hash of a credential of version 3 with its fields.
fn check_credential(
    credential: &Json,
    proof: &Json,
    target: &str,
    hidden: &[String],
    envelope: &mut Envelope,
) -> Result<(), DocumentError> {
    let salts = proof.get("salts").and_then(|salts| match &salts.shape {
        Shape::Text(salts) => Some(salts.as_str()),
        _ => None,
    });
    match salts.and_then(|salts| digest::of_credential(credential, salts, hidden)) {
        Some(found) => same_hash("hash of the document", target, &found),
        None => {
            envelope.warn("hash_not_checked", "the salts of the document can't be read, so its hash was not compared");
            Ok(())
        }
    }
}

/// Sets the signatures of a wrapped document.
fn proofs(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut shown = Vec::new();
    for one in objects(json, "proof", "list of proofs")? {
        shown.push(merkle(one, "proofs", 0)?);
    }
    set_list(&mut envelope.facts, "proofs", shown);
    Ok(())
}

/// A credential: OpenAttestation 3 or the W3C's.
fn credential(json: &Json) -> Result<Envelope, DocumentError> {
    let mut envelope = Envelope::new("tradetrust", "document");
    let contexts = contexts(json)?;
    set_list(&mut envelope.facts, "contexts", contexts);
    set(json, &[("version", &["version"]), ("name", &["name"])], &mut envelope.facts)?;
    let types = types(json)?;
    envelope.number = match needed(json, &["reference"], "reference of the credential")? {
        None => needed(json, &["id"], "id of the credential")?,
        found => found,
    };
    for name in ["issuanceDate", "validFrom"] {
        if envelope.issue_date.is_none() {
            envelope.issue_date = day(json, &[name], "issue date")?;
        }
    }
    for (name, members) in [("valid_from", &["validFrom"][..]), ("valid_until", &["expirationDate", "validUntil"])] {
        for member in members {
            if let Some(found) = day(json, &[member], "validity")? {
                envelope.facts.set(name, found);
            }
        }
    }
    issuer_of_credential(json, &mut envelope)?;
    metadata(json, &mut envelope)?;
    status(json, &mut envelope)?;
    attachments(json, ["fileName", "mimeType"], &mut envelope)?;
    let subjects = match json.get("credentialSubject").map(|subject| &subject.shape) {
        Some(Shape::List(_)) => super::fields::required_objects(json, "credentialSubject", "credential subject")?,
        _ => std::slice::from_ref(required_object(json, "credentialSubject", "credential subject")?),
    };
    let mut of_type = None;
    for subject in subjects {
        let own = texts(subject, "type", "type of the subject")?.into_iter().next();
        of_type = of_type.or(own);
        set(subject, &[("subject", &["id"]), ("subject_name", &["name"])], &mut envelope.facts)?;
        if bill::is_known(subject) {
            bill::read(subject, &mut envelope)?;
        } else {
            bill::others(subject, &mut envelope)?;
        }
    }
    const GENERAL: [&str; 4] =
        ["VerifiableCredential", "OpenAttestationCredential", "TransferableRecord", "VerifiablePresentation"];
    let specific = types.iter().find(|one| !GENERAL.contains(&one.as_str()));
    set_list(&mut envelope.facts, "types", types.clone());
    kind(&mut envelope, specific.map(String::as_str).or(of_type.as_deref()));
    credential_proof(json, &mut envelope)?;
    Ok(envelope)
}

/// The names of the contexts; one that is written out is passed over.
fn contexts(json: &Json) -> Result<Vec<String>, DocumentError> {
    let Some(found) = json.get("@context") else { return Err(missing("context of a credential")) };
    let items = match &found.shape {
        Shape::List(items) => items.as_slice(),
        _ => std::slice::from_ref(found),
    };
    let mut names = Vec::new();
    for item in items {
        names.extend(item.text()?);
    }
    Ok(names)
}

fn issuer_of_credential(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Some(found) = json.get("issuer") else { return Err(missing("issuer")) };
    if let Shape::Text(_) = &found.shape {
        let id = required(json, &["issuer"], "issuer")?;
        envelope.party("issuer", None, Some(id));
        return Ok(());
    }
    let issuer = required_object(json, "issuer", "issuer")?;
    let name = needed(issuer, &["name"], "name of the issuer")?;
    let id = needed(issuer, &["id"], "id of the issuer")?;
    if name.is_none() && id.is_none() {
        return Err(missing("id of the issuer"));
    }
    envelope.party("issuer", name, id);
    Ok(())
}

/// What OpenAttestation 3 says of how it is shown and by what it can be checked.
fn metadata(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    for one in objects(json, "renderMethod", "list of render methods")? {
        set(
            one,
            &[("template", &["templateName"]), ("renderer", &["type"]), ("renderer_url", &["id"])],
            &mut envelope.facts,
        )?;
    }
    let Some(found) = object(json, "openAttestationMetadata", "metadata")? else { return Ok(()) };
    template(found, "template", envelope)?;
    if let Some(proof) = object(found, "proof", "proof method")? {
        let method = needed(proof, &["method"], "proof method")?;
        let value = needed(proof, &["value"], "value of the proof method")?;
        envelope.facts.set("transferable", method.as_deref() == Some("TOKEN_REGISTRY"));
        match method.as_deref() {
            Some("TOKEN_REGISTRY") => envelope.facts.set("token_registry", value),
            Some("DOCUMENT_STORE") => envelope.facts.set("document_store", value),
            _ => envelope.facts.set("proof_value", value),
        }
        envelope.facts.set("proof_method", method);
        if let Some(revocation) = object(proof, "revocation", "revocation")? {
            let mut facts = Record::default();
            set(revocation, &[("type", &["type"]), ("location", &["location"])], &mut facts)?;
            envelope.facts.set("revocation", facts);
        }
    }
    if let Some(proof) = object(found, "identityProof", "identity proof")? {
        let mut facts = Record::default();
        facts.set("type", needed(proof, &["type"], "type of the identity proof")?);
        set(proof, &[("identifier", &["identifier"])], &mut facts)?;
        envelope.facts.set("identity_proof", facts);
    }
    Ok(())
}

/// Where the state of a credential is kept: for a transferable record, its registry and token.
fn status(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Some(found) = object(json, "credentialStatus", "credential status")? else { return Ok(()) };
    let kind = needed(found, &["type"], "type of the credential status")?;
    let transferable = kind.as_deref() == Some("TransferableRecords");
    if transferable {
        envelope.facts.set("transferable", true);
        envelope.facts.set("token_registry", needed(found, &["tokenRegistry"], "token registry")?);
    }
    let mut facts = Record::default().with("type", kind);
    set(
        found,
        &[
            ("token", &["tokenId"]),
            ("network", &["tokenNetwork", "chain"]),
            ("chain_id", &["tokenNetwork", "chainId"]),
            ("purpose", &["statusPurpose"]),
            ("list", &["statusListCredential"]),
            ("index", &["statusListIndex"]),
        ],
        &mut facts,
    )?;
    envelope.facts.set("credential_status", facts);
    Ok(())
}

fn credential_proof(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Some(found) = json.get("proof") else {
        envelope.facts.set("proofs", Vec::<Record>::new());
        return Ok(());
    };
    let items = match &found.shape {
        Shape::List(_) => objects(json, "proof", "list of proofs")?,
        _ => std::slice::from_ref(required_object(json, "proof", "proof")?),
    };
    let mut shown = Vec::with_capacity(items.len());
    for one in items {
        let privacy = one.get("privacy").unwrap_or(one);
        let hidden = texts(privacy, "obfuscated", "hash of a hidden field")?;
        shown.push(merkle(one, "proofs", hidden.len())?);
        if let Some(target) = text(one, &["targetHash"], "hash of the document")? {
            check_credential(json, one, &target, &hidden, envelope)?;
            check_root(one, "proofs", &target)?;
        }
    }
    envelope.facts.set("proofs", shown);
    Ok(())
}
