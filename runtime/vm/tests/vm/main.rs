//! The vm from outside: contracts written as WebAssembly text, run against a world that answers from memory.

mod abi;
mod bounds;
mod cache;
mod gas;
mod nesting;
mod validation;
mod world;
