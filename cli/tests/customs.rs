//! Reading customs messages: every published sample against facts that an independent reader found, each kind and
//! refusal, and damage.

use std::fs;
use std::path::PathBuf;

use portolan::document::{Document, DocumentError, Envelope, inspect};
use proptest::prelude::*;
use serde_json::{Value, json};

// ---- the world of these tests --------------------------------------------------------------------------------------

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/customs"))
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(folder().join("uk").join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn names() -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder().join("uk"))
        .expect("folder")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
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

fn warnings(bytes: impl AsRef<[u8]>) -> Vec<&'static str> {
    read(bytes).warnings.iter().map(|warning| warning.code).collect()
}

fn declaration(inside: &str) -> String {
    format!(
        r#"<m:MetaData xmlns:m="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2" xmlns="urn:wco:datamodel:WCO:DEC-DMS:2"
            xmlns:p="urn:wco:datamodel:WCO:Declaration_DS:DMS:2"><m:WCOTypeName>DEC</m:WCOTypeName>
            <Declaration>{inside}</Declaration></m:MetaData>"#
    )
}

fn original(type_code: &str, more: &str) -> String {
    declaration(&format!(
        "<FunctionCode>9</FunctionCode><FunctionalReferenceID>L1</FunctionalReferenceID><TypeCode>{type_code}</TypeCode>{more}"
    ))
}

fn request(type_code: &str, more: &str) -> String {
    let mrn = "<ID>24GB0YVJ3EXXES8AA0</ID>";
    original(type_code, &format!("{mrn}{more}")).replace("<FunctionCode>9<", "<FunctionCode>13<")
}

fn notice(code: &str, more: &str, about: &str) -> String {
    format!(
        "<MetaData><WCOTypeName>RES</WCOTypeName><Response><FunctionCode>{code}</FunctionCode>\
         <FunctionalReferenceID>N1</FunctionalReferenceID>{more}<Declaration><ID>24GB0YVJ3EXXES8AA0</ID>{about}\
         </Declaration></Response></MetaData>"
    )
}

fn item(inside: &str) -> String {
    format!("<GoodsShipment><GovernmentAgencyGoodsItem>{inside}</GovernmentAgencyGoodsItem></GoodsShipment>")
}

fn movement(inside: &str) -> String {
    format!(
        r#"<i:inventoryLinkingMovementRequest xmlns:i="http://gov.uk/customs/inventoryLinking/v1">{inside}</i:inventoryLinkingMovementRequest>"#
    )
}

// ---- the published samples -----------------------------------------------------------------------------------------

/// One text of the facts: what several items have, joined as in the table.
fn joined(items: &Value, fact: impl Fn(&Value) -> String) -> String {
    items.as_array().map(|items| items.iter().map(fact).collect::<Vec<_>>().join(";")).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().map(str::to_owned).unwrap_or_default()
}

fn money(value: &Value) -> String {
    value["minor"].as_i64().map(|minor| format!("{minor}{}", text(&value["currency"]))).unwrap_or_default()
}

#[test]
fn every_published_sample_has_the_facts_that_an_independent_reader_found() {
    let table = fs::read_to_string(folder().join("expected.txt")).expect("table");
    let mut lines = table.lines();
    let head: Vec<_> = lines.next().expect("head").split('|').collect();
    let mut seen = Vec::new();
    for line in lines {
        let row: Vec<_> = line.split('|').collect();
        assert_eq!(row.len(), head.len(), "{line}");
        let bytes = fixture(row[0]);
        seen.push(row[0].to_owned());
        if let Some(code) = row[1].strip_prefix('!') {
            assert_eq!(refusal(bytes).code(), code, "{line}");
            continue;
        }
        let found = shown(bytes);
        let (facts, items) = (&found["facts"], &found["facts"]["items"]);
        let id = |role: &str| {
            let parties = found["parties"].as_array().expect("parties");
            let party = parties.iter().find(|party| party["role"] == role);
            party.map(|party| {
                text(&party["id"]) + if party["id"].is_null() { party["name"].as_str().unwrap_or("") } else { "" }
            })
        };
        let parties = ["declarant", "exporter", "importer"].map(|role| id(role).unwrap_or_default()).join(";");
        let errors = joined(&facts["errors"], |error| format!("{}:{}", text(&error["code"]), text(&error["pointer"])));
        let cells = [
            row[0].to_owned(),
            text(&found["kind"]),
            text(&facts["function_code"]),
            text(&facts["type_code"]),
            text(&facts["lrn"]),
            text(&facts["mrn"]),
            text(&found["issue_date"]),
            joined(items, |item| text(&item["commodity_code"])),
            joined(items, |item| money(&item["item_charge"])),
            joined(items, |item| text(&item["gross_mass"]["quantity"])),
            facts["payable"][0]["minor"].as_i64().map(|minor| minor.to_string()).unwrap_or_default(),
            errors,
            if found["kind"] == "query_request" { text(&found["number"]) } else { parties },
        ];
        for (place, (cell, expected)) in cells.iter().zip(&row).enumerate() {
            assert_eq!(cell, expected, "{}: {}", row[0], head[place]);
        }
        assert_eq!(found["format"], "customs", "{line}");
        assert_eq!(found["unknown"], Value::Null, "{line}: every field of the samples is known");
        assert_eq!(
            found["number"],
            if found["kind"] == "notice" {
                found["number"].clone()
            } else if facts["lrn"].is_null() {
                facts["ucr"].clone()
            } else {
                facts["lrn"].clone()
            }
        );
    }
    assert_eq!(seen, names());
}

#[test]
fn a_notice_is_told_by_its_function_code_and_never_by_the_name_of_its_file() {
    let found = shown(fixture("Example_DMS_notifications__17_DMSGER.xml"));
    assert_eq!(found["facts"]["function_code"], "18");
    assert_eq!(found["facts"]["notice"], "DMSGER");
    assert_eq!(found["facts"]["function"], "exit_result_awaited");
    assert_eq!(found["facts"]["statements"], json!([{ "type": "CEX", "limit": "2025-02-03T16:12:04Z" }]));
}

#[test]
fn a_published_declaration_is_shown_whole() {
    let found = shown(fixture("TT_EX009a__TT_EX009a.xml"));
    assert_eq!(
        found["parties"],
        json!([
            { "role": "representative", "name": null, "id": "GB150454489082" },
            { "role": "carrier", "name": "KP Carrier", "id": null },
            { "role": "declarant", "name": null, "id": "GB150454489082" },
            { "role": "exporter", "name": null, "id": "GB417869120000" },
            { "role": "consignee", "name": "PK Rifle Ltd", "id": null }
        ])
    );
    let item = &found["facts"]["items"][0];
    assert_eq!(item["procedure"], "1040");
    assert_eq!(item["statistical_value"], json!({ "currency": "GBP", "minor": 1_204_000 }));
    assert_eq!(item["net_mass"], json!({ "quantity": "15", "unit": null }));
    assert_eq!(item["packages"], json!([{ "sequence": "1", "type": "4A", "quantity": "1", "marks": "2379261ETT" }]));
    assert_eq!(
        item["documents"][1],
        json!({ "category": "9", "type": "104", "id": "GBSIEXYK3ZZZ-0001", "name": "Waiver", "status": "XX",
            "written_off": { "quantity": "5", "unit": "KGM#G" } })
    );
    let facts = &found["facts"];
    assert_eq!(facts["direction"], "export");
    assert_eq!(facts["declaration_type"], "pre_lodged_standard");
    assert_eq!(facts["accepted"], "2024-01-25T09:46:43+01:00");
    assert_eq!(facts["ducr"], "4GB233149152777-FMSOCDIYD");
    assert_eq!(facts["containers"][0]["seals"], json!([{ "sequence": "1", "id": "2589793487" }]));
    assert_eq!(facts["goods_item_count"], 1);
    assert_eq!(found["references"][2], json!({ "kind": "ducr", "number": "4GB233149152777-FMSOCDIYD" }));
}

#[test]
fn a_published_tax_notice_has_each_duty_in_minor_units_and_their_sum() {
    let found = shown(fixture("Example_Notifications__08._DMSTAX(3).xml"));
    let pounds = |minor: i64| json!({ "currency": "GBP", "minor": minor });
    assert_eq!(
        found["facts"]["items"][1],
        json!({ "sequence": "3", "duties": [
            { "type": "A00", "regime": "100", "base": pounds(10_000), "rate": "2.00", "deducted": pounds(0),
              "assessed": pounds(200), "payable": pounds(200) },
            { "type": "B00", "regime": "100", "base": pounds(10_200), "rate": "20.00", "deducted": pounds(0),
              "assessed": pounds(2_040), "payable": pounds(2_040) }
        ] })
    );
    assert_eq!(found["facts"]["payable"], json!([pounds(24_640)]));
    assert_eq!(found["facts"]["bank"], json!({ "bic": "CITIGB2LLON", "account": "GB25CITI08320011963155" }));
}

#[test]
fn a_published_correction_shows_what_customs_changed() {
    let found = shown(fixture("Example_Notifications__09._DMSRES.xml"));
    assert_eq!(
        found["facts"]["changes"],
        json!([{ "function_code": "9", "goods_item_count": 2, "package_count": 65,
            "invoice_amount": { "currency": "GBP", "minor": 110_000 } }])
    );
    assert_eq!(found["facts"]["amendments"][0], json!({ "reason": "30", "pointer": "42A/67A/68A[2]" }));
    assert_eq!(
        found["references"],
        json!([{ "kind": "declaration", "number": "21GB7X8M7S6NG8N6R0" },
            { "kind": "local_reference", "number": "TT_IM17a_v1.4_1907_01" }])
    );
}

// ---- kinds ---------------------------------------------------------------------------------------------------------

#[test]
fn declarations_are_told_apart_by_function_and_type() {
    for (type_code, kind, direction, additional) in [
        ("IMA", "import_declaration", json!("import"), json!("standard")),
        ("IMK", "import_declaration", json!("import"), json!("pre_lodged_clearance_request")),
        ("EXZ", "export_declaration", json!("export"), json!("supplementary_entry_in_records")),
        ("COD", "special_territory_declaration", Value::Null, json!("pre_lodged_standard")),
        ("IM7", "import_declaration", json!("import"), Value::Null),
    ] {
        let found = shown(original(type_code, ""));
        assert_eq!(found["kind"], kind);
        assert_eq!(found["facts"]["direction"], direction, "{type_code}");
        assert_eq!(found["facts"]["declaration_type"], additional, "{type_code}");
        assert_eq!(found["facts"]["function"], "original");
    }
    for (type_code, kind) in [("COR", "amendment"), ("INV", "invalidation"), ("GPR", "arrival_notification")] {
        let found = shown(request(type_code, ""));
        assert_eq!(found["kind"], kind);
        assert_eq!(found["references"], json!([{ "kind": "declaration", "number": "24GB0YVJ3EXXES8AA0" }]));
        assert_eq!(refusal(original(type_code, "")).code(), "invalid_field", "{type_code} is no original");
    }
    assert_eq!(refusal(request("IMA", "")).code(), "invalid_field");
}

#[test]
fn each_notice_has_its_name_and_meaning() {
    for (code, name, meaning) in [
        ("01", "DMSACC", "accepted"),
        ("2", "DMSRCV", "received"),
        ("03", "DMSREJ", "rejected"),
        ("05", "DMSCTL", "under_control"),
        ("06", "DMSDOC", "documents_required"),
        ("07", "DMSRES", "corrected"),
        ("08", "DMSROG", "released"),
        ("09", "DMSCLE", "cleared"),
        ("10", "DMSINV", "invalidated"),
        ("11", "DMSREQ", "request_answered"),
        ("13", "DMSTAX", "tax_assessed"),
        ("14", "DMSCPI", "balance_insufficient"),
        ("15", "DMSCPR", "balance_insufficient_reminder"),
        ("16", "DMSEOG", "goods_exited"),
        ("17", "DMSEXT", "handled_externally"),
        ("18", "DMSGER", "exit_result_awaited"),
        ("51", "DMSQRY", "query"),
    ] {
        let found = shown(notice(code, "", ""));
        assert_eq!(
            (found["facts"]["notice"].as_str(), found["facts"]["function"].as_str()),
            (Some(name), Some(meaning))
        );
        assert_eq!(found["warnings"], json!([]), "{code}");
    }
    let unlisted = shown(notice("99", "", ""));
    assert_eq!(unlisted["facts"]["function"], Value::Null);
    assert_eq!(unlisted["warnings"][0]["code"], "unknown_function_code");
}

#[test]
fn the_answer_to_a_request_is_in_its_status() {
    for (status, answer) in [("39", json!("granted")), ("41", json!("denied")), ("4", Value::Null)] {
        let found = shown(notice("11", &format!("<Status><NameCode>{status}</NameCode></Status>"), ""));
        assert_eq!(found["facts"]["answer"], answer, "{status}");
    }
}

#[test]
fn inventory_messages_are_read_with_what_they_do() {
    let found = shown(movement(
        "<i:messageCode>EDL</i:messageCode><i:ucrBlock><i:ucr>A:1</i:ucr><i:ucrType>M</i:ucrType></i:ucrBlock>\
         <i:goodsLocation>GBAULGW</i:goodsLocation><i:goodsDepartureDateTime>2024-01-25T09:32:04.004Z</i:goodsDepartureDateTime>\
         <i:movementReference>R1</i:movementReference><i:transportDetails><i:transportID>S</i:transportID></i:transportDetails>",
    ));
    assert_eq!((found["kind"].as_str(), found["number"].as_str()), (Some("movement_request"), Some("R1")));
    assert_eq!(found["facts"]["function"], "departure");
    assert_eq!(found["facts"]["departed"], "2024-01-25T09:32:04.004Z");
    assert_eq!(found["facts"]["transport"], json!({ "id": "S" }));
    assert_eq!(found["references"], json!([{ "kind": "mucr", "number": "A:1" }]));

    let control = shown(
        r#"<x:inventoryLinkingControlResponse xmlns:x="http://gov.uk/customs/inventoryLinking/v1"><x:messageCode>EAC</x:messageCode>
        <x:actionCode>3</x:actionCode><x:ucr><x:ucr>D1</x:ucr><x:ucrType>D</x:ucrType></x:ucr><x:error><x:errorCode>01</x:errorCode></x:error>
        <x:error><x:errorCode>02</x:errorCode></x:error></x:inventoryLinkingControlResponse>"#,
    );
    assert_eq!((control["kind"].as_str(), control["number"].as_str()), (Some("control_response"), Some("D1")));
    assert_eq!(control["facts"]["action"], "rejected");
    assert_eq!(control["facts"]["errors"], json!([{ "code": "01" }, { "code": "02" }]));

    let totals = shown(
        r#"<inventoryLinkingMovementTotalsResponse xmlns="http://gov.uk/customs/inventoryLinking/v1"><messageCode>EMR</messageCode>
        <crc>000</crc><goodsLocation>L</goodsLocation><masterUCR>M1</masterUCR><declarationCount>1</declarationCount><entry><ucrBlock>
        <ucr>D1</ucr><ucrType>D</ucrType></ucrBlock><goodsItem><commodityCode>1</commodityCode><totalPackages>2</totalPackages>
        <totalNetMass>3.5</totalNetMass></goodsItem><entryStatus><ics>3</ics><roe>6</roe><soe>D</soe></entryStatus></entry>
        </inventoryLinkingMovementTotalsResponse>"#,
    );
    assert_eq!(
        totals["facts"]["entries"],
        json!([{ "ucr": "D1", "ucr_type": "D", "status": { "ics": "3", "roe": "6", "soe": "D" },
            "goods": [{ "commodity_code": "1", "packages": "2", "net_mass": "3.5" }] }])
    );

    let queried = shown(
        r#"<inventoryLinkingQueryResponse xmlns="http://gov.uk/customs/inventoryLinking/v1"><queriedDUCR><UCR>D1</UCR>
        <declarationID>24GB0YVJ3EXXES8AA0</declarationID></queriedDUCR><childMUCR><UCR>M2</UCR><shut>true</shut></childMUCR>
        </inventoryLinkingQueryResponse>"#,
    );
    assert_eq!((queried["kind"].as_str(), queried["number"].as_str()), (Some("query_response"), Some("D1")));
    assert_eq!(queried["facts"]["child_mucrs"], json!([{ "ucr": "M2", "shut": true }]));

    for (code, matched) in [("000", true), ("001", false)] {
        let validated = shown(format!(
            r#"<InventoryLinkingImportsValidateMovementResponse xmlns="http://gov.uk/customs/inventoryLinkingImport/v1">
            <entryNumber>24GBCLURMAK2W2BA03</entryNumber><entryVersionNumber>1</entryVersionNumber>
            <inventoryConsignmentReference>C1</inventoryConsignmentReference><irc>{code}</irc>
            </InventoryLinkingImportsValidateMovementResponse>"#
        ));
        assert_eq!(validated["kind"], "movement_validation_response");
        assert_eq!(validated["facts"]["matched"], matched);
        assert_eq!(validated["references"][0], json!({ "kind": "declaration", "number": "24GBCLURMAK2W2BA03" }));
    }
}

#[test]
fn a_message_is_found_in_the_request_that_carried_it() {
    let bare = original("EXA", "");
    let carried = format!(
        r#"<v:submitDeclarationRequest xmlns:v="http://uk/gov/hmrc/mdg/declarationmanagement/submitdeclaration/request/schema/v1">
        <v:requestCommon><v:regime>CDS</v:regime><v:clientID>c</v:clientID></v:requestCommon><v:requestDetail>{bare}</v:requestDetail>
        </v:submitDeclarationRequest>"#
    );
    let found = shown(carried);
    assert_eq!((found["kind"].as_str(), found["number"].as_str()), (Some("export_declaration"), Some("L1")));
    assert_eq!(found["facts"]["request"], json!({ "regime": "CDS", "client": "c" }));
    assert_eq!(found["unknown"], Value::Null);
    let movement = movement(
        "<i:messageCode>EAL</i:messageCode><i:ucrBlock><i:ucr>D</i:ucr><i:ucrType>D</i:ucrType></i:ucrBlock><i:goodsLocation>L</i:goodsLocation>",
    );
    let found = shown(format!(
        r#"<n:InventoryLinkingExportsInboundRequest xmlns:n="http://www.hmrc.gov.uk/cds/inventorylinking/exportmovement"
        xmlns:g="http://gov.uk/customs/inventoryLinking/gatewayHeader/v1"><n:requestCommon><g:submitter>GB1</g:submitter>
        <g:dateTimeStamp>2025-09-15T14:53:53.053+01:00</g:dateTimeStamp></n:requestCommon><n:requestDetail>{movement}</n:requestDetail>
        </n:InventoryLinkingExportsInboundRequest>"#
    ));
    assert_eq!(found["issue_date"], "2025-09-15");
}

#[test]
fn reports_of_the_information_service_show_state_and_declaration() {
    let found = shown(
        r#"<p:DeclarationStatusResponse xmlns:p="http://gov.uk/customs/declarationInformationRetrieval/status/v2"
        xmlns:q="urn:wco:datamodel:WCO:DEC-DMS:2"><p:DeclarationStatusDetails><p:Declaration><p:ID>24GB2VNN8DSUDFUAR5</p:ID>
        <p:GoodsReleasedDateTime><p:DateTimeString formatCode="304">20240313130212Z</p:DateTimeString></p:GoodsReleasedDateTime>
        <p:ROE>6</p:ROE></p:Declaration><q:Declaration><q:FunctionCode>9</q:FunctionCode><q:TypeCode>IMA</q:TypeCode>
        <q:GoodsItemQuantity>1</q:GoodsItemQuantity></q:Declaration></p:DeclarationStatusDetails></p:DeclarationStatusResponse>"#,
    );
    assert_eq!(
        (found["kind"].as_str(), found["number"].as_str()),
        (Some("declaration_status"), Some("24GB2VNN8DSUDFUAR5"))
    );
    let declaration = &found["facts"]["declarations"][0];
    assert_eq!(declaration["released"], "2024-03-13T13:02:12Z");
    assert_eq!((declaration["roe"].as_str(), declaration["type_code"].as_str()), (Some("6"), Some("IMA")));
}

// ---- refusals and warnings -----------------------------------------------------------------------------------------

#[test]
fn what_a_kind_requires_is_refused_by_name_when_it_is_not_there_or_wrong() {
    let charge = |amount: &str| {
        item(&format!("<Commodity><InvoiceLine><ItemChargeAmount{amount}</ItemChargeAmount></InvoiceLine></Commodity>"))
    };
    let issued = |format: &str, text: &str| {
        format!(r#"<IssueDateTime><p:DateTimeString formatCode="{format}">{text}</p:DateTimeString></IssueDateTime>"#)
    };
    for (code, document) in [
        ("missing_field", declaration("")),
        ("missing_field", original("IMA", "").replace("<FunctionCode>9</FunctionCode>", "")),
        ("missing_field", original("IMA", "").replace("<TypeCode>IMA</TypeCode>", "")),
        ("missing_field", original("IMA", "").replace(">L1<", "> <")),
        ("missing_field", request("COR", "").replace("<ID>24GB0YVJ3EXXES8AA0</ID>", "")),
        ("missing_field", notice("09", "", "").replace("<ID>24GB0YVJ3EXXES8AA0</ID>", "")),
        (
            "missing_field",
            original("IMA", "").replace("<Declaration>", "<Other>").replace("</Declaration>", "</Other>"),
        ),
        ("missing_field", original("IMA", &charge(">1"))),
        ("several_documents", original("IMA", "").replace("</Declaration>", "</Declaration><Declaration/>")),
        ("contradictory_field", original("IMA", "").replace(">DEC<", ">RES<")),
        ("invalid_field", original("ZZA", "")),
        ("invalid_field", original("I", "")),
        ("invalid_field", original("IMA", "").replace(">9<", ">77<")),
        ("invalid_field", original("IMA", "<GoodsItemQuantity>one</GoodsItemQuantity>")),
        ("invalid_field", original("IMA", "<GoodsItemQuantity>-1</GoodsItemQuantity>")),
        ("invalid_field", original("IMA", "<GoodsItemQuantity>9999999999999999999</GoodsItemQuantity>")),
        ("template", original("IMA", "").replace(">L1<", ">${lrn}<")),
        ("template", original("{{type}}", "")),
        ("template", original("IMA", &charge(r#" currencyID="GBP">${amount}"#))),
        ("template", original("IMA", &issued("304", "${#TestCase#AcceptanceDate}"))),
        ("invalid_amount", original("IMA", &charge(r#" currencyID="GBP">1,5"#))),
        ("too_many_decimals", original("IMA", &charge(r#" currencyID="GBP">1.001"#))),
        ("unknown_currency", original("IMA", &charge(r#" currencyID="RMB">1"#))),
        ("no_minor_unit", original("IMA", &charge(r#" currencyID="XAU">1"#))),
        ("amount_overflow", original("IMA", &charge(&format!(r#" currencyID="GBP">{}"#, "9".repeat(40))))),
        ("invalid_date", original("IMA", &issued("304", "20240230000000Z"))),
        ("unsupported_date_format", original("IMA", &issued("610", "202401"))),
        ("invalid_amount", original("IMA", "<TotalGrossMassMeasure>heavy</TotalGrossMassMeasure>")),
        (
            "invalid_field",
            movement(
                "<i:messageCode>XXX</i:messageCode><i:ucrBlock><i:ucr>D</i:ucr></i:ucrBlock><i:goodsLocation>L</i:goodsLocation>",
            ),
        ),
        ("missing_field", movement("<i:messageCode>EAL</i:messageCode><i:goodsLocation>L</i:goodsLocation>")),
        ("unsupported_document", "<MetaData><Other/></MetaData>".to_owned()),
        ("unsupported_document", "<Response><FunctionCode>01</FunctionCode></Response>".to_owned()),
    ] {
        assert_eq!(refusal(&document).code(), code, "{document}");
    }
    let duty = "<Commodity><DutyTaxFee><Payment><PaymentAmount>%</PaymentAmount></Payment></DutyTaxFee></Commodity>";
    let most = (i128::MAX / 100).to_string();
    let both = format!(
        "<GoodsShipment>{}{}</GoodsShipment>",
        inner(&duty.replace('%', &most)),
        inner(&duty.replace('%', "1"))
    );
    assert_eq!(refusal(notice("13", "", &both)).code(), "amount_overflow");
}

fn inner(inside: &str) -> String {
    format!("<GovernmentAgencyGoodsItem>{inside}</GovernmentAgencyGoodsItem>")
}

#[test]
fn what_is_odd_is_a_warning() {
    assert_eq!(warnings(original("IMA", "<GoodsItemQuantity>1</GoodsItemQuantity>")), [""; 0]);
    let one = item("<SequenceNumeric>1</SequenceNumeric>");
    assert_eq!(warnings(original("IMA", &format!("<GoodsItemQuantity>1</GoodsItemQuantity>{one}"))), [""; 0]);
    assert_eq!(
        warnings(original("IMA", &format!("<GoodsItemQuantity>2</GoodsItemQuantity>{one}"))),
        ["wrong_item_count"]
    );
    assert_eq!(warnings(request("COR", &format!("<GoodsItemQuantity>2</GoodsItemQuantity>{one}"))), [""; 0]);
    for mrn in ["24GB0YVJ3EXXES8AA", "24gb0yvj3exxes8aa0", "AAGB0YVJ3EXXES8AA0", "2400YVJ3EXXES8AA00"] {
        assert_eq!(warnings(request("COR", "").replace("24GB0YVJ3EXXES8AA0", mrn)), ["invalid_mrn"], "{mrn}");
    }
    let duty = "<DutyTaxFee><Payment><PaymentAmount>226.40</PaymentAmount></Payment></DutyTaxFee>";
    let found = shown(notice("15", "", &duty.repeat(2)));
    assert_eq!(found["warnings"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["warnings"][0]["code"], "no_currency");
    assert_eq!(found["facts"]["duties"][0], json!({ "payable": { "currency": "GBP", "minor": 22_640 } }));
    assert_eq!(warnings(original("IMA", "<Exporter><Name>{{exporter}}</Name></Exporter>")), ["placeholder"]);
}

#[test]
fn what_no_reader_knows_is_kept_by_hash_and_another_namespace_is_no_field() {
    let known = read(original("IMA", ""));
    assert_eq!(known.unknown, None);
    let more = read(original("IMA", "<Extra a=\"1\">2</Extra>")).unknown.expect("unknown");
    assert_eq!(more.fields, 2);
    let other = read(original("IMA", "<Extra a=\"1\">3</Extra>")).unknown.expect("unknown");
    assert_ne!(more.hash, other.hash);
    let foreign = read(original("IMA", "<GoodsItemQuantity xmlns='urn:other'>5</GoodsItemQuantity>"));
    assert_eq!(foreign.facts.get("goods_item_count"), None);
    assert_eq!(foreign.unknown.map(|unknown| unknown.fields), Some(1));
}

// ---- damage --------------------------------------------------------------------------------------------------------

#[test]
fn a_message_cut_off_anywhere_is_refused_and_never_a_panic() {
    for name in names() {
        let bytes = fixture(&name);
        let whole = bytes.trim_ascii_end().len();
        for length in (0..whole).step_by(61) {
            let code = refusal(&bytes[..length]).code();
            let expected =
                ["empty_document", "truncated_document", "malformed_xml", "invalid_encoding", "unsupported_document"];
            assert!(expected.contains(&code), "{name} at {length}: {code}");
        }
    }
}

#[test]
fn deep_nesting_is_refused() {
    let deep = original("IMA", &format!("{}{}", "<A>".repeat(5_000), "</A>".repeat(5_000)));
    assert_eq!(refusal(deep).code(), "limit_exceeded");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn changed_and_random_contents_are_read_or_refused_by_name(
        pick in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        noise in "\\PC{0,40}",
    ) {
        let names = names();
        let mut bytes = fixture(&names[pick.index(names.len())]);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let escaped = noise.replace('&', "&amp;").replace('<', "&lt;");
        for document in [
            bytes,
            original(&escaped, "").into_bytes(),
            original("IMA", &format!("<TypeCode/><IssueDateTime>{escaped}</IssueDateTime>")).into_bytes(),
            notice(&escaped, "", &item(&format!("<Commodity><DutyTaxFee><TaxRateNumeric>{escaped}</TaxRateNumeric></DutyTaxFee></Commodity>"))).into_bytes(),
        ] {
            match inspect(&document) {
                Ok(found) => prop_assert!(serde_json::to_string(&found).is_ok()),
                Err(error) => prop_assert!(!error.code().is_empty() && !error.to_string().is_empty()),
            }
        }
    }
}
