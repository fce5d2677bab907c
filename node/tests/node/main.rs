//! The node's parts and the whole: one program, so that the database is linked once.

#![allow(clippy::disallowed_methods, reason = "tests of a process read its clocks")]

mod backup;
mod cluster;
mod config;
mod executing;
mod keys;
mod log_file;
mod nesting;
mod network;
mod power;
mod processes;
mod pruning;
mod store;
mod world;
