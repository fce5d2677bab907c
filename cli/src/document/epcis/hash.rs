//! The event hash of the Core Business Vocabulary (CBV 2.0, section 8.9): one string of all fields in canonical order and
//! form, and its SHA-256 as a name of RFC 6920. Two writings of one event have one hash.
//!
//! Where the published reference implementation and the text of the standard differ, the published hashes decide:
//! transactions, sources and destinations stand behind the sensor data, parents before the EPCs, and a field without a
//! place in the order comes last with the names of those that hold it.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::canonical;
use super::item::Item;
use super::vocabulary::{
    BIZ_STEPS, COMPONENTS, DISPOSITIONS, EXCEPTIONS, MEASUREMENTS, PARTY_TYPES, TRANSACTION_TYPES, Words,
};

/// A field in the order, with the order inside of it.
struct Place {
    name: &'static str,
    inside: &'static [Place],
}

const fn field(name: &'static str) -> Place {
    Place { name, inside: &[] }
}

const EPCS: [Place; 1] = [field("epc")];
const SETS: [Place; 2] = [field("set"), field("unset")];
const ID: [Place; 1] = [field("id")];
const QUANTITY: [Place; 3] = [field("epcClass"), field("quantity"), field("uom")];
const QUANTITIES: [Place; 1] = [Place { name: "quantityElement", inside: &QUANTITY }];

const METADATA: [Place; 8] = [
    field("time"),
    field("startTime"),
    field("endTime"),
    field("deviceID"),
    field("deviceMetadata"),
    field("rawData"),
    field("dataProcessingMethod"),
    field("bizRules"),
];

const REPORT: [Place; 23] = [
    field("type"),
    field("exception"),
    field("deviceID"),
    field("deviceMetadata"),
    field("rawData"),
    field("dataProcessingMethod"),
    field("time"),
    field("microorganism"),
    field("chemicalSubstance"),
    field("value"),
    field("component"),
    field("stringValue"),
    field("booleanValue"),
    field("hexBinaryValue"),
    field("uriValue"),
    field("minValue"),
    field("maxValue"),
    field("meanValue"),
    field("sDev"),
    field("percRank"),
    field("percValue"),
    field("uom"),
    field("coordinateReferenceSystem"),
];

const SENSOR: [Place; 2] =
    [Place { name: "sensorMetadata", inside: &METADATA }, Place { name: "sensorReport", inside: &REPORT }];

const SENSORS: [Place; 1] = [Place { name: "sensorElement", inside: &SENSOR }];

/// The order of an event's fields.
const ORDER: [Place; 21] = [
    field("eventTime"),
    field("eventTimeZoneOffset"),
    field("certificationInfo"),
    field("parentID"),
    Place { name: "epcList", inside: &EPCS },
    Place { name: "inputEPCList", inside: &EPCS },
    Place { name: "childEPCs", inside: &EPCS },
    Place { name: "quantityList", inside: &QUANTITIES },
    Place { name: "childQuantityList", inside: &QUANTITIES },
    Place { name: "inputQuantityList", inside: &QUANTITIES },
    Place { name: "outputEPCList", inside: &EPCS },
    Place { name: "outputQuantityList", inside: &QUANTITIES },
    field("action"),
    field("transformationID"),
    field("bizStep"),
    field("disposition"),
    Place { name: "persistentDisposition", inside: &SETS },
    Place { name: "readPoint", inside: &ID },
    Place { name: "bizLocation", inside: &ID },
    // Their members stand with what has no place; an empty list is nothing.
    field("bizTransactionList"),
    Place { name: "sensorElementList", inside: &SENSORS },
];

/// What says nothing about what happened.
const LEFT_OUT: [&str; 4] = ["recordTime", "eventID", "type", "errorDeclaration"];

/// The string that is hashed.
pub fn pre_hash(event: &Item) -> String {
    let mut event = event.clone();
    in_full(&mut event);
    let mut text = format!("eventType={}", event.name);
    text.push_str(&ordered(&mut event.children, &ORDER));
    for empty in ["sourceList", "destinationList"] {
        event.children.retain(|child| child.name != empty || !child.children.is_empty());
    }
    event.children.retain(|child| !LEFT_OUT.contains(&child.name.as_str()));
    text.push_str(&sorted(&event.children));
    text
}

/// The hash of that string, as the standard names it.
pub fn name(pre_hash: &str) -> String {
    let digest = Sha256::digest(pre_hash.as_bytes());
    let mut name = "ni:///sha-256;".to_owned();
    for byte in digest {
        // Writing to a string never fails.
        let _ = write!(name, "{byte:02x}");
    }
    name + "?ver=CBV2.0"
}

/// Writes the bare words of the vocabulary in full.
fn in_full(event: &mut Item) {
    for child in &mut event.children {
        match child.name.as_str() {
            "bizStep" => word(child, &BIZ_STEPS),
            "disposition" => word(child, &DISPOSITIONS),
            "persistentDisposition" => child.children.iter_mut().for_each(|set| word(set, &DISPOSITIONS)),
            "bizTransactionList" => types(child, &TRANSACTION_TYPES),
            "sourceList" | "destinationList" => types(child, &PARTY_TYPES),
            "sensorElementList" => child.children.iter_mut().for_each(sensor_in_full),
            _ => {}
        }
    }
}

fn word(item: &mut Item, words: &Words) {
    if let Some(full) = words.full(&item.text) {
        item.text = full;
    }
}

fn types(list: &mut Item, words: &Words) {
    for member in &mut list.children {
        member.children.iter_mut().filter(|item| item.name == "type").for_each(|item| word(item, words));
    }
}

fn sensor_in_full(sensor: &mut Item) {
    for report in sensor.children.iter_mut().filter(|item| item.name == "sensorReport") {
        for value in &mut report.children {
            match value.name.as_str() {
                "type" => word(value, &MEASUREMENTS),
                "exception" => word(value, &EXCEPTIONS),
                "component" => word(value, &COMPONENTS),
                _ => {}
            }
        }
    }
}

/// The fields with a place, in their order, and behind them the extensions of a field that may have some. What was
/// written is gone from `fields`, unless something is left inside.
fn ordered(fields: &mut Vec<Item>, order: &[Place]) -> String {
    let extensions = take_extensions(fields);
    let mut text = String::new();
    for place in order {
        let mut found = Vec::new();
        for item in fields.iter_mut().filter(|item| item.name == place.name) {
            let written = written(item, place);
            if !written.is_empty() {
                found.push(written);
            }
        }
        fields.retain(|item| item.name != place.name || !item.children.is_empty());
        found.sort_unstable();
        found.iter().for_each(|one| text.push_str(one));
    }
    text.push_str(&sorted(&extensions));
    text
}

fn written(item: &mut Item, place: &Place) -> String {
    let inside = if place.inside.is_empty() { String::new() } else { ordered(&mut item.children, place.inside) };
    let is_time = matches!(place.name, "eventTime" | "time" | "startTime" | "endTime");
    let value = match item.text.trim() {
        "" => String::new(),
        text if is_time => canonical::time(text).unwrap_or_else(|| text.to_owned()),
        text => canonical::value(text),
    };
    match (value.is_empty(), inside.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("{}{inside}", item.name),
        (false, _) => format!("{}={value}{inside}", item.name),
    }
}

/// Takes the extensions out of a field with others beside them. Those of the event itself have their place at its end.
fn take_extensions(fields: &mut Vec<Item>) -> Vec<Item> {
    let of_event = fields.iter().any(|item| item.name.contains("eventTime") || item.name.contains("action"));
    if fields.len() <= 1 || of_event {
        return Vec::new();
    }
    let (extensions, others) = std::mem::take(fields).into_iter().partition(|item| item.name.contains("/}"));
    *fields = others;
    extensions
}

/// All fields with all that they hold, sorted.
fn sorted(fields: &[Item]) -> String {
    let mut found: Vec<String> = fields
        .iter()
        .map(|item| {
            let value = item.text.trim();
            let value = if value.is_empty() { String::new() } else { format!("={}", canonical::value(value)) };
            format!("{}{value}{}", item.name, sorted(&item.children))
        })
        .collect();
    // The type of a transaction, source or destination stays before its id.
    let typed = fields.iter().any(|item| matches!(item.name.as_str(), "bizTransaction" | "source" | "destination"));
    if !typed {
        found.sort_unstable();
    }
    found.concat()
}
