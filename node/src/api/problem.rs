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
