//! Judges code before it is deployed. The same bytes get the same answer on every node: nothing here asks the engine or the
//! machine. What passes can be instantiated without a trap, has bounded compile cost, and counts all it does.
//!
//! A module is WebAssembly 1.0 on integers with sign extension, `memory.copy` and `memory.fill`: what rustc emits for
//! `wasm32-unknown-unknown`. Must never accept what it does not know.

use wasmparser::{
    CompositeInnerType, ConstExpr, Data, DataKind, Element, ElementItems, ElementKind, Export, ExternalKind,
    FuncToValidate, FuncType, FuncValidatorAllocations, FunctionBody, Import, MemoryType, Operator, Parser, Payload,
    Table, TableInit, TypeRef, ValType, ValidPayload, Validator, ValidatorResources, WasmFeatures,
};

use crate::{
    abi,
    limits::{ModuleLimits, PAGE_BYTES},
    metering, signatures,
    signatures::Type,
    stack,
};

/// What a contract may use of the evolving WebAssembly: nothing with floats, threads, vectors, references, tail calls,
/// exceptions, or more than one result.
const FEATURES: WasmFeatures = WasmFeatures::SIGN_EXTENSION
    .union(WasmFeatures::CALL_INDIRECT_OVERLONG)
    .union(WasmFeatures::BULK_MEMORY_OPT)
    .union(WasmFeatures::GC_TYPES);

/// Name under which the instrumented module exports its stack counter; a contract may not use it.
pub(crate) const STACK_EXPORT: &str = "portolan_stack_left";

/// What is to know about a module that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleFacts {
    /// Functions that it defines.
    pub functions: u32,
    /// Pages of memory that it starts with.
    pub memory_pages: u32,
    /// Elements of its function table.
    pub table_elements: u32,
    /// Bytes of its data segments.
    pub data_bytes: u32,
    /// Globals.
    pub globals: u32,
    /// Slots of its largest frame.
    pub largest_frame: u32,
    /// What compiling it costs, in a unit of one to two microseconds on the reference machine: a compiler's work grows with
    /// functions, operators, and for each branch with the values that may live across it and the blocks around it.
    pub compile_weight: u64,
    /// Contents of its metadata section: the SCALE-encoded description for people and tools.
    pub metadata: Option<Vec<u8>>,
}

impl ModuleFacts {
    /// Gas that each call pays for its fresh instance.
    pub fn instantiation_gas(&self) -> u64 {
        metering::instantiation(self.data_bytes, self.memory_pages, self.table_elements, self.globals)
    }
}

/// Why a module can't be deployed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModuleError {
    /// Not WebAssembly, cut off, or broken.
    #[error("not a valid WebAssembly module, at byte {offset}: {reason}")]
    Invalid {
        /// Where.
        offset: usize,
        /// The parser's words.
        reason: String,
    },
    /// A float type or operator.
    #[error("floating point at byte {offset}: contracts count in integers")]
    Float {
        /// Where.
        offset: usize,
    },
    /// A feature that contracts may not use.
    #[error(
        "unsupported WebAssembly feature at byte {offset}: {reason}; build for `wasm32-unknown-unknown` without extra target features"
    )]
    Feature {
        /// Where.
        offset: usize,
        /// The parser's words.
        reason: String,
    },
    /// More of something than [`ModuleLimits`] allow.
    #[error("{found} {what}, where {most} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        most: u64,
        /// How many there are.
        found: u64,
    },
    /// An import that host ABI v1 does not have.
    #[error("import `{0}` is not part of host ABI v1")]
    UnknownImport(String),
    /// An import of another type than the ABI's.
    #[error("import `{name}` has another type than host ABI v1: {expected}")]
    WrongImportType {
        /// The import.
        name: &'static str,
        /// The right type.
        expected: String,
    },
    /// The export that the vm needs is missing.
    #[error("the module does not export {0}")]
    MissingExport(&'static str),
    /// An export that is not allowed.
    #[error("export `{0}` is not allowed: a contract exports `memory` and the function `call(i32)`")]
    ForbiddenExport(String),
    /// A start function.
    #[error("a start function is not allowed: it would run before gas is counted")]
    StartFunction,
    /// A segment that is not placed at a constant address within the initial memory or table.
    #[error("{0} segment {1} is not at a constant place within the initial size")]
    Segment(&'static str, u32),
    /// A table initialised by an expression.
    #[error("a table with an initial value is not allowed")]
    TableValue,
    /// The metadata section occurs twice.
    #[error("more than one metadata section")]
    MetadataTwice,
}

impl From<wasmparser::Error> for ModuleError {
    fn from(error: wasmparser::Error) -> Self {
        let (offset, reason) = (error.offset(), error.message().to_owned());
        match error.missing_wasm_feature() {
            Some(feature) if feature.contains(WasmFeatures::FLOATS) => Self::Float { offset },
            Some(_) => Self::Feature { offset, reason },
            None => Self::Invalid { offset, reason },
        }
    }
}

/// Checks `code` against `limits`, each of which counts at most as in [`ModuleLimits::V1`].
///
/// # Errors
/// The first rule that the module breaks.
pub fn validate(code: &[u8], limits: &ModuleLimits) -> Result<ModuleFacts, ModuleError> {
    inspect(code, limits).map(|inspection| inspection.facts)
}

/// What instrumentation needs beside the facts.
#[derive(Debug)]
pub(crate) struct Inspection {
    pub facts: ModuleFacts,
    /// For each defined function its result and its frame's slots.
    pub shapes: Vec<FunctionShape>,
}

/// A defined function, as the stack counter sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FunctionShape {
    pub result: Option<ValType>,
    pub frame_slots: u32,
}

/// [`validate`], with the shape of each function.
pub(crate) fn inspect(code: &[u8], limits: &ModuleLimits) -> Result<Inspection, ModuleError> {
    let limits = limits.capped();
    at_most("bytes of code", code.len(), limits.code_bytes)?;
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    let mut validator = Validator::new_with_features(FEATURES);
    let mut inspector = Inspector::new(limits);
    let mut allocations = FuncValidatorAllocations::default();
    for payload in parser.parse_all(code) {
        let payload = payload?;
        inspector.bound_section(&payload)?;
        match validator.payload(&payload)? {
            ValidPayload::Func(function, body) => allocations = inspector.function(function, &body, allocations)?,
            _ => inspector.section(payload)?,
        }
    }
    inspector.finish()
}

fn at_most(what: &'static str, found: impl TryInto<u64>, most: impl TryInto<u64>) -> Result<(), ModuleError> {
    let (found, most) = (found.try_into().unwrap_or(u64::MAX), most.try_into().unwrap_or(u64::MAX));
    if found > most { Err(ModuleError::TooMany { what, most, found }) } else { Ok(()) }
}

struct Inspector {
    limits: ModuleLimits,
    types: Vec<FuncType>,
    /// Type index of each imported and defined function, imported ones first.
    functions: Vec<u32>,
    imported: u32,
    memory: Option<MemoryType>,
    table_elements: u32,
    globals: u32,
    data_bytes: u32,
    exports_memory: bool,
    exports_call: bool,
    metadata: Option<Vec<u8>>,
    shapes: Vec<FunctionShape>,
    compile_weight: u64,
}

impl Inspector {
    fn new(limits: ModuleLimits) -> Self {
        Self {
            limits,
            types: Vec::new(),
            functions: Vec::new(),
            imported: 0,
            memory: None,
            table_elements: 0,
            globals: 0,
            data_bytes: 0,
            exports_memory: false,
            exports_call: false,
            metadata: None,
            shapes: Vec::new(),
            compile_weight: 0,
        }
    }

    /// Counts, before anything of the section is looked at.
    fn bound_section(&self, payload: &Payload<'_>) -> Result<(), ModuleError> {
        let limits = &self.limits;
        match payload {
            Payload::TypeSection(section) => at_most("types", section.count(), limits.types),
            Payload::ImportSection(section) => at_most("imports", section.count(), limits.imports),
            Payload::FunctionSection(section) => at_most("functions", section.count(), limits.functions),
            Payload::GlobalSection(section) => at_most("globals", section.count(), limits.globals),
            Payload::ExportSection(section) => at_most("exports", section.count(), limits.exports),
            Payload::ElementSection(section) => at_most("element segments", section.count(), limits.segments),
            Payload::DataSection(section) => at_most("data segments", section.count(), limits.segments),
            Payload::CodeSectionEntry(body) => self.bound_body(body),
            _ => Ok(()),
        }
    }

    fn bound_body(&self, body: &FunctionBody<'_>) -> Result<(), ModuleError> {
        at_most("bytes in one function", body.range().len(), self.limits.body_bytes)?;
        let mut locals = 0_u64;
        for group in body.get_locals_reader()? {
            locals += u64::from(group?.0);
            at_most("locals in one function", locals, self.limits.locals)?;
        }
        Ok(())
    }

    /// Our rules beyond the standard's, on a section that the validator found sound.
    fn section(&mut self, payload: Payload<'_>) -> Result<(), ModuleError> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    group?.into_types().try_for_each(|ty| self.function_type(ty.composite_type.inner))?;
                }
            }
            Payload::ImportSection(section) => {
                section.into_imports().try_for_each(|import| self.import(import?))?;
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.functions.push(ty?);
                }
            }
            Payload::TableSection(section) => section.into_iter().try_for_each(|table| self.table(table?))?,
            Payload::MemorySection(section) => section.into_iter().try_for_each(|memory| self.memory(memory?))?,
            Payload::GlobalSection(section) => self.globals = section.count(),
            Payload::ExportSection(section) => section.into_iter().try_for_each(|export| self.export(export?))?,
            Payload::StartSection { .. } => return Err(ModuleError::StartFunction),
            Payload::ElementSection(section) => {
                (0..).zip(section).try_for_each(|(index, segment)| self.element_segment(index, &segment?))?;
            }
            Payload::DataSection(section) => {
                (0..).zip(section).try_for_each(|(index, segment)| self.data_segment(index, &segment?))?;
            }
            Payload::CustomSection(section) if section.name() == abi::METADATA_SECTION => {
                self.metadata(section.data())?
            }
            _ => {}
        }
        Ok(())
    }

    fn function_type(&mut self, ty: CompositeInnerType) -> Result<(), ModuleError> {
        let CompositeInnerType::Func(ty) = ty else {
            return Err(ModuleError::Feature { offset: 0, reason: "a type that is not a function's".into() });
        };
        at_most("parameters of one function", ty.params().len(), self.limits.params)?;
        at_most("results of one function", ty.results().len(), 1_u32)?;
        self.types.push(ty);
        Ok(())
    }

    fn import(&mut self, import: Import<'_>) -> Result<(), ModuleError> {
        let full_name = || format!("{}::{}", import.module, import.name);
        let signature = match import.module {
            abi::MODULE => signatures::find(import.name).ok_or_else(|| ModuleError::UnknownImport(full_name()))?,
            _ => return Err(ModuleError::UnknownImport(full_name())),
        };
        let wrong = || ModuleError::WrongImportType { name: signature.name, expected: signature.to_string() };
        let TypeRef::Func(index) = import.ty else { return Err(wrong()) };
        let ty = self.types.get(index as usize).ok_or_else(wrong)?;
        if !is_signature(ty, signature) {
            return Err(wrong());
        }
        self.functions.push(index);
        self.imported += 1;
        Ok(())
    }

    fn table(&mut self, table: Table<'_>) -> Result<(), ModuleError> {
        if !matches!(table.init, TableInit::RefNull) {
            return Err(ModuleError::TableValue);
        }
        at_most("table elements", table.ty.initial, self.limits.table_elements)?;
        self.table_elements = table.ty.initial as u32;
        Ok(())
    }

    fn memory(&mut self, memory: MemoryType) -> Result<(), ModuleError> {
        at_most("pages of initial memory", memory.initial, self.limits.memory_pages)?;
        at_most("pages of maximum memory", memory.maximum.unwrap_or(0), self.limits.memory_pages)?;
        self.memory = Some(memory);
        Ok(())
    }

    fn export(&mut self, export: Export<'_>) -> Result<(), ModuleError> {
        match (export.name, export.kind) {
            (abi::EXPORT_MEMORY, ExternalKind::Memory) => self.exports_memory = true,
            (abi::EXPORT_CALL, ExternalKind::Func) if self.is_entry(export.index) => self.exports_call = true,
            // The linker's own marks, `__data_end` and `__heap_base`.
            (name, ExternalKind::Global) if name != STACK_EXPORT => {}
            (name, _) => return Err(ModuleError::ForbiddenExport(name.chars().take(100).collect())),
        }
        Ok(())
    }

    /// Whether a function is defined here and takes one `i32`.
    fn is_entry(&self, index: u32) -> bool {
        let ty = self.functions.get(index as usize).and_then(|ty| self.types.get(*ty as usize));
        index >= self.imported && ty.is_some_and(|ty| ty.params() == [ValType::I32] && ty.results().is_empty())
    }

    fn element_segment(&mut self, index: u32, segment: &Element<'_>) -> Result<(), ModuleError> {
        let bad = || ModuleError::Segment("element", index);
        let ElementKind::Active { offset_expr, .. } = &segment.kind else { return Err(bad()) };
        let ElementItems::Functions(items) = &segment.items else { return Err(bad()) };
        let end = u64::from(constant(offset_expr)?.ok_or_else(bad)?) + u64::from(items.count());
        if end > u64::from(self.table_elements) { Err(bad()) } else { Ok(()) }
    }

    fn data_segment(&mut self, index: u32, segment: &Data<'_>) -> Result<(), ModuleError> {
        let bad = || ModuleError::Segment("data", index);
        let DataKind::Active { offset_expr, .. } = &segment.kind else { return Err(bad()) };
        let end = u64::from(constant(offset_expr)?.ok_or_else(bad)?) + segment.data.len() as u64;
        let memory_bytes = self.memory.map_or(0, |memory| memory.initial * PAGE_BYTES as u64);
        if end > memory_bytes {
            return Err(bad());
        }
        let all = u64::from(self.data_bytes) + segment.data.len() as u64;
        at_most("bytes of data segments", all, self.limits.data_bytes)?;
        self.data_bytes = all as u32;
        Ok(())
    }

    fn metadata(&mut self, bytes: &[u8]) -> Result<(), ModuleError> {
        at_most("bytes of metadata", bytes.len(), self.limits.metadata_bytes)?;
        match self.metadata.replace(bytes.to_vec()) {
            Some(_) => Err(ModuleError::MetadataTwice),
            None => Ok(()),
        }
    }

    /// Validates a body operator by operator, and measures it on the way.
    fn function(
        &mut self,
        function: FuncToValidate<ValidatorResources>,
        body: &FunctionBody<'_>,
        allocations: FuncValidatorAllocations,
    ) -> Result<FuncValidatorAllocations, ModuleError> {
        let ty = self.types.get(function.ty as usize).cloned();
        let ty =
            ty.ok_or(ModuleError::Invalid { offset: body.range().start, reason: "a function without a type".into() })?;
        let mut validator = function.into_validator(allocations);
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader)?;
        let locals = validator.len_locals();
        let mut measure = Measure { values: locals + HIDDEN_LOCALS, ..Measure::default() };
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset()?;
            validator.op(offset, &operator)?;
            let depth = validator.control_stack_height();
            at_most("nested blocks in one function", depth, self.limits.nesting)?;
            measure.operator(&operator, depth, &self.limits)?;
            measure.operand_height = measure.operand_height.max(validator.operand_stack_height());
        }
        operators.finish()?;
        self.compile_weight += FUNCTION_WEIGHT + measure.weight;
        at_most("units of compile weight", self.compile_weight, self.limits.compile_weight)?;
        let frame_slots = stack::frame_slots(locals, measure.operand_height, measure.operators);
        at_most("stack slots of one function", frame_slots, self.limits.frame_slots)?;
        self.shapes.push(FunctionShape { result: ty.results().first().copied(), frame_slots });
        Ok(validator.into_allocations())
    }

    fn finish(self) -> Result<Inspection, ModuleError> {
        let memory = self.memory.filter(|_| self.exports_memory).ok_or(ModuleError::MissingExport("a `memory`"))?;
        if !self.exports_call {
            return Err(ModuleError::MissingExport("the function `call(i32)`"));
        }
        let facts = ModuleFacts {
            functions: self.shapes.len() as u32,
            memory_pages: memory.initial as u32,
            table_elements: self.table_elements,
            data_bytes: self.data_bytes,
            globals: self.globals,
            largest_frame: self.shapes.iter().map(|shape| shape.frame_slots).max().unwrap_or(0),
            compile_weight: self.compile_weight,
            metadata: self.metadata,
        };
        Ok(Inspection { facts, shapes: self.shapes })
    }
}

/// Values that live through every function beside its locals: context, fuel, stack counter.
const HIDDEN_LOCALS: u32 = 3;
/// Compile weight of a function for itself, of each operator, and of a branch for each value or block it may carry.
const FUNCTION_WEIGHT: u64 = 256;
const OPERATOR_WEIGHT: u64 = 2;

/// What is counted over one body.
#[derive(Default)]
struct Measure {
    /// Values that each branch may have to carry.
    values: u32,
    operators: u32,
    operand_height: u32,
    weight: u64,
}

impl Measure {
    /// Counts `operator` within `depth` blocks.
    fn operator(&mut self, operator: &Operator<'_>, depth: u32, limits: &ModuleLimits) -> Result<(), ModuleError> {
        self.operators += 1;
        let branches = match operator {
            Operator::BrTable { targets } => {
                at_most("targets of one `br_table`", targets.len(), limits.branch_targets)?;
                targets.len() + 1
            }
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::Return => 1,
            _ => 0,
        };
        self.weight += OPERATOR_WEIGHT + u64::from(branches) * u64::from(self.values + depth);
        Ok(())
    }
}

fn is_signature(ty: &FuncType, signature: &signatures::Signature) -> bool {
    let value = |ty: &Type| match ty {
        Type::I32 => ValType::I32,
        Type::I64 => ValType::I64,
    };
    ty.params().iter().copied().eq(signature.params.iter().map(value))
        && ty.results().iter().copied().eq(signature.result.iter().map(value))
}

/// The value of an offset that is a plain `i32.const`.
fn constant(expression: &ConstExpr<'_>) -> Result<Option<u32>, ModuleError> {
    let mut operators = expression.get_operators_reader();
    let first = operators.read()?;
    let second = operators.read()?;
    Ok(match (first, second) {
        (Operator::I32Const { value }, Operator::End) => Some(value as u32),
        _ => None,
    })
}
