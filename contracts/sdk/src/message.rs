//! Messages on the wire: bounded decoding, the standard error, and typed calls over a transport.

use alloc::{vec, vec::Vec};
use core::marker::PhantomData;

use codec::{Decode, DecodeLimit, Encode};
use scale_info::TypeInfo;

use crate::{CallRefusal, ContractId, env};

/// Deepest nesting of a message; a deeper one is no message of any contract.
pub const MAX_MESSAGE_DEPTH: u32 = 32;

/// What a contract reverts with: its own error, or that the bytes were no message of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum ContractError<E> {
    /// The contract refused.
    #[codec(index = 0)]
    Contract(E),
    /// The input does not decode whole as a message of this contract, within [`MAX_MESSAGE_DEPTH`].
    #[codec(index = 1)]
    BadMessage,
}

/// Why a call of a [`Client`](crate::interface) gave no value. Can be a variant's field of the caller's own error, so that
/// people see the whole chain of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum CallError<E> {
    /// The callee refused.
    #[codec(index = 0)]
    Contract(E),
    /// The callee does not know this message: caller and callee were built from different interfaces.
    #[codec(index = 1)]
    BadMessage,
    /// The callee trapped or ran out of the gas given to it.
    #[codec(index = 2)]
    Failed,
    /// No contract under that id.
    #[codec(index = 3)]
    UnknownContract,
    /// Deeper than [`MAX_CALL_DEPTH`](crate::abi::MAX_CALL_DEPTH).
    #[codec(index = 4)]
    TooDeep,
    /// The callee is already on the call stack.
    #[codec(index = 5)]
    Reentrant,
    /// The callee's value or error is not of the type that the interface names.
    #[codec(index = 6)]
    BadReply,
}

impl<E> CallError<E> {
    /// The callee's own error, if it was that.
    pub fn contract(self) -> Option<E> {
        match self {
            Self::Contract(error) => Some(error),
            _ => None,
        }
    }
}

/// Carries messages to contracts: from another contract, from a test, from a tool.
pub trait Transport {
    /// Runs a call with at most `gas` (0: all that is left).
    ///
    /// # Errors
    /// Why there is no output; [`CallRefusal::Reverted`] comes with the callee's error.
    fn call(&self, contract: ContractId, input: &[u8], gas: u64) -> Result<Vec<u8>, (CallRefusal, Vec<u8>)>;
}

/// A transport that carries questions too. A contract has none: its questions to others are ordinary calls.
pub trait QueryTransport: Transport {
    /// Asks a question.
    ///
    /// # Errors
    /// Why there is no output; [`CallRefusal::Reverted`] comes with the callee's error.
    fn query(&self, contract: ContractId, input: &[u8]) -> Result<Vec<u8>, (CallRefusal, Vec<u8>)>;
}

/// From the running contract to another one.
#[derive(Clone, Copy, Debug, Default)]
pub struct CrossContract;

impl Transport for CrossContract {
    fn call(&self, contract: ContractId, input: &[u8], gas: u64) -> Result<Vec<u8>, (CallRefusal, Vec<u8>)> {
        env::call(contract, input, gas)
    }
}

/// What an interface's `Client` wraps: the way to one contract.
#[derive(Clone, Debug)]
pub struct Channel<T> {
    contract: ContractId,
    gas: u64,
    transport: T,
}

impl<T> Channel<T> {
    /// To `contract`, with all the gas that is left.
    pub const fn new(contract: ContractId, transport: T) -> Self {
        Self { contract, gas: 0, transport }
    }

    /// The same, with at most `gas` a call (0: all that is left).
    #[must_use]
    pub fn with_gas(mut self, gas: u64) -> Self {
        self.gas = gas;
        self
    }
}

impl<T: Transport> Channel<T> {
    /// Sends an interface's `Call`.
    ///
    /// # Errors
    /// The callee's error, or why it gave none.
    pub fn call<M: Encode, O: Decode, E: Decode>(&self, message: &M) -> Result<O, CallError<E>> {
        read_reply(self.transport.call(self.contract, &message.encode(), self.gas))
    }
}

impl<T: QueryTransport> Channel<T> {
    /// Asks an interface's `Query`.
    ///
    /// # Errors
    /// The callee's error, or why it gave none.
    pub fn query<M: Encode, O: Decode, E: Decode>(&self, message: &M) -> Result<O, CallError<E>> {
        read_reply(self.transport.query(self.contract, &message.encode()))
    }
}

fn read_reply<O: Decode, E: Decode>(reply: Result<Vec<u8>, (CallRefusal, Vec<u8>)>) -> Result<O, CallError<E>> {
    Err(match reply {
        Ok(output) => return decode_whole(&output).ok_or(CallError::BadReply),
        Err((CallRefusal::Reverted, error)) => match decode_whole::<ContractError<E>>(&error) {
            Some(ContractError::Contract(error)) => CallError::Contract(error),
            Some(ContractError::BadMessage) => CallError::BadMessage,
            None => CallError::BadReply,
        },
        Err((CallRefusal::Failed, _)) => CallError::Failed,
        Err((CallRefusal::UnknownContract, _)) => CallError::UnknownContract,
        Err((CallRefusal::TooDeep, _)) => CallError::TooDeep,
        Err((CallRefusal::Reentrant, _)) => CallError::Reentrant,
    })
}

/// Decodes `bytes` as one value: nothing may be left, nothing may nest deeper than [`MAX_MESSAGE_DEPTH`].
pub(crate) fn decode_whole<T: Decode>(bytes: &[u8]) -> Option<T> {
    T::decode_all_with_depth_limit(MAX_MESSAGE_DEPTH, &mut &*bytes).ok()
}

pub(crate) fn bad_message() -> Vec<u8> {
    ContractError::<()>::BadMessage.encode()
}

/// For generated code: the message in `input`, or the encoded refusal.
pub fn decode<T: Decode>(input: &[u8]) -> Result<T, Vec<u8>> {
    decode_whole(input).ok_or_else(bad_message)
}

/// For generated code: a method's result as the wire carries it.
pub fn reply<T: Encode, E: Encode>(result: Result<T, E>) -> Result<Vec<u8>, Vec<u8>> {
    match result {
        Ok(value) => Ok(value.encode()),
        Err(error) => Err(ContractError::Contract(error).encode()),
    }
}

/// For generated code: an entry that the contract does not declare takes nothing and does nothing.
pub fn nothing(input: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
    if input.is_empty() { Ok(vec![]) } else { Err(bad_message()) }
}

/// Keeps a type in a signature without holding it.
pub(crate) type Marker<T> = PhantomData<fn() -> T>;

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain of boxes, each in the one before.
    #[derive(Debug, PartialEq, Eq, Encode, Decode)]
    struct Nested(Vec<Nested>);

    fn nested(depth: u32) -> Vec<u8> {
        (1..depth).fold(Nested(vec![]), |inner, _| Nested(vec![inner])).encode()
    }

    #[test]
    fn a_message_is_whole_and_nests_no_deeper_than_it_may() {
        assert_eq!(decode::<u16>(&[1, 0]), Ok(1));
        assert_eq!(decode::<u16>(&[1, 0, 0]), Err(bad_message()));
        assert_eq!(decode::<u16>(&[1]), Err(bad_message()));
        assert!(decode::<Nested>(&nested(MAX_MESSAGE_DEPTH - 2)).is_ok());
        assert_eq!(decode::<Nested>(&nested(MAX_MESSAGE_DEPTH * 2)), Err(bad_message()));
    }

    #[test]
    fn a_reply_says_why_there_is_no_output() {
        let read = |reply: Result<Vec<u8>, (CallRefusal, Vec<u8>)>| read_reply::<u8, u16>(reply);
        assert_eq!(read(Ok(vec![7])), Ok(7));
        assert_eq!(read(Ok(vec![7, 7])), Err(CallError::BadReply));
        let own = ContractError::Contract(5u16).encode();
        assert_eq!(read(Err((CallRefusal::Reverted, own))), Err(CallError::Contract(5)));
        assert_eq!(read(Err((CallRefusal::Reverted, bad_message()))), Err(CallError::BadMessage));
        assert_eq!(read(Err((CallRefusal::Reverted, vec![9]))), Err(CallError::BadReply));
        let refused = |refusal| read(Err((refusal, vec![])));
        assert_eq!(refused(CallRefusal::Failed), Err(CallError::Failed));
        assert_eq!(refused(CallRefusal::UnknownContract), Err(CallError::UnknownContract));
        assert_eq!(refused(CallRefusal::TooDeep), Err(CallError::TooDeep));
        assert_eq!(refused(CallRefusal::Reentrant), Err(CallError::Reentrant));
    }
}
