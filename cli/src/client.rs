//! The HTTP client of a network: tries the next node when one does not answer, signs requests where a key is given, and turns
//! problem documents into typed errors. Must never retry what a node refused, and never hide which node answered.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use codec::Encode;
use portolan_primitives::{AccountId, Hash, SigningKey, Timestamp, Transaction, TransactionId};
use serde_json::Value;
use ureq::Agent;
use ureq::http::{Method, Request, Response};

/// A request is signed over this context and the SCALE of (chain, method, path and query, time, account, BLAKE3 of the body).
const REQUEST_CONTEXT: &[u8] = b"portolan 2026 signed request v1\0";
/// Longest that one request may take. Waiting for a transaction asks in turns below this.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(35);
/// Longest answer that is read, bytes.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;
/// How long one request waits at the node for a transaction to be final, ms.
const WAIT_STEP_MS: u64 = 10_000;

/// Why a request has no answer to work with.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No node answered.
    #[error(
        "no node answers ({tried}): is the network up? Start one with `./scripts/devnet up`, or name another with --node"
    )]
    Unreachable {
        /// What was tried, with the reason for each.
        tried: String,
    },
    /// A node refused, with a typed reason.
    #[error("{}", .0.message())]
    Refused(Box<Problem>),
    /// A node answered something that is not of this protocol.
    #[error("the node at {node} gave an answer that this version does not understand ({reason}); do versions differ?")]
    Foreign {
        /// Which node.
        node: String,
        /// What was wrong.
        reason: String,
    },
}

/// A problem document (RFC 9457) of a node.
#[derive(Debug, Clone)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable code, as `other_chain` or `receivable::OverSplit`.
    pub code: String,
    /// What happened and what to do.
    pub detail: String,
    /// The whole document.
    pub document: Value,
}

impl Problem {
    fn message(&self) -> String {
        format!("{}: {}", self.code, self.detail)
    }
}

/// Whom requests are signed for.
pub struct Reader {
    /// The account.
    pub account: AccountId,
    /// One of its member's user keys.
    pub key: SigningKey,
    /// The chain, so that a signature is of no use on another.
    pub chain: Hash,
}

/// A network's nodes, tried in order from the one that answered last.
pub struct Client {
    agent: Agent,
    nodes: Vec<String>,
    current: AtomicUsize,
    reader: Option<Reader>,
}

/// Result of a request.
pub type ClientResult<T> = Result<T, ClientError>;

impl Client {
    /// A client of the nodes at these base addresses, as `http://127.0.0.1:7071`.
    pub fn new(nodes: Vec<String>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(REQUEST_TIMEOUT))
            .timeout_connect(Some(Duration::from_secs(3)))
            .build();
        Self { agent: config.into(), nodes, current: AtomicUsize::new(0), reader: None }
    }

    /// The same client, signing its requests.
    pub fn signed_for(mut self, reader: Reader) -> Self {
        self.reader = Some(reader);
        self
    }

    /// The node that answered last.
    pub fn node(&self) -> &str {
        self.nodes.get(self.current.load(Ordering::Relaxed)).map_or("", String::as_str)
    }

    /// All nodes.
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// JSON of a path such as `/v1/status`.
    pub fn get(&self, path: &str) -> ClientResult<Value> {
        let body = self.request(Method::GET, path, "application/json", &[])?;
        serde_json::from_slice(&body).map_err(|error| self.foreign(error))
    }

    /// JSON answer to a binary body.
    pub fn post(&self, path: &str, body: &[u8]) -> ClientResult<Value> {
        let answer = self.request(Method::POST, path, "application/json", body)?;
        serde_json::from_slice(&answer).map_err(|error| self.foreign(error))
    }

    /// Binary answer to a binary body (a contract's query in SCALE).
    pub fn post_binary(&self, path: &str, body: &[u8]) -> ClientResult<Vec<u8>> {
        self.request(Method::POST, path, "application/octet-stream", body)
    }

    /// Binary answer.
    pub fn get_binary(&self, path: &str) -> ClientResult<Vec<u8>> {
        self.request(Method::GET, path, "application/octet-stream", &[])
    }

    /// Submits a transaction. Safe to repeat: the id runs once.
    pub fn submit(&self, transaction: &Transaction) -> ClientResult<Value> {
        self.post("/v1/transactions", &transaction.encode())
    }

    /// Waits until the transaction is final or can never be, asking any live node; `deadline` is its `expires_at`.
    /// Answers the transaction's JSON, whose `status` is `final`, or `expired` after the deadline.
    pub fn wait(&self, id: &TransactionId, deadline: Timestamp, now: impl Fn() -> Timestamp) -> ClientResult<Value> {
        loop {
            let answer = self.get(&format!("/v1/transactions/{id}?wait_ms={WAIT_STEP_MS}"))?;
            if answer["status"] == "final" || answer["status"] == "expired" || now() > deadline {
                return Ok(answer);
            }
        }
    }

    /// One request to the first node that answers.
    fn request(&self, method: Method, path: &str, accept: &str, body: &[u8]) -> ClientResult<Vec<u8>> {
        let mut tried = Vec::new();
        for step in 0..self.nodes.len() {
            let index = (self.current.load(Ordering::Relaxed) + step) % self.nodes.len();
            let node = &self.nodes[index];
            match self.send(node, method.clone(), path, accept, body) {
                Ok(response) => {
                    self.current.store(index, Ordering::Relaxed);
                    return self.read(response);
                }
                Err(error) => tried.push(format!("{node}: {error}")),
            }
        }
        let tried = if tried.is_empty() { "no node is configured".into() } else { tried.join("; ") };
        Err(ClientError::Unreachable { tried })
    }

    fn send(
        &self,
        node: &str,
        method: Method,
        path: &str,
        accept: &str,
        body: &[u8],
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("{node}{path}"))
            .header("accept", accept)
            .header("content-type", "application/octet-stream");
        if let Some(reader) = &self.reader {
            for (name, value) in reader.headers(method.as_str(), path, body) {
                request = request.header(name, value);
            }
        }
        if method == Method::GET { self.agent.run(request.body(())?) } else { self.agent.run(request.body(body)?) }
    }

    fn read(&self, mut response: Response<ureq::Body>) -> ClientResult<Vec<u8>> {
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
        let body = body.map_err(|error| self.foreign(error))?;
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let document: Value = serde_json::from_slice(&body).map_err(|error| self.foreign(error))?;
        let text = |field: &str| document[field].as_str().unwrap_or_default().to_owned();
        let (code, detail) = (text("code"), text("detail"));
        Err(ClientError::Refused(Box::new(Problem { status, code, detail, document })))
    }

    fn foreign(&self, reason: impl std::fmt::Display) -> ClientError {
        ClientError::Foreign { node: self.node().into(), reason: reason.to_string() }
    }
}

impl Reader {
    fn headers(&self, method: &str, path: &str, body: &[u8]) -> [(&'static str, String); 5] {
        let time = crate::clock::now();
        let body = Hash(*blake3::hash(body).as_bytes());
        let mut message = REQUEST_CONTEXT.to_vec();
        (self.chain, method, path, time, self.account, body).encode_to(&mut message);
        [
            ("portolan-body", body.to_string()),
            ("portolan-account", self.account.to_string()),
            ("portolan-key", self.key.public().id().to_string()),
            ("portolan-time", time.0.to_string()),
            ("portolan-signature", self.key.sign(&message).to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    /// A node that answers one request with the given status and body, and returns the request's text.
    fn node(status: &'static str, body: &'static str) -> (String, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let handle = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(body.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (address, handle)
    }

    fn dead() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    #[test]
    fn a_dead_node_is_passed_over() {
        let (live, _handle) = node("200 OK", r#"{"height":7}"#);
        let client = Client::new(vec![dead(), live.clone()]);
        assert_eq!(client.get("/v1/status").unwrap()["height"], 7);
        assert_eq!(client.node(), live);
    }

    #[test]
    fn no_live_node_names_all_that_were_tried() {
        let nodes = vec![dead(), dead()];
        let error = Client::new(nodes.clone()).get("/v1/status").unwrap_err();
        assert!(matches!(&error, ClientError::Unreachable { tried } if nodes.iter().all(|node| tried.contains(node))));
    }

    #[test]
    fn a_refusal_is_not_tried_elsewhere() {
        let (first, _handle) = node("409 Conflict", r#"{"code":"already_final","detail":"it ran at height 3"}"#);
        let error = Client::new(vec![first, dead()]).get("/v1/x").unwrap_err();
        assert_eq!(error.to_string(), "already_final: it ran at height 3");
    }

    #[test]
    fn an_answer_of_another_protocol_is_said_to_be_foreign() {
        let (first, _handle) = node("200 OK", "<html>");
        assert!(matches!(Client::new(vec![first]).get("/v1/status"), Err(ClientError::Foreign { .. })));
    }

    /// Whether the request's text bears the key's signature over this method, path and body.
    fn is_signed(request: &str, key: &portolan_primitives::PublicKey, method: &str, path: &str, body: &[u8]) -> bool {
        let header = |name: &str| {
            let line = request.lines().find(|line| line.to_lowercase().starts_with(name)).unwrap();
            line.split_once(": ").unwrap().1.trim().to_owned()
        };
        let time = Timestamp(header("portolan-time").parse().unwrap());
        let body = Hash(*blake3::hash(body).as_bytes());
        assert_eq!(header("portolan-body"), body.to_string());
        let mut message = b"portolan 2026 signed request v1\0".to_vec();
        (Hash([3; 32]), method, path, time, AccountId([2; 16]), body).encode_to(&mut message);
        let text = header("portolan-signature");
        let bytes: Vec<u8> = (0..64).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect();
        key.verify(&message, &portolan_primitives::Signature::Ed25519(bytes.try_into().unwrap()))
    }

    fn reader() -> Reader {
        let key = SigningKey::from_secret(&[1; 32]).unwrap();
        Reader { account: AccountId([2; 16]), key, chain: Hash([3; 32]) }
    }

    #[test]
    fn a_signed_read_verifies_over_what_was_asked() {
        let (address, handle) = node("200 OK", "{}");
        let key = reader().key.public();
        Client::new(vec![address]).signed_for(reader()).get("/v1/deposits?bank=x").unwrap();
        let request = handle.join().unwrap();
        assert!(is_signed(&request, &key, "GET", "/v1/deposits?bank=x", b""));
    }

    #[test]
    fn a_signature_covers_the_body_that_is_sent() {
        let (address, handle) = node("200 OK", "{}");
        let key = reader().key.public();
        Client::new(vec![address]).signed_for(reader()).post("/v1/contracts/x/query", b"question").unwrap();
        let request = handle.join().unwrap();
        assert!(is_signed(&request, &key, "POST", "/v1/contracts/x/query", b"question"));
    }
}
