//! `#[derive(Key)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Index, Member, Result};

pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "a storage key has no generic parameters"));
    }
    match &input.data {
        Data::Struct(data) => Ok(of_struct(input, &data.fields)),
        Data::Enum(data) if data.variants.iter().all(|variant| variant.fields.is_empty()) => Ok(of_enum(input)),
        _ => Err(Error::new_spanned(
            &input.ident,
            "a storage key is a struct of keys, or an enum whose variants have no fields",
        )),
    }
}

fn of_struct(input: &DeriveInput, fields: &Fields) -> TokenStream {
    let name = &input.ident;
    let members: Vec<Member> = fields
        .iter()
        .enumerate()
        .map(|(position, field)| {
            field.ident.clone().map_or_else(|| Member::Unnamed(Index::from(position)), Member::Named)
        })
        .collect();
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    quote! {
        impl ::portolan_sdk::storage::Key for #name {
            const LEN: usize = 0 #(+ <#types as ::portolan_sdk::storage::Key>::LEN)*;

            fn write(&self, out: &mut ::portolan_sdk::__private::Vec<u8>) {
                #(::portolan_sdk::storage::Key::write(&self.#members, out);)*
            }

            fn read(input: &mut &[u8]) -> ::core::option::Option<Self> {
                ::core::option::Option::Some(Self { #(#members: ::portolan_sdk::storage::Key::read(input)?),* })
            }
        }
    }
}

/// The byte is the variant's codec index, so that a key and a value agree on it.
fn of_enum(input: &DeriveInput) -> TokenStream {
    let name = &input.ident;
    quote! {
        impl ::portolan_sdk::storage::Key for #name {
            const LEN: usize = 1;

            fn write(&self, out: &mut ::portolan_sdk::__private::Vec<u8>) {
                ::portolan_sdk::codec::Encode::encode_to(self, out);
            }

            fn read(input: &mut &[u8]) -> ::core::option::Option<Self> {
                ::portolan_sdk::codec::Decode::decode(input).ok()
            }
        }
    }
}
