//! The OpenAPI 3.1 document: the chain's paths, and every question of the last block's contracts with the schemas of its
//! description. Made when it is first asked for after a contract changed.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use portolan_sdk::metadata::ContractMetadata;
use scale_info::TypeDef;
use serde_json::{Map, Value, json};

use super::Shared;
use super::arguments::form_of_name;
use super::catalog::{Catalog, Route};
use super::contracts::own_error;
use super::identity::Identity;
use super::limits::{DEFAULT_PAGE, MAX_PAGE, MAX_WAIT_MS};
use super::policy::Resource;
use super::problem::{Answer, CODES, Problem, status_of_code};
use crate::values::Schemas;

const SCHEMAS: &str = "#/components/schemas/";

/// GET /openapi.json.
pub async fn document(State(api): State<Shared>, identity: Identity) -> Answer<Response> {
    identity.may_see(&Resource::Probe)?;
    let catalog = api.catalog(&api.handle.tip()).await?;
    let bytes = match catalog.openapi.get() {
        Some(bytes) => bytes.clone(),
        None => {
            let making = catalog.clone();
            let made = tokio::task::spawn_blocking(move || Bytes::from(of(&making).to_string()));
            let made = made.await.map_err(Problem::host)?;
            catalog.openapi.get_or_init(|| made).clone()
        }
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// The document of these contracts.
pub fn of(catalog: &Catalog) -> Value {
    let mut paths = of_chain();
    let mut schemas = own_schemas();
    for route in catalog.routes() {
        let path = format!("/v1{}", route.path());
        if let Some(operation) = of_question(route, &mut schemas) {
            // The chain's own paths come first.
            paths.entry(path).or_insert_with(|| json!({ "get": operation }));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portolan node",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Chain paths, and the questions of the contracts that are deployed. A reader is the operator (on the node's own machine) or an account that signs its requests.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [
            {},
            { "account": [], "key": [], "time": [], "signature": [] },
            { "account": [], "key": [], "time": [], "body": [], "signature": [] },
        ],
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": security_schemes() },
    })
}

fn of_question(route: &Route, schemas: &mut Map<String, Value>) -> Option<Value> {
    let (query, metadata) = (route.query()?, route.contract.metadata.as_ref()?);
    let prefix = format!("{}.", route.contract.name);
    let mut of_types = Schemas::new(&metadata.types, SCHEMAS, &prefix);
    let in_path: Vec<&str> = route.arguments().collect();
    let mut parameters = Vec::new();
    for argument in &query.message.arguments {
        let mut schema = of_types.of(argument.ty);
        let is_option = schema.get("anyOf").is_some();
        if let Some(form) = form_of_name(&metadata.types, argument.ty) {
            schema = json!({ "type": "string", "description": form });
        }
        if argument.name == "limit" {
            schema["default"] = json!(DEFAULT_PAGE);
        }
        let at = if in_path.contains(&argument.name.as_str()) { "path" } else { "query" };
        let required = at == "path" || !(is_option || argument.name == "limit");
        parameters.push(json!({ "name": argument.name, "in": at, "required": required, "schema": schema }));
    }
    for (name, kind) in [("height", "integer"), ("proof", "boolean")] {
        if query.message.arguments.iter().all(|argument| argument.name != name) {
            parameters.push(parameter(name, kind));
        }
    }
    let output = of_types.of(query.message.output);
    let Value::Object(made) = of_types.finish() else { return None };
    schemas.extend(made);
    Some(json!({
        "operationId": format!("{}.{}", route.contract.name, query.message.name),
        "tags": [route.contract.name],
        "summary": query.message.doc,
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "The answer; with `proof=true` it is `result` beside `height`, `state_root` and `proof`.",
                "content": { "application/json": { "schema": { "anyOf": [output.clone(), proved(output)] } } },
            },
            "default": problem_of(route, metadata),
        },
    }))
}

/// Refusals of a question: the API's own, and those that the contract's description names.
fn problem_of(route: &Route, metadata: &ContractMetadata) -> Value {
    let mut problem = problem();
    let variants = match metadata.types.resolve(own_error(metadata)).map(|ty| &ty.type_def) {
        Some(TypeDef::Variant(variants)) => variants.variants.as_slice(),
        _ => &[],
    };
    let codes = variants.iter().map(|variant| {
        let code = format!("{}::{}", route.contract.name, variant.name);
        let words = variant.docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        json!({ "code": code, "status": status_of_code(&code).as_u16(), "description": words.trim() })
    });
    problem["x-contract-codes"] = codes.collect();
    problem
}

fn proved(result: Value) -> Value {
    json!({
        "type": "object",
        "properties": {
            "result": result,
            "height": { "type": "integer", "minimum": 0 },
            "state_root": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
            "proof": { "$ref": format!("{SCHEMAS}Proof") },
        },
        "required": ["result", "height", "state_root", "proof"],
    })
}

fn problem() -> Value {
    json!({
        "description": "Refused, with a stable code.",
        "content": { "application/problem+json": { "schema": { "$ref": format!("{SCHEMAS}Problem") } } },
    })
}

fn parameter(name: &str, kind: &str) -> Value {
    let schema = match (name, kind) {
        ("limit", _) => {
            json!({ "type": "integer", "minimum": 0, "default": DEFAULT_PAGE, "description": format!("at most {MAX_PAGE} are given") })
        }
        ("wait_ms", _) => {
            json!({ "type": "integer", "minimum": 0, "default": 0, "description": format!("at most {MAX_WAIT_MS}") })
        }
        (_, "integer") => json!({ "type": "integer", "minimum": 0 }),
        (_, "date") => json!({ "type": "string", "format": "date" }),
        (_, kind) => json!({ "type": kind }),
    };
    json!({ "name": name, "in": "query", "required": false, "schema": schema })
}

fn own_schemas() -> Map<String, Value> {
    let text = || json!({ "type": "string" });
    let codes: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
    let words: Vec<String> = CODES.iter().map(|(code, words)| format!("`{code}`: {words}")).collect();
    let words = words.join("\n");
    let schemas = json!({
        "Problem": {
            "type": "object",
            "properties": {
                "type": text(),
                "title": text(),
                "status": { "type": "integer", "minimum": 400, "maximum": 599 },
                "code": {
                    "anyOf": [
                        { "type": "string", "enum": codes, "description": words },
                        { "type": "string", "pattern": "^[a-z0-9-]+::[A-Za-z0-9]+$", "description": "A contract's own refusal." },
                    ],
                },
                "detail": text(),
                "parameter": { "type": "string", "description": "The parameter that is wrong, where one is." },
            },
            "required": ["type", "title", "status", "code", "detail"],
        },
        "Proof": {
            "type": "object",
            "properties": { "format": text(), "scale": { "type": "string", "pattern": "^([0-9a-f]{2})*$" } },
            "required": ["format", "scale"],
        },
        "Object": { "type": "object" },
    });
    match schemas {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    }
}

fn security_schemes() -> Value {
    let field =
        |name: &str, words: &str| json!({ "type": "apiKey", "in": "header", "name": name, "description": words });
    json!({
        "account": field("Portolan-Account", "The account that reads, acct1…"),
        "key": field("Portolan-Key", "The user key that signs, key1…"),
        "time": field("Portolan-Time", "Milliseconds since 1970, at most a minute from the node's"),
        "signature": field(
            "Portolan-Signature",
            "64 bytes in hex over `portolan 2026 signed request v1`, a zero byte, and the SCALE of (chain, method, path and query, time, account, BLAKE3 of the body)",
        ),
        "body": field("Portolan-Body", "BLAKE3 of the body in hex; left out where there is no body"),
    })
}

/// One path of the chain: method, path, words, query parameters, media types of body and answer.
struct ChainPath(
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    Option<&'static str>,
    &'static str,
);

const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";

const CHAIN_PATHS: &[ChainPath] = &[
    ChainPath("get", "/healthz", "Whether the process answers.", &[], None, JSON),
    ChainPath("get", "/readyz", "Whether the node takes part in the network.", &[], None, JSON),
    ChainPath("get", "/metrics", "Counters of the node, for Prometheus.", &[], None, "text/plain"),
    ChainPath("get", "/openapi.json", "This document.", &[], None, JSON),
    ChainPath("get", "/v1/status", "How the network and the node are.", &[], None, JSON),
    ChainPath(
        "get",
        "/v1/blocks",
        "Headers, newest first.",
        &[("before", "integer"), ("limit", "integer")],
        None,
        JSON,
    ),
    ChainPath("get", "/v1/blocks/{height}", "A block with its outcomes; `latest` for the newest.", &[], None, JSON),
    ChainPath(
        "get",
        "/v1/blocks/{height}/outcomes",
        "Ids of a block's transactions that succeeded and that failed; with `wait_ms` as soon as there is such a block.",
        &[("wait_ms", "integer")],
        None,
        JSON,
    ),
    ChainPath("post", "/v1/transactions", "Hands in a transaction in SCALE.", &[], Some(BYTES), JSON),
    ChainPath(
        "post",
        "/v1/transactions/batch",
        "Hands in many transactions, a SCALE list of each one's SCALE.",
        &[],
        Some(BYTES),
        JSON,
    ),
    ChainPath(
        "get",
        "/v1/transactions/{id}",
        "Where a transaction stands; with `wait_ms` as soon as it is final.",
        &[("wait_ms", "integer"), ("proof", "boolean")],
        None,
        JSON,
    ),
    ChainPath(
        "get",
        "/v1/agenda",
        "What falls due, in the order in which it runs.",
        &[("from", "date"), ("limit", "integer"), ("cursor", "string")],
        None,
        JSON,
    ),
    ChainPath("get", "/v1/contracts", "All contracts and native modules.", &[], None, JSON),
    ChainPath("get", "/v1/contracts/{name}", "A contract's messages, questions, errors and events.", &[], None, JSON),
    ChainPath("get", "/v1/contracts/{name}/metadata", "A contract's description in SCALE.", &[], None, BYTES),
    ChainPath(
        "post",
        "/v1/contracts/{name}/query",
        "Asks a contract in SCALE; answers SCALE, or JSON where that is accepted.",
        &[("height", "integer"), ("proof", "boolean")],
        Some(BYTES),
        BYTES,
    ),
    ChainPath(
        "get",
        "/v1/state/{contract}/{key}",
        "The bytes under a key of a contract's storage.",
        &[("height", "integer"), ("proof", "boolean")],
        None,
        JSON,
    ),
    ChainPath(
        "get",
        "/v1/events",
        "What contracts make known, as server-sent events; resumes by Last-Event-ID.",
        &[("from_height", "integer"), ("contract", "string")],
        None,
        "text/event-stream",
    ),
];

fn of_chain() -> Map<String, Value> {
    let mut paths = Map::new();
    for ChainPath(method, path, words, query, body, answer) in CHAIN_PATHS {
        let in_path = path.split('/').filter_map(|word| word.strip_prefix('{')?.strip_suffix('}'));
        let in_path =
            in_path.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
        let in_query = query.iter().map(|(name, kind)| parameter(name, kind));
        let schema = if *answer == JSON { json!({ "$ref": format!("{SCHEMAS}Object") }) } else { json!({}) };
        let mut operation = json!({
            "operationId": format!("{method}{}", path.replace(['/', '{', '}', '.'], "_")),
            "tags": ["chain"],
            "summary": words,
            "parameters": in_path.chain(in_query).collect::<Vec<_>>(),
            "responses": {
                "200": { "description": "The answer.", "content": { (*answer): { "schema": schema } } },
                "default": problem(),
            },
        });
        if *path == "/v1/transactions" {
            operation["responses"]["202"] = json!({
                "description": "Taken; it waits for its block.",
                "content": { JSON: { "schema": { "$ref": format!("{SCHEMAS}Object") } } },
            });
        }
        if *path == "/v1/events" {
            let last = json!({
                "name": "Last-Event-ID", "in": "header", "required": false, "description": "Goes on after this event.",
                "schema": { "type": "string", "pattern": "^[0-9]+:[0-9]+$" },
            });
            if let Some(parameters) = operation["parameters"].as_array_mut() {
                parameters.push(last);
            }
        }
        if let Some(kind) = body {
            operation["requestBody"] = json!({ "required": true, "content": { (*kind): { "schema": {} } } });
        }
        paths.insert((*path).into(), json!({ (*method): operation }));
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_is_served_is_what_is_described() {
        let served: BTreeSet<&str> = super::super::routes().iter().map(|(path, _)| *path).collect();
        let described: BTreeSet<&str> = CHAIN_PATHS.iter().map(|path| path.1).collect();
        assert_eq!(served, described);
    }
}
