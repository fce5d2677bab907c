//! The words that the domain contracts and their users share: ids, records, messages, errors and events.
//!
//! Four contracts: [`trade`] keeps orders, bills of lading, customs declarations and invoices; [`receivable`] keeps certificates and their
//! parts; [`settlement`] keeps bank-issued deposits and pays what falls due; [`financing`] lets a bank buy a part. Calls between them point one
//! way only: `financing` → `receivable` → `settlement` and `trade-documents`, so none is ever entered twice in one call.
//!
//! Names, addresses and document texts never appear: parties are accounts and members, documents are salted commitments. An error's doc is
//! its message: `{field}` stands for the variant's field of that name, `{0}` for its only one. Must never hold a rule: those are the contracts'.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod access;
pub mod financing;
pub mod id;
pub mod receivable;
pub mod settlement;
pub mod trade;

pub use id::{CertificateId, DocumentId, FinancingId, PartId};
pub use portolan_sdk::{AccountId, Hash, MemberId, MemberStatus, Role, Unauthorized};
pub use portolan_terms::{BusinessDate, Convention, Currency, DayCount, Money, Ppm, Quote, TermsError};

/// Entries of one page of a list.
pub const PAGE: u32 = 50;

/// Derives for every type that travels or is stored.
macro_rules! data {
    ($($item:item)*) => {
        $(
            #[derive(Clone, Debug, PartialEq, Eq, codec::Encode, codec::Decode, scale_info::TypeInfo)]
            #[scale_info(capture_docs = "always")]
            $item
        )*
    };
}

/// Derives for enums without fields and other small values.
macro_rules! small {
    ($($item:item)*) => {
        $(
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, codec::Encode, codec::Decode, scale_info::TypeInfo)]
            #[scale_info(capture_docs = "always")]
            $item
        )*
    };
}

pub(crate) use {data, small};
