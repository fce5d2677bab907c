//! The tool of members, suppliers and auditors: everything that `portolan` does, as a library for its binary and its tests.
//! It knows the chain through the node's API alone, and nothing of consensus.

#![forbid(unsafe_code)]

pub mod args;
pub mod bench;
pub mod client;
pub mod clock;
pub mod commands;
pub mod commitment;
pub mod context;
pub mod contracts;
pub mod demo;
pub mod devnet;
pub mod document;
pub mod error;
pub mod keystore;
pub mod output;
pub mod proof;
pub mod submit;
pub mod values;
pub mod view;
