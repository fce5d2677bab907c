//! Governed parameters: the chain's own within their bounds, and those that contracts read under any other name.

use codec::{Decode, DecodeAll, Encode};
use portolan_primitives::id::is_name;
use portolan_sdk::metadata::ContractMetadata;
use scale_info::TypeInfo;

use super::records::Parameter;
use super::{Context, NativeError, NativeModule, NativeResult, decode_message};
use crate::parameters::{ALL, find};

/// Longest value of a parameter, bytes.
pub const MAX_VALUE: usize = 4096;

/// Why a message about parameters was refused.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum ParametersError {
    /// Only governance may do this; make a proposal with `portolan governance propose`.
    #[codec(index = 0)]
    NotGoverned,
    /// Names have 1 to 48 characters of a-z, 0-9, `-` and `.`, the first a letter or digit.
    #[codec(index = 1)]
    BadName,
    /// A value has at most 4,096 bytes.
    #[codec(index = 2)]
    TooLong,
    /// A parameter of the chain is a whole number of 8 bytes.
    #[codec(index = 3)]
    NotANumber,
    /// The number lies outside the parameter's bounds.
    #[codec(index = 4)]
    OutOfBounds {
        /// Least.
        least: u64,
        /// Most.
        most: u64,
    },
    /// No parameter of that name was set, and the chain has none.
    #[codec(index = 5)]
    UnknownParameter,
}

/// What happened to parameters.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum ParametersEvent {
    /// A parameter has a new value from the next block on.
    #[codec(index = 0)]
    Set {
        /// Its name.
        name: String,
        /// SCALE of its value.
        value: Vec<u8>,
    },
}

/// A parameter as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ParameterView {
    /// Its name.
    pub name: String,
    /// SCALE of its value: what was set, or the default.
    pub value: Vec<u8>,
    /// The value as a number, where it is one of the chain's.
    pub number: Option<u64>,
    /// What it bounds, where it is one of the chain's.
    pub doc: String,
}

/// Governed parameters.
#[portolan_sdk::interface(name = "parameters", error = ParametersError, event = ParametersEvent, module = messages)]
pub trait Messages {
    /// Governance: sets a parameter.
    #[call(index = 0)]
    fn set(&mut self, name: String, value: Vec<u8>) -> Result<(), ParametersError>;
    /// The chain's parameters, and all others that were set.
    #[query(index = 0, path = "/parameters")]
    fn parameters(&self) -> Result<Vec<ParameterView>, ParametersError>;
    /// One parameter.
    #[query(index = 1, path = "/parameters/{name}")]
    fn parameter(&self, name: String) -> Result<ParameterView, ParametersError>;
}

/// The module.
pub struct Parameters;

impl NativeModule for Parameters {
    fn metadata(&self) -> ContractMetadata {
        messages::metadata()
    }

    fn call(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>> {
        let messages::Call::Set { name, value } = decode_message(input)?;
        if !context.is_governance() {
            return Err(NativeError::refused(ParametersError::NotGoverned));
        }
        check(&name, &value).map_err(NativeError::refused)?;
        context.put(&name, &Parameter(value.clone()))?;
        context.emit(&ParametersEvent::Set { name, value })?;
        Ok(vec![])
    }

    fn query(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>> {
        match decode_message(input)? {
            messages::Query::Parameters => all(context).map(|views| views.encode()),
            messages::Query::Parameter { name } => {
                let unknown = || NativeError::refused(ParametersError::UnknownParameter);
                view(context, name)?.ok_or_else(unknown).map(|view| view.encode())
            }
        }
    }
}

/// Whether a parameter may have that value. Genesis asks this too.
pub fn check(name: &str, value: &[u8]) -> Result<(), ParametersError> {
    if !is_name(name) {
        return Err(ParametersError::BadName);
    }
    if value.len() > MAX_VALUE {
        return Err(ParametersError::TooLong);
    }
    let Some(parameter) = find(name) else { return Ok(()) };
    let number = u64::decode_all(&mut &*value).map_err(|_| ParametersError::NotANumber)?;
    let (least, most) = (parameter.least, parameter.most);
    if (least..=most).contains(&number) { Ok(()) } else { Err(ParametersError::OutOfBounds { least, most }) }
}

fn view(context: &mut Context<'_>, name: String) -> NativeResult<Option<ParameterView>> {
    let set = context.get::<Parameter>(&name)?.map(|parameter| parameter.0);
    let chain = find(&name);
    let Some(value) = set.or_else(|| chain.map(|parameter| parameter.default.encode())) else { return Ok(None) };
    let number = chain.and_then(|_| u64::decode_all(&mut value.as_slice()).ok());
    let doc = chain.map_or(String::new(), |parameter| parameter.doc.into());
    Ok(Some(ParameterView { name, value, number, doc }))
}

fn all(context: &mut Context<'_>) -> NativeResult<Vec<ParameterView>> {
    let mut names: Vec<String> = ALL.iter().map(|parameter| parameter.name.into()).collect();
    let set = context.list::<Parameter>(&[], None, u32::MAX)?;
    names.extend(set.into_iter().map(|(name, _)| name));
    names.sort_unstable();
    names.dedup();
    let views: NativeResult<Vec<_>> = names.into_iter().map(|name| view(context, name)).collect();
    Ok(views?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_parameter_keeps_its_bounds_and_its_form() {
        assert_eq!(check("block.transactions", &100u64.encode()), Ok(()));
        assert_eq!(
            check("block.transactions", &0u64.encode()),
            Err(ParametersError::OutOfBounds { least: 1, most: 16_384 })
        );
        assert_eq!(check("block.transactions", &[1]), Err(ParametersError::NotANumber));
        assert_eq!(check("block.transactions", &[0; 9]), Err(ParametersError::NotANumber));
    }

    #[test]
    fn a_contracts_parameter_is_any_bytes_under_a_plain_name() {
        assert_eq!(check("receivable.dust", &[1, 2, 3]), Ok(()));
        assert_eq!(check("No Name", &[]), Err(ParametersError::BadName));
        assert_eq!(check("long", &[0; MAX_VALUE + 1]), Err(ParametersError::TooLong));
    }
}
