//! Endorsement chains: who passed a title to whom, and when, in the order in which it happened.
//!
//! Platforms hand a chain over oldest first or newest first. The moments tell which, and the chain is turned round as a
//! whole, so that two acts of one moment keep their order. Where the moments go both ways the acts are sorted by them
//! and the document is warned of; where they tell nothing, the issue is the first. A chain is whole when it begins with
//! the issue and each act is by somebody whom the acts before it left in control; whether that is enough for a title is
//! for its contract to say.

use super::super::envelope::{Envelope, Record};
use super::super::error::DocumentError;
use super::super::fields::{Moment, missing, moment, needed, set};
use super::super::json::Json;
use super::party::{self, record};

/// One act.
struct Link {
    action: Option<String>,
    at: Moment,
    /// Names and codes of who acts, and of whom they act for.
    actor: Option<Vec<String>>,
    recipient: Option<Vec<String>>,
    shown: Record,
}

impl Link {
    fn is_issue(&self) -> bool {
        matches!(self.action.as_deref(), Some("ISSUE" | "ISSU"))
    }

    /// Whether the act leaves its actor in control: a signature or an endorsement gives no possession.
    fn keeps_control(&self) -> bool {
        self.action.as_deref().is_some_and(|action| action.contains("ENDO") || action.starts_with("SIGN"))
    }
}

/// Sets `endorsement_chain`, `chain_order` and `chain_whole` of the acts in `items`.
///
/// # Errors
/// `MissingField` for an act without its moment; `InvalidDate`; `Template`; `InvalidField`.
pub fn read<'a>(items: impl IntoIterator<Item = &'a Json>, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut links = Vec::new();
    for item in items {
        links.push(link(item, envelope)?);
    }
    let order = arrange(&mut links, envelope);
    let whole = is_whole(&links, envelope);
    let facts = &mut envelope.facts;
    facts.set("chain_order", order);
    facts.set("chain_whole", whole);
    facts.set("endorsement_chain", links.into_iter().map(|link| link.shown).collect::<Vec<_>>());
    Ok(())
}

fn link(json: &Json, envelope: &mut Envelope) -> Result<Link, DocumentError> {
    let field = "action of an endorsement";
    let mut action = None;
    for name in ["actionCode", "action", "instruction"] {
        if action.is_none() {
            action = needed(json, &[name], field)?;
        }
    }
    let field = "time of an endorsement";
    let at = match moment(json, &["actionDateTime"], field)? {
        None => moment(json, &["timestamp"], field)?,
        found => found,
    };
    let at = at.ok_or_else(|| missing(field))?;
    let mut shown = Record::default().with("action", action.clone()).with("at", at.written.clone());
    let actor = side(json, "actor", &mut shown, envelope)?;
    let mut recipient = side(json, "recipient", &mut shown, envelope)?;
    if let Some(transferee) = needed(json, &["transferee"], "transferee of an endorsement")? {
        envelope.party("recipient", Some(transferee.clone()), None);
        shown.set("recipient", Record::default().with("name", transferee.clone()));
        recipient = Some(vec![transferee]);
    }
    if let Some(to_order) = super::super::fields::flag(json, &["isToOrder"], "to order")? {
        shown.set("to_order", to_order);
    }
    set(
        json,
        &[
            ("reason", &["reasonCode"]),
            ("comments", &["comments"]),
            ("audit_reference", &["auditReference"]),
            ("platform", &["platformHost"]),
        ],
        &mut shown,
    )?;
    Ok(Link { action, at, actor, recipient, shown })
}

/// Shows one side of an act, and says by which names and codes it is known.
fn side(
    json: &Json,
    name: &'static str,
    shown: &mut Record,
    envelope: &mut Envelope,
) -> Result<Option<Vec<String>>, DocumentError> {
    let Some(found) = super::super::fields::object(json, name, "party of an endorsement")? else { return Ok(None) };
    party::party(name, found, envelope)?;
    shown.set(name, record(found, envelope)?);
    let mut known = Vec::new();
    for one in [Some(found), found.get("representedParty")].into_iter().flatten() {
        known.extend(needed(one, &["partyName"], "name of a party")?);
        known.extend(needed(one, &["legalName"], "name of a party")?);
        known.extend(
            party::codes(one, &mut Envelope::new("dcsa", ""))?
                .into_iter()
                .map(|code| format!("{}\n{}", code.list.unwrap_or_default(), code.code)),
        );
    }
    Ok(Some(known))
}

/// Puts the acts in the order in which they happened, and says which order the document had.
fn arrange(links: &mut [Link], envelope: &mut Envelope) -> &'static str {
    let rises = links.is_sorted_by(|one, next| one.at.order <= next.at.order);
    let falls = links.is_sorted_by(|one, next| one.at.order >= next.at.order);
    let issue_is = |link: Option<&Link>| link.is_some_and(Link::is_issue);
    match (rises, falls) {
        _ if links.len() < 2 => "oldest_first",
        (true, false) => "oldest_first",
        (true, true) if issue_is(links.first()) => "oldest_first",
        (true, true) if !issue_is(links.last()) => {
            envelope
                .warn("chain_order_unknown", "all endorsements have one time, so their order is that of the document");
            "unknown"
        }
        (_, true) => {
            links.reverse();
            envelope.warn("chain_reversed", "the endorsements stand newest first; they are shown oldest first");
            "newest_first"
        }
        (false, false) => {
            links.sort_by_key(|link| link.at.order);
            envelope.warn("chain_unsorted", "the endorsements are in no order of time; they are shown oldest first");
            "unsorted"
        }
    }
}

/// Whether the chain begins with the issue and nobody acts whom it did not reach. Nothing where actors are not named.
fn is_whole(links: &[Link], envelope: &mut Envelope) -> Option<bool> {
    let first = links.first()?;
    let mut whole = first.is_issue();
    if !whole {
        envelope
            .warn("chain_without_issue", "the chain of endorsements does not begin with the issue; ask for all of it");
    }
    let mut control: Vec<&str> = Vec::new();
    let mut told = true;
    for (place, link) in links.iter().enumerate() {
        match &link.actor {
            None => told = false,
            Some(actor) if place > 0 && told && !actor.iter().any(|name| control.contains(&name.as_str())) => {
                whole = false;
                let reason = format!(
                    "endorsement {} is by somebody whom the ones before it did not reach; ask for the whole chain",
                    place + 1
                );
                envelope.warn("chain_gap", reason);
            }
            Some(_) => {}
        }
        if !link.keeps_control() && link.recipient.is_some() {
            control.clear();
        }
        for known in [&link.recipient, if link.keeps_control() { &link.actor } else { &None }].into_iter().flatten() {
            control.extend(known.iter().map(String::as_str));
        }
        told = told && (link.recipient.is_some() || link.keeps_control() || !control.is_empty());
    }
    (told || !whole).then_some(whole)
}
