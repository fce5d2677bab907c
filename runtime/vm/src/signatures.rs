//! The import table in a form that programs read: names and signatures of host ABI v1. It mirrors the table in [`crate::abi`];
//! module check and linker both take it from here. Must never hold behaviour.

/// A wasm value type of the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    I32,
    I64,
}

/// One import: what a module may ask for.
pub(crate) struct Signature {
    pub name: &'static str,
    pub params: &'static [Type],
    pub result: Option<Type>,
}

const fn import(name: &'static str, params: &'static [Type], result: Option<Type>) -> Signature {
    Signature { name, params, result }
}

use Type::{I32, I64};

/// All imports of ABI v1.
pub(crate) const IMPORTS: &[Signature] = &[
    import("input", &[I32, I32], Some(I32)),
    import("output", &[I32, I32], None),
    import("revert", &[I32, I32], None),
    import("result", &[I32, I32, I32], Some(I32)),
    import("storage_get", &[I32, I32, I32, I32], Some(I32)),
    import("storage_put", &[I32, I32, I32, I32], None),
    import("storage_delete", &[I32, I32], None),
    import("storage_scan", &[I32, I32, I32, I32, I32, I32, I32], Some(I32)),
    import("caller", &[I32], None),
    import("authorize", &[I32, I32, I32, I32, I64, I64], Some(I32)),
    import("member_of", &[I32, I32], Some(I32)),
    import("member_status", &[I32], Some(I32)),
    import("has_role", &[I32, I32], Some(I32)),
    import("self_id", &[I32], None),
    import("transaction_id", &[I32], None),
    import("parameter", &[I32, I32, I32, I32], Some(I32)),
    import("consortium_hash", &[I32, I32, I32], None),
    import("block_height", &[], Some(I64)),
    import("block_time", &[], Some(I64)),
    import("business_date", &[], Some(I32)),
    import("is_business_day", &[I32, I32, I32], Some(I32)),
    import("emit_event", &[I32, I32], None),
    import("call", &[I32, I32, I32, I64, I32, I32], Some(I32)),
    import("schedule", &[I32, I32, I32, I64, I32], Some(I32)),
    import("cancel_schedule", &[I32], Some(I32)),
    import("blake3", &[I32, I32, I32], None),
    import("verify_signature", &[I32, I32, I32, I32], Some(I32)),
    import("log", &[I32, I32], None),
];

/// The import named `name`.
pub(crate) fn find(name: &str) -> Option<&'static Signature> {
    IMPORTS.iter().find(|import| import.name == name)
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = |ty: &Type| match ty {
            I32 => "i32",
            I64 => "i64",
        };
        let params: Vec<_> = self.params.iter().map(name).collect();
        write!(f, "({})", params.join(", "))?;
        self.result.iter().try_for_each(|result| write!(f, " -> {}", name(result)))
    }
}
