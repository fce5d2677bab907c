//! The stack in wasm terms: how deep a contract may go, counted the same on every CPU and optimisation level.
//!
//! Before it is compiled, each function is wrapped in a counter: on entry it takes its frame's slots from a hidden global,
//! and traps when none are left; on return it gives them back. The size of a frame is a formula over the function's text
//! ([`frame_slots`]), so the point of exhaustion follows from the code and the input alone. The native stack is sized so
//! that it can't run out first; should it do so all the same, the call is a fault of the host and no outcome.
//!
//! Why this way: rejecting cycles of the call graph would refuse `core::fmt` (its indirect calls look recursive), and fuel
//! bounds time, not depth. The price is some twelve cheap operators a call, charged as gas like all others.

/// Slots that one contract call may have in use.
pub const STACK_SLOTS: u32 = 64 * 1024;

/// What each frame costs beside its values: return address, frame pointer, saved registers, alignment.
const FRAME_BASE_SLOTS: u32 = 16;

/// Native bytes that are set aside for a slot. A slot holds a value of at most 8 bytes; the rest is margin.
const NATIVE_BYTES_PER_SLOT: usize = 16;

/// Native stack of one contract call.
pub const NATIVE_STACK_BYTES: usize = STACK_SLOTS as usize * NATIVE_BYTES_PER_SLOT;

/// Native stack that the host's side of one call may use: this crate, the runtime's `Host`, the store below it.
const HOST_FRAME_BYTES: usize = 512 * 1024;

/// Stack that a thread needs which calls [`crate::Vm::run`]: a chain of [`crate::abi::MAX_CALL_DEPTH`] calls, each with its
/// own wasm stack and its host frames, and the caller's own frames (1 MiB).
pub const THREAD_STACK_BYTES: usize =
    crate::abi::MAX_CALL_DEPTH as usize * (NATIVE_STACK_BYTES + HOST_FRAME_BYTES) + 1024 * 1024;

/// Slots of a function's frame: of its `locals`, parameters among them, its operand stack at its highest, and what a
/// compiler may add.
///
/// `operators` counts because a compiler may keep a value that the code computes twice alive in between; each such value
/// takes at least four operators to make and to use, so half a slot an operator is more than it can need.
pub fn frame_slots(locals: u32, operand_height: u32, operators: u32) -> u32 {
    [locals, operand_height, operators / 2].into_iter().fold(FRAME_BASE_SLOTS, u32::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_counts_all_that_may_live_at_once() {
        assert_eq!(frame_slots(0, 0, 0), 16);
        assert_eq!(frame_slots(3, 5, 100), 16 + 3 + 5 + 50);
        assert_eq!(frame_slots(u32::MAX, 1, 1), u32::MAX);
    }
}
