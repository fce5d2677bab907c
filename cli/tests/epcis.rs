//! Reading EPCIS documents and events: every published event hash, the facts of the samples, each refusal, and damage.

use std::fs;
use std::path::PathBuf;

use portolan::document::{Document, DocumentError, Envelope, inspect};
use proptest::prelude::*;
use serde_json::{Value, json};

// ---- the world of these tests --------------------------------------------------------------------------------------

fn folder(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/epcis")).join(name)
}

fn names(of: &str) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder(of))
        .expect("folder")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(folder(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn read(bytes: impl AsRef<[u8]>) -> Envelope {
    match inspect(bytes.as_ref()) {
        Ok(Document::Other(envelope)) => *envelope,
        Ok(Document::Invoice(invoice)) => panic!("an invoice: {invoice:?}"),
        Err(error) => panic!("{error}"),
    }
}

fn shown(bytes: impl AsRef<[u8]>) -> Value {
    serde_json::to_value(read(bytes)).expect("JSON")
}

fn refusal(bytes: impl AsRef<[u8]>) -> DocumentError {
    inspect(bytes.as_ref()).map(|read| format!("{read:?}")).expect_err("must be refused")
}

/// The texts of one fact of all events.
fn of_events(found: &Value, fact: &str) -> Vec<String> {
    let events = found["facts"]["events"].as_array().expect("events");
    events.iter().map(|event| event[fact].as_str().expect("text").to_owned()).collect()
}

fn lines(name: &str) -> Vec<String> {
    let text = String::from_utf8(fixture(name)).expect("UTF-8");
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

const CONTEXT: &str =
    r#"["https://ref.gs1.org/standards/epcis/epcis-context.jsonld",{"example":"https://ns.example.com/"}]"#;

/// A document with one event of these members.
fn document(members: &str) -> String {
    format!(
        r#"{{"@context":{CONTEXT},"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-03-31T10:00:00Z","epcisBody":{{"eventList":[{{{members}}}]}}}}"#
    )
}

const TIMES: &str = r#""eventTime":"2026-03-30T10:00:00+02:00","eventTimeZoneOffset":"+02:00""#;
const EPC: &str = r#""epcList":["urn:epc:id:sgtin:4012345.011111.1"]"#;

fn object(more: &str) -> String {
    document(&format!(r#""type":"ObjectEvent","action":"ADD",{TIMES},{EPC}{more}"#))
}

/// The same in XML, of which `more` stands behind the action.
fn object_xml(more: &str) -> String {
    format!(
        r#"<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:2" xmlns:example="https://ns.example.com/" schemaVersion="2.0"
        creationDate="2026-03-31T10:00:00Z"><EPCISBody><EventList><ObjectEvent><eventTime>2026-03-30T10:00:00+02:00</eventTime>
        <eventTimeZoneOffset>+02:00</eventTimeZoneOffset><epcList><epc>urn:epc:id:sgtin:4012345.011111.1</epc></epcList>
        <action>ADD</action>{more}</ObjectEvent></EventList></EPCISBody></e:EPCISDocument>"#
    )
}

fn hash_of(document: &str) -> String {
    of_events(&shown(document), "hash").remove(0)
}

// ---- the published hashes ------------------------------------------------------------------------------------------

#[test]
fn every_published_pre_hash_string_and_event_hash_is_reproduced() {
    let (mut documents, mut events) = (0, 0);
    for name in names("hash").iter().filter(|name| name.ends_with(".xml") || name.ends_with(".jsonld")) {
        let stem = name.rsplit_once('.').expect("ending").0;
        let found = shown(fixture(&format!("hash/{name}")));
        assert_eq!(found["format"], "epcis", "{name}");
        let hashes = folder(&format!("hash/{stem}.hashes"));
        if !hashes.exists() {
            continue;
        }
        assert_eq!(of_events(&found, "hash"), lines(&format!("hash/{stem}.hashes")), "{name}");
        let strings = folder(&format!("hash/{stem}.prehashes"));
        if strings.exists() && stem != CUT_OFF {
            assert_eq!(of_events(&found, "pre_hash"), lines(&format!("hash/{stem}.prehashes")), "{name}");
        }
        documents += 1;
        events += found["facts"]["event_count"].as_u64().expect("count");
    }
    assert_eq!((documents, events), (HASHED_DOCUMENTS, HASHED_EVENTS));
}

/// One published pre-hash string ends in the middle, and has not the hash that was published beside it.
const CUT_OFF: &str = "epcisDocWithDefaultSchemaInContext";

const HASHED_DOCUMENTS: u64 = 32;
const HASHED_EVENTS: u64 = 78;

#[test]
fn an_event_in_json_has_the_facts_that_it_has_in_xml() {
    let mut pairs = 0;
    for name in names("hash").iter().filter_map(|name| name.strip_suffix(".jsonld")) {
        let xml = format!("hash/{name}.xml");
        if !folder(&xml).exists() {
            continue;
        }
        let (json, xml) = (shown(fixture(&format!("hash/{name}.jsonld"))), shown(fixture(&xml)));
        for fact in ["type", "hash", "pre_hash"] {
            assert_eq!(of_events(&json, fact), of_events(&xml, fact), "{name}: {fact}");
        }
        pairs += 1;
    }
    assert_eq!(pairs, 9);
}

// ---- the samples ---------------------------------------------------------------------------------------------------

#[test]
fn every_valid_sample_is_read_whole_and_every_invalid_one_refused_by_name() {
    for (name, expected) in [
        ("AggregationEvent_with_digitalLink.json", "AggregationEvent"),
        ("AssociationEvent.json", "AssociationEvent AssociationEvent"),
        ("CurieString_document.json", "ObjectEvent"),
        ("JumbledFieldsOrder.json", "TransactionEvent"),
        ("ObjectEvent.json", "ObjectEvent ObjectEvent"),
        ("ObjectEvent_with_error_declaration.json", "ObjectEvent ObjectEvent"),
        ("ObjectEvent_with_sensorData.json", "ObjectEvent"),
        ("TransactionEvent.json", "TransactionEvent TransactionEvent"),
        ("TransformationEvent.json", "TransformationEvent"),
        ("epcisDocWithSensorComponent.json", "ObjectEvent"),
        ("invalid__Combination_of_events_with_missing_mandatory_fields.json", "!missing_field: action"),
        ("invalid__Combination_of_multiple_invalid_fields.json", "!invalid_field: \"transforming\""),
        ("invalid__EPCISDocument_without_context.json", "!missing_field: @context"),
        ("invalid__ObjectEvent_with_ilmd_field_without_namespace.json", "!invalid_field: \"materialType\""),
        ("invalid__ObjectEvent_with_invalid_action.json", "!invalid_field: \"CREATE\""),
        ("invalid__ObjectEvent_with_invalid_eventTime_format.json", "!invalid_date: \"22-07-2026\""),
        ("invalid__ObjectEvent_with_non_standard_bizStep.json", "!invalid_field: \"transforming\""),
        ("invalid__ObjectEvent_with_quantity_as_text.json", "!invalid_amount: \"twenty\""),
        ("invalid__ObjectEvent_without_action_and_eventTime.json", "!missing_field: event time"),
        ("invalid__ObjectEvent_without_identifier_list.json", "!missing_field: list of EPCs"),
        ("query__queryDocument.json", "ObjectEvent"),
    ] {
        let bytes = fixture(&format!("openepcis/{name}"));
        if let Some(refused) = expected.strip_prefix('!') {
            let (code, what) = refused.split_once(": ").expect("code");
            let error = refusal(bytes);
            assert_eq!(error.code(), code, "{name}: {error}");
            assert!(error.to_string().contains(what), "{name}: {error}");
        } else {
            let found = shown(bytes);
            assert_eq!(of_events(&found, "type").join(" "), expected, "{name}");
            assert_eq!(found["unknown"], Value::Null, "{name}");
        }
    }
    assert_eq!(names("openepcis").len(), 21);
}

#[test]
fn a_published_document_is_shown_whole() {
    let found = shown(fixture("openepcis/AssociationEvent.json"));
    assert_eq!((found["kind"].as_str(), found["issue_date"].as_str()), (Some("epcis_document"), Some("2019-11-28")));
    let mut event = found["facts"]["events"][1].clone();
    let members = event.as_object_mut().expect("object");
    assert!(members.remove("pre_hash").is_some() && members.remove("hash").is_some());
    assert_eq!(
        event,
        json!({
            "type": "AssociationEvent", "event_id": null, "event_time": "2019-11-06T14:00:00+01:00",
            "record_time": "2019-11-06T14:05:00+01:00", "time_zone": "+01:00", "action": "ADD",
            "parent": "urn:epc:id:grai:4012345.55555.98765",
            "child_epcs": ["urn:epc:id:giai:4000001.12345", "urn:epc:id:giai:4000001.12346"],
            "child_quantities": [{ "class": "urn:epc:class:lgtin:4023333.002000.998877", "quantity": "4", "unit": null }],
            "biz_step": "installing", "disposition": "in_progress",
            "read_point": "urn:epc:id:sgln:4012345.00001.0", "biz_location": "urn:epc:id:sgln:4012345.00002.0",
            "transactions": [{ "type": "inv", "id": "urn:epcglobal:cbv:bt:4023333000000:54545" }],
            "sources": [{ "type": "possessing_party", "id": "urn:epc:id:pgln:4000001.00012" }],
            "destinations": [{ "type": "possessing_party", "id": "urn:epc:id:pgln:4012345.00000" }],
            "sensors": [{
                "metadata": { "start_time": "2019-11-06T13:55:00+01:00", "end_time": "2019-11-06T13:57:00+01:00" },
                "reports": [{ "type": "AbsoluteHumidity", "min": "12.1", "max": "12.2", "unit": "A93" }]
            }]
        })
    );
    assert_eq!(
        found["parties"],
        json!([
            { "role": "source_possessing_party", "name": null, "id": "urn:epc:id:pgln:4000001.00012" },
            { "role": "destination_possessing_party", "name": null, "id": "urn:epc:id:pgln:4012345.00000" }
        ])
    );
    assert_eq!(found["references"], json!([{ "kind": "inv", "number": "urn:epcglobal:cbv:bt:4023333000000:54545" }]));
}

#[test]
fn an_error_declaration_is_shown_and_never_hashed() {
    let found = shown(fixture("openepcis/ObjectEvent_with_error_declaration.json"));
    assert_eq!(
        found["facts"]["events"][0]["error"],
        json!({ "declared": "2021-02-01T22:46:31.117000+00:00", "reason": "incorrect_data", "corrective_events": [
            "ni:///sha-256;c6407ffcac52ec159528f2b556ba4ac3844c5aa48485c1fd61643e94f0a2d678?ver=CBV2.0",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6" ] })
    );
    let plain = object("");
    let declared = object(
        r#","errorDeclaration":{"declarationTime":"2026-03-31T10:00:00Z","reason":"did_not_occur"},"recordTime":"2026-03-31T10:00:00Z","eventID":"urn:uuid:1""#,
    );
    assert_eq!(hash_of(&plain), hash_of(&declared));
}

#[test]
fn query_results_and_bare_events_are_read_like_those_of_a_document() {
    let found = shown(fixture("openepcis/query__queryDocument.json"));
    assert_eq!(
        (found["kind"].as_str(), found["number"].as_str()),
        (Some("epcis_query_document"), Some("https://id.example.org/document1"))
    );
    assert_eq!(found["facts"]["query"]["name"], "SimpleEventQuery");
    let event = format!(
        r#"{{"@context":{CONTEXT},"type":"ObjectEvent","eventID":"urn:uuid:1","action":"ADD",{TIMES},{EPC},"example:a":"b"}}"#
    );
    let bare = shown(&event);
    assert_eq!((bare["kind"].as_str(), bare["number"].as_str()), (Some("object_event"), Some("urn:uuid:1")));
    assert_eq!(bare["issue_date"], "2026-03-30");
    assert_eq!(of_events(&bare, "hash"), [hash_of(&object(r#","example:a":"b""#))]);
    let list = shown(format!("[{event},{event}]"));
    assert_eq!((list["kind"].as_str(), list["facts"]["event_count"].as_u64()), (Some("event_list"), Some(2)));
    let xml = object_xml("");
    let start = xml.find("<ObjectEvent>").expect("event");
    let end = xml.find("</EventList>").expect("end");
    assert_eq!(hash_of(&xml[start..end]), hash_of(&object("")));
    assert_eq!(shown(&xml[start..end])["kind"], "object_event");
    let versioned = xml[start..end]
        .replace("<ObjectEvent>", "<e:ObjectEvent xmlns:e='urn:epcglobal:epcis:xsd:2' schemaVersion='2.0'>")
        .replace("</ObjectEvent>", "</e:ObjectEvent>");
    let versioned = shown(versioned);
    assert_eq!(of_events(&versioned, "hash"), [hash_of(&object(""))]);
    assert_eq!(versioned["facts"]["schema_version"], "2.0");
}

#[test]
fn version_1_2_wraps_what_version_2_does_not() {
    let wrapped = r#"<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-03-31T10:00:00Z"
        xmlns:s="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"><EPCISHeader><s:StandardBusinessDocumentHeader>
        <s:Sender><s:Identifier>urn:epc:id:sgln:1</s:Identifier></s:Sender><s:Receiver><s:Identifier>R</s:Identifier></s:Receiver>
        <s:DocumentIdentification><s:InstanceIdentifier>D7</s:InstanceIdentifier></s:DocumentIdentification>
        </s:StandardBusinessDocumentHeader></EPCISHeader><EPCISBody><EventList><extension><TransformationEvent>
        <eventTime>2026-03-30T10:00:00+02:00</eventTime><eventTimeZoneOffset>+02:00</eventTimeZoneOffset>
        <inputEPCList><epc>urn:epc:id:sgtin:4012345.011111.1</epc></inputEPCList>
        <outputQuantityList><quantityElement><epcClass>urn:epc:class:lgtin:4012345.012345.L</epcClass><quantity>2.50</quantity><uom>KGM</uom></quantityElement></outputQuantityList>
        </TransformationEvent></extension></EventList></EPCISBody></e:EPCISDocument>"#;
    let found = shown(wrapped);
    assert_eq!((found["number"].as_str(), found["facts"]["schema_version"].as_str()), (Some("D7"), Some("1.2")));
    assert_eq!(found["parties"][0], json!({ "role": "sender", "name": null, "id": "urn:epc:id:sgln:1" }));
    assert_eq!(
        of_events(&found, "pre_hash"),
        [
            "eventType=TransformationEventeventTime=2026-03-30T08:00:00.000ZeventTimeZoneOffset=+02:00inputEPCListepc=https://id.gs1.org/01/04012345111118/21/1outputQuantityListquantityElementepcClass=https://id.gs1.org/01/04012345123456/10/Lquantity=2.5uom=KGM"
        ]
    );
}

// ---- the hash ------------------------------------------------------------------------------------------------------

#[test]
fn two_writings_of_one_event_have_one_hash() {
    let json = object(
        r#","bizStep":"receiving","readPoint":{"id":"https://example.com/gln/4012345000054","example:gate":"7"},
        "bizTransactionList":[{"bizTransaction":"urn:x:1","type":"po"}],"example:e":"a  b","example:b":{"example:d":2.50,"example:c":"x"},
        "persistentDisposition":{"set":["recalled","damaged"]},"certificationInfo":["https://b.example","https://a.example"]"#,
    );
    let xml = object_xml(
        r#"<bizStep>urn:epcglobal:cbv:bizstep:receiving</bizStep>
        <readPoint><id>urn:epc:id:sgln:4012345.00005.0</id><example:gate> 7 </example:gate></readPoint>
        <persistentDisposition><set>cbv:Disp-damaged</set><set>cbv:Disp-recalled</set></persistentDisposition>
        <certificationInfo>https://a.example</certificationInfo><certificationInfo>https://b.example</certificationInfo>
        <bizTransactionList><bizTransaction type="cbv:BTT-po">urn:x:1</bizTransaction></bizTransactionList>
        <example:b><example:c>x</example:c><example:d>2.5</example:d></example:b><example:e> a  b </example:e>"#,
    );
    let (left, right) = (shown(&json), shown(&xml));
    assert_eq!(of_events(&left, "pre_hash"), of_events(&right, "pre_hash"));
    assert_eq!(of_events(&left, "hash"), of_events(&right, "hash"));
}

#[test]
fn each_change_of_an_event_changes_its_hash() {
    let mut seen = vec![hash_of(&object(""))];
    for more in [
        r#","bizStep":"receiving""#,
        r#","bizStep":"shipping""#,
        r#","disposition":"damaged""#,
        r#","readPoint":{"id":"urn:epc:id:sgln:4012345.00005.0"}"#,
        r#","bizLocation":{"id":"urn:epc:id:sgln:4012345.00005.0"}"#,
        r#","bizTransactionList":[{"bizTransaction":"urn:x:1"}]"#,
        r#","bizTransactionList":[{"bizTransaction":"urn:x:1","type":"po"}]"#,
        r#","sourceList":[{"source":"urn:x:1","type":"owning_party"}]"#,
        r#","destinationList":[{"destination":"urn:x:1","type":"owning_party"}]"#,
        r#","quantityList":[{"epcClass":"urn:x:1","quantity":1}]"#,
        r#","quantityList":[{"epcClass":"urn:x:1","quantity":2}]"#,
        r#","sensorElementList":[{"sensorReport":[{"type":"Temperature","value":1}]}]"#,
        r#","sensorElementList":[{"sensorReport":[{"type":"Temperature","value":2}]}]"#,
        r#","ilmd":{"example:lot":"1"}"#,
        r#","example:lot":"1""#,
        r#","example:lot":["1","2"]"#,
        r#","persistentDisposition":{"set":["damaged"]}"#,
        r#","persistentDisposition":{"unset":["damaged"]}"#,
        r#","certificationInfo":"https://a.example""#,
    ] {
        let hash = hash_of(&object(more));
        assert!(!seen.contains(&hash), "{more}");
        seen.push(hash);
    }
}

#[test]
fn fields_that_a_repository_says_to_ignore_are_not_hashed() {
    let with = |ignore: &str| {
        object(r#","example:id":"1","example:more":"2""#)
            .replace(r#""type":"EPCISDocument""#, &format!(r#""type":"EPCISDocument","x:ignoreFields":[{ignore}]"#))
            .replace(r#"{"example":"#, r#"{"x":"https://repository-x.example.com/","example":"#)
    };
    assert_eq!(hash_of(&with(r#""example:id""#)), hash_of(&object(r#","example:more":"2""#)));
    assert_eq!(hash_of(&with("")), hash_of(&object(r#","example:id":"1","example:more":"2""#)));
}

#[test]
fn an_event_id_that_is_another_hash_is_a_warning() {
    let hash = hash_of(&object(""));
    let id = |id: &str| {
        read(object(&format!(r#","eventID":"{id}""#))).warnings.iter().map(|warning| warning.code).collect::<Vec<_>>()
    };
    assert_eq!(id(&hash), [""; 0]);
    assert_eq!(id(&hash.replace("CBV2.0", "CBV2.1")), [""; 0]);
    assert_eq!(id("urn:uuid:1"), [""; 0]);
    assert_eq!(id(&hash.replace("sha-256;", "sha-256;0")), ["wrong_event_hash"]);
}

#[test]
fn extensions_and_master_data_are_shown_with_their_namespace() {
    let found = shown(object(r#","ilmd":{"example:lot":"L1"},"example:a":{"example:b":[1,true]}"#));
    let event = &found["facts"]["events"][0];
    assert_eq!(event["ilmd"], json!([{ "name": "{https://ns.example.com/}lot", "value": "L1" }]));
    assert_eq!(
        event["extensions"],
        json!([
            { "name": "{https://ns.example.com/}a", "value": null, "fields": [
                { "name": "{https://ns.example.com/}b", "value": "1" }, { "name": "{https://ns.example.com/}b", "value": "true" } ] }
        ])
    );
    let jumbled =
        object_xml("").replace("<ObjectEvent>", "<ObjectEvent><bizStep>urn:epcglobal:cbv:bizstep:receiving</bizStep>");
    assert_eq!(read(&jumbled).warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(), ["wrong_order"]);
    assert_eq!(hash_of(&jumbled), hash_of(&object(r#","bizStep":"receiving""#)));
    let unlisted = object(r#","sensorElementList":[{"sensorReport":[{"type":"Heat"},{"type":"gs1:Heat"}]}]"#);
    assert_eq!(read(unlisted).warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(), ["unknown_word"]);
    let header = object("").replace(r#""type":"EPCISDocument""#, r#""type":"EPCISDocument","more":{"a":1}"#);
    assert_eq!(read(header).unknown.map(|unknown| unknown.fields), Some(1));
}

// ---- refusals ------------------------------------------------------------------------------------------------------

#[test]
fn what_the_standard_requires_is_refused_by_name() {
    let event = |kind: &str, more: &str| document(&format!(r#""type":"{kind}",{TIMES}{more}"#));
    let add = r#","action":"ADD""#;
    for (code, what, text) in [
        ("missing_field", "event type", document(r#""a":1"#)),
        ("invalid_field", "\"QuantityEvent\"", event("QuantityEvent", "")),
        ("missing_field", "schemaVersion", object("").replace(r#""schemaVersion":"2.0","#, "")),
        ("missing_field", "creationDate", object("").replace(r#""creationDate":"2026-03-31T10:00:00Z","#, "")),
        ("invalid_date", "creationDate", object("").replace("2026-03-31T10", "2026-02-31T10")),
        ("missing_field", "epcisBody", object("").replace("epcisBody", "body")),
        ("missing_field", "eventList", object("").replace("eventList", "events")),
        (
            "invalid_field",
            "eventList",
            object("").replace(r#""eventList":["#, r#""eventList":{"a":["#).replace("]}}", "]}}}"),
        ),
        ("missing_field", "type of document", object("").replace(r#""type":"EPCISDocument","#, "")),
        ("missing_field", "time zone offset", object("").replace(r#","eventTimeZoneOffset":"+02:00""#, "")),
        ("invalid_field", "\"02:00\"", object("").replace(r#"Offset":"+02:00""#, r#"Offset":"02:00""#)),
        ("invalid_field", "\"+15:00\"", object("").replace(r#"Offset":"+02:00""#, r#"Offset":"+15:00""#)),
        ("invalid_date", "event time", object("").replace("10:00:00+02:00", "10:00:00")),
        ("invalid_date", "record time", object(r#","recordTime":"yesterday""#)),
        ("template", "event time", object("").replace("2026-03-30T10:00:00+02:00", "${time}")),
        ("template", "EPC", object("").replace("urn:epc:id:sgtin:4012345.011111.1", "{{epc}}")),
        ("duplicate_name", "eventTime", object(r#","eventTime":"2026-03-30T10:00:00+02:00""#)),
        ("invalid_field", "EPC \"4711\"", object("").replace("urn:epc:id:sgtin:4012345.011111.1", "4711")),
        (
            "invalid_field",
            "\"epcList\"",
            object("").replace(r#"["urn:epc:id:sgtin:4012345.011111.1"]"#, r#""urn:x:1""#),
        ),
        ("invalid_field", "EPC list", object("").replace(r#""urn:epc:id:sgtin:4012345.011111.1""#, "5")),
        ("invalid_field", "\"action\"", object("").replace(r#""ADD""#, "5")),
        ("invalid_field", "\"action\"", object("").replace(r#""ADD""#, r#"["ADD"]"#)),
        ("invalid_field", "\"readPoint\"", object(r#","readPoint":"urn:x:1""#)),
        ("invalid_field", "\"odd\"", object(r#","odd":"x""#)),
        ("invalid_field", "\"odd\"", object_xml("<odd>x</odd>")),
        ("invalid_field", "\"odd\"", object(r#","quantityList":[{"epcClass":"urn:x:1","odd":1}]"#)),
        ("invalid_field", "\"odd\"", object(r#","readPoint":{"id":"urn:x:1","odd":1}"#)),
        ("invalid_field", "\"odd\"", object(r#","sensorElementList":[{"sensorReport":[{"odd":"x"}]}]"#)),
        ("missing_field", "read_point", object(r#","readPoint":{}"#)),
        ("invalid_field", "disposition \"lost\"", object(r#","disposition":"lost""#)),
        ("invalid_field", "persistent disposition", object(r#","persistentDisposition":{"set":["lost"]}"#)),
        (
            "invalid_field",
            "business transaction \"bill\"",
            object(r#","bizTransactionList":[{"type":"bill","bizTransaction":"urn:x:1"}]"#),
        ),
        ("missing_field", "business transaction", object(r#","bizTransactionList":[{"type":"po"}]"#)),
        ("invalid_field", "destination \"place\"", object(r#","sourceList":[{"type":"place","source":"urn:x:1"}]"#)),
        ("missing_field", "type of source", object(r#","sourceList":[{"source":"urn:x:1"}]"#)),
        ("missing_field", "EPC class", object(r#","quantityList":[{"quantity":1}]"#)),
        ("missing_field", "quantity", object(r#","quantityList":[{"epcClass":"urn:x:1","uom":"KGM"}]"#)),
        ("invalid_amount", "\"1\"", object(r#","quantityList":[{"epcClass":"urn:x:1","quantity":"1"}]"#)),
        ("invalid_amount", "value of a sensor", object(r#","sensorElementList":[{"sensorReport":[{"value":"hot"}]}]"#)),
        ("missing_field", "sensor report", object(r#","sensorElementList":[{"sensorMetadata":{}}]"#)),
        (
            "invalid_field",
            "boolean value",
            object(r#","sensorElementList":[{"sensorReport":[{"booleanValue":"true"}]}]"#),
        ),
        ("invalid_date", "time of a sensor", object(r#","sensorElementList":[{"sensorReport":[{"time":"noon"}]}]"#)),
        ("missing_field", "error declaration", object(r#","errorDeclaration":{}"#)),
        (
            "invalid_field",
            "reason of an error",
            object(r#","errorDeclaration":{"declarationTime":"2026-03-31T10:00:00Z","reason":"lost"}"#),
        ),
        ("missing_field", "parent", event("AggregationEvent", &format!(r#"{add},"childEPCs":["urn:x:1"]"#))),
        ("missing_field", "list of children", event("AggregationEvent", &format!(r#"{add},"parentID":"urn:x:1""#))),
        ("missing_field", "parent", event("AssociationEvent", r#","action":"OBSERVE","childEPCs":["urn:x:1"]"#)),
        ("missing_field", "business transactions", event("TransactionEvent", &format!("{add},{EPC}"))),
        ("missing_field", "inputs or outputs", event("TransformationEvent", "")),
        (
            "invalid_field",
            "action \"ADD\"",
            event("TransformationEvent", &format!(r#"{add},"inputEPCList":["urn:x:1"]"#)),
        ),
        ("missing_field", "EPCISBody", object_xml("").replace("EPCISBody", "Body")),
        ("missing_field", "EventList", object_xml("").replace("EventList", "Events")),
        ("missing_field", "schemaVersion", object_xml("").replace("schemaVersion=\"2.0\"", "")),
        (
            "invalid_amount",
            "quantity",
            object_xml(
                "<quantityList><quantityElement><epcClass>urn:x:1</epcClass><quantity>ten</quantity></quantityElement></quantityList>",
            ),
        ),
        ("invalid_field", "\"Other\"", object_xml("").replace("ObjectEvent>", "Other>")),
        ("unsupported_document", "", object_xml("").replace("urn:epcglobal:epcis:xsd:2", "urn:other")),
        ("unsupported_document", "", r#"[{"type":"Other"}]"#.to_owned()),
        ("unsupported_document", "", r#"{"type":"Other"}"#.to_owned()),
    ] {
        let error = refusal(&text);
        assert_eq!(error.code(), code, "{text}: {error}");
        assert!(error.to_string().contains(what), "{text}: {error}");
    }
    let observed = event("AggregationEvent", r#","action":"OBSERVE","childEPCs":["urn:x:1"]"#);
    assert_eq!(of_events(&shown(observed), "type"), ["AggregationEvent"]);
    let deleted = event("AggregationEvent", r#","action":"DELETE","parentID":"urn:x:1""#);
    assert_eq!(of_events(&shown(deleted), "type"), ["AggregationEvent"]);
}

// ---- damage --------------------------------------------------------------------------------------------------------

fn documents() -> Vec<Vec<u8>> {
    ["hash", "openepcis"]
        .iter()
        .flat_map(|folder| names(folder).into_iter().map(move |name| format!("{folder}/{name}")))
        .filter(|name| !name.ends_with("hashes"))
        .map(|name| fixture(&name))
        .collect()
}

#[test]
fn a_document_cut_off_anywhere_is_refused_and_never_a_panic() {
    for bytes in documents() {
        let whole = bytes.trim_ascii_end().len();
        for length in (0..whole).step_by(61) {
            let code = refusal(&bytes[..length]).code();
            let expected = [
                "empty_document",
                "truncated_document",
                "malformed_xml",
                "malformed_json",
                "invalid_encoding",
                "unsupported_document",
            ];
            assert!(expected.contains(&code), "at {length}: {code}");
        }
    }
}

#[test]
fn deep_nesting_is_refused() {
    let open = r#"{"example:a":"#.repeat(5_000);
    let close = "}".repeat(5_000);
    assert_eq!(refusal(object(&format!(r#","example:a":{open}1{close}"#))).code(), "limit_exceeded");
    let lists = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(refusal(object(&format!(r#","example:a":{lists}"#))).code(), "limit_exceeded");
    let many = (0..300).map(|number| format!(r#""p{number}":"urn:x""#)).collect::<Vec<_>>().join(",");
    assert_eq!(
        refusal(object("").replace(r#"{"example":"#, &format!(r#"{{{many},"example":"#))).code(),
        "limit_exceeded"
    );
}

/// Any JSON, as a text.
fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("-1.5e7".to_owned()),
        Just("1e999".to_owned()),
        Just(r#""""#.to_owned()),
        "\\PC{0,12}".prop_map(|text| Value::String(text).to_string()),
        "urn:epc:[a-z]{2,5}:[a-z]{3,5}:[0-9.*%]{0,24}".prop_map(|text| Value::String(text).to_string()),
        "https://[a-z]{1,3}\\.[a-z]{2}/(01|gtin|8010|414|00)/[0-9/A-Z%]{0,24}"
            .prop_map(|text| Value::String(text).to_string()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::btree_map(
                "(type|id|set|source|time|value|epcClass|quantity|#text|example:a|x:y)",
                inner,
                0..4
            )
            .prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| format!("{}:{value}", Value::String(name.clone()))).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_value_in_any_field_is_read_or_refused_by_name(
        field in "(epcList|quantityList|bizTransactionList|sourceList|sensorElementList|readPoint|bizStep|ilmd|persistentDisposition|errorDeclaration|certificationInfo|example:a|@context|type2|comment)",
        value in any_json(),
    ) {
        let base = document(&format!(r#""type":"ObjectEvent","action":"ADD",{TIMES}"#));
        let text = base.replace(r#""action":"ADD""#, &format!(r#""action":"ADD",{}:{value}"#, Value::String(field)));
        match inspect(text.as_bytes()) {
            Ok(found) => prop_assert!(serde_json::to_string(&found).is_ok()),
            Err(error) => prop_assert!(!error.code().is_empty() && !error.to_string().is_empty()),
        }
    }

    #[test]
    fn changed_bytes_are_read_or_refused_by_name(
        pick in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let documents = documents();
        let mut bytes = documents[pick.index(documents.len())].clone();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        match inspect(&bytes) {
            Ok(found) => prop_assert!(serde_json::to_string(&found).is_ok()),
            Err(error) => prop_assert!(!error.code().is_empty() && !error.to_string().is_empty()),
        }
    }
}
