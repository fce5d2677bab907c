//! Customs messages of the United Kingdom: declarations, amendments, invalidations and arrivals in the WCO data model
//! (HMRC customs-declarations, `DEC-DMS`), the notices that answer them (`RES-DMS`), reports of the declaration
//! information service, and inventory-linking messages of exports and imports.
//!
//! What a message holds is said by tables of [`take::Entry`], one line for each field; nothing is computed but the
//! commodity code, the procedure and the sums of duties, which are joined from their parts. A field without a line
//! is unknown, and kept by hash.

mod declaration;
mod inventory;
mod moment;
mod notice;
mod report;
mod take;

use super::Read;
use super::envelope::{Envelope, Record};
use super::error::{DocumentError, Excerpt, Field};
use super::tree::Node;
use take::{Entry, Take, facts};

const FORMAT: &str = "customs";
const WCO: &str = "urn:wco:datamodel:WCO:";
const META_DATA: &str = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2";

/// How far below the root a message may stand in what carries it.
const ENVELOPE_LEVELS: usize = 4;

/// Reads a customs message; nothing if it is none.
///
/// # Errors
/// Whatever is wrong with a field that its kind requires, with a date, an amount or a quantity.
pub fn read(root: &Node) -> Read {
    if let Some(envelope) = inventory::read(root)? {
        return Ok(Some(envelope));
    }
    if let Some(envelope) = report::read(root)? {
        return Ok(Some(envelope));
    }
    let Some((header, message)) = find(root)? else { return Ok(None) };
    // Notices come without any namespace: theirs are then the fields without one.
    let bare = message.space().is_empty();
    root.admit(&|space| space.starts_with(WCO) || space == root.space() || (bare && space.is_empty()));
    let mut envelope = if message.name() == "Response" { notice::read(message)? } else { declaration::read(message)? };
    if let Some(header) = header {
        meta_data(header, message, &mut envelope)?;
    }
    if let Some(common) = root.at(&["requestCommon"]) {
        let held = facts(common, &REQUEST, &mut envelope)?;
        envelope.facts.set("request", held);
    }
    Ok(Some(envelope))
}

/// The meta data and the message in it: by themselves, or in the request that carried them.
fn find(root: &Node) -> Result<Option<(Option<&Node>, &Node)>, DocumentError> {
    if is_message(root) && root.space().starts_with(WCO) {
        return Ok(Some((None, root)));
    }
    let is_meta = |node: &Node| node.name() == "MetaData" && (node.space() == META_DATA || node.space().is_empty());
    let header = match root.anywhere("MetaData", ENVELOPE_LEVELS) {
        _ if is_meta(root) => root,
        Some(inner) if inner.space() == META_DATA => inner,
        _ => return Ok(None),
    };
    let mut messages = header.elements().filter(|node| is_message(node));
    match (messages.next(), messages.next()) {
        (Some(message), None) => Ok(Some((Some(header), message))),
        (Some(_), Some(_)) => Err(DocumentError::SeveralDocuments),
        (None, _) if header.space().is_empty() => Ok(None),
        (None, _) => Err(DocumentError::MissingField { field: Field::Named("declaration or response") }),
    }
}

fn is_message(node: &Node) -> bool {
    let known = node.space().is_empty() || node.space().starts_with(WCO);
    known && (node.name() == "Declaration" || node.name() == "Response")
}

const HEADER: [Entry; 6] = [
    Entry { name: "model_version", path: &["WCODataModelVersionCode"], take: Take::Text },
    Entry { name: "type_name", path: &["WCOTypeName"], take: Take::Text },
    Entry { name: "country", path: &["ResponsibleCountryCode"], take: Take::Text },
    Entry { name: "agency", path: &["ResponsibleAgencyName"], take: Take::Text },
    Entry { name: "customization", path: &["AgencyAssignedCustomizationCode"], take: Take::Text },
    Entry { name: "customization_version", path: &["AgencyAssignedCustomizationVersionCode"], take: Take::Text },
];

/// What stands in the request that carried a message.
const REQUEST: [Entry; 6] = [
    Entry { name: "regime", path: &["regime"], take: Take::Text },
    Entry { name: "received", path: &["receiptDate"], take: Take::Moment },
    Entry { name: "client", path: &["clientID"], take: Take::Text },
    Entry { name: "conversation", path: &["conversationID"], take: Take::Text },
    Entry { name: "originator", path: &["originatingPartyID"], take: Take::Text },
    Entry { name: "authenticated", path: &["authenticatedPartyID"], take: Take::Text },
];

/// The header around the message, whose type may not contradict it.
fn meta_data(header: &Node, message: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let named = header.value(&["WCOTypeName"])?.unwrap_or_default();
    let other = if message.name() == "Response" { "DEC" } else { "RES" };
    if named.starts_with(other) {
        return Err(DocumentError::ContradictoryField {
            field: Field::Named("kind of message"),
            first: Excerpt::of(&named),
            second: Excerpt::of(message.name()),
        });
    }
    let held = facts(header, &HEADER, envelope)?;
    envelope.facts.set("meta_data", held);
    Ok(())
}

/// Elements that name somebody, and what they are called here.
const ROLES: [(&str, &str); 19] = [
    ("AEOMutualRecognitionParty", "authorised_economic_operator"),
    ("Agent", "representative"),
    ("AuthorisationHolder", "authorisation_holder"),
    ("Buyer", "buyer"),
    ("Carrier", "carrier"),
    ("Consignee", "consignee"),
    ("Consignor", "consignor"),
    ("Declarant", "declarant"),
    ("DomesticDutyTaxParty", "tax_party"),
    ("Exporter", "exporter"),
    ("FreightForwarder", "freight_forwarder"),
    ("Importer", "importer"),
    ("NotifyParty", "notify_party"),
    ("Payer", "payer"),
    ("PresentationOffice", "presentation_office"),
    ("Seller", "seller"),
    ("Submitter", "submitter"),
    ("SupervisingOffice", "supervising_office"),
    ("Surety", "surety"),
];

const ADDRESS: [Entry; 6] = [
    Entry { name: "line", path: &["Line"], take: Take::Text },
    Entry { name: "city", path: &["CityName"], take: Take::Text },
    Entry { name: "postcode", path: &["PostcodeID"], take: Take::Text },
    Entry { name: "region", path: &["CountrySubDivisionName"], take: Take::Text },
    Entry { name: "region_code", path: &["CountrySubDivisionCode"], take: Take::Text },
    Entry { name: "country", path: &["CountryCode"], take: Take::Text },
];

/// Everybody whom a message names, with addresses, and all documents that it refers to, in their order.
fn walk(node: &Node, envelope: &mut Envelope, addresses: &mut Vec<Record>) -> Result<(), DocumentError> {
    if let Some((_, role)) = ROLES.iter().find(|(element, _)| *element == node.name()) {
        let (name, id) = (node.value(&["Name"])?, node.value(&["ID"])?);
        if let Some(address) = node.at(&["Address"]) {
            let mut held = Record::default().with("role", *role).with("name", name.clone());
            for (name, fact) in facts(address, &ADDRESS, envelope)?.iter() {
                held.set(name, fact.clone());
            }
            addresses.push(held);
        }
        envelope.party(*role, name, id);
    }
    if node.name() == "PreviousDocument" {
        let kind = match node.value(&["TypeCode"])?.as_deref() {
            Some("DCR") => "ducr",
            Some("DCS") => "ducr_part",
            Some("MCR") => "mucr",
            _ => "previous_document",
        };
        envelope.refer(kind, node.value(&["ID"])?);
    }
    if node.name() == "AdditionalDocument" {
        envelope.refer("document", node.value(&["ID"])?);
    }
    node.elements().try_for_each(|inner| walk(inner, envelope, addresses))
}

/// Parties, addresses and references of a whole message.
fn collect(message: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut addresses = Vec::new();
    walk(message, envelope, &mut addresses)?;
    if !addresses.is_empty() {
        envelope.facts.set("addresses", addresses);
    }
    Ok(())
}

/// Warns about a movement reference number that has not its form: two digits for the year, the country, and fourteen
/// letters and digits.
fn check_mrn(mrn: Option<&str>, envelope: &mut Envelope) {
    let Some(mrn) = mrn else { return };
    let bytes = mrn.as_bytes();
    let form = bytes.len() == 18
        && bytes[..2].iter().all(u8::is_ascii_digit)
        && bytes[2..4].iter().all(u8::is_ascii_uppercase)
        && bytes[4..].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !form {
        let reason =
            format!("{} has not the form of a movement reference number; check it with customs", Excerpt::of(mrn));
        envelope.warn("invalid_mrn", reason);
    }
}
