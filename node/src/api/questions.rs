//! Questions to contracts and native modules: as SCALE to any of them, and under the paths that their descriptions name.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use portolan_primitives::{FailureReason, Height, hex};
use portolan_sdk::metadata::Message;
use serde_json::{Value, json};

use super::catalog::{Catalog, Contract};
use super::identity::Identity;
use super::limits::{PATH_SEGMENTS, QUESTION_BODY, QUESTION_GAS};
use super::policy::{Reader, Resource};
use super::problem::{Answer, Problem, status_of_code};
use super::{Path, Shared, arguments, only, pairs, parameter, proofs, receipts, unknown_path, wrong_method};
use crate::handle::Tip;
use crate::values;

/// How a question is to be answered, beside its arguments.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    height: Option<Height>,
    proof: bool,
}

impl Wish {
    /// From the query string; names that `taken` says are arguments of the question.
    fn read(pairs: &[(String, String)], taken: impl Fn(&str) -> bool) -> Answer<Self> {
        let height = if taken("height") { None } else { parameter::<u64>(pairs, "height")?.map(Height) };
        let proof = if taken("proof") { false } else { parameter::<bool>(pairs, "proof")?.unwrap_or(false) };
        Ok(Self { height, proof })
    }
}

/// An answered question.
struct Answered {
    tip: Arc<Tip>,
    output: Vec<u8>,
    proof: Option<Value>,
}

/// POST /v1/contracts/{name}/query: a question in SCALE.
pub async fn ask(
    State(api): State<Shared>,
    Path(name): Path<String>,
    identity: Identity,
    request: Request,
) -> Answer<Response> {
    // Who may not ask at all gets no body read, and is not told which contracts there are.
    identity.may_see(&Resource::Descriptions)?;
    let pairs = pairs(request.uri())?;
    only(&pairs, &arguments::OF_ALL)?;
    let wish = Wish::read(&pairs, |_| false)?;
    let as_json = wish.proof || accepts_json(request.headers());
    let (tip, catalog) = pinned(&api, wish).await?;
    let contract = found(&catalog, &name)?;
    let input = api.body(&identity, request, QUESTION_BODY).await?;
    let question = input.first().copied();
    let answered = answer(&api, &identity, tip, &contract, input, wish).await?;
    if !as_json {
        return Ok(([(header::CONTENT_TYPE, "application/octet-stream")], answered.output).into_response());
    }
    let metadata = contract.metadata.as_ref();
    let asked = metadata.and_then(|metadata| {
        metadata.queries.iter().map(|query| &query.message).find(|message| Some(message.index) == question)
    });
    let output = asked.map(|message| output(&contract, message, &answered.output)).transpose()?;
    let header = &answered.tip.head.header;
    let mut document = json!({
        "output": output,
        "output_scale": hex::encode(&answered.output),
        "height": header.height,
        "state_root": header.state_root,
    });
    if let Some(proof) = answered.proof {
        document["proof"] = proof;
    }
    Ok(Json(document).into_response())
}

/// GET of whatever path a contract's description names.
pub async fn mounted(
    State(api): State<Shared>,
    method: Method,
    uri: Uri,
    identity: Answer<Identity>,
) -> Answer<Response> {
    let path = uri.path().strip_prefix("/v1/").and_then(segments).ok_or_else(|| unknown_path(uri.path()))?;
    let identity = identity?;
    // Before anything is told of which contracts there are.
    identity.may_see(&Resource::Descriptions)?;
    let pairs = pairs(&uri)?;
    let latest = api.handle.tip();
    let catalog = api.catalog(&latest).await?;
    let matched = catalog.matched(&path).ok_or_else(|| unknown_path(uri.path()))?;
    let query = matched.route.query().ok_or_else(|| unknown_path(uri.path()))?;
    if method != Method::GET {
        return Err(wrong_method().await);
    }
    let taken = |name: &str| query.message.arguments.iter().any(|argument| argument.name == name);
    let wish = Wish::read(&pairs, taken)?;
    let (tip, contract) = at_height(&api, latest, &matched.route.contract, wish).await?;
    // An older contract may have had other questions.
    let metadata = contract.metadata.as_ref().ok_or_else(|| unknown_path(uri.path()))?;
    let query =
        metadata.queries.iter().find(|known| known.path == query.path).ok_or_else(|| unknown_path(uri.path()))?;
    let input = arguments::encode(metadata, query, &matched.arguments, &pairs)?;
    let answered = answer(&api, &identity, tip, &contract, input, wish).await?;
    let result = output(&contract, &query.message, &answered.output)?;
    let header = &answered.tip.head.header;
    Ok(match answered.proof {
        None => Json(result).into_response(),
        Some(proof) => {
            let document =
                json!({ "result": result, "height": header.height, "state_root": header.state_root, "proof": proof });
            Json(document).into_response()
        }
    })
}

async fn pinned(api: &Shared, wish: Wish) -> Answer<(Arc<Tip>, Arc<Catalog>)> {
    let tip = match wish.height {
        Some(height) => api.handle.tip_at(height).await?,
        None => api.handle.tip(),
    };
    let catalog = api.catalog(&tip).await?;
    Ok((tip, catalog))
}

async fn at_height(
    api: &Shared,
    latest: Arc<Tip>,
    contract: &Arc<Contract>,
    wish: Wish,
) -> Answer<(Arc<Tip>, Arc<Contract>)> {
    if wish.height.is_none_or(|height| height == latest.head.header.height) {
        return Ok((latest, contract.clone()));
    }
    let (tip, catalog) = pinned(api, wish).await?;
    let then = found(&catalog, &contract.name)?;
    Ok((tip, then))
}

/// The contract with this name or id.
pub fn found(catalog: &Catalog, name: &str) -> Answer<Arc<Contract>> {
    let unknown = || {
        let name: String = name.chars().take(60).collect();
        Problem::missing("unknown_contract", format!("there is no contract `{name}`; /v1/contracts lists them"))
    };
    catalog.find(name).cloned().ok_or_else(unknown)
}

async fn answer(
    api: &Shared,
    identity: &Identity,
    tip: Arc<Tip>,
    contract: &Arc<Contract>,
    input: Vec<u8>,
    wish: Wish,
) -> Answer<Answered> {
    let about_reader = match (&identity.reader, &contract.metadata) {
        (Reader::Account(reader), Some(metadata)) => arguments::is_about(metadata, &input, reader),
        _ => false,
    };
    identity.may_see(&Resource::Question { contract: contract.id, about_reader })?;
    if wish.proof {
        identity.may_see(&Resource::QuestionProof)?;
    }
    let caller = identity.reader.caller().ok_or_else(|| Problem::host("a question was allowed to nobody"))?;
    let outcome = api.handle.query(tip.clone(), contract.id, input, caller, QUESTION_GAS).await?;
    let output = outcome.result.map_err(|reason| refused(contract, &reason))?;
    let proof = match wish.proof {
        true => Some(proofs::state(api, tip.head.header.height, outcome.reads.keys).await?),
        false => None,
    };
    Ok(Answered { tip, output, proof })
}

/// A question without an answer.
fn refused(contract: &Contract, reason: &FailureReason) -> Problem {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    match reason {
        FailureReason::OutOfGas => {
            Problem::new(status, "out_of_gas", "the question is too much work; ask for less at once")
        }
        FailureReason::Trapped => {
            Problem::new(status, "trapped", "the contract failed at this question; tell its authors")
        }
        FailureReason::UnknownContract => {
            Problem::missing("unknown_contract", "there was no such contract at that height")
        }
        FailureReason::Reverted(bytes) => {
            let failure = receipts::failure(Some(contract), reason);
            let text = |name: &str| failure[name].as_str().unwrap_or_default().to_owned();
            let (code, message) = (text("code"), text("message"));
            let problem = Problem::new(status_of_code(&code), code, message);
            problem.with("error", failure["error"].clone()).with("error_scale", hex::encode(bytes))
        }
    }
}

fn output(contract: &Contract, message: &Message, bytes: &[u8]) -> Answer<Value> {
    let metadata = contract.metadata.as_ref();
    let value = metadata.map(|metadata| values::decode(&metadata.types, message.output, bytes));
    value.and_then(Result::ok).ok_or_else(|| {
        let detail = "the answer is not what the contract's description says; POST the question for its bytes, and tell the contract's authors";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "undescribed_answer", detail)
    })
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json"))
}

/// The decoded segments of a path; `None` if it can be nobody's.
fn segments(path: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = path.split('/').collect();
    // Two segments may be one account's name.
    if parts.len() > 2 * PATH_SEGMENTS {
        return None;
    }
    parts.into_iter().map(decoded).collect()
}

/// A segment without its percent signs.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            bytes.extend(hex::decode(std::str::from_utf8(digits).ok()?)?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_one_by_one() {
        assert_eq!(segments("accounts/harbour-bank%2Fmain"), Some(vec!["accounts".into(), "harbour-bank/main".into()]));
        assert_eq!(segments("a%2"), None);
        assert_eq!(segments("a%zz"), None);
        assert_eq!(segments("a%ff"), None);
        assert_eq!(segments(&"a/".repeat(100)), None);
    }

    #[test]
    fn json_is_for_who_asks_for_it() {
        let headers = |text: &str| HeaderMap::from_iter([(header::ACCEPT, text.parse().unwrap())]);
        assert!(accepts_json(&headers("text/html, application/json;q=0.9")));
        assert!(!accepts_json(&headers("application/octet-stream")));
        assert!(!accepts_json(&HeaderMap::new()));
    }
}
