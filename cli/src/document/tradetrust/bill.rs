//! What the documents of TradeTrust say: bills of lading in the forms of carriers and BIMCO, promissory notes, invoices,
//! certificates of origin and of non-manipulation.
//!
//! These forms have no schema but their samples: a party is a text or an object, a port a name or a location. A day in a
//! form that could be two days stays a text, and is warned of.

use portolan_primitives::BusinessDate;

use super::super::date;
use super::super::envelope::{Envelope, Record};
use super::super::error::{DocumentError, Field};
use super::super::fields::{
    clauses, day, missing, money, needed, object, objects, required, set, set_list, text, texts, wrong,
};
use super::super::json::{Json, Shape};

/// Members that hold the number of a bill.
const NUMBERS: [&str; 4] = ["blNumber", "billOfLadingNo", "blNo", "blno"];

fn has(json: &Json, name: &str) -> bool {
    json.get(name).is_some()
}

fn is_bill(json: &Json) -> bool {
    let named = NUMBERS.iter().any(|name| has(json, name));
    let template = matches!(json.at(&["$template", "name"]).map(|name| &name.shape), Some(Shape::Text(name)) if name.starts_with("BILL_OF_LADING"));
    let parts = ["shipper", "consignee", "portOfLoading", "portOfDischarge"].iter().all(|name| has(json, name));
    named || template || parts
}

fn is_note(json: &Json) -> bool {
    has(json, "pNoteId") || (has(json, "drawerCompanyName") && has(json, "draweeCompanyName"))
}

fn is_invoice(json: &Json) -> bool {
    has(json, "billableItems") || (has(json, "billFrom") && has(json, "billTo"))
}

/// Whether an object is a bill, a note or an invoice.
pub fn is_known(json: &Json) -> bool {
    is_bill(json) || is_note(json) || is_invoice(json)
}

/// Reads one of those, and sets the kind.
///
/// # Errors
/// `MissingField` without a number; `Template` for a placeholder in number, parties, vessel or ports; whatever is wrong
/// with an amount.
pub fn read(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    if is_note(json) {
        envelope.kind = "promissory_note".to_owned();
        note(json, envelope)
    } else if is_bill(json) {
        envelope.kind = "bill_of_lading".to_owned();
        bill(json, envelope)
    } else {
        envelope.kind = "invoice".to_owned();
        invoice(json, envelope)
    }
}

fn bill(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let number = NUMBERS.iter().find(|name| has(json, name)).copied().unwrap_or(NUMBERS[0]);
    envelope.number = Some(required(json, &[number], "number of the bill of lading")?);
    let scac = match needed(json, &["scac"], "code of the carrier")? {
        None => needed(json, &["SCAC"], "code of the carrier")?,
        found => found,
    };
    envelope.party("carrier", needed(json, &["carrierName"], "name of the carrier")?, scac);
    for (role, member) in [("shipper", "shipper"), ("consignee", "consignee"), ("notify_party", "notifyParty")] {
        party(role, member, json, envelope)?;
    }
    set(json, &[("issuing_company", &["companyName"])], &mut envelope.facts)?;
    to_order(json, envelope)?;
    days(json, envelope)?;
    places(json, envelope)?;
    for (name, path) in [("vessel", "vessel"), ("voyage", "voyageNo")] {
        if let Some(found) = needed(json, &[path], "vessel or voyage")? {
            envelope.facts.set(name, found);
        }
    }
    cargo(json, envelope)?;
    envelope.refer("reference", needed(json, &["referenceNo"], "reference")?);
    set(
        json,
        &[
            ("originals_text", &["numberOfOriginalBL"]),
            ("carrier_receipt", &["carrierReceipt"]),
            ("onward_inland_routing", &["onwardInlandRouting"]),
            ("signed_for_carrier", &["signedForCarrierText"]),
        ],
        &mut envelope.facts,
    )?;
    for (name, member) in
        [("terms", "termsOfCarriage"), ("terms", "termsAndConditions"), ("receipt_clause", "signForTermsAndCondition")]
    {
        set_list(&mut envelope.facts, name, clauses(json, member, "clause")?);
    }
    Ok(())
}

/// Adds a party that is a text of lines, an object with its name, an object around one of DCSA's, or, in credentials,
/// members of its own (`shipperName`).
fn party(role: &str, member: &str, json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let field = "name of a party";
    let flat = format!("{member}Name");
    let Some(found) = json.get(member) else {
        envelope.party(role, needed(json, &[&flat], field)?, None);
        return Ok(());
    };
    match &found.shape {
        Shape::Text(_) => {
            let lines = needed(json, &[member], field)?;
            let name = lines.as_deref().and_then(|lines| lines.lines().next()).map(|line| line.trim().to_owned());
            envelope.party(role, name, None);
        }
        Shape::Object(_) => {
            let name = match needed(found, &["name"], field)? {
                None => needed(found, &["party", "partyName"], field)?,
                name => name,
            };
            envelope.party(
                role,
                name.map(|name| first_line(&name)),
                text(found, &["party", "taxReference"], "tax reference")?,
            );
        }
        _ => return Err(wrong(found, "party", "it is a text or an object")),
    }
    Ok(())
}

/// The first line of a name, without the comma that leads to the address.
fn first_line(name: &str) -> String {
    name.lines().next().unwrap_or_default().trim().trim_end_matches(',').to_owned()
}

/// Whether the bill is to order: it says so before the consignee's name, or instead of it.
fn to_order(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut words = Vec::new();
    for path in [
        &["consignee", "toOrderOfText"][..],
        &["consignee", "name"],
        &["consignee", "party", "partyName"],
        &["toOrderOfText"],
    ] {
        words.extend(text(json, path, "order clause")?);
    }
    if matches!(json.get("consignee").map(|consignee| &consignee.shape), Some(Shape::Text(_))) {
        words.extend(text(json, &["consignee"], "order clause")?);
    }
    let to_order = words.iter().any(|word| word.trim_start().to_ascii_lowercase().starts_with("to order"));
    let known = json.get("consignee").is_some() || !words.is_empty();
    envelope.facts.set("to_order", known.then_some(to_order));
    envelope.facts.set("negotiable", known.then_some(to_order));
    Ok(())
}

/// The days of a bill, with the place of issue where it stands before the day.
fn days(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    for member in ["dateOfIssueBL", "dateOfIssue", "issueDate"] {
        let Some(written) = needed(json, &[member], "issue date")? else { continue };
        let (place, day) = place_and_day(&written);
        if let Some(place) = place {
            envelope.facts.set("place_of_issue", place);
        }
        match day {
            Some(day) => envelope.issue_date = Some(day),
            None => ambiguous("issue_date_text", written, envelope),
        }
    }
    set(json, &[("place_of_issue", &["placeOfIssueBL"]), ("place_of_issue", &["placeOfIssue"])], &mut envelope.facts)?;
    for (name, as_text, member) in [
        ("shipped_on_board_date", "shipped_on_board_date_text", "shippedOnBoardDate"),
        ("charter_party_date", "charter_party_date_text", "freightPayableAsPerCharterPartyDated"),
    ] {
        let Some(written) = needed(json, &[member], "date")? else { continue };
        match place_and_day(&written) {
            (None, Some(day)) => envelope.facts.set(name, day),
            _ => ambiguous(as_text, written, envelope),
        }
    }
    Ok(())
}

fn ambiguous(name: &'static str, written: String, envelope: &mut Envelope) {
    let excerpt = super::super::Excerpt::of(&written);
    let reason = format!("the date {excerpt} is not written YYYY-MM-DD, so it is shown as a text; ask for the day");
    envelope.warn("ambiguous_date", reason);
    envelope.facts.set(name, written);
}

/// `Rotterdam, 2023-10-17` as its place and its day.
fn place_and_day(written: &str) -> (Option<String>, Option<BusinessDate>) {
    let (place, day) = match written.rsplit_once(',') {
        Some((place, day)) => (Some(place.trim().to_owned()), day.trim()),
        None => (None, written),
    };
    match date::iso(Field::IssueDate, day) {
        Ok(day) => (place, Some(day)),
        Err(_) => (None, None),
    }
}

fn places(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut shown = Vec::new();
    for (role, member) in [
        ("place_of_receipt", "placeOfReceipt"),
        ("port_of_loading", "portOfLoading"),
        ("port_of_discharge", "portOfDischarge"),
        ("place_of_delivery", "placeOfDelivery"),
    ] {
        let Some(found) = json.get(member) else { continue };
        let mut place = Record::default().with("role", role);
        if let Shape::Object(_) = &found.shape {
            let inner = found.get("location").unwrap_or(found);
            if let Some(code) = needed(inner, &["UNLocationCode"], "UN/LOCODE")? {
                place.set("un_location", code);
            }
            place.set("name", needed(inner, &["locationName"], "port or place")?);
        } else {
            let Some(name) = needed(json, &[member], "port or place")? else { continue };
            place.set("name", name);
        }
        shown.push(place);
    }
    set_list(&mut envelope.facts, "places", shown);
    Ok(())
}

fn cargo(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut packages = Vec::new();
    for one in objects(json, "packages", "list of packages")? {
        let mut package = Record::default();
        for (name, members) in [
            ("description", ["description", "packagesDescription"]),
            ("weight", ["weight", "packagesWeight"]),
            ("measurement", ["measurement", "packagesMeasurement"]),
        ] {
            for member in members {
                if name == "description" {
                    clauses(one, member, "description of a package")?
                        .into_iter()
                        .for_each(|description| package.set(name, description));
                } else if let Some(found) = text(one, &[member], "weight or measurement of a package")? {
                    package.set(name, measured(&found));
                }
            }
        }
        packages.push(package);
    }
    set_list(&mut envelope.facts, "packages", packages);
    set_list(&mut envelope.facts, "description", texts(json, "descriptionOfGoods", "description of goods")?);
    for (name, member) in [("gross_weight", "cargoGrossWeight"), ("measurement", "measurement")] {
        if let Some(found) = text(json, &[member], "weight or measurement")? {
            envelope.facts.set(name, measured(&found));
        }
    }
    Ok(())
}

/// `122460 KGM` as its value and its unit; without either, the text.
fn measured(written: &str) -> Record {
    let number = |text: &str| {
        let digits = text.bytes().filter(|byte| *byte != b'.');
        !text.is_empty() && digits.clone().all(|byte| byte.is_ascii_digit()) && digits.count() + 1 >= text.len()
    };
    match written.split_once(' ') {
        Some((value, unit)) if number(value) => Record::default().with("value", value).with("unit", unit.trim()),
        _ if number(written) => Record::default().with("value", written).with("unit", None::<String>),
        _ => Record::default().with("text", written),
    }
}

fn note(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    envelope.number = Some(required(json, &["pNoteId"], "number of the promissory note")?);
    envelope.issue_date = day(json, &["commitmentDate"], "issue date")?;
    let due = day(json, &["dueDate"], "due date")?.ok_or_else(|| missing("due date"))?;
    envelope.facts.set("due_date", due);
    if envelope.issue_date.is_some_and(|issued| due < issued) {
        envelope.warn("due_before_issue", "the note is due before it was made; ask its drawer which date holds");
    }
    let amount = money(json, &["amount"], &["currency"], "amount of the promissory note")?;
    envelope.facts.set("amount", amount.ok_or_else(|| missing("amount of the promissory note"))?);
    for role in ["drawer", "drawee"] {
        let of = |what: &str| format!("{role}{what}");
        let name = required(json, &[&of("CompanyName")], "name of the drawer or drawee")?;
        envelope.party(role, Some(name), needed(json, &[&of("CompanyNo")], "number of a company")?);
    }
    set(
        json,
        &[
            ("drawer_jurisdiction", &["drawerJurisdiction"]),
            ("drawee_jurisdiction", &["draweeJurisdiction"]),
            ("drawer_wallet", &["drawerWalletAddress"]),
            ("drawee_wallet", &["draweeWalletAddress"]),
            ("place_of_issue", &["drawerPlaceOfIssue"]),
            ("signer", &["signerName"]),
            ("signer_position", &["signerPosition"]),
            ("signed_at", &["signerTimeStamp"]),
        ],
        &mut envelope.facts,
    )
}

fn invoice(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    envelope.number = Some(required(json, &["id"], "number of the invoice")?);
    if let Some(written) = needed(json, &["date"], "issue date")? {
        match place_and_day(&written) {
            (None, Some(day)) => envelope.issue_date = Some(day),
            _ => ambiguous("issue_date_text", written, envelope),
        }
    }
    let name = "name of a party";
    envelope.party("seller", needed(json, &["billFrom", "name"], name)?, None);
    let company = needed(json, &["billTo", "company", "name"], name)?;
    let contact = needed(json, &["billTo", "name"], name)?;
    let customer = text(json, &["customerId"], "customer")?;
    envelope.party("buyer", company.or(contact), customer);
    let currency = needed(json, &["currency"], "currency")?;
    for (fact, member) in [("subtotal", "subtotal"), ("tax", "taxTotal"), ("total", "total")] {
        if currency.is_some() {
            if let Some(amount) = money(json, &[member], &["currency"], "amount of the invoice")? {
                envelope.facts.set(fact, amount);
            }
        } else if let Some(amount) = needed_amount(json, member)? {
            envelope.facts.set(fact, amount);
        }
    }
    if currency.is_none() {
        envelope.warn("no_currency", "the invoice names no currency, so its amounts are shown as written; ask for it");
    }
    set(json, &[("tax_rate", &["tax"]), ("payment_terms", &["terms"])], &mut envelope.facts)?;
    let mut lines = Vec::new();
    for one in objects(json, "billableItems", "list of items")? {
        let mut line = Record::default();
        set(
            one,
            &[
                ("description", &["description"]),
                ("quantity", &["quantity"]),
                ("unit_price", &["unitPrice"]),
                ("amount", &["amount"]),
            ],
            &mut line,
        )?;
        lines.push(line);
    }
    set_list(&mut envelope.facts, "lines", lines);
    Ok(())
}

fn needed_amount(json: &Json, member: &str) -> Result<Option<String>, DocumentError> {
    super::super::fields::decimal(json, &[member], "amount of the invoice")
}

/// Reads what documents of other kinds say, as far as it is a trade's.
///
/// # Errors
/// `Template`, `InvalidDate`, `InvalidField`.
pub fn others(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    for role in ["exporter", "importer", "producer", "consignee", "shipper"] {
        let of = |what: &str| format!("{role}{what}");
        let name = needed(json, &[&of("Name")], "name of a party")?;
        envelope.party(role, name, needed(json, &[&of("Id")], "id of a party")?);
    }
    envelope.refer("consignment", needed(json, &["supplyChainConsignmentId"], "consignment")?);
    set(
        json,
        &[
            ("export_country", &["exportCountryCode"]),
            ("import_country", &["importCountryCode"]),
            ("exporter_city", &["exporterCityName"]),
            ("exporter_country", &["exporterCountryCode"]),
            ("license_number", &["licenseNumber"]),
            ("subject_name", &["name"]),
        ],
        &mut envelope.facts,
    )?;
    consignment(json, envelope)
}

/// The goods of a certificate of non-manipulation, and who declares them.
fn consignment(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    if let Some(found) = object(json, "consignment", "consignment")? {
        let mut facts = Record::default();
        set(
            found,
            &[
                ("description", &["description"]),
                ("quantity", &["quantity", "value"]),
                ("unit", &["quantity", "unit"]),
                ("origin", &["countryOfOrigin"]),
                ("destination", &["countryOfFinalDestination"]),
                ("vehicle", &["outgoingVehicleNo"]),
            ],
            &mut facts,
        )?;
        for (name, member) in [("discharged_on", "dateOfDischarge"), ("departs_on", "dateOfDeparture")] {
            if let Some(found) = day(found, &[member], "date of a consignment")? {
                facts.set(name, found);
            }
        }
        envelope.refer("outward_bill", needed(found, &["outwardBillNo"], "number of the outward bill")?);
        envelope.facts.set("consignment", facts);
    }
    if let Some(found) = object(json, "declaration", "declaration")? {
        envelope.party("declarant", needed(found, &["name"], "name of the declarant")?, None);
        let mut facts = Record::default();
        set(found, &[("name", &["name"]), ("designation", &["designation"])], &mut facts)?;
        if let Some(on) = day(found, &["date"], "date of the declaration")? {
            facts.set("date", on);
        }
        envelope.facts.set("declaration", facts);
    }
    Ok(())
}
