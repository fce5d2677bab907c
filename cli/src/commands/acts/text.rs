//! What people type, as the JSON of a type of a contract's description.

use portolan_interface::Ppm;
use portolan_primitives::Hash;
use scale_info::form::PortableForm;
use scale_info::{Field, PortableRegistry, Type, TypeDef, TypeDefPrimitive, Variant};
use serde_json::{Map, Value, json};

use crate::args::{self, AccountArg, MemberArg};
use crate::commitment::{self, SaltsFile};

/// The last segment of a type's path.
pub fn name(ty: &Type<PortableForm>) -> &str {
    ty.path.segments.last().map_or("", String::as_str)
}

/// The type inside an `Option`.
pub fn inside_option(ty: &Type<PortableForm>) -> Option<u32> {
    match &ty.type_def {
        TypeDef::Variant(variants) if name(ty) == "Option" => {
            variants.variants.iter().find_map(|variant| variant.fields.first()).map(|field| field.ty.id)
        }
        _ => None,
    }
}

/// The named fields of a struct whose fields are flags of their own.
pub fn fields_of(ty: &Type<PortableForm>) -> Option<&[Field<PortableForm>]> {
    if matches!(name(ty), "Money" | "Quote") {
        return None;
    }
    match &ty.type_def {
        TypeDef::Composite(composite) => {
            composite.fields.first()?.name.as_ref()?;
            Some(&composite.fields)
        }
        _ => None,
    }
}

/// How a value is written, for people who ask.
pub fn hint(types: &PortableRegistry, ty: u32) -> String {
    let Some(ty) = types.resolve(ty) else { return String::new() };
    if let Some(inner) = inside_option(ty) {
        return hint(types, inner);
    }
    match (name(ty), &ty.type_def) {
        ("AccountId", _) => "an account, as harbour-bank/main".into(),
        ("MemberId", _) => "a member, as harbour-bank".into(),
        ("Money", _) => "an amount, as 1000.00CNY".into(),
        ("Ppm", _) => "per cent, as 4.35".into(),
        ("BusinessDate", _) => "a date, as 2026-06-30".into(),
        ("Currency", _) => "a currency, as CNY".into(),
        ("Quote", _) => "as `USD/CNY 7.1234 spread 0.2` (per cent)".into(),
        ("Hash", _) => "64 hex digits, or @FILE of salts".into(),
        ("DocumentId", _) => "doc1…".into(),
        ("PartId", _) => "part1…".into(),
        (_, TypeDef::Variant(variants)) => variants.variants.iter().map(form).collect::<Vec<_>>().join(" | "),
        (_, TypeDef::Sequence(items)) => format!("{}; may be given several times", hint(types, items.type_param.id)),
        (_, TypeDef::Array(_)) => "hex".into(),
        (_, TypeDef::Primitive(TypeDefPrimitive::Str)) => "text".into(),
        (_, TypeDef::Primitive(_)) => "a whole number".into(),
        (_, TypeDef::Composite(composite)) => match composite.fields.as_slice() {
            [only] if only.name.is_none() => hint(types, only.ty.id),
            fields => {
                let names: Vec<String> =
                    fields.iter().filter_map(|field| Some(format!("{}=…", field.name.as_deref()?))).collect();
                names.join(",")
            }
        },
        _ => "JSON".into(),
    }
}

fn form(variant: &Variant<PortableForm>) -> String {
    let name = kebab(&portolan_node::values::snake(&variant.name));
    if variant.fields.is_empty() { name } else { format!("{name}=…") }
}

/// `until_ms` as `until-ms`.
pub fn kebab(name: &str) -> String {
    name.replace('_', "-")
}

/// A text as the JSON of the type `ty`. What begins with a brace or a bracket is JSON already.
pub fn value(types: &PortableRegistry, ty: u32, text: &str) -> Result<Value, String> {
    let of = types.resolve(ty).ok_or_else(|| format!("the contract's description has no type {ty}"))?;
    if text.starts_with(['{', '[']) {
        return serde_json::from_str(text).map_err(|error| format!("`{text}` is no JSON: {error}"));
    }
    if let Some(inner) = inside_option(of) {
        return value(types, inner, text);
    }
    match (name(of), &of.type_def) {
        ("AccountId", _) => text.parse().map(|account: AccountArg| json!(account.id)),
        ("MemberId", _) => text.parse().map(|member: MemberArg| json!(member.0)),
        ("Money", _) => args::money(text).map(|money| {
            json!({ "currency": money.currency.to_string(), "minor": money.minor.to_string(), "decimal": money.to_decimal() })
        }),
        ("Ppm", _) => args::percent(text).map(|Ppm(ppm)| json!(ppm)),
        ("Hash", _) => hash(text).map(|hash| json!(hash)),
        ("Quote", _) => quote(text),
        ("BusinessDate" | "Currency", _) => Ok(json!(text)),
        (_, TypeDef::Variant(variants)) => variant(types, &variants.variants, text),
        (_, TypeDef::Primitive(TypeDefPrimitive::Bool)) => text.parse().map(Value::Bool).map_err(|_| "true or false".into()),
        (_, TypeDef::Primitive(TypeDefPrimitive::Str)) => Ok(json!(text)),
        (_, TypeDef::Primitive(_)) => whole(text),
        (_, TypeDef::Composite(composite)) => match composite.fields.as_slice() {
            [only] if only.name.is_none() && !is_bytes(types, only.ty.id) => value(types, only.ty.id, text),
            [first, ..] if first.name.is_some() => record(types, &composite.fields, text),
            _ => Ok(json!(text)),
        },
        _ => Ok(json!(text)),
    }
}

fn is_bytes(types: &PortableRegistry, ty: u32) -> bool {
    types.resolve(ty).is_some_and(|ty| matches!(ty.type_def, TypeDef::Array(_)))
}

fn whole(text: &str) -> Result<Value, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{text}` is no whole number"));
    }
    Ok(text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)))
}

/// 64 hex digits, or the root of a file of salts.
fn hash(text: &str) -> Result<Hash, String> {
    let Some(file) = text.strip_prefix('@') else {
        return text.parse().map_err(|_| format!("`{text}` is neither 64 hex digits nor @FILE of salts"));
    };
    match commitment::read(std::path::Path::new(file)) {
        Ok(SaltsFile::Salts(salts)) => Ok(salts.commitment()),
        Ok(SaltsFile::Erased(_)) => Err(commitment::DisclosureError::SaltsErased.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// `USD/CNY 7.1234`, with `spread 0.2` in per cent behind it where there is one.
fn quote(text: &str) -> Result<Value, String> {
    let wrong = || format!("`{text}` is no price; write it as `USD/CNY 7.1234 spread 0.2`");
    let words: Vec<&str> = text.split_whitespace().collect();
    let (pair, price, spread) = match words.as_slice() {
        [pair, price] => (pair, price, "0"),
        [pair, price, "spread", spread] => (pair, price, *spread),
        _ => return Err(wrong()),
    };
    let (from, to) = pair.split_once('/').ok_or_else(wrong)?;
    let (whole, fraction) = price.split_once('.').unwrap_or((price, ""));
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let units: u64 = digits.parse().map_err(|_| wrong())?;
    let Ppm(spread) = args::percent(spread)?;
    Ok(json!({ "from": from, "to": to, "units": units.to_string(), "decimals": fraction.len(), "spread": spread }))
}

/// `name`, or `name=value` where the variant has one value.
fn variant(types: &PortableRegistry, variants: &[Variant<PortableForm>], text: &str) -> Result<Value, String> {
    let (wanted, inner) = text.split_once('=').map_or((text, None), |(name, inner)| (name, Some(inner)));
    let snake = wanted.replace('-', "_");
    let found = variants.iter().find(|variant| portolan_node::values::snake(&variant.name) == snake);
    let wrong = || format!("`{text}` is none of {}", variants.iter().map(form).collect::<Vec<_>>().join(", "));
    match (found.ok_or_else(wrong)?.fields.as_slice(), inner) {
        ([], None) => Ok(json!(snake)),
        ([only], Some(inner)) if only.name.is_none() => Ok(json!({ snake: value(types, only.ty.id, inner)? })),
        _ => Err(wrong()),
    }
}

/// `name=value,name=value`.
fn record(types: &PortableRegistry, fields: &[Field<PortableForm>], text: &str) -> Result<Value, String> {
    let mut object = Map::new();
    for part in text.split(',') {
        let (wanted, inner) = part.split_once('=').ok_or_else(|| format!("`{part}` is not name=value"))?;
        let snake = wanted.trim().replace('-', "_");
        let field = fields.iter().find(|field| field.name.as_deref() == Some(&snake));
        let names = || fields.iter().filter_map(|field| field.name.as_deref()).collect::<Vec<_>>().join(", ");
        let field = field.ok_or_else(|| format!("there is no `{wanted}`; there are {}", names()))?;
        if object.insert(snake, value(types, field.ty.id, inner.trim())?).is_some() {
            return Err(format!("`{wanted}` stands twice"));
        }
    }
    Ok(Value::Object(object))
}
