//! Where and by what cargo moves: ports and places, vessels and voyages.

use super::super::envelope::{Envelope, Record};
use super::super::error::{DocumentError, Excerpt};
use super::super::fields::{decimal, needed, object, objects, set, set_days, set_list, text, texts, wrong};
use super::super::json::{Json, Shape};

/// What a location of DCSA says: its name, UN/LOCODE, facility, address, position.
///
/// # Errors
/// `Template` for a placeholder as its code; `InvalidField`.
pub fn location(json: &Json, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let Shape::Object(_) = &json.shape else { return Err(wrong(json, "place", "it is an object")) };
    let json = json.get("location").unwrap_or(json);
    let mut facts = Record::default();
    if let Some(code) = needed(json, &["UNLocationCode"], "UN/LOCODE")? {
        check_code(&code, envelope);
        facts.set("un_location", code);
    }
    set(
        json,
        &[
            ("name", &["locationName"]),
            ("facility_name", &["facilityName"]),
            ("facility", &["facility", "facilityCode"]),
            ("facility", &["facilityCode"]),
            ("facility_list", &["facility", "facilityCodeListProvider"]),
            ("facility_list", &["facilityCodeListProvider"]),
            ("facility_type", &["facilityTypeCode"]),
            ("street", &["address", "street"]),
            ("street_number", &["address", "streetNumber"]),
            ("post_code", &["address", "postCode"]),
            ("city", &["address", "city"]),
            ("city", &["city", "city"]),
            ("region", &["address", "stateRegion"]),
            ("country", &["address", "countryCode"]),
            ("country", &["address", "country"]),
            ("country", &["countryCode"]),
        ],
        &mut facts,
    )?;
    for (name, paths) in [
        ("latitude", [&["geoCoordinate", "latitude"][..], &["latitude"]]),
        ("longitude", [&["geoCoordinate", "longitude"], &["longitude"]]),
    ] {
        for path in paths {
            if let Some(found) = decimal(json, path, "position")? {
                facts.set(name, found);
            }
        }
    }
    Ok(facts)
}

/// Warns of a code that has not the form of a UN/LOCODE: two letters for the country and three letters or digits.
fn check_code(code: &str, envelope: &mut Envelope) {
    let bytes = code.as_bytes();
    let holds = bytes.len() == 5
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !holds {
        let reason = format!("{} has not the form of a UN/LOCODE; ask for the right one", Excerpt::of(code));
        envelope.warn("invalid_un_location", reason);
    }
}

/// The members that are places, with their roles.
const PLACES: [(&str, &str); 16] = [
    ("placeOfReceipt", "place_of_receipt"),
    ("portOfLoading", "port_of_loading"),
    ("loadLocation", "port_of_loading"),
    ("portOfDischarge", "port_of_discharge"),
    ("dischargeLocation", "port_of_discharge"),
    ("placeOfDelivery", "place_of_delivery"),
    ("onwardInlandRouting", "onward_inland_routing"),
    ("placeOfIssue", "place_of_issue"),
    ("placeOfBLIssue", "place_of_issue"),
    ("invoicePayableAt", "invoice_payable_at"),
    ("placeOfAcceptance", "place_of_acceptance"),
    ("placeOfFinalDelivery", "place_of_final_delivery"),
    ("pickupLocation", "pickup"),
    ("returnLocation", "return"),
    ("borderCrossingLocation", "border_crossing"),
    ("emptyContainerPickupDepotLocation", "empty_pickup"),
];

/// Names as a document displays them, with the roles of their places.
const DISPLAYED: [(&str, &str); 4] = [
    ("displayedNameForPlaceOfReceipt", "place_of_receipt"),
    ("displayedNameForPortOfLoad", "port_of_loading"),
    ("displayedNameForPortOfDischarge", "port_of_discharge"),
    ("displayedNameForPlaceOfDelivery", "place_of_delivery"),
];

/// Codes of locations in a booking's list.
const TYPES: [(&str, &str); 13] = [
    ("PRE", "place_of_receipt"),
    ("POL", "port_of_loading"),
    ("POD", "port_of_discharge"),
    ("PDE", "place_of_delivery"),
    ("PCF", "pre_carriage_from"),
    ("OIR", "onward_inland_routing"),
    ("ORI", "origin"),
    ("IEL", "container_intermediate_export_stop_off"),
    ("PTP", "prohibited_transshipment"),
    ("RTP", "requested_transshipment"),
    ("FCD", "full_container_drop_off"),
    ("ROU", "routing"),
    ("DRL", "depot_release"),
];

/// Adds to `places` those that stand in `json` by name, each with its role.
///
/// # Errors
/// As [`location`].
pub fn places(json: &Json, places: &mut Vec<Record>, envelope: &mut Envelope) -> Result<(), DocumentError> {
    for (member, role) in PLACES {
        if let Some(found) = json.get(member) {
            let found = location(found, envelope)?;
            // A place may be said in one word elsewhere; without any it is nothing to show.
            if found.iter().next().is_some() {
                places.push(with_role(role, found));
            }
        }
    }
    for (member, role) in DISPLAYED {
        let lines = texts(json, member, "displayed name of a place")?;
        if !lines.is_empty() {
            places.push(Record::default().with("role", role).with("displayed", lines));
        }
    }
    for entry in objects(json, "shipmentLocations", "list of locations")? {
        let code = needed(entry, &["locationTypeCode"], "type of a location")?;
        let code = code.ok_or_else(|| super::super::fields::missing("type of a location"))?;
        let role = TYPES.iter().find(|(held, _)| *held == code).map_or(code.as_str(), |(_, role)| role).to_owned();
        places.push(with_role(&role, location(entry, envelope)?));
    }
    Ok(())
}

/// `record` behind its role.
fn with_role(role: &str, record: Record) -> Record {
    record.iter().fold(Record::default().with("role", role), |facts, (name, fact)| facts.with(name, fact.clone()))
}

/// Whether a place of that role is there.
pub fn has(places: &[Record], role: &str) -> bool {
    places.iter().any(|place| place.get("role") == Some(&role.into()) && place.get("displayed").is_none())
}

/// Sets the plan of a transport: its days, its modes, its vessels.
///
/// # Errors
/// `InvalidDate`, `Template`, `InvalidField`.
pub fn transports(json: &Json, found: &mut Vec<Record>, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Some(plan) = json.get("transports").or_else(|| json.get("transport")) else { return Ok(()) };
    let legs = match &plan.shape {
        Shape::Object(_) => std::slice::from_ref(plan),
        Shape::List(items) => items.as_slice(),
        _ => return Err(wrong(plan, "transport plan", "it is an object")),
    };
    for leg in legs {
        places(leg, found, envelope)?;
        let facts = &mut envelope.facts;
        set_days(
            leg,
            &[
                ("planned_departure", &["plannedDepartureDate"]),
                ("planned_arrival", &["plannedArrivalDate"]),
                ("departure", &["departureDate"]),
                ("on_board", &["onBoardDate"]),
                ("received_for_shipment", &["receivedForShipmentDate"]),
                ("arrival_at_discharge", &["etaAtPortOfDischargeDate"]),
                ("arrival_at_discharge", &["portOfDischargeArrivalDate", "value"]),
                ("arrival_at_delivery", &["etaAtPlaceOfDeliveryDate"]),
                ("arrival_at_delivery", &["placeOfDeliveryArrivalDate", "value"]),
            ],
            facts,
        )?;
        set(
            leg,
            &[
                ("pre_carriage", &["preCarriageBy"]),
                ("on_carriage", &["onCarriageBy"]),
                ("mode", &["modeOfTransport"]),
                ("arrival_at_discharge_class", &["portOfDischargeArrivalDate", "classifier"]),
                ("arrival_at_delivery_class", &["placeOfDeliveryArrivalDate", "classifier"]),
            ],
            facts,
        )?;
        let mut vessels = Vec::new();
        for voyage in objects(leg, "vesselVoyages", "list of vessels and voyages")? {
            vessels.push(vessel(voyage)?);
        }
        for part in objects(leg, "legs", "list of legs")? {
            if let Some(voyage) = object(part, "vesselVoyage", "vessel and voyage")? {
                vessels.push(vessel(voyage)?);
            }
        }
        set_list(facts, "vessel_voyages", vessels);
    }
    Ok(())
}

/// A vessel and its voyage, in the names of all versions.
///
/// # Errors
/// `Template` for a placeholder as the vessel's name or voyage; `InvalidField`.
pub fn vessel(json: &Json) -> Result<Record, DocumentError> {
    let mut facts = Record::default();
    for (name, path) in [
        ("vessel", &["vesselName"][..]),
        ("vessel", &["vessel", "name"]),
        ("vessel", &["vessel", "vesselName"]),
        ("vessel", &["vesselTransport", "vesselName"]),
        ("imo", &["vesselIMONumber"]),
        ("imo", &["vessel", "vesselIMONumber"]),
        ("imo", &["vesselTransport", "vesselIMONumber"]),
        ("export_voyage", &["carrierExportVoyageNumber"]),
        ("export_voyage", &["exportVoyageNumber"]),
        ("export_voyage", &["exportVoyageNumberOrReference", "carrierVoyageNumber"]),
        ("import_voyage", &["carrierImportVoyageNumber"]),
        ("import_voyage", &["importVoyageNumber"]),
        ("import_voyage", &["importVoyageNumberOrReference", "carrierVoyageNumber"]),
        ("universal_export_voyage", &["universalExportVoyageReference"]),
        ("universal_export_voyage", &["exportVoyageNumberOrReference", "universalVoyageReference"]),
        ("universal_import_voyage", &["universalImportVoyageReference"]),
        ("universal_import_voyage", &["importVoyageNumberOrReference", "universalVoyageReference"]),
        ("service", &["carrierServiceCode"]),
        ("service", &["serviceCodeOrReference", "carrierServiceCode"]),
        ("universal_service", &["universalServiceReference"]),
    ] {
        if let Some(found) = needed(json, path, "vessel or voyage")? {
            facts.set(name, found);
        }
    }
    for (name, path) in [
        ("flag", &["vesselFlag"][..]),
        ("flag", &["vessel", "vesselFlag"]),
        ("flag", &["vessel", "flag"]),
        ("flag", &["vesselTransport", "vesselFlag"]),
        ("call_sign", &["vesselCallSign"]),
        ("call_sign", &["vessel", "vesselCallSignNumber"]),
        ("call_sign", &["vesselTransport", "vesselCallSign"]),
        ("operator", &["vessel", "vesselOperatorCarrierCode"]),
        ("operator", &["vesselTransport", "operatorCarrierCode"]),
        ("role", &["role"]),
    ] {
        if let Some(found) = text(json, path, "vessel")? {
            facts.set(name, found);
        }
    }
    Ok(facts)
}
