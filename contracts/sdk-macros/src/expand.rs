//! Writes the module of an interface: messages, dispatcher, client, metadata.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::model::{Interface, Kind, Method, read_doc};

/// Context of contract ids; `portolan_primitives::ContractId::from_name` hashes with the same.
const CONTRACT_ID_CONTEXT: &str = "portolan 2026 contract id v1";

pub fn interface(interface: &Interface) -> TokenStream {
    let (item, module, visibility) = (&interface.item, &interface.module, &interface.item.vis);
    let name = interface.arguments.name.value();
    let id = contract_id(&name);
    let about = format!("Messages, dispatcher, client and metadata of the `{name}` contract.");
    let calls = messages(interface, Kind::Call, "Call", "A message that may write.");
    let queries = messages(interface, Kind::Query, "Query", "A question; nothing can be written.");
    let starts =
        [Kind::Instantiate, Kind::Migrate].map(|kind| interface.of(kind).map(start_message).collect::<TokenStream>());
    let (dispatch, client, metadata, helpers) =
        (dispatch(interface), client(interface), metadata(interface), helpers(interface));
    quote! {
        #item

        #[doc = #about]
        #visibility mod #module {
            #[allow(unused_imports)]
            use super::*;

            /// The name of the contract's instance.
            pub const NAME: &str = #name;
            /// The contract's id, derived from its name.
            pub const CONTRACT: ::portolan_sdk::ContractId = ::portolan_sdk::ContractId([#(#id),*]);
            #calls
            #queries
            #(#starts)*
            #dispatch
            #helpers
            #client
            #metadata
        }
    }
}

fn contract_id(name: &str) -> Vec<u8> {
    blake3::derive_key(CONTRACT_ID_CONTEXT, name.as_bytes())[..16].to_vec()
}

fn derives() -> TokenStream {
    quote! {
        #[derive(
            Clone, Debug, PartialEq, Eq,
            ::portolan_sdk::codec::Encode, ::portolan_sdk::codec::Decode, ::portolan_sdk::scale_info::TypeInfo,
        )]
        #[codec(crate = ::portolan_sdk::codec)]
        #[scale_info(crate = ::portolan_sdk::scale_info)]
    }
}

fn fields(method: &Method) -> TokenStream {
    let fields = method.arguments.iter().map(|(name, ty)| quote!(#name: #ty,));
    if method.arguments.is_empty() { quote!() } else { quote!({ #(#fields)* }) }
}

fn field_names(method: &Method) -> TokenStream {
    let names = method.arguments.iter().map(|(name, _)| name);
    if method.arguments.is_empty() { quote!() } else { quote!({ #(#names),* }) }
}

fn messages(interface: &Interface, kind: Kind, name: &str, about: &str) -> TokenStream {
    let (name, derives) = (format_ident!("{name}"), derives());
    let variants = interface.of(kind).map(|method| {
        let (index, doc, variant, fields) = (method.index, &method.doc, method.variant(), fields(method));
        quote!(#[codec(index = #index)] #[doc = #doc] #variant #fields,)
    });
    quote! {
        #[doc = #about]
        #derives
        #[allow(missing_docs)]
        pub enum #name { #(#variants)* }
    }
}

fn start_name(kind: Kind) -> Ident {
    format_ident!("{}", if kind == Kind::Instantiate { "Instantiate" } else { "Migrate" })
}

fn start_message(method: &Method) -> TokenStream {
    let (name, doc, derives, fields) = (start_name(method.kind), &method.doc, derives(), fields(method));
    let end = if method.arguments.is_empty() { quote!(;) } else { quote!() };
    let public = method.arguments.iter().map(|(name, ty)| quote!(pub #name: #ty,));
    let body = if fields.is_empty() { quote!() } else { quote!({ #(#public)* }) };
    quote! {
        #[doc = #doc]
        #derives
        #[allow(missing_docs)]
        pub struct #name #body #end
    }
}

fn dispatch(interface: &Interface) -> TokenStream {
    let contract = &interface.item.ident;
    let arms = |kind: Kind, message: &str| {
        let message = format_ident!("{message}");
        let arms = interface.of(kind).map(|method| {
            let (variant, fields, run) = (method.variant(), field_names(method), run(method));
            quote!(#message::#variant #fields => #run,)
        });
        quote!(match ::portolan_sdk::__private::decode::<#message>(input)? { #(#arms)* })
    };
    let start = |kind: Kind| match interface.of(kind).next() {
        Some(method) => {
            let (name, fields, run) = (start_name(kind), field_names(method), run(method));
            quote!({ let #name #fields = ::portolan_sdk::__private::decode::<#name>(input)?; #run })
        }
        None => quote!(::portolan_sdk::__private::nothing(input)),
    };
    let (call, query) = (arms(Kind::Call, "Call"), arms(Kind::Query, "Query"));
    let (instantiate, migrate) = (start(Kind::Instantiate), start(Kind::Migrate));
    quote! {
        /// Decodes `input` whole, runs the method it names, and encodes its value, or the
        /// [`ContractError`](::portolan_sdk::ContractError) it is refused with.
        ///
        /// # Errors
        /// The encoded error: the contract's own, or that the bytes are no message of it.
        #[allow(clippy::unit_arg)]
        pub fn dispatch<C: #contract>(
            entry: ::portolan_sdk::Entry,
            input: &[u8],
            contract: &mut C,
        ) -> ::core::result::Result<::portolan_sdk::__private::Vec<u8>, ::portolan_sdk::__private::Vec<u8>> {
            match entry {
                ::portolan_sdk::Entry::Call => #call,
                ::portolan_sdk::Entry::Query => #query,
                ::portolan_sdk::Entry::Instantiate => #instantiate,
                ::portolan_sdk::Entry::Migrate => #migrate,
            }
        }
    }
}

fn run(method: &Method) -> TokenStream {
    let (name, arguments) = (&method.name, method.arguments.iter().map(|(name, _)| name));
    quote!(::portolan_sdk::__private::reply(contract.#name(#(#arguments),*)))
}

fn helpers(interface: &Interface) -> TokenStream {
    let event = &interface.arguments.event;
    quote! {
        /// Records an event of the contract.
        pub fn emit(event: &#event) {
            ::portolan_sdk::env::emit(event);
        }

        /// Puts a message to the running contract itself on the agenda, to run on `due` (days since 1970-01-01) with at most
        /// `gas`; its caller will be the contract. Answers the entry's id.
        ///
        /// # Errors
        /// The agenda's refusal.
        pub fn schedule(
            due: ::portolan_sdk::Day,
            message: &Call,
            gas: u64,
        ) -> ::core::result::Result<::portolan_sdk::Hash, ::portolan_sdk::ScheduleRefusal> {
            ::portolan_sdk::env::schedule(due, message, gas)
        }
    }
}

fn client(interface: &Interface) -> TokenStream {
    let error = &interface.arguments.error;
    let methods = |kind: Kind, message: &str| {
        let message = format_ident!("{message}");
        let send = format_ident!("{}", if kind == Kind::Call { "call" } else { "query" });
        let methods = interface.of(kind).map(|method| {
            let (name, doc, output, variant, fields) = (&method.name, &method.doc, &method.output, method.variant(), field_names(method));
            let arguments = method.arguments.iter().map(|(name, ty)| quote!(#name: #ty));
            quote! {
                #[doc = #doc]
                ///
                /// # Errors
                /// The contract's own error, or why it gave none.
                #[allow(clippy::too_many_arguments)]
                pub fn #name(&self, #(#arguments),*) -> ::core::result::Result<#output, ::portolan_sdk::CallError<#error>> {
                    self.0.#send(&#message::#variant #fields)
                }
            }
        });
        quote!(#(#methods)*)
    };
    let (calls, queries) = (methods(Kind::Call, "Call"), methods(Kind::Query, "Query"));
    quote! {
        /// Typed access to the contract: from another contract, or over any [`Transport`](::portolan_sdk::Transport).
        #[derive(Clone, Debug)]
        pub struct Client<T = ::portolan_sdk::CrossContract>(::portolan_sdk::Channel<T>);

        impl Client {
            /// From another contract.
            #[must_use]
            pub const fn new() -> Self {
                Self(::portolan_sdk::Channel::new(CONTRACT, ::portolan_sdk::CrossContract))
            }
        }

        impl ::core::default::Default for Client {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<T: ::portolan_sdk::Transport> Client<T> {
            /// Over any transport, such as an account of a test chain.
            #[must_use]
            pub const fn over(transport: T) -> Self {
                Self(::portolan_sdk::Channel::new(CONTRACT, transport))
            }

            /// The same, with at most `gas` for each call (0: all that is left).
            #[must_use]
            pub fn with_gas(self, gas: u64) -> Self {
                Self(self.0.with_gas(gas))
            }

            #calls
        }

        impl<T: ::portolan_sdk::QueryTransport> Client<T> {
            #queries
        }
    }
}

fn metadata(interface: &Interface) -> TokenStream {
    let (error, event) = (&interface.arguments.error, &interface.arguments.event);
    let about = read_doc(&interface.item.attrs);
    let version = interface
        .arguments
        .version
        .as_ref()
        .map_or_else(|| quote!(env!("CARGO_PKG_VERSION")), |version| quote!(#version));
    let steps = interface.methods.iter().map(|method| {
        let (index, name, doc, path, output) =
            (method.index, method.name.to_string(), &method.doc, &method.path, &method.output);
        let arguments = method.arguments.iter().map(|(name, ty)| {
            let name = name.to_string();
            quote!((#name, ::portolan_sdk::scale_info::meta_type::<#ty>()))
        });
        let message =
            quote!(#index, #name, &[#(#arguments),*], ::portolan_sdk::scale_info::meta_type::<#output>(), #doc);
        match method.kind {
            Kind::Call => quote!(builder.call(#message);),
            Kind::Query => quote!(builder.query(#path, #message);),
            Kind::Instantiate => quote!(builder.instantiate(#message);),
            Kind::Migrate => quote!(builder.migrate(#message);),
        }
    });
    quote! {
        /// What tools need to know in order to turn the contract's bytes to JSON and back.
        #[cfg(not(target_arch = "wasm32"))]
        #[must_use]
        pub fn metadata() -> ::portolan_sdk::metadata::ContractMetadata {
            let mut builder = ::portolan_sdk::metadata::Builder::new(NAME, #version, #about);
            #(#steps)*
            builder.finish::<Call, Query, #error, #event>()
        }
    }
}
