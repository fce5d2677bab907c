//! Reading real invoices and credit notes: every published sample, the same invoice in other clothes, each refusal,
//! and hostile files.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use portolan::document::{
    Denomination, DocumentError, Facts, Field, Inspection, Kind, MAX_ATTRIBUTES, MAX_BYTES, MAX_DEPTH, invoice,
};
use proptest::prelude::*;

// ---- the world of these tests --------------------------------------------------------------------------------------

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures"))
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(fixtures().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn text_fixture(name: &str) -> String {
    String::from_utf8(fixture(name)).expect("UTF-8")
}

/// Every document of the samples, by name.
fn all_documents() -> Vec<(String, Vec<u8>)> {
    ["invoices/en16931-cii", "invoices/en16931-ubl", "invoices/xrechnung", "trade-docs/ubl"]
        .iter()
        .flat_map(|folder| {
            let mut names: Vec<_> = fs::read_dir(fixtures().join(folder))
                .expect("folder")
                .map(|entry| format!("{folder}/{}", entry.expect("entry").file_name().to_string_lossy()))
                .collect();
            names.sort();
            names
        })
        .map(|name| (name.clone(), fixture(&name)))
        .collect()
}

fn read(bytes: impl AsRef<[u8]>) -> Inspection {
    invoice(bytes.as_ref()).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(bytes: impl AsRef<[u8]>) -> DocumentError {
    invoice(bytes.as_ref()).map(|read| format!("{read:?}")).expect_err("must be refused")
}

fn fingerprint_of(name: &str) -> String {
    read(fixture(name)).fingerprint.expect("complete").to_string()
}

/// A UBL document with the given root, parts that every one has, and `more` beside them.
fn ubl(root: &str, more: &str) -> String {
    format!(
        r#"<{root} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{root}-2"
            xmlns:a="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
            xmlns:b="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"><b:ID>7</b:ID>{more}</{root}>"#
    )
}

const DATE: &str = "<b:IssueDate>2026-03-31</b:IssueDate>";
const EUR: &str = "<b:DocumentCurrencyCode>EUR</b:DocumentCurrencyCode>";

fn payable(amount: &str) -> String {
    format!(
        r#"<a:LegalMonetaryTotal><b:PayableAmount currencyID="EUR">{amount}</b:PayableAmount></a:LegalMonetaryTotal>"#
    )
}

fn ubl_facts(more: &str) -> Facts {
    read(ubl("Invoice", &format!("{EUR}{more}"))).facts
}

/// A CII document: head, seller and buyer parties, settlement.
fn cii(head: &str, settlement: &str) -> String {
    format!(
        r#"<r:CrossIndustryInvoice xmlns:r="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
            xmlns:m="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
            xmlns:u="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
            <r:ExchangedDocument><m:ID>7</m:ID>{head}</r:ExchangedDocument>
            <r:SupplyChainTradeTransaction><m:ApplicableHeaderTradeSettlement>{settlement}</m:ApplicableHeaderTradeSettlement>
            </r:SupplyChainTradeTransaction></r:CrossIndustryInvoice>"#
    )
}

const CII_380: &str = "<m:TypeCode>380</m:TypeCode>";
const CII_EUR: &str = "<m:InvoiceCurrencyCode>EUR</m:InvoiceCurrencyCode>";

/// A small generator for seeded damage (SplitMix64): the same seed, the same damage.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

// ---- the published samples -----------------------------------------------------------------------------------------

/// One row of `expected.csv`.
fn expected() -> Vec<BTreeMap<String, String>> {
    let table = text_fixture("expected.csv");
    let mut lines = table.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let head = lines.next().expect("head");
    lines
        .map(|cells| {
            assert_eq!(cells.len(), head.len(), "{cells:?}");
            head.iter().cloned().zip(cells).collect()
        })
        .collect()
}

#[test]
fn every_published_sample_has_the_facts_that_an_independent_reader_found() {
    let rows = expected();
    assert_eq!(rows.len(), 53);
    let text = |value: Option<String>| value.unwrap_or_default();
    for row in rows {
        let name = &row["file"];
        let facts = read(fixture(name)).facts;
        let kind = if facts.kind == Kind::Invoice { "invoice" } else { "credit_note" };
        let found = [
            ("kind", kind.to_owned()),
            ("type_code", text(facts.type_code)),
            ("number", facts.number),
            ("issue_date", text(facts.issue_date.map(|date| date.to_string()))),
            ("due_date", text(facts.due_date.map(|date| date.to_string()))),
            ("currency", facts.currency.to_string()),
            ("payable_minor", text(facts.payable_minor.map(|minor| minor.to_string()))),
            ("tax_minor", text(facts.tax_minor.map(|minor| minor.to_string()))),
            ("seller", text(facts.seller)),
            ("buyer", text(facts.buyer)),
        ];
        for (field, value) in found {
            assert_eq!(value, row[field], "{name}: {field}");
        }
    }
}

#[test]
fn no_sample_invoice_is_left_without_an_expectation() {
    let rows = expected();
    for (name, _) in all_documents().iter().filter(|(name, _)| name.starts_with("invoices/")) {
        assert!(rows.iter().any(|row| row["file"] == *name), "{name}");
    }
}

#[test]
fn one_invoice_in_two_syntaxes_has_one_fingerprint() {
    let pairs: Vec<_> = all_documents()
        .into_iter()
        .filter_map(|(name, _)| name.strip_suffix("_uncefact.xml").map(str::to_owned))
        .map(|stem| (format!("{stem}_ubl.xml"), format!("{stem}_uncefact.xml")))
        .collect();
    assert_eq!(pairs.len(), 15);
    for (ubl, cii) in pairs {
        assert_eq!(fingerprint_of(&ubl), fingerprint_of(&cii), "{ubl} {cii}");
    }
}

#[test]
fn four_files_of_two_syntaxes_are_one_invoice() {
    let one = fingerprint_of("invoices/en16931-cii/CII_example1.xml");
    for name in ["ubl-tc434-example1", "ubl-tc434-example10", "guide-example1"] {
        assert_eq!(fingerprint_of(&format!("invoices/en16931-ubl/{name}.xml")), one, "{name}");
    }
}

#[test]
fn a_near_duplicate_with_another_amount_is_another_invoice() {
    let (full, half) = ("invoices/en16931-ubl/ubl-tc434-example4.xml", "invoices/en16931-ubl/ubl-tc434-example5.xml");
    let (left, right) = (read(fixture(full)).facts, read(fixture(half)).facts);
    assert_eq!(
        (&left.number, left.issue_date, &left.seller, &left.buyer),
        (&right.number, right.issue_date, &right.seller, &right.buyer)
    );
    assert_ne!(fingerprint_of(full), fingerprint_of(half));
}

#[test]
fn samples_share_a_fingerprint_only_if_they_share_every_covered_fact() {
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in expected() {
        let covered = ["kind", "number", "issue_date", "currency", "payable_minor", "seller", "buyer"];
        let facts = covered.map(|field| row[field].to_lowercase()).join("|");
        seen.entry(fingerprint_of(&row["file"])).or_default().push(facts);
    }
    assert!(seen.len() > 25);
    assert!(seen.values().all(|facts| facts.iter().all(|one| *one == facts[0])));
}

#[test]
fn json_has_exactly_the_documented_keys_in_order_with_integers_and_nulls() {
    let name = "invoices/en16931-cii/XRechnung-O.xml";
    let json = serde_json::to_string(&read(fixture(name))).expect("JSON");
    assert_eq!(
        json,
        format!(
            r#"{{"kind":"invoice","number":"150377292","issue_date":"2021-01-14","due_date":"2021-01-01","currency":"EUR","payable_minor":38554460,"tax_minor":null,"seller":"XX","buyer":"XX","fingerprint":"{}","warnings":[{{"code":"due_before_issue","reason":"it is due on 2021-01-01, before it was issued on 2021-01-14; ask its sender which holds"}}]}}"#,
            fingerprint_of(name)
        )
    );
    let credit_note =
        serde_json::to_string(&read(fixture("invoices/en16931-ubl/ubl-tc434-creditnote1.xml"))).expect("JSON");
    assert!(
        credit_note.starts_with(
            r#"{"kind":"credit_note","number":"018304 / 28865","issue_date":"2019-09-23","due_date":null,"#
        )
    );
}

#[test]
fn json_carries_amounts_beyond_64_bits() {
    let json =
        serde_json::to_string(&read(ubl("Invoice", &format!("{EUR}{}", payable("-98765432109876543210987654321.00")))))
            .expect("JSON");
    assert!(json.contains(r#""payable_minor":-9876543210987654321098765432100,"#), "{json}");
}

#[test]
fn the_fingerprint_of_a_published_invoice_is_frozen() {
    assert_eq!(fingerprint_of("invoices/xrechnung/01.01a-INVOICE_ubl.xml"), FROZEN_FINGERPRINT);
}

/// A change here is a change of what counts as the same invoice on every chain: it needs a new version in the
/// fingerprint.
const FROZEN_FINGERPRINT: &str = "ff6dd4c3e8cf3ffef2eda6b76ae85bff4c6302f78867ce482d8af7e3c85edfd4";

#[test]
fn documents_of_ubl_2_0_are_read_by_the_names_and_currencies_they_have() {
    for name in ["Example", "Example-NS1", "Example-NS3", "Enveloped"] {
        let facts = read(fixture(&format!("trade-docs/ubl/invoice__UBL-Invoice-2.0-{name}.xml"))).facts;
        assert_eq!(facts.number, "A00095678", "{name}");
        assert_eq!(facts.due_date.map(|date| date.to_string()).as_deref(), Some("2005-07-21"));
        assert_eq!(
            (facts.currency.to_string().as_str(), facts.payable_minor, facts.tax_minor),
            ("GBP", Some(10_750), Some(1_750))
        );
        assert_eq!((facts.seller.as_deref(), facts.buyer.as_deref()), (Some("Consortial"), Some("IYT Corporation")));
    }
    let credit_note = read(fixture("trade-docs/ubl/creditnote__UBL-CreditNote-2.0-Example.xml")).facts;
    assert_eq!((credit_note.kind, credit_note.payable_minor), (Kind::CreditNote, Some(10_750)));
    let trivial = read(fixture("trade-docs/ubl/invoice__UBL-Invoice-2.1-Example-Trivial.xml")).facts;
    assert_eq!(
        (trivial.currency.to_string().as_str(), trivial.payable_minor, trivial.tax_minor),
        ("CAD", Some(10_000), None)
    );
    let full = read(fixture("trade-docs/ubl/invoice__UBL-Invoice-2.1-Example.xml")).facts;
    assert_eq!(full.seller.as_deref(), Some("The Sellercompany Incorporated"));
    assert_eq!((full.payable_minor, full.tax_minor), (Some(72_900), Some(29_220)));
}

#[test]
fn the_currency_table_is_iso_4217_s() {
    let table = text_fixture("reference/codes-all.csv");
    let mut active = 0;
    for line in table.lines().skip(1) {
        // Country names may hold commas in quotes; the last four cells never do.
        let mut cells = line.rsplit(',');
        let (withdrawn, exponent, _number, code) = (cells.next(), cells.next(), cells.next(), cells.next());
        let (Some(withdrawn), Some(exponent), Some(code)) = (withdrawn, exponent, code) else { panic!("{line}") };
        if code.is_empty() {
            continue;
        }
        let found = Denomination::of(code).map(|found| found.exponent.to_string()).map_err(|error| error.code());
        match (withdrawn, exponent) {
            ("", "-") => assert_eq!(found, Err("no_minor_unit"), "{line}"),
            ("", exponent) => assert_eq!(found.as_deref(), Ok(exponent), "{line}"),
            _ => assert_ne!(found, Err("unknown_currency"), "{line}"),
        }
        active += usize::from(withdrawn.is_empty());
    }
    assert!(active > 250);
}

// ---- the same invoice in other clothes -----------------------------------------------------------------------------

/// A published invoice with umlauts in its seller's name.
const UMLAUTS: &str = "invoices/xrechnung/01.20a-INVOICE_ubl.xml";

fn assert_same_as_umlauts(clothes: &str, bytes: impl AsRef<[u8]>) {
    let found = invoice(bytes.as_ref()).unwrap_or_else(|error| panic!("{clothes}: {error}"));
    assert_eq!(found, read(fixture(UMLAUTS)), "{clothes}");
}

#[test]
fn encodings_and_byte_order_marks_change_nothing() {
    let text = text_fixture(UMLAUTS);
    let declared = |name: &str| text.replacen("UTF-8", name, 1);
    let latin1: Vec<u8> =
        declared("ISO-8859-1").chars().map(|character| u8::try_from(u32::from(character)).expect("Latin-1")).collect();
    let utf16 = declared("UTF-16");
    let little: Vec<u8> = utf16.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = utf16.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_same_as_umlauts("UTF-8 with mark", [b"\xef\xbb\xbf", text.as_bytes()].concat());
    assert_same_as_umlauts("ISO-8859-1", latin1);
    assert_same_as_umlauts("UTF-16LE with mark", [b"\xff\xfe".as_slice(), &little].concat());
    assert_same_as_umlauts("UTF-16BE with mark", [b"\xfe\xff".as_slice(), &big].concat());
    assert_same_as_umlauts("UTF-16LE without mark", little);
    assert_same_as_umlauts("UTF-16BE without mark", big);
    assert_same_as_umlauts("no declaration", text.split_once("?>").expect("declaration").1);
    assert_same_as_umlauts("line ends", text.replace('\n', "\r\n"));
}

#[test]
fn prefixes_change_nothing() {
    let text = text_fixture(UMLAUTS);
    assert_same_as_umlauts(
        "other prefixes",
        text.replace("cac:", "cbc_:")
            .replace("xmlns:cac=", "xmlns:cbc_=")
            .replace("ubl:", "cac:")
            .replace("xmlns:ubl=", "xmlns:cac=")
            .replace("urn:oasis:names:specification:cac:", "urn:oasis:names:specification:ubl:"),
    );
    let unprefixed =
        text.replace("<ubl:Invoice xmlns:ubl=", "<Invoice xmlns=").replace("</ubl:Invoice>", "</Invoice>").replace(
            "<cbc:ID>1234567890</cbc:ID>",
            r#"<ID xmlns="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">1234567890</ID>"#,
        );
    assert_same_as_umlauts("default namespaces", unprefixed);
}

#[test]
fn cdata_comments_references_and_white_space_inside_values_change_nothing() {
    let text = text_fixture(UMLAUTS);
    assert_same_as_umlauts("CDATA", text.replace("Betriebsstätte<", "<![CDATA[Betriebsstätte]]><"));
    assert_same_as_umlauts("comment", text.replace("Betriebsstätte<", "Betriebs<!-- here -->stätte<"));
    assert_same_as_umlauts("instruction", text.replace("357.00<", "357<?page 2?>.00<"));
    assert_same_as_umlauts("references", text.replace("Betriebsstätte<", "&#66;etriebsst&#xE4;tte<"));
    assert_same_as_umlauts(
        "space",
        text.replace("Kunde 1<", "\n\t Kunde\n   1 <").replace("2021-01-25<", " 2021-01-25\n<"),
    );
    assert_same_as_umlauts("attribute reference", text.replace(r#"currencyID="EUR""#, "currencyID = '&#69;UR '"));
    assert_same_as_umlauts("after the root", format!("{text}\n<!-- end --><?done?>\n"));
}

#[test]
fn number_forms_change_nothing() {
    let text = text_fixture(UMLAUTS);
    for amount in ["357", "+357.0", "000357.000000", " 357.00 "] {
        assert_same_as_umlauts(
            amount,
            text.replace(">357.00</cbc:PayableAmount>", &format!(">{amount}</cbc:PayableAmount>")),
        );
    }
}

#[test]
fn predefined_entities_are_characters_of_a_name() {
    let party = |name: &str| {
        format!(
            "<a:AccountingSupplierParty><a:Party><a:PartyLegalEntity><b:RegistrationName>{name}</b:RegistrationName></a:PartyLegalEntity></a:Party></a:AccountingSupplierParty>"
        )
    };
    let seller = ubl_facts(&party("Fish &amp; Chips &lt;&quot;&apos;&gt; <![CDATA[& Sons]]>")).seller;
    assert_eq!(seller.as_deref(), Some("Fish & Chips <\"'> & Sons"));
}

#[test]
fn an_invoice_is_read_through_a_network_s_envelope() {
    let text = text_fixture(UMLAUTS);
    let payload = text.split_once("?>").expect("declaration").1;
    let wrapped = |inside: &str| {
        format!(
            r#"<s:StandardBusinessDocument xmlns:s="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader">
            <s:StandardBusinessDocumentHeader><s:HeaderVersion>1.0</s:HeaderVersion></s:StandardBusinessDocumentHeader>{inside}</s:StandardBusinessDocument>"#
        )
    };
    assert_same_as_umlauts("envelope", wrapped(payload));
    assert_eq!(refusal(wrapped(&format!("{payload}{payload}"))).code(), "several_documents");
    assert_eq!(refusal(wrapped("")).code(), "unsupported_document");
    assert!(refusal(wrapped("<Order/>")).to_string().contains("Order"));
}

#[test]
fn the_forerunner_of_cii_is_read_alike() {
    let name = "invoices/xrechnung/01.20a-INVOICE_uncefact.xml";
    let old = text_fixture(name)
        .replace(
            "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
            "urn:ferd:CrossIndustryDocument:invoice:1p0",
        )
        .replace("BusinessInformationEntity:100", "BusinessInformationEntity:12")
        .replace("UnqualifiedDataType:100", "UnqualifiedDataType:15")
        .replace("CrossIndustryInvoice", "CrossIndustryDocument")
        .replace("rsm:ExchangedDocument>", "rsm:HeaderExchangedDocument>")
        .replace("rsm:SupplyChainTradeTransaction", "rsm:SpecifiedSupplyChainTradeTransaction")
        .replace("ApplicableHeaderTrade", "ApplicableSupplyChainTrade")
        .replace("SettlementHeaderMonetarySummation", "SettlementMonetarySummation");
    assert!(old.contains("HeaderExchangedDocument"));
    assert_eq!(read(old), read(fixture(name)));
}

// ---- which fact is which -------------------------------------------------------------------------------------------

#[test]
fn a_credit_note_is_one_by_its_root_or_by_its_type_code() {
    let kind = |root: &str, code: &str| {
        read(ubl(root, &format!("{EUR}<b:InvoiceTypeCode>{code}</b:InvoiceTypeCode>"))).facts.kind
    };
    for code in ["381", "261", "262", "296", "308", "396", "420", "458", "502", "503", "532", "81", "83"] {
        assert_eq!(kind("Invoice", code), Kind::CreditNote, "{code}");
        let facts = read(cii(&format!("<m:TypeCode> {code} </m:TypeCode>"), CII_EUR)).facts;
        assert_eq!(facts.kind, Kind::CreditNote, "{code}");
    }
    for code in ["380", "383", "384", "386", "389", "393", "877", "SalesInvoice", "01"] {
        assert_eq!(kind("Invoice", code), Kind::Invoice, "{code}");
    }
    assert_eq!(kind("SelfBilledInvoice", "389"), Kind::Invoice);
    assert_eq!(kind("CreditNote", "380"), Kind::CreditNote);
    assert_eq!(kind("SelfBilledCreditNote", "261"), Kind::CreditNote);
}

#[test]
fn tax_is_the_total_in_the_document_s_currency_and_the_sum_over_kinds_of_tax() {
    let total = |currency: &str, amount: &str, broken_down: bool| {
        let subtotal = if broken_down {
            r#"<a:TaxSubtotal><b:TaxAmount currencyID="EUR">9</b:TaxAmount></a:TaxSubtotal>"#
        } else {
            ""
        };
        format!(r#"<a:TaxTotal><b:TaxAmount currencyID="{currency}">{amount}</b:TaxAmount>{subtotal}</a:TaxTotal>"#)
    };
    let tax = |totals: &[String]| ubl_facts(&totals.concat()).tax_minor;
    assert_eq!(tax(&[]), None);
    assert_eq!(tax(&[total("SEK", "2000.73", false), total("EUR", "20.73", true)]), Some(2_073));
    assert_eq!(tax(&[total("SEK", "2000.73", false)]), None);
    assert_eq!(tax(&[total("EUR", "67.50", true), total("EUR", "67.50", false)]), Some(6_750));
    assert_eq!(tax(&[total("EUR", "67.50", false), total("EUR", "67.50", false)]), Some(6_750));
    assert_eq!(tax(&[total("EUR", "180", true), total("EUR", "20.5", true)]), Some(20_050));
    let settlement = |taxes: &str| {
        format!(
            "{CII_EUR}<m:SpecifiedTradeSettlementHeaderMonetarySummation>{taxes}<m:GrandTotalAmount>9</m:GrandTotalAmount><m:DuePayableAmount>5</m:DuePayableAmount></m:SpecifiedTradeSettlementHeaderMonetarySummation>"
        )
    };
    let both = r#"<m:TaxTotalAmount currencyID="SEK">7</m:TaxTotalAmount><m:TaxTotalAmount currencyID="EUR">1</m:TaxTotalAmount>"#;
    let facts = read(cii(CII_380, &settlement(both))).facts;
    assert_eq!((facts.tax_minor, facts.payable_minor), (Some(100), Some(500)));
    assert_eq!(read(cii(CII_380, &settlement("<m:TaxTotalAmount>1</m:TaxTotalAmount>"))).facts.tax_minor, Some(100));
}

#[test]
fn the_due_date_stands_in_the_document_or_else_in_its_payment_means() {
    let due = |more: &str| ubl_facts(more).due_date.map(|date| date.to_string());
    let means = |date: &str| format!("<a:PaymentMeans><b:PaymentDueDate>{date}</b:PaymentDueDate></a:PaymentMeans>");
    assert_eq!(due(""), None);
    assert_eq!(due("<b:DueDate/>"), None);
    assert_eq!(due(&means("2026-05-01")).as_deref(), Some("2026-05-01"));
    assert_eq!(
        due(&format!("{}<b:DueDate>2026-04-30</b:DueDate>", means("2026-05-01"))).as_deref(),
        Some("2026-04-30")
    );
    assert_eq!(
        due(&(means("2026-05-01") + &means("2026-06-01") + &means("2026-04-01"))).as_deref(),
        Some("2026-06-01")
    );
    let term = |date: &str| {
        format!(
            r#"<m:SpecifiedTradePaymentTerms><m:DueDateDateTime><u:DateTimeString format="102">{date}</u:DateTimeString></m:DueDateDateTime></m:SpecifiedTradePaymentTerms>"#
        )
    };
    let facts = read(cii(CII_380, &format!("{CII_EUR}{}{}", term("20260501"), term("20260415")))).facts;
    assert_eq!(facts.due_date.map(|date| date.to_string()).as_deref(), Some("2026-05-01"));
}

#[test]
fn the_legal_name_goes_before_the_trading_name_wherever_it_stands() {
    let party = |inside: &str| {
        ubl_facts(&format!("<a:AccountingCustomerParty><a:Party>{inside}</a:Party></a:AccountingCustomerParty>")).buyer
    };
    let (legal, trading, tax) = (
        "<a:PartyLegalEntity><b:RegistrationName>Legal</b:RegistrationName></a:PartyLegalEntity>",
        "<a:PartyName><b:Name>Trading</b:Name></a:PartyName>",
        "<a:PartyTaxScheme><b:RegistrationName>Taxed</b:RegistrationName></a:PartyTaxScheme>",
    );
    assert_eq!(party(&format!("{trading}{tax}{legal}")).as_deref(), Some("Legal"));
    assert_eq!(party(&format!("{legal}{trading}")).as_deref(), Some("Legal"));
    assert_eq!(party(&format!("{tax}{trading}")).as_deref(), Some("Trading"));
    assert_eq!(party(tax).as_deref(), Some("Taxed"));
    assert_eq!(
        party(&format!("<a:PartyLegalEntity><b:RegistrationName> </b:RegistrationName></a:PartyLegalEntity>{trading}"))
            .as_deref(),
        Some("Trading")
    );
    assert_eq!(party(""), None);
}

#[test]
fn elements_of_the_same_name_elsewhere_are_not_the_document_s() {
    let decoys = r#"<a:OrderReference><b:ID>9</b:ID><b:IssueDate>1999-01-01</b:IssueDate></a:OrderReference>
        <a:InvoiceLine><b:ID>1</b:ID><a:TaxTotal><b:TaxAmount currencyID="EUR">9</b:TaxAmount></a:TaxTotal></a:InvoiceLine>
        <ID xmlns="urn:example:other">8</ID><x:ID xmlns:x="urn:example:another">8</x:ID>"#;
    let facts = ubl_facts(&format!("{decoys}{DATE}"));
    assert_eq!((facts.number.as_str(), facts.tax_minor), ("7", None));
    assert_eq!(facts.issue_date.map(|date| date.to_string()).as_deref(), Some("2026-03-31"));
}

#[test]
fn a_document_without_issue_date_payable_or_parties_has_facts_but_no_fingerprint_and_says_why() {
    let read = read(ubl("Invoice", EUR));
    let why = read.fingerprint.clone().expect_err("incomplete");
    assert_eq!(why.missing, [Field::IssueDate, Field::Payable, Field::Seller, Field::Buyer]);
    assert!(why.to_string().contains("issue date"));
    assert_eq!(
        serde_json::to_string(&read).expect("JSON"),
        r#"{"kind":"invoice","number":"7","issue_date":null,"due_date":null,"currency":"EUR","payable_minor":null,"tax_minor":null,"seller":null,"buyer":null,"fingerprint":null,"warnings":[{"code":"incomplete","reason":"no fingerprint: the document lacks the issue date and the payable amount and the seller name and the buyer name; ask its sender for a complete one"}]}"#
    );
}

#[test]
fn amounts_may_be_zero_or_negative_and_follow_the_currency_s_exponent() {
    assert_eq!(ubl_facts(&payable("0")).payable_minor, Some(0));
    assert_eq!(ubl_facts(&payable("-12.5")).payable_minor, Some(-1_250));
    let in_currency = |code: &str, amount: &str| {
        read(ubl("Invoice", &format!(r#"<b:DocumentCurrencyCode>{code}</b:DocumentCurrencyCode><a:LegalMonetaryTotal><b:PayableAmount currencyID="{code}">{amount}</b:PayableAmount></a:LegalMonetaryTotal>"#))).facts.payable_minor
    };
    assert_eq!(in_currency("JPY", "1000001"), Some(1_000_001));
    assert_eq!(in_currency("KWD", "5000.123"), Some(5_000_123));
    assert_eq!(in_currency("CLF", "1.0001"), Some(10_001));
    assert_eq!(in_currency("CNY", "120000.00"), Some(12_000_000));
}

// ---- refusals ------------------------------------------------------------------------------------------------------

#[test]
fn where_an_invoice_is_needed_other_documents_are_refused_by_their_kind() {
    for (file, root) in [
        ("order__UBL-Order-2.1-Example", "order"),
        ("debitnote__UBL-DebitNote-2.1-Example", "debit_note"),
        ("freightinvoice__UBL-FreightInvoice-2.1-Example", "freight_invoice"),
    ] {
        let error = refusal(fixture(&format!("trade-docs/ubl/{file}.xml")));
        assert_eq!(error, DocumentError::NotAnInvoice { format: "ubl", kind: root.to_owned() });
    }
    for bytes in [
        "<Invoice/>",
        r#"<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-1.0"/>"#,
        r#"<CrossIndustryInvoice xmlns="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:2"/>"#,
        "<html><body/></html>",
    ] {
        assert_eq!(refusal(bytes).code(), "unsupported_document", "{bytes}");
    }
}

#[test]
fn files_that_are_no_xml_are_refused_by_their_kind() {
    for (bytes, kind) in [
        (b"PK\x03\x04....OFD.xml....".as_slice(), "OFD"),
        (b"PK\x03\x04\0\0", "ZIP"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "office"),
        (b"  {\"number\": 1}", "JSON"),
        (b"number;date;amount", "neither XML nor JSON"),
    ] {
        let error = refusal(bytes);
        assert_eq!(error.code(), "unsupported_document");
        assert!(error.to_string().contains(kind), "{error}");
    }
}

#[test]
fn nothing_at_all_is_refused_as_empty() {
    for bytes in [b"".as_slice(), b" \n\t ", b"\xef\xbb\xbf", b"\xff\xfe"] {
        assert_eq!(refusal(bytes).code(), "empty_document", "{bytes:?}");
    }
}

#[test]
fn each_defect_has_its_own_code() {
    let eur = |more: &str| ubl("Invoice", &format!("{EUR}{more}"));
    let whole = eur("");
    for (code, document) in [
        ("missing_field", ubl("Invoice", "")),
        ("missing_field", eur("").replace("<b:ID>7</b:ID>", "<b:ID> </b:ID>")),
        ("missing_field", cii("", CII_EUR)),
        ("contradictory_field", eur("<b:ID>8</b:ID>")),
        ("contradictory_field", eur(&format!("{DATE}<b:IssueDate>2026-04-01</b:IssueDate>"))),
        ("contradictory_field", eur(&(payable("1") + &payable("2")))),
        ("contradictory_field", eur("<b:DocumentCurrencyCode>USD</b:DocumentCurrencyCode>")),
        ("invalid_date", eur("<b:IssueDate>2026-02-29</b:IssueDate>")),
        ("invalid_date", eur("<b:DueDate>soon</b:DueDate>")),
        (
            "unsupported_date_format",
            cii(
                &format!(
                    r#"{CII_380}<m:IssueDateTime><u:DateTimeString format="101">260331</u:DateTimeString></m:IssueDateTime>"#
                ),
                CII_EUR,
            ),
        ),
        ("invalid_amount", eur(&payable("1.234,50"))),
        ("invalid_amount", eur(&payable("1e3"))),
        ("too_many_decimals", eur(&payable("1.001"))),
        ("amount_overflow", eur(&payable(&"9".repeat(40)))),
        ("unknown_currency", ubl("Invoice", "<b:DocumentCurrencyCode>RMB</b:DocumentCurrencyCode>")),
        ("no_minor_unit", ubl("Invoice", "<b:DocumentCurrencyCode>XAU</b:DocumentCurrencyCode>")),
        ("currency_mismatch", eur(&payable("1").replace("EUR", "USD"))),
        ("malformed_xml", eur("<b:Note>AT&T</b:Note>")),
        ("malformed_xml", eur("<b:Note></b:Other>")),
        ("malformed_xml", eur("<b:Note a=1/>")),
        ("malformed_xml", eur("<b:Note a='1' a='2'/>")),
        ("malformed_xml", eur("<c:Note/>")),
        ("malformed_xml", eur("<b:Note>\u{1}</b:Note>")),
        ("malformed_xml", eur("<b:Note>&#1;</b:Note>")),
        ("malformed_xml", eur("<b:Note>&#xD800;</b:Note>")),
        ("malformed_xml", format!("{whole}{whole}")),
        ("malformed_xml", format!("{whole} and more")),
        ("malformed_xml", eur("<?xml version='1.0'?>")),
        ("malformed_xml", "<!-- nothing -->".to_owned()),
        ("truncated_document", whole[..whole.len() - 3].to_owned()),
        ("truncated_document", "<!-- not closed".to_owned()),
        ("truncated_document", whole[..whole.len() - "</Invoice>".len()].to_owned()),
        ("doctype_refused", "<!DOCTYPE Invoice [ <!ENTITY".to_owned()),
        ("unknown_entity", eur("<b:Note>&nbsp;</b:Note>")),
        (
            "unknown_entity",
            eur("<b:Note languageID='&x;'/>").replace("<b:Note", "<b:IssueDate currencyID='&y;'/><b:Note"),
        ),
        ("doctype_refused", format!("<!DOCTYPE Invoice>{whole}")),
        ("invalid_encoding", String::new()),
    ] {
        let bytes = if code == "invalid_encoding" {
            b"<?xml version='1.0'?><a>\xe4</a>".to_vec()
        } else {
            document.into_bytes()
        };
        let error = refusal(&bytes);
        assert_eq!(error.code(), code, "{error}\n{}", String::from_utf8_lossy(&bytes));
        assert!(error.to_string().len() > 30, "{error}");
    }
}

#[test]
fn a_refusal_never_repeats_terminal_controls_from_the_document() {
    for document in [
        ubl("Invoice", "<b:DocumentCurrencyCode>&#x9b;2J</b:DocumentCurrencyCode>"),
        ubl("Invoice", &format!("{EUR}<b:IssueDate>\u{9b}31m\u{202e}</b:IssueDate>")),
        "<\u{9b}31m/>".to_owned(),
        "<a \u{9b}='1' \u{9b}='2'/>".to_owned(),
        "<a></\u{9b}31m>".to_owned(),
    ] {
        let text = refusal(document).to_string();
        assert!(!text.contains(['\u{9b}', '\u{202e}']), "{text:?}");
    }
}

// ---- hostile files -------------------------------------------------------------------------------------------------

#[test]
fn entity_bombs_and_external_entities_are_refused_at_the_doctype() {
    let mut laughs = String::from("<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY lol0 'lol'>");
    for level in 1..30 {
        laughs += &format!("<!ENTITY lol{level} '{}'>", format!("&lol{};", level - 1).repeat(10));
    }
    laughs += &format!("]>{}", ubl("Invoice", &format!("{EUR}<b:Note>&lol29;</b:Note>")));
    let external = format!("<!DOCTYPE Invoice SYSTEM 'file:///etc/passwd'>{}", ubl("Invoice", EUR));
    let parameter = format!("<!DOCTYPE x [<!ENTITY % p SYSTEM 'http://127.0.0.1/'> %p;]>{}", ubl("Invoice", EUR));
    for document in [laughs, external, parameter] {
        assert_eq!(refusal(document), DocumentError::Doctype);
    }
}

#[test]
fn limits_hold_on_nesting_attributes_namespaces_values_and_size() {
    let deep = |levels: usize| ubl("Invoice", &format!("{EUR}{}{}", "<b:X>".repeat(levels), "</b:X>".repeat(levels)));
    assert!(invoice(deep(MAX_DEPTH - 1).as_bytes()).is_ok());
    assert_eq!(refusal(deep(MAX_DEPTH)).code(), "limit_exceeded");
    assert_eq!(refusal(deep(100_000)).code(), "limit_exceeded");
    let attributes = |count: usize| {
        let list: String = (0..count).map(|index| format!(" a{index}='1'")).collect();
        ubl("Invoice", &format!("{EUR}<b:X{list}/>"))
    };
    assert!(invoice(attributes(MAX_ATTRIBUTES).as_bytes()).is_ok());
    assert_eq!(refusal(attributes(MAX_ATTRIBUTES + 1)).code(), "limit_exceeded");
    assert_eq!(refusal(attributes(200_000)).code(), "limit_exceeded");
    let spaces: String = (0..40).map(|index| format!(" xmlns:n{index}='u'")).collect();
    assert_eq!(
        refusal(ubl("Invoice", &format!("{EUR}{}", format!("<b:X{spaces}>").repeat(20)))).code(),
        "limit_exceeded"
    );
    assert_eq!(refusal(ubl("Invoice", &format!("{EUR}<b:ID>{}</b:ID>", "7".repeat(5_000)))).code(), "limit_exceeded");
    assert_eq!(refusal(vec![b' '; MAX_BYTES + 1]).code(), "document_too_large");
    assert!(invoice(ubl("Invoice", &format!("{EUR}<b:Note>{}</b:Note>", "x".repeat(1 << 20))).as_bytes()).is_ok());
}

#[test]
fn namespaces_declared_on_closed_elements_are_forgotten() {
    let siblings: String = (0..2_000).map(|index| format!("<n{index}:X xmlns:n{index}='u'/>")).collect();
    assert!(invoice(ubl("Invoice", &format!("{EUR}{siblings}")).as_bytes()).is_ok());
    assert_eq!(refusal(ubl("Invoice", &format!("{EUR}<n:X xmlns:n='u'/><n:X/>"))).code(), "malformed_xml");
}

#[test]
fn an_invoice_of_two_hundred_thousand_lines_is_read_in_one_pass() {
    let line = r#"<a:InvoiceLine><b:ID>1</b:ID><b:LineExtensionAmount currencyID="EUR">1.00</b:LineExtensionAmount></a:InvoiceLine>"#;
    let document = ubl("Invoice", &format!("{EUR}{DATE}{}{}", line.repeat(200_000), payable("200000.00")));
    assert!(document.len() > 20_000_000);
    assert_eq!(read(document).facts.payable_minor, Some(20_000_000));
}

#[test]
fn a_document_cut_off_anywhere_is_refused_and_never_a_panic() {
    for (name, bytes) in all_documents() {
        let whole = bytes.trim_ascii_end().len();
        for length in (0..whole).step_by(997) {
            let error = refusal(&bytes[..length]);
            let expected =
                ["empty_document", "truncated_document", "malformed_xml", "invalid_encoding", "unsupported_document"];
            assert!(expected.contains(&error.code()), "{name} at {length}: {error}");
        }
    }
    let bytes = fixture(UMLAUTS);
    for length in 1..bytes.trim_ascii_end().len() {
        refusal(&bytes[..length]);
    }
}

#[test]
fn damaged_bytes_are_read_or_refused_and_never_a_panic() {
    let documents = all_documents();
    let mut seeded = Seeded(20_260_331);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..60 {
        for (_, bytes) in &documents {
            let mut damaged = bytes.clone();
            for _ in 0..=seeded.below(8) {
                let place = seeded.below(damaged.len());
                match seeded.below(4) {
                    0 => damaged[place] ^= 1 << seeded.below(8),
                    1 => damaged[place] = b"<>&;'\"/!?[]:= \0\xff"[seeded.below(16)],
                    2 => drop(damaged.drain(place..(place + seeded.below(64)).min(damaged.len()))),
                    _ => {
                        let from = seeded.below(bytes.len());
                        let piece = bytes[from..(from + seeded.below(64)).min(bytes.len())].to_vec();
                        damaged.splice(place..place, piece);
                    }
                }
                if damaged.is_empty() {
                    damaged.push(b'<');
                }
            }
            match invoice(&damaged) {
                Ok(found) => {
                    assert!(!found.facts.number.is_empty());
                    read += 1;
                }
                Err(error) => {
                    assert!(!error.code().is_empty() && !error.to_string().is_empty());
                    refused += 1;
                }
            }
        }
    }
    assert!(read > 100 && refused > 100, "{read} read, {refused} refused");
}

#[test]
fn halves_of_two_documents_are_never_a_panic_and_never_a_mixture() {
    let documents = all_documents();
    let mut seeded = Seeded(7);
    for _ in 0..2_000 {
        let (_, head) = &documents[seeded.below(documents.len())];
        let (_, tail) = &documents[seeded.below(documents.len())];
        let (cut, join) = (seeded.below(head.len()), seeded.below(tail.len()));
        if let Ok(found) = invoice(&[&head[..cut], &tail[join..]].concat()) {
            assert!(serde_json::to_string(&found).is_ok());
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(invoice(&bytes).is_err());
    }

    #[test]
    fn arbitrary_markup_is_never_a_panic(inside in "[<>/!?&;#x0-9a-z\"'= \\[\\]:-]{0,200}") {
        let document = ubl("Invoice", &format!("{EUR}{inside}"));
        if let Ok(found) = invoice(document.as_bytes()) {
            prop_assert_eq!(found.facts.currency.to_string(), "EUR");
        }
    }

    #[test]
    fn every_amount_survives_being_written_and_read(minor in any::<i64>(), zeros in 0usize..5) {
        let sign = if minor < 0 { "-" } else { "" };
        let (whole, cents) = (minor.unsigned_abs() / 100, minor.unsigned_abs() % 100);
        let written = format!("{sign}{whole}.{cents:02}{}", "0".repeat(zeros));
        prop_assert_eq!(ubl_facts(&payable(&written)).payable_minor, Some(i128::from(minor)));
    }
}
