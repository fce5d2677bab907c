//! Transport documents (bills of lading and sea waybills), the shipping instructions that they are made from, their
//! amendments, and the flat bill of lading of the first endorsement chain.

use super::super::envelope::{Envelope, Record};
use super::super::error::{DocumentError, Field};
use super::super::fields::{
    code, count, day, flag, missing, money, needed, objects, required, required_flag, set, set_days, set_flags,
    set_list, text, texts,
};
use super::super::json::Json;
use super::cargo;
use super::party::{carrier, parties, references, referred};
use super::place;

/// Reads a transport document.
///
/// # Errors
/// `MissingField` without reference, type, whether it is to order, parties, cargo, equipment, or the ports of a
/// version 3; `Template` for a placeholder in what the kind requires; whatever is wrong with a value.
pub fn document(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    envelope.number = Some(required(json, &["transportDocumentReference"], "transport document reference")?);
    envelope.issue_date = day(json, &["issueDate"], "issue date")?;
    envelope.facts.set("status", needed(json, &["transportDocumentStatus"], "status of the transport document")?);
    envelope.facts.set("sub_reference", text(json, &["transportDocumentSubReference"], "sub-reference")?);
    title(json, envelope)?;
    carrier(json, envelope)?;
    set_days(
        json,
        &[
            ("shipped_on_board_date", &["shippedOnBoardDate"]),
            ("received_for_shipment_date", &["receivedForShipmentDate"]),
        ],
        &mut envelope.facts,
    )?;
    if let Some(value) = money(json, &["declaredValue"], &["declaredValueCurrency"], "declared value")? {
        envelope.facts.set("declared_value", value);
    }
    referred(json, "transportDocumentReference", envelope)?;
    if json.get("transports").is_none() {
        return Err(missing("transport plan"));
    }
    common(json, envelope)
}

/// Reads shipping instructions.
///
/// # Errors
/// As [`document`], but a reference is given by the carrier and may be absent.
pub fn instructions(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    envelope.number = match needed(json, &["shippingInstructionsReference"], "shipping instructions reference")? {
        None => needed(json, &["shippingInstructionReference"], "shipping instructions reference")?,
        found => found,
    };
    for (name, path) in [
        ("status", "shippingInstructionsStatus"),
        ("updated_status", "updatedShippingInstructionsStatus"),
        ("document_status", "documentStatus"),
    ] {
        if let Some(found) = needed(json, &[path], "status of the shipping instructions")? {
            envelope.facts.set(name, found);
        }
    }
    title(json, envelope)?;
    carrier(json, envelope)?;
    referred(json, "shippingInstructionsReference", envelope)?;
    common(json, envelope)?;
    let houses = objects(json, "houseBillOfLadings", "list of house bills of lading")?;
    let mut shown = Vec::with_capacity(houses.len());
    for house in houses {
        shown.push(house_bill(house, envelope)?);
    }
    set_list(&mut envelope.facts, "house_bills", shown);
    filings(json, envelope)
}

/// What kind of title the document is: its type, whether it is to order, and so whether it is negotiable.
fn title(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let kind = code(
        json,
        &["transportDocumentTypeCode"],
        "type of the transport document",
        &["BOL", "SWB"],
        "it is BOL (bill of lading) or SWB (sea waybill)",
    )?;
    let to_order = required_flag(json, &["isToOrder"], "statement whether it is to order")?;
    let facts = &mut envelope.facts;
    facts.set("document_type", kind.clone());
    facts.set("to_order", to_order);
    facts.set("negotiable", kind == "BOL" && to_order);
    set_flags(json, &[("electronic", &["isElectronic"]), ("shipped_on_board", &["isShippedOnBoardType"])], facts)?;
    let has = |name: &str| json.at(&["documentParties", name]).is_some();
    if kind == "SWB" && to_order {
        envelope.warn("waybill_to_order", "a sea waybill is never to order; ask its issuer which of the two holds");
    } else if to_order && has("consignee") {
        envelope
            .warn("consignee_and_to_order", "a bill to order names a consignee; ask its issuer which of the two holds");
    } else if !to_order && has("endorsee") {
        envelope.warn(
            "endorsee_and_not_to_order",
            "a bill that is not to order names an endorsee; ask its issuer which holds",
        );
    }
    if to_order && json.get("documentParties").is_some() {
        let endorsee = text(json, &["documentParties", "endorsee", "partyName"], "name of a party")?;
        envelope.facts.set("endorsement", if endorsee.is_some() { "named" } else { "blank" });
    }
    Ok(())
}

/// What transport documents and shipping instructions share.
fn common(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let parties_before = envelope.parties.len();
    parties(json, envelope)?;
    if envelope.parties.len() == parties_before {
        return Err(missing("party"));
    }
    for (name, path) in [
        ("freight_payment", &["freightPaymentTermCode"][..]),
        ("receipt_type", &["receiptTypeAtOrigin"]),
        ("delivery_type", &["deliveryTypeAtDestination"]),
        ("cargo_movement_at_origin", &["cargoMovementTypeAtOrigin"]),
        ("cargo_movement_at_destination", &["cargoMovementTypeAtDestination"]),
    ] {
        if let Some(found) = needed(json, path, name)? {
            envelope.facts.set(name, found);
        }
    }
    for (name, member) in [
        ("originals", "numberOfOriginals"),
        ("originals_with_charges", "numberOfOriginalsWithCharges"),
        ("originals_without_charges", "numberOfOriginalsWithoutCharges"),
        ("copies", "numberOfCopies"),
        ("copies_with_charges", "numberOfCopiesWithCharges"),
        ("copies_without_charges", "numberOfCopiesWithoutCharges"),
        ("rider_pages", "numberOfRiderPages"),
    ] {
        if let Some(found) = count(json, &[member], "number of originals, copies or pages")? {
            envelope.facts.set(name, found);
        }
    }
    set_flags(
        json,
        &[
            ("house_bills_issued", &["isHouseBillOfLadingsIssued"]),
            ("delivered_in_ics2_zone", &["isCargoDeliveredInICS2Zone"]),
            ("carriers_agent_at_destination", &["isCarriersAgentAtDestinationRequired"]),
        ],
        &mut envelope.facts,
    )?;
    let mut places = Vec::new();
    place::transports(json, &mut places, envelope)?;
    place::places(json, &mut places, envelope)?;
    if json.get("transports").is_some() {
        for (role, field) in [("port_of_loading", "port of loading"), ("port_of_discharge", "port of discharge")] {
            if !place::has(&places, role) {
                return Err(missing(field));
            }
        }
    }
    set_list(&mut envelope.facts, "places", places);
    references(json, envelope)?;
    cargo::consignment(json, envelope)?;
    if json.get("utilizedTransportEquipments").is_none_or(|list| list.items().is_empty()) {
        return Err(missing("equipment"));
    }
    cargo::equipment(json, envelope)?;
    cargo::charges(json, &mut envelope.facts)?;
    cargo::terms(json, &mut envelope.facts)?;
    let displayed = texts(json, "displayedShippedOnBoardReceivedForShipment", "on-board text")?;
    set_list(&mut envelope.facts, "on_board_text", displayed);
    feedbacks(json, envelope)
}

/// What the carrier remarks, as `feedbacks`.
///
/// # Errors
/// `InvalidField`.
pub fn feedbacks(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut shown = Vec::new();
    for list in ["feedbacks", "feedbackElements"] {
        for one in objects(json, list, "list of feedbacks")? {
            let mut feedback = Record::default();
            set(
                one,
                &[
                    ("severity", &["severity"]),
                    ("code", &["code"]),
                    ("message", &["message"]),
                    ("path", &["jsonPath"]),
                    ("path", &["propertyPath"]),
                    ("property", &["property"]),
                ],
                &mut feedback,
            )?;
            shown.push(feedback);
        }
    }
    set_list(&mut envelope.facts, "feedbacks", shown);
    Ok(())
}

/// A house bill inside shipping instructions: its own parties, places and cargo.
fn house_bill(json: &Json, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let mut inner = Envelope::new("dcsa", "house_bill");
    let number = required(json, &["houseBillOfLadingReference"], "house bill of lading reference")?;
    envelope.refer("house_bill_of_lading", Some(number.clone()));
    inner.facts.set("number", number);
    if let Some(to_order) = flag(json, &["isToOrder"], "to order")? {
        inner.facts.set("to_order", to_order);
    }
    set(json, &[("method_of_payment", &["methodOfPayment"])], &mut inner.facts)?;
    set_list(&mut inner.facts, "countries", texts(json, "routingOfConsignmentCountries", "countries of the route")?);
    parties(json, &mut inner)?;
    let mut places = Vec::new();
    place::places(json, &mut places, &mut inner)?;
    set_list(&mut inner.facts, "places", places);
    cargo::consignment(json, &mut inner)?;
    cargo::equipment(json, &mut inner)?;
    let shown: Vec<Record> = inner
        .parties
        .iter()
        .map(|party| {
            Record::default()
                .with("role", party.role.clone())
                .with("name", party.name.clone())
                .with("id", party.id.clone())
        })
        .collect();
    inner.facts.set("parties", shown);
    envelope.warnings.append(&mut inner.warnings);
    Ok(inner.facts)
}

/// What is filed ahead with customs, as `manifest_filings`.
fn filings(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut shown = Vec::new();
    for list in ["advanceManifestFilings", "advancedManifestFilings"] {
        for one in objects(json, list, "list of manifest filings")? {
            let mut filing = Record::default();
            set(
                one,
                &[
                    ("type", &["manifestTypeCode"]),
                    ("country", &["countryCode"]),
                    ("house_bills_by", &["advanceManifestFilingsHouseBLPerformedBy"]),
                    ("self_filer", &["selfFilerCode"]),
                    ("number", &["identificationNumber"]),
                ],
                &mut filing,
            )?;
            shown.push(filing);
        }
    }
    set_list(&mut envelope.facts, "manifest_filings", shown);
    Ok(())
}

/// Reads an amendment of a transport document.
///
/// # Errors
/// As [`document`].
pub fn amendment(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let amended =
        super::super::fields::required_object(json, "amendedTransportDocument", "amended transport document")?;
    document(amended, envelope)?;
    if let Some(status) = needed(json, &["amendedTransportDocumentStatus"], "status of the amendment")? {
        envelope.facts.set("amendment_status", status);
    }
    feedbacks(json, envelope)
}

/// Reads the flat bill of lading of DCSA's first endorsement chain, in which a party is a text of several lines.
///
/// # Errors
/// `MissingField` without number, shipper, ports; `Template`, `InvalidDate`.
pub fn flat(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    envelope.number = Some(required(json, &["blno"], "number of the bill of lading")?);
    envelope.issue_date = day(json, &["dateOfIssue"], "issue date")?;
    for (role, member) in [
        ("shipper", "shipper"),
        ("consignee", "consignee"),
        ("notify_party", "notifyParty"),
        ("notify_party", "alsoNotifyParty"),
        ("forwarding_agent", "forwardingAgentReferences"),
    ] {
        let written = needed(json, &[member], "name of a party")?;
        let name = written
            .as_deref()
            .and_then(|lines| lines.lines().next())
            .map(|line| line.trim().trim_end_matches(',').to_owned());
        envelope.party(role, name, None);
    }
    if !envelope.parties.iter().any(|party| party.role == "shipper") {
        return Err(missing("shipper"));
    }
    let written = text(json, &["consignee"], "consignee")?.unwrap_or_default();
    let to_order = written.trim_start().to_ascii_lowercase().starts_with("to order");
    envelope.facts.set("document_type", "BOL");
    envelope.facts.set("to_order", to_order);
    envelope.facts.set("negotiable", to_order);
    envelope.refer("booking", text(json, &["bookingNoCarrierRef"], "booking")?);
    envelope.refer("service_contract", text(json, &["exportImportSvcRef"], "service contract")?);
    set_days(json, &[("shipped_on_board_date", &["shippedOnBoardDate"])], &mut envelope.facts)?;
    let mut places = Vec::new();
    for (role, member) in [
        ("place_of_receipt", "placeOfReceipt"),
        ("port_of_loading", "portOfLoading"),
        ("port_of_discharge", "portOfDischarge"),
        ("place_of_delivery", "placeOfDelivery"),
        ("onward_inland_routing", "onwardInlandRoutingFinalDestination"),
        ("place_of_issue", "placeOfIssue"),
    ] {
        if let Some(name) = needed(json, &[member], "place")? {
            places.push(Record::default().with("role", role).with("name", name));
        } else if role.starts_with("port_of") {
            return Err(DocumentError::MissingField { field: Field::Named("port of loading or discharge") });
        }
    }
    envelope.facts.set("places", places);
    for (name, member) in [
        ("containers", "containerNumbers"),
        ("container_sizes", "sizeTypes"),
        ("seals", "sealNos"),
        ("description", "descriptionOfGoods"),
        ("gross_weight_text", "cargoGrossWeights"),
    ] {
        let written = text(json, &[member], name)?.unwrap_or_default();
        let lines: Vec<String> =
            written.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
        if name == "containers" {
            lines.iter().for_each(|number| cargo::check_container(number, envelope));
        }
        set_list(&mut envelope.facts, name, lines);
    }
    set(
        json,
        &[
            ("vessel", &["vessel"]),
            ("voyage", &["voyageNo"]),
            ("pre_carriage", &["preCarriageBy"]),
            ("receipt_delivery_type", &["receiptDeliveryType"]),
            ("cargo_movement", &["cargoMovementType"]),
            ("hs_code", &["hsCode"]),
            ("declared_value_text", &["shipperDeclaredValue"]),
            ("freight_payable_at", &["freightAndChargesPayableByAt"]),
            ("freight", &["freightAndCharges"]),
            ("originals_text", &["noAndSequenceOfOriginalBLs"]),
            ("document_hash", &["documentHash"]),
        ],
        &mut envelope.facts,
    )?;
    set_flags(json, &[("part_load", &["isPartLoad"])], &mut envelope.facts)?;
    cargo::terms(json, &mut envelope.facts)
}
