//! Track and trace: events of shipments, transports, equipment, of sensors and reefers, in versions 2.2 and 3.0.
//!
//! Events stand in the order of the document: they are reports, not a chain. One without what its type demands is
//! refused, and so is one id for two different events.

use super::super::envelope::{Envelope, Record};
use super::super::error::{DocumentError, Excerpt, Field};
use super::super::fields::{
    code, decimal, moment, needed, object, objects, required, required_moment, required_object, set, set_flags,
    set_list, text, texts,
};
use super::super::json::Json;
use super::arrival::routing;
use super::party::{reference_kind, references};
use super::transport::feedbacks;
use super::{cargo, contradiction, place};

/// Reads the events of a list.
///
/// # Errors
/// `MissingField` without what an event needs; `InvalidField` for another type or classifier, or an id of version 2
/// that is no UUID; `InvalidDate`; `Template`; `ContradictoryField` for two events of one id.
pub fn read(items: &[Json], envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut shown = Vec::with_capacity(items.len());
    let mut ids: Vec<(String, &Json)> = Vec::new();
    for item in items {
        let facts = if item.get("eventClassification").is_some() {
            version_3(item, envelope)?
        } else {
            version_2(item, envelope)?
        };
        if let Some(super::super::Fact::Text(id)) = facts.get("id") {
            ids.push((id.clone(), item));
        }
        shown.push(facts);
    }
    twice(ids, envelope)?;
    if let [one] = &shown[..]
        && let Some(super::super::Fact::Text(id)) = one.get("id")
    {
        envelope.number = Some(id.clone());
    }
    envelope.facts.set("event_count", shown.len());
    envelope.facts.set("events", shown);
    Ok(())
}

/// Refuses two events of one id, and warns of one event twice.
fn twice(mut ids: Vec<(String, &Json)>, envelope: &mut Envelope) -> Result<(), DocumentError> {
    ids.sort_by(|one, next| one.0.cmp(&next.0));
    for pair in ids.windows(2) {
        let [(id, one), (next_id, next)] = pair else { continue };
        if id != next_id {
            continue;
        }
        if one != next {
            return Err(contradiction("event of one id", id, next_id));
        }
        envelope.warn("event_twice", format!("the event {} stands twice", Excerpt::of(id)));
    }
    Ok(())
}

/// Reads a list of events with remarks beside it.
///
/// # Errors
/// As [`read`].
pub fn wrapped(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    read(objects(json, "events", "list of events")?, envelope)?;
    feedbacks(json, envelope)
}

/// Reads one event by itself.
///
/// # Errors
/// As [`read`].
pub fn one(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    read(std::slice::from_ref(json), envelope)
}

const CLASSIFIERS: [&str; 4] = ["ACT", "EST", "PLN", "REQ"];
const CLASSIFIER: &str = "it is ACT (actual), EST (estimated), PLN (planned) or REQ (requested)";

/// A type of event, and the member that has its code.
const TYPES: [(&str, &str); 5] = [
    ("SHIPMENT", "shipmentEventTypeCode"),
    ("TRANSPORT", "transportEventTypeCode"),
    ("EQUIPMENT", "equipmentEventTypeCode"),
    ("IOT", "iotEventTypeCode"),
    ("REEFER", "reeferEventTypeCode"),
];

/// Type, code and classifier of an event.
fn classify(json: &Json, type_member: &str, facts: &mut Record) -> Result<&'static str, DocumentError> {
    let words = TYPES.map(|(word, _)| word);
    let reason = "it is SHIPMENT, TRANSPORT, EQUIPMENT, IOT or REEFER";
    let found = code(json, &[type_member], "type of an event", &words, reason)?;
    let (word, member) = TYPES.into_iter().find(|(word, _)| *word == found).unwrap_or(TYPES[0]);
    facts.set("type", word);
    facts.set("code", required(json, &[member], "code of an event")?);
    let classifier = code(json, &["eventClassifierCode"], "classifier of an event", &CLASSIFIERS, CLASSIFIER)?;
    facts.set("classifier", classifier);
    Ok(word)
}

fn version_2(json: &Json, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let mut facts = Record::default();
    let id = needed(json, &["eventID"], "id of an event")?;
    if let Some(id) = &id
        && !is_uuid(id)
    {
        let value = Excerpt::of(id);
        return Err(DocumentError::InvalidField {
            field: Field::Named("id of an event"),
            value,
            reason: "it is a UUID",
        });
    }
    facts.set("id", id);
    let kind = classify(json, "eventType", &mut facts)?;
    facts.set("at", required_moment(json, &["eventDateTime"], "time of an event")?.written);
    let created = required_moment(json, &["eventCreatedDateTime"], "time at which an event was created")?;
    facts.set("created_at", created.written);
    match kind {
        "SHIPMENT" => {
            let of = required(json, &["documentTypeCode"], "type of the document of an event")?;
            let number = required(json, &["documentID"], "document of an event")?;
            envelope.refer(reference_kind(&of), Some(number.clone()));
            facts.set("document_type", of);
            facts.set("document", number);
        }
        "TRANSPORT" => {
            required_object(json, "transportCall", "transport call of an event")?;
        }
        _ => {
            facts.set("empty_or_laden", needed(json, &["emptyIndicatorCode"], "empty indicator of an event")?);
            equipment(json, &mut facts, envelope)?;
        }
    }
    details(json, &mut facts, envelope)?;
    Ok(facts)
}

fn version_3(json: &Json, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let mut facts = Record::default();
    facts.set("id", required(json, &["eventID"], "id of an event")?);
    let class = required_object(json, "eventClassification", "classification of an event")?;
    classify(class, "eventTypeCode", &mut facts)?;
    facts.set("at", required_moment(json, &["eventDateTime"], "time of an event")?.written);
    if let Some(updated) = moment(json, &["eventUpdatedDateTime"], "time at which an event was updated")? {
        facts.set("updated_at", updated.written);
    }
    set_flags(json, &[("retracted", &["isRetracted"])], &mut facts)?;
    routing(json, "eventRouting", envelope)?;
    if let Some(shipment) = object(json, "shipmentDetails", "shipment of an event")? {
        let main = object(shipment, "documentReference", "document of an event")?;
        for one in main.into_iter().chain(objects(shipment, "additionalDocumentReferences", "documents of an event")?) {
            let Some(kind) = needed(one, &["typeCode"], "type of a reference")? else { continue };
            let number = needed(one, &["reference"], "reference")?;
            if main.is_some_and(|main| std::ptr::eq(main, one)) {
                facts.set("document_type", kind.clone());
                facts.set("document", number.clone());
            }
            envelope.refer(reference_kind(&kind), number);
        }
        for one in objects(shipment, "shipmentReferences", "references of an event")? {
            let Some(kind) = needed(one, &["typeCode"], "type of a reference")? else { continue };
            envelope.refer(reference_kind(&kind), needed(one, &["reference"], "reference")?);
        }
        set(shipment, &[("reason", &["reason"]), ("location_type", &["shipmentLocationType"])], &mut facts)?;
    }
    if let Some(found) = object(json, "equipmentDetails", "equipment of an event")? {
        equipment(found, &mut facts, envelope)?;
        set(found, &[("empty_or_laden", &["emptyIndicatorCode"]), ("movement", &["movementType"])], &mut facts)?;
    }
    if let Some(found) = object(json, "transportDetails", "transport of an event")? {
        details(found, &mut facts, envelope)?;
        set_list(&mut facts, "delays", texts(found, "delayReasonCodes", "reason of a delay")?);
    }
    set(json, &[("iot_code", &["iotDetails", "iotEventCode"])], &mut facts)?;
    if let Some(found) = object(json, "reeferDetails", "reefer of an event")? {
        facts.set("reefer", reefer(found)?);
    }
    if let Some(found) = object(json, "eventLocation", "place of an event")? {
        facts.set("place", place::location(found, envelope)?);
    }
    Ok(facts)
}

/// The container of an event, and its seals.
fn equipment(json: &Json, facts: &mut Record, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let number = needed(json, &["equipmentReference"], "container number")?;
    if let Some(number) = &number {
        cargo::check_container(number, envelope);
    }
    facts.set("equipment", number);
    set(json, &[("iso_code", &["ISOEquipmentCode"])], facts)?;
    set_list(facts, "seals", cargo::seals(json)?);
    Ok(())
}

/// What events of version 2 share: the call, the place, remarks, references. In version 3 the call alone.
fn details(json: &Json, facts: &mut Record, envelope: &mut Envelope) -> Result<(), DocumentError> {
    if let Some(call) = object(json, "transportCall", "transport call of an event")? {
        facts.set("transport_call", transport_call(call, envelope)?);
    }
    if let Some(found) = object(json, "eventLocation", "place of an event")? {
        facts.set("place", place::location(found, envelope)?);
    }
    set(json, &[("reason", &["reason"]), ("delay", &["delayReasonCode"]), ("change", &["changeRemark"])], facts)?;
    references(json, envelope)
}

fn transport_call(json: &Json, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let mut facts = Record::default();
    for (name, path) in
        [("id", &["transportCallID"][..]), ("id", &["transportCallReference"]), ("mode", &["modeOfTransport"])]
    {
        if let Some(found) = needed(json, path, "transport call of an event")? {
            facts.set(name, found);
        }
    }
    set(
        json,
        &[
            ("sequence", &["transportCallSequenceNumber"]),
            ("port_visit", &["portVisitReference"]),
            ("other_facility", &["otherFacility"]),
        ],
        &mut facts,
    )?;
    let voyage = place::vessel(json)?;
    let facts = voyage.iter().fold(facts, |facts, (name, fact)| facts.with(name, fact.clone()));
    call_place(json, facts, envelope)
}

/// The place of a call, which version 2 may say twice: in members of its own, and as a location.
fn call_place(json: &Json, mut facts: Record, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let own = needed(json, &["UNLocationCode"], "UN/LOCODE")?;
    let located = needed(json, &["location", "UNLocationCode"], "UN/LOCODE")?;
    if let (Some(own), Some(located)) = (&own, &located)
        && own != located
    {
        let (own, located) = (Excerpt::of(own), Excerpt::of(located));
        let reason = format!("a transport call is in {own} and its location in {located}; ask which one holds");
        envelope.warn("location_mismatch", reason);
    }
    if let Some(found) = object(json, "location", "place of a call")? {
        facts.set("place", place::location(found, envelope)?);
    }
    set(
        json,
        &[
            ("un_location", &["UNLocationCode"]),
            ("facility", &["facilityCode"]),
            ("facility_list", &["facilityCodeListProvider"]),
            ("facility_type", &["facilityTypeCode"]),
        ],
        &mut facts,
    )?;
    Ok(facts)
}

/// What a reefer measured.
fn reefer(json: &Json) -> Result<Record, DocumentError> {
    let mut facts = Record::default();
    for (name, path) in [
        ("setpoint", &["internalSetpointTemperature"][..]),
        ("ambient", &["ambientMeasuredTemperature"]),
        ("setpoint_humidity", &["setpointParameters", "humidityPercentage"]),
        ("setpoint_o2", &["setpointParameters", "o2Percentage"]),
        ("setpoint_co2", &["setpointParameters", "co2Percentage"]),
        ("humidity", &["measuredParameters", "humidityPercentage"]),
        ("o2", &["measuredParameters", "o2Percentage"]),
        ("co2", &["measuredParameters", "co2Percentage"]),
    ] {
        if let Some(found) = decimal(json, path, "measurement of a reefer")? {
            facts.set(name, found);
        }
    }
    facts.set("temperature_unit", text(json, &["temperatureUnit"], "unit of a temperature")?);
    let mut probes = Vec::new();
    for one in objects(json, "temperatureProbeMeasurements", "list of probes")? {
        let mut probe = Record::default();
        set(
            one,
            &[("probe", &["USDAProbeNumber"]), ("probe", &["COAProbeUDMKey"]), ("probe", &["probeLabel"])],
            &mut probe,
        )?;
        probe.set("temperature", decimal(one, &["measuredTemperatureValue"], "measurement of a probe")?);
        probes.push(probe);
    }
    set_list(&mut facts, "probes", probes);
    Ok(facts)
}

/// 32 hex digits in the five groups of a UUID.
fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let groups: Vec<&str> = text.split('-').collect();
    groups.len() == lengths.len()
        && groups
            .iter()
            .zip(lengths)
            .all(|(group, length)| group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
