//! JSON to SCALE.

use codec::{Compact, Encode};
use portolan_primitives::{BusinessDate, Currency, PublicKey, hex};
use scale_info::form::PortableForm;
use scale_info::{Field, PortableRegistry, TypeDef, TypeDefPrimitive, Variant};
use serde_json::{Map, Value};

use super::special::{Special, hash_bytes, id_bytes, special};
use super::{MAX_DEPTH, ValueError, name, resolve, snake};

/// SCALE of `value` as the type `ty`. Fields that the type does not have are refused.
pub fn encode(types: &PortableRegistry, ty: u32, value: &Value) -> Result<Vec<u8>, ValueError> {
    let mut writer = Writer { types, place: Vec::new(), bytes: Vec::new() };
    writer.value(ty, value)?;
    Ok(writer.bytes)
}

struct Writer<'a> {
    types: &'a PortableRegistry,
    place: Vec<String>,
    bytes: Vec<u8>,
}

impl Writer<'_> {
    fn expected<T>(&self, what: impl Into<String>) -> Result<T, ValueError> {
        let place = if self.place.is_empty() { "value".into() } else { self.place.join(".") };
        Err(ValueError::Expected { place, expected: what.into() })
    }

    fn at(&mut self, place: impl Into<String>, ty: u32, value: &Value) -> Result<(), ValueError> {
        if self.place.len() >= MAX_DEPTH as usize {
            return Err(ValueError::TooDeep);
        }
        self.place.push(place.into());
        self.value(ty, value)?;
        self.place.pop();
        Ok(())
    }

    fn value(&mut self, id: u32, value: &Value) -> Result<(), ValueError> {
        let ty = resolve(self.types, id)?;
        if let Some(special) = special(self.types, ty) {
            return self.special(&special, value);
        }
        match &ty.type_def {
            TypeDef::Composite(composite) => self.fields(&composite.fields, value),
            TypeDef::Variant(variants) if name(ty) == "Option" => {
                let some = variants.variants.iter().find_map(|variant| variant.fields.first());
                match (value, some) {
                    (Value::Null, _) | (_, None) => self.bytes.push(0),
                    (value, Some(field)) => {
                        self.bytes.push(1);
                        self.value(field.ty.id, value)?;
                    }
                }
                Ok(())
            }
            TypeDef::Variant(variants) => self.variant(&variants.variants, value),
            TypeDef::Sequence(sequence) => self.list(sequence.type_param.id, None, value),
            TypeDef::Array(array) => self.list(array.type_param.id, Some(array.len), value),
            TypeDef::Tuple(tuple) => match value.as_array() {
                Some(items) if items.len() == tuple.fields.len() => {
                    let pairs = tuple.fields.iter().zip(items).enumerate();
                    pairs.into_iter().try_for_each(|(index, (field, item))| self.at(index.to_string(), field.id, item))
                }
                _ => self.expected(format!("an array of {}", tuple.fields.len())),
            },
            TypeDef::Primitive(primitive) => self.primitive(primitive, value),
            TypeDef::Compact(_) => match integer(value) {
                Some(number) if number >= 0 => {
                    Compact(number as u128).encode_to(&mut self.bytes);
                    Ok(())
                }
                _ => self.expected("a whole number"),
            },
            TypeDef::BitSequence(_) => Err(ValueError::Unsupported("BitSequence".into())),
        }
    }

    fn fields(&mut self, fields: &[Field<PortableForm>], value: &Value) -> Result<(), ValueError> {
        match fields {
            [] => Ok(()),
            [only] if only.name.is_none() => self.value(only.ty.id, value),
            [first, ..] if first.name.is_none() => match value.as_array() {
                Some(items) if items.len() == fields.len() => {
                    let mut pairs = fields.iter().zip(items).enumerate();
                    pairs.try_for_each(|(index, (field, item))| self.at(index.to_string(), field.ty.id, item))
                }
                _ => self.expected(format!("an array of {}", fields.len())),
            },
            _ => match value.as_object() {
                Some(object) => self.named(fields, object),
                None => self.expected("an object"),
            },
        }
    }

    fn named(&mut self, fields: &[Field<PortableForm>], object: &Map<String, Value>) -> Result<(), ValueError> {
        let known = |key: &&String| fields.iter().any(|field| field.name.as_ref() == Some(key));
        if let Some(unknown) = object.keys().find(|key| !known(key)) {
            let names: Vec<&str> = fields.iter().filter_map(|field| field.name.as_deref()).collect();
            return self.expected(format!("no `{unknown}`; the fields are {}, and nothing else", names.join(", ")));
        }
        for field in fields {
            let key = field.name.clone().unwrap_or_default();
            // What is left out is null: right for options, and an error with its place for all others.
            let value = object.get(&key).unwrap_or(&Value::Null);
            self.at(key, field.ty.id, value)?;
        }
        Ok(())
    }

    fn variant(&mut self, variants: &[Variant<PortableForm>], value: &Value) -> Result<(), ValueError> {
        let (wanted, fields) = match value {
            Value::String(name) => (name, None),
            Value::Object(object) if object.len() == 1 => match object.iter().next() {
                Some((name, fields)) => (name, Some(fields)),
                None => return self.expected("one of the variants"),
            },
            _ => return self.expected(names(variants)),
        };
        let Some(variant) = variants.iter().find(|variant| snake(&variant.name) == *wanted || variant.name == *wanted)
        else {
            return self.expected(names(variants));
        };
        self.bytes.push(variant.index);
        match (variant.fields.as_slice(), fields) {
            ([], _) => Ok(()),
            (fields, Some(value)) => {
                self.place.push(wanted.clone());
                self.fields(fields, value)?;
                self.place.pop();
                Ok(())
            }
            (_, None) => self.expected(format!("an object with `{wanted}` and its fields")),
        }
    }

    fn list(&mut self, item: u32, length: Option<u32>, value: &Value) -> Result<(), ValueError> {
        let is_byte = matches!(resolve(self.types, item)?.type_def, TypeDef::Primitive(TypeDefPrimitive::U8));
        if is_byte {
            return self.byte_list(length, value);
        }
        let Some(items) = value.as_array() else { return self.expected("an array") };
        match length {
            Some(length) if length as usize != items.len() => return self.expected(format!("an array of {length}")),
            Some(_) => {}
            None => Compact(items.len() as u32).encode_to(&mut self.bytes),
        }
        items.iter().enumerate().try_for_each(|(index, value)| self.at(index.to_string(), item, value))
    }

    fn byte_list(&mut self, length: Option<u32>, value: &Value) -> Result<(), ValueError> {
        let bytes = value.as_str().and_then(hex::decode);
        let Some(bytes) = bytes.filter(|bytes| length.is_none_or(|length| length as usize == bytes.len())) else {
            return self.expected(length.map_or("hex".into(), |length| format!("{length} bytes in hex")));
        };
        if length.is_none() {
            Compact(bytes.len() as u32).encode_to(&mut self.bytes);
        }
        self.bytes.extend(bytes);
        Ok(())
    }

    fn primitive(&mut self, primitive: &TypeDefPrimitive, value: &Value) -> Result<(), ValueError> {
        use TypeDefPrimitive as P;
        macro_rules! whole {
            ($type:ty) => {
                match parse::<$type>(value) {
                    Some(number) => number.encode_to(&mut self.bytes),
                    None => return self.expected(format!("a whole number from {} to {}", <$type>::MIN, <$type>::MAX)),
                }
            };
        }
        match primitive {
            P::Bool => match value.as_bool() {
                Some(truth) => truth.encode_to(&mut self.bytes),
                None => return self.expected("true or false"),
            },
            P::Str => match value.as_str() {
                Some(text) => text.encode_to(&mut self.bytes),
                None => return self.expected("text"),
            },
            P::U8 => whole!(u8),
            P::U16 => whole!(u16),
            P::U32 => whole!(u32),
            P::U64 => whole!(u64),
            P::U128 => whole!(u128),
            P::I8 => whole!(i8),
            P::I16 => whole!(i16),
            P::I32 => whole!(i32),
            P::I64 => whole!(i64),
            P::I128 => whole!(i128),
            P::Char | P::U256 | P::I256 => return Err(ValueError::Unsupported(format!("{primitive:?}"))),
        }
        Ok(())
    }

    fn special(&mut self, special: &Special, value: &Value) -> Result<(), ValueError> {
        if *special == Special::Money {
            return self.money(value);
        }
        let Some(text) = value.as_str() else { return self.expected("text") };
        let bytes = match special {
            Special::Id(kind, length) => id_bytes(kind, text, *length),
            Special::Hash => hash_bytes(text),
            Special::Date => text.parse::<BusinessDate>().map(|date| date.encode()).map_err(|error| error.to_string()),
            Special::Currency => text.parse::<Currency>().map(|code| code.encode()).map_err(|error| error.to_string()),
            Special::PublicKey => text.parse::<PublicKey>().map(|key| key.encode()).map_err(|error| error.to_string()),
            Special::Money => return Ok(()),
        };
        match bytes {
            Ok(bytes) => self.bytes.extend(bytes),
            Err(reason) => return self.expected(format!("a well-formed text ({reason})")),
        }
        Ok(())
    }

    /// Minor units, or the decimal form; both if they agree.
    fn money(&mut self, value: &Value) -> Result<(), ValueError> {
        let form = "an amount as {\"currency\": \"CNY\", \"minor\": \"12000000\"} or with \"decimal\": \"120000.00\"";
        let currency = value["currency"].as_str().and_then(|text| text.parse::<portolan_terms::Currency>().ok());
        let Some(currency) = currency else { return self.expected(form) };
        let minor = integer(&value["minor"]).map(|minor| portolan_terms::Money { minor, currency });
        let decimal = match value["decimal"].as_str() {
            Some(text) => match portolan_terms::Money::from_decimal(text, currency) {
                Ok(money) => Some(money),
                Err(error) => return self.expected(format!("{form} ({error})")),
            },
            None => None,
        };
        match (minor, decimal) {
            (Some(minor), Some(decimal)) if minor != decimal => self.expected("`minor` and `decimal` that are equal"),
            (Some(money), _) | (None, Some(money)) => {
                money.encode_to(&mut self.bytes);
                Ok(())
            }
            (None, None) => self.expected(form),
        }
    }
}

fn names(variants: &[Variant<PortableForm>]) -> String {
    let names: Vec<String> = variants.iter().map(|variant| snake(&variant.name)).collect();
    format!("one of {}", names.join(", "))
}

/// A whole number, written as a number or as text.
fn parse<T: std::str::FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i128> {
    parse(value)
}
