//! Who asks: by a signature over the request, or on the node's own machine. What the reader may see, `policy` says.
//!
//! A signature holds for one chain, method, path, body, account and minute; a replay within it asks the same again. Must never
//! take a request that came through a proxy, or from a page of a browser under another name, for the operator's.

use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use codec::Encode;
use portolan_primitives::{AccountId, Hash, KeyId, MemberStatus, PublicKey, Signature, Timestamp, hex};
use portolan_runtime::native::records::{Account, Key, KeyPurpose, Member, Person, PersonId};
use portolan_runtime::{ChainHead, Ledger};

use super::limits::SIGNATURE_TIME_MS;
use super::policy::{self, AccountReader, Denied, Reader, Resource};
use super::problem::{Answer, Problem};
use super::{Shared, from_host};
use crate::host::{Tip, wall_clock};

/// A request signs this context and the SCALE of (chain, method, path and query, time, account, hash of the body).
const REQUEST_CONTEXT: &[u8] = b"portolan 2026 signed request v1\0";
const ACCOUNT: &str = "portolan-account";
const KEY: &str = "portolan-key";
const TIME: &str = "portolan-time";
const SIGNATURE: &str = "portolan-signature";
/// BLAKE3 of the body in hex, so that the signature can be judged before the body is read; left out where there is none.
const BODY: &str = "portolan-body";

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// A request's reader, and what it asked for: handlers see nothing without it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who.
    pub reader: Reader,
    signed: Option<Signed>,
    method: String,
    path: String,
}

/// What stands behind an account's request.
#[derive(Clone, Copy, Debug)]
struct Signed {
    signer: Signer,
    body: Hash,
}

/// The account that a request is signed for, and the key that signed it.
#[derive(Clone, Copy, Debug)]
struct Signer {
    account: AccountId,
    key: KeyId,
}

impl Identity {
    /// Lets the reader see `resource`, or says why not. Logs what auditors and regulators ask for.
    pub fn may_see(&self, resource: &Resource<'_>) -> Answer<()> {
        let allowed = policy::allows(&self.reader, resource);
        if let Reader::Account(reader) = &self.reader
            && self.reader.is_watched()
        {
            let (account, member, granted) = (reader.account, reader.member, allowed.is_ok());
            tracing::info!(target: "access", %account, %member, method = self.method, path = self.path, granted, "read");
        }
        allowed.map_err(denied)
    }

    /// Refuses another body than the one that was signed.
    pub fn check_body(&self, bytes: &[u8]) -> Answer<()> {
        match self.signed {
            Some(signed) if signed.body != body_hash(bytes) => {
                let detail =
                    "the body is not the one that was signed; put its BLAKE3 hash in portolan-body and sign again";
                Err(refused("altered_body", detail))
            }
            _ => Ok(()),
        }
    }

    /// The same reader by the state of `tip`: who reads for longer than a request must still be one who may read at all.
    pub fn renewed(mut self, tip: &Tip) -> Answer<Self> {
        if let Some(signed) = &self.signed {
            self.reader = Reader::Account(signed.signer.read(tip, wall_clock())?.1);
        }
        Ok(self)
    }

    /// Whether the reader may see `resource`; for lists of which it sees a part.
    pub fn sees(&self, resource: &Resource<'_>) -> bool {
        policy::allows(&self.reader, resource).is_ok()
    }
}

fn denied(denied: Denied) -> Problem {
    match denied {
        Denied::NotIdentified => {
            let detail = "this is for readers who say who they are: sign the request with a key of one of your accounts, or ask on the node's own machine";
            Problem::new(StatusCode::UNAUTHORIZED, "not_identified", detail)
        }
        Denied::NotParty => {
            let detail = "this is for its parties and for the operator of the node; ask the operator";
            Problem::new(StatusCode::FORBIDDEN, "not_party", detail)
        }
    }
}

impl FromRequestParts<Shared> for Identity {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Answer<Self> {
        let method = parts.method.to_string();
        let path = parts.uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
        let (reader, signed) = match Claim::read(&parts.headers, &method, &path)? {
            Some(claim) => {
                let tip = api.handle.tip();
                let chain = api.handle.identity().chain;
                claim.check_time(wall_clock())?;
                let signed = Signed { signer: claim.signer, body: claim.body };
                (api.handle.read(move |_| Ok(claim.verify(&chain, &tip, wall_clock()))).await??, Some(signed))
            }
            None if is_operator(parts) => (Reader::Operator, None),
            None => (Reader::Anonymous, None),
        };
        Ok(Self { reader, signed, method, path })
    }
}

/// Without a signature, only who reaches the node on its own machine directly and under a local name is its operator.
fn is_operator(parts: &Parts) -> bool {
    let local = parts.extensions.get::<Peer>().is_some_and(|Peer(address)| address.ip().to_canonical().is_loopback());
    let forwarded =
        ["forwarded", "x-forwarded-for", "x-real-ip", "via"].iter().any(|name| parts.headers.contains_key(*name));
    local && !forwarded && has_local_name(&parts.headers) && !is_foreign_page(&parts.headers)
}

/// A page of a browser can bring a name of its own to resolve to this machine.
fn has_local_name(headers: &HeaderMap) -> bool {
    headers.get(header::HOST).is_none_or(|host| host.to_str().is_ok_and(is_local))
}

/// A page from elsewhere may send here without reading the answer; a browser says where the page is from.
fn is_foreign_page(headers: &HeaderMap) -> bool {
    let of_page = |origin: &HeaderValue| {
        let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        origin.is_some_and(|(_, host)| is_local(host))
    };
    let cross_site = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    cross_site || !headers.get_all(header::ORIGIN).iter().all(of_page)
}

fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') && (name.ends_with(']') || !name.contains(':')) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// What the headers of a request claim.
#[derive(Debug)]
struct Claim {
    signer: Signer,
    time: Timestamp,
    body: Hash,
    signature: Signature,
    method: String,
    path: String,
}

impl Claim {
    /// The claim of a request; `None` if it makes none.
    fn read(headers: &HeaderMap, method: &str, path: &str) -> Answer<Option<Self>> {
        if ![ACCOUNT, KEY, TIME, SIGNATURE, BODY].iter().any(|name| headers.contains_key(*name)) {
            return Ok(None);
        }
        let field = |name: &str| {
            let mut values = headers.get_all(name).iter();
            let first = values.next().and_then(|value| value.to_str().ok());
            first.filter(|_| values.next().is_none()).ok_or_else(|| malformed(name, "must be there once, as text"))
        };
        let account = field(ACCOUNT)?.parse().map_err(|error| malformed(ACCOUNT, error))?;
        let key = field(KEY)?.parse().map_err(|error| malformed(KEY, error))?;
        let time = field(TIME)?.parse().map(Timestamp).map_err(|error| malformed(TIME, error))?;
        let body = match headers.contains_key(BODY) {
            true => field(BODY)?.parse().map_err(|error| malformed(BODY, error))?,
            false => body_hash(&[]),
        };
        let signature = signature(field(SIGNATURE)?).ok_or_else(|| malformed(SIGNATURE, "is 64 bytes in hex"))?;
        let signer = Signer { account, key };
        Ok(Some(Self { signer, time, body, signature, method: method.into(), path: path.into() }))
    }

    fn check_time(&self, now: Timestamp) -> Answer<()> {
        if self.time.0.abs_diff(now.0) <= SIGNATURE_TIME_MS {
            return Ok(());
        }
        let detail = "the request's time is more than a minute from this node's; check the clock and sign again";
        Err(refused("stale_signature", detail).with("node_time", now.0))
    }

    /// Who signed, by the keys of the state.
    fn verify(&self, chain: &Hash, tip: &Tip, now: Timestamp) -> Answer<Reader> {
        let (key, reader) = self.signer.read(tip, now)?;
        if !key.verify(&self.message(chain), &self.signature) {
            let detail =
                "the signature is not this key's over this chain, method, path with query, time, account and body";
            return Err(refused("bad_signature", detail));
        }
        Ok(Reader::Account(reader))
    }

    fn message(&self, chain: &Hash) -> Vec<u8> {
        let mut message = REQUEST_CONTEXT.to_vec();
        (chain, &self.method, &self.path, self.time, self.signer.account, self.body).encode_to(&mut message);
        message
    }
}

impl Signer {
    /// The key and whom it reads for, if the state of `tip` still says so. A frozen member can neither give nor take, but sees
    /// what it owes; one that left sees nothing.
    fn read(&self, tip: &Tip, now: Timestamp) -> Answer<(PublicKey, AccountReader)> {
        let mut ledger = Ledger::new(tip.view.clone());
        let Some((account, key, member)) = self.records(&mut ledger).map_err(Problem::host)? else {
            return Err(refused("unknown_reader", "the account or the key is not registered; register the key first"));
        };
        let KeyPurpose::User(person) = &key.purpose else {
            return Err(refused("wrong_key_purpose", "the key is not one of a person; sign with a user key"));
        };
        let person = PersonId { member: key.member, name: person.clone() };
        let is_active = ledger.get::<Person>(&person).map_err(Problem::host)?.is_some_and(|person| person.active);
        if key.member != account.member || !is_active || member.status == MemberStatus::Left {
            return Err(refused("not_of_account", "the key is of nobody who acts for the account's member"));
        }
        if !is_valid(&key, &tip.head, now) {
            let detail = "the key is revoked, expired or not yet valid; sign with a valid one";
            return Err(refused("key_not_valid", detail));
        }
        Ok((key.key, AccountReader { account: self.account, member: account.member, roles: member.roles }))
    }

    fn records(&self, ledger: &mut Ledger) -> portolan_vm::HostResult<Option<(Account, Key, Member)>> {
        let Some(account) = ledger.get::<Account>(&self.account)? else { return Ok(None) };
        let Some(key) = ledger.get::<Key>(&self.key)? else { return Ok(None) };
        let member = ledger.get::<Member>(&account.member)?;
        Ok(member.map(|member| (account, key, member)))
    }
}

/// Plain BLAKE3, which every client has at hand; the signature around it has its own context.
fn body_hash(bytes: &[u8]) -> Hash {
    Hash(*blake3::hash(bytes).as_bytes())
}

fn is_valid(key: &Key, head: &ChainHead, now: Timestamp) -> bool {
    key.valid_at(head.header.height.next(), head.header.time.max(now))
}

fn malformed(name: &str, reason: impl std::fmt::Display) -> Problem {
    refused("malformed_signature", format!("header {name}: {reason}"))
}

fn refused(code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
}

fn signature(text: &str) -> Option<Signature> {
    let bytes: [u8; 64] = hex::decode(text)?.try_into().ok()?;
    Some(Signature::Ed25519(bytes))
}

/// The members of a transaction's sender and approvers, as the state of `tip` knows them.
pub fn parties(
    tip: &Tip,
    transaction: &portolan_primitives::Transaction,
) -> Result<Vec<portolan_primitives::MemberId>, crate::handle::ReadError> {
    let mut ledger = Ledger::new(tip.view.clone());
    let sender = ledger.get::<Account>(&transaction.body.sender).map_err(from_host)?;
    let mut parties: Vec<_> = sender.map(|account| account.member).into_iter().collect();
    for key in &transaction.body.approvers {
        let key = ledger.get::<Key>(key).map_err(from_host)?;
        parties.extend(key.map(|key| key.member));
    }
    parties.sort_unstable();
    parties.dedup();
    Ok(parties)
}
