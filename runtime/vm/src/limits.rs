//! Bounds of a deployable module. They are rules of the protocol: a change makes a module valid here and invalid there.

use crate::abi;

/// Bytes of a WebAssembly page.
pub const PAGE_BYTES: usize = 64 * 1024;
/// Most pages of a linear memory, declared or grown.
pub const MAX_MEMORY_PAGES: u32 = (abi::MAX_MEMORY_BYTES / PAGE_BYTES) as u32;
/// Most elements of the function table.
pub const MAX_TABLE_ELEMENTS: u32 = 4_096;

/// What a module may have at most. A field above [`ModuleLimits::V1`] counts as the one there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleLimits {
    /// Bytes of the whole module.
    pub code_bytes: usize,
    /// Function types.
    pub types: u32,
    /// Imports.
    pub imports: u32,
    /// Functions that the module defines.
    pub functions: u32,
    /// Globals.
    pub globals: u32,
    /// Exports.
    pub exports: u32,
    /// Data segments and element segments, each.
    pub segments: u32,
    /// Bytes of all data segments.
    pub data_bytes: u32,
    /// Elements of the function table.
    pub table_elements: u32,
    /// Pages of memory, 64 KiB each, both initial and maximum.
    pub memory_pages: u32,
    /// Parameters of a function.
    pub params: u32,
    /// Locals of a function without its parameters.
    pub locals: u32,
    /// Bytes of one function's body.
    pub body_bytes: u32,
    /// Blocks within blocks in one function.
    pub nesting: u32,
    /// Targets of one `br_table`.
    pub branch_targets: u32,
    /// What compiling the module weighs (see [`crate::validate::ModuleFacts::compile_weight`]).
    pub compile_weight: u64,
    /// Slots of one function's frame (see [`crate::stack`]).
    pub frame_slots: u32,
    /// Bytes of the metadata section.
    pub metadata_bytes: usize,
}

impl ModuleLimits {
    /// The limits of protocol version 1.
    pub const V1: Self = Self {
        code_bytes: abi::MAX_CODE_BYTES,
        types: 1_024,
        imports: 64,
        functions: 4_096,
        globals: 64,
        exports: 32,
        segments: 512,
        data_bytes: 256 * 1024,
        table_elements: MAX_TABLE_ELEMENTS,
        memory_pages: MAX_MEMORY_PAGES,
        params: 32,
        locals: 1_024,
        body_bytes: 64 * 1024,
        nesting: 256,
        branch_targets: 1_024,
        compile_weight: 2_000_000,
        frame_slots: 16_384,
        metadata_bytes: 128 * 1024,
    };

    /// These limits, nowhere above [`ModuleLimits::V1`].
    pub(crate) fn capped(self) -> Self {
        let cap = Self::V1;
        Self {
            code_bytes: self.code_bytes.min(cap.code_bytes),
            types: self.types.min(cap.types),
            imports: self.imports.min(cap.imports),
            functions: self.functions.min(cap.functions),
            globals: self.globals.min(cap.globals),
            exports: self.exports.min(cap.exports),
            segments: self.segments.min(cap.segments),
            data_bytes: self.data_bytes.min(cap.data_bytes),
            table_elements: self.table_elements.min(cap.table_elements),
            memory_pages: self.memory_pages.min(cap.memory_pages),
            params: self.params.min(cap.params),
            locals: self.locals.min(cap.locals),
            body_bytes: self.body_bytes.min(cap.body_bytes),
            nesting: self.nesting.min(cap.nesting),
            branch_targets: self.branch_targets.min(cap.branch_targets),
            compile_weight: self.compile_weight.min(cap.compile_weight),
            frame_slots: self.frame_slots.min(cap.frame_slots),
            metadata_bytes: self.metadata_bytes.min(cap.metadata_bytes),
        }
    }
}

impl Default for ModuleLimits {
    fn default() -> Self {
        Self::V1
    }
}
