//! The host's functions under one set of signatures: imports on wasm, the test chain natively.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod wasm;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::*;
#[cfg(not(target_arch = "wasm32"))]
pub use native::{Host, with_host};
#[cfg(target_arch = "wasm32")]
pub(crate) use wasm::*;
