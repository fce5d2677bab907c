//! Parties and references: who takes part in a document in which role, and what it refers to, by the codes of DCSA.

use super::super::envelope::{Envelope, Record};
use super::super::error::DocumentError;
use super::super::fields::{needed, objects, set, snake, text, texts, wrong};
use super::super::iso20022::ids::is_lei;
use super::super::json::{Json, Shape};

/// Functions of parties by their codes (UN/EDIFACT 3035 as DCSA uses it).
const FUNCTIONS: [(&str, &str); 24] = [
    ("OS", "shipper"),
    ("CN", "consignee"),
    ("END", "endorsee"),
    ("N1", "notify_party"),
    ("N2", "notify_party"),
    ("NI", "notify_party"),
    ("NP", "notify_party"),
    ("DDR", "consignor_freight_forwarder"),
    ("DDS", "consignee_freight_forwarder"),
    ("COW", "invoice_payer_on_behalf_of_consignor"),
    ("COX", "invoice_payer_on_behalf_of_consignee"),
    ("RW", "issue_to"),
    ("CG", "carriers_agent_at_destination"),
    ("SCO", "service_contract_owner"),
    ("BA", "booking_agent"),
    ("HE", "carrier_booking_office"),
    ("CA", "carrier"),
    ("AG", "carriers_agent"),
    ("FW", "freight_forwarder"),
    ("MS", "document_issuer"),
    ("IA", "issuing_party"),
    ("EBL", "ebl_solution_provider"),
    ("TR", "terminal"),
    ("CB", "customs_broker"),
];

/// Kinds of references by their codes.
const REFERENCES: [(&str, &str); 22] = [
    ("FF", "freight_forwarder"),
    ("SI", "shipper"),
    ("SPO", "shipper_purchase_order"),
    ("CPO", "consignee_purchase_order"),
    ("PO", "purchase_order"),
    ("CR", "customer"),
    ("CER", "canadian_export_report"),
    ("AAO", "consignee"),
    ("ECR", "empty_container_release"),
    ("CSI", "customer_shipment"),
    ("BPR", "booking_party"),
    ("BID", "booking_request"),
    ("SAC", "shipping_agency"),
    ("RUC", "unique_consignment"),
    ("DUE", "unique_export_declaration"),
    ("BKG", "booking"),
    ("CBR", "booking_request"),
    ("TRD", "transport_document"),
    ("SHI", "shipping_instructions"),
    ("EQ", "equipment"),
    ("INV", "invoice"),
    ("CON", "contract"),
];

fn named(table: &[(&str, &str)], code: &str) -> String {
    table.iter().find(|(held, _)| *held == code).map_or_else(|| snake(code), |(_, name)| (*name).to_owned())
}

/// The kind of a reference or document by its code.
pub fn reference_kind(code: &str) -> String {
    named(&REFERENCES, code)
}

/// Adds all parties of a document, whether they stand by role or as a list with functions.
///
/// # Errors
/// `Template` for a placeholder as a party's name; `InvalidField` for a party that is none.
pub fn parties(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Some(parties) = json.get("documentParties") else { return Ok(()) };
    match &parties.shape {
        Shape::Object(members) => members.iter().try_for_each(|(name, value)| member(name, value, envelope)),
        Shape::List(_) => functions(json, "documentParties", envelope),
        _ => Err(wrong(parties, "list of parties", "it is an object or a list")),
    }
}

fn member(name: &str, value: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    match (&value.shape, name) {
        (Shape::Null, _) => Ok(()),
        (Shape::List(items), "notifyParties") => items.iter().try_for_each(|one| party("notify_party", one, envelope)),
        (Shape::List(items), "other") => items.iter().try_for_each(|one| function(one, envelope)),
        (Shape::Object(_), _) => party(snake(name), value, envelope),
        _ => Err(wrong(value, "party", "it is an object")),
    }
}

/// Adds the parties of a list in which each has its function.
///
/// # Errors
/// As [`parties`].
pub fn functions(json: &Json, name: &str, envelope: &mut Envelope) -> Result<(), DocumentError> {
    objects(json, name, "list of parties")?.iter().try_for_each(|one| function(one, envelope))
}

fn function(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let role = match needed(json, &["partyFunction"], "function of a party")? {
        Some(code) => named(&FUNCTIONS, &code),
        None => "party".to_owned(),
    };
    party(role, json.get("party").unwrap_or(json), envelope)
}

/// Adds one party.
///
/// # Errors
/// As [`parties`].
pub fn party(role: impl Into<String>, json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Shape::Object(_) = &json.shape else { return Err(wrong(json, "party", "it is an object")) };
    let role = role.into();
    let name = match needed(json, &["partyName"], "name of a party")? {
        None => needed(json, &["legalName"], "name of a party")?,
        found => found,
    };
    let codes = codes(json, envelope)?;
    let id = match codes.into_iter().next() {
        Some(code) => Some(code.code),
        None => tax(json)?,
    };
    envelope.party(role.clone(), name, id);
    for inner in ["representedParty", "onBehalfOfParty"] {
        if let Some(represented) = json.get(inner) {
            party(format!("{role}_represented"), represented, envelope)?;
        }
    }
    Ok(())
}

/// A code of a party with the list that it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyCode {
    /// Who keeps the list, and its name.
    pub list: Option<String>,
    /// The code.
    pub code: String,
}

/// The codes of a party; one that is called an LEI and has no form of one is a warning.
///
/// # Errors
/// `MissingField` for an entry without its code, `Template`.
pub fn codes(json: &Json, envelope: &mut Envelope) -> Result<Vec<PartyCode>, DocumentError> {
    let mut found = Vec::new();
    for entry in ["identifyingCodes", "partyCodes"].iter().flat_map(|name| json.get(name).map_or(&[][..], Json::items))
    {
        let Some(code) = needed(entry, &["partyCode"], "code of a party")? else { continue };
        let name = text(entry, &["codeListName"], "name of a list of codes")?;
        let mut provider = text(entry, &["codeListProvider"], "provider of a list of codes")?;
        if provider.is_none() {
            provider = text(entry, &["DCSAResponsibleAgencyCode"], "provider of a list of codes")?;
        }
        if name.as_deref() == Some("LEI") && !is_lei(&code) {
            let excerpt = super::super::Excerpt::of(&code);
            envelope.warn("invalid_lei", format!("the LEI {excerpt} has no form of one; ask for the right one"));
        }
        let list = match (provider, name) {
            (Some(provider), Some(name)) => Some(format!("{provider} {name}")),
            (provider, name) => provider.or(name),
        };
        found.push(PartyCode { list, code });
    }
    Ok(found)
}

fn tax(json: &Json) -> Result<Option<String>, DocumentError> {
    let entry = json.get("taxLegalReferences").map_or(&[][..], Json::items).first();
    let listed = entry.map_or(Ok(None), |entry| text(entry, &["value"], "tax reference"))?;
    match listed {
        None => text(json, &["taxReference1"], "tax reference"),
        found => Ok(found),
    }
}

/// Adds the carrier by its code.
///
/// # Errors
/// `Template`, `InvalidField`.
pub fn carrier(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let code = needed(json, &["carrierCode"], "code of the carrier")?;
    envelope.party("carrier", None, code);
    set(json, &[("carrier_code_list", &["carrierCodeListProvider"])], &mut envelope.facts)
}

/// Adds the references of a document or of a part of it, in the forms of all versions.
///
/// # Errors
/// `InvalidField` for a list that is none.
pub fn references(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    for (list, kind, value) in [
        ("references", "type", "value"),
        ("references", "referenceType", "referenceValue"),
        ("documentReferences", "documentReferenceType", "documentReferenceValue"),
        ("otherReferences", "typeCode", "reference"),
    ] {
        for entry in objects(json, list, "list of references")? {
            let Some(code) = text(entry, &[kind], "type of a reference")? else { continue };
            envelope.refer(reference_kind(&code), text(entry, &[value], "reference")?);
            texts(entry, "values", "reference")?
                .into_iter()
                .for_each(|value| envelope.refer(reference_kind(&code), Some(value)));
        }
    }
    for entry in objects(json, "customsReferences", "list of customs references")? {
        text(entry, &["type"], "type of a customs reference")?;
        text(entry, &["countryCode"], "country of a customs reference")?;
        texts(entry, "values", "customs reference")?
            .into_iter()
            .for_each(|value| envelope.refer("customs", Some(value)));
    }
    Ok(())
}

/// What stands beside the references of documents under names of their own.
const REFERRED: [(&str, &str); 12] = [
    ("carrierBookingReference", "booking"),
    ("carrierBookingRequestReference", "booking_request"),
    ("shippingInstructionsReference", "shipping_instructions"),
    ("shippingInstructionReference", "shipping_instructions"),
    ("transportDocumentReference", "transport_document"),
    ("amendToTransportDocument", "transport_document"),
    ("serviceContractReference", "service_contract"),
    ("contractQuotationReference", "contract_quotation"),
    ("extendedContractQuotationReference", "contract_quotation"),
    ("routingReference", "routing"),
    ("bookingChannelReference", "booking_channel"),
    ("exportDeclarationReference", "export_declaration"),
];

/// Adds what the document names in members of their own, except the document itself.
///
/// # Errors
/// `Template`, since a kind that has such a reference needs it; `InvalidField`.
pub fn referred(json: &Json, itself: &str, envelope: &mut Envelope) -> Result<(), DocumentError> {
    for (name, kind) in REFERRED {
        if name != itself {
            envelope.refer(kind, needed(json, &[name], "reference")?);
        }
    }
    Ok(())
}

/// The facts of a party inside an endorsement.
///
/// # Errors
/// As [`parties`].
pub fn record(json: &Json, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let mut facts = Record::default();
    facts.set(
        "name",
        match needed(json, &["partyName"], "name of a party")? {
            None => needed(json, &["legalName"], "name of a party")?,
            found => found,
        },
    );
    facts.set("platform", needed(json, &["eblPlatform"], "platform of a party")?);
    let codes = codes(json, envelope)?;
    facts.set(
        "id",
        match codes.first() {
            Some(code) => Some(code.code.clone()),
            None => tax(json)?,
        },
    );
    facts.set("id_list", codes.first().and_then(|code| code.list.clone()));
    if let Some(represented) = json.get("representedParty") {
        facts.set("represents", needed(represented, &["partyName"], "name of a party")?);
        if let Some(code) = codes_of(represented, envelope)? {
            facts.set("represents_id", code);
        }
    }
    Ok(facts)
}

fn codes_of(json: &Json, envelope: &mut Envelope) -> Result<Option<String>, DocumentError> {
    Ok(codes(json, envelope)?.into_iter().next().map(|code| code.code))
}
