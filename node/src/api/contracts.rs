//! Contracts and native modules by their own descriptions, and the state under a key.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use portolan_primitives::{ContractId, Height, hex};
use portolan_sdk::metadata::{ContractMetadata, Message};
use portolan_state::keys;
use scale_info::TypeDef;
use serde_json::{Value, json};

use super::catalog::Contract;
use super::identity::Identity;
use super::policy::Resource;
use super::problem::{Answer, Problem};
use super::questions::found;
use super::{Path, Shared, only, pairs, parameter, proofs};
use crate::values::{Schemas, snake};

/// GET /v1/contracts: all of them.
pub async fn list(State(api): State<Shared>, identity: Identity, uri: Uri) -> Answer<Json<Value>> {
    identity.may_see(&Resource::Descriptions)?;
    only(&pairs(&uri)?, &[])?;
    let catalog = api.catalog(&api.handle.tip()).await?;
    let contracts: Vec<Value> = catalog.contracts().iter().map(|contract| summary(contract)).collect();
    Ok(Json(json!({ "contracts": contracts })))
}

fn summary(contract: &Contract) -> Value {
    json!({
        "name": contract.name,
        "id": contract.id,
        "native": contract.native,
        "version": contract.version,
        "code_hash": (!contract.native).then_some(contract.code),
        "since": contract.since,
        "interface": contract.metadata.as_ref().map(|metadata| metadata.version.clone()),
    })
}

async fn described(api: &Shared, name: &str) -> Answer<(Arc<Contract>, Arc<ContractMetadata>)> {
    let catalog = api.catalog(&api.handle.tip()).await?;
    let contract = found(&catalog, name)?;
    let metadata = contract.metadata.clone();
    let silent = || Problem::missing("undescribed_contract", "the contract says nothing about itself");
    Ok((contract, metadata.ok_or_else(silent)?))
}

/// GET /v1/contracts/{name}: its messages, questions, errors and events.
pub async fn show(
    State(api): State<Shared>,
    Path(name): Path<String>,
    identity: Identity,
    uri: Uri,
) -> Answer<Json<Value>> {
    identity.may_see(&Resource::Descriptions)?;
    only(&pairs(&uri)?, &[])?;
    let (contract, metadata) = described(&api, &name).await?;
    let mut schemas = Schemas::new(&metadata.types, "#/schemas/", "");
    let mut document = summary(&contract);
    document["doc"] = json!(metadata.doc);
    document["calls"] = metadata.calls.iter().map(|call| message(&mut schemas, call, None)).collect();
    document["queries"] =
        metadata.queries.iter().map(|query| message(&mut schemas, &query.message, Some(&query.path))).collect();
    document["errors"] = variants(&metadata, own_error(&metadata));
    document["events"] = variants(&metadata, metadata.event);
    document["schemas"] = schemas.finish();
    Ok(Json(document))
}

fn message(schemas: &mut Schemas<'_>, message: &Message, path: Option<&str>) -> Value {
    let arguments = message.arguments.iter();
    let arguments: Vec<Value> =
        arguments.map(|argument| json!({ "name": argument.name, "schema": schemas.of(argument.ty) })).collect();
    let mut document = json!({
        "name": message.name,
        "index": message.index,
        "doc": message.doc,
        "arguments": arguments,
        "output": schemas.of(message.output),
    });
    if let Some(path) = path {
        document["path"] = json!(format!("/v1{path}"));
    }
    document
}

/// The contract's own error within the standard one.
pub fn own_error(metadata: &ContractMetadata) -> u32 {
    let standard = metadata.types.resolve(metadata.error);
    let own = standard.and_then(|ty| match &ty.type_def {
        TypeDef::Variant(variants) => variants.variants.iter().find(|variant| variant.index == 0)?.fields.first(),
        _ => None,
    });
    own.map_or(metadata.error, |field| field.ty.id)
}

fn variants(metadata: &ContractMetadata, ty: u32) -> Value {
    match metadata.types.resolve(ty).map(|ty| &ty.type_def) {
        Some(TypeDef::Variant(variants)) => {
            let variant = |variant: &scale_info::Variant<scale_info::form::PortableForm>| json!({ "name": variant.name, "in_json": snake(&variant.name), "doc": variant.docs.join(" ").trim() });
            variants.variants.iter().map(variant).collect()
        }
        _ => json!([]),
    }
}

/// GET /v1/contracts/{name}/metadata: the description in SCALE.
pub async fn metadata(
    State(api): State<Shared>,
    Path(name): Path<String>,
    identity: Identity,
    uri: Uri,
) -> Answer<Response> {
    identity.may_see(&Resource::Descriptions)?;
    only(&pairs(&uri)?, &[])?;
    let (_, metadata) = described(&api, &name).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], metadata.to_bytes()).into_response())
}

/// GET /v1/state/{contract}/{key}: the bytes under a key of a contract's storage.
pub async fn state(
    State(api): State<Shared>,
    Path((name, key)): Path<(String, String)>,
    identity: Identity,
    uri: Uri,
) -> Answer<Json<Value>> {
    identity.may_see(&Resource::State)?;
    let pairs = pairs(&uri)?;
    only(&pairs, &["height", "proof"])?;
    let tip = match parameter::<u64>(&pairs, "height")? {
        Some(height) => api.handle.tip_at(Height(height)).await?,
        None => api.handle.tip(),
    };
    let contract = match name.parse::<ContractId>() {
        Ok(id) => id,
        Err(_) => found(&*api.catalog(&tip).await?, &name)?.id,
    };
    let key = hex::decode(&key).filter(|key| key.len() <= portolan_state::limits::MAX_KEY_BYTES / 2);
    let key = key.ok_or_else(|| Problem::bad("bad_key", "a key is at most 512 bytes in hex"))?;
    let key = keys::contract_storage(&contract, &key);
    let (view, wanted) = (tip.view.clone(), key.clone());
    let value = api.handle.read(move |_| Ok(view.get(&wanted)?)).await?;
    let header = &tip.head.header;
    let mut document = json!({
        "key": hex::encode(key.as_bytes()),
        "value": value.map(|value| hex::encode(&value)),
        "height": header.height,
        "state_root": header.state_root,
    });
    if parameter::<bool>(&pairs, "proof")?.unwrap_or(false) {
        document["proof"] = proofs::state(&api, header.height, vec![key]).await?;
    }
    Ok(Json(document))
}
