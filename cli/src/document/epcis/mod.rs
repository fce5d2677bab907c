//! EPCIS 2.0 in JSON-LD and XML, and EPCIS 1.x in XML: documents, query documents, and bare events, with the event hash
//! of the Core Business Vocabulary.
//!
//! Both syntaxes are read into one tree ([`item`]), and everything else, the hash as well, is told of that tree: an event
//! has the same facts and the same hash whichever syntax it came in. Names and words of the document's own namespaces
//! are resolved from the document alone; nothing is fetched.

mod canonical;
mod event;
mod hash;
mod item;
mod link;
mod vocabulary;

use super::Read;
use super::date;
use super::envelope::{Envelope, Record};
use super::error::{DocumentError, Excerpt, Field};
use super::json::{Json, Shape};
use super::tree::{Node, not_placeholder, required};
use event::{Syntax, TYPES};
use item::{Item, Prefixes, is_standard_space, name_of, of_json, of_xml};

const FORMAT: &str = "epcis";

/// Kinds of documents by the name of root or type.
const DOCUMENTS: [(&str, &str); 3] = [
    ("EPCISDocument", "epcis_document"),
    ("EPCISQueryDocument", "epcis_query_document"),
    ("EPCISMasterDataDocument", "epcis_master_data_document"),
];

/// The namespace whose `ignoreFields` says what a repository added to the events that it hands on.
const REPOSITORY: &str = "https://repository-x.example.com/";

fn kind_of(name: &str) -> Option<&'static str> {
    DOCUMENTS.iter().find(|(document, _)| *document == name).map(|(_, kind)| *kind)
}

/// The kind of a bare event.
fn kind_of_event(name: &str) -> Option<&'static str> {
    const KINDS: [&str; 5] =
        ["object_event", "aggregation_event", "transaction_event", "transformation_event", "association_event"];
    TYPES.iter().position(|known| *known == name).map(|place| KINDS[place])
}

// ---- JSON ----------------------------------------------------------------------------------------------------------

/// Reads a document or an event in JSON-LD, or a list of events; nothing if it is none.
///
/// # Errors
/// Whatever an event lacks that the standard requires of its type; `MissingField` for a document without context,
/// version, date or events.
pub fn read_json(json: &Json) -> Read {
    if let Shape::List(items) = &json.shape {
        let first = items.first().map_or(Ok(None), |first| first.value(&["type"]))?;
        if first.as_deref().and_then(kind_of_event).is_none() {
            return Ok(None);
        }
        let mut envelope = Envelope::new(FORMAT, "event_list");
        let events =
            items.iter().map(|item| of_json(item, &Prefixes::default(), &[])).collect::<Result<Vec<_>, _>>()?;
        set_events(&events, Syntax::Json, &mut envelope)?;
        return Ok(Some(envelope));
    }
    let Some(name) = json.value(&["type"])? else {
        return if json.get("epcisBody").is_some() {
            Err(DocumentError::MissingField { field: Field::Named("type of document") })
        } else {
            Ok(None)
        };
    };
    if let Some(kind) = kind_of_event(&name) {
        let mut envelope = Envelope::new(FORMAT, kind);
        let event = of_json(json, &Prefixes::default(), &[])?;
        bare(&event, Syntax::Json, &mut envelope)?;
        return Ok(Some(envelope));
    }
    let Some(kind) = kind_of(&name) else { return Ok(None) };
    document(json, kind).map(Some)
}

fn document(json: &Json, kind: &'static str) -> Result<Envelope, DocumentError> {
    let mut envelope = Envelope::new(FORMAT, kind);
    let context = json.get("@context").ok_or(DocumentError::MissingField { field: Field::Named("@context") })?;
    let mut prefixes = Prefixes::default();
    prefixes.add(context)?;
    envelope.number = json.value(&["id"])?;
    header(json.value(&["schemaVersion"])?, json.value(&["creationDate"])?, &mut envelope)?;
    let sender = json.at(&["epcisHeader"]).or_else(|| json.get("header"));
    if let Some(sender) = sender {
        envelope.party("sender", None, sender.value(&["sender"])?);
        envelope.party("receiver", None, sender.value(&["receiver"])?);
    }
    let body = json.get("epcisBody").ok_or(DocumentError::MissingField { field: Field::Named("epcisBody") })?;
    let results = body.get("queryResults");
    if let Some(results) = results {
        query(results.value(&["queryName"])?, results.value(&["subscriptionID"])?, &mut envelope);
    }
    let key = prefixes.prefix_of(REPOSITORY).map(|prefix| format!("{prefix}:ignoreFields"));
    let holder = results.unwrap_or(json);
    let mut ignored = Vec::new();
    if let Some(list) = key.and_then(|key| holder.get(&key)) {
        for item in list.items() {
            ignored.extend(item.text()?);
        }
    }
    let mut events = Vec::new();
    match (
        results.map_or(body.get("eventList"), |results| results.at(&["resultsBody", "eventList"])),
        body.get("event"),
    ) {
        (Some(list), _) => {
            if !matches!(list.shape, Shape::List(_)) {
                let field = Field::Named("eventList");
                return Err(DocumentError::InvalidField {
                    field,
                    value: Excerpt::of(""),
                    reason: "it is a list of events",
                });
            }
            for item in list.items() {
                events.push(of_json(item, &prefixes, &ignored)?);
            }
        }
        (None, Some(one)) => events.push(of_json(one, &prefixes, &ignored)?),
        (None, None) if kind == "epcis_master_data_document" => {}
        (None, None) => return Err(DocumentError::MissingField { field: Field::Named("eventList") }),
    }
    set_events(&events, Syntax::Json, &mut envelope)?;
    Ok(envelope)
}

// ---- XML -----------------------------------------------------------------------------------------------------------

/// Reads a document or an event in XML; nothing if it is none.
///
/// # Errors
/// As [`read_json`].
pub fn read_xml(root: &Node) -> Read {
    if !is_standard_space(root.space()) {
        return Ok(None);
    }
    if let Some(kind) = kind_of_event(root.name()) {
        let mut envelope = Envelope::new(FORMAT, kind);
        let mut event = of_xml(root)?;
        event.name = root.name().to_owned();
        // What stands at the root of a document may stand at a bare event.
        for (attribute, name) in [("schemaVersion", "schema_version"), ("creationDate", "created")] {
            if let Some(held) = event.value(&[attribute]) {
                envelope.facts.set(name, held.to_owned());
            }
            event.children.retain(|item| item.name != attribute);
        }
        bare(&event, Syntax::Xml, &mut envelope)?;
        return Ok(Some(envelope));
    }
    let Some(kind) = kind_of(root.name()).filter(|_| !root.space().is_empty()) else { return Ok(None) };
    let mut envelope = Envelope::new(FORMAT, kind);
    let version = root.attribute("schemaVersion").map(str::to_owned);
    let created = root.attribute("creationDate").map(str::to_owned);
    header(version, created, &mut envelope)?;
    business_header(root, &mut envelope)?;
    // Results may stand in the document itself.
    let own_results = root.at(&["resultsBody"]).map(|_| root);
    let body = root.at(&["EPCISBody"]).or(own_results);
    let body = body.ok_or(DocumentError::MissingField { field: Field::Named("EPCISBody") })?;
    if let Some(results) = body.at(&["QueryResults"]).or(own_results) {
        query(results.value(&["queryName"])?, results.value(&["subscriptionID"])?, &mut envelope);
    }
    let Some(list) = body.anywhere("EventList", 4) else {
        if kind == "epcis_master_data_document" {
            return Ok(Some(envelope));
        }
        return Err(DocumentError::MissingField { field: Field::Named("EventList") });
    };
    let mut ignored = Vec::new();
    for holder in [Some(root), body.at(&["QueryResults"])].into_iter().flatten() {
        for fields in holder.all("ignoreFields").filter(|fields| fields.space() == REPOSITORY) {
            ignored.extend(fields.elements().map(name_of));
        }
    }
    let mut events = Vec::new();
    listed(list, &mut events)?;
    for event in &mut events {
        event.children.retain(|item| !ignored.contains(&item.name));
    }
    set_events(&events, Syntax::Xml, &mut envelope)?;
    Ok(Some(envelope))
}

/// The events of a list, out of the wrappers that versions 1.1 and 1.2 put around newer types.
fn listed(list: &Node, events: &mut Vec<Item>) -> Result<(), DocumentError> {
    for node in list.elements() {
        if node.space().is_empty() && node.name() == "extension" {
            listed(node, events)?;
        } else {
            events.push(of_xml(node)?);
        }
    }
    Ok(())
}

/// Sender, receiver and id in the standard business document header.
fn business_header(root: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Some(header) =
        root.at(&["EPCISHeader"]).and_then(|header| header.anywhere("StandardBusinessDocumentHeader", 3))
    else {
        return Ok(());
    };
    for (element, role) in [("Sender", "sender"), ("Receiver", "receiver")] {
        for party in header.all(element) {
            envelope.party(role, None, party.value(&["Identifier"])?);
        }
    }
    envelope.number = header.value(&["DocumentIdentification", "InstanceIdentifier"])?;
    Ok(())
}

// ---- both ----------------------------------------------------------------------------------------------------------

/// Version and date, which every document has; results of a query in XML come without them now and then.
fn header(version: Option<String>, created: Option<String>, envelope: &mut Envelope) -> Result<(), DocumentError> {
    if envelope.kind == "epcis_query_document" && (version.is_none() || created.is_none()) {
        envelope
            .warn("no_creation_date", "the document lacks its schemaVersion or creationDate; ask its sender for them");
        return match created {
            Some(created) => set_created(created, envelope),
            None => Ok(()),
        };
    }
    let version = required(Field::Named("schemaVersion"), version)?;
    envelope.facts.set("schema_version", version);
    set_created(required(Field::Named("creationDate"), created)?, envelope)
}

fn set_created(created: String, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let field = Field::Named("creationDate");
    not_placeholder(field, &created)?;
    envelope.issue_date = Some(date::iso(field, &created)?);
    envelope.facts.set("created", created);
    Ok(())
}

fn query(name: Option<String>, subscription: Option<String>, envelope: &mut Envelope) {
    envelope.facts.set("query", Record::default().with("name", name).with("subscription", subscription));
}

fn bare(event: &Item, syntax: Syntax, envelope: &mut Envelope) -> Result<(), DocumentError> {
    if let Some(id) = event.value(&["eventID"]) {
        not_placeholder(Field::Named("event id"), id)?;
        envelope.number = Some(id.to_owned());
    }
    let facts = event::read(event, syntax, envelope)?;
    envelope.issue_date = event::day(&facts);
    envelope.facts.set("event_count", 1usize);
    envelope.facts.set("events", vec![facts]);
    Ok(())
}

fn set_events(events: &[Item], syntax: Syntax, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut found = Vec::new();
    for event in events {
        found.push(event::read(event, syntax, envelope)?);
    }
    envelope.facts.set("event_count", found.len());
    envelope.facts.set("events", found);
    Ok(())
}
