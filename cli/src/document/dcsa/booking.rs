//! Bookings: the request of a shipper, and the booking as the carrier confirmed it.

use super::super::envelope::{Envelope, Record};
use super::super::error::DocumentError;
use super::super::fields::{
    code, count, decimal, measure, money, needed, object, objects, required_objects, set, set_days, set_flags,
    set_list, text, texts,
};
use super::super::json::Json;
use super::party::{carrier, parties, references, referred};
use super::transport::feedbacks;
use super::{cargo, place};

/// The number of a booking: the carrier's, else that of the request.
///
/// # Errors
/// `Template`, `InvalidField`.
pub fn number(json: &Json) -> Result<Option<String>, DocumentError> {
    match needed(json, &["carrierBookingReference"], "carrier booking reference")? {
        None => needed(json, &["carrierBookingRequestReference"], "carrier booking request reference"),
        found => Ok(found),
    }
}

/// Reads a booking or a request for one.
///
/// # Errors
/// `MissingField` without the types of receipt and delivery, locations, or equipment; `Template`; whatever is wrong
/// with a value.
pub fn booking(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    envelope.number = number(json)?;
    for (name, path) in [("receipt_type", "receiptTypeAtOrigin"), ("delivery_type", "deliveryTypeAtDestination")] {
        let reason = "it is CY (container yard), SD (store door) or CFS (container freight station)";
        envelope.facts.set(name, code(json, &[path], "type of receipt or delivery", &["CY", "SD", "CFS"], reason)?);
    }
    for (name, path) in [
        ("cargo_movement_at_origin", "cargoMovementTypeAtOrigin"),
        ("cargo_movement_at_destination", "cargoMovementTypeAtDestination"),
    ] {
        let reason = "it is FCL (full container) or LCL (less than a container)";
        envelope.facts.set(name, code(json, &[path], "type of cargo movement", &["FCL", "LCL"], reason)?);
    }
    set(
        json,
        &[
            ("status", &["bookingStatus"]),
            ("amendment_status", &["amendedBookingStatus"]),
            ("cancellation_status", &["bookingCancellationStatus"]),
            ("freight_payment", &["freightPaymentTermCode"]),
            ("incoterm", &["incoTerms"]),
            ("document_type", &["transportDocumentTypeCode"]),
            ("service_name", &["carrierServiceName"]),
        ],
        &mut envelope.facts,
    )?;
    set_days(
        json,
        &[
            ("expected_departure", &["expectedDepartureDate"]),
            ("expected_departure_from_receipt", &["expectedDepartureFromPlaceOfReceiptDate"]),
            ("expected_arrival_from", &["expectedArrivalAtPlaceOfDeliveryStartDate"]),
            ("expected_arrival_until", &["expectedArrivalAtPlaceOfDeliveryEndDate"]),
        ],
        &mut envelope.facts,
    )?;
    set_flags(
        json,
        &[
            ("equipment_substitution", &["isEquipmentSubstitutionAllowed"]),
            ("partial_load", &["isPartialLoadAllowed"]),
            ("export_declaration_required", &["isExportDeclarationRequired"]),
        ],
        &mut envelope.facts,
    )?;
    if let Some(value) = money(json, &["declaredValue"], &["declaredValueCurrency"], "declared value")? {
        envelope.facts.set("declared_value", value);
    }
    let own = if json.get("carrierBookingReference").is_some() {
        "carrierBookingReference"
    } else {
        "carrierBookingRequestReference"
    };
    referred(json, own, envelope)?;
    references(json, envelope)?;
    carrier(json, envelope)?;
    parties(json, envelope)?;
    route(json, envelope)?;
    let mut equipment = Vec::new();
    for one in required_objects(json, "requestedEquipments", "requested equipment")? {
        equipment.push(requested(one, envelope)?);
    }
    envelope.facts.set("requested_equipment", equipment);
    confirmed(json, envelope)?;
    cargo::charges(json, &mut envelope.facts)?;
    cargo::terms(json, &mut envelope.facts)?;
    feedbacks(json, envelope)
}

fn route(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut places = Vec::new();
    required_objects(json, "shipmentLocations", "location of the shipment")?;
    place::places(json, &mut places, envelope)?;
    envelope.facts.set("places", places);
    let voyage = place::vessel(json)?;
    if voyage.iter().next().is_some() {
        envelope.facts.set("vessel_voyages", vec![voyage]);
    }
    Ok(())
}

fn requested(json: &Json, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let mut facts = Record::default();
    facts.set("iso_code", needed(json, &["ISOEquipmentCode"], "ISO code of the equipment")?);
    // Units are a number of containers, in some versions written with decimals.
    facts.set("units", decimal(json, &["units"], "number of containers")?);
    set_flags(
        json,
        &[("shipper_owned", &["isShipperOwned"]), ("non_operating_reefer", &["isNonOperatingReefer"])],
        &mut facts,
    )?;
    cargo::reefer(json, &mut facts)?;
    let numbers = texts(json, "equipmentReferences", "container number")?;
    numbers.iter().for_each(|number| cargo::check_container(number, envelope));
    set_list(&mut facts, "containers", numbers);
    let mut goods = Vec::new();
    for one in objects(json, "commodities", "list of commodities")? {
        goods.push(commodity(one, envelope)?);
    }
    set_list(&mut facts, "commodities", goods);
    let mut positions = Vec::new();
    for list in ["containerPositionings", "emptyContainerPickup"] {
        let single = object_or_list(json, list)?;
        for one in single {
            let mut position = Record::default();
            set(one, &[("at", &["dateTime"])], &mut position)?;
            if let Some(place) = object(one, "location", "place")? {
                position.set("place", place::location(place, envelope)?);
            }
            positions.push(position);
        }
    }
    set_list(&mut facts, "positionings", positions);
    references(json, envelope)?;
    Ok(facts)
}

fn object_or_list<'a>(json: &'a Json, name: &str) -> Result<&'a [Json], DocumentError> {
    match json.get(name) {
        Some(found) if found.items().is_empty() => {
            object(json, name, "positioning").map(|one| one.map_or(&[][..], std::slice::from_ref))
        }
        _ => objects(json, name, "list of positionings"),
    }
}

fn commodity(json: &Json, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let mut facts = Record::default();
    facts.set("commodity", needed(json, &["commodityType"], "type of commodity")?);
    set(json, &[("sub_reference", &["commoditySubReference"])], &mut facts)?;
    set_list(&mut facts, "hs_codes", texts(json, "HSCodes", "HS code")?);
    for (name, member) in [
        ("gross_weight", "cargoGrossWeight"),
        ("gross_volume", "cargoGrossVolume"),
        ("net_weight", "cargoNetWeight"),
        ("net_volume", "cargoNetVolume"),
    ] {
        if let Some(found) = measure(json, member, "weight or volume of the cargo")? {
            facts.set(name, found);
        }
    }
    if let Some(packaging) = object(json, "outerPackaging", "outer packaging")? {
        facts.set("packages", count(packaging, &["numberOfPackages"], "number of packages")?);
        set(packaging, &[("package_code", &["packageCode"]), ("package", &["description"])], &mut facts)?;
        cargo::dangerous(packaging, &mut facts)?;
    }
    references(json, envelope)?;
    Ok(facts)
}

/// What the carrier adds: the plan, the equipment, the cut-off times.
fn confirmed(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut legs = Vec::new();
    for one in objects(json, "transportPlan", "transport plan")? {
        let mut leg = place::vessel(one)?;
        set(one, &[("stage", &["transportPlanStage"]), ("mode", &["modeOfTransport"])], &mut leg)?;
        set_days(one, &[("departure", &["plannedDepartureDate"]), ("arrival", &["plannedArrivalDate"])], &mut leg)?;
        for (name, member) in [("from", "loadLocation"), ("to", "dischargeLocation")] {
            if let Some(place) = object(one, member, "place")? {
                leg.set(name, place::location(place, envelope)?);
            }
        }
        legs.push(leg);
    }
    set_list(&mut envelope.facts, "transport_plan", legs);
    let mut confirmed = Vec::new();
    for one in objects(json, "confirmedEquipments", "list of confirmed equipment")? {
        let mut facts =
            Record::default().with("iso_code", text(one, &["ISOEquipmentCode"], "ISO code of the equipment")?);
        facts.set("units", decimal(one, &["units"], "number of containers")?);
        confirmed.push(facts);
    }
    set_list(&mut envelope.facts, "confirmed_equipment", confirmed);
    let mut cut_offs = Vec::new();
    for one in objects(json, "shipmentCutOffTimes", "list of cut-off times")? {
        let mut facts = Record::default();
        set(one, &[("code", &["cutOffDateTimeCode"]), ("at", &["cutOffDateTime"])], &mut facts)?;
        cut_offs.push(facts);
    }
    set_list(&mut envelope.facts, "cut_off_times", cut_offs);
    Ok(())
}
