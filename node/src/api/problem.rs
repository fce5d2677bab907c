//! Refusals as RFC 9457 documents with a stable `code`. Must never show what only the operator may know: faults of the host are
//! logged, and told without their cause.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portolan_replica::Refusal as PoolRefusal;
use portolan_runtime::Refusal;
use serde_json::{Map, Value, json};

use crate::handle::{ReadError, SubmitError};

/// Media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Every code of the API itself, with what it says. Beside them there are `contract::Variant`, a contract's or native module's
/// own refusal, as its description names it.
pub const CODES: &[(&str, &str)] = &[
    ("account_closed", "The sender's account is closed."),
    ("already_final", "A block has the transaction."),
    ("already_pending", "The transaction waits for its block already."),
    ("altered_body", "The body is not the one that was signed."),
    ("bad_argument", "An argument of the question is wrong or missing; `parameter` names it."),
    ("bad_event_id", "Last-Event-ID is no event's id."),
    ("bad_height", "The height in the path is none."),
    ("bad_id", "The id in the path is no transaction's."),
    ("bad_key", "The key in the path is none."),
    ("bad_parameter", "A parameter is wrong or there twice; `parameter` names it."),
    ("bad_path", "The path is no text."),
    ("bad_query_string", "What comes after `?` can't be read."),
    ("bad_signature", "A signature is not that key's over this."),
    ("block_full", "No room in a block for as much."),
    ("block_pruned", "The block is pruned; `blocks_from` is the lowest height that the node keeps."),
    ("body_cut_short", "The body ended before its length."),
    ("busy", "The node has too much to do; ask again in a moment."),
    ("expired", "The transaction's time is over."),
    ("gas_above_limit", "The transaction wants more gas than one may have."),
    ("gas_below_base", "The transaction's gas does not pay for its own bytes and signatures."),
    ("height_pruned", "The state at that height is no longer kept."),
    ("host_failed", "A fault of the node itself; its log names the cause."),
    ("input_too_long", "The message of a call is too long."),
    ("key_not_valid", "The key is revoked, expired or not yet valid."),
    ("malformed_batch", "The body is no list of transactions."),
    ("malformed_signature", "A header of the signed request is missing or wrong."),
    ("malformed_transaction", "The body is no transaction."),
    ("member_not_active", "The member may not act."),
    ("mempool_full", "Too many transactions wait."),
    ("method_not_allowed", "The path does not take this method."),
    ("no_approver_of_sender", "No approver is of the sender's member."),
    ("not_certified", "Nothing is proved of genesis."),
    ("not_identified", "This is for readers who say who they are."),
    ("not_of_account", "The key's person does not act for the account."),
    ("not_party", "This is for its parties."),
    ("not_ready", "The node does not take part in the network; `reason` says why."),
    ("other_chain", "The transaction is of another chain."),
    ("out_of_gas", "The question is too much work."),
    ("person_not_active", "The approver's person may not act."),
    ("quota_exceeded", "The member has used up what it may use for now."),
    ("slow_body", "The body came too slowly."),
    ("stale_signature", "The signed request's time is too far from the node's."),
    ("stopping", "The node is stopping."),
    ("timeout", "The answer took too long."),
    ("too_far_in_future", "The transaction expires too late."),
    ("too_large", "More bytes or items than are taken at once."),
    ("too_many_handovers", "The validators changed too often for one proof."),
    ("too_many_keys", "The question read more keys than one proof has."),
    ("too_many_variants", "The transaction waits with other signatures already."),
    ("trapped", "The contract failed at the question."),
    ("undescribed_answer", "The contract's answer is not what its description says."),
    ("undescribed_contract", "The contract says nothing about itself."),
    ("unknown_account", "The sender's account is not registered."),
    ("unknown_contract", "There is no such contract."),
    ("unknown_height", "There is no such height yet."),
    ("unknown_key", "An approver's key is not registered."),
    ("unknown_parameter", "The path does not take this parameter; `parameter` names it."),
    ("unknown_path", "There is nothing under this path."),
    ("unknown_reader", "The reader's account or key is not registered."),
    ("wrong_key_purpose", "The key is not one of a person."),
];

/// Result of a request.
pub type Answer<T> = Result<T, Problem>;

/// Why a request got no answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// A stable word for programs.
    pub code: Cow<'static, str>,
    /// What happened and what to do.
    pub detail: String,
    /// Further members of the document.
    pub more: Map<String, Value>,
}

impl Problem {
    /// A problem with a code of its own.
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { status, code: code.into(), detail: detail.into(), more: Map::new() }
    }

    /// The request is not understood.
    pub fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// There is no such thing.
    pub fn missing(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// The node can't serve this now.
    pub fn busy(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
    }

    /// A fault of the node; the cause goes to its log.
    pub fn host(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request could not be answered");
        let detail = "the node can't answer this because of a fault of its own; its log names the cause";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "host_failed", detail)
    }

    /// With one more member.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.into(), value.into());
        self
    }

    /// The document.
    pub fn document(&self) -> Value {
        let title = self.status.canonical_reason().unwrap_or("Refused");
        let mut document = self.more.clone();
        document.insert("type".into(), json!("about:blank"));
        document.insert("title".into(), json!(title));
        document.insert("status".into(), json!(self.status.as_u16()));
        document.insert("code".into(), json!(self.code));
        document.insert("detail".into(), json!(self.detail));
        Value::Object(document)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.document().to_string()).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::Pruned { .. } => Self::new(StatusCode::GONE, "height_pruned", error.to_string()),
            ReadError::BlockPruned { lowest, .. } => {
                Self::new(StatusCode::GONE, "block_pruned", error.to_string()).with("blocks_from", lowest.0)
            }
            ReadError::Unknown { .. } => Self::missing("unknown_height", error.to_string()),
            ReadError::Busy => Self::busy(error.to_string()),
            ReadError::Stopping => Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", error.to_string()),
            ReadError::Host(cause) => Self::host(cause),
        }
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match &error {
            SubmitError::Host(cause) => Self::host(cause),
            SubmitError::Refused(refusal) => Self::new(status_of(refusal), error.code(), error.to_string()),
            SubmitError::Mempool(PoolRefusal::TooLarge) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, error.code(), error.to_string())
            }
            SubmitError::Mempool(PoolRefusal::Expired) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.code(), error.to_string())
            }
            SubmitError::Mempool(PoolRefusal::AlreadyPending | PoolRefusal::TooManyVariants) => {
                Self::new(StatusCode::CONFLICT, error.code(), error.to_string())
            }
            SubmitError::Mempool(_) => Self::new(StatusCode::TOO_MANY_REQUESTS, error.code(), error.to_string()),
            SubmitError::Busy | SubmitError::Stopping => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), error.to_string())
            }
        }
    }
}

/// Status of a refused transaction: 400 what no chain would read, 409 what ran, 403 what lacks authority, 429 what may go in
/// later, 422 the rest.
fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Malformed(_) => StatusCode::BAD_REQUEST,
        Refusal::Replayed(_) => StatusCode::CONFLICT,
        Refusal::BadSignature
        | Refusal::WrongPurpose(_)
        | Refusal::KeyNotValid(_)
        | Refusal::PersonNotActive(_)
        | Refusal::MemberNotActive(_)
        | Refusal::NoApproverOfSender => StatusCode::FORBIDDEN,
        Refusal::Quota(_) | Refusal::BlockFull(_) => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// Status of a contract's own refusal `contract::Variant`, by the variant's name: 404 for `Unknown…`, 403 for `NotParty`,
/// 422 for all others.
pub fn status_of_code(code: &str) -> StatusCode {
    let variant = code.rsplit("::").next().unwrap_or(code);
    match variant {
        "NotParty" => StatusCode::FORBIDDEN,
        _ if variant.starts_with("Unknown") => StatusCode::NOT_FOUND,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portolan_primitives::Height;

    #[test]
    fn a_problem_is_a_document_with_its_code_and_more() {
        let problem = Problem::missing("unknown_height", "there is no height 9 yet").with("tip", 8);
        assert_eq!(
            problem.document(),
            json!({
                "type": "about:blank", "title": "Not Found", "status": 404, "code": "unknown_height",
                "detail": "there is no height 9 yet", "tip": 8,
            })
        );
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
    }

    #[test]
    fn each_code_is_listed_once_in_its_order() {
        assert!(CODES.is_sorted_by(|(one, _), (next, _)| one < next));
    }

    #[test]
    fn what_the_host_failed_at_stays_in_the_log() {
        let problem = Problem::from(ReadError::Host("/secret/path: I/O error".into()));
        assert_eq!(problem.code, "host_failed");
        assert!(!problem.detail.contains("secret"));
    }

    #[test]
    fn read_errors_say_whether_to_ask_again() {
        let pruned = ReadError::Pruned { height: Height(1), oldest: Height(5) };
        assert_eq!(Problem::from(pruned).status, StatusCode::GONE);
        assert_eq!(Problem::from(ReadError::Busy).into_response().headers()[header::RETRY_AFTER], "1");
    }

    #[test]
    fn refused_transactions_have_a_status_for_programs() {
        let status = |refusal| Problem::from(SubmitError::Refused(refusal)).status.as_u16();
        assert_eq!(status(Refusal::BadSignature), 403);
        assert_eq!(status(Refusal::Expired), 422);
        assert_eq!(status(Refusal::Quota(portolan_runtime::Bound::Gas)), 429);
        assert_eq!(status(Refusal::Replayed(Default::default())), 409);
        assert_eq!(Problem::from(SubmitError::Mempool(PoolRefusal::Full)).status.as_u16(), 429);
        assert_eq!(Problem::from(SubmitError::Busy).status.as_u16(), 503);
    }

    #[test]
    fn a_contracts_refusal_has_a_status_by_its_name_alone() {
        assert_eq!(status_of_code("anything::UnknownThing").as_u16(), 404);
        assert_eq!(status_of_code("anything::NotParty").as_u16(), 403);
        assert_eq!(status_of_code("anything::OverSplit").as_u16(), 422);
    }
}
