//! Which contracts and native modules there are at a block, what they say about themselves, and which path below `/v1` asks
//! which of their questions. Made anew when a block deployed or upgraded something.
//!
//! Native modules come before contracts, and a path's words before its parameters, so that no contract can take over what is
//! another's. Must never trust a description beyond what reading it checked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Bytes;
use portolan_primitives::id::is_name;
use portolan_primitives::{ContractId, Hash, Height};
use portolan_runtime::facts;
use portolan_runtime::native::Native;
use portolan_runtime::native::records::Instance;
use portolan_runtime::{Ledger, Runtime};
use portolan_sdk::metadata::{ContractMetadata, Query};

use super::arguments::is_account;
use super::limits::{KEPT_DESCRIPTIONS, PATH_SEGMENTS};
use super::{Api, from_host};
use crate::handle::{ReadError, Tip};

/// A contract or native module.
#[derive(Debug)]
pub struct Contract {
    /// Its id.
    pub id: ContractId,
    /// Its name.
    pub name: String,
    /// Whether it is a module of the chain itself.
    pub native: bool,
    /// Counts deployments and upgrades, from 1; 0 for a native module.
    pub version: u32,
    /// Hash of its code; zero for a native module.
    pub code: Hash,
    /// Height of its last deployment or upgrade.
    pub since: Height,
    /// What it says about itself, if it says anything.
    pub metadata: Option<Arc<ContractMetadata>>,
}

/// All contracts of a block.
#[derive(Debug)]
pub struct Catalog {
    contracts: Vec<Arc<Contract>>,
    routes: Vec<Route>,
    /// The OpenAPI document, once somebody asked for it.
    pub openapi: OnceLock<Bytes>,
}

/// A question under its path.
#[derive(Debug)]
pub struct Route {
    /// Whose.
    pub contract: Arc<Contract>,
    /// Its place among the contract's questions.
    question: usize,
    segments: Vec<Segment>,
}

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Word(String),
    /// An argument; accounts may be written as two segments, `member/account`.
    Argument {
        name: String,
        account: bool,
    },
}

/// A path that is some question's, with the arguments that it gives.
#[derive(Debug)]
pub struct Matched<'a> {
    /// The question.
    pub route: &'a Route,
    /// Names and texts of arguments.
    pub arguments: Vec<(String, String)>,
}

impl Route {
    /// The question's description.
    pub fn query(&self) -> Option<&Query> {
        self.contract.metadata.as_ref()?.queries.get(self.question)
    }

    /// The route of a question; `None` if its path can't be one.
    fn of(contract: &Arc<Contract>, question: usize) -> Option<Self> {
        let metadata = contract.metadata.as_ref()?;
        let query = metadata.queries.get(question)?;
        let words: Vec<&str> = query.path.strip_prefix('/')?.split('/').collect();
        if words.len() > PATH_SEGMENTS {
            return None;
        }
        let segment = |word: &&str| match word.strip_prefix('{') {
            Some(rest) => {
                let name = rest.strip_suffix('}')?;
                let argument = query.message.arguments.iter().find(|argument| argument.name == name)?;
                Some(Segment::Argument { name: name.into(), account: is_account(&metadata.types, argument.ty) })
            }
            None => is_name(word).then(|| Segment::Word((*word).into())),
        };
        let segments = words.iter().map(segment).collect::<Option<Vec<_>>>()?;
        Some(Self { contract: contract.clone(), question, segments })
    }

    /// The path as documents write it.
    pub fn path(&self) -> String {
        let text = |segment: &Segment| match segment {
            Segment::Word(word) => format!("/{word}"),
            Segment::Argument { name, .. } => format!("/{{{name}}}"),
        };
        self.segments.iter().map(text).collect()
    }

    /// Names of the arguments that the path gives.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Argument { name, .. } => Some(name.as_str()),
            Segment::Word(_) => None,
        })
    }

    fn reads(&self, path: &[String]) -> Option<Vec<(String, String)>> {
        read_segments(&self.segments, path)
    }

    /// What makes two routes take the same paths, words first.
    fn shape(&self) -> Vec<Option<&str>> {
        let word = |segment: &'_ Segment| match segment {
            Segment::Word(_) => false,
            Segment::Argument { .. } => true,
        };
        self.segments.iter().map(|segment| if word(segment) { None } else { segment.word() }).collect()
    }
}

impl Segment {
    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Argument { .. } => None,
        }
    }
}

fn read_segments(segments: &[Segment], path: &[String]) -> Option<Vec<(String, String)>> {
    let (Some((segment, segments)), Some((first, rest))) = (segments.split_first(), path.split_first()) else {
        return (segments.is_empty() && path.is_empty()).then(Vec::new);
    };
    match segment {
        Segment::Word(word) => (word == first).then(|| read_segments(segments, rest)).flatten(),
        Segment::Argument { name, account } => {
            let with = |text: String, rest: &[String]| {
                let mut arguments = read_segments(segments, rest)?;
                arguments.insert(0, (name.clone(), text));
                Some(arguments)
            };
            let one = with(first.clone(), rest);
            one.or_else(|| match rest.split_first() {
                Some((second, rest)) if *account && is_name(first) && is_name(second) => {
                    with(format!("{first}/{second}"), rest)
                }
                _ => None,
            })
        }
    }
}

impl Catalog {
    /// Of these contracts.
    pub(super) fn new(mut contracts: Vec<Arc<Contract>>) -> Self {
        contracts.sort_by(|one, other| (!one.native, &one.name).cmp(&(!other.native, &other.name)));
        let mut routes: Vec<Route> = Vec::new();
        for contract in &contracts {
            let questions = contract.metadata.as_ref().map_or(0, |metadata| metadata.queries.len());
            for question in 0..questions {
                match Route::of(contract, question) {
                    Some(route) if routes.iter().all(|known| known.shape() != route.shape()) => routes.push(route),
                    _ => tracing::warn!(
                        contract = contract.name,
                        question,
                        "a question's path can't be served; ask it by its message"
                    ),
                }
            }
        }
        Self { contracts, routes, openapi: OnceLock::new() }
    }

    /// All, native modules first, then by name.
    pub fn contracts(&self) -> &[Arc<Contract>] {
        &self.contracts
    }

    /// All questions with a path.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The contract under `id`.
    pub fn by_id(&self, id: &ContractId) -> Option<&Arc<Contract>> {
        self.contracts.iter().find(|contract| contract.id == *id)
    }

    /// The contract with this name or id in text.
    pub fn find(&self, name: &str) -> Option<&Arc<Contract>> {
        self.contracts.iter().find(|contract| contract.name == name).or_else(|| self.by_id(&name.parse().ok()?))
    }

    /// The contract's name, or its id in text.
    pub fn name(&self, id: &ContractId) -> String {
        self.by_id(id).map_or_else(|| id.to_string(), |contract| contract.name.clone())
    }

    /// The question under a path below `/v1`, given as decoded segments; words win over arguments, from the left.
    pub fn matched(&self, path: &[String]) -> Option<Matched<'_>> {
        let reads = |route| Route::reads(route, path).map(|arguments| Matched { route, arguments });
        let of_words = |matched: &Matched<'_>| -> Vec<bool> {
            matched.route.segments.iter().map(|segment| segment.word().is_none()).collect()
        };
        self.routes.iter().filter_map(reads).min_by_key(of_words)
    }
}

#[derive(Debug)]
struct Last {
    height: Height,
    instances: Vec<(ContractId, Instance)>,
    catalog: Arc<Catalog>,
}

/// The catalog of the last block, and descriptions by code.
#[derive(Debug, Default)]
pub struct Catalogs {
    last: Mutex<Option<Last>>,
    descriptions: Mutex<BTreeMap<Hash, Option<Arc<ContractMetadata>>>>,
}

impl Catalogs {
    fn known(&self, tip: &Tip) -> Option<Arc<Catalog>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|last| last.height == tip.head.header.height).map(|last| last.catalog.clone())
    }

    /// The catalog at `tip`; reads the state.
    fn read(&self, runtime: &Runtime, tip: &Tip) -> Result<Arc<Catalog>, ReadError> {
        let instances = facts::all::<Instance>(&mut Ledger::new(tip.view.clone())).map_err(from_host)?;
        let same = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let same = last.as_mut().filter(|last| last.instances == instances);
            same.map(|last| {
                last.height = last.height.max(tip.head.header.height);
                last.catalog.clone()
            })
        };
        if let Some(catalog) = same {
            return Ok(catalog);
        }
        let contracts: Result<Vec<_>, _> =
            instances.iter().map(|(id, instance)| self.contract(runtime, tip, *id, instance)).collect();
        let natives = Native::ALL.iter().map(|native| Arc::new(of_native(*native)));
        let catalog = Arc::new(Catalog::new(natives.chain(contracts?).collect()));
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // An older block is asked for once in a while and must not push out the newest.
        if last.as_ref().is_none_or(|last| last.height <= tip.head.header.height) {
            *last = Some(Last { height: tip.head.header.height, instances, catalog: catalog.clone() });
        }
        Ok(catalog)
    }

    fn contract(
        &self,
        runtime: &Runtime,
        tip: &Tip,
        id: ContractId,
        instance: &Instance,
    ) -> Result<Arc<Contract>, ReadError> {
        let known = self.descriptions.lock().unwrap_or_else(PoisonError::into_inner).get(&instance.code).cloned();
        let metadata = match known {
            Some(metadata) => metadata,
            None => {
                let read = runtime.metadata(tip.view.clone(), id).map_err(from_host)?.map(Arc::new);
                let mut descriptions = self.descriptions.lock().unwrap_or_else(PoisonError::into_inner);
                if descriptions.len() >= KEPT_DESCRIPTIONS {
                    descriptions.clear();
                }
                descriptions.insert(instance.code, read.clone());
                read
            }
        };
        let (name, version, code, since) = (instance.name.clone(), instance.version, instance.code, instance.since);
        Ok(Arc::new(Contract { id, name, native: false, version, code, since, metadata }))
    }
}

/// A module of the chain itself.
pub(super) fn of_native(native: Native) -> Contract {
    Contract {
        id: native.id(),
        name: native.name().into(),
        native: true,
        version: 0,
        code: Hash::ZERO,
        since: Height(0),
        metadata: Some(Arc::new(native.module().metadata())),
    }
}

impl Api {
    /// The catalog at `tip`.
    pub(super) async fn catalog(self: &Arc<Self>, tip: &Arc<Tip>) -> Result<Arc<Catalog>, ReadError> {
        if let Some(known) = self.catalogs.known(tip) {
            return Ok(known);
        }
        let (api, tip) = (self.clone(), tip.clone());
        self.handle.read(move |reader| api.catalogs.read(&reader.runtime, &tip)).await
    }
}
