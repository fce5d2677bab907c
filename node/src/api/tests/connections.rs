//! Real connections: what is served, what is cut off, and how the server ends.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::world::World;
use crate::api::{ApiError, start};
use crate::config;

fn config() -> config::Api {
    config::Api { listen: "127.0.0.1:0".parse().unwrap(), ..Default::default() }
}

async fn exchange(address: std::net::SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_served_over_a_connection() {
    let world = World::start().await;
    let server = start(world.handle.clone(), &config()).await.unwrap();
    let request = b"GET /v1/agenda HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = exchange(server.address(), request).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("\"entries\":[]"), "{answer}");
    server.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_with_too_many_fields_or_bytes_is_refused() {
    let world = World::start().await;
    let server = start(world.handle.clone(), &config()).await.unwrap();
    let fields: String = (0..100).map(|number| format!("x-{number}: 1\r\n")).collect();
    let request = format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\n{fields}\r\n");
    assert!(exchange(server.address(), request.as_bytes()).await.starts_with("HTTP/1.1 431"));
    let request = format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: {}", "a".repeat(100_000));
    assert!(exchange(server.address(), request.as_bytes()).await.starts_with("HTTP/1.1 431"));
    assert!(exchange(server.address(), b"nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    server.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_sends_its_whole_body_first_reads_why_it_is_refused() {
    let world = World::start().await;
    let server = start(world.handle.clone(), &config()).await.unwrap();
    // More than the buffers of a connection hold.
    let body = vec![7u8; 24 << 20];
    let length = format!("content-length: {}", body.len());
    for (path, framing, refusal) in [
        ("/v1/transactions", length.as_str(), "413 Payload Too Large|too_large"),
        ("/v1/transactions", "transfer-encoding: chunked", "413 Payload Too Large|too_large"),
        ("/v1/status", length.as_str(), "405 Method Not Allowed|method_not_allowed"),
        ("/v1/nothing", length.as_str(), "404 Not Found|unknown_path"),
        ("/elsewhere", length.as_str(), "404 Not Found|unknown_path"),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{framing}\r\n\r\n");
        let chunked = [format!("{:x}\r\n", body.len()).as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
        let sent = if framing.ends_with("chunked") { &chunked } else { &body };
        let answer = exchange(server.address(), &[head.as_bytes(), sent].concat()).await;
        let (status, code) = refusal.split_once('|').unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{path}: {answer}");
        assert!(answer.contains("application/problem+json") && answer.contains(code), "{path}: {answer}");
    }
    server.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_goes_on_after_a_refused_body_and_ends_with_an_endless_one() {
    let world = World::start().await;
    let server = start(world.handle.clone(), &config()).await.unwrap();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let refused = b"POST /v1/transactions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2000000\r\n\r\n";
    stream.write_all(&[&refused[..], &[7; 2_000_000]].concat()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert!(answers.starts_with("HTTP/1.1 413") && answers.contains("HTTP/1.1 200 OK"), "{answers}");

    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let endless = b"POST /v1/transactions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(endless).await.unwrap();
    let chunk = [&b"100000\r\n"[..], &vec![7; 1 << 20], b"\r\n"].concat();
    let mut taken = 0;
    while taken < 256 && stream.write_all(&chunk).await.is_ok() {
        taken += 1;
    }
    assert!(taken < 256, "the node takes a body without end");
    server.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_asks_first_is_spared_a_body_in_vain() {
    let world = World::start().await;
    let server = start(world.handle.clone(), &config()).await.unwrap();
    let head = "POST /v1/transactions HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length";
    let answer = exchange(server.address(), format!("{head}: 2000000\r\n\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(format!("{head}: 3\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut asked = [0; 12];
    stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100");
    stream.write_all(&[1, 2, 3]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("malformed_transaction"), "{answer}");
    server.stop().await;
    world.stop().await;
}

fn pem(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api/tests/tls").join(name)
}

/// A client that trusts this certificate and no other.
fn trusting(certificate: &std::path::Path) -> tokio_rustls::TlsConnector {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    std::sync::Arc::new(builder.with_root_certificates(roots).with_no_client_auth()).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_speaks_tls_with_the_certificate_that_is_configured() {
    let world = World::start().await;
    let tls = config::Api {
        tls_certificate: Some(pem("certificate.pem")),
        tls_key: Some(pem("key.pem")),
        listen: "0.0.0.0:0".parse().unwrap(),
    };
    let server = start(world.handle.clone(), &tls).await.unwrap();
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], server.address().port()));
    let connector = trusting(&pem("certificate.pem"));
    let connect = async |name: &'static str| {
        let stream = TcpStream::connect(address).await.unwrap();
        connector.connect(name.try_into().unwrap(), stream).await
    };
    let mut stream = connect("node.test").await.unwrap();
    assert_eq!(stream.get_ref().1.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: node.test\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"alive\":true"), "{answer}");
    // Who calls it by a name that the certificate has not, gets no connection; who speaks plain text, no answer.
    assert!(connect("other.test").await.is_err());
    let plain = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert!(!exchange(address, plain).await.contains("alive"));
    server.stop().await;
    let swapped = config::Api { tls_key: Some(pem("certificate.pem")), ..tls };
    let refused = start(world.handle.clone(), &swapped).await;
    assert!(matches!(refused, Err(ApiError::Tls { path, .. }) if path.ends_with("certificate.pem")));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_server_ends_its_streams_and_idle_connections() {
    let world = World::start().await;
    let server = start(world.handle.clone(), &config()).await.unwrap();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(b"GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut head = [0; 15];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    let mut idle = TcpStream::connect(server.address()).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    idle.read_exact(&mut head).await.unwrap();
    server.stop().await;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    idle.read_to_end(&mut rest).await.unwrap();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_or_a_tls_file_that_is_not_to_be_had_is_named() {
    let world = World::start().await;
    let server = start(world.handle.clone(), &config()).await.unwrap();
    let taken = config::Api { listen: server.address(), ..Default::default() };
    assert!(matches!(start(world.handle.clone(), &taken).await, Err(ApiError::Listen { .. })));
    let lost = config::Api { tls_certificate: Some("none.pem".into()), tls_key: Some("none.pem".into()), ..config() };
    assert!(
        matches!(start(world.handle.clone(), &lost).await, Err(ApiError::Tls { path, .. }) if path.ends_with("none.pem"))
    );
    server.stop().await;
    world.stop().await;
}
