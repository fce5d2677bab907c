//! The HTTP API: chain paths, the questions of contracts and native modules mounted from their own descriptions, events as a
//! stream, proofs, one OpenAPI document.
//!
//! Where to look: `server` connections and TLS · `leftover` bodies nobody read · `identity` who asks · `policy` who may see what · `catalog` what contracts there
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
mod leftover;
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

use axum::body::Body;
use axum::extract::{FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use futures::StreamExt;
use serde::de::DeserializeOwned;
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

/// What a request is told for which there is no place to wait.
const TOO_MANY_WAIT: &str = "too many requests wait for transactions or blocks; ask again in a moment";

/// Starts to serve; returns when it listens.
///
/// # Errors
/// The address or the TLS files can't be used.
pub async fn start(handle: NodeHandle, config: &config::Api) -> Result<Server, ApiError> {
    let (stop, stopping) = watch::channel(false);
    Server::start(router(Api::new(handle, stopping)), config, stop).await
}

/// The chain's own paths, each with its handler; `openapi` describes the same. Nothing is nested: signatures are over the whole
/// path. Every handler asks `policy` by its [`Identity`].
fn routes() -> [(&'static str, MethodRouter<Shared>); 18] {
    [
        ("/healthz", get(healthz)),
        ("/readyz", get(readyz)),
        ("/metrics", get(metrics)),
        ("/openapi.json", get(openapi::document)),
        ("/v1/status", get(status::status)),
        ("/v1/blocks", get(blocks::list)),
        ("/v1/blocks/{height}", get(blocks::show)),
        ("/v1/blocks/{height}/outcomes", get(blocks::outcomes)),
        ("/v1/transactions", post(transactions::submit)),
        ("/v1/transactions/batch", post(transactions::submit_batch)),
        ("/v1/transactions/{id}", get(transactions::show)),
        ("/v1/agenda", get(agenda::list)),
        ("/v1/contracts", get(contracts::list)),
        ("/v1/contracts/{name}", get(contracts::show)),
        ("/v1/contracts/{name}/metadata", get(contracts::metadata)),
        ("/v1/contracts/{name}/query", post(questions::ask)),
        ("/v1/state/{contract}/{key}", get(contracts::state)),
        ("/v1/events", get(events::stream)),
    ]
}

/// The chain's paths; everything else below `/v1` is looked for among the contracts' questions.
fn router(api: Shared) -> Router {
    let router = routes().into_iter().fold(Router::new(), |router, (path, handler)| router.route(path, handler));
    router
        .fallback(questions::mounted)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(bounded_in_time))
        .with_state(api)
}

async fn healthz(identity: Identity) -> Answer<Response> {
    identity.may_see(&Resource::Probe)?;
    Ok(Json(json!({ "alive": true })).into_response())
}

async fn readyz(State(api): State<Shared>, identity: Identity) -> Answer<Response> {
    identity.may_see(&Resource::Probe)?;
    let readiness = api.handle.readiness();
    if readiness.ready {
        return Ok(Json(json!({ "ready": true, "reason": null })).into_response());
    }
    let (power, total) = (readiness.power, readiness.total);
    let detail =
        format!("validators with {power} of {total} voting power are connected; more than two thirds are needed");
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail.clone());
    Err(problem.with("ready", false).with("reason", detail))
}

async fn metrics(State(api): State<Shared>, identity: Identity) -> Answer<Response> {
    identity.may_see(&Resource::Metrics)?;
    // A node that just started has a height before its next block.
    metrics::gauge!("portolan_height").set(api.handle.tip().head.header.height.0 as f64);
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

    /// A request's body of at most `most` bytes, as it was signed; room for it is taken before it is read.
    async fn body(&self, identity: &Identity, request: Request, most: usize) -> Answer<Vec<u8>> {
        let claimed = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let claimed = claimed.and_then(|length| length.parse::<usize>().ok());
        if claimed.is_some_and(|length| length > most) {
            return Err(too_large(most));
        }
        let kib = claimed.unwrap_or(most).div_ceil(1024) as u32;
        let _room = self
            .bodies
            .try_acquire_many(kib)
            .map_err(|_| Problem::busy("too many bodies come in; send again in a moment"))?;
        let read = tokio::time::timeout(limits::BODY_TIMEOUT, collected(request.into_body(), most)).await;
        let bytes = read.unwrap_or_else(|_| {
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "slow_body", "the body came too slowly; send it again"))
        })?;
        identity.check_body(&bytes)?;
        Ok(bytes)
    }
}

fn too_large(most: usize) -> Problem {
    let detail = format!("the body is longer than {most} bytes; send less at once");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}

/// The body, if it ends within `most` bytes: a length that nobody claimed is met only here.
async fn collected(body: Body, most: usize) -> Answer<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece =
            piece.map_err(|_| Problem::bad("body_cut_short", "the body ended before its length; send it again"))?;
        if piece.len() > most - bytes.len() {
            return Err(too_large(most));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// The parameters of a chain's path; wrong ones are a problem as everything else is.
struct Path<T>(T);

impl<T: DeserializeOwned + Send> FromRequestParts<Shared> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Answer<Self> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, api).await;
        read.map(|axum::extract::Path(read)| Self(read)).map_err(|error| Problem::bad("bad_path", error.body_text()))
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
        return Err(bad_parameter(name, format!("`{name}` is there twice")));
    }
    text.parse().map(Some).map_err(|error| bad_parameter(name, format!("`{name}`: {error}")))
}

/// Entries of a page, by `limit`.
fn page(pairs: &[(String, String)]) -> Answer<u64> {
    Ok(parameter::<u64>(pairs, "limit")?.unwrap_or(limits::DEFAULT_PAGE).clamp(1, limits::MAX_PAGE))
}

fn bad_parameter(name: &str, detail: impl Into<String>) -> Problem {
    Problem::bad("bad_parameter", detail).with("parameter", name)
}

fn unknown_parameter(name: &str, known: &[&str]) -> Problem {
    let name: String = name.chars().take(100).collect();
    let takes = if known.is_empty() { "no parameters".into() } else { known.join(", ") };
    let detail = format!("`{name}` is unknown here; this path takes {takes}");
    Problem::bad("unknown_parameter", detail).with("parameter", name)
}

/// Refuses parameters that the path does not know, so that a typo does not go unnoticed.
fn only(pairs: &[(String, String)], known: &[&str]) -> Answer<()> {
    match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, _)) => Err(unknown_parameter(name, known)),
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
