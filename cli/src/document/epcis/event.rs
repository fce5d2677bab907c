//! One event: what its type requires, and its facts.

use super::super::envelope::{Envelope, Fact, Record};
use super::super::error::{DocumentError, Excerpt, Field};
use super::super::tree::{not_placeholder, required};
use super::canonical;
use super::hash;
use super::item::{Form, Item};
use super::vocabulary::{
    BIZ_STEPS, COMPONENTS, DISPOSITIONS, EXCEPTIONS, MEASUREMENTS, PARTY_TYPES, REASONS, TRANSACTION_TYPES, Words,
};

/// The types of events.
pub const TYPES: [&str; 5] =
    ["ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"];

/// How an event was written: JSON tells numbers from texts and has bare words, XML has neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// JSON-LD.
    Json,
    /// XML.
    Xml,
}

/// The facts of an event; its parties and references go to the envelope.
///
/// # Errors
/// `MissingField`, `InvalidField`, `InvalidDate`, `InvalidAmount` and `Template` for what the standard requires of its
/// type.
pub fn read(event: &Item, syntax: Syntax, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    check_type(event)?;
    check_forms(event, syntax)?;
    check_order(event, syntax, envelope);
    let mut facts = Record::default();
    facts.set("type", event.name.clone());
    facts.set("event_id", text(event, "eventID"));
    times(event, &mut facts)?;
    action(event, &mut facts)?;
    identifiers(event, &mut facts, syntax)?;
    check_contents(event)?;
    vocabulary(event, &mut facts, syntax)?;
    places(event, &mut facts)?;
    transactions(event, &mut facts, syntax, envelope)?;
    parties(event, &mut facts, syntax, envelope)?;
    sensors(event, &mut facts, syntax, envelope)?;
    error(event, &mut facts, syntax, envelope)?;
    extensions(event, &mut facts)?;
    let pre_hash = hash::pre_hash(event);
    let name = hash::name(&pre_hash);
    compare(event, &name, envelope);
    facts.set("pre_hash", pre_hash);
    facts.set("hash", name);
    Ok(facts)
}

fn text(item: &Item, name: &str) -> Option<String> {
    item.value(&[name]).map(str::to_owned)
}

fn invalid(name: &'static str, value: &str, reason: &'static str) -> DocumentError {
    DocumentError::InvalidField { field: Field::Named(name), value: Excerpt::of(value), reason }
}

fn missing(name: &'static str) -> DocumentError {
    DocumentError::MissingField { field: Field::Named(name) }
}

fn check_type(event: &Item) -> Result<(), DocumentError> {
    if event.name.is_empty() {
        return Err(missing("event type"));
    }
    not_placeholder(Field::Named("event type"), &event.name)?;
    if TYPES.contains(&event.name.as_str()) {
        return Ok(());
    }
    let reason = "it is an object, aggregation, transaction, transformation or association event";
    Err(invalid("event type", &event.name, reason))
}

/// Fields of one text.
const TEXTS: [&str; 11] = [
    "eventTime",
    "recordTime",
    "eventTimeZoneOffset",
    "eventID",
    "action",
    "bizStep",
    "disposition",
    "parentID",
    "transformationID",
    "certificationInfo",
    "type",
];

/// Fields that hold others.
const GROUPS: [&str; 17] = [
    "epcList",
    "childEPCs",
    "inputEPCList",
    "outputEPCList",
    "quantityList",
    "childQuantityList",
    "inputQuantityList",
    "outputQuantityList",
    "bizTransactionList",
    "sourceList",
    "destinationList",
    "sensorElementList",
    "readPoint",
    "bizLocation",
    "persistentDisposition",
    "errorDeclaration",
    "ilmd",
];

/// In JSON a text is a text and an object an object; in XML a text holds no elements.
fn check_forms(event: &Item, syntax: Syntax) -> Result<(), DocumentError> {
    for item in &event.children {
        let name = item.name.as_str();
        if TEXTS.contains(&name) && item.form != Form::Text {
            return Err(invalid("field", name, "it is a text"));
        }
        if GROUPS.contains(&name) && syntax == Syntax::Json && item.form != Form::Group {
            return Err(invalid("field", name, "it holds other fields"));
        }
    }
    let mut names: Vec<_> = event.children.iter().map(|item| item.name.as_str()).collect();
    names.retain(|name| (TEXTS.contains(name) || GROUPS.contains(name)) && *name != "certificationInfo");
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(DocumentError::DuplicateName { name: Excerpt::of(pair[0]) }),
        None => Ok(()),
    }
}

/// Warns if the time of an event in XML does not come first, as its schema wants: what is there is clear all the same.
fn check_order(event: &Item, syntax: Syntax, envelope: &mut Envelope) {
    let first = event.children.first().map_or("eventTime", |item| item.name.as_str());
    if syntax == Syntax::Xml && first != "eventTime" {
        envelope.warn_once(
            "wrong_order",
            "an event's fields are not in the order of the schema; ask its sender to keep it",
        );
    }
}

fn time(written: &str, name: &'static str) -> Result<(), DocumentError> {
    let field = Field::Named(name);
    not_placeholder(field, written)?;
    match canonical::time(written) {
        Some(_) => Ok(()),
        None => Err(DocumentError::InvalidDate { field, value: Excerpt::of(written) }),
    }
}

fn times(event: &Item, facts: &mut Record) -> Result<(), DocumentError> {
    let happened = required(Field::Named("event time"), text(event, "eventTime"))?;
    time(&happened, "event time")?;
    let recorded = text(event, "recordTime");
    if let Some(recorded) = &recorded {
        time(recorded, "record time")?;
    }
    let zone = required(Field::Named("event time zone offset"), text(event, "eventTimeZoneOffset"))?;
    if !zone.starts_with(['+', '-']) || canonical::offset(&zone).is_none() {
        return Err(invalid("event time zone offset", &zone, "it is a sign, hours and minutes, such as +01:00"));
    }
    facts.set("event_time", happened);
    facts.set("record_time", recorded);
    facts.set("time_zone", zone);
    Ok(())
}

fn action(event: &Item, facts: &mut Record) -> Result<(), DocumentError> {
    let found = text(event, "action");
    if event.name == "TransformationEvent" {
        if let Some(found) = found {
            return Err(invalid("action", &found, "a transformation has none"));
        }
        return Ok(());
    }
    let found = required(Field::Named("action"), found)?;
    if !["ADD", "OBSERVE", "DELETE"].contains(&found.as_str()) {
        return Err(invalid("action", &found, "it is ADD, OBSERVE or DELETE"));
    }
    facts.set("action", found);
    Ok(())
}

/// Lists of EPCs, and of classes with quantities, and what they are called.
const EPC_LISTS: [(&str, &str); 4] = [
    ("epcList", "epcs"),
    ("childEPCs", "child_epcs"),
    ("inputEPCList", "input_epcs"),
    ("outputEPCList", "output_epcs"),
];

const QUANTITY_LISTS: [(&str, &str); 4] = [
    ("quantityList", "quantities"),
    ("childQuantityList", "child_quantities"),
    ("inputQuantityList", "input_quantities"),
    ("outputQuantityList", "output_quantities"),
];

fn identifiers(event: &Item, facts: &mut Record, syntax: Syntax) -> Result<(), DocumentError> {
    for (field, name) in [("parentID", "parent"), ("transformationID", "transformation")] {
        if let Some(id) = text(event, field) {
            uri("parent or transformation", &id)?;
            facts.set(name, id);
        }
    }
    for (list, name) in EPC_LISTS {
        let Some(list) = event.get(list) else { continue };
        let mut found = Vec::new();
        for epc in &list.children {
            if epc.name != "epc" || epc.form != Form::Text {
                return Err(invalid("EPC list", &epc.name, "it holds EPCs and nothing else"));
            }
            uri("EPC", &epc.text)?;
            found.push(epc.text.clone());
        }
        facts.set(name, found);
    }
    for (list, name) in QUANTITY_LISTS {
        let Some(list) = event.get(list) else { continue };
        let found: Vec<Record> =
            list.children.iter().map(|element| quantity(element, syntax)).collect::<Result<_, _>>()?;
        facts.set(name, found);
    }
    Ok(())
}

/// An id is a URI, which has a scheme.
fn uri(name: &'static str, value: &str) -> Result<(), DocumentError> {
    not_placeholder(Field::Named(name), value)?;
    let scheme = value.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    if scheme && !value.contains(char::is_whitespace) { Ok(()) } else { Err(invalid(name, value, "it is a URI")) }
}

fn quantity(element: &Item, syntax: Syntax) -> Result<Record, DocumentError> {
    let class = required(Field::Named("EPC class"), text(element, "epcClass"))?;
    uri("EPC class", &class)?;
    let quantity = element.get("quantity");
    let unit = text(element, "uom");
    // XML writes an unknown quantity as an empty element.
    let empty = quantity.is_some_and(|found| found.text.is_empty() && syntax == Syntax::Xml);
    if let Some(found) = quantity.filter(|_| !empty) {
        number(found, "quantity", syntax)?;
    } else if unit.is_some() && !empty {
        return Err(missing("quantity"));
    }
    let more = extended(element, &["epcClass", "quantity", "uom"])?;
    let found = Record::default();
    let found = if more.is_empty() { found } else { found.with("extensions", more) };
    Ok(found
        .with("class", class)
        .with("quantity", quantity.filter(|_| !empty).map(|found| found.text.clone()))
        .with("unit", unit))
}

/// A finite number; in JSON not one written as a text.
fn number(item: &Item, name: &'static str, syntax: Syntax) -> Result<(), DocumentError> {
    let field = Field::Named(name);
    not_placeholder(field, &item.text)?;
    let finite = item.text.parse::<f64>().is_ok_and(f64::is_finite);
    let digits = item.text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let form = syntax == Syntax::Xml || item.form == Form::Number;
    if finite && digits && form {
        return Ok(());
    }
    Err(DocumentError::InvalidAmount { field, value: Excerpt::of(&item.text) })
}

/// What each type of event is about.
fn check_contents(event: &Item) -> Result<(), DocumentError> {
    let held = |name: &str| event.get(name).is_some_and(|list| !list.children.is_empty());
    let any = |names: &[&str]| names.iter().any(|name| held(name));
    let action = event.value(&["action"]).unwrap_or_default();
    match event.name.as_str() {
        "ObjectEvent" if !any(&["epcList", "quantityList", "sensorElementList"]) => {
            Err(missing("list of EPCs, quantities or sensor elements"))
        }
        "AggregationEvent" | "AssociationEvent" => {
            let parent = event.value(&["parentID"]).is_some();
            if !parent && (event.name == "AssociationEvent" || action != "OBSERVE") {
                return Err(missing("parent"));
            }
            if action != "DELETE" && !any(&["childEPCs", "childQuantityList"]) {
                return Err(missing("list of children"));
            }
            Ok(())
        }
        "TransactionEvent" if !held("bizTransactionList") => Err(missing("list of business transactions")),
        "TransformationEvent"
            if !any(&["inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList"]) =>
        {
            Err(missing("list of inputs or outputs"))
        }
        _ => Ok(()),
    }
}

/// In JSON, a standard word or a URI; in XML, whatever URI stands there.
fn word(value: &str, words: &Words, name: &'static str, syntax: Syntax) -> Result<(), DocumentError> {
    not_placeholder(Field::Named(name), value)?;
    let bare = !value.contains(':');
    if syntax == Syntax::Json && bare && words.full(value).is_none() {
        return Err(invalid(name, value, "it is a word of the Core Business Vocabulary or a URI"));
    }
    Ok(())
}

fn vocabulary(event: &Item, facts: &mut Record, syntax: Syntax) -> Result<(), DocumentError> {
    for (field, name, words) in [("bizStep", "biz_step", &BIZ_STEPS), ("disposition", "disposition", &DISPOSITIONS)] {
        let Some(found) = text(event, field) else { continue };
        word(&found, words, name, syntax)?;
        facts.set(name, found);
    }
    if let Some(persistent) = event.get("persistentDisposition") {
        let mut found = Record::default();
        for name in ["set", "unset"] {
            let words: Vec<String> = persistent.all(name).map(|item| item.text.clone()).collect();
            words.iter().try_for_each(|value| word(value, &DISPOSITIONS, "persistent disposition", syntax))?;
            if !words.is_empty() {
                found.set(name, words);
            }
        }
        facts.set("persistent_disposition", found);
    }
    let certificates: Vec<String> = event.all("certificationInfo").map(|item| item.text.clone()).collect();
    if !certificates.is_empty() {
        facts.set("certificates", certificates);
    }
    Ok(())
}

fn places(event: &Item, facts: &mut Record) -> Result<(), DocumentError> {
    for (field, name) in [("readPoint", "read_point"), ("bizLocation", "biz_location")] {
        let Some(place) = event.get(field) else { continue };
        let id = required(Field::Named(name), text(place, "id"))?;
        uri(name, &id)?;
        facts.set(name, id);
        let more = extended(place, &["id"])?;
        if !more.is_empty() {
            facts.set(if field == "readPoint" { "read_point_extensions" } else { "biz_location_extensions" }, more);
        }
    }
    Ok(())
}

/// The last word of a type: `po` of `urn:epcglobal:cbv:btt:po`, `https://ref.gs1.org/cbv/BTT-po`, `cbv:BTT-po` and `po`.
fn short(kind: &str) -> &str {
    let last = kind.rsplit([':', '/']).next().unwrap_or(kind);
    ["BTT-", "SDT-"].iter().find_map(|prefix| last.strip_prefix(prefix)).unwrap_or(last)
}

fn transactions(
    event: &Item,
    facts: &mut Record,
    syntax: Syntax,
    envelope: &mut Envelope,
) -> Result<(), DocumentError> {
    let Some(list) = event.get("bizTransactionList") else { return Ok(()) };
    let mut found = Vec::new();
    for member in &list.children {
        let kind = text(member, "type");
        let id = required(Field::Named("business transaction"), text(member, "bizTransaction"))?;
        if let Some(kind) = &kind {
            word(kind, &TRANSACTION_TYPES, "type of business transaction", syntax)?;
        }
        envelope.refer(kind.as_deref().map_or("transaction", short), Some(id.clone()));
        found.push(Record::default().with("type", kind).with("id", id));
    }
    facts.set("transactions", found);
    Ok(())
}

fn parties(event: &Item, facts: &mut Record, syntax: Syntax, envelope: &mut Envelope) -> Result<(), DocumentError> {
    for (list, member, name) in
        [("sourceList", "source", "sources"), ("destinationList", "destination", "destinations")]
    {
        let Some(list) = event.get(list) else { continue };
        let mut found = Vec::new();
        for item in &list.children {
            let kind = required(Field::Named("type of source or destination"), text(item, "type"))?;
            let id = required(Field::Named("source or destination"), text(item, member))?;
            word(&kind, &PARTY_TYPES, "type of source or destination", syntax)?;
            // A location is no party.
            if short(&kind) != "location" {
                envelope.party(format!("{member}_{}", short(&kind)), None, Some(id.clone()));
            }
            found.push(Record::default().with("type", kind).with("id", id));
        }
        facts.set(name, found);
    }
    Ok(())
}

/// Numbers of a sensor report.
const NUMBERS: [&str; 7] = ["value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"];

/// Fields of a sensor's metadata and reports by name.
const SENSOR_FIELDS: [(&str, &str); 28] = [
    ("type", "type"),
    ("exception", "exception"),
    ("time", "time"),
    ("startTime", "start_time"),
    ("endTime", "end_time"),
    ("deviceID", "device"),
    ("deviceMetadata", "device_metadata"),
    ("rawData", "raw_data"),
    ("dataProcessingMethod", "processing_method"),
    ("bizRules", "rules"),
    ("microorganism", "microorganism"),
    ("chemicalSubstance", "chemical_substance"),
    ("value", "value"),
    ("component", "component"),
    ("stringValue", "string"),
    ("booleanValue", "boolean"),
    ("hexBinaryValue", "hex_binary"),
    ("uriValue", "uri"),
    ("minValue", "min"),
    ("maxValue", "max"),
    ("meanValue", "mean"),
    ("sDev", "standard_deviation"),
    ("percRank", "percentile_rank"),
    ("percValue", "percentile_value"),
    ("uom", "unit"),
    ("coordinateReferenceSystem", "coordinate_system"),
    ("dataProcessingMethodID", "processing_method_id"),
    ("sensorReportID", "report_id"),
];

fn sensors(event: &Item, facts: &mut Record, syntax: Syntax, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Some(list) = event.get("sensorElementList") else { return Ok(()) };
    let mut found = Vec::new();
    for element in &list.children {
        let mut sensor = Record::default();
        if let Some(metadata) = element.get("sensorMetadata") {
            sensor.set("metadata", sensor_fields(metadata, syntax, envelope)?);
        }
        let reports: Vec<Record> = element
            .all("sensorReport")
            .map(|report| sensor_fields(report, syntax, envelope))
            .collect::<Result<_, _>>()?;
        if reports.is_empty() {
            return Err(missing("sensor report"));
        }
        sensor.set("reports", reports);
        let more = extended(element, &["sensorMetadata", "sensorReport"])?;
        if !more.is_empty() {
            sensor.set("extensions", more);
        }
        found.push(sensor);
    }
    facts.set("sensors", found);
    Ok(())
}

/// Warns about a word of sensor data that is not in its list: these lists grow with each release.
fn known_word(value: &str, words: &Words, syntax: Syntax, envelope: &mut Envelope) {
    if syntax == Syntax::Json && !value.contains(':') && words.full(value).is_none() {
        let value = Excerpt::of(value);
        envelope
            .warn("unknown_word", format!("the Core Business Vocabulary 2.0 has no word {value}; use a word or a URI"));
    }
}

fn sensor_fields(item: &Item, syntax: Syntax, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let mut found = Record::default();
    for (field, name) in SENSOR_FIELDS {
        let Some(value) = item.get(field) else { continue };
        match field {
            "time" | "startTime" | "endTime" => time(&value.text, "time of a sensor")?,
            "type" => known_word(&value.text, &MEASUREMENTS, syntax, envelope),
            "exception" => known_word(&value.text, &EXCEPTIONS, syntax, envelope),
            "component" => known_word(&value.text, &COMPONENTS, syntax, envelope),
            "booleanValue" => {
                let flag = ["true", "false", "1", "0"].contains(&value.text.as_str());
                if !flag || (syntax == Syntax::Json && value.form != Form::Flag) {
                    return Err(invalid("boolean value", &value.text, "it is true or false"));
                }
            }
            _ if NUMBERS.contains(&field) => number(value, "value of a sensor", syntax)?,
            _ => {}
        }
        found.set(name, value.text.clone());
    }
    let known: Vec<&str> = SENSOR_FIELDS.iter().map(|(field, _)| *field).collect();
    let more = extended(item, &known)?;
    if !more.is_empty() {
        found.set("extensions", more);
    }
    Ok(found)
}

fn error(event: &Item, facts: &mut Record, syntax: Syntax, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Some(declared) = event.get("errorDeclaration") else { return Ok(()) };
    let at = required(Field::Named("time of the error declaration"), text(declared, "declarationTime"))?;
    time(&at, "time of the error declaration")?;
    let reason = text(declared, "reason");
    if let Some(reason) = &reason {
        word(reason, &REASONS, "reason of an error declaration", syntax)?;
    }
    let corrective = declared.get("correctiveEventIDs");
    let ids: Vec<String> =
        corrective.map_or_else(Vec::new, |list| list.children.iter().map(|id| id.text.clone()).collect());
    ids.iter().for_each(|id| envelope.refer("corrective_event", Some(id.clone())));
    let mut found = Record::default().with("declared", at).with("reason", reason).with("corrective_events", ids);
    let more = extended(declared, &["declarationTime", "reason", "correctiveEventIDs"])?;
    if !more.is_empty() {
        found.set("extensions", more);
    }
    facts.set("error", found);
    Ok(())
}

/// Master data of instances or lots, and the fields that users added.
fn extensions(event: &Item, facts: &mut Record) -> Result<(), DocumentError> {
    if let Some(ilmd) = event.get("ilmd") {
        if let Some(bare) = ilmd.children.iter().find(|item| !item.is_extension()) {
            return Err(invalid("field of the ILMD", &bare.name, "its name has a namespace"));
        }
        facts.set("ilmd", shown(ilmd, &[]));
    }
    let known: Vec<&str> = TEXTS.iter().chain(&GROUPS).copied().collect();
    let more = extended(event, &known)?;
    if !more.is_empty() {
        facts.set("extensions", more);
    }
    Ok(())
}

/// The extensions inside of a field whose own fields are `known`.
///
/// # Errors
/// `InvalidField` for another field without a namespace: names without one are the standard's.
fn extended(item: &Item, known: &[&str]) -> Result<Vec<Record>, DocumentError> {
    let bare = item.children.iter().find(|child| !child.is_extension() && !known.contains(&child.name.as_str()));
    match bare {
        Some(bare) => {
            Err(invalid("field", &bare.name, "the standard has none of that name; one's own has a namespace"))
        }
        None => Ok(shown(item, known)),
    }
}

/// The fields inside that are not `known`, with all in them: `{name, value, fields}`.
fn shown(item: &Item, known: &[&str]) -> Vec<Record> {
    item.children
        .iter()
        .filter(|child| !known.contains(&child.name.as_str()))
        .map(|child| {
            let value = Some(child.text.clone()).filter(|text| !text.is_empty());
            let record = Record::default().with("name", child.name.clone()).with("value", value);
            let inside = shown(child, &[]);
            if inside.is_empty() { record } else { record.with("fields", inside) }
        })
        .collect()
}

/// Warns if an event's id is the hash of another event: it was changed, or hashed by other rules.
fn compare(event: &Item, name: &str, envelope: &mut Envelope) {
    let Some(id) = event.value(&["eventID"]) else { return };
    let version = |id: &str| id.rsplit_once('?').map(|(hash, _)| hash.to_owned());
    if id.starts_with("ni:///sha-256;") && version(id) != version(name) {
        let reason =
            format!("the event id {} is not the event's hash; ask its sender what was changed", Excerpt::of(id));
        envelope.warn("wrong_event_hash", reason);
    }
}

/// The day of the event, as its issuer wrote it.
pub fn day(facts: &Record) -> Option<portolan_primitives::BusinessDate> {
    match facts.get("event_time") {
        Some(Fact::Text(time)) => time.get(..10)?.parse().ok(),
        _ => None,
    }
}
