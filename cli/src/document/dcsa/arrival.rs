//! Arrival notices, their short notifications, and declarations of a container's verified gross mass.

use super::super::envelope::{Envelope, Record};
use super::super::error::DocumentError;
use super::super::fields::{
    day, measure, missing, money, needed, object, objects, required, required_moment, required_object, set, set_days,
    set_flags, set_list, text, texts,
};
use super::super::json::Json;
use super::party::{carrier, parties, references, referred};
use super::{cargo, place};

/// Reads one arrival notice.
///
/// # Errors
/// `MissingField` without transport document, moment of issue, or port of discharge; `Template`; whatever is wrong with
/// a value.
pub fn notice(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    identify(json, envelope)?;
    set(
        json,
        &[
            ("label", &["typeLabel"]),
            ("version", &["versionLabel"]),
            ("document_type", &["transportDocumentTypeCode"]),
            ("delivery_type", &["deliveryTypeAtDestination"]),
            ("cargo_movement_at_destination", &["cargoMovementTypeAtDestination"]),
            ("freight_status", &["freightPaymentStatus"]),
        ],
        &mut envelope.facts,
    )?;
    set_flags(json, &[("electronic", &["isElectronic"])], &mut envelope.facts)?;
    carrier(json, envelope)?;
    parties(json, envelope)?;
    referred(json, "transportDocumentReference", envelope)?;
    references(json, envelope)?;
    texts(json, "houseBillOfLadingReferences", "house bill of lading reference")?
        .into_iter()
        .for_each(|house| envelope.refer("house_bill_of_lading", Some(house)));
    let mut places = Vec::new();
    place::transports(json, &mut places, envelope)?;
    place::places(json, &mut places, envelope)?;
    if !place::has(&places, "port_of_discharge") {
        return Err(missing("port of discharge"));
    }
    envelope.facts.set("places", places);
    voyages_at_arrival(json, envelope)?;
    free_times(json, envelope)?;
    release(json, envelope)?;
    if !objects(json, "consignmentItems", "consignment items")?.is_empty() {
        cargo::consignment(json, envelope)?;
    }
    cargo::equipment(json, envelope)?;
    cargo::charges(json, &mut envelope.facts)?;
    cargo::terms(json, &mut envelope.facts)
}

/// The document that arrives, which has the notice's number, and the moment of issue.
fn identify(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    envelope.number = Some(required(json, &["transportDocumentReference"], "transport document reference")?);
    let field = "issue date";
    if json.get("issueDateTime").is_some() {
        envelope.facts.set("issued_at", required_moment(json, &["issueDateTime"], field)?.written);
        envelope.issue_date = day(json, &["issueDateTime"], field)?;
    } else {
        envelope.issue_date = Some(day(json, &["issueDate"], field)?.ok_or_else(|| missing(field))?);
    }
    Ok(())
}

/// The vessels of a version before 1.0, which stand beside the transport.
fn voyages_at_arrival(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut vessels = Vec::new();
    for name in ["vesselVoyageAtPOD", "vesselVoyageAtDestinationCountry"] {
        if let Some(found) = object(json, name, "vessel and voyage")? {
            let mut vessel = place::vessel(found)?;
            set(found, &[("vessel", &["name"]), ("flag", &["flag"])], &mut vessel)?;
            vessels.push(vessel);
        }
    }
    set_list(&mut envelope.facts, "vessel_voyages_at_arrival", vessels);
    Ok(())
}

fn free_times(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut shown = Vec::new();
    for list in ["freeTimes", "freetime"] {
        for one in objects(json, list, "list of free times")? {
            let mut time = Record::default();
            let mut kinds = texts(one, "typeCodes", "type of a free time")?;
            kinds.extend(texts(one, "freetimeTypeCode", "type of a free time")?);
            set_list(&mut time, "types", kinds);
            set(
                one,
                &[
                    ("duration", &["duration"]),
                    ("duration", &["quantity"]),
                    ("unit", &["timeUnit"]),
                    ("unit", &["unitOfMeasure"]),
                    ("basis", &["calculationBasis"]),
                ],
                &mut time,
            )?;
            set_list(&mut time, "iso_codes", texts(one, "ISOEquipmentCodes", "ISO code")?);
            set_list(&mut time, "containers", texts(one, "equipmentReferences", "container number")?);
            shown.push(time);
        }
    }
    set_list(&mut envelope.facts, "free_times", shown);
    Ok(())
}

/// What stands between the goods and their release, and to whom to pay.
fn release(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    if let Some(found) = object(json, "releaseInformation", "release information")? {
        let mut facts = Record::default();
        set_flags(
            found,
            &[
                ("original_received", &["isOBLReceived"]),
                ("freight_released", &["isFreightReleased"]),
                ("customs_released", &["isCustomsReleased"]),
            ],
            &mut facts,
        )?;
        set_days(found, &[("freight_release", &["freightReleaseDate"])], &mut facts)?;
        envelope.facts.set("release", facts);
    }
    let mut invoices = Vec::new();
    for one in objects(json, "charges", "list of charges")? {
        invoices.extend(text(one, &["invoiceReference"], "invoice")?);
        money(one, &["currencyAmount"], &["currencyCode"], "amount of a charge")?;
    }
    invoices.into_iter().for_each(|invoice| envelope.refer("invoice", Some(invoice)));
    Ok(())
}

/// Reads the short form of an arrival notice.
///
/// # Errors
/// As [`notice`].
pub fn notification(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    identify(json, envelope)?;
    let port = required_object(json, "portOfDischarge", "port of discharge")?;
    let port = place::location(port, envelope)?;
    envelope.facts.set("port_of_discharge", port);
    let facts = &mut envelope.facts;
    set_days(
        json,
        &[
            ("arrival_at_discharge", &["portOfDischargeArrivalDate", "value"]),
            ("arrival_at_delivery", &["placeOfDeliveryArrivalDate", "value"]),
        ],
        facts,
    )?;
    set(json, &[("arrival_at_discharge_class", &["portOfDischargeArrivalDate", "classifier"])], facts)?;
    let numbers = texts(json, "equipmentReferences", "container number")?;
    numbers.iter().for_each(|number| cargo::check_container(number, envelope));
    set_list(&mut envelope.facts, "containers", numbers);
    references(json, envelope)
}

/// Reads one declaration of a verified gross mass.
///
/// # Errors
/// `MissingField` without reference, moment, mass, or container; `Template`; whatever is wrong with a value.
pub fn gross_mass(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    envelope.number = Some(required(json, &["declarationReference"], "reference of the declaration")?);
    let field = "moment of the declaration";
    envelope.facts.set("declared_at", required_moment(json, &["declarationDateTime"], field)?.written);
    envelope.issue_date = day(json, &["declarationDateTime"], field)?;
    set_flags(json, &[("retracted", &["isRetracted"])], &mut envelope.facts)?;
    let mass = required_object(json, "VGM", "verified gross mass")?;
    let weight = measure(mass, "weight", "verified gross mass")?.ok_or_else(|| missing("verified gross mass"))?;
    envelope.facts.set("gross_mass", weight);
    envelope.facts.set("method", needed(mass, &["method"], "method of weighing")?);
    set(
        mass,
        &[
            ("weighed_at", &["dateTime"]),
            ("certificate", &["certificationReference"]),
            ("certified_at", &["certificationDateTime"]),
        ],
        &mut envelope.facts,
    )?;
    if let Some(found) = object(mass, "location", "place of weighing")? {
        let found = place::location(found, envelope)?;
        envelope.facts.set("weighed_in", found);
    }
    let equipment = required_object(json, "equipmentDetails", "container")?;
    let equipment = cargo::container(equipment, envelope)?;
    envelope.facts.set("equipment", equipment);
    mass_parties(json, envelope)?;
    if let Some(shipment) = object(json, "shipmentDetails", "shipment")? {
        referred(shipment, "", envelope)?;
        references(shipment, envelope)?;
    }
    if let Some(voyage) = object(json, "vesselVoyageDetails", "vessel and voyage")? {
        carrier(voyage, envelope)?;
        let vessel = place::vessel(voyage)?;
        envelope.facts.set("vessel_voyages", vec![vessel]);
        let mut places = Vec::new();
        place::places(voyage, &mut places, envelope)?;
        set_list(&mut envelope.facts, "places", places);
    }
    set(json, &[("signatory", &["authorizedPersonSignatory"])], &mut envelope.facts)
}

fn mass_parties(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    for (role, member) in [
        ("responsible", "responsibleParty"),
        ("authorized", "authorizedParty"),
        ("weighing", "weighingParty"),
        ("submitting", "submittingParty"),
        ("ordered_by", "orderedByParty"),
        ("holding", "holdingParty"),
    ] {
        if let Some(found) = object(json, member, "party")? {
            let name = needed(found, &["partyName"], "name of a party")?;
            let id = needed(found, &["party", "partyCode"], "code of a party")?;
            envelope.party(role, name, id);
        }
    }
    routing(json, "routingDetails", envelope)
}

/// Adds who sends a message, and through whom to whom it goes.
///
/// # Errors
/// `Template`, `InvalidField`.
pub fn routing(json: &Json, name: &str, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Some(found) = object(json, name, "routing")? else { return Ok(()) };
    for (role, member) in [("originator", "originatingParty"), ("destination", "destinationParty")] {
        if let Some(one) = object(found, member, "party of the routing")? {
            envelope.party(role, None, needed(one, &["partyCode"], "code of a party")?);
        }
    }
    for one in objects(found, "forwardingParties", "list of forwarding parties")? {
        envelope.party("forwarder", None, needed(one, &["partyCode"], "code of a party")?);
    }
    Ok(())
}
