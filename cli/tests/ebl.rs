//! Transport documents in JSON: every published sample against what it must be read as, the rules of titles and chains,
//! each refusal, and damage.
//!
//! `tests/fixtures/ebl/expected.json` holds what each sample must be read as. With `PORTOLAN_WRITE_EXPECTED=1` the first
//! test writes it anew instead of comparing; the difference is for a person to review.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use portolan::document::{Document, DocumentError, Envelope, MAX_DEPTH, inspect};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

// ---- the world of these tests --------------------------------------------------------------------------------------

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/ebl"))
}

/// Every sample, by the name of its folder and file.
fn samples() -> BTreeMap<String, Vec<u8>> {
    ["dcsa", "tradetrust", "opencert"]
        .iter()
        .flat_map(|folder| {
            fs::read_dir(fixtures().join(folder)).expect("folder").map(move |entry| {
                let entry = entry.expect("entry");
                let bytes = fs::read(entry.path()).expect("sample");
                (format!("{folder}/{}", entry.file_name().to_string_lossy()), bytes)
            })
        })
        .collect()
}

fn sample(name: &str) -> Value {
    let bytes = fs::read(fixtures().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A sample with the value at the pointer replaced, or with none where `value` is null.
fn changed(name: &str, changes: &[(&str, Value)]) -> Value {
    changes.iter().fold(sample(name), |document, (pointer, value)| with(document, pointer, value.clone()))
}

fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    match document.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}")) {
        Value::Object(members) if value.is_null() => drop(members.remove(name)),
        Value::Object(members) => drop(members.insert(name.to_owned(), value)),
        Value::Array(items) => items[name.parse::<usize>().expect("a place")] = value,
        other => panic!("{pointer} is in {other}"),
    }
    document
}

fn read(document: &Value) -> Envelope {
    match inspect(document.to_string().as_bytes()) {
        Ok(Document::Other(envelope)) => *envelope,
        other => panic!("{other:?}"),
    }
}

fn shown(document: &Value) -> Value {
    serde_json::to_value(read(document)).expect("JSON")
}

fn refusal(document: &Value) -> DocumentError {
    inspect(document.to_string().as_bytes()).map(|read| format!("{read:?}")).expect_err("must be refused")
}

/// Code and reason of a refusal.
fn why(document: &Value) -> (&'static str, String) {
    let error = refusal(document);
    (error.code(), error.to_string())
}

fn warnings(document: &Value) -> Vec<&'static str> {
    read(document).warnings.into_iter().map(|warning| warning.code).collect()
}

const ISSUED: &str = "dcsa/openapi-ebl-3.0.4-issuedFullStateTransferExample.json";
const TRANSFER: &str = "dcsa/openapi-pint-3.0.0-regularSTDExample.json";
const CHAIN: &str = "dcsa/openapi-end-3.0.4-surrenderedStraightBLExample.json";
const NEGOTIABLE: &str = "dcsa/ebl-api-3.0.0-negotiable-bl.json";

/// The bill of lading inside the notification that it was issued. Its members stand in the order of their names, as
/// those of all documents that a test builds.
fn bill() -> Value {
    sample(ISSUED)["data"]["transportDocument"].clone()
}

/// Instructions with a booking, which the samples leave open.
fn instructions() -> Value {
    changed(NEGOTIABLE, &[("/consignmentItems/0/carrierBookingReference", json!("CBR-1"))])
}

fn party(name: &str) -> Value {
    json!({ "partyName": name, "eblPlatform": "WAVE", "identifyingCodes": [{ "codeListProvider": "WAVE", "partyCode": name }] })
}

/// An act of a chain: when, what, by whom, to whom.
fn act(at: &str, action: &str, actor: &str, recipient: Option<&str>) -> Value {
    let mut act = json!({ "actionDateTime": at, "actionCode": action, "actor": party(actor) });
    if let Some(recipient) = recipient {
        act["recipient"] = party(recipient);
    }
    act
}

fn chain(acts: &[Value]) -> Value {
    json!({ "transportDocumentReference": "T-1", "endorsementChain": acts })
}

/// The actions of a chain as it is shown, with the facts about its order.
fn order(document: &Value) -> (Vec<String>, String, Value) {
    let facts = shown(document)["facts"].clone();
    let actions = facts["endorsement_chain"].as_array().expect("a chain").iter();
    let actions = actions.map(|act| act["action"].as_str().expect("an action").to_owned()).collect();
    (actions, facts["chain_order"].as_str().expect("an order").to_owned(), facts["chain_whole"].clone())
}

// ---- the samples ---------------------------------------------------------------------------------------------------

#[test]
fn every_sample_is_read_as_it_must_be() {
    let found: BTreeMap<String, Value> = samples()
        .into_iter()
        .map(|(name, bytes)| {
            let shown = match inspect(&bytes) {
                Ok(document) => serde_json::to_value(&document).expect("JSON"),
                Err(error) => json!({ "code": error.code(), "reason": error.to_string() }),
            };
            (name, shown)
        })
        .collect();
    let path = fixtures().join("expected.json");
    if std::env::var_os("PORTOLAN_WRITE_EXPECTED").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&found).expect("JSON") + "\n").expect("expected.json");
    }
    let expected: BTreeMap<String, Value> =
        serde_json::from_slice(&fs::read(&path).expect("expected.json")).expect("JSON");
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, found) in &found {
        assert_eq!(found, &expected[name], "{name}");
    }
}

/// Kind, number and day of each sample that is read, written by hand.
const HEADS: &[(&str, &str, Option<&str>, Option<&str>)] = &[
    ("dcsa/ValidShippingInstruction.json", "shipping_instructions", None, None),
    (
        "dcsa/arrivalnotice-api-100-post-basic-request.json",
        "arrival_notice",
        Some("HLCUSGS250302123"),
        Some("2024-03-04"),
    ),
    (
        "dcsa/arrivalnotice-api-100-post-freetime-request.json",
        "arrival_notice",
        Some("MSK71900000"),
        Some("2023-12-10"),
    ),
    (
        "dcsa/arrivalnotice-api-100-post-freighted-request.json",
        "arrival_notice",
        Some("SAM43512554"),
        Some("2025-03-04"),
    ),
    (
        "dcsa/arrivalnotice-api-100-post-notification-request.json",
        "arrival_notice_notification",
        Some("HLCUSGS250302123"),
        Some("2024-03-04"),
    ),
    ("dcsa/booking-api-2.0.0-dg.json", "booking_request", None, None),
    ("dcsa/booking-api-2.0.0-non-operating-reefer.json", "booking_request", None, None),
    ("dcsa/booking-api-2.0.0-reefer.json", "booking_request", None, None),
    ("dcsa/booking-api-2.0.0-regular.json", "booking_request", None, None),
    ("dcsa/booking-api-2.0.0-routing-reference.json", "booking_request", None, None),
    ("dcsa/booking-api-2.0.0-store-door-at-destination.json", "booking_request", None, None),
    ("dcsa/booking-api-2.0.0-store-door-at-origin.json", "booking_request", None, None),
    ("dcsa/endorsementchain-bol-example.json", "bill_of_lading", Some("SIN9811811"), Some("2022-01-23")),
    ("dcsa/envelope-0.11-transferblock.json", "transfer_block", None, Some("2022-08-02")),
    (
        "dcsa/openapi-ebl-3.0.4-amendDeclinedLightweightExample.json",
        "transport_document_notification",
        Some("HHL71800000"),
        None,
    ),
    (
        "dcsa/openapi-ebl-3.0.4-declinedLightweightExample.json",
        "shipping_instructions_notification",
        Some("e0559d83-00e2-438e-afd9-fdd610c1a008"),
        None,
    ),
    (
        "dcsa/openapi-ebl-3.0.4-issuedFullStateTransferExample.json",
        "transport_document_notification",
        Some("HHL71800000"),
        None,
    ),
    (
        "dcsa/openapi-ebl-3.0.4-{transportDocumentReference}-reeferExample.json",
        "transport_document",
        Some("D8931B95625E4B339F2A"),
        None,
    ),
    (
        "dcsa/openapi-end-3.0.4-surrenderedStraightBLExample.json",
        "endorsement_chain",
        Some("62CD536BA8D34C469AFD"),
        None,
    ),
    ("dcsa/openapi-end-3.0.4-twoTDSRExample.json", "endorsement_chain", Some("62CD536BA8D34C469AFD"), None),
    ("dcsa/openapi-issuance-3.0.4-issuExample.json", "issuance_response", Some("HHL7180000000"), None),
    ("dcsa/openapi-issuance-3.0.4-rejectedExample.json", "issuance_response", Some("HHL7180000000"), None),
    ("dcsa/openapi-pint-3.0.0-regularSTDExample.json", "envelope_transfer", Some("62CD536BA8D34C469AFD"), None),
    ("dcsa/openapi-surrender-3.0.4-surrenderExample.json", "surrender_request", Some("Z12345"), None),
    ("dcsa/tnt-220-response.json", "track_and_trace", None, None),
    ("dcsa/tnt-220-response-wrong-attribute-values.json", "track_and_trace", None, None),
    ("dcsa/tnt-300-request-equipment.json", "track_and_trace", Some("evt-equip-001-2026-01-20T14:15:00Z"), None),
    ("dcsa/tnt-300-request-iot.json", "track_and_trace", Some("evt-iot-001-2026-01-20T16:45:00Z"), None),
    ("dcsa/tnt-300-request-reefer.json", "track_and_trace", Some("evt-reefer-001-2026-01-20T18:00:00Z"), None),
    ("dcsa/tnt-300-request-shipment.json", "track_and_trace", Some("evt-ship-001"), None),
    ("dcsa/tnt-300-request-transport.json", "track_and_trace", Some("evt-trans-001-2026-01-20T12:30:00Z"), None),
    (
        "dcsa/vgm-api-100-post-request.json",
        "verified_gross_mass",
        Some("VGM-HHL71800000-APZU4812090-2025-01-23T01:23:45Z"),
        Some("2025-01-23"),
    ),
    (
        "tradetrust/billofladingbimcostandard.json",
        "bill_of_lading",
        Some("3941a15c-9d13-4b13-ae4d-e678686c4dea"),
        Some("2023-10-17"),
    ),
    ("tradetrust/billofladingcarriertemplate-v2.json", "bill_of_lading", Some("SGCNM21566325"), None),
    ("tradetrust/billofladinggeneric.json", "bill_of_lading", Some("SGCNM21566325"), None),
    ("tradetrust/sample-data-file-ebl.json", "bill_of_lading", Some("123"), None),
    ("tradetrust/sample-token.json", "document", Some("SERIAL_NUMBER_123"), None),
    ("opencert/v2__did-wrapped.json", "certificate_of_non_manipulation", Some("SGCNM21566325"), None),
    ("opencert/v2__wrapped-transferable-document.json", "document", Some("SERIAL_NUMBER_123"), None),
    (
        "opencert/v3__wrapped-transferable-document.json",
        "driving_licence_credential",
        Some("SERIAL_NUMBER_123"),
        Some("2010-01-01"),
    ),
];

#[test]
fn kind_number_and_day_of_the_samples_are_those_that_a_person_reads() {
    for &(name, kind, number, day) in HEADS {
        let found = read(&sample(name));
        let issued = found.issue_date.map(|day| day.to_string());
        assert_eq!((found.kind.as_str(), found.number.as_deref(), issued.as_deref()), (kind, number, day), "{name}");
    }
}

#[test]
fn what_a_sample_does_wrong_is_refused_by_name() {
    let of = |name: &str| why(&sample(name));
    let template = |field: &str, value: &str| {
        (
            "template",
            format!("the document is a template: its {field} is still the placeholder {value:?}; fill it in first"),
        )
    };
    let reference = "transport document reference";
    assert_eq!(
        of("dcsa/eblissuance-v3.0.0-request.json"),
        template(reference, "TRANSPORT_DOCUMENT_REFERENCE_PLACEHOLDER")
    );
    assert_eq!(
        of("dcsa/pint-3.0.0-transport-document.json"),
        template(reference, "TRANSPORT_DOCUMENT_REFERENCE_PLACEHOLDER")
    );
    assert_eq!(
        of("dcsa/arrivalnotice-api-100-get-basic-response.json"),
        template(reference, "TRANSPORT_DOCUMENT_REFERENCE")
    );
    for name in ["2c1u", "amf", "dg", "negotiable-bl", "no-commodity-subreference", "request"] {
        assert_eq!(
            of(&format!("dcsa/ebl-api-3.0.0-{name}.json")),
            template("carrier booking reference", "{CBR}"),
            "{name}"
        );
    }
    assert_eq!(of("tradetrust/promissorynote-v2.json"), template("token registry", "<YOUR_TOKEN_REGISTRY>"));
    assert_eq!(of("tradetrust/sample-data-file-invoice.json"), template("number of the invoice", "<Invoice ID1>"));
    let (code, reason) = of("dcsa/pint-3.0.0-error-message.json");
    assert_eq!(code, "error_body");
    assert_eq!(
        reason,
        "this is the error body of an interface (\"400 Bad Request\"), and no document; it says: \
         \"The supplied data could not be accepted\""
    );
    for name in ["ebl-api-3.0.0", "eblsurrender-api-v3.0.0", "eblissuance-v3.0.0", "booking-api-2.0.0"] {
        assert_eq!(of(&format!("dcsa/{name}-error-message.json")).0, "error_body", "{name}");
    }
    assert_eq!(of("dcsa/openapi-pint-3.0.0-unknownPartyExample.json").0, "error_body");
    assert_eq!(
        of("tradetrust/sample-data-file-ebl-error-missing-fields.json"),
        (
            "missing_field",
            "the document has no number of the bill of lading; ask its sender for a complete one".to_owned()
        )
    );
    assert_eq!(of("tradetrust/schema.json").0, "unsupported_document");
    assert_eq!(of("dcsa/tnt-220-response-wrong-structure.json").0, "unsupported_document");
    assert_eq!(
        of("dcsa/tnt-220-response-wrong-date-times.json"),
        (
            "missing_field",
            "the document has no time at which an event was created; ask its sender for a complete one".to_owned()
        )
    );
    assert_eq!(
        of("dcsa/tnt-220-response-wrong-event-ids.json"),
        ("invalid_field", "the id of an event \"123456789\" is not allowed: it is a text in quotes".to_owned())
    );
    let bare = fs::read(fixtures().join("dcsa/eblsurrender-api-v3.0.0-request.json")).expect("sample");
    let error = inspect(&bare).expect_err("words without quotes");
    assert_eq!(error.code(), "malformed_json");
    assert!(
        error.to_string().ends_with("CARRIER_PARTY has no quotes, as in a template that was not filled in"),
        "{error}"
    );
}

// ---- titles --------------------------------------------------------------------------------------------------------

#[test]
fn a_bill_tells_its_title_parties_ports_vessel_cargo_and_charges() {
    let found = shown(&bill());
    let facts = &found["facts"];
    assert_eq!(
        (&found["format"], &found["kind"], &found["number"]),
        (&json!("dcsa"), &json!("transport_document"), &json!("HHL71800000"))
    );
    for (name, expected) in [
        ("status", json!("ISSUED")),
        ("sub_reference", json!("v2")),
        ("document_type", json!("BOL")),
        ("to_order", json!(true)),
        ("negotiable", json!(true)),
        ("endorsement", json!("blank")),
        ("electronic", json!(true)),
        ("shipped_on_board_date", json!("2023-12-20")),
        ("freight_payment", json!("PRE")),
        ("receipt_type", json!("CY")),
        ("planned_departure", json!("2023-12-20")),
        ("planned_arrival", json!("2023-12-22")),
        ("package_count", json!(400)),
        ("gross_weight", json!([{ "value": "12000", "unit": "KGM" }])),
    ] {
        assert_eq!(facts[name], expected, "{name}");
    }
    assert_eq!(
        found["parties"],
        json!([
            { "role": "carrier", "name": null, "id": "MSC" },
            { "role": "issuing_party", "name": "Mediterranean Shipping Company", "id": "529900T8BM49AURSDO55" },
            { "role": "shipper", "name": "DCSA CTK", "id": null },
        ])
    );
    assert_eq!(
        found["references"],
        json!([
            { "kind": "shipping_instructions", "number": "fc5009a7-25ad-4bb0-9892-4e2dea6bcdd9" },
            { "kind": "service_contract", "number": "SCR-1234-REGULAR" },
            { "kind": "booking", "number": "CBR_123_REGULAR" },
        ])
    );
    assert_eq!(
        facts["places"],
        json!([
            { "role": "port_of_loading", "un_location": "DKAAR" },
            { "role": "port_of_discharge", "un_location": "DEBRV" },
            { "role": "invoice_payable_at", "un_location": "DKAAR" },
        ])
    );
    assert_eq!(facts["vessel_voyages"], json!([{ "vessel": "MSC Gülsün", "export_voyage": "402E" }]));
    assert_eq!(
        facts["cargo"],
        json!([{
            "booking": "CBR_123_REGULAR",
            "description": ["Shoes - black"],
            "hs_codes": ["640510"],
            "items": [{
                "equipment": "NARU3472484",
                "gross_weight": { "value": "12000", "unit": "KGM" },
                "packages": 400,
                "package_code": "4G",
                "package": "Fibreboard boxes",
            }],
        }])
    );
    assert_eq!(
        facts["equipment"],
        json!([{ "number": "NARU3472484", "iso_code": "22G1", "shipper_owned": false, "seals": ["DCSA-CTK-1234"] }])
    );
    assert_eq!(facts["charges"][0]["amount"], json!({ "currency": "EUR", "minor": 100 }));
    assert!(facts["terms"][0].as_str().is_some_and(|terms| terms.starts_with("You agree that")));
}

#[test]
fn the_type_and_the_order_clause_decide_whether_a_document_is_negotiable() {
    let consignee = json!({ "partyName": "C", "identifyingCodes": [{ "codeListProvider": "ZZZ", "partyCode": "C" }] });
    let title = |kind: &str, to_order: bool, named: &str| {
        let document = with(with(bill(), "/transportDocumentTypeCode", json!(kind)), "/isToOrder", json!(to_order));
        if named.is_empty() {
            document
        } else {
            with(document, &format!("/documentParties/{named}"), consignee.clone())
        }
    };
    for (kind, to_order, named, negotiable, endorsement, warning) in [
        ("BOL", true, "", true, json!("blank"), None),
        ("BOL", true, "endorsee", true, json!("named"), None),
        ("BOL", false, "consignee", false, Value::Null, None),
        ("SWB", false, "consignee", false, Value::Null, None),
        ("SWB", true, "", false, json!("blank"), Some("waybill_to_order")),
        ("BOL", true, "consignee", true, json!("blank"), Some("consignee_and_to_order")),
        ("BOL", false, "endorsee", false, Value::Null, Some("endorsee_and_not_to_order")),
    ] {
        let document = title(kind, to_order, named);
        let facts = &shown(&document)["facts"];
        let found = (&facts["negotiable"], &facts["to_order"], &facts["endorsement"]);
        assert_eq!(found, (&json!(negotiable), &json!(to_order), &endorsement), "{kind} {to_order} {named}");
        let odd: Vec<_> = warnings(&document).into_iter().filter(|code| code.contains("order")).collect();
        assert_eq!(odd, warning.into_iter().collect::<Vec<_>>(), "{kind} {to_order} {named}");
    }
    assert_eq!(
        why(&title("BILL", true, "")),
        (
            "invalid_field",
            "the type of the transport document \"BILL\" is not allowed: it is BOL (bill of lading) or SWB (sea waybill)".to_owned()
        )
    );
}

#[test]
fn a_document_is_read_bare_wrapped_and_in_a_list() {
    let bare = shown(&bill());
    let wrapped = shown(&json!({ "transportDocument": bill() }));
    for part in ["kind", "number", "issue_date", "parties", "references", "facts", "warnings"] {
        assert_eq!(wrapped[part], bare[part], "{part}");
    }
    assert_eq!(shown(&json!([bill()]))["facts"], bare["facts"]);
    let other = with(bill(), "/transportDocumentReference", json!("OTHER"));
    let both = shown(&json!([bill(), other]));
    assert_eq!((&both["number"], &both["facts"]["document_count"]), (&Value::Null, &json!(2)));
    assert_eq!(both["facts"]["documents"][0]["number"], "HHL71800000");
    assert_eq!(both["facts"]["documents"][1]["number"], "OTHER");
    assert_eq!(both["facts"]["documents"][1]["negotiable"], true);
    assert_eq!(refusal(&json!([bill(), instructions()])).code(), "several_documents");
    assert_eq!(refusal(&json!([bill(), { "a": 1 }])).code(), "several_documents");
    assert_eq!(refusal(&json!([{ "a": 1 }])).code(), "unsupported_document");
    assert_eq!(shown(&json!({ "shippingInstructions": instructions() }))["kind"], "shipping_instructions");
}

#[test]
fn what_each_kind_requires_is_refused_by_its_name_when_it_is_absent() {
    let missing = |document: Value| {
        let error = refusal(&document);
        assert_eq!(error.code(), "missing_field", "{error}");
        error.to_string().replace("the document has no ", "").replace("; ask its sender for a complete one", "")
    };
    for (pointer, field) in [
        ("/transportDocumentReference", "transport document reference"),
        ("/transportDocumentTypeCode", "type of the transport document"),
        ("/isToOrder", "statement whether it is to order"),
        ("/documentParties", "party"),
        ("/consignmentItems", "consignment item"),
        ("/consignmentItems/0/descriptionOfGoods", "description of goods"),
        ("/consignmentItems/0/cargoItems", "cargo item"),
        ("/consignmentItems/0/cargoItems/0/cargoGrossWeight/value", "weight or volume of the cargo"),
        ("/consignmentItems/0/cargoItems/0/cargoGrossWeight/unit", "unit of a weight or volume"),
        ("/utilizedTransportEquipments", "equipment"),
        ("/utilizedTransportEquipments/0/equipment/equipmentReference", "container number"),
        ("/transports", "transport plan"),
        ("/transports/portOfLoading", "port of loading"),
        ("/transports/portOfDischarge", "port of discharge"),
        ("/charges/0/currencyCode", "currency"),
    ] {
        assert_eq!(missing(with(bill(), pointer, Value::Null)), field, "{pointer}");
    }
    for (name, pointer, field) in [
        (TRANSFER, "/envelopeManifestSignedContent", "envelope manifest"),
        (TRANSFER, "/envelopeTransferChain", "transfer chain"),
        (TRANSFER, "/transportDocument", "transport document"),
        ("dcsa/openapi-surrender-3.0.4-surrenderExample.json", "/surrenderRequestCode", "surrender request code"),
        (
            "dcsa/openapi-surrender-3.0.4-surrenderExample.json",
            "/transportDocumentReference",
            "transport document reference",
        ),
        (
            "dcsa/openapi-surrender-3.0.4-surrenderExample.json",
            "/endorsementChain/0/actionDateTime",
            "time of an endorsement",
        ),
        ("dcsa/openapi-issuance-3.0.4-issuExample.json", "/transportDocumentReference", "transport document reference"),
        (ISSUED, "/time", "time of the notification"),
        (ISSUED, "/data/transportDocumentStatus", "status of the transport document"),
        ("dcsa/booking-api-2.0.0-regular.json", "/receiptTypeAtOrigin", "type of receipt or delivery"),
        ("dcsa/booking-api-2.0.0-regular.json", "/requestedEquipments", "requested equipment"),
        ("dcsa/booking-api-2.0.0-regular.json", "/shipmentLocations", "location of the shipment"),
        (
            "dcsa/arrivalnotice-api-100-post-basic-request.json",
            "/arrivalNotices/0/transport/portOfDischarge",
            "port of discharge",
        ),
        ("dcsa/vgm-api-100-post-request.json", "/VGMDeclarations/0/VGM/weight", "verified gross mass"),
        ("dcsa/tnt-300-request-shipment.json", "/events/0/eventID", "id of an event"),
        (
            "dcsa/tnt-300-request-shipment.json",
            "/events/0/eventClassification/shipmentEventTypeCode",
            "code of an event",
        ),
        ("dcsa/tnt-220-response.json", "/0/transportCall", "transport call of an event"),
        ("dcsa/endorsementchain-bol-example.json", "/portOfLoading", "port of loading or discharge"),
        ("tradetrust/sample-token.json", "/issuers/0/name", "name of the issuer"),
        ("opencert/v3__raw-document.json", "/issuer", "issuer"),
    ] {
        assert_eq!(missing(with(sample(name), pointer, Value::Null)), field, "{name} {pointer}");
    }
}

#[test]
fn a_value_of_another_type_is_refused_by_its_name() {
    for (pointer, value, field) in [
        ("/transportDocumentReference", json!(7), "transport document reference"),
        ("/transportDocumentReference", json!(["a"]), "transport document reference"),
        ("/isToOrder", json!("true"), "statement whether it is to order"),
        ("/documentParties", json!("Shipper"), "list of parties"),
        ("/documentParties/shipper", json!("Shipper"), "party"),
        ("/consignmentItems", json!({}), "consignment item"),
        ("/consignmentItems/0", json!("goods"), "consignment item"),
        ("/consignmentItems/0/descriptionOfGoods", json!([{}]), "description of goods"),
        ("/consignmentItems/0/cargoItems/0/outerPackaging", json!([]), "outer packaging"),
        ("/consignmentItems/0/cargoItems/0/outerPackaging/numberOfPackages", json!("400"), "number of packages"),
        ("/consignmentItems/0/cargoItems/0/outerPackaging/numberOfPackages", json!(-1), "number of packages"),
        ("/transports", json!("by sea"), "transport plan"),
        ("/transports/portOfLoading", json!("DKAAR"), "place"),
        ("/references", json!("FF"), "list of references"),
        ("/termsAndConditions", json!({}), "clause"),
        ("/shippedOnBoardDate", json!(20231220), "shipped_on_board_date"),
    ] {
        let error = refusal(&with(bill(), pointer, value));
        assert_eq!(error.code(), "invalid_field", "{pointer}: {error}");
        assert!(error.to_string().starts_with(&format!("the {field} ")), "{pointer}: {error}");
    }
    let day = refusal(&with(bill(), "/shippedOnBoardDate", json!("2023-02-29")));
    assert_eq!(day.code(), "invalid_date");
    let weight = |value: Value| with(bill(), "/consignmentItems/0/cargoItems/0/cargoGrossWeight/value", value);
    assert_eq!(refusal(&weight(json!("heavy"))).code(), "invalid_amount");
    assert_eq!(refusal(&weight(json!("12,5"))).code(), "invalid_amount");
    let fine = with(bill(), "/charges/0/currencyAmount", json!(1.005));
    assert_eq!(refusal(&fine).code(), "too_many_decimals");
    assert_eq!(refusal(&with(bill(), "/charges/0/currencyCode", json!("RMB"))).code(), "unknown_currency");
}

#[test]
fn weights_are_summed_exactly_and_by_unit() {
    let item = |value: &str, unit: &str| {
        format!(
            r#"{{"equipmentReference":"X","cargoGrossWeight":{{"value":{value},"unit":"{unit}"}},"outerPackaging":{{"numberOfPackages":1}}}}"#
        )
    };
    let items = [item("0.1", "KGM"), item("0.2", "KGM"), item("1.2E7", "KGM"), item("5", "LBR")].join(",");
    let text = with(bill(), "/consignmentItems/0/cargoItems", json!("HERE"))
        .to_string()
        .replace("\"HERE\"", &format!("[{items}]"));
    let found = inspect(text.as_bytes()).map(|document| serde_json::to_value(document).expect("JSON")).expect("a bill");
    assert_eq!(
        found["facts"]["gross_weight"],
        json!([{ "value": "12000000.3", "unit": "KGM" }, { "value": "5", "unit": "LBR" }])
    );
    assert_eq!(found["facts"]["package_count"], 4);
}

#[test]
fn a_placeholder_refuses_where_the_kind_requires_a_value_and_warns_elsewhere() {
    for (pointer, field) in [
        ("/transportDocumentReference", "transport document reference"),
        ("/shippingInstructionsReference", "reference"),
        ("/documentParties/shipper/partyName", "name of a party"),
        ("/documentParties/issuingParty/identifyingCodes/0/partyCode", "code of a party"),
        ("/consignmentItems/0/carrierBookingReference", "carrier booking reference"),
        ("/utilizedTransportEquipments/0/equipment/equipmentReference", "container number"),
        ("/utilizedTransportEquipments/0/seals/0/number", "number of a seal"),
        ("/transports/portOfLoading/UNLocationCode", "UN/LOCODE"),
        ("/transports/vesselVoyages/0/vesselName", "vessel or voyage"),
        ("/carrierCode", "code of the carrier"),
    ] {
        let (code, reason) = why(&with(bill(), pointer, json!("{{value}}")));
        assert_eq!(code, "template", "{pointer}");
        assert_eq!(
            reason,
            format!(
                "the document is a template: its {field} is still the placeholder \"{{{{value}}}}\"; fill it in first"
            )
        );
    }
    for pointer in ["/partyContactDetails/0/name", "/charges/0/calculationBasis", "/termsAndConditions"] {
        let document = with(bill(), pointer, json!("TEXT_PLACEHOLDER"));
        assert!(warnings(&document).contains(&"placeholder"), "{pointer}");
    }
}

// ---- chains --------------------------------------------------------------------------------------------------------

const DAY_1: &str = "2025-09-01T10:00:00Z";
const DAY_2: &str = "2025-09-02T10:00:00Z";
const DAY_3: &str = "2025-09-03T10:00:00Z";

#[test]
fn a_chain_that_stands_newest_first_is_shown_oldest_first_and_two_acts_of_one_moment_keep_their_order() {
    let document = sample(CHAIN);
    let (actions, order, whole) = order(&document);
    assert_eq!(actions, ["ISSUE", "TRANSFER", "SURRENDER_FOR_DELIVERY", "SURRENDERED"]);
    assert_eq!((order.as_str(), whole), ("newest_first", json!(true)));
    assert_eq!(warnings(&document), ["chain_reversed"]);
    let first = shown(&document)["facts"]["endorsement_chain"][0].clone();
    assert_eq!(
        first,
        json!({
            "action": "ISSUE",
            "at": "2025-09-09T12:55:31Z",
            "actor": {
                "name": "Yang Ming Marine Transport Corporation", "platform": "WAVE",
                "id": "4bd196da-0d8b-436d-bad4-4cc88f04a035", "id_list": "WAVE",
            },
            "recipient": {
                "name": "Suzano Brazil", "platform": "WAVE",
                "id": "ee92b6b7-ac27-4537-87df-019c69389346", "id_list": "WAVE",
            },
        })
    );
}

#[test]
fn two_versions_of_a_document_have_a_chain_each() {
    let found = shown(&sample("dcsa/openapi-end-3.0.4-twoTDSRExample.json"));
    assert_eq!(found["number"], "62CD536BA8D34C469AFD");
    let documents = found["facts"]["documents"].as_array().expect("two");
    assert_eq!((&documents[0]["sub_reference"], &documents[1]["sub_reference"]), (&json!("v2"), &json!("v1")));
    assert_eq!(
        (&documents[0]["chain_order"], &documents[1]["chain_order"]),
        (&json!("oldest_first"), &json!("newest_first"))
    );
    let last = documents[1]["endorsement_chain"].as_array().expect("a chain").last().expect("an act").clone();
    assert_eq!(last["action"], "SURRENDERED");
}

#[test]
fn the_order_of_a_chain_is_that_of_its_moments() {
    let issue = act(DAY_1, "ISSUE", "carrier", Some("a"));
    let to_b = act(DAY_2, "TRANSFER", "a", Some("b"));
    let to_c = act(DAY_3, "TRANSFER", "b", Some("c"));
    let acts = ["ISSUE", "TRANSFER", "TRANSFER"].map(str::to_owned).to_vec();
    for (given, expected, warned) in [
        ([&issue, &to_b, &to_c], "oldest_first", vec![]),
        ([&to_c, &to_b, &issue], "newest_first", vec!["chain_reversed"]),
        ([&to_b, &issue, &to_c], "unsorted", vec!["chain_unsorted"]),
    ] {
        let document = chain(&given.map(Clone::clone));
        assert_eq!(order(&document), (acts.clone(), expected.to_owned(), json!(true)));
        assert_eq!(warnings(&document), warned);
    }
    // The zone counts, not the digits.
    let late = act("2025-09-01T23:30:00-02:00", "TRANSFER", "a", Some("b"));
    let later = act("2025-09-02T01:45:00Z", "TRANSFER", "b", Some("c"));
    let document = chain(&[later, late, issue.clone()]);
    assert_eq!(order(&document).1, "newest_first");
    assert_eq!(shown(&document)["facts"]["endorsement_chain"][2]["recipient"]["name"], "c");
    // Where the moments tell nothing, the issue is the first.
    let same = act(DAY_1, "TRANSFER", "a", Some("b"));
    assert_eq!(order(&chain(&[same.clone(), issue.clone()])).1, "newest_first");
    assert_eq!(order(&chain(&[issue, same.clone()])).1, "oldest_first");
    assert_eq!(order(&chain(&[same.clone(), same])).1, "unknown");
}

#[test]
fn a_chain_without_its_issue_or_with_an_act_of_a_stranger_is_not_whole() {
    let issue = act(DAY_1, "ISSUE", "carrier", Some("a"));
    let document = chain(&[act(DAY_2, "TRANSFER", "a", Some("b"))]);
    assert_eq!((order(&document).2, warnings(&document)), (json!(false), vec!["chain_without_issue"]));
    let document = chain(&[issue.clone(), act(DAY_2, "TRANSFER", "stranger", Some("b"))]);
    assert_eq!((order(&document).2, warnings(&document)), (json!(false), vec!["chain_gap"]));
    // Who endorses or signs stays in control; who transfers does not.
    let signed = chain(&[issue.clone(), act(DAY_2, "ENDORSE", "a", Some("b")), act(DAY_3, "TRANSFER", "a", Some("c"))]);
    assert_eq!(order(&signed).2, json!(true));
    let twice = chain(&[issue.clone(), act(DAY_2, "TRANSFER", "a", Some("b")), act(DAY_3, "TRANSFER", "a", Some("c"))]);
    assert_eq!((order(&twice).2, warnings(&twice)), (json!(false), vec!["chain_gap"]));
    // An agent acts for the party that it represents.
    let mut by_agent = act(DAY_2, "TRANSFER", "agent", Some("b"));
    by_agent["actor"]["representedParty"] = json!({ "partyName": "a" });
    assert_eq!(order(&chain(&[issue, by_agent])).2, json!(true));
}

#[test]
fn answers_to_issuance_and_surrender_tell_their_codes() {
    let refused = shown(&sample("dcsa/openapi-issuance-3.0.4-rejectedExample.json"))["facts"].clone();
    assert_eq!(
        refused,
        json!({
            "code": "REFU", "issued": false, "reason": "IssueTo party not recognized by receiving platform",
            "errors": [{ "code": "PAR12345", "reason": "\"HHL Invest\" with partyCode BOLE001 is unknown" }],
        })
    );
    for (code, issued) in [("ISSU", true), ("BREQ", false), ("REFU", false)] {
        let answer = json!({ "transportDocumentReference": "T-1", "issuanceResponseCode": code });
        assert_eq!(shown(&answer)["facts"], json!({ "code": code, "issued": issued }));
    }
    let unknown = json!({ "transportDocumentReference": "T-1", "issuanceResponseCode": "DONE" });
    assert_eq!(refusal(&unknown).code(), "invalid_field");
    for (action, surrendered) in [("SURR", true), ("SREJ", false)] {
        let answer = json!({ "surrenderRequestReference": "Z-1", "action": action, "comments": "so" });
        let found = shown(&answer);
        assert_eq!((&found["kind"], &found["number"]), (&json!("surrender_response"), &json!("Z-1")));
        assert_eq!(found["facts"], json!({ "surrendered": surrendered, "code": action, "comments": "so" }));
    }
    let request = sample("dcsa/openapi-surrender-3.0.4-surrenderExample.json");
    let found = shown(&request);
    assert_eq!((&found["facts"]["code"], &found["facts"]["surrender_for"]), (&json!("SREQ"), &json!("delivery")));
    assert_eq!(found["references"], json!([{ "kind": "transport_document", "number": "HHL71800000" }]));
    assert_eq!(found["facts"]["endorsement_chain"][0]["audit_reference"], "AUDIT0007");
    let amended = with(request.clone(), "/surrenderRequestCode", json!("AREQ"));
    assert_eq!(shown(&amended)["facts"]["surrender_for"], "amendment");
    assert_eq!(refusal(&with(request, "/surrenderRequestCode", json!("SURR"))).code(), "invalid_field");
}

#[test]
fn a_request_to_issue_has_the_document_and_to_whom_it_goes() {
    let request = json!({
        "document": bill(),
        "issueTo": {
            "partyName": "First Holder", "sendToPlatform": "WAVE",
            "identifyingCodes": [{ "codeListProvider": "WAVE", "partyCode": "H-1" }],
        },
    });
    let found = shown(&request);
    assert_eq!((&found["kind"], &found["number"]), (&json!("issuance_request"), &json!("HHL71800000")));
    assert_eq!(found["facts"]["platform"], "WAVE");
    assert!(
        found["parties"]
            .as_array()
            .expect("parties")
            .contains(&json!({ "role": "issue_to", "name": "First Holder", "id": "H-1" }))
    );
    assert_eq!(refusal(&with(request.clone(), "/issueTo", Value::Null)).code(), "missing_field");
    let checksum = "ab".repeat(32);
    let manifest = jws(&json!({ "documentChecksum": checksum, "issueToChecksum": checksum }));
    let signed = with(request.clone(), "/issuanceManifestSignedContent", json!(manifest));
    assert_eq!(shown(&signed)["facts"]["checksums"]["document"], checksum);
    let damaged = with(request, "/issuanceManifestSignedContent", json!("a.b"));
    assert_eq!(refusal(&damaged).code(), "invalid_field");
}

#[test]
fn notifications_tell_what_changed_and_are_about_the_document_that_they_carry() {
    let found = shown(&sample("dcsa/openapi-ebl-3.0.4-amendDeclinedLightweightExample.json"));
    assert_eq!(
        found["facts"],
        json!({
            "status": "ISSUED", "notified_at": "2018-04-05T17:31:00Z", "sub_reference": "v2",
            "amendment_status": "AMENDMENT_DECLINED",
            "feedbacks": [{ "severity": "INFO", "code": "INFORMATIONAL_MESSAGE", "message": "Too late in the process to change imoClass" }],
            "notification": "3cecb101-7a1a-43a4-9d62-e88a131651e2", "source": "https://member.com/",
            "event": "org.dcsa.transport-document.v3", "specversion": "1.0",
        })
    );
    let other = with(sample(ISSUED), "/data/transportDocumentReference", json!("OTHER"));
    assert_eq!(
        why(&other),
        (
            "contradictory_field",
            "the document gives two values for the transport document reference: \"OTHER\" and \"HHL71800000\"; \
             ask its sender which one holds"
                .to_owned()
        )
    );
    for (document, kind) in [
        (json!({ "transportDocumentStatus": "APPROVED" }), "transport_document_status"),
        (json!({ "shippingInstructionsStatus": "CANCELLED" }), "shipping_instructions_status"),
        (json!({ "shippingInstructionsReference": "si-123" }), "shipping_instructions_status"),
        (json!({ "bookingStatus": "CANCELLED", "reason": "strike" }), "booking_status"),
        (json!({ "feedbackElements": [{ "severity": "ERROR", "message": "no" }] }), "feedback"),
    ] {
        assert_eq!(shown(&document)["kind"], kind, "{document}");
    }
    let amendment =
        json!({ "amendedTransportDocumentStatus": "AMENDMENT_RECEIVED", "amendedTransportDocument": bill() });
    let found = shown(&amendment);
    assert_eq!(
        (&found["kind"], &found["facts"]["amendment_status"]),
        (&json!("transport_document_amendment"), &json!("AMENDMENT_RECEIVED"))
    );
}

// ---- transfers between platforms -----------------------------------------------------------------------------------

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    bytes
        .chunks(3)
        .flat_map(|group| {
            let bits = group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
            (0..=group.len()).map(move |place| char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63]))
        })
        .collect()
}

fn jws(payload: &Value) -> String {
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    format!("{}.{}.{}", part(&json!({ "alg": "ES256", "kid": "K" })), part(payload), base64url(b"signature"))
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A transfer over two platforms whose entries name one another.
fn transfer(of: &str, previous: Option<&str>, last: Option<&str>) -> Value {
    let first = jws(&json!({
        "eblPlatform": "WAVE", "transportDocumentChecksum": "cd".repeat(32),
        "transactions": [act(DAY_1, "ISSUE", "carrier", Some("a")), act(DAY_2, "TRANSFER", "a", Some("b"))],
    }));
    let second = jws(&json!({
        "eblPlatform": "BOLE", "transportDocumentChecksum": of,
        "previousEnvelopeTransferChainEntrySignedContentChecksum": previous.map_or_else(|| sha256(&first), str::to_owned),
        "transactions": [act(DAY_3, "TRANSFER", "b", Some("c"))],
    }));
    let manifest = jws(&json!({
        "transportDocumentChecksum": "cd".repeat(32),
        "lastEnvelopeTransferChainEntrySignedContentChecksum": last.map_or_else(|| sha256(&second), str::to_owned),
    }));
    json!({ "transportDocument": bill(), "envelopeManifestSignedContent": manifest, "envelopeTransferChain": [first, second] })
}

#[test]
fn a_transfer_shows_its_checksums_and_the_acts_of_all_platforms_as_one_chain() {
    let of = "cd".repeat(32);
    let whole = transfer(&of, None, None);
    let facts = shown(&whole)["facts"].clone();
    assert_eq!(facts["checksums"]["transport_document"], of);
    assert_eq!(facts["transfer_chain_linked"], true);
    assert_eq!(facts["transfer_chain"][1]["platform"], "BOLE");
    assert_eq!(facts["transfer_chain"][1]["previous_checksum"], facts["transfer_chain"][0]["checksum"]);
    assert_eq!(facts["checksums"]["last_entry"], facts["transfer_chain"][1]["checksum"]);
    assert_eq!(
        order(&whole),
        (["ISSUE", "TRANSFER", "TRANSFER"].map(str::to_owned).to_vec(), "oldest_first".to_owned(), json!(true))
    );
    assert_eq!(facts["endorsement_chain"][2]["recipient"]["name"], "c");
    let zeros = "00".repeat(32);
    let unlinked = transfer(&of, Some(&zeros), None);
    assert_eq!(
        (shown(&unlinked)["facts"]["transfer_chain_linked"].clone(), warnings(&unlinked)),
        (json!(false), vec!["transfer_chain_not_linked"])
    );
    let cut = transfer(&of, None, Some(&zeros));
    assert_eq!(
        (shown(&cut)["facts"]["transfer_chain_linked"].clone(), warnings(&cut)),
        (json!(false), vec!["last_entry_mismatch"])
    );
    assert_eq!(refusal(&transfer(&zeros, None, None)).code(), "contradictory_field");
    assert_eq!(refusal(&transfer("cd", None, None)).code(), "invalid_field");
}

#[test]
fn signed_contents_of_another_form_are_refused() {
    for content in ["", "a", "a.b.c", "a.b.c.d", "!!.e30.c2ln", "e30.W10.c2ln", "e30.e30.!", "e30.e3.c2ln"] {
        let document = with(sample(TRANSFER), "/envelopeManifestSignedContent", json!(content));
        let code = refusal(&document).code();
        assert_eq!(code, "invalid_field", "{content}");
    }
    assert_eq!(refusal(&with(sample(TRANSFER), "/envelopeTransferChain/0", json!(7))).code(), "invalid_field");
}

#[test]
fn the_answers_of_platforms_are_read() {
    let checksum = "ef".repeat(32);
    let started = json!({
        "envelopeReference": "E-1", "transportDocumentChecksum": checksum,
        "lastEnvelopeTransferChainEntrySignedContentChecksum": checksum, "missingAdditionalDocumentChecksums": [checksum],
    });
    let found = shown(&started);
    assert_eq!((&found["kind"], &found["number"]), (&json!("envelope_transfer_started"), &json!("E-1")));
    assert_eq!(found["facts"]["checksums"]["missing"], json!([checksum]));
    for (code, accepted) in [("RECE", true), ("DUPE", true), ("BSIG", false), ("MDOC", false)] {
        let finished = json!({ "responseCode": code, "lastEnvelopeTransferChainEntrySignedContentChecksum": checksum });
        assert_eq!(shown(&finished)["facts"]["accepted"], accepted, "{code}");
    }
    let unknown = json!({ "responseCode": "OKAY", "lastEnvelopeTransferChainEntrySignedContentChecksum": checksum });
    assert_eq!(refusal(&unknown).code(), "invalid_field");
}

#[test]
fn a_transfer_block_is_about_the_document_that_it_names() {
    let name = "dcsa/envelope-0.11-transferblock.json";
    let facts = shown(&sample(name))["facts"].clone();
    assert_eq!(facts["endorsement_chain"].as_array().expect("a chain").len(), 15);
    assert_eq!(
        facts["endorsement_chain"][0],
        json!({
            "action": "ISSU", "at": "2022-08-02T08:29:49.899Z", "recipient": { "name": "bar" }, "to_order": true,
            "comments": "The B/L has been issued.", "platform": "localhost:8443",
        })
    );
    assert_eq!((&facts["chain_order"], &facts["chain_whole"]), (&json!("oldest_first"), &Value::Null));
    assert_eq!(refusal(&changed(name, &[("/transferDocument", json!("00"))])).code(), "contradictory_field");
}

// ---- bookings, arrivals, masses, events ----------------------------------------------------------------------------

#[test]
fn a_booking_tells_where_from_where_to_in_what_and_with_what() {
    let found = shown(&sample("dcsa/booking-api-2.0.0-dg.json"));
    let facts = &found["facts"];
    assert_eq!(
        facts["places"],
        json!([
            { "role": "port_of_loading", "un_location": "NLAMS" }, { "role": "port_of_discharge", "un_location": "SGSIN" },
        ])
    );
    assert_eq!(facts["vessel_voyages"], json!([{ "vessel": "OCEAN DESTROYER", "export_voyage": "403W" }]));
    let commodity = &facts["requested_equipment"][0]["commodities"][0];
    assert_eq!(commodity["gross_weight"], json!({ "value": "6.28", "unit": "KGM" }));
    assert_eq!(commodity["dangerous_goods"][0]["un_number"], "1950");
    assert_eq!(commodity["dangerous_goods"][0]["class"], "2.2");
    assert_eq!(found["parties"], json!([{ "role": "booking_agent", "name": "DCSA Team", "id": null }]));
    let reefer = shown(&sample("dcsa/booking-api-2.0.0-reefer.json"));
    assert_eq!(
        reefer["facts"]["requested_equipment"][0]["reefer"],
        json!({ "temperature": "5.0", "temperature_unit": "CEL" })
    );
    let confirmed = changed(
        "dcsa/booking-api-2.0.0-regular.json",
        &[("/bookingStatus", json!("CONFIRMED")), ("/carrierBookingReference", json!("B-1"))],
    );
    let confirmed = shown(&confirmed);
    assert_eq!((&confirmed["kind"], &confirmed["number"]), (&json!("booking"), &json!("B-1")));
}

#[test]
fn arrival_notices_tell_where_and_when_and_what_is_owed() {
    let found = shown(&sample("dcsa/arrivalnotice-api-100-post-freighted-request.json"));
    let facts = &found["facts"];
    assert_eq!(facts["charges"][0]["amount"], json!({ "currency": "USD", "minor": 35_500 }));
    assert_eq!(facts["vessel_voyages"], json!([{ "vessel": "NYK OCEANUS", "import_voyage": "0071E" }]));
    assert_eq!(
        (&facts["arrival_at_discharge"], &facts["arrival_at_discharge_class"]),
        (&json!("2025-03-10"), &json!("EST"))
    );
    assert_eq!(facts["gross_weight"], json!([{ "value": "21150", "unit": "KGM" }]));
    let free = shown(&sample("dcsa/arrivalnotice-api-100-post-freetime-request.json"));
    assert_eq!(free["facts"]["free_times"][0]["duration"], "10");
    assert_eq!(free["facts"]["package_count"], 52);
}

#[test]
fn a_gross_mass_has_its_weight_method_and_container() {
    let found = shown(&sample("dcsa/vgm-api-100-post-request.json"));
    assert_eq!(found["facts"]["gross_mass"], json!({ "value": "2.4", "unit": "KGM" }));
    assert_eq!(
        (&found["facts"]["method"], &found["facts"]["equipment"]["number"]),
        (&json!("SM1"), &json!("APZU4812090"))
    );
    assert_eq!(
        found["references"],
        json!([
            { "kind": "booking", "number": "ABC709951" }, { "kind": "transport_document", "number": "HHL71800000" },
            { "kind": "shipper", "number": "A456C" },
        ])
    );
}

#[test]
fn events_of_both_versions_tell_what_happened_to_what() {
    let found = shown(&sample("dcsa/tnt-220-response.json"));
    assert_eq!(found["facts"]["event_count"], 7);
    let event = &found["facts"]["events"][0];
    assert_eq!(
        (&event["type"], &event["code"], &event["classifier"]),
        (&json!("TRANSPORT"), &json!("ARRI"), &json!("ACT"))
    );
    assert_eq!((&event["at"], &event["delay"]), (&json!("2021-01-09T14:12:56+01:00"), &json!("WEA")));
    assert_eq!(event["transport_call"]["vessel"], "King of the Seas");
    assert_eq!(event["transport_call"]["imo"], "9321483");
    let reefer = shown(&sample("dcsa/tnt-300-request-reefer.json"))["facts"]["events"][0]["reefer"].clone();
    assert_eq!(
        (&reefer["setpoint"], &reefer["probes"][1]),
        (&json!("-18.5"), &json!({ "probe": "2", "temperature": "-18.7" }))
    );
    let mut events = sample("dcsa/tnt-220-response.json");
    let again = events[0].clone();
    events.as_array_mut().expect("events").push(again);
    assert!(warnings(&events).contains(&"event_twice"));
    assert_eq!(refusal(&with(events, "/7/eventClassifierCode", json!("EST"))).code(), "contradictory_field");
    let wrong =
        |pointer: &str, value: Value| refusal(&with(sample("dcsa/tnt-220-response.json"), pointer, value)).code();
    assert_eq!(wrong("/0/eventID", json!("incorrect")), "invalid_field");
    assert_eq!(wrong("/0/eventClassifierCode", json!("SOON")), "invalid_field");
    assert_eq!(wrong("/0/eventDateTime", json!("2019/11/12 07:41:00 +08:30")), "invalid_date");
    assert_eq!(
        warnings(&sample("dcsa/tnt-220-response-wrong-attribute-values.json")),
        ["location_mismatch", "invalid_container_number", "location_mismatch",]
    );
}

// ---- OpenAttestation and credentials -------------------------------------------------------------------------------

#[test]
fn a_wrapped_document_whose_fields_were_changed_is_refused() {
    let name = "opencert/v2__did-wrapped.json";
    let facts = shown(&sample(name))["facts"].clone();
    assert_eq!(facts["consignment"]["quantity"], "5000");
    assert_eq!(facts["signature"]["target_hash"], facts["signature"]["merkle_root"]);
    let salt = "6819ad4b-ffb2-427c-ac5a-6b812cbefff9:string:";
    let changed_text =
        changed(name, &[("/data/consignment/description", json!(format!("{salt}16668 CARTONS OF RED WINE")))]);
    let (code, reason) = why(&changed_text);
    assert_eq!(code, "contradictory_field");
    assert!(reason.starts_with("the document gives two values for the hash of the document: "), "{reason}");
    let root = changed(name, &[("/signature/merkleRoot", json!("00".repeat(32)))]);
    assert!(why(&root).1.contains("Merkle root"));
    for value in [json!("WINE"), json!(format!("{salt}a").replace("string", "text")), json!(format!("x{}", &salt[1..]))]
    {
        let unsalted = changed(name, &[("/data/consignment/description", value)]);
        assert_eq!(refusal(&unsalted).code(), "invalid_field");
    }
    // What is hidden leaves its hash behind.
    let hidden = changed(name, &[("/data/consignment/description", Value::Null)]);
    assert_eq!(refusal(&hidden).code(), "contradictory_field");
}

#[test]
fn a_credential_whose_fields_were_changed_is_refused() {
    let name = "opencert/v3__wrapped-transferable-document.json";
    let facts = shown(&sample(name))["facts"].clone();
    assert_eq!(
        (&facts["transferable"], &facts["token_registry"]),
        (&json!(true), &json!("0x13249BA1Ec6B957Eb35D34D7b9fE5D91dF225B5B"))
    );
    assert_eq!(facts["proofs"][0]["type"], "OpenAttestationMerkleProofSignature2018");
    assert_eq!(refusal(&changed(name, &[("/name", json!("Another Licence"))])).code(), "contradictory_field");
    let salts = changed(name, &[("/proof/salts", json!("!"))]);
    assert!(warnings(&salts).contains(&"hash_not_checked"));
}

#[test]
fn a_transferable_record_of_the_w3c_form_names_its_registry_and_token() {
    let record = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://example.org/bill-of-lading.json"],
        "type": ["VerifiableCredential"],
        "id": "urn:uuid:1",
        "issuer": "did:web:example.org",
        "validFrom": "2026-03-31T10:00:00Z",
        "credentialStatus": {
            "type": "TransferableRecords", "tokenNetwork": { "chain": "MATIC", "chainId": "80002" },
            "tokenRegistry": "0x3781bd0bbd15Bf5e45c7296115821933d47362be", "tokenId": "0xaa",
        },
        "credentialSubject": {
            "type": ["BillOfLading"], "blNumber": "BL-7", "scac": "SGPU", "carrierName": "Carrier", "shipperName": "Shipper",
            "consigneeName": "Consignee", "portOfLoading": "Singapore", "portOfDischarge": "Rotterdam", "vessel": "V",
        },
        "proof": { "type": "DataIntegrityProof", "cryptosuite": "ecdsa-sd-2023", "proofValue": "u2" },
    });
    let found = shown(&record);
    assert_eq!(
        (&found["kind"], &found["number"], &found["issue_date"]),
        (&json!("bill_of_lading"), &json!("BL-7"), &json!("2026-03-31"))
    );
    assert_eq!(
        (&found["facts"]["transferable"], &found["facts"]["credential_status"]["token"]),
        (&json!(true), &json!("0xaa"))
    );
    let parties = found["parties"].as_array().expect("parties");
    for (role, name, id) in [
        ("issuer", Value::Null, json!("did:web:example.org")),
        ("carrier", json!("Carrier"), json!("SGPU")),
        ("shipper", json!("Shipper"), Value::Null),
    ] {
        assert!(parties.contains(&json!({ "role": role, "name": name, "id": id })), "{role}");
    }
    assert_eq!(found["facts"]["proofs"][0]["signed"], true);
}

#[test]
fn a_day_that_could_be_two_stays_a_text_and_a_place_before_the_day_is_told_from_it() {
    let carrier = sample("tradetrust/billofladingcarriertemplate-v2.json");
    let found = shown(&carrier);
    assert_eq!((&found["issue_date"], &found["facts"]["issue_date_text"]), (&Value::Null, &json!("01/08/23")));
    assert!(warnings(&carrier).contains(&"ambiguous_date"));
    assert_eq!((&found["facts"]["to_order"], &found["facts"]["transferable"]), (&json!(true), &json!(true)));
    let bimco = shown(&sample("tradetrust/billofladingbimcostandard.json"));
    assert_eq!((&bimco["issue_date"], &bimco["facts"]["place_of_issue"]), (&json!("2023-10-17"), &json!("Rotterdam")));
    assert_eq!(bimco["facts"]["gross_weight"], json!({ "value": "122460", "unit": "KGM" }));
    assert_eq!(bimco["facts"]["to_order"], false);
}

#[test]
fn a_promissory_note_has_its_sum_its_days_and_its_two_companies() {
    let registry = "0x142Ca30e3b78A840a82192529cA047ED759a6F7e";
    let note = changed("tradetrust/promissorynote-v2.json", &[("/issuers/0/tokenRegistry", json!(registry))]);
    let found = shown(&note);
    assert_eq!(
        (&found["kind"], &found["number"]),
        (&json!("promissory_note"), &json!("a3c2d64e-7b91-4c03-8b6d-9df3456fc2a9"))
    );
    assert_eq!((&found["issue_date"], &found["facts"]["due_date"]), (&json!("2025-04-10"), &json!("2025-05-10")));
    assert_eq!(found["facts"]["amount"], json!({ "currency": "EUR", "minor": 7_894_523 }));
    assert_eq!(warnings(&note), ["placeholder"]);
    assert_eq!(refusal(&with(note.clone(), "/amount", json!("78945.234"))).code(), "too_many_decimals");
    assert_eq!(refusal(&with(note.clone(), "/dueDate", Value::Null)).code(), "missing_field");
    let bad = with(note, "/issuers/0/tokenRegistry", json!("0x142C"));
    assert_eq!(
        why(&bad),
        ("invalid_field", "the token registry \"0x142C\" is not allowed: it is 0x and 40 hex digits".to_owned())
    );
}

// ---- damage --------------------------------------------------------------------------------------------------------

#[test]
fn what_is_not_read_is_kept_by_a_hash() {
    let unknown = |document: &Value| read(document).unknown;
    let plain = unknown(&bill());
    let more = unknown(&with(bill(), "/somethingNew", json!({ "a": 1 })));
    assert_eq!(more.as_ref().map(|unknown| unknown.fields), plain.as_ref().map(|unknown| unknown.fields + 1));
    assert_ne!(more, unknown(&with(bill(), "/somethingNew", json!({ "a": 2 }))));
    assert_ne!(more, unknown(&with(bill(), "/somethingNew", json!({ "b": 1 }))));
}

#[test]
fn long_clauses_are_kept_by_length_and_hash() {
    let long = "clause ".repeat(6_000);
    let found = shown(&with(bill(), "/termsAndConditions", json!(long)));
    let hash = blake3::hash(long.as_bytes()).to_hex().to_string();
    assert_eq!(found["facts"]["terms"], json!([{ "bytes": 42_000, "blake3": hash }]));
    let reference = refusal(&with(bill(), "/transportDocumentReference", json!("7".repeat(5_000))));
    assert_eq!(reference.code(), "limit_exceeded");
}

#[test]
fn duplicated_names_and_deep_nesting_are_refused() {
    let twice = bill().to_string().replacen("\"isElectronic\":true", "\"isElectronic\":true,\"isElectronic\":false", 1);
    assert_eq!(inspect(twice.as_bytes()).map_err(|error| error.code()), Err("duplicate_name"));
    let nested = |levels: usize| format!("{{\"endorsementChain\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    let code = |text: String| inspect(text.as_bytes()).map_err(|error| error.code()).expect_err("refused");
    assert_eq!(code(nested(MAX_DEPTH)), "limit_exceeded");
    assert_eq!(code(nested(MAX_DEPTH - 1)), "missing_field");
    assert_eq!(code("[".repeat(1_000_000)), "limit_exceeded");
    assert_eq!(code("{\"data\":".repeat(1_000_000)), "limit_exceeded");
}

#[test]
fn a_sample_cut_off_at_any_61st_byte_is_refused_and_never_a_panic() {
    for (name, bytes) in samples() {
        let whole = bytes.trim_ascii_end().len();
        for length in (0..whole).step_by(61) {
            let code = inspect(&bytes[..length]).map(|_| "read").unwrap_or_else(|error| error.code());
            let expected = ["empty_document", "truncated_document", "malformed_json", "invalid_encoding"];
            assert!(expected.contains(&code), "{name} at {length}: {code}");
        }
    }
}

/// Another value for one at a place.
fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("a number", |number| serde_json::Number::from_f64(number).map(Value::Number)),
        "\\PC{0,40}".prop_map(Value::from),
        "[0-9TZ:.+-]{0,25}".prop_map(Value::from),
        "[0-9a-f-]{36}:[a-z]{4,7}:.{0,5}".prop_map(Value::from),
        "[A-Za-z0-9_-]{0,20}(\\.[A-Za-z0-9_-]{0,20}){0,3}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([{}, [], "x", 1])),
        Just(json!({ "value": 1 })),
    ]
}

/// Puts `value` at the place of that number, counted through the whole document.
fn put(document: &mut Value, left: &mut usize, value: &Value) {
    if *left == 0 {
        *document = value.clone();
    }
    *left = left.wrapping_sub(1);
    if *left > usize::MAX / 2 {
        return;
    }
    match document {
        Value::Array(items) => items.iter_mut().for_each(|item| put(item, left, value)),
        Value::Object(members) => members.iter_mut().for_each(|(_, member)| put(member, left, value)),
        _ => {}
    }
}

fn places(document: &Value) -> usize {
    1 + match document {
        Value::Array(items) => items.iter().map(places).sum(),
        Value::Object(members) => members.values().map(places).sum::<usize>(),
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn any_value_at_any_place_is_read_or_refused_and_never_a_panic(which in any::<usize>(), place in any::<usize>(), value in any_value()) {
        static PARSED: LazyLock<Vec<Value>> = LazyLock::new(|| {
            samples().into_values().filter_map(|bytes| serde_json::from_slice(&bytes).ok()).collect()
        });
        let mut document = PARSED[which % PARSED.len()].clone();
        let mut left = place % places(&document);
        put(&mut document, &mut left, &value);
        match inspect(document.to_string().as_bytes()) {
            Ok(found) => prop_assert!(serde_json::to_string(&found).is_ok()),
            Err(error) => prop_assert!(!error.to_string().is_empty() && !error.code().is_empty()),
        }
    }

    #[test]
    fn garbage_is_refused_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), open in "[{\\[\"]{0,3}") {
        let text = [open.as_bytes(), &bytes].concat();
        if let Err(error) = inspect(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
