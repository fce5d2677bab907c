//! What the OpenAPI document says is what a running node does: each path is asked, and each answer looked at by its schema.

use portolan_runtime::native::Native;
use serde_json::{Value, json};

use super::contract;
use super::world::{BANK, CARRIER, World, from};

/// Values for the parameters that a path needs, by their names.
fn example(path: &str, name: &str, world: &Value) -> String {
    let text = match (path, name) {
        (_, "member") => CARRIER,
        (_, "account") => "cargo-line/admin",
        ("/v1/blocks/{height}" | "/v1/blocks/{height}/outcomes", "height") => "latest",
        (_, "wait_ms") => "1",
        (_, "id") if path.starts_with("/v1/transactions") => world["transaction"].as_str().unwrap(),
        ("/v1/agenda/{id}", _) => world["entry"].as_str().unwrap(),
        (_, "proposal") => world["proposal"].as_str().unwrap(),
        (_, "key") if path.starts_with("/v1/keys") => world["key"].as_str().unwrap(),
        (_, "key") => "6e6f7465",
        (_, "contract") => "notes",
        ("/v1/parameters/{name}", _) => "block.heartbeat-ms",
        (_, "name") if path.starts_with("/v1/contracts") => "notes",
        (_, "calendar" | "name") => "demo",
        (_, "from") => "2026-03-02",
        (_, "to") => "2026-03-06",
        (_, "value") => "7",
        (_, "error") => "000203",
        _ => panic!("no example of `{name}` for {path}"),
    };
    text.into()
}

/// What does not fit, with its place; the part of JSON Schema that the document uses.
fn faults(document: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
        return faults(document, schema, value, place, found);
    }
    let fits = |schema: &Value| {
        let mut found = Vec::new();
        faults(document, schema, value, place, &mut found);
        found.is_empty()
    };
    for (word, least) in [("anyOf", 1), ("oneOf", 1)] {
        if let Some(choices) = schema[word].as_array()
            && choices.iter().filter(|choice| fits(choice)).count() < least
        {
            found.push(format!("{place}: {value} is none of the choices"));
        }
    }
    let is_of_type = match schema["type"].as_str() {
        None => true,
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some(other) => panic!("no type `{other}` is known"),
    };
    if !is_of_type || schema["enum"].as_array().is_some_and(|choices| !choices.contains(value)) {
        found.push(format!("{place}: {value} is no {schema}"));
    }
    if let Some(fields) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !fields.contains_key(name.as_str().unwrap()) {
                found.push(format!("{place}: {name} is missing"));
            }
        }
        for (name, value) in fields {
            match schema["properties"].get(name) {
                Some(schema) => faults(document, schema, value, &format!("{place}.{name}"), found),
                None if schema["additionalProperties"] == false || schema["properties"].is_object() => {
                    found.push(format!("{place}: {name} is not described"));
                }
                None => {}
            }
        }
    }
    if let Some(items) = value.as_array() {
        for (index, item) in items.iter().enumerate() {
            let schema = schema["prefixItems"].get(index).unwrap_or(&schema["items"]);
            faults(document, schema, item, &format!("{place}.{index}"), found);
        }
    }
}

async fn filled() -> (World, Value, Value) {
    let world = World::start().await;
    let settled = world.settle(&world.transaction(BANK, Native::Governance.id(), contract::deployment())).await;
    let notes = portolan_primitives::ContractId::from_name(contract::NAME);
    world.settle(&world.transaction(BANK, notes, contract::take(77))).await;
    let values = json!({
        "transaction": settled["id"],
        "proposal": world.json("/v1/governance").await[0]["id"],
        "entry": portolan_primitives::AgendaId([7; 32]),
        "key": super::world::key(BANK).public().id(),
    });
    let document = world.json("/openapi.json").await;
    (world, document, values)
}

/// A path with an example for each parameter that it needs.
fn request(path: &str, operation: &Value, values: &Value) -> String {
    let mut filled = path.to_owned();
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        match parameter["in"].as_str().unwrap() {
            "path" => filled = filled.replace(&format!("{{{name}}}"), &example(path, name, values)),
            "query" if parameter["required"] == true => query.push(format!("{name}={}", example(path, name, values))),
            _ => {}
        }
    }
    if query.is_empty() { filled } else { format!("{filled}?{}", query.join("&")) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_documented_path_answers_as_it_is_described() {
    let (world, document, values) = filled().await;
    let mut answered = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(operation) = methods.get("get").filter(|_| path != "/v1/events") else { continue };
        let asked = request(path, operation, &values);
        let got = world.get(&asked).await;
        let kind = got.headers["content-type"].to_str().unwrap().split(';').next().unwrap().to_owned();
        // Two questions of the test's contract never have an answer, and nothing falls due.
        if got.status != 200 {
            let unanswered = ["/v1/notes/endless", "/v1/notes/refusals/{error}", "/v1/agenda/{id}"];
            assert!(unanswered.contains(&path.as_str()), "{asked}: {got:?}");
            got.problem();
            let schema = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"];
            let mut found = Vec::new();
            let mut problem = got.json();
            // Further members belong to the code.
            problem.as_object_mut().unwrap().retain(|name, _| !name.starts_with("error"));
            faults(&document, schema, &problem, &asked, &mut found);
            assert!(found.is_empty(), "{found:#?}");
            continue;
        }
        let content = operation["responses"]["200"]["content"].as_object().unwrap();
        assert!(content.contains_key(&kind), "{asked}: {kind}");
        if kind == "application/json" {
            let mut found = Vec::new();
            faults(&document, &content[&kind]["schema"], &got.json(), &asked, &mut found);
            assert!(found.is_empty(), "{found:#?}");
        }
        answered += 1;
    }
    assert!(answered > 30, "{answered}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_may_see_is_closed_on_every_documented_path() {
    let (world, document, values) = filled().await;
    let open = ["/healthz", "/readyz", "/openapi.json", "/v1/status"];
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let asked = request(path, operation, &values);
            let got = world.send(from("10.1.2.3:5000", &method.to_uppercase(), &asked)).await;
            match open.contains(&path.as_str()) {
                true => assert_eq!(got.status, 200, "{asked}"),
                false => assert_eq!(got.problem(), (401, "not_identified".into()), "{asked}"),
            }
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_of_a_question_are_documented() {
    let (world, document, _) = filled().await;
    let refusals = |path: &str| document["paths"][path]["get"]["responses"]["default"]["x-contract-codes"].clone();
    let many = json!({ "code": "notes::TooMany", "status": 422, "description": "Only {left} notes are left." });
    assert!(refusals("/v1/notes").as_array().unwrap().contains(&many));
    let members = refusals("/v1/members/{member}");
    assert!(
        members.as_array().unwrap().iter().any(|one| one["code"] == "members::UnknownMember" && one["status"] == 404)
    );
    let listed = document["components"]["schemas"]["Problem"]["properties"]["code"]["anyOf"][0]["enum"].clone();
    assert!(listed.as_array().unwrap().contains(&json!("not_party")));
    // Native modules and contracts alike: each of their questions is there under its path.
    for contract in world.json("/v1/contracts").await["contracts"].as_array().unwrap() {
        let shown = world.json(&format!("/v1/contracts/{}", contract["name"].as_str().unwrap())).await;
        for query in shown["queries"].as_array().unwrap().iter().filter(|query| query["name"] != "taken") {
            let path = query["path"].as_str().unwrap();
            let operation = &document["paths"][path]["get"];
            // The chain's own answers come first.
            if operation["tags"] == json!(["chain"]) {
                continue;
            }
            assert_eq!(operation["summary"], query["doc"], "{path}");
            let named: Vec<&Value> =
                operation["parameters"].as_array().unwrap().iter().map(|parameter| &parameter["name"]).collect();
            for argument in query["arguments"].as_array().unwrap() {
                assert!(named.contains(&&argument["name"]), "{path}: {argument}");
            }
        }
    }
    world.stop().await;
}
