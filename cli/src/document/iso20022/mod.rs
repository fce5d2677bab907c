//! ISO 20022: every pain, pacs and camt message in any version, with or without a business header, an envelope of a
//! network and the `Document` element around it.
//!
//! The kind is that of the namespace; where a file has none, that of the message's element. A header or group that
//! declares a number of transactions or a control sum is checked against what it holds, exactly, in decimals. Codes
//! that ISO defines by form (IBAN, BIC, LEI) are checked as warnings: it is for a bank to say whether they exist.

pub(super) mod decimal;
pub(super) mod ids;
mod kinds;
mod payments;
mod statements;

use super::date;
use super::envelope::{Envelope, Record};
use super::error::{DocumentError, Excerpt, Field};
use super::tree::{Node, not_placeholder};
use kinds::Kind;

/// How far below the root a message may lie in the envelopes of networks.
const ENVELOPE_LEVELS: usize = 6;

/// Reads a message; nothing if the file holds none.
///
/// # Errors
/// `MissingField` without an id or a creation time, or without what the kind is about; `Template`; `WrongCount` and
/// `WrongControlSum`; `ContradictoryField` if the business header names another kind; whatever is wrong with a date,
/// an amount or a currency.
pub fn read(root: &Node) -> Result<Option<Envelope>, DocumentError> {
    let Some((kind, message)) = find(root)? else { return Ok(None) };
    message.admit(&|space| space == message.space());
    let mut envelope = Envelope::new("iso20022", kind.short());
    if kind.version.is_none() {
        envelope.warn("no_namespace", "the message has no namespace, so its version is unknown; ask its sender for it");
    }
    envelope.facts.set("message", kind.full());
    business_header(root, &kind, &mut envelope)?;
    identify(message, &mut envelope)?;
    let group = message.at(&["GrpHdr"]).filter(|header| header.at(&["NbOfTxs"]).is_some());
    match kind.short().as_str() {
        "camt.052" => statements::read(message, "Rpt", &mut envelope)?,
        "camt.053" => statements::read(message, "Stmt", &mut envelope)?,
        "camt.054" => statements::read(message, "Ntfctn", &mut envelope)?,
        _ => payments::read(message, group.or_else(|| message.at(&["CtrlData"])), &kind, &mut envelope)?,
    }
    walk(message, &kind, &mut envelope)?;
    same_agents(message, &mut envelope)?;
    Ok(Some(envelope))
}

/// The message's element, and its kind.
fn find(root: &Node) -> Result<Option<(Kind, &Node)>, DocumentError> {
    let document = if root.name() == "Document" { Some(root) } else { root.anywhere("Document", ENVELOPE_LEVELS) };
    let message = match document {
        None => Some(root),
        Some(document) => document.elements().next(),
    };
    let (by_space, by_name) = (
        document.or(message).and_then(|node| Kind::of_namespace(node.space())),
        message.and_then(|message| Kind::of_element(message.name())),
    );
    match (by_space, by_name, message) {
        (Some(space), Some(name), Some(_)) if space.short() != name.short() => Err(DocumentError::ContradictoryField {
            field: Field::Named("kind of message"),
            first: Excerpt::of(&space.full()),
            second: Excerpt::of(message.map_or("", Node::name)),
        }),
        (Some(_), _, None) => Err(DocumentError::MissingField { field: Field::Named("message in the Document") }),
        (Some(kind), _, Some(message)) | (None, Some(kind), Some(message)) => Ok(Some((kind, message))),
        (None, _, _) => Ok(None),
    }
}

/// The business application header beside the message, if there is one.
fn business_header(root: &Node, kind: &Kind, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let found = if root.name() == "AppHdr" { Some(root) } else { root.anywhere("AppHdr", ENVELOPE_LEVELS) };
    let Some(header) = found else { return Ok(()) };
    let named = header.value(&["MsgDefIdr"])?;
    if let Some(named) = &named {
        let belongs = named.strip_prefix(&kind.full()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        if !belongs {
            return Err(DocumentError::ContradictoryField {
                field: Field::Named("kind of message"),
                first: Excerpt::of(named),
                second: Excerpt::of(&kind.full()),
            });
        }
    }
    for (role, end) in [("sender", "Fr"), ("receiver", "To")] {
        if let Some(end) = header.at(&[end]) {
            let inner = end.at(&["FIId"]).or_else(|| end.at(&["OrgId"])).unwrap_or(end);
            let (name, id) = party(inner)?;
            envelope.party(role, name, id);
        }
    }
    let mut facts = Record::default();
    for (name, path) in [
        ("business_message_id", &["BizMsgIdr"][..]),
        ("message_definition", &["MsgDefIdr"]),
        ("service", &["BizSvc"]),
        ("created", &["CreDt"]),
        ("possible_duplicate", &["PssblDplct"]),
    ] {
        if let Some(text) = header.value(path)? {
            facts.set(name, text);
        }
    }
    envelope.facts.set("business_header", facts);
    Ok(())
}

/// Places of a message's id and its creation time: group header, assignment of a case, header of the cash services,
/// report header, and the oldest versions.
const HEADERS: [(&[&str], &[&str]); 7] = [
    (&["GrpHdr", "MsgId"], &["GrpHdr", "CreDtTm"]),
    (&["Assgnmt", "Id"], &["Assgnmt", "CreDtTm"]),
    (&["MsgHdr", "MsgId"], &["MsgHdr", "CreDtTm"]),
    (&["MsgId", "Id"], &["MsgId", "CreDtTm"]),
    (&["RptHdr", "RptId"], &["RptHdr", "CreDtTm"]),
    (&["Hdr", "MsgId"], &["Hdr", "CreDtTm"]),
    (&["MsgId"], &["CreDtTm"]),
];

fn identify(message: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut created = None;
    for (id, time) in HEADERS {
        if envelope.number.is_none() {
            envelope.number = message.value(id)?;
        }
        if created.is_none() {
            created = message.value(time)?;
        }
    }
    let field = Field::Named("message id");
    let number = envelope.number.as_deref().ok_or(DocumentError::MissingField { field })?;
    not_placeholder(field, number)?;
    envelope.facts.set("message_id", number.to_owned());
    let field = Field::Named("creation time");
    if let Some(written) = &created {
        not_placeholder(field, written)?;
        envelope.issue_date = Some(date::iso(field, written)?);
    } else if message.at(&["GrpHdr"]).is_some() {
        return Err(DocumentError::MissingField { field });
    }
    envelope.facts.set("creation_date_time", created);
    Ok(())
}

/// Elements that name a party or an agent.
const ROLES: [(&str, &str); 22] = [
    ("Assgne", "assignee"),
    ("Assgnr", "assigner"),
    ("Cdtr", "creditor"),
    ("CdtrAgt", "creditor_agent"),
    ("Dbtr", "debtor"),
    ("DbtrAgt", "debtor_agent"),
    ("FwdgAgt", "forwarding_agent"),
    ("InitgPty", "initiating_party"),
    ("InstdAgt", "instructed_agent"),
    ("InstgAgt", "instructing_agent"),
    ("IntrmyAgt1", "intermediary_agent"),
    ("IntrmyAgt2", "intermediary_agent"),
    ("IntrmyAgt3", "intermediary_agent"),
    ("MsgRcpt", "message_recipient"),
    ("MsgSndr", "message_sender"),
    ("Ownr", "account_owner"),
    ("PrvsInstgAgt1", "previous_instructing_agent"),
    ("RltdAgt", "related_agent"),
    ("Svcr", "account_servicer"),
    ("UltmtCdtr", "ultimate_creditor"),
    ("UltmtDbtr", "ultimate_debtor"),
    ("TradgPty", "trading_party"),
];

/// Elements that name another message or a part of one.
const REFERENCES: [(&str, &str); 10] = [
    ("OrgnlEndToEndId", "original_end_to_end"),
    ("OrgnlInstrId", "original_instruction"),
    ("OrgnlMsgId", "original_message"),
    ("OrgnlPmtInfId", "original_payment"),
    ("OrgnlTxId", "original_transaction"),
    ("OrgnlUETR", "original_uetr"),
    ("OrgnlStmtId", "original_statement"),
    ("MndtId", "mandate"),
    ("RltdMsgId", "related_message"),
    ("OrgnlMsgNmId", "original_message_kind"),
];

/// Collects parties and references, and checks codes by their form, all through the message.
fn walk(node: &Node, kind: &Kind, envelope: &mut Envelope) -> Result<(), DocumentError> {
    if let Some((_, role)) = ROLES.iter().find(|(element, _)| *element == node.name()) {
        let (name, id) = party(node)?;
        if kind.area != "camt" && ["Cdtr", "Dbtr"].contains(&node.name()) {
            let text = name.as_deref().unwrap_or_default();
            not_placeholder(Field::Named("name of debtor or creditor"), text)?;
        }
        envelope.party(*role, name, id);
    }
    if let Some((_, reference)) = REFERENCES.iter().find(|(element, _)| *element == node.name()) {
        envelope.refer(*reference, node.text()?);
    }
    if node.name() == "Case" {
        envelope.refer("case", node.value(&["Id"])?);
    }
    if let Some(check) = ids::check_of(node.name())
        && let Some(text) = node.text()?
    {
        if kind.area != "camt" {
            not_placeholder(Field::Named(check.field), &text)?;
        }
        if !(check.holds)(&text) {
            let reason = format!("{} is no {}; check it with its owner", Excerpt::of(&text), check.field);
            envelope.warn(check.code, reason);
        }
    }
    node.elements().try_for_each(|inner| walk(inner, kind, envelope))
}

/// Name and id of a party or an agent.
fn party(node: &Node) -> Result<(Option<String>, Option<String>), DocumentError> {
    let inner = ["Pty", "Agt"].into_iter().find_map(|name| node.at(&[name])).unwrap_or(node);
    let name = inner.first(&[&["Nm"], &["FinInstnId", "Nm"], &["FinInstnId", "CmbndId", "Nm"]])?;
    let id = inner.first(&[
        &["FinInstnId", "BICFI"],
        &["FinInstnId", "BIC"],
        &["FinInstnId", "CmbndId", "BIC"],
        &["FinInstnId", "LEI"],
        &["FinInstnId", "ClrSysMmbId", "MmbId"],
        &["FinInstnId", "Othr", "Id"],
        &["Id", "OrgId", "AnyBIC"],
        &["Id", "OrgId", "BICOrBEI"],
        &["Id", "OrgId", "BEI"],
        &["Id", "OrgId", "LEI"],
        &["Id", "OrgId", "Othr", "Id"],
        &["Id", "OrgId", "PrtryId", "Id"],
        &["Id", "PrvtId", "Othr", "Id"],
        &["Id", "PrvtId", "OthrId", "Id"],
    ])?;
    Ok((name, id))
}

/// Warns if the business header comes from another bank than the one that instructs, or goes to another.
fn same_agents(message: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let bank = |role: &str, envelope: &Envelope| {
        let party = envelope.parties.iter().find(|party| party.role == role)?;
        party.id.as_deref().filter(|id| ids::is_bic(id)).map(|id| id[..8].to_owned())
    };
    for (end, agent, element) in
        [("sender", "instructing_agent", "InstgAgt"), ("receiver", "instructed_agent", "InstdAgt")]
    {
        if message.anywhere(element, 3).is_none() {
            continue;
        }
        if let (Some(end_bank), Some(agent_bank)) = (bank(end, envelope), bank(agent, envelope))
            && end_bank != agent_bank
        {
            let (end, agent) = (end.replace('_', " "), agent.replace('_', " "));
            let reason =
                format!("the header's {end} is {end_bank} and the {agent} is {agent_bank}; ask which one holds");
            envelope.warn("agent_mismatch", reason);
        }
    }
    Ok(())
}
