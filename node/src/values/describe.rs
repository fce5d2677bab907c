//! A contract's refusal in words. An error's documentation is its message: `{field}` stands for the field of that name,
//! `{0}` for the only one without a name.

use scale_info::form::PortableForm;
use scale_info::{PortableRegistry, TypeDef, Variant};
use serde_json::{Value, json};

use super::{ValueError, decode, name, resolve};

/// A contract's refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Contract and variant, as `receivable::OverSplit`.
    pub code: String,
    /// In words.
    pub message: String,
    /// The whole error as JSON.
    pub error: Value,
}

/// Reads what the contract `contract` reverted with; `ty` is its error type.
pub fn refusal(contract: &str, types: &PortableRegistry, ty: u32, bytes: &[u8]) -> Result<Refusal, ValueError> {
    let error = decode(types, ty, bytes)?;
    let mut path = Vec::new();
    let message = words(types, ty, bytes, &mut path)?;
    let own = path.first().cloned().unwrap_or_else(|| "Refused".into());
    Ok(Refusal { code: format!("{contract}::{own}"), message, error })
}

/// Follows an enum of errors down to the innermost one that says something, noting the variants on the way.
fn words(types: &PortableRegistry, ty: u32, bytes: &[u8], path: &mut Vec<String>) -> Result<String, ValueError> {
    let described = resolve(types, ty)?;
    let malformed = || ValueError::Malformed(name(described).into());
    let TypeDef::Variant(variants) = &described.type_def else { return Ok(shown(&decode(types, ty, bytes)?)) };
    let (index, rest) = bytes.split_first().ok_or_else(malformed)?;
    let variant = variants.variants.iter().find(|variant| variant.index == *index).ok_or_else(malformed)?;
    // Wrappers carry another error and say nothing of their own.
    let is_wrapper = matches!(name(described), "ContractError" | "CallError") && variant.fields.len() == 1;
    if !is_wrapper {
        path.push(variant.name.clone());
    }
    match variant.fields.as_slice() {
        [only] if is_wrapper => words(types, only.ty.id, rest, path),
        [only] if only.name.is_none() && is_enum(types, only.ty.id) => {
            let inner = words(types, only.ty.id, rest, path)?;
            Ok(template(variant).replace("{0}", &inner))
        }
        _ => filled(types, variant, rest),
    }
}

fn is_enum(types: &PortableRegistry, ty: u32) -> bool {
    types.resolve(ty).is_some_and(|ty| matches!(ty.type_def, TypeDef::Variant(_)) && name(ty) != "Option")
}

fn template(variant: &Variant<PortableForm>) -> String {
    let docs =
        variant.docs.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    if docs.is_empty() { variant.name.clone() } else { docs }
}

fn filled(types: &PortableRegistry, variant: &Variant<PortableForm>, mut bytes: &[u8]) -> Result<String, ValueError> {
    let mut text = template(variant);
    for (place, field) in variant.fields.iter().enumerate() {
        let (value, rest) = first_value(types, field.ty.id, bytes)?;
        bytes = rest;
        let mark = field.name.clone().unwrap_or_else(|| place.to_string());
        text = text.replace(&format!("{{{mark}}}"), &shown(&value));
    }
    Ok(text)
}

/// The value at the front of `bytes`, and what comes after it.
fn first_value<'a>(types: &PortableRegistry, ty: u32, bytes: &'a [u8]) -> Result<(Value, &'a [u8]), ValueError> {
    match decode(types, ty, bytes) {
        Ok(value) => Ok((value, &[])),
        Err(ValueError::Leftover(rest)) => {
            let (front, rest) = bytes.split_at(bytes.len() - rest);
            Ok((decode(types, ty, front)?, rest))
        }
        Err(error) => Err(error),
    }
}

/// A value within a sentence.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace('_', " "),
        Value::Null => "nothing".into(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => match (fields.get("decimal"), fields.get("currency")) {
            (Some(Value::String(decimal)), Some(Value::String(currency))) => format!("{} {currency}", grouped(decimal)),
            _ => json!(fields).to_string(),
        },
        other => other.to_string(),
    }
}

/// `120000.00` as `120,000.00`.
fn grouped(decimal: &str) -> String {
    let (sign, digits) = decimal.strip_prefix('-').map_or(("", decimal), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut text = String::from(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Encode;
    use portolan_terms::Money;
    use scale_info::{MetaType, Registry, TypeInfo};

    #[derive(Encode, TypeInfo)]
    enum Inner {
        /// The deposit lacks {missing}.
        #[codec(index = 4)]
        Short { missing: Money },
    }

    #[derive(Encode, TypeInfo)]
    #[allow(dead_code)]
    enum CallError<E> {
        #[codec(index = 0)]
        Contract(E),
        /// It trapped.
        #[codec(index = 2)]
        Failed,
    }

    #[derive(Encode, TypeInfo)]
    enum Outer {
        /// The parts exceed {amount} by {excess}.
        #[codec(index = 1)]
        OverSplit { amount: Money, excess: Money },
        /// Settlement refused: {0}
        #[codec(index = 2)]
        Settlement(CallError<Inner>),
        #[codec(index = 3)]
        Silent,
    }

    #[derive(Encode, TypeInfo)]
    #[allow(dead_code)]
    enum ContractError<E> {
        #[codec(index = 0)]
        Contract(E),
        /// Unknown message.
        #[codec(index = 1)]
        BadMessage,
    }

    fn read(error: ContractError<Outer>) -> Refusal {
        let mut registry = Registry::new();
        let id = registry.register_type(&MetaType::new::<ContractError<Outer>>()).id;
        refusal("receivable", &registry.into(), id, &error.encode()).unwrap()
    }

    fn money(minor: i128) -> Money {
        Money { minor, currency: "CNY".parse().unwrap() }
    }

    #[test]
    fn an_error_reads_as_a_sentence_with_its_amounts() {
        let error = Outer::OverSplit { amount: money(12_000_000), excess: money(100) };
        let refusal = read(ContractError::Contract(error));
        assert_eq!(refusal.code, "receivable::OverSplit");
        assert_eq!(refusal.message, "The parts exceed 120,000.00 CNY by 1.00 CNY.");
    }

    #[test]
    fn anothers_refusal_is_told_within() {
        let error = Outer::Settlement(CallError::Contract(Inner::Short { missing: money(5) }));
        let refusal = read(ContractError::Contract(error));
        assert_eq!(refusal.code, "receivable::Settlement");
        assert_eq!(refusal.message, "Settlement refused: The deposit lacks 0.05 CNY.");
        assert_eq!(
            read(ContractError::Contract(Outer::Settlement(CallError::Failed))).message,
            "Settlement refused: It trapped."
        );
    }

    #[test]
    fn an_error_without_words_is_its_name() {
        assert_eq!(read(ContractError::Contract(Outer::Silent)).message, "Silent");
        assert_eq!(read(ContractError::BadMessage).code, "receivable::BadMessage");
    }
}
