//! What a contract's module needs on wasm: the entry, memory, and an end for panics.
#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32,
    cell::Cell,
};

use crate::{Entry, host, message};

/// Runs the exported `call`.
pub fn run(entry: i32, dispatch: impl FnOnce(Entry, &[u8]) -> Result<Vec<u8>, Vec<u8>>) {
    let result = match Entry::from_code(entry) {
        Some(entry) => dispatch(entry, &host::input()),
        None => Err(message::bad_message()),
    };
    host::finish(result);
}

/// A panic traps: the call fails and leaves no trace. Nothing is formatted, which keeps the code small.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}

/// Bytes of a wasm page.
const PAGE: usize = 64 * 1024;

/// Hands out memory upwards and takes back only the newest block: a call is short, and its memory goes with it.
struct Bump {
    /// End of what is handed out; 0 before the first request.
    next: Cell<usize>,
}

// SAFETY: a contract runs in one thread.
unsafe impl Sync for Bump {}

#[global_allocator]
static MEMORY: Bump = Bump { next: Cell::new(0) };

unsafe extern "C" {
    /// First byte after the module's own data, set by the linker.
    static __heap_base: u8;
}

impl Bump {
    fn top(&self) -> usize {
        match self.next.get() {
            0 => &raw const __heap_base as usize,
            next => next,
        }
    }

    /// Moves the end to `end`, growing the memory as needed; whether there was room.
    fn reach(&self, end: usize) -> bool {
        let have = wasm32::memory_size(0) * PAGE;
        let enough = end <= have || wasm32::memory_grow(0, (end - have).div_ceil(PAGE)) != usize::MAX;
        if enough {
            self.next.set(end);
        }
        enough
    }
}

// SAFETY: every block lies between two ends that only move apart, but for the newest block, which nobody else overlaps.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.top().next_multiple_of(layout.align());
        match start.checked_add(layout.size()) {
            Some(end) if self.reach(end) => start as *mut u8,
            _ => core::ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if block as usize + layout.size() == self.top() {
            self.next.set(block as usize);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let newest = block as usize + layout.size() == self.top();
        if newest {
            return match (block as usize).checked_add(size) {
                Some(end) if self.reach(end) => block,
                _ => core::ptr::null_mut(),
            };
        }
        if size <= layout.size() {
            return block;
        }
        // SAFETY: the alignment is the old one's, and the caller keeps the size within bounds.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            // SAFETY: both blocks are at least that long, and a new block overlaps none.
            unsafe { core::ptr::copy_nonoverlapping(block, moved, layout.size()) };
        }
        moved
    }
}
