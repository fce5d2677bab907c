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
