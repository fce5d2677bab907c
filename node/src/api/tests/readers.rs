//! Who reads: the operator, accounts by their signatures, and nobody; and what each sees of the others.

use axum::http::StatusCode;
use codec::Encode;
use futures::StreamExt;
use portolan_primitives::{AccountId, Hash, MemberStatus};
use portolan_runtime::native::Native;
use portolan_runtime::native::governance::Action;
use portolan_runtime::native::members::messages::Call;
use portolan_runtime::native::records::{KeyPurpose, Person};
use tower::ServiceExt;

use super::world::{BANK, CARRIER, REGULATOR, Signed, World, from, key};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_whether_the_node_is_up_and_no_more() {
    let world = World::start().await;
    for path in ["/healthz", "/readyz", "/openapi.json", "/v1/status"] {
        assert_eq!(world.send(from("10.1.2.3:5000", "GET", path)).await.status, StatusCode::OK, "{path}");
    }
    let closed = [
        "/metrics",
        "/v1/blocks",
        "/v1/blocks/latest",
        "/v1/agenda",
        "/v1/contracts",
        "/v1/contracts/members/metadata",
        "/v1/events",
        "/v1/members",
        "/v1/clock",
        "/v1/state/members/00",
        "/v1/nothing",
        "/v1/blocks/1",
        "/v1/contracts/members",
        "/v1/transactions/tx1nonsense",
        "/v1/members/cargo-line?proof=true",
    ];
    for path in closed {
        assert_eq!(
            world.send(from("10.1.2.3:5000", "GET", path)).await.problem(),
            (401, "not_identified".into()),
            "{path}"
        );
    }
    for contract in ["members", "nobody"] {
        let asked = from("10.1.2.3:5000", "POST", &format!("/v1/contracts/{contract}/query"));
        assert_eq!(world.send(asked).await.problem(), (401, "not_identified".into()), "{contract}");
    }
    let transaction = world.add_person(BANK, "bob");
    let unsigned = from("10.1.2.3:5000", "POST", "/v1/transactions").map(|_| transaction.encode().into());
    assert_eq!(world.send(unsigned).await.problem(), (401, "not_identified".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_or_a_page_of_a_browser_is_not_the_operator() {
    let world = World::start().await;
    let with = |name: &'static str, value: &str| {
        let mut request = from("127.0.0.1:5000", "GET", "/v1/agenda");
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    for (name, value) in
        [("x-forwarded-for", "10.0.0.1"), ("forwarded", "for=10.0.0.1"), ("via", "1.1 proxy"), ("host", "evil.example")]
    {
        assert_eq!(world.send(with(name, value)).await.problem(), (401, "not_identified".into()), "{name}");
    }
    for host in ["evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1", "[::2]:80", ""]
    {
        assert_eq!(world.send(with("host", host)).await.problem(), (401, "not_identified".into()), "{host}");
    }
    for (name, value) in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        assert_eq!(world.send(with(name, value)).await.problem(), (401, "not_identified".into()), "{name}");
    }
    for host in ["localhost:8080", "127.0.0.1", "[::1]:8080", "[::1]"] {
        assert_eq!(world.send(with("host", host)).await.status, StatusCode::OK, "{host}");
        assert_eq!(world.send(with("origin", &format!("http://{host}"))).await.status, StatusCode::OK, "{host}");
    }
    // Another machine is not the operator's, whatever name it calls the node by.
    let mut elsewhere = with("host", "localhost");
    elsewhere.extensions_mut().insert(crate::api::identity::Peer("10.1.2.3:5000".parse().unwrap()));
    assert_eq!(world.send(elsewhere).await.problem(), (401, "not_identified".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_is_good_for_one_chain_path_minute_and_account() {
    let world = World::start().await;
    let path = "/v1/blocks?limit=1";
    assert_eq!(world.get_as(CARRIER, path).await.status, StatusCode::OK);
    type Change = fn(&mut Signed);
    let cases: [(Change, &str); 10] = [
        (|signed| signed.signer = key("somebody else"), "bad_signature"),
        (|signed| signed.chain = Hash([9; 32]), "bad_signature"),
        (|signed| signed.path = "/v1/blocks?limit=2".into(), "bad_signature"),
        (|signed| signed.method = "HEAD".into(), "bad_signature"),
        (|signed| signed.time -= 61_000, "stale_signature"),
        (|signed| signed.time += 61_000, "stale_signature"),
        (|signed| signed.account = AccountId::from_name(BANK, "admin"), "not_of_account"),
        (|signed| signed.account = AccountId([9; 16]), "unknown_reader"),
        (|signed| signed.key = key("node"), "wrong_key_purpose"),
        (
            |signed| {
                signed.key = key("cargo-line long ago");
                signed.signer = key("cargo-line long ago");
            },
            "key_not_valid",
        ),
    ];
    for (number, (change, code)) in cases.into_iter().enumerate() {
        let mut signed = Signed::by(&world, CARRIER, path);
        change(&mut signed);
        let answered = world.send(signed.request()).await;
        assert_eq!(answered.status.as_u16(), 401, "case {number}");
        // An answer to HEAD has no body to name the code.
        if signed.method == "GET" {
            assert_eq!(answered.problem().1, code, "case {number}");
        }
    }
    let mut half = Signed::by(&world, CARRIER, path).request();
    half.headers_mut().remove("portolan-time");
    assert_eq!(world.send(half).await.problem(), (401, "malformed_signature".into()));
    let mut twice = Signed::by(&world, CARRIER, path).request();
    let account = twice.headers()["portolan-account"].clone();
    twice.headers_mut().append("portolan-account", account);
    assert_eq!(world.send(twice).await.problem(), (401, "malformed_signature".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_signature_is_refused_on_the_nodes_own_machine_too() {
    let world = World::start().await;
    let mut signed = Signed::by(&world, CARRIER, "/v1/agenda");
    signed.signer = key("somebody else");
    let mut request = signed.request();
    request.extensions_mut().insert(crate::api::identity::Peer("127.0.0.1:1".parse().unwrap()));
    assert_eq!(world.send(request).await.problem(), (401, "bad_signature".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_reads_nothing_more() {
    let world = World::start().await;
    assert_eq!(world.get_as(CARRIER, "/v1/blocks").await.status, StatusCode::OK);
    let revoke = Call::RevokeKey { key: key(CARRIER).public().id() };
    let settled = world.settle(&world.transaction(CARRIER, Native::Members.id(), revoke.encode())).await;
    assert_eq!(settled["receipt"]["outcome"], "ok", "{settled}");
    assert_eq!(world.get_as(CARRIER, "/v1/blocks").await.problem(), (401, "key_not_valid".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_sees_its_own_transactions_and_no_others() {
    let world = World::start().await;
    let own = world.settle(&world.add_person(CARRIER, "bob")).await;
    let of_bank = world.add_person(BANK, "cat");
    let others = world.settle(&of_bank).await;
    let path = |settled: &serde_json::Value| format!("/v1/transactions/{}", settled["id"].as_str().unwrap());
    assert_eq!(world.get_as(CARRIER, &path(&own)).await.json(), own);
    for wish in ["", "?wait_ms=1", "?proof=true"] {
        let path = format!("{}{wish}", path(&others));
        assert_eq!(world.get_as(CARRIER, &path).await.problem(), (403, "not_party".into()), "{path}");
    }
    assert!(world.get_as(CARRIER, &format!("{}?proof=true", path(&own))).await.json()["proof"].is_object());
    // Nor does handing in again what another handed in tell its outcome.
    let again = Signed::posting(&world, CARRIER, "/v1/transactions", of_bank.encode());
    assert_eq!(world.send(again.request()).await.problem(), (403, "not_party".into()));
    let batch = Signed::posting(&world, CARRIER, "/v1/transactions/batch", vec![of_bank.encode()].encode());
    let answer = world.send(batch.request()).await.json();
    assert_eq!(answer["results"][0]["code"], "already_final");
    assert_eq!(answer["results"][0].as_object().unwrap().len(), 2, "{answer}");
    let block = |settled: &serde_json::Value| format!("/v1/blocks/{}", settled["height"]);
    let seen = world.get_as(CARRIER, &block(&own)).await.json();
    assert_eq!(seen["transactions"], serde_json::json!([own["id"]]));
    let hidden = world.get_as(CARRIER, &block(&others)).await.json();
    assert_eq!((&hidden["transactions"], &hidden["receipts"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert_eq!(hidden["header"], world.json(&block(&others)).await["header"]);
    let outcomes = |settled: &serde_json::Value| format!("{}/outcomes", block(settled));
    let seen = world.get_as(CARRIER, &outcomes(&own)).await.json();
    assert_eq!(seen["succeeded"], serde_json::json!([own["id"]]));
    let hidden = world.get_as(CARRIER, &outcomes(&others)).await.json();
    assert_eq!((&hidden["succeeded"], &hidden["failed"]), (&serde_json::json!([]), &serde_json::json!([])));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_shows_an_account_its_own_events_only() {
    let world = World::start().await;
    world.settle(&world.add_person(BANK, "cat")).await;
    world.settle(&world.add_person(CARRIER, "bob")).await;
    let request = Signed::by(&world, CARRIER, "/v1/events?from_height=0").request();
    let mut body = world.router.clone().oneshot(request).await.unwrap().into_body().into_data_stream();
    let first = body.next().await.unwrap().unwrap();
    let text = std::str::from_utf8(&first).unwrap();
    assert!(text.contains("\"bob\"") && !text.contains("\"cat\""), "{text}");
    drop(body);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_the_key_that_opened_it() {
    let world = World::start().await;
    let request = Signed::by(&world, CARRIER, "/v1/events").request();
    let mut body = world.router.clone().oneshot(request).await.unwrap().into_body().into_data_stream();
    let revoke = Call::RevokeKey { key: key(CARRIER).public().id() };
    let revoked = world.transaction(CARRIER, Native::Members.id(), revoke.encode());
    let (shown, settled) = tokio::join!(body.next(), world.settle(&revoked));
    assert_eq!(settled["receipt"]["outcome"], "ok", "{settled}");
    assert!(shown.is_none(), "{shown:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_member_sees_its_own_and_one_that_left_sees_nothing() {
    let world = World::start().await;
    let becomes = async |status| {
        let member = portolan_primitives::MemberId::from_name(CARRIER);
        let settled = world.settle(&world.governed("Status", Action::SetMemberStatus { member, status })).await;
        assert_eq!(settled["receipt"]["outcome"], "ok", "{settled}");
    };
    becomes(MemberStatus::Frozen).await;
    let own = world.get_as(CARRIER, "/v1/members/cargo-line").await;
    assert_eq!(own.json()["member"]["status"], "frozen");
    // It can neither give nor take.
    let transaction = world.add_person(CARRIER, "bob");
    let sent = Signed::posting(&world, CARRIER, "/v1/transactions", transaction.encode());
    assert_eq!(world.send(sent.request()).await.problem(), (403, "member_not_active".into()));
    becomes(MemberStatus::Left).await;
    assert_eq!(world.get_as(CARRIER, "/v1/members/cargo-line").await.problem(), (401, "not_of_account".into()));
    assert_eq!(world.get_as(CARRIER, "/v1/blocks").await.problem(), (401, "not_of_account".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_may_not_act_reads_nothing() {
    let world = World::start().await;
    world.settle(&world.add_person(CARRIER, "bob")).await;
    let purpose = KeyPurpose::User("bob".into());
    let register = Call::RegisterKey { key: key("bob").public(), purpose, valid_until: None };
    world.settle(&world.transaction(CARRIER, Native::Members.id(), register.encode())).await;
    let as_bob = || Signed { key: key("bob"), signer: key("bob"), ..Signed::by(&world, CARRIER, "/v1/blocks") };
    assert_eq!(world.send(as_bob().request()).await.status, StatusCode::OK);
    let person = Person { maker: true, checker: false, active: false };
    let dismiss = Call::SetPerson { name: "bob".into(), person };
    let settled = world.settle(&world.transaction(CARRIER, Native::Members.id(), dismiss.encode())).await;
    assert_eq!(settled["receipt"]["outcome"], "ok", "{settled}");
    assert_eq!(world.send(as_bob().request()).await.problem(), (401, "not_of_account".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_asks_about_itself_and_the_chains_rules() {
    let world = World::start().await;
    let granted = [
        "/v1/members/cargo-line",
        "/v1/accounts/cargo-line/admin",
        "/v1/clock",
        "/v1/parameters",
        "/v1/contracts/members",
        "/v1/governance",
    ];
    for path in granted {
        assert_eq!(world.get_as(CARRIER, path).await.status, StatusCode::OK, "{path}");
    }
    let refused = [
        "/v1/members",
        "/v1/members/harbour-bank",
        "/v1/accounts/harbour-bank/admin",
        "/v1/agenda",
        "/v1/agenda-failures",
        "/v1/clock?proof=true",
        "/v1/state/members/00",
        "/metrics",
    ];
    for path in refused {
        assert_eq!(world.get_as(CARRIER, path).await.problem(), (403, "not_party".into()), "{path}");
    }
    // Asked in SCALE it is the same question.
    let about = |member: &str| [&[1][..], &portolan_primitives::MemberId::from_name(member).0].concat();
    for (path, member, refusal) in [
        ("/v1/contracts/members/query", CARRIER, None),
        ("/v1/contracts/members/query", BANK, Some((403, "not_party".to_owned()))),
        ("/v1/contracts/members/query?proof=true", CARRIER, Some((403, "not_party".to_owned()))),
    ] {
        let answered = world.send(Signed::posting(&world, CARRIER, path, about(member)).request()).await;
        match refusal {
            None => assert_eq!(answered.status, StatusCode::OK, "{path}"),
            Some(refusal) => assert_eq!(answered.problem(), refusal, "{path}"),
        }
    }
    // A page that begins behind the reader is no question about the reader.
    let after = format!("/v1/members?after={}", portolan_primitives::MemberId::from_name(CARRIER));
    assert_eq!(world.get_as(CARRIER, &after).await.problem(), (403, "not_party".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_hands_in_transactions() {
    let world = World::start().await;
    let transaction = world.add_person(CARRIER, "bob");
    let signed = Signed::posting(&world, CARRIER, "/v1/transactions", transaction.encode());
    assert_eq!(world.send(signed.request()).await.status, StatusCode::ACCEPTED);
    let path = format!("/v1/transactions/{}?wait_ms=30000", transaction.body.id());
    assert_eq!(world.get_as(CARRIER, &path).await.json()["receipt"]["outcome"], "ok");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_is_good_for_one_body() {
    let world = World::start().await;
    // Which members there are from the first on, at most one: a question that the operator alone may ask, or its own member's.
    let own = |member: &str| [&[1][..], &portolan_primitives::MemberId::from_name(member).0].concat();
    let path = "/v1/contracts/members/query";
    let honest = Signed::posting(&world, CARRIER, path, own(CARRIER));
    assert_eq!(world.send(honest.request()).await.status, StatusCode::OK);
    for (sent, code) in [(own(BANK), "altered_body"), (vec![], "altered_body")] {
        let altered = Signed { body: sent, ..Signed::posting(&world, CARRIER, path, own(CARRIER)) };
        assert_eq!(world.send(altered.request()).await.problem(), (401, code.into()));
    }
    // A signature for no body carries none.
    let added = Signed { body: own(CARRIER), ..Signed::posting(&world, CARRIER, path, vec![]) };
    assert_eq!(world.send(added.request()).await.problem(), (401, "altered_body".into()));
    // The hash in the header is under the signature.
    let mut swapped = Signed { body: own(BANK), ..Signed::posting(&world, CARRIER, path, own(CARRIER)) }.request();
    let hash = blake3::hash(&own(BANK)).to_hex();
    swapped.headers_mut().insert("portolan-body", hash.as_str().parse().unwrap());
    assert_eq!(world.send(swapped).await.problem(), (401, "bad_signature".into()));
    // A transaction that was not signed for is not taken, whatever its own signatures say.
    let (signed, sent) = (world.add_person(CARRIER, "bob").encode(), world.add_person(CARRIER, "eve").encode());
    let altered = Signed { body: sent, ..Signed::posting(&world, CARRIER, "/v1/transactions", signed) };
    assert_eq!(world.send(altered.request()).await.problem(), (401, "altered_body".into()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_regulators_reads_are_logged() {
    use std::sync::{Arc, Mutex};
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let world = World::start().await;
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_env_filter("access=info")
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(log);
    world.get_as(REGULATOR, "/v1/blocks?limit=1").await;
    world.get_as(REGULATOR, "/v1/members").await;
    world.get_as(CARRIER, "/v1/blocks?limit=3").await;
    drop(guard);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("path=\"/v1/blocks?limit=1\" granted=true"), "{text}");
    assert!(text.contains("path=\"/v1/members\" granted=false"), "{text}");
    assert!(!text.contains("limit=3"), "{text}");
    world.stop().await;
}
