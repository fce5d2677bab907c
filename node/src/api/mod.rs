//! The HTTP API: chain paths, the questions of contracts and native modules mounted from their own descriptions, events as a
//! stream, proofs, one OpenAPI document.
//!
//! Where to look: `server` connections and TLS · `identity` who asks · `policy` who may see what · `catalog` what contracts there
//! are and which path is whose · `questions` and `arguments` their questions · `blocks`, `transactions`, `events`, `agenda`,
//! `contracts`, `status` the chain's paths · `receipts` outcomes as JSON · `proofs` · `openapi` · `problem` refusals.
//!
//! Must never know what a contract means, and never answer anything that `policy` was not asked about.

mod agenda;
mod arguments;
mod blocks;
mod catalog;
mod contracts;
mod events;
mod identity;
mod limits;
mod openapi;
mod policy;
mod problem;
mod proofs;
mod questions;
mod receipts;
mod server;
mod status;
mod transactions;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use tokio::sync::{Semaphore, watch};

pub use server::{ApiError, Server};

use crate::config;
use crate::handle::{NodeHandle, ReadError};
use catalog::Catalogs;
use identity::Identity;
use policy::Resource;
use problem::{Answer, Problem};
use transactions::Submitted;

/// What all requests share.
pub(crate) struct Api {
    handle: NodeHandle,
    catalogs: Catalogs,
    submitted: Submitted,
    bodies: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
}

type Shared = Arc<Api>;

/// Starts to serve; returns when it listens.
///
/// # Errors
/// The address or the TLS files can't be used.
pub async fn start(handle: NodeHandle, config: &config::Api) -> Result<Server, ApiError> {
    let (stop, stopping) = watch::channel(false);
    Server::start(router(Api::new(handle, stopping)), config, stop).await
}

/// Chain paths; everything else below `/v1` is looked for among the contracts' questions. Nothing is nested: signatures are over
/// the whole path.
fn router(api: Shared) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi::document))
        .route("/v1/status", get(status::status))
        .route("/v1/blocks", get(blocks::list))
        .route("/v1/blocks/{height}", get(blocks::show))
        .route("/v1/transactions", post(transactions::submit))
        .route("/v1/transactions/batch", post(transactions::submit_batch))
        .route("/v1/transactions/{id}", get(transactions::show))
        .route("/v1/agenda", get(agenda::list))
        .route("/v1/contracts", get(contracts::list))
        .route("/v1/contracts/{name}", get(contracts::show))
        .route("/v1/contracts/{name}/metadata", get(contracts::metadata))
        .route("/v1/contracts/{name}/query", post(questions::ask))
        .route("/v1/state/{contract}/{key}", get(contracts::state))
        .route("/v1/events", get(events::stream))
        .fallback(questions::mounted)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(bounded_in_time))
        .with_state(api)
}

async fn healthz() -> Response {
    Json(json!({ "alive": true })).into_response()
}

async fn readyz(State(api): State<Shared>) -> Response {
    let readiness = api.handle.readiness();
    if readiness.ready {
        return Json(json!({ "ready": true, "reason": null })).into_response();
    }
    let (power, total) = (readiness.power, readiness.total);
    let detail =
        format!("validators with {power} of {total} voting power are connected; more than two thirds are needed");
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail.clone());
    problem.with("ready", false).with("reason", detail).into_response()
}

async fn metrics(State(api): State<Shared>, identity: Identity) -> Answer<Response> {
    identity.may_see(&Resource::Metrics)?;
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, api.handle.metrics_text()).into_response())
}

async fn wrong_method() -> Problem {
    let detail = "the path does not take this method; /openapi.json lists what there is";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}

fn unknown_path(path: &str) -> Problem {
    let path: String = path.chars().take(200).collect();
    Problem::missing("unknown_path", format!("there is nothing under `{path}`; /openapi.json lists what there is"))
}

async fn bounded_in_time(request: Request, next: Next) -> Response {
    let started = std::time::Instant::now();
    let answered = tokio::time::timeout(limits::REQUEST_TIMEOUT, next.run(request)).await;
    metrics::histogram!("portolan_api_request_seconds").record(started.elapsed());
    answered.unwrap_or_else(|_| {
        let detail = "the answer took too long; ask for less at once";
        Problem::new(StatusCode::GATEWAY_TIMEOUT, "timeout", detail).into_response()
    })
}

impl Api {
    fn new(handle: NodeHandle, stopping: watch::Receiver<bool>) -> Shared {
        Arc::new(Self {
            handle,
            catalogs: Catalogs::default(),
            submitted: Submitted::default(),
            bodies: Arc::new(Semaphore::new(limits::BODIES_KIB)),
            waiting: Arc::new(Semaphore::new(limits::WAITING_REQUESTS)),
            streams: Arc::new(Semaphore::new(limits::EVENT_STREAMS)),
            stopping,
        })
    }

    /// A request's body of at most `most` bytes; room for it is taken before it is read.
    async fn body(&self, request: Request, most: usize) -> Answer<Bytes> {
        let too_large = || {
            let detail = format!("the body is longer than {most} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
        };
        let claimed = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let claimed = claimed.and_then(|length| length.parse::<usize>().ok());
        if claimed.is_some_and(|length| length > most) {
            return Err(too_large());
        }
        let kib = claimed.unwrap_or(most).div_ceil(1024) as u32;
        let _room = self
            .bodies
            .try_acquire_many(kib)
            .map_err(|_| Problem::busy("too many bodies come in; send again in a moment"))?;
        let body: Body = request.into_body();
        match tokio::time::timeout(limits::BODY_TIMEOUT, axum::body::to_bytes(body, most)).await {
            Ok(Ok(bytes)) => Ok(bytes),
            // Without a claimed length, the bound is met only here.
            Ok(Err(_)) if claimed.is_none() => Err(too_large()),
            Ok(Err(_)) => Err(Problem::bad("body_cut_short", "the body ended before its length; send it again")),
            Err(_) => {
                Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "slow_body", "the body came too slowly; send it again"))
            }
        }
    }
}

/// The pairs of a query string, in order.
fn pairs(uri: &Uri) -> Answer<Vec<(String, String)>> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    pairs.map(|Query(pairs)| pairs).map_err(|error| Problem::bad("bad_query_string", error.to_string()))
}

/// The value of `name`, if it is there; `pairs` may hold nothing but `known`.
fn parameter<T: std::str::FromStr>(pairs: &[(String, String)], name: &str) -> Answer<Option<T>>
where
    T::Err: std::fmt::Display,
{
    let mut found = pairs.iter().filter(|(known, _)| known == name);
    let Some((_, text)) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(Problem::bad("bad_parameter", format!("`{name}` is there twice")));
    }
    text.parse().map(Some).map_err(|error| Problem::bad("bad_parameter", format!("`{name}`: {error}")))
}

/// Refuses parameters that the path does not know, so that a typo does not go unnoticed.
fn only(pairs: &[(String, String)], known: &[&str]) -> Answer<()> {
    match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, _)) if known.is_empty() => {
            Err(Problem::bad("unknown_parameter", format!("`{name}` is unknown here; this path takes no parameters")))
        }
        Some((name, _)) => {
            let detail = format!("`{name}` is unknown here; this path takes {}", known.join(", "));
            Err(Problem::bad("unknown_parameter", detail))
        }
    }
}

/// Returns when the server stops.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error says that the server is gone.
    let _ = stopping.wait_for(|stop| *stop).await;
}

fn from_host(fault: impl std::fmt::Display) -> ReadError {
    ReadError::Host(fault.to_string())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() % 2 != 0 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
