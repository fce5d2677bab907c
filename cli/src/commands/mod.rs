//! The commands: nouns, then verbs. Each file holds one noun or a few near ones.

pub mod acts;
pub mod chain;
pub mod contract;
pub mod doctor;
pub mod document;
pub mod financing;
pub mod governance;
pub mod key;
pub mod member;
pub mod receivable;
pub mod settlement;
pub mod spec;
pub mod trade;
pub mod verify;
