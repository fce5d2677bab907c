//! SCALE to JSON.

use codec::{Compact, Decode};
use portolan_primitives::{BusinessDate, Currency, PublicKey, hex};
use scale_info::form::PortableForm;
use scale_info::{Field, PortableRegistry, TypeDef, TypeDefPrimitive};
use serde_json::{Map, Value, json};

use super::special::{Special, id_text, is_withheld, key_text, special};
use super::{MAX_DEPTH, ValueError, name, resolve, snake};

/// Largest integer that every JSON reader keeps exactly.
const SAFE: u64 = 1 << 53;

/// The value of type `ty` in `bytes`, whole.
pub fn decode(types: &PortableRegistry, ty: u32, mut bytes: &[u8]) -> Result<Value, ValueError> {
    let value = Reader { types, depth: 0 }.value(ty, &mut bytes)?;
    if bytes.is_empty() { Ok(value) } else { Err(ValueError::Leftover(bytes.len())) }
}

struct Reader<'a> {
    types: &'a PortableRegistry,
    depth: u32,
}

impl Reader<'_> {
    fn value(&mut self, id: u32, bytes: &mut &[u8]) -> Result<Value, ValueError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ValueError::TooDeep);
        }
        let value = self.undepthed(id, bytes);
        self.depth -= 1;
        value
    }

    fn undepthed(&mut self, id: u32, bytes: &mut &[u8]) -> Result<Value, ValueError> {
        let ty = resolve(self.types, id)?;
        if let Some(special) = special(self.types, ty) {
            return read_special(&special, name(ty), bytes);
        }
        match &ty.type_def {
            TypeDef::Composite(composite) => self.fields(&composite.fields, bytes),
            TypeDef::Variant(variants) => {
                let index = read::<u8>("enum", bytes)?;
                let variant = variants.variants.iter().find(|variant| variant.index == index);
                let variant = variant.ok_or_else(|| ValueError::Malformed(name(ty).into()))?;
                if name(ty) == "Option" {
                    return match variant.fields.first() {
                        None => Ok(Value::Null),
                        Some(field) => self.value(field.ty.id, bytes),
                    };
                }
                if variant.fields.is_empty() {
                    return Ok(Value::String(snake(&variant.name)));
                }
                let fields = self.fields(&variant.fields, bytes)?;
                Ok(json!({ snake(&variant.name): fields }))
            }
            TypeDef::Sequence(sequence) => {
                let Compact(count) = read::<Compact<u32>>("list", bytes)?;
                self.items(sequence.type_param.id, count, bytes)
            }
            TypeDef::Array(array) => self.items(array.type_param.id, array.len, bytes),
            TypeDef::Tuple(tuple) => {
                let values: Result<Vec<_>, _> = tuple.fields.iter().map(|field| self.value(field.id, bytes)).collect();
                values.map(Value::Array)
            }
            TypeDef::Primitive(primitive) => read_primitive(primitive, bytes),
            TypeDef::Compact(_) => read::<Compact<u128>>("compact", bytes).map(|Compact(value)| large(value)),
            TypeDef::BitSequence(_) => Err(ValueError::Unsupported("BitSequence".into())),
        }
    }

    fn fields(&mut self, fields: &[Field<PortableForm>], bytes: &mut &[u8]) -> Result<Value, ValueError> {
        match fields {
            [] => Ok(json!({})),
            [only] if only.name.is_none() => self.value(only.ty.id, bytes),
            [first, ..] if first.name.is_none() => {
                let values: Result<Vec<_>, _> = fields.iter().map(|field| self.value(field.ty.id, bytes)).collect();
                values.map(Value::Array)
            }
            _ => {
                let mut object = Map::new();
                for field in fields {
                    let value = self.value(field.ty.id, bytes)?;
                    let value = if is_withheld(field) { Value::Null } else { value };
                    object.insert(field.name.clone().unwrap_or_default(), value);
                }
                Ok(Value::Object(object))
            }
        }
    }

    fn items(&mut self, item: u32, count: u32, bytes: &mut &[u8]) -> Result<Value, ValueError> {
        let is_byte = matches!(resolve(self.types, item)?.type_def, TypeDef::Primitive(TypeDefPrimitive::U8));
        let count = count as usize;
        if is_byte {
            return take(count, bytes).map(|taken| Value::String(hex::encode(taken)));
        }
        let mut items = Vec::new();
        for _ in 0..count {
            let before = bytes.len();
            items.push(self.value(item, bytes)?);
            // A list of nothings has a claimed length and no bytes: no bound on it is known.
            if bytes.len() == before {
                return Err(ValueError::Unsupported("a list of values without bytes".into()));
            }
        }
        Ok(Value::Array(items))
    }
}

fn read<T: Decode>(what: &str, bytes: &mut &[u8]) -> Result<T, ValueError> {
    T::decode(bytes).map_err(|_| ValueError::Malformed(what.into()))
}

fn take<'a>(count: usize, bytes: &mut &'a [u8]) -> Result<&'a [u8], ValueError> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or_else(|| ValueError::Malformed("bytes".into()))?;
    *bytes = rest;
    Ok(taken)
}

fn read_special(special: &Special, type_name: &str, bytes: &mut &[u8]) -> Result<Value, ValueError> {
    match special {
        Special::Id(kind, length) => take(*length, bytes).map(|id| Value::String(id_text(kind, id))),
        Special::Hash => read::<portolan_primitives::Hash>(type_name, bytes).map(|hash| json!(hash)),
        Special::Date => read::<i32>(type_name, bytes).map(|day| json!(BusinessDate(day))),
        Special::Currency => read::<Currency>(type_name, bytes).map(|currency| json!(currency)),
        Special::PublicKey => read::<PublicKey>(type_name, bytes).map(|key| json!(key_text(&key))),
        Special::Money => read::<portolan_terms::Money>(type_name, bytes).map(|money| {
            json!({ "currency": money.currency.to_string(), "minor": money.minor.to_string(), "decimal": money.to_decimal() })
        }),
    }
}

fn read_primitive(primitive: &TypeDefPrimitive, bytes: &mut &[u8]) -> Result<Value, ValueError> {
    use TypeDefPrimitive as P;
    Ok(match primitive {
        P::Bool => json!(read::<bool>("bool", bytes)?),
        P::Str => json!(read::<String>("text", bytes)?),
        P::U8 => json!(read::<u8>("u8", bytes)?),
        P::U16 => json!(read::<u16>("u16", bytes)?),
        P::U32 => json!(read::<u32>("u32", bytes)?),
        P::U64 => large(read::<u64>("u64", bytes)?.into()),
        P::U128 => json!(read::<u128>("u128", bytes)?.to_string()),
        P::I8 => json!(read::<i8>("i8", bytes)?),
        P::I16 => json!(read::<i16>("i16", bytes)?),
        P::I32 => json!(read::<i32>("i32", bytes)?),
        P::I64 => {
            let value = read::<i64>("i64", bytes)?;
            if value.unsigned_abs() <= SAFE { json!(value) } else { json!(value.to_string()) }
        }
        P::I128 => json!(read::<i128>("i128", bytes)?.to_string()),
        P::Char | P::U256 | P::I256 => return Err(ValueError::Unsupported(format!("{primitive:?}"))),
    })
}

fn large(value: u128) -> Value {
    match u64::try_from(value) {
        Ok(small) if small <= SAFE => json!(small),
        _ => json!(value.to_string()),
    }
}
