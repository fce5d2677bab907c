//! Types that people write in their own way: ids, hashes, dates, currencies, amounts, keys.

use std::sync::LazyLock;

use portolan_primitives::id::{from_text, to_text};
use portolan_primitives::{AccountId, AgendaId, ContractId, Hash, KeyId, MemberId, PublicKey, TransactionId};
use scale_info::form::PortableForm;
use scale_info::{Field, PortableRegistry, Type, TypeDef, TypeDefPrimitive};

use super::name;

/// A type with a text form of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Special {
    /// Bytes in bech32m under this kind.
    Id(String, usize),
    /// 32 bytes in hex.
    Hash,
    /// Days since 1970 as a date.
    Date,
    /// Three letters.
    Currency,
    /// Currency, minor units, and the decimal form.
    Money,
    /// A public key in bech32m.
    PublicKey,
}

/// Kinds of the chain's own ids, by the type's name.
static KINDS: LazyLock<Vec<(&'static str, &'static str)>> = LazyLock::new(|| {
    vec![
        ("AccountId", AccountId::KIND),
        ("AgendaId", AgendaId::KIND),
        ("ContractId", ContractId::KIND),
        ("KeyId", KeyId::KIND),
        ("MemberId", MemberId::KIND),
        ("TransactionId", TransactionId::KIND),
    ]
});

/// What `ty` is, if it is one of these.
pub(super) fn special(types: &PortableRegistry, ty: &Type<PortableForm>) -> Option<Special> {
    let wraps =
        |inner: fn(&TypeDef<PortableForm>) -> bool| wrapped(types, ty).is_some_and(|wrapped| inner(&wrapped.type_def));
    match name(ty) {
        "Hash" if bytes_within(types, ty) == Some(32) => Some(Special::Hash),
        "Currency" if bytes_within(types, ty) == Some(3) => Some(Special::Currency),
        "BusinessDate" if wraps(|def| matches!(def, TypeDef::Primitive(TypeDefPrimitive::I32))) => Some(Special::Date),
        "Money" if is_money(ty) => Some(Special::Money),
        "PublicKey" if matches!(ty.type_def, TypeDef::Variant(_)) => Some(Special::PublicKey),
        known => {
            let length = bytes_within(types, ty)?;
            let of_chain = KINDS.iter().find(|(name, _)| *name == known).map(|(_, kind)| (*kind).to_owned());
            Some(Special::Id(of_chain.or_else(|| documented_kind(ty))?, length))
        }
    }
}

fn is_money(ty: &Type<PortableForm>) -> bool {
    let TypeDef::Composite(composite) = &ty.type_def else { return false };
    let names: Vec<&str> = composite.fields.iter().filter_map(|field| field.name.as_deref()).collect();
    names == ["minor", "currency"]
}

/// The type inside a struct of one field without a name.
fn wrapped<'a>(types: &'a PortableRegistry, ty: &Type<PortableForm>) -> Option<&'a Type<PortableForm>> {
    let TypeDef::Composite(composite) = &ty.type_def else { return None };
    match composite.fields.as_slice() {
        [only] if only.name.is_none() => types.resolve(only.ty.id),
        _ => None,
    }
}

/// How many bytes a struct of one array of bytes has.
fn bytes_within(types: &PortableRegistry, ty: &Type<PortableForm>) -> Option<usize> {
    let TypeDef::Array(array) = &wrapped(types, ty)?.type_def else { return None };
    let is_byte = matches!(types.resolve(array.type_param.id)?.type_def, TypeDef::Primitive(TypeDefPrimitive::U8));
    is_byte.then_some(array.len as usize)
}

/// The kind in the words "text form `cert1…`" of a type's documentation.
fn documented_kind(ty: &Type<PortableForm>) -> Option<String> {
    let docs = ty.docs.join(" ");
    let kind = docs.split_once("text form `")?.1.split_once("1…`")?.0;
    let plain = !kind.is_empty() && kind.len() <= 16 && kind.bytes().all(|byte| byte.is_ascii_lowercase());
    plain.then(|| kind.to_owned())
}

/// Whether a field is for the chain alone: the words "only its keyed hash is stored" of its documentation say so. Its plain
/// form is read where it is sent, and shown to nobody.
pub(super) fn is_withheld(field: &Field<PortableForm>) -> bool {
    let docs = field.docs.iter().flat_map(|line| line.split_whitespace()).collect::<Vec<_>>().join(" ");
    docs.to_ascii_lowercase().contains("only its keyed hash is stored")
}

/// The text of an id or hash.
pub(super) fn id_text(kind: &str, bytes: &[u8]) -> String {
    to_text(kind, bytes)
}

/// The bytes of an id in text.
pub(super) fn id_bytes(kind: &str, text: &str, length: usize) -> Result<Vec<u8>, String> {
    let failed = |error: portolan_primitives::IdError| error.to_string();
    match length {
        16 => from_text::<16>(kind, text).map(Vec::from).map_err(failed),
        32 => from_text::<32>(kind, text).map(Vec::from).map_err(failed),
        _ => Err(format!("an id of kind `{kind}` has no text form")),
    }
}

/// The bytes of a hash in text.
pub(super) fn hash_bytes(text: &str) -> Result<Vec<u8>, String> {
    text.parse::<Hash>().map(|hash| hash.0.to_vec()).map_err(|error| error.to_string())
}

/// The text of a key.
pub(super) fn key_text(key: &PublicKey) -> String {
    key.to_string()
}
