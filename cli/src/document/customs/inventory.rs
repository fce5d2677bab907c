//! Inventory-linking messages: movements of exports and what answers them, consolidation, queries; arrivals and
//! validated movements of imports (HMRC customs-inventory-linking-exports and -imports).

use super::super::date;
use super::super::envelope::{Envelope, Record};
use super::super::error::{DocumentError, Field};
use super::super::tree::{Node, not_placeholder};
use super::take::{Entry, Take, code_of, facts};
use super::{ENVELOPE_LEVELS, FORMAT, check_mrn};

const EXPORTS: &str = "http://gov.uk/customs/inventoryLinking/v1";
const IMPORTS: &str = "http://gov.uk/customs/inventoryLinkingImport/v1";

/// A message and where its own number is.
struct Message {
    space: &'static str,
    element: &'static str,
    kind: &'static str,
    /// Its number, and what it requires beside a message code; the number is the first that is there.
    number: &'static [&'static [&'static str]],
    requires: &'static [(&'static [&'static str], &'static str)],
}

const UCR: (&[&str], &str) = (&["ucrBlock", "ucr"], "UCR");
const CODE: (&[&str], &str) = (&["messageCode"], "message code");
const MASTER: (&[&str], &str) = (&["masterUCR"], "master UCR");
const ENTRY: (&[&str], &str) = (&["entryNumber"], "entry number");
const CONSIGNMENT: (&[&str], &str) = (&["inventoryConsignmentReference"], "inventory consignment reference");
const PLACE: (&[&str], &str) = (&["goodsLocation"], "goods location");

#[rustfmt::skip]
const MESSAGES: [Message; 15] = [
    Message { space: EXPORTS, element: "inventoryLinkingMovementRequest", kind: "movement_request",
        number: &[&["movementReference"]], requires: &[CODE, UCR, PLACE] },
    Message { space: EXPORTS, element: "inventoryLinkingMovementResponse", kind: "movement_response",
        number: &[&["movementReference"]], requires: &[CODE] },
    Message { space: EXPORTS, element: "inventoryLinkingMovementTotalsResponse", kind: "movement_totals_response",
        number: &[&["movementReference"]], requires: &[CODE, PLACE] },
    Message { space: EXPORTS, element: "inventoryLinkingConsolidationRequest", kind: "consolidation_request",
        number: &[&["masterUCR"], &["ucrBlock", "ucr"]], requires: &[CODE] },
    Message { space: EXPORTS, element: "inventoryLinkingControlResponse", kind: "control_response",
        number: &[&["movementReference"], &["ucr", "ucr"]], requires: &[CODE, (&["actionCode"], "action code")] },
    Message { space: EXPORTS, element: "inventoryLinkingQueryRequest", kind: "query_request",
        number: &[&["queryUCR", "ucr"]], requires: &[(&["queryUCR", "ucr"], "UCR"), (&["queryUCR", "ucrType"], "UCR type")] },
    Message { space: EXPORTS, element: "inventoryLinkingQueryResponse", kind: "query_response",
        number: &[&["queriedDUCR", "UCR"], &["queriedMUCR", "UCR"]], requires: &[] },
    Message { space: EXPORTS, element: "inventoryLinkingValidateDUCRRequest", kind: "ducr_validation_request",
        number: &[&["DUCR"]], requires: &[(&["DUCR"], "DUCR"), (&["MRN"], "MRN")] },
    Message { space: EXPORTS, element: "inventoryLinkingValidateDUCRResponse", kind: "ducr_validation_response",
        number: &[&["DUCR"]], requires: &[(&["DUCR"], "DUCR"), (&["MRN"], "MRN")] },
    Message { space: EXPORTS, element: "inventoryLinkingValidateMUCRRequest", kind: "mucr_validation_request",
        number: &[&["masterUCR"]], requires: &[MASTER] },
    Message { space: EXPORTS, element: "inventoryLinkingValidateMUCRResponse", kind: "mucr_validation_response",
        number: &[&["masterUCR"]], requires: &[MASTER] },
    Message { space: IMPORTS, element: "inventoryLinkingImportsGoodsArrival", kind: "goods_arrival",
        number: &[&["inventoryConsignmentReference"]], requires: &[ENTRY, CONSIGNMENT] },
    Message { space: IMPORTS, element: "InventoryLinkingImportsValidateMovementRequest", kind: "movement_validation_request",
        number: &[&["inventoryConsignmentReference"]], requires: &[CODE, ENTRY, CONSIGNMENT] },
    Message { space: IMPORTS, element: "InventoryLinkingImportsValidateMovementResponse", kind: "movement_validation_response",
        number: &[&["inventoryConsignmentReference"]], requires: &[ENTRY, CONSIGNMENT, (&["irc"], "inventory return code")] },
    Message { space: IMPORTS, element: "InventoryLinkingImportsDeclarationStatusNotification", kind: "declaration_status_notice",
        number: &[&["inventoryConsignmentReference"]], requires: &[CODE, ENTRY, CONSIGNMENT] },
];

/// What a message about exports does (the code lists of its schema).
const CODES: [(&str, &str); 9] = [
    ("EAA", "anticipated_arrival"),
    ("EAL", "arrival"),
    ("EDL", "departure"),
    ("RET", "retrospective_arrival"),
    ("EAC", "association"),
    ("CST", "closing"),
    ("QUE", "query"),
    ("ERS", "entry_status"),
    ("EMR", "movement_totals"),
];

const ACTIONS: [(&str, &str); 3] = [("1", "processed"), ("2", "partly_processed"), ("3", "rejected")];

const fn text(name: &'static str, path: &'static [&'static str]) -> Entry {
    Entry { name, path, take: Take::Text }
}

const fn each(name: &'static str, path: &'static [&'static str], of: &'static [Entry]) -> Entry {
    Entry { name, path, take: Take::Each(of) }
}

const fn moment(name: &'static str, path: &'static [&'static str]) -> Entry {
    Entry { name, path, take: Take::Moment }
}

const TRANSPORT: [Entry; 3] =
    [text("id", &["transportID"]), text("mode", &["transportMode"]), text("nationality", &["transportNationality"])];

const STATUS: [Entry; 3] = [text("ics", &["ics"]), text("roe", &["roe"]), text("soe", &["soe"])];

const GOODS: [Entry; 3] = [
    text("commodity_code", &["commodityCode"]),
    text("packages", &["totalPackages"]),
    Entry { name: "net_mass", path: &["totalNetMass"], take: Take::Decimal },
];

const ERROR: [Entry; 1] = [text("code", &["errorCode"])];

const TOTALS: [Entry; 6] = [
    text("ucr", &["ucrBlock", "ucr"]),
    text("ucr_part", &["ucrBlock", "ucrPartNo"]),
    text("ucr_type", &["ucrBlock", "ucrType"]),
    text("submit_role", &["submitRole"]),
    Entry { name: "status", path: &["entryStatus"], take: Take::One(&STATUS) },
    each("goods", &["goodsItem"], &GOODS),
];

const MOVEMENT: [Entry; 6] = [
    text("message_code", &["messageCode"]),
    text("goods_location", &["goodsLocation"]),
    moment("arrived", &["goodsArrivalDateTime"]),
    moment("departed", &["goodsDepartureDateTime"]),
    text("movement_reference", &["movementReference"]),
    Entry { name: "transport", path: &["transportDetails"], take: Take::One(&TRANSPORT) },
];

const QUERIED: [Entry; 7] = [
    text("ucr", &["UCR"]),
    text("parent_mucr", &["parentMUCR"]),
    text("declaration", &["declarationID"]),
    Entry { name: "shut", path: &["shut"], take: Take::Flag },
    Entry { name: "status", path: &["entryStatus"], take: Take::One(&STATUS) },
    each("movements", &["movement"], &MOVEMENT),
    each("goods", &["goodsItem"], &GOODS),
];

const FACTS: [Entry; 53] = [
    text("ucr", &["ucrBlock", "ucr"]),
    text("ucr", &["queryUCR", "ucr"]),
    text("ucr", &["ucr", "ucr"]),
    text("ucr_part", &["ucrBlock", "ucrPartNo"]),
    text("ucr_part", &["queryUCR", "ucrPartNo"]),
    text("ucr_part", &["ucr", "ucrPartNo"]),
    text("ucr_type", &["ucrBlock", "ucrType"]),
    text("ucr_type", &["queryUCR", "ucrType"]),
    text("ucr_type", &["ucr", "ucrType"]),
    text("mucr", &["masterUCR"]),
    text("mucr_option", &["masterOpt"]),
    text("ducr", &["DUCR"]),
    text("mrn", &["MRN"]),
    text("mrn", &["entryNumber"]),
    text("entry_version", &["entryVersionNumber"]),
    text("consignment", &["inventoryConsignmentReference"]),
    text("inventory_return_code", &["irc"]),
    text("goods_location", &["goodsLocation"]),
    moment("arrived", &["goodsArrivalDateTime"]),
    moment("departed", &["goodsDepartureDateTime"]),
    text("shed_operator", &["shedOPID"]),
    text("movement_reference", &["movementReference"]),
    text("submit_role", &["submitRole"]),
    Entry { name: "transport", path: &["transportDetails"], take: Take::One(&TRANSPORT) },
    text("transport_nationality", &["transportNationality"]),
    text("agent_location", &["agentDetails", "agentLocation"]),
    text("agent_role", &["agentDetails", "agentRole"]),
    text("agent_location", &["agentLocation"]),
    text("agent_role", &["agentRole"]),
    text("crc", &["crc"]),
    text("master_roe", &["masterROE"]),
    text("master_soe", &["masterSOE"]),
    text("declaration_count", &["declarationCount"]),
    Entry { name: "status", path: &["entryStatus"], take: Take::One(&STATUS) },
    each("goods", &["goodsItem"], &GOODS),
    each("entries", &["entry"], &TOTALS),
    each("errors", &["error"], &ERROR),
    Entry { name: "queried_ducr", path: &["queriedDUCR"], take: Take::One(&QUERIED) },
    Entry { name: "queried_mucr", path: &["queriedMUCR"], take: Take::One(&QUERIED) },
    Entry { name: "parent_mucr", path: &["parentMUCR"], take: Take::One(&QUERIED) },
    each("child_ducrs", &["childDUCR"], &QUERIED),
    each("child_mucrs", &["childMUCR"], &QUERIED),
    Entry { name: "format_valid", path: &["isFormatValid"], take: Take::Flag },
    Entry { name: "found", path: &["isFound"], take: Take::Flag },
    Entry { name: "shut", path: &["isShut"], take: Take::Flag },
    moment("shut_at", &["shutDate"]),
    text("declaration_method", &["declarationMethod"]),
    moment("entered", &["dateOfEntry"]),
    text("arrival_declared", &["goodsArrivalDeclaration"]),
    text("ics", &["ics"]),
    text("roe", &["roe"]),
    text("trader_reference", &["traderReference"]),
    text("packages", &["totalPackages"]),
];

const CARRIER: [Entry; 6] = [
    text("submitter", &["submitter"]),
    text("badge", &["badgeIdentifier"]),
    text("client", &["clientID"]),
    text("conversation", &["conversationID"]),
    text("correlation", &["correlationID"]),
    moment("sent", &["dateTimeStamp"]),
];

/// Reads an inventory-linking message, by itself or in the request that carried it; nothing if it is none.
///
/// # Errors
/// `MissingField` and `Template` for what its kind requires, `InvalidField` for a message code outside of its list.
pub fn read(root: &Node) -> Result<Option<Envelope>, DocumentError> {
    let Some((message, node)) = find(root) else { return Ok(None) };
    root.admit(&|space| space == message.space || space.starts_with("http://gov.uk/customs/inventoryLinking/"));
    let mut envelope = Envelope::new(FORMAT, message.kind);
    for (path, field) in message.requires {
        node.required(path, field)?;
    }
    envelope.number = node.first(message.number)?;
    message_code(node, message.space, &mut envelope)?;
    for (name, fact) in facts(node, &FACTS, &mut envelope)?.iter() {
        envelope.facts.set(name, fact.clone());
    }
    outcome(node, &mut envelope)?;
    let agent = node.value(&["agentDetails", "EORI"])?;
    envelope.party("agent", None, agent);
    references(node, &mut envelope)?;
    if let Some(common) = root.anywhere("requestCommon", ENVELOPE_LEVELS) {
        carried(common, &mut envelope)?;
    }
    Ok(Some(envelope))
}

fn find(root: &Node) -> Option<(&'static Message, &Node)> {
    let known =
        |node: &Node| MESSAGES.iter().find(|message| message.element == node.name() && message.space == node.space());
    if let Some(message) = known(root) {
        return Some((message, root));
    }
    MESSAGES.iter().find_map(|message| {
        let node = root.anywhere(message.element, ENVELOPE_LEVELS)?;
        known(node).map(|message| (message, node))
    })
}

fn message_code(node: &Node, space: &str, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let Some(code) = node.value(&["messageCode"])? else { return Ok(()) };
    if space == EXPORTS {
        let reason = "it is one of EAA, EAL, EDL, RET, EAC, CST, QUE, ERS, EMR";
        let meaning = code_of(&code, &CODES, "message code", reason)?;
        envelope.facts.set("message_code", code);
        envelope.facts.set("function", meaning);
    } else {
        envelope.facts.set("message_code", code);
    }
    Ok(())
}

/// What customs did with a request, and whether a consignment was matched to its declaration.
fn outcome(node: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    if let Some(code) = node.value(&["actionCode"])? {
        let meaning = code_of(&code, &ACTIONS, "action code", "it is 1, 2 or 3")?;
        envelope.facts.set("action_code", code);
        envelope.facts.set("action", meaning);
    }
    if let Some(code) = node.value(&["irc"])? {
        envelope.facts.set("matched", code == "000");
    }
    if let Some(entered) = node.value(&["dateOfEntry"])? {
        envelope.issue_date = Some(date::iso(Field::Named("date of entry"), &entered)?);
    }
    Ok(())
}

fn references(node: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    for (kind, path) in [
        ("declaration", &["entryNumber"][..]),
        ("declaration", &["MRN"]),
        ("mucr", &["masterUCR"]),
        ("ducr", &["DUCR"]),
        ("consignment", &["inventoryConsignmentReference"]),
        ("trader_reference", &["traderReference"]),
        ("declaration", &["queriedDUCR", "declarationID"]),
    ] {
        let number = node.value(path)?;
        if kind == "declaration" {
            check_mrn(number.as_deref(), envelope);
        }
        envelope.refer(kind, number);
    }
    for block in ["ucrBlock", "queryUCR", "ucr"] {
        let kind = match node.value(&[block, "ucrType"])?.as_deref() {
            Some("D") => "ducr",
            Some("M") => "mucr",
            _ => "ucr",
        };
        envelope.refer(kind, node.value(&[block, "ucr"])?);
    }
    for entry in node.all("entry") {
        envelope.refer("ucr", entry.value(&["ucrBlock", "ucr"])?);
    }
    Ok(())
}

/// Who sent the request that carries the message, and when.
fn carried(common: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let held: Record = facts(common, &CARRIER, envelope)?;
    envelope.facts.set("request", held);
    envelope.party("submitter", None, common.value(&["submitter"])?);
    if let Some(sent) = common.value(&["dateTimeStamp"])?
        && envelope.issue_date.is_none()
    {
        let field = Field::Named("time stamp");
        not_placeholder(field, &sent)?;
        envelope.issue_date = Some(date::iso(field, &sent)?);
    }
    Ok(())
}
