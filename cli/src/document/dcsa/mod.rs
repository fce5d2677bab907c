//! DCSA: the messages of its electronic bill of lading (transport documents, shipping instructions, amendments,
//! issuance, surrender, endorsement chains, transfers between platforms), of bookings, arrival notices, verified gross
//! mass, and track and trace; in versions 2 and 3, bare, wrapped, or several in a list.
//!
//! JSON of DCSA names no schema, so a kind is told by the members that only it has, and the first of the table that fits
//! is read. A required member that is absent, of another type, or still a placeholder is a refusal by its name; what is
//! optional and a placeholder is a warning of the parent.

mod arrival;
mod booking;
mod cargo;
mod chain;
mod events;
mod message;
mod party;
mod pint;
mod place;
mod transport;

use super::envelope::{Envelope, MAX_WARNINGS, Record};
use super::error::{DocumentError, Excerpt, Field};
use super::json::{Json, Shape};

/// Most documents of one file.
const MAX_DOCUMENTS: usize = 10_000;

type Reader = fn(&Json, &mut Envelope) -> Result<(), DocumentError>;

/// A kind of message.
struct Kind {
    name: &'static str,
    /// Whether an object is one.
    fits: fn(&Json) -> bool,
    read: Reader,
}

/// Whether all of the members are there.
fn has(json: &Json, names: &[&str]) -> bool {
    names.iter().all(|name| json.get(name).is_some())
}

fn has_any(json: &Json, names: &[&str]) -> bool {
    names.iter().any(|name| json.get(name).is_some())
}

/// Whether an object says nothing but what a change of status or a reference has.
fn is_status(json: &Json, members: &[&str], main: &[&str]) -> bool {
    let Shape::Object(held) = &json.shape else { return false };
    const OTHERS: [&str; 5] =
        ["reason", "feedbacks", "feedbackElements", "transportDocumentSubReference", "documentStatus"];
    has_any(json, main)
        && held.iter().all(|(name, _)| members.contains(&name.as_str()) || OTHERS.contains(&name.as_str()))
}

fn is_notification(json: &Json, of: &str) -> bool {
    let event = json.get("type").and_then(|event| match &event.shape {
        Shape::Text(text) => Some(text.as_str()),
        _ => None,
    });
    has(json, &["specversion", "data"]) && event.is_some_and(|event| event.starts_with(of))
}

/// Kinds in the order in which they are tried: one that could be taken for another comes before it.
static KINDS: [Kind; 33] = [
    Kind {
        name: "transport_document_notification",
        fits: |json| is_notification(json, "org.dcsa.transport-document"),
        read: message::notification,
    },
    Kind {
        name: "shipping_instructions_notification",
        fits: |json| is_notification(json, "org.dcsa.shipping-instruction"),
        read: message::notification,
    },
    Kind {
        name: "booking_notification",
        fits: |json| is_notification(json, "org.dcsa.booking"),
        read: message::notification,
    },
    Kind {
        name: "envelope_transfer",
        fits: |json| has_any(json, &["envelopeManifestSignedContent", "envelopeTransferChain"]),
        read: pint::transfer,
    },
    Kind {
        name: "envelope_transfer_started",
        fits: |json| has(json, &["envelopeReference", "missingAdditionalDocumentChecksums"]),
        read: pint::started,
    },
    Kind {
        name: "envelope_transfer_finished",
        fits: |json| has(json, &["responseCode", "lastEnvelopeTransferChainEntrySignedContentChecksum"]),
        read: pint::finished,
    },
    Kind {
        name: "transfer_block",
        fits: |json| {
            has(json, &["transferDocument"])
                || has_any(json, &["endorcementChain", "endorsementChain"])
                    && ["endorcementChain", "endorsementChain"]
                        .iter()
                        .any(|name| json.at(&[name, "eblEnvelope"]).is_some())
        },
        read: pint::transfer_block,
    },
    Kind {
        name: "envelope_transfer_chain_entry",
        fits: |json| has(json, &["transactions", "transportDocumentChecksum"]),
        read: pint::chain_entry,
    },
    Kind {
        name: "envelope_manifest",
        fits: |json| has(json, &["transportDocumentChecksum", "lastEnvelopeTransferChainEntrySignedContentChecksum"]),
        read: pint::manifest,
    },
    Kind {
        name: "issuance_manifest",
        fits: |json| has(json, &["documentChecksum", "issueToChecksum"]),
        read: pint::manifest_of_issuance,
    },
    Kind {
        name: "issuance_request",
        fits: |json| has(json, &["document"]) && (has(json, &["issueTo"]) || is_document(json.get("document"))),
        read: message::issuance_request,
    },
    Kind {
        name: "issuance_response",
        fits: |json| has(json, &["issuanceResponseCode"]),
        read: message::issuance_response,
    },
    Kind {
        name: "surrender_response",
        fits: |json| has(json, &["surrenderRequestReference", "action"]),
        read: message::surrender_response,
    },
    Kind {
        name: "surrender_request",
        fits: |json| has_any(json, &["surrenderRequestCode", "surrenderRequestReference"]),
        read: message::surrender_request,
    },
    Kind { name: "endorsement_chain", fits: |json| has(json, &["endorsementChain"]), read: message::endorsement_chain },
    Kind {
        name: "transport_document_amendment",
        fits: |json| has(json, &["amendedTransportDocument"]),
        read: transport::amendment,
    },
    Kind {
        name: "arrival_notice",
        fits: |json| {
            has_any(json, &["issueDateTime", "issueDate"])
                && has_any(json, &["freeTimes", "freetime", "carrierContactInformation", "transport"])
        },
        read: arrival::notice,
    },
    Kind {
        name: "arrival_notice_notification",
        fits: |json| has(json, &["portOfDischarge"]) && has_any(json, &["issueDateTime", "portOfDischargeArrivalDate"]),
        read: arrival::notification,
    },
    Kind { name: "verified_gross_mass", fits: |json| has(json, &["VGM"]), read: arrival::gross_mass },
    Kind { name: "track_and_trace", fits: |json| json.get("events").is_some_and(is_event_list), read: events::wrapped },
    Kind { name: "track_and_trace", fits: is_event, read: events::one },
    Kind { name: "booking", fits: |json| has(json, &["bookingStatus", "requestedEquipments"]), read: booking::booking },
    Kind {
        name: "booking_request",
        fits: |json| has_any(json, &["shipmentLocations", "requestedEquipments"]) && !has(json, &["transports"]),
        read: booking::booking,
    },
    Kind { name: "bill_of_lading", fits: |json| has(json, &["blno"]), read: transport::flat },
    Kind { name: "transport_document", fits: |json| is_document(Some(json)), read: transport::document },
    Kind {
        name: "shipping_instructions",
        fits: |json| {
            has_any(json, &["consignmentItems", "utilizedTransportEquipments"])
                && has_any(
                    json,
                    &["transportDocumentTypeCode", "documentParties", "shippingInstructionsStatus", "isToOrder"],
                )
        },
        read: transport::instructions,
    },
    Kind {
        name: "transport_document",
        fits: |json| json.get("transportDocument").is_some_and(|inner| is_document(Some(inner))),
        read: message::wrapped_document,
    },
    Kind {
        name: "shipping_instructions",
        fits: |json| {
            ["shippingInstructions", "shippingInstruction"]
                .iter()
                .any(|name| json.get(name).is_some_and(|inner| has(inner, &["consignmentItems"])))
        },
        read: message::wrapped_instructions,
    },
    Kind {
        name: "booking_request",
        fits: |json| json.get("booking").is_some_and(|inner| has(inner, &["requestedEquipments"])),
        read: message::wrapped_booking,
    },
    Kind {
        name: "transport_document_status",
        fits: |json| {
            let main = ["transportDocumentStatus", "amendedTransportDocumentStatus"];
            let members = [
                "transportDocumentStatus",
                "amendedTransportDocumentStatus",
                "transportDocumentReference",
                "shippingInstructionsReference",
                "shippingInstructionReference",
            ];
            is_status(json, &members, &main)
        },
        read: message::status,
    },
    Kind {
        name: "shipping_instructions_status",
        fits: |json| {
            let members = [
                "shippingInstructionsStatus",
                "updatedShippingInstructionsStatus",
                "shippingInstructionsReference",
                "shippingInstructionReference",
                "transportDocumentReference",
            ];
            is_status(json, &members, &members[..4])
        },
        read: message::status,
    },
    Kind {
        name: "booking_status",
        fits: |json| {
            let members = [
                "bookingStatus",
                "amendedBookingStatus",
                "bookingCancellationStatus",
                "carrierBookingReference",
                "carrierBookingRequestReference",
            ];
            is_status(json, &members, &members)
        },
        read: message::status,
    },
    Kind { name: "feedback", fits: |json| is_status(json, &[], &["feedbackElements"]), read: message::feedback },
];

/// Whether an object is a transport document, whatever it lacks: it has what shipping instructions do not.
fn is_document(json: Option<&Json>) -> bool {
    json.is_some_and(|json| {
        has_any(json, &["consignmentItems", "utilizedTransportEquipments", "documentParties", "transports"])
            && (has_any(json, &["transportDocumentStatus", "transports", "termsAndConditions", "shippedOnBoardDate"])
                || has(json, &["transportDocumentReference", "carrierCode", "receiptTypeAtOrigin"]))
    })
}

fn is_event(json: &Json) -> bool {
    has_any(json, &["eventClassification"]) && has(json, &["eventDateTime"])
        || has(json, &["eventType"]) && has_any(json, &["eventClassifierCode", "eventDateTime"])
}

fn is_event_list(json: &Json) -> bool {
    matches!(json.shape, Shape::List(_)) && json.items().iter().all(is_event) && !json.items().is_empty()
}

/// Wrappers around lists of documents, with the kind that is inside.
const LISTS: [(&str, &str); 3] = [
    ("arrivalNotices", "arrival_notice"),
    ("arrivalNoticeNotifications", "arrival_notice_notification"),
    ("VGMDeclarations", "verified_gross_mass"),
];

/// Reads a message of DCSA, or several of one kind; nothing if it is none.
///
/// # Errors
/// `ErrorBody` for what an interface answers to a failed request; `SeveralDocuments` for a list of different kinds;
/// whatever is wrong with a message.
pub fn read(json: &Json) -> super::Read {
    if is_error_body(json) {
        return message::error_body(json).map(|never| match never {});
    }
    if let Shape::List(items) = &json.shape {
        return list(items);
    }
    for (name, kind) in LISTS {
        let Some(inner) = json.get(name) else { continue };
        let items = super::fields::required_objects(json, name, "document of the list")?;
        let kind = KINDS.iter().find(|known| known.name == kind).ok_or_else(|| wrong_list(inner))?;
        let mut envelope = combine(items.iter().map(|item| one(kind, item)))?;
        transport::feedbacks(json, &mut envelope)?;
        return Ok(Some(envelope));
    }
    KINDS.iter().find(|kind| (kind.fits)(json)).map(|kind| one(kind, json)).transpose()
}

fn wrong_list(json: &Json) -> DocumentError {
    super::fields::wrong(json, "list of documents", "it is a list of documents of one kind")
}

fn one(kind: &Kind, json: &Json) -> Result<Envelope, DocumentError> {
    let mut envelope = Envelope::new("dcsa", kind.name);
    (kind.read)(json, &mut envelope)?;
    Ok(envelope)
}

/// Reads a list: of events as one, of other messages each by itself. A list in which nothing is known is not DCSA's.
fn list(items: &[Json]) -> super::Read {
    if items.iter().any(is_event) {
        let mut envelope = Envelope::new("dcsa", "track_and_trace");
        events::read(items, &mut envelope)?;
        return Ok(Some(envelope));
    }
    let kinds: Vec<Option<&Kind>> = items.iter().map(|item| KINDS.iter().find(|kind| (kind.fits)(item))).collect();
    if kinds.iter().all(Option::is_none) {
        return Ok(None);
    }
    let first = kinds.iter().flatten().next().map(|kind| kind.name);
    if kinds.iter().any(|kind| kind.map(|kind| kind.name) != first) {
        return Err(DocumentError::SeveralDocuments);
    }
    combine(items.iter().zip(kinds).filter_map(|(item, kind)| Some(one(kind?, item)))).map(Some)
}

/// One envelope of several of one kind: parties and references of all, the number if it is that of all, and the facts
/// of each under `documents`. One alone is itself.
fn combine(envelopes: impl Iterator<Item = Result<Envelope, DocumentError>>) -> Result<Envelope, DocumentError> {
    let mut all = Vec::new();
    for envelope in envelopes {
        if all.len() == MAX_DOCUMENTS {
            return Err(DocumentError::LimitExceeded { what: "documents in a list", limit: MAX_DOCUMENTS });
        }
        all.push(envelope?);
    }
    let mut all = all.into_iter();
    let Some(mut whole) = all.next() else {
        return Err(DocumentError::MissingField { field: Field::Named("document of the list") });
    };
    if all.len() == 0 {
        return Ok(whole);
    }
    let mut documents = vec![shown(&mut whole)];
    for mut other in all {
        documents.push(shown(&mut other));
        if whole.number != other.number {
            whole.number = None;
        }
        if whole.issue_date != other.issue_date {
            whole.issue_date = None;
        }
        other.parties.into_iter().for_each(|party| whole.party(party.role, party.name, party.id));
        other.references.into_iter().for_each(|reference| whole.refer(reference.kind, Some(reference.number)));
        if whole.warnings.len() <= MAX_WARNINGS {
            whole.warnings.append(&mut other.warnings);
        }
    }
    whole.facts.set("document_count", documents.len());
    whole.facts.set("documents", documents);
    Ok(whole)
}

/// The facts of one of several, behind its number and date.
fn shown(envelope: &mut Envelope) -> Record {
    let facts = std::mem::take(&mut envelope.facts);
    let head = Record::default().with("number", envelope.number.clone()).with("issue_date", envelope.issue_date);
    facts.iter().fold(head, |record, (name, fact)| record.with(name, fact.clone()))
}

/// Whether it is what an interface answers to a failed request, of any version.
fn is_error_body(json: &Json) -> bool {
    has(json, &["httpMethod"]) && has_any(json, &["statusCode", "errors", "requestUri"])
        || has(json, &["errors"]) && has_any(json, &["statusCode", "statusCodeText", "errorDateTime", "httpRequest"])
}

/// The refusal of two values for one thing.
fn contradiction(field: &'static str, first: &str, second: &str) -> DocumentError {
    DocumentError::ContradictoryField {
        field: Field::Named(field),
        first: Excerpt::of(first),
        second: Excerpt::of(second),
    }
}
