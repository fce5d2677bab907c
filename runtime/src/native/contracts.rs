//! The registry of contracts: code by hash, instances by name, versions, upgrade with a migration.
//!
//! Only governance (and genesis) deploys and upgrades. Code is judged by the vm's rules before it is stored; what fails half
//! way is undone whole, so the old code stays. Must never run code that was not judged.

use codec::{Decode, Encode};
use portolan_primitives::{ContractId, Domain, Hash, Height, hash, id::is_name};
use portolan_sdk::metadata::ContractMetadata;
use portolan_vm::abi::{CallRefusal, Entry};
use scale_info::TypeInfo;

use super::records::Instance;
use super::{Context, Native, NativeError, NativeModule, NativeResult, decode_message};
use crate::gas;

/// Why a message about contracts was refused.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum ContractsError {
    /// Only governance may do this; make a proposal with `portolan governance propose`.
    #[codec(index = 0)]
    NotGoverned,
    /// Names have 1 to 48 characters of a-z, 0-9, `-` and `.`, the first a letter or digit.
    #[codec(index = 1)]
    BadName,
    /// There is a contract or native module of that name, or one with the same id.
    #[codec(index = 2)]
    NameTaken,
    /// No contract has that name.
    #[codec(index = 3)]
    UnknownContract,
    /// The module may not be deployed; the reason names the byte.
    #[codec(index = 4)]
    BadModule {
        /// The check's words.
        reason: String,
    },
    /// The module's metadata does not decode, or names another contract.
    #[codec(index = 5)]
    BadMetadata,
    /// The contract refused to be instantiated.
    #[codec(index = 6)]
    InstantiateFailed {
        /// Its error in SCALE; empty if it trapped or ran out of gas.
        error: Vec<u8>,
    },
    /// The migration failed; everything is as before.
    #[codec(index = 7)]
    MigrateFailed {
        /// Its error in SCALE; empty if it trapped or ran out of gas.
        error: Vec<u8>,
    },
}

/// What happened to contracts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum ContractsEvent {
    /// A contract was deployed.
    #[codec(index = 0)]
    Deployed {
        /// Its id.
        id: ContractId,
        /// Hash of its code.
        code: Hash,
    },
    /// A contract runs new code.
    #[codec(index = 1)]
    Upgraded {
        /// Its id.
        id: ContractId,
        /// Hash of the code before.
        from: Hash,
        /// Hash of the code now.
        to: Hash,
        /// Its version now.
        version: u32,
    },
}

/// A contract as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ContractView {
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
}

/// Code and instances of contracts.
#[portolan_sdk::interface(name = "contracts", error = ContractsError, event = ContractsEvent, module = messages)]
pub trait Messages {
    /// Governance: deploys a contract and instantiates it.
    #[call(index = 0)]
    fn deploy(&mut self, name: String, code: Vec<u8>, instantiate: Vec<u8>) -> Result<ContractId, ContractsError>;
    /// Governance: gives a contract new code and migrates it.
    #[call(index = 1)]
    fn upgrade(&mut self, name: String, code: Vec<u8>, migrate: Vec<u8>) -> Result<u32, ContractsError>;
    /// All contracts and native modules.
    #[query(index = 0, path = "/contracts")]
    fn list(&self) -> Result<Vec<ContractView>, ContractsError>;
    /// One contract.
    #[query(index = 1, path = "/contracts/{name}")]
    fn contract(&self, name: String) -> Result<ContractView, ContractsError>;
}

/// The module.
pub struct Contracts;

impl NativeModule for Contracts {
    fn metadata(&self) -> ContractMetadata {
        messages::metadata()
    }

    fn call(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>> {
        let message: messages::Call = decode_message(input)?;
        if !context.is_governance() {
            return refused(ContractsError::NotGoverned);
        }
        match message {
            messages::Call::Deploy { name, code, instantiate } => {
                Ok(deploy(context, name, code, &instantiate)?.encode())
            }
            messages::Call::Upgrade { name, code, migrate } => Ok(upgrade(context, &name, code, &migrate)?.encode()),
        }
    }

    fn query(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>> {
        match decode_message(input)? {
            messages::Query::List => Ok(list(context)?.encode()),
            messages::Query::Contract { name } => {
                let id = ContractId::from_name(&name);
                let native = Native::from_id(id).map(native_view);
                let found = match native {
                    Some(view) => Some(view),
                    None => context.get::<Instance>(&id)?.map(|instance| view(id, instance)),
                };
                found.map_or_else(|| refused(ContractsError::UnknownContract), |view| Ok(view.encode()))
            }
        }
    }
}

fn refused<T>(error: ContractsError) -> NativeResult<T> {
    Err(NativeError::refused(error))
}

fn deploy(context: &mut Context<'_>, name: String, code: Vec<u8>, instantiate: &[u8]) -> NativeResult<ContractId> {
    if !is_name(&name) {
        return refused(ContractsError::BadName);
    }
    let id = ContractId::from_name(&name);
    if Native::from_id(id).is_some() || context.get::<Instance>(&id)?.is_some() {
        return refused(ContractsError::NameTaken);
    }
    let code = store_code(context, &name, code)?;
    let since = context.block().height;
    context.put(&id, &Instance { name, code, version: 1, since })?;
    enter(context, id, Entry::Instantiate, instantiate, |error| ContractsError::InstantiateFailed { error })?;
    context.emit(&ContractsEvent::Deployed { id, code })?;
    Ok(id)
}

fn upgrade(context: &mut Context<'_>, name: &str, code: Vec<u8>, migrate: &[u8]) -> NativeResult<u32> {
    let id = ContractId::from_name(name);
    let Some(before) = context.get::<Instance>(&id)? else { return refused(ContractsError::UnknownContract) };
    let to = store_code(context, name, code)?;
    let version = before.version.saturating_add(1);
    let since = context.block().height;
    context.put(&id, &Instance { name: before.name, code: to, version, since })?;
    enter(context, id, Entry::Migrate, migrate, |error| ContractsError::MigrateFailed { error })?;
    context.emit(&ContractsEvent::Upgraded { id, from: before.code, to, version })?;
    Ok(version)
}

/// Judges code and stores it under its hash.
fn store_code(context: &mut Context<'_>, name: &str, code: Vec<u8>) -> NativeResult<Hash> {
    context.charge(gas::CODE_BYTE * code.len() as u64)?;
    let facts = match portolan_vm::validate(&code, &portolan_vm::ModuleLimits::V1) {
        Ok(facts) => facts,
        Err(error) => return refused(ContractsError::BadModule { reason: error.to_string() }),
    };
    let described = facts.metadata.as_deref().map(ContractMetadata::from_bytes);
    if described.is_some_and(|metadata| !metadata.is_ok_and(|metadata| metadata.name == name)) {
        return refused(ContractsError::BadMetadata);
    }
    let id = hash(Domain::Code, &code);
    context.session().ledger.put_code(&id, code)?;
    Ok(id)
}

fn enter(
    context: &mut Context<'_>,
    id: ContractId,
    entry: Entry,
    input: &[u8],
    refusal: impl FnOnce(Vec<u8>) -> ContractsError,
) -> NativeResult<()> {
    match context.enter(id, entry, input, None)? {
        Ok(_) => Ok(()),
        Err((CallRefusal::Reverted, error)) => refused(refusal(error)),
        Err(_) => refused(refusal(vec![])),
    }
}

fn native_view(native: Native) -> ContractView {
    ContractView {
        id: native.id(),
        name: native.name().into(),
        native: true,
        version: 0,
        code: Hash::ZERO,
        since: Height(0),
    }
}

fn view(id: ContractId, instance: Instance) -> ContractView {
    let Instance { name, code, version, since } = instance;
    ContractView { id, name, native: false, version, code, since }
}

fn list(context: &mut Context<'_>) -> NativeResult<Vec<ContractView>> {
    let mut views: Vec<ContractView> = Native::ALL.iter().map(|native| native_view(*native)).collect();
    let mut after = None;
    loop {
        let page = context.list::<Instance>(&[], after.as_ref(), 256)?;
        let Some((last, _)) = page.last() else { return Ok(views) };
        after = Some(*last);
        views.extend(page.into_iter().map(|(id, instance)| view(id, instance)));
    }
}
