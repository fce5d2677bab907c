//! JSON schemas of types, in the form that [`decode`](super::decode) writes and [`encode`](super::encode) reads.

use std::collections::BTreeMap;

use scale_info::form::PortableForm;
use scale_info::{Field, PortableRegistry, Type, TypeDef, TypeDefPrimitive};
use serde_json::{Map, Value, json};

use super::special::{Special, is_withheld, special};
use super::{MAX_DEPTH, name, snake};

/// Schemas of the types of one description, by name.
pub struct Schemas<'a> {
    types: &'a PortableRegistry,
    /// What references begin with.
    base: String,
    /// What names begin with.
    prefix: String,
    names: BTreeMap<u32, String>,
    made: BTreeMap<String, Value>,
}

impl<'a> Schemas<'a> {
    /// Of these types; a reference to `Thing` is `base` + `prefix` + `Thing`.
    pub fn new(types: &'a PortableRegistry, base: &str, prefix: &str) -> Self {
        Self { types, base: base.into(), prefix: prefix.into(), names: BTreeMap::new(), made: BTreeMap::new() }
    }

    /// The schema of a type; those with names are referred to.
    pub fn of(&mut self, ty: u32) -> Value {
        self.at(ty, 0)
    }

    /// All schemas that were referred to, by name with prefix.
    pub fn finish(self) -> Value {
        Value::Object(self.made.into_iter().collect())
    }

    fn at(&mut self, id: u32, depth: u32) -> Value {
        let types = self.types;
        // Anything is allowed where the description says nothing.
        let Some(ty) = types.resolve(id).filter(|_| depth < MAX_DEPTH) else { return json!({}) };
        if let Some(special) = special(types, ty) {
            return of_special(&special);
        }
        match &ty.type_def {
            TypeDef::Variant(variants) if name(ty) == "Option" => {
                let some = variants.variants.iter().find_map(|variant| variant.fields.first());
                let inner = some.map_or_else(|| json!({}), |field| self.at(field.ty.id, depth + 1));
                json!({ "anyOf": [inner, { "type": "null" }] })
            }
            TypeDef::Composite(_) | TypeDef::Variant(_) if !name(ty).is_empty() => self.reference(id, ty, depth),
            _ => self.definition(ty, depth),
        }
    }

    fn reference(&mut self, id: u32, ty: &Type<PortableForm>, depth: u32) -> Value {
        let known = self.names.get(&id).cloned();
        let full = known.unwrap_or_else(|| {
            let plain = format!("{}{}", self.prefix, name(ty));
            // Generic types share a name.
            let taken = self.names.values().any(|taken| *taken == plain);
            let full = if taken { format!("{plain}_{id}") } else { plain };
            self.names.insert(id, full.clone());
            let definition = self.definition(ty, depth);
            self.made.insert(full.clone(), definition);
            full
        });
        json!({ "$ref": format!("{}{full}", self.base) })
    }

    fn definition(&mut self, ty: &Type<PortableForm>, depth: u32) -> Value {
        let mut schema = match &ty.type_def {
            TypeDef::Composite(composite) => self.fields(&composite.fields, depth),
            TypeDef::Variant(variants) => {
                let mut plain = Vec::new();
                let mut all = Vec::new();
                for variant in &variants.variants {
                    let key = snake(&variant.name);
                    if variant.fields.is_empty() {
                        plain.push(key);
                        continue;
                    }
                    let fields = self.fields(&variant.fields, depth);
                    all.push(json!({
                        "type": "object", "properties": { (key.clone()): fields }, "required": [key],
                        "additionalProperties": false,
                    }));
                }
                if !plain.is_empty() {
                    all.insert(0, json!({ "type": "string", "enum": plain }));
                }
                if all.len() == 1 { all.remove(0) } else { json!({ "oneOf": all }) }
            }
            TypeDef::Sequence(sequence) => self.list(sequence.type_param.id, None, depth),
            TypeDef::Array(array) => self.list(array.type_param.id, Some(array.len), depth),
            TypeDef::Tuple(tuple) => {
                let items: Vec<Value> = tuple.fields.iter().map(|field| self.at(field.id, depth + 1)).collect();
                fixed(items)
            }
            TypeDef::Primitive(primitive) => of_primitive(primitive),
            TypeDef::Compact(_) => large("integer"),
            TypeDef::BitSequence(_) => json!({}),
        };
        let words =
            ty.docs.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        if let Some(object) = schema.as_object_mut().filter(|_| !words.is_empty()) {
            object.insert("description".into(), json!(words));
        }
        schema
    }

    fn fields(&mut self, fields: &[Field<PortableForm>], depth: u32) -> Value {
        match fields {
            [] => json!({ "type": "object" }),
            [only] if only.name.is_none() => self.at(only.ty.id, depth + 1),
            [first, ..] if first.name.is_none() => {
                let items: Vec<Value> = fields.iter().map(|field| self.at(field.ty.id, depth + 1)).collect();
                fixed(items)
            }
            _ => {
                let mut properties = Map::new();
                let mut required = Vec::new();
                for field in fields {
                    let name = field.name.clone().unwrap_or_default();
                    let mut schema = self.at(field.ty.id, depth + 1);
                    if is_withheld(field) {
                        schema = json!({ "anyOf": [schema, { "type": "null" }], "description": "Sent, and shown to nobody." });
                    }
                    properties.insert(name.clone(), schema);
                    required.push(name);
                }
                json!({ "type": "object", "properties": properties, "required": required })
            }
        }
    }

    fn list(&mut self, item: u32, length: Option<u32>, depth: u32) -> Value {
        let is_byte = |ty: &Type<PortableForm>| matches!(ty.type_def, TypeDef::Primitive(TypeDefPrimitive::U8));
        if self.types.resolve(item).is_some_and(is_byte) {
            let count = length.map_or("*".into(), |length| format!("{{{length}}}"));
            return json!({ "type": "string", "pattern": format!("^([0-9a-f]{{2}}){count}$") });
        }
        let mut schema = json!({ "type": "array", "items": self.at(item, depth + 1) });
        if let Some(length) = length {
            schema["minItems"] = json!(length);
            schema["maxItems"] = json!(length);
        }
        schema
    }
}

fn fixed(items: Vec<Value>) -> Value {
    let count = items.len();
    if count == 0 {
        return json!({ "type": "array", "maxItems": 0 });
    }
    json!({ "type": "array", "prefixItems": items, "minItems": count, "maxItems": count })
}

fn of_special(special: &Special) -> Value {
    match special {
        Special::Id(kind, _) => json!({ "type": "string", "pattern": format!("^{kind}1[02-9ac-hj-np-z]+$") }),
        Special::Hash => json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
        Special::Date => json!({ "type": "string", "format": "date" }),
        Special::Currency => json!({ "type": "string", "pattern": "^[A-Z]{3}$" }),
        Special::PublicKey => json!({ "type": "string", "pattern": "^pub1[02-9ac-hj-np-z]+$" }),
        Special::Money => json!({
            "type": "object",
            "properties": {
                "currency": { "type": "string", "pattern": "^[A-Z]{3}$" },
                "minor": { "type": "string", "pattern": "^-?[0-9]+$" },
                "decimal": { "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" },
            },
            "required": ["currency", "minor", "decimal"],
        }),
    }
}

fn of_primitive(primitive: &TypeDefPrimitive) -> Value {
    use TypeDefPrimitive as P;
    match primitive {
        P::Bool => json!({ "type": "boolean" }),
        P::Str | P::Char => json!({ "type": "string" }),
        P::U8 => json!({ "type": "integer", "minimum": 0, "maximum": u8::MAX }),
        P::U16 => json!({ "type": "integer", "minimum": 0, "maximum": u16::MAX }),
        P::U32 => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        P::I8 => json!({ "type": "integer", "minimum": i8::MIN, "maximum": i8::MAX }),
        P::I16 => json!({ "type": "integer", "minimum": i16::MIN, "maximum": i16::MAX }),
        P::I32 => json!({ "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX }),
        P::U64 | P::I64 => large("integer"),
        P::U128 | P::I128 | P::U256 | P::I256 => json!({ "type": "string", "pattern": "^-?[0-9]+$" }),
    }
}

/// A number, or text where JSON's numbers are not exact.
fn large(kind: &str) -> Value {
    json!({ "oneOf": [{ "type": kind }, { "type": "string", "pattern": "^-?[0-9]+$" }] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use scale_info::{MetaType, Registry, TypeInfo};

    /// A thing; text form `thing1…`.
    #[derive(TypeInfo)]
    #[allow(dead_code)]
    struct ThingId([u8; 32]);

    #[derive(TypeInfo)]
    #[allow(dead_code)]
    enum State {
        OpenForAll,
        Closed { at: u64 },
    }

    /// What is kept.
    #[derive(TypeInfo)]
    #[allow(dead_code)]
    struct Kept {
        id: ThingId,
        state: State,
        again: Option<State>,
        bytes: Vec<u8>,
        /// A number. Only its keyed hash is stored.
        number: u8,
    }

    #[test]
    fn a_struct_refers_to_its_parts() {
        let mut registry = Registry::new();
        let id = registry.register_type(&MetaType::new::<Kept>()).id;
        let types: PortableRegistry = registry.into();
        let mut schemas = Schemas::new(&types, "#/x/", "a.");
        assert_eq!(schemas.of(id), json!({ "$ref": "#/x/a.Kept" }));
        let made = schemas.finish();
        let kept = &made["a.Kept"];
        assert_eq!(kept["description"], "What is kept.");
        assert_eq!(kept["required"], json!(["id", "state", "again", "bytes", "number"]));
        assert_eq!(kept["properties"]["state"], json!({ "$ref": "#/x/a.State" }));
        assert_eq!(kept["properties"]["number"]["anyOf"][1], json!({ "type": "null" }));
        assert_eq!(kept["properties"]["again"]["anyOf"][1], json!({ "type": "null" }));
        assert_eq!(kept["properties"]["id"]["pattern"], "^thing1[02-9ac-hj-np-z]+$");
        assert_eq!(made["a.State"]["oneOf"][0], json!({ "type": "string", "enum": ["open_for_all"] }));
        assert_eq!(made["a.State"]["oneOf"][1]["required"], json!(["closed"]));
    }
}
