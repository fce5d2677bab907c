//! Messages about a transport document or a booking: its issuance, its surrender, the answers to them, notifications,
//! changes of status, and remarks.

use super::super::envelope::{Envelope, Record};
use super::super::error::DocumentError;
use super::super::fields::{
    code, needed, object, objects, required, required_moment, required_object, set, set_list, text, texts,
};
use super::super::json::Json;
use super::pint;
use super::transport::{document, feedbacks, instructions};
use super::{booking, chain, party};

/// Reads a request to issue a bill of lading to a holder on a platform.
///
/// # Errors
/// `MissingField` without the document or whom it is issued to; as [`document`].
pub fn issuance_request(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    document(required_object(json, "document", "transport document")?, envelope)?;
    let issue_to = required_object(json, "issueTo", "party it is issued to")?;
    party::party("issue_to", issue_to, envelope)?;
    if let Some(platform) = needed(issue_to, &["sendToPlatform"], "platform it is issued on")? {
        envelope.facts.set("platform", platform);
    }
    if let Some(replaced) = object(json, "transportDocumentReplacements", "replaced documents")? {
        for (list, kind) in [
            ("oldTransportDocumentReferences", "replaced_transport_document"),
            ("newTransportDocumentReferences", "replacing_transport_document"),
        ] {
            for one in objects(replaced, list, "replaced documents")? {
                envelope.refer(kind, needed(one, &["transportDocumentReference"], "transport document reference")?);
            }
        }
    }
    if let Some(shown) = object(json, "eBLVisualisationByCarrier", "visualisation")? {
        let mut facts = Record::default();
        set(shown, &[("name", &["name"]), ("type", &["contentType"])], &mut facts)?;
        envelope.facts.set("visualisation", facts);
    }
    pint::issuance_manifest(json, envelope)
}

/// Reads a platform's answer to a request to issue.
///
/// # Errors
/// `MissingField`, `InvalidField` for another code than ISSU, BREQ and REFU.
pub fn issuance_response(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    envelope.number = Some(required(json, &["transportDocumentReference"], "transport document reference")?);
    let field = "issuance response code";
    let reason = "it is ISSU (issued), BREQ (the request is bad) or REFU (refused)";
    let answer = code(json, &["issuanceResponseCode"], field, &["ISSU", "BREQ", "REFU"], reason)?;
    envelope.facts.set("code", answer.clone());
    envelope.facts.set("issued", answer == "ISSU");
    set(json, &[("sub_reference", &["transportDocumentSubReference"]), ("reason", &["reason"])], &mut envelope.facts)?;
    let mut errors = Vec::new();
    for one in objects(json, "errors", "list of errors")? {
        let mut error = Record::default();
        set(one, &[("code", &["errorCode"]), ("reason", &["reason"])], &mut error)?;
        errors.push(error);
    }
    set_list(&mut envelope.facts, "errors", errors);
    Ok(())
}

/// Reads a request to take a bill back: for delivery of the goods, for amendment, or for a switch to paper.
///
/// # Errors
/// `MissingField`, `InvalidField` for another code; whatever is wrong with the chain.
pub fn surrender_request(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    envelope.number = Some(required(json, &["surrenderRequestReference"], "surrender request reference")?);
    let of = required(json, &["transportDocumentReference"], "transport document reference")?;
    envelope.refer("transport_document", Some(of));
    let asked = code(
        json,
        &["surrenderRequestCode"],
        "surrender request code",
        &["SREQ", "AREQ"],
        "it is SREQ (surrender for delivery) or AREQ (surrender for amendment)",
    )?;
    envelope.facts.set("surrender_for", if asked == "SREQ" { "delivery" } else { "amendment" });
    envelope.facts.set("code", asked);
    if let Some(reason) = needed(json, &["reasonCode"], "reason of the surrender")? {
        envelope.facts.set("reason", reason);
    }
    set(
        json,
        &[("sub_reference", &["transportDocumentSubReference"]), ("comments", &["comments"])],
        &mut envelope.facts,
    )?;
    if let Some(by) = object(json, "surrenderRequestedBy", "party that surrenders")? {
        party::party("surrenderer", by, envelope)?;
    }
    let links = objects(json, "endorsementChain", "endorsement chain")?;
    if !links.is_empty() {
        chain::read(links, envelope)?;
    }
    Ok(())
}

/// Reads a carrier's answer to a surrender.
///
/// # Errors
/// `MissingField`, `InvalidField` for another code than SURR and SREJ.
pub fn surrender_response(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    envelope.number = Some(required(json, &["surrenderRequestReference"], "surrender request reference")?);
    let reason = "it is SURR (surrendered) or SREJ (rejected)";
    let answer = code(json, &["action"], "answer to the surrender", &["SURR", "SREJ"], reason)?;
    envelope.facts.set("surrendered", answer == "SURR");
    envelope.facts.set("code", answer);
    set(json, &[("comments", &["comments"])], &mut envelope.facts)?;
    feedbacks(json, envelope)
}

/// Reads the chain of one transport document.
///
/// # Errors
/// `MissingField` without a reference or an act; whatever is wrong with the chain.
pub fn endorsement_chain(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    envelope.number = Some(required(json, &["transportDocumentReference"], "transport document reference")?);
    envelope.facts.set("sub_reference", text(json, &["transportDocumentSubReference"], "sub-reference")?);
    envelope.party("carrier", None, needed(json, &["carrierSCACCode"], "code of the carrier")?);
    let links = super::super::fields::required_objects(json, "endorsementChain", "endorsement")?;
    chain::read(links, envelope)
}

/// Reads a notification in the form of CloudEvents, with or without the whole document in it.
///
/// # Errors
/// `MissingField` without the status it is about; as the kind of the document inside.
pub fn notification(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let data = required_object(json, "data", "data of the notification")?;
    let field = "data of the notification";
    let whole = |name| object(data, name, field);
    match envelope.kind.as_str() {
        "transport_document_notification" => {
            let amended = whole("amendedTransportDocument")?;
            if let Some(found) = whole("transportDocument")? {
                document(found, envelope)?;
                if let Some(amended) = amended {
                    let mut other = Envelope::new("dcsa", "transport_document");
                    document(amended, &mut other)?;
                    envelope.warnings.append(&mut other.warnings);
                    envelope.facts.set("amended", other.facts);
                }
            } else if let Some(amended) = amended {
                document(amended, envelope)?;
            }
            let of = required(data, &["transportDocumentReference"], "transport document reference")?;
            same(envelope.number.as_deref(), &of)?;
            envelope.number = Some(of);
            envelope
                .facts
                .set("status", required(data, &["transportDocumentStatus"], "status of the transport document")?);
        }
        "booking_notification" => {
            if let Some(found) = match whole("booking")? {
                None => whole("amendedBooking")?,
                found => found,
            } {
                booking::booking(found, envelope)?;
            }
            envelope.number = booking::number(data)?.or(envelope.number.take());
            envelope.facts.set("status", required(data, &["bookingStatus"], "status of the booking")?);
        }
        _ => {
            if let Some(found) = match whole("shippingInstructions")? {
                None => whole("updatedShippingInstructions")?,
                found => found,
            } {
                instructions(found, envelope)?;
            }
            let of = needed(data, &["shippingInstructionsReference"], "shipping instructions reference")?;
            envelope.number = of.or(envelope.number.take());
            let status = required(data, &["shippingInstructionsStatus"], "status of the shipping instructions")?;
            envelope.facts.set("status", status);
        }
    }
    let at = required_moment(json, &["time"], "time of the notification")?;
    envelope.facts.set("notified_at", at.written);
    set(
        data,
        &[
            ("sub_reference", &["transportDocumentSubReference"]),
            ("amendment_status", &["amendedTransportDocumentStatus"]),
            ("amendment_status", &["amendedBookingStatus"]),
            ("updated_status", &["updatedShippingInstructionsStatus"]),
            ("cancellation_status", &["bookingCancellationStatus"]),
            ("reason", &["reason"]),
        ],
        &mut envelope.facts,
    )?;
    let own =
        if envelope.kind.starts_with("transport") { "transportDocumentReference" } else { "carrierBookingReference" };
    party::referred(data, own, envelope)?;
    // The document itself is no reference of its notification.
    let number = envelope.number.clone();
    envelope.references.retain(|reference| Some(&reference.number) != number.as_ref());
    feedbacks(data, envelope)?;
    envelope.refer("subscription", text(json, &["subscriptionReference"], "subscription")?);
    set(
        json,
        &[("notification", &["id"]), ("source", &["source"]), ("event", &["type"]), ("specversion", &["specversion"])],
        &mut envelope.facts,
    )?;
    text(json, &["datacontenttype"], "content type").map(drop)
}

/// Refuses a notification about another document than it carries.
fn same(inside: Option<&str>, named: &str) -> Result<(), DocumentError> {
    match inside {
        Some(inside) if inside != named => Err(super::contradiction("transport document reference", named, inside)),
        _ => Ok(()),
    }
}

/// Reads a change of status, or the reference that an interface gives for what it received.
///
/// # Errors
/// `Template` for a placeholder, since such a message has nothing else; `InvalidField`.
pub fn status(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    for (member, field) in [
        ("transportDocumentReference", "transport document reference"),
        ("shippingInstructionsReference", "shipping instructions reference"),
        ("shippingInstructionReference", "shipping instructions reference"),
        ("carrierBookingReference", "carrier booking reference"),
        ("carrierBookingRequestReference", "carrier booking request reference"),
    ] {
        if let Some(number) = needed(json, &[member], field)? {
            match &envelope.number {
                None => envelope.number = Some(number),
                Some(_) => {
                    envelope.refer(super::super::fields::snake(member.trim_end_matches("Reference")), Some(number))
                }
            }
        }
    }
    for (name, member) in [
        ("status", "transportDocumentStatus"),
        ("status", "shippingInstructionsStatus"),
        ("status", "bookingStatus"),
        ("status", "documentStatus"),
        ("updated_status", "updatedShippingInstructionsStatus"),
        ("amendment_status", "amendedTransportDocumentStatus"),
        ("amendment_status", "amendedBookingStatus"),
        ("cancellation_status", "bookingCancellationStatus"),
    ] {
        if let Some(found) = needed(json, &[member], "status")? {
            envelope.facts.set(name, found);
        }
    }
    set(json, &[("sub_reference", &["transportDocumentSubReference"]), ("reason", &["reason"])], &mut envelope.facts)?;
    feedbacks(json, envelope)
}

/// Reads an answer that holds nothing but remarks.
///
/// # Errors
/// `InvalidField`.
pub fn feedback(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    feedbacks(json, envelope)
}

/// Reads a wrapper around one document of another kind.
///
/// # Errors
/// As the kind.
pub fn wrapped_document(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    document(required_object(json, "transportDocument", "transport document")?, envelope)
}

/// As [`wrapped_document`], for shipping instructions.
///
/// # Errors
/// As the kind.
pub fn wrapped_instructions(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let name = if json.get("shippingInstruction").is_some() { "shippingInstruction" } else { "shippingInstructions" };
    instructions(required_object(json, name, "shipping instructions")?, envelope)
}

/// As [`wrapped_document`], for bookings.
///
/// # Errors
/// As the kind.
pub fn wrapped_booking(json: &Json, envelope: &mut Envelope) -> Result<(), DocumentError> {
    booking::booking(required_object(json, "booking", "booking")?, envelope)
}

/// What an interface says in the body of a failed request.
///
/// # Errors
/// `ErrorBody`, always.
pub fn error_body(json: &Json) -> Result<std::convert::Infallible, DocumentError> {
    let status = match (text(json, &["statusCode"], "status")?, text(json, &["statusCodeText"], "status")?) {
        (Some(code), Some(words)) => format!("{code} {words}"),
        (code, words) => code.or(words).unwrap_or_default(),
    };
    let reason = match text(json, &["statusCodeMessage"], "message")? {
        Some(reason) => reason,
        None => texts_of_errors(json)?,
    };
    let excerpt = super::super::Excerpt::of;
    Err(DocumentError::ErrorBody { status: excerpt(&status), reason: excerpt(&reason) })
}

fn texts_of_errors(json: &Json) -> Result<String, DocumentError> {
    let mut all = Vec::new();
    for one in json.get("errors").map_or(&[][..], Json::items) {
        for member in ["errorCodeText", "errorCodeMessage", "message", "reason"] {
            all.extend(texts(one, member, "message")?);
        }
    }
    Ok(all.join("; "))
}
