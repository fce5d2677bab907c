//! The chain's own paths: how it is, transactions from hand-in to outcome, blocks, members, dates, events.

use axum::body::Body;
use axum::http::StatusCode;
use codec::Encode;
use futures::StreamExt;
use portolan_primitives::{Hash, Timestamp, TransactionId};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::world::{BANK, CARRIER, World, from};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_says_how_it_is() {
    let world = World::start().await;
    assert_eq!(world.json("/healthz").await, json!({ "alive": true }));
    assert_eq!(world.json("/readyz").await["ready"], true);
    let status = world.json("/v1/status").await;
    for (field, value) in [
        ("network", json!("test")),
        ("kind", json!("devnet")),
        ("chain", json!(world.chain())),
        ("member", json!(BANK)),
        ("role", json!("validator")),
        ("business_date", json!("2026-03-02")),
        ("business_target", json!("2026-03-02")),
        ("quorum", json!(1)),
        ("syncing", json!(false)),
        ("halted", json!(null)),
        ("peers", json!([])),
        ("mempool", json!({ "transactions": 0, "bytes": 0 })),
    ] {
        assert_eq!(status[field], value, "{field}");
    }
    let tip = world.handle.tip();
    // A block may have come since the status was given.
    assert!(status["height"].as_u64() <= Some(tip.head.header.height.0), "{status}");
    assert_eq!(status["state_root"].as_str().map(str::len), Some(64));
    assert!(status["disk_free_mib"].as_u64() > status["disk_reserve_mib"].as_u64());
    assert_eq!((&status["max_disk_mib"], &status["disk_short"]), (&json!(null), &json!(false)));
    assert!(status["disk_used_mib"].is_u64());
    let metrics = world.get("/metrics").await;
    assert_eq!(metrics.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_counts_what_it_does() {
    crate::telemetry::start_metrics();
    let world = World::start().await;
    let fresh = String::from_utf8(world.get("/metrics").await.body.to_vec()).unwrap();
    assert!(fresh.contains("portolan_height "), "{fresh}");
    world.settle(&world.add_person(BANK, "bob")).await;
    let text = String::from_utf8(world.get("/metrics").await.body.to_vec()).unwrap();
    let value = |name: &str| {
        let line = text.lines().find(|line| line.split([' ', '{']).next() == Some(name));
        let line = line.unwrap_or_else(|| panic!("{name} is not counted:\n{text}"));
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    for name in ["portolan_height", "portolan_blocks", "portolan_transactions", "portolan_checked_transactions"] {
        assert!(value(name) >= 1.0, "{name}");
    }
    assert!(value("portolan_api_request_seconds_count") >= 2.0);
    assert!(text.contains("# TYPE portolan_height gauge") && text.contains("portolan_api_request_seconds_bucket"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_bounded_and_go_on_where_they_ended() {
    let world = World::start().await;
    for name in ["ada", "ben", "cat"] {
        world.settle(&world.add_person(BANK, name)).await;
    }
    let tip = world.json("/v1/status").await["height"].as_u64().unwrap();
    let (mut heights, mut path) = (Vec::new(), "/v1/blocks?limit=2".to_owned());
    loop {
        let page = world.json(&path).await;
        let blocks = page["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 2);
        heights.extend(blocks.iter().map(|block| block["height"].as_u64().unwrap()));
        match page["next"].as_u64() {
            Some(next) => path = format!("/v1/blocks?limit=2&before={next}"),
            None => break,
        }
    }
    assert_eq!(heights, (0..=tip).rev().collect::<Vec<_>>());
    let limit = |text: &str| crate::api::page(&[("limit".into(), text.into())]);
    assert_eq!(
        (limit("0"), limit("256"), limit("257"), limit("18446744073709551615")),
        (Ok(1), Ok(256), Ok(256), Ok(256))
    );
    assert_eq!(crate::api::page(&[]), Ok(100));
    // None at all is no page, and too many are cut down.
    assert_eq!(world.json("/v1/blocks?limit=0").await["blocks"].as_array().unwrap().len(), 1);
    assert_eq!(world.get("/v1/blocks?limit=18446744073709551615").await.status, StatusCode::OK);
    assert_eq!(world.get("/v1/agenda?limit=18446744073709551615").await.status, StatusCode::OK);
    assert_eq!(world.json("/v1/blocks?before=0").await, json!({ "blocks": [], "next": null, "blocks_from": 0 }));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_is_taken_once_and_its_outcome_is_told() {
    let world = World::start().await;
    let transaction = world.add_person(BANK, "bob");
    let id = transaction.body.id();
    let unknown = json!({ "id": id, "status": "unknown", "blocks_from": 0 });
    assert_eq!(world.json(&format!("/v1/transactions/{id}")).await, unknown);
    let settled = world.settle(&transaction).await;
    assert_eq!(settled["receipt"]["outcome"], "ok");
    assert_eq!(settled["receipt"]["origin"], json!({ "transaction": id }));
    assert_eq!(settled["receipt"]["outputs_scale"], json!([""]));
    assert_eq!(settled["calls"][0]["contract"], "members");
    assert_eq!(settled["calls"][0]["message"]["add_person"]["name"], "bob");
    assert_eq!(settled["receipt"]["events"][0]["contract"], "members");
    assert_eq!(settled["receipt"]["events"][0]["event"]["person_changed"]["person"], "bob");
    // A retry answers the outcome and runs nothing.
    let again = world.post("/v1/transactions", transaction.encode()).await;
    assert_eq!((again.status.as_u16(), again.json()), (200, settled.clone()));

    let height = settled["height"].as_u64().unwrap();
    let block = world.json(&format!("/v1/blocks/{height}")).await;
    assert_eq!(block["transactions"], json!([id]));
    let receipts = block["receipts"].as_array().unwrap();
    assert!(receipts.contains(&settled["receipt"]));
    assert_eq!(block["certificate"]["signatures"][0]["member"], BANK);
    assert_eq!(block["header"]["state_root"], world.json("/v1/status").await["state_root"]);
    assert_eq!(world.json("/v1/blocks/latest").await, block);
    let outcomes = json!({
        "height": height,
        "hash": block["hash"],
        "time": block["header"]["time"],
        "state_root": block["header"]["state_root"],
        "succeeded": [id],
        "failed": [],
    });
    assert_eq!(world.json(&format!("/v1/blocks/{height}/outcomes")).await, outcomes);
    let listed = world.json("/v1/blocks?limit=2").await;
    assert_eq!(listed["blocks"][0]["hash"], block["hash"]);
    assert_eq!(listed["blocks"].as_array().unwrap().len() as u64, 2.min(height + 1));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_fails_is_told_in_words() {
    let world = World::start().await;
    world.settle(&world.add_person(BANK, "bob")).await;
    let settled = world.settle(&world.add_person(BANK, "bob")).await;
    let receipt = &settled["receipt"];
    assert_eq!(
        (&receipt["outcome"], &receipt["contract"], &receipt["call"]),
        (&json!("failed"), &json!("members"), &json!(0))
    );
    assert_eq!(receipt["error"]["code"], "members::PersonExists");
    assert_eq!(receipt["error"]["message"], "The member has a person of that name already.");
    let outcomes = world.json(&format!("/v1/blocks/{}/outcomes", settled["height"])).await;
    assert_eq!((&outcomes["succeeded"], &outcomes["failed"]), (&json!([]), &json!([settled["id"]])));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_can_be_waited_for() {
    let world = World::start().await;
    let next = world.handle.tip().head.header.height.0 + 1;
    let path = format!("/v1/blocks/{next}/outcomes?wait_ms=30000");
    let transaction = world.add_person(BANK, "bob");
    let (block, _) = futures::join!(world.json(&path), world.settle(&transaction));
    assert_eq!(block["height"], next);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_transaction_or_not_for_this_chain_is_refused_by_name() {
    let world = World::start().await;
    let refused = |body: Vec<u8>| async { world.post("/v1/transactions", body).await.problem() };
    assert_eq!(refused(vec![1, 2, 3]).await, (400, "malformed_transaction".into()));
    let mut foreign = world.add_person(BANK, "bob");
    foreign.body.chain = Hash([1; 32]);
    assert_eq!(refused(foreign.encode()).await, (422, "other_chain".into()));
    let mut expired = world.add_person(BANK, "bob");
    expired.body.expires_at = Timestamp(1);
    assert_eq!(refused(expired.encode()).await, (422, "expired".into()));
    let mut forged = world.add_person(BANK, "bob");
    forged.approvals = world.add_person(BANK, "eve").approvals;
    assert_eq!(refused(forged.encode()).await, (403, "bad_signature".into()));
    assert_eq!(refused(vec![0; 700_000]).await, (413, "too_large".into()));
    assert_eq!(world.get("/v1/transactions/tx1nonsense").await.problem(), (400, "bad_id".into()));
    assert_eq!(world.get("/v1/blocks/99").await.problem(), (404, "unknown_height".into()));
    assert_eq!(world.get("/v1/blocks/x").await.problem(), (400, "bad_height".into()));
    assert_eq!(world.get("/v1/blocks/x/outcomes").await.problem(), (400, "bad_height".into()));
    assert_eq!(world.get("/v1/blocks/99/outcomes").await.problem(), (404, "unknown_height".into()));
    assert_eq!(world.get("/v1/blocks/99/outcomes?wait_ms=1").await.problem(), (404, "unknown_height".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_longer_than_the_bound_is_refused_before_it_is_read() {
    let world = World::start().await;
    // A body that never comes: only its claimed length can be judged.
    let never = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let mut request = from("127.0.0.1:5000", "POST", "/v1/transactions").map(|_| never);
    request.headers_mut().insert("content-length", "700000".parse().unwrap());
    assert_eq!(world.send(request).await.problem(), (413, "too_large".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_transaction_of_a_batch_has_its_own_answer() {
    let world = World::start().await;
    let good = world.add_person(BANK, "bob");
    let batch = vec![good.encode(), vec![9, 9], world.add_person(CARRIER, "cat").encode()];
    let answer = world.post("/v1/transactions/batch", batch.encode()).await.json();
    assert_eq!(answer["results"][0], json!({ "id": good.body.id() }));
    assert_eq!(answer["results"][1]["code"], "malformed_transaction");
    assert!(answer["results"][2]["id"].is_string());
    let settled = world.json(&format!("/v1/transactions/{}?wait_ms=30000", good.body.id())).await;
    assert_eq!(settled["receipt"]["outcome"], "ok");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_what_never_comes_is_let_go_when_the_server_stops() {
    let world = World::start().await;
    let path = format!("/v1/transactions/{}?wait_ms=30000", TransactionId([7; 32]));
    let waiting = tokio::spawn(world.router.clone().oneshot(from("127.0.0.1:5000", "GET", &path)));
    world.stop_api.send(true).unwrap();
    let answer = super::world::read(waiting.await.unwrap().unwrap()).await.json();
    assert_eq!(answer["status"], "unknown");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn native_modules_answer_under_their_own_paths() {
    let world = World::start().await;
    let members = world.json("/v1/members").await;
    assert_eq!(members.as_array().unwrap().len(), 3);
    assert_eq!(world.json("/v1/members?limit=1").await.as_array().unwrap().len(), 1);
    let bank = world.json("/v1/members/harbour-bank").await;
    assert_eq!((&bank["member"]["name"], &bank["member"]["roles"]), (&json!(BANK), &json!(["bank"])));
    let id = bank["id"].as_str().unwrap();
    assert_eq!(world.json(&format!("/v1/members/{id}")).await, bank);
    let account = world.json("/v1/accounts/harbour-bank/admin").await;
    assert_eq!(account["account"]["name"], "admin");
    assert_eq!(world.json("/v1/accounts/harbour-bank%2Fadmin").await, account);
    assert_eq!(world.json(&format!("/v1/accounts/{}", account["id"].as_str().unwrap())).await, account);
    assert_eq!(world.json("/v1/members/harbour-bank/accounts").await[0], account);
    assert_eq!(world.json("/v1/validators").await["current"]["validators"][0]["member"], bank["id"]);
    assert!(
        world.json("/v1/parameters").await.as_array().unwrap().iter().any(|view| view["name"] == "block.heartbeat-ms")
    );
    assert_eq!(world.json("/v1/parameters/block.heartbeat-ms").await["number"], 3_600_000);
    let days = world.json("/v1/calendars/demo?from=2026-03-06&to=2026-03-07").await;
    assert_eq!((&days[0]["open"], &days[1]["open"]), (&json!(true), &json!(false)));
    assert_eq!(world.json("/v1/clock").await["date"], "2026-03-02");
    assert_eq!(world.json("/v1/governance").await, json!([]));
    assert_eq!(
        world.json("/v1/agenda?limit=1").await,
        json!({ "business_date": "2026-03-02", "entries": [], "next": null })
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_is_wrong_is_refused_by_name() {
    let world = World::start().await;
    let refused = |path: &'static str| async { world.get(path).await.problem() };
    assert_eq!(refused("/v1/members/nobody").await, (404, "members::UnknownMember".into()));
    assert_eq!(refused("/v1/calendars/demo?from=2026-03-06").await, (400, "bad_argument".into()));
    assert_eq!(refused("/v1/calendars/demo?from=2026-03-06&to=2026-02-30").await, (400, "bad_argument".into()));
    assert_eq!(refused("/v1/members?limmit=3").await, (400, "unknown_parameter".into()));
    assert_eq!(refused("/v1/members?proof=perhaps").await, (400, "bad_parameter".into()));
    assert_eq!(refused("/v1/members?height=99").await, (404, "unknown_height".into()));
    for (path, code, parameter) in [
        ("/v1/members?limmit=3", "unknown_parameter", "limmit"),
        ("/v1/blocks?limmit=3", "unknown_parameter", "limmit"),
        ("/v1/status?x=1", "unknown_parameter", "x"),
        ("/v1/contracts/members/metadata?x=1", "unknown_parameter", "x"),
        ("/v1/contracts?x=1", "unknown_parameter", "x"),
        ("/v1/blocks?limit=few", "bad_parameter", "limit"),
        ("/v1/blocks?limit=1&limit=2", "bad_parameter", "limit"),
        ("/v1/blocks?before=-1", "bad_parameter", "before"),
        ("/v1/members?limit=few", "bad_argument", "limit"),
        ("/v1/members?limit=1&limit=2", "bad_parameter", "limit"),
        ("/v1/members?height=x", "bad_parameter", "height"),
        ("/v1/agenda?from=2026-02-30", "bad_parameter", "from"),
        ("/v1/agenda?cursor=x", "bad_parameter", "cursor"),
        ("/v1/events?from_height=x", "bad_parameter", "from_height"),
        ("/v1/calendars/demo?from=2026-03-06&to=2026-02-30", "bad_argument", "to"),
        ("/v1/calendars/demo?from=2026-03-06", "bad_argument", "to"),
    ] {
        let answered = world.get(path).await;
        assert_eq!(answered.problem(), (400, code.into()), "{path}");
        assert_eq!(answered.json()["parameter"], parameter, "{path}");
        assert!(answered.json()["detail"].as_str().unwrap().contains(parameter), "{path}");
    }
    assert_eq!(refused("/v1/blocks/%ff").await, (400, "bad_path".into()));
    assert_eq!(refused("/v1/state/members/zz").await, (400, "bad_key".into()));
    assert_eq!(refused("/v1/nothing").await, (404, "unknown_path".into()));
    assert_eq!(refused("/nothing").await, (404, "unknown_path".into()));
    assert_eq!(refused("/v1/contracts/nobody").await, (404, "unknown_contract".into()));
    assert_eq!(world.post("/v1/members", vec![]).await.problem(), (405, "method_not_allowed".into()));
    assert_eq!(world.post("/v1/status", vec![]).await.problem(), (405, "method_not_allowed".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_height_is_asked_as_it_was() {
    let world = World::start().await;
    let before = world.json("/v1/status").await["height"].as_u64().unwrap();
    world.settle(&world.add_person(BANK, "bob")).await;
    let persons = |value: Value| value.as_array().unwrap().len();
    assert_eq!(persons(world.json("/v1/members/harbour-bank/persons").await), 2);
    assert_eq!(persons(world.json(&format!("/v1/members/harbour-bank/persons?height={before}")).await), 1);
    world.stop().await;
}

/// Text of a stream until it holds `events` events.
pub async fn stream(world: &World, path: &str, last: Option<&str>, events: usize) -> Vec<(String, String, Value)> {
    let mut request = from("127.0.0.1:5000", "GET", path);
    if let Some(last) = last {
        request.headers_mut().insert("last-event-id", last.parse().unwrap());
    }
    let response = world.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    let mut body = response.into_body().into_data_stream();
    while text.matches("\n\n").count() < events {
        text.push_str(std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap());
    }
    let field =
        |event: &str, name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let read = |event: &str| {
        (field(event, "id:"), field(event, "event:"), serde_json::from_str(&field(event, "data:")).unwrap())
    };
    text.split("\n\n").filter(|event| !event.is_empty()).map(read).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_streamed_from_a_height_and_after_the_last_one_seen() {
    let world = World::start().await;
    for name in ["bob", "cat"] {
        world.settle(&world.add_person(BANK, name)).await;
    }
    let all = stream(&world, "/v1/events?from_height=1&contract=members", None, 2).await;
    let person = |event: &Value| event["person_changed"]["person"].clone();
    assert_eq!((all[0].1.as_str(), person(&all[0].2), person(&all[1].2)), ("members", json!("bob"), json!("cat")));
    // The last id wins over the height that the address still names.
    let rest = stream(&world, "/v1/events?from_height=1&contract=members", Some(&all[0].0), 1).await;
    assert_eq!(rest, all[1..]);
    assert_eq!(world.get("/v1/events?contract=nobody").await.problem(), (404, "unknown_contract".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_taken_up_after_any_event_without_a_gap_or_a_double() {
    let world = World::start().await;
    for names in [["ada", "ben", "cat"], ["dan", "eva", "fay"]] {
        let settled = world.settle(&world.add_persons(BANK, &names)).await;
        assert_eq!(settled["receipt"]["outcome"], "ok", "{settled}");
    }
    let all = stream(&world, "/v1/events?from_height=0", None, 6).await;
    let persons: Vec<&str> =
        all.iter().map(|(.., event)| event["person_changed"]["person"].as_str().unwrap()).collect();
    assert_eq!(persons, ["ada", "ben", "cat", "dan", "eva", "fay"]);
    for seen in 1..all.len() {
        let rest = stream(&world, "/v1/events", Some(&all[seen - 1].0), all.len() - seen).await;
        assert_eq!(rest, all[seen..], "after event {seen}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_tells_what_happens_while_it_is_open() {
    let world = World::start().await;
    let transaction = world.add_person(BANK, "bob");
    let (events, settled) = tokio::join!(stream(&world, "/v1/events", None, 1), world.settle(&transaction));
    assert_eq!(events[0].0, format!("{}:0", settled["height"]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_pruned_is_gone_and_the_answer_says_what_is_kept() {
    let world = World::start().await;
    let old = world.add_person(BANK, "bob");
    let gone = world.settle(&old).await["height"].as_u64().unwrap();
    world.settle(&world.add_person(BANK, "eve")).await;
    let kept = gone + 1;
    let bounds = crate::store::chain::Bounds { heights: kept, writes: 100 };
    let lowest = world.handle.read(move |reader| Ok(reader.chain.let_go(bounds, |_| true)?)).await.unwrap();
    assert_eq!(lowest, Some(portolan_primitives::Height(kept)));
    assert_eq!(world.json("/v1/status").await["blocks_from"], kept);
    assert_eq!(world.json("/v1/status").await["archive"], true);
    for path in ["blocks/{}", "blocks/{}/outcomes", "events?from_height={}"] {
        let path = format!("/v1/{path}").replace("{}", &gone.to_string());
        let answered = world.get(&path).await;
        assert_eq!(answered.problem(), (410, "block_pruned".into()), "{path}");
        let problem = answered.json();
        assert_eq!(problem["blocks_from"], kept, "{path}");
        let detail = format!(
            "block {gone} is pruned: this node keeps blocks from {kept} on; ask a node that keeps more (`blocks_from` in its status), as an archive node"
        );
        assert_eq!(problem["detail"], detail, "{path}");
    }
    assert_eq!(world.get(&format!("/v1/blocks/{kept}")).await.status, StatusCode::OK);
    let list = world.json(&format!("/v1/blocks?before={}&limit=9", kept + 1)).await;
    let heights: Vec<_> = list["blocks"].as_array().unwrap().iter().map(|block| block["height"].clone()).collect();
    assert_eq!((heights, &list["next"], &list["blocks_from"]), (vec![json!(kept)], &json!(null), &json!(kept)));
    let id = old.body.id();
    assert_eq!(world.handle.read(move |reader| Ok(reader.chain.place(&id)?)).await.unwrap(), None);
    let other = world.json(&format!("/v1/transactions/{}", world.add_person(BANK, "ida").body.id())).await;
    assert_eq!((&other["status"], &other["blocks_from"]), (&json!("unknown"), &json!(kept)));
    // The state does not depend on old blocks.
    assert_eq!(world.get("/v1/members?proof=true").await.status, StatusCode::OK);
    world.stop().await;
}
