//! Rewrites a module so that it counts its own stack (see [`crate::stack`]). The rewritten module is what is compiled and
//! what gas is counted on; it is derived again from the deployed code whenever it is needed, and never stored as code.
//!
//! ```text
//! (func … (local …)                      (func … (local …)
//!   body)                                  left -= frame; if left < 0 { unreachable }
//!                                          block (result …) body' end
//!                                          left += frame)
//! ```
//! In `body'` each `return` becomes a branch to the new block. Nothing else changes: branch depths count from within, and
//! function indices stay. Must only see modules that [`crate::validate`] passed.

use std::ops::Range;

use wasm_encoder::{BlockType, CodeSection, Encode, Instruction, RawSection, SectionId};
use wasmparser::{BinaryReader, FunctionBody, Operator, Parser, Payload, ValType};

use crate::{
    ModuleError, stack,
    validate::{FunctionShape, Inspection, STACK_EXPORT},
};

/// Changes when the rewriting does: compiled modules of another version are not used.
pub(crate) const VERSION: u32 = 1;

/// The instrumented form of `code`, which `inspection` describes.
pub(crate) fn instrument(code: &[u8], inspection: &Inspection) -> Result<Vec<u8>, ModuleError> {
    let counter = inspection.facts.globals;
    let mut module = wasm_encoder::Module::new();
    let mut shapes = inspection.shapes.iter();
    let mut bodies = CodeSection::new();
    let mut counted = false;
    for payload in Parser::new(0).parse_all(code) {
        let payload = payload?;
        match &payload {
            Payload::CustomSection(_) => {}
            Payload::GlobalSection(section) => {
                put_counter(&mut module, code, Some(section.range()))?;
                counted = true;
            }
            Payload::ExportSection(section) => {
                if !counted {
                    put_counter(&mut module, code, None)?;
                }
                put_export(&mut module, code, section.range(), counter)?;
            }
            Payload::CodeSectionStart { .. } => {}
            Payload::CodeSectionEntry(body) => {
                let shape = shapes.next().ok_or_else(out_of_step)?;
                bodies.raw(&rewrite(code, body, *shape, counter)?);
                if shapes.len() == 0 {
                    module.section(&bodies);
                }
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    module.section(&RawSection { id, data: slice(code, range)? });
                }
            }
        }
    }
    Ok(module.finish())
}

/// The global section with the counter at its end.
fn put_counter(
    module: &mut wasm_encoder::Module,
    code: &[u8],
    section: Option<Range<usize>>,
) -> Result<(), ModuleError> {
    let (count, entries) = match section {
        Some(range) => split_count(slice(code, range)?)?,
        None => (0, &[][..]),
    };
    let mut data = Vec::with_capacity(entries.len() + 16);
    (count + 1).encode(&mut data);
    data.extend_from_slice(entries);
    let ty = wasm_encoder::GlobalType { val_type: wasm_encoder::ValType::I32, mutable: true, shared: false };
    ty.encode(&mut data);
    wasm_encoder::ConstExpr::i32_const(stack::STACK_SLOTS as i32).encode(&mut data);
    module.section(&RawSection { id: SectionId::Global.into(), data: &data });
    Ok(())
}

/// The export section with the counter at its end, so that an exhausted stack can be told from a panic.
fn put_export(
    module: &mut wasm_encoder::Module,
    code: &[u8],
    range: Range<usize>,
    counter: u32,
) -> Result<(), ModuleError> {
    let (count, entries) = split_count(slice(code, range)?)?;
    let mut data = Vec::with_capacity(entries.len() + 32);
    (count + 1).encode(&mut data);
    data.extend_from_slice(entries);
    STACK_EXPORT.encode(&mut data);
    wasm_encoder::ExportKind::Global.encode(&mut data);
    counter.encode(&mut data);
    module.section(&RawSection { id: SectionId::Export.into(), data: &data });
    Ok(())
}

fn rewrite(code: &[u8], body: &FunctionBody<'_>, shape: FunctionShape, counter: u32) -> Result<Vec<u8>, ModuleError> {
    let mut operators = body.get_operators_reader()?;
    let locals = body.range().start..operators.original_position();
    let mut out = Vec::with_capacity(body.range().len() + 64);
    out.extend_from_slice(slice(code, locals)?);
    put_entry(&mut out, shape, counter);
    let mut depth = 0_u32;
    while !operators.eof() {
        let start = operators.original_position();
        match operators.read()? {
            Operator::Return => {
                Instruction::Br(depth).encode(&mut out);
                continue;
            }
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => depth += 1,
            Operator::End => depth = depth.saturating_sub(1),
            _ => {}
        }
        out.extend_from_slice(slice(code, start..operators.original_position())?);
    }
    put_exit(&mut out, shape, counter);
    Ok(out)
}

fn put_entry(out: &mut Vec<u8>, shape: FunctionShape, counter: u32) {
    let result = match shape.result {
        None => BlockType::Empty,
        Some(ValType::I64) => BlockType::Result(wasm_encoder::ValType::I64),
        // The check leaves no other type.
        Some(_) => BlockType::Result(wasm_encoder::ValType::I32),
    };
    put_all(
        out,
        &[
            Instruction::GlobalGet(counter),
            Instruction::I32Const(shape.frame_slots as i32),
            Instruction::I32Sub,
            Instruction::GlobalSet(counter),
            Instruction::GlobalGet(counter),
            Instruction::I32Const(0),
            Instruction::I32LtS,
            Instruction::If(BlockType::Empty),
            Instruction::Unreachable,
            Instruction::End,
            Instruction::Block(result),
        ],
    );
}

/// After the block, whose `end` is the body's own last one.
fn put_exit(out: &mut Vec<u8>, shape: FunctionShape, counter: u32) {
    put_all(
        out,
        &[
            Instruction::GlobalGet(counter),
            Instruction::I32Const(shape.frame_slots as i32),
            Instruction::I32Add,
            Instruction::GlobalSet(counter),
            Instruction::End,
        ],
    );
}

fn put_all(out: &mut Vec<u8>, instructions: &[Instruction<'_>]) {
    for instruction in instructions {
        instruction.encode(out);
    }
}

/// A section's count of entries, and their bytes.
fn split_count(section: &[u8]) -> Result<(u32, &[u8]), ModuleError> {
    let mut reader = BinaryReader::new(section, 0);
    let count = reader.read_var_u32()?;
    Ok((count, slice(section, reader.original_position()..section.len())?))
}

fn slice(code: &[u8], range: Range<usize>) -> Result<&[u8], ModuleError> {
    code.get(range).ok_or_else(out_of_step)
}

fn out_of_step() -> ModuleError {
    ModuleError::Invalid { offset: 0, reason: "the module changed between its check and its instrumentation".into() }
}
