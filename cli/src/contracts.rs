//! Typed messages and questions to the domain contracts over a node's API.

use codec::{DecodeAll, Encode};
use portolan_interface::{AccountId, MemberId};
use portolan_primitives as chain;
use portolan_primitives::{Call, ContractId};

use crate::client::Client;
use crate::error::{CliError, CliResult};

/// A contract's name, as its interface's `NAME`.
pub type Name = &'static str;

/// A message to the contract `name`.
pub fn message(name: Name, call: &impl Encode) -> Call {
    Call { contract: ContractId::from_name(name), input: call.encode() }
}

/// Asks the contract `name`; `T` is what the question returns.
pub fn ask<T: DecodeAll>(client: &Client, name: Name, question: &impl Encode) -> CliResult<T> {
    let bytes = client.post_binary(&format!("/v1/contracts/{name}/query"), &question.encode())?;
    T::decode_all(&mut bytes.as_slice()).map_err(|_| {
        let message = format!("the answer of `{name}` is of another type; do the versions of tool and network differ?");
        CliError::refused("foreign_answer", message)
    })
}

/// The contracts' form of an account id.
pub fn account(id: chain::AccountId) -> AccountId {
    AccountId(id.0)
}

/// The contracts' form of a member id.
pub fn member(name: &str) -> MemberId {
    MemberId(chain::MemberId::from_name(name).0)
}

/// The contracts' form of a date.
pub fn date(day: chain::BusinessDate) -> portolan_interface::BusinessDate {
    portolan_interface::BusinessDate(day.0)
}

/// The chain's form of a date.
pub fn chain_date(day: portolan_interface::BusinessDate) -> chain::BusinessDate {
    chain::BusinessDate(day.0)
}

/// The contracts' form of a hash.
pub fn hash(hash: chain::Hash) -> portolan_interface::Hash {
    portolan_interface::Hash(hash.0)
}
