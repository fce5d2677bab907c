//! Macros of the contract SDK: [`macro@interface`] turns a trait into messages, dispatcher, client and metadata;
//! [`derive@Key`] makes a struct usable as a storage key.
//!
//! Use them through `portolan_sdk`, which re-exports both. Must never decide anything at run time: what is generated calls
//! into `portolan_sdk::__private`, where the logic can be read and tested.
#![forbid(unsafe_code)]

mod expand;
mod key;
mod model;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemTrait, parse_macro_input};

/// Makes a contract's interface of a trait.
///
/// ```text
/// #[portolan_sdk::interface(name = "receivable", error = ReceivableError, event = ReceivableEvent)]
/// pub trait Receivable {
///     /// Splits a part into two or more.
///     #[call(index = 2)]
///     fn split(&mut self, part: PartId, amounts: Vec<i128>) -> Result<Vec<PartId>, ReceivableError>;
///     /// One certificate.
///     #[query(index = 0, path = "/receivables/{id}")]
///     fn certificate(&self, id: CertificateId) -> Result<CertificateView, ReceivableError>;
/// }
/// ```
///
/// Arguments: `name` (the instance's name: lower-case words joined by `-`), `error`, `event`; optional `version` (else the
/// crate's) and `module` (else the trait's name in snake case).
///
/// Methods carry exactly one of `#[call(index = N)]` (`&mut self`, or `&self` if it only reads), `#[query(index = N, path =
/// "/…/{argument}")]` (`&self`), `#[instantiate]` and `#[migrate]` (`&mut self`, at most one each). All return
/// `Result<T, ERROR>`. Indices and paths are part of the protocol: never reuse one.
///
/// Use it at the level of a module, not within a function: the generated module takes the types' names from around the trait.
/// That module holds `NAME`, `CONTRACT`, `Call`, `Query`, `Instantiate` and `Migrate` (if declared), `dispatch`,
/// `emit`, `schedule`, `Client` and, natively, `metadata`.
#[proc_macro_attribute]
pub fn interface(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as model::Arguments);
    let item = parse_macro_input!(item as ItemTrait);
    model::Interface::read(arguments, item)
        .map_or_else(syn::Error::into_compile_error, |interface| expand::interface(&interface))
        .into()
}

/// Makes a struct of keys, or an enum without fields, a storage key: its fields in their order, an enum as one byte.
#[proc_macro_derive(Key)]
pub fn derive_key(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    key::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
