//! Plain typed reads of what the chain knows: for the node, and for the runtime itself.
//!
//! Must never guess: what is not in the state is `None`, a default that is written down, or a fault.

use codec::{DecodeAll, Encode};
use portolan_primitives::{Height, ValidatorSet};
use portolan_vm::HostResult;

use crate::ledger::{Ledger, fault};
use crate::native::clock::{self, Cursor, Network};
use crate::native::records::{Key, KeyPurpose, Parameter, Record, Validators};
use crate::parameters::{self, ChainParameter};

/// Value of a chain parameter: what governance set, or its default.
pub fn parameter(ledger: &mut Ledger, parameter: &ChainParameter) -> HostResult<u64> {
    let Some(Parameter(value)) = ledger.get(&parameter.name.to_owned())? else { return Ok(parameter.default) };
    let known = u64::decode_all(&mut value.as_slice()).ok();
    let bounds = parameter.least..=parameter.most;
    known
        .filter(|value| bounds.contains(value))
        .ok_or_else(|| fault(format!("parameter `{}` lies outside its bounds", parameter.name)))
}

/// SCALE of a parameter's value under any name, defaults of the chain included.
pub fn parameter_bytes(ledger: &mut Ledger, name: &str) -> HostResult<Option<Vec<u8>>> {
    let set = ledger.get::<Parameter>(&name.to_owned())?.map(|parameter| parameter.0);
    Ok(set.or_else(|| parameters::find(name).map(|parameter| parameter.default.encode())))
}

/// The set that certifies the block at `height`.
pub fn validators(ledger: &mut Ledger, height: Height) -> HostResult<ValidatorSet> {
    let validators = ledger.get::<Validators>(&())?;
    let validators = validators.ok_or_else(|| fault("the state has no validators: it is not a state after genesis"))?;
    Ok(validators.at(height).clone())
}

/// Keys of the members' nodes, valid or not: see [`Key::valid_at`].
pub fn node_keys(ledger: &mut Ledger) -> HostResult<Vec<Key>> {
    let keys = all::<Key>(ledger)?;
    Ok(keys.into_iter().map(|(_, key)| key).filter(|key| key.purpose == KeyPurpose::Node).collect())
}

/// All records of a kind, in the order of their ids.
pub fn all<R: Record>(ledger: &mut Ledger) -> HostResult<Vec<(R::Id, R)>> {
    let mut found = vec![];
    loop {
        let page = ledger.list::<R>(&[], found.last().map(|(id, _)| id), PAGE)?;
        let last = (page.len() as u32) < PAGE;
        found.extend(page);
        if last {
            return Ok(found);
        }
    }
}

const PAGE: u32 = 1_000;

/// What the chain is.
pub fn network(ledger: &mut Ledger) -> HostResult<Network> {
    clock::network(ledger)
}

/// The business date and where it moves to.
pub fn cursor(ledger: &mut Ledger) -> HostResult<Cursor> {
    clock::cursor(ledger)
}
