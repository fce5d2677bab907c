//! Every document that is no invoice: published examples against what others read in them, each refusal, and damage.

use std::fs;
use std::path::PathBuf;

use portolan::document::{Document, DocumentError, Envelope, MAX_WARNINGS, inspect};
use serde_json::{Value, json};

// ---- the world of these tests --------------------------------------------------------------------------------------

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures"))
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(fixtures().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Files of a folder whose names end so.
fn names(folder: &str, end: &str) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(fixtures().join(folder))
        .expect("folder")
        .map(|entry| format!("{folder}/{}", entry.expect("entry").file_name().to_string_lossy()))
        .filter(|name| name.ends_with(end))
        .collect();
    names.sort();
    names
}

fn read(bytes: impl AsRef<[u8]>) -> Envelope {
    match inspect(bytes.as_ref()) {
        Ok(Document::Other(envelope)) => *envelope,
        other => panic!("{other:?}"),
    }
}

fn shown(bytes: impl AsRef<[u8]>) -> Value {
    serde_json::to_value(read(bytes)).expect("JSON")
}

fn refusal(bytes: impl AsRef<[u8]>) -> DocumentError {
    inspect(bytes.as_ref()).map(|read| format!("{read:?}")).expect_err("must be refused")
}

fn warnings(bytes: impl AsRef<[u8]>) -> Vec<&'static str> {
    read(bytes).warnings.into_iter().map(|warning| warning.code).collect()
}

fn ubl(root: &str, inside: &str) -> String {
    format!(
        r#"<{root} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{root}-2"
            xmlns:a="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
            xmlns:b="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">{inside}</{root}>"#
    )
}

const HEAD: &str = "<b:ID>7</b:ID><b:IssueDate>2026-03-31</b:IssueDate>";

/// A message of the given kind.
fn message(kind: &str, element: &str, inside: &str) -> String {
    format!(r#"<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{kind}"><{element}>{inside}</{element}></Document>"#)
}

fn transfer(amount: &str) -> String {
    format!(
        r#"<CdtTrfTxInf><PmtId><EndToEndId>E</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">{amount}</InstdAmt></Amt>
            <Cdtr><Nm>Payee</Nm></Cdtr></CdtTrfTxInf>"#
    )
}

fn group(declared: &str, transfers: &str) -> String {
    format!("<PmtInf><PmtInfId>P</PmtInfId>{declared}{transfers}</PmtInf>")
}

/// An initiation whose header and groups say what they are told to say.
fn pain(declared: &str, groups: &str) -> String {
    let header = format!("<GrpHdr><MsgId>M</MsgId><CreDtTm>2026-03-31T10:00:00</CreDtTm>{declared}</GrpHdr>");
    message("pain.001.001.09", "CstmrCdtTrfInitn", &(header + groups))
}

fn count(count: u64) -> String {
    format!("<NbOfTxs>{count}</NbOfTxs>")
}

fn sum(sum: &str) -> String {
    format!("<CtrlSum>{sum}</CtrlSum>")
}

/// A statement with the given balances and entries, each `code, amount, indicator` and `amount, indicator, status`.
fn camt(balances: &[(&str, &str, &str)], entries: &[(&str, &str, &str)], more: &str) -> String {
    let balances: String = balances
        .iter()
        .map(|(code, amount, side)| {
            format!(
                r#"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd></Bal>"#
            )
        })
        .collect();
    let entries: String = entries
        .iter()
        .map(|(amount, side, status)| {
            format!(r#"<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>{status}</Sts></Ntry>"#)
        })
        .collect();
    let header = "<GrpHdr><MsgId>M</MsgId><CreDtTm>2026-03-31T10:00:00</CreDtTm></GrpHdr>";
    let account = "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>";
    let statement = format!("<Stmt><Id>S</Id>{account}{balances}{more}{entries}</Stmt>");
    message("camt.053.001.02", "BkToCstmrStmt", &format!("{header}{statement}"))
}

const OPEN_100: (&str, &str, &str) = ("OPBD", "100.00", "CRDT");

// ---- UBL -----------------------------------------------------------------------------------------------------------

#[test]
fn every_example_of_ubl_has_kind_number_date_and_parties() {
    let mut read_so_far = 0;
    for name in names("trade-docs/ubl", ".xml") {
        let Document::Other(found) = inspect(&fixture(&name)).unwrap_or_else(|error| panic!("{name}: {error}")) else {
            continue;
        };
        let kind = name.rsplit('/').next().and_then(|file| file.split("__").next()).expect("kind");
        assert_eq!((found.format, found.kind.replace('_', "").as_str()), ("ubl", kind), "{name}");
        assert!(found.number.is_some() && found.issue_date.is_some(), "{name}");
        assert!(!found.parties.is_empty() || kind == "transportationstatus", "{name}");
        assert!(found.unknown.is_some(), "{name}: no reader reads all of an example");
        read_so_far += 1;
    }
    assert_eq!(read_so_far, 23);
}

#[test]
fn an_order_has_its_parties_references_totals_and_lines() {
    let order = shown(fixture("trade-docs/ubl/order__UBL-Order-2.1-Example.xml"));
    assert_eq!(
        (order["format"].clone(), order["kind"].clone(), order["number"].clone(), order["issue_date"].clone()),
        (json!("ubl"), json!("order"), json!("34"), json!("2010-01-20"))
    );
    assert_eq!(
        order["parties"][0],
        json!({ "role": "buyer", "name": "Johnssons Byggvaror AB", "id": "7300072311115" })
    );
    assert_eq!(order["references"][0], json!({ "kind": "quotation", "number": "QuoteID123" }));
    assert_eq!(order["references"][1], json!({ "kind": "order", "number": "RjectedOrderID123" }));
    let facts = &order["facts"];
    assert_eq!(facts["currency"], "SEK");
    assert_eq!(facts["payable"], json!({ "currency": "SEK", "minor": 622_500 }));
    assert_eq!(facts["tax"], json!({ "currency": "SEK", "minor": 10_000 }));
    assert_eq!((&facts["incoterm"], &facts["valid_until"]), (&json!("FOT"), &json!("2010-01-31")));
    assert_eq!((&facts["delivery_from"], &facts["delivery_until"]), (&json!("2010-02-10"), &json!("2010-02-25")));
    assert_eq!(facts["line_count"], 2);
    let line = &facts["lines"][0];
    assert_eq!(
        (&line["id"], &line["quantity"], &line["unit"], &line["amount"]),
        (&json!("1"), &json!("120"), &json!("LTR"), &json!({ "currency": "SEK", "minor": 600_000 }))
    );
}

#[test]
fn answers_to_an_order_say_whether_it_is_accepted_and_which_one_they_answer() {
    let simple = shown(fixture("trade-docs/ubl/orderresponsesimple__UBL-OrderResponseSimple-2.0-Example.xml"));
    assert_eq!(simple["facts"]["accepted"], true);
    assert_eq!(simple["references"][0]["kind"], "order");
    let refused = ubl("OrderResponseSimple", &format!("{HEAD}<b:AcceptedIndicator>false</b:AcceptedIndicator>"));
    assert_eq!(shown(refused)["facts"]["accepted"], false);
    for (inside, expected) in [
        ("", "the document has no accepted indicator; ask its sender for a complete one"),
        (
            "<b:AcceptedIndicator>maybe</b:AcceptedIndicator>",
            r#"the accepted indicator "maybe" is not allowed: it is true or false"#,
        ),
    ] {
        assert_eq!(refusal(ubl("OrderResponseSimple", &format!("{HEAD}{inside}"))).to_string(), expected);
    }
}

#[test]
fn despatch_and_receipt_advices_tell_what_came_and_what_is_short() {
    let despatch = shown(fixture("trade-docs/ubl/despatchadvice__UBL-DespatchAdvice-2.0-Example.xml"));
    let line = &despatch["facts"]["lines"][0];
    assert_eq!((&line["quantity"], &line["backorder"]), (&json!("90"), &json!("10")));
    let receipt = shown(fixture("trade-docs/ubl/receiptadvice__UBL-ReceiptAdvice-2.0-Example.xml"));
    let line = &receipt["facts"]["lines"][0];
    assert!(line["quantity"].is_string() && line["short"].is_string(), "{line}");
    let kinds: Vec<_> = receipt["references"].as_array().expect("list").iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds, ["order", "sales_order", "despatch"]);
}

#[test]
fn a_debit_note_has_its_amounts_in_an_envelope() {
    let note = shown(fixture("trade-docs/ubl/debitnote__UBL-DebitNote-2.1-Example.xml"));
    assert_eq!(note["kind"], "debit_note");
    assert_eq!(note["facts"]["payable"], json!({ "currency": "EUR", "minor": 72_900 }));
    assert_eq!(note["parties"][0]["role"], "seller");
    assert_eq!(note["parties"][1]["role"], "buyer");
}

#[test]
fn types_that_ubl_does_not_have_are_not_ubl() {
    for root in ["Waybills", "Letter"] {
        assert_eq!(refusal(ubl(root, HEAD)).code(), "unsupported_document", "{root}");
    }
    let other_version = ubl("Order", HEAD).replace("Order-2", "Order-1");
    assert_eq!(refusal(other_version).code(), "unsupported_document");
}

#[test]
fn defects_of_a_ubl_document_are_refused_by_name() {
    for (code, document) in [
        ("missing_field", ubl("Waybill", "<b:IssueDate>2026-03-31</b:IssueDate>")),
        ("invalid_date", ubl("Waybill", "<b:ID>7</b:ID><b:IssueDate>2026-02-29</b:IssueDate>")),
        ("template", ubl("Waybill", "<b:ID>{{number}}</b:ID>")),
        ("template", ubl("Waybill", "<b:ID>7</b:ID><b:IssueDate>${date}</b:IssueDate>")),
        ("unknown_currency", ubl("Order", &format!("{HEAD}<b:DocumentCurrencyCode>RMB</b:DocumentCurrencyCode>"))),
        (
            "too_many_decimals",
            ubl(
                "Order",
                &format!(
                    r#"{HEAD}<a:AnticipatedMonetaryTotal><b:PayableAmount currencyID="EUR">1.001</b:PayableAmount></a:AnticipatedMonetaryTotal>"#
                ),
            ),
        ),
        (
            "invalid_amount",
            ubl(
                "Order",
                &format!("{HEAD}<a:OrderLine><a:LineItem><b:Quantity>1e3</b:Quantity></a:LineItem></a:OrderLine>"),
            ),
        ),
        ("limit_exceeded", ubl("Waybill", &format!("<b:ID>{}</b:ID>", "7".repeat(5_000)))),
    ] {
        assert_eq!(refusal(&document).code(), code, "{document}");
    }
    assert_eq!(warnings(ubl("Waybill", "<b:ID/>")), ["no_number", "no_issue_date"]);
}

#[test]
fn a_field_in_a_foreign_namespace_is_never_taken_for_one_of_the_document() {
    let document = ubl("Waybill", r#"<x:ID xmlns:x="urn:other">8</x:ID>"#);
    assert_eq!(refusal(&document).code(), "missing_field");
    let both = ubl("Waybill", &format!(r#"<x:ID xmlns:x="urn:other">8</x:ID>{HEAD}"#));
    let found = read(both);
    assert_eq!((found.number.as_deref(), found.unknown.map(|unknown| unknown.fields)), (Some("7"), Some(1)));
}

#[test]
fn a_placeholder_elsewhere_is_a_warning_and_warnings_are_bounded() {
    let note = "<b:Remarks>{{remarks}}</b:Remarks>";
    assert_eq!(warnings(ubl("Waybill", &format!("{HEAD}{note}"))), ["placeholder"]);
    let many = warnings(ubl("Waybill", &format!("{HEAD}{}", note.repeat(MAX_WARNINGS + 1))));
    assert_eq!((many.len(), many.last()), (MAX_WARNINGS, Some(&"more_warnings")));
}

#[test]
fn what_is_not_read_is_kept_by_a_hash_of_its_place_and_value() {
    let unknown = |more: &str| read(ubl("Waybill", &format!("{HEAD}{more}"))).unknown;
    assert_eq!(unknown(""), None);
    let one = unknown("<b:Remarks>a</b:Remarks>").expect("one field");
    assert_eq!(one.fields, 1);
    assert_eq!(unknown("<!-- here -->\n <b:Remarks> a </b:Remarks>"), Some(one.clone()));
    for other in [
        "<b:Remarks>b</b:Remarks>",
        "<b:Remark>a</b:Remark>",
        "<a:Remarks>a</a:Remarks>",
        "<b:Remarks x='1'>a</b:Remarks>",
    ] {
        assert_ne!(unknown(other), Some(one.clone()), "{other}");
    }
}

// ---- ISO 20022 -----------------------------------------------------------------------------------------------------

/// What the other parser's JSON says of all its objects of that class: minor units by currency, as texts to sort.
fn expected_amounts(json: &Value, class: &str, found: &mut Vec<String>) {
    if json["__CLASS__"] == format!("Genkgo\\Camt\\DTO\\{class}") {
        let money = &json["getAmount"];
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        found.push(format!("{} {}", text(&money["getAmount"]), text(&money["getCurrency"]["getCode"])));
    }
    match json {
        Value::Array(items) => items.iter().for_each(|item| expected_amounts(item, class, found)),
        Value::Object(members) => members.values().for_each(|value| expected_amounts(value, class, found)),
        _ => {}
    }
}

#[test]
fn statements_are_read_as_another_parser_read_them() {
    let mut compared = 0;
    for name in names("iso20022/camt", ".json") {
        let theirs: Value = serde_json::from_slice(&fixture(&name)).expect("JSON");
        let ours = shown(fixture(&name.replace(".json", ".xml")));
        let header = &theirs["getGroupHeader"];
        assert_eq!(ours["number"], header["getMessageId"], "{name}");
        let created = header["getCreatedOn"]["0"].as_str().expect("time");
        assert_eq!(ours["issue_date"], created[..10], "{name}");
        let list = ["reports", "statements", "notifications"].into_iter().find_map(|list| ours["facts"].get(list));
        let statements = list.and_then(Value::as_array).expect("statements");
        for (class, list) in [("Entry", "entries"), ("Balance", "balances")] {
            let mut ours: Vec<String> = statements
                .iter()
                .flat_map(|statement| statement[list].as_array().expect("a list"))
                .map(|one| format!("{} {}", one["amount"]["minor"], one["amount"]["currency"].as_str().expect("code")))
                .collect();
            let mut expected = Vec::new();
            expected_amounts(&theirs, class, &mut expected);
            ours.sort();
            expected.sort();
            // Of several statements the other parser's list keeps the last one.
            if name.contains("multi.statement") {
                assert!(expected.iter().all(|amount| ours.contains(amount)), "{name}: {list}");
                continue;
            }
            assert_eq!(ours, expected, "{name}: {list}");
            compared += ours.len();
        }
    }
    assert!(compared >= 20, "{compared}");
}

#[test]
fn what_the_published_samples_do_wrong_is_refused_by_name() {
    let wrong_count =
        |place: &str, declared, found| DocumentError::WrongCount { place: place.to_owned(), declared, found };
    assert_eq!(
        refusal(fixture("iso20022/camt/camt053.v2.wrong.xml")).to_string(),
        "the document has no statement; ask its sender for a complete one"
    );
    for (name, found) in [("001.001.03", 4), ("001.001.09", 5)] {
        let file = fixture(&format!("iso20022/pain/pain.{name}__pain.{name}.xml"));
        assert_eq!(refusal(file), wrong_count("group header", 2, found));
        assert_eq!(refusal(fixture(&format!("iso20022/pain/pain.{name}__template.xml"))).code(), "template");
    }
    let group = refusal(fixture("iso20022/pain/data__pain.001.001.03.xml"));
    assert_eq!(group, wrong_count(r#"payment information "Payment-Info-12345""#, 2, 1));
    assert_eq!(
        refusal(fixture("iso20022/prowide/resources__pacs.008.001.07.xml")),
        DocumentError::WrongControlSum {
            place: "group header".to_owned(),
            declared: "10000".to_owned(),
            found: "5000".to_owned()
        }
    );
    assert_eq!(warnings(fixture("iso20022/camt/camt053.v2.all-balance-types.xml")), ["wrong_balance"]);
}

#[test]
fn envelopes_and_headers_of_networks_change_nothing_but_add_their_ends() {
    let bare = pain(&count(1), &group("", &transfer("1.00")));
    let header = r#"<h:AppHdr xmlns:h="urn:iso:std:iso:20022:tech:xsd:head.001.001.02">
        <h:Fr><h:FIId><h:FinInstnId><h:BICFI>DEUTDEFF</h:BICFI></h:FinInstnId></h:FIId></h:Fr>
        <h:BizMsgIdr>B</h:BizMsgIdr><h:MsgDefIdr>pain.001.001.09</h:MsgDefIdr></h:AppHdr>"#;
    for wrapped in [
        format!("<Envelope>{header}{bare}</Envelope>"),
        format!("<x:Request xmlns:x='SWIFTNetBusinessEnvelope'>{header}<x:Body>{bare}</x:Body></x:Request>"),
    ] {
        let (outer, inner) = (read(wrapped), read(&bare));
        assert_eq!((&outer.kind, &outer.number), (&inner.kind, &inner.number));
        assert_eq!(outer.facts.get("totals"), inner.facts.get("totals"));
        assert_eq!((outer.parties[0].role.as_str(), outer.parties[0].id.as_deref()), ("sender", Some("DEUTDEFF")));
    }
    let other = format!("<E>{}{bare}</E>", header.replace("pain.001.001.09<", "pacs.008.001.08<"));
    assert_eq!(refusal(other).code(), "contradictory_field");
    let prefixed = bare.replace("<", "<p:").replace("<p:/", "</p:").replace("xmlns=", "xmlns:p=");
    assert_eq!(read(prefixed), read(&bare));
}

#[test]
fn a_message_without_namespace_or_document_is_known_by_its_element() {
    let bare = pain(&count(1), &group("", &transfer("1.00")));
    let without = bare.replace(r#" xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09""#, "");
    assert_eq!(read(&without).kind, "pain.001");
    assert_eq!(warnings(&without), ["no_namespace"]);
    let naked = without.replace("<Document>", "").replace("</Document>", "");
    assert_eq!(read(naked).kind, "pain.001");
    let wrong = bare.replace("CstmrCdtTrfInitn", "FIToFICstmrCdtTrf");
    assert_eq!(refusal(wrong).code(), "contradictory_field");
    assert_eq!(refusal("<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.001.001.09'/>").code(), "missing_field");
    let other_area = message("seev.031.001.09", "CorpActnNtfctn", "");
    assert_eq!(refusal(other_area).code(), "unsupported_document");
}

#[test]
fn f39_a_pain_001_whose_header_count_or_control_sum_disagrees_with_its_content_is_refused() {
    let two = group(&(count(2) + &sum("3.50")), &(transfer("1.25") + &transfer("2.25")));
    let whole = read(pain(&(count(2) + &sum("3.5000")), &two));
    assert_eq!(
        serde_json::to_value(whole.facts.get("totals")).expect("JSON"),
        json!([{ "currency": "EUR", "minor": 350 }])
    );
    assert_eq!(refusal(pain(&count(1), &two)).code(), "wrong_transaction_count");
    assert_eq!(refusal(pain(&count(3), &two)).code(), "wrong_transaction_count");
    assert_eq!(refusal(pain(&(count(2) + &sum("3.51")), &two)).code(), "wrong_control_sum");
    let group_count = group(&count(1), &(transfer("1.25") + &transfer("2.25")));
    let error = refusal(pain(&count(2), &group_count));
    assert_eq!(
        error,
        DocumentError::WrongCount { place: r#"payment information "P""#.to_owned(), declared: 1, found: 2 }
    );
    assert_eq!(refusal(pain(&count(1), &group(&sum("1.26"), &transfer("1.25")))).code(), "wrong_control_sum");
    for (code, document) in [
        ("missing_field", pain("", &group("", &transfer("1")))),
        ("missing_field", pain(&count(0), "")),
        ("missing_field", pain(&count(1), "<PmtInf><PmtInfId>P</PmtInfId></PmtInf>")),
        ("missing_field", pain(&count(1), &group("", &transfer("1").replace(" Ccy=\"EUR\"", "")))),
        ("invalid_field", pain("<NbOfTxs>one</NbOfTxs>", &group("", &transfer("1")))),
        ("invalid_field", pain("<NbOfTxs>0000000000000001</NbOfTxs>", &group("", &transfer("1")))),
        ("invalid_amount", pain(&(count(1) + &sum("1,00")), &group("", &transfer("1")))),
        ("no_minor_unit", pain(&count(1), &group("", &transfer("1").replace("EUR", "XAU")))),
        ("template", pain(&count(1), &group("", &transfer("{{amount}}")))),
        ("template", pain(&count(1), &group("", &transfer("1").replace("Payee", "{{name}}")))),
        ("template", pain(&count(1), &group("", &transfer("1").replace(">E<", ">{{id}}<")))),
        ("invalid_date", pain(&count(1), &group("", &transfer("1"))).replace("2026-03-31", "2026-02-30")),
        ("amount_overflow", pain(&count(1), &group("", &transfer(&"9".repeat(40))))),
    ] {
        assert_eq!(refusal(&document).code(), code, "{document}");
    }
}

#[test]
fn opening_balance_and_booked_entries_lead_to_the_closing_balance_or_a_warning_says_so() {
    let entries = [("30.00", "CRDT", "BOOK"), ("10.00", "DBIT", "BOOK"), ("5.00", "CRDT", "PDNG")];
    let good = camt(&[OPEN_100, ("CLBD", "120.00", "CRDT")], &entries, "");
    assert_eq!(warnings(&good), [""; 0]);
    let statement = &shown(&good)["facts"]["statements"][0];
    assert_eq!(statement["closing"], json!({ "currency": "EUR", "minor": 12_000 }));
    assert_eq!(statement["entries"][1]["amount"], json!({ "currency": "EUR", "minor": -1_000 }));
    assert_eq!(warnings(camt(&[OPEN_100, ("CLBD", "125.00", "CRDT")], &entries, "")), ["wrong_balance"]);
    assert_eq!(warnings(camt(&[OPEN_100, ("CLBD", "120.00", "DBIT")], &entries, "")), ["wrong_balance"]);
    let dollars = good.replacen("EUR", "USD", 1);
    assert_eq!(warnings(dollars), ["balance_not_checked"]);
    let page = "<StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn>";
    assert_eq!(warnings(camt(&[OPEN_100, ("CLBD", "120.00", "CRDT")], &entries, page)), ["balance_not_checked"]);
}

#[test]
fn a_summary_that_its_entries_contradict_is_refused() {
    let entries = [("30.00", "CRDT", "BOOK"), ("10.00", "DBIT", "BOOK")];
    let summed = |summary: &str| camt(&[], &entries, &format!("<TxsSummry>{summary}</TxsSummry>"));
    let total = |count: u8, sum: &str, net: &str| {
        format!(
            "<TtlNtries><NbOfNtries>{count}</NbOfNtries><Sum>{sum}</Sum><TtlNetNtryAmt>{net}</TtlNetNtryAmt></TtlNtries>"
        )
    };
    assert_eq!(read(summed(&total(2, "40.00", "20"))).kind, "camt.053");
    assert_eq!(refusal(summed(&total(3, "40.00", "20"))).code(), "wrong_transaction_count");
    assert_eq!(refusal(summed(&total(2, "40.01", "20"))).code(), "wrong_control_sum");
    assert_eq!(refusal(summed(&total(2, "40.00", "21"))).code(), "wrong_control_sum");
    let credits = "<TtlCdtNtries><NbOfNtries>2</NbOfNtries></TtlCdtNtries>";
    assert_eq!(refusal(summed(credits)).code(), "wrong_transaction_count");
    assert_eq!(refusal(camt(&[], &[("1", "CREDIT", "BOOK")], "")).code(), "invalid_field");
    assert_eq!(refusal(camt(&[], &[], "").replace("<Id>S</Id>", "")).code(), "missing_field");
}

#[test]
fn codes_that_break_their_form_are_warnings() {
    let document = |bic: &str, iban: &str| {
        let ends = format!(
            "<DbtrAcct><Id><IBAN>{iban}</IBAN></Id></DbtrAcct><DbtrAgt><FinInstnId><BICFI>{bic}</BICFI></FinInstnId></DbtrAgt>"
        );
        pain(&count(1), &group(&ends, &transfer("1.00")))
    };
    assert_eq!(warnings(document("DEUTDEFF", "DE89370400440532013000")), [""; 0]);
    assert_eq!(warnings(document("DEUTDEF", "DE89370400440532013001")), ["invalid_iban", "invalid_bic"]);
}

// ---- refusals of every format, and damage --------------------------------------------------------------------------

#[test]
fn json_is_refused_by_what_is_wrong_with_it() {
    for (text, code) in [
        ("{\"a\": 1}", "unsupported_document"),
        ("[]", "unsupported_document"),
        ("{\"a\": 1, \"a\": 2}", "duplicate_name"),
        ("{\"a\": 01}", "malformed_json"),
        ("{\"a\": ", "truncated_document"),
    ] {
        assert_eq!(refusal(text).code(), code, "{text}");
    }
    assert_eq!(refusal("[".repeat(100_000)).code(), "limit_exceeded");
}

/// Every fixture of a kind that is read here, and a JSON document.
fn all_documents() -> Vec<(String, Vec<u8>)> {
    ["trade-docs/ubl", "iso20022/camt", "iso20022/pain", "iso20022/prowide"]
        .iter()
        .flat_map(|folder| names(folder, ""))
        .map(|name| (name.clone(), fixture(&name)))
        .collect()
}

#[test]
fn a_document_cut_off_at_any_97th_byte_is_refused_and_never_a_panic() {
    for (name, bytes) in all_documents() {
        let whole = bytes.trim_ascii_end().len();
        for length in (0..whole).step_by(97) {
            let error = refusal(&bytes[..length]);
            let expected =
                ["empty_document", "truncated_document", "malformed_xml", "malformed_json", "invalid_encoding"];
            assert!(
                expected.contains(&error.code()) || error.code() == "unsupported_document",
                "{name} at {length}: {error}"
            );
        }
    }
}

#[test]
fn flipped_and_random_bytes_are_read_or_refused_and_never_a_panic() {
    let mut state = 20_260_331u64;
    let mut next = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    let (mut good, mut refused) = (0, 0);
    for (name, bytes) in all_documents() {
        for round in 0..60 {
            let mut damaged = bytes.clone();
            for _ in 0..=next(4) {
                let place = next(damaged.len());
                damaged[place] = if round % 2 == 0 { damaged[place] ^ (1 << next(8)) } else { next(256) as u8 };
            }
            match inspect(&damaged) {
                Ok(found) => {
                    assert!(serde_json::to_string(&found).is_ok(), "{name}");
                    good += 1;
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty(), "{name}");
                    refused += 1;
                }
            }
        }
        let noise: Vec<u8> = (0..bytes.len().min(4_096)).map(|_| next(256) as u8).collect();
        refusal(&noise);
        refusal([b"<".as_slice(), &noise].concat());
        refusal([b"{\"a\":".as_slice(), &noise].concat());
    }
    assert!(good > 100 && refused > 100, "{good} read, {refused} refused");
}
